//! How much of this node's time one peer may take: a token bucket for each peer.

use std::collections::HashMap;

use libp2p::PeerId;

/// Adverts of one peer that are checked at once. A full directory arrives in a few exchanges.
const BURST: f64 = 2_048.0;
/// Adverts of one peer that are checked in a second; a signature takes some 50 µs.
const PER_SECOND: f64 = 100.0;

/// Adverts that each peer may still have checked.
#[derive(Default)]
pub(super) struct Budget {
    left: HashMap<PeerId, (f64, u64)>,
}

impl Budget {
    /// Takes one advert from the peer's budget, if there is one. `now` in milliseconds.
    pub(super) fn take(&mut self, peer: PeerId, now: u64) -> bool {
        let (left, as_of) = self.left.entry(peer).or_insert((BURST, now));
        let passed = now.saturating_sub(*as_of) as f64 / 1000.0;
        *left = (*left + passed * PER_SECOND).min(BURST);
        *as_of = now;
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }

    /// Forgets peers whose budget is full again.
    pub(super) fn tidy(&mut self, now: u64) {
        self.left.retain(|_, (left, as_of)| {
            let passed = now.saturating_sub(*as_of) as f64 / 1000.0;
            *left + passed * PER_SECOND < BURST
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_recovers() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let mut budget = Budget::default();
        let taken = (0..5_000).filter(|_| budget.take(peer, 0)).count();
        assert_eq!(taken, BURST as usize);
        assert!(budget.take(other, 0));
        assert_eq!((0..500).filter(|_| budget.take(peer, 1_000)).count(), PER_SECOND as usize);
        budget.tidy(60_000);
        assert!(budget.left.is_empty());
    }
}
