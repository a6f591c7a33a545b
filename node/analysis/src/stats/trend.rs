//! Rows and means over time, in steps of the calendar.

use std::ops::RangeInclusive;

use rayon::prelude::*;

use super::calendar;
use super::column::Learnt;
use crate::AnalysisError;
use crate::facets::{Step, Trend};
use crate::table::Table;
use crate::table::Wholes;
use crate::watch::Watch;

/// Buckets that a chart has room for, and that read best.
const MOST_BUCKETS: i64 = 400;
const WANTED_BUCKETS: RangeInclusive<i64> = 12..=120;

/// Number columns drawn over one date column.
const MOST_MEANS: usize = 6;

/// The bucket of a row without a time, or outside of the chart.
const NONE: u16 = u16::MAX;

/// From fine to coarse.
const STEPS: [Step; 7] =
    [Step::Minute, Step::Hour, Step::Day, Step::Week, Step::Month, Step::Quarter, Step::Year];

/// One date column.
pub(super) struct Timeline {
    /// Without means yet.
    trend: Trend,
    /// By row, or empty when no means are wanted.
    buckets: Vec<u16>,
}

impl Timeline {
    /// Puts times into buckets. A span of over 400 years (a wrong date, or one that means "never")
    /// shows the 400 that end with the median's century.
    pub(super) fn of(
        name: &str,
        times: &Wholes,
        ends: (i64, i64),
        date_only: bool,
        keep: bool,
    ) -> Self {
        let (step, first, size) = axis(times, ends, date_only);
        let starts: Vec<i64> = (0..size).map(|part| calendar::start(step, first + part)).collect();
        let end = calendar::start(step, first + size);
        let mut counts = vec![0; starts.len()];
        let mut buckets = Vec::with_capacity(if keep { times.len() } else { 0 });
        let mut last = 0;
        for time in times.iter() {
            let bucket = time.filter(|time| (starts[0]..end).contains(time)).map(|time| {
                // Files are often in order of time: look at the last bucket first.
                let next = starts.get(last + 1).copied().unwrap_or(end);
                if time < starts[last] || time >= next {
                    last = starts.partition_point(|start| *start <= time) - 1;
                }
                counts[last] += 1;
                last as u16
            });
            if keep {
                buckets.push(bucket.unwrap_or(NONE));
            }
        }
        let trend = Trend { column: name.to_owned(), step, starts, counts, means: Vec::new() };
        Self { trend, buckets }
    }

    /// Means of a number column by bucket.
    fn means(&self, values: &[f64]) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0u64); self.trend.starts.len()];
        for (&bucket, &value) in self.buckets.iter().zip(values) {
            if let Some(sum) = sums.get_mut(usize::from(bucket)).filter(|_| !value.is_nan()) {
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
        let mean = |(sum, count): (f64, u64)| (count > 0).then(|| sum / count as f64);
        sums.into_iter().map(|sum| mean(sum).filter(|mean| mean.is_finite())).collect()
    }
}

/// The step, the first bucket and how many there are: at least one.
fn axis(times: &Wholes, ends: (i64, i64), date_only: bool) -> (Step, i64, i64) {
    let finest = if date_only { 2 } else { 0 };
    let size = |step: Step| calendar::bucket(step, ends.1) - calendar::bucket(step, ends.0) + 1;
    let steps = &STEPS[finest..];
    let fine = steps.iter().position(|&step| size(step) <= *WANTED_BUCKETS.end());
    let chosen = match fine {
        // Too coarse: the step before may have many buckets, but not too many.
        Some(index) if index > 0 && size(steps[index]) < *WANTED_BUCKETS.start() => {
            let finer = steps[index - 1];
            if size(finer) <= MOST_BUCKETS { finer } else { steps[index] }
        }
        Some(index) => steps[index],
        None => Step::Year,
    };
    let first = calendar::bucket(chosen, ends.0);
    if size(chosen) <= MOST_BUCKETS {
        return (chosen, first, size(chosen));
    }
    let mut years: Vec<i64> =
        times.iter().flatten().map(|time| calendar::bucket(Step::Year, time)).collect();
    let middle = years.len() / 2;
    let median = *years.select_nth_unstable(middle).1;
    let start = median - MOST_BUCKETS + 100 - (median + 1970).rem_euclid(100);
    (Step::Year, start, MOST_BUCKETS)
}

/// All trends, with the means of the first number columns that are not identifiers.
pub(super) fn trends(
    table: &Table,
    learnt: &mut [Learnt],
    at_once: usize,
    watch: &dyn Watch,
) -> Result<Vec<Trend>, AnalysisError> {
    let mut lines: Vec<Timeline> =
        learnt.iter_mut().filter_map(|learnt| learnt.timeline.take()).collect();
    let varies = |learnt: &Learnt| {
        learnt.kept.is_some() && !learnt.identifier && learnt.numbers.std.unwrap_or(1.0) > 0.0
    };
    let drawn: Vec<usize> = (0..learnt.len()).filter(|&index| varies(&learnt[index])).collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let means_of = |&index: &usize| {
        watch.check()?;
        let Some(kept) = &learnt[index].kept else { return Ok(Vec::new()) };
        let values = kept.values(&table.columns[index])?;
        Ok::<_, AnalysisError>(lines.iter().map(|line| line.means(&values)).collect())
    };
    let mut found = Vec::new();
    for some in drawn[..drawn.len().min(MOST_MEANS)].chunks(at_once.max(1)) {
        let means: Vec<Vec<_>> = some.par_iter().map(means_of).collect::<Result<_, _>>()?;
        found.extend(some.iter().copied().zip(means));
    }
    for (index, means) in found {
        for (line, means) in lines.iter_mut().zip(means) {
            if !line.buckets.is_empty() {
                line.trend.means.push((table.columns[index].name.clone(), means));
            }
        }
    }
    Ok(lines.into_iter().map(|line| line.trend).collect())
}
