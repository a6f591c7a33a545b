//! What is known of a face: the common part of the answers of `faces/1` and `facepp/1`.

pub mod annotate;

use std::collections::BTreeMap;

pub use potluck_models::Sex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::protocol::any_f32;

/// One face. Positions are pixels of the upright picture, from its upper left corner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Where it is.
    #[serde(rename = "box")]
    pub frame: FaceBox,
    /// Points by name, such as `left_eye_center`; empty when none were asked for.
    #[serde(default)]
    pub landmarks: BTreeMap<String, Point>,
    /// How sure it is that this is a face, 0 to 1; `None` where the source does not say.
    #[serde(default, deserialize_with = "maybe_f32")]
    pub confidence: Option<f32>,
    /// What it looks like.
    #[serde(default)]
    pub gender: Option<Gender>,
    /// How old it looks.
    #[serde(default)]
    pub age: Option<Age>,
    /// What others may think of its looks; only Face++ tells.
    #[serde(default)]
    pub beauty: Option<Beauty>,
    /// Everything else that the source told, under the source's own names.
    #[serde(default, serialize_with = "with_nulls")]
    pub attributes: BTreeMap<String, Value>,
}

/// A rectangle inside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FaceBox {
    /// The left side.
    #[serde(deserialize_with = "any_f32")]
    pub x: f32,
    /// The upper side.
    #[serde(deserialize_with = "any_f32")]
    pub y: f32,
    /// To the right.
    #[serde(deserialize_with = "any_f32")]
    pub width: f32,
    /// Downwards.
    #[serde(deserialize_with = "any_f32")]
    pub height: f32,
}

/// A point of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From the left.
    #[serde(deserialize_with = "any_f32")]
    pub x: f32,
    /// From above.
    #[serde(deserialize_with = "any_f32")]
    pub y: f32,
}

/// A guess of the gender.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gender {
    /// The guess.
    pub value: Sex,
    /// 0 to 1; `None` where the source does not say.
    #[serde(default, deserialize_with = "maybe_f32")]
    pub confidence: Option<f32>,
}

/// A guess of the age.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Age {
    /// Years.
    #[serde(deserialize_with = "any_f32")]
    pub years: f32,
    /// By how many years several looks at the face differed, as their standard deviation; `None` where the source
    /// does not say.
    #[serde(default, deserialize_with = "maybe_f32", skip_serializing_if = "Option::is_none")]
    pub spread: Option<f32>,
}

/// Scores from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beauty {
    /// In the eyes of men.
    #[serde(deserialize_with = "any_f32")]
    pub male_score: f32,
    /// In the eyes of women.
    #[serde(deserialize_with = "any_f32")]
    pub female_score: f32,
}

/// Looks that differ by less say the same.
const SURE: f32 = 1.5;

impl Age {
    /// Of which nothing else is known.
    pub fn of(years: f32) -> Self {
        Self { years, spread: None }
    }

    /// For a person: `33`, or `27–39` where the guess is unsure.
    pub fn text(&self) -> String {
        match self.spread.filter(|spread| *spread >= SURE) {
            Some(spread) => {
                let from = (self.years - 2.0 * spread).max(0.0);
                format!("{from:.0}–{:.0}", self.years + 2.0 * spread)
            }
            None => format!("{:.0}", self.years),
        }
    }
}

/// Faces that are believed of one answer.
const MOST: usize = 4096;

impl Face {
    /// Faces as a peer told them, within a picture of this size: nothing lies outside of it, and
    /// every number is one. A face without an area is none. They come from left to right, as people
    /// would count them.
    pub fn checked(faces: Vec<Self>, picture: (u32, u32)) -> Vec<Self> {
        let faces = faces.into_iter().take(MOST).filter_map(|face| face.within(picture));
        let mut faces: Vec<Self> = faces.collect();
        faces.sort_by(|a, b| {
            let place = |face: &Self| (face.frame.x, face.frame.y);
            let ((x, y), (other_x, other_y)) = (place(a), place(b));
            x.total_cmp(&other_x).then(y.total_cmp(&other_y))
        });
        faces
    }

    /// One of them, or `None`.
    pub(super) fn within(mut self, picture: (u32, u32)) -> Option<Self> {
        let FaceBox { x, y, width, height } = self.frame;
        let all = [x, y, width, height];
        self.frame = FaceBox::within(x.into(), y.into(), width.into(), height.into(), picture);
        if !all.iter().all(|number| number.is_finite())
            || self.frame.width <= 0.0
            || self.frame.height <= 0.0
        {
            return None;
        }
        let part = |sure: &f32| (0.0..=1.0).contains(sure);
        let score = |score: f32| (0.0..=100.0).contains(&score);
        self.landmarks.retain(|_, point| point.x.is_finite() && point.y.is_finite());
        self.confidence = self.confidence.filter(part);
        if let Some(gender) = &mut self.gender {
            gender.confidence = gender.confidence.filter(part);
        }
        let years = |years: &f32| (0.0..=150.0).contains(years);
        self.age = self.age.filter(|age| years(&age.years));
        if let Some(age) = &mut self.age {
            age.spread = age.spread.filter(years);
        }
        self.beauty = self.beauty.filter(|b| score(b.male_score) && score(b.female_score));
        Some(self)
    }
}

impl FaceBox {
    /// The part of a rectangle that lies in a picture of this size. Nothing of it is negative or
    /// outside, whatever the numbers were.
    pub fn within(x: f64, y: f64, width: f64, height: f64, picture: (u32, u32)) -> Self {
        let side = |start: f64, length: f64, all: u32| {
            let start = if start.is_nan() { 0.0 } else { start };
            let inside = |at: f64| at.clamp(0.0, f64::from(all));
            let (from, to) = (inside(start), inside(start + length.max(0.0)));
            (from as f32, (to - from) as f32)
        };
        let (x, width) = side(x, width, picture.0);
        let (y, height) = side(y, height, picture.1);
        Self { x, y, width, height }
    }
}

/// JSON values in CBOR. The encoder writes the null of `serde_json` as an empty array, so it is
/// told to write a missing value instead, which is CBOR's null.
fn with_nulls<S: Serializer>(
    attributes: &BTreeMap<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct Plain<'a>(&'a Value);
    impl Serialize for Plain<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Value::Null => serializer.serialize_none(),
                Value::Array(list) => serializer.collect_seq(list.iter().map(Plain)),
                Value::Object(map) => {
                    serializer.collect_map(map.iter().map(|(k, v)| (k, Plain(v))))
                }
                other => other.serialize(serializer),
            }
        }
    }
    serializer.collect_map(attributes.iter().map(|(name, value)| (name, Plain(value))))
}

/// Takes null, or any CBOR number.
fn maybe_f32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    #[derive(Deserialize)]
    struct Number(#[serde(deserialize_with = "any_f32")] f32);
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| number.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{decode, encode};

    #[test]
    fn a_face_is_the_same_in_cbor_and_json() {
        let text = r#"{"box":{"x":1.0,"y":2.5,"width":3.0,"height":4.0},
            "landmarks":{"nose_tip":{"x":2.0,"y":3.0}},"confidence":null,
            "gender":{"value":"female","confidence":0.5},"age":{"years":23.0},
            "beauty":{"male_score":50.0,"female_score":51.0},
            "attributes":{"smile":{"threshold":50,"value":0.5},"glass":"None","odd":[null,-1,true]}}"#;
        let face: Face = serde_json::from_str(text).unwrap();
        let again: Face = decode(&encode(&face).unwrap()).unwrap();
        assert_eq!(again, face);
        let json: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&face).unwrap(), json);
    }

    #[test]
    fn what_a_source_does_not_tell_may_be_left_out() {
        let face: Face =
            serde_json::from_str(r#"{"box":{"x":0,"y":0,"width":7,"height":8}}"#).unwrap();
        assert_eq!(face.frame, FaceBox { x: 0.0, y: 0.0, width: 7.0, height: 8.0 });
        assert_eq!((face.gender, face.confidence, face.attributes.len()), (None, None, 0));
    }

    #[test]
    fn a_peer_may_say_anything() {
        let face = |x, y, width, height| Face {
            frame: FaceBox { x, y, width, height },
            landmarks: [("nose".to_owned(), Point { x: f32::NAN, y: 1.0 })].into(),
            confidence: Some(f32::INFINITY),
            gender: Some(Gender { value: Sex::Male, confidence: Some(-1.0) }),
            age: Some(Age::of(1e30)),
            beauty: Some(Beauty { male_score: f32::NAN, female_score: 1.0 }),
            attributes: BTreeMap::new(),
        };
        let nan = f32::NAN;
        let bad = [
            face(nan, 0.0, 1.0, 1.0),
            face(0.0, 0.0, f32::INFINITY, 1.0),
            face(200.0, 0.0, 5.0, 5.0),
            face(5.0, 5.0, -3.0, 2.0),
        ];
        assert_eq!(Face::checked(bad.to_vec(), (100, 50)), []);
        let found = Face::checked(vec![face(-1e15, 0.0, 2e15, 1.0)], (100, 50));
        assert_eq!(found[0].frame, FaceBox { x: 0.0, y: 0.0, width: 100.0, height: 1.0 });
        assert!(found[0].landmarks.is_empty() && found[0].age.is_none());
        assert_eq!((found[0].confidence, found[0].beauty), (None, None));
        assert_eq!(found[0].gender.map(|g| (g.value, g.confidence)), Some((Sex::Male, None)));
        let many = vec![face(0.0, 0.0, 1.0, 1.0); MOST + 1];
        assert_eq!(Face::checked(many, (100, 50)).len(), MOST);
    }

    #[test]
    fn ages_that_are_unsure_are_a_range() {
        let text = |years, spread| Age { years, spread }.text();
        assert_eq!(text(33.4, None), "33");
        assert_eq!(text(33.4, Some(0.8)), "33");
        assert_eq!(text(33.0, Some(3.0)), "27–39");
        assert_eq!(text(2.0, Some(2.0)), "0–6");
    }

    #[test]
    fn faces_are_counted_from_left_to_right() {
        let text = r#"[{"box":{"x":50,"y":0,"width":7,"height":8}},
            {"box":{"x":5,"y":9,"width":7,"height":8}},{"box":{"x":5,"y":1,"width":7,"height":8}}]"#;
        let faces = Face::checked(serde_json::from_str(text).unwrap(), (100, 50));
        let places: Vec<_> = faces.iter().map(|face| (face.frame.x, face.frame.y)).collect();
        assert_eq!(places, [(5.0, 1.0), (5.0, 9.0), (50.0, 0.0)]);
    }

    #[test]
    fn rectangles_end_at_the_picture() {
        let inside = |x, y, w, h| {
            let b = FaceBox::within(x, y, w, h, (100, 50));
            (b.x, b.y, b.width, b.height)
        };
        assert_eq!(inside(10.0, 20.0, 30.0, 20.0), (10.0, 20.0, 30.0, 20.0));
        assert_eq!(inside(-5.0, -5.0, 10.0, 10.0), (0.0, 0.0, 5.0, 5.0));
        assert_eq!(inside(90.0, 40.0, 30.0, 30.0), (90.0, 40.0, 10.0, 10.0));
        assert_eq!(inside(1e300, f64::NAN, -1.0, 1e300), (100.0, 0.0, 0.0, 50.0));
    }
}
