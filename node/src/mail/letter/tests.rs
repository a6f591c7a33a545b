//! Letters there and back, and what is done to them on the way.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use age::{Encryptor, secrecy::ExposeSecret as _, x25519::Identity};
use libp2p::identity::Keypair;
use proptest::prelude::*;

use super::*;
use crate::{mail::envelope::LONGEST_MS, protocol::encode};

struct Post {
    sender: Keypair,
    recipient: PeerId,
    key: Identity,
}

impl Post {
    fn new() -> Self {
        let recipient = Keypair::generate_ed25519().public().to_peer_id();
        Self { sender: Keypair::generate_ed25519(), recipient, key: Identity::generate() }
    }

    fn to(&self) -> To {
        To {
            envelope: EnvelopeId([7; 16]),
            to: self.recipient,
            sealing: self.key.to_public().to_string(),
            number: 3,
            written_at: 1_790_000_000_000,
        }
    }

    fn envelope(&self, to: &To, sealed: &[u8]) -> Envelope {
        Envelope {
            version: 1,
            id: to.envelope,
            from: self.sender.public().to_peer_id().to_bytes(),
            to: to.to.to_bytes(),
            sealing: to.sealing.clone(),
            hash: *blake3::hash(sealed).as_bytes(),
            size: sealed.len() as u64,
            number: to.number,
            written_at: to.written_at,
            expires_at: to.written_at + LONGEST_MS,
        }
    }

    /// Seals a draft; gives the envelope and the sealed bytes.
    fn seal(&self, draft: &Draft) -> (Envelope, Vec<u8>) {
        let to = self.to();
        let mut out = tempfile::tempfile().unwrap();
        seal(draft, &to, &self.sender, &mut out, |_| {}).unwrap();
        let sealed = contents_of(&mut out);
        (self.envelope(&to, &sealed), sealed)
    }

    fn open(&self, envelope: &Envelope, sealed: &[u8]) -> Result<(Contents, File), OpenError> {
        let mut plain = tempfile::tempfile().unwrap();
        let contents = open(sealed, &self.key, envelope, &mut plain)?;
        plain.rewind().unwrap();
        Ok((contents, plain))
    }

    /// Seals an archive of any kind, with a seal that fits it.
    fn seal_archive(&self, archive: &[u8]) -> (Envelope, Vec<u8>) {
        let to = self.to();
        let seal = Seal {
            version: 1,
            envelope: to.envelope,
            from: self.sender.public().to_peer_id().to_bytes(),
            to: to.to.to_bytes(),
            sealing: to.sealing.clone(),
            payload: *blake3::hash(archive).as_bytes(),
            number: to.number,
            written_at: to.written_at,
        };
        let seal = encode(&SignedSeal::sign(&seal, &self.sender).unwrap()).unwrap();
        let sealed = encrypted(&self.key, &[archive, &seal].concat());
        (self.envelope(&to, &sealed), sealed)
    }
}

fn encrypted(key: &Identity, plain: &[u8]) -> Vec<u8> {
    let recipient = key.to_public();
    let encryptor =
        Encryptor::with_recipients([&recipient as &dyn age::Recipient].into_iter()).unwrap();
    let mut sealed = encryptor.wrap_output(Vec::new()).unwrap();
    sealed.write_all(plain).unwrap();
    sealed.finish().unwrap()
}

fn contents_of(file: &mut File) -> Vec<u8> {
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Every file and folder below a folder, with what is in it.
fn tree(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                all.push((name, None));
                folders.push(path);
            } else {
                all.push((name, Some(fs::read(path).unwrap())));
            }
        }
    }
    all.sort();
    all
}

fn text(text: &str) -> Draft {
    Draft { text: Some(text.to_owned()), paths: vec![] }
}

#[test]
fn text_files_and_folders_arrive_as_they_were() {
    let post = Post::new();
    let here = tempfile::tempdir().unwrap();
    let folder = here.path().join("年报");
    fs::create_dir_all(folder.join("empty/inside")).unwrap();
    fs::write(folder.join("a.bin"), vec![7; 1 << 20]).unwrap();
    fs::write(folder.join("nothing"), b"").unwrap();
    fs::write(folder.join(format!("{}.txt", "long".repeat(50))), b"long").unwrap();
    fs::write(here.path().join("b.txt"), b"bee").unwrap();
    let draft = Draft {
        text: Some("你好\nhello".to_owned()),
        paths: vec![folder.clone(), here.path().join("b.txt"), here.path().join("b.txt")],
    };
    let (envelope, sealed) = post.seal(&draft);
    let (contents, plain) = post.open(&envelope, &sealed).unwrap();
    assert_eq!(contents.text.as_deref(), Some("你好\nhello"));
    assert_eq!((contents.files, contents.folders), (5, 3));
    assert_eq!(contents.bytes, (1 << 20) + 4 + 3 + 3);
    let there = tempfile::tempdir().unwrap();
    let saved = unpack(&plain, there.path()).unwrap();
    let names: Vec<_> = saved.iter().map(|p| p.file_name().unwrap().to_string_lossy()).collect();
    assert_eq!(names, ["b (2).txt", "b.txt", "年报"]);
    assert_eq!(tree(&there.path().join("年报")), tree(&folder));
    assert_eq!(fs::read(there.path().join("b (2).txt")).unwrap(), b"bee");
}

#[test]
fn nothing_is_overwritten_and_nothing_half_is_left() {
    let post = Post::new();
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("a.txt"), b"new").unwrap();
    fs::create_dir(here.path().join("d")).unwrap();
    let paths = vec![here.path().join("a.txt"), here.path().join("d")];
    let (envelope, sealed) = post.seal(&Draft { text: None, paths });
    let there = tempfile::tempdir().unwrap();
    fs::write(there.path().join("a.txt"), b"old").unwrap();
    fs::create_dir(there.path().join("d")).unwrap();
    for _ in 0..2 {
        let (_, plain) = post.open(&envelope, &sealed).unwrap();
        unpack(&plain, there.path()).unwrap();
    }
    let names: Vec<_> = tree(there.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a (2).txt", "a (3).txt", "a.txt", "d", "d (2)", "d (3)"]);
    assert_eq!(fs::read(there.path().join("a.txt")).unwrap(), b"old");
    // An archive that ends in the middle leaves nothing.
    let (_, mut plain) = post.open(&envelope, &sealed).unwrap();
    let bytes = contents_of(&mut plain);
    let mut cut = tempfile::tempfile().unwrap();
    cut.write_all(&bytes[..700]).unwrap();
    cut.rewind().unwrap();
    let empty = tempfile::tempdir().unwrap();
    assert!(unpack(&cut, empty.path()).is_err());
    assert_eq!(tree(empty.path()), []);
}

#[test]
fn a_letter_that_somebody_passes_on_sealed_anew_is_found_out() {
    let (post, mallory) = (Post::new(), Post::new());
    let third = Keypair::generate_ed25519().public().to_peer_id();
    // It was written to mallory, who opens it and seals what is inside to another.
    let to_mallory = Post {
        sender: post.sender.clone(),
        recipient: mallory.recipient,
        key: mallory.key.clone(),
    };
    let (envelope, sealed) = to_mallory.seal(&text("I quit"));
    let decryptor = age::Decryptor::new_buffered(&sealed[..]).unwrap();
    let mut inside = Vec::new();
    decryptor
        .decrypt([&mallory.key as &dyn age::Identity].into_iter())
        .unwrap()
        .read_to_end(&mut inside)
        .unwrap();
    let anew = encrypted(&post.key, &inside);
    let passed_on = Envelope {
        to: third.to_bytes(),
        sealing: post.key.to_public().to_string(),
        hash: *blake3::hash(&anew).as_bytes(),
        size: anew.len() as u64,
        ..envelope.clone()
    };
    assert!(matches!(post.open(&passed_on, &anew), Err(OpenError::Forged)));
    // Nor does anything else on the envelope change.
    let (envelope, sealed) = post.seal(&text("hello"));
    let changes: [fn(&mut Envelope); 5] = [
        |e| e.id = EnvelopeId([8; 16]),
        |e| e.from = Keypair::generate_ed25519().public().to_peer_id().to_bytes(),
        |e| e.to = Keypair::generate_ed25519().public().to_peer_id().to_bytes(),
        |e| e.number += 1,
        |e| e.written_at += 1,
    ];
    for change in changes {
        let mut changed = envelope.clone();
        change(&mut changed);
        assert!(matches!(post.open(&changed, &sealed), Err(OpenError::Forged)));
    }
    assert!(post.open(&envelope, &sealed).is_ok());
    let other = Post { key: Identity::generate(), ..post };
    assert!(matches!(other.open(&envelope, &sealed), Err(OpenError::Key)));
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let post = Post::new();
    let (envelope, sealed) = post.seal(&text("short"));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(post.open(&envelope, &changed).is_err(), "byte {at}");
    }
    for end in (0..sealed.len()).step_by(7) {
        assert!(post.open(&envelope, &sealed[..end]).is_err(), "cut at {end}");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert!(post.open(&envelope, &longer).is_err());
}

/// An archive with one entry of any kind and name.
fn archive(kind: tar::EntryType, name: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_mode(0o4777);
    header.as_old_mut().name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    let _ = header.set_link_name("/etc/passwd");
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, data).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn hostile_archives_go_nowhere() {
    use tar::EntryType as Kind;
    let post = Post::new();
    for (kind, name) in [
        (Kind::Symlink, &b"files/link"[..]),
        (Kind::Link, b"files/link"),
        (Kind::Fifo, b"files/pipe"),
        (Kind::Char, b"files/device"),
        (Kind::XHeader, b"files/pax"),
        (Kind::GNUSparse, b"files/sparse"),
        (Kind::Regular, b"/etc/passwd"),
        (Kind::Regular, b"elsewhere"),
        (Kind::Regular, b"files/"),
        (Kind::Regular, b"files/.."),
        (Kind::Directory, b"files/./."),
    ] {
        let (envelope, sealed) = post.seal_archive(&archive(kind, name, b""));
        let opened = post.open(&envelope, &sealed);
        assert!(matches!(opened, Err(OpenError::Odd(_))), "{kind:?} {name:?}: {opened:?}");
    }
    let there = tempfile::tempdir().unwrap();
    let inside = there.path().join("inside");
    for (name, saved_as) in [
        (&b"files/../../up.txt"[..], "up.txt"),
        (b"files//abs.txt", "abs.txt"),
        (b"files/..\\..\\back.txt", "back.txt"),
        (b"files/con", "_con"),
        (b"files/\xff\xfe.bin", "\u{fffd}\u{fffd}.bin"),
        (b"files/.potluck-part-x", ".potluck-part-x"),
    ] {
        let (envelope, sealed) = post.seal_archive(&archive(Kind::Regular, name, b"data"));
        let (contents, plain) = post.open(&envelope, &sealed).unwrap();
        assert_eq!(contents.listed[0].path, saved_as);
        assert_eq!(unpack(&plain, &inside).unwrap(), [inside.join(saved_as)]);
        let mode = fs::metadata(inside.join(saved_as)).unwrap();
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o7111, 0, "no program");
    }
    assert_eq!(fs::read_dir(there.path()).unwrap().count(), 1, "nothing beside it");
    // A name that is longer than memory should be.
    let endless = archive(Kind::GNULongName, b"././@LongLink", &vec![b'a'; 1 << 20]);
    let (envelope, sealed) = post.seal_archive(&endless);
    assert!(matches!(post.open(&envelope, &sealed), Err(OpenError::Odd(_))));
}

#[test]
fn what_cannot_be_sent_is_said() {
    let post = Post::new();
    let here = tempfile::tempdir().unwrap();
    let tried = |draft: &Draft| {
        let mut out = tempfile::tempfile().unwrap();
        seal(draft, &post.to(), &post.sender, &mut out, |_| {}).map(|packed| packed.skipped)
    };
    assert!(matches!(tried(&Draft::default()), Err(SealError::Empty)));
    assert!(matches!(tried(&text("")), Err(SealError::Empty)));
    assert!(matches!(tried(&text(&"x".repeat(MAX_TEXT + 1))), Err(SealError::LongText(_))));
    let missing = Draft { text: None, paths: vec![here.path().join("missing")] };
    assert!(matches!(tried(&missing), Err(SealError::Unreadable { .. })));
    let no_key = To { sealing: "age1nonsense".to_owned(), ..post.to() };
    let mut out = tempfile::tempfile().unwrap();
    let sealed = seal(&text("x"), &no_key, &post.sender, &mut out, |_| {});
    assert!(matches!(sealed, Err(SealError::Key)));
    #[cfg(unix)]
    {
        // A link that was not named is left out, and said.
        let folder = here.path().join("folder");
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
        let skipped = tried(&Draft { text: None, paths: vec![folder.clone()] }).unwrap();
        assert_eq!(skipped, [folder.join("link")]);
        assert!(matches!(
            tried(&Draft { text: None, paths: vec!["/dev/null".into()] }),
            Err(SealError::Odd(_))
        ));
        // One that grows for ever while it is read.
        let changed = tried(&Draft { text: None, paths: vec!["/proc/self/status".into()] });
        assert!(matches!(changed, Err(SealError::Changed(_))), "{changed:?}");
    }
}

/// The stock programs open what we seal, with the keys as they are on the disk. Skipped, and said,
/// where they are not installed.
#[test]
fn stock_age_and_tar_open_a_letter() {
    use std::process::{Command, Stdio};
    let Ok(true) = Command::new("age").arg("--version").output().map(|o| o.status.success()) else {
        eprintln!("skipped: there is no age program (apt-get install age)");
        return;
    };
    let post = Post::new();
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("a.txt"), b"hello").unwrap();
    let draft = Draft { text: Some("你好".to_owned()), paths: vec![here.path().join("a.txt")] };
    let (_, sealed) = post.seal(&draft);
    let (blob, keys) = (here.path().join("blob"), here.path().join("keys"));
    fs::write(&blob, sealed).unwrap();
    let key = post.key.to_string();
    fs::write(&keys, format!("# created: 2026-11-29T00:00:00Z\n{}\n", key.expose_secret()))
        .unwrap();
    let opened = Command::new("age").arg("-d").arg("-i").arg(&keys).arg(&blob).output().unwrap();
    assert!(opened.status.success(), "{opened:?}");
    let mut tar = Command::new("tar");
    tar.arg("-x").arg("-C").arg(here.path()).stdin(Stdio::piped());
    let mut tar = tar.spawn().unwrap();
    tar.stdin.take().unwrap().write_all(&opened.stdout).unwrap();
    assert!(tar.wait().unwrap().success());
    assert_eq!(fs::read(here.path().join("message.txt")).unwrap(), "你好".as_bytes());
    assert_eq!(fs::read(here.path().join("files/a.txt")).unwrap(), b"hello");
    // And nobody else does.
    fs::write(&keys, Identity::generate().to_string().expose_secret()).unwrap();
    let refused = Command::new("age").arg("-d").arg("-i").arg(&keys).arg(&blob).output().unwrap();
    assert!(!refused.status.success());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_sealed_is_opened_without_a_panic(archive in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let post = Post::new();
        let (envelope, sealed) = post.seal_archive(&archive);
        prop_assert!(post.open(&envelope, &sealed).is_err());
    }

    #[test]
    fn any_files_arrive(files in proptest::collection::btree_map("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..3000), 1..12)) {
        let post = Post::new();
        let here = tempfile::tempdir().unwrap();
        for (name, bytes) in &files {
            fs::write(here.path().join(name), bytes).unwrap();
        }
        let paths = files.keys().map(|name| here.path().join(name)).collect();
        let (envelope, sealed) = post.seal(&Draft { text: None, paths });
        let (contents, plain) = post.open(&envelope, &sealed).unwrap();
        prop_assert_eq!(contents.files as usize, files.len());
        let there = tempfile::tempdir().unwrap();
        unpack(&plain, there.path()).unwrap();
        prop_assert_eq!(tree(there.path()), tree(here.path()));
    }
}
