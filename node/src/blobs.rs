//! Blobs: bytes too large for a message, moved by a verified, resumable stream.
//!
//! Who has bytes *shares* them under their BLAKE3 hash with the peers that may have them
//! ([`Blobs::share`]), or says whenever somebody asks who may have what ([`Grant`]). The other side
//! fetches them group by group, from several peers where several have them, checks each group before
//! it is kept, and after a broken stream goes on behind the last good one. What belongs to a call
//! goes with it ([`Blobs::fetch`]); what is meant to stay, as bodies of letters are, goes on where it was
//! after a restart too. What others make this node keep is bounded ([`NoRoom`]).

mod download;
mod grants;
mod outline;
mod partials;
mod room;
mod serve;
mod spans;

pub(crate) use download::Following;
pub use grants::Grant;
pub use outline::{GROUP, Outline, OutlineError, Outlining, Written};
pub(crate) use partials::{outline_of, read_outline, write_outline};
pub use room::{Fetched, NoRoom, Reserved};
pub(crate) use serve::LEAST;

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use libp2p::{PeerId, StreamProtocol};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    protocol::BLOB_PROTOCOL,
    quota::{Limit, Shared},
};
use download::Download;
use grants::{Entry, Grants, Shares};
use partials::{Partial, Partials, Waiting};
use room::Room;

/// Files that are being fetched for a call begin so.
const PART_PREFIX: &str = "part-";
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
    /// In a file that lies here for long: each group is checked before it is sent.
    Stored(PathBuf),
}

impl Source {
    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(path) | Self::Stored(path) => Some(path),
            Self::Temporary(path) => Some(path),
            Self::Fetched(fetched) => Some(fetched.path()),
        }
    }
}

/// The blobs that this node shares, and how it fetches those of others. Cheap to clone; all clones are
/// the same.
#[derive(Clone)]
pub struct Blobs {
    grants: Arc<Grants>,
    streams: crate::network::streams::Control,
    folder: PathBuf,
    room: Room,
    staying: Room,
    partials: Partials,
    fetching: Shared<PeerId>,
    _serving: Arc<AbortOnDropHandle<()>>,
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
    #[error("the data came too slowly: at least {} KiB a second have to arrive", serve::LEAST / 1024)]
    Slow,
    /// The stream broke too often.
    #[error("the connection broke while the data was fetched: {0}")]
    Broken(io::Error),
}

impl Blobs {
    /// Serves and fetches over these streams. What is fetched for calls lies in `folder` meanwhile; for
    /// other peers, at most `disk` bytes are kept there. What is meant to stay arrives in `arriving`, in
    /// the file system of its place.
    pub fn start(
        mut streams: crate::network::streams::Control,
        folder: &Path,
        arriving: &Path,
        disk: u64,
    ) -> Result<Self, BlobError> {
        for folder in [folder, arriving] {
            std::fs::create_dir_all(folder).map_err(BlobError::Disk)?;
        }
        // What a killed process fetched for calls is of no use: they are gone.
        for entry in std::fs::read_dir(folder).map_err(BlobError::Disk)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PART_PREFIX) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let grants = Arc::new(Grants::default());
        let incoming = streams
            .accept(StreamProtocol::new(BLOB_PROTOCOL))
            .map_err(|e| BlobError::Disk(io::Error::other(e.to_string())))?;
        let serving = tokio::spawn(serve::serve(incoming, grants.clone()));
        Ok(Self {
            grants,
            streams,
            folder: folder.to_owned(),
            room: Room::new(folder, disk),
            staying: Room::new(arriving, disk),
            partials: Partials::new(arriving, disk / 2),
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
        let mut shares = self.grants.shares.lock();
        let shared = shares.entry(hash).or_insert_with(|| Entry {
            source,
            outline: Arc::new(outline),
            peers: HashSet::new(),
            users: 0,
            used: Instant::now(),
        });
        shared.users += 1;
        drop(shares);
        Share { shares: self.grants.shares.clone(), hash, size, _room: room }
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
        let arriving = blocking(move || Ok(room.expect(size)?)).await?;
        self.fetch_temporary(peer, hash, size, arriving).await
    }

    /// Fetches the input of a peer's call: so many at once, each within the room for others.
    pub(crate) async fn receive(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
    ) -> Result<Fetched, BlobError> {
        let room = self.room.clone();
        let (held, arriving) = blocking(move || Ok(room.reserve(&peer, size)?)).await?;
        let _place = self.fetching.wait(&peer, 1).await;
        let path = self.fetch_temporary(peer, hash, size, arriving).await?;
        Ok(Fetched::new(path, size, held))
    }

    /// Asks this one too who may fetch what.
    pub fn granted_by(&self, grant: Arc<dyn Grant>) {
        self.grants.add(grant);
    }

    /// Fetches from a peer what is meant to stay, and gives it its place `to`, in the same file system,
    /// with its outline beside it. It is on the disk when this returns. Whoever waits for the same blob
    /// at the same time adds another peer to fetch it from; dropping the future ends that, and what
    /// arrived stays for the next one, also after a restart. Its room is the business of the caller; the
    /// free space of the disk is minded here.
    pub(crate) async fn obtain(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
        to: &Path,
    ) -> Result<(), BlobError> {
        let (obtained, ()) = self.obtain_reading(peer, hash, size, |_| ()).await?;
        obtained.place(to).await
    }

    /// The same, and has it read while it arrives. Where that was all that it was needed for, it goes
    /// again ([`Obtained::spend`]).
    pub(crate) async fn obtain_reading<T: Send + 'static>(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
        read: impl FnOnce(Following) -> T + Send + 'static,
    ) -> Result<(Obtained, T), BlobError> {
        let _place = self.fetching.wait(&peer, 1).await;
        let waiting = self.partials.wait(hash);
        let partial = waiting.opened(size, &self.staying).await?;
        let followed = partial.clone();
        let following = blocking(move || followed.follow().map_err(BlobError::Disk)).await?;
        // It holds no handle on the download: where that is given up, so is the reading.
        let reading = tokio::task::spawn_blocking(move || read(following));
        partial.download.fetch(self.streams.clone(), peer).await?;
        let read = reading.await.map_err(|e| BlobError::Disk(e.into()))?;
        Ok((Obtained { partial, _waiting: waiting }, read))
    }

    /// Whether so many bytes more may lie beside what was obtained.
    pub(crate) async fn room_to_stay(&self, bytes: u64) -> Result<(), BlobError> {
        let room = self.staying.clone();
        blocking(move || Ok(room.expect(bytes).map(drop)?)).await
    }

    /// How many bytes are there of what is being obtained.
    pub(crate) fn obtained(&self, hash: &[u8; 32]) -> Option<u64> {
        self.partials.arriving(hash)
    }

    /// Takes back what was stored and is damaged: what is right in it is not fetched again by
    /// [`Blobs::obtain`]. Blocks on the disk.
    pub(crate) fn take_back(&self, hash: &[u8; 32], stored: &Path) -> io::Result<()> {
        self.partials.take_back(hash, stored)
    }

    /// How many bytes went out of what a peer is fetching now.
    pub(crate) fn sent(&self, hash: &[u8; 32]) -> Option<u64> {
        self.grants.sent(hash)
    }

    async fn fetch_temporary(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
        arriving: room::Arriving,
    ) -> Result<tempfile::TempPath, BlobError> {
        let folder = self.folder.clone();
        let named = blocking(move || {
            let file = tempfile::Builder::new().prefix(PART_PREFIX).tempfile_in(folder);
            file.map_err(BlobError::Disk)
        });
        let (file, path) = named.await?.into_parts();
        let download = Download::new(hash, size, file);
        let download = download.telling(|_| {}, move |bytes| arriving.written(bytes));
        Arc::new(download).fetch(self.streams.clone(), peer).await?;
        Ok(path)
    }
}

/// A blob that arrived and has no place yet.
pub(crate) struct Obtained {
    partial: Arc<Partial>,
    _waiting: Waiting,
}

impl Obtained {
    /// Gives it its place, in the same file system, with its outline beside it. It is on the disk when
    /// this returns.
    pub(crate) async fn place(self, to: &Path) -> Result<(), BlobError> {
        let to = to.to_owned();
        blocking(move || self.partial.place(&to).map_err(BlobError::Disk)).await
    }

    /// It is not needed any more.
    pub(crate) fn spend(self) {
        self.partial.spend();
    }
}

impl Share {
    /// Lets a peer fetch the blob.
    pub fn allow(&self, peer: PeerId) {
        if let Some(shared) = self.shares.lock().get_mut(&self.hash) {
            shared.peers.insert(peer);
        }
    }

    /// How long nobody has fetched it.
    pub(crate) fn idle(&self) -> Duration {
        self.shares.lock().get(&self.hash).map_or(Duration::MAX, |s| s.used.elapsed())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.shares.lock();
        if let Some(shared) = shares.get_mut(&self.hash) {
            shared.users -= 1;
            if shared.users == 0 {
                shares.remove(&self.hash);
            }
        }
    }
}

/// Asks the disk off the async threads.
async fn blocking<T, F>(work: F) -> Result<T, BlobError>
where
    F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|e| BlobError::Disk(e.into()))?
}
