//! One call under way: does what its [`Plan`] says.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use hashbrown::HashMap;
use libp2p::PeerId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Call, input::Prepared, local::Local};
use crate::{
    calls::{self, Undelivered},
    network::{PeerView, Snapshot, now_ms},
    protocol::{
        Answer, CallOutcome, CallRequest, Fault, FaultKind, MAX_DATA, Offer, Output, Payload,
        Repeat,
    },
    router::{self, Candidate, Plan, PlanEffect, PlanEnd, PlanEvent, Ranked, Work},
    say::reasons,
    service::{Data, Origin},
    services::about,
};

/// An attempt that is given up after this time counts as silence of its peer.
const SILENT_MS: u64 = 5_000;
/// How long a call waits for others when this node knows why it cannot serve it itself.
const HOPELESS_MS: u64 = 1_000;
/// Inputs above this tell something about throughput.
const LARGE: u64 = 64 * 1024;

/// How an attempt ended, with what belongs to the answer.
type Ended = Result<(Answer, Option<Data>), Trouble>;
type Attempt<'a> = Pin<Box<dyn Future<Output = (PeerId, Ended)> + Send + 'a>>;

/// Why an attempt has no answer.
enum Trouble {
    Undelivered(Undelivered),
    /// The input cannot be read here.
    NoInput(Fault),
}

/// One call under way.
pub(super) struct Run<'a> {
    local: &'a Arc<Local>,
    pub(super) plan: Plan,
    call: &'a Call,
    /// Its name, as maps are keyed by it.
    capability: Arc<str>,
    input: &'a Prepared,
    deadline_at: u64,
    attempts: FuturesUnordered<Attempt<'a>>,
    /// Set when the call is on its way to that peer; what the plan knows is taken out.
    reached: Vec<(PeerId, Arc<AtomicBool>)>,
    running: Running<'a>,
    wake: Option<u64>,
    pub(super) output: Option<(Output, Option<Data>)>,
    /// Client ids and nicknames of those who were tried: a peer that dies leaves the directory,
    /// not the route.
    pub(super) names: HashMap<PeerId, (Arc<str>, String)>,
}

/// The attempts that peers work on now. Dropping it tells them to stop.
struct Running<'a> {
    local: &'a Arc<Local>,
    calls: HashMap<PeerId, Started>,
}

struct Started {
    number: u64,
    capability: Arc<str>,
    /// Stops the work, when this node does it itself.
    here: CancellationToken,
}

impl<'a> Run<'a> {
    /// A call whose plan is made.
    pub(super) fn new(
        local: &'a Arc<Local>,
        plan: Plan,
        call: &'a Call,
        input: &'a Prepared,
        deadline_at: u64,
    ) -> Self {
        Self {
            local,
            plan,
            call,
            capability: call.capability.as_str().into(),
            input,
            deadline_at,
            attempts: FuturesUnordered::new(),
            reached: Vec::new(),
            running: Running { local, calls: HashMap::new() },
            wake: None,
            output: None,
            names: HashMap::new(),
        }
    }

    /// Runs to the end. Dropping the future stops the work at every peer.
    pub(super) async fn drive(&mut self) -> PlanEnd {
        let first = PlanEvent::Start(self.rank());
        let mut effects: VecDeque<_> = self.plan.handle(first, now_ms()).into();
        loop {
            while let Some(effect) = effects.pop_front() {
                match effect {
                    PlanEffect::Send { peer, .. } => self.send(peer),
                    PlanEffect::Cancel { peer } => {
                        self.note_silence(peer);
                        self.running.stop(&peer);
                    }
                    PlanEffect::Wake { at } => self.wake = Some(at),
                    PlanEffect::Rerank => {
                        if self.hopeless() {
                            self.plan.hurry(HOPELESS_MS);
                        }
                        let event = PlanEvent::Start(self.rank());
                        effects.extend(self.plan.handle(event, now_ms()));
                    }
                    PlanEffect::Finish(end) => {
                        self.note_contradicted(&end);
                        return end;
                    }
                }
            }
            let wake = self.wake.unwrap_or(self.deadline_at);
            let until =
                Instant::now() + Duration::from_millis(wake.saturating_sub(now_ms()).max(1));
            let event = tokio::select! {
                Some((peer, result)) = self.attempts.next() => self.on_result(peer, result),
                () = tokio::time::sleep_until(until) => {
                    self.wake = None;
                    PlanEvent::Timer
                }
            };
            effects.extend(self.note_reached());
            effects.extend(self.plan.handle(event, now_ms()));
        }
    }

    /// Tells the plan whom the call has reached since the last time. Nothing waits for it: it only
    /// counts when something else happens.
    fn note_reached(&mut self) -> Vec<PlanEffect> {
        let mut effects = Vec::new();
        let plan = &mut self.plan;
        self.reached.retain(|(peer, reached)| {
            let news = reached.load(Ordering::Relaxed);
            if news {
                effects.extend(plan.handle(PlanEvent::Reached { peer: *peer }, now_ms()));
            }
            !news
        });
        effects
    }

    fn rank(&self) -> Vec<Ranked> {
        let now = now_ms();
        let snapshot = self.local.network.snapshot();
        let candidates = candidates(self.local, self.call, &self.capability, &snapshot, now);
        let health = self.local.health();
        router::rank(&self.work(), &candidates, &health, now, &mut rand::rng())
    }

    /// Whether this node was set up to serve this and knows by now that it cannot.
    fn hopeless(&self) -> bool {
        let mine = self.call.only.is_none_or(|only| only == self.local.network.me());
        let service = self.local.registry.get(&self.call.capability).filter(|_| mine);
        service.is_some_and(|own| !own.loading() && own.configured() && own.trouble().is_some())
    }

    fn work(&self) -> Work<'a> {
        Work {
            capability: &self.call.capability,
            variant: self.call.variant.as_deref(),
            bytes: self.input.len(),
        }
    }

    fn send(&mut self, peer: PeerId) {
        self.names.entry(peer).or_insert_with(|| {
            if peer == self.local.network.me() {
                return (self.local.id.clone(), self.local.name.clone());
            }
            match self.local.network.snapshot().peers.get(&peer) {
                Some(view) => (view.id.clone(), view.advert.name.clone()),
                None => (peer.to_string().into(), String::new()),
            }
        });
        let number = self.local.next_call.fetch_add(1, Ordering::Relaxed);
        let mut request = CallRequest {
            call: number,
            capability: self.call.capability.clone(),
            deadline_ms: u32::try_from(self.deadline_at.saturating_sub(now_ms()))
                .unwrap_or(u32::MAX)
                .clamp(1, crate::protocol::MAX_DEADLINE_MS),
            args: self.call.args.clone(),
            input: None,
            progress: self.call.progress.is_some(),
        };
        let cancel = self.running.start(peer, number, &self.capability);
        let local = self.local.clone();
        if peer == local.network.me() {
            let progress = self.call.progress.clone();
            let origin = Origin::new(peer, progress, cancel);
            let home;
            (request.input, home) = self.input.at_home();
            self.attempts.push(Box::pin(async move {
                let gone =
                    || CallOutcome::Failed(Fault::new(FaultKind::InputLost, reasons::input_gone()));
                let fetch = move |_, _| async move { home.ok_or_else(gone) };
                (peer, Ok(local.dispatch.serve(origin, request, fetch).await))
            }));
            return;
        }
        let hop = self.plan.route().iter().rev().find(|hop| hop.peer == peer);
        let reached = Arc::new(AtomicBool::new(false));
        self.reached.push((peer, reached.clone()));
        let attempt = calls::Attempt {
            progress: self.call.progress.clone(),
            reached: Some(reached),
            again: hop.is_some_and(|hop| hop.repeat == Repeat::Safe),
        };
        let input = self.input;
        self.attempts.push(Box::pin(async move {
            match input.wire(&local, peer).await {
                Ok(payload) => request.input = payload,
                // The file went away under our hands: no peer would do better.
                Err(fault) => return (peer, Err(Trouble::NoInput(fault))),
            }
            let answered = local.caller.call(peer, request, attempt).await;
            let ended = match answered {
                Ok(answer) => with_data(&local, peer, number, answer).await,
                Err(lost) => Err(Trouble::Undelivered(lost)),
            };
            (peer, ended)
        }));
    }

    fn on_result(&mut self, peer: PeerId, result: Ended) -> PlanEvent {
        let now = now_ms();
        self.running.ended(&peer);
        let capability = &self.call.capability;
        let took = self
            .plan
            .route()
            .iter()
            .rev()
            .find(|hop| hop.peer == peer)
            .map_or(0, |hop| now.saturating_sub(hop.started_at));
        let (answer, data) = match result {
            Ok(ended) => ended,
            Err(Trouble::NoInput(fault)) => return PlanEvent::NoInput { fault },
            Err(Trouble::Undelivered(Undelivered { reached, own, why })) => {
                if !own {
                    self.local.health().failed(&peer, now);
                }
                return PlanEvent::Lost { peer, reached, own, why };
            }
        };
        let key = (peer, self.capability.clone());
        self.local.traffic().queues.insert(key, (answer.queue, now));
        match answer.outcome {
            CallOutcome::Done(output) if !self.readable(&output) => {
                self.local.health().failed(&peer, now);
                PlanEvent::Failed { peer, fault: Fault::internal(reasons::unreadable_answer()) }
            }
            CallOutcome::Done(output) => {
                self.local.health().answered(capability, &peer, took as f64, now);
                self.note_throughput(peer, took, &output);
                self.note_work(peer, took, &output);
                if self.output.is_none() {
                    self.output = Some((output, data));
                }
                PlanEvent::Answered { peer }
            }
            CallOutcome::Busy { retry_after_ms } => {
                let retry_after_ms = u64::from(retry_after_ms);
                self.local.health().busy(capability, &peer, retry_after_ms, now);
                PlanEvent::Busy { peer, retry_after_ms }
            }
            CallOutcome::Refused { reason } => PlanEvent::Refused { peer, reason },
            CallOutcome::Failed(fault) => {
                if fault.kind == FaultKind::Internal {
                    self.local.health().failed(&peer, now);
                }
                PlanEvent::Failed { peer, fault }
            }
        }
    }

    /// A copy that is given up although it was sent long before the others did not keep up: the
    /// next calls prefer other peers.
    fn note_silence(&self, peer: PeerId) {
        let now = now_ms();
        let hop = self.plan.route().iter().rev().find(|hop| hop.peer == peer);
        if let Some(hop) = hop
            && now.saturating_sub(hop.started_at) >= SILENT_MS
        {
            self.local.health().failed(&peer, now);
        }
    }

    /// Whether an answer is one of this capability, as far as this program knows it.
    fn readable(&self, output: &Output) -> bool {
        let service = self.local.registry.get(&self.call.capability);
        service.is_none_or(|service| service.reads(&output.body))
    }

    /// Whoever said that the call is wrong, and was answered by somebody else all the same, is
    /// asked later from now on. An answer that nobody could check contradicts nobody.
    fn note_contradicted(&self, end: &PlanEnd) {
        let PlanEnd::Answered { .. } = end else { return };
        if self.local.registry.get(&self.call.capability).is_none() {
            return;
        }
        for peer in self.plan.doubters() {
            self.local.health().failed(&peer, now_ms());
        }
    }

    /// What the work took, as measured here: of the time that it says it waited, at most half of
    /// all is believed.
    fn note_work(&self, peer: PeerId, took: u64, output: &Output) {
        let view = self.local.network.snapshot().peers.get(&peer).and_then(|view| view.rtt_ms);
        let way = f64::from(view.unwrap_or(0.0)) + self.transfer_ms(peer);
        let took = (took as f64 - way).max(0.0);
        let work = took - f64::from(output.waited_ms).min(took / 2.0);
        self.local.health().took(&self.work(), &peer, work, now_ms());
    }

    fn transfer_ms(&self, peer: PeerId) -> f64 {
        let known = self.local.traffic().throughput.get(&peer).copied();
        known.map_or(0.0, |measured| 1000.0 * self.input.len() as f64 / measured.max(1.0))
    }

    fn note_throughput(&self, peer: PeerId, took: u64, output: &Output) {
        let bytes = self.input.len();
        if bytes < LARGE || peer == self.local.network.me() {
            return;
        }
        let moving =
            took.saturating_sub(u64::from(output.waited_ms) + u64::from(output.ran_ms)).max(1);
        let measured = bytes as f64 * 1000.0 / moving as f64;
        let mut traffic = self.local.traffic();
        let known = traffic.throughput.entry(peer).or_insert(measured);
        *known = 0.8 * *known + 0.2 * measured;
    }
}

impl Running<'_> {
    fn start(&mut self, peer: PeerId, number: u64, capability: &Arc<str>) -> CancellationToken {
        *self.local.traffic().in_flight.entry((peer, capability.clone())).or_default() += 1;
        let here = CancellationToken::new();
        let capability = capability.clone();
        self.calls.insert(peer, Started { number, capability, here: here.clone() });
        here
    }

    /// The attempt is over; there is nothing to stop.
    fn ended(&mut self, peer: &PeerId) {
        let Some(Started { capability, .. }) = self.calls.remove(peer) else { return };
        let mut traffic = self.local.traffic();
        let key = (*peer, capability);
        if let Some(count) = traffic.in_flight.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                traffic.in_flight.remove(&key);
            }
        }
    }

    fn stop(&mut self, peer: &PeerId) {
        let Some(started) = self.calls.get(peer) else { return };
        started.here.cancel();
        if *peer != self.local.network.me() {
            self.local.caller.cancel(*peer, started.number);
        }
        self.ended(peer);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let peers: Vec<_> = self.calls.keys().copied().collect();
        for peer in peers {
            self.stop(&peer);
        }
    }
}

/// Brings what belongs to an answer. An answer without it is none.
async fn with_data(local: &Local, peer: PeerId, number: u64, mut answer: Answer) -> Ended {
    let data = match &mut answer.outcome {
        CallOutcome::Done(output) => output.data.take(),
        _ => None,
    };
    let data = match data {
        None => None,
        Some(Payload::Inline(bytes)) => Some(Data::Bytes(bytes.into())),
        Some(Payload::Blob { size, .. }) if size > MAX_DATA => {
            local.caller.cancel(peer, number);
            let why = format!("its answer has {size} bytes, which is too much");
            return Err(Trouble::Undelivered(Undelivered::lost(why)));
        }
        Some(Payload::Blob { hash, size }) => {
            let fetched = local.blobs.fetch(peer, hash, size).await;
            local.caller.cancel(peer, number);
            let path = fetched.map_err(|e| {
                let why = format!("its answer did not arrive: {e}");
                Trouble::Undelivered(Undelivered::lost(why))
            })?;
            Some(Data::Blob { path: path.into(), size })
        }
    };
    Ok((answer, data))
}

fn candidates(
    local: &Local,
    call: &Call,
    capability: &Arc<str>,
    snapshot: &Snapshot,
    now: u64,
) -> Vec<Candidate> {
    let me = local.network.me();
    let traffic = local.traffic();
    // What this program knows of the capability outweighs what others say.
    let own = local.registry.get(&call.capability).map(|service| service.capability().repeat);
    let fits = |offer: &&Offer| {
        offer.capability == call.capability
            && call.variant.as_ref().is_none_or(|v| offer.variants.contains(v))
    };
    let make = |peer: PeerId, offer: &Offer, view: Option<&PeerView>| {
        let key = (peer, capability.clone());
        let heard_at = view.map_or(now, |v| v.heard_at);
        // The last answer may be newer than the last advert.
        let (queue, as_of) = match traffic.queues.get(&key) {
            Some((queue, at)) if *at > heard_at => (*queue, *at),
            _ => (offer.queue, heard_at),
        };
        Candidate {
            peer,
            me: view.is_none(),
            call_ms: offer.call_ms,
            slots: offer.slots,
            queue,
            heard_ms_ago: now.saturating_sub(as_of),
            in_flight: traffic.in_flight.get(&key).copied().unwrap_or(0),
            rtt_ms: view.and_then(|v| v.rtt_ms).unwrap_or(0.0),
            throughput: traffic.throughput.get(&peer).copied().unwrap_or(0.0),
            suspect: view.is_some_and(|v| v.suspect),
            connected: view.is_none_or(|v| v.connected),
            met: view.is_none_or(|v| v.met),
            repeat: own.unwrap_or(offer.repeat),
        }
    };
    // Every node tells of itself, and needs no advert for that; it is asked by name.
    if let (about::NAME, Some(only)) = (&call.capability[..], call.only) {
        let view = snapshot.peers.get(&only);
        let there = only == me || view.is_some();
        return there.then(|| make(only, &about::offer(), view)).into_iter().collect();
    }
    let offers = local.offers();
    let here = offers.iter().find(fits).map(|offer| make(me, offer, None));
    let there = snapshot.peers.iter().filter_map(|(peer, view)| {
        view.advert.offers.iter().find(fits).map(|offer| make(*peer, offer, Some(view)))
    });
    here.into_iter().chain(there).filter(|c| call.only.is_none_or(|o| o == c.peer)).collect()
}
