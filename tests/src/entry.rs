//! Real `potluck-bootstrap` processes.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::{PATIENCE, Ran, bootstrap, run, signal};

/// A running `potluck-bootstrap`. Killed when dropped.
pub struct Entry {
    child: Child,
    ready: Value,
    folder: tempfile::TempDir,
}

/// Its command line, inside a network namespace if one is named.
pub fn command(namespace: Option<&str>, data_dir: &Path) -> Command {
    let mut command = match namespace {
        Some(name) => {
            let mut ip = Command::new("ip");
            ip.args(["netns", "exec", name]).arg(bootstrap());
            ip
        }
        None => Command::new(bootstrap()),
    };
    command.arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    for name in ["POTLUCK_DATA_DIR", "POTLUCK_LANG", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// A port of loopback that is free now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Entry {
    /// In a namespace, as its owner would start it: it knows its public address.
    pub fn in_namespace(namespace: &str, name: &str) -> anyhow::Result<Self> {
        Self::start(Some(namespace), ["--name", name])
    }

    /// On this machine's loopback, where nobody comes from outside, with more arguments.
    pub fn on_loopback(name: &str, args: &[&str]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let tcp = format!("/ip4/127.0.0.1/tcp/{port}");
        // The same after it started again in another mesh.
        let http = format!("127.0.0.1:{}", free_port()?);
        let own = ["--name", name, "--listen", &tcp, "--external", &tcp, "--http", &http];
        Self::start(None, own.iter().chain(args).copied())
    }

    fn start<'a>(
        namespace: Option<&str>,
        args: impl IntoIterator<Item = &'a str>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("stderr");
        let mut command = command(namespace, &folder.path().join("data"));
        command.arg("--json").args(args);
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
        let out = child.stdout.take().context("stdout is piped")?;
        let (sender, line) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let mut first = String::new();
            let _ = BufReader::new(out).read_line(&mut first);
            let _ = sender.send(first);
        });
        let first = line.recv_timeout(PATIENCE).unwrap_or_default();
        let Some(ready) = serde_json::from_str(&first).ok() else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("no ready line but {first:?}: {}", std::fs::read_to_string(&log)?);
        };
        Ok(Self { child, ready, folder })
    }

    /// What others give to `--join`.
    pub fn join(&self) -> &str {
        self.ready["join"][0].as_str().expect("it can be joined")
    }

    /// Its data folder.
    pub fn data_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Its client id.
    pub fn id(&self) -> &str {
        self.ready["id"].as_str().expect("it has an id")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory that it has now, in bytes.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        Ok(kib.context("the kernel says how much")?.trim().parse::<u64>()? * 1024)
    }

    /// Status line and body of a page that it answers.
    pub fn page(&self, path: &str) -> anyhow::Result<(String, String)> {
        let at = self.ready["http"].as_str().and_then(|http| http.strip_prefix("http://"));
        let at: SocketAddr = at.context("it answers")?.parse()?;
        let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(10))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("a head and a body")?;
        Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
    }

    /// One of its metrics.
    pub fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let (_, body) = self.page("/metrics")?;
        let start = format!("potluck_entry_{name} ");
        let line = body.lines().find_map(|line| line.strip_prefix(&start));
        Ok(line.with_context(|| format!("no {name} in {body}"))?.parse()?)
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop, and gives its exit code.
    pub fn stop(mut self) -> anyhow::Result<Option<i32>> {
        signal(self.pid(), "TERM")?;
        let mut code = None;
        crate::process::wait_until(|| {
            let ended = self.child.try_wait()?;
            code = ended.and_then(|status| status.code());
            Ok(ended.is_some())
        })?;
        Ok(code)
    }

    /// What it wrote to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}

/// Runs it to an end that comes by itself.
pub fn ends<'a>(args: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Ran> {
    let folder = tempfile::tempdir()?;
    let mut command = command(None, &folder.path().join("data"));
    command.args(args);
    run(command)
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
