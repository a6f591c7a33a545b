//! The connections to each peer: which of them is the best way, and which is not needed any more.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, swarm::ConnectionId};

use crate::neighbourhood::{Way, address::is_private};

/// How long a direct way must have stood before the one through an entry node is given up.
const SETTLED: Duration = Duration::from_secs(3);
/// How long a connection is kept that an entry node made to see whether it can be made.
const PROBE: Duration = Duration::from_secs(15);

/// The connections to each peer.
#[derive(Debug, Default)]
pub(super) struct Ways(HashMap<PeerId, Vec<Connection>>);

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    way: Way,
    since: Instant,
    /// A behaviour made it to see whether it can be made.
    probe: bool,
}

impl Ways {
    /// A connection is there. Gives the best way where that changed: [`Way::Near`] is taken for
    /// granted.
    pub(super) fn add(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        point: &ConnectedPoint,
        probe: bool,
    ) -> Option<Way> {
        let before = self.best(&peer).unwrap_or_default();
        let way = way(point);
        let connection = Connection { id, way, since: Instant::now(), probe };
        self.0.entry(peer).or_default().push(connection);
        self.best(&peer).filter(|best| *best != before)
    }

    /// A connection is gone. Gives the best way that is left where that changed.
    pub(super) fn remove(&mut self, peer: &PeerId, id: ConnectionId) -> Option<Way> {
        let before = self.best(peer)?;
        let all = self.0.get_mut(peer)?;
        all.retain(|connection| connection.id != id);
        if all.is_empty() {
            self.0.remove(peer);
        }
        self.best(peer).filter(|best| *best != before)
    }

    /// Connections that are not needed: those through entry nodes where there is a direct one and
    /// nothing is under way, and probes.
    pub(super) fn spare(&self, busy: impl Fn(&PeerId) -> bool) -> Vec<ConnectionId> {
        let settled = |connection: &&Connection| {
            connection.way != Way::Relayed
                && !connection.probe
                && connection.since.elapsed() >= SETTLED
        };
        let mut spare = Vec::new();
        for (peer, all) in self.0.iter().filter(|(_, all)| all.len() > 1) {
            if all.iter().find(settled).is_none() {
                continue;
            }
            let relayed = all.iter().filter(|connection| connection.way == Way::Relayed);
            if relayed.clone().next().is_some() && !busy(peer) {
                spare.extend(relayed.map(|connection| connection.id));
            }
            let probes = all.iter().filter(|it| it.probe && it.since.elapsed() >= PROBE);
            spare.extend(probes.map(|connection| connection.id));
        }
        spare
    }

    fn best(&self, peer: &PeerId) -> Option<Way> {
        self.0.get(peer)?.iter().map(|connection| connection.way).min()
    }
}

/// Which way a connection takes.
fn way(point: &ConnectedPoint) -> Way {
    let remote: &Multiaddr = point.get_remote_address();
    if point.is_relayed() {
        Way::Relayed
    } else if is_private(remote) {
        Way::Near
    } else {
        Way::Far
    }
}
