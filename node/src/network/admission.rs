//! Admission: a short handshake on the muxed connection, over any transport, before any behaviour
//! sees the peer. Who is of another mesh or version, or finds no room, sees a connection that says so
//! and closes.
//!
//! The dialling side opens the first stream. Until that is done, the listening side refuses streams
//! of all other protocols (some libraries open them by themselves), and the dialling side leaves
//! those of the other end in the queue.

use std::{future::Future, future::poll_fn, io, pin::pin, task::Poll, time::Duration};

use either::Either;
use futures::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _,
    stream::FuturesUnordered,
};
use libp2p::{
    Multiaddr, PeerId, Transport as _,
    core::{
        ConnectedPoint, Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
        transport::{
            Boxed, TransportError, timeout::TransportTimeout, timeout::TransportTimeoutError,
        },
    },
    swarm::DialError,
};
use multistream_select::{Negotiated, Version, dialer_select_proto, listener_select_proto};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    neighbourhood::Door,
    protocol::{
        Checked, Malformed,
        admission::{ADMISSION_PROTOCOL, Hello, MAX_FRAME, Other, VERSION, Verdict},
        decode, encode,
    },
};

/// A dial that takes longer has failed, its handshakes included: on a LAN, a stopped process still
/// accepts TCP, and only the handshake shows that nobody is there.
const DIAL_TIME: Duration = Duration::from_secs(4);
/// The same for a connection that arrives.
const INBOUND_TIME: Duration = Duration::from_secs(5);
/// How long a refusal is given to reach the other side.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Streams of one new connection that are looked at before it is admitted.
const MAX_STREAMS: usize = 16;
/// Knocks that may wait for the actor.
const KNOCKS: usize = 256;
/// When to come back where the node does not even get to look.
const BUSY_MS: u32 = 2_000;

/// Why a connection was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AdmissionError {
    /// The other side has no room now.
    #[error("it has no room for another connection")]
    Full {
        /// When to come back, in ms.
        retry_after_ms: u64,
        /// Whom to try instead.
        others: Vec<(PeerId, Vec<Multiaddr>)>,
    },
    /// The other side belongs to another mesh.
    #[error("it belongs to the mesh {mesh}")]
    OtherMesh {
        /// Which.
        mesh: String,
    },
    /// The other side speaks another version.
    #[error(
        "it speaks version {version} of the protocol, this node version {VERSION}; update the older one"
    )]
    OtherVersion {
        /// Which.
        version: u16,
    },
    /// The other side is no node of Potluck, or one from before version 2.
    #[error("it is no node of Potluck of this version")]
    NotPotluck,
    /// We did not let it in.
    #[error("it was not let in")]
    Refused,
    /// The connection broke meanwhile.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// A peer at the door.
#[derive(Debug)]
pub enum Knock {
    /// One of our mesh and version: is there room?
    Room {
        /// Who.
        peer: PeerId,
        /// Where the answer goes.
        reply: oneshot::Sender<Door>,
    },
    /// One of another mesh, version or program; it was turned away.
    Stranger {
        /// Who.
        peer: PeerId,
        /// From where.
        address: Multiaddr,
        /// Its mesh, where that is the difference.
        mesh: Option<String>,
    },
}

/// What one side of admissions needs.
#[derive(Debug, Clone)]
pub struct Desk {
    hello: Hello,
    knocks: Option<mpsc::Sender<Knock>>,
}

impl Desk {
    /// Asks the receiver's owner whether there is room.
    pub fn new(mesh: &str) -> (Self, mpsc::Receiver<Knock>) {
        let (knocks, receiver) = mpsc::channel(KNOCKS);
        let hello = Hello { version: VERSION, mesh: mesh.to_owned() };
        (Self { hello, knocks: Some(knocks) }, receiver)
    }

    /// Says this of itself and lets in whoever says the same: for clients that only ask.
    pub fn open(hello: Hello) -> Self {
        Self { hello, knocks: None }
    }

    async fn room(&self, peer: PeerId) -> Verdict {
        let Some(knocks) = &self.knocks else { return Verdict::Admitted(self.hello.clone()) };
        let (reply, door) = oneshot::channel();
        let full = Verdict::Full { retry_after_ms: BUSY_MS, others: vec![] };
        if knocks.try_send(Knock::Room { peer, reply }).is_err() {
            return full;
        }
        match door.await {
            Ok(Door::Open) => Verdict::Admitted(self.hello.clone()),
            Ok(Door::Full { retry_after_ms, others }) => Verdict::Full {
                retry_after_ms: u32::try_from(retry_after_ms).unwrap_or(u32::MAX),
                others: others.iter().map(|(id, at)| Other::new(id, at)).collect(),
            },
            Err(_) => full,
        }
    }

    fn tell(&self, knock: Knock) {
        if let Some(knocks) = &self.knocks {
            // Only the doctor wants to know.
            let _ = knocks.try_send(knock);
        }
    }

    /// What is wrong with the other side, if anything.
    fn differs(&self, other: &Hello) -> Option<AdmissionError> {
        if other.version != self.hello.version {
            return Some(AdmissionError::OtherVersion { version: other.version });
        }
        let mesh = other.mesh.clone();
        (other.mesh != self.hello.mesh).then_some(AdmissionError::OtherMesh { mesh })
    }
}

/// A transport whose connections are admitted by both sides before they are handed on.
pub fn guarded(
    transport: Boxed<(PeerId, StreamMuxerBox)>,
    desk: Desk,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    let admitted = transport.and_then(move |(peer, muxer), endpoint| {
        // Boxed, so that neither side's state makes every connection's future large.
        Box::pin(admit(peer, muxer, endpoint, desk))
    });
    let limited = TransportTimeout::with_outgoing_timeout(admitted, DIAL_TIME);
    TransportTimeout::with_ingoing_timeout(limited, INBOUND_TIME).boxed()
}

/// The refusal in a failed dial to one address, where it was one.
pub fn refusal(error: &TransportError<io::Error>) -> Option<&AdmissionError> {
    type Inner = TransportTimeoutError<Either<io::Error, AdmissionError>>;
    let TransportError::Other(error) = error else { return None };
    match error.get_ref()?.downcast_ref::<TransportTimeoutError<Inner>>()? {
        TransportTimeoutError::Other(TransportTimeoutError::Other(Either::Right(refusal))) => {
            Some(refusal)
        }
        _ => None,
    }
}

/// The refusals in a failed dial, with where they came from.
pub fn refusals(error: &DialError) -> impl Iterator<Item = (&Multiaddr, &AdmissionError)> {
    let all = match error {
        DialError::Transport(all) => all.as_slice(),
        _ => &[],
    };
    all.iter().filter_map(|(address, error)| Some((address, refusal(error)?)))
}

async fn admit(
    peer: PeerId,
    mut muxer: StreamMuxerBox,
    endpoint: ConnectedPoint,
    desk: Desk,
) -> Result<(PeerId, StreamMuxerBox), AdmissionError> {
    let dials = match &endpoint {
        ConnectedPoint::Dialer { role_override, .. } => *role_override == Endpoint::Dialer,
        ConnectedPoint::Listener { .. } => false,
    };
    if dials {
        knock(&mut muxer, &desk).await?;
    } else {
        open(&mut muxer, peer, &endpoint, &desk).await?;
    }
    Ok((peer, muxer))
}

/// The dialling side.
async fn knock(muxer: &mut StreamMuxerBox, desk: &Desk) -> Result<(), AdmissionError> {
    let opened = poll_fn(|cx| {
        if let Poll::Ready(opened) = muxer.poll_outbound_unpin(cx) {
            return Poll::Ready(opened);
        }
        progress(muxer, cx)
    });
    let stream = opened.await.map_err(broken)?;
    let talk = async {
        let selected = dialer_select_proto(stream, [ADMISSION_PROTOCOL], Version::V1Lazy);
        let (_, mut stream) = selected.await.map_err(|_| AdmissionError::NotPotluck)?;
        write(&mut stream, &desk.hello).await.map_err(broken)?;
        let verdict = read::<Verdict>(&mut stream).await;
        let _ = stream.close().await;
        verdict
    };
    // Where the negotiation fails, or the stream ends without a word, the other side is no node.
    let told = while_muxing(muxer, talk).await.map_err(broken)?;
    match told.map_err(|_| AdmissionError::NotPotluck)? {
        Verdict::Admitted(other) => desk.differs(&other).map_or(Ok(()), Err),
        Verdict::Full { retry_after_ms, others } => Err(AdmissionError::Full {
            retry_after_ms: u64::from(retry_after_ms),
            others: others.iter().filter_map(Other::read).collect(),
        }),
        Verdict::OtherMesh { mesh } => Err(AdmissionError::OtherMesh { mesh }),
        Verdict::OtherVersion { version } => Err(AdmissionError::OtherVersion { version }),
    }
}

/// The listening side.
async fn open(
    muxer: &mut StreamMuxerBox,
    peer: PeerId,
    endpoint: &ConnectedPoint,
    desk: &Desk,
) -> Result<(), AdmissionError> {
    let (hello, mut stream) = first_word(muxer).await.map_err(broken)?;
    let address = || match endpoint {
        ConnectedPoint::Listener { send_back_addr, .. } => send_back_addr.clone(),
        ConnectedPoint::Dialer { address, .. } => address.clone(),
    };
    let verdict = match desk.differs(&hello) {
        None => while_muxing(muxer, desk.room(peer)).await.map_err(broken)?,
        Some(AdmissionError::OtherMesh { mesh }) => {
            desk.tell(Knock::Stranger { peer, address: address(), mesh: Some(mesh) });
            Verdict::OtherMesh { mesh: desk.hello.mesh.clone() }
        }
        Some(_) => {
            desk.tell(Knock::Stranger { peer, address: address(), mesh: None });
            Verdict::OtherVersion { version: desk.hello.version }
        }
    };
    let admitted = matches!(verdict, Verdict::Admitted(_));
    let answer = async {
        write(&mut stream, &verdict).await?;
        stream.close().await?;
        if !admitted {
            // The muxer goes with us: wait until the words were taken.
            let _ = timeout(LAST_WORDS, stream.read(&mut [0])).await;
        }
        Ok::<_, io::Error>(())
    };
    while_muxing(muxer, answer).await.map_err(broken)?.map_err(broken)?;
    if admitted { Ok(()) } else { Err(AdmissionError::Refused) }
}

type Talk = (Hello, Negotiated<SubstreamBox>);

/// Waits for the stream of the handshake; refuses all others meanwhile.
async fn first_word(muxer: &mut StreamMuxerBox) -> io::Result<Talk> {
    let mut talks = FuturesUnordered::new();
    poll_fn(|cx| {
        loop {
            while talks.len() < MAX_STREAMS {
                match muxer.poll_inbound_unpin(cx)? {
                    Poll::Ready(stream) => talks.push(listen(stream)),
                    Poll::Pending => break,
                }
            }
            match talks.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(talk))) => return Poll::Ready(Ok(talk)),
                // That stream was not it.
                Poll::Ready(Some(Err(_))) => continue,
                Poll::Ready(None) | Poll::Pending => return progress(muxer, cx),
            }
        }
    })
    .await
}

async fn listen(stream: SubstreamBox) -> Result<Talk, AdmissionError> {
    let selected = listener_select_proto(stream, [ADMISSION_PROTOCOL]).await;
    let (_, mut stream) = selected.map_err(|_| AdmissionError::NotPotluck)?;
    let hello = read::<Hello>(&mut stream).await?;
    Ok((hello, stream))
}

/// Runs a talk while the connection makes progress: yamux moves nothing by itself.
async fn while_muxing<F: Future>(muxer: &mut StreamMuxerBox, talk: F) -> io::Result<F::Output> {
    let mut talk = pin!(talk);
    poll_fn(|cx| {
        if let Poll::Ready(ended) = talk.as_mut().poll(cx) {
            return Poll::Ready(Ok(ended));
        }
        progress(muxer, cx)
    })
    .await
}

/// Lets the connection make progress; never ready but with its end.
fn progress<T>(muxer: &mut StreamMuxerBox, cx: &mut std::task::Context<'_>) -> Poll<io::Result<T>> {
    loop {
        match muxer.poll_unpin(cx) {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
            Poll::Pending => return Poll::Pending,
        }
    }
}

async fn write<T: Serialize>(stream: &mut (impl AsyncWrite + Unpin), value: &T) -> io::Result<()> {
    let bytes = encode(value).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
    stream.flush().await
}

async fn read<T: DeserializeOwned + Checked>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<T, AdmissionError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.map_err(broken)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(AdmissionError::NotPotluck);
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.map_err(broken)?;
    let read = |bytes: &[u8]| -> Result<T, Malformed> {
        let value: T = decode(bytes)?;
        value.check()?;
        Ok(value)
    };
    read(&bytes).map_err(|_| AdmissionError::NotPotluck)
}

fn broken(error: impl std::fmt::Display) -> AdmissionError {
    AdmissionError::Broken(error.to_string())
}
