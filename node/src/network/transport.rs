//! Building the Swarm: TCP with Noise or TLS and yamux, QUIC, or memory for tests, all of them
//! behind admission.

use std::{io, net::ToSocketAddrs as _, time::Duration};

use futures::{FutureExt as _, TryFutureExt as _, future, future::BoxFuture};
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport as _,
    core::{
        UpgradeInfo,
        muxing::StreamMuxerBox,
        transport::{Boxed, MemoryTransport},
        upgrade::{self, InboundConnectionUpgrade, OutboundConnectionUpgrade},
    },
    identity::Keypair,
    multiaddr, noise, quic, swarm, tcp, tls, yamux,
};
use tokio::sync::mpsc;

use super::{
    NetworkError, NetworkSettings,
    admission::{self, Desk, Knock},
    behaviour::Behaviour,
};

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransportKind {
    /// TCP and QUIC.
    #[default]
    Real,
    /// Channels inside this process, for tests; addresses are `/memory/N`.
    Memory,
}

/// The Swarm, and the peers that knock at its door.
pub(super) fn swarm(
    settings: &NetworkSettings,
) -> Result<(Swarm<Behaviour>, mpsc::Receiver<Knock>), NetworkError> {
    let behaviour = Behaviour::new(settings)?;
    let keypair = &settings.keypair;
    let (desk, knocks) = Desk::new(&settings.mesh);
    let transport = match settings.transport {
        TransportKind::Real => real(keypair)?,
        TransportKind::Memory => memory(keypair)?,
    };
    // The actor closes what it does not need; nothing else may.
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(Duration::from_secs(86_400));
    let me = keypair.public().to_peer_id();
    Ok((Swarm::new(admission::guarded(transport, desk), behaviour, me, config), knocks))
}

/// TCP with Noise or TLS and yamux, and QUIC, without admission.
pub fn real(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(Secure::new(keypair)?)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let mut config = quic::Config::new(keypair);
    // The kernel does not tell QUIC that a process died, so silence must.
    config.max_idle_timeout = 4_000;
    config.keep_alive_interval = Duration::from_millis(1_500);
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    Ok(tcp.or_transport(quic).map(|either, _| either.into_inner()).boxed())
}

fn memory(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    Ok(MemoryTransport::new()
        .upgrade(upgrade::Version::V1Lazy)
        .authenticate(noise::Config::new(keypair).map_err(broken)?)
        .multiplex(yamux::Config::default())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)))
        .boxed())
}

/// Noise or TLS 1.3, whichever the other side speaks.
#[derive(Clone)]
struct Secure {
    noise: noise::Config,
    tls: tls::Config,
}

const NOISE: &str = "/noise";
const TLS: &str = "/tls/1.0.0";

type Secured<C> = (PeerId, future::Either<noise::Output<C>, tls::TlsStream<C>>);

impl Secure {
    fn new(keypair: &Keypair) -> Result<Self, NetworkError> {
        let noise = noise::Config::new(keypair).map_err(broken)?;
        let tls = tls::Config::new(keypair).map_err(broken)?;
        Ok(Self { noise, tls })
    }
}

impl UpgradeInfo for Secure {
    type Info = &'static str;
    type InfoIter = [&'static str; 2];

    fn protocol_info(&self) -> Self::InfoIter {
        [NOISE, TLS]
    }
}

impl<C> InboundConnectionUpgrade<C> for Secure
where
    C: futures::AsyncRead + futures::AsyncWrite + Unpin + Send + 'static,
{
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Secured<C>, io::Error>>;

    fn upgrade_inbound(self, socket: C, info: Self::Info) -> Self::Future {
        if info == NOISE {
            let secured = self.noise.upgrade_inbound(socket, info).map_err(io::Error::other);
            return secured.map_ok(|(peer, io)| (peer, future::Either::Left(io))).boxed();
        }
        let secured = self.tls.upgrade_inbound(socket, info).map_err(io::Error::other);
        secured.map_ok(|(peer, io)| (peer, future::Either::Right(io))).boxed()
    }
}

impl<C> OutboundConnectionUpgrade<C> for Secure
where
    C: futures::AsyncRead + futures::AsyncWrite + Unpin + Send + 'static,
{
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, Result<Secured<C>, io::Error>>;

    fn upgrade_outbound(self, socket: C, info: Self::Info) -> Self::Future {
        if info == NOISE {
            let secured = self.noise.upgrade_outbound(socket, info).map_err(io::Error::other);
            return secured.map_ok(|(peer, io)| (peer, future::Either::Left(io))).boxed();
        }
        let secured = self.tls.upgrade_outbound(socket, info).map_err(io::Error::other);
        secured.map_ok(|(peer, io)| (peer, future::Either::Right(io))).boxed()
    }
}

fn broken(error: impl std::fmt::Display) -> NetworkError {
    NetworkError::Transport(error.to_string())
}

/// Reads what people type after `--join`: a multiaddr, `host:port`, or `[v6]:port` (TCP). Host
/// names are looked up. A link-local IPv6 address cannot be dialled without its interface.
pub fn parse_join(text: &str) -> Result<Vec<Multiaddr>, String> {
    if text.starts_with('/') {
        return text
            .parse()
            .map(|address| vec![address])
            .map_err(|e| format!("{text} is not an address: {e}"));
    }
    let found = text.to_socket_addrs().map_err(|e| {
        format!("{text} is not an address: {e}. Write it as 192.168.1.20:4001 or as a multiaddr")
    })?;
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
