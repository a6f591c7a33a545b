//! What all members of a private mesh know: who its admins are and who is out. Policy only: no IO and
//! no clock.
//!
//! A roll is a set of signed records that only grows, so it does not matter in which order they come,
//! from whom and how often; what it says follows from the set alone. The rules:
//!
//! - A removal holds for ever, for certificates up to its epoch. Only the founder gives a higher one.
//! - An admin removes members. Only the founder removes an admin, and nobody the founder.
//! - When an admin is removed, what it signed counts no longer: neither its removals, nor its
//!   certificates but for those whom the founder's removal names.
//! - Two records about the same are one, however they are encoded.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use libp2p::PeerId;

use crate::protocol::membership::{
    Certificate, Credential, Issuer, MAX_RECORDS, ProofError, Proved, Record, Removal, Revocation,
    Role,
};
use crate::protocol::signed::Signed;

/// Clocks may differ by this much, in ms: a day.
pub const SKEW_MS: u64 = 24 * 60 * 60 * 1000;
/// Admins of a mesh, at most; beyond that those with the lowest ids are kept.
pub const MAX_ADMINS: usize = 64;
/// Removals that one admin signs, at most; beyond that those of the lowest ids are kept.
pub const MAX_REMOVALS_EACH: usize = 64;
/// Removals in all, at most; beyond that those by admins go first, and those of the highest ids.
pub const MAX_REMOVALS: usize = MAX_RECORDS - MAX_ADMINS;

/// Why somebody is not a member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMember {
    /// What it shows proves nothing.
    #[error("its certificate is not believed: {0}")]
    Proof(#[from] ProofError),
    /// It shows the certificate of somebody else.
    #[error("its certificate is somebody else's")]
    NotTheirs,
    /// The time of the certificate is over.
    #[error("its certificate has expired")]
    Expired,
    /// It was removed.
    #[error("it was removed from the mesh")]
    Removed,
    /// The admin who signed for it was removed.
    #[error("the admin who signed for it was removed from the mesh")]
    AdminRemoved,
}

/// Admins and removals.
#[derive(Debug, Clone)]
pub struct Roll {
    mesh: PeerId,
    admins: BTreeMap<PeerId, (Certificate, Signed<Certificate>)>,
    removals: BTreeMap<(PeerId, Signer), Out>,
}

/// Who signed a removal: `None` is the founder, else an admin by a certificate of that epoch.
type Signer = Option<(PeerId, u32)>;

/// One removal.
#[derive(Debug, Clone)]
struct Out {
    said: Revocation,
    admin: Option<Issuer>,
    record: Removal,
}

impl Roll {
    /// That of a mesh of which nothing is known.
    pub fn new(mesh: PeerId) -> Self {
        Self { mesh, admins: BTreeMap::new(), removals: BTreeMap::new() }
    }

    /// Takes in a record; says whether it was news. What is not proved is no news.
    pub fn insert(&mut self, record: &Record) -> bool {
        match record {
            Record::Admin(certificate) => self.insert_admin(certificate),
            Record::Removal(removal) => self.insert_removal(removal),
        }
    }

    /// Takes in records; says whether any was news.
    pub fn extend(&mut self, records: &[Record]) -> bool {
        records.iter().fold(false, |news, record| self.insert(record) || news)
    }

    /// All records, to be handed on.
    pub fn records(&self) -> Vec<Record> {
        let admins = self.admins.values().map(|(_, signed)| Record::Admin(signed.clone()));
        let removals = self.removals.values().map(|out| Record::Removal(out.record.clone()));
        admins.chain(removals).collect()
    }

    /// BLAKE3 of what the records say: for each admin `0`, id, epoch, end; then for each removal `1`,
    /// id, who signed, the epoch of that admin's certificate, epoch, and who stays. Ids in order and
    /// with their length before them, numbers with the highest byte first.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut admins: Vec<_> = self.admins.values().map(|(said, _)| said).collect();
        admins.sort_by(|a, b| a.subject.cmp(&b.subject));
        for said in admins {
            hasher.update(&[0]);
            put(&mut hasher, &said.subject);
            hasher.update(&said.epoch.to_be_bytes()).update(&said.not_after.to_be_bytes());
        }
        let mut removals: Vec<_> = self.removals.values().collect();
        let admin_epoch = |out: &Out| out.admin.map_or(0, |admin| admin.epoch);
        removals.sort_by_cached_key(|out| {
            (out.said.subject.clone(), out.said.by.clone(), admin_epoch(out))
        });
        for out in removals {
            hasher.update(&[1]);
            put(&mut hasher, &out.said.subject);
            put(&mut hasher, &out.said.by);
            let epoch = admin_epoch(out);
            hasher.update(&epoch.to_be_bytes()).update(&out.said.epoch.to_be_bytes());
            hasher.update(&kept_hash(&out.said));
        }
        *hasher.finalize().as_bytes()
    }

    /// Whether a certificate makes `peer` a member at `now` (Unix time in ms), and as what.
    pub fn judge(
        &self,
        proved: &Proved<Certificate>,
        peer: &PeerId,
        now: u64,
    ) -> Result<Role, NotMember> {
        let over = |not_after: u64| now > not_after.saturating_add(SKEW_MS);
        if over(proved.record.not_after) || proved.admin.is_some_and(|admin| over(admin.not_after))
        {
            self.judge_but_for_time(proved, peer)?;
            return Err(NotMember::Expired);
        }
        self.judge_but_for_time(proved, peer)
    }

    /// The same, whenever the certificate ends or ended.
    pub fn judge_but_for_time(
        &self,
        proved: &Proved<Certificate>,
        peer: &PeerId,
    ) -> Result<Role, NotMember> {
        let said = &proved.record;
        if said.subject() != Some(*peer) {
            return Err(NotMember::NotTheirs);
        }
        if self.removed(peer, said.epoch, said.role) {
            return Err(NotMember::Removed);
        }
        if let Some(admin) = &proved.admin
            && let Some(out) = self.out_by_founder(&admin.id, admin.epoch)
            && !out.said.keeps(peer)
        {
            return Err(NotMember::AdminRemoved);
        }
        Ok(said.role)
    }

    /// Checks what somebody shows from its first byte.
    pub fn judge_credential(
        &self,
        credential: &Credential,
        peer: &PeerId,
        now: u64,
    ) -> Result<Proved<Certificate>, NotMember> {
        let proved = credential.prove(&self.mesh)?;
        self.judge(&proved, peer, now)?;
        Ok(proved)
    }

    /// The highest epoch up to which somebody is out, as far as a member is concerned.
    pub fn out_up_to(&self, peer: &PeerId) -> Option<u32> {
        self.removals_of(peer).map(|out| out.said.epoch).max()
    }

    /// Whether somebody is an admin now, and by which certificate.
    pub fn admin(&self, peer: &PeerId) -> Option<&Signed<Certificate>> {
        self.admins.get(peer).map(|(_, signed)| signed)
    }

    /// The admins, with the last moment of each.
    pub fn admins(&self) -> impl Iterator<Item = (PeerId, u64)> {
        self.admins.iter().map(|(id, (said, _))| (*id, said.not_after))
    }

    /// Who is out.
    pub fn removed_members(&self) -> impl Iterator<Item = (PeerId, u32)> {
        self.removals.iter().map(|((id, _), out)| (*id, out.said.epoch))
    }

    /// What one admin removed: who, and up to which epoch.
    pub fn removed_by(&self, admin: &PeerId) -> Vec<(PeerId, u32)> {
        let signed = |by: &Signer| by.is_some_and(|(by, _)| by == *admin);
        let by = self.removals.iter().filter(|((_, by), _)| signed(by));
        by.map(|((id, _), out)| (*id, out.said.epoch)).collect()
    }

    fn insert_admin(&mut self, signed: &Signed<Certificate>) -> bool {
        let credential = Credential { certificate: signed.clone(), issuer: None };
        let Ok(Proved { record: said, .. }) = credential.prove(&self.mesh) else { return false };
        let Some(id) = said.subject().filter(|_| said.role == Role::Admin) else { return false };
        let rank = |said: &Certificate| (said.epoch, said.not_after);
        let known = self.admins.get(&id);
        if known.is_some_and(|(known, _)| rank(known) >= rank(&said))
            || self.out_by_founder(&id, said.epoch).is_some()
        {
            return false;
        }
        self.admins.insert(id, (said, signed.clone()));
        if self.admins.len() > MAX_ADMINS {
            let last = self.admins.pop_last();
            return last.is_none_or(|(last, _)| last != id);
        }
        true
    }

    fn insert_removal(&mut self, removal: &Removal) -> bool {
        let Ok(Proved { record: said, admin }) = removal.prove(&self.mesh) else { return false };
        let Some(subject) = said.subject() else { return false };
        if admin.is_some_and(|admin| self.out_by_founder(&admin.id, admin.epoch).is_some()) {
            return false;
        }
        let key = (subject, admin.map(|admin| (admin.id, admin.epoch)));
        let out = Out { said, admin, record: removal.clone() };
        if self.removals.get(&key).is_some_and(|known| known.rank() >= out.rank()) {
            return false;
        }
        let founder = out.admin.is_none();
        self.removals.insert(key, out);
        if founder {
            self.forget_what_counts_no_longer(&subject);
        }
        self.keep_few(key.1);
        self.removals.contains_key(&key)
    }

    /// An admin is out: what it signed counts no longer, and it is none any more.
    fn forget_what_counts_no_longer(&mut self, admin: &PeerId) {
        let Some(out) = self.removals.get(&(*admin, None)) else { return };
        let epoch = out.said.epoch;
        self.removals.retain(|(_, by), _| by.is_none_or(|(by, of)| by != *admin || of > epoch));
        if self.admins.get(admin).is_some_and(|(said, _)| said.epoch <= epoch) {
            self.admins.remove(admin);
        }
    }

    fn keep_few(&mut self, by: Signer) {
        let of_whom: Vec<_> = self.removals.keys().filter(|key| key.1 == by).copied().collect();
        if by.is_some() && of_whom.len() > MAX_REMOVALS_EACH {
            of_whom[MAX_REMOVALS_EACH..].iter().for_each(|key| drop(self.removals.remove(key)));
        }
        while self.removals.len() > MAX_REMOVALS {
            let admins = self.removals.keys().rev().find(|key| key.1.is_some()).copied();
            let last = admins.or_else(|| self.removals.keys().next_back().copied());
            last.map(|key| self.removals.remove(&key));
        }
    }

    fn removals_of(&self, peer: &PeerId) -> impl Iterator<Item = &Out> {
        let of = self.removals.range((*peer, None)..);
        of.take_while(move |((id, _), _)| id == peer).map(|(_, out)| out)
    }

    fn removed(&self, peer: &PeerId, epoch: u32, role: Role) -> bool {
        self.removals_of(peer)
            .filter(|out| out.admin.is_none() || role == Role::Member)
            .any(|out| out.said.epoch >= epoch)
    }

    fn out_by_founder(&self, peer: &PeerId, epoch: u32) -> Option<&Out> {
        self.removals.get(&(*peer, None)).filter(|out| out.said.epoch >= epoch)
    }
}

impl PartialEq for Roll {
    fn eq(&self, other: &Self) -> bool {
        self.mesh == other.mesh && self.digest() == other.digest()
    }
}

impl Out {
    /// Of two removals of somebody by the same signer, the higher one counts: that which goes further.
    fn rank(&self) -> (u32, Reverse<usize>, [u8; 32]) {
        (self.said.epoch, Reverse(kept(&self.said).len()), kept_hash(&self.said))
    }
}

/// Who stays, each once and in order.
fn kept(said: &Revocation) -> BTreeSet<&[u8]> {
    said.kept.iter().map(|id| id.as_slice()).collect()
}

fn kept_hash(said: &Revocation) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    kept(said).into_iter().for_each(|id| put(&mut hasher, id));
    *hasher.finalize().as_bytes()
}

fn put(hasher: &mut blake3::Hasher, id: &[u8]) {
    hasher.update(&u8::try_from(id.len()).unwrap_or(u8::MAX).to_be_bytes()).update(id);
}
