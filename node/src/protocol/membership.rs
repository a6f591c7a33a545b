//! What makes a node a member of a private mesh: certificates, revocations, and what two nodes show
//! each other of them in admission and afterwards.
//!
//! The id of a private mesh is the peer id of its founder's key. That key signs certificates; so may
//! an admin, whose own certificate by the founder goes with each: two links at most.

use libp2p::{PeerId, identity::Keypair};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    Checked, MAX_NAME, Malformed, at_most,
    signed::{Signable, Signed, SignedError},
};

/// The libp2p stream protocol over which members compare what they know of revocations.
pub const ROLL_PROTOCOL: &str = "/potluck/roll/1";
/// Largest frame that carries a roll, in bytes.
pub const MAX_ROLL_FRAME: usize = 4 << 20;
/// Records of a roll, at most.
pub const MAX_RECORDS: usize = 4096;
/// Members whom a revocation of an admin may name as staying.
pub const MAX_KEPT: usize = 512;
/// Bytes of a token.
pub const TOKEN: usize = 16;

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Belong to the mesh.
    Member,
    /// Sign for members and revoke them too.
    Admin,
}

/// Says that a node belongs to a mesh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// 1.
    pub version: u16,
    /// The mesh: the peer id of its founder's key, as bytes.
    #[serde(with = "serde_bytes")]
    pub mesh: Vec<u8>,
    /// Who belongs to it: a peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub subject: Vec<u8>,
    /// What it may do.
    pub role: Role,
    /// Rises when the founder lets somebody in again who was revoked; 0 by anybody but the founder.
    pub epoch: u32,
    /// Who signs: the mesh itself, or an admin; a peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub by: Vec<u8>,
    /// The last moment that it holds, in milliseconds of Unix time.
    pub not_after: u64,
}

/// Says that a node belongs to a mesh no more. It holds for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// 1.
    pub version: u16,
    /// The mesh, as in [`Certificate`].
    #[serde(with = "serde_bytes")]
    pub mesh: Vec<u8>,
    /// Who is out: a peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub subject: Vec<u8>,
    /// Certificates up to this epoch hold no more.
    pub epoch: u32,
    /// Who signs: the mesh itself, or an admin; a peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub by: Vec<u8>,
    /// Where an admin is out: those for whom it signed and who stay all the same.
    pub kept: Vec<ByteBuf>,
}

/// A certificate with what proves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// The certificate.
    pub certificate: Signed<Certificate>,
    /// The certificate of the admin who signed it; none where the founder did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Signed<Certificate>>,
}

/// A revocation with what proves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    /// The revocation.
    pub revocation: Signed<Revocation>,
    /// The certificate of the admin who signed it; none where the founder did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Signed<Certificate>>,
}

/// One thing that all members know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// Who is an admin.
    Admin(Signed<Certificate>),
    /// Who is out.
    Removal(Removal),
}

/// What a node knows: first its digest, and where the digests differ all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollDigest {
    /// BLAKE3 over what it says, however it is encoded.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
}

/// All that a node knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollRecords {
    /// In any order.
    pub records: Vec<Record>,
}

/// What whoever dialled shows a node of a private mesh, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Pass {
    /// It is a member.
    Member {
        /// By this.
        credential: Credential,
        /// Of what it knows.
        #[serde(with = "serde_bytes")]
        digest: [u8; 32],
    },
    /// It was invited and wants a certificate, nothing else.
    Token {
        /// The token of the invite.
        #[serde(with = "serde_bytes")]
        token: Vec<u8>,
        /// The nickname, for the admin's list.
        name: String,
    },
    /// It has a certificate that ends soon or has ended and wants another, nothing else.
    Renewal {
        /// The one that it has.
        credential: Credential,
    },
}

/// What the node of a private mesh answers, sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Welcome {
    /// Come in.
    Member {
        /// The answerer is a member by this.
        credential: Credential,
        /// Of what it knows.
        #[serde(with = "serde_bytes")]
        digest: [u8; 32],
    },
    /// The certificate that was asked for.
    Issued {
        /// It.
        credential: Credential,
        /// What the mesh is called.
        name: String,
    },
    /// There is no room: as in [`super::Verdict::Full`].
    Full {
        /// When to come back, in milliseconds.
        retry_after_ms: u32,
        /// Whom to try instead.
        others: Vec<super::admission::Other>,
    },
    /// No certificate is given for this.
    Refused {
        /// Why.
        why: Refusal,
    },
}

/// Why an invited node gets no certificate. Only who knows a mesh is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such token, or it was used up, or its time is over.
    #[error("the invite was used, or its time is over, or it was taken back; ask for another one")]
    Token,
    /// Whoever asks was removed from the mesh.
    #[error(
        "this node was removed from the mesh; the founder can let it in again: `potluck mesh invite --again` \
         with this node's client id"
    )]
    Removed,
    /// The answerer signs for nobody.
    #[error(
        "the node that was asked is not an admin of the mesh (any more); ask an admin for an invite"
    )]
    NoAdmin,
    /// The answerer could not keep what it would have to.
    #[error("the node that was asked cannot write to its disk; try again later")]
    Disk,
}

/// Why a credential or a revocation is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// One of its parts.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// It is of another mesh.
    #[error("it is of another mesh")]
    Mesh,
    /// Whoever signed it may not.
    #[error("whoever signed it may not sign it")]
    Issuer,
}

/// A certificate or a revocation whose signatures hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved<T> {
    /// It.
    pub record: T,
    /// The admin who signed it; none for the founder.
    pub admin: Option<Issuer>,
}

/// An admin who signed something, as its own certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer {
    /// Who.
    pub id: PeerId,
    /// The epoch of its certificate.
    pub epoch: u32,
    /// The last moment that it holds, in milliseconds of Unix time.
    pub not_after: u64,
}

impl Certificate {
    /// Who belongs to the mesh, or `None` if the id is not a peer id.
    pub fn subject(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.subject).ok()
    }

    fn is_of(&self, mesh: &PeerId) -> bool {
        self.mesh == mesh.to_bytes()
    }
}

impl Revocation {
    /// Who is out, or `None` if the id is not a peer id.
    pub fn subject(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.subject).ok()
    }

    /// Whether it lets somebody stay for whom its subject signed.
    pub fn keeps(&self, member: &PeerId) -> bool {
        let id = member.to_bytes();
        self.kept.iter().any(|kept| kept.as_slice() == id)
    }
}

impl Credential {
    /// Signs a certificate as the mesh's founder.
    pub fn by_founder(certificate: &Certificate, founder: &Keypair) -> Result<Self, SignedError> {
        Ok(Self { certificate: Signed::sign(certificate, founder)?, issuer: None })
    }

    /// Signs a certificate as an admin, whose own goes with it.
    pub fn by_admin(
        certificate: &Certificate,
        admin: &Keypair,
        own: Signed<Certificate>,
    ) -> Result<Self, SignedError> {
        Ok(Self { certificate: Signed::sign(certificate, admin)?, issuer: Some(own) })
    }

    /// Checks signatures and that whoever signed may; not time, nor who was revoked.
    pub fn prove(&self, mesh: &PeerId) -> Result<Proved<Certificate>, ProofError> {
        let record = self.certificate.verify()?;
        if !record.is_of(mesh) || record.subject().is_none() {
            return Err(ProofError::Mesh);
        }
        let admin = admin_behind(&record.by, self.issuer.as_ref(), mesh)?;
        // Only the founder makes admins, and only the founder lets somebody in again.
        if admin.is_some() && (record.role != Role::Member || record.epoch != 0) {
            return Err(ProofError::Issuer);
        }
        Ok(Proved { record, admin })
    }
}

impl Removal {
    /// Checks signatures and that whoever signed was an admin or the founder.
    pub fn prove(&self, mesh: &PeerId) -> Result<Proved<Revocation>, ProofError> {
        let record = self.revocation.verify()?;
        if record.mesh != mesh.to_bytes() || record.subject().is_none() {
            return Err(ProofError::Mesh);
        }
        let admin = admin_behind(&record.by, self.issuer.as_ref(), mesh)?;
        // Who stays of those for whom an admin signed, the founder says.
        if admin.is_some() && !record.kept.is_empty() {
            return Err(ProofError::Issuer);
        }
        Ok(Proved { record, admin })
    }
}

/// The admin who signed something; `None` where it was the founder.
fn admin_behind(
    by: &[u8],
    issuer: Option<&Signed<Certificate>>,
    mesh: &PeerId,
) -> Result<Option<Issuer>, ProofError> {
    let Some(issuer) = issuer else {
        return if by == mesh.to_bytes() { Ok(None) } else { Err(ProofError::Issuer) };
    };
    let issuer = issuer.verify()?;
    if !issuer.is_of(mesh) {
        return Err(ProofError::Mesh);
    }
    let founded = issuer.by == mesh.to_bytes() && issuer.role == Role::Admin;
    match issuer.subject() {
        Some(id) if founded && by == id.to_bytes() => {
            Ok(Some(Issuer { id, epoch: issuer.epoch, not_after: issuer.not_after }))
        }
        _ => Err(ProofError::Issuer),
    }
}

impl Signable for Certificate {
    const DOMAIN: &'static str = "potluck-certificate-1:";
    const MAX: usize = 512;

    fn signer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.by).ok()
    }
}

impl Signable for Revocation {
    const DOMAIN: &'static str = "potluck-revocation-1:";
    const MAX: usize = 32 * 1024;

    fn signer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.by).ok()
    }
}

impl Checked for Certificate {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 1 {
            return Err(Malformed::Version(self.version));
        }
        at_most("id", self.mesh.len().max(self.subject.len()).max(self.by.len()), 64)
    }
}

impl Checked for Revocation {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 1 {
            return Err(Malformed::Version(self.version));
        }
        at_most("id", self.mesh.len().max(self.subject.len()).max(self.by.len()), 64)?;
        at_most("kept", self.kept.len(), MAX_KEPT)?;
        self.kept.iter().try_for_each(|id| at_most("id", id.len(), 64))
    }
}

impl Checked for Credential {
    fn check(&self) -> Result<(), Malformed> {
        self.certificate.check()?;
        self.issuer.iter().try_for_each(Checked::check)
    }
}

impl Checked for Record {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Admin(certificate) => certificate.check(),
            Self::Removal(Removal { revocation, issuer }) => {
                revocation.check()?;
                issuer.iter().try_for_each(Checked::check)
            }
        }
    }
}

impl Checked for RollDigest {
    fn check(&self) -> Result<(), Malformed> {
        Ok(())
    }
}

impl Checked for RollRecords {
    fn check(&self) -> Result<(), Malformed> {
        at_most("records", self.records.len(), MAX_RECORDS)?;
        self.records.iter().try_for_each(Checked::check)
    }
}

impl Checked for Pass {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Member { credential, .. } | Self::Renewal { credential } => credential.check(),
            Self::Token { token, name } => {
                at_most("token", token.len(), TOKEN)?;
                at_most("name", name.len(), MAX_NAME)
            }
        }
    }
}

impl Checked for Welcome {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Member { credential, .. } => credential.check(),
            Self::Issued { credential, name } => {
                credential.check()?;
                at_most("name", name.len(), MAX_NAME)
            }
            Self::Full { others, .. } => super::admission::check_others(others),
            Self::Refused { .. } => Ok(()),
        }
    }
}
