//! `potluck call`: any capability from the command line, also one without a command of its own.

use std::process::Command;

use potluck::service::{Capability, Context, Data, Example, Kind, Service, Standing};
use potluck::{
    control::ControlServer,
    data_dir::DataDir,
    protocol::{Fault, Repeat},
};
use potluck_tests::{
    mesh::Setup,
    process::{Ran, Up, command, run},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::json;

/// A capability that the command knows nothing of.
struct Shout;

#[derive(Serialize, Deserialize)]
struct Request {
    text: String,
    times: u8,
}

#[derive(Serialize, Deserialize)]
struct Response {
    shouted: Vec<String>,
    bytes: ByteBuf,
    half: f64,
}

impl Service for Shout {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        let (input, output) = (Kind::Json, Kind::Json);
        Capability { name: "shout/1", summary: "shouts", input, output, repeat: Repeat::Safe }
    }

    fn standing(&self) -> Option<Standing> {
        Some(Standing {
            device: "cpu".into(),
            engine: String::new(),
            call_ms: 1.0,
            slots: 4,
            variants: vec![],
        })
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        if let Some(input) = cx.input().cloned() {
            cx.attach(Data::Bytes(cx.blocking(move || input.read()).await?));
        }
        let shouted = vec![request.text.to_uppercase(); usize::from(request.times)];
        Ok(Response { shouted, bytes: ByteBuf::from(vec![0, 255]), half: 0.5 })
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![]
    }
}

async fn ran(command: Command) -> Ran {
    tokio::task::spawn_blocking(move || run(command)).await.expect("no panic").expect("it ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_that_the_command_does_not_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = DataDir::open(Some(folder.path().to_owned())).expect("a data folder");
    let node = Setup::new("here").with(Shout).start().await;
    let _control = ControlServer::bind(&data_dir.control_socket(), &node).expect("binds");
    let (input, output) = (folder.path().join("in.bin"), folder.path().join("out.bin"));
    std::fs::write(&input, b"some bytes").expect("written");
    let call = |args: &[&str]| {
        let mut command = command(None, ["call"]);
        command.args(args).arg("--data-dir").arg(folder.path());
        command
    };
    let (file, out) = (input.display().to_string(), output.display().to_string());
    let args =
        ["shout", "--arg", "text=hello there", "--arg", "times=2", "--json", &file, "-o", &out];
    let answered = ran(call(&args)).await;
    assert_eq!(answered.code, Some(0), "{answered:?}");
    let document = answered.json();
    let expected =
        json!({ "shouted": ["HELLO THERE", "HELLO THERE"], "bytes": "00ff", "half": 0.5 });
    assert_eq!(document["answer"], expected);
    assert_eq!(document["data"], json!({ "bytes": 10, "file": out }));
    assert_eq!(document["served_by"]["name"], "here");
    assert_eq!(std::fs::read(&output).expect("kept"), b"some bytes");
    // For a person, and with data that nobody keeps.
    let answered = ran(call(&["shout/1", "--arg", "text=x", "--arg", "times=1", &file])).await;
    assert!(answered.out.contains("\"X\"") && answered.out.contains("-o FILE"), "{answered:?}");
    // What its own node does not understand is said.
    let wrong = ran(call(&["shout", "--arg", "text=x", "--json"])).await;
    assert_eq!(wrong.code, Some(4), "{wrong:?}");
    assert!(wrong.json()["error"]["message"].as_str().is_some_and(|m| m.contains("times")));
}

#[test]
fn a_capability_that_the_command_knows() -> anyhow::Result<()> {
    let node = Up::on_loopback("robot").args(["--offer", "chat"]).start()?;
    let ask = |args: &[&str]| node.run([&["call", "--json"], args].concat());
    let answered = ask(&["chat", "--arg", "text=xyzzy 42"])?;
    assert_eq!(answered.json()["answer"], json!({ "text": "xyzzy 42", "rule": null }));
    // A text that looks like a number stays a text where only that fits.
    assert_eq!(ask(&["chat/1", "--arg", "text=42"])?.json()["answer"]["text"], "42");
    for (args, code, word) in [
        (&["chat"][..], 2, "text"),
        (&["chat", "--arg", "text=a", "--arg", "text=b"], 2, "twice"),
        (&["Chat Bot"], 2, "capability name"),
        (&["chat", "--arg", "text"], 2, "KEY=VALUE"),
        (&["chat", "--arg", "text=a", "/there/is/none"], 2, "no file"),
        (&["chat", "--arg", "text=a", "-o", "/there/is/none/x"], 2, "no folder"),
        (&["nothing"], 3, "nobody here offers nothing/1"),
    ] {
        let failed = ask(args)?;
        assert_eq!(failed.code, Some(code), "{args:?}: {failed:?}");
        let document = failed.json();
        let message = document["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(word), "{args:?}: {message}");
    }
    Ok(())
}
