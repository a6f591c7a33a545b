//! Pearson's and Spearman's coefficients of every two number columns, over the rows where both
//! have a finite value, as pandas' `DataFrame.corr` gives them. Spearman's ranks are taken among
//! those rows, equal values sharing their average rank. Integers beyond 2^53 are ranked exactly,
//! where pandas rounds them to floats first.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::column::Learnt;
use super::shelf::Kept;
use crate::AnalysisError;
use crate::numbers::{Correlation, Matrix};
use crate::table::Table;
use crate::watch::{Stage, Watch};

/// Columns that are compared, at most: a picture of more cannot be read.
const MOST_COLUMNS: u64 = 100;

/// Pairs times rows, at most; about ten seconds on two threads.
const MOST_WORK: u64 = 2_000_000_000;

/// Columns that are compared however many rows there are.
const LEAST_COLUMNS: u64 = 12;

/// Rows summed before rounding errors are passed on.
const SUMMED: usize = 1024;

/// One pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Indices of the columns in the table, the first smaller.
    pub columns: (usize, usize),
    /// Pearson's coefficient.
    pub pearson: Option<f64>,
    /// Spearman's coefficient.
    pub spearman: Option<f64>,
    /// Rows where both have a value.
    pub rows: u64,
}

/// The number columns that are compared, in the order of the file: all, or the first with at
/// least two values when there are too many. Also, how many number columns there are.
pub(super) fn choose(table: &Table) -> (Vec<usize>, usize) {
    let numbers: Vec<usize> =
        (0..table.columns.len()).filter(|&at| table.columns[at].kind.is_number()).collect();
    let most = (LEAST_COLUMNS..MOST_COLUMNS)
        .rev()
        .map(|columns| columns + 1)
        .find(|columns| columns * (columns - 1) / 2 * table.rows <= MOST_WORK)
        .unwrap_or(LEAST_COLUMNS) as usize;
    let all = numbers.len();
    if all <= most {
        return (numbers, all);
    }
    let filled = |index: &usize| {
        let column = &table.columns[*index];
        table.rows.saturating_sub(column.missing + column.invalid.count) > 1
    };
    (numbers.into_iter().filter(filled).take(most).collect(), all)
}

/// Compares the chosen columns. `memory` is in bytes.
pub(super) fn pairs(
    table: &Table,
    learnt: &[Learnt],
    chosen: &[usize],
    memory: u64,
    watch: &dyn Watch,
) -> Result<Vec<Pair>, AnalysisError> {
    let sides: Vec<(usize, &Kept)> =
        chosen.iter().filter_map(|&at| Some((at, learnt[at].kept.as_ref()?))).collect();
    let here = sides.iter().all(|(_, kept)| matches!(kept, Kept::Here { .. }));
    let at_once = |bytes: u64| match (memory / (bytes * table.rows).max(1)) as usize {
        _ if here => sides.len(),
        fitting => fitting,
    };
    let total = sides.len() * sides.len().saturating_sub(1);
    let done = AtomicUsize::new(0);
    let tick = || {
        let done = done.fetch_add(1, Ordering::Relaxed) as f32 / total.max(1) as f32;
        watch.stage(Stage::Counting, super::AFTER_COLUMNS + done * super::FOR_PAIRS);
        watch.check()
    };
    let values = |side: usize| {
        let (at, kept) = sides[side];
        Ok((kept.values(&table.columns[at])?, middle(&learnt[at])))
    };
    let pearson = by_blocks(sides.len(), at_once(8), values, |one, other| {
        tick().map(|()| pearson((&one.0, one.1), (&other.0, other.1)))
    })?;
    let ranks = |side: usize| Ranked::of(sides[side].1.codes()?, watch);
    let spearman = by_blocks(sides.len(), at_once(16), ranks, |one, other| {
        tick().and_then(|()| spearman(one, other, watch))
    })?;
    let pair = |(linear, ranked): (&Compared<_>, &Compared<_>)| {
        let ((one, other, (pearson, rows)), (_, _, spearman)) = (*linear, *ranked);
        Pair { columns: (sides[one].0, sides[other].0), pearson, spearman, rows }
    };
    Ok(pearson.iter().zip(&spearman).map(pair).collect())
}

/// A value near the others, so that sums of squares keep their digits.
fn middle(learnt: &Learnt) -> f64 {
    learnt.numbers.mean.or(learnt.numbers.median).unwrap_or(0.0)
}

/// The matrices of `numbers.json`.
pub(super) fn matrices(
    table: &Table,
    learnt: &[Learnt],
    chosen: &[usize],
    pairs: &[Pair],
) -> Correlation {
    let name = |index: usize| table.columns[index].name.clone();
    let diagonal = || -> Matrix {
        let own = |&index: &usize| {
            let varies = learnt[index].finite_distinct > 1;
            (name(index), [(name(index), varies.then_some(1.0))].into())
        };
        chosen.iter().map(own).collect()
    };
    let mut found = Correlation { pearson: diagonal(), spearman: diagonal() };
    for pair in pairs {
        let (one, other) = pair.columns;
        for (one, other) in [(one, other), (other, one)] {
            let row = |matrix: &mut Matrix, number| {
                matrix.entry(name(one)).or_default().insert(name(other), number);
            };
            row(&mut found.pearson, pair.pearson);
            row(&mut found.spearman, pair.spearman);
        }
    }
    found
}

/// Two columns, and what came of comparing them.
type Compared<R> = (usize, usize, R);

/// Calls `each` for every pair of `0..columns`, with at most `at_once` (at least 2) loaded.
fn by_blocks<T: Send + Sync, R: Send>(
    columns: usize,
    at_once: usize,
    load: impl Fn(usize) -> Result<T, AnalysisError> + Sync,
    each: impl Fn(&T, &T) -> Result<R, AnalysisError> + Sync,
) -> Result<Vec<Compared<R>>, AnalysisError> {
    let block = if at_once >= columns { columns.max(1) } else { (at_once / 2).max(1) };
    let block_from = |start: usize| -> Result<Vec<(usize, T)>, AnalysisError> {
        let wanted = start..(start + block).min(columns);
        wanted.into_par_iter().map(|at| Ok((at, load(at)?))).collect()
    };
    let mut found = Vec::new();
    for start in (0..columns).step_by(block) {
        let ones = block_from(start)?;
        for next in (start..columns).step_by(block) {
            let loaded = if next > start { Some(block_from(next)?) } else { None };
            let others = loaded.as_ref().unwrap_or(&ones);
            let pairs: Vec<_> = ones
                .iter()
                .flat_map(|one| others.iter().map(move |other| (one, other)))
                .filter(|(one, other)| one.0 < other.0)
                .collect();
            let compare = |((at, one), (to, other)): (&(usize, T), &(usize, T))| {
                Ok((*at, *to, each(one, other)?))
            };
            let numbers: Vec<Compared<R>> =
                pairs.into_par_iter().map(compare).collect::<Result<_, AnalysisError>>()?;
            found.extend(numbers);
        }
    }
    found.sort_by_key(|(one, other, _)| (*one, *other));
    Ok(found)
}

/// Sums over the rows where both have a value, of the distances from two middles.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Sums {
    fn of(one: (&[f64], f64), other: (&[f64], f64)) -> Self {
        let mut all = Self::default();
        for (xs, ys) in one.0.chunks(SUMMED).zip(other.0.chunks(SUMMED)) {
            let mut lanes = [Self::default(); 4];
            for (xs, ys) in xs.chunks(4).zip(ys.chunks(4)) {
                for ((&x, &y), lane) in xs.iter().zip(ys).zip(&mut lanes) {
                    lane.add(x - one.1, y - other.1);
                }
            }
            lanes.iter().for_each(|lane| all.join(lane));
        }
        all
    }

    /// Without a branch, so that the compiler can take several rows at once.
    fn add(&mut self, x: f64, y: f64) {
        let here = !x.is_nan() & !y.is_nan();
        let (x, y) = (if here { x } else { 0.0 }, if here { y } else { 0.0 });
        self.rows += if here { 1.0 } else { 0.0 };
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.yy += y * y;
        self.xy += x * y;
    }

    fn join(&mut self, other: &Self) {
        self.rows += other.rows;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    /// Squared deviations from the means of these rows.
    fn squares(&self) -> (f64, f64) {
        (self.xx - self.x * self.x / self.rows, self.yy - self.y * self.y / self.rows)
    }
}

/// Pearson's coefficient, and of how many rows; each side is values by row and a middle. When the middles are far from
/// the means of the shared rows, digits would cancel, so the sums are taken again from those means.
fn pearson(one: (&[f64], f64), other: (&[f64], f64)) -> (Option<f64>, u64) {
    let sums = Sums::of(one, other);
    (coefficient(one, other, sums), sums.rows as u64)
}

fn coefficient(one: (&[f64], f64), other: (&[f64], f64), mut sums: Sums) -> Option<f64> {
    if sums.rows == 0.0 {
        return None;
    }
    let (xx, yy) = sums.squares();
    if xx < 1e-3 * sums.xx || yy < 1e-3 * sums.yy {
        let means = (one.1 + sums.x / sums.rows, other.1 + sums.y / sums.rows);
        sums = Sums::of((one.0, means.0), (other.0, means.1));
    }
    let (xx, yy) = sums.squares();
    // What is left of a constant is rounding.
    if xx <= 1e-12 * sums.xx || yy <= 1e-12 * sums.yy {
        return None;
    }
    let together = sums.xy - sums.x * sums.y / sums.rows;
    let found = together / (xx.sqrt() * yy.sqrt());
    found.is_finite().then(|| found.clamp(-1.0, 1.0))
}

/// A column by rank.
struct Ranked<'a> {
    codes: Cow<'a, [u32]>,
    ranks: Ranks,
    /// The rank of each row; 0, their mean, where there is none, so that it adds nothing.
    by_row: Vec<i32>,
    /// How many codes there are.
    distinct: usize,
}

/// The rank of each code among some rows: twice the average rank, less its mean, which is a whole
/// number, so that sums are exact.
struct Ranks {
    by_code: Vec<i32>,
    rows: u64,
    squares: u128,
}

impl Ranks {
    fn of(mut counts: Vec<i32>) -> Self {
        let rows: i64 = counts.iter().map(|&count| i64::from(count)).sum();
        let (mut before, mut squares) = (0i64, 0u128);
        for count in &mut counts {
            let same = i64::from(*count);
            let rank = 2 * before + same - rows;
            squares += u128::from(rank.unsigned_abs()).pow(2) * u128::from(same.unsigned_abs());
            before += same;
            *count = rank as i32;
        }
        Self { by_code: counts, rows: rows as u64, squares }
    }
}

impl<'a> Ranked<'a> {
    fn of(codes: Cow<'a, [u32]>, watch: &dyn Watch) -> Result<Self, AnalysisError> {
        watch.check()?;
        let most = codes.iter().filter(|&&code| code != super::runs::MISSING).max();
        let distinct = most.map_or(0, |&code| code as usize + 1);
        let mut counts = vec![0; distinct];
        for &code in codes.iter() {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += 1;
            }
        }
        let ranks = Ranks::of(counts);
        let rank = |code: &u32| ranks.by_code.get(*code as usize).map_or(0, |rank| *rank);
        let by_row = codes.iter().map(rank).collect();
        Ok(Self { codes, ranks, by_row, distinct })
    }

    fn complete(&self) -> bool {
        self.ranks.rows == self.codes.len() as u64
    }

    /// Ranks among the rows where the other has a value, too; `None` when that is all rows of this.
    fn among(&self, other: &Self) -> Option<Ranks> {
        if other.complete() {
            return None;
        }
        let mut counts = vec![0; self.distinct];
        for (&code, &theirs) in self.codes.iter().zip(other.codes.iter()) {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += i32::from(theirs != super::runs::MISSING);
            }
        }
        Some(Ranks::of(counts))
    }

    /// The rank of each row by such ranks, 0 where there is none.
    fn by<'b>(&'b self, ranks: &'b Ranks) -> impl Iterator<Item = &'b i32> {
        self.codes.iter().map(|code| ranks.by_code.get(*code as usize).unwrap_or(&0))
    }
}

/// The sum of the products of ranks. Where one has no value, the other's rank counts for nothing.
fn products<'a>(
    ones: impl Iterator<Item = &'a i32>,
    others: impl Iterator<Item = &'a i32>,
) -> i128 {
    ones.zip(others).map(|(x, y)| i128::from(i64::from(*x) * i64::from(*y))).sum()
}

/// Spearman's coefficient: Pearson's of the ranks, whose mean is known.
fn spearman(
    one: &Ranked<'_>,
    other: &Ranked<'_>,
    watch: &dyn Watch,
) -> Result<Option<f64>, AnalysisError> {
    let (mine, theirs) = (one.among(other), other.among(one));
    watch.check()?;
    let together = match (&mine, &theirs) {
        (None, None) => products(one.by_row.iter(), other.by_row.iter()),
        (Some(mine), None) => products(one.by(mine), other.by_row.iter()),
        (None, Some(theirs)) => products(one.by_row.iter(), other.by(theirs)),
        (Some(mine), Some(theirs)) => products(one.by(mine), other.by(theirs)),
    };
    let (mine, theirs) =
        (mine.as_ref().unwrap_or(&one.ranks), theirs.as_ref().unwrap_or(&other.ranks));
    if mine.squares == 0 || theirs.squares == 0 {
        return Ok(None);
    }
    let found = together as f64 / ((mine.squares as f64).sqrt() * (theirs.squares as f64).sqrt());
    Ok(Some(found.clamp(-1.0, 1.0)))
}
