//! Nodes of the simulated mesh that lie and crowd.

use std::rc::Rc;

use libp2p::PeerId;
use potluck::{
    neighbourhood::Door,
    protocol::{Advert, Exchange, Loss, Rumour, SignedAdvert},
};
use rand::{Rng as _, RngExt as _, seq::IteratorRandom as _};
use serde_bytes::ByteBuf;

use super::{Happening, Mesh, Message, address};

/// Words of losses, and made-up nodes, that a villain tells in a second.
const WORDS: usize = 20;
const NAMES: usize = 20;

impl Mesh {
    /// A node that takes part as all do, and besides tells of losses that are none and of nodes that
    /// do not exist.
    pub fn villain(&mut self) -> usize {
        let n = self.add(true);
        self.advertise(n, 0, false);
        self.begin(n);
        self.after(1_000, Happening::Villainy(n));
        n
    }

    /// A crowd that connects to one node and says nothing. Gives how many were let in.
    pub fn crowd(&mut self, at: usize, many: usize) -> usize {
        let mut inside = 0;
        for _ in 0..many {
            let n = self.add(true);
            let (id, now) = (self.ids[n], self.now);
            let (door, effects) = self.nodes[at].near.knock(id, now, &mut self.rng);
            self.carry_out(at, effects);
            if door == Door::Open {
                inside += 1;
                self.after(3, Happening::Linked { from: n, to: at, dial: 0 });
            }
        }
        inside
    }

    pub(super) fn villainy(&mut self, n: usize) {
        let known = self.nodes[n].near.directory().entries();
        let victims: Vec<(PeerId, u64)> =
            known.map(|(id, entry)| (*id, entry.advert.seq)).sample(&mut self.rng, WORDS);
        for (peer, seq) in victims {
            let signed = Loss::sign(&peer, seq, &self.nodes[n].key).expect("signs");
            self.publish(n, Rumour::Lost(signed));
        }
        let adverts: Vec<_> = (0..NAMES).map(|_| self.made_up()).collect();
        let exchange = Rc::new(Exchange { root: [0; 32], digest: None, adverts, near: vec![] });
        for to in self.nodes[n].links.iter().copied().collect::<Vec<_>>() {
            self.send(n, to, Message::Tell(exchange.clone()));
        }
    }

    /// An advert of nobody, with the address of somebody else or of nobody.
    fn made_up(&mut self) -> SignedAdvert {
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        let at = self.rng.random_range(0..2 * self.nodes.len());
        let advert = Advert {
            version: 2,
            id: crate::peer(key).to_bytes(),
            seq: self.now,
            incarnation: 1,
            name: String::new(),
            mesh: self.settings.directory.mesh.clone(),
            addresses: vec![ByteBuf::from(address(at).to_vec())],
            offers: vec![],
            leaving: false,
            sealing: None,
            entry: false,
            pass: None,
        };
        self.signed(&advert)
    }
}
