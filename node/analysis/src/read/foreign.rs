//! Files that are not tables of text, whatever their name says.

use encoding_rs::{UTF_16BE, UTF_16LE};

use crate::{AnalysisError, Reason, wrong};

/// What it is, and what to do.
type Foreign = fn() -> Reason;

/// First bytes, and what they are.
const KINDS: &[(&[u8], Foreign)] = &[
    (b"PK\x05\x06", wrong::empty_zip),
    (b"%PDF-", wrong::pdf),
    (b"\x89PNG", wrong::png),
    (b"\xff\xd8\xff", wrong::jpeg),
    (b"GIF87a", wrong::gif),
    (b"GIF89a", wrong::gif),
    (b"RIFF", wrong::riff),
    (b"II*\0", wrong::tiff),
    (b"MM\0*", wrong::tiff),
    (b"\x7fELF", wrong::program),
    (b"SQLite format 3\0", wrong::sqlite),
    (b"7z\xbc\xaf\x27\x1c", wrong::seven_zip),
    (b"Rar!\x1a\x07", wrong::rar),
    (b"BZh", wrong::bzip2),
    (b"\xfd7zXZ\0", wrong::xz),
    (b"\xff\xfe\0\0", wrong::utf32),
    (b"\0\0\xfe\xff", wrong::utf32),
];
/// Bytes of what a library says of a file.
pub(super) const SAID: usize = 200;
/// Of so many bytes one may be a control character that text does not have.
const CONTROLS: usize = 50;

/// Refuses what is known by its first bytes, and what is empty.
pub(super) fn refuse(sample: &[u8]) -> Result<(), AnalysisError> {
    if sample.is_empty() {
        return Err(AnalysisError::BadInput(wrong::empty()));
    }
    for (start, what) in KINDS {
        // `BZh` and `RIFF` could start a header; no header has what follows them.
        let text = sample.iter().take(64).all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\r' | b'\n'));
        if sample.starts_with(start) && !(text && start.is_ascii() && *start != b"%PDF-") {
            return Err(AnalysisError::BadInput(what()));
        }
    }
    Ok(())
}

/// Refuses bytes that no text has.
pub(super) fn refuse_controls(
    sample: &[u8],
    encoding: &'static encoding_rs::Encoding,
) -> Result<(), AnalysisError> {
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    let control = |b: &&u8| matches!(**b, 2..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    let controls = if wide {
        let text = encoding.decode_without_bom_handling(sample).0;
        let odd = |c: &char| (c.is_control() && !c.is_ascii_whitespace()) || *c == '\u{fffd}';
        text.chars().filter(odd).count()
    } else {
        let zeros = memchr::memchr_iter(0, sample).count();
        // Text with NULs between is common; nothing but NULs is not text.
        let mostly = if zeros * 2 > sample.len() { zeros } else { 0 };
        sample.iter().filter(control).count() + mostly
    };
    if controls > 1 && controls * CONTROLS > sample.len() {
        return Err(AnalysisError::BadInput(wrong::no_text()));
    }
    Ok(())
}

/// Refuses text that is no table: web pages, XML, JSON, e-mails.
pub(super) fn refuse_documents(text: &str) -> Result<(), AnalysisError> {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let start = text[..text.floor_char_boundary(LOOKED_AT)].to_ascii_lowercase();
    let start = start.as_str();
    let what = if is_page(start) {
        wrong::page()
    } else if start.starts_with("<?xml") || is_element(start) {
        wrong::xml()
    } else if is_json(start) {
        wrong::json()
    } else if is_mail(start) {
        wrong::e_mail()
    } else {
        return Ok(());
    };
    Err(AnalysisError::BadInput(what))
}

/// Bytes that show what a document is.
const LOOKED_AT: usize = 4096;

fn is_page(start: &str) -> bool {
    let marks = ["<html", "<body", "<head>", "<table", "<div", "<script"];
    start.starts_with("<!doctype html")
        || (start.starts_with('<') && marks.iter().any(|mark| start.contains(mark)))
}

/// Whether it begins with an element that ends, too.
fn is_element(start: &str) -> bool {
    let Some(rest) = start.strip_prefix('<') else { return false };
    let name: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ":_-".contains(*c)).collect();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    begins
        && (start.contains(&format!("</{name}>")) || start.contains("/>") || start.contains("</"))
}

/// Whether it begins as an object with a name, or as a list of objects or lists.
fn is_json(start: &str) -> bool {
    let inner = |open: char| start.strip_prefix(open).map(str::trim_start);
    let object =
        |inner: &str| inner.starts_with('"') && (inner.contains("\":") || inner.contains("\" :"));
    inner('{').is_some_and(object)
        || inner('[').is_some_and(|inner| {
            inner.starts_with('[')
                || inner.strip_prefix('{').map(str::trim_start).is_some_and(object)
        })
}

/// Whether it begins with the fields of a letter (RFC 5322).
fn is_mail(start: &str) -> bool {
    const FIELDS: [&str; 10] = [
        "return-path",
        "received",
        "delivered-to",
        "mime-version",
        "message-id",
        "from",
        "to",
        "subject",
        "date",
        "content-type",
    ];
    let field = |line: &str| {
        let name = line.split_once(": ").map(|(name, _)| name);
        name.and_then(|name| FIELDS.iter().position(|field| *field == name))
    };
    let lines: Vec<&str> = start.lines().take_while(|line| !line.is_empty()).take(40).collect();
    let found: std::collections::BTreeSet<usize> =
        lines.iter().filter_map(|line| field(line)).collect();
    let first =
        lines.first().is_some_and(|line| field(line).is_some() || line.starts_with("from "));
    first && found.len() >= 3
}
