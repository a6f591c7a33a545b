//! Capabilities without a screen of their own.

use std::sync::Arc;

use potluck::{
    client::{Event, FailureKind, Offer, Served},
    service::Kind,
    services::about::About,
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::{Update, files::Chosen, plain::Told},
    screen::{Screen, more, paths},
};
use serde_json::json;

use super::{NAMES, offer_of, peer, view};

fn tell(app: &mut App, message: more::Message) {
    let _ = app.update(Message::Screen(screens::Message::More(message)));
}

/// Four capabilities that others brought.
pub fn more_list(app: &mut App) {
    let mut view = view();
    let mut offers = |by: usize, names: &[&str]| {
        let peer = view.mesh.peers.get_mut(&peer(by)).unwrap();
        let mut advert = (*peer.advert).clone();
        let more = names.iter().map(|name| Offer {
            variants: vec!["ppocr-v4".to_owned(), "ppocr-v5-server".to_owned()],
            ..offer_of(name, "cpu", 40.0, 0)
        });
        advert.offers.extend(more);
        peer.advert = Arc::new(advert);
    };
    offers(0, &["read/1", "detect/1"]);
    offers(3, &["read/1", "translate/1"]);
    offers(2, &["a-capability-with-a-rather-long-name/1"]);
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view))])));
    let _ = app.update(Message::Go(Screen::More));
}

/// A form from what its node says, filled in.
pub fn more_form(app: &mut App) {
    more_list(app);
    tell(app, more::Message::Choose(Some("read/1".to_owned())));
    let about = About {
        summary: "reads printed Chinese and English on a photo or a scan".to_owned(),
        input: Kind::Image,
        output: Kind::Json,
        file: true,
        example: json!({"least_certainty": 0.6, "keep_line_breaks": true, "language": "zh",
            "regions": null}),
    };
    tell(app, more::Message::About("read/1".to_owned(), Some(Box::new(about))));
    let file = Chosen::Paths(vec!["/home/mei/通知-公告栏.jpg".into()]);
    tell(app, more::Message::Paths(paths::Message::Chosen(more::Purpose::Open, file)));
}

/// Its answer.
pub fn more_answer(app: &mut App) {
    more_form(app);
    let lines = [
        "关于 402 实验室开放时间的通知",
        "各位同学：",
        "本周起实验室开放到 22:00，请最后离开的人关闭电源。",
        "Room 402 is open until 22:00 this week.",
    ];
    let told = Told {
        answer: json!({ "lines": lines, "model": "ppocr-v5-server" }),
        data: None,
        served_by: Served { id: peer(0).to_string(), name: NAMES[0].to_owned() },
        route: Vec::new(),
        milliseconds: 310,
    };
    tell(app, more::Message::Ask);
    tell(app, more::Message::Answered(0, Ok(told)));
}

/// Nobody says what it takes, a value is wrong, and the call failed.
pub fn more_untold(app: &mut App) {
    more_list(app);
    tell(app, more::Message::Choose(Some("translate/1".to_owned())));
    tell(app, more::Message::About("translate/1".to_owned(), None));
    for (at, (name, value)) in
        [("text", "生活就像一盒巧克力"), ("to", "en")].into_iter().enumerate()
    {
        tell(app, more::Message::Add);
        tell(app, more::Message::Name(at, name.to_owned()));
        tell(app, more::Message::Type(at, value.to_owned()));
    }
    let failure = potluck::client::CallFailure {
        kind: FailureKind::Refused,
        message: "translate/1 is for contacts of its owner".into(),
        route: Vec::new(),
    };
    tell(app, more::Message::Ask);
    tell(app, more::Message::Answered(0, Err(failure)));
}
