//! The word cloud: what it is made of, and what it fills.

use iced::{
    Alignment, Length,
    widget::{Row, column, row},
};
use potluck_analysis::{Numbers, cloud::Shape};

use super::{Analyze, Cloud, Mask, Message, Purpose, overview::inner_width, paths};
use crate::{
    backend::files::name_of,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, space},
    widget::{button, empty, icon_button, pick, scroll},
    words::{Lang, analyze as words},
};

impl Analyze {
    /// The word cloud, and what it is made of.
    pub(super) fn cloud<'a>(
        &'a self,
        numbers: &'a Numbers,
        context: &Context<'a>,
    ) -> Element<'a, Message> {
        let lang = context.lang;
        let shown: Element<'a, Message> = match self.charts().is_empty() {
            true => empty(Icon::ChartColumn, words::no_chart(lang), words::no_cloud(lang)),
            false => self.chart_card(context),
        };
        let narrow = inner_width(context) < 640.0;
        let one = |label: &'a str, pick: Element<'a, Message>| -> Element<'a, Message> {
            row![Role::Body.text(label).style(theme::muted), pick]
                .spacing(space::S)
                .align_y(Alignment::Center)
                .into()
        };
        let width = Length::Fixed(if narrow { 140.0 } else { 220.0 });
        let again = Message::Clouds(Cloud { seed: self.cloud.seed + 1, ..self.cloud.clone() });
        let again: Element<'a, Message> = match narrow {
            true => icon_button(Icon::RefreshCw, words::shuffle(lang), Some(again)),
            false => button(words::shuffle(lang)).icon(Icon::RefreshCw).on_press(again).into(),
        };
        let choices = [
            one(words::cloud_column(lang), self.cloud_column(numbers, lang, width)),
            one(words::mask(lang), self.cloud_mask(lang, width)),
            again,
        ];
        let choices = Row::with_children(choices)
            .spacing(space::M)
            .align_y(Alignment::Center)
            .wrap()
            .vertical_spacing(space::S);
        match context.size.height < 400.0 {
            true => scroll(column![choices, self.chart_view(context, None)].spacing(space::M))
                .height(Length::Fill)
                .into(),
            false => column![choices, shown].spacing(space::M).into(),
        }
    }

    fn cloud_column<'a>(
        &'a self,
        numbers: &'a Numbers,
        lang: Lang,
        width: Length,
    ) -> Element<'a, Message> {
        let mut options = vec![(words::most_words(lang).to_owned(), None)];
        let texts = numbers.columns.iter().filter(|column| column.kind == "text");
        options.extend(texts.map(|column| (column.name.clone(), Some(column.name.clone()))));
        pick(options, &self.cloud.column, width, |column| {
            Message::Clouds(Cloud { column, ..self.cloud.clone() })
        })
    }

    fn cloud_mask(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let mut options: Vec<(String, Option<Mask>)> =
            vec![(words::mask_all(lang).to_owned(), Some(Mask::All))];
        let shapes = Shape::ALL.iter().filter(|shape| **shape != Shape::Rectangle);
        options.extend(shapes.map(|shape| {
            let name = shape.names().0;
            (shape_name(lang, name).to_owned(), Some(Mask::Shape(name)))
        }));
        if let Mask::Picture(path) = &self.cloud.mask {
            let name = words::mask_of(lang, &name_of(path));
            options.push((name, Some(self.cloud.mask.clone())));
        }
        options.push((words::mask_picture(lang).to_owned(), None));
        pick(options, &Some(self.cloud.mask.clone()), width, |mask| match mask {
            Some(mask) => Message::Clouds(Cloud { mask, ..self.cloud.clone() }),
            None => Message::Paths(paths::Message::Choose(Purpose::Mask)),
        })
    }
}

fn shape_name(lang: Lang, name: &'static str) -> &'static str {
    match name {
        "circle" => words::circle(lang),
        "ellipse" => words::ellipse(lang),
        "heart" => words::heart(lang),
        "star" => words::star(lang),
        "cloud" => words::cloud_shape(lang),
        "diamond" => words::diamond(lang),
        other => other,
    }
}
