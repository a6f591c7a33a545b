//! The conversation with the robot. What it answered is kept in the data folder.

use iced::{
    Alignment, Length,
    widget::{Column, column, container, row},
};

use super::{Chat, Message, TALK, bubble};
use crate::{
    backend::{
        post::Said,
        robot::{Exchange, KEPT},
    },
    figures,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind, button, cut, empty, hr, icon_button, scroll, tile},
    words::{chat as words, shell},
};
use potluck::say::Reason;

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Robot {
    turns: Vec<Turn>,
    /// What was said before was asked for.
    recalled: bool,
}

/// A question, and what became of it.
#[derive(Debug)]
struct Turn {
    number: u64,
    asked: String,
    at: u64,
    answer: Option<Result<Said, Reason>>,
}

impl Robot {
    /// A question is asked.
    pub(super) fn ask(&mut self, number: u64, text: String, at: u64) {
        if self.turns.len() >= KEPT {
            self.turns.remove(0);
        }
        self.turns.push(Turn { number, asked: text, at, answer: None });
    }

    /// It was answered, or nobody could.
    pub(super) fn answer(&mut self, number: u64, said: Result<Said, Reason>) {
        if let Some(turn) = self.turns.iter_mut().find(|turn| turn.number == number) {
            turn.answer = Some(said);
        }
    }

    /// A question that was not answered is asked again.
    pub(super) fn again(&mut self, number: u64) -> Option<String> {
        let turn = self.turns.iter_mut().find(|turn| turn.number == number)?;
        let failed = turn.answer.take_if(|answer| answer.is_err());
        failed.map(|_| turn.asked.clone())
    }

    /// Whether what was said before has to be asked for: once.
    pub(super) fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.recalled, true)
    }

    /// What was said before stands above what was said since.
    pub(super) fn remember(&mut self, all: Vec<Exchange>) {
        let before = all.into_iter().map(|Exchange { asked, at, said }| {
            // Nothing of these is asked again.
            Turn { number: 0, asked, at, answer: Some(Ok(said)) }
        });
        self.turns.splice(0..0, before);
        let more = self.turns.len().saturating_sub(KEPT);
        self.turns.drain(..more);
    }

    /// All that was answered.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        let answered = self.turns.iter().filter_map(|turn| {
            let said = turn.answer.as_ref()?.as_ref().ok()?.clone();
            Some(Exchange { asked: turn.asked.clone(), at: turn.at, said })
        });
        answered.collect()
    }

    /// Nothing was said; what is being asked is answered all the same.
    pub(super) fn forget(&mut self) {
        self.turns.retain(|turn| turn.answer.is_none());
    }

    /// The last that was said, and when.
    pub(super) fn last(&self) -> Option<(&str, u64)> {
        let turn = self.turns.last()?;
        match &turn.answer {
            Some(Ok(said)) => Some((&said.text, turn.at)),
            _ => Some((&turn.asked, turn.at)),
        }
    }
}

impl Chat {
    /// The whole pane.
    pub(super) fn robot_pane<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let names = column![
            cut(words::robot(lang), Role::Heading),
            cut(words::robot_hint(lang), Role::Caption).style(theme::muted).fill(),
        ]
        .width(Length::Fill);
        let forget = (!self.robot.turns.is_empty()).then(|| {
            icon_button(Icon::Trash, words::forget_robot(lang), Some(Message::ForgetRobot))
        });
        let head = row![]
            .push(self.back(context))
            .push(tile(Icon::Bot, 36.0, Tone::Primary))
            .push(names)
            .push(forget)
            .spacing(space::M)
            .align_y(Alignment::Center);
        let side = if context.is_narrow() { space::M } else { space::XL };
        let high = if context.is_narrow() { 44.0 } else { 64.0 };
        let head = container(head).center_y(high).padding([0.0, side]).style(theme::panel);
        let talk: Element<'a, Message> = match self.robot.turns.is_empty() {
            true => empty(Icon::Bot, words::robot(lang), words::robot_empty(lang)),
            false => {
                let turns = self.robot.turns.iter().map(|turn| said(turn, context));
                let all = Column::with_children(turns).spacing(space::M);
                let all = container(all).padding([space::L, side]);
                scroll(all)
                    .anchor_bottom()
                    .id(iced::widget::Id::new(TALK))
                    .height(Length::Fill)
                    .into()
            }
        };
        column![head, hr(), container(talk).height(Length::Fill), self.composer(context, false)]
            .into()
    }
}

fn said<'a>(turn: &'a Turn, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let asked = bubble::of_text(&turn.asked, true);
    let answer: Element<'a, Message> = match &turn.answer {
        None => bubble::state(Icon::Hourglass, words::thinking(lang), Tone::Neutral),
        Some(Ok(said)) => {
            let by = words::answered(lang, &said.by.name, &figures::took(said.milliseconds));
            let copy = button(shell::copy(lang))
                .kind(Kind::Link)
                .small()
                .icon(Icon::Copy)
                .on_press(Message::Copy(said.text.clone()));
            let under = row![bubble::state(Icon::Route, by, Tone::Neutral), copy,]
                .spacing(space::M)
                .align_y(Alignment::Center);
            column![bubble::of_text(&said.text, false), under].spacing(space::XS).into()
        }
        Some(Err(why)) => {
            let again = button(shell::try_again(lang))
                .small()
                .icon(Icon::RefreshCw)
                .on_press(Message::Again(turn.number));
            let copy = icon_button(
                Icon::Copy,
                shell::copy_details(lang),
                Some(Message::Copy(why.to_string())),
            );
            let inside = column![
                Role::Strong.text(words::not_answered(lang)),
                Role::Body.text(why.say(lang)),
                row![again, copy].spacing(space::S).align_y(Alignment::Center),
            ]
            .spacing(space::S);
            container(inside)
                .padding([space::S, space::M])
                .max_width(bubble::WIDEST)
                .style(theme::note(Tone::Danger))
                .into()
        }
    };
    column![bubble::at_right(asked), answer].spacing(space::M).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_is_asked_again() {
        let mut robot = Robot::default();
        robot.ask(1, "hello".to_owned(), 5);
        assert_eq!(robot.again(1), None);
        robot.answer(1, Err("nobody serves chat/1".into()));
        assert_eq!(robot.again(1).as_deref(), Some("hello"));
        assert_eq!(robot.again(1), None);
        assert_eq!(robot.last(), Some(("hello", 5)));
    }

    #[test]
    fn what_was_answered_comes_back_above_what_was_said_since() {
        let by = potluck::client::Served { id: String::new(), name: "kitchen".to_owned() };
        let said = |text: &str| Said { text: text.to_owned(), by: by.clone(), milliseconds: 1 };
        let mut before = Robot::default();
        before.ask(1, "one".to_owned(), 5);
        before.answer(1, Ok(said("1")));
        before.ask(2, "two".to_owned(), 6);
        before.answer(2, Err("nobody".into()));
        let kept = before.exchanges();
        assert_eq!(kept.len(), 1, "a question without an answer is none");
        let mut after = Robot::default();
        assert!(after.begins() && !after.begins());
        after.ask(1, "three".to_owned(), 9);
        after.remember(kept);
        after.answer(1, Ok(said("3")));
        let asked: Vec<_> = after.exchanges().into_iter().map(|one| one.asked).collect();
        assert_eq!(asked, ["one", "three"]);
        after.ask(2, "four".to_owned(), 10);
        after.forget();
        assert_eq!((after.exchanges().len(), after.turns.len()), (0, 1));
    }
}
