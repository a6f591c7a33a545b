//! What a client follows: the whole view of its node, then everything that changes.

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};

use super::watching::Watching;
use crate::{
    control::Stream,
    journal::{CallRecord, KEPT},
    mail::News,
    network::{CloneReport, PeerView, Snapshot},
    protocol::Offer,
    say::Reason,
};

/// Something that a node knows and people want to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Everything: first of all, and again for whoever was too slow for the changes.
    View(Box<View>),
    /// A node came, or something about it changed.
    Peer(Box<PeerView>),
    /// A node left.
    Gone {
        /// Its client id.
        id: String,
        /// Its nickname.
        name: String,
        /// Why, for a person.
        reason: Reason,
    },
    /// What this node offers, or where it listens, changed.
    Own(Own),
    /// A call that this node asks or serves began, got on or ended: as it stands now.
    Call(Box<CallRecord>),
    /// Another process runs with this node's identity.
    Clone(CloneReport),
    /// A letter came, or something about one changed. Letters stand in no view: the inbox has them.
    Mail(News),
}

/// Everything that a node knows and people want to see.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The mesh.
    pub mesh: Snapshot,
    /// This node itself.
    pub own: Own,
    /// Calls under way and the last that ended, oldest first.
    pub calls: Vec<CallRecord>,
}

/// What a node says of itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Where it listens: multiaddrs.
    pub listen: Vec<String>,
    /// What it can serve now. A passing node offers it to itself alone.
    pub offers: Vec<Offer>,
    /// What it was set up to serve and cannot, with the reason.
    pub troubles: Vec<(String, String)>,
}

impl View {
    /// Brings the view up to date with what happened.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::View(view) => *self = *view,
            Event::Peer(view) => {
                if let Ok(peer) = view.id.parse::<PeerId>() {
                    self.mesh.peers.insert(peer, *view);
                }
            }
            Event::Gone { id, .. } => {
                if let Ok(peer) = id.parse::<PeerId>() {
                    self.mesh.peers.remove(&peer);
                }
            }
            Event::Own(own) => {
                self.mesh.listen = own.addresses();
                self.own = own;
            }
            Event::Call(record) => self.record(*record),
            Event::Clone(report) => self.mesh.clone = Some(report),
            Event::Mail(_) => {}
        }
    }

    fn record(&mut self, record: CallRecord) {
        match self.calls.iter().rposition(|known| known.number == record.number) {
            Some(at) => self.calls[at] = record,
            None => self.calls.push(record),
        }
        let ended = self.calls.iter().filter(|record| record.end.is_some()).count();
        if ended > KEPT
            && let Some(oldest) = self.calls.iter().position(|record| record.end.is_some())
        {
            self.calls.remove(oldest);
        }
    }
}

impl Own {
    fn addresses(&self) -> Vec<Multiaddr> {
        self.listen.iter().filter_map(|text| text.parse().ok()).collect()
    }
}

/// Follows a node: see [`super::Client::subscribe`].
pub struct Subscription(pub(crate) Followed);

pub(crate) enum Followed {
    Here(Box<Watching>),
    There(Stream),
}

impl Subscription {
    /// The next event; `None` when the node has stopped. Nothing is lost when the future is
    /// dropped.
    pub async fn next(&mut self) -> Option<Event> {
        match &mut self.0 {
            Followed::Here(watching) => watching.next().await,
            Followed::There(stream) => stream.next().await,
        }
    }
}

/// What differs between two snapshots: who came or changed, and who left.
pub(super) fn differences(old: &Snapshot, new: &Snapshot) -> (Vec<PeerView>, Vec<PeerView>) {
    let changed = new
        .peers
        .iter()
        .filter(|(peer, view)| old.peers.get(peer).is_none_or(|before| !view.same_as(before)))
        .map(|(_, view)| view.clone());
    let gone = old.peers.iter().filter(|(peer, _)| !new.peers.contains_key(peer));
    let (mut changed, mut gone): (Vec<_>, Vec<_>) =
        (changed.collect(), gone.map(|(_, view)| view.clone()).collect());
    // A steady order, whatever the map's.
    changed.sort_by(|a, b| a.id.cmp(&b.id));
    gone.sort_by(|a, b| a.id.cmp(&b.id));
    (changed, gone)
}
