//! What is done at one node: letters are handed over, receipts told, keepers asked for proof.

use std::{
    io,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use libp2p::PeerId;
use rand::seq::IteratorRandom as _;

use super::super::{
    envelope::{Envelope, EnvelopeId, Fate, SignedEnvelope, SignedReceipt},
    plan::{Decline, Declined, Step},
    post::{Post, Shared},
    records::{Done, Stage},
    serve::{self, Request, Response},
    store::SMALL,
};
use crate::{
    blobs::{GROUP, Outline},
    calls::Attempt,
    client::Local,
    network::now_ms,
    protocol::{
        CallOutcome, CallRequest, FaultKind, MAX_DEADLINE_MS, MAX_INLINE, Payload, decode, encode,
    },
};

/// Letters that are handed over in one go before others are looked at again.
const IN_A_ROW: usize = 1_000;
/// Letters that are on their way to one node at once: the disk there takes many as quickly as one.
const AT_ONCE: usize = 64;
/// Receipts that are told together.
const RECEIPTS: usize = 100;
/// What a hand-over may take beside a second for each of so many bytes.
const LEAST_MS: u64 = 30_000;
const BYTES_A_MS: u64 = 100;
/// How long somebody who declined a letter is not asked again to take it.
const DECLINED_MS: u64 = 60_000;
/// The same for one that this node cannot hand over itself.
const DAMAGED_MS: u64 = 5_000;
/// Letters of which a keeper proves at a time that it has them.
const PROOFS: usize = 32;

/// Hands letters over at one node.
pub(super) struct Worker {
    pub(super) post: Post,
    pub(super) local: Arc<Local>,
    pub(super) peer: PeerId,
}

/// Why something was not taken.
enum Trouble {
    /// The node would not have it.
    Declined(String),
    /// The node was not reached, or is too busy: it is left alone for a while.
    Lost(String),
    /// This node could not hand it over, because its own copy was damaged.
    Damaged,
    /// Its person lets it rest.
    Rests,
}

impl Worker {
    pub(super) async fn work(&self, steps: Vec<Step>) -> Result<(), String> {
        let mut receipts = Vec::new();
        let mut letters = Vec::new();
        let mut welcome = false;
        for step in steps.into_iter().take(IN_A_ROW) {
            match step {
                Step::Deliver(id) | Step::PassOn(id) | Step::Keep(id) => letters.push((step, id)),
                Step::Owe(id) | Step::Answer(id) => receipts.push(id),
                Step::Welcome => welcome = true,
            }
        }
        // Each has its number in the conversation, so that the order is kept whichever comes first.
        let handed = stream::iter(letters).map(|(step, id)| async move {
            let done = match step {
                Step::PassOn(_) => self.pass_on(id).await,
                Step::Keep(_) => self.hand_to_keeper(id).await,
                _ => self.deliver(id).await,
            };
            self.note(id, done)
        });
        let mut handed = std::pin::pin!(handed.buffer_unordered(AT_ONCE));
        let mut failures = Vec::new();
        // One that cannot be read, say, holds up no other; where all fail, the node is not there.
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
        if welcome {
            self.tell(&[]).await?;
        }
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    /// Has the keeper prove that some letters lie there. Those that do not are kept by others.
    pub(super) async fn audit(&self) -> Result<(), String> {
        let held = |post: &Post| -> Vec<Envelope> {
            let state = post.0.lock();
            let mine = state
                .sent
                .values()
                .filter(|sent| !sent.stage.is_over() && sent.holders.contains(&self.peer));
            mine.map(|sent| sent.outside.clone()).collect()
        };
        let mut asked = held(&self.post).into_iter().sample(&mut rand::rng(), PROOFS);
        let mut all = false;
        while let Some(outside) = asked.pop() {
            if self.proves(&outside).await? {
                continue;
            }
            self.post.0.lost_by(outside.id, self.peer).await?;
            if !all {
                // What else is it that it does not have?
                (all, asked) = (true, held(&self.post));
            }
        }
        Ok(())
    }

    /// Whether the keeper has a letter. What cannot be told, because the own copy is damaged or it was
    /// delivered, counts for it.
    async fn proves(&self, outside: &Envelope) -> Result<bool, String> {
        let groups = outside.size.div_ceil(GROUP as u64).max(1);
        let group = rand::random_range(0..u32::try_from(groups).unwrap_or(u32::MAX));
        let nonce: [u8; 32] = rand::random();
        let Some(own) = self.post.0.prove(outside, group, nonce).await else { return Ok(true) };
        let question = Request::Prove { envelope: outside.id, group, nonce };
        let proof = match self.ask(serve::KEEP, question, None, LEAST_MS, None).await {
            Ok(Response::Proof(proof)) => proof.map(serde_bytes::ByteArray::into_array),
            // The recipient has it.
            Ok(Response::Receipt(receipt)) => {
                self.post.hear(&[receipt], None).await.map_err(|fault| fault.message)?;
                return Ok(true);
            }
            Ok(Response::Noted) => None,
            Err(Trouble::Declined(_) | Trouble::Damaged | Trouble::Rests) => None,
            Err(Trouble::Lost(why)) => return Err(why),
        };
        Ok(proof == Some(own) || !self.post.0.holds(&outside.id, &self.peer))
    }

    async fn deliver(&self, id: EnvelopeId) -> Result<(), Trouble> {
        let sent = self.post.0.lock().sent.get(&id).cloned();
        let Some(sent) = sent.filter(|sent| !sent.stage.is_over()) else { return Ok(()) };
        let receipt = self.hand_over(serve::MAIL, id, sent.signed, &sent.outside).await?;
        self.hear(receipt).await
    }

    async fn hand_to_keeper(&self, id: EnvelopeId) -> Result<(), Trouble> {
        let sent = self.post.0.lock().sent.get(&id).cloned();
        let waits = |stage| matches!(stage, Stage::Queued | Stage::Held);
        let Some(sent) = sent.filter(|sent| waits(sent.stage)) else { return Ok(()) };
        let receipt = self.hand_over(serve::KEEP, id, sent.signed, &sent.outside).await?;
        self.hear(receipt).await
    }

    async fn hear(&self, receipt: SignedReceipt) -> Result<(), Trouble> {
        let heard = self.post.hear(&[receipt], Some(self.peer)).await;
        heard.map_err(|fault| Trouble::Lost(fault.message))
    }

    async fn pass_on(&self, id: EnvelopeId) -> Result<(), Trouble> {
        let kept = self.post.0.lock().kept.get(&id).cloned();
        let Some(kept) = kept else { return Ok(()) };
        let receipt = self.hand_over(serve::MAIL, id, kept.signed, &kept.outside).await?;
        let fate = receipt.verify().map_err(odd)?;
        if fate.author() != kept.outside.recipient() || fate.hash != kept.outside.hash {
            return Err(odd("the receipt is for something else"));
        }
        let sender = kept.outside.sender().unwrap_or(self.post.0.me);
        let done = Done::new(receipt, &sender, true, now_ms());
        let noted = self.post.0.change(move |state| {
            state.put_done(id, done);
            state.remove_kept(&id);
        });
        noted.await.map_err(odd)?;
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
        match self.ask(serve::MAIL, Request::Receipts(told), None, LEAST_MS, None).await {
            Ok(Response::Noted) => {}
            Ok(_) => return Err("it answered something else".to_owned()),
            Err(trouble) => return Err(trouble.why()),
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

    /// Hands one letter over, and gives what was signed for it. Also one that this disk has damaged is
    /// offered, without its body: who has it from somebody else says so.
    async fn hand_over(
        &self,
        capability: &'static str,
        id: EnvelopeId,
        envelope: SignedEnvelope,
        outside: &Envelope,
    ) -> Result<SignedReceipt, Trouble> {
        let shared = &self.post.0;
        let inline = match shared.is_damaged(&id) {
            true => None,
            false => shared.inline_body(outside).await.map_err(Trouble::Lost)?,
        };
        let bare = inline.is_none() && outside.size <= MAX_INLINE as u64;
        let time = LEAST_MS + outside.size / BYTES_A_MS;
        let _offer = shared.offers.offer(self.peer, id);
        let input = inline.map(Payload::Inline);
        let asked = self.ask(capability, Request::Letter(envelope), input, time, Some(id)).await;
        if shared.rests(&id) && asked.is_err() {
            return Err(Trouble::Rests);
        }
        if asked.is_err() && (bare || shared.is_damaged(&id)) {
            return Err(Trouble::Damaged);
        }
        let Response::Receipt(signed) = asked? else {
            return Err(odd("it answered something else"));
        };
        let receipt = signed.verify().map_err(odd)?;
        let own_word = receipt.author() == Some(self.peer) || receipt.fate != Fate::Held;
        if receipt.envelope != id || receipt.hash != outside.hash || !own_word {
            return Err(odd("it signed for something else"));
        }
        Ok(signed)
    }

    async fn ask(
        &self,
        capability: &'static str,
        request: Request,
        input: Option<Payload>,
        time_ms: u64,
        letter: Option<EnvelopeId>,
    ) -> Result<Response, Trouble> {
        let deadline_ms = u32::try_from(time_ms).unwrap_or(u32::MAX).min(MAX_DEADLINE_MS);
        let request = CallRequest {
            call: self.local.next_call.fetch_add(1, Ordering::Relaxed),
            capability: capability.to_owned(),
            deadline_ms,
            args: encode(&request).map_err(odd)?,
            input,
            progress: false,
        };
        let number = request.call;
        let attempt = Attempt { progress: None, reached: None, again: true };
        let calling = self.local.caller.call(self.peer, request, attempt);
        let limit = Duration::from_millis(u64::from(deadline_ms) + 1_000);
        let rests = async {
            match &letter {
                Some(id) => self.post.0.until_it_rests(id).await,
                None => std::future::pending().await,
            }
        };
        let given_up = tokio::select! {
            answer = calling => Ok(answer.map_err(|lost| Trouble::Lost(lost.why))?),
            () = tokio::time::sleep(limit) => Err(Trouble::Lost("it did not answer".to_owned())),
            () = rests => Err(Trouble::Rests),
        };
        let answer = given_up.inspect_err(|_| self.local.caller.cancel(self.peer, number))?;
        match answer.outcome {
            CallOutcome::Done(output) => decode(&output.body).map_err(odd),
            CallOutcome::Busy { .. } => Err(Trouble::Lost("it is busy".to_owned())),
            CallOutcome::Refused { reason } => Err(Trouble::Declined(reason)),
            CallOutcome::Failed(fault) => Err(match fault.kind {
                FaultKind::BadInput | FaultKind::TooLarge => Trouble::Declined(fault.message),
                // It is starting or stopping, its disk fails, the body did not arrive.
                _ => Trouble::Lost(fault.message),
            }),
        }
    }

    /// Notes what became of a hand-over. An error is one of the node, and not of the letter.
    fn note(&self, id: EnvelopeId, done: Result<(), Trouble>) -> Result<(), String> {
        let mut declined = self.post.0.all_declined();
        let Err(trouble) = done else {
            if let Some(who) = declined.get_mut(&id) {
                who.remove(&self.peer);
            }
            return Ok(());
        };
        let until = match trouble {
            // Whoever lets it go on says so.
            Trouble::Rests => return Ok(()),
            // As soon as they can be reached.
            Trouble::Lost(_) => 0,
            Trouble::Declined(_) => now_ms() + DECLINED_MS,
            // Another holder may bring it at any moment.
            Trouble::Damaged if self.post.0.is_damaged(&id) => now_ms() + DAMAGED_MS,
            // It was mended meanwhile.
            Trouble::Damaged => 0,
        };
        let lost = matches!(trouble, Trouble::Lost(_));
        let why = trouble.why();
        tracing::debug!(peer = %self.peer, %id, why, "a letter was not taken");
        let decline = Decline { why: why.clone(), until };
        declined.entry(id).or_default().insert(self.peer, decline);
        if lost { Err(why) } else { Ok(()) }
    }
}

impl Trouble {
    fn why(self) -> String {
        match self {
            Self::Declined(why) | Self::Lost(why) => why,
            Self::Damaged => "it is damaged on this disk".to_owned(),
            Self::Rests => "it rests".to_owned(),
        }
    }
}

impl Post {
    /// A node may be brought again what it did not take.
    pub(in super::super) fn is_welcome_at(&self, peer: &PeerId) {
        self.0.all_declined().values_mut().for_each(|who| drop(who.remove(peer)));
        self.0.wake.notify_one();
    }
}

impl Shared {
    /// Who declines what now.
    pub(super) fn declined(&self, now: u64) -> Declined {
        let mut all = self.all_declined();
        let waiting = |id: &EnvelopeId| {
            let state = self.lock();
            state.kept.contains_key(id)
                || state.sent.get(id).is_some_and(|sent| !sent.stage.is_over())
        };
        all.retain(|id, who| !who.is_empty() && waiting(id));
        let mut current = all.clone();
        current.values_mut().for_each(|who| who.retain(|_, decline| now < decline.until));
        current
    }

    /// Also what was said before, and by whom.
    pub(in super::super) fn all_declined(&self) -> std::sync::MutexGuard<'_, Declined> {
        self.declined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A keeper does not have a letter that it signed for.
    async fn lost_by(&self, id: EnvelopeId, keeper: PeerId) -> Result<(), String> {
        let noted = self.change(move |state| {
            let sent = state.sent.get(&id).cloned();
            let Some(mut sent) = sent.filter(|sent| !sent.stage.is_over()) else { return };
            if sent.lost_by(&keeper, now_ms()) {
                tracing::warn!(%keeper, %id, "a keeper has not the letter that it signed for; another one gets it");
                state.put_sent(sent);
            }
        });
        noted.await.map_err(|e| e.to_string())
    }

    /// The sealed body of a small letter; `None` for a large one, which is fetched, and for one that is
    /// damaged.
    async fn inline_body(self: &Arc<Self>, outside: &Envelope) -> Result<Option<Vec<u8>>, String> {
        if outside.size > MAX_INLINE as u64 {
            return Ok(None);
        }
        let (shared, id, small) = (self.clone(), outside.id, outside.size <= SMALL);
        let read = tokio::task::spawn_blocking(move || match small {
            true => match shared.small(&id).map_err(io::Error::other)? {
                Some(body) => Ok(body.to_vec()),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            false => std::fs::read(shared.store.sealed(&id)),
        });
        match read.await.map_err(|e| e.to_string())? {
            Ok(bytes) if Outline::of(&bytes).root() == outside.hash => Ok(Some(bytes)),
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                // A disk that fails now, or too many open files: it may be read later.
                Err(format!("the letter cannot be read: {e}"))
            }
            _ => {
                // It may have been delivered by another node meanwhile.
                let waits = {
                    let state = self.lock();
                    let own = state.sent.get(&outside.id);
                    own.is_some_and(|sent| !sent.stage.is_over())
                        || state.kept.contains_key(&outside.id)
                };
                if waits {
                    self.found_damaged(outside.id);
                }
                Ok(None)
            }
        }
    }
}

fn odd(error: impl std::fmt::Display) -> Trouble {
    Trouble::Declined(error.to_string())
}
