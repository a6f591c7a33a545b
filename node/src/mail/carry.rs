//! Carrying letters: looks at what is held and who is there, and hands over what can be handed over.
//!
//! One worker at a time for each node, so that letters to it go in order. What fails is tried again
//! at the next look, after a pause that doubles.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use libp2p::PeerId;
use tokio::task::JoinSet;

use super::{
    envelope::{Envelope, EnvelopeId, Fate, SignedEnvelope, SignedReceipt},
    plan::{self, Abilities, Present, Step},
    post::Post,
    records::{Done, Stage},
    serve::{self, Request, Response},
};
use crate::{
    blobs::{Outline, Source},
    calls::Attempt,
    client::Local,
    neighbourhood::backoff::Backoff,
    network::{Snapshot, now_ms},
    protocol::{CallOutcome, CallRequest, MAX_DEADLINE_MS, MAX_INLINE, Payload, decode, encode},
};

/// Time between two looks when nothing happens.
const LOOK: Duration = Duration::from_secs(5);
/// Time between two looks whatever happens, and between two notes of who is there.
const GAP: Duration = Duration::from_millis(10);
const MEET_MS: u64 = 500;
/// Nodes at which letters are handed over at once.
const WORKERS: usize = 16;
/// Letters that are handed over in one go before others are looked at again.
const IN_A_ROW: usize = 1_000;
/// Letters that are on their way to one node at once: the disk there takes many as quickly as one.
const AT_ONCE: usize = 16;
/// Receipts that are told together.
const RECEIPTS: usize = 100;
/// What a hand-over may take beside a second for each of so many bytes.
const LEAST_MS: u64 = 30_000;
const BYTES_A_MS: u64 = 100;

/// What carriers know of nodes.
#[derive(Default)]
struct Carriers {
    pauses: Mutex<BTreeMap<PeerId, Backoff>>,
}

/// Carries letters until it is dropped.
pub(crate) async fn carry(post: Post, local: Arc<Local>) {
    let carriers = Arc::new(Carriers::default());
    let mut snapshots = local.network.watch();
    let mut working: BTreeMap<PeerId, tokio::task::Id> = BTreeMap::new();
    let mut workers = JoinSet::new();
    let (mut tidied, mut met) = (0, 0);
    loop {
        tokio::time::sleep(GAP).await;
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
        let todo = {
            let state = post.0.lock();
            plan::steps(&post.0.me, state.held(), &present)
        };
        for (peer, steps) in todo {
            let busy = working.contains_key(&peer) || working.len() >= WORKERS;
            if busy || !carriers.ready(&peer, now) {
                continue;
            }
            let worker = Worker { post: post.clone(), local: local.clone(), peer };
            let carriers = carriers.clone();
            let task = workers.spawn(async move {
                let done = worker.work(steps).await;
                carriers.note(&peer, &done);
                peer
            });
            working.insert(peer, task.id());
        }
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
            };
            (*peer, abilities)
        });
        Present(present.collect())
    }

    fn ready(&self, peer: &PeerId, now: u64) -> bool {
        self.lock().get(peer).is_none_or(|pause| pause.ready(now))
    }

    fn note(&self, peer: &PeerId, done: &Result<(), String>) {
        let mut pauses = self.lock();
        if let Err(why) = done {
            tracing::debug!(%peer, %why, "letters wait");
            pauses.entry(*peer).or_default().failed(now_ms(), &mut rand::rng());
        } else {
            pauses.remove(peer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerId, Backoff>> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands letters over at one node.
struct Worker {
    post: Post,
    local: Arc<Local>,
    peer: PeerId,
}

impl Worker {
    async fn work(&self, steps: Vec<Step>) -> Result<(), String> {
        let mut receipts = Vec::new();
        let mut letters = Vec::new();
        for step in steps.into_iter().take(IN_A_ROW) {
            match step {
                Step::Deliver(_) | Step::PassOn(_) | Step::Keep(_) => letters.push(step),
                Step::Owe(id) | Step::Answer(id) => receipts.push(id),
            }
        }
        // Each has its number in the conversation, so that the order is kept whichever comes first.
        let handed = stream::iter(letters).map(|step| async move {
            match step {
                Step::Deliver(id) => self.deliver(id).await,
                Step::PassOn(id) => self.pass_on(id).await,
                Step::Keep(id) => self.hand_to_keeper(id).await,
                Step::Owe(_) | Step::Answer(_) => Ok(()),
            }
        });
        let mut handed = std::pin::pin!(handed.buffer_unordered(AT_ONCE));
        let mut failures = Vec::new();
        // One that is too large, say, holds up no other; where all fail, the node is not there.
        while failures.len() < AT_ONCE
            && let Some(done) = handed.next().await
        {
            failures.extend(done.err());
        }
        if failures.len() >= AT_ONCE {
            return Err(failures.remove(0));
        }
        for some in receipts.chunks(RECEIPTS) {
            self.tell(some).await?;
        }
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    async fn deliver(&self, id: EnvelopeId) -> Result<(), String> {
        let sent = self.post.0.lock().sent.get(&id).cloned();
        let Some(sent) = sent.filter(|sent| !sent.stage.is_over()) else { return Ok(()) };
        let receipt = self.hand_over(serve::MAIL, id, sent.signed, &sent.outside).await?;
        let told = receipt.as_slice();
        self.post.hear(told).await.map_err(|fault| fault.message)
    }

    async fn hand_to_keeper(&self, id: EnvelopeId) -> Result<(), String> {
        let sent = self.post.0.lock().sent.get(&id).cloned();
        let waits = |stage| matches!(stage, Stage::Queued | Stage::Held);
        let Some(sent) = sent.filter(|sent| waits(sent.stage)) else { return Ok(()) };
        let receipt = self.hand_over(serve::KEEP, id, sent.signed, &sent.outside).await?;
        let told = receipt.as_slice();
        self.post.hear(told).await.map_err(|fault| fault.message)
    }

    async fn pass_on(&self, id: EnvelopeId) -> Result<(), String> {
        let kept = self.post.0.lock().kept.get(&id).cloned();
        let Some(kept) = kept else { return Ok(()) };
        let handed = self.hand_over(serve::MAIL, id, kept.signed, &kept.outside).await?;
        let Some(receipt) = handed else { return Ok(()) };
        let fate = receipt.verify().map_err(|e| e.to_string())?;
        if fate.author() != kept.outside.recipient() || fate.hash != kept.outside.hash {
            return Err("the receipt is for something else".to_owned());
        }
        let sender = kept.outside.sender().unwrap_or(self.post.0.me);
        let done = Done::new(receipt, &sender, true, now_ms());
        let noted = self.post.0.change(move |state| {
            state.put_done(id, done);
            state.remove_kept(&id);
        });
        noted.await.map_err(|e| e.to_string())?;
        self.post.0.discard(vec![id]).await;
        Ok(())
    }

    /// Tells a sender what became of letters.
    async fn tell(&self, ids: &[EnvelopeId]) -> Result<(), String> {
        let receipts: Vec<_> = {
            let state = self.post.0.lock();
            let owed = |id| {
                let received = state.received.get(id).and_then(|one| one.owed.clone());
                received.or_else(|| state.done.get(id).map(|done| done.receipt.clone()))
            };
            ids.iter().filter_map(|id| Some((*id, owed(id)?))).collect()
        };
        let told = receipts.iter().map(|(_, receipt)| receipt.clone()).collect();
        match self.ask(serve::MAIL, Request::Receipts(told), None, LEAST_MS).await? {
            Response::Noted => {}
            Response::Receipt(_) => return Err("it answered something else".to_owned()),
        }
        let noted = self.post.0.change(move |state| {
            for (id, told) in receipts {
                if let Some(mut one) = state.received.get(&id).cloned()
                    && one.owed.as_ref() == Some(&told)
                {
                    one.owed = None;
                    state.put_received(one);
                }
                if let Some(mut done) = state.done.get(&id).cloned()
                    && done.owed
                {
                    done.owed = false;
                    state.put_done(id, done);
                }
            }
        });
        noted.await.map_err(|e| e.to_string())
    }

    /// Hands one letter over, and gives what was signed for it; `None` for one that this disk has
    /// damaged, which is given up and holds up no other.
    async fn hand_over(
        &self,
        capability: &'static str,
        id: EnvelopeId,
        envelope: SignedEnvelope,
        outside: &Envelope,
    ) -> Result<Option<SignedReceipt>, String> {
        let path = self.post.0.store.sealed(&id);
        let outlined = tokio::task::spawn_blocking(move || {
            let outline = Outline::of_file(&path)?;
            let small = outline.size() <= MAX_INLINE as u64;
            let bytes = small.then(|| std::fs::read(&path)).transpose()?;
            Ok::<_, std::io::Error>((path, outline, bytes))
        });
        let outlined = outlined.await.map_err(|e| e.to_string())?;
        let hash = outside.hash;
        let intact = match outlined {
            Ok(read) => (read.1.root() == hash).then_some(read),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            // A disk that fails now, or too many open files: the letter may be read later.
            Err(e) => return Err(format!("the letter cannot be read: {e}")),
        };
        let Some((path, outline, bytes)) = intact else {
            self.post.give_up(id).await?;
            return Ok(None);
        };
        let time = LEAST_MS + outline.size() / BYTES_A_MS;
        let (input, _share) = match bytes {
            Some(bytes) => (Payload::Inline(bytes), None),
            None => {
                let share = self.local.blobs.share(Source::File(path), outline);
                share.allow(self.peer);
                (Payload::Blob { hash: share.hash, size: share.size }, Some(share))
            }
        };
        let answer = self.ask(capability, Request::Letter(envelope), Some(input), time).await?;
        let Response::Receipt(signed) = answer else {
            return Err("it answered something else".to_owned());
        };
        let receipt = signed.verify().map_err(|e| e.to_string())?;
        let own_word = receipt.author() == Some(self.peer) || receipt.fate != Fate::Held;
        if receipt.envelope != id || receipt.hash != hash || !own_word {
            return Err("it signed for something else".to_owned());
        }
        Ok(Some(signed))
    }

    async fn ask(
        &self,
        capability: &'static str,
        request: Request,
        input: Option<Payload>,
        time_ms: u64,
    ) -> Result<Response, String> {
        let deadline_ms = u32::try_from(time_ms).unwrap_or(u32::MAX).min(MAX_DEADLINE_MS);
        let request = CallRequest {
            call: self.local.next_call.fetch_add(1, Ordering::Relaxed),
            capability: capability.to_owned(),
            deadline_ms,
            args: encode(&request).map_err(|e| e.to_string())?,
            input,
            progress: false,
        };
        let number = request.call;
        let attempt = Attempt { progress: None, reached: None, again: true };
        let calling = self.local.caller.call(self.peer, request, attempt);
        let limit = Duration::from_millis(u64::from(deadline_ms) + 1_000);
        let answer = match tokio::time::timeout(limit, calling).await {
            Ok(answer) => answer.map_err(|lost| lost.why)?,
            Err(_) => {
                self.local.caller.cancel(self.peer, number);
                return Err("it did not answer".to_owned());
            }
        };
        match answer.outcome {
            CallOutcome::Done(output) => decode(&output.body).map_err(|e| e.to_string()),
            CallOutcome::Busy { .. } => Err("it is busy".to_owned()),
            CallOutcome::Refused { reason } => Err(reason),
            CallOutcome::Failed(fault) => Err(fault.message),
        }
    }
}
