//! The shapes that words can fill.

use std::fmt::Write;
use std::str::FromStr;

use resvg::tiny_skia::{Path, PathBuilder, PathSegment, Point, Rect, Transform};

use crate::{AnalysisError, wrong};

/// A shape that words fill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The whole picture.
    #[default]
    Rectangle,
    /// As large as the picture allows.
    Circle,
    /// Touches all four sides.
    Ellipse,
    /// A heart.
    Heart,
    /// Five points.
    Star,
    /// A cloud.
    Cloud,
    /// Four points, touches all four sides.
    Diamond,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Rectangle,
        Self::Circle,
        Self::Ellipse,
        Self::Heart,
        Self::Star,
        Self::Cloud,
        Self::Diamond,
    ];

    /// As people write it, in English and in Chinese.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Rectangle => ("rectangle", "矩形"),
            Self::Circle => ("circle", "圆形"),
            Self::Ellipse => ("ellipse", "椭圆"),
            Self::Heart => ("heart", "心形"),
            Self::Star => ("star", "星形"),
            Self::Cloud => ("cloud", "云"),
            Self::Diamond => ("diamond", "菱形"),
        }
    }

    /// The shape inside a picture of this size, with a small margin.
    pub(super) fn path(self, width: f32, height: f32) -> Option<Path> {
        let margin = 0.02 * width.min(height);
        let room = (width - 2.0 * margin, height - 2.0 * margin);
        let unit = self.unit()?;
        // Shapes with a face of their own keep it; the others fill the picture.
        let aspect = match self {
            Self::Rectangle | Self::Ellipse | Self::Diamond => room.0 / room.1,
            Self::Circle => 1.0,
            Self::Heart => 1.1,
            Self::Star => 1.05,
            Self::Cloud => 1.6,
        };
        let (w, h) = (room.0.min(room.1 * aspect), room.1.min(room.0 / aspect));
        let bounds = unit.compute_tight_bounds()?;
        unit.transform(
            Transform::from_translate(-bounds.left(), -bounds.top())
                .post_scale(w / bounds.width(), h / bounds.height())
                .post_translate((width - w) / 2.0, (height - h) / 2.0),
        )
    }

    /// The shape in any size.
    fn unit(self) -> Option<Path> {
        let mut path = PathBuilder::new();
        match self {
            Self::Rectangle => path.push_rect(Rect::from_xywh(0.0, 0.0, 1.0, 1.0)?),
            Self::Circle | Self::Ellipse => path.push_circle(0.5, 0.5, 0.5),
            Self::Diamond => {
                polygon(&mut path, [(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)].into_iter());
            }
            Self::Star => polygon(&mut path, star()),
            Self::Heart => heart(&mut path),
            Self::Cloud => {
                for (x, y, radius) in
                    [(0.32, 0.68, 0.32), (0.7, 0.42, 0.42), (1.12, 0.5, 0.33), (1.29, 0.69, 0.31)]
                {
                    path.push_circle(x, y, radius);
                }
                path.push_rect(Rect::from_ltrb(0.32, 0.6, 1.29, 1.0)?);
            }
        }
        path.finish()
    }
}

impl FromStr for Shape {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim().to_lowercase();
        let is = |shape: &Self| shape.names().0 == name || shape.names().1 == name;
        Self::ALL.into_iter().find(is).ok_or_else(|| {
            let names = Self::ALL.map(|shape| format!("{} {}", shape.names().0, shape.names().1));
            AnalysisError::BadOption(wrong::no_shape(format!("{text:?}"), names.join(", ")))
        })
    }
}

/// `path` as the `d` of an SVG path.
pub(super) fn svg_path(path: &Path) -> String {
    let mut d = String::new();
    let mut put = |letter: char, points: &[Point]| {
        d.push(letter);
        for point in points {
            // Writing to a string cannot fail.
            let _ = write!(d, "{:.1} {:.1} ", point.x, point.y);
        }
    };
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(to) => put('M', &[to]),
            PathSegment::LineTo(to) => put('L', &[to]),
            PathSegment::QuadTo(a, to) => put('Q', &[a, to]),
            PathSegment::CubicTo(a, b, to) => put('C', &[a, b, to]),
            PathSegment::Close => put('Z', &[]),
        }
    }
    d
}

fn polygon(path: &mut PathBuilder, corners: impl Iterator<Item = (f32, f32)>) {
    for (number, (x, y)) in corners.enumerate() {
        if number == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.close();
}

/// Fatter than a pentagram, so that words find room in its points.
fn star() -> impl Iterator<Item = (f32, f32)> {
    // Cosine and sine of multiples of 36 degrees, so that every machine has the same.
    const TURNS: [(f32, f32); 10] = [
        (0.0, -1.0),
        (0.587_785, -0.809_017),
        (0.951_057, -0.309_017),
        (0.951_057, 0.309_017),
        (0.587_785, 0.809_017),
        (0.0, 1.0),
        (-0.587_785, 0.809_017),
        (-0.951_057, 0.309_017),
        (-0.951_057, -0.309_017),
        (-0.587_785, -0.809_017),
    ];
    TURNS.into_iter().enumerate().map(|(number, (x, y))| {
        let radius = if number % 2 == 0 { 1.0 } else { 0.52 };
        (x * radius, y * radius)
    })
}

fn heart(path: &mut PathBuilder) {
    path.move_to(0.5, 1.0);
    path.cubic_to(0.36, 0.84, 0.0, 0.62, 0.0, 0.3);
    path.cubic_to(0.0, 0.12, 0.13, 0.0, 0.28, 0.0);
    path.cubic_to(0.38, 0.0, 0.46, 0.06, 0.5, 0.15);
    path.cubic_to(0.54, 0.06, 0.62, 0.0, 0.72, 0.0);
    path.cubic_to(0.87, 0.0, 1.0, 0.12, 1.0, 0.3);
    path.cubic_to(1.0, 0.62, 0.64, 0.84, 0.5, 1.0);
    path.close();
}
