//! Random events: the directory keeps its caps and its word.

use std::collections::BTreeSet;

use libp2p::PeerId;
use potluck::{
    directory::{self, GoneReason, Via},
    neighbourhood::{DialFailure, Effect, Event, Neighbourhood, Settings},
    protocol::{Advert, Loss, SignedAdvert, SignedLoss},
};
use rand::{RngExt as _, rngs::SmallRng};
use serde_bytes::ByteBuf;

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
        version: 2,
        id: id(n).to_bytes(),
        seq,
        incarnation: rng.random_range(0..3),
        name: String::new(),
        mesh: if rng.random_bool(0.05) { "other" } else { "mine" }.into(),
        addresses: vec![ByteBuf::from(
            "/ip4/10.0.0.2/tcp/2".parse::<libp2p::Multiaddr>().expect("one").to_vec(),
        )],
        offers: vec![],
        leaving: rng.random_bool(0.2),
        sealing: None,
        entry: false,
        pass: None,
    };
    (advert, SignedAdvert { body: vec![1], key: vec![2], signature: vec![3] })
}

fn event(rng: &mut SmallRng, dials: &mut Vec<u64>) -> Event {
    // Node 0 is the directory's own.
    let n = rng.random_range(0..200);
    let peer = id(n);
    match rng.random_range(0..18) {
        0..5 => {
            let (advert, signed) = advert(n, rng);
            let from = if rng.random() { peer } else { id(rng.random_range(0..200)) };
            let via = if rng.random() { Via::Gossip } else { Via::Exchange };
            Event::Heard { advert, signed, from, via }
        }
        5 => Event::Connected { peer, dial: dials.pop() },
        6 => Event::Disconnected { peer },
        7 => Event::Beat { peer, rtt_ms: rng.random() },
        8 => {
            let lost = if rng.random_bool(0.1) { vec![7; 64] } else { peer.to_bytes() };
            let by = id(rng.random_range(0..200)).to_bytes();
            let loss = Loss { version: 1, id: lost, seq: rng.random_range(0..1000), by };
            let signed = SignedLoss { body: vec![], key: vec![], signature: vec![] };
            let from = id(rng.random_range(0..200));
            Event::Loss { loss, signed, from, token: rng.random() }
        }
        9 => Event::Silent { peer },
        10 => Event::PulseEnded { peer },
        11 => Event::Wanted { peer },
        12 => Event::Parting { peer },
        13 => Event::Unreadable { peer },
        14 => Event::Unanswered { peer },
        15 => Event::Named { peer, addresses: vec!["/ip4/10.0.0.1/tcp/1".parse().expect("one")] },
        16 => match dials.pop() {
            Some(dial) => Event::DialFailed { dial, why: failure(rng) },
            None => Event::Tick { used: vec![] },
        },
        _ => Event::Tick { used: vec![(peer, rng.random_range(0..2), 0)] },
    }
}

fn failure(rng: &mut SmallRng) -> DialFailure {
    match rng.random_range(0..4) {
        0 => DialFailure::Refused,
        1 => DialFailure::Silent,
        2 => DialFailure::Own,
        _ => DialFailure::Full { retry_after_ms: rng.random(), others: vec![] },
    }
}

#[test]
fn random_events_break_no_cap_and_no_promise() {
    let mut rng = seeded("random_events_break_no_cap_and_no_promise");
    let directory = directory::Settings {
        max_nodes: MAX_NODES,
        ttl_ms: 20_000,
        ..directory::Settings::new("mine")
    };
    let settings = Settings { directory, ..Settings::new("mine") };
    let me = id(0);
    let mut near = Neighbourhood::new(me, 1, settings);
    let (own, signed) = advert(0, &mut rng);
    let own = Advert { seq: 500, leaving: false, ..own };
    near.handle(Event::Own { advert: own, signed }, 0, &mut rng);
    let (mut now, mut live, mut dials) = (0, BTreeSet::new(), Vec::new());
    let mut reasons = [0; 4];
    for _ in 0..60_000 {
        now += rng.random_range(0..200);
        let event = event(&mut rng, &mut dials);
        for effect in near.handle(event, now, &mut rng) {
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
                Effect::Dial { dial, peer, addresses } => {
                    assert!(!addresses.is_empty() && peer != Some(me));
                    dials.push(dial);
                    assert!(dials.len() <= 80, "{} dials at once", dials.len());
                }
                _ => {}
            }
        }
        let directory = near.directory();
        assert!(directory.len() <= MAX_NODES && directory.tombstones() <= MAX_NODES);
        assert!(!live.contains(&me));
    }
    let known: BTreeSet<_> = near.directory().entries().map(|(peer, _)| *peer).collect();
    assert_eq!(known, live, "the effects tell the same story as the directory");
    assert!(reasons.iter().all(|n| *n > 0), "every way to go was taken: {reasons:?}");
}
