//! Looking after sealed letters that lie here for long: a bit that flips is found, said and mended.
//!
//! All bodies are read again, slowly, soon after the start and then a few times a day. One that is
//! not what its envelope names is not handed over any more; what is right in it is kept, and the
//! rest is fetched from whoever else has it.

use std::{
    collections::BTreeSet,
    io::{self, Read as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libp2p::PeerId;

use super::{
    super::{
        envelope::{Envelope, EnvelopeId},
        records::Stage,
        serve::KEEP,
        store::SMALL,
    },
    Post, Shared,
};
use crate::{
    client::Local,
    network::{Snapshot, now_ms},
};

/// Time between two readings of everything.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// Time between two tries to mend what is damaged.
const TRY: Duration = Duration::from_secs(20);
/// Bytes that are read at a stroke, and the rest between two strokes: 32 MiB a second.
const STROKE: usize = 1 << 20;
const REST: Duration = Duration::from_millis(32);

/// Letters whose bodies are damaged here.
#[derive(Default)]
pub(super) struct Damaged(Mutex<BTreeSet<EnvelopeId>>);

/// A letter whose sealed body lies here.
struct Lying {
    outside: Envelope,
    /// Who may have it too.
    others: Vec<PeerId>,
    own: bool,
}

impl Post {
    /// Looks after the bodies until it is dropped.
    pub(in super::super) async fn look_after(self, local: Arc<Local>) {
        loop {
            self.read_all().await;
            let until = tokio::time::Instant::now() + EVERY;
            while tokio::time::Instant::now() < until {
                self.mend_all(&local).await;
                tokio::select! {
                    () = tokio::time::sleep(TRY) => {}
                    () = self.0.damage.notified() => {}
                }
            }
        }
    }

    async fn read_all(&self) {
        for Lying { outside, .. } in self.0.lying() {
            let (shared, id, small) = (self.0.clone(), outside.id, outside.size <= SMALL);
            let read = tokio::task::spawn_blocking(move || match small {
                true => match shared.small(&id) {
                    Ok(body) => Ok(*blake3::hash(&body.unwrap_or_default()).as_bytes()),
                    Err(error) => Err(io::Error::other(error)),
                },
                false => hash_slowly(&shared.store.sealed(&id)),
            });
            let read = read.await;
            match read {
                Ok(Ok(hash)) if hash == outside.hash => {}
                // It may have been delivered meanwhile.
                _ if !self.0.lying().iter().any(|one| one.outside.id == id) => {}
                Ok(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!("the letter {id} cannot be read ({error}): check the disk");
                    self.0.found_damaged(id);
                }
                Ok(_) => self.0.found_damaged(id),
                Err(error) => tracing::warn!("letters are not looked after: {error}"),
            }
        }
    }

    async fn mend_all(&self, local: &Local) {
        let snapshot = local.network.snapshot();
        let lying = self.0.lying();
        self.0.damaged().retain(|id| lying.iter().any(|one| one.outside.id == *id));
        for Lying { outside, others, own } in lying {
            if !self.0.is_damaged(&outside.id) {
                continue;
            }
            if own && others.is_empty() {
                // Nobody else has it; its person can send it again.
                self.give_up(outside.id).await;
                continue;
            }
            if let Err(why) = self.mend(&outside, &others, &snapshot).await {
                tracing::debug!(id = %outside.id, why, "a damaged letter cannot be mended now");
            }
        }
    }

    /// Fetches what is damaged from whoever has it.
    async fn mend(
        &self,
        outside: &Envelope,
        others: &[PeerId],
        snapshot: &Snapshot,
    ) -> Result<(), String> {
        let shared = self.0.clone();
        let blobs = shared.blobs.get().ok_or("the node is starting")?.clone();
        let path = shared.store.sealed(&outside.id);
        let (hash, stored, taking) = (outside.hash, path.clone(), blobs.clone());
        let taken = tokio::task::spawn_blocking(move || match taking.take_back(&hash, &stored) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        taken.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
        let keepers = snapshot.peers.iter().filter(|(_, view)| view.advert.offer(KEEP).is_some());
        let keepers = keepers.map(|(peer, _)| peer).filter(|peer| !others.contains(peer));
        let there = others.iter().filter(|peer| snapshot.peers.contains_key(peer));
        let mut why = "nobody who may have it is there".to_owned();
        for peer in there.chain(keepers) {
            match blobs.obtain(*peer, outside.hash, outside.size, &path).await {
                Ok(()) => {
                    if outside.size <= SMALL {
                        shared.take_in(outside.id, &path).await?;
                    }
                    if !shared.lying().iter().any(|one| one.outside.id == outside.id) {
                        // It was delivered meanwhile, by somebody else.
                        shared.discard(vec![outside.id]).await;
                    }
                    shared.mended(&outside.id);
                    tracing::warn!(
                        "the letter {} was damaged on this disk and is mended",
                        outside.id
                    );
                    return Ok(());
                }
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }

    /// A letter of this node's person is damaged, and nobody else has it.
    async fn give_up(&self, id: EnvelopeId) {
        let now = now_ms();
        let noted = self.0.change(move |state| {
            if let Some(mut sent) = state.sent.get(&id).cloned().filter(|one| !one.stage.is_over())
            {
                (sent.stage, sent.changed_at) = (Stage::Expired, now);
                sent.why = Some("it was damaged on this disk".to_owned());
                state.put_sent(sent);
            }
        });
        if let Err(error) = noted.await {
            tracing::warn!("a damaged letter is given up later: {error}");
            return;
        }
        self.0.discard(vec![id]).await;
        self.0.mended(&id);
        tracing::warn!("the letter {id} was damaged on this disk and is given up");
    }
}

impl Shared {
    /// The body of a letter is not what its envelope names.
    pub(in super::super) fn found_damaged(&self, id: EnvelopeId) {
        if self.damaged().insert(id) {
            tracing::warn!("the letter {id} is damaged on this disk; others may still have it");
            self.damage.notify_one();
        }
    }

    /// Whether that was found.
    pub(in super::super) fn is_damaged(&self, id: &EnvelopeId) -> bool {
        self.damaged().contains(id)
    }

    /// It is whole again, or gone.
    pub(super) fn mended(&self, id: &EnvelopeId) {
        if self.damaged().remove(id) {
            self.all_declined().remove(id);
            self.wake.notify_one();
        }
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<EnvelopeId>> {
        self.damaged.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a small letter that was fetched among the records.
    async fn take_in(&self, id: EnvelopeId, path: &Path) -> Result<(), String> {
        let read = tokio::fs::read(path).await;
        let body = read.map_err(|e| e.to_string())?;
        self.change(move |state| state.put_body(&id, &body)).await.map_err(|e| e.to_string())?;
        let _ = tokio::fs::remove_file(path).await;
        Ok(())
    }

    /// All letters whose sealed bodies lie here.
    fn lying(&self) -> Vec<Lying> {
        let state = self.lock();
        let own = state.sent.values().filter(|sent| !sent.stage.is_over());
        let own = own.map(|sent| Lying {
            outside: sent.outside.clone(),
            others: sent.holders.clone(),
            own: true,
        });
        let kept = state.kept.values().map(|kept| Lying {
            others: kept.outside.sender().into_iter().collect(),
            outside: kept.outside.clone(),
            own: false,
        });
        own.chain(kept).collect()
    }
}

/// The hash of a file that is read at leisure.
fn hash_slowly(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut stroke = vec![0; STROKE];
    loop {
        let count = file.read(&mut stroke)?;
        if count == 0 {
            return Ok(*hasher.finalize().as_bytes());
        }
        hasher.update(&stroke[..count]);
        if count == STROKE {
            std::thread::sleep(REST);
        }
    }
}
