//! A rectangle as it is told to others.

use serde::{Deserialize, Serialize};

/// A rectangle in pixels of a picture, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// To the right edge.
    pub width: f32,
    /// To the lower edge.
    pub height: f32,
}

impl Area {
    /// What both cover, in square pixels.
    pub fn shared(&self, other: &Area) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// What both cover over what either covers, 0 to 1.
    pub fn overlap(&self, other: &Area) -> f32 {
        let shared = self.shared(other);
        let all = self.width * self.height + other.width * other.height - shared;
        shared / all.max(f32::MIN_POSITIVE)
    }
}
