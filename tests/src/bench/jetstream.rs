//! Messages into a stream of NATS JetStream, which keeps them in files; a publisher hears of each that it is stored.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{
    program::{self, Running},
    publish::{self, Load, Publisher},
};

const SUBJECT: &str = "mail";

/// A server that is installed.
pub(super) struct Server {
    program: PathBuf,
    /// Whether it can be told to acknowledge only what is on the disk; those before 2.10 cannot.
    pub(super) syncs: bool,
}

impl Server {
    /// Looks for one.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        let Some(program) = program::find("nats-server", "nats-server") else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let config = settings(program::free_address()?, folder.path(), true)?;
        let mut asking = Command::new(&program);
        asking.arg("-t").arg("-c").arg(config);
        asking.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let syncs = asking.status().context("nats-server cannot be started")?.success();
        Ok(Some(Self { program, syncs }))
    }

    /// Messages a second until all are acknowledged. Everything of it lies in `folder`.
    pub(super) fn rate(&self, folder: &Path, load: Load) -> anyhow::Result<f64> {
        let address = program::free_address()?;
        let config = settings(address, folder, self.syncs)?;
        let mut command = Command::new(&self.program);
        let command = command.arg("-c").arg(config);
        let _server = Running::start(command, "nats-server cannot be started")?;
        Connection::open(address, "setting up")?.make_stream()?;
        let publishers = (0..load.senders)
            .map(|n| Connection::open(address, &format!("sender{n}")))
            .collect::<Result<Vec<_>, _>>()?;
        publish::rate(publishers, load)
    }
}

/// Writes the settings, and says where.
fn settings(address: SocketAddr, folder: &Path, syncs: bool) -> anyhow::Result<PathBuf> {
    let sync = if syncs { "sync_interval: always" } else { "" };
    let store = folder.join("jetstream");
    let text = format!(
        "listen: \"{address}\"\njetstream {{\n  store_dir: \"{}\"\n  {sync}\n}}\n",
        store.display()
    );
    let path = folder.join("nats.conf");
    fs::write(&path, text)?;
    Ok(path)
}

struct Connection {
    stream: BufReader<TcpStream>,
    /// Where answers to it go.
    inbox: String,
}

impl Connection {
    fn open(address: SocketAddr, name: &str) -> anyhow::Result<Self> {
        let stream = BufReader::new(program::connect(address)?);
        let inbox = format!("_INBOX.{}", name.replace(' ', "-"));
        let mut connection = Self { stream, inbox };
        let info = connection.line()?;
        ensure!(info.starts_with("INFO "), "nats-server says {info:?}");
        let options = json!({ "verbose": false, "pedantic": false, "name": name });
        let hello = format!("CONNECT {options}\r\nSUB {} 1\r\n", connection.inbox);
        connection.stream.get_mut().write_all(hello.as_bytes())?;
        Ok(connection)
    }

    fn make_stream(mut self) -> anyhow::Result<()> {
        let stream =
            json!({ "name": "MAIL", "subjects": [SUBJECT], "storage": "file", "num_replicas": 1 });
        let text = message("$JS.API.STREAM.CREATE.MAIL", &self.inbox, &stream.to_string());
        self.stream.get_mut().write_all(text.as_bytes())?;
        self.answer().map(drop)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line)?;
        ensure!(read > 0, "nats-server has gone");
        Ok(line)
    }

    /// The next answer, which must not be an error.
    fn answer(&mut self) -> anyhow::Result<Value> {
        loop {
            let line = self.line()?;
            let mut words = line.split_whitespace();
            match words.next() {
                Some("MSG") => {
                    let length: usize = words.last().context("a length")?.parse()?;
                    // The line ends behind it.
                    let mut body = vec![0; length + 2];
                    self.stream.read_exact(&mut body)?;
                    let answer: Value = serde_json::from_slice(&body)?;
                    ensure!(answer["error"].is_null(), "JetStream says {answer}");
                    return Ok(answer);
                }
                Some("PING") => self.stream.get_mut().write_all(b"PONG\r\n")?,
                Some("PONG" | "INFO" | "+OK") => {}
                _ => bail!("nats-server says {line:?}"),
            }
        }
    }
}

impl Publisher for Connection {
    fn write(&mut self, numbers: Range<usize>) -> anyhow::Result<()> {
        let messages: String =
            numbers.map(|n| message(SUBJECT, &self.inbox, &publish::text(n))).collect();
        Ok(self.stream.get_mut().write_all(messages.as_bytes())?)
    }

    fn acknowledged(&mut self) -> anyhow::Result<usize> {
        let mut count = 0;
        while count == 0 || !self.stream.buffer().is_empty() {
            let answer = self.answer()?;
            ensure!(answer["seq"].is_u64(), "JetStream says {answer}");
            count += 1;
        }
        Ok(count)
    }
}

fn message(subject: &str, answer_to: &str, body: &str) -> String {
    format!("PUB {subject} {answer_to} {}\r\n{body}\r\n", body.len())
}
