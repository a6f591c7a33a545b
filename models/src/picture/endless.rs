//! JPEG files without their end marker. Others take one that has all its pixels, and so does this program; one that
//! was cut short is refused, since decoders fill it up with grey, and grey gets labels too.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Picture, PictureError};

const END: [u8; 2] = [0xff, 0xd9];
/// What is put where pixels may be missing: bits without a pattern of markers.
const FILLINGS: [u8; 2] = [0x55, 0x2a];
const FILLED: usize = 256;

/// Whether a JPEG has its end marker. Segments before the pixels are skipped, since a preview inside them has an end
/// marker of its own.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xff => at += 1,
            0xda => return bytes[at..].windows(2).any(|pair| pair == END),
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
    // Either the file ends here, or it is damaged in a way that the decoder describes better.
    at < bytes.len()
}

/// The picture of a JPEG without an end: what stands behind its last byte must make no difference.
///
/// # Errors
/// [`PictureError::Truncated`] where pixels are missing.
pub(super) fn decode(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<Picture, PictureError>,
) -> Result<Picture, PictureError> {
    let scan = [0xff, 0xda];
    if !bytes.windows(2).any(|pair| pair == scan) {
        return Err(PictureError::Truncated);
    }
    let mut file = Vec::with_capacity(bytes.len() + FILLED + END.len());
    let mut pixels = None;
    for filling in FILLINGS {
        file.clear();
        file.extend_from_slice(bytes);
        file.resize(bytes.len() + FILLED, filling);
        file.extend(END);
        let picture = decode(&file).map_err(|error| match error {
            PictureError::Damaged { .. } => PictureError::Truncated,
            other => other,
        })?;
        let mut hasher = DefaultHasher::new();
        picture.pixels().hash(&mut hasher);
        let is = hasher.finish();
        match pixels {
            None => pixels = Some(is),
            Some(other) if other == is => return Ok(picture),
            Some(_) => break,
        }
    }
    Err(PictureError::Truncated)
}
