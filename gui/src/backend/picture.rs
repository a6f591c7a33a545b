//! Small copies of pictures. They are decoded and checked off the window's thread: one that cannot be
//! decoded would end the window.

use std::path::{Path, PathBuf};

use image::{ImageReader, Limits, RgbaImage, imageops::FilterType};

/// Bytes that a decoded picture may take.
const MOST: u64 = 256 << 20;
/// Corners of a small copy.
const ROUND: i64 = 4;

/// Pixels, as the window draws them.
#[derive(Debug, Clone)]
pub struct Picture {
    /// For the renderer.
    pub handle: iced::widget::image::Handle,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Whether a name is that of a picture that can be shown.
pub fn is_picture(name: &str) -> bool {
    let ending = Path::new(name).extension().map(|ending| ending.to_ascii_lowercase());
    let known = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];
    ending.is_some_and(|ending| known.iter().any(|known| ending == *known))
}

/// A copy of at most these columns and rows; `None` where the file is no picture.
pub async fn small(path: PathBuf, width: u32, height: u32) -> Option<Picture> {
    let made = tokio::task::spawn_blocking(move || {
        let mut reader = ImageReader::open(&path).ok()?.with_guessed_format().ok()?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST);
        reader.limits(limits);
        let whole = reader.decode().ok()?;
        let fits = whole.width() <= width && whole.height() <= height;
        let small = if fits { whole } else { whole.resize(width, height, FilterType::Triangle) };
        Some(rounded(small.into_rgba8()))
    });
    let pixels = made.await.ok()??;
    let (width, height) = pixels.dimensions();
    let handle = iced::widget::image::Handle::from_rgba(width, height, pixels.into_raw());
    Some(Picture { handle, width, height })
}

/// The renderer has no round corners: they are cut out of the picture.
fn rounded(mut picture: RgbaImage) -> RgbaImage {
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let beyond = |at: i64, most: i64| (ROUND - at).max(at - (most - 1 - ROUND)).max(0);
        let (dx, dy) = (beyond(x.into(), width), beyond(y.into(), height));
        if dx > 0 && dy > 0 && dx * dx + dy * dy > ROUND * ROUND {
            pixel.0[3] = 0;
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pictures_become_small_and_others_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.png");
        RgbaImage::from_pixel(400, 100, image::Rgba([9, 8, 7, 255])).save(&path).unwrap();
        let picture = small(path, 216, 136).await.unwrap();
        assert_eq!((picture.width, picture.height), (216, 54));
        let text = folder.path().join("notes.png");
        std::fs::write(&text, "no picture").unwrap();
        assert!(small(text, 216, 136).await.is_none());
        assert!(small(folder.path().join("missing.png"), 216, 136).await.is_none());
    }

    #[test]
    fn corners_are_cut_out() {
        let picture = rounded(RgbaImage::from_pixel(20, 20, image::Rgba([1, 2, 3, 255])));
        assert_eq!((picture.get_pixel(0, 0).0[3], picture.get_pixel(19, 19).0[3]), (0, 0));
        assert_eq!((picture.get_pixel(10, 0).0[3], picture.get_pixel(10, 10).0[3]), (255, 255));
    }
}
