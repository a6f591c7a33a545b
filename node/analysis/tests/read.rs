//! Tests of the reader from outside.

#[path = "read/bad_input.rs"]
mod bad_input;
#[path = "read/dialects.rs"]
mod dialects;
#[path = "read/encodings.rs"]
mod encodings;
#[path = "read/formats.rs"]
mod formats;
#[path = "read/golden.rs"]
mod golden;
#[path = "read/hunted.rs"]
mod hunted;
#[path = "read/kinds.rs"]
mod kinds;
#[path = "read/layouts.rs"]
mod layouts;
#[path = "read/memory.rs"]
mod memory;
#[path = "read/pollock.rs"]
mod pollock;
#[path = "read/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::table::{Column, Kind, Values};
use potluck_analysis::{AnalysisError, Table, Unwatched};

fn try_table(csv: impl Into<Vec<u8>>, options: &ReadOptions) -> Result<Table, AnalysisError> {
    read(Source::Stream(Box::new(Cursor::new(csv.into()))), options, &Unwatched)
}

fn table(csv: impl Into<Vec<u8>>) -> Table {
    try_table(csv, &ReadOptions::default()).expect("a table")
}

/// Why something is not a table, as a person reads it.
fn refusal(csv: impl Into<Vec<u8>>) -> String {
    match try_table(csv, &ReadOptions::default()) {
        Err(AnalysisError::BadInput(text)) => text.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(table) => panic!("a table of {} columns", table.columns.len()),
    }
}

fn names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

fn kinds(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.kind.name()).collect()
}

fn column<'a>(table: &'a Table, name: &str) -> &'a Column {
    let found = table.columns.iter().find(|column| column.name == name);
    found.unwrap_or_else(|| panic!("no column {name} in {:?}", names(table)))
}

/// Numbers of a column by row.
fn numbers(column: &Column) -> Vec<Option<f64>> {
    match column.values().expect("values") {
        Values::Integers(cells) => cells.iter().map(|cell| cell.map(|n| n as f64)).collect(),
        Values::Numbers(cells) => cells.iter().map(|n| Some(*n).filter(|n| !n.is_nan())).collect(),
        _ => panic!("{} has no numbers but {}", column.name, column.kind.name()),
    }
}

fn times(column: &Column) -> Vec<Option<i64>> {
    match column.values().expect("values") {
        Values::Times(cells) => cells.iter().collect(),
        _ => panic!("{} has no times but {}", column.name, column.kind.name()),
    }
}

fn texts(column: &Column) -> BTreeMap<String, u64> {
    let mut texts = BTreeMap::new();
    let each = &mut |text: &str, count| {
        assert!(texts.insert(text.to_owned(), count).is_none(), "{text} twice");
    };
    column.texts(each).expect("texts");
    assert_eq!(texts.len() as u64, column.distinct_texts());
    texts
}

/// Everything that is known about a table, to compare two of them.
fn content(table: &Table) -> String {
    let mut out = format!(
        "{} {:?} {} {:?} {} {:?}\n",
        table.encoding,
        table.delimiter,
        table.rows,
        table.bad_rows,
        table.duplicate_rows,
        table.notes
    );
    for column in &table.columns {
        let (name, kind, missing) = (&column.name, column.kind, column.missing);
        out += &format!("{name} {kind:?} {missing} {:?} {:?} ", column.invalid, column.written);
        out += &match kind {
            Kind::Integer | Kind::Number => format!("{:?}\n", numbers(column)),
            Kind::Date | Kind::DateTime | Kind::Time | Kind::Duration => {
                format!("{:?}\n", times(column))
            }
            _ => format!("{:?}\n", texts(column)),
        };
    }
    out
}

/// A file of the folder `shared` beside the project; says so where there is none.
fn shared(path: &str) -> Option<PathBuf> {
    let above = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = above.ancestors().map(|a| a.join("shared").join(path)).find(|f| f.exists());
    if file.is_none() {
        eprintln!("skipped: no shared/{path}");
    }
    file
}
