//! One budget for the pixels of all pictures under way in the process.
//!
//! A file of half a megabyte may hold a hundred megapixels, so what counts is not how many pictures are decoded at
//! once but how many bytes they need. Whoever decodes takes [`Room`] first and waits while there is none. Pictures
//! have room in the order in which they came. Small ones have a part of their own besides, so that they go on while
//! a huge one is decoded.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::picture::PictureError;

/// Pictures that need no more than this count as small whatever the budget is: 4 MB of pixels, such as a photograph of
/// 1.3 megapixels has, and as much for file and decoder.
const SMALL: u64 = 8 << 20;
/// The part of the budget that one picture may need and still be small, as a divisor.
const SMALL_PART: u64 = 64;
/// The part of the budget that only small pictures have, as a divisor.
const RESERVED_PART: u64 = 8;
/// The part of the machine's memory that pictures have unless somebody says otherwise, as a divisor.
const MEMORY_PART: u64 = 4;
/// Where the machine does not say how much memory it has.
const MEMORY_UNKNOWN: u64 = 4 << 30;
/// How often a waiting picture looks whether anybody still wants it.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes that pictures may have at once. Cheap to clone; clones are the same budget.
#[derive(Clone, Debug)]
pub struct PixelBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    limit: u64,
    /// Bytes in use, of the part of small pictures and of the other.
    small: u64,
    large: u64,
    /// Who waits for the other part, in their order.
    waiting: VecDeque<u64>,
    next: u64,
}

/// A part of a [`PixelBudget`], given back when it is dropped.
#[derive(Debug)]
pub struct Room {
    budget: PixelBudget,
    bytes: u64,
    small: bool,
}

impl PixelBudget {
    /// A budget of its own.
    pub fn new(bytes: u64) -> PixelBudget {
        let state = State { limit: bytes, small: 0, large: 0, waiting: VecDeque::new(), next: 0 };
        PixelBudget { shared: Arc::new(Shared { state: Mutex::new(state), freed: Condvar::new() }) }
    }

    /// The one of this process: a quarter of the machine's memory, unless [`PixelBudget::set`] changed it.
    pub fn of_process() -> &'static PixelBudget {
        static BUDGET: OnceLock<PixelBudget> = OnceLock::new();
        BUDGET.get_or_init(|| PixelBudget::new(memory().unwrap_or(MEMORY_UNKNOWN) / MEMORY_PART))
    }

    /// Changes how much there is. What is in use stays so.
    pub fn set(&self, bytes: u64) {
        self.state().limit = bytes;
        self.shared.freed.notify_all();
    }

    /// The most bytes that one picture may need. The rest is for small ones.
    pub fn most(&self) -> u64 {
        self.state().most()
    }

    /// Bytes that are in use now.
    pub fn in_use(&self) -> u64 {
        let state = self.state();
        state.small + state.large
    }

    /// Pictures that wait for room now.
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Room for a picture that needs so many bytes, or `None` while there is none.
    ///
    /// # Errors
    /// [`PictureError::TooMuchMemory`] where it never fits.
    pub fn try_room(&self, bytes: u64) -> Result<Option<Room>, PictureError> {
        let mut state = self.state();
        state.check(bytes)?;
        let small = state.enter(bytes, None);
        Ok(small.map(|small| Room { budget: self.clone(), bytes, small }))
    }

    /// The same, but waits. `give_up` is asked several times a second whether it is still worth it.
    ///
    /// # Errors
    /// [`PictureError::TooMuchMemory`] where it never fits, [`PictureError::GivenUp`].
    pub fn room(&self, bytes: u64, give_up: &dyn Fn() -> bool) -> Result<Room, PictureError> {
        let mut state = self.state();
        let ticket = state.next;
        state.next += 1;
        state.waiting.push_back(ticket);
        let got = loop {
            if let Err(error) = state.check(bytes) {
                break Err(error);
            }
            if let Some(small) = state.enter(bytes, Some(ticket)) {
                break Ok(Room { budget: self.clone(), bytes, small });
            }
            if give_up() {
                break Err(PictureError::GivenUp);
            }
            let waited = self.shared.freed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting.retain(|other| *other != ticket);
        drop(state);
        // The next one may be at the head now.
        self.shared.freed.notify_all();
        got
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// How many bytes it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back what is above `bytes`.
    pub(crate) fn shrink(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        if less > 0 {
            self.bytes -= less;
            self.give_back(less);
        }
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.budget.state();
        let used = if self.small { &mut state.small } else { &mut state.large };
        *used = used.saturating_sub(bytes);
        drop(state);
        self.budget.shared.freed.notify_all();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

impl State {
    fn reserved(&self) -> u64 {
        (self.limit / RESERVED_PART).max(SMALL.min(self.limit / 2))
    }

    fn most(&self) -> u64 {
        self.limit - self.reserved()
    }

    fn check(&self, bytes: u64) -> Result<(), PictureError> {
        let most = self.most();
        if bytes > most {
            return Err(PictureError::TooMuchMemory { needed: bytes, most });
        }
        Ok(())
    }

    /// Takes room where there is some, and says whether it is of the part for small pictures. The other part is for
    /// whoever waits longest.
    fn enter(&mut self, bytes: u64, ticket: Option<u64>) -> Option<bool> {
        let is_small = bytes <= (self.limit / SMALL_PART).max(SMALL);
        if is_small && self.small + bytes <= self.reserved() {
            self.small += bytes;
            return Some(true);
        }
        let first = match self.waiting.front() {
            None => true,
            Some(front) => Some(*front) == ticket,
        };
        if first && self.large + bytes <= self.most() {
            self.large += bytes;
            return Some(false);
        }
        None
    }
}

/// Bytes of memory that this process can have: the machine's, or fewer where a container is given fewer.
fn memory() -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let info = read("/proc/meminfo")?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = number(line.trim_end_matches("kB"))? << 10;
    let given = read("/sys/fs/cgroup/memory.max").and_then(|text| number(&text));
    Some(given.map_or(machine, |given| given.min(machine)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn small_ones_go_on_while_a_huge_one_has_all() {
        let budget = PixelBudget::new(256 * MB);
        let huge = budget.try_room(budget.most()).unwrap().unwrap();
        assert!(budget.try_room(9 * MB).unwrap().is_none());
        let small: Vec<_> = (0..8).map(|_| budget.try_room(4 * MB).unwrap().unwrap()).collect();
        assert!(budget.try_room(MB).unwrap().is_none());
        assert_eq!(budget.in_use(), 256 * MB);
        drop((huge, small));
        assert_eq!(budget.in_use(), 0);
    }

    #[test]
    fn what_never_fits_is_said() {
        let budget = PixelBudget::new(64 * MB);
        let error = budget.try_room(64 * MB).unwrap_err();
        assert_eq!(error, PictureError::TooMuchMemory { needed: 64 * MB, most: 56 * MB });
        assert!(error.to_string().contains("64 MB"), "{error}");
        assert_eq!(budget.room(64 * MB, &|| false).unwrap_err(), error);
    }

    #[test]
    fn who_waits_may_give_up_and_leaves_nothing() {
        let budget = PixelBudget::new(64 * MB);
        let held = budget.try_room(50 * MB).unwrap().unwrap();
        assert_eq!(budget.room(50 * MB, &|| true).unwrap_err(), PictureError::GivenUp);
        assert_eq!((budget.waiting(), budget.in_use()), (0, 50 * MB));
        drop(held);
        assert!(budget.try_room(50 * MB).unwrap().is_some());
    }

    #[test]
    fn the_longest_waiting_comes_first() {
        let budget = PixelBudget::new(64 * MB);
        let mut held = budget.try_room(50 * MB).unwrap().unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| budget.room(50 * MB, &|| false).unwrap().bytes());
            while budget.waiting() == 0 {
                std::thread::yield_now();
            }
            // There would be room for this one, but then the other might wait for ever.
            held.shrink(40 * MB);
            assert!(budget.try_room(10 * MB).unwrap().is_none());
            drop(held);
            assert_eq!(waits.join().unwrap(), 50 * MB);
        });
        assert_eq!(budget.in_use(), 0);
    }

    #[test]
    fn this_machine_has_some() {
        assert!(PixelBudget::of_process().most() >= 64 * MB);
    }
}
