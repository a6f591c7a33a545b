//! The whole window without a screen, on real nodes: what it says when something goes wrong, and that it
//! goes on.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream::SelectAll};
use iced::Size;
use iced_test::{Simulator, runtime::Action, selector::Candidate};
use potluck::{
    Node, NodeOptions,
    client::Event,
    config::Config,
    home::{Home, HomeOptions},
    identity::Identity,
    mail::{Ask, News, Told, ask::Incoming, letter::Contents},
    network::TransportKind,
    protocol::{Fault, Repeat},
    service::{self, Capability, Example, Kind, Registry, Service, Standing},
};
use potluck_gui::{
    app::{App, Message, screens},
    args::Args,
    backend::{
        self, Start,
        post::Letters,
        tables::{Cloud, Reading},
    },
    screen::{Dropped, Screen, analyze, chat, more},
    theme::{self, Theme},
    words::{self, Lang},
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: Size = Size::new(1280.0, 860.0);

type Messages = std::pin::Pin<Box<dyn futures::Stream<Item = Message>>>;

/// A window whose tasks really run.
struct Driven {
    app: App,
    work: SelectAll<Messages>,
}

impl Driven {
    fn open(options: HomeOptions) -> Self {
        let args = Args { lang: Some(Lang::En), ..Args::default() };
        let (app, task) = App::new(&args);
        let mut driven = Self { app, work: SelectAll::new() };
        driven.run(task);
        driven.follow(options, 0);
        driven
    }

    fn follow(&mut self, options: HomeOptions, attempt: u32) {
        let start = Start { options, demo: None, attempt };
        self.work.push(Box::pin(backend::follow(&start).map(Message::Backend)));
    }

    fn run(&mut self, task: iced::Task<Message>) {
        let Some(actions) = iced_test::runtime::task::into_stream(task) else { return };
        let messages = actions.filter_map(async |action| match action {
            Action::Output(message) => Some(message),
            _ => None,
        });
        self.work.push(Box::pin(messages));
    }

    fn tell(&mut self, message: Message) {
        let task = self.app.update(message);
        self.run(task);
    }

    fn drop_files(&mut self, files: &[&Path]) {
        for file in files {
            self.tell(Message::Dropped(Dropped::File((*file).to_owned())));
        }
    }

    fn simulator(&self) -> Simulator<'_, Message, Theme> {
        let settings = iced::Settings {
            fonts: theme::fonts().map(Into::into).into(),
            default_font: theme::FAMILY,
            ..iced::Settings::default()
        };
        Simulator::with_size(settings, SIZE, self.app.view())
    }

    fn shows(&self, words: &str) -> bool {
        self.simulator().find(words).is_ok()
    }

    /// Everything that is written in the window.
    fn texts(&self) -> Vec<String> {
        let text = |candidate: Candidate<'_>| match candidate {
            Candidate::Text { content, .. } => Some(content.to_owned()),
            _ => None,
        };
        let mut texts = Vec::new();
        let _ = self.simulator().find(|candidate: Candidate<'_>| {
            texts.extend(text(candidate));
            None::<()>
        });
        texts
    }

    fn press(&mut self, words: &str) {
        let mut simulator = self.simulator();
        simulator.click(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        let messages: Vec<_> = simulator.into_messages().collect();
        messages.into_iter().for_each(|message| self.tell(message));
    }

    /// Lets the window live until it shows something.
    async fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < end, "not seen: {what}\n{}", self.texts().join("\n"));
            let next = tokio::time::timeout(Duration::from_millis(200), self.work.next());
            if let Ok(Some(message)) = next.await {
                self.tell(message);
            }
        }
    }

    async fn until_shows(&mut self, words: &str) {
        self.until(words, |driven| driven.shows(words)).await;
    }
}

fn options(folder: &Path, name: &str, offer: &[&str]) -> HomeOptions {
    HomeOptions {
        data_dir: Some(folder.join(name)),
        name: Some(name.to_owned()),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        no_mdns: true,
        offer: Some(offer.iter().map(ToString::to_string).collect()),
        ..HomeOptions::default()
    }
}

fn joining(options: HomeOptions, other: &Home) -> HomeOptions {
    HomeOptions { join: vec![other.client().snapshot().listen[0].to_string()], ..options }
}

fn sample() -> &'static [u8] {
    potluck_models::samples()[0].bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_to_which_it_is_attached_goes_and_the_window_runs_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let running = Home::open(options(folder.path(), "mei", &["chat/1"])).await.unwrap();
    let mut window = Driven::open(options(folder.path(), "mei", &["chat/1"]));
    window.tell(Message::Go(Screen::Settings));
    window.until_shows(words::settings::node_there(Lang::En)).await;
    running.leave().await;
    window.tell(Message::Go(Screen::Mesh));
    window.until_shows(words::shell::node_gone(Lang::En)).await;
    // What needs the node says so, and the window stays.
    window.tell(Message::Go(Screen::Chat));
    window.press(words::chat::robot(Lang::En));
    window.tell(Message::Go(Screen::Mesh));
    window.press(words::shell::try_again(Lang::En));
    window.follow(options(folder.path(), "mei", &["chat/1"]), 1);
    window.tell(Message::Go(Screen::Settings));
    window.until_shows(&folder.path().join("mei").display().to_string()).await;
    assert!(window.shows(words::settings::node_here(Lang::En)));
}

/// A picture of 20 megapixels, which takes a while to look at.
fn large_picture(path: &Path) {
    let (width, height) = (5472, 3648);
    let whole = image::load_from_memory(sample()).unwrap();
    let large = whole.resize_exact(width, height, image::imageops::FilterType::Triangle);
    large.into_rgb8().save(path).unwrap();
}

/// The node of the window, for the test: another front end of it.
async fn beside(window: &mut Driven, folder: &Path) -> Home {
    window.tell(Message::Go(Screen::Settings));
    window.until_shows(&folder.join("mei").display().to_string()).await;
    let home = Home::open(options(folder, "mei", &[])).await.unwrap();
    assert!(!home.is_own());
    home
}

async fn offered(home: &Home, capability: &str) {
    let end = Instant::now() + PATIENCE;
    let there = || {
        let known = home.client().snapshot();
        known.peers.values().any(|peer| peer.advert.offer(capability).is_some())
    };
    while !there() {
        assert!(Instant::now() < end, "nobody offers {capability}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_works_for_it_goes_and_another_node_does_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let first = Home::open(options(folder.path(), "first", &["recognize/1"])).await.unwrap();
    let mut window = Driven::open(joining(options(folder.path(), "mei", &["chat/1"]), &first));
    let own = beside(&mut window, folder.path()).await;
    offered(&own, "recognize/1").await;
    window.tell(Message::Go(Screen::Recognize));
    let pictures = [0, 1, 2, 3].map(|n| folder.path().join(format!("large-{n}.jpg")));
    large_picture(&pictures[0]);
    for path in &pictures[1..] {
        std::fs::copy(&pictures[0], path).unwrap();
    }
    let text = folder.path().join("notes.jpg");
    std::fs::write(&text, "this is no picture").unwrap();
    let files: Vec<&Path> = pictures.iter().chain([&text]).map(PathBuf::as_path).collect();
    window.drop_files(&files);
    window.until_shows(words::recognize::no_picture(Lang::En)).await;
    window.until_shows(words::recognize::is_running(Lang::En)).await;
    first.leave().await;
    // Nobody is left: that is said, with a way on.
    window.until_shows(words::asking::nobody(Lang::En)).await;
    let second = joining(options(folder.path(), "second", &["recognize/1"]), &own);
    let second = Home::open(second).await.unwrap();
    offered(&own, "recognize/1").await;
    let running = words::recognize::is_running(Lang::En);
    window.until("all have ended", |window| !window.shows(running)).await;
    window.press(words::recognize::try_all_again(Lang::En));
    let nobody = words::asking::nobody(Lang::En);
    window
        .until("all are labelled", |window| !window.shows(running) && !window.shows(nobody))
        .await;
    assert!(window.texts().iter().any(|text| text.contains("second")), "it says who did it");
    second.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_missing_is_said_where_it_is_offered() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("mei");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("config.toml"), "[recognize]\nmodel = \"not-there\"\n").unwrap();
    let mut window = Driven::open(options(folder.path(), "mei", &["chat/1", "recognize/1"]));
    window.tell(Message::Go(Screen::Offer));
    let said = |window: &Driven| window.texts().iter().any(|text| text.contains("not-there"));
    window.until("what is missing", said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_as_the_person_says_and_its_report_stays_when_nobody_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let first = Home::open(options(folder.path(), "first", &["analyze/1"])).await.unwrap();
    let mut window = Driven::open(joining(options(folder.path(), "mei", &["chat/1"]), &first));
    let own = beside(&mut window, folder.path()).await;
    offered(&own, "analyze/1").await;
    window.tell(Message::Go(Screen::Analyze));
    // Something else than a table is refused here, and nobody is asked.
    let page = folder.path().join("page.csv");
    std::fs::write(&page, "<!DOCTYPE html><html><body>no table</body></html>").unwrap();
    window.drop_files(&[&page]);
    window.until_shows(words::analyze::no_table(Lang::En)).await;
    // The names are in GBK: 姓名, 分数.
    let mut table = b"\xd0\xd5\xc3\xfb,\xb7\xd6\xca\xfd\n".to_vec();
    for row in 0..40 {
        let name: &[u8] = if row % 3 == 0 { b"\xc0\xee" } else { b"\xcd\xf5" };
        table.extend([name, format!(",{}\n", 60 + row).as_bytes()].concat());
    }
    let path = folder.path().join("成绩.csv");
    std::fs::write(&path, &table).unwrap();
    window.drop_files(&[&path]);
    window.until_shows(words::analyze::overview(Lang::En)).await;
    assert!(window.shows("40"));
    // So few bytes fit other encodings as well: the person says which it is.
    let analyze = |message| Message::Screen(screens::Message::Analyze(message));
    let chinese = Reading { encoding: Some("gb18030".to_owned()), ..Reading::default() };
    window.tell(analyze(analyze::Message::Reads(chinese.clone())));
    window.until_shows("姓名").await;
    let no_header = Reading { header_lines: Some(0), ..chinese };
    window.tell(analyze(analyze::Message::Reads(no_header)));
    window.until_shows("41").await;
    first.leave().await;
    // Another word cloud is not to be had now, and the report is still there.
    let another = Cloud { seed: 7, ..Cloud::default() };
    window.tell(analyze(analyze::Message::Clouds(another)));
    window.until_shows(words::analyze::failed(Lang::En)).await;
    assert!(window.shows("41") && window.shows(words::analyze::overview(Lang::En)));
}

/// A capability that no window knows.
struct CountWords;

/// What it takes.
#[derive(serde::Serialize, serde::Deserialize)]
struct Counted {
    text: String,
    long: bool,
}

impl Service for CountWords {
    type Request = Counted;
    type Response = u64;

    fn capability(&self) -> Capability {
        Capability {
            name: "words/1",
            summary: "counts the words of a text",
            input: Kind::Text,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let (device, engine, variants) = ("cpu".into(), String::new(), vec![]);
        Some(Standing { device, engine, call_ms: 4.0, slots: 4, variants })
    }

    async fn call(&self, _: &service::Context, asked: Counted) -> Result<u64, Fault> {
        match asked.text.is_empty() {
            true => Err(Fault::bad_input("there is no text to count")),
            false => Ok(7000 + asked.text.split_whitespace().count() as u64),
        }
    }

    fn examples(&self) -> Vec<Example<Counted>> {
        let request = Counted { text: "one two three".to_owned(), long: true };
        vec![Example { request, input: None, check: |_| Ok(()) }]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_that_somebody_brings_gets_a_form_and_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = Driven::open(options(folder.path(), "mei", &["chat/1"]));
    let own = beside(&mut window, folder.path()).await;
    let mut config = Config { name: "anna".to_owned(), ..Config::default() };
    config.network.listen = vec!["/ip4/127.0.0.1/tcp/0".to_owned()];
    config.network.join = vec![own.client().snapshot().listen[0].to_string()];
    config.network.mdns = false;
    let node = Node::start(NodeOptions {
        config,
        identity: Identity::generate(),
        data_dir: None,
        mail: None,
        mesh: None,
        transport: TransportKind::Real,
        registry: Some(Registry::new().with(CountWords).unwrap()),
        passing: false,
    });
    let node = node.await.unwrap();
    offered(&own, "words/1").await;
    window.until_shows(words::more::title(Lang::En)).await;
    window.press(words::more::title(Lang::En));
    window.press("words/1");
    // Its node says what it takes, with values that work.
    window.until_shows("counts the words of a text").await;
    assert!(window.shows("long") && window.shows("text"));
    window.press(words::more::ask(Lang::En));
    window.until_shows("7003").await;
    let more = |message| Message::Screen(screens::Message::More(message));
    window.tell(more(more::Message::Type(1, String::new())));
    window.press(words::more::ask(Lang::En));
    window.until_shows(words::asking::bad_input(Lang::En)).await;
    node.stop().await;
}

fn came(n: u64) -> Incoming {
    let text = Some(format!("letter number {n}"));
    Incoming {
        id: format!("{n:032x}"),
        from: "12D3KooWanna".to_owned(),
        from_name: "Anna".to_owned(),
        stranger: false,
        contents: Some(Contents { text, ..Contents::default() }),
        trouble: None,
        written_at: n * 60_000,
        came_at: n * 60_000,
        seen: true,
    }
}

#[test]
fn ten_thousand_letters_are_no_more_work_than_a_few() {
    let (mut app, _) = App::new(&Args { lang: Some(Lang::En), ..Args::default() });
    let mut tell = |message| {
        let _ = app.update(Message::Screen(screens::Message::Chat(message)));
    };
    let letters = Letters { came: (1..=10_000).map(came).collect(), ..Letters::default() };
    tell(chat::Message::Loaded(Ok(letters)));
    tell(chat::Message::Choose(chat::Who::Person("12D3KooWanna".to_owned())));
    tell(chat::Message::Earlier);
    let news = News::Came(Box::new(came(10_001)));
    let start = Instant::now();
    let _ = app.update(Message::Backend(backend::Update::News(vec![Event::Mail(news)])));
    let _ = app.update(Message::Go(Screen::Chat));
    let driven = Driven { app, work: SelectAll::new() };
    assert!(driven.shows("letter number 10001"));
    println!("one more letter and its picture: {:?}", start.elapsed());
    assert!(driven.shows("letter number 9900") && !driven.shows("letter number 9000"));
}

/// A file system of its own, which can be full. Only root can have one.
#[cfg(target_os = "linux")]
struct Disk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path());
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        for block in [1 << 20, 4096, 1] {
            while std::io::Write::write_all(&mut filler, &vec![1; block]).is_ok() {}
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_what_was_written_goes_later() {
    let Some(disk) = Disk::new() else {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED a full disk under the window: no file system of its own\n",
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let bob = Home::open(options(folder.path(), "bob", &["chat/1"])).await.unwrap();
    let mut window = Driven::open(joining(options(disk.0.path(), "mei", &["chat/1"]), &bob));
    window.tell(Message::Go(Screen::Chat));
    window.until_shows("bob").await;
    window.press("bob");
    disk.fill();
    let chat = |message| Message::Screen(screens::Message::Chat(message));
    window.tell(chat(chat::Message::Write("at five".to_owned())));
    window.tell(chat(chat::Message::Send));
    window.until_shows(&words::chat::not_sent(Lang::En, "bob")).await;
    window.press(words::chat::close(Lang::En));
    std::fs::remove_file(disk.0.path().join("filler")).unwrap();
    // It stands in the field again, and goes as soon as the node can store it.
    let inbox = async || match bob.client().mail(Ask::Inbox { with: None }).await {
        Ok(Told::Inbox { came, .. }) => came,
        other => panic!("{other:?}"),
    };
    let end = Instant::now() + PATIENCE;
    while inbox().await.is_empty() {
        assert!(Instant::now() < end, "it does not arrive");
        if window.shows(words::chat::close(Lang::En)) {
            window.press(words::chat::close(Lang::En));
        }
        window.tell(chat(chat::Message::Send));
        let soon = Instant::now() + Duration::from_secs(1);
        window.until("a moment passes", |_| Instant::now() > soon).await;
    }
    let came = inbox().await;
    let text = came[0].contents.as_ref().and_then(|contents| contents.text.as_deref());
    assert!(text.is_none_or(|text| text == "at five"), "{text:?}");
    bob.leave().await;
}
