//! Tables: on their way, analysed, and refused. The reports are real ones, made here.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use potluck::{
    client::{CallFailure, FailureKind, Served},
    service::Data,
    services::analyze::report,
};
use potluck_analysis::{
    Unwatched,
    charts::Theme as ChartTheme,
    job,
    read::{self, ReadOptions},
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        files::{Chosen, Source, Unread},
        pictures::{self, Fit, Shown},
        tables::{self, Analysis, Head, NoReport, Reading, Stage, Step},
    },
    screen::{
        Screen,
        analyze::{self, Tab},
        paths,
    },
    theme::Theme,
    words::Lang,
};

use super::{NAMES, mesh, peer};

/// A class with Chinese names, marks that are missing, and one that is no number.
const MARKS: &str = "高一年级期中成绩\n学号,姓名,班级,语文,数学,英语,入学日期,评语\n";

/// Rows that look like life, the same in every run.
fn marks() -> String {
    let names = ["李文博", "张雨桐", "王浩然", "刘梓萱", "陈嘉怡", "杨俊杰", "赵思琪", "黄子轩"];
    let words = ["认真", "进步很大", "上课积极发言", "作业按时完成", "数学突出", "需要多练口语"];
    let mut table = MARKS.to_owned();
    for row in 0..120_u32 {
        let noise = row.wrapping_mul(2_654_435_761) >> 16;
        let math = 70 + noise % 76;
        let chinese = if row % 17 == 3 { "缺考".to_owned() } else { (60 + math / 2).to_string() };
        let english = if row % 29 == 7 { String::new() } else { (80 + noise % 50).to_string() };
        let (name, class) = (names[(noise % 8) as usize], ["三班", "四班"][(row % 2) as usize]);
        let (one, other) = (words[(noise % 6) as usize], words[(noise / 7 % 6) as usize]);
        table += &format!(
            "{},{name},{class},{chinese},{math},{english},2026-{:02}-{:02},{one}，{other}\n",
            20_260_101 + row,
            1 + row / 28,
            1 + row % 28,
        );
    }
    table
}

/// Nothing is there, but some tables were opened before.
pub fn analyze_recent(app: &mut App) {
    mesh(app);
    for path in [
        "/home/mei/Documents/2026/外勤/长途客运站调查-第三次.csv",
        "/media/usb/measurements-of-the-whole-winter-in-one-table.csv.gz",
        "/home/mei/成绩.csv",
    ] {
        tell(app, analyze::Message::Remember(path.into()));
    }
    let _ = app.update(Message::Go(Screen::Analyze));
}

fn tell(app: &mut App, message: analyze::Message) {
    let _ = app.update(Message::Screen(screens::Message::Analyze(message)));
}

pub fn no_table(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Analyze));
}

fn open(app: &mut App, name: &str) {
    no_table(app);
    let paths = Chosen::Paths(vec![format!("/home/mei/{name}").into()]);
    let chosen = paths::Message::Chosen(analyze::Purpose::Open, paths);
    tell(app, analyze::Message::Paths(chosen));
}

/// The beginning as the window reads it.
fn head(text: &str) -> Head {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let source = Source::Bytes(text.as_bytes().into());
    runtime.block_on(tables::look(source, Reading::default())).unwrap()
}

fn report(app: &App, text: &str, name: &str) -> Analysis {
    static MADE: Mutex<BTreeMap<(Lang, bool, String), Analysis>> = Mutex::new(BTreeMap::new());
    let (lang, dark) = (app.lang(), app.drawn() == Theme::Dark);
    // The same for all stages: an analysis that is not optimised takes seconds.
    let mut made = MADE.lock().unwrap();
    made.entry((lang, dark, name.to_owned()))
        .or_insert_with(|| make(lang, dark, text, name))
        .clone()
}

fn make(lang: Lang, dark: bool, text: &str, name: &str) -> Analysis {
    let theme = if dark { ChartTheme::Dark } else { ChartTheme::Light };
    let options = job::Options {
        read: ReadOptions { name: Some(name.to_owned()), threads: 2, ..ReadOptions::default() },
        lang,
        theme,
        ..job::Options::default()
    };
    let source = read::Source::Stream(Box::new(std::io::Cursor::new(text.to_owned())));
    let done = job::analyze(source, &options, &Unwatched).unwrap();
    let tar = tar_of(&done.files());
    let folder = tempfile::tempdir().unwrap();
    let unpacked = report::unpack(Some(&Data::Bytes(tar.into())), folder.path()).unwrap();
    let by = Served { id: peer(5).to_string(), name: NAMES[5].to_owned() };
    Analysis::of(folder, unpacked, (by, Vec::new(), 210)).unwrap()
}

fn tar_of(files: &[(String, std::borrow::Cow<'_, [u8]>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Half way, with the first rows and how they are read.
pub fn analyze_running(app: &mut App) {
    open(app, "成绩单-高一.csv");
    tell(app, analyze::Message::Looked(0, Ok(head(&marks()))));
    tell(app, analyze::Message::Stepped(0, Step::Progress(58, Stage::Counting)));
}

/// A report, at a glance.
pub fn analyze(app: &mut App) {
    open(app, "成绩单-高一.csv");
    let marks = marks();
    tell(app, analyze::Message::Looked(0, Ok(head(&marks))));
    let done = report(app, &marks, "成绩单-高一.csv");
    tell(app, analyze::Message::Stepped(0, Step::Done(Ok(done))));
}

/// The same of a table that has all kinds of charts.
fn class(app: &mut App, tab: Tab) {
    open(app, "class.csv");
    let text = potluck_analysis::SAMPLE;
    tell(app, analyze::Message::Looked(0, Ok(head(text))));
    let done = report(app, text, "class.csv");
    tell(app, analyze::Message::Stepped(0, Step::Done(Ok(done))));
    tell(app, analyze::Message::Tab(tab));
    decoded(app);
}

/// What the window would decode by itself.
fn decoded(app: &mut App) {
    static DECODED: Mutex<BTreeMap<PathBuf, Shown>> = Mutex::new(BTreeMap::new());
    let done = report(app, potluck_analysis::SAMPLE, "class.csv");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut decoded = DECODED.lock().unwrap();
    for chart in &done.charts {
        let chart = done.file(&chart.picture());
        let read = || {
            let source = Source::File(chart.clone());
            runtime.block_on(pictures::read(source, Fit::Within(1200, 1600))).unwrap()
        };
        let shown = decoded.entry(chart.clone()).or_insert_with(read).clone();
        tell(app, analyze::Message::Picture(chart, Ok(shown)));
    }
}

pub fn analyze_alerts(app: &mut App) {
    analyze(app);
    tell(app, analyze::Message::Tab(Tab::Alerts));
}

pub fn analyze_columns(app: &mut App) {
    class(app, Tab::Columns);
    tell(app, analyze::Message::Column(Some(2)));
    decoded(app);
}

pub fn analyze_heatmap(app: &mut App) {
    class(app, Tab::Heatmap);
}

pub fn analyze_scatter(app: &mut App) {
    class(app, Tab::Scatter);
}

pub fn analyze_missing(app: &mut App) {
    class(app, Tab::Missing);
}

pub fn analyze_trends(app: &mut App) {
    class(app, Tab::Trends);
}

pub fn analyze_cloud(app: &mut App) {
    class(app, Tab::Cloud);
}

/// Every choice of how the table is read shows.
pub fn analyze_how(app: &mut App) {
    analyze(app);
    tell(app, analyze::Message::How(true));
    tell(app, analyze::Message::Skip("many".to_owned()));
}

/// Something else than a table.
pub fn analyze_refused(app: &mut App) {
    open(app, "report.xlsx.csv");
    let why = "this is a ZIP archive or an Office document, not a table; save it as CSV";
    tell(app, analyze::Message::Looked(0, Err(Unread::NotIt(why.to_owned()))));
}

/// Nobody can do it.
pub fn analyze_nobody(app: &mut App) {
    open(app, "成绩单-高一.csv");
    tell(app, analyze::Message::Looked(0, Ok(head(&marks()))));
    let failure = CallFailure {
        kind: FailureKind::NobodyServes,
        message: "nobody here offers analyze/1".into(),
        route: Vec::new(),
    };
    tell(app, analyze::Message::Stepped(0, Step::Done(Err(NoReport::Mesh(failure)))));
}
