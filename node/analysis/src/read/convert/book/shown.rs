//! What a number format shows of a number: its signs, its places, its kind of time. All digits of a
//! number stay, also those that a cell has no room for, and there is nothing between thousands, which
//! every country writes otherwise.

use calamine::ExcelDateTime;

/// What matters of a number format.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    General,
    /// With at least so many places.
    Number(usize),
    Percent(usize),
    /// With a sign before or after it.
    Money {
        before: String,
        after: String,
        places: usize,
    },
    /// Of at least so many digits, as codes are.
    Digits(usize),
    Date,
    DateTime,
    /// A time of day.
    Clock,
    /// Hours that go on after a day.
    Elapsed,
}

/// Signs and codes of currencies.
const SIGNS: &[&str] = &[
    "$", "€", "£", "¥", "￥", "₹", "₩", "₽", "₺", "₫", "฿", "₴", "₦", "元", "円", "원", "USD",
    "EUR", "GBP", "CNY", "RMB", "JPY", "CHF", "HKD", "INR", "KRW", "RUB", "CAD", "AUD", "SGD",
    "TWD",
];

impl Look {
    /// Of a format such as `#,##0.00 [$€-407]`: its first part, which is that of positive numbers.
    pub fn of(code: &str) -> Self {
        let Parts { bare, before, after, elapsed } = Parts::of(code);
        let lower = bare.to_lowercase();
        let has = |letters: &str| lower.contains(|c: char| letters.contains(c));
        if lower.contains("general") || bare.trim() == "@" {
            return Self::General;
        }
        if elapsed {
            return Self::Elapsed;
        }
        // `E` is an exponent, or a year of an era where no digits are.
        if !has("0#?") && has("ydmhsae") {
            return match (has("yde") || (has("m") && !has("hs")), has("hs")) {
                (true, true) => Self::DateTime,
                (true, false) => Self::Date,
                (false, _) => Self::Clock,
            };
        }
        if has("h") || (has("s") && lower.contains("ss")) || has("y") {
            // Parts of seconds are zeros.
            return if has("yd") { Self::DateTime } else { Self::Clock };
        }
        let places = bare.split_once('.').map_or(0, |(_, rest)| {
            rest.chars().take_while(|c| matches!(c, '0' | '#' | '?')).filter(|c| *c == '0').count()
        });
        if bare.contains('%') {
            return Self::Percent(places);
        }
        let sign = |text: &str| {
            let found = SIGNS.iter().find(|sign| text.contains(*sign));
            found.map(|sign| (*sign).to_owned()).unwrap_or_default()
        };
        let (before, after) = (sign(&before), sign(&after));
        if !before.is_empty() || !after.is_empty() {
            return Self::Money { before, after, places };
        }
        let zeros = bare.chars().filter(|c| *c == '0').count();
        if zeros >= 2 && bare.trim().chars().all(|c| c == '0') {
            return Self::Digits(zeros);
        }
        // Exponents and fractions are ways to write, not to round.
        if places > 0 && !has("e/") { Self::Number(places) } else { Self::General }
    }

    /// A number as it is shown.
    pub fn number(&self, number: f64) -> String {
        let (sign, size) = (if number < 0.0 { "-" } else { "" }, number.abs());
        match self {
            Self::Percent(places) => format!("{sign}{}%", padded(&hundredfold(size), *places)),
            Self::Money { before, after, places } => {
                let gap = if after.is_empty() { "" } else { " " };
                let code = if before.len() == 3 && before.is_ascii() { " " } else { "" };
                let digits = padded(&size.to_string(), *places);
                format!("{sign}{before}{code}{digits}{gap}{after}")
            }
            Self::Number(places) => format!("{sign}{}", padded(&size.to_string(), *places)),
            Self::Digits(digits) if size.fract() == 0.0 => {
                format!("{sign}{size:0width$.0}", width = *digits)
            }
            Self::Elapsed | Self::Clock | Self::Date | Self::DateTime => {
                let kind = calamine::ExcelDateTimeType::DateTime;
                self.time(&ExcelDateTime::new(number, kind, false))
            }
            _ => number.to_string(),
        }
    }

    /// A time as it is shown, in the order of ISO 8601.
    pub fn time(&self, time: &ExcelDateTime) -> String {
        if time.is_duration() || *self == Self::Elapsed {
            return elapsed(time.as_f64());
        }
        let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
        let date = format!("{year:04}-{month:02}-{day:02}");
        let mut clock = format!("{hour:02}:{minute:02}:{second:02}");
        if milli > 0 {
            clock = format!("{clock}.{milli:03}");
        }
        let value = time.as_f64();
        match self {
            Self::Date => date,
            Self::Clock => clock,
            Self::DateTime => format!("{date} {clock}"),
            // Formats that only a country knows.
            _ if value < 1.0 => clock,
            _ if value.fract() == 0.0 => date,
            _ => format!("{date} {clock}"),
        }
    }
}

/// Days as hours, minutes and seconds.
fn elapsed(days: f64) -> String {
    let sign = if days < 0.0 { "-" } else { "" };
    let millis = (days.abs() * 86_400_000.0).round() as u64;
    let seconds = millis / 1000;
    let clock = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if millis.is_multiple_of(1000) { clock } else { format!("{clock}.{:03}", millis % 1000) }
}

/// The digits of a number with zeros up to so many places.
fn padded(digits: &str, places: usize) -> String {
    let there = digits.split_once('.').map_or(0, |(_, rest)| rest.len());
    let point = if there == 0 && places > 0 { "." } else { "" };
    format!("{digits}{point}{}", "0".repeat(places.min(30).saturating_sub(there)))
}

/// The digits of a hundred times a number: the point moves, so that nothing is rounded.
fn hundredfold(number: f64) -> String {
    let digits = number.to_string();
    let (whole, rest) = digits.split_once('.').unwrap_or((&digits, ""));
    let moved = rest.len().min(2);
    let whole = format!("{whole}{}{}", &rest[..moved], "0".repeat(2 - moved));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let rest = &rest[moved..];
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

/// A format without what is only written, and that.
#[derive(Default)]
struct Parts {
    bare: String,
    /// What is written before the first digit, and after it.
    before: String,
    after: String,
    /// Whether hours, minutes or seconds go on.
    elapsed: bool,
}

impl Parts {
    fn of(code: &str) -> Self {
        let mut parts = Self::default();
        let mut chars = code.chars();
        while let Some(c) = chars.next() {
            match c {
                ';' => break,
                '"' => {
                    let text: String = chars.by_ref().take_while(|c| *c != '"').collect();
                    parts.write(&text);
                }
                '\\' => {
                    let text: String = chars.next().into_iter().collect();
                    parts.write(&text);
                }
                // As wide as the next character, or as many of it as there is room for.
                '_' | '*' => {
                    chars.next();
                }
                '[' => {
                    let text: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let lower = text.to_lowercase();
                    if let Some(currency) = text.strip_prefix('$') {
                        let sign = currency.split('-').next().unwrap_or_default().to_owned();
                        parts.write(&sign);
                    } else if !lower.is_empty() && lower.chars().all(|c| "hms".contains(c)) {
                        parts.elapsed = true;
                    }
                }
                c if SIGNS.contains(&c.to_string().as_str()) => parts.write(&c.to_string()),
                c => parts.bare.push(c),
            }
        }
        parts
    }

    fn write(&mut self, text: &str) {
        let digits = self.bare.contains(['0', '#', '?']);
        if digits { self.after.push_str(text) } else { self.before.push_str(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_with_its_signs_and_all_its_digits() {
        // What spreadsheets show, but for thousands and for digits that do not fit.
        for (code, number, shown) in [
            ("General", 1234.5, "1234.5"),
            ("", -3.0, "-3"),
            ("0.00", 5.0, "5.00"),
            ("#,##0.00", 1234567.5, "1234567.50"),
            ("#,##0", 1234567.0, "1234567"),
            ("0%", 0.07, "7%"),
            ("0.00%", 0.125, "12.50%"),
            ("0.0%", -0.123456, "-12.3456%"),
            ("0%", 1.0, "100%"),
            ("\"$\"#,##0.00", 1234.5, "$1234.50"),
            ("$#,##0.00;[Red]-$#,##0.00", -3.0, "-$3.00"),
            ("_($* #,##0.00_);_($* (#,##0.00);_($* \"-\"??_);_(@_)", 12.0, "$12.00"),
            ("#,##0.00 [$€-407]", 9.5, "9.50 €"),
            ("[$¥-804]#,##0", 12.0, "¥12"),
            ("[$USD] #,##0.00", 12.0, "USD 12.00"),
            ("00000", 123.0, "00123"),
            ("00", 5.0, "05"),
            ("0.00E+00", 12345.0, "12345"),
            ("# ?/?", 0.5, "0.5"),
            ("0 \"kg\"", 5.0, "5"),
            ("@", 5.0, "5"),
        ] {
            assert_eq!(Look::of(code).number(number), shown, "{code}");
        }
    }

    #[test]
    fn formats_of_times_are_known() {
        for (code, look) in [
            ("mm-dd-yy", Look::Date),
            ("d-mmm", Look::Date),
            ("mmm-yy", Look::Date),
            ("yyyy\"年\"m\"月\"d\"日\"", Look::Date),
            ("[$-409]d/m/yyyy;@", Look::Date),
            ("m/d/yy h:mm", Look::DateTime),
            ("yyyy-mm-dd hh:mm:ss.000", Look::DateTime),
            ("h:mm AM/PM", Look::Clock),
            ("h:mm:ss", Look::Clock),
            ("mm:ss.0", Look::Clock),
            ("[h]:mm:ss", Look::Elapsed),
            ("[mm]:ss", Look::Elapsed),
        ] {
            assert_eq!(Look::of(code), look, "{code}");
        }
        assert_eq!(elapsed(1.0 + 2.5 / 24.0), "26:30:00");
    }
}
