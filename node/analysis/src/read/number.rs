//! Numbers as people write them: `-1.5e3`, `1,5`, `$1,234.50`, `12%`, `(3)`, `inf`.
//!
//! Results are exactly rounded: up to 15 digits and powers of ten up to 22 by one operation on
//! exact operands (W. D. Clinger, "How to read floating point numbers accurately", 1990),
//! everything else by the standard library.

use std::borrow::Cow;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Real(f64),
}

/// A number and how it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Written {
    pub number: Number,
    pub currency: Option<char>,
    pub percent: bool,
    /// Three digits or more of which the first is 0, as in a postal code.
    pub padded: bool,
    /// A whole number beyond 64 bits, as in an account number.
    pub long: bool,
    /// Has a separator of decimals or thousands, which the other convention would read otherwise
    /// or not at all.
    pub decided: bool,
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// Whole numbers up to here are exact.
const EXACT: u64 = 1 << 53;
/// Bytes of the longest number.
const LONGEST: usize = 400;
const CURRENCIES: &[char] =
    &['$', '¥', '￥', '€', '£', '₹', '₩', '₽', '₺', '₫', '฿', '₴', '₦', '元', '円', '원'];

/// The number that a cell says.
pub(super) fn parse(cell: &str, decimal: u8) -> Option<Written> {
    match plain(cell.as_bytes(), decimal) {
        Some(written) => Some(written),
        None => decorated(cell, decimal),
    }
}

/// Whether a cell says a number in either convention.
pub(super) fn looks(cell: &str) -> bool {
    parse(cell, b'.').is_some() || parse(cell, b',').is_some()
}

/// Digits with a sign, a decimal separator and an exponent, and nothing else.
pub(super) fn plain(bytes: &[u8], decimal: u8) -> Option<Written> {
    let (negative, start) = match bytes.first()? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let (mut value, mut at) = (0_u64, start);
    while let Some(digit) = digit(bytes, at) {
        value = value.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    let whole = at - start;
    let padded = whole >= 3 && bytes[start] == b'0';
    if at == bytes.len() {
        return (whole > 0).then(|| integer(bytes, value, negative, whole, padded));
    }
    let mut places = 0;
    let decided = bytes[at] == decimal;
    if decided {
        at += 1;
        while let Some(digit) = digit(bytes, at) {
            value = value.wrapping_mul(10).wrapping_add(digit);
            at += 1;
            places += 1;
        }
    }
    if whole + places == 0 {
        return None;
    }
    let real = |number| Written {
        number: Number::Real(number),
        currency: None,
        percent: false,
        padded: false,
        long: false,
        decided,
    };
    if at == bytes.len() && whole + places <= 19 && value <= EXACT && places <= 22 {
        let size = value as f64 / POWERS[places];
        return Some(real(if negative { -size } else { size }));
    }
    let exponent = at < bytes.len();
    if exponent && !is_exponent(&bytes[at..]) || bytes.len() > LONGEST {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let number = if decimal == b'.' { text.parse() } else { text.replacen(',', ".", 1).parse() };
    number.ok().map(real)
}

fn digit(bytes: &[u8], at: usize) -> Option<u64> {
    let digit = bytes.get(at)?.wrapping_sub(b'0');
    (digit < 10).then_some(u64::from(digit))
}

fn integer(bytes: &[u8], value: u64, negative: bool, digits: usize, padded: bool) -> Written {
    let small = i64::try_from(value).ok().filter(|_| digits <= 18);
    let exact = small.map(|size| if negative { -size } else { size });
    let text = || std::str::from_utf8(bytes).unwrap_or_default();
    // The smallest number of 64 bits marks missing cells.
    let exact = exact.or_else(|| text().parse().ok().filter(|n| *n != i64::MIN));
    let number = match exact {
        Some(number) => Number::Integer(number),
        None => Number::Real(text().parse().unwrap_or(f64::NAN)),
    };
    let long = matches!(number, Number::Real(_));
    Written { number, currency: None, percent: false, padded, long, decided: false }
}

fn is_exponent(bytes: &[u8]) -> bool {
    let Some((b'e' | b'E', rest)) = bytes.split_first() else { return false };
    let digits = rest.strip_prefix(b"-").or(rest.strip_prefix(b"+")).unwrap_or(rest);
    !digits.is_empty() && digits.len() <= 6 && digits.iter().all(u8::is_ascii_digit)
}

/// A number with anything around or in it.
fn decorated(cell: &str, decimal: u8) -> Option<Written> {
    if cell.len() > LONGEST {
        return None;
    }
    let narrow = narrow(cell);
    let mut text = narrow.trim();
    if text.is_empty() {
        return None;
    }
    let mut negative = false;
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        negative = true;
        text = inner.trim();
    }
    let mut signed = false;
    let mut currency = None;
    let mut percent = false;
    loop {
        let first = text.chars().next()?;
        if !signed && matches!(first, '-' | '+' | '−') {
            signed = true;
            negative ^= first != '+';
            text = text[first.len_utf8()..].trim_start();
        } else if currency.is_none() && CURRENCIES.contains(&first) {
            currency = Some(first);
            text = text[first.len_utf8()..].trim_start();
        } else if let (None, Some((sign, rest))) = (currency, coded(text)) {
            currency = Some(sign);
            text = rest;
        } else {
            break;
        }
    }
    // Accounts write the sign at the end.
    if !signed && let Some(rest) = text.strip_suffix('-') {
        negative = !negative;
        text = rest.trim_end();
    }
    let last = text.chars().next_back()?;
    if matches!(last, '%' | '％') && currency.is_none() {
        percent = true;
        text = text[..text.len() - last.len_utf8()].trim_end();
    } else if currency.is_none() && CURRENCIES.contains(&last) {
        currency = Some(last);
        text = text[..text.len() - last.len_utf8()].trim_end();
    } else if let (None, Some((sign, rest))) = (currency, code_at_end(text)) {
        currency = Some(sign);
        text = rest;
    }
    let mut zeros = 0;
    if !percent {
        for (word, times) in TIMES {
            if let Some(rest) = text.strip_suffix(word) {
                (text, zeros) = (rest.trim_end(), *times);
                break;
            }
        }
    }
    let mut written = bare(text, decimal, percent)?;
    if zeros > 0 {
        written.number = times(text, decimal, zeros)?;
    }
    if negative {
        written.number = match written.number {
            Number::Integer(number) => Number::Integer(-number),
            Number::Real(number) => Number::Real(-number),
        };
    }
    written.currency = currency.map(|c| if c == '￥' { '¥' } else { c }).filter(|c| *c != NO_SIGN);
    written.percent = percent;
    Some(written)
}

/// Codes of currencies, with their signs where they have one.
const CODES: &[(&str, char)] = &[
    ("USD", '$'),
    ("EUR", '€'),
    ("GBP", '£'),
    ("JPY", '¥'),
    ("CNY", '¥'),
    ("RMB", '¥'),
    ("INR", '₹'),
    ("KRW", '₩'),
    ("CHF", NO_SIGN),
    ("HKD", NO_SIGN),
    ("TWD", NO_SIGN),
    ("SGD", NO_SIGN),
    ("AUD", NO_SIGN),
    ("CAD", NO_SIGN),
    ("SEK", NO_SIGN),
    ("NOK", NO_SIGN),
    ("DKK", NO_SIGN),
];
const NO_SIGN: char = '\0';
/// Words that multiply, with their zeros.
const TIMES: &[(&str, i32)] =
    &[("万亿", 12), ("萬億", 12), ("亿", 8), ("億", 8), ("万", 4), ("萬", 4)];

/// The code of a currency at the start of a text, and the rest.
fn coded(text: &str) -> Option<(char, &str)> {
    CODES.iter().find_map(|(code, sign)| Some((*sign, text.strip_prefix(code)?.trim_start())))
}

/// The code of a currency at the end of a text, and the rest.
fn code_at_end(text: &str) -> Option<(char, &str)> {
    CODES.iter().find_map(|(code, sign)| Some((*sign, text.strip_suffix(code)?.trim_end())))
}

/// Digits and signs as wide as Chinese characters, as those of ASCII.
fn narrow(cell: &str) -> Cow<'_, str> {
    let wide = |c: char| matches!(c, '\u{ff01}'..='\u{ff5e}');
    if !cell.contains(wide) {
        return Cow::Borrowed(cell);
    }
    let narrow = |c: char| if wide(c) { char::from_u32(c as u32 - 0xfee0).unwrap_or(c) } else { c };
    Cow::Owned(cell.chars().map(narrow).collect())
}

/// A number with so many more zeros, exactly: whole where it is.
fn times(text: &str, decimal: u8, zeros: i32) -> Option<Number> {
    let (joined, _) = ungrouped(text, decimal)?;
    if joined.contains(['e', 'E']) {
        return None;
    }
    let number: f64 = format!("{}e{zeros}", joined.replace(',', ".")).parse().ok()?;
    let whole = number.fract() == 0.0 && number.abs() < EXACT as f64;
    Some(if whole { Number::Integer(number as i64) } else { Number::Real(number) })
}

/// What is left without sign, currency and percent.
fn bare(text: &str, decimal: u8, percent: bool) -> Option<Written> {
    if !text.as_bytes().first()?.is_ascii_digit() && text.as_bytes()[0] != decimal {
        let word = text.to_ascii_lowercase();
        return (!percent && matches!(word.as_str(), "inf" | "infinity")).then_some(Written {
            number: Number::Real(f64::INFINITY),
            currency: None,
            percent: false,
            padded: false,
            long: false,
            decided: false,
        });
    }
    let (joined, grouped) = ungrouped(text, decimal)?;
    let mut written = plain(joined.as_bytes(), decimal)?;
    written.decided |= grouped;
    if percent {
        let shifted = match joined.split_once(['e', 'E']) {
            Some(_) => return None,
            None => format!("{}e-2", joined.replace(',', ".")),
        };
        written.number = Number::Real(shifted.parse().ok()?);
        written.long = false;
    }
    Some(written)
}

/// Without separators of thousands, when they stand where they should, and whether there was one
/// that is the other convention's separator of decimals.
fn ungrouped(text: &str, decimal: u8) -> Option<(String, bool)> {
    let end = text.find([char::from(decimal), 'e', 'E']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let group = if decimal == b',' { '.' } else { ',' };
    let other = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let Some(separator) = whole.chars().find(|c| other(*c)) else {
        return Some((text.to_owned(), false));
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, later) = groups.split_first()?;
    let (last, middle) = later.split_last()?;
    // India groups by two above the thousands. Nobody groups what is less than a thousand.
    let fits = (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && last.len() == 3
        && middle.iter().all(|g| g.len() == 3 || (g.len() == 2 && separator == ','));
    fits.then(|| (groups.concat() + rest, separator == group))
}

/// What a cell shows of the separator of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// This one, without doubt; `thousandth` when exactly three places follow it.
    Decimal { separator: u8, thousandth: bool },
    /// `1,234`: thousands, or three places after a comma.
    Comma,
}

/// What a cell shows, when it is a number with such a separator. `1.234` alone shows nothing: it
/// is what it is with a point, and thousands where commas are decimals.
pub(super) fn shows(cell: &str) -> Option<Shown> {
    let text = cell.trim_matches(|c: char| !c.is_ascii_digit());
    let at = text.rfind([',', '.'])?;
    let separator = text.as_bytes()[at];
    let other = if separator == b',' { b'.' } else { b',' };
    let (before, places) = (&text[..at], text.len() - at - 1);
    if before.contains(char::from(separator)) {
        // No number has two separators of decimals, so these are of thousands.
        let decimal = Shown::Decimal { separator: other, thousandth: false };
        return parse(cell, other).map(|_| decimal);
    }
    let both = before.contains(char::from(other));
    if both || places != 3 || before.len() > 3 || text.starts_with('0') {
        let decimal = Shown::Decimal { separator, thousandth: places == 3 };
        return parse(cell, separator).map(|_| decimal);
    }
    (separator == b',' && parse(cell, b'.').is_some()).then_some(Shown::Comma)
}
