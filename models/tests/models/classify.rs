//! Labels on real pictures, against another implementation and against what people see.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use potluck_models::{
    Catalogue, Classifier, DEFAULT_MODEL, Engine, Label, Picture, decode, samples,
};

use crate::{any_of, engines, shared};

fn default_on(engine: &Engine) -> Classifier {
    Classifier::load(engine, &Catalogue::open(None).unwrap(), DEFAULT_MODEL).unwrap()
}

fn top(classifier: &Classifier, bytes: &[u8], count: usize) -> Vec<Label> {
    let prepared = classifier.prepare(&decode(bytes).unwrap()).unwrap();
    classifier.classify(&[prepared], count).unwrap().remove(0)
}

#[test]
fn samples_are_recognised() {
    for engine in engines() {
        let classifier = default_on(&engine);
        for sample in samples() {
            let labels = top(&classifier, sample.bytes, 5);
            assert!(any_of(&labels, sample.expect), "{}: {labels:?}", sample.name);
        }
    }
}

/// Against Python's onnxruntime and Pillow; `golden/make.py` made the numbers. The two resize in different
/// steps and decode JPEG differently, so near is enough.
#[test]
fn probabilities_are_those_of_python() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/probabilities.json");
    let golden: BTreeMap<String, Vec<(usize, f32)>> =
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(golden.len(), samples().len());
    for engine in engines() {
        let classifier = default_on(&engine);
        let mut furthest = 0f32;
        for sample in samples() {
            let labels = top(&classifier, sample.bytes, 1000);
            for (index, probability) in &golden[sample.name] {
                let ours = labels.iter().find(|label| label.index == *index).unwrap();
                furthest = furthest.max((ours.probability - probability).abs());
                assert!(
                    (ours.probability - probability).abs() < 0.08,
                    "{} on {}: {ours:?}, Python says {probability}",
                    sample.name,
                    engine.info().engine
                );
            }
        }
        println!("{}: at most {furthest} from Python", engine.info().engine);
    }
}

#[test]
fn both_engines_agree() {
    let engines = engines();
    let [tract, onnxruntime] = engines.as_slice() else {
        return;
    };
    let (one, two) = (default_on(tract), default_on(onnxruntime));
    for sample in samples() {
        let (one, two) = (top(&one, sample.bytes, 5), top(&two, sample.bytes, 5));
        for (a, b) in one.iter().zip(&two) {
            assert_eq!(a.index, b.index, "{}", sample.name);
            assert!((a.probability - b.probability).abs() < 1e-3, "{a:?} {b:?}");
        }
    }
}

#[test]
fn probabilities_sum_to_one_and_are_sorted() {
    let engine = &engines()[0];
    let classifier = default_on(engine);
    let labels = top(&classifier, samples()[1].bytes, usize::MAX);
    assert_eq!(labels.len(), classifier.classes());
    let sum: f32 = labels.iter().map(|label| label.probability).sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    assert!(labels.is_sorted_by(|a, b| a.probability >= b.probability));
    assert!(top(&classifier, samples()[1].bytes, 0).is_empty());
    assert!(classifier.classify(&[], 5).unwrap().is_empty());
}

#[test]
fn odd_shapes_are_prepared() {
    let classifier = default_on(&engines()[0]);
    for (width, height) in [(1, 1), (1, 5000), (5000, 1), (3, 2), (223, 225), (7, 100_000)] {
        let picture =
            Picture::from_rgb(width, height, vec![128; (width * height * 3) as usize]).unwrap();
        let prepared = classifier.prepare(&picture).unwrap();
        assert_eq!(classifier.classify(&[prepared], 1).unwrap()[0].len(), 1, "{width} x {height}");
    }
    assert!(Picture::from_rgb(2, 2, vec![0; 11]).is_none());
    assert!(Picture::from_rgb(0, 2, vec![]).is_none());
}

/// The labelled pictures beside the project: at least 13 of the 14 must have an expected name among the five best.
#[test]
fn labelled_pictures_are_recognised() {
    let Some(table) = shared("data/images/classify.csv") else {
        return;
    };
    for engine in engines() {
        let (right, all) = accuracy(&default_on(&engine), &table);
        println!("{}: {right} of {all}", engine.info().engine);
        assert!(all >= 14 && right + 1 >= all, "{right} of {all}");
    }
}

/// The network of the original project, with the Model Zoo's inputs and outputs.
#[test]
fn googlenet_is_a_supported_model() {
    let (Some(table), Some(weights)) =
        (shared("data/images/classify.csv"), shared("weights/bvlc-googlenet.fp32.onnx"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(Some(folder.path())).unwrap();
    let engines = engines();
    let info = catalogue.add(&engines[0], "googlenet", &weights, None, None).unwrap();
    assert_eq!((info.name.as_str(), info.default), ("googlenet", false));
    assert_eq!(info.bytes, fs::metadata(&weights).unwrap().len());
    for engine in &engines {
        let classifier = Classifier::load(engine, &catalogue, "googlenet").unwrap();
        let (right, all) = accuracy(&classifier, &table);
        println!("googlenet on {}: {right} of {all}", engine.info().engine);
        assert!(right * 10 >= all * 8, "{right} of {all}");
    }
}

fn accuracy(classifier: &Classifier, table: &std::path::Path) -> (usize, usize) {
    let folder = table.parent().unwrap();
    let text = fs::read_to_string(table).unwrap();
    let (mut right, mut all) = (0, 0);
    for line in text.lines().skip(1) {
        let mut columns = line.split(',');
        let (file, expected) = (columns.next().unwrap(), columns.next().unwrap());
        let labels = top(classifier, &fs::read(folder.join(file)).unwrap(), 5);
        let words: Vec<&str> = expected.split(';').collect();
        all += 1;
        if any_of(&labels, &words) {
            right += 1;
        } else {
            println!("{file}: expected {expected}, got {labels:?}");
        }
    }
    (right, all)
}
