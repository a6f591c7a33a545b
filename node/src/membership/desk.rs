//! The desk of a private mesh: its files in the data folder, and what is signed and written there.
//! All of it blocks; several processes may use one folder.
//!
//! `mesh/` holds the membership (name, certificate), the roll, the members who were met, the tokens
//! of invites, and on the founder's node the founder's key. What counts is on the disk when a method
//! returns.

mod files;
mod founding;

use std::{io, path::Path};

use libp2p::{Multiaddr, PeerId, identity::Keypair};

use super::{
    invite::Invite,
    roll::{NotMember, Roll},
};
use crate::protocol::{
    Malformed,
    membership::{Certificate, Credential, Record, Refusal, Removal, Revocation, Role, TOKEN},
    signed::{Signed, SignedError},
};
pub use files::{Desk, KnownMember};
use files::{Membership as File, Token};

/// How long an admin's signature for a member holds, in ms: 30 days. It is renewed from the first
/// third on.
pub const MEMBER_MS: u64 = 30 * DAY_MS;
/// How long the founder's signature holds, in ms: five years. It is renewed in the last two.
pub const FOUNDER_MS: u64 = 5 * 365 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Invites that are open at one time.
const MAX_TOKENS: usize = 256;
/// Uses of one invite, at most.
pub const MAX_USES: u32 = 1000;

/// Why something about the private mesh cannot be done, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// There is a private mesh already.
    #[error("this node belongs to the private mesh {0}; leave it first: `potluck mesh leave`")]
    Already(String),
    /// There is none.
    #[error(
        "this node belongs to no private mesh; make one with `potluck mesh create NAME`, or enter one with \
         `potluck mesh join INVITE`"
    )]
    NoMesh,
    /// Only an admin may.
    #[error("only an admin of the mesh can do that, and this node is none")]
    NoAdmin,
    /// Only the founder's key can.
    #[error(
        "that needs the founder's key of the mesh, and it is not here; do it on the node that has it, or \
         `potluck mesh restore FILE`"
    )]
    FounderOnly,
    /// It would be about this node itself.
    #[error("that is this node itself; `potluck mesh leave` takes it out of the mesh")]
    Oneself,
    /// It was done before.
    #[error("they were removed from the mesh before")]
    AlreadyOut,
    /// They are one.
    #[error("they are an admin already")]
    AlreadyAdmin,
    /// Leaving would lose the founder's key.
    #[error(
        "the founder's key of the mesh is here; keep it with `potluck mesh export FILE`, then leave with \
         --forget-key"
    )]
    KeyHere,
    /// Too much of something.
    #[error(
        "there are {0} open invites already; take them back with `potluck mesh invite --take-back`"
    )]
    TooMany(usize),
    /// A file does not hold a founder's key.
    #[error("{0} holds no founder's key; `potluck mesh export` writes such a file")]
    NoKey(String),
    /// The founder's key is of another mesh.
    #[error("that founder's key is of another mesh than the one that this node belongs to")]
    OtherMesh,
    /// A file is there that would be written over.
    #[error("{0} is there already; name another file")]
    Exists(String),
    /// A file of the folder cannot be read.
    #[error(
        "the file {path} of the private mesh cannot be read ({why}); put back a copy of it, or remove the \
         folder it is in and join again with a new invite"
    )]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The certificate is another node's.
    #[error(
        "the certificate in the data folder is another node's: the identity was changed. Leave the mesh \
         (`potluck mesh leave`) and join again with a new invite"
    )]
    OtherIdentity,
    /// The disk.
    #[error(
        "the files of the private mesh cannot be used ({0}); check the disk and the permissions"
    )]
    Disk(#[from] io::Error),
    /// A signature could not be made.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// Something could not be encoded.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What a node holds of its private mesh.
#[derive(Debug, Clone)]
pub struct Held {
    /// What it is called.
    pub name: String,
    /// Its id: the peer id of the founder's key.
    pub mesh: PeerId,
    /// What makes this node a member.
    pub credential: Credential,
    /// Who else is one, and who no more.
    pub roll: Roll,
    /// Where the admin was who let this node in, with the peer id.
    pub addresses: Vec<Multiaddr>,
    /// Whether the founder's key is here.
    pub founder: bool,
}

/// What an invite offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// How many nodes may use it.
    pub uses: u32,
    /// Until when, in Unix time (ms).
    pub until: u64,
    /// For this node alone, also where it was removed.
    pub again: Option<PeerId>,
}

impl Desk {
    /// Makes an invite.
    pub fn invite(
        &self,
        me: PeerId,
        offer: Offer,
        addresses: Vec<Multiaddr>,
        now: u64,
    ) -> Result<Invite, MeshError> {
        let _lock = self.lock()?;
        let held = self.need()?;
        if held.role(&me)? != Role::Admin {
            return Err(MeshError::NoAdmin);
        }
        let out = offer.again.and_then(|peer| held.roll.out_up_to(&peer));
        if out.is_some() && !held.founder {
            return Err(MeshError::FounderOnly);
        }
        let mut tokens = self.tokens()?;
        tokens.retain(|token| token.open(now));
        if tokens.len() >= MAX_TOKENS {
            return Err(MeshError::TooMany(tokens.len()));
        }
        let token: [u8; TOKEN] = rand::random();
        tokens.push(Token::new(&token, offer));
        self.write_tokens(&tokens)?;
        Ok(Invite { mesh: held.mesh, name: held.name, admin: me, token, addresses })
    }

    /// Takes back all open invites; says how many there were.
    pub fn take_back(&self, now: u64) -> Result<usize, MeshError> {
        let _lock = self.lock()?;
        let open = self.tokens()?.iter().filter(|token| token.open(now)).count();
        self.write_tokens(&[])?;
        Ok(open)
    }

    /// Signs for a node that shows a token. What it is worth is taken off before the certificate is
    /// handed out; the same node may ask again, should it not have got it.
    pub fn redeem(
        &self,
        me: &Keypair,
        token: &[u8],
        peer: PeerId,
        now: u64,
    ) -> Result<Credential, Refusal> {
        let disk = |error: MeshError| {
            tracing::warn!("an invite cannot be redeemed: {error}");
            Refusal::Disk
        };
        let _lock = self.lock().map_err(|error| disk(error.into()))?;
        let held = self.need().map_err(disk)?;
        let mut tokens = self.tokens().map_err(disk)?;
        let shown = tokens.iter_mut().find(|one| one.is(token)).ok_or(Refusal::Token)?;
        if !shown.good_for(&peer, now) {
            return Err(Refusal::Token);
        }
        let again = shown.again().is_some();
        shown.take(&peer);
        let credential = match held.roll.out_up_to(&peer) {
            None => held.sign_as_admin(me, peer, now)?,
            Some(epoch) if again && held.founder => {
                let key = self.founder_key().map_err(disk)?.ok_or(Refusal::NoAdmin)?;
                let said = held.certificate(&peer, Role::Member, epoch.saturating_add(1), now);
                Credential::by_founder(&said, &key).map_err(|error| disk(error.into()))?
            }
            Some(_) => return Err(Refusal::Removed),
        };
        self.write_tokens(&tokens).map_err(disk)?;
        Ok(credential)
    }

    /// Signs anew for a member whose certificate ends soon or has ended.
    pub fn renew(
        &self,
        me: &Keypair,
        credential: &Credential,
        peer: PeerId,
        now: u64,
    ) -> Result<Credential, Refusal> {
        let held = self.need().map_err(|_| Refusal::Disk)?;
        let proved = credential.prove(&held.mesh).map_err(|_| Refusal::NoAdmin)?;
        match held.roll.judge_but_for_time(&proved, &peer) {
            Ok(Role::Admin) => Err(Refusal::NoAdmin),
            // What the founder signed holds longer than anything that an admin could.
            Ok(Role::Member) if proved.admin.is_none() => Err(Refusal::NoAdmin),
            Ok(Role::Member) => held.sign_as_admin(me, peer, now),
            Err(NotMember::Removed | NotMember::AdminRemoved) => Err(Refusal::Removed),
            Err(_) => Err(Refusal::NoAdmin),
        }
    }

    /// Puts a node out of the mesh, for ever; says how many stay for whom it had signed.
    pub fn revoke(&self, me: &Keypair, peer: PeerId) -> Result<usize, MeshError> {
        let _lock = self.lock()?;
        let mut held = self.need()?;
        let my_id = me.public().to_peer_id();
        if peer == my_id {
            return Err(MeshError::Oneself);
        }
        let known = self.known()?;
        let met = known.iter().find(|one| one.peer() == Some(peer));
        let admin = held.admin_epoch(&peer);
        let has = met.map(|one| one.epoch).max(admin);
        let out = held.roll.out_up_to(&peer);
        if out.is_some_and(|out| has.is_none_or(|has| out >= has)) {
            return Err(MeshError::AlreadyOut);
        }
        let epoch = has.unwrap_or_default();
        let mut stay = 0;
        let records = match self.founder_key()? {
            Some(key) => {
                let kept = known.iter().filter(|one| one.by() == Some(peer) && admin.is_some());
                let kept: Vec<_> = kept.filter_map(KnownMember::peer).collect();
                stay = kept.len();
                let mut records = vec![held.removal(&peer, epoch, &kept, &key, None)?];
                // What it removed stays removed, in the founder's name.
                for (other, epoch) in held.roll.removed_by(&peer) {
                    records.push(held.removal(&other, epoch, &[], &key, None)?);
                }
                records
            }
            None if admin.is_some() => return Err(MeshError::FounderOnly),
            None => {
                let own = held.roll.admin(&my_id).cloned().ok_or(MeshError::NoAdmin)?;
                vec![held.removal(&peer, epoch, &[], me, Some(own))?]
            }
        };
        held.roll.extend(&records);
        self.write_roll(&held.roll)?;
        Ok(stay)
    }

    /// Makes a member an admin.
    pub fn promote(&self, peer: PeerId, now: u64) -> Result<(), MeshError> {
        let _lock = self.lock()?;
        let mut held = self.need()?;
        let key = self.founder_key()?.ok_or(MeshError::FounderOnly)?;
        if held.roll.admin(&peer).is_some() {
            return Err(MeshError::AlreadyAdmin);
        }
        let epoch = held.roll.out_up_to(&peer).map_or(0, |out| out.saturating_add(1));
        let met = self.known()?.iter().find(|one| one.peer() == Some(peer)).map(|one| one.epoch);
        let epoch = epoch.max(met.unwrap_or_default());
        let said = held.certificate(&peer, Role::Admin, epoch, now);
        held.roll.insert(&Record::Admin(Signed::sign(&said, &key)?));
        self.write_roll(&held.roll)
    }

    /// Takes in what others know; says whether it was news.
    pub fn merge(&self, records: &[Record]) -> Result<bool, MeshError> {
        let _lock = self.lock()?;
        let mut held = self.need()?;
        let news = held.roll.extend(records);
        if news {
            self.write_roll(&held.roll)?;
        }
        Ok(news)
    }

    /// Keeps another certificate of this node.
    pub fn adopt(&self, credential: &Credential) -> Result<(), MeshError> {
        let _lock = self.lock()?;
        let held = Held { credential: credential.clone(), ..self.need()? };
        self.write_membership(&File::of(&held))
    }

    /// Enters a mesh with the certificate that an invite bought.
    pub fn join(
        &self,
        invite: &Invite,
        name: String,
        credential: Credential,
    ) -> Result<(), MeshError> {
        let _lock = self.lock()?;
        self.none_yet()?;
        let mesh = invite.mesh;
        let whose = |address: &Multiaddr| address.clone().with_p2p(invite.admin).ok();
        let addresses = invite.addresses.iter().filter_map(whose).collect();
        let roll = Roll::new(mesh);
        let held = Held { name, mesh, credential, roll, addresses, founder: false };
        self.write_roll(&held.roll)?;
        self.write_membership(&File::of(&held))
    }

    fn need(&self) -> Result<Held, MeshError> {
        self.held()?.ok_or(MeshError::NoMesh)
    }

    fn none_yet(&self) -> Result<(), MeshError> {
        self.held()?.map_or(Ok(()), |held| Err(MeshError::Already(held.name)))
    }
}

impl Held {
    /// What this node may do; only what the roll lets stand counts.
    pub fn role(&self, me: &PeerId) -> Result<Role, MeshError> {
        if self.roll.admin(me).is_some() {
            return Ok(Role::Admin);
        }
        let said = self.credential.certificate.verify()?;
        match said.subject() == Some(*me) {
            true => Ok(Role::Member),
            false => Err(MeshError::OtherIdentity),
        }
    }

    fn admin_epoch(&self, peer: &PeerId) -> Option<u32> {
        self.roll.admin(peer)?.verify().ok().map(|said| said.epoch)
    }

    fn certificate(&self, subject: &PeerId, role: Role, epoch: u32, now: u64) -> Certificate {
        Certificate {
            version: 1,
            mesh: self.mesh.to_bytes(),
            subject: subject.to_bytes(),
            role,
            epoch,
            by: self.mesh.to_bytes(),
            not_after: now.saturating_add(FOUNDER_MS),
        }
    }

    fn sign_as_admin(&self, me: &Keypair, peer: PeerId, now: u64) -> Result<Credential, Refusal> {
        let my_id = me.public().to_peer_id();
        let own = self.roll.admin(&my_id).cloned().ok_or(Refusal::NoAdmin)?;
        let said = Certificate {
            by: my_id.to_bytes(),
            not_after: now.saturating_add(MEMBER_MS),
            ..self.certificate(&peer, Role::Member, 0, now)
        };
        Credential::by_admin(&said, me, own).map_err(|_| Refusal::NoAdmin)
    }

    fn removal(
        &self,
        peer: &PeerId,
        epoch: u32,
        kept: &[PeerId],
        by: &Keypair,
        issuer: Option<Signed<Certificate>>,
    ) -> Result<Record, MeshError> {
        use crate::protocol::membership::MAX_KEPT;
        let said = Revocation {
            version: 1,
            mesh: self.mesh.to_bytes(),
            subject: peer.to_bytes(),
            epoch,
            by: by.public().to_peer_id().to_bytes(),
            kept: kept.iter().take(MAX_KEPT).map(|id| id.to_bytes().into()).collect(),
        };
        Ok(Record::Removal(Removal { revocation: Signed::sign(&said, by)?, issuer }))
    }
}

/// Where the files are.
impl Desk {
    /// The desk in a data folder, whether it is used or not.
    pub fn of(data_dir: &Path) -> Self {
        Self::at(data_dir.join("mesh"))
    }
}
