//! The mask of a word cloud: a picture of any size, made small enough to travel in the request.

use std::{io, path::Path};

use image::{GrayAlphaImage, LumaA, RgbaImage};
use potluck_analysis::cloud::Shape;

use super::MAX_MASK;
use crate::say::{Reason, Say, reasons};

/// The longer side of a mask that travels, in pixels: words are coarse.
const SIDE: u32 = 480;
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// A picture that cannot be a mask. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.reason())]
pub struct MaskError {
    name: String,
    what: Reason,
}

impl Say for MaskError {
    fn reason(&self) -> Reason {
        reasons::mask(self.name.clone(), self.what.clone(), shapes())
    }
}

fn shapes() -> String {
    Shape::ALL.map(|shape| shape.names().0).join(", ")
}

/// A picture as a small PNG: words are coarse, and it travels inside the request.
pub fn small(file: &Path) -> Result<Vec<u8>, MaskError> {
    let bad = |what: Reason| MaskError { name: file.display().to_string(), what };
    let about = std::fs::metadata(file).map_err(|e| bad(reasons::mask_unusable(&e)))?;
    // A pipe or a device would never end.
    if !about.is_file() {
        return Err(bad(reasons::mask_no_file()));
    }
    if about.len() > MAX_FILE {
        return Err(bad(reasons::mask_large(about.len() >> 20)));
    }
    let mut reader = image::ImageReader::open(file)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|e| bad(reasons::mask_unreadable(&e)))?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(20_000), Some(20_000));
    reader.limits(limits);
    let picture = reader.decode().map_err(|e| bad(reasons::mask_no_picture(e.to_string())))?;
    let mut side = SIDE;
    loop {
        let small = shades(&picture.thumbnail(side, side).to_rgba8());
        let mut png = io::Cursor::new(Vec::new());
        small.write_to(&mut png, image::ImageFormat::Png).map_err(|e| bad(e.to_string().into()))?;
        if png.get_ref().len() <= MAX_MASK {
            return Ok(png.into_inner());
        }
        side = side * 3 / 4;
    }
}

/// Grey with opacity says all that a mask says. Words go where a picture is not white, so the
/// darkest of the three colours counts: yellow is not white.
fn shades(picture: &RgbaImage) -> GrayAlphaImage {
    let shade = |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        LumaA([red.min(green).min(blue), alpha])
    };
    GrayAlphaImage::from_fn(picture.width(), picture.height(), shade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;
    use potluck_analysis::cloud::Mask;

    /// What the word cloud fills of a picture stays the same when the picture is made small.
    #[test]
    fn bright_colours_are_not_white() {
        let folder = tempfile::tempdir().expect("a folder");
        for colour in [[255, 255, 0, 255], [0, 255, 255, 255], [0, 0, 0, 255]] {
            let square = |x: u32, y: u32| (200..800).contains(&x) && (200..800).contains(&y);
            let picture = RgbaImage::from_fn(1000, 1000, |x, y| {
                Rgba(if square(x, y) { colour } else { [255; 4] })
            });
            let path = folder.path().join("mask.png");
            picture.save(&path).expect("saved");
            let mask = Mask::Picture(small(&path).expect("a mask"));
            assert!(mask.check().is_ok(), "{colour:?}");
        }
    }
}
