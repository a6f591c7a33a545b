//! The pairs of number columns that go together most.

use super::words;
use super::{Page, amounts};

/// Pairs that are listed.
const MOST: usize = 20;

/// A coefficient below this is not worth a line.
const LEAST: f64 = 0.1;

struct Pair<'a> {
    first: &'a str,
    second: &'a str,
    pearson: Option<f64>,
    spearman: Option<f64>,
}

impl Pair<'_> {
    /// The larger of both coefficients, whatever its sign.
    fn strength(&self) -> f64 {
        let size = |value: Option<f64>| value.filter(|v| v.is_finite()).unwrap_or(0.0).abs();
        size(self.pearson).max(size(self.spearman))
    }
}

/// The table, strongest pair first; nothing when no two columns go together.
pub(super) fn table(page: &Page) -> String {
    let pairs = strongest(page);
    if pairs.is_empty() {
        return String::new();
    }
    let heads = [
        (words::FIRST_COLUMN, ""),
        (words::SECOND_COLUMN, ""),
        (words::PEARSON, " class=\"n\""),
        (words::SPEARMAN, " class=\"n\""),
    ];
    let heads = heads
        .map(|(head, class)| format!("<th scope=\"col\"{class}>{}</th>", page.say(head)))
        .concat();
    let lines: String = pairs.iter().map(|pair| line(page, pair)).collect();
    let title = page.say(words::PAIRS);
    format!(
        "<h3>{title}</h3>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{title}\">\n<table class=\"pairs\">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n"
    )
}

fn line(page: &Page, pair: &Pair) -> String {
    format!(
        "<tr><th scope=\"row\">{}</th><td>{}</td>{}{}</tr>\n",
        page.link(pair.first),
        page.link(pair.second),
        cell(pair.pearson),
        cell(pair.spearman)
    )
}

/// A coefficient with a bar that starts in the middle.
fn cell(value: Option<f64>) -> String {
    let size = value.filter(|v| v.is_finite()).unwrap_or(0.0).clamp(-1.0, 1.0);
    let (left, class) = if size < 0.0 { (50.0 + 50.0 * size, "minus") } else { (50.0, "plus") };
    format!(
        "<td class=\"n\"><span class=\"sided {class}\"><span style=\"left:{left:.1}%;width:{:.1}%\"></span></span><span>{}</span></td>",
        50.0 * size.abs(),
        amounts::coefficient(value)
    )
}

fn strongest<'a>(page: &Page<'a>) -> Vec<Pair<'a>> {
    let correlation = &page.numbers.correlation;
    let mut pairs = Vec::new();
    for (first, others) in &correlation.pearson {
        // Both halves of the matrix are the same; the one below the diagonal is left.
        for (second, pearson) in others.iter().filter(|(second, _)| *second > first) {
            let spearman = correlation.spearman.get(first).and_then(|line| line.get(second));
            let pair =
                Pair { first, second, pearson: *pearson, spearman: spearman.copied().flatten() };
            if pair.strength() >= LEAST {
                pairs.push(pair);
            }
        }
        // Never more than a line of the matrix is kept beside the best.
        keep_best(&mut pairs);
    }
    let place = |name: &str| page.places.get(name).copied();
    for pair in pairs.iter_mut().filter(|pair| place(pair.first) > place(pair.second)) {
        std::mem::swap(&mut pair.first, &mut pair.second);
    }
    pairs
}

fn keep_best(pairs: &mut Vec<Pair>) {
    pairs.sort_by(|a, b| {
        b.strength()
            .total_cmp(&a.strength())
            .then_with(|| (a.first, a.second).cmp(&(b.first, b.second)))
    });
    pairs.truncate(MOST);
}
