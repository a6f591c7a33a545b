//! The bytes that go with a call or its answer, wherever they lie.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use libp2p::PeerId;

use crate::{
    blobs::{Blobs, Fetched, Outline, Reserved, Share, Source},
    protocol::{Fault, FaultKind, MAX_INLINE, Payload},
};

/// The bytes that go with a call or its answer.
#[derive(Debug, Clone)]
pub enum Data {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file that is removed when the last user drops it.
    Blob {
        /// Where.
        path: Arc<tempfile::TempPath>,
        /// How many bytes.
        size: u64,
    },
    /// In a file that was fetched from a peer, with the room that it takes.
    Fetched(Arc<Fetched>),
    /// A file of this node's own person, for a call that this node serves to itself.
    File {
        /// Where.
        path: PathBuf,
        /// How many bytes.
        size: u64,
    },
}

impl Data {
    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob { size, .. } | Self::File { size, .. } => *size,
            Self::Fetched(fetched) => fetched.size(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file that holds them, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Bytes(_) => None,
            Self::Blob { path, .. } => Some(path),
            Self::File { path, .. } => Some(path),
            Self::Fetched(fetched) => Some(fetched.path()),
        }
    }

    /// All bytes in memory. Reads the disk: call it inside [`super::Context::blocking`].
    pub fn read(&self) -> Result<Arc<[u8]>, Fault> {
        self.load().map_err(|e| Fault::new(FaultKind::InputLost, format!("the input is gone: {e}")))
    }

    fn load(&self) -> io::Result<Arc<[u8]>> {
        match (self, self.path()) {
            (Self::Bytes(bytes), _) => Ok(bytes.clone()),
            (_, Some(path)) => std::fs::read(path).map(Into::into),
            (_, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A file with the bytes, made in `folder` when they are in memory. Writes the disk.
    pub(crate) fn into_file(self, folder: &Path) -> io::Result<Self> {
        let Self::Bytes(bytes) = self else { return Ok(self) };
        let mut file = tempfile::Builder::new().prefix("part-").tempfile_in(folder)?;
        file.write_all(&bytes)?;
        let (path, size) = (Arc::new(file.into_temp_path()), bytes.len() as u64);
        Ok(Self::Blob { path, size })
    }

    /// As it travels to a peer: inline when it is small, otherwise a blob that is shared with it,
    /// within the room for what peers have not taken yet.
    pub(crate) async fn lend(
        self,
        blobs: &Blobs,
        to: PeerId,
    ) -> Result<(Payload, Option<Share>), Fault> {
        let blobs = blobs.clone();
        let lent = tokio::task::spawn_blocking(move || {
            if self.len() <= MAX_INLINE as u64 {
                return Ok((Payload::Inline(self.load()?.to_vec()), None));
            }
            let (data, room) = self.kept(&blobs, &to)?;
            let (source, outline) = match data {
                Self::Bytes(bytes) => {
                    let outline = Outline::of(&bytes);
                    (Source::Bytes(bytes), outline)
                }
                Self::Blob { path, .. } => outlined(Source::Temporary(path))?,
                Self::File { path, .. } => outlined(Source::File(path))?,
                Self::Fetched(fetched) => outlined(Source::Fetched(fetched))?,
            };
            let share = blobs.share_within(source, outline, Some(room));
            share.allow(to);
            Ok::<_, io::Error>((Payload::Blob { hash: share.hash, size: share.size }, Some(share)))
        });
        let lent = lent.await.map_err(io::Error::from).flatten();
        lent.map_err(|e| Fault::internal(format!("the result cannot be handed over: {e}")))
    }

    /// In memory while there is room there, otherwise in a file.
    fn kept(self, blobs: &Blobs, peer: &PeerId) -> io::Result<(Self, Reserved)> {
        if matches!(self, Self::Bytes(_))
            && let Some(room) = blobs.room_in_memory(peer, self.len())
        {
            return Ok((self, room));
        }
        let room = blobs.room_on_disk(peer, self.len()).map_err(io::Error::other)?;
        Ok((self.into_file(blobs.folder())?, room))
    }
}

fn outlined(source: Source) -> io::Result<(Source, Outline)> {
    let outline = Outline::of_file(source.path().unwrap_or(Path::new("")))?;
    Ok((source, outline))
}
