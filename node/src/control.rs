//! The control channel: how other programs of the owner use the node that runs in a data folder.
//!
//! A local socket (a Unix socket of mode 0600 in a folder of mode 0700; a named pipe of the owner
//! alone on Windows): whoever can open it is the owner. A connection begins with a hello and a
//! welcome, then carries any number of requests at once. Each has a number; what belongs to it
//! carries the same. Frames are a length (u32, big endian) and CBOR. Closing the connection ends
//! all that it asked for.

mod attached;
mod frames;
mod server;
mod socket;

pub(crate) use attached::{Attached, Stream};
pub use server::ControlServer;

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    client::{CallFailure, Event, Reply},
    doctor::Facts,
    mail,
    service::{Counters, Progress},
};

/// Both ends must speak the same; raised with every change of what travels here.
const CONTROL_VERSION: u32 = 4;
/// Progress that may wait for a slow reader.
const PROGRESS_QUEUE: usize = 32;

/// The first frame: who attaches.
#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    /// [`CONTROL_VERSION`].
    control: u32,
    /// The version of the program.
    program: String,
}

/// The answer: whose node it is. The attaching end compares the versions.
#[derive(Debug, Serialize, Deserialize)]
struct Welcome {
    control: u32,
    program: String,
    id: String,
    name: String,
}

/// A frame to the node.
#[derive(Debug, Serialize, Deserialize)]
struct Ask {
    number: u64,
    what: Request,
}

/// A frame from the node.
#[derive(Debug, Serialize, Deserialize)]
struct Tell {
    number: u64,
    what: Response,
}

#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// Run a call: any number of `Progress`, then `Done` or `Failed`.
    Call(Box<CallFrame>),
    /// Follow the node: `Event` without end.
    Subscribe,
    /// End what was asked for under this number, or give back what was taken of it.
    End,
    /// Offer a capability, or stop it.
    Offer { capability: String, on: bool },
    /// Read again who may do what.
    Reload,
    /// Keep connections to these addresses.
    Join { addresses: Vec<String> },
    /// What the doctor wants to know.
    Facts,
    /// What each capability has done.
    Counters,
    /// Something for the post office.
    Mail(mail::Ask),
}

#[derive(Debug, Serialize, Deserialize)]
struct CallFrame {
    capability: String,
    variant: Option<String>,
    #[serde(with = "serde_bytes")]
    args: Vec<u8>,
    input: Option<InputFrame>,
    timeout_ms: u64,
    only: Option<String>,
    progress: bool,
}

/// Large input travels as a file: both ends are on one machine.
#[derive(Debug, Serialize, Deserialize)]
enum InputFrame {
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    File(PathBuf),
}

#[derive(Debug, Serialize, Deserialize)]
enum Response {
    Progress(Progress),
    Done {
        reply: Box<Reply>,
        /// A file with the data of the reply, to be moved away before `End`.
        data: Option<PathBuf>,
    },
    Failed(CallFailure),
    Event(Box<Event>),
    Agreed,
    Facts(Box<Facts>),
    Counters(Vec<(String, Counters)>),
    Mail(Box<Result<mail::Told, mail::Failed>>),
    /// Too much was asked for at once, or what was asked cannot be read.
    No(String),
}

/// The node cannot be used as it should.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ControlError {
    /// The connection broke.
    #[error("the running node went away: {0}")]
    Gone(String),
    /// It took too long.
    #[error("the running node does not answer; stop it and start it again")]
    Silent,
    /// It is of another version.
    #[error(
        "the node that runs there is of another version ({node}; this program is {here}); stop it \
         and start it again with this program"
    )]
    OtherVersion {
        /// The node's version.
        node: String,
        /// This program's.
        here: &'static str,
    },
    /// It could not do it.
    #[error("the running node says: {0}")]
    Refused(String),
    /// It answered something else.
    #[error("the running node answered something unexpected ({0}); restart it")]
    Unexpected(String),
}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Gone("it hung up".to_owned()),
            _ => Self::Gone(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_can_be_read() {
        for what in [
            Response::Facts(Box::default()),
            Response::Counters(vec![("chat/1".to_owned(), Counters::default())]),
            Response::Event(Box::new(Event::View(Box::default()))),
        ] {
            let bytes = crate::protocol::encode(&Tell { number: 1, what }).expect("encodes");
            crate::protocol::decode::<Tell>(&bytes).expect("decodes");
        }
    }
}
