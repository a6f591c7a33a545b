//! The card of one picture in the grid.

use iced::{
    Alignment, ContentFit, Length,
    widget::{Column, Row, Space, column, container, image, row, tooltip},
};

use super::{Message, Purpose, Shot, State, Trouble, WORDS, paths};
use crate::{
    backend::Heard,
    figures,
    icon::Icon,
    theme::{self, Element, Role, Tone, radius, space},
    widget::{Kind, badge, bar, button, cut, icon_button, pressable, tip},
    words::{Lang, asking, recognize as words},
};
use potluck::services::recognize::{Response, name};

/// Labels that show; the table has all.
const SHOWN: usize = 3;
/// What a card needs beside its picture.
pub(super) const BELOW: f32 = 8.0 + 8.0 + INSIDE + 8.0;
/// Height of what is below the picture.
const INSIDE: f32 = 94.0;

/// The card: `picture` is the height of the picture on it.
pub(super) fn view(shot: &Shot, picture: f32, waits: bool, lang: Lang) -> Element<'_, Message> {
    let inside = match &shot.state {
        State::Done(heard) => answer(shot, heard, lang),
        State::Failed(trouble) => failed(shot, trouble, lang),
        State::Running => {
            on_the_way(shot, Icon::Zap, words::is_running(lang), Tone::Primary, words::asking(lang))
        }
        State::Waiting => {
            let hint = if waits { words::waits_for_node(lang) } else { words::next(lang) };
            on_the_way(shot, Icon::Clock, words::is_waiting(lang), Tone::Neutral, hint)
        }
        State::New | State::Reading => {
            on_the_way(shot, Icon::Clock, words::is_reading(lang), Tone::Neutral, "")
        }
    };
    let card =
        column![thumbnail(shot, picture), container(inside).height(INSIDE)].spacing(space::S);
    let card = container(card).padding(space::S).width(Length::Fill).style(theme::card);
    if !matches!(shot.state, State::Done(_)) {
        return card.into();
    }
    let pressed = pressable(card, false, radius::CARD, Message::Copy(shot.id));
    tip(pressed, words::copy_labels(lang), tooltip::Position::FollowCursor)
}

fn thumbnail(shot: &Shot, height: f32) -> Element<'_, Message> {
    match &shot.read {
        Some(shown) => image(&shown.handle)
            .width(Length::Fill)
            .height(height)
            .content_fit(ContentFit::Contain)
            .into(),
        None => {
            let icon = match shot.state {
                State::Failed(_) => Icon::File,
                _ => Icon::Image,
            };
            let icon = icon.view(24.0).style(theme::muted);
            container(icon)
                .center_x(Length::Fill)
                .center_y(height)
                .style(|theme: &theme::Theme| container::Style {
                    background: Some(theme.roles().raised.into()),
                    border: iced::Border::default().rounded(radius::INNER),
                    ..container::Style::default()
                })
                .into()
        }
    }
}

fn answer<'a>(shot: &'a Shot, heard: &'a Heard<Response>, lang: Lang) -> Element<'a, Message> {
    let mut lines = Column::new();
    for (rank, label) in heard.response.labels.iter().take(SHOWN).enumerate() {
        lines = lines.push(line(name(label, lang), label.probability, rank == 0, lang));
    }
    if heard.response.labels.is_empty() {
        lines = lines.push(Role::Body.text(words::nothing_seen(lang)).style(theme::muted));
    }
    let by = asking::by(lang, &heard.served_by.name, &figures::took(heard.milliseconds));
    let footer = row![
        container(cut(shot.name.as_str(), Role::Caption).style(theme::muted))
            .width(Length::FillPortion(5)),
        container(cut(by, Role::Caption).style(theme::muted)).align_right(Length::FillPortion(6)),
    ]
    .spacing(space::S);
    column![lines, Space::new().height(Length::Fill), footer].into()
}

fn line(label: &str, probability: f32, first: bool, lang: Lang) -> Element<'_, Message> {
    // `tabby, tabby cat` names one thing twice.
    let name = label.split(',').next().unwrap_or(label);
    let (role, tone) = match first {
        true => (Role::CaptionStrong, Tone::Primary),
        false => (Role::Caption, Tone::Neutral),
    };
    let style = if first { theme::plain_text } else { theme::muted };
    let percent = words::percent(lang, &format!("{:.0}", probability * 100.0));
    let line = row![
        cut(name, role).style(style).fill(),
        container(bar(probability, tone, 4.0)).width(56),
        container(role.text(percent).style(style)).align_right(36),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    container(line).center_y(21).into()
}

fn on_the_way<'a>(
    shot: &'a Shot,
    icon: Icon,
    state: &'a str,
    tone: Tone,
    hint: &'a str,
) -> Element<'a, Message> {
    let head = row![
        cut(shot.name.as_str(), Role::Strong).style(theme::plain_text).fill(),
        badge(Some(icon), state, tone)
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    column![head, Role::Caption.text(hint).style(theme::muted)].spacing(space::XS).into()
}

fn failed<'a>(shot: &'a Shot, trouble: &'a Trouble, lang: Lang) -> Element<'a, Message> {
    let said = trouble.said(lang, WORDS);
    let stopped = *trouble == Trouble::Stopped;
    let (icon, tone) = match stopped {
        true => (Icon::Square, Tone::Neutral),
        false => (Icon::CircleX, Tone::Danger),
    };
    let next = match shot.may_again() {
        true => button(asking::again(lang)).icon(Icon::RefreshCw).on_press(Message::Again(shot.id)),
        false => button(words::choose_another(lang))
            .icon(Icon::Folder)
            .on_press(Message::Paths(paths::Message::Choose(Purpose::Open))),
    };
    let copy = (!stopped).then(|| {
        icon_button(
            Icon::Copy,
            crate::words::shell::copy_details(lang),
            Some(Message::Copy(shot.id)),
        )
    });
    let buttons = Row::new()
        .push(next.kind(Kind::Secondary).small().fill())
        .push(copy)
        .push(icon_button(Icon::X, asking::remove(lang), Some(Message::Remove(shot.id))))
        .spacing(space::XS)
        .align_y(Alignment::Center);
    column![
        on_the_way(shot, icon, said.title, tone, said.hint),
        Space::new().height(Length::Fill),
        buttons
    ]
    .into()
}
