//! Two number columns against each other: dots, dots of a size when the same pairs come again and
//! again, or a grid of counts when there are many, with the line of least squares.

use std::collections::HashMap;

use super::axis::{Axis, count, many, number};
use super::canvas::{Anchor, Canvas, LABEL, PAD, Path, SMALL, TITLE, TOP, WIDTH, fit};
use super::heatmap::written;
use super::palette::Paint;
use super::plot::{Frame, Write, left_of};
use super::{Drawn, Style};
use crate::facets::{Marks, Scatter};
use crate::{Numbers, font};

const HEIGHT: f32 = 780.0;
/// Dots are drawn in that many layers, so that the alpha of those in one place adds up.
const LAYERS: usize = 12;
/// So many different pairs, that each come more often than that on average, have one dot each.
const DIFFERENT: usize = 400;
const OFTEN: usize = 4;
/// Diameters of the dot of the most frequent pair.
const WIDEST: (f32, f32) = (9.0, 46.0);
/// Shades of a grid.
const SHADES: usize = 24;
/// Cells that are looked at; whoever made more did not keep to the interface.
const CELLS: usize = 1 << 20;

/// Counts in a grid.
struct Grid {
    x: (f64, f64),
    y: (f64, f64),
    size: (usize, usize),
    counts: Vec<u32>,
}

/// `None` without a pair of finite values.
pub(super) fn scatter(scatter: &Scatter, numbers: &Numbers, style: Style) -> Option<Drawn> {
    let finite = |pair: &&(f64, f64)| pair.0.is_finite() && pair.1.is_finite();
    match &scatter.marks {
        Marks::Points(points) => {
            let points: Vec<(f64, f64)> = points.iter().filter(finite).copied().collect();
            let line = Line::of(&points);
            let all = points.len() as u64;
            let points = inside(points, scatter.shown);
            let ends = ends(&points)?;
            let repeated = Repeated::of(&points);
            let pairs = (points.len() as u64, all);
            let mut sheet = Sheet::new(scatter, numbers, (ends, pairs), line, style);
            if let Some(repeated) = &repeated {
                sheet.subtitle += &repeated.told(style);
                // Room for large dots at the ends.
                sheet.upward = sheet.upward.padded(0.03);
            }
            Some(sheet.draw(
                |canvas, across, upward| match &repeated {
                    Some(repeated) => repeated.draw(canvas, across, upward),
                    None => dots(canvas, &points, across, upward),
                },
                None,
            ))
        }
        Marks::Bins { x, y, size, counts, pairs, line } => {
            let grid = Grid { x: *x, y: *y, size: *size, counts: counts.clone() };
            let cells = size.0.checked_mul(size.1).filter(|cells| (1..=CELLS).contains(cells))?;
            if counts.len() != cells || ![x.0, x.1, y.0, y.1].iter().all(|end| end.is_finite()) {
                return None;
            }
            let inside = counts.iter().map(|&cells| u64::from(cells)).sum();
            let line = line.map(|(base, slope)| Line { base, slope });
            let shown = ((*x, *y), (inside, *pairs));
            let sheet = Sheet::new(scatter, numbers, shown, line, style);
            let most = grid.most();
            Some(sheet.draw(|canvas, across, upward| grid.draw(canvas, across, upward), most))
        }
    }
}

/// What is common to dots and grids.
struct Sheet {
    title: String,
    subtitle: String,
    frame: Frame,
    across: (f64, f64),
    upward: Axis,
    line: Option<Line>,
    names: (String, String),
    write: (Write, Write),
    style: Style,
}

type Ends = ((f64, f64), (f64, f64));

impl Sheet {
    /// `pairs` are those in the picture, and all.
    fn new(
        scatter: &Scatter,
        numbers: &Numbers,
        (ends, pairs): (Ends, (u64, u64)),
        line: Option<Line>,
        style: Style,
    ) -> Self {
        let end = format!(": r = {}", written(scatter.pearson));
        let room = (WIDTH - 2.0 * PAD - font::width(&end, TITLE) - font::width(" × ", TITLE)) / 2.0;
        let title =
            format!("{} × {}{end}", fit(&scatter.x, TITLE, room), fit(&scatter.y, TITLE, room));
        let (inside, all) = (count(pairs.0), count(pairs.1));
        let mut subtitle = match pairs.0 < pairs.1 {
            true => style.either(
                format!("{inside} of {all} pairs are in the picture"),
                format!("图中为 {all} 对中的 {inside} 对"),
            ),
            false => style.either(many(pairs.1, "pair", "pairs"), format!("{all} 对")),
        };
        if let Some(line) = &line {
            let (base, slope) =
                (number(line.base, style.lang), number(line.slope.abs(), style.lang));
            let sign = if line.slope < 0.0 { "-" } else { "+" };
            subtitle += &format!(" · y = {base} {sign} {slope} x");
        }
        let frame = Frame { left: 0.0, top: TOP + 30.0, right: WIDTH - PAD, bottom: HEIGHT - 76.0 };
        let upward = frame.upward(ends.1.0, ends.1.1).padded(0.04);
        let names = (scatter.x.clone(), scatter.y.clone());
        let write =
            |name: &str| Write::of(numbers.columns.iter().find(|column| column.name == name));
        let write = (write(&names.0), write(&names.1));
        Self { title, subtitle, frame, across: ends.0, upward, line, names, write, style }
    }

    /// `most` is what the darkest shade counts.
    fn draw(mut self, data: impl Fn(&mut Canvas, &Axis, &Axis), most: Option<u32>) -> Drawn {
        let mut canvas = Canvas::new(self.style.theme, HEIGHT, &self.title, &self.subtitle);
        let ticks = self.frame.upward_ticks(&self.upward, self.write.1, self.style);
        self.frame.left = left_of(&ticks);
        if let Some(most) = most {
            self.frame.right -= 96.0;
            draw_scale(&mut canvas, &self.frame, most, self.style);
        }
        let Frame { left, right, top, .. } = self.frame;
        let across = Axis::new(self.across.0, self.across.1, left, right).padded(0.03);
        self.frame.draw_upward(&mut canvas, &self.upward, &ticks);
        self.frame.draw_across(&mut canvas, &across, self.write.0, self.style, true);
        self.frame.draw_name_across(&mut canvas, &self.names.0);
        let name = fit(&self.names.1, LABEL, right - PAD);
        canvas.text(PAD, top - 18.0, LABEL, Anchor::Start, Paint::Ink, &name);
        data(&mut canvas, &across, &self.upward);
        if let Some(line) = &self.line {
            line.draw(&mut canvas, self.across, &across, &self.upward);
        }
        canvas.finish()
    }
}

/// `y = base + slope x`.
struct Line {
    base: f64,
    slope: f64,
}

impl Line {
    /// Of least squares; none when x does not vary.
    fn of(points: &[(f64, f64)]) -> Option<Self> {
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| -> f64 { points.iter().map(of).sum() };
        let all = points.len() as f64;
        let (x, y) = (sum(&|p| p.0) / all, sum(&|p| p.1) / all);
        let square = sum(&|p| (p.0 - x) * (p.0 - x));
        let slope = sum(&|p| (p.0 - x) * (p.1 - y)) / square;
        let base = y - slope * x;
        (square > 0.0 && slope.is_finite() && base.is_finite()).then_some(Self { base, slope })
    }

    /// Only where it is within the frame.
    fn draw(&self, canvas: &mut Canvas, ends: (f64, f64), across: &Axis, upward: &Axis) {
        let (low, high) = upward.range();
        let at = |y: f64| (y - self.base) / self.slope;
        let (mut from, mut to) = ends;
        if self.slope != 0.0 {
            let (one, other) = (at(low), at(high));
            from = from.max(one.min(other));
            to = to.min(one.max(other));
        }
        if from < to {
            let place = |x: f64| (across.place(x), upward.place(self.base + self.slope * x));
            // Without anything around it, which would hide data.
            canvas.line(place(from), place(to), Paint::Series(1), 2.5);
        }
    }
}

impl Grid {
    fn most(&self) -> Option<u32> {
        self.counts.iter().copied().max().filter(|most| *most > 0)
    }

    /// Corner `(column, row)` as a value.
    fn corner(&self, column: f64, row: f64) -> (f64, f64) {
        let between = |(low, high): (f64, f64), part: f64| low * (1.0 - part) + high * part;
        (between(self.x, column / self.size.0 as f64), between(self.y, row / self.size.1 as f64))
    }

    /// One path a shade: thousands of rectangles would make the drawing heavy.
    fn draw(&self, canvas: &mut Canvas, across: &Axis, upward: &Axis) {
        let most = self.most().unwrap_or(1);
        let mut shades: Vec<Path> = (0..=SHADES).map(|_| Path::default()).collect();
        for (place, &cells) in self.counts.iter().enumerate().filter(|(_, cells)| **cells > 0) {
            let (column, row) = ((place % self.size.0) as f64, (place / self.size.0) as f64);
            let (low, high) = (self.corner(column, row), self.corner(column + 1.0, row + 1.0));
            let (x, y) = (across.place(low.0), upward.place(high.1));
            let (w, h) = (across.place(high.0) - x, upward.place(low.1) - y);
            shades[(part(cells, most) * SHADES as f64) as usize].rect(x, y, w.max(1.0), h.max(1.0));
        }
        for (number, path) in shades.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            canvas.fill(path, Paint::Series(0), opacity(number), true);
        }
    }
}

/// Where a count stands between 0 and the most: by its logarithm, or else one full cell would
/// fade all others.
fn part(cells: u32, most: u32) -> f64 {
    (f64::from(cells).ln_1p() / f64::from(most.max(1)).ln_1p()).clamp(0.0, 1.0)
}

fn opacity(shade: usize) -> f32 {
    0.1 + 0.9 * shade as f32 / SHADES as f32
}

fn draw_scale(canvas: &mut Canvas, frame: &Frame, most: u32, style: Style) {
    let (x, high) = (frame.right + 28.0, 300.0);
    let caption = style.say("pairs", "对数");
    canvas.text(x, frame.top - 18.0, SMALL, Anchor::Start, Paint::Muted, caption);
    for shade in 0..=SHADES {
        let step = high / (SHADES + 1) as f32;
        let mut path = Path::default();
        path.rect(x, frame.top + (SHADES - shade) as f32 * step, 18.0, step);
        canvas.fill(&path, Paint::Series(0), opacity(shade), true);
    }
    let mut above = f32::NEG_INFINITY;
    let tens = (0..10).rev().map(|power| 10_u32.pow(power)).filter(|ten| *ten < most);
    for cells in std::iter::once(most).chain(tens) {
        let y = frame.top + 6.0 + (high - 6.0) * (1.0 - part(cells, most)) as f32;
        if y - above >= SMALL * 1.4 {
            let text = fit(&number(f64::from(cells), style.lang), SMALL, WIDTH - x - 32.0);
            canvas.text(x + 26.0, y + SMALL * 0.36, SMALL, Anchor::Start, Paint::Muted, &text);
            above = y;
        }
    }
}

fn dots(canvas: &mut Canvas, points: &[(f64, f64)], across: &Axis, upward: &Axis) {
    let (size, opacity) = match points.len() {
        0..=300 => (10.0, 0.6),
        301..=1500 => (7.5, 0.45),
        1501..=6000 => (5.5, 0.3),
        6001..=20_000 => (4.0, 0.2),
        _ => (3.0, 0.15),
    };
    let mut layers: Vec<Path> = (0..LAYERS).map(|_| Path::default()).collect();
    for (number, point) in points.iter().enumerate() {
        layers[number % LAYERS].dot((across.place(point.0), upward.place(point.1)));
    }
    for layer in layers.iter().filter(|layer| !layer.is_empty()) {
        canvas.stroke(layer, Paint::Series(0), size, opacity);
    }
}

/// Those that are shown: all when none would be.
fn inside(points: Vec<(f64, f64)>, shown: Option<Ends>) -> Vec<(f64, f64)> {
    let Some((across, upwards)) = shown else { return points };
    let within = |(from, to): (f64, f64), value: f64| from <= value && value <= to;
    let inside = |&(x, y): &(f64, f64)| within(across, x) && within(upwards, y);
    match points.iter().filter(|point| inside(point)).count() {
        0 => points,
        some if some == points.len() => points,
        _ => points.into_iter().filter(inside).collect(),
    }
}

/// Few different pairs, each with how often it comes; the most frequent first, so that small dots
/// lie upon large ones.
struct Repeated(Vec<((f64, f64), usize)>);

impl Repeated {
    fn of(points: &[(f64, f64)]) -> Option<Self> {
        let mut places: HashMap<(u64, u64), usize> = HashMap::new();
        let mut pairs: Vec<((f64, f64), usize)> = Vec::new();
        for &(x, y) in points {
            // Adding 0 makes -0 and 0 one value.
            let place =
                *places.entry(((x + 0.0).to_bits(), (y + 0.0).to_bits())).or_insert_with(|| {
                    pairs.push(((x, y), 0));
                    pairs.len() - 1
                });
            if pairs.len() > DIFFERENT {
                return None;
            }
            pairs[place].1 += 1;
        }
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.1));
        (pairs.len() < points.len() / OFTEN).then_some(Self(pairs))
    }

    fn most(&self) -> usize {
        self.0.first().map_or(1, |pair| pair.1).max(1)
    }

    fn told(&self, style: Style) -> String {
        let most = self.most() as u64;
        style.either(
            format!(" · the largest dot: {}", many(most, "pair", "pairs")),
            format!(" · 最大的点：{} 对", count(most)),
        )
    }

    /// Areas are as the counts. The largest dots do not touch when the pairs are a full grid.
    fn draw(&self, canvas: &mut Canvas, across: &Axis, upward: &Axis) {
        let at = |&((x, y), _): &((f64, f64), usize)| (across.place(x), upward.place(y));
        let places: Vec<(f32, f32)> = self.0.iter().map(at).collect();
        let apart = |mut places: Vec<f32>| {
            places.sort_by(f32::total_cmp);
            let gaps = places.windows(2).map(|pair| pair[1] - pair[0]);
            gaps.filter(|gap| *gap > 0.5).fold(f32::INFINITY, f32::min)
        };
        let x = apart(places.iter().map(|place| place.0).collect());
        let y = apart(places.iter().map(|place| place.1).collect());
        let widest = (x.min(y) * 0.9).clamp(WIDEST.0, WIDEST.1);
        let most = self.most() as f32;
        for (place, (_, times)) in places.iter().zip(&self.0) {
            let mut dot = Path::default();
            dot.dot(*place);
            let size = widest * (*times as f32 / most).sqrt();
            canvas.stroke(&dot, Paint::Series(0), size.max(2.0), 0.7);
        }
    }
}

fn ends(points: &[(f64, f64)]) -> Option<Ends> {
    let first = points.first()?;
    let widen = |ends: (f64, f64), value: f64| (ends.0.min(value), ends.1.max(value));
    let start = ((first.0, first.0), (first.1, first.1));
    Some(points.iter().fold(start, |(x, y), point| (widen(x, point.0), widen(y, point.1))))
}
