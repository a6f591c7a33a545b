//! A large file from node to node, from the moment it is sent until it lies opened in the recipient's inbox, against
//! `scp`; the memory that both nodes take; and many small files against one of the same bytes.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use potluck::{Client, mail::Ask};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{Measured, Target, call, flood::most_resident, letters, rounded, scp::Scp};
use crate::process::Process;

/// Small files, and the bytes of each.
const SMALL_FILES: u64 = 10_000;
const SMALL: u64 = 4096;
/// What many small files may take, against one of the same bytes.
const MOST: f64 = 1.5;
/// Bytes that are written at once.
const BLOCK: u64 = 1 << 20;

/// What to send, and where it lies.
pub struct Options {
    /// MiB of the large file.
    pub mib: u64,
    /// Turns that count.
    pub turns: usize,
    /// The folder below which everything is stored, on both sides.
    pub folder: PathBuf,
}

/// Measures the large file in turns with `scp`, then many small ones in turns with one.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    ensure!(options.mib > 0 && options.turns > 0, "there is nothing to measure");
    let folder = tempfile::tempdir_in(&options.folder)?;
    let mut numbers = large(options, folder.path())?;
    numbers.push(small(options, folder.path())?);
    Ok(numbers)
}

fn large(options: &Options, folder: &Path) -> anyhow::Result<Vec<Measured>> {
    let file = folder.join("large.bin");
    write(&file, options.mib << 20)?;
    let pair = Pair::start(&folder.join("large"))?;
    let scp = Scp::start(folder.join("ssh"))?;
    let (mut ours, mut copied, mut synced) = (vec![], vec![], vec![]);
    for _ in 0..options.turns {
        ours.push(pair.send(&file, 1, options.mib << 20)?);
        if let Some(scp) = &scp {
            let took = scp.copy(&file)?;
            copied.push(took.copied);
            synced.push(took.synced);
        }
    }
    let mut numbers = vec![rate(options.mib, &ours)];
    if scp.is_some() {
        let what = "the same against scp, which does not sync: time";
        numbers.push(against(what, &ours, &copied));
        numbers.push(against("the same against scp and fsync: time", &ours, &synced));
    }
    numbers.push(memory("sender", &pair.sender)?);
    numbers.push(memory("recipient", &pair.recipient)?);
    fs::remove_file(&file)?;
    Ok(numbers)
}

fn rate(mib: u64, ours: &[f64]) -> Measured {
    let megabytes = (mib << 20) as f64 / 1e6;
    let rate = megabytes * ours.len() as f64 / ours.iter().sum::<f64>();
    let what = format!("a file of {mib} MiB from node to node");
    Measured::plain(&what, rate, "MB/s", json!({ "our_seconds": round(ours) }))
}

fn against(what: &str, ours: &[f64], theirs: &[f64]) -> Measured {
    let ratio = ours.iter().sum::<f64>() / theirs.iter().sum::<f64>();
    let detail = json!({ "our_seconds": round(ours), "their_seconds": round(theirs) });
    Measured::plain(what, ratio, "ratio", detail)
}

fn memory(who: &str, node: &Process) -> anyhow::Result<Measured> {
    let what = format!("the most resident memory of its {who}");
    Ok(Measured::plain(&what, most_resident(node)?, "MB", Value::Null))
}

fn small(options: &Options, folder: &Path) -> anyhow::Result<Measured> {
    let (many, one) = (folder.join("many"), folder.join("one.bin"));
    fs::create_dir(&many)?;
    for n in 0..SMALL_FILES {
        write(&many.join(format!("{n:05}.bin")), SMALL)?;
    }
    write(&one, SMALL_FILES * SMALL)?;
    let pair = Pair::start(&folder.join("small"))?;
    let (mut apart, mut together) = (vec![], vec![]);
    // The first turn reads the files from the disk, and does not count.
    for turn in 0..=options.turns {
        let all = pair.send(&many, SMALL_FILES, SMALL_FILES * SMALL)?;
        let single = pair.send(&one, 1, SMALL_FILES * SMALL)?;
        if turn > 0 {
            apart.push(all);
            together.push(single);
        }
    }
    let ratio = apart.iter().sum::<f64>() / together.iter().sum::<f64>();
    let detail = json!({
        "many_seconds": round(&apart),
        "one_seconds": round(&together),
        "sender_mb": rounded(most_resident(&pair.sender)?),
        "recipient_mb": rounded(most_resident(&pair.recipient)?),
    });
    let what = "10,000 files of 4 kB against one of the same bytes: time";
    Ok(Measured::new(what, ratio, "ratio", Target::AtMost(MOST), detail))
}

fn round(seconds: &[f64]) -> Vec<f64> {
    seconds.iter().map(|time| rounded(*time)).collect()
}

/// Two nodes that have written to each other, a process each.
struct Pair {
    runtime: Runtime,
    sender: Process,
    recipient: Process,
    from: Client,
    at: Client,
}

impl Pair {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let runtime = call::runtime()?;
        fs::create_dir_all(folder)?;
        let recipient = letters::process("bob", folder, None)?;
        let sender = letters::process("alice", folder, Some(&recipient))?;
        let (from, at) = runtime.block_on(async {
            let (from, at) = (letters::attach(&sender).await?, letters::attach(&recipient).await?);
            letters::befriend(&at, &from).await?;
            anyhow::Ok((from, at))
        })?;
        Ok(Self { runtime, sender, recipient, from, at })
    }

    /// Sends a file or a folder, and gives the seconds until it lies opened at the recipient, where it is deleted
    /// afterwards.
    fn send(&self, path: &Path, files: u64, bytes: u64) -> anyhow::Result<f64> {
        self.runtime.block_on(async {
            let started = Instant::now();
            let sent = letters::send(&self.from, self.at.id(), None, vec![path.to_owned()]).await?;
            let came = letters::opened(&self.at, &sent.id).await?;
            let seconds = started.elapsed().as_secs_f64();
            let contents = came.contents.context("it was opened")?;
            ensure!(
                contents.files == files && contents.bytes == bytes,
                "{} files with {} bytes came",
                contents.files,
                contents.bytes
            );
            letters::until("the sender knows", async || {
                let sent = letters::outbox(&self.from).await?;
                Ok(sent.iter().all(|sent| sent.stage.is_over()).then_some(()))
            })
            .await?;
            self.at.mail(Ask::Delete { id: sent.id }).await?;
            Ok(seconds)
        })
    }
}

/// Writes a file of random bytes.
fn write(path: &Path, bytes: u64) -> anyhow::Result<()> {
    let mut random = SmallRng::seed_from_u64(bytes);
    let mut file = BufWriter::new(File::create(path)?);
    let mut block = vec![0; BLOCK.min(bytes) as usize];
    let mut left = bytes;
    while left > 0 {
        random.fill(&mut block[..]);
        let count = left.min(block.len() as u64) as usize;
        file.write_all(&block[..count])?;
        left -= count as u64;
    }
    Ok(file.flush()?)
}
