//! The annotated copy of a picture: a box around every face, and a plate that says what is known.

mod layout;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use image::{DynamicImage, Rgb, RgbImage, imageops};
use potluck_analysis::{Lang, charts::rasterise, font};
use potluck_models::{Area, Picture};

use self::layout::{LabelledBox, lay_out};
use crate::services::face::{Face, FaceBox, Sex};

// White letters on them have a contrast of 4.5 and more (WCAG 2.2, 1.4.3).
const MALE: Rgb<u8> = Rgb([0x08, 0x68, 0xa8]);
const FEMALE: Rgb<u8> = Rgb([0xc2, 0x25, 0x72]);
const UNKNOWN: Rgb<u8> = Rgb([0x23, 0x78, 0x3a]);
const WHITE: Rgb<u8> = Rgb([0xff; 3]);
/// Of a copy as JPEG.
const QUALITY: u8 = 92;

/// Draws the faces of an upright picture onto a copy of it.
pub fn annotate(picture: Picture, faces: &[Face], lang: Lang) -> io::Result<RgbImage> {
    let size = (picture.width(), picture.height());
    let mut copy = RgbImage::from_raw(size.0, size.1, picture.into_pixels())
        .ok_or_else(|| io::Error::other("the picture has another size than it says"))?;
    let several = faces.len() > 1;
    let boxes: Vec<LabelledBox> = faces
        .iter()
        .enumerate()
        .map(|(index, face)| {
            let FaceBox { x, y, width, height } = face.frame;
            let text = label(several.then_some(index + 1), face, lang);
            LabelledBox { face: Area { x, y, width, height }, text }
        })
        .collect();
    // A line of text takes a little more room than its letters.
    let layout = lay_out(size, &boxes, |text, height| (font::width(text, height), height * 1.2));
    for (face, labelled) in faces.iter().zip(&boxes) {
        let line = layout.line.round().max(1.0) as i64;
        // Around the face, with white on both sides, so that it shows on any background; inside of
        // it where the picture ends.
        let outer = Frame::around(labelled.face, line + 1, size);
        outer.draw(&mut copy, 1, WHITE);
        outer.inner(1).draw(&mut copy, line, colour(face));
        outer.inner(1 + line).draw(&mut copy, 1, WHITE);
    }
    for plate in &layout.plates {
        if let Some(ends) = plate.leader {
            draw_leader(&mut copy, ends, layout.line.round() as i64, colour(&faces[plate.of]));
        }
    }
    for plate in &layout.plates {
        let drawn =
            draw_plate(&boxes[plate.of].text, plate.area, plate.text, colour(&faces[plate.of]))?;
        let (x, y) = (plate.area.x.round() as i64, plate.area.y.round() as i64);
        imageops::replace(&mut copy, &drawn, x, y);
    }
    Ok(copy)
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

/// What is known of a face, short: `2·F 33`, with a beauty score where there is one, and with its number where there
/// are several.
fn label(number: Option<usize>, face: &Face, lang: Lang) -> String {
    let mut parts = Vec::new();
    if let Some(gender) = &face.gender {
        parts.push(match (gender.value, lang) {
            (Sex::Male, Lang::En) => "M".to_owned(),
            (Sex::Female, Lang::En) => "F".to_owned(),
            (Sex::Male, Lang::Zh) => "男".to_owned(),
            (Sex::Female, Lang::Zh) => "女".to_owned(),
        });
    }
    if let Some(age) = &face.age {
        parts.push(match lang {
            Lang::En => age.text(),
            Lang::Zh => format!("{}岁", age.text()),
        });
    }
    if let Some(beauty) = &face.beauty {
        let score = (beauty.male_score + beauty.female_score) / 2.0;
        parts.push(format!("★{score:.0}"));
    }
    match (number, parts.is_empty()) {
        (Some(number), true) => number.to_string(),
        (Some(number), false) => format!("{number}·{}", parts.join(" ")),
        (None, _) => parts.join(" "),
    }
}

fn colour(face: &Face) -> Rgb<u8> {
    match face.gender.as_ref().map(|gender| gender.value) {
        Some(Sex::Male) => MALE,
        Some(Sex::Female) => FEMALE,
        None => UNKNOWN,
    }
}

/// The outermost pixels of a frame, all of them in the picture.
#[derive(Clone, Copy)]
struct Frame {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Frame {
    /// So many pixels outside of an area, where the picture has them.
    fn around(area: Area, outside: i64, picture: (u32, u32)) -> Self {
        let side = |start: f32, length: f32, all: u32| {
            let last = i64::from(all) - 1;
            let from = start.round() as i64 - outside;
            let to = (start + length).round() as i64 + outside - 1;
            (from.clamp(0, last), to.clamp(0, last))
        };
        let (left, right) = side(area.x, area.width, picture.0);
        let (top, bottom) = side(area.y, area.height, picture.1);
        Self { left, top, right, bottom }
    }

    fn inner(self, step: i64) -> Self {
        let Self { left, top, right, bottom } = self;
        Self { left: left + step, top: top + step, right: right - step, bottom: bottom - step }
    }

    /// So thick, inwards.
    fn draw(self, copy: &mut RgbImage, thick: i64, colour: Rgb<u8>) {
        for step in 0..thick {
            let Self { left, top, right, bottom } = self.inner(step);
            for x in left..=right {
                put(copy, x, top, colour);
                put(copy, x, bottom, colour);
            }
            for y in top..=bottom {
                put(copy, left, y, colour);
                put(copy, right, y, colour);
            }
        }
    }
}

/// A line between two points, with white on both sides.
fn draw_leader(
    copy: &mut RgbImage,
    [(x, y), (to_x, to_y)]: [(f32, f32); 2],
    thick: i64,
    colour: Rgb<u8>,
) {
    let steps = (to_x - x).abs().max((to_y - y).abs()).ceil().max(1.0) as i64;
    for (thick, colour) in [(thick + 2, WHITE), (thick.max(1), colour)] {
        for step in 0..=steps {
            let part = step as f32 / steps as f32;
            let (x, y) = ((x + (to_x - x) * part) as i64, (y + (to_y - y) * part) as i64);
            for dx in 0..thick {
                for dy in 0..thick {
                    put(copy, x + dx - thick / 2, y + dy - thick / 2, colour);
                }
            }
        }
    }
}

fn put(copy: &mut RgbImage, x: i64, y: i64, colour: Rgb<u8>) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(pixel) = copy.get_pixel_mut_checked(x, y)
    {
        *pixel = colour;
    }
}

/// White text on a plate of the face's colour.
fn draw_plate(
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

    fn face(x: f32, y: f32, width: f32, height: f32) -> Face {
        let frame = FaceBox { x, y, width, height };
        serde_json::from_value(serde_json::json!({ "box": frame })).expect("a face")
    }

    fn white(width: u32, height: u32) -> Picture {
        let mut png = io::Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(width, height, WHITE);
        picture.write_to(&mut png, image::ImageFormat::Png).expect("written");
        potluck_models::decode(png.get_ref()).expect("a picture")
    }

    /// A face that fills the picture, or lies at its edge, has a box that is seen.
    #[test]
    fn boxes_show_at_the_edge_too() {
        let cases = [face(0.0, 0.0, 400.0, 500.0), face(0.0, 100.0, 80.0, 90.0)];
        for face in cases {
            let copy = annotate(white(400, 500), std::slice::from_ref(&face), Lang::En);
            let copy = copy.expect("a copy");
            let at = face.frame;
            let middle = ((at.x + at.width / 2.0) as u32, (at.y + at.height / 2.0) as u32);
            let row = (0..copy.width()).filter(|x| copy.get_pixel(*x, middle.1) == &UNKNOWN);
            let column = (0..copy.height()).filter(|y| copy.get_pixel(middle.0, *y) == &UNKNOWN);
            assert!(row.count() >= 4 && column.count() >= 4, "{at:?}");
        }
    }

    /// Whatever a peer says of boxes, once it was checked, is drawn in no time.
    #[test]
    fn huge_boxes_are_drawn_within_the_picture() {
        let said = vec![face(-1e15, 0.0, 2e15, 1.0), face(-1e30, -1e30, f32::MAX, f32::MAX)];
        let faces = Face::checked(said, (400, 500));
        assert_eq!(faces.len(), 2);
        assert!(annotate(white(400, 500), &faces, Lang::Zh).is_ok());
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
