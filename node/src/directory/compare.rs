//! The exchange by which two directories become equal (`docs/protocol.md`).

use std::collections::BTreeMap;

use libp2p::{Multiaddr, PeerId};
use serde_bytes::ByteBuf;

use super::Directory;
use crate::protocol::{
    DigestEntry, Exchange, ExchangeReply, MAX_REQUEST, SignedAdvert, SignedLoss,
    exchange::{MAX_ADVERT_BYTES, MAX_ADVERTS, MAX_LOSSES},
};

/// An entry that is older than this and that a neighbour lacks is looked after, in ms: by then
/// everyone has heard of it, so the neighbour has probably buried it.
const LACKED_MS: u64 = 10_000;
/// As long as there are no more of them than this, or than this share of the directory: a neighbour
/// that lacks many is new.
const LACKED: usize = 3;
const LACKED_SHARE: usize = 20;
/// How many nodes are looked after because of one exchange.
const MAX_DOUBTS: usize = 8;
/// Bytes that CBOR adds to an advert (its map keys and lengths), rounded up.
const ADVERT_EXTRA: usize = 48;
/// Bytes of a digest entry in CBOR beside its id, rounded up.
const DIGEST_EXTRA: usize = 24;
/// Bytes of an exchange beside its digest and adverts, rounded up.
const EXCHANGE_EXTRA: usize = 256;

/// Nodes of which two directories say different things for so long that it is worth a look.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Doubts {
    /// The other side lacks them although it must have heard of them: it has probably buried them.
    pub lacked: Vec<PeerId>,
    /// The other side shows them and this one has buried them, with where they were.
    pub buried: Vec<(PeerId, Vec<Multiaddr>)>,
}

impl Directory {
    /// What this node knows, itself included, sorted by the bytes of the ids.
    pub fn digest(&self) -> Vec<DigestEntry> {
        let own = self.own.seq().map(|seq| DigestEntry { id: self.me.to_bytes(), seq });
        let mut digest: Vec<_> = self
            .entries
            .iter()
            .map(|(peer, entry)| DigestEntry { id: peer.to_bytes(), seq: entry.advert.seq })
            .chain(own)
            .collect();
        digest.sort_unstable();
        digest
    }

    /// BLAKE3 over the digest: for every entry the length of the id (one byte), the id, and the
    /// sequence number (8 bytes, big endian). Kept until something changes.
    pub fn root(&self) -> [u8; 32] {
        *self.root.get_or_init(|| root_of(&self.digest()))
    }

    /// An exchange to send: with or without the digest, with the adverts of the ids that the other
    /// side wants (our own id gives our own). Fits into one request; what does not fit follows in
    /// the next exchange.
    pub fn exchange(&self, with_digest: bool, adverts_for: &[ByteBuf]) -> Exchange {
        let digest = with_digest.then(|| self.digest());
        let taken: usize = digest.iter().flatten().map(|entry| entry.id.len() + DIGEST_EXTRA).sum();
        let room = MAX_REQUEST.saturating_sub(taken + EXCHANGE_EXTRA).min(MAX_ADVERT_BYTES);
        let adverts = bounded(self.find(adverts_for), room);
        let root = match &digest {
            Some(digest) => *self.root.get_or_init(|| root_of(digest)),
            None => self.root(),
        };
        Exchange { root, digest, adverts, near: Vec::new() }
    }

    /// Answers an exchange of the peer `from`, and says what is doubtful: missed gossip is made up
    /// for so, and what one side believes wrongly.
    ///
    /// The adverts in it are not taken in here: verify them, and hand them to [`Directory::handle`]
    /// first.
    pub fn compare(
        &mut self,
        from: PeerId,
        theirs: &Exchange,
        now: u64,
        linked: impl Fn(&PeerId) -> bool,
    ) -> (ExchangeReply, Doubts) {
        let same = theirs.root == self.root();
        let digest = match &theirs.digest {
            Some(digest) if !same => digest,
            _ => {
                let (adverts, want) = (vec![], vec![]);
                let reply = ExchangeReply { same, adverts, want, losses: vec![], near: vec![] };
                return (reply, Doubts::default());
            }
        };
        let known: BTreeMap<PeerId, u64> = digest
            .iter()
            .filter_map(|entry| Some((PeerId::from_bytes(&entry.id).ok()?, entry.seq)))
            .collect();
        let adverts = bounded(self.lacking(from, &known, now), MAX_ADVERT_BYTES);
        let mut want: Vec<ByteBuf> = known
            .iter()
            .filter(|(peer, seq)| self.wants(peer, **seq, from, now))
            .map(|(peer, _)| ByteBuf::from(peer.to_bytes()))
            .collect();
        want.sort_unstable();
        let losses = self.losses(&known, from, now);
        let doubts =
            Doubts { lacked: self.lacked(&known, now, linked), buried: self.buried(&known, now) };
        (ExchangeReply { same, adverts, want, losses, near: Vec::new() }, doubts)
    }

    fn find<'a>(&'a self, ids: &'a [ByteBuf]) -> impl Iterator<Item = &'a SignedAdvert> {
        ids.iter().filter_map(|id| {
            let peer = PeerId::from_bytes(id).ok()?;
            if peer == self.me {
                return self.own.signed();
            }
            self.entries.get(&peer).map(|entry| &entry.signed)
        })
    }

    /// What `from`, who knows `known`, lacks: our own advert, goodbyes, what others remember of
    /// `from` itself from before its clock was set back, then the rest, newest first.
    fn lacking(
        &self,
        from: PeerId,
        known: &BTreeMap<PeerId, u64>,
        now: u64,
    ) -> impl Iterator<Item = &SignedAdvert> {
        let older = |peer: &PeerId, seq: u64| known.get(peer).is_none_or(|theirs| *theirs < seq);
        let own =
            self.own.signed().filter(|_| self.own.seq().is_some_and(|seq| older(&self.me, seq)));
        let itself = self
            .tombstones
            .last_of(&from, now)
            .filter(|(seq, _)| older(&from, *seq))
            .map(|(_, signed)| signed);
        let goodbyes = self
            .tombstones
            .goodbyes(now)
            .filter(|(peer, seq, _)| known.get(peer).is_some_and(|theirs| theirs < seq))
            .map(|(_, _, signed)| signed);
        let mut rest: Vec<_> = self
            .entries
            .iter()
            .filter(|(peer, entry)| older(peer, entry.advert.seq))
            .map(|(_, entry)| entry)
            .collect();
        rest.sort_by_key(|entry| std::cmp::Reverse(entry.heard_at));
        own.into_iter()
            .chain(itself)
            .chain(goodbyes.collect::<Vec<_>>())
            .chain(rest.into_iter().map(|entry| &entry.signed))
    }

    fn wants(&self, peer: &PeerId, seq: u64, from: PeerId, now: u64) -> bool {
        if *peer == self.me {
            return self.own.seq().is_some_and(|own| seq > own);
        }
        if let Some(entry) = self.entries.get(peer) {
            return entry.advert.seq < seq;
        }
        let direct = *peer == from;
        (direct || self.entries.len() < self.settings.max_nodes)
            && !self.tombstones.blocks(peer, seq, direct, now)
    }

    /// Nodes that the other side must have heard of and lacks.
    fn lacked(
        &self,
        known: &BTreeMap<PeerId, u64>,
        now: u64,
        linked: impl Fn(&PeerId) -> bool,
    ) -> Vec<PeerId> {
        let most = LACKED.max(self.entries.len() / LACKED_SHARE);
        let lacked: Vec<_> = self
            .entries
            .iter()
            .filter(|(peer, entry)| {
                !known.contains_key(peer)
                    && now >= entry.heard_at.saturating_add(LACKED_MS)
                    && !linked(peer)
            })
            .map(|(peer, _)| *peer)
            .take(most + 1)
            .collect();
        let few = if lacked.len() > most { 0 } else { MAX_DOUBTS };
        lacked.into_iter().take(few).collect()
    }

    /// Nodes that the other side still shows long after they were lost here.
    fn buried(&self, known: &BTreeMap<PeerId, u64>, now: u64) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let Some(since) = now.checked_sub(LACKED_MS) else { return Vec::new() };
        known
            .iter()
            .filter(|(peer, _)| !self.entries.contains_key(peer))
            .filter_map(|(peer, seq)| Some((*peer, self.tombstones.lost_at(peer, *seq, since)?)))
            .map(|(peer, addresses)| (peer, addresses.to_vec()))
            .take(MAX_DOUBTS)
            .collect()
    }

    /// Word of losses whose ghosts the other side still shows: it missed the gossip.
    fn losses(&self, known: &BTreeMap<PeerId, u64>, from: PeerId, now: u64) -> Vec<SignedLoss> {
        known
            .iter()
            .filter(|(peer, _)| **peer != from && !self.entries.contains_key(peer))
            .filter_map(|(peer, seq)| self.tombstones.proof(peer, *seq, now))
            .take(MAX_LOSSES)
            .cloned()
            .collect()
    }
}

fn root_of(digest: &[DigestEntry]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for entry in digest {
        hasher.update(&[u8::try_from(entry.id.len()).unwrap_or(u8::MAX)]);
        hasher.update(&entry.id);
        hasher.update(&entry.seq.to_be_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn bounded<'a>(adverts: impl Iterator<Item = &'a SignedAdvert>, bytes: usize) -> Vec<SignedAdvert> {
    let mut left = bytes;
    let mut taken = Vec::new();
    for signed in adverts {
        let size = signed.body.len() + signed.key.len() + signed.signature.len() + ADVERT_EXTRA;
        if size > left || taken.len() >= MAX_ADVERTS {
            break;
        }
        left -= size;
        taken.push(signed.clone());
    }
    taken
}
