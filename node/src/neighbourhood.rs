//! Who is near: whom to dial, to keep, to watch, to let in and to let go, and who is lost. Policy
//! only: no IO, no clock, no randomness of its own.
//!
//! There is one record per peer (`peer`), with a phase: dialled, connected, known, parting, gone.
//! The network actor (and the simulator, with the same constants) tells the [`Neighbourhood`] what
//! happened ([`Event`]) and does what it answers ([`Effect`]). It owns the [`Directory`]. The rules:
//!
//! - *Reachable is not alive.* Only who was connected to a peer may tell others that it is lost, in
//!   words that it signs; that we cannot dial it is our own knowledge, and makes it a suspect here.
//! - Nobody is believed lost on hearsay: whoever hears of a loss looks for itself, and hands the word
//!   on only then. Words, exchanges and checks of adverts are limited for each source.
//! - A node that is full says so and names others. That is a sign of life.
//! - A part of the connections is kept for dials of our own; peers that never exchanged adverts are
//!   the first to make room.
//! - Trouble of our own (our limits, our queues) counts against nobody.

pub(crate) mod address;
pub mod backoff;
mod checks;
mod dialing;
mod door;
pub mod entries;
mod event;
mod exchanges;
mod nearby;
mod peer;
pub mod ring;

use std::collections::{BTreeMap, BTreeSet};

use libp2p::{Multiaddr, PeerId};
use rand::{Rng, RngExt as _};

use crate::{
    directory::{self, Acquaintance, Directory, Entry, Via},
    doctor::Stranger,
    protocol::{Advert, Request, SignedAdvert},
    quota::{Limit, Quota},
};
use dialing::Joins;
pub use door::Door;
pub use event::{DialFailure, Effect, Event};
pub use nearby::Way;
use peer::{Peer, Phase, Watch};
use ring::Neighbour;

/// How often [`Event::Tick`] is wanted, in ms.
pub const TICK_MS: u64 = 200;
/// Time between two looks at who should be a neighbour, in ms.
const NEIGHBOURS_MS: u64 = 2_000;
/// Most peers that are remembered.
const MAX_PEERS: usize = 8192;
/// How long a lost peer is looked for at its old addresses, in ms.
const SOUGHT_MS: u64 = 15 * 60 * 1000;
/// How long a broken pulse is left alone, in ms.
const PULSE_PAUSE_MS: u64 = 10_000;

/// How a pulse beats. The simulator uses the same.
pub mod pulse {
    /// Time between an answer and the next beat, in ms.
    pub const BEAT_MS: u64 = 1_500;
    /// Silence that is death, in ms. With [`BEAT_MS`], a stopped peer is noticed after at most 4 s.
    pub const PATIENCE_MS: u64 = 2_500;
}

/// How gossip runs: the degree of gossipsub's mesh, and its heartbeat. The simulator uses the same.
pub mod gossip {
    /// Neighbours that a message is handed to: fewest, usual, most.
    pub const DEGREE: (usize, usize, usize) = (3, 4, 8);
    /// Time between two heartbeats, in ms.
    pub const HEARTBEAT_MS: u64 = 2_000;
    /// Heartbeats for which a message can still be handed on: as long as a check of a loss may take.
    pub const HISTORY: usize = 12;
    /// How long a message is not taken a second time, in ms.
    pub const SEEN_MS: u64 = 60_000;
}

/// The numbers of a neighbourhood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Those of its directory.
    pub directory: directory::Settings,
    /// How many connections a node looks for.
    pub wanted: usize,
    /// How many it can have.
    pub most: usize,
    /// How many of its nearest successors on the ring it watches.
    pub watched: usize,
    /// Whether it is an entry node.
    pub entry: bool,
    /// Whether it holds places at entry nodes, once it knows of any.
    pub reserves: bool,
}

impl Settings {
    /// The usual numbers for a mesh.
    pub fn new(mesh: impl Into<String>) -> Self {
        let directory = directory::Settings::new(mesh);
        Self { directory, wanted: 12, most: 200, watched: 2, entry: false, reserves: true }
    }
}

/// How a node stands with us, beside its advert.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Nearness {
    /// Whether there is a connection.
    pub connected: bool,
    /// Whether that leads through an entry node only.
    pub relayed: bool,
    /// Whether it spoke to us over its own connection, now or earlier.
    pub met: bool,
    /// Since when it may be gone, or cannot be reached by us.
    pub suspect_since: Option<u64>,
    /// The last round trip.
    pub rtt_ms: Option<f32>,
}

/// Everyone whom a node has to do with.
#[derive(Debug)]
pub struct Neighbourhood {
    me: PeerId,
    settings: Settings,
    directory: Directory,
    peers: BTreeMap<PeerId, Peer>,
    joins: Joins,
    /// Dials under way, by number.
    dials: BTreeMap<u64, dialing::Target>,
    last_dial: u64,
    limits: Limits,
    exchange_at: u64,
    /// Who was asked for an exchange and has not answered yet, and when.
    asked: Option<(PeerId, u64)>,
    neighbours_at: u64,
    looked_around_at: u64,
    /// Whom the owner wants nothing to do with.
    blocked: BTreeSet<PeerId>,
    /// The entry nodes of the directory.
    entries: BTreeSet<PeerId>,
    places: entries::Places,
    /// Where this node listens in its own network.
    here: Vec<Multiaddr>,
}

/// What one source may make this node do.
#[derive(Debug)]
struct Limits {
    /// Signatures that are checked: some 50 µs each. A full directory arrives in a few exchanges.
    adverts: Quota<PeerId>,
    /// Exchanges that are answered: some milliseconds each with a long digest.
    exchanges: Quota<PeerId>,
    /// Words of losses that are looked into, by who signed them and by who brought them.
    witnesses: Quota<PeerId>,
    bringers: Quota<PeerId>,
}

impl Default for Limits {
    fn default() -> Self {
        let of_each = |each| Quota::new(Limit::NONE, each);
        Self {
            adverts: Quota::new(Limit::rate(16_384, 1_000.0), Limit::rate(2_048, 100.0)),
            exchanges: Quota::new(Limit::rate(256, 50.0), Limit::rate(16, 0.5)),
            witnesses: of_each(Limit::rate(32, 1.0)),
            bringers: of_each(Limit::rate(128, 4.0)),
        }
    }
}

impl Neighbourhood {
    /// A node `me` that knows nobody yet, whose process drew `incarnation` when it started.
    pub fn new(me: PeerId, incarnation: u64, settings: Settings) -> Self {
        Self {
            me,
            directory: Directory::new(me, incarnation, settings.directory.clone()),
            settings,
            peers: BTreeMap::new(),
            joins: Joins::default(),
            dials: BTreeMap::new(),
            last_dial: 0,
            limits: Limits::default(),
            exchange_at: 0,
            asked: None,
            neighbours_at: 0,
            looked_around_at: 0,
            blocked: BTreeSet::new(),
            entries: BTreeSet::new(),
            places: entries::Places::default(),
            here: Vec::new(),
        }
    }

    /// Takes in what happened at `now` (ms of any epoch) and says what to do.
    pub fn handle(&mut self, event: Event, now: u64, rng: &mut impl Rng) -> Vec<Effect> {
        let mut effects = Vec::new();
        let out = &mut effects;
        match event {
            Event::Own { advert, signed } => {
                self.tell_directory(directory::Event::Own { advert, signed }, now, out);
            }
            Event::Heard { advert, signed, from, via } => {
                self.heard(advert, signed, (from, via), now, out);
            }
            Event::Loss { loss, signed, from, token } => {
                self.on_loss(&loss, signed, from, token, now, out);
            }
            Event::Testified { peer, signed } => self.directory.prove(&peer, signed),
            Event::Named { peer, addresses } => self.on_named(peer, addresses, now, out),
            Event::Unnamed { peer, address } => self.on_unnamed(&peer, &address),
            Event::Join { address } => self.join(address, now, out),
            Event::Wanted { peer } => self.on_wanted(peer, now, out),
            Event::Connected { peer, dial } => self.on_connected(peer, dial, now, out),
            Event::Way { peer, way } => self.on_way(peer, way),
            Event::Reserved { entry } => self.on_reserved(entry),
            Event::Unreserved { entry } => self.on_unreserved(entry, now, rng),
            Event::Here { addresses } => self.here = addresses,
            Event::Disconnected { peer } => self.on_disconnected(peer, now, rng, out),
            Event::DialFailed { dial, why } => self.on_dial_failed(dial, why, now, rng, out),
            Event::Stranger { peer, stranger } => self.on_stranger(peer, stranger, now, rng),
            Event::Beat { peer, rtt_ms } => self.on_beat(peer, rtt_ms, now, out),
            Event::Silent { peer } => self.on_silent(peer, now, out),
            Event::PulseEnded { peer } => {
                if let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) {
                    link.watch = Watch::Paused { until: now + PULSE_PAUSE_MS };
                }
            }
            Event::Parting { peer } => self.on_parting(peer, now),
            Event::Overdue { seq } => {
                let effects = self.directory.reported(seq, now);
                self.hand_on(effects, now, out);
            }
            Event::Unreadable { peer } => self.on_unreadable(peer, out),
            Event::Unanswered { peer } => self.on_unanswered(peer, now, out),
            Event::Replied { peer, reply, digest_sent } => {
                self.on_replied(peer, &reply, digest_sent, now, out);
            }
            Event::Tick { used } => self.on_tick(used, now, rng, out),
            Event::Block { peers } => self.block(peers, out),
        }
        effects
    }

    /// Who offers what.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// How a node stands with us.
    pub fn nearness(&self, peer: &PeerId) -> Nearness {
        let Some(known) = self.peers.get(peer) else { return Nearness::default() };
        let link = known.link();
        Nearness {
            connected: link.is_some(),
            relayed: link.is_some() && known.way == Way::Relayed,
            met: known.met_at.is_some(),
            suspect_since: known.suspect_since,
            rtt_ms: link.and_then(|link| link.rtt_ms),
        }
    }

    /// The live nodes, without this one and those that are blocked.
    pub fn entries(&self) -> impl Iterator<Item = (&PeerId, &Entry, Nearness)> {
        let open = self.directory.entries().filter(|(peer, _)| !self.blocked.contains(peer));
        open.map(|(peer, entry)| (peer, entry, self.nearness(peer)))
    }

    /// Libp2p nodes that are not of this mesh.
    pub fn strangers(&self) -> Vec<Stranger> {
        self.peers.values().filter_map(|peer| peer.stranger.clone()).collect()
    }

    /// How many peers mDNS names now.
    pub fn named(&self) -> usize {
        self.peers.values().filter(|peer| !peer.named.is_empty()).count()
    }

    /// How many connections there are, dials and admitted peers left out.
    pub fn connections(&self) -> usize {
        self.peers.values().filter(|peer| peer.connected()).count()
    }

    /// How many records are kept.
    pub fn records(&self) -> usize {
        self.peers.len()
    }

    fn heard(
        &mut self,
        advert: Advert,
        signed: SignedAdvert,
        (from, via): (PeerId, Via),
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let author = advert.peer();
        if author == Some(from)
            && let Some(peer) = self.peers.get_mut(&from)
        {
            peer.spoke(now);
        }
        self.tell_directory(directory::Event::Heard { advert, signed, from, via }, now, out);
    }

    /// Hands an event to the directory and its answers on.
    fn tell_directory(&mut self, event: directory::Event, now: u64, out: &mut Vec<Effect>) {
        let peers = &self.peers;
        let known = |id: &PeerId| match peers.get(id) {
            Some(peer) if peer.connected() => Acquaintance::Linked,
            Some(peer) if peer.met_at.is_some() => Acquaintance::Met,
            _ => Acquaintance::Told,
        };
        let effects = self.directory.handle(event, now, known);
        self.hand_on(effects, now, out);
    }

    fn hand_on(&mut self, effects: Vec<directory::Effect>, now: u64, out: &mut Vec<Effect>) {
        use directory::Effect as Said;
        for effect in effects {
            let effect = match effect {
                Said::Gossip(rumour) => Effect::Gossip(rumour),
                Said::Appeared(peer) => {
                    self.vouched(peer, now, out);
                    self.note_entry(peer, out);
                    Effect::Appeared(peer)
                }
                Said::Changed(peer) => {
                    self.vouched(peer, now, out);
                    self.note_entry(peer, out);
                    Effect::Changed(peer)
                }
                Said::Gone { peer, reason } => {
                    self.note_entry(peer, out);
                    Effect::Gone { peer, reason }
                }
                Said::Overdue { peer, seq } => {
                    Effect::Tell { peer, request: Request::Overdue { seq } }
                }
                Said::Readvertise { above } => Effect::Readvertise { above },
                Said::Clone { addresses, name } => Effect::Clone { addresses, name },
            };
            out.push(effect);
        }
    }

    fn on_tick(
        &mut self,
        used: Vec<(PeerId, u32, u64)>,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        self.tell_directory(directory::Event::Tick, now, out);
        self.take_in_use(used);
        self.tick_checks(now, out);
        self.redial(now, out);
        self.close_parted(now, out);
        self.keep_places(now, rng, out);
        if now >= self.neighbours_at {
            self.neighbours_at = now + NEIGHBOURS_MS;
            self.keep_neighbours(now, rng, out);
            self.try_directly(now, out);
            self.tidy(now);
        }
        self.keep_watch(now, out);
        self.greet_again(now, out);
        let unanswered = self.asked.take_if(|(_, at)| now >= *at + exchanges::ANSWER_MS);
        if let Some((peer, _)) = unanswered {
            // Its connection may hang; somebody else is asked instead.
            self.on_unanswered(peer, now, out);
            self.exchange_at = now;
        }
        if now >= self.exchange_at {
            // Jitter keeps a mesh that started together from exchanging together.
            let jitter = rng.random_range(0..exchanges::EXCHANGE_MS / 3);
            self.exchange_at = now + exchanges::EXCHANGE_MS + jitter;
            self.exchange_with_someone(now, rng, out);
        }
    }

    fn take_in_use(&mut self, used: Vec<(PeerId, u32, u64)>) {
        for link in self.peers.values_mut().filter_map(Peer::link_mut) {
            link.running = 0;
        }
        for (peer, running, used_at) in used {
            if let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) {
                link.running = running;
                link.used_at = link.used_at.max(used_at);
            }
        }
    }

    /// Keeps a pulse on those who are to be watched.
    fn keep_watch(&mut self, now: u64, out: &mut Vec<Effect>) {
        let linked: Vec<_> = self.linked().collect();
        let wanted = ring::to_watch(&self.me, &linked, self.settings.watched);
        for (id, peer) in &mut self.peers {
            let Some(link) = peer.link_mut() else { continue };
            let watch = match (wanted.contains(id), link.watch) {
                (true, Watch::Off) => Watch::On,
                (true, Watch::Paused { until }) if now >= until => Watch::On,
                (false, Watch::On) => Watch::Off,
                _ => continue,
            };
            link.watch = watch;
            let on = watch == Watch::On;
            out.push(if on { Effect::Watch(*id) } else { Effect::Unwatch(*id) });
        }
    }

    /// Everyone with a connection, as far as connections go.
    fn linked(&self) -> impl Iterator<Item = Neighbour> {
        self.peers.iter().filter_map(|(id, peer)| {
            let link = peer.link()?;
            Some(Neighbour {
                id: *id,
                connected: true,
                met: peer.exchanged(),
                unreachable: false,
                // A place at an entry node is used as long as it is held.
                in_flight: link.running + u32::from(self.places.taken(id)),
                last_used: link.used_at,
            })
        })
    }

    /// The live nodes, and everyone with a connection.
    fn near(&self) -> Vec<Neighbour> {
        let apart = self.directory.entries().filter_map(|(id, _)| {
            let peer = self.peers.get(id);
            if peer.is_some_and(Peer::connected) {
                return None;
            }
            Some(Neighbour {
                id: *id,
                connected: false,
                met: peer.is_some_and(|peer| peer.met_at.is_some()),
                unreachable: peer.is_some_and(|peer| peer.backoff.failing()),
                in_flight: 0,
                last_used: 0,
            })
        });
        self.linked().chain(apart).collect()
    }

    /// Forgets records of which nothing is left, and the least useful ones when there are too many.
    fn tidy(&mut self, now: u64) {
        let limits = &mut self.limits;
        for quota in [
            &mut limits.adverts,
            &mut limits.exchanges,
            &mut limits.witnesses,
            &mut limits.bringers,
        ] {
            quota.tidy(now);
        }
        for peer in self.peers.values_mut() {
            if let Phase::Admitted { until } = peer.phase
                && now >= until
            {
                peer.phase = Phase::Gone;
            }
        }
        let directory = &self.directory;
        self.peers.retain(|id, peer| {
            let known = peer.met_at.is_some() && directory.get(id).is_some();
            known || !peer.forgettable(now)
        });
        let over = self.peers.len().saturating_sub(MAX_PEERS);
        if over == 0 {
            return;
        }
        let mut idle: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| matches!(peer.phase, Phase::Gone))
            .map(|(id, peer)| (directory.get(id).is_some(), peer.met_at, *id))
            .collect();
        idle.sort_unstable();
        for (_, _, id) in idle.into_iter().take(over) {
            self.peers.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
