//! A blob's outline: the BLAKE3 chaining value of each group of 256 chunks.
//!
//! A group is a whole subtree of the BLAKE3 tree (256 chunks of 1 KiB), so the values of all
//! groups merge into the standard BLAKE3 hash of the blob (BLAKE3 paper, section 2.1), and each
//! group can be checked alone when it arrives. 32 bytes for each 256 KiB.

mod writing;

pub use writing::{Outlining, Written};

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    thread,
};

use blake3::{
    Hasher,
    hazmat::{HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root},
};

/// Bytes of a group: 256 KiB.
pub const GROUP: usize = 256 * 1024;
/// Largest blob: 1 TiB, whose outline has 128 MiB.
const MAX_SIZE: u64 = 1 << 40;
/// Threads that hash one file: more would wait for the disk.
const HASHING: usize = 4;

/// The chaining values of a blob's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    size: u64,
    groups: Vec<[u8; 32]>,
}

/// The outline does not belong to the hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the outline does not fit the hash")]
pub struct OutlineError;

impl Outline {
    /// Outlines bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= GROUP {
            return Self {
                size: bytes.len() as u64,
                groups: vec![*blake3::hash(bytes).as_bytes()],
            };
        }
        let groups =
            bytes.chunks(GROUP).enumerate().map(|(i, group)| chaining_value(i, group)).collect();
        Self { size: bytes.len() as u64, groups }
    }

    /// Outlines a file on a few threads. Blocks on the disk: not for async threads.
    ///
    /// # Errors
    ///
    /// Those of the disk; also for a file that becomes shorter meanwhile or has over 1 TiB.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let size = File::open(path)?.metadata()?.len();
        if size > MAX_SIZE {
            return Err(io::Error::other("larger than 1 TiB"));
        }
        let count = usize::try_from(group_count(size)).map_err(io::Error::other)?;
        if count == 1 {
            let groups = vec![*blake3::hash(&std::fs::read(path)?).as_bytes()];
            return Ok(Self { size, groups });
        }
        let mut groups = vec![[0; 32]; count];
        let mut outline = Self { size, groups: Vec::new() };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(cores.min(HASHING));
        thread::scope(|scope| {
            let outline = &outline;
            let parts = groups.chunks_mut(share).enumerate();
            let threads: Vec<_> = parts
                .map(|(part, some)| scope.spawn(move || outline.hash(path, part * share, some)))
                .collect();
            let died = || io::Error::other("a thread that hashes died");
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| died())?)
        })?;
        outline.groups = groups;
        Ok(outline)
    }

    /// Hashes the groups of a file from `first` on.
    fn hash(&self, path: &Path, first: usize, groups: &mut [[u8; 32]]) -> io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(first as u64 * GROUP as u64))?;
        let mut buffer = vec![0; GROUP];
        for (index, value) in (first..).zip(groups) {
            let group = &mut buffer[..self.group_len(index)];
            file.read_exact(group)?;
            *value = chaining_value(index, group);
        }
        Ok(())
    }

    /// Takes an outline from a peer, if it merges into the hash that was announced.
    pub fn verified(
        hash: &[u8; 32],
        size: u64,
        groups: Vec<[u8; 32]>,
    ) -> Result<Self, OutlineError> {
        let outline = Self { size, groups };
        if outline.groups.len() as u64 != group_count(size) || outline.root() != *hash {
            return Err(OutlineError);
        }
        Ok(outline)
    }

    /// How many bytes the blob has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The values, in order.
    pub fn groups(&self) -> &[[u8; 32]] {
        &self.groups
    }

    /// The BLAKE3 hash of the blob.
    pub fn root(&self) -> [u8; 32] {
        match self.groups.as_slice() {
            [] => *blake3::hash(&[]).as_bytes(),
            [only] => *only,
            many => {
                let (left, right) = many.split_at(left_len(many.len()));
                *merge_subtrees_root(&merged(left), &merged(right), Mode::Hash).as_bytes()
            }
        }
    }

    /// How many bytes group `index` has.
    pub fn group_len(&self, index: usize) -> usize {
        let start = index as u64 * GROUP as u64;
        usize::try_from(self.size.saturating_sub(start).min(GROUP as u64)).unwrap_or(GROUP)
    }

    /// Whether these bytes are group `index`.
    pub fn fits(&self, index: usize, bytes: &[u8]) -> bool {
        if bytes.len() != self.group_len(index) {
            return false;
        }
        let value = match self.groups.len() {
            1 => *blake3::hash(bytes).as_bytes(),
            _ => chaining_value(index, bytes),
        };
        self.groups.get(index) == Some(&value)
    }
}

/// How many groups a blob of that size has.
pub fn group_count(size: u64) -> u64 {
    size.div_ceil(GROUP as u64).max(1)
}

fn chaining_value(index: usize, group: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(index as u64 * GROUP as u64);
    hasher.update(group);
    hasher.finalize_non_root()
}

/// The left side of a BLAKE3 tree is the largest power of two that leaves something to the right.
fn left_len(groups: usize) -> usize {
    groups.next_power_of_two() / 2
}

fn merged(groups: &[[u8; 32]]) -> [u8; 32] {
    match groups {
        [only] => *only,
        many => {
            let (left, right) = many.split_at(left_len(many.len()));
            merge_subtrees_non_root(&merged(left), &merged(right), Mode::Hash)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes around every edge: the outline's root must be the standard BLAKE3 hash.
    #[test]
    fn the_root_is_the_blake3_hash() {
        let edges = [0, 1, 1024, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 2 * GROUP + 1];
        let more = [3 * GROUP, 5 * GROUP + 77, 8 * GROUP, 9 * GROUP - 1];
        for size in edges.into_iter().chain(more) {
            let bytes: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
            let outline = Outline::of(&bytes);
            assert_eq!(outline.root(), *blake3::hash(&bytes).as_bytes(), "{size}");
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), &bytes).expect("written");
            assert_eq!(outline, Outline::of_file(file.path()).expect("reads"), "{size}");
            for (i, group) in bytes.chunks(GROUP).enumerate() {
                assert!(outline.fits(i, group), "{size} {i}");
                let mut bad = group.to_vec();
                bad[0] ^= 1;
                assert!(!outline.fits(i, &bad), "{size} {i}");
            }
        }
    }

    #[test]
    fn a_foreign_outline_is_refused() {
        let bytes = vec![7; 3 * GROUP];
        let outline = Outline::of(&bytes);
        let size = outline.size();
        let mut groups = outline.groups().to_vec();
        assert!(Outline::verified(&outline.root(), size, groups.clone()).is_ok());
        assert_eq!(
            Outline::verified(&outline.root(), size + GROUP as u64, groups.clone()),
            Err(OutlineError)
        );
        groups[1][5] ^= 1;
        assert_eq!(Outline::verified(&outline.root(), size, groups), Err(OutlineError));
    }
}
