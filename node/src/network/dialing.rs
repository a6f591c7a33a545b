//! Carrying out dials, and saying how they ended.

use std::{collections::HashMap, io};

use libp2p::{
    Multiaddr, PeerId, TransportError,
    core::ConnectedPoint,
    swarm::{ConnectionId, DialError, dial_opts::DialOpts, dial_opts::PeerCondition},
};
use tokio::sync::oneshot;

use super::{CloneReport, actor::Actor, admission::AdmissionError};
use crate::{
    calls::Undelivered,
    doctor::{DialFailure as Noted, DialReason},
    neighbourhood::{
        DialFailure, Event,
        address::{is_loopback, is_quic},
    },
};

/// Dial failures that the doctor is told of.
const FAILURES: usize = 16;
/// Callers that wait for dials, over all peers.
const WAITING: usize = 1024;

type Reply = oneshot::Sender<Result<(), Undelivered>>;

/// Calls that wait for connections.
#[derive(Default)]
pub(super) struct Waiting {
    peers: HashMap<PeerId, Vec<Reply>>,
}

impl Waiting {
    /// Tells everyone who waits for a peer how it ended.
    pub(super) fn end(&mut self, peer: &PeerId, result: &Result<(), (&'static str, bool)>) {
        for reply in self.peers.remove(peer).unwrap_or_default() {
            let _ = reply.send(result.map_err(|(why, own)| Undelivered {
                reached: false,
                own,
                why: why.into(),
            }));
        }
    }

    fn add(&mut self, peer: PeerId, reply: Reply) {
        let waiting: usize = self.peers.values().map(Vec::len).sum();
        if waiting >= WAITING {
            let _ = reply.send(Err(Undelivered::own("too many calls wait for connections")));
            return;
        }
        self.peers.entry(peer).or_default().push(reply);
    }
}

impl Actor {
    /// Says when there is a connection, dialling if there is none.
    pub(super) fn connect(&mut self, peer: PeerId, reply: Reply) {
        self.waiting.add(peer, reply);
        self.tell(Event::Wanted { peer });
    }

    pub(super) fn dial(&mut self, dial: u64, peer: Option<PeerId>, addresses: Vec<Multiaddr>) {
        // From a new port: two nodes that dial each other from their listening ports at once
        // would both use the same pair of addresses, and one dial would fail.
        let options = match (peer, addresses.first()) {
            (None, Some(address)) => {
                DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build()
            }
            (peer, _) => DialOpts::peer_id(peer.unwrap_or(*self.swarm.local_peer_id()))
                .condition(PeerCondition::Always)
                .addresses(addresses)
                .allocate_new_port()
                .build(),
        };
        let id = options.connection_id();
        self.dials.insert(id, dial);
        if let Err(error) = self.swarm.dial(options) {
            self.on_dial_failed(id, &error);
        }
    }

    pub(super) fn on_connected(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        point: &ConnectedPoint,
    ) {
        self.activity.touch(peer);
        let dial = self.dials.remove(&connection);
        let probe = self.settings.entry.is_some() && point.is_dialer() && dial.is_none();
        if let Some(way) = self.ways.add(peer, connection, point, probe) {
            self.tell(Event::Way { peer, way });
        }
        self.tell(Event::Connected { peer, dial });
        self.snapshot_stale = true;
    }

    pub(super) fn on_disconnected(&mut self, peer: PeerId) {
        self.forget_pulse(&peer);
        self.activity.forget(&peer);
        self.forget_parted(&peer);
        self.tell(Event::Disconnected { peer });
        self.snapshot_stale = true;
    }

    pub(super) fn on_dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let dial = self.dials.remove(&connection);
        let why = failure_of(error);
        // It left, and its process has ended: nothing that the doctor should worry about.
        let ended = why == DialFailure::Refused && dial.is_some_and(|dial| self.near.left(dial));
        // What behaviours try by themselves (holes, tests) fails more often than not.
        if !ended && dial.is_some() {
            self.note_failure(error);
        }
        if let Some(dial) = dial {
            self.tell(Event::DialFailed { dial, why });
            self.snapshot_stale = true;
        }
    }

    fn note_failure(&mut self, error: &DialError) {
        match error {
            DialError::Transport(all) => {
                // A peer that does not let us in was reached.
                for (address, error) in all.iter().filter(|it| AdmissionError::of(&it.1).is_none())
                {
                    if self.failures.len() == FAILURES {
                        self.failures.pop_front();
                    }
                    let reason = reason_of(&innermost(error));
                    self.failures.push_back(Noted { address: address.to_string(), reason });
                }
            }
            // Our own id answered: a process with a copy of our key, unless it is ourselves.
            DialError::LocalPeerId { address } => {
                let ours = self
                    .swarm
                    .listeners()
                    .any(|own| address.to_string().starts_with(&own.to_string()));
                if !ours && !is_loopback(address) {
                    let name = self.settings.name.clone();
                    self.on_clone(CloneReport { name, addresses: vec![address.clone()] });
                }
            }
            _ => {}
        }
    }
}

fn failure_of(error: &DialError) -> DialFailure {
    match error {
        DialError::Transport(all) => {
            if let Some(refusal) = all.iter().find_map(refusal_of) {
                return refusal;
            }
            let mut tcp = all.iter().filter(|(address, _)| !is_quic(address)).peekable();
            let refused = tcp.peek().is_some()
                && tcp.all(|(_, e)| reason_of(&innermost(e)) == DialReason::Refused);
            if refused { DialFailure::Refused } else { DialFailure::Silent }
        }
        DialError::LocalPeerId { .. } | DialError::WrongPeerId { .. } => DialFailure::Silent,
        // Our own limits and conditions say nothing about the peer.
        _ => DialFailure::Own,
    }
}

/// What a peer said that was reached and did not let us in.
fn refusal_of((address, error): &(Multiaddr, TransportError<io::Error>)) -> Option<DialFailure> {
    let refusal = AdmissionError::of(error)?;
    if let AdmissionError::Full { retry_after_ms, others } = refusal {
        let (retry_after_ms, others) = (*retry_after_ms, others.clone());
        return Some(DialFailure::Full { retry_after_ms, others });
    }
    refusal.stranger(address).map(DialFailure::Stranger)
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
