//! The loops in Python that pictures are compared with, waiting for their turns.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// A script of `tests/bench` that says hello and then runs a loop for each line that it reads.
pub(super) struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it says of itself.
    pub(super) hello: Value,
}

impl Python {
    /// Starts a script with two paths.
    pub(super) fn start(python: &Path, script: &str, paths: [&PathBuf; 2]) -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(python)
            .arg(here.join("bench").join(script))
            .args(paths)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", python.display()))?;
        let input = child.stdin.take().context("stdin is piped")?;
        let output = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut python = Self { child, input, output, hello: Value::Null };
        python.hello = python.line().context(
            "the Python loop does not start: --python must name one with the packages that --help names",
        )?;
        Ok(python)
    }

    /// Pictures a second in a loop of that name.
    pub(super) fn rate(&mut self, how: &str, time: Duration) -> anyhow::Result<f64> {
        writeln!(self.input, "{how} {}", time.as_secs())?;
        self.input.flush()?;
        self.line()?["pictures_per_s"].as_f64().context("a rate")
    }

    fn line(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// The ONNX Runtime library of a Python.
pub(super) fn library(python: &Path) -> anyhow::Result<String> {
    const ASK: &str = "import glob, os, onnxruntime as o
print(sorted(glob.glob(os.path.join(os.path.dirname(o.__file__), 'capi', '*onnxruntime.*')))[0])";
    let asked = Command::new(python).args(["-c", ASK]).output();
    let asked = asked.with_context(|| format!("{} cannot be started", python.display()))?;
    ensure!(asked.status.success(), "--python must name one with onnxruntime");
    Ok(String::from_utf8(asked.stdout)?.trim().to_owned())
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
