//! Encodings: which one an input has, and its text as UTF-8.
//!
//! A byte order mark decides; then whether the bytes are UTF-8; then UTF-16 by where its zero
//! bytes stand; then `chardetng`, the detector of Firefox. GBK is reported as GB18030, of which
//! it is a part.

use std::io::Read;

use encoding_rs::{DecoderResult, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

use super::source::{Input, SAMPLE, broken};
use crate::{AnalysisError, Watch, wrong};

/// Characters of two bytes or more from which a detected encoding is sure.
const ENOUGH: usize = 8;

/// An encoding that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Encoding {
    /// For the report.
    pub name: String,
    encoding: &'static encoding_rs::Encoding,
    /// Bytes of the mark at the start.
    mark: usize,
    /// Whether nothing but ASCII was seen, so that later bytes may teach better.
    pub guessed: bool,
    /// Whether the bytes fit other encodings about as well, so that a person should look.
    pub unsure: bool,
}

impl Encoding {
    /// One that is known: said, marked, or seen in the bytes.
    fn sure(encoding: &'static encoding_rs::Encoding, mark: usize) -> Self {
        let bom = encoding == UTF_8 && mark > 0;
        let name = if bom { "UTF-8 with BOM".to_owned() } else { name(encoding) };
        Self { name, encoding, mark, guessed: false, unsure: false }
    }
}

/// The encoding of an input that starts with `sample`.
pub(super) fn choose(sample: &[u8], wanted: Option<&str>) -> Result<Encoding, AnalysisError> {
    super::foreign::refuse(sample)?;
    let marked = mark(sample);
    if let Some(wanted) = wanted {
        let mut encoding = named(wanted)?;
        // Without its order of bytes, the name means both.
        if encoding == UTF_16LE && either(wanted) {
            let seen = marked.map(|(encoding, _)| encoding).or_else(|| utf16(sample));
            encoding = seen.filter(|seen| *seen == UTF_16BE).unwrap_or(encoding);
        }
        let mark = marked.filter(|(of, _)| *of == encoding).map_or(0, |(_, length)| length);
        return Ok(Encoding::sure(encoding, mark));
    }
    if let Some((encoding, mark)) = marked {
        return Ok(Encoding::sure(encoding, mark));
    }
    let found = if let Some(encoding) = utf16(sample) {
        Encoding::sure(encoding, 0)
    } else {
        match Shape::of(sample) {
            shape if shape.broken == 0 && shape.wide == 0 => {
                Encoding { guessed: true, ..Encoding::sure(UTF_8, 0) }
            }
            shape if shape.is_utf8() => Encoding::sure(UTF_8, 0),
            _ => instead(sample),
        }
    };
    super::foreign::refuse_controls(sample, found.encoding)?;
    Ok(found)
}

/// The encoding of bytes that turned out not to be UTF-8.
pub(super) fn instead(bytes: &[u8]) -> Encoding {
    let encoding = detect(bytes);
    Encoding { unsure: !proves(encoding, bytes), ..Encoding::sure(encoding, 0) }
}

/// Whether bytes show an encoding: enough characters of several bytes, all of which it has. In an
/// encoding of single bytes anything is a text.
fn proves(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> bool {
    if encoding.is_single_byte() {
        return false;
    }
    let text = encoding.decode_without_bom_handling(bytes).0;
    let (mut wide, mut lost) = (0, 0);
    for character in text.chars().filter(|character| !character.is_ascii()) {
        if character == '\u{fffd}' { lost += 1 } else { wide += 1 }
    }
    // The end of the bytes may cut a character.
    wide >= ENOUGH && lost <= 1
}

/// How far bytes look like UTF-8.
#[derive(Default)]
pub(super) struct Shape {
    /// Characters beyond ASCII.
    pub wide: usize,
    /// Sequences that are not UTF-8, but for one that the end of the bytes cuts.
    pub broken: usize,
}

impl Shape {
    pub fn of(bytes: &[u8]) -> Self {
        let mut shape = Self { wide: 0, broken: 0 };
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            shape.wide += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            let cut = chunks.peek().is_none()
                && std::str::from_utf8(chunk.invalid()).is_err_and(|e| e.error_len().is_none());
            shape.broken += usize::from(!chunk.invalid().is_empty() && !cut);
        }
        shape
    }

    /// UTF-8, if with a few broken bytes: other encodings hardly ever look like it by chance.
    pub fn is_utf8(&self) -> bool {
        self.broken == 0 || self.wide > 4 * self.broken
    }
}

fn detect(sample: &[u8]) -> &'static encoding_rs::Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() < SAMPLE);
    match detector.guess(None, chardetng::Utf8Detection::Deny) {
        encoding if encoding == GBK => GB18030,
        encoding => encoding,
    }
}

/// UTF-16 without a mark: ASCII characters, of which any table has some, have their zero bytes
/// all at odd places or all at even ones, and delimiters and line ends are among them.
fn utf16(sample: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let (units, _) = sample.as_chunks::<2>();
    let zeros = |at: usize| units.iter().filter(|unit| unit[at] == 0).count();
    let between = |at: usize| units.iter().any(|u| u[1 - at] == 0 && b"\r\n,;\t|".contains(&u[at]));
    let (even, odd) = (zeros(0), zeros(1));
    // In ASCII text as UTF-16 every second byte is zero; a few in text that is UTF-8 are stray.
    if Shape::of(sample).broken == 0 && (even + odd) * 4 < sample.len() {
        return None;
    }
    let many = (sample.len() / 100).max(2);
    if odd >= many && even * 10 <= odd && between(0) {
        Some(UTF_16LE)
    } else if even >= many && odd * 10 <= even && between(1) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// For the report; the standard writes this one name in small letters.
fn name(encoding: &'static encoding_rs::Encoding) -> String {
    if encoding == GB18030 { "GB18030".to_owned() } else { encoding.name().to_owned() }
}

fn mark(sample: &[u8]) -> Option<(&'static encoding_rs::Encoding, usize)> {
    encoding_rs::Encoding::for_bom(sample)
}

fn named(wanted: &str) -> Result<&'static encoding_rs::Encoding, AnalysisError> {
    // Some labels of the standard have `_`, others `-`; people mix them up.
    let given = wanted.trim().to_ascii_lowercase();
    let label = given.replace('_', "-");
    // Names of Python and of Windows that the standard does not have.
    let label = match label.as_str() {
        "utf-8-sig" | "cp65001" => "utf-8",
        "cp936" | "936" => "gb18030",
        "cp950" | "950" => "big5",
        "cp932" | "932" => "shift-jis",
        "cp949" | "949" => "euc-kr",
        "latin-1" => "latin1",
        "utf16" => "utf-16",
        other => other,
    };
    let of = |label: &str| encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
    match of(&given).or_else(|| of(label)) {
        Some(encoding) if encoding == GBK => Ok(GB18030),
        Some(encoding) => Ok(encoding),
        None => Err(AnalysisError::BadOption(wrong::no_encoding(format!("{wanted:?}")))),
    }
}

/// Whether a label leaves the order of bytes open.
fn either(wanted: &str) -> bool {
    matches!(wanted.trim().to_ascii_lowercase().as_str(), "utf-16" | "utf16" | "utf_16" | "unicode")
}

/// The text of an input as UTF-8 without NUL bytes. UTF-8 itself comes unchecked: whoever parses
/// it in parallel checks it.
pub(super) struct Text<'a> {
    reader: Box<dyn Read + Send + 'a>,
    watch: &'a dyn Watch,
    /// Bytes that may still come.
    left: u64,
    limit: u64,
    decoder: Option<encoding_rs::Decoder>,
    mark: usize,
    raw: Vec<u8>,
    done: bool,
    /// Whether every line end becomes a line feed.
    unify: bool,
    /// A carriage return that ended what came last: what follows says whether it was a line end.
    held: bool,
    /// Bytes that the decoder refused.
    pub undecodable: u64,
    /// NULs that were dropped.
    pub nuls: u64,
}

impl<'a> Text<'a> {
    pub fn open(input: &'a Input<'a>, encoding: &Encoding) -> Result<Self, AnalysisError> {
        let other = encoding.encoding != UTF_8;
        Ok(Self {
            reader: input.reader()?,
            watch: input.watch,
            left: input.limit,
            limit: input.limit,
            decoder: other.then(|| encoding.encoding.new_decoder_without_bom_handling()),
            mark: encoding.mark,
            raw: Vec::new(),
            done: false,
            unify: false,
            held: false,
            undecodable: 0,
            nuls: 0,
        })
    }

    /// Text that is UTF-8 already.
    pub fn of(text: &'a [u8], watch: &'a dyn Watch) -> Self {
        Self {
            reader: Box::new(text),
            watch,
            left: text.len() as u64,
            limit: text.len() as u64,
            decoder: None,
            mark: 0,
            raw: Vec::new(),
            done: false,
            unify: false,
            held: false,
            undecodable: 0,
            nuls: 0,
        }
    }

    /// With a line feed for every line end, whatever it is.
    pub fn unified(self, unify: bool) -> Self {
        Self { unify, ..self }
    }

    /// Appends what about `want` more bytes of the input say; false at its end.
    pub fn fill(&mut self, out: &mut Vec<u8>, want: usize) -> Result<bool, AnalysisError> {
        if self.done {
            return Ok(false);
        }
        // Every loop over the content passes here, also those that make nothing of it.
        self.watch.check()?;
        if self.mark > 0 {
            let mark = std::mem::take(&mut self.mark) as u64;
            self.reader.by_ref().take(mark).read_to_end(&mut self.raw).map_err(broken)?;
            self.raw.clear();
        }
        let start = out.len();
        if std::mem::take(&mut self.held) {
            out.push(b'\r');
        }
        let limit = want.max(1) as u64;
        let count = if self.decoder.is_some() {
            self.raw.clear();
            let count =
                self.reader.by_ref().take(limit).read_to_end(&mut self.raw).map_err(broken)?;
            self.decode(out, count == 0);
            count
        } else {
            out.reserve(want + 32);
            self.reader.by_ref().take(limit).read_to_end(out).map_err(broken)?
        };
        self.done = count == 0;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| too_much(self.limit))?;
        self.drop_nuls(out, start);
        if self.unify {
            self.held = !self.done && out.len() > start && out.ends_with(b"\r");
            out.truncate(out.len() - usize::from(self.held));
            super::dialect::unify(&mut out[start..]);
        }
        Ok(!self.done)
    }

    fn decode(&mut self, out: &mut Vec<u8>, last: bool) {
        let Some(decoder) = &mut self.decoder else { return };
        let mut rest = self.raw.as_slice();
        loop {
            let start = out.len();
            let room = decoder.max_utf8_buffer_length_without_replacement(rest.len());
            out.resize(start + room.unwrap_or(rest.len() * 3 + 16).max(16), 0);
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut out[start..], last);
            out.truncate(start + written);
            rest = &rest[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(bytes, _) => {
                    self.undecodable += u64::from(bytes);
                    out.extend_from_slice("\u{fffd}".as_bytes());
                }
            }
        }
    }

    fn drop_nuls(&mut self, out: &mut Vec<u8>, start: usize) {
        let Some(first) = memchr::memchr(0, &out[start..]) else { return };
        let (before, begin) = (out.len(), start + first);
        let mut keep = begin;
        for at in begin..before {
            let byte = out[at];
            out[keep] = byte;
            keep += usize::from(byte != 0);
        }
        self.nuls += (before - keep) as u64;
        out.truncate(keep);
    }
}

fn too_much(limit: u64) -> AnalysisError {
    AnalysisError::BadInput(wrong::too_much_text(super::size(limit)))
}
