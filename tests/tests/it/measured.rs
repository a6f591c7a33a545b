//! What a node measures of itself, and when.

use std::{path::Path, time::Instant};

use anyhow::{Context as _, ensure};
use potluck_tests::process::{PATIENCE, Up, command, run};
use serde_json::{Value, json};

#[test]
fn a_node_measures_itself_once_and_a_single_command_never() -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    std::fs::write(data.path().join("config.toml"), "[recognize]\nengine = \"tract\"\n")?;
    let file = data.path().join("measured.json");
    let cat = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/samples/cat.jpg");
    let mut alone = command(None, ["recognize", "--json", "--no-mdns"]);
    alone.args(["--listen", "/ip4/127.0.0.1/tcp/0"]).arg(&cat).arg("--data-dir").arg(data.path());
    let ran = run(alone)?;
    ensure!(ran.code == Some(0) && ran.json()[0]["labels"][4].is_object(), "{ran:?}");
    ensure!(!file.exists(), "nobody will compare it with other nodes");

    let up = || Up::on_loopback("measures").args(["--offer", "recognize"]).start_in(data.path());
    let node = up()?;
    let started = Instant::now();
    while !file.exists() {
        ensure!(started.elapsed() < PATIENCE, "it measures nothing: {}", node.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(node);

    // The next start believes what stands there, of the same machine, engine and model.
    let told = |kept: &Value| -> anyhow::Result<f64> {
        std::fs::write(&file, kept.to_string())?;
        let node = up()?;
        let all = node.json(["capabilities"])?;
        let mine =
            all.as_array().into_iter().flatten().find(|one| one["capability"] == "recognize/1");
        let mine = mine.with_context(|| format!("{all}"))?["nodes"][0].clone();
        let number = |name: &str| mine[name].as_f64().with_context(|| format!("{mine}"));
        Ok(1000.0 * number("slots")? / number("speed")?)
    };
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    kept["recognize/1"]["call_ms"] = json!(4321.0);
    let known = told(&kept)?;
    ensure!((known - 4321.0).abs() < 50.0, "{known}");
    kept["recognize/1"]["of"] = json!("another machine");
    std::fs::write(&file, kept.to_string())?;
    let node = up()?;
    let started = Instant::now();
    while std::fs::read_to_string(&file)?.contains("another machine") {
        ensure!(started.elapsed() < PATIENCE, "it is not measured anew: {}", node.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Ok(())
}
