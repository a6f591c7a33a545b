//! A header that has one name too few, because a delimiter between two of them was lost: the names
//! are cut where they fit the columns best.

use super::super::{number, time, word};
use super::Row;

/// Rows that say what a column has.
const ROWS: usize = 100;

/// What a column has, or what its name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Day,
    Clock,
    Number,
    Money,
    Code,
    Address,
    Text,
}

/// Words that promise something, in lower case.
const WORDS: &[(&str, Kind)] = &[
    ("date", Kind::Day),
    ("day", Kind::Day),
    ("日期", Kind::Day),
    ("time", Kind::Clock),
    ("hour", Kind::Clock),
    ("时间", Kind::Clock),
    ("qty", Kind::Number),
    ("quantity", Kind::Number),
    ("count", Kind::Number),
    ("number", Kind::Number),
    ("amount", Kind::Number),
    ("total", Kind::Number),
    ("age", Kind::Number),
    ("year", Kind::Number),
    ("数量", Kind::Number),
    ("price", Kind::Money),
    ("cost", Kind::Money),
    ("金额", Kind::Money),
    ("id", Kind::Code),
    ("code", Kind::Code),
    ("编号", Kind::Code),
    ("url", Kind::Address),
    ("link", Kind::Address),
    ("email", Kind::Address),
    ("name", Kind::Text),
    ("type", Kind::Text),
    ("title", Kind::Text),
    ("description", Kind::Text),
    ("comment", Kind::Text),
    ("comments", Kind::Text),
    ("remark", Kind::Text),
    ("city", Kind::Text),
    ("country", Kind::Text),
    ("名称", Kind::Text),
    ("备注", Kind::Text),
];

/// As many names as columns, where one way to cut a name fits the columns better than all others,
/// and better than a first or last column without a name.
pub(super) fn cut(names: &[String], body: &[Row]) -> Option<Vec<String>> {
    let kinds: Vec<Option<Kind>> = (0..=names.len()).map(|column| kind(body, column)).collect();
    let unnamed: Vec<String> = [String::new()].into_iter().chain(names.iter().cloned()).collect();
    let mut best = (fit(&unnamed, &kinds).max(fit(names, &kinds)), None);
    for (at, name) in names.iter().enumerate() {
        for place in places(name) {
            let mut cut = names.to_vec();
            let quotes = |name: &str| name.trim_matches('"').to_owned();
            cut[at] = quotes(&name[..place]);
            cut.insert(at + 1, quotes(&name[place..]));
            let fit = fit(&cut, &kinds);
            if fit > best.0 {
                best = (fit, Some(cut));
            }
        }
    }
    best.1
}

/// Where a name may be cut: before a capital, around a quote, between two words that are known.
fn places(name: &str) -> Vec<usize> {
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    let place = |at: usize| {
        let (place, char) = chars[at];
        let before = chars[at - 1].1;
        let next = chars.get(at + 1).map(|(_, char)| *char);
        let capital =
            char.is_uppercase() && (!before.is_uppercase() || next.is_some_and(char::is_lowercase));
        let quote = before == '"' || char == '"';
        let (one, other) = name.split_at(place);
        let known = promise(one).is_some_and(|(_, whole)| whole)
            && promise(other).is_some_and(|(_, whole)| whole);
        (capital || quote || known).then_some(place)
    };
    (1..chars.len()).filter_map(place).collect()
}

/// How well names fit columns: the more, the better.
fn fit(names: &[String], kinds: &[Option<Kind>]) -> i32 {
    let one = |(name, kind): (&String, &Option<Kind>)| match (promise(name), kind) {
        (Some((promised, _)), Some(kind)) if promised == *kind => 2,
        (Some((Kind::Number, _)), Some(Kind::Money))
        | (Some((Kind::Money, _)), Some(Kind::Number)) => 1,
        (Some((Kind::Text, _)), Some(Kind::Code | Kind::Address)) => 0,
        (Some(_), Some(_)) => -2,
        _ => 0,
    };
    names.iter().zip(kinds).map(one).sum()
}

/// What the last word of a name promises, and whether the name is that word.
fn promise(name: &str) -> Option<(Kind, bool)> {
    let lower = name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let ends = WORDS.iter().filter(|(word, _)| lower.ends_with(word));
    let (word, kind) = ends.max_by_key(|(word, _)| word.len())?;
    Some((*kind, word.len() == lower.len()))
}

/// What a column has in most of its rows.
fn kind(body: &[Row], column: usize) -> Option<Kind> {
    let cells = body.iter().take(ROWS).filter_map(|row| row.cells.get(column));
    let kinds: Vec<Kind> = cells.filter(|cell| !word::missing(cell)).map(|cell| of(cell)).collect();
    let most =
        kinds.iter().max_by_key(|kind| kinds.iter().filter(|other| other == kind).count())?;
    let count = kinds.iter().filter(|kind| *kind == most).count();
    (count * 10 >= kinds.len() * 8).then_some(*most)
}

fn of(cell: &str) -> Kind {
    if number::plain(cell.as_bytes(), b'.').is_some() {
        Kind::Number
    } else if number::looks(cell) {
        Kind::Money
    } else if time::is_clock(cell) {
        Kind::Clock
    } else if time::parse(cell, true).or(time::parse(cell, false)).is_some() {
        Kind::Day
    } else if cell.contains("://") || (cell.contains('@') && !cell.contains(' ')) {
        Kind::Address
    } else if !cell.contains(' ') && cell.contains(|c: char| c.is_ascii_digit()) {
        Kind::Code
    } else {
        Kind::Text
    }
}
