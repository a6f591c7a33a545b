//! Faces on real pictures, against YuNet. How a face is cut and what the networks say of it is compared with
//! Python in `src/faces/attributes.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use potluck_models::{
    Area, Catalogue, Classifier, DEFAULT_FACES, DEFAULT_MODEL, Engine, Face, FaceFinder,
    ModelError, Picture, Sex, decode, face_sample,
};
use serde::Deserialize;

use crate::{engines, shared};

/// A file with pictures and the faces that another program found in them.
type Golden = BTreeMap<String, Found>;

#[derive(Deserialize)]
struct Found {
    faces: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    score: f32,
    /// `M` or `F` and a probability.
    gender: String,
    age: f32,
}

fn finder(engine: &Engine) -> FaceFinder {
    FaceFinder::load(engine, &Catalogue::open(None).unwrap(), DEFAULT_FACES).unwrap()
}

fn read(file: &Path) -> Picture {
    decode(&fs::read(file).unwrap()).unwrap()
}

fn golden(file: &Path) -> Golden {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn overlap(face: &Face, other: &Expected) -> f32 {
    let Expected { x, y, width, height, .. } = *other;
    face.area.overlap(&Area { x, y, width, height })
}

fn best<'a>(faces: &'a [Face], expected: &Expected) -> Option<&'a Face> {
    let sure = |face: &&Face| overlap(face, expected) >= 0.4;
    faces.iter().filter(sure).max_by(|a, b| overlap(a, expected).total_cmp(&overlap(b, expected)))
}

fn is_male(face: &Face) -> bool {
    face.gender.value == Sex::Male
}

/// What a detector makes of the pictures beside the project: every face that YuNet finds at 0.8 and no other, in
/// boxes that overlap by so much in the mean, the same genders, ages that are near.
fn compare_with_yunet(finder: &FaceFinder, table: &Path, overlaps: f32) {
    let (mut errors, mut shared, mut count) = (0.0, 0.0, 0);
    for (name, found) in golden(table) {
        let faces = finder.find(&read(&table.parent().unwrap().join(&name))).unwrap();
        let wanted: Vec<_> = found.faces.iter().filter(|face| face.score >= 0.8).collect();
        assert_eq!(faces.len(), wanted.len(), "{name}: {faces:?}");
        for expected in wanted {
            let face = best(&faces, expected).unwrap_or_else(|| panic!("{name}: {faces:?}"));
            assert_eq!(is_male(face), expected.gender.starts_with('M'), "{name}: {face:?}");
            errors += (face.age - expected.age).abs();
            shared += overlap(face, expected);
            count += 1;
        }
    }
    let (mean, shared) = (errors / count as f32, shared / count as f32);
    let told = format!(
        "{} on {}: {count} faces, boxes overlap {shared:.3}, ages {mean:.3} years off",
        finder.name(),
        finder.engine().engine
    );
    println!("{told}");
    assert!(count >= 19 && shared >= overlaps && mean < 3.0, "{told}");
}

#[test]
fn every_face_that_yunet_finds_is_found() {
    let Some(table) = shared("data/images/yunet.json") else {
        return;
    };
    for engine in engines() {
        compare_with_yunet(&finder(&engine), &table, 0.8);
    }
}

#[test]
fn yunet_is_a_supported_detector() {
    let (Some(table), Some(weights)) =
        (shared("data/images/yunet.json"), shared("weights/yunet_n_dynamic.onnx"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(Some(folder.path())).unwrap();
    let engines = engines();
    // By its name, and under another name by its outputs.
    for name in ["yunet", "mine"] {
        let info = catalogue.add(&engines[0], name, &weights, None, None).unwrap();
        assert_eq!((info.name.as_str(), info.default), (name, false));
    }
    let names: Vec<String> = catalogue.list_faces().into_iter().map(|info| info.name).collect();
    assert_eq!(names, [DEFAULT_FACES, "mine", "yunet"]);
    assert_eq!(catalogue.list().len(), 1, "a detector gives no labels");
    for engine in &engines {
        let mine = FaceFinder::load(engine, &catalogue, "mine").unwrap();
        compare_with_yunet(&mine, &table, 0.9);
    }
    let error = Classifier::load(&engines[0], &catalogue, "yunet").unwrap_err();
    assert!(matches!(error, ModelError::WrongTask { .. }), "{error:?}");
}

#[test]
fn names_of_detectors_are_checked() {
    let engine = &engines()[0];
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(Some(folder.path())).unwrap();
    let load = |name| FaceFinder::load(engine, &catalogue, name).unwrap_err();
    assert!(matches!(load(DEFAULT_MODEL), ModelError::WrongTask { .. }));
    assert!(load("other").to_string().contains(DEFAULT_FACES), "{}", load("other"));
    let sample = folder.path().join("face.onnx");
    fs::write(&sample, face_sample().bytes).unwrap();
    let error = catalogue.add(engine, DEFAULT_FACES, &sample, None, None).unwrap_err();
    assert!(matches!(error, ModelError::Taken { .. }), "{error:?}");
    // The known one is known by its hash; another one of its kind comes with a manifest.
    let error = catalogue.add(engine, "yunet", &sample, None, None).unwrap_err();
    assert!(matches!(error, ModelError::OtherFile { .. }), "{error:?}");
    let manifest = folder.path().join("m.toml");
    let toml = "name = 'm'\ntask = 'faces'\ndetector = 'yunet'\n[input]\nsize = 640\n";
    fs::write(&manifest, toml).unwrap();
    let error = catalogue.add(engine, "mine", &sample, Some(&manifest), None).unwrap_err();
    assert!(matches!(error, ModelError::NotOnnx { .. }), "{error:?}");
    let error = catalogue.add(engine, "face", &sample, None, None).unwrap_err();
    assert!(matches!(error, ModelError::NeedsManifest { .. }), "{error:?}");
    // A classifier's graph under the detector's name.
    let tiny = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny/nhwc.onnx");
    let error = catalogue.add(engine, "yunet", &tiny, None, None).unwrap_err();
    assert!(matches!(error, ModelError::OtherFile { .. }), "{error:?}");
    let error = catalogue.add(engine, "mine", &tiny, Some(&manifest), None).unwrap_err();
    assert!(matches!(error, ModelError::WrongShape { .. }), "{error:?}");
    assert!(catalogue.list_faces().len() == 1);
}
