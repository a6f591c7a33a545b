//! The control socket: how commands talk to the node that runs in a data folder.
//!
//! A Unix socket (mode 0600) in a folder of mode 0700: whoever can open it is the owner. One
//! request a connection; frames are a length (u32, big endian) and CBOR. Closing the connection
//! cancels the call.

mod server;

pub use server::ControlServer;
pub(crate) use server::mesh_view;

use std::{io, path::Path, path::PathBuf, time::Duration};

use libp2p::Multiaddr;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::UnixStream,
};

use crate::{
    client::{Call, CallFailure, CallInput, FailureKind, Reply},
    doctor::Facts,
    protocol::{self, Offer},
    service::{Counters, Data, Progress},
};

/// Largest frame: a response with its route.
const MAX_FRAME: usize = 4 * 1024 * 1024;
/// Progress that may wait for a slow terminal.
pub(crate) const PROGRESS_QUEUE: usize = 32;

/// What a command asks of the running node.
#[derive(Debug, Serialize, Deserialize)]
enum ControlRequest {
    /// Run a call.
    Call {
        capability: String,
        variant: Option<String>,
        #[serde(with = "serde_bytes")]
        args: Vec<u8>,
        input: Option<PathBuf>,
        timeout_ms: u64,
        only: Option<String>,
    },
    /// Who is in the mesh.
    Mesh,
    /// What the doctor wants to know.
    Facts,
    /// Keep connections to these addresses.
    Join { addresses: Vec<String> },
}

/// What comes back; any number of `Progress`, then one of the others.
#[derive(Debug, Serialize, Deserialize)]
enum ControlReply {
    Progress {
        percent: u8,
        note: String,
    },
    Done {
        reply: Reply,
        /// A file with the data of the reply. The command moves it away before it hangs up.
        data: Option<PathBuf>,
    },
    Failed(CallFailure),
    Mesh(MeshView),
    Facts(Box<Facts>),
    Joined,
    /// The request could not be read.
    Unreadable(String),
}

/// The mesh as a node sees it, for commands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeshView {
    /// The node's client id.
    pub id: String,
    /// Its nickname.
    pub name: String,
    /// Where it listens.
    pub listen: Vec<String>,
    /// What it serves.
    pub offers: Vec<Offer>,
    /// What each of its capabilities has done since it started.
    pub served: Vec<(String, Counters)>,
    /// Everyone else.
    pub peers: Vec<PeerInfo>,
}

/// One other node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// Whether a connection is open.
    pub connected: bool,
    /// Whether it stopped answering and is being checked.
    pub suspect: bool,
    /// Round trip.
    pub rtt_ms: Option<f32>,
    /// Age of its advert.
    pub heard_ms_ago: u64,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// What it serves.
    pub offers: Vec<Offer>,
}

/// The running node did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket broke.
    #[error("the running node went away: {0}")]
    Gone(#[from] io::Error),
    /// Its answer is of another version.
    #[error("the running node answered something unexpected ({0}); restart it")]
    Unexpected(String),
}

/// A connection to the node that runs in a data folder.
#[derive(Debug, Clone)]
pub struct ControlClient {
    socket: PathBuf,
}

impl ControlClient {
    /// Whether a node answers at this socket.
    pub async fn connect(socket: &Path) -> Option<Self> {
        UnixStream::connect(socket).await.ok()?;
        Some(Self { socket: socket.to_owned() })
    }

    /// Runs a call on the node. Dropping the future cancels it. Input in memory is not taken: the
    /// node reads files itself.
    pub async fn call(&self, call: Call) -> Result<Reply, CallFailure> {
        // The node keeps the deadline; this is for a node that is stopped or stuck.
        let limit = call.timeout + Duration::from_secs(2);
        match tokio::time::timeout(limit, self.talk(call)).await {
            Ok(ended) => ended,
            Err(_) => Err(CallFailure {
                kind: FailureKind::TimedOut,
                message: "the running node does not answer; stop it and start it again".into(),
                route: vec![],
            }),
        }
    }

    async fn talk(&self, call: Call) -> Result<Reply, CallFailure> {
        let input = match call.input {
            Some(CallInput::File(path)) => Some(path),
            None => None,
            Some(CallInput::Bytes(_)) => {
                return Err(failure("the running node takes files only"));
            }
        };
        let request = ControlRequest::Call {
            capability: call.capability,
            variant: call.variant,
            args: call.args,
            input,
            timeout_ms: u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX),
            only: call.only.map(|peer| peer.to_string()),
        };
        let broken = |e: ControlError| failure(&e.to_string());
        let mut stream = self.send(&request).await.map_err(broken)?;
        loop {
            match read_frame(&mut stream).await.map_err(broken)? {
                ControlReply::Progress { percent, note } => {
                    if let Some(progress) = &call.progress {
                        let _ = progress.try_send(Progress { percent, note });
                    }
                }
                ControlReply::Done { mut reply, data } => {
                    let moved = data.map(|path| take_file(&path)).transpose();
                    reply.data = moved.map_err(|e| failure(&format!("the answer is lost: {e}")))?;
                    return Ok(reply);
                }
                ControlReply::Failed(failure) => return Err(failure),
                other => return Err(failure(&format!("unexpected answer {other:?}"))),
            }
        }
    }

    /// Who is in the mesh.
    pub async fn mesh(&self) -> Result<MeshView, ControlError> {
        match self.ask(&ControlRequest::Mesh).await? {
            ControlReply::Mesh(view) => Ok(view),
            other => Err(ControlError::Unexpected(format!("{other:?}"))),
        }
    }

    /// What the doctor wants to know.
    pub async fn facts(&self) -> Result<Facts, ControlError> {
        match self.ask(&ControlRequest::Facts).await? {
            ControlReply::Facts(facts) => Ok(*facts),
            other => Err(ControlError::Unexpected(format!("{other:?}"))),
        }
    }

    /// Keeps connections to these addresses.
    pub async fn join(&self, addresses: &[Multiaddr]) -> Result<(), ControlError> {
        let addresses = addresses.iter().map(ToString::to_string).collect();
        match self.ask(&ControlRequest::Join { addresses }).await? {
            ControlReply::Joined => Ok(()),
            other => Err(ControlError::Unexpected(format!("{other:?}"))),
        }
    }

    async fn ask(&self, request: &ControlRequest) -> Result<ControlReply, ControlError> {
        let mut stream = self.send(request).await?;
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, read_frame(&mut stream))
            .await
            .map_err(|_| ControlError::Gone(io::ErrorKind::TimedOut.into()))?
    }

    async fn send(&self, request: &ControlRequest) -> Result<UnixStream, ControlError> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        write_frame(&mut stream, request).await?;
        Ok(stream)
    }
}

/// Makes a file of the node's this command's own, to be removed when it is done.
fn take_file(path: &Path) -> io::Result<Data> {
    let own = tempfile::Builder::new()
        .prefix("part-")
        .make_in(path.parent().unwrap_or(Path::new(".")), |own| std::fs::rename(path, own))?;
    let path = own.into_temp_path();
    let size = std::fs::metadata(&path)?.len();
    Ok(Data::Blob { path: path.into(), size })
}

fn failure(message: &str) -> CallFailure {
    CallFailure { kind: FailureKind::PeerFailed, message: message.to_owned(), route: vec![] }
}

async fn read_frame<T, R>(reader: &mut R) -> Result<T, ControlError>
where
    T: DeserializeOwned,
    R: AsyncRead + Unpin,
{
    let length = reader.read_u32().await? as usize;
    if length > MAX_FRAME {
        return Err(ControlError::Unexpected(format!("{length} bytes")));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).await?;
    protocol::decode(&bytes).map_err(|e| ControlError::Unexpected(e.to_string()))
}

async fn write_frame<T, W>(writer: &mut W, frame: &T) -> Result<(), ControlError>
where
    T: Serialize,
    W: AsyncWrite + Unpin,
{
    let bytes =
        protocol::encode(frame).map_err(|e| ControlError::Gone(io::Error::other(e.to_string())))?;
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|n| *n as usize <= MAX_FRAME)
        .ok_or_else(|| ControlError::Unexpected(format!("{} bytes", bytes.len())))?;
    writer.write_u32(length).await?;
    writer.write_all(&bytes).await?;
    Ok(writer.flush().await?)
}
