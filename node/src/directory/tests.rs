//! The rules of the directory, one by one. `tests/policy.rs` has them all at once, at scale.

use super::*;

/// A peer id whose order on the ring is that of `n`.
pub(crate) fn peer(n: u64) -> PeerId {
    let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    bytes.extend([0; 24]);
    bytes.extend(n.to_be_bytes());
    PeerId::from_bytes(&bytes).expect("an identity multihash of 36 bytes is a peer id")
}

fn settings() -> Settings {
    Settings::new("m")
}

fn directory() -> Directory {
    Directory::new(peer(0), 1, settings())
}

fn advert(n: u64, seq: u64) -> Advert {
    Advert {
        version: 2,
        id: peer(n).to_bytes(),
        seq,
        incarnation: n,
        name: format!("n{n}"),
        mesh: "m".into(),
        addresses: vec![],
        offers: vec![],
        leaving: false,
        sealing: None,
        entry: false,
        pass: None,
    }
}

/// The directory takes signatures as verified; any bytes do.
fn signed(advert: &Advert) -> SignedAdvert {
    SignedAdvert { body: advert.seq.to_be_bytes().to_vec(), key: vec![1], signature: vec![2] }
}

fn heard(advert: Advert, from: u64, via: Via) -> Event {
    Event::Heard { signed: signed(&advert), advert, from: peer(from), via }
}

fn own(seq: u64) -> Event {
    let advert = Advert { incarnation: 1, ..advert(0, seq) };
    Event::Own { signed: signed(&advert), advert }
}

/// Word of a loss; here any bytes do.
fn word(n: u64) -> SignedLoss {
    SignedLoss { body: n.to_be_bytes().to_vec(), key: vec![1], signature: vec![2] }
}

/// Hands an event to a directory of a node that is connected to nobody.
fn tell(d: &mut Directory, event: Event, now: u64) -> Vec<Effect> {
    d.handle(event, now, |_| Acquaintance::Told)
}

fn gone(n: u64, reason: GoneReason) -> Effect {
    Effect::Gone { peer: peer(n), reason }
}

#[test]
fn newer_adverts_win_and_are_gossiped_unless_gossip_brought_them() {
    let mut d = directory();
    assert_eq!(tell(&mut d, heard(advert(1, 5), 2, Via::Gossip), 0), [Effect::Appeared(peer(1))]);
    assert_eq!(tell(&mut d, heard(advert(1, 5), 1, Via::Exchange), 0), []);
    assert_eq!(tell(&mut d, heard(advert(1, 4), 1, Via::Exchange), 0), []);
    let newer = advert(1, 6);
    let relayed = Effect::Gossip(Rumour::Advert(signed(&newer)));
    assert_eq!(
        tell(&mut d, heard(newer, 2, Via::Exchange), 9),
        [Effect::Changed(peer(1)), relayed]
    );
    assert_eq!(d.get(&peer(1)).map(|e| (e.advert.seq, e.heard_at)), Some((6, 9)));
    let foreign = Advert { mesh: "other".into(), ..advert(3, 1) };
    assert_eq!(tell(&mut d, heard(foreign, 3, Via::Exchange), 0), []);
    assert_eq!(d.len(), 1);
}

#[test]
fn a_newcomer_does_not_gossip_the_whole_directory_that_it_is_handed() {
    let mut d = directory();
    let gossiped = (1..=200)
        .flat_map(|n| tell(&mut d, heard(advert(n, 1), 300, Via::Exchange), 1000))
        .filter(|effect| matches!(effect, Effect::Gossip(_)))
        .count();
    assert_eq!((gossiped, d.len()), (RELAY_BURST as usize, 200));
    let direct = tell(&mut d, heard(advert(300, 1), 300, Via::Exchange), 1000);
    assert_eq!(direct.len(), 2, "what a node says of itself is always handed on: {direct:?}");
}

#[test]
fn a_goodbye_removes_and_keeps_ghosts_out() {
    let mut d = directory();
    tell(&mut d, heard(advert(1, 5), 2, Via::Gossip), 0);
    let bye = Advert { leaving: true, ..advert(1, 6) };
    assert_eq!(tell(&mut d, heard(bye.clone(), 2, Via::Gossip), 1), [gone(1, GoneReason::Goodbye)]);
    assert_eq!(tell(&mut d, heard(bye, 3, Via::Exchange), 1), [], "once");
    assert_eq!(tell(&mut d, heard(advert(1, 5), 2, Via::Exchange), 2), []);
    assert_eq!(tell(&mut d, heard(advert(1, 5), 1, Via::Exchange), 2), [], "overtaken");
    let keep = settings().tombstone_ms;
    assert_eq!(tell(&mut d, heard(advert(1, 6), 2, Via::Gossip), keep), []);
    assert_eq!(tell(&mut d, heard(advert(1, 7), 2, Via::Gossip), 3), [Effect::Appeared(peer(1))]);
    // A goodbye that overtakes the first advert keeps it out too.
    assert_eq!(
        tell(&mut d, heard(Advert { leaving: true, ..advert(4, 9) }, 2, Via::Gossip), 3),
        []
    );
    assert_eq!(tell(&mut d, heard(advert(4, 8), 2, Via::Gossip), 4), []);
}

#[test]
fn our_own_advert_is_renewed_in_time() {
    let mut d = directory();
    assert_eq!(tell(&mut d, own(7), 0).len(), 1);
    let refresh = settings().refresh_ms;
    assert_eq!(tell(&mut d, Event::Tick, refresh - 1), []);
    assert_eq!(tell(&mut d, Event::Tick, refresh), [Effect::Readvertise { above: 7 }]);
}

#[test]
fn entries_expire_and_the_tombstone_keeps_their_ghosts_out() {
    let mut d = directory();
    tell(&mut d, heard(advert(1, 5), 1, Via::Gossip), 0);
    let ttl = settings().ttl_ms;
    assert_eq!(tell(&mut d, Event::Tick, ttl - EXPIRE_MS), []);
    assert_eq!(tell(&mut d, Event::Tick, ttl), [gone(1, GoneReason::Expired)]);
    assert_eq!(tell(&mut d, heard(advert(1, 5), 2, Via::Exchange), ttl + 1), []);
}

#[test]
fn a_full_directory_evicts_what_the_greatest_introducers_brought() {
    let mut d = Directory::new(peer(0), 1, Settings { max_nodes: 4, ..settings() });
    for n in 1..=4 {
        let from = if n <= 2 { 9 } else { 8 };
        tell(&mut d, heard(advert(n, 1), from, Via::Gossip), n);
    }
    // Nobody introduces more than half, and nobody's flood pushes out what others brought.
    assert_eq!(tell(&mut d, heard(advert(5, 1), 9, Via::Gossip), 5), []);
    assert_eq!(tell(&mut d, heard(advert(5, 1), 9, Via::Exchange), 5), []);
    assert_eq!(
        tell(&mut d, heard(advert(5, 1), 7, Via::Gossip), 5)[0],
        gone(4, GoneReason::Evicted),
        "the newest of those who brought most"
    );
    // Who speaks for itself comes in; who is connected stays.
    let known = |who: &PeerId| match *who == peer(2) {
        true => Acquaintance::Linked,
        false => Acquaintance::Told,
    };
    let effects = d.handle(heard(advert(6, 1), 6, Via::Exchange), 6, known);
    assert_eq!(effects[0], gone(1, GoneReason::Evicted), "of who brought most");
    for n in 10..30 {
        tell(&mut d, heard(Advert { leaving: true, ..advert(n, 1) }, 9, Via::Gossip), n);
    }
    assert_eq!((d.len(), d.tombstones()), (4, 4));
}

#[test]
fn a_flood_of_made_up_nodes_pushes_out_nobody() {
    let mut d = Directory::new(peer(0), 1, Settings { max_nodes: 100, ..settings() });
    for n in 1..=30 {
        tell(&mut d, heard(advert(n, 1), 900 + n % 3, Via::Exchange), n);
    }
    for n in 1000..9000 {
        tell(&mut d, heard(advert(n, 1), 800 + n % 5, Via::Gossip), n);
    }
    assert_eq!(d.len(), 100);
    assert!((1..=30).all(|n| d.get(&peer(n)).is_some()), "all who were there before");
    // And who comes later, by itself or through somebody who brought little.
    tell(&mut d, heard(advert(40, 1), 40, Via::Exchange), 9001);
    tell(&mut d, heard(advert(41, 1), 900, Via::Gossip), 9002);
    assert!(d.get(&peer(40)).is_some() && d.get(&peer(41)).is_some());
}

#[test]
fn an_earlier_run_is_outbid_and_a_clone_is_said() {
    let mut d = directory();
    tell(&mut d, own(100), 0);
    let other = |seq| Advert { incarnation: 77, name: "twin".into(), ..advert(0, seq) };
    let seen = |seq| heard(other(seq), 5, Via::Gossip);
    assert_eq!(tell(&mut d, seen(90), 0), [], "an earlier run");
    assert_eq!(tell(&mut d, seen(200), 0), [Effect::Readvertise { above: 200 }]);
    assert_eq!(tell(&mut d, seen(200), 1), [], "not answered yet");
    tell(&mut d, own(201), 2);
    assert_eq!(tell(&mut d, seen(200), 9_000), [], "the same again");
    let clone = Effect::Clone { addresses: vec![], name: "twin".into() };
    assert_eq!(tell(&mut d, seen(300), 9_001), [clone.clone(), Effect::Readvertise { above: 300 }]);
    tell(&mut d, own(301), 9_002);
    assert_eq!(tell(&mut d, seen(400), 20_000), [], "once a minute");
    tell(&mut d, own(401), 40_000);
    assert_eq!(tell(&mut d, seen(500), 80_000)[0], clone);
}

#[test]
fn several_adverts_of_an_earlier_run_at_once_are_no_clone() {
    let mut d = directory();
    tell(&mut d, own(100), 0);
    let earlier = |seq| Advert { incarnation: 77, ..advert(0, seq) };
    assert_eq!(
        tell(&mut d, heard(earlier(200), 5, Via::Exchange), 0),
        [Effect::Readvertise { above: 200 }]
    );
    tell(&mut d, own(201), 1);
    assert_eq!(tell(&mut d, heard(earlier(250), 6, Via::Exchange), 300), []);
    assert_eq!(tell(&mut d, Event::Tick, 1000), [Effect::Readvertise { above: 250 }]);
}

/// Lets `a` ask `b`, and hands both what the other has for them.
fn exchange(a: (u64, &mut Directory), b: (u64, &mut Directory), now: u64, adverts: &[Advert]) {
    let full = |s: &SignedAdvert| {
        adverts.iter().find(|a| signed(a) == *s).cloned().expect("an advert of this test")
    };
    let question = a.1.exchange(true, &[]);
    let (reply, _) = b.1.compare(peer(a.0), &question, now, |_| false);
    for s in &reply.adverts {
        tell(a.1, heard(full(s), b.0, Via::Exchange), now);
    }
    for s in &a.1.exchange(false, &reply.want).adverts {
        tell(b.1, heard(full(s), a.0, Via::Exchange), now);
    }
}

#[test]
fn an_exchange_makes_two_directories_equal() {
    let (mut a, mut b) = (directory(), Directory::new(peer(50), 2, settings()));
    let mut adverts: Vec<Advert> = (1..=9).map(|n| advert(n, 100 + n)).collect();
    adverts.push(Advert { incarnation: 1, ..advert(0, 500) });
    adverts.push(advert(50, 501));
    adverts.push(advert(5, 300));
    adverts.push(Advert { leaving: true, ..advert(4, 301) });
    for advert in &adverts[..6] {
        tell(&mut a, heard(advert.clone(), 60, Via::Gossip), 0);
    }
    for n in [4, 5, 6, 7, 8, 11] {
        tell(&mut b, heard(adverts[n].clone(), 60, Via::Gossip), 0);
    }
    tell(&mut b, heard(adverts[12].clone(), 60, Via::Gossip), 0);
    tell(&mut a, own(500), 0);
    tell(&mut b, Event::Own { advert: adverts[10].clone(), signed: signed(&adverts[10]) }, 0);
    assert_ne!(a.root(), b.root());
    exchange((0, &mut a), (50, &mut b), 1, &adverts);
    assert_eq!(a.digest(), b.digest());
    assert_eq!(a.root(), b.root());
    assert_eq!(a.get(&peer(5)).map(|e| e.advert.seq), Some(300));
    assert!(a.get(&peer(4)).is_none(), "the goodbye came along");
    let (reply, _) = b.compare(peer(0), &a.exchange(true, &[]), 2, |_| false);
    assert!(reply.same && reply.adverts.is_empty() && reply.want.is_empty());
}

#[test]
fn exchanges_stay_within_one_message() {
    let max_nodes = 4000;
    let mut d = Directory::new(peer(0), 1, Settings { max_nodes, ..settings() });
    let mut empty = Directory::new(peer(9000), 1, settings());
    let mut ids = Vec::new();
    for n in 1..=max_nodes as u64 {
        let advert = advert(n, u64::MAX);
        let signed = SignedAdvert { body: vec![0; 5000], key: vec![0; 36], signature: vec![0; 64] };
        ids.push(serde_bytes::ByteBuf::from(advert.id.clone()));
        let from = peer(9000 + n % 4);
        tell(&mut d, Event::Heard { advert, signed, from, via: Via::Gossip }, 0);
    }
    let exchange = d.exchange(true, &ids);
    assert_eq!(exchange.digest.as_ref().map(Vec::len), Some(max_nodes));
    assert!(exchange.adverts.len() > 20, "{}", exchange.adverts.len());
    let request = crate::protocol::Request::Exchange(exchange);
    assert!(crate::protocol::Checked::check(&request).is_ok());
    let bytes = crate::protocol::encode(&request).expect("encodes");
    assert!(bytes.len() <= crate::protocol::MAX_REQUEST, "{}", bytes.len());

    let crate::protocol::Request::Exchange(full) = request else { panic!("just made") };
    let (reply, _) = empty.compare(peer(0), &full, 0, |_| false);
    assert_eq!(reply.want.len(), max_nodes);
    let (reply, _) = d.compare(peer(9000), &empty.exchange(true, &[]), 0, |_| false);
    assert!(reply.adverts.len() > 40);
    let response = crate::protocol::Response::Exchange(reply);
    assert!(crate::protocol::Checked::check(&response).is_ok());
    let bytes = crate::protocol::encode(&response).expect("encodes");
    assert!(bytes.len() <= crate::protocol::MAX_RESPONSE, "{}", bytes.len());
}

#[test]
fn ghosts_are_not_wanted_and_their_loss_is_told_again() {
    let mut d = directory();
    let mut other = Directory::new(peer(50), 2, settings());
    tell(&mut d, heard(advert(1, 5), 1, Via::Gossip), 0);
    tell(&mut other, heard(advert(1, 5), 1, Via::Gossip), 0);
    assert_eq!(d.lose(peer(1), Some(word(1)), 1), [gone(1, GoneReason::Lost)]);
    assert_eq!(d.lose(peer(1), Some(word(1)), 1), [], "once");
    let ghost = other.exchange(true, &[]);
    let (reply, _) = d.compare(peer(50), &ghost, 1000, |_| false);
    assert_eq!((reply.want.len(), &reply.losses[..]), (0, &[word(1)][..]));
    let (reply, _) = d.compare(peer(50), &ghost, 1 + settings().tombstone_ms, |_| false);
    assert_eq!(reply.losses, []);
    assert_eq!(reply.want.len(), 1, "the tombstone is old");
}

#[test]
fn who_was_buried_and_speaks_hears_that_a_newer_advert_is_due() {
    let mut d = directory();
    tell(&mut d, heard(advert(1, 5), 1, Via::Gossip), 0);
    d.lose(peer(1), None, 1);
    d.prove(&peer(1), word(1));
    assert_eq!(tell(&mut d, heard(advert(1, 5), 2, Via::Gossip), 2), [], "a ghost");
    // Its own word over its own connection brings it back with the same number.
    let effects = tell(&mut d, heard(advert(1, 5), 1, Via::Exchange), 3);
    assert_eq!(effects[0], Effect::Appeared(peer(1)));
    assert_eq!(effects[2], Effect::Overdue { peer: peer(1), seq: 5 });
}

#[test]
fn a_node_whose_clock_was_set_back_learns_of_its_earlier_run() {
    let mut d = directory();
    tell(&mut d, own(7), 0);
    tell(&mut d, heard(advert(1, 900), 1, Via::Gossip), 0);
    d.lose(peer(1), None, 1);
    let mut restarted = Directory::new(peer(1), 4242, settings());
    let again = Advert { incarnation: 4242, ..advert(1, 100) };
    tell(&mut restarted, Event::Own { signed: signed(&again), advert: again }, 2);
    tell(&mut d, heard(advert(1, 100), 1, Via::Exchange), 2);
    assert_eq!(d.get(&peer(1)).map(|e| e.advert.seq), Some(100), "it speaks for itself");
    let (reply, _) = d.compare(peer(1), &restarted.exchange(true, &[]), 2, |_| false);
    assert_eq!(reply.adverts, [signed(&advert(0, 7)), signed(&advert(1, 900))]);
    assert_eq!(
        tell(&mut restarted, heard(advert(1, 900), 0, Via::Exchange), 3),
        [Effect::Readvertise { above: 900 }]
    );
}

#[test]
fn what_a_neighbour_must_have_heard_of_and_lacks_is_named() {
    let mut d = directory();
    let mut other = Directory::new(peer(50), 2, settings());
    for n in 1..=20 {
        tell(&mut d, heard(advert(n, 5), n, Via::Gossip), 0);
        if n > 3 {
            tell(&mut other, heard(advert(n, 5), n, Via::Gossip), 0);
        }
    }
    let question = other.exchange(true, &[]);
    let linked = |who: &PeerId| *who == peer(1);
    let lacked = |d: &mut Directory, now| d.compare(peer(50), &question, now, linked).1.lacked;
    assert_eq!(lacked(&mut d, LATE - 1), [], "it may not have heard of them yet");
    assert_eq!(lacked(&mut d, LATE), [peer(2), peer(3)]);
    // What it shows and this one has lost long ago is named too, unless it knows a newer number.
    d.lose(peer(20), None, LATE);
    let buried = |d: &mut Directory, now| d.compare(peer(50), &question, now, linked).1.buried;
    assert_eq!(buried(&mut d, 2 * LATE - 1), [], "it may not have heard of the loss yet");
    assert_eq!(buried(&mut d, 2 * LATE), [(peer(20), vec![])]);
    // A newcomer lacks nearly everyone, and that means nothing.
    let newcomer = Directory::new(peer(51), 3, settings());
    let (reply, doubts) = d.compare(peer(51), &newcomer.exchange(true, &[]), LATE, |_| false);
    assert_eq!((reply.adverts.len(), doubts.lacked.len()), (19, 0));
}

/// When everyone has heard of an advert of time 0.
const LATE: u64 = 10_000;
