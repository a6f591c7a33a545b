//! The screens as a person sees and uses them, without a window: pressed by the simulator, drawn by
//! tiny-skia with the bundled fonts.
//!
//! `POTLUCK_PICTURES=folder cargo test -p potluck-gui --test screens` leaves a picture of every
//! screen in both languages, both themes and three sizes there, to be looked at.
//! `POTLUCK_ONLY=analyze` draws those alone whose name begins so. `POTLUCK_SNAPSHOTS=new` makes the committed pictures again.

#[path = "staged/staged.rs"]
mod staged;

use std::path::{Path, PathBuf};

use iced::{Size, keyboard::key::Named};
use iced_test::Simulator;
use image::RgbaImage;
use potluck_gui::{
    app::{App, Message, screens},
    figures,
    icon::Icon,
    screen::{Screen, mesh::private, paths, recognize},
    theme::{self, Theme, Tone},
    widget::{self, Dialog},
    words::{self, Lang},
};
use unicode_segmentation::UnicodeSegmentation as _;

/// A usual window, a small one, and a small one at 200 %.
const SIZES: [(&str, f32, f32); 3] =
    [("1280", 1280.0, 860.0), ("900", 900.0, 600.0), ("450", 450.0, 300.0)];

/// Brings a window into a state.
type Stage = fn(&mut App);

fn simulator(app: &App, size: Size) -> Simulator<'_, Message, Theme> {
    Simulator::with_size(settings(), size, app.view())
}

fn settings() -> iced::Settings {
    iced::Settings {
        fonts: theme::fonts().map(Into::into).into(),
        default_font: theme::FAMILY,
        ..iced::Settings::default()
    }
}

/// What the window shows, one pixel a pixel.
fn picture(app: &App, size: Size, theme: Theme) -> RgbaImage {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = simulator(app, size).snapshot(&theme).unwrap();
    assert!(snapshot.matches_image(folder.path().join("it.png")).unwrap());
    // The name says who drew it: another renderer draws other pixels.
    let large = image::open(folder.path().join("it-tiny-skia.png")).unwrap();
    let (width, height) = (size.width as u32, size.height as u32);
    image::imageops::resize(&large.into_rgba8(), width, height, image::imageops::Triangle)
}

/// Presses what shows these words, and lets the window react.
fn press(app: &mut App, words: &str) {
    let mut simulator = simulator(app, Size::new(1280.0, 860.0));
    simulator.click(words).unwrap_or_else(|error| panic!("{words}: {error}"));
    let messages: Vec<_> = simulator.into_messages().collect();
    assert!(!messages.is_empty(), "{words} does nothing");
    for message in messages {
        let _ = app.update(message);
    }
}

fn shows(app: &App, words: &str) -> bool {
    simulator(app, Size::new(1280.0, 860.0)).find(words).is_ok()
}

#[test]
fn every_screen_is_drawn_in_english_in_both_themes_and_all_sizes() {
    draw_all(Lang::En);
}

#[test]
fn every_screen_is_drawn_in_chinese_in_both_themes_and_all_sizes() {
    draw_all(Lang::Zh);
}

fn draw_all(lang: Lang) {
    let folder = std::env::var_os("POTLUCK_PICTURES").map(PathBuf::from);
    let stages: [(&str, Stage); 58] = [
        ("mesh", staged::mesh),
        ("mesh-card", staged::mesh_with_card),
        ("mesh-list", staged::mesh_list),
        ("adding", staged::adding),
        ("nobody", staged::nobody),
        ("private-open", staged::private_open),
        ("private-founder", staged::private_founder),
        ("private-member", staged::private_member),
        ("private-invite", staged::private_invite),
        ("private-again", |app| _ = staged::private_again(app)),
        ("private-move", staged::private_move),
        ("private-leave", staged::private_leave),
        ("private-out", staged::private_out),
        ("private-path", staged::private_path),
        ("private-map", staged::private_map),
        ("chat", staged::chat),
        ("chat-list", staged::chat_list),
        ("chat-files", staged::chat_files),
        ("chat-lines", staged::chat_lines),
        ("chat-compare", staged::chat_compare),
        ("chat-requests", staged::chat_requests),
        ("chat-robot", staged::robot),
        ("chat-empty", staged::chat_empty),
        ("activity", staged::activity),
        ("activity-card", staged::activity_card),
        ("activity-empty", staged::activity_empty),
        ("offer", staged::offer),
        ("offer-key", staged::offer_key),
        ("offer-members", staged::offer_members),
        ("offer-model", staged::offer_model),
        ("stopped", staged::stopped),
        ("recognize-empty", staged::no_pictures),
        ("recognize", staged::recognize),
        ("recognize-path", staged::recognize_path),
        ("faces-empty", staged::no_faces),
        ("faces", staged::faces),
        ("faces-none", staged::faces_none),
        ("faces-failed", staged::faces_failed),
        ("faces-cloud", staged::faces_cloud),
        ("analyze-empty", staged::no_table),
        ("analyze-recent", staged::analyze_recent),
        ("analyze-running", staged::analyze_running),
        ("analyze", staged::analyze),
        ("analyze-alerts", staged::analyze_alerts),
        ("analyze-columns", staged::analyze_columns),
        ("analyze-heatmap", staged::analyze_heatmap),
        ("analyze-scatter", staged::analyze_scatter),
        ("analyze-missing", staged::analyze_missing),
        ("analyze-trends", staged::analyze_trends),
        ("analyze-cloud", staged::analyze_cloud),
        ("analyze-how", staged::analyze_how),
        ("analyze-refused", staged::analyze_refused),
        ("analyze-nobody", staged::analyze_nobody),
        ("more", staged::more_list),
        ("more-form", staged::more_form),
        ("more-answer", staged::more_answer),
        ("more-untold", staged::more_untold),
        ("settings", staged::settings),
    ];
    let only = std::env::var("POTLUCK_ONLY").unwrap_or_default();
    for (name, stage) in stages.into_iter().filter(|(name, _)| name.starts_with(&only)) {
        for theme in [Theme::Light, Theme::Dark] {
            let mut app = staged::app(lang);
            let _ = app.update(Message::Prefers(iced::theme::Base::mode(&theme)));
            stage(&mut app);
            for (label, width, height) in SIZES {
                let drawn = picture(&app, Size::new(width, height), theme);
                // Something is on it: not one colour all over.
                let first = drawn.get_pixel(0, 0);
                assert!(drawn.pixels().any(|pixel| pixel != first));
                if let Some(folder) = &folder {
                    std::fs::create_dir_all(folder).unwrap();
                    let file = format!("{name}-{lang:?}-{theme:?}-{label}.png").to_lowercase();
                    drawn.save(folder.join(file)).unwrap();
                }
            }
        }
    }
}

/// The committed pictures: compared with a tolerance, since rounding differs between processors.
#[test]
fn screens_look_as_they_were_approved() {
    let approve: [(&str, Stage, Lang, Theme); 9] = [
        ("mesh-en-light", staged::mesh, Lang::En, Theme::Light),
        ("mesh-zh-dark", staged::mesh_with_card, Lang::Zh, Theme::Dark),
        ("nobody-zh-light", staged::nobody, Lang::Zh, Theme::Light),
        ("recognize-zh-light", staged::recognize, Lang::Zh, Theme::Light),
        ("faces-en-dark", staged::faces, Lang::En, Theme::Dark),
        ("analyze-zh-light", staged::analyze, Lang::Zh, Theme::Light),
        ("offer-zh-dark", staged::offer, Lang::Zh, Theme::Dark),
        ("private-zh-light", staged::private_founder, Lang::Zh, Theme::Light),
        ("settings-en-dark", staged::settings, Lang::En, Theme::Dark),
    ];
    for (name, stage, lang, theme) in approve {
        let mut app = staged::app(lang);
        let _ = app.update(Message::Prefers(iced::theme::Base::mode(&theme)));
        stage(&mut app);
        let drawn = picture(&app, Size::new(900.0, 600.0), theme);
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.png"));
        if std::env::var_os("POTLUCK_SNAPSHOTS").is_some_and(|value| value == "new") {
            drawn.save(&path).unwrap();
        }
        assert!(path.exists(), "{} is missing", path.display());
        let approved = image::open(&path).unwrap().into_rgba8();
        assert_eq!(drawn.dimensions(), approved.dimensions(), "{name}");
        let differs = |(one, other): (&image::Rgba<u8>, &image::Rgba<u8>)| {
            one.0.iter().zip(other.0).any(|(one, other)| one.abs_diff(other) > 24)
        };
        let changed = drawn.pixels().zip(approved.pixels()).filter(|pair| differs(*pair)).count();
        let most = (drawn.width() * drawn.height()) as usize / 500;
        assert!(changed <= most, "{name}: {changed} pixels differ");
    }
}

#[test]
fn a_person_finds_the_settings_and_the_way_back() {
    let mut app = staged::app(Lang::En);
    staged::mesh(&mut app);
    press(&mut app, words::settings::title(Lang::En));
    assert_eq!(app.screen(), Screen::Settings);
    // The language changes everything at once.
    press(&mut app, words::settings::chinese(Lang::En));
    assert_eq!(app.lang(), Lang::Zh);
    assert!(shows(&app, words::settings::look(Lang::Zh)));
    press(&mut app, words::settings::dark(Lang::Zh));
    assert_eq!(app.theme(), Some(Theme::Dark));
    press(&mut app, words::mesh::title(Lang::Zh));
    assert_eq!(app.screen(), Screen::Mesh);
}

#[test]
fn the_list_names_everybody_and_opens_a_card() {
    let mut app = staged::app(Lang::En);
    staged::mesh(&mut app);
    press(&mut app, words::mesh::list(Lang::En));
    for name in staged::NAMES {
        assert!(shows(&app, name), "{name} is missing");
    }
    press(&mut app, "lab-gpu-01");
    assert!(shows(&app, words::mesh::latency(Lang::En)));
}

/// Types into the field of this name, and lets the window react.
fn write(app: &mut App, field: &'static str, text: &str) {
    for letter in text.graphemes(true) {
        let mut simulator = simulator(app, Size::new(1280.0, 860.0));
        simulator.click(iced::widget::Id::new(field)).unwrap();
        let _ = simulator.typewrite(letter);
        for message in simulator.into_messages().collect::<Vec<_>>() {
            let _ = app.update(message);
        }
    }
}

#[test]
fn a_person_finds_somebody_and_what_they_wrote() {
    let mut app = staged::app(Lang::En);
    staged::chat_list(&mut app);
    press(&mut app, "王子涵");
    assert!(shows(&app, "谢谢！你不在线，压缩包也能收到。"));
    assert!(shows(&app, "第九讲.zip") && shows(&app, words::chat::save(Lang::En)));
    // A press on a letter shows what can be done with it.
    assert!(!shows(&app, words::chat::copy_text(Lang::En)));
    press(&mut app, "谢谢！你不在线，压缩包也能收到。");
    press(&mut app, words::chat::copy_text(Lang::En));
    assert!(app.toasts().shown().any(|toast| toast.text.contains("压缩包")));
    // Somebody else is found by what they wrote.
    write(&mut app, potluck_gui::screen::chat::SEARCH, "作业");
    assert!(shows(&app, "赵老师") && !shows(&app, "Anna Weber"));
}

#[test]
fn a_letter_that_cannot_go_is_told_and_stays_in_the_field() {
    let mut app = staged::app(Lang::En);
    staged::chat(&mut app);
    write(&mut app, potluck_gui::screen::chat::WRITE, "五点见");
    // No node runs behind this window.
    press(&mut app, words::chat::send(Lang::En));
    assert!(shows(&app, &words::chat::not_sent(Lang::En, "王子涵")));
    press(&mut app, words::chat::close(Lang::En));
    // An empty field sends nothing and tells nothing.
    press(&mut app, words::chat::send(Lang::En));
    assert!(shows(&app, &words::chat::not_sent(Lang::En, "王子涵")));
}

#[test]
fn a_stranger_is_let_in_and_another_is_declined_after_a_question() {
    let mut app = staged::app(Lang::En);
    staged::chat_list(&mut app);
    assert!(shows(&app, "Marco Rossi"));
    press(&mut app, words::chat::decline(Lang::En));
    assert!(shows(&app, &words::chat::decline_title(Lang::En, "Marco Rossi")));
    press(&mut app, words::chat::cancel(Lang::En));
    assert!(!shows(&app, &words::chat::decline_title(Lang::En, "Marco Rossi")));
    press(&mut app, words::chat::accept(Lang::En));
    assert!(!shows(&app, words::chat::accept(Lang::En)));
    assert!(shows(&app, "Hi, I sit in room 305. May I send you the slides?"));
}

#[test]
fn a_call_that_failed_says_why_and_who_was_tried() {
    let mut app = staged::app(Lang::En);
    staged::activity(&mut app);
    press(&mut app, words::activity::failed(Lang::En));
    assert!(!shows(&app, &words::activity::by(Lang::En, "赵老师")));
    let why = "notes.docx.jpg is not a picture: it begins like a document. Choose a JPEG or PNG";
    press(&mut app, why);
    assert!(shows(&app, words::activity::route(Lang::En)) && shows(&app, "lab-gpu-01"));
    press(&mut app, words::activity::copy_all(Lang::En));
    assert!(app.toasts().shown().any(|toast| toast.text.contains("recognize/1")));
}

#[test]
fn what_is_no_key_is_told_and_what_cannot_be_offered_says_why() {
    let mut app = staged::app(Lang::En);
    staged::offer(&mut app);
    assert!(shows(&app, "the model yunet is missing; `potluck models add yunet FILE` adds it"));
    press(&mut app, words::offer::replace(Lang::En));
    write(&mut app, potluck_gui::screen::offer::KEY, "two words");
    press(&mut app, words::offer::save(Lang::En));
    assert!(shows(&app, words::offer::not_key(Lang::En)));
    press(&mut app, words::offer::cancel(Lang::En));
    press(&mut app, words::offer::remove(Lang::En));
    assert!(shows(&app, words::offer::remove_title(Lang::En)));
}

#[test]
fn who_is_in_no_private_mesh_founds_or_joins_one_and_is_told_what_is_wrong() {
    let mut app = staged::app(Lang::En);
    staged::mesh(&mut app);
    assert!(shows(&app, words::mesh::private_title(Lang::En)));
    staged::private_open(&mut app);
    assert!(shows(&app, words::mesh::private_what(Lang::En)));
    let why = "this is no invite: one begins with potluck-invite:. `potluck mesh invite` makes one";
    assert!(shows(&app, why));
    // Another letter, and it is not said any more.
    write(&mut app, private::INVITE, "p");
    assert!(!shows(&app, why));
    press(&mut app, words::mesh::private_back(Lang::En));
    assert!(!shows(&app, words::mesh::private_what(Lang::En)));
    assert!(shows(&app, words::mesh::add_address(Lang::En)));
}

#[test]
fn a_founder_sees_everybody_and_is_asked_before_somebody_goes() {
    let mut app = staged::app(Lang::En);
    staged::private_founder(&mut app);
    assert!(shows(&app, &words::mesh::private_count(Lang::En, 5)));
    assert!(shows(&app, words::mesh::private_is_out(Lang::En)) && shows(&app, "lab-gpu-01"));
    staged::tell_private(&mut app, private::Message::AskOut("id".into(), "王子涵".into()));
    assert!(shows(&app, &words::mesh::private_out_title(Lang::En, "王子涵")));
    press(&mut app, words::mesh::private_keep_in(Lang::En));
    // The founder's key would be lost: that is said, and there is a way to keep it.
    press(&mut app, words::mesh::private_leave(Lang::En));
    assert!(shows(&app, words::mesh::private_leave_key(Lang::En)));
    press(&mut app, words::mesh::private_stay(Lang::En));
    let saved = paths::Message::Saved(private::OfKey::Export, "/k".into(), Ok("/k".into()));
    staged::tell_private(&mut app, private::Message::Key(saved));
    press(&mut app, words::mesh::private_leave(Lang::En));
    assert!(shows(&app, words::mesh::private_leave_kept(Lang::En)));
    press(&mut app, words::mesh::private_stay(Lang::En));
    press(&mut app, words::mesh::private_move(Lang::En));
    assert!(shows(&app, words::mesh::private_move_text(Lang::En)));
}

#[test]
fn who_was_put_out_is_invited_again_by_the_founder_alone() {
    let mut app = staged::app(Lang::En);
    // A moment that does not move on while the test runs.
    let until = staged::private_again(&mut app);
    let until = figures::moment(Lang::En, until, staged::now());
    assert!(shows(&app, &words::mesh::private_good_again(Lang::En, "Marco Rossi", &until)));
    // Whom the invite before was for is not said of the next one.
    staged::tell_private(&mut app, private::Message::Make);
    let _ = staged::private_made(&mut app, 5);
    assert!(!shows(&app, &words::mesh::private_good_again(Lang::En, "Marco Rossi", &until)));
}

#[test]
fn only_an_admin_invites_and_the_line_is_copied() {
    let mut app = staged::app(Lang::En);
    staged::private_member(&mut app);
    assert!(!shows(&app, words::mesh::private_make(Lang::En)));
    staged::private_invite(&mut app);
    assert!(shows(&app, words::mesh::private_make(Lang::En)));
    press(&mut app, words::shell::copy(Lang::En));
    assert!(app.toasts().shown().any(|toast| toast.text.starts_with("potluck-invite:")));
    // The map says in which mesh this is.
    staged::private_map(&mut app);
    assert!(shows(&app, &words::mesh::caption_private(Lang::En, "lab 402", 6, 7)));
}

#[test]
fn members_are_a_choice_where_there_are_any() {
    let mut app = staged::app(Lang::En);
    staged::offer(&mut app);
    assert!(!shows(&app, words::offer::members(Lang::En)));
    staged::offer_members(&mut app);
    assert!(shows(&app, words::offer::members(Lang::En)));
}

#[test]
fn the_keyboard_reaches_and_presses_a_control() {
    let mut app = staged::app(Lang::En);
    staged::mesh(&mut app);
    let mut simulator = simulator(&app, Size::new(1280.0, 860.0));
    // A click beside everything takes the keyboard from everything.
    let before = simulator.tap_key(iced::keyboard::Key::Named(Named::Enter));
    assert_eq!(before, iced::event::Status::Ignored);
    // A press moves the keyboard to the control, and Enter presses it again.
    simulator.click(words::settings::title(Lang::En)).unwrap();
    let after = simulator.tap_key(iced::keyboard::Key::Named(Named::Enter));
    assert_eq!(after, iced::event::Status::Captured);
    let pressed = simulator.into_messages().filter(|m| matches!(m, Message::Go(Screen::Settings)));
    assert_eq!(pressed.count(), 2);
}

#[test]
fn behind_a_dialog_the_page_keeps_still() {
    let mut app = staged::app(Lang::En);
    staged::mesh(&mut app);
    let dialog = Dialog {
        tone: Tone::Warning,
        icon: Icon::TriangleAlert,
        title: "Nobody can recognize pictures now".to_owned(),
        text: "lab-gpu-01 went off 20 seconds ago, and this computer has no model.".to_owned(),
        details: Some("recognize/1: lost".to_owned()),
        actions: vec![
            ("Stop".to_owned(), Message::Dismiss),
            ("Wait for a node".to_owned(), Message::Go(Screen::Settings)),
        ],
    };
    let above = widget::dialog(&dialog, Lang::En, Message::Copy);
    let page = widget::over(app.view(), Some(above), Message::Dismiss, false);
    let size = Size::new(900.0, 600.0);
    let mut simulator = Simulator::with_size(settings(), size, page);
    if let Some(folder) = std::env::var_os("POTLUCK_PICTURES").map(PathBuf::from) {
        let snapshot = simulator.snapshot(&Theme::Light).unwrap();
        let _ = snapshot.matches_image(folder.join("dialog.png"));
    }
    // What lies behind cannot be found by the keyboard or by a test; the dialog can.
    assert!(simulator.find(words::mesh::add_address(Lang::En)).is_err());
    simulator.click("Wait for a node").unwrap();
    let messages: Vec<_> = simulator.into_messages().collect();
    assert!(matches!(messages[..], [Message::Go(Screen::Settings)]), "{messages:?}");
}

#[test]
fn labels_are_read_and_a_picture_that_failed_is_tried_again() {
    let mut app = staged::app(Lang::En);
    staged::recognize(&mut app);
    assert!(shows(&app, "espresso") && shows(&app, "Egyptian cat"));
    assert!(shows(&app, words::recognize::no_picture(Lang::En)));
    assert!(shows(&app, words::asking::nobody(Lang::En)));
    press(&mut app, words::asking::again(Lang::En));
    assert!(!shows(&app, words::asking::nobody(Lang::En)));
    press(&mut app, words::asking::stop(Lang::En));
    assert!(shows(&app, words::recognize::stopped_hint(Lang::En)));
}

#[test]
fn a_picture_leaves_the_network_only_after_a_yes() {
    let mut app = staged::app(Lang::En);
    staged::faces(&mut app);
    assert!(shows(&app, "about 35") && shows(&app, words::faces::only_facepp(Lang::En)));
    press(&mut app, words::faces::send(Lang::En));
    assert!(shows(&app, words::faces::ask_title(Lang::En)));
    // The question says who would pay, and the quiet answer keeps the picture.
    press(&mut app, words::faces::keep_here(Lang::En));
    assert!(!shows(&app, words::faces::ask_title(Lang::En)));
    assert!(shows(&app, "about 35"));
}

#[test]
fn a_picture_without_faces_says_so_and_a_failure_can_be_tried_again() {
    let mut app = staged::app(Lang::Zh);
    staged::faces_none(&mut app);
    assert!(shows(&app, words::faces::none(Lang::Zh)));
    staged::faces_failed(&mut app);
    assert!(shows(&app, words::asking::nobody(Lang::Zh)));
    press(&mut app, words::asking::again(Lang::Zh));
    assert!(!shows(&app, words::asking::nobody(Lang::Zh)));
}

#[test]
fn a_report_is_read_part_by_part() {
    let mut app = staged::app(Lang::En);
    staged::analyze(&mut app);
    assert!(shows(&app, "120") && shows(&app, "学号"));
    assert!(shows(&app, words::analyze::save_report(Lang::En)));
    press(&mut app, words::analyze::columns(Lang::En));
    press(&mut app, "姓名");
    assert!(shows(&app, words::analyze::frequent(Lang::En)));
    press(&mut app, words::analyze::trends(Lang::En));
    // The chart of this table is there, and another of the same kind is not.
    assert!(shows(&app, words::analyze::drawing_chart(Lang::En)));
    press(&mut app, words::analyze::cloud(Lang::En));
    press(&mut app, words::analyze::shuffle(Lang::En));
    // Another cloud is on its way, and the report stays.
    assert!(shows(&app, words::asking::stop(Lang::En)));
    press(&mut app, words::asking::stop(Lang::En));
    assert!(!shows(&app, words::asking::stop(Lang::En)));
}

#[test]
fn how_a_table_is_read_shows_at_once_and_can_be_corrected() {
    let mut app = staged::app(Lang::Zh);
    staged::analyze_running(&mut app);
    assert!(shows(&app, "李文博") && shows(&app, words::analyze::date(Lang::Zh)));
    assert!(shows(&app, words::analyze::counting(Lang::Zh)));
    write(&mut app, potluck_gui::screen::analyze::SKIP, "no");
    assert!(shows(&app, &words::analyze::not_lines(Lang::Zh, 10_000)));
    press(&mut app, words::asking::stop(Lang::Zh));
    assert!(shows(&app, words::recognize::stopped_hint(Lang::Zh)));
    press(&mut app, words::asking::again(Lang::Zh));
    assert!(!shows(&app, words::recognize::stopped_hint(Lang::Zh)));
}

#[test]
fn what_is_no_table_says_so_and_nobody_to_serve_can_be_tried_again() {
    let mut app = staged::app(Lang::En);
    staged::analyze_refused(&mut app);
    assert!(shows(&app, words::analyze::no_table(Lang::En)));
    assert!(shows(&app, words::analyze::how_read(Lang::En)));
    let mut app = staged::app(Lang::Zh);
    staged::analyze_nobody(&mut app);
    assert!(shows(&app, words::asking::nobody(Lang::Zh)));
    press(&mut app, words::asking::again(Lang::Zh));
    assert!(!shows(&app, words::asking::nobody(Lang::Zh)));
}

#[test]
fn any_capability_gets_a_form_and_shows_its_answer() {
    let mut app = staged::app(Lang::En);
    // It stands in the sidebar only where there is something.
    staged::mesh(&mut app);
    assert!(!shows(&app, words::more::title(Lang::En)));
    staged::more_answer(&mut app);
    assert!(shows(&app, words::more::title(Lang::En)) && shows(&app, "least_certainty"));
    assert!(shows(&app, words::more::answer(Lang::En)));
    write(&mut app, potluck_gui::screen::more::FIELDS[2], "?");
    press(&mut app, words::more::ask(Lang::En));
    assert!(shows(&app, words::more::not_number(Lang::En)));
}

#[test]
fn a_capability_that_nobody_explains_can_be_asked_and_a_failure_says_why() {
    let mut app = staged::app(Lang::Zh);
    staged::more_untold(&mut app);
    assert!(shows(&app, words::more::untold(Lang::Zh)));
    assert!(shows(&app, words::asking::refused(Lang::Zh)));
    press(&mut app, words::more::ask(Lang::Zh));
    assert!(!shows(&app, words::asking::refused(Lang::Zh)));
    assert!(shows(&app, words::more::asks(Lang::Zh)));
    press(&mut app, words::asking::stop(Lang::Zh));
    assert!(shows(&app, words::more::ask(Lang::Zh)));
}

#[test]
fn a_path_can_be_typed_where_there_are_no_dialogs() {
    let mut app = staged::app(Lang::Zh);
    staged::no_pictures(&mut app);
    let typing = paths::Message::Type(recognize::Purpose::Open);
    let typing = recognize::Message::Paths(typing);
    let _ = app.update(Message::Screen(screens::Message::Recognize(typing)));
    let size = Size::new(1280.0, 860.0);
    let mut simulator = simulator(&app, size);
    simulator.click(iced::widget::Id::new(widget::PLACE)).unwrap();
    let _ = simulator.typewrite("/home/mei/猫.jpg");
    let messages: Vec<_> = simulator.into_messages().collect();
    for message in messages {
        let _ = app.update(message);
    }
    press(&mut app, words::asking::add(Lang::Zh));
    assert!(shows(&app, "猫.jpg"));
}

#[test]
fn a_node_that_cannot_start_is_told_with_a_way_on() {
    let mut app = staged::app(Lang::En);
    staged::stopped(&mut app);
    assert!(shows(&app, words::shell::cannot_start(Lang::En)));
    press(&mut app, words::shell::try_again(Lang::En));
    assert!(!shows(&app, words::shell::cannot_start(Lang::En)));
}

#[test]
fn what_a_short_message_offers_is_done_and_the_message_goes() {
    use potluck::{client::Event, mail::News};
    use potluck_gui::backend::Update;

    let mut app = staged::app(Lang::En);
    staged::chat_list(&mut app);
    let _ = app.update(Message::Go(Screen::Mesh));
    let letter = staged::letters().came.into_iter().find(|one| !one.stranger).unwrap();
    let fresh = potluck::mail::ask::Incoming {
        id: "fresh".to_owned(),
        came_at: staged::now(),
        seen: false,
        ..letter
    };
    let told = words::chat::wrote(Lang::En, &fresh.from_name);
    let news = Event::Mail(News::Came(Box::new(fresh)));
    let _ = app.update(Message::Backend(Update::News(vec![news])));
    assert!(shows(&app, &told));
    press(&mut app, words::chat::open(Lang::En));
    assert!(!shows(&app, &told), "it would lie over what it opened");
    assert!(shows(&app, words::chat::send(Lang::En)), "the conversation is open");
}
