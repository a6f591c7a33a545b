//! Places words one after another, as amueller's wordcloud does: the most frequent first, each
//! where its box is free of ink, smaller when it does not fit. Letters are taken by their ink, so
//! that small words nest between large ones.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use resvg::tiny_skia::{self, FillRule, Rect, Transform};

use super::grid::Grid;
use super::outlines::{self, Outline};
use crate::{AnalysisError, Watch};

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    /// Which word.
    pub(super) word: usize,
    /// Font size, pixels, of one decimal.
    pub(super) size: f32,
    /// Start of the baseline, pixels.
    pub(super) x: f32,
    /// Start of the baseline, pixels.
    pub(super) y: f32,
    /// Turned to the left, read upwards.
    pub(super) upright: bool,
}

/// What does not change while words are placed.
pub(super) struct Layout<'a> {
    /// Free where words may go.
    pub(super) grid: Grid,
    /// The side of a cell, pixels.
    pub(super) cell: f32,
    /// The smallest font, pixels.
    pub(super) least: f32,
    /// Of each word.
    pub(super) outlines: &'a [Option<Outline>],
    /// Size of each word against the first, at most 1, falling.
    pub(super) ratios: &'a [f32],
    pub(super) seed: u64,
}

/// What part of the room the boxes of all words take in the first attempt.
const FILL: f32 = 1.0;

/// How often the words are placed anew, all a little smaller, since not all have found room.
const ATTEMPTS: usize = 3;

/// By how much an attempt is smaller than the one before.
const SMALLER: f32 = 0.87;

/// By how much a word shrinks until it fits.
const SHRINK: f32 = 0.91;

/// A word that shrinks to less than this part of its size makes the attempt fail.
const SHRUNKEN: f32 = 0.6;

impl Layout<'_> {
    /// Places all words, or, where room is scarce, as many as fit.
    pub(super) fn place(&self, watch: &dyn Watch) -> Result<Vec<Placed>, AnalysisError> {
        let mut scale = self.first_scale();
        for _ in 1..ATTEMPTS {
            if let Some(placed) = self.attempt(scale, true, watch)? {
                return Ok(placed);
            }
            scale *= SMALLER;
        }
        Ok(self.attempt(scale, false, watch)?.unwrap_or_default())
    }

    /// Font size of a word when the first has `scale`.
    fn natural(&self, word: usize, scale: f32) -> f32 {
        (scale * self.ratios[word]).max(self.least)
    }

    /// Font size of the first word for which all boxes together take [`FILL`] of the room.
    fn first_scale(&self) -> f32 {
        let (width, height) = self.grid.size();
        let room = self.grid.room() as f32 * self.cell * self.cell * FILL;
        let Some(first) = self.outlines.iter().flatten().next() else { return self.least };
        let fits = |side: f32, cells: usize| {
            0.9 * cells as f32 * self.cell * outlines::SIZE / side.max(1.0)
        };
        let (mut low, mut high) = (
            self.least,
            fits(first.bounds.width(), width).min(fits(first.bounds.height(), height)),
        );
        for _ in 0..20 {
            let middle = (low + high) / 2.0;
            if self.area(middle) > room { high = middle } else { low = middle }
        }
        low
    }

    /// What all boxes take together, square pixels.
    fn area(&self, scale: f32) -> f32 {
        let one = |(word, outline): (usize, &Option<Outline>)| {
            let bounds = outline.as_ref()?.bounds;
            let times = self.natural(word, scale) / outlines::SIZE;
            let gap = 2.0 * self.cell;
            Some((bounds.width() * times + gap) * (bounds.height() * times + gap))
        };
        self.outlines.iter().enumerate().filter_map(one).sum()
    }

    /// `None` if the attempt is `strict` and a word must shrink too much.
    fn attempt(
        &self,
        scale: f32,
        strict: bool,
        watch: &dyn Watch,
    ) -> Result<Option<Vec<Placed>>, AnalysisError> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut grid = self.grid.clone();
        let mut placed: Vec<Placed> = Vec::with_capacity(self.outlines.len());
        let mut limit = f32::INFINITY;
        for (word, outline) in self.outlines.iter().enumerate() {
            watch.check()?;
            let Some(outline) = outline else { continue };
            let natural = self.natural(word, scale);
            let least = if strict { (natural * SHRUNKEN).max(self.least) } else { self.least };
            // Large words go to the middle, where they balance the picture, and lie flat, as
            // most of the others do.
            let part = placed.first().map_or(100.0, |first| natural / first.size);
            let pull = 0.1 + part;
            let upright = random.next_u64() % 10 == 0 && part < 0.8;
            let mut size = round(natural.min(limit));
            let found = loop {
                if size < least {
                    break None;
                }
                let look = |upright: bool, grid: &mut Grid, random: &mut _| {
                    let turned = Turned::new(outline, size / outlines::SIZE / self.cell, upright);
                    let at = grid.find((turned.width, turned.height), pull, random)?;
                    Some((turned, at))
                };
                let first = look(upright, &mut grid, &mut random);
                if let Some(found) = first.or_else(|| look(!upright, &mut grid, &mut random)) {
                    break Some(found);
                }
                size = round(size * SHRINK);
            };
            let Some((turned, at)) = found else {
                if strict {
                    return Ok(None);
                }
                continue;
            };
            limit = size;
            turned.take(outline, &mut grid, at);
            placed.push(Placed {
                word,
                size,
                x: (at.0 as f32 - turned.ink.left()) * self.cell,
                y: (at.1 as f32 - turned.ink.top()) * self.cell,
                upright: turned.upright,
            });
        }
        Ok(Some(placed))
    }
}

/// What stays free before and after a word, font sizes.
const BLANK: f32 = 0.09;

/// The SVG says sizes with one decimal; what is placed has the same.
fn round(size: f32) -> f32 {
    (size * 10.0).floor() / 10.0
}

/// A word in the size and direction in which it is tried.
struct Turned {
    upright: bool,
    /// From the start of the baseline, in cells, with a blank at both ends.
    ink: Rect,
    to_cells: Transform,
    /// Cells that it spans at most.
    width: usize,
    height: usize,
}

impl Turned {
    fn new(outline: &Outline, scale: f32, upright: bool) -> Self {
        let to_cells = if upright {
            // Turned to the left: what was right is up.
            Transform::from_row(0.0, -scale, scale, 0.0, 0.0, 0.0)
        } else {
            Transform::from_scale(scale, scale)
        };
        let ink = outline.bounds.transform(to_cells).unwrap_or(outline.bounds);
        // A blank beside the word, or two words would read as one.
        let blank = scale * outlines::SIZE * BLANK;
        let blank = if upright { (0.0, blank) } else { (blank, 0.0) };
        let ink = ink.outset(blank.0, blank.1).unwrap_or(ink);
        let cells = |length: f32| length.ceil() as usize;
        Self { upright, ink, to_cells, width: cells(ink.width()), height: cells(ink.height()) }
    }

    /// Takes the cells that the ink touches, and those beside them.
    fn take(&self, outline: &Outline, grid: &mut Grid, at: (usize, usize)) {
        const EDGE: usize = 2;
        let (width, height) = (self.width + 2 * EDGE, self.height + 2 * EDGE);
        let Some(mut mask) = tiny_skia::Mask::new(width as u32, height as u32) else { return };
        let edge = EDGE as f32;
        let moved = self.to_cells.post_translate(edge - self.ink.left(), edge - self.ink.top());
        mask.fill_path(&outline.path, FillRule::Winding, true, moved);
        let ink = mask.data();
        let touched = |x: usize, y: usize| {
            (y.saturating_sub(1)..=(y + 1).min(height - 1)).any(|y| {
                let row = &ink[y * width..][..width];
                row[x.saturating_sub(1)..=(x + 1).min(width - 1)].iter().any(|ink| *ink > 0)
            })
        };
        let cells: Vec<bool> =
            (0..width * height).map(|cell| touched(cell % width, cell / width)).collect();
        grid.take(&cells, width, (at.0 as isize - EDGE as isize, at.1 as isize - EDGE as isize));
    }
}
