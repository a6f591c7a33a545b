//! Reaching peers: dials for calls and for company, addresses that are joined, peers that were lost.

use std::collections::HashSet;

use libp2p::{Multiaddr, PeerId};
use rand::Rng;

use super::{
    DialFailure, Effect, Neighbourhood,
    address::{is_circuit, is_link_local, is_loopback, is_private, is_quic, peer_of, relay_of},
    backoff::Backoff,
    nearby::Way,
    peer::{Dialled, Link, Peer, Phase},
};
use crate::doctor::Stranger;

/// Dials that run at once for calls, and for company.
const MAX_WANTED: usize = 48;
pub(super) const MAX_COMPANY: usize = 24;
/// Lost peers that are dialled at one time.
const REDIALS: usize = 16;
/// Most addresses that connections are kept to.
const MAX_JOINS: usize = 256;
/// Records beyond which others cannot name new peers.
const MAX_NAMED: usize = 4096;
/// How long a stranger is left alone, in ms: its owner may have corrected the mesh's name.
const STRANGER_MS: u64 = 60_000;
/// How soon an address is joined again after its connection ended, in ms.
const REJOIN_MS: u64 = 200;
/// The same where the other side parted, if neighbours are wanted then.
const PARTED_MS: u64 = 60_000;

/// Addresses to which connections are kept.
#[derive(Debug, Default)]
pub(super) struct Joins(Vec<Join>);

#[derive(Debug)]
struct Join {
    address: Multiaddr,
    dialled: bool,
    peer: Option<PeerId>,
    next_at: u64,
    backoff: Backoff,
}

/// What a dial is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Peer(PeerId),
    Join(usize),
    /// A peer that is connected through an entry node.
    Directly,
}

impl Neighbourhood {
    /// Keeps a connection to an address too.
    pub(super) fn join(&mut self, address: Multiaddr, now: u64, out: &mut Vec<Effect>) {
        let known = self.joins.0.iter().any(|join| join.address == address);
        if !known && self.joins.0.len() < MAX_JOINS {
            let backoff = Backoff::default();
            self.joins.0.push(Join { address, dialled: false, peer: None, next_at: 0, backoff });
            self.rejoin(now, out);
        }
    }

    /// mDNS, or a node that is full, named a peer.
    pub(super) fn on_named(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if peer == self.me {
            return;
        }
        if self.peers.len() >= MAX_NAMED && !self.peers.contains_key(&peer) {
            return;
        }
        let known = self.peers.entry(peer).or_default();
        addresses.into_iter().for_each(|address| known.name(address));
        // A node that has just started may be named before all its listeners are: TCP is worth
        // waiting for, because it tells at once when the other side dies.
        if known.named.iter().any(|address| !is_quic(address) && !is_link_local(address)) {
            self.greet(peer, now, out);
        }
    }

    /// mDNS takes an address back.
    pub(super) fn on_unnamed(&mut self, peer: &PeerId, address: &Multiaddr) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.named.retain(|named| named != address);
        }
    }

    /// Dials those who were named and are not known, within the bound.
    pub(super) fn greet_named(&mut self, now: u64, out: &mut Vec<Effect>) {
        let named: Vec<_> =
            self.peers.iter().filter(|(_, p)| !p.named.is_empty()).map(|(id, _)| *id).collect();
        for peer in named {
            self.greet(peer, now, out);
        }
    }

    fn greet(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        if self.directory.get(&peer).is_none() && self.may_dial(&peer, now) && self.room() > 0 {
            self.dial(peer, false, now, out);
        }
    }

    /// Whether a peer can be dialled for company.
    pub(super) fn may_dial(&self, peer: &PeerId, now: u64) -> bool {
        if self.blocked.contains(peer) {
            return false;
        }
        self.peers
            .get(peer)
            .is_none_or(|known| matches!(known.phase, Phase::Gone) && known.backoff.ready(now))
    }

    /// How many more neighbours are wanted.
    fn room(&self) -> usize {
        let near = self.peers.values().filter(|peer| peer.connected() || peer.dialled()).count();
        self.settings.wanted.saturating_sub(near)
    }

    /// A call needs a connection.
    pub(super) fn on_wanted(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let known = self.peers.entry(peer).or_default();
        if known.connected() {
            // It is needed after all.
            if let Phase::Parting { link, .. } = &mut known.phase {
                link.used_at = now;
            }
            return out.push(Effect::Reached(peer));
        }
        if let Phase::Dialled(dialled) = &mut known.phase {
            dialled.wanted = true;
            return;
        }
        self.dial(peer, true, now, out);
    }

    /// Dials a peer at every address that is known of it, TCP first.
    pub(super) fn dial(&mut self, peer: PeerId, wanted: bool, now: u64, out: &mut Vec<Effect>) {
        if self.blocked.contains(&peer) {
            if wanted {
                out.push(Effect::Unreached { peer, why: "you blocked it", own: false });
            }
            return;
        }
        let known = self.peers.entry(peer).or_default();
        if known.connected() || known.dialled() {
            return;
        }
        let most = if wanted { MAX_WANTED } else { MAX_COMPANY };
        if self.dials.len() >= most {
            if wanted {
                let why = "too many connections are being made";
                out.push(Effect::Unreached { peer, why, own: true });
            }
            return;
        }
        let (first, fallback) = split(self.addresses_of(&peer));
        if first.is_empty() {
            if wanted {
                let why = "nobody knows an address of it";
                out.push(Effect::Unreached { peer, why, own: false });
            }
            return self.check_failed(peer, now, out);
        }
        self.dial_at(peer, (first, fallback), wanted, now, out);
    }

    fn dial_at(
        &mut self,
        peer: PeerId,
        (addresses, fallback): (Vec<Multiaddr>, Vec<Multiaddr>),
        wanted: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let dial = self.next_dial(Target::Peer(peer));
        let known = self.peers.entry(peer).or_default();
        known.phase = Phase::Dialled(Dialled { dial, since: now, fallback, wanted });
        out.push(Effect::Dial { dial, peer: Some(peer), addresses });
    }

    fn next_dial(&mut self, target: Target) -> u64 {
        self.last_dial += 1;
        self.dials.insert(self.last_dial, target);
        self.last_dial
    }

    /// Dials a peer that is connected through an entry node.
    pub(super) fn dial_directly(
        &mut self,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        out: &mut Vec<Effect>,
    ) {
        if self.dials.len() < MAX_COMPANY {
            let dial = self.next_dial(Target::Directly);
            out.push(Effect::Dial { dial, peer: Some(peer), addresses });
        }
    }

    pub(super) fn addresses_of(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let advert = self.directory.get(peer).map(|entry| entry.advert.multiaddrs());
        let known = self.peers.get(peer);
        let named = known.into_iter().flat_map(|known| &known.named).cloned();
        let remembered = known.into_iter().flat_map(|known| &known.remembered).cloned();
        let near = known.into_iter().flat_map(|known| &known.nearby.addresses).cloned();
        let advert = advert.into_iter().flatten();
        let mut all: Vec<_> = advert.chain(named).chain(near).chain(remembered).collect();
        let mut seen = HashSet::new();
        all.retain(|address| seen.insert(address.clone()));
        // Through ourselves we have no way to anybody who is not connected.
        all.retain(|address| relay_of(address) != Some(self.me));
        // Another machine's loopback is our own.
        if all.iter().any(|address| !is_loopback(address)) {
            all.retain(|address| !is_loopback(address));
        }
        all
    }

    /// A connection is there; perhaps not the first one.
    pub(super) fn on_connected(
        &mut self,
        peer: PeerId,
        dial: Option<u64>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        match dial.and_then(|dial| self.dials.remove(&dial)) {
            Some(Target::Join(index)) => {
                if let Some(join) = self.joins.0.get_mut(index) {
                    (join.dialled, join.peer) = (false, Some(peer));
                }
            }
            // A second connection, and a better one.
            Some(Target::Directly) => return,
            Some(Target::Peer(_)) | None => {}
        }
        let known = self.peers.entry(peer).or_default();
        known.backoff.succeeded();
        (known.left, known.stranger, known.sought_until) = (false, None, 0);
        known.remembered.clear();
        match &mut known.phase {
            Phase::Connected(_) | Phase::Known(_) => {}
            Phase::Parting { link, .. } => known.phase = Phase::Known(std::mem::take(link)),
            Phase::Gone | Phase::Admitted { .. } | Phase::Dialled(_) => {
                let dialled = dial.is_some();
                let link = Link { used_at: now, dialled, greeted_at: now, ..Link::default() };
                known.phase = Phase::Connected(link);
                // A command that passes by connects, asks once and goes, as often as people type
                // it: what one may ask is counted for each connection, and for all together.
                self.limits.exchanges.forget(&peer);
            }
        }
        if self.blocked.contains(&peer) {
            // Its address was dialled before anybody knew whose it is.
            out.push(Effect::Unreached { peer, why: "you blocked it", own: false });
            return out.push(Effect::Close(peer));
        }
        self.alive(peer, now, out);
        if dial.is_some() {
            self.ask(peer, true, true, out);
        }
        out.push(Effect::Reached(peer));
    }

    /// The last connection is gone.
    pub(super) fn on_disconnected(
        &mut self,
        peer: PeerId,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        let known = self.peers.get(&peer);
        let expected = known.is_some_and(|known| now < known.parted_until);
        let exchanged = known.is_some_and(Peer::exchanged);
        let alone = self.connections() <= 1;
        for join in self.joins.0.iter_mut().filter(|join| join.peer == Some(peer)) {
            join.peer = None;
            if exchanged {
                join.backoff.succeeded();
            }
            // A node that has neighbours enough parts from whoever joined it.
            let pause = if expected && !alone { PARTED_MS } else { REJOIN_MS };
            join.next_at = join.backoff.asked(pause, now, rng);
        }
        let known_here = self.directory.get(&peer).is_some();
        self.doubt_nearby(&peer);
        let Some(known) = self.peers.get_mut(&peer) else { return };
        if !known.connected() {
            return;
        }
        (known.phase, known.way, known.direct_at) = (Phase::Gone, Way::Near, 0);
        known.left = !known_here && !known.named.is_empty();
        known.parted_until = 0;
        if !expected {
            return self.witness(peer, now, out);
        }
        // Not back at once: it was to save resources.
        known.backoff.rest(now, rng);
    }

    /// Whether a dial that is under way looks for a peer that was here and left.
    pub fn left(&self, dial: u64) -> bool {
        let Some(Target::Peer(peer)) = self.dials.get(&dial) else { return false };
        self.peers.get(peer).is_some_and(|known| known.left)
    }

    /// A dial failed at all its addresses.
    pub(super) fn on_dial_failed(
        &mut self,
        dial: u64,
        why: DialFailure,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        match self.dials.remove(&dial) {
            Some(Target::Join(index)) => self.join_failed(index, why, now, rng, out),
            Some(Target::Peer(peer)) => self.peer_failed(peer, dial, why, now, rng, out),
            Some(Target::Directly) | None => {}
        }
    }

    fn join_failed(
        &mut self,
        index: usize,
        why: DialFailure,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        let Some(join) = self.joins.0.get_mut(index) else { return };
        join.dialled = false;
        join.next_at = match &why {
            DialFailure::Full { retry_after_ms, .. } => {
                join.backoff.asked(*retry_after_ms, now, rng)
            }
            _ => join.backoff.failed(now, rng),
        };
        if let DialFailure::Full { others, .. } = why {
            self.try_others(others, now, out);
        }
    }

    fn peer_failed(
        &mut self,
        peer: PeerId,
        dial: u64,
        why: DialFailure,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Phase::Dialled(dialled) = &mut known.phase else { return };
        if dialled.dial != dial {
            return;
        }
        let (wanted, since) = (dialled.wanted, dialled.since);
        // A refusal everywhere says that the machine is there and the process is not: where it was
        // here a moment ago, that is all there is to know. QUIC would only say nothing for seconds.
        let settled = why == DialFailure::Refused && known.check.is_some();
        let elsewhere = matches!(why, DialFailure::Refused | DialFailure::Silent);
        let fallback = std::mem::take(&mut dialled.fallback);
        if elsewhere && !settled && !fallback.is_empty() {
            return self.dial_at(peer, split(fallback), wanted, now, out);
        }
        known.phase = Phase::Gone;
        let own = why == DialFailure::Own;
        if wanted {
            let text = match &why {
                DialFailure::Full { .. } => "it has no room for another connection",
                DialFailure::Stranger(_) => "it is not of this mesh",
                DialFailure::Own => "this node has no room for another connection",
                DialFailure::Refused | DialFailure::Silent => "it cannot be reached",
            };
            out.push(Effect::Unreached { peer, why: text, own });
        }
        match why {
            DialFailure::Own => known.backoff.rest(now, rng),
            DialFailure::Full { retry_after_ms, others } => {
                known.backoff.asked(retry_after_ms, now, rng);
                self.alive(peer, now, out);
                self.try_others(others, now, out);
            }
            DialFailure::Stranger(stranger) => {
                known.stranger = Some(stranger);
                known.backoff.asked(STRANGER_MS, now, rng);
                self.check_failed(peer, now, out);
            }
            DialFailure::Refused | DialFailure::Silent => {
                if known.left && why == DialFailure::Refused {
                    // It left, and its process has ended; mDNS would go on naming it for minutes.
                    known.named.clear();
                }
                known.backoff.failed(now, rng);
                if known.check.is_some() && known.vouched_at.is_some_and(|at| at > since) {
                    // It spoke since: what the dial found is how things were before.
                    return self.look_again(peer, now, out);
                }
                self.check_failed(peer, now, out);
            }
        }
    }

    /// A peer was found not to be of this mesh: it is left alone for a while, whoever dialled.
    pub(super) fn on_stranger(
        &mut self,
        peer: PeerId,
        stranger: Stranger,
        now: u64,
        rng: &mut impl Rng,
    ) {
        if self.peers.len() >= MAX_NAMED && !self.peers.contains_key(&peer) {
            return;
        }
        let known = self.peers.entry(peer).or_default();
        if !known.connected() {
            known.stranger = Some(stranger);
            known.backoff.asked(STRANGER_MS, now, rng);
        }
    }

    fn try_others(
        &mut self,
        others: Vec<(PeerId, Vec<Multiaddr>)>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        for (peer, addresses) in others {
            self.on_named(peer, addresses, now, out);
        }
    }

    /// Dials joins that are due, and lost peers whose backoff is over.
    pub(super) fn redial(&mut self, now: u64, out: &mut Vec<Effect>) {
        self.rejoin(now, out);
        let due: Vec<_> = self
            .peers
            .iter()
            .filter(|(id, peer)| now < peer.sought_until && self.may_dial(id, now))
            .map(|(id, _)| *id)
            .take(REDIALS)
            .collect();
        for peer in due {
            self.dial(peer, false, now, out);
        }
    }

    fn rejoin(&mut self, now: u64, out: &mut Vec<Effect>) {
        let lonely = self.room() > 0;
        for index in 0..self.joins.0.len() {
            let join = &mut self.joins.0[index];
            // Whatever neighbours there are here: what lies beyond is reached by this alone.
            let beyond = !is_private(&join.address);
            if join.peer.is_none() && !join.dialled && now >= join.next_at && !lonely && !beyond {
                join.next_at = now + PARTED_MS;
            }
            if join.peer.is_some() || join.dialled || now < join.next_at {
                continue;
            }
            let (address, peer) = (join.address.clone(), peer_of(&join.address));
            if let Some(peer) = peer.filter(|peer| {
                self.peers.get(peer).is_some_and(|known| known.connected() || known.dialled())
            }) {
                // Whatever way it is connected.
                if self.peers.get(&peer).is_some_and(Peer::connected) {
                    join.peer = Some(peer);
                }
                continue;
            }
            join.dialled = true;
            let dial = self.next_dial(Target::Join(index));
            out.push(Effect::Dial { dial, peer, addresses: vec![address] });
        }
    }
}

/// The addresses to try first, and those to try where they fail: TCP, then QUIC, then through entry
/// nodes.
fn split(all: Vec<Multiaddr>) -> (Vec<Multiaddr>, Vec<Multiaddr>) {
    let (circuits, direct): (Vec<_>, Vec<_>) = all.into_iter().partition(is_circuit);
    let (quic, tcp): (Vec<_>, Vec<_>) = direct.into_iter().partition(is_quic);
    match (tcp.is_empty(), quic.is_empty()) {
        (false, _) => (tcp, [quic, circuits].concat()),
        (true, false) => (quic, circuits),
        (true, true) => (circuits, Vec::new()),
    }
}
