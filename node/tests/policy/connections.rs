//! Connections of the simulated mesh: dials that take time and fail, breaks, neighbours.

use std::rc::Rc;

use libp2p::PeerId;
use potluck::directory::{
    Event,
    neighbours::{Neighbour, to_dial, to_prune, to_watch},
};
use rand::{RngExt as _, seq::IteratorRandom as _};

use super::{DIAL_MS, Happening, Mesh, Message, PULSE_MS, State};

impl Mesh {
    /// mDNS: somebody on this side of the network is found.
    pub(super) fn discover(&mut self, n: usize) {
        let near: Vec<_> =
            (0..self.nodes.len()).filter(|other| *other != n && self.reaches(n, *other)).collect();
        if let Some(found) = near.into_iter().choose(&mut self.rng) {
            self.dial(n, found);
        }
    }

    pub(super) fn dial(&mut self, from: usize, to: usize) {
        let connected = self.nodes[from].connections.contains_key(&to);
        if connected || !self.nodes[from].dialing.insert(to) {
            return;
        }
        self.dialled += 1;
        let dead = self.nodes[to].state == State::Dead;
        let same = self.nodes[from].side == self.nodes[to].side;
        let delay = self.rng.random_range(5..60);
        if self.reaches(from, to) {
            self.after(delay, Happening::Dialled { from, to });
        } else {
            let refused = dead && same;
            let wait = if refused { delay } else { DIAL_MS };
            self.after(wait, Happening::DialFailed { from, to });
        }
    }

    pub(super) fn dialled(&mut self, from: usize, to: usize) {
        if self.nodes[from].state != State::Running || !self.reaches(from, to) {
            return self.dial_failed(from, to);
        }
        self.nodes[from].dialing.remove(&to);
        let id = self.ids[to];
        self.nodes[from].backoff.succeeded(&id);
        for (a, b) in [(from, to), (to, from)] {
            self.nodes[a].connections.insert(b, self.now);
            self.tell(a, Event::Connected { peer: self.ids[b] });
        }
        let own = serde_bytes::ByteBuf::from(self.ids[from].to_bytes());
        let hello = self.nodes[from].directory.exchange(true, &[own]);
        self.send(from, to, Message::Ask(Rc::new(hello)));
    }

    pub(super) fn dial_failed(&mut self, from: usize, to: usize) {
        self.nodes[from].dialing.remove(&to);
        if self.nodes[from].state != State::Running {
            return;
        }
        let peer = self.ids[to];
        let (now, rng) = (self.now, &mut self.rng);
        self.nodes[from].backoff.failed(peer, now, rng);
        self.tell(from, Event::Unreachable { peer });
    }

    pub(super) fn verify(&mut self, n: usize, peer: usize) {
        if !self.nodes[n].connections.contains_key(&peer) {
            self.dial(n, peer);
        } else if self.reaches(n, peer) {
            self.tell(n, Event::Connected { peer: self.ids[peer] });
        } else {
            self.after(PULSE_MS, Happening::PulseFailed { from: n, to: peer });
        }
    }

    /// `from` closes its connection on purpose.
    pub(super) fn disconnect(&mut self, from: usize, to: usize) {
        self.broken(from, to, false);
        if self.reaches(from, to) {
            self.broken(to, from, false);
        }
    }

    pub(super) fn broken(&mut self, at: usize, with: usize, unexpected: bool) {
        if self.nodes[at].state != State::Running {
            return;
        }
        if self.nodes[at].connections.remove(&with).is_some() {
            let peer = self.ids[with];
            self.tell(at, Event::Disconnected { peer, unexpected });
        }
    }

    pub(super) fn upkeep(&mut self, n: usize) {
        let me = self.ids[n];
        let node = &self.nodes[n];
        let mut peers: Vec<Neighbour> = node
            .directory
            .entries()
            .map(|(id, entry)| Neighbour {
                id: *id,
                connected: entry.connected,
                in_flight: 0,
                last_used: 0,
            })
            .collect();
        for peer in &mut peers {
            peer.last_used = node.connections.get(&self.index[&peer.id]).copied().unwrap_or(0);
        }
        let watched = to_watch(&me, &peers, &self.settings);
        let closed = to_prune(&me, &peers, &self.settings);
        let (now, rng) = (self.now, &mut self.rng);
        let ready = |id: &PeerId| self.nodes[n].backoff.ready(id, now);
        let dialled = to_dial(&me, &peers, &self.settings, ready, rng);
        for peer in watched.iter().map(|id| self.index[id]).collect::<Vec<_>>() {
            if !self.reaches(n, peer) {
                self.after(PULSE_MS, Happening::PulseFailed { from: n, to: peer });
            }
        }
        for peer in closed.iter().map(|id| self.index[id]).collect::<Vec<_>>() {
            self.disconnect(n, peer);
        }
        for peer in dialled.iter().map(|id| self.index[id]).collect::<Vec<_>>() {
            self.dial(n, peer);
        }
    }
}
