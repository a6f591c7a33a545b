//! Who may fetch the sealed body of which letter.
//!
//! Its recipient always; its sender, should the own copy be damaged; the nodes that keep letters,
//! because they mend each other's copies; and whoever it is being offered to. It is sealed: nobody
//! but the recipient can do anything with it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use libp2p::PeerId;

use super::{
    super::{
        envelope::{Envelope, EnvelopeId},
        store::SMALL,
    },
    Post, Shared,
};
use crate::blobs::{Blobs, Grant, Outline, Source, outline_of, read_outline};

/// Letters that are being offered.
#[derive(Clone, Default)]
pub(in super::super) struct Offers(Arc<Mutex<Offered>>);

#[derive(Default)]
struct Offered {
    now: BTreeSet<(PeerId, EnvelopeId)>,
    keepers: BTreeSet<PeerId>,
}

/// Offers a letter to somebody until it is dropped.
pub(in super::super) struct Offer {
    all: Offers,
    what: (PeerId, EnvelopeId),
}

impl Offers {
    /// This one may fetch the letter now.
    pub(in super::super) fn offer(&self, peer: PeerId, id: EnvelopeId) -> Offer {
        self.lock().now.insert((peer, id));
        Offer { all: self.clone(), what: (peer, id) }
    }

    /// These keep letters.
    pub(in super::super) fn keepers(&self, keepers: BTreeSet<PeerId>) {
        self.lock().keepers = keepers;
    }

    fn lock(&self) -> MutexGuard<'_, Offered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.all.lock().now.remove(&self.what);
    }
}

impl Post {
    /// Moves the bodies of letters by these from now on.
    pub(crate) fn connect(&self, blobs: &Blobs) {
        if self.0.blobs.set(blobs.clone()).is_ok() {
            blobs.granted_by(Arc::new(Granted(Arc::downgrade(&self.0))));
        }
    }
}

struct Granted(Weak<Shared>);

impl Grant for Granted {
    fn source(&self, peer: &PeerId, hash: &[u8; 32]) -> Option<(Source, Arc<Outline>)> {
        let shared = self.0.upgrade()?;
        let outside = shared.granted(peer, hash).filter(|it| !shared.is_damaged(&it.id))?;
        if outside.size <= SMALL {
            let body = shared.small(&outside.id).ok()?;
            let Some(body) = body.filter(|body| blake3::hash(body) == *hash) else {
                shared.found_damaged(outside.id);
                return None;
            };
            let outline = Outline::of(&body);
            return Some((Source::Bytes(body), Arc::new(outline)));
        }
        let path = shared.store.sealed(&outside.id);
        let kept = read_outline(&outline_of(&path), hash, outside.size);
        let outline = kept.or_else(|| {
            let made = Outline::of_file(&path).ok()?;
            let intact = made.root() == *hash;
            if !intact {
                shared.found_damaged(outside.id);
            }
            intact.then_some(made)
        })?;
        Some((Source::Stored(path), Arc::new(outline)))
    }

    fn damaged(&self, hash: &[u8; 32]) {
        let Some(shared) = self.0.upgrade() else { return };
        let found = shared.held(|outside, _| outside.hash == *hash);
        found.into_iter().for_each(|outside| shared.found_damaged(outside.id));
    }
}

impl Shared {
    /// How many bytes of a body went out to whoever fetches it now.
    pub(in super::super) fn moved(&self, hash: &[u8; 32]) -> Option<u64> {
        self.blobs.get()?.sent(hash)
    }

    /// How many bytes are here of a body that arrives.
    pub(in super::super) fn arrived(&self, hash: &[u8; 32]) -> Option<u64> {
        self.blobs.get()?.obtained(hash)
    }

    /// The envelope of a letter with that body, if this peer may have it.
    fn granted(&self, peer: &PeerId, hash: &[u8; 32]) -> Option<Envelope> {
        let offered = self.offers.lock();
        let keeps = offered.keepers.contains(peer);
        let now: BTreeSet<_> =
            offered.now.iter().filter(|(to, _)| to == peer).map(|(_, id)| *id).collect();
        drop(offered);
        let bytes = peer.to_bytes();
        self.held(|outside, own| {
            outside.hash == *hash
                && (outside.to == bytes
                    || (!own && outside.from == bytes)
                    || (!own && keeps)
                    || now.contains(&outside.id)
                    || (own && self.holds(&outside.id, peer)))
        })
    }

    /// Whether a keeper signed for a letter of this node's person.
    pub(in super::super) fn holds(&self, id: &EnvelopeId, peer: &PeerId) -> bool {
        self.lock().sent.get(id).is_some_and(|sent| sent.holders.contains(peer))
    }

    /// The first letter of which that is true, of those whose sealed bodies lie here. Also says whether
    /// it is one of this node's person.
    fn held(&self, mut fits: impl FnMut(&Envelope, bool) -> bool) -> Option<Envelope> {
        let (own, kept): (Vec<_>, Vec<_>) = {
            let state = self.lock();
            let own = state.sent.values().filter(|sent| !sent.stage.is_over());
            let kept = state.kept.values().map(|kept| kept.outside.clone());
            (own.map(|sent| sent.outside.clone()).collect(), kept.collect())
        };
        let own = own.into_iter().map(|outside| (outside, true));
        let all = own.chain(kept.into_iter().map(|outside| (outside, false)));
        all.into_iter().find(|(outside, own)| fits(outside, *own)).map(|(outside, _)| outside)
    }
}
