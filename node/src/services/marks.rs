//! Marks on the copy of a picture: what was found, each with a line around it and a plate that names it. And how
//! copies are written.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use image::{DynamicImage, Rgb, RgbImage, imageops};
use potluck_analysis::{charts::rasterise, font};
use potluck_models::{Area, Picture};

/// The colour of what needs none of its own. White letters on all of these have a contrast of 4.5 and more
/// (WCAG 2.2, 1.4.3).
pub const PLAIN: Rgb<u8> = Rgb([0x08, 0x68, 0xa8]);
const COLOURS: [Rgb<u8>; 8] = [
    PLAIN,
    Rgb([0xc2, 0x25, 0x72]),
    Rgb([0x23, 0x78, 0x3a]),
    Rgb([0x8a, 0x4b, 0x00]),
    Rgb([0x6b, 0x3f, 0xa0]),
    Rgb([0xb3, 0x26, 0x1e]),
    Rgb([0x00, 0x6d, 0x6f]),
    Rgb([0x4a, 0x55, 0x68]),
];
pub(super) const WHITE: Rgb<u8> = Rgb([0xff; 3]);
/// Of a copy as JPEG.
const QUALITY: u8 = 92;
/// Height of letters: a share of the picture's longer side and of what is marked, and its limits in pixels.
const TEXT_SHARE: f32 = 1.0 / 45.0;
const TEXT_OF_MARK: f32 = 0.8;
const TEXT_MIN: f32 = 11.0;
const TEXT_MAX: f32 = 200.0;
/// By how much letters shrink while there is no room for all plates.
const SHRINK: f32 = 0.8;

/// What is marked.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Its four corners in order, in pixels, inside of the picture.
    pub corners: [(f32, f32); 4],
    /// What the plate says, one line.
    pub text: String,
    /// Of line and plate.
    pub colour: Rgb<u8>,
}

/// One of a few colours, the same one for the same word.
pub fn colour(word: &str) -> Rgb<u8> {
    let sum = word.bytes().fold(7usize, |sum, byte| sum.wrapping_mul(31) + usize::from(byte));
    COLOURS[sum % COLOURS.len()]
}

/// Draws marks onto a copy of an upright picture. A plate that has no free place is left out.
pub fn draw(picture: Picture, marks: &[Mark]) -> io::Result<RgbImage> {
    let size = (picture.width(), picture.height());
    let mut copy = RgbImage::from_raw(size.0, size.1, picture.into_pixels())
        .ok_or_else(|| io::Error::other("the picture has another size than it says"))?;
    let line = (size.0.max(size.1) as f32 / 400.0).clamp(2.0, 12.0).round();
    for mark in marks {
        // White around it, so that it shows on any background.
        outline(&mut copy, &mark.corners, line + 2.0, WHITE);
        outline(&mut copy, &mark.corners, line, mark.colour);
    }
    let (letters, plates) = lay_out((size.0 as f32, size.1 as f32), marks, line);
    for (mark, area) in plates {
        let drawn = draw_plate(&mark.text, area, letters, mark.colour)?;
        imageops::replace(&mut copy, &drawn, area.x.round() as i64, area.y.round() as i64);
    }
    Ok(copy)
}

/// Height of the letters, and a place for each plate: none hides another.
fn lay_out((width, height): (f32, f32), marks: &[Mark], line: f32) -> (f32, Vec<(&Mark, Area)>) {
    let mut sides: Vec<f32> = marks.iter().map(Mark::shorter).collect();
    sides.sort_by(f32::total_cmp);
    let middle = sides.get(sides.len() / 2).copied().unwrap_or(0.0);
    let most = width.max(height) * TEXT_SHARE;
    let mut letters = most.min(middle * TEXT_OF_MARK).clamp(TEXT_MIN, TEXT_MAX);
    loop {
        let mut plates: Vec<(&Mark, Area)> = Vec::new();
        for mark in marks {
            let margin = (letters * 0.25).max(1.0);
            let across = font::width(&mark.text, letters) + 2.0 * margin;
            let down = letters * 1.2 + 2.0 * margin;
            let free = |(x, y): (f32, f32)| {
                let x = x.clamp(0.0, (width - across).max(0.0));
                let y = y.clamp(0.0, (height - down).max(0.0));
                let area = Area { x, y, width: across.min(width), height: down.min(height) };
                plates.iter().all(|(_, other)| area.shared(other) <= 0.0).then_some(area)
            };
            if let Some(area) = mark.places(across, down, line).into_iter().find_map(free) {
                plates.push((mark, area));
            }
        }
        if plates.len() == marks.len() || letters <= TEXT_MIN {
            return (letters, plates);
        }
        letters = (letters * SHRINK).max(TEXT_MIN);
    }
}

impl Mark {
    fn bounds(&self) -> (f32, f32, f32, f32) {
        let corners = self.corners.iter();
        corners.fold((f32::MAX, f32::MAX, f32::MIN, f32::MIN), |(a, b, c, d), (x, y)| {
            (a.min(*x), b.min(*y), c.max(*x), d.max(*y))
        })
    }

    fn shorter(&self) -> f32 {
        let side = |a: usize, b: usize| {
            let ((x, y), (u, v)) = (self.corners[a], self.corners[b]);
            (x - u).hypot(y - v)
        };
        side(0, 1).min(side(1, 2))
    }

    /// Upper left corners for its plate, the best first: on its upper edge, inside of it, below, beside.
    fn places(&self, across: f32, down: f32, gap: f32) -> Vec<(f32, f32)> {
        let (left, top, right, bottom) = self.bounds();
        let (above, below) = (top - down - gap / 2.0, bottom + gap / 2.0);
        let end = right - across;
        let mut places = Vec::new();
        if bottom - top < 2.0 * down {
            // Low, as a line of text is: before or after it nothing is hidden.
            let middle = (top + bottom - down) / 2.0;
            places.extend([(left - across - gap, middle), (right + gap, middle)]);
        }
        if above >= 0.0 {
            places.extend([(left, above), (end, above)]);
        }
        places.extend([
            (left + gap, top + gap),
            (end - gap, top + gap),
            (left, below),
            (end, below),
        ]);
        places.extend([(left + gap, bottom - down - gap), (end - gap, bottom - down - gap)]);
        places.extend([(left - across - gap, top), (right + gap, top)]);
        // Down the inner side, where many stand in one another.
        let steps = ((bottom - top) / (down + gap)).clamp(0.0, 12.0) as usize;
        places.extend((1..steps).map(|step| (left + gap, top + gap + step as f32 * (down + gap))));
        places
    }
}

/// A line of a thickness around four corners.
fn outline(copy: &mut RgbImage, corners: &[(f32, f32); 4], thick: f32, colour: Rgb<u8>) {
    let (last_x, last_y) = (copy.width() as f32 - 1.0, copy.height() as f32 - 1.0);
    let inside = |(x, y): (f32, f32)| (x.clamp(0.0, last_x), y.clamp(0.0, last_y));
    for index in 0..4 {
        let (from, to) = (inside(corners[index]), inside(corners[(index + 1) % 4]));
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0) as u32;
        for step in 0..=steps {
            let share = step as f32 / steps as f32;
            let x = from.0 + (to.0 - from.0) * share;
            let y = from.1 + (to.1 - from.1) * share;
            stamp(copy, (x, y), thick, colour);
        }
    }
}

/// A square around a place.
fn stamp(copy: &mut RgbImage, (x, y): (f32, f32), side: f32, colour: Rgb<u8>) {
    let (left, top) = ((x - side / 2.0).round() as i64, (y - side / 2.0).round() as i64);
    let side = side.max(1.0) as i64;
    for y in top..top + side {
        for x in left..left + side {
            put(copy, x, y, colour);
        }
    }
}

/// Writes a copy in the format that the file's ending names, and gives its path: a copy that is
/// too large for JPEG becomes a PNG under a name that is free. What was there before stays until all
/// is written.
pub fn save(copy: &RgbImage, path: &Path) -> io::Result<PathBuf> {
    let large = copy.width().max(copy.height()) > u32::from(u16::MAX);
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let moved = large && ending.as_deref() != Some("png");
    let (path, ending) = match moved {
        true => (with_png(path), Some("png".to_owned())),
        false => (path.to_owned(), ending),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = writable(&path)?.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut writer = io::BufWriter::new(&mut file);
    match ending.as_deref() {
        Some("jpg" | "jpeg") => {
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut writer, QUALITY);
            copy.write_with_encoder(encoder).map_err(io::Error::other)?;
        }
        Some("png") => {
            let encoder = image::codecs::png::PngEncoder::new(&mut writer);
            copy.write_with_encoder(encoder).map_err(io::Error::other)?;
        }
        _ => return Err(io::Error::other("name it .jpg or .png")),
    }
    writer.flush()?;
    drop(writer);
    match moved {
        // Nobody named this file, so it may be a picture of theirs.
        true => file.persist_noclobber(&path).map_err(|e| taken(&path, e.error))?,
        false => file.persist(&path)?,
    };
    Ok(path)
}

fn with_png(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".png");
    name.into()
}

fn taken(path: &Path, error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::other(format!(
            "it is too large for JPEG, and {} is there already; name a .png file",
            path.display()
        )),
        _ => error,
    }
}

/// Temporary files are their owner's alone; a copy is as readable as the one that it replaces, or as
/// new files are.
fn writable(path: &Path) -> io::Result<tempfile::Builder<'static, 'static>> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = match std::fs::metadata(path) {
            Ok(old) => old.permissions(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::Permissions::from_mode(0o666)
            }
            Err(error) => return Err(error),
        };
        builder.permissions(mode);
    }
    Ok(builder)
}

pub(super) fn put(copy: &mut RgbImage, x: i64, y: i64, colour: Rgb<u8>) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(pixel) = copy.get_pixel_mut_checked(x, y)
    {
        *pixel = colour;
    }
}

/// White text on a plate.
pub(super) fn draw_plate(
    text: &str,
    area: Area,
    letters: f32,
    Rgb([r, g, b]): Rgb<u8>,
) -> io::Result<RgbImage> {
    let (width, height) = (area.width.round().max(1.0), area.height.round().max(1.0));
    let (middle, base) = (width / 2.0, height / 2.0 + letters * 0.36);
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"rgb({r},{g},{b})\"/>\
         <text x=\"{middle}\" y=\"{base}\" font-size=\"{letters}\" text-anchor=\"middle\" \
         fill=\"#ffffff\">{text}</text></svg>"
    );
    let png = rasterise(&svg, (width as u32, height as u32)).map_err(io::Error::other)?;
    let drawn = image::load_from_memory(&png).map_err(io::Error::other)?;
    Ok(match drawn {
        DynamicImage::ImageRgb8(rgb) => rgb,
        other => other.to_rgb8(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(x: f32, y: f32, width: f32, height: f32, text: &str) -> Mark {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        Mark { corners, text: text.to_owned(), colour: colour(text) }
    }

    /// Boxes in boxes, at edges, of no size, and many of them: no plate hides another, or leaves the picture.
    #[test]
    fn plates_never_overlap() {
        let scenes: Vec<Vec<Mark>> = vec![
            vec![
                mark(0.0, 0.0, 400.0, 300.0, "person 88%"),
                mark(150.0, 90.0, 40.0, 90.0, "tie 51%"),
            ],
            (0..6).map(|n| mark(10.0 * n as f32, 5.0, 300.0, 280.0, "笔记本电脑 70%")).collect(),
            (0..100).map(|n| mark(3.9 * n as f32, 2.9 * n as f32, 30.0, 20.0, "cup 55%")).collect(),
            vec![
                mark(399.0, 299.0, 1.0, 1.0, "bird 40%"),
                mark(0.0, 299.0, 400.0, 0.0, "kite 41%"),
            ],
        ];
        for (scene, marks) in scenes.iter().enumerate() {
            let (letters, plates) = lay_out((400.0, 300.0), marks, 2.0);
            assert!(letters >= TEXT_MIN);
            assert!(scene == 2 || plates.len() == marks.len(), "{scene}: {}", plates.len());
            for (index, (_, area)) in plates.iter().enumerate() {
                assert!(area.x >= 0.0 && area.x + area.width <= 400.01, "{scene}: {area:?}");
                assert!(area.y >= 0.0 && area.y + area.height <= 300.01, "{scene}: {area:?}");
                for (_, other) in &plates[index + 1..] {
                    assert!(area.shared(other) < 0.01, "{scene}: {area:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn marks_show_on_the_copy() {
        let mut png = io::Cursor::new(Vec::new());
        let white = RgbImage::from_pixel(200, 100, WHITE);
        white.write_to(&mut png, image::ImageFormat::Png).expect("written");
        let picture = potluck_models::decode(png.get_ref()).expect("a picture");
        let marks = [mark(50.0, 40.0, 100.0, 50.0, "cat 90%")];
        let copy = draw(picture, &marks).expect("drawn");
        for (x, y) in [(50, 60), (150, 60), (100, 40), (100, 90)] {
            assert_eq!(copy.get_pixel(x, y), &marks[0].colour, "{x} {y}");
        }
        assert_eq!(copy.get_pixel(100, 65), &WHITE, "the inside stays");
    }

    #[test]
    fn what_jpeg_cannot_hold_becomes_a_png() {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = RgbImage::new(70_000, 1);
        let (asked, mine) = (folder.path().join("a.jpg"), folder.path().join("a.png"));
        std::fs::write(&mine, "a picture of mine").expect("written");
        let saved = save(&copy, &asked).expect("saved");
        assert_eq!(saved, folder.path().join("a.jpg.png"));
        assert_eq!(image::image_dimensions(&saved).expect("a picture"), (70_000, 1));
        assert_eq!(std::fs::read(&mine).expect("there"), b"a picture of mine");
        let error = save(&copy, &asked).expect_err("the name is taken");
        assert!(error.to_string().contains("name a .png file"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 2);
        let saved = save(&copy, &folder.path().join("b.png")).expect("saved");
        assert_eq!(saved, folder.path().join("b.png"));
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_is_as_private_as_the_one_that_it_replaces() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old.png"), folder.path().join("new.png"));
        std::fs::write(&old, "").expect("written");
        std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o600)).expect("ours");
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "").expect("written");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        for path in [&old, &new] {
            save(&RgbImage::new(2, 2), path).expect("saved");
        }
        assert_eq!((mode(&old), mode(&new)), (0o600, mode(&plain)));
    }
}
