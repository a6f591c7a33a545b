//! What to do next with letters. Policy only: no IO, no clock, no randomness.
//!
//! It looks at what is held and at who is there, and not at events, which may be missed: so whatever
//! went wrong before, the next look puts it right.

use std::collections::{BTreeMap, BTreeSet};

use libp2p::PeerId;

use super::{
    envelope::EnvelopeId,
    records::{Done, Kept, Received, Sent},
};

/// Keepers that have a letter at one time.
pub const KEEPERS: usize = 2;
/// Keepers that one letter is handed to in all, where some leave.
pub const MOST_KEEPERS: usize = 6;

/// Who is there, and what each can do for mail.
#[derive(Debug, Clone, Default)]
pub struct Present(pub BTreeMap<PeerId, Abilities>);

impl Present {
    /// Those that keep letters.
    pub fn keepers(&self) -> BTreeSet<PeerId> {
        self.0.iter().filter(|(_, able)| able.keeps).map(|(peer, _)| *peer).collect()
    }
}

/// What a node can do for mail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It takes letters to itself.
    pub takes: bool,
    /// It keeps letters for others.
    pub keeps: bool,
    /// It could not be reached lately.
    pub failing: bool,
    /// It is an entry node: it is there when others are not, and everybody reaches it.
    pub entry: bool,
}

/// Something to do at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Hand a letter of our own to its recipient.
    Deliver(EnvelopeId),
    /// Hand a letter that is kept to its recipient.
    PassOn(EnvelopeId),
    /// Hand a letter of our own to a keeper.
    Keep(EnvelopeId),
    /// Tell a sender what became of a letter that came here.
    Owe(EnvelopeId),
    /// Tell a sender what became of a letter that was kept here.
    Answer(EnvelopeId),
    /// Tell a node that it may bring again what was not taken.
    Welcome,
}

/// Who declined to take which letter, and why: not asked again before its time.
pub type Declined = BTreeMap<EnvelopeId, BTreeMap<PeerId, Decline>>;

/// Somebody's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// Why, for a person.
    pub why: String,
    /// When it may be asked again, in Unix milliseconds.
    pub until: u64,
}

/// What is held.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Letters of this node's person.
    pub sent: &'a BTreeMap<EnvelopeId, Sent>,
    /// Letters to this node's person.
    pub received: &'a BTreeMap<EnvelopeId, Received>,
    /// Letters that are kept for others.
    pub kept: &'a BTreeMap<EnvelopeId, Kept>,
    /// What is done with.
    pub done: &'a BTreeMap<EnvelopeId, Done>,
    /// Who need not be asked now.
    pub declined: &'a Declined,
}

impl Held<'_> {
    fn declines(&self, id: &EnvelopeId, peer: &PeerId) -> bool {
        self.declined.get(id).is_some_and(|who| who.contains_key(peer))
    }
}

/// What to do at whom, in order for each.
pub fn steps(me: &PeerId, held: Held<'_>, present: &Present) -> BTreeMap<PeerId, Vec<Step>> {
    let mut todo: BTreeMap<PeerId, Vec<Step>> = BTreeMap::new();
    let takes = |peer: &PeerId| present.0.get(peer).is_some_and(|able| able.takes);
    // In the order in which they were written.
    let moves = |sent: &&Sent| !sent.stage.is_over() && !sent.paused;
    let mut waiting: Vec<_> = held.sent.values().filter(moves).collect();
    waiting.sort_by_key(|sent| (sent.outside.written_at, sent.outside.number));
    for sent in waiting {
        let Some(to) = sent.outside.recipient() else { continue };
        if takes(&to) && !held.declines(&sent.outside.id, &to) {
            todo.entry(to).or_default().push(Step::Deliver(sent.outside.id));
        }
        if !takes(&to) || present.0.get(&to).is_some_and(|able| able.failing) {
            for keeper in keepers(me, sent, held, present) {
                todo.entry(keeper).or_default().push(Step::Keep(sent.outside.id));
            }
        }
    }
    let mut kept: Vec<_> = held.kept.values().collect();
    kept.sort_by_key(|kept| (kept.outside.written_at, kept.outside.number));
    for kept in kept {
        let declines = |to: &PeerId| held.declines(&kept.outside.id, to);
        if let Some(to) = kept.outside.recipient().filter(|to| takes(to) && !declines(to)) {
            todo.entry(to).or_default().push(Step::PassOn(kept.outside.id));
        }
    }
    for (id, received) in held.received.iter().filter(|(_, received)| received.owed.is_some()) {
        if let Some(from) = received.outside.sender().filter(takes) {
            todo.entry(from).or_default().push(Step::Owe(*id));
        }
    }
    for (id, done) in held.done.iter().filter(|(_, done)| done.owed) {
        let sender = done.sender.parse().ok();
        if let Some(from) = sender.filter(takes) {
            todo.entry(from).or_default().push(Step::Answer(*id));
        }
    }
    todo
}

/// Who is to be handed a letter now: those that come first among the nodes that keep mail, entry nodes
/// before all others, by rendezvous hashing (Thaler and Ravishankar, 1998) of the recipient's id, until enough of those
/// that are there have it.
fn keepers(me: &PeerId, sent: &Sent, held: Held<'_>, present: &Present) -> Vec<PeerId> {
    let holders: BTreeSet<_> = sent.holders.iter().collect();
    let there = holders.iter().filter(|holder| present.0.contains_key(holder)).count();
    let tried = holders.len() + sent.lost.len();
    let wanted = KEEPERS.saturating_sub(there).min(MOST_KEEPERS.saturating_sub(tried));
    let (to, from) = (sent.outside.recipient(), sent.outside.sender());
    let able = present.0.iter().filter(|(peer, able)| {
        let outside = Some(**peer) != to && Some(**peer) != from && *peer != me;
        let tried = holders.contains(peer) || sent.lost.contains(peer);
        let declines = held.declines(&sent.outside.id, peer);
        able.keeps && !able.failing && outside && !tried && !declines
    });
    let mut ranked: Vec<_> =
        able.map(|(peer, able)| (able.entry, rank(&sent.outside.to, peer), *peer)).collect();
    ranked.sort_unstable();
    ranked.into_iter().rev().take(wanted).map(|(_, _, peer)| peer).collect()
}

fn rank(recipient: &[u8], keeper: &PeerId) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(recipient).update(&keeper.to_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
