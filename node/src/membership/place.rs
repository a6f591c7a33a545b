//! What a person does about the private mesh of a data folder, from the command line or the window: what
//! is signed is written there, and the node that runs there takes it up at once.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use libp2p::{Multiaddr, PeerId};

use super::{Desk, Held, Invite, InviteError, Member, MeshError, Offer, invite, members};
use crate::{
    Client,
    config::{Config, ConfigError, ValueError, node_name},
    control::ControlError,
    data_dir::{DataDir, DataDirError},
    identity::{Identity, IdentityError},
    neighbourhood::address::{is_circuit, is_link_local, is_loopback, is_quic},
    network::{Errand, ErrandError, TransportKind, now_ms, obtain},
    protocol::membership::{Pass, Role},
};

/// How long a node that enters another mesh is waited for.
const RESTART: Duration = Duration::from_secs(10);
/// How often it is looked whether it is there.
const LOOK: Duration = Duration::from_millis(50);

/// Why something about the private mesh of a data folder was not done.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The identity cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A mesh cannot be called so.
    #[error(transparent)]
    Name(#[from] ValueError),
    /// The mesh does not allow it, or its files do not.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// What was pasted is no invite.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The admin was not reached, or said no.
    #[error(transparent)]
    Errand(#[from] ErrandError),
    /// The node that runs does not answer as it should.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// An invite would name no address.
    #[error(
        "nobody can use an invite while this node is off: start it with `potluck up`, or say with --at where \
         it will be"
    )]
    NoNode,
    /// The work off the async threads was lost.
    #[error("the data folder was not opened: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

/// A data folder and what makes its node a member.
#[derive(Clone)]
pub struct Place {
    data_dir: DataDir,
    desk: Desk,
    identity: Identity,
}

/// In which mesh a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the mesh is called.
    pub name: String,
    /// More of a private one; `None` for the open mesh.
    pub private: Option<Private>,
}

/// A private mesh, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// Its id.
    pub mesh: PeerId,
    /// This node.
    pub me: PeerId,
    /// What this node may do.
    pub role: Role,
    /// Whether the founder's key is here.
    pub founder: bool,
    /// Who belongs to it, and who no more.
    pub members: Vec<Member>,
}

/// A private mesh that was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Its id.
    pub mesh: PeerId,
    /// What it is called.
    pub name: String,
    /// Whether a node runs here, which enters it.
    pub running: bool,
}

/// What an invite is to offer.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// How many nodes may use it.
    pub uses: u32,
    /// For how long, in ms.
    pub for_ms: u64,
    /// For this node alone, also where it was removed.
    pub again: Option<PeerId>,
    /// Where this node can be reached; where none is named, its node is asked.
    pub at: Vec<Multiaddr>,
}

/// An invite that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// What is pasted on the other machine.
    pub line: String,
    /// How many nodes may use it.
    pub uses: u32,
    /// Until when, in Unix time (ms).
    pub until: u64,
}

impl Private {
    /// How many belong to it now.
    pub fn count(&self) -> usize {
        self.members.iter().filter(|member| !member.removed).count()
    }
}

impl Place {
    /// The data folder; the user's own where none is named.
    pub async fn open(data_dir: Option<PathBuf>) -> Result<Self, PlaceError> {
        let open = move || {
            let data_dir = DataDir::open(data_dir)?;
            let identity = Identity::load_or_create(&data_dir)?;
            Ok(Self { desk: Desk::of(data_dir.path()), data_dir, identity })
        };
        tokio::task::spawn_blocking(open).await?
    }

    /// Whether the node of a data folder belongs to a private mesh. Blocks.
    pub fn is_private(data_dir: &Path) -> bool {
        // What cannot be read is one too: a node does not fall back to the open mesh.
        !matches!(Desk::of(data_dir).held(), Ok(None))
    }

    /// This node.
    pub fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// In which mesh the node is.
    pub async fn standing(&self) -> Result<Standing, PlaceError> {
        self.at_desk(|place| {
            let me = place.id();
            let Some(held) = place.desk.held()? else {
                return Ok(Standing { name: place.open_mesh()?, private: None });
            };
            let (mesh, role, founder) = (held.mesh, held.role(&me)?, held.founder);
            let members = place.members_of(&held)?;
            let private = Some(Private { mesh, me, role, founder, members });
            Ok(Standing { name: held.name, private })
        })
        .await
    }

    /// Who belongs to the private mesh, and who no more.
    pub async fn members(&self) -> Result<Vec<Member>, PlaceError> {
        self.at_desk(|place| {
            let held = place.desk.held()?.ok_or(MeshError::NoMesh)?;
            place.members_of(&held)
        })
        .await
    }

    /// Founds a private mesh, and waits a while until the node that runs here is in it.
    pub async fn create(&self, name: &str) -> Result<Entered, PlaceError> {
        let name = node_name(name)?;
        let found =
            move |place: &Self| Ok(place.desk.create(&name, place.identity.keypair(), now_ms())?);
        let held = self.at_desk(found).await?;
        self.entered(held.mesh, held.name).await
    }

    /// Enters a private mesh by an invite, and waits a while until the node that runs here is in it.
    pub async fn join(&self, invite: &str) -> Result<Entered, PlaceError> {
        let invite: Invite = invite.parse()?;
        let configured = self.at_desk(|place| match place.desk.held()? {
            Some(held) => Err(MeshError::Already(held.name).into()),
            None => Ok(Config::load(&place.data_dir.config_file())?.name),
        });
        let configured = configured.await?;
        let name = match Client::attach(&self.data_dir.control_socket()).await {
            Ok(Some(client)) => client.name().to_owned(),
            _ => configured,
        };
        let pass = Pass::Token { token: invite.token.to_vec(), name };
        let errand = Errand::new(self.id(), invite.mesh, invite.admin, pass);
        let (me, at) = (self.identity.keypair(), &invite.addresses);
        let issued = obtain(me, TransportKind::Real, errand, at).await?;
        let (mesh, name) = (invite.mesh, issued.name.clone());
        let enter =
            move |place: &Self| Ok(place.desk.join(&invite, issued.name, issued.credential)?);
        self.at_desk(enter).await?;
        self.entered(mesh, name).await
    }

    /// Leaves the private mesh, and waits a while until the node that runs here is in the open one again;
    /// gives the name of what it left. Where the founder's key is here, it is to be forgotten knowingly.
    pub async fn leave(&self, forget_key: bool) -> Result<String, PlaceError> {
        let leave = move |place: &Self| Ok((place.desk.leave(forget_key)?, place.open_mesh()?));
        let (left, open) = self.at_desk(leave).await?;
        self.until_in(&open).await?;
        Ok(left)
    }

    /// Makes an invite.
    pub async fn invite(&self, terms: Terms) -> Result<Invited, PlaceError> {
        let addresses = match terms.at.is_empty() {
            true => self.addresses().await?,
            false => terms.at,
        };
        let now = now_ms();
        let (uses, until) = (terms.uses, now.saturating_add(terms.for_ms));
        let offer = Offer { uses, until, again: terms.again };
        let make = move |place: &Self| Ok(place.desk.invite(place.id(), offer, addresses, now)?);
        let line = self.at_desk(make).await?.to_string();
        Ok(Invited { line, uses, until })
    }

    /// Takes back all open invites; says how many there were.
    pub async fn take_back(&self) -> Result<usize, PlaceError> {
        self.at_desk(|place| Ok(place.desk.take_back(now_ms())?)).await
    }

    /// Puts somebody out of the mesh, for ever; says how many stay for whom they had signed.
    pub async fn revoke(&self, who: PeerId) -> Result<usize, PlaceError> {
        let revoke = move |place: &Self| Ok(place.desk.revoke(place.identity.keypair(), who)?);
        let stay = self.at_desk(revoke).await?;
        self.reload().await?;
        Ok(stay)
    }

    /// Makes a member an admin.
    pub async fn promote(&self, who: PeerId) -> Result<(), PlaceError> {
        self.at_desk(move |place| Ok(place.desk.promote(who, now_ms())?)).await?;
        self.reload().await?;
        Ok(())
    }

    /// Writes the founder's key to a new file; `remove` keeps it there alone.
    pub async fn export(&self, file: PathBuf, remove: bool) -> Result<(), PlaceError> {
        self.at_desk(move |place| Ok(place.desk.export(&file, remove)?)).await
    }

    /// Brings the founder's key back from a file, and waits a while until the node that runs here is in
    /// its mesh.
    pub async fn restore(&self, file: PathBuf) -> Result<Entered, PlaceError> {
        let restore = move |place: &Self| {
            Ok(place.desk.restore(&file, place.identity.keypair(), now_ms())?)
        };
        let held = self.at_desk(restore).await?;
        self.entered(held.mesh, held.name).await
    }

    /// Where the node that runs here can be reached.
    async fn addresses(&self) -> Result<Vec<Multiaddr>, PlaceError> {
        let client = Client::attach(&self.data_dir.control_socket()).await?;
        let client = client.ok_or(PlaceError::NoNode)?;
        let mut all = client.snapshot().listen.clone();
        // Neither means anything on another machine.
        all.retain(|address| !is_link_local(address) && !is_circuit(address));
        if all.iter().any(|address| !is_loopback(address)) {
            all.retain(|address| !is_loopback(address));
        }
        all.sort_by_key(is_quic);
        // Where others reach it from everywhere comes first.
        let outer = self.at_desk(|place| Ok(Config::load(&place.data_dir.config_file())?)).await?;
        let outer = outer.network.external.iter().filter_map(|text| text.parse().ok());
        let mut all: Vec<_> = outer.chain(all).collect();
        all.truncate(invite::MAX_ADDRESSES);
        Ok(all)
    }

    async fn entered(&self, mesh: PeerId, name: String) -> Result<Entered, PlaceError> {
        let running = self.until_in(&name).await?;
        Ok(Entered { mesh, name, running })
    }

    /// Has the node that runs here enter the mesh of that name, and waits a while until it is there. Says
    /// whether one runs.
    async fn until_in(&self, mesh: &str) -> Result<bool, PlaceError> {
        if !self.reload().await? {
            return Ok(false);
        }
        let there = async {
            loop {
                if let Ok(Some(client)) = Client::attach(&self.data_dir.control_socket()).await
                    && client.facts().await.is_ok_and(|facts| facts.mesh == mesh)
                {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        // It goes on by itself if it takes longer.
        let _ = tokio::time::timeout(RESTART, there).await;
        Ok(true)
    }

    /// Has the node that runs here take up what was written; says whether one runs.
    async fn reload(&self) -> Result<bool, PlaceError> {
        Ok(Client::reload_at(&self.data_dir.control_socket()).await?)
    }

    fn members_of(&self, held: &Held) -> Result<Vec<Member>, PlaceError> {
        let me = self.id();
        let mut all = members(held, &self.desk.known()?, &me);
        if let Some(mine) = all.iter_mut().find(|one| one.id == me && one.name.is_empty()) {
            mine.name = Config::load(&self.data_dir.config_file())?.name;
        }
        Ok(all)
    }

    fn open_mesh(&self) -> Result<String, PlaceError> {
        Ok(Config::load(&self.data_dir.config_file())?.mesh)
    }

    /// Work on the files, off the async threads.
    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, PlaceError> + Send + 'static,
    ) -> Result<T, PlaceError> {
        let place = self.clone();
        tokio::task::spawn_blocking(move || work(&place)).await?
    }
}
