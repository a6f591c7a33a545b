//! YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y), as OpenCV's model zoo has it: an added detector, whose
//! weights are not part of this project. Input BGR 0 to 255; twelve outputs, for each of three strides class,
//! objectness, box and five landmarks of every cell.

use fast_image_resize::FilterType;

use super::candidate::Candidate;
use super::{MAX_FACES, Point, tiles};
use crate::bundled::run_all;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::pixels::{self, Scale};
use crate::region::{Region, suppress};
use crate::session::{Fault, Session, Wanted};

/// The outputs in the order in which they are read.
pub(crate) const OUTPUTS: [&str; 12] = [
    "cls_8", "obj_8", "bbox_8", "kps_8", "cls_16", "obj_16", "bbox_16", "kps_16", "cls_32",
    "obj_32", "bbox_32", "kps_32",
];
/// Numbers a cell in `cls`, `obj`, `bbox` and `kps`.
const NUMBERS: usize = 1 + 1 + 4 + 10;
const STRIDES: [usize; 3] = [8, 16, 32];
/// A face, where the square root of class times objectness is higher. With 0.7 a cat is one.
const CONFIDENT: f32 = 0.8;
/// Boxes that overlap by more are the same face.
const SAME: f32 = 0.3;
const BGR: Scale = Scale { mean: [0.0; 3], divisor: [1.0; 3], blue_first: true };

/// The network with a square input.
pub(crate) struct Yunet {
    session: Session,
    side: u32,
}

impl Yunet {
    /// `side` is the input's, a multiple of 32.
    pub(crate) fn load(engine: &Engine, onnx: &[u8], side: u32) -> Result<Yunet, Fault> {
        if side == 0 || !side.is_multiple_of(32) {
            let reason = format!("input.size is {side}, YuNet takes multiples of 32");
            return Err(Fault::Shape(reason));
        }
        let item = [3, side as usize, side as usize];
        let wanted = Wanted { input: None, outputs: &OUTPUTS, item };
        let session = Session::load(engine, onnx, &wanted)?;
        let cells: usize = STRIDES.iter().map(|stride| (side as usize / stride).pow(2)).sum();
        if session.outputs != cells * NUMBERS {
            let reason =
                format!("{} numbers for a picture, not {}", session.outputs, cells * NUMBERS);
            return Err(Fault::Shape(reason));
        }
        Ok(Yunet { session, side })
    }

    /// The faces, the surest first, in pixels of `picture`: in the whole picture and, where that is much larger
    /// than the input, in parts of it.
    pub(crate) fn find(&self, picture: &Picture) -> Result<Vec<Candidate>, Fault> {
        let tiles = tiles(picture, self.side * 3 / 2);
        let mut found = Vec::new();
        let input = |index: usize| {
            let bytes = pixels::square(picture, &tiles[index], self.side, FilterType::Bilinear)?;
            Ok(pixels::planes(&bytes, &BGR))
        };
        run_all(&self.session, tiles.len(), input, |index, row| {
            let part = &tiles[index];
            let scale = part.width() / self.side as f32;
            let faces = cells(row, self.side as usize);
            found.extend(faces.map(|face| face.mapped(scale, (part.left, part.top))));
        })?;
        found.retain(|face| face.region.is_sound());
        let found = suppress(found, Candidate::ranked, Region::overlap, SAME, usize::MAX);
        Ok(suppress(found, Candidate::ranked, Region::inside, 0.7, MAX_FACES))
    }
}

/// The confident cells of one answer, in pixels of the input.
fn cells(row: &[f32], side: usize) -> impl Iterator<Item = Candidate> {
    let mut start = 0;
    STRIDES.into_iter().flat_map(move |stride| {
        let columns = side / stride;
        let count = columns * columns;
        let from = start;
        start += count * NUMBERS;
        (0..count)
            .filter_map(move |cell| cell_at(&row[from..], count, cell, columns, stride as f32))
    })
}

fn cell_at(
    numbers: &[f32],
    count: usize,
    cell: usize,
    columns: usize,
    stride: f32,
) -> Option<Candidate> {
    let score = (numbers[cell].clamp(0.0, 1.0) * numbers[count + cell].clamp(0.0, 1.0)).sqrt();
    if score.is_nan() || score <= CONFIDENT {
        return None;
    }
    let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
    let place = &numbers[2 * count + 4 * cell..][..4];
    let centre = ((column + place[0]) * stride, (row + place[1]) * stride);
    let region = Region::around(centre, place[2].exp() * stride, place[3].exp() * stride);
    let marks = &numbers[6 * count + 10 * cell..][..10];
    // Its "right" is the person's: the picture's left. The order is ours already.
    let points = std::array::from_fn(|i| Point {
        x: (column + marks[2 * i]) * stride,
        y: (row + marks[2 * i + 1]) * stride,
    });
    Some(Candidate { region, score, points })
}
