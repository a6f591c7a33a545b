//! Which peer gets a call, and what comes next when that fails. Policy only: no IO, no clock.
//!
//! [`rank`] orders the peers that offer a capability by when they will probably be done; [`Health`]
//! remembers how they did; a [`Plan`] carries one call from peer to peer until it ends.

mod health;
mod plan;

pub use health::Health;
pub use plan::{Hop, HopOutcome, Plan, PlanEffect, PlanEnd, PlanEvent, PlanSettings};

use libp2p::PeerId;
use rand::{Rng, RngExt as _};

use crate::protocol::Repeat;

/// Time that is assumed of a peer that advertises none, in ms a call: slow but usable.
const UNKNOWN_CALL_MS: f64 = 4_000.0;
/// Throughput that is assumed before any was measured, in bytes per second: a poor Wi-Fi.
const UNKNOWN_THROUGHPUT: f64 = 5e6;
/// What a connection that has yet to be made costs, in ms.
const DIAL_MS: f64 = 30.0;
/// An advertised queue counts half after this time, in ms: adverts follow load with a delay.
const QUEUE_HALF_LIFE_MS: f64 = 2_000.0;
/// Candidates within this share of each other are as good as equal; see [`rank`].
const TIE: f64 = 0.2;

/// A peer that offers the wanted capability.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Who.
    pub peer: PeerId,
    /// Whether it is this node.
    pub me: bool,
    /// Advertised ms that one call takes; 0 when unknown.
    pub call_ms: f32,
    /// Advertised calls that run at once.
    pub slots: u16,
    /// Advertised calls that run or wait.
    pub queue: u16,
    /// Age of that advert, in ms.
    pub heard_ms_ago: u64,
    /// Our own calls of the capability that run there now.
    pub in_flight: u16,
    /// Round trip in ms; 0 when unknown.
    pub rtt_ms: f32,
    /// Measured throughput to it in bytes per second; 0 when unknown.
    pub throughput: f64,
    /// Whether it may be gone.
    pub suspect: bool,
    /// Whether there is a connection.
    pub connected: bool,
    /// Whether it ever answered or was met: anybody can make up offers of nobody.
    pub met: bool,
    /// Whether a call may be sent again after it had it.
    pub repeat: Repeat,
}

/// What is to be done, as far as it says how long that takes.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// `name/version`.
    pub capability: &'a str,
    /// The model or other variant that was asked for.
    pub variant: Option<&'a str>,
    /// Size of the input.
    pub bytes: u64,
}

/// A candidate with what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Who.
    pub peer: PeerId,
    /// When it will probably be done, in ms from now.
    pub expected_ms: f64,
    /// Whether it is this node.
    pub me: bool,
    /// Whether there is a connection.
    pub connected: bool,
    /// Whether it spoke to this node before.
    pub met: bool,
    /// Whether a call may be sent again after it had it.
    pub repeat: Repeat,
}

/// Orders candidates by expected finish, best first, for some work.
///
/// Expected finish = queue + service + round trip + transfer, plus a penalty for a connection that
/// has yet to be made and the rest of a `Busy` pause. Peers that nobody here ever met come after all
/// that were, banned ones after those, and suspects last: they are used only when nobody else is
/// left.
///
/// Adverts lag behind load, so callers that all took the very best would all take the same one.
/// Therefore each expectation is stretched by a random 0 to 20 % for the order (not in the result):
/// near-equal peers share the load, clearly slower ones never go first.
pub fn rank(
    work: &Work<'_>,
    candidates: &[Candidate],
    health: &Health,
    now: u64,
    rng: &mut impl Rng,
) -> Vec<Ranked> {
    let mut keyed: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let expected_ms = expected_ms(work, candidate, health, now);
            let class = match (candidate.suspect, health.banned(&candidate.peer, now)) {
                (true, _) => 3,
                (false, true) => 2,
                (false, false) => u8::from(!candidate.met && !candidate.me),
            };
            let key = expected_ms * (1.0 + TIE * rng.random::<f64>());
            let Candidate { peer, me, connected, repeat, .. } = *candidate;
            let met = candidate.met || me;
            (class, key, Ranked { peer, expected_ms, me, connected, met, repeat })
        })
        .collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    keyed.into_iter().map(|(_, _, ranked)| ranked).collect()
}

fn expected_ms(work: &Work<'_>, candidate: &Candidate, health: &Health, now: u64) -> f64 {
    let slots = f64::from(candidate.slots.max(1));
    let said = match f64::from(candidate.call_ms) {
        ms if ms.is_finite() && ms > 0.0 => ms,
        _ => UNKNOWN_CALL_MS,
    };
    let age = candidate.heard_ms_ago as f64;
    let queue = f64::from(candidate.queue) * 0.5_f64.powf(age / QUEUE_HALF_LIFE_MS);
    let load = queue.max(f64::from(candidate.in_flight));
    // What calls really took outweighs what the advert says the more of them there were.
    let service = match health.experience(work, &candidate.peer) {
        Some((seen, calls)) => (said + seen * calls) / (1.0 + calls),
        None => said,
    };
    // No wait while a slot is free.
    let done = service * (load + 1.0).max(slots) / slots;
    let busy = health.busy_ms(work.capability, &candidate.peer, now) as f64;
    if candidate.me {
        return done.max(busy);
    }
    let throughput = match candidate.throughput {
        measured if measured.is_finite() && measured > 0.0 => measured,
        _ => UNKNOWN_THROUGHPUT,
    };
    let rtt = match f64::from(candidate.rtt_ms) {
        rtt if rtt.is_finite() && rtt > 0.0 => rtt,
        _ => 1.0,
    };
    let dial = if candidate.connected { 0.0 } else { DIAL_MS };
    done.max(busy) + rtt + dial + 1000.0 * work.bytes as f64 / throughput
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::peer;
    use rand::{SeedableRng as _, rngs::SmallRng};

    const WORK: Work<'_> = Work { capability: "recognize/1", variant: None, bytes: 0 };

    fn candidate(n: u64, speed: f32) -> Candidate {
        Candidate {
            peer: peer(n),
            me: false,
            call_ms: 2_000.0 / speed,
            slots: 2,
            queue: 0,
            heard_ms_ago: 0,
            in_flight: 0,
            rtt_ms: 1.0,
            throughput: 1e8,
            suspect: false,
            connected: true,
            met: true,
            repeat: Repeat::Safe,
        }
    }

    fn expected(candidate: &Candidate, bytes: u64) -> f64 {
        expected_ms(&Work { bytes, ..WORK }, candidate, &Health::default(), 0)
    }

    fn order(candidates: &[Candidate], health: &Health, now: u64) -> Vec<PeerId> {
        let mut rng = SmallRng::seed_from_u64(5);
        rank(&WORK, candidates, health, now, &mut rng).iter().map(|r| r.peer).collect()
    }

    #[test]
    fn expectation_is_queue_service_round_trip_and_transfer() {
        // 10 calls/s over 2 slots: one takes 200 ms.
        let mut c = candidate(1, 10.0);
        assert_eq!(expected(&c, 0), 201.0);
        c.in_flight = 1;
        assert_eq!(expected(&c, 0), 201.0, "a slot is free");
        c.in_flight = 2;
        assert_eq!(expected(&c, 0), 301.0);
        c.queue = 9;
        assert_eq!(expected(&c, 0), 1001.0, "the longer of both");
        c.heard_ms_ago = 60_000;
        assert!((expected(&c, 0) - 301.0).abs() < 1.0, "old news fade");
        assert_eq!(expected(&candidate(1, 10.0), 100_000_000), 1201.0);
        let mut dial = candidate(1, 10.0);
        dial.connected = false;
        assert_eq!(expected(&dial, 0), 231.0);
        let mine = Candidate { me: true, ..dial };
        assert_eq!(expected(&mine, 100_000_000), 200.0);
    }

    #[test]
    fn nonsense_in_an_advert_is_survived() {
        for call_ms in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let mut c = candidate(1, 1.0);
            c.call_ms = call_ms;
            c.rtt_ms = f32::NAN;
            c.throughput = f64::NAN;
            c.slots = 0;
            let ms = expected(&c, u64::MAX);
            assert!(ms.is_finite() && ms >= 2000.0, "{call_ms}: {ms}");
        }
    }

    #[test]
    fn bans_come_late_and_suspects_last() {
        let mut suspect = candidate(1, 1000.0);
        suspect.suspect = true;
        let all = [suspect, candidate(2, 100.0), candidate(3, 1.0)];
        let mut health = Health::default();
        assert_eq!(order(&all, &health, 0), [peer(2), peer(3), peer(1)]);
        health.failed(&peer(2), 0);
        assert_eq!(order(&all, &health, 1), [peer(3), peer(2), peer(1)]);
        assert_eq!(order(&all[..1], &health, 1), [peer(1)], "the only one is used");
        assert_eq!(order(&all, &health, 15_000), [peer(2), peer(3), peer(1)]);
    }

    #[test]
    fn boasts_are_corrected_by_what_was_seen() {
        let mut health = Health::default();
        for _ in 0..5 {
            health.took(&WORK, &peer(1), 900.0, 0);
        }
        let all = [candidate(1, 1e9), candidate(2, 10.0)];
        assert_eq!(order(&all, &health, 0), [peer(2), peer(1)]);
    }

    #[test]
    fn modesty_is_corrected_too_and_each_kind_of_work_for_itself() {
        let mut health = Health::default();
        for _ in 0..8 {
            health.took(&WORK, &peer(1), 20.0, 0);
        }
        let modest = candidate(1, 0.4);
        assert!(expected_ms(&WORK, &modest, &health, 0) < 1_000.0, "5,000 said, 20 seen");
        let other = Work { variant: Some("googlenet"), ..WORK };
        assert_eq!(expected_ms(&other, &modest, &health, 0), 5_001.0);
        let large = Work { bytes: 50_000_000, ..WORK };
        assert!(expected_ms(&large, &modest, &health, 0) > 5_000.0);
    }

    #[test]
    fn who_was_never_met_comes_behind_who_was() {
        let mut boaster = candidate(1, 1e9);
        boaster.met = false;
        let mut health = Health::default();
        let all = [boaster, candidate(2, 1.0), candidate(3, 0.5)];
        assert_eq!(order(&all, &health, 0), [peer(2), peer(3), peer(1)]);
        health.failed(&peer(2), 0);
        assert_eq!(order(&all, &health, 1), [peer(3), peer(1), peer(2)]);
    }

    #[test]
    fn equal_peers_share_and_much_slower_ones_never_lead() {
        let all = [candidate(1, 10.0), candidate(2, 10.0), candidate(3, 10.0), candidate(4, 5.0)];
        let mut rng = SmallRng::seed_from_u64(6);
        let mut first = [0; 5];
        for _ in 0..300 {
            let best = rank(&WORK, &all, &Health::default(), 0, &mut rng)[0].peer;
            first[(1..=4).find(|n| peer(*n) == best).expect("a candidate") as usize] += 1;
        }
        assert!(first[1..4].iter().all(|n| (60..=140).contains(n)), "{first:?}");
        assert_eq!(first[4], 0);
    }
}
