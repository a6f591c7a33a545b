//! Where words may go: a shape, or the dark parts of a picture.

use std::fmt::Write as _;
use std::io::Cursor;

use image::{DynamicImage, ImageReader, Limits, imageops};
use resvg::tiny_skia::{self, FillRule, Transform};

use super::shape::Shape;
use crate::{AnalysisError, wrong};

/// What words fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// A shape.
    Shape(Shape),
    /// The bytes of a picture (PNG, JPEG, WebP, BMP, GIF or TIFF), at most 24 megapixels. Words go
    /// where it is opaque, if part of it is transparent, and else where it is not white. It is
    /// drawn as large as fits.
    Picture(Vec<u8>),
}

impl Default for Mask {
    fn default() -> Self {
        Self::Shape(Shape::default())
    }
}

const MOST_PIXELS: u64 = 24_000_000;

/// What decoding may take, for pictures whose header lies.
const MOST_MEMORY: u64 = 256 << 20;

/// From this on a pixel is white. JPEG leaves noise around letters.
const WHITE: u8 = 235;

/// Below, a pixel is transparent.
const OPAQUE: u8 = 128;

/// The part of the picture that must be free for a cloud to be worth drawing.
const LEAST_ROOM: f32 = 0.005;

/// Cells of a grid of this size that words may take, by row. `cell` is the side of a cell in
/// pixels.
pub(super) fn free_cells(
    mask: &Mask,
    size: (usize, usize),
    cell: f32,
) -> Result<Vec<bool>, AnalysisError> {
    let inside = match mask {
        Mask::Shape(shape) => shape_cells(*shape, size, cell),
        Mask::Picture(bytes) => picture_cells(bytes, size)?,
    };
    let free = without_edge(&inside, size);
    let room = free.iter().filter(|free| **free).count() as f32 / free.len().max(1) as f32;
    if room < LEAST_ROOM {
        return Err(no_room());
    }
    Ok(free)
}

pub(super) fn no_room() -> AnalysisError {
    AnalysisError::BadOption(wrong::mask_no_room())
}

fn shape_cells(shape: Shape, size: (usize, usize), cell: f32) -> Vec<bool> {
    let drawn = shape
        .path(size.0 as f32 * cell, size.1 as f32 * cell)
        .zip(tiny_skia::Mask::new(size.0 as u32, size.1 as u32));
    let Some((path, mut mask)) = drawn else { return vec![false; size.0 * size.1] };
    let to_cells = Transform::from_scale(1.0 / cell, 1.0 / cell);
    mask.fill_path(&path, FillRule::Winding, true, to_cells);
    mask.data().iter().map(|covered| *covered == u8::MAX).collect()
}

fn picture_cells(bytes: &[u8], size: (usize, usize)) -> Result<Vec<bool>, AnalysisError> {
    let picture = decode(bytes)?;
    let scale =
        (size.0 as f32 / picture.width() as f32).min(size.1 as f32 / picture.height() as f32);
    let fit = |side: u32, most: usize| ((side as f32 * scale) as usize).clamp(1, most);
    let (width, height) = (fit(picture.width(), size.0), fit(picture.height(), size.1));
    let picture = resize(&picture, width as u32, height as u32);
    let see_through = picture.pixels().any(|pixel| pixel.0[3] < OPAQUE);
    let mut cells = vec![false; size.0 * size.1];
    let (left, top) = ((size.0 - width) / 2, (size.1 - height) / 2);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let [red, green, blue, alpha] = pixel.0;
        let dark = red.min(green).min(blue) < WHITE;
        cells[(top + y as usize) * size.0 + left + x as usize] =
            if see_through { alpha >= OPAQUE } else { dark };
    }
    Ok(cells)
}

/// Averages when it shrinks, so that thin lines do not fall between two cells.
fn resize(picture: &DynamicImage, width: u32, height: u32) -> image::RgbaImage {
    let rgba = picture.to_rgba8();
    if picture.width() > width {
        imageops::thumbnail(&rgba, width, height)
    } else {
        imageops::resize(&rgba, width, height, imageops::FilterType::Nearest)
    }
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, AnalysisError> {
    let not_a_picture = |why: &dyn std::fmt::Display| {
        AnalysisError::BadOption(wrong::mask_no_picture(why.to_string()))
    };
    if bytes.is_empty() {
        return Err(not_a_picture(&"the file is empty"));
    }
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let (width, height) = reader()
        .map_err(|error| not_a_picture(&error))?
        .into_dimensions()
        .map_err(|error| not_a_picture(&error))?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(AnalysisError::BadOption(wrong::mask_large(width, height)));
    }
    let mut reader = reader().map_err(|error| not_a_picture(&error))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    reader.decode().map_err(|error| not_a_picture(&error))
}

/// Free cells as the `d` of a path: a rectangle for all in a row, or in rows below each other that
/// are alike.
pub(super) fn outline(free: &[bool], width: usize, cell: f32) -> String {
    let mut path = String::new();
    // Rectangles that may grow downwards: from, to, first row.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    let rows = free.chunks(width.max(1)).map(Some).chain([None]);
    for (row, cells) in rows.enumerate() {
        let runs = cells.map(runs).unwrap_or_default();
        open.retain(|&(from, to, top)| {
            let grows = runs.contains(&(from, to));
            if !grows {
                let place = |cells: usize| (cells as f32 * cell * 100.0).round() / 100.0;
                let (x, y, w, h) = (place(from), place(top), place(to - from), place(row - top));
                // Writing to a string cannot fail.
                let _ = write!(path, "M{x} {y}h{w}v{h}h-{w}z");
            }
            grows
        });
        for (from, to) in runs {
            if !open.iter().any(|one| (one.0, one.1) == (from, to)) {
                open.push((from, to, row));
            }
        }
    }
    path
}

/// Free cells of a row that are side by side: the first, and the one after the last.
fn runs(cells: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (place, _) in cells.iter().enumerate().filter(|(_, free)| **free) {
        match runs.last_mut() {
            Some((_, end)) if *end == place => *end += 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

/// Takes away the cells at the edge, so that no letter touches it.
fn without_edge(inside: &[bool], (width, height): (usize, usize)) -> Vec<bool> {
    let mut free = vec![false; inside.len()];
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let at = y * width + x;
            free[at] = inside[at]
                && inside[at - 1]
                && inside[at + 1]
                && inside[at - width]
                && inside[at + width];
        }
    }
    free
}
