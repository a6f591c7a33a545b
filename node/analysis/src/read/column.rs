//! Columns: what a thread gathers of them, and what becomes of it.

use std::sync::Arc;

use super::infer::{CODES, ColumnPlan, Order, Plan, TOLERATED};
use super::multiset::Texts;
use super::number::{Number, Written as WrittenNumber};
use super::spill::{Extent, Spill};
use super::time::{self, Time};
use super::word;
use crate::AnalysisError;
use crate::table::{Cells, Column, Invalid, Kind, Values, Wholes, Written};

/// Marks a cell without a whole number or time.
const NONE: i64 = Wholes::NONE;

/// Numbers or times of one chunk, 8 bytes a row.
pub(super) struct Words {
    pub bits: Vec<u64>,
    /// Whether these are floats.
    real: bool,
}

impl Words {
    pub fn new(rows: usize) -> Self {
        Self { bits: Vec::with_capacity(rows), real: false }
    }

    pub fn push(&mut self, number: Number) {
        match number {
            Number::Integer(number) if !self.real => self.bits.push(number as u64),
            Number::Integer(number) => self.bits.push((number as f64).to_bits()),
            Number::Real(number) => {
                if !self.real {
                    self.real = true;
                    for bits in &mut self.bits {
                        *bits = real(*bits as i64).to_bits();
                    }
                }
                self.bits.push(number.to_bits());
            }
        }
    }

    pub fn push_micros(&mut self, micros: i64) {
        self.bits.push(micros as u64);
    }

    pub fn push_none(&mut self) {
        self.bits.push(if self.real { f64::NAN.to_bits() } else { NONE as u64 });
    }
}

fn real(number: i64) -> f64 {
    if number == NONE { f64::NAN } else { number as f64 }
}

/// Numbers and times of one chunk, of all columns that have some. There may be thousands of
/// columns and of chunks, so next to nothing is kept of each pair.
pub(super) struct Block {
    rows: usize,
    /// Which columns are floats here, a bit each.
    real: Vec<u64>,
    place: Place,
}

enum Place {
    /// By column.
    Memory(Vec<Vec<u64>>),
    /// One column after the other, 8 bytes a row each.
    Disk(Extent),
}

impl Block {
    /// Bytes beside the cells that a column takes in memory.
    pub const HEAD: usize = 40;

    /// Of the columns with something by row, kept in memory, or at `extent`.
    pub fn new(rows: usize, mut words: Vec<Words>, extent: Option<Extent>) -> Self {
        let mut real = vec![0; words.len().div_ceil(64)];
        for (slot, words) in words.iter().enumerate() {
            real[slot / 64] |= u64::from(words.real) << (slot % 64);
        }
        let place = match extent {
            Some(extent) => Place::Disk(extent),
            None => {
                words.iter_mut().for_each(|words| words.bits.shrink_to_fit());
                Place::Memory(words.into_iter().map(|words| words.bits).collect())
            }
        };
        Self { rows, real, place }
    }

    fn is_real(&self, slot: usize) -> bool {
        self.real.get(slot / 64).is_some_and(|bits| bits >> (slot % 64) & 1 == 1)
    }
}

/// One column of all blocks.
#[derive(Clone)]
pub(super) struct Cut {
    pub blocks: Arc<Vec<Block>>,
    /// Its place among the columns with something by row.
    pub slot: usize,
}

/// What was counted while cells were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub missing: u64,
    pub invalid: u64,
    /// Numbers or times.
    pub valid: u64,
    pub percents: u64,
    padded: u64,
    long: u64,
    /// Cells that only this convention of decimals or days reads.
    decided: u64,
    /// Invalid cells that the other convention would read.
    pub other: u64,
    clocks: u64,
    /// Times that no day has.
    beyond: u64,
    styles: u32,
    currency: Currency,
    /// Texts that begin as numbers and days do.
    pub hints: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Currency {
    #[default]
    None,
    One(char),
    Many,
}

impl Currency {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, one) | (one, Self::None) => one,
            (a, b) if a == b => a,
            _ => Self::Many,
        }
    }
}

impl Tally {
    pub fn number(&mut self, written: &WrittenNumber) {
        self.valid += 1;
        self.padded += u64::from(written.padded);
        self.long += u64::from(written.long);
        self.decided += u64::from(written.decided);
        if written.percent || written.currency.is_some() {
            self.percents += u64::from(written.percent);
            self.currency =
                self.currency.and(written.currency.map_or(Currency::None, Currency::One));
        }
    }

    pub fn time(&mut self, time: Time) {
        self.valid += 1;
        self.decided += u64::from(time.decided);
        self.clocks += u64::from(time.clock);
        self.styles |= time.style;
    }

    pub fn elapsed(&mut self, micros: i64) {
        self.valid += 1;
        self.beyond += u64::from(!(0..time::WHOLE_DAY).contains(&micros));
    }

    pub fn add(&mut self, other: &Self) {
        self.missing += other.missing;
        self.invalid += other.invalid;
        self.valid += other.valid;
        self.percents += other.percents;
        self.padded += other.padded;
        self.long += other.long;
        self.decided += other.decided;
        self.other += other.other;
        self.clocks += other.clocks;
        self.beyond += other.beyond;
        self.styles |= other.styles;
        self.currency = self.currency.and(other.currency);
        self.hints += other.hints;
    }

    /// What the cells show of the order of day and month.
    pub fn order(&self) -> Order {
        Order::new(self.styles, self.decided)
    }

    /// A plan that fits what was counted better, where this one did not.
    pub fn better(&self, tried: ColumnPlan) -> Option<Plan> {
        let all = (self.valid + self.invalid) as f64;
        if tried.plan == Plan::Text || all == 0.0 {
            return None;
        }
        let codes = self.padded.max(self.long) as f64;
        if matches!(tried.plan, Plan::Number { .. }) && codes > CODES * all {
            return Some(Plan::Text);
        }
        if self.other > self.decided && !tried.swapped {
            return Some(match tried.plan {
                Plan::Number { decimal, dashes } => {
                    let decimal = if decimal == b'.' { b',' } else { b'.' };
                    Plan::Number { decimal, dashes }
                }
                Plan::Time { day_first, compact } => Plan::Time { day_first: !day_first, compact },
                plan => plan,
            });
        }
        (self.invalid as f64 > TOLERATED * all).then_some(Plan::Text)
    }
}

/// A column of which everything has been read.
pub(super) fn finish(
    name: String,
    plan: Plan,
    tally: &Tally,
    cut: Cut,
    texts: Texts,
    spill: &Spill,
) -> Result<Column, AnalysisError> {
    let mut written = Written::default();
    let invalid =
        Invalid { count: tally.invalid, distinct: texts.distinct(), examples: texts.first() };
    let is_real = cut.blocks.iter().any(|block| block.is_real(cut.slot));
    let rows = |kind| -> Box<dyn Cells> { Box::new(Rows { kind, cut, spill: spill.clone() }) };
    let (kind, invalid, cells) = match plan {
        Plan::Number { .. } => {
            written.percent = tally.percents * 2 > tally.valid;
            if let Currency::One(sign) = tally.currency {
                written.currency = Some(sign);
            }
            let kind = if is_real { Kind::Number } else { Kind::Integer };
            (kind, invalid, rows(kind))
        }
        Plan::Time { .. } => {
            written.mixed_dates = tally.styles.count_ones() > 1;
            let kind = if tally.clocks > 0 { Kind::DateTime } else { Kind::Date };
            (kind, invalid, rows(kind))
        }
        Plan::Clock => {
            let kind = if tally.beyond > 0 { Kind::Duration } else { Kind::Time };
            (kind, invalid, rows(kind))
        }
        Plan::Boolean { pair } => {
            let (truths, invalid) = truths(&texts, pair)?;
            (Kind::Boolean, invalid, Box::new(truths) as Box<dyn Cells>)
        }
        Plan::Text => {
            let kind = if texts.distinct() == 0 { Kind::Empty } else { Kind::Text };
            (kind, Invalid::default(), Box::new(texts) as Box<dyn Cells>)
        }
    };
    Ok(Column { name, kind, missing: tally.missing, invalid, written, cells })
}

/// Yes and no, each in its most frequent spelling, and everything else.
fn truths(texts: &Texts, pair: usize) -> Result<(Truths, Invalid), AnalysisError> {
    let mut invalid = Invalid::default();
    let mut spellings: [Vec<(u64, String)>; 2] = Default::default();
    let mut order = Vec::new();
    texts.each(&mut |text, count| match word::truth(text, pair) {
        Some(truth) => {
            let truth = usize::from(truth);
            if !order.contains(&truth) {
                order.push(truth);
            }
            spellings[truth].push((count, text.trim().to_owned()));
        }
        None => {
            invalid.count += count;
            invalid.distinct += 1;
            if invalid.examples.len() < 5 {
                invalid.examples.push(text.to_owned());
            }
        }
    })?;
    let mut truths = Vec::new();
    for truth in order {
        let spellings = &spellings[truth];
        let best = spellings.iter().max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
        if let Some((_, text)) = best {
            truths.push((text.clone(), spellings.iter().map(|(count, _)| count).sum()));
        }
    }
    Ok((Truths(truths), invalid))
}

/// Numbers or times by row.
struct Rows {
    kind: Kind,
    cut: Cut,
    spill: Spill,
}

impl Rows {
    /// The words of every block, and whether they are floats.
    fn each(&self, mut each: impl FnMut(&[u64], bool)) -> Result<(), AnalysisError> {
        let mut bytes = Vec::new();
        let mut words = Vec::new();
        let slot = self.cut.slot;
        for block in self.cut.blocks.iter() {
            match &block.place {
                Place::Memory(columns) => {
                    each(columns.get(slot).map_or(&[], Vec::as_slice), block.is_real(slot));
                }
                Place::Disk(extent) => {
                    let len = block.rows as u64 * 8;
                    bytes.clear();
                    self.spill
                        .read(Extent { at: extent.at + slot as u64 * len, len }, &mut bytes)?;
                    words.clear();
                    words.extend(bytes.as_chunks::<8>().0.iter().map(|w| u64::from_le_bytes(*w)));
                    each(&words, block.is_real(slot));
                }
            }
        }
        Ok(())
    }
}

impl Cells for Rows {
    fn values(&self) -> Result<Values, AnalysisError> {
        let rows = self.cut.blocks.iter().map(|block| block.rows).sum();
        if self.kind == Kind::Number {
            let mut numbers: Vec<f64> = Vec::with_capacity(rows);
            self.each(|words, is_real| match is_real {
                true => numbers.extend(words.iter().map(|bits| f64::from_bits(*bits))),
                false => numbers.extend(words.iter().map(|bits| real(*bits as i64))),
            })?;
            return Ok(Values::Numbers(numbers));
        }
        let mut whole: Vec<i64> = Vec::with_capacity(rows);
        self.each(|words, _| whole.extend(words.iter().map(|bits| *bits as i64)))?;
        let whole = Wholes::new(whole);
        let integers = self.kind == Kind::Integer;
        Ok(if integers { Values::Integers(whole) } else { Values::Times(whole) })
    }

    fn texts(&self, _: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        Ok(())
    }

    fn distinct_texts(&self) -> u64 {
        0
    }
}

impl Cells for Texts {
    fn values(&self) -> Result<Values, AnalysisError> {
        Ok(Values::Texts)
    }

    fn texts(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        self.each(each)
    }

    fn distinct_texts(&self) -> u64 {
        self.distinct()
    }
}

/// Yes and no with how often they come.
struct Truths(Vec<(String, u64)>);

impl Cells for Truths {
    fn values(&self) -> Result<Values, AnalysisError> {
        Ok(Values::Texts)
    }

    fn texts(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        self.0.iter().for_each(|(text, count)| each(text, *count));
        Ok(())
    }

    fn distinct_texts(&self) -> u64 {
        self.0.len() as u64
    }
}
