//! The files of the folder `mesh/`, and their lock.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use super::{Held, MeshError, Offer, Roll};
use crate::{
    private,
    protocol::{
        decode, encode,
        membership::{Credential, Role, RollRecords},
    },
};

const MEMBERSHIP: &str = "membership.cbor";
const ROLL: &str = "roll.cbor";
const TOKENS: &str = "tokens.cbor";
const KNOWN: &str = "members.cbor";
const FOUNDER: &str = "founder.key";
const LOCK: &str = "lock";
/// No file of the folder is larger.
const MAX_FILE: u64 = 8 << 20;
/// Members that are remembered; who was not met longest is forgotten first.
pub const MAX_KNOWN: usize = 4096;

/// The folder of a private mesh.
#[derive(Debug, Clone)]
pub struct Desk {
    folder: PathBuf,
}

/// The membership of this node.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Membership {
    version: u16,
    name: String,
    #[serde(with = "serde_bytes")]
    mesh: Vec<u8>,
    credential: Credential,
    addresses: Vec<ByteBuf>,
}

/// A token that was handed out; only its hash is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Token {
    #[serde(with = "serde_bytes")]
    hash: [u8; 32],
    left: u32,
    until: u64,
    again: Option<ByteBuf>,
    taken_by: Vec<ByteBuf>,
}

/// A member who was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownMember {
    /// Its client id, as bytes.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// Its nickname.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// That of its certificate.
    pub epoch: u32,
    /// Who signed that, as bytes.
    #[serde(with = "serde_bytes")]
    pub signed_by: Vec<u8>,
    /// The last moment of it, in Unix time (ms).
    pub not_after: u64,
    /// When it was met last, in Unix time (ms).
    pub seen_at: u64,
}

impl KnownMember {
    /// Its client id.
    pub fn peer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.id).ok()
    }

    /// Who signed for it.
    pub fn by(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.signed_by).ok()
    }
}

impl Membership {
    pub(super) fn of(held: &Held) -> Self {
        Self {
            version: 1,
            name: held.name.clone(),
            mesh: held.mesh.to_bytes(),
            credential: held.credential.clone(),
            addresses: held.addresses.iter().map(|it| ByteBuf::from(it.to_vec())).collect(),
        }
    }
}

impl Token {
    pub(super) fn new(token: &[u8], offer: Offer) -> Self {
        Self {
            hash: *blake3::hash(token).as_bytes(),
            left: offer.uses,
            until: offer.until,
            again: offer.again.map(|peer| peer.to_bytes().into()),
            taken_by: Vec::new(),
        }
    }

    pub(super) fn is(&self, token: &[u8]) -> bool {
        blake3::Hash::from(self.hash) == blake3::hash(token)
    }

    /// Whether somebody may still use it.
    pub(super) fn open(&self, now: u64) -> bool {
        now <= self.until && self.left > 0
    }

    /// Whether this node may use it; one that has may again.
    pub(super) fn good_for(&self, peer: &PeerId, now: u64) -> bool {
        let id = ByteBuf::from(peer.to_bytes());
        let meant = self.again.as_ref().is_none_or(|again| *again == id);
        now <= self.until && meant && (self.left > 0 || self.taken_by.contains(&id))
    }

    pub(super) fn take(&mut self, peer: &PeerId) {
        let id = ByteBuf::from(peer.to_bytes());
        if !self.taken_by.contains(&id) {
            self.left = self.left.saturating_sub(1);
            self.taken_by.push(id);
        }
    }

    pub(super) fn again(&self) -> Option<&[u8]> {
        self.again.as_ref().map(|id| id.as_slice())
    }
}

impl Desk {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What this node holds; `None` where it belongs to no private mesh.
    pub fn held(&self) -> Result<Option<Held>, MeshError> {
        let Some(file) = self.read::<Membership>(MEMBERSHIP)? else { return Ok(None) };
        let corrupt = |why: &str| self.corrupt(MEMBERSHIP, why);
        if file.version != 1 {
            return Err(corrupt(&format!("version {}", file.version)));
        }
        let mesh = PeerId::from_bytes(&file.mesh).map_err(|e| corrupt(&e.to_string()))?;
        let mut roll = Roll::new(mesh);
        if let Some(all) = self.read::<RollRecords>(ROLL)? {
            roll.extend(&all.records);
        }
        let addresses = file.addresses.into_iter();
        let addresses =
            addresses.filter_map(|it| Multiaddr::try_from(it.into_vec()).ok()).collect();
        let founder = self.path(FOUNDER).is_file();
        Ok(Some(Held {
            name: file.name,
            mesh,
            credential: file.credential,
            roll,
            addresses,
            founder,
        }))
    }

    /// The members who were met.
    pub fn known(&self) -> Result<Vec<KnownMember>, MeshError> {
        Ok(self.read(KNOWN)?.unwrap_or_default())
    }

    /// Remembers members beside those who are.
    pub fn know(&self, met: &[KnownMember]) -> Result<(), MeshError> {
        let _lock = self.lock()?;
        let mut all = self.known()?;
        all.retain(|old| !met.iter().any(|new| new.id == old.id));
        all.extend(met.iter().cloned());
        all.sort_by_key(|one| std::cmp::Reverse(one.seen_at));
        all.truncate(MAX_KNOWN);
        self.write(KNOWN, &all)
    }

    pub(super) fn tokens(&self) -> Result<Vec<Token>, MeshError> {
        Ok(self.read(TOKENS)?.unwrap_or_default())
    }

    pub(super) fn write_tokens(&self, tokens: &[Token]) -> Result<(), MeshError> {
        self.write(TOKENS, &tokens)
    }

    pub(super) fn write_membership(&self, file: &Membership) -> Result<(), MeshError> {
        self.write(MEMBERSHIP, file)
    }

    pub(super) fn write_roll(&self, roll: &Roll) -> Result<(), MeshError> {
        self.write(ROLL, &RollRecords { records: roll.records() })
    }

    /// The founder's key, where it is here.
    pub(super) fn founder_key(&self) -> Result<Option<Keypair>, MeshError> {
        let Some(bytes) = self.bytes(FOUNDER)? else { return Ok(None) };
        let key = Keypair::from_protobuf_encoding(&bytes);
        key.map(Some).map_err(|e| self.corrupt(FOUNDER, &e.to_string()))
    }

    pub(super) fn write_founder_key(&self, key: &Keypair) -> Result<(), MeshError> {
        let bytes =
            key.to_protobuf_encoding().map_err(|e| self.corrupt(FOUNDER, &e.to_string()))?;
        self.ready()?;
        Ok(private::replace(&self.path(FOUNDER), &bytes)?)
    }

    pub(super) fn remove_founder_key(&self) -> Result<(), MeshError> {
        fs::remove_file(self.path(FOUNDER))?;
        Ok(private::sync_folder(&self.folder)?)
    }

    /// Removes all of it but the lock.
    pub(super) fn clear(&self) -> Result<(), MeshError> {
        // The membership first: without it the rest says nothing.
        for name in [MEMBERSHIP, ROLL, TOKENS, KNOWN, FOUNDER] {
            match fs::remove_file(self.path(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(private::sync_folder(&self.folder)?)
    }

    /// Held as long as the file is open; the system lets go when a process ends.
    pub(super) fn lock(&self) -> io::Result<File> {
        self.ready()?;
        let mut options = OpenOptions::new();
        let file = private::file(options.write(true).create(true).truncate(false))
            .open(self.path(LOCK))?;
        file.lock()?;
        Ok(file)
    }

    fn ready(&self) -> io::Result<()> {
        private::folder(DirBuilder::new().recursive(true)).create(&self.folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn corrupt(&self, name: &str, why: &str) -> MeshError {
        MeshError::Corrupt { path: self.path(name).display().to_string(), why: why.to_owned() }
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, MeshError> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        decode(&bytes).map(Some).map_err(|e| self.corrupt(name, &e.to_string()))
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, MeshError> {
        read_file(&self.path(name))
    }

    fn write<T: Serialize>(&self, name: &str, what: &T) -> Result<(), MeshError> {
        self.ready()?;
        Ok(private::replace(&self.path(name), &encode(what)?)?)
    }
}

/// A small file; `None` where there is none.
pub(super) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, MeshError> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
        Ok(file) => file.take(MAX_FILE).read_to_end(&mut bytes)?,
    };
    Ok(Some(bytes))
}
