//! The network: libp2p behind a cheap handle. One actor owns the Swarm.
//!
//! [`Network::start`] spawns the actor. The rest of the node talks to it through [`Network`]
//! (bounded commands with reply channels) and reads the mesh from a shared [`Snapshot`]. Calls do
//! not pass through the actor: see `crate::calls`.

mod actor;
pub mod admission;
mod behaviour;
mod dialing;
mod entering;
mod inbound;
mod listening;
mod pulse;
mod relay;
pub mod streams;
mod told;
mod transport;
mod view;
mod ways;

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::doctor::{DialFailure, Stranger};
pub use crate::neighbourhood::address::is_private;
use crate::{
    calls::{Activity, Undelivered},
    entry,
    membership::Membership,
    protocol::Offer,
    say::Reason,
};
pub use admission::{Errand, ErrandError, Issued};
pub use relay::EntryFacts;
pub use transport::{TransportKind, obtain, parse_join};
pub use view::{Departure, Departures, PeerView, Snapshot};

/// How the network is set up.
pub struct NetworkSettings {
    /// The node's identity.
    pub keypair: Keypair,
    /// The nickname.
    pub name: String,
    /// The mesh to belong to.
    pub mesh: String,
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Whom to keep a connection to.
    pub join: Vec<Multiaddr>,
    /// Whether to find neighbours by mDNS.
    pub mdns: bool,
    /// How many neighbours to keep.
    pub neighbours: usize,
    /// Hard bound on connections.
    pub max_connections: u32,
    /// Real sockets, or memory for tests.
    pub transport: TransportKind,
    /// Where others reach this node from everywhere, as far as its owner knows.
    pub external: Vec<Multiaddr>,
    /// What it lends as an entry node, where it is one.
    pub entry: Option<entry::Options>,
    /// Sees the mesh and is not seen: for a command that runs for a moment.
    pub hidden: bool,
    /// What letters to this node are sealed to, where it takes any.
    pub sealing: Option<String>,
    /// The private mesh, where it belongs to one; `mesh` is its id then.
    pub membership: Option<Arc<Membership>>,
}

/// Why the network did not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A socket could not be had.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The multiaddr.
        address: Multiaddr,
        /// What the system said, with what to do about it.
        reason: Reason,
    },
    /// mDNS could not be started.
    #[error(
        "cannot look for neighbours by mDNS: {0}. Start with --no-mdns and give addresses with --join"
    )]
    Mdns(std::io::Error),
    /// The transport could not be built.
    #[error("cannot set up encrypted connections: {0}")]
    Transport(String),
    /// An entry node that nobody could reach.
    #[error(
        "an entry node needs an address that others reach from everywhere: give it with --external, such as --external /ip4/203.0.113.7/tcp/4001, or with `external` below [network] in the settings"
    )]
    NoExternal,
    /// The first advert could not be signed.
    #[error("cannot sign this node's advert: {0}")]
    Advert(#[from] crate::protocol::AdvertError),
}

/// Another process runs with this node's identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "view::CloneRecord", into = "view::CloneRecord")]
pub struct CloneReport {
    /// Its nickname.
    pub name: String,
    /// Where it listens.
    pub addresses: Vec<Multiaddr>,
}

/// What `potluck doctor` wants to know of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkFacts {
    /// Peers that mDNS named in this run.
    pub announced: usize,
    /// Open connections.
    pub connected: usize,
    /// libp2p nodes that are not of this mesh.
    pub strangers: Vec<Stranger>,
    /// Addresses that could not be reached lately.
    pub dial_failures: Vec<DialFailure>,
    /// A process with our identity.
    pub clone: Option<CloneReport>,
    /// What it does as an entry node, where it is one.
    pub entry: Option<EntryFacts>,
}

/// A handle on the actor.
#[derive(Clone)]
pub struct Network {
    commands: mpsc::Sender<Command>,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    streams: streams::Control,
    activity: Activity,
    me: PeerId,
}

enum Command {
    Connect { peer: PeerId, reply: oneshot::Sender<Result<(), Undelivered>> },
    Offers(Vec<Offer>),
    Join(Vec<Multiaddr>),
    Facts(oneshot::Sender<NetworkFacts>),
    SealTo(String),
    Block(BTreeSet<PeerId>),
    ShutOut(BTreeSet<PeerId>),
    ShowMembership,
    Stop(oneshot::Sender<()>),
}

impl Network {
    /// Binds the sockets, spawns the actor, and gives the handle and the actor's task: dropping
    /// that ends the network at once and without a goodbye.
    pub async fn start(
        settings: NetworkSettings,
    ) -> Result<(Self, AbortOnDropHandle<()>), NetworkError> {
        actor::start(settings).await
    }

    /// This node's id.
    pub fn me(&self) -> PeerId {
        self.me
    }

    /// The mesh now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// Wakes when the mesh changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }

    /// Opens and accepts raw streams.
    pub fn streams(&self) -> streams::Control {
        self.streams.clone()
    }

    /// Who works with whom now.
    pub(crate) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Makes sure that there is a connection to a peer, dialling it if need be.
    pub async fn connect(&self, peer: PeerId) -> Result<(), Undelivered> {
        let (reply, connected) = oneshot::channel();
        let stopped = || Undelivered::own("this node is stopping");
        self.commands.send(Command::Connect { peer, reply }).await.map_err(|_| stopped())?;
        connected.await.map_err(|_| stopped())?
    }

    /// Changes what this node advertises.
    pub async fn advertise(&self, offers: Vec<Offer>) {
        let _ = self.commands.send(Command::Offers(offers)).await;
    }

    /// Changes what letters to this node are sealed to.
    pub async fn seal_to(&self, key: String) {
        let _ = self.commands.send(Command::SealTo(key)).await;
    }

    /// Has nothing to do with these any more, and with everybody else again.
    pub async fn block(&self, peers: BTreeSet<PeerId>) {
        let _ = self.commands.send(Command::Block(peers)).await;
    }

    /// These are members of the private mesh no more, and all others may be.
    pub(crate) async fn shut_out(&self, peers: BTreeSet<PeerId>) {
        let _ = self.commands.send(Command::ShutOut(peers)).await;
    }

    /// Says in the advert what makes this node a member now.
    pub(crate) async fn show_membership(&self) {
        let _ = self.commands.send(Command::ShowMembership).await;
    }

    /// Keeps connections to these addresses too.
    pub async fn join(&self, addresses: Vec<Multiaddr>) {
        let _ = self.commands.send(Command::Join(addresses)).await;
    }

    /// What the doctor wants to know.
    pub async fn facts(&self) -> NetworkFacts {
        let (reply, facts) = oneshot::channel();
        let _ = self.commands.send(Command::Facts(reply)).await;
        facts.await.unwrap_or_default()
    }

    /// Whether the actor has ended.
    pub(crate) fn ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Says goodbye to the mesh and closes all connections.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(Command::Stop(reply)).await.is_ok() {
            let _ = done.await;
        }
    }
}

/// Unix time in milliseconds as it was when the process started, counted on from there: a clock
/// that is set while the node runs neither expires everybody nor stops the timers.
pub fn now_ms() -> u64 {
    static START: OnceLock<(Instant, u64)> = OnceLock::new();
    let (instant, unix) = START.get_or_init(|| {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), millis(unix))
    });
    unix.saturating_add(millis(instant.elapsed()))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
