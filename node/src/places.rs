//! Bounded places for streams that peers open, with a share for each peer.

use std::{collections::HashMap, sync::Arc};

use libp2p::PeerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Peers whose share is kept before unused shares are dropped.
const SHARES: usize = 1024;

/// Places, of which no peer can take more than its share.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    share: usize,
    peers: HashMap<PeerId, Arc<Semaphore>>,
}

/// A taken place; dropping it gives it back.
pub(crate) struct Place {
    _places: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Places {
    /// `all` places, of which each peer gets at most `share`.
    pub(crate) fn new(all: usize, share: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), share, peers: HashMap::new() }
    }

    /// Takes a place, if there is one for this peer.
    pub(crate) fn take(&mut self, peer: PeerId) -> Option<Place> {
        if self.peers.len() >= SHARES {
            let share = self.share;
            self.peers.retain(|_, semaphore| semaphore.available_permits() < share);
        }
        let own = self.peers.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(self.share)));
        let own = own.clone().try_acquire_owned().ok()?;
        let any = self.all.clone().try_acquire_owned().ok()?;
        Some(Place { _places: (own, any) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_leaves_places_for_others() {
        let (greedy, other) = (PeerId::random(), PeerId::random());
        let mut places = Places::new(5, 2);
        let taken: Vec<_> = (0..9).filter_map(|_| places.take(greedy)).collect();
        assert_eq!(taken.len(), 2);
        assert!(places.take(other).is_some());
        drop(taken);
        assert!(places.take(greedy).is_some());
    }
}
