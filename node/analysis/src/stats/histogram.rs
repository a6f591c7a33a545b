//! Bins: as numpy's `histogram(bins="auto")` chooses them, and those that are drawn.

use super::runs::Runs;
use crate::numbers::Histogram;

/// numpy has no limit: a long tail over 10,000,000 rows would give 6,000 bins. Beyond this many,
/// the range is divided evenly into this many.
pub(super) const MOST_BINS: usize = 512;

/// Bins over the finite values, `None` without any or when their range is no float. `whole` for
/// integers without a missing cell, whose bins numpy keeps at least 1 wide (pandas makes floats of
/// integers with missing cells, so those are not `whole`).
pub(super) fn histogram(runs: &Runs, whole: bool, most: usize) -> Option<Histogram> {
    within(runs, runs.ends()?, whole, most)
}

/// Bins of the values from `first` to `last`.
pub(super) fn within(
    runs: &Runs,
    (first, last): (f64, f64),
    whole: bool,
    most: usize,
) -> Option<Histogram> {
    let width = auto_width(runs, first, last)?;
    let width = if whole && width > 0.0 { width.max(1.0) } else { width };
    let (first, last) = if first == last { (first - 0.5, last + 0.5) } else { (first, last) };
    if !(last - first).is_finite() {
        return None;
    }
    let bins = if width > 0.0 { ((last - first) / width).ceil() as usize } else { 1 };
    Some(filled(runs, edges(first, last, bins.clamp(1, most))))
}

/// Integers up to this range have a bin each.
const EACH: f64 = 30.0;

/// Beyond, a half more or less is no float.
const HALVES: f64 = 1e15;

/// Bins of integers from `first` to `last`, each with equally many integers, whose middles are
/// where an axis has them: numpy's have two integers in the last bin. None when they are too
/// large for it.
pub(super) fn of_integers(
    runs: &Runs,
    (first, last): (f64, f64),
    most: usize,
) -> Option<Histogram> {
    let integers = last - first + 1.0;
    if !(-HALVES < first && last < HALVES && integers < HALVES) {
        return None;
    }
    let least = (integers / most as f64).ceil();
    let width = match integers <= EACH {
        true => 1.0,
        false => least.max(auto_width(runs, first, last)?.floor()),
    };
    let bins = (integers / width).ceil() as usize;
    let edge = |place: usize| first - 0.5 + place as f64 * width;
    Some(filled(runs, (0..=bins).map(edge).collect()))
}

/// Counts the values between the first and the last edge.
fn filled(runs: &Runs, edges: Vec<f64>) -> Histogram {
    let mut counts = vec![0; edges.len() - 1];
    let mut bin = 0;
    let (from, to) = (runs.below(edges[0]), runs.up_to(edges[edges.len() - 1]));
    for (value, count) in runs.iter().take(to).skip(from) {
        while bin + 1 < counts.len() && value >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += count;
    }
    Histogram { edges, counts }
}

/// numpy's `_hist_bin_auto`: the finer of Sturges and Freedman-Diaconis, the latter not finer than
/// half of the square-root rule.
fn auto_width(runs: &Runs, first: f64, last: f64) -> Option<f64> {
    let cells = runs.total as f64;
    let quartiles = runs.quantile(0.75, 0, 0)? - runs.quantile(0.25, 0, 0)?;
    let freedman = 2.0 * quartiles * cells.powf(-1.0 / 3.0);
    let root = (last - first) / cells.sqrt();
    let sturges = (last - first) / (cells.log2() + 1.0);
    Some(freedman.max(root / 2.0).min(sturges))
}

/// numpy's `linspace`; fewer bins where floats are too coarse for so many.
fn edges(first: f64, last: f64, mut bins: usize) -> Vec<f64> {
    loop {
        let step = (last - first) / bins as f64;
        let mut edges: Vec<f64> = (0..bins).map(|edge| edge as f64 * step + first).collect();
        edges.push(last);
        if bins == 1 || edges.is_sorted_by(|a, b| a < b) {
            return edges;
        }
        bins /= 2;
    }
}

/// Interquartile ranges beyond the quartiles that are always shown.
const REACH: f64 = 5.0;

/// The part of the cells that may be left out at one end. More are not outliers but a shape.
const LEFT_OUT: f64 = 0.025;

/// All values are shown unless they span that many times what would be left.
const WIDER: f64 = 3.0;

/// From which value to which a chart shows the column: to its ends, but without the furthest
/// values of a range that they make much wider. A single wrong value must not squeeze all others
/// into one bar.
pub(super) fn shown(runs: &Runs) -> Option<(f64, f64)> {
    let (first, last) = runs.ends()?;
    let quantile = |part| runs.quantile(part, 0, 0);
    let (lower, upper) = (quantile(0.25)?, quantile(0.75)?);
    let reach = REACH * (upper - lower);
    let low = (lower - reach).min(quantile(LEFT_OUT)?);
    let high = (upper + reach).max(quantile(1.0 - LEFT_OUT)?);
    // From value to value, so that the picture does not begin with nothing.
    let low = runs.value(runs.below(low));
    let high = runs.value(runs.up_to(high).saturating_sub(1));
    let clipped = low < high && last - first > WIDER * (high - low);
    Some(if clipped { (low, high) } else { (first, last) })
}

#[cfg(test)]
mod tests {
    use super::super::runs::Scale;
    use super::*;

    fn of(cells: impl Iterator<Item = i64>) -> Option<(f64, f64)> {
        let cells: Vec<i64> = cells.collect();
        let key = |row: usize| cells.get(row).copied();
        shown(&Runs::of(cells.len(), key, Scale::Parts(1.0), false, false).0)
    }

    #[test]
    fn a_few_wrong_values_are_left_out() {
        assert_eq!(of((0..1000).chain([1_000_000_000])), Some((0.0, 999.0)));
        assert_eq!(of((0..1000).chain([-99_999, -99_999])), Some((0.0, 999.0)));
    }

    #[test]
    fn whatever_is_a_shape_is_shown() {
        assert_eq!(of(0..1000), Some((0.0, 999.0)));
        // A tenth of the cells says something, however far it lies.
        assert_eq!(of((0..900).chain((0..100).map(|_| 99_999))), Some((0.0, 99_999.0)));
        assert_eq!(of((0..1000).map(|row| i64::from(row % 20 == 0))), Some((0.0, 1.0)));
        assert_eq!(of([7, 7, 7, 7, 7, 7, 9].into_iter()), Some((7.0, 9.0)));
        assert_eq!(of(std::iter::once(5)), Some((5.0, 5.0)));
        assert_eq!(of(std::iter::empty()), None);
    }
}
