//! `potluck doctor`: why nobody is found, in plain words.

use std::process::ExitCode;

use potluck_i18n::Lang;
use serde_json::json;

use super::{Common, Failure, host::Host, output::Output};
use crate::doctor::{Level, diagnose, gather_firewalls, gather_interfaces, test_multicast};

pub(super) async fn run(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let waiting = output.spinner("looking around");
    let host = Host::find(common, &[]).await?;
    let mut facts = host.facts().await?;
    host.leave().await;
    let facts = tokio::task::spawn_blocking(move || {
        facts.interfaces = gather_interfaces().unwrap_or_default();
        facts.firewalls = gather_firewalls();
        if facts.mdns {
            test_multicast(&mut facts);
        }
        facts
    })
    .await
    .map_err(Failure::internal)?;
    waiting.finish_and_clear();
    let findings = diagnose(&facts, Lang::of_system());
    output.print(&json!({ "findings": findings }), || {
        findings
            .iter()
            .map(|finding| {
                let mark = match finding.level {
                    Level::Ok => "ok  ",
                    Level::Hint => "hint",
                    Level::Problem => "!!  ",
                };
                match finding.todo.as_str() {
                    "" => format!("{mark} {}", finding.what),
                    todo => format!("{mark} {}\n     -> {todo}", finding.what),
                }
            })
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(ExitCode::SUCCESS)
}
