//! Finding, refusing and sharing engines.

use std::fs;

use potluck_models::{Engine, EngineChoice, EngineConfig};

use crate::start;

#[test]
fn tract_always_starts() {
    let engine = start(EngineChoice::Tract).unwrap();
    assert!(engine.info().engine.starts_with("tract "));
    assert_eq!(engine.info().device, "cpu");
    assert!(engine.info().threads >= 1);
}

#[test]
fn auto_says_where_it_looked() {
    let engine = start(EngineChoice::Auto).unwrap();
    let info = engine.info();
    if info.library.is_some() {
        assert!(info.engine.starts_with("onnxruntime 1."), "{info:?}");
        assert_eq!(info.searched.last().map(|(_, outcome)| outcome.as_str()), Some("used"));
    } else {
        let places: Vec<&str> = info.searched.iter().map(|(place, _)| place.as_str()).collect();
        assert!(places.contains(&"beside the program") && places.contains(&"system"), "{places:?}");
    }
}

#[test]
fn onnx_runtime_is_shared_in_the_process() {
    let (Ok(one), Ok(two)) = (start(EngineChoice::OnnxRuntime), start(EngineChoice::Auto)) else {
        eprintln!("SKIPPED: no ONNX Runtime");
        return;
    };
    assert_eq!(one.info().library, two.info().library);
    let three = Engine::start(&EngineConfig { threads: 3, ..EngineConfig::default() }).unwrap();
    assert_eq!(three.info().threads, 3);
}

/// Each kind of bad library is skipped with a reason. This runs in a process of its own, where nothing is
/// loaded yet: the test binary started again with one test.
#[test]
fn bad_libraries_are_skipped() {
    if std::env::var_os("POTLUCK_BAD_LIBRARIES").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "engine::bad_libraries_are_skipped", "--nocapture"])
            .env("POTLUCK_BAD_LIBRARIES", "1")
            .env_remove("ORT_DYLIB_PATH")
            .env("PATH", "")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let bad = data.path().join("bad");
    fs::create_dir(&bad).unwrap();
    let mut files = vec![
        (bad.join("missing.so"), "o such file"),
        (bad.clone(), "not a file"),
        (bad.join("empty.so"), "too short"),
        (bad.join("text.so"), "not a library"),
    ];
    fs::write(bad.join("empty.so"), b"").unwrap();
    fs::write(bad.join("text.so"), "x".repeat(4096)).unwrap();
    if cfg!(target_os = "linux") {
        // This test program is a whole ELF file; half of it is one that was cut short.
        let program = fs::read(std::env::current_exe().unwrap()).unwrap();
        fs::write(bad.join("half.so"), &program[..program.len() / 2]).unwrap();
        files.push((bad.join("half.so"), "cut short"));
        // A whole library that is another one.
        if let Some(libc) = [
            "/lib/x86_64-linux-gnu/libm.so.6",
            "/lib/aarch64-linux-gnu/libm.so.6",
            "/lib64/libm.so.6",
        ]
        .iter()
        .find(|path| fs::metadata(path).is_ok())
        {
            files.push((libc.into(), "OrtGetApiBase"));
        }
    }
    for (file, reason) in files {
        let engine = Engine::start(&EngineConfig {
            choice: EngineChoice::Auto,
            library: Some(file.clone()),
            data_dir: Some(data.path().to_owned()),
            threads: 1,
        })
        .unwrap();
        let (place, outcome) = &engine.info().searched[0];
        assert!(place.contains(&file.display().to_string()), "{place}");
        assert!(outcome.contains(reason), "{place}: {outcome}");
    }
}

#[test]
fn demanding_a_missing_runtime_explains_itself() {
    if start(EngineChoice::OnnxRuntime).is_ok() {
        eprintln!("SKIPPED: ONNX Runtime is there");
        return;
    }
    let error = start(EngineChoice::OnnxRuntime).unwrap_err().to_string();
    assert!(error.contains("potluck engine install"), "{error}");
}
