//! What a peer may send as a report, and what it may not.

use potluck_analysis::{
    Lang, Unwatched,
    job::{self, Options},
    read::Source,
};

use super::*;

fn archive(files: &[(&str, &[u8])]) -> Data {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        add(&mut tar, name.as_bytes(), tar::EntryType::Regular, bytes);
    }
    Data::Bytes(tar.into_inner().expect("finished").into())
}

/// `append_data` refuses some names, so they are written into the header itself.
fn add(tar: &mut tar::Builder<Vec<u8>>, name: &[u8], kind: tar::EntryType, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).expect("added");
}

const REPORT: [(&str, &[u8]); 2] = [("report.html", b"<html/>"), ("numbers.json", b"{}")];

fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("listed").flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn only_files_of_a_report_are_taken() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in REPORT {
        add(&mut tar, name.as_bytes(), tar::EntryType::Regular, bytes);
    }
    let names: [&[u8]; 12] = [
        b"../cloud.svg",
        b"/tmp/cloud.svg",
        b"..",
        b"a\\b.svg",
        b"a/cloud.svg",
        b"CLOUD.svg",
        b".cloud.svg",
        b"cloud.sh",
        b"makefile",
        b"package.json",
        b"con.svg",
        b"cloud x.svg",
    ];
    for name in names {
        add(&mut tar, name, tar::EntryType::Regular, b"<svg/>");
    }
    add(&mut tar, b"skew.svg", tar::EntryType::Symlink, b"");
    add(&mut tar, b"scatter-1.svg", tar::EntryType::Regular, b"<svg/>");
    let bytes = tar.into_inner().expect("finished");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("made");
    let files = unpack(Some(&Data::Bytes(bytes.into())), &out).expect("unpacked").files;
    assert_eq!(files, ["report.html", "numbers.json", "scatter-1.svg"]);
    assert_eq!(listed(&out), ["numbers.json", "report.html", "scatter-1.svg"]);
    assert_eq!(listed(folder.path()), ["out"]);
}

/// A long name or a comment in an extension header is not read into memory, nor believed.
#[test]
fn extensions_of_the_archive_say_nothing() {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in REPORT {
        add(&mut tar, name.as_bytes(), tar::EntryType::Regular, bytes);
    }
    add(&mut tar, b"long", tar::EntryType::GNULongName, b"skew.svg");
    add(&mut tar, b"other", tar::EntryType::Regular, b"<svg/>");
    let bytes = tar.into_inner().expect("finished");
    let out = tempfile::tempdir().expect("a folder");
    let files = unpack(Some(&Data::Bytes(bytes.into())), out.path()).expect("unpacked").files;
    assert_eq!(files, ["report.html", "numbers.json"]);
}

#[test]
fn an_earlier_report_goes_and_other_files_stay() {
    let out = tempfile::tempdir().expect("a folder");
    for name in ["skew.svg", "cloud.png", "report.html", "thesis.svg", "makefile"] {
        std::fs::write(out.path().join(name), "old").expect("written");
    }
    let broken = archive(&[REPORT[0], ("numbers.json", b"{}"), ("skew.svg", b"<script/>")]);
    for bad in [None, Some(archive(&REPORT[..1])), Some(broken)] {
        assert!(matches!(unpack(bad.as_ref(), out.path()), Err(ReportError::Broken(_))));
        assert_eq!(listed(out.path()).len(), 5, "a broken answer changes nothing");
    }
    unpack(Some(&archive(&REPORT)), out.path()).expect("unpacked");
    assert_eq!(listed(out.path()), ["makefile", "numbers.json", "report.html", "thesis.svg"]);
}

#[test]
fn pages_and_drawings_do_nothing() {
    let bad = [
        "<svg><script>alert(1)</script></svg>",
        "<svg onload='alert(1)'/>",
        "<svg><a href='javascript:alert(1)'>x</a></svg>",
        "<svg xmlns:xlink='http://www.w3.org/1999/xlink'><a xlink:href='http://x'/></svg>",
        "<svg><image href='http://x/a.png'/></svg>",
        "<svg><foreignObject/></svg>",
        "<svg><animate attributeName='href'/></svg>",
        "<svg><rect fill='url(http://x)'/></svg>",
        "<svg><rect style='background:\\75rl(http://x)'/></svg>",
        "<html><style>@import 'http://x';</style></html>",
        "<html><meta http-equiv='refresh' content='0;url=http://x'/></html>",
        "<html><iframe src='http://x'/></html>",
        "<html><base href='http://x'/></html>",
        "<html><form action='http://x'/></html>",
        "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
        "<?xml-stylesheet href='http://x'?><svg/>",
        "<svg",
    ];
    for text in bad {
        assert!(harmless(text.as_bytes()).is_none(), "{text}");
    }
    assert!(harmless(b"<svg>\xff</svg>").is_none());
}

/// Whatever the analysis makes passes, nasty names included.
#[test]
fn our_own_reports_are_harmless() {
    let table = "when,\"a<script>\",url(x),text\n".to_owned()
        + &(0..60)
            .map(|i| {
                format!("2024-01-{:02},{i},{},red <b> \\ url( 数据 {i}\n", i % 28 + 1, i * i % 7)
            })
            .collect::<String>();
    for lang in [Lang::En, Lang::Zh] {
        let options = Options { lang, ..Options::default() };
        let source = Source::Stream(Box::new(io::Cursor::new(table.clone())));
        let done = job::analyze(source, &options, &Unwatched).expect("a report");
        let files = done.files();
        assert!(files.len() > 10, "{}", files.len());
        for (name, bytes) in files.iter().filter(|(name, _)| !name.ends_with(".json")) {
            assert!(is_of_report(name), "{name}");
            assert!(name.ends_with(".png") || harmless(bytes).is_some(), "{name}");
        }
    }
}
