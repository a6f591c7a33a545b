//! The annotated copy of a picture: a box around every face, and a plate that says what is known.

use std::io;

use image::{Rgb, RgbImage, imageops};
use potluck_analysis::{Lang, font};
use potluck_models::{Area, LabelledBox, Picture, lay_out};

pub use crate::services::marks::save;
use crate::services::{
    face::{Face, Sex},
    marks::{WHITE, draw_plate, put},
};

// White letters on them have a contrast of 4.5 and more (WCAG 2.2, 1.4.3).
const MALE: Rgb<u8> = Rgb([0x08, 0x68, 0xa8]);
const FEMALE: Rgb<u8> = Rgb([0xc2, 0x25, 0x72]);
const UNKNOWN: Rgb<u8> = Rgb([0x23, 0x78, 0x3a]);

/// Draws the faces of an upright picture onto a copy of it.
pub fn annotate(picture: Picture, faces: &[Face], lang: Lang) -> io::Result<RgbImage> {
    let size = (picture.width(), picture.height());
    let mut copy = RgbImage::from_raw(size.0, size.1, picture.into_pixels())
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
        // Around the face, with white on both sides, so that it shows on any background; inside of
        // it where the picture ends.
        let outer = Frame::around(labelled.face, line + 1, size);
        outer.draw(&mut copy, 1, WHITE);
        outer.inner(1).draw(&mut copy, line, colour(face));
        outer.inner(1 + line).draw(&mut copy, 1, WHITE);
    }
    for plate in &layout.plates {
        let drawn =
            draw_plate(&boxes[plate.of].text, plate.area, layout.text, colour(&faces[plate.of]))?;
        let (x, y) = (plate.area.x.round() as i64, plate.area.y.round() as i64);
        imageops::replace(&mut copy, &drawn, x, y);
    }
    Ok(copy)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::face::FaceBox;

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
}
