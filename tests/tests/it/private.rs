//! Private meshes by the command line, with real processes.

use std::path::Path;

use anyhow::{Context as _, ensure};
use potluck_tests::{
    entry::free_port,
    process::{Process, Ran, Up, command, run, wait_until},
    skipped,
};
use serde_json::Value;

/// Which wait it was that did not end.
macro_rules! here {
    () => {
        concat!("line ", line!())
    };
}

/// A node that offers the robot.
fn node(name: &str, folder: &Path, more: &[&str]) -> anyhow::Result<Process> {
    let up = Up::on_loopback(name).args(["--offer", "chat"]).args(more.iter().copied());
    up.start_in(&folder.join(name))
}

/// A command in a data folder where nothing runs.
fn alone(folder: &Path, name: &str, args: &[&str]) -> anyhow::Result<Ran> {
    let mut command = command(None, args);
    command.arg("--data-dir").arg(folder.join(name)).arg("--json");
    run(command)
}

fn invite(of: &Process, more: &[&str]) -> anyhow::Result<String> {
    let said = of.json(["mesh", "invite"].iter().chain(more))?;
    Ok(said["invite"].as_str().context("an invite")?.to_owned())
}

fn listed(of: &Process) -> anyhow::Result<Vec<(String, String, bool)>> {
    let all = of.json(["mesh", "members"])?;
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let all = all.as_array().context("a list")?.iter();
    Ok(all.map(|one| (text(one, "name"), text(one, "role"), one["revoked"] == true)).collect())
}

fn has(of: &Process, name: &str, role: &str, revoked: bool) -> anyhow::Result<bool> {
    Ok(listed(of)?.iter().any(|one| *one == (name.to_owned(), role.to_owned(), revoked)))
}

fn sees(of: &Process, name: &str) -> anyhow::Result<bool> {
    Ok(of.peers()?.iter().any(|seen| seen == name))
}

/// A command that must fail with that exit code, and what it says.
fn fails(of: &Process, code: i32, args: &[&str]) -> anyhow::Result<String> {
    let ran = of.run(args.iter().copied().chain(["--json"]))?;
    ensure!(ran.code == Some(code), "{args:?}: {ran:?}");
    Ok(ran.json()["error"]["message"].as_str().context("a sentence")?.to_owned())
}

#[test]
fn a_mesh_from_its_founding_to_its_end() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let ann = node("ann", folder, &[])?;
    ensure!(fails(&ann, 2, &["mesh", "invite"])?.contains("no private mesh"));
    ann.json(["mesh", "create", "lab"])?;
    let status = ann.json(["mesh"])?;
    ensure!(status["private"] == true && status["role"] == "admin", "{status}");
    // Bob is up and in the open mesh when he pastes the invite; his node enters by itself.
    let bob = node("bob", folder, &[])?;
    let line = invite(&ann, &[])?;
    bob.json(["mesh", "join", &line])?;
    let again = fails(&bob, 2, &["mesh", "join", &line])?;
    ensure!(again.contains("leave it first"), "{again}");
    // The invite told where ann's node is.
    wait_until(|| sees(&bob, "ann")).context(here!())?;
    wait_until(|| sees(&ann, "bob")).context(here!())?;
    ensure!(bob.run(["ask", "hello", "--json"])?.code == Some(0), "they serve each other");

    // A third is off while it joins, and the invite of one is no good for two.
    let line = invite(&ann, &["--for", "30m"])?;
    let joined = alone(folder, "cat", &["mesh", "join", &line])?;
    ensure!(joined.code == Some(0), "{joined:?}");
    let used = alone(folder, "dan", &["mesh", "join", &line])?;
    ensure!(used.code == Some(5) && used.out.contains("ask for another one"), "{used:?}");
    let cut = alone(folder, "dan", &["mesh", "join", &line[..line.len() - 3]])?;
    ensure!(cut.code == Some(2) && cut.out.contains("copied whole"), "{cut:?}");
    let cat = node("cat", folder, &[])?;
    wait_until(|| Ok(sees(&cat, "ann")? && sees(&cat, "bob")?)).context(here!())?;
    wait_until(|| Ok(has(&ann, "bob", "member", false)? && has(&ann, "cat", "member", false)?))
        .context(here!())?;

    wait_until(|| has(&bob, "cat", "member", false)).context(here!())?;

    // Who is no admin cannot do what admins do; who is made one can.
    ensure!(fails(&bob, 5, &["mesh", "invite"])?.contains("only an admin"));
    ensure!(fails(&bob, 5, &["mesh", "admin", "cat"])?.contains("founder's key"));
    ann.json(["mesh", "admin", "bob"])?;
    wait_until(|| Ok(bob.json(["mesh"])?["role"] == "admin")).context(here!())?;
    invite(&bob, &[])?;
    ensure!(fails(&bob, 5, &["mesh", "revoke", ann.id()])?.contains("founder's key"));

    // Out, everywhere; the one who is out hears of nobody any more and is told why.
    bob.json(["mesh", "revoke", "cat"])?;
    wait_until(|| Ok(!sees(&ann, "cat")? && !sees(&bob, "cat")?)).context(here!())?;
    wait_until(|| Ok(cat.peers()?.is_empty())).context(here!())?;
    wait_until(|| has(&ann, "cat", "member", true)).context(here!())?;
    ensure!(cat.run(["ask", "hello", "--peer", ann.id(), "--json"])?.code == Some(3), "out");

    // The founder alone lets her in again.
    let line = invite(&ann, &["--again", cat.id()])?;
    cat.json(["mesh", "leave"])?;
    cat.json(["mesh", "join", &line])?;
    wait_until(|| sees(&cat, "bob")).context(here!())?;
    wait_until(|| has(&ann, "cat", "member", false)).context(here!())?;

    ensure!(fails(&ann, 2, &["mesh", "leave"])?.contains("--forget-key"));
    let key = folder.join("key.txt");
    ann.json(["mesh", "export", key.to_str().context("a path")?, "--move"])?;
    ensure!(fails(&ann, 5, &["mesh", "admin", "cat"])?.contains("restore"));
    ann.json(["mesh", "restore", key.to_str().context("a path")?])?;
    ann.json(["mesh", "admin", "cat"])?;
    ann.json(["mesh", "leave", "--forget-key"])?;
    ensure!(ann.json(["mesh"])?["private"] == false);
    wait_until(|| Ok(ann.peers()?.is_empty())).context(here!())?;
    Ok(())
}

#[test]
fn what_is_for_members_is_for_nobody_in_the_open_mesh() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let ann = node("ann", folder.path(), &[])?;
    let at = format!("{}/p2p/{}", ann.address(), ann.id());
    ann.json(["allow", "chat", "members"])?;
    let bob = Up::on_loopback("bob").args(["--offer", "keep", "--join", &at]);
    let bob = bob.start_in(&folder.path().join("bob"))?;
    wait_until(|| sees(&bob, "ann")).context(here!())?;
    let said = fails(&bob, 5, &["ask", "hello"])?;
    ensure!(said.contains("private mesh") && said.contains(bob.id()), "{said}");
    ensure!(ann.run(["ask", "hello", "--json"])?.code == Some(0), "the owner may");
    ann.json(["mesh", "create", "lab"])?;
    bob.json(["mesh", "join", &invite(&ann, &[])?])?;
    wait_until(|| Ok(bob.run(["ask", "hello", "--json"])?.code == Some(0))).context(here!())?;
    Ok(())
}

/// The last moment of a node's own certificate.
fn until(of: &Process) -> anyhow::Result<u64> {
    let all = of.json(["mesh", "members"])?;
    let own = all.as_array().context("a list")?.iter().find(|one| one["id"] == of.id());
    own.and_then(|one| one["until_ms"].as_u64()).context("its own certificate")
}

#[test]
fn a_certificate_renews_itself_also_after_its_end() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Where bob knows ann to be from the invite, also after the summer.
    let port = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
    let start = |name: &str, shift: &str| -> anyhow::Result<Option<Process>> {
        let up = Up::on_loopback(name).args(["--offer", "chat"]);
        let up = if name == "ann" { up.args(["--listen", &port]) } else { up };
        let up = up.shifted(shift).map(|up| up.start_in(&folder.path().join(name)));
        up.transpose()
    };
    let Some(ann) = start("ann", "+0d")? else {
        skipped("renewal of certificates", "libfaketime is not installed");
        return Ok(());
    };
    ann.json(["mesh", "create", "lab"])?;
    let joined = alone(folder.path(), "bob", &["mesh", "join", &invite(&ann, &[])?])?;
    ensure!(joined.code == Some(0), "{joined:?}");
    let new = || start("bob", "+0d")?.context("libfaketime was there");
    let first = until(&new()?)?;
    // Half of its time is over for bob.
    let bob = start("bob", "+15d")?.context("libfaketime was there")?;
    wait_until(|| Ok(until(&bob)? > first)).context(here!())?;
    wait_until(|| sees(&bob, "ann")).context(here!())?;
    let second = until(&bob)?;
    // Everybody was off for the summer, and it is over.
    drop((ann, bob));
    let ann = start("ann", "+60d")?.context("libfaketime was there")?;
    let bob = start("bob", "+60d")?.context("libfaketime was there")?;
    wait_until(|| Ok(until(&bob)? > second)).context(here!())?;
    wait_until(|| Ok(sees(&bob, "ann")? && sees(&ann, "bob")?)).context(here!())?;
    Ok(())
}
