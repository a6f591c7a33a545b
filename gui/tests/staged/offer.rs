//! What this node offers.

use potluck::{
    client::{Event, Offer},
    config::PeerLimits,
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        Update,
        files::Chosen,
        models::Model,
        offering::{Key, Offering},
    },
    screen::{Screen, offer, paths},
};

use super::{offer_of, view};

/// What this node offers, and what it cannot.
pub fn offer(app: &mut App) {
    let mut view = view();
    view.own.offers = vec![
        Offer {
            engine: "tract 0.23".to_owned(),
            variants: vec!["efficientnet-lite4".to_owned(), "googlenet".to_owned()],
            ..offer_of("recognize/1", "cpu", 33.0, 1)
        },
        offer_of("chat/1", "cpu", 0.02, 0),
        offer_of("analyze/1", "cpu", 90.0, 0),
        offer_of("keep/1", "cpu", 0.0, 0),
    ];
    view.own.troubles = vec![(
        "faces/1".to_owned(),
        "the model yunet is missing; `potluck models add yunet FILE` adds it".to_owned(),
    )];
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view))])));
    let known = Offering {
        only: None,
        withheld: vec!["chat/1".to_owned()],
        keep_mib: 2048,
        allow: [
            ("facepp/1".to_owned(), potluck::config::Allow::Contacts),
            ("faces/1".to_owned(), potluck::config::Allow::Nobody),
        ]
        .into(),
        limits: [("recognize/1", Some(8), Some(600), None), ("facepp/1", None, None, Some(100))]
            .map(|(name, at_once, per_minute, per_day)| {
                (name.to_owned(), PeerLimits { at_once, per_minute, per_day })
            })
            .into(),
        threads: 0,
        queue: 64,
        max_input_mib: 64,
        disk_mib: 8192,
        daily_calls: 500,
        key: Key::File("****************************k3Tq".to_owned()),
    };
    let model = |name: &str, faces, bytes, licence: &str, bundled| Model {
        name: name.to_owned(),
        faces,
        bytes,
        licence: licence.to_owned(),
        bundled,
    };
    offers(
        app,
        offer::Message::Models(Ok(vec![
            model("efficientnet-lite4", false, 51_900_000, "Apache-2.0", true),
            model("googlenet", false, 28_000_000, "BSD-3-Clause", false),
            model("mtcnn-blazeface", true, 2_600_000, "MIT, Apache-2.0", true),
            model("a-detector-with-a-long-name-2026", true, 337_000, "unknown", false),
        ])),
    );
    offers(app, offer::Message::Read(Ok(known.clone())));
    offers(app, offer::Message::Written(Ok(known), false));
    let _ = app.update(Message::Go(Screen::Offer));
}

/// A key is typed in, and is none.
pub fn offer_key(app: &mut App) {
    offer(app);
    offers(app, offer::Message::Edit);
    offers(app, offer::Message::Key("two words".to_owned()));
    offers(app, offer::Message::Keep);
}

/// A model is being added, and was not what it seemed.
pub fn offer_model(app: &mut App) {
    offer(app);
    let files = ["/home/mei/Downloads/flowers-2026.onnx", "/home/mei/Downloads/labels.txt"];
    let chosen = Chosen::Paths(files.map(Into::into).to_vec());
    offers(app, offer::Message::ModelFiles(paths::Message::Chosen(offer::OfModel, chosen)));
    let why = "how to use \"flowers-2026\" is not known: give --manifest FILE, or take a name that is known: googlenet, yunet";
    offers(app, offer::Message::Added(Err(why.into())));
}

fn offers(app: &mut App, message: offer::Message) {
    let _ = app.update(Message::Screen(screens::Message::Offer(message)));
}
