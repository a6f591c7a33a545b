//! Dispatch: everything that happens to a call around its service, once for all of them.
//!
//! Order matters: capability, policy and size are checked before any input is fetched; a full
//! queue answers `Busy` at once; the slot is held until the work has really ended.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Context, DynService, InputData, Progress, Registry, Standing};
use crate::protocol::{Answer, CallOutcome, CallRequest, Fault, FaultKind, Input, Offer, Output};

/// Cancels of unknown calls that are remembered, over all peers.
const MAX_OVERTAKEN: usize = 256;

/// Who may call what. Asked before the payload is fetched.
pub trait Policy: Send + Sync {
    /// `Err` carries the reason for the caller.
    fn allow(&self, caller: PeerId, capability: &str) -> Result<(), String>;
}

/// The policy of an open mesh: everyone may call what is offered.
pub struct Everyone;

impl Policy for Everyone {
    fn allow(&self, _: PeerId, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Limits of a node's dispatch.
#[derive(Debug, Clone)]
pub struct DispatchSettings {
    /// CPU jobs that run at once over all capabilities.
    pub threads: usize,
    /// Calls of one capability that may wait before `Busy`.
    pub queue: usize,
    /// Largest input, in bytes.
    pub max_input: u64,
}

/// Where a call comes from, and how to reach back.
pub struct Caller {
    /// Who asks; this node's own id for local calls.
    pub peer: PeerId,
    /// Where progress goes.
    pub progress: Option<mpsc::Sender<Progress>>,
}

/// What a capability has done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Calls that ended well.
    pub done: u64,
    /// Calls that ended with a fault.
    pub failed: u64,
    /// Calls turned away because the queue was full.
    pub busy: u64,
    /// Calls that policy refused.
    pub refused: u64,
    /// Milliseconds of work, summed.
    pub ran_ms: u64,
}

#[derive(Default)]
struct Live {
    /// Calls that wait or run.
    queue: AtomicUsize,
    done: AtomicU64,
    failed: AtomicU64,
    busy: AtomicU64,
    refused: AtomicU64,
    ran_ms: AtomicU64,
}

struct Lane {
    service: Arc<dyn DynService>,
    slots: Arc<Semaphore>,
    /// How many permits `slots` was made with.
    size: Mutex<usize>,
    /// How the service stood when the offers were last looked at: asking it may read the disk.
    standing: Mutex<Option<Standing>>,
    live: Live,
}

/// The calls that can be cancelled.
#[derive(Default)]
struct Calls {
    running: HashMap<(PeerId, u64), CancellationToken>,
    /// Cancels that came before their call: they are smaller and travel on streams of their own.
    overtaken: VecDeque<(PeerId, u64)>,
}

/// The serving half of a node.
pub struct Dispatch {
    lanes: HashMap<&'static str, Lane>,
    pool: Arc<Semaphore>,
    settings: DispatchSettings,
    policy: Box<dyn Policy>,
    calls: Mutex<Calls>,
    withheld: Mutex<HashSet<String>>,
    load_changed: Arc<Notify>,
}

impl Dispatch {
    /// Serves the services of a registry.
    pub fn new(registry: &Registry, settings: DispatchSettings, policy: Box<dyn Policy>) -> Self {
        let lanes = registry
            .iter()
            .map(|(name, service)| {
                let standing = service.standing();
                let size = standing.as_ref().map_or(1, |s| usize::from(s.slots.max(1)));
                let lane = Lane {
                    service: service.clone(),
                    slots: Arc::new(Semaphore::new(size)),
                    size: Mutex::new(size),
                    standing: Mutex::new(standing),
                    live: Live::default(),
                };
                (name, lane)
            })
            .collect();
        Self {
            lanes,
            pool: Arc::new(Semaphore::new(settings.threads.max(1))),
            settings,
            policy,
            calls: Mutex::default(),
            withheld: Mutex::default(),
            load_changed: Arc::default(),
        }
    }

    /// What the advert says now: every capability that can serve, with its queue.
    pub fn offers(&self) -> Vec<Offer> {
        let mut offers: Vec<_> = self
            .lanes
            .iter()
            .filter(|(name, _)| !self.is_withheld(name))
            .filter_map(|(name, lane)| {
                let standing = lane.look()?;
                Some(Offer {
                    capability: (*name).to_owned(),
                    device: standing.device,
                    engine: standing.engine,
                    speed: standing.speed,
                    slots: standing.slots,
                    queue: lane.queue(),
                    variants: standing.variants,
                })
            })
            .collect();
        offers.sort_by(|a, b| a.capability.cmp(&b.capability));
        offers
    }

    /// Fires when a queue grew or shrank, or a service's standing changed.
    pub fn load_changed(&self) -> Arc<Notify> {
        self.load_changed.clone()
    }

    /// What each capability has done since the start.
    pub fn counters(&self) -> Vec<(&'static str, Counters)> {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let mut all: Vec<_> = self
            .lanes
            .iter()
            .map(|(name, lane)| {
                let live = &lane.live;
                let counters = Counters {
                    done: read(&live.done),
                    failed: read(&live.failed),
                    busy: read(&live.busy),
                    refused: read(&live.refused),
                    ran_ms: read(&live.ran_ms),
                };
                (*name, counters)
            })
            .collect();
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// Offers a capability, or stops offering it; calls that run go on.
    pub fn offer(&self, capability: &str, on: bool) {
        let mut withheld = self.withheld.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            withheld.remove(capability);
        } else if self.lanes.contains_key(capability) {
            withheld.insert(capability.to_owned());
        }
        drop(withheld);
        self.load_changed.notify_one();
    }

    fn is_withheld(&self, capability: &str) -> bool {
        self.withheld.lock().unwrap_or_else(PoisonError::into_inner).contains(capability)
    }

    /// Stops a call of that peer.
    pub fn cancel(&self, peer: PeerId, call: u64) {
        let mut calls = self.calls();
        match calls.running.get(&(peer, call)) {
            Some(token) => token.cancel(),
            None => {
                if calls.overtaken.len() == MAX_OVERTAKEN {
                    calls.overtaken.pop_front();
                }
                calls.overtaken.push_back((peer, call));
            }
        }
    }

    /// Stops every call of a peer that is gone.
    pub fn cancel_all(&self, peer: PeerId) {
        let mut calls = self.calls();
        for ((who, _), token) in &calls.running {
            if *who == peer {
                token.cancel();
            }
        }
        // It may come back as a new process that counts its calls from the start.
        calls.overtaken.retain(|(who, _)| *who != peer);
    }

    /// Runs a call from admission to answer. `fetch` brings a blob; it is polled only after the
    /// call was admitted and has a slot.
    pub async fn serve<F, Fut>(&self, caller: Caller, request: CallRequest, fetch: F) -> Answer
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<InputData, Fault>> + Send,
    {
        let lane = self.lanes.get(request.capability.as_str());
        let Some(lane) = lane.filter(|_| !self.is_withheld(&request.capability)) else {
            let message = format!("this node does not offer {}", request.capability);
            return failed(Fault::new(FaultKind::NotOffered, message), 0);
        };
        if let Err(outcome) = self.admit(lane, &caller, &request) {
            return Answer { outcome, queue: lane.queue() };
        }
        let queued = Queued::enter(lane, &self.load_changed);
        let key = (caller.peer, request.call);
        let Some(cancel) = self.enter(key) else {
            drop(queued);
            return failed(Fault::new(FaultKind::Cancelled, "the caller went away"), lane.queue());
        };
        let _leave = Leave { dispatch: self, key };

        let span =
            tracing::debug_span!("call", capability = %request.capability, caller = ?caller.peer);
        let outcome = self.run(lane, caller, request, cancel, fetch).instrument(span).await;
        drop(queued);
        match &outcome {
            CallOutcome::Done(output) => {
                lane.live.done.fetch_add(1, Ordering::Relaxed);
                lane.live.ran_ms.fetch_add(u64::from(output.ran_ms), Ordering::Relaxed);
            }
            _ => {
                lane.live.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        Answer { outcome, queue: lane.queue() }
    }

    fn admit(
        &self,
        lane: &Lane,
        caller: &Caller,
        request: &CallRequest,
    ) -> Result<(), CallOutcome> {
        if let Err(reason) = self.policy.allow(caller.peer, &request.capability) {
            lane.live.refused.fetch_add(1, Ordering::Relaxed);
            return Err(CallOutcome::Refused { reason });
        }
        let size = request.input.as_ref().map_or(0, Input::len);
        if size > self.settings.max_input {
            let message = format!(
                "the input has {size} bytes; this node takes at most {}",
                self.settings.max_input
            );
            return Err(CallOutcome::Failed(Fault::new(FaultKind::TooLarge, message)));
        }
        let Some((slots, speed)) = lane.slots_and_speed() else {
            let why = lane.service.trouble().map_or_else(String::new, |why| format!(": {why}"));
            let message = format!("{} is not ready on this node{why}", request.capability);
            return Err(CallOutcome::Failed(Fault::new(FaultKind::NotOffered, message)));
        };
        let waiting = lane.live.queue.load(Ordering::Relaxed);
        if waiting >= self.settings.queue + usize::from(slots) {
            lane.live.busy.fetch_add(1, Ordering::Relaxed);
            let one = 1000.0 / speed.max(0.1);
            // Half of the queue will be gone by then; a short time keeps the line moving.
            let retry_after_ms = (one * waiting as f32 / 2.0).clamp(20.0, 5000.0) as u32;
            return Err(CallOutcome::Busy { retry_after_ms });
        }
        Ok(())
    }

    async fn run<F, Fut>(
        &self,
        lane: &Lane,
        caller: Caller,
        request: CallRequest,
        cancel: CancellationToken,
        fetch: F,
    ) -> CallOutcome
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<InputData, Fault>> + Send,
    {
        let arrived = Instant::now();
        let deadline = arrived + Duration::from_millis(u64::from(request.deadline_ms));
        let work = async {
            let permit = lane
                .slots
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| Fault::internal("the node is stopping"))?;
            let input = match request.input {
                None => None,
                Some(Input::Inline(bytes)) => Some(InputData::Bytes(bytes.into())),
                Some(Input::Blob { hash, size }) => Some(fetch(hash, size).await?),
            };
            let started = Instant::now();
            let cx = Context {
                caller: caller.peer,
                deadline,
                cancel: cancel.clone(),
                input,
                progress: caller.progress,
                permit: Arc::new(permit),
                pool: self.pool.clone(),
            };
            let body = AssertUnwindSafe(lane.service.call(&cx, &request.args))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Fault::internal("the service broke while working")))?;
            Ok(Output {
                body,
                waited_ms: millis(started - arrived),
                ran_ms: millis(started.elapsed()),
            })
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout_at(deadline.into(), work) => ended,
            () = cancel.cancelled() => {
                Ok(Err(Fault::new(FaultKind::Cancelled, "the caller went away")))
            }
        };
        // Work on the pool looks at the token; without this it would go on after a timeout.
        cancel.cancel();
        match ended {
            Ok(Ok(output)) => CallOutcome::Done(output),
            Ok(Err(fault)) => CallOutcome::Failed(fault),
            Err(_) => CallOutcome::Failed(Fault::new(FaultKind::Deadline, "the time was up")),
        }
    }

    /// Notes that a call runs; `None` when it was cancelled before it arrived.
    fn enter(&self, key: (PeerId, u64)) -> Option<CancellationToken> {
        let mut calls = self.calls();
        if let Some(at) = calls.overtaken.iter().position(|overtaken| *overtaken == key) {
            calls.overtaken.remove(at);
            return None;
        }
        let cancel = CancellationToken::new();
        calls.running.insert(key, cancel.clone());
        Some(cancel)
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn queue(&self) -> u16 {
        u16::try_from(self.live.queue.load(Ordering::Relaxed)).unwrap_or(u16::MAX)
    }

    /// Asks the service how it stands, and keeps the answer.
    fn look(&self) -> Option<Standing> {
        let standing = self.service.standing();
        if let Some(standing) = &standing {
            self.resize(usize::from(standing.slots.max(1)));
        }
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&standing);
        standing
    }

    fn slots_and_speed(&self) -> Option<(u16, f32)> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().map(|s| (s.slots, s.speed))
    }

    /// A service learns its slots when its model is loaded; slots only grow.
    fn resize(&self, to: usize) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if to > *size {
            self.slots.add_permits(to - *size);
            *size = to;
        }
    }
}

/// Counts a call in and out of the queue, also when its future is dropped.
struct Queued<'a> {
    lane: &'a Lane,
    changed: &'a Notify,
}

impl<'a> Queued<'a> {
    fn enter(lane: &'a Lane, changed: &'a Notify) -> Self {
        lane.live.queue.fetch_add(1, Ordering::Relaxed);
        changed.notify_one();
        Self { lane, changed }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.lane.live.queue.fetch_sub(1, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

/// Takes a call out of the running ones, and stops its work when the future is dropped.
struct Leave<'a> {
    dispatch: &'a Dispatch,
    key: (PeerId, u64),
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.dispatch.calls().running.remove(&self.key) {
            token.cancel();
        }
    }
}

fn failed(fault: Fault, queue: u16) -> Answer {
    Answer { outcome: CallOutcome::Failed(fault), queue }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
