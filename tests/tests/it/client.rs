//! The client: one suite for a node in this process and for one behind its control socket.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use potluck::{
    Client, Node,
    client::{
        Call, CallFailure, CallInput, Event, FailureKind, Subscription, View, decode, encode,
    },
    control::ControlServer,
    journal::Side,
    services::about,
};
use potluck_tests::mesh::{
    Does, PATIENCE, Seen, Setup, WORK, Work, all_see_all, attachment, response, until_count, work,
    work_on,
};

/// Where the client's node is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    InThisProcess,
    Attached,
}

/// A node that offers nothing beside one that offers `work/1`, with a client of the first.
struct Pair {
    client: Client,
    mine: Node,
    server: Node,
    seen: Arc<Seen>,
    _control: Option<ControlServer>,
    _folder: tempfile::TempDir,
}

async fn client_of(kind: Kind, node: &Node) -> (Client, Option<ControlServer>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    if kind == Kind::InThisProcess {
        return (node.client(), None, folder);
    }
    let socket = folder.path().join("control.sock");
    assert!(Client::attach(&socket).await.expect("no error").is_none(), "nobody listens yet");
    let control = ControlServer::bind(&socket, node).expect("binds");
    let client = Client::attach(&socket).await.expect("no error").expect("it listens");
    (client, Some(control), folder)
}

async fn pair(kind: Kind, does: Does) -> Pair {
    let mine = Setup::new("mine").start().await;
    let (service, seen) = Work::new(1000.0, does);
    let server = Setup::new("server").with(service.slots(64)).joining(&mine).start().await;
    all_see_all(&[&mine, &server]).await;
    let (client, control, folder) = client_of(kind, &mine).await;
    Pair { client, mine, server, seen, _control: control, _folder: folder }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_others_what_its_capabilities_take() {
    for kind in [Kind::InThisProcess, Kind::Attached] {
        let pair = pair(kind, Does::Answer).await;
        let ask = async |capability: &str, only| {
            let request = about::Request { capability: capability.to_owned() };
            let call = Call {
                capability: about::NAME.to_owned(),
                variant: None,
                args: encode(&request).expect("encodes"),
                input: None,
                timeout: PATIENCE,
                only,
                progress: None,
            };
            let reply = pair.client.call(call).await?;
            Ok::<_, CallFailure>(decode::<about::Response>(&reply.body).expect("about it").about)
        };
        let (there, here) = (Some(pair.server.client().id()), Some(pair.mine.client().id()));
        let work = ask(WORK, there).await.expect("told").expect("it has it");
        assert!(!work.summary.is_empty() && !work.file, "{work:?}");
        // Who has it not says so, and nobody in particular cannot be asked.
        assert_eq!(ask(WORK, here).await.expect("told"), None);
        assert_eq!(ask("mail/1", there).await.expect("told"), None);
        let nobody = ask(WORK, None).await.expect_err("nobody was named");
        assert_eq!(nobody.kind, FailureKind::NobodyServes);
    }
}

/// Waits for what is looked for, and gives the view as it is then.
async fn follow(
    events: &mut Subscription,
    view: &mut View,
    what: &str,
    mut so: impl FnMut(&View, &Event) -> bool,
) {
    let seen = async {
        while let Some(event) = events.next().await {
            view.apply(event.clone());
            if so(view, &event) {
                return;
            }
        }
        panic!("the events ended before {what}");
    };
    assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "not seen: {what}; {view:?}");
}

/// A test that runs with both kinds of client.
macro_rules! with_both_kinds {
    ($($name:ident)*) => {
        mod in_this_process {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Kind::InThisProcess).await;
            })*
        }
        mod attached {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Kind::Attached).await;
            })*
        }
    };
}

with_both_kinds! {
    it_knows_its_node_and_the_mesh
    bytes_and_files_of_any_size_go_along
    answers_bring_their_files
    progress_arrives
    a_call_that_is_dropped_stops_everywhere
    many_calls_run_at_once
    failures_are_told
    capabilities_are_switched_off_and_on
    it_joins_others
    the_view_comes_first_and_then_what_changes
    calls_are_followed_from_both_ends
    whoever_is_too_slow_sees_everything_once_more
    the_end_of_the_node_is_noticed
}

async fn it_knows_its_node_and_the_mesh(kind: Kind) {
    let Pair { client, mine, server, .. } = &pair(kind, Does::Answer).await;
    assert_eq!((client.id(), client.name()), (mine.client().id(), "mine"));
    let snapshot = client.snapshot();
    assert_eq!(snapshot.listen, mine.client().snapshot().listen);
    let view = snapshot.peers.get(&server.client().id()).expect("it is there");
    assert_eq!((view.advert.name.as_str(), view.connected, view.met), ("server", true, true));
    assert!(view.advert.offer(WORK).is_some());
    assert!(client.offers().is_empty() && client.troubles().is_empty());
    let facts = client.facts().await.expect("facts");
    assert_eq!((facts.peers_known, facts.peers_connected, facts.mdns), (1, 1, false));
    let (there, _control, _folder) = client_of(kind, server).await;
    client.call(work()).await.expect("answered");
    let counters = there.counters().await.expect("counters");
    assert_eq!(counters.iter().map(|(n, c)| (n.as_str(), c.done)).collect::<Vec<_>>(), [(WORK, 1)]);
    assert_eq!(there.offers().len(), 1);
}

async fn bytes_and_files_of_any_size_go_along(kind: Kind) {
    let pair = pair(kind, Does::Answer).await;
    for size in [0, 1, 200_000, 300_000, 3 << 20, 9 << 20] {
        let bytes = attachment(size);
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &bytes).expect("written");
        let inputs = [CallInput::Bytes(bytes.into()), CallInput::File(file.path().to_owned())];
        for input in inputs {
            let reply = pair.client.call(work_on(input)).await.expect("answered");
            let arrived = response(&reply);
            assert_eq!((arrived.bytes, arrived.hash), (size as u64, hash.clone()));
            assert_eq!(reply.served_by.name, "server");
            assert_eq!(reply.route.len(), 1);
        }
    }
}

async fn answers_bring_their_files(kind: Kind) {
    let pair = pair(kind, Does::Answer).await;
    for size in [1, 200_000, 5 << 20] {
        pair.seen.now(Does::Attach(size));
        let reply = pair.client.call(work()).await.expect("answered");
        let data = reply.data.expect("it came along");
        assert_eq!(data.read().expect("read")[..], attachment(size)[..]);
    }
}

async fn progress_arrives(kind: Kind) {
    let pair = pair(kind, Does::Progress).await;
    let (progress, mut steps) = tokio::sync::mpsc::channel(8);
    let mut call = work();
    call.progress = Some(progress);
    pair.client.call(call).await.expect("answered");
    let mut told = vec![];
    while let Some(step) = steps.recv().await {
        told.push((step.percent, step.note));
    }
    assert_eq!(told, [10, 50, 90].map(|percent| (percent, format!("{percent} %"))));
}

async fn a_call_that_is_dropped_stops_everywhere(kind: Kind) {
    let pair = pair(kind, Does::Compute).await;
    let client = pair.client.clone();
    let task = tokio::spawn(async move { client.call(work()).await });
    until_count("running", &pair.seen.running, 1).await;
    task.abort();
    until_count("running", &pair.seen.running, 0).await;
    assert_eq!(pair.seen.started.load(SeqCst), 1);
}

async fn many_calls_run_at_once(kind: Kind) {
    let pair = pair(kind, Does::Sleep(Duration::from_millis(50))).await;
    let calls = (0..100u32).map(|n| {
        let client = &pair.client;
        async move {
            let bytes = n.to_be_bytes();
            let reply = client.call(work_on(CallInput::Bytes(bytes[..].into()))).await?;
            assert_eq!(response(&reply).hash, blake3::hash(&bytes).to_hex().to_string());
            Ok::<_, potluck::client::CallFailure>(())
        }
    });
    let ended = futures::future::join_all(calls).await;
    assert!(ended.iter().all(Result::is_ok), "{ended:?}");
}

async fn failures_are_told(kind: Kind) {
    let pair = pair(kind, Does::Answer).await;
    let mut nobody = work();
    nobody.capability = "nothing/1".into();
    let failure = pair.client.call(nobody).await.expect_err("nobody offers it");
    assert_eq!(failure.kind, FailureKind::NobodyServes, "{failure}");
    let gone = CallInput::File("/there/is/no/such/file".into());
    let failure = pair.client.call(work_on(gone)).await.expect_err("no such file");
    assert_eq!(failure.kind, FailureKind::BadInput, "{failure}");
    pair.seen.now(Does::Panic);
    let failure = pair.client.call(work()).await.expect_err("it panics");
    assert_eq!(failure.kind, FailureKind::PeerFailed, "{failure}");
    assert!(!failure.route.is_empty());
    pair.seen.now(Does::Compute);
    let mut short = work();
    short.timeout = Duration::from_millis(300);
    let failure = pair.client.call(short).await.expect_err("it never ends");
    assert_eq!(failure.kind, FailureKind::TimedOut, "{failure}");
}

async fn capabilities_are_switched_off_and_on(kind: Kind) {
    let Pair { mine, server, .. } = &pair(kind, Does::Answer).await;
    let (there, _control, _folder) = client_of(kind, server).await;
    let mut watch = mine.client().watch();
    for on in [false, true, false] {
        there.offer(WORK, on).await.expect("agreed");
        let id = server.client().id();
        let seen = watch.wait_for(|snapshot| {
            snapshot.peers.get(&id).is_some_and(|view| view.advert.offer(WORK).is_some() == on)
        });
        assert!(tokio::time::timeout(PATIENCE, seen).await.is_ok(), "{on}");
        // An attached client hears it over its own connection.
        let told = async {
            while there.offers().len() != usize::from(on) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, told).await.is_ok(), "{on}: {:?}", there.offers());
    }
}

async fn it_joins_others(kind: Kind) {
    let (one, other) = (Setup::new("one").start().await, Setup::new("other").start().await);
    let (client, _control, _folder) = client_of(kind, &one).await;
    let mut watch = client.watch();
    client.join(other.client().snapshot().listen.clone()).await.expect("agreed");
    let id = other.client().id();
    let met = watch.wait_for(|snapshot| snapshot.peers.contains_key(&id));
    assert!(tokio::time::timeout(PATIENCE, met).await.is_ok());
}

async fn the_view_comes_first_and_then_what_changes(kind: Kind) {
    let Pair { client, mine, server, .. } = &pair(kind, Does::Answer).await;
    let mut events = client.subscribe().await.expect("follows");
    let Some(Event::View(first)) = events.next().await else { panic!("not the view") };
    assert!(first.mesh.peers.contains_key(&server.client().id()));
    assert_eq!(first.own.listen.len(), mine.client().snapshot().listen.len());
    let mut view = *first;
    let late = Setup::new("late").joining(mine).start().await;
    let id = late.client().id();
    follow(&mut events, &mut view, "one that comes", |view, _| view.mesh.peers.contains_key(&id))
        .await;
    late.stop().await;
    let mut told = None;
    follow(&mut events, &mut view, "one that leaves", |view, event| {
        if let Event::Gone { id: who, name, reason } = event
            && *who == id.to_string()
        {
            told = Some((name.clone(), reason.to_string()));
        }
        told.is_some() && !view.mesh.peers.contains_key(&id)
    })
    .await;
    assert_eq!(told, Some(("late".to_owned(), "said goodbye".to_owned())));
}

async fn calls_are_followed_from_both_ends(kind: Kind) {
    let Pair { client, mine, server, .. } = &pair(kind, Does::Progress).await;
    let (there, _control_there, _folder_there) = client_of(kind, server).await;
    let (mut asked, mut served) =
        (client.subscribe().await.expect("follows"), there.subscribe().await.expect("follows"));
    let reply = client.call(work_on(CallInput::Bytes(b"abc"[..].into()))).await.expect("answered");
    for (events, side) in
        [(&mut asked, Side::Asked), (&mut served, Side::Served { caller: mine.client().id() })]
    {
        let (mut view, mut percents) = (View::default(), vec![]);
        follow(events, &mut view, "the end of the call", |_, event| {
            let Event::Call(record) = event else { return false };
            assert_eq!((&record.side, record.capability.as_str()), (&side, WORK));
            assert_eq!(record.bytes, 3);
            percents.extend(record.progress.as_ref().map(|step| step.percent));
            record.end.is_some()
        })
        .await;
        percents.dedup();
        assert_eq!(percents, [10, 50, 90], "{kind:?} {side:?}");
        let end = view.calls.last().and_then(|record| record.end.clone()).expect("ended");
        assert_eq!(end.failure, None);
        if side == Side::Asked {
            assert_eq!(
                (end.route, end.served_by),
                (reply.route.clone(), Some(reply.served_by.clone()))
            );
        }
        // And whoever comes later finds it in the view.
        let source = if side == Side::Asked { client } else { &there };
        let mut later = source.subscribe().await.expect("follows");
        let Some(Event::View(now)) = later.next().await else { panic!("not the view") };
        assert_eq!(now.calls, view.calls);
    }
}

async fn whoever_is_too_slow_sees_everything_once_more(kind: Kind) {
    let Pair { client, .. } = &pair(kind, Does::Answer).await;
    let mut events = client.subscribe().await.expect("follows");
    // More than any queue on the way holds, while nobody reads.
    for _ in 0..125 {
        let calls = (0..16).map(|_| client.call(work()));
        let ended = futures::future::join_all(calls).await;
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    }
    let (mut view, mut views) = (View::default(), 0);
    let newest = |view: &View| view.calls.iter().map(|record| record.number).max();
    follow(&mut events, &mut view, "the last call", |view, event| {
        views += usize::from(matches!(event, Event::View(_)));
        views > 1 && newest(view) == Some(2000)
    })
    .await;
    assert!(view.calls.iter().all(|record| record.end.is_some()));
    // It goes on from there.
    client.call(work()).await.expect("answered");
    follow(&mut events, &mut view, "a further call", |view, _| newest(view) == Some(2001)).await;
}

async fn the_end_of_the_node_is_noticed(kind: Kind) {
    let Pair { client, mine, server: _server, _control, .. } = pair(kind, Does::Answer).await;
    let mut events = client.subscribe().await.expect("follows");
    mine.stop().await;
    drop(_control);
    let ended = async { while events.next().await.is_some() {} };
    assert!(tokio::time::timeout(PATIENCE, ended).await.is_ok());
    let failure = client.call(work()).await.expect_err("nobody is there");
    assert!(!failure.message.is_empty() && failure.kind != FailureKind::BadInput, "{failure:?}");
}

/// A node of another version, or something else altogether, on the control socket.
#[cfg(unix)]
#[tokio::test]
async fn a_node_of_another_version_is_refused_with_a_sentence() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let welcome = |control: u32| {
        let body = potluck::protocol::encode(&std::collections::BTreeMap::from([
            ("control", serde_json::json!(control)),
            ("program", serde_json::json!("9.9.9")),
            ("id", serde_json::json!("nobody")),
            ("name", serde_json::json!("x")),
        ]))
        .expect("encodes");
        [&(body.len() as u32).to_be_bytes()[..], &body].concat()
    };
    for (answer, says) in [
        (welcome(99), "9.9.9"),
        (welcome(1), "stop it and start it again"),
        (b"\0\0\0\x01x".to_vec(), "older"),
        (vec![0xff; 64], "older"),
        (vec![], "went away"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("control.sock");
        let listener = tokio::net::UnixListener::bind(&socket).expect("binds");
        let old = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(&answer).await;
        });
        let error = Client::attach(&socket).await.err().expect("refused").to_string();
        assert!(error.contains(says), "{error}");
        old.await.expect("no panic");
    }
}
