//! The only owner of the Swarm. Its arms are one call each and never wait for a consumer.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use libp2p::{
    PeerId, StreamProtocol, Swarm, gossipsub,
    request_response::{self, OutboundRequestId},
    swarm::{ConnectionId, SwarmEvent},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use super::{
    CloneReport, Command, Departure, Departures, EntryFacts, Network, NetworkError, NetworkFacts,
    NetworkSettings, PeerView, Snapshot,
    admission::Knock,
    behaviour::{self, Behaviour, BehaviourEvent},
    dialing::Waiting,
    entering::Entering,
    listening, now_ms,
    pulse::{self, Beat},
    relay::Meter,
    transport,
    ways::Ways,
};
use crate::{
    calls::Activity,
    directory::GoneReason,
    doctor::DialFailure,
    neighbourhood::{self, Effect, Event, Neighbourhood, TICK_MS},
    protocol::{
        Advert, AdvertError, Loss, Offer, PULSE_PROTOCOL, Request, Rumour, SignedAdvert, decode,
        encode,
    },
    say::reasons,
};

/// Commands that may wait; beyond that whoever asks waits.
const CHANNEL: usize = 1024;
/// Changes of load within this time travel in one advert.
const ADVERT_GAP: Duration = Duration::from_millis(500);
/// Pause between two snapshots for each entry of the directory, and the longest: writing one costs
/// with their number, and a small mesh need not wait for what it hears.
const SNAPSHOT_GAP: (Duration, Duration) = (Duration::from_micros(20), Duration::from_millis(5));
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(400);
/// Rumours that wait for a check.
const MAX_RUMOURS: usize = 1024;

pub(super) struct Actor {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) settings: NetworkSettings,
    pub(super) topic: gossipsub::IdentTopic,
    /// Decides; all else here carries out.
    pub(super) near: Neighbourhood,
    beats: mpsc::Sender<Beat>,
    pulses: HashMap<PeerId, AbortOnDropHandle<()>>,
    pub(super) outbound: HashMap<OutboundRequestId, Outbound>,
    /// The policy's numbers of the dials under way.
    pub(super) dials: HashMap<ConnectionId, u64>,
    /// Calls that wait for connections.
    pub(super) waiting: Waiting,
    /// Rumours that wait for a check, by the token that the policy knows them by.
    pub(super) rumours: BTreeMap<u64, (gossipsub::MessageId, PeerId)>,
    pub(super) last_token: u64,
    /// Calls that run, by peer.
    pub(super) activity: Activity,
    pub(super) failures: VecDeque<DialFailure>,
    pub(super) clone: Option<CloneReport>,
    pub(super) ways: Ways,
    pub(super) entering: Entering,
    meter: Arc<Meter>,
    streams: super::streams::Control,
    advert: AdvertState,
    shut: Shut,
    snapshot: watch::Sender<Arc<Snapshot>>,
    /// Who left, for the next snapshot.
    left: Arc<Departures>,
    pub(super) snapshot_stale: bool,
    published_at: Instant,
}

/// What one of our requests is for.
pub(super) enum Outbound {
    Asked { peer: PeerId, digest_sent: bool },
    Told,
}

/// Whom this node has nothing to do with.
#[derive(Default)]
struct Shut {
    /// As its owner wishes.
    blocked: BTreeSet<PeerId>,
    /// Who was a member of the private mesh, and is no more.
    outsiders: BTreeSet<PeerId>,
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
    if settings.entry.is_some() && settings.external.is_empty() {
        return Err(NetworkError::NoExternal);
    }
    let (mut swarm, mut knocks, meter) = transport::swarm(&settings)?;
    for address in &settings.external {
        swarm.add_external_address(address.clone());
    }
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
    let incarnation = rand::random();
    let near_settings = neighbourhood::Settings {
        wanted: settings.neighbours,
        most: usize::try_from(settings.max_connections).unwrap_or(usize::MAX),
        entry: settings.entry.is_some(),
        reserves: settings.entry.is_none() && !settings.hidden,
        ..neighbourhood::Settings::new(&settings.mesh)
    };
    let network = Network {
        commands,
        snapshot: snapshot_rx,
        streams: streams.clone(),
        activity: activity.clone(),
        me,
    };
    let mut actor = Actor {
        near: Neighbourhood::new(me, incarnation, near_settings),
        swarm,
        settings,
        topic,
        beats,
        pulses: HashMap::new(),
        outbound: HashMap::new(),
        dials: HashMap::new(),
        waiting: Waiting::default(),
        rumours: BTreeMap::new(),
        last_token: 0,
        activity,
        failures: VecDeque::new(),
        clone: None,
        ways: Ways::default(),
        entering: Entering::default(),
        meter,
        streams,
        advert: AdvertState {
            seq: now_ms(),
            incarnation,
            offers: Vec::new(),
            changed: false,
            sent_at: None,
        },
        shut: Shut::default(),
        snapshot,
        left: Arc::default(),
        snapshot_stale: true,
        published_at: Instant::now(),
    };
    actor.listen(&mut knocks).await?;
    actor.renew_advert()?;
    // Whoever came while the addresses were bound has not heard the advert.
    for (peer, exchange) in actor.near.farewell() {
        actor.ask(peer, exchange);
    }
    for address in actor.settings.join.clone() {
        actor.tell(Event::Join { address });
    }
    actor.publish_snapshot();
    let running = AbortOnDropHandle::new(tokio::spawn(actor.run(command_rx, beat_rx, knocks)));
    Ok((network, running))
}

impl Actor {
    async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut beats: mpsc::Receiver<Beat>,
        mut knocks: mpsc::Receiver<Knock>,
    ) {
        let mut tick = tokio::time::interval(Duration::from_millis(TICK_MS));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let entries = u32::try_from(self.near.directory().len()).unwrap_or(u32::MAX);
            let gap = SNAPSHOT_GAP.0.saturating_mul(entries).min(SNAPSHOT_GAP.1);
            let publish_at = self.published_at + gap;
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                command = commands.recv() => match command {
                    Some(Command::Stop(done)) => return self.goodbye(Some(done)).await,
                    Some(command) => self.on_command(command),
                    None => return self.goodbye(None).await,
                },
                Some(beat) = beats.recv() => self.on_beat(beat),
                Some(knock) = knocks.recv() => self.on_knock(knock),
                _ = tick.tick() => self.on_tick(),
                () = tokio::time::sleep_until(publish_at.into()), if self.snapshot_stale => {}
            }
            if self.snapshot_stale && Instant::now() >= publish_at {
                self.publish_snapshot();
            }
        }
    }

    fn on_tick(&mut self) {
        let used = self.activity.all();
        self.tell(Event::Tick { used });
        self.close_spare();
        self.advertise_when_due();
    }

    fn shut(&mut self) {
        let peers = self.shut.blocked.union(&self.shut.outsiders).copied().collect();
        self.tell(Event::Block { peers });
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
            Command::SealTo(key) => {
                self.settings.sealing = Some(key);
                self.advert.changed = true;
                self.advertise_when_due();
            }
            Command::Block(peers) => {
                self.shut.blocked = peers;
                self.shut();
            }
            Command::ShutOut(peers) => {
                if self.shut.outsiders != peers {
                    self.shut.outsiders = peers;
                    self.shut();
                }
            }
            Command::ShowMembership => {
                self.advert.changed = true;
                self.advertise_when_due();
            }
            Command::Join(addresses) => {
                for address in addresses {
                    self.tell(Event::Join { address });
                }
            }
            Command::Facts(reply) => {
                let _ = reply.send(self.facts());
            }
            Command::Stop(_) => {}
        }
    }

    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                if let Some(way) = self.ways.remove(&peer_id, connection_id) {
                    self.tell(Event::Way { peer: peer_id, way });
                    self.snapshot_stale = true;
                }
                if num_established == 0 {
                    self.on_disconnected(peer_id);
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failed(connection_id, &error);
            }
            SwarmEvent::NewListenAddr { listener_id, .. } => self.on_listening(listener_id),
            SwarmEvent::ListenerClosed { listener_id, .. } => self.on_listener_closed(listener_id),
            SwarmEvent::ExpiredListenAddr { .. } => self.on_address_expired(),
            SwarmEvent::ExternalAddrConfirmed { .. } | SwarmEvent::ExternalAddrExpired { .. } => {
                self.advertise_again();
            }
            _ => {}
        }
    }

    /// A peer knocks, or was found not to be of this mesh.
    pub(super) fn on_knock(&mut self, knock: Knock) {
        match knock {
            Knock::Room { peer, reply } => {
                let (door, effects) = self.near.knock(peer, now_ms(), &mut rand::rng());
                self.apply_all(effects);
                let _ = reply.send(door);
            }
            Knock::Stranger { peer, stranger } => self.tell(Event::Stranger { peer, stranger }),
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Mesh(event) => self.on_mesh(event),
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
            BehaviourEvent::Identify(event) => self.on_identified(event),
            BehaviourEvent::Relay(event) => self.on_relay(event),
            BehaviourEvent::Punch(event) => self.on_punched(&event),
            BehaviourEvent::Reach(event) => self.on_tested(&event),
            BehaviourEvent::Circuits(_) | BehaviourEvent::Probe(_) => {}
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
            Event::OutboundFailure { peer, request_id, error, .. } => {
                // A client that only asks takes no requests; what was lost is said again.
                self.outbound.remove(&request_id);
                if matches!(error, request_response::OutboundFailure::Timeout) {
                    self.tell(neighbourhood::Event::Unanswered { peer });
                }
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    fn on_beat(&mut self, beat: Beat) {
        let event = match beat {
            Beat::Alive { peer, rtt_ms } => Event::Beat { peer, rtt_ms },
            Beat::Silent { peer } => Event::Silent { peer },
            Beat::Ended { peer } => Event::PulseEnded { peer },
        };
        if let Event::Silent { peer } | Event::PulseEnded { peer } = &event {
            tracing::debug!(%peer, "its pulse ended");
            self.pulses.remove(peer);
        }
        self.tell(event);
    }

    /// Tells the policy what happened and does what it says.
    pub(super) fn tell(&mut self, event: Event) {
        let speaks = match &event {
            Event::Heard { from: peer, .. } | Event::Replied { peer, .. } => Some(*peer),
            _ => None,
        };
        let met = |near: &Neighbourhood| speaks.is_some_and(|peer| near.nearness(&peer).met);
        let before = met(&self.near);
        let effects = self.near.handle(event, now_ms(), &mut rand::rng());
        self.snapshot_stale |= met(&self.near) != before;
        self.apply_all(effects);
    }

    pub(super) fn apply_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { dial, peer, addresses } => self.dial(dial, peer, addresses),
            Effect::Reached(peer) => {
                self.snapshot_stale = true;
                self.waiting.end(&peer, &Ok(()));
            }
            Effect::Unreached { peer, why, own } => self.waiting.end(&peer, &Err((why, own))),
            Effect::Reserve { entry, address } => self.reserve(entry, address),
            Effect::Unreserve(entry) => self.unreserve(entry),
            Effect::Close(peer) => drop(self.swarm.disconnect_peer_id(peer)),
            Effect::Ask { peer, exchange } => self.ask(peer, exchange),
            Effect::Tell { peer, request } => self.send(peer, request, Outbound::Told),
            Effect::Watch(peer) => {
                let task = pulse::watch(self.streams.clone(), peer, self.beats.clone());
                self.pulses.insert(peer, AbortOnDropHandle::new(tokio::spawn(task)));
            }
            Effect::Unwatch(peer) => drop(self.pulses.remove(&peer)),
            Effect::Check(peer) => {
                drop(tokio::spawn(pulse::check(self.streams.clone(), peer, self.beats.clone())));
            }
            Effect::Gossip(rumour) => self.gossip(&rumour),
            Effect::Testify { peer, seq } => self.testify(peer, seq),
            Effect::Judge { token, forward } => self.judge(token, forward),
            Effect::Appeared(_) | Effect::Changed(_) => self.snapshot_stale = true,
            Effect::Gone { peer, reason } => self.on_gone(peer, reason),
            Effect::Readvertise { above } => {
                self.advert.seq = self.advert.seq.max(above);
                if let Err(e) = self.renew_advert() {
                    tracing::error!("{e}");
                }
            }
            Effect::Clone { addresses, name } => self.on_clone(CloneReport { name, addresses }),
        }
    }

    pub(super) fn forget_pulse(&mut self, peer: &PeerId) {
        self.pulses.remove(peer);
    }

    /// Another process runs with our identity.
    pub(super) fn on_clone(&mut self, report: CloneReport) {
        self.clone = Some(report);
        self.snapshot_stale = true;
    }

    pub(super) fn send(&mut self, peer: PeerId, request: Request, outbound: Outbound) {
        let id = self.swarm.behaviour_mut().mesh.send_request(&peer, Ok(request));
        self.outbound.insert(id, outbound);
    }

    fn ask(&mut self, peer: PeerId, exchange: crate::protocol::Exchange) {
        let digest_sent = exchange.digest.is_some();
        self.send(peer, Request::Exchange(exchange), Outbound::Asked { peer, digest_sent });
    }

    /// Says that a peer to which we were connected is lost.
    fn testify(&mut self, peer: PeerId, seq: u64) {
        match Loss::sign(&peer, seq, &self.settings.keypair) {
            Ok(signed) => {
                self.gossip(&Rumour::Lost(signed.clone()));
                self.tell(Event::Testified { peer, signed });
            }
            Err(e) => tracing::error!("{e}"),
        }
    }

    fn on_gone(&mut self, peer: PeerId, reason: GoneReason) {
        self.snapshot_stale = true;
        let reason = match reason {
            GoneReason::Goodbye => reasons::goodbye(),
            GoneReason::Lost => reasons::lost(),
            GoneReason::Expired => reasons::expired(),
            GoneReason::Evicted => reasons::evicted(),
        };
        Arc::make_mut(&mut self.left).add(Departure { peer, reason });
    }

    fn gossip(&mut self, rumour: &Rumour) {
        if let Rumour::Advert(signed) = rumour
            && !self.may_spread(signed)
        {
            return;
        }
        let Ok(bytes) = encode(rumour) else { return };
        // Nobody to tell, or said already: the exchange covers both.
        let _ = self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), bytes);
    }

    /// Whether everybody may hear an advert to whom gossip from here gets.
    pub(super) fn may_spread(&self, signed: &SignedAdvert) -> bool {
        !self.near.entry_known()
            || decode::<Advert>(&signed.body).is_ok_and(|advert| self.near.may_spread(&advert))
    }

    /// A rumour that waited for a check is handed on or not.
    fn judge(&mut self, token: u64, forward: bool) {
        let Some((message, from)) = self.rumours.remove(&token) else { return };
        let verdict = match forward {
            true => gossipsub::MessageAcceptance::Accept,
            false => gossipsub::MessageAcceptance::Ignore,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(&message, &from, verdict);
    }

    /// Remembers a rumour until it was checked, and gives its token.
    pub(super) fn keep_rumour(&mut self, message: gossipsub::MessageId, from: PeerId) -> u64 {
        if self.rumours.len() >= MAX_RUMOURS {
            self.rumours.pop_first();
        }
        self.last_token += 1;
        self.rumours.insert(self.last_token, (message, from));
        self.last_token
    }

    /// Where this node is reached changed.
    pub(super) fn advertise_again(&mut self) {
        (self.advert.changed, self.snapshot_stale) = (true, true);
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
        let here = listening::advertised(self.swarm.listeners());
        // Where an entry node is known, the own LAN is told apart.
        let (addresses, here) = match self.near.entry_known() {
            true => (self.outer_addresses(), here),
            false => (here, Vec::new()),
        };
        let advert = Advert {
            version: 2,
            id: self.swarm.local_peer_id().to_bytes(),
            seq: self.advert.seq,
            incarnation: self.advert.incarnation,
            name: self.settings.name.clone(),
            mesh: self.settings.mesh.clone(),
            addresses: addresses.iter().map(|a| serde_bytes::ByteBuf::from(a.to_vec())).collect(),
            offers: self.advert.offers.clone(),
            leaving,
            sealing: self.settings.sealing.clone(),
            entry: self.settings.entry.is_some(),
            pass: self.settings.membership.as_ref().map(|membership| membership.credential()),
        };
        let signed = advert.sign(&self.settings.keypair)?;
        self.advert.changed = false;
        self.advert.sent_at = Some(Instant::now());
        self.tell(Event::Here { addresses: here });
        self.tell(Event::Own { advert, signed });
        Ok(())
    }

    fn publish_snapshot(&mut self) {
        (self.snapshot_stale, self.published_at) = (false, Instant::now());
        let last = self.snapshot.borrow().clone();
        let peers = self
            .near
            .entries()
            .map(|(peer, entry, near)| {
                let before = last.peers.get(peer);
                let known = before.filter(|view| view.advert.seq == entry.advert.seq);
                let view = PeerView {
                    id: before.map_or_else(|| peer.to_string().into(), |view| view.id.clone()),
                    advert: known
                        .map_or_else(|| Arc::new(entry.advert.clone()), |view| view.advert.clone()),
                    connected: near.connected,
                    met: near.met,
                    relayed: near.relayed,
                    suspect: near.suspect_since.is_some(),
                    rtt_ms: near.rtt_ms,
                    heard_at: entry.heard_at,
                };
                (*peer, view)
            })
            .collect();
        let snapshot = Snapshot {
            peers,
            listen: self.swarm.listeners().cloned().collect(),
            offers: self.advert.offers.clone(),
            left: self.left.clone(),
            clone: self.clone.clone(),
        };
        self.snapshot.send_replace(Arc::new(snapshot));
    }

    fn facts(&self) -> NetworkFacts {
        NetworkFacts {
            announced: self.near.named(),
            connected: self.swarm.connected_peers().count(),
            strangers: self.near.strangers(),
            dial_failures: self.failures.iter().cloned().collect(),
            clone: self.clone.clone(),
            entry: self
                .settings
                .entry
                .as_ref()
                .map(|_| EntryFacts { bytes: self.meter.total(), ..self.entering.facts }),
        }
    }

    /// Tells everyone that this node leaves, and gives the words time to go out.
    async fn goodbye(mut self, done: Option<oneshot::Sender<()>>) {
        if let Err(e) = self.sign_advert(true) {
            tracing::debug!("{e}");
        }
        for (peer, exchange) in self.near.farewell() {
            self.ask(peer, exchange);
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
                    self.outbound.retain(|_, o| matches!(o, Outbound::Asked { .. }));
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
