//! Room for mail, and what runs the models.

use std::collections::BTreeSet;

use iced::{
    Alignment, Length,
    keyboard::{Key, key::Named},
    widget::{Column, column, container, row},
};

use super::{KEEP, Message, Offer, device};
use crate::{
    icon::Icon,
    screen::{Context, mesh::capability},
    settings::NodeSetting,
    theme::{self, Element, Role, Tone, space},
    widget::{badge, button, card, cut, focusable, hr, icon_button, tile},
    words::offer as words,
};

/// Rooms that can be chosen, in MiB.
const ROOMS: [u64; 10] = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 65_536];

impl Offer {
    /// Mail for people who are off.
    pub(super) fn keep<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let wanted = self.wants(KEEP, context);
        let head = row![
            tile(Icon::Archive, 36.0, if wanted { Tone::Primary } else { Tone::Neutral }),
            column![
                Role::Heading.text(words::keep(lang)),
                Role::Caption.text(words::keep_hint(lang)).style(theme::muted),
            ]
            .width(Length::Fill),
            self.switch(KEEP, wanted),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let room = self.known.as_ref().filter(|_| wanted).map(|known| {
            let now = known.keep_mib;
            let set = |mib: Option<u64>| mib.map(|mib| Message::Set(NodeSetting::KeepMib(mib)));
            let (less, more) = (set(smaller(now)), set(larger(now)));
            let shown = container(Role::Strong.text(size(now))).center_x(88);
            let (down, up) = (less.clone(), more.clone());
            let shown = focusable(shown, None).on_key(move |key| match key {
                Key::Named(Named::ArrowRight | Named::ArrowUp) => up.clone(),
                Key::Named(Named::ArrowLeft | Named::ArrowDown) => down.clone(),
                _ => None,
            });
            let line = row![
                Role::Body.text(words::room(lang)).width(Length::Fill),
                icon_button(Icon::Minus, words::less(lang), less),
                shown,
                icon_button(Icon::Plus, words::more(lang), more),
            ]
            .spacing(space::XS)
            .align_y(Alignment::Center);
            column![line, Role::Caption.text(words::room_hint(lang)).style(theme::muted)]
                .spacing(space::XS)
        });
        card(Column::new().push(head).push(room).spacing(space::M))
    }

    /// Engine and models of what this node offers.
    pub(super) fn models<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let offers = &context.view.own.offers;
        let engines: BTreeSet<_> = offers
            .iter()
            .filter(|offer| !offer.engine.is_empty() && offer.device != "remote")
            .map(|offer| words::on_device(lang, &offer.engine, device(&offer.device)))
            .collect();
        let slow = engines.iter().any(|engine| engine.starts_with("tract"));
        let said = match engines.is_empty() {
            true => words::engine_none(lang).to_owned(),
            false => engines.into_iter().collect::<Vec<_>>().join(", "),
        };
        let head = row![
            tile(Icon::Cpu, 36.0, Tone::Neutral),
            column![
                Role::Heading.text(words::engine(lang)),
                cut(said, Role::Caption).style(theme::muted).fill(),
            ]
            .width(Length::Fill),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let faster = (slow || self.installing.is_some()).then(|| self.faster(context));
        let top = Column::new().push(head).push(faster).spacing(space::M);
        let mut rows = column![container(top).padding(space::L)];
        for offer in offers {
            let (icon, name) = capability(lang, &offer.capability);
            for (index, model) in offer.variants.iter().enumerate() {
                let state = match index {
                    0 => badge(Some(Icon::Check), words::in_use(lang), Tone::Success),
                    _ => badge(None, words::ready(lang), Tone::Neutral),
                };
                let line = row![
                    icon.view(16.0).style(theme::muted),
                    column![
                        cut(model.as_str(), Role::Body).fill(),
                        cut(name.clone(), Role::Caption).style(theme::muted).fill(),
                    ]
                    .width(Length::Fill),
                    state,
                ]
                .spacing(space::M)
                .align_y(Alignment::Center);
                rows = rows.push(hr()).push(container(line).padding([space::S, space::L]));
            }
        }
        container(rows).padding(1).width(Length::Fill).style(theme::card).into()
    }

    /// The faster engine: what it would bring, or how far it is.
    fn faster<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let ready = context.backend.map(|_| Message::Install);
        match &self.installing {
            Some(said) => row![
                Icon::Download.view(16.0).style(theme::primary_text),
                column![
                    Role::Body.text(words::installing(lang)),
                    cut(said.as_str(), Role::Caption).style(theme::muted).fill(),
                ]
                .width(Length::Fill),
            ]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into(),
            None => row![
                Role::Body.text(words::engine_slow(lang)).width(Length::Fill),
                button(words::install(lang)).small().icon(Icon::Download).on_press_maybe(ready),
            ]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into(),
        }
    }
}

/// The next smaller room.
pub(super) fn smaller(mib: u64) -> Option<u64> {
    ROOMS.iter().copied().rev().find(|room| *room < mib)
}

/// The next larger room.
pub(super) fn larger(mib: u64) -> Option<u64> {
    ROOMS.iter().copied().find(|room| *room > mib)
}

fn size(mib: u64) -> String {
    match mib {
        mib if mib % 1024 == 0 => format!("{} GiB", mib / 1024),
        mib => format!("{mib} MiB"),
    }
}
