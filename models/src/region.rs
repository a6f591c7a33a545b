//! Rectangles in pixels and what detectors do with them: overlap, squares, suppression of doubles.

/// A rectangle; its edges may lie outside the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Region {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Region {
    /// The rectangle around a centre.
    pub(crate) fn around((x, y): (f32, f32), width: f32, height: f32) -> Region {
        Region {
            left: x - width / 2.0,
            top: y - height / 2.0,
            right: x + width / 2.0,
            bottom: y + height / 2.0,
        }
    }

    pub(crate) fn width(&self) -> f32 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f32 {
        self.bottom - self.top
    }

    pub(crate) fn centre(&self) -> (f32, f32) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// Whether it has an area, and numbers that can be computed with.
    pub(crate) fn is_sound(&self) -> bool {
        let edges = [self.left, self.top, self.right, self.bottom];
        edges.iter().all(|edge| edge.abs() < 1e6) && self.width() > 0.0 && self.height() > 0.0
    }

    /// The square with the same centre and `factor` times the longer side.
    pub(crate) fn square(&self, factor: f32) -> Region {
        let side = self.width().max(self.height()) * factor;
        Region::around(self.centre(), side, side)
    }

    /// Each edge moved by a share of the side, as MTCNN's box regression says.
    pub(crate) fn moved(&self, [left, top, right, bottom]: [f32; 4]) -> Region {
        let (width, height) = (self.width(), self.height());
        Region {
            left: self.left + left * width,
            top: self.top + top * height,
            right: self.right + right * width,
            bottom: self.bottom + bottom * height,
        }
    }

    /// The part that lies in a picture of this size.
    pub(crate) fn within(&self, (width, height): (f32, f32)) -> Region {
        Region {
            left: self.left.clamp(0.0, width),
            top: self.top.clamp(0.0, height),
            right: self.right.clamp(0.0, width),
            bottom: self.bottom.clamp(0.0, height),
        }
    }

    /// Every coordinate times `scale`, then moved by `(x, y)`.
    pub(crate) fn mapped(&self, scale: f32, (x, y): (f32, f32)) -> Region {
        Region {
            left: self.left * scale + x,
            top: self.top * scale + y,
            right: self.right * scale + x,
            bottom: self.bottom * scale + y,
        }
    }

    fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// Area that both cover.
    pub(crate) fn shared(&self, other: &Region) -> f32 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Shared area over the area of both together, 0 to 1.
    pub(crate) fn overlap(&self, other: &Region) -> f32 {
        let shared = self.shared(other);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }

    /// Shared area over that of the smaller one, 0 to 1: finds a box inside another.
    pub(crate) fn inside(&self, other: &Region) -> f32 {
        self.shared(other) / self.area().min(other.area()).max(f32::MIN_POSITIVE)
    }
}

/// Keeps the best of those that overlap by more than `limit`, best first, at most `most` of them. `of` gives the
/// rectangle of an item and its score.
pub(crate) fn suppress<T>(
    mut items: Vec<T>,
    of: impl Fn(&T) -> (Region, f32),
    overlap: fn(&Region, &Region) -> f32,
    limit: f32,
    most: usize,
) -> Vec<T> {
    items.sort_by(|a, b| of(b).1.total_cmp(&of(a).1));
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if kept.len() == most {
            break;
        }
        let region = of(&item).0;
        if kept.iter().all(|better| overlap(&of(better).0, &region) <= limit) {
            kept.push(item);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(left: f32, top: f32, side: f32) -> Region {
        Region { left, top, right: left + side, bottom: top + side }
    }

    #[test]
    fn overlap_is_that_of_geometry() {
        let (one, two) = (square(0.0, 0.0, 2.0), square(1.0, 0.0, 2.0));
        assert!((one.overlap(&two) - 1.0 / 3.0).abs() < 1e-6);
        assert!((one.inside(&two) - 0.5).abs() < 1e-6);
        assert_eq!(one.overlap(&square(5.0, 5.0, 1.0)), 0.0);
        let wide = Region { left: 0.0, top: 0.0, right: 4.0, bottom: 2.0 };
        assert_eq!(wide.square(1.0), Region { left: 0.0, top: -1.0, right: 4.0, bottom: 3.0 });
        assert_eq!(
            one.moved([0.5, 0.0, 0.0, -0.5]),
            Region { left: 1.0, top: 0.0, right: 2.0, bottom: 1.0 }
        );
        assert!(!Region { left: f32::NAN, ..one }.is_sound());
        assert!(!Region { right: 0.0, ..one }.is_sound());
    }

    #[test]
    fn the_best_of_doubles_stays() {
        let items = vec![
            (square(0.0, 0.0, 10.0), 0.6),
            (square(1.0, 1.0, 10.0), 0.9),
            (square(30.0, 0.0, 10.0), 0.7),
            (square(31.0, 0.0, 10.0), f32::NEG_INFINITY),
        ];
        let kept = suppress(items.clone(), |item| *item, Region::overlap, 0.4, 10);
        assert_eq!(kept.iter().map(|item| item.1).collect::<Vec<_>>(), [0.9, 0.7]);
        assert_eq!(suppress(items, |item| *item, Region::overlap, 0.4, 1).len(), 1);
    }
}
