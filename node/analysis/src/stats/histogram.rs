//! Bins: as numpy's `histogram(bins="auto")` chooses them.

use super::runs::Runs;
use crate::numbers::Histogram;

/// numpy has no limit: a long tail over 10,000,000 rows would give 6,000 bins. Beyond this many,
/// the range is divided evenly into this many.
pub(super) const MOST_BINS: usize = 512;

/// Bins over the finite values, `None` without any or when their range is no float. `whole` for
/// integers without a missing cell, whose bins numpy keeps at least 1 wide (pandas makes floats of
/// integers with missing cells, so those are not `whole`).
pub(super) fn histogram(runs: &Runs, whole: bool, most: usize) -> Option<Histogram> {
    let (first, last) = runs.ends()?;
    let width = auto_width(runs, first, last)?;
    let width = if whole && width > 0.0 { width.max(1.0) } else { width };
    let (first, last) = if first == last { (first - 0.5, last + 0.5) } else { (first, last) };
    if !(last - first).is_finite() {
        return None;
    }
    let bins = if width > 0.0 { ((last - first) / width).ceil() as usize } else { 1 };
    let edges = edges(first, last, bins.clamp(1, most));
    let mut counts = vec![0; edges.len() - 1];
    let mut bin = 0;
    for (value, count) in runs.iter() {
        while bin + 1 < counts.len() && value >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += count;
    }
    Some(Histogram { edges, counts })
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
