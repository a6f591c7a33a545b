//! Whom to connect to, whom to watch, whom to let go. Pure functions over peers.
//!
//! The live nodes form a ring by their ids. Every node keeps connections to the next few on the
//! ring and watches them, so every node is watched by someone, whatever the size of the mesh; the
//! other connections are random, which keeps the graph well connected. Who cannot be reached by us
//! takes no place on the ring as we see it: made-up identities would otherwise take all of them.

use std::{cmp::Reverse, collections::BTreeSet};

use libp2p::PeerId;
use rand::{Rng, seq::SliceRandom as _};

/// More connections than wanted by this many are tolerated before any is closed.
const SLACK: usize = 4;
/// A peer that never exchanged is given this long before it may be closed for others, in ms.
pub(super) const GRACE_MS: u64 = 5_000;

/// A peer, as far as connections go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub id: PeerId,
    /// Whether there is a connection.
    pub connected: bool,
    /// Whether it exchanged adverts with us, now or earlier.
    pub met: bool,
    /// Whether it could not be reached when it was last tried.
    pub unreachable: bool,
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

/// Whose pulse to watch: the nearest `watched` successors that are connected, and every peer with
/// calls in flight.
pub fn to_watch(me: &PeerId, peers: &[Neighbour], watched: usize) -> Vec<PeerId> {
    let connected = || peers.iter().filter(|peer| peer.connected);
    let near = connected().filter(|peer| peer.met).map(|peer| peer.id);
    let ring: BTreeSet<_> = ring_successors(me, near, watched).into_iter().collect();
    connected()
        .filter(|peer| peer.in_flight > 0 || ring.contains(&peer.id))
        .map(|peer| peer.id)
        .collect()
}

/// Whom to dial now: ring successors that are not connected, then others until there are `wanted`
/// connections, at random, those that were met before first. `may_dial` says whether a peer can be
/// dialled at all: its backoff is over and no dial is under way.
pub fn to_dial(
    me: &PeerId,
    peers: &[Neighbour],
    (wanted, watched): (usize, usize),
    may_dial: impl Fn(&PeerId) -> bool,
    rng: &mut impl Rng,
) -> Vec<PeerId> {
    let connected: BTreeSet<_> =
        peers.iter().filter(|peer| peer.connected).map(|peer| peer.id).collect();
    let ring = ring_successors(me, on_ring(peers), watched);
    let mut dial: Vec<_> =
        ring.iter().filter(|id| !connected.contains(id) && may_dial(id)).copied().collect();
    let mut missing = wanted.saturating_sub(connected.len() + dial.len());
    for met in [true, false] {
        if missing == 0 {
            break;
        }
        let mut others: Vec<_> = peers
            .iter()
            .filter(|peer| peer.met == met && !peer.connected && !ring.contains(&peer.id))
            .map(|peer| peer.id)
            .filter(&may_dial)
            .collect();
        let (random, _) = others.partial_shuffle(rng, missing);
        dial.extend_from_slice(random);
        missing -= random.len();
    }
    dial
}

/// Which connections to close when there are more than `wanted` + 4: first those that never
/// exchanged and have had time to, then the least recently used. Never ring neighbours on either
/// side, never peers with calls in flight. The side with the smaller id closes, so that not both do;
/// beyond twice the wanted number either side does, or the node with the greatest id could not help
/// itself. Who never exchanged would never close, so that is always ours to do.
pub fn to_prune(
    me: &PeerId,
    peers: &[Neighbour],
    (wanted, watched): (usize, usize),
    now: u64,
) -> Vec<PeerId> {
    let connected = peers.iter().filter(|peer| peer.connected).count();
    if connected <= wanted + SLACK {
        return Vec::new();
    }
    let kept: BTreeSet<_> = ring_successors(me, on_ring(peers), watched)
        .into_iter()
        .chain(ring_predecessors(me, on_ring(peers), watched))
        .collect();
    let crowded = connected > 2 * wanted;
    let mut idle: Vec<_> = peers
        .iter()
        .filter(|peer| peer.connected && peer.in_flight == 0)
        .filter(|peer| match peer.met {
            true => !kept.contains(&peer.id) && (crowded || *me < peer.id),
            false => now >= peer.last_used + GRACE_MS,
        })
        .collect();
    idle.sort_by_key(|peer| (peer.met, peer.last_used, peer.id));
    idle.iter().take(connected - wanted).map(|peer| peer.id).collect()
}

/// Who has a place on the ring, as far as we know.
fn on_ring(peers: &[Neighbour]) -> impl Iterator<Item = PeerId> {
    peers.iter().filter(|peer| peer.connected || !peer.unreachable).map(|peer| peer.id)
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

    const USUAL: (usize, usize) = (12, 2);

    fn neighbours(connected: usize, all: u64) -> Vec<Neighbour> {
        (1..=all)
            .map(|n| Neighbour {
                id: peer(n),
                connected: n as usize <= connected,
                met: true,
                unreachable: false,
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
        let mut peers = neighbours(3, 6);
        peers[4].in_flight = 1;
        assert_eq!(to_watch(&peer(0), &peers, 2), [peer(1), peer(2)]);
        peers[2].in_flight = 1;
        assert_eq!(to_watch(&peer(0), &peers, 2), [peer(1), peer(2), peer(3)]);
        // Whoever is nearest of those that are connected, and exchanged adverts.
        peers[0].connected = false;
        peers[2] = Neighbour { in_flight: 0, met: false, ..peers[2] };
        peers[3].connected = true;
        assert_eq!(to_watch(&peer(0), &peers, 2), [peer(2), peer(4)]);
    }

    #[test]
    fn ring_successors_are_dialled_even_when_there_are_enough_connections() {
        let mut peers = neighbours(0, 30);
        peers[20..25].iter_mut().for_each(|peer| peer.connected = true);
        let mut rng = SmallRng::seed_from_u64(3);
        let dial = to_dial(&peer(0), &peers, (3, 2), |_| true, &mut rng);
        assert_eq!(dial, [peer(1), peer(2)]);
        assert_eq!(to_dial(&peer(0), &peers, (3, 2), |_| false, &mut rng), []);
        // Who could not be reached leaves its place on the ring to the next.
        peers[..2].iter_mut().for_each(|peer| peer.unreachable = true);
        assert_eq!(to_dial(&peer(0), &peers, (3, 2), |_| true, &mut rng), [peer(3), peer(4)]);
    }

    #[test]
    fn a_lonely_node_dials_up_to_the_wanted_number() {
        let mut peers = neighbours(2, 40);
        let mut rng = SmallRng::seed_from_u64(4);
        let dial = to_dial(&peer(0), &peers, USUAL, |id| *id != peer(40), &mut rng);
        assert_eq!(dial.len(), USUAL.0 - 2);
        assert_eq!(dial.iter().collect::<BTreeSet<_>>().len(), dial.len());
        assert!(!dial.contains(&peer(40)) && !dial.contains(&peer(1)));
        // Those that were met come before those that others only tell of.
        peers[5..].iter_mut().for_each(|peer| peer.met = false);
        let dial = to_dial(&peer(0), &peers, USUAL, |_| true, &mut rng);
        assert!([3, 4, 5].iter().all(|n| dial.contains(&peer(*n))), "{dial:?}");
    }

    #[test]
    fn pruning_spares_the_ring_and_work_and_happens_on_one_side() {
        let mut peers = neighbours(16, 16);
        assert_eq!(to_prune(&peer(0), &peers, USUAL, 100), []);
        peers = neighbours(20, 20);
        peers[2].in_flight = 1;
        // 1, 2 and 19, 20 are ring neighbours, 3 works.
        let least_recent = (4..=11).map(peer).collect::<Vec<_>>();
        assert_eq!(to_prune(&peer(0), &peers, USUAL, 100), least_recent);
        assert_eq!(to_prune(&peer(99), &peers, USUAL, 100), []);
        let crowd = neighbours(25, 25);
        assert_eq!(to_prune(&peer(99), &crowd, USUAL, 100).len(), 13);
    }

    #[test]
    fn who_never_exchanged_goes_first_once_it_had_time_to() {
        let mut peers = neighbours(20, 20);
        peers[12..].iter_mut().for_each(|peer| peer.met = false);
        let idle: Vec<_> = (13..=20).map(peer).collect();
        assert_eq!(to_prune(&peer(99), &peers, USUAL, 100), [], "the smaller id closes");
        assert_eq!(to_prune(&peer(99), &peers, USUAL, GRACE_MS + 20), idle);
        peers[19].in_flight = 1;
        assert_eq!(to_prune(&peer(99), &peers, USUAL, GRACE_MS + 20), idle[..7]);
    }
}
