//! When to dial again after a failure: exponential, with jitter, forgotten on success.

use std::{collections::HashMap, hash::Hash};

use rand::{Rng, RngExt as _};

/// The first wait, in ms.
const FIRST_MS: u64 = 500;
/// The longest wait, in ms.
const LONGEST_MS: u64 = 60_000;
/// Most keys that are remembered.
const MAX_KEYS: usize = 4096;

/// Waits by key: an address or a peer id.
#[derive(Debug)]
pub struct Backoff<K> {
    waits: HashMap<K, Wait>,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    failures: u32,
    until: u64,
}

impl<K> Default for Backoff<K> {
    fn default() -> Self {
        Self { waits: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone> Backoff<K> {
    /// Nothing has failed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A dial failed at `now`. Says when to try again: 0.5 s after the first failure, twice as long
    /// after each further one, at most 60 s, each ±25 %.
    pub fn failed(&mut self, key: K, now: u64, rng: &mut impl Rng) -> u64 {
        if self.waits.len() >= MAX_KEYS && !self.waits.contains_key(&key) {
            self.forget_one();
        }
        let wait = self.waits.entry(key).or_insert(Wait { failures: 0, until: now });
        let nominal = FIRST_MS.saturating_mul(1 << wait.failures.min(10)).min(LONGEST_MS);
        wait.failures = wait.failures.saturating_add(1);
        wait.until = now.saturating_add(rng.random_range(nominal * 3 / 4..=nominal * 5 / 4));
        wait.until
    }

    /// A dial worked.
    pub fn succeeded(&mut self, key: &K) {
        self.waits.remove(key);
    }

    /// Whether the key may be dialled now.
    pub fn ready(&self, key: &K, now: u64) -> bool {
        self.waits.get(key).is_none_or(|wait| now >= wait.until)
    }

    /// When the key may be dialled again, if it has to wait.
    pub fn until(&self, key: &K) -> Option<u64> {
        self.waits.get(key).map(|wait| wait.until)
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether nothing has failed.
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// What may be dialled soonest goes first: forgetting it costs least.
    fn forget_one(&mut self) {
        let soonest = self.waits.iter().min_by_key(|(_, wait)| wait.until);
        if let Some(key) = soonest.map(|(key, _)| key.clone()) {
            self.waits.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng as _, rngs::SmallRng};

    #[test]
    fn waits_double_to_a_minute_and_are_forgotten_on_success() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut backoff = Backoff::new();
        for nominal in [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
            let until = backoff.failed("a", 1_000_000, &mut rng) - 1_000_000;
            assert!((nominal * 3 / 4..=nominal * 5 / 4).contains(&until), "{nominal}: {until}");
            assert!(!backoff.ready(&"a", 1_000_000 + until - 1));
            assert!(backoff.ready(&"a", 1_000_000 + until));
        }
        backoff.succeeded(&"a");
        assert!(backoff.ready(&"a", 0));
        let first = backoff.failed("a", 0, &mut rng);
        assert!((375..=625).contains(&first), "{first}");
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut backoff = Backoff::new();
        for key in 0..MAX_KEYS + 500 {
            backoff.failed(key, key as u64, &mut rng);
        }
        assert_eq!(backoff.len(), MAX_KEYS);
        assert!(backoff.until(&(MAX_KEYS + 499)).is_some());
    }
}
