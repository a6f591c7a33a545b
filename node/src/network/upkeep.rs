//! What is done every few moments: neighbours, pulses, exchanges, redials.

use std::collections::HashSet;

use libp2p::PeerId;
use rand::{RngExt as _, seq::IteratorRandom as _};

use super::{
    actor::{Actor, Outbound},
    now_ms,
};
use crate::{
    directory::{
        self,
        neighbours::{self, Neighbour},
    },
    protocol::Request,
};

/// Time between two comparisons with a random neighbour.
const EXCHANGE_MS: u64 = 9_000;
/// Time between two looks at who should be a neighbour.
const NEIGHBOURS_MS: u64 = 2_000;
/// Time between the word of parting and the closing of the connection.
const PARTING_MS: u64 = 500;
/// How long the word of parting explains the end of a connection.
pub(super) const PARTING_BELIEVED_MS: u64 = 5_000;

/// When what is due, in milliseconds.
#[derive(Default)]
pub(super) struct Upkeep {
    exchange_at: u64,
    neighbours_at: u64,
    /// Who was asked whether the roots are equal, without a digest.
    asked: HashSet<PeerId>,
}

impl Upkeep {
    /// Whether that peer was asked for its root only; asked once.
    pub(super) fn exchanged_without_digest(&mut self, peer: PeerId) -> bool {
        self.asked.remove(&peer)
    }
}

impl Actor {
    pub(super) fn on_tick(&mut self) {
        let now = now_ms();
        self.tell_directory(directory::Event::Tick);
        self.advertise_when_due();
        self.redial(now);
        self.close_parted(now);
        if now >= self.upkeep.neighbours_at {
            self.upkeep.neighbours_at = now + NEIGHBOURS_MS;
            self.keep_neighbours(now);
            self.budget.tidy(now);
            self.parting.retain(|_, until| now < *until);
            self.pulse_pause.retain(|_, until| now < *until);
        }
        self.keep_pulses();
        if now >= self.upkeep.exchange_at {
            // Jitter keeps a mesh that started together from exchanging together.
            let jitter = rand::rng().random_range(0..EXCHANGE_MS / 3);
            self.upkeep.exchange_at = now + EXCHANGE_MS + jitter;
            self.exchange_with_someone();
        }
    }

    fn exchange_with_someone(&mut self) {
        let someone = self
            .swarm
            .connected_peers()
            // A client that only asks has no directory and may not take requests.
            .filter(|p| self.directory.get(p).is_some())
            .copied()
            .choose(&mut rand::rng());
        if let Some(peer) = someone {
            self.upkeep.asked.clear();
            self.upkeep.asked.insert(peer);
            self.send_exchange(peer, false, false);
        }
    }

    /// Dials who should be a neighbour and parts from who need not be.
    fn keep_neighbours(&mut self, now: u64) {
        self.greet_heard(|_| true);
        let me = *self.swarm.local_peer_id();
        let peers = self.neighbours();
        let settings = self.directory.settings();
        let may_dial = |peer: &PeerId| {
            self.dialing.backoff.ready(peer, now)
                && !self.dialing.is_under_way(peer)
                && !self.foreign.contains_key(peer)
        };
        let dial = neighbours::to_dial(&me, &peers, settings, may_dial, &mut rand::rng());
        let prune = neighbours::to_prune(&me, &peers, settings);
        for peer in dial {
            self.dial(peer);
        }
        for peer in prune {
            self.part(peer, now);
        }
    }

    /// Says that a connection is not needed; it is closed once the words are out.
    fn part(&mut self, peer: PeerId, now: u64) {
        if self.closing.contains_key(&peer) {
            return;
        }
        tracing::debug!(%peer, "parts to save a connection");
        self.parting.insert(peer, now + PARTING_BELIEVED_MS);
        self.closing.insert(peer, now + PARTING_MS);
        self.send(peer, Request::Parting, Outbound::Told);
    }

    fn close_parted(&mut self, now: u64) {
        let due: Vec<_> =
            self.closing.iter().filter(|(_, at)| **at <= now).map(|(peer, _)| *peer).collect();
        for peer in due {
            self.closing.remove(&peer);
            let (running, used_at) = self.activity.of(&peer);
            if running > 0 || used_at + PARTING_MS >= now {
                // A call came in the meantime.
                self.parting.remove(&peer);
                continue;
            }
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn keep_pulses(&mut self) {
        let me = *self.swarm.local_peer_id();
        let peers = self.neighbours();
        let wanted = neighbours::to_watch(&me, &peers, self.directory.settings());
        self.pulses.retain(|peer, _| wanted.contains(peer));
        for peer in wanted {
            self.watch(peer);
        }
    }

    /// The live nodes, as far as connections go.
    fn neighbours(&self) -> Vec<Neighbour> {
        self.directory
            .entries()
            .map(|(peer, entry)| {
                let (in_flight, last_used) = self.activity.of(peer);
                Neighbour { id: *peer, connected: entry.connected, in_flight, last_used }
            })
            .collect()
    }
}
