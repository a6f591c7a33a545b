//! What a node costs that nobody asks anything: memory, and traffic in a mesh of 51.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::{Measured, Target, max, median, rounded};
use crate::{
    lan::Lan,
    process::{Process, Up},
};

/// Nodes in the mesh: one, and 50 neighbours.
const NODES: usize = 51;
/// Before the traffic is counted.
const SETTLE: Duration = Duration::from_secs(60);

/// Measures the memory of one node, and over `window` the traffic of 51.
pub fn run(window: Duration) -> anyhow::Result<Vec<Measured>> {
    let mut numbers = vec![memory()?];
    numbers.extend(traffic(window)?);
    Ok(numbers)
}

fn idle(up: Up) -> Up {
    up.args(["--offer", "chat"])
}

fn memory() -> anyhow::Result<Measured> {
    let node = idle(Up::on_loopback("idle")).start()?;
    std::thread::sleep(Duration::from_secs(10));
    let most = Target::AtMost(60.0);
    Ok(Measured::new("resident memory, no model loaded", resident(&node)?, "MB", most, json!({})))
}

/// Resident memory in MB.
fn resident(node: &Process) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}

fn traffic(window: Duration) -> anyhow::Result<Vec<Measured>> {
    let _room = NeighbourTable::enlarge();
    let lan = Lan::new(NODES)?;
    let mut nodes = Vec::new();
    for host in 0..NODES {
        nodes.push(idle(Up::in_namespace(&format!("n{host}"), lan.host(host))).start()?);
    }
    let until = Instant::now() + Duration::from_secs(300);
    for node in &nodes {
        while node.peers()?.len() < NODES - 1 {
            ensure!(Instant::now() < until, "{} sees {:?}", node.id(), node.peers()?);
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    std::thread::sleep(SETTLE);
    let count = || (0..NODES).map(|host| lan.traffic(host)).collect::<anyhow::Result<Vec<_>>>();
    let (started, before) = (Instant::now(), count()?);
    std::thread::sleep(window);
    let (after, seconds) = (count()?, started.elapsed().as_secs_f64());
    let rate = |of: fn(&(u64, u64)) -> u64| {
        let pairs = before.iter().zip(&after);
        pairs.map(|(b, a)| (of(a) - of(b)) as f64 / seconds / 1000.0).collect::<Vec<_>>()
    };
    let (rx, tx, both) = (rate(|t| t.0), rate(|t| t.1), rate(|t| t.0 + t.1));
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    let memory = nodes.iter().map(resident).collect::<anyhow::Result<Vec<_>>>()?;
    let still = nodes.iter().map(|n| Ok(n.peers()?.len())).collect::<anyhow::Result<Vec<_>>>()?;
    let detail = json!({
        "nodes": NODES,
        "seconds": rounded(seconds),
        "received_mean": rounded(mean(&rx)),
        "sent_mean": rounded(mean(&tx)),
        "both_max": rounded(max(&both)),
        "peers_seen_min": still.iter().min(),
    });
    Ok(vec![
        Measured::new(
            "idle traffic of a node with 50 neighbours, both ways, mean",
            mean(&both),
            "kB/s",
            Target::AtMost(2.0),
            detail,
        ),
        Measured::plain(
            "resident memory of a node with 50 neighbours, median",
            median(&memory),
            "MB",
            json!({ "max": rounded(max(&memory)) }),
        ),
    ])
}

/// The kernel keeps one ARP table for all namespaces, and 51 hosts with 50 neighbours each overflow
/// its usual 1,024 entries: packets are dropped, and nothing is idle any more. Enlarged while the
/// bench runs, put back afterwards.
struct NeighbourTable(Vec<(String, String)>);

impl NeighbourTable {
    fn enlarge() -> Self {
        let mut before = Vec::new();
        for (name, entries) in
            [("gc_thresh3", "32768"), ("gc_thresh2", "16384"), ("gc_thresh1", "8192")]
        {
            let path = format!("/proc/sys/net/ipv4/neigh/default/{name}");
            if let Ok(old) = std::fs::read_to_string(&path)
                && std::fs::write(&path, entries).is_ok()
            {
                before.push((path, old));
            }
        }
        Self(before)
    }
}

impl Drop for NeighbourTable {
    fn drop(&mut self) {
        for (path, old) in self.0.iter().rev() {
            let _ = std::fs::write(path, old);
        }
    }
}
