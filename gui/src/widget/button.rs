//! Buttons.

use iced::{Alignment, Length, widget};

use super::{focus::focusable, parts::tip};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, space},
};

/// What kind of button it is. One primary a screen at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one thing to do here.
    Primary,
    /// Something to do.
    Secondary,
    /// The same, less loud.
    Quiet,
    /// Only an icon.
    Icon,
    /// Words in a line of text.
    Link,
    /// Destroys something.
    Danger,
    /// The same, in a dialog that asks.
    DangerFilled,
}

/// A button being made: see [`button`].
pub struct Button<'a, Message> {
    label: std::borrow::Cow<'a, str>,
    kind: Kind,
    icon: Option<Icon>,
    small: bool,
    width: Length,
    on_press: Option<Message>,
    id: Option<widget::Id>,
}

/// A secondary button. Without [`Button::on_press`] it is disabled.
pub fn button<'a, Message: Clone + 'a>(
    label: impl Into<std::borrow::Cow<'a, str>>,
) -> Button<'a, Message> {
    Button {
        label: label.into(),
        kind: Kind::Secondary,
        icon: None,
        small: false,
        width: Length::Shrink,
        on_press: None,
        id: None,
    }
}

impl<'a, Message: Clone + 'a> Button<'a, Message> {
    /// The kind.
    pub fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// An icon before the label.
    pub fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(icon), ..self }
    }

    /// 28 high, in caption size.
    pub fn small(self) -> Self {
        Self { small: true, ..self }
    }

    /// As wide as there is room.
    pub fn fill(self) -> Self {
        Self { width: Length::Fill, ..self }
    }

    /// What it does.
    pub fn on_press(self, message: Message) -> Self {
        Self { on_press: Some(message), ..self }
    }

    /// What it does, where it can.
    pub fn on_press_maybe(self, on_press: Option<Message>) -> Self {
        Self { on_press, ..self }
    }

    /// A name by which it is focused.
    pub fn id(self, id: impl Into<widget::Id>) -> Self {
        Self { id: Some(id.into()), ..self }
    }
}

impl<'a, Message: Clone + 'a> From<Button<'a, Message>> for Element<'a, Message> {
    fn from(made: Button<'a, Message>) -> Self {
        let loud = matches!(made.kind, Kind::Primary | Kind::DangerFilled);
        let role = match (made.small, loud && made.on_press.is_some()) {
            (false, true) => Role::Strong,
            (false, false) => Role::Body,
            (true, true) => Role::CaptionStrong,
            (true, false) => Role::Caption,
        };
        let gap = if made.small { 6.0 } else { space::S };
        let mut content = widget::Row::new().spacing(gap).align_y(Alignment::Center);
        if let Some(icon) = made.icon {
            content = content.push(icon.view(if made.small { 14.0 } else { 16.0 }));
        }
        if !made.label.is_empty() {
            content = content.push(role.text(made.label).wrapping(widget::text::Wrapping::None));
        }
        let (height, padding) = match (made.kind, made.small) {
            (Kind::Link, _) => (20.0, 0.0),
            (_, true) => (theme::SMALL, 10.0),
            (_, false) => (theme::CONTROL, 12.0),
        };
        let inside = widget::container(content).center_y(Length::Fill);
        let inside = match made.width {
            Length::Fill => inside.center_x(Length::Fill),
            _ => inside,
        };
        let pressed = widget::button(inside)
            .padding([0.0, padding])
            .height(height)
            .width(made.width)
            .on_press_maybe(made.on_press.clone())
            .style(theme::button(made.kind));
        let focus = focusable(pressed, made.on_press);
        match made.id {
            Some(id) => focus.id(id).into(),
            None => focus.into(),
        }
    }
}

/// A square button of one icon; its words show under the pointer.
pub fn icon_button<'a, Message: Clone + 'a>(
    icon: Icon,
    words: &'a str,
    on_press: Option<Message>,
) -> Element<'a, Message> {
    let inside = widget::container(icon.view(16.0)).center(Length::Fill);
    let pressed = widget::button(inside)
        .padding(0)
        .width(theme::CONTROL)
        .height(theme::CONTROL)
        .on_press_maybe(on_press.clone())
        .style(theme::button(Kind::Icon));
    tip(focusable(pressed, on_press), words, widget::tooltip::Position::Bottom)
}

/// Anything that can be pressed: a row of a list, a card.
pub fn pressable<'a, Message: Clone + 'a>(
    content: impl Into<Element<'a, Message>>,
    chosen: bool,
    rounded: f32,
    on_press: Message,
) -> super::focus::Focus<'a, Message> {
    let pressed = widget::button(content)
        .padding(0)
        .on_press(on_press.clone())
        .style(theme::list_row(chosen, rounded));
    focusable(pressed, Some(on_press)).radius(rounded)
}
