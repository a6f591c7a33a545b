//! The card of one call: what, who, how long, why not, and who was tried.

use iced::{
    Alignment, Length,
    widget::{Column, column, container, row},
};
use potluck::client::{CallRecord, RouteHop, Side};

use super::{Message, by, failure, state, took};
use crate::{
    figures,
    icon::Icon,
    screen::{Context, mesh::capability},
    theme::{self, Element, Role, Theme, Tone, space},
    widget::{bar, button, cut, hr, icon_button, note, scroll, tile},
    words::{Lang, activity as words, shell},
};

/// The whole card.
pub fn view<'a>(call: &'a CallRecord, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let (icon, name) = capability(lang, &call.capability);
    let tone = if call.side == Side::Asked { Tone::Primary } else { Tone::Success };
    let names = column![cut(name, Role::Heading).fill(), row![state(call, lang)]]
        .spacing(space::XS)
        .width(Length::Fill);
    let close = icon_button(Icon::X, shell::close(lang), Some(Message::Unchoose));
    let head = row![tile(icon, 44.0, tone), names, close].spacing(space::M);
    let trouble =
        failure(call).map(|why| section(note(Icon::CircleX, why.say(lang), Tone::Danger)));
    let going = call.progress.as_ref().filter(|_| call.end.is_none()).map(|step| {
        let said = Role::Caption.text(step.note.as_str()).style(theme::muted);
        section(column![bar(f32::from(step.percent) / 100.0, Tone::Primary, 6.0), said].spacing(6))
    });
    let copy = button(words::copy_all(lang))
        .icon(Icon::Copy)
        .on_press(Message::Copy(in_words(call, context)));
    let all = Column::new()
        .push(section(head))
        .push(hr())
        .push(trouble)
        .push(going)
        .push(section(facts(call, context)))
        .push(hr())
        .push(section(route(call, lang)))
        .push(section(copy));
    container(scroll(all).height(Length::Fill))
        .width(Length::Fill)
        .height(Length::Fill)
        .style(theme::panel)
        .into()
}

fn section<'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).padding([space::M, 20.0]).width(Length::Fill).into()
}

fn facts<'a>(call: &'a CallRecord, context: &Context<'a>) -> Element<'a, Message> {
    let mut lines = Column::new().spacing(7);
    for (name, value) in facts_of(call, context) {
        let name = container(Role::Body.text(name).style(theme::muted)).width(84);
        lines = lines.push(row![name, cut(value, Role::Body).fill()].spacing(space::M));
    }
    lines.into()
}

fn facts_of(call: &CallRecord, context: &Context<'_>) -> Vec<(&'static str, String)> {
    let lang = context.lang;
    let day = figures::day(lang, call.started_at, context.now_ms);
    let side = match call.side {
        Side::Asked => words::you_asked(lang),
        Side::Served { .. } => words::you_served(lang),
    };
    let input = match call.bytes {
        0 => words::no_input(lang).to_owned(),
        bytes => figures::size(bytes),
    };
    let mut facts = vec![
        (words::at(lang), format!("{day} {}", figures::exact(call.started_at))),
        (words::side(lang), side.to_owned()),
    ];
    let who = by(call, context);
    if !who.is_empty() {
        facts.push((words::who(lang), who));
    }
    facts.push((words::input(lang), input));
    facts.push((words::took(lang), took(call, context.now_ms)));
    facts
}

fn route<'a>(call: &'a CallRecord, lang: Lang) -> Element<'a, Message> {
    let hops = call.end.as_ref().map_or(&[][..], |end| end.route.as_slice());
    let count = Role::Caption.text(words::route_of(lang, hops.len())).style(theme::muted);
    let head =
        row![Icon::Route.view(16.0), Role::Strong.text(words::route(lang)).width(Length::Fill),]
            .push((!hops.is_empty()).then_some(count))
            .spacing(space::S)
            .align_y(Alignment::Center);
    let mut lines = column![head].spacing(space::M);
    if hops.is_empty() {
        let why = match call.side {
            Side::Asked => words::route_none(lang),
            Side::Served { .. } => words::route_served(lang),
        };
        lines = lines.push(Role::Body.text(why).style(theme::muted));
    }
    for hop in hops {
        lines = lines.push(tried(hop, lang));
    }
    lines.into()
}

fn tried<'a>(hop: &'a RouteHop, lang: Lang) -> Element<'a, Message> {
    let (icon, tone, said) = outcome(hop, lang);
    let mark = icon.view(16.0).style(move |theme: &Theme| iced::widget::text::Style {
        color: Some(tone.colors(theme).0),
    });
    let first = row![
        cut(hop.name.as_str(), Role::Strong).fill(),
        Role::Caption.text(figures::took(hop.milliseconds)).style(theme::muted),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    let caption = |words: String| Role::Caption.text(words).style(theme::muted);
    let hedge = hop.hedge.then(|| caption(words::hedge(lang).to_owned()));
    let expected = words::expected(lang, &figures::took(hop.expected_ms.max(0.0).round() as u64));
    let words = column![first, Role::Body.text(said)]
        .push(hop.detail.as_deref().map(|detail| Role::Body.text(detail).style(theme::muted)))
        .push(hedge)
        .push(caption(expected))
        .spacing(2)
        .width(Length::Fill);
    let mark = container(mark).padding(iced::Padding::ZERO.top(3));
    row![mark, words].spacing(space::M).into()
}

fn outcome(hop: &RouteHop, lang: Lang) -> (Icon, Tone, &str) {
    match hop.outcome.as_str() {
        "answered" => (Icon::CircleCheck, Tone::Success, words::answered(lang)),
        "busy" => (Icon::Clock, Tone::Warning, words::busy(lang)),
        "refused" => (Icon::Ban, Tone::Warning, words::refused(lang)),
        "failed" => (Icon::CircleX, Tone::Danger, words::broke(lang)),
        "lost" => (Icon::WifiOff, Tone::Danger, words::lost(lang)),
        "cancelled" => (Icon::Minus, Tone::Neutral, words::cancelled(lang)),
        other => (Icon::Info, Tone::Neutral, other),
    }
}

/// Everything as text, for somebody who helps.
pub fn in_words(call: &CallRecord, context: &Context<'_>) -> String {
    let mut lines = vec![call.capability.clone()];
    lines.extend(
        facts_of(call, context).into_iter().map(|(name, value)| format!("{name}: {value}")),
    );
    lines.extend(failure(call).map(|why| why.to_string()));
    for hop in call.end.iter().flat_map(|end| &end.route) {
        let detail = hop.detail.as_deref().unwrap_or_default();
        let (name, took) = (&hop.name, figures::took(hop.milliseconds));
        lines.push(format!("{name} ({}): {} {took} {detail}", hop.id, hop.outcome));
    }
    lines.join("\n")
}
