//! What a node suffers from a line whose caller takes no answers: the most memory that it has, and the rate of an
//! honest caller beside it. The node is a process of its own; flooder and honest caller have a runtime each.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use potluck::{
    Client,
    protocol::{self, Ask, CallRequest},
    services::chat,
};
use serde_json::json;
use tokio::{runtime::Runtime, time::timeout};

use super::{Measured, Target, call, rounded};
use crate::{
    bare::{Bare, Line, framed},
    mesh::{self, Setup},
    process::{Process, Up},
};

/// Long enough that an answer weighs something, as in a line of chat.
const TEXT: &str = "xyzzy plugh 42: nothing that a rule knows, about as long as a line of chat";
/// Calls that are written at once.
const WRITTEN: u64 = 64;
/// For so long the node may take nothing before the flooder is content, or opens another line.
const STUCK: Duration = Duration::from_secs(2);
/// The same for the flooder beside an honest caller, which loses no time.
const FULL: Duration = Duration::from_millis(100);
/// How often the other flooder takes some answers.
const BATCHES: Duration = Duration::from_secs(15);
/// How many.
const BATCH: usize = 1000;
/// The most memory that a flooder may make a node have, in MB: an idle one has 60.
const MOST_MB: f64 = 200.0;
/// The part of its rate alone that an honest caller keeps.
const KEPT: f64 = 0.5;

/// How to flood.
pub struct Options {
    /// Calls that the flooder sends if it can.
    pub calls: u64,
    /// How long the flooder that takes batches goes on.
    pub window: Duration,
    /// Turns of the honest caller, alone and beside a flooder each.
    pub turns: usize,
}

/// Measures memory under both flooders, then the honest caller's rate.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let runtime = call::runtime()?;
    let mut numbers = vec![
        memory(&runtime, "that reads nothing", options.calls, None)?,
        memory(&runtime, "that reads a batch every 15 s", options.calls, Some(options.window))?,
    ];
    numbers.extend(rates(options.turns)?);
    Ok(numbers)
}

fn start() -> anyhow::Result<Process> {
    Up::on_loopback("flooded").args(["--offer", "chat"]).start()
}

fn memory(
    runtime: &Runtime,
    which: &str,
    calls: u64,
    window: Option<Duration>,
) -> anyhow::Result<Measured> {
    let node = start()?;
    let before = most_resident(&node)?;
    let sent = runtime.block_on(async {
        let bare = connected(&node).await?;
        let mut line = Flood::open(&bare).await?;
        match window {
            None => line.write(calls).await,
            Some(window) => batches(&mut line, calls, window).await,
        }
        anyhow::Ok(line.sent)
    })?;
    let most = most_resident(&node)?;
    let what = format!("most resident memory beside a line {which}");
    let detail = json!({ "before_mb": rounded(before), "calls_sent": sent, "calls_wanted": calls });
    Ok(Measured::new(&what, most, "MB", Target::AtMost(MOST_MB), detail))
}

/// The most memory that the process ever had, in MB.
pub(super) fn most_resident(node: &Process) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("VmHWM")?;
    let kib: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib * 1024.0 / 1e6)
}

async fn connected(node: &Process) -> anyhow::Result<Bare> {
    let id = node.id().parse().context("the ready line has a client id")?;
    Ok(Bare::connect(node.address(), id).await)
}

/// Writes until the node takes no more, takes a batch of answers every now and then, and writes again.
async fn batches(line: &mut Flood, calls: u64, window: Duration) {
    let until = Instant::now() + window;
    while Instant::now() < until && line.sent < calls {
        let next = Instant::now() + BATCHES;
        line.write(calls).await;
        tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
        let batch = async {
            for _ in 0..BATCH {
                line.line.hear().await?;
            }
            std::io::Result::Ok(())
        };
        // A line that the node has given up on is the end of this flooder.
        if !matches!(timeout(STUCK, batch).await, Ok(Ok(())) | Err(_)) {
            return;
        }
    }
}

/// A line that is written to faster than it is read from.
struct Flood {
    line: Line,
    sent: u64,
}

impl Flood {
    async fn open(bare: &Bare) -> anyhow::Result<Self> {
        Ok(Self { line: bare.line().await?, sent: 0 })
    }

    /// Writes calls until that many are sent, or the node takes nothing for a while, or breaks the line.
    async fn write(&mut self, calls: u64) {
        while self.sent < calls {
            let count = WRITTEN.min(calls - self.sent);
            let frames: Vec<u8> = (self.sent..self.sent + count).flat_map(frame).collect();
            match timeout(STUCK, self.line.stream.write_all(&frames)).await {
                Ok(Ok(())) => self.sent += count,
                _ => return,
            }
        }
        let _ = timeout(STUCK, self.line.stream.flush()).await;
    }
}

/// Writes calls until it is told to stop, or the node takes none for a moment.
async fn pour(writing: &mut (impl AsyncWrite + Unpin), stop: &AtomicBool, sent: &AtomicU64) {
    while !stop.load(Relaxed) {
        let first = sent.load(Relaxed);
        let frames: Vec<u8> = (first..first + WRITTEN).flat_map(frame).collect();
        match timeout(FULL, writing.write_all(&frames)).await {
            Ok(Ok(())) => drop(sent.fetch_add(WRITTEN, Relaxed)),
            _ => return,
        }
    }
}

fn frame(call: u64) -> Vec<u8> {
    let request = CallRequest {
        call,
        capability: "chat/1".to_owned(),
        deadline_ms: 60_000,
        args: args(),
        input: None,
        progress: false,
    };
    framed(&protocol::encode(&Ask::Call(request)).unwrap_or_default())
}

fn args() -> Vec<u8> {
    protocol::encode(&chat::Request { text: TEXT.to_owned() }).unwrap_or_default()
}

/// The honest caller's rate alone and beside a flooder, in turns.
fn rates(turns: usize) -> anyhow::Result<Vec<Measured>> {
    let node = start()?;
    let callers = call::runtime()?;
    let client = callers.block_on(honest(&node))?;
    let mut numbers = Vec::new();
    let kinds = [("that takes no answers", false), ("that takes its answers", true)];
    let widths = [("serial", 1), ("32 in flight", call::IN_FLIGHT)];
    let all = kinds.into_iter().flat_map(|kind| widths.map(|width| (kind, width)));
    for ((which, takes), (name, width)) in all {
        let (mut alone, mut beside, mut flooded) = (vec![], vec![], 0);
        // The first turns warm up and do not count.
        for turn in 0..=turns {
            let rate = |client: Client| async move { call::our_rate(&client, width).await };
            let quiet = callers.block_on(callers.spawn(rate(client.clone())))?;
            let flooder = Flooder::start(&node, takes)?;
            let loud = callers.block_on(callers.spawn(rate(client.clone())))?;
            let sent = flooder.stop();
            if turn > 0 {
                alone.push(quiet);
                beside.push(loud);
                flooded += sent;
            }
        }
        let ratio = beside.iter().sum::<f64>() / alone.iter().sum::<f64>();
        let round = |rates: &[f64]| rates.iter().map(|rate| rounded(*rate)).collect::<Vec<_>>();
        let detail = json!({
            "alone_per_s": round(&alone),
            "beside_per_s": round(&beside),
            "flooder_calls": flooded,
        });
        let what = format!("an honest caller's rate beside one {which} against alone, {name}");
        numbers.push(Measured::new(&what, ratio, "ratio", Target::AtLeast(KEPT), detail));
    }
    Ok(numbers)
}

/// A node that asks the flooded one, and nobody else.
async fn honest(node: &Process) -> anyhow::Result<Client> {
    let address = node.address().to_owned();
    let caller = Setup::new("honest").tcp().configured(|c| c.network.join.push(address));
    let caller = caller.start().await;
    let id = node.id().parse().context("the ready line has a client id")?;
    mesh::until(&caller, "the flooded node", |snapshot| {
        snapshot.peers.get(&id).is_some_and(|view| !view.advert.offers.is_empty())
    })
    .await;
    let client = caller.client();
    // It lives as long as the process.
    std::mem::forget(caller);
    Ok(client)
}

/// Floods from a thread of its own until it is stopped: without taking answers, a line after the other, each until
/// the node takes no more; or taking them as fast as they come, on one line.
struct Flooder {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<()>,
}

impl Flooder {
    fn start(node: &Process, takes: bool) -> anyhow::Result<Self> {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bare = runtime.block_on(connected(node))?;
        let (told, counts) = (stop.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                while !told.load(Relaxed) {
                    let Ok(line) = bare.line().await else {
                        tokio::time::sleep(FULL).await;
                        continue;
                    };
                    let (reading, mut writing) = line.stream.split();
                    let take = async {
                        match takes {
                            true => {
                                drop(futures::io::copy(reading, &mut futures::io::sink()).await)
                            }
                            false => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = take => {}
                        () = pour(&mut writing, &told, &counts) => {}
                    }
                }
            });
        });
        Ok(Self { stop, sent, thread })
    }

    /// Ends it, and says how many calls it sent.
    fn stop(self) -> u64 {
        self.stop.store(true, Relaxed);
        let _ = self.thread.join();
        self.sent.load(Relaxed)
    }
}
