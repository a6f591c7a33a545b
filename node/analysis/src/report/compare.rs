//! Two tables of the same columns side by side: what is another way in the second one. Made of the
//! numbers of both, so that whoever has these can make it.

use serde_json::{Value, json};

use super::overview::{self, badge, kind};
use super::words::{self, Words};
use super::{amounts, text};
use crate::numbers::{ColumnNumbers, Histogram, Numbers};
use crate::{Lang, font::web};

/// Columns that are compared on the page.
const COLUMNS: usize = 500;
/// Characters of a name.
const NAME: usize = 60;
/// Most frequent values that are compared.
const TOP: usize = 5;
/// Width and height of a drawing.
const SIZE: (f64, f64) = (260.0, 30.0);

/// The page that compares two tables.
pub fn comparison(numbers: [&Numbers; 2], lang: Lang) -> String {
    let page = Pair { numbers, lang };
    let names = numbers.map(|numbers| text::titled(&numbers.file, NAME, 1000));
    let title = words::COMPARISON_OF.with(lang, &[&names[0], &names[1]]);
    let (one, both, other) = page.columns();
    let mut body = format!(
        "<header>\n<p class=\"kicker\">{}</p>\n<h1>{title}</h1>\n</header>\n<main id=\"main\">\n{}",
        page.say(words::COMPARISON),
        page.totals(&names),
    );
    for (only, name, words) in
        [(&one, &names[0], words::ONLY_IN), (&other, &names[1], words::ONLY_IN)]
    {
        if !only.is_empty() {
            let listed =
                only.iter().take(COLUMNS).map(|column| text::titled(&column.name, NAME, 1000));
            let listed: Vec<String> = listed.collect();
            let listed = listed.join(", ");
            body += &format!("<p class=\"hint\">{}</p>\n", words.with(lang, &[name, &listed]));
        }
    }
    for (one, other) in both.iter().take(COLUMNS) {
        body += &page.column(one, other, &names);
    }
    body += "</main>\n";
    let plain = numbers.map(|numbers| text::short(&numbers.file, NAME));
    let title = words::COMPARISON_OF.with(lang, &[&plain[0], &plain[1]]);
    overview::document(lang, &title, &body, web::face(&body))
}

/// The same for programs: for each thing a list of two.
pub fn compared(numbers: [&Numbers; 2]) -> Value {
    let pair = Pair { numbers, lang: Lang::En };
    let (one, both, other) = pair.columns();
    let names = |columns: &[&ColumnNumbers]| -> Vec<String> {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    let column = |(one, other): &(&ColumnNumbers, &ColumnNumbers)| {
        let two = [one, other];
        json!({
            "name": one.name,
            "type": two.map(|c| &c.kind),
            "count": two.map(|c| c.count),
            "missing_ratio": two.map(|c| c.missing_ratio),
            "invalid": two.map(|c| c.invalid),
            "distinct": two.map(|c| c.distinct),
            "mean": two.map(|c| c.mean),
            "std": two.map(|c| c.std),
            "min": two.map(|c| c.min),
            "median": two.map(|c| c.median),
            "max": two.map(|c| c.max),
            "first": two.map(|c| &c.first),
            "last": two.map(|c| &c.last),
        })
    };
    json!({
        "files": numbers.map(|n| &n.file),
        "rows": numbers.map(|n| n.rows),
        "duplicate_rows": numbers.map(|n| n.duplicate_rows),
        "bad_rows": numbers.map(|n| n.bad_rows),
        "only_in_first": names(&one),
        "only_in_second": names(&other),
        "columns": both.iter().map(column).collect::<Vec<_>>(),
    })
}

/// Two tables.
struct Pair<'a> {
    numbers: [&'a Numbers; 2],
    lang: Lang,
}

/// Columns of the first only, of both, and of the second only.
type Columns<'a> =
    (Vec<&'a ColumnNumbers>, Vec<(&'a ColumnNumbers, &'a ColumnNumbers)>, Vec<&'a ColumnNumbers>);

impl<'a> Pair<'a> {
    fn say(&self, words: Words) -> &'static str {
        words.of(self.lang)
    }

    fn columns(&self) -> Columns<'a> {
        let [first, second] = self.numbers;
        let of = |numbers: &'a Numbers, name: &str| {
            numbers.columns.iter().find(|column| column.name == name)
        };
        let mut both = Vec::new();
        let mut one = Vec::new();
        for column in &first.columns {
            match of(second, &column.name) {
                Some(other) => both.push((column, other)),
                None => one.push(column),
            }
        }
        let other = second.columns.iter().filter(|column| of(first, &column.name).is_none());
        (one, both, other.collect())
    }

    /// Rows, columns and what is wrong with them.
    fn totals(&self, names: &[String; 2]) -> String {
        let missing = |numbers: &Numbers| {
            let cells = numbers.rows.saturating_mul(numbers.columns.len() as u64);
            let missing: u64 = numbers.columns.iter().map(|column| column.missing).sum();
            amounts::percent(amounts::ratio(missing, cells))
        };
        let count =
            |of: fn(&Numbers) -> u64| self.numbers.map(|numbers| amounts::count(of(numbers)));
        let lines = [
            (words::ROWS, count(|numbers| numbers.rows)),
            (words::COLUMN_COUNT, count(|numbers| numbers.columns.len() as u64)),
            (words::MISSING_CELLS, self.numbers.map(missing)),
            (words::DUPLICATE_ROWS, count(|numbers| numbers.duplicate_rows)),
            (words::BAD_ROWS, count(|numbers| numbers.bad_rows)),
        ];
        self.table(
            names,
            lines.map(|(words, values)| (self.say(words).to_owned(), values)).to_vec(),
        )
    }

    /// Lines of two values, those apart marked.
    fn table(&self, names: &[String; 2], lines: Vec<(String, [String; 2])>) -> String {
        let mut body = String::new();
        for (name, [one, other]) in lines {
            let class = if one == other { "" } else { " class=\"changed\"" };
            body += &format!(
                "<tr{class}><th scope=\"row\">{name}</th><td class=\"n\">{one}</td><td class=\"n\">{other}</td></tr>\n"
            );
        }
        format!(
            "<div class=\"wide\">\n<table class=\"compared\">\n<thead><tr><th></th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" class=\"n\">{}</th></tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>\n",
            names[0], names[1]
        )
    }

    fn column(&self, one: &ColumnNumbers, other: &ColumnNumbers, names: &[String; 2]) -> String {
        let two = [one, other];
        let said = |column: &ColumnNumbers| {
            format!("{}{}", badge(&column.kind), self.say(kind(&column.kind)))
        };
        let mut lines = vec![
            (self.say(words::TYPE).to_owned(), two.map(said)),
            (self.say(words::MISSING).to_owned(), two.map(|c| amounts::percent(c.missing_ratio))),
            (self.say(words::DISTINCT).to_owned(), two.map(|c| amounts::count(c.distinct))),
        ];
        if two.iter().any(|column| column.invalid > 0) {
            lines.push((
                self.say(words::INVALID).to_owned(),
                two.map(|c| amounts::count(c.invalid)),
            ));
        }
        type Of = fn(&ColumnNumbers) -> Option<f64>;
        let numbers: [(Words, Of); 5] = [
            (words::MEAN, |c| c.mean),
            (words::STD, |c| c.std),
            (words::MIN, |c| c.min),
            (words::MEDIAN, |c| c.median),
            (words::MAX, |c| c.max),
        ];
        for (words, of) in numbers {
            if two.iter().any(|column| of(column).is_some()) {
                let shown = |column: &ColumnNumbers| {
                    of(column).map(|value| column.plain(amounts::number(value))).unwrap_or_default()
                };
                lines.push((self.say(words).to_owned(), two.map(shown)));
            }
        }
        for (words, of) in [
            (words::FIRST, (|c| &c.first) as fn(&ColumnNumbers) -> &Option<String>),
            (words::LAST, |c| &c.last),
        ] {
            if two.iter().any(|column| of(column).is_some()) {
                let shown =
                    |c: &ColumnNumbers| of(c).as_deref().map(text::escape).unwrap_or_default();
                lines.push((self.say(words).to_owned(), two.map(shown)));
            }
        }
        lines.extend(self.top(two));
        format!(
            "<article class=\"card\">\n<div class=\"head\"><h3>{}</h3></div>\n{}{}</article>\n",
            text::titled(&one.name, NAME, 10_000),
            self.table(names, lines),
            self.drawn(two, names),
        )
    }

    /// How much of the cells the most frequent values of both take; not of numbers and texts that are
    /// all different.
    fn top(&self, two: [&ColumnNumbers; 2]) -> Vec<(String, [String; 2])> {
        let repeat = |c: &ColumnNumbers| c.histogram.is_none() && c.distinct * 2 <= c.count;
        if !two.iter().all(|column| repeat(column)) {
            return Vec::new();
        }
        let mut values: Vec<&Value> = Vec::new();
        for column in two {
            for (value, _) in column.top.iter().take(TOP) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        let line = |value: &Value| {
            let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let share = |column: &ColumnNumbers| {
                let found = column.top.iter().find(|(other, _)| other == value);
                // What is not among the ten most frequent is not known.
                found.map_or_else(
                    || "·".to_owned(),
                    |(_, count)| amounts::percent(amounts::ratio(*count, column.count)),
                )
            };
            (text::titled(&name, NAME, 1000), two.map(share))
        };
        values.into_iter().map(line).collect()
    }

    /// Both distributions on one scale.
    fn drawn(&self, two: [&ColumnNumbers; 2], names: &[String; 2]) -> String {
        let [Some(one), Some(other)] = two.map(|column| column.histogram.as_ref()) else {
            return String::new();
        };
        let edges = || one.edges.iter().chain(&other.edges).copied();
        let (least, most) =
            (edges().fold(f64::INFINITY, f64::min), edges().fold(f64::NEG_INFINITY, f64::max));
        if !(most > least) {
            return String::new();
        }
        let highest = [one, other].into_iter().flat_map(densities).fold(0.0, f64::max);
        let mut out = String::from("<div class=\"two\">\n");
        for (histogram, name) in [one, other].into_iter().zip(names) {
            let path = path(histogram, (least, most), highest);
            let (width, height) = SIZE;
            out += &format!(
                "<figure><svg class=\"shape\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" aria-hidden=\"true\"><path d=\"{path}\"/></svg><figcaption>{name}</figcaption></figure>\n"
            );
        }
        let ends = [least, most].map(|end| two[0].plain(amounts::number(end)));
        out + &format!("<p class=\"soft\">{} … {}</p>\n</div>\n", ends[0], ends[1])
    }
}

/// Of each bin, the part of the cells by its width.
fn densities(histogram: &Histogram) -> Vec<f64> {
    let all: u64 = histogram.counts.iter().sum();
    let bins = histogram.edges.windows(2).zip(&histogram.counts);
    let density = |(edges, count): (&[f64], &u64)| {
        amounts::ratio(*count, all) / (edges[1] - edges[0]).max(f64::MIN_POSITIVE)
    };
    bins.map(density).collect()
}

fn path(histogram: &Histogram, (least, most): (f64, f64), highest: f64) -> String {
    let (width, height) = SIZE;
    let place = |value: f64| (value - least) / (most - least) * width;
    let mut path = String::new();
    for (edges, density) in histogram.edges.windows(2).zip(densities(histogram)) {
        if density > 0.0 {
            let (left, high) = (place(edges[0]), (density / highest * height).max(0.5));
            let wide = (place(edges[1]) - left).max(0.4);
            path += &format!("M{left:.2} {height}v-{high:.2}h{wide:.2}v{high:.2}z");
        }
    }
    path
}
