//! Whether the key can be used now: read again when its file changes, checked before it is offered,
//! and after a refusal only every few minutes. Knows no clock and no network.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    FaceppError,
    key::{self, Credentials},
};
use crate::private::Stamp;

/// The pause before a refused key is checked again, and its longest.
const REFUSED: (Duration, Duration) = (Duration::from_secs(5 * 60), Duration::from_secs(60 * 60));
/// The same while Face++ cannot be reached.
const UNREACHABLE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(10 * 60));
/// A check that gave no result after this time is given up.
const LOST: Duration = Duration::from_secs(60);

/// The state of the key.
pub(super) struct Gate {
    data_dir: Option<PathBuf>,
    inner: Mutex<Inner>,
}

struct Inner {
    stamp: Option<Stamp>,
    key: Option<Arc<Credentials>>,
    state: State,
    /// When the check that runs was begun.
    checking: Option<Instant>,
}

enum State {
    /// There is a key and nobody knows yet whether it works.
    Unchecked,
    Open,
    Shut {
        why: String,
        /// When it is worth another check; `None` until the file changes.
        again: Option<Instant>,
        /// Whether the key was refused; otherwise nobody could be asked.
        refused: bool,
        /// Checks that failed so in a row, after the first.
        times: u32,
    },
}

impl Gate {
    /// Reads the key.
    pub(super) fn new(data_dir: Option<PathBuf>) -> Self {
        let inner = Inner::read(data_dir.as_ref());
        Self { data_dir, inner: Mutex::new(inner) }
    }

    /// Reads the key again if its file changed, and gives it when it is to be checked now. The
    /// caller checks it and tells [`Gate::tell`] the result.
    pub(super) fn due(&self, now: Instant) -> Option<Arc<Credentials>> {
        let mut inner = self.lock();
        if inner.stamp != key::stamp(self.data_dir.as_deref()) {
            *inner = Inner::read(self.data_dir.as_ref());
        }
        let due = match &inner.state {
            State::Unchecked => true,
            State::Open => false,
            State::Shut { again, .. } => again.is_some_and(|again| now >= again),
        };
        let running = inner.checking.is_some_and(|since| now < since + LOST);
        if !due || running {
            return None;
        }
        inner.checking = Some(now);
        inner.key.clone()
    }

    /// Nobody could check it; another call of [`Gate::due`] gives it again.
    pub(super) fn not_checked(&self) {
        self.lock().checking = None;
    }

    /// Takes in how a check or a call with this key ended.
    pub(super) fn tell(
        &self,
        key: &Arc<Credentials>,
        result: Result<(), &FaceppError>,
        now: Instant,
    ) {
        let mut inner = self.lock();
        if !inner.key.as_ref().is_some_and(|current| Arc::ptr_eq(current, key)) {
            // Of a key that was replaced meanwhile.
            return;
        }
        inner.checking = None;
        let Err(error) = result else {
            if !matches!(inner.state, State::Open) {
                tracing::info!("Face++ takes the key of this node");
            }
            inner.state = State::Open;
            return;
        };
        let refuses = error.shuts();
        let times = match inner.state {
            State::Shut { refused, .. } if refused != refuses => 0,
            // Calls that were under way together are refused together.
            State::Shut { times, again: Some(again), .. } if now < again => times,
            State::Shut { times, .. } => times.saturating_add(1),
            State::Unchecked | State::Open => 0,
        };
        let (first, longest) = if refuses { REFUSED } else { UNREACHABLE };
        let pause = first.saturating_mul(1 << times.min(16)).min(longest);
        tracing::warn!("facepp/1 is not offered: {error}; tried again in {} s", pause.as_secs());
        let (why, again) = (error.to_string(), Some(now + pause));
        inner.state = State::Shut { why, again, refused: refuses, times };
    }

    /// The key, unless it is known not to work; the error says why, for a person.
    pub(super) fn key(&self) -> Result<Arc<Credentials>, String> {
        let inner = self.lock();
        match (&inner.state, &inner.key) {
            (State::Shut { why, .. }, _) => Err(why.clone()),
            (_, Some(key)) => Ok(key.clone()),
            (_, None) => Err("this node has no Face++ key".to_owned()),
        }
    }

    /// Whether Face++ took the key when it was last asked.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.lock().state, State::Open)
    }

    /// Whether there is a key, good or bad.
    pub(super) fn has_key(&self) -> bool {
        self.lock().key.is_some()
    }

    /// Whether there is a key that was not checked yet.
    pub(super) fn is_unchecked(&self) -> bool {
        matches!(self.lock().state, State::Unchecked)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn read(data_dir: Option<&PathBuf>) -> Self {
        let data_dir = data_dir.map(PathBuf::as_path);
        // Taken first: a change while the file is read is seen at the next look.
        let stamp = key::stamp(data_dir);
        let shut = |why: String| State::Shut { why, again: None, refused: true, times: 0 };
        let (key, state) = match Credentials::load(data_dir) {
            Ok(Some(key)) => (Some(Arc::new(key)), State::Unchecked),
            Ok(None) => {
                let why = format!(
                    "this node has no Face++ key; its owner sets {} and {}, or writes {} into the data folder",
                    key::KEY_VARIABLE,
                    key::SECRET_VARIABLE,
                    key::KEY_FILE
                );
                (None, shut(why))
            }
            Err(error) => {
                tracing::error!("facepp/1 is not offered: {error}");
                (None, shut(error.to_string()))
            }
        };
        Self { stamp, key, state, checking: None }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    fn write(dir: &Path, text: &str) {
        let path = dir.join(key::KEY_FILE);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn gate(dir: &Path) -> Gate {
        Gate::new(Some(dir.to_owned()))
    }

    #[test]
    fn a_refused_key_rests_longer_each_time() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a\nb");
        let (gate, mut now) = (gate(dir.path()), Instant::now());
        assert!(gate.is_unchecked() && !gate.is_open());
        for minutes in [5, 10, 20, 40, 60, 60] {
            let key = gate.due(now).unwrap();
            assert!(gate.due(now).is_none(), "one check at a time");
            gate.tell(&key, Err(&FaceppError::Authentication), now);
            assert!(gate.key().unwrap_err().contains("does not know the key"));
            let rest = Duration::from_secs(60 * minutes);
            assert!(gate.due(now + rest - Duration::from_secs(1)).is_none());
            now += rest;
        }
        let key = gate.due(now).unwrap();
        gate.tell(&key, Ok(()), now);
        assert!(gate.is_open() && gate.key().is_ok() && gate.due(now).is_none());
        gate.tell(&key, Err(&FaceppError::NoBalance), now);
        assert!(!gate.is_open());
        assert!(gate.due(now + REFUSED.0).is_some(), "the first pause again");
    }

    #[test]
    fn calls_that_are_refused_together_count_once() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a\nb");
        let (gate, now) = (gate(dir.path()), Instant::now());
        let key = gate.due(now).unwrap();
        gate.tell(&key, Ok(()), now);
        for _ in 0..5 {
            gate.tell(&key, Err(&FaceppError::Authentication), now);
        }
        assert!(gate.due(now + REFUSED.0).is_some(), "5 minutes, not an hour");
    }

    #[test]
    fn a_night_without_a_network_is_no_refusal() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a\nb");
        let (gate, mut now) = (gate(dir.path()), Instant::now());
        for _ in 0..8 {
            let key = gate.due(now).unwrap();
            gate.tell(&key, Err(&FaceppError::Unreachable("no route".into())), now);
            now += UNREACHABLE.1;
        }
        let key = gate.due(now).unwrap();
        gate.tell(&key, Err(&FaceppError::Authentication), now);
        assert!(gate.due(now + REFUSED.0).is_some(), "5 minutes, not an hour");
    }

    #[test]
    fn a_check_that_never_ends_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a\nb");
        let (gate, now) = (gate(dir.path()), Instant::now());
        assert!(gate.due(now).is_some() && gate.due(now).is_none());
        assert!(gate.due(now + LOST).is_some());
        gate.not_checked();
        assert!(gate.due(now).is_some());
    }

    #[test]
    fn a_new_file_is_a_new_key() {
        let dir = tempfile::tempdir().unwrap();
        let (gate, now) = (gate(dir.path()), Instant::now());
        assert!(gate.due(now).is_none() && !gate.is_unchecked());
        assert!(gate.key().unwrap_err().contains(key::KEY_FILE));
        write(dir.path(), "a\nb");
        let old = gate.due(now).unwrap();
        gate.tell(&old, Err(&FaceppError::Authentication), now);
        assert!(gate.due(now).is_none());
        write(dir.path(), "a\nlonger");
        let new = gate.due(now).unwrap();
        assert_eq!(new.secret.reveal(), "longer");
        gate.tell(&new, Ok(()), now);
        gate.tell(&old, Err(&FaceppError::Authentication), now);
        assert!(gate.is_open(), "what is said of the old key does not shut the new one");
        fs::remove_file(dir.path().join(key::KEY_FILE)).unwrap();
        assert!(gate.due(now).is_none() && !gate.is_open());
    }
}
