//! What this node offers.

use potluck::client::{Event, Offer};
use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        Update,
        offering::{Key, Offering},
    },
    screen::{Screen, offer},
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
        daily_calls: 500,
        key: Key::File("****************************k3Tq".to_owned()),
    };
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

fn offers(app: &mut App, message: offer::Message) {
    let _ = app.update(Message::Screen(screens::Message::Offer(message)));
}
