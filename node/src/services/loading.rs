//! Getting a service ready on a thread of its own, and measuring services one after the other: two that
//! measure at once measure each other.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Something that is loaded in the background, well or badly.
pub(super) struct Loading<T>(Arc<OnceLock<Result<T, String>>>);

impl<T> Clone for Loading<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Loading<T> {
    /// Loads on a new thread.
    pub(super) fn start(
        what: &'static str,
        load: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Self {
        let cell = Arc::new(OnceLock::new());
        let filled = cell.clone();
        let spawned = std::thread::Builder::new().name(what.to_owned()).spawn(move || {
            let load = std::panic::AssertUnwindSafe(load);
            let loaded = std::panic::catch_unwind(load)
                .unwrap_or_else(|_| Err("the engine broke while it was loaded".into()));
            if let Err(error) = &loaded {
                tracing::error!("{what} is not offered: {error}");
            }
            filled.get_or_init(|| loaded);
        });
        if let Err(error) = spawned {
            let _ = cell.set(Err(error.to_string()));
        }
        Self(cell)
    }

    /// Does this with what will have been loaded, such as measuring it, on a new thread.
    pub(super) fn then(&self, what: &str, after: impl FnOnce(&T) + Send + 'static) {
        let cell = self.0.clone();
        let spawned = std::thread::Builder::new().name(what.to_owned()).spawn(move || {
            if let Ok(loaded) = cell.wait() {
                after(loaded);
            }
        });
        if let Err(error) = spawned {
            tracing::warn!("{what}: {error}");
        }
    }

    /// What was loaded.
    pub(super) fn ready(&self) -> Option<&T> {
        self.0.get()?.as_ref().ok()
    }

    /// Whether it is still being loaded.
    pub(super) fn is_loading(&self) -> bool {
        self.0.get().is_none()
    }

    /// Why it cannot be loaded, for a person.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.get()?.as_ref().err().cloned()
    }
}

/// Measures while no other service of this process measures.
pub(super) fn alone<T>(measure: impl FnOnce() -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    measure()
}
