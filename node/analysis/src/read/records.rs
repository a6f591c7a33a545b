//! Records: a text cut into lines of fields.
//!
//! As in `csv-core` and pandas, a quote opens a field only at its start, two in it are one, and
//! what follows the closing quote belongs to the field. But a quote is never believed against the
//! line that it stands in: where the one that would close it is followed by something else than
//! the end of a field, and there is a delimiter or a line end between, it is an ordinary
//! character, so that one wrong quote damages one row and none after it.

use super::dialect::Dialect;

/// Bytes of the longest field; more is cut.
pub(super) const FIELD: usize = 1 << 20;
/// Bytes of the longest record; more is cut.
pub(super) const RECORD: usize = 16 << 20;

/// Takes what [`split`] finds.
pub(super) trait Sink {
    /// The next record. False ends the splitting.
    fn record(&mut self, record: &Record) -> bool;
}

/// One record.
pub(super) struct Record<'a> {
    text: &'a str,
    scratch: &'a str,
    spans: &'a [Span],
    /// Where it lies in the text, without its line end.
    pub at: (usize, usize),
    /// The line of the text that it begins in, from 0.
    pub line: u64,
    /// Whether a quote stands where none should.
    pub wrong: bool,
}

/// Where a field lies: in the text, or in what was unquoted.
#[derive(Clone, Copy)]
struct Span {
    at: usize,
    end: usize,
    /// Its place in the text, with its quotes.
    raw: (usize, usize),
    unquoted: bool,
    quoted: bool,
}

impl Span {
    /// Of a field without quotes.
    fn plain(at: usize, end: usize) -> Self {
        Self { at, end, raw: (at, end), unquoted: false, quoted: false }
    }
}

impl<'a> Record<'a> {
    /// How many fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// A field, unquoted.
    pub fn field(&self, index: usize) -> &'a str {
        self.spans.get(index).map_or("", |span| self.text_of(span))
    }

    /// All fields, unquoted.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> {
        self.spans.iter().map(|span| self.text_of(span))
    }

    /// Whether a field stood in quotes.
    pub fn is_quoted(&self, index: usize) -> bool {
        self.spans.get(index).is_some_and(|span| span.quoted)
    }

    /// Where a field lies in [`Record::raw`], with its quotes.
    pub fn place(&self, index: usize) -> (usize, usize) {
        let span = &self.spans[index];
        (span.raw.0 - self.at.0, span.raw.1 - self.at.0)
    }

    /// As it stands in the file.
    pub fn raw(&self) -> &'a str {
        &self.text[self.at.0..self.at.1]
    }

    /// Whether it is a comment, where it is no row.
    pub fn is_comment(&self) -> bool {
        self.raw().starts_with('#')
    }

    /// Whether no field has anything but white space.
    pub fn is_empty(&self) -> bool {
        self.fields().all(|field| field.trim_ascii().is_empty())
    }

    fn text_of(&self, span: &Span) -> &'a str {
        if span.unquoted { &self.scratch[span.at..span.end] } else { &self.text[span.at..span.end] }
    }
}

/// Cuts a text into records and fields. Blank lines are no records. Gives the lines of the text.
pub(super) fn split(text: &str, dialect: Dialect, sink: &mut impl Sink) -> u64 {
    let bytes = text.as_bytes();
    let (mut scratch, mut spans) = (String::new(), Vec::new());
    // Where there are none, nobody has to look for them in every field.
    let quotes = memchr::memchr(dialect.quote, bytes).is_some();
    let (mut at, mut line) = (0, 0);
    while at < bytes.len() {
        if let Some(next) = blank(bytes, at, dialect) {
            at = next;
            line += 1;
            continue;
        }
        let (began, start) = (line, at);
        let mut wrong = false;
        scratch.clear();
        spans.clear();
        loop {
            at = dialect.begin(bytes, at);
            let end = if bytes.get(at) == Some(&dialect.quote) {
                let quoted = unquote(text, at, dialect, &mut scratch);
                line += quoted.lines;
                wrong |= quoted.wrong;
                spans.push(quoted.span);
                quoted.end
            } else {
                let (end, quote) = match quotes {
                    true => stop_or_quote(bytes, at, dialect),
                    false => (stop(bytes, at, dialect), false),
                };
                wrong |= quote;
                let over = bytes.get(end) != Some(&dialect.delimiter);
                let mut until = trimmed(bytes, at, end, over);
                while dialect.padded && until > at && bytes[until - 1] == b' ' {
                    until -= 1;
                }
                spans.push(Span::plain(at, until));
                end
            };
            at = end;
            let over = bytes.get(end) != Some(&dialect.delimiter) || dialect.last(bytes, end);
            if over {
                at = stop_line(bytes, end, dialect);
                break;
            }
            at += 1;
        }
        let record = Record {
            text,
            scratch: &scratch,
            spans: &spans,
            at: (start, trimmed(bytes, start, at, true)),
            line: began,
            wrong,
        };
        line += 1;
        at += 1;
        if !sink.record(&record) {
            return line;
        }
    }
    line
}

/// Where the field that starts here is over, by delimiter, line end or end of text.
#[inline]
fn stop(bytes: &[u8], at: usize, dialect: Dialect) -> usize {
    let mut from = at.min(bytes.len());
    loop {
        let rest = &bytes[from..];
        let end =
            from + memchr::memchr2(dialect.delimiter, dialect.end, rest).unwrap_or(rest.len());
        if !dialect.joins(bytes, end) {
            return end;
        }
        from = end + 1;
    }
}

/// As [`stop`], and whether there is a quote before it.
fn stop_or_quote(bytes: &[u8], at: usize, dialect: Dialect) -> (usize, bool) {
    let rest = &bytes[at.min(bytes.len())..];
    let found = memchr::memchr3(dialect.delimiter, dialect.end, dialect.quote, rest);
    match found.map(|offset| at + offset) {
        Some(quote) if bytes[quote] == dialect.quote => (stop(bytes, quote, dialect), true),
        Some(end) if dialect.joins(bytes, end) => (stop(bytes, end, dialect), false),
        Some(end) => (end, false),
        None => (at + rest.len(), false),
    }
}

/// The end of the line: as a rule, where the last field was over.
fn stop_line(bytes: &[u8], at: usize, dialect: Dialect) -> usize {
    match bytes.get(at) {
        Some(byte) if *byte != dialect.end => {
            at + memchr::memchr(dialect.end, &bytes[at..]).unwrap_or(bytes.len() - at)
        }
        _ => at,
    }
}

/// Without the carriage return before a line feed.
fn trimmed(bytes: &[u8], at: usize, end: usize, over: bool) -> usize {
    let end = end.min(bytes.len());
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
            byte if byte == dialect.delimiter && !dialect.runs => return None,
            b' ' | b'\t' | b'\r' => {}
            _ => return None,
        }
    }
    Some(bytes.len())
}

struct Quoted {
    span: Span,
    /// Line ends in the field.
    lines: u64,
    /// The delimiter, line end or end of text after it.
    end: usize,
    wrong: bool,
}

/// The field whose opening quote is at `open`.
fn unquote(text: &str, open: usize, dialect: Dialect, scratch: &mut String) -> Quoted {
    let bytes = text.as_bytes();
    // A quote that ends no field is a character.
    let literal = || {
        let end = stop(bytes, open, dialect);
        let over = bytes.get(end) != Some(&dialect.delimiter);
        let span = Span::plain(open, trimmed(bytes, open, end, over));
        Quoted { span, lines: 0, end, wrong: true }
    };
    let Some(close) = closing(bytes, open, dialect, true) else { return literal() };
    let inner = &text[open + 1..close.at];
    let end = stop(bytes, close.at + 1, dialect);
    let over = bytes.get(end) != Some(&dialect.delimiter);
    let raw = (open, trimmed(bytes, close.at + 1, end, over));
    let tail = &text[close.at + 1..raw.1];
    let tail = if dialect.padded { tail.trim_end_matches(' ') } else { tail };
    if !believed(inner, tail, dialect) {
        return literal();
    }
    let lines = memchr::memchr_iter(dialect.end, inner.as_bytes()).count() as u64;
    let wrong = !tail.is_empty();
    let marked = close.marked || (dialect.doubled && inner.contains("\"\""));
    if !marked && tail.is_empty() {
        let span = Span { at: open + 1, end: close.at, raw, unquoted: false, quoted: true };
        return Quoted { span, lines, end, wrong };
    }
    let at = scratch.len();
    plain(inner, dialect, scratch);
    scratch.push_str(tail);
    let span = Span { at, end: scratch.len(), raw, unquoted: true, quoted: true };
    Quoted { span, lines, end, wrong }
}

/// Whether what stands between quotes is a field, by what follows the second one.
fn believed(inner: &str, tail: &str, dialect: Dialect) -> bool {
    let parts = [dialect.delimiter, dialect.end].map(char::from);
    tail.is_empty() || (!inner.contains(parts) && !tail.contains(char::from(dialect.quote)))
}

/// Appends what stands between quotes, with what was written for a quote as a quote.
pub(super) fn plain(inner: &str, dialect: Dialect, out: &mut String) {
    let quote = char::from(dialect.quote);
    let mut chars = inner.chars().peekable();
    while let Some(char) = chars.next() {
        let escape = dialect.escape.is_some_and(|escape| char == char::from(escape));
        let next = chars.peek().copied();
        let doubled = char == quote || (dialect.doubled && char == '"');
        if (doubled && next == Some(char))
            || (escape && next.is_some_and(|next| next == quote || next == char))
        {
            out.push(next.unwrap_or(char));
            chars.next();
        } else {
            out.push(char);
        }
    }
}

/// A quote that closes.
pub(super) struct Close {
    pub at: usize,
    /// Whether there are quotes in the field.
    pub marked: bool,
}

/// The quote that closes the one at `open`. One near the end of the bytes closes only when they
/// are the `last` ones: what follows it must be seen.
pub(super) fn closing(bytes: &[u8], open: usize, dialect: Dialect, last: bool) -> Option<Close> {
    let mark = dialect.quote;
    let mut at = open + 1;
    let mut marked = false;
    loop {
        let rest = bytes.get(at..)?;
        let quote = match dialect.escape {
            None => at + memchr::memchr(mark, rest)?,
            Some(escape) => at + memchr::memchr2(mark, escape, rest)?,
        };
        match bytes.get(quote + 1) {
            _ if bytes[quote] != mark => {
                marked = true;
                at = quote + 2;
            }
            Some(next) if *next == mark => {
                marked = true;
                at = quote + 2;
            }
            // `O'Brien`: an apostrophe.
            Some(next) if mark == b'\'' && is_letter(*next) && is_letter(bytes[quote - 1]) => {
                at = quote + 1;
            }
            None if !last => return None,
            _ => return Some(Close { at: quote, marked }),
        }
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// Whether the quote at `close` ends a field, for whoever looks for the ends of records; `None`
/// where the bytes break off before that can be seen.
pub(super) fn ends_field(bytes: &[u8], close: usize, dialect: Dialect, last: bool) -> Option<bool> {
    let rest = bytes.get(close + 1..).unwrap_or_default();
    let Some(until) = memchr::memchr2(dialect.delimiter, dialect.end, rest) else {
        // A tail this long is none of a field.
        if !last && rest.len() < FIELD {
            return None;
        }
        return Some(tail_is_empty(rest, dialect));
    };
    Some(tail_is_empty(&rest[..until], dialect))
}

fn tail_is_empty(tail: &[u8], dialect: Dialect) -> bool {
    let tail = tail.strip_suffix(b"\r").unwrap_or(tail);
    tail.is_empty() || (dialect.padded && tail.iter().all(|byte| *byte == b' '))
}
