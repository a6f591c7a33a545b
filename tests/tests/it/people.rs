//! Who may use what, contacts and blocking, by the command line, on nodes that run meanwhile.

use std::time::Instant;

use anyhow::ensure;
use potluck_tests::process::{Process, Up, wait_until};
use serde_json::{Value, json};

struct Pair {
    _folder: tempfile::TempDir,
    ann: Process,
    bob: Process,
}

/// Ann offers the robot and looks at nothing else; bob offers nothing.
fn pair() -> anyhow::Result<Pair> {
    let folder = tempfile::tempdir()?;
    let start = |name: &str, more: &[&str]| {
        Up::on_loopback(name).args(more.iter().copied()).start_in(&folder.path().join(name))
    };
    let ann = start("ann", &["--offer", "chat"])?;
    let address = format!("{}/p2p/{}", ann.address(), ann.id());
    let bob = start("bob", &["--offer", "keep", "--join", &address])?;
    let pair = Pair { _folder: folder, ann, bob };
    pair.until_bob_asks(0)?;
    Ok(pair)
}

impl Pair {
    /// Waits until bob's question ends with this exit code.
    fn until_bob_asks(&self, code: i32) -> anyhow::Result<()> {
        wait_until(|| Ok(self.bob.run(["ask", "hello", "--json"])?.code == Some(code)))
    }

    fn ann_does(&self, args: &[&str]) -> anyhow::Result<Value> {
        self.ann.json(args.iter().copied())
    }

    fn sees(&self, who: &Process, id: &str) -> anyhow::Result<bool> {
        let peers = who.json(["peers"])?;
        Ok(peers.as_array().is_some_and(|all| all.iter().any(|peer| peer["id"] == *id)))
    }
}

#[test]
fn who_may_use_what_changes_while_the_node_runs() -> anyhow::Result<()> {
    let pair = pair()?;
    let bob = pair.bob.id().to_owned();
    pair.ann_does(&["deny", "chat"])?;
    let refused = pair.bob.run(["ask", "hello", "--json"])?;
    ensure!(refused.code == Some(5), "{refused:?}");
    let said = refused.json()["error"]["message"].to_string();
    // It says what to ask the owner for, and not who else may.
    ensure!(said.contains(&bob) && !said.contains(pair.ann.id()), "{said}");
    // The owner's own questions are answered.
    ensure!(pair.ann.run(["ask", "hello", "--json"])?.code == Some(0), "ann may");

    pair.ann_does(&["allow", "chat", "contacts"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(5), "no contact yet");
    pair.ann_does(&["contacts", "add", "bobby", "bob"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(0), "a contact may");
    pair.ann_does(&["contacts", "rename", "bobby", "robert"])?;
    pair.ann_does(&["contacts", "remove", "robert"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(5), "a contact no more");

    pair.ann_does(&["allow", "chat", &bob])?;
    let list = pair.ann_does(&["allow"])?;
    ensure!(list["chat/1"][0] == bob && list["analyze/1"] == "everyone", "{list}");
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(0), "who is listed may");
    pair.ann_does(&["deny", "chat", "bob"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(5), "who was listed may not");
    pair.ann_does(&["allow", "chat", "everyone"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(0), "everyone may");

    for wrong in [
        &["allow", "chess", "everyone"][..],
        &["allow", "chat"],
        &["allow", "chat", "nobody-of-that-name"],
        &["contacts", "add", "x", "nobody-of-that-name"],
        &["contacts", "remove", "nobody-of-that-name"],
        &["contacts", "unblock", "nobody-of-that-name"],
        &["deny", "chat", "bob"],
    ] {
        let ran = pair.ann.run(wrong.iter().copied())?;
        ensure!(ran.code == Some(2) && ran.err.lines().count() == 1, "{wrong:?}: {ran:?}");
    }
    Ok(())
}

#[test]
fn a_day_has_so_many_calls_of_one_peer_and_a_restart_brings_no_more() -> anyhow::Result<()> {
    let mut pair = pair()?;
    let (ann, bob) = (pair.ann.id().to_owned(), pair.bob.id().to_owned());
    let set = pair.ann_does(&["limit", "chat", "--per-day", "2"])?;
    ensure!(set["chat/1"]["per_day"] == 2, "{set}");
    for _ in 0..2 {
        ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(0), "twice a day");
    }
    let refused = |pair: &Pair| {
        let ran = pair.bob.run(["ask", "hello", "--json"])?;
        ensure!(ran.code == Some(5), "{ran:?}");
        Ok(ran.json()["error"]["message"].to_string())
    };
    let said = refused(&pair)?;
    // When there are more, and nothing about anybody else.
    ensure!(said.contains("2 calls a day") && said.contains("(UTC)"), "{said}");
    ensure!(!said.contains(&ann) && !said.contains(&bob), "{said}");
    ensure!(pair.ann.run(["ask", "hello", "--json"])?.code == Some(0), "the owner has no limit");

    pair.ann.kill()?;
    let to_bob = format!("{}/p2p/{bob}", pair.bob.address());
    pair.ann = Up::on_loopback("ann")
        .args(["--offer", "chat", "--join", &to_bob])
        .start_in(&pair._folder.path().join("ann"))?;
    wait_until(|| pair.sees(&pair.bob, &ann))?;
    let until_refused = || Ok(pair.bob.run(["ask", "hello", "--json"])?.code == Some(5));
    wait_until(until_refused)?;
    ensure!(refused(&pair)?.contains("2 calls a day"), "it was forgotten");
    pair.ann_does(&["limit", "chat", "--per-day", "none"])?;
    ensure!(pair.bob.run(["ask", "hello", "--json"])?.code == Some(0), "no limit any more");

    let list = pair.ann_does(&["limit"])?;
    ensure!(list["facepp/1"]["per_day"] == 100 && list["chat/1"] == json!({}), "{list}");
    for wrong in [
        &["limit", "chess", "--per-day", "3"][..],
        &["limit", "chat", "--per-day", "0"],
        &["limit", "chat", "--at-once", "some"],
        &["limit", "--at-once", "3"],
    ] {
        let ran = pair.ann.run(wrong.iter().copied())?;
        ensure!(ran.code == Some(2), "{wrong:?}: {ran:?}");
    }
    Ok(())
}

#[test]
fn who_asks_too_fast_is_served_by_the_next_peer() -> anyhow::Result<()> {
    let pair = pair()?;
    pair.ann_does(&["limit", "chat", "--per-minute", "1"])?;
    let since = Instant::now();
    let ask = |more: &[&str]| pair.bob.run([&["ask", "hello", "--json"], more].concat());
    ensure!(ask(&[])?.code == Some(0), "once a minute");
    // Whoever else it may be, it takes a minute until ann is there again.
    let second = ask(&["--timeout", "1"])?;
    ensure!(second.code != Some(0) || since.elapsed().as_secs() >= 60, "{second:?}");
    let to_bob = format!("{}/p2p/{}", pair.bob.address(), pair.bob.id());
    let cat = Up::on_loopback("cat").args(["--offer", "chat", "--join", &to_bob]);
    let cat = cat.start_in(&pair._folder.path().join("cat"))?;
    wait_until(|| {
        let all = pair.bob.json(["capabilities"])?;
        Ok(all.to_string().contains(cat.id()))
    })?;
    let mut by_ann = 0;
    for _ in 0..8 {
        let ran = ask(&[])?;
        ensure!(ran.code == Some(0), "somebody is there: {ran:?}");
        by_ann += u64::from(ran.json()["served_by"]["id"] == *pair.ann.id());
    }
    ensure!(by_ann <= since.elapsed().as_secs() / 60, "ann served {by_ann}");
    Ok(())
}

#[test]
fn two_people_see_the_same_words_of_each_other() -> anyhow::Result<()> {
    let pair = pair()?;
    let (ann, bob) = (pair.ann.json(["id"])?, pair.bob.json(["id"])?);
    let at_ann = pair.ann_does(&["contacts", "compare", "bob"])?;
    let at_bob = pair.bob.json(["contacts", "compare", "ann"])?;
    ensure!(at_ann["they"]["words"] == bob["words"] && at_ann["you"]["words"] == ann["words"]);
    ensure!(at_ann["they"] == at_bob["you"] && at_ann["you"] == at_bob["they"], "{at_bob}");
    ensure!(ann["words"]["en"] != bob["words"]["en"], "two people");
    // For eyes: both languages, and a code that stands for a client id wherever one is asked for.
    let shown = pair.ann.run(["contacts", "compare", "bob", "--qr"])?.out;
    for words in [&bob["words"]["en"], &bob["words"]["zh"], &ann["words"]["en"]] {
        ensure!(words.as_str().is_some_and(|words| shown.contains(words)), "{words}: {shown}");
    }
    ensure!(shown.contains('▀'), "{shown}");
    ensure!(pair.bob.run(["id", "--qr"])?.out.contains('▀'), "no code");
    let code = format!("potluck:{}", pair.bob.id());
    pair.ann_does(&["contacts", "add", "bobby", &code])?;
    ensure!(pair.ann_does(&["contacts", "compare", "bobby"])?["they"] == at_ann["they"]);
    Ok(())
}

#[test]
fn who_is_blocked_is_cut_off_at_once_and_let_in_again_later() -> anyhow::Result<()> {
    let pair = pair()?;
    let (ann, bob) = (pair.ann.id().to_owned(), pair.bob.id().to_owned());
    pair.bob.json(["send", "--to", "ann", "--text", "before"])?;
    wait_until(|| Ok(pair.ann.json(["inbox"])?[0]["text"] == "before"))?;
    pair.ann_does(&["contacts", "block", "bob"])?;
    // Both lose the connection, nothing is served, and bob does not show any more.
    wait_until(|| Ok(!pair.sees(&pair.ann, &bob)?))?;
    let asked = pair.bob.run(["ask", "hello", "--json", "--timeout", "5"])?;
    ensure!(asked.code != Some(0), "{asked:?}");
    pair.bob.json(["send", "--to", &ann, "--text", "after", "--timeout", "1"])?;
    ensure!(!pair.sees(&pair.ann, &bob)?, "he is back");
    ensure!(
        pair.ann.json(["inbox"])?.as_array().is_some_and(|all| all.len() == 1),
        "a letter came"
    );
    pair.ann_does(&["contacts", "unblock", "bob"])?;
    pair.until_bob_asks(0)?;
    wait_until(|| pair.sees(&pair.ann, &bob))?;
    // What waited arrives now.
    wait_until(|| {
        let came = pair.ann.json(["inbox"])?;
        Ok(came.as_array().is_some_and(|all| all.iter().any(|one| one["text"] == "after")))
    })
}
