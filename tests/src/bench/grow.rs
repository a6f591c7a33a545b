//! The memory of a node with ONNX Runtime after many pictures, against after a few.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{Measured, Target, python};
use crate::process::{Process, Up};

/// Pictures after which the memory is looked at.
const FEW: usize = 20;
const MANY: usize = 500;
/// Pictures of one command.
const AT_ONCE: usize = 20;

/// Where to find the library and pictures.
pub struct Options {
    /// A Python that has onnxruntime, whose library is used.
    pub python: PathBuf,
    /// A folder of JPEGs with faces.
    pub pictures: PathBuf,
}

/// Asks a node for labels and faces of pictures of many sizes, several at a time.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let library = python::library(&options.python)?;
    let node = Up::on_loopback("grows").args(["--offer", "recognize", "--offer", "faces"]);
    let node = node.env("ORT_DYLIB_PATH", &library).start()?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/samples");
    let mut things = pictures(&samples)?;
    let people = pictures(&options.pictures)?;
    things.extend(people.iter().cloned());
    let mut few = 0.0;
    for done in (0..MANY).step_by(AT_ONCE) {
        for (name, from) in [("recognize", &things), ("faces", &people)] {
            let some: Vec<&str> =
                (done..done + AT_ONCE).map(|n| from[n % from.len()].as_str()).collect();
            let answer = node.json([&[name][..], &some].concat())?;
            let all = answer.as_array().map(Vec::as_slice).unwrap_or_default();
            let answered = all.len() == some.len() && all.iter().all(|one| one["error"].is_null());
            ensure!(answered, "{answer}");
            let other = |one: &Value| {
                one["engine"].as_str().is_some_and(|engine| !engine.starts_with("onnxruntime"))
            };
            ensure!(!all.iter().any(other), "another engine: {answer}");
        }
        if done + AT_ONCE == FEW {
            few = resident(&node)?;
        }
    }
    let many = resident(&node)?;
    let detail = json!({
        "after_20_mb": few, "after_500_mb": many, "pictures": [things.len(), people.len()],
    });
    let what = "memory after 500 pictures for labels and 500 for faces, against after 20";
    Ok(vec![Measured::new(what, many / few, "ratio", Target::AtMost(1.3), detail)])
}

fn pictures(folder: &Path) -> anyhow::Result<Vec<String>> {
    let files = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut files: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "jpg")).collect();
    files.sort();
    ensure!(!files.is_empty(), "there is no .jpg in {}", folder.display());
    Ok(files.iter().map(|path| path.display().to_string()).collect())
}

/// In MB.
fn resident(node: &Process) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok((kilobytes / 1024.0).round())
}
