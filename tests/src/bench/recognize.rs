//! Pictures per second through a neighbour node, against a Python loop with the same model, and
//! what the way to the neighbour adds to a call.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream::FuturesUnordered};
use libp2p::PeerId;
use potluck::{
    Client, Node,
    client::{Call, CallInput},
    config::Config,
    protocol,
    services::{self, recognize},
};
use serde_json::{Value, json};

use super::{Measured, Target, max, median, python::Python, rounded};
use crate::{
    mesh::{Setup, until},
    process::{Process, Up},
};

const IN_FLIGHT: usize = 8;
/// One turn of one side.
const TURN: Duration = Duration::from_secs(5);
/// The size of the picture for the hop.
const HOP_BYTES: usize = 100_000;
/// Calls each way for the hop.
const HOPS: usize = 200;

/// Where to find what is compared with.
pub struct Options {
    /// A Python that has onnxruntime, Pillow and numpy.
    pub python: PathBuf,
    /// Turns that count.
    pub turns: usize,
}

/// Measures both sides in turns, then the hop.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = here.join("../models/weights/efficientnet-lite0.onnx");
    let pictures = here.join("../models/samples");
    let mut python = Python::start(&options.python, "recognize_baseline.py", [&model, &pictures])?;
    let library = python.hello["library"].as_str().map(str::to_owned);
    let library = library.context("python names its library")?;
    let server = Up::on_loopback("server").args(["--offer", "recognize"]);
    let server = server.env("ORT_DYLIB_PATH", &library).start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut numbers = rates(&runtime, &server, &mut python, options.turns)?;
    drop(python);
    numbers.push(hop(&runtime, &server, &library)?);
    Ok(numbers)
}

fn rates(
    runtime: &tokio::runtime::Runtime,
    server: &Process,
    python: &mut Python,
    turns: usize,
) -> anyhow::Result<Vec<Measured>> {
    let peer: PeerId = server.id().parse()?;
    let asker = runtime.block_on(asker(Setup::new("asker").tcp(), server, peer));
    let client = asker.client();
    let pictures: Vec<Arc<[u8]>> =
        potluck_models::samples().iter().map(|s| Arc::from(s.bytes)).collect();
    let first = runtime.block_on(look(&client, &pictures[0], peer))?;
    ensure!(first.engine.starts_with("onnxruntime"), "the server runs {}", first.engine);
    let (mut ours, mut plain, mut pooled) = (vec![], vec![], vec![]);
    for turn in 0..=turns {
        let our = runtime.block_on(our_rate(&client, &pictures, peer))?;
        let loops = python.rate("loop", TURN)?;
        let pool = python.rate("pool", TURN)?;
        if turn > 0 {
            ours.push(our);
            plain.push(loops);
            pooled.push(pool);
        }
    }
    let sum = |rates: &[f64]| rates.iter().sum::<f64>();
    let detail = json!({
        "our_pictures_per_s": round(&ours),
        "python_loop_pictures_per_s": round(&plain),
        "python_pool_pictures_per_s": round(&pooled),
        "engine": first.engine,
        "python": python.hello,
    });
    let what = "pictures through a neighbour, 8 in flight, against a Python loop";
    let ratio = sum(&ours) / sum(&plain);
    Ok(vec![
        Measured::new(what, ratio, "ratio", Target::AtLeast(1.0), detail),
        Measured::plain(
            "the same against a Python pool of 8 threads, for comparison",
            sum(&ours) / sum(&pooled),
            "ratio",
            Value::Null,
        ),
    ])
}

fn round(rates: &[f64]) -> Vec<f64> {
    rates.iter().map(|r| rounded(*r)).collect()
}

/// A node that is connected to the server and sees its models.
async fn asker(setup: Setup, server: &Process, peer: PeerId) -> Node {
    let join = server.address().to_owned();
    let asker = setup.configured(|c| c.network.join.push(join)).start().await;
    until(&asker, "the server", |snapshot| {
        snapshot.peers.get(&peer).is_some_and(|v| v.advert.offer("recognize/1").is_some())
    })
    .await;
    asker
}

async fn look(
    client: &Client,
    picture: &Arc<[u8]>,
    only: PeerId,
) -> anyhow::Result<recognize::Response> {
    let call = Call {
        capability: "recognize/1".to_owned(),
        variant: None,
        args: protocol::encode(&recognize::Request { model: None, top: 5 })?,
        input: Some(CallInput::Bytes(picture.clone())),
        timeout: Duration::from_secs(60),
        only: Some(only),
        progress: None,
    };
    let reply = client.call(call).await?;
    let response: recognize::Response = protocol::decode(&reply.body)?;
    ensure!(response.labels.len() == 5, "{response:?}");
    Ok(response)
}

async fn our_rate(client: &Client, pictures: &[Arc<[u8]>], peer: PeerId) -> anyhow::Result<f64> {
    let started = Instant::now();
    let one = |n: usize| look(client, &pictures[n % pictures.len()], peer);
    let mut running: FuturesUnordered<_> = (0..IN_FLIGHT).map(one).collect();
    let (mut done, mut next) = (0u32, IN_FLIGHT);
    while let Some(seen) = running.next().await {
        seen?;
        done += 1;
        if started.elapsed() >= TURN {
            break;
        }
        running.push(one(next));
        next += 1;
    }
    let rate = f64::from(done) / started.elapsed().as_secs_f64();
    while running.next().await.is_some() {}
    Ok(rate)
}

/// Calls to the neighbour and to itself in turns, one at a time.
fn hop(
    runtime: &tokio::runtime::Runtime,
    server: &Process,
    library: &str,
) -> anyhow::Result<Measured> {
    let peer: PeerId = server.id().parse()?;
    let mut config = Config::default();
    config.services.offer = Some(vec!["recognize/1".to_owned()]);
    config.change(|options: &mut recognize::Options| options.library = Some(library.into()));
    let registry = services::all(&config, None)?;
    let asker = runtime.block_on(async {
        let setup = Setup { registry, ..Setup::new("asker").tcp() };
        asker(setup, server, peer).await
    });
    let client = asker.client();
    let me = client.id();
    let picture: Arc<[u8]> = padded(potluck_models::samples()[0].bytes, HOP_BYTES).into();
    let (mut here, mut there) = (vec![], vec![]);
    for turn in 0..HOPS + 10 {
        for (who, times) in [(me, &mut here), (peer, &mut there)] {
            let started = Instant::now();
            runtime.block_on(look(&client, &picture, who))?;
            // The first ones warm up.
            if turn >= 10 {
                times.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    let added = median(&there) - median(&here);
    let detail = json!({
        "picture_bytes": picture.len(),
        "in_process_median_ms": rounded(median(&here)),
        "neighbour_median_ms": rounded(median(&there)),
        "in_process_max_ms": rounded(max(&here)),
        "neighbour_max_ms": rounded(max(&there)),
        "calls_each": HOPS,
    });
    Ok(Measured::new(
        "what the hop adds to a call, median",
        added,
        "ms",
        Target::AtMost(3.0),
        detail,
    ))
}

/// The same JPEG with application segments that decoders skip, so that it has `size` bytes.
fn padded(jpeg: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    let mut missing = size.saturating_sub(jpeg.len());
    while missing >= 4 {
        let length = missing.min(60_000);
        bytes.extend([0xff, 0xef]);
        bytes.extend(u16::try_from(length - 2).unwrap_or(2).to_be_bytes());
        bytes.resize(bytes.len() + length - 4, 0);
        missing -= length;
    }
    bytes.extend(&jpeg[2..]);
    bytes
}
