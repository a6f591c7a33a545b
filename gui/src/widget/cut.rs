//! A line of text that is cut where there is no room, and shows the whole under the pointer.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use iced::{
    Background, Border, Event, Font, Length, Pixels, Point, Rectangle, Size, Vector,
    advanced::{
        Clipboard, Layout, Shell, Widget,
        layout::{Limits, Node},
        mouse, overlay, renderer,
        text::{self, LineHeight, Paragraph as _, Renderer as _, Shaping, Wrapping},
        widget::{
            Operation, Tree,
            tree::{self, Tag},
        },
    },
    alignment, mouse as pointer, window,
};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::theme::{Element, Role, Theme, radius};

type Paragraph = <iced::Renderer as text::Renderer>::Paragraph;

/// Until the whole text shows.
const DELAY: Duration = Duration::from_millis(500);
/// As wide as the whole may get.
const WIDEST: f32 = 480.0;
/// Stands for what was cut.
const REST: &str = "...";

/// A text of one line in the colour around it.
pub fn cut<'a>(content: impl Into<Cow<'a, str>>, role: Role) -> Cut<'a> {
    Cut {
        content: content.into(),
        role,
        style: |_| iced::widget::text::Style::default(),
        fill: false,
    }
}

/// See [`cut`].
pub struct Cut<'a> {
    content: Cow<'a, str>,
    role: Role,
    style: fn(&Theme) -> iced::widget::text::Style,
    fill: bool,
}

impl Cut<'_> {
    /// In a colour of its own.
    pub fn style(self, style: fn(&Theme) -> iced::widget::text::Style) -> Self {
        Self { style, ..self }
    }

    /// Takes all the width that there is.
    pub fn fill(self) -> Self {
        Self { fill: true, ..self }
    }
}

#[derive(Default)]
struct State {
    /// What was measured, and for which width.
    key: Option<(String, Role, u32)>,
    shown: Paragraph,
    whole: Option<Paragraph>,
    hovered: Option<Instant>,
}

impl<Message> Widget<Message, Theme, iced::Renderer> for Cut<'_> {
    fn tag(&self) -> Tag {
        Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(if self.fill { Length::Fill } else { Length::Shrink }, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, _: &iced::Renderer, limits: &Limits) -> Node {
        let state = tree.state.downcast_mut::<State>();
        let room = limits.max().width;
        let known = state.key.as_ref().is_some_and(|(text, role, width)| {
            text == self.content.as_ref() && *role == self.role && *width == room.to_bits()
        });
        if !known {
            let whole = paragraph(&self.content, self.role, f32::INFINITY);
            if whole.min_width() <= room {
                (state.shown, state.whole) = (whole, None);
            } else {
                let short = fitting(&self.content, self.role, room);
                state.shown = paragraph(&short, self.role, f32::INFINITY);
                state.whole = Some(paragraph(&self.content, self.role, WIDEST));
            }
            state.key = Some((self.content.to_string(), self.role, room.to_bits()));
        }
        let size = state.shown.min_bounds();
        let width = if self.fill { Length::Fill } else { Length::Shrink };
        Node::new(limits.resolve(width, Length::Shrink, size))
    }

    fn operate(
        &mut self,
        _: &mut Tree,
        layout: Layout<'_>,
        _: &iced::Renderer,
        operation: &mut dyn Operation,
    ) {
        operation.text(None, layout.bounds(), &self.content);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _: &iced::Renderer,
        _: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let moved = matches!(
            event,
            Event::Mouse(pointer::Event::CursorMoved { .. } | pointer::Event::CursorLeft)
                | Event::Window(window::Event::RedrawRequested(_))
        );
        if !moved || state.whole.is_none() {
            return;
        }
        match (cursor.is_over(layout.bounds()), state.hovered) {
            (true, None) => {
                let now = Instant::now();
                state.hovered = Some(now);
                shell.request_redraw_at(now + DELAY);
            }
            (true, Some(since)) if since.elapsed() >= DELAY => shell.invalidate_layout(),
            (false, Some(_)) => {
                state.hovered = None;
                shell.request_redraw();
            }
            _ => {}
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut iced::Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        _: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let color = (self.style)(theme).color.unwrap_or(style.text_color);
        renderer.fill_paragraph(&state.shown, layout.position(), color, *viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        _: &iced::Renderer,
        _: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, iced::Renderer>> {
        let state = tree.state.downcast_ref::<State>();
        let waited = state.hovered.is_some_and(|since| since.elapsed() >= DELAY);
        let whole = state.whole.as_ref().filter(|_| waited)?;
        let below =
            layout.position() + translation + Vector::new(0.0, layout.bounds().height + 4.0);
        Some(overlay::Element::new(Box::new(Whole { paragraph: whole, at: below })))
    }
}

/// The whole text, over everything.
struct Whole<'b> {
    paragraph: &'b Paragraph,
    at: Point,
}

impl<Message> overlay::Overlay<Message, Theme, iced::Renderer> for Whole<'_> {
    fn layout(&mut self, _: &iced::Renderer, bounds: Size) -> Node {
        let size = self.paragraph.min_bounds().expand(Size::new(16.0, 8.0));
        let x = self.at.x.min(bounds.width - size.width - 4.0).max(4.0);
        let y = self.at.y.min(bounds.height - size.height - 4.0).max(4.0);
        Node::new(size).move_to(Point::new(x, y))
    }

    fn draw(
        &self,
        renderer: &mut iced::Renderer,
        theme: &Theme,
        _: &renderer::Style,
        layout: Layout<'_>,
        _: mouse::Cursor,
    ) {
        let roles = theme.roles();
        renderer::Renderer::fill_quad(
            renderer,
            renderer::Quad {
                bounds: layout.bounds(),
                border: Border::default().rounded(radius::CONTROL),
                ..renderer::Quad::default()
            },
            Background::Color(roles.text),
        );
        let at = layout.position() + Vector::new(8.0, 4.0);
        renderer.fill_paragraph(self.paragraph, at, roles.bg, layout.bounds());
    }
}

impl<'a, Message: 'a> From<Cut<'a>> for Element<'a, Message> {
    fn from(cut: Cut<'a>) -> Self {
        Element::new(cut)
    }
}

fn paragraph(content: &str, role: Role, width: f32) -> Paragraph {
    let (size, line) = role.measure();
    let wraps = width.is_finite();
    Paragraph::with_text(text::Text {
        content,
        bounds: Size::new(width, f32::INFINITY),
        size: Pixels(size),
        line_height: LineHeight::Absolute(Pixels(line)),
        font: Font { ..role.font() },
        align_x: text::Alignment::Default,
        align_y: alignment::Vertical::Top,
        shaping: Shaping::Advanced,
        wrapping: if wraps { Wrapping::WordOrGlyph } else { Wrapping::None },
    })
}

/// A text as far as there is room for it.
pub(super) fn fitting(content: &str, role: Role, room: f32) -> String {
    let fits = |text: &str| paragraph(text, role, f32::INFINITY).min_width() <= room;
    match fits(content) {
        true => content.to_owned(),
        false => shortened(content, fits),
    }
}

/// The longest beginning of whole graphemes that fits with what stands for the rest.
fn shortened(content: &str, fits: impl Fn(&str) -> bool) -> String {
    let line = content.lines().next().unwrap_or_default();
    let ends: Vec<usize> =
        line.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
    let with_rest = |count: usize| match count {
        0 => REST.to_owned(),
        _ => format!("{}{REST}", line[..ends[count - 1]].trim_end()),
    };
    // What is wider does not fit either, so halving finds the last that does.
    let (mut fitting, mut wide) = (0, ends.len() + 1);
    while wide - fitting > 1 {
        let middle = usize::midpoint(fitting, wide);
        match fits(&with_rest(middle)) {
            true => fitting = middle,
            false => wide = middle,
        }
    }
    with_rest(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_graphemes() {
        let fits = |room: usize| move |text: &str| text.graphemes(true).count() <= room;
        assert_eq!(shortened("lecture-09.zip", fits(10)), "lecture...");
        assert_eq!(shortened("实验报告最终版", fits(6)), "实验报...");
        // A family is one grapheme of five code points, and stays whole or goes.
        assert_eq!(shortened("a👨‍👩‍👧bcdefg", fits(5)), "a👨‍👩‍👧...");
        assert_eq!(shortened("abc", fits(0)), "...");
    }
}
