//! Long lists: only the rows that show are built and laid out.

use std::ops::Range;

use iced::{
    Length,
    widget::{Column, Id, Space, scrollable},
};

use crate::theme::{Element, Theme};

/// How wide a scrollbar is, and how far from the content.
const BAR: f32 = 6.0;

/// Rows that are built above and below what shows, so that a slow frame shows no gap.
const SPARE: usize = 4;

/// What part of a list shows. Lives in the state of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    offset: f32,
    height: f32,
}

impl Window {
    /// The list was scrolled.
    pub fn scrolled(&mut self, viewport: scrollable::Viewport) {
        self.offset = viewport.absolute_offset().y;
        self.height = viewport.bounds().height;
    }

    /// The rows to build.
    fn rows(&self, count: usize, row: f32) -> Range<usize> {
        // Before it was ever scrolled, its height is unknown: as much as the tallest screen.
        let height = if self.height > 0.0 { self.height } else { 2160.0 };
        let whole = |rows: f32| rows.max(0.0) as usize;
        let first = whole(self.offset / row).saturating_sub(SPARE).min(count);
        let last = whole(((self.offset + height) / row).ceil()).saturating_add(SPARE);
        first..last.min(count).max(first)
    }
}

/// Something that scrolls down. The bar is thin, and beside the content where there is more of it
/// than room.
pub fn scroll<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
) -> scrollable::Scrollable<'a, Message, Theme> {
    let bar = scrollable::Scrollbar::new().width(BAR).scroller_width(BAR).spacing(BAR);
    scrollable(content).direction(scrollable::Direction::Vertical(bar)).width(Length::Fill)
}

/// A list of `count` rows, each `row` high; `on_scroll` goes to [`Window::scrolled`].
pub fn list<'a, Message: 'a>(
    id: &'static str,
    count: usize,
    row: f32,
    window: Window,
    build: impl Fn(usize) -> Element<'a, Message>,
    on_scroll: impl Fn(scrollable::Viewport) -> Message + 'a,
) -> Element<'a, Message> {
    let rows = window.rows(count, row);
    let above = rows.start as f32 * row;
    let below = (count - rows.end) as f32 * row;
    let column = Column::new()
        .push(Space::new().height(above))
        .extend(rows.map(|index| {
            iced::widget::container(build(index)).height(row).width(Length::Fill).into()
        }))
        .push(Space::new().height(below));
    scroll(column).id(Id::new(id)).height(Length::Fill).on_scroll(on_scroll).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_shows_is_built() {
        let at = |offset, height| Window { offset, height }.rows(10_000, 44.0);
        assert_eq!(at(0.0, 440.0), 0..14);
        assert_eq!(at(44.0 * 5000.0, 440.0), 4996..5014);
        assert_eq!(at(44.0 * 9990.0, 440.0), 9986..10_000);
        // The list became shorter than where it was scrolled to.
        assert_eq!(Window { offset: 44.0 * 5000.0, height: 440.0 }.rows(3, 44.0), 3..3);
        assert_eq!(Window::default().rows(0, 44.0), 0..0);
    }
}
