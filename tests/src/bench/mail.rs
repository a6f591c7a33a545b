//! Letters a second through a keeper while the recipient is off, from the first that is sent until a keeper has signed
//! for the last, beside brokers with messages of the same size. The keeper is a process of its own; the senders are
//! nodes in this one. Whoever acknowledges here has the letter on its disk.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use futures::future::try_join_all;
use potluck::network::now_ms;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    Measured, call,
    jetstream::Server,
    letters, mosquitto, program,
    publish::{Load, SIZE},
    rounded,
};
use crate::process::Process;

/// Letters of one sender that a keeper keeps.
const MOST: usize = 5_000;

/// What to send, and where it is to lie.
pub struct Options {
    /// Letters of all senders together.
    pub messages: usize,
    /// How many send at once, where it is not one.
    pub senders: usize,
    /// Turns that count.
    pub turns: usize,
    /// The folder below which everything is stored, brokers included.
    pub folder: PathBuf,
}

/// Messages a second of that load, stored in that folder.
type Rate = dyn Fn(&Path, Load) -> anyhow::Result<f64>;

/// What letters are compared with.
struct Peer {
    name: &'static str,
    rate: Box<Rate>,
}

/// Measures all sides in turns, with one sender and with many. All of them start anew for each turn: keepers and brokers
/// get slower with what they hold.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    ensure!(options.senders > 0 && options.turns > 0, "there is nothing to measure");
    let peers = peers()?;
    let runtime = call::runtime()?;
    let mut numbers = Vec::new();
    let mut widths = vec![1, options.senders];
    widths.dedup();
    for senders in widths {
        let load = Load { senders, each: options.messages / senders };
        ensure!(
            (1..=MOST).contains(&load.each),
            "each sender sends 1 to {MOST} letters, because a keeper keeps no more"
        );
        numbers.extend(beside(options, &runtime, &peers, load)?);
    }
    Ok(numbers)
}

/// Those that are installed.
fn peers() -> anyhow::Result<Vec<Peer>> {
    let mut peers = Vec::new();
    if let Some(program) = program::find("mosquitto", "mosquitto") {
        let rate = move |folder: &Path, load: Load| mosquitto::rate(&program, folder, load);
        peers.push(Peer { name: "mosquitto that saves on every change", rate: Box::new(rate) });
    }
    if let Some(server) = Server::find()? {
        let name = match server.syncs {
            true => "JetStream that syncs always",
            false => "a JetStream that cannot sync",
        };
        let rate = move |folder: &Path, load: Load| server.rate(folder, load);
        peers.push(Peer { name, rate: Box::new(rate) });
    }
    Ok(peers)
}

fn beside(
    options: &Options,
    runtime: &Runtime,
    peers: &[Peer],
    load: Load,
) -> anyhow::Result<Vec<Measured>> {
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); peers.len()];
    for _ in 0..options.turns {
        ours.push(our_rate(options, runtime, load)?);
        for (peer, rates) in peers.iter().zip(&mut theirs) {
            let folder = tempfile::tempdir_in(&options.folder)?;
            rates.push((peer.rate)(folder.path(), load)?);
        }
    }
    let who = match load.senders {
        1 => "1 sender".to_owned(),
        many => format!("{many} senders"),
    };
    let sum = |rates: &[f64]| rates.iter().sum::<f64>();
    let round = |rates: &[f64]| rates.iter().map(|rate| rounded(*rate)).collect::<Vec<_>>();
    let detail = json!({
        "our_letters_per_s": round(&ours),
        "letters_a_turn": load.all(),
        "bytes_each": SIZE,
    });
    let mean = sum(&ours) / ours.len() as f64;
    let mut numbers =
        vec![Measured::plain(&format!("letters held by a keeper, {who}"), mean, "/s", detail)];
    for (peer, rates) in peers.iter().zip(&theirs) {
        let what = format!("the same against {}", peer.name);
        let detail = json!({ "their_messages_per_s": round(rates) });
        numbers.push(Measured::plain(&what, sum(&ours) / sum(rates), "ratio", detail));
    }
    Ok(numbers)
}

fn our_rate(options: &Options, runtime: &Runtime, load: Load) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    let keeper = letters::keeper(folder.path())?;
    let milliseconds = runtime.block_on(ours(folder.path(), &keeper, load))?;
    Ok(load.all() as f64 * 1000.0 / milliseconds as f64)
}

/// Milliseconds from the first letter until the keeper has signed for the last.
async fn ours(folder: &Path, keeper: &Process, load: Load) -> anyhow::Result<u64> {
    let bob = letters::node("bob", folder, keeper).await;
    let mut senders = Vec::new();
    for n in 0..load.senders {
        senders.push(letters::node(&format!("sender{n}"), folder, keeper).await);
    }
    let clients: Vec<_> = senders.iter().map(|node| node.client()).collect();
    let to = bob.client().id();
    for client in &clients {
        letters::met(client, to).await?;
    }
    bob.stop().await;
    for client in &clients {
        letters::left(client, to, keeper).await?;
    }
    let started = now_ms();
    let sending = clients.iter().map(|client| letters::held(client, to, load.each));
    let last = try_join_all(sending).await?.into_iter().max().unwrap_or_default();
    for sender in senders {
        sender.stop().await;
    }
    Ok(last.saturating_sub(started).max(1))
}
