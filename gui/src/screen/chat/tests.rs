//! What the chat does with what happens, without a window.

use iced::{Size, Task};
use potluck::{
    client::{FailureKind, View},
    mail::{News, ask::Incoming, letter::Contents},
};

use super::*;
use crate::{screen::Screen, settings::Settings, words::Lang};

struct Stage {
    view: View,
    settings: Settings,
    screen: Screen,
}

impl Stage {
    fn new(screen: Screen) -> Self {
        Self { view: View::default(), settings: Settings::default(), screen }
    }

    fn context(&self) -> Context<'_> {
        Context {
            lang: Lang::En,
            screen: self.screen,
            size: Size::new(1060.0, 860.0),
            view: &self.view,
            backend: None,
            trouble: None,
            settings: &self.settings,
            theme: crate::theme::Theme::Light,
            now_ms: 1_000_000,
        }
    }
}

fn came(id: &str, from: &str, stranger: bool) -> Incoming {
    Incoming {
        id: id.to_owned(),
        from: from.to_owned(),
        from_name: from.to_owned(),
        stranger,
        contents: Some(Contents { text: Some("hello".to_owned()), ..Contents::default() }),
        trouble: None,
        written_at: 5,
        came_at: 5,
        seen: false,
    }
}

fn news(letter: Incoming) -> Event {
    Event::Mail(News::Came(Box::new(letter)))
}

fn person(id: &str) -> Who {
    Who::Person(id.to_owned())
}

#[test]
fn files_that_are_dropped_before_somebody_is_chosen_go_to_whoever_is() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat::default();
    let _ = chat.dropped(&Dropped::Over);
    let _ = chat.dropped(&Dropped::File("/a/report.pdf".into()));
    let _ = chat.dropped(&Dropped::File("/a/report.pdf".into()));
    let _ = chat.dropped(&Dropped::File("/a/photo.jpg".into()));
    assert!(!chat.hovered);
    // The robot takes none.
    let _ = chat.update(Message::Choose(Who::Robot), &stage.context());
    assert_eq!(chat.dropped.len(), 3);
    let _ = chat.update(Message::Choose(person("anna")), &stage.context());
    assert!(chat.dropped.is_empty());
    let files = &chat.drafts[&person("anna")].files;
    assert_eq!(*files, [PathBuf::from("/a/report.pdf"), "/a/photo.jpg".into()]);
    let _ = chat.update(Message::Remove(0), &stage.context());
    assert_eq!(chat.drafts[&person("anna")].files, [PathBuf::from("/a/photo.jpg")]);
}

#[test]
fn what_was_not_sent_stands_in_the_field_again() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat { chosen: Some(person("anna")), ..Chat::default() };
    let stop = Task::<()>::none().abortable().1;
    let files = vec![PathBuf::from("/a/report.pdf")];
    let pending = Pending {
        number: 7,
        to: "anna".into(),
        text: "see you".into(),
        files: files.clone(),
        stop,
    };
    chat.pending.push(pending);
    let _ = chat.update(Message::Write("at five".into()), &stage.context());
    let why = Failed { kind: FailureKind::Refused, message: "anna has a new key".into() };
    let asked = chat.update(Message::Sent(7, Err(why)), &stage.context());
    let Action::Ask(dialog) = asked else { panic!("nobody is told") };
    assert!(dialog.title.contains("anna") && dialog.text.contains("new key"), "{dialog:?}");
    let draft = &chat.drafts[&person("anna")];
    assert_eq!((draft.text().as_str(), &draft.files), ("see you at five", &files));
    assert!(chat.pending.is_empty());
}

#[test]
fn drafts_stay_with_the_person_they_are_for() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat::default();
    let _ = chat.update(Message::Choose(person("anna")), &stage.context());
    let _ = chat.update(Message::Write("for anna".into()), &stage.context());
    let _ = chat.update(Message::Choose(Who::Robot), &stage.context());
    assert_eq!(chat.draft().unwrap().text(), "");
    let _ = chat.update(Message::Choose(person("anna")), &stage.context());
    assert_eq!(chat.draft().unwrap().text(), "for anna");
}

#[test]
fn a_new_letter_is_told_with_a_way_to_it() {
    let stage = Stage::new(Screen::Mesh);
    let mut chat = Chat::default();
    let told = chat.hear(&news(came("a", "anna", false)), &stage.context());
    let Action::Notice(toast) = told else { panic!("nobody is told") };
    assert!(toast.title.contains("anna") && toast.text == "hello", "{toast:?}");
    let Some((_, open)) = toast.action else { panic!("no way to it") };
    let opened = chat.update(open, &stage.context());
    assert!(matches!(opened, Action::Go(Screen::Chat)));
    assert_eq!(chat.chosen, Some(person("anna")));
    // The same letter again is no news, and what the person reads needs no word.
    assert!(!matches!(
        chat.hear(&news(came("a", "anna", false)), &stage.context()),
        Action::Notice(_)
    ));
    let reading = Stage::new(Screen::Chat);
    let heard = chat.hear(&news(came("b", "anna", false)), &reading.context());
    assert!(!matches!(heard, Action::Notice(_)));
}

#[test]
fn strangers_are_told_of_only_where_that_is_wanted_and_never_quoted() {
    let mut stage = Stage::new(Screen::Mesh);
    let mut chat = Chat::default();
    let heard = chat.hear(&news(came("a", "marco", true)), &stage.context());
    assert!(matches!(heard, Action::None));
    stage.settings.notice_strangers = true;
    let heard = chat.hear(&news(came("b", "marco", true)), &stage.context());
    let Action::Notice(toast) = heard else { panic!("nobody is told") };
    assert!(toast.text.is_empty());
    assert_eq!(chat.unread(&stage.context()), 1);
    let accepted = chat.update(Message::Accept("marco".into()), &stage.context());
    let Action::Set(settings) = accepted else { panic!("not kept") };
    stage.settings = settings;
    assert_eq!(chat.unread(&stage.context()), 2);
    assert_eq!(chat.chosen, Some(person("marco")));
}

#[test]
fn declining_deletes_what_came_and_asks_first() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat::default();
    let _ = chat.hear(&news(came("a", "marco", true)), &stage.context());
    let _ = chat.hear(&news(came("b", "marco", true)), &stage.context());
    let asked = chat.update(Message::Decline("marco".into()), &stage.context());
    let Action::Ask(dialog) = asked else { panic!("not asked") };
    let (_, yes) = dialog.actions.last().unwrap();
    assert!(matches!(yes, Message::Deleted(ids) if *ids == ["a", "b"]), "{yes:?}");
    // Escape is the first action, and does nothing.
    assert!(matches!(dialog.actions[0].1, Message::Nothing));
}

#[test]
fn arrows_walk_the_list_and_escape_goes_back() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat::default();
    let _ = chat.hear(&news(came("a", "anna", false)), &stage.context());
    let press = |chat: &mut Chat, key| {
        let _ = chat.key(&Key::Named(key), Modifiers::ALT, &stage.context());
        chat.chosen.clone()
    };
    assert_eq!(press(&mut chat, Named::ArrowDown), Some(Who::Robot));
    assert_eq!(press(&mut chat, Named::ArrowDown), Some(person("anna")));
    assert_eq!(press(&mut chat, Named::ArrowDown), Some(person("anna")));
    assert_eq!(press(&mut chat, Named::ArrowUp), Some(Who::Robot));
    assert_eq!(press(&mut chat, Named::Escape), None);
}

#[test]
fn a_path_that_is_none_is_told_below_its_field() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat { chosen: Some(person("anna")), ..Chat::default() };
    let _ = chat.update(Message::Attach, &stage.context());
    let _ = chat.update(Message::Found("/no/such".into(), false), &stage.context());
    assert!(chat.wrong.as_ref().unwrap().contains("/no/such"));
    let _ = chat.update(Message::Found("/a/report.pdf".into(), true), &stage.context());
    assert_eq!(chat.drafts[&person("anna")].files.len(), 1);
}

#[test]
fn of_ten_thousand_letters_a_few_are_laid_out_and_all_can_be_reached() {
    let mut span = Span::default();
    assert_eq!(span.of(10_000), 9_940..10_000);
    let mut seen = 10_000;
    while span.of(10_000).start > 0 {
        let before = span.of(10_000);
        span = span.earlier();
        let now = span.of(10_000);
        assert!(now.len() <= MOST && now.start < before.start && now.end >= before.start);
        seen = seen.min(now.start);
    }
    assert_eq!(seen, 0);
    while span.of(10_000).end < 10_000 {
        let before = span.of(10_000);
        span = span.later();
        assert!(span.of(10_000).end > before.end && span.of(10_000).start <= before.end);
    }
    // Few letters, or none, and fewer than before.
    assert_eq!(Span::default().of(0), 0..0);
    assert_eq!(Span::default().of(7), 0..7);
    assert_eq!(Span { later: 600, shown: 60 }.of(7), 0..7);
}

#[tokio::test]
async fn what_rests_is_not_looked_after() {
    let stage = Stage::new(Screen::Chat);
    let mut chat = Chat::default();
    let coming = |paused| Coming {
        id: "1".to_owned(),
        from: "anna".to_owned(),
        from_name: "anna".to_owned(),
        sealed: 100,
        here: 40,
        paused,
    };
    for (paused, watched) in [(false, 1), (true, 0)] {
        let looked = Message::Looked("anna".to_owned(), Ok((vec![], vec![coming(paused)])));
        let _ = chat.update(looked, &stage.context());
        assert_eq!(chat.watched.len(), watched, "paused: {paused}");
    }
}
