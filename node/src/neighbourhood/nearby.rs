//! Addresses of the own LAN are told to the own LAN only, once an entry node is known.
//!
//! From then on an advert has only what means something everywhere. Where a node listens in its LAN,
//! it tells peers with which it is connected there, and those tell each other: unsigned hearsay, as
//! good as a dial that may fail, and never an address outside of private ranges. Adverts of nodes
//! that have not heard of the entry node yet are not handed to peers far away. A mesh without an entry
//! node does none of this.

use libp2p::{Multiaddr, PeerId};
use serde_bytes::ByteBuf;

use super::{Effect, Neighbourhood, address, peer::Peer};
use crate::protocol::{
    Advert, SignedAdvert, decode,
    exchange::{MAX_NEAR, MAX_NEAR_ADDRESSES, Near},
};

/// Directories beyond this size leave no room for such addresses in an exchange.
const LARGE: usize = 1_000;
/// How long after a try the direct way to a relayed peer is tried again, in ms.
const DIRECT_MS: u64 = 60_000;

/// The best way that leads to a connected peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// In the own network.
    #[default]
    Near,
    /// Directly, from another network.
    Far,
    /// Through an entry node.
    Relayed,
}

/// What a node of the own LAN said of where it listens, or what others say of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Nearby {
    pub(super) addresses: Vec<Multiaddr>,
    /// It said so itself, over its own connection.
    first_hand: bool,
}

impl Neighbourhood {
    /// Whether an advert may be gossiped from here: gossip goes to peers far away too.
    pub fn may_spread(&self, advert: &Advert) -> bool {
        !self.entry_known()
            || !tells_private(advert)
            || !self.peers.iter().any(|(id, peer)| peer.connected() && self.is_far(id, peer))
    }

    /// The best way to a peer changed.
    pub(super) fn on_way(&mut self, peer: PeerId, way: Way) {
        self.peers.entry(peer).or_default().way = way;
    }

    /// Whether a peer is to hear no address of the own LAN.
    pub(super) fn far(&self, id: &PeerId) -> bool {
        self.entry_known() && self.peers.get(id).is_some_and(|peer| self.is_far(id, peer))
    }

    /// Whoever comes to an entry node is far away from all others that do.
    fn is_far(&self, id: &PeerId, peer: &Peer) -> bool {
        self.settings.entry || peer.way != Way::Near || self.entries.contains(id)
    }

    /// Takes out what a peer far away is not to hear.
    pub(super) fn fit(&self, peer: &PeerId, adverts: &mut Vec<SignedAdvert>) {
        if self.far(peer) {
            let private = |signed: &SignedAdvert| {
                decode::<Advert>(&signed.body).is_ok_and(|advert| tells_private(&advert))
            };
            adverts.retain(|signed| !private(signed));
        }
    }

    /// Where this node and others listen in the LAN, for a peer in it.
    pub(super) fn near_for(&self, peer: &PeerId) -> Vec<Near> {
        let quiet = !self.entry_known() || self.settings.entry || self.far(peer);
        if quiet || self.directory.len() > LARGE || !self.peers.contains_key(peer) {
            return Vec::new();
        }
        let own = Some((&self.me, &self.here)).filter(|(_, here)| !here.is_empty());
        let others = self.peers.iter().filter(|(id, known)| {
            *id != peer && !known.nearby.addresses.is_empty() && self.directory.get(id).is_some()
        });
        let others = others.map(|(id, known)| (id, &known.nearby.addresses));
        let all = own.into_iter().chain(others).take(MAX_NEAR);
        all.map(|(id, addresses)| Near {
            id: id.to_bytes(),
            addresses: addresses.iter().map(|a| ByteBuf::from(a.to_vec())).collect(),
        })
        .collect()
    }

    /// A peer says where it and others listen in the LAN.
    pub(super) fn hear_near(&mut self, from: &PeerId, near: &[Near]) {
        if near.is_empty() || self.far(from) {
            return;
        }
        for told in near {
            let Ok(id) = PeerId::from_bytes(&told.id) else { continue };
            let first_hand = id == *from;
            if id == self.me || !(first_hand || self.directory.get(&id).is_some()) {
                continue;
            }
            let known = self.peers.entry(id).or_default();
            if known.nearby.first_hand && !first_hand {
                continue;
            }
            let all = told.addresses.iter().take(MAX_NEAR_ADDRESSES);
            let addresses = all.filter_map(|bytes| Multiaddr::try_from(bytes.to_vec()).ok());
            let addresses = addresses.filter(address::is_private).collect();
            known.nearby = Nearby { addresses, first_hand };
        }
    }

    /// Others may know better by now.
    pub(super) fn doubt_nearby(&mut self, peer: &PeerId) {
        if let Some(known) = self.peers.get_mut(peer) {
            known.nearby.first_hand = false;
        }
    }

    /// Tries the direct way to peers that are reached through an entry node.
    pub(super) fn try_directly(&mut self, now: u64, out: &mut Vec<Effect>) {
        let relayed = self.peers.iter().filter(|(_, peer)| {
            peer.way == Way::Relayed && peer.exchanged() && now >= peer.direct_at
        });
        let relayed: Vec<_> = relayed.map(|(id, _)| *id).collect();
        for peer in relayed {
            let mut addresses = self.addresses_of(&peer);
            addresses.retain(|a| !address::is_circuit(a));
            if let Some(known) = self.peers.get_mut(&peer) {
                known.direct_at = now + DIRECT_MS;
            }
            if !addresses.is_empty() {
                self.dial_directly(peer, addresses, out);
            }
        }
    }
}

fn tells_private(advert: &Advert) -> bool {
    // Where an entry node can be reached, it says itself.
    !advert.entry && advert.multiaddrs().iter().any(address::is_private)
}
