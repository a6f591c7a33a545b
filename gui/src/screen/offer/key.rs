//! The key of Face++: shown masked, kept where only its owner reads it.

use iced::{
    Alignment, Length, Task,
    widget::{Column, column, container, operation, row, text_input},
};

use super::{Action, Context, FACEPP, Message, Offer, offered};
use crate::{
    backend::offering::{Key, may_be_key},
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    widget::{Dialog, Kind, badge, button, card, cut, note, tile},
    words::offer as words,
};

/// The name of the field for the key.
pub const KEY: &str = "offer-key";
/// The name of the field for the secret.
const SECRET: &str = "offer-secret";

/// A key that is being typed in. It is in memory as long as the fields are open.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) key: String,
    pub(super) secret: String,
    wrong: bool,
}

/// Not even a debugger's log shows it.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Edit")
    }
}

impl Offer {
    /// Something about the key happened.
    pub(super) fn key_update(
        &mut self,
        message: Message,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        match message {
            Message::Edit => {
                self.editing = Some(Edit::default());
                return Action::Run(operation::focus(KEY));
            }
            Message::Unedit => self.editing = None,
            Message::Key(text) => {
                if let Some(edit) = &mut self.editing {
                    (edit.key, edit.wrong) = (text, false);
                }
            }
            Message::Secret(text) => {
                if let Some(edit) = &mut self.editing {
                    (edit.secret, edit.wrong) = (text, false);
                }
            }
            Message::Keep => return self.keep_key(context),
            Message::Remove => {
                return Action::Ask(Dialog {
                    tone: Tone::Danger,
                    icon: Icon::Trash,
                    title: words::remove_title(lang).to_owned(),
                    text: words::remove_text(lang).to_owned(),
                    details: None,
                    actions: vec![
                        (words::keep_it(lang).to_owned(), Message::Nothing),
                        (words::remove(lang).to_owned(), Message::Removed),
                    ],
                });
            }
            Message::Removed => {
                let Some(backend) = context.backend else { return Action::None };
                let removed = backend.clone().remove_key();
                return Action::Run(Task::perform(removed, |result| {
                    Message::Switched(FACEPP.to_owned(), result)
                }));
            }
            _ => {}
        }
        Action::None
    }

    fn keep_key(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(edit) = &mut self.editing else { return Action::None };
        if !may_be_key(&edit.key) || !may_be_key(&edit.secret) {
            edit.wrong = true;
            return Action::None;
        }
        let Some(backend) = context.backend else { return Action::None };
        let kept = backend.clone().keep_key(edit.key.clone(), edit.secret.clone());
        self.editing = None;
        Action::Run(Task::perform(kept, |result| Message::Switched(FACEPP.to_owned(), result)))
    }

    /// The card of the key.
    pub(super) fn key_card<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let key = self.known.as_ref().map_or(&Key::None, |known| &known.key);
        let works = offered(FACEPP, context).is_some();
        let state = match key {
            Key::None => None,
            Key::Wrong(_) => {
                Some(badge(Some(Icon::TriangleAlert), words::key_wrong(lang), Tone::Warning))
            }
            _ if works => {
                Some(badge(Some(Icon::CircleCheck), words::key_works(lang), Tone::Success))
            }
            _ => Some(badge(None, words::key_there(lang), Tone::Neutral)),
        };
        let head = row![
            tile(Icon::Key, 36.0, Tone::Neutral),
            column![
                Role::Heading.text(words::key(lang)),
                Role::Caption.text(words::key_hint(lang)).style(theme::muted),
            ]
            .width(Length::Fill),
        ]
        .push(state)
        .spacing(space::M)
        .align_y(Alignment::Center);
        let shown: Element<'a, Message> = match (&self.editing, key) {
            (Some(edit), _) => fields(edit, context),
            (None, Key::None) => {
                let add = button(words::add_key(lang)).icon(Icon::Plus).on_press(Message::Edit);
                column![Role::Body.text(words::key_none_hint(lang)).style(theme::muted), add]
                    .spacing(space::M)
                    .into()
            }
            (None, Key::File(masked)) => {
                let daily = self.known.as_ref().map(|known| {
                    Role::Caption.text(words::daily(lang, known.daily_calls)).style(theme::muted)
                });
                let buttons = row![
                    button(words::replace(lang)).on_press(Message::Edit),
                    container(
                        button(words::remove(lang))
                            .kind(Kind::Danger)
                            .icon(Icon::Trash)
                            .on_press(Message::Remove)
                    )
                    .align_right(Length::Fill),
                ];
                Column::new()
                    .push(shown_key(masked))
                    .push(daily)
                    .push(buttons)
                    .spacing(space::M)
                    .into()
            }
            (None, Key::Environment(masked)) => column![
                shown_key(masked),
                Role::Body.text(words::key_environment(lang)).style(theme::muted),
            ]
            .spacing(space::M)
            .into(),
            (None, Key::Wrong(why)) => {
                let buttons = row![button(words::replace(lang)).on_press(Message::Edit)];
                column![note(Icon::TriangleAlert, why.say(lang), Tone::Warning), buttons]
                    .spacing(space::M)
                    .into()
            }
        };
        card(column![head, shown].spacing(space::M))
    }
}

fn shown_key(masked: &str) -> Element<'_, Message> {
    container(cut(masked, Role::Mono).fill())
        .padding([6.0, space::M])
        .width(Length::Fill)
        .style(theme::well)
        .into()
}

fn fields<'a>(edit: &'a Edit, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let wrong =
        edit.wrong.then(|| Role::Caption.text(words::not_key(lang)).style(theme::danger_text));
    let hidden =
        |name: &'a str, value: &'a str, id: &'static str, on_input: fn(String) -> Message| {
            let (size, line) = Role::Body.measure();
            let input = text_input(name, value)
                .id(id)
                .secure(true)
                .on_input(on_input)
                .on_submit(Message::Keep)
                .size(size)
                .line_height(iced::widget::text::LineHeight::Absolute(line.into()))
                .font(Role::Body.font())
                .padding([(theme::CONTROL - line) / 2.0, 10.0]);
            column![Role::Caption.text(name).style(theme::muted), input].spacing(space::XS)
        };
    let buttons = row![
        button(words::save(lang)).kind(Kind::Primary).on_press(Message::Keep),
        button(words::cancel(lang)).kind(Kind::Quiet).on_press(Message::Unedit),
    ]
    .spacing(space::S);
    Column::new()
        .push(hidden(words::api_key(lang), &edit.key, KEY, Message::Key))
        .push(hidden(words::api_secret(lang), &edit.secret, SECRET, Message::Secret))
        .push(wrong)
        .push(buttons)
        .spacing(space::M)
        .into()
}
