//! Moments as people write them, and round moments for a time axis. Proleptic Gregorian, UTC.

use crate::facets::Step;

const DAY: i64 = 86_400_000_000;

/// The distances between ticks that are tried, the shortest first.
const PACES: [Pace; 24] = [
    Pace::Micros(60_000_000),
    Pace::Micros(5 * 60_000_000),
    Pace::Micros(15 * 60_000_000),
    Pace::Micros(30 * 60_000_000),
    Pace::Micros(DAY / 24),
    Pace::Micros(DAY / 8),
    Pace::Micros(DAY / 4),
    Pace::Micros(DAY / 2),
    Pace::Micros(DAY),
    Pace::Micros(2 * DAY),
    Pace::Micros(7 * DAY),
    Pace::Micros(14 * DAY),
    Pace::Months(1),
    Pace::Months(3),
    Pace::Months(6),
    Pace::Months(12),
    Pace::Months(24),
    Pace::Months(60),
    Pace::Months(120),
    Pace::Months(240),
    Pace::Months(600),
    Pace::Months(1200),
    Pace::Months(12_000),
    Pace::Months(120_000),
];

/// 1969-12-29, so that weeks start on Mondays.
const MONDAY: i64 = -3 * DAY;

#[derive(Debug, Clone, Copy)]
enum Pace {
    Micros(i64),
    Months(i64),
}

/// Round moments from `first` to `last` (microseconds since 1970) with their texts: as close as
/// possible, though not closer than `step`, while there are at most `most` of them. The first
/// moment when nothing round lies between.
pub(super) fn ticks((first, last): (i64, i64), step: Step, most: usize) -> Vec<(i64, String)> {
    let closest = match step {
        Step::Minute => 0,
        Step::Hour => 4,
        Step::Day => 8,
        Step::Week => 10,
        Step::Month => 12,
        Step::Quarter => 13,
        Step::Year => 15,
    };
    PACES
        .into_iter()
        .skip(closest)
        .filter(|pace| pace.length() * most as i128 >= i128::from(last) - i128::from(first))
        .map(|pace| pace.within(first, last, most))
        .find(|ticks| (1..=most).contains(&ticks.len()))
        .unwrap_or_else(|| vec![(first, day(first))])
}

/// A day, such as `2012-03-05`.
pub(super) fn day(moment: i64) -> String {
    let (year, month, day) = civil(moment.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A minute, such as `2012-03-05 14:30`.
pub(super) fn minute(moment: i64) -> String {
    format!("{} {}", day(moment), clock(moment))
}

fn clock(moment: i64) -> String {
    let minutes = moment.rem_euclid(DAY) / 60_000_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Pace {
    fn length(self) -> i128 {
        match self {
            Self::Micros(micros) => i128::from(micros),
            Self::Months(months) => i128::from(months) * 28 * i128::from(DAY),
        }
    }

    fn within(self, first: i64, last: i64, most: usize) -> Vec<(i64, String)> {
        let start = match self {
            Self::Micros(micros) => (first.saturating_sub(MONDAY)).div_euclid(micros),
            Self::Months(months) => month_of(first).div_euclid(months),
        };
        // One more at each end than may be needed; ends outside are left out.
        (start..=start + most as i64 + 2)
            .filter_map(|number| self.at(number))
            .filter(|moment| (first..=last).contains(moment))
            .map(|moment| (moment, self.write(moment)))
            .collect()
    }

    fn at(self, number: i64) -> Option<i64> {
        match self {
            Self::Micros(micros) => number.checked_mul(micros)?.checked_add(MONDAY),
            Self::Months(months) => {
                let month = number.checked_mul(months)?;
                days(month.div_euclid(12), month.rem_euclid(12) + 1).checked_mul(DAY)
            }
        }
    }

    fn write(self, moment: i64) -> String {
        let (year, month, day_of) = civil(moment.div_euclid(DAY));
        match self {
            Self::Micros(micros) if micros < DAY => {
                format!("{month:02}-{day_of:02} {}", clock(moment))
            }
            Self::Micros(_) => day(moment),
            Self::Months(months) if months < 12 => format!("{year:04}-{month:02}"),
            Self::Months(_) => year.to_string(),
        }
    }
}

/// Months since the year 0.
fn month_of(moment: i64) -> i64 {
    let (year, month, _) = civil(moment.div_euclid(DAY));
    year * 12 + month - 1
}

/// Year, month and day of a day since 1970 (Howard Hinnant, chrono-compatible date algorithms).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// The first of a month as days since 1970 (same source).
fn days(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let of_era = year.rem_euclid(400);
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    year.div_euclid(400) * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from GNU `date -u -d ... +%s`.
    #[test]
    fn days_are_those_of_date() {
        for (text, seconds) in [
            ("1970-01-01 00:00", 0_i64),
            ("2012-02-29 23:59", 1_330_559_940),
            ("1900-03-01 00:00", -2_203_891_200),
            ("2100-12-31 12:30", 4_133_939_400),
            ("0001-01-01 00:00", -62_135_596_800),
        ] {
            assert_eq!(minute(seconds * 1_000_000), text);
        }
    }

    #[test]
    fn ticks_are_round_moments() {
        let ends = (1_325_376_000_000_000, 1_451_520_000_000_000);
        let texts = |most| -> Vec<String> {
            ticks(ends, Step::Day, most).into_iter().map(|tick| tick.1).collect()
        };
        assert_eq!(texts(5), ["2012", "2013", "2014", "2015"]);
        assert_eq!(texts(9)[..3], ["2012-01", "2012-07", "2013-01"]);
        let hours = ticks((0, DAY), Step::Minute, 5);
        assert_eq!(hours[1].1, "01-01 06:00");
        for (first, last) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (0, 1), (-5, i64::MAX)] {
            for most in 1..12 {
                let found = ticks((first, last), Step::Minute, most).len();
                assert!((1..=most).contains(&found), "{first} {last} {most}: {found}");
            }
        }
    }
}
