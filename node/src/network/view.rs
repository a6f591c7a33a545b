//! The mesh as a node sees it: what the actor publishes and everybody else reads.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use super::CloneReport;
use crate::{
    protocol::{Advert, Offer},
    say::Reason,
};

/// The mesh as this node sees it now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SnapshotRecord", into = "SnapshotRecord")]
pub struct Snapshot {
    /// Everyone else.
    pub peers: HashMap<PeerId, PeerView>,
    /// Where this node listens.
    pub listen: Vec<Multiaddr>,
    /// What this node tells others that it offers.
    pub offers: Vec<Offer>,
    /// Who left lately.
    pub left: Arc<Departures>,
    /// Another process that runs with this node's identity.
    pub clone: Option<CloneReport>,
}

/// Who left, and why: the last 256 of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Departures {
    /// How many ever left: whoever remembers it knows how many of `last` are new.
    pub count: u64,
    /// The last of them, oldest first.
    pub last: VecDeque<Departure>,
}

/// A node that left the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Departure {
    /// Who.
    pub peer: PeerId,
    /// Why, for a person.
    pub reason: Reason,
}

/// Departures that are remembered for those who look again.
const DEPARTURES: usize = 256;

impl Departures {
    /// Those that came after the first `count` of all, oldest first, as far as they are remembered.
    pub fn since(&self, count: u64) -> impl Iterator<Item = &Departure> {
        let new = usize::try_from(self.count.saturating_sub(count)).unwrap_or(usize::MAX);
        self.last.iter().skip(self.last.len().saturating_sub(new))
    }

    pub(super) fn add(&mut self, departure: Departure) {
        self.count += 1;
        if self.last.len() >= DEPARTURES {
            self.last.pop_front();
        }
        self.last.push_back(departure);
    }
}

/// One peer, as the directory knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "PeerRecord", into = "PeerRecord")]
pub struct PeerView {
    /// Its client id as text: writing it costs more than a call should.
    pub id: Arc<str>,
    /// Its latest advert.
    pub advert: Arc<Advert>,
    /// Whether a connection is open.
    pub connected: bool,
    /// Whether that leads through an entry node only.
    pub relayed: bool,
    /// Whether it spoke to this node over its own connection, now or earlier.
    pub met: bool,
    /// Whether it stopped answering and is being checked, or cannot be reached from here.
    pub suspect: bool,
    /// Round trip.
    pub rtt_ms: Option<f32>,
    /// When the advert came, in milliseconds of [`super::now_ms`].
    pub heard_at: u64,
}

impl PeerView {
    /// Whether a person or a program would see a difference; the time of the last word is none.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let state =
            |view: &Self| (view.connected, view.relayed, view.met, view.suspect, view.rtt_ms);
        let same_advert =
            Arc::ptr_eq(&self.advert, &other.advert) || self.advert.seq == other.advert.seq;
        same_advert && state(self) == state(other)
    }
}

/// A [`Snapshot`] as it is written: serde has no peer ids and multiaddrs of libp2p. Who left is told
/// as it happens.
#[derive(Serialize, Deserialize)]
struct SnapshotRecord {
    peers: Vec<PeerView>,
    listen: Vec<String>,
    offers: Vec<Offer>,
    clone: Option<CloneReport>,
}

impl From<Snapshot> for SnapshotRecord {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            peers: snapshot.peers.into_values().collect(),
            listen: snapshot.listen.iter().map(ToString::to_string).collect(),
            offers: snapshot.offers,
            clone: snapshot.clone,
        }
    }
}

impl From<SnapshotRecord> for Snapshot {
    fn from(record: SnapshotRecord) -> Self {
        let named = |view: PeerView| Some((view.id.parse().ok()?, view));
        Self {
            peers: record.peers.into_iter().filter_map(named).collect(),
            listen: record.listen.iter().filter_map(|text| text.parse().ok()).collect(),
            offers: record.offers,
            left: Arc::default(),
            clone: record.clone,
        }
    }
}

/// A [`PeerView`] as it is written.
#[derive(Serialize, Deserialize)]
struct PeerRecord {
    id: String,
    advert: Advert,
    connected: bool,
    #[serde(default)]
    relayed: bool,
    met: bool,
    suspect: bool,
    rtt_ms: Option<f32>,
    heard_at: u64,
}

impl From<PeerView> for PeerRecord {
    fn from(view: PeerView) -> Self {
        let PeerView { id, advert, connected, relayed, met, suspect, rtt_ms, heard_at } = view;
        let advert = Arc::unwrap_or_clone(advert);
        Self { id: id.to_string(), advert, connected, relayed, met, suspect, rtt_ms, heard_at }
    }
}

impl From<PeerRecord> for PeerView {
    fn from(record: PeerRecord) -> Self {
        let PeerRecord { id, advert, connected, relayed, met, suspect, rtt_ms, heard_at } = record;
        let (id, advert) = (id.into(), Arc::new(advert));
        Self { id, advert, connected, relayed, met, suspect, rtt_ms, heard_at }
    }
}

/// A [`CloneReport`] as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct CloneRecord {
    name: String,
    addresses: Vec<String>,
}

impl From<CloneReport> for CloneRecord {
    fn from(report: CloneReport) -> Self {
        let addresses = report.addresses.iter().map(ToString::to_string).collect();
        Self { name: report.name, addresses }
    }
}

impl From<CloneRecord> for CloneReport {
    fn from(record: CloneRecord) -> Self {
        let addresses = record.addresses.iter().filter_map(|text| text.parse().ok()).collect();
        Self { name: record.name, addresses }
    }
}
