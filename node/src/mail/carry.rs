//! Carrying letters: looks at what is held and who is there, and hands over what can be handed over.
//!
//! One worker at a time for each node, so that letters to it go in order. What fails is tried again
//! at the next look, after a pause that doubles.

mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use libp2p::PeerId;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::{
    plan::{self, Abilities, Present, Step},
    post::Post,
    serve,
};
use crate::{
    client::Local,
    neighbourhood::backoff::Backoff,
    network::{Snapshot, now_ms},
};
use worker::Worker;

/// Time between two looks when nothing happens.
const LOOK: Duration = Duration::from_secs(5);
/// Time between two looks whatever happens, and between two notes of who is there.
const GAP: Duration = Duration::from_millis(10);
/// A look that took longer than this waited for something else.
const MOST: Duration = Duration::from_millis(50);
const MEET_MS: u64 = 500;
/// Nodes at which letters are handed over at once.
const WORKERS: usize = 16;
/// Time between two tries to store again after the disk failed.
const RECOVER: Duration = Duration::from_secs(2);
/// Time between two questions to a keeper whether it still has what it signed for.
const AUDIT_MS: u64 = 10 * 60 * 1000;

/// What carriers know of nodes.
#[derive(Default)]
struct Carriers {
    pauses: Mutex<BTreeMap<PeerId, Backoff>>,
    /// When keepers were asked whether they still have what they signed for.
    audited: Mutex<BTreeMap<PeerId, u64>>,
}

/// Carries letters until it is dropped.
pub(crate) async fn carry(post: Post, local: Arc<Local>) {
    let carriers = Arc::new(Carriers::default());
    let mut snapshots = local.network.watch();
    let mut working: BTreeMap<PeerId, tokio::task::Id> = BTreeMap::new();
    let mut workers = JoinSet::new();
    let looking = tokio::spawn(post.clone().look_after(local.clone()));
    let _looking = AbortOnDropHandle::new(looking);
    let (mut tidied, mut met) = (0, 0);
    let mut took = Duration::ZERO;
    loop {
        // With many letters a look takes long: it shall not take more than a tenth of the time.
        tokio::time::sleep(GAP.max(10 * took)).await;
        if post.0.has_failed() {
            // What is in memory is not all on the disk: nobody is told of it.
            tokio::time::sleep(RECOVER).await;
            if let Err(error) = post.0.recover().await {
                tracing::debug!("the mail is not stored yet: {error}");
                continue;
            }
        }
        let looking = Instant::now();
        let now = now_ms();
        if now >= tidied + 60_000 || tidied == 0 {
            tidied = now;
            tidy(&post, &local).await;
            post.open_rest();
        }
        let snapshot = snapshots.borrow_and_update().clone();
        let mut look = LOOK;
        if now >= met + MEET_MS {
            met = now;
            post.meet(&snapshot).await;
        } else {
            look = Duration::from_millis(MEET_MS);
        }
        let present = carriers.present(&snapshot, now);
        post.0.offers.keepers(present.keepers());
        let mut todo = {
            let declined = post.0.declined(now);
            let state = post.0.lock();
            plan::steps(&post.0.me, state.held(&declined), &present)
        };
        for keeper in carriers.to_audit(&post, &present, now) {
            todo.entry(keeper).or_default();
        }
        let free = |peer: &PeerId| present.0.contains_key(peer) && !working.contains_key(peer);
        for holder in post.0.pauses.take_welcome(free) {
            todo.entry(holder).or_default().push(Step::Welcome);
        }
        for (peer, steps) in todo {
            let busy = working.contains_key(&peer) || working.len() >= WORKERS;
            if busy || !carriers.ready(&peer, now) {
                continue;
            }
            let worker = Worker { post: post.clone(), local: local.clone(), peer };
            let carriers = carriers.clone();
            let task = workers.spawn(async move {
                let mut done = worker.work(steps).await;
                if done.is_ok() && carriers.audit(&peer, now) {
                    done = worker.audit().await;
                }
                carriers.note(&peer, &done);
                peer
            });
            working.insert(peer, task.id());
        }
        took = looking.elapsed().min(MOST);
        tokio::select! {
            Some(ended) = workers.join_next_with_id() => {
                let id = match &ended {
                    Ok((id, _)) => *id,
                    Err(error) => error.id(),
                };
                working.retain(|_, working| *working != id);
            }
            () = post.0.wake.notified() => {}
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(look) => {}
        }
    }
}

/// Forgets what is over, and renews the sealing key where it is due.
async fn tidy(post: &Post, local: &Local) {
    let renewing = post.clone();
    let renewed = tokio::task::spawn_blocking(move || renewing.0.renew_keys()).await;
    if renewed.unwrap_or(false) {
        local.network.seal_to(post.sealing()).await;
    }
    let now = now_ms();
    post.0.forget_pauses(now);
    match post.0.change(|state| state.expire(now)).await {
        Ok(over) => post.0.discard(over).await,
        Err(error) => tracing::warn!("letters that are over are not forgotten: {error}"),
    }
}

impl Carriers {
    fn present(&self, snapshot: &Snapshot, now: u64) -> Present {
        let pauses = self.lock();
        let present = snapshot.peers.iter().map(|(peer, view)| {
            let pause = pauses.get(peer);
            let abilities = Abilities {
                takes: view.advert.sealing.is_some(),
                keeps: view.advert.offer(serve::KEEP).is_some() && view.met,
                failing: view.suspect
                    || pause.is_some_and(|pause| pause.failing() && !pause.ready(now)),
                entry: view.advert.entry,
            };
            (*peer, abilities)
        });
        Present(present.collect())
    }

    /// Keepers that are there, hold letters of this node's person and were not asked for long.
    fn to_audit(&self, post: &Post, present: &Present, now: u64) -> Vec<PeerId> {
        let state = post.0.lock();
        let held = state.sent.values().filter(|sent| !sent.stage.is_over());
        let holders: BTreeSet<_> = held.flat_map(|sent| &sent.holders).copied().collect();
        drop(state);
        let audited = self.audited();
        let due = |peer: &PeerId| audited.get(peer).is_none_or(|at| now >= at + AUDIT_MS);
        holders.into_iter().filter(|peer| present.0.contains_key(peer) && due(peer)).collect()
    }

    /// Whether a keeper is to be asked now, which is noted.
    fn audit(&self, peer: &PeerId, now: u64) -> bool {
        let mut audited = self.audited();
        audited.retain(|_, at| now < *at + AUDIT_MS);
        audited.insert(*peer, now).is_none()
    }

    fn audited(&self) -> MutexGuard<'_, BTreeMap<PeerId, u64>> {
        self.audited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self, peer: &PeerId, now: u64) -> bool {
        self.lock().get(peer).is_none_or(|pause| pause.ready(now))
    }

    fn note(&self, peer: &PeerId, done: &Result<(), String>) {
        let mut pauses = self.lock();
        if let Err(why) = done {
            tracing::debug!(%peer, why, "letters wait");
            pauses.entry(*peer).or_default().failed(now_ms(), &mut rand::rng());
        } else {
            pauses.remove(peer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Backoff>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
