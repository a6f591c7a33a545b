//! Whether somebody is who they seem: words of both client ids, and a code for a camera.

use iced::{
    Alignment, Length,
    widget::{Column, column, container, row},
};
use potluck::identity;

use super::{Chat, Message, talk::side};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind, avatar, button, card, cut, note, qr, scroll, tile},
    words::{Lang, chat as words},
};

/// Pixels of a module of the code.
const MODULE: f32 = 4.0;

impl Chat {
    /// In the place of the letters.
    pub(super) fn compare<'a>(
        &'a self,
        id: &'a str,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let name = self.book.name(id, context.view);
        let theirs = spelled(avatar(&name, id, 28.0, None), name.clone(), id);
        let yours =
            spelled(tile(Icon::Laptop, 28.0, Tone::Primary), words::you(lang), self.book.me());
        let both: Element<'a, Message> = match context.size.width >= 900.0 {
            true => row![theirs, yours].spacing(space::L).into(),
            false => column![theirs, yours].spacing(space::L).into(),
        };
        let code = identity::parse(id).and_then(|id| qr(&identity::link(&id), MODULE));
        let code = code.map(|code| {
            let said = column![
                Role::Strong.text(words::code_of(lang, &name)),
                Role::Body.text(words::code_hint(lang)).style(theme::muted),
            ]
            .spacing(space::XS)
            .width(Length::Fill);
            match context.is_narrow() {
                true => Element::from(column![said, code].spacing(space::M)),
                false => row![code, said].spacing(space::L).align_y(Alignment::Center).into(),
            }
        });
        let done = button(words::compared(lang)).kind(Kind::Secondary).on_press(Message::Compare);
        let all = Column::new()
            .push(Role::Heading.text(words::compare_title(lang, &name)))
            .push(note(Icon::Shield, words::compare_hint(lang), Tone::Primary))
            .push(both)
            .push(code.map(card))
            .push(done)
            .spacing(space::L);
        scroll(container(all).padding([space::L, side(context)])).height(Length::Fill).into()
    }
}

/// The words of one client id, in both languages: the other side may read the other one.
fn spelled<'a>(
    picture: Element<'a, Message>,
    name: impl Into<std::borrow::Cow<'a, str>>,
    id: &str,
) -> Element<'a, Message> {
    let head =
        row![picture, cut(name, Role::Strong).fill()].spacing(space::S).align_y(Alignment::Center);
    let id = identity::parse(id);
    let lines = Lang::ALL.map(|lang| {
        let said = id.map_or_else(String::new, |id| identity::words(&id, lang));
        Role::Heading.text(said).into()
    });
    card(column![head, Column::with_children(lines).spacing(space::XS)].spacing(space::M))
}
