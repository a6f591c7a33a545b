//! Who works with whom now: connections in use are kept, and watched.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use libp2p::PeerId;

use crate::network::now_ms;

/// Calls that run, by peer. Cheap to clone; all clones are the same. It remembers those who are
/// connected and those with a call that runs, nobody else.
#[derive(Clone, Default)]
pub(crate) struct Activity {
    peers: Arc<Mutex<HashMap<PeerId, Peer>>>,
}

#[derive(Default, Clone, Copy)]
struct Peer {
    connected: bool,
    /// Calls that it runs for us or we for it.
    running: u32,
    /// When the last call ended, or the connection was made, in milliseconds of [`now_ms`]. Who has
    /// calls that run is in use anyway.
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
        Active { activity: self.clone(), peer }
    }

    /// Notes that a connection to that peer was made.
    pub(crate) fn touch(&self, peer: PeerId) {
        let mut peers = self.lock();
        let entry = peers.entry(peer).or_default();
        entry.connected = true;
        entry.used_at = now_ms();
    }

    /// Everyone who is connected or has a call that runs: how many run, and when the last ended.
    pub(crate) fn all(&self) -> Vec<(PeerId, u32, u64)> {
        self.lock().iter().map(|(peer, entry)| (*peer, entry.running, entry.used_at)).collect()
    }

    /// The last connection to that peer is gone.
    pub(crate) fn forget(&self, peer: &PeerId) {
        let mut peers = self.lock();
        if let Some(entry) = peers.get_mut(peer) {
            entry.connected = false;
            if entry.running == 0 {
                peers.remove(peer);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let mut peers = self.activity.lock();
        if let Some(entry) = peers.get_mut(&self.peer) {
            entry.running = entry.running.saturating_sub(1);
            entry.used_at = now_ms();
            if entry.running == 0 && !entry.connected {
                peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_neither_connected_nor_at_work_is_forgotten() {
        let (activity, peer) = (Activity::default(), PeerId::random());
        let known = || activity.all().len();
        let running = || activity.all().iter().map(|(_, running, _)| *running).sum::<u32>();
        // A call to a peer that could not be reached.
        drop(activity.begin(peer));
        assert_eq!(known(), 0);
        // A call that outlives its connection.
        activity.touch(peer);
        let call = activity.begin(peer);
        activity.forget(&peer);
        assert_eq!((known(), running()), (1, 1));
        drop(call);
        assert_eq!(known(), 0);
        // A connection that outlives its calls.
        activity.touch(peer);
        drop(activity.begin(peer));
        assert_eq!((known(), running()), (1, 0));
        activity.forget(&peer);
        assert_eq!(known(), 0);
    }
}
