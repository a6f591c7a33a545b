//! Answers that were paid for once: the least recently used go first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::sync::OwnedMutexGuard;

use super::{Request, Response};

/// Most answers that are kept.
const MAX_ENTRIES: usize = 256;
/// Most bytes of them, as they travel.
const MAX_BYTES: usize = 8 << 20;

/// What an answer belongs to.
pub type Key = [u8; 32];

/// Kept in memory alone: faces of people do not lie on the disk.
#[derive(Default)]
pub struct Cache(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    /// Counts uses: the smallest one goes first.
    clock: u64,
    /// What is being asked now; at most as much as runs at once.
    asked: HashMap<Key, Weak<tokio::sync::Mutex<()>>>,
}

struct Entry {
    answer: Response,
    bytes: usize,
    used: u64,
}

/// The key of a picture with what is asked of it.
pub fn key(picture: &[u8], request: &Request) -> Key {
    let mut names: Vec<_> = request.attributes.iter().map(|a| a.name()).collect();
    names.sort_unstable();
    names.dedup();
    let mut hasher = blake3::Hasher::new();
    hasher.update(blake3::hash(picture).as_bytes());
    hasher.update(&[u8::from(request.landmarks)]);
    hasher.update(names.join(",").as_bytes());
    *hasher.finalize().as_bytes()
}

impl Cache {
    /// Waits while somebody else asks the same; look for the answer again then. Others wait until
    /// what is given back is dropped.
    pub async fn turn(&self, key: &Key) -> OwnedMutexGuard<()> {
        let turn = {
            let mut inner = self.lock();
            inner.asked.retain(|_, turn| turn.strong_count() > 0);
            let asked = inner.asked.entry(*key).or_default();
            asked.upgrade().unwrap_or_else(|| {
                let turn = Arc::default();
                *asked = Arc::downgrade(&turn);
                turn
            })
        };
        turn.lock_owned().await
    }

    /// The answer, if it is known.
    pub fn get(&self, key: &Key) -> Option<Response> {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        let entry = inner.entries.get_mut(key)?;
        entry.used = now;
        Some(entry.answer.clone())
    }

    /// Keeps an answer that has so many bytes.
    pub fn put(&self, key: Key, answer: Response, bytes: usize) {
        if bytes > MAX_BYTES / 8 {
            return;
        }
        let mut inner = self.lock();
        inner.clock += 1;
        let entry = Entry { answer, bytes, used: inner.clock };
        if let Some(old) = inner.entries.insert(key, entry) {
            inner.bytes -= old.bytes;
        }
        inner.bytes += bytes;
        while inner.entries.len() > MAX_ENTRIES || inner.bytes > MAX_BYTES {
            let oldest = inner.entries.iter().min_by_key(|(_, e)| e.used).map(|(key, _)| *key);
            let Some(old) = oldest.and_then(|key| inner.entries.remove(&key)) else { break };
            inner.bytes -= old.bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::facepp::{Attribute, budget::Usage};

    fn answer(width: u32) -> Response {
        let usage = Usage { calls_today: 0, daily_calls: 0 };
        Response { faces: vec![], width, height: 1, attributed: 0, cached: false, usage }
    }

    fn numbered(n: u32) -> Key {
        key(&n.to_be_bytes(), &Request::default())
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let cache = Cache::default();
        for n in 0..MAX_ENTRIES as u32 {
            cache.put(numbered(n), answer(n), 10);
        }
        assert_eq!(cache.get(&numbered(0)).unwrap().width, 0);
        cache.put(numbered(1000), answer(1000), 10);
        assert!(cache.get(&numbered(1)).is_none());
        assert!(cache.get(&numbered(0)).is_some() && cache.get(&numbered(1000)).is_some());
    }

    #[test]
    fn bytes_are_bounded_too() {
        let cache = Cache::default();
        for n in 0..20 {
            cache.put(numbered(n), answer(n), MAX_BYTES / 8);
        }
        let kept: Vec<_> = (0..20).filter(|n| cache.get(&numbered(*n)).is_some()).collect();
        assert_eq!(kept, (12..20).collect::<Vec<_>>());
        cache.put(numbered(99), answer(99), MAX_BYTES);
        assert!(cache.get(&numbered(99)).is_none(), "one answer does not push out all others");
        for _ in 0..100 {
            cache.put(numbered(19), answer(19), MAX_BYTES / 8);
        }
        assert!(cache.get(&numbered(12)).is_some(), "the same answer counts once");
    }

    #[test]
    fn another_picture_or_question_is_another_key() {
        let ask = |attributes: &[Attribute], landmarks| Request {
            attributes: attributes.to_vec(),
            landmarks,
        };
        let one = key(b"a", &ask(&[Attribute::Age, Attribute::Blur], false));
        assert_eq!(one, key(b"a", &ask(&[Attribute::Blur, Attribute::Age, Attribute::Age], false)));
        for other in [
            key(b"b", &ask(&[Attribute::Age, Attribute::Blur], false)),
            key(b"a", &ask(&[Attribute::Age], false)),
            key(b"a", &ask(&[Attribute::Age, Attribute::Blur], true)),
        ] {
            assert_ne!(one, other);
        }
    }
}
