//! Correlations as an annotated matrix in YlGnBu. The scale is always that of coefficients, -1 to
//! 1, so that a colour means the same in every table.

use super::canvas::{Anchor, Canvas, PAD, Path, SMALL, TOP, WIDTH, fit_all};
use super::palette::{Paint, wants_dark_text, ylgnbu};
use super::{Drawn, Style};
use crate::numbers::Matrix;
use crate::{Numbers, font};

/// Columns at most.
const MOST: usize = 40;
/// What the colour bar and its texts take at the right.
const BAR: f32 = 100.0;
const DARK: [u8; 3] = [0x15, 0x1c, 0x28];
const WHITE: [u8; 3] = [0xff, 0xff, 0xff];

/// Of fewer than two number columns, or without a coefficient of two, there is none.
pub(super) fn heatmap(numbers: &Numbers, style: Style) -> Option<Drawn> {
    let matrix = &numbers.correlation.pearson;
    let (names, all) = chosen(numbers, matrix);
    let compared = |name: &&str| {
        let others = matrix.get(*name).into_iter().flatten();
        others.filter(|(other, _)| other != name).any(|(_, value)| value.is_some())
    };
    if names.len() < 2 || !names.iter().any(compared) {
        return None;
    }
    let subtitle = match all > names.len() {
        false => style.say(
            "Pearson's coefficient over the rows where both columns have a value",
            "皮尔逊系数，按两列都有值的行计算",
        ),
        true => &style.either(
            format!("{} of {all} number columns; of those compared, the strongest", names.len()),
            format!("{all} 个数值列中的 {} 列：已比较的列中相关性最强者", names.len()),
        ),
    };
    let plan = Plan::new(&names);
    let title = style.say("Correlation", "相关系数");
    let mut canvas = Canvas::new(style.theme, plan.bottom() + plan.below + PAD, title, subtitle);
    plan.draw_names(&mut canvas, &names);
    plan.draw_cells(&mut canvas, &names, matrix);
    plan.draw_bar(&mut canvas);
    Some(canvas.finish())
}

/// Where everything stands.
struct Plan {
    labels: Vec<String>,
    left: f32,
    cell: (f32, f32),
    size: f32,
    rising: bool,
    below: f32,
}

impl Plan {
    fn new(names: &[&str]) -> Self {
        let n = names.len() as f32;
        let high = (700.0 / n).clamp(19.0, 150.0);
        let size = (high * 0.78).clamp(12.0, 17.0);
        let labels = fit_all(names, size, room(names.len()));
        let widest = labels.iter().map(|label| font::width(label, size)).fold(0.0, f32::max);
        let wide = |left: f32| (WIDTH - PAD - BAR - left) / n;
        let left = PAD + widest + 12.0;
        let rising = widest > wide(left) - 10.0;
        // The first rising name reaches to the left of its cell.
        let left = if rising { left.max(PAD + widest * 0.72 - wide(left) / 2.0) } else { left };
        let below = if rising { widest * 0.72 + size + 6.0 } else { size + 12.0 };
        Self {
            labels,
            left,
            cell: (wide(left), high.min(wide(left)).max(17.0)),
            size,
            rising,
            below,
        }
    }

    fn right(&self) -> f32 {
        self.left + self.cell.0 * self.labels.len() as f32
    }

    fn bottom(&self) -> f32 {
        TOP + self.cell.1 * self.labels.len() as f32
    }

    fn draw_names(&self, canvas: &mut Canvas, names: &[&str]) {
        for (number, (label, name)) in self.labels.iter().zip(names).enumerate() {
            let place = number as f32 + 0.5;
            let y = TOP + place * self.cell.1 + self.size * 0.36;
            canvas.label((self.left - 12.0, y), self.size, Anchor::End, (label, name));
            let (x, y) = (self.left + place * self.cell.0, self.bottom() + self.size + 6.0);
            if self.rising {
                let place = (x + self.size * 0.4, y - 2.0);
                canvas.rising_label(place, self.size, (label, name));
            } else {
                canvas.label((x, y), self.size, Anchor::Middle, (label, name));
            }
        }
    }

    fn draw_cells(&self, canvas: &mut Canvas, names: &[&str], matrix: &Matrix) {
        let (wide, high) = self.cell;
        let size = self.annotation();
        let gap = if wide > 30.0 { 1.5 } else { 0.0 };
        for (row, one) in names.iter().enumerate() {
            for (column, other) in names.iter().enumerate() {
                let (x, y) = (self.left + column as f32 * wide, TOP + row as f32 * high);
                let value = coefficient(matrix, one, other);
                let fill = value.map(colour).map_or(Paint::Grid, Paint::Fixed);
                canvas.rect(x, y, wide - gap, high - gap, fill, 1.0);
                let Some(size) = size else { continue };
                let text = value.map_or_else(|| "–".to_owned(), written);
                let paint = match value.map(colour) {
                    None => Paint::Muted,
                    Some(fill) if wants_dark_text(fill) => Paint::Fixed(DARK),
                    Some(_) => Paint::Fixed(WHITE),
                };
                let (x, y) = (x + (wide - gap) / 2.0, y + (high - gap) / 2.0 + size * 0.36);
                canvas.text(x, y, size, Anchor::Middle, paint, &text);
            }
        }
    }

    /// The size of the coefficients; none when they would not be readable in the cells.
    fn annotation(&self) -> Option<f32> {
        [18.0, 17.0, 16.0, 15.0, 14.0, 13.0, 12.0, 11.0].into_iter().find(|size| {
            font::width("-0.88", *size) <= self.cell.0 - 5.0 && size * 1.15 <= self.cell.1
        })
    }

    fn draw_bar(&self, canvas: &mut Canvas) {
        const STEPS: u8 = 64;
        let x = self.right() + 24.0;
        let high = (self.bottom() - TOP).min(480.0);
        for step in 0..STEPS {
            let mut path = Path::default();
            let part = high / f32::from(STEPS);
            path.rect(x, TOP + f32::from(STEPS - 1 - step) * part, 18.0, part);
            let colour = ylgnbu(step * 4 + 2);
            canvas.fill(&path, Paint::Fixed(colour), 1.0, true);
        }
        for (place, text) in
            [(0.0, "1.0"), (0.25, "0.5"), (0.5, "0.0"), (0.75, "-0.5"), (1.0, "-1.0")]
        {
            // A low matrix has no room for all.
            if high < 120.0 && place % 0.5 != 0.0 {
                continue;
            }
            let y = TOP + 5.0 + (high - 10.0) * place + SMALL * 0.36;
            canvas.text(x + 27.0, y, SMALL, Anchor::Start, Paint::Muted, text);
        }
    }
}

/// For a name; few columns leave more of it.
fn room(columns: usize) -> f32 {
    match columns {
        0..=12 => 330.0,
        13..=20 => 250.0,
        _ => 190.0,
    }
}

/// Number columns in the order of the file, and how many there are; of more than 40 those with
/// the strongest correlations.
fn chosen<'a>(numbers: &'a Numbers, matrix: &Matrix) -> (Vec<&'a str>, usize) {
    let names = numbers.columns.iter().map(|column| column.name.as_str());
    let mut names: Vec<&str> = names.filter(|name| matrix.contains_key(*name)).collect();
    let is_number = |kind: &str| matches!(kind, "integer" | "number");
    let all = numbers.columns.iter().filter(|column| is_number(&column.kind)).count();
    if names.len() > MOST {
        let strongest = |name: &str| -> f64 {
            let row = matrix.get(name).into_iter().flatten();
            let others = row.filter(|(other, _)| *other != name).filter_map(|(_, value)| *value);
            others.map(f64::abs).filter(|value| !value.is_nan()).fold(-1.0, f64::max)
        };
        let mut ranks: Vec<(usize, f64)> =
            names.iter().enumerate().map(|(place, name)| (place, strongest(name))).collect();
        ranks.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranks.truncate(MOST);
        ranks.sort_by_key(|rank| rank.0);
        names = ranks.into_iter().filter_map(|(place, _)| names.get(place).copied()).collect();
    }
    (names, all)
}

fn coefficient(matrix: &Matrix, one: &str, other: &str) -> Option<f64> {
    matrix.get(one)?.get(other).copied()?.filter(|value| value.is_finite())
}

/// As matplotlib finds the entry.
fn colour(value: f64) -> [u8; 3] {
    ylgnbu(((value + 1.0) / 2.0 * 256.0).clamp(0.0, 255.0) as u8)
}

/// With two decimals, never as -0.00.
pub(super) fn written(value: f64) -> String {
    if value.abs() < 0.005 { "0.00".to_owned() } else { format!("{value:.2}") }
}
