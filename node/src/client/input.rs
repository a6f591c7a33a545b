//! A call's input: inline when it is small, otherwise a blob that is shared.

use std::{path::Path, sync::Arc};

use libp2p::PeerId;
use tokio::sync::OnceCell;

use super::{CallInput, local::Local};
use crate::{
    blobs::{Outline, Share, Source},
    protocol::{Fault, MAX_INLINE, Payload},
    say::reasons,
    service::Data,
};

/// The input as it travels, and as it is served at home.
pub(super) enum Prepared {
    None,
    Inline(Arc<[u8]>),
    /// Hashed and shared when the first peer is asked: this node itself needs no hash.
    Large {
        source: Source,
        size: u64,
        share: Box<OnceCell<Share>>,
    },
}

/// Looks at the input, and reads it if it is small, off the async threads.
pub(super) async fn prepare(input: Option<CallInput>) -> Result<Prepared, Fault> {
    let Some(input) = input else { return Ok(Prepared::None) };
    let read = tokio::task::spawn_blocking(move || match input {
        CallInput::Bytes(bytes) if bytes.len() <= MAX_INLINE => Ok(Prepared::Inline(bytes)),
        CallInput::Bytes(bytes) => {
            let size = bytes.len() as u64;
            Ok(Prepared::Large { source: Source::Bytes(bytes), size, share: Box::default() })
        }
        CallInput::File(path) => {
            let meta = std::fs::metadata(&path)?;
            if !meta.is_file() {
                return Err(std::io::Error::other("it is not a file"));
            }
            if meta.len() <= MAX_INLINE as u64 {
                return Ok(Prepared::Inline(std::fs::read(&path)?.into()));
            }
            std::fs::File::open(&path)?;
            let size = meta.len();
            Ok(Prepared::Large { source: Source::File(path), size, share: Box::default() })
        }
    });
    read.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))
}

fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    Fault::bad_input(reasons::input_unreadable(error.to_string()))
}

impl Prepared {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Large { size, .. } => *size,
        }
    }

    /// As a peer gets it, who may fetch it from now on.
    pub(super) async fn wire(&self, local: &Local, peer: PeerId) -> Result<Option<Payload>, Fault> {
        let (source, share) = match self {
            Self::None => return Ok(None),
            Self::Inline(bytes) => return Ok(Some(Payload::Inline(bytes.to_vec()))),
            Self::Large { source, share, .. } => (source, share),
        };
        let hash = || async {
            let hashed = source.clone();
            let outline = tokio::task::spawn_blocking(move || match &hashed {
                Source::Bytes(bytes) => Ok(Outline::of(bytes)),
                _ => Outline::of_file(hashed.path().unwrap_or(Path::new(""))),
            });
            let outline = outline.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))?;
            Ok(local.blobs.share(source.clone(), outline))
        };
        let share = share.get_or_try_init(hash).await?;
        share.allow(peer);
        Ok(Some(Payload::Blob { hash: share.hash, size: share.size }))
    }

    /// As this node gets it when it serves itself: as it travels, and where it is when it is large.
    pub(super) fn at_home(&self) -> (Option<Payload>, Option<Data>) {
        match self {
            Self::None => (None, None),
            Self::Inline(bytes) => (Some(Payload::Inline(bytes.to_vec())), None),
            Self::Large { source, size, .. } => {
                let data = match source {
                    Source::Bytes(bytes) => Data::Bytes(bytes.clone()),
                    Source::File(path) | Source::Stored(path) => {
                        Data::File { path: path.clone(), size: *size }
                    }
                    Source::Temporary(path) => Data::Blob { path: path.clone(), size: *size },
                    Source::Fetched(fetched) => Data::Fetched(fetched.clone()),
                };
                (Some(Payload::Blob { hash: [0; 32], size: *size }), Some(data))
            }
        }
    }
}
