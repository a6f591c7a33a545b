//! Whole analyses against what pandas, scipy and numpy say of the same files.

use std::path::{Path, PathBuf};

use potluck_analysis::{
    Numbers, Unwatched,
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
    assert!(all.len() > 5);
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
