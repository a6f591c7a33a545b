//! How a column spreads, small enough for a row of a table.

use iced::{
    Color, Length, Point, Rectangle, Size, mouse,
    widget::{Canvas, canvas},
};
use potluck_analysis::numbers::ColumnNumbers;

use crate::theme::{Element, Theme};

/// Bars of a column of numbers.
const BARS: usize = 18;
/// Values of a column of texts; the others are one more.
const SHARES: usize = 5;
/// The hues of series, in an order in which neighbours differ.
const HUES: [usize; 6] = [0, 5, 4, 2, 3, 1];

/// The drawing; nothing where there is nothing to draw.
pub(super) fn view<'a, Message: 'a>(
    column: &ColumnNumbers,
    height: f32,
) -> Option<Element<'a, Message>> {
    let shape = match &column.histogram {
        Some(histogram) => Shape { bars: bars(&histogram.counts), shares: Vec::new() },
        // Dates and texts that hardly repeat have no shape.
        None if column.distinct > 0 && column.distinct * 2 < column.count => {
            Shape { bars: Vec::new(), shares: shares(column) }
        }
        None => return None,
    };
    Some(Canvas::new(shape).width(Length::Fill).height(height).into())
}

/// Bins put together until they fit, as parts of the highest.
fn bars(counts: &[u64]) -> Vec<f32> {
    let together = counts.len().div_ceil(BARS).max(1);
    let sums: Vec<u64> = counts.chunks(together).map(|bins| bins.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or_default().max(1);
    sums.iter().map(|sum| *sum as f32 / most as f32).collect()
}

/// The most frequent values as parts of all.
fn shares(column: &ColumnNumbers) -> Vec<f32> {
    let all = column.count.max(1) as f32;
    let shares: Vec<f32> =
        column.top.iter().take(SHARES).map(|(_, count)| *count as f32 / all).collect();
    let rest = 1.0 - shares.iter().sum::<f32>();
    shares.into_iter().chain((rest > 0.001).then_some(rest)).collect()
}

struct Shape {
    bars: Vec<f32>,
    shares: Vec<f32>,
}

impl<Message> canvas::Program<Message, Theme> for Shape {
    type State = ();

    fn draw(
        &self,
        (): &(),
        renderer: &iced::Renderer,
        theme: &Theme,
        bounds: Rectangle,
        _: mouse::Cursor,
    ) -> Vec<canvas::Geometry> {
        let mut frame = canvas::Frame::new(renderer, bounds.size());
        let (width, height) = (bounds.width, bounds.height);
        let roles = theme.roles();
        let mut fill = |x: f32, y: f32, width: f32, height: f32, color: Color| {
            frame.fill_rectangle(Point::new(x, y), Size::new(width, height), color);
        };
        let step = width / self.bars.len().max(1) as f32;
        for (at, bar) in self.bars.iter().enumerate() {
            if *bar > 0.0 {
                // What is there shows, however little it is.
                let high = (bar * height).max(1.0);
                fill(at as f32 * step, height - high, (step - 1.0).max(1.0), high, roles.primary);
            }
        }
        let mut x = 0.0;
        for (at, share) in self.shares.iter().enumerate() {
            let wide = share * width;
            let last = at >= SHARES;
            let color = if last { roles.line } else { roles.hues[HUES[at % 6]].0 };
            fill(x, height * 0.1, (wide - 1.0).max(1.0), height * 0.8, color);
            x += wide;
        }
        vec![frame.into_geometry()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bins_become_few_bars() {
        assert_eq!(bars(&[1, 2, 4]), [0.25, 0.5, 1.0]);
        assert_eq!(bars(&[1; 512]).len(), 18);
        assert!(bars(&[]).is_empty());
    }
}
