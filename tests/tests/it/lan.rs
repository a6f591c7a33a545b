//! Three real processes on a LAN of network namespaces, which find each other by mDNS alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use potluck_tests::{
    lan::{self, Lan},
    process::{self, NOTHING, Process, Up, wait_until, write_pictures},
    skipped,
};
use serde_json::Value;

/// Pictures in a burst.
const BURST: usize = 50;

/// A LAN, or a visible word that there is none.
fn new_lan(test: &str, hosts: usize) -> Option<Lan> {
    Lan::new(hosts).map_err(|e| skipped(test, &format!("{e:#}"))).ok()
}

fn up(lan: &Lan, host: usize, name: &str, args: &[&str]) -> anyhow::Result<Process> {
    Up::in_namespace(name, lan.host(host)).args(args.iter().copied()).start()
}

fn peer<'a>(peers: &'a Value, name: &str) -> &'a Value {
    let list = peers.as_array().expect("peers is a list");
    list.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no {name} in {peers}"))
}

#[test]
fn nodes_find_each_other_serve_and_say_goodbye() -> anyhow::Result<()> {
    let Some(lan) = new_lan("discovery", 3) else { return Ok(()) };
    let a = up(&lan, 0, "a", &["--offer", "chat"])?;
    let b = up(&lan, 1, "b", &["--offer", "recognize"])?;
    let c = up(&lan, 2, "c", &["--offer", "chat"])?;
    a.wait_for_peers(&["b", "c"])?;
    b.wait_for_peers(&["a", "c"])?;
    c.wait_for_peers(&["a", "b"])?;
    let offers = [(&a, "chat/1"), (&b, "recognize/1"), (&c, "chat/1")];
    for (from, _) in &offers {
        wait_until(|| {
            let peers = from.json(["peers"])?;
            let others = offers.iter().filter(|(of, _)| of.id() != from.id());
            Ok(others.clone().all(|(of, capability)| {
                let list = peers.as_array().into_iter().flatten();
                let mut of_it = list.filter(|p| p["id"] == of.id());
                of_it.any(|p| p["capabilities"] == serde_json::json!([capability]))
            }))
        })?;
    }
    let all = a.json(["capabilities"])?;
    let names: Vec<_> = all.as_array().expect("a list").iter().map(|c| &c["capability"]).collect();
    assert_eq!(names, ["chat/1", "recognize/1"]);

    let folder = tempfile::tempdir()?;
    let pictures = write_pictures(folder.path(), 2)?;
    let seen = a.json(["recognize".as_ref(), pictures[0].as_os_str(), pictures[1].as_os_str()])?;
    for (index, sample) in potluck_models::samples().iter().take(2).enumerate() {
        assert_eq!(seen[index]["served_by"]["id"], b.id());
        let labels = seen[index]["labels"].to_string();
        assert!(sample.expect.iter().any(|e| labels.contains(e)), "{}: {labels}", sample.name);
    }

    b.signal("TERM")?;
    assert_eq!(b.wait()?, Some(0));
    // Goodbye is at once: whoever is asked next knows.
    assert_eq!(a.peers()?, ["c"]);
    assert_eq!(c.peers()?, ["a"]);
    let ran = a.run(["recognize", "--json", &pictures[0].to_string_lossy()])?;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.json()[0]["error"]["kind"], "nobody_serves");
    Ok(())
}

/// A burst of pictures, in the middle of which `strike` hits the node that serves them.
fn burst(strike: impl FnOnce(&Process) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(lan) = new_lan("a burst", 3) else { return Ok(()) };
    let a = up(&lan, 0, "a", &["--offer", "chat"])?;
    let b = up(&lan, 1, "b", &["--offer", "recognize"])?;
    let c = up(&lan, 2, "c", &["--offer", "recognize"])?;
    let folder = tempfile::tempdir()?;
    let pictures = write_pictures(folder.path(), BURST)?;
    wait_until(|| {
        let peers = a.json(["peers"])?;
        let offers = |at: usize| peers[at]["capabilities"].to_string().contains("recognize");
        Ok(offers(0) && offers(1))
    })?;
    let mut command = a.command(["recognize", "--json", "--timeout", "110"]);
    command.args(&pictures);
    let running = std::thread::spawn(move || process::run(command));
    // Some were answered, and more are under way.
    wait_until(|| Ok(served(&b)? >= 3 || running.is_finished()))?;
    ensure!(!running.is_finished(), "the burst was over before it was struck");
    let before = served(&b)?;
    strike(&b)?;
    let ran = running.join().expect("no panic")?;
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.err, a.log());
    let seen = ran.json();
    let seen = seen.as_array().expect("a list");
    assert_eq!(seen.len(), BURST);
    for (picture, (seen, file)) in seen.iter().zip(&pictures).enumerate() {
        assert_eq!(seen["file"], file.to_string_lossy().as_ref());
        let samples = potluck_models::samples();
        let labels = seen["labels"].to_string();
        let right = samples[picture % samples.len()].expect.iter().any(|e| labels.contains(e));
        assert!(right, "{}: {seen}", file.display());
    }
    let by = |id: &str| seen.iter().filter(|s| s["served_by"]["id"] == id).count();
    assert!(by(b.id()) > 0, "none of b, which had answered {before}");
    assert!(by(c.id()) > 0, "none of c, which was left");
    // What hit b shows in the routes: a lost attempt, or one that a second copy overtook.
    let struck = |s: &Value| {
        let hops = s["route"].as_array().into_iter().flatten();
        hops.clone()
            .any(|h| h["id"] == b.id() && (h["outcome"] == "lost" || h["outcome"] == "cancelled"))
    };
    assert!(seen.iter().any(struck), "no route tells of b's end");
    a.wait_for_peers(&["c"])
}

/// Pictures that a node has recognised since it started.
fn served(node: &Process) -> anyhow::Result<u64> {
    let all = node.json(["capabilities"])?;
    let list = all.as_array().into_iter().flatten();
    let recognize = list.filter(|c| c["capability"] == "recognize/1");
    let nodes = recognize.flat_map(|c| c["nodes"].as_array().into_iter().flatten());
    Ok(nodes.filter(|n| n["me"] == true).filter_map(|n| n["served"]["done"].as_u64()).sum())
}

#[test]
fn kill_9_of_the_server_in_a_burst_loses_no_picture() -> anyhow::Result<()> {
    burst(|b| b.signal("KILL"))
}

#[test]
fn a_stopped_server_in_a_burst_loses_no_picture() -> anyhow::Result<()> {
    burst(|b| b.signal("STOP"))
}

#[test]
fn a_cut_link_is_noticed_and_heals() -> anyhow::Result<()> {
    let Some(lan) = new_lan("a cut link", 3) else { return Ok(()) };
    let a = up(&lan, 0, "a", &["--offer", "chat"])?;
    let b = up(&lan, 1, "b", &NOTHING)?;
    let c = up(&lan, 2, "c", &NOTHING)?;
    b.wait_for_peers(&["a", "c"])?;
    c.wait_for_peers(&["a", "b"])?;
    assert_eq!(b.json(["ask", "hello"])?["served_by"]["id"], a.id());
    lan.cut(0)?;
    b.wait_for_peers(&["c"])?;
    c.wait_for_peers(&["b"])?;
    a.wait_for_peers(&[])?;
    let ran = b.run(["ask", "hello", "--json"])?;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    lan.restore(0)?;
    b.wait_for_peers(&["a", "c"])?;
    a.wait_for_peers(&["b", "c"])?;
    wait_until(|| Ok(b.json(["peers"])?.to_string().contains("chat/1")))?;
    assert_eq!(b.json(["ask", "hello"])?["served_by"]["id"], a.id());
    Ok(())
}

fn codes(doctor: &Value) -> Vec<&str> {
    let findings = doctor["findings"].as_array().expect("findings");
    findings.iter().filter_map(|f| f["code"].as_str()).collect()
}

#[test]
fn the_doctor_sees_a_cloned_identity() -> anyhow::Result<()> {
    let Some(lan) = new_lan("a cloned identity", 3) else { return Ok(()) };
    let a = up(&lan, 0, "a", &NOTHING)?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    // Made by the program, so that it has the right mode.
    let made = process::run({
        let mut id = process::command(None, ["id", "--data-dir"]);
        id.arg(&data);
        id
    })?;
    ensure!(made.code == Some(0), "{made:?}");
    std::fs::copy(a.data_dir().join("identity.key"), data.join("identity.key"))?;
    let clone = Up::in_namespace("clone", lan.host(1)).args(NOTHING).start_in(&data)?;
    assert_eq!(clone.id(), a.id());
    let c = up(&lan, 2, "c", &NOTHING)?;
    wait_until(|| Ok(!c.peers()?.is_empty()))?;
    for node in [&a, &clone] {
        wait_until(|| Ok(codes(&node.json(["doctor"])?).contains(&"cloned-identity")))?;
    }
    Ok(())
}

#[test]
fn the_doctor_sees_another_mesh() -> anyhow::Result<()> {
    let Some(lan) = new_lan("another mesh", 2) else { return Ok(()) };
    let a = up(&lan, 0, "a", &NOTHING)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("config.toml"), "mesh = \"elsewhere\"\n")?;
    let _b = Up::in_namespace("b", lan.host(1)).args(NOTHING).start_in(folder.path())?;
    wait_until(|| Ok(codes(&a.json(["doctor"])?).contains(&"other-mesh")))?;
    let doctor = a.json(["doctor"])?;
    assert!(doctor.to_string().contains("elsewhere"), "{doctor}");
    assert_eq!(a.peers()?, [""; 0], "another mesh is not ours");
    Ok(())
}

#[test]
fn the_doctor_explains_who_is_alone() -> anyhow::Result<()> {
    let Some(lan) = new_lan("alone", 2) else { return Ok(()) };
    let a = up(&lan, 0, "a", &[&NOTHING[..], &["--no-mdns"]].concat())?;
    let b = up(&lan, 1, "b", &NOTHING)?;
    // Both have had the time in which they would have met.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(a.peers()?, [""; 0]);
    let doctor = a.json(["doctor"])?;
    assert!(codes(&doctor).contains(&"mdns-off"), "{doctor}");
    let doctor = b.json(["doctor"])?;
    assert!(codes(&doctor).contains(&"nobody-answers"), "{doctor}");
    // What it says to do works.
    let tcp = format!("/ip4/{}/tcp/", lan::address(1));
    let mut listen = b.ready()["listen"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let port = listen.find_map(|a| a.strip_prefix(&tcp)).expect("it listens on its address");
    let ran = a.run(["peers", "--join", &format!("{}:{port}", lan::address(1))])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    a.wait_for_peers(&["b"])?;
    assert!(codes(&a.json(["doctor"])?).contains(&"peers"));
    Ok(())
}

#[test]
fn a_command_without_a_node_finds_the_mesh_by_itself() -> anyhow::Result<()> {
    let Some(lan) = new_lan("a passing node", 2) else { return Ok(()) };
    let a = up(&lan, 0, "a", &["--offer", "recognize"])?;
    let folder = tempfile::tempdir()?;
    let run = |args: &[&str]| {
        let mut command = process::command(Some(lan.host(1)), args);
        command.arg("--json").arg("--data-dir").arg(folder.path().join("data"));
        process::run(command)
    };
    let ran = run(&["peers"])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(peer(&ran.json(), "a")["id"], a.id());
    let pictures = tempfile::tempdir()?;
    let picture = write_pictures(pictures.path(), 1)?.remove(0);
    let ran = run(&["recognize", "--peer", a.id(), &picture.to_string_lossy()])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()[0]["served_by"]["id"], a.id());
    // It left without a trace: it is looked for once, and the doctor is not worried.
    wait_until(|| Ok(a.peers()?.is_empty()))?;
    std::thread::sleep(Duration::from_secs(3));
    let doctor = a.json(["doctor"])?;
    assert!(!codes(&doctor).contains(&"refused"), "{doctor}");
    Ok(())
}

/// On a busy machine a neighbour may answer before the own addresses are bound. mDNS names it once
/// and then not for minutes: a node that misses that stays alone.
#[test]
fn neighbours_named_while_a_node_starts_are_not_missed() -> anyhow::Result<()> {
    let Some(lan) = new_lan("neighbours that answer early", 2) else { return Ok(()) };
    let a = up(&lan, 0, "a", &["--offer", "chat"])?;
    let busy = Arc::new(AtomicBool::new(true));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let threads: Vec<_> = (0..=cores)
        .map(|_| {
            let busy = busy.clone();
            std::thread::spawn(move || while busy.load(Ordering::Relaxed) {})
        })
        .collect();
    let folder = tempfile::tempdir()?;
    let asked = (0..20).try_for_each(|round| {
        let mut command = process::command(Some(lan.host(1)), ["ask", "hello", "--json"]);
        command.args(["--peer", a.id()]).arg("--data-dir").arg(folder.path().join("data"));
        let ran = process::run(command)?;
        ensure!(ran.code == Some(0), "round {round}: {ran:?}");
        Ok(())
    });
    busy.store(false, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().expect("it only counts"));
    asked
}
