//! What the screen does, without a window.

use potluck::client::{FailureKind, Served, View};

use super::*;
use crate::backend::files::Chosen;
use crate::settings::Settings;

fn with<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (view, settings) = (View::default(), Settings::default());
    work(&Context {
        screen: crate::screen::Screen::Recognize,
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
    Shown { small: handle.clone(), handle, size: (1, 1) }
}

fn answer() -> Heard<Response> {
    let label = |label: &str, probability| {
        serde_json::json!(
        {"label": label, "index": 281, "probability": probability})
    };
    let response = serde_json::json!({
        "labels": [label("tabby, tabby cat", 0.61), label("Egyptian cat", 0.27)],
        "model": "efficientnet-lite0", "engine": "tract", "device": "cpu",
    });
    Heard {
        response: serde_json::from_value(response).unwrap(),
        served_by: Served { id: "12D3".into(), name: "王子涵".into() },
        route: Vec::new(),
        milliseconds: 34,
    }
}

fn failure(kind: FailureKind) -> CallFailure {
    CallFailure { kind, message: "lost".into(), route: Vec::new() }
}

fn paths(count: usize) -> Vec<PathBuf> {
    (0..count).map(|number| PathBuf::from(format!("/p/猫-{number}.jpg"))).collect()
}

fn chosen(chosen: Chosen) -> Message {
    Message::Paths(paths::Message::Chosen(Purpose::Open, chosen))
}

fn states(screen: &Recognize, of: fn(&State<Heard<Response>>) -> bool) -> usize {
    screen.shots.iter().filter(|shot| of(&shot.state)).count()
}

#[test]
fn pictures_are_read_a_few_at_a_time_and_answers_land_where_they_belong() {
    with(|context| {
        let mut screen = Recognize::default();
        let _ = screen.update(chosen(Chosen::Paths(paths(5))), context);
        assert_eq!(states(&screen, |state| matches!(state, State::Reading)), READING);
        // The second is ready first.
        let _ = screen.update(Message::Read(1, Ok(shown())), context);
        assert_eq!(states(&screen, |state| matches!(state, State::Reading)), READING);
        let _ = screen.update(Message::Answered(1, Ok(answer())), context);
        assert!(matches!(screen.shots[1].state, State::Done(_)));
        assert!(matches!(screen.shots[0].state, State::Reading));
        let table = String::from_utf8(table::of(&screen.shots)).unwrap();
        let rows: Vec<&str> = table.trim_start_matches('\u{feff}').lines().collect();
        let first = "猫-1.jpg,1,\"tabby, tabby cat\",0.610000,efficientnet-lite0,王子涵,34";
        assert_eq!(rows[1], first);
        assert_eq!(rows.len(), 3);
    });
}

#[test]
fn what_failed_can_be_tried_again_but_not_what_is_no_picture() {
    with(|context| {
        let mut screen = Recognize::default();
        let _ = screen.update(chosen(Chosen::Paths(paths(2))), context);
        let broken = Err(Unread::NotIt("a ZIP archive".into()));
        let _ = screen.update(Message::Read(0, broken), context);
        let _ = screen.update(Message::Read(1, Ok(shown())), context);
        let lost = Err(failure(FailureKind::PeerFailed));
        let _ = screen.update(Message::Answered(1, lost), context);
        let _ = screen.update(Message::AllAgain, context);
        assert!(matches!(screen.shots[0].state, State::Failed(Trouble::File(_))));
        assert!(matches!(screen.shots[1].state, State::Waiting));
    });
}

#[test]
fn what_is_stopped_stays_stopped_and_what_is_removed_is_forgotten() {
    with(|context| {
        let mut screen = Recognize::default();
        let _ = screen.update(chosen(Chosen::Paths(paths(3))), context);
        let _ = screen.update(Message::Read(0, Ok(shown())), context);
        let _ = screen.update(Message::Answered(0, Ok(answer())), context);
        let _ = screen.update(Message::Stop, context);
        // What comes late changes nothing.
        let _ = screen.update(Message::Read(1, Ok(shown())), context);
        assert!(matches!(screen.shots[0].state, State::Done(_)));
        assert!(matches!(screen.shots[1].state, State::Failed(Trouble::Stopped)));
        let _ = screen.update(Message::Remove(1), context);
        let _ = screen.update(Message::Answered(1, Ok(answer())), context);
        assert_eq!(screen.shots.len(), 2);
    });
}

#[test]
fn too_many_pictures_are_said_and_the_first_are_kept() {
    with(|context| {
        let mut screen = Recognize::default();
        let many = chosen(Chosen::Paths(paths(MOST + 1)));
        assert!(matches!(screen.update(many, context), Action::Tell(_)));
        assert_eq!(screen.shots.len(), MOST);
    });
}
