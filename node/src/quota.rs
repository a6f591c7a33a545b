//! One idea of a limit: who takes how much of a thing, at once or over time.
//!
//! A [`Quota`] knows a limit for all takers together and one for each of them. What is taken comes
//! back when its taker gives it back (places, bytes that wait, slots), or by itself with time
//! (checks a second, a token bucket). Policy: no clock and no lock of its own; [`Shared`] adds both.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::network::now_ms;

/// Takers that are remembered; whoever took least is forgotten first.
const MAX_TAKERS: usize = 4096;

/// How much there is, and how fast it comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Units that can be taken before any has come back.
    pub most: u64,
    /// Units that come back by themselves in a second; 0 where takers give back.
    pub per_second: f64,
}

impl Limit {
    /// So much at once, until it is given back.
    pub const fn at_once(most: u64) -> Self {
        Self { most, per_second: 0.0 }
    }

    /// `burst` at a stroke, then `per_second`.
    pub const fn rate(burst: u64, per_second: f64) -> Self {
        Self { most: burst, per_second }
    }

    /// No limit.
    pub const NONE: Self = Self { most: u64::MAX, per_second: 0.0 };
}

/// Who has taken how much.
#[derive(Debug)]
pub struct Quota<K> {
    all: Limit,
    each: Limit,
    total: Taken,
    takers: BTreeMap<K, Taken>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    units: f64,
    as_of: u64,
}

impl<K: Ord + Clone> Quota<K> {
    /// A limit for all together, and one for each taker.
    pub fn new(all: Limit, each: Limit) -> Self {
        Self { all, each, total: Taken::default(), takers: BTreeMap::new() }
    }

    /// Takes units if both limits allow it. `now` in milliseconds of any epoch.
    pub fn take(&mut self, who: &K, units: u64, now: u64) -> bool {
        self.total.refill(self.all, now);
        let mut own = self.takers.get(who).copied().unwrap_or_default();
        own.refill(self.each, now);
        if !self.total.fits(units, self.all) || !own.fits(units, self.each) {
            return false;
        }
        if !self.takers.contains_key(who) {
            self.make_room(now);
        }
        self.total.units += units as f64;
        own.units += units as f64;
        self.takers.insert(who.clone(), own);
        true
    }

    /// Other limits for each taker from now on; what was taken stays taken.
    pub fn change(&mut self, each: Limit) {
        self.each = each;
    }

    /// Milliseconds until time has given back what a taker lacks; 0 where nothing is lacking or time
    /// gives nothing back.
    pub fn wait_ms(&self, who: &K, units: u64, now: u64) -> u64 {
        let mut own = self.takers.get(who).copied().unwrap_or_default();
        own.refill(self.each, now);
        let lacks = own.units + units as f64 - self.each.most as f64;
        match lacks > 0.0 && self.each.per_second > 0.0 {
            true => (1000.0 * lacks / self.each.per_second).ceil() as u64,
            false => 0,
        }
    }

    /// Takes units that were used already, whether the limits allow it or not; at most all there are.
    pub fn charge(&mut self, who: &K, units: u64, now: u64) {
        if let Some(own) = self.takers.get_mut(who) {
            own.refill(self.each, now);
            own.units = (own.units + units as f64).min(self.each.most as f64);
        }
    }

    /// Gives units back before time does.
    pub fn give_back(&mut self, who: &K, units: u64) {
        self.total.units = (self.total.units - units as f64).max(0.0);
        if let Some(own) = self.takers.get_mut(who) {
            own.units = (own.units - units as f64).max(0.0);
            if own.units == 0.0 {
                self.takers.remove(who);
            }
        }
    }

    /// A taker begins afresh. What it took counts for all together until time gives it back.
    pub fn forget(&mut self, who: &K) {
        self.takers.remove(who);
    }

    /// What a taker holds now.
    pub fn taken(&self, who: &K, now: u64) -> u64 {
        let mut own = self.takers.get(who).copied().unwrap_or_default();
        own.refill(self.each, now);
        own.units as u64
    }

    /// What all hold now.
    pub fn total(&self, now: u64) -> u64 {
        let mut total = self.total;
        total.refill(self.all, now);
        total.units as u64
    }

    /// Takers that hold something, as far as they are remembered.
    pub fn takers(&self) -> usize {
        self.takers.len()
    }

    /// Forgets takers that hold nothing any more.
    pub fn tidy(&mut self, now: u64) {
        let each = self.each;
        self.takers.retain(|_, own| {
            own.refill(each, now);
            own.units > 0.0
        });
    }

    fn make_room(&mut self, now: u64) {
        if self.takers.len() < MAX_TAKERS {
            return;
        }
        self.tidy(now);
        // Of what is given back, nothing may be forgotten; `all` bounds how many hold some.
        if self.takers.len() >= MAX_TAKERS && self.each.per_second > 0.0 {
            let least = self.takers.iter().min_by(|a, b| a.1.units.total_cmp(&b.1.units));
            if let Some(who) = least.map(|(who, _)| who.clone()) {
                self.takers.remove(&who);
            }
        }
    }
}

impl Taken {
    fn refill(&mut self, limit: Limit, now: u64) {
        let passed = now.saturating_sub(self.as_of) as f64 / 1000.0;
        self.units = (self.units - passed * limit.per_second).max(0.0);
        self.as_of = now;
    }

    fn fits(&self, units: u64, limit: Limit) -> bool {
        limit.most == u64::MAX || self.units + units as f64 <= limit.most as f64
    }
}

/// A [`Quota`] for tasks: what was taken is given back when it is dropped. Cheap to clone; all
/// clones are the same.
#[derive(Debug)]
pub struct Shared<K> {
    quota: Arc<Mutex<Quota<K>>>,
    freed: Arc<Notify>,
}

/// Units that somebody holds. Dropping it gives them back.
#[derive(Debug)]
pub struct Held<K: Ord + Clone> {
    from: Shared<K>,
    who: K,
    units: u64,
}

impl<K> Clone for Shared<K> {
    fn clone(&self) -> Self {
        Self { quota: self.quota.clone(), freed: self.freed.clone() }
    }
}

impl<K: Ord + Clone> Shared<K> {
    /// So much for all together, and so much for each.
    pub fn new(all: Limit, each: Limit) -> Self {
        Self { quota: Arc::new(Mutex::new(Quota::new(all, each))), freed: Arc::default() }
    }

    /// Takes units now, if there are any for this taker.
    pub fn hold(&self, who: &K, units: u64) -> Option<Held<K>> {
        let taken = self.lock().take(who, units, now_ms());
        taken.then(|| Held { from: self.clone(), who: who.clone(), units })
    }

    /// Waits until there are units for this taker. More than the limit is never there.
    pub async fn wait(&self, who: &K, units: u64) -> Held<K> {
        loop {
            let freed = self.freed.notified();
            if let Some(held) = self.hold(who, units) {
                return held;
            }
            freed.await;
        }
    }

    /// What a taker holds now.
    pub fn taken(&self, who: &K) -> u64 {
        self.lock().taken(who, now_ms())
    }

    /// What all hold now.
    pub fn total(&self) -> u64 {
        self.lock().total(now_ms())
    }

    fn lock(&self) -> MutexGuard<'_, Quota<K>> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        self.from.lock().give_back(&self.who, self.units);
        self.from.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_taker_has_more_than_its_share_nor_all_more_than_there_is() {
        let mut places = Quota::new(Limit::at_once(5), Limit::at_once(2));
        assert_eq!((0..9).filter(|_| places.take(&"greedy", 1, 0)).count(), 2);
        assert_eq!((0..9).filter(|_| places.take(&"other", 1, 0)).count(), 2);
        assert!(places.take(&"third", 1, 0) && !places.take(&"fourth", 1, 0), "all are taken");
        assert!(!places.take(&"greedy", 1, u64::MAX), "time gives nothing back");
        places.give_back(&"greedy", 1);
        assert!(places.take(&"fourth", 1, 0) && !places.take(&"fifth", 1, 0));

        let mut checks = Quota::new(Limit::NONE, Limit::rate(2_000, 100.0));
        assert_eq!((0..5_000).filter(|_| checks.take(&1, 1, 0)).count(), 2_000);
        assert!(checks.take(&2, 2_000, 0) && !checks.take(&3, 2_001, 0));
        assert_eq!((0..500).filter(|_| checks.take(&1, 1, 1_000)).count(), 100);
        assert_eq!((checks.wait_ms(&1, 1, 1_000), checks.wait_ms(&1, 50, 1_000)), (10, 500));
        assert_eq!((checks.wait_ms(&9, 1, 1_000), places.wait_ms(&"greedy", 1, 0)), (0, 0));
        checks.charge(&1, 9_999, 1_000);
        assert!(!checks.take(&1, 1, 1_000) && checks.take(&1, 1, 1_010), "no more than all");
        checks.tidy(60_000);
        assert_eq!((checks.takers(), checks.total(60_000)), (0, 4_101), "all have no rate here");
        for taker in 0..2 * MAX_TAKERS as u64 {
            assert!(checks.take(&taker, 1, 60_000));
        }
        assert!(checks.takers() <= MAX_TAKERS);
    }

    #[tokio::test]
    async fn what_is_held_is_given_back_to_who_waits() {
        let bytes = Shared::new(Limit::at_once(10), Limit::at_once(8));
        let first = bytes.hold(&"a", 6).expect("there are ten");
        assert!(bytes.hold(&"a", 3).is_none() && bytes.hold(&"b", 5).is_none());
        let waiting = tokio::spawn({
            let bytes = bytes.clone();
            async move { bytes.wait(&"b", 5).await }
        });
        tokio::task::yield_now().await;
        assert_eq!((bytes.taken(&"a"), bytes.total()), (6, 6));
        drop(first);
        let second = waiting.await.expect("no panic");
        assert_eq!((bytes.taken(&"b"), bytes.total()), (5, 5));
        drop(second);
        assert_eq!(bytes.total(), 0);
    }
}
