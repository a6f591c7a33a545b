//! Opening letters that came: once, in the background, before anybody sees them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    sync::{Arc, MutexGuard, PoisonError},
};

use super::{
    super::{
        envelope::{Envelope, EnvelopeId, Fate},
        letter::{self, Contents, OpenError},
        store::SMALL,
    },
    Post, Shared,
};
use crate::{blobs::outline_of, network::now_ms, write_behind::WriteBehind};

/// A letter that is being opened.
pub(super) struct Opening {
    shared: Arc<Shared>,
    id: EnvelopeId,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let asked = self.shared.opening().remove(&self.id) == Some(true);
        // This one may have failed, and others relied on it.
        if asked && tokio::runtime::Handle::try_current().is_ok() {
            Post(self.shared.clone()).open_later(self.id);
        }
    }
}

impl Post {
    /// Opens a letter off the async threads, if it was not. One that is being opened is looked at again
    /// afterwards.
    pub(super) fn open_later(&self, id: EnvelopeId) {
        let Some(opening) = self.opening(id) else { return };
        let post = self.clone();
        tokio::spawn(async move {
            let _opening = opening;
            if let Err(error) = post.open_one(id).await {
                tracing::warn!("a letter is opened later: {error}");
            }
        });
    }

    /// Says that a letter is being opened, until it is dropped; `None` where it is already.
    pub(super) fn opening(&self, id: EnvelopeId) -> Option<Opening> {
        let mut all = self.0.opening();
        if let Some(asked) = all.get_mut(&id) {
            *asked = true;
            return None;
        }
        all.insert(id, false);
        Some(Opening { shared: self.0.clone(), id })
    }

    /// Opens what was not: the process was killed, or the disk was full.
    pub(in super::super) fn open_rest(&self) {
        let state = self.0.lock();
        let closed = state
            .received
            .iter()
            .filter(|(_, one)| one.contents.is_none() && one.trouble.is_none());
        let closed: Vec<_> = closed.map(|(id, _)| *id).collect();
        drop(state);
        closed.into_iter().for_each(|id| self.open_later(id));
    }

    async fn open_one(
        &self,
        id: EnvelopeId,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let shared = self.0.clone();
        let opened = tokio::task::spawn_blocking(move || shared.open_letter(id)).await?;
        let Some((opened, small)) = opened else { return Ok(()) };
        let (contents, trouble) = match opened {
            Ok(contents) => (Some(contents), None),
            // A disk that is full may have room later.
            Err(error @ OpenError::Disk(_)) => return Err(error.into()),
            Err(error) => (None, Some(error.to_string())),
        };
        let refused = match &trouble {
            Some(why) => {
                let hash = self.0.lock().received.get(&id).map(|one| one.outside.hash);
                hash.map(|hash| self.0.receipt(id, hash, Fate::Refused, Some(why.clone())))
                    .transpose()?
            }
            None => None,
        };
        self.0
            .change(move |state| {
                let Some(mut one) = state.received.get(&id).cloned() else { return };
                (one.contents, one.trouble) = (contents, trouble);
                if refused.is_some() {
                    one.owed = refused;
                }
                state.put_received(one);
            })
            .await?;
        // What was opened is there in its own form; the sealed one would only take room.
        if small {
            return Ok(());
        }
        self.0.discard_sealed(id).await;
        Ok(())
    }
}

impl Shared {
    fn opening(&self) -> MutexGuard<'_, BTreeMap<EnvelopeId, bool>> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the sealed body of a letter that was opened.
    pub(super) async fn discard_sealed(&self, id: EnvelopeId) {
        let path = self.store.sealed(&id);
        let removed = tokio::task::spawn_blocking(move || {
            let _ = std::fs::remove_file(outline_of(&path));
            std::fs::remove_file(path)
        });
        let _ = removed.await;
    }

    /// Opens a letter into its file; `None` where there is none that waits for it. Also says whether it is a small one.
    fn open_letter(&self, id: EnvelopeId) -> Option<(Result<Contents, OpenError>, bool)> {
        let one = self.lock().received.get(&id)?.clone();
        if one.contents.is_some() || one.trouble.is_some() {
            return None;
        }
        let envelope = one.outside;
        let small = envelope.size <= SMALL;
        let sealed: Result<Box<dyn Read>, OpenError> = match small {
            true => self.small(&id).map_err(|e| OpenError::Disk(io::Error::other(e))).map(|body| {
                let body = body.map_or_else(Vec::new, |body| body.to_vec());
                Box::new(io::Cursor::new(body)) as _
            }),
            false => File::open(self.store.sealed(&id))
                .map_err(OpenError::Disk)
                .map(|file| Box::new(file) as _),
        };
        Some((sealed.and_then(|sealed| self.open_from(sealed, &envelope)), small))
    }

    /// Opens what a letter was sealed to into its file, and says what is in it. Blocks on the disk.
    pub(super) fn open_from(
        &self,
        sealed: impl Read,
        envelope: &Envelope,
    ) -> Result<Contents, OpenError> {
        let identity = self.keys().find(&envelope.sealing).cloned().ok_or(OpenError::Key)?;
        let plain = self.store.temporary().map_err(OpenError::Disk)?;
        let mut writing = WriteBehind::new(plain.reopen().map_err(OpenError::Disk)?);
        let contents = letter::open(sealed, &identity, envelope, &mut writing)?;
        writing.finish().map_err(OpenError::Disk)?;
        if contents.is_text() {
            // The record has it.
            return Ok(contents);
        }
        let kept = self.store.keep_as(plain, &self.store.opened(&envelope.id));
        kept.map_err(OpenError::Disk)?;
        Ok(contents)
    }

    /// Makes a new sealing key where it is due. Says whether there is one.
    pub(in super::super) fn renew_keys(&self) -> bool {
        match self.keys().renew(now_ms()) {
            Ok(changed) => changed,
            Err(error) => {
                tracing::warn!("{error}");
                false
            }
        }
    }
}
