//! Letters between whole nodes: to who is off, through kills, to keys that were erased.

#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
mod hosts;
mod wishes;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use potluck::{
    Client, Node,
    mail::{
        Ask, Options, Told,
        ask::{Coming, Incoming, Outgoing},
        records::Stage,
    },
};
use potluck_tests::{
    mesh::{PATIENCE, Setup, all_see_all},
    process::{Process, Up, wait_until},
};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use serde_json::Value;

/// A node with mail, in a folder that stays.
fn at_home(name: &str, folder: &Path) -> Setup {
    Setup::new(name).at_home(&folder.join(name))
}

async fn send(client: &Client, to: &str, text: &str, paths: Vec<PathBuf>) -> Outgoing {
    let ask = Ask::Send { to: to.to_owned(), text: Some(text.to_owned()), paths, wait_ms: None };
    match client.mail(ask).await {
        Ok(Told::Sent(sent)) => *sent,
        other => panic!("{other:?}"),
    }
}

async fn inbox(client: &Client) -> Vec<Incoming> {
    match client.mail(Ask::Inbox { with: None }).await {
        Ok(Told::Inbox { came, .. }) => came,
        other => panic!("{other:?}"),
    }
}

async fn outbox(client: &Client) -> Vec<Outgoing> {
    match client.mail(Ask::Outbox).await {
        Ok(Told::Outbox(went)) => went,
        other => panic!("{other:?}"),
    }
}

/// Waits until something can be seen.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("not seen: {what}"))
}

/// Waits until so many letters came and were opened.
async fn opened(client: &Client, count: usize) -> Vec<Incoming> {
    until(&format!("{count} letters"), async || {
        let came = inbox(client).await;
        let ready = came.iter().all(|one| one.contents.is_some() || one.trouble.is_some());
        (ready && came.len() >= count).then_some(came)
    })
    .await
}

/// Waits until a letter got so far.
async fn stage(client: &Client, id: &str, wanted: Stage) -> Outgoing {
    until(&format!("{id} is {wanted:?}"), async || {
        outbox(client).await.into_iter().find(|one| one.id == id && one.stage == wanted)
    })
    .await
}

async fn people_are_met(node: &Node, count: usize) {
    let client = node.client();
    until("everybody is met", async || match client.mail(Ask::People).await {
        Ok(Told::People(people)) => {
            let known = people.iter().filter(|who| who.takes_letters).count();
            (known >= count).then_some(())
        }
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_off_gets_everything_once_and_in_order_after_the_sender_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (at_home("first", folder.path()), at_home("second", folder.path()));
    let first = first.start().await;
    let second = second.joining(&first).start().await;
    let bob = at_home("bob", folder.path()).joining(&first).start().await;
    let alice = at_home("alice", folder.path()).joining(&first).start().await;
    all_see_all(&[&first, &second, &bob, &alice]).await;
    people_are_met(&alice, 3).await;
    let direct = send(&alice.client(), "bob", "while you are here", vec![]).await;
    stage(&alice.client(), &direct.id, Stage::Delivered).await;
    bob.stop().await;

    let files = folder.path().join("files");
    std::fs::create_dir_all(files.join("empty")).expect("made");
    std::fs::write(files.join("big.bin"), vec![7; 3 << 20]).expect("written");
    let mut last = String::new();
    for n in 0..20 {
        let paths = if n == 10 { vec![files.clone()] } else { vec![] };
        last = send(&alice.client(), "bob", &format!("letter {n}"), paths).await.id;
    }
    let held = until("two keepers have all", async || {
        let went = outbox(&alice.client()).await;
        let all = went.iter().skip(1).all(|one| one.stage == Stage::Held && one.held_by.len() == 2);
        all.then_some(went)
    })
    .await;
    assert_eq!(held.len(), 21);
    alice.stop().await;

    let bob = at_home("bob", folder.path()).joining(&second).start().await;
    let came = opened(&bob.client(), 21).await;
    let texts: Vec<_> = came.iter().filter_map(|one| one.contents.as_ref()?.text.clone()).collect();
    let expected: Vec<_> = std::iter::once("while you are here".to_owned())
        .chain((0..20).map(|n| format!("letter {n}")))
        .collect();
    assert_eq!(texts, expected);
    let with_files = came.iter().find(|one| one.contents.as_ref().is_some_and(|c| c.files > 0));
    let id = with_files.expect("the files came").id.clone();
    let saved = bob.client().mail(Ask::Save { id, folder: folder.path().join("saved") }).await;
    assert!(matches!(&saved, Ok(Told::Saved(all)) if all.len() == 1), "{saved:?}");
    let big = folder.path().join("saved/files/big.bin");
    assert!(std::fs::read(big).expect("saved") == vec![7; 3 << 20]);
    assert!(folder.path().join("saved/files/empty").is_dir());
    // Keepers have given up what arrived.
    let bodies = |name: &str| {
        let folder = folder.path().join(name).join("mail/bodies");
        std::fs::read_dir(folder).expect("a folder").count()
    };
    until("keepers have nothing left", async || {
        (bodies("first") == 0 && bodies("second") == 0).then_some(())
    })
    .await;
    // The sender hears of it when it is back, and that one was read.
    let alice = at_home("alice", folder.path()).joining(&first).start().await;
    stage(&alice.client(), &last, Stage::Delivered).await;
    until("one was read", async || {
        outbox(&alice.client()).await.iter().any(|one| one.stage == Stage::Read).then_some(())
    })
    .await;
    assert_eq!(inbox(&bob.client()).await.len(), 21, "nothing came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_to_a_key_that_was_erased_is_refused_and_can_be_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = at_home("keeper", folder.path()).start().await;
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    let alice = at_home("alice", folder.path()).joining(&keeper).start().await;
    all_see_all(&[&keeper, &bob, &alice]).await;
    people_are_met(&alice, 2).await;
    bob.stop().await;
    let lost = send(&alice.client(), "bob", "sealed to the old key", vec![]).await;
    stage(&alice.client(), &lost.id, Stage::Held).await;
    std::fs::remove_file(folder.path().join("bob/sealing.keys")).expect("erased");
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    let refused = stage(&alice.client(), &lost.id, Stage::Refused).await;
    assert!(refused.why.as_ref().is_some_and(|why| why.contains("send it again")), "{refused:?}");
    assert_eq!(inbox(&bob.client()).await, []);
    // That the key is new is said before anything is sealed to it.
    until("the new key is known", async || match alice.client().mail(Ask::People).await {
        Ok(Told::People(people)) => people.iter().any(|who| who.new_key).then_some(()),
        _ => None,
    })
    .await;
    let resend = || async { alice.client().mail(Ask::Resend { id: lost.id.clone() }).await };
    let warned = resend().await.expect_err("it is a new key");
    assert!(warned.message.contains("new sealing key"), "{warned}");
    let Ok(Told::Sent(anew)) = resend().await else { panic!("it is sent") };
    stage(&alice.client(), &anew.id, Stage::Delivered).await;
    let came = opened(&bob.client(), 1).await;
    let text = came[0].contents.as_ref().and_then(|contents| contents.text.as_deref());
    assert_eq!(text, Some("sealed to the old key"));
    assert!(outbox(&alice.client()).await.iter().all(|one| one.id != lost.id), "it is replaced");
    // What was deleted does not come again, and what was taken back does not arrive.
    let id = came[0].id[..8].to_owned();
    assert_eq!(bob.client().mail(Ask::Delete { id }).await, Ok(Told::Done));
    assert_eq!(inbox(&bob.client()).await, []);
    let cancelled = alice.client().mail(Ask::Cancel { id: anew.id }).await;
    assert!(cancelled.is_err(), "it was delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flips_at_a_keeper_is_found_and_the_other_one_has_the_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = at_home("first", folder.path()).start().await;
    let second = at_home("second", folder.path()).joining(&first).start().await;
    let bob = at_home("bob", folder.path()).joining(&first).start().await;
    let alice = at_home("alice", folder.path()).joining(&first).start().await;
    all_see_all(&[&first, &second, &bob, &alice]).await;
    people_are_met(&alice, 3).await;
    bob.stop().await;
    // Some travel with the call, and some are fetched.
    let sizes = [20 << 10, 700 << 10];
    let files = sizes.map(|size| {
        let path = folder.path().join(format!("{size}.bin"));
        std::fs::write(&path, vec![5; size]).expect("written");
        path
    });
    for n in 0..10 {
        let file = files[n % 2].clone();
        send(&alice.client(), "bob", &format!("letter {n}"), vec![file]).await;
    }
    until("two keepers have all", async || {
        let went = outbox(&alice.client()).await;
        went.iter().all(|one| one.held_by.len() == 2).then_some(())
    })
    .await;
    alice.stop().await;
    let bodies = folder.path().join("first/mail/bodies");
    let there = std::fs::read_dir(&bodies).expect("a folder");
    let there = there.map(|body| body.expect("a body").path());
    let sealed: Vec<_> =
        there.filter(|path| path.extension().is_some_and(|e| e == "age")).collect();
    assert_eq!(sealed.len(), 10);
    for (n, path) in sealed.into_iter().enumerate() {
        let mut bytes = std::fs::read(&path).expect("read");
        let at = n * bytes.len() / 10;
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).expect("written");
    }
    let bob = at_home("bob", folder.path()).joining(&first).start().await;
    let came = opened(&bob.client(), 10).await;
    assert!(came.iter().all(|one| one.trouble.is_none()), "{came:?}");
    until("what was damaged is given up", async || {
        (std::fs::read_dir(&bodies).expect("a folder").count() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_for_a_moment_costs_no_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = at_home("keeper", folder.path()).start().await;
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    let alice = at_home("alice", folder.path()).joining(&keeper).start().await;
    all_see_all(&[&keeper, &bob, &alice]).await;
    people_are_met(&alice, 2).await;
    bob.stop().await;
    let file = folder.path().join("some.bin");
    std::fs::write(&file, vec![5; 20 << 10]).expect("written");
    let letters = [
        send(&alice.client(), "bob", "readable", vec![file.clone()]).await,
        send(&alice.client(), "bob", "unreadable for a while", vec![file]).await,
    ];
    for letter in &letters {
        stage(&alice.client(), &letter.id, Stage::Held).await;
    }
    alice.stop().await;
    // A folder in its place: it opens, and reading it fails.
    let body = folder.path().join(format!("keeper/mail/bodies/{}.age", letters[1].id));
    let aside = folder.path().join("aside");
    std::fs::rename(&body, &aside).expect("moved");
    std::fs::create_dir(&body).expect("made");
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    opened(&bob.client(), 1).await;
    // That came in one go with the other, which failed.
    std::fs::remove_dir(&body).expect("it is still there");
    std::fs::rename(&aside, &body).expect("moved back");
    opened(&bob.client(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_a_keeper_does_not_take_holds_up_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let keeper = at_home("keeper", folder.path());
    // One sender has a quarter of it.
    let keeper = keeper.configured(|it| it.change::<Options>(|mail| mail.keep_mib = 1));
    let keeper = keeper.start().await;
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    let alice = at_home("alice", folder.path()).joining(&keeper).start().await;
    all_see_all(&[&keeper, &bob, &alice]).await;
    people_are_met(&alice, 2).await;
    bob.stop().await;
    let file = folder.path().join("large.bin");
    std::fs::write(&file, vec![1; 600 << 10]).expect("written");
    let large = send(&alice.client(), "bob", "large", vec![file]).await;
    let mut small = Vec::new();
    for n in 0..30 {
        small.push(send(&alice.client(), "bob", &format!("small {n}"), vec![]).await.id);
    }
    for id in &small {
        stage(&alice.client(), id, Stage::Held).await;
    }
    let waits = outbox(&alice.client()).await.into_iter().find(|one| one.id == large.id);
    assert_eq!(waits.map(|one| one.stage), Some(Stage::Queued));
    let bob = at_home("bob", folder.path()).joining(&keeper).start().await;
    assert_eq!(opened(&bob.client(), 31).await.len(), 31, "the large one comes from its sender");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Setup::new("plain").start().await;
    let no_mail = plain.client().mail(Ask::Outbox).await.expect_err("it has no data folder");
    assert!(no_mail.message.contains("no mail"), "{no_mail}");
    let alice = at_home("alice", folder.path()).joining(&plain).start().await;
    let twins =
        [at_home("bob", &folder.path().join("1")), at_home("bob", &folder.path().join("2"))];
    let [one, two] = twins.map(|twin| twin.joining(&alice));
    let (one, two) = (one.start().await, two.start().await);
    all_see_all(&[&plain, &alice, &one, &two]).await;
    people_are_met(&alice, 2).await;
    let client = alice.client();
    let tried = async |to: &str, paths: Vec<PathBuf>| {
        let text = paths.is_empty().then(|| "x".to_owned());
        let sent = client.mail(Ask::Send { to: to.to_owned(), text, paths, wait_ms: None }).await;
        sent.expect_err("it is refused").message
    };
    for (to, word) in [
        ("nobody", "nobody called nobody"),
        ("bob", "several are called bob"),
        ("plain", "takes no letters"),
        (&client.id().to_string(), "this node itself"),
    ] {
        let said = tried(to, vec![]).await;
        assert!(said.contains(word), "{to}: {said}");
    }
    let id = two.client().id().to_string();
    assert!(tried(&id, vec!["/there/is/none".into()]).await.contains("/there/is/none"));
    let print = potluck::identity::fingerprint(&two.client().id());
    send(&client, &print, "to one of two", vec![]).await;
    opened(&two.client(), 1).await;
    assert_eq!(inbox(&one.client()).await, []);
}

/// `kill -9` of sender, keeper and recipient in turn, at any moment: everything that `potluck send`
/// said was sent arrives once, in order. `POTLUCK_ROUNDS` asks for more than the few of CI.
#[test]
fn kills_at_any_moment_lose_no_letter() -> anyhow::Result<()> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("POTLUCK_SEED").unwrap_or_else(rand::random);
    let rounds = number("POTLUCK_ROUNDS").unwrap_or(6);
    println!("POTLUCK_SEED={seed} POTLUCK_ROUNDS={rounds}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir()?;
    let home = |name: &str| folder.path().join(name);
    let offer = ["--offer", "keep"];
    let keeper = Up::on_loopback("keeper").args(offer).start_in(&home("keeper"))?;
    let listen = keeper.address().to_owned();
    let address = format!("{listen}/p2p/{}", keeper.id());
    let start = |name: &str| -> anyhow::Result<Process> {
        let up = match name {
            // Others know it by its address.
            "keeper" => Up { name: name.to_owned(), ..Up::default() }.args([
                "--no-mdns",
                "--listen",
                &listen,
            ]),
            _ => Up::on_loopback(name).args(["--join", &address]),
        };
        up.args(offer).start_in(&home(name))
    };
    let mut nodes = [start("alice")?, keeper, start("bob")?];
    let names = ["alice", "keeper", "bob"];
    for (node, name) in [(0, "bob"), (2, "alice")] {
        wait_until(|| {
            let people = nodes[node].json(["contacts"])?;
            let met = |who: &Value| who["name"] == name && who["takes_letters"] == true;
            Ok(people.as_array().is_some_and(|all| all.iter().any(met)))
        })?;
    }
    // Of strangers, 200 letters wait at most: bob has written to alice.
    nodes[2].json(["send", "--to", "alice", "--text", "write to me"])?;
    let mut acknowledged = BTreeSet::new();
    let mut tried = 0;
    for round in 0..rounds {
        let victim = rng.random_range(0..3);
        for _ in 0..3 {
            let text = format!("{tried:05}");
            tried += 1;
            let mut sending = nodes[0].command(["send", "--to", "bob", "--text", &text]);
            let mut sending = sending.args(["--timeout", "0.3"]).spawn()?;
            std::thread::sleep(Duration::from_millis(rng.random_range(0..120)));
            if rng.random_bool(0.4) {
                nodes[victim].signal("KILL")?;
            }
            if sending.wait()?.success() {
                acknowledged.insert(text);
            }
        }
        nodes[victim].signal("KILL")?;
        println!(
            "round {round}: {} was killed; {} of {tried} sent",
            names[victim],
            acknowledged.len()
        );
        let again = |name| start(name);
        replace(&mut nodes[victim], || again(names[victim]))?;
    }
    let texts = |node: &Process| -> anyhow::Result<Vec<String>> {
        let came = node.json(["inbox"])?;
        let texts = came.as_array().context("a list")?.iter();
        Ok(texts.filter_map(|one| one["text"].as_str().map(str::to_owned)).collect())
    };
    wait_until(|| {
        let got: BTreeSet<_> = texts(&nodes[2])?.into_iter().collect();
        Ok(acknowledged.is_subset(&got))
    })
    .with_context(|| {
        let logs: Vec<_> = nodes.iter().map(Process::log).collect();
        format!("seed {seed}: not all of {acknowledged:?} came: {:?} {logs:?}", texts(&nodes[2]))
    })?;
    let got = texts(&nodes[2])?;
    let mut once = got.clone();
    once.sort();
    once.dedup();
    ensure!(got == once, "seed {seed}: twice or out of order: {got:?}");
    ensure!(!acknowledged.is_empty(), "something was sent");
    Ok(())
}

/// Ends a process that was killed, and starts it again.
fn replace(old: &mut Process, start: impl Fn() -> anyhow::Result<Process>) -> anyhow::Result<()> {
    old.kill()?;
    *old = start()?;
    Ok(())
}
