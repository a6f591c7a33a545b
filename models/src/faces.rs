//! Faces in a picture: where they are, their gender and age. All on this machine; no picture leaves.
//!
//! The bundled detector ([`DEFAULT_FACES`]) is a chain of small networks, see `faces/cascade.rs`; YuNet can be added. Gender
//! and age come from dlib's networks. They guess from looks, and are wrong at times: an age is off by a few
//! years, more where the face is turned away.

mod attributes;
mod cascade;
mod pixels;
mod region;
mod yunet;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::attributes::{Attributes, Guess};
use self::cascade::Cascade;
use self::region::{Candidate, Region};
pub(crate) use self::yunet::OUTPUTS as YUNET_OUTPUTS;
use self::yunet::Yunet;
use crate::area::Area;
use crate::catalogue::{Catalogue, ModelError};
use crate::engine::{Engine, EngineInfo};
use crate::manifest::Detector;
use crate::picture::{Picture, decode};
use crate::samples::face_sample;
use crate::session::{Fault, Session, Wanted};

/// The name of the detector that is compiled in.
pub const DEFAULT_FACES: &str = "mtcnn-blazeface";
/// The most faces that are told for one picture, the surest first.
pub const MAX_FACES: usize = 200;

/// How long [`FaceFinder::measure`] goes on, unless one picture takes longer.
const MEASURE: Duration = Duration::from_millis(400);
/// Pictures that a network takes at once; bounds the memory of a crowd.
const BATCH: usize = 16;

/// A face. Coordinates are pixels of the upright picture, from its upper left corner. The box is cut to the
/// picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Where it is.
    pub area: Area,
    /// That it is a face, 0 to 1. Comparable within one detector only.
    pub confidence: f32,
    /// Five points of it.
    pub landmarks: Landmarks,
    /// What the networks take the person for.
    pub gender: Gender,
    /// Years, 0 to 80: the expectation over the network's 81 classes, as the mean over several cut-outs of the face.
    pub age: f32,
    /// By how many years these differ, as their standard deviation. Where it is large, the age is a wild guess.
    pub age_spread: f32,
}

/// Five points of a face. Left and right are those of the picture: of an upright face that looks at us,
/// `left_eye` is the person's right eye. Points may lie outside the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Landmarks {
    /// Centre of the eye on the picture's left.
    pub left_eye: Point,
    /// Centre of the other eye.
    pub right_eye: Point,
    /// Tip of the nose.
    pub nose: Point,
    /// Corner of the mouth on the picture's left.
    pub mouth_left: Point,
    /// The other corner.
    pub mouth_right: Point,
}

/// A position in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
}

/// A guess with how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gender {
    /// The likelier one.
    pub value: Sex,
    /// 0.5 to 1.
    pub confidence: f32,
}

/// What the network distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// A loaded detector with the networks for gender and age. Shared between threads in an `Arc`; each network
/// runs one batch at a time.
pub struct FaceFinder {
    kind: Kind,
    attributes: Attributes,
    name: String,
    /// Of an added detector.
    sha256: String,
    engine: EngineInfo,
}

enum Kind {
    Cascade(Box<Cascade>),
    Yunet(Yunet),
}

impl FaceFinder {
    /// Loads the detector `name` ([`DEFAULT_FACES`], or one that was added) and runs every network once.
    ///
    /// # Errors
    /// [`ModelError`]; an unknown name lists the detectors that exist.
    pub fn load(
        engine: &Engine,
        catalogue: &Catalogue,
        name: &str,
    ) -> Result<FaceFinder, ModelError> {
        if name == DEFAULT_FACES {
            let load = || Cascade::load(engine).map(|it| Kind::Cascade(Box::new(it)));
            return FaceFinder::new(engine, load, name);
        }
        let (manifest, onnx) = catalogue.detector(name)?;
        let size = manifest.input.size;
        let mut finder = FaceFinder::from_added(engine, name, manifest.detector, size, &onnx)?;
        finder.sha256 = manifest.sha256.unwrap_or_default();
        Ok(finder)
    }

    /// A detector out of a file that is not in the catalogue yet.
    pub(crate) fn from_added(
        engine: &Engine,
        name: &str,
        detector: Option<Detector>,
        side: u32,
        onnx: &[u8],
    ) -> Result<FaceFinder, ModelError> {
        let Some(Detector::Yunet) = detector else {
            return Err(ModelError::WrongTask { name: name.into() });
        };
        let load = || {
            let yunet = Yunet::load(engine, onnx, side);
            yunet.map(Kind::Yunet).map_err(|fault| ModelError::from_fault(name, fault))
        };
        FaceFinder::new(engine, load, name)
    }

    /// Loads the detector while the other networks are loaded on a second thread.
    fn new(
        engine: &Engine,
        detector: impl FnOnce() -> Result<Kind, ModelError>,
        name: &str,
    ) -> Result<FaceFinder, ModelError> {
        let (kind, attributes) = std::thread::scope(|scope| {
            let attributes = scope.spawn(|| Attributes::load(engine));
            let kind = detector();
            let broken =
                || ModelError::Run { name: name.into(), reason: "a thread gave up".into() };
            (kind, attributes.join().unwrap_or_else(|_| Err(broken())))
        });
        let (kind, attributes) = (kind?, attributes?);
        let engine = EngineInfo { device: attributes.device().into(), ..engine.info().clone() };
        let (name, sha256) = (name.to_owned(), String::new());
        Ok(FaceFinder { kind, attributes, name, sha256, engine })
    }

    /// The detector's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 in hexadecimal of the file of a detector that was added; empty for the bundled one.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The engine, and the device that the networks run on.
    pub fn engine(&self) -> &EngineInfo {
        &self.engine
    }

    /// The faces of a picture, the surest first, at most [`MAX_FACES`]. Large pictures are made smaller for
    /// the search, so faces below about 1.5 % of the longer side are not found. A picture without faces, or
    /// too small to show one, gives an empty list.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the engine fails or gives something that is no number.
    pub fn find(&self, picture: &Picture) -> Result<Vec<Face>, ModelError> {
        let run = |fault| ModelError::from_fault(&self.name, fault);
        let found = match &self.kind {
            Kind::Cascade(cascade) => cascade.find(picture),
            Kind::Yunet(yunet) => yunet.find(picture),
        }
        .map_err(run)?;
        let found: Vec<Candidate> =
            found.into_iter().filter_map(|found| clipped(found, picture)).take(MAX_FACES).collect();
        let points: Vec<[Point; 5]> = found.iter().map(|found| found.points).collect();
        let guesses = self.attributes.guess(picture, &points).map_err(run)?;
        Ok(found.iter().zip(guesses).map(|(found, guess)| face(found, guess)).collect())
    }

    /// Pictures a second that this machine reaches from a JPEG file with one face to the answer, one after the
    /// other. Takes about half a second, longer only where one picture does. 0.0 should the engine fail.
    pub fn measure(&self) -> f64 {
        let (start, mut done) = (Instant::now(), 0u32);
        while done == 0 || start.elapsed() < MEASURE {
            let found = decode(face_sample().bytes).ok().and_then(|p| self.find(&p).ok());
            if found.is_none() {
                return 0.0;
            }
            done += 1;
        }
        f64::from(done) / start.elapsed().as_secs_f64()
    }
}

impl std::fmt::Debug for FaceFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaceFinder")
            .field("name", &self.name)
            .field("engine", &self.engine.engine)
            .finish_non_exhaustive()
    }
}

impl Landmarks {
    fn from_points([left_eye, right_eye, nose, mouth_left, mouth_right]: [Point; 5]) -> Landmarks {
        Landmarks { left_eye, right_eye, nose, mouth_left, mouth_right }
    }
}

fn face(found: &Candidate, Guess { gender, age, spread }: Guess) -> Face {
    Face {
        area: Area {
            x: found.region.left,
            y: found.region.top,
            width: found.region.width(),
            height: found.region.height(),
        },
        confidence: found.score,
        landmarks: Landmarks::from_points(found.points),
        gender,
        age,
        age_spread: spread,
    }
}

/// The box cut to the picture; `None` when nothing of it is inside.
fn clipped(mut found: Candidate, picture: &Picture) -> Option<Candidate> {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let Region { left, top, right, bottom } = found.region;
    found.region = Region {
        left: left.clamp(0.0, width),
        top: top.clamp(0.0, height),
        right: right.clamp(0.0, width),
        bottom: bottom.clamp(0.0, height),
    };
    let sound = found.region.is_sound() && found.points.iter().all(|p| (p.x + p.y).is_finite());
    sound.then_some(found)
}

/// A bundled network with one input and one output.
fn bundled(engine: &Engine, name: &str, onnx: &[u8], side: usize) -> Result<Session, ModelError> {
    Session::load(engine, onnx, &Wanted { input: None, outputs: &[], item: [3, side, side] })
        .map_err(|fault| ModelError::from_fault(name, fault))
}

/// Runs any number of inputs, a few at a time, and hands each row of numbers to `take` with the input's index.
fn run_all(
    session: &Session,
    count: usize,
    input: impl Fn(usize) -> Result<Vec<f32>, String>,
    mut take: impl FnMut(usize, &[f32]),
) -> Result<(), Fault> {
    for first in (0..count).step_by(BATCH) {
        let inputs: Vec<Vec<f32>> = (first..count.min(first + BATCH))
            .map(&input)
            .collect::<Result<_, _>>()
            .map_err(Fault::Run)?;
        let items: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let rows = session.run(&items)?;
        for (offset, row) in rows.chunks_exact(session.outputs.max(1)).enumerate() {
            take(first + offset, row);
        }
    }
    Ok(())
}

/// The whole picture and overlapping squares of half its longer side: small faces are large enough in those.
/// Pictures whose longer side is at most `whole` pixels need none.
fn tiles(picture: &Picture, whole: u32) -> Vec<Region> {
    let longest = picture.width().max(picture.height());
    let (right, bottom) = (longest as f32, longest as f32);
    let mut tiles = vec![Region { left: 0.0, top: 0.0, right, bottom }];
    if longest > whole {
        tiles.extend(squares(picture, longest / 2));
    }
    tiles
}

/// Overlapping squares of a side that cover the picture.
fn squares(picture: &Picture, side: u32) -> Vec<Region> {
    let side = side.max(1);
    let starts = |length: u32| {
        let last = length.saturating_sub(side);
        // Steps of about half a square, so that a face on one's edge stands in the middle of another.
        let steps = last.div_ceil((side * 6 / 10).max(1)).max(1);
        let mut starts: Vec<u32> = (0..=steps).map(|step| last * step / steps).collect();
        starts.dedup();
        starts
    };
    let across = starts(picture.width());
    let square = |x: u32, y: u32| {
        let (left, top) = (x as f32, y as f32);
        Region { left, top, right: left + side as f32, bottom: top + side as f32 }
    };
    let rows = starts(picture.height()).into_iter();
    rows.flat_map(|y| across.iter().map(move |x| square(*x, y))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank(width: u32, height: u32) -> Picture {
        Picture::from_rgb(width, height, vec![0; (width * height * 3) as usize]).unwrap()
    }

    #[test]
    fn tiles_cover_the_picture() {
        assert_eq!(tiles(&blank(400, 300), 400).len(), 1);
        for (width, height) in [(800, 600), (1280, 1280), (401, 1), (3, 999), (1280, 641)] {
            let tiles = tiles(&blank(width, height), 400);
            assert!(tiles.len() <= 10, "{width} x {height}: {}", tiles.len());
            let quarters = squares(&blank(width, height), width.max(height) / 4);
            assert!(quarters.len() <= 36, "{width} x {height}: {}", quarters.len());
            for (x, y) in [(0, 0), (width - 1, 0), (0, height - 1), (width / 2, height / 2)] {
                let (x, y) = (x as f32, y as f32);
                let inside = |t: &Region| t.left <= x && x < t.right && t.top <= y && y < t.bottom;
                assert!(tiles[1..].iter().any(inside), "{width} x {height}: {x} {y}");
                assert!(quarters.iter().any(inside), "{width} x {height}: {x} {y}");
            }
        }
    }

    #[test]
    fn boxes_are_cut_to_the_picture() {
        let region = Region { left: -5.0, top: 2.0, right: 40.0, bottom: 9.0 };
        let found = Candidate { region, score: 1.0, points: Default::default() };
        let cut = clipped(found, &blank(20, 8)).unwrap().region;
        assert_eq!(cut, Region { left: 0.0, top: 2.0, right: 20.0, bottom: 8.0 });
        assert!(clipped(found.mapped(1.0, (100.0, 0.0)), &blank(20, 8)).is_none());
        assert!(clipped(found.mapped(f32::NAN, (0.0, 0.0)), &blank(20, 8)).is_none());
    }
}
