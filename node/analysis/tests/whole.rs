//! Whole analyses against what pandas, scipy and numpy say of the same files.

#[path = "whole/alerts.rs"]
mod alerts;
#[path = "whole/stopped.rs"]
mod stopped;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use potluck_analysis::{
    Numbers, Unwatched,
    charts::ChartKind,
    job::{self, Options},
    numbers::{ColumnNumbers, Matrix},
    read::Source,
};
use serde_json::Value;

fn analyze(path: &Path) -> job::Analysis {
    job::analyze(Source::File(path.to_owned()), &Options::default(), &Unwatched)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Tables with a JSON file of expected values beside them.
fn goldens(folder: &Path) -> Vec<(PathBuf, Value)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut all: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "csv" || e == "tsv"))
        .filter_map(|path| {
            let text = std::fs::read_to_string(path.with_extension("json")).ok()?;
            Some((path, serde_json::from_str(&text).expect("JSON")))
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn committed_goldens() {
    let all = goldens(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let names: Vec<_> = all.iter().filter_map(|(path, _)| path.file_stem()?.to_str()).collect();
    for wanted in ["iris", "mixed", "edge_gbk", "edge_utf8_bom", "edge_utf16le_bom"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    all.iter().for_each(|(path, golden)| check(path, golden));
}

#[test]
fn shared_goldens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/analysis");
    let all = goldens(&folder);
    if all.is_empty() {
        eprintln!("skipped: there is no {}", folder.display());
    }
    all.iter().for_each(|(path, golden)| check(path, golden));
}

fn check(path: &Path, golden: &Value) {
    let analysis = analyze(path);
    let numbers = &analysis.numbers;
    let file = path.file_name().expect("a name").to_string_lossy();
    assert_eq!(numbers.rows, golden["rows"], "{file}: rows");
    assert_eq!(numbers.duplicate_rows, golden["duplicate_rows"], "{file}: duplicate rows");
    let names: Vec<_> = numbers.columns.iter().map(|c| c.name.as_str()).collect();
    let wanted: Vec<_> = golden["columns"].as_array().expect("names").iter().collect();
    assert_eq!(names, wanted, "{file}: columns");
    for column in &numbers.columns {
        check_column(&file, column, golden);
        check_top(&file, column, golden);
    }
    // Those that pandas reads without being told how.
    if golden["read_csv_kwargs"].as_object().is_some_and(serde_json::Map::is_empty) {
        check_cells(path, numbers, golden);
    }
    check_matrix(&file, "pearson", &numbers.correlation.pearson, &golden["corr_pearson"], numbers);
    check_matrix(
        &file,
        "spearman",
        &numbers.correlation.spearman,
        &golden["corr_spearman"],
        numbers,
    );
}

fn check_column(file: &str, column: &ColumnNumbers, golden: &Value) {
    let name = &column.name;
    let missing = &golden["missing"][name];
    assert_eq!(column.missing, missing["count"], "{file}: {name}: missing");
    near(file, name, "missing ratio", Some(column.missing_ratio), &missing["ratio"]);
    assert_eq!(column.distinct, golden["unique"][name], "{file}: {name}: distinct");
    let numeric = golden["numeric_columns"].as_array().expect("names");
    // An empty column is a number column to pandas.
    if !numeric.iter().any(|n| n == name) || column.kind == "empty" {
        return;
    }
    let described = &golden["describe"][name];
    near(file, name, "count", Some(column.count as f64), &described["count"]);
    for (what, value, key) in [
        ("mean", column.mean, "mean"),
        ("std", column.std, "std"),
        ("min", column.min, "min"),
        ("q25", column.q25, "25%"),
        ("median", column.median, "50%"),
        ("q75", column.q75, "75%"),
        ("max", column.max, "max"),
    ] {
        near(file, name, what, value, &described[key]);
    }
    near(file, name, "skew", column.skew, &golden["skew_pandas_G1"][name]);
    near(file, name, "kurtosis", column.kurtosis, &golden["kurtosis_pandas_G2"][name]);
    assert_eq!(column.zeros.unwrap_or(0), golden["zeros"][name], "{file}: {name}: zeros");
    let outliers = &golden["iqr_outliers"][name];
    assert_eq!(column.outliers.unwrap_or(0), *outliers, "{file}: {name}: outliers");
    let bins = &golden["hist_numpy_auto"][name];
    if let Some(edges) = bins["edges"].as_array() {
        let histogram = column.histogram.as_ref().expect("a histogram");
        assert_eq!(histogram.edges.len(), edges.len(), "{file}: {name}: bins");
        for (ours, theirs) in histogram.edges.iter().zip(edges) {
            near(file, name, "an edge", Some(*ours), theirs);
        }
        let counts: Vec<Value> = histogram.counts.iter().map(|c| (*c).into()).collect();
        assert_eq!(Value::Array(counts), bins["counts"], "{file}: {name}: counts");
    }
}

/// The most frequent values of texts and days. (Those of numbers are not in the golden files.)
fn check_top(file: &str, column: &ColumnNumbers, golden: &Value) {
    let Some(theirs) = golden["value_counts_top10"][&column.name].as_array() else { return };
    let ours = serde_json::to_value(&column.top).expect("JSON");
    let counts = |top: &[Value]| top.iter().map(|pair| pair[1].clone()).collect::<Vec<_>>();
    match column.kind.as_str() {
        "text" | "boolean" => assert_eq!(ours.as_array(), Some(theirs), "{file}: {}", column.name),
        // pandas leaves days as they are written.
        "date" => assert_eq!(
            counts(ours.as_array().expect("a list")),
            counts(theirs),
            "{file}: {}",
            column.name
        ),
        _ => {}
    }
}

/// Negative cells and the most frequent numbers, counted here from the cells themselves.
fn check_cells(path: &Path, numbers: &Numbers, golden: &Value) {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let numeric = golden["numeric_columns"].as_array().expect("names");
    for (at, column) in numbers.columns.iter().enumerate() {
        if !numeric.iter().any(|name| *name == column.name) || column.kind == "empty" {
            continue;
        }
        let cells: Vec<f64> = rows.iter().filter_map(|row| row[at].parse().ok()).collect();
        let cells = cells.into_iter().filter(|cell| !cell.is_nan());
        let (mut negatives, mut counts) = (0, Vec::<(f64, u64)>::new());
        for cell in cells {
            negatives += u64::from(cell < 0.0);
            match counts.iter_mut().find(|(value, _)| *value == cell) {
                Some((_, count)) => *count += 1,
                None => counts.push((cell, 1)),
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        counts.truncate(10);
        let top: Vec<_> = column
            .top
            .iter()
            .map(|(value, count)| (value.as_f64().expect("a number"), *count))
            .collect();
        assert_eq!(top, counts, "{}: {}", path.display(), column.name);
        assert_eq!(column.negatives, Some(negatives), "{}: {}", path.display(), column.name);
    }
}

#[test]
fn days_have_their_most_frequent_ones() {
    let csv = "day,at\n2024-01-02,2024-01-02 10:00\n2024-01-01,2024-01-02 10:00\n\
               Jan 2 2024,2024-01-02 10:00:01\n,\n";
    let source = Source::Stream(Box::new(csv.as_bytes()));
    let numbers = job::analyze(source, &Options::default(), &Unwatched).expect("a report").numbers;
    let top: BTreeMap<_, _> =
        numbers.columns.iter().map(|column| (column.name.as_str(), &column.top)).collect();
    assert_eq!(*top["day"], [("2024-01-02".into(), 2), ("2024-01-01".into(), 1)]);
    assert_eq!(*top["at"], [("2024-01-02T10:00:00".into(), 2), ("2024-01-02T10:00:01".into(), 1)]);
}

fn check_matrix(file: &str, what: &str, ours: &Matrix, theirs: &Value, numbers: &Numbers) {
    let numeric = |name: &str| {
        let column = numbers.columns.iter().find(|c| c.name == name);
        column.is_some_and(|c| c.kind == "integer" || c.kind == "number")
    };
    for (a, row) in theirs.as_object().into_iter().flatten().filter(|(a, _)| numeric(a)) {
        for (b, value) in row.as_object().into_iter().flatten().filter(|(b, _)| numeric(b)) {
            let found = ours.get(a).and_then(|row| row.get(b)).copied().flatten();
            near(file, a, &format!("{what} with {b}"), found, value);
        }
    }
}

/// Equal to nine digits, or both not defined. Near 0 the last digits of pandas' coefficients are
/// rounding error (exact fractions say so for `mixed.csv`), so 1e-11 in all is as good there.
fn near(file: &str, column: &str, what: &str, ours: Option<f64>, theirs: &Value) {
    let equal = match (ours, theirs.as_f64()) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            (a - b).abs() <= 1e-9 * b.abs() || (b.abs() < 1e-3 && (a - b).abs() < 1e-11)
        }
        _ => false,
    };
    assert!(equal, "{file}: {column}: {what}: {ours:?}, not {theirs}");
}

#[test]
fn the_report_stands_for_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let analysis = analyze(&folder.join("seattle-weather.csv"));
    let files = analysis.files();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in ["report.html", "numbers.json", "heatmap.svg", "heatmap.png", "skew.png"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
    for (name, bytes) in &files {
        let plain =
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
        assert!(plain && !bytes.is_empty(), "{name}");
    }
    for column in &analysis.numbers.columns {
        assert!(analysis.html.contains(&column.name), "{} is not in the report", column.name);
    }
}

/// A table of names and a number that has a tail.
fn named(names: [&str; 10]) -> String {
    let row = |(row, name): (usize, &&str)| format!("{name},{},{}\n", row * row, 40 - row);
    format!("name,n,m\n{}", names.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn names_that_all_differ_make_a_cloud() {
    let charts = |csv: String| -> Vec<ChartKind> {
        let source = Source::Stream(Box::new(std::io::Cursor::new(csv)));
        let done = job::analyze(source, &Options::default(), &Unwatched).expect("a report");
        done.charts.iter().map(|chart| chart.kind).collect()
    };
    let countries = named([
        "Albania",
        "Algeria",
        "Andorra",
        "Angola",
        "Argentina",
        "Armenia",
        "Australia",
        "Austria",
        "New Zealand",
        "Zimbabwe",
    ]);
    let found = charts(countries);
    for kind in [ChartKind::Heatmap, ChartKind::Scatter, ChartKind::Skew, ChartKind::Cloud] {
        assert!(found.contains(&kind), "{kind:?} in {found:?}");
    }
    // Codes are no words.
    let codes = ["A-1", "A-2", "A-3", "A-4", "B-1", "B-2", "B-3", "C-1", "C-2", "C-3"];
    assert!(!charts(named(codes)).contains(&ChartKind::Cloud));
}
