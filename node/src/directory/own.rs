//! Our own advert: when to renew it, and whether someone else uses our identity.

use libp2p::Multiaddr;

use super::Effect;
use crate::protocol::{Advert, SignedAdvert};

/// Renewals that others provoke are at least this far apart, in ms.
const ANSWER_MS: u64 = 1_000;
/// The same, once it is known that a clone runs: two processes would answer each other forever.
const CLONED_ANSWER_MS: u64 = 30_000;
/// An advert with our identity that arrives this soon after our answer may still be one of an
/// earlier run of ours, from before the clock was set back.
const EARLIER_RUN_MS: u64 = 2_000;
/// A clone is reported at most this often, in ms.
const CLONE_MS: u64 = 60_000;

/// What we last said about ourselves.
#[derive(Debug)]
pub(super) struct Own {
    incarnation: u64,
    said: Option<(Advert, SignedAdvert)>,
    said_at: u64,
    /// The number that the next advert has to exceed, when one is owed.
    owed: Option<u64>,
    /// When an advert was last asked for.
    asked_at: Option<u64>,
    /// The highest sequence number seen from another process with our identity.
    contested: Option<u64>,
    clone_at: Option<u64>,
}

impl Own {
    pub(super) fn new(incarnation: u64) -> Self {
        Self {
            incarnation,
            said: None,
            said_at: 0,
            owed: None,
            asked_at: None,
            contested: None,
            clone_at: None,
        }
    }

    pub(super) fn set(&mut self, advert: Advert, signed: SignedAdvert, now: u64) {
        if self.owed.is_some_and(|above| advert.seq > above) {
            self.owed = None;
        }
        self.said = Some((advert, signed));
        self.said_at = now;
    }

    pub(super) fn seq(&self) -> Option<u64> {
        self.said.as_ref().map(|(advert, _)| advert.seq)
    }

    pub(super) fn signed(&self) -> Option<&SignedAdvert> {
        self.said.as_ref().map(|(_, signed)| signed)
    }

    /// An advert with our identity arrived: an echo, an earlier run of ours, or a clone.
    pub(super) fn seen(&mut self, advert: &Advert, now: u64) -> Vec<Effect> {
        let Some(own) = self.seq() else {
            return Vec::new();
        };
        if advert.incarnation == self.incarnation || advert.seq <= own || self.leaving() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        let answered = self.contested.is_some_and(|contested| own > contested);
        let confirmed = answered && now >= self.said_at.saturating_add(EARLIER_RUN_MS);
        self.contested = self.contested.max(Some(advert.seq));
        let answer = self.owe(advert.seq, now);
        if confirmed && self.clone_at.is_none_or(|at| now >= at.saturating_add(CLONE_MS)) {
            self.clone_at = Some(now);
            let addresses: Vec<Multiaddr> = advert.multiaddrs();
            effects.push(Effect::Clone { addresses, name: advert.name.clone() });
        }
        effects.extend(answer);
        effects
    }

    /// Somebody gossips that we are gone. The number is not signed, so it only counts as a sign
    /// that our newest advert is meant, never as a number to exceed.
    pub(super) fn reported(&mut self, seq: u64, now: u64) -> Option<Effect> {
        let own = self.seq()?;
        if seq < own || self.leaving() {
            return None;
        }
        self.owe(own, now)
    }

    pub(super) fn tick(&mut self, refresh_ms: u64, now: u64) -> Option<Effect> {
        let own = self.seq()?;
        if self.leaving() {
            return None;
        }
        if let Some(above) = self.owed {
            return self.owe(above, now);
        }
        if now >= self.said_at.saturating_add(refresh_ms) {
            return self.owe(own, now);
        }
        None
    }

    /// A new advert is due, now or, when the last was just now, at a later tick.
    fn owe(&mut self, above: u64, now: u64) -> Option<Effect> {
        let above = self.owed.max(self.seq()).map_or(above, |owed| owed.max(above));
        self.owed = Some(above);
        let apart = if self.clone_at.is_some_and(|at| now < at.saturating_add(CLONE_MS)) {
            CLONED_ANSWER_MS
        } else {
            ANSWER_MS
        };
        if self.asked_at.is_some_and(|at| now < at.saturating_add(apart)) {
            return None;
        }
        self.asked_at = Some(now);
        Some(Effect::Readvertise { above })
    }

    fn leaving(&self) -> bool {
        self.said.as_ref().is_some_and(|(advert, _)| advert.leaving)
    }
}
