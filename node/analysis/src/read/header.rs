//! Headers: how many lines a table has above its first row, and the names that they give.

mod lost;

use std::collections::HashSet;

use super::dialect::Dialect;
use super::layout::{COLUMNS, Row};
use super::sniff::common;
use super::{ReadOptions, number, time, word};
use crate::table::Note;

/// Rows that are compared with the first one.
const LOOKED_AT: usize = 100;
/// Rows whose widths are counted.
const WIDTHS: usize = 2000;
/// Characters of a name.
const NAME: usize = 200;
/// Lines of the longest header.
const LINES: usize = 5;
/// Rows that show what a column has below a header of several lines.
const SHOWN: usize = 3;

/// The names of the columns.
#[derive(Default)]
pub(super) struct Names {
    pub names: Vec<String>,
    /// Whether they stand in the file.
    pub header: bool,
    /// Records that they stand in.
    pub lines: usize,
    /// Every row ends with a delimiter that the header does not have.
    pub trailing: bool,
    pub notes: Vec<Note>,
}

/// The names that stand at the start of these rows, which begin with the header or the first row.
pub(super) fn names(rows: &[Row], options: &ReadOptions, dialect: &Dialect) -> Names {
    let lines = match (options.header_lines, options.header) {
        (Some(lines), _) => usize::try_from(lines).unwrap_or(usize::MAX).min(rows.len()),
        (None, Some(false)) => 0,
        (None, Some(true)) => lines(rows).max(1),
        (None, None) => lines(rows),
    };
    let (head, body) = rows.split_at(lines);
    let header = lines > 0;
    let first = body.first().map_or(0, |row| row.cells.len());
    let mut names = if header { joined(head) } else { vec![String::new(); first] };
    let mut notes = Vec::new();
    let trailing = fit(&mut names, body, (header, dialect), &mut notes);
    names.truncate(COLUMNS);
    let (names, renamed) = unique(names);
    if lines > 1 {
        notes.push(Note::HeaderLines(lines as u64));
    }
    if renamed > 0 && header {
        notes.push(Note::Renamed(renamed));
    }
    if !header {
        notes.push(Note::NoHeader);
    }
    if !dialect.found && names.len() == 1 {
        notes.push(Note::NoDelimiter);
    }
    Names { names, header, lines, trailing, notes }
}

/// Makes as many names as the rows have fields; says whether every row ends with a delimiter.
fn fit(
    names: &mut Vec<String>,
    body: &[Row],
    (header, dialect): (bool, &Dialect),
    notes: &mut Vec<Note>,
) -> bool {
    let widths: Vec<usize> = body.iter().take(WIDTHS).map(|row| row.cells.len()).collect();
    let width = common(&widths).min(COLUMNS);
    let agree = widths.iter().filter(|w| **w == width).count() * 10 >= widths.len() * 9;
    let empty = |column: usize| {
        move |row: &Row| row.cells.get(column).is_none_or(|cell| cell.trim().is_empty())
    };
    if width > names.len() && agree {
        let lost = (width == names.len() + 1 && header).then(|| lost::cut(names, body)).flatten();
        if let Some(cut) = lost {
            *names = cut;
            return false;
        }
        if width == names.len() + 1 && body.iter().all(empty(width - 1)) {
            return true;
        }
        if width == names.len() + 1 && header {
            // R leaves out the name of the first column, which names the rows.
            names.insert(0, String::new());
        } else {
            names.resize(width, String::new());
        }
    } else if header && width < names.len() && agree {
        // Delimiters too many in the header.
        let spare = names.iter().filter(|name| name.trim().is_empty()).count();
        if spare == names.len() - width {
            names.retain(|name| !name.trim().is_empty());
        }
    } else if header && dialect.delimiter != b' ' {
        // Some rows have more fields than there are names, and something is in them.
        let many = widths.len().div_ceil(10).max(3);
        let widest = widths.iter().copied().max().unwrap_or(0).min(COLUMNS);
        let good = || body.iter().filter(|row| !row.wrong);
        let used = |column: &usize| good().filter(|row| !empty(*column)(row)).count() >= many;
        if let Some(last) = (names.len()..widest).rev().find(used) {
            names.resize(last + 1, String::new());
        }
    }
    let last = names.len().saturating_sub(1);
    let unnamed = header && last > 1 && names[last].trim().is_empty();
    if unnamed
        && body.len() > 1
        && body.iter().all(|row| row.cells.len() == last + 1 && empty(last)(row))
    {
        names.pop();
        notes.push(Note::EmptyColumns(1));
        return true;
    }
    false
}

/// Lines of the header: none where the first row is like those below.
pub(super) fn lines(rows: &[Row]) -> usize {
    let Some(first) = rows.first() else { return 0 };
    let width = first.cells.len();
    // What is below the longest header shows what the columns have.
    let below = rows.len().saturating_sub(SHOWN).min(LINES);
    let typed = typed_columns(rows[below..].iter().take(LOOKED_AT), width);
    let many = typed.iter().filter(|typed| **typed).count();
    let named = |row: &Row| {
        let like = is_like(row, &typed);
        // Units stand above numbers, and nothing above the other columns.
        let full = row.cells.len() == width;
        let units = full && like.named > 0 && row.filled() == like.named;
        like.values == 0 && (like.named * 2 > many || units)
    };
    let more = |from: usize| match many {
        0 | 1 => 0,
        _ => rows[from..below.max(from)].iter().take_while(|row| named(row)).count(),
    };
    let spans = is_span(rows, width) || is_years(first);
    if spans && many > 1 && rows.get(1).is_some_and(named) {
        return (2 + more(2)).min(LINES);
    }
    if !has_header(rows) {
        return 0;
    }
    (1 + more(1)).min(LINES)
}

/// Whether the first row has names that are meant for several columns: gaps after them, and a
/// fuller row below.
fn is_span(rows: &[Row], width: usize) -> bool {
    let [first, second, ..] = rows else { return false };
    let filled = first.filled();
    let gaps =
        first.cells.windows(2).any(|pair| !pair[0].trim().is_empty() && pair[1].trim().is_empty());
    width > 2 && second.cells.len() == width && filled > 0 && gaps && second.filled() > filled
}

/// Whether all numbers of a row are years.
fn is_years(row: &Row) -> bool {
    let year = |cell: &String| {
        cell.trim().len() == 4
            && cell.trim().parse::<u32>().is_ok_and(|y| (1800..2200).contains(&y))
    };
    let mut numbers = row.cells.iter().filter(|cell| is_value(cell)).peekable();
    numbers.peek().is_some() && numbers.all(year)
}

/// How a row compares with columns of numbers and times.
pub(super) struct Like {
    /// Cells of such columns that are names.
    pub named: usize,
    /// Those that are numbers or times.
    pub values: usize,
}

/// Compares a row with columns of numbers and times.
pub(super) fn is_like(row: &Row, typed: &[bool]) -> Like {
    let cells = row.cells.iter().zip(typed).filter(|(cell, typed)| **typed && !word::missing(cell));
    let values = cells.clone().filter(|(cell, _)| is_value(cell)).count();
    Like { named: cells.count() - values, values }
}

/// Which columns of these rows have numbers or times.
pub(super) fn typed_columns<'a>(
    rows: impl Iterator<Item = &'a Row> + Clone,
    width: usize,
) -> Vec<bool> {
    let typed = |column: usize| {
        let cells = rows.clone().filter_map(|row| row.cells.get(column));
        let there: Vec<&String> = cells.filter(|cell| !word::missing(cell)).collect();
        let values = there.iter().filter(|cell| is_value(cell)).count();
        values > 0 && values * 10 >= there.len() * 9
    };
    (0..width).map(typed).collect()
}

/// Whether a cell is a number, a day or a time.
pub(super) fn is_value(cell: &str) -> bool {
    number::looks(cell)
        || time::parse(cell, false).or(time::parse(cell, true)).is_some()
        || time::is_clock(cell)
}

/// The names of a header of these lines, those of a column one after the other.
fn joined(head: &[Row]) -> Vec<String> {
    let width = head.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let mut names = vec![String::new(); width];
    for (line, row) in head.iter().enumerate() {
        // What stands above several columns is a part of all their names.
        let spans = line + 1 < head.len() && row.filled() < width;
        let below = |column: usize| {
            head[line + 1..]
                .iter()
                .any(|row| row.cells.get(column).is_some_and(|cell| !cell.trim().is_empty()))
        };
        let mut above = "";
        for (column, name) in names.iter_mut().enumerate() {
            let cell = row.cells.get(column).map_or("", |cell| cell.trim());
            let cell = if row.wrong { stray(cell) } else { cell };
            above = if !cell.is_empty() || !spans { cell } else { above };
            let part = if cell.is_empty() && !below(column) { "" } else { above };
            // A cell over several lines is one name.
            if name == part {
                continue;
            }
            if !name.is_empty() && !part.is_empty() {
                name.push(' ');
            }
            name.push_str(part);
        }
    }
    names
}

/// A name without the quotes around it where one of them is too many.
fn stray(name: &str) -> &str {
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

/// Whether the first row names columns: not when it has numbers or dates wherever the rows
/// below have them.
pub(super) fn has_header(rows: &[Row]) -> bool {
    let Some((first, below)) = rows.split_first() else { return true };
    let first = &first.cells;
    if below.is_empty() {
        return !first.iter().any(|cell| is_value(cell));
    }
    if years_across(first, below) {
        return true;
    }
    let mut evidence = false;
    for (column, cell) in first.iter().enumerate() {
        let others = || below.iter().take(LOOKED_AT).filter_map(|row| row.cells.get(column));
        let there = others().filter(|c| !word::missing(c)).count();
        let fits = others().filter(|c| is_value(c)).count();
        if there == 0 || word::missing(cell) {
            continue;
        }
        // A month above numbers, such as `2020-01`, names its column.
        let numbers = || others().filter(|c| number::looks(c)).count();
        if !number::looks(cell) && is_value(cell) && numbers() * 4 > there * 3 {
            return true;
        }
        if fits * 4 > there * 3 {
            if !is_value(cell) {
                return true;
            }
            evidence = true;
        }
    }
    !evidence && !is_like_below(first, below)
}

/// Whether the first row of texts looks like one of those below: it has a text that comes again in
/// its column, or codes as they have. A whole row that comes again may be a header, though.
fn is_like_below(first: &[String], below: &[Row]) -> bool {
    let rows = || below.iter().take(LOOKED_AT).filter(|row| row.cells != first);
    let text = |cell: &&String| !word::missing(cell);
    first.iter().enumerate().filter(|(_, cell)| text(cell)).any(|(column, cell)| {
        let cells = || rows().filter_map(|row| row.cells.get(column)).filter(text);
        let again = cells().any(|other| other == cell);
        let coded = |cell: &str| cell.contains(|c: char| c.is_ascii_digit()) && !cell.contains(' ');
        let same = || cells().filter(|other| coded(other) && same_form(other, cell)).count();
        again || (coded(cell) && cells().count() > 1 && same() * 10 >= cells().count() * 9)
    })
}

/// Whether two codes have letters, digits and signs at the same places.
fn same_form(one: &str, other: &str) -> bool {
    let form = |c: char| match c {
        '0'..='9' => '9',
        c if c.is_alphabetic() => 'a',
        c => c,
    };
    one.chars().map(form).eq(other.chars().map(form))
}

/// Whether the first row has years for names: two different ones at least, in any order, above
/// cells that are mostly no years, or a row of years one after the other above anything.
fn years_across(first: &[String], below: &[Row]) -> bool {
    let year = |cell: &String| {
        let cell = cell.trim();
        let year = cell.parse::<i64>().ok().filter(|year| (1800..2200).contains(year));
        year.filter(|_| cell.len() == 4)
    };
    let years: Vec<(usize, i64)> =
        first.iter().enumerate().filter_map(|(column, cell)| Some((column, year(cell)?))).collect();
    let different: HashSet<i64> = years.iter().map(|(_, year)| *year).collect();
    // A number among them that is no year makes the row one of data.
    let others = first.iter().any(|cell| number::looks(cell) && year(cell).is_none());
    if years.len() < 2 || different.len() < years.len() || others {
        return false;
    }
    let cells = || {
        let rows = below.iter().take(LOOKED_AT);
        rows.flat_map(|row| years.iter().filter_map(move |(column, _)| row.cells.get(*column)))
            .filter(|cell| !word::missing(cell))
    };
    let (all, same) = (cells().count(), cells().filter(|cell| year(cell).is_some()).count());
    let steps = years.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1);
    same * 2 < all || (years.len() > 2 && steps)
}

/// Names that are all different and none empty, and how many were changed.
pub(super) fn unique(names: Vec<String>) -> (Vec<String>, u64) {
    let mut renamed = 0;
    let mut taken: HashSet<String> = HashSet::new();
    let wanted: HashSet<String> = names.iter().map(|name| clean(name)).collect();
    let mut counts = std::collections::HashMap::new();
    let mut made = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let base = clean(name);
        let base = if base.is_empty() { format!("column {}", index + 1) } else { base };
        let mut unique = base.clone();
        if clean(name).is_empty() || taken.contains(&unique) {
            renamed += 1;
            let count = counts.entry(base.clone()).or_insert(1_u64);
            while taken.contains(&unique) || (wanted.contains(&unique) && unique != base) {
                *count += 1;
                unique = format!("{base} ({count})");
            }
        }
        taken.insert(unique.clone());
        made.push(unique);
    }
    (made, renamed)
}

/// A name in one line, without white space around it.
fn clean(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let one_line =
        if name.contains(['\n', '\r', '\t']) { words.join(" ") } else { name.trim().into() };
    one_line.chars().take(NAME).collect()
}
