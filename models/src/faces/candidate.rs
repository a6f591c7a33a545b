//! A rectangle that may be a face, between the steps of a detector.

use super::Point;
use crate::region::Region;

/// A rectangle that may be a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub region: Region,
    /// 0 to 1.
    pub score: f32,
    /// Left eye, right eye, nose, left and right corner of the mouth as the picture shows them; zeros where
    /// the step gives none.
    pub points: [Point; 5],
}

impl Candidate {
    /// What suppression looks at.
    pub(crate) fn ranked(&self) -> (Region, f32) {
        (self.region, self.score)
    }

    /// Region and points in another picture's pixels.
    pub(crate) fn mapped(&self, scale: f32, (x, y): (f32, f32)) -> Candidate {
        let point = |point: Point| Point { x: point.x * scale + x, y: point.y * scale + y };
        Candidate {
            region: self.region.mapped(scale, (x, y)),
            points: self.points.map(point),
            score: self.score,
        }
    }
}
