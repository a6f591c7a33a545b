//! Who offers what, and how fresh that is. Policy only: no IO, no clock, no randomness.
//!
//! The neighbourhood tells the [`Directory`] what arrived ([`Event`]) and carries out or hands on
//! what it answers ([`Effect`]). The rules in short:
//!
//! - Of two adverts of one node the higher sequence number wins; equal or older ones are ignored.
//! - A node that goes, by its own goodbye or because it was lost, leaves a tombstone with its last
//!   sequence number. Ghosts (adverts that are not newer) stay out until the tombstone is old, or
//!   until the node itself speaks to us.
//! - Every list has a cap: entries ([`Settings::max_nodes`]), tombstones (the same number), and what
//!   one peer can introduce (half of it). When the directory is full, the newest of those whom nobody
//!   met and who were introduced by whoever introduced most make room, so that a flood pushes out
//!   itself.

mod compare;
mod own;
mod tombstones;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use libp2p::{Multiaddr, PeerId};

use crate::protocol::{Advert, Rumour, SignedAdvert, SignedLoss, exchange::MAX_DIGEST};
pub use compare::Doubts;
use own::Own;
use tombstones::{Last, Tombstones};

/// Adverts learned by exchange that are gossiped on: at once, and per second. Without a limit a
/// newcomer would gossip the whole directory that it is handed.
const RELAY_BURST: f64 = 20.0;
const RELAY_PER_MS: f64 = 0.002;

/// Time between two looks at what is too old, in ms.
const EXPIRE_MS: u64 = 1_000;

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
    /// When its first advert arrived.
    pub known_since: u64,
    /// Who first told of it; itself once it spoke to us.
    pub introducer: PeerId,
}

/// How well a node is known; who is known least is given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acquaintance {
    /// Others told of it.
    Told,
    /// It spoke to us.
    Met,
    /// It is connected.
    Linked,
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
    /// A node speaks whom others have buried with this sequence number: it owes a newer advert.
    Overdue {
        /// Who.
        peer: PeerId,
        /// The number to exceed.
        seq: u64,
    },
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
    /// How many of the entries each peer introduced beside itself.
    brought: BTreeMap<PeerId, usize>,
    /// The entries that others introduced, by when that was.
    told: BTreeSet<(u64, PeerId)>,
    tombstones: Tombstones,
    relay_tokens: f64,
    relay_at: u64,
    expire_at: u64,
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
            brought: BTreeMap::new(),
            told: BTreeSet::new(),
            tombstones: Tombstones::new(settings.max_nodes, settings.tombstone_ms),
            relay_tokens: RELAY_BURST,
            relay_at: 0,
            expire_at: 0,
            root: OnceLock::new(),
            settings,
        }
    }

    /// Takes in what happened at `now` (ms of any epoch) and says what to do. `known` says how well
    /// a node is known: who is connected is never evicted.
    pub fn handle(
        &mut self,
        event: Event,
        now: u64,
        known: impl Fn(&PeerId) -> Acquaintance,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Own { advert, signed } => {
                self.own.set(advert, signed.clone(), now);
                self.root = OnceLock::new();
                out.push(Effect::Gossip(Rumour::Advert(signed)));
            }
            Event::Heard { advert, signed, from, via } => {
                self.heard(advert, signed, (from, via), now, &known, out);
            }
            Event::Tick => self.tick(now, out),
        }
        effects
    }

    /// Whether an advert says anything new, so that its signature is worth checking.
    pub fn is_news(&self, advert: &Advert) -> bool {
        let Some(peer) = advert.peer() else { return false };
        let known = match peer == self.me {
            true => self.own.seq(),
            false => self.entries.get(&peer).map(|entry| entry.advert.seq),
        };
        advert.mesh == self.settings.mesh && known.is_none_or(|known| known < advert.seq)
    }

    /// A node was found lost: it leaves, and `proof` is kept to be told again.
    pub fn lose(&mut self, peer: PeerId, proof: Option<SignedLoss>, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(entry) = self.entries.get(&peer) {
            let (seq, addresses) = (entry.advert.seq, entry.advert.multiaddrs());
            let last = Last { goodbye: false, signed: entry.signed.clone(), addresses };
            self.tombstones.bury(peer, seq, Some(last), now);
            if let Some(proof) = proof {
                self.tombstones.prove(&peer, proof);
            }
            self.remove(peer, GoneReason::Lost, &mut effects);
        }
        effects
    }

    /// Keeps the proof of a loss that was found here.
    pub fn prove(&mut self, peer: &PeerId, proof: SignedLoss) {
        self.tombstones.prove(peer, proof);
    }

    /// The same for word of others, where a loss as of that number was found and has no proof yet.
    pub fn corroborate(&mut self, peer: &PeerId, seq: u64, proof: SignedLoss) {
        if self.tombstones.unproved(peer, seq) {
            self.tombstones.prove(peer, proof);
        }
    }

    /// Somebody says that we ourselves are lost, as of the advert with this number.
    pub fn reported(&mut self, seq: u64, now: u64) -> Vec<Effect> {
        self.own.reported(seq, now).into_iter().collect()
    }

    /// The live nodes, without this one.
    pub fn entries(&self) -> impl Iterator<Item = (&PeerId, &Entry)> {
        self.entries.iter()
    }

    /// A live node.
    pub fn get(&self, peer: &PeerId) -> Option<&Entry> {
        self.entries.get(peer)
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

    /// The numbers in use.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn heard(
        &mut self,
        advert: Advert,
        signed: SignedAdvert,
        (from, via): (PeerId, Via),
        now: u64,
        acquaintance: &impl Fn(&PeerId) -> Acquaintance,
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
                let last = Last { goodbye: true, signed: signed.clone(), addresses: Vec::new() };
                self.tombstones.bury(peer, advert.seq, Some(last), now);
                self.remove(peer, GoneReason::Goodbye, out);
                self.relay(signed, direct, via, now, out);
            }
            return;
        }
        if self.tombstones.blocks(&peer, advert.seq, direct, now) {
            return;
        }
        let known = self.entries.get(&peer).map(|entry| (entry.introducer, entry.known_since));
        if known.is_none() && !self.make_room(from, direct, acquaintance, out) {
            return;
        }
        self.tombstones.exhume(&peer, seq);
        let (introducer, known_since) = known.unwrap_or((from, now));
        let introducer = if direct { peer } else { introducer };
        let entry =
            Entry { advert, signed: signed.clone(), heard_at: now, known_since, introducer };
        let before = self.entries.insert(peer, entry);
        let before = before.map(|entry| entry.introducer);
        self.note_introducer((known_since, peer), before, Some(introducer));
        self.root = OnceLock::new();
        out.push(if known.is_some() { Effect::Changed(peer) } else { Effect::Appeared(peer) });
        self.relay(signed, direct, via, now, out);
        if let Some(seq) = buried.filter(|buried| *buried >= seq) {
            // Others who buried it believe only a newer advert: let it hear that one is due.
            out.push(Effect::Overdue { peer, seq });
        }
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

    /// Makes room for one more entry that `from` tells of. Nobody introduces more than half of what
    /// there is room for. When all room is taken, an entry goes for a node that speaks for itself, or
    /// for one whose introducer brought fewer than whoever brought most: the newest of those whom
    /// somebody introduced who brought many. So a flood of names pushes out itself, also where it
    /// arrives over many, and two full directories do not swap for ever.
    fn make_room(
        &mut self,
        from: PeerId,
        direct: bool,
        known: &impl Fn(&PeerId) -> Acquaintance,
        out: &mut Vec<Effect>,
    ) -> bool {
        let full = self.entries.len() >= self.settings.max_nodes;
        let own = self.brought.get(&from).copied().unwrap_or(0);
        if !direct && own >= (self.settings.max_nodes / 2).max(1) {
            return false;
        }
        if !full {
            return true;
        }
        let evicted = match self.brought.values().max().copied() {
            Some(most) if direct || own + 1 < most => self.newest_told(most, known),
            // Everybody spoke for itself.
            None if direct => self
                .entries
                .iter()
                .map(|(peer, entry)| (known(peer), entry.heard_at, *peer))
                .min()
                .filter(|(acquaintance, ..)| *acquaintance < Acquaintance::Linked)
                .map(|(_, _, peer)| peer),
            _ => None,
        };
        let Some(evicted) = evicted else { return false };
        self.remove(evicted, GoneReason::Evicted, out);
        true
    }

    /// The newest entry of those who introduced more than half of what anybody did, the ones that
    /// nobody met first. A flood that gossip brings is spread over all neighbours: whoever introduced
    /// the whole mesh, long ago, may count as the one who introduced most, and is not the only one.
    fn newest_told(&self, most: usize, known: &impl Fn(&PeerId) -> Acquaintance) -> Option<PeerId> {
        let of_many = |peer: &PeerId| {
            let brought =
                self.entries.get(peer).and_then(|entry| self.brought.get(&entry.introducer));
            brought.is_some_and(|brought| 2 * brought > most)
        };
        let told = || self.told.iter().rev().map(|(_, peer)| *peer).filter(of_many);
        told()
            .find(|peer| known(peer) < Acquaintance::Met)
            .or_else(|| told().find(|peer| known(peer) < Acquaintance::Linked))
    }

    /// Keeps count of what each peer introduced beside itself, and of who was introduced.
    fn note_introducer(
        &mut self,
        (since, peer): (u64, PeerId),
        before: Option<PeerId>,
        after: Option<PeerId>,
    ) {
        if before == after {
            return;
        }
        if let Some(who) = before.filter(|who| *who != peer) {
            self.told.remove(&(since, peer));
            if let Some(count) = self.brought.get_mut(&who) {
                *count -= 1;
                if *count == 0 {
                    self.brought.remove(&who);
                }
            }
        }
        if let Some(who) = after.filter(|who| *who != peer) {
            self.told.insert((since, peer));
            *self.brought.entry(who).or_default() += 1;
        }
    }

    fn remove(&mut self, peer: PeerId, reason: GoneReason, out: &mut Vec<Effect>) {
        if let Some(entry) = self.entries.remove(&peer) {
            self.note_introducer((entry.known_since, peer), Some(entry.introducer), None);
            self.root = OnceLock::new();
            out.push(Effect::Gone { peer, reason });
        }
    }

    fn tick(&mut self, now: u64, out: &mut Vec<Effect>) {
        out.extend(self.own.tick(self.settings.refresh_ms, now));
        if now < self.expire_at {
            return;
        }
        self.expire_at = now + EXPIRE_MS;
        self.tombstones.expire(now);
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
