//! One column: its numbers, and what its charts and alerts need.

use std::borrow::Cow;
use std::collections::HashSet;

use polars::prelude::{Float64Chunked, IntoSeries, MomentSeries, PlSmallStr};
use serde_json::Value;

use super::calendar;
use super::histogram::{self, MOST_BINS, histogram};
use super::runs::{Runs, Scale, Top};
use super::shelf::{Kept, finite};
use super::texts::{self, TextFacts};
use super::trend::Timeline;
use crate::AnalysisError;
use crate::facets::{Category, Spread};
use crate::numbers::ColumnNumbers;
use crate::table::{Column, Kind, Table, Values};
use crate::watch::Watch;

/// Top values told of each column.
const MOST_TOP: usize = 10;

/// Bins that a chart has room for.
const MOST_DRAWN_BINS: usize = 60;

/// Different numbers of a column whose last one may be a sum of the others: of fewer, one is by
/// chance.
const LEAST_TOTALLED: usize = 4;

/// Outliers that a chart has room for.
const MOST_DRAWN_OUTLIERS: usize = 400;

/// How a column is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Which column of the table it is.
    pub at: usize,
    /// Rows of the table.
    pub rows: u64,
    /// Keep the numbers for comparing columns.
    pub keep: bool,
    /// Keep them in memory.
    pub here: bool,
    /// Keep the bucket of each row of a date column.
    pub buckets: bool,
    /// No other column is read meanwhile.
    pub alone: bool,
}

/// What is learnt of one column.
#[derive(Default)]
pub(super) struct Learnt {
    /// Which column of the table this is.
    pub at: usize,
    /// For `numbers.json`.
    pub numbers: ColumnNumbers,
    /// For the chart of a number column.
    pub spread: Option<Spread>,
    /// For the chart of a text column.
    pub category: Option<Category>,
    /// For the chart of a date column.
    pub timeline: Option<Timeline>,
    /// For comparing number columns.
    pub kept: Option<Kept>,
    /// Infinite cells.
    pub infinite: u64,
    /// Different finite numbers.
    pub finite_distinct: usize,
    /// Numbers that only name their row.
    pub identifier: bool,
    /// Whether the last row has the sum of all others; none where it has no number.
    pub totalled: Option<bool>,
    /// Where charts draw: all values, but without the furthest of a very long tail.
    pub drawn: (f64, f64),
    /// How far the values are from coming equally often, 0 to 1, of text columns and of numbers
    /// that are only two.
    pub imbalance: Option<f64>,
    /// Average words of a text.
    pub words: f64,
    /// Part of the texts that are words only.
    pub spelt: f64,
}

/// Reads one column. Costs about 40 bytes a row while it runs.
pub(super) fn learn(
    column: &Column,
    reading: Reading,
    watch: &dyn Watch,
) -> Result<Learnt, AnalysisError> {
    watch.check()?;
    let count = reading.rows.saturating_sub(column.missing);
    let numbers = ColumnNumbers {
        name: column.name.clone(),
        kind: column.kind.name().to_owned(),
        count,
        missing: column.missing,
        missing_ratio: if reading.rows == 0 {
            0.0
        } else {
            column.missing as f64 / reading.rows as f64
        },
        invalid: column.invalid.count,
        distinct: column.invalid.distinct,
        ..ColumnNumbers::default()
    };
    let mut learnt = Learnt { at: reading.at, numbers, ..Learnt::default() };
    match column.kind {
        Kind::Integer | Kind::Number => learn_numbers(column, reading, watch, &mut learnt)?,
        Kind::Date | Kind::DateTime => learn_times(column, reading, watch, &mut learnt)?,
        Kind::Time | Kind::Duration => learn_clocks(column, reading, watch, &mut learnt)?,
        Kind::Boolean | Kind::Text => learn_texts(column, watch, &mut learnt)?,
        Kind::Empty => {}
    }
    Ok(learnt)
}

fn learn_numbers(
    column: &Column,
    reading: Reading,
    watch: &dyn Watch,
    learnt: &mut Learnt,
) -> Result<(), AnalysisError> {
    let cells = column.values()?;
    watch.check()?;
    let (mut below, mut above, mut counting_up) = (0, 0, false);
    let (runs, codes) = match &cells {
        Values::Integers(cells) => {
            let rising = cells.iter().zip(cells.iter().skip(1)).all(|(one, next)| one < next);
            counting_up = rising && cells.get(0).is_some();
            let key = |row: usize| cells.get(row);
            Runs::of(cells.len(), key, Scale::Parts(1.0), reading.keep, reading.alone)
        }
        Values::Numbers(cells) => {
            let scale = Scale::of(cells);
            below = cells.iter().filter(|cell| **cell == f64::NEG_INFINITY).count() as u64;
            above = cells.iter().filter(|cell| **cell == f64::INFINITY).count() as u64;
            let key = |row: usize| scale.key(cells[row]);
            Runs::of(cells.len(), key, scale, reading.keep, reading.alone)
        }
        Values::Times(_) | Values::Texts => return Ok(()),
    };
    watch.check()?;
    let mut values = finite(cells);
    learnt.totalled = is_totalled(&values).filter(|_| runs.keys.len() >= LEAST_TOTALLED);
    learnt.infinite = below + above;
    learnt.finite_distinct = runs.keys.len();
    order_numbers(&runs, below, above, &mut learnt.numbers);
    if learnt.infinite == 0 {
        // Nobody else needs them then, so there is no second copy.
        let spare = !(reading.keep && reading.here);
        let cells = if spare { Cow::Owned(std::mem::take(&mut values)) } else { (&values).into() };
        moments(&runs, cells, &mut learnt.numbers);
    }
    watch.check()?;
    learnt.numbers.top = top_numbers(&runs, column.kind, below, above);
    learnt.imbalance = imbalance_of_two(&runs.counts).filter(|_| learnt.infinite == 0);
    let complete = column.missing == 0 && column.invalid.count == 0;
    let whole = column.kind == Kind::Integer && complete;
    learnt.numbers.histogram = histogram(&runs, whole, MOST_BINS);
    learnt.spread = spread(&runs, column.kind, &column.name);
    learnt.drawn = match &learnt.spread {
        Some(spread) => spread.shown,
        None => runs.ends().unwrap_or_default(),
    };
    learnt.identifier =
        whole && is_identifier(&runs, counting_up, &column.name) && learnt.numbers.count > 2;
    if reading.keep {
        learnt.kept = Some(Kept::new(values, codes, reading.here)?);
    }
    Ok(())
}

/// Whether the last number is the sum of all others, as the last row of a sheet may have it.
fn is_totalled(values: &[f64]) -> Option<bool> {
    let (last, others) = values.split_last()?;
    let others = || others.iter().filter(|value| !value.is_nan());
    let (sum, size): (f64, f64) = (others().sum(), others().map(|value| value.abs()).sum());
    // Sums are often of rounded numbers.
    let same = sum != 0.0 && (last - sum).abs() <= 1e-9 * size;
    (!last.is_nan()).then_some(same)
}

/// Everything that only needs the order of the values.
fn order_numbers(runs: &Runs, below: u64, above: u64, numbers: &mut ColumnNumbers) {
    numbers.distinct += runs.keys.len() as u64 + u64::from(below > 0) + u64::from(above > 0);
    let quantile = |part| runs.quantile(part, below, above);
    (numbers.min, numbers.max) = (quantile(0.0), quantile(1.0));
    (numbers.q25, numbers.median, numbers.q75) = (quantile(0.25), quantile(0.5), quantile(0.75));
    // 0 has the key 0 on every scale.
    let zero = runs.keys.partition_point(|&key| key < 0);
    let after = runs.keys.partition_point(|&key| key <= 0);
    numbers.negatives = Some(runs.cells(0, zero) + below);
    numbers.zeros = Some(runs.cells(zero, after));
    numbers.outliers = Some(match (numbers.q25, numbers.q75) {
        (Some(low), Some(high)) => {
            let reach = 1.5 * (high - low);
            let inside = runs.below(low - reach)..runs.up_to(high + reach);
            runs.total - runs.cells(inside.start, inside.end) + below + above
        }
        _ => 0,
    });
}

/// Mean, deviation, skewness and kurtosis, by polars.
fn moments(runs: &Runs, values: Cow<'_, [f64]>, numbers: &mut ColumnNumbers) {
    if runs.keys.len() < 2 {
        // A column of one value has no shape, and its mean is free of rounding.
        numbers.mean = runs.ends().map(|(value, _)| value);
        numbers.std = (runs.total > 1).then_some(0.0);
        return;
    }
    // Near 0, where floats are finest: around 1,000,000 polars' skewness loses eight digits.
    let middle = numbers.median.unwrap_or(0.0);
    let present: Vec<f64> = match values {
        Cow::Owned(values) => {
            let present = values.into_iter().filter(|value| !value.is_nan());
            present.map(|value| value - middle).collect()
        }
        Cow::Borrowed(values) => {
            let mut present = Vec::with_capacity(runs.total as usize);
            let there = values.iter().filter(|value| !value.is_nan());
            present.extend(there.map(|value| value - middle));
            present
        }
    };
    let series = Float64Chunked::from_vec(PlSmallStr::EMPTY, present).into_series();
    let defined = |number: Option<f64>| number.filter(|number| number.is_finite());
    numbers.mean = defined(series.mean().map(|mean| mean + middle));
    numbers.std = defined(series.std(1));
    if runs.total >= 3 {
        numbers.skew = defined(series.skew(false).ok().flatten());
    }
    if runs.total >= 4 {
        numbers.kurtosis = defined(series.kurtosis(true, false).ok().flatten());
    }
}

fn top_numbers(runs: &Runs, kind: Kind, below: u64, above: u64) -> Vec<(Value, u64)> {
    // JSON has no infinity, so it is a word there.
    let infinite = |word: &str| Value::String(word.to_owned());
    let mut top = Top::<usize>::new(MOST_TOP);
    if below > 0 {
        top.offer(&0, below);
    }
    for (index, &count) in runs.counts.iter().enumerate() {
        top.offer(&(index + 1), u64::from(count));
    }
    if above > 0 {
        top.offer(&(runs.keys.len() + 1), above);
    }
    let value = |place: usize| match place.checked_sub(1) {
        None => infinite("-inf"),
        Some(index) if index >= runs.keys.len() => infinite("inf"),
        Some(index) if kind == Kind::Integer => Value::from(runs.keys[index]),
        Some(index) => Value::from(runs.value(index)),
    };
    top.entries.into_iter().map(|(place, count)| (value(place), count)).collect()
}

/// The box of a column, over its finite values, and the bins of those that are shown.
fn spread(runs: &Runs, kind: Kind, name: &str) -> Option<Spread> {
    let shown = histogram::shown(runs)?;
    let integers = match kind {
        Kind::Integer => histogram::of_integers(runs, shown, MOST_DRAWN_BINS),
        _ => None,
    };
    let histogram = integers.or_else(|| histogram::within(runs, shown, false, MOST_DRAWN_BINS))?;
    let outside = runs.total - histogram.counts.iter().sum::<u64>();
    let quartile = |part| runs.quantile(part, 0, 0);
    let quartiles = (quartile(0.25)?, quartile(0.5)?, quartile(0.75)?);
    let reach = 1.5 * (quartiles.2 - quartiles.0);
    let low = runs.below(quartiles.0 - reach);
    let high = runs.up_to(quartiles.2 + reach).max(low + 1);
    // A whisker never ends inside the box.
    let whiskers = (runs.value(low).min(quartiles.0), runs.value(high - 1).max(quartiles.2));
    let beyond = low + (runs.keys.len() - high.min(runs.keys.len()));
    let index = |place: usize| if place < low { place } else { place - low + high };
    let outliers = if beyond <= MOST_DRAWN_OUTLIERS {
        (0..beyond).map(|place| runs.value(index(place))).collect()
    } else {
        let last = MOST_DRAWN_OUTLIERS - 1;
        let chosen = (0..=last).map(|part| part * (beyond - 1) / last);
        chosen.map(|place| runs.value(index(place))).collect()
    };
    let column = name.to_owned();
    Some(Spread { column, histogram, shown, outside, whiskers, quartiles, outliers })
}

/// Whether whole numbers only name their rows: all different, and called so or counting up by
/// one. A plain list of years counts up as well, but says something.
fn is_identifier(runs: &Runs, counting_up: bool, name: &str) -> bool {
    if runs.keys.len() as u64 != runs.total {
        return false;
    }
    let name = name.trim().to_lowercase();
    let called = ["id", "no", "no.", "nr", "index", "key", "#", "序号", "编号", "id号", "学号"]
        .contains(&name.as_str())
        || ["_id", " id", "-id", "编号", "序号"].iter().any(|end| name.ends_with(end));
    let (Some(&first), Some(&last)) = (runs.keys.first(), runs.keys.last()) else { return false };
    let dense = last.abs_diff(first) == runs.total - 1;
    let years = first >= 1000 && last < 3000;
    called || (counting_up && dense && !years)
}

/// Two numbers are a choice, not an amount: how far they are from coming equally often, as with
/// texts.
fn imbalance_of_two(counts: &[u32]) -> Option<f64> {
    let &[one, other] = counts else { return None };
    let all = f64::from(one) + f64::from(other);
    let part = |count: u32| f64::from(count) / all;
    Some(1.0 + [one, other].map(|count| part(count) * part(count).log2()).iter().sum::<f64>())
}

fn learn_times(
    column: &Column,
    reading: Reading,
    watch: &dyn Watch,
    learnt: &mut Learnt,
) -> Result<(), AnalysisError> {
    let Values::Times(cells) = column.values()? else { return Ok(()) };
    watch.check()?;
    let key = |row: usize| cells.get(row);
    let (runs, _) = Runs::of(cells.len(), key, Scale::Parts(1.0), false, reading.alone);
    watch.check()?;
    learnt.numbers.distinct += runs.keys.len() as u64;
    let (Some(&first), Some(&last)) = (runs.keys.first(), runs.keys.last()) else { return Ok(()) };
    let date_only = column.kind == Kind::Date;
    let mut top = Top::<i64>::new(MOST_TOP);
    for (key, &count) in runs.keys.iter().zip(&runs.counts) {
        top.offer(key, u64::from(count));
    }
    let json = |(time, count)| (Value::String(calendar::iso(time, date_only)), count);
    learnt.numbers.top = top.entries.into_iter().map(json).collect();
    learnt.numbers.first = Some(calendar::iso(first, date_only));
    learnt.numbers.last = Some(calendar::iso(last, date_only));
    learnt.timeline =
        Some(Timeline::of(&column.name, &cells, (first, last), date_only, reading.buckets));
    Ok(())
}

fn learn_clocks(
    column: &Column,
    reading: Reading,
    watch: &dyn Watch,
    learnt: &mut Learnt,
) -> Result<(), AnalysisError> {
    let Values::Times(cells) = column.values()? else { return Ok(()) };
    watch.check()?;
    let key = |row: usize| cells.get(row);
    let (runs, _) = Runs::of(cells.len(), key, Scale::Parts(1.0), false, reading.alone);
    let numbers = &mut learnt.numbers;
    numbers.distinct += runs.keys.len() as u64;
    let (Some(&first), Some(&last)) = (runs.keys.first(), runs.keys.last()) else { return Ok(()) };
    let mut top = Top::<i64>::new(MOST_TOP);
    let mut sum = 0_i128;
    for (key, &count) in runs.keys.iter().zip(&runs.counts) {
        top.offer(key, u64::from(count));
        sum += i128::from(*key) * i128::from(count);
    }
    let json = |(time, count)| (Value::String(calendar::clock(time)), count);
    numbers.top = top.entries.into_iter().map(json).collect();
    (numbers.first, numbers.last) = (Some(calendar::clock(first)), Some(calendar::clock(last)));
    let seconds = (sum as f64 / runs.total as f64 / 1e6).round();
    numbers.mean_time = Some(calendar::clock(seconds as i64 * 1_000_000));
    Ok(())
}

/// The numbers of a column by row; NaN where there is none, or an infinite one.
pub(super) fn finite_values(column: &Column) -> Result<Vec<f64>, AnalysisError> {
    column.values().map(finite)
}

/// Whether the last row sums the others, in all columns of numbers or nearly.
pub(crate) fn has_totals(table: &Table) -> Result<bool, AnalysisError> {
    let (mut sums, mut all) = (0, 0);
    for column in table.columns.iter().filter(|column| column.kind.is_number()) {
        let values = finite_values(column)?;
        let distinct: HashSet<u64> =
            values.iter().filter(|v| !v.is_nan()).map(|v| v.to_bits()).take(1000).collect();
        if let Some(totalled) = is_totalled(&values).filter(|_| distinct.len() >= LEAST_TOTALLED) {
            all += 1;
            sums += usize::from(totalled);
        }
    }
    Ok(are_totals(sums, all))
}

/// Whether so many columns of all whose last cell is the sum of the others say that the row is one.
pub(super) fn are_totals(sums: usize, all: usize) -> bool {
    sums > 1 && sums * 4 >= all * 3
}

fn learn_texts(
    column: &Column,
    watch: &dyn Watch,
    learnt: &mut Learnt,
) -> Result<(), AnalysisError> {
    let TextFacts { top, imbalance, words, spelt } = texts::read(column, watch)?;
    let numbers = &mut learnt.numbers;
    numbers.distinct += column.distinct_texts();
    let json = |(text, count): &(String, u64)| (Value::String(text.clone()), *count);
    numbers.top = top.iter().take(MOST_TOP).map(json).collect();
    let valid = numbers.count.saturating_sub(numbers.invalid);
    learnt.category = texts::category(&column.name, top, column.distinct_texts(), valid);
    learnt.imbalance = imbalance;
    learnt.spelt = spelt;
    learnt.words = if column.kind == Kind::Text { words } else { 0.0 };
    Ok(())
}
