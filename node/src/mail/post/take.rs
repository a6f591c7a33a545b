//! Letters that others bring: for this node's person, or to be kept for somebody.

use std::{
    io::{Read as _, Seek as _, SeekFrom},
    sync::Arc,
};

use libp2p::PeerId;

use super::{
    super::{
        envelope::{Envelope, Fate, Receipt, SignedEnvelope, SignedReceipt},
        letter::Contents,
        records::{Done, Kept, Received},
        store::SMALL,
    },
    Post, Shared,
    arrivals::{Arrival, Arriving, Purpose},
    open::Opening,
};
use crate::{
    blobs::{BlobError, Blobs, GROUP, Obtained, Outline},
    network::now_ms,
    protocol::{Fault, FaultKind, MAX_INLINE},
    service::Data,
};

/// Letters of strangers that wait to be looked at, and their bytes.
const MAX_REQUESTS: usize = 200;
const MAX_REQUEST_BYTES: u64 = 1 << 30;
/// Letters that are kept for others, and the share of one sender in them and in the bytes.
const MAX_KEPT: usize = 20_000;
const SENDER_SHARE: u64 = 4;

/// The sealed body of a letter: it came with the call, or is to be fetched from whoever called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    /// What came with the call.
    pub inline: Option<&'a Data>,
    /// Who brings it.
    pub holder: PeerId,
}

/// A letter that arrived.
struct Stored {
    /// The sealed body, where it is to be written with the record.
    small: Option<Arc<[u8]>>,
    /// What is in it, where it was opened already,
    contents: Option<Contents>,
    /// and its sealed body is of no use once that is written,
    spent: Option<Obtained>,
    /// until when nobody else opens it.
    opening: Option<Opening>,
}

impl Stored {
    fn sealed(small: Option<Arc<[u8]>>) -> Self {
        Self { small, contents: None, spent: None, opening: None }
    }
}

impl Post {
    /// Takes a letter to this node's person. It is on the disk when this returns.
    pub(crate) async fn take(
        &self,
        signed: &SignedEnvelope,
        body: Body<'_>,
    ) -> Result<SignedReceipt, Fault> {
        let shared = &self.0;
        let (envelope, from) = read(signed)?;
        if envelope.recipient() != Some(shared.me) {
            return Err(Fault::bad_input("this letter is for somebody else"));
        }
        shared.stores()?;
        if let Some(known) = shared.known(&envelope)? {
            return Ok(known);
        }
        if shared.whom().blocked.has(&from) {
            return shared
                .refuse(&envelope, &from, "its recipient takes no letters of yours")
                .await;
        }
        shared.unless_it_rests(&envelope.id, body.holder)?;
        let now = now_ms();
        if shared.keys().find(&envelope.sealing).is_none() {
            // The sender is told at once, and can seal it anew.
            let why = "it is sealed to a key that is not used any more: send it again";
            return shared.refuse(&envelope, &from, why).await;
        }
        let stranger = shared.is_stranger(&from);
        let purpose = if stranger { Purpose::Stranger } else { Purpose::Known };
        let _arriving = shared.expect(&envelope, purpose)?;
        if stranger {
            shared.room_beside_others(&envelope).await?;
        }
        let fetching = async {
            match envelope.size > MAX_INLINE as u64 && body.inline.is_none() {
                true => self.fetch_and_open(&envelope, body.holder).await,
                false => shared.store_body(&envelope, body).await.map(Stored::sealed),
            }
        };
        let stored = shared.while_it_moves(&envelope.id, body.holder, fetching).await?;
        let Stored { small, contents, spent, opening } = stored;
        let receipt = shared.receipt(envelope.id, envelope.hash, Fate::Delivered, None);
        let receipt = receipt.map_err(internal)?;
        let opened = contents.is_some();
        let received = Received {
            outside: envelope.clone(),
            came_at: now,
            contents,
            trouble: None,
            stranger,
            seen_at: None,
            owed: Some(receipt.clone()),
        };
        let id = envelope.id;
        let first = shared.change(move |state| {
            if state.done.contains_key(&id) {
                return false;
            }
            // Another holder may have brought it in the same moment.
            let other = state.received.get(&id).cloned();
            let first = other.is_none();
            match other {
                None => {
                    state.put_received(received);
                    small.iter().for_each(|body| state.put_body(&id, body));
                }
                Some(mut other) if other.contents.is_none() && other.trouble.is_none() => {
                    other.contents = received.contents;
                    state.put_received(other);
                }
                Some(_) => {}
            }
            first
        });
        let first = first.await.map_err(internal)?;
        drop(opening);
        spent.into_iter().for_each(Obtained::spend);
        let waits = shared.lock().received.get(&id).map(|one| one.contents.is_none());
        match waits {
            Some(true) => self.open_later(id),
            Some(false) if opened && !first => shared.discard_sealed(id).await,
            Some(false) => {}
            // It was deleted meanwhile.
            None => shared.discard(vec![id]).await,
        }
        Ok(receipt)
    }

    /// Keeps a letter for somebody. It is on the disk when this returns.
    pub(crate) async fn keep(
        &self,
        signed: &SignedEnvelope,
        body: Body<'_>,
    ) -> Result<SignedReceipt, Fault> {
        let shared = &self.0;
        let (envelope, _) = read(signed)?;
        let now = now_ms();
        if envelope.recipient() == Some(shared.me) {
            return Err(Fault::bad_input("this letter is for this node itself: mail/1 takes it"));
        }
        shared.stores()?;
        if envelope.expired(now, now) {
            return Err(Fault::bad_input("this letter need not be kept any more"));
        }
        if let Some(done) = shared.lock().done.get(&envelope.id) {
            return Ok(done.receipt.clone());
        }
        let receipt = shared.receipt(envelope.id, envelope.hash, Fate::Held, None);
        let receipt = receipt.map_err(internal)?;
        let known = shared.lock().kept.get(&envelope.id).map(|kept| kept.outside == envelope);
        match known {
            Some(true) if !shared.is_damaged(&envelope.id) => return Ok(receipt),
            Some(false) => return Err(Fault::bad_input("there is another letter of that name")),
            _ => {}
        }
        let _arriving = shared.expect(&envelope, Purpose::Keep)?;
        shared.room_beside_others(&envelope).await?;
        let small = shared.store_body(&envelope, body).await?;
        let id = envelope.id;
        let kept = Kept { signed: signed.clone(), outside: envelope, came_at: now };
        let noted = shared.change(move |state| {
            state.put_kept(kept);
            small.iter().for_each(|body| state.put_body(&id, body));
        });
        noted.await.map_err(internal)?;
        shared.mended(&id);
        Ok(receipt)
    }

    /// Fetches a large letter to this node's person, and opens it while it arrives. Where that fails, the
    /// sealed body is stored, to be opened later.
    async fn fetch_and_open(&self, envelope: &Envelope, holder: PeerId) -> Result<Stored, Fault> {
        let shared = &self.0;
        let Some(opening) = self.opening(envelope.id) else {
            return shared.fetch(envelope, holder).await.map(|()| Stored::sealed(None));
        };
        if shared.has_body(envelope).await? {
            return Ok(Stored::sealed(None));
        }
        let (post, expected) = (shared.clone(), envelope.clone());
        let read = move |sealed| post.open_from(sealed, &expected);
        let blobs = shared.blobs()?;
        let obtaining = blobs.obtain_reading(holder, envelope.hash, envelope.size, read);
        let (obtained, opened) = obtaining.await.map_err(not_fetched)?;
        match opened {
            Ok(contents) => Ok(Stored {
                small: None,
                contents: Some(contents),
                spent: Some(obtained),
                opening: Some(opening),
            }),
            Err(error) => {
                tracing::debug!(id = %envelope.id, %error, "a letter is opened later");
                let path = shared.store.sealed(&envelope.id);
                obtained.place(&path).await.map_err(not_fetched)?;
                Ok(Stored::sealed(None))
            }
        }
    }

    /// What the recipient said of a letter that was passed on, for its sender.
    pub(crate) fn passed_on(&self, who: PeerId, id: super::EnvelopeId) -> Option<SignedReceipt> {
        let state = self.0.lock();
        let done = state.done.get(&id).filter(|done| done.sender == who.to_string())?;
        Some(done.receipt.clone())
    }

    /// Proves to the sender of a letter that it is kept here; `None` where it is not.
    pub(crate) async fn prove(
        &self,
        who: PeerId,
        id: super::EnvelopeId,
        group: u32,
        nonce: [u8; 32],
    ) -> Result<Option<[u8; 32]>, Fault> {
        let shared = &self.0;
        let kept = shared.lock().kept.get(&id).map(|kept| kept.outside.clone());
        let Some(outside) = kept.filter(|outside| outside.sender() == Some(who)) else {
            return Ok(None);
        };
        let proved = shared.prove(&outside, group, nonce).await;
        Ok(proved.filter(|_| !shared.is_damaged(&id)))
    }

    /// Hears what became of letters of this node's person. That somebody holds one is believed only of a
    /// keeper that was handed it, and says so in answer.
    pub(crate) async fn hear(
        &self,
        receipts: &[SignedReceipt],
        keeper: Option<PeerId>,
    ) -> Result<(), Fault> {
        let now = now_ms();
        let told = receipts.iter().filter_map(|signed| signed.verify().ok());
        let asked = |receipt: &Receipt| {
            receipt.fate != Fate::Held || (keeper.is_some() && receipt.author() == keeper)
        };
        let told: Vec<_> = told.filter(asked).collect();
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
    /// Nothing is acknowledged that may be in memory only.
    fn stores(&self) -> Result<(), Fault> {
        match self.has_failed() {
            true => {
                Err(Fault::internal("this node cannot store letters: its disk is full or fails"))
            }
            false => Ok(()),
        }
    }

    /// Has done with a letter that is not taken, and never will be.
    async fn refuse(
        &self,
        envelope: &Envelope,
        from: &PeerId,
        why: &str,
    ) -> Result<SignedReceipt, Fault> {
        let why = Some(why.to_owned());
        let receipt = self.receipt(envelope.id, envelope.hash, Fate::Refused, why);
        let receipt = receipt.map_err(internal)?;
        let done = Done::new(receipt.clone(), from, true, now_ms());
        let id = envelope.id;
        self.change(move |state| state.put_done(id, done)).await.map_err(internal)?;
        Ok(receipt)
    }

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
        !written_to && !self.whom().contacts.has(who)
    }

    /// The keyed hash of one group of a sealed body that lies here.
    pub(in super::super) async fn prove(
        self: &Arc<Self>,
        outside: &Envelope,
        group: u32,
        nonce: [u8; 32],
    ) -> Option<[u8; 32]> {
        let start = u64::from(group) * GROUP as u64;
        let length = outside.size.checked_sub(start)?.min(GROUP as u64);
        let (shared, id, small) = (self.clone(), outside.id, outside.size <= SMALL);
        let proved = tokio::task::spawn_blocking(move || {
            if small {
                let body = shared.small(&id).map_err(std::io::Error::other)?.unwrap_or_default();
                let fits = body.len() as u64 == length;
                return fits
                    .then(|| *blake3::keyed_hash(&nonce, &body).as_bytes())
                    .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound));
            }
            let path = shared.store.sealed(&id);
            let mut file = std::fs::File::open(path)?;
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(GROUP)];
            file.read_exact(&mut bytes)?;
            Ok::<_, std::io::Error>(*blake3::keyed_hash(&nonce, &bytes).as_bytes())
        });
        proved.await.ok()?.ok()
    }

    /// Counts a letter that is about to arrive, if there is room for it.
    fn expect(&self, envelope: &Envelope, purpose: Purpose) -> Result<Arriving, Fault> {
        self.arrivals.add(envelope, purpose, |arriving| match purpose {
            Purpose::Known => Ok(()),
            Purpose::Stranger => self.room_for_requests(envelope.size, arriving),
            Purpose::Keep => self.room_to_keep(envelope, arriving),
        })
    }

    fn room_for_requests(
        &self,
        size: u64,
        arriving: &mut dyn Iterator<Item = &Arrival>,
    ) -> Result<(), Fault> {
        let state = self.lock();
        let waiting = state.received.values().filter(|one| one.stranger && one.seen_at.is_none());
        let sizes = waiting.map(|one| one.outside.size).chain(arriving.map(|one| one.outside.size));
        let (mut letters, mut bytes) = (0, size);
        for size in sizes {
            (letters, bytes) = (letters + 1, bytes.saturating_add(size));
        }
        if letters >= MAX_REQUESTS || bytes > MAX_REQUEST_BYTES {
            return Err(full("the box for letters of strangers is full"));
        }
        Ok(())
    }

    fn room_to_keep(
        &self,
        envelope: &Envelope,
        arriving: &mut dyn Iterator<Item = &Arrival>,
    ) -> Result<(), Fault> {
        let state = self.lock();
        let size = envelope.size;
        let (mut letters, mut bytes, mut own_letters, mut own_bytes) = (0, size, 0, size);
        let kept = state.kept.values().map(|kept| &kept.outside);
        for outside in kept.chain(arriving.map(|one| &one.outside)) {
            (letters, bytes) = (letters + 1, bytes.saturating_add(outside.size));
            if outside.from == envelope.from {
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

    /// Whether the disk leaves enough free for everybody else, should this letter lie on it.
    async fn room_beside_others(&self, envelope: &Envelope) -> Result<(), Fault> {
        // Before the node has it, nobody can call.
        let Some(blobs) = self.blobs.get() else { return Ok(()) };
        blobs.room_to_stay(envelope.size).await.map_err(not_fetched)
    }

    /// Puts a sealed letter on the disk, if it is the one that the envelope names. A small one is given
    /// back instead, to be written with its record.
    async fn store_body(
        &self,
        envelope: &Envelope,
        body: Body<'_>,
    ) -> Result<Option<Arc<[u8]>>, Fault> {
        let bytes = match body.inline {
            Some(Data::Bytes(bytes)) => bytes.clone(),
            None if envelope.size > MAX_INLINE as u64 => {
                return self.fetch(envelope, body.holder).await.map(|()| None);
            }
            _ => return Err(Fault::bad_input("the letter is missing")),
        };
        if bytes.len() as u64 != envelope.size || Outline::of(&bytes).root() != envelope.hash {
            let said = "the letter is not the one that the envelope names";
            return Err(Fault::new(FaultKind::InputLost, said));
        }
        if envelope.size <= SMALL {
            return Ok(Some(bytes));
        }
        let (store, id) = (self.store.clone(), envelope.id);
        let stored = tokio::task::spawn_blocking(move || {
            let file = store.temporary()?;
            std::fs::write(file.path(), &bytes)?;
            store.keep_as(file, &store.sealed(&id))
        });
        stored.await.map_err(internal)?.map_err(disk)?;
        Ok(None)
    }

    /// Fetches a body from whoever has it. What arrives is checked, and stays also where this breaks
    /// off.
    async fn fetch(&self, envelope: &Envelope, holder: PeerId) -> Result<(), Fault> {
        if self.has_body(envelope).await? {
            return Ok(());
        }
        let path = self.store.sealed(&envelope.id);
        let blobs = self.blobs()?;
        let obtained = blobs.obtain(holder, envelope.hash, envelope.size, &path).await;
        obtained.map_err(not_fetched)
    }

    /// Whether the body lies here: an earlier try may have got as far as this, and no further.
    async fn has_body(&self, envelope: &Envelope) -> Result<bool, Fault> {
        let (path, expected) = (self.store.sealed(&envelope.id), envelope.clone());
        let there = tokio::task::spawn_blocking(move || {
            let fits = std::fs::metadata(&path).is_ok_and(|m| m.len() == expected.size);
            fits && Outline::of_file(&path).is_ok_and(|made| made.root() == expected.hash)
        });
        there.await.map_err(internal)
    }

    fn blobs(&self) -> Result<&Blobs, Fault> {
        self.blobs.get().ok_or_else(|| Fault::internal("the node is starting"))
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

fn not_fetched(error: BlobError) -> Fault {
    match error {
        BlobError::NoRoom(why) => full(&why.to_string()),
        BlobError::Disk(error) => disk(error),
        lost => Fault::new(FaultKind::InputLost, lost.to_string()),
    }
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

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::{
        super::{Settings, Who},
        *,
    };
    use crate::{
        config::Contacts,
        mail::{
            letter::Draft,
            records::{Person, Stage},
        },
    };

    #[tokio::test]
    async fn what_is_in_memory_only_is_not_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            keep: 1 << 20,
            read_receipts: true,
            contacts: Contacts::default(),
            blocked: Contacts::default(),
        };
        let post =
            Post::open(folder.path(), &Keypair::generate_ed25519(), settings, now_ms()).unwrap();
        let (sender, to) = (Keypair::generate_ed25519(), PeerId::random().to_bytes());
        let (from, written_at) = (sender.public().to_peer_id().to_bytes(), now_ms());
        let bytes: Arc<[u8]> = vec![1; 100].into();
        let envelope = Envelope {
            version: 1,
            id: crate::mail::envelope::EnvelopeId::of(&from, &to, 1, written_at),
            from,
            to,
            sealing: String::new(),
            hash: *blake3::hash(&bytes).as_bytes(),
            size: 100,
            number: 1,
            written_at,
            expires_at: written_at + 60_000,
        };
        let signed = SignedEnvelope::sign(&envelope, &sender).unwrap();
        let data = Data::Bytes(bytes);
        let body = Body { inline: Some(&data), holder: PeerId::random() };
        let kept = post.keep(&signed, body).await.unwrap();
        assert_eq!(kept.verify().unwrap().fate, Fate::Held);
        // A commit failed since: the same letter, which is in memory, gets no receipt.
        post.0.lock().failed = true;
        assert_eq!(post.keep(&signed, body).await.unwrap_err().kind, FaultKind::Internal);
    }

    #[tokio::test]
    async fn that_somebody_holds_a_letter_is_believed_only_of_whom_it_was_handed_to() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            keep: 1 << 20,
            read_receipts: true,
            contacts: Contacts::default(),
            blocked: Contacts::default(),
        };
        let me = Keypair::generate_ed25519();
        let post = Post::open(folder.path(), &me, settings, now_ms()).unwrap();
        let sealing = Some(age::x25519::Identity::generate().to_public().to_string());
        let who = Who { id: PeerId::random(), person: Person { sealing, ..Person::default() } };
        let draft = Draft { text: Some("hello".to_owned()), paths: vec![] };
        let sent = post.send(&who, draft, None).await.unwrap();
        let held = |key: &Keypair| {
            let by = key.public().to_peer_id().to_bytes();
            let (envelope, hash) = (sent.outside.id, sent.outside.hash);
            let (fate, why) = (Fate::Held, None);
            let receipt = Receipt { version: 1, envelope, hash, fate, by, at: 1, why };
            SignedReceipt::sign(&receipt, key).unwrap()
        };
        let stage = || {
            let sent = post.sent();
            (sent[0].stage, sent[0].holders.len())
        };
        for _ in 0..100 {
            post.hear(&[held(&Keypair::generate_ed25519())], None).await.unwrap();
        }
        assert_eq!(stage(), (Stage::Queued, 0));
        let (keeper, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let asked = Some(keeper.public().to_peer_id());
        post.hear(&[held(&other), held(&keeper), held(&keeper)], asked).await.unwrap();
        assert_eq!(stage(), (Stage::Held, 1));
    }
}
