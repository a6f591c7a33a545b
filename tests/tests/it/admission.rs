//! The handshake before everything else: who is of another mesh or version, or finds no room, is told so
//! and sees nothing else; who says nothing is not waited for.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures::AsyncWriteExt as _;
use libp2p::swarm::DialError;
use potluck::{
    Node,
    client::Call,
    network::admission::{AdmissionError, refusals},
    protocol::{
        CALL_PROTOCOL, CallOutcome, CallRequest,
        admission::{ADMISSION_PROTOCOL, Hello, VERSION},
    },
};
use potluck_tests::{
    bare::Bare,
    mesh::{Does, PATIENCE, Setup, WORK, Work, address, all_see_all, until, work, work_at},
};

fn hello(version: u16, mesh: &str) -> Option<Hello> {
    Some(Hello { version, mesh: mesh.into() })
}

/// A node on loopback that offers `work/1`.
async fn node() -> Node {
    let (service, _) = Work::new(100.0, Does::Answer);
    Setup::new("node").tcp().with(service.slots(8)).start().await
}

async fn still_serves(node: &Node) {
    let asker = Setup::new("asker").tcp().joining(node).start().await;
    all_see_all(&[&asker, node]).await;
    asker.client().call(work()).await.expect("answered");
}

async fn refused(node: &Node, hello: Option<Hello>) -> AdmissionError {
    let at = address(node);
    let tried = Bare::connect_as(&at, node.client().id(), hello).await;
    let error: DialError = tried.err().expect("it is not let in");
    let found = refusals(&error).next().map(|(_, refusal)| refusal.clone());
    found.unwrap_or_else(|| panic!("no refusal: {error:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_meet_over_every_transport() {
    let udp = "/ip4/127.0.0.1/udp/0/quic-v1";
    for listen in ["/ip4/127.0.0.1/tcp/0", udp, "/memory/0"] {
        let at = |setup: Setup| match listen {
            "/memory/0" => setup,
            _ => setup.tcp().configured(|c| c.network.listen = vec![listen.to_owned()]),
        };
        let (service, _) = Work::new(100.0, Does::Answer);
        let server = at(Setup::new("server")).with(service).start().await;
        let asker = at(Setup::new("asker")).joining(&server).start().await;
        all_see_all(&[&asker, &server]).await;
        let reply = asker.client().call(work()).await.expect("answered");
        assert_eq!(reply.served_by.name, "server", "{listen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mesh_or_version_is_turned_away_with_a_reason() {
    let node = node().await;
    let other = refused(&node, hello(VERSION, "lab")).await;
    assert_eq!(other, AdmissionError::OtherMesh { mesh: "potluck".into() });
    let other = refused(&node, hello(VERSION + 1, "potluck")).await;
    assert_eq!(other, AdmissionError::OtherVersion { version: VERSION });
    // Two meshes on one network do not see each other, and the doctor can say why.
    let lab = Setup::new("lab").tcp().configured(|c| c.mesh = "lab".into()).joining(&node);
    let lab = lab.start().await;
    let named = async {
        while lab.client().facts().await.strangers.is_empty()
            && node.client().facts().await.strangers.is_empty()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, named).await.expect("a stranger is named");
    assert!(lab.client().snapshot().peers.is_empty());
    assert!(node.client().snapshot().peers.is_empty());
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_knock_reaches_no_service() {
    let (service, seen) = Work::new(100.0, Does::Answer);
    let node = Setup::new("node").tcp().with(service).start().await;
    // Connected as far as it knows itself; the node has not let it in.
    let bare = Bare::connect_as(&address(&node), node.client().id(), None).await.expect("connects");
    let args = work().args;
    let request = CallRequest {
        call: 1,
        capability: WORK.into(),
        deadline_ms: 1_000,
        args,
        input: None,
        progress: false,
    };
    let called = async {
        let mut line = bare.line().await.ok()?;
        line.call(request).await.ok()
    };
    let answer: Option<CallOutcome> =
        tokio::time::timeout(PATIENCE, called).await.expect("it does not hang");
    assert_eq!(answer, None);
    assert_eq!(seen.started.load(SeqCst), 0);
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_words_and_many_streams_at_the_door_hold_up_nobody() {
    let node = node().await;
    for bytes in [vec![], vec![0, 0], vec![255; 8], vec![0, 0, 0, 3, 0xff, 0xff, 0xff]] {
        let bare = Bare::connect_as(&address(&node), node.client().id(), None).await;
        let bare = bare.expect("connects");
        let opened = bare.open(ADMISSION_PROTOCOL).await;
        if let Ok(mut stream) = opened {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
        }
        let mut held = Vec::new();
        for _ in 0..100 {
            let opening = bare.open(CALL_PROTOCOL);
            held.push(tokio::time::timeout(Duration::from_millis(5), opening).await);
        }
        still_serves(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let (service, _) = Work::new(100.0, Does::Answer);
    let small = |c: &mut potluck::config::Config| {
        (c.network.connections, c.network.max_connections) = (4, 20);
    };
    let node = Setup::new("node").tcp().with(service).configured(small).start().await;
    let neighbour = Setup::new("neighbour").tcp().joining(&node).start().await;
    all_see_all(&[&neighbour, &node]).await;
    let (mut crowd, mut full) = (Vec::new(), 0);
    for _ in 0..60 {
        let knock = hello(VERSION, "potluck");
        match Bare::connect_as(&address(&node), node.client().id(), knock).await {
            Ok(bare) => crowd.push(bare),
            Err(error) => {
                let refusal = refusals(&error).next().map(|(_, refusal)| refusal.clone());
                assert!(matches!(refusal, Some(AdmissionError::Full { .. })), "{error:?}");
                full += 1;
            }
        }
    }
    assert!(full > 0, "sixty found room where there are twenty places");
    // Its neighbour is still there, and a newcomer comes in.
    let id = node.client().id();
    neighbour.client().call(work_at(id)).await.expect("answered");
    let newcomer = Setup::new("newcomer").tcp().joining(&node).start().await;
    until(&newcomer, "the node in a crowd", |s| s.peers.contains_key(&id)).await;
    let call = Call { timeout: Duration::from_secs(30), ..work_at(id) };
    newcomer.client().call(call).await.expect("answered");
    assert!(neighbour.client().snapshot().peers.contains_key(&id), "taken for lost");
}
