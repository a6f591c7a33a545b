//! Tests of the doctor: each case in both languages, and what this computer shows.

use std::fs;
use std::path::Path;

use super::gather::{firewalls_below, multicast_flag};
use super::*;

fn interface(name: &str, ip: &str) -> Interface {
    Interface {
        name: name.to_owned(),
        ip: ip.parse().unwrap(),
        is_loopback: name == "lo",
        is_virtual: is_virtual(name),
        multicast: Some(true),
        multicast_came_back: None,
    }
}

/// A running node in a good network in which nobody else is.
fn alone() -> Facts {
    let eth = Interface { multicast_came_back: Some(true), ..interface("eth0", "192.168.1.7") };
    Facts {
        running: true,
        mdns: true,
        mesh: "potluck".to_owned(),
        interfaces: vec![interface("lo", "127.0.0.1"), eth, interface("docker0", "172.17.0.1")],
        listen: vec![
            "/ip4/192.168.1.7/tcp/4001".to_owned(),
            "/ip4/127.0.0.1/udp/4002/quic-v1".to_owned(),
        ],
        ..Facts::default()
    }
}

fn failure(address: &str, reason: DialReason) -> DialFailure {
    DialFailure { address: address.to_owned(), reason }
}

fn stranger(mesh: Option<&str>) -> Stranger {
    Stranger { address: "/ip4/192.168.1.9/tcp/4001".to_owned(), mesh: mesh.map(str::to_owned) }
}

/// A case: how it differs from [`alone`], the findings, and words of the first in both languages.
struct Case {
    change: fn(&mut Facts),
    findings: &'static [(Level, &'static str)],
    english: &'static str,
    chinese: &'static str,
}

const CASES: &[Case] = &[
    Case {
        change: |facts| (facts.peers_known, facts.peers_connected) = (7, 3),
        findings: &[(Level::Ok, "peers")],
        english: "7 peers known, 3 of them connected",
        chinese: "已知 7 个节点，其中 3 个已连接",
    },
    Case {
        change: |_| {},
        findings: &[(Level::Hint, "nobody-answers")],
        english: "client isolation",
        chinese: "客户端隔离",
    },
    Case {
        change: |facts| {
            facts.interfaces[1].multicast_came_back = Some(false);
        },
        findings: &[(Level::Problem, "no-multicast")],
        english: "eth0 does not carry multicast",
        chinese: "eth0 不传送组播",
    },
    Case {
        change: |facts| {
            facts.interfaces[1].multicast = Some(false);
            facts.interfaces[1].multicast_came_back = None;
            facts.interfaces.push(interface("wlan0", "192.168.2.7"));
        },
        findings: &[(Level::Hint, "multicast-in-part"), (Level::Hint, "nobody-answers")],
        english: "eth0 does not carry multicast; nodes behind it",
        chinese: "eth0 不传送组播；它那一侧",
    },
    Case {
        change: |facts| facts.mdns = false,
        findings: &[(Level::Problem, "mdns-off")],
        english: "(mDNS) is switched off",
        chinese: "（mDNS）的功能关着",
    },
    Case {
        change: |facts| {
            facts.interfaces.remove(1);
            facts.listen = vec!["/ip4/172.17.0.1/tcp/4001".to_owned()];
        },
        findings: &[(Level::Problem, "only-virtual")],
        english: "Only virtual networks are up (docker0)",
        chinese: "只有虚拟网络可用（docker0）",
    },
    Case {
        change: |facts| facts.listen = vec!["/ip4/172.17.0.1/tcp/4001".to_owned()],
        findings: &[(Level::Problem, "wrong-interface")],
        english: "virtual network (docker0), not on the real one (eth0)",
        chinese: "虚拟网络（docker0），没有监听真正的网络（eth0）",
    },
    Case {
        change: |facts| {
            facts.troubles = vec![("recognize/1".to_owned(), "there is no model nope".to_owned())];
        },
        findings: &[(Level::Problem, "cannot-serve"), (Level::Hint, "nobody-answers")],
        english: "set up for recognize/1 and cannot serve it: there is no model nope",
        chinese: "已设置 recognize/1，但无法提供：there is no model nope",
    },
    Case {
        change: |facts| facts.firewalls = vec!["ufw".to_owned(), "firewalld".to_owned()],
        findings: &[(Level::Problem, "firewall")],
        english: "active on this computer (firewalld, ufw)",
        chinese: "开着防火墙（firewalld, ufw）",
    },
    Case {
        change: |facts| {
            facts.heard_by_mdns = 2;
            facts.dial_failures = vec![failure("/ip4/192.168.1.9/tcp/1", DialReason::Timeout)];
        },
        findings: &[(Level::Problem, "isolated")],
        english: "none of them answers (/ip4/192.168.1.9/tcp/1)",
        chinese: "都没有回应（/ip4/192.168.1.9/tcp/1）",
    },
    Case {
        change: |facts| {
            facts.dial_failures = vec![failure("/ip4/10.9.9.9/tcp/1", DialReason::Unreachable)];
        },
        findings: &[(Level::Problem, "no-way")],
        english: "do not answer: /ip4/10.9.9.9/tcp/1",
        chinese: "没有回应：/ip4/10.9.9.9/tcp/1",
    },
    Case {
        change: |facts| {
            facts.heard_by_mdns = 1;
            facts.dial_failures = vec![
                failure("/ip4/192.168.1.9/tcp/1", DialReason::Refused),
                failure("/ip4/192.168.1.9/udp/1/quic-v1", DialReason::Timeout),
            ];
        },
        findings: &[(Level::Problem, "refused")],
        english: "A computer answers at /ip4/192.168.1.9/tcp/1",
        chinese: "/ip4/192.168.1.9/tcp/1 的电脑有回应",
    },
    Case {
        change: |facts| {
            facts.clone_at = Some("/ip4/192.168.1.9/tcp/1".to_owned());
            (facts.peers_known, facts.peers_connected) = (2, 2);
        },
        findings: &[(Level::Problem, "cloned-identity"), (Level::Ok, "peers")],
        english: "/ip4/192.168.1.9/tcp/1 uses the same identity",
        chinese: "用了同一个身份",
    },
    Case {
        change: |facts| {
            facts.heard_by_mdns = 1;
            facts.strangers = vec![stranger(Some("lab"))];
        },
        findings: &[(Level::Problem, "other-mesh")],
        english: "another mesh (lab); this node belongs to \"potluck\"",
        chinese: "别的网络（lab）；本节点属于 \"potluck\"",
    },
    Case {
        change: |facts| {
            facts.dial_failures = vec![failure("/ip4/192.168.1.9/tcp/1", DialReason::WrongMesh)];
        },
        findings: &[(Level::Problem, "other-mesh-dialled")],
        english: "/ip4/192.168.1.9/tcp/1 belongs to another mesh",
        chinese: "/ip4/192.168.1.9/tcp/1 上的节点属于别的网络",
    },
    Case {
        change: |facts| facts.strangers = vec![stranger(None)],
        findings: &[(Level::Hint, "not-potluck"), (Level::Hint, "nobody-answers")],
        english: "not Potluck nodes",
        chinese: "不是 Potluck 节点",
    },
    Case {
        change: |facts| facts.interfaces.truncate(1),
        findings: &[(Level::Problem, "no-network")],
        english: "in no network",
        chinese: "没有联网",
    },
    Case {
        change: |facts| facts.listen = vec!["/ip6/::1/tcp/1".to_owned()],
        findings: &[(Level::Problem, "loopback-only")],
        english: "listens only on this computer",
        chinese: "只监听本机地址",
    },
    Case {
        change: |facts| facts.listen.clear(),
        findings: &[(Level::Problem, "not-listening")],
        english: "listens on no address",
        chinese: "没有监听任何地址",
    },
    Case {
        change: |facts| {
            *facts = Facts { interfaces: facts.interfaces.clone(), ..Facts::default() };
        },
        findings: &[(Level::Hint, "not-running")],
        english: "No node runs",
        chinese: "没有正在运行的节点",
    },
];

#[test]
fn each_case_is_found_and_said_in_both_languages() {
    let mut reached = BTreeSet::new();
    for case in CASES {
        let mut facts = alone();
        (case.change)(&mut facts);
        for (lang, words) in [(Lang::En, case.english), (Lang::Zh, case.chinese)] {
            let findings = diagnose(&facts, lang);
            let found: Vec<_> = findings.iter().map(|it| (it.level, it.code)).collect();
            assert_eq!(found, case.findings, "{words}");
            assert!(findings[0].what.contains(words), "{words}: {}", findings[0].what);
            for finding in &findings {
                assert!(!finding.what.contains(['{', '}']) && !finding.todo.contains(['{', '}']));
                assert_eq!(finding.todo.is_empty(), finding.level == Level::Ok);
                reached.insert(finding.code);
            }
        }
    }
    let file = potluck_i18n::FILES.iter().find(|file| file.name == "doctor").unwrap();
    let texts = file.keys(Lang::En).filter_map(|key| key.strip_prefix("doctor-")).collect();
    assert_eq!(reached, texts, "a text that no case reaches, or a code without a text");
}

#[test]
fn firewall_commands_name_the_ports_in_use() {
    let facts = Facts { firewalls: vec!["ufw".to_owned()], ..alone() };
    let todo = &diagnose(&facts, Lang::En)[0].todo;
    let commands = "sudo ufw allow 5353/udp; sudo ufw allow 4001/tcp; sudo ufw allow 4002/udp";
    assert!(todo.contains(commands), "{todo}");
    let facts = Facts { firewalls: vec!["firewalld".to_owned(), "nftables".to_owned()], ..alone() };
    let todo = &diagnose(&facts, Lang::Zh)[0].todo;
    assert!(todo.contains("sudo firewall-cmd --add-port=5353/udp"), "{todo}");
    assert!(todo.contains("nftables: 5353/udp, 4001/tcp, 4002/udp"), "{todo}");
}

#[test]
fn the_gravest_comes_first_and_lists_stay_short() {
    let mut facts = alone();
    facts.interfaces[1].multicast_came_back = Some(false);
    facts.strangers = (0..9).map(|n| stranger(Some(&format!("mesh-{n}")))).collect();
    facts.strangers.push(stranger(None));
    let findings = diagnose(&facts, Lang::En);
    assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.level)));
    assert!(
        findings[0].what.contains("(mesh-0, mesh-1, mesh-2, mesh-3, mesh-4, …)"),
        "{findings:?}"
    );
    assert_eq!(findings.last().unwrap().code, "not-potluck");
}

#[test]
fn what_others_write_is_not_taken_for_a_place() {
    let facts = Facts { strangers: vec![stranger(Some("{mesh} {"))], ..alone() };
    assert!(diagnose(&facts, Lang::En)[0].what.contains("({mesh} {)"));
    let facts = Facts { listen: vec!["?".to_owned(), "/ip4".to_owned()], ..alone() };
    assert_eq!(diagnose(&facts, Lang::En)[0].code, "nobody-answers");
}

#[test]
fn facts_and_findings_travel_as_json() {
    let mut facts = alone();
    facts.dial_failures = vec![failure("/ip4/192.168.1.9/tcp/1", DialReason::WrongMesh)];
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
    assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
    let finding = serde_json::to_value(&diagnose(&facts, Lang::En)[0]).unwrap();
    assert_eq!(
        (&finding["level"], &finding["code"]),
        (&"problem".into(), &"other-mesh-dialled".into())
    );
}

#[test]
fn virtual_interfaces_are_known_by_name() {
    for name in [
        "docker0",
        "veth1a2b",
        "br-1234",
        "virbr0",
        "vmnet8",
        "tun0",
        "wg0",
        "tailscale0",
        "ztabc",
        "utun3",
    ] {
        assert!(is_virtual(name), "{name}");
    }
    for name in ["eth0", "enp3s0", "wlan0", "wlp2s0", "br0", "bond0", "en0", "lo"] {
        assert!(!is_virtual(name), "{name}");
    }
}

#[test]
fn loopback_is_among_the_interfaces_of_this_computer() {
    let interfaces = gather_interfaces().unwrap();
    let loopback = interfaces.iter().find(|it| it.ip.is_loopback()).unwrap();
    assert!(loopback.is_loopback && !loopback.is_virtual);
    assert_eq!(loopback.multicast_came_back, None);
}

#[test]
fn an_own_multicast_packet_comes_back_on_loopback() {
    assert!(multicast_self_test("127.0.0.1".parse().unwrap()).unwrap());
    // Not an address of this computer (TEST-NET-1, RFC 5737), and a family that is not tested.
    assert!(multicast_self_test("192.0.2.1".parse().unwrap()).is_err());
    assert!(multicast_self_test("::1".parse().unwrap()).is_err());
    let mut facts = Facts { mdns: false, ..alone() };
    facts.interfaces[1].multicast_came_back = None;
    test_multicast(&mut facts);
    assert_eq!(facts.interfaces[1].multicast_came_back, None, "nothing is sent without mDNS");
}

#[test]
fn flags_and_firewalls_are_read_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("net/eth0/flags", "0x1003\n");
    write("net/wg0/flags", "0x91\n");
    write("net/odd/flags", "what");
    let flag = |name: &str| multicast_flag(&dir.path().join("net"), name);
    assert_eq!((flag("eth0"), flag("wg0")), (Some(true), Some(false)));
    assert_eq!((flag("odd"), flag("none"), flag("../net/eth0")), (None, None, None));

    assert_eq!(firewalls_below(dir.path()), [""; 0]);
    write("etc/ufw/ufw.conf", "# ENABLED=yes\nENABLED=no\n");
    write("proc/12/comm", "bash\n");
    assert_eq!(firewalls_below(dir.path()), [""; 0]);
    write("etc/ufw/ufw.conf", "ENABLED=yes\n");
    write("proc/34/comm", "firewalld\n");
    write("etc/systemd/system/sysinit.target.wants/nftables.service", "");
    assert_eq!(firewalls_below(dir.path()), ["ufw", "firewalld", "nftables"]);
    assert_eq!(firewalls_below(Path::new("/nowhere")), [""; 0]);
}

proptest::proptest! {
    #[test]
    fn no_facts_panic(texts in proptest::collection::vec("\\PC{0,20}", 0..8), flags: u8) {
        let on = |bit: u8| flags & (1 << bit) != 0;
        let facts = Facts {
            running: on(0),
            mdns: on(1),
            listen: texts.clone(),
            clone_at: texts.first().cloned(),
            firewalls: texts.clone(),
            peers_connected: usize::from(on(2)),
            interfaces: if on(3) { alone().interfaces } else { Vec::new() },
            dial_failures: texts.iter().map(|it| failure(it, DialReason::Other)).collect(),
            strangers: texts.iter().map(|it| stranger(Some(it))).collect(),
            ..Facts::default()
        };
        proptest::prop_assert!(!diagnose(&facts, Lang::Zh).is_empty());
    }
}
