//! Peers that lie about calls or about themselves: an honest peer's answer still arrives.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures::StreamExt as _;
use potluck::{
    Node,
    client::{Call, FailureKind},
    network::Snapshot,
    protocol::{
        Answer, Ask, CALL_PROTOCOL, CallOutcome, Fault, FaultKind, Output, Repeat, SignedAdvert,
        Tell, encode,
    },
};
use potluck_tests::{
    bare::{Bare, Line, advert, tempting},
    mesh::{Does, Setup, WORK, Work, address, all_see_all, outcomes, spawn, until, work},
};

const SLOW: f32 = 1.0;
const FAST: f32 = 1000.0;

/// A peer with a glorious offer that ends every call so.
async fn liar(asker: &Node, outcome: CallOutcome) -> Bare {
    let bare = Bare::connect(&address(asker), asker.client().id()).await;
    bare.beat();
    let mut incoming = bare.accept(CALL_PROTOCOL);
    tokio::spawn(async move {
        while let Some((_, stream)) = incoming.next().await {
            tokio::spawn(answer_all(Line { stream }, outcome.clone()));
        }
    });
    bare.tell(vec![bare.advert("liar", vec![tempting(WORK)])]).await;
    let id = bare.id();
    until(asker, "the liar", |s| s.peers.contains_key(&id)).await;
    bare
}

async fn answer_all(mut line: Line, outcome: CallOutcome) {
    while let Ok(ask) = line.asked().await {
        if let Ask::Call(request) = ask {
            let answer = Answer { outcome: outcome.clone(), queue: 0 };
            let told = Tell::Answer { call: request.call, answer };
            if line.say(&encode(&told).expect("encodes")).await.is_err() {
                return;
            }
        }
    }
}

fn fault(kind: FaultKind) -> CallOutcome {
    CallOutcome::Failed(Fault::new(kind, "so says the liar"))
}

fn lies() -> Vec<CallOutcome> {
    let garbage = Output { body: vec![0xff; 9], data: None, waited_ms: 0, ran_ms: 0 };
    vec![
        fault(FaultKind::BadInput),
        fault(FaultKind::TooLarge),
        fault(FaultKind::NotUnderstood),
        fault(FaultKind::Internal),
        CallOutcome::Done(garbage),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_does_not_veto_what_an_honest_peer_answers() {
    for lie in &lies()[..4] {
        let asker = Setup::new("asker").tcp().start().await;
        let (honest, _) = Work::new(SLOW, Does::Answer);
        let honest = Setup::new("honest").tcp().with(honest).joining(&asker).start().await;
        all_see_all(&[&asker, &honest]).await;
        let _liar = liar(&asker, lie.clone()).await;
        let reply = asker.client().call(work()).await.expect("the honest one answers");
        assert_eq!(reply.served_by.name, "honest", "{lie:?}");
        assert_eq!(outcomes(&reply.route), ["failed", "answered"], "{lie:?}: {:?}", reply.route);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_does_not_veto_what_this_node_can_do_and_loses_rank() {
    for lie in lies() {
        let (own, _) = Work::new(SLOW, Does::Answer);
        let asker = Setup::new("asker").tcp().with(own).start().await;
        let _liar = liar(&asker, lie.clone()).await;
        let reply = asker.client().call(work()).await.expect("this node answers");
        assert_eq!(reply.served_by.name, "asker", "{lie:?}");
        assert_eq!(reply.route[0].name, "liar", "{lie:?}: {:?}", reply.route);
        let contradicted = !matches!(
            &lie,
            CallOutcome::Failed(f) if matches!(f.kind, FaultKind::TooLarge | FaultKind::NotUnderstood)
        );
        if contradicted {
            let reply = asker.client().call(work()).await.expect("this node answers");
            assert_eq!(outcomes(&reply.route), ["answered"], "{lie:?}: {:?}", reply.route);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_said_to_be_wrong_by_one_peer_or_two() {
    for servers in [1, 2] {
        let asker = Setup::new("asker").start().await;
        let mut nodes = Vec::new();
        for n in 0..servers {
            let (strict, _) = Work::new(FAST, Does::Fail(FaultKind::BadInput));
            let name = format!("strict{n}");
            nodes.push(Setup::new(&name).with(strict).joining(&asker).start().await);
        }
        let all: Vec<_> = nodes.iter().chain([&asker]).collect();
        all_see_all(&all).await;
        let failure = asker.client().call(work()).await.expect_err("it is wrong");
        assert_eq!(failure.kind, FailureKind::BadInput);
        assert_eq!(failure.message, "as the test wants it");
        assert_eq!(outcomes(&failure.route), vec!["failed"; servers]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_made_up_peers_do_not_stop_calls() {
    let asker = Setup::new("asker").tcp().start().await;
    let (honest, _) = Work::new(SLOW, Does::Answer);
    let honest = Setup::new("honest").tcp().with(honest).joining(&asker).start().await;
    all_see_all(&[&asker, &honest]).await;
    let liar = Bare::connect(&address(&asker), asker.client().id()).await;
    liar.beat();
    let made_up: Vec<_> = (0..300).map(|_| made_up()).collect();
    for some in made_up.chunks(30) {
        liar.tell(some.to_vec()).await;
    }
    until(&asker, "made-up peers", |s: &Snapshot| s.peers.len() > 2).await;
    for _ in 0..5 {
        let call = Call { timeout: Duration::from_secs(20), ..work() };
        let reply = asker.client().call(call).await.expect("the honest one answers");
        assert_eq!(reply.served_by.name, "honest", "{:?}", reply.route);
    }
}

/// A glorious offer of nobody, at an address where nobody listens.
fn made_up() -> SignedAdvert {
    let key = libp2p::identity::Keypair::generate_ed25519();
    let mut advert = advert(&key, "nobody", vec![tempting(WORK)]);
    let nowhere: libp2p::Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().expect("an address");
    advert.addresses = vec![nowhere.to_vec().into()];
    advert.sign(&key).expect("signs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_costs_happens_once() {
    let asker = Setup::new("asker").start().await;
    let (first, on_first) = Work::new(FAST, Does::Sleep(Duration::from_secs(3)));
    let (second, on_second) = Work::new(SLOW, Does::Answer);
    let first = Setup::new("first").with(first.repeat(Repeat::Costly)).joining(&asker);
    let second = Setup::new("second").with(second.repeat(Repeat::Costly)).joining(&asker);
    let (first, second) = (first.start().await, second.start().await);
    all_see_all(&[&asker, &first, &second]).await;
    // Far longer than the silence after which a safe call is copied (a quarter of the time).
    let call = || Call { timeout: Duration::from_secs(8), ..work() };
    let reply = asker.client().call(call()).await.expect("the first one answers");
    assert_eq!(reply.served_by.name, "first");
    assert_eq!((on_first.started.load(SeqCst), on_second.started.load(SeqCst)), (1, 0));
    // The first was slow, so the second is asked now. What it says itself is believed: it failed,
    // and the next is asked.
    on_second.now(Does::Fail(FaultKind::Internal));
    let reply = asker.client().call(call()).await.expect("the first one answers");
    assert_eq!(outcomes(&reply.route), ["failed", "answered"]);
    assert_eq!((on_first.started.load(SeqCst), on_second.started.load(SeqCst)), (2, 1));
    // Whoever is asked now dies after it took the call: nobody else is asked.
    on_first.now(Does::Compute);
    on_second.now(Does::Compute);
    let asked = || on_first.started.load(SeqCst) + on_second.started.load(SeqCst);
    let under_way = spawn(&asker.client(), call());
    while asked() == 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    match on_first.running.load(SeqCst) {
        0 => drop(second),
        _ => drop(first),
    }
    under_way.await.expect("no panic").expect_err("it was lost with the peer that had it");
    assert_eq!(asked(), 4);
}
