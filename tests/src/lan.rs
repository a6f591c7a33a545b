//! A LAN of network namespaces: one bridge in a namespace of its own, and a veth pair to each host.
//!
//! Nothing here touches the machine's own interfaces: every link is made inside a namespace. mDNS
//! is allowed to run in these, and nowhere else in the tests.

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, ensure};

/// Namespaces of tests begin so; the process id follows.
const PREFIX: &str = "ptl-";

static LANS: AtomicU32 = AtomicU32::new(0);

/// A switch with hosts. Taken down when dropped.
pub struct Lan {
    switch: String,
    hosts: Vec<String>,
}

impl Lan {
    /// A switch with `count` hosts, `10.77.x.y` each.
    ///
    /// # Errors
    /// Says why this machine does not let us make namespaces.
    pub fn new(count: usize) -> anyhow::Result<Self> {
        clean_up();
        let name =
            format!("{PREFIX}{}-{}", std::process::id(), LANS.fetch_add(1, Ordering::Relaxed));
        let switch = format!("{name}-sw");
        add_namespace(&switch)?;
        // From here on, dropping it takes down what is there.
        let mut lan = Self { switch, hosts: Vec::new() };
        let switch = &lan.switch;
        in_namespace(
            switch,
            "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        )?;
        in_namespace(switch, "link set br0 up")?;
        for index in 0..count {
            let host = format!("{name}-{index}");
            add_namespace(&host)?;
            lan.hosts.push(host.clone());
            lan.plug_in(index, &host)?;
        }
        Ok(lan)
    }

    fn plug_in(&self, index: usize, host: &str) -> anyhow::Result<()> {
        let (switch, address) = (&self.switch, address(index));
        in_namespace(switch, &format!("link add p{index} type veth peer name eth0 netns {host}"))?;
        in_namespace(switch, &format!("link set p{index} master br0 up"))?;
        in_namespace(host, "link set lo up")?;
        in_namespace(host, &format!("addr add {address}/16 brd + dev eth0"))?;
        in_namespace(host, "link set eth0 up")?;
        in_namespace(host, "route add default dev eth0")
    }

    /// The namespace of a host.
    pub fn host(&self, index: usize) -> &str {
        &self.hosts[index]
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.hosts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Pulls a host's cable at the switch.
    pub fn cut(&self, index: usize) -> anyhow::Result<()> {
        in_namespace(&self.switch, &format!("link set p{index} down"))
    }

    /// Plugs it in again.
    pub fn restore(&self, index: usize) -> anyhow::Result<()> {
        in_namespace(&self.switch, &format!("link set p{index} up"))
    }

    /// Bytes that a host has received and sent so far.
    pub fn traffic(&self, index: usize) -> anyhow::Result<(u64, u64)> {
        let read = |name: &str| -> anyhow::Result<u64> {
            let file = format!("/sys/class/net/eth0/statistics/{name}");
            let out = ip(&["netns", "exec", self.host(index), "cat", &file])?;
            Ok(out.trim().parse()?)
        };
        Ok((read("rx_bytes")?, read("tx_bytes")?))
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in self.hosts.iter().chain([&self.switch]) {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

/// The address of a host.
pub fn address(index: usize) -> String {
    format!("10.77.{}.{}", (index + 1) / 250, (index + 1) % 250 + 1)
}

/// Removes what killed test processes left behind.
pub(crate) fn clean_up() {
    let Ok(list) = ip(&["netns", "list"]) else { return };
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some(pid) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()) else {
            continue;
        };
        if !PathBuf::from("/proc").join(pid).exists() {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

pub(crate) fn add_namespace(name: &str) -> anyhow::Result<()> {
    ip(&["netns", "add", name]).map(drop).context("network namespaces cannot be made here")
}

pub(crate) fn in_namespace(name: &str, args: &str) -> anyhow::Result<()> {
    let all: Vec<_> = ["-n", name].into_iter().chain(args.split(' ')).collect();
    ip(&all).map(drop)
}

pub(crate) fn ip(args: &[&str]) -> anyhow::Result<String> {
    let ran = Command::new("ip").args(args).output().context("the program `ip` is missing")?;
    let error = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "ip {}: {}", args.join(" "), error.trim());
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
