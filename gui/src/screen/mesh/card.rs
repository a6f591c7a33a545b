//! The card of a node: who it is, how it is reached, what it offers, what goes on with it.

use std::{collections::BTreeMap, sync::Arc};

use iced::{
    Alignment, Length, Padding,
    widget::{Column, column, container, row},
};
use potluck::{client::Offer, identity::short};

use super::{
    Message,
    node::{Node, State, capability},
};
use crate::{
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{badge, bar, cut, hr, icon_button, note, scroll, tile},
    words::{mesh as words, shell},
};

/// The card, as high as there is room.
pub fn view<'a>(node: &Node, context: &Context<'_>) -> Element<'a, Message> {
    let mut parts =
        column![head(node, context), hr(), facts(node, context), hr(), offers(node, context)];
    if !node.asked.is_empty() || !node.served.is_empty() {
        parts = parts.push(hr()).push(going_on(node, context));
    }
    if node.own {
        parts = parts.push(hr()).push(own(context));
    }
    let inside = container(scroll(parts)).height(Length::Fill).style(theme::panel);
    match context.has_panel() {
        true => {
            let edge = container(iced::widget::Space::new()).width(1).height(Length::Fill).style(
                |theme: &theme::Theme| container::Style {
                    background: Some(theme.roles().line.into()),
                    ..container::Style::default()
                },
            );
            row![edge, inside].into()
        }
        false => container(inside).padding(1).style(theme::card).into(),
    }
}

fn section<'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).padding([space::L, 20.0]).width(Length::Fill).into()
}

fn head<'a>(node: &Node, context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let (icon, tone, state) = node.state.shown(lang);
    let name = match node.own {
        true => context.backend.map_or_else(String::new, |b| b.client().name().to_owned()),
        false => node.name.clone(),
    };
    let id = row![
        Role::Mono.text(short(&node.id)).style(theme::muted),
        icon_button(
            crate::icon::Icon::Copy,
            shell::copy(lang),
            Some(Message::Copy(node.id.clone()))
        ),
    ]
    .spacing(space::XS)
    .align_y(Alignment::Center);
    let names = column![cut(name, Role::Heading).fill(), id].width(Length::Fill);
    let close = icon_button(crate::icon::Icon::X, shell::close(lang), Some(Message::Unchoose));
    let line = row![tile(node.icon(), 44.0, Tone::Primary), names, close]
        .spacing(space::M)
        .align_y(Alignment::Start);
    let state = match node.own {
        true => None,
        false => Some(badge(Some(icon), state, tone)),
    };
    section(Column::new().push(line).push(state).spacing(space::S))
}

fn facts<'a>(node: &Node, context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let fact = |name: &'a str, value: Element<'a, Message>| {
        let name = container(Role::Body.text(name).style(theme::muted)).width(84);
        row![name, value].spacing(space::M).align_y(Alignment::Center)
    };
    let said = |words: String| -> Element<'a, Message> { cut(words, Role::Body).fill().into() };
    let mut devices: Vec<_> = node.offers.iter().map(|offer| device(&offer.device)).collect();
    devices.sort_unstable();
    devices.dedup();
    let mut lines = Column::new().spacing(7);
    if !devices.is_empty() {
        lines = lines.push(fact(words::device(lang), said(devices.join("·"))));
    }
    if !node.own {
        let link = match node.state {
            State::On => words::connected(lang),
            State::Known => words::not_connected(lang),
            State::Checked => words::checked(lang),
        };
        lines = lines.push(fact(words::link(lang), said(link.to_owned())));
        lines = lines.push(fact(words::latency(lang), said(node.latency(lang))));
    }
    let (queue, slots) = node.queue();
    let load = match queue {
        0 => said(words::idle(lang).to_owned()),
        queue => {
            let tone = if node.load() > 0.5 { Tone::Warning } else { Tone::Success };
            column![
                container(bar(node.load(), tone, 6.0)).padding(Padding::ZERO.top(8)),
                cut(words::load_of(lang, queue, slots), Role::Caption).style(theme::muted),
            ]
            .spacing(2)
            .into()
        }
    };
    section(lines.push(fact(words::load(lang), load)))
}

/// Devices by the names that people know.
fn device(name: &str) -> &str {
    match name {
        "cpu" => "CPU",
        "cuda" => "GPU",
        other => other,
    }
}

fn offers<'a>(node: &Node, context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let head = row![
        Role::Strong.text(words::offers(lang)).width(Length::Fill),
        Role::Caption.text(words::speed_waiting(lang)).style(theme::muted),
    ]
    .align_y(Alignment::Center);
    let mut lines = column![head].spacing(10);
    if node.offers.is_empty() {
        lines = lines.push(Role::Body.text(words::offers_nothing(lang)).style(theme::muted));
    }
    for offer in &node.offers {
        let (icon, name) = capability(lang, &offer.capability);
        let waiting = Tone::from_waiting(offer);
        let line = row![
            icon.view(16.0).style(theme::muted),
            cut(name, Role::Body).fill(),
            Role::Body.text(speed(offer, context)).style(theme::muted),
            badge(None, offer.queue.to_string(), waiting),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        lines = lines.push(line);
    }
    section(lines)
}

impl Tone {
    /// More calls than run at once wait.
    fn from_waiting(offer: &Offer) -> Self {
        if offer.queue > offer.slots { Self::Warning } else { Self::Neutral }
    }
}

/// How much of a capability gets done.
pub(in crate::screen) fn speed(offer: &Offer, context: &Context<'_>) -> String {
    match offer.speed() {
        rate if offer.call_ms <= 0.0 || rate <= 0.0 => String::new(),
        rate if rate < 10.0 => words::per_second(context.lang, &format!("{rate:.1}")),
        rate if rate < 10_000.0 => words::per_second(context.lang, &format!("{rate:.0}")),
        rate if rate < 1_000_000.0 => {
            words::per_second(context.lang, &format!("{:.0}k", rate / 1000.0))
        }
        rate => words::per_second(context.lang, &format!("{:.1}M", rate / 1_000_000.0)),
    }
}

fn going_on<'a>(node: &Node, context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let mut lines = column![Role::Strong.text(words::serving_now(lang))].spacing(10);
    for (words_of, calls) in
        [(words::asked_of(lang), &node.asked), (words::served_to(lang), &node.served)]
    {
        let mut by_name: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for call in calls {
            *by_name.entry(call).or_default() += 1;
        }
        for (name, count) in by_name {
            let (icon, name) = capability(lang, name);
            let line = row![
                icon.view(16.0).style(theme::muted),
                cut(words_of, Role::Body).fill(),
                Role::Body.text(name).style(theme::muted),
                badge(None, count.to_string(), Tone::Neutral),
            ]
            .spacing(space::M)
            .align_y(Alignment::Center);
            lines = lines.push(line);
        }
    }
    section(lines)
}

/// What only the person of this node sees: what cannot be offered, and where it listens.
fn own<'a>(context: &Context<'_>) -> Element<'a, Message> {
    let lang = context.lang;
    let mut lines = column![Role::Body.text(words::own_card(lang)).style(theme::muted)].spacing(10);
    for (name, why) in &context.view.own.troubles {
        let name = capability(lang, name).1;
        let said = words::cannot_offer(lang, &name, why);
        lines = lines.push(note(crate::icon::Icon::TriangleAlert, said, Tone::Warning));
    }
    lines = lines.push(Role::Strong.text(words::addresses(lang)));
    for address in &context.view.own.listen {
        let copy = Some(Message::Copy(address.clone()));
        let line = row![
            cut(address.clone(), Role::Mono).fill(),
            icon_button(crate::icon::Icon::Copy, shell::copy(lang), copy),
        ]
        .align_y(Alignment::Center);
        lines = lines.push(line);
    }
    section(lines)
}
