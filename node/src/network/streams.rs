//! Raw streams to peers and from them, each for one protocol.
//!
//! Like `libp2p-stream`, whose queue of streams that peers opened holds one: a second that arrives at
//! the same time is dropped, and its peer takes that for a broken line. Here `QUEUE` wait for each
//! protocol, `QUEUE_OF_PEER` of them of one peer. Nothing is dialled here.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt, io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::future::{Ready, ready};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{
        Endpoint, InboundUpgrade, OutboundUpgrade, UpgradeInfo, transport::PortUse,
        util::unreachable,
    },
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent,
        ConnectionId, FromSwarm, NetworkBehaviour, Stream, StreamUpgradeError, SubstreamProtocol,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};
use tokio::sync::{mpsc, oneshot};

use crate::neighbourhood::address::is_circuit;

/// Streams that peers opened and nobody took yet, for each protocol.
const QUEUE: usize = 256;
/// Of these, those of one peer.
const QUEUE_OF_PEER: usize = 32;
/// Streams that wait to be opened on one connection; who wants more waits.
const ASKED: usize = 64;
/// Streams that are negotiated at one time on one connection.
const OPENING: usize = 64;

/// The behaviour.
#[derive(Default)]
pub struct Behaviour {
    shared: Arc<Mutex<Shared>>,
}

/// Opens streams, and takes those that peers open.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Mutex<Shared>>,
}

/// The streams of a protocol that peers open. No more are taken once it is dropped.
#[must_use = "streams are taken from it"]
pub struct IncomingStreams {
    waiting: mpsc::Receiver<Waiting>,
}

/// Why a stream was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStreamError {
    /// The peer does not speak the protocol.
    #[error("the peer does not speak {0}")]
    UnsupportedProtocol(StreamProtocol),
    /// The connection failed, or there is none.
    #[error("no stream could be opened: {0}")]
    Io(#[from] io::Error),
}

/// Somebody takes the streams of this protocol already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the streams of this protocol are taken already")]
pub struct AlreadyRegistered;

impl Behaviour {
    /// Opens and takes nothing until a control does.
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle.
    pub fn new_control(&self) -> Control {
        Control { shared: self.shared.clone() }
    }
}

impl Control {
    /// Opens a stream to a peer with a connection.
    pub async fn open_stream(
        &mut self,
        peer: PeerId,
        protocol: StreamProtocol,
    ) -> Result<Stream, OpenStreamError> {
        let asked = lock(&self.shared).best(&peer).map(|connection| connection.asked.clone());
        let Some(asked) = asked else { return Err(broken("there is no connection").into()) };
        let (reply, opened) = oneshot::channel();
        let ask = Ask { protocol, reply };
        asked.send(ask).await.map_err(|_| broken("the connection ended"))?;
        opened.await.map_err(|_| broken("the connection ended"))?
    }

    /// Whether streams to a peer are opened through an entry node, for want of a direct connection.
    pub fn relayed(&self, peer: &PeerId) -> bool {
        lock(&self.shared).best(peer).is_some_and(|connection| connection.relayed)
    }

    /// Takes the streams of a protocol from now on, on connections that are made from now on.
    pub fn accept(
        &mut self,
        protocol: StreamProtocol,
    ) -> Result<IncomingStreams, AlreadyRegistered> {
        let mut shared = lock(&self.shared);
        shared.takers.retain(|_, taker| !taker.queue.is_closed());
        if shared.takers.contains_key(&protocol) {
            return Err(AlreadyRegistered);
        }
        let (queue, waiting) = mpsc::channel(QUEUE);
        shared.takers.insert(protocol, Taker { queue, of_peers: HashMap::new() });
        Ok(IncomingStreams { waiting })
    }
}

impl futures::Stream for IncomingStreams {
    type Item = (PeerId, Stream);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.waiting.poll_recv(cx).map(|next| {
            next.map(|it| {
                it.of_peer.fetch_sub(1, Ordering::Relaxed);
                (it.peer, it.stream)
            })
        })
    }
}

/// What the behaviour, its handlers and its controls share.
#[derive(Default)]
struct Shared {
    takers: HashMap<StreamProtocol, Taker>,
    connections: HashMap<PeerId, Vec<Connection>>,
}

/// A connection on which streams can be opened.
struct Connection {
    id: ConnectionId,
    asked: mpsc::Sender<Ask>,
    /// It leads through an entry node.
    relayed: bool,
}

/// Who takes the streams of one protocol.
struct Taker {
    queue: mpsc::Sender<Waiting>,
    /// How many of each peer wait; empty ones go when the peer's last connection ends.
    of_peers: HashMap<PeerId, Arc<AtomicUsize>>,
}

/// A stream that waits to be taken.
struct Waiting {
    peer: PeerId,
    stream: Stream,
    of_peer: Arc<AtomicUsize>,
}

/// A stream that is to be opened.
struct Ask {
    protocol: StreamProtocol,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Stream, OpenStreamError>>;

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(|e| e.into_inner())
}

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}

impl Shared {
    /// The connection of a peer on which streams are opened: the oldest direct one, or else the oldest.
    fn best(&self, peer: &PeerId) -> Option<&Connection> {
        let open = self.connections.get(peer)?.iter().filter(|it| !it.asked.is_closed());
        open.min_by_key(|connection| connection.relayed)
    }

    fn queue(&mut self, peer: PeerId, stream: Stream, protocol: &StreamProtocol) {
        let Some(taker) = self.takers.get_mut(protocol) else { return };
        let of_peer = taker.of_peers.entry(peer).or_default().clone();
        if of_peer.fetch_add(1, Ordering::Relaxed) >= QUEUE_OF_PEER {
            of_peer.fetch_sub(1, Ordering::Relaxed);
            tracing::debug!(%peer, %protocol, "dropped a stream: too many of this peer wait");
            return;
        }
        let waiting = Waiting { peer, stream, of_peer: of_peer.clone() };
        if taker.queue.try_send(waiting).is_err() {
            of_peer.fetch_sub(1, Ordering::Relaxed);
            tracing::debug!(%peer, %protocol, "dropped a stream: too many wait");
        }
    }

    fn forget(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(connections) = self.connections.get_mut(&peer) else { return };
        connections.retain(|it| it.id != connection);
        if connections.is_empty() {
            self.connections.remove(&peer);
            for taker in self.takers.values_mut() {
                taker.of_peers.remove(&peer);
            }
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

impl Behaviour {
    fn handler(&mut self, peer: PeerId, id: ConnectionId, address: &Multiaddr) -> Handler {
        let (asked, asks) = mpsc::channel(ASKED);
        let mut shared = lock(&self.shared);
        let connections = shared.connections.entry(peer).or_default();
        connections.retain(|it| !it.asked.is_closed());
        connections.push(Connection { id, asked, relayed: is_circuit(address) });
        Handler { peer, shared: self.shared.clone(), asks, opening: HashMap::new(), last: 0 }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = ();

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer, connection, local))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer, connection, address))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) = event
        {
            lock(&self.shared).forget(peer_id, connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        unreachable(event);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<(), THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// One connection.
pub struct Handler {
    peer: PeerId,
    shared: Arc<Mutex<Shared>>,
    asks: mpsc::Receiver<Ask>,
    /// Who waits for streams that are negotiated.
    opening: HashMap<u64, Ask>,
    last: u64,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Spoken;
    type OutboundProtocol = Spoken;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = u64;

    fn listen_protocol(&self) -> SubstreamProtocol<Spoken> {
        let shared = lock(&self.shared);
        let taken = shared.takers.iter().filter(|(_, taker)| !taker.queue.is_closed());
        SubstreamProtocol::new(Spoken(taken.map(|(protocol, _)| protocol.clone()).collect()), ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Spoken, u64, Infallible>> {
        if self.opening.len() >= OPENING {
            return Poll::Pending;
        }
        let Poll::Ready(Some(ask)) = self.asks.poll_recv(cx) else { return Poll::Pending };
        self.last += 1;
        let spoken = Spoken(vec![ask.protocol.clone()]);
        self.opening.insert(self.last, ask);
        Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
            protocol: SubstreamProtocol::new(spoken, self.last),
        })
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        unreachable(event)
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Spoken, Spoken, (), u64>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, protocol),
                ..
            }) => lock(&self.shared).queue(self.peer, stream, &protocol),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info,
            }) => {
                if let Some(ask) = self.opening.remove(&info) {
                    let _ = ask.reply.send(Ok(stream));
                }
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, info }) => {
                let Some(Ask { protocol, reply }) = self.opening.remove(&info) else { return };
                let _ = reply.send(Err(match error {
                    StreamUpgradeError::Timeout => io::Error::from(io::ErrorKind::TimedOut).into(),
                    StreamUpgradeError::Apply(never) => unreachable(never),
                    StreamUpgradeError::NegotiationFailed => {
                        OpenStreamError::UnsupportedProtocol(protocol)
                    }
                    StreamUpgradeError::Io(e) => e.into(),
                }));
            }
            _ => {}
        }
    }
}

/// The protocols that a stream may be for; the one that was chosen comes with it.
pub struct Spoken(Vec<StreamProtocol>);

impl UpgradeInfo for Spoken {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Spoken {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        ready(Ok((stream, chosen)))
    }
}

impl OutboundUpgrade<Stream> for Spoken {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, chosen: StreamProtocol) -> Self::Future {
        ready(Ok((stream, chosen)))
    }
}
