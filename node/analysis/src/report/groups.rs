//! Number columns by the values of another column: a table each, with a box for the eyes.

use super::words;
use super::{Page, amounts, text};
use crate::numbers::{Group, GroupNumbers, Groups};

/// Number columns that are shown.
const COLUMNS: usize = 40;
/// Characters of a value.
const VALUE: usize = 40;
/// Width of the boxes.
const WIDE: f64 = 220.0;

pub(super) fn tables(page: &Page) -> String {
    let Some(groups) = &page.numbers.groups else { return String::new() };
    let intro = words::GROUPS_INTRO.with(page.lang, &[&page.link(&groups.column)]);
    let count = groups.groups.first().map_or(0, |group| group.columns.len());
    let tables: String = (0..count.min(COLUMNS)).map(|at| table(page, groups, at)).collect();
    format!("<p class=\"hint\">{intro}</p>\n{tables}")
}

fn table(page: &Page, groups: &Groups, at: usize) -> String {
    let columns = || groups.groups.iter().filter_map(|group| group.columns.get(at));
    let least = columns().filter_map(|column| column.min).fold(f64::INFINITY, f64::min);
    let most = columns().filter_map(|column| column.max).fold(f64::NEG_INFINITY, f64::max);
    let heads: String = [words::VALUES, words::MEAN, words::STD, words::MEDIAN]
        .map(|head| format!("<th scope=\"col\" class=\"n\">{}</th>", page.say(head)))
        .concat();
    let ends = format!("{} … {}", amounts::number(least), amounts::number(most));
    let last = groups.groups.len() - 1;
    let lines: String = groups
        .groups
        .iter()
        .enumerate()
        .map(|(place, group)| {
            let rest = (place == last).then_some(groups.others).filter(|others| *others > 0);
            line(page, group, &group.columns[at], (least, most), rest)
        })
        .collect();
    let name = columns().next().map(|column| page.link(&column.name)).unwrap_or_default();
    format!(
        "<h3>{name}</h3>\n<div class=\"wide\">\n<table class=\"groups\">\n<thead><tr><th scope=\"col\">{}</th>{heads}<th scope=\"col\">{ends}</th></tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n",
        page.name(page.places.get(groups.column.as_str()).copied().unwrap_or(usize::MAX)),
    )
}

fn line(
    page: &Page,
    group: &Group,
    column: &GroupNumbers,
    ends: (f64, f64),
    others: Option<u64>,
) -> String {
    let label = match (&group.value, others) {
        (_, Some(others)) => words::OTHER_VALUES.with(page.lang, &[&amounts::count(others)]),
        (Some(value), None) => text::titled(value, VALUE, 1000),
        (None, None) => format!("<i>{}</i>", page.say(words::MISSING)),
    };
    let number = |value: Option<f64>| {
        format!("<td class=\"n\">{}</td>", value.map(amounts::number).unwrap_or_default())
    };
    let numbers = [column.mean, column.std, column.median].map(number).concat();
    format!(
        "<tr><th scope=\"row\">{label}</th><td class=\"n\">{}</td>{numbers}<td>{}</td></tr>\n",
        amounts::count(column.count),
        drawn(column, ends),
    )
}

/// From the smallest to the largest, the middle half wide, the median a line.
fn drawn(column: &GroupNumbers, (least, most): (f64, f64)) -> String {
    let (Some(min), Some(q25), Some(median), Some(q75), Some(max)) =
        (column.min, column.q25, column.median, column.q75, column.max)
    else {
        return String::new();
    };
    let span = most - least;
    let place =
        |value: f64| if span > 0.0 { (value - least) / span * WIDE + 2.0 } else { WIDE / 2.0 };
    let [min, q25, median, q75, max] = [min, q25, median, q75, max].map(place);
    format!(
        "<svg class=\"spread\" viewBox=\"0 0 {w} 20\" width=\"{w}\" height=\"20\" aria-hidden=\"true\"><path d=\"M{min:.1} 10H{max:.1}\"/><rect x=\"{q25:.1}\" y=\"4\" width=\"{wide:.1}\" height=\"12\" rx=\"2\"/><path class=\"middle\" d=\"M{median:.1} 3V17\"/></svg>",
        w = WIDE + 4.0,
        wide = (q75 - q25).max(1.0),
    )
}
