//! The same as pandas: expected values were made with pandas 3.1.1 (`golden.py` beside them in
//! the shared folder), the ragged file apart, which pandas refuses.

use std::path::{Path, PathBuf};

use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::table::{BadRow, Note};
use potluck_analysis::{Table, Unwatched};
use serde_json::Value;

use super::{column, kinds, names, numbers, shared, texts, times};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open(path: &Path) -> Table {
    read(Source::File(path.to_owned()), &ReadOptions::default(), &Unwatched).expect("a table")
}

/// Reads a file and compares everything that its json says.
fn same(path: &Path) -> Table {
    let table = open(path);
    let json = std::fs::read_to_string(path.with_extension("json")).expect("json");
    let json: Value = serde_json::from_str(&json).expect("json");
    assert_eq!(table.rows, json["rows"], "{}", path.display());
    assert_eq!(table.duplicate_rows, json["duplicate_rows"], "{}", path.display());
    assert_eq!(table.bad_rows.count, 0);
    let columns: Vec<&str> =
        json["columns"].as_array().expect("columns").iter().filter_map(Value::as_str).collect();
    assert_eq!(names(&table), columns);
    for column in &table.columns {
        assert_eq!(column.missing, json["missing"][&column.name]["count"], "{}", column.name);
        let describe = &json["describe"][&column.name];
        if describe["count"].as_f64().is_some_and(|count| count > 0.0) {
            let values: Vec<f64> = numbers(column).into_iter().flatten().collect();
            assert_eq!(values.len() as f64, describe["count"], "{}", column.name);
            let sum: f64 = values.iter().sum();
            let mean = describe["mean"].as_f64().expect("a mean");
            assert!((sum / values.len() as f64 - mean).abs() <= 1e-9 * mean.abs());
            assert_eq!(values.iter().copied().fold(f64::MAX, f64::min), describe["min"]);
            assert_eq!(values.iter().copied().fold(f64::MIN, f64::max), describe["max"]);
        }
        let top = json["value_counts_top10"][&column.name].as_array();
        if let (Some(top), "text" | "boolean") = (top, column.kind.name()) {
            let texts = texts(column);
            assert_eq!(texts.len() as u64, json["unique"][&column.name]);
            for pair in top {
                let text = pair[0].as_str().expect("a text");
                assert_eq!(texts.get(text).copied(), pair[1].as_u64(), "{text}");
            }
        }
    }
    table
}

#[test]
fn encodings_read_the_same() {
    for (file, encoding) in [
        ("edge_utf8.csv", "UTF-8"),
        ("edge_utf8_bom.csv", "UTF-8 with BOM"),
        ("edge_utf16le_bom.csv", "UTF-16LE"),
        ("edge_gbk.csv", "GB18030"),
    ] {
        let table = same(&golden(file));
        assert_eq!(table.encoding, encoding);
        assert_eq!(table.file, file);
        assert_eq!(kinds(&table), ["text", "text", "integer", "number"]);
        assert_eq!(table.notes, []);
    }
}

#[test]
fn dialects_read_the_same() {
    let semicolon = same(&golden("edge_semicolon.csv"));
    assert_eq!(semicolon.delimiter, ';');
    assert_eq!(numbers(column(&semicolon, "value")), [Some(1.5), Some(2.25), Some(-3.0), None]);
    let tab = same(&golden("edge_tab_crlf.tsv"));
    assert_eq!(tab.delimiter, '\t');
    assert_eq!(kinds(&tab), ["integer", "integer"]);
    same(&golden("edge_quotes.csv"));
}

#[test]
fn dirty_cells_are_understood() {
    let table = same(&golden("edge_dirty.csv"));
    assert_eq!(
        kinds(&table),
        ["integer", "number", "number", "boolean", "date", "integer", "empty"]
    );
    let price = column(&table, "price");
    assert_eq!(price.written.currency, Some('$'));
    assert_eq!(numbers(price), [Some(1234.5), Some(99.0), None, Some(1000.0), None]);
    let pct = column(&table, "pct");
    assert!(pct.written.percent);
    assert_eq!(numbers(pct), [Some(0.12), Some(0.035), None, Some(1.0), Some(0.0)]);
    assert_eq!((pct.invalid.count, pct.invalid.distinct), (1, 1));
    assert_eq!(pct.invalid.examples, ["-"]);
    assert!(column(&table, "when").written.mixed_dates);
    let seconds = |day: i64| Some(day * 1_000_000);
    // `date -u -d 2024-01-31 +%s` and so on.
    assert_eq!(
        times(column(&table, "when")),
        [
            seconds(1_706_659_200),
            seconds(1_709_164_800),
            seconds(1_703_980_800),
            seconds(1_709_251_200),
            None
        ]
    );
}

#[test]
fn ragged_rows_are_counted() {
    let table = open(&golden("edge_ragged.csv"));
    assert_eq!((table.rows, table.bad_rows.count), (4, 2));
    assert_eq!(
        table.bad_rows.first,
        [BadRow { line: 3, fields: 2, expected: 3 }, BadRow { line: 4, fields: 4, expected: 3 }]
    );
    let third: Vec<_> = numbers(column(&table, "c"));
    assert_eq!(third, [Some(3.0), None, Some(8.0), Some(12.0)]);
}

#[test]
fn well_known_tables_read_the_same() {
    for name in ["iris.csv", "drinks.csv"] {
        if let Some(path) = shared(&format!("golden/analysis/{name}")) {
            same(&path);
        }
    }
}

#[test]
fn samples_have_the_kinds_that_they_should() {
    for (name, rows, wanted) in [
        ("iris.csv", 150, vec!["number", "number", "number", "number", "integer"]),
        ("seattle-weather.csv", 1461, vec!["date", "number", "number", "number", "number", "text"]),
        ("stocks.csv", 560, vec!["text", "date", "number"]),
        ("airports.csv", 3376, vec!["text", "text", "text", "text", "text", "number", "number"]),
    ] {
        let Some(path) = shared(&format!("data/csv/{name}")) else { continue };
        let table = open(&path);
        assert_eq!(table.rows, rows, "{name}");
        assert_eq!(kinds(&table), wanted, "{name}");
        assert!(!table.notes.contains(&Note::NoHeader), "{name}");
    }
}
