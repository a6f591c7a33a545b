//! The order in which people read lines: rows from above, each from the left; columns of running text one after the
//! other. In the direction in which most of the text runs, so that a turned page is read like an upright one.

use super::quad::Quad;

/// Lines of a column are at least this many times as wide as high, in the middle: shorter ones are a table, which is
/// read row by row.
const RUNNING: f32 = 6.0;
/// Least lines of a column.
const COLUMN: usize = 3;
/// Least gap between columns, in heights of a line.
const GAP: f32 = 0.5;
/// Of more lines than this no columns are looked for: it takes time with the square of their number.
const MAX_SEARCHED: usize = 200;

/// A line's upright bounds, as seen in the text's direction.
#[derive(Clone, Copy, Debug)]
struct Line {
    index: usize,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

/// The indices of lines in reading order.
pub(super) fn order(quads: &[Quad]) -> Vec<usize> {
    let (along, down) = direction(quads);
    let mut lines: Vec<Line> = quads
        .iter()
        .enumerate()
        .map(|(index, quad)| {
            let corners = quad.corners();
            let span = |axis: (f32, f32)| {
                let places = corners.iter().map(|p| p.0 * axis.0 + p.1 * axis.1);
                places.fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p), b.max(p)))
            };
            let ((left, right), (top, bottom)) = (span(along), span(down));
            Line { index, left, top, right, bottom }
        })
        .collect();
    lines.sort_by(|a, b| a.top.total_cmp(&b.top));
    let mut order = Vec::with_capacity(lines.len());
    blocks(lines, &mut order);
    order
}

/// Where most of the text runs, by its length, and the direction across it.
fn direction(quads: &[Quad]) -> ((f32, f32), (f32, f32)) {
    let mut votes = [0.0; 4];
    let ways = [(1.0f32, 0.0f32), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)];
    for quad in quads {
        let along = |way: &(f32, f32)| way.0 * quad.along.0 + way.1 * quad.along.1;
        let best = (0..4).max_by(|a, b| along(&ways[*a]).total_cmp(&along(&ways[*b])));
        votes[best.unwrap_or(0)] += quad.width;
    }
    let most = (0..4).rev().max_by(|a, b| votes[*a].total_cmp(&votes[*b])).unwrap_or(0);
    // The lines of a page that is not quite straight agree on their slant.
    let main: Vec<&Quad> = quads
        .iter()
        .filter(|quad| ways[most].0 * quad.along.0 + ways[most].1 * quad.along.1 > 0.7)
        .collect();
    let sum = main.iter().fold((0.0, 0.0), |sum: (f32, f32), quad| {
        (sum.0 + quad.along.0 * quad.width, sum.1 + quad.along.1 * quad.width)
    });
    let length = sum.0.hypot(sum.1);
    let along = if length > 0.0 { (sum.0 / length, sum.1 / length) } else { ways[most] };
    (along, (-along.1, along.0))
}

/// Lines from above, with columns one after the other where there are some.
fn blocks(lines: Vec<Line>, order: &mut Vec<usize>) {
    let found = (lines.len() <= MAX_SEARCHED).then(|| columns(&lines)).flatten();
    let Some((from, to, cut)) = found else {
        return rows(lines, order);
    };
    rows(lines[..from].to_vec(), order);
    let (left, right) = lines[from..to].iter().copied().partition(|line: &Line| middle(line) < cut);
    blocks(left, order);
    blocks(right, order);
    blocks(lines[to..].to_vec(), order);
}

/// The longest run of lines that stand in two columns or more, and a place between two of them.
fn columns(lines: &[Line]) -> Option<(usize, usize, f32)> {
    let count = lines.len();
    let mut best: Option<(usize, usize, f32)> = None;
    for from in 0..count {
        for to in (from + 2 * COLUMN..=count).rev() {
            if best.is_some_and(|(start, end, _)| end - start >= to - from) {
                break;
            }
            if let Some(cut) = gap(&lines[from..to]) {
                best = Some((from, to, cut));
                break;
            }
        }
    }
    best
}

/// A place that no line crosses, with running text on both sides.
fn gap(lines: &[Line]) -> Option<f32> {
    let mut by_left = lines.to_vec();
    by_left.sort_by(|a, b| a.left.total_cmp(&b.left));
    let high = median(lines.iter().map(|line| line.bottom - line.top).collect());
    let mut reach = f32::MIN;
    for (index, line) in by_left.iter().enumerate() {
        let enough = index >= COLUMN && by_left.len() - index >= COLUMN;
        if enough && line.left - reach >= GAP * high {
            let (left, right) = by_left.split_at(index);
            let running = |side: &[Line]| {
                median(side.iter().map(|line| line.right - line.left).collect()) >= RUNNING * high
            };
            // Columns stand beside each other, not one below the other.
            let span = |side: &[Line]| {
                let top = side.iter().map(|line| line.top).fold(f32::MAX, f32::min);
                let bottom = side.iter().map(|line| line.bottom).fold(f32::MIN, f32::max);
                (top, bottom)
            };
            let (one, two) = (span(left), span(right));
            let beside = one.0.max(two.0) < one.1.min(two.1);
            if running(left) && running(right) && beside {
                return Some((reach + line.left) / 2.0);
            }
        }
        reach = reach.max(line.right);
    }
    None
}

/// Rows from above, each from the left.
fn rows(lines: Vec<Line>, order: &mut Vec<usize>) {
    let mut rows: Vec<Vec<Line>> = Vec::new();
    for line in lines {
        let same = |row: &Vec<Line>| {
            row.first().is_some_and(|first| {
                let shared = first.bottom.min(line.bottom) - first.top.max(line.top);
                shared > 0.5 * (first.bottom - first.top).min(line.bottom - line.top)
            })
        };
        // Lines come from above, so that only the latest rows can be theirs.
        match rows.iter_mut().rev().take(4).find(|row| same(row)) {
            Some(row) => row.push(line),
            None => rows.push(vec![line]),
        }
    }
    for mut row in rows {
        row.sort_by(|a, b| a.left.total_cmp(&b.left));
        order.extend(row.iter().map(|line| line.index));
    }
}

fn middle(line: &Line) -> f32 {
    (line.left + line.right) / 2.0
}

fn median(mut numbers: Vec<f32>) -> f32 {
    numbers.sort_by(f32::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(x: f32, y: f32, width: f32) -> Quad {
        Quad { centre: (x + width / 2.0, y + 10.0), along: (1.0, 0.0), width, height: 20.0 }
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        // A title, two columns whose lines stand beside each other, a footer.
        let mut lines = vec![line(100.0, 0.0, 600.0)];
        for row in 0..5 {
            lines.push(line(0.0, 50.0 + 30.0 * row as f32, 380.0));
            lines.push(line(420.0, 52.0 + 30.0 * row as f32, 380.0));
        }
        lines.push(line(300.0, 300.0, 200.0));
        assert_eq!(order(&lines), [0, 1, 3, 5, 7, 9, 2, 4, 6, 8, 10, 11]);
    }

    #[test]
    fn tables_are_read_row_by_row() {
        let lines: Vec<Quad> = (0..8)
            .map(|index| line(200.0 * (index % 2) as f32, 40.0 * (index / 2) as f32, 60.0))
            .rev()
            .collect();
        assert_eq!(order(&lines), [7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn a_turned_page_is_read_like_an_upright_one() {
        let upright: Vec<Quad> = (0..6).map(|row| line(0.0, 30.0 * row as f32, 300.0)).collect();
        for (cos, sin) in [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (0.98, 0.199)] {
            let turn = |(x, y): (f32, f32)| (cos * x - sin * y, sin * x + cos * y);
            let turned: Vec<Quad> = upright
                .iter()
                .map(|quad| Quad { centre: turn(quad.centre), along: turn(quad.along), ..*quad })
                .collect();
            assert_eq!(order(&turned), [0, 1, 2, 3, 4, 5], "{cos} {sin}");
        }
        assert!(order(&[]).is_empty());
    }
}
