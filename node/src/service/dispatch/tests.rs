//! What a peer's limits do to its calls.

use super::*;
use crate::{
    config::PeerLimits,
    directory::tests::peer,
    protocol::{Repeat, encode},
    service::{Access, Capability, Example, Kind, Rules, Service},
};

/// Works until it is told to end.
struct Slow(Arc<Semaphore>);

impl Service for Slow {
    type Request = ();
    type Response = ();

    fn capability(&self) -> Capability {
        Capability {
            name: "slow/1",
            summary: "takes its time",
            input: Kind::Json,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let (device, engine, variants) = ("cpu".into(), String::new(), vec![]);
        Some(Standing { device, engine, call_ms: 10.0, slots: 8, variants })
    }

    async fn call(&self, _: &Context, (): ()) -> Result<(), Fault> {
        self.0.acquire().await.map(|turn| turn.forget()).map_err(|_| Fault::internal("closed"))
    }

    fn examples(&self) -> Vec<Example<()>> {
        Vec::new()
    }
}

/// A dispatch with these limits for each peer, and what lets calls end.
fn dispatch(limits: PeerLimits) -> (Arc<Dispatch>, Arc<Semaphore>) {
    let ends = Arc::new(Semaphore::new(0));
    let registry = Registry::new().with(Slow(ends.clone())).unwrap();
    let rules = Rules { limits: [("slow/1".to_owned(), limits)].into(), ..Rules::default() };
    let access = Access::new(peer(1), rules, None);
    let settings = DispatchSettings { threads: 1, queue: 64, max_input: 1 << 20 };
    (Arc::new(Dispatch::new(&registry, settings, Box::new(access))), ends)
}

fn request(input: Option<Payload>) -> CallRequest {
    CallRequest {
        call: 1,
        capability: "slow/1".to_owned(),
        deadline_ms: 60_000,
        args: encode(&()).unwrap(),
        input,
        progress: false,
    }
}

async fn ask(dispatch: &Dispatch, who: u64, input: Option<Payload>) -> CallOutcome {
    let origin = Origin::new(peer(who), None, CancellationToken::new());
    let fetch = |_, _| async { Err(failed(Fault::internal("it did not arrive"))) };
    dispatch.serve(origin, request(input), fetch).await.0.outcome
}

#[tokio::test]
async fn a_peer_has_so_many_calls_at_once_until_one_ends() {
    let (dispatch, ends) = dispatch(PeerLimits { at_once: Some(2), ..PeerLimits::default() });
    let running: Vec<_> = [2, 2, 3]
        .into_iter()
        .map(|who| {
            let dispatch = dispatch.clone();
            tokio::spawn(async move { ask(&dispatch, who, None).await })
        })
        .collect();
    while dispatch.offers()[0].queue < 3 {
        tokio::task::yield_now().await;
    }
    let turned_away = ask(&dispatch, 2, None).await;
    let CallOutcome::Busy { retry_after_ms } = turned_away else { panic!("{turned_away:?}") };
    assert!(retry_after_ms >= 20);
    assert_eq!(dispatch.offers()[0].queue, 3, "it left nothing behind");
    // Others, and this node itself, go on.
    ends.add_permits(5);
    for who in [3, 1] {
        let outcome = ask(&dispatch, who, None).await;
        assert!(matches!(outcome, CallOutcome::Done(_)), "{outcome:?}");
    }
    for call in running {
        assert!(matches!(call.await.unwrap(), CallOutcome::Done(_)));
    }
    ends.add_permits(1);
    let after = ask(&dispatch, 2, None).await;
    assert!(matches!(after, CallOutcome::Done(_)), "{after:?}");
}

#[tokio::test]
async fn a_call_that_never_ran_is_none_of_its_day() {
    let (dispatch, ends) = dispatch(PeerLimits { per_day: Some(2), ..PeerLimits::default() });
    ends.add_permits(9);
    for _ in 0..5 {
        let lost = ask(&dispatch, 2, Some(Payload::Blob { hash: [7; 32], size: 9 })).await;
        assert!(matches!(lost, CallOutcome::Failed(_)), "{lost:?}");
    }
    for _ in 0..2 {
        assert!(matches!(ask(&dispatch, 2, None).await, CallOutcome::Done(_)));
    }
    let refused = ask(&dispatch, 2, None).await;
    let CallOutcome::Refused { reason } = refused else { panic!("{refused:?}") };
    assert!(reason.starts_with("slow/1: ") && reason.contains("2 calls a day"), "{reason}");
    assert!([1, 2, 3].iter().all(|who| !reason.contains(&peer(*who).to_string())), "{reason}");
    assert!(matches!(ask(&dispatch, 3, None).await, CallOutcome::Done(_)));
    assert_eq!(dispatch.counters()[0].1.refused, 1);
}

#[tokio::test]
async fn who_is_too_fast_is_told_when_to_come_back() {
    let (dispatch, ends) = dispatch(PeerLimits { per_minute: Some(10), ..PeerLimits::default() });
    ends.add_permits(20);
    for _ in 0..10 {
        assert!(matches!(ask(&dispatch, 2, None).await, CallOutcome::Done(_)));
    }
    // Six seconds for each of them; some may have come back by now on a slow machine.
    let mut asked = 0;
    let told = loop {
        match ask(&dispatch, 2, None).await {
            CallOutcome::Busy { retry_after_ms } => break retry_after_ms,
            outcome => assert!(matches!(outcome, CallOutcome::Done(_)), "{outcome:?}"),
        }
        asked += 1;
        assert!(asked < 10, "it is never too fast");
    };
    assert!(told <= 6_000, "{told}");
    assert!(matches!(ask(&dispatch, 3, None).await, CallOutcome::Done(_)));
}

/// Has no room for anybody, but only learns so when it is asked.
struct Full;

impl Service for Full {
    type Request = ();
    type Response = ();

    fn capability(&self) -> Capability {
        let (input, output) = (Kind::Json, Kind::Json);
        Capability { name: "slow/1", summary: "full", input, output, repeat: Repeat::Safe }
    }

    fn standing(&self) -> Option<Standing> {
        let (device, engine, variants) = ("cpu".into(), String::new(), vec![]);
        Some(Standing { device, engine, call_ms: 10.0, slots: 8, variants })
    }

    async fn call(&self, cx: &Context, (): ()) -> Result<(), Fault> {
        Err(cx.no_room(Duration::from_millis(700)))
    }

    fn examples(&self) -> Vec<Example<()>> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_service_without_room_is_busy_not_broken() {
    let registry = Registry::new().with(Full).unwrap();
    let access = Access::new(peer(1), Rules::default(), None);
    let settings = DispatchSettings { threads: 1, queue: 64, max_input: 1 << 20 };
    let dispatch = Dispatch::new(&registry, settings, Box::new(access));
    let outcome = ask(&dispatch, 2, None).await;
    assert_eq!(outcome, CallOutcome::Busy { retry_after_ms: 700 });
    let counters = &dispatch.counters()[0].1;
    assert_eq!((counters.busy, counters.failed), (1, 0));
}
