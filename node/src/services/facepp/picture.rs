//! Makes of any picture one that Face++ takes, and finds the way back to the pixels of the original.

use image::{ImageBuffer, Rgb, codecs::jpeg::JpegEncoder, imageops};
use potluck_models::{Picture, PictureError};

use super::plain;

/// The most bytes that are sent. Face++ says 2 MB; the smaller reading of that is safe.
pub const MAX_BYTES: usize = 2_000_000;
/// The fewest and most pixels of a side that Face++ takes.
pub const SIDES: (u32, u32) = (48, 4096);
/// JPEG qualities that are tried before the picture is made smaller.
const QUALITIES: [u8; 3] = [92, 85, 75];
/// How often it is made smaller before this is given up.
const MAX_ROUNDS: usize = 8;

/// A picture that Face++ takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The file.
    pub bytes: Vec<u8>,
    /// `image/jpeg` or `image/png`.
    pub mime: &'static str,
    /// Columns and rows of the file.
    pub size: (u32, u32),
    /// Columns and rows of the original, upright.
    pub original: (u32, u32),
}

/// Why a picture cannot be sent. The picture is to blame, so no other node would do better.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It cannot be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A side is too short.
    #[error("the picture has {0} x {1} pixels; Face++ finds faces from {min} pixels on, so send a larger one", min = SIDES.0)]
    TooSmall(u32, u32),
    /// Shrunk to what Face++ takes, its short side would be too short.
    #[error(
        "the picture is too long and thin for Face++ ({0} x {1} pixels); cut out the part with the faces"
    )]
    TooThin(u32, u32),
    /// The JPEG could not be made.
    #[error("the picture cannot be made small enough for Face++; send a smaller one")]
    Encode,
}

impl Prepared {
    /// How many pixels of the original one pixel of the file is, across and down.
    pub fn scale(&self) -> (f64, f64) {
        let ratio = |original: u32, sent: u32| f64::from(original) / f64::from(sent.max(1));
        (ratio(self.original.0, self.size.0), ratio(self.original.1, self.size.1))
    }
}

/// Sends plain pictures as they are and makes a JPEG of all others: too large ones, turned ones,
/// other formats and colours, and those that tell anything but pixels, such as the place.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(bytes: &[u8]) -> Result<Prepared, PrepareError> {
    from_decoded(bytes, &potluck_models::decode(bytes)?)
}

/// The same for a file that is decoded already.
///
/// # Errors
/// See [`PrepareError`].
pub fn from_decoded(bytes: &[u8], picture: &Picture) -> Result<Prepared, PrepareError> {
    let original = (picture.width(), picture.height());
    let (min, max) = SIDES;
    if original.0.min(original.1) < min {
        return Err(PrepareError::TooSmall(original.0, original.1));
    }
    let fits = bytes.len() <= MAX_BYTES && original.0.max(original.1) <= max;
    if let Some(mime) = plain::mime(bytes).filter(|_| fits) {
        return Ok(Prepared { bytes: bytes.to_vec(), mime, size: original, original });
    }
    let (bytes, size) = shrink(picture, original)?;
    Ok(Prepared { bytes, mime: "image/jpeg", size, original })
}

/// A JPEG within the limits, and its size.
fn shrink(picture: &Picture, original: (u32, u32)) -> Result<(Vec<u8>, (u32, u32)), PrepareError> {
    let whole = ImageBuffer::<Rgb<u8>, &[u8]>::from_raw(original.0, original.1, picture.pixels())
        .ok_or(PrepareError::Encode)?;
    let mut scale = (f64::from(SIDES.1) / f64::from(original.0.max(original.1))).min(1.0);
    for _ in 0..MAX_ROUNDS {
        let side = |length: u32| ((f64::from(length) * scale).round() as u32).clamp(1, SIDES.1);
        let size = (side(original.0), side(original.1));
        if size.0.min(size.1) < SIDES.0 {
            return Err(PrepareError::TooThin(original.0, original.1));
        }
        let smaller = (size != original).then(|| imageops::thumbnail(&whole, size.0, size.1));
        let mut bytes = Vec::new();
        for quality in QUALITIES {
            bytes.clear();
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
            match &smaller {
                Some(smaller) => encoder.encode_image(smaller),
                None => encoder.encode_image(&whole),
            }
            .map_err(|_| PrepareError::Encode)?;
            if bytes.len() <= MAX_BYTES {
                return Ok((bytes, size));
            }
            // Far too large: a lower quality would not do.
            if bytes.len() > 3 * MAX_BYTES {
                break;
            }
        }
        // The bytes go with the area, a little slower than that.
        scale *= (MAX_BYTES as f64 / bytes.len() as f64).sqrt().min(0.9);
    }
    Err(PrepareError::Encode)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use image::{
        DynamicImage, ExtendedColorType, ImageEncoder as _, RgbImage, codecs::png::PngEncoder,
    };

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut seed = 1u32;
        RgbImage::from_fn(width, height, |_, _| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = seed.to_be_bytes();
            image::Rgb([a, b, c])
        })
    }

    fn jpeg(image: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(image).unwrap();
        bytes
    }

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = (image.width(), image.height());
        let color = ExtendedColorType::from(image.color());
        PngEncoder::new(&mut bytes).write_image(image.as_bytes(), width, height, color).unwrap();
        bytes
    }

    /// Everything that Face++ checks of a file.
    fn taken(prepared: &Prepared) {
        assert!(prepared.bytes.len() <= MAX_BYTES, "{} bytes", prepared.bytes.len());
        let image = image::load_from_memory(&prepared.bytes).unwrap();
        assert_eq!((image.width(), image.height()), prepared.size);
        for side in [prepared.size.0, prepared.size.1] {
            assert!((SIDES.0..=SIDES.1).contains(&side), "{:?}", prepared.size);
        }
    }

    #[test]
    fn plain_pictures_are_sent_as_they_are() {
        let image = noise(60, 50);
        let grey = DynamicImage::from(image.clone()).into_luma8();
        for (bytes, mime) in [
            (jpeg(&image), "image/jpeg"),
            (png(&image.clone().into()), "image/png"),
            (png(&grey.into()), "image/png"),
        ] {
            let prepared = prepare(&bytes).unwrap();
            assert_eq!((prepared.mime, prepared.original), (mime, (60, 50)));
            assert_eq!(prepared.bytes, bytes);
            assert_eq!(prepared.scale(), (1.0, 1.0));
        }
    }

    #[test]
    fn other_kinds_become_jpeg() {
        let image = DynamicImage::from(noise(60, 50));
        let write = |format| {
            let mut bytes = Cursor::new(Vec::new());
            image.write_to(&mut bytes, format).unwrap();
            bytes.into_inner()
        };
        for bytes in [
            write(image::ImageFormat::Bmp),
            write(image::ImageFormat::Gif),
            write(image::ImageFormat::Tiff),
            write(image::ImageFormat::WebP),
            png(&image.to_rgba8().into()),
            png(&image.to_rgb16().into()),
        ] {
            let prepared = prepare(&bytes).unwrap();
            assert_eq!((prepared.mime, prepared.size), ("image/jpeg", (60, 50)));
            taken(&prepared);
        }
    }

    #[test]
    fn too_many_pixels_or_bytes_are_made_fewer() {
        let wide = prepare(&jpeg(&RgbImage::new(5000, 1000))).unwrap();
        assert_eq!((wide.size, wide.original), ((4096, 819), (5000, 1000)));
        taken(&wide);
        let heavy = jpeg(&noise(2600, 1900));
        assert!(heavy.len() > 2 * MAX_BYTES, "{}", heavy.len());
        let prepared = prepare(&heavy).unwrap();
        assert_eq!(prepared.original, (2600, 1900));
        taken(&prepared);
        let (across, down) = prepared.scale();
        assert!(across > 1.0 && (across - down).abs() < 0.01, "{across} {down}");
    }

    #[test]
    fn hopeless_sizes_are_said() {
        let text = |w, h| prepare(&png(&RgbImage::new(w, h).into())).unwrap_err().to_string();
        assert!(text(47, 500).contains("47 x 500"), "{}", text(47, 500));
        assert!(text(9000, 50).contains("long and thin"), "{}", text(9000, 50));
        assert!(matches!(prepare(b"text"), Err(PrepareError::Picture(PictureError::NotAPicture))));
        assert!(prepare(&png(&RgbImage::new(48, 48).into())).is_ok());
    }
}
