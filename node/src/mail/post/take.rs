//! Letters that others bring: for this node's person, or to be kept for somebody.

use std::path::Path;

use libp2p::PeerId;

use super::{
    super::{
        envelope::{Envelope, Fate, SignedEnvelope, SignedReceipt},
        records::{Done, Kept, Received, Stage},
    },
    Post, Shared,
};
use crate::{
    blobs::Outline,
    network::now_ms,
    protocol::{Fault, FaultKind},
    service::Data,
};

/// Letters of strangers that wait to be looked at, and their bytes.
const MAX_REQUESTS: usize = 200;
const MAX_REQUEST_BYTES: u64 = 1 << 30;
/// Letters that are kept for others, and the share of one sender in them and in the bytes.
const MAX_KEPT: usize = 20_000;
const SENDER_SHARE: u64 = 4;

impl Post {
    /// Takes a letter to this node's person. It is on the disk when this returns.
    pub(crate) async fn take(
        &self,
        signed: &SignedEnvelope,
        sealed: Option<&Data>,
    ) -> Result<SignedReceipt, Fault> {
        let shared = &self.0;
        let (envelope, from) = read(signed)?;
        if envelope.recipient() != Some(shared.me) {
            return Err(Fault::bad_input("this letter is for somebody else"));
        }
        if let Some(known) = shared.known(&envelope)? {
            return Ok(known);
        }
        let now = now_ms();
        if shared.keys().find(&envelope.sealing).is_none() {
            // The sender is told at once, and can seal it anew.
            let why = "it is sealed to a key that is not used any more: send it again".to_owned();
            let receipt = shared.receipt(envelope.id, envelope.hash, Fate::Refused, Some(why));
            let receipt = receipt.map_err(internal)?;
            let done = Done::new(receipt.clone(), &from, true, now);
            let id = envelope.id;
            shared.change(move |state| state.put_done(id, done)).await.map_err(internal)?;
            return Ok(receipt);
        }
        let stranger = shared.is_stranger(&from);
        if stranger {
            shared.room_for_requests(envelope.size)?;
        }
        shared.store_body(&envelope, sealed).await?;
        let receipt = shared.receipt(envelope.id, envelope.hash, Fate::Delivered, None);
        let receipt = receipt.map_err(internal)?;
        let received = Received {
            outside: envelope.clone(),
            came_at: now,
            contents: None,
            trouble: None,
            stranger,
            seen_at: None,
            owed: Some(receipt.clone()),
        };
        let id = envelope.id;
        let fresh = shared.change(move |state| {
            // Another holder may have brought it in the same moment.
            let fresh = !state.received.contains_key(&id) && !state.done.contains_key(&id);
            if fresh {
                state.put_received(received);
            }
            fresh
        });
        if fresh.await.map_err(internal)? {
            self.open_later(id);
        }
        Ok(receipt)
    }

    /// Keeps a letter for somebody. It is on the disk when this returns.
    pub(crate) async fn keep(
        &self,
        signed: &SignedEnvelope,
        sealed: Option<&Data>,
    ) -> Result<SignedReceipt, Fault> {
        let shared = &self.0;
        let (envelope, from) = read(signed)?;
        let now = now_ms();
        if envelope.expired(now, now) {
            return Err(Fault::bad_input("this letter need not be kept any more"));
        }
        if let Some(done) = shared.lock().done.get(&envelope.id) {
            return Ok(done.receipt.clone());
        }
        let receipt = shared.receipt(envelope.id, envelope.hash, Fate::Held, None);
        let receipt = receipt.map_err(internal)?;
        if shared.lock().kept.get(&envelope.id).is_some_and(|kept| kept.outside == envelope) {
            return Ok(receipt);
        }
        shared.room_to_keep(&from, envelope.size)?;
        shared.store_body(&envelope, sealed).await?;
        let kept = Kept { signed: signed.clone(), outside: envelope, came_at: now };
        shared.change(move |state| state.put_kept(kept)).await.map_err(internal)?;
        Ok(receipt)
    }

    /// The largest letter that is kept for one sender.
    pub(crate) fn most_kept(&self) -> u64 {
        self.0.settings.keep / SENDER_SHARE
    }

    /// A letter is not any more what its envelope names: this disk has damaged it. Whoever else holds it
    /// hands it over; where this node wrote it, its person can send it again.
    pub(in super::super) async fn give_up(&self, id: super::EnvelopeId) -> Result<(), String> {
        let now = now_ms();
        let noted = self.0.change(move |state| {
            if state.kept.contains_key(&id) {
                state.remove_kept(&id);
            }
            if let Some(mut sent) = state.sent.get(&id).cloned().filter(|one| !one.stage.is_over())
            {
                (sent.stage, sent.changed_at) = (Stage::Expired, now);
                sent.why = Some("it was damaged on this disk".to_owned());
                state.put_sent(sent);
            }
        });
        noted.await.map_err(|e| e.to_string())?;
        self.0.discard(vec![id]).await;
        tracing::warn!("the letter {id} was damaged on this disk and is given up");
        Ok(())
    }

    /// Hears what became of letters of this node's person.
    pub(crate) async fn hear(&self, receipts: &[SignedReceipt]) -> Result<(), Fault> {
        let now = now_ms();
        let told: Vec<_> = receipts.iter().filter_map(|signed| signed.verify().ok()).collect();
        let changed = self.0.change(move |state| {
            let mut over = Vec::new();
            for receipt in told {
                let Some(mut sent) = state.sent.get(&receipt.envelope).cloned() else { continue };
                if sent.hear(&receipt, now) {
                    if sent.stage.is_over() {
                        over.push(sent.outside.id);
                    }
                    state.put_sent(sent);
                }
            }
            over
        });
        let over = changed.await.map_err(internal)?;
        self.0.discard(over).await;
        Ok(())
    }
}

impl Shared {
    /// What was said of an envelope that came before.
    fn known(&self, envelope: &Envelope) -> Result<Option<SignedReceipt>, Fault> {
        let state = self.lock();
        if let Some(done) = state.done.get(&envelope.id) {
            return Ok(Some(done.receipt.clone()));
        }
        let Some(received) = state.received.get(&envelope.id) else { return Ok(None) };
        if received.outside != *envelope {
            return Err(Fault::bad_input("there is another letter of that name"));
        }
        drop(state);
        let receipt = self.receipt(envelope.id, envelope.hash, Fate::Delivered, None);
        receipt.map(Some).map_err(internal)
    }

    /// Whether this node's person neither wrote to somebody nor named them a contact.
    fn is_stranger(&self, who: &PeerId) -> bool {
        let written_to = self.lock().people.get(who).is_some_and(|person| person.written_to);
        !written_to && !self.settings.contacts.has(who)
    }

    fn room_for_requests(&self, size: u64) -> Result<(), Fault> {
        let state = self.lock();
        let waiting = state.received.values().filter(|one| one.stranger && one.seen_at.is_none());
        let (mut letters, mut bytes) = (0, size);
        for one in waiting {
            (letters, bytes) = (letters + 1, bytes.saturating_add(one.outside.size));
        }
        if letters >= MAX_REQUESTS || bytes > MAX_REQUEST_BYTES {
            return Err(full("the box for letters of strangers is full"));
        }
        Ok(())
    }

    fn room_to_keep(&self, from: &PeerId, size: u64) -> Result<(), Fault> {
        let state = self.lock();
        let (mut letters, mut bytes, mut own_letters, mut own_bytes) = (0, size, 0, size);
        let from = from.to_bytes();
        for Kept { outside, .. } in state.kept.values() {
            (letters, bytes) = (letters + 1, bytes.saturating_add(outside.size));
            if outside.from == from {
                (own_letters, own_bytes) =
                    (own_letters + 1, own_bytes.saturating_add(outside.size));
            }
        }
        let quota = self.settings.keep;
        if bytes > quota || letters >= MAX_KEPT {
            return Err(full("this node keeps as many letters as its owner allows"));
        }
        if own_bytes > quota / SENDER_SHARE || own_letters >= MAX_KEPT / SENDER_SHARE as usize {
            return Err(full("this node keeps as many letters of yours as one sender may have"));
        }
        Ok(())
    }

    /// Puts a sealed letter on the disk, if it is the one that the envelope names.
    async fn store_body(&self, envelope: &Envelope, sealed: Option<&Data>) -> Result<(), Fault> {
        let sealed = sealed.cloned().ok_or_else(|| Fault::bad_input("the letter is missing"))?;
        let (store, envelope) = (self.store.clone(), envelope.clone());
        let stored = tokio::task::spawn_blocking(move || {
            let wrong = || {
                Fault::new(
                    FaultKind::InputLost,
                    "the letter is not the one that the envelope names",
                )
            };
            if sealed.len() != envelope.size {
                return Err(wrong());
            }
            let file = store.temporary().map_err(disk)?;
            match (&sealed, sealed.path()) {
                (Data::Bytes(bytes), _) => std::fs::write(file.path(), bytes).map_err(disk)?,
                (_, Some(path)) => link_or_copy(path, file.path()).map_err(disk)?,
                (_, None) => return Err(wrong()),
            }
            let outline = Outline::of_file(file.path()).map_err(disk)?;
            if outline.root() != envelope.hash {
                return Err(wrong());
            }
            store.keep_as(file, &store.sealed(&envelope.id)).map_err(disk)
        });
        stored.await.map_err(internal)?
    }

    /// Removes the files of envelopes that are done with.
    pub(in super::super) async fn discard(&self, over: Vec<super::EnvelopeId>) {
        if over.is_empty() {
            return;
        }
        let store = self.store.clone();
        let _ =
            tokio::task::spawn_blocking(move || over.iter().for_each(|id| store.discard(id))).await;
    }
}

/// Checks what is written on an envelope, and gives its sender.
fn read(signed: &SignedEnvelope) -> Result<(Envelope, PeerId), Fault> {
    let envelope = signed.verify().map_err(|e| Fault::bad_input(e.to_string()))?;
    let from = envelope.sender().ok_or_else(|| Fault::bad_input("the letter has no sender"))?;
    Ok((envelope, from))
}

/// The bytes of a fetched file under another name of the same file system.
fn link_or_copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::remove_file(to)?;
    if std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to)?;
    }
    crate::private::close(to)
}

fn full(why: &str) -> Fault {
    Fault::new(FaultKind::TooLarge, why)
}

fn disk(error: std::io::Error) -> Fault {
    Fault::internal(format!("the letter cannot be stored: {error}"))
}

fn internal(error: impl std::fmt::Display) -> Fault {
    Fault::internal(error.to_string())
}
