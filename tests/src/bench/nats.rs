//! Chat round trips beside NATS request-reply (plain TCP there, encrypted here), in turns. Needs `nats-server` and
//! the folder of a small Cargo project `nats-peer`: `serve` answers, `ask` prints `N in flight: RATE a second`.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use super::{
    Measured, Target, call,
    program::{self, Running},
    rounded,
};

/// Where `nats-peer` looks for the server.
const SERVER: &str = "127.0.0.1:4222";

/// Measures both sides in turns.
pub fn run(peers: &Path, turns: usize) -> anyhow::Result<Vec<Measured>> {
    let program = build(peers)?;
    ensure!(TcpStream::connect(SERVER).is_err(), "something listens at {SERVER} already");
    let mut server = Command::new("nats-server");
    server.args(["-a", "127.0.0.1", "-p", "4222"]);
    let _server =
        Running::start(&mut server, "nats-server is missing: apt-get install nats-server")?;
    drop(program::connect(SERVER.parse()?)?);
    let _answers = Running::start(Command::new(&program).arg("serve"), "nats-peer")?;
    let ours = call::Ours::start()?;
    let widths = [("serial", 1), ("32 in flight", call::IN_FLIGHT)];
    let mut rates: Vec<(Vec<f64>, Vec<f64>)> = vec![(vec![], vec![]); widths.len()];
    // The first turns warm up and do not count.
    for turn in 0..=turns {
        let theirs = ask(&program)?;
        for ((_, width), (our, their)) in widths.iter().zip(&mut rates) {
            let rate = ours.rate(*width)?;
            if turn > 0 {
                our.push(rate);
                their.push(of(&theirs, *width)?);
            }
        }
    }
    let numbers = widths.iter().zip(rates).map(|((name, _), (our, their))| {
        let ratio = our.iter().sum::<f64>() / their.iter().sum::<f64>();
        let round = |rates: &[f64]| rates.iter().map(|rate| rounded(*rate)).collect::<Vec<_>>();
        let detail =
            json!({ "our_calls_per_s": round(&our), "nats_requests_per_s": round(&their) });
        let what = format!("chat round trips against NATS request-reply, {name}");
        Measured::new(&what, ratio, "ratio", Target::AtLeast(1.0), detail)
    });
    Ok(numbers.collect())
}

/// Builds the peer outside of its folder, which may not be ours to write to.
fn build(peers: &Path) -> anyhow::Result<PathBuf> {
    let target = std::env::temp_dir().join("potluck-nats-peer");
    let source = target.join("source");
    std::fs::create_dir_all(source.join("src"))?;
    for file in ["Cargo.toml", "src/main.rs"] {
        let from = peers.join(file);
        std::fs::copy(&from, source.join(file)).with_context(|| {
            format!("{} is missing: name the folder by --peers", from.display())
        })?;
    }
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(["build", "--release", "--quiet"]).current_dir(&source);
    let status = cargo.env("CARGO_TARGET_DIR", &target).status()?;
    ensure!(status.success(), "nats-peer cannot be built");
    Ok(target.join("release").join("nats-peer"))
}

/// What `nats-peer ask` prints.
fn ask(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("ask").stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "nats-peer failed: {output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn of(printed: &str, width: usize) -> anyhow::Result<f64> {
    let begins = format!("{width} in flight: ");
    let line = printed.lines().find_map(|line| line.strip_prefix(&begins));
    let Some(number) = line.and_then(|line| line.split_whitespace().next()) else {
        bail!("nats-peer says nothing of {width} in flight: {printed}");
    };
    number.parse().with_context(|| format!("not a rate: {number}"))
}
