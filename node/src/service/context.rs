//! What a service is given for one call: input, progress, cancel, deadline and the CPU pool.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use libp2p::PeerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::protocol::{Fault, FaultKind};

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// 0 to 100.
    pub percent: u8,
    /// What is being done, for a person.
    pub note: String,
}

/// The bytes that a call works on.
#[derive(Debug, Clone)]
pub enum InputData {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// A verified blob on disk, removed when the last user drops it.
    Blob {
        /// Where.
        path: Arc<tempfile::TempPath>,
        /// How many bytes.
        size: u64,
    },
    /// A file of this node's own person, for a call that this node serves to itself.
    File {
        /// Where.
        path: PathBuf,
        /// How many bytes.
        size: u64,
    },
}

impl InputData {
    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob { size, .. } | Self::File { size, .. } => *size,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes in memory. Reads the disk: call it inside [`Context::blocking`].
    pub fn read(&self) -> Result<Arc<[u8]>, Fault> {
        let path: &Path = match self {
            Self::Bytes(bytes) => return Ok(bytes.clone()),
            Self::Blob { path, .. } => path,
            Self::File { path, .. } => path,
        };
        std::fs::read(path)
            .map(Into::into)
            .map_err(|e| Fault::new(FaultKind::InputLost, format!("the input is gone: {e}")))
    }
}

/// One call, as its service sees it.
pub struct Context {
    pub(super) caller: PeerId,
    pub(super) deadline: Instant,
    pub(super) cancel: CancellationToken,
    pub(super) input: Option<InputData>,
    pub(super) progress: Option<mpsc::Sender<Progress>>,
    /// The slot that the call occupies. Work on the pool holds it too, so that a slot is not
    /// given away while a call that timed out still computes.
    pub(super) permit: Arc<OwnedSemaphorePermit>,
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
    pub fn input(&self) -> Option<&InputData> {
        self.input.as_ref()
    }

    /// Tells the caller how far the work is. Dropped when the caller does not keep up.
    pub fn progress(&self, percent: u8, note: impl Into<String>) {
        if let Some(sender) = &self.progress {
            let note = crate::protocol::shorten(&note.into(), 256);
            let _ = sender.try_send(Progress { percent: percent.min(100), note });
        }
    }

    /// Waits for another thread, off the async threads. Takes no place in the CPU pool, since
    /// it computes nothing; the call's slot bounds how many wait.
    pub async fn waiting<T, F>(&self, wait: F) -> Result<T, Fault>
    where
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let slot = self.permit.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _held = slot;
            wait()
        });
        done.await.unwrap_or_else(|_| Err(Fault::internal("the service broke while working")))
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
            .map_err(|_| Fault::internal("the node is stopping"))?;
        let slot = self.permit.clone();
        let cancel = self.cancel.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _held = (core, slot);
            if cancel.is_cancelled() {
                return Err(Fault::new(FaultKind::Cancelled, "the caller went away"));
            }
            work()
        });
        done.await.unwrap_or_else(|_| Err(Fault::internal("the service broke while working")))
    }
}
