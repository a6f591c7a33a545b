//! Calls on the wire. A *line* is one stream between two nodes that carries all calls of one to
//! the other, with their answers, progress and cancels (`docs/protocol.md`).
//!
//! [`Caller`] opens lines when they are needed and keeps them; [`server`] answers on them. Opening
//! a stream for every call would cost about as much as the call.

mod activity;
mod caller;
mod frames;
mod outbox;
pub(crate) mod server;

pub(crate) use activity::Activity;
pub(crate) use caller::{Attempt, Caller};

/// A call without an answer: it did not get to its peer, or the peer went away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Undelivered {
    /// Whether the peer may have got it. False only where it certainly did not.
    pub reached: bool,
    /// Whether this node itself is to blame: it says nothing about the peer.
    pub own: bool,
    /// What happened, for a person.
    pub why: String,
}

impl Undelivered {
    /// It never got to the peer.
    pub(crate) fn unreached(why: impl Into<String>) -> Self {
        Self { reached: false, own: false, why: why.into() }
    }

    /// This node itself could not send it.
    pub(crate) fn own(why: impl Into<String>) -> Self {
        Self { reached: false, own: true, why: why.into() }
    }

    /// The peer may have got it, and did not answer.
    pub(crate) fn lost(why: impl Into<String>) -> Self {
        Self { reached: true, own: false, why: why.into() }
    }
}
