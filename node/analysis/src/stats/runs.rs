//! The distinct values of a column in order, each with how often it comes. One sort of a column
//! gives its quantiles, distinct values, top values, outliers, bins and ranks.
//!
//! Every value has a whole-number key of the same order: integers are their own key, decimals
//! such as 12.34 are counted in hundredths, and other floats take their bits. Most columns of
//! real files are integers or short decimals within a narrow range, and those are counted
//! instead of sorted.

use std::borrow::Borrow;

use rayon::slice::ParallelSliceMut;

/// The code of a cell without a value.
pub(super) const MISSING: u32 = u32::MAX;

/// Below this, `x + ROUNDER - ROUNDER` rounds to a whole number.
const EXACT: f64 = (1u64 << 51) as f64;
const ROUNDER: f64 = 1.5 * (1u64 << 52) as f64;

/// How keys become values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// The key divided by this power of ten; 1 for integers.
    Parts(f64),
    /// The bits, ordered as the floats are.
    Bits,
}

impl Scale {
    /// The coarsest scale on which every finite value has a key of its own.
    pub(super) fn of(values: &[f64]) -> Self {
        let (mut parts, mut most) = (1.0, 0.0f64);
        for &value in values.iter().filter(|value| value.is_finite()) {
            most = most.max(value.abs());
            while ((value * parts + ROUNDER) - ROUNDER) / parts != value {
                parts *= 10.0;
                if parts > 1e6 {
                    return Self::Bits;
                }
            }
        }
        if most * parts < EXACT { Self::Parts(parts) } else { Self::Bits }
    }

    /// The key of a value, `None` for NaN and infinities.
    pub(super) fn key(self, value: f64) -> Option<i64> {
        if !value.is_finite() {
            return None;
        }
        Some(match self {
            Self::Parts(parts) => ((value * parts + ROUNDER) - ROUNDER) as i64,
            // Adding 0 makes -0 and 0 one value.
            Self::Bits => ordered((value + 0.0).to_bits() as i64),
        })
    }

    fn value(self, key: i64) -> f64 {
        match self {
            Self::Parts(parts) => key as f64 / parts,
            Self::Bits => f64::from_bits(ordered(key) as u64),
        }
    }
}

/// Swaps float bits and an integer of the same order; its own inverse.
fn ordered(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The distinct finite values of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Runs {
    /// Ascending, each once.
    pub keys: Vec<i64>,
    /// How often each comes.
    pub counts: Vec<u32>,
    /// Sum of the counts.
    pub total: u64,
    scale: Scale,
}

impl Runs {
    /// Reads `rows` keys. With `coded`, each row also gets the index of its key among the distinct
    /// ones, [`MISSING`] where it has none. `alone` says that no other column is sorted meanwhile,
    /// so that this one may take all threads.
    pub(super) fn of(
        rows: usize,
        key: impl Fn(usize) -> Option<i64> + Sync,
        scale: Scale,
        coded: bool,
        alone: bool,
    ) -> (Self, Vec<u32>) {
        let (mut least, mut most, mut total) = (i64::MAX, i64::MIN, 0u64);
        for key in (0..rows).filter_map(&key) {
            (least, most, total) = (least.min(key), most.max(key), total + 1);
        }
        let mut codes = if coded { vec![MISSING; rows] } else { Vec::new() };
        let range = if total == 0 { 0 } else { most.abs_diff(least) };
        let (keys, counts) = if total == 0 {
            (Vec::new(), Vec::new())
        } else if range < 4 * total + 4096 {
            counted(rows, key, least, range, &mut codes)
        } else if range <= u64::from(u32::MAX) {
            let cell = |row| key(row).map(|key| key.abs_diff(least) << 32 | row as u64);
            let mut cells: Vec<u64> = (0..rows).filter_map(cell).collect();
            sort(&mut cells, alone);
            let parts = |cell: u64| (least.wrapping_add((cell >> 32) as i64), cell as u32);
            grouped(cells.into_iter().map(parts), &mut codes)
        } else {
            let cell = |row| key(row).map(|key| (key, row as u32));
            let mut cells: Vec<(i64, u32)> = (0..rows).filter_map(cell).collect();
            sort(&mut cells, alone);
            grouped(cells.into_iter(), &mut codes)
        };
        (Self { keys, counts, total, scale }, codes)
    }

    /// The value of the distinct key with this index; NaN beyond the end.
    pub(super) fn value(&self, index: usize) -> f64 {
        self.keys.get(index).map_or(f64::NAN, |&key| self.scale.value(key))
    }

    /// Every distinct value, ascending, with how often it comes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let values = self.keys.iter().map(|&key| self.scale.value(key));
        values.zip(self.counts.iter().map(|&count| u64::from(count)))
    }

    /// Smallest and largest.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        Some((self.scale.value(*self.keys.first()?), self.scale.value(*self.keys.last()?)))
    }

    /// The cell of this place in ascending order, from 0.
    fn at(&self, place: u64) -> f64 {
        let mut seen = 0;
        for (index, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if place < seen {
                return self.value(index);
            }
        }
        f64::NAN
    }

    /// A linear quantile, as numpy computes it. `below` and `above` are infinities to either side.
    pub(super) fn quantile(&self, part: f64, below: u64, above: u64) -> Option<f64> {
        let places = self.total + below + above;
        if places == 0 {
            return None;
        }
        let cell = |place: u64| match place {
            place if place < below => f64::NEG_INFINITY,
            place if place >= below + self.total => f64::INFINITY,
            place => self.at(place - below),
        };
        let place = part * (places - 1) as f64;
        let (floor, rest) = (place.floor(), place - place.floor());
        let low = cell(floor as u64);
        if rest == 0.0 {
            return low.is_finite().then_some(low);
        }
        let high = cell((floor as u64 + 1).min(places - 1));
        let step = high - low;
        let found = if rest < 0.5 { low + step * rest } else { high - step * (1.0 - rest) };
        found.is_finite().then_some(found)
    }

    /// How many distinct values are below.
    pub(super) fn below(&self, value: f64) -> usize {
        self.keys.partition_point(|&key| self.scale.value(key) < value)
    }

    /// How many distinct values are at most this.
    pub(super) fn up_to(&self, value: f64) -> usize {
        self.keys.partition_point(|&key| self.scale.value(key) <= value)
    }

    /// Cells among the distinct values of these indices.
    pub(super) fn cells(&self, from: usize, to: usize) -> u64 {
        let counts = self.counts.get(from..to).unwrap_or_default();
        counts.iter().map(|&count| u64::from(count)).sum()
    }
}

fn sort<T: Ord + Send>(cells: &mut [T], alone: bool) {
    if alone { cells.par_sort_unstable() } else { cells.sort_unstable() }
}

/// Keys in a narrow range: one counter each, no sort.
fn counted(
    rows: usize,
    key: impl Fn(usize) -> Option<i64>,
    least: i64,
    range: u64,
    codes: &mut [u32],
) -> (Vec<i64>, Vec<u32>) {
    let mut slots = vec![0u32; range as usize + 1];
    for key in (0..rows).filter_map(&key) {
        slots[key.abs_diff(least) as usize] += 1;
    }
    let (mut keys, mut counts) = (Vec::new(), Vec::new());
    for (offset, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| **slot > 0) {
        counts.push(*slot);
        *slot = keys.len() as u32;
        keys.push(least + offset as i64);
    }
    for (row, code) in codes.iter_mut().enumerate() {
        if let Some(key) = key(row) {
            *code = slots[key.abs_diff(least) as usize];
        }
    }
    (keys, counts)
}

/// Sorted cells, as key and row, into distinct keys and counts.
fn grouped(cells: impl Iterator<Item = (i64, u32)>, codes: &mut [u32]) -> (Vec<i64>, Vec<u32>) {
    let (mut keys, mut counts) = (Vec::new(), Vec::<u32>::new());
    for (key, row) in cells {
        match counts.last_mut() {
            Some(count) if keys.last() == Some(&key) => *count += 1,
            _ => {
                keys.push(key);
                counts.push(1);
            }
        }
        if let Some(code) = codes.get_mut(row as usize) {
            *code = keys.len() as u32 - 1;
        }
    }
    (keys, counts)
}

/// The most frequent values: most frequent first, then by value, as pandas sorts the golden files.
#[derive(Debug)]
pub(super) struct Top<T> {
    most: usize,
    /// Values with how often they come.
    pub entries: Vec<(T, u64)>,
}

impl<T> Top<T> {
    /// None yet, `most` at the end.
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: Vec::with_capacity(most + 1) }
    }

    /// Looks at one more distinct value.
    pub(super) fn offer<Q>(&mut self, value: &Q, count: u64)
    where
        T: Borrow<Q>,
        Q: Ord + ToOwned<Owned = T> + ?Sized,
    {
        let ahead =
            |entry: &(T, u64)| entry.1 > count || (entry.1 == count && entry.0.borrow() < value);
        if self.entries.len() == self.most && self.entries.last().is_none_or(ahead) {
            return;
        }
        let place = self.entries.partition_point(ahead);
        self.entries.insert(place, (value.to_owned(), count));
        self.entries.truncate(self.most);
    }
}
