//! How peers did lately: bans, pauses, durations.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::Hash,
};

use hashbrown::{Equivalent, HashMap};
use libp2p::PeerId;

use super::Work;

/// The first ban, in ms; it doubles with every further failure in a row. Numbers as in Petals.
const FIRST_BAN_MS: u64 = 15_000;
/// The longest ban, in ms.
const LONGEST_BAN_MS: u64 = 5 * 60_000;
/// Durations that are kept per peer and capability.
const PEER_DURATIONS: usize = 16;
/// Kinds of work (variant and size) whose durations are kept per peer and capability.
const KINDS: usize = 16;
/// Durations that are kept per capability.
const DURATIONS: usize = 128;
/// A percentile means nothing below this many durations.
const ENOUGH: usize = 20;
/// A second copy of a call is never sent earlier than this, in ms.
const SOONEST_HEDGE_MS: u64 = 50;
/// Most peers, most capabilities, and most peers per capability that are remembered; the one that
/// was used longest ago is forgotten first.
const MAX_PEERS: usize = 2048;
const MAX_CAPABILITIES: usize = 128;

/// How peers did lately. Bounded whatever peers do.
#[derive(Debug, Default)]
pub struct Health {
    peers: HashMap<PeerId, Failures>,
    capabilities: HashMap<String, Capability>,
}

#[derive(Debug, Default)]
struct Failures {
    in_a_row: u32,
    banned_until: u64,
    used: u64,
}

#[derive(Debug, Default)]
struct Capability {
    durations: VecDeque<f64>,
    peers: HashMap<PeerId, Served>,
    used: u64,
}

#[derive(Debug, Default)]
struct Served {
    /// What calls took, by kind of work.
    took: BTreeMap<(String, u32), VecDeque<f64>>,
    busy_until: u64,
    used: u64,
}

impl Health {
    /// A peer answered a call after `ms` (from sending to answer). Ends its bans.
    pub fn answered(&mut self, capability: &str, peer: &PeerId, ms: f64, now: u64) {
        self.peers.remove(peer);
        if !ms.is_finite() || ms < 0.0 {
            return;
        }
        let entry = self.capability(capability, now);
        push(&mut entry.durations, ms, DURATIONS);
        entry.served(peer, now).busy_until = 0;
    }

    /// A peer was lost during a call or its service broke: it is banned for 15 s, doubled with every
    /// failure in a row, at most 5 min. Calls that failed together count once.
    pub fn failed(&mut self, peer: &PeerId, now: u64) {
        make_room(&mut self.peers, peer, MAX_PEERS, |failures| failures.used);
        let failures = self.peers.entry(*peer).or_default();
        failures.used = now;
        if now < failures.banned_until {
            return;
        }
        let ban = FIRST_BAN_MS.saturating_mul(1 << failures.in_a_row.min(10)).min(LONGEST_BAN_MS);
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.banned_until = now.saturating_add(ban);
    }

    /// A peer said that it is busy with this capability.
    pub fn busy(&mut self, capability: &str, peer: &PeerId, retry_after_ms: u64, now: u64) {
        self.capability(capability, now).served(peer, now).busy_until =
            now.saturating_add(retry_after_ms);
    }

    /// Whether a peer is banned now.
    pub fn banned(&self, peer: &PeerId, now: u64) -> bool {
        self.peers.get(peer).is_some_and(|failures| now < failures.banned_until)
    }

    /// How long a peer is still busy, in ms.
    pub fn busy_ms(&self, capability: &str, peer: &PeerId, now: u64) -> u64 {
        self.served_by(capability, peer).map_or(0, |served| served.busy_until.saturating_sub(now))
    }

    /// Some work took a peer `ms`, without the way there and back.
    pub fn took(&mut self, work: &Work<'_>, peer: &PeerId, ms: f64, now: u64) {
        if !ms.is_finite() || ms < 0.0 {
            return;
        }
        let served = self.capability(work.capability, now).served(peer, now);
        let kind = kind(work);
        if served.took.len() >= KINDS && !served.took.contains_key(&kind) {
            served.took.pop_first();
        }
        push(served.took.entry(kind).or_default(), ms, PEER_DURATIONS);
    }

    /// What such work took a peer lately in ms, and how many calls say so. The lower quartile: the rest
    /// also waited there.
    pub fn experience(&self, work: &Work<'_>, peer: &PeerId) -> Option<(f64, f64)> {
        let took = self.served_by(work.capability, peer)?.took.get(&kind(work))?;
        Some((percentile(took, 0.25)?, took.len() as f64))
    }

    /// After how many ms a second copy of a call makes sense: the 95th percentile over all peers,
    /// at least 50 ms; `None` until 20 calls were answered.
    pub fn hedge_after_ms(&self, capability: &str) -> Option<u64> {
        let durations = &self.capabilities.get(capability)?.durations;
        let p95 = (durations.len() >= ENOUGH).then(|| percentile(durations, 0.95)).flatten()?;
        Some((p95.ceil() as u64).max(SOONEST_HEDGE_MS))
    }

    fn served_by(&self, capability: &str, peer: &PeerId) -> Option<&Served> {
        self.capabilities.get(capability)?.peers.get(peer)
    }

    fn capability(&mut self, name: &str, now: u64) -> &mut Capability {
        make_room(&mut self.capabilities, name, MAX_CAPABILITIES, |entry| entry.used);
        let entry = self.capabilities.entry_ref(name).or_default();
        entry.used = now;
        entry
    }
}

impl Capability {
    fn served(&mut self, peer: &PeerId, now: u64) -> &mut Served {
        make_room(&mut self.peers, peer, MAX_PEERS, |served| served.used);
        let served = self.peers.entry(*peer).or_default();
        served.used = now;
        served
    }
}

/// Inputs within a factor of four of each other are one kind of work.
fn kind(work: &Work<'_>) -> (String, u32) {
    (work.variant.unwrap_or_default().to_owned(), (u64::BITS - work.bytes.leading_zeros()) / 2)
}

fn push(ring: &mut VecDeque<f64>, ms: f64, max: usize) {
    if ring.len() >= max {
        ring.pop_front();
    }
    ring.push_back(ms);
}

fn percentile(ring: &VecDeque<f64>, share: f64) -> Option<f64> {
    let mut all: Vec<f64> = ring.iter().copied().collect();
    let last = all.len().checked_sub(1)?;
    let nth = ((last as f64 * share).ceil() as usize).min(last);
    Some(*all.select_nth_unstable_by(nth, f64::total_cmp).1)
}

fn make_room<K: Hash + Eq + Clone, V>(
    map: &mut HashMap<K, V>,
    key: &(impl Hash + Equivalent<K> + ?Sized),
    max: usize,
    used: impl Fn(&V) -> u64,
) {
    if map.len() < max || map.contains_key(key) {
        return;
    }
    let oldest = map.iter().min_by_key(|(_, value)| used(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::peer;

    #[test]
    fn bans_double_up_to_five_minutes_and_end_with_an_answer() {
        let mut health = Health::default();
        let mut now = 1000;
        for ban in [15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000] {
            health.failed(&peer(1), now);
            health.failed(&peer(1), now + 1);
            assert!(health.banned(&peer(1), now + ban - 1), "{ban}");
            assert!(!health.banned(&peer(1), now + ban), "{ban}");
            now += ban;
        }
        health.failed(&peer(1), now);
        health.answered("c", &peer(1), 5.0, now);
        assert!(!health.banned(&peer(1), now));
        health.failed(&peer(1), now);
        assert!(!health.banned(&peer(1), now + 15_000), "starts from the beginning");
    }

    #[test]
    fn percentiles() {
        let mut health = Health::default();
        for ms in 1..=19 {
            health.answered("c", &peer(ms % 2), 100.0 * ms as f64, 0);
        }
        assert_eq!(health.hedge_after_ms("c"), None);
        health.answered("c", &peer(0), 2000.0, 0);
        assert_eq!(health.hedge_after_ms("c"), Some(2000));
        for _ in 0..DURATIONS {
            health.answered("c", &peer(0), 1.0, 0);
        }
        assert_eq!(health.hedge_after_ms("c"), Some(50));
        let work = Work { capability: "c", variant: None, bytes: 0 };
        for ms in [10.0, 30.0, 20.0] {
            health.took(&work, &peer(1), ms, 0);
        }
        assert_eq!(health.experience(&work, &peer(1)), Some((20.0, 3.0)));
        assert_eq!(health.experience(&work, &peer(7)), None);
    }

    #[test]
    fn pauses_run_out() {
        let mut health = Health::default();
        health.busy("c", &peer(1), 400, 1000);
        assert_eq!(health.busy_ms("c", &peer(1), 1100), 300);
        assert_eq!(health.busy_ms("c", &peer(1), 1500), 0);
        assert_eq!(health.busy_ms("d", &peer(1), 1100), 0);
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut health = Health::default();
        for n in 0..MAX_PEERS as u64 + 100 {
            health.failed(&peer(n), n);
            health.answered("c", &peer(n), 1.0, n);
            health.failed(&peer(n), n);
            health.busy(&format!("c{n}"), &peer(n), 1, n);
        }
        assert_eq!(health.peers.len(), MAX_PEERS);
        assert_eq!(health.capabilities.len(), MAX_CAPABILITIES);
        assert!(health.capabilities.values().all(|c| c.peers.len() <= MAX_PEERS));
        assert!(health.banned(&peer(MAX_PEERS as u64 + 99), MAX_PEERS as u64 + 100));
    }
}
