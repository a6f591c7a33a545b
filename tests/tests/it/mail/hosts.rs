//! Mail between processes: on hosts of a LAN that find each other by mDNS, with clocks that are wrong, with disks
//! that are full.

use std::{fs, io::Write as _, process::Command};

use potluck_tests::{lan::Lan, process::NOTHING, skipped};
use serde_json::json;

use super::*;

/// Letters that fit into what records have free.
const MOST: usize = 2_000;

/// Waits until a node can write to these.
fn met(node: &Process, names: &[&str]) -> anyhow::Result<()> {
    wait_until(|| {
        let people = node.json(["contacts"])?;
        let all = people.as_array().context("a list")?;
        let met = |name: &&str| {
            all.iter().any(|who| who["name"] == **name && who["takes_letters"] == true)
        };
        Ok(names.iter().all(met))
    })
}

/// Waits until each letter in the outbox is so.
fn outbox_is(node: &Process, so: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let look = || -> anyhow::Result<Value> { node.json(["outbox"]) };
    wait_until(|| Ok(look()?.as_array().context("a list")?.iter().all(&so)))
        .with_context(|| format!("{:?} {}", look(), node.log()))
}

fn held_by(letter: &Value) -> usize {
    letter["held_by"].as_array().map_or(0, Vec::len)
}

/// The texts in an inbox.
fn texts(node: &Process) -> anyhow::Result<Vec<String>> {
    let came = node.json(["inbox"])?;
    let texts = came.as_array().context("a list")?.iter();
    Ok(texts.filter_map(|one| one["text"].as_str().map(str::to_owned)).collect())
}

fn texts_are(node: &Process, expected: &[String]) -> anyhow::Result<()> {
    wait_until(|| Ok(texts(node)?.len() >= expected.len()))
        .with_context(|| format!("{:?} {}", texts(node), node.log()))?;
    assert_eq!(texts(node)?, expected);
    Ok(())
}

/// A file system in memory, of so many MiB. Taken down when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(mib: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        let mounted = mount.output()?;
        ensure!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
        Ok(Self(folder))
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    /// Leaves no byte free.
    fn fill(&self) -> anyhow::Result<()> {
        let mut filler = fs::File::create(self.0.path().join("filler"))?;
        for block in [1 << 20, 4096, 1] {
            while filler.write_all(&vec![1; block]).is_ok() {}
        }
        Ok(())
    }

    fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.0.path().join("filler"))?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn on_a_lan_the_sender_leaves_and_the_recipient_has_everything() -> anyhow::Result<()> {
    let lan = match Lan::new(4) {
        Ok(lan) => lan,
        Err(error) => {
            skipped("mail on a LAN", &format!("{error:#}"));
            return Ok(());
        }
    };
    let folder = tempfile::tempdir()?;
    let names = ["alice", "bob", "first", "second"];
    let start = |host: usize| {
        let up = Up::in_namespace(names[host], lan.host(host));
        let up = if host < 2 { up.args(NOTHING) } else { up.args(["--offer", "keep"]) };
        up.start_in(&folder.path().join(names[host]))
    };
    let (alice, bob, _first, _second) = (start(0)?, start(1)?, start(2)?, start(3)?);
    met(&alice, &["bob", "first", "second"])?;
    bob.signal("TERM")?;
    bob.wait()?;
    let files = folder.path().join("照片 2026");
    fs::create_dir_all(files.join("empty"))?;
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n / 3) as u8).collect();
    fs::write(files.join("large.bin"), &bytes)?;
    let mut expected: Vec<_> = (0..5).map(|n| format!("letter {n} 你好")).collect();
    for text in &expected {
        alice.json(["send", "--to", "bob", "--text", text])?;
    }
    expected.push("with files".to_owned());
    alice.json(["send", "--to", "bob", "--text", "with files", &files.to_string_lossy()])?;
    outbox_is(&alice, |letter| held_by(letter) == 2)?;
    alice.signal("TERM")?;
    alice.wait()?;

    let bob = start(1)?;
    texts_are(&bob, &expected)?;
    let came = bob.json(["inbox"])?;
    let with_files = came.as_array().and_then(|all| {
        all.iter().find(|one| one["files"].as_array().is_some_and(|all| !all.is_empty()))
    });
    let id = with_files.and_then(|one| one["id"].as_str()).context("the files came")?;
    let saved = folder.path().join("saved");
    bob.json(["inbox", id, "--save", &saved.to_string_lossy()])?;
    assert!(fs::read(saved.join("照片 2026/large.bin"))? == bytes);
    assert!(saved.join("照片 2026/empty").is_dir());
    let alice = start(0)?;
    outbox_is(&alice, |letter| matches!(letter["state"].as_str(), Some("delivered" | "read")))
}

#[test]
fn clocks_an_hour_apart_neither_lose_nor_mix_up_letters() -> anyhow::Result<()> {
    if Up::default().shifted("+1h").is_none() {
        skipped("clocks an hour apart", "libfaketime is not installed");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let keeper = Up::on_loopback("keeper").args(["--offer", "keep"]);
    let keeper = keeper.start_in(&folder.path().join("keeper"))?;
    let address = format!("{}/p2p/{}", keeper.address(), keeper.id());
    let start = |name: &str, shift: &str| {
        let up = Up::on_loopback(name).args(NOTHING).args(["--join", &address]);
        let up = up.shifted(shift).context("libfaketime was there")?;
        up.start_in(&folder.path().join(name))
    };
    for (early, late) in [("-1h", "+1h"), ("+1h", "-1h")] {
        let (alice, bob) = (format!("alice {early}"), format!("bob {late}"));
        let sender = start(&alice, early)?;
        let recipient = start(&bob, late)?;
        met(&sender, &[&bob])?;
        met(&recipient, &[&alice])?;
        let mut expected: Vec<_> = (0..3).map(|n| format!("direct {n}")).collect();
        for text in &expected {
            sender.json(["send", "--to", &bob, "--text", text])?;
        }
        texts_are(&recipient, &expected)?;
        recipient.json(["send", "--to", &alice, "--text", "an answer"])?;
        texts_are(&sender, &["an answer".to_owned()])?;
        recipient.signal("TERM")?;
        recipient.wait()?;
        for n in 0..3 {
            let text = format!("kept {n}");
            sender.json(["send", "--to", &bob, "--text", &text])?;
            expected.push(text);
        }
        outbox_is(&sender, |letter| letter["state"] == "delivered" || held_by(letter) == 1)?;
        sender.signal("TERM")?;
        sender.wait()?;
        texts_are(&start(&bob, late)?, &expected)?;
        outbox_is(&start(&alice, early)?, |letter| letter["state"] == "delivered")?;
    }
    Ok(())
}

#[test]
fn a_full_disk_is_said_and_costs_no_letter() -> anyhow::Result<()> {
    // Above what nodes leave free for others.
    let disks = Disk::new(560).and_then(|small| Ok((small, Disk::new(64)?)));
    let (small, own) = match disks {
        Ok(disks) => disks,
        Err(error) => {
            skipped("a full disk", &format!("{error:#}"));
            return Ok(());
        }
    };
    let folder = tempfile::tempdir()?;
    let second = Up::on_loopback("second").args(["--offer", "keep"]);
    let second = second.start_in(&folder.path().join("second"))?;
    let address = format!("{}/p2p/{}", second.address(), second.id());
    let joining = |name: &str| Up::on_loopback(name).args(["--join", &address]);
    let first = joining("first").args(["--offer", "keep"]).start_in(&small.home())?;
    let bob = || joining("bob").args(NOTHING).start_in(&folder.path().join("bob"));
    let there = bob()?;
    let alice = joining("alice").args(NOTHING).start_in(&own.home())?;
    met(&alice, &["bob", "first", "second"])?;
    there.signal("TERM")?;
    there.wait()?;
    let mut expected = Vec::new();
    let mut send = |text: &str| -> anyhow::Result<()> {
        expected.push(text.to_owned());
        alice.json(["send", "--to", "bob", "--text", text]).map(drop)
    };
    send("both have it")?;
    outbox_is(&alice, |letter| held_by(letter) == 2)?;

    small.fill()?;
    send("the second has it")?;
    outbox_is(&alice, |letter| held_by(letter) >= 1)?;
    let waits = alice.json(["outbox"])?;
    let waits = waits.as_array().and_then(|all| all.last()).context("it is there")?.clone();
    assert_eq!(waits["held_by"], json!(["second"]), "the first has no room");

    // What is free inside of the records is used up first.
    own.fill()?;
    let failed = (0..MOST).find_map(|n| {
        let text = format!("the disk is full {n}");
        let sent = alice.run(["send", "--to", "bob", "--text", &text]);
        sent.map(|sent| match sent.code {
            Some(0) => {
                expected.push(text);
                None
            }
            _ => Some(sent),
        })
        .transpose()
    });
    let failed = failed.context("it does not fail")??;
    assert_eq!(failed.code, Some(4), "{failed:?}");
    assert!(failed.err.contains("check the disk"), "{failed:?}");
    assert!(!alice.log().contains("panicked"), "{}", alice.log());
    own.empty()?;
    // Without being started again.
    let mut tried = 0;
    wait_until(|| {
        tried += 1;
        let text = format!("there is room {tried}");
        let sent = alice.run(["send", "--to", "bob", "--text", &text])?.code == Some(0);
        expected.extend(sent.then_some(text));
        Ok(sent)
    })
    .with_context(|| alice.log())?;
    small.empty()?;
    alice.json(["send", "--to", "bob", "--text", "both again"])?;
    expected.push("both again".to_owned());
    wait_until(|| {
        let went = alice.json(["outbox"])?;
        let last = went.as_array().and_then(|all| all.last()).map_or(0, held_by);
        Ok(last == 2)
    })
    .with_context(|| first.log())?;
    texts_are(&bob()?, &expected)
}
