//! What the screen does, without a window.

use potluck::client::{CallFailure, FailureKind, Served, View};

use super::*;
use crate::settings::Settings;

fn with<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (view, settings) = (View::default(), Settings::default());
    work(&Context {
        screen: crate::screen::Screen::Faces,
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

fn shown() -> Shown {
    let handle = iced::widget::image::Handle::from_rgba(1, 1, vec![0; 4]);
    Shown { small: handle.clone(), handle, size: (100, 100) }
}

fn found(faces: usize) -> Found {
    let face = serde_json::json!({"box": {"x": 1, "y": 1, "width": 9, "height": 9}});
    Found {
        faces: vec![serde_json::from_value(face).unwrap(); faces],
        parts: Vec::new(),
        cloud: false,
        served_by: Served { id: "12D3".into(), name: "赵老师".into() },
        route: Vec::new(),
        milliseconds: 38,
    }
}

fn chosen(purpose: Purpose, paths: Vec<PathBuf>) -> Message {
    Message::Paths(paths::Message::Chosen(purpose, files::Chosen::Paths(paths)))
}

fn opened(context: &Context<'_>, count: usize) -> Faces {
    let mut screen = Faces::default();
    let paths = (0..count).map(|number| format!("/p/{number}.jpg").into()).collect();
    let _ = screen.update(chosen(Purpose::Open, paths), context);
    for id in 0..count as u64 {
        let _ = screen.update(Message::Read(id, Ok(shown())), context);
    }
    screen
}

#[test]
fn faces_are_walked_with_the_keyboard_and_pictures_too() {
    with(|context| {
        let mut screen = opened(context, 2);
        let _ = screen.update(Message::Answered(1, Ok(found(2))), context);
        let key = |name| Key::Named(name);
        let none = Modifiers::default();
        let seen: Vec<_> = (0..3)
            .map(|_| {
                let _ = screen.key(&key(Named::ArrowDown), none, context);
                screen.face
            })
            .collect();
        assert_eq!(seen, [Some(0), Some(1), Some(1)]);
        let _ = screen.key(&key(Named::ArrowLeft), none, context);
        assert_eq!((screen.chosen, screen.face), (Some(0), None));
    });
}

#[test]
fn nothing_goes_to_the_cloud_where_nobody_offers_it() {
    with(|context| {
        let mut screen = opened(context, 1);
        let _ = screen.update(Message::Answered(0, Ok(found(1))), context);
        assert!(matches!(screen.update(Message::AskCloud(0), context), Action::None));
    });
}

#[test]
fn a_copy_never_takes_the_place_of_its_picture() {
    with(|context| {
        let mut screen = opened(context, 1);
        let _ = screen.update(Message::Answered(0, Ok(found(1))), context);
        let itself = chosen(Purpose::Save, vec!["/p/0.jpg".into()]);
        assert!(matches!(screen.update(itself, context), Action::Tell(_)));
        let other = chosen(Purpose::Save, vec!["/p/0-faces.jpg".into()]);
        assert!(matches!(screen.update(other, context), Action::Run(_)));
    });
}

#[test]
fn what_failed_is_tried_again_and_what_is_removed_makes_room() {
    with(|context| {
        let mut screen = opened(context, 2);
        let failure = CallFailure {
            kind: FailureKind::TimedOut,
            message: "no answer".into(),
            route: Vec::new(),
        };
        let _ = screen.update(Message::Answered(0, Err(Trouble::Mesh(failure))), context);
        let _ = screen.update(Message::Again(0), context);
        assert!(matches!(screen.portraits[0].state, State::Waiting));
        let _ = screen.update(Message::Remove(1), context);
        assert_eq!(screen.chosen, Some(0));
        let _ = screen.update(Message::Remove(0), context);
        assert!(screen.chosen.is_none() && screen.portraits.is_empty());
    });
}
