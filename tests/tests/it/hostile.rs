//! Peers that do not keep to the protocol: the node says so, lives, and serves others meanwhile.

use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, identity::Keypair};
use potluck::{
    Node,
    blobs::{GROUP, Outline},
    client::{Call, CallInput, FailureKind},
    protocol::{
        self, Ask, BLOB_PROTOCOL, CALL_PROTOCOL, CallOutcome, CallRequest, Exchange, FaultKind,
        MAX_DEADLINE_MS, MAX_MALFORMED, MAX_REQUEST, MAX_RUNNING, PULSE_PROTOCOL, Payload, Request,
        Response, Tell, advert::MAX_OFFERS, exchange::MAX_ADVERTS,
    },
};
use potluck_tests::{
    bare::{Bare, advert, framed, tempting},
    mesh::{self, Does, Setup, WORK, Work, address, all_see_all, outcomes, until, work, work_on},
};

/// Changes a call that is right.
type Change = &'static dyn Fn(&mut CallRequest);

/// A node on loopback that offers `work/1`, and a bare peer connected to it.
async fn node_and_bare() -> (Node, Bare) {
    let (service, _) = Work::new(100.0, Does::Answer);
    let node = Setup::new("node").tcp().with(service.slots(8)).start().await;
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    (node, bare)
}

/// A call that keeps to the protocol.
fn good_call() -> CallRequest {
    CallRequest {
        call: 1,
        capability: WORK.to_owned(),
        deadline_ms: 30_000,
        args: work().args,
        input: None,
        progress: false,
    }
}

/// Another node on the mesh still gets its answer.
async fn still_serves(node: &Node) {
    let asker = Setup::new("asker").tcp().joining(node).start().await;
    all_see_all(&[&asker, node]).await;
    let reply = asker.client().call(work()).await.expect("answered");
    assert_eq!(reply.served_by.name, "node");
}

fn cbor<T: serde::Serialize>(value: &T) -> Vec<u8> {
    protocol::encode(value).expect("encodes")
}

/// Bytes that are nothing at all, with a name each.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("one byte of nothing", vec![0x00]),
        ("a break", vec![0xff]),
        ("text", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("random bytes", (0..4096u32).map(|n| ((n * n) >> 3) as u8).collect()),
        ("an empty map", vec![0xa0]),
        ("null", vec![0xf6]),
        ("an unknown kind", [&[0xa1, 0x64][..], b"Nope", &[0xa0]].concat()),
        ("an array that claims 2^60 items", vec![0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0]),
        ("a map that claims 2^64 - 1 items", vec![0xbb, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("text that claims 2^63 bytes", vec![0x7b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("arrays in arrays", vec![0x81; 300_000]),
        ("endless arrays in arrays", vec![0x9f; 300_000]),
        ("tags on tags", vec![0xc1; 300_000]),
    ]
}

/// Bytes that are no request, with a name each.
fn malformed_requests() -> Vec<(&'static str, Vec<u8>)> {
    let digest = |claimed: &[u8]| {
        let head = [&[0xa1, 0x68][..], b"Exchange", &[0xa3, 0x64], b"root", &[0x58, 32], &[0; 32]];
        [&head.concat()[..], &[0x66], b"digest", claimed].concat()
    };
    let exchange = |adverts| {
        Request::Exchange(Exchange { root: [0; 32], digest: None, adverts, near: vec![] })
    };
    let key = Keypair::generate_ed25519();
    let signed = advert(&key, "x", vec![]).sign(&key).expect("signs");
    let good = cbor(&exchange(vec![]));
    let mut all = nonsense();
    all.extend([
        ("half of a request", good[..good.len() / 2].to_vec()),
        ("bytes after a request", [&good[..], &[0]].concat()),
        ("a digest that claims 2^60 entries", digest(&[0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0])),
        ("an endless digest", digest(&[0x9f])),
        ("too many adverts", cbor(&exchange(vec![signed; MAX_ADVERTS + 1]))),
        ("more than a request may have", vec![0x41; MAX_REQUEST + 1000]),
    ]);
    all
}

/// Frames that are nothing that a caller may say, with a name each.
fn malformed_asks() -> Vec<(&'static str, Vec<u8>)> {
    let good = cbor(&Ask::Call(good_call()));
    let call = |change: &dyn Fn(&mut CallRequest)| {
        let mut request = good_call();
        change(&mut request);
        cbor(&Ask::Call(request))
    };
    // {"Call": {"zzz": VALUE}}: the value of a field that nobody knows is skipped, however deep.
    let unknown_field =
        |value: &[u8]| [&[0xa1, 0x64][..], b"Call", &[0xa1, 0x63], b"zzz", value].concat();
    let mut all = nonsense();
    all.extend([
        ("no byte at all", vec![]),
        ("half of a call", good[..good.len() / 2].to_vec()),
        ("a call without its last byte", good[..good.len() - 1].to_vec()),
        ("bytes after a call", [&good[..], &[0]].concat()),
        ("two calls", [&good[..], &good].concat()),
        ("maps in maps in an unknown field", unknown_field(&vec![0xa1; 300_000])),
        ("arrays in arrays in an unknown field", unknown_field(&vec![0x81; 300_000])),
        ("a deadline beyond the limit", call(&|c| c.deadline_ms = MAX_DEADLINE_MS + 1)),
        ("a long capability name", call(&|c| c.capability = "x".repeat(200))),
        ("long arguments", call(&|c| c.args = vec![0; 100_000])),
        ("a long input", call(&|c| c.input = Some(Payload::Inline(vec![0; 300_000])))),
    ]);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_requests_are_answered_with_the_reason() {
    let (node, bare) = node_and_bare().await;
    for (name, bytes) in malformed_requests() {
        match bare.response(&bytes).await {
            Response::Malformed { reason } => assert!(!reason.is_empty(), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        // The same connection still serves.
        let answer = bare.call(good_call()).await;
        assert!(matches!(answer, CallOutcome::Done(_)), "after {name}: {answer:?}");
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_calls_are_answered_with_the_reason_and_the_line_goes_on() {
    let (node, bare) = node_and_bare().await;
    let mut line = bare.line().await.expect("a line");
    let mut numbered = 0;
    for (name, bytes) in malformed_asks() {
        line.say(&bytes).await.expect("written");
        match line.hear().await {
            Ok(Tell::Malformed { call, reason }) => {
                assert!(!reason.is_empty(), "{name}");
                assert!(call.is_none_or(|call| call == good_call().call), "{name}: {call:?}");
                numbered += usize::from(call.is_some());
            }
            other => panic!("{name}: {other:?}"),
        }
        let answer = line.call(good_call()).await;
        assert!(matches!(answer, Ok(CallOutcome::Done(_))), "after {name}: {answer:?}");
    }
    // Those that only break a limit: deadline, name, arguments and input.
    assert_eq!(numbered, 4, "calls whose number could be read");
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_too_long_ends_its_line_only() {
    let (node, bare) = node_and_bare().await;
    for length in [MAX_REQUEST as u32 + 1, u32::MAX] {
        let mut line = bare.line().await.expect("a line");
        line.stream.write_all(&length.to_be_bytes()).await.expect("written");
        line.stream.flush().await.expect("flushed");
        let told = line.hear().await;
        assert!(matches!(told, Ok(Tell::Malformed { .. })), "{length}: {told:?}");
        assert!(line.hear().await.is_err(), "{length}: the line goes on");
        let answer = bare.call(good_call()).await;
        assert!(matches!(answer, CallOutcome::Done(_)), "after {length}: {answer:?}");
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_nothing_else_is_disconnected_and_may_come_back() {
    let (node, bare) = node_and_bare().await;
    let mut answered = 0;
    while bare.ask(&[0xff]).await.is_ok_and(|answer| !answer.is_empty()) {
        answered += 1;
        assert!(answered < 1000, "a thousand unreadable requests and still connected");
    }
    assert!(answered > 0);
    let again = Bare::connect(&address(&node), node.client().id()).await;
    let mut line = again.line().await.expect("a line");
    let mut told = 0;
    while line.say(&[0xff]).await.is_ok() && line.hear().await.is_ok() {
        told += 1;
        assert!(told <= MAX_MALFORMED + 1, "{told} unreadable calls and the line goes on");
    }
    assert_eq!(told, MAX_MALFORMED + 1);
    let answer = again.call(good_call()).await;
    assert!(matches!(answer, CallOutcome::Done(_)), "{answer:?}");
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn megabytes_as_a_request_are_not_taken() {
    let (node, bare) = node_and_bare().await;
    for _ in 0..5 {
        // The answer may be lost when the stream is reset; what matters is the node.
        let answer = bare.ask(&vec![0x41; 16 << 20]).await.unwrap_or_default();
        if let Ok(response) = protocol::decode::<Response>(&answer) {
            assert!(matches!(response, Response::Malformed { .. }), "{response:?}");
        }
    }
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_calls_hold_up_nobody_and_end() {
    let (node, bare) = node_and_bare().await;
    let good = framed(&cbor(&Ask::Call(good_call())));
    let mut half = Vec::new();
    // Room for one more line is left.
    for end in [good.len() / 2, good.len() - 1, 2] {
        let mut line = bare.line().await.expect("a line");
        line.stream.write_all(&good[..end]).await.expect("written");
        line.stream.flush().await.expect("flushed");
        half.push(line);
    }
    let answer = bare.call(good_call()).await;
    assert!(matches!(answer, CallOutcome::Done(_)), "{answer:?}");
    still_serves(&node).await;
    for mut line in half {
        let ended = tokio::time::timeout(mesh::PATIENCE, line.hear()).await;
        assert!(ended.expect("the node gives up").is_err());
    }
}

/// Says a call and then nothing, not even whether the answers arrive.
#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answers_is_hung_up_on() {
    let (node, bare) = node_and_bare().await;
    let mut line = bare.line().await.expect("a line");
    let flood = async {
        for call in 0..u64::MAX {
            let args = vec![0x9f; 60_000];
            if line.ask(&Ask::Call(CallRequest { call, args, ..good_call() })).await.is_err() {
                return call;
            }
        }
        0
    };
    let sent = tokio::time::timeout(mesh::PATIENCE, flood).await.expect("the node hangs up");
    assert!(sent > 0);
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_takes_so_many_calls_and_each_number_once() {
    let (service, seen) = Work::new(100.0, Does::Sleep(Duration::from_secs(3600)));
    let node = Setup::new("node").tcp().with(service.slots(1000)).start().await;
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    let mut line = bare.line().await.expect("a line");
    for call in 0..MAX_RUNNING as u64 {
        line.ask(&Ask::Call(CallRequest { call, ..good_call() })).await.expect("written");
    }
    mesh::until_count("calls that run", &seen.running, MAX_RUNNING).await;
    line.ask(&Ask::Call(CallRequest { call: 7, ..good_call() })).await.expect("written");
    let twice = line.hear().await.expect("a word");
    assert!(matches!(twice, Tell::Malformed { .. }), "{twice:?}");
    let more = line.call(CallRequest { call: 1000, ..good_call() }).await.expect("an answer");
    assert!(matches!(more, CallOutcome::Busy { .. }), "{more:?}");
    // A cancel ends one of them, the end of the line the others.
    line.ask(&Ask::Cancel { call: 7 }).await.expect("written");
    let told = line.hear().await.expect("an answer");
    let Tell::Answer { call: 7, answer } = told else { panic!("{told:?}") };
    assert!(matches!(answer.outcome, CallOutcome::Failed(f) if f.kind == FaultKind::Cancelled));
    drop(line);
    mesh::until_count("calls that run", &seen.running, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adverts_that_are_not_the_nodes_own_words_are_not_believed() {
    let (node, bare) = node_and_bare().await;
    let (victim, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
    let id_of = |key: &Keypair| key.public().to_peer_id();
    let genuine = || advert(&victim, "victim", vec![]);
    let mut flipped = genuine().sign(&victim).expect("signs");
    flipped.signature[10] ^= 1;
    let mut changed = genuine().sign(&victim).expect("signs");
    changed.body = protocol::encode(&advert(&victim, "rich", vec![])).expect("encodes");
    let stolen = genuine().sign(&other).expect("signs");
    let mut other_mesh = advert(&other, "elsewhere", vec![]);
    other_mesh.mesh = "other".into();
    let other_mesh = other_mesh.sign(&other).expect("signs");
    let mut no_key = genuine().sign(&victim).expect("signs");
    no_key.key = vec![0; 36];
    let mut many = advert(&other, "many", vec![]);
    many.offers = vec![tempting(WORK); MAX_OFFERS + 1];
    let body = protocol::encode(&many).expect("encodes");
    let many = protocol::SignedAdvert { body, ..stolen.clone() };
    for signed in [flipped, changed, stolen, other_mesh, no_key, many] {
        let response = bare.tell(vec![signed]).await;
        assert!(matches!(response, Response::Exchange(_)), "{response:?}");
    }
    // What is right is believed, so the others were looked at and refused.
    bare.tell(vec![bare.advert("honest", vec![])]).await;
    let id = bare.id();
    until(&node, "the honest advert", |s| s.peers.contains_key(&id)).await;
    let known: Vec<PeerId> = node.client().snapshot().peers.keys().copied().collect();
    assert_eq!(known, [id], "victim is {}, other is {}", id_of(&victim), id_of(&other));
    still_serves(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advert_from_the_future_and_a_goodbye_for_another_change_nothing() {
    let (node, bare) = node_and_bare().await;
    let peer = Setup::new("peer").tcp().joining(&node).start().await;
    all_see_all(&[&node, &peer]).await;
    let id = peer.client().id();
    // A goodbye in the peer's name, signed by us.
    let mut goodbye = advert(&bare.key, "peer", vec![]);
    (goodbye.id, goodbye.leaving, goodbye.seq) = (id.to_bytes(), true, u64::MAX);
    bare.tell(vec![goodbye.sign(&bare.key).expect("signs")]).await;
    // A sequence number that leaves no room for another.
    let mut last = advert(&bare.key, "last", vec![]);
    last.seq = u64::MAX;
    bare.tell(vec![last.sign(&bare.key).expect("signs")]).await;
    bare.tell(vec![bare.advert("after", vec![])]).await;
    assert!(node.client().snapshot().peers.contains_key(&id), "a forged goodbye was believed");
    still_serves(&node).await;
}

/// A client in another language need not serve: it takes no requests and answers no exchange.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_asks_is_left_alone() {
    let (service, _) = Work::new(100.0, Does::Sleep(Duration::from_secs(12)));
    let node = Setup::new("node").tcp().with(service).start().await;
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    // Longer than the time between two exchanges with neighbours.
    let answer = bare.call(good_call()).await;
    assert!(matches!(answer, CallOutcome::Done(_)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_calls_holds_up_nobody() {
    let (node, bare) = node_and_bare().await;
    let flood = async {
        let mut line = bare.line().await.expect("a line");
        let mut answered = 0;
        for first in (0..3000u64).step_by(200) {
            for call in first..first + 200 {
                let ask = Ask::Call(CallRequest { call, ..good_call() });
                line.ask(&ask).await.expect("written");
            }
            for _ in 0..200 {
                line.hear().await.expect("an answer");
                answered += 1;
            }
        }
        answered
    };
    let other = still_serves(&node);
    let (answered, ()) = tokio::join!(flood, other);
    assert_eq!(answered, 3000, "each is answered, if only with busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_services_that_are_not_there_or_with_odd_arguments_are_faults() {
    let (node, bare) = node_and_bare().await;
    let table: [(&str, Change, FaultKind); 4] = [
        ("unknown", &|c| c.capability = "nope/1".into(), FaultKind::NotOffered),
        ("no name", &|c| c.capability = String::new(), FaultKind::NotOffered),
        ("no arguments", &|c| c.args = vec![], FaultKind::NotUnderstood),
        ("odd arguments", &|c| c.args = vec![0x9f; 60_000], FaultKind::NotUnderstood),
    ];
    for (name, change, wanted) in table {
        let mut request = good_call();
        change(&mut request);
        match bare.call(request).await {
            CallOutcome::Failed(fault) => assert_eq!(fault.kind, wanted, "{name}: {fault}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let mut line = bare.line().await.expect("a line");
    line.ask(&Ask::Cancel { call: 99 }).await.expect("written");
    assert!(matches!(line.call(good_call()).await, Ok(CallOutcome::Done(_))));
    assert_eq!(bare.request(&Request::Parting).await, Response::Done);
    still_serves(&node).await;
}

/// An asker, an honest slow server, and a bare peer that promises much.
async fn tempted() -> (Node, Node, Bare) {
    let asker = Setup::new("asker").tcp().start().await;
    let (service, _) = Work::new(1.0, Does::Answer);
    let honest = Setup::new("honest").tcp().with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &honest]).await;
    let bare = Bare::connect(&address(&asker), asker.client().id()).await;
    bare.beat();
    (asker, honest, bare)
}

async fn promise(asker: &Node, bare: &Bare) {
    bare.tell(vec![bare.advert("liar", vec![tempting(WORK)])]).await;
    let id = bare.id();
    until(asker, "the promise", |s| s.peers.contains_key(&id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_accepts_and_never_answers_does_not_keep_a_call() {
    let (asker, honest, bare) = tempted().await;
    let mut incoming = bare.accept(CALL_PROTOCOL);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Some((_, stream)) = incoming.next().await {
            held.push(stream);
        }
    });
    promise(&asker, &bare).await;
    let call = Call { timeout: Duration::from_secs(20), ..work() };
    let reply = asker.client().call(call).await.expect("the honest one answers in time");
    assert_eq!(reply.served_by.name, "honest");
    assert_eq!(reply.route[0].name, "liar", "{:?}", reply.route);
    // Alone, it costs no more than the deadline.
    honest.stop().await;
    let call = Call { timeout: Duration::from_secs(1), ..work() };
    let failure = asker.client().call(call).await.expect_err("nobody answers");
    assert_eq!(failure.kind, FailureKind::TimedOut, "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_beating_does_not_keep_a_call() {
    let asker = Setup::new("asker").tcp().start().await;
    let (service, _) = Work::new(1.0, Does::Answer);
    let honest = Setup::new("honest").tcp().with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &honest]).await;
    let bare = Bare::connect(&address(&asker), asker.client().id()).await;
    let (mut calls, mut pulses) = (bare.accept(CALL_PROTOCOL), bare.accept(PULSE_PROTOCOL));
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            tokio::select! {
                Some((_, stream)) = calls.next() => held.push(stream),
                Some((_, stream)) = pulses.next() => held.push(stream),
                else => break,
            }
        }
    });
    promise(&asker, &bare).await;
    let call = Call { timeout: Duration::from_secs(30), ..work() };
    let reply = asker.client().call(call).await.expect("the honest one answers in time");
    assert_eq!(reply.served_by.name, "honest");
    let id = bare.id();
    until(&asker, "the silent one gone", |s| !s.peers.contains_key(&id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_as_an_answer_sends_the_call_to_the_next_node() {
    let other = framed(&cbor(&Response::Done));
    for (name, answer) in [
        ("nothing", vec![]),
        ("text", b"HTTP/1.1 200 OK".to_vec()),
        ("arrays in arrays", vec![0x81; 500_000]),
        ("an answer to something else", other),
        ("a frame of nothing", framed(&[])),
        ("half of a frame", vec![0, 0, 1, 0, 0xa1]),
        ("a frame of 4 GiB", vec![0xff; 64]),
        ("two megabytes", vec![0x41; 2 << 20]),
    ] {
        let (asker, _honest, bare) = tempted().await;
        let mut incoming = bare.accept(CALL_PROTOCOL);
        let with = answer.clone();
        tokio::spawn(async move {
            while let Some((_, mut stream)) = incoming.next().await {
                let answer = with.clone();
                tokio::spawn(async move {
                    let mut asked = [0; 8];
                    let _ = stream.read_exact(&mut asked).await;
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.close().await;
                });
            }
        });
        promise(&asker, &bare).await;
        let reply = asker.client().call(work()).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(outcomes(&reply.route), ["lost", "answered"], "{name}: {:?}", reply.route);
        assert_eq!(reply.served_by.name, "honest", "{name}");
    }
}

/// What a bare caller does to the blob that it offers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Serves {
    /// Breaks each stream after one group.
    Broken,
    /// Sends other bytes than announced.
    Wrong,
    /// Sends other hashes of the groups than announced.
    WrongOutline,
    /// Says that it has no such blob.
    Nothing,
}

/// Serves blob streams as `docs/protocol.md` says, apart from the one thing that is wrong. Gives
/// the first group that each stream asked for.
fn serve_blob(bare: &Bare, bytes: Vec<u8>, how: Serves) -> tokio::sync::mpsc::Receiver<u32> {
    let (sender, asked) = tokio::sync::mpsc::channel(64);
    let mut incoming = bare.accept(BLOB_PROTOCOL);
    let outline = Outline::of(&bytes);
    tokio::spawn(async move {
        while let Some((_, mut stream)) = incoming.next().await {
            let mut ask = [0; 36];
            if stream.read_exact(&mut ask).await.is_err() {
                continue;
            }
            assert_eq!(ask[..32], outline.root());
            let first = u32::from_be_bytes(ask[32..].try_into().expect("4 bytes"));
            let _ = sender.try_send(first);
            if how == Serves::Nothing {
                let _ = stream.write_all(&[1]).await;
                let _ = stream.close().await;
                continue;
            }
            let mut head = vec![0];
            head.extend(outline.size().to_be_bytes());
            head.extend(outline.groups().as_flattened());
            let mut body = bytes[first as usize * GROUP..].to_vec();
            match how {
                Serves::Broken => body.truncate(GROUP + 1000),
                Serves::Wrong => body[GROUP + 5] ^= 1,
                _ => head[20] ^= 1,
            }
            let _ = stream.write_all(&head).await;
            let _ = stream.write_all(&body).await;
            let _ = stream.close().await;
        }
    });
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_goes_on_behind_the_last_good_group() {
    let (_node, bare) = node_and_bare().await;
    let bytes: Vec<u8> = (0..5 * GROUP + 77).map(|n| (n / 3) as u8).collect();
    let (hash, size) = (*blake3::hash(&bytes).as_bytes(), bytes.len() as u64);
    let mut asked = serve_blob(&bare, bytes, Serves::Broken);
    let input = Some(Payload::Blob { hash, size });
    let answer = bare.call(CallRequest { input, ..good_call() }).await;
    let CallOutcome::Done(output) = answer else { panic!("not done: {answer:?}") };
    let got: mesh::Response = protocol::decode(&output.body).expect("a response");
    assert_eq!((got.bytes, got.hash), (size, blake3::Hash::from(hash).to_hex().to_string()));
    let mut starts = Vec::new();
    while let Ok(first) = asked.try_recv() {
        starts.push(first);
    }
    assert_eq!(starts, [0, 1, 2, 3, 4], "each stream begins where the one before it broke");
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_are_not_what_was_announced_are_not_taken() {
    for how in [Serves::Wrong, Serves::WrongOutline, Serves::Nothing] {
        let (node, bare) = node_and_bare().await;
        let bytes: Vec<u8> = vec![5; 3 * GROUP];
        let (hash, size) = (*blake3::hash(&bytes).as_bytes(), bytes.len() as u64);
        let _asked = serve_blob(&bare, bytes, how);
        let input = Some(Payload::Blob { hash, size });
        match bare.call(CallRequest { input, ..good_call() }).await {
            CallOutcome::Failed(fault) => assert_eq!(fault.kind, FaultKind::InputLost, "{how:?}"),
            other => panic!("{how:?}: {other:?}"),
        }
        still_serves(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_beyond_the_limit_is_refused_before_it_is_fetched() {
    let (node, bare) = node_and_bare().await;
    let mut fetches = bare.accept(BLOB_PROTOCOL);
    for size in [65 << 20, u64::MAX] {
        let input = Some(Payload::Blob { hash: [1; 32], size });
        match bare.call(CallRequest { input, ..good_call() }).await {
            CallOutcome::Failed(fault) => assert_eq!(fault.kind, FaultKind::TooLarge, "{size}"),
            other => panic!("{size}: {other:?}"),
        }
    }
    still_serves(&node).await;
    assert!(futures::FutureExt::now_or_never(fetches.next()).is_none(), "it was fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_fetch_what_was_offered_to_another() {
    let asker = Setup::new("asker").tcp().start().await;
    let (service, seen) = Work::new(1.0, Does::Answer);
    let server = Setup::new("server").tcp().with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let bytes: Vec<u8> = vec![9; 3 * GROUP];
    let hash = *blake3::hash(&bytes).as_bytes();
    // The input stays on offer while the server sleeps.
    seen.now(Does::Sleep(Duration::from_secs(3600)));
    let call = work_on(CallInput::Bytes(bytes.into()));
    let call = mesh::spawn(&asker.client(), Call { timeout: Duration::from_secs(3600), ..call });
    mesh::until_count("calls at the server", &seen.running, 1).await;
    let bare = Bare::connect(&address(&asker), asker.client().id()).await;
    let mut stream = bare.open(BLOB_PROTOCOL).await.expect("a stream");
    stream.write_all(&[&hash[..], &[0; 4]].concat()).await.expect("written");
    stream.flush().await.expect("flushed");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    assert_eq!(answer, [1], "not offered");
    call.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_arrive_together_are_all_served() {
    let (node, _) = node_and_bare().await;
    for round in 0..8 {
        let (at, id) = (address(&node), node.client().id());
        let bares = futures::future::join_all((0..4).map(|_| Bare::connect(&at, id))).await;
        let opened = bares.iter().flat_map(|bare| (0..8).map(|_| bare.open(PULSE_PROTOCOL)));
        let beats = futures::future::join_all(opened).await.into_iter().map(|opened| async move {
            let mut stream = opened.expect("opened");
            stream.write_all(b"p").await?;
            stream.flush().await?;
            let mut byte = [0];
            stream.read_exact(&mut byte).await.map(|()| (byte, stream))
        });
        for (nth, beat) in futures::future::join_all(beats).await.into_iter().enumerate() {
            assert_eq!(beat.expect("answered").0, *b"p", "round {round}, stream {nth}");
        }
    }
}
