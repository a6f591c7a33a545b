//! What this node's person does: write, look, save, take back, delete.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
};

use libp2p::PeerId;

use super::{
    super::{
        envelope::{Envelope, EnvelopeId, Fate, LONGEST_MS, SignedEnvelope},
        keys::is_public,
        letter::{self, Contents, Draft, SealError, To, UnpackError},
        records::{Done, Person, Received, Sent, Stage},
        store::SMALL,
    },
    Post, Shared,
};
use crate::{
    blobs::{Outlining, Written, outline_of, write_outline},
    identity::fingerprint,
    network::{Snapshot, now_ms},
    protocol::signed::SignedError,
};

/// Somebody who can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The client id.
    pub id: PeerId,
    /// What is remembered.
    pub person: Person,
}

/// Why something cannot be done with mail. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Nobody of that name was ever met.
    #[error(
        "nobody called {0} was met; `potluck contacts` shows who was, and a client id always works once its node was seen"
    )]
    Nobody(String),
    /// Several are called so.
    #[error("several are called {name}: name one by its fingerprint: {}", several.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Their fingerprints.
        several: Vec<String>,
    },
    /// It is this node.
    #[error("that is this node itself")]
    Myself,
    /// The node takes no letters, or was never seen.
    #[error(
        "{0} takes no letters: its node was never seen, or runs an older version; it has to be in the mesh once"
    )]
    NoKey(String),
    /// It was given another key since.
    #[error(
        "{0} has a new sealing key that was not used before. If that can be, send it again; if not, ask them"
    )]
    NewKey(String),
    /// No letter has that id.
    #[error("there is no letter {0}; `potluck inbox` and `potluck outbox` show their ids")]
    NoLetter(String),
    /// It cannot be taken back.
    #[error("it is not under way any more")]
    Ended,
    /// It cannot be sent again.
    #[error("it is still under way, or has arrived")]
    UnderWay,
    /// It cannot be sent again, to nobody.
    #[error("keepers have it, who bring it as soon as they can; it can be taken back")]
    WithKeepers,
    /// It is under way.
    #[error("it is under way: take it back first")]
    Unended,
    /// Others rest already.
    #[error("too many letters rest already")]
    ManyRest,
    /// Nobody it could go to.
    #[error("its recipient is no client id")]
    NoRecipient,
    /// It could not be opened.
    #[error("this letter cannot be used: {0}")]
    Trouble(String),
    /// It could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Its files could not be saved.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] super::StoreError),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignedError),
    /// The disk failed.
    #[error("the letter could not be stored ({0}); check the disk")]
    Disk(#[from] std::io::Error),
}

impl Post {
    /// Finds somebody by client id, fingerprint or nickname.
    pub fn find(&self, text: &str) -> Result<Who, MailError> {
        let shared = &self.0;
        let state = shared.lock();
        let of = |id: PeerId| {
            let person = state.people.get(&id).cloned().unwrap_or_default();
            Who { id, person }
        };
        let found: Vec<Who> = match text.parse::<PeerId>() {
            Ok(id) => vec![of(id)],
            Err(_) => {
                let named = |id: &PeerId, person: &Person| {
                    shared.whom().contacts.name_of(id) == Some(text)
                        || person.name == text
                        || fingerprint(id) == text.to_ascii_lowercase()
                };
                let people = state.people.iter().filter(|(id, person)| named(id, person));
                let mut ids: Vec<_> = people.map(|(id, _)| *id).collect();
                let contact = shared.whom().contacts.0.get(text).copied();
                ids.extend(contact.filter(|id| !state.people.contains_key(id)));
                ids.into_iter().map(of).collect()
            }
        };
        drop(state);
        match <[Who; 1]>::try_from(found) {
            Ok([who]) if who.id == shared.me => Err(MailError::Myself),
            Ok([who]) => Ok(who),
            Err(several) if several.is_empty() => Err(MailError::Nobody(text.to_owned())),
            Err(several) => Err(MailError::Several {
                name: text.to_owned(),
                several: several.iter().map(|who| fingerprint(&who.id)).collect(),
            }),
        }
    }

    /// Everybody who was met, the last seen first.
    pub fn people(&self) -> Vec<Who> {
        let state = self.0.lock();
        let everybody =
            state.people.iter().map(|(id, person)| Who { id: *id, person: person.clone() });
        let mut all: Vec<_> = everybody.collect();
        all.sort_by_key(|who| std::cmp::Reverse(who.person.seen_at));
        all
    }

    /// Seals a letter and puts it into the outbox. It is on the disk when this returns. It may wait for
    /// so many milliseconds, and [`LONGEST_MS`] at most.
    pub async fn send(
        &self,
        who: &Who,
        draft: Draft,
        wait_ms: Option<u64>,
    ) -> Result<Sent, MailError> {
        let shared = self.0.clone();
        let id = who.id;
        let name = || match who.person.name.is_empty() {
            true => fingerprint(&id),
            false => who.person.name.clone(),
        };
        let sealing = who.person.sealing.clone().filter(|key| is_public(key));
        let Some(sealing) = sealing else { return Err(MailError::NoKey(name())) };
        if who.person.renewed {
            // Said once; whoever sends again has read it.
            shared
                .change(move |state| {
                    if let Some(mut person) = state.people.get(&id).cloned() {
                        person.renewed = false;
                        state.put_person(id, person);
                    }
                })
                .await?;
            return Err(MailError::NewKey(name()));
        }
        let number = shared.next_number(id);
        let written_at = now_ms();
        let envelope = EnvelopeId::of(&shared.me.to_bytes(), &id.to_bytes(), number, written_at);
        let to = To { envelope, to: id, sealing, number, written_at };
        let wait_ms = wait_ms.unwrap_or(LONGEST_MS).min(LONGEST_MS);
        let sealing = shared.clone();
        let sealed = tokio::task::spawn_blocking(move || sealing.seal(draft, &to, wait_ms));
        let (sent, small) = sealed.await.map_err(std::io::Error::from)??;
        let record = sent.clone();
        let noted = shared.change(move |state| {
            // With the number that it has now, which nobody else gets.
            let mut person = state.people.get(&id).cloned().unwrap_or_default();
            (person.written_to, person.last_number) = (true, person.last_number.max(number));
            state.put_person(id, person);
            small.iter().for_each(|body| state.put_body(&record.outside.id, body));
            state.put_sent(record);
        });
        if let Err(error) = noted.await {
            shared.discard(vec![sent.outside.id]).await;
            return Err(error.into());
        }
        Ok(sent)
    }

    /// Takes a letter back that was not delivered. Keepers give theirs up when it expires.
    pub async fn cancel(&self, id: EnvelopeId) -> Result<(), MailError> {
        let now = now_ms();
        let cancelled = self.0.change(move |state| {
            let mut sent =
                state.sent.get(&id).cloned().ok_or(MailError::NoLetter(id.to_string()))?;
            if sent.stage.is_over() {
                return Err(MailError::Ended);
            }
            (sent.stage, sent.changed_at) = (Stage::Cancelled, now);
            state.put_sent(sent);
            Ok(())
        });
        cancelled.await??;
        self.0.discard(vec![id]).await;
        Ok(())
    }

    /// Sends what will never arrive once more, as it was written, to the key that is used now.
    pub async fn resend(&self, id: EnvelopeId) -> Result<Sent, MailError> {
        let sent = self.0.lock().sent.get(&id).cloned();
        let sent = sent.ok_or_else(|| MailError::NoLetter(id.to_string()))?;
        if !sent.stage.has_failed() && sent.stage != Stage::Cancelled {
            return Err(MailError::UnderWay);
        }
        let to = sent.outside.recipient().ok_or(MailError::NoRecipient)?;
        let who = self.find(&to.to_string())?;
        let waited = sent.outside.expires_at.saturating_sub(sent.outside.written_at);
        let anew = self.send(&who, sent.draft, Some(waited)).await?;
        self.0.change(move |state| state.remove_sent(&id)).await?;
        Ok(anew)
    }

    /// A letter, which its person sees now.
    pub async fn read(&self, id: EnvelopeId) -> Result<Received, MailError> {
        let shared = &self.0;
        let one = self.letter(id)?;
        if one.seen_at.is_some() {
            return Ok(one);
        }
        let tell = shared.settings.read_receipts && one.trouble.is_none();
        let hash = one.outside.hash;
        let receipt = tell.then(|| shared.receipt(id, hash, Fate::Read, None)).transpose()?;
        let seen = shared.change(move |state| {
            let mut one = state.received.get(&id).cloned()?;
            one.seen_at = Some(now_ms());
            one.owed = receipt.or(one.owed);
            state.put_received(one.clone());
            Some(one)
        });
        seen.await?.ok_or_else(|| MailError::NoLetter(id.to_string()))
    }

    /// Saves the files of a letter into a folder. Gives where they are.
    pub async fn save(&self, id: EnvelopeId, folder: &Path) -> Result<Vec<PathBuf>, MailError> {
        let one = self.letter(id)?;
        if let Some(why) = one.trouble {
            return Err(MailError::Trouble(why));
        }
        if one.contents.as_ref().is_some_and(Contents::is_text) {
            self.read(id).await?;
            return Ok(Vec::new());
        }
        let (path, folder) = (self.0.store.opened(&id), folder.to_owned());
        let saved = tokio::task::spawn_blocking(move || {
            let plain = std::fs::File::open(path)?;
            Ok::<_, MailError>(letter::unpack(&plain, &folder)?)
        });
        let saved = saved.await.map_err(std::io::Error::from)??;
        self.read(id).await?;
        Ok(saved)
    }

    /// Deletes a letter. Should one that came come again, it is not taken; one that was sent has to be over.
    pub async fn delete(&self, id: EnvelopeId) -> Result<(), MailError> {
        let shared = &self.0;
        let sent = shared.lock().sent.get(&id).map(|sent| sent.stage);
        if let Some(stage) = sent {
            if !stage.is_over() {
                return Err(MailError::Unended);
            }
            return Ok(shared.change(move |state| state.remove_sent(&id)).await?);
        }
        let one = self.letter(id)?;
        let fate = if one.trouble.is_some() { Fate::Refused } else { Fate::Delivered };
        let receipt = shared.receipt(id, one.outside.hash, fate, one.trouble)?;
        let from = one.outside.sender().unwrap_or(shared.me);
        let owed = one.owed.is_some();
        shared
            .change(move |state| {
                state.put_done(id, Done::new(receipt, &from, owed, now_ms()));
                state.remove_received(&id);
            })
            .await?;
        shared.discard(vec![id]).await;
        Ok(())
    }

    /// The letter whose id begins so.
    pub fn letter_called(&self, text: &str) -> Result<EnvelopeId, MailError> {
        let state = self.0.lock();
        let coming = self.0.arrivals.to_person().into_iter().chain(self.0.pauses.arriving());
        let coming: BTreeSet<_> = coming.map(|outside| outside.id).collect();
        let all: BTreeSet<_> =
            state.received.keys().chain(state.sent.keys()).chain(&coming).collect();
        let text = text.trim().to_ascii_lowercase();
        let fits = |id: &EnvelopeId| text.len() >= 4 && id.to_string().starts_with(&text);
        let mut fits = all.into_iter().filter(|id| fits(id));
        match (fits.next(), fits.next()) {
            (Some(id), None) => Ok(*id),
            _ => Err(MailError::NoLetter(text.clone())),
        }
    }

    /// Remembers who is there.
    pub(crate) async fn meet(&self, snapshot: &Snapshot) {
        let now = now_ms();
        let news: Vec<_> = {
            let state = self.0.lock();
            let met = snapshot.peers.iter().filter(|(_, view)| view.met || view.connected);
            met.filter_map(|(id, view)| {
                let person = updated(
                    state.people.get(id),
                    &view.advert.name,
                    view.advert.sealing.as_deref(),
                    now,
                )?;
                Some((*id, person))
            })
            .collect()
        };
        if news.is_empty() {
            return;
        }
        let noted = self.0.change(move |state| {
            news.into_iter().for_each(|(id, person)| state.put_person(id, person));
        });
        if let Err(error) = noted.await {
            tracing::warn!("who is there is not remembered: {error}");
        }
    }

    fn letter(&self, id: EnvelopeId) -> Result<Received, MailError> {
        let one = self.0.lock().received.get(&id).cloned();
        one.ok_or_else(|| MailError::NoLetter(id.to_string()))
    }
}

impl Shared {
    /// Seals a draft into the store.
    /// A small letter is not stored yet, but given back.
    fn seal(
        &self,
        draft: Draft,
        to: &To,
        wait_ms: u64,
    ) -> Result<(Sent, Option<Vec<u8>>), MailError> {
        let mut sealing = Outlining::new(|| self.store.temporary());
        let packed = letter::seal(&draft, to, &self.keypair, &mut sealing, |_| {})?;
        let (outline, written) = sealing.finish()?;
        let outside = Envelope {
            version: 1,
            id: to.envelope,
            from: self.me.to_bytes(),
            to: to.to.to_bytes(),
            sealing: to.sealing.clone(),
            hash: outline.root(),
            size: outline.size(),
            number: to.number,
            written_at: to.written_at,
            expires_at: to.written_at.saturating_add(wait_ms),
        };
        let signed = SignedEnvelope::sign(&outside, &self.keypair)?;
        let path = self.store.sealed(&to.envelope);
        let small = match written {
            Written::Memory(body) if outside.size <= SMALL => Some(body),
            Written::Memory(body) => {
                let mut file = self.store.temporary()?;
                file.write_all(&body)?;
                self.store.keep_as(file, &path)?;
                None
            }
            Written::File(file) => {
                write_outline(&outline_of(&path), &outline)?;
                self.store.keep_as(file, &path)?;
                None
            }
        };
        let sent = Sent {
            signed,
            outside,
            draft,
            bytes: packed.bytes,
            stage: Stage::Queued,
            holders: Vec::new(),
            lost: Vec::new(),
            changed_at: to.written_at,
            why: None,
            paused: false,
        };
        Ok((sent, small))
    }

    /// The number of the next letter to somebody. It is written with the letter.
    fn next_number(&self, to: PeerId) -> u64 {
        let mut state = self.lock();
        let person = state.people.entry(to).or_default();
        person.written_to = true;
        person.last_number += 1;
        person.last_number
    }
}

/// How often it is noted that somebody is still there, in ms.
const SEEN_MS: u64 = 60 * 60 * 1000;

/// What changes about somebody who is there; `None` where that is not worth a write.
fn updated(known: Option<&Person>, name: &str, sealing: Option<&str>, now: u64) -> Option<Person> {
    let mut person = known.cloned().unwrap_or_default();
    let old = person.clone();
    person.name = name.to_owned();
    if let Some(key) =
        sealing.filter(|key| person.sealing.as_deref() != Some(*key) && is_public(key))
    {
        // Only who was written to would be missed.
        person.renewed = person.written_to && person.sealing.is_some();
        (person.sealing, person.sealing_since) = (Some(key.to_owned()), now);
    }
    if now >= person.seen_at.saturating_add(SEEN_MS) || person.seen_at > now || known.is_none() {
        person.seen_at = now;
    }
    (known.is_none() || person != old).then_some(person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_of_somebody_who_was_written_to_is_noticed() {
        let keys = || age::x25519::Identity::generate().to_public().to_string();
        let (first, second) = (keys(), keys());
        let mut person = updated(None, "bob", Some(&first), 1_000).unwrap();
        assert_eq!((person.name.as_str(), person.renewed), ("bob", false));
        assert_eq!(updated(Some(&person), "bob", Some(&first), 2_000), None, "nothing new");
        assert_eq!(updated(Some(&person), "bob", Some("age1nonsense"), 2_000), None);
        assert!(!updated(Some(&person), "bob", Some(&second), 2_000).unwrap().renewed);
        person.written_to = true;
        let renewed = updated(Some(&person), "bob", Some(&second), 2_000).unwrap();
        assert!(renewed.renewed && renewed.sealing.as_ref() == Some(&second));
        let later = updated(Some(&person), "bob", Some(&first), 1_000 + SEEN_MS).unwrap();
        assert_eq!(later.seen_at, 1_000 + SEEN_MS);
    }
}
