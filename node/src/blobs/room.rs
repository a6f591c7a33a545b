//! Room for what peers make this node keep: inputs that are fetched, answers that wait.
//!
//! The whole announced size is reserved before the first byte is fetched, within a budget for all
//! and a share for each peer, and the file system keeps some free space whatever the budget says.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use libp2p::PeerId;
use tempfile::TempPath;

use crate::quota::{Held, Limit, Shared};

/// Free space of the file system that is left alone.
const FLOOR: u64 = 512 << 20;
/// Bytes in memory that wait to be fetched by peers; what is more goes to the disk.
const MEMORY: u64 = 64 << 20;
/// The same for one peer.
const MEMORY_EACH: u64 = 16 << 20;

/// Why something cannot be kept now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// Others, or this peer itself, have taken what there is.
    #[error("this node keeps as much for others as its owner allows ([services] disk_mib)")]
    Budget,
    /// The disk is nearly full.
    #[error("this node's disk is nearly full")]
    Disk,
}

/// The budget of a node. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Room {
    folder: PathBuf,
    floor: u64,
    disk: Shared<PeerId>,
    memory: Shared<PeerId>,
    /// Reserved for files that are not written yet.
    arriving: Arc<AtomicU64>,
}

/// Bytes that are reserved. Dropping it gives them back.
pub type Reserved = Held<PeerId>;

/// Bytes that will be written. Dropping it says that they are, or never will be.
#[derive(Debug)]
pub(super) struct Arriving {
    arriving: Arc<AtomicU64>,
    bytes: AtomicU64,
}

/// A file that was fetched from a peer. It is removed, and its room given back, when the last user
/// drops it.
#[derive(Debug)]
pub struct Fetched {
    path: TempPath,
    size: u64,
    _room: Reserved,
}

impl Fetched {
    pub(super) fn new(path: TempPath, size: u64, room: Reserved) -> Self {
        Self { path, size, _room: room }
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Room {
    /// So many bytes of the disk below `folder`, half of them for one peer.
    pub(super) fn new(folder: &Path, disk: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            floor: FLOOR,
            disk: Shared::new(Limit::at_once(disk), Limit::at_once(disk / 2)),
            memory: Shared::new(Limit::at_once(MEMORY), Limit::at_once(MEMORY_EACH)),
            arriving: Arc::default(),
        }
    }

    /// Room in memory, if there is any.
    pub(super) fn memory(&self, peer: &PeerId, bytes: u64) -> Option<Reserved> {
        self.memory.hold(peer, bytes)
    }

    /// Room for bytes that lie on the disk already.
    pub(super) fn disk(&self, peer: &PeerId, bytes: u64) -> Result<Reserved, NoRoom> {
        self.disk.hold(peer, bytes).ok_or(NoRoom::Budget)
    }

    /// Room for bytes that will be written. Asks the file system: not for async threads.
    pub(super) fn reserve(
        &self,
        peer: &PeerId,
        bytes: u64,
    ) -> Result<(Reserved, Arriving), NoRoom> {
        let held = self.disk(peer, bytes)?;
        Ok((held, self.expect(bytes)?))
    }

    /// Free space for bytes that will be written, beside those that others will write.
    pub(super) fn expect(&self, bytes: u64) -> Result<Arriving, NoRoom> {
        let others = self.arriving.fetch_add(bytes, Ordering::SeqCst);
        let arriving = Arriving { arriving: self.arriving.clone(), bytes: AtomicU64::new(bytes) };
        // Where the system does not say, the budget has to do.
        let free = fs4::available_space(&self.folder).unwrap_or(u64::MAX);
        let needed = bytes.saturating_add(others).saturating_add(self.floor);
        if free < needed { Err(NoRoom::Disk) } else { Ok(arriving) }
    }
}

impl Arriving {
    /// So many of them are written: the file system counts them from now on.
    pub(super) fn written(&self, bytes: u64) {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        let before = self.bytes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        let taken = before.unwrap_or_default().min(bytes);
        self.arriving.fetch_sub(taken, Ordering::SeqCst);
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.arriving.fetch_sub(*self.bytes.get_mut(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_the_room_and_it_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Room::new(folder.path(), 1000);
        let [greedy, other] = [PeerId::random(), PeerId::random()];
        let held = room.reserve(&greedy, 500).expect("half of it");
        assert_eq!(room.reserve(&greedy, 1).map(|_| ()), Err(NoRoom::Budget));
        let (kept, arriving) = room.reserve(&other, 500).expect("the other half");
        assert_eq!(room.disk(&PeerId::random(), 1).map(|_| ()), Err(NoRoom::Budget));
        drop(held);
        assert!(room.disk(&greedy, 500).is_ok(), "it came back");
        drop((kept, arriving));
        assert_eq!(room.arriving.load(Ordering::SeqCst), 0);
        let arriving = room.expect(10).expect("there is room");
        arriving.written(4);
        assert_eq!(
            room.arriving.load(Ordering::SeqCst),
            6,
            "what is written is counted by the disk"
        );
        arriving.written(10);
        assert_eq!(room.arriving.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn some_of_the_disk_stays_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut room = Room::new(folder.path(), u64::MAX / 2);
        let free = fs4::available_space(folder.path()).expect("the system says");
        let peer = PeerId::random();
        room.floor = free / 2;
        assert_eq!(room.reserve(&peer, free).map(|_| ()), Err(NoRoom::Disk));
        assert_eq!(room.disk.total(), 0, "what was not given is not held");
        let half = room.reserve(&peer, free / 4).expect("a quarter");
        assert_eq!(
            room.reserve(&peer, free / 3).map(|_| ()),
            Err(NoRoom::Disk),
            "what others will write counts"
        );
        drop(half);
        assert!(room.reserve(&peer, free / 3).is_ok());
    }
}
