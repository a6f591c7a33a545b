//! Numbers: from a table to [`crate::Numbers`] and [`crate::Facets`].
//!
//! First each column is read once and described on its own; number columns are kept, in memory
//! or on disk, as what they are and as ranks. Then they are compared pair by pair, and what the
//! charts need is taken from them.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::numbers::Numbers;
use crate::table::{Kind, Table};
use crate::watch::{Stage, Watch};
use crate::{AnalysisError, Facets, Lang};

mod alerts;
mod calendar;
mod column;
mod correlation;
mod facts;
mod histogram;
mod runs;
mod scatter;
mod shelf;
mod texts;
mod trend;

#[cfg(test)]
mod tests;

use column::{Learnt, Reading};

/// What a column takes in memory while it is read, in bytes a row: its cells, their sorted keys
/// and its codes.
const READING_BYTES: u64 = 40;

/// What a number column takes while it waits, in bytes a row: 8 as a float, 4 as a code.
const KEPT_BYTES: u64 = 12;

/// Date columns that get means of number columns; each takes 2 bytes a row.
const MOST_TRENDS: usize = 4;

/// Parts of the work that progress shows.
const AFTER_COLUMNS: f32 = 0.5;
const FOR_PAIRS: f32 = 0.4;

/// How a table is to be described.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatsOptions {
    /// Of the alerts.
    pub lang: Lang,
    /// The column of the word cloud; otherwise the one with the most words.
    pub text_column: Option<String>,
    /// Whether words are counted at all.
    pub words: bool,
    /// Threads to use, at least 1.
    pub threads: usize,
    /// Bytes of memory to use, beyond what the table itself holds. At least about 40 bytes a row
    /// are needed, and are used even when this is less.
    pub memory: u64,
}

/// Describes a table.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] when the chosen text column does not exist or has no texts,
/// [`AnalysisError::BadInput`] for over 2,147,483,647 rows, [`AnalysisError::Io`] when columns
/// cannot be kept aside or read again, [`AnalysisError::Cancelled`].
pub fn compute(
    table: &Table,
    options: &StatsOptions,
    watch: &dyn Watch,
) -> Result<(Numbers, Facets), AnalysisError> {
    if table.rows > i32::MAX as u64 {
        let rows = table.rows;
        return Err(AnalysisError::BadInput(format!(
            "{rows} rows are more than can be ranked; split the file into parts of at most {}",
            i32::MAX
        )));
    }
    let chosen = options.text_column.as_deref();
    let text_column = chosen.map(|name| texts::chosen(table, name)).transpose()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.max(1)).build();
    let pool = pool.map_err(|error| AnalysisError::Io {
        what: "cannot start threads".into(),
        source: std::io::Error::other(error),
    })?;
    pool.install(|| describe(table, options, text_column, watch))
}

fn describe(
    table: &Table,
    options: &StatsOptions,
    text_column: Option<usize>,
    watch: &dyn Watch,
) -> Result<(Numbers, Facets), AnalysisError> {
    watch.stage(Stage::Counting, 0.0);
    let (compared, all) = correlation::choose(table);
    let here = KEPT_BYTES * table.rows * compared.len() as u64 <= options.memory / 2;
    let mut learnt = columns(table, &compared, here, options, watch)?;
    let pairs = correlation::pairs(table, &learnt, &compared, options.memory, watch)?;
    let at_once = (options.memory / (READING_BYTES * table.rows).max(1)) as usize;
    let mut facets = Facets {
        scatters: scatter::scatters(table, &learnt, &pairs, watch)?,
        trends: trend::trends(table, &mut learnt, if here { usize::MAX } else { at_once }, watch)?,
        ..Facets::default()
    };
    watch.stage(Stage::Counting, AFTER_COLUMNS + FOR_PAIRS);
    let text_column = text_column.or_else(|| texts::wordiest(table, &learnt));
    if let Some(column) = text_column.filter(|_| options.words) {
        let column = &table.columns[column];
        facets.words = texts::words(column, options.lang, watch)?;
    }
    let alerts = alerts::alerts(table, &learnt, &pairs, (compared.len(), all), options.lang);
    let correlation = correlation::matrices(table, &learnt, &compared, &pairs);
    let mut columns = Vec::with_capacity(learnt.len());
    for learnt in learnt {
        facets.spreads.extend(learnt.spread);
        facets.categories.extend(learnt.category);
        columns.push(learnt.numbers);
    }
    watch.stage(Stage::Counting, 1.0);
    let numbers = Numbers {
        file: table.file.clone(),
        encoding: table.encoding.clone(),
        delimiter: table.delimiter,
        rows: table.rows,
        bad_rows: table.bad_rows.count,
        duplicate_rows: table.duplicate_rows,
        columns,
        correlation,
        alerts,
    };
    Ok((numbers, facets))
}

/// Reads every column once, as many at a time as there are threads and memory.
fn columns(
    table: &Table,
    compared: &[usize],
    here: bool,
    options: &StatsOptions,
    watch: &dyn Watch,
) -> Result<Vec<Learnt>, AnalysisError> {
    let kept = if here { KEPT_BYTES * table.rows * compared.len() as u64 } else { 0 };
    let free = options.memory.saturating_sub(kept);
    let at_once = (free / (READING_BYTES * table.rows).max(1)) as usize;
    let alone = at_once < 2 || options.threads < 2;
    let is_time = |at: &usize| matches!(table.columns[*at].kind, Kind::Date | Kind::DateTime);
    let times: Vec<usize> = (0..table.columns.len()).filter(is_time).take(MOST_TRENDS).collect();
    let done = AtomicUsize::new(0);
    let learn = |at: usize| {
        let reading = Reading {
            rows: table.rows,
            keep: compared.binary_search(&at).is_ok(),
            here,
            buckets: times.contains(&at),
            alone,
        };
        let learnt = column::learn(&table.columns[at], reading, watch)?;
        let part = done.fetch_add(1, Ordering::Relaxed) as f32 / table.columns.len() as f32;
        watch.stage(Stage::Counting, part * AFTER_COLUMNS);
        Ok(learnt)
    };
    let all = 0..table.columns.len();
    if at_once >= options.threads {
        return all.into_par_iter().map(learn).collect();
    }
    let mut learnt = Vec::with_capacity(table.columns.len());
    for start in all.step_by(at_once.max(1)) {
        let some = start..(start + at_once.max(1)).min(table.columns.len());
        let more: Vec<Learnt> = some.into_par_iter().map(learn).collect::<Result<_, _>>()?;
        learnt.extend(more);
    }
    Ok(learnt)
}
