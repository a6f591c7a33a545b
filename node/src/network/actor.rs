//! The only owner of the Swarm. Its arms are one call each and never wait for a consumer.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use libp2p::{
    PeerId, StreamProtocol, Swarm, gossipsub,
    request_response::{self, OutboundRequestId},
    swarm::SwarmEvent,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use super::{
    CloneReport, Command, MeshEvent, Network, NetworkError, NetworkFacts, NetworkSettings,
    PeerView, Snapshot,
    behaviour::{self, Behaviour, BehaviourEvent},
    budget::Budget,
    dialing::Dialing,
    listening, now_ms,
    pulse::{self, Beat},
    transport,
};
use crate::{
    calls::Activity,
    directory::{self, Directory, Effect, GoneReason},
    doctor::{DialFailure, Stranger},
    protocol::{Advert, AdvertError, Offer, PULSE_PROTOCOL, Request, Rumour, encode},
};

/// Commands that may wait; beyond that whoever asks waits.
const CHANNEL: usize = 1024;
/// How often the neighbours are looked over.
const TICK: Duration = Duration::from_millis(200);
/// Changes of load within this time travel in one advert.
const ADVERT_GAP: Duration = Duration::from_millis(500);
/// How long a broken pulse is left alone.
const PULSE_PAUSE_MS: u64 = 10_000;
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(400);

pub(super) struct Actor {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) settings: NetworkSettings,
    pub(super) topic: gossipsub::IdentTopic,
    pub(super) directory: Directory,
    pub(super) beats: mpsc::Sender<Beat>,
    pub(super) pulses: HashMap<PeerId, AbortOnDropHandle<()>>,
    pub(super) outbound: HashMap<OutboundRequestId, Outbound>,
    pub(super) dialing: Dialing,
    /// Peers that said that they close a connection only to save resources, and those that we
    /// told so; until when that is believed.
    pub(super) parting: HashMap<PeerId, u64>,
    /// Peers whose pulse stream broke, and when it is tried again.
    pub(super) pulse_pause: HashMap<PeerId, u64>,
    pub(super) budget: Budget,
    /// Calls that run, by peer.
    pub(super) activity: Activity,
    /// Libp2p nodes that are not of this mesh.
    pub(super) foreign: HashMap<PeerId, Stranger>,
    pub(super) malformed: HashMap<PeerId, u32>,
    /// Connections that are closed at that time, after our word of parting went out.
    pub(super) closing: HashMap<PeerId, u64>,
    pub(super) failures: VecDeque<DialFailure>,
    pub(super) announced: HashSet<PeerId>,
    pub(super) clone: Option<CloneReport>,
    pub(super) streams: libp2p_stream::Control,
    pub(super) advert: AdvertState,
    snapshot: watch::Sender<Arc<Snapshot>>,
    pub(super) events: broadcast::Sender<MeshEvent>,
    pub(super) snapshot_stale: bool,
    pub(super) upkeep: super::upkeep::Upkeep,
}

/// What one of our requests is for.
pub(super) enum Outbound {
    Exchange { peer: PeerId },
    Told,
}

/// Our own advert.
pub(super) struct AdvertState {
    seq: u64,
    incarnation: u64,
    offers: Vec<Offer>,
    changed: bool,
    sent_at: Option<Instant>,
}

/// Binds, spawns, and gives the handle.
pub(super) async fn start(
    settings: NetworkSettings,
) -> Result<(Network, AbortOnDropHandle<()>), NetworkError> {
    let mut swarm = transport::swarm(&settings)?;
    let topic = behaviour::topic(&settings.mesh);
    swarm
        .behaviour_mut()
        .gossip
        .subscribe(&topic)
        .map_err(|e| NetworkError::Transport(e.to_string()))?;

    let me = *swarm.local_peer_id();
    let mut streams = swarm.behaviour().streams.new_control();
    let incoming = streams
        .accept(StreamProtocol::new(PULSE_PROTOCOL))
        .map_err(|e| NetworkError::Transport(e.to_string()))?;
    tokio::spawn(pulse::serve(incoming));

    let (commands, command_rx) = mpsc::channel(CHANNEL);
    let (beats, beat_rx) = mpsc::channel(256);
    let (snapshot, snapshot_rx) = watch::channel(Arc::default());
    let activity = Activity::default();
    let (events, _) = broadcast::channel(256);
    let incarnation = rand::random();
    let directory_settings = directory::Settings {
        neighbours: settings.neighbours,
        ..directory::Settings::new(&settings.mesh)
    };
    let network = Network {
        commands,
        snapshot: snapshot_rx,
        events: events.clone(),
        streams: streams.clone(),
        activity: activity.clone(),
        me,
    };
    let mut actor = Actor {
        directory: Directory::new(me, incarnation, directory_settings),
        dialing: Dialing::new(settings.join.clone()),
        swarm,
        settings,
        topic,
        beats,
        pulses: HashMap::new(),
        outbound: HashMap::new(),
        parting: HashMap::new(),
        pulse_pause: HashMap::new(),
        budget: Budget::default(),
        activity,
        foreign: HashMap::new(),
        malformed: HashMap::new(),
        closing: HashMap::new(),
        failures: VecDeque::new(),
        announced: HashSet::new(),
        clone: None,
        streams,
        advert: AdvertState {
            seq: now_ms(),
            incarnation,
            offers: Vec::new(),
            changed: false,
            sent_at: None,
        },
        snapshot,
        events,
        snapshot_stale: true,
        upkeep: super::upkeep::Upkeep::default(),
    };
    actor.listen().await?;
    actor.renew_advert()?;
    // Whoever came while the addresses were bound has not heard the advert.
    let early: Vec<_> = actor.swarm.connected_peers().copied().collect();
    for peer in early {
        actor.send_exchange(peer, true, true);
    }
    actor.publish_snapshot();
    let running = AbortOnDropHandle::new(tokio::spawn(actor.run(command_rx, beat_rx)));
    Ok((network, running))
}

impl Actor {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>, mut beats: mpsc::Receiver<Beat>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                command = commands.recv() => match command {
                    Some(Command::Stop(done)) => return self.goodbye(Some(done)).await,
                    Some(command) => self.on_command(command),
                    None => return self.goodbye(None).await,
                },
                Some(beat) = beats.recv() => self.on_beat(beat),
                _ = tick.tick() => self.on_tick(),
            }
            if self.snapshot_stale {
                self.publish_snapshot();
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connect { peer, reply } => self.connect(peer, reply),
            Command::Offers(offers) => {
                if self.advert.offers != offers {
                    // What is offered is told at once; how busy it is may wait.
                    let names = |all: &[Offer]| -> Vec<String> {
                        all.iter().map(|offer| offer.capability.clone()).collect()
                    };
                    if names(&self.advert.offers) != names(&offers) {
                        self.advert.sent_at = None;
                    }
                    self.advert.offers = offers;
                    self.advert.changed = true;
                    self.advertise_when_due();
                }
            }
            Command::Join(addresses) => {
                self.dialing.join(addresses);
                self.redial(now_ms());
            }
            Command::Facts(reply) => {
                let _ = reply.send(self.facts());
            }
            Command::Stop(_) => {}
        }
    }

    pub(super) fn send(&mut self, peer: PeerId, request: Request, outbound: Outbound) {
        let id = self.swarm.behaviour_mut().mesh.send_request(&peer, Ok(request));
        self.outbound.insert(id, outbound);
    }

    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.on_disconnected(peer_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.on_dial_failed(connection_id, peer_id, &error);
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.advert.changed = true;
                self.snapshot_stale = true;
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Mesh(event) => self.on_mesh(event),
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
            BehaviourEvent::Identify(event) => self.on_identify(event),
            BehaviourEvent::Ping(_) | BehaviourEvent::Streams(()) => {}
            #[allow(unreachable_patterns)] // `Infallible` events of the limits.
            _ => {}
        }
    }

    fn on_mesh(&mut self, event: super::inbound::ExchangeEvent) {
        use request_response::{Event, Message};
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.on_request(peer, request, channel);
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                self.on_response(request_id, response)
            }
            Event::OutboundFailure { request_id, error, .. } => {
                self.on_send_failed(request_id, &error);
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    fn on_beat(&mut self, beat: Beat) {
        match beat {
            Beat::Alive { peer, rtt_ms } => {
                self.tell_directory(directory::Event::Rtt { peer, ms: rtt_ms });
            }
            Beat::Silent { peer } => {
                tracing::debug!(%peer, "silent");
                self.pulses.remove(&peer);
                self.tell_directory(directory::Event::Silent { peer });
                self.close(peer);
            }
            Beat::Ended { peer } => {
                self.pulses.remove(&peer);
                if self.swarm.is_connected(&peer) {
                    // A client without a pulse, perhaps: its connection must do.
                    self.pulse_pause.insert(peer, now_ms() + PULSE_PAUSE_MS);
                }
            }
        }
    }

    /// Hands an event to the directory and does what it says.
    pub(super) fn tell_directory(&mut self, event: directory::Event) {
        let effects = self.directory.handle(event, now_ms());
        self.apply_all(effects);
    }

    pub(super) fn apply_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        self.snapshot_stale = true;
        match effect {
            Effect::Gossip(rumour) => self.gossip(&rumour),
            Effect::Appeared(peer) => {
                let name = self.name_of(&peer);
                let _ = self.events.send(MeshEvent::Appeared { peer, name });
            }
            Effect::Changed(_) => {}
            Effect::Gone { peer, reason } => self.on_gone(peer, reason),
            Effect::Verify(peer) => self.verify(peer),
            Effect::Close(peer) => self.close(peer),
            Effect::Readvertise { above } => {
                self.advert.seq = self.advert.seq.max(above);
                if let Err(e) = self.renew_advert() {
                    tracing::error!("{e}");
                }
            }
            Effect::Clone { addresses, name } => {
                let report = CloneReport { name, addresses };
                self.clone = Some(report.clone());
                let _ = self.events.send(MeshEvent::Clone(report));
            }
        }
    }

    fn on_gone(&mut self, peer: PeerId, reason: GoneReason) {
        self.pulses.remove(&peer);
        // The directory has forgotten it; the last snapshot has not.
        let last = self.snapshot.borrow().peers.get(&peer).map(|view| view.advert.clone());
        if reason == GoneReason::Lost
            && let Some(advert) = &last
        {
            self.dialing.remember(peer, advert.multiaddrs(), now_ms());
        }
        let name = last.map_or_else(|| peer.to_string(), |advert| advert.name.clone());
        let reason = match reason {
            GoneReason::Goodbye => "said goodbye",
            GoneReason::Lost => "stopped answering",
            GoneReason::Expired => "was not heard of for a long time",
            GoneReason::Evicted => "made room for others",
        };
        let _ = self.events.send(MeshEvent::Gone { peer, name, reason: reason.into() });
    }

    fn close(&mut self, peer: PeerId) {
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    fn gossip(&mut self, rumour: &Rumour) {
        let Ok(bytes) = encode(rumour) else { return };
        // Nobody to tell, or said already: the exchange covers both.
        let _ = self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), bytes);
    }

    /// Beats once over an open connection, or dials.
    fn verify(&mut self, peer: PeerId) {
        if self.swarm.is_connected(&peer) {
            tokio::spawn(pulse::check(self.streams.clone(), peer, self.beats.clone()));
        } else {
            self.dial(peer);
        }
    }

    /// Keeps a pulse on a connected peer.
    pub(super) fn watch(&mut self, peer: PeerId) {
        let paused = self.pulse_pause.get(&peer).is_some_and(|until| now_ms() < *until);
        if paused || self.pulses.contains_key(&peer) || self.foreign.contains_key(&peer) {
            return;
        }
        let task = pulse::watch(self.streams.clone(), peer, self.beats.clone());
        self.pulses.insert(peer, AbortOnDropHandle::new(tokio::spawn(task)));
    }

    pub(super) fn name_of(&self, peer: &PeerId) -> String {
        self.directory.get(peer).map_or_else(|| peer.to_string(), |e| e.advert.name.clone())
    }

    /// Sends a changed advert, but not more often than every [`ADVERT_GAP`].
    pub(super) fn advertise_when_due(&mut self) {
        let due = self.advert.sent_at.is_none_or(|at| at.elapsed() >= ADVERT_GAP);
        if self.advert.changed
            && due
            && let Err(e) = self.renew_advert()
        {
            tracing::error!("{e}");
        }
    }

    /// Signs a new advert and tells the mesh.
    pub(super) fn renew_advert(&mut self) -> Result<(), AdvertError> {
        self.sign_advert(false)
    }

    fn sign_advert(&mut self, leaving: bool) -> Result<(), AdvertError> {
        if self.settings.hidden {
            self.advert.changed = false;
            return Ok(());
        }
        self.advert.seq = now_ms().max(self.advert.seq + 1);
        let addresses = listening::advertised(self.swarm.listeners());
        let advert = Advert {
            version: 1,
            id: self.swarm.local_peer_id().to_bytes(),
            seq: self.advert.seq,
            incarnation: self.advert.incarnation,
            name: self.settings.name.clone(),
            mesh: self.settings.mesh.clone(),
            addresses: addresses.iter().map(|a| serde_bytes::ByteBuf::from(a.to_vec())).collect(),
            offers: self.advert.offers.clone(),
            leaving,
        };
        let signed = advert.sign(&self.settings.keypair)?;
        self.advert.changed = false;
        self.advert.sent_at = Some(Instant::now());
        self.tell_directory(directory::Event::Own { advert, signed });
        Ok(())
    }

    fn publish_snapshot(&mut self) {
        self.snapshot_stale = false;
        let last = self.snapshot.borrow().clone();
        let peers = self
            .directory
            .entries()
            .map(|(peer, entry)| {
                let before = last.peers.get(peer);
                let known = before.filter(|view| view.advert.seq == entry.advert.seq);
                let view = PeerView {
                    id: before.map_or_else(|| peer.to_string().into(), |view| view.id.clone()),
                    advert: known
                        .map_or_else(|| Arc::new(entry.advert.clone()), |view| view.advert.clone()),
                    connected: entry.connected,
                    suspect: entry.suspect_since.is_some(),
                    rtt_ms: entry.rtt_ms,
                    heard_at: entry.heard_at,
                };
                (*peer, view)
            })
            .collect();
        let snapshot = Snapshot {
            peers,
            listen: self.swarm.listeners().cloned().collect(),
            offers: self.advert.offers.clone(),
        };
        self.snapshot.send_replace(Arc::new(snapshot));
    }

    fn facts(&self) -> NetworkFacts {
        NetworkFacts {
            announced: self.announced.len(),
            connected: self.swarm.connected_peers().count(),
            strangers: self.foreign.values().cloned().collect(),
            dial_failures: self.failures.iter().cloned().collect(),
            clone: self.clone.clone(),
        }
    }

    /// Tells everyone that this node leaves, and gives the words time to go out.
    async fn goodbye(mut self, done: Option<oneshot::Sender<()>>) {
        if let Err(e) = self.sign_advert(true) {
            tracing::debug!("{e}");
        }
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            self.send_exchange(peer, false, true);
        }
        if self.settings.hidden {
            self.outbound.clear();
        }
        let until = Instant::now() + GOODBYE;
        while !self.outbound.is_empty() {
            match tokio::time::timeout_at(until.into(), self.swarm.select_next_some()).await {
                Ok(SwarmEvent::Behaviour(BehaviourEvent::Mesh(event))) => {
                    match event {
                        request_response::Event::Message {
                            message: request_response::Message::Response { request_id, .. },
                            ..
                        }
                        | request_response::Event::OutboundFailure { request_id, .. } => {
                            self.outbound.remove(&request_id);
                        }
                        _ => {}
                    }
                    self.outbound.retain(|_, o| matches!(o, Outbound::Exchange { .. }));
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}
