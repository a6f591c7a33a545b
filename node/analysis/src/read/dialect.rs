//! Dialects: what stands between fields and between lines.

use super::encoding::{Encoding, Text};
use super::records::RECORD;
use super::source::{Input, SAMPLE};
use crate::{AnalysisError, wrong};

/// What separates fields and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub delimiter: u8,
    /// Around a field that has a delimiter or line end in it; an ASCII character.
    pub quote: u8,
    /// Before a quote that belongs to its field, where quotes are not doubled for that.
    pub escape: Option<u8>,
    /// Double quotes are doubled, too, although they are not the quote: they were it once.
    pub doubled: bool,
    /// `\n`, or `\r` in files of old Macs.
    pub end: u8,
    /// Spaces after a delimiter belong to no field.
    pub padded: bool,
    /// Several spaces are one delimiter.
    pub runs: bool,
    /// A single space is none.
    pub wide: bool,
    /// Whether the file shows its delimiter; else it has one column.
    pub found: bool,
}

impl Dialect {
    pub(super) fn of(delimiter: u8, quote: u8, end: u8) -> Self {
        let (padded, runs, wide, doubled) = (false, false, false, false);
        Self { delimiter, quote, escape: None, doubled, end, padded, runs, wide, found: true }
    }

    /// Where a field begins that may begin here.
    pub fn begin(&self, bytes: &[u8], at: usize) -> usize {
        if !self.padded && !self.runs {
            return at;
        }
        at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b' ').count()
    }

    /// Whether the space at `at` stands in a field.
    pub fn joins(&self, bytes: &[u8], at: usize) -> bool {
        let space = |at: usize| bytes.get(at) == Some(&b' ');
        self.wide && space(at) && !space(at + 1) && !at.checked_sub(1).is_some_and(space)
    }

    /// Whether the delimiter at `at` ends the record, as spaces at the end of a line do.
    pub fn last(&self, bytes: &[u8], at: usize) -> bool {
        if !self.runs {
            return false;
        }
        let next = bytes.get(self.begin(bytes, at));
        next.is_none_or(|byte| *byte == self.end || *byte == b'\r')
    }

    /// Whether a quote at `at` opens a field.
    pub fn opens(&self, bytes: &[u8], at: usize) -> bool {
        let before = &bytes[..at];
        let spaces = |before: &[u8]| before.iter().rev().take_while(|b| **b == b' ').count();
        let gap = if self.padded || self.runs { spaces(before) } else { 0 };
        let last = before.len().checked_sub(gap + 1).and_then(|at| before.get(at));
        last.is_none_or(|b| *b == self.delimiter || *b == self.end) || (self.runs && gap > 0)
    }
}

/// The start of the text.
pub(super) struct Sample {
    pub text: String,
    /// Whether that is all.
    pub whole: bool,
    /// Whether its lines end in several ways, so that [`unify`] was needed.
    pub mixed: bool,
}

/// Lines that a sample should have.
const LINES: usize = 20;
/// Lines that end with a lone carriage return, from which these end lines: one in so many.
const RETURNS: usize = 20;

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
        return Err(AnalysisError::BadInput(wrong::only_nul()));
    }
    if more {
        let end = memchr::memrchr2(b'\n', b'\r', &bytes).ok_or_else(endless)?;
        bytes.truncate(end + 1);
    }
    let mixed = mixes(&bytes);
    if mixed {
        unify(&mut bytes);
    }
    Ok(Sample { text: String::from_utf8_lossy(&bytes).into_owned(), whole: !more, mixed })
}

/// Whether lines end with a carriage return alone beside others that end with a line feed. In a
/// text with line feeds such a return may also belong to a cell, so a few of them say nothing.
fn mixes(bytes: &[u8]) -> bool {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let lone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    let returns = memchr::memchr_iter(b'\r', bytes).filter(lone).count();
    feeds > 0 && returns > 0 && returns * RETURNS >= feeds
}

/// Makes a line feed of every line end.
pub(super) fn unify(bytes: &mut [u8]) {
    for at in 0..bytes.len() {
        if bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n') {
            bytes[at] = b'\n';
        }
    }
}

/// The delimiter of a first line such as `sep=;`, which Excel understands.
pub(super) fn said(text: &str) -> Option<u8> {
    let line = text.lines().next()?;
    match line.strip_prefix("sep=")?.as_bytes() {
        [delimiter] if delimiter.is_ascii() && *delimiter != b'"' => Some(*delimiter),
        _ => None,
    }
}

pub(super) fn wanted(delimiter: char) -> Result<u8, AnalysisError> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(byte),
        _ => Err(AnalysisError::BadOption(wrong::delimiter(format!("{delimiter:?}")))),
    }
}

pub(super) fn wanted_quote(quote: char) -> Result<u8, AnalysisError> {
    match u8::try_from(quote) {
        Ok(byte) if byte.is_ascii_punctuation() => Ok(byte),
        _ => Err(AnalysisError::BadOption(wrong::quote(format!("{quote:?}")))),
    }
}

pub(super) fn wanted_escape(escape: char) -> Result<u8, AnalysisError> {
    match u8::try_from(escape) {
        Ok(byte) if byte.is_ascii_punctuation() && byte != b'"' => Ok(byte),
        _ => Err(AnalysisError::BadOption(wrong::escape(format!("{escape:?}")))),
    }
}

fn endless() -> AnalysisError {
    AnalysisError::BadInput(wrong::endless((RECORD >> 20) as u64))
}
