//! The strongest pairs of number columns, as points or, when there are many, as counts in a grid.

use rayon::prelude::*;

use super::column::Learnt;
use super::correlation::Pair;
use crate::AnalysisError;
use crate::facets::{Marks, Scatter};
use crate::table::Table;
use crate::watch::Watch;

/// Pairs that are drawn.
const MOST_PAIRS: usize = 6;

/// Points that a chart has room for; beyond, they hide each other.
const MOST_POINTS: usize = 50_000;

/// A coefficient below this is noise, and its picture a cloud.
const LEAST_COEFFICIENT: f64 = 0.1;

/// Fewer rows where both columns have a value prove nothing: two rows are always on a line.
const LEAST_ROWS: usize = 10;

/// Pairs that are looked at to find some with enough rows.
const MOST_TRIED: usize = 36;

/// Bins across and upwards.
const GRID: (usize, usize) = (80, 80);

/// The strongest pairs without identifiers, strongest first; of those that are weak or of few rows
/// only as many as are needed to have one. Of columns that have to be loaded, at most `at_once`
/// are, but always two.
pub(super) fn scatters(
    table: &Table,
    learnt: &[Learnt],
    pairs: &[Pair],
    at_once: usize,
    watch: &dyn Watch,
) -> Result<Vec<Scatter>, AnalysisError> {
    let draw = |&(pair, pearson): &(Pair, f64)| {
        watch.check()?;
        let (one, other) = pair.columns;
        let (Some(x), Some(y)) = (&learnt[one].kept, &learnt[other].kept) else { return Ok(None) };
        let (x, y) = (x.values(&table.columns[one])?, y.values(&table.columns[other])?);
        let part = (learnt[one].drawn, learnt[other].drawn);
        Ok(Some(Scatter {
            x: table.columns[one].name.clone(),
            y: table.columns[other].name.clone(),
            pearson,
            shown: Some(part),
            marks: marks(&x, &y, part.0, part.1),
        }))
    };
    let ordered = strongest(learnt, pairs);
    let at_once = (at_once / 2).clamp(1, MOST_PAIRS);
    let (mut found, mut of_few_rows, mut tried) = (Vec::new(), Vec::new(), 0);
    while found.len() < MOST_PAIRS && tried < ordered.len().min(MOST_TRIED) {
        let weak = |(_, pearson): &(Pair, f64)| pearson.abs() < LEAST_COEFFICIENT;
        let rest = &ordered[tried..];
        let wanted = at_once.min(MOST_PAIRS - found.len()).min(rest.len());
        let strong = rest[..wanted].iter().take_while(|pair| !weak(pair)).count();
        // One weak pair is better than none: it shows that there is nothing.
        let some = match strong {
            0 if found.is_empty() => &rest[..1],
            0 => break,
            strong => &rest[..strong],
        };
        tried += some.len();
        let more: Vec<_> = some.par_iter().map(draw).collect::<Result<_, AnalysisError>>()?;
        for scatter in more.into_iter().flatten() {
            let few = matches!(&scatter.marks, Marks::Points(all) if all.len() < LEAST_ROWS);
            if few { of_few_rows.push(scatter) } else { found.push(scatter) }
        }
    }
    if found.is_empty() {
        of_few_rows.truncate(MOST_PAIRS);
        found = of_few_rows;
    }
    Ok(found)
}

/// Pairs with a Pearson coefficient and without identifiers, strongest first.
pub(super) fn strongest(learnt: &[Learnt], pairs: &[Pair]) -> Vec<(Pair, f64)> {
    let named = |at: usize| learnt.get(at).is_none_or(|learnt| learnt.identifier);
    let mut ordered: Vec<(Pair, f64)> = pairs
        .iter()
        .filter(|pair| !named(pair.columns.0) && !named(pair.columns.1))
        .filter_map(|pair| Some((*pair, pair.pearson?)))
        .collect();
    ordered.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    ordered
}

fn marks(xs: &[f64], ys: &[f64], across: (f64, f64), upwards: (f64, f64)) -> Marks {
    let pairs = || {
        let both = xs.iter().copied().zip(ys.iter().copied());
        both.filter(|(x, y)| !x.is_nan() && !y.is_nan())
    };
    let points: Vec<_> = pairs().take(MOST_POINTS + 1).collect();
    if points.len() <= MOST_POINTS {
        return Marks::Points(points);
    }
    drop(points);
    let place = |value: f64, (from, to): (f64, f64), size: usize| {
        let part = (value - from) / (to - from) * size as f64;
        (value >= from && value <= to).then(|| (part as usize).min(size - 1))
    };
    let mut counts = vec![0u32; GRID.0 * GRID.1];
    let mut sums = Sums::about((across.0 + across.1) / 2.0, (upwards.0 + upwards.1) / 2.0);
    for (x, y) in pairs() {
        sums.add(x, y);
        if let (Some(x), Some(y)) = (place(x, across, GRID.0), place(y, upwards, GRID.1)) {
            counts[y * GRID.0 + x] += 1;
        }
    }
    let (pairs, line) = (sums.pairs as u64, sums.line());
    Marks::Bins { x: across, y: upwards, size: GRID, counts, pairs, line }
}

/// Sums of distances from a middle, so that they keep their digits.
struct Sums {
    middle: (f64, f64),
    pairs: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Sums {
    fn about(x: f64, y: f64) -> Self {
        Self { middle: (x, y), pairs: 0.0, x: 0.0, y: 0.0, xx: 0.0, xy: 0.0 }
    }

    fn add(&mut self, x: f64, y: f64) {
        let (x, y) = (x - self.middle.0, y - self.middle.1);
        self.pairs += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
    }

    /// Base and slope of the line of least squares.
    fn line(&self) -> Option<(f64, f64)> {
        let square = self.xx - self.x * self.x / self.pairs;
        let slope = (self.xy - self.x * self.y / self.pairs) / square;
        let mean = (self.middle.0 + self.x / self.pairs, self.middle.1 + self.y / self.pairs);
        let base = mean.1 - slope * mean.0;
        (square > 0.0 && slope.is_finite() && base.is_finite()).then_some((base, slope))
    }
}
