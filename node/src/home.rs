//! The node of a data folder, for a front end that stays: the one that runs there, or one that is
//! started there.

use std::{io, path::PathBuf, time::Duration};

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
    data_dir: PathBuf,
    own: Option<Own>,
}

/// A node that this process runs.
struct Own {
    node: Node,
    _control: ControlServer,
    _lock: DataDirLock,
}

impl Home {
    /// Attaches to the node that runs in the data folder, or starts one there.
    pub async fn open(options: HomeOptions) -> Result<Self, HomeError> {
        let mut join = Vec::new();
        for text in &options.join {
            join.extend(parse_join(text).map_err(HomeError::Join)?);
        }
        let folder = options.data_dir.clone();
        let data_dir = tokio::task::spawn_blocking(move || DataDir::locate(folder)).await??;
        let socket = data_dir.control_socket();
        let attached = timeout(ATTACH, Client::attach(&socket)).await;
        if let Some(client) = attached.map_err(|_| ControlError::Silent)?? {
            if !join.is_empty() {
                client.join(join).await?;
            }
            return Ok(Self { client, data_dir: data_dir.path().to_owned(), own: None });
        }
        let prepared = tokio::task::spawn_blocking(move || prepare(data_dir, &options)).await??;
        let Prepared { data_dir, lock, mut config, identity } = prepared;
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
        let control = ControlServer::bind(&socket, &node).map_err(HomeError::Socket)?;
        let client = node.client();
        let own = Some(Own { node, _control: control, _lock: lock });
        Ok(Self { client, data_dir: data_dir.path().to_owned(), own })
    }

    /// The handle.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.data_dir
    }

    /// Whether the node runs in this process, and ends with it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends a node of this process with a goodbye. One that runs elsewhere goes on.
    pub async fn leave(self) {
        if let Some(own) = self.own {
            own.node.stop().await;
        }
    }
}

struct Prepared {
    data_dir: DataDir,
    lock: DataDirLock,
    config: Config,
    identity: Identity,
}

fn prepare(data_dir: DataDir, options: &HomeOptions) -> Result<Prepared, HomeError> {
    data_dir.check_room()?;
    let lock = data_dir.lock()?;
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
    let identity = Identity::load_or_create(&data_dir)?;
    Ok(Prepared { data_dir, lock, config, identity })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let bad = HomeOptions { listen: vec!["4001".into()], ..options(&folder) };
        assert!(matches!(Home::open(bad).await, Err(HomeError::Value(_))));
        let bad = HomeOptions { join: vec!["nowhere".into()], ..options(&folder) };
        assert!(matches!(Home::open(bad).await, Err(HomeError::Join(_))));
    }
}
