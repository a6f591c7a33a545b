//! All columns in one table, a line each.

use super::overview::{badge, kind};
use super::words;
use super::{MOST_CARDS, Page, amounts, text};
use crate::numbers::ColumnNumbers;

/// Lines in the table.
const MOST_LINES: usize = 5000;

/// How wide a typical text may be, in Latin letters.
const TYPICAL: usize = 16;

/// Bars in a small picture.
const BARS: usize = 24;

/// The table.
pub(super) fn table(page: &Page) -> String {
    let columns = &page.numbers.columns;
    if columns.is_empty() {
        return String::new();
    }
    let heads = [
        (words::COLUMN, ""),
        (words::TYPE, ""),
        (words::MISSING, " class=\"n\""),
        (words::DISTINCT, " class=\"n\""),
        (words::TYPICAL, " class=\"n\""),
        (words::RANGE, ""),
        (words::SHAPE, ""),
    ];
    let heads =
        heads.map(|(head, class)| format!("<th scope=\"col\"{class}>{}</th>", page.say(head)));
    let lines: String = columns
        .iter()
        .take(MOST_LINES)
        .enumerate()
        .map(|(at, column)| line(page, at, column))
        .collect();
    let more = match columns.len() > MOST_LINES {
        true => {
            let many = [MOST_LINES as u64, columns.len() as u64].map(amounts::count);
            let sentence = words::FIRST_GLANCE.with(page.lang, &[&many[0], &many[1]]);
            format!("<p class=\"hint\">{sentence}</p>\n")
        }
        false => String::new(),
    };
    format!(
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n<table class=\"glance\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n{more}",
        page.say(words::GLANCE),
        heads.concat(),
    )
}

fn line(page: &Page, at: usize, column: &ColumnNumbers) -> String {
    let missing = match column.missing {
        0 => "<span class=\"none\">0%</span>".to_owned(),
        _ => {
            format!("{}{}", page.bar(column.missing_ratio), amounts::percent(column.missing_ratio))
        }
    };
    let shape = if at < MOST_CARDS { shape(page, at, column) } else { String::new() };
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}{}</td><td class=\"n\">{missing}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{shape}</td></tr>\n",
        page.link(&column.name),
        badge(&column.kind),
        page.say(kind(&column.kind)),
        amounts::count(column.distinct),
        typical(page, column),
        range(column),
    )
}

/// The median of numbers, the most frequent value of others.
fn typical(page: &Page, column: &ColumnNumbers) -> String {
    if let Some(median) = column.median {
        return column.plain(amounts::number(median));
    }
    match column.top.first() {
        Some((value, count)) if *count > 1 => {
            let share = amounts::percent(amounts::ratio(*count, column.count));
            let value = match value.as_str().filter(|text| !text.is_empty()) {
                Some(text) => text::narrow(text, TYPICAL, 1000),
                None => cell(page, column, value, TYPICAL),
            };
            format!("{value} <span class=\"soft\">{share}</span>")
        }
        _ => String::new(),
    }
}

fn range(column: &ColumnNumbers) -> String {
    let (from, to) = match (column.min, column.max, &column.first, &column.last) {
        (Some(min), Some(max), ..) => {
            let written = |value| column.plain(amounts::number(value));
            (written(min), written(max))
        }
        (_, _, Some(first), Some(last)) => (text::short(first, 30), text::short(last, 30)),
        _ => return String::new(),
    };
    format!("{from} <span class=\"soft\">…</span> {to}")
}

/// A value of the file.
pub(super) fn cell(
    page: &Page,
    column: &ColumnNumbers,
    value: &serde_json::Value,
    most: usize,
) -> String {
    match value {
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => column.plain(amounts::count(whole)),
            (None, Some(whole)) => format!("-{}", amounts::count(whole.unsigned_abs())),
            _ => amounts::number(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(words) if words.is_empty() => {
            format!("<i>{}</i>", page.say(words::EMPTY_TEXT))
        }
        serde_json::Value::String(words) => text::titled(words, most, 1000),
        other => text::titled(&other.to_string(), most, 1000),
    }
}

/// A small histogram of numbers, or the parts that the most frequent values take.
fn shape(page: &Page, at: usize, column: &ColumnNumbers) -> String {
    // Bins as they are drawn, because those of `numbers.json` are numpy's, which are uneven for
    // integers.
    let drawn = page.table.columns.get(at).map(|facts| facts.shape.as_slice());
    let counts = drawn.filter(|counts| !counts.is_empty());
    let path = match counts.or(column.histogram.as_ref().map(|bins| bins.counts.as_slice())) {
        Some(counts) => bars(counts),
        None => return parts(column),
    };
    if path.is_empty() {
        return path;
    }
    format!(
        "<svg class=\"shape\" viewBox=\"0 0 96 24\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>"
    )
}

fn bars(counts: &[u64]) -> String {
    if counts.is_empty() {
        return String::new();
    }
    // As many bins for each bar, or else some would seem high.
    let bins = counts.chunks(counts.len().div_ceil(BARS));
    let heights: Vec<u64> =
        bins.map(|bins| bins.iter().fold(0u64, |sum, bin| sum.saturating_add(*bin))).collect();
    let bars = heights.len();
    let highest = heights.iter().copied().max().unwrap_or(0).max(1);
    let width = 96.0 / bars as f64;
    let mut path = String::new();
    for (at, height) in heights.into_iter().enumerate().filter(|(_, height)| *height > 0) {
        // What is there is seen, however low.
        let height = (24.0 * amounts::ratio(height, highest)).max(1.0);
        let (left, wide) = (at as f64 * width, (width - 0.8).min(16.0));
        path += &format!("M{left:.1} 24v-{height:.1}h{wide:.1}v{height:.1}z");
    }
    path
}

fn parts(column: &ColumnNumbers) -> String {
    if column.count == 0 || column.top.first().is_none_or(|(_, count)| *count < 2) {
        return String::new();
    }
    let mut left = 0.0;
    let mut parts = String::new();
    for (at, (_, count)) in column.top.iter().take(6).enumerate() {
        let width = 96.0 * amounts::ratio(*count, column.count);
        let ink = 1.0 - at as f64 * 0.15;
        let seen = (width - 0.8).max(0.2);
        parts += &format!(
            "<rect x=\"{left:.1}\" y=\"7\" width=\"{seen:.1}\" height=\"10\" fill-opacity=\"{ink:.2}\"/>"
        );
        left += width;
    }
    format!(
        "<svg class=\"shape\" viewBox=\"0 0 96 24\" aria-hidden=\"true\"><rect class=\"rest\" y=\"7\" width=\"96\" height=\"10\"/>{parts}</svg>"
    )
}
