//! Whether a peer still lives: suspicion, looking after it, and word of losses.

use libp2p::PeerId;

use super::{Directory, Effect, GoneReason};
use crate::protocol::{LossNotice, Rumour};

/// How long the answer to [`Effect::Verify`] may take before it is asked for again, in ms.
pub(super) const VERIFY_MS: u64 = 15_000;
/// How often [`Effect::Verify`] is asked for before silence means loss.
const VERIFY_TRIES: u8 = 2;
/// A peer that was checked is not checked again on hearsay for this long, in ms.
pub(super) const CHECKED_MS: u64 = 5_000;
/// How often a peer that we never meet is reported lost. Twice, because an advert that was under
/// way when it died can bring it back once.
const MAX_REPORTS: u8 = 2;
/// Directories up to this size verify hearsay at once; larger ones spread the dials.
const SMALL: usize = 32;
/// Time by which each node more spreads the dials that follow one notice, and the most, in ms.
const SPREAD_MS: u64 = 10;
pub(super) const MAX_SPREAD_MS: u64 = 3_000;

/// A look after a peer that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// When [`Effect::Verify`] goes out, or went out last.
    at: u64,
    /// How often it went out.
    tries: u8,
    /// Whether others reported the loss, so that they need not hear it from us.
    hearsay: bool,
}

impl Directory {
    /// The peer is connected and answers.
    pub(super) fn alive(&mut self, peer: PeerId, rtt: Option<f32>, now: u64) {
        if peer == self.me {
            return;
        }
        let slot = self.connections.entry(peer).or_default();
        *slot = rtt.or(*slot);
        self.reported.remove(&peer);
        if let Some(entry) = self.entries.get_mut(&peer) {
            entry.connected = true;
            entry.rtt_ms = rtt.or(entry.rtt_ms);
            entry.suspect_since = None;
            if self.checks.remove(&peer).is_some() {
                self.checked.insert(peer, now);
            }
        }
    }

    /// Marks a known peer as suspect unless it is connected, and looks after it `delay` ms from now.
    pub(super) fn suspect(
        &mut self,
        peer: PeerId,
        hearsay: bool,
        delay: u64,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(entry) = self.entries.get_mut(&peer) else {
            return;
        };
        if !entry.connected {
            entry.suspect_since.get_or_insert(now);
        }
        let fresh = Check { at: now + delay, tries: 0, hearsay };
        let check = self.checks.entry(peer).or_insert(fresh);
        check.hearsay |= hearsay;
        if check.tries == 0 {
            check.at = check.at.min(fresh.at);
            if check.at <= now {
                check.tries = 1;
                out.push(Effect::Verify(peer));
            }
        }
    }

    pub(super) fn lost_notice(&mut self, notice: &LossNotice, now: u64, out: &mut Vec<Effect>) {
        let Ok(peer) = PeerId::from_bytes(&notice.id) else {
            return;
        };
        if peer == self.me {
            out.extend(self.own.reported(notice.seq, now));
            return;
        }
        let Some(entry) = self.entries.get(&peer) else {
            return;
        };
        if notice.seq < entry.advert.seq {
            return;
        }
        if self.checked.get(&peer).is_some_and(|at| now < at + CHECKED_MS) {
            return;
        }
        let delay = if entry.connected { 0 } else { self.spread(&peer) };
        self.suspect(peer, true, delay, now, out);
    }

    /// How long to wait before dialling a peer that was reported lost: in a large mesh the dials
    /// are spread, so that a node which was wrongly reported has time to say so.
    pub(super) fn spread(&self, peer: &PeerId) -> u64 {
        if self.entries.len() <= SMALL {
            return 0;
        }
        let most = (self.entries.len() as u64 * SPREAD_MS).min(MAX_SPREAD_MS);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.me.to_bytes());
        hasher.update(&peer.to_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        u64::from(u32::from_le_bytes([a, b, c, d])) % most
    }

    /// A pulse or a dial failed.
    pub(super) fn check_failed(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let hearsay = self.checks.get(&peer).is_some_and(|check| check.hearsay);
        let Some(entry) = self.entries.get_mut(&peer) else {
            return;
        };
        let reported = self.reported.get(&peer).map_or(0, |(times, _)| *times);
        if !hearsay && !entry.connected && reported >= MAX_REPORTS {
            // It came back each time: it lives, and only we cannot reach it. If it does die, those
            // who can reach it say so.
            entry.suspect_since.get_or_insert(now);
            self.checks.remove(&peer);
            return;
        }
        let seq = entry.advert.seq;
        let signed = entry.signed.clone();
        self.tombstones.bury(peer, seq, Some((false, signed)), now);
        self.remove(peer, GoneReason::Lost, out);
        if !hearsay {
            self.reported.insert(peer, (reported + 1, now));
            out.push(Effect::Gossip(Rumour::Lost(LossNotice { id: peer.to_bytes(), seq })));
        }
    }

    pub(super) fn tick_checks(&mut self, now: u64, out: &mut Vec<Effect>) {
        let mut failed = Vec::new();
        for (peer, check) in &mut self.checks {
            let due = if check.tries == 0 { check.at } else { check.at + VERIFY_MS };
            if now < due {
                continue;
            }
            if check.tries >= VERIFY_TRIES {
                failed.push(*peer);
                continue;
            }
            check.tries += 1;
            check.at = now;
            out.push(Effect::Verify(*peer));
        }
        for peer in failed {
            self.check_failed(peer, now, out);
        }
    }
}
