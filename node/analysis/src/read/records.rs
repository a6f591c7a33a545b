//! Records: a text cut into fields, and a stream of bytes cut where a record ends.
//!
//! As in `csv-core` and pandas, a quote opens a field only at its start, two in it are one,
//! and what follows the closing quote belongs to the field. A quote that is never closed, or not
//! within [`FIELD`] bytes, counts as an ordinary character and is left out.

use super::dialect::Dialect;
use super::encoding::Text;
use crate::AnalysisError;

/// Bytes of the longest field; more is cut.
pub(super) const FIELD: usize = 1 << 20;
/// Bytes of the longest record; more is cut.
pub(super) const RECORD: usize = 16 << 20;

/// Takes what [`split`] finds.
pub(super) trait Sink {
    /// The next field of a record, unquoted.
    fn field(&mut self, index: usize, text: &str);

    /// The record is over; it began in this line of the text, from 0. False ends the splitting.
    fn end(&mut self, fields: usize, line: u64) -> bool;
}

/// Cuts a text into records and fields. Blank lines are no records. Gives the lines of the text.
pub(super) fn split(text: &str, dialect: Dialect, sink: &mut impl Sink) -> u64 {
    let bytes = text.as_bytes();
    let mut scratch = String::new();
    let (mut at, mut line) = (0, 0);
    while at < bytes.len() {
        if let Some(next) = blank(bytes, at, dialect) {
            at = next;
            line += 1;
            continue;
        }
        let (began, mut fields) = (line, 0);
        loop {
            let (next, over) = if bytes.get(at) == Some(&dialect.quote) {
                let quoted = unquote(text, at, dialect, &mut scratch);
                line += quoted.lines;
                sink.field(fields, quoted.text);
                (quoted.next, quoted.over)
            } else {
                let end = stop(bytes, at, dialect);
                let over = bytes.get(end) != Some(&dialect.delimiter);
                sink.field(fields, &text[at..trimmed(bytes, at, end, over)]);
                (end + 1, over)
            };
            at = next;
            fields += 1;
            if over {
                break;
            }
        }
        line += 1;
        if !sink.end(fields, began) {
            return line;
        }
    }
    line
}

/// Where the field that starts here is over, by delimiter, line end or end of text.
fn stop(bytes: &[u8], at: usize, dialect: Dialect) -> usize {
    let rest = &bytes[at.min(bytes.len())..];
    at + memchr::memchr2(dialect.delimiter, dialect.end, rest).unwrap_or(rest.len())
}

/// Without the carriage return before a line feed.
fn trimmed(bytes: &[u8], at: usize, end: usize, over: bool) -> usize {
    if over && end > at && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

/// The start of the next line, when this one has nothing but white space.
fn blank(bytes: &[u8], at: usize, dialect: Dialect) -> Option<usize> {
    let first = bytes[at];
    if first > b' ' {
        return None;
    }
    for (offset, byte) in bytes[at..].iter().enumerate() {
        match *byte {
            byte if byte == dialect.end => return Some(at + offset + 1),
            byte if byte == dialect.delimiter => return None,
            b' ' | b'\t' | b'\r' => {}
            _ => return None,
        }
    }
    Some(bytes.len())
}

struct Quoted<'a> {
    text: &'a str,
    /// Line ends in the field.
    lines: u64,
    next: usize,
    over: bool,
}

/// The field whose opening quote is at `open`.
fn unquote<'a>(
    text: &'a str,
    open: usize,
    dialect: Dialect,
    scratch: &'a mut String,
) -> Quoted<'a> {
    let bytes = text.as_bytes();
    let Some((close, doubled)) = closing(bytes, open, dialect.quote, true) else {
        let end = stop(bytes, open, dialect);
        let over = bytes.get(end) != Some(&dialect.delimiter);
        let field = &text[open + 1..trimmed(bytes, open + 1, end.max(open + 1), over)];
        return Quoted { text: field, lines: 0, next: end + 1, over };
    };
    let inner = &text[open + 1..close];
    let lines = memchr::memchr_iter(dialect.end, inner.as_bytes()).count() as u64;
    let end = stop(bytes, close + 1, dialect);
    let over = bytes.get(end) != Some(&dialect.delimiter);
    let tail = &text[close + 1..trimmed(bytes, close + 1, end, over)];
    if !doubled && tail.is_empty() {
        return Quoted { text: inner, lines, next: end + 1, over };
    }
    scratch.clear();
    let pair = [dialect.quote; 2];
    let mut parts = inner.split(std::str::from_utf8(&pair).unwrap_or("\"\""));
    scratch.push_str(parts.next().unwrap_or_default());
    for part in parts {
        scratch.push(char::from(dialect.quote));
        scratch.push_str(part);
    }
    scratch.push_str(tail);
    Quoted { text: scratch, lines, next: end + 1, over }
}

/// The quote that closes the one at `open`, and whether there are doubled ones between. A quote
/// that ends the bytes closes only when they are the last ones.
fn closing(bytes: &[u8], open: usize, mark: u8, last: bool) -> Option<(usize, bool)> {
    let mut at = open + 1;
    let mut doubled = false;
    loop {
        let quote = at + memchr::memchr(mark, bytes.get(at..)?)?;
        match bytes.get(quote + 1) {
            Some(next) if *next == mark => {
                doubled = true;
                at = quote + 2;
            }
            None if !last => return None,
            _ => return Some((quote, doubled)),
        }
    }
}

/// The end of the last whole record, and the quote after it that is not closed yet.
struct Scan {
    end: usize,
    open: Option<usize>,
}

/// Looks for it in bytes that start with a record.
fn scan(bytes: &[u8], dialect: Dialect, last: bool) -> Scan {
    let (mut at, mut end) = (0, 0);
    loop {
        let quote = memchr::memchr(dialect.quote, &bytes[at..]).map(|offset| at + offset);
        let until = quote.unwrap_or(bytes.len());
        if let Some(offset) = memchr::memrchr(dialect.end, &bytes[at..until]) {
            end = at + offset + 1;
        }
        let Some(quote) = quote else { return Scan { end, open: None } };
        let before = quote.checked_sub(1).map(|at| bytes[at]);
        if before.is_none_or(|byte| byte == dialect.delimiter || byte == dialect.end) {
            match closing(bytes, quote, dialect.quote, last) {
                Some((close, _)) => at = close + 1,
                None => return Scan { end, open: Some(quote) },
            }
        } else {
            at = quote + 1;
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
}

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
        Self { text, dialect, size: size.clamp(1, RECORD), rest: Vec::new(), more: true }
    }

    /// The next records; false at the end. `chunk` lends its memory.
    pub fn next(&mut self, chunk: &mut Chunk) -> Result<bool, AnalysisError> {
        chunk.unclosed.clear();
        chunk.cut = false;
        let bytes = &mut chunk.bytes;
        bytes.clear();
        bytes.append(&mut self.rest);
        let mut want = self.size;
        loop {
            while self.more && bytes.len() < want {
                self.more = self.text.fill(bytes, want - bytes.len())?;
            }
            let found = scan(bytes, self.dialect, !self.more);
            if let Some(open) = found.open
                && (!self.more || bytes.len() - open > FIELD)
            {
                let lines = memchr::memchr_iter(self.dialect.end, &bytes[..open]).count();
                chunk.unclosed.push(lines as u64);
                bytes.remove(open);
                continue;
            }
            if !self.more {
                // A quote that was left out may have been all there was: it is told all the same.
                return Ok(!bytes.is_empty() || !chunk.unclosed.is_empty());
            }
            if found.end > 0 {
                self.rest.extend_from_slice(&bytes[found.end..]);
                bytes.truncate(found.end);
                return Ok(true);
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
            let first_lines = split(&text, self.dialect, &mut first);
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

/// Stops after one record.
#[derive(Default)]
struct First {
    seen: bool,
}

impl Sink for First {
    fn field(&mut self, _: usize, _: &str) {}

    fn end(&mut self, _: usize, _: u64) -> bool {
        self.seen = true;
        false
    }
}

fn nth_line_end(bytes: &[u8], end: u8, lines: u64) -> usize {
    let nth = usize::try_from(lines).unwrap_or(usize::MAX).saturating_sub(1);
    memchr::memchr_iter(end, bytes).nth(nth).map_or(bytes.len(), |at| at + 1)
}
