//! Installing without a package client. With one it needs the network, which a test must not.

use potluck_models::{InstallError, install};

/// In a process of its own, where no program can be found: the test binary started again with one test.
#[test]
fn without_a_package_client_it_says_what_to_do() {
    if std::env::var_os("POTLUCK_NO_CLIENT").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "install::without_a_package_client_it_says_what_to_do"])
            .env("POTLUCK_NO_CLIENT", "1")
            .env("PATH", "")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let mut said = Vec::new();
    let error = install(data.path(), &mut |line| said.push(line.to_owned())).unwrap_err();
    if matches!(error, InstallError::NoPackage { .. }) {
        eprintln!("SKIPPED: {error}");
        return;
    }
    let text = error.to_string();
    assert!(text.contains("pip: it is not installed; npm: it is not installed"), "{text}");
    assert!(text.contains("ORT_DYLIB_PATH"), "{text}");
    assert!(said[0].contains("through pip"), "{said:?}");
    let left = std::fs::read_dir(data.path().join("engine")).unwrap().count();
    assert_eq!(left, 0, "nothing is left behind");
}
