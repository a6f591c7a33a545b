//! Binding sockets, and which of their addresses are worth telling.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use libp2p::{Multiaddr, swarm::SwarmEvent};
use tokio::sync::mpsc;

use super::{NetworkError, actor::Actor, admission::Knock, dialing::innermost};
use crate::{
    neighbourhood::address::{is_circuit, is_link_local, is_loopback, is_quic},
    protocol::advert::MAX_ADDRESSES,
    say::{Reason, reasons},
};

impl Actor {
    /// Waits until each address is bound, so that a port in use is an error and not a log line.
    ///
    /// What else happens meanwhile is handled as ever: mDNS names a neighbour once and then not for
    /// minutes, so an event that got lost here would leave this node alone.
    pub(super) async fn listen(
        &mut self,
        knocks: &mut mpsc::Receiver<Knock>,
    ) -> Result<(), NetworkError> {
        let mut waiting = HashMap::new();
        for address in &self.settings.listen {
            let id = self.swarm.listen_on(address.clone()).map_err(|e| NetworkError::Listen {
                address: address.clone(),
                reason: explain_listen(&innermost(&e)),
            })?;
            waiting.insert(id, address.clone());
        }
        let mut bound = 0;
        // A wildcard on a machine without IPv6 never binds: that is not an error.
        let patience = Instant::now() + Duration::from_secs(3);
        while !(waiting.is_empty() || bound > 0 && waiting.values().all(is_ipv6_wildcard)) {
            let event = tokio::select! {
                event = self.swarm.select_next_some() => event,
                Some(knock) = knocks.recv() => {
                    self.on_knock(knock);
                    continue;
                }
                () = tokio::time::sleep_until(patience.into()) => break,
            };
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    bound += usize::from(waiting.remove(listener_id).is_some());
                }
                SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                    if let (Some(address), Err(e)) = (waiting.remove(listener_id), reason) {
                        return Err(NetworkError::Listen {
                            address,
                            reason: explain_listen(&innermost(e)),
                        });
                    }
                }
                _ => {}
            }
            self.on_swarm(event);
        }
        match waiting.into_values().next() {
            Some(address) if bound == 0 => {
                Err(NetworkError::Listen { address, reason: reasons::no_such_interface() })
            }
            _ => Ok(()),
        }
    }
}

fn is_ipv6_wildcard(address: &Multiaddr) -> bool {
    address.to_string().starts_with("/ip6/::/")
}

fn explain_listen(reason: &str) -> Reason {
    let lower = reason.to_lowercase();
    if lower.contains("address already in use") || lower.contains("addrinuse") {
        reasons::port_taken()
    } else if lower.contains("permission denied") {
        reasons::port_denied()
    } else if lower.contains("cannot assign") {
        reasons::address_not_here()
    } else {
        reason.into()
    }
}

/// The addresses worth telling: loopback only when there is nothing else, TCP before QUIC
/// because a TCP connection ends at once when its process dies. A link-local IPv6 address means
/// nothing without the interface of whoever dials it.
pub(super) fn advertised<'a>(listeners: impl Iterator<Item = &'a Multiaddr>) -> Vec<Multiaddr> {
    let mut all: Vec<_> =
        listeners.filter(|a| !is_link_local(a) && !is_circuit(a)).cloned().collect();
    if all.iter().any(|a| !is_loopback(a)) {
        all.retain(|a| !is_loopback(a));
    }
    all.sort_by_key(|a| (is_quic(a), a.to_string()));
    all.truncate(MAX_ADDRESSES);
    all
}
