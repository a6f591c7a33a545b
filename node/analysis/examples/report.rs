//! Writes a page for a small clean CSV file, to look at: `report FILE.csv PAGE.html [en|zh]`.
//! Its numbers are computed simply, and only as far as the page shows them.

#[path = "../tests/charts/sample.rs"]
mod sample;

use std::collections::BTreeMap;

use potluck_analysis::charts::{self, Chart, ChartOptions};
use potluck_analysis::numbers::*;
use potluck_analysis::report::{ColumnFacts, ReportOptions, TableFacts, page};
use potluck_analysis::table::{BadRow, Invalid, Note, Written};
use potluck_analysis::{Lang, Unwatched};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, out, rest @ ..] = args.as_slice() else {
        return Err("usage: report FILE.csv PAGE.html [en|zh]".into());
    };
    let lang: Lang = rest.first().map_or("en", String::as_str).parse()?;
    let numbers = numbers(file)?;
    let options = ReportOptions {
        lang,
        title: None,
        made_at: Some("2025-03-14 09:26".to_owned()),
        served_by: Some("workbench".to_owned()),
    };
    let charts = charts(file, &numbers, lang)?;
    std::fs::write(out, page(&numbers, &facts(&numbers), &charts, &options))?;
    Ok(())
}

fn charts(
    file: &str,
    numbers: &Numbers,
    lang: Lang,
) -> Result<Vec<Chart>, Box<dyn std::error::Error>> {
    let mut reader = csv::Reader::from_path(file)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
    let cells = |at: usize| rows.iter().map(|row| row[at].to_owned()).collect();
    let columns = names.into_iter().enumerate().map(|(at, n)| (n, sample::typed(cells(at))));
    let (_, facets) = sample::analyse(file, &columns.collect::<Vec<_>>());
    let options = ChartOptions { lang, png: false, ..ChartOptions::default() };
    Ok(charts::draw(numbers, &facets, &options, &Unwatched)?)
}

fn numbers(file: &str) -> Result<Numbers, Box<dyn std::error::Error>> {
    let mut reader = csv::Reader::from_path(file)?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
    let cells = |at: usize| -> Vec<&str> { rows.iter().map(|row| &row[at]).collect() };
    let columns: Vec<_> =
        names.iter().enumerate().map(|(at, name)| column(name, &cells(at))).collect();
    let values: Vec<(&str, Vec<f64>)> = (0..names.len())
        .filter(|at| columns[*at].mean.is_some())
        .map(|at| (names[at].as_str(), cells(at).iter().flat_map(|c| c.parse()).collect()))
        .collect();
    let matrix = |of: &dyn Fn(&[f64]) -> Vec<f64>| -> Matrix {
        let line = |a: &[f64]| -> BTreeMap<String, Option<f64>> {
            values.iter().map(|(n, b)| ((*n).to_owned(), correlation(&of(a), &of(b)))).collect()
        };
        values.iter().map(|(name, a)| ((*name).to_owned(), line(a))).collect()
    };
    let different = std::collections::HashSet::<Vec<&str>>::from_iter(
        rows.iter().map(|row| row.iter().collect()),
    )
    .len();
    Ok(Numbers {
        file: file.rsplit('/').next().unwrap_or(file).to_owned(),
        encoding: "UTF-8".to_owned(),
        delimiter: ',',
        rows: rows.len() as u64,
        bad_rows: 2,
        duplicate_rows: (rows.len() - different) as u64,
        alerts: alerts(&columns),
        columns,
        correlation: Correlation { pearson: matrix(&<[f64]>::to_vec), spearman: matrix(&ranks) },
    })
}

fn column(name: &str, cells: &[&str]) -> ColumnNumbers {
    let present: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    present.iter().for_each(|cell| *counts.entry(cell).or_default() += 1);
    let distinct = counts.len() as u64;
    let mut top: Vec<(&str, u64)> = counts.into_iter().collect();
    top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut column = ColumnNumbers {
        name: name.to_owned(),
        kind: "text".to_owned(),
        count: present.len() as u64,
        missing: (cells.len() - present.len()) as u64,
        missing_ratio: 1.0 - present.len() as f64 / cells.len() as f64,
        distinct,
        ..Default::default()
    };
    let values: Vec<f64> = present.iter().flat_map(|cell| cell.parse()).collect();
    let is_number = values.len() == present.len() && !values.is_empty();
    if is_number {
        describe(&mut column, values);
    } else if present.iter().all(|cell| cell.len() == 10 && cell.starts_with("20")) {
        column.kind = "date".to_owned();
        column.first = present.iter().min().map(|day| day.replace('/', "-"));
        column.last = present.iter().max().map(|day| day.replace('/', "-"));
    }
    let value = |cell: &str| match cell.parse::<f64>() {
        Ok(value) if is_number => serde_json::json!(value),
        _ => serde_json::json!(cell),
    };
    column.top = top.into_iter().take(10).map(|(cell, count)| (value(cell), count)).collect();
    column
}

fn describe(column: &mut ColumnNumbers, mut values: Vec<f64>) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let moment = |power| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
    let (m2, m3, m4) = (moment(2), moment(3), moment(4));
    values.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        let at = q * (n - 1.0);
        let low = values[at.floor() as usize];
        low + (values[at.ceil() as usize] - low) * at.fract()
    };
    let (q25, q75) = (quantile(0.25), quantile(0.75));
    let far = 1.5 * (q75 - q25);
    let many = |is: &dyn Fn(f64) -> bool| Some(values.iter().filter(|v| is(**v)).count() as u64);
    let whole = values.iter().all(|v| v.fract() == 0.0);
    column.kind = if whole { "integer" } else { "number" }.to_owned();
    (column.mean, column.std) = (Some(mean), Some((m2 * n / (n - 1.0)).sqrt()));
    (column.min, column.max) = (Some(quantile(0.0)), Some(quantile(1.0)));
    (column.q25, column.median, column.q75) = (Some(q25), Some(quantile(0.5)), Some(q75));
    column.zeros = many(&|v| v == 0.0);
    column.negatives = many(&|v| v < 0.0);
    column.outliers = many(&|v| v < q25 - far || v > q75 + far);
    column.skew = Some(m3 / m2.powf(1.5) * (n * (n - 1.0)).sqrt() / (n - 2.0));
    let g2 = (n + 1.0) * (m4 / (m2 * m2) - 3.0) + 6.0;
    column.kurtosis = Some(g2 * (n - 1.0) / (n - 2.0) / (n - 3.0));
    let (from, span) = (quantile(0.0), quantile(1.0) - quantile(0.0));
    let mut counts = vec![0; 16];
    values.iter().for_each(|v| counts[((v - from) / span * 16.0).min(15.0) as usize] += 1);
    let edges = (0..=16).map(|at| from + span * f64::from(at) / 16.0).collect();
    column.histogram = Some(Histogram { edges, counts });
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |v: f64| values.iter().filter(|w| **w < v).count() as f64;
    let same = |v: f64| values.iter().filter(|w| **w == v).count() as f64;
    values.iter().map(|v| below(*v) + same(*v) / 2.0).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum();
    let (xy, xx, yy): (f64, f64, f64) =
        (sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y));
    let r = xy / (xx * yy).sqrt();
    r.is_finite().then_some(r)
}

/// One of each severity, to see them.
fn alerts(columns: &[ColumnNumbers]) -> Vec<Alert> {
    let mut alerts = vec![
        Alert { kind: AlertKind::BadRows, column: None, detail: "2 rows are broken.".to_owned() },
        Alert { kind: AlertKind::Duplicates, column: None, detail: "1 row.".to_owned() },
    ];
    let skewed = columns.iter().filter(|c| c.skew.is_some_and(|s| s.abs() > 1.0));
    for (column, skew) in skewed.filter_map(|c| Some((c, c.skew?))) {
        let detail = format!("skewness {skew:.2}");
        alerts.push(Alert { kind: AlertKind::Skewed, column: Some(column.name.clone()), detail });
    }
    let last = columns.last().map(|column| column.name.clone());
    let detail = "12 cells are not of the column's type".to_owned();
    alerts.push(Alert { kind: AlertKind::MixedTypes, column: last, detail });
    alerts
}

/// Something of everything that the page can say.
fn facts(numbers: &Numbers) -> TableFacts {
    let mut columns = vec![ColumnFacts::default(); numbers.columns.len()];
    if let Some(last) = columns.last_mut() {
        let examples = ["abc", "n. v.", "31/02/2012"].map(str::to_owned).to_vec();
        last.invalid = Invalid { count: 12, distinct: 3, examples };
        last.written = Written { currency: Some('¥'), percent: true, mixed_dates: true };
    }
    TableFacts {
        bad_rows: vec![
            BadRow { line: 17, fields: 3, expected: numbers.columns.len() },
            BadRow { line: 1204, fields: 9, expected: numbers.columns.len() },
        ],
        notes: vec![Note::Undecodable(3), Note::Renamed(1)],
        columns,
    }
}
