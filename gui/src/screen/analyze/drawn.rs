//! Parts of the report that are charts: the one that shows, and what belongs to it.

use iced::{
    Alignment, ContentFit, Length,
    widget::{Column, Row, Space, column, container, image, row},
};
use potluck_analysis::Numbers;

use super::{Analyze, Message, Purpose, Tab, overview::pairs, paths};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, radius, space},
    widget::{bar, cut, empty, hr, icon_button, pressable, scroll, segment},
    words::{Lang, analyze as words},
};

/// Width of the list beside a chart.
const LIST: f32 = 280.0;
/// Pairs that show beside the heat map.
const PAIRS: usize = 60;

impl Analyze {
    /// A part that is charts: the one that shows, and the others beside it.
    pub(super) fn chart_tab<'a>(
        &'a self,
        numbers: &'a Numbers,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        if self.charts().is_empty() {
            let why = match self.tab {
                Tab::Heatmap => words::no_heatmap(lang),
                Tab::Scatter => words::no_scatter(lang),
                Tab::Missing => words::no_missing(lang),
                Tab::Skew => words::no_skew(lang),
                _ => words::no_trends(lang),
            };
            return empty(Icon::ChartColumn, words::no_chart(lang), why);
        }
        let panel = context.has_panel();
        let beside = match self.tab {
            Tab::Heatmap if panel => Some(self.related(numbers, lang)),
            _ if panel && self.charts().len() > 1 => Some(self.others()),
            _ => None,
        };
        let shown = self.chart_card(context);
        Row::new().push(shown).push(beside).spacing(space::M).into()
    }

    /// The chart with what can be done with it; it takes the room that there is.
    pub(super) fn chart_card<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        if context.size.height < 560.0 {
            // In a low window it is as high as it needs to be, and scrolls.
            let inside = container(self.chart_view(context, None)).padding(space::S);
            let inside = inside.width(Length::Fill).style(theme::card);
            return scroll(inside).height(Length::Fill).into();
        }
        container(self.chart_view(context, Some(Length::Fill)))
            .padding(space::M)
            .width(Length::Fill)
            .height(Length::Fill)
            .style(theme::card)
            .into()
    }

    /// The chart, `height` high or as high as it is wide.
    pub(super) fn chart_view<'a>(
        &'a self,
        context: &Context<'a>,
        height: Option<Length>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let charts = self.charts();
        let picture: Element<'a, Message> = match self.picture() {
            Some(Ok(shown)) => {
                let picture =
                    image(&shown.handle).width(Length::Fill).content_fit(ContentFit::Contain);
                match height {
                    Some(height) => picture.height(height).into(),
                    None => picture.into(),
                }
            }
            Some(Err(_)) => said(words::broken_chart(lang), height),
            None => said(words::drawing_chart(lang), height),
        };
        let place = (charts.len() > 1).then(|| {
            let at = self.chart;
            let before = at.checked_sub(1).map(Message::Chart);
            let after = Some(at + 1).filter(|next| *next < charts.len()).map(Message::Chart);
            row![
                icon_button(Icon::ChevronLeft, words::earlier(lang), before),
                Role::Body.text(format!("{} / {}", at + 1, charts.len())),
                icon_button(Icon::ChevronRight, words::later(lang), after),
            ]
            .align_y(Alignment::Center)
        });
        let save = Message::Paths(paths::Message::Choose(Purpose::Chart));
        let title = charts.get(self.chart).map(|chart| chart.title.clone()).unwrap_or_default();
        let line = Row::new()
            .push(cut(title, Role::Caption).style(theme::muted).fill())
            .push(place)
            .push(icon_button(Icon::Download, words::save_chart(lang), Some(save)))
            .spacing(space::S)
            .align_y(Alignment::Center);
        column![picture, line].spacing(space::S).into()
    }

    /// The charts of this part by their titles.
    fn others(&self) -> Element<'_, Message> {
        let rows = self.charts().into_iter().enumerate().map(|(at, chart)| {
            let chosen = at == self.chart;
            let role = if chosen { Role::Strong } else { Role::Body };
            let line = cut(chart.title.as_str(), role).style(theme::plain_text).fill();
            let line = container(line).center_y(43).padding([0.0, space::L]).width(Length::Fill);
            let pressed = pressable(line, chosen, 0.0, Message::Chart(at)).radius(radius::INNER);
            column![pressed, hr()].into()
        });
        side(scroll(Column::with_children(rows)).height(Length::Fill).into())
    }

    /// The strongest pairs, beside the heat map.
    fn related<'a>(&'a self, numbers: &'a Numbers, lang: Lang) -> Element<'a, Message> {
        // Names of the two kinds of coefficients are the same in all languages.
        let kinds = segment(
            &[(None, "Pearson", false), (None, "Spearman", true)],
            self.spearman,
            false,
            Message::Spearman,
        );
        let head = column![Role::Heading.text(words::related(lang)), kinds].spacing(space::S);
        let rows = pairs(numbers, self.spearman).into_iter().take(PAIRS).map(|(one, other, r)| {
            let tone = if r < 0.0 { Tone::Warning } else { Tone::Primary };
            let names = column![
                cut(one, Role::CaptionStrong).style(theme::plain_text).fill(),
                cut(other, Role::Caption).style(theme::muted).fill(),
            ];
            let number = format!("{:.2}", r.abs());
            let number = if r < 0.0 { format!("−{number}") } else { number };
            let line = row![
                names.width(Length::Fill),
                container(bar(r.abs() as f32, tone, 6.0)).width(56),
                container(Role::Body.text(number)).align_right(44),
            ]
            .spacing(space::S)
            .align_y(Alignment::Center);
            column![hr(), container(line).center_y(45).padding([0.0, space::L])].into()
        });
        let legend = |words: &'a str, tone: Tone| {
            row![
                container(Space::new()).width(12).height(6).style(theme::accent(tone)),
                Role::Caption.text(words).style(theme::muted)
            ]
            .spacing(space::S)
            .align_y(Alignment::Center)
        };
        let legend = row![
            legend(words::same_way(lang), Tone::Primary),
            legend(words::other_way(lang), Tone::Warning)
        ]
        .spacing(space::L);
        side(
            column![
                container(head).padding(space::L),
                scroll(Column::with_children(rows)).height(Length::Fill),
                hr(),
                container(legend).center_y(36).padding([0.0, space::L]),
            ]
            .into(),
        )
    }
}

/// A sentence where a chart will be.
fn said(words: &str, height: Option<Length>) -> Element<'_, Message> {
    let said = Role::Body.text(words).style(theme::muted);
    container(said).center_x(Length::Fill).center_y(height.unwrap_or(Length::Fixed(120.0))).into()
}

/// A list beside a chart.
fn side(content: Element<'_, Message>) -> Element<'_, Message> {
    container(content).padding(1).width(LIST).height(Length::Fill).style(theme::card).into()
}
