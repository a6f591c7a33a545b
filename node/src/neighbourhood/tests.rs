//! The rules of the neighbourhood, one by one. `tests/policy.rs` has them all at once, at scale.

use libp2p::{Multiaddr, identity::Keypair};
use rand::{SeedableRng as _, rngs::SmallRng};

use super::{
    checks::{MAX_SPREAD_MS, PROVED_MS, VERIFY_MS},
    *,
};
use crate::{
    directory::{GoneReason, tests::peer},
    protocol::{Exchange, ExchangeReply, Loss, SignedLoss},
};

mod entries;

/// A neighbourhood with a generator of its own.
struct Near {
    it: Neighbourhood,
    rng: SmallRng,
}

impl Near {
    fn new() -> Self {
        Self::with(Settings::new("m"))
    }

    fn with(settings: Settings) -> Self {
        let it = Neighbourhood::new(peer(0), 1, settings);
        Self { it, rng: SmallRng::seed_from_u64(8) }
    }

    fn tell(&mut self, event: Event, now: u64) -> Vec<Effect> {
        self.it.handle(event, now, &mut self.rng)
    }

    /// The same without what is gossiped and asked.
    fn does(&mut self, event: Event, now: u64) -> Vec<Effect> {
        let mut effects = self.tell(event, now);
        effects.retain(|effect| !matches!(effect, Effect::Gossip(_) | Effect::Ask { .. }));
        effects
    }

    fn heard(&mut self, n: u64, seq: u64, from: u64, now: u64) -> Vec<Effect> {
        let advert = advert(n, seq);
        let via = if from == n { Via::Exchange } else { Via::Gossip };
        let event = Event::Heard { signed: signed(&advert), advert, from: peer(from), via };
        self.does(event, now)
    }

    fn connected(&mut self, n: u64, now: u64) {
        self.tell(Event::Connected { peer: peer(n), dial: None }, now);
    }

    /// A connection to a node whose advert came over it.
    fn known(&mut self, n: u64, seq: u64, now: u64) {
        self.connected(n, now);
        self.heard(n, seq, n, now);
    }

    /// The dial that is under way to a peer fails.
    fn fails(&mut self, effects: &[Effect], why: DialFailure, now: u64) -> Vec<Effect> {
        let dial = dial_of(effects).expect("a dial is under way");
        self.does(Event::DialFailed { dial, why }, now)
    }

    fn tick(&mut self, now: u64) -> Vec<Effect> {
        self.does(Event::Tick { used: vec![] }, now)
    }

    fn suspect(&self, n: u64) -> bool {
        self.it.nearness(&peer(n)).suspect_since.is_some()
    }
}

fn dial_of(effects: &[Effect]) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Dial { dial, .. } => Some(*dial),
        _ => None,
    })
}

fn dialled(effects: &[Effect]) -> Vec<PeerId> {
    let peer = |effect: &Effect| match effect {
        Effect::Dial { peer, .. } => *peer,
        _ => None,
    };
    effects.iter().filter_map(peer).collect()
}

fn address(n: u64) -> Multiaddr {
    format!("/ip4/10.0.0.{}/tcp/4001", n % 250).parse().expect("an address")
}

fn advert(n: u64, seq: u64) -> Advert {
    Advert {
        version: 2,
        id: peer(n).to_bytes(),
        seq,
        incarnation: n,
        name: format!("n{n}"),
        mesh: "m".into(),
        addresses: vec![serde_bytes::ByteBuf::from(address(n).to_vec())],
        offers: vec![],
        leaving: false,
        sealing: None,
        entry: false,
        pass: None,
    }
}

/// The policy takes signatures of adverts as verified; any bytes do.
fn signed(advert: &Advert) -> SignedAdvert {
    SignedAdvert { body: advert.seq.to_be_bytes().to_vec(), key: vec![1], signature: vec![2] }
}

/// Word of the loss of `n`, by a witness.
fn loss(n: u64, seq: u64, by: u64, from: u64, token: u64) -> Event {
    let loss = Loss { version: 1, id: peer(n).to_bytes(), seq, by: peer(by).to_bytes() };
    let signed = SignedLoss { body: vec![by as u8], key: vec![1], signature: vec![2] };
    Event::Loss { loss, signed, from: peer(from), token }
}

fn gone(n: u64) -> Effect {
    Effect::Gone { peer: peer(n), reason: GoneReason::Lost }
}

fn broken(n: u64) -> Event {
    Event::Disconnected { peer: peer(n) }
}

fn judged(token: u64, forward: bool) -> Effect {
    Effect::Judge { token, forward }
}

#[test]
fn a_broken_connection_is_checked_and_then_said_by_who_had_it() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    let effects = near.does(broken(1), 10);
    assert_eq!(dialled(&effects), [peer(1)]);
    assert!(near.suspect(1));
    let told = near.fails(&effects, DialFailure::Refused, 20);
    assert_eq!(told, [gone(1), Effect::Testify { peer: peer(1), seq: 5 }]);
    assert_eq!(near.heard(1, 5, 2, 22), [], "a ghost");
    // Its own word over its own connection brings it back with the same number, and it hears that
    // the others want a higher one.
    near.connected(1, 30);
    let overdue = Effect::Tell { peer: peer(1), request: Request::Overdue { seq: 5 } };
    assert!(near.heard(1, 5, 1, 30).contains(&overdue));
    assert!(near.it.directory().get(&peer(1)).is_some() && !near.suspect(1));
}

#[test]
fn a_check_that_succeeds_clears_the_suspicion_and_parting_raises_none() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    near.does(broken(1), 10);
    near.connected(1, 15);
    assert!(!near.suspect(1));
    near.tell(Event::Parting { peer: peer(1) }, 19);
    assert_eq!(near.does(broken(1), 20), []);
    let view = near.it.nearness(&peer(1));
    assert!(!view.connected && view.met && view.suspect_since.is_none());
}

#[test]
fn silence_over_a_connection_is_a_loss() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    assert_eq!(
        near.does(Event::Silent { peer: peer(1) }, pulse::PATIENCE_MS),
        [gone(1), Effect::Testify { peer: peer(1), seq: 5 }, Effect::Close(peer(1))]
    );
}

#[test]
fn what_was_found_before_the_last_word_of_a_peer_is_no_loss() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    near.known(3, 1, 0);
    // Its advert came while the beat was on its way.
    near.heard(1, 6, 2, 9_000);
    let silent = Event::Silent { peer: peer(1) };
    assert_eq!(near.does(silent.clone(), 10_000), [Effect::Check(peer(1))]);
    let told = near.does(silent, 12_500);
    assert_eq!(told[..2], [gone(1), Effect::Testify { peer: peer(1), seq: 6 }]);
    // And while it was dialled.
    near.heard(2, 5, 3, 20_000);
    let dial = near.does(Event::Wanted { peer: peer(2) }, 20_001);
    near.heard(2, 6, 3, 22_000);
    near.does(loss(2, 6, 3, 3, 7), 22_001);
    let again = near.fails(&dial, DialFailure::Silent, 24_000);
    assert_eq!(dialled(&again), [peer(2)], "{again:?}");
    assert!(near.it.directory().get(&peer(2)).is_some());
    let told = near.fails(&again, DialFailure::Silent, 28_000);
    assert_eq!(told, [judged(7, true), gone(2)]);
}

#[test]
fn what_others_show_long_after_it_was_lost_is_looked_for() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    near.known(9, 5, 0);
    near.does(Event::Silent { peer: peer(1) }, 5_000);
    near.does(broken(1), 5_001);
    let other = {
        let mut other = Directory::new(peer(9), 1, Settings::new("m").directory);
        let advert = advert(1, 5);
        let event = directory::Event::Heard {
            signed: signed(&advert),
            advert,
            from: peer(1),
            via: Via::Exchange,
        };
        other.handle(event, 0, |_| Acquaintance::Told);
        other.exchange(true, &[])
    };
    let asked = |near: &mut Near, now| dialled(&near.it.answer(peer(9), &other, now).1);
    assert_eq!(asked(&mut near, 10_000), []);
    assert_eq!(asked(&mut near, 20_000), [peer(1)]);
    assert_eq!(asked(&mut near, 20_001), [], "it is dialled already");
}

#[test]
fn word_of_a_loss_that_was_found_otherwise_is_kept_for_those_who_missed_it() {
    let mut near = Near::new();
    (1..=20).for_each(|n| near.known(n, 5, 0));
    let digest = |near: &Near| near.it.directory().exchange(true, &[]);
    let shown = digest(&near);
    // A neighbour lacks it, and it cannot be reached.
    let mut lacks = shown.clone();
    lacks.root = [0; 32];
    lacks.digest.as_mut().expect("a digest").retain(|entry| entry.id != peer(1).to_bytes());
    near.does(broken(1), 1);
    near.tell(Event::Connected { peer: peer(1), dial: None }, 2);
    near.tell(Event::Parting { peer: peer(1) }, 3);
    near.does(broken(1), 4);
    let (_, effects) = near.it.answer(peer(9), &lacks, 20_000);
    let effects = near.fails(&effects, DialFailure::Refused, 20_001);
    assert_eq!(effects, [gone(1)], "it was not connected, so it says nothing itself");
    let losses = |near: &mut Near| {
        let (reply, _) =
            near.it.answer(peer(9), &Exchange { root: [0; 32], ..shown.clone() }, 20_003);
        reply.expect("an answer").losses
    };
    assert_eq!(losses(&mut near), []);
    assert_eq!(near.does(loss(1, 4, 2, 2, 7), 20_002), [judged(7, false)]);
    assert_eq!(losses(&mut near), [], "of another number");
    assert_eq!(near.does(loss(1, 5, 2, 2, 8), 20_002), [judged(8, false)]);
    assert_eq!(losses(&mut near).len(), 1);
}

#[test]
fn who_leaves_an_exchange_unanswered_is_looked_after_and_somebody_else_is_asked() {
    let mut near = Near::new();
    (1..=4).for_each(|n| near.known(n, 5, 0));
    near.tick(0);
    let asked = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Ask { peer, .. } => Some(*peer),
            _ => None,
        })
    };
    let silent = asked(&near.tell(Event::Tick { used: vec![] }, 20_000)).expect("someone is asked");
    assert_eq!(asked(&near.tell(Event::Tick { used: vec![] }, 22_900)), None);
    let effects = near.tell(Event::Tick { used: vec![] }, 23_000);
    assert!(effects.contains(&Effect::Check(silent)), "{effects:?}");
    let other = asked(&effects).expect("someone is asked");
    let reply =
        ExchangeReply { same: true, adverts: vec![], want: vec![], losses: vec![], near: vec![] };
    near.tell(Event::Replied { peer: other, reply, digest_sent: false }, 23_100);
    assert_eq!(asked(&near.tell(Event::Tick { used: vec![] }, 26_100)), None, "it answered");
}

#[test]
fn who_was_dialled_and_never_answered_is_asked_again() {
    let mut near = Near::new();
    near.heard(1, 5, 2, 0);
    let dial = dial_of(&near.does(Event::Wanted { peer: peer(1) }, 1));
    near.tell(Event::Connected { peer: peer(1), dial }, 2);
    // Beside others that did.
    (2..6).for_each(|n| near.known(n, 1, 3));
    let asks = |effects: &[Effect]| {
        let asked = effects.iter().filter_map(|effect| match effect {
            Effect::Ask { peer, exchange } => Some((*peer, exchange.digest.is_some())),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let again = |near: &mut Near, now| {
        asks(&near.tell(Event::Tick { used: vec![] }, now)).contains(&(peer(1), true))
    };
    assert!(!again(&mut near, 3_001), "it has three seconds");
    assert!(again(&mut near, 3_002));
    assert!(!again(&mut near, 6_001));
    let effects = near.tell(Event::Tick { used: vec![] }, 20_000);
    assert!(asks(&effects).contains(&(peer(1), true)), "{effects:?}");
    near.heard(1, 5, 1, 20_001);
    let effects = near.tell(Event::Tick { used: vec![] }, 40_000);
    assert!(asks(&effects).iter().all(|(_, digest)| !digest), "as everybody: {effects:?}");
}

#[test]
fn where_one_is_silent_all_others_are_looked_after() {
    let mut near = Near::new();
    for n in 1..=4 {
        near.known(n, 5, 10_000);
    }
    near.tick(10_000);
    let effects = near.does(Event::Silent { peer: peer(1) }, 20_000);
    // The nearest two on the ring are watched anyway.
    assert_eq!(effects[3..], [Effect::Check(peer(3)), Effect::Check(peer(4))]);
    let effects = near.does(Event::Silent { peer: peer(3) }, 20_001);
    assert!(!effects.contains(&Effect::Check(peer(4))), "not again at once: {effects:?}");
    // One that leaves a request unanswered is looked after too.
    near.does(Event::Beat { peer: peer(4), rtt_ms: 1.0 }, 20_002);
    let unanswered = Event::Unanswered { peer: peer(4) };
    assert_eq!(near.does(unanswered, 20_003), [Effect::Check(peer(4))]);
}

#[test]
fn who_only_cannot_be_dialled_is_a_suspect_here_and_said_to_nobody() {
    let mut near = Near::new();
    near.heard(1, 5, 2, 0);
    let effects = near.does(Event::Wanted { peer: peer(1) }, 1);
    let told = near.fails(&effects, DialFailure::Silent, 2);
    let unreached = |effect: &Effect| matches!(effect, Effect::Unreached { own: false, .. });
    assert!(told.len() == 1 && unreached(&told[0]), "{told:?}");
    assert!(near.suspect(1) && near.it.directory().get(&peer(1)).is_some());
    // Those who were connected to it say so: then it is gone.
    near.known(3, 1, 3);
    let effects = near.does(loss(1, 5, 3, 3, 7), 4);
    let told = near.fails(&effects, DialFailure::Silent, 5);
    assert_eq!(told, [judged(7, true), gone(1)], "and it is handed on, not said in our own name");
}

#[test]
fn word_of_a_loss_is_looked_into_before_it_is_believed_or_handed_on() {
    let mut near = Near::new();
    for n in [1, 3] {
        near.heard(n, 5, 9, 0);
    }
    near.known(2, 5, 0);
    assert_eq!(near.does(loss(1, 4, 2, 2, 1), 1), [judged(1, false)], "older than what is known");
    assert_eq!(near.does(loss(1, 5, 77, 2, 2), 1), [judged(2, false)], "a witness of no mesh");
    assert_eq!(near.does(loss(1, 5, 1, 2, 3), 1), [judged(3, false)], "it speaks itself");
    let effects = near.does(loss(1, 5, 2, 2, 4), 1);
    assert_eq!(dialled(&effects), [peer(1)]);
    assert_eq!(near.does(loss(1, 5, 3, 2, 5), 2), [], "already being looked at");
    assert!(near.suspect(1));
    let told = near.fails(&effects, DialFailure::Refused, 3);
    assert_eq!(told, [judged(4, true), judged(5, false), gone(1)], "one word is enough");
    // Connected: a pulse, no suspicion meanwhile; the answer keeps hearsay away for a while.
    assert_eq!(near.does(loss(2, 5, 3, 3, 6), 4), [Effect::Check(peer(2))]);
    assert!(!near.suspect(2));
    let beat = Event::Beat { peer: peer(2), rtt_ms: 1.5 };
    assert_eq!(near.does(beat, 5), [judged(6, false)]);
    assert_eq!(near.does(loss(2, 5, 3, 3, 7), 6), [judged(7, false)]);
    assert_eq!(near.does(loss(2, 5, 3, 3, 8), 5 + PROVED_MS), [Effect::Check(peer(2))]);
    assert_eq!(near.it.nearness(&peer(2)).rtt_ms, Some(1.5));
}

#[test]
fn who_spreads_rumours_is_not_listened_to_for_long() {
    let mut near = Near::new();
    for n in 1..=300 {
        near.heard(n, 5, n % 7 + 1, 0);
    }
    near.known(500, 1, 0);
    let mut looked = 0;
    for n in 1..=300 {
        looked += usize::from(near.does(loss(n, 5, 500, 500, n), 1) != [judged(n, false)]);
    }
    assert_eq!(looked, 32, "of one witness");
    // Many witnesses that one neighbour brings share what it may bring.
    for n in 1..=300 {
        looked += usize::from(near.does(loss(n, 5, n % 100 + 1, 500, n), 2) != [judged(n, false)]);
    }
    assert!(looked <= 128 + 40, "{looked}");
    // Others are still heard.
    near.known(600, 1, 3);
    let mut heard = 0;
    for n in 200..=299 {
        heard += usize::from(near.does(loss(n, 5, 600, 600, n), 3) != [judged(n, false)]);
    }
    assert!(heard >= 30, "{heard}");
}

#[test]
fn a_check_without_any_result_is_repeated_and_then_counts_as_failed() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    near.known(2, 5, 0);
    assert_eq!(near.does(loss(1, 5, 2, 2, 1), 0), [Effect::Check(peer(1))]);
    let checks = |effects: Vec<Effect>| -> Vec<Effect> {
        let wanted = |e: &Effect| matches!(e, Effect::Check(_) | Effect::Gone { .. });
        effects.into_iter().filter(wanted).collect()
    };
    assert_eq!(checks(near.tick(VERIFY_MS - 1)), []);
    assert_eq!(checks(near.tick(VERIFY_MS)), [Effect::Check(peer(1))]);
    // Meanwhile the other one has left an exchange unanswered.
    assert_eq!(checks(near.tick(2 * VERIFY_MS)), [gone(1), Effect::Check(peer(2))]);
}

#[test]
fn in_a_large_mesh_the_dials_after_word_of_a_loss_are_spread() {
    let mut first = Vec::new();
    for me in 0..40 {
        let mut near = Near::new();
        near.it =
            Neighbourhood::new(peer(1000 + me), 1, Settings { wanted: 0, ..Settings::new("m") });
        for n in 1..=400 {
            near.heard(n, 5, n, 0);
        }
        near.does(loss(7, 5, 8, 8, 1), 0);
        let at = (0..=MAX_SPREAD_MS)
            .step_by(20)
            .find(|now| dialled(&near.tick(*now)).contains(&peer(7)));
        first.push(at.expect("dialled within the longest spread"));
        // A newer advert meanwhile makes the dial needless.
        near.does(loss(9, 5, 8, 8, 2), 5000);
        assert!(near.heard(9, 6, 9, 5000).contains(&judged(2, false)));
        assert!(!dialled(&near.tick(5000 + MAX_SPREAD_MS)).contains(&peer(9)));
    }
    assert!(first.iter().min() < first.iter().max().map(|at| at - 250).as_ref(), "{first:?}");
}

#[test]
fn word_of_our_own_loss_is_answered_at_a_bounded_rate() {
    let mut near = Near::new();
    let own = |seq| {
        let advert = Advert { incarnation: 1, ..advert(0, seq) };
        Event::Own { signed: signed(&advert), advert }
    };
    let again = |above| Effect::Readvertise { above };
    near.tell(own(100), 0);
    assert_eq!(near.does(loss(0, 99, 2, 2, 1), 10), [judged(1, false)], "answered already");
    assert_eq!(near.does(loss(0, 100, 2, 2, 2), 10), [judged(2, false), again(100)]);
    near.tell(own(101), 11);
    assert_eq!(near.does(loss(0, u64::MAX, 2, 2, 3), 20), [judged(3, false)], "once a second");
    assert_eq!(near.tick(1010), [again(101)]);
    near.tell(own(102), 1011);
    assert_eq!(near.tick(3000), []);
    assert_eq!(near.does(Event::Overdue { seq: 102 }, 4000), [again(102)]);
}

#[test]
fn a_node_that_is_full_lives_and_the_others_that_it_names_are_tried() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    let effects = near.does(broken(1), 10);
    let others = vec![(peer(7), vec![address(7)]), (peer(8), vec![address(8)])];
    let full = DialFailure::Full { retry_after_ms: 5000, others };
    let told = near.fails(&effects, full, 20);
    assert_eq!(dialled(&told), [peer(7), peer(8)]);
    assert!(near.it.directory().get(&peer(1)).is_some() && !near.suspect(1), "not lost");
    assert!(!dialled(&near.tick(3_000)).contains(&peer(1)), "not before it said");
    assert!(dialled(&near.tick(60_000)).contains(&peer(1)));
}

#[test]
fn an_address_that_is_joined_is_tried_again_later_when_it_is_full() {
    let mut near = Near::new();
    let effects = near.tell(Event::Join { address: address(1) }, 0);
    let others = vec![(peer(7), vec![address(7)])];
    let told = near.fails(&effects, DialFailure::Full { retry_after_ms: 8_000, others }, 10);
    assert_eq!(dialled(&told), [peer(7)]);
    let joins =
        |effects: Vec<Effect>| effects.iter().any(|e| matches!(e, Effect::Dial { peer: None, .. }));
    assert!(!joins(near.tick(5_000)));
    assert!(joins(near.tick(11_000)));
}

#[test]
fn trouble_of_our_own_counts_against_nobody() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    let effects = near.does(broken(1), 10);
    near.fails(&effects, DialFailure::Own, 20);
    assert!(near.it.directory().get(&peer(1)).is_some(), "not lost because we could not dial");
    near.heard(2, 5, 9, 0);
    let effects = near.does(Event::Wanted { peer: peer(2) }, 30);
    let told = near.fails(&effects, DialFailure::Own, 31);
    assert!(matches!(told[..], [Effect::Unreached { own: true, .. }]), "{told:?}");
    assert!(!near.suspect(2));
}

#[test]
fn a_refusing_interface_does_not_hide_the_way_by_quic() {
    let quic: Multiaddr = "/ip4/10.0.0.1/udp/4001/quic-v1".parse().expect("an address");
    let mut near = Near::new();
    let mut advert = advert(1, 5);
    advert.addresses.push(serde_bytes::ByteBuf::from(quic.to_vec()));
    let event = Event::Heard { signed: signed(&advert), advert, from: peer(9), via: Via::Gossip };
    near.tell(event, 0);
    let first = near.does(Event::Wanted { peer: peer(1) }, 1);
    let second = near.fails(&first, DialFailure::Refused, 2);
    let by_quic = |effects: &[Effect]| matches!(effects, [Effect::Dial { addresses, .. }] if *addresses == [quic.clone()]);
    assert!(by_quic(&second), "{second:?}");
    // A peer that was here a moment ago and refuses everywhere is gone: nothing is waited for.
    let dial = dial_of(&second);
    near.tell(Event::Connected { peer: peer(1), dial }, 3);
    let first = near.does(broken(1), 4);
    assert_eq!(near.fails(&first, DialFailure::Refused, 5)[0], gone(1));
}

#[test]
fn strangers_are_left_alone() {
    let mut near = Near::new();
    let named = Event::Named { peer: peer(1), addresses: vec![address(1)] };
    let effects = near.does(named.clone(), 0);
    let stranger = Stranger { address: address(1).to_string(), mesh: Some("lab".into()) };
    near.fails(&effects, DialFailure::Stranger(stranger.clone()), 1);
    assert_eq!(near.it.strangers(), [stranger]);
    assert_eq!(near.does(named, 30_000), []);
    assert_eq!(dialled(&near.tick(30_000)), []);
    near.connected(1, 31_000);
    assert_eq!(near.it.strangers(), [], "its owner corrected the name");
}

#[test]
fn a_full_node_lets_idle_strangers_go_and_keeps_room_for_its_own_dials() {
    let mut near = Near::with(Settings { most: 20, wanted: 12, ..Settings::new("m") });
    let knock = |near: &mut Near, n, now| near.it.knock(peer(n), now, &mut near.rng);
    for n in 1..=16 {
        assert_eq!(knock(&mut near, n, 0), (Door::Open, vec![]), "{n}");
        near.connected(n, 0);
    }
    let (door, _) = knock(&mut near, 17, 1);
    assert!(matches!(door, Door::Full { .. }), "four of twenty are kept for our own dials");
    // Whoever exchanged adverts stays.
    for n in 1..=8 {
        near.heard(n, 1, n, 2);
    }
    let (door, effects) = knock(&mut near, 17, 6_000);
    assert_eq!((door, effects), (Door::Open, vec![Effect::Close(peer(9))]));
    assert_eq!(near.does(broken(9), 6_001), [], "nothing to look after");
    near.connected(17, 6_002);
    near.heard(17, 1, 17, 6_003);
    // Full of nodes that are needed: it says so and names others.
    for n in 10..=16 {
        near.heard(n, 1, n, 6_004);
    }
    let (door, effects) = knock(&mut near, 99, 20_000);
    let Door::Full { retry_after_ms, others } = door else { panic!("{door:?}") };
    assert!(retry_after_ms >= 1_000 && effects.is_empty());
    assert_eq!(others.len(), 4);
    assert!(others.iter().all(|(_, addresses)| !addresses.is_empty()));
    // A second connection of one that is here needs no room.
    assert_eq!(knock(&mut near, 3, 20_000).0, Door::Open);
}

#[test]
fn who_is_blocked_is_hung_up_on_not_let_in_not_dialled_and_not_shown() {
    let mut near = Near::new();
    for n in [1, 2] {
        near.connected(n, 0);
        near.heard(n, 1, n, 1);
    }
    let blocked = |peers: &[u64]| Event::Block { peers: peers.iter().map(|n| peer(*n)).collect() };
    let effects = near.does(blocked(&[1, 3]), 2);
    assert!(
        effects.contains(&Effect::Close(peer(1))) && !effects.contains(&Effect::Close(peer(2)))
    );
    assert!(near.it.entries().all(|(id, ..)| *id != peer(1)));
    near.does(broken(1), 3);
    for n in [1, 3] {
        assert_eq!(near.it.knock(peer(n), 4, &mut near.rng), (Door::Shut, vec![]), "{n}");
        let wanted = near.does(Event::Wanted { peer: peer(n) }, 5);
        assert!(matches!(wanted[..], [Effect::Unreached { .. }]), "{wanted:?}");
    }
    assert_eq!(dialled(&near.tick(120_000)), [], "nobody else is known");
    // Dialled by an address of which nobody knew whose it is.
    let came = near.does(Event::Connected { peer: peer(3), dial: None }, 120_001);
    assert!(came.contains(&Effect::Close(peer(3))) && !came.contains(&Effect::Reached(peer(3))));
    near.does(broken(3), 120_002);
    near.does(blocked(&[]), 120_003);
    assert_eq!(near.it.knock(peer(1), 120_004, &mut near.rng).0, Door::Open);
}

#[test]
fn many_admitted_at_once_do_not_take_the_reserve() {
    let mut near = Near::with(Settings { most: 20, ..Settings::new("m") });
    let doors: Vec<_> = (1..=100).map(|n| near.it.knock(peer(n), 0, &mut near.rng).0).collect();
    assert_eq!(doors.iter().filter(|door| **door == Door::Open).count(), 16);
    // Who never came leaves its place.
    assert_eq!(near.it.knock(peer(50), 10_000, &mut near.rng).0, Door::Open);
}

#[test]
fn exchanges_of_one_source_are_limited() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    let question = Neighbourhood::new(peer(1), 2, Settings::new("m"));
    let exchange = question.directory().exchange(true, &[]);
    let answered =
        |near: &mut Near, n: u64, now: u64| near.it.answer(peer(n), &exchange, now).0.is_some();
    assert_eq!((0..100).filter(|_| answered(&mut near, 1, 1)).count(), 16);
    assert!(answered(&mut near, 2, 1), "another one is answered");
    assert!(answered(&mut near, 1, 4_001), "and the first again, later");
    // Commands of one node that pass by, one after the other.
    for now in (5_000..25_000).step_by(200) {
        near.tell(Event::Connected { peer: peer(1), dial: None }, now);
        assert!(answered(&mut near, 1, now + 1), "at {now}");
        near.tell(Event::Disconnected { peer: peer(1) }, now + 100);
    }
}

#[test]
fn a_directory_that_does_not_fit_into_one_message_is_asked_for_again_at_once() {
    let mut near = Near::new();
    near.known(1, 5, 0);
    let full = ExchangeReply {
        same: false,
        adverts: vec![signed(&advert(9, 1)); crate::protocol::exchange::MAX_ADVERTS],
        want: vec![],
        losses: vec![],
        near: vec![],
    };
    let reply = |digest_sent| Event::Replied { peer: peer(1), reply: full.clone(), digest_sent };
    let asked = |effects: Vec<Effect>| {
        effects
            .iter()
            .any(|e| matches!(e, Effect::Ask { exchange, .. } if exchange.digest.is_some()))
    };
    let rounds = (0..50).take_while(|_| asked(near.tell(reply(true), 1))).count();
    assert_eq!(rounds, 12, "and not for ever");
}

#[test]
fn records_do_not_grow_without_bound() {
    let mut near = Near::new();
    for n in 1..=10_000u64 {
        near.tell(Event::Named { peer: peer(n), addresses: vec![address(n)] }, n);
        near.tell(Event::Wanted { peer: peer(n + 50_000) }, n);
        near.it.knock(peer(n + 100_000), n, &mut near.rng);
        if n % 1000 == 0 {
            near.tick(n);
        }
    }
    near.tick(40_000);
    assert!(near.it.records() <= 8192 + 2_000, "{}", near.it.records());
}

#[test]
fn a_witness_that_was_wrong_is_heard_less() {
    let mut near = Near::new();
    let key = Keypair::generate_ed25519();
    let witness = key.public().to_peer_id();
    let own = Advert { id: witness.to_bytes(), ..advert(1, 1) };
    near.tell(Event::Connected { peer: witness, dial: None }, 0);
    let heard =
        Event::Heard { signed: signed(&own), advert: own, from: witness, via: Via::Exchange };
    near.tell(heard, 0);
    let mut looked = 0;
    for n in 10..60 {
        near.known(n, 1, 0);
        let signed = Loss::sign(&peer(n), 1, &key).expect("signs");
        let loss = signed.verify().expect("verifies");
        let word = Event::Loss { loss, signed, from: witness, token: n };
        if near.does(word, 1) == [Effect::Check(peer(n))] {
            looked += 1;
            near.tell(Event::Beat { peer: peer(n), rtt_ms: 1.0 }, 2);
        }
    }
    assert!(looked <= 4, "{looked} of 50 wrong words were looked into");
}
