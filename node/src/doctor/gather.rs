//! What this computer shows without administrator rights: interfaces, firewalls, multicast.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use if_addrs::IfOperStatus;

use super::{Facts, Interface};

/// The group of mDNS (RFC 6762, section 3).
const MDNS_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// How long an own packet may take to come back inside one computer.
const SELF_TEST_WAIT: Duration = Duration::from_millis(300);

/// Interfaces of containers, virtual machines and VPNs begin so.
const VIRTUAL: [&str; 22] = [
    "docker",
    "veth",
    "br-",
    "virbr",
    "vmnet",
    "vboxnet",
    "tun",
    "tap",
    "wg",
    "tailscale",
    "zt",
    "utun",
    "lxcbr",
    "lxdbr",
    "podman",
    "cni",
    "flannel",
    "cali",
    "ipsec",
    "ppp",
    "nordlynx",
    "vethernet",
];

/// True for names such as `docker0`, `veth12ab`, `tun0`, `tailscale0`.
pub fn is_virtual(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

/// The addresses of the interfaces that are up. Sends nothing.
///
/// The multicast flag comes from `/sys`, so in a network namespace it is right only when `/sys`
/// was mounted for that namespace, as `ip netns exec` does.
pub fn gather_interfaces() -> io::Result<Vec<Interface>> {
    let up = |it: &if_addrs::Interface| {
        matches!(it.oper_status, IfOperStatus::Up | IfOperStatus::Unknown)
    };
    let interfaces = if_addrs::get_if_addrs()?.into_iter().filter(up).map(|it| Interface {
        ip: it.ip(),
        is_loopback: it.is_loopback(),
        is_virtual: is_virtual(&it.name),
        multicast: multicast_flag(Path::new("/sys/class/net"), &it.name),
        multicast_came_back: None,
        name: it.name,
    });
    Ok(interfaces.collect())
}

/// The names of firewalls that seem active. `nftables` only when its service is enabled, because
/// container engines use its kernel part as well.
pub fn gather_firewalls() -> Vec<String> {
    firewalls_below(Path::new("/"))
}

/// Fills in `multicast_came_back` for every IPv4 address that is not loopback, when mDNS is on.
/// Blocks for up to 0.3 s for each address that fails: not for async threads.
pub fn test_multicast(facts: &mut Facts) {
    if !facts.mdns {
        return;
    }
    for interface in facts.interfaces.iter_mut().filter(|it| !it.is_loopback && it.ip.is_ipv4()) {
        // A test that cannot be made says nothing about the network.
        interface.multicast_came_back = multicast_self_test(interface.ip).ok();
    }
}

/// Whether a multicast packet sent from `ip` comes back to this process.
///
/// It goes to the group of mDNS on a port that the system picks, with TTL 0, so it never leaves
/// this computer. A firewall rule for the port of mDNS alone is therefore not noticed. Blocks for
/// up to 0.3 s. IPv6 gives `Unsupported`: the standard library cannot limit its hops.
pub fn multicast_self_test(ip: IpAddr) -> io::Result<bool> {
    let IpAddr::V4(ip) = ip else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "only tested on IPv4"));
    };
    let receiver = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    receiver.join_multicast_v4(&MDNS_GROUP, &ip)?;
    let target = SocketAddrV4::new(MDNS_GROUP, receiver.local_addr()?.port());
    // A multicast packet leaves by the interface whose address its socket is bound to.
    let sender = UdpSocket::bind((ip, 0))?;
    sender.set_multicast_ttl_v4(0)?;
    sender.set_multicast_loop_v4(true)?;
    let from = sender.local_addr()?;
    let nonce: [u8; 16] = rand::random();
    match sender.send_to(&nonce, target) {
        Ok(_) => came_back(&receiver, from, &nonce),
        Err(error) if refused_to_send(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn came_back(receiver: &UdpSocket, from: SocketAddr, nonce: &[u8]) -> io::Result<bool> {
    let deadline = Instant::now() + SELF_TEST_WAIT;
    let mut buffer = [0; 64];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        receiver.set_read_timeout(Some(left))?;
        match receiver.recv_from(&mut buffer) {
            Ok((length, source)) if source == from && buffer.get(..length) == Some(nonce) => {
                return Ok(true);
            }
            Ok(_) => {}
            Err(error) if is_timeout(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// A firewall or a missing route, as opposed to a lack of sockets.
fn refused_to_send(error: &io::Error) -> bool {
    use io::ErrorKind::{HostUnreachable, NetworkUnreachable, PermissionDenied};
    matches!(error.kind(), NetworkUnreachable | HostUnreachable | PermissionDenied)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// The IFF_MULTICAST bit (0x1000, `linux/if.h`) of an interface; `None` where there is no such file.
pub(super) fn multicast_flag(folder: &Path, name: &str) -> Option<bool> {
    if name.contains(['/', '\0']) {
        return None;
    }
    let text = fs::read_to_string(folder.join(name).join("flags")).ok()?;
    let flags = u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()?;
    Some(flags & 0x1000 != 0)
}

pub(super) fn firewalls_below(root: &Path) -> Vec<String> {
    let found = [
        ("ufw", ufw_enabled(&root.join("etc/ufw/ufw.conf"))),
        ("firewalld", process_runs(&root.join("proc"), "firewalld")),
        ("nftables", nftables_enabled(&root.join("etc/systemd/system"))),
    ];
    found.iter().filter(|(_, active)| *active).map(|(name, _)| (*name).to_owned()).collect()
}

fn ufw_enabled(config: &Path) -> bool {
    let text = fs::read_to_string(config).unwrap_or_default();
    text.lines().any(|line| line.trim().eq_ignore_ascii_case("enabled=yes"))
}

fn nftables_enabled(units: &Path) -> bool {
    let wants = |target: &str| units.join(format!("{target}.wants/nftables.service"));
    // A link whose target is in a part of the system that is not visible here counts too.
    ["sysinit.target", "multi-user.target"].iter().any(|it| fs::symlink_metadata(wants(it)).is_ok())
}

fn process_runs(proc: &Path, name: &str) -> bool {
    let Ok(entries) = fs::read_dir(proc) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_process
            && fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
    })
}
