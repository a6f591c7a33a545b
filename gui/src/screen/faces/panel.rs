//! What is known of the faces, beside the picture.

use iced::{
    Alignment, Length, Padding,
    widget::{Column, Space, column, container, image, row},
};
use potluck::services::face::{Face, Sex};

use super::{Faces, Found, Message, Portrait, State, WORDS, cloud_by, stage::counted};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, radius, space},
    widget::{Kind, button, cut, hr, list, pressable},
    words::{Lang, faces as words, shell},
};

/// Height of a card, and of the gap below it.
const CARD: f32 = 110.0;
const GAP: f32 = 12.0;

impl Faces {
    /// The panel beside the picture.
    pub(super) fn panel<'a>(
        &'a self,
        portrait: &'a Portrait,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let found = portrait.answer();
        let cards: Element<'a, Message> = match found {
            Some(found) if !found.faces.is_empty() => {
                let build = move |at: usize| self.card(found, at, lang);
                let cards = list(
                    "faces-cards",
                    found.faces.len(),
                    CARD + GAP,
                    self.window,
                    build,
                    Message::Scrolled,
                );
                container(cards).padding([0.0, space::L]).height(Length::Fill).into()
            }
            Some(_) => container(nobody(lang)).padding(20).height(Length::Fill).into(),
            None => container(missing(portrait, lang)).padding(20).height(Length::Fill).into(),
        };
        let low = context.size.height < 640.0;
        let cloud = (!low).then(|| cloud(portrait, context));
        let all = Column::new()
            .push(title(found, lang))
            .push(cards)
            .push(cloud)
            .push(found.map(|found| foot(found, lang)));
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
        portrait: &'a Portrait,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let Some(found) = portrait.answer() else { return cloud(portrait, context) };
        let mut all = column![title(Some(found), lang)].spacing(GAP);
        if found.faces.is_empty() {
            all = all.push(nobody(lang));
        }
        // As many as a person reads here; the others are on the picture and in what is copied.
        for at in 0..found.faces.len().min(50) {
            all = all.push(self.card(found, at, lang));
        }
        all.push(cloud(portrait, context)).push(foot(found, lang)).into()
    }

    fn card<'a>(&'a self, found: &'a Found, at: usize, lang: Lang) -> Element<'a, Message> {
        let Some(face) = found.faces.get(at) else { return Space::new().into() };
        let chosen = self.face == Some(at);
        let part: Element<'a, Message> = match found.parts.get(at) {
            Some(part) => image(part).width(80).height(80).into(),
            None => Space::new().width(80).height(80).into(),
        };
        let sure = face.confidence.map(|sure| {
            let sure = words::sure(lang, &format!("{:.0}", sure * 100.0));
            Role::Caption.text(sure).style(theme::muted)
        });
        let head =
            row![cut(words::face(lang, at + 1), Role::Strong).style(theme::plain_text).fill()]
                .push(sure)
                .align_y(Alignment::Center);
        let fact = |name: &'a str, value: Option<String>, otherwise: &'a str| {
            let known = value.is_some();
            let value = value.unwrap_or_else(|| otherwise.to_owned());
            let style = if known { theme::plain_text } else { theme::muted };
            row![
                container(Role::Caption.text(name).style(theme::muted)).width(48),
                cut(value, Role::Body).style(style).fill(),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center)
        };
        let gender = face.gender.map(|gender| match gender.value {
            Sex::Male => words::male(lang).to_owned(),
            Sex::Female => words::female(lang).to_owned(),
        });
        let age = face.age.map(|age| words::about(lang, &age.text()));
        let beauty = face.beauty.map(|beauty| {
            let score = |score: f32| format!("{score:.0}");
            words::scores(lang, &score(beauty.female_score), &score(beauty.male_score))
        });
        let no_beauty = if found.cloud { words::unknown(lang) } else { words::only_facepp(lang) };
        let facts = column![
            head,
            fact(words::gender(lang), gender, words::unknown(lang)),
            fact(words::age(lang), age, words::unknown(lang)),
            fact(words::beauty(lang), beauty, no_beauty),
        ];
        let (style, padding): (fn(&theme::Theme) -> container::Style, f32) = match chosen {
            true => (theme::card_chosen, 11.0),
            false => (theme::card, 12.0),
        };
        let inside = row![part, facts.width(Length::Fill)].spacing(space::M);
        let inside = container(inside.align_y(Alignment::Center))
            .center_y(CARD)
            .padding([0.0, padding])
            .width(Length::Fill)
            .style(style);
        let chosen = if chosen { None } else { Some(at) };
        pressable(inside, false, radius::CARD, Message::Face(chosen)).into()
    }
}

/// The way through the cloud: never without being asked.
fn cloud<'a>(portrait: &'a Portrait, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let Some(found) = portrait.answer() else { return Space::new().into() };
    let who = cloud_by(context);
    let head = row![
        Icon::Globe.view(16.0).style(theme::warning_text),
        Role::Strong.text(words::beauty_needs(lang)),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    let said = match &who {
        _ if found.cloud => words::by_cloud(lang).to_owned(),
        Some(who) => words::beauty_hint(lang, who),
        None => words::nobody_cloud(lang).to_owned(),
    };
    let send = (who.is_some() && !found.cloud).then(|| {
        button(words::send(lang)).icon(Icon::Upload).on_press(Message::AskCloud(portrait.id))
    });
    let inside = Column::new()
        .push(head)
        .push(Role::Body.text(said).style(theme::muted))
        .push(send)
        .spacing(space::M);
    column![hr(), container(inside).padding([space::L, 20.0])].into()
}

fn title<'a>(found: Option<&'a Found>, lang: Lang) -> Element<'a, Message> {
    let said = found.map(|found| counted(lang, found.faces.len())).unwrap_or_default();
    let copy = found.filter(|found| !found.faces.is_empty()).map(|found| {
        let copy = button(shell::copy(lang)).icon(Icon::Copy).kind(Kind::Quiet).small();
        copy.on_press(Message::Copy(in_words(lang, &found.faces)))
    });
    let line = row![cut(said, Role::Heading).fill()].push(copy).align_y(Alignment::Center);
    container(line).center_y(64).padding(Padding::from([0.0, 20.0])).into()
}

fn nobody<'a>(lang: Lang) -> Element<'a, Message> {
    column![
        Role::Strong.text(words::none(lang)),
        Role::Body.text(words::none_hint(lang)).style(theme::muted),
    ]
    .spacing(space::S)
    .into()
}

/// Why there are no cards: what goes on, or what went wrong.
fn missing(portrait: &Portrait, lang: Lang) -> Element<'_, Message> {
    let State::Failed(trouble) = &portrait.state else {
        let waits = match portrait.state {
            State::Running => words::looking(lang),
            State::Waiting => words::waits(lang),
            _ => words::reading(lang),
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
fn foot<'a>(found: &'a Found, lang: Lang) -> Element<'a, Message> {
    let hops: Vec<&str> = found.route.iter().map(|hop| hop.name.as_str()).collect();
    let line = |icon: Icon, words: String| {
        row![
            icon.view(14.0).style(theme::muted),
            cut(words, Role::Caption).style(theme::muted).fill()
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
    };
    let route = (!hops.is_empty()).then(|| line(Icon::Route, words::route(lang, &hops.join(", "))));
    let inside = Column::new()
        .push(route)
        .push(line(Icon::Info, words::guesses(lang).to_owned()))
        .spacing(space::XS);
    column![hr(), container(inside).padding([space::M, 20.0])].into()
}

/// What stands at a box: `1·F 27`.
pub(super) fn short(lang: Lang, at: usize, face: &Face) -> String {
    let gender = face.gender.map(|gender| match gender.value {
        Sex::Male => words::male_short(lang),
        Sex::Female => words::female_short(lang),
    });
    let age = face.age.map(|age| age.text());
    let known: Vec<String> = gender.map(str::to_owned).into_iter().chain(age).collect();
    match known.is_empty() {
        true => (at + 1).to_string(),
        false => format!("{}·{}", at + 1, known.join(" ")),
    }
}

/// A line a face, for the clipboard.
fn in_words(lang: Lang, faces: &[Face]) -> String {
    let lines = faces.iter().enumerate().map(|(at, face)| {
        let frame = &face.frame;
        format!(
            "{}\t{:.0},{:.0} {:.0}×{:.0}",
            short(lang, at, face),
            frame.x,
            frame.y,
            frame.width,
            frame.height
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
