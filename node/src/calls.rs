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
pub(crate) use caller::Caller;
