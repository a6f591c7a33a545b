//! Blobs: inputs too large for a message, moved by a verified, resumable stream.
//!
//! The caller offers bytes under their BLAKE3 hash to the peers that it calls ([`Blobs::offer`]);
//! the serving node fetches them ([`Blobs::fetch`]) group by group, checks each group before it
//! is kept, and after a broken stream goes on behind the last good one.

mod outline;
mod transfer;

pub use outline::{GROUP, Outline, OutlineError};

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use libp2p::{PeerId, StreamProtocol};
use tokio_util::task::AbortOnDropHandle;

use crate::protocol::BLOB_PROTOCOL;

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file of the asking person; read when a peer fetches it.
    File(PathBuf),
    /// In a file that goes with its last user.
    Temporary(Arc<tempfile::TempPath>),
}

impl Source {
    /// The file, where there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::File(path) => Some(path),
            Self::Temporary(path) => Some(path),
        }
    }
}

/// The blobs that this node offers, and how it fetches those of others.
#[derive(Clone)]
pub struct Blobs {
    offers: Arc<Mutex<HashMap<[u8; 32], Offered>>>,
    streams: crate::network::streams::Control,
    folder: PathBuf,
    _serving: Arc<AbortOnDropHandle<()>>,
}

struct Offered {
    source: Source,
    outline: Arc<Outline>,
    /// Only peers that were called with the blob may fetch it.
    peers: HashSet<PeerId>,
    /// Calls that use it now.
    users: usize,
}

/// Keeps a blob on offer. Dropping the last one takes it back.
pub struct BlobOffer {
    blobs: Blobs,
    /// BLAKE3 of the bytes.
    pub hash: [u8; 32],
    /// How many bytes.
    pub size: u64,
}

/// Why a blob did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk failed or is full.
    #[error("the data could not be stored: {0}")]
    Disk(#[source] io::Error),
    /// The other side does not offer it (any more).
    #[error("the other side no longer offers the data")]
    NotOffered,
    /// The other side sent other bytes than it announced.
    #[error("the data that arrived is not what was announced")]
    Wrong,
    /// The stream broke too often.
    #[error("the connection broke while the data was fetched: {0}")]
    Broken(io::Error),
}

impl Blobs {
    /// Serves and fetches over these streams; what is fetched lies in `folder` meanwhile.
    pub fn start(mut streams: crate::network::streams::Control, folder: &Path) -> Result<Self, BlobError> {
        std::fs::create_dir_all(folder).map_err(BlobError::Disk)?;
        // What a killed process left behind is of no use: its calls are gone.
        for entry in std::fs::read_dir(folder).map_err(BlobError::Disk)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(transfer::PART_PREFIX) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let offers: Arc<Mutex<HashMap<[u8; 32], Offered>>> = Arc::default();
        let incoming = streams
            .accept(StreamProtocol::new(BLOB_PROTOCOL))
            .map_err(|e| BlobError::Disk(io::Error::other(e.to_string())))?;
        let serving = tokio::spawn(transfer::serve(incoming, offers.clone()));
        Ok(Self {
            offers,
            streams,
            folder: folder.to_owned(),
            _serving: Arc::new(AbortOnDropHandle::new(serving)),
        })
    }

    /// Offers bytes whose outline is known. Nobody may fetch them before [`BlobOffer::allow`].
    pub fn offer(&self, source: Source, outline: Outline) -> BlobOffer {
        let (hash, size) = (outline.root(), outline.size());
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = offers.entry(hash).or_insert_with(|| Offered {
            source,
            outline: Arc::new(outline),
            peers: HashSet::new(),
            users: 0,
        });
        offered.users += 1;
        BlobOffer { blobs: self.clone(), hash, size }
    }

    /// Where fetched blobs lie meanwhile.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fetches a blob from a peer into a file that is removed when the handle is dropped.
    pub async fn fetch(
        &self,
        peer: PeerId,
        hash: [u8; 32],
        size: u64,
    ) -> Result<tempfile::TempPath, BlobError> {
        transfer::fetch(self.streams.clone(), &self.folder, peer, hash, size).await
    }
}

impl BlobOffer {
    /// Lets a peer fetch the blob.
    pub fn allow(&self, peer: PeerId) {
        let mut offers = self.blobs.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(offered) = offers.get_mut(&self.hash) {
            offered.peers.insert(peer);
        }
    }
}

impl Drop for BlobOffer {
    fn drop(&mut self) {
        let mut offers = self.blobs.offers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(offered) = offers.get_mut(&self.hash) {
            offered.users -= 1;
            if offered.users == 0 {
                offers.remove(&self.hash);
            }
        }
    }
}
