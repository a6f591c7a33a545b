//! Things on pictures: what Python's onnxruntime finds with the same weights is found here, on both engines.

use std::collections::BTreeMap;

use potluck_models::{
    CONFIDENT, KINDS, MAX_THINGS, Picture, Thing, ThingFinder, decode, face_sample, samples,
    things_sample,
};
use serde::Deserialize;

use crate::{engines, golden, noise, shared};

/// `tests/golden/things/things.json`.
#[derive(Debug, Deserialize)]
struct Expected {
    name: String,
    confidence: f32,
    /// Left, top, right, bottom.
    r#box: [f32; 4],
}

fn expected() -> BTreeMap<String, Vec<Expected>> {
    serde_json::from_slice(&golden("things/things.json")).unwrap()
}

fn overlap(thing: &Thing, other: &[f32; 4]) -> f32 {
    let (right, bottom) = (thing.x + thing.width, thing.y + thing.height);
    let width = right.min(other[2]) - thing.x.max(other[0]);
    let height = bottom.min(other[3]) - thing.y.max(other[1]);
    let shared = width.max(0.0) * height.max(0.0);
    let areas = thing.width * thing.height + (other[2] - other[0]) * (other[3] - other[1]);
    shared / (areas - shared)
}

/// Things that are nearly as sure as they must be may be found on one side only: decoders of JPEG differ.
const EDGE: f32 = 0.02;

fn compare(name: &str, found: &[Thing], expected: &[Expected]) {
    for want in expected {
        let same = |thing: &&Thing| thing.name == want.name && overlap(thing, &want.r#box) >= 0.9;
        match found.iter().find(same) {
            Some(thing) => {
                let off = (thing.confidence - want.confidence).abs();
                assert!(off <= 0.02, "{name}: {thing:?} {want:?}");
            }
            None => assert!(want.confidence < CONFIDENT + EDGE, "{name}: {want:?} in {found:?}"),
        }
    }
    for thing in found.iter().filter(|thing| thing.confidence >= CONFIDENT + EDGE) {
        let same = |want: &Expected| thing.name == want.name && overlap(thing, &want.r#box) >= 0.9;
        assert!(expected.iter().any(same), "{name}: {thing:?} in {expected:?}");
    }
}

#[test]
fn what_python_finds_is_found() {
    let mut expected = expected();
    let mut pictures: Vec<(String, Vec<u8>)> =
        samples().iter().map(|sample| (sample.name.into(), sample.bytes.to_vec())).collect();
    pictures.push(("astronaut.jpg".into(), face_sample().bytes.to_vec()));
    if let Some(folder) = shared("data/images") {
        for name in expected.keys().filter(|name| name.contains('/')) {
            pictures.push((name.clone(), std::fs::read(folder.join(name)).unwrap()));
        }
    }
    for engine in engines() {
        let finder = ThingFinder::load(&engine).unwrap();
        for (name, bytes) in &pictures {
            let found = finder.find(&decode(bytes).unwrap(), CONFIDENT).unwrap();
            compare(name, &found, &expected[name]);
        }
    }
    let known = expected.values_mut().flatten().all(|it| KINDS.iter().any(|k| k.0 == it.name));
    assert!(known);
}

#[test]
fn both_engines_find_the_same() {
    let found: Vec<Vec<Thing>> = engines()
        .iter()
        .map(|engine| {
            let finder = ThingFinder::load(engine).unwrap();
            finder.find(&decode(things_sample().bytes).unwrap(), CONFIDENT).unwrap()
        })
        .collect();
    for other in &found[1..] {
        assert_eq!(found[0].len(), other.len());
        for (one, two) in found[0].iter().zip(other) {
            assert_eq!(one.name, two.name);
            assert!((one.confidence - two.confidence).abs() < 0.001, "{one:?} {two:?}");
        }
    }
}

/// Pictures of one pixel, of strange shapes, of noise: an answer within the picture, and never many.
#[test]
fn odd_pictures_are_looked_at() {
    let finder = ThingFinder::load(&engines()[0]).unwrap();
    for (seed, (width, height)) in
        [(1, 1), (1, 900), (4000, 2), (64, 48), (600, 601)].into_iter().enumerate()
    {
        let picture = noise(width, height, seed as u32 + 1);
        let found = finder.find(&picture, 0.05).unwrap();
        assert!(found.len() <= MAX_THINGS);
        for thing in &found {
            assert!(thing.x >= 0.0 && thing.x + thing.width <= width as f32 + 0.01, "{thing:?}");
            assert!(thing.y >= 0.0 && thing.y + thing.height <= height as f32 + 0.01, "{thing:?}");
            assert!(thing.width > 0.0 && thing.height > 0.0);
        }
    }
    let blank: Picture = decode(&crate::plain_png(300, 200)).unwrap();
    assert!(finder.find(&blank, CONFIDENT).unwrap().is_empty());
}
