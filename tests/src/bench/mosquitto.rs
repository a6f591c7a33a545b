//! Messages through a mosquitto broker to somebody who is off, by MQTT 3.1.1 with QoS 1. The broker saves on every
//! change: it writes all that waits anew, with fsync, right after it acknowledged a message.

use std::{
    fs,
    io::{BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    ops::Range,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, ensure};

use super::{
    program::{self, Running},
    publish::{self, Load, Publisher},
};
use crate::process::wait_until;

const TOPIC: &str = "mail";
/// Kinds of packets, with their flags.
const CONNECT: u8 = 0x10;
const CONNECTED: [u8; 4] = [0x20, 2, 0, 0];
const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: [u8; 2] = [0x40, 2];
const SUBSCRIBE: u8 = 0x82;
const SUBSCRIBED: [u8; 5] = [0x90, 3, 0, 1, 1];
const DISCONNECT: [u8; 2] = [0xe0, 0];

/// Messages a second until the broker has acknowledged all. Everything of it lies in `folder`.
pub(super) fn rate(program: &Path, folder: &Path, load: Load) -> anyhow::Result<f64> {
    let address = program::free_address()?;
    let config = folder.join("mosquitto.conf");
    fs::write(&config, settings(address, folder))?;
    let mut command = Command::new(program);
    let _server = Running::start(command.arg("-c").arg(&config), "mosquitto cannot be started")?;
    Connection::open(address, "recipient", false)?.subscribe_and_leave()?;
    let publishers = (0..load.senders)
        .map(|n| Connection::open(address, &format!("sender{n}"), true))
        .collect::<Result<Vec<_>, _>>()?;
    let rate = publish::rate(publishers, load)?;
    let saved = folder.join("mosquitto.db");
    let bytes = (load.all() * publish::SIZE) as u64;
    wait_until(|| Ok(fs::metadata(&saved).is_ok_and(|file| file.len() >= bytes)))
        .context("mosquitto has not saved all messages")?;
    Ok(rate)
}

/// Without the limits, 1,000 messages would wait at most, and the rest be dropped. `user root` has it write as whoever
/// starts it: by default it becomes another user, who may not write here.
fn settings(address: SocketAddr, folder: &Path) -> String {
    format!(
        "listener {} {}\n\
         allow_anonymous true\n\
         user root\n\
         persistence true\n\
         persistence_location {}/\n\
         autosave_interval 1\n\
         autosave_on_changes true\n\
         max_queued_messages 0\n\
         max_queued_bytes 0\n\
         set_tcp_nodelay true\n\
         sys_interval 0\n\
         log_dest none\n",
        address.port(),
        address.ip(),
        folder.display()
    )
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects under a name; a session that is not clean stays when it is left.
    fn open(address: SocketAddr, name: &str, clean: bool) -> anyhow::Result<Self> {
        let mut connection = Self(BufReader::new(program::connect(address)?));
        let mut body = field("MQTT");
        // Version 3.1.1, the flags, and no time after which silence is suspicious.
        body.extend([4, u8::from(clean) << 1, 0, 0]);
        body.extend(field(name));
        connection.0.get_mut().write_all(&packet(CONNECT, &body))?;
        connection.expect(CONNECTED)?;
        Ok(connection)
    }

    fn subscribe_and_leave(mut self) -> anyhow::Result<()> {
        // Packet 1, and the quality of service wanted.
        let body = [&[0, 1], &field(TOPIC)[..], &[1]].concat();
        self.0.get_mut().write_all(&packet(SUBSCRIBE, &body))?;
        self.expect(SUBSCRIBED)?;
        Ok(self.0.get_mut().write_all(&DISCONNECT)?)
    }

    fn expect<const N: usize>(&mut self, wanted: [u8; N]) -> anyhow::Result<()> {
        let mut told = [0; N];
        self.0.read_exact(&mut told)?;
        ensure!(told == wanted, "mosquitto says {told:?}, not {wanted:?}");
        Ok(())
    }
}

impl Publisher for Connection {
    fn write(&mut self, numbers: Range<usize>) -> anyhow::Result<()> {
        let mut packets = Vec::new();
        for number in numbers {
            let mut body = field(TOPIC);
            // 0 is no name of a packet.
            body.extend((u16::try_from(number % 65_535)? + 1).to_be_bytes());
            body.extend(publish::text(number).as_bytes());
            packets.extend(packet(PUBLISH_QOS_1, &body));
        }
        Ok(self.0.get_mut().write_all(&packets)?)
    }

    fn acknowledged(&mut self) -> anyhow::Result<usize> {
        let mut count = 0;
        while count == 0 || !self.0.buffer().is_empty() {
            let mut packet = [0; 4];
            self.0.read_exact(&mut packet)?;
            ensure!(packet.starts_with(&PUBACK), "mosquitto says {packet:?}");
            count += 1;
        }
        Ok(count)
    }
}

/// A packet: its kind, its length with seven bits a byte, the lowest first, and its body.
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut left = body.len();
    while left >= 128 {
        packet.push((left % 128) as u8 | 128);
        left /= 128;
    }
    packet.push(left as u8);
    packet.extend(body);
    packet
}

/// A text behind its length.
fn field(text: &str) -> Vec<u8> {
    let length = text.len() as u16;
    [&length.to_be_bytes(), text.as_bytes()].concat()
}
