//! Things in a picture: where they are and what they are, out of 80 kinds. On this machine; no picture leaves.
//!
//! NanoDet-g (RangiLyu; Apache-2.0), trained with COCO, looks at the whole picture once: things that are smaller
//! than about 3 % of its longer side are not found, and kinds that COCO lacks are not known.

mod kinds;

use std::time::{Duration, Instant};

use fast_image_resize::FilterType;
use serde::{Deserialize, Serialize};

pub use self::kinds::{KINDS, kind_in_chinese};
use crate::bundled::{bundled, run_all};
use crate::catalogue::ModelError;
use crate::engine::{Engine, EngineInfo};
use crate::picture::{Picture, decode};
use crate::pixels::{self, Scale};
use crate::region::{Region, suppress};
use crate::samples::things_sample;
use crate::session::{Fault, Session};

/// The name of the detector that is compiled in.
pub const DEFAULT_DETECTOR: &str = "nanodet-g";
/// How sure the network should be: `README.md` says what is found then on 25 pictures, and what is not.
pub const CONFIDENT: f32 = 0.4;
/// The most things that are told for one picture, the surest first.
pub const MAX_THINGS: usize = 100;

/// How long [`ThingFinder::measure`] goes on, unless one picture takes longer.
const MEASURE: Duration = Duration::from_millis(300);
/// Side of the network's input.
const SIDE: u32 = 416;
/// Steps of the network's three grids in pixels of its input, in the order of its rows.
const STRIDES: [u32; 3] = [8, 16, 32];
/// Numbers in a row: a probability for each kind, and the distances to four edges.
const ROW: usize = KINDS.len() + 4;
/// Overlap from which two boxes of one kind are one thing: NanoDet's published value.
const SAME: f32 = 0.6;
/// Overlap from which boxes of two kinds are two names for one thing, of which the surer is told.
const SAME_PLACE: f32 = 0.8;
/// As NanoDet was trained: the means and deviations of ImageNet, blue first.
const SCALE: Scale =
    Scale { mean: [103.53, 116.28, 123.675], divisor: [57.375, 57.12, 58.395], blue_first: true };

/// A thing. Coordinates are pixels of the upright picture, from its upper left corner; the box is cut to the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// To the right edge.
    pub width: f32,
    /// To the lower edge.
    pub height: f32,
    /// The English name of its kind: one of [`KINDS`].
    pub name: String,
    /// That it is one, 0 to 1.
    pub confidence: f32,
}

/// The loaded detector. Shared between threads in an `Arc`.
pub struct ThingFinder {
    session: Session,
    engine: EngineInfo,
}

/// A box that the network gives.
#[derive(Clone, Copy)]
struct Candidate {
    region: Region,
    score: f32,
    kind: usize,
}

impl ThingFinder {
    /// Loads the bundled detector and runs it once.
    ///
    /// # Errors
    /// [`ModelError`], when the engine cannot load it.
    pub fn load(engine: &Engine) -> Result<ThingFinder, ModelError> {
        let onnx = include_bytes!("../weights/nanodet-g.onnx");
        let session = bundled(engine, DEFAULT_DETECTOR, onnx, [SIDE as usize; 2])?;
        let engine = EngineInfo { device: session.device.into(), ..engine.info().clone() };
        Ok(ThingFinder { session, engine })
    }

    /// The engine, and the device that the network runs on.
    pub fn engine(&self) -> &EngineInfo {
        &self.engine
    }

    /// The things of a picture of which the network is as sure as `least` (0 to 1, [`CONFIDENT`]), the surest first,
    /// at most [`MAX_THINGS`]; none is an answer too.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the engine fails.
    pub fn find(&self, picture: &Picture, least: f32) -> Result<Vec<Thing>, ModelError> {
        let found = self.candidates(picture, least);
        let found = found.map_err(|fault| ModelError::from_fault(DEFAULT_DETECTOR, fault))?;
        let size = (picture.width() as f32, picture.height() as f32);
        let thing = |found: &Candidate| {
            let region = found.region.within(size);
            region.is_sound().then(|| Thing {
                x: region.left,
                y: region.top,
                width: region.width(),
                height: region.height(),
                name: KINDS.get(found.kind).map_or("", |kind| kind.0).to_owned(),
                confidence: found.score,
            })
        };
        Ok(found.iter().filter_map(thing).collect())
    }

    /// Pictures a second that this machine reaches from a JPEG file to the answer, one after the other. 0.0 should
    /// the engine fail.
    pub fn measure(&self) -> f64 {
        let (start, mut done) = (Instant::now(), 0u32);
        while done == 0 || start.elapsed() < MEASURE {
            let found =
                decode(things_sample().bytes).ok().and_then(|p| self.find(&p, CONFIDENT).ok());
            if found.is_none() {
                return 0.0;
            }
            done += 1;
        }
        f64::from(done) / start.elapsed().as_secs_f64()
    }

    fn candidates(&self, picture: &Picture, least: f32) -> Result<Vec<Candidate>, Fault> {
        // The whole picture in the middle of a black square, as the network was trained.
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let whole = Region { left: 0.0, top: 0.0, right: width, bottom: height }.square(1.0);
        let mut found = Vec::new();
        let input = |_| {
            let bytes = pixels::square(picture, &whole, SIDE, FilterType::Bilinear)?;
            Ok(pixels::planes(&bytes, &SCALE))
        };
        run_all(&self.session, 1, input, |_, rows| {
            let scale = whole.width() / SIDE as f32;
            found.extend(cells(rows, least).map(|mut each| {
                each.region = each.region.mapped(scale, (whole.left, whole.top));
                each
            }));
        })?;
        found.retain(|each| each.region.is_sound());
        Ok(distinct(found))
    }
}

impl std::fmt::Debug for ThingFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThingFinder").field("engine", &self.engine.engine).finish_non_exhaustive()
    }
}

/// The cells of the network's answer that are sure of something, in pixels of its input.
fn cells(rows: &[f32], least: f32) -> impl Iterator<Item = Candidate> {
    let grid = STRIDES.into_iter().flat_map(|stride| {
        let side = SIDE / stride;
        (0..side * side).map(move |index| (index % side, index / side, stride as f32))
    });
    grid.zip(rows.chunks_exact(ROW)).filter_map(move |((column, row, stride), numbers)| {
        let (kinds, edges) = numbers.split_at(KINDS.len());
        let best = kinds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let (kind, score) = best.filter(|(_, score)| (least..=1.0).contains(*score))?;
        let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
        let region = Region {
            left: (x - edges[0]) * stride,
            top: (y - edges[1]) * stride,
            right: (x + edges[2]) * stride,
            bottom: (y + edges[3]) * stride,
        };
        Some(Candidate { region, score: *score, kind })
    })
}

/// One box for each thing, the surest first.
fn distinct(found: Vec<Candidate>) -> Vec<Candidate> {
    let ranked = |each: &Candidate| (each.region, each.score);
    let mut kept = Vec::new();
    for kind in 0..KINDS.len() {
        let of_kind = found.iter().filter(|each| each.kind == kind).copied().collect();
        kept.extend(suppress(of_kind, ranked, Region::overlap, SAME, MAX_THINGS));
    }
    suppress(kept, ranked, Region::overlap, SAME_PLACE, MAX_THINGS)
}
