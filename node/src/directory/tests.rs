//! The rules of the directory, one by one. `tests/policy.rs` has them all at once, at scale.

use super::{
    checks::{MAX_SPREAD_MS, VERIFY_MS},
    *,
};

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
        version: 1,
        id: peer(n).to_bytes(),
        seq,
        incarnation: n,
        name: format!("n{n}"),
        mesh: "m".into(),
        addresses: vec![],
        offers: vec![],
        leaving: false,
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

fn notice(n: u64, seq: u64) -> LossNotice {
    LossNotice { id: peer(n).to_bytes(), seq }
}

fn lost_gossip(n: u64, seq: u64) -> Effect {
    Effect::Gossip(Rumour::Lost(notice(n, seq)))
}

fn gone(n: u64, reason: GoneReason) -> Effect {
    Effect::Gone { peer: peer(n), reason }
}

fn connected(n: u64) -> Event {
    Event::Connected { peer: peer(n) }
}

fn broken(n: u64) -> Event {
    Event::Disconnected { peer: peer(n), unexpected: true }
}

fn unreachable(n: u64) -> Event {
    Event::Unreachable { peer: peer(n) }
}

#[test]
fn newer_adverts_win_and_are_gossiped_unless_gossip_brought_them() {
    let mut d = directory();
    assert_eq!(d.handle(heard(advert(1, 5), 2, Via::Gossip), 0), [Effect::Appeared(peer(1))]);
    assert_eq!(d.handle(heard(advert(1, 5), 1, Via::Exchange), 0), []);
    assert_eq!(d.handle(heard(advert(1, 4), 1, Via::Exchange), 0), []);
    let newer = advert(1, 6);
    let relayed = Effect::Gossip(Rumour::Advert(signed(&newer)));
    assert_eq!(d.handle(heard(newer, 2, Via::Exchange), 9), [Effect::Changed(peer(1)), relayed]);
    assert_eq!(d.get(&peer(1)).map(|e| (e.advert.seq, e.heard_at)), Some((6, 9)));
    let foreign = Advert { mesh: "other".into(), ..advert(3, 1) };
    assert_eq!(d.handle(heard(foreign, 3, Via::Exchange), 0), []);
    assert_eq!(d.len(), 1);
}

#[test]
fn a_newcomer_does_not_gossip_the_whole_directory_that_it_is_handed() {
    let mut d = directory();
    let gossiped = (1..=200)
        .flat_map(|n| d.handle(heard(advert(n, 1), 300, Via::Exchange), 1000))
        .filter(|effect| matches!(effect, Effect::Gossip(_)))
        .count();
    assert_eq!((gossiped, d.len()), (RELAY_BURST as usize, 200));
    let direct = d.handle(heard(advert(300, 1), 300, Via::Exchange), 1000);
    assert_eq!(direct.len(), 2, "what a node says of itself is always handed on: {direct:?}");
}

#[test]
fn a_goodbye_removes_and_keeps_ghosts_out() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 2, Via::Gossip), 0);
    let bye = Advert { leaving: true, ..advert(1, 6) };
    assert_eq!(d.handle(heard(bye.clone(), 2, Via::Gossip), 1), [gone(1, GoneReason::Goodbye)]);
    assert_eq!(d.handle(heard(bye, 3, Via::Exchange), 1), [], "once");
    assert_eq!(d.handle(heard(advert(1, 5), 2, Via::Exchange), 2), []);
    assert_eq!(d.handle(heard(advert(1, 5), 1, Via::Exchange), 2), [], "overtaken");
    let keep = settings().tombstone_ms;
    assert_eq!(d.handle(heard(advert(1, 6), 2, Via::Gossip), keep), []);
    assert_eq!(d.handle(heard(advert(1, 7), 2, Via::Gossip), 3), [Effect::Appeared(peer(1))]);
    // A goodbye that overtakes the first advert keeps it out too.
    assert_eq!(d.handle(heard(Advert { leaving: true, ..advert(4, 9) }, 2, Via::Gossip), 3), []);
    assert_eq!(d.handle(heard(advert(4, 8), 2, Via::Gossip), 4), []);
}

#[test]
fn a_broken_connection_is_checked_and_then_said() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 1, Via::Exchange), 0);
    d.handle(connected(1), 0);
    assert_eq!(d.handle(broken(1), 10), [Effect::Verify(peer(1))]);
    assert_eq!(d.get(&peer(1)).and_then(|e| e.suspect_since), Some(10));
    assert_eq!(d.handle(unreachable(1), 20), [gone(1, GoneReason::Lost), lost_gossip(1, 5)]);
    assert_eq!(d.handle(unreachable(1), 21), []);
    assert_eq!(d.handle(heard(advert(1, 5), 2, Via::Gossip), 22), [], "a ghost");
    // Its own word over its own connection brings it back with the same number.
    d.handle(connected(1), 30);
    let effects = d.handle(heard(advert(1, 5), 1, Via::Exchange), 30);
    assert_eq!(effects[0], Effect::Appeared(peer(1)));
    assert_eq!(effects[2], lost_gossip(1, 5), "so that it raises its number for the others");
    assert!(d.get(&peer(1)).is_some_and(|e| e.connected && e.suspect_since.is_none()));
}

#[test]
fn a_check_that_succeeds_clears_the_suspicion_and_pruning_raises_none() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 1, Via::Exchange), 0);
    d.handle(connected(1), 0);
    d.handle(broken(1), 10);
    assert_eq!(d.handle(connected(1), 15), []);
    assert_eq!(d.get(&peer(1)).and_then(|e| e.suspect_since), None);
    assert_eq!(d.handle(Event::Disconnected { peer: peer(1), unexpected: false }, 20), []);
    assert!(d.get(&peer(1)).is_some_and(|e| !e.connected && e.suspect_since.is_none()));
}

#[test]
fn silence_over_a_connection_is_a_loss() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 1, Via::Exchange), 0);
    d.handle(connected(1), 0);
    assert_eq!(d.handle(unreachable(1), 1), [], "an extra dial says nothing");
    assert_eq!(
        d.handle(Event::Silent { peer: peer(1) }, 2),
        [gone(1, GoneReason::Lost), lost_gossip(1, 5), Effect::Close(peer(1))]
    );
}

#[test]
fn hearsay_is_verified_and_not_repeated() {
    let mut d = directory();
    for n in 1..=2 {
        d.handle(heard(advert(n, 5), n, Via::Gossip), 0);
    }
    d.handle(connected(2), 0);
    let lost = |n, seq| Event::Lost { notice: notice(n, seq) };
    assert_eq!(d.handle(lost(1, 4), 1), [], "older than what is known");
    assert_eq!(d.handle(lost(1, 5), 1), [Effect::Verify(peer(1))]);
    assert_eq!(d.handle(lost(1, 5), 2), [], "already being looked at");
    assert!(d.get(&peer(1)).is_some_and(|e| e.suspect_since.is_some()));
    assert_eq!(d.handle(unreachable(1), 3), [gone(1, GoneReason::Lost)]);
    // Connected: a pulse, no suspicion meanwhile; the answer keeps hearsay away for a while.
    assert_eq!(d.handle(lost(2, 5), 4), [Effect::Verify(peer(2))]);
    assert!(d.get(&peer(2)).is_some_and(|e| e.suspect_since.is_none()));
    d.handle(Event::Rtt { peer: peer(2), ms: 1.5 }, 5);
    assert_eq!(d.handle(lost(2, 5), 6), []);
    assert_eq!(d.handle(lost(2, 5), 5 + CHECKED_MS), [Effect::Verify(peer(2))]);
    assert_eq!(d.get(&peer(2)).and_then(|e| e.rtt_ms), Some(1.5));
}

#[test]
fn a_check_without_any_result_is_repeated_and_then_counts_as_failed() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 1, Via::Gossip), 0);
    d.handle(Event::Lost { notice: notice(1, 5) }, 0);
    assert_eq!(d.handle(Event::Tick, VERIFY_MS - 1), []);
    assert_eq!(d.handle(Event::Tick, VERIFY_MS), [Effect::Verify(peer(1))]);
    assert_eq!(d.handle(Event::Tick, 2 * VERIFY_MS), [gone(1, GoneReason::Lost)]);
}

#[test]
fn in_a_large_mesh_the_dials_after_a_notice_are_spread() {
    let mut first = Vec::new();
    for me in 0..40 {
        let mut d = Directory::new(peer(1000 + me), 1, settings());
        for n in 1..=400 {
            d.handle(heard(advert(n, 5), n, Via::Gossip), 0);
        }
        d.handle(Event::Lost { notice: notice(7, 5) }, 0);
        let at = (0..=MAX_SPREAD_MS)
            .step_by(100)
            .find(|now| d.handle(Event::Tick, *now).contains(&Effect::Verify(peer(7))));
        first.push(at.expect("verified within the longest spread"));
        // A newer advert meanwhile makes the dial needless.
        d.handle(Event::Lost { notice: notice(8, 5) }, 5000);
        d.handle(heard(advert(8, 6), 8, Via::Gossip), 5000);
        assert_eq!(d.handle(Event::Tick, 5000 + MAX_SPREAD_MS), []);
    }
    assert!(first.iter().min() < first.iter().max().map(|at| at - 1500).as_ref(), "{first:?}");
}

#[test]
fn a_peer_that_only_we_cannot_reach_is_not_reported_for_ever() {
    let mut d = directory();
    for seq in 1..=2 {
        d.handle(heard(advert(1, seq), 2, Via::Gossip), seq);
        assert_eq!(d.handle(unreachable(1), seq), [gone(1, GoneReason::Lost), lost_gossip(1, seq)]);
    }
    d.handle(heard(advert(1, 3), 2, Via::Gossip), 3);
    assert_eq!(d.handle(unreachable(1), 3), []);
    assert!(d.get(&peer(1)).is_some_and(|e| e.suspect_since.is_some()));
    d.handle(Event::Lost { notice: notice(1, 3) }, 4);
    assert_eq!(d.handle(unreachable(1), 5), [gone(1, GoneReason::Lost)], "others say so too");
}

#[test]
fn a_notice_about_ourselves_is_answered_at_a_bounded_rate() {
    let mut d = directory();
    d.handle(own(100), 0);
    let lost = |seq| Event::Lost { notice: notice(0, seq) };
    assert_eq!(d.handle(lost(99), 10), [], "answered already");
    assert_eq!(d.handle(lost(100), 10), [Effect::Readvertise { above: 100 }]);
    d.handle(own(101), 11);
    assert_eq!(d.handle(lost(u64::MAX), 20), [], "once a second");
    assert_eq!(d.handle(Event::Tick, 1010), [Effect::Readvertise { above: 101 }]);
    d.handle(own(102), 1011);
    assert_eq!(d.handle(Event::Tick, 3000), []);
}

#[test]
fn our_own_advert_is_renewed_in_time() {
    let mut d = directory();
    assert_eq!(d.handle(own(7), 0).len(), 1);
    let refresh = settings().refresh_ms;
    assert_eq!(d.handle(Event::Tick, refresh - 1), []);
    assert_eq!(d.handle(Event::Tick, refresh), [Effect::Readvertise { above: 7 }]);
}

#[test]
fn entries_expire_and_the_tombstone_keeps_their_ghosts_out() {
    let mut d = directory();
    d.handle(heard(advert(1, 5), 1, Via::Gossip), 0);
    let ttl = settings().ttl_ms;
    assert_eq!(d.handle(Event::Tick, ttl - 1), []);
    assert_eq!(d.handle(Event::Tick, ttl), [gone(1, GoneReason::Expired)]);
    assert_eq!(d.handle(heard(advert(1, 5), 2, Via::Exchange), ttl + 1), []);
}

#[test]
fn a_full_directory_evicts_the_oldest_that_is_not_connected() {
    let mut d = Directory::new(peer(0), 1, Settings { max_nodes: 3, ..settings() });
    for n in 1..=3 {
        d.handle(heard(advert(n, 1), 9, Via::Gossip), n);
    }
    d.handle(connected(1), 4);
    assert_eq!(d.handle(heard(advert(4, 1), 9, Via::Exchange), 5), [], "others' acquaintances");
    assert_eq!(
        d.handle(heard(advert(4, 1), 9, Via::Gossip), 5),
        [gone(2, GoneReason::Evicted), Effect::Appeared(peer(4))]
    );
    for n in 10..30 {
        d.handle(heard(Advert { leaving: true, ..advert(n, 1) }, 9, Via::Gossip), n);
    }
    assert_eq!((d.len(), d.tombstones()), (3, 3));
}

#[test]
fn an_earlier_run_is_outbid_and_a_clone_is_said() {
    let mut d = directory();
    d.handle(own(100), 0);
    let other = |seq| Advert { incarnation: 77, name: "twin".into(), ..advert(0, seq) };
    let seen = |seq| heard(other(seq), 5, Via::Gossip);
    assert_eq!(d.handle(seen(90), 0), [], "an earlier run");
    assert_eq!(d.handle(seen(200), 0), [Effect::Readvertise { above: 200 }]);
    assert_eq!(d.handle(seen(200), 1), [], "not answered yet");
    d.handle(own(201), 2);
    assert_eq!(d.handle(seen(200), 9_000), [], "the same again");
    let clone = Effect::Clone { addresses: vec![], name: "twin".into() };
    assert_eq!(d.handle(seen(300), 9_001), [clone.clone(), Effect::Readvertise { above: 300 }]);
    d.handle(own(301), 9_002);
    assert_eq!(d.handle(seen(400), 20_000), [], "once a minute");
    d.handle(own(401), 40_000);
    assert_eq!(d.handle(seen(500), 80_000)[0], clone);
}

#[test]
fn several_adverts_of_an_earlier_run_at_once_are_no_clone() {
    let mut d = directory();
    d.handle(own(100), 0);
    let earlier = |seq| Advert { incarnation: 77, ..advert(0, seq) };
    assert_eq!(
        d.handle(heard(earlier(200), 5, Via::Exchange), 0),
        [Effect::Readvertise { above: 200 }]
    );
    d.handle(own(201), 1);
    assert_eq!(d.handle(heard(earlier(250), 6, Via::Exchange), 300), []);
    assert_eq!(d.handle(Event::Tick, 1000), [Effect::Readvertise { above: 250 }]);
}

#[test]
fn suspects_are_offered_only_when_nobody_else_is_left() {
    let mut d = directory();
    let offer = crate::protocol::Offer {
        capability: "chat/1".into(),
        device: "cpu".into(),
        engine: String::new(),
        speed: 1.0,
        slots: 1,
        queue: 0,
        variants: vec![],
    };
    for n in 1..=3 {
        let offers = if n == 3 { vec![] } else { vec![offer.clone()] };
        d.handle(heard(Advert { offers, ..advert(n, 1) }, 9, Via::Gossip), 0);
    }
    let ids = |d: &Directory| d.offering("chat/1").iter().map(|(p, _)| *p).collect::<Vec<_>>();
    assert_eq!(ids(&d), [peer(1), peer(2)]);
    d.handle(Event::Lost { notice: notice(1, 1) }, 1);
    assert_eq!(ids(&d), [peer(2)]);
    d.handle(Event::Lost { notice: notice(2, 1) }, 1);
    assert_eq!(ids(&d), [peer(1), peer(2)]);
    assert!(d.offering("chat").is_empty());
}

/// Lets `a` ask `b`, and hands both what the other has for them.
fn exchange(a: (u64, &mut Directory), b: (u64, &mut Directory), now: u64, adverts: &[Advert]) {
    let full = |s: &SignedAdvert| {
        adverts.iter().find(|a| signed(a) == *s).cloned().expect("an advert of this test")
    };
    let question = a.1.exchange(true, &[]);
    let (reply, _) = b.1.compare(peer(a.0), &question, now);
    for s in &reply.adverts {
        a.1.handle(heard(full(s), b.0, Via::Exchange), now);
    }
    for s in &a.1.wanted_by(&reply.want) {
        b.1.handle(heard(full(s), a.0, Via::Exchange), now);
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
        a.handle(heard(advert.clone(), 60, Via::Gossip), 0);
    }
    for n in [4, 5, 6, 7, 8, 11] {
        b.handle(heard(adverts[n].clone(), 60, Via::Gossip), 0);
    }
    b.handle(heard(adverts[12].clone(), 60, Via::Gossip), 0);
    a.handle(own(500), 0);
    b.handle(Event::Own { advert: adverts[10].clone(), signed: signed(&adverts[10]) }, 0);
    assert_ne!(a.root(), b.root());
    exchange((0, &mut a), (50, &mut b), 1, &adverts);
    assert_eq!(a.digest(), b.digest());
    assert_eq!(a.root(), b.root());
    assert_eq!(a.get(&peer(5)).map(|e| e.advert.seq), Some(300));
    assert!(a.get(&peer(4)).is_none(), "the goodbye came along");
    let (reply, _) = b.compare(peer(0), &a.exchange(true, &[]), 2);
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
        d.handle(Event::Heard { advert, signed, from: peer(9000), via: Via::Gossip }, 0);
    }
    let exchange = d.exchange(true, &ids);
    assert_eq!(exchange.digest.as_ref().map(Vec::len), Some(max_nodes));
    assert!(exchange.adverts.len() > 20, "{}", exchange.adverts.len());
    let request = crate::protocol::Request::Exchange(exchange);
    assert!(crate::protocol::Checked::check(&request).is_ok());
    let bytes = crate::protocol::encode(&request).expect("encodes");
    assert!(bytes.len() <= crate::protocol::MAX_REQUEST, "{}", bytes.len());

    let crate::protocol::Request::Exchange(full) = request else { panic!("just made") };
    let (reply, _) = empty.compare(peer(0), &full, 0);
    assert_eq!(reply.want.len(), max_nodes);
    let (reply, _) = d.compare(peer(9000), &empty.exchange(true, &[]), 0);
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
    d.handle(heard(advert(1, 5), 1, Via::Gossip), 0);
    other.handle(heard(advert(1, 5), 1, Via::Gossip), 0);
    d.handle(unreachable(1), 1);
    let ghost = other.exchange(true, &[]);
    let (reply, effects) = d.compare(peer(50), &ghost, 1000);
    assert_eq!((reply.want.len(), effects), (0, vec![]), "just told");
    let (_, effects) = d.compare(peer(50), &ghost, 80_000);
    assert_eq!(effects, [lost_gossip(1, 5)]);
    let (reply, _) = d.compare(peer(50), &ghost, 1 + settings().tombstone_ms);
    assert_eq!(reply.want.len(), 1, "the tombstone is old");
}

#[test]
fn a_node_whose_clock_was_set_back_learns_of_its_earlier_run() {
    let mut d = directory();
    d.handle(own(7), 0);
    d.handle(heard(advert(1, 900), 1, Via::Gossip), 0);
    d.handle(unreachable(1), 1);
    let mut restarted = Directory::new(peer(1), 4242, settings());
    let again = Advert { incarnation: 4242, ..advert(1, 100) };
    restarted.handle(Event::Own { signed: signed(&again), advert: again }, 2);
    d.handle(heard(advert(1, 100), 1, Via::Exchange), 2);
    assert_eq!(d.get(&peer(1)).map(|e| e.advert.seq), Some(100), "it speaks for itself");
    let (reply, _) = d.compare(peer(1), &restarted.exchange(true, &[]), 2);
    assert_eq!(reply.adverts, [signed(&advert(0, 7)), signed(&advert(1, 900))]);
    assert_eq!(
        restarted.handle(heard(advert(1, 900), 0, Via::Exchange), 3),
        [Effect::Readvertise { above: 900 }]
    );
}

#[test]
fn what_a_neighbour_must_have_heard_of_and_lacks_is_looked_after() {
    let mut d = directory();
    let mut other = Directory::new(peer(50), 2, settings());
    for n in 1..=20 {
        d.handle(heard(advert(n, 5), n, Via::Gossip), 0);
        if n > 3 {
            other.handle(heard(advert(n, 5), n, Via::Gossip), 0);
        }
    }
    d.handle(connected(1), 0);
    let question = other.exchange(true, &[]);
    let looked = |d: &mut Directory, now| d.compare(peer(50), &question, now).1;
    assert_eq!(looked(&mut d, LATE - 1), [], "it may not have heard of them yet");
    assert_eq!(looked(&mut d, LATE), [Effect::Verify(peer(2)), Effect::Verify(peer(3))]);
    assert_eq!(d.handle(unreachable(2), LATE), [gone(2, GoneReason::Lost)], "others know");
    // A newcomer lacks nearly everyone, and that means nothing.
    let newcomer = Directory::new(peer(51), 3, settings());
    let (reply, effects) = d.compare(peer(51), &newcomer.exchange(true, &[]), LATE);
    assert_eq!((reply.adverts.len(), effects), (19, vec![]));
}

/// When everyone has heard of an advert of time 0.
const LATE: u64 = 10_000;
