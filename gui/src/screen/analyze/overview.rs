//! The report at a glance: four numbers, what to look at first, all columns.

use iced::{
    Alignment, Length,
    widget::{Column, Row, Space, column, container, row},
};
use potluck_analysis::{
    Numbers,
    numbers::{Alert, AlertKind, ColumnNumbers},
};

use super::{
    Analyze, Message, Tab, amounts,
    running::{kind_name, of_kind},
    shape,
};
use crate::{
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, radius, space},
    widget::{Kind, button, cut, empty, hr, pressable, scroll},
    words::{Lang, analyze as words},
};

/// Alerts and columns that show here; all have a part of their own.
const ALERTS: usize = 5;
const COLUMNS: usize = 30;
/// Width of the name before the sentence of an alert.
const NAME: f32 = 140.0;

impl Analyze {
    /// The report at a glance.
    pub(super) fn overview<'a>(
        &'a self,
        numbers: &'a Numbers,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let width = inner_width(context);
        let all = Column::new()
            .push(context.is_narrow().then(|| self.narrow_line(lang)))
            .push(cards(numbers, lang, width))
            .push(alerts_card(numbers, width, lang))
            .push(table(numbers, lang, width))
            .push(self.first_rows(context))
            .spacing(space::M);
        scroll(all).height(Length::Fill).into()
    }

    /// Everything that is worth a look.
    pub(super) fn alerts<'a>(
        &'a self,
        numbers: &'a Numbers,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let (lang, width) = (context.lang, inner_width(context));
        if numbers.alerts.is_empty() {
            return empty(Icon::CircleCheck, words::no_alerts(lang), words::no_alerts_hint(lang));
        }
        let mut all = Column::new();
        for (at, alert) in numbers.alerts.iter().enumerate() {
            let sentence = Role::Body.text(alert.detail.as_str()).width(Length::Fill);
            all = all.push((at > 0).then(hr)).push(alert_row(alert, sentence.into(), width, lang));
        }
        let all = container(all).padding(1).width(Length::Fill).style(theme::card);
        // What scrolls is as high as its room; the card is not.
        scroll(column![all]).height(Length::Fill).into()
    }
}

/// The width of what scrolls below the tabs.
pub(super) fn inner_width(context: &Context<'_>) -> f32 {
    let side = if context.is_narrow() { space::M } else { space::XL };
    // The scrollbar stands beside.
    context.size.width - 2.0 * side - 12.0
}

fn cards<'a>(numbers: &'a Numbers, lang: Lang, width: f32) -> Element<'a, Message> {
    let of = |kinds: &[&str]| {
        numbers.columns.iter().filter(|column| kinds.contains(&column.kind.as_str())).count()
    };
    let (figures, days) =
        (of(&["integer", "number"]), of(&["date", "datetime", "time", "duration"]));
    let texts = numbers.columns.len() - figures - days;
    let missing: u64 = numbers.columns.iter().map(|column| column.missing).sum();
    let cells = numbers.rows.saturating_mul(numbers.columns.len() as u64);
    let twice = match numbers.duplicate_rows {
        0 => words::no_twice(lang).to_owned(),
        rows => words::twice(lang, &amounts::count(rows)),
    };
    let (strongest, pair) = match pairs(numbers, false).first() {
        Some((one, other, r)) => (amounts::amount(round(*r)), format!("{one} ~ {other}")),
        None => ("–".to_owned(), words::no_pair(lang).to_owned()),
    };
    let one = |title: &'a str, value: String, below: String| -> Element<'a, Message> {
        let inside = column![
            cut(title, Role::Caption).style(theme::muted).fill(),
            cut(value, Role::Display).style(theme::plain_text).fill(),
            cut(below, Role::Caption).style(theme::muted).fill(),
        ];
        container(inside)
            .padding([space::M, space::L])
            .width(Length::Fill)
            .style(theme::card)
            .into()
    };
    let cards = [
        one(words::rows(lang), amounts::count(numbers.rows), twice),
        one(
            words::columns(lang),
            amounts::count(numbers.columns.len() as u64),
            words::kinds(lang, figures, days, texts),
        ),
        one(
            words::missing_cells(lang),
            amounts::count(missing),
            words::of_cells(lang, &amounts::count(cells)),
        ),
        one(words::strongest(lang), strongest, pair),
    ];
    match width {
        760.0.. => Row::with_children(cards).spacing(space::M).into(),
        _ => {
            let [rows, columns, missing, strongest] = cards;
            column![
                row![rows, columns].spacing(space::M),
                row![missing, strongest].spacing(space::M)
            ]
            .spacing(space::M)
            .into()
        }
    }
}

/// A coefficient with two digits.
fn round(r: f64) -> f64 {
    (r * 100.0).round() / 100.0
}

/// All pairs of number columns, the strongest first.
pub(super) fn pairs(numbers: &Numbers, ranks: bool) -> Vec<(&str, &str, f64)> {
    let matrix = if ranks { &numbers.correlation.spearman } else { &numbers.correlation.pearson };
    let mut pairs = Vec::new();
    for (one, row) in matrix {
        for (other, r) in row.iter().filter(|(other, _)| *other > one) {
            pairs.extend(r.map(|r| (one.as_str(), other.as_str(), r)));
        }
    }
    pairs.sort_by(|one, other| other.2.abs().total_cmp(&one.2.abs()));
    pairs
}

fn alerts_card<'a>(numbers: &'a Numbers, width: f32, lang: Lang) -> Element<'a, Message> {
    let head = row![
        Role::Heading.text(words::alerts(lang)),
        container(cut(words::alerts_hint(lang), Role::Caption).style(theme::muted))
            .align_right(Length::Fill),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center);
    let mut all = column![container(head).padding([space::S, space::L])];
    if numbers.alerts.is_empty() {
        let fine = row![
            Icon::CircleCheck.view(16.0).style(theme::success_text),
            Role::Body.text(words::no_alerts_hint(lang)).width(Length::Fill),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        all = all.push(hr()).push(container(fine).padding([10.0, space::L]));
    }
    for alert in numbers.alerts.iter().take(ALERTS) {
        let sentence = cut(alert.detail.as_str(), Role::Body).style(theme::plain_text).fill();
        all = all.push(hr()).push(alert_row(alert, sentence.into(), width, lang));
    }
    if numbers.alerts.len() > ALERTS {
        let more = button(words::all_alerts(lang, numbers.alerts.len())).kind(Kind::Link);
        let more = more.on_press(Message::Tab(Tab::Alerts));
        all = all.push(hr()).push(container(more).padding([space::S, space::L]));
    }
    container(all).padding(1).width(Length::Fill).style(theme::card).into()
}

fn alert_row<'a>(
    alert: &'a Alert,
    sentence: Element<'a, Message>,
    width: f32,
    lang: Lang,
) -> Element<'a, Message> {
    let (icon, style): (_, fn(&theme::Theme) -> _) = match tone(alert.kind) {
        Tone::Warning => (Icon::TriangleAlert, theme::warning_text),
        _ => (Icon::Info, theme::primary_text),
    };
    let name = alert.column.as_deref().unwrap_or(words::of_table(lang));
    let name = cut(name, Role::Strong).style(theme::plain_text);
    let said: Element<'a, Message> = match width {
        560.0.. => row![container(name).width(NAME), sentence].spacing(space::M).into(),
        _ => column![name, sentence].width(Length::Fill).into(),
    };
    let line =
        row![icon.view(16.0).style(style), said].spacing(space::M).align_y(Alignment::Center);
    container(line).padding([10.0, space::L]).width(Length::Fill).into()
}

fn tone(kind: AlertKind) -> Tone {
    match kind {
        AlertKind::HighCorrelation
        | AlertKind::Unique
        | AlertKind::HighCardinality
        | AlertKind::Imbalance
        | AlertKind::Reading
        | AlertKind::Zeros => Tone::Primary,
        _ => Tone::Warning,
    }
}

/// A row a column; what there is no room for stands in the part of the columns.
fn table<'a>(numbers: &'a Numbers, lang: Lang, width: f32) -> Element<'a, Message> {
    let fields = fields(width);
    let heads = fields.iter().map(|field| {
        let text = cut(field.title(lang), Role::Caption);
        placed(*field, text.into())
    });
    let name = container(cut(words::column(lang), Role::Caption)).width(Length::Fill);
    let head = row![Space::new().width(16), name]
        .extend(heads)
        .spacing(space::M)
        .align_y(Alignment::Center);
    let head = container(head)
        .center_y(32)
        .padding([0.0, space::L])
        .width(Length::Fill)
        .style(theme::head);
    let mut all = column![head];
    for (at, column) in numbers.columns.iter().take(COLUMNS).enumerate() {
        let cells = fields.iter().map(|field| placed(*field, field.cell(column, lang)));
        let name = cut(column.name.as_str(), Role::Strong).style(theme::plain_text).fill();
        let line = row![of_kind(&column.kind).view(16.0).style(theme::muted), name]
            .extend(cells)
            .spacing(space::M)
            .align_y(Alignment::Center);
        let line = container(line).center_y(43).padding([0.0, space::L]).width(Length::Fill);
        let line = pressable(line, false, 0.0, Message::Column(Some(at))).radius(radius::INNER);
        all = all.push(hr()).push(line);
    }
    if numbers.columns.len() > COLUMNS {
        let more = button(words::all_columns(lang, numbers.columns.len())).kind(Kind::Link);
        let more = more.on_press(Message::Tab(Tab::Columns));
        all = all.push(hr()).push(container(more).padding([space::S, space::L]));
    }
    container(all).padding(1).width(Length::Fill).style(theme::card).into()
}

/// What stands in the table beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Kind,
    Missing,
    Distinct,
    Mean,
    Least,
    Greatest,
    Skew,
    Shape,
}

/// As many as there is room for, the most telling first.
fn fields(width: f32) -> &'static [Field] {
    match width {
        900.0.. => &[
            Field::Kind,
            Field::Missing,
            Field::Distinct,
            Field::Mean,
            Field::Least,
            Field::Greatest,
            Field::Skew,
            Field::Shape,
        ],
        720.0.. => {
            &[Field::Kind, Field::Missing, Field::Distinct, Field::Mean, Field::Skew, Field::Shape]
        }
        560.0.. => &[Field::Kind, Field::Missing, Field::Distinct, Field::Shape],
        _ => &[Field::Kind, Field::Missing],
    }
}

fn placed(field: Field, inside: Element<'_, Message>) -> Element<'_, Message> {
    let inside = container(inside).width(field.width());
    match field {
        Field::Kind | Field::Shape => inside.into(),
        _ => inside.align_x(Alignment::End).into(),
    }
}

impl Field {
    fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Kind => words::kind(lang),
            Self::Missing => words::missing(lang),
            Self::Distinct => words::distinct(lang),
            Self::Mean => words::mean(lang),
            Self::Least => words::least(lang),
            Self::Greatest => words::greatest(lang),
            Self::Skew => words::skew(lang),
            Self::Shape => words::shape(lang),
        }
    }

    fn width(self) -> f32 {
        match self {
            Self::Kind => 76.0,
            Self::Missing | Self::Distinct | Self::Skew => 60.0,
            Self::Mean => 76.0,
            Self::Least | Self::Greatest => 88.0,
            Self::Shape => 180.0,
        }
    }

    fn cell<'a>(self, column: &'a ColumnNumbers, lang: Lang) -> Element<'a, Message> {
        let plain = |text: String| cut(text, Role::Body).style(theme::plain_text).into();
        let number = |value: Option<f64>| {
            plain(value.map_or_else(|| "–".to_owned(), |value| amounts::of(column, value)))
        };
        let end = |day: &Option<String>, value| match day {
            Some(day) => plain(day.clone()),
            None => number(value),
        };
        match self {
            Self::Kind => cut(kind_name(lang, &column.kind), Role::Body).style(theme::muted).into(),
            Self::Missing => plain(amounts::count(column.missing)),
            Self::Distinct => plain(amounts::count(column.distinct)),
            Self::Mean => number(column.mean),
            Self::Least => end(&column.first, column.min),
            Self::Greatest => end(&column.last, column.max),
            Self::Skew => {
                // As far as the alerts say that it matters.
                let long = column.skew.is_some_and(|skew| skew.abs() >= 1.5);
                let text =
                    column.skew.map_or_else(|| "–".to_owned(), |skew| amounts::amount(round(skew)));
                match long {
                    true => cut(text, Role::Strong).style(theme::warning_text).into(),
                    false => plain(text),
                }
            }
            Self::Shape => shape::view(column, 24.0).unwrap_or_else(|| Space::new().into()),
        }
    }
}
