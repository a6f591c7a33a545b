//! Entry nodes, as the actor has to do with them: places at them, what they see of this node, and
//! which of several connections to a peer are kept.

use std::collections::{HashMap, HashSet};

use libp2p::{
    Multiaddr, PeerId, autonat, core::transport::ListenerId, dcutr, identify, multiaddr::Protocol,
    relay,
};

use super::{actor::Actor, relay::EntryFacts};
use crate::{
    neighbourhood::{
        Event,
        address::{is_circuit, is_private, is_quic},
    },
    protocol::advert::MAX_ADDRESSES,
};

/// What the actor remembers of entry nodes.
#[derive(Default)]
pub(super) struct Entering {
    /// The places that are held or asked for.
    listeners: HashMap<ListenerId, PeerId>,
    /// How peers from outside see us, while they are connected.
    observed: HashMap<PeerId, Multiaddr>,
    /// Who holds a place here. The relay says of every connection that ends that a place was given up.
    holders: HashSet<PeerId>,
    /// What this node does as an entry node.
    pub(super) facts: EntryFacts,
}

impl Actor {
    pub(super) fn reserve(&mut self, entry: PeerId, address: Multiaddr) {
        let circuit = address.with(Protocol::P2p(entry)).with(Protocol::P2pCircuit);
        match self.swarm.listen_on(circuit) {
            Ok(listener) => drop(self.entering.listeners.insert(listener, entry)),
            Err(error) => {
                tracing::debug!(%entry, "no place can be asked for: {error}");
                self.tell(Event::Unreserved { entry });
            }
        }
    }

    pub(super) fn unreserve(&mut self, entry: PeerId) {
        let listeners: Vec<_> = self.listeners_at(&entry).collect();
        for listener in listeners {
            self.entering.listeners.remove(&listener);
            self.swarm.remove_listener(listener);
        }
        self.advertise_again();
    }

    /// A listener has an address.
    pub(super) fn on_listening(&mut self, listener: ListenerId) {
        self.advertise_again();
        let Some(entry) = self.entering.listeners.get(&listener).copied() else { return };
        tracing::debug!(%entry, "a place at an entry node is held");
        self.tell(Event::Reserved { entry });
        if let Some(observed) = self.entering.observed.get(&entry).cloned() {
            self.consider(&observed);
        }
    }

    /// A listener ended.
    pub(super) fn on_listener_closed(&mut self, listener: ListenerId) {
        self.advertise_again();
        let Some(entry) = self.entering.listeners.remove(&listener) else { return };
        tracing::debug!(%entry, "the place at an entry node is gone");
        if self.listeners_at(&entry).next().is_none() {
            self.tell(Event::Unreserved { entry });
        }
    }

    /// An address of ours is gone: whoever found us reachable there found it at another time.
    pub(super) fn on_address_expired(&mut self) {
        let stale = self
            .swarm
            .external_addresses()
            .filter(|address| !is_circuit(address) && !self.settings.external.contains(address));
        for address in stale.cloned().collect::<Vec<_>>() {
            self.swarm.remove_external_address(&address);
        }
        self.advertise_again();
    }

    /// The addresses that mean something everywhere: where others reach this node directly, then
    /// through entry nodes.
    pub(super) fn outer_addresses(&self) -> Vec<Multiaddr> {
        let direct = self.swarm.external_addresses().filter(|address| !is_circuit(address));
        let circuits = self.swarm.listeners().filter(|address| is_circuit(address));
        let mut all: Vec<_> =
            direct.chain(circuits).map(|a| bare(a, self.swarm.local_peer_id())).collect();
        all.sort_by_key(|a| (is_circuit(a), is_quic(a), a.to_string()));
        all.dedup();
        all.truncate(MAX_ADDRESSES);
        all
    }

    /// What a peer sees of us counts where it is outside of our network and an entry node.
    pub(super) fn on_identified(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        if !self.settings.hidden
            && !is_private(&info.observed_addr)
            && !is_circuit(&info.observed_addr)
        {
            if self.near.places().any(|entry| *entry == peer_id) {
                self.consider(&info.observed_addr);
            }
            self.entering.observed.insert(peer_id, info.observed_addr);
        }
    }

    /// A peer has no connection any more.
    pub(super) fn forget_parted(&mut self, peer: &PeerId) {
        self.entering.observed.remove(peer);
        self.entering.holders.remove(peer);
        self.entering.facts.places = self.entering.holders.len();
    }

    /// We may be reached from outside at the ports on which we listen, where the NAT keeps them: to be
    /// tested by AutoNAT, and to be tried when a hole is punched.
    fn consider(&mut self, observed: &Multiaddr) {
        let candidates: Vec<_> =
            self.swarm.listeners().filter_map(|own| seen_at(own, observed)).collect();
        let behaviour = self.swarm.behaviour_mut();
        for candidate in candidates {
            behaviour.punch.candidate(&candidate);
            if let Some(reach) = behaviour.reach.as_mut() {
                reach.candidate(&candidate);
            }
        }
    }

    pub(super) fn on_relay(&mut self, event: relay::Event) {
        let facts = &mut self.entering.facts;
        match event {
            relay::Event::ReservationReqAccepted { src_peer_id, .. } => {
                self.entering.holders.insert(src_peer_id);
            }
            relay::Event::ReservationTimedOut { src_peer_id } => {
                self.entering.holders.remove(&src_peer_id);
            }
            relay::Event::CircuitReqAccepted { .. } => {
                facts.circuits += 1;
                facts.opened += 1;
            }
            relay::Event::CircuitClosed { .. } => facts.circuits = facts.circuits.saturating_sub(1),
            relay::Event::ReservationReqDenied { .. } | relay::Event::CircuitReqDenied { .. } => {
                facts.denied += 1;
            }
            _ => {}
        }
        self.entering.facts.places = self.entering.holders.len();
    }

    pub(super) fn on_punched(&mut self, event: &dcutr::Event) {
        match &event.result {
            Ok(_) => tracing::debug!(peer = %event.remote_peer_id, "connected directly"),
            Err(error) => tracing::debug!(peer = %event.remote_peer_id, "not directly: {error}"),
        }
    }

    pub(super) fn on_tested(&mut self, event: &autonat::v2::client::Event) {
        tracing::debug!(address = %event.tested_addr, result = ?event.result, "tested from outside");
    }

    /// Gives up connections through entry nodes that are not needed any more.
    pub(super) fn close_spare(&mut self) {
        let running = self.activity.all();
        let busy = |peer: &PeerId| running.iter().any(|(who, calls, _)| who == peer && *calls > 0);
        for connection in self.ways.spare(busy) {
            self.swarm.close_connection(connection);
        }
    }

    fn listeners_at(&self, entry: &PeerId) -> impl Iterator<Item = ListenerId> {
        let listeners = self.entering.listeners.iter();
        listeners.filter(move |(_, at)| *at == entry).map(|(listener, _)| *listener)
    }
}

/// An address without the id of the peer that says it.
fn bare(address: &Multiaddr, me: &PeerId) -> Multiaddr {
    let mut address = address.clone();
    if address.iter().last() == Some(Protocol::P2p(*me)) {
        address.pop();
    }
    address
}

/// The address of a listener as the other side of a NAT that keeps ports has it.
fn seen_at(own: &Multiaddr, observed: &Multiaddr) -> Option<Multiaddr> {
    let family = |a: &Multiaddr| matches!(a.iter().next(), Some(Protocol::Ip4(_)));
    let is_ip =
        |a: &Multiaddr| matches!(a.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
    if is_circuit(own) || !is_ip(own) || !is_ip(observed) || family(own) != family(observed) {
        return None;
    }
    let address = observed.iter().take(1).chain(own.iter().skip(1)).collect();
    (!is_private(&address)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_seen_at_the_outer_address() {
        let table = [
            (
                "/ip4/192.168.1.2/tcp/4001",
                "/ip4/203.0.113.9/tcp/50123",
                Some("/ip4/203.0.113.9/tcp/4001"),
            ),
            (
                "/ip4/192.168.1.2/udp/4001/quic-v1",
                "/ip4/203.0.113.9/tcp/50123",
                Some("/ip4/203.0.113.9/udp/4001/quic-v1"),
            ),
            ("/ip6/fd00::2/tcp/4001", "/ip4/203.0.113.9/tcp/1", None),
            ("/memory/7", "/ip4/203.0.113.9/tcp/1", None),
        ];
        for (own, observed, want) in table {
            let read = |text: &str| text.parse::<Multiaddr>().expect("an address");
            assert_eq!(seen_at(&read(own), &read(observed)), want.map(read), "{own}");
        }
    }
}
