//! The post office of one node: what it holds, and what is done with it.
//!
//! Records are in memory and on the disk. A change is made in memory, handed to the store in the
//! same moment, and said to nobody before it is on the disk.

mod arrivals;
mod granted;
mod mend;
mod open;
mod pauses;
mod person;
mod take;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use libp2p::{PeerId, identity::Keypair};
use tokio::sync::{Notify, broadcast};

pub use person::{MailError, Who};
pub(crate) use take::Body;

use super::{
    envelope::{EnvelopeId, Fate, LONGEST_MS, Receipt, SignedReceipt},
    keys::{Keyring, KeysError},
    plan::{Declined, Held},
    records::{Done, Kept, Person, Received, Sent, Stage},
    store::{self, Change, Store, StoreError, Table},
};
use crate::{blobs::Blobs, config, protocol::signed::SignedError};
use arrivals::Arrivals;
use granted::Offers;
use mend::Damaged;
use pauses::Pauses;

/// The name of the folder in the data folder.
const FOLDER: &str = "mail";
/// How long it is remembered that an envelope is done with: as long as it may wait, and a week for
/// clocks that are wrong.
const DONE_MS: u64 = LONGEST_MS + 7 * 24 * 60 * 60 * 1000;
/// How long the store is waited for where another process has it.
const IN_USE: Duration = Duration::from_secs(2);
/// News that wait for whoever follows.
const NEWS: usize = 256;
/// Letters of this node's person, and people, that are remembered; those that are over, and those not
/// seen for longest, go first.
const MAX_SENT: usize = 10_000;
const MAX_PEOPLE: usize = 4_096;

/// The settings of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Bytes that are kept for others.
    pub keep: u64,
    /// Whether senders are told when their letters were read.
    pub read_receipts: bool,
    /// Client ids that the owner named, by nickname.
    pub contacts: config::Contacts,
    /// Those of whom they want no letters.
    pub blocked: config::Contacts,
}

/// Whom the owner knows, and whom not.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) contacts: config::Contacts,
    pub(super) blocked: config::Contacts,
}

/// The post office of a node. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Post(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) keypair: Keypair,
    pub(super) me: PeerId,
    pub(super) settings: Settings,
    known: RwLock<Known>,
    pub(super) store: Store,
    keys: Mutex<Keyring>,
    state: Mutex<State>,
    /// Letters that are being opened, and whether somebody else asked for that meanwhile.
    opening: Mutex<BTreeMap<EnvelopeId, bool>>,
    /// Letters whose bodies are arriving.
    pub(super) arrivals: Arrivals,
    /// Letters that rest because their person said so.
    pub(super) pauses: Pauses,
    /// Letters that are being offered, and to whom: they may fetch the bodies.
    pub(super) offers: Offers,
    /// Letters whose bodies are damaged here; told to whoever mends them.
    damaged: Damaged,
    damage: Notify,
    /// Who declined to take which letter.
    pub(super) declined: Mutex<Declined>,
    /// What moves bodies; set when the node has it.
    blobs: OnceLock<Blobs>,
    /// Wakes whoever carries letters.
    pub(super) wake: Notify,
    /// Tells which letters to or from this node's person changed.
    news: broadcast::Sender<EnvelopeId>,
}

/// What it holds.
#[derive(Default)]
pub(super) struct State {
    pub(super) sent: BTreeMap<EnvelopeId, Sent>,
    pub(super) received: BTreeMap<EnvelopeId, Received>,
    pub(super) kept: BTreeMap<EnvelopeId, Kept>,
    pub(super) done: BTreeMap<EnvelopeId, Done>,
    pub(super) people: BTreeMap<PeerId, Person>,
    changes: Vec<Change>,
    changed: BTreeSet<EnvelopeId>,
    /// Small sealed letters that are not on the disk yet.
    unwritten: BTreeMap<EnvelopeId, Arc<[u8]>>,
    new_bodies: Vec<EnvelopeId>,
    /// Whether a change could not be stored: what is in memory is not all on the disk since.
    failed: bool,
}

/// Why the post office cannot be opened or used. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys failed.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Nothing could be signed.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// The disk failed.
    #[error("the mail folder cannot be used ({0}); check the disk")]
    Disk(#[from] std::io::Error),
}

impl Post {
    /// Opens the mail of a data folder. Reads the disk: not for async threads.
    pub fn open(
        data_dir: &Path,
        keypair: &Keypair,
        settings: Settings,
        now: u64,
    ) -> Result<Self, PostError> {
        let store = opened(&data_dir.join(FOLDER))?;
        let keys = Keyring::open(data_dir, now)?;
        let mut state = State::read(&store)?;
        let known = |id: &EnvelopeId| {
            state.sent.contains_key(id)
                || state.received.contains_key(id)
                || state.kept.contains_key(id)
        };
        store.sweep(known)?;
        state.changes.extend(store.stray(known)?);
        let shared = Shared {
            keypair: keypair.clone(),
            me: keypair.public().to_peer_id(),
            known: RwLock::new(Known {
                contacts: settings.contacts.clone(),
                blocked: settings.blocked.clone(),
            }),
            settings,
            store,
            keys: Mutex::new(keys),
            state: Mutex::new(state),
            opening: Mutex::default(),
            arrivals: Arrivals::default(),
            pauses: Pauses::default(),
            offers: Offers::default(),
            damaged: Damaged::default(),
            damage: Notify::new(),
            declined: Mutex::default(),
            blobs: OnceLock::new(),
            wake: Notify::new(),
            news: broadcast::Sender::new(NEWS),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// What others seal letters to this node to.
    pub fn sealing(&self) -> String {
        self.0.keys().public()
    }

    /// Where the bodies of large letters lie while they arrive.
    pub(crate) fn arriving(&self) -> PathBuf {
        self.0.store.arriving()
    }

    /// Whom the owner knows, and whom not, from now on.
    pub(crate) fn know(&self, contacts: config::Contacts, blocked: config::Contacts) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Known { contacts, blocked };
    }

    /// Follows which letters change.
    pub(crate) fn follow(&self) -> broadcast::Receiver<EnvelopeId> {
        self.0.news.subscribe()
    }

    /// Letters of this node's person, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        let mut all: Vec<_> = self.0.lock().sent.values().cloned().collect();
        all.sort_by_key(|sent| (sent.outside.written_at, sent.outside.number));
        all
    }

    /// Letters to this node's person, in the order in which they came; those of one sender in the
    /// order in which they were written.
    pub fn received(&self) -> Vec<Received> {
        let mut all: Vec<_> = self.0.lock().received.values().cloned().collect();
        all.sort_by_key(|received| received.came_at);
        // Letters of one sender share out the places that they have.
        let mut places: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for (place, received) in all.iter().enumerate() {
            places.entry(received.outside.from.clone()).or_default().push(place);
        }
        for places in places.into_values() {
            let mut row: Vec<_> = places.iter().map(|place| all[*place].clone()).collect();
            row.sort_by_key(|received| received.outside.number);
            places.into_iter().zip(row).for_each(|(place, received)| all[place] = received);
        }
        all
    }

    /// What this node keeps for others: letters, and bytes.
    pub fn kept(&self) -> (usize, u64) {
        let state = self.0.lock();
        (state.kept.len(), state.kept.values().map(|kept| kept.outside.size).sum())
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom the owner knows, and whom not.
    pub(super) fn whom(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, Keyring> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is held. It is on the disk when this returns; what an error leaves in memory is
    /// said to nobody, and goes when the disk works again.
    pub(super) async fn change<R>(
        &self,
        change: impl FnOnce(&mut State) -> R,
    ) -> Result<R, StoreError> {
        let place = self.store.place_in_line().await?;
        let (result, committing, changed, bodies) = {
            let mut state = self.lock();
            if state.failed {
                return Err(store::failed());
            }
            let result = change(&mut state);
            let changes = std::mem::take(&mut state.changes);
            let changed = std::mem::take(&mut state.changed);
            let bodies = std::mem::take(&mut state.new_bodies);
            (result, (!changes.is_empty()).then(|| place.hand_in(changes)), changed, bodies)
        };
        if let Some(committing) = committing {
            if let Err(error) = committing.wait().await {
                if !std::mem::replace(&mut self.lock().failed, true) {
                    tracing::error!("{error}; no letters are sent or taken until it works again");
                }
                return Err(error);
            }
            if !bodies.is_empty() {
                let mut state = self.lock();
                bodies.iter().for_each(|id| drop(state.unwritten.remove(id)));
            }
            self.wake.notify_one();
        }
        for id in changed {
            // Nobody may be following.
            let _ = self.news.send(id);
        }
        Ok(result)
    }

    /// Whether nothing can be stored now.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Opens the store again after the disk failed, and goes on with what is on it.
    pub(super) async fn recover(&self) -> Result<(), StoreError> {
        // While it has failed nothing is changed: all that was comes before this.
        self.store.place_in_line().await?.reopen().wait().await?;
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || State::read(&store)).await;
        let read = read.map_err(|_| store::failed())??;
        *self.lock() = read;
        tracing::warn!("the mail can be stored again");
        self.wake.notify_one();
        Ok(())
    }

    /// A small sealed letter, if it is here and what was written. Reads the disk: not for async threads.
    pub(super) fn small(&self, id: &EnvelopeId) -> Result<Option<Arc<[u8]>>, StoreError> {
        let unwritten = self.lock().unwritten.get(id).cloned();
        match unwritten {
            Some(body) => Ok(Some(body)),
            None => Ok(self.store.small(id)?.map(Into::into)),
        }
    }

    /// Signs what became of an envelope.
    pub(super) fn receipt(
        &self,
        envelope: EnvelopeId,
        hash: [u8; 32],
        fate: Fate,
        why: Option<String>,
    ) -> Result<SignedReceipt, SignedError> {
        let why = why.map(|why| crate::protocol::shorten(&why, 200));
        let (by, at) = (self.me.to_bytes(), crate::network::now_ms());
        let receipt = Receipt { version: 1, envelope, hash, fate, by, at, why };
        SignedReceipt::sign(&receipt, &self.keypair)
    }
}

impl State {
    /// Everything that is stored. Reads the disk: not for async threads.
    fn read(store: &Store) -> Result<Self, StoreError> {
        let (sent, bad_sent) = store.all::<Sent>(Table::Sent)?;
        let (received, bad_received) = store.all::<Received>(Table::Received)?;
        let (kept, bad_kept) = store.all::<Kept>(Table::Kept)?;
        let (done, bad_done) = store.all::<Done>(Table::Done)?;
        let (people, bad_people) = store.all::<Person>(Table::People)?;
        let unreadable = bad_sent + bad_received + bad_kept + bad_done + bad_people;
        if unreadable > 0 {
            tracing::warn!(
                "{unreadable} mail records are damaged and left out; letters that others still hold come again"
            );
        }
        let people = people
            .into_iter()
            .filter_map(|(key, person)| Some((PeerId::from_bytes(&key).ok()?, person)));
        Ok(Self {
            sent: by_id(sent),
            received: by_id(received),
            kept: by_id(kept),
            done: by_id(done),
            people: people.collect(),
            ..Self::default()
        })
    }

    pub(super) fn held<'a>(&'a self, declined: &'a Declined) -> Held<'a> {
        let Self { sent, received, kept, done, .. } = self;
        Held { sent, received, kept, done, declined }
    }

    /// Keeps a letter of this node's person; the oldest that is over makes room.
    pub(super) fn put_sent(&mut self, sent: Sent) {
        if self.sent.len() >= MAX_SENT && !self.sent.contains_key(&sent.outside.id) {
            let over = self.sent.values().filter(|sent| sent.stage.is_over());
            let oldest = over.min_by_key(|sent| sent.changed_at).map(|sent| sent.outside.id);
            oldest.into_iter().for_each(|id| self.remove_sent(&id));
        }
        if sent.stage.is_over() {
            self.remove_body(&sent.outside.id);
        }
        self.changed.insert(sent.outside.id);
        self.note(Table::Sent, &sent.outside.id.0, &sent);
        self.sent.insert(sent.outside.id, sent);
    }

    pub(super) fn remove_sent(&mut self, id: &EnvelopeId) {
        self.remove_body(id);
        self.sent.remove(id);
        self.changed.insert(*id);
        self.changes.push(Change::remove(Table::Sent, &id.0));
    }

    pub(super) fn put_received(&mut self, received: Received) {
        if received.contents.is_some() || received.trouble.is_some() {
            self.remove_body(&received.outside.id);
        }
        self.changed.insert(received.outside.id);
        self.note(Table::Received, &received.outside.id.0, &received);
        self.received.insert(received.outside.id, received);
    }

    pub(super) fn remove_received(&mut self, id: &EnvelopeId) {
        self.remove_body(id);
        self.received.remove(id);
        self.changed.insert(*id);
        self.changes.push(Change::remove(Table::Received, &id.0));
    }

    pub(super) fn put_kept(&mut self, kept: Kept) {
        self.note(Table::Kept, &kept.outside.id.0, &kept);
        self.kept.insert(kept.outside.id, kept);
    }

    pub(super) fn remove_kept(&mut self, id: &EnvelopeId) {
        self.remove_body(id);
        self.kept.remove(id);
        self.changes.push(Change::remove(Table::Kept, &id.0));
    }

    pub(super) fn put_done(&mut self, id: EnvelopeId, done: Done) {
        self.note(Table::Done, &id.0, &done);
        self.done.insert(id, done);
    }

    /// Keeps somebody in mind; whoever was not seen for longest makes room.
    pub(super) fn put_person(&mut self, id: PeerId, person: Person) {
        if self.people.len() >= MAX_PEOPLE && !self.people.contains_key(&id) {
            let strangers = self.people.iter().filter(|(_, person)| !person.written_to);
            let oldest = strangers.min_by_key(|(_, person)| person.seen_at).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.people.remove(&oldest);
                self.changes.push(Change::remove(Table::People, &oldest.to_bytes()));
            }
        }
        self.note(Table::People, &id.to_bytes(), &person);
        self.people.insert(id, person);
    }

    /// Keeps a small sealed letter.
    pub(super) fn put_body(&mut self, id: &EnvelopeId, body: &[u8]) {
        self.unwritten.insert(*id, body.into());
        self.new_bodies.push(*id);
        self.changes.push(Change::put_body(id, body));
    }

    /// A small sealed letter is of no use any more.
    pub(super) fn remove_body(&mut self, id: &EnvelopeId) {
        self.changes.push(Change::remove(Table::Bodies, &id.0));
    }

    /// Forgets what is over. Gives the envelopes whose files are of no use any more.
    pub(super) fn expire(&mut self, now: u64) -> Vec<EnvelopeId> {
        let mut over = Vec::new();
        let done: Vec<_> = self.done.iter().filter(|(_, done)| now >= done.until).collect();
        for id in done.into_iter().map(|(id, _)| *id).collect::<Vec<_>>() {
            self.done.remove(&id);
            self.changes.push(Change::remove(Table::Done, &id.0));
        }
        let kept = self.kept.values().filter(|kept| kept.outside.expired(kept.came_at, now));
        for id in kept.map(|kept| kept.outside.id).collect::<Vec<_>>() {
            self.remove_kept(&id);
            over.push(id);
        }
        let waiting = self.sent.values().filter(|sent| {
            !sent.stage.is_over() && sent.outside.expired(sent.outside.written_at, now)
        });
        for mut sent in waiting.cloned().collect::<Vec<_>>() {
            (sent.stage, sent.changed_at) = (Stage::Expired, now);
            sent.why = Some("nobody took it in time".to_owned());
            over.push(sent.outside.id);
            self.put_sent(sent);
        }
        over
    }

    fn note<T: serde::Serialize>(&mut self, table: Table, key: &[u8], record: &T) {
        match Change::put(table, key, record) {
            Ok(change) => self.changes.push(change),
            // Every record has a form that encodes.
            Err(error) => tracing::error!("a mail record cannot be written: {error}"),
        }
    }
}

impl Done {
    /// Remembers for as long as it may come again.
    pub(super) fn new(receipt: SignedReceipt, sender: &PeerId, owed: bool, now: u64) -> Self {
        Self { until: now.saturating_add(DONE_MS), receipt, owed, sender: sender.to_string() }
    }
}

/// Opens the store; a process that has just ended, or a node that is being stopped, may have it a moment
/// longer.
fn opened(folder: &Path) -> Result<Store, StoreError> {
    let until = Instant::now() + IN_USE;
    loop {
        match Store::open(folder) {
            Err(StoreError::InUse) if Instant::now() < until => std::thread::sleep(IN_USE / 40),
            opened => return opened,
        }
    }
}

fn by_id<T>(all: BTreeMap<Vec<u8>, T>) -> BTreeMap<EnvelopeId, T> {
    let id = |key: Vec<u8>| Some(EnvelopeId(key.try_into().ok()?));
    all.into_iter().filter_map(|(key, record)| Some((id(key)?, record))).collect()
}
