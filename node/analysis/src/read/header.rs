//! Headers: the names of the columns, and the first rows for whoever infers kinds.

use std::collections::HashSet;

use super::dialect::{self, Dialect, Sample};
use super::records::{self, Sink};
use super::{ReadOptions, number, time, word};
use crate::AnalysisError;

/// Columns of the widest table.
const COLUMNS: usize = 20_000;
/// Rows that are looked at.
const ROWS: usize = 1000;
/// Cells that are looked at, about.
const CELLS: usize = 200_000;
/// Records above the header, such as a title.
const PREAMBLE: usize = 5;
/// Rows that are compared with the first one.
const LOOKED_AT: usize = 100;
/// Characters of a name.
const NAME: usize = 200;
/// Bytes of a single line with a single field that can still be a header.
const LONE: usize = 64 << 10;

/// Where the table is in the text, and how its columns are called.
pub(super) struct Layout {
    pub names: Vec<String>,
    /// Names that were empty or came twice.
    pub renamed: u64,
    /// Whether the names stand in the file.
    pub header: bool,
    /// Records before the first row.
    pub skip: u64,
    /// Every row ends with a delimiter that the header does not have.
    pub trailing: bool,
    /// The first rows.
    pub rows: Vec<Vec<String>>,
    /// Whether these are all.
    pub whole: bool,
}

/// Finds the header.
pub(super) fn find(
    sample: &Sample,
    dialect: &Dialect,
    options: &ReadOptions,
) -> Result<Layout, AnalysisError> {
    let mut sink = Rows::default();
    records::split(&sample.text, *dialect, &mut sink);
    let whole = sample.whole && !sink.full;
    let mut rows = sink.rows;
    let said = usize::from(dialect::said(&sample.text) == Some(dialect.delimiter));
    let preamble = said.max(preamble(&rows));
    rows.drain(..preamble.min(rows.len()));
    let Some(first) = rows.first() else {
        return Err(AnalysisError::BadInput(
            "there is no row in this file, only blank lines; name one with a table in it".into(),
        ));
    };
    if first.len() > COLUMNS {
        return Err(AnalysisError::BadInput(format!(
            "the first line has {} fields, and a table may have {COLUMNS} columns; is each row in \
             a line of its own?",
            first.len()
        )));
    }
    if rows.len() == 1 && first.len() == 1 && first[0].len() > LONE {
        return Err(AnalysisError::BadInput(
            "this is one long line without a delimiter, not a table; name a CSV file".to_owned(),
        ));
    }
    let header = options.header.unwrap_or_else(|| has_header(&rows));
    let first = if header { rows.remove(0) } else { rows[0].clone() };
    let widths: Vec<usize> = rows.iter().take(CELLS / 100).map(Vec::len).collect();
    let width = dialect::common(&widths).min(COLUMNS);
    let agree = widths.iter().filter(|w| **w == width).count() * 10 >= widths.len() * 9;
    let mut names = if header { first } else { vec![String::new(); first.len()] };
    let mut trailing = false;
    if width > names.len() && agree {
        let empty = |row: &Vec<String>| row.get(width - 1).is_none_or(String::is_empty);
        if width == names.len() + 1 && rows.iter().all(empty) {
            trailing = true;
        } else if width == names.len() + 1 && header {
            // R leaves out the name of the first column, which names the rows.
            names.insert(0, String::new());
        } else {
            names.resize(width, String::new());
        }
    }
    let (names, renamed) = unique(names);
    let renamed = if header { renamed } else { 0 };
    let skip = (preamble + usize::from(header)) as u64;
    Ok(Layout { names, renamed, header, skip, trailing, rows, whole })
}

/// Records of one field above a table of three or more.
fn preamble(rows: &[Vec<String>]) -> usize {
    let titles = rows.iter().take(PREAMBLE).take_while(|row| row.len() == 1).count();
    let widths: Vec<usize> = rows.iter().skip(titles).take(ROWS / 5).map(Vec::len).collect();
    let width = dialect::common(&widths);
    let fits = widths.iter().filter(|w| **w == width).count();
    let table = width >= 3 && widths.len() >= 2 && fits * 10 >= widths.len() * 7;
    if table { titles } else { 0 }
}

/// Whether the first row names columns: not when it has numbers or dates wherever the rows
/// below have them.
fn has_header(rows: &[Vec<String>]) -> bool {
    let Some((first, below)) = rows.split_first() else { return true };
    let typed = |cell: &str| number::looks(cell) || time::parse(cell, false).is_some();
    if below.is_empty() {
        return !first.iter().any(|cell| typed(cell));
    }
    if years_across(first, below) {
        return true;
    }
    let mut evidence = false;
    for (column, cell) in first.iter().enumerate() {
        let others = || below.iter().take(LOOKED_AT).filter_map(|row| row.get(column));
        let there = others().filter(|c| !word::missing(c)).count();
        let fits = others().filter(|c| typed(c)).count();
        if there == 0 || word::missing(cell) {
            continue;
        }
        // A month above numbers, such as `2020-01`, names its column.
        let numbers = || others().filter(|c| number::looks(c)).count();
        if !number::looks(cell) && typed(cell) && numbers() * 4 > there * 3 {
            return true;
        }
        if fits * 4 > there * 3 {
            if !typed(cell) {
                return true;
            }
            evidence = true;
        }
    }
    !evidence
}

/// Whether the first row has years for names: two different ones at least, in any order, above
/// cells that are mostly no years, or a row of years one after the other above anything.
fn years_across(first: &[String], below: &[Vec<String>]) -> bool {
    let year = |cell: &String| {
        let cell = cell.trim();
        let year = cell.parse::<i64>().ok().filter(|year| (1800..2200).contains(year));
        year.filter(|_| cell.len() == 4)
    };
    let years: Vec<(usize, i64)> =
        first.iter().enumerate().filter_map(|(column, cell)| Some((column, year(cell)?))).collect();
    let different: HashSet<i64> = years.iter().map(|(_, year)| *year).collect();
    // A number among them that is no year makes the row one of data.
    let others = first.iter().any(|cell| number::looks(cell) && year(cell).is_none());
    if years.len() < 2 || different.len() < years.len() || others {
        return false;
    }
    let cells = || {
        let rows = below.iter().take(LOOKED_AT);
        rows.flat_map(|row| years.iter().filter_map(move |(column, _)| row.get(*column)))
            .filter(|cell| !word::missing(cell))
    };
    let (all, same) = (cells().count(), cells().filter(|cell| year(cell).is_some()).count());
    let steps = years.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1);
    same * 2 < all || (years.len() > 2 && steps)
}

/// Names that are all different and none empty, and how many were changed.
fn unique(names: Vec<String>) -> (Vec<String>, u64) {
    let mut renamed = 0;
    let mut taken: HashSet<String> = HashSet::new();
    let wanted: HashSet<String> = names.iter().map(|name| clean(name)).collect();
    let mut counts = std::collections::HashMap::new();
    let mut made = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let base = clean(name);
        let base = if base.is_empty() { format!("column {}", index + 1) } else { base };
        let mut unique = base.clone();
        if clean(name).is_empty() || taken.contains(&unique) {
            renamed += 1;
            let count = counts.entry(base.clone()).or_insert(1_u64);
            while taken.contains(&unique) || (wanted.contains(&unique) && unique != base) {
                *count += 1;
                unique = format!("{base} ({count})");
            }
        }
        taken.insert(unique.clone());
        made.push(unique);
    }
    (made, renamed)
}

/// A name in one line, without white space around it.
fn clean(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let one_line =
        if name.contains(['\n', '\r', '\t']) { words.join(" ") } else { name.trim().into() };
    one_line.chars().take(NAME).collect()
}

#[derive(Default)]
struct Rows {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    cells: usize,
    full: bool,
}

impl Sink for Rows {
    fn field(&mut self, _: usize, text: &str) {
        // Enough to say that there are too many.
        if self.row.len() <= 50 * COLUMNS {
            self.row.push(text.to_owned());
        }
    }

    fn end(&mut self, _: usize, _: u64) -> bool {
        self.cells += self.row.len();
        self.rows.push(std::mem::take(&mut self.row));
        self.full = self.rows.len() > ROWS || (self.cells > CELLS && self.rows.len() > 20);
        !self.full
    }
}
