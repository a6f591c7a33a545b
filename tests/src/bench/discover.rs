//! How soon nodes in network namespaces see each other by mDNS, and how soon a dead one is gone.
//!
//! Each node is a process that runs the library and writes what it sees, with the time, as JSON
//! lines ([`observe`]), so nothing is polled.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail};
use potluck::{Node, NodeOptions, config::Config, identity::Identity, network::TransportKind};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Measured, Target, max, median};
use crate::{lan::Lan, process};

const PATIENCE: Duration = Duration::from_secs(60);
const CAPABILITY: &str = "chat/1";

/// What an observer sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Sight {
    /// It serves.
    Ready,
    /// A peer is there with its capability.
    Seen(String),
    /// A peer is gone.
    Gone(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    id: String,
    /// Unix time in ms.
    at: f64,
    sight: Sight,
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
}

/// Runs a node with mDNS and writes what it sees until it is killed. Only for namespaces.
pub async fn observe(name: String) -> anyhow::Result<()> {
    let mut config = Config { name, ..Config::default() };
    config.services.offer = Some(vec![CAPABILITY.to_owned()]);
    let node = Node::start(NodeOptions {
        config,
        identity: Identity::generate(),
        data_dir: None,
        mail: None,
        mesh: None,
        transport: TransportKind::Real,
        registry: None,
        passing: false,
    })
    .await?;
    node.ready().await;
    let id = node.client().id().to_string();
    let say = |sight: Sight| -> anyhow::Result<()> {
        let line = serde_json::to_string(&Line { id: id.clone(), at: now(), sight })?;
        writeln!(std::io::stdout().lock(), "{line}")?;
        Ok(())
    };
    say(Sight::Ready)?;
    let mut watch = node.client().watch();
    let mut known = BTreeMap::new();
    loop {
        let snapshot = watch.borrow_and_update().clone();
        for (peer, view) in &snapshot.peers {
            let offers = view.advert.offer(CAPABILITY).is_some();
            if offers && known.insert(*peer, ()).is_none() {
                say(Sight::Seen(peer.to_string()))?;
            }
        }
        let gone: Vec<_> =
            known.keys().filter(|p| !snapshot.peers.contains_key(p)).copied().collect();
        for peer in gone {
            known.remove(&peer);
            say(Sight::Gone(peer.to_string()))?;
        }
        watch.changed().await?;
    }
}

/// A process that observes.
struct Observer {
    child: Child,
    lines: mpsc::Receiver<Line>,
    id: String,
    ready_at: f64,
}

impl Observer {
    fn start(lan: &Lan, host: usize, name: &str) -> anyhow::Result<Self> {
        let mut child = Command::new("ip")
            .args(["netns", "exec", lan.host(host)])
            .arg(std::env::current_exe()?)
            .args(["observe", "--name", name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("stdout is piped")?;
        let (sender, lines) = mpsc::sync_channel(1024);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let _ = sender.send(line);
                }
            }
        });
        let mut observer = Self { child, lines, id: String::new(), ready_at: 0.0 };
        let first = observer.lines.recv_timeout(PATIENCE).context("the observer does not start")?;
        (observer.id, observer.ready_at) = (first.id, first.at);
        Ok(observer)
    }

    /// When it saw that.
    fn at(&self, sight: &Sight) -> anyhow::Result<f64> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.with_context(|| format!("{} never said {sight:?}", self.id))?;
            if line.sight == *sight {
                return Ok(line.at);
            }
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts and strikes a second node `rounds` times.
pub fn run(rounds: usize) -> anyhow::Result<Vec<Measured>> {
    let lan = Lan::new(2)?;
    let first = Observer::start(&lan, 0, "first")?;
    let (mut by_first, mut by_second, mut killed, mut stopped) = (vec![], vec![], vec![], vec![]);
    for round in 0..rounds {
        let second = Observer::start(&lan, 1, "second")?;
        let sees_first = second.at(&Sight::Seen(first.id.clone()))?;
        let seen_by_first = first.at(&Sight::Seen(second.id.clone()))?;
        by_first.push((seen_by_first - second.ready_at).max(0.0));
        by_second.push((sees_first - second.ready_at).max(0.0));
        // A mesh that has settled: pulses run.
        std::thread::sleep(Duration::from_secs(3));
        let signal = if round % 2 == 0 { "KILL" } else { "STOP" };
        let struck = now();
        process::signal(second.child.id(), signal)?;
        let gone = first.at(&Sight::Gone(second.id.clone()))? - struck;
        if round % 2 == 0 {
            killed.push(gone)
        } else {
            stopped.push(gone)
        }
        drop(second);
    }
    if killed.is_empty() || stopped.is_empty() {
        bail!("at least two rounds are needed");
    }
    let number = |what: &str, values: &[f64], most: f64| {
        let detail =
            json!({ "median_ms": median(values), "max_ms": max(values), "times": values.len() });
        Measured::new(what, max(values), "ms", Target::AtMost(most), detail)
    };
    Ok(vec![
        number("second ready -> seen by the first with capabilities, max", &by_first, 500.0),
        number("second ready -> it sees the first with capabilities, max", &by_second, 500.0),
        number("kill -9 -> gone from the directory, max", &killed, 1000.0),
        number("SIGSTOP -> gone from the directory, max", &stopped, 5000.0),
    ])
}
