//! Several nodes: who may ask, and what happens when one key fails.

use std::{sync::Arc, time::Duration};

use potluck::{
    Node,
    client::{Call, FailureKind},
    config::{Allow, Config},
    identity::Identity,
    protocol::{self, CallOutcome, CallRequest, Payload},
    service::{Dispatch, DispatchSettings, Origin, Registry},
    services::{
        self,
        facepp::{self, Facepp, Request},
    },
};
use potluck_tests::{
    facepp::{Does, Mock, SECRET},
    mesh::{Setup, outcomes, until},
};

use tokio_util::sync::CancellationToken;

use super::{ask, ask_routed, call, failed, folder, holder, numbered};

/// Waits until a node knows that another offers `facepp/1`.
async fn sees_offer(node: &Node, other: &Node) {
    let id = other.client().id();
    until(node, "the offer of facepp/1", |snapshot| {
        snapshot.peers.get(&id).is_some_and(|view| view.advert.offer("facepp/1").is_some())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_answered_and_strangers_told_whom_to_ask() {
    let (mock, dir) = (Mock::start().await, folder());
    let friend = Setup::new("friend").start().await;
    let stranger = Setup::new("stranger").start().await;
    let contact = friend.client().id();
    let owner = holder("owner", &mock, dir.path(), |config| {
        config.change(|facepp: &mut facepp::Options| facepp.allow = Allow::Contacts);
        config.contacts.0.insert("friend".to_owned(), contact);
    });
    let owner = owner.joining(&friend).joining(&stranger).start().await;
    for node in [&friend, &stranger] {
        sees_offer(node, &owner).await;
    }
    let id = stranger.client().id().to_string();
    let refused = ask(&stranger, &numbered(0), &Request::default()).await;
    failed(refused, FailureKind::Refused, &["[contacts]", &id]);
    assert_eq!(mock.pictures(), 0);
    ask(&friend, &numbered(0), &Request::default()).await.expect("a contact is answered");
    ask(&owner, &numbered(1), &Request::default()).await.expect("the owner always may");
    assert_eq!(mock.pictures(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_contact_uses_up_the_day_alone() {
    let (mock, dir) = (Mock::start().await, folder());
    let greedy = Setup::new("greedy").start().await;
    let other = Setup::new("other").start().await;
    let contacts = [("greedy", greedy.client().id()), ("other", other.client().id())];
    let owner = holder("owner", &mock, dir.path(), |config| {
        config.change(|facepp: &mut facepp::Options| {
            facepp.allow = Allow::Contacts;
            facepp.daily_calls = 10;
        });
        config.contacts.0.extend(contacts.map(|(name, id)| (name.to_owned(), id)));
    });
    let owner = owner.joining(&greedy).joining(&other).start().await;
    for node in [&greedy, &other] {
        sees_offer(node, &owner).await;
    }
    // A fifth of ten.
    for n in 0..2 {
        ask(&greedy, &numbered(n), &Request::default()).await.expect("its share");
    }
    for n in 2..12 {
        let refused = ask(&greedy, &numbered(n), &Request::default()).await;
        failed(refused, FailureKind::Refused, &["2 calls a day"]);
    }
    assert_eq!(mock.pictures(), 2);
    for n in 20..22 {
        ask(&other, &numbered(n), &Request::default()).await.expect("there is enough left");
    }
    ask(&owner, &numbered(30), &Request::default()).await.expect("for the owner, too");
    assert_eq!(mock.pictures(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_before_their_picture_is_fetched() {
    let (mock, dir) = (Mock::start().await, folder());
    let mut config = Config::default();
    config.change(|facepp: &mut facepp::Options| facepp.base = mock.base());
    let service = Facepp::new(facepp::settings(&config, Some(dir.path())));
    let registry = Registry::new().with(service).expect("the name is free");
    let me = Identity::generate().peer_id();
    let limits = DispatchSettings { threads: 1, queue: 1, max_input: 1 << 20 };
    let dispatch = Dispatch::new(&registry, limits, Box::new(services::access(&config, me, None)));
    let caller = Identity::generate().peer_id();
    let origin = Origin::new(caller, None, CancellationToken::new());
    let request = CallRequest {
        call: 1,
        capability: "facepp/1".to_owned(),
        deadline_ms: 1000,
        args: protocol::encode(&Request::default()).expect("encodes"),
        // Larger than this node takes, too: the policy is asked before the size.
        input: Some(Payload::Blob { hash: [7; 32], size: 2 << 20 }),
        progress: false,
    };
    let fetch = |_, _| async { panic!("the payload of a stranger was fetched") };
    let (answer, _) = dispatch.serve(origin, request, fetch).await;
    assert!(matches!(answer.outcome, CallOutcome::Refused { .. }), "{answer:?}");
    assert_eq!(mock.pictures(), 0);
}

/// Two owners with servers of their own, and a third node that asks.
struct Two {
    bad: (Mock, Node),
    good: (Mock, Node),
    asker: Node,
    _folders: [tempfile::TempDir; 2],
}

impl Two {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let asker = Setup::new("asker").start().await;
        let folders = [folder(), folder()];
        let (bad, good) = (Mock::start().await, Mock::start().await);
        let one = holder("bad", &bad, folders[0].path(), change).joining(&asker).start().await;
        let two = holder("good", &good, folders[1].path(), |_| {}).joining(&asker).start().await;
        for node in [&one, &two] {
            sees_offer(&asker, node).await;
        }
        Self { bad: (bad, one), good: (good, two), asker, _folders: folders }
    }

    /// Asks until the bad one was tried first; the good one must answer every time.
    async fn until_failed_over(&self) -> Vec<potluck::client::RouteHop> {
        // As slow as a new peer is taken to be: then the two stay equal, and equal peers are tried
        // in a random order. A hundred times the same one first is 2^-100.
        self.good.0.always(Does::Late(Duration::from_secs(1)));
        for n in 0..100 {
            let asked = call(&numbered(n), &Request::default());
            let (_, route) =
                ask_routed(&self.asker, asked).await.expect("answered by the good one");
            if route.len() > 1 {
                assert_eq!(outcomes(&route), ["failed", "answered"], "{route:?}");
                assert_eq!((&*route[0].name, &*route[1].name), ("bad", "good"));
                return route;
            }
            assert_eq!(route[0].name, "good", "{route:?}");
        }
        panic!("the bad one was never tried first");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_or_a_broken_api_sends_the_call_to_another_owner() {
    for (does, words) in [
        (None, "does not know the key"),
        (
            Some(r#"{"error_message":"AUTHORIZATION_ERROR:Insufficient Account Balance"}"#),
            "balance",
        ),
        (Some(r#"{"error_message":"INSUFFICIENT_PERMISSION: beauty"}"#), "beauty"),
    ] {
        let two = Two::start(|_| {}).await;
        match does {
            None => two.bad.0.refuse_key(true),
            Some(body) => two.bad.0.always(Does::Say(403, "application/json", body.to_owned())),
        }
        let route = two.until_failed_over().await;
        let said = route[0].detail.as_deref().unwrap_or_default();
        assert!(said.contains(words), "{said}");
        assert!(two.good.0.pictures() > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_api_leaves_time_for_another_owner() {
    let two = Two::start(|_| {}).await;
    two.bad.0.always(Does::Hang);
    let asked =
        Call { timeout: Duration::from_secs(12), ..call(&numbered(0), &Request::default()) };
    // The good one is not there until the bad one has the picture.
    two.good.1.client().offer("facepp/1", false).await.expect("agreed");
    until(&two.asker, "one offer less", |snapshot| {
        let offers = |id| snapshot.peers[&id].advert.offer("facepp/1").is_some();
        offers(two.bad.1.client().id()) && !offers(two.good.1.client().id())
    })
    .await;
    let back = async {
        while two.bad.0.pictures() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        two.good.1.client().offer("facepp/1", true).await.expect("agreed");
    };
    let (answered, ()) = tokio::join!(ask_routed(&two.asker, asked), back);
    let (_, route) = answered.expect("answered by the good one");
    assert_eq!(outcomes(&route), ["failed", "answered"], "{route:?}");
    let said = route[0].detail.as_deref().unwrap_or_default();
    assert!(said.contains("did not answer"), "{said}");
    assert_eq!((two.bad.0.pictures(), two.good.0.pictures()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_paid_for_once() {
    let two = Two::start(|_| {}).await;
    // Calls that cost nothing would be sent to a second node after a quarter of their time.
    for mock in [&two.bad.0, &two.good.0] {
        mock.always(Does::Late(Duration::from_secs(4)));
    }
    let asked =
        Call { timeout: Duration::from_secs(12), ..call(&numbered(0), &Request::default()) };
    ask_routed(&two.asker, asked).await.expect("answered");
    assert_eq!(two.bad.0.pictures() + two.good.0.pictures(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_budget_sends_calls_to_another_owner() {
    let two =
        Two::start(|config| config.change(|facepp: &mut facepp::Options| facepp.daily_calls = 1))
            .await;
    // The one call of the budget, by the owner itself.
    let own = call(&numbered(200), &Request::default());
    let own = Call { only: Some(two.bad.1.client().id()), ..own };
    two.bad.1.client().call(own).await.expect("answered");
    // Whether the advert is gone already or not, the good one answers.
    for n in 0..10 {
        let asked = call(&numbered(n), &Request::default());
        let (answer, route) = ask_routed(&two.asker, asked).await.expect("answered");
        assert_eq!(route.last().map(|hop| &*hop.name), Some("good"), "{route:?}");
        assert_eq!(answer.faces.len(), 1);
    }
    assert_eq!(two.bad.0.pictures(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_picture_is_not_carried_from_owner_to_owner() {
    let two = Two::start(|_| {}).await;
    let result = ask(&two.asker, b"no picture at all", &Request::default()).await;
    let failure = result.expect_err("no picture");
    assert_eq!((failure.kind, failure.route.len()), (FailureKind::BadInput, 1));
    let no = r#"{"error_message":"IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file"}"#;
    for mock in [&two.bad.0, &two.good.0] {
        mock.always(Does::Say(400, "application/json", no.to_owned()));
    }
    let failure = ask(&two.asker, &numbered(0), &Request::default()).await.expect_err("refused");
    assert_eq!((failure.kind, failure.route.len()), (FailureKind::BadInput, 1));
    assert_eq!(two.bad.0.pictures() + two.good.0.pictures(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_advert_has_no_secret_and_says_where_the_work_is_done() {
    let two = Two::start(|_| {}).await;
    let snapshot = two.asker.client().snapshot();
    let view = &snapshot.peers[&two.good.1.client().id()];
    let offer = view.advert.offer("facepp/1").expect("offered");
    assert_eq!((&*offer.device, &*offer.engine, offer.slots), ("remote", "Face++", 1));
    let advert = protocol::encode(&*view.advert).expect("encodes");
    let secret = Arc::<[u8]>::from(SECRET.as_bytes());
    assert!(!advert.windows(secret.len()).any(|part| *part == *secret));
}
