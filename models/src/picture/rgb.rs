//! From what a decoder gives to upright 8-bit RGB, in the memory of the larger of the two.

use image::error::{LimitError, LimitErrorKind, ParameterError, ParameterErrorKind};
use image::metadata::{Cicp, Orientation};
use image::{
    ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageResult, RgbImage,
};

/// Pixels that are changed at once.
pub(super) const BAND: usize = 16 << 10;

/// Whether pixels of this kind are turned before they become RGB: those that are smaller then.
pub(super) fn turns_first(kind: ColorType) -> bool {
    kind.bytes_per_pixel() < 3
}

/// Decodes, changes band by band in place, gives back what is left over, and turns in whichever form is smaller.
pub(super) fn read(decoder: impl ImageDecoder, orientation: Orientation) -> ImageResult<RgbImage> {
    let ((width, height), kind) = (decoder.dimensions(), decoder.color_type());
    if orientation != Orientation::NoTransforms && turns_first(kind) {
        return read_turned(decoder, orientation);
    }
    let count = u64::from(width) * u64::from(height);
    let too_large =
        || ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory));
    let source = usize::try_from(decoder.total_bytes()).map_err(|_| too_large())?;
    let target = usize::try_from(count * 3).map_err(|_| too_large())?;
    let mut bytes = vec![0; source.max(target)];
    // Grey grows, so it stands at the end and is read before it is overwritten; all else shrinks or stays.
    let start = bytes.len() - source;
    decoder.read_image(&mut bytes[start..])?;
    if kind != ColorType::Rgb8 {
        change(&mut bytes, start, kind)?;
    }
    bytes.truncate(target);
    bytes.shrink_to_fit();
    let rgb = ImageBuffer::from_raw(width, height, bytes).ok_or_else(mismatch)?;
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

fn read_turned(decoder: impl ImageDecoder, orientation: Orientation) -> ImageResult<RgbImage> {
    let mut turned = DynamicImage::from_decoder(decoder)?;
    turned.apply_orientation(orientation);
    let (bytes, kind) = (turned.as_bytes(), turned.color());
    let each = usize::from(kind.bytes_per_pixel());
    let mut rgb = Vec::with_capacity(bytes.len() / each * 3);
    for some in bytes.chunks(BAND * each) {
        rgb.extend_from_slice(&band(some, kind)?);
    }
    ImageBuffer::from_raw(turned.width(), turned.height(), rgb).ok_or_else(mismatch)
}

fn change(bytes: &mut [u8], start: usize, kind: ColorType) -> ImageResult<()> {
    let each = usize::from(kind.bytes_per_pixel());
    let (mut from, mut to) = (start, 0);
    while from < bytes.len() && from - start < (bytes.len() - start) / each * each {
        let end = (from + BAND * each).min(bytes.len());
        let changed = band(&bytes[from..end], kind)?;
        // Never beyond what was read: see `read`.
        bytes[to..to + changed.len()].copy_from_slice(&changed);
        (from, to) = (end, to + changed.len());
    }
    Ok(())
}

/// Some pixels as 8-bit RGB, by the same steps as whole pictures.
pub(super) fn band(bytes: &[u8], kind: ColorType) -> ImageResult<Vec<u8>> {
    let width = (bytes.len() / usize::from(kind.bytes_per_pixel())) as u32;
    let eight = || bytes.to_vec();
    let sixteen =
        || bytes.as_chunks::<2>().0.iter().map(|two| u16::from_ne_bytes(*two)).collect::<Vec<_>>();
    let floats = || {
        bytes.as_chunks::<4>().0.iter().map(|four| f32::from_ne_bytes(*four)).collect::<Vec<_>>()
    };
    let image = match kind {
        ColorType::L8 => ImageBuffer::from_raw(width, 1, eight()).map(DynamicImage::ImageLuma8),
        ColorType::La8 => ImageBuffer::from_raw(width, 1, eight()).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb8 => ImageBuffer::from_raw(width, 1, eight()).map(DynamicImage::ImageRgb8),
        ColorType::Rgba8 => ImageBuffer::from_raw(width, 1, eight()).map(DynamicImage::ImageRgba8),
        ColorType::L16 => ImageBuffer::from_raw(width, 1, sixteen()).map(DynamicImage::ImageLuma16),
        ColorType::La16 => {
            ImageBuffer::from_raw(width, 1, sixteen()).map(DynamicImage::ImageLumaA16)
        }
        ColorType::Rgb16 => {
            ImageBuffer::from_raw(width, 1, sixteen()).map(DynamicImage::ImageRgb16)
        }
        ColorType::Rgba16 => {
            ImageBuffer::from_raw(width, 1, sixteen()).map(DynamicImage::ImageRgba16)
        }
        ColorType::Rgb32F => {
            ImageBuffer::from_raw(width, 1, floats()).map(DynamicImage::ImageRgb32F)
        }
        ColorType::Rgba32F => {
            ImageBuffer::from_raw(width, 1, floats()).map(DynamicImage::ImageRgba32F)
        }
        _ => None,
    };
    let mut image = image.ok_or_else(mismatch)?;
    image.set_rgb_primaries(Cicp::SRGB.primaries);
    image.set_transfer_function(Cicp::SRGB.transfer);
    let rgb = if kind.has_alpha() { over_white(&image.into_rgba8()) } else { image.into_rgb8() };
    Ok(rgb.into_raw())
}

fn over_white(rgba: &image::RgbaImage) -> RgbImage {
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let alpha = u32::from(from[3]);
        for channel in 0..3 {
            let mixed = u32::from(from[channel]) * alpha + 255 * (255 - alpha);
            to[channel] = ((mixed + 127) / 255) as u8;
        }
    }
    rgb
}

pub(super) fn mismatch() -> ImageError {
    ImageError::Parameter(ParameterError::from_kind(ParameterErrorKind::DimensionMismatch))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole pictures through the library's own conversion are the expected values.
    #[test]
    fn in_place_gives_what_the_whole_picture_gives() {
        let count = 3 * BAND + 5;
        for kind in [
            ColorType::L8,
            ColorType::La8,
            ColorType::Rgba8,
            ColorType::L16,
            ColorType::La16,
            ColorType::Rgb16,
            ColorType::Rgba16,
        ] {
            let each = usize::from(kind.bytes_per_pixel());
            let source: Vec<u8> = (0..count * each).map(|n| (n * 7 + n / 255 * 13) as u8).collect();
            let whole = band(&source, kind).unwrap();
            let mut bytes = vec![0; (count * each).max(count * 3)];
            let start = bytes.len() - source.len();
            bytes[start..].copy_from_slice(&source);
            change(&mut bytes, start, kind).unwrap();
            assert!(bytes[..count * 3] == whole, "{kind:?}");
        }
    }
}
