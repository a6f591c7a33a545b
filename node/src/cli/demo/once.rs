//! What the demo asks for once: the chat robot, faces on a picture, the report of a table.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Failure, Output, call};
use crate::{
    Client,
    cli::{faces, words},
    client::{CallInput, Reply},
    protocol,
    services::{analyze as analyze_1, chat, faces as faces_1},
};

/// Three sentences; the last one is echoed.
pub(super) async fn chats(client: &Client, output: &Output) -> Result<Value, Failure> {
    let mut chats = Vec::new();
    for text in ["Hello!", "你好", "the quick brown fox"] {
        let request = chat::Request { text: text.into() };
        let (answer, reply): (chat::Response, _) = ask(client, "chat/1", &request, None).await?;
        let by = words::demo_by(output.lang(), &reply.served_by.name);
        output.say(&format!("  {text}  ->  {}  {by}", answer.text));
        chats.push(json!({
            "text": answer.text, "rule": answer.rule, "served_by": reply.served_by,
            "route": reply.route, "milliseconds": reply.milliseconds,
        }));
    }
    Ok(chats.into())
}

/// The bundled portrait.
pub(super) async fn portrait(client: &Client, output: &Output) -> Result<Value, Failure> {
    let sample = potluck_models::face_sample();
    let (found, reply): (faces_1::Response, _) =
        ask(client, "faces/1", &faces_1::Request::default(), Some(sample.bytes)).await?;
    for face in &found.faces {
        let line = faces::line(face, output.lang());
        let by = words::demo_by_in(output.lang(), &reply.served_by.name, reply.milliseconds);
        output.say(&format!("  {}: {line}  {by}", sample.name));
    }
    Ok(json!({
        "file": sample.name, "width": found.width, "height": found.height, "faces": found.faces,
        "served_by": reply.served_by, "route": reply.route, "milliseconds": reply.milliseconds,
    }))
}

/// The bundled table. The report stays in a temporary folder for the person to open.
pub(super) async fn table(client: &Client, output: &Output) -> Result<Value, Failure> {
    let request = analyze_1::Request {
        file: Some(potluck_analysis::SAMPLE_NAME.into()),
        lang: Some(output.lang().code().into()),
        ..analyze_1::Request::default()
    };
    let table = potluck_analysis::SAMPLE.as_bytes();
    let (response, reply): (analyze_1::Response, _) =
        ask(client, "analyze/1", &request, Some(table)).await?;
    let folder = tempfile::Builder::new().prefix("potluck-demo-").tempdir();
    let folder = folder.map_err(Failure::internal)?;
    let files = analyze_1::report::unpack(reply.data.as_ref(), folder.path())?.files;
    if !output.is_json() {
        let (rows, columns) = (response.rows, response.columns);
        let charts = files.iter().filter(|name| name.ends_with(".svg")).count();
        let (by, ms) = (&reply.served_by.name, reply.milliseconds);
        let report: PathBuf = folder.keep().join("report.html");
        let (lang, name) = (output.lang(), potluck_analysis::SAMPLE_NAME);
        let made = words::demo_report(lang, name, rows, columns, charts, by, ms);
        let open = words::open_page(lang, report.display().to_string());
        output.say(&format!("  {made}\n  {open}"));
    }
    Ok(json!({
        "rows": response.rows, "columns": response.columns, "alerts": response.alerts,
        "files": files, "served_by": reply.served_by, "route": reply.route,
        "milliseconds": reply.milliseconds,
    }))
}

async fn ask<Request: serde::Serialize, Response: serde::de::DeserializeOwned>(
    client: &Client,
    capability: &str,
    request: &Request,
    input: Option<&'static [u8]>,
) -> Result<(Response, Reply), Failure> {
    let args = protocol::encode(request).map_err(Failure::internal)?;
    let input = input.map(|bytes| CallInput::Bytes(bytes.into()));
    let reply = client.call(call(capability, args, input)).await?;
    let answer = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
    Ok((answer, reply))
}
