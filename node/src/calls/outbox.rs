//! What waits to be taken by the caller of a line.
//!
//! A call whose answer is not written yet counts as running, so that who reads nothing cannot have
//! more calls done; and the bytes that wait for one peer have a budget over all its lines. A line
//! that holds more than [`FULL`] is not read from until some of it was taken.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use libp2p::PeerId;
use tokio::sync::{Notify, mpsc};

use super::frames::Frame;
use crate::{
    protocol::MAX_RUNNING,
    quota::{Held, Limit, Shared},
};

/// Bytes of one line that wait without a share of the budget: small answers always find room.
const OWN: usize = 32 * 1024;
/// Bytes of one line beyond which no further calls are read.
const FULL: usize = 1024 * 1024;
/// Bytes that wait for one peer, over all its lines.
const EACH: u64 = 8 << 20;
/// Bytes that wait for all peers.
const ALL: u64 = 64 << 20;
/// Steps that wait for one line: who does not keep up misses some.
const STEPS: usize = 64;

/// The bytes that may wait, for all lines of a node.
pub(super) type Budget = Shared<PeerId>;

/// See [`Budget`].
pub(super) fn budget() -> Budget {
    Shared::new(Limit::at_once(ALL), Limit::at_once(EACH))
}

/// The frames of one line that wait to be written.
pub(super) struct Outbox {
    frames: mpsc::Sender<Waiting>,
    unsent: Arc<Unsent>,
    budget: Budget,
    peer: PeerId,
}

/// A frame that waits. Dropped when it was written.
pub(super) struct Waiting {
    frame: Frame,
    unsent: Arc<Unsent>,
    _held: Option<Held<PeerId>>,
}

/// How much of one line waits.
#[derive(Default)]
struct Unsent {
    frames: AtomicUsize,
    bytes: AtomicUsize,
    /// An answer of this line found no room in the budget.
    refused: AtomicBool,
    taken: Notify,
}

/// The peer does not take what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Outbox {
    /// An empty one, and what waits in it, to be written.
    pub(super) fn new(peer: PeerId, budget: Budget) -> (Self, mpsc::Receiver<Waiting>) {
        // Every call that runs has one answer, and the reader adds one word at a time.
        let (frames, waiting) = mpsc::channel(2 * MAX_RUNNING + STEPS);
        (Self { frames, unsent: Arc::default(), budget, peer }, waiting)
    }

    /// Adds a frame, if there is room for its bytes.
    pub(super) fn add(&self, frame: Frame) -> Result<(), Full> {
        let length = frame.len();
        let held = match self.unsent.bytes.load(Ordering::Relaxed) + length <= OWN {
            true => None,
            false => Some(self.budget.hold(&self.peer, length as u64).ok_or_else(|| {
                self.unsent.refused.store(true, Ordering::Relaxed);
                Full
            })?),
        };
        self.put(frame, held);
        Ok(())
    }

    /// Adds a few bytes whatever waits. For what is said once for each call or frame.
    pub(super) fn add_word(&self, frame: Frame) {
        self.put(frame, None);
    }

    /// Adds a step of a call, unless the caller is behind.
    pub(super) fn add_step(&self, frame: Frame) {
        if self.unsent.frames.load(Ordering::Relaxed) < STEPS {
            let _ = self.add(frame);
        }
    }

    fn put(&self, frame: Frame, held: Option<Held<PeerId>>) {
        self.unsent.frames.fetch_add(1, Ordering::Relaxed);
        self.unsent.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        // Fails when the line has ended; the caller knows.
        let unsent = self.unsent.clone();
        let _ = self.frames.try_send(Waiting { frame, unsent, _held: held });
    }

    /// Waits until another call may be read while `running` calls have no answer yet.
    pub(super) async fn room(&self, running: impl Fn() -> usize) {
        let little = self.budget.taken(&self.peer) > EACH - FULL as u64;
        if little || self.unsent.refused.load(Ordering::Relaxed) {
            // What is done for a peer whose answers find no room is done for nothing.
            drop(self.budget.wait(&self.peer, EACH / 2).await);
            self.unsent.refused.store(false, Ordering::Relaxed);
        }
        loop {
            let taken = self.unsent.taken.notified();
            let frames = self.unsent.frames.load(Ordering::Acquire);
            let fits = self.unsent.bytes.load(Ordering::Relaxed) <= FULL
                && frames + running() < MAX_RUNNING;
            if frames == 0 || fits {
                return;
            }
            taken.await;
        }
    }

    /// Frames that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.unsent.frames.load(Ordering::Relaxed)
    }
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.unsent.bytes.fetch_sub(self.frame.len(), Ordering::Relaxed);
        self.unsent.frames.fetch_sub(1, Ordering::Release);
        self.unsent.taken.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_gets_no_further_calls_done() {
        let (outbox, mut waiting) = Outbox::new(PeerId::random(), budget());
        let mut calls = 0;
        while outbox.room(|| 0).now_or_never().is_some() && calls < 10_000 {
            outbox.add(vec![0; 100]).expect("small answers find room");
            calls += 1;
        }
        assert_eq!(calls, MAX_RUNNING);
        // Calls that run count with those that wait.
        drop(waiting.recv().await);
        assert!(outbox.room(|| 1).now_or_never().is_none());
        assert!(outbox.room(|| 0).now_or_never().is_some());
        // Steps are left out first.
        outbox.add_step(vec![0; 100]);
        assert_eq!(outbox.waiting(), MAX_RUNNING - 1);
        // Where nothing waits, it is not for the caller to take something.
        let (idle, _waiting) = Outbox::new(PeerId::random(), budget());
        assert!(idle.room(|| MAX_RUNNING).now_or_never().is_some());
    }

    #[tokio::test]
    async fn bytes_that_wait_have_a_budget_over_all_lines_of_a_peer() {
        let (budget, peer) = (budget(), PeerId::random());
        let lines: Vec<_> = (0..4).map(|_| Outbox::new(peer, budget.clone())).collect();
        let mut added = 0;
        for (line, _) in lines.iter().cycle().take(100) {
            added += usize::from(line.add(vec![0; 1 << 20]).is_ok());
        }
        assert_eq!((added, budget.total()), (8, EACH));
        assert!(lines[0].0.room(|| 0).now_or_never().is_none(), "it is not read from");
        // Nor is a line that holds nothing itself.
        let (late, _waiting) = Outbox::new(peer, budget.clone());
        assert!(late.room(|| 0).now_or_never().is_none());
        assert_eq!(late.add(vec![0; 1 << 20]), Err(Full));
        assert!(late.room(|| 0).now_or_never().is_none());
        let (other, _waiting) = Outbox::new(PeerId::random(), budget.clone());
        assert_eq!(other.add(vec![0; 1 << 20]), Ok(()), "others have their own");
        drop((other, _waiting));
        // What was written, or never will be, comes back.
        drop(lines);
        assert_eq!(budget.total(), 0);
        assert!(late.room(|| 0).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_small_answer_finds_room_although_others_took_the_budget() {
        let budget: Budget = Shared::new(Limit::at_once(10), Limit::at_once(10));
        let (outbox, _waiting) = Outbox::new(PeerId::random(), budget);
        assert_eq!(outbox.add(vec![0; OWN]), Ok(()));
        assert_eq!(outbox.add(vec![0; 100]), Err(Full));
        outbox.add_word(vec![0; 100]);
        assert_eq!(outbox.waiting(), 2);
    }
}
