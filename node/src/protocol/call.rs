//! Calls: one request to a capability and its outcome.

use serde::{Deserialize, Serialize};

use super::{
    Checked, MAX_ARGS, MAX_DEADLINE_MS, MAX_INLINE, MAX_NAME, MAX_TEXT, Malformed, at_most,
};

/// One request to a capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// Chosen by the caller, unique among its running calls to this peer.
    pub call: u64,
    /// `name/version`.
    pub capability: String,
    /// Milliseconds that are left; the server stops the work after them.
    pub deadline_ms: u32,
    /// The capability's own request, in CBOR.
    #[serde(with = "serde_bytes")]
    pub args: Vec<u8>,
    /// The bytes to work on, if the capability takes any.
    pub input: Option<Input>,
    /// Whether the caller wants [`super::Request::Progress`].
    #[serde(default)]
    pub progress: bool,
}

/// The bytes that a call works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// At most 256 KiB.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    /// More than that: fetched from the caller by its hash.
    Blob {
        /// BLAKE3 of the bytes.
        #[serde(with = "serde_bytes")]
        hash: [u8; 32],
        /// How many bytes.
        size: u64,
    },
}

impl Input {
    /// How many bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Blob { size, .. } => *size,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a call ended, and how busy the server is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How it ended.
    pub outcome: CallOutcome,
    /// Calls of this capability that run or wait at the server now.
    pub queue: u16,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CallOutcome {
    /// The work was done.
    Done(Output),
    /// All slots and the queue are full: try elsewhere, or again after this time.
    Busy {
        /// Milliseconds.
        retry_after_ms: u32,
    },
    /// The owner's policy says no to this caller.
    Refused {
        /// Why, for a person.
        reason: String,
    },
    /// The work was not done.
    Failed(Fault),
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The capability's own response, in CBOR.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Milliseconds between arrival and start.
    pub waited_ms: u32,
    /// Milliseconds between start and end.
    pub ran_ms: u32,
}

/// Why the work was not done. Travels to the caller and may be shown to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What a program should make of it.
    pub kind: FaultKind,
    /// What a person should make of it.
    pub message: String,
}

/// What a program should make of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The input is wrong; no other peer would do better.
    BadInput,
    /// The input is larger than this node takes; another may take it.
    TooLarge,
    /// This node does not offer the capability (any more).
    NotOffered,
    /// This node does not have the model (or other variant) that was asked for.
    NoVariant,
    /// The caller cancelled.
    Cancelled,
    /// The deadline passed.
    Deadline,
    /// The input did not arrive whole.
    InputLost,
    /// The service broke. Another peer may do better.
    Internal,
}

impl Fault {
    /// A fault with a text for a person.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: super::shorten(&message.into(), MAX_TEXT) }
    }

    /// The caller's input is wrong.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(FaultKind::BadInput, message)
    }

    /// The service broke.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, message)
    }
}

impl Checked for CallRequest {
    fn check(&self) -> Result<(), Malformed> {
        at_most("capability", self.capability.len(), MAX_NAME)?;
        at_most("args", self.args.len(), MAX_ARGS)?;
        at_most("deadline_ms", self.deadline_ms as usize, MAX_DEADLINE_MS as usize)?;
        match &self.input {
            Some(Input::Inline(bytes)) => at_most("input", bytes.len(), MAX_INLINE),
            _ => Ok(()),
        }
    }
}

impl Checked for Answer {
    fn check(&self) -> Result<(), Malformed> {
        match &self.outcome {
            CallOutcome::Refused { reason } => at_most("reason", reason.len(), MAX_TEXT),
            CallOutcome::Failed(fault) => at_most("message", fault.message.len(), MAX_TEXT),
            CallOutcome::Done(_) | CallOutcome::Busy { .. } => Ok(()),
        }
    }
}
