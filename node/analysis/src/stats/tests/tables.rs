//! Tables in memory.

use std::collections::BTreeMap;

use crate::stats::{StatsOptions, compute};
use crate::table::{BadRows, Cells, Column, Invalid, Kind, MendedRows, Table, Values, Written};
use crate::{AnalysisError, Facets, Numbers, Unwatched};

pub enum Held {
    Integers(Vec<Option<i64>>),
    Numbers(Vec<f64>),
    Times(Vec<Option<i64>>),
    Texts(BTreeMap<String, u64>),
}

impl Cells for Held {
    fn values(&self) -> Result<Values, AnalysisError> {
        Ok(match self {
            Self::Integers(cells) => Values::Integers(cells.iter().copied().collect()),
            Self::Numbers(cells) => Values::Numbers(cells.clone()),
            Self::Times(cells) => Values::Times(cells.iter().copied().collect()),
            Self::Texts(_) => Values::Texts,
        })
    }

    fn texts(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        if let Self::Texts(texts) = self {
            texts.iter().for_each(|(text, count)| each(text, *count));
        }
        Ok(())
    }

    fn distinct_texts(&self) -> u64 {
        if let Self::Texts(texts) = self { texts.len() as u64 } else { 0 }
    }
}

fn column(name: &str, kind: Kind, missing: usize, held: Held) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        missing: missing as u64,
        invalid: Invalid::default(),
        written: Written::default(),
        cells: Box::new(held),
    }
}

pub fn integers(name: &str, cells: Vec<Option<i64>>) -> Column {
    let missing = cells.iter().filter(|cell| cell.is_none()).count();
    column(name, Kind::Integer, missing, Held::Integers(cells))
}

pub fn numbers(name: &str, cells: Vec<f64>) -> Column {
    let missing = cells.iter().filter(|cell| cell.is_nan()).count();
    column(name, Kind::Number, missing, Held::Numbers(cells))
}

pub fn times(name: &str, kind: Kind, cells: Vec<Option<i64>>) -> Column {
    let missing = cells.iter().filter(|cell| cell.is_none()).count();
    column(name, kind, missing, Held::Times(cells))
}

pub fn texts<'a>(name: &str, cells: impl IntoIterator<Item = Option<&'a str>>) -> Column {
    let (mut texts, mut missing) = (BTreeMap::new(), 0);
    for cell in cells {
        match cell {
            Some(text) => *texts.entry(text.to_owned()).or_insert(0) += 1,
            None => missing += 1,
        }
    }
    let kind = if texts.is_empty() { Kind::Empty } else { Kind::Text };
    column(name, kind, missing, Held::Texts(texts))
}

pub fn table(rows: usize, columns: Vec<Column>) -> Table {
    Table {
        file: "test.csv".into(),
        encoding: "UTF-8".into(),
        delimiter: ',',
        rows: rows as u64,
        bad_rows: BadRows::default(),
        mended: MendedRows::default(),
        duplicate_rows: 0,
        columns,
        notes: Vec::new(),
    }
}

pub fn options() -> StatsOptions {
    StatsOptions { words: true, threads: 2, memory: 200_000_000, ..StatsOptions::default() }
}

pub fn computed(table: &Table) -> (Numbers, Facets) {
    compute(table, &options(), &Unwatched).unwrap()
}
