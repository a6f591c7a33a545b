//! Numbers as a person reads them. What is returned is markup, ready for
//! the page and for attributes.

/// With a comma every three digits.
pub(super) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// Six significant digits, without zeros at the end; very large and very small ones with a power
/// of ten.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return grouped(&format!("{value:.0}"));
    }
    if !(1e-4..1e15).contains(&size) {
        return power(value);
    }
    // Between -4 and 14, by the bounds above.
    let whole = size.log10().floor() as i32 + 1;
    let digits = (6 - whole).clamp(0, 9);
    grouped(trimmed(&format!("{value:.*}", digits.unsigned_abs() as usize)))
}

/// A part of a whole, 0 to 1, in percent. What is not all and not nothing does not look so.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    match percent {
        _ if !percent.is_finite() => "–".to_owned(),
        p if p <= 0.0 => "0%".to_owned(),
        p if p >= 100.0 => "100%".to_owned(),
        p if p < 0.1 => "&lt;0.1%".to_owned(),
        p if p > 99.9 => "&gt;99.9%".to_owned(),
        p => format!("{}%", trimmed(&format!("{p:.1}"))),
    }
}

/// `part` of `whole`, 0 when there is no whole.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A coefficient from -1 to 1.
pub(super) fn coefficient(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => {
            let text = format!("{value:.3}");
            if text == "-0.000" { "0.000".to_owned() } else { text }
        }
        _ => "–".to_owned(),
    }
}

fn power(value: f64) -> String {
    let text = format!("{value:.5e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            format!("{}×10{}", trimmed(digits), power.chars().map(raised).collect::<String>())
        }
        None => text,
    }
}

/// The sign that stands for a digit or a minus in a power; unlike `<sup>`, attributes take it.
fn raised(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => c.to_digit(10).and_then(|d| char::from_u32(0x2070 + d)).unwrap_or(c),
    }
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, tail) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let written = [
            (0.0, "0"),
            (-0.0, "0"),
            (5.843333333333334, "5.84333"),
            (1234567.0, "1,234,567"),
            (-1234.5678, "-1,234.57"),
            (999999.96, "1,000,000"),
            (0.00012345678, "0.000123457"),
            (0.1 + 0.2, "0.3"),
            (1.5e-9, "1.5×10⁻⁹"),
            (-6.02214e23, "-6.02214×10²³"),
            (f64::INFINITY, "∞"),
            (f64::NAN, "–"),
        ];
        for (value, text) in written {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(999), "999");
    }

    #[test]
    fn a_little_is_not_nothing() {
        assert_eq!(percent(ratio(1, 1_000_000)), "&lt;0.1%");
        assert_eq!(percent(ratio(999_999, 1_000_000)), "&gt;99.9%");
        assert_eq!(percent(ratio(1, 3)), "33.3%");
        assert_eq!(percent(ratio(1, 20)), "5%");
        assert_eq!(percent(ratio(0, 0)), "0%");
        assert_eq!(coefficient(Some(-0.0001)), "0.000");
    }
}
