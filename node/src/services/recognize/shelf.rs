//! The models beside the default one: loaded one at a time, kept while there is room, and never put away while
//! somebody looks through them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A few loaded things by name.
pub(super) struct Shelf<T> {
    most: usize,
    /// Least recently used first.
    items: Mutex<Vec<(String, Arc<T>)>>,
    /// Whose turn it is to load. Held while it loads, so nothing that must not wait may take it.
    turn: Mutex<()>,
}

/// Why something is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing<E> {
    /// All places are taken by what is in use.
    Full,
    /// It cannot be loaded.
    Failed(E),
}

impl<T> Shelf<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, items: Mutex::default(), turn: Mutex::default() }
    }

    /// What is there. Waits for nothing that is being loaded.
    pub(super) fn here(&self, name: &str) -> Option<Arc<T>> {
        let mut items = self.items();
        let at = items.iter().position(|(its, _)| its == name)?;
        let found = items.remove(at);
        let item = found.1.clone();
        items.push(found);
        Some(item)
    }

    /// What is there, or is loaded now: one thing at a time, so this may wait long. What was used least recently, and
    /// by nobody now, goes.
    pub(super) fn fetch<E>(
        &self,
        name: &str,
        load: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, Missing<E>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have loaded it meanwhile.
        if let Some(item) = self.here(name) {
            return Ok(item);
        }
        let full = |items: &[_]| items.len() >= self.most && items.iter().all(in_use);
        if full(&self.items()) {
            return Err(Missing::Full);
        }
        let item = Arc::new(load().map_err(Missing::Failed)?);
        let mut items = self.items();
        if full(&items) {
            return Err(Missing::Full);
        }
        let idle = items.iter().position(|item| !in_use(item));
        let gone = idle.filter(|_| items.len() >= self.most).map(|at| items.remove(at));
        items.push((name.to_owned(), item.clone()));
        drop(items);
        // Which may take a while, and nobody needs to wait for it.
        drop(gone);
        Ok(item)
    }

    fn items(&self) -> MutexGuard<'_, Vec<(String, Arc<T>)>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody beside the shelf holds it.
fn in_use<T>((_, item): &(String, Arc<T>)) -> bool {
    Arc::strong_count(item) > 1
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn put(shelf: &Shelf<String>, name: &str) -> Result<Arc<String>, Missing<String>> {
        shelf.fetch(name, || Ok(name.to_owned()))
    }

    #[test]
    fn what_is_there_is_given_while_another_loads() {
        let shelf = Arc::new(Shelf::new(2));
        drop(put(&shelf, "a").unwrap());
        let (began, begins) = sync_channel(1);
        let (go_on, goes_on) = sync_channel::<()>(1);
        let other = shelf.clone();
        let loading = std::thread::spawn(move || {
            other.fetch("slow", || {
                began.send(()).unwrap();
                goes_on.recv().map(|()| "slow".to_owned())
            })
        });
        begins.recv().unwrap();
        // With one lock around both this would never end.
        assert_eq!(*shelf.here("a").unwrap(), "a");
        assert!(shelf.here("slow").is_none());
        go_on.send(()).unwrap();
        assert_eq!(*loading.join().unwrap().unwrap(), "slow");
        assert!(shelf.here("slow").is_some());
    }

    #[test]
    fn what_is_in_use_stays() {
        let shelf = Shelf::new(2);
        let (a, b) = (put(&shelf, "a").unwrap(), put(&shelf, "b").unwrap());
        assert_eq!(put(&shelf, "c"), Err(Missing::Full));
        drop(a);
        drop(put(&shelf, "c").unwrap());
        assert!(shelf.here("a").is_none() && shelf.here("b").is_some());
        drop(b);
        // "c" was used before "b" by now.
        drop(put(&shelf, "d").unwrap());
        assert!(
            shelf.here("c").is_none() && shelf.here("b").is_some() && shelf.here("d").is_some()
        );
    }

    #[test]
    fn what_cannot_be_loaded_takes_no_place() {
        let shelf = Shelf::new(1);
        drop(put(&shelf, "a").unwrap());
        let failed = shelf.fetch("bad", || Err("damaged".to_owned()));
        assert_eq!(failed, Err(Missing::Failed("damaged".to_owned())));
        assert!(shelf.here("a").is_some());
    }
}
