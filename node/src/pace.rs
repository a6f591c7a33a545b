//! A least rate: who dawdles is given up on, however regularly a byte comes.

use std::time::Duration;

use tokio::time::Instant;

/// Until when further bytes have to move. It starts a window ahead, and every byte pushes it on by
/// what the least rate allows for one, never more than a window ahead: silence ends it after a
/// window, and so does a trickle.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Bytes a second.
    least: f64,
    window: Duration,
    deadline: Instant,
}

impl Pace {
    /// At least so many bytes a second, looked at over that window.
    pub(crate) fn new(least: u32, window: Duration, now: Instant) -> Self {
        Self { least: f64::from(least.max(1)), window, deadline: now + window }
    }

    /// So many bytes moved.
    pub(crate) fn moved(&mut self, bytes: usize, now: Instant) {
        let earned = Duration::from_secs_f64((bytes as f64 / self.least).min(86_400.0));
        self.deadline = (self.deadline + earned).min(now + self.window);
    }

    /// There was nothing to move: that is nobody's fault.
    pub(crate) fn rest(&mut self, now: Instant) {
        self.deadline = now + self.window;
    }

    /// It was this node that took so long.
    pub(crate) fn excuse(&mut self, time: Duration) {
        self.deadline += time;
    }

    /// The moment at which patience ends.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves `bytes` every `every` seconds and gives the second in which patience ends.
    fn ends(bytes: usize, every: u64) -> Option<u64> {
        let start = Instant::now();
        let mut pace = Pace::new(1000, Duration::from_secs(30), start);
        for second in (every..3600).step_by(usize::try_from(every).expect("it fits")) {
            let now = start + Duration::from_secs(second);
            if now > pace.deadline() {
                return Some((pace.deadline() - start).as_secs());
            }
            pace.moved(bytes, now);
        }
        None
    }

    #[test]
    fn a_trickle_ends_as_silence_does_and_the_least_rate_goes_on() {
        assert_eq!(ends(0, 1), Some(30));
        assert_eq!(ends(16, 4), Some(30), "16 bytes every 4 s are silence");
        assert!(ends(500, 1).is_some_and(|at| at < 70), "half of the rate is not enough for long");
        assert_eq!(ends(1000, 1), None);
        assert_eq!(ends(25_000, 25), None, "it comes in bursts");
        assert!(ends(1 << 20, 31).is_some(), "a burst buys no more than a window");
    }

    #[test]
    fn time_without_anything_to_move_does_not_count() {
        let start = Instant::now();
        let mut pace = Pace::new(1000, Duration::from_secs(10), start);
        let later = start + Duration::from_secs(500);
        pace.rest(later);
        assert_eq!(pace.deadline(), later + Duration::from_secs(10));
        pace.excuse(Duration::from_secs(5));
        assert_eq!(pace.deadline(), later + Duration::from_secs(15));
    }
}
