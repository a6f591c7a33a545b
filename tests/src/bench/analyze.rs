//! A report of the generated 100 MB table, against the scripts of the peers in Python.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::json;

use super::{Measured, Target, max, median, rounded};
use crate::process::{self, Up};

/// What to compare with.
pub struct Options {
    /// A Python with pandas, seaborn, matplotlib, wordcloud and polars.
    pub python: PathBuf,
    /// The folder of `gen_csv.py`, `peer_pandas.py` and `peer_polars.py`.
    pub peers: PathBuf,
    /// The table; generated when it is missing.
    pub table: PathBuf,
    /// Turns that count.
    pub turns: usize,
}

/// Measures the command in a process of its own beside both scripts, then two running nodes.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let script = |name: &str| options.peers.join(name);
    generate(options, &[])?;
    let out = tempfile::tempdir()?;
    let (mut ours, mut pandas, mut polars) = (vec![], vec![], vec![]);
    for _ in 0..options.turns {
        ours.push(timed(own(&options.table, out.path()))?);
        let mut peer = Command::new(&options.python);
        peer.arg(script("peer_polars.py")).arg(&options.table).arg("streaming");
        polars.push(timed(peer)?);
        let mut peer = Command::new(&options.python);
        peer.arg(script("peer_pandas.py")).arg(&options.table).arg(out.path().join("pandas"));
        pandas.push(timed(peer)?);
    }
    let seconds = |all: &[Used]| median(&all.iter().map(|used| used.seconds).collect::<Vec<_>>());
    let memory = max(&ours.iter().map(|used| used.megabytes).collect::<Vec<_>>());
    let (our, their, streaming) = (seconds(&ours), seconds(&pandas), seconds(&polars));
    let detail = json!({
        "our_seconds": rounded(our),
        "pandas_seconds": rounded(their),
        "polars_streaming_seconds": rounded(streaming),
    });
    let mut numbers = vec![
        Measured::new(
            "a report of 100 MB against pandas, seaborn and wordcloud",
            our / their,
            "ratio",
            Target::AtMost(0.1),
            detail.clone(),
        ),
        Measured::new(
            "the same against polars streaming, which draws nothing",
            our / streaming,
            "ratio",
            Target::AtMost(1.0),
            detail,
        ),
        Measured::new(
            "the most resident memory of it",
            memory,
            "MB",
            Target::AtMost(500.0),
            json!({}),
        ),
    ];
    numbers.push(neighbour(options, out.path(), our)?);
    Ok(numbers)
}

/// Rows of a table of 1 GB.
const LARGE: &str = "10000000";

/// The most resident memory of the command with a node of its own, on a table of 1 GB and with the
/// default settings.
pub fn large(options: &Options) -> anyhow::Result<Vec<Measured>> {
    generate(options, &[LARGE])?;
    let out = tempfile::tempdir()?;
    let used = timed(own(&options.table, out.path()))?;
    let detail = json!({
        "bytes": options.table.metadata()?.len(),
        "seconds": rounded(used.seconds),
    });
    let what = "resident memory of a report of 1 GB";
    Ok(vec![Measured::new(what, used.megabytes, "MB", Target::AtMost(700.0), detail)])
}

/// Makes the table where it is missing.
fn generate(options: &Options, rows: &[&str]) -> anyhow::Result<()> {
    if options.table.exists() {
        return Ok(());
    }
    let mut generate = Command::new(&options.python);
    generate.arg(options.peers.join("gen_csv.py")).arg(&options.table).args(rows);
    ensure!(generate.status()?.success(), "the table could not be generated");
    Ok(())
}

/// The command with a node of its own.
fn own(table: &Path, out: &Path) -> Command {
    let mut command = process::command(None, ["analyze", "--json", "--no-mdns"]);
    command.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir"]).arg(out.join("data"));
    command.arg("-o").arg(out.join("report")).arg(table);
    command
}

/// What a command took.
struct Used {
    seconds: f64,
    megabytes: f64,
}

fn timed(mut command: Command) -> anyhow::Result<Used> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut kib = 0.0f64;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The peak so far; it only grows.
        let text = std::fs::read_to_string(&status_file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let peak = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        kib = peak.unwrap_or(kib);
        std::thread::sleep(Duration::from_millis(5));
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        let mut text = String::new();
        if let Some(mut err) = child.stderr.take() {
            std::io::Read::read_to_string(&mut err, &mut text)?;
        }
        anyhow::bail!("{command:?} failed: {text}");
    }
    Ok(Used { seconds, megabytes: kib * 1024.0 / 1e6 })
}

/// Through a neighbour node, against the command with a node of its own, which took `alone`
/// seconds; also told is what the neighbour takes when its own person asks.
fn neighbour(options: &Options, out: &Path, alone: f64) -> anyhow::Result<Measured> {
    let server = Up::on_loopback("server").args(["--offer", "analyze"]).start()?;
    let asker =
        Up::on_loopback("asker").args(["--offer", "chat", "--join", server.address()]).start()?;
    asker.wait_for_peers(&["server"])?;
    let (mut home, mut away) = (vec![], vec![]);
    for turn in 0..=options.turns {
        for (node, times) in [(&server, &mut home), (&asker, &mut away)] {
            let mut command = node.command(["analyze", "--json"]);
            command.arg("-o").arg(out.join("report")).arg(&options.table);
            let used = timed(command)?;
            // The first turn warms up.
            if turn > 0 {
                times.push(used.seconds);
            }
        }
    }
    let (home, away) = (median(&home), median(&away));
    let detail = json!({
        "alone_seconds": rounded(alone),
        "through_neighbour_seconds": rounded(away),
        "at_the_neighbour_itself_seconds": rounded(home),
        "ratio_to_the_neighbour_itself": rounded(away / home),
    });
    let what = "through a neighbour against the command alone";
    Ok(Measured::new(what, away / alone, "ratio", Target::AtMost(1.15), detail))
}
