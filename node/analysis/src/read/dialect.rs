//! Dialects: what stands between fields and between lines.

use super::ReadOptions;
use super::encoding::{Encoding, Text};
use super::records::{self, RECORD, Sink};
use super::source::{Input, SAMPLE};
use crate::AnalysisError;

/// What separates fields and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    /// Around a field that has a delimiter or line end in it; an ASCII character.
    pub quote: u8,
    /// `\n`, or `\r` in files of old Macs.
    pub end: u8,
}

/// The start of the text.
pub(super) struct Sample {
    pub text: String,
    /// Whether that is all.
    pub whole: bool,
}

/// Delimiters that are tried, the more common first.
const DELIMITERS: &[u8] = b",;\t|\x01^";
/// Quotes that are tried; the second only when it stands around fields and fits better.
const QUOTES: &[u8] = b"\"'";
/// Records that are counted for each.
const RECORDS: usize = 200;
/// Lines that a sample should have.
const LINES: usize = 20;

/// The start of the input, ending with a line.
pub(super) fn sample(input: &Input, encoding: &Encoding) -> Result<Sample, AnalysisError> {
    let mut text = Text::open(input, encoding)?;
    let mut bytes = Vec::new();
    let mut want = SAMPLE;
    let mut more = true;
    while more {
        while more && bytes.len() < want {
            let missing = want - bytes.len();
            more = text.fill(&mut bytes, missing)?;
        }
        let lines = memchr::memchr2_iter(b'\n', b'\r', &bytes).take(LINES).count();
        if lines >= LINES || bytes.len() >= RECORD {
            break;
        }
        want = bytes.len() * 2 + SAMPLE;
    }
    if bytes.is_empty() {
        return Err(AnalysisError::BadInput(
            "there is nothing in this file but NUL bytes; name one with a table in it".to_owned(),
        ));
    }
    if more {
        let end = memchr::memrchr2(b'\n', b'\r', &bytes).ok_or_else(endless)?;
        bytes.truncate(end + 1);
    }
    Ok(Sample { text: String::from_utf8_lossy(&bytes).into_owned(), whole: !more })
}

/// What separates the fields of this text.
pub(super) fn sniff(sample: &Sample, options: &ReadOptions) -> Result<Dialect, AnalysisError> {
    let bytes = sample.text.as_bytes();
    let end = if memchr::memchr(b'\n', bytes).is_none() && bytes.contains(&b'\r') {
        b'\r'
    } else {
        b'\n'
    };
    let fixed = options.delimiter.map(wanted).transpose()?.or_else(|| said(&sample.text));
    let quote = options.quote.map(wanted_quote).transpose()?;
    if quote.is_some() && quote == fixed {
        return Err(AnalysisError::BadOption(
            "the quote and the delimiter are the same character; take two different ones".into(),
        ));
    }
    let delimiters = fixed.as_slice();
    let delimiters = if delimiters.is_empty() { DELIMITERS } else { delimiters };
    let quotes = quote.as_slice();
    let quotes = if quotes.is_empty() { QUOTES } else { quotes };
    let mut best = (0.0, None);
    for (place, &quote) in quotes.iter().enumerate() {
        for &delimiter in delimiters.iter().filter(|delimiter| **delimiter != quote) {
            let dialect = Dialect { delimiter, quote, end };
            if place > 0 && !wraps(bytes, dialect) {
                continue;
            }
            let score = score(&sample.text, dialect);
            if score > best.0 {
                best = (score, Some(dialect));
            }
        }
    }
    if let Some(dialect) = best.1 {
        return Ok(dialect);
    }
    let quote = quotes[0];
    // One column: its texts must not be cut at their commas.
    let whole = |delimiter: &u8| {
        let widths = widths(&sample.text, Dialect { delimiter: *delimiter, quote, end });
        widths.iter().all(|width| *width == 1)
    };
    let delimiter = fixed.or_else(|| DELIMITERS.iter().copied().find(whole)).unwrap_or(b',');
    Ok(Dialect { delimiter, quote, end })
}

/// Whether a quote stands around fields: as often at their start as at their end. An apostrophe
/// does not.
fn wraps(bytes: &[u8], dialect: Dialect) -> bool {
    let (mut opened, mut closed) = (0_usize, 0_usize);
    let outside = |byte: Option<&u8>| {
        byte.is_none_or(|b| *b == dialect.delimiter || matches!(b, b'\n' | b'\r'))
    };
    for at in memchr::memchr_iter(dialect.quote, bytes) {
        opened += usize::from(outside(at.checked_sub(1).and_then(|before| bytes.get(before))));
        closed += usize::from(outside(bytes.get(at + 1)));
    }
    opened > 0 && opened.abs_diff(closed) * 20 <= opened
}

/// The delimiter of a first line such as `sep=;`, which Excel understands.
pub(super) fn said(text: &str) -> Option<u8> {
    let line = text.lines().next()?;
    match line.strip_prefix("sep=")?.as_bytes() {
        [delimiter] if delimiter.is_ascii() && *delimiter != b'"' => Some(*delimiter),
        _ => None,
    }
}

fn wanted(delimiter: char) -> Result<u8, AnalysisError> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(byte),
        _ => Err(AnalysisError::BadOption(format!(
            "{delimiter:?} cannot stand between fields; take one such as ',' ';' '|' or a tab"
        ))),
    }
}

fn wanted_quote(quote: char) -> Result<u8, AnalysisError> {
    match u8::try_from(quote) {
        Ok(byte) if byte.is_ascii_punctuation() => Ok(byte),
        _ => Err(AnalysisError::BadOption(format!(
            "{quote:?} cannot stand around fields; take one such as \" or '"
        ))),
    }
}

/// How well a delimiter cuts a text into a table: more is better, 0 is not at all.
fn score(text: &str, dialect: Dialect) -> f64 {
    let widths = widths(text, dialect);
    let Some(&first) = widths.first() else { return 0.0 };
    let width = common(&widths);
    if width < 2 {
        return 0.0;
    }
    let fits = widths.iter().filter(|w| **w == width).count();
    let share = fits as f64 / widths.len() as f64;
    let header = match first {
        first if first == width => 1.0,
        // A title above the table.
        1 if width >= 3 && fits * 10 >= (widths.len() - 1) * 7 => 0.3,
        1 => return 0.0,
        _ => 0.6,
    };
    share * share * ((width + 1) as f64).ln() * header
}

/// How many fields the first records have.
fn widths(text: &str, dialect: Dialect) -> Vec<usize> {
    let mut widths = Widths::default();
    records::split(text, dialect, &mut widths);
    widths.0
}

/// The most common width; of equally common ones the first that came.
pub(super) fn common(widths: &[usize]) -> usize {
    let mut best = (0, 0);
    let mut seen = Vec::new();
    for &width in widths {
        if seen.contains(&width) {
            continue;
        }
        seen.push(width);
        let count = widths.iter().filter(|w| **w == width).count();
        if count > best.0 {
            best = (count, width);
        }
    }
    best.1
}

#[derive(Default)]
struct Widths(Vec<usize>);

impl Sink for Widths {
    fn field(&mut self, _: usize, _: &str) {}

    fn end(&mut self, fields: usize, _: u64) -> bool {
        self.0.push(fields);
        self.0.len() < RECORDS
    }
}

fn endless() -> AnalysisError {
    AnalysisError::BadInput(format!(
        "the first line is longer than {} MB, so this is not a table; name a CSV file with one \
         row in each line",
        RECORD >> 20
    ))
}
