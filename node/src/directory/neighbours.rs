//! Whom to connect to, whom to watch, whom to let go. Pure functions over the live ids.
//!
//! The live nodes form a ring by their ids. Every node keeps connections to the next few on the
//! ring and watches them, so every node is watched by someone, whatever the size of the mesh; the
//! other connections are random, which keeps the graph well connected.

use std::{cmp::Reverse, collections::BTreeSet};

use libp2p::PeerId;
use rand::{Rng, seq::SliceRandom as _};

use super::Settings;

/// More connections than wanted by this many are tolerated before any is closed.
const SLACK: usize = 4;

/// A live or connected peer, as far as connections go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub id: PeerId,
    /// Whether there is a connection.
    pub connected: bool,
    /// Calls that run between us and it, either way.
    pub in_flight: u32,
    /// When the connection was last used for a call or made, ms.
    pub last_used: u64,
}

/// The next `k` live ids after `me` on the ring, nearest first.
pub fn ring_successors(
    me: &PeerId,
    ids: impl IntoIterator<Item = PeerId>,
    k: usize,
) -> Vec<PeerId> {
    nearest(ids.into_iter().filter(|id| id != me), k, |id| (id < me, *id))
}

/// The `k` live ids before `me` on the ring, nearest first.
pub fn ring_predecessors(
    me: &PeerId,
    ids: impl IntoIterator<Item = PeerId>,
    k: usize,
) -> Vec<PeerId> {
    nearest(ids.into_iter().filter(|id| id != me), k, |id| (id > me, Reverse(*id)))
}

/// Whose pulse to watch: the ring successors ([`Settings::watched`]) and every peer with calls in
/// flight, as far as they are connected.
pub fn to_watch(me: &PeerId, peers: &[Neighbour], settings: &Settings) -> Vec<PeerId> {
    let ring: BTreeSet<_> = ring_successors(me, peers.iter().map(|peer| peer.id), settings.watched)
        .into_iter()
        .collect();
    peers
        .iter()
        .filter(|peer| peer.connected && (peer.in_flight > 0 || ring.contains(&peer.id)))
        .map(|peer| peer.id)
        .collect()
}

/// Whom to dial now: ring successors that are not connected, then random others until there are
/// [`Settings::neighbours`] connections. `may_dial` says whether a peer can be dialled at all: it
/// has addresses, its backoff is over and no dial is under way.
pub fn to_dial(
    me: &PeerId,
    peers: &[Neighbour],
    settings: &Settings,
    may_dial: impl Fn(&PeerId) -> bool,
    rng: &mut impl Rng,
) -> Vec<PeerId> {
    let connected: BTreeSet<_> =
        peers.iter().filter(|peer| peer.connected).map(|peer| peer.id).collect();
    let ring = ring_successors(me, peers.iter().map(|peer| peer.id), settings.watched);
    let mut dial: Vec<_> =
        ring.iter().filter(|id| !connected.contains(id) && may_dial(id)).copied().collect();
    let missing = settings.neighbours.saturating_sub(connected.len() + dial.len());
    if missing == 0 {
        return dial;
    }
    let mut others: Vec<_> = peers
        .iter()
        .filter(|peer| !peer.connected && !ring.contains(&peer.id) && may_dial(&peer.id))
        .map(|peer| peer.id)
        .collect();
    let (random, _) = others.partial_shuffle(rng, missing);
    dial.extend_from_slice(random);
    dial
}

/// Which connections to close, least recently used first, when there are more than
/// [`Settings::neighbours`] + 4. Never ring neighbours on either side, never peers with calls in
/// flight. The side with the smaller id closes, so that not both do; beyond twice the wanted number
/// either side does, or the node with the greatest id could not help itself.
pub fn to_prune(me: &PeerId, peers: &[Neighbour], settings: &Settings) -> Vec<PeerId> {
    let connected = peers.iter().filter(|peer| peer.connected).count();
    if connected <= settings.neighbours + SLACK {
        return Vec::new();
    }
    let ids = || peers.iter().map(|peer| peer.id);
    let kept: BTreeSet<_> = ring_successors(me, ids(), settings.watched)
        .into_iter()
        .chain(ring_predecessors(me, ids(), settings.watched))
        .collect();
    let crowded = connected > 2 * settings.neighbours;
    let mut idle: Vec<_> = peers
        .iter()
        .filter(|peer| peer.connected && peer.in_flight == 0 && !kept.contains(&peer.id))
        .filter(|peer| crowded || *me < peer.id)
        .collect();
    idle.sort_by_key(|peer| (peer.last_used, peer.id));
    idle.iter().take(connected - settings.neighbours).map(|peer| peer.id).collect()
}

/// The `k` ids with the lowest keys, in order, in one pass: `k` is small and this runs often.
fn nearest<K: Ord>(
    ids: impl Iterator<Item = PeerId>,
    k: usize,
    key: impl Fn(&PeerId) -> K,
) -> Vec<PeerId> {
    let mut best: Vec<(K, PeerId)> = Vec::with_capacity(k + 1);
    for id in ids {
        let key = key(&id);
        let at = best.partition_point(|(other, _)| *other < key);
        if at < k && best.get(at).is_none_or(|(_, other)| *other != id) {
            best.insert(at, (key, id));
            best.truncate(k);
        }
    }
    best.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::peer;
    use rand::{SeedableRng as _, rngs::SmallRng};

    fn neighbours(connected: usize, all: u64) -> Vec<Neighbour> {
        (1..=all)
            .map(|n| Neighbour {
                id: peer(n),
                connected: n as usize <= connected,
                in_flight: 0,
                last_used: n,
            })
            .collect()
    }

    #[test]
    fn the_ring_wraps_and_leaves_oneself_out() {
        let ids = || (1..=5).map(peer);
        assert_eq!(ring_successors(&peer(4), ids(), 2), [peer(5), peer(1)]);
        assert_eq!(ring_predecessors(&peer(2), ids(), 2), [peer(1), peer(5)]);
        assert_eq!(ring_successors(&peer(1), [peer(1)], 2), []);
        assert_eq!(ring_successors(&peer(9), [peer(1)], 2), [peer(1)]);
    }

    #[test]
    fn ring_successors_and_peers_at_work_are_watched() {
        let settings = Settings::new("m");
        let mut peers = neighbours(3, 6);
        peers[4].in_flight = 1;
        assert_eq!(to_watch(&peer(0), &peers, &settings), [peer(1), peer(2)]);
        peers[2].in_flight = 1;
        assert_eq!(to_watch(&peer(0), &peers, &settings), [peer(1), peer(2), peer(3)]);
    }

    #[test]
    fn ring_successors_are_dialled_even_when_there_are_enough_connections() {
        let settings = Settings { neighbours: 3, ..Settings::new("m") };
        let mut peers = neighbours(0, 30);
        peers[20..25].iter_mut().for_each(|peer| peer.connected = true);
        let mut rng = SmallRng::seed_from_u64(3);
        let dial = to_dial(&peer(0), &peers, &settings, |_| true, &mut rng);
        assert_eq!(dial, [peer(1), peer(2)]);
        assert_eq!(to_dial(&peer(0), &peers, &settings, |_| false, &mut rng), []);
    }

    #[test]
    fn a_lonely_node_dials_up_to_the_wanted_number() {
        let settings = Settings::new("m");
        let peers = neighbours(2, 40);
        let mut rng = SmallRng::seed_from_u64(4);
        let dial = to_dial(&peer(0), &peers, &settings, |id| *id != peer(40), &mut rng);
        assert_eq!(dial.len(), settings.neighbours - 2);
        assert_eq!(dial.iter().collect::<BTreeSet<_>>().len(), dial.len());
        assert!(!dial.contains(&peer(40)) && !dial.contains(&peer(1)));
    }

    #[test]
    fn pruning_spares_the_ring_and_work_and_happens_on_one_side() {
        let settings = Settings::new("m");
        let mut peers = neighbours(16, 16);
        assert_eq!(to_prune(&peer(0), &peers, &settings), []);
        peers = neighbours(20, 20);
        peers[2].in_flight = 1;
        // 1, 2 and 19, 20 are ring neighbours, 3 works.
        let least_recent = (4..=11).map(peer).collect::<Vec<_>>();
        assert_eq!(to_prune(&peer(0), &peers, &settings), least_recent);
        assert_eq!(to_prune(&peer(99), &peers, &settings), []);
        let crowd = neighbours(25, 25);
        assert_eq!(to_prune(&peer(99), &crowd, &settings).len(), 13);
    }
}
