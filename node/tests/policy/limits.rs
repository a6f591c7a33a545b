//! Random events: the directory keeps its caps and its word.

use std::collections::BTreeSet;

use libp2p::PeerId;
use potluck::{
    directory::{Directory, Effect, Event, GoneReason, Settings, Via},
    protocol::{Advert, LossNotice, SignedAdvert},
};
use rand::{RngExt as _, rngs::SmallRng};

use super::seeded;

const MAX_NODES: usize = 50;

fn id(n: u64) -> PeerId {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&n.to_le_bytes());
    super::peer(key)
}

fn advert(n: u64, rng: &mut SmallRng) -> (Advert, SignedAdvert) {
    let seq = if rng.random_bool(0.02) { u64::MAX } else { rng.random_range(0..1000) };
    let advert = Advert {
        version: 1,
        id: id(n).to_bytes(),
        seq,
        incarnation: rng.random_range(0..3),
        name: String::new(),
        mesh: if rng.random_bool(0.05) { "other" } else { "mine" }.into(),
        addresses: vec![],
        offers: vec![],
        leaving: rng.random_bool(0.2),
    };
    (advert, SignedAdvert { body: vec![1], key: vec![2], signature: vec![3] })
}

fn event(rng: &mut SmallRng) -> Event {
    // Node 0 is the directory's own.
    let n = rng.random_range(0..200);
    let peer = id(n);
    match rng.random_range(0..12) {
        0..5 => {
            let (advert, signed) = advert(n, rng);
            let from = if rng.random() { peer } else { id(rng.random_range(0..200)) };
            let via = if rng.random() { Via::Gossip } else { Via::Exchange };
            Event::Heard { advert, signed, from, via }
        }
        5 => Event::Connected { peer },
        6 => Event::Disconnected { peer, unexpected: rng.random() },
        7 => Event::Rtt { peer, ms: rng.random() },
        8 => {
            let id = if rng.random_bool(0.1) { vec![7; 64] } else { peer.to_bytes() };
            Event::Lost { notice: LossNotice { id, seq: rng.random_range(0..1000) } }
        }
        9 => Event::Silent { peer },
        10 => Event::Unreachable { peer },
        _ => Event::Tick,
    }
}

#[test]
fn random_events_break_no_cap_and_no_promise() {
    let mut rng = seeded("random_events_break_no_cap_and_no_promise");
    let settings = Settings { max_nodes: MAX_NODES, ttl_ms: 20_000, ..Settings::new("mine") };
    let me = id(0);
    let mut directory = Directory::new(me, 1, settings);
    let (own, signed) = advert(0, &mut rng);
    let own = Advert { seq: 500, leaving: false, ..own };
    directory.handle(Event::Own { advert: own, signed }, 0);
    let (mut now, mut live) = (0, BTreeSet::new());
    let mut reasons = [0; 4];
    for _ in 0..60_000 {
        now += rng.random_range(0..200);
        for effect in directory.handle(event(&mut rng), now) {
            match effect {
                Effect::Appeared(peer) => assert!(live.insert(peer), "appeared twice"),
                Effect::Changed(peer) => assert!(live.contains(&peer), "changed but unknown"),
                Effect::Gone { peer, reason } => {
                    assert!(live.remove(&peer), "gone but unknown");
                    reasons[match reason {
                        GoneReason::Goodbye => 0,
                        GoneReason::Lost => 1,
                        GoneReason::Expired => 2,
                        GoneReason::Evicted => 3,
                    }] += 1;
                }
                Effect::Verify(peer) => assert!(live.contains(&peer), "verified but unknown"),
                Effect::Gossip(_)
                | Effect::Close(_)
                | Effect::Readvertise { .. }
                | Effect::Clone { .. } => {}
            }
        }
        assert!(directory.len() <= MAX_NODES && directory.tombstones() <= MAX_NODES);
        assert!(!live.contains(&me));
    }
    let known: BTreeSet<_> = directory.entries().map(|(peer, _)| *peer).collect();
    assert_eq!(known, live, "the effects tell the same story as the directory");
    assert!(reasons.iter().all(|n| *n > 0), "every way to go was taken: {reasons:?}");
}
