//! Admission: the handshake before a connection is one. It runs on the multiplexed connection,
//! whatever carries that, before any behaviour sees the peer (`docs/protocol.md`, Admission).
//!
//! Whoever dialled opens the first stream and says its version and its mesh; the other side answers
//! whether there is room. Whether there is, the actor decides (`Knock`). Time is limited by the
//! transport that this is part of. Nodes of a private mesh show each other their certificates in it
//! (`private`).

mod private;

use std::{
    error::Error,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::{
    AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, FutureExt as _, StreamExt as _,
    future::{BoxFuture, poll_fn},
    stream::FuturesUnordered,
};
use libp2p::{
    Multiaddr, PeerId, TransportError,
    core::{
        ConnectedPoint, Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
    },
};
use multistream_select::{
    Negotiated, NegotiationError, Version, dialer_select_proto, listener_select_proto,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{mpsc, oneshot};

use crate::{
    doctor::Stranger,
    membership::{Membership, NotMember},
    neighbourhood::Door,
    protocol::{
        ADMISSION_PROTOCOL, Checked, Hello, Malformed, Verdict,
        admission::{MAX_FRAME, VERSION},
        decode, encode,
    },
};
use private::Side;
pub use private::{Errand, ErrandError, Issued};

/// Knocks that wait for an answer; beyond that a node is as good as full.
pub(super) const KNOCKS: usize = 64;
/// How long the actor may take for its answer.
const ANSWER: Duration = Duration::from_secs(2);
/// When to come back, if the actor has no time to say, in ms.
const BUSY_MS: u64 = 2_000;
/// Streams of a peer that are asked at one time what they are for.
const STREAMS_AT_ONCE: usize = 16;
/// Streams that a peer may open before it says hello.
const MAX_STREAMS: usize = 64;
/// How long a peer that was turned away has to read why.
const LINGER: Duration = Duration::from_secs(1);

type Stream = Negotiated<SubstreamBox>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The transport failed.
    #[error("the connection broke")]
    Connection(#[source] io::Error),
    /// The peer has no room.
    #[error("it has no room for another connection; it may have some in {retry_after_ms} ms")]
    Full {
        /// When to come back.
        retry_after_ms: u64,
        /// Whom to try instead.
        others: Vec<(PeerId, Vec<Multiaddr>)>,
    },
    /// The peer is of another mesh.
    #[error("it belongs to the mesh {mesh:?}: see `mesh` in the settings")]
    OtherMesh {
        /// Which.
        mesh: String,
    },
    /// The peer speaks another version.
    #[error("it speaks version {version} of the protocol, this node version {VERSION}: update one")]
    OtherVersion {
        /// Which.
        version: u16,
    },
    /// The peer does not speak the protocol.
    #[error("it is no Potluck node, or one of before version 2: {0}")]
    NotPotluck(String),
    /// We did not let it in.
    #[error("it was not let in: {0}")]
    TurnedAway(&'static str),
    /// It closed the connection instead of an answer.
    #[error(
        "it closed the connection without an answer: it is of a private mesh, or has blocked this node"
    )]
    NoAnswer,
    /// It is no member of our private mesh.
    #[error("it is no member of this node's private mesh: {0}")]
    NotMember(#[from] NotMember),
    /// We came for a certificate and have the answer; there is nothing else to say.
    #[error("the answer about a certificate is there")]
    Errand,
}

/// What the actor is asked and told.
#[derive(Debug)]
pub(super) enum Knock {
    /// Whether there is room for this peer.
    Room { peer: PeerId, reply: oneshot::Sender<Door> },
    /// This one is not of the mesh.
    Stranger { peer: PeerId, stranger: Stranger },
}

/// The handshake, as one side of it.
#[derive(Debug, Clone)]
pub struct Admission {
    hello: Hello,
    knocks: Option<mpsc::Sender<Knock>>,
    /// Of a private mesh.
    side: Option<Side>,
}

impl Admission {
    /// The handshake of a peer that is no node: it says what it is told to, and as a listener it has
    /// room for all. For the `and_then` of a transport.
    pub fn guest(hello: Hello) -> Self {
        Self { hello, knocks: None, side: None }
    }

    /// The handshake of a peer that is no node and shows the certificate of a private mesh.
    pub fn member(membership: Arc<Membership>) -> Self {
        Self { hello: Hello::new(""), knocks: None, side: Some(Side::Member(membership)) }
    }

    /// That of a node that comes for a certificate of a private mesh and nothing else.
    pub(super) fn errand(errand: Arc<Errand>) -> Self {
        Self { hello: Hello::new(""), knocks: None, side: Some(Side::Errand(errand)) }
    }

    /// That of a node, and whom it asks.
    pub(super) fn new(
        mesh: &str,
        membership: Option<Arc<Membership>>,
    ) -> (Self, mpsc::Receiver<Knock>) {
        let (knocks, asked) = mpsc::channel(KNOCKS);
        // What a private mesh is called stands in nothing that others can read.
        let hello = Hello::new(if membership.is_some() { "" } else { mesh });
        (Self { hello, knocks: Some(knocks), side: membership.map(Side::Member) }, asked)
    }

    /// Performs the handshake and gives the connection on, with all that came on it meanwhile.
    pub async fn admit(
        self,
        (peer, mut muxer): (PeerId, StreamMuxerBox),
        point: ConnectedPoint,
    ) -> Result<(PeerId, StreamMuxerBox), AdmissionError> {
        let (role, address) = match point {
            ConnectedPoint::Dialer { address, role_override, .. } => (role_override, address),
            ConnectedPoint::Listener { send_back_addr, .. } => (Endpoint::Listener, send_back_addr),
        };
        match role {
            Endpoint::Dialer => self.knock(peer, &mut muxer, &address).await?,
            Endpoint::Listener => self.open(peer, &mut muxer, &address).await?,
        }
        Ok((peer, muxer))
    }

    /// The side of whoever dialled. Streams that the other side opens meanwhile wait.
    async fn knock(
        &self,
        peer: PeerId,
        muxer: &mut StreamMuxerBox,
        address: &Multiaddr,
    ) -> Result<(), AdmissionError> {
        let opened = poll_fn(|cx| match muxer.poll_outbound_unpin(cx) {
            Poll::Ready(opened) => Poll::Ready(opened),
            Poll::Pending => keep_going(muxer, cx).map(Err),
        });
        let stream = opened.await.map_err(AdmissionError::Connection)?;
        let said = AtomicBool::new(false);
        let talk = async {
            match &self.side {
                Some(side) => side.knock(peer, stream, &said).await,
                None => {
                    let answered = say_hello(stream, &self.hello, &said).await;
                    answered.map(|(verdict, _)| Some(verdict))
                }
            }
        };
        let talk = match driven(muxer, talk).await {
            Err(_) if said.load(Ordering::Relaxed) => return Err(AdmissionError::NoAnswer),
            other => other.map_err(AdmissionError::Connection)?,
        };
        let Some(verdict) = talk? else { return Ok(()) };
        let refusal = match verdict {
            Verdict::Admitted { version: VERSION, mesh }
                if mesh == self.hello.mesh && self.side.is_none() =>
            {
                return Ok(());
            }
            Verdict::Admitted { version: VERSION, mesh } | Verdict::OtherMesh { mesh } => {
                AdmissionError::OtherMesh { mesh }
            }
            Verdict::Admitted { version, .. } | Verdict::OtherVersion { version } => {
                AdmissionError::OtherVersion { version }
            }
            Verdict::Full { retry_after_ms, others } => AdmissionError::Full {
                retry_after_ms: retry_after_ms.into(),
                others: others.iter().filter_map(|other| other.peer()).collect(),
            },
            Verdict::Sealed(_) => AdmissionError::NotPotluck("it seals its answer".to_owned()),
        };
        if let Some(stranger) = refusal.stranger(address) {
            self.tell(Knock::Stranger { peer, stranger });
        }
        Err(refusal)
    }

    /// The side of whoever was dialled. Streams for other protocols are told that there is none.
    async fn open(
        &self,
        peer: PeerId,
        muxer: &mut StreamMuxerBox,
        address: &Multiaddr,
    ) -> Result<(), AdmissionError> {
        let (stream, hello) = hear_hello(muxer).await?;
        if let Some(side) = &self.side {
            return self.open_private(side, (peer, muxer), stream, hello, address).await;
        }
        // From here on streams wait: whoever is let in may already open them.
        let judged = driven(muxer, self.judge(peer, hello, address)).await;
        let (verdict, refused) = judged.map_err(AdmissionError::Connection)?;
        if let Some(verdict) = &verdict {
            let said = driven(muxer, say(stream, verdict)).await;
            said.and_then(|said| said.map(drop)).map_err(AdmissionError::Connection)?;
        }
        match refused {
            None => Ok(()),
            Some(why) => {
                if verdict.is_some() {
                    linger(muxer).await;
                }
                Err(AdmissionError::TurnedAway(why))
            }
        }
    }

    /// The verdict, and in short why it is not to come in. Without a verdict the connection is closed
    /// and nothing said.
    async fn judge(
        &self,
        peer: PeerId,
        hello: Hello,
        address: &Multiaddr,
    ) -> (Option<Verdict>, Option<&'static str>) {
        let Hello { version, mesh, .. } = self.hello.clone();
        if hello.version != version || hello.mesh != mesh {
            let same_version = hello.version == version;
            // One of a private mesh does not say of which.
            let private = hello.sealed.is_some();
            let other = (same_version && !private).then_some(hello.mesh);
            let stranger = Stranger { address: address.to_string(), mesh: other };
            if !private {
                self.tell(Knock::Stranger { peer, stranger });
            }
            return match same_version {
                true => (Some(Verdict::OtherMesh { mesh }), Some("it is of another mesh")),
                false => {
                    (Some(Verdict::OtherVersion { version }), Some("it is of another version"))
                }
            };
        }
        match self.room_for(peer).await {
            Door::Open => (Some(Verdict::Admitted { version, mesh }), None),
            Door::Shut => (None, Some("it is blocked")),
            Door::Full { retry_after_ms, others } => {
                (Some(Verdict::full(retry_after_ms, &others)), Some("there is no room"))
            }
        }
    }

    async fn room_for(&self, peer: PeerId) -> Door {
        let Some(knocks) = &self.knocks else { return Door::Open };
        let busy = || Door::Full { retry_after_ms: BUSY_MS, others: Vec::new() };
        let (reply, answer) = oneshot::channel();
        if knocks.try_send(Knock::Room { peer, reply }).is_err() {
            return busy();
        }
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(door)) => door,
            _ => busy(),
        }
    }

    fn tell(&self, knock: Knock) {
        if let Some(knocks) = &self.knocks {
            // Only the doctor misses it.
            let _ = knocks.try_send(knock);
        }
    }
}

impl AdmissionError {
    /// What the peer said, where it was reached and a dial failed all the same.
    pub fn of(error: &TransportError<io::Error>) -> Option<&Self> {
        let TransportError::Other(error) = error else { return None };
        let mut next: Option<&(dyn Error + 'static)> = error.get_ref().map(|it| it as _);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return (!matches!(found, Self::Connection(_) | Self::Errand)).then_some(found);
            }
            next = error.source();
        }
        None
    }

    /// What the doctor is told of a peer that is not of the mesh.
    pub(super) fn stranger(&self, address: &Multiaddr) -> Option<Stranger> {
        let mesh = match self {
            Self::OtherMesh { mesh } => Some(mesh.clone()),
            Self::OtherVersion { .. } | Self::NotPotluck(_) => None,
            _ => return None,
        };
        Some(Stranger { address: address.to_string(), mesh })
    }
}

/// Says hello on a stream of its own and reads the verdict; the stream may be used further. `said` is
/// true while the answer is waited for.
async fn say_hello(
    stream: SubstreamBox,
    hello: &Hello,
    said: &AtomicBool,
) -> Result<(Verdict, Stream), AdmissionError> {
    let not_potluck = |e: &dyn std::fmt::Display| AdmissionError::NotPotluck(e.to_string());
    // The hello goes out with the name of the protocol.
    let negotiated = dialer_select_proto(stream, [ADMISSION_PROTOCOL], Version::V1Lazy).await;
    let (_, mut stream) = negotiated.map_err(|e| not_potluck(&e))?;
    let told = async {
        write(&mut stream, hello).await?;
        // Nodes of a private mesh may have more to say.
        if hello.sealed.is_none() {
            stream.close().await?;
        }
        said.store(true, Ordering::Relaxed);
        let verdict = hear::<Verdict>(&mut stream).await?;
        said.store(false, Ordering::Relaxed);
        io::Result::Ok(verdict)
    };
    match told.await {
        Ok(Ok(verdict)) => Ok((verdict, stream)),
        Ok(Err(malformed)) => Err(not_potluck(&malformed)),
        Err(e) if e.get_ref().is_some_and(|e| e.is::<NegotiationError>()) => Err(not_potluck(&e)),
        // TCP ends the stream, QUIC breaks it.
        Err(_) if said.load(Ordering::Relaxed) => Err(AdmissionError::NoAnswer),
        Err(e) => Err(AdmissionError::Connection(e)),
    }
}

/// Waits for the stream of the handshake and what is said on it.
async fn hear_hello(muxer: &mut StreamMuxerBox) -> Result<(Stream, Hello), AdmissionError> {
    type Heard = Option<(Stream, io::Result<Result<Hello, Malformed>>)>;
    let mut asked: FuturesUnordered<BoxFuture<'static, Heard>> = FuturesUnordered::new();
    let mut left = MAX_STREAMS;
    let heard = poll_fn(|cx| {
        loop {
            match asked.poll_next_unpin(cx) {
                Poll::Ready(Some(Some(heard))) => return Poll::Ready(Ok(heard)),
                Poll::Ready(Some(None)) => continue,
                Poll::Ready(None) | Poll::Pending => {}
            }
            if asked.len() == STREAMS_AT_ONCE {
                break;
            }
            let Poll::Ready(opened) = muxer.poll_inbound_unpin(cx) else { break };
            let Some(fewer) = left.checked_sub(1) else {
                return Poll::Ready(Err(io::Error::other("too many streams before a hello")));
            };
            left = fewer;
            let stream = match opened {
                Ok(stream) => stream,
                Err(e) => return Poll::Ready(Err(e)),
            };
            let ask = async move {
                let asked = listener_select_proto(stream, [ADMISSION_PROTOCOL]).await;
                let (_, mut stream) = asked.ok()?;
                let hello = hear::<Hello>(&mut stream).await;
                Some((stream, hello))
            };
            asked.push(ask.boxed());
        }
        keep_going(muxer, cx).map(Err)
    });
    let (stream, hello) = heard.await.map_err(AdmissionError::Connection)?;
    match hello.map_err(AdmissionError::Connection)? {
        Ok(hello) => Ok((stream, hello)),
        Err(malformed) => Err(AdmissionError::NotPotluck(malformed.to_string())),
    }
}

/// Sends one frame and nothing more.
async fn say<T: Serialize>(mut stream: Stream, what: &T) -> io::Result<Stream> {
    write(&mut stream, what).await?;
    stream.close().await?;
    Ok(stream)
}

/// Sends one frame.
async fn write<T: Serialize>(stream: &mut Stream, what: &T) -> io::Result<()> {
    let bytes = encode(what).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
    stream.flush().await
}

/// Reads one frame.
async fn hear<T>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<T, Malformed>>
where
    T: DeserializeOwned + Checked,
{
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Ok(Err(Malformed::TooLarge { max: MAX_FRAME }));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    Ok(decode::<T>(&bytes).and_then(|said| said.check().map(|()| said)))
}

/// Runs a talk on one of the streams of a connection, which moves only as long as it is polled.
async fn driven<T>(muxer: &mut StreamMuxerBox, talk: impl Future<Output = T>) -> io::Result<T> {
    let mut talk = pin!(talk);
    poll_fn(|cx| match talk.as_mut().poll(cx) {
        Poll::Ready(end) => Poll::Ready(Ok(end)),
        Poll::Pending => keep_going(muxer, cx).map(Err),
    })
    .await
}

/// Moves a connection; ready when it broke.
fn keep_going(muxer: &mut StreamMuxerBox, cx: &mut std::task::Context<'_>) -> Poll<io::Error> {
    loop {
        match muxer.poll_unpin(cx) {
            // A change of the other side's address says nothing to us.
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(e)) => return Poll::Ready(e),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Waits until a peer that was turned away hangs up: QUIC forgets what is on its way when this side
/// does.
async fn linger(muxer: &mut StreamMuxerBox) {
    let mut left = MAX_STREAMS;
    let ended = poll_fn(|cx| {
        while let Poll::Ready(opened) = muxer.poll_inbound_unpin(cx) {
            left = left.saturating_sub(1);
            if opened.is_err() || left == 0 {
                return Poll::Ready(());
            }
        }
        keep_going(muxer, cx).map(drop)
    });
    let _ = tokio::time::timeout(LINGER, ended).await;
}
