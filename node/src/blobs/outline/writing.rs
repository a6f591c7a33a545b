//! An outline that is made while the bytes are written, and not by reading them again.

use std::{
    io::{self, Write},
    mem,
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use tempfile::NamedTempFile;

use super::{GROUP, Outline, chaining_value};
use crate::write_behind::WriteBehind;

/// Groups that wait to be hashed.
const WAITING: usize = 4;

/// Outlines what is written. One group stays in memory; more go to a file, and are hashed on a thread
/// of their own.
pub struct Outlining<F> {
    new_file: F,
    group: Vec<u8>,
    size: u64,
    large: Option<Large>,
}

/// Where the bytes are.
#[derive(Debug)]
pub enum Written {
    /// Here, where they are one group at most.
    Memory(Vec<u8>),
    /// In a file, which is not synced.
    File(NamedTempFile),
}

struct Large {
    file: NamedTempFile,
    writing: WriteBehind,
    groups: SyncSender<Vec<u8>>,
    hashing: JoinHandle<Vec<[u8; 32]>>,
}

impl<F: FnMut() -> io::Result<NamedTempFile>> Outlining<F> {
    /// Asks for a file when it needs one.
    pub fn new(new_file: F) -> Self {
        Self { new_file, group: Vec::new(), size: 0, large: None }
    }

    /// The outline of all that was written, and where that is.
    ///
    /// # Errors
    ///
    /// Those of the disk.
    pub fn finish(self) -> io::Result<(Outline, Written)> {
        let Some(Large { file, mut writing, groups, hashing }) = self.large else {
            return Ok((Outline::of(&self.group), Written::Memory(self.group)));
        };
        writing.write_all(&self.group)?;
        writing.finish()?;
        groups.send(self.group).map_err(|_| died())?;
        drop(groups);
        let groups = hashing.join().map_err(|_| died())?;
        Ok((Outline { size: self.size, groups }, Written::File(file)))
    }

    /// A group is full, and more follows.
    fn next_group(&mut self) -> io::Result<()> {
        let large = match &mut self.large {
            Some(large) => large,
            None => self.large.insert(Large::start((self.new_file)()?)?),
        };
        large.writing.write_all(&self.group)?;
        let full = mem::replace(&mut self.group, Vec::with_capacity(GROUP));
        large.groups.send(full).map_err(|_| died())
    }
}

impl<F: FnMut() -> io::Result<NamedTempFile>> Write for Outlining<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.group.len() == GROUP && !bytes.is_empty() {
            self.next_group()?;
        }
        let count = bytes.len().min(GROUP - self.group.len());
        self.group.extend_from_slice(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Large {
    fn start(file: NamedTempFile) -> io::Result<Self> {
        let (groups, waiting) = sync_channel::<Vec<u8>>(WAITING);
        let hash = move || {
            let groups = waiting.iter().enumerate();
            groups.map(|(index, group)| chaining_value(index, &group)).collect()
        };
        let hashing = thread::Builder::new().name("outline".to_owned()).spawn(hash)?;
        let writing = WriteBehind::new(file.reopen()?);
        Ok(Self { file, writing, groups, hashing })
    }
}

fn died() -> io::Error {
    io::Error::other("the thread that hashes ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as when it was read again, whatever the pieces are.
    #[test]
    fn what_is_written_is_outlined() {
        for size in [0, 1, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 130 * GROUP + 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i * 31 % 251) as u8).collect();
            let mut outlining = Outlining::new(NamedTempFile::new);
            for piece in bytes.chunks(100_001) {
                outlining.write_all(piece).expect("written");
            }
            let (outline, written) = outlining.finish().expect("outlined");
            assert_eq!(outline, Outline::of(&bytes), "{size}");
            let (is_file, written) = match written {
                Written::Memory(bytes) => (false, bytes),
                Written::File(file) => (true, std::fs::read(file.path()).expect("read")),
            };
            assert!(written == bytes, "{size}");
            assert_eq!(is_file, size > GROUP, "{size}");
        }
    }

    #[test]
    fn a_disk_that_is_full_is_said() {
        let mut outlining = Outlining::new(|| Err(io::ErrorKind::StorageFull.into()));
        let written = outlining.write_all(&vec![0; GROUP + 1]);
        assert_eq!(written.map_err(|e| e.kind()), Err(io::ErrorKind::StorageFull));
    }
}
