//! Missing cells: a bar a column, and a ring of their parts. A full ring says that nothing is
//! missing.

use super::axis::{count, many, share};
use super::bars::{self, Bar, ROW};
use super::canvas::{Anchor, Canvas, LABEL, PAD, Path, SMALL, TITLE, TOP, WIDTH, fit_all};
use super::palette::{Paint, SERIES};
use super::{Drawn, Style};
use crate::{Numbers, font};

/// Bars at most.
const MOST: usize = 20;
/// Parts of the ring at most, without the rest; there are that many colours.
const PARTS: usize = SERIES;
const RADII: (f32, f32) = (112.0, 66.0);
/// From the square of a legend to its name.
const INDENT: f32 = 24.0;

/// Of a table without columns or rows there is none.
pub(super) fn missing(numbers: &Numbers, style: Style) -> Option<Drawn> {
    let mut columns: Vec<(&str, u64)> = numbers
        .columns
        .iter()
        .filter(|column| column.missing > 0)
        .map(|column| (column.name.as_str(), column.missing))
        .collect();
    let cells = numbers.rows.saturating_mul(numbers.columns.len() as u64);
    if cells == 0 {
        return None;
    }
    // Stable, so columns with as many stay in the order of the file.
    columns.sort_by_key(|column| std::cmp::Reverse(column.1));
    let total = columns.iter().fold(0, |sum: u64, column| sum.saturating_add(column.1));
    let mut subtitle = style.either(
        format!("{} of {} ({})", count(total), many(cells, "cell", "cells"), share(total, cells)),
        format!("{} 个单元格中缺 {} 个（{}）", count(cells), count(total), share(total, cells)),
    );
    if columns.len() > MOST {
        let all = count(columns.len() as u64);
        subtitle += &style.either(
            format!(" · the {MOST} of {all} columns with the most"),
            format!(" · 缺失最多的 {MOST} 列（共 {all} 列有缺失）"),
        );
    }
    let rows = columns.len().min(MOST) as f32;
    let height = TOP + (rows * ROW).max(2.0 * RADII.0 + 20.0) + PAD;
    let title = style.say("Missing values", "缺失值");
    let mut canvas = Canvas::new(style.theme, height, title, &subtitle);
    let centre = |x: f32| (x, TOP + RADII.0 + 8.0);
    if columns.is_empty() {
        complete(&mut canvas, centre(PAD + RADII.0), cells, style);
    } else {
        let bars: Vec<Bar> = columns.iter().take(MOST).map(|c| bar(c, numbers.rows)).collect();
        bars::draw(&mut canvas, (PAD, 650.0), TOP, &bars, &[]);
        ring(&mut canvas, centre(680.0 + RADII.0), &columns, total, style);
    }
    Some(canvas.finish())
}

fn bar((name, cells): &(&str, u64), rows: u64) -> Bar {
    Bar {
        label: (*name).to_owned(),
        value: *cells as f64,
        text: format!("{} ({})", count(*cells), share(*cells, rows)),
        paint: Paint::Series(0),
    }
}

fn complete(canvas: &mut Canvas, centre: (f32, f32), cells: u64, style: Style) {
    let mut path = Path::default();
    path.ring(centre, RADII, (0.0, 1.0));
    canvas.fill(&path, Paint::Series(2), 1.0, false);
    let baseline = centre.1 + TITLE * 0.36;
    canvas.text(centre.0, baseline, TITLE, Anchor::Middle, Paint::Ink, "100%");
    let text = style.either(
        match cells {
            1 => "The only cell has a value.".to_owned(),
            _ => format!("Every one of {} cells has a value.", count(cells)),
        },
        format!("{} 个单元格全部有值。", count(cells)),
    );
    let x = centre.0 + RADII.0 + PAD;
    canvas.text(x, centre.1 + LABEL * 0.36, LABEL, Anchor::Start, Paint::Ink, &text);
}

/// Parts below one percent, and those beyond the colours, are put together.
fn ring(
    canvas: &mut Canvas,
    centre: (f32, f32),
    columns: &[(&str, u64)],
    total: u64,
    style: Style,
) {
    let wide = |column: &&(&str, u64)| column.1 as f64 >= total as f64 * 0.01;
    let own = columns.iter().take(PARTS).take_while(wide).count();
    let rest: u64 = columns[own..].iter().fold(0, |sum, column| sum.saturating_add(column.1));
    let others = count((columns.len() - own) as u64);
    let others = style.either(format!("{others} more"), format!("其余 {others} 列"));
    let mut parts: Vec<(&str, u64, Paint)> = columns[..own]
        .iter()
        .enumerate()
        .map(|(number, column)| (column.0, column.1, Paint::Series(number)))
        .collect();
    if rest > 0 {
        parts.push((&others, rest, Paint::Rest));
    }
    let shares: Vec<String> = parts.iter().map(|part| share(part.1, total)).collect();
    let widest = shares.iter().map(|text| font::width(text, SMALL)).fold(0.0, f32::max);
    let x = centre.0 + RADII.0 + 28.0;
    let names: Vec<&str> = parts.iter().map(|part| part.0).collect();
    let labels = fit_all(&names, SMALL, WIDTH - PAD - widest - 12.0 - (x + INDENT));
    let middle = centre.1 + LABEL * 0.36;
    canvas.text(
        centre.0,
        middle,
        LABEL,
        Anchor::Middle,
        Paint::Ink,
        &super::axis::number(total as f64, style.lang),
    );
    let mut done = 0.0;
    for (_, cells, paint) in &parts {
        let next = done + *cells as f32 / total as f32;
        let mut path = Path::default();
        path.ring(centre, RADII, (done, next.min(1.0)));
        canvas.fill(&path, *paint, 1.0, false);
        if parts.len() > 1 {
            let mut edge = Path::default();
            edge.ring(centre, RADII, (done, done));
            canvas.stroke(&edge, Paint::Paper, 2.0, 1.0);
        }
        done = next;
    }
    for (row, (((name, _, paint), label), share)) in
        parts.iter().zip(&labels).zip(&shares).enumerate()
    {
        let y = TOP + row as f32 * 27.0;
        canvas.rect(x, y, 15.0, 15.0, *paint, 1.0);
        canvas.label((x + INDENT, y + 13.5), SMALL, Anchor::Start, (label, name));
        canvas.text(WIDTH - PAD, y + 13.5, SMALL, Anchor::End, Paint::Muted, share);
    }
}
