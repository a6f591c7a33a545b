//! A running node: network, services and client put together.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use libp2p::{Multiaddr, StreamProtocol, multiaddr};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    blobs::{BlobError, Blobs},
    calls::{self, Caller},
    client::{Client, Local, Own, StartedWith},
    config::Config,
    entry,
    identity::Identity,
    journal::Journal,
    mail::{self, Post, post::PostError, serve},
    membership::{Membership, MeshError, renewal, spread},
    network::{
        Network, NetworkError, NetworkFacts, NetworkSettings, TransportKind, now_ms, parse_join,
    },
    protocol::{CALL_PROTOCOL, Offer, ROLL_PROTOCOL},
    router::Health,
    say::{Reason, Say as _},
    service::{Dispatch, DispatchSettings, MakeError, Registry},
    services::{self, ServicesError},
};

/// How often the offers are looked at when nothing wakes the advertiser.
const LOOK: Duration = Duration::from_millis(250);
/// The same while a service gets ready: a command may wait for it.
const LOOK_LOADING: Duration = Duration::from_millis(2);
/// How long the network may take to say how it does.
const ANSWER: Duration = Duration::from_secs(2);

/// What a node is started with.
pub struct NodeOptions {
    /// The settings.
    pub config: Config,
    /// The key.
    pub identity: Identity,
    /// Where blobs, models and rules lie; a temporary folder when there is none.
    pub data_dir: Option<PathBuf>,
    /// The data folder whose mail this node has; `None` for a node without any.
    pub mail: Option<PathBuf>,
    /// The data folder of the private mesh, where this node may belong to one.
    pub mesh: Option<PathBuf>,
    /// Real sockets, or memory for tests.
    pub transport: TransportKind,
    /// The services; `None` for those of the settings.
    pub registry: Option<Registry>,
    /// Runs for one command only: it serves itself, and others do not see it.
    pub passing: bool,
}

/// Why a node did not start. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address in the settings or on the command line is wrong.
    #[error("{0}")]
    Address(Reason),
    /// The network did not start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The services did not start.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// The mail cannot be used.
    #[error(transparent)]
    Mail(#[from] PostError),
    /// The private mesh cannot be entered.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// The folder for blobs cannot be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// No temporary folder could be made.
    #[error("no temporary folder can be made: {0}")]
    Temporary(#[source] std::io::Error),
}

/// A node that runs until [`Node::stop`]. Dropping it ends it at once, without a goodbye, as a
/// crash would.
pub struct Node {
    local: Arc<Local>,
    _tasks: [AbortOnDropHandle<()>; 4],
    _carrying: Option<AbortOnDropHandle<()>>,
    _membering: Option<AbortOnDropHandle<()>>,
    _temporary: Option<tempfile::TempDir>,
}

impl Node {
    /// Starts a node. Services that load models go on loading: see [`Node::ready`].
    pub async fn start(options: NodeOptions) -> Result<Self, StartError> {
        let NodeOptions { config, identity, data_dir, mail, mesh, transport, registry, passing } =
            options;
        let membership = membership_of(mesh.as_deref(), &identity).await?;
        let temporary = match data_dir {
            None => Some(tempfile::tempdir().map_err(StartError::Temporary)?),
            Some(_) => None,
        };
        let blobs_dir = data_dir
            .as_deref()
            .or_else(|| temporary.as_ref().map(tempfile::TempDir::path))
            .unwrap_or(Path::new("."))
            .join("blobs");
        let settings_file = data_dir.as_ref().or(mail.as_ref()).map(|dir| dir.join("config.toml"));
        let registry = match registry {
            Some(registry) => registry,
            None => services::all(&config, data_dir.as_deref())?,
        };
        let post = match mail {
            Some(folder) => Some(open_post(folder, &config, &identity).await?),
            None => None,
        };
        let registry = with_mail(registry, post.as_ref(), &config)?;
        let registry = services::about::with_about(registry)
            .map_err(|e| ServicesError::from(MakeError(e.reason())))?;
        if !passing {
            registry.iter().for_each(|(_, service)| service.stay());
        }
        let sealing = post.as_ref().map(Post::sealing);
        let mut settings = NetworkSettings {
            sealing,
            membership: membership.clone(),
            ..network_settings(&config, &identity, transport, passing)?
        };
        if let Some(membership) = &membership {
            membership.introduce(&config.name);
            settings.mesh = membership.mesh().to_string();
            // Where it was let in it finds the others.
            settings.join.extend(membership.first_addresses().iter().cloned());
        }
        let external = settings.external.clone();
        let (network, actor) = Network::start(settings).await?;
        let incoming = network
            .streams()
            .accept(StreamProtocol::new(CALL_PROTOCOL))
            .map_err(|e| NetworkError::Transport(e.to_string()))?;
        let arriving = post.as_ref().map_or(blobs_dir.clone(), Post::arriving);
        let disk = config.services.disk_mib << 20;
        let blobs = Blobs::start(network.streams(), &blobs_dir, &arriving, disk)?;
        if let Some(post) = &post {
            post.connect(&blobs);
        }
        let access = services::access(&config, network.me(), data_dir.as_deref())
            .in_mesh(membership.clone());
        let dispatch = Arc::new(Dispatch::new(
            &registry,
            DispatchSettings {
                threads: services::threads(&config),
                queue: config.services.queue,
                max_input: config.services.max_input_mib << 20,
            },
            Box::new(access.clone()),
        ));
        network.block(config.blocked.0.values().copied().collect()).await;
        let mesh_name = match &membership {
            Some(membership) => membership.name().to_owned(),
            None => config.mesh.clone(),
        };
        let local = Arc::new(Local {
            id: network.me().to_string().into(),
            name: config.name.clone(),
            caller: Caller::new(network.clone()),
            network,
            access,
            settings_file,
            own: watch::Sender::new(Own::default()),
            journal: Journal::default(),
            started_with: StartedWith {
                mesh: mesh_name,
                mdns: config.network.mdns,
                passing,
                external,
            },
            dispatch,
            registry,
            blobs,
            post: post.clone(),
            membership: membership.clone(),
            mesh_folder: mesh,
            moved: watch::Sender::new(false),
            health: Mutex::new(Health::default()),
            traffic: Mutex::default(),
            next_call: AtomicU64::new(1),
        });
        local.advertise(local.dispatch.offers()).await;
        let server = calls::server::Server::new(
            local.dispatch.clone(),
            local.blobs.clone(),
            local.network.activity().clone(),
            local.journal.clone(),
        );
        let serving = tokio::spawn(calls::server::serve(incoming, server));
        let forgetting = tokio::spawn(forget_gone(local.clone()));
        let telling = tokio::spawn(advertise(local.clone()));
        let membering = match membership {
            Some(membership) => Some(member(membership, &local, transport)?),
            None => None,
        };
        let carrying = post.map(|post| {
            AbortOnDropHandle::new(tokio::spawn(mail::carry::carry(post, local.clone())))
        });
        Ok(Self {
            local,
            _tasks: [
                actor,
                AbortOnDropHandle::new(serving),
                AbortOnDropHandle::new(forgetting),
                AbortOnDropHandle::new(telling),
            ],
            _carrying: carrying,
            _membering: membering,
            _temporary: temporary,
        })
    }

    /// The handle.
    pub fn client(&self) -> Client {
        self.local.clone().into()
    }

    /// Its services.
    pub fn registry(&self) -> &Registry {
        &self.local.registry
    }

    /// What whoever watches over this node looks at.
    pub fn watch(&self) -> Watch {
        Watch { local: self.local.clone() }
    }

    pub(crate) fn local(&self) -> &Arc<Local> {
        &self.local
    }

    /// Waits until every service either serves or has failed, and the mesh was told.
    pub async fn ready(&self) {
        let local = &self.local;
        while local.registry.iter().any(|(_, service)| service.loading()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        local.advertise(local.dispatch.offers()).await;
    }

    /// Waits until the data folder belongs to another mesh than the one in which this node is: it has to
    /// be started again.
    pub fn moved(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut moved = self.local.moved.subscribe();
        async move {
            if moved.wait_for(|moved| *moved).await.is_err() {
                // A node that is no more does not move.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Says goodbye and stops.
    pub async fn stop(self) {
        self.local.network.stop().await;
    }
}

/// How a node does, for whoever watches over it. Cheap to clone; it does not keep the node running.
#[derive(Clone)]
pub struct Watch {
    local: Arc<Local>,
}

/// What is seen then.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Its connections, and what it does as an entry node.
    pub network: NetworkFacts,
    /// Other nodes of the mesh that it knows.
    pub nodes: usize,
    /// Letters that it keeps for others, and their bytes.
    pub letters: (usize, u64),
}

impl Watch {
    /// `None` where the network does not answer.
    pub async fn look(&self) -> Option<Watched> {
        let asked = tokio::time::timeout(ANSWER, self.local.network.facts());
        let network = asked.await.ok().filter(|_| !self.local.network.ended())?;
        let letters = self.local.post.as_ref().map_or((0, 0), Post::kept);
        Some(Watched { network, nodes: self.local.network.snapshot().peers.len(), letters })
    }

    /// Where others reach it from everywhere, as far as its owner knows.
    pub fn external(&self) -> &[Multiaddr] {
        &self.local.started_with.external
    }
}

async fn membership_of(
    folder: Option<&Path>,
    identity: &Identity,
) -> Result<Option<Arc<Membership>>, StartError> {
    let Some(folder) = folder.map(Path::to_owned) else { return Ok(None) };
    let me = identity.keypair().clone();
    let opened = tokio::task::spawn_blocking(move || Membership::open(&folder, &me));
    Ok(opened.await.map_err(|error| MeshError::Disk(error.into()))??)
}

/// What a member does beside all else: tell of removals, renew its certificate.
fn member(
    membership: Arc<Membership>,
    local: &Arc<Local>,
    transport: TransportKind,
) -> Result<AbortOnDropHandle<()>, NetworkError> {
    let network = local.network.clone();
    let incoming = network
        .streams()
        .accept(StreamProtocol::new(ROLL_PROTOCOL))
        .map_err(|e| NetworkError::Transport(e.to_string()))?;
    let local = local.clone();
    let work = async move {
        let spreading = spread::run(membership.clone(), network, incoming);
        let renewing = renewal::run(membership, local, transport);
        futures::join!(spreading, renewing);
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(work)))
}

async fn open_post(
    folder: PathBuf,
    config: &Config,
    identity: &Identity,
) -> Result<Post, StartError> {
    let options = config.section::<mail::Options>();
    let settings = mail::post::Settings {
        keep: options.keep_mib << 20,
        read_receipts: options.read_receipts,
        contacts: config.contacts.clone(),
        blocked: config.blocked.clone(),
    };
    let keypair = identity.keypair().clone();
    let opened =
        tokio::task::spawn_blocking(move || Post::open(&folder, &keypair, settings, now_ms()));
    Ok(opened.await.map_err(|e| PostError::Disk(e.into()))??)
}

/// Adds what a post office does for others.
fn with_mail(
    registry: Registry,
    post: Option<&Post>,
    config: &Config,
) -> Result<Registry, StartError> {
    let Some(post) = post else { return Ok(registry) };
    let added =
        registry.with(serve::Mail(post.clone())).and_then(|registry| {
            match services::wanted(config, serve::KEEP) {
                true => registry.with(serve::Keep(post.clone())),
                false => Ok(registry),
            }
        });
    added.map_err(|e| ServicesError::from(MakeError(e.reason())).into())
}

fn network_settings(
    config: &Config,
    identity: &Identity,
    transport: TransportKind,
    hidden: bool,
) -> Result<NetworkSettings, StartError> {
    let mut join = Vec::new();
    for text in &config.network.join {
        join.extend(parse_join(text).map_err(StartError::Address)?);
    }
    let read = |texts: &[String]| -> Result<Vec<Multiaddr>, StartError> {
        let wrong = |text: &String, e| StartError::Address(format!("{text}: {e}").into());
        texts
            .iter()
            .map(|text| text.parse().map_err(|e: multiaddr::Error| wrong(text, e)))
            .collect()
    };
    let entry = config.section::<entry::Options>();
    Ok(NetworkSettings {
        keypair: identity.keypair().clone(),
        name: config.name.clone(),
        mesh: config.mesh.clone(),
        listen: read(&config.network.listen)?,
        external: read(&config.network.external)?,
        entry: entry.enabled.then_some(entry),
        join,
        mdns: config.network.mdns,
        neighbours: config.network.connections,
        max_connections: u32::try_from(config.network.max_connections).unwrap_or(u32::MAX),
        transport,
        hidden,
        sealing: None,
        membership: None,
    })
}

/// Forgets what is known of peers that are gone, so that churn does not grow the maps.
async fn forget_gone(local: Arc<Local>) {
    let mut watch = local.network.watch();
    let mut seen = 0;
    while watch.changed().await.is_ok() {
        let left = watch.borrow_and_update().left.clone();
        let mut traffic = local.traffic();
        left.since(seen).for_each(|departure| traffic.forget(&departure.peer));
        seen = left.count;
    }
}

/// Keeps the advert true: what is offered, and how long the queues are.
async fn advertise(local: Arc<Local>) {
    let changed = local.dispatch.load_changed();
    loop {
        let loading = local.registry.iter().any(|(_, service)| service.loading());
        let look = if loading { LOOK_LOADING } else { LOOK };
        let _ = tokio::time::timeout(look, changed.notified()).await;
        let offers = local.dispatch.offers();
        // Compared with what was really told: a service may get ready at any moment.
        if worth_telling(&local.offers(), &offers) {
            local.advertise(offers).await;
        }
        local.tell_troubles();
        if !loading {
            // A burst of calls wakes this once, not once a call.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A queue is worth an advert when it doubles or halves beyond what the slots take anyway.
fn worth_telling(told: &[Offer], now: &[Offer]) -> bool {
    let level = |o: &Offer| {
        let over = u32::from(o.queue) / u32::from(o.slots.max(1));
        u32::BITS - over.leading_zeros()
    };
    let same = |a: &Offer, b: &Offer| {
        level(a) == level(b) && Offer { queue: 0, ..a.clone() } == Offer { queue: 0, ..b.clone() }
    };
    told.len() != now.len() || !told.iter().zip(now).all(|(a, b)| same(a, b))
}
