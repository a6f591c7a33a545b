//! Who this node is: an Ed25519 key in a file that only its owner reads.

mod words;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use libp2p::PeerId;
use libp2p::identity::{KeyType, Keypair};

use crate::{data_dir::DataDir, private};

pub use words::{link, parse, words};

/// An encoded Ed25519 key is 68 bytes; nothing much longer can be one.
const MAX_KEY_FILE: u64 = 1024;

/// The digits of Crockford's base 32, in lower case: none is mistaken for another.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The key of a node, and the client id that follows from it.
#[derive(Clone)]
pub struct Identity {
    keypair: Keypair,
    peer_id: PeerId,
}

/// Why the key cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file does not hold an Ed25519 key. It is never replaced on its own, because with it
    /// goes the client id that others know.
    #[error("{} does not hold a key ({reason}); put back a copy of it, or remove it to become a new client id", path.display())]
    Corrupt {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be read.
    #[error("the key {} cannot be read ({source}); check that it is yours", path.display())]
    Unreadable {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A new key cannot be stored.
    #[error("a new key cannot be stored in {} ({source}); check the disk and the permissions", path.display())]
    Unwritable {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Identity {
    /// Reads the key of a data folder, or makes one where there is none. When this returns, the
    /// key is on the disk.
    pub fn load_or_create(data_dir: &DataDir) -> Result<Identity, IdentityError> {
        let path = data_dir.identity_file();
        if let Some(identity) = load(&path)? {
            return Ok(identity);
        }
        let identity = Identity::generate();
        let unwritable = |source| IdentityError::Unwritable { path: path.clone(), source };
        let encoded = identity.keypair.to_protobuf_encoding();
        let encoded = encoded.map_err(|error| unwritable(io::Error::other(error)))?;
        match store(&path, &encoded) {
            Ok(()) => Ok(identity),
            // Another process was quicker; its key is the one on the disk.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                load(&path)?.ok_or_else(|| unwritable(error))
            }
            Err(error) => Err(unwritable(error)),
        }
    }

    /// A new key that is stored nowhere.
    pub fn generate() -> Identity {
        Identity::from(Keypair::generate_ed25519())
    }

    /// The key.
    pub fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    /// The client id: the libp2p peer id of the key.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }
}

impl From<Keypair> for Identity {
    fn from(keypair: Keypair) -> Self {
        let peer_id = keypair.public().to_peer_id();
        Identity { keypair, peer_id }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.peer_id).finish()
    }
}

/// A short form of a client id for people, such as `k3vq-9t2m`, shown beside nicknames.
///
/// 40 bits of the BLAKE3 hash of the id's bytes, in Crockford's base 32. It tells a hundred
/// namesakes apart; it is too short to prove anything against somebody who searches for a key
/// with the same one: that is what [`words`] are for.
pub fn fingerprint(peer_id: &PeerId) -> String {
    let hash = blake3::hash(&peer_id.to_bytes());
    let bits = hash.as_bytes().iter().take(5).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut text = String::with_capacity(9);
    for position in 0..8 {
        if position == 4 {
            text.push('-');
        }
        text.push(char::from(BASE32[(bits >> (35 - 5 * position) & 31) as usize]));
    }
    text
}

/// The [`fingerprint`] of a client id in text; a text that is none stays as it is.
pub fn short(id: &str) -> String {
    id.parse::<PeerId>().map_or_else(|_| id.to_owned(), |id| fingerprint(&id))
}

fn load(path: &Path) -> Result<Option<Identity>, IdentityError> {
    let unreadable = |source| IdentityError::Unreadable { path: path.to_owned(), source };
    let corrupt = |reason: String| IdentityError::Corrupt { path: path.to_owned(), reason };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !metadata.is_file() {
        return Err(corrupt("it is not a file".to_owned()));
    }
    if let Some(mode) = private::open_to_others(&metadata) {
        private::close(path).map_err(unreadable)?;
        tracing::warn!(file = %path.display(), "the key could be read by other users (mode {mode:o}); it is private now, but they may have a copy");
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.is_empty() {
        return Err(corrupt("it is empty".to_owned()));
    }
    if bytes.len() as u64 > MAX_KEY_FILE {
        return Err(corrupt("it is too long".to_owned()));
    }
    let keypair =
        Keypair::from_protobuf_encoding(&bytes).map_err(|error| corrupt(error.to_string()))?;
    if keypair.key_type() != KeyType::Ed25519 {
        return Err(corrupt("it is not an Ed25519 key".to_owned()));
    }
    Ok(Some(Identity::from(keypair)))
}

/// Writes a key that appears whole or not at all, and never in the place of another.
fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary =
        path.with_extension(format!("new-{}-{:016x}", std::process::id(), rand::random::<u64>()));
    let result = write_synced(&temporary, bytes).and_then(|()| appear(&temporary, path));
    let _ = fs::remove_file(&temporary);
    result?;
    // The name itself is durable only when the folder is.
    match path.parent() {
        Some(folder) => private::sync_folder(folder),
        None => Ok(()),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private::file(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives `temporary` the name `path`. A link, unlike a rename, fails where the name is taken.
fn appear(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        Err(_) => fs::rename(temporary, path),
        Ok(()) => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn data_dir() -> (tempfile::TempDir, DataDir) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(Some(dir.path().into())).unwrap();
        (dir, data)
    }

    #[test]
    fn the_key_stays_and_is_private() {
        let (_dir, data) = data_dir();
        let first = Identity::load_or_create(&data).unwrap();
        let again = Identity::load_or_create(&data).unwrap();
        assert_eq!(first.peer_id(), again.peer_id());
        let file = data.identity_file();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn wide_permissions_are_narrowed() {
        let (_dir, data) = data_dir();
        let first = Identity::load_or_create(&data).unwrap();
        let file = data.identity_file();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Identity::load_or_create(&data).unwrap().peer_id(), first.peer_id());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_broken_key_is_said_and_kept() {
        let (_dir, data) = data_dir();
        Identity::load_or_create(&data).unwrap();
        let file = data.identity_file();
        let good = fs::read(&file).unwrap();
        let cut = good[..good.len() - 1].to_vec();
        for bad in [Vec::new(), b"hello".to_vec(), cut, vec![0; 2000]] {
            fs::write(&file, &bad).unwrap();
            let error = Identity::load_or_create(&data).unwrap_err();
            assert!(matches!(error, IdentityError::Corrupt { .. }), "{error}");
            assert_eq!(fs::read(&file).unwrap(), bad);
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(Identity::load_or_create(&data), Err(IdentityError::Corrupt { .. })));
    }

    #[test]
    fn many_at_once_agree_on_one_key() {
        let (_dir, data) = data_dir();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Identity::load_or_create(&data).unwrap().peer_id()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_fingerprint_is_short_and_steady() {
        // The id of RFC 8032's first test key; the text from Python's blake3 and base58.
        let id: PeerId = "12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV".parse().unwrap();
        assert_eq!(fingerprint(&id), "ybfb-xetk");
        let other = Identity::generate().peer_id();
        assert_ne!(fingerprint(&other), fingerprint(&id));
        assert_eq!(fingerprint(&other).len(), 9);
    }
}
