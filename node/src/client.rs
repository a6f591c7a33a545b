//! The handle that everybody uses: the command line, the GUI and the tests.
//!
//! A [`Client`] belongs to a node in this process or, attached, to the one that runs in a data
//! folder: the methods are the same, and so is what they do. It is cheap to clone.
//! [`Client::call`] runs one call through the router; [`Client::subscribe`] follows what the node
//! knows and does; the other methods say how things stand now.

mod ask;
mod event;
mod input;
mod local;
pub mod plain;
mod report;
mod run;
mod watching;

pub use ask::{Call, CallFailure, CallInput, FailureKind, Reply, RouteHop, Served};
pub(crate) use event::Followed;
pub use event::{Event, Own, Subscription, View};
pub use local::ReloadError;
pub(crate) use local::{Local, StartedWith};

// What events and views are made of, for who holds only a client.
pub use crate::{
    journal::{CallEnd, CallRecord, Side},
    network::{PeerView, Snapshot, parse_join},
    protocol::{Offer, decode, encode},
};

use std::{path::Path, sync::Arc};

use libp2p::{Multiaddr, PeerId};
use tokio::sync::watch;

use crate::{
    control::{Attached, ControlError},
    doctor::Facts,
    mail,
    service::Counters,
};
use watching::Watching;

/// A handle on a running node.
#[derive(Clone)]
pub struct Client(Kind);

#[derive(Clone)]
enum Kind {
    /// The node runs in this process.
    Local(Arc<Local>),
    /// The node runs in another one.
    Attached(Arc<Attached>),
}

impl Client {
    /// A handle on the node whose control socket this is; `None` where none runs.
    pub async fn attach(socket: &Path) -> Result<Option<Self>, ControlError> {
        let attached = Attached::connect(socket).await?;
        Ok(attached.map(|attached| Self(Kind::Attached(Arc::new(attached)))))
    }

    /// The node's client id.
    pub fn id(&self) -> PeerId {
        match &self.0 {
            Kind::Local(local) => local.id(),
            Kind::Attached(there) => there.id(),
        }
    }

    /// The node's nickname.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Local(local) => &local.name,
            Kind::Attached(there) => there.name(),
        }
    }

    /// The mesh as the node sees it now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        match &self.0 {
            Kind::Local(local) => local.snapshot(),
            Kind::Attached(there) => there.watch().borrow().clone(),
        }
    }

    /// Wakes when the mesh changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        match &self.0 {
            Kind::Local(local) => local.network.watch(),
            Kind::Attached(there) => there.watch(),
        }
    }

    /// What the node can serve now. A passing node offers it to itself alone.
    pub fn offers(&self) -> Vec<Offer> {
        self.own().offers
    }

    /// What the node was set up to serve and cannot, with the reason.
    pub fn troubles(&self) -> Vec<(String, String)> {
        self.own().troubles
    }

    /// The whole view, then everything that changes.
    pub async fn subscribe(&self) -> Result<Subscription, ControlError> {
        Ok(Subscription(match &self.0 {
            Kind::Local(local) => Followed::Here(Box::new(Watching::new(local.clone()))),
            Kind::Attached(there) => Followed::There(there.subscribe().await?),
        }))
    }

    /// Asks the mesh, the node itself included. Dropping the future stops the work everywhere.
    pub async fn call(&self, call: Call) -> Result<Reply, CallFailure> {
        match &self.0 {
            Kind::Local(local) => local.call(call).await,
            Kind::Attached(there) => there.call(call).await,
        }
    }

    /// Offers a capability, or stops offering it; calls that run go on.
    pub async fn offer(&self, capability: &str, on: bool) -> Result<(), ControlError> {
        match &self.0 {
            Kind::Local(local) => {
                local.dispatch.offer(capability, on);
                Ok(())
            }
            Kind::Attached(there) => there.offer(capability, on).await,
        }
    }

    /// Has the node read again who may use what, its contacts and whom it blocks: what was written to its
    /// settings file holds from now on. Other settings hold from its next start.
    pub async fn reload(&self) -> Result<(), ControlError> {
        match &self.0 {
            Kind::Local(local) => {
                local.reload().await.map_err(|error| ControlError::Refused(error.to_string()))
            }
            Kind::Attached(there) => there.reload().await,
        }
    }

    /// Keeps connections to these addresses too.
    pub async fn join(&self, addresses: Vec<Multiaddr>) -> Result<(), ControlError> {
        match &self.0 {
            Kind::Local(local) => {
                local.network.join(addresses).await;
                Ok(())
            }
            Kind::Attached(there) => there.join(addresses).await,
        }
    }

    /// What the doctor wants to know of the node; interfaces and firewalls are left out.
    pub async fn facts(&self) -> Result<Facts, ControlError> {
        match &self.0 {
            Kind::Local(local) => Ok(local.facts().await),
            Kind::Attached(there) => there.facts().await,
        }
    }

    /// Asks something of the node's post office.
    pub async fn mail(&self, ask: mail::Ask) -> Result<mail::Told, mail::Failed> {
        match &self.0 {
            Kind::Local(local) => local.mail(ask).await,
            Kind::Attached(there) => there.mail(ask).await,
        }
    }

    /// What each of the node's capabilities has done since it started.
    pub async fn counters(&self) -> Result<Vec<(String, Counters)>, ControlError> {
        match &self.0 {
            Kind::Local(local) => Ok(local.counters()),
            Kind::Attached(there) => there.counters().await,
        }
    }

    fn own(&self) -> Own {
        match &self.0 {
            Kind::Local(local) => local.own.borrow().clone(),
            Kind::Attached(there) => there.own().borrow().clone(),
        }
    }
}

impl From<Arc<Local>> for Client {
    fn from(local: Arc<Local>) -> Self {
        Self(Kind::Local(local))
    }
}
