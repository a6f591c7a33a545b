//! `cargo run --release -p potluck-tests --bin bench -- NAME --json`: the numbers of
//! `docs/performance.md`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use potluck_tests::bench::{Measured, call, discover, idle, recognize};
use serde_json::json;

/// Measures Potluck beside what it is compared with.
#[derive(Parser)]
struct Bench {
    #[command(subcommand)]
    name: Name,
    /// Print one JSON document, nothing else.
    #[arg(long, global = true)]
    json: bool,
    /// For `recognize`: a Python that has onnxruntime, pillow and numpy.
    #[arg(long, global = true, default_value = "python3")]
    python: PathBuf,
    /// For `discover`: how often the second node is started and struck.
    #[arg(long, global = true, default_value_t = 20)]
    rounds: usize,
    /// For `call` and `recognize`: turns of each side that count.
    #[arg(long, global = true, default_value_t = 4)]
    turns: usize,
    /// For `idle`: how long traffic is counted, in seconds.
    #[arg(long, global = true, default_value_t = 180)]
    seconds: u64,
}

#[derive(Clone, Subcommand)]
enum Name {
    /// How soon nodes see each other, and how soon a dead one is gone (needs root, for namespaces).
    Discover,
    /// Chat round trips against bare request_response.
    Call,
    /// Pictures through a neighbour against a Python loop, and what the hop adds.
    Recognize,
    /// Memory and traffic of nodes that nobody asks (needs root, for namespaces).
    Idle,
    /// All of them.
    All,
    /// A node that writes what it sees; `discover` starts it in namespaces.
    #[command(hide = true)]
    Observe {
        /// The nickname.
        #[arg(long)]
        name: String,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let bench = Bench::parse();
    if let Name::Observe { name } = bench.name {
        tokio::runtime::Runtime::new()?.block_on(discover::observe(name))?;
        return Ok(ExitCode::SUCCESS);
    }
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: the numbers mean nothing. Add --release.");
    }
    let names = match bench.name {
        Name::All => vec![Name::Call, Name::Recognize, Name::Discover, Name::Idle],
        ref one => vec![one.clone()],
    };
    let mut document = serde_json::Map::new();
    let mut met = true;
    for name in names {
        let (title, numbers) = measure(&bench, &name)?;
        if !bench.json {
            println!("{title}");
            numbers.iter().for_each(|number| println!("  {}", number.line()));
        }
        met &= numbers.iter().all(|number| number.met != Some(false));
        document.insert(title.to_owned(), json!(numbers));
    }
    if bench.json {
        println!("{}", serde_json::to_string_pretty(&document)?);
    }
    // 1 when a target is missed, so that a script notices.
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(bench: &Bench, name: &Name) -> anyhow::Result<(&'static str, Vec<Measured>)> {
    Ok(match name {
        Name::Discover => ("discover", discover::run(bench.rounds)?),
        Name::Call => ("call", call::run(bench.turns)?),
        Name::Recognize => {
            let (python, turns) = (bench.python.clone(), bench.turns);
            ("recognize", recognize::run(&recognize::Options { python, turns })?)
        }
        Name::Idle => ("idle", idle::run(Duration::from_secs(bench.seconds))?),
        Name::All | Name::Observe { .. } => ("nothing", vec![]),
    })
}
