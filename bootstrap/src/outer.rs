//! Where others reach this machine: what its owner gives, and what it knows of itself.

use std::net::{IpAddr, SocketAddr};

use libp2p::{Multiaddr, multiaddr::Protocol};
use potluck::{
    config::{self, ValueError},
    network::is_private,
};

/// The multiaddrs that were meant by `IP`, `IP:PORT` or a multiaddr, for each way of listening.
pub fn given(text: &str, listen: &[String]) -> Result<Vec<String>, ValueError> {
    let (ip, port) = match (text.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(ip), _) => (ip, None),
        (_, Ok(socket)) => (socket.ip(), Some(socket.port())),
        _ => return Ok(vec![config::address(text)?.to_string()]),
    };
    Ok(addresses(listen)
        .filter_map(|listener| at(&listener, ip, port))
        .map(|a| a.to_string())
        .collect())
}

/// The public addresses of this machine at which it listens.
pub fn of_machine(listen: &[String]) -> Vec<String> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let own: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    known(listen, &own)
}

fn known(listen: &[String], own: &[IpAddr]) -> Vec<String> {
    let mut all = Vec::new();
    for listener in addresses(listen) {
        let Some(bound) = ip_of(&listener) else { continue };
        let ips = if bound.is_unspecified() { own.to_vec() } else { vec![bound] };
        let known = ips.into_iter().filter_map(|ip| at(&listener, ip, None));
        all.extend(known.filter(|address| !is_private(address)).map(|address| address.to_string()));
    }
    all
}

fn addresses(texts: &[String]) -> impl Iterator<Item = Multiaddr> {
    texts.iter().filter_map(|text| text.parse().ok())
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// A listener's address at another IP of the same family, perhaps at another port. Port 0 is none.
fn at(listener: &Multiaddr, ip: IpAddr, port: Option<u16>) -> Option<Multiaddr> {
    let bound = ip_of(listener)?;
    if bound.is_ipv4() != ip.is_ipv4() {
        return None;
    }
    let mut address = Multiaddr::from(ip);
    for protocol in listener.iter().skip(1) {
        let protocol = match protocol {
            Protocol::Tcp(own) => Protocol::Tcp(port.unwrap_or(own)),
            Protocol::Udp(own) => Protocol::Udp(port.unwrap_or(own)),
            other => other,
        };
        if matches!(protocol, Protocol::Tcp(0) | Protocol::Udp(0)) {
            return None;
        }
        address.push(protocol);
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening() -> Vec<String> {
        [
            "/ip4/0.0.0.0/tcp/4001",
            "/ip4/0.0.0.0/udp/4001/quic-v1",
            "/ip6/::/tcp/4001",
            "/ip4/0.0.0.0/tcp/0",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn what_is_given_is_understood() {
        let read = |text: &str| given(text, &listening()).map_err(|e| e.to_string());
        let both = |port| {
            vec![
                format!("/ip4/203.0.113.7/tcp/{port}"),
                format!("/ip4/203.0.113.7/udp/{port}/quic-v1"),
            ]
        };
        assert_eq!(read("203.0.113.7"), Ok(both(4001)));
        assert_eq!(read("2001:db8::1"), Ok(vec!["/ip6/2001:db8::1/tcp/4001".to_owned()]));
        assert_eq!(
            read("/ip4/203.0.113.7/tcp/443"),
            Ok(vec!["/ip4/203.0.113.7/tcp/443".to_owned()])
        );
        assert!(read("my.example.org").is_err());
        // A port that the router forwards, whatever is listened on behind it.
        let all = read("203.0.113.7:80").expect("good");
        assert_eq!(all[..2], both(80)[..]);
    }

    #[test]
    fn a_machine_knows_its_public_addresses() {
        let own: Vec<IpAddr> =
            ["127.0.0.1", "192.168.1.2", "203.0.113.9", "fe80::1", "2001:db8::2"]
                .map(|ip| ip.parse().expect("an IP"))
                .to_vec();
        assert_eq!(
            known(&listening(), &own),
            [
                "/ip4/203.0.113.9/tcp/4001",
                "/ip4/203.0.113.9/udp/4001/quic-v1",
                "/ip6/2001:db8::2/tcp/4001"
            ]
        );
        assert_eq!(known(&listening(), &own[..2]), [""; 0]);
        assert_eq!(known(&["/ip4/127.0.0.1/tcp/4001".to_owned()], &own), [""; 0]);
    }
}
