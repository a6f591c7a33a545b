//! Who may fetch what: asked for each peer and hash, whenever somebody asks for a blob.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use libp2p::PeerId;

use super::{Outline, Source};

/// Knows blobs, and who may have them.
pub trait Grant: Send + Sync {
    /// The blob, if this peer may fetch it. May block on the disk.
    fn source(&self, peer: &PeerId, hash: &[u8; 32]) -> Option<(Source, Arc<Outline>)>;

    /// Bytes of a [`Source::Stored`] are not what they were.
    fn damaged(&self, _hash: &[u8; 32]) {}
}

/// All who grant blobs.
#[derive(Default)]
pub(super) struct Grants {
    pub(super) shares: Shares,
    others: Mutex<Vec<Arc<dyn Grant>>>,
    /// How far the blobs are that go out now; with several streams of one, the one that moved last.
    going: Mutex<HashMap<[u8; 32], u64>>,
}

/// What goes with calls: each blob for those that were called with it, while a call uses it.
#[derive(Clone, Default)]
pub(super) struct Shares(Arc<Mutex<HashMap<[u8; 32], Entry>>>);

pub(super) struct Entry {
    pub(super) source: Source,
    pub(super) outline: Arc<Outline>,
    /// Only peers that were called with the blob may fetch it.
    pub(super) peers: HashSet<PeerId>,
    /// Calls that use it now.
    pub(super) users: usize,
    /// When a peer last began or ended to fetch it.
    pub(super) used: Instant,
}

impl Grants {
    /// Asks this one too from now on.
    pub(super) fn add(&self, grant: Arc<dyn Grant>) {
        self.others().push(grant);
    }

    /// A blob was fetched.
    pub(super) fn used(&self, hash: &[u8; 32]) {
        if let Some(shared) = self.shares.lock().get_mut(hash) {
            shared.used = Instant::now();
        }
    }

    /// A blob that goes out is so far; `None` when it has ended.
    pub(super) fn note(&self, hash: &[u8; 32], bytes: Option<u64>) {
        let mut going = self.going();
        match bytes {
            Some(bytes) => drop(going.insert(*hash, bytes)),
            None => drop(going.remove(hash)),
        }
    }

    /// How far a blob is that goes out now.
    pub(super) fn sent(&self, hash: &[u8; 32]) -> Option<u64> {
        self.going().get(hash).copied()
    }

    fn going(&self) -> MutexGuard<'_, HashMap<[u8; 32], u64>> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn others(&self) -> MutexGuard<'_, Vec<Arc<dyn Grant>>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grant for Grants {
    fn source(&self, peer: &PeerId, hash: &[u8; 32]) -> Option<(Source, Arc<Outline>)> {
        let others = self.others().clone();
        let own = self.shares.source(peer, hash);
        own.or_else(|| others.iter().find_map(|grant| grant.source(peer, hash)))
    }

    fn damaged(&self, hash: &[u8; 32]) {
        let others = self.others().clone();
        others.iter().for_each(|grant| grant.damaged(hash));
    }
}

impl Grant for Shares {
    fn source(&self, peer: &PeerId, hash: &[u8; 32]) -> Option<(Source, Arc<Outline>)> {
        let mut shares = self.lock();
        let shared = shares.get_mut(hash).filter(|shared| shared.peers.contains(peer))?;
        shared.used = Instant::now();
        Some((shared.source.clone(), shared.outline.clone()))
    }
}

impl Shares {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
