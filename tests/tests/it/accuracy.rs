//! Labelled pictures, recognised through the command line.

use std::path::Path;

use potluck_tests::{
    process::{Up, command, run},
    skipped,
};

/// Wanted in the five best labels of so many pictures of a hundred.
const WANTED: f64 = 0.85;

/// A picture and the labels of which one is right.
type Labelled = (std::path::PathBuf, Vec<String>);

/// The rows of `classify.csv`: file, labels separated by `;`, origin.
fn labelled(images: &Path) -> anyhow::Result<Vec<Labelled>> {
    let table = std::fs::read_to_string(images.join("classify.csv"))?;
    let row = |line: &str| {
        let mut fields = line.split(',');
        let (file, labels) = (fields.next()?, fields.next()?);
        Some((images.join(file), labels.split(';').map(|l| l.trim().to_lowercase()).collect()))
    };
    Ok(table.lines().skip(1).filter_map(row).collect())
}

#[test]
fn the_right_label_is_among_the_five_best() -> anyhow::Result<()> {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/images");
    if !images.is_dir() {
        skipped("accuracy", "the labelled pictures are not on this machine");
        return Ok(());
    }
    let rows = labelled(&images)?;
    assert!(rows.len() >= 10, "classify.csv has {} rows", rows.len());
    let server = Up::on_loopback("server").start()?;
    let folder = tempfile::tempdir()?;
    let mut recognize = command(None, ["recognize", "--json", "--no-mdns", "--peer"]);
    recognize.arg(server.id()).args(["--join", server.address(), "--timeout", "100", "--data-dir"]);
    recognize.arg(folder.path().join("data")).args(rows.iter().map(|(file, _)| file));
    recognize.args(["--listen", "/ip4/127.0.0.1/tcp/0"]);
    let ran = run(recognize)?;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let seen = ran.json();
    let mut wrong = Vec::new();
    for (index, (file, right)) in rows.iter().enumerate() {
        assert_eq!(seen[index]["file"], file.to_string_lossy().as_ref());
        assert_eq!(seen[index]["served_by"]["id"], server.id());
        let labels = seen[index]["labels"].as_array().expect("labels");
        assert_eq!(labels.len(), 5);
        // A label names its class in several ways: `tabby, tabby cat`.
        let named = |label: &serde_json::Value| {
            let label = label["label"].as_str().unwrap_or_default().to_lowercase();
            label.split(',').any(|name| right.iter().any(|r| r == name.trim()))
        };
        if !labels.iter().any(named) {
            wrong.push(format!("{}: {labels:?}, not {right:?}", file.display()));
        }
    }
    let share = 1.0 - wrong.len() as f64 / rows.len() as f64;
    assert!(share >= WANTED, "{share:.2} are right; wrong: {wrong:#?}");
    Ok(())
}
