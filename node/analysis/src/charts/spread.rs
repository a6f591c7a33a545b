//! How one number column spreads: a histogram, and a box above it on the same scale.

use super::axis::{Axis, count, many, number, number_in};
use super::canvas::{Anchor, Canvas, LABEL, PAD, Path, SMALL, TOP, WIDTH, title_of};
use super::palette::Paint;
use super::plot::{Frame, Write, left_of};
use super::{Drawn, Style};
use crate::facets::Spread;
use crate::numbers::ColumnNumbers;
use crate::{Numbers, font};

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
    let subtitle = subtitle(column, note, style);
    let (before, after) = style.pair(("Distribution of ", ""), ("", " 的分布"));
    let title = title_of(before, &spread.column, after);
    let mut canvas = Canvas::new(style.theme, HEIGHT, &title, &subtitle);
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    let mut frame =
        Frame { left: 0.0, top: TOP + 110.0, right: WIDTH - PAD, bottom: HEIGHT - 56.0 };
    let upward = frame.upward(0.0, most as f64 * 1.02);
    let ticks = frame.upward_ticks(&upward, Write { whole: true, years: false }, style);
    frame.left = left_of(&ticks);
    let across = Axis::new(low, high, frame.left + 6.0, frame.right - 6.0);
    frame.draw_upward(&mut canvas, &upward, &ticks);
    let rows = style.say("rows", "行数");
    canvas.text(PAD, frame.top - 20.0, SMALL, Anchor::Start, Paint::Muted, rows);
    if let Some(sentence) = outside(spread, style) {
        let (x, y) = (WIDTH - PAD, frame.top - 20.0);
        canvas.text(x, y, SMALL, Anchor::End, Paint::Muted, &sentence);
    }
    draw_bars(&mut canvas, spread, &across, &upward);
    frame.draw_across(&mut canvas, &across, Write::of(column), style, false);
    draw_box(&mut canvas, spread, column.and_then(|column| column.mean), &across);
    Some(canvas.finish())
}

/// How many values are not in the picture, when some are not.
fn outside(spread: &Spread, style: Style) -> Option<String> {
    let inside = spread.histogram.counts.iter().fold(0u64, |sum, cells| sum.saturating_add(*cells));
    let (left_out, all) = (spread.outside, count(inside.saturating_add(spread.outside)));
    let lie = if left_out == 1 { "lies" } else { "lie" };
    let out = count(left_out);
    (left_out > 0).then(|| {
        style.either(
            format!("{out} of {all} values {lie} outside the picture"),
            format!("{all} 个值中有 {out} 个在图外"),
        )
    })
}

/// What there is room for: at the end stands what is missed least.
fn subtitle(column: Option<&ColumnNumbers>, note: Option<&str>, style: Style) -> String {
    let facts = column.map(|column| facts(column, style)).unwrap_or_default();
    let mut parts: Vec<String> = note.map(str::to_owned).into_iter().chain(facts).collect();
    while parts.len() > 1 && font::width(&parts.join(" · "), LABEL) > WIDTH - 2.0 * PAD {
        parts.pop();
    }
    parts.join(" · ")
}

fn facts(column: &ColumnNumbers, style: Style) -> Vec<String> {
    let mut parts =
        vec![style.either(
            many(column.count, "value", "values"),
            format!("{} 个值", count(column.count)),
        )];
    let ends = (column.min.unwrap_or(0.0), column.max.unwrap_or(0.0));
    let place = |value| column.plain(number_in(value, ends, style.lang));
    let named = [
        (style.say("mean", "均值"), column.mean),
        (style.say("median", "中位数"), column.median),
        (style.say("min", "最小"), column.min),
        (style.say("max", "最大"), column.max),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            parts.push(format!("{name} {}", place(value)));
        }
    }
    if let Some(std) = column.std {
        let name = style.say("std", "标准差");
        parts.push(format!("{name} {}", number(std, style.lang)));
    }
    if let Some(outliers) = column.outliers.filter(|outliers| *outliers > 0) {
        parts.push(style.either(
            many(outliers, "outlier", "outliers"),
            format!("{} 个离群值", count(outliers)),
        ));
    }
    parts
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
    let (from, to) = across.range();
    let inside = |value: &f64| (from..=to).contains(value);
    for value in spread.outliers.iter().take(400).filter(|value| inside(value)) {
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
    if let Some(mean) = mean.filter(inside) {
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
