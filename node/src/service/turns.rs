//! Whose turn it is: callers that wait for the slots of one capability.
//!
//! A call takes a *place* when it is admitted, stands in line when its input is there, and gives
//! the place for a *slot* when it runs. Nobody fills the queue alone: a caller waits with at most a
//! quarter of it, and who has nothing here finds a place even when it is full. A free slot goes to
//! the caller that has fewest, and among those to the one that was served longest ago; so one
//! caller may have all slots while nobody else waits. Policy: no lock, clock or task of its own;
//! [`super::slots`] adds them.

use std::collections::{BTreeMap, VecDeque};

/// Callers without a call here that find a place although the queue is full.
const SPARE: usize = 16;
/// The part of the queue that one caller may fill.
const SHARE: usize = 4;

/// Callers `K` in line, each call with something, `T`, to call it up by.
#[derive(Debug)]
pub(super) struct Turns<K, T> {
    slots: usize,
    queue: usize,
    /// Calls that have a slot, and the sum of the times at which they began.
    running: usize,
    began: u64,
    /// Calls that have a place but no slot yet.
    inside: usize,
    /// Those of them that stand in line.
    standing: usize,
    /// What a call usually took, in milliseconds; 0 before the first has ended.
    usual_ms: f64,
    /// Counts up: tickets, and who was served when.
    stamp: u64,
    callers: BTreeMap<K, Caller<T>>,
}

#[derive(Debug)]
struct Caller<T> {
    inside: usize,
    running: usize,
    /// When it came or was last served.
    served: u64,
    line: VecDeque<(u64, T)>,
}

impl<K: Ord + Clone, T> Turns<K, T> {
    /// So many calls run at once, and so many more may wait.
    pub(super) fn new(slots: usize, queue: usize) -> Self {
        Self {
            slots: slots.max(1),
            queue,
            running: 0,
            began: 0,
            inside: 0,
            standing: 0,
            usual_ms: 0.0,
            stamp: 0,
            callers: BTreeMap::new(),
        }
    }

    /// Calls that wait or run.
    pub(super) fn total(&self) -> usize {
        self.inside + self.running
    }

    /// Slots only grow: a service learns them when its model is loaded.
    pub(super) fn grow(&mut self, slots: usize) {
        self.slots = self.slots.max(slots);
    }

    /// Takes a place, if there is one for this caller.
    pub(super) fn enter(&mut self, who: &K) -> bool {
        let own = self.callers.get(who).map_or(0, |c| c.inside + c.running);
        let share = self.slots + (self.queue / SHARE).max(1);
        let spare = if own == 0 { SPARE } else { 0 };
        if own >= share || self.total() >= self.slots + self.queue + spare {
            return false;
        }
        self.stamp += 1;
        let served = self.stamp;
        let new = || Caller { inside: 0, running: 0, served, line: VecDeque::new() };
        self.callers.entry(who.clone()).or_insert_with(new).inside += 1;
        self.inside += 1;
        true
    }

    /// Gives a place up. One whose ticket was called up already is none any more.
    pub(super) fn leave(&mut self, who: &K, ticket: Option<u64>) {
        let Some(caller) = self.callers.get_mut(who) else { return };
        if let Some(ticket) = ticket {
            let Some(at) = caller.line.iter().position(|(t, _)| *t == ticket) else { return };
            caller.line.remove(at);
            self.standing -= 1;
        }
        caller.inside -= 1;
        self.inside -= 1;
        self.forget(who);
    }

    /// Gives a place for a slot at once, if one is free and nobody stands in line.
    pub(super) fn start(&mut self, who: &K, now: u64) -> bool {
        let free = self.running < self.slots && self.standing == 0;
        if free {
            self.run(who, now);
        }
        free
    }

    /// Stands in line with a place. Gives the ticket, for [`Turns::leave`].
    pub(super) fn stand(&mut self, who: &K, waiter: T) -> u64 {
        self.stamp += 1;
        if let Some(caller) = self.callers.get_mut(who) {
            caller.line.push_back((self.stamp, waiter));
            self.standing += 1;
        }
        self.stamp
    }

    /// Calls up whose turn it is, if a slot is free: it has that slot from now on.
    pub(super) fn next(&mut self, now: u64) -> Option<(K, T)> {
        if self.running >= self.slots || self.standing == 0 {
            return None;
        }
        let waiting = self.callers.iter_mut().filter(|(_, caller)| !caller.line.is_empty());
        let (who, caller) = waiting.min_by_key(|(_, caller)| (caller.running, caller.served))?;
        let (_, waiter) = caller.line.pop_front()?;
        let who = who.clone();
        self.standing -= 1;
        self.run(&who, now);
        Some((who, waiter))
    }

    /// Gives a slot back that was taken at `since`.
    pub(super) fn done(&mut self, who: &K, since: u64, now: u64) {
        let took = now.saturating_sub(since) as f64;
        self.usual_ms = if self.usual_ms == 0.0 { took } else { 0.9 * self.usual_ms + 0.1 * took };
        self.running -= 1;
        self.began -= since;
        if let Some(caller) = self.callers.get_mut(who) {
            caller.running -= 1;
        }
        self.forget(who);
    }

    /// How long a caller that found no place had better stay away, in milliseconds: until half of
    /// what is in front of it will be gone. `said_ms` is what the service says that a call takes.
    pub(super) fn wait_ms(&self, who: &K, said_ms: f64, now: u64) -> f64 {
        let own = self.callers.get(who).map_or(0, |caller| caller.inside);
        // Of each other caller, as many are served before it as it has calls itself.
        let others = self.callers.iter().filter(|(k, _)| *k != who);
        let ahead: usize = own + others.map(|(_, c)| c.inside.min(own + 1)).sum::<usize>();
        // A call takes at least as long as those that run have taken so far.
        let age = match self.running as u64 {
            0 => 0.0,
            running => now.saturating_sub(self.began / running) as f64,
        };
        let one = if self.usual_ms > 0.0 { self.usual_ms } else { said_ms };
        one.max(age) * (ahead + 1) as f64 / self.slots as f64 / 2.0
    }

    fn run(&mut self, who: &K, now: u64) {
        self.stamp += 1;
        if let Some(caller) = self.callers.get_mut(who) {
            caller.inside -= 1;
            caller.running += 1;
            caller.served = self.stamp;
        }
        self.inside -= 1;
        self.running += 1;
        self.began += now;
    }

    fn forget(&mut self, who: &K) {
        if self.callers.get(who).is_some_and(|c| c.inside + c.running == 0) {
            self.callers.remove(who);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As many calls of one caller as find a place, all in line.
    fn crowd(turns: &mut Turns<u8, u8>, who: u8) -> usize {
        let mut entered = 0;
        while turns.enter(&who) {
            turns.stand(&who, who);
            entered += 1;
        }
        entered
    }

    #[test]
    fn one_caller_alone_has_all_slots_and_never_the_whole_queue() {
        let mut turns = Turns::new(4, 64);
        assert_eq!(crowd(&mut turns, 1), 4 + 16);
        assert_eq!((0..9).filter_map(|_| turns.next(0)).count(), 4);
        assert_eq!(crowd(&mut turns, 2), 20, "the next one has as much");
        let callers = (3..200).filter(|who| crowd(&mut turns, *who) > 0).count();
        assert!(callers > SPARE, "{callers}");
        assert!(turns.total() <= 4 + 64 + SPARE);
    }

    #[test]
    fn a_queue_of_one_has_a_place_for_the_next_caller() {
        let mut turns = Turns::new(1, 1);
        assert_eq!(crowd(&mut turns, 1), 2);
        assert_eq!(crowd(&mut turns, 2), 1);
        assert!(turns.next(0).is_some_and(|(who, _)| who == 1));
        turns.done(&1, 0, 5);
        assert!(turns.next(0).is_some_and(|(who, _)| who == 2), "its second call waits for others");
    }

    #[test]
    fn callers_take_turns_however_many_calls_one_has() {
        let mut turns = Turns::new(1, 400);
        crowd(&mut turns, 1);
        crowd(&mut turns, 2);
        crowd(&mut turns, 3);
        let mut served = Vec::new();
        for _ in 0..9 {
            let (who, _) = turns.next(0).expect("a slot is free");
            turns.done(&who, 0, 1);
            served.push(who);
        }
        assert_eq!(served, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
        // Who comes now is served in the next round, not behind a hundred.
        assert!(turns.enter(&9));
        turns.stand(&9, 9);
        let round: Vec<u8> = (0..4)
            .map(|_| {
                let (who, _) = turns.next(0).expect("a slot is free");
                turns.done(&who, 0, 1);
                who
            })
            .collect();
        assert!(round.contains(&9), "{round:?}");
    }

    #[test]
    fn slots_that_come_free_go_to_who_has_fewest() {
        let mut turns = Turns::new(4, 64);
        crowd(&mut turns, 1);
        while turns.next(0).is_some() {}
        crowd(&mut turns, 2);
        for wanted in [2, 2] {
            turns.done(&1, 0, 1);
            assert_eq!(turns.next(0).map(|(who, _)| who), Some(wanted));
        }
        turns.done(&1, 0, 1);
        assert_eq!(turns.next(0).map(|(who, _)| who), Some(1), "two each");
    }

    #[test]
    fn the_wait_is_what_is_in_front_of_that_caller() {
        let mut turns = Turns::new(1, 64);
        crowd(&mut turns, 1);
        assert!(turns.next(0).is_some());
        let (greedy, other) = (turns.wait_ms(&1, 100.0, 0), turns.wait_ms(&2, 100.0, 0));
        assert_eq!((greedy, other), (850.0, 100.0));
        // A call that has run for a minute shows what one takes.
        assert_eq!(turns.wait_ms(&2, 100.0, 60_000), 60_000.0);
        turns.done(&1, 0, 2_000);
        assert_eq!(turns.wait_ms(&2, 100.0, 60_000), 2_000.0);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Enter(u8),
        Leave(u8),
        Done(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..6u8).prop_map(Step::Enter),
            1 => (0..6u8).prop_map(Step::Leave),
            2 => (0..6u8).prop_map(Step::Done),
        ];
        proptest::collection::vec(step, 0..300)
    }

    proptest! {
        #[test]
        fn slots_are_never_exceeded_and_nobody_starves(
            slots in 1..5usize, queue in 1..40usize, steps in steps()
        ) {
            let mut turns: Turns<u8, ()> = Turns::new(slots, queue);
            let mut lines: Vec<(u8, u64)> = Vec::new();
            let mut running: Vec<(u8, u64)> = Vec::new();
            let mut now = 0;
            for step in steps {
                now += 1;
                match step {
                    Step::Enter(who) => if turns.enter(&who) {
                        lines.push((who, turns.stand(&who, ())));
                    },
                    Step::Leave(who) => if let Some(at) = lines.iter().position(|l| l.0 == who) {
                        let (who, ticket) = lines.remove(at);
                        turns.leave(&who, Some(ticket));
                        // A second time changes nothing.
                        turns.leave(&who, Some(ticket));
                    },
                    Step::Done(who) => if let Some(at) = running.iter().position(|r| r.0 == who) {
                        let (who, since) = running.remove(at);
                        turns.done(&who, since, now);
                    },
                }
                while let Some((who, ())) = turns.next(now) {
                    let at = lines.iter().position(|l| l.0 == who).expect("it stood in line");
                    lines.remove(at);
                    running.push((who, now));
                }
                prop_assert!(running.len() <= slots);
                prop_assert!(running.len() == slots || lines.is_empty(), "a slot is idle");
                prop_assert_eq!(turns.total(), running.len() + lines.len());
                prop_assert!(turns.total() <= slots + queue + SPARE);
            }
            // Whoever waits is served before anybody else is served twice more.
            if let Some((who, _)) = lines.first().copied() {
                let mut others = 0;
                while lines.iter().any(|l| l.0 == who) && !running.is_empty() {
                    let (ended, since) = running.remove(0);
                    turns.done(&ended, since, now);
                    let next = turns.next(now).expect("somebody waits").0;
                    let at = lines.iter().position(|l| l.0 == next).expect("it stood in line");
                    lines.remove(at);
                    running.push((next, now));
                    others += 1;
                    if next == who { break; }
                    prop_assert!(others <= 6 * (slots + 1), "{who} starves");
                }
            }
            // What was taken comes back.
            for (who, ticket) in lines.drain(..) { turns.leave(&who, Some(ticket)); }
            for (who, since) in running.drain(..) { turns.done(&who, since, now); }
            prop_assert_eq!((turns.total(), turns.callers.len()), (0, 0));
        }
    }
}
