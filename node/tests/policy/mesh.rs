//! A mesh of directories in virtual time: connections, gossip, exchanges, deaths.
//!
//! It stands in for the network actor and the network, as unkindly as a real one: messages are
//! late or lost, gossip floods over the connections that happen to exist, dials take time and fail.

mod connections;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    rc::Rc,
};

use libp2p::PeerId;
use potluck::{
    directory::{Directory, Effect, Event, Settings, Via, backoff::Backoff},
    protocol::{Advert, Exchange, ExchangeReply, Rumour, SignedAdvert},
};
use rand::{Rng as _, RngExt as _, rngs::SmallRng, seq::IteratorRandom as _};

/// Virtual clocks start here, so that subtractions cannot hide below zero.
pub const START: u64 = 1_000_000;
/// Share of messages that are lost.
const LOSS: f64 = 0.05;
/// Over how many connections a rumour is handed on, and to how many it is offered once more: the
/// degree of the node's gossipsub mesh and gossipsub's `gossip_lazy`. Its author tells everyone.
const FANOUT: usize = 4;
const LAZY: usize = 6;
const ALL: usize = 1000;
/// Gossipsub swallows what it has seen for this long, and offers what it got in the last heartbeats
/// to some neighbours, who take what they missed.
const SEEN_MS: u64 = 60_000;
const RECENT_MS: u64 = 6_000;
const HEARTBEAT_MS: u64 = 2_000;
/// A pulse without an answer for this long is silence; a dial without one is a failure.
const PULSE_MS: u64 = 2_000;
const DIAL_MS: u64 = 3_000;
/// A dead node's ghost in any directory after this time is a failure of the policy. Counted from
/// the last time that a paused node went on: it brings old news to newcomers, who cannot know.
pub const GONE_MS: u64 = 45_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Running,
    /// Like SIGSTOP: takes part in nothing, its connections hang.
    Paused,
    Dead,
}

struct Node {
    directory: Directory,
    state: State,
    died_at: u64,
    /// Dead nodes that this one saw go.
    buried: BTreeSet<usize>,
    incarnation: u64,
    seq: u64,
    side: u8,
    connections: BTreeMap<usize, u64>,
    dialing: BTreeSet<usize>,
    backoff: Backoff<PeerId>,
    seen: BTreeMap<u64, u64>,
    recent: VecDeque<(u64, u64, Rc<Rumour>)>,
}

#[derive(Clone)]
enum Message {
    Rumour {
        id: u64,
        rumour: Rc<Rumour>,
    },
    Ask(Rc<Exchange>),
    /// Adverts that were asked for.
    Tell(Rc<Exchange>),
    Reply {
        reply: Rc<ExchangeReply>,
        digest_sent: bool,
    },
}

enum Happening {
    Arrives { to: usize, from: usize, message: Message },
    Dialled { from: usize, to: usize },
    DialFailed { from: usize, to: usize },
    PulseFailed { from: usize, to: usize },
    Broken { at: usize, with: usize },
    Tick(usize),
    Heartbeat(usize),
    Upkeep(usize),
    Exchange(usize),
    Discover(usize),
}

/// The whole mesh.
pub struct Mesh {
    pub now: u64,
    pub rng: SmallRng,
    ids: Vec<PeerId>,
    index: BTreeMap<PeerId, usize>,
    nodes: Vec<Node>,
    adverts: BTreeMap<Vec<u8>, Advert>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    due: BTreeMap<u64, Happening>,
    count: u64,
    resumed_at: u64,
    settings: Settings,
    pub gossiped: u64,
    pub dialled: u64,
}

impl Mesh {
    pub fn new(rng: SmallRng, settings: Settings) -> Self {
        Self {
            now: START,
            rng,
            ids: Vec::new(),
            index: BTreeMap::new(),
            nodes: Vec::new(),
            adverts: BTreeMap::new(),
            queue: BinaryHeap::new(),
            due: BTreeMap::new(),
            count: 0,
            resumed_at: 0,
            settings,
            gossiped: 0,
            dialled: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn state(&self, n: usize) -> State {
        self.nodes[n].state
    }

    pub fn directory(&self, n: usize) -> &Directory {
        &self.nodes[n].directory
    }

    pub fn connections(&self, n: usize) -> usize {
        self.nodes[n].connections.len()
    }

    pub fn running(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|n| self.nodes[*n].state == State::Running).collect()
    }

    pub fn any_running(&mut self) -> usize {
        let running = self.running();
        running.into_iter().choose(&mut self.rng).expect("someone runs")
    }

    /// A new node starts and finds others by mDNS.
    pub fn join(&mut self) -> usize {
        let n = self.nodes.len();
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        let id = super::peer(key);
        let incarnation = self.rng.random();
        let directory = Directory::new(id, incarnation, self.settings.clone());
        self.ids.push(id);
        self.index.insert(id, n);
        self.nodes.push(Node {
            directory,
            state: State::Running,
            died_at: 0,
            buried: BTreeSet::new(),
            incarnation,
            seq: 0,
            side: 0,
            connections: BTreeMap::new(),
            dialing: BTreeSet::new(),
            backoff: Backoff::new(),
            seen: BTreeMap::new(),
            recent: VecDeque::new(),
        });
        self.advertise(n, 0, false);
        self.begin(n);
        n
    }

    /// A killed node starts again with its identity; its clock may have been set back.
    pub fn restart(&mut self, n: usize, clock_back_ms: u64) {
        assert_eq!(self.nodes[n].state, State::Dead);
        let incarnation = self.rng.random();
        let node = &mut self.nodes[n];
        node.state = State::Running;
        node.incarnation = incarnation;
        node.directory = Directory::new(self.ids[n], incarnation, self.settings.clone());
        node.seen.clear();
        node.recent.clear();
        node.buried.clear();
        node.seq = 0;
        let wall = self.now.saturating_sub(clock_back_ms);
        self.advertise_at(n, wall, false);
        self.begin(n);
    }

    fn begin(&mut self, n: usize) {
        let regular =
            [Happening::Tick, Happening::Heartbeat, Happening::Upkeep, Happening::Exchange];
        for make in regular {
            let delay = self.rng.random_range(0..1000);
            self.after(delay, make(n));
        }
        for delay in [20, 100, 500] {
            self.after(delay, Happening::Discover(n));
        }
    }

    pub fn kill(&mut self, n: usize) {
        let node = &mut self.nodes[n];
        node.state = State::Dead;
        node.died_at = self.now;
        node.dialing.clear();
        for (other, _) in std::mem::take(&mut node.connections) {
            let delay = self.rng.random_range(1..50);
            self.after(delay, Happening::Broken { at: other, with: n });
        }
    }

    pub fn goodbye(&mut self, n: usize) {
        self.advertise(n, 0, true);
        self.kill(n);
    }

    pub fn pause(&mut self, n: usize) {
        self.nodes[n].state = State::Paused;
        for other in self.nodes[n].connections.keys().copied().collect::<Vec<_>>() {
            // Who does not watch it finds out by libp2p's ping.
            let delay = self.rng.random_range(10_000..20_000);
            self.after(delay, Happening::PulseFailed { from: other, to: n });
        }
    }

    pub fn resume(&mut self, n: usize) {
        self.nodes[n].state = State::Running;
        self.resumed_at = self.now;
        for other in self.nodes[n].connections.keys().copied().collect::<Vec<_>>() {
            if !self.nodes[other].connections.contains_key(&n) {
                self.after(5, Happening::Broken { at: n, with: other });
            }
        }
    }

    /// Cuts the mesh into two halves, or heals it.
    pub fn partition(&mut self, cut: bool) {
        for n in 0..self.nodes.len() {
            self.nodes[n].side = if cut { (n % 2) as u8 } else { 0 };
        }
        if !cut {
            return;
        }
        for n in 0..self.nodes.len() {
            for other in self.nodes[n].connections.keys().copied().collect::<Vec<_>>() {
                if self.nodes[other].side != self.nodes[n].side {
                    let delay = self.rng.random_range(5_000..15_000);
                    self.after(delay, Happening::Broken { at: n, with: other });
                }
            }
        }
    }

    /// Lets virtual time pass.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(Reverse((at, key))) = self.queue.peek().copied() {
            if at > end {
                break;
            }
            self.queue.pop();
            self.now = at;
            let happening = self.due.remove(&key).expect("every key has its happening");
            self.happen(happening);
        }
        self.now = end;
    }

    fn after(&mut self, delay: u64, happening: Happening) {
        self.count += 1;
        self.queue.push(Reverse((self.now + delay, self.count)));
        self.due.insert(self.count, happening);
    }

    fn reaches(&self, a: usize, b: usize) -> bool {
        self.nodes[a].side == self.nodes[b].side && self.nodes[b].state == State::Running
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { to, from, message } => {
                // A paused node finds its messages when it goes on.
                match self.nodes[to].state {
                    State::Dead => {}
                    State::Paused => {
                        self.after(500, Happening::Arrives { to, from, message });
                    }
                    State::Running => self.arrives(to, from, message),
                }
            }
            Happening::Dialled { from, to } => self.dialled(from, to),
            Happening::DialFailed { from, to } => self.dial_failed(from, to),
            Happening::PulseFailed { from, to } => {
                if self.nodes[from].connections.contains_key(&to) && !self.reaches(from, to) {
                    self.tell(from, Event::Silent { peer: self.ids[to] });
                    self.disconnect(from, to);
                }
            }
            Happening::Broken { at, with } => self.broken(at, with, true),
            Happening::Tick(n) => self.every(n, 1_000, Happening::Tick, |mesh| {
                mesh.tell(n, Event::Tick);
            }),
            Happening::Heartbeat(n) => {
                self.every(n, HEARTBEAT_MS, Happening::Heartbeat, |mesh| mesh.heartbeat(n));
            }
            Happening::Upkeep(n) => {
                self.every(n, 4_000, Happening::Upkeep, |mesh| mesh.upkeep(n));
            }
            Happening::Exchange(n) => {
                self.every(n, 4_000, Happening::Exchange, |mesh| mesh.exchange(n));
            }
            Happening::Discover(n) => {
                self.every(n, 15_000, Happening::Discover, |mesh| mesh.discover(n));
            }
        }
    }

    /// Repeats something while the node lives; a paused one does it later.
    fn every(
        &mut self,
        n: usize,
        ms: u64,
        again: fn(usize) -> Happening,
        what: impl FnOnce(&mut Self),
    ) {
        if self.nodes[n].state == State::Dead {
            return;
        }
        if self.nodes[n].state == State::Running {
            what(self);
        }
        let delay = self.rng.random_range(ms * 3 / 4..ms * 5 / 4);
        self.after(delay, again(n));
    }

    fn tell(&mut self, n: usize, event: Event) {
        let effects = self.nodes[n].directory.handle(event, self.now);
        self.carry_out(n, effects);
    }

    fn carry_out(&mut self, n: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Gossip(rumour) => {
                    let id = rumour_id(&rumour);
                    let rumour = Rc::new(rumour);
                    if self.unseen(n, id, &rumour) {
                        self.gossiped += 1;
                        self.spread(n, n, ALL, id, &rumour);
                    }
                }
                Effect::Verify(peer) => self.verify(n, self.index[&peer]),
                Effect::Close(peer) => self.disconnect(n, self.index[&peer]),
                Effect::Readvertise { above } => self.advertise(n, above, false),
                Effect::Appeared(peer) => self.appeared(n, self.index[&peer]),
                Effect::Gone { peer, .. } => {
                    let peer = self.index[&peer];
                    if self.nodes[peer].state == State::Dead {
                        self.nodes[n].buried.insert(peer);
                    }
                }
                Effect::Clone { .. } => panic!("node {n} saw a clone, and there is none"),
                Effect::Changed(_) => {}
            }
        }
    }

    fn appeared(&self, n: usize, peer: usize) {
        if self.nodes[peer].state == State::Dead {
            let died_at = self.nodes[peer].died_at;
            let again = self.nodes[n].buried.contains(&peer) && self.now >= died_at + GONE_MS;
            assert!(!again, "the ghost of node {peer} came back to node {n}");
            assert!(!self.forgettable(died_at), "node {n} met the ghost of node {peer}");
        }
    }

    /// Whether nobody should know any more of a node that died then.
    pub fn forgettable(&self, died_at: u64) -> bool {
        self.now >= died_at.max(self.resumed_at) + GONE_MS
    }

    fn advertise(&mut self, n: usize, above: u64, leaving: bool) {
        let above = above.max(self.nodes[n].seq);
        let wall = if above > 0 { above + 1 } else { self.now };
        self.advertise_at(n, wall, leaving);
    }

    fn advertise_at(&mut self, n: usize, seq: u64, leaving: bool) {
        let incarnation = self.nodes[n].incarnation;
        self.nodes[n].seq = seq;
        let advert = Advert {
            version: 1,
            id: self.ids[n].to_bytes(),
            seq,
            incarnation,
            name: String::new(),
            mesh: self.settings.mesh.clone(),
            addresses: vec![],
            offers: vec![],
            leaving,
        };
        // Directories take adverts as verified; here the body only names the advert.
        let mut body = (n as u64).to_be_bytes().to_vec();
        body.extend(seq.to_be_bytes());
        body.extend(incarnation.to_be_bytes());
        self.adverts.insert(body.clone(), advert.clone());
        let signed = SignedAdvert { body, key: vec![], signature: vec![] };
        self.tell(n, Event::Own { advert, signed });
    }

    fn spread(&mut self, n: usize, from: usize, most: usize, id: u64, rumour: &Rc<Rumour>) {
        let to = self.nodes[n]
            .connections
            .keys()
            .copied()
            .filter(|to| *to != from)
            .sample(&mut self.rng, most);
        for to in to {
            self.send(n, to, Message::Rumour { id, rumour: Rc::clone(rumour) });
        }
    }

    fn unseen(&mut self, n: usize, id: u64, rumour: &Rc<Rumour>) -> bool {
        let node = &mut self.nodes[n];
        if node.seen.get(&id).is_some_and(|at| self.now < at + SEEN_MS) {
            return false;
        }
        node.seen.insert(id, self.now);
        node.recent.push_back((self.now, id, Rc::clone(rumour)));
        true
    }

    /// Gossipsub's lazy repair (IHAVE and IWANT), shortened to sending what the other missed.
    fn heartbeat(&mut self, n: usize) {
        let now = self.now;
        let node = &mut self.nodes[n];
        node.recent.retain(|(at, _, _)| now < at + RECENT_MS);
        node.seen.retain(|_, at| now < *at + SEEN_MS);
        let recent: Vec<_> = node.recent.iter().cloned().collect();
        if recent.is_empty() {
            return;
        }
        let to = node.connections.keys().copied().sample(&mut self.rng, LAZY);
        for to in to {
            for (_, id, rumour) in &recent {
                if !self.nodes[to].seen.contains_key(id) {
                    let rumour = Rc::clone(rumour);
                    self.send(n, to, Message::Rumour { id: *id, rumour });
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        if self.nodes[from].side == self.nodes[to].side && !self.rng.random_bool(LOSS) {
            let delay = self.rng.random_range(1..40);
            self.after(delay, Happening::Arrives { to, from, message });
        }
    }

    fn arrives(&mut self, to: usize, from: usize, message: Message) {
        match message {
            Message::Rumour { id, rumour } => {
                if self.unseen(to, id, &rumour) {
                    match &*rumour {
                        Rumour::Advert(signed) => self.heard(to, from, signed, Via::Gossip),
                        Rumour::Lost(notice) => {
                            self.tell(to, Event::Lost { notice: notice.clone() });
                        }
                    }
                    self.spread(to, from, FANOUT, id, &rumour);
                }
            }
            Message::Tell(exchange) => self.hear(to, from, &exchange.adverts),
            Message::Ask(exchange) => {
                self.hear(to, from, &exchange.adverts);
                let asker = self.ids[from];
                let (reply, effects) = self.nodes[to].directory.compare(asker, &exchange, self.now);
                self.carry_out(to, effects);
                let digest_sent = exchange.digest.is_some();
                self.send(to, from, Message::Reply { reply: Rc::new(reply), digest_sent });
            }
            Message::Reply { reply, digest_sent } => {
                self.hear(to, from, &reply.adverts);
                if !digest_sent && !reply.same {
                    let question = self.nodes[to].directory.exchange(true, &[]);
                    self.send(to, from, Message::Ask(Rc::new(question)));
                } else if !reply.want.is_empty() {
                    let more = self.nodes[to].directory.exchange(false, &reply.want);
                    self.send(to, from, Message::Tell(Rc::new(more)));
                }
            }
        }
    }

    fn hear(&mut self, n: usize, from: usize, adverts: &[SignedAdvert]) {
        for signed in adverts {
            self.heard(n, from, signed, Via::Exchange);
        }
    }

    fn heard(&mut self, n: usize, from: usize, signed: &SignedAdvert, via: Via) {
        let advert = self.adverts[&signed.body].clone();
        let from = self.ids[from];
        self.tell(n, Event::Heard { advert, signed: signed.clone(), from, via });
    }

    fn exchange(&mut self, n: usize) {
        let partner = self.nodes[n].connections.keys().copied().choose(&mut self.rng);
        if let Some(partner) = partner {
            // The root alone first; the digest follows when it differs.
            let question = self.nodes[n].directory.exchange(false, &[]);
            self.send(n, partner, Message::Ask(Rc::new(question)));
        }
    }

    /// The running nodes whose directory is not exactly the set of the others that run.
    pub fn wrong(&self) -> Vec<(usize, Vec<usize>, Vec<usize>)> {
        let running: BTreeSet<usize> = self.running().into_iter().collect();
        running
            .iter()
            .filter_map(|n| {
                let known: BTreeSet<usize> =
                    self.nodes[*n].directory.entries().map(|(id, _)| self.index[id]).collect();
                let expected = running.iter().copied().filter(|other| other != n);
                let missing: Vec<_> = expected.filter(|other| !known.contains(other)).collect();
                let ghosts: Vec<_> = known.difference(&running).copied().collect();
                (!missing.is_empty() || !ghosts.is_empty()).then_some((*n, missing, ghosts))
            })
            .collect()
    }

    /// The running nodes that still have `n` in their directory.
    pub fn knowing(&self, n: usize) -> Vec<usize> {
        let id = self.ids[n];
        let known = |m: &usize| self.nodes[*m].directory.get(&id).is_some();
        self.running().into_iter().filter(known).collect()
    }
}

/// Gossipsub tells rumours apart by their content.
fn rumour_id(rumour: &Rumour) -> u64 {
    let bytes = potluck::protocol::encode(rumour).expect("a rumour encodes");
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes"))
}
