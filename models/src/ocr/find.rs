//! Where lines of text are: DBNet (Liao et al. 2020, arXiv:1911.08947) marks the inner part of every line, and each
//! connected part becomes a turned rectangle, grown to the whole line.

use fast_image_resize::FilterType;

use super::MAX_LINES;
use super::quad::Quad;
use super::sizes::Sizes;
use crate::engine::Engine;
use crate::picture::Picture;
use crate::pixels::{self, Scale};
use crate::region::Region;
use crate::session::Fault;

/// The longer side to which a part of the picture is brought, in pixels; small parts are made twice as large.
const LONGEST: f32 = 1280.0;
/// Sides of the network's input are multiples of this: few sizes, see [`Sizes`].
const STEP: u32 = 320;
/// A picture is looked at in parts that are at most so much longer than wide.
const LONG: f32 = 2.5;
/// What parts share, as a share of their shorter side, so that a line stands in one of them whole.
const SHARED: f32 = 0.15;
/// The most parts of a picture.
const MAX_PARTS: u32 = 16;
/// PaddleOCR's published values: what is text, how sure a line must be, how much it grows.
const TEXT: f32 = 0.3;
const SURE: f32 = 0.5;
const GROW: f32 = 1.6;
/// The shortest side of a marked part, and of a line, in pixels of the network's input.
const LEAST_PART: f32 = 3.0;
const LEAST_LINE: f32 = 5.0;
/// Marked parts that are looked at; a page of print has some hundred.
const MAX_MARKED: usize = 4000;
/// A line that lies in another by this share is a part of it that another part of the picture shows.
const INSIDE: f32 = 0.6;
/// A line that is not this much longer than high runs as most do, to the right.
const CLEARLY: f32 = 1.5;

const SCALE: Scale = Scale { mean: [127.5; 3], divisor: [127.5; 3], blue_first: true };

/// The network.
pub(super) struct Finder {
    sizes: Sizes,
}

impl Finder {
    pub(super) fn load(engine: &Engine) -> Result<Finder, Fault> {
        let onnx = include_bytes!("../../weights/text-find.onnx");
        let side = STEP as usize;
        Ok(Finder { sizes: Sizes::load(engine, onnx, [side, side])? })
    }

    /// `cpu` or `cuda`.
    pub(super) fn device(&self) -> &'static str {
        self.sizes.device()
    }

    /// The lines, in pixels of the picture, at most [`MAX_LINES`], the surest.
    pub(super) fn find(&self, picture: &Picture) -> Result<Vec<Quad>, Fault> {
        let mut found = Vec::new();
        for part in parts(picture.width() as f32, picture.height() as f32) {
            found.extend(self.find_in(picture, &part)?);
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.truncate(MAX_LINES);
        Ok(distinct(found.into_iter().map(|each| each.0).collect()))
    }

    /// The lines of one part with how sure each is.
    fn find_in(&self, picture: &Picture, part: &Region) -> Result<Vec<(Quad, f32)>, Fault> {
        let longer = part.width().max(part.height());
        let scale =
            if longer >= LONGEST { LONGEST / longer } else { (LONGEST / longer).min(2.0).floor() };
        let scaled = |side: f32| ((side * scale).round() as u32).max(1);
        let (width, height) = (scaled(part.width()), scaled(part.height()));
        let (across, down) = (width.next_multiple_of(STEP), height.next_multiple_of(STEP));
        let from = (part.left, part.top, part.width(), part.height());
        let from = (from.0.into(), from.1.into(), from.2.into(), from.3.into());
        let inside = pixels::part(picture, from, (width, height), FilterType::Bilinear)
            .map_err(Fault::Run)?;
        let mut canvas = vec![0; (across * down * 3) as usize];
        let rows = canvas.chunks_exact_mut((across * 3) as usize);
        for (row, inside) in rows.zip(inside.chunks_exact((width * 3) as usize)) {
            row[..inside.len()].copy_from_slice(inside);
        }
        drop(inside);
        let input = pixels::planes(&canvas, &SCALE);
        drop(canvas);
        let map = self.sizes.run([down as usize, across as usize], &input)?;
        if map.len() != (across * down) as usize {
            return Err(Fault::Run(format!("a map of {} numbers", map.len())));
        }
        // The two sides are rounded to whole pixels, each by less than one.
        let back = part.width().max(part.height()) / width.max(height) as f32;
        let lines = marked(&map, across as usize, (width as usize, height as usize));
        Ok(lines
            .into_iter()
            .map(|(quad, sure)| (quad.mapped(back, (part.left, part.top)), sure))
            .collect())
    }
}

/// The whole picture, or overlapping parts of a long one.
fn parts(width: f32, height: f32) -> Vec<Region> {
    let (longer, shorter) = (width.max(height), width.min(height));
    let part = |from: f32, to: f32| match width >= height {
        true => Region { left: from, top: 0.0, right: to, bottom: height },
        false => Region { left: 0.0, top: from, right: width, bottom: to },
    };
    if longer <= shorter * LONG {
        return vec![part(0.0, longer)];
    }
    let count = ((longer / (shorter * 2.0)).ceil() as u32).clamp(1, MAX_PARTS);
    let step = longer / count as f32;
    let more = shorter * SHARED;
    let edges = (0..count).map(|index| index as f32 * step);
    edges.map(|from| part((from - more).max(0.0), (from + step + more).min(longer))).collect()
}

/// The lines that a map of probabilities shows, in its pixels. `inner` is the part of the map that shows the picture.
fn marked(map: &[f32], across: usize, inner: (usize, usize)) -> Vec<(Quad, f32)> {
    let mut left: Vec<bool> = map.iter().map(|p| *p > TEXT).collect();
    let rows = inner.1;
    let mut lines = Vec::new();
    let mut seen = 0;
    for start in 0..rows * across {
        if start % across >= inner.0 || !left[start] {
            continue;
        }
        seen += 1;
        if seen > MAX_MARKED {
            break;
        }
        let outline = outline(&mut left, across, inner, start);
        let Some(quad) = Quad::around(&outline) else { continue };
        if quad.height < LEAST_PART || mean(map, across, inner, &quad) < SURE {
            continue;
        }
        let sure = mean(map, across, inner, &quad);
        let by = quad.width * quad.height * GROW / (2.0 * (quad.width + quad.height));
        let line = quad.grown(by);
        if line.height >= LEAST_LINE {
            lines.push((running_right(line), sure));
        }
    }
    lines
}

/// Takes the connected part at `start` out of `left`; the corners of the pixels at its edge.
fn outline(
    left: &mut [bool],
    across: usize,
    (width, height): (usize, usize),
    start: usize,
) -> Vec<(f32, f32)> {
    let mut part = vec![start];
    left[start] = false;
    let mut next = 0;
    // For each row of the map, the first and the last pixel of the part: all that its hull needs.
    let mut ends: std::collections::BTreeMap<usize, (usize, usize)> = Default::default();
    while let Some(at) = part.get(next).copied() {
        next += 1;
        let (x, y) = (at % across, at / across);
        let end = ends.entry(y).or_insert((x, x));
        *end = (end.0.min(x), end.1.max(x));
        for near_y in y.saturating_sub(1)..(y + 2).min(height) {
            for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                let near = near_y * across + near_x;
                if std::mem::take(&mut left[near]) {
                    part.push(near);
                }
            }
        }
    }
    let corners = |(y, (first, last)): (usize, (usize, usize))| {
        let (first, last, y) = (first as f32, last as f32 + 1.0, y as f32);
        [(first, y), (last, y), (first, y + 1.0), (last, y + 1.0)]
    };
    ends.into_iter().flat_map(corners).collect()
}

/// The mean of the map in a rectangle.
fn mean(map: &[f32], across: usize, (width, height): (usize, usize), quad: &Quad) -> f32 {
    let [left, top, right, bottom] = quad.bounds();
    let range = |from: f32, to: f32, limit: usize| {
        (from.floor().max(0.0) as usize)..(to.ceil().max(0.0) as usize).min(limit)
    };
    let (mut sum, mut count) = (0.0f64, 0u32);
    for y in range(top, bottom, height) {
        for x in range(left, right, width) {
            let (dx, dy) = (x as f32 + 0.5 - quad.centre.0, y as f32 + 0.5 - quad.centre.1);
            let (u, v) =
                (dx * quad.along.0 + dy * quad.along.1, dy * quad.along.0 - dx * quad.along.1);
            if u.abs() <= quad.width / 2.0 && v.abs() <= quad.height / 2.0 {
                sum += f64::from(map[y * across + x]);
                count += 1;
            }
        }
    }
    (sum / f64::from(count.max(1))) as f32
}

/// A single letter may be higher than wide; text of one or two letters runs as most does.
fn running_right(quad: Quad) -> Quad {
    let stands = quad.along.1.abs() > quad.along.0.abs();
    if stands && quad.width < quad.height * CLEARLY {
        // It runs downwards: three quarters further is to the right.
        return quad.turned(3);
    }
    quad
}

/// Without lines that lie in another: parts of the picture overlap.
fn distinct(mut found: Vec<Quad>) -> Vec<Quad> {
    let region = |quad: &Quad| {
        let [left, top, right, bottom] = quad.bounds();
        Region { left, top, right, bottom }
    };
    found.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
    let mut kept: Vec<(Quad, Region)> = Vec::new();
    for quad in found {
        let bounds = region(&quad);
        let upright = |quad: &Quad| quad.along.0.abs().max(quad.along.1.abs()) > 0.99;
        // Bounds of slanted lines overlap without the lines doing so.
        let doubles = |other: &(Quad, Region)| {
            upright(&quad) && upright(&other.0) && bounds.inside(&other.1) > INSIDE
        };
        if bounds.is_sound() && !kept.iter().any(doubles) {
            kept.push((quad, bounds));
        }
    }
    kept.into_iter().map(|each| each.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_pictures_are_looked_at_in_parts_that_cover_them() {
        assert_eq!(parts(800.0, 600.0).len(), 1);
        for (width, height) in [(1080.0, 9000.0), (5000.0, 300.0), (1.0, 60_000.0), (90_000.0, 2.0)]
        {
            let parts = parts(width, height);
            assert!(parts.len() > 1 && parts.len() <= MAX_PARTS as usize);
            let area: f32 = parts.iter().map(|part| part.width() * part.height()).sum();
            assert!(area >= width * height, "{width} x {height}");
            let end = parts.last().unwrap();
            assert_eq!((parts[0].left, parts[0].top), (0.0, 0.0));
            assert!((end.right - width).abs() < 0.1 && (end.bottom - height).abs() < 0.1);
        }
    }

    #[test]
    fn marked_parts_become_lines_and_stray_pixels_do_not() {
        let (across, size) = (64, (60, 40));
        let mut map = vec![0.0; across * 40];
        for y in 10..16 {
            for x in 5..45 {
                map[y * across + x] = 0.9;
            }
        }
        map[30 * across + 30] = 1.0;
        // Outside of the picture: the network may see its edge as anything.
        for y in 20..30 {
            for x in 61..64 {
                map[y * across + x] = 1.0;
            }
        }
        let lines = marked(&map, across, size);
        assert_eq!(lines.len(), 1);
        let (quad, sure) = lines[0];
        assert!((sure - 0.9).abs() < 1e-6);
        let by = 40.0 * 6.0 * 1.6 / 92.0;
        let bounds = [5.0 - by, 10.0 - by, 45.0 + by, 16.0 + by];
        for (got, want) in quad.bounds().iter().zip(bounds) {
            assert!((got - want).abs() < 1e-3, "{quad:?}");
        }
    }
}
