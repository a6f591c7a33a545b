//! Commands from nothing: from the start of the process to its end, no node running, against Python with the same
//! picture.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::{Measured, Target, max, median, rounded};
use crate::process::{command, run as run_command};

/// The bundled engine needs nothing installed.
const BUNDLED: &str = "[recognize]\nengine = \"tract\"\n";

/// Where to find what is compared with.
pub struct Options {
    /// A Python that has onnxruntime, Pillow and numpy.
    pub python: PathBuf,
    /// Runs of each command that count.
    pub turns: usize,
}

/// Measures the commands and Python in turns. The first run of each is counted apart: it finds out what the others
/// read in the data folder.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let thing = models.join("samples/cat.jpg");
    let person = models.join("samples/faces/astronaut.jpg");
    let data = tempfile::tempdir()?;
    std::fs::write(data.path().join("config.toml"), BUNDLED)?;
    let ours = |name: &str, picture: &Path| -> anyhow::Result<f64> {
        let mut command = command(None, [name, "--json", "--no-mdns"]);
        command.args(["--listen", "/ip4/127.0.0.1/tcp/0"]).arg("--data-dir").arg(data.path());
        command.arg(picture);
        let started = Instant::now();
        let ran = run_command(command)?;
        let took = millis(started);
        ensure!(ran.code == Some(0), "{name}: {ran:?}");
        let engine = ran.json()[0]["engine"].as_str().map(str::to_owned);
        ensure!(engine.is_none_or(|engine| engine.starts_with("tract")), "{name}: {ran:?}");
        Ok(took)
    };
    let python = |arguments: &[&Path]| -> anyhow::Result<f64> {
        let mut command = Command::new(&options.python);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let started = Instant::now();
        let status = command.status().context("--python cannot be started")?;
        ensure!(status.success(), "--python must name one with the packages that --help names");
        Ok(millis(started))
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/cold.py");
    let model = models.join("weights/efficientnet-lite0.onnx");
    let import = [Path::new("-c"), Path::new("import onnxruntime")];
    let whole = [script.as_path(), model.as_path(), thing.as_path()];
    let (mut recognize, mut faces, mut imported, mut recognised) = (vec![], vec![], vec![], vec![]);
    for _ in 0..=options.turns {
        recognize.push(ours("recognize", &thing)?);
        faces.push(ours("faces", &person)?);
        imported.push(python(&import)?);
        recognised.push(python(&whole)?);
    }
    let detail = |times: &[f64]| {
        let after: Vec<f64> = times[1..].iter().map(|time| rounded(*time)).collect();
        json!({ "first_ms": rounded(times[0]), "max_ms": rounded(max(&after)), "ms": after })
    };
    let middle = |times: &[f64]| median(&times[1..]);
    let number = |what: &str, times: &[f64], most: f64| {
        Measured::new(what, middle(times), "ms", Target::AtMost(most), detail(times))
    };
    let plain =
        |what: &str, times: &[f64]| Measured::plain(what, middle(times), "ms", detail(times));
    Ok(vec![
        number("recognize of one picture, bundled engine, median", &recognize, 250.0),
        number("faces of one picture, bundled engine, median", &faces, 350.0),
        plain("python -c \"import onnxruntime\"", &imported),
        plain("Python to the labels of the same picture", &recognised),
    ])
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
