//! For whoever watches over the node: `/healthz`, and `/metrics` as Prometheus reads it.

use std::fmt::Write as _;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use potluck::node::{Watch, Watched};
use tokio::net::TcpListener;

/// Answers until it is dropped.
pub async fn serve(listener: TcpListener, node: Watch) {
    let pages = Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics));
    let _ = axum::serve(listener, pages.with_state(node)).await;
}

async fn healthz(State(node): State<Watch>) -> (StatusCode, &'static str) {
    match node.look().await {
        Some(_) => (StatusCode::OK, "ok\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the network does not answer\n"),
    }
}

async fn metrics(State(node): State<Watch>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    match node.look().await {
        Some(seen) => (StatusCode::OK, kind, written(&seen)),
        None => (StatusCode::SERVICE_UNAVAILABLE, kind, String::new()),
    }
}

/// The exposition format of Prometheus, version 0.0.4.
fn written(seen: &Watched) -> String {
    let entry = seen.network.entry.unwrap_or_default();
    let count = |n: usize| n as u64;
    let all = [
        ("connections", "gauge", "Peers that are connected.", count(seen.network.connected)),
        ("nodes", "gauge", "Nodes of the mesh that are known.", count(seen.nodes)),
        ("places", "gauge", "Nodes that can be reached through this one.", count(entry.places)),
        ("circuits", "gauge", "Relayed connections that are open.", count(entry.circuits)),
        ("circuits_opened_total", "counter", "Relayed connections that were opened.", entry.opened),
        (
            "denied_total",
            "counter",
            "Places and relayed connections that were denied.",
            entry.denied,
        ),
        ("bytes_total", "counter", "Bytes over connections of peers, both ways.", entry.bytes),
        ("mail_letters", "gauge", "Sealed letters that are kept.", count(seen.letters.0)),
        ("mail_bytes", "gauge", "Their bytes.", seen.letters.1),
        ("resident_memory_bytes", "gauge", "Memory that the process has.", resident()),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in all {
        let name = format!("potluck_entry_{name}");
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

/// 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_written_as_prometheus_reads_them() {
        let text = written(&Watched { nodes: 3, letters: (2, 70), ..Watched::default() });
        assert!(
            text.contains("# TYPE potluck_entry_nodes gauge\npotluck_entry_nodes 3\n"),
            "{text}"
        );
        assert!(text.contains("\npotluck_entry_mail_bytes 70\n"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once(' ').expect("a name and a value");
            assert!(name.starts_with("potluck_entry_") && value.parse::<u64>().is_ok(), "{line}");
        }
    }
}
