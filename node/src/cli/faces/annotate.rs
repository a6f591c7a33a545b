//! The annotated copy of a picture: a box around every face, and a plate that says what is known.

use std::{io, path::Path};

use image::{DynamicImage, Rgb, RgbImage, imageops};
use potluck_analysis::{Lang, charts::rasterise, font};
use potluck_models::{Area, LabelledBox, Picture, lay_out};

use crate::services::face::{Face, Sex};

const MALE: Rgb<u8> = Rgb([0x0a, 0x84, 0xd6]);
const FEMALE: Rgb<u8> = Rgb([0xd6, 0x33, 0x84]);
const UNKNOWN: Rgb<u8> = Rgb([0x2f, 0x9e, 0x44]);
const WHITE: Rgb<u8> = Rgb([0xff; 3]);
/// Of a copy as JPEG.
const QUALITY: u8 = 92;

/// Draws the faces of an upright picture onto a copy of it.
pub(super) fn annotate(picture: &Picture, faces: &[Face], lang: Lang) -> io::Result<RgbImage> {
    let size = (picture.width(), picture.height());
    let mut copy = RgbImage::from_raw(size.0, size.1, picture.pixels().to_vec())
        .ok_or_else(|| io::Error::other("the picture has another size than it says"))?;
    let boxes: Vec<LabelledBox> = faces
        .iter()
        .map(|face| {
            let at = &face.frame;
            let face_at = Area { x: at.x, y: at.y, width: at.width, height: at.height };
            LabelledBox { face: face_at, text: label(face, lang) }
        })
        .collect();
    // A line of text takes a little more room than its letters.
    let layout = lay_out(size, &boxes, |text, height| (font::width(text, height), height * 1.2));
    for (face, labelled) in faces.iter().zip(&boxes) {
        let line = layout.line.round().max(1.0) as i64;
        // Around the face, with white on both sides, so that it shows on any background.
        frame(&mut copy, labelled.face, line + 1, 1, WHITE);
        frame(&mut copy, labelled.face, line, line, colour(face));
        frame(&mut copy, labelled.face, 0, 1, WHITE);
    }
    for plate in &layout.plates {
        let drawn =
            draw_plate(&boxes[plate.of].text, plate.area, layout.text, colour(&faces[plate.of]))?;
        let (x, y) = (plate.area.x.round() as i64, plate.area.y.round() as i64);
        imageops::replace(&mut copy, &drawn, x, y);
    }
    Ok(copy)
}

/// Writes a copy in the format that the file's ending names.
pub(super) fn save(copy: &RgbImage, path: &Path) -> io::Result<()> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    let mut bytes = io::Cursor::new(Vec::new());
    let written = match ending.as_deref() {
        Some("jpg" | "jpeg") => {
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY);
            copy.write_with_encoder(encoder)
        }
        Some("png") => copy.write_to(&mut bytes, image::ImageFormat::Png),
        _ => return Err(io::Error::other("name it .jpg or .png")),
    };
    written.map_err(io::Error::other)?;
    std::fs::write(path, bytes.into_inner())
}

/// What is known of a face, short: `F 33`, with a beauty score where there is one.
fn label(face: &Face, lang: Lang) -> String {
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
            Lang::En => format!("{:.0}", age.years),
            Lang::Zh => format!("{:.0}岁", age.years),
        });
    }
    if let Some(beauty) = &face.beauty {
        let score = (beauty.male_score + beauty.female_score) / 2.0;
        parts.push(format!("★{score:.0}"));
    }
    parts.join(" ")
}

fn colour(face: &Face) -> Rgb<u8> {
    match face.gender.as_ref().map(|gender| gender.value) {
        Some(Sex::Male) => MALE,
        Some(Sex::Female) => FEMALE,
        None => UNKNOWN,
    }
}

/// A frame of so many pixels around an area, that many pixels outside of it.
fn frame(copy: &mut RgbImage, area: Area, outside: i64, thick: i64, colour: Rgb<u8>) {
    let (left, top) = (area.x.round() as i64 - outside, area.y.round() as i64 - outside);
    let right = (area.x + area.width).round() as i64 + outside - 1;
    let bottom = (area.y + area.height).round() as i64 + outside - 1;
    for step in 0..thick {
        let (left, top, right, bottom) = (left + step, top + step, right - step, bottom - step);
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
