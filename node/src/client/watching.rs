//! Following a node in this process.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};

use super::{
    event::{Event, Own, View, differences},
    local::Local,
};
use crate::{
    journal::CallRecord,
    mail::{Post, envelope::EnvelopeId},
    network::{Departure, PeerView, Snapshot},
    say::{Reason, reasons},
};

/// A subscriber's place: what it was told, and where news come from.
pub(crate) struct Watching {
    local: Arc<Local>,
    told: Arc<Snapshot>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    own: watch::Receiver<Own>,
    calls: broadcast::Receiver<Arc<CallRecord>>,
    mail: Option<broadcast::Receiver<EnvelopeId>>,
    queue: VecDeque<Event>,
}

impl Watching {
    pub(super) fn new(local: Arc<Local>) -> Self {
        let mut snapshots = local.network.watch();
        let mut own = local.own.subscribe();
        let (records, calls) = local.journal.follow();
        let told = snapshots.borrow_and_update().clone();
        let said = Own { listen: listen(&told), ..own.borrow_and_update().clone() };
        let view = View { mesh: (*told).clone(), own: said, calls: records };
        let queue = VecDeque::from([Event::View(Box::new(view))]);
        let mail = local.post.as_ref().map(Post::follow);
        Self { local, told, snapshots, own, calls, mail, queue }
    }

    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            tokio::select! {
                changed = self.own.changed() => {
                    changed.ok()?;
                    self.tell_own();
                }
                changed = self.snapshots.changed() => {
                    changed.ok()?;
                    self.compare();
                }
                record = self.calls.recv() => match record {
                    Ok(record) => {
                        let record = Arc::unwrap_or_clone(record);
                        self.queue.push_back(Event::Call(Box::new(record)));
                    }
                    // Too slow: everything, once more.
                    Err(RecvError::Lagged(_)) => *self = Self::new(self.local.clone()),
                    Err(RecvError::Closed) => return None,
                },
                letter = changed(&mut self.mail) => match letter {
                    Ok(id) => self.queue.extend(self.news(id)),
                    Err(RecvError::Lagged(_)) => *self = Self::new(self.local.clone()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    fn news(&self, id: EnvelopeId) -> Option<Event> {
        self.local.post.as_ref().map(|post| Event::Mail(post.news(id)))
    }

    fn tell_own(&mut self) {
        let own = self.own.borrow_and_update().clone();
        self.queue.push_back(Event::Own(Own { listen: listen(&self.told), ..own }));
    }

    fn compare(&mut self) {
        let now = self.snapshots.borrow_and_update().clone();
        let told = Arc::make_mut(&mut self.told);
        // Also of those who are back by now: they were away.
        for Departure { peer, reason } in now.left.since(told.left.count) {
            if let Some(view) = told.peers.remove(peer) {
                self.queue.push_back(gone(&view, reason.clone()));
            }
        }
        let (changed, forgotten) = differences(told, &now);
        self.queue.extend(forgotten.iter().map(|view| gone(view, reasons::gone())));
        self.queue.extend(changed.into_iter().map(|view| Event::Peer(Box::new(view))));
        if let Some(clone) = now.clone.as_ref().filter(|_| told.clone != now.clone) {
            self.queue.push_back(Event::Clone(clone.clone()));
        }
        let moved = told.listen != now.listen;
        self.told = now;
        if moved {
            self.tell_own();
        }
    }
}

/// The next letter that changes; never one where there is no mail.
async fn changed(
    mail: &mut Option<broadcast::Receiver<EnvelopeId>>,
) -> Result<EnvelopeId, RecvError> {
    match mail {
        Some(mail) => mail.recv().await,
        None => std::future::pending().await,
    }
}

fn gone(view: &PeerView, reason: Reason) -> Event {
    let (id, name) = (view.id.to_string(), view.advert.name.clone());
    Event::Gone { id, name, reason }
}

fn listen(snapshot: &Snapshot) -> Vec<String> {
    snapshot.listen.iter().map(ToString::to_string).collect()
}
