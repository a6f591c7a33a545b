//! The list: requests, the robot, people.

use iced::{
    Alignment, Length,
    widget::{Column, column, container, row, text},
};

use super::{Chat, Message, SEARCH, Who, letters::Row};
use crate::{
    figures,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind, avatar, button, count, cut, empty, field, hr, list, note, pressable, tile},
    words::chat as words,
};

/// Height of a row, and where there is little room.
const ROW: (f32, f32) = (60.0, 52.0);

impl Chat {
    /// The whole list.
    pub(super) fn people<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let narrow = context.is_narrow();
        let title = (!narrow).then(|| container(Role::Title.text(words::title(lang))).center_y(64));
        let search = field(
            words::search(lang),
            &self.search,
            None,
            Role::Body,
            SEARCH,
            Message::Search,
            None,
        );
        let top = Column::new()
            .push(title)
            .push(search)
            .push(self.dropped_note(context))
            .push(self.request_card(context))
            .push(self.trouble.as_ref().map(|why| {
                let said = format!("{}: {why}", words::not_loaded(lang));
                note(Icon::CircleX, said, Tone::Danger)
            }))
            .spacing(space::M);
        let above = if narrow { space::S } else { 0.0 };
        let pad = iced::Padding::from([space::M, space::L]).top(above);
        let top = container(top).padding(pad);
        let foot = (!narrow && context.size.height >= 560.0).then(|| {
            let line = row![
                Icon::Lock.view(14.0).style(theme::muted),
                Role::Caption.text(words::sealed(lang)).style(theme::muted).width(Length::Fill),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center);
            column![hr(), container(line).padding([space::M, space::L])]
        });
        Column::new().push(top).push(self.rows_view(context)).push(foot).into()
    }

    fn rows_view<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let rows = self.rows(context);
        let searching = !self.search.trim().is_empty();
        if rows.is_empty() && searching {
            let nothing = Role::Body.text(words::nothing_found(lang)).style(theme::muted);
            return container(nothing).padding(space::L).height(Length::Fill).into();
        }
        let high = if context.is_narrow() { ROW.1 } else { ROW.0 };
        let alone = rows.is_empty();
        // The robot stands first where nobody is looked for.
        let robot = usize::from(!searching);
        let (narrow, now) = (context.is_narrow(), context.now_ms);
        let total = rows.len() + robot;
        let build = move |index: usize| -> Element<'a, Message> {
            match index.checked_sub(robot).and_then(|at| rows.get(at)) {
                Some(one) => self.person(one, narrow, lang, now),
                None if index < robot => self.robot_row(narrow, lang, now),
                None => text("").into(),
            }
        };
        if alone {
            let hint = empty(Icon::Users, words::nobody(lang), words::nobody_hint(lang));
            let hint = crate::widget::scroll(hint);
            return column![container(build(0)).height(high), container(hint).center(Length::Fill)]
                .height(Length::Fill)
                .into();
        }
        list("chat-list", total, high, self.window, build, Message::Scrolled)
    }

    fn person<'a>(
        &self,
        one: &Row,
        narrow: bool,
        lang: crate::words::Lang,
        now: u64,
    ) -> Element<'a, Message> {
        let who = Who::Person(one.id.clone());
        let chosen = self.chosen.as_ref() == Some(&who);
        let picture = avatar(&one.name, &one.id, 36.0, Some(one.on));
        let role = if one.unseen > 0 || chosen { Role::Strong } else { Role::Body };
        let name = cut(one.name.clone(), role).fill();
        let at = one.at.map(|at| figures::short(lang, at, now));
        let preview = match (one.preview.is_empty(), one.on) {
            (false, _) => one.preview.clone(),
            (true, true) => words::on(lang).to_owned(),
            (true, false) => words::off(lang).to_owned(),
        };
        let preview = cut(preview, Role::Caption).style(theme::muted).fill();
        row_view(picture, name.into(), preview.into(), at, one.unseen, (chosen, narrow), who)
    }

    fn robot_row<'a>(
        &self,
        narrow: bool,
        lang: crate::words::Lang,
        now: u64,
    ) -> Element<'a, Message> {
        let chosen = self.chosen == Some(Who::Robot);
        let role = if chosen { Role::Strong } else { Role::Body };
        let last = self.robot.last();
        let at = last.map(|(_, at)| figures::short(lang, at, now));
        let said =
            last.map_or_else(|| words::robot_hint(lang).to_owned(), |(said, _)| said.to_owned());
        row_view(
            tile(Icon::Bot, 36.0, Tone::Primary),
            cut(words::robot(lang), role).fill().into(),
            cut(said, Role::Caption).style(theme::muted).fill().into(),
            at,
            0,
            (chosen, narrow),
            Who::Robot,
        )
    }

    /// Files that wait for somebody who gets them.
    fn dropped_note<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let lang = context.lang;
        if self.hovered && !matches!(self.chosen, Some(Who::Person(_))) {
            return Some(note(Icon::Upload, words::drop_choose(lang), Tone::Primary));
        }
        let waiting = self.dropped.len();
        (waiting > 0).then(|| {
            let said = Role::Body.text(words::dropped(lang, waiting)).width(Length::Fill);
            let no =
                button(words::cancel(lang)).kind(Kind::Quiet).small().on_press(Message::Undrop);
            let line = row![Icon::Upload.view(16.0), said, no]
                .spacing(space::S)
                .align_y(Alignment::Center);
            container(line).padding([space::S, space::M]).style(theme::note(Tone::Primary)).into()
        })
    }
}

/// A row of the list.
fn row_view<'a>(
    picture: Element<'a, Message>,
    name: Element<'a, Message>,
    preview: Element<'a, Message>,
    at: Option<String>,
    unseen: usize,
    (chosen, narrow): (bool, bool),
    who: Who,
) -> Element<'a, Message> {
    let at = at.map(|at| Role::Caption.text(at).style(theme::muted));
    let first = row![name].push(at).spacing(space::S).align_y(Alignment::Center);
    let second = row![preview].push(count(unseen)).spacing(space::S).align_y(Alignment::Center);
    let words = column![first, second].width(Length::Fill);
    let line = row![picture, words].spacing(space::M).align_y(Alignment::Center);
    let high = if narrow { ROW.1 } else { ROW.0 };
    let inside = container(line).center_y(high).padding([0.0, space::L]);
    pressable(inside, chosen, 0.0, Message::Choose(who)).into()
}
