//! Text on pictures: what OpenCV and Python's onnxruntime read with the same weights is read here, on both engines.

use std::collections::BTreeMap;

use potluck_models::{MAX_LINES, Picture, READABLE, TextLine, TextReader, decode, text_sample};
use serde::Deserialize;

use crate::{engines, golden, noise};

/// `tests/golden/text/lines.json`.
#[derive(Debug, Deserialize)]
struct Expected {
    text: String,
    confidence: f32,
    corners: [[f32; 2]; 4],
}

fn picture(name: &str) -> Picture {
    match name {
        "notice.jpg" => decode(text_sample().bytes),
        other => decode(&golden(&format!("text/{other}"))),
    }
    .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(reader: &TextReader, picture: &Picture) -> Vec<TextLine> {
    reader.read(picture, READABLE, &|| false).unwrap()
}

/// Shared area over the area of both, of four-cornered shapes: counted on a fine grid.
fn overlap(one: &[[f32; 2]; 4], two: &[[f32; 2]; 4]) -> f32 {
    let inside = |shape: &[[f32; 2]; 4], x: f32, y: f32| {
        (0..4).all(|index| {
            let ([ax, ay], [bx, by]) = (shape[index], shape[(index + 1) % 4]);
            (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0.0
        })
    };
    let all = || one.iter().chain(two);
    let least = |axis: usize| all().map(|at| at[axis]).fold(f32::MAX, f32::min);
    let most = |axis: usize| all().map(|at| at[axis]).fold(f32::MIN, f32::max);
    let (mut both, mut either) = (0u32, 0u32);
    for row in 0..400 {
        for column in 0..400 {
            let at = |axis: usize, step: u32| {
                least(axis) + (most(axis) - least(axis)) * (step as f32 + 0.5) / 400.0
            };
            let (x, y) = (at(0, column), at(1, row));
            let (first, second) = (inside(one, x, y), inside(two, x, y));
            both += u32::from(first && second);
            either += u32::from(first || second);
        }
    }
    both as f32 / either.max(1) as f32
}

#[test]
fn what_python_reads_is_read() {
    let expected: BTreeMap<String, Vec<Expected>> =
        serde_json::from_slice(&golden("text/lines.json")).unwrap();
    assert!(expected["wall.png"].is_empty());
    for engine in engines() {
        let reader = TextReader::load(&engine).unwrap();
        for (name, lines) in &expected {
            let found = read(&reader, &picture(name));
            let texts: Vec<&str> = found.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(found.len(), lines.len(), "{name}: {texts:?}");
            for want in lines {
                let Some(line) = found.iter().find(|line| line.text == want.text) else {
                    panic!("{name}: {:?} is not among {texts:?}", want.text);
                };
                let corners = line.corners.map(|at| [at.x, at.y]);
                let shared = overlap(&corners, &want.corners);
                assert!(shared >= 0.9, "{name}: {shared} {line:?} {want:?}");
                let off = (line.confidence - want.confidence).abs();
                assert!(off <= 0.02, "{name}: {off} {line:?} {want:?}");
            }
        }
    }
}

/// In the order in which a person reads, whichever way up the page lies.
#[test]
fn lines_come_in_reading_order() {
    let reader = TextReader::load(engines().last().unwrap()).unwrap();
    let texts = |name: &str| {
        let lines = read(&reader, &picture(name));
        lines.into_iter().map(|line| line.text).collect::<Vec<_>>()
    };
    let columns = texts("columns.png");
    assert!(columns[0].starts_with("Notes"), "{columns:?}");
    assert!(columns[1].starts_with("The mesh") && columns[6].starts_with("that peer"));
    assert!(columns[7].starts_with("网络没有中心") && columns[12].starts_with("不在线"));
    let screen = texts("screen.png");
    assert_eq!(screen[1..5], ["Language", "简体中文", "Listen on", "127.0.0.1:4001"]);
    for turned in ["turned90.png", "turned180.png", "turned270.png"] {
        let lines = texts(turned);
        assert_eq!(lines[..2], ["This side up", "此面朝上"], "{turned}");
        assert!(lines[2].starts_with("Handle with care"), "{turned}");
    }
}

/// Whatever it is: an answer, within the picture.
#[test]
fn odd_pictures_are_looked_at() {
    let reader = TextReader::load(engines().last().unwrap()).unwrap();
    for (seed, (width, height)) in
        [(1, 1), (1, 3000), (5000, 3), (40, 30), (500, 333)].into_iter().enumerate()
    {
        let lines = read(&reader, &noise(width, height, seed as u32 + 1));
        assert!(lines.len() <= MAX_LINES);
        for at in lines.iter().flat_map(|line| line.corners) {
            assert!((0.0..=width as f32).contains(&at.x) && (0.0..=height as f32).contains(&at.y));
        }
    }
}

/// A caller who went away does not have a page read.
#[test]
fn it_stops_when_nobody_waits() {
    let reader = TextReader::load(engines().last().unwrap()).unwrap();
    let asked = std::cell::Cell::new(0);
    let give_up = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    let lines = reader.read(&picture("columns.png"), READABLE, &give_up).unwrap();
    assert!(lines.len() <= 2 && asked.get() == 3, "{}", lines.len());
}
