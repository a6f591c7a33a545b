//! Rectangles that may be turned: the smallest one around some points, and what is asked of it.

/// A turned rectangle. Numbers are pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quad {
    /// The middle.
    pub centre: (f32, f32),
    /// The direction in which its text runs, of length 1. Downwards is this turned by a quarter clockwise, as the
    /// picture shows it.
    pub along: (f32, f32),
    /// In that direction.
    pub width: f32,
    /// Across it.
    pub height: f32,
}

impl Quad {
    /// The corners: where the text begins above, ends above, ends below, begins below.
    pub(super) fn corners(&self) -> [(f32, f32); 4] {
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(a, b)| self.at(a, b))
    }

    /// The place at so many widths and heights from the middle.
    pub(super) fn at(&self, across: f32, down: f32) -> (f32, f32) {
        let ((x, y), (a, b)) = (self.centre, self.along);
        let (across, down) = (across * self.width, down * self.height);
        (x + a * across - b * down, y + b * across + a * down)
    }

    /// The same rectangle with its text running in a direction that is so many quarters further, clockwise.
    pub(super) fn turned(mut self, quarters: u32) -> Quad {
        for _ in 0..quarters % 4 {
            self.along = (-self.along.1, self.along.0);
            (self.width, self.height) = (self.height, self.width);
        }
        self
    }

    /// Moved outwards by so much on each side.
    pub(super) fn grown(mut self, by: f32) -> Quad {
        self.width += 2.0 * by;
        self.height += 2.0 * by;
        self
    }

    /// Every coordinate times `scale`, then moved by `(x, y)`.
    pub(super) fn mapped(mut self, scale: f32, (x, y): (f32, f32)) -> Quad {
        self.centre = (self.centre.0 * scale + x, self.centre.1 * scale + y);
        self.width *= scale;
        self.height *= scale;
        self
    }

    /// Left, upper, right and lower edge of the upright rectangle around it.
    pub(super) fn bounds(&self) -> [f32; 4] {
        let corners = self.corners();
        let least = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(f32::MAX, f32::min);
        let most = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(f32::MIN, f32::max);
        [least(|p| p.0), least(|p| p.1), most(|p| p.0), most(|p| p.1)]
    }

    /// The smallest rectangle around points, its text along the longer side, to the right or, of one that stands,
    /// downwards. `None` for fewer than three points that are not on a line.
    pub(super) fn around(points: &[(f32, f32)]) -> Option<Quad> {
        let hull = hull(points);
        if hull.len() < 3 {
            return None;
        }
        // A smallest rectangle has a side of the hull on one of its own.
        let mut best: Option<(f32, Quad)> = None;
        for (index, from) in hull.iter().enumerate() {
            let to = hull[(index + 1) % hull.len()];
            let (x, y) = (to.0 - from.0, to.1 - from.1);
            let length = x.hypot(y);
            if length <= 0.0 {
                continue;
            }
            let along = (x / length, y / length);
            let span = |axis: (f32, f32)| {
                let places = hull.iter().map(|p| p.0 * axis.0 + p.1 * axis.1);
                places.fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p), b.max(p)))
            };
            let (left, right) = span(along);
            let (top, bottom) = span((-along.1, along.0));
            let (width, height) = (right - left, bottom - top);
            let (u, v) = ((left + right) / 2.0, (top + bottom) / 2.0);
            let centre = (along.0 * u - along.1 * v, along.1 * u + along.0 * v);
            let area = width * height;
            if best.as_ref().is_none_or(|(least, _)| area < *least) {
                best = Some((area, Quad { centre, along, width, height }));
            }
        }
        let mut quad = best?.1;
        if quad.width < quad.height {
            quad = quad.turned(1);
        }
        // To the right, or downwards where it stands.
        let (x, y) = quad.along;
        let backwards = if x.abs() >= y.abs() { x < 0.0 } else { y < 0.0 };
        Some(if backwards { quad.turned(2) } else { quad })
    }
}

/// The corners of the smallest convex shape around points, in order (Andrew's monotone chain).
fn hull(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    points.dedup();
    let half = |points: &mut dyn Iterator<Item = (f32, f32)>| {
        let mut chain: Vec<(f32, f32)> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..]
                && (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0) <= 0.0
            {
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_rectangle_is_found_again() {
        for (degrees, width, height) in
            [(0.0f32, 40.0, 10.0), (30.0, 80.0, 12.0), (-20.0, 50.0, 9.0), (80.0, 60.0, 6.0)]
        {
            let along = (degrees.to_radians().cos(), degrees.to_radians().sin());
            let made = Quad { centre: (100.0, 60.0), along, width, height };
            let mut points = made.corners().to_vec();
            points.extend([(0.1, 0.2), (-0.3, 0.4), (0.0, 0.0)].map(|(a, b)| made.at(a, b)));
            let found = Quad::around(&points).unwrap();
            let near = |a: f32, b: f32| assert!((a - b).abs() < 0.01, "{degrees}: {found:?}");
            near(found.width, width);
            near(found.height, height);
            near(found.centre.0, 100.0);
            near(found.along.0, along.0);
            near(found.along.1, along.1);
            for (a, b) in found.corners().iter().zip(made.corners()) {
                near(a.0, b.0);
                near(a.1, b.1);
            }
        }
        assert!(Quad::around(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]).is_none());
    }

    #[test]
    fn four_quarters_are_a_whole_turn() {
        let quad = Quad { centre: (5.0, 6.0), along: (0.6, 0.8), width: 7.0, height: 3.0 };
        let [a, b, c, d] = quad.corners();
        assert_eq!(quad.turned(4), quad);
        for (x, y) in quad.turned(1).corners().iter().zip([b, c, d, a]) {
            assert!((x.0 - y.0).abs() < 1e-4 && (x.1 - y.1).abs() < 1e-4, "{x:?} {y:?}");
        }
    }
}
