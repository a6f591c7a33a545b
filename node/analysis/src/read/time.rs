//! Days and times as people write them.
//!
//! Times are microseconds since 1970-01-01T00:00 as the clock shows them: an offset such as `Z`
//! or `+08:00` is read and left out.

/// A day, perhaps with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub micros: i64,
    /// Whether there was a time of day.
    pub clock: bool,
    /// One bit for the way it was written.
    pub style: u32,
    /// Day and month stand in numbers, and only one order makes sense.
    pub decided: bool,
}

const DAY: i64 = 86_400_000_000;
const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const WEEKDAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// Ways of writing, one bit each: year first with each separator, then the others.
const YEAR_FIRST: u32 = 1;
const YEAR_LAST: u32 = 1 << 3;
/// Day and month in numbers, the year after them; with dots.
pub(super) const ORDERED: u32 = YEAR_LAST | YEAR_LAST << 1 | YEAR_LAST << 2;
pub(super) const DOTTED: u32 = YEAR_LAST << 2;
const NAMED: u32 = 1 << 6;
const NAMED_DAY_FIRST: u32 = 1 << 7;
const CHINESE: u32 = 1 << 8;
const COMPACT: u32 = 1 << 9;
const MONTH_ONLY: u32 = 1 << 10;
const CHINESE_MONTH: u32 = 1 << 11;

/// The day or time that a cell says; `day_first` where `1/2/2024` is ambiguous.
pub(super) fn parse(cell: &str, day_first: bool) -> Option<Time> {
    if let Some(time) = fixed(cell.as_bytes()) {
        return Some(time);
    }
    let mut cursor = Cursor(cell.trim().as_bytes());
    if cursor.0.len() < 6 || cursor.0.len() > 64 {
        return None;
    }
    let first = cursor.0[0];
    let (date, style, decided) = if first.is_ascii_digit() {
        numeric(&mut cursor, day_first)?
    } else if first.is_ascii_alphabetic() {
        weekday(&mut cursor);
        if cursor.0.first()?.is_ascii_digit() {
            numeric(&mut cursor, day_first)?
        } else {
            (month_first(&mut cursor)?, NAMED, false)
        }
    } else {
        return None;
    };
    let days = days(date)?;
    // `2024年1月31日12时30分` needs no space between.
    let clock = clock(&mut cursor, style == CHINESE)?;
    let micros = days * DAY + clock.unwrap_or(0);
    Some(Time { micros, clock: clock.is_some(), style, decided })
}

/// `2024-01-31` and `2024-01-31 12:30:00`, which are most of all.
fn fixed(bytes: &[u8]) -> Option<Time> {
    let (date, rest) = bytes.split_first_chunk::<10>()?;
    let two = |at: usize, from: &[u8]| {
        let (a, b) = (from[at].wrapping_sub(b'0'), from[at + 1].wrapping_sub(b'0'));
        (a < 10 && b < 10).then(|| i64::from(a) * 10 + i64::from(b))
    };
    let index = separators(date[4]).filter(|_| date[4] == date[7])?;
    let year = two(0, date)? * 100 + two(2, date)?;
    let days = days((year, two(5, date)?, two(8, date)?))?;
    let style = YEAR_FIRST << index;
    if rest.is_empty() {
        return Some(Time { micros: days * DAY, clock: false, style, decided: false });
    }
    let rest: &[u8; 9] = rest.try_into().ok()?;
    if !matches!(rest[0], b' ' | b'T') || rest[3] != b':' || rest[6] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(1, rest)?, two(4, rest)?, two(7, rest)?);
    let seconds = (hour * 60 + minute) * 60 + second;
    let micros = days * DAY + seconds * 1_000_000;
    let fits = hour < 24 && minute < 60 && second < 61;
    fits.then_some(Time { micros, clock: true, style, decided: false })
}

/// The day that eight digits such as `20240131` say.
pub(super) fn compact(cell: &str) -> Option<Time> {
    let mut cursor = Cursor(cell.trim().as_bytes());
    let (number, 8) = cursor.number(8)? else { return None };
    if !cursor.0.is_empty() {
        return None;
    }
    let year = number / 10_000;
    let date = (year, number / 100 % 100, number % 100);
    let days = days(date).filter(|_| (1800..2200).contains(&year))?;
    Some(Time { micros: days * DAY, clock: false, style: COMPACT, decided: false })
}

/// Whether a cell is a time of day: `9:05`, `09:05:30`, `9:05 pm`.
pub(super) fn is_clock(cell: &str) -> bool {
    let cell = cell.trim();
    if cell.len() < 4 || !(cell.as_bytes()[0].is_ascii_digit() || cell.as_bytes()[0] >= 0x80) {
        return false;
    }
    let mut cursor = Cursor(cell.as_bytes());
    matches!(clock(&mut cursor, true), Some(Some(_)))
}

/// Microseconds of a time of day or a duration: `9:05`, `09:05:30.5`, `9:05 pm`, `26:30:00`, `-0:15`.
pub(super) fn elapsed(cell: &str) -> Option<i64> {
    let cell = cell.trim();
    let (size, negative) = match cell.strip_prefix('-') {
        Some(size) => (size, true),
        None => (cell, false),
    };
    let first = *size.as_bytes().first()?;
    if size.len() < 4 || size.len() > 40 || !(first.is_ascii_digit() || first >= 0x80) {
        return None;
    }
    // `2:1` is a result, not a time.
    let minutes = size.split_once(':').map(|(_, rest)| rest.as_bytes());
    if minutes.is_some_and(|rest| !rest.get(1).is_some_and(u8::is_ascii_digit)) {
        return None;
    }
    let time = match clock(&mut Cursor(size.as_bytes()), true) {
        Some(time) => time?,
        None => hours(size)?,
    };
    Some(if negative { -time } else { time })
}

/// Hours that go on after a day, minutes, and perhaps seconds.
fn hours(text: &str) -> Option<i64> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let number = |text: &str, most: usize| {
        let fits =
            !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| fits)
    };
    let (hours, minutes, seconds) = (number(hours, 6)?, number(minutes, 2)?, number(seconds, 2)?);
    let micros = match fraction.get(..6).unwrap_or(fraction) {
        "" => 0,
        digits => number(digits, 6)? * 10_i64.pow(6 - digits.len() as u32),
    };
    let fits = minutes < 60 && seconds < 60;
    fits.then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

/// From so many microseconds on, a time is no time of day.
pub(super) const WHOLE_DAY: i64 = DAY;

type Date = (i64, i64, i64);

/// A date that starts with a digit.
fn numeric(cursor: &mut Cursor, day_first: bool) -> Option<(Date, u32, bool)> {
    let (first, digits) = cursor.number(4)?;
    if digits == 4 {
        return year_first(cursor, first).map(|(date, style)| (date, style, false));
    }
    if digits > 2 {
        return None;
    }
    let separator = cursor.0.first().copied()?;
    if let Some(index) = separators(separator)
        && cursor.0.get(1)?.is_ascii_digit()
    {
        cursor.skip(1);
        let (second, width) = cursor.number(2)?;
        if width == 0 || !cursor.eat(separator) {
            return None;
        }
        // `1.2.24` may be a version; `01.02.24` is not written for one.
        let both = digits == 2 && width == 2;
        let year = cursor.year(separator != b'.' || both)?;
        let other_order = if day_first { second > 12 } else { first > 12 };
        let decided = first > 12 || second > 12;
        let (month, day) = if day_first { (second, first) } else { (first, second) };
        return (!other_order).then_some(((year, month, day), YEAR_LAST << index, decided));
    }
    // `1 Jan 2000`, `01-Jan-2000`
    cursor.gap();
    let month = cursor.month()?;
    cursor.gap();
    let year = cursor.year(true)?;
    Some(((year, month, first), NAMED_DAY_FIRST, false))
}

fn year_first(cursor: &mut Cursor, year: i64) -> Option<(Date, u32)> {
    if cursor.eat_str("年") {
        let (month, _) = cursor.number(2)?;
        if !cursor.eat_str("月") {
            return None;
        }
        if cursor.0.is_empty() {
            return Some(((year, month, 1), CHINESE_MONTH));
        }
        let (day, _) = cursor.number(2)?;
        let ends = cursor.eat_str("日") || cursor.eat_str("号");
        return ends.then_some(((year, month, day), CHINESE));
    }
    let separator = *cursor.0.first()?;
    let index = separators(separator)?;
    cursor.skip(1);
    let (month, width) = cursor.number(2)?;
    if width == 0 {
        return None;
    }
    if cursor.0.is_empty() && separator != b'.' && (1000..3000).contains(&year) {
        return Some(((year, month, 1), MONTH_ONLY));
    }
    if !cursor.eat(separator) {
        return None;
    }
    let (day, width) = cursor.number(2)?;
    (width > 0).then_some(((year, month, day), YEAR_FIRST << index))
}

/// `Jan 1 2000`, `January 1, 2000`, `Jan 2000`
fn month_first(cursor: &mut Cursor) -> Option<Date> {
    let month = cursor.month()?;
    // Spreadsheets write months so: `Jan-20`.
    let dash = matches!(cursor.0.first(), Some(b'-' | b'\''));
    cursor.gap();
    let short = cursor.0.len() == 2;
    let (day, width) = cursor.number(4)?;
    if width == 4 {
        return Some((day, month, 1));
    }
    if dash && short && width == 2 {
        return Some((short_year(day), month, 1));
    }
    if width == 0 || width > 2 {
        return None;
    }
    for suffix in ["st", "nd", "rd", "th"] {
        if cursor.eat_str(suffix) {
            break;
        }
    }
    cursor.gap();
    Some((cursor.year(false)?, month, day))
}

fn weekday(cursor: &mut Cursor) {
    let letters = cursor.letters();
    if letters.len() >= 3 && WEEKDAYS.iter().any(|d| starts(d, letters)) {
        cursor.skip(letters.len());
        cursor.gap();
    }
}

/// The time after a date: nothing, or all that is left.
fn clock(cursor: &mut Cursor, close: bool) -> Option<Option<i64>> {
    if cursor.0.is_empty() {
        return Some(None);
    }
    let marked = matches!(cursor.0[0], b'T' | b't' | b' ' | b',') || cursor.0[0] >= 0x80;
    if !(marked || close && cursor.0[0].is_ascii_digit()) {
        return None;
    }
    if matches!(cursor.0[0], b'T' | b't' | b',') {
        cursor.skip(1);
    }
    cursor.spaces();
    let half = cursor.chinese_half();
    cursor.spaces();
    let (hour, width) = cursor.number(2)?;
    let chinese = cursor.eat_str("时") || cursor.eat_str("時") || cursor.eat_str("点");
    if width == 0 || !(chinese || cursor.eat(b':')) {
        return None;
    }
    let (minute, width) = cursor.number(2)?;
    if width == 0 && !(chinese && cursor.0.is_empty()) {
        return None;
    }
    let colon = if chinese { cursor.eat_str("分") } else { cursor.eat(b':') };
    let (second, width) = if colon { cursor.number(2)? } else { (0, 0) };
    if colon && width == 0 && !chinese {
        return None;
    }
    if chinese {
        cursor.eat_str("秒");
    }
    let micros = if width > 0 { cursor.fraction()? } else { 0 };
    cursor.spaces();
    let hour = match half {
        Some(half) => half.of(hour)?,
        None => cursor.half(hour)?,
    };
    cursor.offset()?;
    let fits = hour < 24 && minute < 60 && second < 61 && cursor.0.is_empty();
    fits.then_some(Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micros))
}

fn separators(byte: u8) -> Option<u32> {
    match byte {
        b'-' => Some(0),
        b'/' => Some(1),
        b'.' => Some(2),
        _ => None,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible
/// low-level date algorithms"), where there is such a day.
fn days((year, month, day): Date) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) || !(1..=9999).contains(&year) {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// 69 to 99 are of the last century (POSIX).
fn short_year(year: i64) -> i64 {
    if year < 69 { 2000 + year } else { 1900 + year }
}

/// Whether `letters` are `word`, or at least its first three letters and nothing else.
fn starts(word: &[u8], letters: &[u8]) -> bool {
    letters.len() <= word.len() && word[..letters.len()].eq_ignore_ascii_case(letters)
}

/// A part of the day that an hour is counted in.
#[derive(Clone, Copy)]
enum Half {
    Morning,
    Noon,
    Evening,
}

impl Half {
    /// The hour of the day.
    fn of(self, hour: i64) -> Option<i64> {
        match (self, hour) {
            (_, 13..=23) => Some(hour),
            (Self::Morning, 12) => Some(0),
            (Self::Morning, 0..=11) => Some(hour),
            (Self::Noon, 11 | 12) => Some(hour),
            (Self::Noon | Self::Evening, 1..=11) => Some(hour + 12),
            (Self::Evening, 12) => Some(12),
            _ => None,
        }
    }
}

/// What is left of a cell.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn skip(&mut self, count: usize) {
        self.0 = self.0.get(count..).unwrap_or_default();
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.0.first() == Some(&byte);
        self.skip(usize::from(there));
        there
    }

    fn eat_str(&mut self, text: &str) -> bool {
        let there = self.0.starts_with(text.as_bytes());
        self.skip(if there { text.len() } else { 0 });
        there
    }

    fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// What may stand between words.
    fn gap(&mut self) {
        while let Some(b' ' | b',' | b'-' | b'.' | b'/') = self.0.first() {
            self.skip(1);
        }
    }

    /// At most `most` digits, with how many there were; `None` when more follow.
    fn number(&mut self, most: usize) -> Option<(i64, usize)> {
        let (mut value, mut width) = (0, 0);
        while let Some(digit) = self.0.get(width).filter(|b| b.is_ascii_digit()) {
            if width == most {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            width += 1;
        }
        self.skip(width);
        Some((value, width))
    }

    /// Four digits, or two where `short` allows.
    fn year(&mut self, short: bool) -> Option<i64> {
        match self.number(4)? {
            (year, 4) => Some(year),
            (year, 2) if short => Some(short_year(year)),
            _ => None,
        }
    }

    fn letters(&self) -> &[u8] {
        let count = self.0.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        &self.0[..count]
    }

    fn month(&mut self) -> Option<i64> {
        let letters = self.letters();
        let (letters, count) = (if letters == b"Sept" { b"Sep" } else { letters }, letters.len());
        let month = MONTHS.iter().position(|m| letters.len() >= 3 && starts(m, letters))?;
        self.skip(count);
        Some(month as i64 + 1)
    }

    /// `.123456` after seconds, in microseconds; further digits are left out.
    fn fraction(&mut self) -> Option<i64> {
        if !self.eat(b'.') && !self.eat(b',') {
            return Some(0);
        }
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 12 {
            return None;
        }
        let micros = (0..6).fold(0, |value, at| {
            let digit = if at < digits { i64::from(self.0[at] - b'0') } else { 0 };
            value * 10 + digit
        });
        self.skip(digits);
        Some(micros)
    }

    /// `上午` and the like before an hour.
    fn chinese_half(&mut self) -> Option<Half> {
        const WORDS: [(&str, Half); 6] = [
            ("上午", Half::Morning),
            ("凌晨", Half::Morning),
            ("早上", Half::Morning),
            ("中午", Half::Noon),
            ("下午", Half::Evening),
            ("晚上", Half::Evening),
        ];
        WORDS.iter().find(|(word, _)| self.eat_str(word)).map(|(_, half)| *half)
    }

    /// The hour with `AM` or `PM`.
    fn half(&mut self, hour: i64) -> Option<i64> {
        let half = match self.letters() {
            letters if letters.eq_ignore_ascii_case(b"am") => 0,
            letters if letters.eq_ignore_ascii_case(b"pm") => 12,
            _ => return Some(hour),
        };
        self.skip(2);
        self.spaces();
        (1..=12).contains(&hour).then_some(hour % 12 + half)
    }

    /// `Z`, `UTC`, `GMT`, `+08:00`, `-0500`, `+8`
    fn offset(&mut self) -> Option<()> {
        self.spaces();
        let _ = self.eat(b'Z') || self.eat(b'z') || self.eat_str("UTC") || self.eat_str("GMT");
        if self.eat(b'+') || self.eat(b'-') {
            let (_, width) = self.number(4)?;
            if width == 2 && self.eat(b':') {
                self.number(2)?;
            }
            return (width > 0).then_some(());
        }
        Some(())
    }
}
