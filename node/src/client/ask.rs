//! One call from the caller's side: rank, send, fail over, hedge, and report the route.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::Instant};

use super::{Client, Inner};
use crate::{
    blobs::{BlobOffer, Outline, Source, outline_of_file},
    network::{Lost, PeerView, Snapshot, now_ms},
    protocol::{
        Answer, CallOutcome, CallRequest, Fault, FaultKind, Input, MAX_INLINE, Offer, Output,
        Request,
    },
    router::{
        self, Candidate, HopOutcome, Plan, PlanEffect, PlanEnd, PlanEvent, PlanSettings, Ranked,
    },
    service::{Caller, InputData, Progress},
};

/// Peers that may fail one call.
const MAX_ATTEMPTS: u32 = 8;
/// How long a call waits for somebody who offers the capability.
const GRACE_MS: u64 = 3_000;
/// The shortest and longest silence of a peer before anything is known of its usual time.
const SILENCE_MS: (u64, u64) = (500, 5_000);
/// Inputs above this tell something about throughput.
const LARGE: u64 = 64 * 1024;

/// What is asked of the mesh.
#[derive(Debug, Clone)]
pub struct Call {
    /// `name/version`.
    pub capability: String,
    /// A model or other variant that the server must have.
    pub variant: Option<String>,
    /// The capability's own request, in CBOR.
    pub args: Vec<u8>,
    /// The bytes to work on.
    pub input: Option<CallInput>,
    /// All the time there is.
    pub timeout: Duration,
    /// Only this peer may serve.
    pub only: Option<PeerId>,
    /// Where progress goes.
    pub progress: Option<mpsc::Sender<Progress>>,
}

/// Where the input of a call is.
#[derive(Debug, Clone)]
pub enum CallInput {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file.
    File(PathBuf),
}

/// A call that was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The capability's own response, in CBOR.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

/// A node that served a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
}

/// One attempt, for `--explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteHop {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// When it was expected to be done, in milliseconds.
    pub expected_ms: f64,
    /// How long the attempt took.
    pub milliseconds: u64,
    /// `answered`, `busy`, `refused`, `failed`, `lost`, `cancelled`.
    pub outcome: String,
    /// What the peer or the network said.
    pub detail: Option<String>,
    /// Whether it was a second copy, sent because the first took unusually long.
    pub hedge: bool,
}

/// A call that was not answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// What a program should make of it.
    pub kind: FailureKind,
    /// What a person should make of it.
    pub message: String,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
}

/// What a program should make of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The input is wrong.
    BadInput,
    /// Nobody offers the capability or has the model.
    NobodyServes,
    /// Whoever was tried failed.
    PeerFailed,
    /// The owner's policy says no.
    Refused,
    /// The deadline passed.
    TimedOut,
}

impl Client {
    /// Asks the mesh, this node included. Dropping the future stops the work everywhere.
    pub async fn call(&self, call: Call) -> Result<Reply, CallFailure> {
        let started = now_ms();
        let input = match prepare(&self.inner, call.input.clone()).await {
            Ok(input) => input,
            Err(fault) => {
                return Err(CallFailure {
                    kind: FailureKind::BadInput,
                    message: fault.message,
                    route: vec![],
                });
            }
        };
        let settings = PlanSettings {
            deadline_at: started.saturating_add(
                u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX / 2),
            ),
            max_attempts: MAX_ATTEMPTS,
            hedge_after_ms: Some(self.patience_ms(&call)),
            idempotent: true,
            grace_ms: GRACE_MS,
        };
        let deadline_at = settings.deadline_at;
        let mut run = Run {
            inner: &self.inner,
            plan: Plan::new(settings, started),
            call: &call,
            input: &input,
            deadline_at,
            attempts: FuturesUnordered::new(),
            running: Running { inner: &self.inner, calls: HashMap::new() },
            wake: None,
            output: None,
            names: HashMap::new(),
        };
        let end = run.to_end().await;
        let Run { plan, output, names, .. } = run;
        self.finish(&call, route(&plan, &names), end, output, started)
    }

    /// How long a peer may be silent before a second one is asked: the usual p95, and before
    /// anything is usual a share of the time there is. A peer that takes calls and never answers
    /// costs this much, not the whole deadline.
    fn patience_ms(&self, call: &Call) -> u64 {
        let usual = self.inner.health().hedge_after_ms(&call.capability);
        usual.unwrap_or_else(|| {
            let all = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
            (all / 4).clamp(SILENCE_MS.0, SILENCE_MS.1)
        })
    }

    fn finish(
        &self,
        call: &Call,
        route: Vec<RouteHop>,
        end: PlanEnd,
        output: Option<Output>,
        started: u64,
    ) -> Result<Reply, CallFailure> {
        let snapshot = self.snapshot();
        let (kind, message) = match (end, output) {
            (PlanEnd::Answered { peer }, Some(output)) => {
                return Ok(Reply {
                    body: output.body,
                    served_by: served_by(&peer, &route),
                    route,
                    milliseconds: now_ms().saturating_sub(started),
                });
            }
            (PlanEnd::Answered { .. }, None) => {
                (FailureKind::PeerFailed, "the answer was lost".to_owned())
            }
            (PlanEnd::Failed(fault), _) => (failure_kind(fault.kind), fault.message),
            (PlanEnd::NobodyOffers, _) => {
                (FailureKind::NobodyServes, nobody(call, &snapshot, self))
            }
            (PlanEnd::AllFailed { last }, _) => {
                let kind = match last.kind {
                    FaultKind::NotOffered | FaultKind::NoVariant => FailureKind::NobodyServes,
                    FaultKind::TooLarge => FailureKind::BadInput,
                    _ => FailureKind::PeerFailed,
                };
                (kind, last.message)
            }
            (PlanEnd::Refused { reason }, _) => (FailureKind::Refused, reason),
            (PlanEnd::TimedOut | PlanEnd::Cancelled, _) => (
                FailureKind::TimedOut,
                format!("no answer within {} s; --timeout allows more", call.timeout.as_secs_f32()),
            ),
        };
        Err(CallFailure { kind, message, route })
    }
}

fn failure_kind(kind: FaultKind) -> FailureKind {
    match kind {
        FaultKind::BadInput | FaultKind::TooLarge => FailureKind::BadInput,
        FaultKind::NotOffered | FaultKind::NoVariant => FailureKind::NobodyServes,
        FaultKind::Deadline | FaultKind::Cancelled => FailureKind::TimedOut,
        FaultKind::InputLost | FaultKind::Internal => FailureKind::PeerFailed,
    }
}

fn nobody(call: &Call, snapshot: &Snapshot, client: &Client) -> String {
    let mine = client.offers();
    let offers = |o: &Offer| o.capability == call.capability;
    let mut variants: Vec<&String> = snapshot
        .peers
        .values()
        .flat_map(|p| p.advert.offers.iter())
        .chain(&mine)
        .filter(|o| offers(o))
        .flat_map(|o| &o.variants)
        .collect();
    variants.sort();
    variants.dedup();
    let names = |all: &[&String]| {
        all.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", ")
    };
    match (&call.variant, call.only) {
        (_, Some(only)) => format!(
            "{} does not offer {} or is not there",
            name_of(&only, snapshot, client),
            call.capability
        ),
        (Some(variant), None) if !variants.is_empty() => {
            format!("nobody here has the model {variant}; there are: {}", names(&variants))
        }
        _ => {
            let mut known: Vec<&String> = snapshot
                .peers
                .values()
                .flat_map(|p| p.advert.offers.iter())
                .chain(&mine)
                .map(|o| &o.capability)
                .collect();
            known.sort();
            known.dedup();
            let known = match known.as_slice() {
                [] => "nothing".to_owned(),
                some => names(some),
            };
            format!(
                "nobody here offers {} (offered: {known}). Start a node that does, or see `potluck doctor`",
                call.capability
            )
        }
    }
}

fn name_of(peer: &PeerId, snapshot: &Snapshot, client: &Client) -> String {
    if *peer == client.id() {
        return client.name().to_owned();
    }
    snapshot.peers.get(peer).map_or_else(|| peer.to_string(), |view| view.advert.name.clone())
}

fn served_by(peer: &PeerId, route: &[RouteHop]) -> Served {
    let id = peer.to_string();
    let hop = route.iter().rev().find(|hop| hop.id == id);
    Served { name: hop.map_or_else(|| id.clone(), |hop| hop.name.clone()), id }
}

fn route(plan: &Plan, names: &HashMap<PeerId, String>) -> Vec<RouteHop> {
    let now = now_ms();
    plan.route()
        .iter()
        .map(|hop| {
            let (outcome, detail) = match &hop.outcome {
                HopOutcome::Running => ("running", None),
                HopOutcome::Answered => ("answered", None),
                HopOutcome::Busy { retry_after_ms } => {
                    ("busy", Some(format!("free again in about {retry_after_ms} ms")))
                }
                HopOutcome::Refused(reason) => ("refused", Some(reason.clone())),
                HopOutcome::Failed(message) => ("failed", Some(message.clone())),
                HopOutcome::Lost(why) => ("lost", Some(why.clone())),
                HopOutcome::Cancelled => ("cancelled", None),
            };
            RouteHop {
                id: hop.peer.to_string(),
                name: names.get(&hop.peer).cloned().unwrap_or_default(),
                expected_ms: (hop.expected_ms * 10.0).round() / 10.0,
                milliseconds: hop.ended_at.unwrap_or(now).saturating_sub(hop.started_at),
                outcome: outcome.to_owned(),
                detail,
                hedge: hop.hedge,
            }
        })
        .collect()
}

/// The input as it travels, and as it is served at home.
enum Prepared {
    None,
    Inline(Arc<[u8]>),
    Offered { offer: BlobOffer, source: Source },
}

async fn prepare(inner: &Inner, input: Option<CallInput>) -> Result<Prepared, Fault> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Fault::bad_input(format!("the input cannot be read: {e}"))
    };
    let Some(input) = input else { return Ok(Prepared::None) };
    let read = tokio::task::spawn_blocking(move || match input {
        CallInput::Bytes(bytes) if bytes.len() <= MAX_INLINE => Ok((Some(bytes), None)),
        CallInput::Bytes(bytes) => {
            let outline = Outline::of(&bytes);
            Ok((None, Some((Source::Bytes(bytes), outline))))
        }
        CallInput::File(path) => {
            if std::fs::metadata(&path)?.len() <= MAX_INLINE as u64 {
                let bytes = std::fs::read(&path)?;
                return Ok((Some(bytes.into()), None));
            }
            let outline = outline_of_file(&path)?;
            Ok::<_, std::io::Error>((None, Some((Source::File(path), outline))))
        }
    });
    let read = read.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))?;
    Ok(match read {
        (Some(bytes), _) => Prepared::Inline(bytes),
        (None, Some((source, outline))) => {
            let offer = inner.blobs.offer(source.clone(), outline);
            Prepared::Offered { offer, source }
        }
        (None, None) => Prepared::None,
    })
}

impl Prepared {
    fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Offered { offer, .. } => offer.size,
        }
    }

    fn wire(&self) -> Option<Input> {
        match self {
            Self::None => None,
            Self::Inline(bytes) => Some(Input::Inline(bytes.to_vec())),
            Self::Offered { offer, .. } => {
                Some(Input::Blob { hash: offer.hash, size: offer.size })
            }
        }
    }

    fn at_home(&self) -> Option<InputData> {
        match self {
            Self::Offered { source: Source::Bytes(bytes), .. } => {
                Some(InputData::Bytes(bytes.clone()))
            }
            Self::Offered { source: Source::File(path), offer } => {
                Some(InputData::File { path: path.clone(), size: offer.size })
            }
            _ => None,
        }
    }
}

type Attempt<'a> = Pin<Box<dyn Future<Output = (PeerId, Result<Answer, Lost>)> + Send + 'a>>;

/// One call under way.
struct Run<'a> {
    inner: &'a Arc<Inner>,
    plan: Plan,
    call: &'a Call,
    input: &'a Prepared,
    deadline_at: u64,
    attempts: FuturesUnordered<Attempt<'a>>,
    running: Running<'a>,
    wake: Option<u64>,
    output: Option<Output>,
    /// Nicknames of those who were tried: a peer that dies leaves the directory, not the route.
    names: HashMap<PeerId, String>,
}

/// The attempts that peers work on now. Dropping it tells them to stop.
struct Running<'a> {
    inner: &'a Arc<Inner>,
    calls: HashMap<PeerId, (u64, String)>,
}

impl Run<'_> {
    async fn to_end(&mut self) -> PlanEnd {
        let first = PlanEvent::Start(self.rank());
        let mut effects: VecDeque<_> = self.plan.handle(first, now_ms()).into();
        loop {
            while let Some(effect) = effects.pop_front() {
                match effect {
                    PlanEffect::Send { peer, .. } => self.send(peer),
                    PlanEffect::Cancel { peer } => self.running.stop(&peer),
                    PlanEffect::Wake { at } => self.wake = Some(at),
                    PlanEffect::Rerank => {
                        let event = PlanEvent::Start(self.rank());
                        effects.extend(self.plan.handle(event, now_ms()));
                    }
                    PlanEffect::Finish(end) => return end,
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
            effects.extend(self.plan.handle(event, now_ms()));
        }
    }

    fn rank(&self) -> Vec<Ranked> {
        let now = now_ms();
        let snapshot = self.inner.network.snapshot();
        let candidates = candidates(self.inner, self.call, &snapshot, now);
        let health = self.inner.health();
        let bytes = self.input.len();
        router::rank(&self.call.capability, &candidates, bytes, &health, now, &mut rand::rng())
    }

    fn send(&mut self, peer: PeerId) {
        self.names.entry(peer).or_insert_with(|| {
            if peer == self.inner.network.me() {
                return self.inner.name.clone();
            }
            let snapshot = self.inner.network.snapshot();
            snapshot.peers.get(&peer).map_or_else(|| peer.to_string(), |p| p.advert.name.clone())
        });
        let number = self.inner.next_call.fetch_add(1, Ordering::Relaxed);
        let request = CallRequest {
            call: number,
            capability: self.call.capability.clone(),
            deadline_ms: u32::try_from(self.deadline_at.saturating_sub(now_ms()))
                .unwrap_or(u32::MAX)
                .clamp(1, crate::protocol::MAX_DEADLINE_MS),
            args: self.call.args.clone(),
            input: self.input.wire(),
            progress: self.call.progress.is_some(),
        };
        self.running.start(peer, number, &self.call.capability);
        let inner = self.inner.clone();
        if peer == inner.network.me() {
            let caller = Caller { peer, progress: self.call.progress.clone() };
            let home = self.input.at_home();
            self.attempts.push(Box::pin(async move {
                let gone = || Fault::new(FaultKind::InputLost, "the input is gone");
                let fetch = move |_, _| async move { home.ok_or_else(gone) };
                (peer, Ok(inner.dispatch.serve(caller, request, fetch).await))
            }));
            return;
        }
        if let Prepared::Offered { offer, .. } = self.input {
            offer.allow(peer);
        }
        if let Some(progress) = &self.call.progress {
            inner.progress().insert((peer, number), progress.clone());
        }
        self.attempts
            .push(Box::pin(async move { (peer, inner.network.call(peer, request).await) }));
    }

    fn on_result(&mut self, peer: PeerId, result: Result<Answer, Lost>) -> PlanEvent {
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
        let answer = match result {
            Ok(answer) => answer,
            Err(Lost(why)) => {
                self.inner.health().failed(&peer, now);
                return PlanEvent::Lost { peer, why };
            }
        };
        let key = (peer, capability.clone());
        self.inner.traffic().queues.insert(key, (answer.queue, now));
        match answer.outcome {
            CallOutcome::Done(output) => {
                self.inner.health().answered(capability, &peer, took as f64, now);
                self.note_throughput(peer, took, &output);
                if self.output.is_none() {
                    self.output = Some(output);
                }
                PlanEvent::Answered { peer }
            }
            CallOutcome::Busy { retry_after_ms } => {
                let retry_after_ms = u64::from(retry_after_ms);
                self.inner.health().busy(capability, &peer, retry_after_ms, now);
                PlanEvent::Busy { peer, retry_after_ms }
            }
            CallOutcome::Refused { reason } => PlanEvent::Refused { peer, reason },
            CallOutcome::Failed(fault) => {
                if fault.kind == FaultKind::Internal {
                    self.inner.health().failed(&peer, now);
                }
                PlanEvent::Failed { peer, fault }
            }
        }
    }

    fn note_throughput(&self, peer: PeerId, took: u64, output: &Output) {
        let bytes = self.input.len();
        if bytes < LARGE || peer == self.inner.network.me() {
            return;
        }
        let moving =
            took.saturating_sub(u64::from(output.waited_ms) + u64::from(output.ran_ms)).max(1);
        let measured = bytes as f64 * 1000.0 / moving as f64;
        let mut traffic = self.inner.traffic();
        let known = traffic.throughput.entry(peer).or_insert(measured);
        *known = 0.8 * *known + 0.2 * measured;
    }
}

impl Running<'_> {
    fn start(&mut self, peer: PeerId, number: u64, capability: &str) {
        *self.inner.traffic().in_flight.entry((peer, capability.to_owned())).or_default() += 1;
        self.calls.insert(peer, (number, capability.to_owned()));
    }

    /// The attempt is over; there is nothing to stop.
    fn ended(&mut self, peer: &PeerId) {
        let Some((number, capability)) = self.calls.remove(peer) else { return };
        self.inner.progress().remove(&(*peer, number));
        let mut traffic = self.inner.traffic();
        let key = (*peer, capability);
        if let Some(count) = traffic.in_flight.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                traffic.in_flight.remove(&key);
            }
        }
    }

    fn stop(&mut self, peer: &PeerId) {
        let Some((call, _)) = self.calls.get(peer).cloned() else { return };
        if *peer == self.inner.network.me() {
            self.inner.dispatch.cancel(*peer, call);
        } else {
            self.inner.network.tell(*peer, Request::Cancel { call });
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

fn candidates(inner: &Inner, call: &Call, snapshot: &Snapshot, now: u64) -> Vec<Candidate> {
    let me = inner.network.me();
    let traffic = inner.traffic();
    let fits = |offer: &&Offer| {
        offer.capability == call.capability
            && call.variant.as_ref().is_none_or(|v| offer.variants.contains(v))
    };
    let make = |peer: PeerId, offer: &Offer, view: Option<&PeerView>| {
        let key = (peer, call.capability.clone());
        let heard_at = view.map_or(now, |v| v.heard_at);
        // The last answer may be newer than the last advert.
        let (queue, as_of) = match traffic.queues.get(&key) {
            Some((queue, at)) if *at > heard_at => (*queue, *at),
            _ => (offer.queue, heard_at),
        };
        Candidate {
            peer,
            me: view.is_none(),
            speed: offer.speed,
            slots: offer.slots,
            queue,
            heard_ms_ago: now.saturating_sub(as_of),
            in_flight: traffic.in_flight.get(&key).copied().unwrap_or(0),
            rtt_ms: view.and_then(|v| v.rtt_ms).unwrap_or(0.0),
            throughput: traffic.throughput.get(&peer).copied().unwrap_or(0.0),
            suspect: view.is_some_and(|v| v.suspect),
            connected: view.is_none_or(|v| v.connected),
        }
    };
    let offers = inner.offers();
    let here = offers.iter().find(fits).map(|offer| make(me, offer, None));
    let there = snapshot.peers.iter().filter_map(|(peer, view)| {
        view.advert.offers.iter().find(fits).map(|offer| make(*peer, offer, Some(view)))
    });
    here.into_iter().chain(there).filter(|c| call.only.is_none_or(|o| o == c.peer)).collect()
}
