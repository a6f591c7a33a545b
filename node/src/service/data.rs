//! The bytes that go with a call or its answer, wherever they lie.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    blobs::{BlobOffer, Blobs, Outline, Source},
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

    /// As it travels: inline when it is small, otherwise a blob on offer.
    pub(crate) async fn lend(self, blobs: &Blobs) -> Result<(Payload, Option<BlobOffer>), Fault> {
        let unreadable =
            |e: &dyn std::fmt::Display| Fault::internal(format!("the result cannot be read: {e}"));
        let read = tokio::task::spawn_blocking(move || {
            if self.len() <= MAX_INLINE as u64 {
                return Ok((Some(self.load()?.to_vec()), None));
            }
            let source = match self {
                Self::Bytes(bytes) => {
                    let outline = Outline::of(&bytes);
                    return Ok((None, Some((Source::Bytes(bytes), outline))));
                }
                Self::Blob { path, .. } => Source::Temporary(path),
                Self::File { path, .. } => Source::File(path),
            };
            let outline = Outline::of_file(source.path().unwrap_or(Path::new("")))?;
            Ok::<_, io::Error>((None, Some((source, outline))))
        });
        match read.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))? {
            (_, Some((source, outline))) => {
                let offer = blobs.offer(source, outline);
                Ok((Payload::Blob { hash: offer.hash, size: offer.size }, Some(offer)))
            }
            (bytes, None) => Ok((Payload::Inline(bytes.unwrap_or_default()), None)),
        }
    }
}
