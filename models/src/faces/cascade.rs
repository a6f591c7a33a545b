//! The bundled detector. MediaPipe's full-range BlazeFace proposes, on the whole picture and on squares of it, smaller
//! ones where it sees small faces. Two networks must agree that it is a face: MTCNN's O-Net (Zhang et al. 2016,
//! arXiv:1604.02878), which gives box and landmarks, and BlazeFace again, on a closer look at the surroundings. Either
//! alone takes a wheel or a cat for a face at times; both seldom do.

use fast_image_resize::FilterType;

use super::pixels::{self, Scale};
use super::region::{Candidate, Region, suppress};
use super::{MAX_FACES, Point, bundled, run_all, squares, tiles};
use crate::catalogue::ModelError;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::session::{Fault, Session};

/// The longer side to which large pictures are brought, in pixels.
const LONGEST: u32 = 1280;
/// Up to this longer side BlazeFace looks at the whole picture only, and up to the next one at squares of half of it.
const WHOLE: u32 = 400;
const HALVES: u32 = 800;
/// A face below this share of the longer side calls for a look at squares of a quarter of it: there are others like
/// it that are too small for the larger squares.
const SMALL: f32 = 0.075;
/// BlazeFace proposes from here on. Low, since two others have to agree.
const PROPOSE: f32 = 0.3;
/// O-Net must be this sure for the closer look.
const O_NET: f32 = 0.5;
/// The confidence of a face: the geometric mean of O-Net's and BlazeFace's. On 73 pictures with 669 faces and
/// 45 without any, faces are above 0.6 with few exceptions, and nothing that is none reaches 0.5.
const CONFIDENT: f32 = 0.55;
/// Most boxes that are judged by O-Net: of each face that is told at most, four.
const MAX_JUDGED: usize = 4 * MAX_FACES;

const O_SIDE: u32 = 48;
const BLAZE_SIDE: u32 = 192;
/// Cells of BlazeFace's grid on a side, and numbers for each.
const GRID: usize = 48;
const CELL: usize = 17;

const MTCNN: Scale = Scale { mean: [127.5; 3], divisor: 128.0, blue_first: false };
const BLAZE: Scale = Scale { mean: [127.5; 3], divisor: 127.5, blue_first: false };

/// The two networks.
pub(crate) struct Cascade {
    o_net: Session,
    blaze: Session,
}

impl Cascade {
    pub(crate) fn load(engine: &Engine) -> Result<Cascade, ModelError> {
        let o_net = include_bytes!("../../weights/mtcnn-onet.onnx");
        let blaze = include_bytes!("../../weights/blazeface-full.onnx");
        Ok(Cascade {
            o_net: bundled(engine, "mtcnn-onet", o_net, O_SIDE as usize)?,
            blaze: bundled(engine, "blazeface-full", blaze, BLAZE_SIDE as usize)?,
        })
    }

    /// The faces, the surest first, in pixels of `picture`.
    pub(crate) fn find(&self, picture: &Picture) -> Result<Vec<Candidate>, Fault> {
        let small = pixels::shrunk(picture, LONGEST).map_err(Fault::Run)?;
        let (picture, factor) = match &small {
            Some((small, factor)) => (small, *factor),
            None => (picture, 1.0),
        };
        // Around what BlazeFace proposes O-Net looks four times, since its boxes are cut differently.
        let mut boxes = Vec::new();
        for proposal in self.blaze(picture)? {
            let side = proposal.region.width();
            for (grown, up) in [(1.0, 0.0), (1.15, 0.0), (1.15, 0.1), (1.0, 0.1)] {
                let (x, y) = proposal.region.centre();
                let centre = (x, y - up * proposal.region.height());
                boxes.push(Region::around(centre, side * grown, side * grown));
            }
        }
        boxes.truncate(MAX_JUDGED);
        let judged = self.judge(picture, &boxes)?;
        let mut faces = self.confirm(picture, judged)?;
        faces.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(faces.iter().map(|face| face.mapped(1.0 / factor, (0.0, 0.0))).collect())
    }

    /// What BlazeFace proposes, on the whole picture and on parts of it.
    fn blaze(&self, picture: &Picture) -> Result<Vec<Candidate>, Fault> {
        let longest = picture.width().max(picture.height());
        let mut found = self.blaze_on(picture, &tiles(picture, WHOLE))?;
        let small = |each: &Candidate| each.region.width() < longest as f32 * SMALL;
        if longest > HALVES && found.iter().any(small) {
            found.extend(self.blaze_on(picture, &squares(picture, longest / 4))?);
        }
        Ok(suppress(found, |each| each, Region::overlap, 0.3, MAX_FACES))
    }

    fn blaze_on(&self, picture: &Picture, parts: &[Region]) -> Result<Vec<Candidate>, Fault> {
        let mut found = Vec::new();
        let input =
            |index: usize| crop(picture, &parts[index], BLAZE_SIDE, FilterType::Bilinear, &BLAZE);
        run_all(&self.blaze, parts.len(), input, |index, row| {
            found.extend(cells(row, &parts[index]).filter(|each| each.score > PROPOSE));
        })?;
        Ok(found)
    }

    /// O-Net on every box: those that it takes for a face, with box and landmarks, doubles removed.
    fn judge(&self, picture: &Picture, boxes: &[Region]) -> Result<Vec<Candidate>, Fault> {
        let mut found = Vec::new();
        let input = |index: usize| crop(picture, &boxes[index], O_SIDE, FilterType::Box, &MTCNN);
        run_all(&self.o_net, boxes.len(), input, |index, row| {
            let &[score, a, b, c, d, ref points @ ..] = row else {
                return;
            };
            let (square, region) = (&boxes[index], boxes[index].moved([a, b, c, d]));
            if score >= O_NET && region.is_sound() && points.len() == 10 {
                let point = |i: usize| Point {
                    x: square.left + points[i] * square.width(),
                    y: square.top + points[i + 5] * square.height(),
                };
                let points = std::array::from_fn(point);
                found.push(Candidate { region, score, points });
            }
        })?;
        let found = suppress(found, |each| each, Region::overlap, 0.4, usize::MAX);
        Ok(suppress(found, |each| each, Region::inside, 0.7, MAX_FACES))
    }

    /// BlazeFace on the surroundings of every face: those of which both are sure enough.
    fn confirm(
        &self,
        picture: &Picture,
        mut faces: Vec<Candidate>,
    ) -> Result<Vec<Candidate>, Fault> {
        let around: Vec<Region> = faces.iter().map(|face| face.region.square(3.0)).collect();
        let input =
            |index: usize| crop(picture, &around[index], BLAZE_SIDE, FilterType::Bilinear, &BLAZE);
        run_all(&self.blaze, around.len(), input, |index, row| {
            let same = |cell: &Candidate| cell.region.overlap(&faces[index].region) >= 0.3;
            let seen = cells(row, &around[index]).filter(same).map(|cell| cell.score);
            faces[index].score = (faces[index].score * seen.fold(0.0, f32::max)).sqrt();
        })?;
        faces.retain(|face| face.score >= CONFIDENT);
        Ok(faces)
    }
}

fn crop(
    picture: &Picture,
    region: &Region,
    side: u32,
    filter: FilterType,
    scale: &Scale,
) -> Result<Vec<f32>, String> {
    Ok(pixels::planes(&pixels::square(picture, region, side, filter)?, scale))
}

/// BlazeFace's answer for the square `part`, in the picture's pixels: one box for each cell that has one.
fn cells(row: &[f32], part: &Region) -> impl Iterator<Item = Candidate> {
    let scale = part.width() / BLAZE_SIDE as f32;
    let step = BLAZE_SIDE as f32 / GRID as f32;
    let part = *part;
    row.chunks_exact(CELL).enumerate().filter_map(move |(index, numbers)| {
        let score = 1.0 / (1.0 + (-numbers[0]).exp());
        // Nearly all cells end here; the rest of the numbers means nothing for them.
        if score.is_nan() || score < 0.05 {
            return None;
        }
        let x = ((index % GRID) as f32 + 0.5) * step + numbers[1];
        let y = ((index / GRID) as f32 + 0.5) * step + numbers[2];
        let region = Region::around((x, y), numbers[3], numbers[4]);
        let candidate = Candidate { region, score, points: Default::default() };
        Some(candidate.mapped(scale, (part.left, part.top))).filter(|each| each.region.is_sound())
    })
}
