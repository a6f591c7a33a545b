//! What the cells of a column look like.

use std::collections::HashMap;

use super::super::{number, word};

/// Rows from which they can be learnt.
const ROWS: usize = 8;
/// Characters of the longest cell that has a pattern.
const LONG: usize = 80;
/// Different patterns of a column of one kind, at most; of many cells one in so many.
const PATTERNS: usize = 3;
const SHARE: usize = 20;
/// Different exact patterns that are kept.
const EXACT: usize = 500;

/// What a cell costs that its column never has.
const NEVER: f32 = 100.0;
/// A missing cell in a column that has a value everywhere.
const MISSING: f32 = 1.5;
/// A value in a column that has none anywhere.
const UNEXPECTED: f32 = 2.5;
/// Quotes where the column has none, or none where all have them.
const QUOTES: f32 = 0.3;
/// Words of another form than most.
const WORDED: f32 = 0.6;
/// The same kind, in another length.
const LENGTH: f32 = 0.1;

/// Of all columns.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Guards(Vec<Guard>);

#[derive(Debug, Clone, Default)]
struct Guard {
    /// Patterns with the length of every run, and without.
    exact: HashMap<String, usize>,
    loose: HashMap<String, usize>,
    all: usize,
    missing: usize,
    quoted: usize,
    /// Whether the cells are of one kind; else they are texts.
    typed: bool,
    /// Whether that kind has words, so that a cell may have others.
    worded: bool,
}

impl Guards {
    /// What rows of the right width show, each with whether its cells stood in quotes. Too few rows
    /// show nothing: then there are no columns.
    pub fn of<'a>(rows: impl Iterator<Item = (&'a [String], &'a [bool])>, width: usize) -> Self {
        let mut guards = vec![Guard::default(); width];
        for (cells, quoted) in rows {
            for (column, guard) in guards.iter_mut().enumerate() {
                let cell = cells.get(column).map_or("", String::as_str);
                guard.add(cell, quoted.get(column).copied().unwrap_or(false));
            }
        }
        if guards.first().is_none_or(|guard| guard.all < ROWS) {
            return Self::default();
        }
        guards.iter_mut().for_each(Guard::settle);
        Self(guards)
    }

    /// What rows show that have a column of texts with delimiters in them: the columns before it
    /// by their place from the left, those after it by their place from the right. `None` where
    /// there is not exactly one such column.
    pub fn of_ragged(rows: &[Vec<String>], width: usize) -> Option<Self> {
        let side = |right: bool| -> Vec<Guard> {
            let place = |column: usize, row: &Vec<String>| match right {
                false => row.get(column).cloned(),
                true => row.len().checked_sub(width - column).and_then(|at| row.get(at).cloned()),
            };
            let guard = |column: usize| {
                let mut guard = Guard::default();
                let cells = rows.iter().filter_map(|row| place(column, row));
                cells.for_each(|cell| guard.add(&cell, false));
                guard.settle();
                guard
            };
            (0..width).map(guard).collect()
        };
        let (left, right) = (side(false), side(true));
        let known = |guard: &Guard| guard.typed || guard.missing == guard.all;
        let before = left.iter().take_while(|guard| known(guard)).count();
        // The columns at the end may be texts, too, that have quotes where they need them.
        let even = |column: usize| {
            let same = |row: &Vec<String>| row.len().checked_sub(width - column).is_some();
            rows.iter().all(same)
        };
        let after = right.iter().rev().take_while(|guard| known(guard)).count();
        if before + after + 1 < width || rows.len() < ROWS || !even(before) {
            return None;
        }
        let mut guards = left;
        let from = (before + 1).min(width);
        guards[from..].clone_from_slice(&right[from..]);
        if let Some(text) = guards.get_mut(before) {
            *text = Guard { all: rows.len(), ..Guard::default() };
        }
        Some(Self(guards))
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the cells of a column are of one kind.
    pub fn typed(&self, column: usize) -> bool {
        self.0.get(column).is_some_and(|guard| guard.typed)
    }

    /// What it costs to believe that a cell is of a column: nothing where it looks like the
    /// others; [`never`] tells what is not believed at all.
    pub fn cost(&self, column: usize, cell: &str, quoted: bool) -> f32 {
        let Some(guard) = self.0.get(column) else { return NEVER };
        if word::missing(cell) {
            return match guard.missing {
                0 if guard.typed => NEVER,
                0 => MISSING,
                _ => 0.0,
            };
        }
        let there = guard.all - guard.missing;
        if there == 0 {
            return UNEXPECTED;
        }
        let quotes =
            if quoted { guard.quoted * 50 < there } else { guard.quoted * 20 >= there * 19 };
        let quotes = if quotes && guard.quoted > 0 { QUOTES } else { 0.0 };
        if !guard.typed {
            return quotes;
        }
        let (exact, loose) = patterns(cell);
        if guard.exact.contains_key(&exact) {
            quotes
        } else if guard.loose.contains_key(&loose) {
            quotes + LENGTH
        } else if guard.worded {
            quotes + WORDED
        } else {
            NEVER
        }
    }
}

/// Whether a cost says that a cell is not believed.
pub(super) fn never(cost: f32) -> bool {
    cost >= NEVER
}

impl Guard {
    fn add(&mut self, cell: &str, quoted: bool) {
        self.all += 1;
        if word::missing(cell) {
            self.missing += 1;
            return;
        }
        self.quoted += usize::from(quoted);
        let (exact, loose) = patterns(cell);
        for (kept, pattern) in [(&mut self.exact, exact), (&mut self.loose, loose)] {
            if kept.len() < EXACT || kept.contains_key(&pattern) {
                *kept.entry(pattern).or_default() += 1;
            }
        }
    }

    /// Says whether the cells are of one kind, and forgets what only a few of them look like.
    fn settle(&mut self) {
        let there = self.all - self.missing;
        let mut counts: Vec<usize> = self.loose.values().copied().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let most: usize = counts.iter().take(PATTERNS).sum();
        self.typed = there >= ROWS / 2 && most * SHARE >= there * (SHARE - 1);
        self.worded = self.loose.keys().any(|form| form.contains(' ') && form.contains(['a', 'x']));
        if !self.typed {
            self.exact.clear();
            self.loose.clear();
        }
    }
}

/// What a cell looks like: every letter and digit as one of its kind, with the length of every run
/// of them and without.
fn patterns(cell: &str) -> (String, String) {
    let cell = cell.trim();
    if cell.chars().nth(LONG).is_some() {
        return ("…".to_owned(), "…".to_owned());
    }
    let class = |char: char| match char {
        '0'..='9' => '9',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        char if char.is_alphabetic() => 'x',
        char => char,
    };
    let exact: String = cell.chars().map(class).collect();
    if number::looks(cell) {
        // Whatever its length and decimals, with its currency or percent.
        let start = exact.find('9').unwrap_or(0);
        let end = exact.rfind('9').map_or(exact.len(), |at| at + 1);
        let loose = format!(
            "{}#{}",
            exact[..start].trim_start_matches(['-', '+', '(']),
            exact[end..].trim_end_matches(['-', ')'])
        );
        return (exact, loose);
    }
    let mut loose = String::with_capacity(exact.len());
    for char in exact.chars() {
        if !(matches!(char, '9' | 'a' | 'A' | 'x') && loose.ends_with(char)) {
            loose.push(char);
        }
    }
    (exact, loose)
}
