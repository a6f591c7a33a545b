//! Small parts: badges, bars, cards, avatars, fields.

use std::{borrow::Cow, time::Duration};

use iced::{
    Alignment, Length, Padding,
    widget::{Column, Row, Space, column, container, row, rule, stack, text_input, tooltip},
};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{button::button, cut::cut};
use crate::{
    icon::Icon,
    theme::{self, Element, Role, Tone, radius, space},
};

/// Words under the pointer, after half a second.
pub fn tip<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    words: &'a str,
    position: tooltip::Position,
) -> Element<'a, Message> {
    let words = container(Role::Caption.text(words)).padding([4, 8]).style(theme::tip);
    tooltip(content, words, position).gap(4).delay(Duration::from_millis(500)).into()
}

/// A badge: an icon and a word.
pub fn badge<'a, Message: 'a>(
    icon: Option<Icon>,
    words: impl Into<Cow<'a, str>>,
    tone: Tone,
) -> Element<'a, Message> {
    let line = Row::new()
        .push(icon.map(|icon| icon.view(12.0)))
        .push(Role::Caption.text(words.into()).wrapping(iced::widget::text::Wrapping::None))
        .spacing(space::XS)
        .align_y(Alignment::Center);
    container(line).height(20).padding([0, 8]).center_y(20).style(theme::badge(tone)).into()
}

/// A count; nothing where there is nothing to count.
pub fn count<'a, Message: 'a>(number: usize) -> Option<Element<'a, Message>> {
    let words = match number {
        0 => return None,
        1..=99 => number.to_string(),
        _ => "99+".to_owned(),
    };
    let width = if words.len() == 1 { Length::Fixed(20.0) } else { Length::Shrink };
    let pill = container(Role::CaptionStrong.text(words))
        .padding([0, if width == Length::Shrink { 6 } else { 0 }])
        .center_y(20)
        .align_x(Alignment::Center)
        .width(width)
        .style(theme::count);
    Some(pill.into())
}

/// A bar, filled from 0 to 1.
pub fn bar<'a, Message: 'a>(share: f32, tone: Tone, height: f32) -> Element<'a, Message> {
    // Portions need whole numbers; a thousandth is finer than any bar is wide.
    let filled = (share.clamp(0.0, 1.0) * 1000.0).round() as u16;
    let portion = |part: u16| match part {
        0 => Length::Fixed(0.0),
        part => Length::FillPortion(part),
    };
    let fill = container(Space::new()).style(theme::accent(tone)).height(height);
    let line = row![fill.width(portion(filled)), Space::new().width(portion(1000 - filled))];
    container(line).width(Length::Fill).height(height).style(theme::bar).into()
}

/// A card with padding.
pub fn card<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).padding(space::L).width(Length::Fill).style(theme::card).into()
}

/// A note: an icon and a sentence on a tint.
pub fn note<'a, Message: 'a>(
    icon: Icon,
    words: impl Into<Cow<'a, str>>,
    tone: Tone,
) -> Element<'a, Message> {
    let icon = icon.view(16.0).style(move |theme: &theme::Theme| iced::widget::text::Style {
        color: Some(tone.colors(theme).0),
    });
    let icon = container(icon).padding(Padding::ZERO.top(2));
    let line = row![icon, Role::Body.text(words.into()).width(Length::Fill)].spacing(10);
    container(line).padding([10, 12]).width(Length::Fill).style(theme::note(tone)).into()
}

/// A person: the first letter on the hue of the id; a dot says whether they are on.
pub fn avatar<'a, Message: 'a>(
    name: &str,
    id: &str,
    size: f32,
    on: Option<bool>,
) -> Element<'a, Message> {
    let letter = name.graphemes(true).next().unwrap_or("?").to_uppercase();
    let role = if size > 28.0 { Role::Strong } else { Role::CaptionStrong };
    let circle = container(role.text(letter)).center(size).style(theme::hue(theme::hue_of(id)));
    let dot = on.map(|on| {
        let tone = if on { Tone::Success } else { Tone::Neutral };
        let dot = container(Space::new()).width(8).height(8).style(theme::accent(tone));
        let ring = container(dot).padding(2).style(|theme: &theme::Theme| {
            let roles = theme.roles();
            container::Style {
                background: Some(roles.surface.into()),
                border: iced::Border::default().rounded(99.0),
                ..container::Style::default()
            }
        });
        container(ring).align_right(size).align_bottom(size)
    });
    stack![circle].push(dot).width(size).height(size).into()
}

/// A machine or a capability: its icon on a square.
pub fn tile<'a, Message: 'a>(icon: Icon, size: f32, tone: Tone) -> Element<'a, Message> {
    let rounded = if size > 32.0 { radius::CARD } else { radius::CONTROL };
    let inside = icon.view(if size > 32.0 { 18.0 } else { 16.0 });
    container(inside).center(size).style(theme::tile(tone, rounded)).into()
}

/// A line between things.
pub fn hr<'a, Message: 'a>() -> Element<'a, Message> {
    rule::horizontal(1).into()
}

/// A key of the keyboard.
pub fn key<'a, Message: 'a>(name: &'a str) -> Element<'a, Message> {
    container(Role::Caption.text(name).style(theme::muted))
        .padding([0, 5])
        .style(theme::well)
        .into()
}

/// A text field with a line below it where its content is wrong.
pub fn field<'a, Message: Clone + 'a>(
    placeholder: &'a str,
    value: &'a str,
    wrong: Option<&'a str>,
    role: Role,
    id: &'static str,
    on_input: impl Fn(String) -> Message + 'a,
    on_submit: Option<Message>,
) -> Element<'a, Message> {
    let (size, line) = role.measure();
    let input = text_input(placeholder, value)
        .id(id)
        .on_input(on_input)
        .on_submit_maybe(on_submit)
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(line.into()))
        .font(role.font())
        .padding(Padding::from([(theme::CONTROL - line) / 2.0, 10.0]))
        .style(move |theme: &theme::Theme, status| {
            let style = theme::field(theme, status);
            let red = wrong.is_some() && !matches!(status, text_input::Status::Focused { .. });
            match red {
                true => {
                    text_input::Style { border: style.border.color(theme.roles().danger), ..style }
                }
                false => style,
            }
        });
    let said = wrong.map(|wrong| Role::Caption.text(wrong).style(theme::danger_text));
    Column::new().push(input).push(said).spacing(space::XS).width(Length::Fill).into()
}

/// A place to drop files on, with a button for those who cannot drop.
pub fn drop_field<'a, Message: Clone + 'a>(
    words: &'a str,
    choose: &'a str,
    over: bool,
    on_choose: Message,
) -> Element<'a, Message> {
    let line = row![
        Icon::Upload.view(18.0).style(theme::muted),
        Role::Body.text(words).style(theme::muted).width(Length::Fill),
        button(choose).icon(Icon::Folder).on_press(on_choose),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center);
    container(line)
        .height(56)
        .center_y(56)
        .padding([0.0, space::L])
        .width(Length::Fill)
        .style(theme::drop(over))
        .into()
}

/// The head row of a card: a caption at the left, another at the right.
pub fn head_row<'a, Message: 'a>(
    left: impl Into<Cow<'a, str>>,
    right: impl Into<Cow<'a, str>>,
) -> Element<'a, Message> {
    let line = row![cut(left, Role::Caption).fill(), Role::Caption.text(right.into()),]
        .spacing(space::M)
        .align_y(Alignment::Center);
    container(line)
        .center_y(32)
        .padding([0.0, space::L])
        .width(Length::Fill)
        .style(theme::head)
        .into()
}

/// A row of a card: what it is, what that means, and the control for it.
pub fn row_of<'a, Message: 'a>(
    name: impl Into<Cow<'a, str>>,
    hint: impl Into<Cow<'a, str>>,
    control: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    let hint = hint.into();
    let said = (!hint.is_empty()).then(|| Role::Caption.text(hint).style(theme::muted));
    let words = column![Role::Body.text(name.into())].push(said).width(Length::Fill);
    let line = row![words, control.into()].spacing(space::M).align_y(Alignment::Center);
    container(line).padding([space::S, space::L]).center_y(Length::Shrink).into()
}

/// Nothing here yet: what it will hold, and what to do.
pub fn empty<'a, Message: 'a>(icon: Icon, title: &'a str, hint: &'a str) -> Element<'a, Message> {
    let inside = column![
        tile(icon, 44.0, Tone::Neutral),
        Role::Heading.text(title).align_x(Alignment::Center),
        Role::Body.text(hint).style(theme::muted).align_x(Alignment::Center),
    ]
    .spacing(space::M)
    .max_width(440)
    .align_x(Alignment::Center);
    container(inside).padding(space::XL).center(Length::Fill).into()
}
