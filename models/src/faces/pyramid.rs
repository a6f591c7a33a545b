//! A picture in many sizes, packed onto canvases of one size: a network that finds faces of one size then finds
//! them all, with a fixed input, which the pure-Rust engine needs.

use crate::picture::Picture;
use crate::pixels;

/// One size of the picture.
struct Level {
    picture: Picture,
    /// Its pixels for each pixel of the original.
    scale: f32,
}

/// A part of a level and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    level: usize,
    /// Column and row in the level.
    from: (u32, u32),
    size: (u32, u32),
    canvas: usize,
    /// Column and row on the canvas, both even.
    at: (u32, u32),
}

/// Levels on canvases.
pub(crate) struct Pyramid {
    levels: Vec<Level>,
    pieces: Vec<Piece>,
    side: u32,
    /// How many there are.
    pub canvases: usize,
}

/// A window that the network looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// The level that it lies in.
    pub level: usize,
    /// Row and column among the cells of the canvas.
    pub cell: (usize, usize),
    /// Left edge, upper edge and side in pixels of the original.
    pub left: f32,
    pub top: f32,
    pub side: f32,
}

/// Side of the window that P-Net judges, and its step, both in pixels.
pub(crate) const WINDOW: u32 = 12;
const STEP: u32 = 2;
/// From one level to the next: half the area, as MTCNN does.
const FACTOR: f64 = 0.709;

impl Pyramid {
    /// Levels in which faces of `smallest` pixels and more become as large as a window, on canvases of
    /// `side` x `side`. A picture smaller than a window gives none.
    pub(crate) fn new(picture: &Picture, smallest: f32, side: u32) -> Result<Pyramid, String> {
        let mut levels = Vec::new();
        let mut scale = f64::from(WINDOW) / f64::from(smallest);
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        while width.min(height) * scale >= f64::from(WINDOW) {
            let (across, down) = ((width * scale).ceil() as u32, (height * scale).ceil() as u32);
            let picture = pixels::resized(picture, across, down)?;
            levels.push(Level { picture, scale: scale as f32 });
            scale *= FACTOR;
        }
        let sizes: Vec<(u32, u32)> =
            levels.iter().map(|level| (level.picture.width(), level.picture.height())).collect();
        let (pieces, canvases) = pack(cut(&sizes, side), side);
        Ok(Pyramid { levels, pieces, side, canvases })
    }

    /// RGB bytes of one canvas; black where nothing stands.
    pub(crate) fn canvas(&self, index: usize) -> Vec<u8> {
        let mut bytes = vec![0; (self.side * self.side * 3) as usize];
        for piece in self.pieces.iter().filter(|piece| piece.canvas == index) {
            let picture = &self.levels[piece.level].picture;
            let length = (piece.size.0 * 3) as usize;
            for row in 0..piece.size.1 {
                let from = (((piece.from.1 + row) * picture.width() + piece.from.0) * 3) as usize;
                let to = (((piece.at.1 + row) * self.side + piece.at.0) * 3) as usize;
                bytes[to..to + length].copy_from_slice(&picture.pixels()[from..from + length]);
            }
        }
        bytes
    }

    /// The windows of one canvas that lie within one piece.
    pub(crate) fn windows(&self, canvas: usize) -> impl Iterator<Item = Window> {
        self.pieces.iter().filter(move |piece| piece.canvas == canvas).flat_map(|piece| {
            let scale = self.levels[piece.level].scale;
            let count = |size: u32| (size - WINDOW) / STEP + 1;
            let (rows, columns) = (count(piece.size.1), count(piece.size.0));
            (0..rows).flat_map(move |row| {
                (0..columns).map(move |column| Window {
                    level: piece.level,
                    cell: (
                        (piece.at.1 / STEP + row) as usize,
                        (piece.at.0 / STEP + column) as usize,
                    ),
                    left: (piece.from.0 + STEP * column) as f32 / scale,
                    top: (piece.from.1 + STEP * row) as f32 / scale,
                    side: WINDOW as f32 / scale,
                })
            })
        })
    }

    /// How many sizes there are.
    pub(crate) fn levels(&self) -> usize {
        self.levels.len()
    }
}

/// Cuts levels into pieces no larger than a canvas, such that every window lies in exactly one piece.
fn cut(sizes: &[(u32, u32)], side: u32) -> Vec<Piece> {
    // The next piece begins one step after the last window of this one.
    let advance = (side - WINDOW) / STEP * STEP + STEP;
    let spans = |length: u32| {
        (0..length)
            .step_by(advance as usize)
            .map(move |from| (from, (length - from).min(side)))
            .filter(|(_, size)| *size >= WINDOW)
    };
    let mut pieces = Vec::new();
    for (level, (width, height)) in sizes.iter().enumerate() {
        for (y, down) in spans(*height) {
            for (x, across) in spans(*width) {
                let (from, size) = ((x, y), (across, down));
                pieces.push(Piece { level, from, size, canvas: 0, at: (0, 0) });
            }
        }
    }
    pieces
}

/// Places pieces in rows, the tallest first, and says how many canvases that takes.
fn pack(mut pieces: Vec<Piece>, side: u32) -> (Vec<Piece>, usize) {
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.size.1));
    let even = |length: u32| length.next_multiple_of(STEP);
    let (mut canvas, mut x, mut y, mut tallest) = (0, 0, 0, 0);
    for piece in &mut pieces {
        if x + piece.size.0 > side {
            (x, y, tallest) = (0, y + even(tallest), 0);
        }
        if y + piece.size.1 > side {
            (canvas, x, y, tallest) = (canvas + 1, 0, 0, 0);
        }
        (piece.canvas, piece.at) = (canvas, (x, y));
        x += even(piece.size.0);
        tallest = tallest.max(piece.size.1);
    }
    let canvases = if pieces.is_empty() { 0 } else { canvas + 1 };
    (pieces, canvases)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_window_is_seen_once() {
        for (width, height) in [(12, 12), (13, 40), (320, 320), (321, 323), (700, 20), (1000, 655)]
        {
            let (pieces, canvases) = pack(cut(&[(width, height)], 320), 320);
            let mut seen = HashSet::new();
            for piece in &pieces {
                assert!(piece.at.0 + piece.size.0 <= 320 && piece.at.1 + piece.size.1 <= 320);
                assert!(piece.at.0 % 2 == 0 && piece.at.1 % 2 == 0 && piece.canvas < canvases);
                for y in (0..=piece.size.1 - 12).step_by(2) {
                    for x in (0..=piece.size.0 - 12).step_by(2) {
                        assert!(
                            seen.insert((piece.from.0 + x, piece.from.1 + y)),
                            "{width} x {height}"
                        );
                    }
                }
            }
            let expected = ((width - 12) / 2 + 1) * ((height - 12) / 2 + 1);
            assert_eq!(seen.len() as u32, expected, "{width} x {height}");
        }
    }

    #[test]
    fn pieces_do_not_overlap() {
        let sizes: Vec<(u32, u32)> = (0..12).map(|i| (700 >> (i / 2), 500 >> (i / 2))).collect();
        let sizes: Vec<_> = sizes.into_iter().filter(|s| s.0 >= 12 && s.1 >= 12).collect();
        let (pieces, canvases) = pack(cut(&sizes, 320), 320);
        assert!(canvases < pieces.len());
        for (index, one) in pieces.iter().enumerate() {
            for two in &pieces[index + 1..] {
                let apart = |a: u32, length: u32, b: u32| a + length <= b;
                let free = one.canvas != two.canvas
                    || apart(one.at.0, one.size.0, two.at.0)
                    || apart(two.at.0, two.size.0, one.at.0)
                    || apart(one.at.1, one.size.1, two.at.1)
                    || apart(two.at.1, two.size.1, one.at.1);
                assert!(free, "{one:?} {two:?}");
            }
        }
    }

    #[test]
    fn small_pictures_give_nothing() {
        let picture = Picture::from_rgb(1, 1, vec![0; 3]).unwrap();
        let pyramid = Pyramid::new(&picture, 20.0, 320).unwrap();
        assert_eq!((pyramid.canvases, pyramid.levels()), (0, 0));
    }
}
