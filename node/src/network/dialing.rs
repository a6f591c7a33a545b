//! Reaching peers: dials on demand, joins that are kept, and peers that were lost.

use std::collections::{HashMap, HashSet};

use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    multiaddr::Protocol,
    swarm::{ConnectionId, DialError, dial_opts::DialOpts, dial_opts::PeerCondition},
};
use tokio::sync::oneshot;

use super::{
    CloneReport, Lost, MeshEvent,
    actor::{Actor, Outbound},
    listening::{is_link_local, is_loopback},
    now_ms,
};
use crate::{
    directory::{self, backoff::Backoff},
    doctor::{DialFailure, DialReason},
    protocol::Request,
};

/// Dial failures that the doctor is told of.
const FAILURES: usize = 16;
/// Callers that wait for dials, over all peers.
const WAITING: usize = 1024;
/// Lost peers that are dialled at one time.
const REDIALS: usize = 16;
/// How long a lost peer is looked for at its old addresses.
const REMEMBER_MS: u64 = 15 * 60 * 1000;
/// Most addresses that connections are kept to.
const MAX_JOINS: usize = 256;
/// Most peers that mDNS may name.
const HEARD: usize = 4096;
/// Most addresses that mDNS may give for one peer.
const ADDRESSES: usize = 32;

type Reply = oneshot::Sender<Result<(), Lost>>;

/// Dials under way and addresses worth trying again.
pub(super) struct Dialing {
    /// Peers being dialled, with who waits for them.
    under_way: HashMap<PeerId, Dial>,
    joins: Vec<Join>,
    /// Peers that were lost, their addresses, and until when they are looked for.
    lost: HashMap<PeerId, (Vec<Multiaddr>, u64)>,
    /// What mDNS said.
    pub(super) heard: HashMap<PeerId, Vec<Multiaddr>>,
    /// Those of them that were here and left without an advert: commands that only asked, nodes that
    /// said goodbye.
    left: HashSet<PeerId>,
    pub(super) backoff: Backoff<PeerId>,
    join_backoff: Backoff<Multiaddr>,
}

struct Dial {
    waiting: Vec<Reply>,
    /// Tried when the first addresses fail.
    fallback: Vec<Multiaddr>,
}

struct Join {
    address: Multiaddr,
    dial: Option<ConnectionId>,
    peer: Option<PeerId>,
    next_at: u64,
}

impl Dialing {
    pub(super) fn new(joins: Vec<Multiaddr>) -> Self {
        let mut dialing = Self {
            under_way: HashMap::new(),
            joins: Vec::new(),
            lost: HashMap::new(),
            heard: HashMap::new(),
            left: HashSet::new(),
            backoff: Backoff::default(),
            join_backoff: Backoff::default(),
        };
        dialing.join(joins);
        dialing
    }

    /// Keeps connections to these addresses too.
    pub(super) fn join(&mut self, addresses: Vec<Multiaddr>) {
        for address in addresses {
            let known = self.joins.iter().any(|join| join.address == address);
            if !known && self.joins.len() < MAX_JOINS {
                self.joins.push(Join { address, dial: None, peer: None, next_at: 0 });
            }
        }
    }

    /// Looks for a lost peer for a while.
    pub(super) fn remember(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, now: u64) {
        if self.lost.len() < 1024 {
            self.lost.insert(peer, (addresses, now + REMEMBER_MS));
        }
    }

    /// Whether a dial to that peer is under way.
    pub(super) fn is_under_way(&self, peer: &PeerId) -> bool {
        self.under_way.contains_key(peer)
    }
}

impl Actor {
    /// Dials a peer at every address that is known of it, TCP first.
    pub(super) fn dial(&mut self, peer: PeerId) {
        if self.swarm.is_connected(&peer) || self.dialing.is_under_way(&peer) {
            return;
        }
        let (first, fallback) = split(self.addresses_of(&peer));
        self.dialing.under_way.insert(peer, Dial { waiting: Vec::new(), fallback });
        self.dial_at(peer, first);
    }

    /// Says when there is a connection, dialling if there is none.
    pub(super) fn connect(&mut self, peer: PeerId, reply: Reply) {
        if self.swarm.is_connected(&peer) {
            let _ = reply.send(Ok(()));
            return;
        }
        let waiting: usize = self.dialing.under_way.values().map(|d| d.waiting.len()).sum();
        if waiting >= WAITING {
            let _ = reply.send(Err(Lost("too many calls wait for connections".into())));
            return;
        }
        if let Some(dial) = self.dialing.under_way.get_mut(&peer) {
            dial.waiting.push(reply);
            return;
        }
        let (first, fallback) = split(self.addresses_of(&peer));
        self.dialing.under_way.insert(peer, Dial { waiting: vec![reply], fallback });
        self.dial_at(peer, first);
    }

    fn dial_at(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        // From a new port: two nodes that dial each other from their listening ports at once
        // would both use the same pair of addresses, and one dial would fail.
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::Always)
            .addresses(addresses)
            .allocate_new_port()
            .build();
        let id = options.connection_id();
        if let Err(error) = self.swarm.dial(options) {
            self.on_dial_failed(id, Some(peer), &error);
        }
    }

    fn addresses_of(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let mut all = self.directory.get(peer).map(|e| e.advert.multiaddrs()).unwrap_or_default();
        all.extend(self.dialing.heard.get(peer).into_iter().flatten().cloned());
        all.extend(self.dialing.lost.get(peer).into_iter().flat_map(|(a, _)| a).cloned());
        all.dedup();
        let mut seen = HashSet::new();
        all.retain(|a| seen.insert(a.clone()));
        // Another machine's loopback is our own.
        if all.iter().any(|a| !is_loopback(a)) {
            all.retain(|a| !is_loopback(a));
        }
        all
    }

    pub(super) fn on_connected(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        endpoint: &ConnectedPoint,
    ) {
        for join in &mut self.dialing.joins {
            if join.dial == Some(connection) {
                join.dial = None;
                join.peer = Some(peer);
                self.dialing.join_backoff.succeeded(&join.address);
            }
        }
        self.dialing.lost.remove(&peer);
        self.dialing.left.remove(&peer);
        self.dialing.backoff.succeeded(&peer);
        self.closing.remove(&peer);
        self.activity.touch(peer);
        let dial = self.dialing.under_way.remove(&peer);
        self.tell_directory(directory::Event::Connected { peer });
        if endpoint.is_dialer() {
            self.send_exchange(peer, true, true);
        }
        for reply in dial.into_iter().flat_map(|d| d.waiting) {
            let _ = reply.send(Ok(()));
        }
        self.snapshot_stale = true;
    }

    pub(super) fn on_disconnected(&mut self, peer: PeerId) {
        let now = now_ms();
        self.pulses.remove(&peer);
        self.activity.forget(&peer);
        self.malformed.remove(&peer);
        for join in &mut self.dialing.joins {
            if join.peer == Some(peer) {
                join.peer = None;
                join.next_at = now + 200;
            }
        }
        if self.directory.get(&peer).is_none() && self.dialing.heard.contains_key(&peer) {
            self.dialing.left.insert(peer);
        }
        let unexpected = self.parting.remove(&peer).is_none_or(|until| now >= until);
        self.tell_directory(directory::Event::Disconnected { peer, unexpected });
    }

    /// Forgets what mDNS said of a peer.
    fn unhear(&mut self, peer: &PeerId) {
        self.dialing.heard.remove(peer);
        self.dialing.left.remove(peer);
        self.announced.remove(peer);
    }

    pub(super) fn on_dial_failed(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        error: &DialError,
    ) {
        let now = now_ms();
        for join in &mut self.dialing.joins {
            if join.dial == Some(connection) {
                join.dial = None;
                join.next_at =
                    self.dialing.join_backoff.failed(join.address.clone(), now, &mut rand::rng());
            }
        }
        match peer {
            // It left, and its process has ended: nothing that the doctor should worry about. mDNS
            // would go on naming it for many minutes.
            Some(peer) if was_refused(error) && self.dialing.left.contains(&peer) => {
                self.unhear(&peer);
            }
            _ => self.note_failure(error),
        }
        let Some(peer) = peer else { return };
        // A refusal over TCP says that the machine is there and the process is not. QUIC would
        // only say nothing for seconds.
        if let Some(dial) = self.dialing.under_way.get_mut(&peer)
            && !dial.fallback.is_empty()
            && !was_refused(error)
            && !self.swarm.is_connected(&peer)
        {
            let fallback = std::mem::take(&mut dial.fallback);
            return self.dial_at(peer, fallback);
        }
        if let Some(dial) = self.dialing.under_way.remove(&peer) {
            for reply in dial.waiting {
                let _ = reply.send(Err(Lost("it cannot be reached".into())));
            }
        }
        // Our own limit on connections says nothing about the peer.
        let denied = matches!(error, DialError::Denied { .. });
        if !denied && !self.swarm.is_connected(&peer) {
            self.dialing.backoff.failed(peer, now, &mut rand::rng());
            self.tell_directory(directory::Event::Unreachable { peer });
        }
    }

    fn note_failure(&mut self, error: &DialError) {
        match error {
            DialError::Transport(all) => {
                for (address, error) in all {
                    if self.failures.len() == FAILURES {
                        self.failures.pop_front();
                    }
                    let reason = reason_of(&innermost(error));
                    self.failures.push_back(DialFailure { address: address.to_string(), reason });
                }
            }
            // Our own id answered: a process with a copy of our key, unless it is ourselves.
            DialError::LocalPeerId { address } => {
                let ours = self
                    .swarm
                    .listeners()
                    .any(|own| address.to_string().starts_with(&own.to_string()));
                if !ours && !is_loopback(address) {
                    let report = CloneReport {
                        name: self.settings.name.clone(),
                        addresses: vec![address.clone()],
                    };
                    self.clone = Some(report.clone());
                    let _ = self.events.send(MeshEvent::Clone(report));
                }
            }
            _ => {}
        }
    }

    /// Dials joins that are due, and lost peers whose backoff is over.
    pub(super) fn redial(&mut self, now: u64) {
        for index in 0..self.dialing.joins.len() {
            let join = &mut self.dialing.joins[index];
            if join.peer.is_some() || join.dial.is_some() || now < join.next_at {
                continue;
            }
            let options = match peer_of(&join.address) {
                Some(peer) => DialOpts::peer_id(peer)
                    .condition(PeerCondition::DisconnectedAndNotDialing)
                    .addresses(vec![join.address.clone()])
                    .allocate_new_port()
                    .build(),
                None => DialOpts::unknown_peer_id()
                    .address(join.address.clone())
                    .allocate_new_port()
                    .build(),
            };
            let id = options.connection_id();
            join.dial = Some(id);
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failed(id, None, &error);
            }
        }
        self.dialing.lost.retain(|_, (_, until)| now < *until);
        let due: Vec<_> = self
            .dialing
            .lost
            .keys()
            .filter(|peer| self.dialing.backoff.ready(peer, now))
            .copied()
            .collect();
        for peer in due.into_iter().take(REDIALS) {
            self.dial(peer);
        }
    }

    /// Neighbours that mDNS named.
    pub(super) fn on_mdns(&mut self, event: libp2p::mdns::Event) {
        match event {
            libp2p::mdns::Event::Discovered(found) => {
                for (peer, address) in found {
                    let room = self.dialing.heard.len() < HEARD;
                    if !room && !self.dialing.heard.contains_key(&peer) {
                        continue;
                    }
                    self.announced.insert(peer);
                    let known = self.dialing.heard.entry(peer).or_default();
                    if known.len() < ADDRESSES && !known.contains(&address) {
                        known.push(address);
                    }
                }
                self.greet_heard(|addresses| {
                    addresses.iter().any(|a| !is_quic(a) && !is_link_local(a))
                });
            }
            libp2p::mdns::Event::Expired(gone) => {
                for (peer, address) in gone {
                    if let Some(known) = self.dialing.heard.get_mut(&peer) {
                        known.retain(|a| *a != address);
                        if known.is_empty() {
                            self.unhear(&peer);
                        }
                    }
                }
            }
        }
    }

    /// Dials neighbours that mDNS named and the directory does not have, within the bound, if
    /// their addresses are worth a dial now. A node that has just started may be named before
    /// all its listeners are: TCP is worth waiting for, because it tells at once when the other
    /// side dies.
    pub(super) fn greet_heard(&mut self, worth: impl Fn(&[Multiaddr]) -> bool) {
        let now = now_ms();
        let mut room = self.room();
        let unknown: Vec<_> = self
            .dialing
            .heard
            .iter()
            .filter(|(_, addresses)| worth(addresses))
            .map(|(peer, _)| peer)
            .filter(|peer| {
                self.directory.get(peer).is_none()
                    && !self.foreign.contains_key(peer)
                    && !self.dialing.is_under_way(peer)
                    && self.dialing.backoff.ready(peer, now)
            })
            .copied()
            .collect();
        for peer in unknown {
            if room == 0 {
                return;
            }
            room -= 1;
            self.dial(peer);
        }
    }

    /// How many more neighbours are wanted.
    pub(super) fn room(&self) -> usize {
        let open = self.swarm.connected_peers().count() + self.dialing.under_way.len();
        self.settings.neighbours.saturating_sub(open)
    }

    /// Compares directories with a peer; `own` hands it our own advert too.
    pub(super) fn send_exchange(&mut self, peer: PeerId, with_digest: bool, own: bool) {
        let me = [serde_bytes::ByteBuf::from(self.swarm.local_peer_id().to_bytes())];
        let exchange = self.directory.exchange(with_digest, if own { &me } else { &[] });
        self.send(peer, Request::Exchange(exchange), Outbound::Exchange { peer });
    }
}

/// Whether an address is QUIC.
pub(super) fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|p| matches!(p, Protocol::QuicV1 | Protocol::Quic))
}

fn split(all: Vec<Multiaddr>) -> (Vec<Multiaddr>, Vec<Multiaddr>) {
    let (quic, first): (Vec<_>, Vec<_>) = all.into_iter().partition(is_quic);
    if first.is_empty() { (quic, Vec::new()) } else { (first, quic) }
}

fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|p| match p {
        Protocol::P2p(peer) => Some(peer),
        _ => None,
    })
}

fn was_refused(error: &DialError) -> bool {
    match error {
        DialError::Transport(all) => {
            all.iter().any(|(_, error)| reason_of(&innermost(error)) == DialReason::Refused)
        }
        _ => false,
    }
}

fn reason_of(text: &str) -> DialReason {
    let text = text.to_lowercase();
    if text.contains("refused") {
        DialReason::Refused
    } else if text.contains("time") {
        DialReason::Timeout
    } else if text.contains("unreachable") || text.contains("no route") {
        DialReason::Unreachable
    } else {
        DialReason::Other
    }
}

/// The last cause in a chain of errors: the one that says what happened.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
