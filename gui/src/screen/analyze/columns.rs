//! Column by column: the list of all, and what is known of the one that is chosen.

use iced::{
    Alignment, Length,
    widget::{Column, Row, Space, column, container, row},
};
use potluck_analysis::{Numbers, numbers::ColumnNumbers};

use super::{
    Analyze, Message, amounts,
    running::{kind_name, of_kind},
    shape,
};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, space},
    widget::{cut, hr, icon_button, list, pressable, scroll},
    words::{Lang, analyze as words, shell},
};

/// Height of a column in the list.
const ROW: f32 = 56.0;
/// Width of the list beside the column.
const LIST: f32 = 280.0;
/// Width of one fact.
const FACT: f32 = 236.0;
/// Frequent values that show.
const TOP: usize = 8;

impl Analyze {
    /// The list, and beside it or in its place the column that is chosen.
    pub(super) fn columns<'a>(
        &'a self,
        numbers: &'a Numbers,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let chosen = self.column.and_then(|at| numbers.columns.get(at));
        if !context.has_panel() {
            return match chosen {
                Some(chosen) => self.one(chosen, context, true),
                None => self.all_columns(numbers, context.lang, Length::Fill),
            };
        }
        let names = self.all_columns(numbers, context.lang, LIST.into());
        let beside = match chosen {
            Some(column) => self.one(column, context, false),
            None => Space::new().into(),
        };
        row![names, beside].spacing(space::M).into()
    }

    fn all_columns<'a>(
        &'a self,
        numbers: &'a Numbers,
        lang: Lang,
        width: Length,
    ) -> Element<'a, Message> {
        let build = move |at: usize| -> Element<'a, Message> {
            let Some(column) = numbers.columns.get(at) else { return Space::new().into() };
            let chosen = self.column == Some(at);
            let facts = format!(
                "{}·{} {}",
                kind_name(lang, &column.kind),
                words::missing(lang),
                amounts::count(column.missing)
            );
            let names = column![
                cut(column.name.as_str(), Role::Strong).style(theme::plain_text).fill(),
                cut(facts, Role::Caption).style(theme::muted).fill(),
            ];
            let small = shape::view(column, 24.0).map(|shape| container(shape).width(56));
            let line = row![of_kind(&column.kind).view(16.0).style(theme::muted), names]
                .push(small)
                .spacing(space::M)
                .align_y(Alignment::Center);
            let line =
                container(line).center_y(ROW - 1.0).padding([0.0, space::L]).width(Length::Fill);
            let pressed = pressable(line, chosen, 0.0, Message::Column(Some(at)));
            column![pressed, hr()].into()
        };
        let count = numbers.columns.len();
        let names = list("analyze-columns", count, ROW, self.window, build, Message::Scrolled);
        container(names)
            .padding([space::XS, 1.0])
            .width(width)
            .height(Length::Fill)
            .style(theme::card)
            .into()
    }

    fn one<'a>(
        &'a self,
        column: &'a ColumnNumbers,
        context: &Context<'a>,
        alone: bool,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let back = alone.then(|| {
            icon_button(Icon::ChevronLeft, shell::back(lang), Some(Message::Column(None)))
        });
        let copy = Some(Message::Copy(in_words(column, lang)));
        let head = Row::new()
            .push(back)
            .push(cut(column.name.as_str(), Role::Heading).style(theme::plain_text).fill())
            .push(Role::Caption.text(kind_name(lang, &column.kind)).style(theme::muted))
            .push(icon_button(Icon::Copy, words::copy_table(lang), copy))
            .spacing(space::S)
            .align_y(Alignment::Center);
        let facts = facts(column, lang).into_iter().map(|(name, value)| -> Element<'a, Message> {
            row![
                container(cut(name, Role::Body).style(theme::muted)).width(FACT * 0.58),
                cut(value, Role::Body).style(theme::plain_text).fill(),
            ]
            .spacing(space::S)
            .width(FACT)
            .into()
        });
        let facts = Row::with_children(facts).spacing(space::L).wrap().vertical_spacing(space::XS);
        let chart: Element<'a, Message> = match self.shown_chart() {
            Some(_) => self.chart_view(context, None),
            None => Role::Body.text(words::no_column_chart(lang)).style(theme::muted).into(),
        };
        let all = Column::new()
            .push(head)
            .push(facts)
            .push(frequent(column, lang))
            .push(hr())
            .push(chart)
            .spacing(space::M);
        let all = container(all).padding(space::L).width(Length::Fill).style(theme::card);
        scroll(all).height(Length::Fill).into()
    }
}

/// The most frequent values of what is no number.
fn frequent<'a>(column: &'a ColumnNumbers, lang: Lang) -> Option<Element<'a, Message>> {
    // Days that hardly repeat say nothing here.
    let days = column.first.is_some() && column.distinct * 2 >= column.count;
    if column.top.is_empty() || column.histogram.is_some() || days {
        return None;
    }
    let values = column.top.iter().take(TOP).map(|(value, count)| {
        let value = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let share = *count as f32 / column.count.max(1) as f32;
        row![
            cut(value, Role::Body).style(theme::plain_text).fill(),
            container(crate::widget::bar(share, theme::Tone::Primary, 4.0)).width(72),
            container(Role::Body.text(amounts::count(*count)).style(theme::muted)).align_right(64),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center)
        .into()
    });
    let title = Role::CaptionStrong.text(words::frequent(lang)).style(theme::muted);
    Some(column![title, Column::with_children(values)].spacing(space::XS).max_width(480).into())
}

/// What is known of a column, as far as it is.
fn facts(column: &ColumnNumbers, lang: Lang) -> Vec<(&'static str, String)> {
    let count = |number: u64| Some(amounts::count(number));
    let amount = |number: Option<f64>| number.map(|number| amounts::of(column, number));
    let plain = |number: Option<f64>| number.map(amounts::amount);
    let some = |number: Option<u64>| number.map(amounts::count);
    let share = format!(" ({:.1}%)", column.missing_ratio * 100.0);
    let missing = amounts::count(column.missing) + if column.missing > 0 { &share } else { "" };
    let all = [
        (words::values(lang), count(column.count)),
        (words::missing(lang), Some(missing)),
        (words::invalid(lang), count(column.invalid).filter(|_| column.invalid > 0)),
        (words::distinct(lang), count(column.distinct)),
        (words::mean(lang), plain(column.mean)),
        (words::std(lang), plain(column.std)),
        (words::least(lang), amount(column.min)),
        (words::q25(lang), amount(column.q25)),
        (words::median(lang), amount(column.median)),
        (words::q75(lang), amount(column.q75)),
        (words::greatest(lang), amount(column.max)),
        (words::skew(lang), plain(column.skew)),
        (words::kurtosis(lang), plain(column.kurtosis)),
        (words::zeros(lang), some(column.zeros)),
        (words::negatives(lang), some(column.negatives)),
        (words::outliers(lang), some(column.outliers)),
        (words::from_day(lang), column.first.clone()),
        (words::to_day(lang), column.last.clone()),
        (words::mean(lang), column.mean_time.clone()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The same for the clipboard, a line a fact.
fn in_words(column: &ColumnNumbers, lang: Lang) -> String {
    let lines = facts(column, lang).into_iter().map(|(name, value)| format!("\n{name}\t{value}"));
    std::iter::once(column.name.clone()).chain(lines).collect()
}
