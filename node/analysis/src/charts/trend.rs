//! Values over time: how many rows, and below it the means of number columns on the same scale.

use super::axis::{Axis, count, many};
use super::canvas::{Anchor, Canvas, LABEL, PAD, Path, SMALL, TOP, WIDTH, fit, title_of};
use super::palette::Paint;
use super::plot::{Frame, Write, left_of, room_for};
use super::{Drawn, Style, calendar};
use crate::facets::{Step, Trend};
use crate::numbers::ColumnNumbers;
use crate::{Numbers, font};

/// Heights of the first panel, of the others, and of the room for a name above each.
const FIRST: f32 = 170.0;
const OTHER: f32 = 104.0;
const NAME: f32 = 40.0;
/// Means at most.
const MEANS: usize = 6;
/// Up to that many buckets each has a dot.
const DOTTED: usize = 60;

/// One line over time.
struct Panel<'a> {
    name: &'a str,
    values: Vec<Option<f64>>,
    counts: bool,
    years: bool,
    frame: Frame,
}

/// `None` without two buckets: one says nothing about time.
pub(super) fn trend(trend: &Trend, numbers: &Numbers, style: Style) -> Option<Drawn> {
    let [first, .., last] = trend.starts[..] else { return None };
    let panels = panels(trend, numbers, style);
    let bottom = panels.last().map_or(TOP, |panel| panel.frame.bottom);
    let subtitle = subtitle(trend, (first, last), style);
    let (before, after) = style.pair(("Over time, by ", ""), ("随 ", " 的变化"));
    let title = title_of(before, &trend.column, after);
    let mut canvas = Canvas::new(style.theme, bottom + 56.0, &title, &subtitle);
    let scales: Vec<_> = panels.iter().map(|panel| panel.scale(style)).collect();
    let left = scales.iter().map(|scale| left_of(&scale.1)).fold(0.0, f32::max);
    let right = WIDTH - PAD;
    let across = Axis::new(first as f64, last as f64, left + 8.0, right - 8.0);
    let room = room_for(right - left, font::width("00-00 00:00", SMALL) + 8.0);
    let marks: Vec<(f32, String)> = calendar::ticks((first, last), trend.step, room)
        .into_iter()
        .map(|(moment, text)| (across.place(moment as f64), text))
        .collect();
    let places: Vec<f32> = trend.starts.iter().map(|start| across.place(*start as f64)).collect();
    for (number, (panel, (upward, ticks))) in panels.iter().zip(&scales).enumerate() {
        let frame = Frame { left, right, ..panel.frame };
        frame.draw_upward(&mut canvas, upward, ticks);
        let (before, after) = match panel.counts {
            true => ("", ""),
            false => style.pair(("mean of ", ""), ("", " 的均值")),
        };
        let words = font::width(before, LABEL) + font::width(after, LABEL);
        let name = format!("{before}{}{after}", fit(panel.name, LABEL, right - PAD - words));
        canvas.text(PAD, frame.top - 15.0, LABEL, Anchor::Start, Paint::Ink, &name);
        for (x, _) in &marks {
            canvas.line((*x, frame.top), (*x, frame.bottom), Paint::Grid, 1.0);
        }
        panel.draw(&mut canvas, &places, upward, Paint::Series(number));
        if number + 1 == panels.len() {
            frame.draw_marks(&mut canvas, &marks, false);
        }
    }
    Some(canvas.finish())
}

fn subtitle(trend: &Trend, (first, last): (i64, i64), style: Style) -> String {
    let step = match trend.step {
        Step::Minute => style.say("minute", "分钟"),
        Step::Hour => style.say("hour", "小时"),
        Step::Day => style.say("day", "天"),
        Step::Week => style.say("week", "周"),
        Step::Month => style.say("month", "月"),
        Step::Quarter => style.say("quarter", "季度"),
        Step::Year => style.say("year", "年"),
    };
    let write = match trend.step {
        Step::Minute | Step::Hour => calendar::minute,
        _ => calendar::day,
    };
    let rows = trend.counts.iter().fold(0u64, |sum, rows| sum.saturating_add(*rows));
    let (first, last) = (write(first), write(last));
    style.either(
        format!("{} by {step} · {first} to {last}", many(rows, "row", "rows")),
        format!("{} 行，按{step}汇总 · {first} 至 {last}", count(rows)),
    )
}

fn panels<'a>(trend: &'a Trend, numbers: &Numbers, style: Style) -> Vec<Panel<'a>> {
    let are_years = |name: &str| {
        let column = numbers.columns.iter().find(|column| column.name == name);
        column.is_some_and(ColumnNumbers::are_years)
    };
    let counts = trend.counts.iter().map(|rows| Some(*rows as f64)).collect();
    let rows = (style.say("rows", "行数"), counts, true);
    let means = trend.means.iter().take(MEANS).map(|(name, values)| (name.as_str(), values, false));
    let means = means.map(|(name, values, whole)| {
        let finite = values.iter().map(|value| value.filter(|value| value.is_finite()));
        (name, finite.collect(), whole)
    });
    let mut top = TOP;
    std::iter::once(rows)
        .chain(means)
        .map(|(name, values, counts)| {
            let frame_top = top + NAME;
            let bottom = frame_top + if counts { FIRST } else { OTHER };
            top = bottom + 10.0;
            Panel {
                name,
                values,
                counts,
                years: !counts && are_years(name),
                frame: Frame { left: 0.0, top: frame_top, right: 0.0, bottom },
            }
        })
        .collect()
}

impl Panel<'_> {
    fn scale(&self, style: Style) -> (Axis, Vec<super::axis::Tick>) {
        let values = || self.values.iter().flatten().copied();
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let upward = match self.counts {
            _ if low > high => self.frame.upward(0.0, 1.0),
            true => self.frame.upward(0.0, high.max(1.0) * 1.04),
            false => self.frame.upward(low, high).padded(0.06),
        };
        let ticks = self.frame.upward_ticks(
            &upward,
            Write { whole: self.counts, years: self.years },
            style,
        );
        (upward, ticks)
    }

    /// A line that breaks where a bucket has no value; a value between two gaps is a dot.
    fn draw(&self, canvas: &mut Canvas, places: &[f32], upward: &Axis, paint: Paint) {
        let (mut line, mut dots, mut area) = (Path::default(), Path::default(), Path::default());
        let points: Vec<Option<(f32, f32)>> = places
            .iter()
            .zip(&self.values)
            .map(|(x, value)| value.map(|value| (*x, upward.place(value))))
            .collect();
        let mut open = false;
        for (number, point) in points.iter().enumerate() {
            let Some(point) = *point else {
                open = false;
                continue;
            };
            let next = points.get(number + 1).copied().flatten();
            if points.len() <= DOTTED || (!open && next.is_none()) {
                dots.dot(point);
            }
            if open {
                line.line(point);
            } else {
                line.start(point);
            }
            open = true;
        }
        if self.counts && points.len() > 1 {
            let base = upward.place(0.0);
            let ends = (places.first().copied(), places.last().copied());
            if let (Some(first), Some(last)) = ends {
                area.start((first, base));
                points.iter().flatten().for_each(|point| area.line(*point));
                area.line((last, base));
                area.close();
                canvas.fill(&area, paint, 0.18, false);
            }
        }
        if !line.is_empty() {
            canvas.stroke(&line, paint, 2.2, 1.0);
        }
        if !dots.is_empty() {
            canvas.stroke(&dots, paint, 6.5, 1.0);
        }
    }
}
