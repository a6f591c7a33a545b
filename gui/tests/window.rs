//! A real window on a virtual screen, used by mouse and keyboard, beside a second node: what is done in the window has
//! to reach that node. Needs `Xvfb` and `xdotool`; without them it is skipped, and says so.
//!
//! `POTLUCK_PICTURES=folder` leaves a picture of the screen there after each step, where `import` of ImageMagick is.
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use potluck::{
    home::{Home, HomeOptions},
    mail::{Ask, Told},
};

/// How long something may take to show, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time for one thing before the next one is done.
const PAUSE: Duration = Duration::from_millis(400);
/// What is written, also to show that Chinese can be typed.
const LETTER: &str = "from the window: 你好";
/// What stands in the sidebar, and the first person in the list of the chat.
const CHAT: (u32, u32) = (66, 121);
const RECOGNIZE: (u32, u32) = (66, 198);
const THINGS: (u32, u32) = (66, 236);
const FACES: (u32, u32) = (66, 312);
const ANALYZE: (u32, u32) = (66, 350);
/// The heat map among the parts of a report.
const HEATMAP: (u32, u32) = (548, 128);
const ROBOT: (u32, u32) = (400, 150);
const PERSON: (u32, u32) = (400, 210);

/// A virtual screen with one window on it. Both go when it is dropped.
struct Screen {
    server: Child,
    window: Option<Child>,
    display: String,
}

impl Screen {
    /// `None` where the programs that it needs are not installed.
    fn new() -> Option<Self> {
        let there = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).exists())
        };
        if !there("Xvfb") || !there("xdotool") {
            return None;
        }
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x860x24", "-nolisten", "tcp"]);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        Some(Self { server, window: None, display: format!(":{}", number.trim()) })
    }

    fn open(&mut self, data_dir: &Path, join: &str) {
        let mut window = Command::new(env!("CARGO_BIN_EXE_potluck-gui"));
        window.arg("--data-dir").arg(data_dir).args(["--name", "mei", "--no-mdns", "--lang", "en"]);
        window.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--join", join]);
        window.env("DISPLAY", &self.display).env("ICED_BACKEND", "tiny-skia");
        window.env_remove("WAYLAND_DISPLAY").env("LC_ALL", "C.UTF-8");
        self.window = Some(window.spawn().expect("the window starts"));
        let found = until("a window", || self.does(&["search", "--onlyvisible", "--name", "."]));
        let id = found.lines().last().expect("an id").to_owned();
        self.does(&["windowsize", &id, "1280", "860"]).expect("it is resized");
        self.does(&["windowfocus", &id]).expect("it has the keyboard");
        std::thread::sleep(PAUSE);
    }

    fn does(&self, what: &[&str]) -> Option<String> {
        let done =
            Command::new("xdotool").args(what).env("DISPLAY", &self.display).output().ok()?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        done.status.success().then_some(said)
    }

    fn click(&self, (x, y): (u32, u32)) {
        self.does(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]).expect("a click");
        std::thread::sleep(PAUSE);
    }

    /// Types a line, and Enter after it.
    fn line(&self, text: &str) {
        self.does(&["type", "--delay", "25", text]).expect("typed");
        std::thread::sleep(PAUSE);
        self.does(&["key", "Return"]).expect("Enter");
    }

    fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("POTLUCK_PICTURES").map(PathBuf::from) {
            let _ = std::fs::create_dir_all(&folder);
            let file = folder.join(format!("window-{name}.png"));
            let mut import = Command::new("import");
            import.args(["-window", "root"]).arg(file).env("DISPLAY", &self.display);
            let _ = import.status();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in self.window.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Looks until it is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "not seen: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_is_done_in_the_window_reaches_another_node() {
    let Some(mut screen) = Screen::new() else {
        // Standard error itself, because the harness keeps what a test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED a real window: Xvfb or xdotool is missing");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let home = |name: &str| folder.path().join(name);
    let bob = runtime.block_on(Home::open(HomeOptions {
        data_dir: Some(home("bob")),
        name: Some("bob".to_owned()),
        listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
        no_mdns: true,
        offer: Some(["recognize/1", "detect/1", "faces/1", "analyze/1"].map(str::to_owned).into()),
        ..HomeOptions::default()
    }));
    let bob = bob.expect("another node");
    let address = bob.client().snapshot().listen[0].to_string();
    // What is asked shall be asked of the other one.
    std::fs::create_dir_all(home("mei")).expect("a folder");
    let settings = "[services]\noffer = [\"chat\"]\n";
    std::fs::write(home("mei").join("config.toml"), settings).expect("written");
    screen.open(&home("mei"), &address);
    until("they meet", || (!bob.client().snapshot().peers.is_empty()).then_some(()));

    // A letter, by the mouse and the keyboard.
    let texts = || match runtime.block_on(bob.client().mail(Ask::Inbox { with: None })) {
        Ok(Told::Inbox { came, .. }) => {
            came.into_iter().filter_map(|one| one.contents?.text).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let mut came = Vec::new();
    let end = Instant::now() + PATIENCE;
    // The other one may not stand in the list yet; and keys that no keyboard has are lost where the
    // window is slow to look: xdotool lends them a place for a moment.
    let arrived = |came: &[String]| came.iter().any(|text| text == LETTER);
    while !arrived(&came) && Instant::now() < end {
        screen.click(CHAT);
        std::thread::sleep(PAUSE * 4);
        screen.click(PERSON);
        screen.line(LETTER);
        let soon = Instant::now() + PATIENCE / 6;
        while !arrived(&came) && Instant::now() < soon {
            std::thread::sleep(PAUSE);
            came = texts();
        }
    }
    assert!(arrived(&came), "{came:?}");
    screen.picture("letter");
    screen.click(ROBOT);
    screen.line("hello");
    std::thread::sleep(PAUSE * 2);
    screen.picture("robot");

    // What is asked of the other one, by the path of a file.
    let asked = |nav, capability: &str, name: &str, bytes: &[u8]| {
        let file = home(name);
        std::fs::write(&file, bytes).expect("written");
        let done = || {
            let counters = runtime.block_on(bob.client().counters()).unwrap_or_default();
            counters.iter().any(|(name, counters)| name == capability && counters.done > 0)
        };
        let end = Instant::now() + PATIENCE;
        while !done() && Instant::now() < end {
            screen.click(nav);
            screen.does(&["key", "ctrl+o"]).expect("a key");
            std::thread::sleep(PAUSE * 3);
            screen.line(&file.to_string_lossy());
            let soon = Instant::now() + PATIENCE / 4;
            while !done() && Instant::now() < soon {
                std::thread::sleep(PAUSE);
            }
        }
        assert!(done(), "{capability} of the other node was not asked");
        std::thread::sleep(PAUSE * 4);
        screen.picture(capability.split('/').next().expect("a name"));
    };
    asked(RECOGNIZE, "recognize/1", "cat.jpg", potluck_models::samples()[0].bytes);
    asked(THINGS, "detect/1", "cat.jpg", potluck_models::samples()[0].bytes);
    asked(FACES, "faces/1", "faces.jpg", potluck_models::face_sample().bytes);
    asked(ANALYZE, "analyze/1", "成绩.csv", potluck_analysis::SAMPLE.as_bytes());
    screen.click(HEATMAP);
    std::thread::sleep(PAUSE * 4);
    screen.picture("heatmap");
    // Saved where the card proposes it: there are no dialogs here.
    screen.does(&["key", "ctrl+s"]).expect("a key");
    std::thread::sleep(PAUSE * 3);
    screen.does(&["key", "Return"]).expect("a key");
    until("the report is saved", || home("成绩-report.html").exists().then_some(()));
    std::thread::sleep(PAUSE);
    screen.picture("saved");
    let ended = screen.window.as_mut().expect("it runs").try_wait().expect("its state");
    assert!(ended.is_none(), "the window has ended: {ended:?}");
    drop(screen);
    runtime.block_on(bob.leave());
}
