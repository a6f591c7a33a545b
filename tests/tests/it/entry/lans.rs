//! Two LANs behind routers with NAT, joined by entry nodes with public addresses: real processes in
//! network namespaces.

use std::path::Path;

use anyhow::{Context as _, ensure};
use potluck_tests::{
    entry::Entry,
    internet::Internet,
    process::{NOTHING, Process, Up, wait_until},
    skipped,
};
use serde_json::Value;

fn internet(test: &str) -> Option<Internet> {
    let made = Internet::new();
    if made.as_ref().is_ok_and(|net| !net.has_nat()) {
        skipped(
            test,
            "there is no NAT here (nft): routers that do not know each other's LAN stand in",
        );
    }
    made.map_err(|e| skipped(test, &format!("{e:#}"))).ok()
}

fn up(net: &Internet, (lan, host): (usize, usize), name: &str, entries: &[&Entry]) -> Up {
    let joins = entries.iter().flat_map(|entry| ["--join".to_owned(), entry.join().to_owned()]);
    Up::in_namespace(name, &net.host(lan, host)).args(joins)
}

fn peer(of: &Process, id: &str) -> anyhow::Result<Value> {
    let peers = of.json(["peers"])?;
    let mut all = peers.as_array().into_iter().flatten();
    Ok(all.find(|peer| peer["id"] == id).cloned().unwrap_or_default())
}

/// The addresses that a node knows of another.
fn addresses(of: &Process, id: &str) -> anyhow::Result<String> {
    Ok(peer(of, id)?["addresses"].to_string())
}

fn inbox(of: &Process) -> anyhow::Result<Vec<Value>> {
    let all = of.json(["inbox"])?;
    Ok(all.as_array().cloned().unwrap_or_default())
}

/// Waits until a letter is here with all that is in it, and gives its id.
fn came(of: &Process) -> anyhow::Result<String> {
    let mut id = None;
    wait_until(|| {
        let all = inbox(of)?;
        let whole =
            all.iter().find(|letter| letter["text"].is_string() || letter["files"].is_array());
        id = whole.and_then(|letter| letter["id"].as_str()).map(str::to_owned);
        Ok(id.is_some())
    })?;
    id.context("it came")
}

fn table(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let path = folder.join("table.csv");
    let rows: String = (0..500).map(|n| format!("{n},{}\n", n * 3 % 17)).collect();
    std::fs::write(&path, format!("a,b\n{rows}"))?;
    Ok(path)
}

#[test]
fn two_lans_work_together_through_an_entry_node() -> anyhow::Result<()> {
    let Some(net) = internet("two LANs") else { return Ok(()) };
    // No hole can be punched either: all goes through the entry node.
    net.seal()?;
    let entry = Entry::in_namespace(&net.server(0), "gate")?;
    let a = up(&net, (0, 0), "a", &[&entry])
        .args(["--offer", "chat", "--offer", "analyze", "--offer", "recognize"])
        .start()?;
    let plain = Up::in_namespace("plain", &net.host(0, 1)).args(["--offer", "chat"]).start()?;
    let b = up(&net, (1, 0), "b", &[&entry]).args(NOTHING).start()?;
    b.wait_for_peers(&["a", "gate", "plain"])?;
    a.wait_for_peers(&["b", "gate", "plain"])?;
    // Who is in the LAN of a node that knows an entry node takes a place there too.
    for node in [&a, &plain] {
        wait_until(|| Ok(addresses(&b, node.id())?.contains("p2p-circuit")))?;
        let answer = b.json(["ask", "hello", "--peer", node.id(), "--timeout", "60"])?;
        assert_eq!(answer["served_by"]["id"], node.id());
        assert_eq!(peer(&b, node.id())?["relayed"], true, "there is no direct way");
        let told = addresses(&b, node.id())?;
        assert!(!told.contains("192.168."), "the address of a LAN got out: {told}");
    }
    assert!(!addresses(&plain, b.id())?.contains("192.168."));
    // In their own LAN they are neighbours as ever.
    assert_eq!(plain.json(["ask", "hello", "--peer", a.id()])?["served_by"]["id"], a.id());
    assert_eq!(peer(&plain, a.id())?["relayed"], false);

    let folder = tempfile::tempdir()?;
    let out = folder.path().join("report");
    let analysed = b.json([
        "analyze".as_ref(),
        table(folder.path())?.as_os_str(),
        "-o".as_ref(),
        out.as_os_str(),
        "--timeout".as_ref(),
        "100".as_ref(),
    ])?;
    assert_eq!(analysed["served_by"]["id"], a.id(), "{analysed}");
    assert!(out.join("report.html").exists());

    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/samples/cat.jpg");
    let seen =
        b.json(["recognize".as_ref(), picture.as_os_str(), "--timeout".as_ref(), "100".as_ref()])?;
    assert_eq!(seen[0]["served_by"]["id"], a.id(), "{seen}");
    assert!(seen[0]["labels"][0]["label"].as_str().is_some_and(|it| it.contains("cat")), "{seen}");

    let file = folder.path().join("file.bin");
    let bytes: Vec<u8> = (0..3_000_000u64).map(|n| (n * n / 5) as u8).collect();
    std::fs::write(&file, &bytes)?;
    let sent = b.run(["send", "--to", a.id(), &file.to_string_lossy()])?;
    ensure!(sent.code == Some(0), "{sent:?}");
    came(&a)?;
    Ok(())
}

#[test]
fn a_letter_waits_at_the_entry_node_for_who_is_off() -> anyhow::Result<()> {
    let Some(net) = internet("mail over two LANs") else { return Ok(()) };
    net.seal()?;
    let entry = Entry::in_namespace(&net.server(0), "gate")?;
    let home = tempfile::tempdir()?;
    let a = up(&net, (0, 0), "a", &[&entry]).args(NOTHING).start_in(home.path())?;
    let b = up(&net, (1, 0), "b", &[&entry]).args(NOTHING).start()?;
    b.wait_for_peers(&["a", "gate"])?;
    let to = a.id().to_owned();
    // Whom nobody met nobody writes to: the key of its letters would be hearsay.
    wait_until(|| Ok(b.json(["contacts"])?.to_string().contains(&to)))?;
    a.signal("TERM")?;
    assert_eq!(a.wait()?, Some(0));
    b.wait_for_peers(&["gate"])?;
    let sent = b.run(["send", "--to", &to, "--text", "see you"])?;
    ensure!(sent.code == Some(0), "{sent:?}");
    wait_until(|| Ok(b.json(["outbox"])?.to_string().contains("gate")))?;
    // The writer is off when the recipient comes back.
    b.signal("TERM")?;
    b.wait()?;
    let a = up(&net, (0, 0), "a", &[&entry]).args(NOTHING).start_in(home.path())?;
    came(&a)?;
    Ok(())
}

#[test]
fn a_hole_is_punched_and_the_direct_way_is_taken() -> anyhow::Result<()> {
    let Some(net) = internet("hole punching") else { return Ok(()) };
    if !net.has_nat() {
        return Ok(());
    }
    let entry = Entry::in_namespace(&net.server(0), "gate")?;
    let log = "off,potluck=debug,libp2p_dcutr=debug";
    let up = |at, name| up(&net, at, name, &[&entry]).env("RUST_LOG", log);
    let a = up((0, 0), "a").args(["--offer", "chat"]).start()?;
    let b = up((1, 0), "b").args(NOTHING).start()?;
    b.wait_for_peers(&["a", "gate"])?;
    wait_until(|| Ok(addresses(&b, a.id())?.contains("p2p-circuit")))?;
    assert_eq!(b.json(["ask", "hello", "--timeout", "60"])?["served_by"]["id"], a.id());
    for (node, other) in [(&b, &a), (&a, &b)] {
        wait_until(|| {
            let seen = peer(node, other.id())?;
            Ok(seen["connected"] == true && seen["relayed"] == false)
        })
        .with_context(|| format!("{}\n{}", a.log(), b.log()))?;
    }
    // Without the entry node they go on.
    drop(entry);
    assert_eq!(b.json(["ask", "hello", "--timeout", "60"])?["served_by"]["id"], a.id());
    Ok(())
}

#[test]
fn to_whom_a_router_forwards_is_found_out_and_called_directly() -> anyhow::Result<()> {
    let Some(net) = internet("a forwarded port") else { return Ok(()) };
    if !net.has_nat() {
        return Ok(());
    }
    net.forward((0, 0), 4001)?;
    let entry = Entry::in_namespace(&net.server(0), "gate")?;
    let listen = ["--listen", "/ip4/0.0.0.0/tcp/4001"];
    let a = up(&net, (0, 0), "a", &[&entry]).args(listen).args(["--offer", "chat"]).start()?;
    // The other one of the same LAN listens there too, and is not the one that is reached.
    let other = up(&net, (0, 1), "other", &[&entry]).args(listen).args(NOTHING).start()?;
    let b = up(&net, (1, 0), "b", &[&entry]).args(NOTHING).start()?;
    b.wait_for_peers(&["a", "gate", "other"])?;
    // The entry node tried it, and a tells of it.
    let outer = format!("/ip4/{}/tcp/4001", Internet::router_address(0));
    wait_until(|| Ok(addresses(&b, a.id())?.contains(&outer)))?;
    assert_eq!(b.json(["ask", "hello", "--timeout", "60"])?["served_by"]["id"], a.id());
    wait_until(|| Ok(peer(&b, a.id())?["relayed"] == false))?;
    assert!(!addresses(&b, other.id())?.contains(&outer));
    // So it needs no entry node.
    drop(entry);
    assert_eq!(b.json(["ask", "hello", "--timeout", "60"])?["served_by"]["id"], a.id());
    Ok(())
}

#[test]
fn an_entry_node_dies_in_the_middle_of_a_file_and_the_other_takes_over() -> anyhow::Result<()> {
    let Some(net) = internet("an entry node that dies") else { return Ok(()) };
    net.seal()?;
    let mut entries = [
        Entry::in_namespace(&net.server(0), "gate0")?,
        Entry::in_namespace(&net.server(1), "gate1")?,
    ];
    let both: Vec<_> = entries.iter().collect();
    let up =
        |at, name| up(&net, at, name, &both).env("RUST_LOG", "off,potluck=debug").args(NOTHING);
    let a = up((0, 0), "a").start()?;
    let b = up((1, 0), "b").start()?;
    b.wait_for_peers(&["a", "gate0", "gate1"])?;
    a.wait_for_peers(&["b", "gate0", "gate1"])?;
    // Places at both.
    for entry in &entries {
        wait_until(|| Ok(addresses(&b, a.id())?.contains(entry.id())))?;
        wait_until(|| Ok(addresses(&a, b.id())?.contains(entry.id())))?;
    }
    let folder = tempfile::tempdir()?;
    // Not larger: opening it is what takes long in a build that is not optimised.
    let file = folder.path().join("large.bin");
    let bytes: Vec<u8> = (0..20_000_000u64).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    std::fs::write(&file, &bytes)?;
    // Nobody takes files of strangers unasked.
    let known = a.run(["contacts", "add", "b", b.id()])?;
    ensure!(known.code == Some(0), "{known:?}");
    let carried = |entry: &Entry| -> anyhow::Result<u64> {
        // Both ways, of all processes of that name: what the kernel counted.
        let stat = std::fs::read_to_string(format!("/proc/{}/net/dev", entry.pid()))?;
        let line = stat.lines().find_map(|line| line.trim().strip_prefix("wan:"));
        let first = line.and_then(|line| line.split_whitespace().next()).map(str::parse::<u64>);
        Ok(first.transpose()?.unwrap_or(0))
    };
    let to = [a.id(), &*file.to_string_lossy()].map(str::to_owned);
    // The file may be there before the command has said that it is on its way.
    let before = std::thread::scope(|scope| -> anyhow::Result<u64> {
        let send =
            scope.spawn(|| b.run(["send", "--to"].into_iter().chain(to.iter().map(|it| &**it))));
        let (mut which, mut before) = (0, 0);
        wait_until(|| {
            for (index, entry) in entries.iter().enumerate() {
                (which, before) = (index, carried(entry)?);
                if before > 3_000_000 {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        entries[which].kill()?;
        let sent = send.join().expect("no panic")?;
        ensure!(sent.code == Some(0), "{sent:?}");
        Ok(before)
    })?;
    ensure!(before < bytes.len() as u64, "it was over before: {before} bytes");
    let letter = came(&a).with_context(|| format!("{}\n--- {}", a.log(), b.log()))?;
    let save = folder.path().join("saved");
    let saved = a.run(["inbox", &letter, "--save", &save.to_string_lossy()])?;
    ensure!(saved.code == Some(0), "{saved:?}");
    ensure!(std::fs::read(save.join("large.bin"))? == bytes, "the file is another one");
    Ok(())
}
