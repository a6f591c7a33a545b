//! Sniffing: which dialect cuts a text into a table.
//!
//! Every delimiter and quote that may be is tried on the first records; what gives many rows of
//! one width wins. Characters that also stand in texts, times and names (a space, a colon) are
//! tried only where no other cuts anything.

use super::ReadOptions;
use super::dialect::{self, Dialect, Sample};
use super::mend::Guards;
use super::records::{self, Record, Sink};
use super::{number, time};
use crate::{AnalysisError, wrong};

/// Delimiters that are tried, the more common first.
const DELIMITERS: &[u8] = b",;\t|\x01^~";
/// Quotes that are tried; the second only when it stands around fields and fits better.
const QUOTES: &[u8] = b"\"'";
/// Before quotes that belong to a field, where they are not doubled.
const ESCAPE: u8 = b'\\';
/// Records that are counted for each.
const RECORDS: usize = 200;
/// Records above a table that may have another width.
const ABOVE: usize = 20;
/// Rows below those that must be of one width.
const BELOW: usize = 12;
/// Records before a blank line that are more than titles.
const FEW: usize = 3;
/// Rows that show a table where its delimiter also stands in texts.
const ROWS: usize = 5;

/// What separates the fields of this text.
pub(super) fn sniff(sample: &Sample, options: &ReadOptions) -> Result<Dialect, AnalysisError> {
    let text = sample.text.as_str();
    let bytes = text.as_bytes();
    let end = if memchr::memchr(b'\n', bytes).is_none() && bytes.contains(&b'\r') {
        b'\r'
    } else {
        b'\n'
    };
    let fixed = options.delimiter.map(dialect::wanted).transpose()?;
    let fixed = fixed.or_else(|| dialect::said(text));
    let quote = options.quote.map(dialect::wanted_quote).transpose()?;
    if quote.is_some() && quote == fixed {
        return Err(AnalysisError::BadOption(wrong::same_character()));
    }
    let escape = options.escape.map(dialect::wanted_escape).transpose()?;
    let delimiters = fixed.as_slice();
    let delimiters = if delimiters.is_empty() { DELIMITERS } else { delimiters };
    let quotes = quote.as_slice();
    let quotes = if quotes.is_empty() { QUOTES } else { quotes };
    let mut best = (0.0, None);
    for (place, &quote) in quotes.iter().enumerate() {
        for &delimiter in delimiters.iter().filter(|delimiter| **delimiter != quote) {
            let plain = Dialect { escape, ..Dialect::of(delimiter, quote, end) };
            let dialect = detailed(text, plain, options);
            if place > 0 && !wraps(bytes, dialect) {
                continue;
            }
            let score = score(text, dialect);
            if score > best.0 {
                best = (score, Some(dialect));
            }
        }
    }
    if let Some(dialect) = best.1 {
        return Ok(dialect);
    }
    let quote = quotes[0];
    if let Some(delimiter) = fixed {
        return Ok(Dialect { escape, ..Dialect::of(delimiter, quote, end) });
    }
    if let Some(dialect) = common_characters(text, quote, end) {
        return Ok(dialect);
    }
    // One column: its texts must not be cut at their commas.
    let whole = |delimiter: &u8| {
        let widths = widths(text, Dialect::of(*delimiter, quote, end));
        widths.iter().all(|width| *width == 1)
    };
    let delimiter = DELIMITERS.iter().copied().find(whole).unwrap_or(b',');
    Ok(Dialect { found: false, escape, ..Dialect::of(delimiter, quote, end) })
}

/// With spaces after delimiters, and with an escape before quotes, where the text has them.
fn detailed(text: &str, dialect: Dialect, options: &ReadOptions) -> Dialect {
    let doubled = dialect.quote != b'"' && is_doubled(text);
    let padded = Dialect { padded: is_padded(text, dialect), doubled, ..dialect };
    let marked = [ESCAPE, dialect.quote];
    if options.escape.is_some() || memchr::memmem::find(text.as_bytes(), &marked).is_none() {
        return padded;
    }
    let escaped = Dialect { escape: Some(ESCAPE), ..padded };
    // Where quotes without it are in fields, too, it is a character like others.
    if wrong(text, escaped) * 2 < wrong(text, padded) { escaped } else { padded }
}

/// Whether double quotes never come alone.
fn is_doubled(text: &str) -> bool {
    let mut quotes = text.split(|c| c != '"').map(str::len).filter(|count| *count > 0).peekable();
    quotes.peek().is_some() && quotes.all(|count| count % 2 == 0)
}

/// Whether hardly any field after a delimiter begins with anything but a space.
fn is_padded(text: &str, dialect: Dialect) -> bool {
    if dialect.delimiter == b' ' {
        return false;
    }
    let bytes = text.as_bytes();
    let (mut all, mut padded) = (0_usize, 0_usize);
    for at in memchr::memchr_iter(dialect.delimiter, bytes) {
        match bytes.get(at + 1) {
            Some(b' ') => (all, padded) = (all + 1, padded + 1),
            Some(b'\r' | b'\n') | None => {}
            Some(byte) if *byte == dialect.delimiter => {}
            Some(_) => all += 1,
        }
    }
    padded > 1 && padded * 10 >= all * 9
}

/// Records whose quotes are not as they should be, or whose width is not that of most.
fn wrong(text: &str, dialect: Dialect) -> usize {
    let mut all = Widths { most: usize::MAX, ..Widths::default() };
    records::split(text, dialect, &mut all);
    let width = common(&all.widths);
    all.wrong + all.widths.iter().filter(|w| **w != width).count()
}

/// Whether a quote stands around fields: as often at their start as at their end. An apostrophe
/// does not.
fn wraps(bytes: &[u8], dialect: Dialect) -> bool {
    let (mut opened, mut closed) = (0_usize, 0_usize);
    let outside = |byte: Option<&u8>| {
        byte.is_none_or(|b| *b == dialect.delimiter || matches!(b, b'\n' | b'\r'))
    };
    for at in memchr::memchr_iter(dialect.quote, bytes) {
        opened += usize::from(dialect.opens(bytes, at));
        closed += usize::from(outside(bytes.get(at + 1)));
    }
    opened > 0 && opened.abs_diff(closed) * 20 <= opened
}

/// How well a delimiter cuts a text into a table: more is better, 0 is not at all.
fn score(text: &str, dialect: Dialect) -> f64 {
    let (widths, gap) = widths_and_gap(text, dialect);
    let Some(&first) = widths.first() else { return 0.0 };
    let width = common(&widths);
    if width < 2 {
        return 0.0;
    }
    let fits = widths.iter().filter(|w| **w == width).count();
    let share = fits as f64 / widths.len() as f64;
    let header = match first {
        first if first == width => 1.0,
        // Titles above the table.
        first if first < width && above(&widths, gap, width) => 0.3,
        1 => return 0.0,
        _ => 0.6,
    };
    share * share * ((width + 1) as f64).ln() * header
}

/// Whether what has another width stands above the table: of two columns, all of it must, since
/// texts have delimiters too.
fn above(widths: &[usize], gap: usize, width: usize) -> bool {
    let titles = widths.iter().take_while(|w| **w != width).count();
    let below = &widths[titles..];
    let titled = titles <= ABOVE && widths[..titles].iter().all(|w| *w < width);
    let fits = |below: &[usize]| below.iter().filter(|w| **w == width).count();
    let table = if width > 2 {
        // Further down there may be other tables.
        let below = &below[..below.len().min(BELOW)];
        fits(below) * 10 >= below.len() * 7 && below.len() > 1
    } else {
        let single = widths[..titles].iter().all(|w| *w == 1);
        let below = &below[..gap.saturating_sub(titles).min(below.len())];
        fits(below) == below.len() && below.len() > 2 && single
    };
    titled && table
}

/// How many fields the first records have, but for those that a `#` begins above a table.
fn widths(text: &str, dialect: Dialect) -> Vec<usize> {
    widths_and_gap(text, dialect).0
}

/// As [`widths`], with the first record that has some others and then a blank line before it.
fn widths_and_gap(text: &str, dialect: Dialect) -> (Vec<usize>, usize) {
    let mut widths = Widths { most: RECORDS, ..Widths::default() };
    records::split(text, dialect, &mut widths);
    if widths.widths.is_empty() {
        // Where all are like that, they are the rows.
        widths.widths = std::mem::take(&mut widths.comments);
    }
    let gap = widths.gap.unwrap_or(widths.widths.len());
    (widths.widths, gap)
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
struct Widths {
    widths: Vec<usize>,
    wrong: usize,
    most: usize,
    /// Of comments above the table.
    comments: Vec<usize>,
    gap: Option<usize>,
    /// The line after the last record.
    next: u64,
}

impl Sink for Widths {
    fn record(&mut self, record: &Record) -> bool {
        if self.widths.is_empty() && record.is_comment() {
            self.comments.push(record.len());
            return self.comments.len() < RECORDS;
        }
        let records = self.widths.len();
        if records > FEW && record.line > self.next {
            self.gap.get_or_insert(records);
        }
        self.next = record.line + 1 + record.raw().matches('\n').count() as u64;
        self.wrong += usize::from(record.wrong);
        self.widths.push(record.len());
        self.widths.len() < self.most
    }
}

/// A space or a colon between fields. Both also stand in texts, so that the rows must show a
/// table: one width, columns of numbers or dates, and no line that is a time for itself.
fn common_characters(text: &str, quote: u8, end: u8) -> Option<Dialect> {
    let colon = Dialect::of(b':', quote, end);
    let space = Dialect::of(b' ', quote, end);
    let runs = Dialect { runs: true, ..space };
    let wide = Dialect { wide: true, ..runs };
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(RECORDS);
    let single = |line: &&str| {
        number::looks(line) || time::parse(line, false).or(time::parse(line, true)).is_some()
    };
    let (all, alone) = (lines().count(), lines().filter(single).count());
    if alone * 4 > all * 3 {
        return None;
    }
    let mut found =
        [runs, wide, space, colon].into_iter().filter(|dialect| is_table(text, *dialect));
    found.next().or_else(|| is_ragged(text, space).then_some(space))
}

fn is_table(text: &str, dialect: Dialect) -> bool {
    let rows = first_rows(text, dialect);
    let widths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let width = common(&widths);
    let fits = widths.iter().filter(|w| **w == width).count();
    if width < 3 || rows.len() < ROWS || widths[0] != width || fits * 10 < rows.len() * 9 {
        return false;
    }
    let clock = |line: &str| {
        let digit = |at: usize| line.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        memchr::memchr_iter(b':', line.as_bytes()).any(|at| {
            let hour = at > 1 && digit(at - 1) && digit(at - 2) && !(at > 2 && digit(at - 3));
            hour && digit(at + 1) && digit(at + 2) && !digit(at + 3)
        })
    };
    if dialect.delimiter == b':'
        && text.lines().take(RECORDS).filter(|l| clock(l)).count() > fits / 2
    {
        return false;
    }
    let typed = |cell: &String| number::looks(cell) || time::parse(cell, true).is_some();
    let column = |column: usize| {
        let cells = || rows.iter().skip(1).filter_map(move |row| row.get(column));
        cells().filter(|cell| typed(cell)).count() * 10 >= cells().count() * 9
    };
    let columns = (0..width).filter(|at| column(*at)).count();
    let named = !rows[0].iter().any(typed);
    columns > 1 || (columns == 1 && named)
}

/// A table whose delimiter also stands in the texts of one column, which the header shows.
fn is_ragged(text: &str, dialect: Dialect) -> bool {
    let rows = first_rows(text, dialect);
    let Some((header, rows)) = rows.split_first() else { return false };
    let wide = rows.iter().all(|row| row.len() >= header.len());
    wide && header.len() > 2
        && rows.len() >= ROWS
        && Guards::of_ragged(rows, header.len()).is_some()
}

fn first_rows(text: &str, dialect: Dialect) -> Vec<Vec<String>> {
    let mut rows = Rows::default();
    records::split(text, dialect, &mut rows);
    rows.0
}

#[derive(Default)]
struct Rows(Vec<Vec<String>>);

impl Sink for Rows {
    fn record(&mut self, record: &Record) -> bool {
        self.0.push(record.fields().map(str::to_owned).collect());
        self.0.len() < RECORDS
    }
}
