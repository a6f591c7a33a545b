//! What is remembered of one peer: where it stands with us, and since when.

use libp2p::Multiaddr;

use super::{
    backoff::Backoff,
    nearby::{Nearby, Way},
};
use crate::{doctor::Stranger, protocol::SignedLoss};

/// Most addresses that others may name for one peer.
const MAX_NAMED: usize = 32;

/// One peer, as far as connections go. There is one record, whatever became of it.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) phase: Phase,
    /// Addresses that mDNS or a neighbour named.
    pub(super) named: Vec<Multiaddr>,
    /// Addresses of its last advert, for the time after it was lost.
    pub(super) remembered: Vec<Multiaddr>,
    /// Until when it is looked for at those.
    pub(super) sought_until: u64,
    pub(super) backoff: Backoff,
    /// A look after it that is under way.
    pub(super) check: Option<Check>,
    /// Since when it may be gone, or cannot be reached by us.
    pub(super) suspect_since: Option<u64>,
    /// When word of its loss last proved wrong.
    pub(super) proved_at: Option<u64>,
    /// When a new advert of it last arrived, by whomever.
    pub(super) vouched_at: Option<u64>,
    /// When it last spoke to us over its own connection.
    pub(super) met_at: Option<u64>,
    /// It is no node of this mesh.
    pub(super) stranger: Option<Stranger>,
    /// It was here and left without an advert: a command that only asked, a node that said goodbye.
    pub(super) left: bool,
    /// Until when the word of parting explains the end of its connection.
    pub(super) parted_until: u64,
    /// The best way that leads to it, while it is connected.
    pub(super) way: Way,
    /// Where it listens in the own LAN.
    pub(super) nearby: Nearby,
    /// When the direct way may be tried next.
    pub(super) direct_at: u64,
}

/// Where a peer stands.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// No connection: it was only named, or it was here and went.
    #[default]
    Gone,
    /// It was told that there is room; its connection is about to be there.
    Admitted { until: u64 },
    /// We dial it.
    Dialled(Dialled),
    /// There is a connection and it has not exchanged adverts yet.
    Connected(Link),
    /// There is a connection and it exchanged adverts.
    Known(Link),
    /// One side said that the connection is not needed; it is closed then.
    Parting { link: Link, close_at: u64 },
}

/// A dial under way.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) dial: u64,
    pub(super) since: u64,
    /// Tried when the first addresses fail.
    pub(super) fallback: Vec<Multiaddr>,
    /// A call waits for it.
    pub(super) wanted: bool,
}

/// A connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// The last round trip.
    pub(super) rtt_ms: Option<f32>,
    /// Calls that run between us, either way.
    pub(super) running: u32,
    /// When a call last began or ended, or the connection was made.
    pub(super) used_at: u64,
    pub(super) watch: Watch,
    /// Whether we dialled it: it is a node then, and takes requests.
    pub(super) dialled: bool,
    /// When it was first asked for an exchange, or was asked again because no answer came.
    pub(super) greeted_at: u64,
    /// Whether it was asked for its root only.
    pub(super) asked_root: bool,
    /// Exchanges in a row in which it had more than fits into one message.
    pub(super) rounds: u32,
    /// Requests that could not be read.
    pub(super) unreadable: u32,
}

/// Whether a pulse is kept on a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Watch {
    #[default]
    Off,
    On,
    /// Its pulse stream broke: a client without a pulse, perhaps.
    Paused {
        until: u64,
    },
}

/// A look after a peer that may be lost.
#[derive(Debug, Clone, Default)]
pub(super) struct Check {
    /// When it is looked after, or was last.
    pub(super) at: u64,
    /// How often it was.
    pub(super) tries: u8,
    /// We were connected when it fell silent: we may tell others.
    pub(super) witness: bool,
    /// A neighbour lacks it that must have heard of it.
    pub(super) lacked: bool,
    /// Word of the loss, signed by who was connected.
    pub(super) proof: Option<SignedLoss>,
    /// Rumours that wait for the result, by their tokens.
    pub(super) tokens: Vec<u64>,
}

impl Peer {
    /// Its connection.
    pub(super) fn link(&self) -> Option<&Link> {
        match &self.phase {
            Phase::Connected(link) | Phase::Known(link) | Phase::Parting { link, .. } => Some(link),
            Phase::Gone | Phase::Admitted { .. } | Phase::Dialled(_) => None,
        }
    }

    /// The same, to change it.
    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        match &mut self.phase {
            Phase::Connected(link) | Phase::Known(link) | Phase::Parting { link, .. } => Some(link),
            Phase::Gone | Phase::Admitted { .. } | Phase::Dialled(_) => None,
        }
    }

    pub(super) fn connected(&self) -> bool {
        self.link().is_some()
    }

    pub(super) fn dialled(&self) -> bool {
        matches!(self.phase, Phase::Dialled(_))
    }

    /// Whether it exchanged adverts over this connection.
    pub(super) fn exchanged(&self) -> bool {
        matches!(self.phase, Phase::Known(_) | Phase::Parting { .. })
    }

    /// It spoke to us.
    pub(super) fn spoke(&mut self, now: u64) {
        self.met_at = Some(now);
        if let Phase::Connected(link) = &mut self.phase {
            self.phase = Phase::Known(std::mem::take(link));
        }
    }

    /// Somebody named an address of it.
    pub(super) fn name(&mut self, address: Multiaddr) {
        if self.named.len() < MAX_NAMED && !self.named.contains(&address) {
            self.named.push(address);
        }
    }

    /// Whether nothing of it is worth remembering.
    pub(super) fn forgettable(&self, now: u64) -> bool {
        matches!(self.phase, Phase::Gone)
            && self.named.is_empty()
            && now >= self.sought_until
            && self.check.is_none()
            && self.suspect_since.is_none()
            && self.backoff.ready(now)
            && now >= self.parted_until
    }
}
