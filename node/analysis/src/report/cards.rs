//! A card for every column.

use super::drawings::Drawings;
use super::glance::cell;
use super::overview::{badge, kind};
use super::words::{self, Words};
use super::{MOST_CARDS, NAME, Page, alerts, amounts, text};
use crate::numbers::{AlertKind, ColumnNumbers};

/// Characters of a value that are shown.
const VALUE: usize = 40;

/// Cards of the first columns, and how many there are when that is not all.
pub(super) fn all(page: &Page, drawings: &Drawings) -> String {
    let columns = &page.numbers.columns;
    let flags = alerts::by_column(page);
    let mut out = String::new();
    if columns.len() > MOST_CARDS {
        let many = [MOST_CARDS as u64, columns.len() as u64].map(amounts::count);
        out += &hint(&words::FIRST_CARDS.with(page.lang, &[&many[0], &many[1]]));
    }
    if drawings.left_out > 0 {
        out += &hint(&words::LEFT_OUT.with(page.lang, &[&amounts::count(drawings.left_out)]));
    }
    for (at, column) in columns.iter().take(MOST_CARDS).enumerate() {
        let flags = flags.get(&at).map(Vec::as_slice).unwrap_or_default();
        out += &card(page, at, column, flags, &drawings.of_column(at));
    }
    out
}

fn hint(sentence: &str) -> String {
    format!("<p class=\"hint\">{sentence}</p>\n")
}

fn card(
    page: &Page,
    at: usize,
    column: &ColumnNumbers,
    flags: &[AlertKind],
    drawing: &str,
) -> String {
    let flags: String = flags.iter().map(|kind| alerts::flag(page, *kind)).collect();
    let flags = if flags.is_empty() { flags } else { format!("<ul class=\"flags\">{flags}</ul>") };
    let notes = notes(page, at);
    let is_number = column.min.is_some();
    let facts = if is_number { number_facts(page, column) } else { facts(page, column) };
    let body = match is_number {
        // Drawings are wide, so that all stands below each other.
        true => format!(
            "<div class=\"facts three\">\n{facts}</div>\n{notes}{}{drawing}{}",
            quantiles(page, column),
            top(page, column, 6)
        ),
        false => format!(
            "<div class=\"body\">\n<div class=\"facts\">\n{facts}{notes}</div>\n{}</div>\n{drawing}",
            top(page, column, usize::MAX)
        ),
    };
    format!(
        "<article class=\"card\" id=\"c{}\">\n<div class=\"head\"><h3>{}</h3><span class=\"kind\">{}{}</span>{flags}</div>\n{body}</article>\n",
        at + 1,
        text::titled(&column.name, NAME * 2, 10_000),
        badge(&column.kind),
        page.say(kind(&column.kind)),
    )
}

/// What is known of any column.
fn facts(page: &Page, column: &ColumnNumbers) -> String {
    let mut lines = cells(page, column);
    let (first, last) = match column.kind.as_str() {
        "duration" => (words::SHORTEST, words::LONGEST),
        _ => (words::FIRST, words::LAST),
    };
    for (words, value) in
        [(first, &column.first), (words::MEAN, &column.mean_time), (last, &column.last)]
    {
        if let Some(value) = value {
            lines += &fact(page, words, "", &text::quoted(value, VALUE));
        }
    }
    list(&lines)
}

/// Of numbers: what the cells are, where they lie, how they spread.
fn number_facts(page: &Page, column: &ColumnNumbers) -> String {
    let mut counts = cells(page, column);
    for (words, many) in [(words::ZEROS, column.zeros), (words::NEGATIVES, column.negatives)] {
        if let Some(many) = many {
            counts += &fact(page, words, "", &part(many, column.count));
        }
    }
    let values = |all: &[(Words, &str, Option<f64>)]| -> String {
        let known = all.iter().filter_map(|(words, term, value)| Some((words, term, (*value)?)));
        known
            .map(|(words, term, value)| {
                fact(page, *words, term, &column.plain(amounts::number(value)))
            })
            .collect()
    };
    let places = values(&[
        (words::MIN, "", column.min),
        (words::Q25, "g-quartile", column.q25),
        (words::MEDIAN, "g-median", column.median),
        (words::Q75, "g-quartile", column.q75),
        (words::MAX, "", column.max),
    ]);
    let mut spread = values(&[
        (words::MEAN, "", column.mean),
        (words::STD, "g-std", column.std),
        (words::SKEWNESS, "g-skew", column.skew),
        (words::KURTOSIS, "g-kurtosis", column.kurtosis),
    ]);
    if let Some(many) = column.outliers {
        spread += &fact(page, words::OUTLIERS, "g-outlier", &part(many, column.count));
    }
    [counts, places, spread].map(|lines| list(&lines)).concat()
}

fn cells(page: &Page, column: &ColumnNumbers) -> String {
    let rows = page.numbers.rows;
    let missing = match column.missing {
        0 => "0".to_owned(),
        many => page.bar(amounts::ratio(many, rows)) + &part(many, rows),
    };
    let mut lines = fact(page, words::VALUES, "", &amounts::count(column.count));
    lines += &fact(page, words::MISSING, "g-missing", &missing);
    if column.invalid > 0 {
        lines += &fact(page, words::INVALID, "", &part(column.invalid, rows));
    }
    lines + &fact(page, words::DISTINCT, "g-distinct", &part(column.distinct, column.count))
}

/// A count with its share.
fn part(many: u64, whole: u64) -> String {
    if many == 0 {
        return "0".to_owned();
    }
    let share = amounts::percent(amounts::ratio(many, whole));
    format!("{} <span class=\"soft\">{share}</span>", amounts::count(many))
}

fn list(lines: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("<table class=\"facts\">\n<tbody>\n{lines}</tbody>\n</table>\n")
}

fn fact(page: &Page, words: Words, term: &str, value: &str) -> String {
    let name = page.say(words);
    let name = match term {
        "" => name.to_owned(),
        term => format!("<a class=\"term\" href=\"#{term}\">{name}</a>"),
    };
    format!("<tr><th scope=\"row\">{name}</th><td class=\"n\">{value}</td></tr>\n")
}

/// How the column was written, and what did not fit.
fn notes(page: &Page, at: usize) -> String {
    let Some(facts) = page.table.columns.get(at) else {
        return String::new();
    };
    let mut out = String::new();
    let mut say = |sentence: &str| out += &format!("<p class=\"written\">{sentence}</p>\n");
    if let Some(sign) = facts.written.currency {
        say(&words::WRITTEN_CURRENCY.with(page.lang, &[&text::quoted(&sign.to_string(), 1)]));
    }
    if facts.written.percent {
        say(page.say(words::WRITTEN_PERCENT));
    }
    if facts.written.mixed_dates {
        say(page.say(words::WRITTEN_DATES));
    }
    let many = facts.invalid.count;
    if many > 0 {
        let sentence = if many == 1 { words::INVALID_CELL } else { words::INVALID_CELLS };
        let mut examples = String::new();
        for example in &facts.invalid.examples {
            examples += &format!("<li class=\"wrong\">{}</li>", text::titled(example, VALUE, 1000));
        }
        let list = match examples.is_empty() {
            true => String::new(),
            false => format!("<ul class=\"examples\">{examples}</ul>\n"),
        };
        out += &format!(
            "<p class=\"written\">{}</p>\n{list}",
            sentence.with(page.lang, &[&amounts::count(many)])
        );
    }
    out
}

/// Where the middle half lies between the smallest and the largest value.
fn quantiles(page: &Page, column: &ColumnNumbers) -> String {
    let values = [column.min, column.q25, column.median, column.q75, column.max];
    let Some(values) = values.into_iter().collect::<Option<Vec<f64>>>() else {
        return String::new();
    };
    let [min, q25, median, q75, max] = values[..] else {
        return String::new();
    };
    // Halves, because the distance of the largest numbers is beyond what a number can be.
    let span = max / 2.0 - min / 2.0;
    if !span.is_finite() || span <= 0.0 {
        return String::new();
    }
    let at = |value: f64| ((value / 2.0 - min / 2.0) / span * 100.0).clamp(0.0, 100.0);
    let shown: Vec<String> =
        values.iter().map(|value| column.plain(amounts::number(*value))).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    format!(
        "<div class=\"quantiles\" role=\"img\" aria-label=\"{}\"><span class=\"line\"><span class=\"half\" style=\"left:{:.1}%;width:{:.1}%\"></span><span class=\"middle\" style=\"left:{:.1}%\"></span></span><span class=\"ends\"><span>{}</span><span>{}</span></span></div>\n",
        words::QUANTILES.with(page.lang, &shown),
        at(q25),
        at(q75) - at(q25),
        at(median),
        shown[0],
        shown[4],
    )
}

/// The most frequent values with bars, and what is left, in tables of so many lines.
fn top(page: &Page, column: &ColumnNumbers, lines: usize) -> String {
    let Some(highest) = column.top.first().map(|(_, count)| *count) else {
        return String::new();
    };
    if highest == 1 && column.distinct > column.top.len() as u64 {
        return once(page, column);
    }
    let line = |class: &str, value: &str, count: u64| {
        // All others together are not one value: their bar would be longer than what it is beside.
        let bar = match count > highest {
            true => String::new(),
            false => page.bar(amounts::ratio(count, highest)),
        };
        let share = amounts::percent(amounts::ratio(count, column.count));
        let count = amounts::count(count);
        format!(
            "<tr{class}><th scope=\"row\">{value}</th><td class=\"long\">{bar}</td><td class=\"n\">{count}</td><td class=\"n soft\">{share}</td></tr>\n"
        )
    };
    let values = column.top.iter();
    let mut all: Vec<String> =
        values.map(|(value, count)| line("", &cell(page, column, value, VALUE), *count)).collect();
    let listed = column.top.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
    let others = column.count.saturating_sub(listed);
    if others > 0 {
        all.push(line(" class=\"others\"", page.say(words::OTHERS), others));
    }
    let heads = [words::VALUE, words::COUNT, words::SHARE].map(|words| page.say(words));
    let table = |lines: &[String]| {
        format!(
            "<table>\n<thead><tr><th scope=\"col\" colspan=\"2\">{}</th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" class=\"n\">{}</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
            heads[0],
            heads[1],
            heads[2],
            lines.concat()
        )
    };
    let tables: String = all.chunks(lines).map(table).collect();
    format!(
        "<div class=\"top\">\n<h4>{}</h4>\n<div class=\"tables\">\n{tables}</div>\n</div>\n",
        page.say(words::TOP)
    )
}

/// No value is more frequent than another, so that bars would say nothing.
fn once(page: &Page, column: &ColumnNumbers) -> String {
    let values = column.top.iter().take(6);
    let values: String =
        values.map(|(value, _)| format!("<li>{}</li>", cell(page, column, value, VALUE))).collect();
    format!(
        "<div class=\"top\">\n<h4>{}</h4>\n<ul class=\"examples once\">{values}</ul>\n</div>\n",
        page.say(words::ALL_ONCE)
    )
}
