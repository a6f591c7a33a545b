//! One call's way from peer to peer: retry, wait, hedge, end.
//!
//! The caller feeds a [`Plan`] with what happens and does what it says. Every attempt ends in
//! exactly one outcome, and there is exactly one [`PlanEffect::Finish`].

mod hop;

use std::collections::BTreeMap;

use libp2p::PeerId;

use super::Ranked;
use crate::protocol::{Fault, FaultKind, Repeat};
pub use hop::{Hop, HopOutcome, PlanEnd};

/// A lost peer is tried once more after this time when nobody else is left, in ms.
const LOST_AGAIN_MS: u64 = 500;
/// The shortest and longest pause before a busy peer is asked again, in ms.
const BUSY_MS: (u64, u64) = (20, 5_000);
/// How often the directory is asked while no candidate is known, in ms.
const NOBODY_MS: u64 = 5;
/// The same for a further copy that nobody is free to take, at least.
const HEDGE_AGAIN_MS: u64 = 25;
/// Most copies of one call that run at once.
const MAX_COPIES: u64 = 4;
/// A further peer is dialled beside one that could not be reached within this time, in ms.
const DIAL_PATIENCE_MS: u64 = 300;
/// Peers of one call that may turn out not to be there: made-up ones cost nobody's attempts.
const MAX_UNREACHED: u32 = 64;
/// The same while a peer says that the call is wrong, and another is looked for to say so too.
const MAX_UNREACHED_IN_DOUBT: u32 = 4;
/// Peers that may decline before giving up.
const MAX_DECLINED: u32 = 64;
/// The shortest and longest pause after trouble of this node's own, in ms, and how often.
const OWN_TROUBLE_MS: (u64, u64) = (50, 1_000);
const MAX_OWN_TROUBLES: u32 = 16;
/// Most hops in a route: beyond it, old `Busy` and unreached ones are left out.
const MAX_HOPS: usize = 64;

/// What a call may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanSettings {
    /// When the call is over, whatever happens.
    pub deadline_at: u64,
    /// How many attempts may fail (be lost, refused or broken) before giving up. `Busy` answers and
    /// peers that were never reached do not count.
    pub max_attempts: u32,
    /// After how much silence a further copy goes to the next best peer; `None` for never.
    pub hedge_after_ms: Option<u64>,
    /// How long to wait for a first candidate: discovery may still be running.
    pub grace_ms: u64,
}

/// What happened to a call. Events for a peer with no running attempt are ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanEvent {
    /// The ranking, at the beginning and as the answer to [`PlanEffect::Rerank`].
    Start(Vec<Ranked>),
    /// All slots and the queue there are full.
    Busy {
        /// Who.
        peer: PeerId,
        /// When to come back, in ms.
        retry_after_ms: u64,
    },
    /// The owner's policy says no.
    Refused {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: String,
    },
    /// The work was not done.
    Failed {
        /// Who.
        peer: PeerId,
        /// Why.
        fault: Fault,
    },
    /// The call is on its way to this peer: there is a connection.
    Reached {
        /// Who.
        peer: PeerId,
    },
    /// The input cannot be read here: no peer would do better.
    NoInput {
        /// Why.
        fault: Fault,
    },
    /// The connection broke, the peer went silent or could not be dialled.
    Lost {
        /// Who.
        peer: PeerId,
        /// Whether the peer may have got the call.
        reached: bool,
        /// Whether this node itself is to blame.
        own: bool,
        /// How, for a person.
        why: String,
    },
    /// The answer is here.
    Answered {
        /// Who.
        peer: PeerId,
    },
    /// The caller no longer wants it.
    CancelledByCaller,
    /// The time of [`PlanEffect::Wake`] came.
    Timer,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanEffect {
    /// Send the call to this peer.
    Send {
        /// Who.
        peer: PeerId,
        /// When it will probably be done, in ms from now.
        expected_ms: f64,
        /// Whether this is the second copy.
        hedge: bool,
    },
    /// Tell this peer to stop the work.
    Cancel {
        /// Who.
        peer: PeerId,
    },
    /// Send [`PlanEvent::Timer`] at this time. Replaces earlier ones.
    Wake {
        /// When.
        at: u64,
    },
    /// Rank again and send [`PlanEvent::Start`].
    Rerank,
    /// The call is over.
    Finish(PlanEnd),
}

/// Where one peer stands within a call.
#[derive(Debug, Clone, PartialEq)]
enum Standing {
    Busy {
        until: u64,
    },
    /// Not asked again.
    Out,
    Lost {
        times: u8,
        at: u64,
    },
}

/// Who can be asked now.
enum Next {
    Peer(Ranked),
    At(u64),
    Nobody,
}

/// One call's state.
#[derive(Debug)]
pub struct Plan {
    settings: PlanSettings,
    started_at: u64,
    ranking: Vec<Ranked>,
    /// Whether the ranking was made after the last attempt ended.
    fresh: bool,
    standing: BTreeMap<PeerId, Standing>,
    hops: Vec<Hop>,
    failures: u32,
    /// Attempts that got to nobody.
    unreached: u32,
    /// Peers that did not begin: they refused, or said that they could not.
    declined: u32,
    own_troubles: u32,
    /// Who said that the call itself is wrong.
    doubts: Vec<(PeerId, Fault)>,
    last: Option<PlanEnd>,
    /// No further copy before this time.
    hedge_from: u64,
    /// When to ask for a new ranking.
    rerank_at: Option<u64>,
    finished: bool,
}

impl Plan {
    /// A call that starts at `now` (ms, the same epoch as the deadline).
    pub fn new(settings: PlanSettings, now: u64) -> Self {
        Self {
            settings,
            started_at: now,
            ranking: Vec::new(),
            fresh: false,
            standing: BTreeMap::new(),
            hops: Vec::new(),
            failures: 0,
            unreached: 0,
            declined: 0,
            own_troubles: 0,
            doubts: Vec::new(),
            last: None,
            hedge_from: 0,
            rerank_at: None,
            finished: false,
        }
    }

    /// Takes in what happened at `now` and says what to do.
    pub fn handle(&mut self, event: PlanEvent, now: u64) -> Vec<PlanEffect> {
        let mut effects = Vec::new();
        if self.finished {
            return effects;
        }
        let out = &mut effects;
        match event {
            PlanEvent::Start(ranking) => {
                self.ranking = ranking;
                self.fresh = true;
                self.rerank_at = None;
            }
            PlanEvent::CancelledByCaller => self.finish(PlanEnd::Cancelled, now, out),
            PlanEvent::Timer => {}
            PlanEvent::Answered { peer } => {
                if self.end_hop(peer, HopOutcome::Answered, now).is_some() {
                    self.finish(PlanEnd::Answered { peer }, now, out);
                }
            }
            PlanEvent::Busy { peer, retry_after_ms } => {
                if self.end_hop(peer, HopOutcome::Busy { retry_after_ms }, now).is_some() {
                    let until = now.saturating_add(retry_after_ms.clamp(BUSY_MS.0, BUSY_MS.1));
                    self.standing.insert(peer, Standing::Busy { until });
                }
            }
            PlanEvent::Refused { peer, reason } => {
                if self.end_hop(peer, HopOutcome::Refused(reason.clone()), now).is_some() {
                    self.standing.insert(peer, Standing::Out);
                    self.declined += 1;
                    // A real failure elsewhere says more than a refusal.
                    if !matches!(self.last, Some(PlanEnd::AllFailed { .. })) {
                        self.last = Some(PlanEnd::Refused { reason });
                    }
                }
            }
            PlanEvent::Failed { peer, fault } => self.failed(peer, fault, now, out),
            PlanEvent::Reached { peer } => {
                if let Some(hop) = self.hops.iter_mut().find(|h| h.peer == peer && h.running()) {
                    hop.reached = true;
                }
            }
            PlanEvent::NoInput { fault } => self.finish(PlanEnd::Failed(fault), now, out),
            PlanEvent::Lost { peer, reached, own, why } => {
                self.lost(peer, (reached, own), why, now, out);
            }
        }
        self.advance(now, out);
        effects
    }

    /// Who was tried, in order.
    pub fn route(&self) -> &[Hop] {
        &self.hops
    }

    /// Who said that the call itself is wrong. Whoever answers it contradicts them.
    pub fn doubters(&self) -> impl Iterator<Item = PeerId> {
        self.doubts.iter().map(|(peer, _)| *peer)
    }

    /// Nobody is waited for longer than this from the start: this node knows why it cannot serve.
    pub fn hurry(&mut self, grace_ms: u64) {
        self.settings.grace_ms = self.settings.grace_ms.min(grace_ms);
    }

    /// Whether the call is over.
    pub fn finished(&self) -> bool {
        self.finished
    }

    fn failed(&mut self, peer: PeerId, fault: Fault, now: u64, out: &mut Vec<PlanEffect>) {
        let Some(repeat) = self.end_hop(peer, HopOutcome::Failed(fault.message.clone()), now)
        else {
            return;
        };
        // Whoever did not even begin costs one round trip, and no attempt: it may have lied.
        match fault.kind.untouched() {
            true => self.declined += 1,
            false => self.failures += 1,
        }
        self.standing.insert(peer, Standing::Out);
        if fault.kind == FaultKind::BadInput {
            // One peer alone cannot say no for all: it may lie, or be of another version.
            let mine = self.ranking.iter().any(|ranked| ranked.me && ranked.peer == peer);
            let second = self.doubts.iter().any(|(other, _)| *other != peer);
            self.doubts.push((peer, fault.clone()));
            // What costs is not carried from owner to owner.
            if mine || second || repeat != Repeat::Safe {
                self.finish(PlanEnd::Failed(fault), now, out);
            }
            return;
        }
        let on = match repeat {
            // The first has answered: it is not paid any more.
            Repeat::Safe | Repeat::Costly => true,
            Repeat::Never => fault.kind.untouched(),
        };
        let end = PlanEnd::AllFailed { last: fault };
        if on {
            self.last = Some(end);
        } else {
            self.finish(end, now, out);
        }
    }

    fn lost(
        &mut self,
        peer: PeerId,
        (reached, own): (bool, bool),
        why: String,
        now: u64,
        out: &mut Vec<PlanEffect>,
    ) {
        let Some(repeat) = self.end_hop(peer, HopOutcome::Lost(why.clone()), now) else { return };
        let end = PlanEnd::AllFailed { last: Fault::internal(why) };
        if own && self.own_troubles < MAX_OWN_TROUBLES {
            let pause = OWN_TROUBLE_MS.0 << self.own_troubles.min(10);
            self.own_troubles += 1;
            let until = now.saturating_add(pause.min(OWN_TROUBLE_MS.1));
            self.standing.insert(peer, Standing::Busy { until });
            return;
        }
        match reached {
            true => self.failures += 1,
            false => self.unreached += 1,
        }
        let times = match self.standing.get(&peer) {
            Some(Standing::Lost { times, .. }) => times.saturating_add(1),
            _ => 1,
        };
        self.standing.insert(peer, Standing::Lost { times, at: now });
        if repeat == Repeat::Safe || !reached {
            self.last = Some(end);
        } else {
            self.finish(end, now, out);
        }
    }

    /// Ends the running attempt at a peer and says whether it may be repeated; `None` when there is
    /// none.
    fn end_hop(&mut self, peer: PeerId, outcome: HopOutcome, now: u64) -> Option<Repeat> {
        let hop = self.hops.iter_mut().find(|hop| hop.peer == peer && hop.running())?;
        hop.ended_at = Some(now);
        hop.outcome = outcome;
        let repeat = hop.repeat;
        self.fresh = false;
        Some(repeat)
    }

    fn finish(&mut self, end: PlanEnd, now: u64, out: &mut Vec<PlanEffect>) {
        for hop in self.hops.iter_mut().filter(|hop| hop.running()) {
            hop.ended_at = Some(now);
            hop.outcome = HopOutcome::Cancelled;
            out.push(PlanEffect::Cancel { peer: hop.peer });
        }
        self.finished = true;
        out.push(PlanEffect::Finish(end));
    }

    /// Does what is due and says when to look again.
    fn advance(&mut self, now: u64, out: &mut Vec<PlanEffect>) {
        if self.finished {
            return;
        }
        if now >= self.settings.deadline_at {
            // Nobody else came to say otherwise.
            let end = self.doubted().map_or(PlanEnd::TimedOut, PlanEnd::Failed);
            return self.finish(end, now, out);
        }
        if self.hops.iter().any(Hop::running) {
            self.hedge(now, out);
        } else {
            self.next(now, out);
        }
        if !self.finished {
            out.push(PlanEffect::Wake { at: self.wake_at() });
        }
    }

    fn wake_at(&self) -> u64 {
        [self.rerank_at, self.hedge_at()]
            .into_iter()
            .flatten()
            .fold(self.settings.deadline_at, u64::min)
    }

    /// When a further copy is due: after the usual time of silence, and each one later than the
    /// last, so that peers that take calls and never answer cost a part of the deadline only.
    fn hedge_at(&self) -> Option<u64> {
        let running = self.hops.iter().filter(|hop| hop.running());
        if running.clone().any(|hop| hop.repeat != Repeat::Safe) {
            return None;
        }
        let copies = running.clone().count() as u64;
        let newest = running.max_by_key(|hop| hop.started_at)?;
        if copies >= MAX_COPIES {
            return None;
        }
        let usual = self.settings.hedge_after_ms?.saturating_mul(copies);
        // Whoever cannot even be reached says nothing about the usual time.
        let patience = if newest.reached { usual } else { usual.min(DIAL_PATIENCE_MS) };
        Some(newest.started_at.saturating_add(patience).max(self.hedge_from))
    }

    fn hedge(&mut self, now: u64, out: &mut Vec<PlanEffect>) {
        if self.hedge_at().is_none_or(|at| now < at) {
            return;
        }
        if let Next::Peer(best) = self.candidate(now)
            && best.repeat == Repeat::Safe
        {
            return self.send(best, true, now, out);
        }
        // Nobody is free; somebody may join or become free.
        let patience = self.settings.hedge_after_ms.unwrap_or(HEDGE_AGAIN_MS).max(HEDGE_AGAIN_MS);
        self.hedge_from = now.saturating_add(patience);
        out.push(PlanEffect::Rerank);
    }

    fn send(&mut self, best: Ranked, hedge: bool, now: u64, out: &mut Vec<PlanEffect>) {
        if self.hops.len() >= MAX_HOPS {
            let idle =
                |hop: &Hop| matches!(hop.outcome, HopOutcome::Busy { .. } | HopOutcome::Lost(_));
            if let Some(old) = self.hops.iter().position(idle) {
                self.hops.remove(old);
            }
        }
        let Ranked { peer, expected_ms, me, connected, met: _, repeat } = best;
        self.hops.push(Hop {
            peer,
            expected_ms,
            started_at: now,
            ended_at: None,
            outcome: HopOutcome::Running,
            hedge,
            reached: me || connected,
            repeat,
        });
        self.rerank_at = None;
        out.push(PlanEffect::Send { peer, expected_ms, hedge });
    }

    /// Nothing runs: send, wait or give up.
    fn next(&mut self, now: u64, out: &mut Vec<PlanEffect>) {
        if let Some(at) = self.rerank_at {
            if now >= at {
                self.rerank_at = None;
                out.push(PlanEffect::Rerank);
            }
            return;
        }
        let spent = self.failures >= self.settings.max_attempts.max(1);
        if spent || self.declined >= MAX_DECLINED {
            return self.give_up(now, out);
        }
        match self.candidate(now) {
            Next::Peer(best) => self.send(best, false, now, out),
            Next::At(at) => self.rerank_at = Some(at),
            // What is known is from before the last attempt: there may be others by now.
            Next::Nobody if !self.fresh => {
                if !self.hops.is_empty() {
                    out.push(PlanEffect::Rerank);
                }
            }
            Next::Nobody => self.give_up_or_wait(now, out),
        }
    }

    /// The best peer that can be asked now, or when one can be asked again.
    fn candidate(&self, now: u64) -> Next {
        let mut again: Option<u64> = None;
        let mut lost_again: Option<u64> = None;
        // This node itself is the best judge of what a peer says of the call.
        let doubtful = !self.doubts.is_empty() || self.declined > 1;
        let judge = self.ranking.iter().find(|ranked| ranked.me && doubtful);
        // Made-up peers do not use up the time; those that were met are still asked.
        let most = if self.doubts.is_empty() { MAX_UNREACHED } else { MAX_UNREACHED_IN_DOUBT };
        let only_met = self.unreached >= most;
        for ranked in judge.into_iter().chain(&self.ranking) {
            if self.hops.iter().any(|hop| hop.running() && hop.peer == ranked.peer) {
                continue;
            }
            match self.standing.get(&ranked.peer) {
                None if only_met && !ranked.met => {}
                None => return Next::Peer(*ranked),
                Some(Standing::Out) => {}
                Some(Standing::Busy { until }) if now >= *until => return Next::Peer(*ranked),
                Some(Standing::Busy { until }) => {
                    again = Some(again.map_or(*until, |at| at.min(*until)));
                }
                Some(Standing::Lost { times, at }) if *times == 1 => {
                    let at = at.saturating_add(LOST_AGAIN_MS);
                    lost_again = Some(lost_again.map_or(at, |other| other.min(at)));
                }
                Some(Standing::Lost { .. }) => {}
            }
        }
        if let Some(at) = again {
            return Next::At(at);
        }
        match lost_again {
            Some(at) if now < at => Next::At(at),
            Some(_) => self
                .ranking
                .iter()
                .find(|ranked| {
                    matches!(
                        self.standing.get(&ranked.peer),
                        Some(Standing::Lost { times: 1, at }) if now >= at + LOST_AGAIN_MS
                    ) && !self.hops.iter().any(|hop| hop.running() && hop.peer == ranked.peer)
                })
                .map_or(Next::Nobody, |ranked| Next::Peer(*ranked)),
            None => Next::Nobody,
        }
    }

    fn give_up_or_wait(&mut self, now: u64, out: &mut Vec<PlanEffect>) {
        let grace_end = self.started_at.saturating_add(self.settings.grace_ms);
        if self.last.is_none() && self.doubts.is_empty() && now < grace_end {
            self.rerank_at = Some(now.saturating_add(NOBODY_MS).min(grace_end));
            return;
        }
        self.give_up(now, out);
    }

    fn give_up(&mut self, now: u64, out: &mut Vec<PlanEffect>) {
        let doubted = self.doubted().map(PlanEnd::Failed);
        let end = doubted.or_else(|| self.last.take()).unwrap_or(PlanEnd::NobodyOffers);
        self.finish(end, now, out);
    }

    fn doubted(&self) -> Option<Fault> {
        self.doubts.first().map(|(_, fault)| fault.clone())
    }
}

#[cfg(test)]
mod tests;
