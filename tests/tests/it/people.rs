//! Who may use what, contacts and blocking, by the command line, on nodes that run meanwhile.

use anyhow::ensure;
use potluck_tests::process::{Process, Up, wait_until};
use serde_json::Value;

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
