//! Where one writes: files that go along, the path field, the text.

use iced::{
    Alignment, Length,
    keyboard::{Key, key::Named},
    widget::{
        Column, Row, TextEditor, column, container, row,
        text_editor::{self, Binding, KeyPress},
    },
};

use super::{Chat, Message, PATH, WRITE, talk::side};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, space},
    widget::{Kind, button, cut, field, hr, icon_button},
    words::chat as words,
};

/// Lines that the field shows before it scrolls.
const MOST_LINES: f32 = 6.0;

impl Chat {
    /// The foot of a conversation. The robot takes no files.
    pub(super) fn composer<'a>(
        &'a self,
        context: &Context<'a>,
        takes_files: bool,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let draft = self.chosen.as_ref().and_then(|who| self.drafts.get(who));
        let writing = draft.map_or(&self.blank, |draft| &draft.writing);
        let files = draft.map_or(&[][..], |draft| draft.files.as_slice());
        let ready = !writing.text().trim().is_empty() || !files.is_empty();
        let send = ready.then_some(Message::Send);
        let attach = takes_files
            .then(|| icon_button(Icon::Paperclip, words::attach(lang), Some(Message::Attach)));
        let placeholder = if takes_files { words::write(lang) } else { words::write_robot(lang) };
        // What is wrong with the path stands below that field.
        let wrong = self.wrong.as_deref().filter(|_| !self.attaching);
        let input = writing_field(placeholder, writing, wrong, send.clone());
        let label = if context.is_narrow() { "" } else { words::send(lang) };
        let go = button(label).kind(Kind::Primary).icon(Icon::Send).on_press_maybe(send);
        let line =
            row![].push(attach).push(input).push(go).spacing(space::S).align_y(Alignment::End);
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

/// Where one writes: it grows with its lines. Enter sends, Shift and Enter begin a line.
fn writing_field<'a>(
    placeholder: &'a str,
    writing: &'a text_editor::Content,
    wrong: Option<&'a str>,
    send: Option<Message>,
) -> Element<'a, Message> {
    let (size, line) = Role::Body.measure();
    let input = TextEditor::new(writing)
        .id(WRITE)
        .placeholder(placeholder)
        .on_action(Message::Edit)
        .key_binding(move |press| key_of(press, send.clone()))
        .size(size)
        .line_height(iced::widget::text::LineHeight::Absolute(line.into()))
        .font(Role::Body.font())
        .padding([(theme::CONTROL - line) / 2.0, 10.0])
        // The edge comes on top of both.
        .min_height(line)
        .max_height(MOST_LINES * line);
    let said = wrong.map(|wrong| Role::Caption.text(wrong).style(theme::danger_text));
    Column::new().push(input).push(said).spacing(space::XS).width(Length::Fill).into()
}

/// What a key does there; nothing where it belongs to the screen.
fn key_of(press: KeyPress, send: Option<Message>) -> Option<Binding<Message>> {
    if !matches!(press.status, text_editor::Status::Focused { .. }) {
        return None;
    }
    match press.key.as_ref() {
        Key::Named(Named::Enter) if press.modifiers.shift() => Some(Binding::Enter),
        Key::Named(Named::Enter) => send.map(Binding::Custom),
        Key::Named(Named::ArrowUp | Named::ArrowDown) if press.modifiers.alt() => None,
        Key::Character("f" | "o") if press.modifiers.command() => None,
        _ => Binding::from_key_press(press),
    }
}

#[cfg(test)]
mod tests {
    use iced::keyboard::{Modifiers, key::Physical};

    use super::*;

    fn press(key: Key, modifiers: Modifiers, focused: bool) -> Option<Binding<Message>> {
        let physical_key = Physical::Unidentified(iced::keyboard::key::NativeCode::Unidentified);
        let status = match focused {
            true => text_editor::Status::Focused { is_hovered: false },
            false => text_editor::Status::Active,
        };
        let press = KeyPress {
            modified_key: key.clone(),
            key,
            physical_key,
            modifiers,
            text: None,
            status,
        };
        key_of(press, Some(Message::Send))
    }

    #[test]
    fn enter_sends_and_with_shift_begins_a_line() {
        let enter = Key::Named(Named::Enter);
        let sent = press(enter.clone(), Modifiers::empty(), true);
        assert!(matches!(sent, Some(Binding::Custom(Message::Send))), "{sent:?}");
        assert!(matches!(press(enter.clone(), Modifiers::SHIFT, true), Some(Binding::Enter)));
        assert!(
            press(enter, Modifiers::empty(), false).is_none(),
            "somebody else has the keyboard"
        );
        // The screen's own keys are left to it.
        let up = Key::Named(Named::ArrowUp);
        assert!(press(up.clone(), Modifiers::ALT, true).is_none());
        assert!(matches!(press(up, Modifiers::empty(), true), Some(Binding::Move(_))));
        assert!(press(Key::Character("f".into()), Modifiers::COMMAND, true).is_none());
    }
}
