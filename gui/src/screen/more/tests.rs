//! What the screen does, without a window.

use serde_json::{Value, json};

use super::*;
use crate::settings::Settings;

fn with<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (view, settings) = (View::default(), Settings::default());
    work(&Context {
        screen: crate::screen::Screen::More,
        lang: Lang::En,
        size: iced::Size::new(1060.0, 860.0),
        view: &view,
        backend: None,
        trouble: None,
        settings: &settings,
        theme: crate::theme::Theme::Light,
        now_ms: 0,
    })
}

fn about(file: bool, example: Value) -> Option<Box<About>> {
    let about = json!({
        "summary": "s", "input": "image", "output": "json", "file": file, "example": example,
    });
    Some(Box::new(serde_json::from_value(about).unwrap()))
}

fn chosen(context: &Context<'_>, told: Option<Box<About>>) -> More {
    let mut screen = More::default();
    let _ = screen.update(Message::Choose(Some("read/1".to_owned())), context);
    let _ = screen.update(Message::About("read/1".to_owned(), told), context);
    screen
}

fn request(screen: &mut More) -> Option<Value> {
    screen.form_mut().unwrap().request().map(|(args, _)| args)
}

#[test]
fn a_form_is_made_of_an_example_and_asks_in_its_kinds() {
    with(|context| {
        let example = json!({"a": true, "b": 0.5, "c": "x", "d": null});
        let mut screen = chosen(context, about(false, example));
        let _ = screen.update(Message::Switch(0, false), context);
        let _ = screen.update(Message::Type(1, "many".to_owned()), context);
        assert_eq!(request(&mut screen), None);
        let _ = screen.update(Message::Type(1, "2".to_owned()), context);
        let _ = screen.update(Message::Type(3, "[1, 2]".to_owned()), context);
        let wanted = json!({"a": false, "b": 2, "c": "x", "d": [1, 2]});
        assert_eq!(request(&mut screen), Some(wanted));
        // What is left empty is left out.
        let _ = screen.update(Message::Type(3, String::new()), context);
        assert_eq!(request(&mut screen), Some(json!({"a": false, "b": 2, "c": "x"})));
    });
}

#[test]
fn a_request_of_one_text_is_that_text() {
    with(|context| {
        let mut screen = chosen(context, about(false, json!("one two")));
        let _ = screen.update(Message::Type(0, "生活 就像".to_owned()), context);
        assert_eq!(request(&mut screen), Some(json!("生活 就像")));
    });
}

#[test]
fn nothing_is_asked_without_the_file_that_is_needed() {
    with(|context| {
        let mut screen = chosen(context, about(true, json!({})));
        let _ = screen.update(Message::Ask, context);
        assert!(request(&mut screen).is_none());
        let _ = screen.dropped(&Dropped::File("/p/猫.jpg".into()));
        assert_eq!(request(&mut screen), Some(json!({})));
    });
}

#[test]
fn where_nobody_tells_the_person_names_the_values() {
    with(|context| {
        let mut screen = chosen(context, None);
        for at in 0..2 {
            let _ = screen.update(Message::Add, context);
            let _ = screen.update(Message::Name(at, "to".to_owned()), context);
            let _ = screen.update(Message::Type(at, "en".to_owned()), context);
        }
        // Each once.
        assert_eq!(request(&mut screen), None);
        let _ = screen.update(Message::Remove(1), context);
        assert_eq!(request(&mut screen), Some(json!({"to": "en"})));
        // What is stopped stays stopped.
        let _ = screen.update(Message::Ask, context);
        let _ = screen.update(Message::Stop, context);
        let lost = CallFailure {
            kind: potluck::client::FailureKind::PeerFailed,
            message: "lost".into(),
            route: Vec::new(),
        };
        let _ = screen.update(Message::Answered(0, Err(lost)), context);
        assert!(matches!(screen.form().unwrap().state, form::State::New));
    });
}
