//! Dispatch: everything that happens to a call around its service, once for all of them.
//!
//! Order matters: capability, policy and size are checked before any input is fetched; a full
//! queue answers `Busy` at once; the slot is held until the work has really ended.

use std::{
    collections::{HashMap, HashSet},
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

use super::{Context, Data, DynService, Progress, Registry, Standing};
use crate::protocol::{Answer, CallOutcome, CallRequest, Fault, FaultKind, Offer, Output, Payload};

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
pub struct Origin {
    /// Who asks; this node's own id for local calls.
    pub caller: PeerId,
    /// Where progress goes.
    pub progress: Option<mpsc::Sender<Progress>>,
    /// Stops the work.
    pub cancel: CancellationToken,
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

/// The serving half of a node.
pub struct Dispatch {
    lanes: HashMap<&'static str, Lane>,
    pool: Arc<Semaphore>,
    settings: DispatchSettings,
    policy: Box<dyn Policy>,
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

    /// Runs a call from admission to answer, with what belongs to the answer. `fetch` brings a
    /// blob; it is polled only after the call was admitted and has a slot. Work stops when the
    /// future is dropped.
    pub async fn serve<F, Fut>(
        &self,
        origin: Origin,
        request: CallRequest,
        fetch: F,
    ) -> (Answer, Option<Data>)
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<Data, Fault>> + Send,
    {
        let lane = self.lanes.get(request.capability.as_str());
        let Some(lane) = lane.filter(|_| !self.is_withheld(&request.capability)) else {
            let message = format!("this node does not offer {}", request.capability);
            let outcome = CallOutcome::Failed(Fault::new(FaultKind::NotOffered, message));
            return (Answer { outcome, queue: 0 }, None);
        };
        if let Err(outcome) = self.admit(lane, origin.caller, &request) {
            return (Answer { outcome, queue: lane.queue() }, None);
        }
        let queued = Queued::enter(lane, &self.load_changed);
        let span =
            tracing::debug_span!("call", capability = %request.capability, caller = ?origin.caller);
        let ended = self.run(lane, origin, request, fetch).instrument(span).await;
        drop(queued);
        let (outcome, data) = match ended {
            Ok((output, data)) => {
                lane.live.done.fetch_add(1, Ordering::Relaxed);
                lane.live.ran_ms.fetch_add(u64::from(output.ran_ms), Ordering::Relaxed);
                (CallOutcome::Done(output), data)
            }
            Err(fault) => {
                lane.live.failed.fetch_add(1, Ordering::Relaxed);
                (CallOutcome::Failed(fault), None)
            }
        };
        (Answer { outcome, queue: lane.queue() }, data)
    }

    fn admit(&self, lane: &Lane, caller: PeerId, request: &CallRequest) -> Result<(), CallOutcome> {
        if let Err(reason) = self.policy.allow(caller, &request.capability) {
            lane.live.refused.fetch_add(1, Ordering::Relaxed);
            return Err(CallOutcome::Refused { reason });
        }
        let size = request.input.as_ref().map_or(0, Payload::len);
        let most = lane.service.max_input().unwrap_or(self.settings.max_input);
        if size > most {
            let message = format!("the input has {size} bytes; this node takes at most {most}");
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
        origin: Origin,
        request: CallRequest,
        fetch: F,
    ) -> Result<(Output, Option<Data>), Fault>
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<Data, Fault>> + Send,
    {
        let cancel = origin.cancel;
        // Work on the pool looks at the token; without this it would go on after a timeout, or
        // when nobody waits for this future any more.
        let _stop = cancel.clone().drop_guard();
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
                Some(Payload::Inline(bytes)) => Some(Data::Bytes(bytes.into())),
                Some(Payload::Blob { hash, size }) => Some(fetch(hash, size).await?),
            };
            let started = Instant::now();
            let cx = Context {
                caller: origin.caller,
                deadline,
                cancel: cancel.clone(),
                input,
                attached: Mutex::default(),
                progress: origin.progress,
                permit: Arc::new(permit),
                pool: self.pool.clone(),
            };
            let body = AssertUnwindSafe(lane.service.call(&cx, &request.args))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Fault::internal("the service broke while working")))?;
            let output = Output {
                body,
                data: None,
                waited_ms: millis(started - arrived),
                ran_ms: millis(started.elapsed()),
            };
            Ok((output, cx.take_attached()))
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout_at(deadline.into(), work) => ended,
            () = cancel.cancelled() => {
                Ok(Err(Fault::new(FaultKind::Cancelled, "the caller went away")))
            }
        };
        ended.unwrap_or_else(|_| Err(Fault::new(FaultKind::Deadline, "the time was up")))
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

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
