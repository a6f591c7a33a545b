//! Answers, cache, budget and queue of one node.

use std::time::Duration;

use potluck::{
    client::{CallFailure, FailureKind},
    services::{
        face::{Age, Beauty, FaceBox, Gender, Sex},
        facepp::{self, Attribute, Request, budget::Usage},
    },
};
use potluck_tests::facepp::Does;
use serde_json::json;

use super::{Alone, ask, call, failed, golden, holder, numbered, picture, until_offered};

#[tokio::test(flavor = "multi_thread")]
async fn two_faces_with_all_that_is_told_of_them() {
    let alone = Alone::start().await;
    alone.mock.sees(golden("own_two_faces"));
    let answer = alone.ask(&picture((200, 150), [0, 0, 1, 1])).await.expect("answered");
    assert_eq!((answer.width, answer.height, answer.attributed), (200, 150, 2));
    assert!(!answer.cached);
    let [one, two] = answer.faces.as_slice() else { panic!("{answer:?}") };
    assert_eq!(one.frame, FaceBox { x: 20.0, y: 40.0, width: 80.0, height: 80.0 });
    // The second one reaches over the edge at the bottom by nothing: 70 + 75 is 145 of 150.
    assert_eq!(two.frame, FaceBox { x: 110.0, y: 70.0, width: 75.0, height: 75.0 });
    assert_eq!(one.gender, Some(Gender { value: Sex::Male, confidence: None }));
    assert_eq!(two.gender, Some(Gender { value: Sex::Female, confidence: None }));
    assert_eq!((one.age, two.age), (Some(Age::of(20.0)), Some(Age::of(27.0))));
    assert_eq!(two.beauty, Some(Beauty { male_score: 53.123, female_score: 54.711 }));
    assert_eq!(one.attributes["glass"], "None");
    assert_eq!(two.attributes["smile"], json!({"threshold": 50.0, "value": 11.5}));
    assert_eq!(one.confidence, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_key_is_told_of_five_faces_and_where_the_others_are() {
    let alone = Alone::start().await;
    alone.mock.sees(golden("own_seven_faces_first5_attrs"));
    let answer = alone.ask(&picture((640, 480), [0; 4])).await.expect("answered");
    assert_eq!((answer.faces.len(), answer.attributed), (7, 5));
    let described: Vec<_> = answer.faces.iter().map(|face| face.gender.is_some()).collect();
    assert_eq!(described, [true, true, true, true, true, false, false]);
    assert!(answer.faces[6].attributes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_faces_is_an_answer() {
    let alone = Alone::start().await;
    alone.mock.sees(golden("own_no_face"));
    let answer = alone.ask(&numbered(0)).await.expect("answered");
    assert_eq!((answer.faces.len(), answer.attributed), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_sent_and_nothing_more() {
    let alone = Alone::start().await;
    let request = Request { attributes: vec![Attribute::Smiling, Attribute::Age], landmarks: true };
    let answer = ask(&alone.node, &numbered(0), &request).await.expect("answered");
    let face = &answer.faces[0];
    assert_eq!((face.gender, face.age), (None, Some(Age::of(31.0))));
    assert_eq!(face.landmarks["nose_tip"].x, 40.0);
    let sent = alone.mock.last();
    assert_eq!(sent.fields["return_attributes"], "age,smiling");
    assert_eq!(sent.fields["return_landmark"], "2");
    assert!(sent.user_agent.starts_with("potluck/"), "{}", sent.user_agent);
    assert_eq!(sent.picture, numbered(0), "a plain picture is sent as it is");
    let names: Vec<_> = sent.fields.keys().map(String::as_str).collect();
    assert_eq!(names, ["api_key", "api_secret", "return_attributes", "return_landmark"]);
    let nothing = Request { attributes: vec![], landmarks: false };
    let answer = ask(&alone.node, &numbered(1), &nothing).await.expect("answered");
    assert_eq!((answer.faces.len(), answer.attributed), (1, 0));
    assert_eq!(alone.mock.last().fields["return_attributes"], "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_paid_for_once() {
    let alone = Alone::start().await;
    let first = alone.ask(&numbered(0)).await.expect("answered");
    let again = alone.ask(&numbered(0)).await.expect("answered");
    assert_eq!((first.cached, again.cached), (false, true));
    assert_eq!(first.faces, again.faces);
    assert_eq!(again.usage, Usage { calls_today: 1, daily_calls: 500 });
    let other = Request { landmarks: true, ..Request::default() };
    assert!(!ask(&alone.node, &numbered(0), &other).await.expect("answered").cached);
    assert!(!alone.ask(&numbered(1)).await.expect("answered").cached);
    assert_eq!(alone.mock.pictures(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_picture_at_once_is_paid_for_once() {
    let alone = Alone::configured(|config| {
        config.change(|facepp: &mut facepp::Options| facepp.at_once = 4)
    })
    .await;
    alone.mock.allow_at_once(4);
    alone.mock.always(Does::Late(Duration::from_millis(300)));
    let same = numbered(0);
    let all = futures::future::join_all((0..4).map(|_| alone.ask(&same))).await;
    let paid = all.iter().filter(|answer| !answer.as_ref().expect("answered").cached);
    assert_eq!((paid.count(), alone.mock.pictures()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_ends_for_the_day_and_over_restarts() {
    let alone = Alone::configured(|config| {
        config.change(|facepp: &mut facepp::Options| facepp.daily_calls = 2)
    })
    .await;
    for n in 0..2 {
        let answer = alone.ask(&numbered(n)).await.expect("answered");
        assert_eq!(answer.usage, Usage { calls_today: n + 1, daily_calls: 2 });
    }
    let spent =
        |result| failed(result, FailureKind::NobodyServes, &["the 2 Face++ calls", "(UTC)"]);
    spent(alone.ask(&numbered(2)).await);
    until_offered(&alone.node, false).await;
    spent(alone.ask(&numbered(2)).await);
    alone.node.stop().await;
    let two = |config: &mut potluck::config::Config| {
        config.change(|facepp: &mut facepp::Options| facepp.daily_calls = 2)
    };
    let again = holder("again", &alone.mock, alone.dir.path(), two).start().await;
    spent(ask(&again, &numbered(3), &Request::default()).await);
    assert_eq!(alone.mock.pictures(), 2);
    // A larger budget is there at once.
    let three = |config: &mut potluck::config::Config| {
        config.change(|facepp: &mut facepp::Options| facepp.daily_calls = 3)
    };
    let third = holder("third", &alone.mock, alone.dir.path(), three).start().await;
    ask(&third, &numbered(3), &Request::default()).await.expect("answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_each_other_as_the_key_wants_it() {
    for at_once in [1, 3] {
        let alone = Alone::configured(|config| {
            config.change(|facepp: &mut facepp::Options| facepp.at_once = at_once)
        })
        .await;
        alone.mock.allow_at_once(usize::from(at_once));
        alone.mock.always(Does::Late(Duration::from_millis(50)));
        let (asked, ask) = (Request::default(), |picture: Vec<u8>, asked: Request| {
            let client = alone.node.client();
            async move { client.call(call(&picture, &asked)).await.map(|_| ()) }
        });
        let calls = (0..9).map(|n| ask(numbered(n), asked.clone()));
        let all: Vec<Result<(), CallFailure>> = futures::future::join_all(calls).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert!(alone.mock.most_at_once() <= usize::from(at_once));
        assert_eq!(alone.mock.most_at_once() > 1, at_once > 1, "nor one by one");
        assert_eq!(alone.mock.pictures(), 9, "no call was turned away and sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_frees_the_slot_and_the_count_stays() {
    let alone = Alone::start().await;
    alone.mock.next(Does::Hang);
    let client = alone.node.client();
    let asking = async move { client.call(call(&numbered(0), &Request::default())).await };
    let hasty = tokio::spawn(asking);
    while alone.mock.pictures() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    hasty.abort();
    let answer = alone.ask(&numbered(1)).await.expect("the slot is free again");
    assert_eq!(answer.usage.calls_today, 2, "Face++ may charge for the first one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_picture_or_with_a_bad_one_costs_nothing() {
    let alone = Alone::start().await;
    let mut empty = call(b"", &Request::default());
    empty.input = None;
    let failure = alone.node.client().call(empty).await.expect_err("no picture");
    assert_eq!(failure.kind, FailureKind::BadInput);
    failed(alone.ask(b"not a picture").await, FailureKind::BadInput, &["not a picture"]);
    failed(alone.ask(&picture((40, 90), [0; 4])).await, FailureKind::BadInput, &["40 x 90"]);
    let cut = numbered(0);
    failed(alone.ask(&cut[..cut.len() / 2]).await, FailureKind::BadInput, &[]);
    assert_eq!(alone.mock.pictures(), 0);
    assert_eq!(alone.ask(&numbered(0)).await.expect("answered").usage.calls_today, 1);
}
