//! The test vectors of `tests/vectors`, which other libraries computed (`make.py`, and for mail
//! `clients/js/vectors.mjs`).

use std::path::PathBuf;

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use potluck::{
    blobs::Outline,
    directory::{Directory, Event, Settings, Via},
    mail::{
        envelope::{Envelope, EnvelopeId, SignedEnvelope, SignedReceipt},
        letter::{self, OpenError},
        serve::{Request, Response},
    },
    protocol::{self, Advert, Loss, SignedAdvert, SignedLoss},
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("text");
    assert_eq!(text.len() % 2, 0, "{text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn thirty_two(text: &Value) -> [u8; 32] {
    bytes(text).try_into().expect("32 bytes")
}

/// As `make.py` says it.
fn generated(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n * 31 + n / 251) as u8).collect()
}

#[test]
fn outlines() {
    let file = vectors("outline.json");
    let blobs = file["blobs"].as_array().expect("a list");
    assert!(blobs.len() >= 10);
    for blob in blobs {
        let size = blob["size"].as_u64().expect("a number");
        let groups: Vec<[u8; 32]> =
            blob["groups"].as_array().expect("a list").iter().map(thirty_two).collect();
        let hash = thirty_two(&blob["hash"]);
        let data = generated(size as usize);
        let ours = Outline::of(&data);
        assert_eq!(ours.groups(), groups, "{size}");
        assert_eq!((ours.root(), ours.size()), (hash, size));
        let theirs = Outline::verified(&hash, size, groups.clone()).expect("it fits");
        for (n, group) in data.chunks(256 * 1024).enumerate() {
            assert!(theirs.fits(n, group), "group {n} of {size}");
        }
        let mut wrong = groups;
        wrong[0][31] ^= 1;
        assert!(Outline::verified(&hash, size, wrong).is_err(), "{size}");
    }
}

#[test]
fn the_root_of_a_digest() {
    let file = vectors("digest.json");
    let entries: Vec<(PeerId, u64)> = file["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            let id = PeerId::from_bytes(&bytes(&entry["id"])).expect("a peer id");
            (id, entry["seq"].as_u64().expect("a number"))
        })
        .collect();
    let nobody = PeerId::random();
    let mut directory = Directory::new(nobody, 1, Settings::new("potluck"));
    assert_eq!(directory.root(), thirty_two(&file["empty_root"]));
    // In any order: the root is over the ids sorted by their bytes.
    for (id, seq) in entries.iter().rev() {
        let advert = Advert { id: id.to_bytes(), seq: *seq, ..told() };
        // The directory takes signatures as verified.
        let signed = SignedAdvert { body: vec![], key: vec![], signature: vec![] };
        let event = Event::Heard { signed, advert, from: nobody, via: Via::Exchange };
        directory.handle(event, 0, |_| potluck::directory::Acquaintance::Told);
    }
    let digest = directory.digest();
    let listed: Vec<_> = digest.iter().map(|entry| (entry.id.clone(), entry.seq)).collect();
    let wanted: Vec<_> = entries.iter().map(|(id, seq)| (id.to_bytes(), *seq)).collect();
    assert_eq!(listed, wanted);
    assert_eq!(directory.root(), thirty_two(&file["root"]));
}

#[test]
fn the_signature_of_an_advert() {
    let file = vectors("advert.json");
    let signed: SignedAdvert = protocol::decode(&bytes(&file["signed"])).expect("an advert");
    assert_eq!(signed.body, bytes(&file["body"]));
    assert_eq!(signed.key, bytes(&file["key"]));
    let advert = signed.verify().expect("the signature fits");
    let said = &file["advert"];
    assert_eq!(advert.id, bytes(&said["id"]));
    assert_eq!(advert.peer().map(|id| id.to_string()).as_deref(), file["peer_id"].as_str());
    assert_eq!(advert.multiaddrs(), [address(said)]);
    let shown = serde_json::to_value(&advert.offers).expect("JSON");
    assert_eq!(shown, said["offers"]);
    assert_eq!(advert.incarnation, said["incarnation"].as_u64().expect("a number"));

    // Ed25519 signs without chance, so ours has to be the very same, and so has the body.
    let key = Keypair::ed25519_from_bytes(bytes(&file["seed"])).expect("a key");
    assert_eq!(advert.sign(&key).expect("signs"), signed);

    let mut changed = signed;
    changed.body[20] ^= 1;
    assert!(changed.verify().is_err());
}

#[test]
fn the_signature_of_a_loss() {
    let file = vectors("loss.json");
    let signed: SignedLoss = protocol::decode(&bytes(&file["signed"])).expect("word of a loss");
    assert_eq!(signed.body, bytes(&file["body"]));
    let loss = signed.verify().expect("the signature fits");
    let said = &file["loss"];
    assert_eq!((&loss.id, &loss.by), (&bytes(&said["id"]), &bytes(&said["by"])));
    assert_eq!(loss.seq, said["seq"].as_u64().expect("a number"));
    let key = Keypair::ed25519_from_bytes(bytes(&file["seed"])).expect("a key");
    let lost = loss.peer().expect("a peer id");
    assert_eq!(Loss::sign(&lost, loss.seq, &key).expect("signs"), signed);
    let mut changed = signed;
    changed.body[30] ^= 1;
    assert!(changed.verify().is_err());
}

#[test]
fn a_letter_its_envelope_and_its_receipts() {
    let file = vectors("mail.json");
    let key = |who: &str| Keypair::ed25519_from_bytes(bytes(&file[who]["seed"])).expect("a key");
    let signed: SignedEnvelope = travelling(&file["envelope"]);
    let envelope = signed.verify().expect("the signature fits");
    let said = &file["envelope"]["fields"];
    assert_eq!(envelope.id.to_string(), said["id"].as_str().expect("text"));
    assert_eq!(envelope.hash, thirty_two(&said["hash"]));
    let Envelope { from, to, number, written_at, .. } = &envelope;
    assert_eq!(envelope.id, EnvelopeId::of(from, to, *number, *written_at));
    assert_eq!(SignedEnvelope::sign(&envelope, &key("sender")).expect("signs"), signed);

    let identity: age::x25519::Identity =
        file["recipient"]["age_identity"].as_str().expect("text").parse().expect("an age identity");
    let open = |sealed: &Value, envelope: &Envelope| {
        let mut plain = tempfile::tempfile().expect("a file");
        letter::open(&bytes(sealed)[..], &identity, envelope, &mut plain)
    };
    let sealed = bytes(&file["sealed"]);
    assert_eq!(Outline::of(&sealed).root(), envelope.hash);
    assert_eq!(sealed.len() as u64, envelope.size);
    let contents = open(&file["sealed"], &envelope).expect("it opens");
    assert_eq!(contents.text.as_deref(), file["message"].as_str());
    let listed: Vec<_> = contents.listed.iter().map(|one| one.path.as_str()).collect();
    let entries = file["entries"].as_array().expect("a list").iter().skip(1);
    let paths = entries.map(|one| one["path"].as_str().expect("text"));
    let paths: Vec<_> =
        paths.map(|path| path.trim_start_matches("files/").trim_end_matches('/')).collect();
    assert_eq!(listed, paths);
    let forged: SignedEnvelope = protocol::decode(&bytes(match &file["forged"]["envelope"] {
        text @ Value::String(_) => text,
        record => &record["signed"],
    }))
    .expect("an envelope");
    let forged = forged.verify().expect("it is signed");
    assert!(matches!(open(&file["forged"]["sealed"], &forged), Err(OpenError::Forged)));

    let fates = [("held", "keeper"), ("delivered", "recipient"), ("read", "recipient")];
    for (fate, by) in fates.into_iter().chain([("refused", "recipient")]) {
        let told: SignedReceipt = travelling(&file["receipts"][fate]);
        let receipt = told.verify().expect("the signature fits");
        assert_eq!(serde_json::to_value(receipt.fate).expect("JSON"), fate);
        assert_eq!((receipt.envelope, receipt.hash), (envelope.id, envelope.hash));
        assert_eq!(SignedReceipt::sign(&receipt, &key(by)).expect("signs"), told);
    }
    let call = |name: &str| bytes(&file["calls"][name]);
    let asked: Request = protocol::decode(&call("letter")).expect("a request");
    assert!(matches!(asked, Request::Letter(one) if one == signed));
    let asked: Request = protocol::decode(&call("receipts")).expect("a request");
    assert!(matches!(asked, Request::Receipts(all) if all.len() == 1));
    let answer: Response = protocol::decode(&call("answer")).expect("an answer");
    assert!(matches!(answer, Response::Receipt(_)));
    assert!(matches!(protocol::decode(&call("noted")), Ok(Response::Noted)));
}

/// A signed record as it travels, whose parts the file has too.
fn travelling<T: serde::de::DeserializeOwned>(record: &Value) -> T {
    protocol::decode(&bytes(&record["signed"])).expect("a signed record")
}

/// The advert of the file, for tests that need any.
fn told() -> Advert {
    let file = vectors("advert.json");
    protocol::decode(&bytes(&file["body"])).expect("an advert")
}

fn address(said: &Value) -> Multiaddr {
    said["addresses"][0].as_str().expect("text").parse().expect("an address")
}
