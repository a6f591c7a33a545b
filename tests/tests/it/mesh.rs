//! Routing, admission, deadlines, cancel, hedging and large inputs between real nodes in one process.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use potluck::{
    client::{Call, CallInput, FailureKind},
    protocol::FaultKind,
};
use potluck_tests::mesh::{
    Does, Setup, Work, all_see_all, attachment, outcomes, response, spawn, until, until_count,
    work, work_at, work_on,
};

/// Longer than any test waits.
const FOREVER: Duration = Duration::from_secs(3600);
/// A service that is no rival to a fast one.
const SLOW: f32 = 1.0;
const FAST: f32 = 1000.0;

#[tokio::test(flavor = "multi_thread")]
async fn the_faster_node_is_asked() {
    let asker = Setup::new("asker").start().await;
    let (fast, on_fast) = Work::new(FAST, Does::Answer);
    let (slow, on_slow) = Work::new(SLOW, Does::Answer);
    let fast = Setup::new("fast").with(fast).joining(&asker).start().await;
    let slow = Setup::new("slow").with(slow).joining(&asker).start().await;
    all_see_all(&[&asker, &fast, &slow]).await;
    for _ in 0..10 {
        let reply = asker.client().call(work()).await.expect("answered");
        assert_eq!(reply.served_by.name, "fast");
        assert_eq!(outcomes(&reply.route), ["answered"]);
    }
    assert_eq!((on_fast.started.load(SeqCst), on_slow.started.load(SeqCst)), (10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_alone_serves_itself() {
    let (service, _) = Work::new(SLOW, Does::Answer);
    let alone = Setup::new("alone").with(service).start().await;
    let input = CallInput::Bytes(Arc::from(&b"abc"[..]));
    let reply = alone.client().call(work_on(input)).await.expect("answered");
    assert_eq!(reply.served_by.id, alone.client().id().to_string());
    assert_eq!(response(&reply).hash, blake3::hash(b"abc").to_hex().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_node_asks_a_fast_one_rather_than_itself() {
    let (own, on_own) = Work::new(SLOW, Does::Answer);
    let asker = Setup::new("asker").with(own).start().await;
    let (fast, _) = Work::new(FAST, Does::Answer);
    let fast = Setup::new("fast").with(fast).joining(&asker).start().await;
    all_see_all(&[&asker, &fast]).await;
    let reply = asker.client().call(work()).await.expect("answered");
    assert_eq!(reply.served_by.name, "fast");
    assert_eq!(on_own.started.load(SeqCst), 0);
    fast.stop().await;
    let reply = asker.client().call(work()).await.expect("answered");
    assert_eq!(reply.served_by.name, "asker", "itself when nobody else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_sends_a_call_to_the_next_node() {
    let asker = Setup::new("asker").start().await;
    let (full, on_full) = Work::new(FAST, Does::Sleep(FOREVER));
    let (free, _) = Work::new(SLOW, Does::Answer);
    let full = Setup::new("full").with(full).joining(&asker).configured(|c| c.services.queue = 1);
    let full = full.start().await;
    let free = Setup::new("free").with(free).joining(&asker).start().await;
    all_see_all(&[&asker, &full, &free]).await;
    let at_full = Call { timeout: FOREVER, ..work_at(full.client().id()) };
    let holding = [spawn(&asker.client(), at_full.clone()), spawn(&asker.client(), at_full)];
    until_count("calls in the slot", &on_full.running, 1).await;
    let id = full.client().id();
    until(&asker, "the queue of the full node", |s| s.peers[&id].advert.offers[0].queue == 2).await;
    let reply = asker.client().call(work()).await.expect("answered");
    assert_eq!(outcomes(&reply.route), ["busy", "answered"], "{:?}", reply.route);
    assert_eq!(reply.served_by.name, "free");
    holding.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_are_full_calls_wait_for_a_place() {
    let asker = Setup::new("asker").start().await;
    let (service, seen) = Work::new(20.0, Does::Sleep(Duration::from_millis(50)));
    let server =
        Setup::new("server").with(service).joining(&asker).configured(|c| c.services.queue = 1);
    let server = server.start().await;
    all_see_all(&[&asker, &server]).await;
    let call = Call { timeout: Duration::from_secs(60), ..work() };
    let calls: Vec<_> = (0..12).map(|_| spawn(&asker.client(), call.clone())).collect();
    let mut busy = 0;
    for call in calls {
        let reply = call.await.expect("no panic").expect("answered in the end");
        busy += usize::from(outcomes(&reply.route).contains(&"busy"));
    }
    assert!(busy > 0, "twelve calls never filled one slot and a queue of one");
    assert!(seen.started.load(SeqCst) >= 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_the_call_and_the_work() {
    let asker = Setup::new("asker").start().await;
    for does in [Does::Sleep(FOREVER), Does::Compute] {
        let (service, seen) = Work::new(FAST, does);
        let server = Setup::new("server").with(service).joining(&asker).start().await;
        all_see_all(&[&asker, &server]).await;
        let call = Call { timeout: Duration::from_millis(400), ..work() };
        let failure = asker.client().call(call).await.expect_err("nobody answers");
        assert_eq!(failure.kind, FailureKind::TimedOut, "{failure:?}");
        assert_eq!(failure.route.len(), 1);
        until_count("work given up", &seen.stopped, 1).await;
        until_count("work left over", &seen.running, 0).await;
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_call_stops_the_work_and_frees_the_slot() {
    let asker = Setup::new("asker").start().await;
    let (service, seen) = Work::new(FAST, Does::Sleep(FOREVER));
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    for (round, does) in [Does::Sleep(FOREVER), Does::Compute].into_iter().enumerate() {
        seen.now(does);
        let call = spawn(&asker.client(), Call { timeout: FOREVER, ..work() });
        until_count("running calls", &seen.running, 1).await;
        call.abort();
        until_count("work given up", &seen.stopped, round + 1).await;
    }
    seen.now(Does::Answer);
    let reply = asker.client().call(work()).await.expect("the one slot is free");
    assert_eq!(reply.served_by.name, "server");
}

/// Some before their line is open, some before they are written, some while they run.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_dropped_at_once_leave_nothing_behind() {
    let asker = Setup::new("asker").start().await;
    let (service, seen) = Work::new(FAST, Does::Sleep(FOREVER));
    let server = Setup::new("server").with(service.slots(8)).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let input: Arc<[u8]> = vec![7; 200_000].into();
    for delay in 0..60u64 {
        let call = Call { timeout: FOREVER, ..work_on(CallInput::Bytes(input.clone())) };
        let call = spawn(&asker.client(), call);
        tokio::time::sleep(Duration::from_micros(delay * 100)).await;
        call.abort();
    }
    seen.now(Does::Answer);
    // Whatever was dropped has arrived, or never will, when this is answered.
    asker.client().call(work()).await.expect("a slot is free");
    until_count("work that nobody waits for", &seen.running, 0).await;
    let queued = || server.client().offers()[0].queue;
    for _ in 0..600 {
        if queued() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} calls wait although nobody waits for them", queued());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_goes_out_when_the_first_takes_unusually_long() {
    let asker = Setup::new("asker").start().await;
    let (first, on_first) = Work::new(FAST, Does::Answer);
    let (second, on_second) = Work::new(100.0, Does::Answer);
    let first = Setup::new("first").with(first).joining(&asker).start().await;
    let second = Setup::new("second").with(second).joining(&asker).start().await;
    all_see_all(&[&asker, &first, &second]).await;
    for _ in 0..30 {
        asker.client().call(work()).await.expect("answered");
    }
    let before = on_second.started.load(SeqCst);
    on_first.now(Does::Sleep(FOREVER));
    let call = Call { timeout: FOREVER, ..work() };
    let reply = asker.client().call(call).await.expect("answered by the second");
    assert_eq!(reply.served_by.name, "second");
    assert_eq!(outcomes(&reply.route), ["cancelled", "answered"], "{:?}", reply.route);
    assert!(reply.route[1].hedge && !reply.route[0].hedge);
    assert_eq!(on_second.started.load(SeqCst), before + 1);
    until_count("the first copy given up", &on_first.stopped, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_falls_silent_without_a_history_is_replaced_in_time() {
    let asker = Setup::new("asker").start().await;
    let (stuck, on_stuck) = Work::new(FAST, Does::Sleep(FOREVER));
    let (good, _) = Work::new(SLOW, Does::Answer);
    let stuck = Setup::new("stuck").with(stuck).joining(&asker).start().await;
    let good = Setup::new("good").with(good).joining(&asker).start().await;
    all_see_all(&[&asker, &stuck, &good]).await;
    let call = Call { timeout: Duration::from_secs(20), ..work() };
    let reply = asker.client().call(call).await.expect("the other one answers");
    assert_eq!(reply.served_by.name, "good");
    until_count("the stuck copy given up", &on_stuck.stopped, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_bring_data_of_any_size() {
    let asker = Setup::new("asker").start().await;
    let (service, seen) = Work::new(FAST, Does::Answer);
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    for size in [0, 1000, 256 << 10, (256 << 10) + 1, 5_000_000] {
        seen.now(Does::Attach(size));
        for client in [asker.client(), server.client()] {
            let reply = client.call(work()).await.expect("answered");
            assert_eq!(reply.served_by.name, "server");
            let data = reply.data.expect("data");
            assert_eq!(data.len(), size as u64);
            assert_eq!(&*data.read().expect("readable"), attachment(size), "{size}");
        }
    }
    seen.now(Does::Answer);
    assert!(asker.client().call(work()).await.expect("answered").data.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_service_sends_the_call_to_the_next_node() {
    for (does, outcome) in [
        (Does::Fail(FaultKind::Internal), "failed"),
        (Does::Panic, "failed"),
        (Does::PanicInPool, "failed"),
    ] {
        let asker = Setup::new("asker").start().await;
        let (broken, on_broken) = Work::new(FAST, does.clone());
        let (good, _) = Work::new(SLOW, Does::Answer);
        let broken = Setup::new("broken").with(broken).joining(&asker).start().await;
        let good = Setup::new("good").with(good).joining(&asker).start().await;
        all_see_all(&[&asker, &broken, &good]).await;
        let reply = asker.client().call(work()).await.expect("the other one answers");
        assert_eq!(outcomes(&reply.route), [outcome, "answered"], "{does:?}: {:?}", reply.route);
        assert_eq!(reply.served_by.name, "good");
        on_broken.now(Does::Answer);
        let again = asker.client().call(work_at(broken.client().id())).await;
        assert_eq!(again.expect("it lives").served_by.name, "broken", "{does:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_our_own_that_breaks_does_not_break_the_call() {
    for does in [Does::Panic, Does::PanicInPool] {
        let (own, _) = Work::new(FAST, does);
        let asker = Setup::new("asker").with(own).start().await;
        let (good, _) = Work::new(SLOW, Does::Answer);
        let good = Setup::new("good").with(good).joining(&asker).start().await;
        all_see_all(&[&asker, &good]).await;
        let reply = asker.client().call(work()).await.expect("the other one answers");
        assert_eq!(reply.served_by.name, "good");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_in_the_middle_loses_no_call() {
    let asker = Setup::new("asker").start().await;
    let (leaving, on_leaving) = Work::new(FAST, Does::Sleep(FOREVER));
    let (staying, _) = Work::new(SLOW, Does::Answer);
    let leaving = Setup::new("leaving").with(leaving.slots(16)).joining(&asker).start().await;
    let staying = Setup::new("staying").with(staying.slots(16)).joining(&asker).start().await;
    all_see_all(&[&asker, &leaving, &staying]).await;
    let call = Call { timeout: FOREVER, ..work() };
    let calls: Vec<_> = (0..8).map(|_| spawn(&asker.client(), call.clone())).collect();
    until_count("calls at the leaving node", &on_leaving.running, 8).await;
    leaving.stop().await;
    for call in calls {
        let reply = call.await.expect("no panic").expect("answered");
        assert_eq!(outcomes(&reply.route), ["lost", "answered"], "{:?}", reply.route);
        assert_eq!(reply.served_by.name, "staying");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_inputs_arrive_whole() {
    let asker = Setup::new("asker").start().await;
    let (service, _) = Work::new(FAST, Does::Answer);
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let folder = tempfile::tempdir().expect("a folder");
    // Around the limit of an inline input, and of a group of a blob.
    for size in [0, 1, 262_143, 262_144, 262_145, 524_288, 5_000_000] {
        let bytes: Vec<u8> =
            (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let path = folder.path().join(size.to_string());
        std::fs::write(&path, &bytes).expect("written");
        let hash = blake3::hash(&bytes).to_hex().to_string();
        for input in [CallInput::Bytes(bytes.into()), CallInput::File(path)] {
            let reply = asker.client().call(work_on(input)).await.expect("answered");
            let got = response(&reply);
            assert_eq!((got.bytes, &got.hash), (u64::from(size), &hash), "{size}");
            assert_eq!(reply.served_by.name, "server");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_beyond_the_servers_limit_goes_to_one_who_takes_it() {
    let asker = Setup::new("asker").start().await;
    let (small, on_small) = Work::new(FAST, Does::Answer);
    let (large, _) = Work::new(SLOW, Does::Answer);
    let small = Setup::new("small")
        .with(small)
        .joining(&asker)
        .configured(|c| c.services.max_input_mib = 1);
    let small = small.start().await;
    let input = CallInput::Bytes(vec![1; 2_000_000].into());
    all_see_all(&[&asker, &small]).await;
    let failure = asker.client().call(work_on(input.clone())).await.expect_err("too large");
    assert_eq!(failure.kind, FailureKind::BadInput, "{failure:?}");
    let large = Setup::new("large").with(large).joining(&asker).start().await;
    all_see_all(&[&asker, &small, &large]).await;
    let reply = asker.client().call(work_on(input)).await.expect("answered");
    assert_eq!(outcomes(&reply.route), ["failed", "answered"], "{:?}", reply.route);
    assert_eq!(reply.served_by.name, "large");
    assert_eq!(on_small.started.load(SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_file_that_is_not_there_is_the_callers_fault() {
    let (service, _) = Work::new(SLOW, Does::Answer);
    let alone = Setup::new("alone").with(service).start().await;
    let input = CallInput::File("no/such/file".into());
    let failure = alone.client().call(work_on(input)).await.expect_err("no file");
    assert_eq!(failure.kind, FailureKind::BadInput, "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_travels_to_the_caller() {
    let asker = Setup::new("asker").start().await;
    let (service, _) = Work::new(FAST, Does::Progress);
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let (sender, mut told) = tokio::sync::mpsc::channel(16);
    let call = Call { progress: Some(sender), ..work() };
    asker.client().call(call).await.expect("answered");
    let mut percents = Vec::new();
    while let Some(progress) = told.recv().await {
        assert_eq!(progress.note, format!("{} %", progress.percent));
        percents.push(progress.percent);
    }
    assert_eq!(percents, [10, 50, 90]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_and_not_that_model_are_told_apart() {
    let asker = Setup::new("asker").start().await;
    let failure = asker.client().call(work()).await.expect_err("nobody");
    assert_eq!(failure.kind, FailureKind::NobodyServes);
    assert!(failure.message.contains("nobody here offers work/1"), "{}", failure.message);
    let (service, _) = Work::new(FAST, Does::Answer);
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let call = Call { variant: Some("fancy".into()), ..work() };
    let failure = asker.client().call(call).await.expect_err("not that model");
    assert_eq!(failure.kind, FailureKind::NobodyServes);
    assert!(failure.message.contains("fancy") && failure.message.contains("plain"), "{failure}");
    let call = Call { variant: Some("plain".into()), ..work() };
    asker.client().call(call).await.expect("that one is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_withdrawn_and_offered_again_is_noticed() {
    let asker = Setup::new("asker").start().await;
    let (service, _) = Work::new(FAST, Does::Answer);
    let server = Setup::new("server").with(service).joining(&asker).start().await;
    all_see_all(&[&asker, &server]).await;
    let id = server.client().id();
    server.client().offer("work/1", false).await.expect("agreed");
    until(&asker, "nothing offered", |s| s.peers[&id].advert.offers.is_empty()).await;
    server.client().offer("work/1", true).await.expect("agreed");
    until(&asker, "offered again", |s| s.peers[&id].advert.offers.len() == 1).await;
    asker.client().call(work()).await.expect("answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_larger_than_its_connections_sees_and_reaches_everyone() {
    const NODES: usize = 14;
    let node = |n: usize| {
        let (service, _) = Work::new(FAST, Does::Answer);
        Setup::new(&format!("n{n}")).with(service).configured(|c| c.network.connections = 4)
    };
    let first = node(0).start().await;
    let mut nodes = vec![first];
    for n in 1..NODES {
        let next = node(n).joining(&nodes[n / 2]).start().await;
        nodes.push(next);
    }
    all_see_all(&nodes.iter().collect::<Vec<_>>()).await;
    let asker = &nodes[NODES - 1];
    let mut dialled = 0;
    for node in &nodes[..NODES - 1] {
        let id = node.client().id();
        dialled += usize::from(!asker.client().snapshot().peers[&id].connected);
        let reply = asker.client().call(work_at(id)).await.expect("answered");
        assert_eq!(reply.served_by.id, id.to_string());
    }
    assert!(dialled > 0, "a node with 4 neighbours was connected to all {NODES}");
}
