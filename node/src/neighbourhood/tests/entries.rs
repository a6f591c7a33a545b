//! Places at entry nodes, and who hears of addresses of the own LAN.

use serde_bytes::ByteBuf;

use super::*;
use crate::{neighbourhood::entries::PLACES, protocol::exchange::Near as Told};

const LAN: &str = "/ip4/192.168.0.9/tcp/1";

fn address(text: &str) -> Multiaddr {
    text.parse().expect("an address")
}

fn at(n: u64, text: &str, entry: bool) -> Advert {
    let addresses = vec![ByteBuf::from(address(text).to_vec())];
    Advert { addresses, entry, ..advert(n, 1) }
}

/// A connection to an entry node.
fn entry(near: &mut Near, n: u64, now: u64) {
    near.connected(n, now);
    let advert = at(n, "/ip4/203.0.113.1/tcp/1", true);
    let signed = signed(&advert);
    near.tell(Event::Heard { advert, signed, from: peer(n), via: Via::Exchange }, now);
}

fn reserved(effects: &[Effect]) -> BTreeSet<PeerId> {
    let entry = |effect: &Effect| match effect {
        Effect::Reserve { entry, .. } => Some(*entry),
        _ => None,
    };
    effects.iter().filter_map(entry).collect()
}

/// What a peer is told of who listens where in the LAN.
fn told(near: &mut Near, n: u64, tells: Vec<Told>, now: u64) -> Vec<Told> {
    let exchange = Exchange { root: [0; 32], digest: None, adverts: vec![], near: tells };
    let (reply, _) = near.it.answer(peer(n), &exchange, now);
    reply.expect("it does not ask too often").near
}

fn listens(n: u64, text: &str) -> Told {
    Told { id: peer(n).to_bytes(), addresses: vec![ByteBuf::from(address(text).to_vec())] }
}

#[test]
fn places_are_held_at_two_entry_nodes_and_another_is_taken_for_one_that_goes() {
    let mut near = Near::new();
    let mut now = 1_000;
    (1..=3).for_each(|n| entry(&mut near, n, now));
    let first = reserved(&near.tick(now));
    assert_eq!(first.len(), PLACES);
    for entry in &first {
        near.tell(Event::Reserved { entry: *entry }, now);
    }
    assert_eq!(near.it.places().copied().collect::<BTreeSet<_>>(), first);
    now += 60_000;
    assert_eq!(reserved(&near.tick(now)), BTreeSet::new());
    let gone = *first.first().expect("there are two");
    near.tell(Event::Unreserved { entry: gone }, now);
    now += TICK_MS;
    let third = reserved(&near.tick(now));
    assert!(third.len() == 1 && third.is_disjoint(&first), "the one that is left: {third:?}");
    // One that does not answer is given up for the one that was lost.
    now += 60_000;
    let effects = near.tick(now);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Unreserve(_))), "{effects:?}");
    assert_eq!(reserved(&effects), BTreeSet::from([gone]));
}

#[test]
fn who_lends_places_takes_none() {
    for settings in [
        Settings { entry: true, reserves: false, ..Settings::new("m") },
        Settings { reserves: false, ..Settings::new("m") },
    ] {
        let mut near = Near::with(settings);
        entry(&mut near, 1, 1_000);
        assert_eq!(reserved(&near.tick(2_000)), BTreeSet::new());
    }
}

#[test]
fn addresses_of_the_lan_are_told_in_the_lan_only() {
    let mut near = Near::new();
    let now = 1_000;
    for n in 4..=7 {
        near.known(n, 1, now);
    }
    near.tell(Event::Here { addresses: vec![address(LAN)] }, now);
    let private = at(9, LAN, false);
    // Without an entry node all is as ever: adverts say it, and exchanges have no more.
    assert!(near.it.may_spread(&private));
    assert_eq!(told(&mut near, 4, vec![], now), []);

    entry(&mut near, 1, now);
    near.tell(Event::Way { peer: peer(6), way: Way::Far }, now);
    near.tell(Event::Way { peer: peer(7), way: Way::Relayed }, now);
    assert!(!near.it.may_spread(&private) && near.it.may_spread(&at(1, LAN, true)));
    assert_eq!(told(&mut near, 4, vec![], now), [listens(0, LAN)]);
    for far in [1, 6, 7] {
        let told = told(&mut near, far, vec![listens(5, "/ip4/10.0.0.1/tcp/1")], now);
        assert_eq!(told, [], "{far} is far away, and is not believed either");
    }
    // Neighbours tell each other, of nodes that are known, and nothing that leads out of the LAN.
    let tells = vec![
        listens(5, "/ip4/192.168.0.5/tcp/1"),
        listens(6, "/ip4/203.0.113.6/tcp/1"),
        listens(30, "/ip4/192.168.0.30/tcp/1"),
    ];
    told(&mut near, 4, tells, now);
    let heard = told(&mut near, 4, vec![], now);
    assert_eq!(heard, [listens(0, LAN), listens(5, "/ip4/192.168.0.5/tcp/1")]);
    // What a node says of itself counts before what others say.
    told(&mut near, 5, vec![listens(5, "/ip4/192.168.0.55/tcp/1")], now);
    told(&mut near, 4, vec![listens(5, "/ip4/192.168.0.5/tcp/1")], now);
    let heard = told(&mut near, 4, vec![], now);
    assert_eq!(heard, [listens(0, LAN), listens(5, "/ip4/192.168.0.55/tcp/1")]);
}

#[test]
fn a_relayed_peer_is_dialled_where_a_direct_address_of_it_is_known() {
    let mut near = Near::new();
    let now = 10_000;
    near.tell(Event::Way { peer: peer(4), way: Way::Relayed }, now);
    near.known(4, 1, now);
    let dials = |effects: &[Effect]| {
        effects.iter().filter(|effect| matches!(effect, Effect::Dial { .. })).count()
    };
    let direct = near.it.addresses_of(&peer(4)).into_iter().any(|a| !address::is_circuit(&a));
    assert!(direct, "the advert has one");
    assert_eq!(dials(&near.tick(now)), 1);
    assert_eq!(dials(&near.tick(now + NEIGHBOURS_MS)), 0, "not again at once");
    assert!(near.it.nearness(&peer(4)).relayed);
    near.tell(Event::Way { peer: peer(4), way: Way::Far }, now);
    assert_eq!(dials(&near.tick(now + 120_000)), 0);
    assert!(!near.it.nearness(&peer(4)).relayed);
}
