//! How something appears: it rises a little into its place, once. Frames are asked for only meanwhile.

use std::time::{Duration, Instant};

use iced::{
    Animation, Event, Length, Rectangle, Size, Vector,
    advanced::{
        Clipboard, Layout, Renderer as _, Shell, Widget,
        layout::{Limits, Node},
        mouse, overlay, renderer,
        widget::{
            Operation, Tree,
            tree::{self, Tag},
        },
    },
    animation::Easing,
    window,
};

use crate::theme::{Element, Theme};

/// How far it rises.
const WAY: f32 = 8.0;
/// How long that takes.
const TIME: Duration = Duration::from_millis(160);

/// Content that rises into its place when it appears; without `motion` it stands there at once.
pub fn rise<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    motion: bool,
) -> Element<'a, Message> {
    Element::new(Rise { content: content.into(), motion })
}

struct Rise<'a, Message> {
    content: Element<'a, Message>,
    motion: bool,
}

/// From the first frame on which it stands.
#[derive(Default)]
struct State {
    rising: Option<Animation<bool>>,
    left: f32,
}

impl State {
    /// How far it is from its place now. Says whether it moves on.
    fn step(&mut self, now: Instant) -> bool {
        let rising = self.rising.get_or_insert_with(|| {
            Animation::new(false).duration(TIME).easing(Easing::EaseOut).go(true, now)
        });
        self.left = rising.interpolate(WAY, 0.0, now);
        rising.is_animating(now)
    }
}

impl<Message> Widget<Message, Theme, iced::Renderer> for Rise<'_, Message> {
    fn tag(&self) -> Tag {
        Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.content.as_widget().size_hint()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &iced::Renderer, limits: &Limits) -> Node {
        self.content.as_widget_mut().layout(&mut tree.children[0], renderer, limits)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &iced::Renderer,
        operation: &mut dyn Operation,
    ) {
        self.content.as_widget_mut().operate(&mut tree.children[0], layout, renderer, operation);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &iced::Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if let Event::Window(window::Event::RedrawRequested(now)) = event
            && self.motion
            && tree.state.downcast_mut::<State>().step(*now)
        {
            shell.request_redraw();
        }
        let inside = &mut tree.children[0];
        self.content
            .as_widget_mut()
            .update(inside, event, layout, cursor, renderer, clipboard, shell, viewport);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &iced::Renderer,
    ) -> mouse::Interaction {
        let inside = &tree.children[0];
        self.content.as_widget().mouse_interaction(inside, layout, cursor, viewport, renderer)
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut iced::Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let left = if self.motion { tree.state.downcast_ref::<State>().left } else { 0.0 };
        let inside = &tree.children[0];
        renderer.with_translation(Vector::new(0.0, left), |renderer| {
            self.content.as_widget().draw(inside, renderer, theme, style, layout, cursor, viewport);
        });
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &iced::Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, iced::Renderer>> {
        let inside = &mut tree.children[0];
        self.content.as_widget_mut().overlay(inside, layout, renderer, viewport, translation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_arrives_and_then_asks_for_no_more_frames() {
        let start = Instant::now();
        let mut state = State::default();
        assert!(state.step(start));
        assert!((state.left - WAY).abs() < 0.01);
        assert!(state.step(start + TIME / 2));
        assert!(state.left > 0.0 && state.left < WAY);
        assert!(!state.step(start + TIME * 2));
        assert!(state.left.abs() < f32::EPSILON);
    }
}
