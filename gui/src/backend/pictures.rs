//! Pictures for the window. They are decoded and checked away from its thread, and handed over as
//! pixels: one that cannot be decoded would end the window.

use std::path::{Path, PathBuf};

use iced::widget::image::Handle;
use image::{RgbImage, RgbaImage, imageops};
use potluck::{
    say::{Reason, Say as _},
    services::{
        face::{Face, annotate},
        marks::{self, Mark},
    },
};
use tokio::sync::Semaphore;

use super::files::{Source, Unread};

/// Columns and rows in a row of pictures.
const SMALL: (u32, u32) = (224, 144);
/// Pictures that are decoded at once.
static DECODING: Semaphore = Semaphore::const_new(2);

/// A picture as the window shows it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The pixels.
    pub handle: Handle,
    /// The same for a row of pictures.
    pub small: Handle,
    /// Columns and rows of the file.
    pub size: (u32, u32),
}

/// How large a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Fills this room; what does not fit is cut off, and so are the corners.
    Cover(u32, u32),
    /// Fits into this room whole.
    Within(u32, u32),
}

/// Reads a picture.
pub async fn read(source: Source, fit: Fit) -> Result<Shown, Unread> {
    let wrong = |error: &dyn std::fmt::Display| Unread::Unreadable(error.to_string());
    let _place = DECODING.acquire().await.map_err(|error| wrong(&error))?;
    let read = tokio::task::spawn_blocking(move || {
        let bytes = match &source {
            Source::Bytes(bytes) => bytes.to_vec(),
            Source::File(path) => read_file(path)?,
        };
        show(&bytes, fit)
    });
    read.await.map_err(|error| Unread::Unreadable(error.to_string()))?
}

/// A small copy, whole and with round corners.
#[derive(Debug, Clone)]
pub struct Picture {
    /// For the renderer.
    pub handle: Handle,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A copy of at most these columns and rows; `None` where the file is no picture.
pub async fn small(path: PathBuf, width: u32, height: u32) -> Option<Picture> {
    let _place = DECODING.acquire().await.ok()?;
    let made = tokio::task::spawn_blocking(move || {
        let picture = potluck_models::decode(&read_file(&path).ok()?).ok()?;
        let (across, down) = (picture.width(), picture.height());
        let whole = RgbImage::from_raw(across, down, picture.into_pixels())?;
        Some(rounded(within(&whole, width, height)))
    });
    let pixels = made.await.ok()??;
    let (width, height) = pixels.dimensions();
    Some(Picture { handle: Handle::from_rgba(width, height, pixels.into_raw()), width, height })
}

/// Cuts parts out of a picture that is shown: squares of `side` around these rectangles, which are
/// shares of its width and height.
pub async fn parts(whole: Handle, parts: Vec<[f32; 4]>, side: u32) -> Vec<Handle> {
    let cut = tokio::task::spawn_blocking(move || {
        let Handle::Rgba { width, height, pixels, .. } = whole else { return Vec::new() };
        let Some(whole) = RgbaImage::from_raw(width, height, pixels.to_vec()) else {
            return Vec::new();
        };
        parts.into_iter().map(|part| square(&whole, part, side)).collect()
    });
    cut.await.unwrap_or_default()
}

/// A square around a rectangle, with some of what is beside it, and inside the picture.
fn square(whole: &RgbaImage, [x, y, across, down]: [f32; 4], side: u32) -> Handle {
    let (width, height) = (whole.width() as f32, whole.height() as f32);
    let room = (across * width).max(down * height) * 1.3;
    let room = room.clamp(1.0, width.min(height));
    let start = |middle: f32, all: f32| (middle - room / 2.0).clamp(0.0, all - room) as u32;
    let left = start((x + across / 2.0) * width, width);
    let top = start((y + down / 2.0) * height, height);
    let part = imageops::crop_imm(whole, left, top, room as u32, room as u32).to_image();
    let small = imageops::resize(&part, side, side, imageops::FilterType::Triangle);
    Handle::from_rgba(side, side, rounded(small).into_raw())
}

/// Writes a copy of a picture with a box around every face, and gives its path.
pub async fn annotated(
    source: Source,
    faces: Vec<Face>,
    lang: crate::words::Lang,
    path: PathBuf,
) -> Result<PathBuf, Reason> {
    copied(source, path, move |picture| annotate::annotate(picture, &faces, lang)).await
}

/// The same with marks around what was found.
pub async fn marked(source: Source, found: Vec<Mark>, path: PathBuf) -> Result<PathBuf, Reason> {
    copied(source, path, move |picture| marks::draw(picture, &found)).await
}

async fn copied(
    source: Source,
    path: PathBuf,
    draw: impl FnOnce(potluck_models::Picture) -> std::io::Result<RgbImage> + Send + 'static,
) -> Result<PathBuf, Reason> {
    let _place = DECODING.acquire().await.map_err(|error| error.to_string())?;
    let drawn = tokio::task::spawn_blocking(move || {
        let bytes = match &source {
            Source::Bytes(bytes) => bytes.to_vec(),
            Source::File(path) => read_file(path).map_err(|error| error.to_string())?,
        };
        let picture = potluck_models::decode(&bytes).map_err(|error| error.reason())?;
        drop(bytes);
        // The copy is drawn in the same pixels, and takes their place until it is saved.
        let _room = picture.room();
        draw(picture).and_then(|copy| marks::save(&copy, &path)).map_err(|error| error.reason())
    });
    drawn.await.map_err(|error| error.to_string())?
}

fn read_file(path: &Path) -> Result<Vec<u8>, Unread> {
    let failed = |error: std::io::Error| Unread::Unreadable(error.to_string());
    let meta = std::fs::metadata(path).map_err(failed)?;
    // A pipe or a device would never end.
    if !meta.is_file() {
        return Err(Unread::NotIt(format!("{} is not a file", path.display())));
    }
    if meta.len() > potluck_models::MAX_BYTES as u64 {
        let error = potluck_models::PictureError::TooManyBytes { bytes: meta.len() };
        return Err(Unread::NotIt(error.to_string()));
    }
    std::fs::read(path).map_err(failed)
}

fn show(bytes: &[u8], fit: Fit) -> Result<Shown, Unread> {
    let broken = |error: &dyn std::fmt::Display| Unread::NotIt(error.to_string());
    let picture = potluck_models::decode(bytes).map_err(|error| broken(&error))?;
    let size = (picture.width(), picture.height());
    let whole = RgbImage::from_raw(size.0, size.1, picture.into_pixels())
        .ok_or_else(|| broken(&"the picture has another size than it says"))?;
    let handle = |pixels: RgbaImage| {
        let (width, height) = pixels.dimensions();
        Handle::from_rgba(width, height, pixels.into_raw())
    };
    Ok(match fit {
        Fit::Cover(width, height) => {
            let handle = handle(cover(&whole, width, height));
            Shown { small: handle.clone(), handle, size }
        }
        Fit::Within(width, height) => {
            let small = handle(cover(&whole, SMALL.0, SMALL.1));
            Shown { small, handle: handle(within(&whole, width, height)), size }
        }
    })
}

fn cover(whole: &RgbImage, width: u32, height: u32) -> RgbaImage {
    let (across, down) = whole.dimensions();
    let scale = (f64::from(across) / f64::from(width)).min(f64::from(down) / f64::from(height));
    let part = |room: u32, all: u32| ((f64::from(room) * scale).round() as u32).clamp(1, all);
    let (wide, high) = (part(width, across), part(height, down));
    // A little above the middle: that is where people are.
    let part = imageops::crop_imm(whole, (across - wide) / 2, (down - high) * 2 / 5, wide, high);
    let small = imageops::thumbnail(&*part, width, height);
    rounded(image::DynamicImage::ImageRgb8(small).into_rgba8())
}

fn within(whole: &RgbImage, width: u32, height: u32) -> RgbaImage {
    let (across, down) = whole.dimensions();
    let scale =
        (f64::from(width) / f64::from(across)).min(f64::from(height) / f64::from(down)).min(1.0);
    let part = |all: u32| ((f64::from(all) * scale).round() as u32).max(1);
    let small = imageops::thumbnail(whole, part(across), part(down));
    image::DynamicImage::ImageRgb8(small).into_rgba8()
}

/// The renderer knows no round corners of pictures, so they are cut from the pixels.
fn rounded(mut picture: RgbaImage) -> RgbaImage {
    // Small copies are drawn at about this size.
    const RADIUS: f32 = 5.0;
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let beyond = |at: u32, all: f32| {
            let at = at as f32 + 0.5;
            (RADIUS - at).max(at - (all - RADIUS)).max(0.0)
        };
        let far = beyond(x, width).hypot(beyond(y, height));
        let seen = (RADIUS + 0.5 - far).clamp(0.0, 1.0);
        pixel.0[3] = (seen * 255.0) as u8;
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Source {
        let picture = RgbImage::from_pixel(width, height, image::Rgb([200, 10, 10]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        Source::Bytes(bytes.into_inner().into())
    }

    fn pixels(shown: &Shown) -> (u32, u32, &[u8]) {
        let Handle::Rgba { width, height, pixels, .. } = &shown.handle else { panic!("no pixels") };
        (*width, *height, pixels)
    }

    #[tokio::test]
    async fn pictures_of_any_shape_fill_their_room() {
        for (width, height) in [(1, 1), (3, 900), (900, 3), (640, 480)] {
            let shown = read(png(width, height), Fit::Cover(60, 28)).await.unwrap();
            assert_eq!(shown.size, (width, height));
            let (across, down, pixels) = pixels(&shown);
            assert_eq!((across, down, pixels.len()), (60, 28, 60 * 28 * 4));
            assert_eq!((pixels[3], pixels[(14 * 60 + 30) * 4 + 3]), (0, 255), "corner, middle");
        }
        let shown = read(png(900, 300), Fit::Within(90, 90)).await.unwrap();
        assert_eq!((pixels(&shown).0, pixels(&shown).1), (90, 30));
    }

    #[tokio::test]
    async fn small_copies_are_whole_and_others_are_none() {
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

    #[tokio::test]
    async fn what_is_no_picture_is_told_and_nothing_panics() {
        let text = Source::Bytes(b"PK\x03\x04 a document".to_vec().into());
        assert!(matches!(read(text, Fit::Cover(9, 9)).await, Err(Unread::NotIt(_))));
        let Source::Bytes(whole) = png(64, 64) else { panic!("no bytes") };
        let half = Source::Bytes(whole[..whole.len() / 2].to_vec().into());
        assert!(matches!(read(half, Fit::Cover(9, 9)).await, Err(Unread::NotIt(_))));
        let missing = Source::File("/nowhere/at/all.png".into());
        assert!(matches!(read(missing, Fit::Cover(9, 9)).await, Err(Unread::Unreadable(_))));
        let folder = Source::File(std::env::temp_dir());
        assert!(matches!(read(folder, Fit::Cover(9, 9)).await, Err(Unread::NotIt(_))));
    }
}
