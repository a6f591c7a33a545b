//! Rows that equal an earlier one, counted by hashes of 122 bits.
//!
//! The hash of a text or row is a polynomial of its words at two random points of the field
//! modulo 2^61 - 1 (Carter and Wegman, "Universal classes of hash functions", 1979), so that
//! nobody can make two different rows collide on purpose, and ten million rows do so by chance
//! less than once in 2^60 files.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::number::Number;
use super::spill::{Extent, Spill};
use crate::{AnalysisError, Watch};

const PRIME: u64 = (1 << 61) - 1;
const PARTS: usize = 64;

/// The two random points.
#[derive(Clone, Copy)]
pub(super) struct Keys(u64, u64);

/// Values at the two points.
#[derive(Clone, Copy)]
pub(super) struct Hash(u64, u64);

impl Keys {
    pub fn random() -> Self {
        let key = || rand::random_range(1 << 32..PRIME);
        Self(key(), key())
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
            hash = self.word(hash, u64::from_le_bytes(*word) & (u64::MAX >> 8));
            rest = &rest[7..];
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            hash = self.word(hash, u64::from_le_bytes(word));
        }
        hash
    }

    /// Of a row with one more cell that is a text.
    pub fn with_text(self, row: Hash, text: Hash) -> Hash {
        Hash(step(row.0, self.0, text.0), step(row.1, self.1, text.1))
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

    fn word(self, hash: Hash, word: u64) -> Hash {
        Hash(step(hash.0, self.0, word), step(hash.1, self.1, word))
    }
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
