//! Filling: the records of one chunk become cells of columns.

use super::column::{Tally, Words};
use super::encoding::Shape;
use super::infer::{ColumnPlan, Plan};
use super::multiset::Multiset;
use super::number::{self, Number};
use super::records::{FIELD, Sink};
use super::rows::{Hash, Keys};
use super::{time, word};
use crate::table::BadRow;

/// Bad rows that are listed.
const LISTED: usize = 20;

/// What one thread gathers over all its chunks.
#[derive(Default)]
pub(super) struct Worker {
    pub sets: Vec<Multiset>,
    pub tallies: Vec<Tally>,
    /// The first ones, with their chunk.
    pub bad: Vec<(u64, BadRow)>,
    pub bad_count: u64,
    pub cut_fields: u64,
    pub undecodable: u64,
    /// How far the text looks like UTF-8, when that was guessed.
    pub shape: Shape,
    /// Rows of the chunk before: the next one has about as many.
    pub rows: usize,
}

impl Worker {
    pub fn new(columns: usize) -> Self {
        Self {
            sets: (0..columns).map(|_| Multiset::default()).collect(),
            tallies: vec![Tally::default(); columns],
            ..Self::default()
        }
    }
}

/// Takes the records of one chunk.
pub(super) struct Filler<'a> {
    pub plans: &'a [ColumnPlan],
    pub worker: &'a mut Worker,
    pub keys: Keys,
    /// Number of the chunk.
    pub index: u64,
    /// A last field without a value is no field.
    pub trailing: bool,
    pub words: Vec<Words>,
    pub hashes: Vec<u128>,
    pub row: Hash,
    pub spare: bool,
}

impl<'a> Filler<'a> {
    pub fn new(
        plans: &'a [ColumnPlan],
        worker: &'a mut Worker,
        keys: Keys,
        index: u64,
        trailing: bool,
    ) -> Self {
        // A little more than before, so that hardly any chunk has to grow it.
        let room = worker.rows + worker.rows / 32;
        let words = plans.iter().map(|p| Words::new(if p.by_row() { room } else { 0 })).collect();
        let row = keys.start();
        let hashes = Vec::with_capacity(room);
        Self { plans, worker, keys, index, trailing, words, hashes, row, spare: true }
    }

    fn missing(&mut self, column: usize) {
        self.worker.tallies[column].missing += 1;
        self.row = self.keys.with_missing(self.row);
        if self.by_row(column) {
            self.words[column].push_none();
        }
    }

    fn by_row(&self, column: usize) -> bool {
        self.plans[column].by_row()
    }

    fn text(&mut self, column: usize, text: &str) {
        let hash = self.keys.text(text);
        self.row = self.keys.with_text(self.row, hash);
        let place = self.index << 32 | self.hashes.len() as u64;
        self.worker.sets[column].add(hash.short(), text, place);
    }

    fn invalid(&mut self, column: usize, text: &str) {
        self.worker.tallies[column].invalid += 1;
        self.text(column, text);
        if self.by_row(column) {
            self.words[column].push_none();
        }
    }

    fn number(&mut self, column: usize, text: &str, decimal: u8) {
        let plain = number::plain(text.as_bytes(), decimal);
        if plain.is_none() && word::missing(text) {
            return self.missing(column);
        }
        let Some(written) = plain.or_else(|| number::parse(text, decimal)) else {
            let other = if decimal == b'.' { b',' } else { b'.' };
            if number::parse(text, other).is_some() {
                self.worker.tallies[column].other += 1;
            }
            return self.invalid(column, text);
        };
        self.worker.tallies[column].number(&written);
        let number = match written.number {
            // Minus zero equals zero, and NaN cannot be.
            Number::Real(number) => Number::Real(number + 0.0),
            whole => whole,
        };
        self.row = self.keys.with_number(self.row, number);
        self.words[column].push(number);
    }

    fn time(&mut self, column: usize, text: &str, day_first: bool, compact: bool) {
        let short = if compact { time::compact(text) } else { None };
        let Some(time) = short.or_else(|| time::parse(text, day_first)) else {
            if word::missing(text) {
                return self.missing(column);
            }
            if time::parse(text, !day_first).is_some() {
                self.worker.tallies[column].other += 1;
            }
            return self.invalid(column, text);
        };
        self.worker.tallies[column].time(time);
        let hash = self.keys.text(text);
        self.row = self.keys.with_text(self.row, hash);
        self.words[column].push_time(time);
    }
}

impl Sink for Filler<'_> {
    fn field(&mut self, column: usize, text: &str) {
        let Some(plan) = self.plans.get(column) else {
            self.spare &= text.is_empty();
            return;
        };
        let text = if text.len() > FIELD {
            self.worker.cut_fields += 1;
            &text[..text.floor_char_boundary(FIELD)]
        } else {
            text
        };
        match plan.plan {
            _ if text.is_empty() => self.missing(column),
            Plan::Number { decimal } => self.number(column, text, decimal),
            Plan::Time { day_first, compact } => self.time(column, text, day_first, compact),
            _ if word::missing(text) => self.missing(column),
            Plan::Text => {
                let first = text.as_bytes().first().copied().unwrap_or_default();
                self.worker.tallies[column].hints += u64::from(hints(first));
                self.text(column, text);
            }
            Plan::Boolean { pair } => {
                match word::truth(text, pair) {
                    Some(_) => self.worker.tallies[column].valid += 1,
                    None => self.worker.tallies[column].invalid += 1,
                }
                self.text(column, text);
            }
        }
    }

    fn end(&mut self, fields: usize, line: u64) -> bool {
        let expected = self.plans.len();
        for column in fields..expected {
            self.missing(column);
        }
        let spare = self.trailing && fields == expected + 1 && self.spare;
        if fields != expected && !spare {
            let worker = &mut *self.worker;
            worker.bad_count += 1;
            let listed = worker.bad.iter().filter(|(index, _)| *index <= self.index).count();
            if listed < LISTED {
                worker.bad.push((self.index, BadRow { line, fields, expected }));
            }
        }
        self.hashes.push(self.row.long());
        self.row = self.keys.start();
        self.spare = true;
        true
    }
}

/// Whether a number or a day may begin so: cheap, since every text is asked.
pub(super) fn hints(first: u8) -> bool {
    const BEGINS: [bool; 256] = {
        let mut begins = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            // The last ones begin the signs of currencies.
            begins[byte] = matches!(
                byte as u8,
                b'0'..=b'9' | b'-' | b'+' | b'.' | b'(' | b'$' | b' ' | 0xc2 | 0xe2 | 0xef
            );
            byte += 1;
        }
        begins
    };
    BEGINS[usize::from(first)]
}

/// The first bad rows of all threads, with their lines in the file.
pub(super) fn first_bad(workers: &mut [Worker], first_line: impl Fn(u64) -> u64) -> Vec<BadRow> {
    let mut bad: Vec<_> = workers.iter_mut().flat_map(|w| std::mem::take(&mut w.bad)).collect();
    bad.sort_by_key(|(index, row)| (*index, row.line));
    bad.truncate(LISTED);
    for (index, row) in &mut bad {
        row.line += first_line(*index);
    }
    bad.into_iter().map(|(_, row)| row).collect()
}
