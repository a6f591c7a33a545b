//! Why nobody is found, in plain words, and what to do.
//!
//! [`diagnose`] is pure: facts in, findings out. [`gather_interfaces`], [`gather_firewalls`] and
//! [`test_multicast`] read what this computer shows; the running node adds what it has met. The
//! sentences stand in `doctor.ftl`, by the codes of the findings.

mod gather;

use std::collections::BTreeSet;
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use potluck_i18n::{Lang, fill, has};
use serde::{Deserialize, Serialize};

pub use gather::{
    gather_firewalls, gather_interfaces, is_virtual, multicast_self_test, test_multicast,
};

/// The most names or addresses that one finding lists.
const MAX_LISTED: usize = 5;

/// What is known about this computer and its node. What nobody filled in counts as unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// A node runs, and filled in what it has met.
    pub running: bool,
    /// The node looks for others by mDNS.
    pub mdns: bool,
    /// The name of the node's mesh.
    pub mesh: String,
    /// The addresses of this computer, one entry each.
    pub interfaces: Vec<Interface>,
    /// The multiaddrs on which the node listens.
    pub listen: Vec<String>,
    /// How many peers the directory holds.
    pub peers_known: usize,
    /// How many peers are connected.
    pub peers_connected: usize,
    /// How many other nodes mDNS has announced, of any mesh, connected or not.
    pub heard_by_mdns: usize,
    /// Nodes that were met but do not belong to this mesh.
    pub strangers: Vec<Stranger>,
    /// Addresses that could not be dialled lately.
    pub dial_failures: Vec<DialFailure>,
    /// The address at which another node with this node's identity was seen.
    pub clone_at: Option<String>,
    /// Firewalls that are active, such as `ufw`.
    pub firewalls: Vec<String>,
    /// Capabilities that the node was set up for and cannot serve, with the reason.
    pub troubles: Vec<(String, String)>,
}

/// One address of one network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The system's name, such as `eth0`.
    pub name: String,
    /// The address.
    pub ip: IpAddr,
    /// It reaches only this computer.
    pub is_loopback: bool,
    /// By its name it belongs to containers, virtual machines or a VPN.
    pub is_virtual: bool,
    /// The interface carries multicast; `None` where the system does not say.
    pub multicast: Option<bool>,
    /// An own multicast packet came back; `None` where that was not tried.
    pub multicast_came_back: Option<bool>,
}

/// A node that belongs to another mesh, or is not a Potluck node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Where it is.
    pub address: String,
    /// The mesh that it names; `None` when it is not a Potluck node.
    pub mesh: Option<String>,
}

/// An address that could not be dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialFailure {
    /// The multiaddr.
    pub address: String,
    /// What happened.
    pub reason: DialReason,
}

/// What happened to a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialReason {
    /// The computer is there, and nothing listens on that port.
    Refused,
    /// No answer at all.
    Timeout,
    /// The system knows no way there.
    Unreachable,
    /// A Potluck node of another mesh answered.
    WrongMesh,
    /// Anything else.
    Other,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; may explain something.
    Hint,
    /// Explains why nobody, or somebody, is not found.
    Problem,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// A steady name for programs, such as `no-multicast`.
    pub code: &'static str,
    /// What is the matter: a sentence or two.
    pub what: String,
    /// What to do; empty when there is nothing to do.
    pub todo: String,
}

/// Finds what explains that nobody, or somebody, is not found: the gravest first.
pub fn diagnose(facts: &Facts, lang: Lang) -> Vec<Finding> {
    let mut report = Report { lang, findings: Vec::new() };
    let alone = facts.peers_connected == 0;
    if !facts.running {
        report.add(Level::Hint, "not-running", &[]);
    }
    if let Some(address) = &facts.clone_at {
        report.add(Level::Problem, "cloned-identity", &[("address", address)]);
    }
    for (capability, why) in &facts.troubles {
        let values = [("capability", capability.as_str()), ("why", why.as_str())];
        report.add(Level::Problem, "cannot-serve", &values);
    }
    other_mesh(facts, alone, &mut report);
    listening(facts, alone, &mut report);
    if alone {
        interfaces(facts, &mut report);
        multicast(facts, &mut report);
        dials(facts, &mut report);
        firewalls(facts, &mut report);
        // What this node cannot serve keeps nobody away.
        let explains =
            |finding: &Finding| finding.level == Level::Problem && finding.code != "cannot-serve";
        let unexplained = !report.findings.iter().any(explains);
        if facts.running && unexplained {
            report.add(Level::Hint, "nobody-answers", &[]);
        }
    } else {
        let known = facts.peers_known.max(facts.peers_connected).to_string();
        let connected = facts.peers_connected.to_string();
        report.add(Level::Ok, "peers", &[("known", &known), ("connected", &connected)]);
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    report.findings
}

struct Report {
    lang: Lang,
    findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, level: Level, code: &'static str, values: &[(&str, &str)]) {
        let values = || values.iter().map(|(name, value)| (*name, (*value).into()));
        let (what, todo) = (format!("doctor-{code}"), format!("doctor-{code}.todo"));
        let what = fill(self.lang, &what, values());
        let todo = match has(self.lang, &todo) {
            true => fill(self.lang, &todo, values()),
            false => String::new(),
        };
        self.findings.push(Finding { level, code, what, todo });
    }
}

fn other_mesh(facts: &Facts, alone: bool, report: &mut Report) {
    let level = if alone { Level::Problem } else { Level::Hint };
    let meshes: BTreeSet<&str> =
        facts.strangers.iter().filter_map(|it| it.mesh.as_deref()).collect();
    let wrong = failed(facts, |reason| reason == DialReason::WrongMesh);
    if !meshes.is_empty() {
        let values = [("meshes", &*listed(&meshes)), ("mesh", &facts.mesh)];
        report.add(level, "other-mesh", &values);
    } else if !wrong.is_empty() {
        let values = [("addresses", &*listed(&wrong)), ("mesh", &facts.mesh)];
        report.add(level, "other-mesh-dialled", &values);
    }
    let foreign: BTreeSet<&str> =
        facts.strangers.iter().filter(|it| it.mesh.is_none()).map(|it| &*it.address).collect();
    if alone && !foreign.is_empty() {
        report.add(Level::Hint, "not-potluck", &[("addresses", &listed(&foreign))]);
    }
}

fn listening(facts: &Facts, alone: bool, report: &mut Report) {
    if !facts.running {
        return;
    }
    if facts.listen.is_empty() {
        report.add(Level::Problem, "not-listening", &[]);
        return;
    }
    let level = if alone { Level::Problem } else { Level::Hint };
    let ips: Vec<IpAddr> = facts.listen.iter().filter_map(|address| ip_of(address)).collect();
    if ips.is_empty() {
        return;
    }
    if ips.iter().all(IpAddr::is_loopback) {
        report.add(level, "loopback-only", &[]);
        return;
    }
    let virtual_name = |ip: &IpAddr| {
        facts.interfaces.iter().find(|it| it.ip == *ip && it.is_virtual).map(|it| it.name.as_str())
    };
    let outside: Vec<&IpAddr> = ips.iter().filter(|ip| !ip.is_loopback()).collect();
    let virtual_names: BTreeSet<&str> = outside.iter().filter_map(|ip| virtual_name(ip)).collect();
    let all_virtual = outside.iter().all(|ip| virtual_name(ip).is_some());
    let real = real_interfaces(facts);
    if alone && all_virtual && !real.is_empty() {
        let values = [("virtual", &*listed(&virtual_names)), ("real", &*listed(&real))];
        report.add(level, "wrong-interface", &values);
    }
}

fn interfaces(facts: &Facts, report: &mut Report) {
    let outside: BTreeSet<&str> =
        facts.interfaces.iter().filter(|it| !it.is_loopback).map(|it| it.name.as_str()).collect();
    if outside.is_empty() {
        report.add(Level::Problem, "no-network", &[]);
    } else if real_interfaces(facts).is_empty() {
        report.add(Level::Problem, "only-virtual", &[("virtual", &listed(&outside))]);
    }
}

fn multicast(facts: &Facts, report: &mut Report) {
    if facts.running && !facts.mdns {
        report.add(Level::Problem, "mdns-off", &[]);
        return;
    }
    let real = real_interfaces(facts);
    let works = |name: &str| {
        let mut addresses = facts.interfaces.iter().filter(|it| it.name == name);
        // One address family that works is enough for a name.
        let mut tried = addresses.clone().filter_map(|it| it.multicast_came_back).peekable();
        addresses.all(|it| it.multicast != Some(false))
            && (tried.peek().is_none() || tried.any(|back| back))
    };
    let silent: BTreeSet<&str> = real.iter().copied().filter(|name| !works(name)).collect();
    if silent.is_empty() {
        return;
    }
    let (level, code) = if silent.len() == real.len() {
        (Level::Problem, "no-multicast")
    } else {
        (Level::Hint, "multicast-in-part")
    };
    report.add(level, code, &[("interfaces", &listed(&silent))]);
}

fn dials(facts: &Facts, report: &mut Report) {
    let silent = failed(facts, |it| matches!(it, DialReason::Timeout | DialReason::Unreachable));
    let refused = failed(facts, |it| it == DialReason::Refused);
    let wrong_mesh = facts.dial_failures.iter().any(|it| it.reason == DialReason::WrongMesh);
    if !silent.is_empty() && refused.is_empty() && !wrong_mesh {
        let code = if facts.heard_by_mdns > 0 { "isolated" } else { "no-way" };
        report.add(Level::Problem, code, &[("addresses", &listed(&silent))]);
    }
    if !refused.is_empty() {
        report.add(Level::Problem, "refused", &[("addresses", &listed(&refused))]);
    }
}

fn firewalls(facts: &Facts, report: &mut Report) {
    if facts.firewalls.is_empty() {
        return;
    }
    let names: BTreeSet<&str> = facts.firewalls.iter().map(String::as_str).collect();
    let ports: BTreeSet<String> = facts.listen.iter().filter_map(|it| port_of(it)).collect();
    let commands: Vec<String> =
        names.iter().flat_map(|name| firewall_commands(name, &ports)).collect();
    let values = [("names", &*listed(&names)), ("commands", &commands.join("; "))];
    report.add(Level::Problem, "firewall", &values);
}

/// What lets mDNS and `ports` (such as `4001/tcp`) through a firewall.
fn firewall_commands(name: &str, ports: &BTreeSet<String>) -> Vec<String> {
    let mdns = "5353/udp".to_owned();
    let all = std::iter::once(&mdns).chain(ports);
    match name {
        "ufw" => all.map(|port| format!("sudo ufw allow {port}")).collect(),
        "firewalld" => all.map(|port| format!("sudo firewall-cmd --add-port={port}")).collect(),
        _ => vec![format!("{name}: {}", all.cloned().collect::<Vec<_>>().join(", "))],
    }
}

/// The names of interfaces that lead to a network of real machines.
fn real_interfaces(facts: &Facts) -> BTreeSet<&str> {
    let real = facts.interfaces.iter().filter(|it| !it.is_loopback && !it.is_virtual);
    real.map(|it| it.name.as_str()).collect()
}

fn failed(facts: &Facts, reason: impl Fn(DialReason) -> bool) -> BTreeSet<&str> {
    let failures = facts.dial_failures.iter().filter(|failure| reason(failure.reason));
    failures.map(|failure| failure.address.as_str()).collect()
}

fn listed(items: &BTreeSet<&str>) -> String {
    let mut text = items.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ");
    if items.len() > MAX_LISTED {
        text.push_str(", …");
    }
    text
}

fn ip_of(address: &str) -> Option<IpAddr> {
    address.parse::<Multiaddr>().ok()?.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}

fn port_of(address: &str) -> Option<String> {
    address.parse::<Multiaddr>().ok()?.iter().find_map(|part| match part {
        Protocol::Tcp(port) => Some(format!("{port}/tcp")),
        Protocol::Udp(port) => Some(format!("{port}/udp")),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
