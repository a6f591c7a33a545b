//! How a call went: its attempts, and how they and it ended.

use libp2p::PeerId;

use crate::protocol::{Fault, Repeat};

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanEnd {
    /// This peer answered.
    Answered {
        /// Who.
        peer: PeerId,
    },
    /// The caller's own fault; no peer would do better.
    Failed(Fault),
    /// Nobody offers it.
    NobodyOffers,
    /// Everybody who was tried failed.
    AllFailed {
        /// The last failure; a lost peer is [`crate::protocol::FaultKind::Internal`].
        last: Fault,
    },
    /// Everybody who was tried refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// The deadline passed.
    TimedOut,
    /// The caller cancelled.
    Cancelled,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// Who was tried.
    pub peer: PeerId,
    /// When it was expected to be done, in ms after `started_at`.
    pub expected_ms: f64,
    /// When it was sent.
    pub started_at: u64,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// How it ended.
    pub outcome: HopOutcome,
    /// Whether it was the second copy.
    pub hedge: bool,
    /// Whether the peer may have got the call.
    pub reached: bool,
    /// Whether it may be sent again.
    pub repeat: Repeat,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopOutcome {
    /// Not yet.
    Running,
    /// With the answer.
    Answered,
    /// The peer was busy.
    Busy {
        /// When to come back, in ms.
        retry_after_ms: u64,
    },
    /// Refused, with the reason.
    Refused(String),
    /// Failed, with the message.
    Failed(String),
    /// Lost, with the way.
    Lost(String),
    /// No longer needed.
    Cancelled,
}

impl Hop {
    pub(super) fn running(&self) -> bool {
        self.outcome == HopOutcome::Running
    }
}
