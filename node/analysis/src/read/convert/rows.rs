//! Rows on their way to CSV. They are kept as they come until the widest is known, since every line of
//! the CSV has as many fields.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use crate::read::layout::COLUMNS;
use crate::read::records::{FIELD, RECORD};
use crate::read::source::{Kept, Spool};
use crate::read::{ReadOptions, io, size};
use crate::{AnalysisError, Watch, wrong};

/// Rows between which [`Watch::check`] is asked.
const STEP: u64 = 1 << 12;
/// Cells without a value that a table may have for each one with a value, and beyond.
const SPARSE: u64 = 200;
const FREE: u64 = 20_000_000;
/// Rows and filled cells of the least table.
const LEAST: u64 = 2;

/// CSV that is written.
pub(super) struct Csv<'a> {
    out: Spool,
    line: Vec<u8>,
    limit: u64,
    rows: u64,
    watch: &'a dyn Watch,
}

impl<'a> Csv<'a> {
    pub fn new(options: &ReadOptions, watch: &'a dyn Watch) -> Self {
        let (out, line) = (Spool::new(options), Vec::new());
        Self { out, line, limit: options.max_content, rows: 0, watch }
    }

    /// Writes a row; none is a blank line.
    pub fn row<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> Result<(), AnalysisError> {
        self.line.clear();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.line.push(b',');
            }
            field(&mut self.line, cell);
        }
        if self.line.is_empty() {
            self.line.extend_from_slice(b"\"\"");
        }
        self.end()
    }

    /// Writes a line without anything.
    pub fn blank(&mut self) -> Result<(), AnalysisError> {
        self.line.clear();
        self.end()
    }

    fn end(&mut self) -> Result<(), AnalysisError> {
        self.line.push(b'\n');
        if self.out.size() + self.line.len() as u64 > self.limit {
            return Err(AnalysisError::BadInput(wrong::too_much_text(size(self.limit))));
        }
        self.rows += 1;
        if self.rows.is_multiple_of(STEP) {
            self.watch.check()?;
        }
        self.out.write_all(&self.line).map_err(io("writing a temporary file"))
    }

    pub fn kept(self) -> (Kept, u64) {
        self.out.kept()
    }
}

/// A field as CSV has it. Nothing that a reader could take for something else stands bare.
fn field(line: &mut Vec<u8>, cell: &str) {
    let cell = &cell[..cell.floor_char_boundary(FIELD)];
    let bare = |byte: u8| !matches!(byte, b',' | b'"' | b'\n' | b'\r');
    // A line of nothing but spaces would be a blank one.
    if cell.bytes().all(bare) && (cell.is_empty() || !cell.trim().is_empty()) {
        line.extend_from_slice(cell.as_bytes());
        return;
    }
    line.push(b'"');
    for byte in cell.bytes() {
        if byte == b'"' {
            line.push(byte);
        }
        line.push(byte);
    }
    line.push(b'"');
}

/// Rows of any width, from above to below.
pub(super) struct Rows<'a> {
    out: Spool,
    options: &'a ReadOptions,
    watch: &'a dyn Watch,
    /// The row that is being filled, its number, and how many bytes it has.
    row: Vec<String>,
    at: u64,
    bytes: usize,
    /// The first column with a value, and the one after the last.
    columns: (usize, usize),
    /// Rows with a value, those with several, and cells with one.
    pub filled_rows: u64,
    wide_rows: u64,
    filled: u64,
    /// By column and first row: cells over several rows, with the last one and what they say once
    /// that is known.
    spans: BTreeMap<usize, BTreeMap<u64, (u64, String)>>,
}

impl<'a> Rows<'a> {
    pub fn new(options: &'a ReadOptions, watch: &'a dyn Watch) -> Self {
        Self {
            out: Spool::new(options),
            options,
            watch,
            row: Vec::new(),
            at: 0,
            bytes: 0,
            columns: (usize::MAX, 0),
            filled_rows: 0,
            wide_rows: 0,
            filled: 0,
            spans: BTreeMap::new(),
        }
    }

    /// Says that a cell reaches from a row down to another one: each of them shows what it says.
    pub fn span(&mut self, column: usize, from: u64, to: u64) {
        if to > from {
            self.spans.entry(column).or_default().insert(from, (to, String::new()));
        }
    }

    /// Takes a cell. Rows come one after the other; false where this one does not.
    pub fn cell(&mut self, row: u64, column: usize, text: String) -> Result<bool, AnalysisError> {
        if row < self.at {
            return Ok(false);
        }
        if row > self.at {
            self.next(row)?;
        }
        if text.is_empty() {
            return Ok(true);
        }
        if column >= COLUMNS {
            let wrong = wrong::many_fields(column + 1, COLUMNS);
            return Err(AnalysisError::BadInput(wrong));
        }
        self.bytes += text.len();
        if self.bytes > RECORD {
            return Err(AnalysisError::BadInput(wrong::too_much_in_a_row((RECORD >> 20) as u64)));
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        self.row[column] = text;
        Ok(true)
    }

    /// Ends the row that is being filled; `row` is the next one.
    pub fn next(&mut self, row: u64) -> Result<(), AnalysisError> {
        let filled = self.row.iter().filter(|cell| !cell.is_empty()).count() as u64;
        if filled > 0 {
            self.fill_spans();
            let first = self.row.iter().position(|cell| !cell.is_empty()).unwrap_or(0);
            self.columns = (self.columns.0.min(first), self.columns.1.max(self.row.len()));
            self.filled_rows += 1;
            self.wide_rows += u64::from(filled > 1);
            self.filled += filled;
            if self.filled_rows.is_multiple_of(STEP) {
                self.watch.check()?;
            }
        }
        self.put()?;
        for _ in self.at + 1..row {
            self.put()?;
        }
        self.at = row;
        Ok(())
    }

    /// Writes the row as lengths and texts, and begins a new one.
    fn put(&mut self) -> Result<(), AnalysisError> {
        let mut bytes = Vec::with_capacity(self.bytes + 4 * self.row.len() + 4);
        bytes.extend_from_slice(&(self.row.len() as u32).to_le_bytes());
        for cell in self.row.drain(..) {
            let cell = &cell[..cell.floor_char_boundary(FIELD)];
            bytes.extend_from_slice(&(cell.len() as u32).to_le_bytes());
            bytes.extend_from_slice(cell.as_bytes());
        }
        self.bytes = 0;
        if self.out.size() > self.options.max_content {
            let limit = size(self.options.max_content);
            return Err(AnalysisError::BadInput(wrong::too_much_text(limit)));
        }
        self.out.write_all(&bytes).map_err(io("writing a temporary file"))
    }

    fn fill_spans(&mut self) {
        let at = self.at;
        for (&column, spans) in &mut self.spans {
            let Some((&from, (to, text))) = spans.range_mut(..=at).next_back() else { continue };
            if *to < at {
                continue;
            }
            match self.row.get_mut(column) {
                Some(cell) if from == at => text.clone_from(cell),
                Some(cell) if cell.is_empty() => cell.clone_from(text),
                None if from < at && !text.is_empty() => {
                    self.row.resize(column + 1, String::new());
                    self.row[column].clone_from(text);
                }
                _ => {}
            }
        }
    }

    /// The row that is being filled.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Whether these can be a table: several rows of several cells.
    pub fn is_table(&self) -> bool {
        self.wide_rows >= LEAST
    }

    /// All of it as CSV, from the first column with a value on; with names above where they are
    /// known by now.
    pub fn csv(mut self, names: Option<&[String]>) -> Result<(Kept, u64), AnalysisError> {
        if self.row.iter().any(|cell| !cell.is_empty()) {
            self.next(self.at + 1)?;
        }
        let (first, end) = match names {
            Some(names) => (0, names.len()),
            None => (self.columns.0.min(self.columns.1), self.columns.1),
        };
        let width = (end - first) as u64;
        if names.is_none() && self.filled_rows * width > FREE + SPARSE * self.filled {
            let wrong = wrong::sparse(self.filled_rows, width, self.filled);
            return Err(AnalysisError::BadInput(wrong));
        }
        let mut csv = Csv::new(self.options, self.watch);
        if let Some(names) = names {
            csv.row(names.iter().map(String::as_str))?;
        }
        let mut raw: Box<dyn Read> = match self.out.kept().0 {
            Kept::Spooled(mut file) => {
                file.seek(SeekFrom::Start(0)).map_err(io("reading a temporary file"))?;
                Box::new(std::io::BufReader::with_capacity(1 << 18, file))
            }
            Kept::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Kept::Path(_) => Box::new(std::io::empty()),
        };
        let failed = || io("reading a temporary file");
        let mut cells: Vec<String> = Vec::new();
        while let Some(count) = length(&mut raw).map_err(failed())? {
            cells.clear();
            for _ in 0..count {
                let long = length(&mut raw).map_err(failed())?.unwrap_or(0);
                let mut cell = String::with_capacity(long);
                raw.by_ref().take(long as u64).read_to_string(&mut cell).map_err(failed())?;
                cells.push(cell);
            }
            if names.is_none() && cells.iter().all(String::is_empty) {
                csv.blank()?;
                continue;
            }
            csv.row((first..end).map(|column| cells.get(column).map_or("", String::as_str)))?;
        }
        Ok(csv.kept())
    }
}

/// The next length, if there is one.
fn length(raw: &mut impl Read) -> std::io::Result<Option<usize>> {
    let mut bytes = [0; 4];
    match raw.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u32::from_le_bytes(bytes) as usize)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
