//! What was asked and served.

use potluck::{
    client::{CallEnd, CallRecord, Event, RouteHop, Served, Side},
    service::Progress,
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::Update,
    screen::{Screen, activity},
};

use super::{NAMES, now, own, peer, view};

/// What was asked and served.
pub fn activity(app: &mut App) {
    let mut view = view();
    view.calls = calls();
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view))])));
    let _ = app.update(Message::Go(Screen::Activity));
}

/// The card of a call that went from node to node.
pub fn activity_card(app: &mut App) {
    activity(app);
    let choose = activity::Message::Choose(9);
    let _ = app.update(Message::Screen(screens::Message::Activity(choose)));
}

/// Nothing was asked yet.
pub fn activity_empty(app: &mut App) {
    let _ = app.update(Message::Backend(Update::News(vec![Event::Own(own())])));
    let _ = app.update(Message::Go(Screen::Activity));
}

/// Calls of the last minutes, the newest last.
fn calls() -> Vec<CallRecord> {
    let hop = |by: usize, outcome: &str, milliseconds, detail: Option<&str>| RouteHop {
        id: peer(by).to_string(),
        name: NAMES[by].to_owned(),
        expected_ms: 34.0,
        milliseconds,
        outcome: outcome.to_owned(),
        detail: detail.map(str::to_owned),
        hedge: false,
    };
    let served_by =
        |by: usize| Some(Served { id: peer(by).to_string(), name: NAMES[by].to_owned() });
    let answered = |by, milliseconds| {
        let route = vec![hop(by, "answered", milliseconds, None)];
        Some(CallEnd { milliseconds, served_by: served_by(by), failure: None, route })
    };
    let failed = |why: &str, route| {
        Some(CallEnd { milliseconds: 12, served_by: None, failure: Some(why.into()), route })
    };
    let done = |milliseconds| Some(CallEnd { milliseconds, ..CallEnd::default() });
    let from = |by: usize| Side::Served { caller: peer(by) };
    let route = vec![
        hop(0, "busy", 2, Some("it has 64 calls waiting, and asked to come back in 0.8 s")),
        hop(6, "lost", 20, Some("the connection broke before the answer came")),
        hop(1, "answered", 380, None),
    ];
    let tried = Some(CallEnd { milliseconds: 410, served_by: served_by(1), failure: None, route });
    let refused = vec![hop(0, "failed", 9, Some("the file is not a picture"))];
    let all = [
        (1, 3900, Side::Asked, "chat/1", 24, answered(0, 11)),
        (2, 3500, Side::Asked, "recognize/1", 1_840_000, answered(0, 112)),
        (3, 3200, Side::Asked, "analyze/1", 320_000, answered(5, 1_900)),
        (4, 300, from(3), "keep/1", 2_400_000, done(120)),
        (
            5,
            240,
            Side::Asked,
            "recognize/1",
            81_000,
            failed(
                "notes.docx.jpg is not a picture: it begins like a document. Choose a JPEG or PNG",
                refused,
            ),
        ),
        (6, 120, Side::Asked, "faces/1", 640_000, answered(3, 44)),
        (7, 55, Side::Asked, "chat/1", 31, answered(0, 30)),
        (8, 40, from(2), "analyze/1", 9_120_000, None),
        (9, 21, Side::Asked, "recognize/1", 240_000, tried),
        (10, 16, from(2), "recognize/1", 140_000, done(35)),
        (11, 12, from(6), "recognize/1", 140_000, done(34)),
        (12, 4, Side::Asked, "facepp/1", 500_000, failed("nobody offers facepp/1 now", Vec::new())),
        (13, 2, Side::Asked, "analyze/1", 88_000_000, None),
    ];
    let now = now();
    all.into_iter()
        .map(|(number, ago, side, capability, bytes, end)| CallRecord {
            number,
            side,
            capability: capability.to_owned(),
            bytes,
            started_at: now - ago * 1000,
            progress: (number == 13)
                .then(|| Progress { percent: 42, note: "reading columns".to_owned() }),
            end,
        })
        .collect()
}
