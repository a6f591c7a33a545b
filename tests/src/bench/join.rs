//! How long many nodes that join one at once need until all know all. All of them are in this process and talk over
//! the memory transport, so the number is one of processor time.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::join_all;
use potluck::Node;
use serde_json::json;

use super::{Measured, call, max, median, rounded};
use crate::mesh::Setup;

/// When this is given up.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Starts one node, then all others at once.
pub fn run(count: usize) -> anyhow::Result<Vec<Measured>> {
    ensure!(count >= 2, "two nodes are the least that can join");
    call::runtime()?.block_on(join(count))
}

async fn join(count: usize) -> anyhow::Result<Vec<Measured>> {
    let first = Setup::new("first").start().await;
    let started = Instant::now();
    let starting = (1..count).map(|n| Setup::new(&format!("n{n}")).joining(&first).start());
    let mut nodes = join_all(starting).await;
    nodes.push(first);
    let serving = started.elapsed().as_secs_f64();
    let mut complete: Vec<Option<f64>> = vec![None; nodes.len()];
    while complete.contains(&None) {
        for (node, when) in nodes.iter().zip(&mut complete) {
            if when.is_none() && known(node) == count - 1 {
                *when = Some(started.elapsed().as_secs_f64());
            }
        }
        let fewest = nodes.iter().map(known).min().unwrap_or(0);
        ensure!(
            started.elapsed() < PATIENCE,
            "after {PATIENCE:?} a node knows only {fewest} of {} others",
            count - 1
        );
        tokio::time::sleep(LOOK).await;
    }
    let times: Vec<f64> = complete.into_iter().flatten().collect();
    let links: Vec<f64> = nodes.iter().map(connections).collect();
    let detail = json!({
        "nodes": count,
        "all_serve_s": rounded(serving),
        "median_s": rounded(median(&times)),
        "connections_median": median(&links),
        "connections_max": max(&links),
    });
    let what = format!("{count} nodes join one: until all know all");
    Ok(vec![Measured::plain(&what, max(&times), "s", detail)])
}

/// How many others a node is connected to.
fn connections(node: &Node) -> f64 {
    node.client().snapshot().peers.values().filter(|peer| peer.connected).count() as f64
}

/// How many others a node knows.
fn known(node: &Node) -> usize {
    node.client().snapshot().peers.len()
}
