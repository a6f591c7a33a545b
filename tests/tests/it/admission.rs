//! Who is let in: the handshake that comes before any protocol, and a node that is full.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures::future::join_all;
use libp2p::PeerId;
use potluck::{
    Node,
    client::{Event, Subscription},
    network::admission::AdmissionError,
    protocol::{
        self, ADMISSION_PROTOCOL, Ask, CALL_PROTOCOL, CallOutcome, CallRequest, Hello,
        admission::VERSION,
    },
};
use potluck_tests::{
    bare::{Bare, Raw, framed, refusal},
    mesh::{Does, PATIENCE, Setup, WORK, Work, address, all_see_all, until, work, work_at},
};

fn serving(setup: Setup) -> Setup {
    setup.with(Work::new(100.0, Does::Answer).0)
}

/// A node that offers `work/1` gets in and gives its answer to a new one.
async fn still_serves(node: &Node) {
    let asker = Setup::new("asker").tcp().joining(node).start().await;
    until(&asker, "the node", |mesh| mesh.peers.contains_key(&node.client().id())).await;
    let reply = asker.client().call(work_at(node.client().id())).await.expect("answered");
    assert_eq!(reply.served_by.name, "node");
}

fn hello(version: u16, mesh: &str) -> Hello {
    Hello { version, ..Hello::new(mesh) }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_meet_over_every_transport() {
    let memory = |name| Setup::new(name);
    let tcp = |name| Setup::new(name).tcp();
    let quic = |name| Setup::new(name).quic();
    let setups: [&dyn Fn(&'static str) -> Setup; 3] = [&memory, &tcp, &quic];
    for setup in setups {
        let node = serving(setup("node")).start().await;
        let asker = setup("asker").joining(&node).start().await;
        all_see_all(&[&node, &asker]).await;
        let reply = asker.client().call(work()).await.expect("answered");
        assert_eq!(reply.served_by.name, "node", "{}", address(&node));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_other_meshes_stay_apart_and_know_why() {
    for quic in [false, true] {
        let real = |name| if quic { Setup::new(name).quic() } else { Setup::new(name).tcp() };
        let node = serving(real("node")).start().await;
        let stranger = real("stranger").configured(|c| c.mesh = "lab".to_owned()).joining(&node);
        let stranger = stranger.start().await;
        for (this, other) in [(&node, "lab"), (&stranger, "potluck")] {
            let told = async {
                loop {
                    let facts = this.client().facts().await.expect("facts");
                    if let Some(first) = facts.strangers.first() {
                        break first.mesh.clone();
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let told = tokio::time::timeout(PATIENCE, told).await.expect("it is told");
            assert_eq!(told.as_deref(), Some(other), "quic: {quic}");
            assert!(this.client().snapshot().peers.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_another_version_or_of_another_mesh_is_told() {
    let node = serving(Setup::new("node").tcp()).start().await;
    let (at, id) = (address(&node), node.client().id());
    let told = Bare::knock(&at, id, hello(VERSION, "lab")).await.err().expect("refused");
    let told = refusal(&told);
    assert!(matches!(told, AdmissionError::OtherMesh { mesh } if mesh == "potluck"), "{told}");
    let told = Bare::knock(&at, id, hello(VERSION + 1, "potluck")).await.err().expect("refused");
    let told = refusal(&told);
    assert!(matches!(told, AdmissionError::OtherVersion { version: VERSION }), "{told}");
    assert!(Bare::knock(&at, id, hello(VERSION, "potluck")).await.is_ok());
}

/// What a peer does on a connection instead of saying hello as it should.
async fn misbehave(address: &str, how: &str) {
    let mut raw = Raw::connect(address).await;
    let kept = match how {
        "says nothing" => vec![],
        "speaks no admission" => vec![raw.send("/ipfs/id/1.0.0", b"").await],
        "says half a hello" => {
            let whole = framed(&protocol::encode(&Hello::new("potluck")).expect("encodes"));
            vec![raw.send(ADMISSION_PROTOCOL, &whole[..whole.len() / 2]).await]
        }
        "announces 4 GiB" => vec![raw.send(ADMISSION_PROTOCOL, &[0xff; 4]).await],
        "says nonsense" => vec![raw.send(ADMISSION_PROTOCOL, &framed(&[0x9f; 4096])).await],
        "opens a thousand streams" => {
            let mut kept = Vec::new();
            for _ in 0..1000 {
                let stream = raw.send("/ipfs/ping/1.0.0", b"").await;
                if stream.is_none() {
                    break;
                }
                kept.push(stream);
            }
            kept
        }
        _ => panic!("{how}"),
    };
    raw.ended().await;
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_that_do_not_say_hello_are_hung_up_on() {
    let node = serving(Setup::new("node").tcp()).start().await;
    let at = address(&node);
    let all = [
        "says nothing",
        "speaks no admission",
        "says half a hello",
        "announces 4 GiB",
        "says nonsense",
        "opens a thousand streams",
    ];
    let hung_up = join_all(all.map(|how| {
        let at = at.clone();
        async move {
            let ended = tokio::time::timeout(PATIENCE, misbehave(&at, how)).await;
            assert!(ended.is_ok(), "still connected: {how}");
        }
    }));
    tokio::join!(hung_up, still_serves(&node));
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_another_mesh_reaches_no_service() {
    let (service, seen) = Work::new(100.0, Does::Answer);
    let node = Setup::new("node").tcp().with(service).start().await;
    let call = CallRequest {
        call: 1,
        capability: WORK.to_owned(),
        deadline_ms: 30_000,
        args: work().args,
        input: None,
        progress: false,
    };
    let bytes = framed(&protocol::encode(&Ask::Call(call.clone())).expect("encodes"));
    let mut raw = Raw::connect(&address(&node)).await;
    // All at once, before and after the hello, without waiting for anything.
    let first = raw.send(CALL_PROTOCOL, &bytes).await;
    let hello = framed(&protocol::encode(&Hello::new("lab")).expect("encodes"));
    let hello = raw.send(ADMISSION_PROTOCOL, &hello).await;
    let second = raw.send(CALL_PROTOCOL, &bytes).await;
    tokio::time::timeout(PATIENCE, raw.ended()).await.expect("hung up on");
    assert_eq!(seen.started.load(SeqCst), 0);
    drop((first, hello, second));
    // One of this mesh is served.
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    assert!(matches!(bare.call(call).await, CallOutcome::Done(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_identities_do_not_keep_an_honest_node_out() {
    let node = serving(Setup::new("node").tcp()).start().await;
    let (at, id) = (address(&node), node.client().id());
    let mut idle = Vec::new();
    let mut turned_away = 0;
    for _ in 0..300 {
        match Bare::knock(&at, id, Hello::new("potluck")).await {
            Ok(bare) => idle.push(bare),
            Err(e) if matches!(refusal(&e), AdmissionError::Full { .. }) => turned_away += 1,
            Err(e) => panic!("{e}"),
        }
    }
    assert!(turned_away > 0 && idle.len() >= 100, "{} came in", idle.len());
    still_serves(&node).await;
}

/// What became of a peer, as others tell.
async fn was_lost(events: &mut Subscription, who: PeerId) -> bool {
    let mut lost = false;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, events.next()).await {
        lost |= matches!(event, Event::Gone { id, .. } if id == who.to_string());
    }
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_full_says_so_and_is_not_lost() {
    let small = |config: &mut potluck::config::Config| {
        (config.network.connections, config.network.max_connections) = (2, 2);
    };
    let full = serving(Setup::new("full").tcp()).configured(small).start().await;
    let first = Setup::new("first").tcp().joining(&full).start().await;
    let second = Setup::new("second").tcp().joining(&full).start().await;
    all_see_all(&[&full, &first, &second]).await;
    let mut events = vec![];
    for node in [&first, &second] {
        events.push(node.client().subscribe().await.expect("follows"));
    }
    let (at, id) = (address(&full), full.client().id());
    for _ in 0..20 {
        let told = Bare::knock(&at, id, Hello::new("potluck")).await.err().expect("refused");
        let AdmissionError::Full { others, .. } = refusal(&told) else { panic!("{told}") };
        let named: Vec<_> = others.iter().map(|(peer, _)| *peer).collect();
        assert!(named.contains(&first.client().id()), "{named:?}");
        assert!(others.iter().all(|(_, addresses)| !addresses.is_empty()));
    }
    // One that joins is told of the others and meets everybody through them.
    let late = Setup::new("late").tcp().joining(&full).start().await;
    let mut seen_late = late.client().subscribe().await.expect("follows");
    all_see_all(&[&late, &first, &second]).await;
    all_see_all(&[&late, &full]).await;
    // Whether or not there is room by now, a call is no reason to believe that it is gone.
    let _ = late.client().call(work_at(id)).await;
    for node in [&first, &second, &late] {
        assert!(node.client().snapshot().peers.contains_key(&id), "{}", node.client().name());
    }
    assert!(!was_lost(&mut seen_late, id).await);
    for events in &mut events {
        assert!(!was_lost(events, id).await);
    }
}
