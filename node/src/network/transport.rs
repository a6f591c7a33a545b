//! Building the Swarm: TCP with Noise or TLS and yamux, QUIC, or memory for tests, with admission
//! before all of them.

use std::{io, net::ToSocketAddrs as _, sync::Arc, time::Duration};

use futures::{
    AsyncRead, AsyncWrite, FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, Either},
};
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport as _,
    core::{
        Endpoint, UpgradeInfo,
        muxing::StreamMuxerBox,
        transport::{
            Boxed, DialOpts, MemoryTransport, OrTransport, PortUse, timeout::TransportTimeout,
        },
        upgrade::{self, InboundConnectionUpgrade, OutboundConnectionUpgrade},
    },
    identity::Keypair,
    multiaddr, noise, quic, relay, swarm, tcp, tls, yamux,
};
use tokio::sync::mpsc;

use super::{
    NetworkError, NetworkSettings,
    admission::{Admission, AdmissionError, Errand, ErrandError, Issued, Knock},
    behaviour::Behaviour,
    dialing::innermost,
    now_ms,
    relay::Meter,
};
use crate::say::{Reason, reasons};

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransportKind {
    /// TCP and QUIC.
    #[default]
    Real,
    /// Channels inside this process, for tests; addresses are `/memory/N`.
    Memory,
}

/// A dial that takes longer has failed: on a LAN, a stopped process still accepts TCP, and only
/// the handshake shows that nobody is there.
const DIAL_TIME: Duration = Duration::from_secs(4);
/// How long a peer may take until it is let in: longer, so that it is the one who gives up.
const INBOUND_TIME: Duration = Duration::from_secs(5);

/// An encrypted connection of a peer that proved who it is.
type Muxed = (PeerId, StreamMuxerBox);

/// The Swarm, the peers that knock, and what an entry node counts.
type Made = (Swarm<Behaviour>, mpsc::Receiver<Knock>, Arc<Meter>);

/// Makes the Swarm and what goes with it.
pub(super) fn swarm(settings: &NetworkSettings) -> Result<Made, NetworkError> {
    let meter = Arc::<Meter>::default();
    let (circuits, client) = relay::client::new(settings.keypair.public().to_peer_id());
    let behaviour = Behaviour::new(settings, client, &meter)?;
    let direct = match settings.transport {
        TransportKind::Real => real(&settings.keypair)?,
        TransportKind::Memory => memory(&settings.keypair)?,
    };
    // What an entry node carries is sealed again between the two ends, as if it were a cable.
    let relayed = circuits
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(Secured::new(&settings.keypair)?)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let muxed = OrTransport::new(relayed, direct).map(|either, _| either.into_inner()).boxed();
    let counted = settings.entry.is_some().then(|| meter.clone());
    let muxed = muxed.map(move |(peer, muxer), _| match counted {
        Some(meter) => (peer, meter.on(peer, muxer, now_ms())),
        None => (peer, muxer),
    });
    let (admission, knocks) = Admission::new(&settings.mesh, settings.membership.clone());
    let admitted = muxed
        .and_then(move |connection, point| admission.admit(connection, point))
        .map_err(|e| e.map_left(AdmissionError::Connection).into_inner());
    let timed = TransportTimeout::with_ingoing_timeout(
        TransportTimeout::with_outgoing_timeout(admitted, DIAL_TIME),
        INBOUND_TIME,
    );
    // The actor closes what it does not need; nothing else may.
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(86_400));
    let me = settings.keypair.public().to_peer_id();
    Ok((Swarm::new(timed.boxed(), behaviour, me, config), knocks, meter))
}

/// Gets a certificate of a private mesh from an admin, at one of these addresses.
///
/// # Errors
///
/// Where nobody is reached there, or the admin says no.
pub async fn obtain(
    keypair: &Keypair,
    kind: TransportKind,
    errand: Arc<Errand>,
    addresses: &[Multiaddr],
) -> Result<Issued, ErrandError> {
    let unbuilt = |e: NetworkError| ErrandError::Unreached(e.to_string());
    let mut last = ErrandError::Unreached(reasons::no_addresses().to_string());
    for address in addresses {
        let muxed = match kind {
            TransportKind::Real => real(keypair),
            TransportKind::Memory => memory(keypair),
        };
        let admission = Admission::errand(errand.clone());
        let mut transport = muxed
            .map_err(unbuilt)?
            .and_then(move |connection, point| admission.admit(connection, point))
            .map_err(|e| e.map_left(AdmissionError::Connection).into_inner());
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dialled = match transport.dial(address.clone(), options) {
            Ok(dialled) => tokio::time::timeout(DIAL_TIME, dialled).await,
            Err(error) => {
                last = ErrandError::Unreached(error.to_string());
                continue;
            }
        };
        if let Some(answer) = errand.answer() {
            return Ok(answer?);
        }
        last = match dialled {
            Ok(Ok(_)) => ErrandError::NoAnswer,
            Ok(Err(AdmissionError::NoAnswer | AdmissionError::NotPotluck(_))) => {
                ErrandError::NoAnswer
            }
            Ok(Err(error)) => ErrandError::Unreached(innermost(&error)),
            Err(_) => ErrandError::Unreached(reasons::took_too_long().to_string()),
        };
    }
    Err(last)
}

fn real(keypair: &Keypair) -> Result<Boxed<Muxed>, NetworkError> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(Secured::new(keypair)?)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut config = quic::Config::new(keypair);
    // The kernel does not tell QUIC that a process died, so silence must.
    config.max_idle_timeout = 4_000;
    config.keep_alive_interval = Duration::from_millis(1_500);
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    Ok(OrTransport::new(tcp, quic).map(|either, _| either.into_inner()).boxed())
}

fn memory(keypair: &Keypair) -> Result<Boxed<Muxed>, NetworkError> {
    Ok(MemoryTransport::new()
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(Secured::new(keypair)?.noise)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed())
}

/// Noise, or TLS for peers that prefer it.
#[derive(Clone)]
struct Secured {
    noise: noise::Config,
    tls: tls::Config,
}

type Secret<C> = Either<noise::Output<C>, tls::TlsStream<C>>;

impl Secured {
    fn new(keypair: &Keypair) -> Result<Self, NetworkError> {
        let broken = |e: &dyn std::fmt::Display| NetworkError::Transport(e.to_string());
        Ok(Self {
            noise: noise::Config::new(keypair).map_err(|e| broken(&e))?,
            tls: tls::Config::new(keypair).map_err(|e| broken(&e))?,
        })
    }

    fn is_noise(&self, chosen: &str) -> bool {
        self.noise.protocol_info().any(|name| name == chosen)
    }
}

impl UpgradeInfo for Secured {
    type Info = &'static str;
    type InfoIter = std::vec::IntoIter<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        let both = self.noise.protocol_info().chain(self.tls.protocol_info());
        both.collect::<Vec<_>>().into_iter()
    }
}

impl<C> InboundConnectionUpgrade<C> for Secured
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, Secret<C>);
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_inbound(self, socket: C, chosen: &'static str) -> Self::Future {
        match self.is_noise(chosen) {
            true => noised(self.noise.upgrade_inbound(socket, chosen)),
            false => tlsed(self.tls.upgrade_inbound(socket, chosen)),
        }
    }
}

impl<C> OutboundConnectionUpgrade<C> for Secured
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = (PeerId, Secret<C>);
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Output>>;

    fn upgrade_outbound(self, socket: C, chosen: &'static str) -> Self::Future {
        match self.is_noise(chosen) {
            true => noised(self.noise.upgrade_outbound(socket, chosen)),
            false => tlsed(self.tls.upgrade_outbound(socket, chosen)),
        }
    }
}

fn noised<C: 'static, E: std::error::Error + Send + Sync + 'static>(
    done: impl Future<Output = Result<(PeerId, noise::Output<C>), E>> + Send + 'static,
) -> BoxFuture<'static, io::Result<(PeerId, Secret<C>)>> {
    done.map_ok(|(peer, io)| (peer, Either::Left(io))).map_err(io::Error::other).boxed()
}

fn tlsed<C: 'static, E: std::error::Error + Send + Sync + 'static>(
    done: impl Future<Output = Result<(PeerId, tls::TlsStream<C>), E>> + Send + 'static,
) -> BoxFuture<'static, io::Result<(PeerId, Secret<C>)>> {
    done.map_ok(|(peer, io)| (peer, Either::Right(io))).map_err(io::Error::other).boxed()
}

/// Reads what people type after `--join`: a multiaddr, `host:port`, or `[v6]:port` (TCP). Host
/// names are looked up. A link-local IPv6 address cannot be dialled without its interface.
pub fn parse_join(text: &str) -> Result<Vec<Multiaddr>, Reason> {
    if text.starts_with('/') {
        return text
            .parse()
            .map(|address| vec![address])
            .map_err(|e: multiaddr::Error| reasons::no_address(text, e.to_string()));
    }
    let found = text.to_socket_addrs().map_err(|e| reasons::no_host(text, &e))?;
    Ok(found
        .map(|socket| Multiaddr::from(socket.ip()).with(multiaddr::Protocol::Tcp(socket.port())))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::parse_join;

    #[test]
    fn join_addresses_are_read() {
        let table = [
            ("/ip4/10.0.0.1/tcp/4001", Some("/ip4/10.0.0.1/tcp/4001")),
            ("10.0.0.1:4001", Some("/ip4/10.0.0.1/tcp/4001")),
            ("[::1]:4001", Some("/ip6/::1/tcp/4001")),
            ("10.0.0.1", None),
            ("/ip4/10.0.0.1/tcp/x", None),
            ("", None),
        ];
        for (text, want) in table {
            let got = parse_join(text).ok().map(|all| all[0].to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }
}
