//! What goes wrong with mail: keepers that lie and lose, floods, large letters that break off.

use std::{fs, io, os::unix::fs::MetadataExt as _};

use libp2p::identity::Keypair;
use potluck::{
    mail::{
        News,
        envelope::{Envelope, EnvelopeId, SignedEnvelope},
        serve::{KEEP, MAIL, Request, Response},
    },
    protocol::{self, CallOutcome, CallRequest, FaultKind, Payload},
};
use potluck_tests::bare::Bare;

use super::*;

fn call(capability: &str, request: &Request, input: Option<Vec<u8>>) -> CallRequest {
    CallRequest {
        call: rand::random::<u32>().into(),
        capability: capability.to_owned(),
        deadline_ms: 10_000,
        args: protocol::encode(request).expect("it encodes"),
        input: input.map(Payload::Inline),
        progress: false,
    }
}

fn kind(outcome: CallOutcome) -> FaultKind {
    match outcome {
        CallOutcome::Failed(fault) => fault.kind,
        other => panic!("{other:?}"),
    }
}

/// An envelope for a body of rubbish.
fn envelope(from: &Bare, to: &[u8], number: u64, body: &[u8]) -> Envelope {
    let (from, written_at) = (from.id().to_bytes(), potluck::network::now_ms());
    Envelope {
        version: 1,
        id: EnvelopeId::of(&from, to, number, written_at),
        from,
        to: to.to_vec(),
        sealing: "age1of-nobody".to_owned(),
        hash: *blake3::hash(body).as_bytes(),
        size: body.len() as u64,
        number,
        written_at,
        expires_at: written_at + 60_000,
    }
}

/// Signs what a node would not sign.
fn signed_all_the_same(envelope: &Envelope, key: &Keypair) -> SignedEnvelope {
    #[derive(serde::Serialize)]
    struct Raw {
        #[serde(with = "serde_bytes")]
        body: Vec<u8>,
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        #[serde(with = "serde_bytes")]
        signature: Vec<u8>,
    }
    let body = protocol::encode(envelope).expect("it encodes");
    let signature = key.sign(&[b"potluck-envelope-1:", &body[..]].concat()).expect("signs");
    let raw = Raw { body, key: key.public().encode_protobuf(), signature };
    protocol::decode(&protocol::encode(&raw).expect("it encodes")).expect("the same shape")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_has_not_what_it_signed_for_is_found_out_and_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["first", "second", "third"];
    let first = at_home("first", folder.path()).start().await;
    let second = at_home("second", folder.path()).joining(&first).start().await;
    let third = at_home("third", folder.path()).joining(&first).start().await;
    let bob = at_home("bob", folder.path()).joining(&first).start().await;
    let alice = at_home("alice", folder.path()).joining(&first).start().await;
    all_see_all(&[&first, &second, &third, &bob, &alice]).await;
    people_are_met(&alice, 4).await;
    bob.stop().await;
    for n in 0..5 {
        send(&alice.client(), "bob", &format!("letter {n}"), vec![]).await;
    }
    let held = until("two have all", async || {
        let went = outbox(&alice.client()).await;
        went.iter().all(|one| one.held_by.len() == 2).then_some(went)
    })
    .await;
    let (liar, honest) = (held[0].held_by[0].clone(), held[0].held_by[1].clone());
    alice.stop().await;
    let mut keepers = [Some(first), Some(second), Some(third)];
    let at = names.iter().position(|name| *name == liar).expect("one of the three");
    keepers[at].take().expect("it runs").stop().await;
    fs::remove_dir_all(folder.path().join(&liar).join("mail")).expect("it loses everything");
    let other = keepers.iter().flatten().next().expect("one runs");
    let _liar = at_home(&liar, folder.path()).joining(other).start().await;
    let alice = at_home("alice", folder.path()).joining(other).start().await;
    let held = until("the third has them in its place", async || {
        let went = outbox(&alice.client()).await;
        let replaced = |one: &Outgoing| one.held_by.len() == 2 && !one.held_by.contains(&liar);
        went.iter().all(replaced).then_some(went)
    })
    .await;
    assert!(held.iter().all(|one| one.held_by.contains(&honest)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_place_of_a_letter_that_is_kept_or_learns_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = at_home("keeper", folder.path()).tcp().start().await;
    let address = potluck_tests::mesh::address(&keeper);
    let at = address.split("/p2p/").next().expect("an address").to_owned();
    let (stranger, victim) = (
        Bare::connect(&at, keeper.client().id()).await,
        Bare::connect(&at, keeper.client().id()).await,
    );
    let absent = Keypair::generate_ed25519().public().to_peer_id().to_bytes();
    let body = vec![1; 500];
    let letter = envelope(&victim, &absent, 1, &body);
    let signed = SignedEnvelope::sign(&letter, &victim.key).expect("signs");
    let kept = victim.call(call(KEEP, &Request::Letter(signed.clone()), Some(body.clone()))).await;
    assert!(matches!(kept, CallOutcome::Done(_)), "{kept:?}");
    // Its name, with another sender: nobody can make that.
    let from = stranger.id().to_bytes();
    let squatting = Envelope { from, hash: *blake3::hash(&[2; 500]).as_bytes(), ..letter.clone() };
    let squatting = signed_all_the_same(&squatting, &stranger.key);
    for capability in [KEEP, MAIL] {
        let asked = call(capability, &Request::Letter(squatting.clone()), Some(vec![2; 500]));
        assert_eq!(kind(stranger.call(asked).await), FaultKind::BadInput);
    }
    // Only its sender is told whether it is there, and it is whole.
    let question =
        || call(KEEP, &Request::Prove { envelope: letter.id, group: 0, nonce: [3; 32] }, None);
    let answer = |outcome| match outcome {
        CallOutcome::Done(output) => match protocol::decode(&output.body).expect("it decodes") {
            Response::Proof(proof) => proof.map(serde_bytes::ByteArray::into_array),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let proof = *blake3::keyed_hash(&[3; 32], &body).as_bytes();
    assert_eq!(answer(victim.call(question()).await), Some(proof));
    assert_eq!(answer(stranger.call(question()).await), None);
    // A quarter of what the keeper has is for one sender, whatever it says of the size.
    let huge = Envelope { size: 1 << 39, ..envelope(&victim, &absent, 2, &body) };
    let huge = SignedEnvelope::sign(&huge, &victim.key).expect("signs");
    let refused = victim.call(call(KEEP, &Request::Letter(huge), None)).await;
    assert_eq!(kind(refused), FaultKind::TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_stranger_ends_at_the_box_and_the_sender_is_told_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let bob = at_home("bob", folder.path()).start().await;
    let alice = at_home("alice", folder.path()).joining(&bob).start().await;
    let carol = at_home("carol", folder.path()).joining(&bob).start().await;
    all_see_all(&[&bob, &alice, &carol]).await;
    people_are_met(&alice, 2).await;
    people_are_met(&carol, 2).await;
    people_are_met(&bob, 2).await;
    // Bob knows carol, and not alice.
    send(&bob.client(), "carol", "hello", vec![]).await;
    for n in 0..230 {
        send(&alice.client(), "bob", &format!("buy {n}"), vec![]).await;
    }
    let waits = until("the box is full", async || {
        let went = outbox(&alice.client()).await;
        went.into_iter().find_map(|one| one.waits)
    })
    .await;
    assert!(waits.contains("bob") && waits.contains("strangers is full"), "{waits}");
    send(&carol.client(), "bob", "from a friend", vec![]).await;
    let came = until("the friend's letter", async || {
        let came = inbox(&bob.client()).await;
        came.iter().any(|one| !one.stranger).then_some(came)
    })
    .await;
    assert!(came.iter().filter(|one| one.stranger).count() <= 200, "{}", came.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_node_sees_letters_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let bob = at_home("bob", folder.path()).start().await;
    let alice = at_home("alice", folder.path()).joining(&bob).start().await;
    all_see_all(&[&bob, &alice]).await;
    people_are_met(&alice, 1).await;
    let mut at_bob = bob.client().subscribe().await.expect("it runs");
    let mut at_alice = alice.client().subscribe().await.expect("it runs");
    let sent = send(&alice.client(), "bob", "hello", vec![]).await;
    let news = async |events: &mut potluck::client::Subscription,
                      wanted: &dyn Fn(&News) -> bool| {
        let seen = async {
            loop {
                let event = events.next().await.expect("it runs");
                if let potluck::client::Event::Mail(news) = event
                    && wanted(&news)
                {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("it is told");
    };
    let opened = |news: &News| matches!(news, News::Came(one) if one.id == sent.id && one.contents.is_some());
    news(&mut at_bob, &opened).await;
    let delivered = |news: &News| matches!(news, News::Went(one) if one.id == sent.id && one.stage == Stage::Delivered);
    news(&mut at_alice, &delivered).await;
    let deleted = bob.client().mail(Ask::Delete { id: sent.id.clone() }).await;
    assert_eq!(deleted, Ok(Told::Done));
    news(&mut at_bob, &|news| matches!(news, News::Gone(id) if *id == sent.id)).await;
}

/// `kill -9` of sender and recipient while a large file travels: it goes on where it was.
/// `POTLUCK_MIB` asks for a larger one than CI has time for.
#[test]
fn a_large_letter_goes_on_where_it_broke_off() -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("POTLUCK_SEED").unwrap_or_else(rand::random);
    let mib = number("POTLUCK_MIB").unwrap_or(96);
    println!("POTLUCK_SEED={seed} POTLUCK_MIB={mib}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("large.bin");
    write_random(&file, mib, &mut rng)?;
    // No models: their memory would hide that of the file.
    let offer = ["--offer", "keep"];
    let bob = Up::on_loopback("bob").args(offer).start_in(&folder.path().join("bob"))?;
    let listen = bob.address().to_owned();
    let address = format!("{listen}/p2p/{}", bob.id());
    let start = |name: &str| -> anyhow::Result<Process> {
        match name {
            "bob" => Up { name: name.to_owned(), ..Up::default() }.args([
                "--no-mdns",
                "--listen",
                &listen,
            ]),
            _ => Up::on_loopback(name).args(["--join", &address]),
        }
        .args(offer)
        .start_in(&folder.path().join(name))
    };
    let mut nodes = [start("alice")?, bob];
    for (node, name) in [(0, "bob"), (1, "alice")] {
        wait_until(|| {
            let people = nodes[node].json(["contacts"])?;
            let met = |who: &Value| who["name"] == name && who["takes_letters"] == true;
            Ok(people.as_array().is_some_and(|all| all.iter().any(met)))
        })?;
    }
    // Of strangers, 1 GiB waits at most: bob has written to alice.
    nodes[1].json(["send", "--to", "alice", "--text", "write to me"])?;
    let path = file.to_str().context("a path")?;
    // It stays while the letter moves.
    let mut sending = nodes[0].command(["send", "--to", "bob", path]).spawn()?;
    // What lies there of it, by the disk; a whole one has another name.
    let arriving = folder.path().join("bob/mail/arriving");
    let here = || -> anyhow::Result<u64> {
        let mut here = 0;
        for entry in fs::read_dir(&arriving)?.flatten() {
            if entry.path().extension().is_some_and(|kind| kind == "part") {
                here += entry.metadata().map_or(0, |metadata| metadata.blocks() * 512);
            }
        }
        Ok(here)
    };
    let total = mib << 20;
    let (mut cuts, mut most) = (0, 0);
    for cut in 1..=5 {
        let wanted = total / 7 * cut;
        let named = |entry: io::Result<fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.path().extension().is_some_and(|kind| kind == "tar"))
        };
        let arrived = || anyhow::Ok(fs::read_dir(bodies(&folder, "bob"))?.any(named));
        wait_until(|| Ok(here()? >= wanted || arrived()?)).with_context(|| {
            let logs = nodes.iter().map(Process::log).collect::<Vec<_>>().join("\n");
            format!("seed {seed}: {:?} of {total} are there\n{logs}", here())
        })?;
        let there = here()?;
        if there == 0 {
            break;
        }
        let slack = 1 << 20;
        ensure!(there + slack >= most, "seed {seed}: {there} of {total} are there, {most} were");
        (cuts, most) = (cuts + 1, there);
        let (victim, name) = [(0, "alice"), (1, "bob")][rng.random_range(0..2)];
        nodes[victim].kill()?;
        println!("cut {cut}: {name} was killed with {there} of {total} there");
        replace(&mut nodes[victim], || start(name))?;
    }
    let _ = sending.kill();
    sending.wait()?;
    ensure!(cuts > 0, "it was faster than it could be cut: {cuts}");
    wait_until(|| Ok(nodes[1].json(["inbox"])?[0]["files"].is_array()))?;
    let id = nodes[1].json(["inbox"])?[0]["id"].as_str().context("an id")?.to_owned();
    let saved = folder.path().join("saved");
    nodes[1].json(["inbox", &id, "--save", saved.to_str().context("a path")?])?;
    let same = fs::read(saved.join("large.bin"))? == fs::read(&file)?;
    ensure!(same, "seed {seed}: another file came");
    for node in &nodes {
        let status = fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let line = line.with_context(|| format!("it has ended: {}", node.log()))?;
        let most: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
        ensure!(most < 150 << 10, "seed {seed}: {most} KiB in memory");
    }
    Ok(())
}

fn bodies(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name).join("mail/bodies")
}

fn write_random(path: &Path, mib: u64, rng: &mut SmallRng) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut file = fs::File::create(path)?;
    let mut some = vec![0; 1 << 20];
    for _ in 0..mib {
        rng.fill(&mut some[..]);
        file.write_all(&some)?;
    }
    Ok(())
}
