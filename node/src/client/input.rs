//! A call's input: inline when it is small, otherwise a blob on offer.

use std::sync::Arc;

use super::{CallInput, Inner};
use crate::{
    blobs::{BlobOffer, Outline, Source, outline_of_file},
    protocol::{Fault, MAX_INLINE, Payload},
    service::Data,
};

/// The input as it travels, and as it is served at home.
pub(super) enum Prepared {
    None,
    Inline(Arc<[u8]>),
    Offered { offer: BlobOffer, source: Source },
}

/// Reads and hashes the input, off the async threads.
pub(super) async fn prepare(inner: &Inner, input: Option<CallInput>) -> Result<Prepared, Fault> {
    let unreadable =
        |e: &dyn std::fmt::Display| Fault::bad_input(format!("the input cannot be read: {e}"));
    let Some(input) = input else { return Ok(Prepared::None) };
    let read = tokio::task::spawn_blocking(move || match input {
        CallInput::Bytes(bytes) if bytes.len() <= MAX_INLINE => Ok((Some(bytes), None)),
        CallInput::Bytes(bytes) => {
            let outline = Outline::of(&bytes);
            Ok((None, Some((Source::Bytes(bytes), outline))))
        }
        CallInput::File(path) => {
            let meta = std::fs::metadata(&path)?;
            if !meta.is_file() {
                return Err(std::io::Error::other("it is not a file"));
            }
            if meta.len() <= MAX_INLINE as u64 {
                let bytes = std::fs::read(&path)?;
                return Ok((Some(bytes.into()), None));
            }
            let outline = outline_of_file(&path)?;
            Ok::<_, std::io::Error>((None, Some((Source::File(path), outline))))
        }
    });
    let read = read.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))?;
    Ok(match read {
        (Some(bytes), _) => Prepared::Inline(bytes),
        (None, Some((source, outline))) => {
            let offer = inner.blobs.offer(source.clone(), outline);
            Prepared::Offered { offer, source }
        }
        (None, None) => Prepared::None,
    })
}

impl Prepared {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Offered { offer, .. } => offer.size,
        }
    }

    /// As a peer gets it.
    pub(super) fn wire(&self) -> Option<Payload> {
        match self {
            Self::None => None,
            Self::Inline(bytes) => Some(Payload::Inline(bytes.to_vec())),
            Self::Offered { offer, .. } => {
                Some(Payload::Blob { hash: offer.hash, size: offer.size })
            }
        }
    }

    /// As this node gets it when it serves itself, where it is not inline.
    pub(super) fn at_home(&self) -> Option<Data> {
        match self {
            Self::Offered { source: Source::Bytes(bytes), .. } => Some(Data::Bytes(bytes.clone())),
            Self::Offered { source: Source::File(path), offer } => {
                Some(Data::File { path: path.clone(), size: offer.size })
            }
            _ => None,
        }
    }
}
