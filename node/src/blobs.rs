//! Blobs: bytes too large for a message, moved by a verified, resumable stream.
//!
//! Who has bytes *shares* them under their BLAKE3 hash with the peers that may have them
//! ([`Blobs::share`]); the other side fetches them group by group, checks each group before it is
//! kept, and after a broken stream goes on behind the last good one. What others make this node
//! keep is bounded ([`NoRoom`]).

mod outline;
mod room;
mod transfer;

pub use outline::{GROUP, Outline, OutlineError};
pub use room::{Fetched, NoRoom, Reserved};

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use libp2p::{PeerId, StreamProtocol};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    protocol::BLOB_PROTOCOL,
    quota::{Limit, Shared},
};
use room::Room;

/// Inputs of others that are fetched at once.
const FETCHING: u64 = 64;
/// The same from one peer.
const FETCHING_EACH: u64 = 4;

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file of the asking person; read when a peer fetches it.
    File(PathBuf),
    /// In a file that goes with its last user.
    Temporary(Arc<tempfile::TempPath>),
    /// In a file that was fetched from a peer.
    Fetched(Arc<Fetched>),
}

impl Source {
    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(path) => Some(path),
            Self::Temporary(path) => Some(path),
            Self::Fetched(fetched) => Some(fetched.path()),
        }
    }
}

/// The blobs that this node shares, and how it fetches those of others.
#[derive(Clone)]
pub struct Blobs {
    shares: Shares,
    streams: crate::network::streams::Control,
    folder: PathBuf,
    room: Room,
    fetching: Shared<PeerId>,
    _serving: Arc<AbortOnDropHandle<()>>,
}

/// What is shared, by hash.
type Shares = Arc<Mutex<HashMap<[u8; 32], Entry>>>;

struct Entry {
    source: Source,
    outline: Arc<Outline>,
    /// Only peers that were called with the blob may fetch it.
    peers: HashSet<PeerId>,
    /// Calls that use it now.
    users: usize,
    /// When a peer last began or ended to fetch it.
    used: Instant,
}

/// Keeps a blob shared. Dropping the last one of a blob takes it back.
pub struct Share {
    shares: Shares,
    /// BLAKE3 of the bytes.
    pub hash: [u8; 32],
    /// How many bytes.
    pub size: u64,
    /// What it takes of the room for others.
    _room: Option<Reserved>,
}

/// Why a blob did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk failed or is full.
    #[error("the data could not be stored: {0}")]
    Disk(#[source] io::Error),
    /// There is no room for it.
    #[error("the data was not taken: {0}")]
    NoRoom(#[from] NoRoom),
    /// The other side does not share it (any more).
    #[error("the other side no longer shares the data")]
    NotShared,
    /// The other side sent other bytes than it announced.
    #[error("the data that arrived is not what was announced")]
    Wrong,
    /// It came in a trickle.
    #[error("the data came too slowly: at least {} KiB a second have to arrive", transfer::LEAST / 1024)]
    Slow,
    /// The stream broke too often.
    #[error("the connection broke while the data was fetched: {0}")]
    Broken(io::Error),
}

impl Blobs {
    /// Serves and fetches over these streams. What is fetched lies in `folder` meanwhile; for other
    /// peers, at most `disk` bytes are kept there.
    pub fn start(
        mut streams: crate::network::streams::Control,
        folder: &Path,
        disk: u64,
    ) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(BlobError::Disk)?;
        // What a killed process left behind is of no use: its calls are gone.
        for entry in std::fs::read_dir(folder).map_err(BlobError::Disk)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(transfer::PART_PREFIX) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let shares = Shares::default();
        let incoming = streams
            .accept(StreamProtocol::new(BLOB_PROTOCOL))
            .map_err(|e| BlobError::Disk(io::Error::other(e.to_string())))?;
        let serving = tokio::spawn(transfer::serve(incoming, shares.clone()));
        Ok(Self {
            shares,
            streams,
            folder: folder.to_owned(),
            room: Room::new(folder, disk),
            fetching: Shared::new(Limit::at_once(FETCHING), Limit::at_once(FETCHING_EACH)),
            _serving: Arc::new(AbortOnDropHandle::new(serving)),
        })
    }

    /// Shares bytes whose outline is known. Nobody may fetch them before [`Share::allow`].
    pub fn share(&self, source: Source, outline: Outline) -> Share {
        self.share_within(source, outline, None)
    }

    /// The same, for bytes that take room which is meant for others.
    pub(crate) fn share_within(
        &self,
        source: Source,
        outline: Outline,
        room: Option<Reserved>,
    ) -> Share {
        let (hash, size) = (outline.root(), outline.size());
        let mut shares = lock(&self.shares);
        let shared = shares.entry(hash).or_insert_with(|| Entry {
            source,
            outline: Arc::new(outline),
            peers: HashSet::new(),
            users: 0,
            used: Instant::now(),
        });
        shared.users += 1;
        Share { shares: self.shares.clone(), hash, size, _room: room }
    }

    /// Where fetched blobs lie meanwhile.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Room in memory for an answer that a peer will fetch.
    pub(crate) fn room_in_memory(&self, peer: &PeerId, bytes: u64) -> Option<Reserved> {
        self.room.memory(peer, bytes)
    }

    /// Room for an answer that a peer will fetch and that lies, or will lie, in a file.
    pub(crate) fn room_on_disk(&self, peer: &PeerId, bytes: u64) -> Result<Reserved, NoRoom> {
        self.room.disk(peer, bytes)
    }

    /// Fetches what belongs to an answer to this node's own call, into a file that is removed when
    /// the handle is dropped.
    pub async fn fetch(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
    ) -> Result<tempfile::TempPath, BlobError> {
        let room = self.room.clone();
        let _arriving = blocking(move || Ok(room.expect(size)?)).await?;
        transfer::fetch(self.streams.clone(), &self.folder, peer, hash, size).await
    }

    /// Fetches the input of a peer's call: so many at once, each within the room for others.
    pub(crate) async fn receive(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
    ) -> Result<Fetched, BlobError> {
        let room = self.room.clone();
        let (held, _arriving) = blocking(move || Ok(room.reserve(&peer, size)?)).await?;
        let _place = self.fetching.wait(&peer, 1).await;
        let path = transfer::fetch(self.streams.clone(), &self.folder, peer, hash, size).await?;
        Ok(Fetched::new(path, size, held))
    }
}

impl Share {
    /// Lets a peer fetch the blob.
    pub fn allow(&self, peer: PeerId) {
        if let Some(shared) = lock(&self.shares).get_mut(&self.hash) {
            shared.peers.insert(peer);
        }
    }

    /// How long nobody has fetched it.
    pub(crate) fn idle(&self) -> Duration {
        lock(&self.shares).get(&self.hash).map_or(Duration::MAX, |s| s.used.elapsed())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = lock(&self.shares);
        if let Some(shared) = shares.get_mut(&self.hash) {
            shared.users -= 1;
            if shared.users == 0 {
                shares.remove(&self.hash);
            }
        }
    }
}

fn lock(shares: &Shares) -> MutexGuard<'_, HashMap<[u8; 32], Entry>> {
    shares.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the disk off the async threads.
async fn blocking<T, F>(work: F) -> Result<T, BlobError>
where
    F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|e| BlobError::Disk(e.into()))?
}
