//! Where the labels of faces go: plates with text that cover no face and stay inside the picture. Only the layout; the
//! size of a text is handed in.

use potluck_models::Area;

/// A face's box and what to write beside it, like `F 33` or `女 33 岁`.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledBox {
    /// The face.
    pub face: Area,
    /// One line of text; empty for a box without a plate.
    pub text: String,
}

/// Where one label goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    /// The filled rectangle behind the text, which stands in its middle.
    pub area: Area,
    /// Which of the boxes it belongs to.
    pub of: usize,
    /// Height of the letters in pixels.
    pub text: f32,
    /// From the plate to its box, where it does not stand beside it.
    pub leader: Option<[(f32, f32); 2]>,
}

/// A whole picture's plates with the sizes to draw in.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelLayout {
    /// A plate for each box with a text that has room for it, in the order of the boxes.
    pub plates: Vec<Plate>,
    /// Width of the line around a face, in pixels.
    pub line: f32,
}

/// The most boxes that get a plate; the rest get none.
const MAX_PLATES: usize = 200;
/// Height of letters as a share of the picture's longer side, and its limits in pixels: readable when the whole
/// picture is shown on a screen.
const TEXT_SHARE: f32 = 1.0 / 50.0;
const TEXT_MIN: f32 = 11.0;
const TEXT_MAX: f32 = 200.0;
/// Letters grow with their face, to so many times what the picture alone asks for at most.
const TEXT_GROWS: f32 = 0.14;
const TEXT_TIMES: f32 = 3.0;
/// The smallest letters, where the whole picture is no larger.
const TEXT_TINY: f32 = 4.0;
/// Width of the line around a face: a thinner one is lost on a busy background.
const LINE_MIN: f32 = 2.0;
const LINE_MAX: f32 = 12.0;
/// A text larger than this share of its face's width crowds a group; then letters shrink, to `TEXT_MIN` at least.
const TEXT_OF_FACE: f32 = 0.4;
/// By how much letters shrink while there is no room for all plates.
const SHRINK: f32 = 0.75;
/// How far from its face a plate may go, in heights of a plate.
const REACH: usize = 4;

/// Finds a place for every plate: above its face, below, beside, then further off in the order of distance; the
/// first that covers no face, no other plate, and no edge of the picture. Letters shrink until every plate has such
/// a place. In a crowd where the smallest have none, a plate may stand on the edge of its own face, and what would
/// hide another face or plate, or the middle of its own, is left out. A single face keeps its plate. A plate that
/// stands away from its face has a line to it.
///
/// `measure` gives width and height of a text in letters of the given height.
pub fn lay_out(
    (width, height): (u32, u32),
    boxes: &[LabelledBox],
    measure: impl Fn(&str, f32) -> (f32, f32),
) -> LabelLayout {
    let (width, height) = (width as f32, height as f32);
    let line = (width.max(height) / 400.0).clamp(LINE_MIN, LINE_MAX);
    let wanted = letters(width.max(height), boxes);
    let plate = |label: &LabelledBox, text: f32| {
        let (across, down) = measure(&label.text, text);
        let around = 2.0 * (text * 0.25).max(1.0);
        ((across + around).max(1.0), (down + around).max(1.0))
    };
    // As large as they should be, at most as the picture has room for.
    let sized = |of: usize, label: &LabelledBox, part: f32| {
        let mut text = (wanted[of] * part).max(TEXT_MIN);
        loop {
            let (across, down) = plate(label, text);
            if text <= TEXT_TINY || across <= width && down <= height {
                // Only a picture of a few pixels gets here with a plate that is larger than itself.
                return (text, (across.min(width), down.min(height)));
            }
            text = (text * 0.85).max(TEXT_TINY);
        }
    };
    let mut part = 1.0;
    let plates = loop {
        let mut plates: Vec<Plate> = Vec::new();
        let (mut crowded, mut smallest) = (false, true);
        let with_text = |(_, label): &(usize, &LabelledBox)| !label.text.is_empty();
        for (of, label) in boxes.iter().enumerate().filter(with_text).take(MAX_PLATES) {
            let (text, size) = sized(of, label, part);
            let (area, covers) = place(label.face, size, (width, height), line, boxes, &plates);
            crowded |= covers;
            smallest &= text <= TEXT_MIN;
            if text > TEXT_MIN || !covers || boxes.len() == 1 || bearable(&area, of, boxes, &plates)
            {
                let leader = leader(&area, &label.face, 2.0 * line);
                plates.push(Plate { area, of, text, leader });
            }
        }
        if !crowded || smallest {
            break plates;
        }
        part *= SHRINK;
    };
    LabelLayout { plates, line }
}

/// The shortest line from a plate to its face, where they are further apart than `gap`.
fn leader(plate: &Area, face: &Area, gap: f32) -> Option<[(f32, f32); 2]> {
    let ends = |plate: (f32, f32), face: (f32, f32)| {
        // Where one is beside the other, in the middle of what they share; otherwise from corner to corner.
        let (from, to) = (plate.0.max(face.0), (plate.0 + plate.1).min(face.0 + face.1));
        match (from <= to, plate.0 < face.0) {
            (true, _) => ((from + to) / 2.0, (from + to) / 2.0),
            (false, true) => (plate.0 + plate.1, face.0),
            (false, false) => (plate.0, face.0 + face.1),
        }
    };
    let (x, on_face_x) = ends((plate.x, plate.width), (face.x, face.width));
    let (y, on_face_y) = ends((plate.y, plate.height), (face.y, face.height));
    let away = (on_face_x - x).hypot(on_face_y - y);
    (away > gap).then_some([(x, y), (on_face_x, on_face_y)])
}

/// Whether a plate hides nothing but the edge of its own face.
fn bearable(area: &Area, of: usize, boxes: &[LabelledBox], plates: &[Plate]) -> bool {
    let mut others = boxes.iter().enumerate().filter(|(index, _)| *index != of);
    area.shared(&middle(&boxes[of].face)) <= 0.0
        && others.all(|(_, label)| area.shared(&label.face) <= 0.0)
        && plates.iter().all(|plate| area.shared(&plate.area) <= 0.0)
}

/// Height of the letters of each box: by the picture, smaller in a crowd, larger at a large face.
fn letters(longest: f32, boxes: &[LabelledBox]) -> Vec<f32> {
    let usual = (longest * TEXT_SHARE).clamp(TEXT_MIN, TEXT_MAX);
    let mut widths: Vec<f32> = boxes.iter().map(|label| label.face.width).collect();
    widths.sort_by(f32::total_cmp);
    let least = match widths.get(widths.len() / 2) {
        Some(middle) if widths.len() > 1 => usual.min(middle * TEXT_OF_FACE).max(TEXT_MIN),
        _ => usual,
    };
    let most = (usual * TEXT_TIMES).min(TEXT_MAX).max(least);
    boxes.iter().map(|label| (label.face.width * TEXT_GROWS).clamp(least, most)).collect()
}

/// The best place for one plate, and whether it covers something there.
fn place(
    face: Area,
    (across, down): (f32, f32),
    picture: (f32, f32),
    gap: f32,
    boxes: &[LabelledBox],
    plates: &[Plate],
) -> (Area, bool) {
    let mut best: Option<(f32, Area)> = None;
    for (x, y) in places(face, (across, down), gap) {
        let area = Area {
            x: x.clamp(0.0, (picture.0 - across).max(0.0)),
            y: y.clamp(0.0, (picture.1 - down).max(0.0)),
            width: across,
            height: down,
        };
        let covered = covered(&area, boxes, plates);
        if covered <= 0.0 {
            return (area, false);
        }
        if best.as_ref().is_none_or(|(least, _)| covered < *least) {
            best = Some((covered, area));
        }
    }
    let corner = Area { x: 0.0, y: 0.0, width: across, height: down };
    (best.map_or(corner, |(_, area)| area), true)
}

/// Upper left corners to try, the nearest first.
fn places(face: Area, (across, down): (f32, f32), gap: f32) -> Vec<(f32, f32)> {
    let left = face.x;
    let middle = face.x + (face.width - across) / 2.0;
    let right = face.x + face.width - across;
    let before = face.x - across - gap;
    let after = face.x + face.width + gap;
    let (above, below) = (face.y - down - gap, face.y + face.height + gap);
    let mut places = Vec::new();
    for away in 0..=REACH {
        let away = away as f32 * (down + gap);
        for x in [left, middle, right, before, after] {
            places.extend([(x, above - away), (x, below + away)]);
        }
        let steps = (face.height / (down + gap)).clamp(1.0, 8.0) as usize;
        for step in 0..=steps {
            let y = face.y + (face.height - down).max(0.0) * step as f32 / steps as f32;
            places.extend([(after + away, y), (before - away, y)]);
        }
    }
    places
}

/// What a plate there would hide: 0 when nothing. Other plates and the middle of a face, where eyes and mouth
/// are, count most.
fn covered(area: &Area, boxes: &[LabelledBox], plates: &[Plate]) -> f32 {
    let faces: f32 = boxes
        .iter()
        .map(|label| area.shared(&label.face) + 20.0 * area.shared(&middle(&label.face)))
        .sum();
    let plates: f32 = plates.iter().map(|plate| 10.0 * area.shared(&plate.area)).sum();
    faces + plates
}

/// The inner part of a face, where eyes, nose and mouth are.
fn middle(face: &Area) -> Area {
    Area {
        x: face.x + face.width * 0.15,
        y: face.y + face.height * 0.2,
        width: face.width * 0.7,
        height: face.height * 0.7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter half as wide as high, Chinese ones as wide as high, like most fonts.
    fn measure(text: &str, height: f32) -> (f32, f32) {
        let wide: f32 = text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum();
        (wide * height, height * 1.2)
    }

    fn label(x: f32, y: f32, width: f32, height: f32, text: &str) -> LabelledBox {
        LabelledBox { face: Area { x, y, width, height }, text: text.into() }
    }

    fn inside(area: &Area, width: u32, height: u32) -> bool {
        area.x >= 0.0
            && area.y >= 0.0
            && area.x + area.width <= width as f32 + 0.01
            && area.y + area.height <= height as f32 + 0.01
    }

    /// A generator that gives the same numbers everywhere: xorshift64*.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: f32) -> f32 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
            high as f32 / (1u64 << 24) as f32 * limit
        }
    }

    /// Faces on a grid with room around each, somewhere in their cell: then no plate may touch anything.
    #[test]
    fn with_room_nothing_is_covered() {
        for seed in 1..=300u64 {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (columns, rows) = (1 + random.below(5.0) as u32, 1 + random.below(4.0) as u32);
            let cell = 180.0 + random.below(500.0);
            let (width, height) = (cell as u32 * columns, cell as u32 * rows);
            let mut boxes = Vec::new();
            for index in 0..columns * rows {
                let face = cell * (0.25 + random.below(0.2));
                let free = cell * 0.95 - face * 1.3;
                let x = (index % columns) as f32 * cell.floor() + random.below(free);
                let y = (index / columns) as f32 * cell.floor() + random.below(free);
                let text = ["F 33", "男 41 岁", "M 7, 88.5"][(seed % 3) as usize];
                boxes.push(label(x, y, face, face * 1.3, text));
            }
            let layout = lay_out((width, height), &boxes, measure);
            assert_eq!(layout.plates.len(), boxes.len(), "seed {seed}");
            for (index, plate) in layout.plates.iter().enumerate() {
                assert!(inside(&plate.area, width, height), "seed {seed}: {plate:?}");
                for face in &boxes {
                    assert!(
                        plate.area.shared(&face.face) < 0.01,
                        "seed {seed}: {plate:?} {face:?}"
                    );
                }
                for other in &layout.plates[index + 1..] {
                    assert!(
                        plate.area.shared(&other.area) < 0.01,
                        "seed {seed}: {plate:?} {other:?}"
                    );
                }
            }
        }
    }

    /// Anything at all: many faces, huge ones, ones outside, tiny pictures.
    #[test]
    fn plates_stay_inside_whatever_comes() {
        for seed in 1..=200u64 {
            let mut random = Random(seed.wrapping_mul(0xd134_2543_de82_ef95));
            let longest = [1.0, 40.0, 300.0, 2000.0, 12_000.0][(seed % 5) as usize];
            let width = 1 + random.below(longest) as u32;
            let height = 1 + random.below(longest) as u32;
            let boxes: Vec<LabelledBox> = (0..random.below(60.0) as u32)
                .map(|_| {
                    let side = random.below(longest);
                    label(
                        random.below(longest) - 20.0,
                        random.below(longest),
                        side,
                        side * 1.2,
                        "女 33",
                    )
                })
                .collect();
            let layout = lay_out((width, height), &boxes, measure);
            for plate in &layout.plates {
                assert!(
                    inside(&plate.area, width, height),
                    "seed {seed}: {plate:?} {width} x {height}"
                );
                assert!(plate.area.width > 0.0 && plate.area.height > 0.0);
            }
        }
    }

    /// Rows of faces of a size in a picture, each somewhere in its cell.
    fn rows(
        (width, height): (u32, u32),
        face: f32,
        (across, down): (f32, f32),
    ) -> Vec<LabelledBox> {
        let mut random = Random(1);
        let (width, height) = (width as f32, height as f32);
        let (columns, rows) = (((width - 20.0) / across) as u32, (height * 0.7 / down) as u32);
        let place = |index: u32| ((index % columns) as f32, (index / columns) as f32);
        (0..columns * rows)
            .take(MAX_PLATES)
            .map(|index| {
                let (column, row) = place(index);
                let x = 10.0 + column * across + random.below(across - face);
                let y = height * 0.15 + row * down + random.below((down - face * 1.3).max(0.0));
                label(x, y, face, face * 1.3, "F 33")
            })
            .collect()
    }

    #[test]
    fn groups_get_smaller_letters_and_no_face_is_covered() {
        // Two group photographs, and a crowd that is too tight for any letters.
        let scenes = [
            ((4000, 3000), 200.0, (300.0, 340.0), 1.0),
            ((2000, 1200), 60.0, (90.0, 110.0), 1.0),
            ((1280, 960), 40.0, (52.0, 60.0), 0.3),
        ];
        for (size, face, cell, share) in scenes {
            let boxes = rows(size, face, cell);
            assert!((50..=MAX_PLATES).contains(&boxes.len()), "{size:?}: {}", boxes.len());
            let layout = lay_out(size, &boxes, measure);
            let least = boxes.len() as f32 * share;
            let count = layout.plates.len();
            assert!(count as f32 >= least, "{size:?}: {count} of {} plates", boxes.len());
            for (index, plate) in layout.plates.iter().enumerate() {
                for (of, other) in boxes.iter().enumerate() {
                    let face = if of == plate.of { middle(&other.face) } else { other.face };
                    assert!(plate.area.shared(&face) < 0.01, "{size:?}: {plate:?} {other:?}");
                }
                for other in &layout.plates[index + 1..] {
                    assert!(plate.area.shared(&other.area) < 0.01, "{size:?}: {plate:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_face_that_fills_the_picture_keeps_its_eyes() {
        let boxes = [label(0.0, 0.0, 400.0, 500.0, "F 33")];
        let plate = &lay_out((400, 500), &boxes, measure).plates[0];
        assert!(inside(&plate.area, 400, 500));
        assert_eq!(plate.area.shared(&middle(&boxes[0].face)), 0.0, "{plate:?}");
    }

    #[test]
    fn a_face_at_the_top_is_labelled_elsewhere() {
        let boxes = [label(100.0, 2.0, 100.0, 130.0, "F 33"), label(300.0, 2.0, 100.0, 130.0, "")];
        let layout = lay_out((640, 480), &boxes, measure);
        assert_eq!(layout.plates.len(), 1, "an empty text needs no plate");
        assert!(layout.plates[0].area.y >= 132.0, "{:?}", layout.plates[0]);
    }

    #[test]
    fn letters_follow_picture_face_and_crowd() {
        let text = |size, boxes: &[LabelledBox]| lay_out(size, boxes, measure).plates[0].text;
        let one = |width| [label(100.0, 100.0, width, width * 1.3, "F 33")];
        assert_eq!(text((1000, 800), &one(50.0)), 20.0);
        assert_eq!(text((1000, 800), &one(300.0)), 42.0);
        assert_eq!(text((1000, 1500), &one(800.0)), 90.0, "three times what the picture asks for");
        assert_eq!(text((6000, 4000), &one(200.0)), 120.0);
        let crowd: Vec<_> =
            (0..50).map(|i| label(i as f32 * 40.0, 90.0, 30.0, 40.0, "F 33")).collect();
        assert_eq!(text((2000, 1000), &crowd), 12.0);
        assert!(text((20, 20), &one(200.0)) < 11.0, "a tiny picture gets tiny letters");
        assert!(lay_out((100, 100), &[], measure).plates.is_empty());
    }

    #[test]
    fn a_plate_that_is_away_has_a_line_to_its_face() {
        let face = Area { x: 100.0, y: 100.0, width: 50.0, height: 60.0 };
        let plate = |x, y| Area { x, y, width: 40.0, height: 20.0 };
        assert_eq!(leader(&plate(100.0, 78.0), &face, 4.0), None, "just above");
        assert_eq!(
            leader(&plate(110.0, 40.0), &face, 4.0),
            Some([(130.0, 60.0), (130.0, 100.0)]),
            "far above"
        );
        assert_eq!(
            leader(&plate(200.0, 200.0), &face, 4.0),
            Some([(200.0, 200.0), (150.0, 160.0)]),
            "below and to the right"
        );
        assert_eq!(leader(&plate(110.0, 110.0), &face, 4.0), None, "on it");
        // Faces in a row with none between them: some labels have to stand further off.
        let row: Vec<_> = (0..12)
            .map(|i| label(100.0 + i as f32 * 42.0, 300.0, 40.0, 50.0, "12·F 33-41"))
            .collect();
        let layout = lay_out((800, 600), &row, measure);
        for plate in &layout.plates {
            let face = &row[plate.of].face;
            let apart = plate.area.y + plate.area.height < face.y - 10.0
                || plate.area.y > face.y + face.height + 10.0;
            assert!(!apart || plate.leader.is_some(), "{plate:?} {face:?}");
        }
        assert!(layout.plates.iter().any(|plate| plate.leader.is_some()), "{layout:?}");
    }
}
