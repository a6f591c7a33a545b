//! Filling: the records of one chunk become cells of columns.

use super::column::{Tally, Words};
use super::encoding::Shape;
use super::infer::{ColumnPlan, Plan};
use super::mend::Mender;
use super::multiset::Multiset;
use super::number::{self, Number};
use super::pass::Setting;
use super::records::{FIELD, Record, Sink};
use super::rows::{Hash, Keys};
use super::{time, word};
use crate::table::{BadRow, MendedRow};

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
    /// Those that were put right.
    pub mended: Vec<(u64, MendedRow)>,
    pub mended_count: u64,
    pub empty_rows: u64,
    pub comments: u64,
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
    trailing: bool,
    /// A blank row is a row.
    plain: bool,
    mender: Mender<'a>,
    pub words: Vec<Words>,
    pub hashes: Vec<u128>,
    row: Hash,
}

impl<'a> Filler<'a> {
    pub fn new(setting: &Setting<'a>, worker: &'a mut Worker, keys: Keys, index: u64) -> Self {
        let Setting { plans, layout, dialect, .. } = *setting;
        // A little more than before, so that hardly any chunk has to grow it.
        let room = worker.rows + worker.rows / 32;
        let words = plans.iter().map(|p| Words::new(if p.by_row() { room } else { 0 })).collect();
        let row = keys.start();
        let hashes = Vec::with_capacity(room);
        let (trailing, mender) = (layout.trailing, Mender::new(&layout.guards, *dialect));
        let plain = layout.plain;
        Self { plans, worker, keys, index, trailing, plain, mender, words, hashes, row }
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

    fn number(&mut self, column: usize, text: &str, decimal: u8, dashes: bool) {
        let plain = number::plain(text.as_bytes(), decimal);
        let none = || word::missing(text) || word::none(text) || (dashes && word::dash(text));
        if plain.is_none() && none() {
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
            if word::missing(text) || word::dash(text) || word::none(text) {
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
        self.words[column].push_micros(time.micros);
    }

    fn clock(&mut self, column: usize, text: &str) {
        let Some(micros) = time::elapsed(text) else {
            if word::missing(text) || word::dash(text) || word::none(text) {
                return self.missing(column);
            }
            return self.invalid(column, text);
        };
        self.worker.tallies[column].elapsed(micros);
        let hash = self.keys.text(text);
        self.row = self.keys.with_text(self.row, hash);
        self.words[column].push_micros(micros);
    }

    fn cell(&mut self, column: usize, text: &str) {
        let text = if text.len() > FIELD {
            self.worker.cut_fields += 1;
            &text[..text.floor_char_boundary(FIELD)]
        } else {
            text
        };
        match self.plans[column].plan {
            _ if text.is_empty() => self.missing(column),
            Plan::Number { decimal, dashes } => self.number(column, text, decimal, dashes),
            Plan::Time { day_first, compact } => self.time(column, text, day_first, compact),
            Plan::Clock => self.clock(column, text),
            _ if word::missing(text) => self.missing(column),
            Plan::Text if word::none(text) => self.missing(column),
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

    /// A record that is not as it should be: put right, or kept and counted.
    fn bad(&mut self, record: &Record) {
        let expected = self.plans.len();
        if let Some(mended) = self.mender.mend(record) {
            for (column, cell) in mended.cells.iter().enumerate() {
                self.cell(column, cell.bare.as_deref().unwrap_or(&cell.text));
            }
            let worker = &mut *self.worker;
            worker.mended_count += 1;
            if listed(&worker.mended, self.index) {
                let row = MendedRow { line: record.line, how: mended.how };
                worker.mended.push((self.index, row));
            }
            return;
        }
        self.kept(record);
        let fields = record.len();
        if fields != expected {
            let worker = &mut *self.worker;
            worker.bad_count += 1;
            if listed(&worker.bad, self.index) {
                worker.bad.push((self.index, BadRow { line: record.line, fields, expected }));
            }
        }
    }

    /// The cells as they stand: what is missing at the end is missing, what is more is left out.
    fn kept(&mut self, record: &Record) {
        let expected = self.plans.len();
        for (column, text) in record.fields().take(expected).enumerate() {
            self.cell(column, text);
        }
        for column in record.len()..expected {
            self.missing(column);
        }
    }
}

impl Sink for Filler<'_> {
    fn record(&mut self, record: &Record) -> bool {
        let (fields, expected) = (record.len(), self.plans.len());
        let blank = record.field(0).bytes().next().is_none_or(|byte| byte <= b' ');
        if expected > 1 && blank && !self.plain && record.is_empty() {
            self.worker.empty_rows += 1;
            return true;
        }
        let spare = || self.trailing && fields == expected + 1 && record.field(expected).is_empty();
        if !record.wrong && (fields == expected || spare()) {
            self.kept(record);
        } else if expected > 1 && record.is_comment() {
            self.worker.comments += 1;
            return true;
        } else {
            self.bad(record);
        }
        self.hashes.push(self.row.long());
        self.row = self.keys.start();
        true
    }
}

/// Whether another row of this chunk may be among the first ones.
fn listed<T>(rows: &[(u64, T)], chunk: u64) -> bool {
    rows.iter().filter(|(index, _)| *index <= chunk).count() < LISTED
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

/// The first rows of a list of each thread, with their chunks, in the order of the file.
pub(super) fn first_of<T>(
    lists: impl Iterator<Item = Vec<(u64, T)>>,
    line: impl Fn(&mut T) -> &mut u64,
    first_line: impl Fn(u64) -> u64,
) -> Vec<T> {
    let placed = |(index, mut row): (u64, T)| {
        let at = line(&mut row);
        *at += first_line(index);
        (*at, row)
    };
    let mut rows: Vec<(u64, T)> = lists.flatten().map(placed).collect();
    rows.sort_by_key(|(line, _)| *line);
    rows.truncate(LISTED);
    rows.into_iter().map(|(_, row)| row).collect()
}
