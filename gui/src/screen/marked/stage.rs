//! The picture that shows, what can be done with it, and the others.

use iced::{
    Alignment, ContentFit, Length,
    widget::{Canvas, Column, Row, column, container, image, row, scrollable, stack},
};

use super::{Marked, Message, Piece, Purpose, State, Trouble, WORDS, boxes::Boxes, paths};
use crate::{
    figures,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, radius, space},
    widget::{Kind, badge, button, cut, icon_button, pressable, switch, tile},
    words::{Lang, asking, faces as words, recognize, shell},
};

impl Marked {
    /// The picture with its boxes, and a line below it; `height` where it is not what is left.
    pub(super) fn stage<'a>(
        &'a self,
        piece: &'a Piece,
        context: &Context<'a>,
        height: Option<f32>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        // Why there is nothing to see is never cut off.
        let room = match &piece.state {
            State::Failed(_) if height.is_some() => Length::Shrink,
            _ => height.map_or(Length::Fill, Length::Fixed),
        };
        let picture: Element<'a, Message> = match (&piece.read, &piece.state) {
            (_, State::Failed(why)) => trouble(piece, why, height.is_none(), lang),
            (Some(shown), state) => {
                let whole = image(&shown.handle)
                    .width(Length::Fill)
                    .height(Length::Fill)
                    .content_fit(ContentFit::Contain);
                let boxes = piece.answer().map(|found| {
                    Canvas::new(Boxes {
                        items: &found.items,
                        size: shown.size,
                        chosen: self.item,
                        boxes: self.boxes,
                        lang,
                    })
                    .width(Length::Fill)
                    .height(Length::Fill)
                });
                let waiting = match state {
                    State::Running => Some((Icon::Zap, self.which.looking(lang))),
                    State::Waiting => Some((Icon::Clock, words::waits(lang))),
                    _ => None,
                };
                let waiting = waiting.map(|(icon, said)| {
                    let line = row![
                        badge(Some(icon), said, Tone::Primary),
                        button(asking::stop(lang))
                            .icon(Icon::X)
                            .small()
                            .on_press(Message::Stop(piece.id)),
                    ]
                    .spacing(space::S)
                    .align_y(Alignment::Center);
                    container(line).padding(space::M)
                });
                stack![whole].push(boxes).push(waiting).into()
            }
            (None, _) => {
                let said = Role::Body.text(words::reading(lang)).style(theme::muted);
                container(said).center(Length::Fill).into()
            }
        };
        let over = self.paths.is_over();
        let picture = container(picture).width(Length::Fill).height(room).padding(1).style(
            move |theme: &theme::Theme| match over {
                true => theme::drop(true)(theme),
                false => container::Style {
                    background: Some(theme.roles().raised.into()),
                    ..container::Style::default()
                },
            },
        );
        column![picture, self.line(piece, context)].spacing(space::M).into()
    }

    /// What it is, and what can be done with it.
    fn line<'a>(&'a self, piece: &'a Piece, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let mut facts = Vec::new();
        if let Some(shown) = &piece.read {
            facts.push(words::size(lang, shown.size.0, shown.size.1));
        }
        if let Some(found) = piece.answer() {
            facts.push(asking::by(lang, &found.served_by.name, &figures::took(found.milliseconds)));
        }
        let names = column![
            cut(piece.name.as_str(), Role::Strong).fill(),
            cut(facts.join("·"), Role::Caption).style(theme::muted).fill(),
        ]
        .width(Length::Fill);
        let low = context.size.height < 640.0 || !context.has_panel();
        let steps = (low && self.pieces.len() > 1).then(|| {
            row![
                icon_button(Icon::ChevronLeft, words::earlier(lang), Some(Message::Step(-1))),
                icon_button(Icon::ChevronRight, words::later(lang), Some(Message::Step(1))),
            ]
        });
        let has_some = piece.answer().is_some_and(|found| found.items.count() > 0);
        let wide = context.has_panel() && context.size.width >= 900.0;
        let switches = (has_some && wide).then(|| {
            let one = |words: &'a str, on: bool, message: fn(bool) -> Message| {
                row![switch(on, Some(message(!on))), Role::Body.text(words)]
                    .spacing(space::S)
                    .align_y(Alignment::Center)
            };
            one(words::boxes(lang), self.boxes, Message::Boxes)
        });
        let to_save = Message::Paths(paths::Message::Choose(Purpose::Save));
        let save: Option<Element<'a, Message>> = has_some.then(|| match wide {
            true => {
                let save = button(words::save_copy(lang)).icon(Icon::Download);
                save.on_press(to_save).into()
            }
            false => icon_button(Icon::Download, words::save_copy(lang), Some(to_save)),
        });
        let remove = Some(Message::Remove(piece.id));
        Row::new()
            .push(names)
            .push(switches)
            .push(steps)
            .push(save)
            .push(icon_button(Icon::X, asking::remove(lang), remove))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .into()
    }

    /// All pictures, side by side.
    pub(super) fn strip<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let cards = self.pieces.iter().map(|piece| {
            let chosen = Some(piece.id) == self.chosen;
            let small: Element<'a, Message> = match &piece.read {
                Some(shown) => image(&shown.small).width(112).height(72).into(),
                None => container(Icon::Image.view(20.0).style(theme::muted))
                    .center_x(112)
                    .center_y(72)
                    .into(),
            };
            let said = match &piece.state {
                State::Done(found) => self.which.counted(lang, found.items.count()),
                State::Failed(_) => words::failed(lang).to_owned(),
                _ => recognize::is_running(lang).to_owned(),
            };
            let words = column![
                cut(piece.name.as_str(), Role::Caption).style(theme::muted).fill(),
                cut(said, Role::CaptionStrong).style(theme::plain_text).fill(),
            ];
            let inside = column![small, words.width(112)].spacing(space::XS);
            let (style, padding): (fn(&theme::Theme) -> container::Style, f32) = match chosen {
                true => (theme::card_chosen, 7.0),
                false => (theme::card, 8.0),
            };
            let card = container(inside).padding(padding).style(style);
            pressable(card, false, radius::CARD, Message::Show(piece.id)).into()
        });
        let cards = container(Row::with_children(cards).spacing(space::M)).padding(4);
        let hidden = scrollable::Direction::Horizontal(scrollable::Scrollbar::hidden());
        scrollable(cards).direction(hidden).width(Length::Fill).into()
    }
}

/// Why there is nothing to see, and what to do; in the middle, where it has the room of a picture.
fn trouble<'a>(
    piece: &'a Piece,
    why: &'a Trouble,
    roomy: bool,
    lang: Lang,
) -> Element<'a, Message> {
    let said = why.said(lang, WORDS);
    let again = piece.may_again().then(|| {
        let again = button(asking::again(lang)).icon(Icon::RefreshCw).kind(Kind::Primary);
        again.on_press(Message::Again(piece.id))
    });
    let copy = said.details.map(|details| {
        let copy = button(shell::copy_details(lang)).icon(Icon::Copy).kind(Kind::Quiet);
        copy.on_press(Message::Copy(details))
    });
    let inside = Column::new()
        .push(tile(Icon::CircleX, 44.0, Tone::Danger))
        .push(Role::Heading.text(said.title))
        .push(Role::Body.text(said.hint).style(theme::muted).align_x(Alignment::Center))
        .push(Row::new().push(copy).push(again).spacing(space::S))
        .spacing(space::M)
        .max_width(440)
        .align_x(Alignment::Center);
    let inside = container(inside).center_x(Length::Fill).padding(space::M);
    if roomy { inside.center_y(Length::Fill).into() } else { inside.into() }
}
