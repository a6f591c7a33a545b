//! The rules one by one, and five hundred nodes that come and go.

use std::collections::HashMap;

use libp2p::identity::Keypair;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng, seq::IteratorRandom as _};

use super::*;
use crate::mail::{
    envelope::{Envelope, Fate, LONGEST_MS, Receipt, SignedEnvelope, SignedReceipt},
    letter::Draft,
    records::Stage,
};

fn key(n: u16) -> Keypair {
    let mut secret = [7; 32];
    secret[..2].copy_from_slice(&n.to_be_bytes());
    Keypair::ed25519_from_bytes(secret).expect("any 32 bytes are a key")
}

fn letter(from: &Keypair, to: PeerId, number: u64) -> Sent {
    let (by, written_at) = (from.public().to_peer_id().to_bytes(), 1_000 + number);
    let id = EnvelopeId::of(&by, &to.to_bytes(), number, written_at);
    let outside = Envelope {
        version: 1,
        id,
        from: by,
        to: to.to_bytes(),
        sealing: "age1".to_owned(),
        hash: *blake3::hash(&id.0).as_bytes(),
        size: 1000,
        number,
        written_at,
        expires_at: written_at + LONGEST_MS,
    };
    Sent {
        signed: SignedEnvelope::sign(&outside, from).expect("signs"),
        outside,
        draft: Draft::default(),
        bytes: 1000,
        stage: Stage::Queued,
        holders: vec![],
        lost: vec![],
        changed_at: 0,
        why: None,
        paused: false,
    }
}

fn receipt(of: &Envelope, by: &Keypair, fate: Fate) -> SignedReceipt {
    let by_id = by.public().to_peer_id().to_bytes();
    let receipt =
        Receipt { version: 1, envelope: of.id, hash: of.hash, fate, by: by_id, at: 0, why: None };
    SignedReceipt::sign(&receipt, by).expect("signs")
}

/// What one node holds.
#[derive(Default)]
struct Office {
    sent: BTreeMap<EnvelopeId, Sent>,
    received: BTreeMap<EnvelopeId, Received>,
    kept: BTreeMap<EnvelopeId, Kept>,
    done: BTreeMap<EnvelopeId, Done>,
    declined: Declined,
}

impl Office {
    fn steps(&self, me: &PeerId, present: &Present) -> BTreeMap<PeerId, Vec<Step>> {
        let Self { sent, received, kept, done, declined } = self;
        steps(me, Held { sent, received, kept, done, declined }, present)
    }

    fn with(sent: &[&Sent]) -> Self {
        let sent = sent.iter().map(|sent| (sent.outside.id, (*sent).clone())).collect();
        Self { sent, ..Self::default() }
    }
}

fn present(of: &[(PeerId, bool, bool)]) -> Present {
    let able = |takes, keeps| Abilities { takes, keeps, failing: false, entry: false };
    Present(of.iter().map(|(peer, takes, keeps)| (*peer, able(*takes, *keeps))).collect())
}

#[test]
fn who_is_there_gets_its_letters_and_for_others_two_keep_them() {
    let ids: Vec<_> = (0..10).map(|n| key(n).public().to_peer_id()).collect();
    let (first, second) = (letter(&key(0), ids[1], 1), letter(&key(0), ids[1], 2));
    let office = Office::with(&[&second, &first]);
    let everybody: Vec<_> = ids.iter().map(|id| (*id, true, true)).collect();
    let todo = office.steps(&ids[0], &present(&everybody));
    let direct = vec![Step::Deliver(first.outside.id), Step::Deliver(second.outside.id)];
    assert_eq!(todo, BTreeMap::from([(ids[1], direct)]), "in order, and nobody else is asked");
    // Without the recipient: two others, never the sender.
    let away: Vec<_> = everybody.iter().filter(|(id, ..)| *id != ids[1]).copied().collect();
    let todo = office.steps(&ids[0], &present(&away));
    assert_eq!(todo.len(), KEEPERS);
    assert!(!todo.contains_key(&ids[0]) && todo.values().all(|steps| steps.len() == 2));
    // The same two whoever looks, as long as they are there; then the next.
    let fewer: Vec<_> = away.iter().filter(|(id, ..)| todo.contains_key(id)).copied().collect();
    assert_eq!(office.steps(&ids[0], &present(&fewer)), todo);
    let mut held = first.clone();
    for keeper in todo.keys() {
        let n = ids.iter().position(|id| id == keeper).expect("one of them");
        let signed = receipt(&held.outside, &key(n as u16), Fate::Held).verify().expect("good");
        assert!(held.hear(&signed, 5));
    }
    assert_eq!((held.stage, held.holders.len()), (Stage::Held, 2));
    let office = Office::with(&[&held]);
    assert_eq!(office.steps(&ids[0], &present(&away)), BTreeMap::new(), "enough have it");
    let one_left: Vec<_> = away.iter().filter(|(id, ..)| *id != held.holders[0]).copied().collect();
    let todo = office.steps(&ids[0], &present(&one_left));
    assert_eq!(todo.len(), 1, "a keeper that left is replaced: {todo:?}");
    assert!(!todo.contains_key(&held.holders[1]));
    // Who cannot be reached although it seems to be there is written to by way of others too.
    let mut failing = present(&everybody);
    failing.0.get_mut(&ids[1]).expect("it is there").failing = true;
    let todo = Office::with(&[&first]).steps(&ids[0], &failing);
    assert!(todo.contains_key(&ids[1]) && todo.len() == 3, "{todo:?}");
}

#[test]
fn a_keeper_that_is_full_or_lies_is_replaced_by_the_next() {
    let ids: Vec<_> = (0..10).map(|n| key(n).public().to_peer_id()).collect();
    let away: Vec<_> = ids.iter().filter(|id| **id != ids[1]).map(|id| (*id, true, true)).collect();
    let away = present(&away);
    let sent = letter(&key(0), ids[1], 1);
    let id = sent.outside.id;
    let mut office = Office::with(&[&sent]);
    let asked = office.steps(&ids[0], &away);
    let [full, liar] = <[PeerId; 2]>::try_from(asked.into_keys().collect::<Vec<_>>()).expect("two");
    let no = Decline { why: "full".to_owned(), until: 9 };
    office.declined.entry(id).or_default().insert(full, no);
    let asked = office.steps(&ids[0], &away);
    assert!(asked.len() == 2 && !asked.contains_key(&full), "{asked:?}");
    // The other one signs, and cannot prove later that it has it.
    let n = ids.iter().position(|one| *one == liar).expect("one of them");
    let signed = receipt(&sent.outside, &key(n as u16), Fate::Held).verify().expect("good");
    let held = office.sent.get_mut(&id).expect("it is there");
    assert!(held.hear(&signed, 5) && held.stage == Stage::Held);
    assert!(held.lost_by(&liar, 6) && !held.lost_by(&liar, 7));
    assert_eq!((held.stage, held.changed_at), (Stage::Queued, 6));
    assert!(!held.hear(&signed, 8), "its word does not count twice");
    let asked = office.steps(&ids[0], &away);
    assert!(asked.len() == 2 && !asked.contains_key(&liar) && !asked.contains_key(&full));
    // Also a recipient may decline for now, and is not asked all the time.
    let no = Decline { why: "no room".to_owned(), until: 9 };
    office.declined.entry(id).or_default().insert(ids[1], no);
    let everybody: Vec<_> = ids.iter().map(|id| (*id, true, true)).collect();
    let asked = office.steps(&ids[0], &present(&everybody));
    assert!(!asked.contains_key(&ids[1]), "{asked:?}");
}

#[test]
fn only_the_recipient_says_that_it_arrived() {
    let (me, to, other) = (key(0), key(1), key(2));
    let sent = letter(&me, to.public().to_peer_id(), 1);
    let says = |sent: &mut Sent, by: &Keypair, fate| {
        let signed = receipt(&sent.outside, by, fate).verify().expect("good");
        sent.hear(&signed, 9)
    };
    for fate in [Fate::Delivered, Fate::Read, Fate::Refused] {
        let mut lied = sent.clone();
        assert!(!says(&mut lied, &other, fate), "{fate:?} by a stranger");
        assert_eq!(lied, sent);
    }
    let mut letter = sent.clone();
    assert!(!says(&mut letter, &to, Fate::Held), "a recipient keeps nothing for itself");
    assert!(says(&mut letter, &other, Fate::Held) && !says(&mut letter, &other, Fate::Held));
    assert!(says(&mut letter, &to, Fate::Delivered) && letter.stage == Stage::Delivered);
    assert!(!says(&mut letter, &other, Fate::Held), "it is over");
    assert!(says(&mut letter, &to, Fate::Read) && letter.stage == Stage::Read);
    assert!(!says(&mut letter, &to, Fate::Delivered) && !says(&mut letter, &to, Fate::Refused));
    // Of another letter, or another body under the same name.
    let mut wrong = receipt(&sent.outside, &to, Fate::Delivered).verify().expect("good");
    wrong.hash[0] ^= 1;
    assert!(!sent.clone().hear(&wrong, 9));
}

/// Nodes come and go, some for good; letters are written all the while. Every letter to somebody who
/// comes back arrives once, although each node only looks at what it holds and who is there.
#[test]
fn five_hundred_nodes_that_come_and_go_lose_no_letter() {
    let seed = match std::env::var("POTLUCK_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => rand::random(),
    };
    println!("POTLUCK_SEED={seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    const NODES: usize = 500;
    let keys: Vec<_> = (0..NODES).map(|n| key(n as u16)).collect();
    let ids: Vec<_> = keys.iter().map(|key| key.public().to_peer_id()).collect();
    let index: HashMap<PeerId, usize> = ids.iter().enumerate().map(|(n, id)| (*id, n)).collect();
    let mut offices: Vec<_> = (0..NODES).map(|_| Office::default()).collect();
    let mut on: Vec<bool> = (0..NODES).map(|_| rng.random_bool(0.7)).collect();
    let mut arrived: HashMap<(usize, usize), Vec<u64>> = HashMap::new();
    let mut written: HashMap<(usize, usize), u64> = HashMap::new();
    for round in 0..60 {
        for node in on.iter_mut() {
            // In the end everybody is there.
            *node = if round >= 50 { true } else { rng.random_bool(if *node { 0.9 } else { 0.3 }) };
        }
        if round < 45 {
            for _ in 0..20 {
                let from = (0..NODES).filter(|n| on[*n]).choose(&mut rng).expect("someone is on");
                let to = (0..NODES).filter(|n| *n != from).choose(&mut rng).expect("another");
                let number = written.entry((from, to)).or_default();
                *number += 1;
                let sent = letter(&keys[from], ids[to], *number);
                offices[from].sent.insert(sent.outside.id, sent);
            }
        }
        let there: Vec<_> = (0..NODES).filter(|n| on[*n]).map(|n| (ids[n], true, true)).collect();
        let there = present(&there);
        for n in (0..NODES).filter(|n| on[*n]).collect::<Vec<_>>() {
            for (peer, todo) in offices[n].steps(&ids[n], &there) {
                // One in ten hand-overs fails, and what follows waits.
                let to = index[&peer];
                for step in todo {
                    if rng.random_bool(0.1) {
                        break;
                    }
                    carry(&mut offices, &keys, (n, to), step, &mut arrived);
                }
            }
        }
    }
    for ((from, to), count) in &written {
        let got = arrived.get(&(*from, *to)).cloned().unwrap_or_default();
        let mut sorted = got.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (1..=*count).collect::<Vec<_>>(), "{from} to {to}, each once");
    }
    let stages = offices.iter().flat_map(|office| office.sent.values()).map(|sent| sent.stage);
    let open = stages.filter(|stage| *stage != Stage::Delivered).count();
    assert_eq!(open, 0, "every sender knows");
    let kept: usize = offices.iter().map(|office| office.kept.len()).sum();
    assert_eq!(kept, 0, "and keepers have nothing left");
}

/// Does one step, as the carriers do.
fn carry(
    offices: &mut [Office],
    keys: &[Keypair],
    (at, to): (usize, usize),
    step: Step,
    arrived: &mut HashMap<(usize, usize), Vec<u64>>,
) {
    let told = |office: &mut Office, signed: &SignedReceipt| {
        let receipt = signed.verify().expect("good");
        if let Some(sent) = office.sent.get_mut(&receipt.envelope) {
            sent.hear(&receipt, 1);
        }
    };
    match step {
        Step::Deliver(id) => {
            let outside = offices[at].sent[&id].outside.clone();
            let signed = take(&mut offices[to], &keys[to], &outside, at, to, arrived);
            told(&mut offices[at], &signed);
        }
        Step::Keep(id) => {
            let Sent { signed, outside, .. } = offices[at].sent[&id].clone();
            let signed_for = match offices[to].done.get(&id) {
                Some(done) => done.receipt.clone(),
                None => {
                    let held = receipt(&outside, &keys[to], Fate::Held);
                    offices[to].kept.insert(id, Kept { signed, outside, came_at: 0 });
                    held
                }
            };
            told(&mut offices[at], &signed_for);
        }
        Step::PassOn(id) => {
            let outside = offices[at].kept[&id].outside.clone();
            let from = outside.sender().expect("a sender");
            let n = keys.iter().position(|key| key.public().to_peer_id() == from).expect("known");
            let signed = take(&mut offices[to], &keys[to], &outside, n, to, arrived);
            offices[at].kept.remove(&id);
            offices[at].done.insert(id, Done::new(signed, &from, true, 0));
        }
        Step::Owe(id) => {
            let owed = offices[at].received.get_mut(&id).and_then(|one| one.owed.take());
            told(&mut offices[to], &owed.expect("it is owed"));
        }
        Step::Answer(id) => {
            let done = offices[at].done.get_mut(&id).expect("it is done");
            done.owed = false;
            let signed = done.receipt.clone();
            told(&mut offices[to], &signed);
        }
        // A person's wish, which is no policy.
        Step::Welcome => {}
    }
}

fn take(
    office: &mut Office,
    key: &Keypair,
    outside: &Envelope,
    from: usize,
    to: usize,
    arrived: &mut HashMap<(usize, usize), Vec<u64>>,
) -> SignedReceipt {
    let signed = receipt(outside, key, Fate::Delivered);
    office.received.entry(outside.id).or_insert_with(|| {
        arrived.entry((from, to)).or_default().push(outside.number);
        Received {
            outside: outside.clone(),
            came_at: 0,
            contents: None,
            trouble: None,
            stranger: false,
            seen_at: None,
            owed: Some(signed.clone()),
        }
    });
    signed
}
