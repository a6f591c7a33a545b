//! What the two screens do, without a window.

use potluck::client::{Served, View};

use super::*;
use crate::settings::Settings;

fn with<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (view, settings) = (View::default(), Settings::default());
    work(&Context {
        screen: crate::screen::Screen::Things,
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

fn found(items: Items) -> Found {
    let served_by = Served { id: "12D3".into(), name: "赵老师".into() };
    Found { items, served_by, route: Vec::new(), milliseconds: 38 }
}

fn lines(texts: &[&str]) -> Items {
    let line = |text: &&str| {
        let corner = serde_json::json!({"x": 1.0, "y": 1.0});
        serde_json::json!({"text": text, "confidence": 0.9, "corners": vec![corner; 4]})
    };
    let lines: serde_json::Value = texts.iter().map(line).collect();
    Items::Lines(serde_json::from_value(lines).unwrap())
}

fn opened(which: Which, context: &Context<'_>) -> Marked {
    let mut screen = Marked::new(which);
    let paths = files::Chosen::Paths(vec!["/p/0.jpg".into()]);
    let chosen = Message::Paths(paths::Message::Chosen(Purpose::Open, paths));
    let _ = screen.update(chosen, context);
    let _ = screen.update(Message::Read(0, Ok(shown())), context);
    screen
}

#[test]
fn what_was_found_is_walked_with_the_keyboard() {
    with(|context| {
        let mut screen = opened(Which::Text, context);
        let _ = screen.update(Message::Answered(0, Ok(found(lines(&["a", "b"])))), context);
        let key = |name| Key::Named(name);
        let none = Modifiers::default();
        let seen: Vec<_> = (0..3)
            .map(|_| {
                let _ = screen.key(&key(Named::ArrowDown), none, context);
                screen.item
            })
            .collect();
        assert_eq!(seen, [Some(0), Some(1), Some(1)]);
        let _ = screen.key(&key(Named::Escape), none, context);
        assert_eq!(screen.item, None);
    });
}

#[test]
fn a_copy_is_called_by_what_is_marked_and_never_takes_the_place_of_its_picture() {
    with(|context| {
        for (which, name) in [(Which::Things, "0-things.jpg"), (Which::Text, "0-text.jpg")] {
            let mut screen = opened(which, context);
            let _ = screen.update(Message::Answered(0, Ok(found(lines(&["a"])))), context);
            assert_eq!(screen.copy_name(&screen.pieces[0], Lang::En), format!("/p/{name}"));
            let save = |path: &str| {
                let paths = files::Chosen::Paths(vec![path.into()]);
                Message::Paths(paths::Message::Chosen(Purpose::Save, paths))
            };
            assert!(matches!(screen.update(save("/p/0.jpg"), context), Action::Tell(_)));
            assert!(matches!(screen.update(save("/p/1.jpg"), context), Action::Run(_)));
        }
    });
}

#[test]
fn text_is_copied_line_by_line_and_things_with_their_places() {
    assert_eq!(lines(&["Potluck", "每人带一道菜"]).in_words(Lang::En), "Potluck\n每人带一道菜");
    let thing = serde_json::json!([{
        "box": {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}, "name": "cat", "confidence": 0.876,
    }]);
    let things = Items::Things(serde_json::from_value(thing).unwrap());
    assert_eq!(things.in_words(Lang::Zh), "猫\t88%\t1,2 3×4");
}
