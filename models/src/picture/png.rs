//! PNG row by row, straight into upright 8-bit RGB: a small file of many pixels needs no more than those.

use std::io::Cursor;

use image::error::{DecodingError, LimitError, LimitErrorKind, ParameterError, ParameterErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ImageBuffer, ImageError, ImageFormat, ImageResult, RgbImage};

use super::rgb::{BAND, band, mismatch};

/// What a file's texts and colour profile may take beside the file itself: profiles are compressed, too.
const PROFILE: u64 = 256 << 10;
/// The longest row that is decoded, in bytes: eight million pixels and more.
const MAX_ROW: u64 = 64 << 20;

/// How much the decoder may have for all but the pixels. A larger colour profile is passed over.
pub(super) fn limit(bytes: &[u8]) -> u64 {
    PROFILE + 2 * bytes.len() as u64 + row(bytes)
}

/// What the decoder needs beside the pixels. A profile grows by doubling up to the limit, so it takes up to three times
/// as much while it is read.
pub(super) fn beside(bytes: &[u8]) -> u64 {
    3 * (PROFILE + 2 * bytes.len() as u64) + 4 * row(bytes)
}

/// The most bytes of a row, as the header says.
fn row(bytes: &[u8]) -> u64 {
    let width =
        bytes.get(16..20).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    let deep = bytes.get(24) == Some(&16);
    (u64::from(width) * if deep { 8 } else { 4 }).min(MAX_ROW)
}

/// Whether rows come whole and in order: not so where they are interlaced or may be animated.
pub(super) fn by_rows(bytes: &[u8]) -> bool {
    if bytes.get(28) != Some(&0) {
        return false;
    }
    let mut at = 8usize;
    while let Some(&[a, b, c, d, ref kind @ ..]) = bytes.get(at..at.saturating_add(8)) {
        match kind {
            b"IDAT" => return true,
            b"acTL" | b"fcTL" => return false,
            _ => {
                at = at.saturating_add(12).saturating_add(u32::from_be_bytes([a, b, c, d]) as usize)
            }
        }
    }
    false
}

/// Decodes rows of pixels of that kind, and puts each pixel where the orientation wants it.
pub(super) fn read(
    bytes: &[u8],
    kind: ColorType,
    orientation: Orientation,
) -> ImageResult<RgbImage> {
    let limits = png::Limits { bytes: usize::try_from(limit(bytes)).unwrap_or(usize::MAX) };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(translate)?;
    let (width, height) = reader.info().size();
    let (wide, each) = (width as usize, usize::from(kind.bytes_per_pixel()));
    let row =
        reader.output_line_size(width).filter(|row| *row == wide * each).ok_or_else(mismatch)?;
    let place = Place { width: wide, height: height as usize, orientation };
    let mut rgb = vec![0; wide * place.height * 3];
    let (mut rows, mut done) = (Vec::with_capacity(row.max(BAND * each + row.min(BAND * each))), 0);
    loop {
        let start = rows.len();
        rows.resize(start + row, 0);
        let more = reader.read_row(&mut rows[start..]).map_err(translate)?.is_some();
        if !more {
            rows.truncate(start);
        }
        if rows.len() < BAND * each && more {
            continue;
        }
        for some in rows.chunks_mut(BAND * each) {
            if each / usize::from(kind.channel_count()) == 2 {
                // The file has the high byte first.
                some.as_chunks_mut::<2>().0.iter_mut().for_each(|two| {
                    *two = u16::from_be_bytes(*two).to_ne_bytes();
                });
            }
            place.put(&mut rgb, done, &band(some, kind)?);
            done += some.len() / each;
        }
        rows.clear();
        if !more {
            break;
        }
    }
    if done != wide * place.height {
        return Err(mismatch());
    }
    let (width, height) = if place.turns() { (height, width) } else { (width, height) };
    ImageBuffer::from_raw(width, height, rgb).ok_or_else(mismatch)
}

/// Where pixels go.
struct Place {
    width: usize,
    height: usize,
    orientation: Orientation,
}

impl Place {
    /// Whether rows become columns.
    fn turns(&self) -> bool {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(self.orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
    }

    /// Puts pixels that follow each other in the file from number `first` on.
    fn put(&self, rgb: &mut [u8], first: usize, pixels: &[u8]) {
        if self.orientation == Orientation::NoTransforms {
            rgb[first * 3..first * 3 + pixels.len()].copy_from_slice(pixels);
            return;
        }
        let (mut x, mut y) = (first % self.width, first / self.width);
        for pixel in pixels.as_chunks::<3>().0 {
            let at = 3 * self.at(x, y);
            rgb[at..at + 3].copy_from_slice(pixel);
            x += 1;
            if x == self.width {
                (x, y) = (0, y + 1);
            }
        }
    }

    /// The number of the pixel that one of the file becomes.
    fn at(&self, x: usize, y: usize) -> usize {
        let (left, up) = (self.width - 1 - x, self.height - 1 - y);
        match self.orientation {
            Orientation::NoTransforms => y * self.width + x,
            Orientation::FlipHorizontal => y * self.width + left,
            Orientation::Rotate180 => up * self.width + left,
            Orientation::FlipVertical => up * self.width + x,
            Orientation::Rotate90 => x * self.height + up,
            Orientation::Rotate270 => left * self.height + y,
            Orientation::Rotate90FlipH => x * self.height + y,
            Orientation::Rotate270FlipH => left * self.height + up,
        }
    }
}

fn translate(error: png::DecodingError) -> ImageError {
    match error {
        png::DecodingError::IoError(error) => ImageError::IoError(error),
        error @ png::DecodingError::Format(_) => {
            ImageError::Decoding(DecodingError::new(ImageFormat::Png.into(), error))
        }
        error @ png::DecodingError::Parameter(_) => ImageError::Parameter(
            ParameterError::from_kind(ParameterErrorKind::Generic(error.to_string())),
        ),
        png::DecodingError::LimitsExceeded => {
            ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory))
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageDecoder as _};

    use super::*;

    /// The library's own way over the whole picture gives the expected values.
    #[test]
    fn rows_give_what_the_whole_picture_gives() {
        use Orientation::*;
        let noise = RgbImage::from_fn(301, 170, |x, y| {
            image::Rgb([(x * 7 + y) as u8, (x * y / 5) as u8, (x ^ y) as u8])
        });
        let noise = DynamicImage::from(noise);
        let mut alpha = noise.to_rgba8();
        alpha.pixels_mut().enumerate().for_each(|(n, pixel)| pixel[3] = n as u8);
        let alpha = DynamicImage::from(alpha);
        for image in [
            noise.to_luma8().into(),
            noise.to_luma16().into(),
            noise.to_rgb16().into(),
            alpha.to_luma_alpha8().into(),
            alpha.to_luma_alpha16().into(),
            alpha.to_rgba16().into(),
            noise,
            alpha,
        ] {
            let image: DynamicImage = image;
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, ImageFormat::Png).unwrap();
            let file = file.into_inner();
            assert!(by_rows(&file));
            for orientation in [
                NoTransforms,
                FlipHorizontal,
                Rotate180,
                FlipVertical,
                Rotate90,
                Rotate270,
                Rotate90FlipH,
                Rotate270FlipH,
            ] {
                let decoder = image::codecs::png::PngDecoder::new(Cursor::new(&file)).unwrap();
                let kind = decoder.color_type();
                let whole = crate::picture::rgb::read(decoder, orientation).unwrap();
                let rows = read(&file, kind, orientation).unwrap();
                assert_eq!(rows.dimensions(), whole.dimensions(), "{kind:?} {orientation:?}");
                assert!(rows == whole, "{kind:?} {orientation:?}");
            }
        }
    }

    #[test]
    fn interlaced_and_animated_files_do_not_go_by_rows() {
        let head = |interlaced: u8| {
            let mut file =
                b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0".to_vec();
            file.extend([interlaced, 0, 0, 0, 0]);
            file
        };
        let chunk = |kind: &[u8]| [&[0, 0, 0, 0], kind, &[0; 4]].concat();
        assert!(by_rows(&[head(0), chunk(b"IDAT")].concat()));
        assert!(!by_rows(&[head(1), chunk(b"IDAT")].concat()));
        assert!(!by_rows(&[head(0), chunk(b"acTL"), chunk(b"IDAT")].concat()));
        assert!(!by_rows(&head(0)));
        assert!(!by_rows(b""));
    }
}
