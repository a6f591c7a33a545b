//! Entry nodes: which of them this node holds a place at, so that others reach it through them.
//!
//! An entry node says in its advert that it is one. Whoever knows of any keeps places at up to two of
//! them, and takes another where one is lost. From then on addresses of the own LAN are told to the
//! own LAN only: see `nearby`.

use std::collections::BTreeMap;

use libp2p::PeerId;
use rand::Rng;

use super::{Effect, Neighbourhood, address, backoff::Backoff, peer::Peer};

/// Entry nodes at which a place is held.
pub const PLACES: usize = 2;
/// How long an entry node may take to give a place, in ms.
const ANSWER_MS: u64 = 10_000;
/// Entry nodes that are remembered because they were tried.
const MAX_TRIED: usize = 64;

/// Places at entry nodes.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<PeerId, Place>);

#[derive(Debug, Default)]
struct Place {
    state: State,
    backoff: Backoff,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Asked {
        since: u64,
    },
    Held,
}

impl Places {
    /// Whether a place is held there, or asked for.
    pub(super) fn taken(&self, entry: &PeerId) -> bool {
        self.0.get(entry).is_some_and(|place| place.state != State::None)
    }
}

impl Neighbourhood {
    /// Whether an entry node is known: then addresses of the own LAN are told to the own LAN only.
    pub fn entry_known(&self) -> bool {
        self.settings.entry || !self.entries.is_empty()
    }

    /// The entry nodes at which this node holds a place.
    pub fn places(&self) -> impl Iterator<Item = &PeerId> {
        self.places.0.iter().filter(|(_, place)| place.state == State::Held).map(|(peer, _)| peer)
    }

    /// A node of the directory came, changed or went: with the first entry node, and with the last,
    /// what our own advert says changes.
    pub(super) fn note_entry(&mut self, peer: PeerId, out: &mut Vec<Effect>) {
        let before = self.entry_known();
        match self.directory.get(&peer).is_some_and(|known| known.advert.entry) {
            true => self.entries.insert(peer),
            false => self.entries.remove(&peer),
        };
        if self.entry_known() != before
            && let Some(above) = self.directory.own_seq()
        {
            out.push(Effect::Readvertise { above });
        }
    }

    /// An entry node gave a place.
    pub(super) fn on_reserved(&mut self, entry: PeerId) {
        let place = self.places.0.entry(entry).or_default();
        (place.state, place.backoff) = (State::Held, Backoff::default());
    }

    /// The place at an entry node is gone, or was not given.
    pub(super) fn on_unreserved(&mut self, entry: PeerId, now: u64, rng: &mut impl Rng) {
        if let Some(place) = self.places.0.get_mut(&entry) {
            place.state = State::None;
            place.backoff.failed(now, rng);
        }
    }

    /// Sees to it that places are held.
    pub(super) fn keep_places(&mut self, now: u64, rng: &mut impl Rng, out: &mut Vec<Effect>) {
        if !self.settings.reserves || self.entries.is_empty() && self.places.0.is_empty() {
            return;
        }
        for (entry, place) in &mut self.places.0 {
            if matches!(place.state, State::Asked { since } if now >= since + ANSWER_MS) {
                place.state = State::None;
                place.backoff.failed(now, rng);
                out.push(Effect::Unreserve(*entry));
            }
        }
        let known = self.entries.iter().filter(|entry| !self.blocked.contains(entry));
        let mut known: Vec<_> = known.map(|entry| (rank(&self.me, entry), *entry)).collect();
        if self.places.0.len() > MAX_TRIED {
            self.places.0.retain(|peer, _| self.entries.contains(peer));
        }
        // Those that are held stay; the others each node tries in an order of its own.
        known.sort_by_key(|(rank, entry)| (!self.places.taken(entry), *rank));
        let taken = known.iter().filter(|(_, entry)| self.places.taken(entry)).count();
        let mut wanted = PLACES.saturating_sub(taken);
        for (_, entry) in known.into_iter().skip(taken) {
            if wanted == 0 {
                return;
            }
            if self.ask_for_place(entry, now, out) {
                wanted -= 1;
            }
        }
    }

    /// Asks an entry node for a place, or dials it first. False where neither can be done now.
    fn ask_for_place(&mut self, entry: PeerId, now: u64, out: &mut Vec<Effect>) -> bool {
        if self.peers.get(&entry).is_some_and(Peer::dialled) {
            return true;
        }
        let place = self.places.0.entry(entry).or_default();
        if !place.backoff.ready(now) {
            return false;
        }
        if self.peers.get(&entry).is_some_and(Peer::connected) {
            let advert = self.directory.get(&entry).map(|known| known.advert.multiaddrs());
            let mut direct = advert.into_iter().flatten().filter(|a| !address::is_circuit(a));
            let Some(address) = direct.next() else { return false };
            place.state = State::Asked { since: now };
            out.push(Effect::Reserve { entry, address });
            return true;
        }
        let may_dial = self.may_dial(&entry, now);
        if may_dial {
            self.dial(entry, false, now, out);
        }
        may_dial
    }
}

/// The order in which a node tries entry nodes: another one for each, so that they share the load.
fn rank(me: &PeerId, entry: &PeerId) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&me.to_bytes()).update(&entry.to_bytes());
    *hasher.finalize().as_bytes()
}
