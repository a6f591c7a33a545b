//! Tests of the package from outside, on both engines where both are there.

#[path = "models/batch.rs"]
mod batch;
#[path = "models/catalogue.rs"]
mod catalogue;
#[path = "models/classify.rs"]
mod classify;
#[path = "models/detect.rs"]
mod detect;
#[path = "models/engine.rs"]
mod engine;
#[path = "models/faces.rs"]
mod faces;
#[path = "models/install.rs"]
mod install;
#[path = "models/ocr.rs"]
mod ocr;
#[path = "models/picture.rs"]
mod picture;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use potluck_models::{Engine, EngineChoice, EngineConfig, Label, Picture, decode};

/// tract, and ONNX Runtime where it is installed; says so where it is not.
fn engines() -> Vec<Engine> {
    let mut engines = vec![start(EngineChoice::Tract).expect("tract is compiled in")];
    match start(EngineChoice::OnnxRuntime) {
        Ok(engine) => engines.push(engine),
        Err(error) => skipped(&format!("on ONNX Runtime: {error}")),
    }
    engines
}

/// Says what is not tested. Standard error itself, because the harness keeps what a test prints.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}");
}

fn start(choice: EngineChoice) -> Result<Engine, potluck_models::EngineError> {
    Engine::start(&EngineConfig { choice, ..EngineConfig::default() })
}

/// A file of the folder `shared` beside the project, or beside a folder that it lies in; says so where there is none.
fn shared(path: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    let found = above.map(|folder| folder.join("shared").join(path)).find(|file| file.exists());
    if found.is_none() {
        skipped(&format!("no shared/{path} beside the project"));
    }
    found
}

/// A file of `tests/golden`.
fn golden(path: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    std::fs::read(format!("{folder}/{path}")).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A picture of noise, always the same for a seed.
fn noise(width: u32, height: u32, mut seed: u32) -> Picture {
    let picture = image::RgbImage::from_fn(width, height, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    });
    decode(&png(&picture)).unwrap()
}

/// A picture of one colour.
fn plain_png(width: u32, height: u32) -> Vec<u8> {
    png(&image::RgbImage::from_pixel(width, height, image::Rgb([180, 176, 170])))
}

fn png(picture: &image::RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Whether one of the words stands in a label; a label is a list of names with commas.
fn any_of(labels: &[Label], words: &[&str]) -> bool {
    labels.iter().flat_map(|label| label.label.split(", ")).any(|name| words.contains(&name))
}
