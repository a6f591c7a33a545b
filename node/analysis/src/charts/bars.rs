//! Horizontal bars: skewness in order, and the most frequent values of a text column.

use super::axis::{Axis, count, many, share};
use super::canvas::{Anchor, Canvas, LABEL, PAD, SMALL, TOP, WIDTH, fit_all, title_of};
use super::palette::Paint;
use super::{Drawn, Style};
use crate::facets::Category;
use crate::{Numbers, font};

/// Bars in one chart at most.
const MOST: usize = 30;
/// From bar to bar.
pub(super) const ROW: f32 = 36.0;
const THICK: f32 = 22.0;
/// Room for names, though never more than half of the chart.
const NAMES: f32 = 330.0;
/// Between a bar and its texts.
const GAP: f32 = 10.0;

/// A bar with a name before it and a text at its end.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) paint: Paint,
}

/// Draws one bar a row from `top` on, names at `left`, nothing beyond `right`. Negative bars go
/// to the left of the common zero. What is put together from the rest does not set the scale: its
/// bar is broken where it would be longer than all others. At `marks`, which the scale includes,
/// stand thin lines.
pub(super) fn draw(
    canvas: &mut Canvas,
    (left, right): (f32, f32),
    top: f32,
    bars: &[Bar],
    marks: &[f64],
) {
    let room = ((right - left) * 0.5).min(((right - left) * 0.36).max(NAMES));
    let names: Vec<&str> = bars.iter().map(|bar| bar.label.as_str()).collect();
    let labels = fit_all(&names, LABEL, room);
    let widest = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| font::width(text, LABEL)).fold(0.0, f32::max)
    };
    let start = left + widest(&mut labels.iter().map(String::as_str)) + GAP;
    let of_sign = |negative: bool| {
        bars.iter().filter(move |bar| (bar.value < 0.0) == negative).map(|bar| bar.text.as_str())
    };
    let before = widest(&mut of_sign(true));
    let from = start + before + if before > 0.0 { 2.5 * GAP } else { 0.0 };
    let to = right - widest(&mut of_sign(false)) - GAP;
    let own = bars.iter().filter(|bar| bar.paint != Paint::Rest);
    let values =
        || own.clone().map(|bar| bar.value).filter(|v| v.is_finite()).chain(marks.iter().copied());
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    // Without a bar of any length, a range to the right keeps zero at the left.
    let high = if low == high { 1.0 } else { high };
    let axis = Axis::new(low, high, from, to);
    let zero = axis.place(0.0);
    let bottom = top + bars.len() as f32 * ROW;
    for mark in marks {
        let x = axis.place(*mark);
        canvas.line((x, top), (x, bottom), Paint::Grid, 1.5);
        let text = mark.to_string();
        canvas.text(x, bottom + SMALL * 1.2, SMALL, Anchor::Middle, Paint::Muted, &text);
    }
    for (row, (bar, label)) in bars.iter().zip(&labels).enumerate() {
        let middle = top + (row as f32 + 0.5) * ROW;
        let baseline = middle + LABEL * 0.36;
        let end = axis.place(bar.value);
        let long = (end - zero).abs().max(if bar.value == 0.0 { 0.0 } else { 1.5 });
        let x = if bar.value < 0.0 { zero - long } else { zero };
        canvas.rect(x, middle - THICK / 2.0, long, THICK, bar.paint, 1.0);
        if bar.value > high {
            draw_break(canvas, (zero + end) / 2.0, middle);
        }
        let place = (start - GAP, baseline);
        canvas.label(place, LABEL, Anchor::End, (label, &bar.label));
        let (x, anchor) = match bar.value < 0.0 {
            true => (x - GAP, Anchor::End),
            false => (x + long + GAP, Anchor::Start),
        };
        canvas.text(x, baseline, LABEL, anchor, Paint::Ink, &bar.text);
    }
    canvas.line((zero, top), (zero, bottom), Paint::Muted, 1.5);
}

/// Two slanted gaps.
fn draw_break(canvas: &mut Canvas, x: f32, middle: f32) {
    for x in [x - 5.0, x + 5.0] {
        let (low, high) = ((x - 5.0, middle + 14.0), (x + 5.0, middle - 14.0));
        canvas.line(low, high, Paint::Paper, 4.0);
    }
}

/// Skewness of the number columns, largest first; the 30 furthest from 0 when there are more.
pub(super) fn skew(numbers: &Numbers, style: Style) -> Option<Drawn> {
    let known = |column: &crate::numbers::ColumnNumbers| {
        column.skew.filter(|skew| !skew.is_nan()).map(|skew| (column.name.clone(), skew))
    };
    let mut skews: Vec<(String, f64)> = numbers.columns.iter().filter_map(known).collect();
    let all = skews.len();
    if all == 0 {
        return None;
    }
    skews.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    skews.truncate(MOST);
    skews.sort_by(|a, b| b.1.total_cmp(&a.1));
    let bars: Vec<Bar> = skews
        .into_iter()
        .map(|(label, value)| Bar {
            label,
            value,
            text: rounded(value),
            paint: Paint::Series(usize::from(value.abs() > 1.0)),
        })
        .collect();
    let subtitle = match all > MOST {
        false => style.say(
            "0 is symmetric; beyond 1 on either side (orange) the tail is long",
            "0 为对称；绝对值大于 1（橙色）为明显偏斜",
        ),
        true => &style.either(
            format!("The {MOST} of {} columns that are furthest from 0", count(all as u64)),
            format!("{} 列中偏度绝对值最大的 {MOST} 列", count(all as u64)),
        ),
    };
    let height = TOP + bars.len() as f32 * ROW + PAD;
    let title = style.say("Skewness", "偏度");
    let mut canvas = Canvas::new(style.theme, height, title, subtitle);
    draw(&mut canvas, (PAD, WIDTH - PAD), TOP, &bars, &[-1.0, 1.0]);
    Some(canvas.finish())
}

/// The most frequent values of a column with their share.
pub(super) fn category(category: &Category, numbers: &Numbers, style: Style) -> Option<Drawn> {
    if category.top.is_empty() {
        return None;
    }
    let bar = |label: String, cells: u64, paint: Paint| Bar {
        label,
        value: cells as f64,
        text: format!("{} ({})", count(cells), share(cells, category.count)),
        paint,
    };
    let top = category.top.iter().take(MOST);
    let mut bars: Vec<Bar> =
        top.map(|(value, cells)| bar(value.clone(), *cells, Paint::Series(0))).collect();
    if category.others > 0 {
        let others = style.say("(all others)", "（其他）").to_owned();
        bars.push(bar(others, category.others, Paint::Rest));
    }
    let column = numbers.columns.iter().find(|column| column.name == category.column);
    let mut subtitle = style
        .either(many(category.count, "value", "values"), format!("{} 个值", count(category.count)));
    if let Some(column) = column {
        subtitle += &style.either(
            format!(" · {} different · {} missing", count(column.distinct), count(column.missing)),
            format!(" · {} 种不同 · {} 个缺失", count(column.distinct), count(column.missing)),
        );
    }
    let height = TOP + bars.len() as f32 * ROW + PAD;
    let (before, after) = style.pair(("Most frequent in ", ""), ("", " 的常见取值"));
    let title = title_of(before, &category.column, after);
    let mut canvas = Canvas::new(style.theme, height, &title, &subtitle);
    draw(&mut canvas, (PAD, WIDTH - PAD), TOP, &bars, &[]);
    Some(canvas.finish())
}

/// Skewness has no unit; two decimals say enough.
fn rounded(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.005 => "0.00".to_owned(),
        size if size < 1000.0 => format!("{value:.2}"),
        _ => super::axis::number(value, crate::Lang::En),
    }
}
