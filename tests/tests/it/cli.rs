//! The command line on loopback: what it prints and how it ends, above all when the input is bad.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;
use potluck_tests::{
    process::{NOTHING, Process, Ran, Up, command, potluck, run, wait_until},
    skipped,
};
use serde_json::{Value, json};

/// A data folder that needs no word about its mode.
fn private_folder() -> anyhow::Result<tempfile::TempDir> {
    let private = std::fs::Permissions::from_mode(0o700);
    Ok(tempfile::Builder::new().permissions(private).tempdir()?)
}

/// An id that nobody has.
const NOBODY: &str = "12D3KooWA1bysjrTACSWqf6q172inxvwKHUxAnBtVgaVDKMxpZtx";

/// Runs a command without a running node, off the network.
fn alone(data_dir: &Path, args: &[&str]) -> anyhow::Result<Ran> {
    let mut command = command(None, args);
    command.args(["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0", "--data-dir"]).arg(data_dir);
    run(command)
}

/// What people see is plain: no panic, no debug output of a type.
fn plain(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        for bad in ["panicked", "Error {", "Os {", "kind: ", "RUST_BACKTRACE"] {
            assert!(!text.contains(bad), "{bad:?} in {ran:?}");
        }
    }
}

/// The failure is one line that has all these words, and its kind and exit code are right.
fn fails(name: &str, text: &Ran, json: &Ran, code: i32, kind: &str, words: &[&str]) {
    plain(text);
    plain(json);
    assert_eq!((text.code, json.code), (Some(code), Some(code)), "{name}: {text:?} {json:?}");
    let lines: Vec<_> = text.err.lines().filter(|l| !l.trim().is_empty()).collect();
    assert_eq!(lines.len(), 1, "{name}: not one line: {text:?}");
    for word in words {
        assert!(lines[0].contains(word), "{name}: no {word:?} in {}", lines[0]);
    }
    let document = json.json();
    assert_eq!(document["error"]["kind"], kind, "{name}: {document}");
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(lines[0].contains(message) && !message.is_empty(), "{name}: {document} {lines:?}");
}

/// A node that offers everything.
fn server() -> anyhow::Result<Process> {
    Up::on_loopback("server").start()
}

fn quiet(name: &str) -> Up {
    Up::on_loopback(name).args(["--offer", "chat"])
}

/// A PNG that says it has 100,000 by 100,000 pixels.
fn huge_png() -> Vec<u8> {
    let side = 100_000u32.to_be_bytes();
    let mut header = b"IHDR".to_vec();
    header.extend(side.iter().chain(&side).chain(&[8, 2, 0, 0, 0]));
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc32(&header).to_be_bytes());
    png.extend(b"\0\0\0\x04IDAT\x78\x9c\x01\0");
    png.extend([0; 4]);
    png
}

/// CRC-32 as PNG has it (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8)
            .fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()))
    })
}

/// Files that are no pictures, with words that the message has.
fn bad_pictures(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<&'static str>)>> {
    let sample = potluck_models::samples()[0].bytes;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map(|()| path)
    };
    let sparse = folder.join("huge.jpg");
    std::fs::File::create(&sparse)?.set_len(2 << 30)?;
    let inside = folder.join("folder.jpg");
    std::fs::create_dir(&inside)?;
    let locked = folder.join("dangling.jpg");
    std::os::unix::fs::symlink("nowhere", &locked)?;
    Ok(vec![
        (write("text.jpg", b"this is not a picture, whatever its name says")?, vec!["picture"]),
        (write("truncated.jpg", &sample[..sample.len() / 2])?, vec![]),
        (write("head.jpg", &sample[..20])?, vec![]),
        (write("empty.jpg", b"")?, vec!["empty"]),
        (write("100000x100000.png", &huge_png())?, vec!["100000"]),
        (write("zeros.png", &[0; 300_000])?, vec!["picture"]),
        (sparse, vec!["2048 MiB", "at most"]),
        (inside, vec!["folder"]),
        (folder.join("missing.jpg"), vec!["no file"]),
        (locked, vec!["no file"]),
        (PathBuf::from("/dev/zero"), vec!["not a file"]),
    ])
}

#[test]
fn bad_pictures_are_told_apart_and_the_good_ones_recognised() -> anyhow::Result<()> {
    let server = server()?;
    let folder = tempfile::tempdir()?;
    let bad = bad_pictures(folder.path())?;
    let good = folder.path().join("good.jpg");
    std::fs::write(&good, potluck_models::samples()[0].bytes)?;
    // All together: one answer each, in the order given, the good one among them.
    let mut command = server.command(["recognize", "--json"]);
    command.arg(&good).args(bad.iter().map(|(path, _)| path)).arg(&good);
    let ran = run(command)?;
    plain(&ran);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let seen = ran.json();
    assert_eq!(seen.as_array().map(Vec::len), Some(bad.len() + 2));
    for at in [0, bad.len() + 1] {
        assert_eq!(seen[at]["labels"].as_array().map(Vec::len), Some(5), "{}", seen[at]);
    }
    for (at, (path, words)) in bad.iter().enumerate() {
        let (seen, name) = (&seen[at + 1], path.display());
        assert_eq!(seen["file"], path.to_string_lossy().as_ref());
        assert_eq!(seen["error"]["kind"], "bad_input", "{name}: {seen}");
        let message = seen["error"]["message"].as_str().expect("a message");
        assert!(!message.is_empty() && !message.contains('\n'), "{name}: {message}");
        for word in words {
            assert!(message.contains(word), "{name}: no {word:?} in {message}");
        }
        // One at a time, for people.
        let ran = server.run(["recognize".as_ref(), path.as_os_str()])?;
        plain(&ran);
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(message), "{name}: {ran:?}");
    }
    assert_eq!(server.json(["ask", "hello"])?["served_by"]["id"], server.id(), "it lives");
    Ok(())
}

#[test]
fn what_nobody_can_serve_is_said() -> anyhow::Result<()> {
    let server = server()?;
    let folder = tempfile::tempdir()?;
    let good = folder.path().join("good.jpg");
    std::fs::write(&good, potluck_models::samples()[0].bytes)?;
    let good = good.to_string_lossy();
    let picture = |extra: &[&str]| {
        let args = [&["recognize", &*good], extra].concat();
        Ok::<_, anyhow::Error>((server.run(&args)?, server.run([&args[..], &["--json"]].concat())?))
    };
    let (text, json) = picture(&["--model", "nosuch"])?;
    plain(&text);
    assert_eq!((text.code, json.code), (Some(3), Some(3)), "{text:?} {json:?}");
    let error = &json.json()[0]["error"];
    assert_eq!(error["kind"], "nobody_serves");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("nosuch") && message.contains("efficientnet-lite0"), "{message}");
    let (text, json) = picture(&["--peer", NOBODY])?;
    plain(&text);
    assert_eq!((text.code, json.code), (Some(3), Some(3)), "{text:?} {json:?}");
    assert_eq!(json.json()[0]["error"]["kind"], "nobody_serves");
    let args = ["recognize", &*good, "--peer", "nonsense"];
    let json = server.run([&args[..], &["--json"]].concat())?;
    fails("a peer that is no id", &server.run(args)?, &json, 2, "usage", &["nonsense"]);
    Ok(())
}

#[test]
fn a_node_that_offers_nothing_says_so_quickly() -> anyhow::Result<()> {
    let node = Up::on_loopback("idle").args(NOTHING);
    let node = node.start()?;
    assert_eq!(node.ready()["capabilities"], json!([]));
    let (text, json) = (node.run(["ask", "hello"])?, node.run(["ask", "hello", "--json"])?);
    fails("nobody", &text, &json, 3, "nobody_serves", &["chat/1", "nobody"]);
    assert_eq!(node.json(["capabilities"])?, json!([]));
    assert_eq!(node.json(["peers"])?, json!([]));
    Ok(())
}

#[test]
fn wrong_usage_is_one_line_with_exit_code_2() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let table: &[(&str, &[&str], &[&str])] = &[
        ("unknown capability", &["up", "--offer", "teleport"], &["teleport", "chat/1"]),
        ("unknown withheld", &["up", "--withhold", "teleport"], &["teleport"]),
        ("bad capability", &["up", "--offer", "UP!"], &["UP!"]),
        ("empty name", &["up", "--name", " "], &["name"]),
        ("bad join", &["ask", "hi", "--join", "nowhere"], &["nowhere", "192.168.1.20:4001"]),
        ("bad join multiaddr", &["ask", "hi", "--join", "/ip4/1.2.3"], &["/ip4/1.2.3"]),
    ];
    for (name, args, words) in table {
        let text = alone(&data, args)?;
        let json = alone(&data, &[*args, &["--json"]].concat())?;
        fails(name, &text, &json, 2, "usage", words);
    }
    let args = ["models", "add", "googlenet", "no-such.onnx"];
    let json = alone(&data, &[&args[..], &["--json"]].concat())?;
    fails("no model file", &alone(&data, &args)?, &json, 2, "bad_input", &["no-such.onnx"]);
    // What the parser of the command line finds is told in its own way, usage line included.
    for args in [
        &["recognize"][..],
        &["nosuch"],
        &["ask", "hi", "--timeout", "x"],
        &["ask", "hi", "--timeout", "-1"],
        &["ask", "hi", "--timeout", "0"],
        &["up", "--nosuch"],
    ] {
        let ran = alone(&data, args)?;
        plain(&ran);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        let json = alone(&data, &[args, &["--json"]].concat())?;
        assert_eq!(json.json()["error"]["kind"], "usage", "{args:?}: {json:?}");
    }
    let text = "x".repeat(9000);
    let ran = alone(&data, &["ask", &text, "--json"])?;
    plain(&ran);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.json()["error"]["kind"], "bad_input");
    Ok(())
}

/// Runs `up` in a data folder where it must fail.
fn up_fails(
    name: &str,
    data: &Path,
    args: &[&str],
    kind: &str,
    words: &[&str],
) -> anyhow::Result<()> {
    let up = |more: &[&str]| {
        let mut command = command(None, ["up"]);
        if !args.contains(&"--listen") {
            command.args(["--listen", "/ip4/127.0.0.1/tcp/0"]);
        }
        command.args(["--no-mdns", "--offer", "chat", "--data-dir"]).arg(data);
        run({
            command.args(args).args(more);
            command
        })
    };
    fails(name, &up(&[])?, &up(&["--json"])?, 2, kind, words);
    Ok(())
}

#[test]
fn ports_and_addresses_that_cannot_be_had() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let listen = format!("/ip4/127.0.0.1/tcp/{port}");
    let words = ["another program", &listen];
    up_fails("port in use", &data, &["--listen", &listen], "usage", &words)?;
    // Of TEST-NET-1: no machine has it.
    let listen = ["--listen", "/ip4/192.0.2.1/tcp/0"];
    up_fails("foreign address", &data, &listen, "usage", &["192.0.2.1"])?;
    up_fails("no address", &data, &["--listen", "4001"], "usage", &["4001"])?;
    let wrong = ["--listen", "127.0.0.1:4001"];
    up_fails("host and port", &data, &wrong, "usage", &["/ip4/127.0.0.1/tcp/4001"])
}

#[test]
fn data_folders_that_cannot_be_used() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    std::fs::write(&file, "x")?;
    up_fails("a file", &file, &[], "usage", &["is a file"])?;
    up_fails("below a file", &file.join("data"), &[], "usage", &[])?;
    let node = quiet("first").start_in(&folder.path().join("twice"))?;
    let pid = node.pid().to_string();
    up_fails("two nodes", node.data_dir(), &[], "usage", &["in use", &pid])?;
    assert_eq!(node.json(["id"])?["running"], true, "the first one goes on");
    let key = folder.path().join("key");
    let ran = alone(&key, &["id"])?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let mode = std::fs::metadata(key.join("identity.key"))?.permissions().mode() & 0o777;
    assert_eq!((mode, std::fs::metadata(&key)?.permissions().mode() & 0o777), (0o600, 0o700));
    std::fs::write(key.join("identity.key"), "not a key")?;
    up_fails("a broken key", &key, &[], "usage", &["identity.key", "put back a copy"])
}

#[test]
fn settings_that_are_wrong_name_file_and_line() -> anyhow::Result<()> {
    let folder = private_folder()?;
    let config = folder.path().join("config.toml");
    for (text, words) in [
        ("name = \"x\"\nmash = \"y\"\n", &["config.toml:2", "mash", "mesh"][..]),
        ("[network]\nmdns = \"yes\"\n", &["config.toml:2", "mdns"]),
        ("name = \n", &["config.toml:1"]),
        ("[network]\n\nlisten = [\"4001\"]\n", &["config.toml:3", "4001"]),
        ("[recognize]\nengine = \"magic\"\n", &["config.toml:2", "magic"]),
    ] {
        std::fs::write(&config, text)?;
        up_fails(text, folder.path(), &[], "usage", words)?;
    }
    std::fs::write(&config, [0xff, 0xfe, 0])?;
    up_fails("not text", folder.path(), &[], "usage", &["config.toml"])?;
    std::fs::write(&config, "[recognize]\nmodel = \"nosuch\"\n")?;
    let node = quiet("odd").start_in(folder.path())?;
    assert_eq!(node.ready()["capabilities"], json!(["chat/1"]));
    Ok(())
}

#[test]
fn chat_rules_that_are_wrong_name_file_and_line() -> anyhow::Result<()> {
    let folder = private_folder()?;
    let rules = folder.path().join("chat.toml");
    std::fs::write(&rules, "[[rule]]\npattern = \"(\"\nreply = \"x\"\n")?;
    up_fails("a bad pattern", folder.path(), &[], "usage", &["chat.toml:2"])
}

/// Runs a script in a mount namespace of its own; `None` where that is not permitted.
fn in_mounts(script: &str) -> anyhow::Result<Option<Ran>> {
    let can = Command::new("unshare").args(["-m", "true"]).output();
    if !can.is_ok_and(|ran| ran.status.success()) {
        return Ok(None);
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", script]).env("POTLUCK", potluck());
    run(unshare).map(Some)
}

const UP: &str = "\"$POTLUCK\" up --no-mdns --listen /ip4/127.0.0.1/tcp/0 --offer chat";

#[test]
fn a_read_only_data_folder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    ensure!(alone(&data, &["id"])?.code == Some(0));
    let at = data.display();
    let script = |json: &str| {
        format!(
            "mount --bind {at} {at} && mount -o remount,bind,ro {at} && {UP} --data-dir {at} {json}"
        )
    };
    let (Some(text), Some(json)) = (in_mounts(&script(""))?, in_mounts(&script("--json"))?) else {
        skipped("a read-only data folder", "mount namespaces are not permitted here");
        return Ok(());
    };
    fails("read-only", &text, &json, 2, "usage", &["cannot be written", "--data-dir"]);
    Ok(())
}

#[test]
fn a_full_data_folder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = folder.path().display();
    let script = |json: &str| {
        format!(
            "mount -t tmpfs -o size=64k,mode=700 none {at} && \
             (head -c 1M /dev/zero > {at}/chat.toml; true) 2>/dev/null && {UP} --data-dir {at} {json}"
        )
    };
    let (Some(text), Some(json)) = (in_mounts(&script(""))?, in_mounts(&script("--json"))?) else {
        skipped("a full data folder", "mount namespaces are not permitted here");
        return Ok(());
    };
    fails("full", &text, &json, 2, "usage", &["full", "--data-dir"]);
    Ok(())
}

#[test]
fn documents_have_the_promised_shapes() -> anyhow::Result<()> {
    let a = quiet("a").start()?;
    let b = quiet("b").args(["--join", a.address()]).start()?;
    let ready = a.ready();
    assert_eq!((&ready["event"], &ready["name"]), (&json!("ready"), &json!("a")));
    assert_eq!(ready["capabilities"], json!(["chat/1"]));
    a.wait_for_peers(&["b"])?;
    wait_until(|| Ok(a.json(["peers"])?.to_string().contains("chat/1")))?;
    let has = |value: &Value, keys: &[&str]| {
        let object = value.as_object().unwrap_or_else(|| panic!("not an object: {value}"));
        for key in keys {
            assert!(object.contains_key(*key), "no {key} in {value}");
        }
    };
    let id = a.json(["id"])?;
    has(&id, &["id", "name", "fingerprint", "data_dir", "running"]);
    assert_eq!((&id["id"], &id["running"]), (&json!(a.id()), &json!(true)));
    let peers = a.json(["peers"])?;
    has(&peers[0], &["id", "name", "fingerprint", "connected", "suspect", "rtt_ms"]);
    has(&peers[0], &["heard_ms_ago", "addresses", "capabilities"]);
    assert_eq!(peers[0]["id"], b.id());
    let capabilities = a.json(["capabilities"])?;
    assert_eq!(capabilities[0]["capability"], "chat/1");
    let nodes = capabilities[0]["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 2);
    for node in nodes {
        has(node, &["id", "name", "me", "device", "engine", "speed", "slots", "queue", "variants"]);
    }
    for (text, echoed) in [("xyzzy plugh 42", true), ("hello", false), ("你好", false)] {
        let answer = a.json(["ask", text])?;
        has(&answer, &["text", "rule", "served_by", "route", "milliseconds"]);
        assert_eq!(answer["rule"].is_null(), echoed, "{answer}");
        assert_eq!(answer["text"] == text, echoed, "{answer}");
        has(&answer["served_by"], &["id", "name"]);
        let hop = &answer["route"][0];
        has(hop, &["id", "name", "expected_ms", "milliseconds", "outcome", "detail", "hedge"]);
        assert_eq!(hop["outcome"], "answered");
    }
    has(&a.json(["doctor"])?["findings"][0], &["level", "code", "what", "todo"]);
    has(&a.json(["models", "list"])?[0], &["name", "source", "licence", "bytes", "default"]);
    has(&a.json(["engine", "status"])?, &["engine", "library", "device", "threads", "searched"]);
    Ok(())
}

#[test]
fn a_command_without_a_node_serves_itself() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let ran = alone(&data, &["ask", "xyzzy plugh 42", "--json"])?;
    plain(&ran);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["text"], "xyzzy plugh 42");
    let id = alone(&data, &["id", "--json"])?.json();
    assert_eq!((&id["running"], &id["id"]), (&json!(false), &ran.json()["served_by"]["id"]));
    let text = alone(&data, &["ask", "hello", "--explain"])?;
    plain(&text);
    assert!(text.code == Some(0) && text.err.contains("answered"), "{text:?}");
    Ok(())
}

#[test]
fn a_node_that_is_killed_leaves_a_folder_that_works() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let first = quiet("first").start_in(folder.path())?;
    let id = first.id().to_owned();
    first.signal("KILL")?;
    first.wait()?;
    // Its socket is still there, and nobody answers.
    let ran = alone(folder.path(), &["ask", "hello", "--json"])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let second = quiet("second").start_in(folder.path())?;
    assert_eq!(second.id(), id, "the identity stays");
    second.signal("TERM")?;
    assert_eq!(second.wait()?, Some(0));
    assert_eq!(alone(folder.path(), &["id", "--json"])?.json()["running"], false);
    Ok(())
}

#[test]
fn a_node_that_hangs_keeps_nobody_longer_than_the_timeout() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = quiet("hangs").start_in(folder.path())?;
    node.signal("STOP")?;
    let ran = alone(folder.path(), &["ask", "hello", "--timeout", "0.5", "--json"])?;
    node.signal("CONT")?;
    plain(&ran);
    let error = ran.json()["error"].clone();
    assert_eq!((ran.code, error["kind"].as_str()), (Some(6), Some("timed_out")), "{ran:?}");
    assert!(error["message"].as_str().is_some_and(|m| m.contains("stop it")), "{error}");
    // It took no harm.
    assert_eq!(alone(folder.path(), &["ask", "hello", "--json"])?.code, Some(0));
    Ok(())
}

#[test]
fn a_signal_while_starting_stops_it_cleanly() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = command(None, ["up", "--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"]);
    command.arg("--data-dir").arg(folder.path().join("data"));
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn()?;
    let socket = folder.path().join("data/control.sock");
    // The model is still being loaded when the socket appears.
    wait_until(|| Ok(socket.exists() || child.try_wait()?.is_some()))?;
    potluck_tests::process::signal(child.id(), "INT")?;
    assert_eq!(child.wait()?.code(), Some(0));
    Ok(())
}

#[test]
fn the_demo_answers_everything() -> anyhow::Result<()> {
    let ran = run(command(None, ["demo", "--json"]))?;
    plain(&ran);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let demo = ran.json();
    let letter = &demo["letter"];
    assert!(letter["from"] == "ben" && letter["held_by"] == "laptop", "{letter}");
    let pictures = demo["pictures"].as_array().expect("pictures");
    assert!(!pictures.is_empty());
    for picture in pictures {
        let name = picture["file"].as_str().unwrap_or_default();
        let sample = potluck_models::samples().iter().find(|s| name.ends_with(s.name));
        let labels = picture["labels"].to_string();
        let right = sample.is_some_and(|s| s.expect.iter().any(|e| labels.contains(e)));
        assert!(right, "{picture}");
    }
    let by = |p: &Value| p["served_by"]["name"].clone();
    assert!(pictures.iter().any(|p| by(p) == demo["stopped"]), "the stopped node served nothing");
    assert!(pictures.iter().any(|p| by(p) != demo["stopped"]), "nobody took over");
    assert!(demo["chat"].as_array().is_some_and(|c| c.len() >= 2), "{}", demo["chat"]);
    let face = &demo["faces"]["faces"][0];
    assert_eq!(face["gender"]["value"], "female", "{}", demo["faces"]);
    assert_eq!(demo["analysis"]["rows"], 240, "{}", demo["analysis"]);
    assert!(demo["analysis"]["files"].to_string().contains("report.html"));
    Ok(())
}

#[test]
fn programs_that_are_run_get_no_keys() -> anyhow::Result<()> {
    let folder = private_folder()?;
    let told = folder.path().join("told");
    let python = folder.path().join("python3");
    std::fs::write(&python, format!("#!/bin/sh\nenv > '{}'\n", told.display()))?;
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755))?;
    let mut status = command(None, ["engine", "status"]);
    status.arg("--data-dir").arg(folder.path().join("data"));
    let path = std::env::var("PATH").unwrap_or_default();
    status.env("PATH", format!("{}:{path}", folder.path().display())).env("SEEN", "yes");
    for name in ["POTLUCK_FACEPP_KEY", "POTLUCK_FACEPP_SECRET", "POTLUCK_OTHER"] {
        status.env(name, "not for others");
    }
    let ran = run(status)?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = std::fs::read_to_string(&told)?;
    assert!(told.contains("SEEN=yes") && !told.contains("POTLUCK_"), "{told}");
    Ok(())
}
