//! What one letter looks like: bubbles, file cards, the line under them.

use std::borrow::Cow;

use iced::{
    Alignment, Length, Padding,
    widget::{Column, Row, column, container, image, row},
};
use potluck::mail::{
    ask::{Coming, Incoming, Outgoing},
    records::Stage,
};

use super::{Chat, Message, Pending, letters::Entry};
use crate::{
    figures,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Theme, Tone, radius, space},
    widget::{Kind, bar, button, cut, icon_button, note, pressable, tile},
    words::{Lang, chat as words},
};

/// The widest bubble.
pub const WIDEST: f32 = 460.0;
/// How wide a file card is.
const CARD: f32 = 400.0;
/// Files of one letter that are named.
const NAMED: usize = 5;

/// A text in a bubble.
pub fn of_text<'a>(text: &'a str, mine: bool) -> Element<'a, Message> {
    container(Role::Body.text(text).wrapping(iced::widget::text::Wrapping::WordOrGlyph))
        .padding([space::S, space::M])
        .max_width(WIDEST)
        .style(theme::bubble(mine))
        .into()
}

/// On the side of what this person said.
pub fn at_right<'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).align_right(Length::Fill).into()
}

/// The line under a bubble: an icon and how far it is.
pub fn state<'a>(icon: Icon, words: impl Into<Cow<'a, str>>, tone: Tone) -> Element<'a, Message> {
    let color = move |theme: &Theme| iced::widget::text::Style {
        color: Some(match tone {
            Tone::Neutral => theme.roles().muted,
            tone => tone.colors(theme).0,
        }),
    };
    let words = Role::Caption.text(words.into()).style(color);
    let mark = container(icon.view(14.0).style(color)).padding(Padding::ZERO.top(1.5));
    let line = row![mark, words].spacing(space::XS);
    container(line).max_width(WIDEST).into()
}

impl Chat {
    /// A letter with all that belongs to it.
    pub(super) fn letter_view<'a>(
        &'a self,
        entry: &'a Entry,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let mine = matches!(entry, Entry::Went(_));
        let text = entry.text().filter(|text| !text.is_empty()).map(|text| {
            let id = entry.id().to_owned();
            let bubble = of_text(text, mine);
            Element::from(pressable(bubble, false, radius::CARD, Message::Letter(id)))
        });
        let files = entry.files();
        let card = (!files.is_empty()).then(|| self.files(entry, files, context));
        let under = match entry {
            Entry::Came(one) => came(one, context.lang),
            Entry::Went(one) => went(one, context.lang),
        };
        let opened = self.opened.as_deref() == Some(entry.id());
        let actions = opened.then(|| self.actions(entry, context.lang));
        let all = Column::new()
            .push(text)
            .push(card)
            .push(under)
            .push(actions)
            .spacing(space::XS)
            .align_x(if mine { Alignment::End } else { Alignment::Start });
        if mine { at_right(all) } else { all.into() }
    }

    /// The files of a letter, and what can be done with them.
    fn files<'a>(
        &'a self,
        entry: &'a Entry,
        files: Vec<String>,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let mine = matches!(entry, Entry::Went(_));
        let bytes = match entry {
            Entry::Came(one) => one.contents.as_ref().map_or(0, |contents| contents.bytes),
            Entry::Went(one) => one.bytes,
        };
        let paths = match entry {
            Entry::Came(one) => self.saved.get(&one.id),
            Entry::Went(one) => Some(&one.files),
        };
        let pictures = paths.into_iter().flatten().filter_map(|path| {
            let picture = self.pictures.get(path)?.as_ref()?;
            let (width, height) = (picture.width as f32, picture.height as f32);
            let shown = image(picture.handle.clone()).width(width).height(height);
            Some(Element::from(shown))
        });
        let pictures: Vec<_> = pictures.take(NAMED).collect();
        let pictures =
            (!pictures.is_empty()).then(|| Row::with_children(pictures).spacing(space::S).wrap());
        let more = files.len().saturating_sub(NAMED);
        let icon = icon_of(&files);
        let mut names = Column::new().width(Length::Fill);
        for name in files.into_iter().take(NAMED) {
            names = names.push(cut(name, Role::Strong).fill());
        }
        if more > 0 {
            names = names.push(Role::Caption.text(words::files(lang, more)).style(theme::muted));
        }
        let names = names.push(cut(figures::size(bytes), Role::Caption).style(theme::muted));
        let line = row![tile(icon, 36.0, Tone::Primary), names]
            .push(self.file_action(entry, lang))
            .spacing(space::M)
            .align_y(Alignment::Center);
        let moving = match entry {
            Entry::Went(Outgoing { moved: Some(moved), sealed, paused, .. }) => {
                let tone = if *paused { Tone::Neutral } else { Tone::Primary };
                Some(bar(share(*moved, *sealed), tone, 6.0))
            }
            _ => None,
        };
        let inside = Column::new().push(pictures).push(line).push(moving).spacing(space::S);
        container(inside).padding(space::M).max_width(CARD).style(theme::bubble(mine)).into()
    }

    /// The one thing that is done with files.
    fn file_action<'a>(&'a self, entry: &'a Entry, lang: Lang) -> Option<Element<'a, Message>> {
        match entry {
            Entry::Went(one) if !one.stage.is_over() => {
                let back = button(words::take_back(lang)).kind(Kind::Quiet).small();
                let back = back.on_press(Message::TakeBack(one.id.clone()));
                let rest = (one.stage == Stage::Queued)
                    .then(|| rest(one.to.clone(), one.id.clone(), one.paused, lang));
                Some(row![].push(rest).push(back).align_y(Alignment::Center).into())
            }
            Entry::Went(_) => None,
            Entry::Came(one) if self.saving.contains(&one.id) => {
                Some(Role::Caption.text(words::saving(lang)).style(theme::muted).into())
            }
            Entry::Came(one) => Some(match self.saved.get(&one.id).and_then(|all| all.first()) {
                Some(path) => {
                    let copy = Message::Copy(path.display().to_string());
                    row![
                        Icon::CircleCheck.view(16.0).style(theme::success_text),
                        icon_button(Icon::Copy, words::copy_path(lang), Some(copy)),
                    ]
                    .align_y(Alignment::Center)
                    .into()
                }
                None => row![
                    button(words::save(lang))
                        .small()
                        .icon(Icon::Download)
                        .on_press(Message::Save(one.id.clone())),
                    icon_button(
                        Icon::Folder,
                        words::save_in(lang),
                        Some(Message::SaveIn(one.id.clone()))
                    ),
                ]
                .spacing(space::XS)
                .align_y(Alignment::Center)
                .into(),
            }),
        }
    }

    /// What else can be done with a letter, after it was pressed.
    fn actions<'a>(&self, entry: &Entry, lang: Lang) -> Element<'a, Message> {
        let act = |words: &'static str, icon: Icon, message: Message| {
            Element::from(button(words).kind(Kind::Quiet).small().icon(icon).on_press(message))
        };
        let id = || entry.id().to_owned();
        let mut all = Row::new().spacing(space::XS);
        if let Some(text) = entry.text() {
            let copy = Message::Copy(text.to_owned());
            all = all.push(act(words::copy_text(lang), Icon::Copy, copy));
        }
        match entry {
            Entry::Came(_) => {
                all = all.push(act(words::delete(lang), Icon::Trash, Message::Delete(id())));
            }
            Entry::Went(one) if !one.stage.is_over() => {
                all = all.push(act(words::take_back(lang), Icon::Undo2, Message::TakeBack(id())));
            }
            Entry::Went(one) => {
                if may_go_again(one) {
                    let again = Message::Resend(id());
                    all = all.push(act(words::resend(lang), Icon::RefreshCw, again));
                }
                all = all.push(act(words::delete(lang), Icon::Trash, Message::Delete(id())));
            }
        }
        all.wrap().into()
    }
}

/// A letter that is being sealed.
pub(super) fn pending<'a>(one: &'a Pending, lang: Lang) -> Element<'a, Message> {
    let text = (!one.text.is_empty()).then(|| of_text(&one.text, true));
    let files = (!one.files.is_empty()).then(|| {
        let words = words::files(lang, one.files.len());
        state(Icon::Paperclip, words, Tone::Neutral)
    });
    let stop =
        button(words::stop(lang)).kind(Kind::Quiet).small().on_press(Message::Stop(one.number));
    let under = row![state(Icon::Hourglass, words::sealing(lang), Tone::Neutral), stop]
        .spacing(space::S)
        .align_y(Alignment::Center);
    let all = Column::new().push(text).push(files).push(under).spacing(space::XS);
    at_right(all.align_x(Alignment::End))
}

/// A letter that is arriving.
pub fn coming<'a>(one: &Coming, lang: Lang) -> Element<'a, Message> {
    let share_words = figures::share(one.here, one.sealed);
    let (far, tone) = match one.paused {
        true => (words::rests(lang, &share_words), Tone::Neutral),
        false => (words::arriving(lang, &share_words), Tone::Primary),
    };
    let names = column![
        Role::Strong.text(far),
        Role::Caption.text(words::arriving_hint(lang)).style(theme::muted),
    ]
    .width(Length::Fill);
    let rest = rest(one.from.clone(), one.id.clone(), one.paused, lang);
    let line = row![tile(Icon::Download, 36.0, tone), names, rest]
        .spacing(space::M)
        .align_y(Alignment::Center);
    let inside = column![line, bar(share(one.here, one.sealed), tone, 6.0)];
    container(inside.spacing(space::S))
        .padding(space::M)
        .max_width(CARD)
        .style(theme::bubble(false))
        .into()
}

/// Lets a letter of or from somebody rest, or go on.
fn rest<'a>(with: String, id: String, rests: bool, lang: Lang) -> Element<'a, Message> {
    let (icon, tip) = match rests {
        true => (Icon::Play, words::go_on(lang)),
        false => (Icon::Pause, words::pause(lang)),
    };
    icon_button(icon, tip, Some(Message::Rest(with, id, !rests)))
}

/// Whether it will not arrive, so that it can be sent once more.
fn may_go_again(one: &Outgoing) -> bool {
    one.stage.has_failed() || one.stage == Stage::Cancelled
}

fn came<'a>(one: &'a Incoming, lang: Lang) -> Element<'a, Message> {
    match (&one.trouble, &one.contents) {
        (Some(why), _) => {
            let said = note(Icon::TriangleAlert, words::not_believed_why(lang, why), Tone::Danger);
            let delete = button(words::delete(lang))
                .kind(Kind::Quiet)
                .small()
                .icon(Icon::Trash)
                .on_press(Message::Delete(one.id.clone()));
            container(column![said, delete].spacing(space::XS)).max_width(WIDEST).into()
        }
        (None, None) => state(Icon::Hourglass, words::opening(lang), Tone::Neutral),
        (None, Some(_)) => {
            Role::Caption.text(figures::clock(one.came_at)).style(theme::muted).into()
        }
    }
}

/// How far a letter is, in words.
fn went<'a>(one: &'a Outgoing, lang: Lang) -> Element<'a, Message> {
    let at = || figures::clock(one.changed_at);
    let (icon, tone, said) = match one.stage {
        Stage::Queued if one.paused => {
            let far = figures::share(one.moved.unwrap_or_default(), one.sealed);
            (Icon::Pause, Tone::Neutral, words::rests(lang, &far))
        }
        Stage::Queued => match (one.moved, &one.waits) {
            (Some(moved), _) => {
                let far = figures::share(moved, one.sealed);
                (Icon::Upload, Tone::Neutral, words::going(lang, &far))
            }
            (None, Some(why)) => (Icon::Clock, Tone::Neutral, words::queued_why(lang, why)),
            (None, None) => (Icon::Clock, Tone::Neutral, words::queued(lang).to_owned()),
        },
        Stage::Held => {
            // A day far away is named as it is.
            let until = figures::day(lang, one.expires_at, one.written_at);
            let said = match one.held_by.len() {
                1 => words::held_one(lang, &until),
                many => words::held(lang, many, &until),
            };
            (Icon::Archive, Tone::Neutral, said)
        }
        Stage::Delivered => (Icon::Check, Tone::Neutral, words::delivered(lang, &at())),
        Stage::Read => (Icon::CheckCheck, Tone::Primary, words::read(lang, &at())),
        Stage::Refused => {
            let why = one.why.as_deref().unwrap_or_default();
            (Icon::CircleX, Tone::Danger, words::refused(lang, why))
        }
        Stage::Expired => (Icon::CircleX, Tone::Danger, words::expired(lang).to_owned()),
        Stage::Cancelled => (Icon::Undo2, Tone::Neutral, words::taken_back(lang).to_owned()),
    };
    let line = state(icon, said, tone);
    if !may_go_again(one) {
        return line;
    }
    let again = button(words::resend(lang))
        .kind(Kind::Link)
        .small()
        .icon(Icon::RefreshCw)
        .on_press(Message::Resend(one.id.clone()));
    row![line, again].spacing(space::M).align_y(Alignment::Center).into()
}

fn share(part: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

fn icon_of(names: &[String]) -> Icon {
    let [name] = names else { return Icon::Folder };
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    match ending.as_deref() {
        _ if crate::backend::files::is_picture(name) => Icon::Image,
        Some("zip" | "tar" | "gz" | "7z" | "rar" | "zst" | "xz") => Icon::FileArchive,
        Some("csv" | "tsv" | "xlsx" | "xls" | "ods" | "parquet") => Icon::Table2,
        Some("txt" | "md" | "pdf" | "doc" | "docx" | "odt") => Icon::FileText,
        _ => Icon::File,
    }
}
