//! Numbers: from a table to [`crate::Numbers`] and [`crate::Facets`].
//!
//! First each column is read once and described on its own; number columns are kept, in memory
//! or on disk, as what they are and as ranks. Then they are compared pair by pair, and what the
//! charts need is taken from them.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::numbers::Numbers;
use crate::table::{Column, Kind, Table};
use crate::watch::{Stage, Watch};
use crate::{AnalysisError, Facets, Lang};

mod alerts;
mod calendar;
mod column;
mod correlation;
mod facts;
pub(crate) mod groups;
mod histogram;
mod runs;
mod scatter;
mod shelf;
mod texts;
mod trend;

#[cfg(test)]
mod tests;

pub(crate) use calendar::{clock, iso};
pub(crate) use column::has_totals;
use column::{Learnt, Reading};

/// What a column takes in memory while it is read, in bytes a row: its cells, their sorted keys
/// and its codes.
pub(crate) const READING_BYTES: u64 = 40;

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
    /// are needed, and are used even when this is less: [`crate::read::most_rows`] bounds them.
    pub memory: u64,
}

/// Describes a table.
///
/// # Errors
///
/// [`AnalysisError::BadOption`] when the chosen text column does not exist or has no texts,
/// [`AnalysisError::Io`] when columns cannot be kept aside or read again,
/// [`AnalysisError::Cancelled`].
pub fn compute(
    table: &Table,
    options: &StatsOptions,
    watch: &dyn Watch,
) -> Result<(Numbers, Facets), AnalysisError> {
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
    chosen: Option<usize>,
    watch: &dyn Watch,
) -> Result<(Numbers, Facets), AnalysisError> {
    watch.stage(Stage::Counting, 0.0);
    let (compared, all) = correlation::choose(table);
    let here = KEPT_BYTES * table.rows * compared.len() as u64 <= options.memory / 2;
    let done = AtomicUsize::new(0);
    let learning = Learning { table, compared: &compared, here, options, done: &done, watch };
    // Texts first: one column of them is counted word by word beside all that follows.
    let is_text = |at: &usize| matches!(table.columns[*at].kind, Kind::Text | Kind::Boolean);
    let (texts, others): (Vec<usize>, Vec<usize>) = (0..table.columns.len()).partition(is_text);
    let mut learnt = learning.columns(&texts)?;
    let counted = chosen.or_else(|| texts::wordiest(table, &learnt)).filter(|_| options.words);
    let words = || match counted {
        // Who chose a column wants its phrases, too.
        Some(at) => texts::words(&table.columns[at], options.lang, chosen.is_some(), watch),
        None => Ok(None),
    };
    let compare = || {
        learnt.extend(learning.columns(&others)?);
        learnt.sort_unstable_by_key(|learnt| learnt.at);
        let pairs = correlation::pairs(table, &learnt, &compared, options.memory, watch)?;
        let at_once = (options.memory / (READING_BYTES * table.rows).max(1)) as usize;
        let at_once = if here { usize::MAX } else { at_once };
        let scatters = scatter::scatters(table, &learnt, &pairs, at_once, watch)?;
        let trends = trend::trends(table, &mut learnt, at_once, watch)?;
        Ok::<_, AnalysisError>((learnt, pairs, scatters, trends))
    };
    let (words, compared_all) = rayon::join(words, compare);
    let (learnt, pairs, scatters, trends) = compared_all?;
    let mut facets = Facets { scatters, trends, words: words?, ..Facets::default() };
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
        format: table.format.name().into(),
        sheet: table.sheet.clone(),
        rows: table.rows,
        bad_rows: table.bad_rows.count,
        duplicate_rows: table.duplicate_rows,
        columns,
        correlation,
        alerts,
        groups: None,
    };
    Ok((numbers, facets))
}

/// How columns are read.
struct Learning<'a> {
    table: &'a Table,
    compared: &'a [usize],
    /// Whether the compared columns fit in memory.
    here: bool,
    options: &'a StatsOptions,
    /// Columns that were read.
    done: &'a AtomicUsize,
    watch: &'a dyn Watch,
}

impl Learning<'_> {
    /// Reads these columns once each, as many at a time as there are threads and memory.
    fn columns(&self, wanted: &[usize]) -> Result<Vec<Learnt>, AnalysisError> {
        let Self { table, compared, options, .. } = self;
        let all_kept = KEPT_BYTES * table.rows * compared.len() as u64;
        let free = options.memory.saturating_sub(if self.here { all_kept } else { 0 });
        let at_once = (free / (READING_BYTES * table.rows).max(1)) as usize;
        let alone = at_once < 2 || options.threads < 2;
        let at_once = if at_once >= options.threads { wanted.len() } else { at_once };
        let mut learnt = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(at_once.max(1)) {
            let more = some.par_iter().map(|&at| self.column(at, alone));
            learnt.extend(more.collect::<Result<Vec<Learnt>, _>>()?);
        }
        Ok(learnt)
    }

    fn column(&self, at: usize, alone: bool) -> Result<Learnt, AnalysisError> {
        let Self { table, compared, watch, .. } = self;
        let is_time = |column: &Column| matches!(column.kind, Kind::Date | Kind::DateTime);
        let times_before = table.columns[..at].iter().filter(|column| is_time(column)).count();
        let reading = Reading {
            at,
            rows: table.rows,
            keep: compared.binary_search(&at).is_ok(),
            here: self.here,
            buckets: times_before < MOST_TRENDS,
            alone,
        };
        let learnt = column::learn(&table.columns[at], reading, *watch)?;
        let part = self.done.fetch_add(1, Ordering::Relaxed) as f32 / table.columns.len() as f32;
        watch.stage(Stage::Counting, part * AFTER_COLUMNS);
        Ok(learnt)
    }
}
