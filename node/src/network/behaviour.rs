//! The libp2p behaviours of a node and their settings.

use std::{sync::Arc, time::Duration};

use libp2p::{
    StreamProtocol, autonat, connection_limits, dcutr, gossipsub, identify, identity::Keypair,
    mdns, ping, relay, request_response, swarm::NetworkBehaviour, swarm::behaviour::toggle::Toggle,
};

use super::{NetworkError, NetworkSettings, relay::Meter, told::Told};
use crate::{
    neighbourhood::gossip,
    protocol::{self, Codec},
};

/// How often the LAN is asked by mDNS once the first answers came. A new node is found at once
/// because it asks when it starts; this interval only repairs lost packets. Everyone answers
/// every question, so the interval is most of the idle traffic of a large mesh.
const MDNS_INTERVAL: Duration = Duration::from_secs(600);
/// Longer than two intervals, so that one lost answer does not expire a record. A node that
/// vanishes is noticed by its neighbours' pulse, not by this.
const MDNS_TTL: Duration = Duration::from_secs(1320);
/// How long an exchange of adverts may take.
const EXCHANGE_TIME: Duration = Duration::from_secs(30);
/// A hostile peer can hold this many exchanges of one connection open.
const STREAMS_PER_CONNECTION: usize = 32;

/// Connections that may wait to be let in.
const MAX_KNOCKING: u32 = 256;
/// Connections beyond the bound: admission keeps the bound, and who makes room for another takes a
/// moment to go.
const CHANGING: u32 = 16;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(super) gossip: gossipsub::Behaviour,
    pub(super) mesh: request_response::Behaviour<Codec>,
    pub(super) streams: super::streams::Behaviour,
    /// Reaches others through entry nodes, and is reached.
    pub(super) circuits: relay::client::Behaviour,
    /// Turns a connection through an entry node into a direct one, where the NATs allow it.
    pub(super) punch: Told<dcutr::Behaviour>,
    /// Has entry nodes test where this node can be reached; only where it was told of any.
    pub(super) reach: Toggle<Told<autonat::v2::client::Behaviour>>,
    /// Tests that for others; entry nodes only.
    pub(super) probe: Toggle<autonat::v2::server::Behaviour>,
    /// Lends places and circuits; entry nodes only.
    pub(super) relay: Toggle<relay::Behaviour>,
}

impl Behaviour {
    pub(super) fn new(
        settings: &NetworkSettings,
        circuits: relay::client::Behaviour,
        meter: &Arc<Meter>,
    ) -> Result<Self, NetworkError> {
        let keypair = &settings.keypair;
        let me = keypair.public().to_peer_id();
        let entry = settings.entry.as_ref();
        let asks = entry.is_none() && !settings.hidden && !settings.join.is_empty();
        let mdns = if settings.mdns { Some(mdns_behaviour(keypair)?) } else { None };
        Ok(Self {
            limits: connection_limits::Behaviour::new(
                connection_limits::ConnectionLimits::default()
                    .with_max_pending_incoming(Some(knocking(settings)))
                    .with_max_pending_outgoing(Some(64))
                    .with_max_established(Some(settings.max_connections.saturating_add(CHANGING)))
                    .with_max_established_per_peer(Some(4)),
            ),
            identify: identify::Behaviour::new(
                identify::Config::new(identify_version(&settings.mesh), keypair.public())
                    .with_agent_version(format!("potluck/{}", env!("CARGO_PKG_VERSION")))
                    // Adverts say who is where, and to whom.
                    .with_hide_listen_addrs(true),
            ),
            // Answers other implementations; our own liveness is the pulse.
            ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(60))),
            mdns: mdns.into(),
            gossip: gossip_behaviour()?,
            mesh: request_response::Behaviour::with_codec(
                Codec,
                [(
                    StreamProtocol::new(protocol::EXCHANGE_PROTOCOL),
                    request_response::ProtocolSupport::Full,
                )],
                request_response::Config::default()
                    .with_request_timeout(EXCHANGE_TIME)
                    .with_max_concurrent_streams(STREAMS_PER_CONNECTION),
            ),
            streams: super::streams::Behaviour::new(),
            circuits,
            punch: Told::new(dcutr::Behaviour::new(me)),
            reach: asks.then(|| Told::new(autonat::v2::client::Behaviour::default())).into(),
            probe: entry.map(|_| autonat::v2::server::Behaviour::default()).into(),
            relay: entry.map(|lent| super::relay::behaviour(me, lent, meter.clone())).into(),
        })
    }
}

/// How many may wait to be let in. To an entry node anybody comes who can: many that say nothing must
/// not keep others out.
fn knocking(settings: &NetworkSettings) -> u32 {
    match settings.entry {
        Some(_) => settings.max_connections.max(MAX_KNOCKING),
        None => MAX_KNOCKING,
    }
}

/// What identify says of a node of that mesh.
pub(super) fn identify_version(mesh: &str) -> String {
    format!("{}{mesh}", protocol::IDENTIFY_PREFIX)
}

/// The topic that adverts of that mesh are gossiped on.
pub(super) fn topic(mesh: &str) -> gossipsub::IdentTopic {
    gossipsub::IdentTopic::new(format!("potluck/2/{mesh}"))
}

/// mDNS runs over IPv4, and over IPv6 only where the machine has no IPv4 address: libp2p's IPv6
/// multicast joins the default interface alone, so IPv4 is the more reliable one.
fn mdns_behaviour(keypair: &Keypair) -> Result<mdns::tokio::Behaviour, NetworkError> {
    let has_ipv4 = if_addrs::get_if_addrs()
        .map(|all| all.iter().any(|i| !i.is_loopback() && i.ip().is_ipv4()))
        .unwrap_or(true);
    let config =
        mdns::Config { ttl: MDNS_TTL, query_interval: MDNS_INTERVAL, enable_ipv6: !has_ipv4 };
    mdns::tokio::Behaviour::new(config, keypair.public().to_peer_id()).map_err(NetworkError::Mdns)
}

fn gossip_behaviour() -> Result<gossipsub::Behaviour, NetworkError> {
    // Messages are adverts that carry their own signature, so gossipsub adds none.
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message| {
            gossipsub::MessageId::new(&blake3::hash(&message.data).as_bytes()[..16])
        })
        .max_transmit_size(protocol::advert::MAX_SIGNED + 1024)
        // Whoever misses a message gets it by the exchange, so nobody is told who has which.
        .flood_publish(false)
        .gossip_lazy(0)
        .gossip_factor(0.0)
        .heartbeat_interval(Duration::from_millis(gossip::HEARTBEAT_MS))
        .history_length(gossip::HISTORY)
        .duplicate_cache_time(Duration::from_millis(gossip::SEEN_MS))
        .mesh_n_low(gossip::DEGREE.0)
        .mesh_n(gossip::DEGREE.1)
        .mesh_n_high(gossip::DEGREE.2)
        .mesh_outbound_min(1)
        .build()
        .map_err(|e| NetworkError::Transport(e.to_string()))?;
    gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, config)
        .map_err(|e| NetworkError::Transport(e.to_owned()))
}
