//! The node in this process, as its clients use it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use hashbrown::HashMap;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::watch;

use super::event::Own;
use crate::{
    blobs::Blobs,
    calls::Caller,
    config::{Config, ConfigError},
    doctor::Facts,
    journal::Journal,
    mail::{self, Post},
    membership::{Desk, Membership, MeshError},
    network::{Network, Snapshot, now_ms},
    protocol::Offer,
    router::Health,
    service::{Access, Counters, Dispatch, Registry},
    services::{self, about},
};

/// Why what is in the data folder does not hold from now on.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The private mesh.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

/// How long the answer to somebody who had this node look again may take.
const ANSWER: Duration = Duration::from_millis(200);

/// What all handles on a node in this process share.
pub(crate) struct Local {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) network: Network,
    /// Who may call what.
    pub(crate) access: Access,
    /// Where that is written, where this node has a data folder.
    pub(crate) settings_file: Option<PathBuf>,
    pub(crate) caller: Caller,
    /// What this node can serve now, and what it cannot.
    pub(crate) own: watch::Sender<Own>,
    pub(crate) journal: Journal,
    pub(crate) started_with: StartedWith,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) registry: Registry,
    pub(crate) blobs: Blobs,
    /// The mail, where this node has any.
    pub(crate) post: Option<Post>,
    /// The private mesh, where this node belongs to one.
    pub(crate) membership: Option<Arc<Membership>>,
    /// The data folder that says to which.
    pub(crate) mesh_folder: Option<PathBuf>,
    /// Whether that is another one now.
    pub(crate) moved: watch::Sender<bool>,
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
    /// Where others reach it from everywhere.
    pub(crate) external: Vec<Multiaddr>,
}

/// What the router should know beyond the adverts.
#[derive(Default)]
pub(crate) struct Traffic {
    /// Our own calls that run, by peer and capability.
    pub(crate) in_flight: HashMap<(PeerId, Arc<str>), u16>,
    /// The queue that the last answer told, and when (ms).
    pub(crate) queues: HashMap<(PeerId, Arc<str>), (u16, u64)>,
    /// Bytes per second of large inputs.
    pub(crate) throughput: HashMap<PeerId, f64>,
}

impl Local {
    pub(crate) fn id(&self) -> PeerId {
        self.network.me()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.network.snapshot()
    }

    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.own.borrow().offers.clone()
    }

    pub(crate) async fn facts(&self) -> Facts {
        let network = self.network.facts().await;
        let snapshot = self.snapshot();
        Facts {
            running: true,
            mdns: self.started_with.mdns,
            mesh: self.started_with.mesh.clone(),
            listen: snapshot.listen.iter().map(ToString::to_string).collect(),
            peers_known: snapshot.peers.len(),
            peers_connected: snapshot.peers.values().filter(|p| p.connected).count(),
            heard_by_mdns: network.announced,
            strangers: network.strangers,
            dial_failures: network.dial_failures,
            clone_at: network
                .clone
                .map(|clone| clone.addresses.first().map_or(clone.name, ToString::to_string)),
            troubles: self.troubles(),
            ..Facts::default()
        }
    }

    /// Looks at what can be served now, and tells the mesh if others may know.
    pub(crate) async fn advertise(&self, offers: Vec<Offer>) {
        let own = Own { listen: vec![], offers: offers.clone(), troubles: self.troubles() };
        self.own.send_if_modified(|told| {
            let news = *told != own;
            *told = own;
            news
        });
        if !self.started_with.passing {
            self.network.advertise(offers).await;
        }
    }

    /// Reads again who may do what, whom the owner knows and whom not; it holds from now on.
    pub(crate) async fn reload(&self) -> Result<(), ReloadError> {
        let Some(file) = self.settings_file.clone() else { return Ok(()) };
        let unread = |path: PathBuf, why: io::Error| ConfigError::Unreadable { path, source: why };
        let read = tokio::task::spawn_blocking({
            let file = file.clone();
            move || Config::load(&file)
        });
        let config = read.await.map_err(|error| unread(file, error.into()))??;
        self.access.change(services::rules(&config));
        self.network.block(config.blocked.0.values().copied().collect()).await;
        if let Some(post) = &self.post {
            post.know(config.contacts, config.blocked);
        }
        Ok(self.reload_membership().await?)
    }

    /// Looks at the private mesh of the data folder again.
    async fn reload_membership(&self) -> Result<(), MeshError> {
        let Some(folder) = self.mesh_folder.clone() else { return Ok(()) };
        let membership = self.membership.clone();
        let same = tokio::task::spawn_blocking(move || match membership {
            Some(membership) => membership.reload(),
            None => Desk::of(&folder).held().map(|held| held.is_none()),
        });
        let same = same.await.map_err(|error| MeshError::Disk(error.into()))??;
        if !same {
            let moved = self.moved.clone();
            tokio::spawn(async move {
                // Whoever asked for it is to hear the answer first.
                tokio::time::sleep(ANSWER).await;
                moved.send_replace(true);
            });
        }
        Ok(())
    }

    /// Tells whoever follows this node what cannot be served, where that is new: the mesh is not told.
    pub(crate) fn tell_troubles(&self) {
        let troubles = self.troubles();
        self.own.send_if_modified(|told| {
            let news = told.troubles != troubles;
            told.troubles = troubles;
            news
        });
    }

    pub(crate) async fn mail(&self, ask: mail::Ask) -> Result<mail::Told, mail::Failed> {
        match &self.post {
            Some(post) => {
                // The key of somebody who has just come back may be a new one.
                post.meet(&self.snapshot()).await;
                post.answer(ask).await
            }
            None => Err(mail::Failed::no_mail()),
        }
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counters(&self) -> Vec<(String, Counters)> {
        let counters = self.dispatch.counters().into_iter();
        // A word about the others is no work.
        counters
            .filter(|(name, _)| *name != about::NAME)
            .map(|(name, counters)| (name.to_owned(), counters))
            .collect()
    }

    fn troubles(&self) -> Vec<(String, String)> {
        let troubles = self.registry.troubles().into_iter();
        let troubles = troubles.map(|(name, why)| (name.to_owned(), why));
        let mesh = self.membership.as_ref().and_then(|membership| membership.trouble(now_ms()));
        troubles.chain(mesh.map(|why| ("mesh".to_owned(), why))).collect()
    }
}

impl Traffic {
    /// Forgets peers that are gone, so that churn does not grow the maps.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.queues.retain(|(who, _), _| who != peer);
        self.throughput.remove(peer);
    }
}
