//! From values to places, round ticks, and numbers as people write them.

use crate::Lang;

/// A range of values that is laid over a length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    from: f32,
    to: f32,
}

/// A round value and what is written beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: String,
}

impl Axis {
    /// Lays `low..high` over `from..to`; a range of nothing is widened around its value.
    pub(super) fn new(low: f64, high: f64, from: f32, to: f32) -> Self {
        let finite =
            |value: f64| if value.is_nan() { 0.0 } else { value.clamp(f64::MIN, f64::MAX) };
        let (mut low, mut high) = (finite(low.min(high)), finite(high.max(low)));
        let size = low.abs().max(high.abs());
        if high / 2.0 - low / 2.0 <= size * 1e-14 {
            let wider = if size == 0.0 { 0.5 } else { size * 0.05 };
            (low, high) = (finite(low - wider), finite(high + wider));
        }
        Self { low, high, from, to }
    }

    /// A little room at both ends.
    pub(super) fn padded(self, part: f64) -> Self {
        let room = (self.high / 2.0 - self.low / 2.0) * 2.0 * part;
        Self::new(self.low - room, self.high + room, self.from, self.to)
    }

    /// From and to, after widening.
    pub(super) fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where a value stands, within the length. Halves, because the range may be wider than the
    /// largest number.
    pub(super) fn place(&self, value: f64) -> f32 {
        let part = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        let part = if part.is_nan() { 0.5 } else { part.clamp(0.0, 1.0) };
        self.from + (self.to - self.from) * part as f32
    }

    /// Round values within the range, about `wanted` of them.
    pub(super) fn ticks(&self, wanted: usize, whole: bool, lang: Lang) -> Vec<Tick> {
        let wanted = wanted.clamp(2, 20) as f64;
        let step = round_step((self.high / wanted - self.low / wanted).max(f64::MIN_POSITIVE));
        let step = if whole { step.max(1.0) } else { step };
        let style = Style::of(self.low.abs().max(self.high.abs()), step, lang);
        let first = (self.low / step).ceil();
        let at = |number: u32| (first + f64::from(number)) * step;
        (0..40)
            .map(at)
            // A hair's breadth more, so that rounding does not lose the last one.
            .take_while(|value| value.is_finite() && *value / 2.0 <= self.high / 2.0 + step * 1e-9)
            .map(|value| Tick { value, text: style.write(value) })
            .collect()
    }
}

/// 1, 2 or 5 by a power of ten, at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    if !power.is_normal() || !(power * 10.0).is_finite() {
        return raw;
    }
    let rounds = [1.0, 2.0, 5.0, 10.0];
    rounds.iter().map(|round| round * power).find(|step| *step >= raw * 0.999_999).unwrap_or(raw)
}

/// How all ticks of an axis are written.
struct Style {
    unit: f64,
    suffix: &'static str,
    decimals: usize,
    power: Option<i32>,
}

impl Style {
    fn of(largest: f64, step: f64, lang: Lang) -> Self {
        let decimals = |step: f64| (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
        if largest != 0.0 && !(1e-3..1e15).contains(&largest) {
            let power = largest.log10().floor();
            let decimals = decimals(10f64.powf(step.log10() - power));
            return Self { unit: 1.0, suffix: "", decimals, power: Some(power as i32) };
        }
        let (unit, suffix) = unit(largest, 1e5, lang);
        // With many digits after the point a unit would help nobody.
        let (unit, suffix) = if step / unit < 1e-3 { (1.0, "") } else { (unit, suffix) };
        Self { unit, suffix, decimals: decimals(step / unit), power: None }
    }

    fn write(&self, value: f64) -> String {
        match self.power {
            _ if value == 0.0 => "0".to_owned(),
            Some(power) => {
                // In two steps, because 10^-320 is no number.
                let scaled = value / 10f64.powi(power / 2) / 10f64.powi(power - power / 2);
                format!("{scaled:.0$}e{power}", self.decimals)
            }
            None => grouped(&format!("{:.1$}", value / self.unit, self.decimals)) + self.suffix,
        }
    }
}

/// A number for a person: four digits that count, thousands apart, units from a million on.
pub(super) fn number(value: f64, lang: Lang) -> String {
    digits(value, 4, lang)
}

/// As [`number`], with as many digits as tell apart numbers of this range.
pub(super) fn number_in(value: f64, (low, high): (f64, f64), lang: Lang) -> String {
    let size = low.abs().max(high.abs());
    let range = (size / (high - low)).log10();
    digits(value, if range > 2.0 && range < 14.0 { range.ceil() as usize + 2 } else { 4 }, lang)
}

fn digits(value: f64, digits: usize, lang: Lang) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "–".to_owned();
    } else if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    } else if size == 0.0 {
        return "0".to_owned();
    } else if !(1e-4..1e15).contains(&size) {
        let text = format!("{value:.*e}", digits.saturating_sub(2).min(15));
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", trimmed(mantissa));
    }
    // What rounds up to a million is one.
    let place = 10f64.powf(size.log10().floor() + 1.0 - digits as f64);
    let (unit, suffix) = match digits {
        // With many digits a unit would only hide some.
        7.. => (1.0, ""),
        _ => unit((size / place).round() * place, 1e6, lang),
    };
    let scaled = value / unit;
    let decimals = digits as f64 - 1.0 - scaled.abs().log10().floor();
    let decimals = decimals.clamp(0.0, digits as f64 + 3.0) as usize;
    grouped(trimmed(&format!("{scaled:.decimals$}"))) + suffix
}

/// A count with its thousands apart.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A count with its noun.
pub(super) fn many(value: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { more })
}

/// A part of a whole, such as `12.3%`.
pub(super) fn share(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    match percent {
        _ if part > 0 && percent < 0.1 => "<0.1%".to_owned(),
        _ if part < whole && percent > 99.9 => ">99.9%".to_owned(),
        _ => format!("{}%", trimmed(&format!("{percent:.1}"))),
    }
}

fn unit(size: f64, from: f64, lang: Lang) -> (f64, &'static str) {
    const EN: [(f64, &str); 4] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];
    const ZH: [(f64, &str); 3] = [(1e12, "万亿"), (1e8, "亿"), (1e4, "万")];
    let units: &[(f64, &str)] = match lang {
        Lang::En => &EN,
        Lang::Zh => &ZH,
    };
    units.iter().copied().find(|unit| size >= from && size >= unit.0).unwrap_or((1.0, ""))
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Commas between thousands, before the point only.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut out = String::from(sign);
    for (place, digit) in whole.char_indices() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, lang: Lang) -> Vec<String> {
        let ticks = Axis::new(low, high, 0.0, 1.0).ticks(5, false, lang);
        ticks.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(0.0, 10.0, Lang::En), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(-0.3, 0.31, Lang::En), ["-0.2", "0", "0.2"]);
        assert_eq!(texts(0.0, 2.5e6, Lang::En), ["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"]);
        assert_eq!(texts(0.0, 4e5, Lang::Zh), ["0", "10万", "20万", "30万", "40万"]);
        assert_eq!(texts(0.0, 4e-9, Lang::En), ["0", "1e-9", "2e-9", "3e-9", "4e-9"]);
        assert_eq!(texts(0.0, 5000.0, Lang::En).last().map(String::as_str), Some("5,000"));
    }

    #[test]
    fn ticks_stand_the_extremes() {
        for (low, high) in [
            (f64::MIN, f64::MAX),
            (0.0, f64::MIN_POSITIVE),
            (5e-324, 1e-323),
            (1e300, 1e300),
            (f64::NEG_INFINITY, f64::INFINITY),
            (f64::NAN, 1.0),
            (1e9, 1e9 + 1e-3),
            (7.0, 7.0),
        ] {
            let axis = Axis::new(low, high, 0.0, 100.0).padded(0.04);
            let ticks = axis.ticks(6, false, Lang::En);
            assert!(ticks.len() <= 20, "{low} {high}: {ticks:?}");
            for value in [low, high, 0.0, f64::NAN, f64::INFINITY] {
                assert!((0.0..=100.0).contains(&axis.place(value)), "{low} {high} {value}");
            }
        }
    }

    #[test]
    fn numbers_are_short() {
        for (value, en, zh) in [
            (0.0, "0", "0"),
            (5.843_333, "5.843", "5.843"),
            (1234.5, "1,234", "1,234"),
            (-98_765.4, "-98,765", "-98,765"),
            (12_345_678.0, "12.35M", "1,235万"),
            (2.5e9, "2.5B", "25亿"),
            (999_996.0, "1M", "100万"),
            (-999_996_000.0, "-1B", "-10亿"),
            (1.5e-7, "1.5e-7", "1.5e-7"),
            (1e300, "1e300", "1e300"),
            (f64::NEG_INFINITY, "-∞", "-∞"),
        ] {
            assert_eq!(number(value, Lang::En), en);
            assert_eq!(number(value, Lang::Zh), zh);
        }
        let moments = (1_700_000_000_000.0, 1_700_000_004_000.0);
        assert_eq!(number_in(moments.0, moments, Lang::En), "1,700,000,000,000");
        assert_eq!(number_in(moments.1, moments, Lang::Zh), "1,700,000,004,000");
        assert_eq!(number_in(1.234_56e9, (0.0, 2e9), Lang::En), "1.235B");
        assert_eq!(number_in(5.0, (5.0, 5.0), Lang::En), "5");
        assert_eq!(count(1_351), "1,351");
        assert_eq!([share(1, 3), share(1, 100_000), share(0, 0)], ["33.3%", "<0.1%", "0%"]);
    }
}
