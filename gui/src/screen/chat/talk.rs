//! The conversation with one person.

use iced::{
    Alignment, Length,
    widget::{Column, Id, column, container, row},
};
use potluck::mail::ask::Coming;

use super::{Chat, Message, TALK, bubble, letters::Entry};
use crate::{
    figures,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind, avatar, button, cut, empty, hr, icon_button, note, scroll},
    words::chat as words,
};

impl Chat {
    /// Head and letters.
    pub(super) fn talk<'a>(&'a self, id: &'a str, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let talk = self.book.with(id);
        let entries = talk.map_or(&[][..], |talk| talk.entries.as_slice());
        let coming = talk.map_or(&[][..], |talk| talk.coming.as_slice());
        let sealing = self.pending.iter().any(|one| one.to == id);
        let nothing = entries.is_empty() && coming.is_empty() && !sealing;
        let letters: Element<'a, Message> = match self.comparing {
            true => self.compare(id, context),
            false if nothing => empty(Icon::MessageCircle, words::first(lang), words::sealed(lang)),
            false => self.letters(id, entries, coming, context),
        };
        let hovered = self.hovered.then(|| {
            let said = words::drop_here(lang, &self.book.name(id, context.view));
            container(note(Icon::Upload, said, Tone::Primary)).padding([space::S, side(context)])
        });
        Column::new()
            .push(self.talk_head(id, context))
            .push(hr())
            .push(hovered)
            .push(container(letters).height(Length::Fill))
            .height(Length::Fill)
            .into()
    }

    fn talk_head<'a>(&'a self, id: &'a str, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let name = self.book.name(id, context.view);
        let there = context.view.mesh.peers.values().find(|peer| *peer.id == *id);
        let on = there.is_some_and(|peer| !peer.suspect);
        let state = match (on, self.book.seen_at(id)) {
            (true, _) => words::on(lang).to_owned(),
            (false, Some(at)) => {
                let day = figures::day(lang, at, context.now_ms);
                words::off_since(lang, &format!("{day} {}", figures::clock(at)))
            }
            (false, None) => words::off(lang).to_owned(),
        };
        let narrow = context.is_narrow();
        let names = column![
            cut(name.clone(), if narrow { Role::Strong } else { Role::Heading }).fill(),
            cut(state, Role::Caption).style(theme::muted).fill(),
        ]
        .width(Length::Fill);
        let copy = Message::Copy(id.to_owned());
        let size = if narrow { 28.0 } else { 36.0 };
        let line = row![]
            .push(self.back(context))
            .push(avatar(&name, id, size, Some(on)))
            .push(names)
            .push(icon_button(Icon::Shield, words::compare(lang), Some(Message::Compare)))
            .push(icon_button(Icon::Copy, words::copy_id(lang), Some(copy)))
            .spacing(space::M)
            .align_y(Alignment::Center);
        let high = if narrow { 44.0 } else { 64.0 };
        container(line).center_y(high).padding([0.0, side(context)]).style(theme::panel).into()
    }

    fn letters<'a>(
        &'a self,
        id: &str,
        entries: &'a [Entry],
        coming: &'a [Coming],
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let span = self.shown.of(entries.len());
        let (hidden, later) = (span.start, entries.len() - span.end);
        let mut all = Column::new().spacing(space::M).width(Length::Fill);
        if hidden > 0 {
            let more = button(words::earlier(lang, hidden)).kind(Kind::Link).small();
            let more = more.on_press(Message::Earlier);
            all = all.push(container(more).center_x(Length::Fill));
        }
        let mut last = None;
        for entry in &entries[span] {
            if last.is_none_or(|last| !figures::same_day(last, entry.at())) {
                let day = figures::day(lang, entry.at(), context.now_ms);
                let day = Role::Caption.text(day).style(theme::muted);
                all = all.push(container(day).center_x(Length::Fill));
            }
            last = Some(entry.at());
            all = all.push(self.letter_view(entry, context));
        }
        if later > 0 {
            let more = button(words::later(lang, later)).kind(Kind::Link).small();
            all = all.push(container(more.on_press(Message::Later)).center_x(Length::Fill));
        }
        for one in coming {
            all = all.push(bubble::coming(one, lang));
        }
        for one in self.pending.iter().filter(|one| one.to == id) {
            all = all.push(bubble::pending(one, lang));
        }
        let all = container(all).padding([space::L, side(context)]);
        scroll(all).anchor_bottom().id(Id::new(TALK)).height(Length::Fill).into()
    }
}

/// From the edge to the content.
pub(super) fn side(context: &Context<'_>) -> f32 {
    if context.is_narrow() { space::M } else { space::XL }
}
