//! Who is let in, who is kept, who is parted from when there are too many.

use std::collections::BTreeSet;

use libp2p::{Multiaddr, PeerId};
use rand::{Rng, seq::IteratorRandom as _};

use super::{
    Effect, Neighbourhood,
    peer::{Peer, Phase},
    ring::{self, GRACE_MS},
};
use crate::protocol::{MAX_MALFORMED, Request};

/// Time between the word of parting and the closing of the connection, in ms.
const PARTING_MS: u64 = 500;
/// How long the word of parting explains the end of a connection, in ms.
const PARTING_BELIEVED_MS: u64 = 5_000;
/// How long a peer that was told that there is room has to connect, in ms.
const ADMITTED_MS: u64 = 5_000;
/// When a node that is full may be asked again, in ms.
const FULL_MS: u64 = 5_000;
/// Whom a node that is full names.
const OTHERS: usize = 4;

/// Whether there is room for a peer that knocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Door {
    /// Come in.
    Open,
    /// Never, and no word of why.
    Shut,
    /// Not now.
    Full {
        /// When to come back.
        retry_after_ms: u64,
        /// Whom to try instead, with addresses.
        others: Vec<(PeerId, Vec<Multiaddr>)>,
    },
}

impl Neighbourhood {
    /// A peer wants to connect. A fifth of all connections is kept for dials of our own; when the
    /// rest is taken, a peer that never exchanged adverts goes, and where there is none, somebody of
    /// whom there are enough, if the newcomer is one of the mesh.
    pub fn knock(&mut self, peer: PeerId, now: u64, rng: &mut impl Rng) -> (Door, Vec<Effect>) {
        let mut effects = Vec::new();
        if self.blocked.contains(&peer) {
            return (Door::Shut, effects);
        }
        let known = self.peers.get(&peer);
        let expected = |known: &Peer| matches!(known.phase, Phase::Admitted { .. });
        if known.is_some_and(|known| known.connected() || known.dialled() || expected(known)) {
            return (Door::Open, effects);
        }
        let most = self.settings.most;
        let reserve = (most / 5).min(64);
        let taken = |peer: &&Peer| {
            peer.connected() || matches!(peer.phase, Phase::Admitted { until } if now < until)
        };
        let taken = self.peers.values().filter(taken).count();
        if taken + reserve >= most.max(1) {
            let of_mesh = self.directory.get(&peer).is_some();
            // Who makes room is still there for a moment: not too many at once.
            let idle = self.dispensable(of_mesh, now).filter(|_| taken + reserve / 2 < most);
            let Some(idle) = idle else {
                let retry_after_ms = FULL_MS;
                return (Door::Full { retry_after_ms, others: self.others(&peer, rng) }, effects);
            };
            self.let_go(idle, now + PARTING_BELIEVED_MS, now);
            effects.push(Effect::Close(idle));
        }
        self.peers.entry(peer).or_default().phase = Phase::Admitted { until: now + ADMITTED_MS };
        (Door::Open, effects)
    }

    /// Who makes room: the longest idle of those that never exchanged; for a node of the mesh also
    /// one that is not needed.
    fn dispensable(&self, for_mesh: bool, now: u64) -> Option<PeerId> {
        let idle =
            |peer: &&ring::Neighbour| peer.in_flight == 0 && now >= peer.last_used + GRACE_MS;
        let linked: Vec<_> = self.linked().filter(|peer| !self.is_parting(&peer.id)).collect();
        let stranger = linked.iter().filter(idle).filter(|peer| !peer.met);
        let stranger = stranger.min_by_key(|peer| peer.last_used).map(|peer| peer.id);
        let spare = || {
            let few = (self.settings.wanted, self.settings.watched);
            ring::to_prune(&self.me, &linked, few, now).first().copied()
        };
        stranger.or_else(|| if for_mesh { spare() } else { None })
    }

    fn is_parting(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| matches!(peer.phase, Phase::Parting { .. }))
    }

    /// Some whom a peer may try instead.
    fn others(&self, but: &PeerId, rng: &mut impl Rng) -> Vec<(PeerId, Vec<Multiaddr>)> {
        self.directory
            .entries()
            .filter(|(id, entry)| *id != but && !entry.advert.addresses.is_empty())
            .filter(|(id, _)| self.peers.get(id).is_some_and(|peer| peer.met_at.is_some()))
            .sample(rng, OTHERS)
            .into_iter()
            .map(|(id, entry)| (*id, entry.advert.multiaddrs()))
            .collect()
    }

    /// Dials who should be a neighbour and parts from who need not be.
    pub(super) fn keep_neighbours(&mut self, now: u64, rng: &mut impl Rng, out: &mut Vec<Effect>) {
        self.greet_named(now, out);
        let near = self.near();
        let few = (self.settings.wanted, self.settings.watched);
        let may_dial = |peer: &PeerId| self.may_dial(peer, now);
        // To an entry node others come; where they cannot be dialled, it need not try.
        let reach = |peer: &PeerId| !self.settings.entry || !self.addresses_of(peer).is_empty();
        let may_dial = |peer: &PeerId| may_dial(peer) && reach(peer);
        for peer in ring::to_dial(&self.me, &near, few, may_dial, rng) {
            self.dial(peer, false, now, out);
        }
        for peer in ring::to_prune(&self.me, &near, few, now) {
            self.part(peer, now, out);
        }
    }

    /// Says that a connection is not needed; it is closed once the words are out.
    fn part(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        if self.let_go(peer, now + PARTING_MS, now) {
            out.push(Effect::Tell { peer, request: Request::Parting });
        }
    }

    /// A connection is not needed any more. False where it is being closed already.
    fn let_go(&mut self, peer: PeerId, close_at: u64, now: u64) -> bool {
        let Some(known) = self.peers.get_mut(&peer) else { return false };
        let (Phase::Connected(link) | Phase::Known(link)) = &mut known.phase else { return false };
        known.phase = Phase::Parting { link: std::mem::take(link), close_at };
        known.parted_until = now + PARTING_BELIEVED_MS;
        true
    }

    /// From now on the owner wants nothing to do with these, and with nobody else of that kind.
    pub(super) fn block(&mut self, peers: BTreeSet<PeerId>, out: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.blocked, peers);
        for peer in self.blocked.symmetric_difference(&before) {
            // They show, or do not any more.
            out.push(Effect::Changed(*peer));
        }
        let linked = |peer: &&PeerId| self.peers.get(*peer).is_some_and(Peer::connected);
        out.extend(self.blocked.iter().filter(linked).map(|peer| Effect::Close(*peer)));
    }

    /// A peer says that it will close the connection.
    pub(super) fn on_parting(&mut self, peer: PeerId, now: u64) {
        if let Some(known) = self.peers.get_mut(&peer) {
            known.parted_until = now + PARTING_BELIEVED_MS;
        }
    }

    pub(super) fn close_parted(&mut self, now: u64, out: &mut Vec<Effect>) {
        for (id, peer) in &mut self.peers {
            let Phase::Parting { link, close_at } = &mut peer.phase else { continue };
            if now < *close_at {
                continue;
            }
            if link.running > 0 || link.used_at + PARTING_MS >= now {
                // A call came in the meantime.
                peer.phase = Phase::Known(std::mem::take(link));
                peer.parted_until = 0;
            } else {
                *close_at = now + PARTING_BELIEVED_MS;
                out.push(Effect::Close(*id));
            }
        }
    }

    /// A request could not be read. Who sends nothing else is hung up on.
    pub(super) fn on_unreadable(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) else { return };
        link.unreadable += 1;
        if link.unreadable > MAX_MALFORMED {
            out.push(Effect::Close(peer));
        }
    }
}
