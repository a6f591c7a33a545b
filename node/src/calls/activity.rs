//! Who works with whom now: connections in use are kept, and watched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use libp2p::PeerId;

use crate::network::now_ms;

/// Calls that run, by peer. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Activity {
    peers: Arc<Mutex<HashMap<PeerId, Peer>>>,
}

#[derive(Default, Clone, Copy)]
struct Peer {
    /// Calls that it runs for us or we for it.
    running: u32,
    /// When the last call began or ended, in milliseconds of [`now_ms`].
    used_at: u64,
}

/// A call that runs. Dropping it ends it.
pub(crate) struct Active {
    activity: Activity,
    peer: PeerId,
}

impl Activity {
    /// A call with that peer begins, in either direction.
    pub(crate) fn begin(&self, peer: PeerId) -> Active {
        let mut peers = self.lock();
        let entry = peers.entry(peer).or_default();
        entry.running += 1;
        entry.used_at = now_ms();
        Active { activity: self.clone(), peer }
    }

    /// Notes that a connection to that peer was made.
    pub(crate) fn touch(&self, peer: PeerId) {
        self.lock().entry(peer).or_default().used_at = now_ms();
    }

    /// Everyone with whom calls run or ran: how many run, and when the last began or ended.
    pub(crate) fn all(&self) -> Vec<(PeerId, u32, u64)> {
        self.lock().iter().map(|(peer, entry)| (*peer, entry.running, entry.used_at)).collect()
    }

    /// The last connection to that peer is gone.
    pub(crate) fn forget(&self, peer: &PeerId) {
        self.lock().retain(|who, entry| who != peer || entry.running > 0);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if let Some(entry) = self.activity.lock().get_mut(&self.peer) {
            entry.running = entry.running.saturating_sub(1);
            entry.used_at = now_ms();
        }
    }
}
