//! The program as a person meets it first. (It also has `cargo test` build the program, which the
//! tests of whole nodes start.)

use std::process::Command;

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_potluck-bootstrap")).args(args).output();
    let ran = ran.expect("the program starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn help_says_how_to_begin() {
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for taught in ["--external", "--http", "potluck up --join", "docs/entry-node.md", "sealed"] {
        assert!(out.contains(taught), "{taught} is not in {out}");
    }
}

#[test]
fn it_speaks_chinese() {
    let (code, out, _) = run(&["--help", "--lang", "zh"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("入口节点") && out.contains("选项") && out.contains("用法："), "{out}");
    for english in ["Usage", "Options", "Print", "[default", "[env", "entry node"] {
        assert!(!out.contains(english), "{english} in {out}");
    }
    let (code, _, err) = run(&["--lang", "zh", "--http", "somewhere"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("应是像 127.0.0.1:9464 这样的地址"), "{err}");
}

#[test]
fn wrong_usage_is_said_and_nothing_is_started() {
    let (code, out, err) = run(&["--http", "somewhere"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("127.0.0.1:9464"), "{err}");
}
