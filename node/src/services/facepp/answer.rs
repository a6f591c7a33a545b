//! Reads what Face++ answers. Its documentation and its answers differ in places, so everything
//! but the rectangles may be missing, and a number may be an integer, a float or text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{FaceppError, picture::Prepared};
use crate::{
    protocol::shorten,
    services::face::{Age, Beauty, Face, FaceBox, Gender, Point, Sex},
};

/// Most faces of an answer.
const MAX_FACES: usize = 1000;
/// Most faces with landmarks and attributes; free keys get 5.
const MAX_DETAILED: usize = 20;
/// Most landmarks of a face; Face++ has 106.
const MAX_LANDMARKS: usize = 128;
/// Most values in the attributes of a face, at all depths together.
const MAX_VALUES: usize = 128;
/// Longest name or text in them, in bytes.
const MAX_TEXT: usize = 64;
/// Deepest nesting of them.
const MAX_DEPTH: usize = 5;

/// The faces of an answer.
#[derive(Debug)]
pub(super) struct Found {
    /// In the pixels of the original picture; what lies outside of it is left out.
    pub faces: Vec<Face>,
    /// How many of them have attributes.
    pub attributed: u32,
}

/// Reads the faces of an answer.
pub(super) fn read(answer: &Value, picture: &Prepared) -> Result<Found, FaceppError> {
    let list = answer.get("faces").and_then(Value::as_array);
    let list = list.ok_or_else(|| nonsense("there is no list of faces in it"))?;
    if list.len() > MAX_FACES {
        return Err(nonsense("it has too many faces"));
    }
    let mut found = Found { faces: Vec::with_capacity(list.len()), attributed: 0 };
    for (n, value) in list.iter().enumerate() {
        let detailed = n < MAX_DETAILED;
        let Some(face) = one(value, detailed, picture)?.within(picture.original) else { continue };
        let described = detailed && value.get("attributes").is_some_and(Value::is_object);
        found.attributed += u32::from(described);
        found.faces.push(face);
    }
    Ok(found)
}

fn one(face: &Value, detailed: bool, picture: &Prepared) -> Result<Face, FaceppError> {
    let (across, down) = picture.scale();
    let rectangle = face.get("face_rectangle").unwrap_or(&Value::Null);
    let side = |name: &str| rectangle.get(name).and_then(number);
    let (Some(x), Some(y), Some(width), Some(height)) =
        (side("left"), side("top"), side("width"), side("height"))
    else {
        return Err(nonsense("a face has no place"));
    };
    let (x, width, y, height) = (x * across, width * across, y * down, height * down);
    let mut read = Face {
        frame: FaceBox::within(x, y, width, height, picture.original),
        landmarks: BTreeMap::new(),
        confidence: None,
        gender: None,
        age: None,
        beauty: None,
        attributes: BTreeMap::new(),
    };
    if detailed {
        if let Some(points) = face.get("landmark").and_then(Value::as_object) {
            read.landmarks = landmarks(points, picture);
        }
        if let Some(attributes) = face.get("attributes").and_then(Value::as_object) {
            describe(&mut read, attributes);
        }
    }
    Ok(read)
}

fn landmarks(points: &Map<String, Value>, picture: &Prepared) -> BTreeMap<String, Point> {
    let (across, down) = picture.scale();
    let (width, height) = picture.original;
    let inside = |at: f64, all: u32| at.clamp(0.0, f64::from(all)) as f32;
    let placed = points.iter().filter_map(|(name, point)| {
        let (x, y) = (number(point.get("x")?)?, number(point.get("y")?)?);
        let point = Point { x: inside(x * across, width), y: inside(y * down, height) };
        Some((shorten(name, MAX_TEXT), point))
    });
    placed.take(MAX_LANDMARKS).collect()
}

/// Takes out what every source of faces tells; the rest stays under the names of Face++.
fn describe(face: &mut Face, attributes: &Map<String, Value>) {
    let mut left = MAX_VALUES;
    for (name, value) in attributes {
        let value = simple(value);
        match name.as_str() {
            "gender" => face.gender = gender(value),
            "age" => face.age = number(value).map(|years| Age::of(years as f32)),
            "beauty" => face.beauty = beauty(value),
            _ => {}
        }
        let understood = match name.as_str() {
            "gender" => face.gender.is_some(),
            "age" => face.age.is_some(),
            "beauty" => face.beauty.is_some(),
            _ => false,
        };
        if !understood && let Some(value) = bounded(value, MAX_DEPTH, &mut left) {
            face.attributes.insert(shorten(name, MAX_TEXT), value);
        }
    }
}

fn gender(value: &Value) -> Option<Gender> {
    let value = match value.as_str()?.to_ascii_lowercase().as_str() {
        "male" => Sex::Male,
        "female" => Sex::Female,
        _ => return None,
    };
    Some(Gender { value, confidence: None })
}

fn beauty(value: &Value) -> Option<Beauty> {
    let score = |name| value.get(name).and_then(number).map(|score| score as f32);
    Some(Beauty { male_score: score("male_score")?, female_score: score("female_score")? })
}

/// `{"value": x}` is `x`: some answers wrap single values, some do not.
fn simple(value: &Value) -> &Value {
    match value.as_object() {
        Some(object) if object.len() == 1 => object.get("value").unwrap_or(value),
        _ => value,
    }
}

/// A number in any of its spellings, finite.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    // Beyond this nothing is a pixel, a year or a score, and `f32` would make it infinite.
    (number.is_finite() && number.abs() <= 1e9).then_some(number)
}

/// A copy without what is too deep, too long or too much.
fn bounded(value: &Value, depth: usize, left: &mut usize) -> Option<Value> {
    if depth == 0 || *left == 0 {
        return None;
    }
    *left -= 1;
    Some(match value {
        Value::String(text) => Value::String(shorten(text, MAX_TEXT)),
        Value::Array(list) => {
            list.iter().map_while(|value| bounded(value, depth - 1, left)).collect()
        }
        Value::Object(map) => {
            let kept = map.iter().filter_map(|(name, value)| {
                let value = bounded(simple(value), depth - 1, left)?;
                Some((shorten(name, MAX_TEXT), value))
            });
            Value::Object(kept.collect())
        }
        plain => plain.clone(),
    })
}

fn nonsense(what: &str) -> FaceppError {
    FaceppError::Nonsense(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn picture(size: (u32, u32), original: (u32, u32)) -> Prepared {
        Prepared { bytes: vec![], mime: "image/jpeg", size, original }
    }

    fn alone(face: Value) -> Result<Vec<Face>, FaceppError> {
        let answer = json!({ "faces": [face] });
        read(&answer, &picture((100, 100), (200, 400))).map(|found| found.faces)
    }

    fn place() -> Value {
        json!({"left": 10, "top": 20.5, "width": "30", "height": 40})
    }

    #[test]
    fn places_are_mapped_back() {
        let face = &alone(json!({
            "face_rectangle": place(),
            "landmark": {"nose_tip": {"x": 25, "y": 30.5}, "broken": {"x": 1}, "far": {"x": 1e8, "y": -3}},
        }))
        .unwrap()[0];
        assert_eq!(face.frame, FaceBox { x: 20.0, y: 82.0, width: 60.0, height: 160.0 });
        let points: Vec<_> = face.landmarks.iter().map(|(n, p)| (n.as_str(), p.x, p.y)).collect();
        assert_eq!(points, [("far", 200.0, 0.0), ("nose_tip", 50.0, 122.0)]);
    }

    #[test]
    fn both_spellings_of_attributes_are_read() {
        let described = |attributes: Value| {
            let face = json!({"face_rectangle": place(), "attributes": attributes});
            alone(face).unwrap().remove(0)
        };
        let beauty = json!({"male_score": 50, "female_score": 61.5});
        for (gender, age) in
            [(json!({"value": "Female"}), json!({"value": 23})), (json!("Female"), json!("23"))]
        {
            let face = described(json!({"gender": gender, "age": age, "beauty": beauty}));
            assert_eq!(face.gender, Some(Gender { value: Sex::Female, confidence: None }));
            assert_eq!(face.age, Some(Age::of(23.0)));
            assert_eq!(face.beauty, Some(Beauty { male_score: 50.0, female_score: 61.5 }));
            assert!(face.attributes.is_empty());
        }
        let odd = described(json!({
            "gender": {"value": "None"}, "age": {"value": null}, "beauty": {"male_score": 1},
            "glass": {"value": "None"}, "ethnicity": {"value": "ASIAN"},
            "eyegaze": {"left_eye_gaze": {"position_x_coordinate": 0.5}},
            "blur": {"motionblur": {"value": 0.1, "threshold": 50}},
        }));
        assert_eq!((odd.gender, odd.age, odd.beauty), (None, None, None));
        assert_eq!(odd.attributes["gender"], json!("None"));
        assert_eq!(odd.attributes["glass"], json!("None"));
        assert_eq!(odd.attributes["ethnicity"], json!("ASIAN"));
        assert_eq!(odd.attributes["blur"]["motionblur"], json!({"value": 0.1, "threshold": 50}));
    }

    #[test]
    fn what_is_no_answer_is_said_so() {
        let any = picture((100, 100), (100, 100));
        for bad in [json!(null), json!([]), json!({}), json!({"faces": null}), json!({"faces": 7})]
        {
            assert!(matches!(read(&bad, &any), Err(FaceppError::Nonsense(_))), "{bad}");
        }
        for bad in [
            json!(null),
            json!(7),
            json!({}),
            json!({"face_rectangle": []}),
            json!({"face_rectangle": {"left": 1, "top": 1, "width": 1}}),
            json!({"face_rectangle": {"left": 1, "top": 1, "width": 1, "height": 1e300}}),
            json!({"face_rectangle": {"left": "NaN", "top": 1, "width": 1, "height": 1}}),
        ] {
            assert!(matches!(alone(bad.clone()), Err(FaceppError::Nonsense(_))), "{bad}");
        }
        let crowd = json!({"faces": vec![json!({"face_rectangle": place()}); MAX_FACES + 1]});
        assert!(read(&crowd, &any).is_err());
    }

    #[test]
    fn what_lies_outside_is_left_out_and_not_counted() {
        let far = json!({"left": 500, "top": 20, "width": 30, "height": 40});
        let described = |at| json!({"face_rectangle": at, "attributes": {}});
        let answer = json!({"faces": [
            described(far), described(place()), {"face_rectangle": place()},
        ]});
        let found = read(&answer, &picture((100, 100), (100, 100))).unwrap();
        assert_eq!((found.faces.len(), found.attributed), (2, 1));
    }

    #[test]
    fn the_largest_answer_travels() {
        let long = "x".repeat(1000);
        let points: Map<String, Value> =
            (0..500).map(|n| (format!("{n}{long}"), json!({"x": 1.5, "y": 2.5}))).collect();
        let attributes: Map<String, Value> = (0..500)
            .map(|n| (format!("{n}{long}"), json!({"a": [long, {"b": {"c": {"d": long}}}]})))
            .collect();
        let face = json!({"face_rectangle": place(), "landmark": points, "attributes": attributes});
        let crowd = json!({"faces": vec![face; MAX_FACES]});
        let found = read(&crowd, &picture((100, 100), (100, 100))).unwrap();
        assert_eq!(found.attributed, MAX_DETAILED as u32);
        let size = crate::protocol::encode(&found.faces).unwrap().len();
        assert!(size < crate::protocol::MAX_RESPONSE * 9 / 10, "{size} bytes");
    }
}
