//! Focus for what is no text field: a ring, Tab, Enter and Space for every control.
//!
//! iced moves the focus only between text fields. [`focusable`] wraps a control so that it takes
//! part: `operation::focus_next` finds it, Enter and Space press it, and a ring shows where the
//! keyboard is. A click moves the keyboard too, without a ring. [`inert`] takes a whole page out of
//! all that, behind a dialog.

use iced::{
    Background, Border, Color, Event, Length, Rectangle, Size, Vector,
    advanced::{
        Clipboard, Layout, Shell, Widget,
        layout::{Limits, Node},
        mouse, overlay, renderer,
        widget::{
            Id, Operation, Tree,
            operation::Focusable,
            tree::{self, Tag},
        },
    },
    keyboard::{self, Key, key::Named},
    mouse as pointer, touch,
};

use crate::theme::{Element, Theme};

/// From the control to the ring.
const GAP: f32 = 2.0;
/// How wide the ring is.
const RING: f32 = 2.0;

/// What a key does while the control has the keyboard; `None` leaves the key to others.
type OnKey<'a, Message> = Box<dyn Fn(&Key) -> Option<Message> + 'a>;

/// A control that takes the keyboard.
pub struct Focus<'a, Message> {
    content: Element<'a, Message>,
    id: Option<Id>,
    on_press: Option<Message>,
    on_key: Option<OnKey<'a, Message>>,
    radius: f32,
}

/// Wraps a control: Enter and Space send `on_press`; without one it cannot be reached.
pub fn focusable<'a, Message: Clone + 'a>(
    content: impl Into<Element<'a, Message>>,
    on_press: Option<Message>,
) -> Focus<'a, Message> {
    Focus {
        content: content.into(),
        id: None,
        on_press,
        on_key: None,
        radius: crate::theme::radius::CONTROL,
    }
}

impl<'a, Message> Focus<'a, Message> {
    /// A name by which it is focused.
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Further keys, such as arrows.
    pub fn on_key(mut self, on_key: impl Fn(&Key) -> Option<Message> + 'a) -> Self {
        self.on_key = Some(Box::new(on_key));
        self
    }

    /// The corners of the control.
    pub fn radius(mut self, radius: f32) -> Self {
        self.radius = radius;
        self
    }
}

#[derive(Default)]
struct State {
    focused: bool,
    /// The keyboard brought the focus here, so a ring shows it.
    ring: bool,
}

impl Focusable for State {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        *self = Self { focused: true, ring: true };
    }

    fn unfocus(&mut self) {
        *self = Self::default();
    }
}

impl<Message: Clone> Widget<Message, Theme, iced::Renderer> for Focus<'_, Message> {
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
        if self.on_press.is_some() || self.on_key.is_some() {
            let state = tree.state.downcast_mut::<State>();
            operation.focusable(self.id.as_ref(), layout.bounds(), state);
        } else {
            tree.state.downcast_mut::<State>().unfocus();
        }
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
        let inside = &mut tree.children[0];
        self.content
            .as_widget_mut()
            .update(inside, event, layout, cursor, renderer, clipboard, shell, viewport);
        let state = tree.state.downcast_mut::<State>();
        match event {
            Event::Mouse(pointer::Event::ButtonPressed(pointer::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                let focused = self.on_press.is_some() && cursor.is_over(layout.bounds());
                if state.ring {
                    shell.request_redraw();
                }
                *state = State { focused, ring: false };
            }
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. })
                if state.focused && !shell.is_event_captured() =>
            {
                let plain = !(modifiers.control() || modifiers.alt() || modifiers.logo());
                let pressed = matches!(key, Key::Named(Named::Enter | Named::Space));
                let message = match &self.on_press {
                    Some(message) if plain && pressed => Some(message.clone()),
                    _ => self.on_key.as_ref().and_then(|on_key| on_key(key)),
                };
                if let Some(message) = message {
                    state.ring = true;
                    shell.publish(message);
                    shell.capture_event();
                }
            }
            _ => {}
        }
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
        let inside = &tree.children[0];
        self.content.as_widget().draw(inside, renderer, theme, style, layout, cursor, viewport);
        let state = tree.state.downcast_ref::<State>();
        if state.focused && state.ring {
            renderer::Renderer::fill_quad(
                renderer,
                renderer::Quad {
                    bounds: layout.bounds().expand(GAP + RING),
                    border: Border {
                        color: theme.roles().primary,
                        width: RING,
                        radius: (self.radius + GAP + RING).into(),
                    },
                    ..renderer::Quad::default()
                },
                Background::Color(Color::TRANSPARENT),
            );
        }
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

impl<'a, Message: Clone + 'a> From<Focus<'a, Message>> for Element<'a, Message> {
    fn from(focus: Focus<'a, Message>) -> Self {
        Element::new(focus)
    }
}

/// A page that is seen and does nothing while `still`: what lies behind a dialog.
pub fn inert<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    still: bool,
) -> Element<'a, Message> {
    Element::new(Inert { content: content.into(), still })
}

struct Inert<'a, Message> {
    content: Element<'a, Message>,
    still: bool,
}

impl<Message> Widget<Message, Theme, iced::Renderer> for Inert<'_, Message> {
    fn tag(&self) -> Tag {
        self.content.as_widget().tag()
    }

    fn state(&self) -> tree::State {
        self.content.as_widget().state()
    }

    fn children(&self) -> Vec<Tree> {
        self.content.as_widget().children()
    }

    fn diff(&self, tree: &mut Tree) {
        self.content.as_widget().diff(tree);
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn size_hint(&self) -> Size<Length> {
        self.content.as_widget().size_hint()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &iced::Renderer, limits: &Limits) -> Node {
        self.content.as_widget_mut().layout(tree, renderer, limits)
    }

    fn operate(
        &mut self,
        tree: &mut Tree,
        layout: Layout<'_>,
        renderer: &iced::Renderer,
        operation: &mut dyn Operation,
    ) {
        if !self.still {
            self.content.as_widget_mut().operate(tree, layout, renderer, operation);
        }
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
        // What follows time or size goes on; hands are kept off.
        if !self.still || matches!(event, Event::Window(_)) {
            let content = self.content.as_widget_mut();
            content.update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &iced::Renderer,
    ) -> mouse::Interaction {
        match self.still {
            true => mouse::Interaction::None,
            false => {
                self.content.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
            }
        }
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
        self.content.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &iced::Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, iced::Renderer>> {
        match self.still {
            true => None,
            false => {
                self.content.as_widget_mut().overlay(tree, layout, renderer, viewport, translation)
            }
        }
    }
}
