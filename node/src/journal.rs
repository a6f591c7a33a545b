//! The journal: the calls that this node asks and serves, as people follow them.
//!
//! It holds what is under way and the last [`KEPT`] that ended, and tells every change as a whole
//! [`CallRecord`], so that whoever missed some only needs the latest.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::{
    client::{RouteHop, Served},
    network::now_ms,
    say::{Reason, reasons},
    service::Progress,
};

/// Ended calls that are remembered.
pub const KEPT: usize = 200;
/// Changes that wait for a slow reader before it has to look at everything again.
const NEWS: usize = 256;

/// One call, as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Counted by this node since it started: a later record of the same number replaces this one.
    pub number: u64,
    /// Who is asked for this node's person, or who asks this node.
    pub side: Side,
    /// `name/version`.
    pub capability: String,
    /// Bytes of input.
    pub bytes: u64,
    /// When it began: Unix time in milliseconds.
    pub started_at: u64,
    /// How far it is, where that was said.
    pub progress: Option<Progress>,
    /// How it ended; `None` while it runs.
    pub end: Option<CallEnd>,
}

/// Which end of a call this node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// This node asks the mesh.
    Asked,
    /// This node serves another one.
    Served {
        /// Who asks.
        #[serde(with = "crate::protocol::as_text")]
        caller: PeerId,
    },
}

/// How a call ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallEnd {
    /// From beginning to end.
    pub milliseconds: u64,
    /// Who served, where this node asked and was answered.
    pub served_by: Option<Served>,
    /// Why there is no answer, for a person.
    pub failure: Option<Reason>,
    /// Who was tried, in order, where this node asked.
    pub route: Vec<RouteHop>,
}

/// The calls of one node. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Shared>);

struct Shared {
    book: Mutex<Book>,
    news: broadcast::Sender<Arc<CallRecord>>,
    next: AtomicU64,
}

#[derive(Default)]
struct Book {
    running: BTreeMap<u64, Arc<CallRecord>>,
    ended: VecDeque<Arc<CallRecord>>,
}

/// A call under way. Dropped without an end, it was given up.
pub(crate) struct Entry {
    journal: Journal,
    number: u64,
}

impl Default for Journal {
    fn default() -> Self {
        let (news, _) = broadcast::channel(NEWS);
        Self(Arc::new(Shared { book: Mutex::default(), news, next: AtomicU64::new(1) }))
    }
}

impl Journal {
    /// A call begins.
    pub(crate) fn begin(&self, side: Side, capability: &str, bytes: u64) -> Entry {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let record = CallRecord {
            number,
            side,
            capability: capability.to_owned(),
            bytes,
            started_at: now_ms(),
            progress: None,
            end: None,
        };
        let mut book = self.lock();
        let record = Arc::new(record);
        book.running.insert(number, record.clone());
        let _ = self.0.news.send(record);
        drop(book);
        Entry { journal: self.clone(), number }
    }

    /// Whether anybody follows.
    pub(crate) fn is_followed(&self) -> bool {
        self.0.news.receiver_count() > 0
    }

    /// Everything that is remembered, oldest first, and what changes from then on.
    pub(crate) fn follow(&self) -> (Vec<CallRecord>, broadcast::Receiver<Arc<CallRecord>>) {
        let book = self.lock();
        let mut all: Vec<_> =
            book.ended.iter().chain(book.running.values()).map(|r| (**r).clone()).collect();
        all.sort_by_key(|record| record.number);
        (all, self.0.news.subscribe())
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// How far the call is.
    pub(crate) fn progress(&self, step: &Progress) {
        let mut book = self.journal.lock();
        if let Some(record) = book.running.get_mut(&self.number) {
            Arc::make_mut(record).progress = Some(step.clone());
            let _ = self.journal.0.news.send(record.clone());
        }
    }

    /// The call ended; its time is filled in here.
    pub(crate) fn end(&self, end: CallEnd) {
        self.close(|| end);
    }

    fn close(&self, end: impl FnOnce() -> CallEnd) {
        let mut book = self.journal.lock();
        let Some(mut record) = book.running.remove(&self.number) else { return };
        let own = Arc::make_mut(&mut record);
        let milliseconds = now_ms().saturating_sub(own.started_at);
        own.end = Some(CallEnd { milliseconds, ..end() });
        if book.ended.len() >= KEPT {
            book.ended.pop_front();
        }
        book.ended.push_back(record.clone());
        let _ = self.journal.0.news.send(record);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // What has ended already is not there any more.
        let failure = || Some(reasons::given_up());
        self.close(|| CallEnd { failure: failure(), ..CallEnd::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_and_what_is_remembered_agree() {
        let journal = Journal::default();
        let (before, mut news) = journal.follow();
        assert!(before.is_empty());
        let first = journal.begin(Side::Asked, "chat/1", 3);
        first.progress(&Progress { percent: 50, note: "half".into() });
        let second = journal.begin(Side::Served { caller: PeerId::random() }, "chat/1", 0);
        first.end(CallEnd { failure: Some("no".into()), ..CallEnd::default() });
        drop(second);
        let mut told = BTreeMap::new();
        while let Ok(record) = news.try_recv() {
            told.insert(record.number, (*record).clone());
        }
        let remembered = journal.follow().0;
        assert_eq!(told.into_values().collect::<Vec<_>>(), remembered);
        let failures: Vec<_> =
            remembered.iter().map(|r| r.end.as_ref()?.failure.as_deref()).collect();
        assert_eq!(failures, [Some("no"), Some("given up before an answer came")]);
        assert_eq!(remembered[0].progress.as_ref().map(|p| p.percent), Some(50));
    }

    #[test]
    fn old_calls_are_forgotten_and_those_that_run_are_not() {
        let journal = Journal::default();
        let runs = journal.begin(Side::Asked, "chat/1", 0);
        for _ in 0..3 * KEPT {
            journal.begin(Side::Asked, "chat/1", 0).end(CallEnd::default());
        }
        let remembered = journal.follow().0;
        assert_eq!(remembered.len(), KEPT + 1);
        assert_eq!(remembered[0].number, runs.number);
        assert!(remembered[0].end.is_none());
    }
}
