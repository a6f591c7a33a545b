//! What shows, without a window.

use iced::Size;
use potluck::client::{CallEnd, RouteHop, Served};

use super::*;
use crate::{screen::Screen, settings::Settings};

fn context<'a>(view: &'a View, settings: &'a Settings) -> Context<'a> {
    Context {
        lang: Lang::En,
        screen: Screen::Activity,
        size: Size::new(1060.0, 860.0),
        view,
        backend: None,
        trouble: None,
        settings,
        theme: crate::theme::Theme::Light,
        now_ms: 100_000,
    }
}

fn call(number: u64, side: Side, capability: &str, end: Option<CallEnd>) -> CallRecord {
    let capability = capability.to_owned();
    CallRecord { number, side, capability, bytes: 0, started_at: 90_000, progress: None, end }
}

fn answered(by: &str) -> Option<CallEnd> {
    let served_by = Some(Served { id: by.to_owned(), name: by.to_owned() });
    Some(CallEnd { milliseconds: 30, served_by, ..CallEnd::default() })
}

fn failed(why: &str) -> Option<CallEnd> {
    let lost = RouteHop {
        id: "12D3".to_owned(),
        name: "lab-gpu-01".to_owned(),
        expected_ms: 12.0,
        milliseconds: 500,
        outcome: "lost".to_owned(),
        detail: Some("the connection broke".to_owned()),
        hedge: false,
    };
    Some(CallEnd { failure: Some(why.into()), route: vec![lost], ..CallEnd::default() })
}

/// Somebody who is not in the mesh any more: only the fingerprint is left.
fn stranger() -> Side {
    let id = "12D3KooWGjMCwNTdPdFZp7y5hDMxgKmUyxM5UNtYMmYzB5kZ8mHt";
    Side::Served { caller: id.parse().expect("a client id") }
}

fn view() -> View {
    let calls = vec![
        call(1, Side::Asked, "recognize/1", answered("lab-gpu-01")),
        call(2, stranger(), "chat/1", answered("me")),
        call(3, Side::Asked, "faces/1", failed("there is no face model here")),
        call(4, Side::Asked, "chat/1", None),
    ];
    View { calls, ..View::default() }
}

fn shown(activity: &Activity, context: &Context<'_>) -> Vec<u64> {
    activity.fitting(context).iter().map(|call| call.number).collect()
}

#[test]
fn the_newest_is_first_and_filters_and_search_leave_what_fits() {
    let (view, settings) = (view(), Settings::default());
    let context = context(&view, &settings);
    let mut activity = Activity::default();
    assert_eq!(shown(&activity, &context), [4, 3, 2, 1]);
    for (filter, fits) in [
        (Filter::Asked, &[4, 3, 1][..]),
        (Filter::Served, &[2]),
        (Filter::Failed, &[3]),
        (Filter::All, &[4, 3, 2, 1]),
    ] {
        let _ = activity.update(Message::Filter(filter));
        assert_eq!(shown(&activity, &context), fits, "{filter:?}");
    }
    for (search, fits) in
        [("GPU", &[1][..]), ("face model", &[3]), ("chat robot", &[4, 2]), ("nobody", &[])]
    {
        let _ = activity.update(Message::Search(search.to_owned()));
        assert_eq!(shown(&activity, &context), fits, "{search}");
    }
}

#[test]
fn arrows_walk_what_shows_and_escape_closes_the_card() {
    let (view, settings) = (view(), Settings::default());
    let context = context(&view, &settings);
    let mut activity = Activity { filter: Filter::Asked, ..Activity::default() };
    let press = |activity: &mut Activity, key| {
        let _ = activity.key(&Key::Named(key), Modifiers::empty(), &context);
        activity.chosen
    };
    assert_eq!(press(&mut activity, Named::ArrowDown), Some(4));
    assert_eq!(press(&mut activity, Named::ArrowDown), Some(3));
    assert_eq!(press(&mut activity, Named::ArrowDown), Some(1));
    assert_eq!(press(&mut activity, Named::ArrowDown), Some(1));
    assert_eq!(press(&mut activity, Named::ArrowUp), Some(3));
    assert_eq!(press(&mut activity, Named::Escape), None);
}

#[test]
fn what_is_copied_says_why_and_who_was_tried() {
    let (view, settings) = (view(), Settings::default());
    let context = context(&view, &settings);
    let text = detail::in_words(&view.calls[2], &context);
    for part in ["faces/1", "there is no face model here", "lab-gpu-01", "the connection broke"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn time_is_looked_at_only_while_something_changes_with_it() {
    let view = view();
    assert!(shows_time(&view, 100_000));
    let ended = View { calls: view.calls[..3].to_vec(), ..View::default() };
    assert!(shows_time(&ended, 100_000));
    assert!(!shows_time(&ended, 90_000 + 30 + MINUTE_MS + 2_000));
}
