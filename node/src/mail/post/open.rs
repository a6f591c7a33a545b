//! Opening letters that came: once, in the background, before anybody sees them.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    sync::{MutexGuard, PoisonError},
};

use super::{
    super::{
        envelope::{EnvelopeId, Fate},
        letter::{self, Contents, OpenError},
        store::SMALL,
    },
    Post, Shared,
};
use crate::{blobs::outline_of, network::now_ms};

impl Post {
    /// Opens a letter off the async threads.
    pub(super) fn open_later(&self, id: EnvelopeId) {
        if !self.0.opening().insert(id) {
            return;
        }
        let post = self.clone();
        tokio::spawn(async move {
            if let Err(error) = post.open_one(id).await {
                tracing::warn!("a letter is opened later: {error}");
            }
            post.0.opening().remove(&id);
        });
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
        let path = self.0.store.sealed(&id);
        let removed = tokio::task::spawn_blocking(move || {
            let _ = std::fs::remove_file(outline_of(&path));
            std::fs::remove_file(path)
        });
        let _ = removed.await;
        Ok(())
    }
}

impl Shared {
    fn opening(&self) -> MutexGuard<'_, BTreeSet<EnvelopeId>> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a letter into its file; `None` where there is none. Also says whether it is a small one.
    fn open_letter(&self, id: EnvelopeId) -> Option<(Result<Contents, OpenError>, bool)> {
        let envelope = self.lock().received.get(&id)?.outside.clone();
        Some((self.open_into(&envelope, id), envelope.size <= SMALL))
    }

    fn open_into(
        &self,
        envelope: &super::super::envelope::Envelope,
        id: EnvelopeId,
    ) -> Result<Contents, OpenError> {
        let sealed: Box<dyn Read> = if envelope.size <= SMALL {
            let body = self.small(&id).map_err(|e| OpenError::Disk(io::Error::other(e)))?;
            Box::new(io::Cursor::new(body.map_or_else(Vec::new, |body| body.to_vec())))
        } else {
            Box::new(File::open(self.store.sealed(&id)).map_err(OpenError::Disk)?)
        };
        let identity = self.keys().find(&envelope.sealing).cloned().ok_or(OpenError::Key)?;
        let mut plain = self.store.temporary().map_err(OpenError::Disk)?;
        let contents = letter::open(sealed, &identity, envelope, plain.as_file_mut())?;
        if contents.is_text() {
            // The record has it.
            return Ok(contents);
        }
        self.store.keep_as(plain, &self.store.opened(&id)).map_err(OpenError::Disk)?;
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
