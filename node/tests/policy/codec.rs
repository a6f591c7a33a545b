//! The codec under fire: whatever arrives, decoding gives a value or an error, and takes little
//! memory.

use libp2p::identity::Keypair;
use potluck::protocol::{
    Advert, Answer, Ask, CallOutcome, CallRequest, Certificate, Checked, Credential, DigestEntry,
    Exchange, ExchangeReply, Fault, FaultKind, MAX_RESPONSE, Malformed, Near, Offer, Output,
    Payload, Repeat, Request, Response, Role, Rumour, SignedAdvert, SignedLoss, Tell, decode,
    encode,
};
use potluck::say::Reason;
use proptest::{collection::vec, option, prelude::*};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,24}"
}

fn signed() -> impl Strategy<Value = SignedAdvert> {
    (bytes(80), bytes(40), bytes(70)).prop_map(|(body, key, signature)| SignedAdvert {
        body,
        key,
        signature,
    })
}

fn offer() -> impl Strategy<Value = Offer> {
    (text(), text(), text(), 0.0f32..1e9, any::<u16>(), any::<u16>(), vec(text(), 0..3)).prop_map(
        |(capability, device, engine, call_ms, slots, queue, variants)| Offer {
            capability,
            device,
            engine,
            call_ms,
            slots,
            queue,
            variants,
            repeat: Repeat::Costly,
        },
    )
}

fn advert() -> impl Strategy<Value = Advert> {
    let who = (bytes(64), any::<u64>(), any::<u64>(), text(), text());
    let outside = (proptest::option::of("[a-z0-9]{0,80}"), proptest::option::of(credential()));
    (who, vec(bytes(20), 0..4), vec(offer(), 0..4), any::<(bool, bool)>(), outside).prop_map(
        |(
            (id, seq, incarnation, name, mesh),
            addresses,
            offers,
            (leaving, entry),
            (sealing, pass),
        )| {
            Advert {
                version: 2,
                id,
                seq,
                incarnation,
                name,
                mesh,
                addresses: addresses.into_iter().map(ByteBuf::from).collect(),
                offers,
                leaving,
                sealing,
                entry,
                pass,
            }
        },
    )
}

fn near() -> impl Strategy<Value = Vec<Near>> {
    let addresses = vec(bytes(20), 0..4);
    let told = (bytes(64), addresses).prop_map(|(id, addresses)| Near {
        id,
        addresses: addresses.into_iter().map(ByteBuf::from).collect(),
    });
    vec(told, 0..3)
}

fn credential() -> impl Strategy<Value = Credential> {
    (any::<[u8; 32]>(), any::<u32>(), any::<u64>()).prop_map(|(mut seed, epoch, not_after)| {
        let founder = Keypair::ed25519_from_bytes(&mut seed).expect("a key");
        let id = founder.public().to_peer_id().to_bytes();
        let role = Role::Admin;
        let (mesh, subject) = (id.clone(), id.clone());
        let said = Certificate { version: 1, mesh, subject, role, epoch, by: id, not_after };
        Credential::by_founder(&said, &founder).expect("signs")
    })
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let entry = (bytes(64), any::<u64>()).prop_map(|(id, seq)| DigestEntry { id, seq });
    (any::<[u8; 32]>(), option::of(vec(entry, 0..6)), vec(signed(), 0..3), near())
        .prop_map(|(root, digest, adverts, near)| Exchange { root, digest, adverts, near })
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        bytes(300).prop_map(Payload::Inline),
        (any::<[u8; 32]>(), any::<u64>()).prop_map(|(hash, size)| Payload::Blob { hash, size }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Parting),
        any::<u64>().prop_map(|seq| Request::Overdue { seq }),
        exchange().prop_map(Request::Exchange)
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let call =
        (any::<u64>(), text(), 0u32..3_600_000, bytes(100), option::of(payload()), any::<bool>())
            .prop_map(|(call, capability, deadline_ms, args, input, progress)| {
                Ask::Call(CallRequest { call, capability, deadline_ms, args, input, progress })
            });
    prop_oneof![call, any::<u64>().prop_map(|call| Ask::Cancel { call })]
}

fn fault() -> impl Strategy<Value = Fault> {
    use FaultKind::{BadInput, Cancelled, Deadline, InputLost, Internal, NoVariant, NotOffered};
    let kind = prop::sample::select(vec![
        BadInput,
        FaultKind::TooLarge,
        FaultKind::NotUnderstood,
        NotOffered,
        NoVariant,
        Cancelled,
        Deadline,
        InputLost,
        Internal,
    ]);
    (kind, text(), any::<u32>(), any::<bool>()).prop_map(|(kind, message, number, has_words)| {
        let values = [("text", message.as_str().into()), ("number", number.into())];
        let reason = Reason::in_code(&message, "errors-internal", values);
        let words = reason.words().filter(|_| has_words).cloned();
        Fault { kind, message, words }
    })
}

fn tell() -> impl Strategy<Value = Tell> {
    let done = (bytes(200), option::of(payload()), any::<u32>(), any::<u32>());
    let outcome = prop_oneof![
        done.prop_map(|(body, data, waited_ms, ran_ms)| {
            CallOutcome::Done(Output { body, data, waited_ms, ran_ms })
        }),
        any::<u32>().prop_map(|retry_after_ms| CallOutcome::Busy { retry_after_ms }),
        text().prop_map(|reason| CallOutcome::Refused { reason }),
        fault().prop_map(CallOutcome::Failed),
    ];
    prop_oneof![
        (any::<u64>(), outcome, any::<u16>()).prop_map(|(call, outcome, queue)| Tell::Answer {
            call,
            answer: Answer { outcome, queue }
        }),
        (any::<u64>(), 0u8..=100, text()).prop_map(|(call, percent, note)| Tell::Progress {
            call,
            percent,
            note
        }),
        (proptest::option::of(any::<u64>()), text())
            .prop_map(|(call, reason)| Tell::Malformed { call, reason }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let reply = (any::<bool>(), vec(signed(), 0..3), vec(bytes(64), 0..5), near()).prop_map(
        |(same, adverts, want, near)| ExchangeReply {
            same,
            adverts,
            want: want.into_iter().map(ByteBuf::from).collect(),
            losses: vec![],
            near,
        },
    );
    prop_oneof![
        Just(Response::Done),
        reply.prop_map(Response::Exchange),
        text().prop_map(|reason| Response::Malformed { reason }),
    ]
}

fn rumour() -> impl Strategy<Value = Rumour> {
    prop_oneof![
        signed().prop_map(Rumour::Advert),
        (bytes(200), bytes(64), bytes(80)).prop_map(|(body, key, signature)| {
            Rumour::Lost(SignedLoss { body, key, signature })
        }),
    ]
}

/// What came back equals what went out; no part of it does; whatever follows it is refused.
fn check_value<T>(value: &T, cut: prop::sample::Index, flips: &[(prop::sample::Index, u8)])
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + Checked,
{
    assert_eq!(value.check(), Ok(()));
    let encoded = encode(value).expect("every value encodes");
    assert_eq!(decode::<T>(&encoded).as_ref(), Ok(value));
    let part = &encoded[..cut.index(encoded.len())];
    assert!(matches!(decode::<T>(part), Err(Malformed::Decode(_))), "a part is no message");
    let longer = [&encoded[..], &[0]].concat();
    assert_eq!(decode::<T>(&longer), Err(Malformed::Trailing));
    let mut broken = encoded;
    for (at, bit) in flips {
        let at = at.index(broken.len());
        broken[at] ^= 1 << (bit % 8);
    }
    decode_anything(&broken);
}

/// Decodes as everything that comes from the network. Must not panic.
fn decode_anything(bytes: &[u8]) {
    fn one<T: DeserializeOwned + Checked + Serialize>(bytes: &[u8]) {
        if let Ok(value) = decode::<T>(bytes) {
            let _ = value.check();
            encode(&value).expect("what was decoded encodes");
        }
    }
    one::<Ask>(bytes);
    one::<Tell>(bytes);
    one::<Request>(bytes);
    one::<Response>(bytes);
    one::<Rumour>(bytes);
    one::<Advert>(bytes);
    one::<SignedAdvert>(bytes);
    if let Ok(signed) = decode::<SignedAdvert>(bytes) {
        let _ = signed.verify();
    }
    let raw = SignedAdvert { body: bytes.to_vec(), key: bytes.to_vec(), signature: bytes.to_vec() };
    assert!(raw.verify().is_err(), "nobody signed this");
    if let Ok(advert) = decode::<Advert>(bytes) {
        let _ = (advert.peer(), advert.multiaddrs(), advert.offer("chat/1"));
    }
}

type Flips = Vec<(prop::sample::Index, u8)>;

fn flips() -> impl Strategy<Value = Flips> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn asks(value in ask(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn tells(value in tell(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn requests(value in request(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn responses(value in response(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn rumours(value in rumour(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn adverts(value in advert(), cut: prop::sample::Index, flips in flips()) {
        check_value(&value, cut, &flips);
    }

    #[test]
    fn any_bytes(bytes in bytes(400)) {
        decode_anything(&bytes);
    }
}

/// Messages that say little and claim much.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let mut bombs = Vec::new();
    let hosts = [
        ("alone", vec![]),
        // {"Exchange": {"adverts": …
        ("in a list of adverts", b"\xa1\x68Exchange\xa3\x67adverts".to_vec()),
        ("in a digest", b"\xa1\x68Exchange\xa3\x66digest".to_vec()),
        ("in a root", b"\xa1\x68Exchange\xa3\x64root".to_vec()),
        ("in wanted ids", b"\xa1\x68Exchange\xa3\x64want".to_vec()),
        ("in arguments", b"\xa1\x64Call\xa5\x64args".to_vec()),
        ("in a capability", b"\xa1\x64Call\xa5\x6acapability".to_vec()),
        ("in offers", b"\xa9\x66offers".to_vec()),
        (
            "in a body",
            b"\xa1\x66Answer\xa2\x66answer\xa2\x67outcome\xa1\x64Done\xa4\x64body".to_vec(),
        ),
        ("in an unknown field", b"\xa1\x64Call\xa5\x67unknown".to_vec()),
    ];
    for (place, host) in hosts {
        for major in [0x40u8, 0x60, 0x80, 0xa0, 0xc0] {
            for (length, marker) in [(4, 0x1a), (8, 0x1b)] {
                for byte in [0xff, 0x7f, 0x01] {
                    let mut bomb = host.clone();
                    bomb.push(major | marker);
                    bomb.push(byte);
                    bomb.resize(bomb.len() + length - 1, 0xff);
                    bomb.extend([0x40; 64]);
                    bombs.push((format!("{major:#x} of {length}-byte length {place}"), bomb));
                }
            }
        }
        // Deep nesting: lists of one, open lists, maps, open maps, tags, open strings.
        for opener in [&b"\x81"[..], b"\x9f", b"\xa1\x61a", b"\xbf\x61a", b"\xc6", b"\x5f", b"\x7f"]
        {
            let mut bomb = host.clone();
            while bomb.len() < 16 * 1024 {
                bomb.extend(opener);
            }
            bombs.push((format!("nested {opener:x?} {place}"), bomb));
        }
        // As many tiny items as fit.
        for item in [&b"\x40"[..], b"\x60", b"\x80", b"\xa0", b"\xf6", b"\xa2\x62id\x40\x63seq\x00"]
        {
            let mut bomb = host.clone();
            bomb.push(0x9f);
            let max = if place == "in wanted ids" { MAX_RESPONSE } else { 32 * 1024 };
            while bomb.len() < max {
                bomb.extend(item);
            }
            bombs.push((format!("many {item:x?} {place}"), bomb));
        }
    }
    bombs
}

fn decode_bomb(bomb: &[u8]) {
    let refused = [
        decode::<Ask>(bomb).is_err(),
        decode::<Tell>(bomb).is_err(),
        decode::<Request>(bomb).is_err(),
        decode::<Response>(bomb).is_err(),
        decode::<Rumour>(bomb).is_err(),
        decode::<Advert>(bomb).is_err(),
        decode::<SignedAdvert>(bomb).is_err(),
    ];
    assert_eq!(refused, [true; 7]);
}

#[test]
fn bombs_are_refused_with_little_memory() {
    const CHILD: &str = "POTLUCK_TEST_BOMBS";
    if std::env::var_os(CHILD).is_some() {
        let bombs = bombs();
        // Runs everything once for the memory that stays, then measures.
        decode_anything(b"\xa1\x68Exchange\xa3");
        let before = peak_kib();
        for (what, bomb) in &bombs {
            decode_bomb(bomb);
            if let (Some(before), Some(now)) = (before, peak_kib()) {
                let grown = now.saturating_sub(before);
                assert!(grown < 64 * 1024, "{what}: {grown} KiB for {} bytes", bomb.len());
            }
        }
        let grown = before.and_then(|before| Some(peak_kib()?.saturating_sub(before)));
        println!("{} bombs took {grown:?} KiB at most", bombs.len());
        return;
    }
    // In a process of its own: memory is counted per process, and a bomb that works kills it.
    let program = std::env::current_exe().expect("this test's program has a path");
    let child = std::process::Command::new(program)
        .args(["--exact", "codec::bombs_are_refused_with_little_memory", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("this test's program starts again");
    let said = String::from_utf8_lossy(&child.stdout);
    println!("{said}");
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    assert!(said.contains("1 passed"), "the bombs were tried: {said}");
}

/// The most memory that this process ever held, in KiB, where the system says so.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
