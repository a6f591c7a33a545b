//! Numbers and facets of small tables, computed plainly, to have something to draw.

use std::collections::BTreeMap;

use potluck_analysis::facets::{Category, Marks, Scatter, Spread, Step, Trend};
use potluck_analysis::numbers::{ColumnNumbers, Correlation, Histogram, Matrix};
use potluck_analysis::{Facets, Numbers};

/// A column of a table that is drawn.
pub enum Column {
    /// `None` is missing.
    Number(Vec<Option<f64>>),
    /// Empty is missing.
    Text(Vec<String>),
    /// Days since 1970.
    Day(Vec<i64>),
}

/// What charts are made of.
pub fn analyse(file: &str, table: &[(String, Column)]) -> (Numbers, Facets) {
    let rows = table.first().map_or(0, |(_, column)| len(column)) as u64;
    let mut facets = Facets::default();
    let mut columns = Vec::new();
    for (name, column) in table {
        columns.push(match column {
            Column::Number(cells) => {
                let (numbers, spread) = number_column(name, cells);
                facets.spreads.extend(spread);
                numbers
            }
            Column::Text(cells) => {
                let (numbers, category) = text_column(name, cells);
                facets.categories.push(category);
                numbers
            }
            Column::Day(days) => {
                facets.trends.push(trend(name, days, table));
                let count = days.len() as u64;
                ColumnNumbers { name: name.clone(), kind: "date".into(), count, ..<_>::default() }
            }
        });
    }
    let (pearson, scatters) = correlation(table);
    facets.scatters = scatters;
    let numbers = Numbers {
        file: file.to_owned(),
        encoding: "UTF-8".to_owned(),
        delimiter: ',',
        format: "text".to_owned(),
        sheet: None,
        groups: None,
        rows,
        bad_rows: 0,
        duplicate_rows: 0,
        columns,
        correlation: Correlation { pearson, spearman: Matrix::new() },
        alerts: Vec::new(),
    };
    (numbers, facets)
}

fn len(column: &Column) -> usize {
    match column {
        Column::Number(cells) => cells.len(),
        Column::Text(cells) => cells.len(),
        Column::Day(days) => days.len(),
    }
}

fn number_column(name: &str, cells: &[Option<f64>]) -> (ColumnNumbers, Option<Spread>) {
    let mut values: Vec<f64> = cells.iter().flatten().copied().collect();
    let missing = (cells.len() - values.len()) as u64;
    let mut numbers = ColumnNumbers {
        name: name.to_owned(),
        kind: "number".into(),
        count: values.len() as u64,
        missing,
        ..<_>::default()
    };
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let (Some(&min), Some(&max)) = (values.first(), values.last()) else { return (numbers, None) };
    let n = values.len() as f64;
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let moment = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
    let quantile = |part: f64| {
        let place = part * (n - 1.0);
        let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    let (lower, median, upper) = (quantile(0.25), quantile(0.5), quantile(0.75));
    let fence = 1.5 * (upper - lower);
    let inner = || values.iter().filter(|v| **v >= lower - fence && **v <= upper + fence);
    let whiskers = (*inner().next().unwrap_or(&min), *inner().next_back().unwrap_or(&max));
    let mut outliers: Vec<f64> = values.clone();
    outliers.retain(|value| *value < whiskers.0 || *value > whiskers.1);
    numbers.mean = Some(mean);
    numbers.median = Some(median);
    numbers.min = Some(min);
    numbers.max = Some(max);
    numbers.std = Some((moment(2) * n / (n - 1.0)).sqrt());
    numbers.skew = Some(moment(3) / moment(2).powf(1.5) * (n * (n - 1.0)).sqrt() / (n - 2.0));
    numbers.outliers = Some(outliers.len() as u64);
    outliers.truncate(400);
    let spread = Spread {
        column: name.to_owned(),
        histogram: histogram(&values, min, max),
        shown: (min, max),
        outside: 0,
        whiskers,
        quartiles: (lower, median, upper),
        outliers,
    };
    (numbers, Some(spread))
}

fn histogram(values: &[f64], min: f64, max: f64) -> Histogram {
    let (low, high) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    let bins = ((values.len() as f64).sqrt() as usize).clamp(1, 60);
    let edge = |place: usize| {
        let part = place as f64 / bins as f64;
        low * (1.0 - part) + high * part
    };
    let edges: Vec<f64> = (0..=bins).map(edge).collect();
    let mut counts = vec![0; bins];
    for value in values {
        let bin = edges.partition_point(|edge| edge <= value).saturating_sub(1);
        counts[bin.min(bins - 1)] += 1;
    }
    Histogram { edges, counts }
}

fn text_column(name: &str, cells: &[String]) -> (ColumnNumbers, Category) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| !cell.is_empty()) {
        *counts.entry(cell).or_default() += 1;
    }
    let distinct = counts.len() as u64;
    let count = counts.values().sum();
    let mut top: Vec<(String, u64)> =
        counts.into_iter().map(|(value, cells)| (value.to_owned(), cells)).collect();
    top.sort_by_key(|value| std::cmp::Reverse(value.1));
    top.truncate(12);
    let others = count - top.iter().map(|value| value.1).sum::<u64>();
    let missing = cells.len() as u64 - count;
    let numbers = ColumnNumbers {
        name: name.to_owned(),
        kind: "text".into(),
        count,
        missing,
        distinct,
        ..<_>::default()
    };
    (numbers, Category { column: name.to_owned(), top, others, count })
}

/// Months of 30.4 days will do for looking.
fn trend(name: &str, days: &[i64], table: &[(String, Column)]) -> Trend {
    let (first, last) = (days.iter().min().unwrap_or(&0), days.iter().max().unwrap_or(&0));
    let (step, span) = if last - first > 200 { (Step::Week, 7) } else { (Step::Day, 1) };
    let buckets = ((last - first) / span + 1).min(400) as usize;
    let bucket = |day: &i64| (((day - first) / span) as usize).min(buckets - 1);
    let mut counts = vec![0; buckets];
    days.iter().for_each(|day| counts[bucket(day)] += 1);
    let number = |(name, column): &(String, Column)| match column {
        Column::Number(cells) => Some((name.clone(), cells.clone())),
        _ => None,
    };
    let means = table.iter().filter_map(number).take(6).map(|(name, cells)| {
        let mut sums = vec![(0.0, 0.0); buckets];
        for (day, value) in days.iter().zip(&cells) {
            if let Some(value) = value {
                let sum = &mut sums[bucket(day)];
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
        let mean = |sum: (f64, f64)| (sum.1 > 0.0).then(|| sum.0 / sum.1);
        (name, sums.into_iter().map(mean).collect())
    });
    let means = means.collect();
    let start = |bucket: usize| (first + bucket as i64 * span) * 86_400_000_000;
    let starts = (0..buckets).map(start).collect();
    Trend { column: name.to_owned(), step, starts, counts, means }
}

fn correlation(table: &[(String, Column)]) -> (Matrix, Vec<Scatter>) {
    let mut matrix = Matrix::new();
    let mut scatters = Vec::new();
    for (x, one) in table {
        for (y, other) in table {
            let (Column::Number(one), Column::Number(other)) = (one, other) else { continue };
            let both = |(a, b): (&Option<f64>, &Option<f64>)| Some(((*a)?, (*b)?));
            let points: Vec<(f64, f64)> = one.iter().zip(other).filter_map(both).collect();
            let r = pearson(&points);
            matrix.entry(x.clone()).or_default().insert(y.clone(), r);
            if let Some(pearson) = r.filter(|_| x < y) {
                let (x, y) = (x.clone(), y.clone());
                scatters.push(Scatter { x, y, pearson, shown: None, marks: Marks::Points(points) });
            }
        }
    }
    scatters.sort_by(|a, b| b.pearson.abs().total_cmp(&a.pearson.abs()));
    scatters.truncate(6);
    (matrix, scatters)
}

fn pearson(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let r = sum(&|p| (p.0 - x) * (p.1 - y))
        / (sum(&|p| (p.0 - x).powi(2)) * sum(&|p| (p.1 - y).powi(2))).sqrt();
    r.is_finite().then_some(r)
}
