//! What an address says about itself.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// Whether an address is QUIC.
pub(crate) fn is_quic(address: &Multiaddr) -> bool {
    address.iter().any(|p| matches!(p, Protocol::QuicV1 | Protocol::Quic))
}

/// Whether an address is this machine's own, whoever says it.
pub(crate) fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// Whether an address means nothing without the interface of whoever dials it.
pub(crate) fn is_link_local(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Ip6(ip)) if ip.is_unicast_link_local())
}

/// Whether an address leads through an entry node.
pub(crate) fn is_circuit(address: &Multiaddr) -> bool {
    address.iter().any(|p| p == Protocol::P2pCircuit)
}

/// Whether an address means something in its own network only. One that leads through an entry node
/// does not begin where the peer is.
pub fn is_private(address: &Multiaddr) -> bool {
    if is_circuit(address) {
        return false;
    }
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => {
            let [a, b, ..] = ip.octets();
            // 100.64/10 lies behind the NAT of a provider.
            let shared = a == 100 && b & 0xc0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
        }
        Some(Protocol::Ip6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Some(Protocol::Memory(_)) => true,
        _ => false,
    }
}

/// The peer through which an address leads.
pub(crate) fn relay_of(address: &Multiaddr) -> Option<PeerId> {
    if is_circuit(address) { peer_of(address) } else { None }
}

/// The peer that an address names.
pub(crate) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|p| match p {
        Protocol::P2p(peer) => Some(peer),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_others() {
        let relay = "12D3KooWA1bysjrTACSWqf6q172inxvwKHUxAnBtVgaVDKMxpZtx";
        let table = [
            ("/ip4/192.168.1.2/tcp/1".to_owned(), true),
            ("/ip4/10.0.0.1/udp/1/quic-v1".to_owned(), true),
            ("/ip4/172.31.0.1/tcp/1".to_owned(), true),
            ("/ip4/172.32.0.1/tcp/1".to_owned(), false),
            ("/ip4/100.64.0.1/tcp/1".to_owned(), true),
            ("/ip4/100.128.0.1/tcp/1".to_owned(), false),
            ("/ip4/127.0.0.1/tcp/1".to_owned(), true),
            ("/ip4/203.0.113.1/tcp/1".to_owned(), false),
            ("/ip6/fd00::1/tcp/1".to_owned(), true),
            ("/ip6/fe80::1/tcp/1".to_owned(), true),
            ("/ip6/2001:db8::1/tcp/1".to_owned(), false),
            ("/memory/7".to_owned(), true),
            (format!("/ip4/10.0.0.1/tcp/1/p2p/{relay}/p2p-circuit"), false),
        ];
        for (text, private) in table {
            let address: Multiaddr = text.parse().expect("an address");
            assert_eq!(is_private(&address), private, "{text}");
            assert_eq!(relay_of(&address).is_some(), text.ends_with("circuit"), "{text}");
        }
    }
}
