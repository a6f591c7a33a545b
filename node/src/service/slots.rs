//! Places and slots as things that are held: [`Turns`] with a lock, and handles that give back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libp2p::PeerId;
use tokio::sync::oneshot;

use super::turns::Turns;
use crate::network::now_ms;

/// The slots of one capability. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(super) struct Slots {
    turns: Arc<Mutex<Turns<PeerId, oneshot::Sender<Slot>>>>,
}

/// A call that was admitted. Dropping it gives its place up.
pub(super) struct Place {
    slots: Slots,
    caller: PeerId,
    ticket: Option<u64>,
    /// It was given for a slot.
    spent: bool,
}

/// A call that runs. Dropping it calls up the next one.
pub(super) struct Slot {
    slots: Slots,
    caller: PeerId,
    since: u64,
}

impl Slots {
    /// See [`Turns::new`].
    pub(super) fn new(slots: usize, queue: usize) -> Self {
        Self { turns: Arc::new(Mutex::new(Turns::new(slots, queue))) }
    }

    /// Admits a call, or says after how many milliseconds the caller had better come back.
    /// `said_ms` is what the service says that a call takes.
    pub(super) fn enter(&self, caller: PeerId, said_ms: f64) -> Result<Place, f64> {
        let mut turns = self.lock();
        if !turns.enter(&caller) {
            return Err(turns.wait_ms(&caller, said_ms, now_ms()));
        }
        Ok(Place { slots: self.clone(), caller, ticket: None, spent: false })
    }

    /// After how many milliseconds a caller had better come back; see [`Slots::enter`].
    pub(super) fn wait_ms(&self, caller: PeerId, said_ms: f64) -> f64 {
        self.lock().wait_ms(&caller, said_ms, now_ms())
    }

    /// Calls that wait or run.
    pub(super) fn total(&self) -> usize {
        self.lock().total()
    }

    /// See [`Turns::grow`].
    pub(super) fn grow(&self, slots: usize) {
        self.lock().grow(slots);
        self.call_up();
    }

    /// Gives free slots to those whose turn it is.
    fn call_up(&self) {
        loop {
            let now = now_ms();
            let next = self.lock().next(now);
            let Some((caller, waiter)) = next else { return };
            // Who went away at this moment hands the slot on by dropping it.
            drop(waiter.send(Slot { slots: self.clone(), caller, since: now }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns<PeerId, oneshot::Sender<Slot>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for this call's turn. Dropping the future gives the place up.
    pub(super) async fn slot(mut self) -> Option<Slot> {
        let called = {
            let now = now_ms();
            let mut turns = self.slots.lock();
            if turns.start(&self.caller, now) {
                self.spent = true;
                return Some(Slot { slots: self.slots.clone(), caller: self.caller, since: now });
            }
            let (sender, called) = oneshot::channel();
            self.ticket = Some(turns.stand(&self.caller, sender));
            called
        };
        // A slot may be free although others stand in line: each takes the one whose turn it is.
        self.slots.call_up();
        let slot = called.await.ok();
        self.spent = slot.is_some();
        slot
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.spent {
            self.slots.lock().leave(&self.caller, self.ticket);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().done(&self.caller, self.since, now_ms());
        self.slots.call_up();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_goes_away_gives_place_and_slot_to_the_next() {
        let slots = Slots::new(1, 8);
        let [a, b, c] = [(); 3].map(|()| PeerId::random());
        let enter = |who| slots.enter(who, 1.0).expect("there is a place");
        let first = enter(a).slot().await.expect("a slot is free");
        let (mut second, third) = (Box::pin(enter(b).slot()), tokio::spawn(enter(c).slot()));
        assert!(second.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        assert_eq!(slots.total(), 3);
        // The one in front goes while it waits; one that was called up goes before it looks.
        drop(second);
        assert_eq!(slots.total(), 2);
        let mut fourth = Box::pin(enter(b).slot());
        assert!(fourth.as_mut().now_or_never().is_none());
        drop(first);
        let third = third.await.expect("no panic").expect("its turn");
        drop(third);
        drop(fourth);
        assert_eq!(slots.total(), 0);
        assert!(enter(a).slot().now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn more_slots_call_up_those_who_wait() {
        let slots = Slots::new(1, 8);
        let who = PeerId::random();
        let held = slots.enter(who, 1.0).expect("a place").slot().await;
        let waiting = slots.enter(who, 1.0).expect("a place");
        let waiting = tokio::spawn(waiting.slot());
        tokio::task::yield_now().await;
        slots.grow(2);
        assert!(waiting.await.expect("no panic").is_some());
        drop(held);
    }
}
