//! Choices: switch, segment, tabs.

use iced::{
    Alignment, Border, Length, Padding,
    keyboard::{Key, key::Named},
    widget::{self, Column, Row, Space, container},
};

use super::{
    cut::{cut, fitting},
    focus::focusable,
    parts,
};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, Theme, radius, space},
};

/// On or off.
pub fn switch<'a, Message: Clone + 'a>(on: bool, change: Option<Message>) -> Element<'a, Message> {
    let off = change.is_none();
    let knob = if on { 14.0 } else { 12.0 };
    let dot = container(Space::new()).width(knob).height(knob).style(move |theme: &Theme| {
        let roles = theme.roles();
        let color = if on { roles.on_primary } else { roles.edge };
        container::Style {
            background: Some(color.into()),
            border: Border::default().rounded(99.0),
            ..container::Style::default()
        }
    });
    let track = container(dot)
        .width(36)
        .height(20)
        .padding(if on { 3.0 } else { 4.0 })
        .align_x(if on { Alignment::End } else { Alignment::Start })
        .style(move |theme: &Theme| {
            let roles = theme.roles();
            let half = |color: iced::Color| iced::Color { a: if off { 0.5 } else { 1.0 }, ..color };
            container::Style {
                background: Some(half(if on { roles.primary } else { roles.surface }).into()),
                border: Border {
                    color: half(if on { roles.primary } else { roles.edge }),
                    width: 1.0,
                    radius: 10.0.into(),
                },
                ..container::Style::default()
            }
        });
    let pressed = widget::button(track)
        .padding(0)
        .on_press_maybe(change.clone())
        .style(|_, _| widget::button::Style::default());
    focusable(pressed, change).radius(10.0).into()
}

/// One of a few. An option is an icon, a word and what it means; words go where there is no room.
pub fn segment<'a, T: Copy + PartialEq, Message: Clone + 'a>(
    options: &[(Option<Icon>, &'a str, T)],
    chosen: T,
    short: bool,
    on_choose: impl Fn(T) -> Message,
) -> Element<'a, Message> {
    let at = options.iter().position(|(_, _, value)| *value == chosen).unwrap_or_default();
    let beside = |step: usize| {
        let next = (at + step) % options.len();
        options.get(next).map(|(_, _, value)| on_choose(*value))
    };
    let (next, previous) = (beside(1), beside(options.len().saturating_sub(1)));
    let parts = options.iter().map(|(icon, words, value)| {
        let on = *value == chosen;
        let words_show = !(short && icon.is_some());
        let inside = Row::new()
            .push(icon.map(|icon| icon.view(14.0)))
            .push(words_show.then(|| {
                let role = if on { Role::Strong } else { Role::Body };
                role.text(*words).wrapping(widget::text::Wrapping::None)
            }))
            .spacing(6)
            .align_y(Alignment::Center);
        widget::button(container(inside).center_y(Length::Fill))
            .height(26)
            .padding([0, 12])
            .on_press(on_choose(*value))
            .style(move |theme: &Theme, status| part(theme, status, on))
            .into()
    });
    let inside = container(Row::with_children(parts)).padding(2).style(theme::rail);
    // One stop for the keyboard; arrows choose.
    focusable(inside, None)
        .on_key(move |key| match key {
            Key::Named(Named::ArrowRight | Named::ArrowDown) => next.clone(),
            Key::Named(Named::ArrowLeft | Named::ArrowUp) => previous.clone(),
            _ => None,
        })
        .into()
}

fn part(theme: &Theme, status: widget::button::Status, on: bool) -> widget::button::Style {
    let roles = theme.roles();
    let hovered = status == widget::button::Status::Hovered;
    widget::button::Style {
        background: on.then(|| roles.surface.into()),
        text_color: if on || hovered { roles.text } else { roles.muted },
        border: Border {
            color: if on { roles.line } else { iced::Color::TRANSPARENT },
            width: if on { 1.0 } else { 0.0 },
            radius: radius::INNER.into(),
        },
        ..widget::button::Style::default()
    }
}

/// Parts of a screen, one at a time, each with the count of what is in it, where that is worth a look.
/// They scroll sideways where there is no room.
pub fn tabs<'a, T: Copy + PartialEq, Message: Clone + 'a>(
    options: &[(usize, &'a str, T)],
    chosen: T,
    on_choose: impl Fn(T) -> Message,
) -> Element<'a, Message> {
    let parts = options.iter().map(|(count, words, value)| {
        let on = *value == chosen;
        let role = if on { Role::Strong } else { Role::Body };
        let inside = Row::new()
            .push(role.text(*words).wrapping(widget::text::Wrapping::None))
            .push(parts::count(*count))
            .spacing(6)
            .align_y(Alignment::Center);
        let line =
            container(Space::new()).width(Length::Fill).height(2).style(move |theme: &Theme| {
                let color = if on { theme.roles().primary } else { iced::Color::TRANSPARENT };
                container::Style { background: Some(color.into()), ..container::Style::default() }
            });
        let inside = Column::new()
            .push(container(inside).center_y(38).padding(Padding::from([0.0, space::M])))
            .push(line)
            .width(Length::Shrink);
        let pressed = widget::button(inside).padding(0).on_press(on_choose(*value)).style(
            move |theme: &Theme, status| widget::button::Style {
                background: None,
                border: Border::default(),
                ..part(theme, status, on)
            },
        );
        focusable(pressed, Some(on_choose(*value))).into()
    });
    let line = widget::scrollable(Row::with_children(parts).spacing(space::XS))
        .direction(widget::scrollable::Direction::Horizontal(
            widget::scrollable::Scrollbar::hidden(),
        ))
        .width(Length::Fill);
    Column::new().push(line).push(super::hr()).into()
}

/// What a menu needs beside its words.
const SIDES: f32 = 22.0;

/// One of many, in a list that opens. Arrows choose, too.
pub fn pick<'a, T: Clone + PartialEq + 'a, Message: Clone + 'a>(
    options: Vec<(String, T)>,
    chosen: &T,
    width: impl Into<Length>,
    on_choose: impl Fn(T) -> Message + 'a,
) -> Element<'a, Message> {
    let count = options.len().max(1);
    let at = options.iter().position(|(_, value)| value == chosen);
    let beside = |step: usize| {
        let next = at.map_or(0, |at| (at + step) % count);
        options.get(next).map(|(_, value)| on_choose(value.clone()))
    };
    let (next, previous) = (beside(1), beside(count - 1));
    let width = width.into();
    // The menu does not cut what is too long.
    let fitted = |name: String| match width {
        Length::Fixed(width) => fitting(&name, Role::Body, width - SIDES),
        _ => name,
    };
    let options: Vec<Labelled<T>> =
        options.into_iter().map(|(name, value)| Labelled { name: fitted(name), value }).collect();
    let shown = at.and_then(|at| options.get(at).cloned());
    let words = shown.as_ref().map(|shown| shown.name.clone()).unwrap_or_default();
    let (size, line) = Role::Body.measure();
    let list = widget::PickList::new(options, shown, move |named| on_choose(named.value))
        .text_size(size)
        .text_line_height(widget::text::LineHeight::Absolute(line.into()))
        .font(Role::Body.font())
        .width(width)
        .padding([(theme::CONTROL - line) / 2.0, 10.0])
        .handle(widget::pick_list::Handle::None)
        .style(theme::wordless_pick);
    // Words that the list draws itself are not cut off where something scrolls: a flaw of this renderer.
    let words = Row::new()
        .push(cut(words, Role::Body).style(theme::plain_text).fill())
        .push(Icon::ChevronDown.view(14.0).style(theme::muted))
        .spacing(space::S)
        .align_y(Alignment::Center);
    let words = container(words).center_y(theme::CONTROL).padding([0.0, 10.0]).width(width);
    focusable(widget::stack![list, words].width(width), None)
        .on_key(move |key| match key {
            Key::Named(Named::ArrowDown | Named::ArrowRight) => next.clone(),
            Key::Named(Named::ArrowUp | Named::ArrowLeft) => previous.clone(),
            _ => None,
        })
        .into()
}

/// A value with the words that stand for it.
#[derive(Clone)]
struct Labelled<T> {
    name: String,
    value: T,
}

impl<T: PartialEq> PartialEq for Labelled<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T> std::fmt::Display for Labelled<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
