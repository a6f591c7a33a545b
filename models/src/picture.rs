//! Decodes a picture file into RGB pixels, within limits that are checked before anything large is allocated, and
//! within the process's budget for pixels.

mod endless;
mod need;
mod png;
mod rgb;
mod tiff;

use std::cell::Cell;
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Once};

use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use crate::budget::{PixelBudget, Room};

/// The largest file that is decoded, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// The largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The largest decoded picture in memory, in bytes: 16-bit pictures with alpha reach it before [`MAX_PIXELS`].
const MAX_MEMORY: u64 = 512 << 20;

/// A decoded picture: 8-bit RGB, upright, rows from the top without padding.
#[derive(Clone, Debug)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    lacks_end: bool,
    /// What it has of the budget, until the last copy is dropped.
    room: Option<Arc<Room>>,
}

/// Why a file gives no picture. All but [`PictureError::TooMuchMemory`] and [`PictureError::GivenUp`] are about the
/// file, so no other machine would do better.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// No known picture format.
    #[error("this is not a picture (JPEG, PNG, WebP, BMP, GIF and TIFF are understood)")]
    NotAPicture,
    /// A picture format, or a kind of it, that is not decoded here.
    #[error("this kind of picture is not supported: {what}; save it as JPEG or PNG")]
    Unsupported {
        /// The format or feature.
        what: String,
    },
    /// The file ends too early.
    #[error("the picture is cut short: the end of the file is missing")]
    Truncated,
    /// Too many pixels.
    #[error(
        "the picture is too large: {}at most {} megapixels are taken",
        sides(*width, *height),
        MAX_PIXELS / 1_000_000
    )]
    TooLarge {
        /// Columns, as the header says; 0 where it was refused before they were known.
        width: u32,
        /// Rows, likewise.
        height: u32,
    },
    /// Too many bytes.
    #[error("the file is too large: {bytes} bytes, at most {} MiB are taken", MAX_BYTES >> 20)]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
    },
    /// The pixels need more memory than this machine gives them.
    #[error(
        "the picture is too large for this machine: decoding it needs {} MB of memory, and at most {} MB are given to one picture; make it smaller, or ask a machine with more memory",
        .needed.div_ceil(1 << 20),
        .most >> 20
    )]
    TooMuchMemory {
        /// Bytes that it needs while it is decoded.
        needed: u64,
        /// Bytes that one picture may need here.
        most: u64,
    },
    /// Nobody wants it any more.
    #[error("the picture was given up while it waited for memory")]
    GivenUp,
    /// The header is fine and the rest is not.
    #[error("the picture is damaged: {reason}")]
    Damaged {
        /// What the decoder said.
        reason: String,
    },
}

/// Decodes JPEG, PNG, WebP, BMP, GIF (first frame) or TIFF. EXIF orientation is applied, transparency is laid
/// over white, grey, CMYK and 16-bit pictures become 8-bit RGB. Colour profiles are ignored. Waits until the
/// process's budget has room.
///
/// # Errors
/// See [`PictureError`]; a bad file costs no more time or memory than a good one of the same size.
pub fn decode(bytes: &[u8]) -> Result<Picture, PictureError> {
    decode_within(bytes, PixelBudget::of_process(), &|| false)
}

/// The same within a budget. Blocks while it has no room, and asks `give_up` several times a second whether to go on.
/// Whoever holds a [`Picture`] and waits for a second may wait for itself.
///
/// # Errors
/// See [`PictureError`].
pub fn decode_within(
    bytes: &[u8],
    budget: &PixelBudget,
    give_up: &dyn Fn() -> bool,
) -> Result<Picture, PictureError> {
    let room = budget.room(needed(bytes)?, give_up)?;
    decode_in(bytes, room)
}

/// The same in room that is held already, of at least [`needed`] bytes. The picture keeps what its pixels take.
///
/// # Errors
/// See [`PictureError`].
pub fn decode_in(bytes: &[u8], mut room: Room) -> Result<Picture, PictureError> {
    let format = checked(bytes)?;
    let decode = |bytes: &[u8]| unpanicked(|| decode_as(bytes, format, room.bytes()));
    let mut picture = match format == ImageFormat::Jpeg && !endless::has_end(bytes) {
        true => {
            endless::decode(bytes, decode).map(|picture| Picture { lacks_end: true, ..picture })?
        }
        false => decode(bytes)?,
    };
    room.shrink(picture.pixels.len() as u64);
    picture.room = Some(Arc::new(room));
    Ok(picture)
}

/// The bytes of memory that a file needs while it is decoded, from the header alone: itself, its pixels, and what the
/// decoder keeps beside them.
///
/// # Errors
/// See [`PictureError`]; what is wrong behind the header is not noticed.
pub fn needed(bytes: &[u8]) -> Result<u64, PictureError> {
    let format = checked(bytes)?;
    let (decoder, orientation) = unpanicked(|| open(bytes, format))?;
    Ok(need::needed(bytes, format, &decoder, orientation))
}

/// Columns and rows that [`decode`] gives, upright, from the header alone.
///
/// # Errors
/// See [`PictureError`]; what is wrong behind the header is not noticed.
pub fn dimensions(bytes: &[u8]) -> Result<(u32, u32), PictureError> {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let format = checked(bytes)?;
    let (decoder, orientation) = unpanicked(|| open(bytes, format))?;
    let (width, height) = decoder.dimensions();
    Ok(match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => (height, width),
        _ => (width, height),
    })
}

impl Picture {
    /// A picture from RGB pixels, three bytes each; `None` when their number does not fit or is zero.
    pub fn from_rgb(width: u32, height: u32, pixels: Vec<u8>) -> Option<Picture> {
        let expected = u64::from(width) * u64::from(height) * 3;
        (expected == pixels.len() as u64 && expected > 0).then_some(Picture {
            width,
            height,
            pixels,
            lacks_end: false,
            room: None,
        })
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, `width * height * 3` bytes, red first.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Whether its file has all pixels and no end marker, so that somebody may want to look at it.
    pub fn lacks_end(&self) -> bool {
        self.lacks_end
    }

    /// What it has of the budget, for whoever keeps its pixels.
    pub fn room(&self) -> Option<Arc<Room>> {
        self.room.clone()
    }

    /// The same, to keep. They count no longer against the budget, unless its
    /// [`Picture::room`] is kept as well.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

fn checked(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::TooManyBytes { bytes: bytes.len() as u64 });
    }
    format(bytes)
}

/// The decoders are fuzzed by their authors; should one panic after all, the node must live, and nobody reads of it
/// but in the error.
fn unpanicked<T>(decode: impl FnOnce() -> Result<T, PictureError>) -> Result<T, PictureError> {
    static HOOK: Once = Once::new();
    thread_local!(static DECODING: Cell<bool> = const { Cell::new(false) });
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !DECODING.get() {
                others(panic);
            }
        }));
    });
    let before = DECODING.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(before);
    decoded.unwrap_or_else(|_| Err(PictureError::Damaged { reason: "the decoder gave up".into() }))
}

/// Columns and rows for the message, where they are known.
fn sides(width: u32, height: u32) -> String {
    match (width, height) {
        (0, _) | (_, 0) => String::new(),
        _ => format!("{width} x {height} pixels, "),
    }
}

fn format(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    let known = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::Tiff,
    ];
    let unsupported = |what: &str| Err(PictureError::Unsupported { what: what.into() });
    match image::guess_format(bytes) {
        _ if tiff::is_big(bytes) => Ok(ImageFormat::Tiff),
        Ok(format) if known.contains(&format) => Ok(format),
        // Telephones make these two, so people will try them.
        _ if bytes.get(4..8) == Some(b"ftyp") => match bytes.get(8..12) {
            Some(b"avif" | b"avis") => unsupported("AVIF"),
            Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"heim" | b"heis") => {
                unsupported("HEIC")
            }
            _ => Err(PictureError::NotAPicture),
        },
        Ok(other) => unsupported(other.extensions_str().first().copied().unwrap_or("unknown")),
        Err(_) => Err(PictureError::NotAPicture),
    }
}

/// A decoder that has read the header, within limits, and how the picture is to be turned.
fn open(
    bytes: &[u8],
    format: ImageFormat,
) -> Result<(impl ImageDecoder + '_, Orientation), PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(match format {
        // Only for what stands beside the pixels, which may be a bomb, too.
        ImageFormat::Png => png::limit(bytes),
        _ => MAX_MEMORY,
    });
    reader.limits(limits);
    let mut decoder = reader
        .into_decoder()
        .map_err(|error| translate(error, bytes, format, declared(bytes, format)))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        return Err(PictureError::TooLarge { width, height });
    }
    if width == 0 || height == 0 {
        return Err(PictureError::Damaged { reason: "it has no pixels".into() });
    }
    let orientation = orientation(&mut decoder);
    Ok((decoder, orientation))
}

/// How the picture is to be turned. Many tools begin the EXIF chunk of a WebP or PNG as that of a JPEG begins, which
/// the specifications of both do not provide for.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    match decoder.orientation() {
        Ok(Orientation::NoTransforms) | Err(_) => {
            let exif = decoder.exif_metadata().ok().flatten();
            let tiff = exif.as_deref().and_then(|exif| exif.strip_prefix(b"Exif\0\0"));
            tiff.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
        }
        Ok(orientation) => orientation,
    }
}

fn decode_as(bytes: &[u8], format: ImageFormat, room: u64) -> Result<Picture, PictureError> {
    let (decoder, orientation) = open(bytes, format)?;
    let needed = need::needed(bytes, format, &decoder, orientation);
    if needed > room {
        return Err(PictureError::TooMuchMemory { needed, most: room });
    }
    let (size, kind) = (decoder.dimensions(), decoder.color_type());
    let read = if format == ImageFormat::Png && png::by_rows(bytes) {
        drop(decoder);
        png::read(bytes, kind, orientation)
    } else {
        rgb::read(decoder, orientation)
    };
    let upright = read.map_err(|error| translate(error, bytes, format, size))?;
    let (width, height) = upright.dimensions();
    Picture::from_rgb(width, height, upright.into_raw())
        .ok_or(PictureError::Damaged { reason: "it has no pixels".into() })
}

/// Width and height for the message, where the decoder refuses a header before it tells them: only BMP does.
fn declared(bytes: &[u8], format: ImageFormat) -> (u32, u32) {
    let side = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        Some(i32::from_le_bytes(four.try_into().ok()?).unsigned_abs())
    };
    match (format, side(18), side(22)) {
        (ImageFormat::Bmp, Some(width), Some(height)) => (width, height),
        _ => (0, 0),
    }
}

fn translate(
    error: ImageError,
    bytes: &[u8],
    format: ImageFormat,
    (width, height): (u32, u32),
) -> PictureError {
    match &error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory => {
                PictureError::TooLarge { width, height }
            }
            _ => PictureError::Damaged { reason: error.to_string() },
        },
        ImageError::Unsupported(_) if format == ImageFormat::Tiff => {
            PictureError::Unsupported { what: tiff::unusual(bytes).into() }
        }
        ImageError::Unsupported(_) => PictureError::Unsupported {
            what: format.extensions_str().first().copied().unwrap_or_default().to_uppercase(),
        },
        _ if u64::from(width) * u64::from(height) > MAX_PIXELS => {
            PictureError::TooLarge { width, height }
        }
        _ if ends_early(&error) => PictureError::Truncated,
        _ => PictureError::Damaged { reason: error.to_string() },
    }
}

/// Whether the end of the file stands at the root of the error: some decoders say it only in words.
fn ends_early(error: &ImageError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && io.kind() == ErrorKind::UnexpectedEof
        {
            return true;
        }
        let text = current.to_string().to_ascii_lowercase();
        if ["unexpected end", "unexpected eof", "no more bytes", "exhausted data", "failed to fill"]
            .iter()
            .any(|words| text.contains(words))
        {
            return true;
        }
        cause = current.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lossless WebP of 2 x 1 pixels in the extended format, with an EXIF chunk.
    fn webp(exif: &[u8]) -> Vec<u8> {
        let mut simple = Vec::new();
        let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut simple);
        encoder.encode(&[255, 0, 0, 0, 0, 255], 2, 1, image::ExtendedColorType::Rgb8).unwrap();
        let chunk = |name: &[u8; 4], data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap().to_le_bytes();
            let pad: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
            [name, &length[..], data, pad].concat()
        };
        // Flags with EXIF, and the sides less one in three bytes each.
        let head = chunk(b"VP8X", &[0x08, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
        let body = [b"WEBP", &head[..], &simple[12..], &chunk(b"EXIF", exif)].concat();
        chunk(b"RIFF", &body)
    }

    #[test]
    fn a_webp_is_upright_however_its_exif_begins() {
        // One entry: tag 0x112, a short, 6 (turned right by 90 degrees). TIFF 6.0, section 2; Exif 2.3, 4.6.4.
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        for begins in [&b""[..], b"Exif\0\0"] {
            let picture = decode(&webp(&[begins, &tiff].concat())).unwrap();
            assert_eq!((picture.width(), picture.height()), (1, 2));
            assert_eq!(picture.pixels(), [255, 0, 0, 0, 0, 255]);
        }
        tiff[18] = 1;
        let picture = decode(&webp(&[&b"Exif\0\0"[..], &tiff].concat())).unwrap();
        assert_eq!((picture.width(), picture.height()), (2, 1));
    }

    #[test]
    fn what_a_decoder_panics_of_is_damaged_and_other_panics_are_heard() {
        let damaged = unpanicked::<()>(|| panic!("of a decoder"));
        assert!(matches!(damaged, Err(PictureError::Damaged { .. })));
        assert!(unpanicked(|| Ok(1)).is_ok());
        assert!(catch_unwind(|| panic!("of others")).is_err());
    }

    #[test]
    fn sides_that_are_not_known_are_not_told() {
        let said = |width, height| PictureError::TooLarge { width, height }.to_string();
        assert!(said(20_000, 10_000).contains("20000 x 10000 pixels"));
        assert_eq!(said(0, 0), "the picture is too large: at most 100 megapixels are taken");
    }
}
