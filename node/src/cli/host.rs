//! Where a command's calls run: on the node of the data folder, or on one of its own.

use std::{path::PathBuf, time::Duration};

use libp2p::Multiaddr;
use tokio::time::timeout;

use super::{Common, Failure};
use crate::{
    Client, Node, NodeOptions,
    client::{Call, CallFailure, Reply},
    config::{self, Config},
    control::ControlError,
    data_dir::{DataDir, DataDirError, DataDirLock},
    doctor::Facts,
    identity::Identity,
    mail::{Ask, Failed, Told},
    membership::Desk,
    network::{TransportKind, parse_join},
};

/// How long a command with a node of its own looks around before it says who is there.
const LOOK_AROUND: Duration = Duration::from_millis(1500);

/// How long the node that runs may take to greet.
const ATTACH: Duration = Duration::from_secs(10);

/// A node to talk to: the one that runs in the data folder, or one in this process.
pub struct Host {
    client: Client,
    /// The node in this process.
    own: Option<OwnNode>,
}

struct OwnNode {
    node: Node,
    /// Held while the data folder's identity is used.
    _lock: Option<DataDirLock>,
}

impl Host {
    /// Finds the running node, or starts one that can serve `capabilities` to this command.
    pub async fn find(common: &Common, capabilities: &[&str]) -> Result<Self, Failure> {
        Self::find_with(common, capabilities, false).await
    }

    /// Finds the running node, or starts one with the mail of the data folder.
    pub async fn with_mail(common: &Common) -> Result<Self, Failure> {
        Self::find_with(common, &[], true).await
    }

    async fn find_with(
        common: &Common,
        capabilities: &[&str],
        mail: bool,
    ) -> Result<Self, Failure> {
        let data_dir = DataDir::locate(common.data_dir.clone())?;
        let patience = common.timeout.unwrap_or(ATTACH).min(ATTACH);
        let socket = data_dir.control_socket();
        let attached = timeout(patience, Client::attach(&socket)).await;
        if let Some(client) = attached.map_err(|_| ControlError::Silent)?? {
            let addresses = joins(common)?;
            if !addresses.is_empty() {
                client.join(addresses).await?;
            }
            return Ok(Self { client, own: None });
        }
        data_dir.check_room()?;
        let mut config = Config::load(&data_dir.config_file())?;
        // The ports of the settings are for the node that stays.
        config.network.listen = config::Network::default().listen;
        common.apply(&mut config)?;
        config.services.offer = Some(capabilities.iter().map(|c| (*c).to_owned()).collect());
        config.services.withhold.clear();
        let private = Desk::of(data_dir.path()).held().is_ok_and(|held| held.is_some());
        let (identity, lock) = match data_dir.lock() {
            Ok(lock) => (Identity::load_or_create(&data_dir)?, Some(lock)),
            // Another command uses the identity for a moment: this one takes a passing one.
            // In a private mesh nobody would know that one.
            Err(DataDirError::InUse { .. }) if !mail && !private => (Identity::generate(), None),
            Err(error) => return Err(error.into()),
        };
        // A passing node keeps its blobs apart: the folder belongs to the one that runs there.
        let node = Node::start(NodeOptions {
            registry: Some(
                crate::services::all(&config, Some(data_dir.path())).map_err(Failure::usage)?,
            ),
            config,
            identity,
            data_dir: None,
            mail: mail.then(|| data_dir.path().to_owned()),
            mesh: Some(data_dir.path().to_owned()),
            transport: TransportKind::Real,
            passing: true,
        })
        .await?;
        Ok(Self { client: node.client(), own: Some(OwnNode { node, _lock: lock }) })
    }

    /// Runs a call.
    pub async fn call(&self, call: Call) -> Result<Reply, CallFailure> {
        self.client.call(call).await
    }

    /// Asks the post office.
    pub async fn mail(&self, ask: Ask) -> Result<Told, Failed> {
        self.client.mail(ask).await
    }

    /// The node that knows who is in the mesh. One of this process looks around first.
    pub async fn looked_around(&self) -> &Client {
        if self.own.is_some() {
            tokio::time::sleep(LOOK_AROUND).await;
        }
        &self.client
    }

    /// What the doctor wants to know.
    pub async fn facts(&self) -> Result<Facts, Failure> {
        if self.own.is_some() {
            tokio::time::sleep(2 * LOOK_AROUND).await;
        }
        Ok(Facts { running: self.own.is_none(), ..self.client.facts().await? })
    }

    /// Ends the node of this process, with a goodbye.
    pub async fn leave(self) {
        if let Some(own) = self.own {
            own.node.stop().await;
        }
    }
}

impl Common {
    /// Lets the options of the command line overrule the settings.
    pub(super) fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if !self.listen.is_empty() {
            for text in &self.listen {
                config::address(text)?;
            }
            config.network.listen.clone_from(&self.listen);
        }
        config.network.join.extend(joins(self)?.iter().map(ToString::to_string));
        if self.no_mdns {
            config.network.mdns = false;
        }
        Ok(())
    }

    /// The data folder that was asked for.
    pub(super) fn data_dir(&self) -> Option<PathBuf> {
        self.data_dir.clone()
    }
}

fn joins(common: &Common) -> Result<Vec<Multiaddr>, Failure> {
    let mut all = Vec::new();
    for text in &common.join {
        all.extend(parse_join(text).map_err(Failure::usage)?);
    }
    Ok(all)
}
