//! The handle that everybody uses: the command line, the GUI and the tests.
//!
//! Cheap to clone. [`Client::call`] runs one call through the router; the other methods say what
//! the node knows.

mod ask;
mod input;
mod report;
mod run;

pub use ask::{Call, CallFailure, CallInput, FailureKind, Reply, RouteHop, Served};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, atomic::AtomicU64},
};

use libp2p::{Multiaddr, PeerId};
use tokio::sync::broadcast;

use crate::{
    blobs::Blobs,
    calls::Caller,
    doctor::Facts,
    network::{MeshEvent, Network, Snapshot},
    protocol::Offer,
    router::Health,
    service::{Counters, Dispatch, Registry},
};

/// A handle on a running node.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) caller: Caller,
    /// What this node can serve now. A passing node offers it to itself alone.
    pub(crate) offers: RwLock<Vec<Offer>>,
    pub(crate) started_with: StartedWith,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) registry: Registry,
    pub(crate) blobs: Blobs,
    pub(crate) health: Mutex<Health>,
    pub(crate) traffic: Mutex<Traffic>,
    pub(crate) next_call: AtomicU64,
}

/// Settings that people ask for later.
pub(crate) struct StartedWith {
    pub(crate) mesh: String,
    pub(crate) mdns: bool,
    /// Offers nothing to others.
    pub(crate) passing: bool,
}

/// What the router should know beyond the adverts.
#[derive(Default)]
pub(crate) struct Traffic {
    /// Our own calls that run, by peer and capability.
    pub(crate) in_flight: HashMap<(PeerId, String), u16>,
    /// The queue that the last answer told, and when (ms).
    pub(crate) queues: HashMap<(PeerId, String), (u16, u64)>,
    /// Bytes per second of large inputs.
    pub(crate) throughput: HashMap<PeerId, f64>,
}

impl Client {
    /// This node's client id.
    pub fn id(&self) -> PeerId {
        self.inner.network.me()
    }

    /// This node's nickname.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The mesh as this node sees it now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.network.snapshot()
    }

    /// Wakes when the mesh changes.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<Arc<Snapshot>> {
        self.inner.network.watch()
    }

    /// Who comes and goes.
    pub fn events(&self) -> broadcast::Receiver<MeshEvent> {
        self.inner.network.events()
    }

    /// What the doctor wants to know of this node; interfaces and firewalls are left out.
    pub async fn facts(&self) -> Facts {
        let network = self.inner.network.facts().await;
        let snapshot = self.snapshot();
        Facts {
            running: true,
            mdns: self.inner.started_with.mdns,
            mesh: self.inner.started_with.mesh.clone(),
            listen: snapshot.listen.iter().map(ToString::to_string).collect(),
            peers_known: snapshot.peers.len(),
            peers_connected: snapshot.peers.values().filter(|p| p.connected).count(),
            heard_by_mdns: network.announced,
            strangers: network.strangers,
            dial_failures: network.dial_failures,
            clone_at: network
                .clone
                .map(|clone| clone.addresses.first().map_or(clone.name, ToString::to_string)),
            troubles: self
                .registry()
                .troubles()
                .into_iter()
                .map(|(name, why)| (name.to_owned(), why))
                .collect(),
            ..Facts::default()
        }
    }

    /// What this node can serve now.
    pub fn offers(&self) -> Vec<Offer> {
        self.inner.offers()
    }

    /// Offers a capability, or stops offering it; calls that run go on.
    pub fn offer(&self, capability: &str, on: bool) {
        self.inner.dispatch.offer(capability, on);
    }

    /// Keeps connections to these addresses too.
    pub async fn join(&self, addresses: Vec<Multiaddr>) {
        self.inner.network.join(addresses).await;
    }

    /// What each of this node's capabilities has done.
    pub fn counters(&self) -> Vec<(&'static str, Counters)> {
        self.inner.dispatch.counters()
    }

    /// This node's services.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }
}

impl Inner {
    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.offers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at what can be served now, and tells the mesh if others may know.
    pub(crate) async fn advertise(&self, offers: Vec<Offer>) {
        self.offers.write().unwrap_or_else(PoisonError::into_inner).clone_from(&offers);
        if !self.started_with.passing {
            self.network.advertise(offers).await;
        }
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    /// Forgets peers that are gone, so that churn does not grow the maps.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.queues.retain(|(who, _), _| who != peer);
        self.throughput.remove(peer);
    }
}
