//! Strangers who wrote: nothing of theirs is saved, and they are told nothing, before somebody says yes.

use iced::{
    Alignment, Length,
    widget::{Column, column, container, row},
};
use potluck::identity::short;

use super::{Chat, Message, Who, letters::Entry};
use crate::{
    icon::Icon,
    screen::{Context, header},
    theme::{self, Element, Role, Tone, radius, space},
    widget::{Kind, avatar, button, cut, empty, icon_button, pressable, scroll},
    words::{chat as words, shell},
};

/// Cards that are built: the post takes no more letters of strangers than a few hundred.
const MOST: usize = 50;
/// Characters of a letter that a card shows.
const PREVIEW: usize = 280;

impl Chat {
    /// The first request as a card where there is room, else how many there are.
    pub(super) fn request_card<'a>(
        &'a self,
        context: &Context<'a>,
    ) -> Option<Element<'a, Message>> {
        let lang = context.lang;
        let waiting = self.book.requests(&context.settings.accepted);
        let first = waiting.first()?;
        let roomy = !context.is_narrow() && context.size.height >= 700.0 && waiting.len() == 1;
        if roomy {
            return Some(self.request(first, context, true));
        }
        let said = match waiting.len() {
            1 => words::request_one(lang).to_owned(),
            many => words::request(lang, many),
        };
        let line = row![
            Icon::User.view(16.0).style(theme::primary_text),
            cut(said, Role::Body).fill(),
            Icon::ChevronRight.view(16.0),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let inside = container(line).center_y(36).padding([0.0, space::M]);
        let inside = inside.style(theme::note(Tone::Primary));
        let message = Message::Choose(Who::Requests);
        Some(pressable(inside, false, radius::CONTROL, message).into())
    }

    /// All of them.
    pub(super) fn requests_pane<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let waiting = self.book.requests(&context.settings.accepted);
        let head = header(
            context,
            words::requests(lang),
            words::requests_hint(lang),
            Vec::new(),
            Some(Message::Back),
        );
        if waiting.is_empty() {
            return column![
                head,
                empty(Icon::Users, words::no_requests(lang), words::requests_hint(lang))
            ]
            .into();
        }
        let cards = waiting.iter().take(MOST).map(|id| self.request(id, context, false));
        let all = Column::with_children(cards).spacing(space::M).max_width(560);
        let side = if context.is_narrow() { space::M } else { space::XL };
        column![head, scroll(container(all).padding([space::S, side])).height(Length::Fill)].into()
    }

    fn request<'a>(&'a self, id: &str, context: &Context<'a>, small: bool) -> Element<'a, Message> {
        let lang = context.lang;
        let name = self.book.name(id, context.view);
        let who = row![
            avatar(&name, id, 32.0, None),
            column![
                cut(name, Role::Strong).fill(),
                cut(words::not_contact(lang, &short(id)), Role::Caption).style(theme::muted).fill(),
            ]
            .width(Length::Fill),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let entries = self.book.with(id).map_or(&[][..], |talk| talk.entries.as_slice());
        let most = if small { PREVIEW / 4 } else { PREVIEW };
        let said = entries.iter().find_map(Entry::text).map(|text| {
            let short: String = text.chars().take(most).collect();
            let rest = if text.chars().count() > most { "..." } else { "" };
            Role::Body.text(format!("{short}{rest}"))
        });
        let files: usize = entries.iter().map(|entry| entry.files().len()).sum();
        let caption = |words: String| Role::Caption.text(words).style(theme::muted);
        let files = (files > 0).then(|| caption(words::with_files(lang, files)));
        let more = entries.len().saturating_sub(1);
        let more = (more > 0).then(|| caption(words::more_messages(lang, more)));
        let id = id.to_owned();
        let accept = button(words::accept(lang)).small().icon(Icon::Check);
        let decline = button(words::decline(lang)).kind(Kind::Quiet).small();
        let buttons = row![
            accept.on_press(Message::Accept(id.clone())),
            decline.on_press(Message::Decline(id.clone())),
            container(icon_button(Icon::Copy, words::copy_id(lang), Some(Message::Copy(id))))
                .align_right(Length::Fill),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let inside = Column::new()
            .push(who)
            .push(said)
            .push(files)
            .push(more)
            .push(buttons)
            .spacing(space::S);
        container(inside).padding(space::M).width(Length::Fill).style(theme::card).into()
    }

    /// Back to the list, where there is one pane.
    pub(super) fn back<'a>(&self, context: &Context<'_>) -> Option<Element<'a, Message>> {
        let words = shell::back(context.lang);
        context.is_narrow().then(|| icon_button(Icon::ChevronLeft, words, Some(Message::Back)))
    }
}
