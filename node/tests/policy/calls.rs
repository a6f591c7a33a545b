//! Bursts of calls against simulated servers: who serves how much, and that nothing is lost.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use libp2p::PeerId;
use potluck::{
    protocol::{Fault, FaultKind, Repeat},
    router::{
        Candidate, Health, HopOutcome, Plan, PlanEffect, PlanEnd, PlanEvent, PlanSettings, Ranked,
        Work, rank,
    },
};
use rand::{RngExt as _, rngs::SmallRng};

use super::seeded;

const CAP: &str = "recognize/1";
const WORK: Work<'_> = Work { capability: CAP, variant: None, bytes: 100_000 };
/// How long until a caller notices that a server was killed, in ms.
const NOTICE_MS: u64 = 100;
/// How often servers advertise their queue, in ms.
const ADVERT_MS: u64 = 500;
const DEADLINE_MS: u64 = 60_000;

struct Server {
    peer: PeerId,
    /// Calls per second over all slots.
    speed: f64,
    slots: usize,
    /// Share of the calls that its service breaks on.
    breaks: f64,
    running: Vec<(usize, u64)>,
    waiting: Vec<(usize, u64)>,
    advertised: usize,
    killed_at: Option<u64>,
    served: usize,
}

struct Caller {
    health: Health,
}

struct Call {
    caller: usize,
    plan: Plan,
    finished: Option<PlanEnd>,
    sent: usize,
    /// Grows with every attempt, so that an answer to a cancelled attempt is told apart.
    attempts: u64,
    at: BTreeMap<PeerId, u64>,
    started_at: BTreeMap<PeerId, u64>,
}

enum Happening {
    Begin(usize),
    Request { call: usize, server: usize, attempt: u64 },
    Done { call: usize, server: usize, attempt: u64 },
    Tell { call: usize, attempt: u64, event: PlanEvent },
    Wake { call: usize, at: u64 },
    Kill(usize),
    Advertise,
}

fn settings(now: u64, hedge_after_ms: Option<u64>) -> PlanSettings {
    PlanSettings {
        deadline_at: now + DEADLINE_MS,
        max_attempts: 6,
        hedge_after_ms,
        grace_ms: 3_000,
    }
}

struct World {
    now: u64,
    rng: SmallRng,
    servers: Vec<Server>,
    callers: Vec<Caller>,
    calls: Vec<Call>,
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    due: Vec<Option<Happening>>,
    hedge: bool,
}

impl World {
    fn new(rng: SmallRng, servers: &[(f64, usize)], callers: usize) -> Self {
        let server = |(n, (speed, slots)): (usize, &(f64, usize))| Server {
            peer: super::peer([n as u8 + 1; 32]),
            speed: *speed,
            slots: *slots,
            breaks: 0.0,
            running: vec![],
            waiting: vec![],
            advertised: 0,
            killed_at: None,
            served: 0,
        };
        let mut world = Self {
            now: 0,
            rng,
            servers: servers.iter().enumerate().map(server).collect(),
            callers: (0..callers).map(|_| Caller { health: Health::default() }).collect(),
            calls: vec![],
            queue: BinaryHeap::new(),
            due: vec![],
            hedge: false,
        };
        world.at(0, Happening::Advertise);
        world
    }

    fn at(&mut self, at: u64, happening: Happening) {
        self.queue.push(Reverse((at, self.due.len())));
        self.due.push(Some(happening));
    }

    fn call_at(&mut self, at: u64, caller: usize) {
        self.calls.push(Call {
            caller,
            plan: Plan::new(settings(at, None), at),
            finished: None,
            sent: 0,
            attempts: 0,
            at: BTreeMap::new(),
            started_at: BTreeMap::new(),
        });
        self.at(at, Happening::Begin(self.calls.len() - 1));
    }

    fn run(&mut self) {
        while let Some(Reverse((at, key))) = self.queue.pop() {
            self.now = at;
            let happening = self.due[key].take().expect("happens once");
            let busy = self.calls.iter().any(|call| call.finished.is_none());
            if busy {
                self.happen(happening);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Begin(call) => {
                let caller = self.calls[call].caller;
                let hedge_after_ms = self
                    .hedge
                    .then(|| self.callers[caller].health.hedge_after_ms(CAP).unwrap_or(3_000));
                self.calls[call].plan = Plan::new(settings(now, hedge_after_ms), now);
                let ranking = self.ranking(call);
                self.tell(call, PlanEvent::Start(ranking));
            }
            Happening::Request { call, server, attempt } => self.request(call, server, attempt),
            Happening::Done { call, server, attempt } => self.done(call, server, attempt),
            Happening::Tell { call, attempt, event } => self.tell_attempt(call, attempt, event),
            Happening::Wake { call, at } => {
                if at == now {
                    self.tell(call, PlanEvent::Timer);
                }
            }
            Happening::Kill(server) => self.kill(server),
            Happening::Advertise => {
                for server in &mut self.servers {
                    server.advertised = server.running.len() + server.waiting.len();
                }
                self.at(now + ADVERT_MS, Happening::Advertise);
            }
        }
    }

    fn ranking(&mut self, call: usize) -> Vec<Ranked> {
        let caller = self.calls[call].caller;
        let now = self.now;
        let candidates: Vec<_> = self
            .servers
            .iter()
            .filter(|server| server.killed_at.is_none_or(|at| now < at + NOTICE_MS))
            .map(|server| Candidate {
                peer: server.peer,
                me: false,
                call_ms: (1000.0 * server.slots as f64 / server.speed) as f32,
                slots: server.slots as u16,
                queue: server.advertised as u16,
                heard_ms_ago: now % ADVERT_MS,
                in_flight: self.in_flight(caller, &server.peer),
                rtt_ms: 2.0,
                throughput: 1e8,
                suspect: false,
                connected: true,
                met: true,
                repeat: Repeat::Safe,
            })
            .collect();
        let health = &self.callers[caller].health;
        rank(&WORK, &candidates, health, now, &mut self.rng)
    }

    fn in_flight(&self, caller: usize, peer: &PeerId) -> u16 {
        let running = self
            .calls
            .iter()
            .filter(|call| call.caller == caller && call.finished.is_none())
            .filter(|call| call.at.contains_key(peer));
        running.count() as u16
    }

    fn tell_attempt(&mut self, call: usize, attempt: u64, event: PlanEvent) {
        let peer = match &event {
            PlanEvent::Busy { peer, .. }
            | PlanEvent::Failed { peer, .. }
            | PlanEvent::Lost { peer, .. }
            | PlanEvent::Answered { peer } => *peer,
            _ => unreachable!("only outcomes of attempts come this way"),
        };
        if self.calls[call].at.get(&peer) != Some(&attempt) {
            return;
        }
        let started = self.calls[call].started_at[&peer];
        let health = &mut self.callers[self.calls[call].caller].health;
        match &event {
            PlanEvent::Busy { retry_after_ms, .. } => {
                health.busy(CAP, &peer, *retry_after_ms, self.now);
            }
            PlanEvent::Answered { .. } => {
                health.answered(CAP, &peer, (self.now - started) as f64, self.now);
            }
            _ => health.failed(&peer, self.now),
        }
        self.calls[call].at.remove(&peer);
        self.tell(call, event);
    }

    fn tell(&mut self, call: usize, event: PlanEvent) {
        let effects = self.calls[call].plan.handle(event, self.now);
        if self.calls[call].finished.is_some() {
            assert_eq!(effects, [], "call {call} goes on after its end");
        }
        for effect in effects {
            match effect {
                PlanEffect::Send { peer, .. } => self.send(call, peer),
                PlanEffect::Cancel { peer } => self.cancel(call, peer),
                PlanEffect::Wake { at } => self.at(at.max(self.now), Happening::Wake { call, at }),
                PlanEffect::Rerank => {
                    let ranking = self.ranking(call);
                    self.tell(call, PlanEvent::Start(ranking));
                }
                PlanEffect::Finish(end) => {
                    let before = self.calls[call].finished.replace(end);
                    assert_eq!(before, None, "call {call} ended twice");
                    self.check_route(call);
                }
            }
        }
    }

    fn check_route(&self, call: usize) {
        let Call { plan, sent, .. } = &self.calls[call];
        assert!(plan.finished());
        for hop in plan.route() {
            assert_ne!(hop.outcome, HopOutcome::Running);
            assert!(hop.ended_at.is_some_and(|at| at >= hop.started_at && at <= self.now));
        }
        assert!(plan.route().len() == *sent || plan.route().len() == 64);
        let answered =
            plan.route().iter().filter(|hop| hop.outcome == HopOutcome::Answered).count();
        assert!(answered <= 1);
    }

    fn send(&mut self, call: usize, peer: PeerId) {
        let server = self.servers.iter().position(|s| s.peer == peer).expect("a known server");
        let now = self.now;
        let state = &mut self.calls[call];
        state.sent += 1;
        state.attempts += 1;
        let attempt = state.attempts;
        assert_eq!(state.at.insert(peer, attempt), None, "two attempts at one peer at once");
        state.started_at.insert(peer, now);
        let delay = self.rng.random_range(1..4);
        self.at(now + delay, Happening::Request { call, server, attempt });
    }

    fn cancel(&mut self, call: usize, peer: PeerId) {
        let attempt = self.calls[call].at.remove(&peer).expect("only running attempts end so");
        let server = self.servers.iter().position(|s| s.peer == peer).expect("a known server");
        self.servers[server].running.retain(|one| *one != (call, attempt));
        self.servers[server].waiting.retain(|one| *one != (call, attempt));
        self.work(server);
    }

    fn request(&mut self, call: usize, server: usize, attempt: u64) {
        let now = self.now;
        let s = &self.servers[server];
        let peer = s.peer;
        if self.calls[call].at.get(&peer) != Some(&attempt) {
            return; // cancelled on its way
        }
        let event = if s.killed_at.is_some() {
            PlanEvent::Lost {
                peer,
                reached: true,
                own: false,
                why: "the connection was reset".into(),
            }
        } else if s.waiting.len() >= 2 * s.slots {
            PlanEvent::Busy { peer, retry_after_ms: (1000.0 / s.speed) as u64 }
        } else if self.rng.random_bool(s.breaks) {
            PlanEvent::Failed { peer, fault: Fault::new(FaultKind::Internal, "bad luck") }
        } else {
            self.servers[server].waiting.push((call, attempt));
            return self.work(server);
        };
        self.at(now + 2, Happening::Tell { call, attempt, event });
    }

    /// Starts what can start.
    fn work(&mut self, server: usize) {
        while self.servers[server].running.len() < self.servers[server].slots
            && !self.servers[server].waiting.is_empty()
        {
            let s = &mut self.servers[server];
            let (call, attempt) = s.waiting.remove(0);
            s.running.push((call, attempt));
            let service = 1000.0 * s.slots as f64 / s.speed;
            let ms = (service * self.rng.random_range(0.8..1.2)) as u64;
            self.at(self.now + ms.max(1), Happening::Done { call, server, attempt });
        }
    }

    fn done(&mut self, call: usize, server: usize, attempt: u64) {
        let s = &mut self.servers[server];
        let before = s.running.len();
        s.running.retain(|one| *one != (call, attempt));
        if s.running.len() == before {
            return; // cancelled or killed
        }
        s.served += 1;
        let event = PlanEvent::Answered { peer: s.peer };
        self.at(self.now + 2, Happening::Tell { call, attempt, event });
        self.work(server);
    }

    fn kill(&mut self, server: usize) {
        let s = &mut self.servers[server];
        s.killed_at = Some(self.now);
        let peer = s.peer;
        let cut: Vec<_> = s.running.drain(..).chain(s.waiting.drain(..)).collect();
        for (call, attempt) in cut {
            let event = PlanEvent::Lost {
                peer,
                reached: true,
                own: false,
                why: "the connection was reset".into(),
            };
            self.at(self.now + NOTICE_MS, Happening::Tell { call, attempt, event });
        }
    }

    fn assert_all_answered(&self) {
        for (n, call) in self.calls.iter().enumerate() {
            let answered = matches!(call.finished, Some(PlanEnd::Answered { .. }));
            assert!(answered, "call {n}: {:?}, route {:?}", call.finished, call.plan.route());
        }
    }
}

#[test]
fn load_follows_speed() {
    let speeds = [(40.0, 4), (20.0, 2), (20.0, 4), (10.0, 1), (5.0, 1)];
    let mut world = World::new(seeded("load_follows_speed"), &speeds, 4);
    // A little more than all servers together can do, for 12 s, so that speed is what decides.
    for n in 0..1200 {
        world.call_at(n * 10, n as usize % 4);
    }
    world.run();
    world.assert_all_answered();
    let total: f64 = speeds.iter().map(|(speed, _)| speed).sum();
    for server in &world.servers {
        let share = server.served as f64 / world.calls.len() as f64;
        let fair = server.speed / total;
        println!("speed {}: {:.3} of the calls, fair {fair:.3}", server.speed, share);
        assert!((0.6..1.5).contains(&(share / fair)), "speed {}: {share}", server.speed);
    }
}

#[test]
fn light_load_goes_where_it_is_done_soonest() {
    let mut rng = seeded("light_load_goes_where_it_is_done_soonest");
    let fast = rng.random_range(0..3);
    let mut speeds = [(4.0, 1); 3];
    speeds[fast].0 = 40.0;
    let mut world = World::new(rng, &speeds, 1);
    for n in 0..100 {
        world.call_at(n * 300, 0);
    }
    world.run();
    world.assert_all_answered();
    let slow = world.servers.iter().map(|s| s.served).sum::<usize>() - world.servers[fast].served;
    println!("fast {}, slow {slow}", world.servers[fast].served);
    assert_eq!((world.servers[fast].served, slow), (100, 0));
}

#[test]
fn bursts_survive_kills() {
    let mut rng = seeded("bursts_survive_kills");
    for hedge in [false, true] {
        let seed = rng.random();
        let speeds = [(30.0, 4), (20.0, 2), (10.0, 2), (5.0, 1), (2.0, 1)];
        let mut world = World::new(rand::SeedableRng::seed_from_u64(seed), &speeds, 3);
        world.hedge = hedge;
        for doomed in [0, 1, 2, 4] {
            world.servers[doomed].breaks = 0.02;
        }
        for burst in 0..6 {
            for n in 0..50 {
                let at = burst * 2_000 + world.rng.random_range(0..50);
                world.call_at(at, n % 3);
            }
        }
        // All but one slow server die, one after the other, in the middle of the work.
        for (nth, server) in [0, 2, 1, 4].into_iter().enumerate() {
            let at = 1_000 + 2_500 * nth as u64 + world.rng.random_range(0..500);
            world.at(at, Happening::Kill(server));
        }
        world.run();
        world.assert_all_answered();
        let lost = world
            .calls
            .iter()
            .flat_map(|call| call.plan.route())
            .filter(|hop| matches!(hop.outcome, HopOutcome::Lost(_)))
            .count();
        let hedges =
            world.calls.iter().flat_map(|call| call.plan.route()).filter(|hop| hop.hedge).count();
        println!("hedge {hedge}: {lost} attempts lost, {hedges} hedges, all answered");
        assert!(lost > 0, "the kills hit work");
        assert_eq!(hedges > 0, hedge);
    }
}

#[test]
fn random_events_end_every_call_exactly_once() {
    let mut rng = seeded("random_events_end_every_call_exactly_once");
    for _ in 0..3_000 {
        random_call(&mut rng);
    }
}

fn random_call(rng: &mut SmallRng) {
    let deadline_at = rng.random_range(1..5_000);
    let settings = PlanSettings {
        deadline_at,
        max_attempts: rng.random_range(0..5),
        hedge_after_ms: rng.random_bool(0.5).then(|| rng.random_range(0..500)),
        grace_ms: rng.random_range(0..2_000),
    };
    let mut plan = Plan::new(settings, 0);
    let (mut now, mut running, mut sent, mut ends) = (0, Vec::new(), 0, 0);
    while now < deadline_at + 100 {
        let event = random_event(rng);
        let ended = match &event {
            PlanEvent::Busy { peer, .. }
            | PlanEvent::Refused { peer, .. }
            | PlanEvent::Failed { peer, .. }
            | PlanEvent::Lost { peer, .. }
            | PlanEvent::Answered { peer } => Some(*peer),
            _ => None,
        };
        running.retain(|peer| Some(*peer) != ended);
        for effect in plan.handle(event, now) {
            assert_eq!(ends, 0, "nothing comes after the end");
            match effect {
                PlanEffect::Send { peer, .. } => {
                    assert!(!running.contains(&peer));
                    running.push(peer);
                    assert!(running.len() <= 4, "at most four copies run at once");
                    sent += 1;
                }
                PlanEffect::Cancel { peer } => {
                    assert!(running.contains(&peer));
                    running.retain(|other| *other != peer);
                }
                PlanEffect::Finish(_) => ends += 1,
                PlanEffect::Wake { at } => assert!(at <= deadline_at),
                PlanEffect::Rerank => {}
            }
        }
        now += rng.random_range(0..60);
    }
    plan.handle(PlanEvent::Timer, now);
    assert!(ends == 1 && plan.finished(), "ended {ends} times");
    assert!(running.is_empty());
    assert!(plan.route().len() == sent || plan.route().len() == 64);
    assert!(plan.route().iter().all(|hop| hop.ended_at.is_some()));
}

fn random_event(rng: &mut SmallRng) -> PlanEvent {
    let peer = super::peer([rng.random_range(1..6); 32]);
    match rng.random_range(0..20) {
        0..6 => {
            let some = (1..6).filter(|_| rng.random()).collect::<Vec<u8>>();
            let repeats = [Repeat::Safe, Repeat::Safe, Repeat::Costly, Repeat::Never];
            let ranked = |n: &u8| Ranked {
                peer: super::peer([*n; 32]),
                expected_ms: 5.0,
                me: *n == 1,
                connected: *n < 4,
                met: *n < 6,
                repeat: repeats[usize::from(*n) % 4],
            };
            PlanEvent::Start(some.iter().map(ranked).collect())
        }
        6..9 => PlanEvent::Busy { peer, retry_after_ms: rng.random_range(0..2_000) },
        9..11 => PlanEvent::Refused { peer, reason: "no".into() },
        11 => {
            let kinds = [
                FaultKind::Internal,
                FaultKind::NoVariant,
                FaultKind::Deadline,
                FaultKind::BadInput,
            ];
            let kind = kinds[rng.random_range(0..kinds.len())];
            PlanEvent::Failed { peer, fault: Fault::new(kind, "oh") }
        }
        12..15 => PlanEvent::Lost {
            peer,
            reached: rng.random(),
            own: rng.random_bool(0.2),
            why: "reset".into(),
        },
        15 if rng.random_bool(0.3) => PlanEvent::Answered { peer },
        16 if rng.random_bool(0.05) => PlanEvent::CancelledByCaller,
        _ => PlanEvent::Timer,
    }
}
