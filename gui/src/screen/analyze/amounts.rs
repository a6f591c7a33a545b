//! Numbers as people read them in a table.

use potluck_analysis::numbers::ColumnNumbers;

/// A count, in groups of three.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number with as many digits as say something.
pub(super) fn amount(number: f64) -> String {
    let size = number.abs();
    let sign = if number < 0.0 { "−" } else { "" };
    if number == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e12).contains(&size) {
        return format!("{sign}{size:.2e}");
    }
    let digits = match size {
        _ if size.fract() == 0.0 => 0,
        1000.0.. => 1,
        1.0.. => 2,
        _ => 4,
    };
    let text = format!("{size:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let rest = rest.trim_end_matches('0');
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    match rest.is_empty() {
        true => format!("{sign}{whole}"),
        false => format!("{sign}{whole}.{rest}"),
    }
}

/// A number of a column: years stand without a comma.
pub(super) fn of(column: &ColumnNumbers, number: f64) -> String {
    let year = |end: Option<f64>| end.is_some_and(|end| (1000.0..3000.0).contains(&end));
    let text = amount(number);
    match column.kind == "integer" && year(column.min) && year(column.max) {
        true => text.replace(',', ""),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        let said = [0.0, 3.0, -1.6, 1461.0, 12345.678, 0.123_456, 1e-9, 2.5e15, -7.10].map(amount);
        let meant = ["0", "3", "−1.6", "1,461", "12,345.7", "0.1235", "1.00e-9", "2.50e15", "−7.1"];
        assert_eq!(said, meant);
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let years = ColumnNumbers {
            kind: "integer".to_owned(),
            min: Some(1998.0),
            max: Some(2026.0),
            ..ColumnNumbers::default()
        };
        assert_eq!(of(&years, 2015.0), "2015");
    }
}
