//! Real `potluck` processes: start, signal, ask, and never leave one behind.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, bail, ensure};
use potluck::services::facepp;
use serde_json::Value;

/// A guard against tests that hang, not a measure of speed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What shifts the clock of a process, in the places where Debian and others have it.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// Arguments of `up` for a node that offers nothing.
pub const NOTHING: [&str; 16] = [
    "--withhold",
    "analyze",
    "--withhold",
    "chat",
    "--withhold",
    "detect",
    "--withhold",
    "facepp",
    "--withhold",
    "faces",
    "--withhold",
    "keep",
    "--withhold",
    "ocr",
    "--withhold",
    "recognize",
];

/// The `potluck` program of the profile that this test was built with; built first when it is
/// missing or older than its sources.
pub fn potluck() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("potluck").expect("the potluck program can be built"))
}

/// The same for `potluck-bootstrap`.
pub fn bootstrap() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("potluck-bootstrap").expect("potluck-bootstrap can be built"))
}

fn build(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut folder = own.parent().context("a program lies in a folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("deps lies in a folder")?;
    }
    let program = folder.join(name);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["node/src", "node/analysis/src", "models/src", "bootstrap/src"];
    let sources = folders.iter().filter_map(|folder| newest(&workspace.join(folder))).max();
    let built = program.metadata().and_then(|m| m.modified()).ok();
    if built.is_some_and(|built| Some(built) >= sources) {
        return Ok(program);
    }
    let mut cargo = Command::new(env!("CARGO"));
    // All packages, so that features, and with them the dependencies, are those of this test.
    cargo.args(["build", "--workspace", "--bin", name]);
    cargo.current_dir(workspace);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let target = folder.parent().context("a profile lies in the target folder")?;
    let status = cargo.env("CARGO_TARGET_DIR", target).status()?;
    ensure!(status.success() && program.exists(), "cargo build failed");
    Ok(program)
}

/// When the newest file below a folder was changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    entries
        .filter_map(|entry| match entry.file_type().ok()?.is_dir() {
            true => newest(&entry.path()),
            false => entry.metadata().ok()?.modified().ok(),
        })
        .max()
}

/// A command line of `potluck`, inside a network namespace if one is named.
pub fn command<S: AsRef<std::ffi::OsStr>>(
    namespace: Option<&str>,
    args: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = match namespace {
        // `ip netns exec` becomes the program, so signals reach it.
        Some(name) => {
            let mut ip = Command::new("ip");
            ip.args(["netns", "exec", name]).arg(potluck());
            ip
        }
        None => Command::new(potluck()),
    };
    command.args(args).stdin(Stdio::null());
    let facepp = [facepp::key::KEY_VARIABLE, facepp::key::SECRET_VARIABLE];
    for name in ["POTLUCK_DATA_DIR", "RUST_LOG", "RUST_BACKTRACE"].into_iter().chain(facepp) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// What a finished command left.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as the one JSON document that `--json` promises.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("not one JSON document: {e}\n{self:?}"))
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started, or still runs after [`PATIENCE`] (it is killed then).
pub fn run(mut command: Command) -> anyhow::Result<Ran> {
    let (out, err) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdout(out.try_clone()?).stderr(err.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let until = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            bail!("still running after {PATIENCE:?}: {command:?}\n{}", text(err)?);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Ok(Ran { code: status.code(), out: text(out)?, err: text(err)? })
}

/// What was written to a file by a child that shares its position.
fn text(mut file: File) -> anyhow::Result<String> {
    use std::io::Seek as _;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How an `up` process is started.
#[derive(Debug, Clone, Default)]
pub struct Up {
    /// The nickname.
    pub name: String,
    /// The network namespace to live in.
    pub namespace: Option<String>,
    /// More arguments of `up`.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
}

impl Up {
    /// A node on this machine's loopback without mDNS.
    pub fn on_loopback(name: &str) -> Self {
        Self::default().named(name).args(["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"])
    }

    /// A node in a namespace, as a person would start it: found by mDNS alone.
    pub fn in_namespace(name: &str, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..Self::default() }.named(name)
    }

    fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Adds arguments of `up`.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its clock is wrong by this, as `-1h` or `+15d`; `None` where nothing can shift it. Only what is a
    /// time of day is wrong.
    pub fn shifted(self, shift: &str) -> Option<Self> {
        let faketime = FAKETIME.iter().find(|path| Path::new(path).exists())?;
        let up = self.env("LD_PRELOAD", faketime).env("FAKETIME", shift);
        Some(up.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1"))
    }

    /// Starts it in a fresh data folder and waits until it serves.
    pub fn start(self) -> anyhow::Result<Process> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("data");
        Process::start(self, Some(folder), path)
    }

    /// The same in a data folder that the caller keeps.
    pub fn start_in(self, data_dir: &Path) -> anyhow::Result<Process> {
        Process::start(self, None, data_dir.to_owned())
    }
}

/// A running `potluck up`. Killed when dropped.
pub struct Process {
    child: Child,
    namespace: Option<String>,
    data_dir: PathBuf,
    ready: Value,
    log: PathBuf,
    _folder: Option<tempfile::TempDir>,
    _log_folder: tempfile::TempDir,
}

impl Process {
    fn start(up: Up, folder: Option<tempfile::TempDir>, data_dir: PathBuf) -> anyhow::Result<Self> {
        let log_folder = tempfile::tempdir()?;
        let log = log_folder.path().join("stderr");
        let mut command = command(up.namespace.as_deref(), ["up", "--json"]);
        command.arg("--data-dir").arg(&data_dir).args(["--name", &up.name]).args(&up.args);
        command.envs(up.env).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        let out = child.stdout.take().context("stdout is piped")?;
        let (sender, line) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let mut first = String::new();
            let _ = BufReader::new(out).read_line(&mut first);
            let _ = sender.send(first);
        });
        let first = line.recv_timeout(PATIENCE).unwrap_or_default();
        let ready = serde_json::from_str(&first).ok().filter(|line: &Value| line["id"].is_string());
        let Some(ready) = ready else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("no ready line but {first:?}: {}", std::fs::read_to_string(&log)?);
        };
        let namespace = up.namespace;
        Ok(Self {
            child,
            namespace,
            data_dir,
            ready,
            log,
            _folder: folder,
            _log_folder: log_folder,
        })
    }

    /// The ready line.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// The client id.
    pub fn id(&self) -> &str {
        self.ready["id"].as_str().expect("the ready line has an id")
    }

    /// The first address that it listens on.
    pub fn address(&self) -> &str {
        self.ready["listen"][0].as_str().expect("the ready line has an address")
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Ends it as `kill -9` does. When this returns nothing of it is left, its locks neither.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A command that goes to this node over its control socket.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = command(self.namespace.as_deref(), args);
        command.arg("--data-dir").arg(&self.data_dir);
        command
    }

    /// Runs [`Process::command`] to its end.
    pub fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Ran> {
        run(self.command(args))
    }

    /// Runs a command with `--json` that must succeed, and gives its document.
    pub fn json<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Value> {
        let mut command = self.command(args);
        command.arg("--json");
        let ran = run(command)?;
        ensure!(ran.code == Some(0), "{ran:?}");
        Ok(ran.json())
    }

    /// The peers that it sees, by nickname.
    pub fn peers(&self) -> anyhow::Result<Vec<String>> {
        let peers = self.json(["peers"])?;
        let peers = peers.as_array().context("peers is a list")?;
        let mut names: Vec<_> =
            peers.iter().filter_map(|p| p["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// Waits until exactly these peers are seen.
    pub fn wait_for_peers(&self, names: &[&str]) -> anyhow::Result<()> {
        let mut seen = Vec::new();
        wait_until(|| {
            seen = self.peers()?;
            Ok(seen == names)
        })
        .with_context(|| format!("wanted {names:?}, saw {seen:?}\n{}", self.log()))
    }

    /// Sends a signal, such as `STOP`, `CONT`, `TERM` or `KILL`.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.pid(), name)
    }

    /// Waits for its end and gives the exit code.
    pub fn wait(mut self) -> anyhow::Result<Option<i32>> {
        let mut code = None;
        wait_until(|| {
            let ended = self.child.try_wait()?;
            code = ended.and_then(|status| status.code());
            Ok(ended.is_some())
        })?;
        Ok(code)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process.
pub fn signal(pid: u32, name: &str) -> anyhow::Result<()> {
    let script = format!("kill -{name} {pid}");
    let status = Command::new("sh").args(["-c", &script]).status()?;
    ensure!(status.success(), "{script}");
    Ok(())
}

/// Looks again and again until it is so, or [`PATIENCE`] ends.
pub fn wait_until(mut so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    while !so()? {
        ensure!(Instant::now() < until, "not so after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Writes the bundled pictures to a folder, over and over until there are `count`.
pub fn write_pictures(folder: &Path, count: usize) -> anyhow::Result<Vec<PathBuf>> {
    let samples = potluck_models::samples();
    (0..count)
        .map(|n| {
            let sample = &samples[n % samples.len()];
            let path = folder.join(format!("{n:03}-{}", sample.name));
            std::fs::write(&path, sample.bytes)?;
            Ok(path)
        })
        .collect()
}
