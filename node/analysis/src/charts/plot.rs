//! The frame of charts with two axes: ticks that never touch, lines behind the data.

use super::Style;
use super::axis::{Axis, Tick};
use super::canvas::{Anchor, Canvas, LABEL, PAD, SMALL, WIDTH, fit};
use super::palette::Paint;
use crate::font;
use crate::numbers::ColumnNumbers;

/// Texts of an upward axis are cut at this width.
const WIDEST: f32 = 190.0;
/// At least between two texts across.
const APART: f32 = 16.0;

/// How the values of an axis are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Write {
    /// Between two integers there is nothing.
    pub(super) whole: bool,
    /// Thousands without commas.
    pub(super) years: bool,
}

impl Write {
    /// As the values of a column are.
    pub(super) fn of(column: Option<&ColumnNumbers>) -> Self {
        Self {
            whole: column.is_some_and(|column| column.kind == "integer"),
            years: column.is_some_and(ColumnNumbers::are_years),
        }
    }

    fn ticks(self, axis: &Axis, wanted: usize, style: Style) -> Vec<Tick> {
        let mut ticks = axis.ticks(wanted, self.whole, style.lang);
        if self.years {
            ticks.iter_mut().for_each(|tick| tick.text = tick.text.replace(',', ""));
        }
        ticks
    }
}

/// Where data is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Frame {
    /// An upward axis over the height.
    pub(super) fn upward(&self, low: f64, high: f64) -> Axis {
        Axis::new(low, high, self.bottom, self.top)
    }

    /// Ticks of an upward axis, as many as have room; rather some too many than one or two, which
    /// hardly tell a scale.
    pub(super) fn upward_ticks(&self, axis: &Axis, write: Write, style: Style) -> Vec<Tick> {
        let most = ((self.bottom - self.top) / 34.0).clamp(3.0, 9.0) as usize;
        let mut tries: Vec<Vec<Tick>> =
            (2..=2 * most).map(|wanted| write.ticks(axis, wanted, style)).collect();
        tries.sort_by_key(|ticks| match ticks.len() {
            few @ 0..=2 => 100 - few,
            ticks if ticks <= most => most - ticks,
            ticks => ticks,
        });
        tries.into_iter().next().unwrap_or_default()
    }

    /// Lines across with their numbers at the left.
    pub(super) fn draw_upward(&self, canvas: &mut Canvas, axis: &Axis, ticks: &[Tick]) {
        for tick in ticks {
            let y = axis.place(tick.value);
            canvas.line((self.left, y), (self.right, y), Paint::Grid, 1.0);
            let (x, y) = (self.left - 10.0, y + SMALL * 0.36);
            let text = fit(&tick.text, SMALL, WIDEST);
            canvas.text(x, y, SMALL, Anchor::End, Paint::Muted, &text);
        }
    }

    /// The bottom line with as many round numbers as have room.
    pub(super) fn draw_across(
        &self,
        canvas: &mut Canvas,
        axis: &Axis,
        write: Write,
        style: Style,
        lines: bool,
    ) {
        let widths = |ticks: &[Tick]| -> Vec<(f32, f32)> {
            ticks.iter().map(|t| (axis.place(t.value), font::width(&t.text, SMALL))).collect()
        };
        let ticks = (2..=10)
            .rev()
            .map(|wanted| write.ticks(axis, wanted, style))
            .find(|ticks| have_room(&widths(ticks)))
            .unwrap_or_default();
        let marks: Vec<(f32, String)> =
            ticks.into_iter().map(|tick| (axis.place(tick.value), tick.text)).collect();
        self.draw_marks(canvas, &marks, lines);
    }

    /// The bottom line with texts at places.
    pub(super) fn draw_marks(&self, canvas: &mut Canvas, marks: &[(f32, String)], lines: bool) {
        for (x, text) in marks {
            if lines {
                canvas.line((*x, self.top), (*x, self.bottom), Paint::Grid, 1.0);
            }
            canvas.line((*x, self.bottom), (*x, self.bottom + 5.0), Paint::Muted, 1.5);
            let centre = inside(*x, font::width(text, SMALL));
            let y = self.bottom + 8.0 + SMALL;
            canvas.text(centre, y, SMALL, Anchor::Middle, Paint::Muted, text);
        }
        canvas.line((self.left, self.bottom), (self.right, self.bottom), Paint::Muted, 1.5);
    }

    /// What the axis across shows, below its numbers.
    pub(super) fn draw_name_across(&self, canvas: &mut Canvas, name: &str) {
        let name = fit(name, LABEL, self.right - self.left);
        let x = (self.left + self.right) / 2.0;
        canvas.text(x, self.bottom + 52.0, LABEL, Anchor::Middle, Paint::Ink, &name);
    }
}

/// The left end of a frame whose upward ticks have these texts.
pub(super) fn left_of(ticks: &[Tick]) -> f32 {
    let widest = ticks.iter().map(|tick| font::width(&tick.text, SMALL)).fold(0.0, f32::max);
    PAD + widest.min(WIDEST) + 12.0
}

/// How many texts of a width have room over a length.
pub(super) fn room_for(length: f32, width: f32) -> usize {
    (length / (width + APART)).max(1.0) as usize
}

/// Whether texts, given by place and width, keep apart.
fn have_room(texts: &[(f32, f32)]) -> bool {
    let span = |&(x, width): &(f32, f32)| {
        let centre = inside(x, width);
        (centre - width / 2.0, centre + width / 2.0)
    };
    texts.windows(2).all(|pair| span(&pair[0]).1 + APART <= span(&pair[1]).0)
}

/// The centre that keeps a text on the sheet.
fn inside(x: f32, width: f32) -> f32 {
    let half = width / 2.0 + 6.0;
    x.clamp(half, (WIDTH - half).max(half))
}
