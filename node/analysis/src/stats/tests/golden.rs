//! Numbers equal to pandas 3.1.1 and numpy 2.4.6, to 1e-9 of each. How the files were made stands
//! in `tests/golden/README.md`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::tables::{computed, read};
use crate::Numbers;
use crate::numbers::ColumnNumbers;

const FILES: [(&str, u8, char); 9] = [
    ("iris.csv", b',', '.'),
    ("mixed.csv", b',', '.'),
    ("seattle-weather.csv", b',', '.'),
    ("edge_dirty.csv", b',', '.'),
    ("edge_quotes.csv", b',', '.'),
    ("edge_semicolon.csv", b';', ','),
    ("edge_tab_crlf.tsv", b'\t', '.'),
    ("edge_utf8.csv", b',', '.'),
    ("drinks.csv", b',', '.'),
];

/// The file in this package, or beside the project for those that may not be copied.
fn file(name: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = here.ancestors().skip(1).map(|dir| dir.join("shared/golden/analysis"));
    std::iter::once(here.join("tests/golden"))
        .chain(above)
        .map(|dir| dir.join(name))
        .find(|file| file.exists())
}

#[test]
fn numbers_are_those_of_pandas() {
    for (name, delimiter, decimal) in FILES {
        let Some(path) = file(name) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        let golden = std::fs::read_to_string(path.with_extension("json")).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let (numbers, _) = computed(&read(&path, delimiter, decimal));
        compare(name, &numbers, &golden);
    }
}

fn compare(file: &str, numbers: &Numbers, golden: &Value) {
    assert_eq!(golden["rows"], numbers.rows, "{file}");
    for column in &numbers.columns {
        let name = &column.name;
        assert_eq!(golden["missing"][name]["count"], column.missing, "{file} {name}");
        close(file, name, Some(column.missing_ratio), &golden["missing"][name]["ratio"]);
        assert_eq!(golden["unique"][name], column.distinct, "{file} {name}");
        if golden["describe"][name].is_object() && column.kind != "empty" {
            compare_numbers(file, column, golden);
        } else if column.kind == "text" {
            let top = serde_json::to_value(&column.top).unwrap();
            assert_eq!(golden["value_counts_top10"][name], top, "{file} {name}");
        }
    }
    for (ours, theirs) in [
        (&numbers.correlation.pearson, "corr_pearson"),
        (&numbers.correlation.spearman, "corr_spearman"),
    ] {
        for (one, row) in ours {
            for (other, number) in row {
                close(
                    file,
                    &format!("{theirs} {one} {other}"),
                    *number,
                    &golden[theirs][one][other],
                );
            }
        }
        assert!(!ours.is_empty(), "{file}");
    }
}

fn compare_numbers(file: &str, column: &ColumnNumbers, golden: &Value) {
    let name = &column.name;
    let described = &golden["describe"][name];
    for (key, number) in [
        ("count", Some(column.count as f64)),
        ("mean", column.mean),
        ("std", column.std),
        ("min", column.min),
        ("25%", column.q25),
        ("50%", column.median),
        ("75%", column.q75),
        ("max", column.max),
    ] {
        close(file, &format!("{name} {key}"), number, &described[key]);
    }
    close(file, &format!("{name} skew"), column.skew, &golden["skew_pandas_G1"][name]);
    close(file, &format!("{name} kurtosis"), column.kurtosis, &golden["kurtosis_pandas_G2"][name]);
    assert_eq!(golden["zeros"][name], column.zeros.unwrap(), "{file} {name}");
    assert_eq!(golden["iqr_outliers"][name], column.outliers.unwrap(), "{file} {name}");
    let theirs = &golden["hist_numpy_auto"][name];
    let Some(ours) = &column.histogram else {
        assert!(theirs.is_null(), "{file} {name}");
        return;
    };
    assert_eq!(theirs["counts"], serde_json::to_value(&ours.counts).unwrap(), "{file} {name}");
    for (index, edge) in ours.edges.iter().enumerate() {
        close(file, &format!("{name} edge {index}"), Some(*edge), &theirs["edges"][index]);
    }
}

fn close(file: &str, what: &str, ours: Option<f64>, theirs: &Value) {
    let near = match (ours, theirs.as_f64()) {
        (None, None) => true,
        // The last digits of pandas' coefficients near 0 are rounding error; exact fractions say so.
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-11,
        _ => false,
    };
    assert!(near, "{file} {what}: {ours:?} here, {theirs} in pandas");
}
