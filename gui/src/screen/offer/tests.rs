//! Without a window.

use iced::Size;
use potluck::client::View;

use super::*;
use crate::{backend::offering::Key as Kept, screen::Screen, settings::Settings};

fn known() -> Offering {
    Offering {
        only: None,
        withheld: vec!["chat/1".to_owned()],
        keep_mib: 1024,
        allow: [("facepp/1".to_owned(), Allow::Contacts)].into(),
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
fn the_room_goes_up_and_down_by_steps() {
    assert_eq!((cards::smaller(1024), cards::larger(1024)), (Some(512), Some(2048)));
    // A number that somebody wrote into the file.
    assert_eq!((cards::smaller(1000), cards::larger(1000)), (Some(512), Some(1024)));
    assert_eq!((cards::smaller(64), cards::larger(65_536)), (None, None));
}
