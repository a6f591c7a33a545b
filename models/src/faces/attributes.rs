//! Gender and age of a face, by dlib's networks (Cydral Technology, CC0): the face is turned upright and cut as
//! dlib does, with five landmarks.

use super::{Gender, GenderValue, Point};
use crate::bundled::{bundled, run_all};
use crate::catalogue::ModelError;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::pixels::{self, Scale, at};
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
const SCALE: Scale =
    Scale { mean: [122.782, 117.001, 104.298], divisor: [256.0; 3], blue_first: false };

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
            gender: bundled(engine, "gender-v1", gender, [GENDER_SIDE; 2])?,
            age: bundled(engine, "age-v1", age, [AGE_SIDE; 2])?,
        })
    }

    /// `cpu` or `cuda`.
    pub(crate) fn device(&self) -> &'static str {
        self.age.device
    }

    /// Gender and age in years of each face.
    pub(crate) fn guess(
        &self,
        picture: &Picture,
        faces: &[[Point; 5]],
    ) -> Result<Vec<(Gender, f32)>, Fault> {
        let input = |side| {
            move |index: usize| Ok(pixels::planes(&chip(picture, &faces[index], side), &SCALE))
        };
        let mut guesses = Vec::with_capacity(faces.len());
        run_all(&self.gender, faces.len(), input(GENDER_SIDE), |_, row| {
            guesses.push((gender(row), 0.0));
        })?;
        run_all(&self.age, faces.len(), input(AGE_SIDE), |index, row| {
            if let Some(guess) = guesses.get_mut(index) {
                guess.1 = age(row);
            }
        })?;
        let sane = |(gender, age): &(Gender, f32)| gender.confidence.is_finite() && age.is_finite();
        if guesses.len() == faces.len() && guesses.iter().all(sane) {
            Ok(guesses)
        } else {
            Err(Fault::Run("gender or age is not a number".into()))
        }
    }
}

/// Two probabilities, female first.
fn gender(row: &[f32]) -> Gender {
    match *row {
        [female, male] if female < male => Gender { value: GenderValue::Male, confidence: male },
        [female, _] => Gender { value: GenderValue::Female, confidence: female },
        _ => Gender { value: GenderValue::Female, confidence: f32::NAN },
    }
}

/// The expectation over one class a year; the first stands for a quarter of a year.
fn age(row: &[f32]) -> f32 {
    let years =
        |(class, share): (usize, &f32)| share * if class == 0 { 0.25 } else { class as f32 };
    row.iter().enumerate().map(years).sum()
}

/// The face upright in `side` x `side` RGB bytes, each the mean of what falls into it. Black outside the picture.
fn chip(picture: &Picture, points: &[Point; 5], side: usize) -> Vec<u8> {
    let place = |point: Point| Point {
        x: (point.x + MARGIN) / (1.0 + 2.0 * MARGIN) * side as f32,
        y: (point.y + MARGIN) / (1.0 + 2.0 * MARGIN) * side as f32,
    };
    let map = Similarity::between(&MEAN_FACE.map(place), points);
    let samples = map.scale().ceil().clamp(1.0, MOST_SAMPLES) as usize;
    let mut bytes = Vec::with_capacity(side * side * 3);
    for row in 0..side {
        for column in 0..side {
            let mut sum = [0.0; 3];
            for index in 0..samples * samples {
                let inner = |index: usize| (index as f32 + 0.5) / samples as f32;
                let x = column as f32 + inner(index % samples);
                let y = row as f32 + inner(index / samples);
                let colour = at(picture, map.apply(x, y));
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
                let cut = chip(&picture, &points, side);
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
    fn guesses_are_read_as_the_package_says() {
        assert_eq!(gender(&[0.2, 0.8]), Gender { value: GenderValue::Male, confidence: 0.8 });
        assert_eq!(gender(&[0.5, 0.5]).value, GenderValue::Female);
        assert!(gender(&[]).confidence.is_nan());
        assert_eq!(age(&[1.0, 0.0, 0.0]), 0.25);
        assert_eq!(age(&[0.0, 0.5, 0.5]), 1.5);
    }
}
