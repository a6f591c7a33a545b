//! Who offers what, and how fresh that is. Policy only: no IO, no clock, no randomness.
//!
//! The network actor tells the [`Directory`] what happened ([`Event`]) and carries out what it
//! answers ([`Effect`]). The rules in short:
//!
//! - Of two adverts of one node the higher sequence number wins; equal or older ones are ignored.
//! - A node that goes, by its own goodbye or because it was lost, leaves a tombstone with its last
//!   sequence number. Ghosts (adverts that are not newer) stay out until the tombstone is old, or
//!   until the node itself speaks to us.
//! - Nobody is believed gone on hearsay: a notice of loss makes the receiver look for itself, and
//!   the node that was reported answers with a newer advert.
//! - Every list has a cap: entries ([`Settings::max_nodes`]), tombstones (the same number).

pub mod backoff;
mod checks;
mod compare;
pub mod neighbours;
mod own;
mod tombstones;

use std::{collections::BTreeMap, sync::OnceLock};

use libp2p::{Multiaddr, PeerId};

use crate::protocol::{Advert, LossNotice, Rumour, SignedAdvert, exchange::MAX_DIGEST};
use checks::{CHECKED_MS, Check};
use own::Own;
use tombstones::Tombstones;

/// Adverts learned by exchange that are gossiped on: at once, and per second. Without a limit a
/// newcomer would gossip the whole directory that it is handed.
const RELAY_BURST: f64 = 20.0;
const RELAY_PER_MS: f64 = 0.002;

/// The numbers of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Adverts of any other mesh are ignored.
    pub mesh: String,
    /// Most entries, and most tombstones. At most [`MAX_DIGEST`] − 1 is used.
    pub max_nodes: usize,
    /// An entry without a newer advert expires after this time, in ms.
    pub ttl_ms: u64,
    /// Our own advert is renewed after this time, in ms.
    pub refresh_ms: u64,
    /// How long ghosts of a node that went are kept out, in ms.
    pub tombstone_ms: u64,
    /// How many connections a node looks for (see [`neighbours`]).
    pub neighbours: usize,
    /// How many ring successors a node watches (see [`neighbours::to_watch`]).
    pub watched: usize,
}

impl Settings {
    /// The usual numbers for a mesh.
    pub fn new(mesh: impl Into<String>) -> Self {
        Self {
            mesh: mesh.into(),
            max_nodes: 2000,
            ttl_ms: 30 * 60_000,
            refresh_ms: 10 * 60_000,
            tombstone_ms: 20 * 60_000,
            neighbours: 12,
            watched: 2,
        }
    }
}

/// A live node.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its newest advert.
    pub advert: Advert,
    /// The same, as it can be handed on.
    pub signed: SignedAdvert,
    /// When that advert arrived.
    pub heard_at: u64,
    /// Whether we have a connection to it.
    pub connected: bool,
    /// The last measured round trip, in ms.
    pub rtt_ms: Option<f32>,
    /// Since when it may be gone.
    pub suspect_since: Option<u64>,
}

/// How an advert arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By gossip, which hands it on by itself.
    Gossip,
    /// In an exchange, either way, such as the one on connecting.
    Exchange,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// We signed a new advert for ourselves. It is gossiped and stands in the digest.
    Own {
        /// The advert.
        advert: Advert,
        /// The same, signed.
        signed: SignedAdvert,
    },
    /// An advert arrived and its signature was found good.
    Heard {
        /// The advert.
        advert: Advert,
        /// The same, signed.
        signed: SignedAdvert,
        /// The peer whose connection brought it. When that is the author, it is proof of life.
        from: PeerId,
        /// How it arrived.
        via: Via,
    },
    /// A connection is there, or a connected peer passed a check. Answers [`Effect::Verify`].
    Connected {
        /// Who.
        peer: PeerId,
    },
    /// The last connection is gone.
    Disconnected {
        /// Who.
        peer: PeerId,
        /// False when either side closed it on purpose, such as by pruning.
        unexpected: bool,
    },
    /// A round trip was measured; also a sign of life.
    Rtt {
        /// Who.
        peer: PeerId,
        /// Milliseconds.
        ms: f32,
    },
    /// Gossip says that a peer is gone.
    Lost {
        /// The gossip.
        notice: LossNotice,
    },
    /// Our pulse got no answer over a connection.
    Silent {
        /// Who.
        peer: PeerId,
    },
    /// A dial failed on all addresses.
    Unreachable {
        /// Who.
        peer: PeerId,
    },
    /// Time passed. Wanted about every 250 ms to 1 s.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Publish this.
    Gossip(Rumour),
    /// A node is new in the directory.
    Appeared(PeerId),
    /// A node has a newer advert.
    Changed(PeerId),
    /// A node left the directory.
    Gone {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: GoneReason,
    },
    /// Find out whether this peer lives: pulse if connected, dial otherwise. The result comes back
    /// as [`Event::Connected`], [`Event::Silent`] or [`Event::Unreachable`].
    Verify(PeerId),
    /// Close all connections to a peer that went silent.
    Close(PeerId),
    /// Sign a new advert for ourselves with a sequence number above this one.
    Readvertise {
        /// The number to exceed.
        above: u64,
    },
    /// A second process runs with our identity. At most once a minute.
    Clone {
        /// Where it says it listens.
        addresses: Vec<Multiaddr>,
        /// Its nickname.
        name: String,
    },
}

/// Why a node left the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// It said so.
    Goodbye,
    /// It no longer answers.
    Lost,
    /// Nothing was heard of it for too long.
    Expired,
    /// The directory is full and it was heard of longest ago.
    Evicted,
}

/// The live adverts that a node knows.
#[derive(Debug)]
pub struct Directory {
    me: PeerId,
    settings: Settings,
    own: Own,
    entries: BTreeMap<PeerId, Entry>,
    /// Open connections, also to peers without an advert, with the last round trip.
    connections: BTreeMap<PeerId, Option<f32>>,
    tombstones: Tombstones,
    checks: BTreeMap<PeerId, Check>,
    /// When hearsay about a peer last proved wrong.
    checked: BTreeMap<PeerId, u64>,
    /// Peers that we reported lost without meeting them since: how often, and when last.
    reported: BTreeMap<PeerId, (u8, u64)>,
    relay_tokens: f64,
    relay_at: u64,
    root: OnceLock<[u8; 32]>,
}

impl Directory {
    /// An empty directory for the node `me`, whose process drew `incarnation` when it started.
    pub fn new(me: PeerId, incarnation: u64, mut settings: Settings) -> Self {
        settings.max_nodes = settings.max_nodes.clamp(1, MAX_DIGEST - 1);
        Self {
            me,
            own: Own::new(incarnation),
            entries: BTreeMap::new(),
            connections: BTreeMap::new(),
            tombstones: Tombstones::new(settings.max_nodes, settings.tombstone_ms),
            checks: BTreeMap::new(),
            checked: BTreeMap::new(),
            reported: BTreeMap::new(),
            relay_tokens: RELAY_BURST,
            relay_at: 0,
            root: OnceLock::new(),
            settings,
        }
    }

    /// Takes in what happened at `now` (ms of any epoch) and says what to do.
    pub fn handle(&mut self, event: Event, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Own { advert, signed } => {
                self.own.set(advert, signed.clone(), now);
                self.root = OnceLock::new();
                out.push(Effect::Gossip(Rumour::Advert(signed)));
            }
            Event::Heard { advert, signed, from, via } => {
                self.heard(advert, signed, from, via, now, out);
            }
            Event::Connected { peer } => self.alive(peer, None, now),
            Event::Rtt { peer, ms } => {
                if self.connections.contains_key(&peer) {
                    self.alive(peer, Some(ms), now);
                }
            }
            Event::Disconnected { peer, unexpected } => {
                self.connections.remove(&peer);
                if let Some(entry) = self.entries.get_mut(&peer) {
                    entry.connected = false;
                    if unexpected {
                        self.suspect(peer, false, 0, now, out);
                    }
                }
            }
            Event::Lost { notice } => self.lost_notice(&notice, now, out),
            Event::Silent { peer } => {
                self.check_failed(peer, now, out);
                if self.connections.contains_key(&peer) {
                    out.push(Effect::Close(peer));
                }
            }
            Event::Unreachable { peer } => {
                // A failed extra dial says nothing about a peer that is connected.
                if !self.connections.contains_key(&peer) {
                    self.check_failed(peer, now, out);
                }
            }
            Event::Tick => self.tick(now, out),
        }
        effects
    }

    /// The live nodes, without this one.
    pub fn entries(&self) -> impl Iterator<Item = (&PeerId, &Entry)> {
        self.entries.iter()
    }

    /// A live node.
    pub fn get(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.get(peer)
    }

    /// The live nodes that offer a capability (`name/version`). Suspects only when nobody else
    /// does.
    pub fn offering(&self, capability: &str) -> Vec<(PeerId, &Entry)> {
        let mut found: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.advert.offer(capability).is_some())
            .map(|(peer, entry)| (*peer, entry))
            .collect();
        if found.iter().any(|(_, entry)| entry.suspect_since.is_none()) {
            found.retain(|(_, entry)| entry.suspect_since.is_none());
        }
        found
    }

    /// How many live nodes are known, without this one.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no other node is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many nodes are remembered as gone.
    pub fn tombstones(&self) -> usize {
        self.tombstones.len()
    }

    /// The sequence number of our own newest advert.
    pub fn own_seq(&self) -> Option<u64> {
        self.own.seq()
    }

    /// Our own newest advert, signed.
    pub fn own_signed(&self) -> Option<&SignedAdvert> {
        self.own.signed()
    }

    /// The numbers in use.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn heard(
        &mut self,
        advert: Advert,
        signed: SignedAdvert,
        from: PeerId,
        via: Via,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(peer) = advert.peer() else { return };
        if advert.mesh != self.settings.mesh {
            return;
        }
        if peer == self.me {
            out.extend(self.own.seen(&advert, now));
            return;
        }
        let (direct, seq) = (from == peer, advert.seq);
        if self.entries.get(&peer).is_some_and(|known| known.advert.seq >= advert.seq) {
            return;
        }
        let buried = self.tombstones.seq(&peer, now);
        if advert.leaving {
            if buried.is_none_or(|seq| seq < advert.seq) {
                self.tombstones.bury(peer, advert.seq, Some((true, signed.clone())), now);
                self.remove(peer, GoneReason::Goodbye, out);
                self.relay(signed, direct, via, now, out);
            }
            return;
        }
        if self.tombstones.blocks(&peer, advert.seq, direct, now) {
            return;
        }
        let known = self.entries.contains_key(&peer);
        if !known && !self.make_room(via, direct, out) {
            return;
        }
        self.tombstones.exhume(&peer, seq);
        self.checks.remove(&peer);
        self.insert(peer, advert, signed.clone(), now);
        out.push(if known { Effect::Changed(peer) } else { Effect::Appeared(peer) });
        self.relay(signed, direct, via, now, out);
        if let Some(seq) = buried.filter(|buried| *buried >= seq) {
            // Others who buried it believe only a newer advert: let it hear that it is due.
            let notice = LossNotice { id: peer.to_bytes(), seq };
            out.push(Effect::Gossip(Rumour::Lost(notice)));
        }
    }

    fn insert(&mut self, peer: PeerId, advert: Advert, signed: SignedAdvert, now: u64) {
        let connection = self.connections.get(&peer);
        let rtt_ms = connection
            .copied()
            .flatten()
            .or_else(|| self.entries.get(&peer).and_then(|known| known.rtt_ms));
        let connected = connection.is_some();
        let entry = Entry { advert, signed, heard_at: now, connected, rtt_ms, suspect_since: None };
        self.entries.insert(peer, entry);
        self.root = OnceLock::new();
    }

    /// Hands an advert on if it did not come by gossip: its author's own word always, what others
    /// knew within a rate (the next exchanges spread the rest).
    fn relay(
        &mut self,
        signed: SignedAdvert,
        direct: bool,
        via: Via,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        if via == Via::Gossip {
            return;
        }
        let passed = now.saturating_sub(self.relay_at) as f64;
        self.relay_tokens = (self.relay_tokens + passed * RELAY_PER_MS).min(RELAY_BURST);
        self.relay_at = now;
        if !direct {
            if self.relay_tokens < 1.0 {
                return;
            }
            self.relay_tokens -= 1.0;
        }
        out.push(Effect::Gossip(Rumour::Advert(signed)));
    }

    /// Makes room for one more entry. A full directory takes newcomers only from gossip or from
    /// themselves, not the old acquaintances of others, or two full directories would swap forever.
    fn make_room(&mut self, via: Via, direct: bool, out: &mut Vec<Effect>) -> bool {
        if self.entries.len() < self.settings.max_nodes {
            return true;
        }
        if via == Via::Exchange && !direct {
            return false;
        }
        let oldest = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.connected)
            .min_by_key(|(_, entry)| entry.heard_at)
            .map(|(peer, _)| *peer);
        let Some(oldest) = oldest else { return false };
        self.remove(oldest, GoneReason::Evicted, out);
        true
    }

    fn remove(&mut self, peer: PeerId, reason: GoneReason, out: &mut Vec<Effect>) {
        self.checks.remove(&peer);
        self.checked.remove(&peer);
        if self.entries.remove(&peer).is_some() {
            self.root = OnceLock::new();
            out.push(Effect::Gone { peer, reason });
        }
    }

    fn tick(&mut self, now: u64, out: &mut Vec<Effect>) {
        out.extend(self.own.tick(self.settings.refresh_ms, now));
        self.tombstones.expire(now);
        self.checked.retain(|_, at| now < *at + CHECKED_MS);
        let keep = self.settings.tombstone_ms;
        self.reported.retain(|_, (_, at)| now < at.saturating_add(keep));
        while self.reported.len() > self.settings.max_nodes {
            self.reported.pop_first();
        }
        self.tick_checks(now, out);
        let ttl = self.settings.ttl_ms;
        let expired: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| now >= entry.heard_at.saturating_add(ttl))
            .map(|(peer, entry)| (*peer, entry.advert.seq))
            .collect();
        for (peer, seq) in expired {
            self.tombstones.bury(peer, seq, None, now);
            self.remove(peer, GoneReason::Expired, out);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
