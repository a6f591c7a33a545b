//! Chunks: a stream of bytes cut where a record ends, for whoever parses in parallel.
//!
//! A quote that is never closed, or not within [`FIELD`] bytes, counts as an ordinary character
//! and is left out.

use super::dialect::Dialect;
use super::encoding::Text;
use super::layout;
use super::records::{self, FIELD, RECORD, Record, Sink};
use crate::AnalysisError;

/// The end of the last whole record, and the quote after it that is not closed yet.
struct Scan {
    end: usize,
    open: Option<usize>,
}

/// Looks for it in bytes that start with a record, from a place on before which a record ended.
fn scan(bytes: &[u8], (mut at, mut end): (usize, usize), dialect: Dialect, last: bool) -> Scan {
    loop {
        let quote = memchr::memchr(dialect.quote, &bytes[at..]).map(|offset| at + offset);
        let until = quote.unwrap_or(bytes.len());
        if let Some(offset) = memchr::memrchr(dialect.end, &bytes[at..until]) {
            end = at + offset + 1;
        }
        let Some(quote) = quote else { return Scan { end, open: None } };
        at = quote + 1;
        if !dialect.opens(bytes, quote) {
            continue;
        }
        let close = records::closing(bytes, quote, dialect, last).map(|close| close.at);
        match close.map(|close| (close, records::ends_field(bytes, close, dialect, last))) {
            Some((close, Some(true))) => at = close + 1,
            Some((_, Some(false))) => {}
            Some((_, None)) | None => return Scan { end, open: Some(quote) },
        }
    }
}

/// Cuts a text into pieces that end where a record ends.
pub(super) struct Chunks<'a> {
    pub text: Text<'a>,
    dialect: Dialect,
    size: usize,
    rest: Vec<u8>,
    more: bool,
    /// Columns of the table, where lines below it are to be looked for.
    columns: Option<usize>,
    /// Whether the last record is one of them.
    last: bool,
    /// Lines below the table that were left out.
    pub footers: u64,
}

/// Bytes at the end of a text that lines below its table may take.
const BELOW: usize = 16 << 10;

/// Some whole records.
#[derive(Default)]
pub(super) struct Chunk {
    pub bytes: Vec<u8>,
    /// Lines of the piece, from 0, with quotes that were never closed.
    pub unclosed: Vec<u64>,
    /// Whether the last record was cut.
    pub cut: bool,
}

impl<'a> Chunks<'a> {
    pub fn new(text: Text<'a>, dialect: Dialect, size: usize) -> Self {
        let size = size.clamp(1, RECORD);
        let (rest, more, columns, footers) = (Vec::new(), true, None, 0);
        Self { text, dialect, size, rest, more, columns, last: true, footers }
    }

    /// The next records; false at the end. `chunk` lends its memory.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool, AnalysisError> {
        chunk.unclosed.clear();
        chunk.cut = false;
        let bytes = &mut chunk.bytes;
        bytes.clear();
        bytes.append(&mut self.rest);
        let mut want = self.size;
        // What was said of the quotes before this place stays so.
        let mut from = (0, 0);
        loop {
            while self.more && bytes.len() < want {
                self.more = self.text.fill(bytes, want - bytes.len())?;
            }
            let found = scan(bytes, from, self.dialect, !self.more);
            if let Some(open) = found.open
                && (!self.more || bytes.len() - open > FIELD)
            {
                let lines = memchr::memchr_iter(self.dialect.end, &bytes[..open]).count();
                chunk.unclosed.push(lines as u64);
                bytes.remove(open);
                from = (open, found.end);
                continue;
            }
            if !self.more {
                if let Some(columns) = self.columns {
                    self.footers += cut_footers(bytes, self.dialect, columns);
                }
                if !self.last {
                    cut_last(bytes, self.dialect);
                    // What is asked again ends here by now.
                    self.last = true;
                }
                // A quote that was left out may have been all there was: it is told all the same.
                return Ok(!bytes.is_empty() || !chunk.unclosed.is_empty());
            }
            if found.end > 0 {
                self.rest.extend_from_slice(&bytes[found.end..]);
                bytes.truncate(found.end);
                if (self.columns.is_none() && self.last)
                    || self.is_more_than(BELOW.min(self.size / 4))?
                {
                    return Ok(true);
                }
                // What is below a table must be seen together with its last rows.
                bytes.append(&mut self.rest);
                continue;
            }
            if bytes.len() > RECORD {
                bytes.truncate(RECORD);
                chunk.cut = true;
                self.skip_line()?;
                bytes.push(self.dialect.end);
                return Ok(true);
            }
            want = bytes.len() + (bytes.len() / 2).max(self.size);
        }
    }

    /// With lines below the table of so many columns left out, such as footnotes, and with its last
    /// record or without.
    pub fn without_footers(self, columns: Option<usize>, last: bool) -> Self {
        Self { columns, last, ..self }
    }

    /// Whether at least so many bytes follow.
    fn is_more_than(&mut self, least: usize) -> Result<bool, AnalysisError> {
        while self.more && self.rest.len() < least {
            let want = least - self.rest.len();
            self.more = self.text.fill(&mut self.rest, want)?;
        }
        Ok(self.rest.len() >= least)
    }

    /// Leaves out what is left of a line that is too long.
    fn skip_line(&mut self) -> Result<(), AnalysisError> {
        while self.more {
            self.rest.clear();
            self.more = self.text.fill(&mut self.rest, FIELD)?;
            if let Some(end) = memchr::memchr(self.dialect.end, &self.rest) {
                self.rest.drain(..=end);
                return Ok(());
            }
        }
        self.rest.clear();
        Ok(())
    }

    /// Leaves out records at the start; gives the lines they had.
    pub fn skip(&mut self, records: u64) -> Result<u64, AnalysisError> {
        let mut lines = 0;
        let size = std::mem::replace(&mut self.size, 1);
        let mut chunk = Chunk::default();
        let mut left = records;
        while left > 0 && self.next(&mut chunk)? {
            // The piece may have more than one record, or only blank lines.
            let text = String::from_utf8_lossy(&chunk.bytes);
            let mut first = First::default();
            let first_lines = records::split(&text, self.dialect, &mut first);
            left -= u64::from(first.seen);
            lines += first_lines;
            let end = nth_line_end(&chunk.bytes, self.dialect.end, first_lines);
            let mut rest = chunk.bytes.split_off(end);
            rest.append(&mut self.rest);
            self.rest = rest;
        }
        self.size = size;
        Ok(lines)
    }
}

/// Leaves out lines below a table at the end of the last piece; gives how many.
fn cut_footers(bytes: &mut Vec<u8>, dialect: Dialect, columns: usize) -> u64 {
    let near = bytes.len().saturating_sub(BELOW);
    let line = memchr::memchr(dialect.end, &bytes[near..]).map_or(near, |at| near + at + 1);
    let start = if near == 0 { 0 } else { line };
    let Ok(text) = std::str::from_utf8(&bytes[start..]) else { return 0 };
    let Some((at, lines)) = layout::below(text, dialect, columns) else { return 0 };
    bytes.truncate(start + at);
    lines
}

/// Leaves out the last record.
fn cut_last(bytes: &mut Vec<u8>, dialect: Dialect) {
    #[derive(Default)]
    struct Last(usize);
    impl Sink for Last {
        fn record(&mut self, record: &Record) -> bool {
            if !record.is_empty() {
                self.0 = record.at.0;
            }
            true
        }
    }
    let mut last = Last::default();
    if let Ok(text) = std::str::from_utf8(bytes) {
        records::split(text, dialect, &mut last);
        bytes.truncate(last.0);
    }
}

/// Stops after one record.
#[derive(Default)]
struct First {
    seen: bool,
}

impl Sink for First {
    fn record(&mut self, _: &Record) -> bool {
        self.seen = true;
        false
    }
}

fn nth_line_end(bytes: &[u8], end: u8, lines: u64) -> usize {
    let nth = usize::try_from(lines).unwrap_or(usize::MAX).saturating_sub(1);
    memchr::memchr_iter(end, bytes).nth(nth).map_or(bytes.len(), |at| at + 1)
}
