//! The bundled detector. Two networks propose: MTCNN's P-Net and R-Net (Zhang et al. 2016, arXiv:1604.02878),
//! sharp-eyed for small faces, and MediaPipe's full-range BlazeFace, which also knows faces that are turned or
//! bowed. Two must agree that it is one: MTCNN's O-Net, which gives box and landmarks, and BlazeFace again, on a
//! closer look at the surroundings. Either alone takes a wheel or a cat for a face at times; both seldom do.

use fast_image_resize::FilterType;

use super::candidate::Candidate;
use super::pyramid::{Pyramid, Window};
use super::{MAX_FACES, Point, tiles};
use crate::bundled::{bundled, run_all};
use crate::catalogue::ModelError;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::pixels::{self, Scale};
use crate::region::{Region, suppress};
use crate::session::{Fault, Session};

/// The longer side to which large pictures are brought, in pixels.
const LONGEST: u32 = 1280;
/// The smallest face that is looked for, in pixels of the smaller picture.
const SMALLEST: f32 = 20.0;
/// Up to this longer side BlazeFace looks at the whole picture only.
const WHOLE: u32 = 400;
/// P-Net and R-Net let pass what has this probability: MTCNN's published values.
const P_NET: f32 = 0.6;
const R_NET: f32 = 0.7;
/// BlazeFace proposes from here on. Low, since two others have to agree.
const PROPOSE: f32 = 0.3;
/// O-Net must be this sure for the closer look.
const O_NET: f32 = 0.5;
/// The confidence of a face: the geometric mean of O-Net's and BlazeFace's. On 73 pictures with 669 faces and
/// 45 without any, faces are above 0.6 with few exceptions, and nothing that is none reaches 0.5.
const CONFIDENT: f32 = 0.55;
/// Most windows that one level, and most boxes that all levels, hand on. A crowd of 300 makes some 1,500.
const MAX_WINDOWS: usize = 2000;
const MAX_PROPOSALS: usize = 2000;
/// Most boxes that are judged by O-Net.
const MAX_JUDGED: usize = 2000;

const CANVAS: u32 = 320;
const R_SIDE: u32 = 24;
const O_SIDE: u32 = 48;
const BLAZE_SIDE: u32 = 192;
/// Cells of BlazeFace's grid on a side, and numbers for each.
const GRID: usize = 48;
const CELL: usize = 17;

const MTCNN: Scale = Scale { mean: [127.5; 3], divisor: [128.0; 3], blue_first: false };
const BLAZE: Scale = Scale { mean: [127.5; 3], divisor: [127.5; 3], blue_first: false };

/// The four networks.
pub(crate) struct Cascade {
    p_net: Session,
    r_net: Session,
    o_net: Session,
    blaze: Session,
}

/// A box with the network's correction to it.
struct Proposal {
    candidate: Candidate,
    offsets: [f32; 4],
}

impl Cascade {
    pub(crate) fn load(engine: &Engine) -> Result<Cascade, ModelError> {
        let load = |name, onnx, side: u32| bundled(engine, name, onnx, [side as usize; 2]);
        Ok(Cascade {
            p_net: load("mtcnn-pnet", include_bytes!("../../weights/mtcnn-pnet.onnx"), CANVAS)?,
            r_net: load("mtcnn-rnet", include_bytes!("../../weights/mtcnn-rnet.onnx"), R_SIDE)?,
            o_net: load("mtcnn-onet", include_bytes!("../../weights/mtcnn-onet.onnx"), O_SIDE)?,
            blaze: load(
                "blazeface-full",
                include_bytes!("../../weights/blazeface-full.onnx"),
                BLAZE_SIDE,
            )?,
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
        // These come first: in a crowd MTCNN alone would take all the room.
        let mut boxes = Vec::new();
        for proposal in self.blaze(picture)? {
            let side = proposal.region.width();
            for (grown, up) in [(1.0, 0.0), (1.15, 0.0), (1.15, 0.1), (1.0, 0.1)] {
                let (x, y) = proposal.region.centre();
                let centre = (x, y - up * proposal.region.height());
                boxes.push(Region::around(centre, side * grown, side * grown));
            }
        }
        boxes.extend(self.mtcnn(picture)?);
        boxes.truncate(MAX_JUDGED);
        let judged = self.judge(picture, &boxes)?;
        let mut faces = self.confirm(picture, judged)?;
        faces.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(faces.iter().map(|face| face.mapped(1.0 / factor, (0.0, 0.0))).collect())
    }

    /// Square boxes that P-Net and R-Net propose, the best first.
    fn mtcnn(&self, picture: &Picture) -> Result<Vec<Region>, Fault> {
        let first = self.windows(picture)?;
        let first =
            suppress(first, |each| each.candidate.ranked(), Region::overlap, 0.7, MAX_PROPOSALS);
        let squares: Vec<Region> = corrected(&first);
        let mut second = Vec::new();
        let input = |index: usize| crop(picture, &squares[index], R_SIDE, FilterType::Box, &MTCNN);
        run_all(&self.r_net, squares.len(), input, |index, row| {
            if let [score, a, b, c, d] = *row
                && score >= R_NET
            {
                let region = squares[index];
                let candidate = Candidate { region, score, points: Default::default() };
                second.push(Proposal { candidate, offsets: [a, b, c, d] });
            }
        })?;
        let second =
            suppress(second, |each| each.candidate.ranked(), Region::overlap, 0.7, MAX_JUDGED);
        Ok(corrected(&second))
    }

    /// The windows of all sizes that P-Net lets pass.
    fn windows(&self, picture: &Picture) -> Result<Vec<Proposal>, Fault> {
        let pyramid = Pyramid::new(picture, SMALLEST, CANVAS).map_err(Fault::Run)?;
        let mut levels: Vec<Vec<Proposal>> = Vec::new();
        levels.resize_with(pyramid.levels(), Vec::new);
        let input = |index| Ok(pixels::planes(&pyramid.canvas(index), &MTCNN));
        run_all(&self.p_net, pyramid.canvases, input, |index, row| {
            let cells = row.len() / 5;
            let side = cells.isqrt();
            for Window { level, cell, left, top, side: window } in pyramid.windows(index) {
                let at = cell.0 * side + cell.1;
                let number = |plane: usize| row.get(plane * cells + at).copied().unwrap_or(0.0);
                if number(0) >= P_NET {
                    let region = Region { left, top, right: left + window, bottom: top + window };
                    let points = Default::default();
                    levels[level].push(Proposal {
                        candidate: Candidate { region, score: number(0), points },
                        offsets: [number(1), number(2), number(3), number(4)],
                    });
                }
            }
        })?;
        let thin = |level| {
            suppress(
                level,
                |each: &Proposal| each.candidate.ranked(),
                Region::overlap,
                0.5,
                MAX_WINDOWS,
            )
        };
        Ok(levels.into_iter().flat_map(thin).collect())
    }

    /// What BlazeFace proposes, on the whole picture and on parts of it.
    fn blaze(&self, picture: &Picture) -> Result<Vec<Candidate>, Fault> {
        let tiles = tiles(picture, WHOLE);
        let mut found = Vec::new();
        let input =
            |index: usize| crop(picture, &tiles[index], BLAZE_SIDE, FilterType::Bilinear, &BLAZE);
        run_all(&self.blaze, tiles.len(), input, |index, row| {
            found.extend(cells(row, &tiles[index]).filter(|each| each.score > PROPOSE));
        })?;
        Ok(suppress(found, Candidate::ranked, Region::overlap, 0.3, MAX_FACES))
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
        let found = suppress(found, Candidate::ranked, Region::overlap, 0.4, usize::MAX);
        Ok(suppress(found, Candidate::ranked, Region::inside, 0.7, MAX_FACES))
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

/// The corrected boxes as squares, without what is no box.
fn corrected(proposals: &[Proposal]) -> Vec<Region> {
    let square = |each: &Proposal| each.candidate.region.moved(each.offsets).square(1.0);
    proposals.iter().map(square).filter(Region::is_sound).collect()
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
