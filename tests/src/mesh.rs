//! Meshes of real nodes in one process, and services whose behaviour a test decides.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use libp2p::PeerId;
use potluck::{
    Client, Node, NodeOptions,
    client::{Call, CallInput, Reply},
    config::Config,
    data_dir::DataDir,
    entry,
    identity::Identity,
    network::{Snapshot, TransportKind},
    protocol::{self, Fault, FaultKind, Repeat},
    service::{Capability, Context, Data, Example, Kind, Registry, Service, Standing},
};
use serde::{Deserialize, Serialize};

/// A guard against tests that hang, not a measure of speed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A node to be started.
pub struct Setup {
    /// Its settings: a free memory address, no mDNS.
    pub config: Config,
    /// Its services.
    pub registry: Registry,
    /// What carries the bytes.
    pub transport: TransportKind,
    /// The data folder with its mail and its identity, where it has any.
    pub home: Option<PathBuf>,
}

impl Setup {
    /// A node that offers nothing, on the memory transport.
    pub fn new(name: &str) -> Self {
        let mut config = Config { name: name.to_owned(), ..Config::default() };
        // Port 0 is taken for any free one, as with TCP.
        config.network.listen = vec!["/memory/0".to_owned()];
        config.network.mdns = false;
        Self { config, registry: Registry::new(), transport: TransportKind::Memory, home: None }
    }

    /// On TCP over loopback instead.
    pub fn tcp(mut self) -> Self {
        self.config.network.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
        self.transport = TransportKind::Real;
        self
    }

    /// On QUIC over loopback instead.
    pub fn quic(mut self) -> Self {
        self.config.network.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".to_owned()];
        self.transport = TransportKind::Real;
        self
    }

    /// An entry node, at an address of its own.
    pub fn entry(self) -> Self {
        // Told to others before it is bound: drawn, so that no two tests draw the same.
        let address = format!("/memory/{}", rand::random::<u64>() | 1 << 63);
        self.configured(|config| {
            config.network.listen = vec![address.clone()];
            config.network.external = vec![address];
            config.change::<entry::Options>(|entry| entry.enabled = true);
        })
    }

    /// Adds a service.
    pub fn with(mut self, service: impl Service) -> Self {
        self.registry = self.registry.with(service).expect("the name is free");
        self
    }

    /// Connects it to a node that runs.
    pub fn joining(mut self, node: &Node) -> Self {
        self.config.network.join.push(address(node));
        self
    }

    /// Gives it a data folder: it keeps its identity there, and has mail.
    pub fn at_home(mut self, folder: &Path) -> Self {
        self.home = Some(folder.to_owned());
        self
    }

    /// Changes its settings.
    pub fn configured(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Starts it and waits until it serves.
    pub async fn start(self) -> Node {
        let identity = match &self.home {
            Some(home) => {
                let home = DataDir::open(Some(home.clone())).expect("a data folder");
                Identity::load_or_create(&home).expect("an identity")
            }
            None => Identity::generate(),
        };
        let node = Node::start(NodeOptions {
            config: self.config,
            identity,
            data_dir: self.home.clone(),
            mail: self.home.clone(),
            mesh: self.home,
            transport: self.transport,
            registry: Some(self.registry),
            passing: false,
        })
        .await
        .expect("the node starts");
        node.ready().await;
        node
    }
}

/// Where a node listens.
pub fn address(node: &Node) -> String {
    node.client().snapshot().listen.first().expect("it listens").to_string()
}

/// Waits until the mesh looks so from this node.
pub async fn until(node: &Node, what: &str, mut so: impl FnMut(&Snapshot) -> bool) {
    let client = node.client();
    let mut watch = client.watch();
    let seen = async {
        loop {
            if so(&watch.borrow_and_update()) {
                return;
            }
            watch.changed().await.expect("the node runs");
        }
    };
    if tokio::time::timeout(PATIENCE, seen).await.is_err() {
        panic!("{}: not seen within {PATIENCE:?}: {what}; {:?}", client.name(), client.snapshot());
    }
}

/// Waits until each of the nodes sees all others with what they offer.
pub async fn all_see_all(nodes: &[&Node]) {
    for node in nodes {
        for other in nodes.iter().filter(|other| other.client().id() != node.client().id()) {
            let (id, offers) = (other.client().id(), other.registry().iter());
            let offers = offers.filter(|(_, service)| service.offered()).count();
            until(node, other.client().name(), |snapshot| {
                snapshot.peers.get(&id).is_some_and(|view| view.advert.offers.len() == offers)
            })
            .await;
        }
    }
}

/// Waits until a number that only grows or falls has the wanted value.
pub async fn until_count(what: &str, count: &AtomicUsize, wanted: usize) {
    let reached = async {
        while count.load(SeqCst) != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, reached).await.is_err() {
        panic!("{what} is {}, not {wanted}", count.load(SeqCst));
    }
}

/// What the test service is to do with a call.
#[derive(Debug, Clone, Default)]
pub enum Does {
    /// Answer at once.
    #[default]
    Answer,
    /// Sleep, then answer.
    Sleep(Duration),
    /// Compute on the CPU pool until it is told to stop.
    Compute,
    /// Tell progress three times, then answer.
    Progress,
    /// Send so many bytes back beside the response.
    Attach(usize),
    /// Fail so.
    Fail(FaultKind),
    /// Panic on the async thread.
    Panic,
    /// Panic on the CPU pool.
    PanicInPool,
}

/// What happened to the calls of a test service.
#[derive(Debug, Default)]
pub struct Seen {
    /// Calls that reached the service.
    pub started: AtomicUsize,
    /// Calls in it now.
    pub running: AtomicUsize,
    /// Calls whose work was given up.
    pub stopped: AtomicUsize,
    does: Mutex<Does>,
    order: Mutex<Vec<PeerId>>,
}

impl Seen {
    /// Who called, in the order in which the calls began.
    pub fn order(&self) -> Vec<PeerId> {
        self.order.lock().expect("no test panics in here").clone()
    }

    /// Changes what is done with further calls.
    pub fn now(&self, does: Does) {
        *self.does.lock().expect("no test panics in here") = does;
    }
}

/// The capability `work/1`: does what the test says, and counts.
pub struct Work {
    seen: Arc<Seen>,
    speed: f32,
    slots: u16,
    repeat: Repeat,
}

/// The name of [`Work`].
pub const WORK: &str = "work/1";

/// The request of [`Work`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {}

/// The response of [`Work`]: what input arrived.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// How many bytes.
    pub bytes: u64,
    /// Their BLAKE3 hash in hex.
    pub hash: String,
}

impl Work {
    /// A service that says it does `speed` calls a second on one slot.
    pub fn new(speed: f32, does: Does) -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen { does: Mutex::new(does), ..Seen::default() });
        (Self { seen: seen.clone(), speed, slots: 1, repeat: Repeat::Safe }, seen)
    }

    /// Whose calls may be sent again only so.
    pub fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// On so many slots.
    pub fn slots(mut self, slots: u16) -> Self {
        self.slots = slots;
        self
    }
}

/// Counts a call in and out, and whether it came to its end.
struct Counted {
    seen: Arc<Seen>,
    ended: bool,
}

impl Counted {
    fn enter(seen: &Arc<Seen>) -> Self {
        seen.started.fetch_add(1, SeqCst);
        seen.running.fetch_add(1, SeqCst);
        Self { seen: seen.clone(), ended: false }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.ended {
            self.seen.stopped.fetch_add(1, SeqCst);
        }
        self.seen.running.fetch_sub(1, SeqCst);
    }
}

impl Service for Work {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        let (input, output) = (Kind::Json, Kind::Json);
        Capability { name: WORK, summary: "for tests", input, output, repeat: self.repeat }
    }

    fn standing(&self) -> Option<Standing> {
        Some(Standing {
            device: "cpu".into(),
            engine: String::new(),
            call_ms: 1000.0 * f32::from(self.slots) / self.speed,
            slots: self.slots,
            variants: vec!["plain".into()],
        })
    }

    async fn call(&self, cx: &Context, _: Request) -> Result<Response, Fault> {
        let mut counted = Counted::enter(&self.seen);
        self.seen.order.lock().expect("no test panics in here").push(cx.caller());
        let does = self.seen.does.lock().expect("no test panics in here").clone();
        match does {
            Does::Answer => {}
            Does::Sleep(time) => tokio::time::sleep(time).await,
            Does::Compute => {
                let cancel = cx.cancelled().clone();
                return cx
                    .blocking(move || {
                        while !cancel.is_cancelled() {
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        drop(counted);
                        Err(Fault::new(FaultKind::Cancelled, "stopped"))
                    })
                    .await;
            }
            Does::Progress => {
                for percent in [10, 50, 90] {
                    cx.progress(percent, format!("{percent} %"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Does::Attach(size) => cx.attach(Data::Bytes(attachment(size).into())),
            Does::Fail(kind) => {
                counted.ended = true;
                return Err(Fault::new(kind, "as the test wants it"));
            }
            Does::Panic => panic!("as the test wants it"),
            Does::PanicInPool => return cx.blocking(|| panic!("as the test wants it")).await,
        }
        let input = cx.input().cloned();
        let response = cx
            .blocking(move || {
                let bytes = input.map(|i| i.read()).transpose()?.unwrap_or_default();
                let hash = blake3::hash(&bytes).to_hex().to_string();
                Ok(Response { bytes: bytes.len() as u64, hash })
            })
            .await;
        counted.ended = true;
        response
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![]
    }
}

/// The bytes of [`Does::Attach`].
pub fn attachment(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n / 7) as u8).collect()
}

/// A call of [`Work`] with ten seconds of time.
pub fn work() -> Call {
    Call {
        capability: WORK.to_owned(),
        variant: None,
        args: protocol::encode(&Request {}).expect("encodes"),
        input: None,
        timeout: Duration::from_secs(10),
        only: None,
        progress: None,
    }
}

/// The same, for one peer only.
pub fn work_at(peer: PeerId) -> Call {
    Call { only: Some(peer), ..work() }
}

/// The same, with an input.
pub fn work_on(input: CallInput) -> Call {
    Call { input: Some(input), ..work() }
}

/// What [`Work`] answered.
pub fn response(reply: &Reply) -> Response {
    protocol::decode(&reply.body).expect("a response of work/1")
}

/// The outcomes of a route, in order.
pub fn outcomes(route: &[potluck::client::RouteHop]) -> Vec<&str> {
    route.iter().map(|hop| hop.outcome.as_str()).collect()
}

/// Runs a call in a task of its own.
pub fn spawn(
    client: &Client,
    call: Call,
) -> tokio::task::JoinHandle<Result<Reply, potluck::client::CallFailure>> {
    let client = client.clone();
    tokio::spawn(async move { client.call(call).await })
}
