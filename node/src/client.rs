//! The handle that everybody uses: the command line, the GUI and the tests.
//!
//! Cheap to clone. [`Client::call`] runs one call through the router; the other methods say what
//! the node knows.

mod ask;

pub use ask::{Call, CallFailure, CallInput, FailureKind, Reply, RouteHop, Served};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

use libp2p::PeerId;
use tokio::sync::{broadcast, mpsc};

use crate::{
    blobs::Blobs,
    network::{MeshEvent, Network, NetworkFacts, Snapshot},
    router::Health,
    service::{Counters, Dispatch, Progress, Registry},
};

/// A handle on a running node.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) registry: Registry,
    pub(crate) blobs: Blobs,
    pub(crate) health: Mutex<Health>,
    pub(crate) traffic: Mutex<Traffic>,
    pub(crate) progress: Mutex<HashMap<(PeerId, u64), mpsc::Sender<Progress>>>,
    pub(crate) next_call: AtomicU64,
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

    /// What the doctor wants to know of the network.
    pub async fn facts(&self) -> NetworkFacts {
        self.inner.network.facts().await
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
    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn progress(
        &self,
    ) -> MutexGuard<'_, HashMap<(PeerId, u64), mpsc::Sender<Progress>>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    /// Forgets peers that are gone, so that churn does not grow the maps.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.queues.retain(|(who, _), _| who != peer);
        self.throughput.remove(peer);
    }
}
