//! Every documented error, and what no honest server sends.

use potluck::client::FailureKind;
use potluck_tests::facepp::{Does, Mock};
use serde_json::{Value, json};

use super::{Alone, failed, golden, numbered, until_offered};

const JSON: &str = "application/json";

/// What becomes of a documented error: kind, words of the advice, pictures sent, whether the node
/// stops offering, and calls that count against the budget.
fn expected(message: &str) -> (FailureKind, &'static str, usize, bool, u32) {
    use FailureKind::{BadInput, NobodyServes, PeerFailed};
    match message {
        "MISSING_ARGUMENTS: image_url, image_file, image_base64" => {
            (PeerFailed, "do not fit together", 1, false, 0)
        }
        "BAD_ARGUMENTS: return_attributes" => (NobodyServes, "return_attributes", 1, false, 0),
        "COEXISTENCE_ARGUMENTS" => (PeerFailed, "exclude each other", 1, false, 0),
        "IMAGE_ERROR_UNSUPPORTED_FORMAT: image_file" => (BadInput, "JPEG or PNG", 1, false, 0),
        "INVALID_IMAGE_SIZE: image_file" => (BadInput, "48 to 4096", 1, false, 0),
        "INVALID_IMAGE_URL" => (PeerFailed, "the address of a picture", 1, false, 0),
        "IMAGE_FILE_TOO_LARGE: image_file" => (BadInput, "too many bytes", 1, false, 0),
        "AUTHENTICATION_ERROR" => (NobodyServes, "check key, secret", 1, true, 0),
        "AUTHORIZATION_ERROR: Denied by Client" => (NobodyServes, "Denied by Client", 1, true, 0),
        "AUTHORIZATION_ERROR: Denied by Admin" => (NobodyServes, "Denied by Admin", 1, true, 0),
        "AUTHORIZATION_ERROR: Insufficient Account Balance" => {
            (NobodyServes, "top it up", 1, true, 0)
        }
        "CONCURRENCY_LIMIT_EXCEEDED" => (PeerFailed, "busy", 5, false, 0),
        "INSUFFICIENT_PERMISSION: calculate_all" => (NobodyServes, "calculate_all", 1, false, 0),
        "API_NOT_FOUND" => (NobodyServes, "`base`", 1, true, 0),
        "IMAGE_DOWNLOAD_TIMEOUT" => (PeerFailed, "try again", 3, false, 0),
        "INTERNAL_ERROR" => (PeerFailed, "internal error", 3, false, 3),
        "Request Entity Too Large" => (BadInput, "too many bytes", 1, false, 0),
        other => panic!("{other} is not in this table"),
    }
}

async fn one_error(error: Value) {
    let text = &error["body"]["error_message"];
    let message = text.as_str().or(error["body_text"].as_str()).expect("a message").to_owned();
    let (kind, words, sent, shuts, counted) = expected(&message);
    let status = u16::try_from(error["status"].as_u64().expect("a status")).expect("a status");
    let says = match error["body"].as_object() {
        Some(_) => Does::Say(status, JSON, error["body"].to_string()),
        None => Does::Say(status, "text/plain", message.clone()),
    };
    let alone = Alone::start().await;
    alone.mock.always(says);
    failed(alone.ask(&numbered(0)).await, kind, &[words]);
    assert_eq!(alone.mock.pictures(), sent, "{message}");
    if shuts {
        until_offered(&alone.node, false).await;
        failed(alone.ask(&numbered(0)).await, FailureKind::NobodyServes, &[words]);
        assert_eq!(alone.mock.pictures(), sent, "{message}: asked again");
    } else {
        alone.mock.always(Does::Answer);
        let answer = alone.ask(&numbered(0)).await.expect("errors are not kept");
        assert_eq!(answer.usage.calls_today, counted + 1, "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_error_is_told_and_ends_as_it_should() {
    let errors = golden("own_errors");
    let errors = errors.as_array().expect("a list").clone();
    assert_eq!(errors.len(), 17);
    futures::future::join_all(errors.into_iter().map(one_error)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_errors_are_outlived() {
    let busy = json!({"error_message": "CONCURRENCY_LIMIT_EXCEEDED"}).to_string();
    let broken = json!({"error_message": "INTERNAL_ERROR"}).to_string();
    let slow = json!({"error_message": "IMAGE_DOWNLOAD_TIMEOUT:x"}).to_string();
    // What is counted beside the answer: errors after which Face++ might charge.
    for (storm, counted) in [
        (vec![Does::Say(403, JSON, busy.clone()), Does::Say(403, JSON, busy)], 0),
        (vec![Does::Say(500, JSON, broken), Does::Say(412, JSON, slow)], 1),
        (vec![Does::Cut, Does::Say(503, "text/html", "<h1>Sorry</h1>".into())], 2),
    ] {
        let alone = Alone::start().await;
        let told = format!("{storm:?}");
        storm.into_iter().for_each(|does| alone.mock.next(does));
        let answer = alone.ask(&numbered(0)).await.unwrap_or_else(|e| panic!("{told}: {e}"));
        assert_eq!((answer.faces.len(), alone.mock.pictures()), (1, 3), "{told}");
        assert_eq!(answer.usage.calls_today, counted + 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_end_in_an_error_and_the_node_goes_on() {
    let ok = |body: &str| Does::Say(200, JSON, body.to_owned());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let crowd = json!({"faces": vec![json!({"face_rectangle": {}}); 2000]}).to_string();
    let hostile = [
        (Does::Endless, "too large"),
        (ok(""), "not JSON"),
        (ok("<html>Please log in</html>"), "not JSON"),
        (ok("{\"faces\": ["), "not JSON"),
        (ok(&deep), "not JSON"),
        (ok("[]"), "no list of faces"),
        (ok("{\"faces\": {}}"), "no list of faces"),
        (ok("{\"faces\": [7]}"), "has no place"),
        (ok("{\"faces\": [{\"face_rectangle\": {\"left\": 1e999}}]}"), "not JSON"),
        (ok(&crowd), "too many faces"),
        (ok("{\"faces\": 1, \"error_message\": \"STRANGE\"}"), "STRANGE"),
        (Does::Say(200, JSON, "\u{0}\u{ffff}".into()), "not JSON"),
        (Does::Say(418, JSON, "{\"error_message\": 7}".into()), "418"),
    ];
    let alone = Alone::start().await;
    let mut counted = 0;
    for (n, (does, words)) in (0..).zip(hostile) {
        let told = format!("{does:?}");
        alone.mock.next(does);
        let result = alone.ask(&numbered(n)).await;
        let failure = result.expect_err(&told);
        assert_eq!(failure.kind, FailureKind::PeerFailed, "{told}: {failure:?}");
        assert!(failure.message.contains(words), "{words:?}: {}", failure.message);
        let fine = alone.ask(&numbered(50 + n)).await.expect("the node goes on");
        assert_eq!(fine.faces.len(), 1);
        // An answer that says success may be charged, whatever is in it; a refusal is not.
        counted += 1 + u32::from(words != "418");
        assert_eq!(fine.usage.calls_today, counted, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_where_nothing_depends_on_them_are_taken() {
    let alone = Alone::start().await;
    alone.mock.sees(json!({
        "time_used": "fast", "face_num": -3, "image_id": null, "new_field": [1, 2],
        "faces": [{
            "face_token": 7,
            "face_rectangle": {"left": "-5", "top": 1.5, "width": 1e6, "height": 20},
            "landmark": [],
            "attributes": {"gender": 3, "age": {"value": "31"}, "beauty": null, "smile": "yes"},
        }],
    }));
    let answer = alone.ask(&numbered(0)).await.expect("answered");
    let face = &answer.faces[0];
    assert_eq!((face.frame.x, face.frame.y, face.frame.width), (0.0, 1.5, 120.0));
    assert_eq!(face.age.map(|age| age.years), Some(31.0));
    assert_eq!((face.gender, face.beauty), (None, None));
    assert_eq!(face.attributes["smile"], "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let (alone, elsewhere) = (Alone::start().await, Mock::start().await);
    alone.mock.next(Does::Redirect(format!("{}/facepp/v3/detect", elsewhere.base())));
    failed(alone.ask(&numbered(0)).await, FailureKind::NobodyServes, &["leads elsewhere"]);
    assert_eq!(elsewhere.pictures() + elsewhere.checks(), 0);
}
