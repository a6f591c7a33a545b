//! A libp2p peer that knows Potluck's protocol names and nothing else, so that a test can send
//! whatever it wants, byte by byte.

use std::{future::poll_fn, io, pin::pin, task::Poll, time::Duration};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, Transport as _,
    core::{
        Endpoint,
        muxing::{StreamMuxerBox, StreamMuxerExt as _, SubstreamBox},
        transport::{Boxed, DialOpts, PortUse},
        upgrade,
    },
    identify,
    identity::Keypair,
    noise, swarm,
    swarm::{DialError, NetworkBehaviour},
    tcp, yamux,
};
use multistream_select::{Negotiated, Version, dialer_select_proto};
use potluck::network::{
    admission::{Admission, AdmissionError},
    streams::{self, Control, IncomingStreams},
};
use potluck::protocol::{
    self, Advert, Ask, CALL_PROTOCOL, CallOutcome, CallRequest, EXCHANGE_PROTOCOL, Exchange, Hello,
    Offer, PULSE_PROTOCOL, Request, Response, SignedAdvert, Tell,
};
use tokio::task::JoinHandle;

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: streams::Behaviour,
    identify: identify::Behaviour,
}

/// A connected bare peer. Gone when dropped.
pub struct Bare {
    /// Its key.
    pub key: Keypair,
    /// The node that it is connected to.
    pub node: PeerId,
    control: Control,
    running: JoinHandle<()>,
}

impl Bare {
    /// Connects to a node on loopback.
    pub async fn connect(address: &str, node: PeerId) -> Self {
        let knocked = Self::knock(address, node, Hello::new("potluck")).await;
        knocked.unwrap_or_else(|e| panic!("{e}"))
    }

    /// Connects to a node on loopback, saying this.
    pub async fn knock(address: &str, node: PeerId, hello: Hello) -> Result<Self, DialError> {
        let key = Keypair::generate_ed25519();
        Self::admitted(address, node, key, Admission::guest(hello)).await
    }

    /// Connects to a node on loopback, with that handshake.
    pub async fn admitted(
        address: &str,
        node: PeerId,
        key: Keypair,
        admission: Admission,
    ) -> Result<Self, DialError> {
        let mut swarm = swarm(&key, admission);
        let control = swarm.behaviour().streams.new_control();
        swarm.dial(address.parse::<Multiaddr>().expect("an address"))?;
        loop {
            match swarm.select_next_some().await {
                swarm::SwarmEvent::ConnectionEstablished { peer_id, .. } if peer_id == node => {
                    break;
                }
                swarm::SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error),
                _ => {}
            }
        }
        let running = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Ok(Self { key, node, control, running })
    }

    /// Its id.
    pub fn id(&self) -> PeerId {
        self.key.public().to_peer_id()
    }

    /// Opens a stream of a protocol.
    pub async fn open(&self, protocol: &'static str) -> io::Result<swarm::Stream> {
        let opened =
            self.control.clone().open_stream(self.node, StreamProtocol::new(protocol)).await;
        opened.map_err(|e| io::Error::other(e.to_string()))
    }

    /// Takes the streams of a protocol that the node opens.
    pub fn accept(&self, protocol: &'static str) -> IncomingStreams {
        self.control.clone().accept(StreamProtocol::new(protocol)).expect("not yet accepted")
    }

    /// Opens a line for calls.
    pub async fn line(&self) -> io::Result<Line> {
        Ok(Line { stream: self.open(CALL_PROTOCOL).await? })
    }

    /// Makes a call on a line of its own and waits for its end.
    pub async fn call(&self, request: CallRequest) -> CallOutcome {
        let mut line = self.line().await.expect("a line");
        line.call(request).await.expect("an answer")
    }

    /// Sends bytes as a request, ends it, and gives what came back.
    pub async fn ask(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (mut reading, mut writing) = self.open(EXCHANGE_PROTOCOL).await?.split();
        let write = async move {
            // A node that has read enough may close before all is written.
            let _ = writing.write_all(bytes).await;
            let _ = writing.close().await;
            std::future::pending().await
        };
        let mut answer = Vec::new();
        // Who has read enough does not take the rest, so the answer ends it, not the last byte.
        tokio::select! {
            read = reading.read_to_end(&mut answer) => read.map(|_| answer),
            () = write => Ok(vec![]),
        }
    }

    /// Sends bytes and gives the response that they get.
    pub async fn response(&self, bytes: &[u8]) -> Response {
        let answer = self.ask(bytes).await.expect("an answer");
        protocol::decode(&answer).unwrap_or_else(|e| panic!("not a response: {e}: {answer:02x?}"))
    }

    /// Sends a request that keeps to the protocol.
    pub async fn request(&self, request: &Request) -> Response {
        self.response(&protocol::encode(request).expect("encodes")).await
    }

    /// Its advert, signed.
    pub fn advert(&self, name: &str, offers: Vec<Offer>) -> SignedAdvert {
        advert(&self.key, name, offers).sign(&self.key).expect("signs")
    }

    /// Hands over adverts as an exchange does.
    pub async fn tell(&self, adverts: Vec<SignedAdvert>) -> Response {
        self.request(&Request::Exchange(Exchange {
            root: [0; 32],
            digest: None,
            adverts,
            near: vec![],
        }))
        .await
    }

    /// Answers the pulse as a live node does.
    pub fn beat(&self) {
        let mut incoming = self.accept(PULSE_PROTOCOL);
        tokio::spawn(async move {
            while let Some((_, mut stream)) = incoming.next().await {
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok()
                        && stream.write_all(&byte).await.is_ok()
                        && stream.flush().await.is_ok()
                    {}
                });
            }
        });
    }
}

/// A stream for calls, seen from the asking side.
pub struct Line {
    /// The stream, for tests that do not keep to frames.
    pub stream: swarm::Stream,
}

impl Line {
    /// Sends bytes as one frame.
    pub async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(&framed(bytes)).await?;
        self.stream.flush().await
    }

    /// Sends what keeps to the protocol.
    pub async fn ask(&mut self, ask: &Ask) -> io::Result<()> {
        self.say(&protocol::encode(ask).expect("encodes")).await
    }

    /// What the node asks next, on a line that it opened.
    pub async fn asked(&mut self) -> io::Result<Ask> {
        protocol::decode(&self.frame().await?).map_err(io::Error::other)
    }

    async fn frame(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).await?;
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// What the node says next.
    pub async fn hear(&mut self) -> io::Result<Tell> {
        protocol::decode(&self.frame().await?).map_err(io::Error::other)
    }

    /// Makes a call and waits for its end; the answers of others are passed over.
    pub async fn call(&mut self, request: CallRequest) -> io::Result<CallOutcome> {
        let number = request.call;
        self.ask(&Ask::Call(request)).await?;
        loop {
            match self.hear().await? {
                Tell::Answer { call, answer } if call == number => return Ok(answer.outcome),
                Tell::Malformed { reason, .. } => return Err(io::Error::other(reason)),
                _ => {}
            }
        }
    }
}

/// A frame of a line.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("it fits");
    [&length.to_be_bytes()[..], bytes].concat()
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// An advert of that key, not yet signed.
pub fn advert(key: &Keypair, name: &str, offers: Vec<Offer>) -> Advert {
    Advert {
        version: 2,
        id: key.public().to_peer_id().to_bytes(),
        seq: potluck::network::now_ms(),
        incarnation: 1,
        name: name.to_owned(),
        mesh: "potluck".to_owned(),
        addresses: vec![],
        offers,
        leaving: false,
        sealing: None,
        entry: false,
        pass: None,
    }
}

/// An offer that every router likes.
pub fn tempting(capability: &str) -> Offer {
    Offer {
        capability: capability.to_owned(),
        device: "cpu".to_owned(),
        engine: String::new(),
        call_ms: 0.064,
        slots: 64,
        queue: 0,
        variants: vec![],
        repeat: protocol::Repeat::Safe,
    }
}

/// What a node said that did not let a peer in.
pub fn refusal(error: &DialError) -> &AdmissionError {
    let DialError::Transport(all) = error else { panic!("{error}") };
    let refusal = all.iter().find_map(|(_, error)| AdmissionError::of(error));
    refusal.unwrap_or_else(|| panic!("no refusal: {error}"))
}

/// An encrypted connection on which nothing was said yet.
pub struct Raw {
    muxer: StreamMuxerBox,
}

impl Raw {
    /// Connects to a node on loopback.
    pub async fn connect(address: &str) -> Self {
        let address = address.parse().expect("an address");
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = transport(&Keypair::generate_ed25519()).dial(address, options);
        let (_, muxer) = dial.expect("it can be dialled").await.expect("connected");
        Self { muxer }
    }

    /// Opens a stream, claims that it is of a protocol and sends bytes; `None` when the node closed
    /// the connection.
    pub async fn send(&mut self, protocol: &'static str, bytes: &[u8]) -> Option<RawStream> {
        let opened = poll_fn(|cx| match self.muxer.poll_outbound_unpin(cx) {
            Poll::Ready(opened) => Poll::Ready(opened.ok()),
            Poll::Pending => self.muxer.poll_unpin(cx).map(|_| None),
        });
        let stream = opened.await?;
        let talk = async move {
            let chosen = dialer_select_proto(stream, [protocol], Version::V1Lazy).await;
            let (_, mut stream) = chosen.ok()?;
            // A node that has read enough may close before all is written.
            let _ = stream.write_all(bytes).await;
            let _ = stream.flush().await;
            Some(stream)
        };
        let mut talk = pin!(talk);
        poll_fn(|cx| match talk.as_mut().poll(cx) {
            Poll::Ready(stream) => Poll::Ready(stream),
            Poll::Pending => self.muxer.poll_unpin(cx).map(|_| None),
        })
        .await
    }

    /// Waits until the node closes the connection.
    pub async fn ended(mut self) {
        poll_fn(|cx| match self.muxer.poll_inbound_unpin(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(_)) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => match self.muxer.poll_unpin(cx) {
                Poll::Ready(Err(_)) => Poll::Ready(()),
                _ => Poll::Pending,
            },
        })
        .await;
    }
}

/// A stream of a [`Raw`] connection.
pub type RawStream = Negotiated<SubstreamBox>;

fn transport(key: &Keypair) -> Boxed<(PeerId, StreamMuxerBox)> {
    tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(key).expect("a key"))
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed()
}

fn swarm(key: &Keypair, admission: Admission) -> Swarm<Behaviour> {
    let transport = transport(key)
        .and_then(move |connection, point| admission.admit(connection, point))
        .map_err(|e| e.map_left(AdmissionError::Connection).into_inner())
        .boxed();
    let behaviour = Behaviour {
        streams: streams::Behaviour::new(),
        identify: identify::Behaviour::new(identify::Config::new(
            "potluck/2/potluck".to_owned(),
            key.public(),
        )),
    };
    let config =
        swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
    Swarm::new(transport, behaviour, key.public().to_peer_id(), config)
}
