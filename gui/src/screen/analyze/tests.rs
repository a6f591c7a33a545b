//! What the screen does, without a window.

use potluck::client::{CallFailure, FailureKind, View};
use potluck_analysis::{Unwatched, job, read};

use super::*;
use crate::{backend::files::Chosen, settings::Settings};

const TABLE: &str = "city,people,area\nBeijing,21.9,16410\nShanghai,24.9,6341\nXi'an,12.9,10752\n";

fn with<T>(work: impl FnOnce(&Context<'_>) -> T) -> T {
    let (view, settings) = (View::default(), Settings::default());
    work(&Context {
        screen: crate::screen::Screen::Analyze,
        lang: Lang::En,
        size: iced::Size::new(1060.0, 860.0),
        view: &view,
        backend: None,
        trouble: None,
        settings: &settings,
        theme: Theme::Light,
        now_ms: 0,
    })
}

/// A real report, in a folder of its own.
fn report() -> Analysis {
    let source = read::Source::Stream(Box::new(TABLE.as_bytes()));
    let done = job::analyze(source, &job::Options::default(), &Unwatched).unwrap();
    let folder = tempfile::tempdir().unwrap();
    done.write(folder.path()).unwrap();
    let files = done.files().into_iter().map(|(name, _)| name).collect();
    let unpacked = potluck::services::analyze::report::Report { files, ..Default::default() };
    let by = potluck::client::Served { id: "12D3".into(), name: "nas-402".into() };
    Analysis::of(folder, unpacked, (by, Vec::new(), 210)).unwrap()
}

fn opened(context: &Context<'_>) -> Analyze {
    let mut screen = Analyze::default();
    let paths = Chosen::Paths(vec!["/p/城市.csv".into()]);
    let _ = screen.update(files_message(paths::Message::Chosen(Purpose::Open, paths)), context);
    let head = Head { bytes: 90, seen: None };
    let _ = screen.update(Message::Looked(0, Ok(head)), context);
    screen
}

fn files_message(message: paths::Message<Purpose>) -> Message {
    Message::Paths(message)
}

fn answered(context: &Context<'_>) -> Analyze {
    let mut screen = opened(context);
    let done = Step::Done(Ok(report()));
    let _ = screen.update(Message::Stepped(0, done), context);
    screen
}

fn failure(kind: FailureKind) -> Step {
    let message = "lost".to_owned();
    Step::Done(Err(NoReport::Mesh(CallFailure {
        kind,
        message: message.into(),
        route: Vec::new(),
    })))
}

fn state(screen: &Analyze) -> &State<Analysis> {
    &screen.table.as_ref().unwrap().state
}

#[test]
fn a_report_stays_while_another_one_is_made_and_comes_back_when_that_is_stopped() {
    with(|context| {
        let mut screen = answered(context);
        let utf16 = Reading { encoding: Some("utf-16le".to_owned()), ..Reading::default() };
        let _ = screen.update(Message::Reads(utf16), context);
        // The beginning is looked at anew, and the old report still shows.
        assert!(matches!(state(&screen), State::Reading) && screen.report().is_some());
        // What still comes of the work before is another table's.
        let _ = screen.update(Message::Stepped(0, failure(FailureKind::PeerFailed)), context);
        assert!(screen.report().is_some());
        let _ = screen.update(Message::Stop, context);
        assert!(matches!(state(&screen), State::Done(_)));
        assert_eq!(screen.reading, Reading::default());
    });
}

#[test]
fn a_wrong_reading_ends_with_the_reason_and_can_be_corrected() {
    with(|context| {
        let mut screen = answered(context);
        let tabs = Reading { delimiter: Some('\t'), ..Reading::default() };
        let _ = screen.update(Message::Reads(tabs), context);
        let id = screen.table.as_ref().unwrap().id;
        let none = Err(Unread::NotIt("no tab in it".to_owned()));
        let _ = screen.update(Message::Looked(id, none), context);
        assert!(matches!(state(&screen), State::Failed(Trouble::File(_))));
        let _ = screen.update(Message::Reads(Reading::default()), context);
        assert!(matches!(state(&screen), State::Reading));
    });
}

#[test]
fn another_word_cloud_never_costs_the_report() {
    with(|context| {
        let mut screen = answered(context);
        let star = Cloud { mask: Mask::Shape("star"), ..Cloud::default() };
        let _ = screen.update(Message::Clouds(star), context);
        assert!(matches!(state(&screen), State::Waiting) && screen.report().is_some());
        let id = screen.table.as_ref().unwrap().id;
        let told = screen.update(Message::Stepped(id, failure(FailureKind::TimedOut)), context);
        assert!(matches!(told, Action::Tell(_)));
        assert!(matches!(state(&screen), State::Done(_)) && screen.cloud == Cloud::default());
    });
}

#[test]
fn lines_above_the_header_are_a_number() {
    with(|context| {
        let mut screen = answered(context);
        let _ = screen.update(Message::Skip("many".to_owned()), context);
        assert!(screen.skip.1 && screen.reading.skip_lines.is_none());
        let _ = screen.update(Message::Skip("10001".to_owned()), context);
        assert!(screen.skip.1);
        let _ = screen.update(Message::Skip("2".to_owned()), context);
        assert_eq!(screen.reading.skip_lines, Some(2));
        let (request, _) = request("城市.csv", &screen.reading, &screen.cloud, context);
        assert_eq!((request.skip_lines, request.encoding), (Some(2), None));
    });
}

#[test]
fn nothing_is_saved_over_the_table_itself() {
    with(|context| {
        let mut screen = answered(context);
        let to = |path: &str| {
            let paths = Chosen::Paths(vec![path.into()]);
            Message::Paths(paths::Message::Chosen(Purpose::Clean, paths))
        };
        assert!(matches!(screen.update(to("/p/城市.csv"), context), Action::Tell(_)));
        assert!(matches!(screen.update(to("/p/城市-clean.csv"), context), Action::Run(_)));
    });
}

#[test]
fn charts_are_decoded_when_they_are_looked_at() {
    with(|context| {
        let mut screen = answered(context);
        assert!(matches!(screen.update(Message::Tab(Tab::Heatmap), context), Action::Run(_)));
        // Once is enough.
        assert!(matches!(screen.update(Message::Tab(Tab::Alerts), context), Action::None));
        assert!(matches!(screen.update(Message::Tab(Tab::Heatmap), context), Action::None));
        let column = screen.update(Message::Column(Some(1)), context);
        assert!(matches!(column, Action::Run(_)) && screen.tab == Tab::Columns);
    });
}
