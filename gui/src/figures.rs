//! Sizes and times as people read them, by the clock of this computer.

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

use crate::words::{Lang, figures as words};

/// Bytes, with the unit that keeps the number short.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["KB", "MB", "GB", "TB"] {
        // What would be rounded up to 1000 stands in the larger unit.
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    match unit {
        "B" | "KB" => format!("{value:.0} {unit}"),
        _ => format!("{value:.1} {unit}"),
    }
}

/// How far something is, in the unit of the whole: `78 / 120 MB`.
pub fn share(part: u64, whole: u64) -> String {
    let (part, whole) = (size(part.min(whole)), size(whole));
    // A unit that is the same stands once.
    match part.split_once(' ') {
        Some((number, unit)) if whole.ends_with(&format!(" {unit}")) => {
            format!("{number} / {whole}")
        }
        _ => format!("{part} / {whole}"),
    }
}

/// A time that something took.
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0 => "< 1 ms".to_owned(),
        1..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => format!("{}:{:02} min", milliseconds / 60_000, milliseconds / 1000 % 60),
    }
}

/// Hour and minute.
pub fn clock(ms: u64) -> String {
    at(ms).map_or_else(String::new, |at| at.strftime("%H:%M").to_string())
}

/// Hour, minute and second.
pub fn exact(ms: u64) -> String {
    at(ms).map_or_else(String::new, |at| at.strftime("%H:%M:%S").to_string())
}

/// The day, as seen from now.
pub fn day(lang: Lang, ms: u64, now_ms: u64) -> String {
    match (at(ms), at(now_ms)) {
        (Some(at), Some(now)) => named(lang, at.date(), now.date()),
        _ => String::new(),
    }
}

/// The time of today, the day of what is older.
pub fn short(lang: Lang, ms: u64, now_ms: u64) -> String {
    match same_day(ms, now_ms) {
        true => clock(ms),
        false => day(lang, ms, now_ms),
    }
}

/// The day and the time.
pub fn moment(lang: Lang, ms: u64, now_ms: u64) -> String {
    format!("{} {}", day(lang, ms, now_ms), clock(ms))
}

/// Whether two times are on one day here.
pub fn same_day(one: u64, other: u64) -> bool {
    at(one).map(|at| at.date()) == at(other).map(|at| at.date())
}

fn at(ms: u64) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    Some(at.to_zoned(TimeZone::system()))
}

fn named(lang: Lang, day: Date, today: Date) -> String {
    let past = (today - day).get_days();
    match past {
        0 => words::today(lang).to_owned(),
        1 => words::yesterday(lang).to_owned(),
        2..7 => words::weekday(lang, day.weekday().to_monday_zero_offset()).to_owned(),
        _ if day.year() == today.year() => {
            words::date(lang, day.day(), words::month(lang, day.month()))
        }
        _ => day.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 999, 1000, 999_499, 999_500, 2_400_000, 999_950_000, 1 << 40];
        let said = sizes.map(size);
        assert_eq!(
            said,
            ["0 B", "999 B", "1 KB", "999 KB", "1.0 MB", "2.4 MB", "1.0 GB", "1.1 TB"]
        );
        assert_eq!(share(78_000_000, 120_000_000), "78.0 / 120.0 MB");
        assert_eq!(share(41_000, 1_200_000), "41 KB / 1.2 MB");
        assert_eq!(share(9, 3), "3 / 3 B");
    }

    #[test]
    fn times_are_short() {
        assert_eq!([3, 1_500, 61_000].map(took), ["3 ms", "1.5 s", "1:01 min"]);
    }

    #[test]
    fn days_are_named_from_today() {
        let today = date(2026, 11, 29);
        let en = |day| named(Lang::En, day, today);
        assert_eq!(en(today), "Today");
        assert_eq!(en(date(2026, 11, 28)), "Yesterday");
        assert_eq!(en(date(2026, 11, 24)), "Tue");
        assert_eq!(en(date(2026, 11, 2)), "2 November");
        assert_eq!(en(date(2025, 12, 31)), "2025-12-31");
        // Another computer's clock is ahead.
        assert_eq!(en(date(2026, 12, 1)), "1 December");
        assert_eq!(named(Lang::Zh, date(2026, 11, 24), today), "周二");
        assert_eq!(named(Lang::Zh, date(2026, 11, 2), today), "11 月 2 日");
    }
}
