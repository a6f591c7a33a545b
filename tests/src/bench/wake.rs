//! How soon somebody has all letters that wait at a keeper, from the moment their node is ready. Their sender is off;
//! keeper and recipient are a process each.

use std::{path::PathBuf, time::Instant};

use anyhow::ensure;
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Measured, Target, call, letters, max, median, rounded};
use crate::process::Process;

/// What it may take, in seconds.
const MOST_S: f64 = 2.0;

/// What waits, and where.
pub struct Options {
    /// How many letters.
    pub letters: usize,
    /// Turns that count.
    pub turns: usize,
    /// The folder below which everything is stored.
    pub folder: PathBuf,
}

/// Measures it with a keeper and a recipient that are new in each turn.
pub fn run(options: &Options) -> anyhow::Result<Vec<Measured>> {
    ensure!(options.letters > 0 && options.turns > 0, "there is nothing to measure");
    let runtime = call::runtime()?;
    let times: Vec<f64> =
        (0..options.turns).map(|_| wake(options, &runtime)).collect::<Result<_, _>>()?;
    let detail = json!({
        "seconds": times.iter().map(|time| rounded(*time)).collect::<Vec<_>>(),
        "max_s": rounded(max(&times)),
    });
    let what = format!("{} letters at a keeper: from ready to all opened", options.letters);
    Ok(vec![Measured::new(&what, median(&times), "s", Target::AtMost(MOST_S), detail)])
}

fn wake(options: &Options, runtime: &Runtime) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    let keeper = letters::keeper(folder.path())?;
    let start = || letters::process("bob", folder.path(), Some(&keeper));
    let letters = options.letters;
    let bob = start()?;
    let alice = runtime.block_on(letters::node("alice", folder.path(), &keeper));
    let id = runtime.block_on(async {
        let client = letters::attach(&bob).await?;
        letters::befriend(&client, &alice.client()).await?;
        anyhow::Ok(client.id())
    })?;
    end(bob)?;
    runtime.block_on(async {
        letters::left(&alice.client(), id, &keeper).await?;
        letters::held(&alice.client(), id, letters).await?;
        alice.stop().await;
        anyhow::Ok(())
    })?;
    let bob = start()?;
    let ready = Instant::now();
    runtime.block_on(async {
        let client = letters::attach(&bob).await?;
        letters::all_opened(&client, letters).await
    })?;
    Ok(ready.elapsed().as_secs_f64())
}

/// Ends a node as its person would.
fn end(process: Process) -> anyhow::Result<()> {
    process.signal("TERM")?;
    let code = process.wait()?;
    ensure!(code == Some(0), "the recipient ended with {code:?}");
    Ok(())
}
