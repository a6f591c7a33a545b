//! Building the Swarm: TCP with Noise or TLS and yamux, QUIC, or memory for tests.

use std::{net::ToSocketAddrs as _, time::Duration};

use libp2p::{
    Multiaddr, Swarm, Transport as _, core::transport::MemoryTransport, core::upgrade, multiaddr,
    noise, swarm, tcp, tls, yamux,
};

use super::{NetworkError, NetworkSettings, behaviour::Behaviour};

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
const CONNECT_TIME: Duration = Duration::from_secs(4);

pub(super) fn swarm(settings: &NetworkSettings) -> Result<Swarm<Behaviour>, NetworkError> {
    let behaviour = Behaviour::new(settings)?;
    let keypair = settings.keypair.clone();
    let broken = |e: &dyn std::fmt::Display| NetworkError::Transport(e.to_string());
    // The actor closes what it does not need; nothing else may.
    let config = |c: swarm::Config| c.with_idle_connection_timeout(Duration::from_secs(86_400));
    let builder = libp2p::SwarmBuilder::with_existing_identity(keypair).with_tokio();
    match settings.transport {
        TransportKind::Real => Ok(builder
            .with_tcp(
                tcp::Config::default().nodelay(true),
                (noise::Config::new, tls::Config::new),
                yamux::Config::default,
            )
            .map_err(|e| broken(&e))?
            .with_quic_config(|mut quic| {
                // The kernel does not tell QUIC that a process died, so silence must.
                quic.max_idle_timeout = 4_000;
                quic.keep_alive_interval = Duration::from_millis(1_500);
                quic
            })
            .with_behaviour(|_| behaviour)
            .map_err(|e| broken(&e))?
            .with_swarm_config(config)
            .with_connection_timeout(CONNECT_TIME)
            .build()),
        TransportKind::Memory => Ok(builder
            .with_other_transport(|key| {
                let noise = noise::Config::new(key)?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                    MemoryTransport::new()
                        .upgrade(upgrade::Version::V1Lazy)
                        .authenticate(noise)
                        .multiplex(yamux::Config::default()),
                )
            })
            .map_err(|e| broken(&e))?
            .with_behaviour(|_| behaviour)
            .map_err(|e| broken(&e))?
            .with_swarm_config(config)
            .with_connection_timeout(CONNECT_TIME)
            .build()),
    }
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
