//! Rows that equal an earlier one, counted by hashes of 122 bits.
//!
//! The hash of a text is a polynomial of its words at two random points of the field modulo
//! 2^61 - 1 (Carter and Wegman, "Universal classes of hash functions", 1979), and that of a row a
//! polynomial of its cells at two other ones. Were they the same points, coefficients of
//! neighbouring cells would add up, and `A,B1234567` would equal `B,A1234567`. So different rows
//! are different polynomials of all points: nobody can make two of them collide on purpose, and
//! ten million rows do so by chance less than once in 2^60 files.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::number::Number;
use super::spill::{Extent, Spill};
use crate::{AnalysisError, Watch};

const PRIME: u64 = (1 << 61) - 1;
const PARTS: usize = 64;

/// The random points.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    /// Of texts.
    text: Pair,
    /// Of rows.
    row: Pair,
}

type Pair = (u64, u64);

/// Values at two points.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64, u64);

impl Keys {
    pub fn random() -> Self {
        let key = || rand::random_range(1 << 32..PRIME);
        Self { text: (key(), key()), row: (key(), key()) }
    }

    /// Of an empty row.
    pub fn start(self) -> Hash {
        Hash(1, 1)
    }

    /// Of a text.
    pub fn text(self, text: &str) -> Hash {
        let mut hash = Hash(text.len() as u64 + 1, text.len() as u64 + 1);
        let mut rest = text.as_bytes();
        while let Some(word) = rest.first_chunk::<8>() {
            hash = at(self.text, hash, u64::from_le_bytes(*word) & (u64::MAX >> 8));
            rest = &rest[7..];
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            hash = at(self.text, hash, u64::from_le_bytes(word));
        }
        hash
    }

    /// Of a row with one more cell that is a text.
    pub fn with_text(self, row: Hash, text: Hash) -> Hash {
        Hash(step(row.0, self.row.0, text.0), step(row.1, self.row.1, text.1))
    }

    /// Of a row with one more cell that is missing.
    pub fn with_missing(self, row: Hash) -> Hash {
        self.word(row, 2)
    }

    /// Of a row with one more number; 1 and 1.0 are equal.
    pub fn with_number(self, row: Hash, number: Number) -> Hash {
        let bits = match number {
            Number::Integer(number) => return self.with_whole(row, number),
            Number::Real(number) if number.abs() < 9e18 && (number as i64) as f64 == number => {
                return self.with_whole(row, number as i64);
            }
            Number::Real(number) => number.to_bits(),
        };
        let row = self.word(row, (bits & 0xffff_ffff) << 2 | 3);
        self.word(row, bits >> 32)
    }

    fn with_whole(self, row: Hash, number: i64) -> Hash {
        let folded = (number << 1 ^ number >> 63) as u64;
        if folded < 1 << 58 {
            return self.word(row, folded << 2);
        }
        let row = self.word(row, (folded & 0xffff_ffff) << 2 | 1);
        self.word(row, folded >> 32)
    }

    fn word(self, row: Hash, word: u64) -> Hash {
        at(self.row, row, word)
    }
}

/// With one more coefficient at both points.
fn at(points: Pair, hash: Hash, word: u64) -> Hash {
    Hash(step(hash.0, points.0, word), step(hash.1, points.1, word))
}

/// `value * key + word`, less than 2^62 and right modulo [`PRIME`]. `word` is below 2^61.
fn step(value: u64, key: u64, word: u64) -> u64 {
    let product = u128::from(value) * u128::from(key);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64 + word;
    (sum & PRIME) + (sum >> 61)
}

impl Hash {
    /// For a hash table, whose index is in the low bits and whose tags are in the high ones.
    pub fn short(self) -> u64 {
        (self.0 % PRIME).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    }

    /// For equality.
    pub fn long(self) -> u128 {
        u128::from(self.0 % PRIME) << 64 | u128::from(self.1 % PRIME)
    }
}

/// The hashes of all rows.
pub(super) struct Hashes<'a> {
    kept: Mutex<Kept>,
    spill: &'a Spill,
    /// Bytes that may be kept.
    limit: usize,
}

#[derive(Default)]
struct Kept {
    pieces: Vec<Vec<u128>>,
    count: usize,
    parts: Vec<Vec<Extent>>,
}

impl<'a> Hashes<'a> {
    pub fn new(spill: &'a Spill, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { kept: Mutex::default(), spill, limit }
    }

    pub fn add(&self, hashes: Vec<u128>) -> Result<(), AnalysisError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += hashes.len();
        kept.pieces.push(hashes);
        // Sorting copies them once.
        if kept.count * 32 <= self.limit { Ok(()) } else { self.flush(&mut kept) }
    }

    fn flush(&self, kept: &mut Kept) -> Result<(), AnalysisError> {
        kept.parts.resize(PARTS, Vec::new());
        let mut parts = vec![Vec::new(); PARTS];
        for hash in std::mem::take(&mut kept.pieces).into_iter().flatten() {
            parts[hash as usize % PARTS].extend_from_slice(&hash.to_le_bytes());
        }
        kept.count = 0;
        for (extents, bytes) in kept.parts.iter_mut().zip(&parts) {
            if !bytes.is_empty() {
                extents.push(self.spill.write(bytes)?);
            }
        }
        Ok(())
    }

    /// How many rows equal an earlier one.
    pub fn duplicates(self, watch: &dyn Watch) -> Result<u64, AnalysisError> {
        let mut kept =
            std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        if kept.parts.is_empty() {
            return Ok(repeated_in(&kept.pieces));
        }
        self.flush(&mut kept)?;
        let count = |extents: &Vec<Extent>| {
            watch.check()?;
            let mut bytes = Vec::new();
            for extent in extents {
                self.spill.read(*extent, &mut bytes)?;
            }
            let (words, _) = bytes.as_chunks::<16>();
            let mut hashes: Vec<u128> = words.iter().map(|w| u128::from_le_bytes(*w)).collect();
            drop(bytes);
            hashes.sort_unstable();
            Ok(repeated(&hashes))
        };
        kept.parts.par_iter().map(count).sum()
    }
}

/// How many hashes equal an earlier one. Halves are sorted first, since most tables have no equal
/// rows, and then these are all that is sorted.
fn repeated_in(pieces: &[Vec<u128>]) -> u64 {
    let mut halves: Vec<u64> = pieces.iter().flatten().map(|hash| *hash as u64).collect();
    halves.par_sort_unstable();
    let mut twice: Vec<u64> =
        halves.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    drop(halves);
    twice.dedup();
    if twice.is_empty() {
        return 0;
    }
    let likely = |hash: &&u128| twice.binary_search(&(**hash as u64)).is_ok();
    let mut hashes: Vec<u128> = pieces.par_iter().flatten_iter().filter(likely).copied().collect();
    hashes.par_sort_unstable();
    repeated(&hashes)
}

fn repeated(sorted: &[u128]) -> u64 {
    sorted.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells that were made to add up with what stands beside them: the same bytes shifted from
    /// one cell or one word to the next, lengths that a byte could stand for, numbers that a
    /// text's words could be.
    const CELLS: &[&str] = &[
        "",
        "A",
        "B",
        "1234567",
        "A1234567",
        "B1234567",
        "AB123456",
        "\u{1}",
        "\u{2}",
        "\u{3}",
        "\u{8}",
        "\0\0\0\0\0\0\u{1}",
        "10:00:00",
        "11:00:00",
    ];
    const NUMBERS: &[Number] = &[
        Number::Integer(0),
        Number::Integer(-1),
        Number::Integer(100),
        Number::Integer(132),
        Number::Integer(1 << 60),
        Number::Integer(-(1 << 60)),
        Number::Real(0.5),
        Number::Real(-0.5),
        Number::Real(f64::INFINITY),
    ];

    #[test]
    fn different_rows_have_different_hashes() {
        let keys = Keys::random();
        let cells = || 0..=CELLS.len() + NUMBERS.len();
        let with = |row: Hash, cell: usize| match cell {
            0 => keys.with_missing(row),
            cell => match CELLS.get(cell - 1) {
                Some(text) => keys.with_text(row, keys.text(text)),
                None => keys.with_number(row, NUMBERS[cell - 1 - CELLS.len()]),
            },
        };
        let mut seen = std::collections::HashMap::new();
        for (a, b, c) in
            cells().flat_map(|a| cells().flat_map(move |b| cells().map(move |c| (a, b, c))))
        {
            let row = with(with(with(keys.start(), a), b), c);
            assert_eq!(seen.insert(row.long(), (a, b, c)), None, "{:?}", (a, b, c));
        }
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let keys = Keys::random();
        let hash = |number| keys.with_number(keys.start(), number).long();
        assert_eq!(hash(Number::Integer(7)), hash(Number::Real(7.0)));
        assert_ne!(hash(Number::Integer(7)), hash(Number::Real(7.5)));
    }
}
