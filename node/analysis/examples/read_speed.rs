//! How fast a file is read, and with how much memory:
//! `cargo run --release -p potluck-analysis --example read_speed -- FILE [THREADS] [MEMORY_MB]`

use std::time::Instant;

use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::table::Values;
use potluck_analysis::{AnalysisError, Unwatched};

fn main() -> Result<(), AnalysisError> {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("name a CSV file");
        return Ok(());
    };
    let mut options = ReadOptions::default();
    if let Some(threads) = arguments.next().and_then(|text| text.parse().ok()) {
        options.threads = threads;
    }
    if let Some(megabytes) = arguments.next().and_then(|text| text.parse::<u64>().ok()) {
        options.memory = megabytes << 20;
    }
    let start = Instant::now();
    let source = if file == "-" {
        Source::Stream(Box::new(std::io::stdin()))
    } else {
        Source::File(file.into())
    };
    let table = read(source, &options, &Unwatched)?;
    println!("read         {:>8.3} s  {}", start.elapsed().as_secs_f64(), memory());
    println!(
        "{}: {}, {:?}, {} rows, {} bad, {} duplicates, {:?}",
        table.file,
        table.encoding,
        table.delimiter,
        table.rows,
        table.bad_rows.count,
        table.duplicate_rows,
        table.notes
    );
    let start = Instant::now();
    for column in &table.columns {
        let distinct = column.distinct_texts();
        let mut texts = 0;
        column.texts(&mut |_, count| texts += count)?;
        let there = match column.values()? {
            Values::Integers(cells) | Values::Times(cells) => {
                cells.iter().filter(|c| c.is_some()).count() as u64
            }
            Values::Numbers(cells) => cells.iter().filter(|c| !c.is_nan()).count() as u64,
            Values::Texts => texts,
        };
        let (name, kind, missing) = (&column.name, column.kind.name(), column.missing);
        let invalid = column.invalid.count;
        println!(
            "{name:20.20} {kind:8} {there} {missing} missing {invalid} invalid {distinct} texts"
        );
    }
    println!("loaded once  {:>8.3} s  {}", start.elapsed().as_secs_f64(), memory());
    Ok(())
}

/// The most memory that was ever resident.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    peak.map_or_else(String::new, |line| line.split_whitespace().collect::<Vec<_>>().join(" "))
}
