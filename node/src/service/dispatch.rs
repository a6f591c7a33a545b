//! Dispatch: everything that happens to a call around its service, once for all of them.
//!
//! Order matters: capability, policy and size are checked before any input is fetched; a full
//! queue answers `Busy` at once; the input is there before a slot is taken, so that who dawdles
//! holds up nobody; the slot is held until the work has really ended.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Context, Data, DynService, Over, Pass, Progress, Registry, Standing, Teller,
    ledger::LEDGER_FILE,
    slots::{Place, Slots},
};
use crate::protocol::{Answer, CallOutcome, CallRequest, Fault, FaultKind, Offer, Output, Payload};
use crate::{
    journal::{CallEnd, Entry, Journal, Side},
    say::{Reason, reasons},
};

/// The shortest and longest time after which a caller is told to come back.
const RETRY_MS: (f64, f64) = (20.0, 30_000.0);

/// Who may call what, and how much of it. Asked before the payload is fetched.
pub trait Policy: Send + Sync {
    /// `Err` carries the reason for the caller.
    fn allow(&self, caller: PeerId, capability: &str) -> Result<(), String>;

    /// Takes a call out of what its caller may have, or says what of it is too much. Asked last, when
    /// nothing else keeps the call out.
    fn take(&self, caller: PeerId, capability: &str) -> Result<Pass, Over> {
        let _ = (caller, capability);
        Ok(Pass::default())
    }
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
    /// Where the call is noted; a call of this node's own is noted where it is asked.
    journal: Option<Journal>,
}

impl Origin {
    /// A call of that caller.
    pub fn new(
        caller: PeerId,
        progress: Option<mpsc::Sender<Progress>>,
        cancel: CancellationToken,
    ) -> Self {
        Self { caller, progress, cancel, journal: None }
    }

    /// The same, noted in this journal.
    pub(crate) fn noted_in(self, journal: &Journal) -> Self {
        Self { journal: Some(journal.clone()), ..self }
    }
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
    done: AtomicU64,
    failed: AtomicU64,
    busy: AtomicU64,
    refused: AtomicU64,
    ran_ms: AtomicU64,
}

struct Lane {
    service: Arc<dyn DynService>,
    slots: Slots,
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
                    slots: Slots::new(size, settings.queue),
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
                let standing = lane.look().filter(|_| lane.service.offered())?;
                Some(Offer {
                    capability: (*name).to_owned(),
                    device: standing.device,
                    engine: standing.engine,
                    call_ms: standing.call_ms,
                    slots: standing.slots,
                    queue: lane.queue(),
                    variants: standing.variants,
                    repeat: lane.service.capability().repeat,
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
    /// blob, or says how the call ends without it; it is polled only after the call was admitted,
    /// and before it waits for a slot. Work stops when the future is dropped.
    pub async fn serve<F, Fut>(
        &self,
        origin: Origin,
        request: CallRequest,
        fetch: F,
    ) -> (Answer, Option<Data>)
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<Data, CallOutcome>> + Send,
    {
        let lane = self.lanes.get(request.capability.as_str());
        let Some(lane) = lane.filter(|_| !self.is_withheld(&request.capability)) else {
            let why = reasons::not_offered(&request.capability);
            let outcome = CallOutcome::Failed(Fault::new(FaultKind::NotOffered, why));
            return (Answer { outcome, queue: 0 }, None);
        };
        let admitted = match self.admit(lane, origin.caller, &request) {
            Ok(admitted) => admitted,
            Err(outcome) => return (Answer { outcome, queue: lane.queue() }, None),
        };
        let changed = Changed::entered(&self.load_changed);
        let bytes = request.input.as_ref().map_or(0, Payload::len);
        let noted = origin.journal.as_ref().map(|journal| {
            let side = Side::Served { caller: origin.caller };
            Arc::new(journal.begin(side, &request.capability, bytes))
        });
        let span =
            tracing::debug_span!("call", capability = %request.capability, caller = ?origin.caller);
        let ended =
            self.run(lane, admitted, origin, noted.clone(), request, fetch).instrument(span).await;
        drop(changed);
        if let Some(entry) = noted {
            entry.end(CallEnd { failure: ended.as_ref().err().map(reason), ..CallEnd::default() });
        }
        let (outcome, data) = match ended {
            Ok((output, data)) => {
                lane.live.done.fetch_add(1, Ordering::Relaxed);
                lane.live.ran_ms.fetch_add(u64::from(output.ran_ms), Ordering::Relaxed);
                (CallOutcome::Done(output), data)
            }
            Err(outcome) => {
                let count = match &outcome {
                    CallOutcome::Busy { .. } => &lane.live.busy,
                    _ => &lane.live.failed,
                };
                count.fetch_add(1, Ordering::Relaxed);
                (outcome, None)
            }
        };
        (Answer { outcome, queue: lane.queue() }, data)
    }

    fn admit(
        &self,
        lane: &Lane,
        caller: PeerId,
        request: &CallRequest,
    ) -> Result<(Place, Pass), CallOutcome> {
        if let Err(reason) = self.policy.allow(caller, &request.capability) {
            lane.live.refused.fetch_add(1, Ordering::Relaxed);
            return Err(CallOutcome::Refused { reason });
        }
        let size = request.input.as_ref().map_or(0, Payload::len);
        let most = lane.service.max_input().unwrap_or(self.settings.max_input);
        if size > most {
            let why = reasons::input_too_large(size, most);
            return Err(CallOutcome::Failed(Fault::new(FaultKind::TooLarge, why)));
        }
        let Some(call_ms) = lane.call_ms() else {
            let why = match lane.service.trouble() {
                Some(why) => reasons::not_ready_why(&request.capability, why),
                None => reasons::not_ready(&request.capability),
            };
            return Err(CallOutcome::Failed(Fault::new(FaultKind::NotOffered, why)));
        };
        let busy = |wait_ms: f64| {
            lane.live.busy.fetch_add(1, Ordering::Relaxed);
            let retry_after_ms = wait_ms.clamp(RETRY_MS.0, RETRY_MS.1) as u32;
            CallOutcome::Busy { retry_after_ms }
        };
        let place = lane.slots.enter(caller, call_ms).map_err(busy)?;
        let pass = self.policy.take(caller, &request.capability).map_err(|over| match over {
            Over::Crowded => busy(lane.slots.wait_ms(caller, call_ms)),
            Over::TooFast { retry_after_ms } => busy(retry_after_ms as f64),
            Over::UsedUp { .. } => {
                lane.live.refused.fetch_add(1, Ordering::Relaxed);
                CallOutcome::Refused { reason: format!("{}: {over}", request.capability) }
            }
        })?;
        Ok((place, pass))
    }

    async fn run<F, Fut>(
        &self,
        lane: &Lane,
        (place, mut pass): (Place, Pass),
        origin: Origin,
        noted: Option<Arc<Entry>>,
        request: CallRequest,
        fetch: F,
    ) -> Result<(Output, Option<Data>), CallOutcome>
    where
        F: FnOnce([u8; 32], u64) -> Fut + Send,
        Fut: Future<Output = Result<Data, CallOutcome>> + Send,
    {
        let cancel = origin.cancel;
        // Work on the pool looks at the token; without this it would go on after a timeout, or
        // when nobody waits for this future any more.
        let _stop = cancel.clone().drop_guard();
        let arrived = Instant::now();
        let deadline = arrived + Duration::from_millis(u64::from(request.deadline_ms));
        let work = async {
            let input = match request.input {
                None => None,
                Some(Payload::Inline(bytes)) => Some(Data::Bytes(bytes.into())),
                Some(Payload::Blob { hash, size }) => Some(fetch(hash, size).await?),
            };
            let slot = place.slot().await;
            let slot = slot.ok_or_else(|| failed(Fault::internal(reasons::stopping())))?;
            if let Err(why) = pass.run().await {
                tracing::warn!(%why, "the calls of today cannot be counted in {LEDGER_FILE}");
                let why = reasons::not_counted(&request.capability);
                return Err(failed(Fault::new(FaultKind::NotOffered, why)));
            }
            let started = Instant::now();
            let cx = Context {
                caller: origin.caller,
                deadline,
                cancel: cancel.clone(),
                input,
                attached: Mutex::default(),
                no_room: OnceLock::new(),
                teller: Teller { progress: origin.progress, noted },
                slot: Arc::new((slot, pass)),
                pool: self.pool.clone(),
            };
            let body = AssertUnwindSafe(lane.service.call(&cx, &request.args))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Fault::internal(reasons::service_broke())))
                .map_err(|fault| cx.failed(fault))?;
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
                Ok(Err(failed(Fault::new(FaultKind::Cancelled, reasons::caller_left()))))
            }
        };
        ended.unwrap_or_else(|_| Err(failed(Fault::new(FaultKind::Deadline, reasons::time_up()))))
    }
}

impl Lane {
    fn queue(&self) -> u16 {
        u16::try_from(self.slots.total()).unwrap_or(u16::MAX)
    }

    /// Asks the service how it stands, and keeps the answer.
    fn look(&self) -> Option<Standing> {
        let standing = self.service.standing();
        if let Some(standing) = &standing {
            // A service learns its slots when its model is loaded.
            self.slots.grow(usize::from(standing.slots.max(1)));
        }
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&standing);
        standing
    }

    /// What one call takes, as the service says; `None` while it cannot serve.
    fn call_ms(&self) -> Option<f64> {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.as_ref().map(|s| f64::from(s.call_ms))
    }
}

/// Says that the load has changed when a call enters and when it has gone, also when its future is
/// dropped.
struct Changed<'a>(&'a Notify);

impl<'a> Changed<'a> {
    fn entered(changed: &'a Notify) -> Self {
        changed.notify_one();
        Self(changed)
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Why a call has no answer, for a person.
fn reason(outcome: &CallOutcome) -> Reason {
    match outcome {
        CallOutcome::Done(_) => Reason::default(),
        CallOutcome::Busy { .. } => reasons::no_room(),
        CallOutcome::Refused { reason } => reason.as_str().into(),
        CallOutcome::Failed(fault) => fault.reason(),
    }
}

fn failed(fault: Fault) -> CallOutcome {
    CallOutcome::Failed(fault)
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
