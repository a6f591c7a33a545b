//! Chat round trips on loopback, against bare `request_response::cbor` with the same payload and
//! transport. Caller and server have a runtime each.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream::FuturesUnordered};
use libp2p::{
    Multiaddr, StreamProtocol, Swarm, identity::Keypair, noise, request_response,
    swarm::SwarmEvent, tcp, yamux,
};
use potluck::{
    Client,
    client::Call,
    config::Config,
    protocol,
    services::{self, chat},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{Measured, Target, rounded};
use crate::mesh::Setup;

/// What is said, and echoed.
const TEXT: &str = "xyzzy plugh 42: nothing that a rule knows, about as long as a line of chat";
/// Calls at once, where it is not one.
pub(super) const IN_FLIGHT: usize = 32;
/// One turn of one side; they take turns, so that both see the same machine.
const TURN: Duration = Duration::from_secs(2);

/// The payload, as the bare side sends it both ways.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Message {
    text: String,
}

type Bare = request_response::cbor::Behaviour<Message, Message>;

/// Measures both sides in turns.
pub fn run(turns: usize) -> anyhow::Result<Vec<Measured>> {
    let ours = Ours::start()?;
    let Ours { servers, callers, .. } = &ours;
    let mut bare = bare(servers, callers)?;
    // Both sides call from a task of the callers' runtime, as programs do.
    let mut numbers = Vec::new();
    for (name, width) in [("serial", 1), ("32 in flight", IN_FLIGHT)] {
        let (mut our_rates, mut bare_rates) = (vec![], vec![]);
        // The first turns warm up and do not count.
        for turn in 0..=turns {
            let our = ours.rate(width)?;
            let turn_of_bare = callers.spawn(async move {
                let rate = bare_rate(&mut bare, width).await;
                (bare, rate)
            });
            let other;
            (bare, other) = callers.block_on(turn_of_bare)?;
            if turn > 0 {
                our_rates.push(our);
                bare_rates.push(other);
            }
        }
        let ratio = our_rates.iter().sum::<f64>() / bare_rates.iter().sum::<f64>();
        let round = |rates: &[f64]| rates.iter().map(|r| rounded(*r)).collect::<Vec<_>>();
        let detail = json!({
            "our_calls_per_s": round(&our_rates),
            "bare_requests_per_s": round(&bare_rates),
        });
        let what = format!("chat round trips against bare request_response, {name}");
        numbers.push(Measured::new(&what, ratio, "ratio", Target::AtLeast(0.9), detail));
    }
    Ok(numbers)
}

/// A client whose calls another node answers, each on a runtime of its own.
pub(super) struct Ours {
    servers: Runtime,
    callers: Runtime,
    client: Client,
}

impl Ours {
    pub(super) fn start() -> anyhow::Result<Self> {
        let (servers, callers) = (runtime()?, runtime()?);
        let client = ours(&servers, &callers)?;
        Ok(Self { servers, callers, client })
    }

    /// Calls a second in one turn.
    pub(super) fn rate(&self, width: usize) -> anyhow::Result<f64> {
        let client = self.client.clone();
        let calling = self.callers.spawn(async move { our_rate(&client, width).await });
        Ok(self.callers.block_on(calling)?)
    }
}

/// A runtime of two threads.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// A client whose calls another node on another runtime answers.
fn ours(servers: &Runtime, callers: &Runtime) -> anyhow::Result<Client> {
    let mut config = Config::default();
    config.services.offer = Some(vec!["chat/1".to_owned()]);
    let registry = services::all(&config, None)?;
    let server = Setup { registry, ..Setup::new("server").tcp() };
    let server = servers.block_on(server.start());
    let caller = Setup::new("caller").tcp().joining(&server);
    let caller = callers.block_on(async {
        let caller = caller.start().await;
        crate::mesh::all_see_all(&[&caller, &server]).await;
        caller
    });
    let client = caller.client();
    // They live as long as the process.
    std::mem::forget((server, caller));
    Ok(client)
}

/// Calls a second of one client, with so many at once, over a turn.
pub(super) async fn our_rate(client: &Client, width: usize) -> f64 {
    let args = protocol::encode(&chat::Request { text: TEXT.to_owned() }).unwrap_or_default();
    let one = || async {
        let call = Call {
            capability: "chat/1".to_owned(),
            variant: None,
            args: args.clone(),
            input: None,
            timeout: Duration::from_secs(10),
            only: None,
            progress: None,
        };
        let reply = client.call(call).await.expect("answered");
        let response: chat::Response = protocol::decode(&reply.body).expect("a response");
        assert_eq!(response.text, TEXT);
    };
    let started = Instant::now();
    let mut running: FuturesUnordered<_> = (0..width).map(|_| one()).collect();
    let mut done = 0u32;
    while let Some(()) = running.next().await {
        done += 1;
        if started.elapsed() >= TURN {
            break;
        }
        running.push(one());
    }
    let rate = f64::from(done) / started.elapsed().as_secs_f64();
    while running.next().await.is_some() {}
    rate
}

struct BarePair {
    swarm: Swarm<Bare>,
    server: libp2p::PeerId,
}

/// A swarm that is connected to one on another runtime, which echoes.
fn bare(servers: &Runtime, callers: &Runtime) -> anyhow::Result<BarePair> {
    let (send, receive) = std::sync::mpsc::sync_channel(8);
    servers.spawn(async move {
        let mut swarm = swarm();
        let listen: Multiaddr = "/ip4/127.0.0.1/tcp/0".parse().expect("an address");
        swarm.listen_on(listen).expect("loopback");
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => {
                    let _ = send.send((*swarm.local_peer_id(), address));
                }
                SwarmEvent::Behaviour(request_response::Event::Message {
                    message: request_response::Message::Request { request, channel, .. },
                    ..
                }) => {
                    let _ = swarm.behaviour_mut().send_response(channel, request);
                }
                _ => {}
            }
        }
    });
    let (server, address) = receive.recv()?;
    let swarm = callers.block_on(async {
        let mut swarm = swarm();
        swarm.dial(address)?;
        while !swarm.is_connected(&server) {
            swarm.select_next_some().await;
        }
        anyhow::Ok(swarm)
    })?;
    Ok(BarePair { swarm, server })
}

async fn bare_rate(pair: &mut BarePair, width: usize) -> f64 {
    let BarePair { swarm, server } = pair;
    let message = Message { text: TEXT.to_owned() };
    let started = Instant::now();
    for _ in 0..width {
        swarm.behaviour_mut().send_request(server, message.clone());
    }
    let (mut done, mut running, mut rate) = (0u32, width, None);
    while running > 0 {
        let SwarmEvent::Behaviour(event) = swarm.select_next_some().await else { continue };
        match event {
            request_response::Event::Message {
                message: request_response::Message::Response { response, .. },
                ..
            } => assert_eq!(response.text, TEXT),
            request_response::Event::OutboundFailure { error, .. } => panic!("{error}"),
            _ => continue,
        }
        done += 1;
        if started.elapsed() < TURN {
            swarm.behaviour_mut().send_request(server, message.clone());
        } else {
            rate.get_or_insert_with(|| f64::from(done) / started.elapsed().as_secs_f64());
            running -= 1;
        }
    }
    rate.unwrap_or_default()
}

fn swarm() -> Swarm<Bare> {
    libp2p::SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("the transport is built")
        .with_behaviour(|_| {
            Bare::new(
                [(StreamProtocol::new("/bench/1"), request_response::ProtocolSupport::Full)],
                request_response::Config::default(),
            )
        })
        .expect("the behaviour is built")
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::from_secs(3600)))
        .build()
}
