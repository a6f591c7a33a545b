//! What was found, beside the picture.

use iced::{
    Alignment, Length, Padding,
    widget::{Column, Space, column, container, row},
};

use super::{Found, Items, Marked, Message, Piece, State, WORDS, Which};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, radius, space},
    widget::{Kind, button, cut, hr, icon_button, list, pressable},
    words::{Lang, faces as common, marked as words, shell},
};

/// Height of a card, and of the gap below it: a thing has a line, a line of text has room for two.
const THING: f32 = 44.0;
const LINE: f32 = 64.0;
const GAP: f32 = 8.0;

impl Marked {
    /// The panel beside the picture.
    pub(super) fn panel<'a>(
        &'a self,
        piece: &'a Piece,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let found = piece.answer();
        let cards: Element<'a, Message> = match found {
            Some(found) if found.items.count() > 0 => {
                let build = move |at: usize| self.card(found, at, lang);
                let cards = list(
                    "marked-cards",
                    found.items.count(),
                    height(&found.items) + GAP,
                    self.window,
                    build,
                    Message::Scrolled,
                );
                container(cards).padding([0.0, space::L]).height(Length::Fill).into()
            }
            Some(_) => container(self.nobody(lang)).padding(20).height(Length::Fill).into(),
            None => {
                container(missing(self.which, piece, lang)).padding(20).height(Length::Fill).into()
            }
        };
        let all = Column::new()
            .push(self.summary(found, lang))
            .push(cards)
            .push(found.map(|found| foot(self.which, found, lang)));
        let line =
            container(Space::new()).width(1).height(Length::Fill).style(|theme: &theme::Theme| {
                container::Style {
                    background: Some(theme.roles().line.into()),
                    ..container::Style::default()
                }
            });
        let inside = container(all).width(Length::Fill).height(Length::Fill).style(theme::panel);
        row![line, inside].into()
    }

    /// The same below the picture, where there is no room beside it.
    pub(super) fn panel_content<'a>(
        &'a self,
        piece: &'a Piece,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let Some(found) = piece.answer() else { return Space::new().into() };
        let mut all = column![self.summary(Some(found), lang)].spacing(GAP);
        if found.items.count() == 0 {
            all = all.push(self.nobody(lang));
        }
        // As many as a person reads here; the others are on the picture and in what is copied.
        for at in 0..found.items.count().min(100) {
            all = all.push(self.card(found, at, lang));
        }
        all.push(foot(self.which, found, lang)).into()
    }

    fn card<'a>(&'a self, found: &'a Found, at: usize, lang: Lang) -> Element<'a, Message> {
        let chosen = self.item == Some(at);
        let said = found.items.said(lang, at);
        let sure = common::sure(lang, &format!("{:.0}", found.items.sure(at) * 100.0));
        let inside: Element<'a, Message> = match &found.items {
            Items::Things(_) => row![
                cut(said, Role::Strong).style(theme::plain_text).fill(),
                Role::Caption.text(sure).style(theme::muted),
            ]
            .align_y(Alignment::Center)
            .into(),
            Items::Lines(_) => {
                let text = Role::Body.text(said).style(theme::plain_text).width(Length::Fill);
                // Two lines at most: all of it stands at the box, and in what is copied.
                let text = container(text).max_height(44).clip(true).width(Length::Fill);
                let copy = Message::Copy(said.to_owned());
                row![text, icon_button(Icon::Copy, words::copy_line(lang), Some(copy))]
                    .spacing(space::S)
                    .align_y(Alignment::Center)
                    .into()
            }
        };
        let (style, padding): (fn(&theme::Theme) -> container::Style, f32) = match chosen {
            true => (theme::card_chosen, 11.0),
            false => (theme::card, 12.0),
        };
        let inside = container(inside)
            .center_y(height(&found.items))
            .padding([0.0, padding])
            .width(Length::Fill)
            .style(style);
        let next = if chosen { None } else { Some(at) };
        pressable(inside, false, radius::CARD, Message::Item(next)).into()
    }

    fn summary<'a>(&'a self, found: Option<&'a Found>, lang: Lang) -> Element<'a, Message> {
        let said = found.map(|found| self.which.counted(lang, found.items.count()));
        let copy = found.filter(|found| found.items.count() > 0).map(|found| {
            let copy = button(shell::copy(lang)).icon(Icon::Copy).kind(Kind::Quiet).small();
            copy.on_press(Message::Copy(found.items.in_words(lang)))
        });
        let line = row![cut(said.unwrap_or_default(), Role::Heading).fill()].push(copy);
        let line = line.align_y(Alignment::Center);
        container(line).center_y(64).padding(Padding::from([0.0, 20.0])).into()
    }

    fn nobody<'a>(&'a self, lang: Lang) -> Element<'a, Message> {
        let [title, hint] = self.which.nothing(lang);
        column![Role::Strong.text(title), Role::Body.text(hint).style(theme::muted)]
            .spacing(space::S)
            .into()
    }
}

fn height(items: &Items) -> f32 {
    match items {
        Items::Things(_) => THING,
        Items::Lines(_) => LINE,
    }
}

/// Why there are no cards: what goes on, or what went wrong.
fn missing(which: Which, piece: &Piece, lang: Lang) -> Element<'_, Message> {
    let State::Failed(trouble) = &piece.state else {
        let waits = match piece.state {
            State::Running => which.looking(lang),
            State::Waiting => common::waits(lang),
            _ => common::reading(lang),
        };
        return Role::Body.text(waits).style(theme::muted).into();
    };
    let said = trouble.said(lang, WORDS);
    let details = said.details.map(|details| Role::Caption.text(details).style(theme::muted));
    Column::new()
        .push(Role::Strong.text(said.title))
        .push(Role::Body.text(said.hint).style(theme::muted))
        .push(details)
        .spacing(space::S)
        .into()
}

/// Who was tried, and that all of it is guessed.
fn foot<'a>(which: Which, found: &'a Found, lang: Lang) -> Element<'a, Message> {
    let hops: Vec<&str> = found.route.iter().map(|hop| hop.name.as_str()).collect();
    let line = |icon: Icon, words: String| {
        row![
            icon.view(14.0).style(theme::muted),
            cut(words, Role::Caption).style(theme::muted).fill()
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
    };
    let route =
        (!hops.is_empty()).then(|| line(Icon::Route, common::route(lang, &hops.join(", "))));
    let inside = Column::new()
        .push(route)
        .push(line(Icon::Info, which.guesses(lang).to_owned()))
        .spacing(space::XS);
    column![hr(), container(inside).padding([space::M, 20.0])].into()
}
