//! Calls: one request to a capability and its outcome.

use potluck_i18n::{Reason, Words};
use serde::{Deserialize, Serialize};

use super::{
    Checked, MAX_ARGS, MAX_DEADLINE_MS, MAX_INLINE, MAX_NAME, MAX_TEXT, MAX_WORDS, Malformed,
    at_most,
};

/// What a caller says on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Run a capability. Answered with [`Tell::Answer`].
    Call(CallRequest),
    /// The call is not needed any more: its work stops, and data that is kept for the caller is
    /// given up. A call that runs is still answered.
    Cancel {
        /// Which of this line's calls.
        call: u64,
    },
}

/// What the serving side says on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Tell {
    /// A call has ended.
    Answer {
        /// Which of this line's calls.
        call: u64,
        /// How.
        answer: Answer,
    },
    /// A call got further; only where [`CallRequest::progress`] asks for it.
    Progress {
        /// Which of this line's calls.
        call: u64,
        /// 0 to 100.
        percent: u8,
        /// What is being done, for a person.
        note: String,
    },
    /// Something could not be read. The line goes on unless it was too long.
    Malformed {
        /// The call that it was about, where that could be read: it is not answered. `None` also
        /// where the number is that of a call that runs.
        #[serde(default)]
        call: Option<u64>,
        /// What was wrong, for the author of the other client.
        reason: String,
    },
}

/// One request to a capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// Chosen by the caller, unique among the running calls of its line.
    pub call: u64,
    /// `name/version`.
    pub capability: String,
    /// Milliseconds that are left; the server stops the work after them.
    pub deadline_ms: u32,
    /// The capability's own request, in CBOR.
    #[serde(with = "serde_bytes")]
    pub args: Vec<u8>,
    /// The bytes to work on, if the capability takes any.
    pub input: Option<Payload>,
    /// Whether the caller wants [`Tell::Progress`].
    #[serde(default)]
    pub progress: bool,
}

/// The bytes that a call works on, or that come with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Payload {
    /// At most 256 KiB.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    /// More than that: fetched by its hash from the side that has it.
    Blob {
        /// BLAKE3 of the bytes.
        #[serde(with = "serde_bytes")]
        hash: [u8; 32],
        /// How many bytes.
        size: u64,
    },
}

impl Payload {
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
    /// Files and the like that belong to the response. The caller sends [`Ask::Cancel`] when it
    /// has fetched a blob.
    #[serde(default)]
    pub data: Option<Payload>,
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
    /// The same in words that the caller's node may know in its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
}

/// What a program should make of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The input is wrong; no other peer would do better.
    BadInput,
    /// This node cannot read the arguments: it is of another version. Another may.
    NotUnderstood,
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

impl FaultKind {
    /// Whether the work was certainly not begun.
    pub fn untouched(self) -> bool {
        matches!(self, Self::TooLarge | Self::NotOffered | Self::NoVariant | Self::NotUnderstood)
    }
}

impl Fault {
    /// A fault with a text for a person.
    pub fn new(kind: FaultKind, message: impl Into<Reason>) -> Self {
        let reason = message.into();
        let message = super::shorten(reason.english(), MAX_TEXT);
        let words = reason.words().filter(|words| fits(words)).cloned();
        Self { kind, message, words }
    }

    /// What a person should make of it, in their language.
    pub fn reason(&self) -> Reason {
        Reason::from_parts(self.message.clone(), self.words.clone())
    }

    /// The caller's input is wrong.
    pub fn bad_input(message: impl Into<Reason>) -> Self {
        Self::new(FaultKind::BadInput, message)
    }

    /// The service broke.
    pub fn internal(message: impl Into<Reason>) -> Self {
        Self::new(FaultKind::Internal, message)
    }
}

fn fits(words: &Words) -> bool {
    words.measure().is_some_and(|bytes| bytes <= MAX_WORDS)
}

impl Checked for CallRequest {
    fn check(&self) -> Result<(), Malformed> {
        at_most("capability", self.capability.len(), MAX_NAME)?;
        at_most("args", self.args.len(), MAX_ARGS)?;
        at_most("deadline_ms", self.deadline_ms as usize, MAX_DEADLINE_MS as usize)?;
        match &self.input {
            Some(payload) => payload.check(),
            None => Ok(()),
        }
    }
}

impl Checked for Payload {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Inline(bytes) => at_most("inline bytes", bytes.len(), MAX_INLINE),
            Self::Blob { .. } => Ok(()),
        }
    }
}

impl Checked for Ask {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Call(call) => call.check(),
            Self::Cancel { .. } => Ok(()),
        }
    }
}

impl Checked for Tell {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Answer { answer, .. } => answer.check(),
            Self::Progress { note, percent, .. } => {
                at_most("note", note.len(), MAX_TEXT)?;
                at_most("percent", usize::from(*percent), 100)
            }
            Self::Malformed { reason, .. } => at_most("reason", reason.len(), MAX_TEXT),
        }
    }
}

impl Checked for Answer {
    fn check(&self) -> Result<(), Malformed> {
        match &self.outcome {
            CallOutcome::Refused { reason } => at_most("reason", reason.len(), MAX_TEXT),
            CallOutcome::Failed(fault) => {
                at_most("message", fault.message.len(), MAX_TEXT)?;
                match fault.words.as_ref().is_none_or(fits) {
                    true => Ok(()),
                    false => Err(Malformed::Value("the words of the fault are too many")),
                }
            }
            CallOutcome::Done(output) => output.data.as_ref().map_or(Ok(()), Payload::check),
            CallOutcome::Busy { .. } => Ok(()),
        }
    }
}
