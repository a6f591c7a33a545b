//! Days and months, in the proleptic Gregorian calendar.
//!
//! Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

use crate::facets::Step;

pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const WEEK: i64 = 7 * DAY;

/// 1970-01-05, the first Monday.
const MONDAY: i64 = 4 * DAY;

/// Year, month from 1 and day from 1 of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The day since 1970-01-01 of the first day of a month, counted from 1970-01.
fn month_start(months: i64) -> i64 {
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Which bucket of a step a time is in, counted from some fixed one.
pub(super) fn bucket(step: Step, time: i64) -> i64 {
    match step {
        Step::Minute => time.div_euclid(MINUTE),
        Step::Hour => time.div_euclid(HOUR),
        Step::Day => time.div_euclid(DAY),
        Step::Week => time.saturating_sub(MONDAY).div_euclid(WEEK),
        Step::Month => months(time),
        Step::Quarter => months(time).div_euclid(3),
        Step::Year => months(time).div_euclid(12),
    }
}

/// When a bucket starts.
pub(super) fn start(step: Step, bucket: i64) -> i64 {
    let days = |months| DAY.saturating_mul(month_start(months));
    match step {
        Step::Minute => bucket.saturating_mul(MINUTE),
        Step::Hour => bucket.saturating_mul(HOUR),
        Step::Day => bucket.saturating_mul(DAY),
        Step::Week => bucket.saturating_mul(WEEK).saturating_add(MONDAY),
        Step::Month => days(bucket),
        Step::Quarter => days(bucket * 3),
        Step::Year => days(bucket * 12),
    }
}

/// Months since 1970-01.
fn months(time: i64) -> i64 {
    let (year, month, _) = civil(time.div_euclid(DAY));
    (year - 1970) * 12 + month - 1
}

/// ISO 8601, without the time for dates, with fractions only where there are some.
pub(crate) fn iso(time: i64, date_only: bool) -> String {
    let (year, month, day) = civil(time.div_euclid(DAY));
    let date = format!("{year:04}-{month:02}-{day:02}");
    if date_only {
        return date;
    }
    let rest = time.rem_euclid(DAY);
    let seconds = rest / 1_000_000;
    let clock = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{date}T{:02}:{:02}:{:02}", clock.0, clock.1, clock.2);
    match rest % 1_000_000 {
        0 => text,
        fraction => format!("{text}.{fraction:06}").trim_end_matches('0').to_owned(),
    }
}

/// Hours, minutes and seconds, of which there may be more hours than a day has.
pub(crate) fn clock(micros: i64) -> String {
    let (size, sign) = (micros.unsigned_abs(), if micros < 0 { "-" } else { "" });
    let seconds = size / 1_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let text = format!("{sign}{hours:02}:{minutes:02}:{:02}", seconds % 60);
    match size % 1_000_000 {
        0 => text,
        fraction => format!("{text}.{fraction:06}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_old_days_are_right() {
        // By `date -u -d ... +%s` of GNU coreutils.
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_709_164_800, "2024-02-29"),
            (-2_203_891_200, "1900-03-01"),
            (-62_135_596_800, "0001-01-01"),
            (253_402_214_400, "9999-12-31"),
        ] {
            assert_eq!(iso(seconds * 1_000_000, true), text);
        }
        assert_eq!(iso(1_709_164_800_000_000 + 3_723_500_000, false), "2024-02-29T01:02:03.5");
        assert_eq!(iso(-1_000_000, false), "1969-12-31T23:59:59");
    }

    #[test]
    fn buckets_start_where_the_calendar_says() {
        let noon = 1_709_164_800_000_000 + 12 * HOUR; // Thursday, 2024-02-29
        for (step, text) in [
            (Step::Day, "2024-02-29"),
            (Step::Week, "2024-02-26"),
            (Step::Month, "2024-02-01"),
            (Step::Quarter, "2024-01-01"),
            (Step::Year, "2024-01-01"),
        ] {
            assert_eq!(iso(start(step, bucket(step, noon)), true), text);
        }
        assert_eq!(iso(start(Step::Month, bucket(Step::Month, noon) + 1), true), "2024-03-01");
        assert_eq!(iso(start(Step::Week, bucket(Step::Week, -DAY)), true), "1969-12-29");
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for time in [i64::MIN, i64::MAX] {
            for step in [Step::Minute, Step::Day, Step::Week, Step::Month, Step::Year] {
                start(step, bucket(step, time));
            }
            iso(time, false);
        }
    }
}
