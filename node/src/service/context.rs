//! What a service is given for one call: input, progress, cancel, deadline and the CPU pool.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Data, Pass, slots::Slot};
use crate::{
    journal::Entry,
    protocol::{CallOutcome, Fault, FaultKind},
    say::reasons,
};

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 100.
    pub percent: u8,
    /// What is being done, for a person.
    pub note: String,
}

/// Tells the caller of one call, and this node's own people, how far it is.
#[derive(Clone)]
pub struct Teller {
    pub(super) progress: Option<mpsc::Sender<Progress>>,
    pub(super) noted: Option<Arc<Entry>>,
}

impl Teller {
    /// Dropped when the caller does not keep up, or did not ask for it.
    pub fn progress(&self, percent: u8, note: impl Into<String>) {
        if self.progress.is_none() && self.noted.is_none() {
            return;
        }
        let note = crate::protocol::shorten(&note.into(), 256);
        let step = Progress { percent: percent.min(100), note };
        if let Some(entry) = &self.noted {
            entry.progress(&step);
        }
        if let Some(sender) = &self.progress {
            let _ = sender.try_send(step);
        }
    }
}

/// One call, as its service sees it.
pub struct Context {
    pub(super) caller: PeerId,
    pub(super) deadline: Instant,
    pub(super) cancel: CancellationToken,
    pub(super) input: Option<Data>,
    /// What goes back beside the response.
    pub(super) attached: Mutex<Option<Data>>,
    /// Set when the service has no room for the call after all.
    pub(super) no_room: OnceLock<Duration>,
    pub(super) teller: Teller,
    /// The slot that the call occupies. Work on the pool holds it too, so that a slot is not
    /// given away while a call that timed out still computes.
    pub(super) slot: Arc<(Slot, Pass)>,
    pub(super) pool: Arc<Semaphore>,
}

impl Context {
    /// Who asks.
    pub fn caller(&self) -> PeerId {
        self.caller
    }

    /// When the caller stops waiting.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Fires when the caller went away or the deadline passed. Long work looks at it often.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    /// The bytes that came with the call.
    pub fn input(&self) -> Option<&Data> {
        self.input.as_ref()
    }

    /// Sends files and the like back with the response, of any size. The last one counts.
    pub fn attach(&self, data: Data) {
        *self.attached.lock().unwrap_or_else(PoisonError::into_inner) = Some(data);
    }

    pub(super) fn take_attached(&self) -> Option<Data> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What a service returns that has no room for this call now: the caller is told to try elsewhere, or here again
    /// after this time.
    pub fn no_room(&self, retry_after: Duration) -> Fault {
        let _ = self.no_room.set(retry_after);
        Fault::internal(reasons::no_room())
    }

    /// How a call ended that has no answer.
    pub(super) fn failed(&self, fault: Fault) -> CallOutcome {
        match self.no_room.get() {
            Some(after) => CallOutcome::Busy {
                retry_after_ms: u32::try_from(after.as_millis()).unwrap_or(u32::MAX),
            },
            None => CallOutcome::Failed(fault),
        }
    }

    /// Tells the caller how far the work is. Dropped when the caller does not keep up.
    pub fn progress(&self, percent: u8, note: impl Into<String>) {
        self.teller.progress(percent, note);
    }

    /// Tells progress from another thread, such as one inside [`Context::blocking`].
    pub fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// Waits for another thread, off the async threads. Takes no place in the CPU pool, since
    /// it computes nothing; the call's slot bounds how many wait.
    pub async fn waiting<T, F>(&self, wait: F) -> Result<T, Fault>
    where
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let slot = self.slot.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _held = slot;
            wait()
        });
        done.await.unwrap_or_else(|_| Err(Fault::internal(reasons::service_broke())))
    }

    /// Runs CPU work on the bounded pool, off the async threads.
    pub async fn blocking<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let core = self
            .pool
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Fault::internal(reasons::stopping()))?;
        let slot = self.slot.clone();
        let cancel = self.cancel.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _held = (core, slot);
            if cancel.is_cancelled() {
                return Err(Fault::new(FaultKind::Cancelled, reasons::caller_left()));
            }
            work()
        });
        done.await.unwrap_or_else(|_| Err(Fault::internal(reasons::service_broke())))
    }
}
