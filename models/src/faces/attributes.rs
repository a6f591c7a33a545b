//! Gender and age of a face, by dlib's networks (Cydral Technology, CC0): the face is turned upright and cut as
//! dlib does, with five landmarks.

use super::{Gender, Point, Sex, bundled, run_all};
use crate::catalogue::ModelError;
use crate::engine::Engine;
use crate::faces::pixels::{self, Scale};
use crate::picture::Picture;
use crate::session::{Fault, Session};

/// Where eyes, nose and corners of the mouth belong, 0 to 1 of the chip without its margin: dlib's mean face
/// (`mean_face_shape_x` and `_y` in image_transforms/interpolation.h), eyes as the mean of their six points.
const MEAN_FACE: [Point; 5] = [
    Point { x: 0.225_49, y: 0.215_99 },
    Point { x: 0.754_76, y: 0.215_99 },
    Point { x: 0.490_127, y: 0.515_625 },
    Point { x: 0.254_149, y: 0.780_233 },
    Point { x: 0.726_104, y: 0.780_233 },
];
/// The margin on each side, as a share of the mean face; the networks were trained with it.
const MARGIN: f32 = 0.2;
/// Of a large face, at most this many by this many places are looked at for one pixel of the chip.
const MOST_SAMPLES: f32 = 8.0;

const GENDER_SIDE: usize = 32;
const AGE_SIDE: usize = 64;
const SCALE: Scale = Scale { mean: [122.782, 117.001, 104.298], divisor: 256.0, blue_first: false };

/// The cut-outs of which each gives an age: the plain one, and others that show as little of another person.
const CUTS: [Cut; 4] = [
    Cut { turn: 0.0, mirrored: false },
    Cut { turn: 0.0, mirrored: true },
    Cut { turn: 0.1, mirrored: false },
    Cut { turn: -0.1, mirrored: true },
];
/// Of more faces than this, each is cut out twice only.
const MANY: usize = 40;

/// How a face is cut out.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cut {
    /// Beyond upright, in radians.
    turn: f32,
    /// Whether left and right change places.
    mirrored: bool,
}

/// What the networks take a person for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Guess {
    pub gender: Gender,
    /// Years, the mean over the cut-outs.
    pub age: f32,
    /// Years, the standard deviation over them.
    pub spread: f32,
}

/// The two networks.
pub(crate) struct Attributes {
    gender: Session,
    age: Session,
}

/// Turns, scales and moves: chip to picture.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Similarity {
    /// Scale times cosine and sine of the angle.
    a: f32,
    b: f32,
    x: f32,
    y: f32,
}

impl Attributes {
    pub(crate) fn load(engine: &Engine) -> Result<Attributes, ModelError> {
        let gender = include_bytes!("../../weights/gender-v1.onnx");
        let age = include_bytes!("../../weights/age-v1.onnx");
        Ok(Attributes {
            gender: bundled(engine, "gender-v1", gender, GENDER_SIDE)?,
            age: bundled(engine, "age-v1", age, AGE_SIDE)?,
        })
    }

    /// `cpu` or `cuda`.
    pub(crate) fn device(&self) -> &'static str {
        self.age.device
    }

    /// Gender and age of each face.
    pub(crate) fn guess(
        &self,
        picture: &Picture,
        faces: &[[Point; 5]],
    ) -> Result<Vec<Guess>, Fault> {
        let planes = |face: usize, side, cut| {
            Ok(pixels::planes(&chip(picture, &faces[face], side, cut), &SCALE))
        };
        let mut genders = Vec::with_capacity(faces.len());
        let plain = |face| planes(face, GENDER_SIDE, CUTS[0]);
        run_all(&self.gender, faces.len(), plain, |_, row| genders.push(gender(row)))?;
        let cuts = if faces.len() > MANY { &CUTS[..2] } else { &CUTS[..] };
        let mut ages = Vec::with_capacity(faces.len() * cuts.len());
        let several = |index| planes(index / cuts.len(), AGE_SIDE, cuts[index % cuts.len()]);
        let count = faces.len() * cuts.len();
        run_all(&self.age, count, several, |_, row| ages.push(age(row)))?;
        let guesses: Vec<Guess> = genders
            .into_iter()
            .zip(ages.chunks_exact(cuts.len()))
            .map(|(gender, ages)| {
                let (age, spread) = mean_and_spread(ages);
                Guess { gender, age, spread }
            })
            .collect();
        let sane = |guess: &Guess| (guess.gender.confidence + guess.age + guess.spread).is_finite();
        if guesses.len() == faces.len() && guesses.iter().all(sane) {
            Ok(guesses)
        } else {
            Err(Fault::Run("gender or age is not a number".into()))
        }
    }
}

/// Mean and standard deviation of at least one number.
fn mean_and_spread(numbers: &[f32]) -> (f32, f32) {
    let count = numbers.len() as f32;
    let mean = numbers.iter().sum::<f32>() / count;
    let square = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f32>() / count;
    (mean, square.sqrt())
}

/// Two probabilities, female first.
fn gender(row: &[f32]) -> Gender {
    match *row {
        [female, male] if female < male => Gender { value: Sex::Male, confidence: male },
        [female, _] => Gender { value: Sex::Female, confidence: female },
        _ => Gender { value: Sex::Female, confidence: f32::NAN },
    }
}

/// The expectation over one class a year; the first stands for a quarter of a year.
fn age(row: &[f32]) -> f32 {
    let years =
        |(class, share): (usize, &f32)| share * if class == 0 { 0.25 } else { class as f32 };
    row.iter().enumerate().map(years).sum()
}

/// The face upright in `side` x `side` RGB bytes, each the mean of what falls into it. Black outside the picture.
fn chip(picture: &Picture, points: &[Point; 5], side: usize, cut: Cut) -> Vec<u8> {
    let place = |point: Point| Point {
        x: (point.x + MARGIN) / (1.0 + 2.0 * MARGIN) * side as f32,
        y: (point.y + MARGIN) / (1.0 + 2.0 * MARGIN) * side as f32,
    };
    let map = Similarity::between(&MEAN_FACE.map(place), points);
    let samples = map.scale().ceil().clamp(1.0, MOST_SAMPLES) as usize;
    let (sin, cos) = cut.turn.sin_cos();
    let middle = side as f32 / 2.0;
    let seen = |x: f32, y: f32| {
        let (x, y) = (x - middle, y - middle);
        let x = if cut.mirrored { -x } else { x };
        map.apply(cos * x - sin * y + middle, sin * x + cos * y + middle)
    };
    let mut bytes = Vec::with_capacity(side * side * 3);
    for row in 0..side {
        for column in 0..side {
            let mut sum = [0.0; 3];
            for index in 0..samples * samples {
                let inner = |index: usize| (index as f32 + 0.5) / samples as f32;
                let x = column as f32 + inner(index % samples);
                let y = row as f32 + inner(index / samples);
                let colour = at(picture, seen(x, y));
                sum = std::array::from_fn(|channel| sum[channel] + colour[channel]);
            }
            let mean = |sum: f32| (sum / (samples * samples) as f32).round() as u8;
            bytes.extend(sum.map(mean));
        }
    }
    bytes
}

impl Similarity {
    /// The one that brings `from` nearest to `to`, by least squares.
    fn between(from: &[Point; 5], to: &[Point; 5]) -> Similarity {
        let centre = |points: &[Point; 5]| {
            let sum = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.x, sum.1 + p.y));
            (sum.0 / 5.0, sum.1 / 5.0)
        };
        let ((from_x, from_y), (to_x, to_y)) = (centre(from), centre(to));
        let (mut along, mut across, mut square) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let (x, y) = (from.x - from_x, from.y - from_y);
            let (u, v) = (to.x - to_x, to.y - to_y);
            along += x * u + y * v;
            across += x * v - y * u;
            square += x * x + y * y;
        }
        let (a, b) = (along / square, across / square);
        Similarity { a, b, x: to_x - a * from_x + b * from_y, y: to_y - b * from_x - a * from_y }
    }

    fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        (self.a * x - self.b * y + self.x, self.b * x + self.a * y + self.y)
    }

    fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }
}

/// The colour at a position, between pixels by their distance. Pixel (0, 0) has its centre at (0.5, 0.5).
fn at(picture: &Picture, (x, y): (f32, f32)) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let mut colour = [0.0; 3];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (column, row) = (left + dx, top + dy);
        let weight = (1.0 - (x - column).abs()) * (1.0 - (y - row).abs());
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        if column >= 0.0 && row >= 0.0 && column < width && row < height {
            let start = (row as usize * picture.width() as usize + column as usize) * 3;
            if let Some(pixel) = picture.pixels().get(start..start + 3) {
                colour = std::array::from_fn(|channel| {
                    colour[channel] + weight * f32::from(pixel[channel])
                });
            }
        }
    }
    colour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_face_is_found_again() {
        let (angle, scale) = (0.4f32, 3.0);
        let (a, b) = (scale * angle.cos(), scale * angle.sin());
        let turned =
            MEAN_FACE.map(|p| Point { x: a * p.x - b * p.y + 10.0, y: b * p.x + a * p.y - 4.0 });
        let map = Similarity::between(&MEAN_FACE, &turned);
        for (got, want) in [(map.a, a), (map.b, b), (map.x, 10.0), (map.y, -4.0)] {
            assert!((got - want).abs() < 1e-4, "{map:?}");
        }
        assert!((map.scale() - scale).abs() < 1e-4);
    }

    /// `tests/golden/faces`: made without any of this code.
    #[derive(serde::Deserialize)]
    struct Expected {
        points: [[f32; 2]; 5],
        gender: [f32; 2],
        age: f32,
    }

    fn golden(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/faces");
        std::fs::read(format!("{folder}/{name}")).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn decoded(name: &str) -> Picture {
        crate::decode(&golden(name)).unwrap()
    }

    fn cases() -> std::collections::BTreeMap<String, Expected> {
        serde_json::from_slice(&golden("attributes.json")).unwrap()
    }

    #[test]
    fn faces_are_cut_as_without_this_code() {
        assert_eq!(cases().len(), 5);
        for (name, expected) in cases() {
            // Decoders of JPEG differ by some bytes, those of PNG do not.
            let (picture, most) = match name.as_str() {
                "astronaut" => (crate::decode(crate::face_sample().bytes).unwrap(), 3),
                _ => (decoded("synthetic-picture.png"), 1),
            };
            let points = expected.points.map(|[x, y]| Point { x, y });
            for (network, side) in [("gender", GENDER_SIDE), ("age", AGE_SIDE)] {
                let wanted = decoded(&format!("{name}-{network}.png"));
                let cut = chip(&picture, &points, side, CUTS[0]);
                assert_eq!(cut.len(), wanted.pixels().len());
                let off = cut.iter().zip(wanted.pixels()).map(|(a, b)| a.abs_diff(*b));
                let (largest, wrong) = off.fold((0, 0), |(largest, wrong), off| {
                    (off.max(largest), wrong + u32::from(off > 0))
                });
                assert!(largest <= most, "{name} {network}: {largest}");
                let share = f64::from(wrong) / cut.len() as f64;
                assert!(most > 1 || share <= 0.01, "{name} {network}: {share}");
            }
        }
    }

    #[test]
    fn the_networks_say_what_they_say_elsewhere() {
        let config = crate::EngineConfig {
            choice: crate::EngineChoice::Tract,
            ..crate::EngineConfig::default()
        };
        let attributes = Attributes::load(&Engine::start(&config).unwrap()).unwrap();
        for (name, expected) in cases() {
            let row = |session: &Session, network: &str| {
                let input =
                    pixels::planes(decoded(&format!("{name}-{network}.png")).pixels(), &SCALE);
                let mut rows = Vec::new();
                let input = |_| Ok(input.clone());
                run_all(session, 1, input, |_, row| rows.extend_from_slice(row)).unwrap();
                rows
            };
            let (sexes, years) =
                (row(&attributes.gender, "gender"), age(&row(&attributes.age, "age")));
            for (got, want) in sexes.iter().zip(expected.gender) {
                assert!((got - want).abs() < 1e-3, "{name}: {sexes:?}");
            }
            assert!((years - expected.age).abs() < 0.05, "{name}: {years}");
        }
    }

    #[test]
    fn other_cuts_show_the_same_turned_and_mirrored() {
        // Red on the left, blue on the right, with a face that fills it.
        let pixels = (0..64 * 64).flat_map(|i| if i % 64 < 32 { [255, 0, 0] } else { [0, 0, 255] });
        let picture = Picture::from_rgb(64, 64, pixels.collect()).unwrap();
        let place = |p: Point| Point { x: (p.x + 0.2) / 1.4 * 64.0, y: (p.y + 0.2) / 1.4 * 64.0 };
        let points = MEAN_FACE.map(place);
        let at = |cut: Cut, x: usize, y: usize| {
            let start = (y * AGE_SIDE + x) * 3;
            chip(&picture, &points, AGE_SIDE, cut)[start..start + 3].to_vec()
        };
        let (red, blue) = (vec![255, 0, 0], vec![0, 0, 255]);
        let turned = Cut { turn: std::f32::consts::FRAC_PI_2, mirrored: false };
        assert_eq!((at(CUTS[0], 8, 30), at(CUTS[0], 56, 30)), (red.clone(), blue.clone()));
        assert_eq!((at(CUTS[1], 8, 30), at(CUTS[1], 56, 30)), (blue.clone(), red.clone()));
        assert_eq!((at(turned, 30, 8), at(turned, 30, 56)), (blue, red));
        assert_eq!(mean_and_spread(&[1.0, 3.0]), (2.0, 1.0));
    }

    #[test]
    fn colours_lie_between_pixels() {
        let picture = Picture::from_rgb(2, 1, vec![10, 20, 30, 30, 40, 50]).unwrap();
        assert_eq!(at(&picture, (0.5, 0.5)), [10.0, 20.0, 30.0]);
        assert_eq!(at(&picture, (1.0, 0.5)), [20.0, 30.0, 40.0]);
        assert_eq!(at(&picture, (9.0, 9.0)), [0.0; 3]);
        assert_eq!(at(&picture, (f32::NAN, 0.0)), [0.0; 3]);
    }

    #[test]
    fn guesses_are_read_as_the_package_says() {
        assert_eq!(gender(&[0.2, 0.8]), Gender { value: Sex::Male, confidence: 0.8 });
        assert_eq!(gender(&[0.5, 0.5]).value, Sex::Female);
        assert!(gender(&[]).confidence.is_nan());
        assert_eq!(age(&[1.0, 0.0, 0.0]), 0.25);
        assert_eq!(age(&[0.0, 0.5, 0.5]), 1.5);
    }
}
