//! Where one writes: files that go along, the path field, the text.

use iced::{
    Alignment, Length,
    widget::{Column, Row, column, container, row},
};

use super::{Chat, Message, PATH, WRITE, talk::side};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, space},
    widget::{Kind, button, cut, field, hr, icon_button},
    words::chat as words,
};

impl Chat {
    /// The foot of a conversation. The robot takes no files.
    pub(super) fn composer<'a>(
        &'a self,
        context: &Context<'a>,
        takes_files: bool,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let draft = self.chosen.as_ref().and_then(|who| self.drafts.get(who));
        let text = draft.map_or("", |draft| draft.text.as_str());
        let files = draft.map_or(&[][..], |draft| draft.files.as_slice());
        let ready = !text.trim().is_empty() || !files.is_empty();
        let send = ready.then_some(Message::Send);
        let attach = takes_files
            .then(|| icon_button(Icon::Paperclip, words::attach(lang), Some(Message::Attach)));
        let placeholder = if takes_files { words::write(lang) } else { words::write_robot(lang) };
        // What is wrong with the path stands below that field.
        let wrong = self.wrong.as_deref().filter(|_| !self.attaching);
        let input =
            field(placeholder, text, wrong, Role::Body, WRITE, Message::Write, send.clone());
        let label = if context.is_narrow() { "" } else { words::send(lang) };
        let go = button(label).kind(Kind::Primary).icon(Icon::Send).on_press_maybe(send);
        let line = row![].push(attach).push(input).push(go).spacing(space::S);
        let chips = (!files.is_empty()).then(|| {
            let chips = files.iter().enumerate().map(|(at, path)| {
                let name =
                    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into());
                let gone = icon_button(Icon::X, words::remove(lang), Some(Message::Remove(at)));
                let inside = row![
                    Icon::File.view(14.0).style(theme::muted),
                    container(cut(name, Role::Body)).max_width(220),
                    gone,
                ]
                .spacing(space::XS)
                .align_y(Alignment::Center);
                container(inside).padding([0.0, space::S]).style(theme::well).into()
            });
            Row::with_children(chips.take(12)).spacing(space::S).wrap()
        });
        let path = (self.attaching && takes_files).then(|| self.path_field(context));
        let inside = Column::new().push(chips).push(path).push(line).spacing(space::S);
        let pad = if context.is_narrow() { space::S } else { 18.0 };
        let ground = container(inside).padding([pad, side(context)]).style(theme::panel);
        column![hr(), ground].into()
    }

    fn path_field<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let ready = (!self.path.trim().is_empty()).then_some(Message::Add);
        let input = field(
            words::attach_path(lang),
            &self.path,
            self.wrong.as_deref(),
            Role::Body,
            PATH,
            Message::Path,
            ready.clone(),
        );
        let add = button(words::add(lang)).on_press_maybe(ready);
        let pick: Element<'a, Message> = match context.is_narrow() {
            true => icon_button(Icon::Folder, words::pick(lang), Some(Message::Pick)),
            false => button(words::pick(lang)).icon(Icon::Folder).on_press(Message::Pick).into(),
        };
        container(row![input, add, pick].spacing(space::S)).width(Length::Fill).into()
    }
}
