//! The entry node as a process: what it says of itself, and when it does not run.

use anyhow::{Context as _, ensure};
use potluck_tests::{
    entry::{self, Entry},
    process::{NOTHING, Up, command, run, wait_until},
};

#[test]
fn it_says_how_it_does_and_stops_in_order() -> anyhow::Result<()> {
    let entry = Entry::on_loopback("gate", &[])?;
    assert_eq!(entry.page("/healthz")?, ("HTTP/1.1 200 OK".to_owned(), "ok\n".to_owned()));
    assert_eq!((entry.metric("places")?, entry.metric("nodes")?), (0, 0));
    let up = |name: &str| Up::on_loopback(name).args(["--join", entry.join()]);
    let a = up("a").args(["--offer", "chat"]).start()?;
    let b = up("b").args(NOTHING).start()?;
    b.wait_for_peers(&["a", "gate"])?;
    wait_until(|| Ok(entry.metric("places")? == 2))?;
    wait_until(|| Ok(b.json(["peers"])?.to_string().contains("p2p-circuit")))?;
    assert_eq!(b.json(["ask", "hello"])?["served_by"]["id"], a.id());
    assert!(entry.metric("circuits_opened_total")? > 0 && entry.metric("bytes_total")? > 1_000);
    assert!(entry.metric("resident_memory_bytes")? > 1 << 20);
    assert_eq!(entry.stop()?, Some(0));
    // It said goodbye.
    wait_until(|| Ok(!b.peers()?.contains(&"gate".to_owned())))
}

#[test]
fn it_enters_a_private_mesh_and_is_nobodys_else() -> anyhow::Result<()> {
    let entry = Entry::on_loopback("gate", &[])?;
    let up = |name: &str| Up::on_loopback(name).args(["--offer", "chat", "--join", entry.join()]);
    let (ann, eve) = (up("ann").start()?, up("eve").start()?);
    eve.wait_for_peers(&["ann", "gate"])?;
    ann.json(["mesh", "create", "lab"])?;
    let invite = || -> anyhow::Result<String> {
        let said = ann.json(["mesh", "invite"])?;
        Ok(said["invite"].as_str().context("an invite")?.to_owned())
    };
    // It runs, and starts again in the mesh that it was let into.
    let mut joining = command(None, ["mesh", "join", &invite()?, "--json"]);
    joining.arg("--data-dir").arg(entry.data_dir());
    let joined = run(joining)?;
    ensure!(joined.code == Some(0), "{joined:?}");
    ann.wait_for_peers(&["gate"])?;
    let bob = up("bob").start()?;
    bob.json(["mesh", "join", &invite()?])?;
    bob.wait_for_peers(&["ann", "gate"])?;
    wait_until(|| Ok(entry.metric("places")? == 2))?;
    ensure!(bob.json(["ask", "hello", "--peer", ann.id()])?["served_by"]["id"] == ann.id());
    // Who is left in the open one is alone.
    wait_until(|| Ok(eve.peers()?.is_empty()))
}

#[test]
fn it_does_not_start_where_nobody_could_reach_it() -> anyhow::Result<()> {
    let ran = entry::ends(["--listen", "/ip4/127.0.0.1/tcp/0", "--http", "off"])?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("--external") && ran.out.is_empty(), "{ran:?}");
    let ran = entry::ends(["--listen", "/ip4/127.0.0.1/tcp/0", "--http", "off", "--lang", "zh"])?;
    assert!(ran.err.contains("入口节点") && ran.err.contains("--external"), "{ran:?}");
    Ok(())
}
