//! When to dial again after a failure: exponential, with jitter, forgotten on success.

use rand::{Rng, RngExt as _};

/// The first wait, in ms.
const FIRST_MS: u64 = 500;
/// The longest wait, in ms.
const LONGEST_MS: u64 = 60_000;

/// How long one address or peer is left alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    until: u64,
}

impl Backoff {
    /// A dial failed at `now`. Says when to try again: 0.5 s after the first failure, twice as long
    /// after each further one, at most 60 s, each ±25 %.
    pub fn failed(&mut self, now: u64, rng: &mut impl Rng) -> u64 {
        let nominal = FIRST_MS.saturating_mul(1 << self.failures.min(10)).min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        self.until = now.saturating_add(jittered(nominal, rng));
        self.until
    }

    /// The other side asked for a pause of so many ms: at least that long, and the usual wait.
    pub fn asked(&mut self, pause_ms: u64, now: u64, rng: &mut impl Rng) -> u64 {
        let pause = jittered(pause_ms.min(LONGEST_MS), rng);
        self.until = self.failed(now, rng).max(now.saturating_add(pause));
        self.until
    }

    /// A short rest that counts as no failure, such as after trouble of our own.
    pub fn rest(&mut self, now: u64, rng: &mut impl Rng) {
        self.until = self.until.max(now.saturating_add(jittered(FIRST_MS, rng)));
    }

    /// A dial worked.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Whether it may be dialled now.
    pub fn ready(&self, now: u64) -> bool {
        now >= self.until
    }

    /// Whether the last dial failed.
    pub fn failing(&self) -> bool {
        self.failures > 0
    }
}

fn jittered(nominal: u64, rng: &mut impl Rng) -> u64 {
    rng.random_range(nominal * 3 / 4..=nominal * 5 / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng as _, rngs::SmallRng};

    #[test]
    fn waits_double_to_a_minute_and_are_forgotten_on_success() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut backoff = Backoff::default();
        for nominal in [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
            let until = backoff.failed(1_000_000, &mut rng) - 1_000_000;
            assert!((nominal * 3 / 4..=nominal * 5 / 4).contains(&until), "{nominal}: {until}");
            assert!(!backoff.ready(1_000_000 + until - 1));
            assert!(backoff.ready(1_000_000 + until));
        }
        backoff.succeeded();
        assert!(backoff.ready(0) && !backoff.failing());
        let first = backoff.failed(0, &mut rng);
        assert!((375..=625).contains(&first), "{first}");
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept_and_spread() {
        let mut rng = SmallRng::seed_from_u64(2);
        let mut pauses: Vec<u64> =
            (0..50).map(|_| Backoff::default().asked(8_000, 0, &mut rng)).collect();
        pauses.sort_unstable();
        assert!(pauses[0] >= 6_000 && pauses[49] <= 10_000, "{pauses:?}");
        assert!(pauses[49] - pauses[0] > 2_000, "spread: {pauses:?}");
        assert!(Backoff::default().asked(u64::MAX, 0, &mut rng) <= 75_000, "nobody asks for ever");
    }
}
