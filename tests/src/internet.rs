//! Two LANs and an internet between them, of network namespaces: each LAN behind a router with NAT that
//! lets nothing in by itself, and servers with public addresses.
//!
//! The addresses are those for documentation (RFC 5737), which are routed nowhere: nodes take them for
//! public ones.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;

use crate::lan::{add_namespace, clean_up, in_namespace, ip};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Two LANs with two hosts each, and two servers. Taken down when dropped.
pub struct Internet {
    name: String,
    namespaces: Vec<String>,
    nat: bool,
}

impl Internet {
    /// Makes it all.
    ///
    /// # Errors
    /// Says why this machine does not let us make namespaces.
    pub fn new() -> anyhow::Result<Self> {
        clean_up();
        let name = format!("ptl-{}-i{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut net = Self { name, namespaces: Vec::new(), nat: true };
        let middle = net.namespace("net")?;
        bridge(&middle)?;
        for server in 0..2 {
            let namespace = net.namespace(&format!("s{server}"))?;
            plug(&middle, &namespace, &format!("{}/24", server_address(server)), "wan")?;
        }
        for lan in 0..2 {
            net.lan(&middle, lan)?;
        }
        if !net.nat {
            // Servers find their way back by themselves; the routers know nothing of each other's LAN.
            for server in 0..2 {
                for lan in 0..2 {
                    let router = Self::router_address(lan);
                    let route = format!("route add 192.168.{}.0/24 via {router}", lan + 1);
                    in_namespace(&net.server(server), &route)?;
                }
            }
        }
        Ok(net)
    }

    fn lan(&mut self, middle: &str, lan: usize) -> anyhow::Result<()> {
        let router = self.namespace(&format!("r{lan}"))?;
        plug(middle, &router, &format!("{}/24", Self::router_address(lan)), "wan")?;
        bridge(&router)?;
        in_namespace(&router, &format!("addr add 192.168.{}.1/24 brd + dev br0", lan + 1))?;
        ip(&["netns", "exec", &router, "sysctl", "-qw", "net.ipv4.ip_forward=1"])?;
        self.nat &= masquerade(&router).is_ok();
        for host in 0..2 {
            let namespace = self.namespace(&format!("h{lan}{host}"))?;
            plug(&router, &namespace, &format!("192.168.{}.{}/24", lan + 1, host + 10), "eth0")?;
            in_namespace(&namespace, &format!("route add default via 192.168.{}.1", lan + 1))?;
        }
        Ok(())
    }

    fn namespace(&mut self, short: &str) -> anyhow::Result<String> {
        let name = format!("{}-{short}", self.name);
        add_namespace(&name)?;
        self.namespaces.push(name.clone());
        in_namespace(&name, "link set lo up")?;
        Ok(name)
    }

    /// Whether the routers translate addresses; without it nothing goes between the LANs either, and no
    /// hole can be punched.
    pub fn has_nat(&self) -> bool {
        self.nat
    }

    /// The namespace of a server.
    pub fn server(&self, server: usize) -> String {
        format!("{}-s{server}", self.name)
    }

    /// The namespace of a host in a LAN.
    pub fn host(&self, lan: usize, host: usize) -> String {
        format!("{}-h{lan}{host}", self.name)
    }

    /// The address of a LAN's router in the internet.
    pub fn router_address(lan: usize) -> String {
        format!("203.0.113.{}", lan + 101)
    }

    /// The router of a LAN forwards a TCP port to one of its hosts, as its owner may set it up.
    ///
    /// # Errors
    /// Where there is no NAT.
    pub fn forward(&self, (lan, host): (usize, usize), port: u16) -> anyhow::Result<()> {
        let to = format!("192.168.{}.{}", lan + 1, host + 10);
        let rules = format!(
            "add chain ip nat pre {{ type nat hook prerouting priority -100; }}; \
             add rule ip nat pre iifname \"wan\" tcp dport {port} dnat to {to}:{port}"
        );
        ip(&["netns", "exec", &format!("{}-r{lan}", self.name), "nft", &rules]).map(drop)
    }

    /// From now on the routers let nothing through between the LANs, hole or not.
    pub fn seal(&self) -> anyhow::Result<()> {
        for lan in 0..2 {
            let router = format!("{}-r{lan}", self.name);
            let other = format!("blackhole {}/32", Self::router_address(1 - lan));
            in_namespace(&router, &format!("route add {other}"))?;
        }
        Ok(())
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        for name in &self.namespaces {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

/// The address of a server.
pub fn server_address(server: usize) -> String {
    format!("203.0.113.{}", server + 1)
}

fn bridge(namespace: &str) -> anyhow::Result<()> {
    in_namespace(
        namespace,
        "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
    )?;
    in_namespace(namespace, "link set br0 up")
}

/// A cable from a host to the bridge of another namespace.
fn plug(switch: &str, host: &str, address: &str, device: &str) -> anyhow::Result<()> {
    // Names of devices are short, and unique in the namespace of the switch.
    let port = format!("p{}", address.replace('.', "").split('/').next().unwrap_or_default());
    in_namespace(switch, &format!("link add {port} type veth peer name {device} netns {host}"))?;
    in_namespace(switch, &format!("link set {port} master br0 up"))?;
    in_namespace(host, &format!("addr add {address} brd + dev {device}"))?;
    in_namespace(host, &format!("link set {device} up"))
}

/// What every router at home does: nobody outside gets an answer who was not asked.
fn masquerade(router: &str) -> anyhow::Result<()> {
    let rules = "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; \
                 add rule ip nat post oifname \"wan\" masquerade; \
                 add chain ip nat in { type filter hook input priority 0; }; \
                 add rule ip nat in iifname \"wan\" ct state new drop";
    ip(&["netns", "exec", router, "nft", rules]).map(drop).context("no NAT here")
}
