//! Private meshes: who belongs to one, who no more, and how a node becomes a member.
//!
//! The founder's key is the mesh. It signs for admins, admins sign for members, and an invite buys
//! one certificate. [`roll`] holds the rules, without IO; [`desk`] what is signed and on the disk; a
//! [`Membership`] is what a running node asks: admission shows and judges certificates with it, the
//! network takes adverts of members only, and what one node learns of removals it tells the next
//! (`spread`). Decision 13 says why it is so.

pub mod desk;
pub mod invite;
mod place;
pub(crate) mod renewal;
pub mod roll;
pub mod seal;
pub(crate) mod spread;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

pub use crate::protocol::membership::Role;
use crate::{
    protocol::membership::{
        Certificate, Credential, Pass, Proved, Record, Refusal, RollDigest, RollRecords,
    },
    say::{Say as _, reasons},
};
pub use desk::{Desk, Held, KnownMember, MeshError, Offer};
pub use invite::{Invite, InviteError};
pub use place::{Entered, Invited, Place, PlaceError, Private, Standing, Terms};
pub use roll::{NotMember, Roll};

/// Members whose certificates are kept in memory; who was heard of longest ago goes first.
const MAX_SEEN: usize = 4096;
/// Certificates that are signed at one time; who knocks beyond that comes again.
const ISSUED_AT_ONCE: usize = 4;
/// From this part of a certificate's time on it is renewed: the last two thirds.
const EARLY_MS: u64 = desk::MEMBER_MS / 3 * 2;

/// What a running node knows of its private mesh. All clones of the `Arc` are one.
pub struct Membership {
    me: Keypair,
    id: PeerId,
    mesh: PeerId,
    name: String,
    desk: Desk,
    /// Where the admin was who let this node in.
    addresses: Vec<Multiaddr>,
    state: RwLock<State>,
    /// An admin says that this node was removed.
    removed: AtomicBool,
    /// Certificates that are signed at one time.
    turns: Arc<Semaphore>,
    /// Wakes when somebody is met for the first time, or by another name.
    met: Notify,
    /// Counts what changed: the roll, or this node's certificate.
    changed: watch::Sender<u64>,
}

struct State {
    credential: Credential,
    own: Proved<Certificate>,
    roll: Roll,
    seen: BTreeMap<PeerId, Seen>,
    last_seen: u64,
}

/// A member whose certificate was looked at.
struct Seen {
    credential: Credential,
    proved: Proved<Certificate>,
    name: String,
    at: u64,
    /// Rises with each look, to know who was looked at longest ago.
    turn: u64,
}

/// A member, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its client id.
    pub id: PeerId,
    /// Its nickname, where that is known.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The last moment of its certificate, in Unix time (ms).
    pub not_after: u64,
    /// When it was met last, in Unix time (ms); 0 where it never was.
    pub seen_at: u64,
    /// Whether it was removed.
    pub removed: bool,
}

impl Membership {
    /// The private mesh that a data folder belongs to; `None` for the open one.
    ///
    /// # Errors
    ///
    /// Where the files cannot be read, or are another identity's.
    pub fn open(data_dir: &Path, me: &Keypair) -> Result<Option<Arc<Self>>, MeshError> {
        let desk = Desk::of(data_dir);
        let Some(held) = desk.held()? else { return Ok(None) };
        let id = me.public().to_peer_id();
        let (credential, own) = newest(&held, &id)?;
        let mut seen = BTreeMap::new();
        // A node knows itself.
        seen.insert(id, Seen::new(&credential, &own, String::new()));
        let state = State { credential, own, roll: held.roll, seen, last_seen: 0 };
        Ok(Some(Arc::new(Self {
            me: me.clone(),
            id,
            mesh: held.mesh,
            name: held.name,
            desk,
            addresses: held.addresses,
            state: RwLock::new(state),
            removed: AtomicBool::new(false),
            turns: Arc::new(Semaphore::new(ISSUED_AT_ONCE)),
            met: Notify::new(),
            changed: watch::Sender::new(0),
        })))
    }

    /// The mesh's id: the peer id of its founder's key.
    pub fn mesh(&self) -> PeerId {
        self.mesh
    }

    /// This node.
    pub fn id(&self) -> PeerId {
        self.id
    }

    /// A turn to sign; none where too many want one.
    pub(crate) fn issuing(&self) -> Option<OwnedSemaphorePermit> {
        self.turns.clone().try_acquire_owned().ok()
    }

    /// What the mesh is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// This node's nickname, for the list of members.
    pub(crate) fn introduce(&self, name: &str) {
        if let Some(own) = self.write().seen.get_mut(&self.id) {
            name.clone_into(&mut own.name);
        }
    }

    /// What makes this node a member.
    pub fn credential(&self) -> Credential {
        self.read().credential.clone()
    }

    /// What this node may do.
    pub fn role(&self) -> Role {
        self.read().own.record.role
    }

    /// The last moment of this node's certificate, in Unix time (ms).
    pub fn not_after(&self) -> u64 {
        self.read().own.record.not_after
    }

    /// Why this node itself is no member any more, where that is so.
    pub fn outcast(&self, now: u64) -> Option<NotMember> {
        let state = self.read();
        state.roll.judge(&state.own, &self.id, now).err()
    }

    /// The same in a sentence for this node's person.
    pub(crate) fn trouble(&self, now: u64) -> Option<String> {
        let told = self.removed.load(Ordering::Relaxed).then_some(NotMember::Removed);
        let outcast = self.outcast(now).or(told)?;
        Some(reasons::no_member_any_more(&self.name, outcast.reason()).to_string())
    }

    /// Whether the certificate should be renewed.
    pub fn due(&self, now: u64) -> bool {
        let state = self.read();
        let of_admin = state.own.admin.is_some();
        let voided = || state.roll.judge_but_for_time(&state.own, &self.id).is_err();
        of_admin && (now.saturating_add(EARLY_MS) > state.own.record.not_after && !voided())
    }

    /// Of what it knows of admins and removals.
    pub fn digest(&self) -> [u8; 32] {
        self.read().roll.digest()
    }

    /// The same, for another node.
    pub(crate) fn roll_digest(&self) -> RollDigest {
        RollDigest { digest: self.digest() }
    }

    /// All records, for another node.
    pub(crate) fn roll_records(&self) -> RollRecords {
        RollRecords { records: self.read().roll.records() }
    }

    /// Wakes when the roll or this node's certificate changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Judges what a peer shows, and remembers it where it is a member. `name` is its nickname, or
    /// empty where that is not known.
    pub fn admit(
        &self,
        peer: &PeerId,
        credential: &Credential,
        name: &str,
        now: u64,
    ) -> Result<Role, NotMember> {
        // Most often it is what was looked at before: signatures need not be checked again.
        let known = {
            let state = self.read();
            let seen = state.seen.get(peer).filter(|seen| seen.credential == *credential);
            seen.map(|seen| seen.proved.clone())
        };
        let proved = match known {
            Some(proved) => proved,
            None => credential.prove(&self.mesh)?,
        };
        let mut state = self.write();
        let role = state.roll.judge(&proved, peer, now)?;
        state.last_seen += 1;
        let turn = state.last_seen;
        let before = state.seen.get(peer);
        let returns = before.is_some_and(|it| state.roll.judge(&it.proved, peer, now).is_err());
        let newer = |before: &Seen| before.proved.record.rank() > proved.record.rank();
        if let Some(before) = before.filter(|before| newer(before)) {
            // An old certificate that still holds takes nothing away.
            return Ok(before.proved.record.role);
        }
        let name = match (name, before) {
            ("", Some(before)) => before.name.clone(),
            (name, _) => name.to_owned(),
        };
        let new = before.is_none_or(|before| before.name != name);
        let seen = Seen { credential: credential.clone(), proved, name, at: now, turn };
        state.seen.insert(*peer, seen);
        if state.seen.len() > MAX_SEEN {
            let me = self.id;
            let oldest = state.seen.iter().filter(|(id, _)| **id != me);
            let oldest = oldest.min_by_key(|(_, seen)| seen.turn).map(|(id, _)| *id);
            oldest.map(|id| state.seen.remove(&id));
        }
        drop(state);
        if new {
            self.met.notify_one();
        }
        if returns {
            // It is shut out no longer.
            self.changed.send_modify(|count| *count += 1);
        }
        Ok(role)
    }

    /// Whether a peer is a member now, by what it showed.
    pub fn is_member(&self, peer: &PeerId, now: u64) -> bool {
        let state = self.read();
        let seen = state.seen.get(peer);
        seen.is_some_and(|seen| state.roll.judge(&seen.proved, peer, now).is_ok())
    }

    /// Those with whom this node has nothing to do: who was a member and is no more; and where it is no
    /// member itself any more, everybody.
    pub fn outsiders(&self, now: u64) -> BTreeSet<PeerId> {
        let state = self.read();
        let outcast = state.roll.judge(&state.own, &self.id, now).is_err();
        let out = |id: &PeerId, seen: &Seen| state.roll.judge(&seen.proved, id, now).is_err();
        let others = state.seen.iter().filter(|(id, _)| **id != self.id);
        others.filter(|(id, seen)| outcast || out(id, seen)).map(|(id, _)| *id).collect()
    }

    /// Takes in what another node knows; says whether it was news. What counts from now on may be on
    /// the disk only a little later: it comes again from whoever knows it.
    pub fn merge(self: &Arc<Self>, records: &[Record]) -> bool {
        let news = {
            let mut state = self.write();
            let news = state.roll.extend(records);
            if news {
                self.promote_oneself(&mut state);
            }
            news
        };
        if news {
            self.changed.send_modify(|count| *count += 1);
            let (this, records) = (self.clone(), records.to_vec());
            let write = move || {
                if let Err(error) = this.desk.merge(&records) {
                    tracing::warn!("what was learnt of the private mesh cannot be kept: {error}");
                }
            };
            // Outside of a runtime there is nobody to be held up.
            match tokio::runtime::Handle::try_current() {
                Ok(handle) => drop(handle.spawn_blocking(write)),
                Err(_) => write(),
            }
        }
        news
    }

    /// Takes in what was written to the data folder by another program. Blocks. False where this node
    /// belongs to another mesh now, or to none.
    pub fn reload(self: &Arc<Self>) -> Result<bool, MeshError> {
        let Some(held) = self.desk.held()?.filter(|held| held.mesh == self.mesh) else {
            return Ok(false);
        };
        let (credential, own) = newest(&held, &self.id)?;
        let changed = {
            let mut state = self.write();
            let before = (state.roll.digest(), state.credential.clone());
            state.roll.extend(&held.roll.records());
            if own.record.rank() > state.own.record.rank() {
                (state.credential, state.own) = (credential, own);
            }
            before != (state.roll.digest(), state.credential.clone())
        };
        if changed {
            self.changed.send_modify(|count| *count += 1);
        }
        Ok(true)
    }

    /// Signs for a node that knocks for nothing else. Blocks.
    pub fn issue(&self, pass: &Pass, peer: PeerId, now: u64) -> Result<Credential, Refusal> {
        let issued = match pass {
            Pass::Token { token, name } => {
                let issued = self.desk.redeem(&self.me, token, peer, now)?;
                self.remember_issued(&issued, &peer, name, now);
                issued
            }
            Pass::Renewal { credential } => self.desk.renew(&self.me, credential, peer, now)?,
            Pass::Member { .. } => return Err(Refusal::NoAdmin),
        };
        Ok(issued)
    }

    /// Keeps another certificate of this node. Blocks.
    pub fn adopt(&self, credential: &Credential, now: u64) -> Result<(), MeshError> {
        let refused = |e: NotMember| MeshError::Corrupt { path: String::new(), why: e.to_string() };
        {
            let mut state = self.write();
            let own = state.roll.judge_credential(credential, &self.id, now).map_err(refused)?;
            if own.record.rank() <= state.own.record.rank() {
                return Ok(());
            }
            (state.credential, state.own) = (credential.clone(), own);
        }
        self.desk.adopt(credential)?;
        self.changed.send_modify(|count| *count += 1);
        Ok(())
    }

    /// An admin says whether this node was removed.
    pub(crate) fn told_removed(&self, removed: bool) {
        self.removed.store(removed, Ordering::Relaxed);
    }

    /// The admins, to be asked for a new certificate.
    pub fn admins(&self) -> Vec<PeerId> {
        self.read().roll.admins().map(|(id, _)| id).filter(|id| *id != self.id).collect()
    }

    /// Where the admin was who let this node in.
    pub(crate) fn first_addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    pub(crate) fn keypair(&self) -> &Keypair {
        &self.me
    }

    /// Signs again for admins, where the founder's key is here and it is time. Blocks.
    pub(crate) fn renew_admins(self: &Arc<Self>, now: u64) -> Result<(), MeshError> {
        if self.desk.renew_admins(now)? > 0 {
            self.reload()?;
        }
        Ok(())
    }

    /// Waits until somebody is met for the first time.
    pub(crate) async fn met(&self) {
        self.met.notified().await;
    }

    /// The files of the mesh.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Writes down who was met since the last time. Blocks.
    pub fn remember(&self) -> Result<(), MeshError> {
        let met: Vec<_> = {
            let state = self.read();
            state.seen.iter().map(|(id, seen)| seen.known(id)).collect()
        };
        self.desk.know(&met)
    }

    fn remember_issued(&self, issued: &Credential, peer: &PeerId, name: &str, now: u64) {
        // So that it is known at once, and stays should the admin be removed.
        let _ = self.admit(peer, issued, name, now);
        if let Err(error) = self.remember() {
            tracing::warn!("who was let in cannot be written down: {error}");
        }
    }

    /// The founder made this node an admin.
    fn promote_oneself(&self, state: &mut State) {
        let Some(certificate) = state.roll.admin(&self.id).cloned() else { return };
        let credential = Credential { certificate, issuer: None };
        if let Ok(own) = credential.prove(&self.mesh)
            && own.record.rank() > state.own.record.rank()
        {
            (state.credential, state.own) = (credential, own);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All members that a desk knows of, this node first, then by name.
pub fn members(held: &Held, known: &[KnownMember], me: &PeerId) -> Vec<Member> {
    let mut all: BTreeMap<PeerId, Member> = BTreeMap::new();
    for one in known {
        let Some(id) = one.peer() else { continue };
        let (name, role, not_after) = (one.name.clone(), one.role, one.not_after);
        let out = held.roll.out_up_to(&id).is_some_and(|out| out >= one.epoch);
        let member = Member { id, name, role, not_after, seen_at: one.seen_at, removed: out };
        all.insert(id, member);
    }
    for (id, until) in held.roll.admins() {
        let admin = all.entry(id).or_insert_with(|| Member::new(id));
        (admin.role, admin.not_after, admin.removed) = (Role::Admin, until, false);
    }
    for (id, _) in held.roll.removed_members() {
        all.entry(id).or_insert_with(|| Member { removed: true, ..Member::new(id) });
    }
    if let Ok(own) = held.credential.certificate.verify() {
        let mine = all.entry(*me).or_insert_with(|| Member::new(*me));
        mine.not_after = mine.not_after.max(own.not_after);
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by_key(|one| (one.removed, one.id != *me, one.name.clone(), one.id));
    all
}

impl Member {
    fn new(id: PeerId) -> Self {
        let name = String::new();
        Self { id, name, role: Role::Member, not_after: 0, seen_at: 0, removed: false }
    }
}

impl Seen {
    fn new(credential: &Credential, proved: &Proved<Certificate>, name: String) -> Self {
        Self { credential: credential.clone(), proved: proved.clone(), name, at: 0, turn: 0 }
    }

    fn known(&self, id: &PeerId) -> KnownMember {
        let said = &self.proved.record;
        KnownMember {
            id: id.to_bytes(),
            name: self.name.clone(),
            role: said.role,
            epoch: said.epoch,
            signed_by: said.by.clone(),
            not_after: said.not_after,
            seen_at: self.at,
        }
    }
}

impl Certificate {
    /// Of two certificates of somebody the higher one counts.
    fn rank(&self) -> (Role, u32, u64) {
        (self.role, self.epoch, self.not_after)
    }
}

/// The best certificate of this node that its folder holds.
fn newest(held: &Held, me: &PeerId) -> Result<(Credential, Proved<Certificate>), MeshError> {
    let unsound = |_| MeshError::OtherIdentity;
    let own = held.credential.prove(&held.mesh).map_err(unsound)?;
    if own.record.subject() != Some(*me) {
        return Err(MeshError::OtherIdentity);
    }
    let admin = held.roll.admin(me).cloned();
    let admin = admin.map(|certificate| Credential { certificate, issuer: None });
    if let Some(credential) = admin {
        let proved = credential.prove(&held.mesh).map_err(unsound)?;
        if proved.record.rank() > own.record.rank() {
            return Ok((credential, proved));
        }
    }
    Ok((held.credential.clone(), own))
}
