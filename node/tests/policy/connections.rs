//! Connections of the simulated mesh: dials that take time, find nobody or a full node, and break.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use potluck::neighbourhood::{
    DialFailure, Door, Event,
    pulse::{BEAT_MS, PATIENCE_MS},
};
use rand::{RngExt as _, seq::IteratorRandom as _};

use super::{Happening, Mesh, State, address};

/// How long a dial may take, as in the node.
const DIAL_MS: u64 = 4_000;

impl Mesh {
    /// mDNS: somebody on this side of the network is found.
    pub(super) fn discover(&mut self, n: usize) {
        if !self.mdns {
            return;
        }
        let near: Vec<_> =
            (0..self.nodes.len()).filter(|other| *other != n && self.reaches(n, *other)).collect();
        if let Some(found) = near.into_iter().choose(&mut self.rng) {
            let (peer, addresses) = (self.ids[found], vec![address(found)]);
            self.tell(n, Event::Named { peer, addresses });
        }
    }

    pub(super) fn dial(
        &mut self,
        from: usize,
        dial: u64,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
    ) {
        self.dialled += 1;
        let delay = self.rng.random_range(5..60);
        let to = addresses.iter().find_map(|address| match address.iter().next() {
            Some(Protocol::Memory(n)) => usize::try_from(n).ok()?.checked_sub(1),
            _ => None,
        });
        let to = to.filter(|to| *to < self.nodes.len());
        let right = to.filter(|to| peer.is_none_or(|peer| self.ids[*to] == peer));
        let (wait, why) = match (right, to) {
            (Some(to), _) if self.reaches(from, to) => {
                return self.after(delay, Happening::Knocks { from, to, dial });
            }
            (Some(to), _) if self.nodes[from].side != self.nodes[to].side => {
                (DIAL_MS, DialFailure::Silent)
            }
            (Some(to), _) if self.nodes[to].state == State::Paused => {
                (DIAL_MS, DialFailure::Silent)
            }
            (None, Some(_)) => (delay, DialFailure::Silent),
            _ => (delay, DialFailure::Refused),
        };
        self.after(wait, Happening::DialFailed { from, dial, why });
    }

    pub(super) fn knocks(&mut self, from: usize, to: usize, dial: u64) {
        let why = if self.nodes[from].state == State::Running && self.reaches(from, to) {
            let (knocker, now) = (self.ids[from], self.now);
            let (door, effects) = self.nodes[to].near.knock(knocker, now, &mut self.rng);
            self.carry_out(to, effects);
            match door {
                Door::Open => return self.after(3, Happening::Linked { from, to, dial }),
                Door::Shut => DialFailure::Refused,
                Door::Full { retry_after_ms, others } => {
                    DialFailure::Full { retry_after_ms, others }
                }
            }
        } else {
            DialFailure::Silent
        };
        self.after(5, Happening::DialFailed { from, dial, why });
    }

    pub(super) fn link(&mut self, from: usize, to: usize, dial: u64) {
        if self.nodes[from].state != State::Running || !self.reaches(from, to) {
            let why = DialFailure::Silent;
            return self.after(5, Happening::DialFailed { from, dial, why });
        }
        self.nodes[from].links.insert(to);
        self.nodes[to].links.insert(from);
        self.tell(to, Event::Connected { peer: self.ids[from], dial: None });
        self.tell(from, Event::Connected { peer: self.ids[to], dial: Some(dial) });
        for n in [from, to] {
            let (links, most) = (self.nodes[n].links.len(), self.settings.most);
            assert!(links <= most, "node {n} has {links} connections, at most {most}");
        }
        self.graft(from, to);
    }

    /// `from` closes its connection.
    pub(super) fn disconnect(&mut self, from: usize, to: usize) {
        self.after(0, Happening::Broken { at: from, with: to });
        if self.nodes[from].side == self.nodes[to].side {
            self.after(5, Happening::Broken { at: to, with: from });
        }
    }

    pub(super) fn broken(&mut self, at: usize, with: usize) {
        match self.nodes[at].state {
            State::Dead => return,
            State::Paused => return self.after(500, Happening::Broken { at, with }),
            State::Running => {}
        }
        let node = &mut self.nodes[at];
        node.watching.remove(&with);
        node.grafted.remove(&with);
        if node.links.remove(&with) {
            self.tell(at, Event::Disconnected { peer: self.ids[with] });
        }
    }

    pub(super) fn watch(&mut self, from: usize, to: usize) {
        if self.nodes[from].watching.insert(to) {
            self.after(3, Happening::Beats { from, to, again: true });
        }
    }

    pub(super) fn beats(&mut self, from: usize, to: usize, again: bool) {
        let node = &self.nodes[from];
        if node.state == State::Dead || again && !node.watching.contains(&to) {
            return;
        }
        if node.state == State::Paused {
            return self.after(500, Happening::Beats { from, to, again });
        }
        if !node.links.contains(&to) {
            self.nodes[from].watching.remove(&to);
            return self.tell(from, Event::PulseEnded { peer: self.ids[to] });
        }
        if !self.reaches(from, to) {
            return self.after(PATIENCE_MS, Happening::Silent { from, to });
        }
        self.tell(from, Event::Beat { peer: self.ids[to], rtt_ms: 2.0 });
        if again {
            self.after(BEAT_MS, Happening::Beats { from, to, again });
        }
    }
}
