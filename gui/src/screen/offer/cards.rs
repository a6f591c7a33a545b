//! Room for mail, and the faster engine.

use iced::{
    Alignment, Length,
    widget::{Column, column, row},
};

use super::{
    KEEP, Message, Offer,
    limits::{after, before, stepper},
};
use crate::{
    icon::Icon,
    screen::Context,
    settings::NodeSetting,
    theme::{self, Element, Role, Tone, space},
    widget::{button, card, cut, tile},
    words::offer as words,
};

/// Rooms that can be chosen, in MiB.
pub(super) const ROOMS: [u64; 10] = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 65_536];

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
            let (less, more) = (set(before(&ROOMS, now)), set(after(&ROOMS, now)));
            let line = stepper(words::room(lang), "", size(now), less, more, lang);
            column![line, Role::Caption.text(words::room_hint(lang)).style(theme::muted)]
                .spacing(space::XS)
        });
        card(Column::new().push(head).push(room).spacing(space::M))
    }

    /// The faster engine: what it would bring, or how far it is.
    pub(super) fn faster<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
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

/// MiB as people read them.
pub(super) fn size(mib: u64) -> String {
    match mib {
        mib if mib % 1024 == 0 => format!("{} GiB", mib / 1024),
        mib => format!("{mib} MiB"),
    }
}
