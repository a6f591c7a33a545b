//! While the table is analysed: how far that is, and the first rows as this computer reads them.

use iced::{
    Alignment, Length,
    widget::{Column, Row, Space, column, container, row, scrollable},
};
use potluck_analysis::table::Kind;

use super::{Analyze, Message, Stage, State, overview::inner_width};
use crate::{
    backend::tables::Seen,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind as ButtonKind, bar, button, card, cut, hr, icon_button},
    words::{Lang, analyze as words, asking, recognize},
};

/// Least width of a column of the first rows.
const CELL: f32 = 120.0;
/// What is done, in order.
const STAGES: [Stage; 4] = [Stage::Reading, Stage::Counting, Stage::Drawing, Stage::Writing];

impl Analyze {
    /// How far it is, stage by stage.
    pub(super) fn progress<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let (percent, stage) = self.progress.unwrap_or((0, Stage::Sending));
        let said = match self.table.as_ref().map(|table| &table.state) {
            Some(State::New | State::Reading) => words::looking(lang),
            _ if stage != Stage::Sending => recognize::asking(lang),
            Some(State::Waiting) => words::waits(lang),
            _ => words::sending(lang),
        };
        let narrow = context.is_narrow();
        let steps = STAGES.map(|step| -> Element<'a, Message> {
            let name = name(lang, step);
            let (icon, text, style): (_, _, fn(&theme::Theme) -> _) = match step.cmp(&stage) {
                std::cmp::Ordering::Less => (
                    Icon::CircleCheck.view(16.0).style(theme::success_text),
                    Role::Body,
                    theme::plain_text,
                ),
                std::cmp::Ordering::Equal => (
                    Icon::Zap.view(16.0).style(theme::primary_text),
                    Role::Strong,
                    theme::plain_text,
                ),
                std::cmp::Ordering::Greater => {
                    (Icon::Clock.view(16.0).style(theme::muted), Role::Body, theme::muted)
                }
            };
            row![icon, text.text(name).style(style)]
                .spacing(space::S)
                .align_y(Alignment::Center)
                .into()
        });
        let head: Element<'a, Message> = match narrow {
            true => Role::Body.text(name(lang, stage)).into(),
            false => Row::with_children(steps).spacing(space::XL).into(),
        };
        let beside = row![
            cut(said, Role::Caption).style(theme::muted).fill(),
            Role::Caption.text(words::percent(lang, percent)).style(theme::muted),
        ];
        let stop: Element<'a, Message> = match narrow {
            true => icon_button(Icon::X, asking::stop(lang), Some(Message::Stop)),
            false => button(asking::stop(lang)).icon(Icon::X).on_press(Message::Stop).into(),
        };
        let lines = Column::new()
            .push(head)
            .push(bar(f32::from(percent) / 100.0, Tone::Primary, 6.0))
            .push(beside)
            .spacing(space::S)
            .width(Length::Fill);
        card(row![lines, stop].spacing(space::XL).align_y(Alignment::Center))
    }

    /// The first rows with the types of their columns, as far as they are known.
    pub(super) fn first_rows<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let lang = context.lang;
        let seen = self.seen()?;
        let head = row![
            Role::Heading.text(words::first_rows(lang)).width(Length::Fill),
            Role::Caption.text(words::first_rows_hint(lang)).style(theme::muted),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let more = seen.width - seen.columns.len();
        let more = (more > 0).then(|| {
            container(Role::Caption.text(words::more_columns(lang, more)).style(theme::muted))
                .padding([space::S, space::L])
        });
        let across = scrollable(grid(seen, inner_width(context) - 2.0, lang))
            .direction(scrollable::Direction::Horizontal(
                scrollable::Scrollbar::new().width(6).scroller_width(6).spacing(4),
            ))
            .width(Length::Fill);
        let all = Column::new()
            .push(container(head).padding([space::M, space::L]))
            .push(hr())
            .push(across)
            .push(more);
        Some(container(all).padding(1).width(Length::Fill).style(theme::card).into())
    }
}

fn grid<'a>(seen: &'a Seen, room: f32, lang: Lang) -> Element<'a, Message> {
    let wide = (room / seen.columns.len().max(1) as f32).max(CELL);
    let cell =
        |inside: Element<'a, Message>| container(inside).padding([0.0, space::M]).width(wide);
    let names = seen.columns.iter().map(|(name, kind)| {
        let kind = row![
            icon(*kind).view(12.0).style(theme::primary_text),
            cut(kind_name(lang, kind.name()), Role::Caption).style(theme::primary_text),
        ]
        .spacing(space::XS)
        .align_y(Alignment::Center);
        cell(column![cut(name.as_str(), Role::Strong).style(theme::plain_text), kind].into())
            .center_y(52)
            .into()
    });
    let mut all = Column::new().push(container(Row::with_children(names)).style(theme::head));
    for line in &seen.rows {
        let cells = line.iter().zip(&seen.columns).map(|(text, (_, kind))| {
            let text = cut(text.as_str(), Role::Body).style(theme::plain_text);
            // Numbers stand one below the other.
            let inside = cell(text.into()).center_y(36);
            match kind.is_number() {
                true => inside.align_x(Alignment::End).into(),
                false => inside.into(),
            }
        });
        all = all.push(hr()).push(Row::with_children(cells));
    }
    let width = wide * seen.columns.len() as f32;
    column![all.width(width), Space::new().height(space::XS)].into()
}

fn name(lang: Lang, stage: Stage) -> &'static str {
    match stage {
        Stage::Sending => words::sending(lang),
        Stage::Reading => words::reading(lang),
        Stage::Counting => words::counting(lang),
        Stage::Drawing => words::drawing(lang),
        Stage::Writing => words::writing(lang),
    }
}

/// The sign of a kind of column.
pub(super) fn icon(kind: Kind) -> Icon {
    of_kind(kind.name())
}

/// The same by its name.
pub(super) fn of_kind(kind: &str) -> Icon {
    match kind {
        "integer" | "number" => Icon::Hash,
        "date" | "datetime" | "time" | "duration" => Icon::Calendar,
        "boolean" => Icon::Check,
        "empty" => Icon::Minus,
        _ => Icon::Type,
    }
}

/// A kind of column in words.
pub(super) fn kind_name(lang: Lang, kind: &str) -> &'static str {
    match kind {
        "integer" => words::integer(lang),
        "number" => words::number(lang),
        "boolean" => words::boolean(lang),
        "date" => words::date(lang),
        "datetime" => words::datetime(lang),
        "time" => words::time(lang),
        "duration" => words::duration(lang),
        "empty" => words::nothing(lang),
        _ => words::text(lang),
    }
}

/// A quiet button with an icon, for lines where there is little room.
pub(super) fn quiet<'a>(icon: Icon, words: &'a str, message: Message) -> Element<'a, Message> {
    button(words).icon(icon).kind(ButtonKind::Quiet).on_press(message).into()
}
