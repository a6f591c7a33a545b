//! The owner's daily budget: how many calls were made today, kept over restarts.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{private, service::day};

/// The file in the data folder.
pub const BUDGET_FILE: &str = "facepp-calls.json";
/// The largest file that is read.
const MAX_FILE: u64 = 1024;
const DAY: u64 = 86_400;
/// Seconds before a count that could not be kept is tried again.
const RETRY: u64 = 15;

/// How much of the daily budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls since midnight UTC.
    pub calls_today: u32,
    /// How many the owner allows a day.
    pub daily_calls: u32,
}

/// Why no call may be made now.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// All used.
    #[error(
        "the {daily_calls} Face++ calls that the owner of this node allows a day are used up; the next ones are on {renews} (UTC)"
    )]
    UsedUp {
        /// How many.
        daily_calls: u32,
        /// The next day, as `2026-11-25`.
        renews: String,
    },
    /// The count cannot be kept, so nothing is spent.
    #[error("the count of Face++ calls cannot be kept in {} ({source}); check the disk, or remove that file to begin at 0", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The count of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// UTC, as `2026-11-24`.
    day: String,
    calls: u32,
}

/// Counts calls against the daily budget.
pub struct Budget {
    daily_calls: u32,
    file: Option<PathBuf>,
    /// Whose turn it is to change the file. Held while the disk is waited for, so nothing that
    /// async code asks may take it.
    turn: Mutex<()>,
    seen: Mutex<Seen>,
}

/// What is known without the disk.
#[derive(Default)]
struct Seen {
    /// What was counted last; the file has the word when there is one.
    count: Count,
    /// Why the count cannot be kept, since when.
    broken: Option<(String, u64)>,
}

impl Budget {
    /// A budget whose count is in a data folder, or in memory alone.
    pub fn open(daily_calls: u32, data_dir: Option<&Path>) -> Self {
        let file = data_dir.map(|dir| dir.join(BUDGET_FILE));
        let budget = Self { daily_calls, file, turn: Mutex::default(), seen: Mutex::default() };
        match budget.file.as_deref().map(read) {
            Some(Ok(count)) => budget.seen().count = count,
            Some(Err(source)) => {
                budget.fail(source, now());
            }
            None => {}
        }
        budget
    }

    /// Counts one call at `now` (seconds since 1970); it is on the disk when this returns.
    pub fn take(&self, now: u64) -> Result<Usage, BudgetError> {
        self.change(now, |calls| match *calls < self.daily_calls {
            true => {
                *calls += 1;
                true
            }
            false => false,
        })
    }

    /// Takes back a call of `taken` that Face++ surely does not charge; one of yesterday is gone
    /// with its day.
    pub fn give_back(&self, taken: u64, now: u64) -> Result<Usage, BudgetError> {
        let same_day = day(taken) == day(now);
        self.change(now, |calls| {
            *calls = calls.saturating_sub(u32::from(same_day));
            true
        })
    }

    /// How much is used, as last seen.
    pub fn usage(&self, now: u64) -> Usage {
        let count = &self.seen().count;
        let calls_today = if count.day >= day(now) { count.calls } else { 0 };
        Usage { calls_today, daily_calls: self.daily_calls }
    }

    /// Why no call may be made now, if so, for a person. Waits for nothing.
    pub fn trouble(&self, now: u64) -> Option<String> {
        if let Some((why, _)) = &self.seen().broken {
            return Some(why.clone());
        }
        let Usage { calls_today, daily_calls } = self.usage(now);
        let used_up = BudgetError::UsedUp { daily_calls, renews: day(now.saturating_add(DAY)) };
        (calls_today >= daily_calls).then(|| used_up.to_string())
    }

    /// Whether the count could not be kept and it is time to try again, with [`Budget::retry`].
    pub fn wants_retry(&self, now: u64) -> bool {
        let mut seen = self.seen();
        match &mut seen.broken {
            Some((_, since)) if now.abs_diff(*since) >= RETRY => {
                *since = now;
                true
            }
            _ => false,
        }
    }

    /// Tries whether the count can be kept again. Waits for the disk.
    pub fn retry(&self, now: u64) {
        let _ = self.change(now, |_| true);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, source: io::Error, now: u64) -> BudgetError {
        let error = BudgetError::File { path: self.file.clone().unwrap_or_default(), source };
        self.seen().broken = Some((error.to_string(), now));
        error
    }

    fn change(
        &self,
        now: u64,
        allowed: impl FnOnce(&mut u32) -> bool,
    ) -> Result<Usage, BudgetError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let today = day(now);
        let fail = |source| self.fail(source, now);
        // Two commands may run in one data folder for a moment, each with a node of its own.
        let _lock = self.file.as_deref().map(lock).transpose().map_err(fail)?;
        let known = match &self.file {
            Some(file) => read(file).map_err(fail)?,
            None => self.seen().count.clone(),
        };
        // Days are written so that they sort. A clock that was put back starts no second day.
        let mut count = match known.day >= today {
            true => known,
            false => Count { day: today, calls: 0 },
        };
        if !allowed(&mut count.calls) {
            *self.seen() = Seen { count, broken: None };
            let renews = day(now.saturating_add(DAY));
            return Err(BudgetError::UsedUp { daily_calls: self.daily_calls, renews });
        }
        if let Some(file) = &self.file {
            write(file, &count).map_err(fail)?;
        }
        let calls_today = count.calls;
        *self.seen() = Seen { count, broken: None };
        Ok(Usage { calls_today, daily_calls: self.daily_calls })
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Held while the count is read and written; goes with the handle.
fn lock(file: &Path) -> io::Result<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn read(file: &Path) -> io::Result<Count> {
    let mut text = String::new();
    match File::open(file) {
        Ok(file) => file.take(MAX_FILE).read_to_string(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Count::default()),
        Err(error) => return Err(error),
    };
    serde_json::from_str(&text).map_err(io::Error::from)
}

fn write(file: &Path, count: &Count) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(&serde_json::to_vec(count)?)?;
    fresh.as_file().sync_all()?;
    fresh.persist(file)?;
    // The new name is durable when its folder is.
    private::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// 2026-11-24 23:59:59 UTC, from `date -u -d '2026-11-24 23:59:59' +%s`.
    const LATE: u64 = 1_795_564_799;

    #[test]
    fn a_day_has_so_many_calls_and_the_next_as_many_again() {
        let dir = tempfile::tempdir().unwrap();
        let budget = Budget::open(2, Some(dir.path()));
        assert!(budget.trouble(LATE).is_none());
        assert_eq!(budget.take(LATE).unwrap(), Usage { calls_today: 1, daily_calls: 2 });
        // A restart forgets nothing.
        let budget = Budget::open(2, Some(dir.path()));
        assert_eq!(budget.usage(LATE).calls_today, 1);
        budget.take(LATE).unwrap();
        let text = budget.take(LATE).unwrap_err().to_string();
        assert!(text.contains("the 2 Face++ calls") && text.contains("2026-11-25"), "{text}");
        assert_eq!(budget.trouble(LATE).unwrap(), text);
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.path().join(BUDGET_FILE)).unwrap()).unwrap();
        assert_eq!(json, serde_json::json!({"day": "2026-11-24", "calls": 2}));
        assert!(budget.trouble(LATE + 1).is_none());
        assert_eq!(budget.take(LATE + 1).unwrap().calls_today, 1);
        // The clock is put back over midnight.
        assert_eq!(budget.take(LATE).unwrap().calls_today, 2);
        assert!(budget.take(LATE).is_err() && budget.trouble(LATE).is_some());
    }

    #[test]
    fn calls_are_given_back_and_never_below_none() {
        let budget = Budget::open(1, None);
        budget.take(LATE).unwrap();
        assert!(budget.take(LATE).is_err());
        assert_eq!(budget.give_back(LATE, LATE).unwrap().calls_today, 0);
        assert_eq!(budget.give_back(LATE, LATE).unwrap().calls_today, 0);
        budget.take(LATE).unwrap();
        budget.take(LATE + 1).unwrap();
        assert_eq!(budget.give_back(LATE, LATE + 1).unwrap().calls_today, 1, "of yesterday");
        assert_eq!(budget.give_back(LATE + 1, LATE + 1).unwrap().calls_today, 0);
        assert!(Budget::open(0, None).take(LATE).is_err());
    }

    #[test]
    fn many_at_once_never_spend_more_than_there_is() {
        let dir = tempfile::tempdir().unwrap();
        let taken: usize = std::thread::scope(|scope| {
            let spend = || {
                let budget = Budget::open(20, Some(dir.path()));
                (0..10).filter(|_| budget.take(LATE).is_ok()).count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(spend)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(taken, 20);
    }

    #[test]
    fn nothing_is_spent_when_the_count_cannot_be_kept() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["", "{", "{\"day\":3}", &"x".repeat(5000)] {
            fs::write(dir.path().join(BUDGET_FILE), bad).unwrap();
            let error = Budget::open(5, Some(dir.path())).take(LATE).unwrap_err();
            assert!(error.to_string().contains("remove that file"), "{error}");
        }
        // It is said before anybody asks, and over when the file is good again.
        let budget = Budget::open(5, Some(dir.path()));
        assert!(budget.trouble(now()).is_some_and(|why| why.contains("remove that file")));
        assert!(!budget.wants_retry(now()));
        fs::remove_file(dir.path().join(BUDGET_FILE)).unwrap();
        assert!(budget.wants_retry(now() + RETRY) && !budget.wants_retry(now() + RETRY));
        budget.retry(now());
        assert_eq!(budget.trouble(now()), None);
        let gone = dir.path().join("gone");
        assert!(Budget::open(5, Some(&gone)).take(LATE).is_err());
    }

    /// Another process that holds the lock and sleeps must not stop this node from saying how it
    /// stands.
    #[test]
    fn how_it_stands_is_known_while_the_disk_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let budget = Budget::open(5, Some(dir.path()));
        let held = lock(&dir.path().join(BUDGET_FILE)).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.take(LATE));
            while budget.turn.try_lock().is_ok() {
                std::thread::yield_now();
            }
            assert_eq!(budget.trouble(LATE), None);
            assert_eq!(budget.usage(LATE).calls_today, 0);
            drop(held);
            assert_eq!(waiting.join().unwrap().unwrap().calls_today, 1);
        });
    }
}
