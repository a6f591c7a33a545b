//! Nodes that went, so that their ghosts stay out.

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId};

use crate::protocol::{SignedAdvert, SignedLoss};

/// A capped map of nodes that went.
#[derive(Debug)]
pub(super) struct Tombstones {
    graves: BTreeMap<PeerId, Grave>,
    max: usize,
    keep_ms: u64,
}

#[derive(Debug)]
struct Grave {
    seq: u64,
    since: u64,
    /// Whether the node said goodbye in the advert below.
    goodbye: bool,
    /// Its last advert.
    signed: Option<SignedAdvert>,
    /// Where it was.
    addresses: Vec<Multiaddr>,
    /// The word of a witness that it was lost.
    proof: Option<SignedLoss>,
}

/// What a node last said.
#[derive(Debug)]
pub(super) struct Last {
    /// Whether that was its goodbye.
    pub(super) goodbye: bool,
    pub(super) signed: SignedAdvert,
    pub(super) addresses: Vec<Multiaddr>,
}

impl Tombstones {
    pub(super) fn new(max: usize, keep_ms: u64) -> Self {
        Self { graves: BTreeMap::new(), max, keep_ms }
    }

    pub(super) fn len(&self) -> usize {
        self.graves.len()
    }

    /// The sequence number up to which adverts of the node are ghosts.
    pub(super) fn seq(&self, peer: &PeerId, now: u64) -> Option<u64> {
        self.graves.get(peer).filter(|grave| self.keeps(grave, now)).map(|grave| grave.seq)
    }

    /// Whether an advert is a ghost. What a node says over its own connection (`direct`) counts,
    /// even if it is not newer, unless it said goodbye.
    pub(super) fn blocks(&self, peer: &PeerId, seq: u64, direct: bool, now: u64) -> bool {
        self.graves.get(peer).is_some_and(|grave| {
            self.keeps(grave, now) && grave.seq >= seq && (grave.goodbye || !direct)
        })
    }

    /// Remembers a node that went, with what it last said. The oldest tombstone makes room.
    pub(super) fn bury(&mut self, peer: PeerId, seq: u64, last: Option<Last>, now: u64) {
        if self.graves.len() >= self.max && !self.graves.contains_key(&peer) {
            let oldest = self.graves.iter().min_by_key(|(_, g)| g.since).map(|(peer, _)| *peer);
            if let Some(oldest) = oldest {
                self.graves.remove(&oldest);
            }
        }
        if self.graves.get(&peer).is_some_and(|grave| self.keeps(grave, now) && grave.seq > seq) {
            return;
        }
        let (goodbye, signed, addresses) = match last {
            Some(Last { goodbye, signed, addresses }) => (goodbye, Some(signed), addresses),
            None => (false, None, Vec::new()),
        };
        let grave = Grave { seq, since: now, goodbye, signed, addresses, proof: None };
        self.graves.insert(peer, grave);
    }

    /// Keeps the word of a witness.
    pub(super) fn prove(&mut self, peer: &PeerId, proof: SignedLoss) {
        if let Some(grave) = self.graves.get_mut(peer) {
            grave.proof = Some(proof);
        }
    }

    /// Whether a node was found lost as of this number, and nobody's word of it is kept.
    pub(super) fn unproved(&self, peer: &PeerId, seq: u64) -> bool {
        let unproved = |grave: &Grave| !grave.goodbye && grave.seq == seq && grave.proof.is_none();
        self.graves.get(peer).is_some_and(unproved)
    }

    /// The node lives, as an advert with this sequence number shows. A tombstone with a higher one
    /// stays: it is what others believe, and what the node has to exceed.
    pub(super) fn exhume(&mut self, peer: &PeerId, seq: u64) {
        if self.graves.get(peer).is_some_and(|grave| grave.seq <= seq) {
            self.graves.remove(peer);
        }
    }

    pub(super) fn expire(&mut self, now: u64) {
        let keep_ms = self.keep_ms;
        self.graves.retain(|_, grave| now < grave.since.saturating_add(keep_ms));
    }

    /// The goodbyes, with their sequence numbers: proof that ends a ghost wherever it is.
    pub(super) fn goodbyes(&self, now: u64) -> impl Iterator<Item = (&PeerId, u64, &SignedAdvert)> {
        self.graves
            .iter()
            .filter(move |(_, grave)| grave.goodbye && self.keeps(grave, now))
            .filter_map(|(peer, grave)| Some((peer, grave.seq, grave.signed.as_ref()?)))
    }

    /// The last advert of a node that went, to be shown to that node itself.
    pub(super) fn last_of(&self, peer: &PeerId, now: u64) -> Option<(u64, &SignedAdvert)> {
        let grave = self.graves.get(peer).filter(|grave| self.keeps(grave, now))?;
        Some((grave.seq, grave.signed.as_ref()?))
    }

    /// The word of a witness that the node was lost, unless this sequence number is newer.
    pub(super) fn proof(&self, peer: &PeerId, seq: u64, now: u64) -> Option<&SignedLoss> {
        let grave = self.graves.get(peer)?;
        let fits = self.keeps(grave, now) && !grave.goodbye && grave.seq >= seq;
        grave.proof.as_ref().filter(|_| fits)
    }

    /// Where a node was that is held for lost since `since` or longer as of exactly this number.
    pub(super) fn lost_at(&self, peer: &PeerId, seq: u64, since: u64) -> Option<&[Multiaddr]> {
        let grave = self.graves.get(peer)?;
        let doubtful = !grave.goodbye && grave.seq == seq && grave.since <= since;
        Some(&grave.addresses[..]).filter(|_| doubtful)
    }

    fn keeps(&self, grave: &Grave, now: u64) -> bool {
        now < grave.since.saturating_add(self.keep_ms)
    }
}
