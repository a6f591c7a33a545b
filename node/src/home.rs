//! The node of a data folder, for a front end that stays: the one that runs there, or one that is
//! started there.

use std::{io, path::PathBuf, time::Duration};

use libp2p::Multiaddr;
use tokio::time::timeout;

use crate::{
    Client, Node, NodeOptions, StartError,
    config::{self, Config, ConfigError, ValueError, node_name},
    control::{ControlError, ControlServer},
    data_dir::{DataDir, DataDirError, DataDirLock},
    identity::{Identity, IdentityError},
    network::{TransportKind, parse_join},
    say::Reason,
};

/// How long a node that runs may take to greet.
const ATTACH: Duration = Duration::from_secs(10);
/// How long a node that starts again, in another process, is waited for.
const AGAIN: Duration = Duration::from_secs(20);
/// How often it is looked whether it is there.
const LOOK: Duration = Duration::from_millis(100);

/// What overrules the settings of the data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HomeOptions {
    /// The data folder; the user's own where none is named.
    pub data_dir: Option<PathBuf>,
    /// The nickname.
    pub name: Option<String>,
    /// Multiaddrs to listen on.
    pub listen: Vec<String>,
    /// Addresses to keep a connection to, as people write them.
    pub join: Vec<String>,
    /// Do not look for neighbours by mDNS.
    pub no_mdns: bool,
    /// The only capabilities to offer.
    pub offer: Option<Vec<String>>,
}

/// Why there is no node. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An option is wrong.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// An address to join is none.
    #[error("{0}")]
    Join(Reason),
    /// The identity cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The node did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The node that runs does not answer as it should.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Other programs of the owner could not attach.
    #[error("the control socket cannot be made: {0}")]
    Socket(#[source] io::Error),
    /// The work off the async threads was lost.
    #[error("the data folder was not opened: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

/// The node of a data folder.
pub struct Home {
    client: Client,
    data_dir: DataDir,
    own: Option<Own>,
}

/// A node that this process runs.
struct Own {
    node: Node,
    control: ControlServer,
    lock: DataDirLock,
    options: HomeOptions,
}

impl Home {
    /// Attaches to the node that runs in the data folder, or starts one there.
    pub async fn open(options: HomeOptions) -> Result<Self, HomeError> {
        let join = joined(&options)?;
        let folder = options.data_dir.clone();
        let data_dir = tokio::task::spawn_blocking(move || DataDir::locate(folder)).await??;
        if let Some(client) = attach(&data_dir).await? {
            if !join.is_empty() {
                client.join(join).await?;
            }
            return Ok(Self { client, data_dir, own: None });
        }
        let take = move || -> Result<_, DataDirError> {
            data_dir.check_room()?;
            Ok((data_dir.lock()?, data_dir))
        };
        let (lock, data_dir) = tokio::task::spawn_blocking(take).await??;
        Self::start(data_dir, lock, options).await
    }

    async fn start(
        data_dir: DataDir,
        lock: DataDirLock,
        options: HomeOptions,
    ) -> Result<Self, HomeError> {
        let join = joined(&options)?;
        let (folder, asked) = (data_dir.clone(), options.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&folder, &asked)).await??;
        let (mut config, identity) = prepared;
        config.network.join.extend(join.iter().map(ToString::to_string));
        let node = Node::start(NodeOptions {
            config,
            identity,
            data_dir: Some(data_dir.path().to_owned()),
            mail: Some(data_dir.path().to_owned()),
            mesh: Some(data_dir.path().to_owned()),
            transport: TransportKind::Real,
            registry: None,
            passing: false,
        })
        .await?;
        let control = ControlServer::bind(&data_dir.control_socket(), &node);
        let control = control.map_err(HomeError::Socket)?;
        let client = node.client();
        Ok(Self { client, data_dir, own: Some(Own { node, control, lock, options }) })
    }

    /// The handle.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data_dir.path()
    }

    /// Whether the node runs in this process, and ends with it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Waits until a node of this process is in another mesh than its data folder: [`Home::again`] starts
    /// it there. One that runs elsewhere sees to that itself.
    pub fn moved(&self) -> impl Future<Output = ()> + Send + use<> {
        let moved = self.own.as_ref().map(|own| own.node.moved());
        async move {
            match moved {
                Some(moved) => moved.await,
                None => std::future::pending().await,
            }
        }
    }

    /// The node of the same data folder after it moved or went. One of this process is started again, with
    /// the settings as they are now. One that runs elsewhere may start again too, and is attached when it is
    /// there; `None` where it has stopped.
    pub async fn again(self) -> Result<Option<Self>, HomeError> {
        let Self { data_dir, own, client } = self;
        drop(client);
        let Some(Own { node, control, lock, options }) = own else {
            return Ok(timeout(AGAIN, come_back(data_dir)).await.ok().flatten());
        };
        drop(control);
        node.stop().await;
        // Nobody else takes the folder meanwhile.
        Self::start(data_dir, lock, options).await.map(Some)
    }

    /// Ends a node of this process with a goodbye. One that runs elsewhere goes on.
    pub async fn leave(self) {
        if let Some(own) = self.own {
            own.node.stop().await;
        }
    }
}

async fn attach(data_dir: &DataDir) -> Result<Option<Client>, HomeError> {
    let attached = timeout(ATTACH, Client::attach(&data_dir.control_socket())).await;
    Ok(attached.map_err(|_| ControlError::Silent)??)
}

/// Attaches to a node that starts again; `None` when its process has let the folder go.
async fn come_back(data_dir: DataDir) -> Option<Home> {
    loop {
        if let Ok(Some(client)) = attach(&data_dir).await {
            return Some(Home { client, data_dir, own: None });
        }
        let folder = data_dir.clone();
        let free = tokio::task::spawn_blocking(move || folder.lock().is_ok());
        if free.await.unwrap_or(true) {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn joined(options: &HomeOptions) -> Result<Vec<Multiaddr>, HomeError> {
    let mut join = Vec::new();
    for text in &options.join {
        join.extend(parse_join(text).map_err(HomeError::Join)?);
    }
    Ok(join)
}

fn prepare(data_dir: &DataDir, options: &HomeOptions) -> Result<(Config, Identity), HomeError> {
    let mut config = Config::load(&data_dir.config_file())?;
    if let Some(name) = &options.name {
        config.name = node_name(name)?;
    }
    if !options.listen.is_empty() {
        for text in &options.listen {
            config::address(text)?;
        }
        config.network.listen.clone_from(&options.listen);
    }
    if options.no_mdns {
        config.network.mdns = false;
    }
    if options.offer.is_some() {
        config.services.offer.clone_from(&options.offer);
    }
    let identity = Identity::load_or_create(data_dir)?;
    Ok((config, identity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::Place;

    fn options(folder: &tempfile::TempDir) -> HomeOptions {
        HomeOptions {
            data_dir: Some(folder.path().join("home")),
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            no_mdns: true,
            offer: Some(vec!["chat/1".to_owned()]),
            ..HomeOptions::default()
        }
    }

    #[tokio::test]
    async fn the_second_front_end_attaches_to_the_node_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Home::open(HomeOptions { name: Some("mei".into()), ..options(&folder) });
        let first = first.await.unwrap();
        let second = Home::open(options(&folder)).await.unwrap();
        assert!(first.is_own() && !second.is_own());
        assert_eq!(second.client().id(), first.client().id());
        assert_eq!(second.client().name(), "mei");
        // Who only attached ends nothing.
        second.leave().await;
        first.client().facts().await.unwrap();
        let id = first.client().id();
        first.leave().await;
        let again = Home::open(options(&folder)).await.unwrap();
        assert!(again.is_own());
        assert_eq!(again.client().id(), id);
        again.leave().await;
    }

    /// A node that is in another mesh now starts again there, and who is attached to it comes along.
    #[tokio::test]
    async fn after_a_move_the_node_is_there_again_and_so_is_who_was_attached() {
        let folder = tempfile::tempdir().unwrap();
        let first = Home::open(options(&folder)).await.unwrap();
        let attached = Home::open(options(&folder)).await.unwrap();
        let mut events = attached.client().subscribe().await.unwrap();
        let (id, moved) = (first.client().id(), first.moved());
        let place = Place::open(options(&folder).data_dir).await.unwrap();
        assert_eq!(place.standing().await.unwrap().private, None);
        // What is written to the settings meanwhile holds too.
        std::fs::write(first.data_dir().join("config.toml"), "name = \"anna\"\n").unwrap();
        let founds = place.clone();
        let founding = tokio::spawn(async move { founds.create("lab").await });
        moved.await;
        let first = first.again().await.unwrap().unwrap();
        assert!(first.is_own());
        assert_eq!((first.client().id(), first.client().name()), (id, "anna"));
        assert_eq!(first.client().facts().await.unwrap().mesh, "lab");
        assert!(founding.await.unwrap().unwrap().running);
        let private = place.standing().await.unwrap().private.unwrap();
        assert!(private.founder && private.count() == 1 && private.me == id);
        while events.next().await.is_some() {}
        let attached = attached.again().await.unwrap().expect("it runs");
        assert!(!attached.is_own());
        assert_eq!(attached.client().facts().await.unwrap().mesh, "lab");
        // One that has stopped is not waited for.
        first.leave().await;
        assert!(attached.again().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let bad = HomeOptions { listen: vec!["4001".into()], ..options(&folder) };
        assert!(matches!(Home::open(bad).await, Err(HomeError::Value(_))));
        let bad = HomeOptions { join: vec!["nowhere".into()], ..options(&folder) };
        assert!(matches!(Home::open(bad).await, Err(HomeError::Join(_))));
    }
}
