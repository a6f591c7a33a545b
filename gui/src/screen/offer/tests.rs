//! Without a window.

use iced::Size;
use potluck::{client::View, config::PeerLimits};

use super::*;
use crate::{backend::offering::Key as Kept, screen::Screen, settings::Settings};

fn known() -> Offering {
    Offering {
        only: None,
        withheld: vec!["chat/1".to_owned()],
        keep_mib: 1024,
        allow: [("facepp/1".to_owned(), Allow::Contacts)].into(),
        limits: [("chat/1".to_owned(), PeerLimits { at_once: Some(4), ..PeerLimits::default() })]
            .into(),
        threads: 0,
        queue: 64,
        max_input_mib: 64,
        disk_mib: 8192,
        daily_calls: 500,
        key: Kept::None,
    }
}

fn context<'a>(view: &'a View, settings: &'a Settings) -> Context<'a> {
    Context {
        lang: Lang::En,
        screen: Screen::Offer,
        size: Size::new(1060.0, 860.0),
        view,
        backend: None,
        trouble: None,
        settings,
        theme: crate::theme::Theme::Light,
        now_ms: 0,
    }
}

#[test]
fn switches_say_what_the_settings_say() {
    let (view, settings) = (View::default(), Settings::default());
    let context = context(&view, &settings);
    let mut offer = Offer::default();
    assert!(!offer.wants("recognize/1", &context));
    let _ = offer.update(Message::Read(Ok(known())), &context);
    assert!(offer.wants("recognize/1", &context) && !offer.wants("chat/1", &context));
    let only = Offering { only: Some(vec!["chat/1".into()]), withheld: Vec::new(), ..known() };
    assert!(only.wants("chat/1") && !only.wants("recognize/1"));
}

#[test]
fn what_cannot_be_changed_is_told_and_the_switch_works_again() {
    let (view, settings) = (View::default(), Settings::default());
    let context = context(&view, &settings);
    let mut offer = Offer { known: Some(known()), ..Offer::default() };
    offer.changing.insert("chat/1".to_owned());
    let why = "config.toml: the disk is full".to_owned();
    let told = offer.update(Message::Switched("chat/1".into(), Err(why.as_str().into())), &context);
    let Action::Ask(dialog) = told else { panic!("nobody is told") };
    assert_eq!(dialog.text, why);
    assert!(offer.changing.is_empty() && !offer.pending);
}

#[test]
fn what_is_no_key_stays_in_the_fields_and_escape_forgets_it() {
    let (view, settings) = (View::default(), Settings::default());
    let context = context(&view, &settings);
    let mut offer = Offer { known: Some(known()), ..Offer::default() };
    let _ = offer.update(Message::Edit, &context);
    let _ = offer.update(Message::Key("geheim 1".into()), &context);
    let _ = offer.update(Message::Keep, &context);
    let edit = offer.editing.as_ref().unwrap();
    assert_eq!(edit.key, "geheim 1");
    assert!(!format!("{offer:?}").contains("geheim"));
    let _ = offer.key(&iced::keyboard::Key::Named(Named::Escape));
    assert!(offer.editing.is_none());
}

#[test]
fn numbers_go_up_and_down_by_steps() {
    let rooms = cards::ROOMS;
    assert_eq!(
        (limits::before(&rooms, 1024), limits::after(&rooms, 1024)),
        (Some(512), Some(2048))
    );
    // A number that somebody wrote into the file.
    assert_eq!(
        (limits::before(&rooms, 1000), limits::after(&rooms, 1000)),
        (Some(512), Some(1024))
    );
    assert_eq!((limits::before(&rooms, 64), limits::after(&rooms, 65_536)), (None, None));
    // No limit is above all limits.
    let steps = [1, 2, 4];
    assert_eq!((limits::lower(&steps, None), limits::higher(&steps, None)), (Some(Some(4)), None));
    assert_eq!(
        (limits::lower(&steps, Some(1)), limits::higher(&steps, Some(4))),
        (None, Some(None))
    );
    assert_eq!(limits::higher(&steps, Some(3)), Some(Some(4)));
}

#[test]
fn a_model_is_named_before_it_is_added_and_what_is_wrong_stays_with_it() {
    use crate::screen::paths::Message as Path;

    let (view, settings) = (View::default(), Settings::default());
    let context = context(&view, &settings);
    let mut offer = Offer::default();
    let chosen = |paths: &[&str]| {
        let paths = paths.iter().map(|path| path.into()).collect();
        Message::ModelFiles(Path::Chosen(OfModel, crate::backend::files::Chosen::Paths(paths)))
    };
    let told = offer.update(chosen(&["/m/labels.txt"]), &context);
    assert!(matches!(told, Action::Tell(_)) && offer.adding.is_none());
    let _ = offer.update(chosen(&["/m/Flowers.onnx", "/m/flowers.toml"]), &context);
    assert!(format!("{:?}", offer.adding).contains("\"flowers\""), "{:?}", offer.adding);
    let why = "there is a model of that name";
    let _ = offer.update(Message::Added(Err(why.into())), &context);
    assert!(format!("{:?}", offer.adding).contains(why));
    let asked = offer.update(Message::RemoveModel("flowers".into()), &context);
    let Action::Ask(dialog) = asked else { panic!("not asked") };
    assert!(matches!(&dialog.actions[1].1, Message::ModelRemoved(name) if name == "flowers"));
    let _ = offer.key(&iced::keyboard::Key::Named(Named::Escape));
    assert!(offer.adding.is_none());
}
