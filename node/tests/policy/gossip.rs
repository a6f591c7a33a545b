//! Gossip of the simulated mesh, with the degree and the heartbeat of the node's gossipsub: a message
//! goes to the grafted neighbours of whoever accepted it, once, and nobody is told who has which.

use std::rc::Rc;

use potluck::{
    directory::Via,
    neighbourhood::{
        Event,
        gossip::{DEGREE, SEEN_MS},
    },
    protocol::Rumour,
};
use rand::seq::IteratorRandom as _;

use super::{Mesh, Message};

/// A message; gossipsub tells them apart by their content.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) rumour: Rc<Rumour>,
}

impl Mesh {
    /// Publishes something of one's own.
    pub(super) fn publish(&mut self, n: usize, rumour: Rumour) {
        let said = Said { id: rumour_id(&rumour), rumour: Rc::new(rumour) };
        if self.unseen(n, said.id) {
            self.gossiped += 1;
            self.spread(n, n, &said);
        }
    }

    /// Something arrived: it is handed on only when it was found good.
    pub(super) fn rumour(&mut self, n: usize, from: usize, said: Said) {
        if !self.unseen(n, said.id) {
            return;
        }
        match &*said.rumour {
            Rumour::Advert(signed) => {
                if self.heard(n, from, signed, Via::Gossip) {
                    self.spread(n, from, &said);
                }
            }
            Rumour::Lost(signed) => {
                let by = self.ids[from];
                if !self.nodes[n].near.worth_verifying(&by, self.now) {
                    return;
                }
                let Ok(loss) = signed.verify() else { return };
                let signed = signed.clone();
                let node = &mut self.nodes[n];
                node.last_token += 1;
                let token = node.last_token;
                node.unjudged.insert(token, (from, said));
                self.tell(n, Event::Loss { loss, signed, from: by, token });
            }
        }
    }

    pub(super) fn judge(&mut self, n: usize, token: u64, forward: bool) {
        if let Some((from, said)) = self.nodes[n].unjudged.remove(&token)
            && forward
        {
            self.spread(n, from, &said);
        }
    }

    /// Keeps as many grafted neighbours as gossipsub would.
    pub(super) fn heartbeat(&mut self, n: usize) {
        let now = self.now;
        self.nodes[n].seen.retain(|_, at| now < *at + SEEN_MS);
        let (low, usual, high) = DEGREE;
        let grafted = self.nodes[n].grafted.len();
        if grafted < low {
            let node = &self.nodes[n];
            let free = node.links.iter().filter(|link| !node.grafted.contains(link));
            let more: Vec<_> = free.copied().sample(&mut self.rng, usual - grafted);
            for other in more {
                self.nodes[n].grafted.insert(other);
                self.nodes[other].grafted.insert(n);
            }
        } else if grafted > high {
            let fewer: Vec<_> =
                self.nodes[n].grafted.iter().copied().sample(&mut self.rng, grafted - usual);
            for other in fewer {
                self.nodes[n].grafted.remove(&other);
                self.nodes[other].grafted.remove(&n);
            }
        }
    }

    /// A new neighbour is grafted at once by who has too few.
    pub(super) fn graft(&mut self, a: usize, b: usize) {
        let few = |n: usize| self.nodes[n].grafted.len() < DEGREE.0;
        if few(a) || few(b) {
            self.nodes[a].grafted.insert(b);
            self.nodes[b].grafted.insert(a);
        }
    }

    fn spread(&mut self, n: usize, from: usize, said: &Said) {
        for to in self.nodes[n].grafted.iter().copied().collect::<Vec<_>>() {
            if to != from {
                self.send(n, to, Message::Rumour(said.clone()));
            }
        }
    }

    fn unseen(&mut self, n: usize, id: u64) -> bool {
        self.nodes[n].seen.insert(id, self.now).is_none()
    }
}

fn rumour_id(rumour: &Rumour) -> u64 {
    let bytes = potluck::protocol::encode(rumour).expect("a rumour encodes");
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"))
}
