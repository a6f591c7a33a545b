//! Peers that keep to the protocol and dawdle or crowd: others are served meanwhile, and memory
//! stays bounded.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use potluck::{
    Node,
    blobs::{GROUP, Outline},
    client::Call,
    protocol::{
        self, Ask, BLOB_PROTOCOL, CallOutcome, CallRequest, FaultKind, MAX_DEADLINE_MS,
        MAX_RUNNING, Payload, Tell,
    },
};
use potluck_tests::{
    bare::{Bare, Line},
    mesh::{self, Does, Seen, Setup, WORK, Work, address, all_see_all, until_count, work, work_at},
};

const FOREVER: Duration = Duration::from_secs(3600);

/// A node on loopback that offers `work/1` on so many slots, and a bare peer connected to it.
async fn node_and_bare(does: Does, slots: u16) -> (Node, Bare, std::sync::Arc<Seen>) {
    let (service, seen) = Work::new(100.0, does);
    let node = Setup::new("node").tcp().with(service.slots(slots)).start().await;
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    (node, bare, seen)
}

fn numbered(call: u64) -> CallRequest {
    CallRequest {
        call,
        capability: WORK.to_owned(),
        deadline_ms: MAX_DEADLINE_MS,
        args: work().args,
        input: None,
        progress: false,
    }
}

async fn ask(line: &mut Line, request: CallRequest) -> std::io::Result<()> {
    line.ask(&Ask::Call(request)).await
}

/// Calls that are said at most where nothing pushes back.
const MANY: u64 = 10_000;

/// Says calls in batches that the node has room for, until it takes no more of them.
async fn says_all_it_can(line: &mut Line, seen: &Seen) -> u64 {
    for call in 0..MANY {
        let said = tokio::time::timeout(Duration::from_secs(3), ask(line, numbered(call))).await;
        if !said.is_ok_and(|written| written.is_ok()) {
            return call;
        }
        if call % 20 == 19 {
            // Those before are done or will not be: none is turned away because of the others.
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if seen.running.load(SeqCst) == 0 && seen.started.load(SeqCst) as u64 > call {
                    break;
                }
            }
        }
    }
    MANY
}

/// Another node asks, and is answered although the bare peer does what it does.
async fn another_is_served(node: &Node) {
    let asker = Setup::new("asker").tcp().joining(node).start().await;
    all_see_all(&[&asker, node]).await;
    let call = Call { timeout: mesh::PATIENCE, ..work_at(node.client().id()) };
    asker.client().call(call).await.expect("another caller is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answers_gets_few_calls_done() {
    let (node, bare, seen) = node_and_bare(Does::Answer, 8).await;
    let mut line = bare.line().await.expect("a line");
    let said = says_all_it_can(&mut line, &seen).await;
    // What the stream itself takes (its window has 256 KiB, an answer here some 150 bytes), what
    // waits, and what runs.
    let started = seen.started.load(SeqCst);
    assert!(started < 4_000, "{started} of {said} calls were done and nobody took an answer");
    assert!(said < MANY, "nothing pushed back");
    another_is_served(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_hold_little_memory_however_large_they_are() {
    const ANSWER: usize = 250_000;
    let (node, bare, seen) = node_and_bare(Does::Attach(ANSWER), 8).await;
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = bare.line().await.expect("a line");
        says_all_it_can(&mut line, &seen).await;
        lines.push(line);
    }
    // 8 MiB wait for a peer; a line is not read beyond 1 MiB.
    let held = seen.started.load(SeqCst) * ANSWER;
    assert!(held < 64 << 20, "{held} bytes were made for a peer that takes none");
    seen.now(Does::Answer);
    another_is_served(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_answers_in_drips_is_hung_up_on() {
    let (node, bare, _) = node_and_bare(Does::Attach(200_000), 8).await;
    let (mut reading, mut writing) = bare.line().await.expect("a line").stream.split();
    for call in 0..40 {
        let frame = potluck_tests::bare::framed(
            &protocol::encode(&Ask::Call(numbered(call))).expect("encodes"),
        );
        writing.write_all(&frame).await.expect("written");
    }
    writing.flush().await.expect("flushed");
    // A little every second: never silent for the 20 s that a caller has.
    let drips = async {
        let mut taken = 0;
        while let Ok(count @ 1..) = reading.read(&mut [0; 1000]).await {
            taken += count;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        taken
    };
    // Its end is seen when the buffered rest has been read, so another line tells.
    let hung_up = async {
        while writing.write_all(&[0; 4]).await.is_ok() && writing.flush().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        _ = drips => {}
        ended = tokio::time::timeout(mesh::PATIENCE, hung_up) => ended.expect("it is hung up on"),
    }
    another_is_served(&node).await;
}

/// Serves blobs in drips: 16 bytes every 4 s, never silent for as long as a transfer may be.
fn drip(bare: &Bare, bytes: Vec<u8>) {
    let mut incoming = bare.accept(BLOB_PROTOCOL);
    let outline = Outline::of(&bytes);
    tokio::spawn(async move {
        while let Some((_, mut stream)) = incoming.next().await {
            let (bytes, outline) = (bytes.clone(), outline.clone());
            tokio::spawn(async move {
                stream.read_exact(&mut [0; 36]).await?;
                let size = outline.size().to_be_bytes();
                stream.write_all(&[&[0][..], &size].concat()).await?;
                stream.write_all(outline.groups().as_flattened()).await?;
                for some in bytes.chunks(16) {
                    stream.write_all(some).await?;
                    stream.flush().await?;
                    tokio::time::sleep(Duration::from_secs(4)).await;
                }
                std::io::Result::Ok(())
            });
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_drips_in_holds_no_slot_and_ends() {
    let (node, bare, seen) = node_and_bare(Does::Answer, 1).await;
    let bytes = vec![5; 3 * GROUP];
    let (hash, size) = (*blake3::hash(&bytes).as_bytes(), bytes.len() as u64);
    drip(&bare, bytes);
    let mut line = bare.line().await.expect("a line");
    let input = Some(Payload::Blob { hash, size });
    for call in 0..3 {
        let dripping = CallRequest { input: input.clone(), ..numbered(call) };
        ask(&mut line, dripping).await.expect("written");
    }
    another_is_served(&node).await;
    assert_eq!(seen.started.load(SeqCst), 1, "only the honest call has run");
    for _ in 0..3 {
        let told = tokio::time::timeout(mesh::PATIENCE, line.hear()).await;
        match told.expect("a deadline of an hour does not help").expect("an answer") {
            Tell::Answer { answer, .. } => assert!(
                matches!(&answer.outcome, CallOutcome::Failed(f) if f.kind == FaultKind::InputLost),
                "{answer:?}"
            ),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until so many calls run or wait, as further calls of a crowd are told that find no place.
async fn until_there(line: &mut Line, wanted: u16) {
    let told = async {
        for call in 1_000.. {
            ask(line, numbered(call)).await.expect("written");
            match line.hear().await.expect("an answer") {
                Tell::Answer { answer, .. } if answer.queue == wanted => return,
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    tokio::time::timeout(mesh::PATIENCE, told).await.expect("there is a place for another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_many_calls_takes_turns_with_another() {
    let (node, bare, seen) = node_and_bare(Does::Sleep(FOREVER), 1).await;
    let mut line = bare.line().await.expect("a line");
    for call in 0..100 {
        ask(&mut line, numbered(call)).await.expect("written");
        if call == 0 {
            until_count("calls that run", &seen.running, 1).await;
        }
    }
    // One runs, a quarter of the queue of 64 waits, the others are told so at once.
    for _ in 0..100 - 17 {
        let told = tokio::time::timeout(mesh::PATIENCE, line.hear()).await;
        let Ok(Ok(Tell::Answer { answer, .. })) = told else { panic!("{told:?}") };
        let CallOutcome::Busy { retry_after_ms } = answer.outcome else { panic!("{answer:?}") };
        assert!(retry_after_ms >= 20);
    }
    let asker = Setup::new("asker").tcp().joining(&node).start().await;
    all_see_all(&[&asker, &node]).await;
    let id = node.client().id();
    let other = mesh::spawn(&asker.client(), Call { timeout: FOREVER, ..work_at(id) });
    until_there(&mut line, 18).await;
    seen.now(Does::Answer);
    line.ask(&Ask::Cancel { call: 0 }).await.expect("written");
    other.await.expect("no panic").expect("answered");
    let order = seen.order();
    let turn = order.iter().position(|who| *who == asker.client().id());
    assert_eq!(turn, Some(2), "after one more of the 16 that waited before it: {order:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_own_person_is_served_beside_a_crowd() {
    let (node, bare, seen) = node_and_bare(Does::Sleep(FOREVER), 1).await;
    let mut line = bare.line().await.expect("a line");
    ask(&mut line, numbered(0)).await.expect("written");
    until_count("calls that run", &seen.running, 1).await;
    for call in 1..MAX_RUNNING as u64 {
        ask(&mut line, numbered(call)).await.expect("written");
    }
    let own = mesh::spawn(&node.client(), Call { timeout: FOREVER, ..work() });
    until_there(&mut line, 18).await;
    seen.now(Does::Answer);
    line.ask(&Ask::Cancel { call: 0 }).await.expect("written");
    own.await.expect("no panic").expect("answered");
    let order = seen.order();
    let turn = order.iter().position(|who| *who == node.client().id());
    assert_eq!(turn, Some(2), "after one more of the crowd: {order:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_of_no_bytes_arrives_as_a_blob_too() {
    let (node, bare, _) = node_and_bare(Does::Answer, 1).await;
    let mut incoming = bare.accept(BLOB_PROTOCOL);
    let empty = Outline::of(&[]);
    let (hash, sent) = (empty.root(), empty.clone());
    tokio::spawn(async move {
        while let Some((_, mut stream)) = incoming.next().await {
            let head = [&[0][..], &0u64.to_be_bytes(), sent.groups().as_flattened()].concat();
            let _ = stream.read_exact(&mut [0; 36]).await;
            let _ = stream.write_all(&head).await;
            let _ = stream.close().await;
        }
    });
    let input = Some(Payload::Blob { hash, size: 0 });
    let call = bare.call(CallRequest { input, ..numbered(1) });
    let outcome = tokio::time::timeout(mesh::PATIENCE, call).await.expect("it does not hang");
    let CallOutcome::Done(output) = outcome else { panic!("not done: {outcome:?}") };
    let got: mesh::Response = protocol::decode(&output.body).expect("a response");
    assert_eq!((got.bytes, got.hash), (0, blake3::hash(&[]).to_hex().to_string()));
    another_is_served(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_beyond_the_budget_of_the_disk_are_told_busy() {
    let (service, _) = Work::new(100.0, Does::Answer);
    let node = Setup::new("node").tcp().with(service);
    let node = node.configured(|c| c.services.disk_mib = 4).start().await;
    let bare = Bare::connect(&address(&node), node.client().id()).await;
    let mut fetches = bare.accept(BLOB_PROTOCOL);
    let mut line = bare.line().await.expect("a line");
    let input = |mib: u64| Some(Payload::Blob { hash: [1; 32], size: mib << 20 });
    ask(&mut line, CallRequest { input: input(2), ..numbered(0) }).await.expect("written");
    let fetched = fetches.next().await.expect("the first is fetched");
    // It has reserved all that one peer may have, before a byte of it has come.
    ask(&mut line, CallRequest { input: input(1), ..numbered(1) }).await.expect("written");
    match line.hear().await.expect("an answer") {
        Tell::Answer { call: 1, answer } => {
            assert!(matches!(answer.outcome, CallOutcome::Busy { .. }), "{answer:?}");
        }
        other => panic!("{other:?}"),
    }
    drop(fetched);
    another_is_served(&node).await;
}
