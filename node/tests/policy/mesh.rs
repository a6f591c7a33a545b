//! A mesh of neighbourhoods in virtual time: the node's own policy with the node's own constants.
//!
//! It stands in for the network and the actor, as unkindly as a real one: messages are late or lost,
//! gossip floods over the links that happen to exist, dials take time, fail, or find a full node.

mod connections;
mod gossip;
mod villains;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    rc::Rc,
};

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use potluck::{
    directory::{Directory, Via},
    neighbourhood::{Effect, Event, Neighbourhood, Settings, TICK_MS, gossip::HEARTBEAT_MS},
    protocol::{Advert, Exchange, ExchangeReply, Loss, Request, Rumour, SignedAdvert},
};
use rand::{Rng as _, RngExt as _, rngs::SmallRng, seq::IteratorRandom as _};
use serde_bytes::ByteBuf;

use gossip::Said;

/// Virtual clocks start here, so that subtractions cannot hide below zero.
pub const START: u64 = 1_000_000;
/// Share of messages that are lost.
const LOSS: f64 = 0.05;
/// How long an answer is waited for, as in the node.
const ANSWER_MS: u64 = 30_000;
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
    near: Neighbourhood,
    key: Keypair,
    state: State,
    died_at: u64,
    /// Dead nodes that this one saw go.
    buried: BTreeSet<usize>,
    incarnation: u64,
    seq: u64,
    side: u8,
    links: BTreeSet<usize>,
    watching: BTreeSet<usize>,
    /// Whom gossip is handed to.
    grafted: BTreeSet<usize>,
    seen: BTreeMap<u64, u64>,
    /// Rumours that wait to be judged.
    unjudged: BTreeMap<u64, (usize, Said)>,
    last_token: u64,
    /// A villain says nothing of its own.
    villain: bool,
}

#[derive(Clone)]
enum Message {
    Rumour(Said),
    Ask(Rc<Exchange>),
    /// Adverts that were asked for.
    Tell(Rc<Exchange>),
    Reply {
        reply: Rc<ExchangeReply>,
        digest_sent: bool,
    },
    Parting,
    Overdue(u64),
}

enum Happening {
    Arrives { to: usize, from: usize, message: Message },
    Knocks { from: usize, to: usize, dial: u64 },
    Linked { from: usize, to: usize, dial: u64 },
    DialFailed { from: usize, dial: u64, why: potluck::neighbourhood::DialFailure },
    Beats { from: usize, to: usize, again: bool },
    Silent { from: usize, to: usize },
    Unanswered { at: usize, by: usize },
    Broken { at: usize, with: usize },
    Tick(usize),
    Heartbeat(usize),
    Discover(usize),
    Villainy(usize),
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
    /// Whether nodes find each other by mDNS.
    pub mdns: bool,
    pub gossiped: u64,
    pub dialled: u64,
    /// How often a running node was taken for lost.
    pub wronged: u64,
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
            mdns: true,
            gossiped: 0,
            dialled: 0,
            wronged: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn state(&self, n: usize) -> State {
        self.nodes[n].state
    }

    pub fn directory(&self, n: usize) -> &Directory {
        self.nodes[n].near.directory()
    }

    pub fn connections(&self, n: usize) -> usize {
        self.nodes[n].links.len()
    }

    /// Honest nodes that run.
    pub fn running(&self) -> Vec<usize> {
        let runs = |n: &usize| self.nodes[*n].state == State::Running && !self.nodes[*n].villain;
        (0..self.nodes.len()).filter(runs).collect()
    }

    pub fn any_running(&mut self) -> usize {
        let running = self.running();
        running.into_iter().choose(&mut self.rng).expect("someone runs")
    }

    /// A new node starts.
    pub fn join(&mut self) -> usize {
        let n = self.add(false);
        self.advertise(n, 0, false);
        self.begin(n);
        n
    }

    /// A new node starts and joins another by its address.
    pub fn join_at(&mut self, other: usize) -> usize {
        let n = self.join();
        self.tell(n, Event::Join { address: address(other) });
        n
    }

    fn add(&mut self, villain: bool) -> usize {
        let n = self.nodes.len();
        let mut secret = [0; 32];
        self.rng.fill_bytes(&mut secret);
        let key = Keypair::ed25519_from_bytes(secret).expect("any 32 bytes are a key");
        let id = key.public().to_peer_id();
        let incarnation = self.rng.random();
        self.ids.push(id);
        self.index.insert(id, n);
        self.nodes.push(Node {
            near: Neighbourhood::new(id, incarnation, self.settings.clone()),
            key,
            state: State::Running,
            died_at: 0,
            buried: BTreeSet::new(),
            incarnation,
            seq: 0,
            side: 0,
            links: BTreeSet::new(),
            watching: BTreeSet::new(),
            grafted: BTreeSet::new(),
            seen: BTreeMap::new(),
            unjudged: BTreeMap::new(),
            last_token: 0,
            villain,
        });
        n
    }

    /// A killed node starts again with its identity; its clock may have been set back.
    pub fn restart(&mut self, n: usize, clock_back_ms: u64) {
        assert_eq!(self.nodes[n].state, State::Dead);
        let incarnation = self.rng.random();
        let node = &mut self.nodes[n];
        node.state = State::Running;
        node.incarnation = incarnation;
        node.near = Neighbourhood::new(self.ids[n], incarnation, self.settings.clone());
        node.seen.clear();
        node.unjudged.clear();
        node.buried.clear();
        node.seq = 0;
        let wall = self.now.saturating_sub(clock_back_ms);
        self.advertise_at(n, wall, false);
        self.begin(n);
    }

    fn begin(&mut self, n: usize) {
        for make in [Happening::Tick, Happening::Heartbeat] {
            let delay = self.rng.random_range(0..TICK_MS);
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
        node.watching.clear();
        node.grafted.clear();
        for other in std::mem::take(&mut node.links) {
            let delay = self.rng.random_range(1..50);
            self.after(delay, Happening::Broken { at: other, with: n });
        }
    }

    pub fn goodbye(&mut self, n: usize) {
        self.advertise(n, 0, true);
        for (peer, exchange) in self.nodes[n].near.farewell() {
            let to = self.index[&peer];
            self.send(n, to, Message::Ask(Rc::new(exchange)));
        }
        self.kill(n);
    }

    pub fn pause(&mut self, n: usize) {
        self.nodes[n].state = State::Paused;
    }

    pub fn resume(&mut self, n: usize) {
        self.nodes[n].state = State::Running;
        self.resumed_at = self.now;
        for other in self.nodes[n].links.iter().copied().collect::<Vec<_>>() {
            if !self.nodes[other].links.contains(&n) {
                self.after(5, Happening::Broken { at: n, with: other });
            }
        }
    }

    /// Cuts the mesh into two halves, or heals it. Connections across hang until somebody looks.
    /// Gives those that had no connection across: nobody can bear witness that they are gone.
    pub fn partition(&mut self, cut: bool) -> BTreeSet<usize> {
        for n in 0..self.nodes.len() {
            self.nodes[n].side = if cut { (n % 2) as u8 } else { 0 };
        }
        let across = |n: &usize| self.nodes[*n].links.iter().any(|other| other % 2 != n % 2);
        (0..self.nodes.len()).filter(|n| !across(n)).collect()
    }

    /// The nodes that one has in its directory.
    pub fn known(&self, n: usize) -> BTreeSet<usize> {
        self.directory(n).entries().filter_map(|(id, _)| self.index.get(id).copied()).collect()
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
                    State::Paused => self.after(500, Happening::Arrives { to, from, message }),
                    State::Running => self.arrives(to, from, message),
                }
            }
            Happening::Knocks { from, to, dial } => self.knocks(from, to, dial),
            Happening::Linked { from, to, dial } => self.link(from, to, dial),
            Happening::DialFailed { from, dial, why } => {
                if self.nodes[from].state == State::Paused {
                    return self.after(500, Happening::DialFailed { from, dial, why });
                }
                self.tell(from, Event::DialFailed { dial, why });
            }
            Happening::Unanswered { at, by } => {
                if self.nodes[at].state == State::Paused {
                    return self.after(500, Happening::Unanswered { at, by });
                }
                if self.nodes[at].links.contains(&by) {
                    self.tell(at, Event::Unanswered { peer: self.ids[by] });
                }
            }
            Happening::Beats { from, to, again } => self.beats(from, to, again),
            Happening::Silent { from, to } => {
                if self.nodes[from].state == State::Paused {
                    return self.after(500, Happening::Silent { from, to });
                }
                if self.nodes[from].links.contains(&to) {
                    self.nodes[from].watching.remove(&to);
                    self.tell(from, Event::Silent { peer: self.ids[to] });
                }
            }
            Happening::Broken { at, with } => self.broken(at, with),
            Happening::Tick(n) => self.every(n, TICK_MS, Happening::Tick, |mesh| {
                mesh.tell(n, Event::Tick { used: vec![] });
            }),
            Happening::Heartbeat(n) => {
                self.every(n, HEARTBEAT_MS, Happening::Heartbeat, |mesh| mesh.heartbeat(n));
            }
            Happening::Discover(n) => {
                self.every(n, 15_000, Happening::Discover, |mesh| mesh.discover(n));
            }
            Happening::Villainy(n) => {
                self.every(n, 1_000, Happening::Villainy, |mesh| mesh.villainy(n));
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
        if self.nodes[n].state != State::Running {
            return;
        }
        let effects = self.nodes[n].near.handle(event, self.now, &mut self.rng);
        self.carry_out(n, effects);
    }

    fn carry_out(&mut self, n: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Dial { dial, peer, addresses } => self.dial(n, dial, peer, &addresses),
                Effect::Close(peer) => self.disconnect(n, self.index[&peer]),
                Effect::Ask { peer, exchange } => {
                    self.send(n, self.index[&peer], Message::Ask(Rc::new(exchange)));
                }
                Effect::Tell { peer, request: Request::Exchange(exchange) } => {
                    self.send(n, self.index[&peer], Message::Tell(Rc::new(exchange)));
                }
                Effect::Tell { peer, request: Request::Parting } => {
                    self.send(n, self.index[&peer], Message::Parting);
                }
                Effect::Tell { peer, request: Request::Overdue { seq } } => {
                    self.send(n, self.index[&peer], Message::Overdue(seq));
                }
                Effect::Watch(peer) => self.watch(n, self.index[&peer]),
                Effect::Unwatch(peer) => drop(self.nodes[n].watching.remove(&self.index[&peer])),
                Effect::Check(peer) => {
                    self.after(
                        3,
                        Happening::Beats { from: n, to: self.index[&peer], again: false },
                    );
                }
                Effect::Gossip(rumour) => self.publish(n, rumour),
                Effect::Testify { peer, seq } => {
                    let signed = Loss::sign(&peer, seq, &self.nodes[n].key).expect("signs");
                    self.publish(n, Rumour::Lost(signed.clone()));
                    self.tell(n, Event::Testified { peer, signed });
                }
                Effect::Judge { token, forward } => self.judge(n, token, forward),
                Effect::Readvertise { above } => self.advertise(n, above, false),
                Effect::Appeared(peer) => self.appeared(n, peer),
                Effect::Gone { peer, reason } => self.gone(n, peer, reason),
                Effect::Clone { .. } => panic!("node {n} saw a clone, and there is none"),
                Effect::Reserve { .. } | Effect::Unreserve(_) => panic!("there is no entry node"),
                Effect::Changed(_) | Effect::Reached(_) | Effect::Unreached { .. } => {}
            }
        }
    }

    fn appeared(&self, n: usize, peer: PeerId) {
        let Some(peer) = self.index.get(&peer).copied() else { return };
        if self.nodes[peer].state == State::Dead {
            let died_at = self.nodes[peer].died_at;
            let again = self.nodes[n].buried.contains(&peer) && self.now >= died_at + GONE_MS;
            assert!(!again, "the ghost of node {peer} came back to node {n}");
            assert!(!self.forgettable(died_at), "node {n} met the ghost of node {peer}");
        }
    }

    fn gone(&mut self, n: usize, peer: PeerId, reason: potluck::directory::GoneReason) {
        let Some(peer) = self.index.get(&peer).copied() else { return };
        match self.nodes[peer].state {
            State::Dead => drop(self.nodes[n].buried.insert(peer)),
            State::Running if self.reaches(n, peer) && !self.nodes[peer].villain => {
                self.wronged += u64::from(reason == potluck::directory::GoneReason::Lost);
            }
            _ => {}
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
            version: 2,
            id: self.ids[n].to_bytes(),
            seq,
            incarnation,
            name: String::new(),
            mesh: self.settings.directory.mesh.clone(),
            addresses: vec![ByteBuf::from(address(n).to_vec())],
            offers: vec![],
            leaving,
            sealing: None,
            entry: false,
            pass: None,
        };
        let signed = self.signed(&advert);
        self.tell(n, Event::Own { advert, signed });
    }

    /// The policy takes signatures of adverts as verified; the body says which one it is.
    fn signed(&mut self, advert: &Advert) -> SignedAdvert {
        let mut body = advert.id[advert.id.len() - 12..].to_vec();
        body.extend(advert.seq.to_be_bytes());
        body.extend(advert.incarnation.to_be_bytes());
        body.push(u8::from(advert.leaving));
        self.adverts.insert(body.clone(), advert.clone());
        SignedAdvert { body, key: vec![1], signature: vec![2] }
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        let linked = self.nodes[from].links.contains(&to);
        let near = self.nodes[from].side == self.nodes[to].side;
        if linked && near && !self.rng.random_bool(LOSS) {
            let delay = self.rng.random_range(1..40);
            return self.after(delay, Happening::Arrives { to, from, message });
        }
        match message {
            Message::Ask(_) => self.after(ANSWER_MS, Happening::Unanswered { at: from, by: to }),
            Message::Reply { .. } => {
                self.after(ANSWER_MS, Happening::Unanswered { at: to, by: from });
            }
            _ => {}
        }
    }

    fn arrives(&mut self, to: usize, from: usize, message: Message) {
        match message {
            Message::Rumour(said) => self.rumour(to, from, said),
            Message::Tell(exchange) => self.hear(to, from, &exchange.adverts),
            Message::Ask(exchange) => {
                self.hear(to, from, &exchange.adverts);
                let (asker, now) = (self.ids[from], self.now);
                let (reply, effects) = self.nodes[to].near.answer(asker, &exchange, now);
                self.carry_out(to, effects);
                let digest_sent = exchange.digest.is_some();
                if let Some(reply) = reply.map(Rc::new) {
                    self.send(to, from, Message::Reply { reply, digest_sent });
                }
            }
            Message::Reply { reply, digest_sent } => {
                self.hear(to, from, &reply.adverts);
                for signed in &reply.losses {
                    let Ok(loss) = signed.verify() else { continue };
                    let from = self.ids[from];
                    self.tell(to, Event::Loss { loss, signed: signed.clone(), from, token: 0 });
                }
                let (peer, reply) = (self.ids[from], ExchangeReply::clone(&reply));
                self.tell(to, Event::Replied { peer, reply, digest_sent });
            }
            Message::Overdue(seq) => self.tell(to, Event::Overdue { seq }),
            Message::Parting => self.tell(to, Event::Parting { peer: self.ids[from] }),
        }
    }

    fn hear(&mut self, n: usize, from: usize, adverts: &[SignedAdvert]) {
        for signed in adverts {
            self.heard(n, from, signed, Via::Exchange);
        }
    }

    /// Takes an advert as the actor does; says whether it can be handed on.
    fn heard(&mut self, n: usize, from: usize, signed: &SignedAdvert, via: Via) -> bool {
        let advert = self.adverts[&signed.body].clone();
        let (from, now) = (self.ids[from], self.now);
        let near = &mut self.nodes[n].near;
        let known = advert.peer().and_then(|peer| near.directory().get(&peer));
        if known.is_some_and(|entry| entry.signed == *signed) {
            return true;
        }
        if !near.worth_checking(&advert, &from, now) {
            return false;
        }
        self.tell(n, Event::Heard { advert, signed: signed.clone(), from, via });
        true
    }

    /// The running nodes whose directory is not exactly the set of the others that run. Villains and
    /// what they made up do not count.
    pub fn wrong(&self) -> Vec<(usize, Vec<usize>, Vec<usize>)> {
        let running: BTreeSet<usize> = self.running().into_iter().collect();
        let honest = |id: &PeerId| self.index.get(id).copied().filter(|n| !self.nodes[*n].villain);
        running
            .iter()
            .filter_map(|n| {
                let known: BTreeSet<usize> =
                    self.directory(*n).entries().filter_map(|(id, _)| honest(id)).collect();
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
        let known = |m: &usize| self.directory(*m).get(&id).is_some();
        self.running().into_iter().filter(known).collect()
    }

    /// Whether one running node has another for a suspect.
    pub fn suspects(&self, n: usize, other: usize) -> bool {
        self.nodes[n].near.nearness(&self.ids[other]).suspect_since.is_some()
    }
}

/// Where a node listens.
fn address(n: usize) -> Multiaddr {
    format!("/memory/{}", n + 1).parse().expect("an address")
}
