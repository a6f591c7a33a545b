//! The frame of the screen: header, how it is read, the parts of the report.

use std::path::PathBuf;

use iced::{
    Alignment, Length,
    widget::{Column, Row, Space, column, container, row},
};
use potluck_analysis::Numbers;

use super::{
    Analyze, Message, Purpose, State, Tab, Trouble, WORDS, amounts, paths, running::quiet,
};
use crate::{
    backend::{
        files::{self, Unread},
        tables::Analysis,
    },
    figures,
    icon::Icon,
    screen::{Context, body, header, sample_button},
    theme::{self, Element, Role, Tone, radius, space},
    widget::{
        Kind, button, cut, drop_field, empty, head_row, hr, icon_button, pressable, scroll, tabs,
        tile,
    },
    words::{Lang, analyze as words, asking, shell},
};

impl Analyze {
    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let names = self.names(&context);
        let place = self.paths.view(|purpose| names.wants(purpose, lang), lang);
        let place = place.map(|place| place.map(Message::Paths));
        // A low window shows one thing at a time.
        let alone = place.is_some() && context.size.height < 400.0;
        let content: Element<'a, Message> = match &self.table {
            _ if alone => Space::new().into(),
            None => self.nothing(&context),
            Some(table) => match (&table.state, self.report()) {
                (State::Failed(trouble), _) => self.failed(trouble, &context),
                (_, Some(report)) => self.parts(report, &context),
                _ => self.running(&context),
            },
        };
        let content = Column::new().push(place).push(content).spacing(space::M);
        column![self.head(&context), body(&context, content)].into()
    }

    fn head<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let of_files = Message::Paths;
        let by_name = of_files(paths::Message::Type(Purpose::Open));
        let mut controls: Vec<Element<'a, Message>> = Vec::new();
        let choose = of_files(paths::Message::Choose(Purpose::Open));
        let save = of_files(paths::Message::Choose(Purpose::Report));
        let done = self.report().is_some();
        if context.is_narrow() {
            if self.table.is_some() {
                let how = self.is_correctable().then_some(Message::How(!self.how));
                controls.push(icon_button(Icon::SlidersHorizontal, words::how_read(lang), how));
            }
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), Some(by_name)));
            if done {
                controls.push(icon_button(Icon::Download, words::save_report(lang), Some(save)));
            }
            controls.push(icon_button(Icon::Folder, words::open(lang), Some(choose)));
        } else {
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), Some(by_name)));
            let open = button(words::open(lang)).icon(Icon::Folder).on_press(choose);
            let first = self.table.is_none();
            let open = if first { open.kind(Kind::Primary) } else { open };
            controls.push(open.into());
            if done {
                let open = button(words::open_report(lang)).icon(Icon::ExternalLink);
                controls.push(open.on_press(Message::OpenReport).into());
                let save = button(words::save_report(lang)).icon(Icon::Download).on_press(save);
                controls.push(save.kind(Kind::Primary).into());
            }
        }
        header(context, words::title(lang), self.caption(lang), controls, None)
    }

    /// What is known of the table, in one line.
    fn caption(&self, lang: Lang) -> String {
        let Some(table) = &self.table else { return words::caption(lang).to_owned() };
        let size = table.read.as_ref().map(|head| figures::size(head.bytes));
        let facts = match (self.report(), size) {
            (Some(report), Some(size)) => {
                let rows = amounts::count(report.numbers.rows);
                let columns = amounts::count(report.numbers.columns.len() as u64);
                words::facts(lang, &rows, &columns, &size)
            }
            (_, size) => size.unwrap_or_default(),
        };
        let parts = [table.name.clone(), facts];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("·")
    }

    fn nothing<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let over = self.paths.is_over();
        let drop = drop_field(words::drop_here(lang), words::choose(lang), over, choose);
        let sample = sample_button(lang, Message::Sample);
        let recent = recent(&context.settings.recent_tables, lang);
        let roomy = context.size.height >= 400.0 && recent.is_none();
        let hint = roomy.then(|| {
            let hint = empty(Icon::ChartColumn, words::empty(lang), words::empty_hint(lang));
            container(hint).height(260)
        });
        let all = Column::new().push(drop).push(hint).push(recent).push(sample).spacing(space::L);
        match roomy {
            true => all.into(),
            false => scroll(all).height(Length::Fill).into(),
        }
    }

    /// Nothing is there yet but what this computer read.
    fn running<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let all = Column::new()
            .push(self.progress(context))
            .push(self.first_rows(context))
            .push(self.how_card(context))
            .spacing(space::M);
        scroll(all).height(Length::Fill).into()
    }

    /// Why there is no report; how the table is read can be corrected at once.
    fn failed<'a>(&'a self, trouble: &'a Trouble, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let said = trouble.said(lang, WORDS);
        let why = match trouble {
            Trouble::File(Unread::NotIt(why)) => Some(words::says(lang, why)),
            Trouble::Mesh(failure) => Some(words::says(lang, &failure.message)),
            _ => None,
        };
        let again = button(asking::again(lang)).icon(Icon::RefreshCw).kind(Kind::Primary);
        let another = Message::Paths(paths::Message::Choose(Purpose::Open));
        let copy = said.details.map(|details| {
            let copy = button(shell::copy_details(lang)).icon(Icon::Copy).kind(Kind::Quiet);
            copy.on_press(Message::Copy(details))
        });
        let narrow = context.is_narrow();
        let another =
            (!narrow).then(|| button(words::open(lang)).icon(Icon::Folder).on_press(another));
        let buttons = Row::new()
            .push(copy)
            .push(another)
            .push(again.on_press(Message::Again))
            .spacing(space::S);
        let inside =
            Column::new()
                .push(tile(Icon::CircleX, 44.0, Tone::Danger))
                .push(Role::Heading.text(said.title))
                .push(Role::Body.text(said.hint).style(theme::muted).align_x(Alignment::Center))
                .push(why.map(|why| {
                    Role::Caption.text(why).style(theme::muted).align_x(Alignment::Center)
                }))
                .push(buttons)
                .spacing(space::M)
                .max_width(520)
                .align_x(Alignment::Center);
        let inside = container(inside).center_x(Length::Fill).padding(space::M);
        let readable = !matches!(trouble, Trouble::File(Unread::Unreadable(_)));
        let how = (readable && self.is_correctable()).then(|| self.how_card(context));
        let first = readable.then(|| self.first_rows(context)).flatten();
        let all = Column::new().push(inside).push(how).push(first).spacing(space::M);
        scroll(all).height(Length::Fill).into()
    }

    /// The report, part by part.
    fn parts<'a>(&'a self, report: &'a Analysis, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let numbers = &*report.numbers;
        let progress = self.is_under_way().then(|| self.progress(context));
        let low = context.size.height < 400.0;
        // A low window shows one thing at a time.
        if low && (self.how || progress.is_some()) {
            let how = (self.how && self.is_correctable()).then(|| self.how_card(context));
            let all = Column::new().push(progress).push(how).spacing(space::M);
            return scroll(all).height(Length::Fill).into();
        }
        let shown: Element<'a, Message> = match self.tab {
            Tab::Overview => self.overview(numbers, context),
            Tab::Alerts => self.alerts(numbers, context),
            Tab::Columns => self.columns(numbers, context),
            Tab::Cloud => self.cloud(numbers, context),
            _ => self.chart_tab(numbers, context),
        };
        let line = (!context.is_narrow()).then(|| self.line(report, context));
        let how = (self.how && self.is_correctable()).then(|| self.how_card(context));
        Column::new()
            .push(line)
            .push(how)
            .push(progress)
            .push(self.tabs(numbers, lang))
            .push(shown)
            .spacing(space::M)
            .into()
    }

    fn tabs<'a>(&'a self, numbers: &'a Numbers, lang: Lang) -> Element<'a, Message> {
        // A word for each, and how many alerts there are.
        let alerts = numbers.alerts.len();
        tabs(
            &[
                (0, words::overview(lang), Tab::Overview),
                (alerts, words::alerts(lang), Tab::Alerts),
                (0, words::columns(lang), Tab::Columns),
                (0, words::heatmap(lang), Tab::Heatmap),
                (0, words::scatter(lang), Tab::Scatter),
                (0, words::missing(lang), Tab::Missing),
                (0, words::skewness(lang), Tab::Skew),
                (0, words::trends(lang), Tab::Trends),
                (0, words::cloud(lang), Tab::Cloud),
            ],
            self.tab,
            Message::Tab,
        )
    }

    /// How it was read, who made the report, and what can be done with it.
    fn line<'a>(&'a self, report: &'a Analysis, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let wide = context.size.width >= 1000.0;
        let picks = wide.then(|| self.picks(lang));
        let how = Some(Message::How(!self.how));
        let how: Element<'a, Message> = match wide {
            true => icon_button(Icon::SlidersHorizontal, words::how_read(lang), how),
            false => button(words::how_read(lang))
                .icon(Icon::SlidersHorizontal)
                .on_press_maybe(how)
                .into(),
        };
        let clean = Message::Paths(paths::Message::Choose(Purpose::Clean));
        let all = Message::Paths(paths::Message::Choose(Purpose::All));
        Row::new()
            .push(picks)
            .push(how)
            .push(container(self.by(report, lang)).align_right(Length::Fill))
            .push(icon_button(Icon::FileArchive, words::save_all(lang), Some(all)))
            .push(quiet(Icon::Table2, words::save_clean(lang), clean))
            .spacing(space::S)
            .align_y(Alignment::Center)
            .into()
    }

    /// Who made the report, and who else was tried.
    fn by<'a>(&'a self, report: &'a Analysis, lang: Lang) -> Element<'a, Message> {
        let by = asking::by(lang, &report.served_by.name, &figures::took(report.milliseconds));
        let hops: Vec<&str> = report.route.iter().map(|hop| hop.name.as_str()).collect();
        let by = match hops.len() {
            0 | 1 => by,
            _ => format!("{by}·{}", words::route(lang, &hops.join(", "))),
        };
        row![
            Icon::CircleCheck.view(14.0).style(theme::success_text),
            cut(by, Role::Caption).style(theme::muted),
        ]
        .spacing(space::XS)
        .align_y(Alignment::Center)
        .into()
    }

    /// The same where there is no room above the parts.
    pub(super) fn narrow_line<'a>(&'a self, lang: Lang) -> Element<'a, Message> {
        let choose = |purpose| Some(Message::Paths(paths::Message::Choose(purpose)));
        let by = self.report().map(|report| self.by(report, lang));
        let open = Some(Message::OpenReport);
        Row::new()
            .push(container(Row::new().push(by)).width(Length::Fill))
            .push(icon_button(Icon::ExternalLink, words::open_report(lang), open))
            .push(icon_button(Icon::FileArchive, words::save_all(lang), choose(Purpose::All)))
            .push(icon_button(Icon::Table2, words::save_clean(lang), choose(Purpose::Clean)))
            .align_y(Alignment::Center)
            .into()
    }
}

/// Tables that were opened lately, the last one first.
fn recent<'a>(tables: &[PathBuf], lang: Lang) -> Option<Element<'a, Message>> {
    if tables.is_empty() {
        return None;
    }
    let mut all = column![head_row(words::recent(lang), "")];
    for (at, path) in tables.iter().enumerate() {
        let folder = path.parent().map_or_else(String::new, |folder| folder.display().to_string());
        let line = row![
            Icon::Table2.view(16.0).style(theme::muted),
            column![
                cut(files::name_of(path), Role::Body).fill(),
                cut(folder, Role::Caption).style(theme::muted).fill(),
            ]
            .width(Length::Fill),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center);
        let line = container(line).padding([space::S, space::L]).width(Length::Fill);
        let forget = icon_button(Icon::X, words::forget(lang), Some(Message::Forget(path.clone())));
        let line =
            row![pressable(line, false, radius::INNER, Message::Recent(path.clone())), forget]
                .padding(iced::Padding::ZERO.right(space::S))
                .align_y(Alignment::Center);
        all = all.push((at > 0).then(hr)).push(line);
    }
    Some(container(all).padding(1).width(Length::Fill).style(theme::card).into())
}
