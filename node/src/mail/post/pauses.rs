//! Letters that rest because their person said so: large ones, on their way out or in.
//!
//! That one to somebody rests is written with it. That one to this node's person does is known in memory
//! only: after a restart it goes on, and nothing of what came is fetched twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
};

use libp2p::PeerId;
use tokio::sync::watch;

use super::{
    super::{
        envelope::{Envelope, EnvelopeId},
        records::Stage,
    },
    MailError, Post, Shared,
};
use crate::protocol::Fault;

/// Letters to this node's person that rest at one time.
const MOST: usize = 256;

/// What rests. Made with the post office.
pub(in super::super) struct Pauses {
    arriving: Mutex<BTreeMap<EnvelopeId, Resting>>,
    /// Those who brought one that goes on: they are told.
    welcome: Mutex<BTreeSet<PeerId>>,
    changes: watch::Sender<()>,
}

struct Resting {
    outside: Envelope,
    /// Bytes that had come.
    here: u64,
    holders: BTreeSet<PeerId>,
}

impl Default for Pauses {
    fn default() -> Self {
        let (arriving, welcome) = (Mutex::default(), Mutex::default());
        Self { arriving, welcome, changes: watch::Sender::new(()) }
    }
}

impl Pauses {
    /// Letters to this node's person that rest.
    pub(in super::super) fn arriving(&self) -> Vec<Envelope> {
        self.lock().values().map(|resting| resting.outside.clone()).collect()
    }

    /// How many bytes of one had come.
    pub(in super::super) fn here(&self, id: &EnvelopeId) -> Option<u64> {
        self.lock().get(id).map(|resting| resting.here)
    }

    /// Takes those who may bring again what they brought, of those that are free.
    pub(in super::super) fn take_welcome(&self, free: impl Fn(&PeerId) -> bool) -> Vec<PeerId> {
        let mut all = self.welcome.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<_> = all.iter().filter(|peer| free(peer)).copied().collect();
        all.retain(|peer| !taken.contains(peer));
        taken
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EnvelopeId, Resting>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    /// A large letter rests from now on: nothing of it is sent, or fetched, until it goes on. What moved
    /// so far stays.
    pub async fn pause(&self, id: EnvelopeId) -> Result<(), MailError> {
        self.rest(id, true).await
    }

    /// It goes on.
    pub async fn resume(&self, id: EnvelopeId) -> Result<(), MailError> {
        self.rest(id, false).await
    }

    async fn rest(&self, id: EnvelopeId, rests: bool) -> Result<(), MailError> {
        let shared = &self.0;
        if shared.lock().sent.contains_key(&id) {
            let changed = shared.change(move |state| {
                let Some(mut sent) = state.sent.get(&id).cloned() else { return Ok(()) };
                match sent.stage {
                    Stage::Queued => {}
                    Stage::Held if !rests => {}
                    Stage::Held => {
                        return Err(MailError::WithKeepers);
                    }
                    _ => return Err(MailError::Ended),
                }
                sent.paused = rests;
                state.put_sent(sent);
                Ok(())
            });
            changed.await??;
        } else if rests {
            shared.rest_arriving(id)?;
        } else if let Some(resting) = shared.pauses.lock().remove(&id) {
            let mut welcome = shared.pauses.welcome.lock().unwrap_or_else(PoisonError::into_inner);
            welcome.extend(resting.holders);
        }
        shared.pauses.changes.send_replace(());
        shared.wake.notify_one();
        Ok(())
    }
}

impl Shared {
    fn rest_arriving(&self, id: EnvelopeId) -> Result<(), MailError> {
        let coming = self.arrivals.to_person().into_iter().find(|outside| outside.id == id);
        let mut all = self.pauses.lock();
        let Some(outside) = coming else {
            return match all.contains_key(&id) {
                true => Ok(()),
                false => Err(MailError::Ended),
            };
        };
        if all.len() >= MOST {
            return Err(MailError::ManyRest);
        }
        let here = self.arrived(&outside.hash).unwrap_or_default();
        all.entry(id).or_insert(Resting { outside, here, holders: BTreeSet::new() });
        Ok(())
    }

    /// Forgets what rests and cannot come any more.
    pub(in super::super) fn forget_pauses(&self, now: u64) {
        let known: BTreeSet<_> = {
            let state = self.lock();
            state.received.keys().chain(state.done.keys()).copied().collect()
        };
        self.pauses.lock().retain(|id, resting| {
            !known.contains(id) && !resting.outside.expired(resting.outside.written_at, now)
        });
    }

    /// Whether a letter rests, on its way out or in.
    pub(in super::super) fn rests(&self, id: &EnvelopeId) -> bool {
        let paused = self.lock().sent.get(id).is_some_and(|sent| sent.paused);
        paused || self.pauses.lock().contains_key(id)
    }

    /// Waits until a letter rests.
    pub(in super::super) async fn until_it_rests(&self, id: &EnvelopeId) {
        let mut changes = self.pauses.changes.subscribe();
        while !self.rests(id) {
            if changes.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// Refuses a letter that rests, for now. Whoever brings it is told when it goes on.
    pub(super) fn unless_it_rests(&self, id: &EnvelopeId, holder: PeerId) -> Result<(), Fault> {
        match self.pauses.lock().get_mut(id) {
            Some(resting) => {
                resting.holders.insert(holder);
                Err(rests())
            }
            None => Ok(()),
        }
    }

    /// Does something to fetch a letter, until that rests.
    pub(super) async fn while_it_moves<T>(
        &self,
        id: &EnvelopeId,
        holder: PeerId,
        fetching: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::select! {
            fetched = fetching => fetched,
            () = self.until_it_rests(id) => {
                self.unless_it_rests(id, holder)?;
                Err(rests())
            }
        }
    }
}

fn rests() -> Fault {
    Fault::bad_input("its recipient lets it rest for now")
}
