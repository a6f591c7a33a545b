//! How one number column spreads: a histogram, and a box above it on the same scale.

use super::axis::{Axis, count, number};
use super::canvas::{Anchor, Canvas, PAD, Path, SMALL, TOP, WIDTH, title_of};
use super::palette::Paint;
use super::plot::{Frame, left_of};
use super::{Drawn, Style};
use crate::Numbers;
use crate::facets::Spread;
use crate::numbers::ColumnNumbers;

const HEIGHT: f32 = 660.0;
/// The middle of the box and how thick it is.
const BOX: (f32, f32) = (TOP + 40.0, 46.0);

/// `note` says which of how many columns this is, when not all are drawn.
pub(super) fn spread(
    spread: &Spread,
    numbers: &Numbers,
    note: Option<&str>,
    style: Style,
) -> Option<Drawn> {
    let histogram = &spread.histogram;
    let (&low, &high) = (histogram.edges.first()?, histogram.edges.last()?);
    let column = numbers.columns.iter().find(|column| column.name == spread.column);
    let facts = column.map(|column| facts(column, style)).unwrap_or_default();
    let subtitle = match note {
        Some(note) => format!("{note} · {facts}"),
        None => facts,
    };
    let (before, after) = style.pair(("Distribution of ", ""), ("", " 的分布"));
    let title = title_of(before, &spread.column, after);
    let mut canvas = Canvas::new(style.theme, HEIGHT, &title, &subtitle);
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    let mut frame =
        Frame { left: 0.0, top: TOP + 110.0, right: WIDTH - PAD, bottom: HEIGHT - 56.0 };
    let upward = frame.upward(0.0, most as f64 * 1.02);
    let ticks = frame.upward_ticks(&upward, true, style);
    frame.left = left_of(&ticks);
    let across = Axis::new(low, high, frame.left + 6.0, frame.right - 6.0);
    frame.draw_upward(&mut canvas, &upward, &ticks);
    let rows = style.say("rows", "行数");
    canvas.text(PAD, frame.top - 20.0, SMALL, Anchor::Start, Paint::Muted, rows);
    draw_bars(&mut canvas, spread, &across, &upward);
    frame.draw_across(&mut canvas, &across, style, false);
    draw_box(&mut canvas, spread, column.and_then(|column| column.mean), &across);
    Some(canvas.finish())
}

fn facts(column: &ColumnNumbers, style: Style) -> String {
    let mut parts = vec![style.either(
        format!("{} values", count(column.count)),
        format!("{} 个值", count(column.count)),
    )];
    let named = [
        (style.say("mean", "均值"), column.mean),
        (style.say("median", "中位数"), column.median),
        (style.say("std", "标准差"), column.std),
        (style.say("min", "最小"), column.min),
        (style.say("max", "最大"), column.max),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            parts.push(format!("{name} {}", number(value, style.lang)));
        }
    }
    if let Some(outliers) = column.outliers.filter(|outliers| *outliers > 0) {
        let outliers = count(outliers);
        parts.push(style.either(format!("{outliers} outliers"), format!("{outliers} 个离群值")));
    }
    parts.join(" · ")
}

fn draw_bars(canvas: &mut Canvas, spread: &Spread, across: &Axis, upward: &Axis) {
    let histogram = &spread.histogram;
    let base = upward.place(0.0);
    let mut path = Path::default();
    for (edges, &cells) in histogram.edges.windows(2).zip(&histogram.counts) {
        let (from, to) = (across.place(edges[0]), across.place(edges[1]));
        if cells > 0 {
            let gap = if to - from > 6.0 { 1.5 } else { 0.0 };
            // A single row among millions must still be seen.
            let high = (base - upward.place(cells as f64)).max(1.5);
            path.rect(from + gap / 2.0, base - high, (to - from - gap).max(0.75), high);
        }
    }
    canvas.fill(&path, Paint::Series(0), 0.85, false);
}

/// Whiskers and outliers are those of the facts; the diamond is the mean.
fn draw_box(canvas: &mut Canvas, spread: &Spread, mean: Option<f64>, across: &Axis) {
    let (middle, thick) = BOX;
    let at = |value: f64| across.place(value);
    let mut dots = Path::default();
    for value in spread.outliers.iter().take(400).filter(|value| value.is_finite()) {
        dots.dot((at(*value), middle));
    }
    if !dots.is_empty() {
        canvas.stroke(&dots, Paint::Series(1), 7.0, 0.55);
    }
    let (low, high) = (at(spread.whiskers.0), at(spread.whiskers.1));
    let (lower, median, upper) = spread.quartiles;
    let (lower, median, upper) = (at(lower), at(median), at(upper));
    canvas.line((low, middle), (lower, middle), Paint::Ink, 2.0);
    canvas.line((upper, middle), (high, middle), Paint::Ink, 2.0);
    for end in [low, high] {
        canvas.line((end, middle - thick / 4.0), (end, middle + thick / 4.0), Paint::Ink, 2.0);
    }
    let mut outline = Path::default();
    outline.rect(lower, middle - thick / 2.0, (upper - lower).max(1.0), thick);
    canvas.fill(&outline, Paint::Series(0), 0.35, false);
    canvas.stroke(&outline, Paint::Ink, 2.0, 1.0);
    canvas.line((median, middle - thick / 2.0), (median, middle + thick / 2.0), Paint::Ink, 4.0);
    if let Some(mean) = mean.filter(|mean| mean.is_finite()) {
        let mut diamond = Path::default();
        let x = at(mean);
        diamond.start((x, middle - 7.0));
        for corner in [(x + 7.0, middle), (x, middle + 7.0), (x - 7.0, middle)] {
            diamond.line(corner);
        }
        diamond.close();
        canvas.fill(&diamond, Paint::Series(1), 1.0, false);
        canvas.stroke(&diamond, Paint::Paper, 1.5, 1.0);
    }
}
