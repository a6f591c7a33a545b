//! How much memory decoding a file takes. The numbers are those of the decoders in use, rounded up; the test
//! `memory` compares them with what an allocator counts.

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat};

use super::{endless, png, rgb};

/// For tables, rows and whatever else does not grow with the picture.
const BESIDES: u64 = 2 << 20;

/// Bytes for the file, the pixels as decoded and as RGB, the turning, and what the decoder has for itself.
pub(super) fn needed(
    bytes: &[u8],
    format: ImageFormat,
    decoder: &impl ImageDecoder,
    orientation: Orientation,
) -> u64 {
    let (width, height) = decoder.dimensions();
    // Decoders work on blocks of up to 64 x 64 pixels, which stand out over the edges.
    let count = u64::from(width.next_multiple_of(64)) * u64::from(height.next_multiple_of(64));
    let target = u64::from(width) * u64::from(height) * 3;
    let own = match format {
        // Nothing else: pixels go where they belong as they come.
        ImageFormat::Png if png::by_rows(bytes) => {
            return bytes.len() as u64 + target + png::beside(bytes) + BESIDES;
        }
        ImageFormat::Png => png::beside(bytes),
        // A copy of the file, and all coefficients where the picture does not come in one pass.
        // Another copy, and something behind it, where its end is missing.
        ImageFormat::Jpeg => {
            let length = bytes.len() as u64;
            let copies = if endless::has_end(bytes) { length } else { 2 * length + 1024 };
            copies + count * if one_pass(bytes) { 0 } else { 8 }
        }
        // The planes, the transparency and the frame that they are put together in.
        ImageFormat::WebP => count * 12,
        ImageFormat::Gif => count * 5,
        // All of it once more before it is handed over.
        ImageFormat::Tiff => 2 * decoder.total_bytes(),
        _ => 0,
    };
    let decoding = decoder.total_bytes().max(target) + own;
    let turning = match orientation {
        Orientation::NoTransforms => 0,
        _ if rgb::turns_first(decoder.color_type()) => decoder.total_bytes() + target,
        _ => 2 * target,
    };
    bytes.len() as u64 + decoding.max(turning) + BESIDES
}

/// Whether a JPEG is baseline with all its colours in one scan, so that a decoder needs only some rows at once.
fn one_pass(bytes: &[u8]) -> bool {
    let (mut at, mut colours) = (2, None);
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        let length = bytes.get(at + 2..at + 4).map(|two| u16::from_be_bytes([two[0], two[1]]));
        match marker {
            0xff => {
                at += 1;
                continue;
            }
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            0xc0 | 0xc1 => colours = bytes.get(at + 9),
            0xda => return colours.is_some() && colours == bytes.get(at + 4),
            _ => {}
        }
        let Some(length) = length else { return false };
        at += 2 + usize::from(length);
    }
    false
}
