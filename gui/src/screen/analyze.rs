//! Analyze: a table in, a report out. What is found out about the table shows at once, and every guess can be
//! corrected; then the report is read part by part, opened in a browser, or saved.

mod amounts;
mod charts;
mod cloud;
mod columns;
mod drawn;
mod overview;
mod reading;
mod running;
mod saving;
mod shape;
mod view;

use std::path::PathBuf;

use iced::{
    Task,
    keyboard::{Key, Modifiers, key::Named},
    widget::scrollable,
};
use potluck::services::analyze::{MOST_SKIPPED, Request};

use super::{
    Action, Context, Dropped,
    asked::{self, Asked, State, Trouble},
    paths::{self, Next, Paths, told},
};
use crate::{
    backend::{
        files::{self, Source, Unread},
        pictures::Shown,
        tables::{self, Analysis, Cloud, Head, Mask, NoReport, Reading, Stage, Step},
    },
    theme::{Theme, Tone},
    widget::Window,
    words::{Lang, analyze as words},
};
use charts::Pictures;
pub use reading::SKIP;

/// What this screen says of files and answers that do not fit it.
const WORDS: asked::Words = asked::Words {
    not_it: [words::no_table, words::no_table_hint],
    failed: words::failed,
    odd: words::bad_report,
};

/// A table on its way.
type Table = Asked<Head, Analysis>;

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Analyze {
    table: Option<Table>,
    next: u64,
    paths: Paths<Purpose>,
    reading: Reading,
    /// Lines above the header, as they were typed, and whether that is no number.
    skip: (String, bool),
    cloud: Cloud,
    /// The report that shows while another one of the same table is made, and what it was made with.
    before: Option<(Analysis, Reading, Cloud)>,
    progress: Option<(u8, Stage)>,
    /// Where the page was saved: some browsers are kept out of temporary folders.
    saved: Option<PathBuf>,
    tab: Tab,
    /// Whether the card shows that says how the table is read.
    how: bool,
    column: Option<usize>,
    /// The chart that shows of those of a tab.
    chart: usize,
    pictures: Pictures,
    spearman: bool,
    window: Window,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A table to look at.
    Open,
    /// Where the page goes.
    Report,
    /// The folder for all files.
    All,
    /// Where the clean table goes.
    Clean,
    /// Where the chart that shows goes.
    Chart,
    /// A picture that the word cloud fills.
    Mask,
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// All of it at a glance.
    #[default]
    Overview,
    /// What to look at first.
    Alerts,
    /// Column by column.
    Columns,
    /// How columns go together.
    Heatmap,
    /// The strongest pairs.
    Scatter,
    /// Cells without a value.
    Missing,
    /// Long tails.
    Skew,
    /// Over time.
    Trends,
    /// Words of a text column.
    Cloud,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Files come or go.
    Paths(paths::Message<Purpose>),
    /// The bundled table is to be tried.
    Sample,
    /// The beginning of a table was looked at.
    Looked(u64, Result<Head, Unread>),
    /// Its analysis went on, or ended.
    Stepped(u64, Step),
    /// It is to be tried again.
    Again,
    /// It ends.
    Stop,
    /// The table is read in another way.
    Reads(Reading),
    /// Lines above the header were typed.
    Skip(String),
    /// The card that says how the table is read opens or closes.
    How(bool),
    /// The word cloud is another one.
    Clouds(Cloud),
    /// Another part of the report.
    Tab(Tab),
    /// A column stands out, or none.
    Column(Option<usize>),
    /// Another chart of the same part.
    Chart(usize),
    /// Ranks instead of values, or the other way round.
    Spearman(bool),
    /// A chart was decoded.
    Picture(PathBuf, Result<Shown, Unread>),
    /// The report is to be opened in the browser.
    OpenReport,
    /// It was, or not.
    Opened(PathBuf, Result<(), String>),
    /// The columns were scrolled.
    Scrolled(scrollable::Viewport),
    /// A table of those that were opened lately.
    Recent(PathBuf),
    /// One was opened, and belongs to them.
    Remember(PathBuf),
    /// One is none of them any more.
    Forget(PathBuf),
    /// A text for the clipboard.
    Copy(String),
}

impl Analyze {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Paths(message) => return self.files(message, context),
            Message::Sample => {
                let sample = potluck_analysis::SAMPLE.as_bytes().into();
                return self.open(Source::Bytes(sample), context);
            }
            Message::Looked(id, head) => {
                let Some(table) = self.table_of(id) else { return self.go_on(context) };
                let remember = remember(&table.source, &head, &context.settings.recent_tables);
                table.was_read(head);
                return match (self.go_on(context), remember) {
                    (Action::Run(task), Some(message)) => {
                        Action::Run(Task::batch([task, Task::done(message)]))
                    }
                    (Action::None, Some(message)) => Action::Run(Task::done(message)),
                    (action, _) => action,
                };
            }
            Message::Stepped(id, step) => return self.stepped(id, step, context),
            Message::Again => {
                if let Some(table) = &mut self.table {
                    // What was no table may be one when it is read in another way.
                    table.state = if table.read.is_some() { State::Waiting } else { State::New };
                }
                return self.go_on(context);
            }
            Message::Stop => self.stop(),
            Message::Reads(reading) => return self.read_as(reading, context),
            Message::Skip(text) => return self.skip_lines(text, context),
            Message::How(on) => self.how = on,
            Message::Clouds(cloud) => return self.draw_cloud(cloud, context),
            Message::Tab(tab) => {
                (self.tab, self.chart) = (tab, 0);
                // Beside the list there is room for one.
                self.column = (tab == Tab::Columns && context.has_panel()).then_some(0);
                return self.fetch();
            }
            Message::Column(column) => {
                (self.tab, self.chart, self.column) = (Tab::Columns, 0, column);
                return self.fetch();
            }
            Message::Chart(chart) => {
                self.chart = chart;
                return self.fetch();
            }
            Message::Spearman(on) => self.spearman = on,
            Message::Picture(path, shown) => self.pictures.came(path, shown),
            Message::OpenReport => {
                let Some(report) = self.report() else { return Action::None };
                let page = self.saved.clone().unwrap_or_else(|| report.page());
                let opened = files::open(page.clone());
                return Action::Run(Task::perform(opened, move |opened| {
                    Message::Opened(page.clone(), opened)
                }));
            }
            Message::Opened(page, opened) => return was_opened(&page, &opened, context.lang),
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Recent(path) => return self.open(Source::File(path), context),
            Message::Remember(path) => {
                let mut settings = context.settings.clone();
                settings.opened_table(path);
                return Action::Set(settings);
            }
            Message::Forget(path) => {
                let mut settings = context.settings.clone();
                settings.recent_tables.retain(|known| *known != path);
                return Action::Set(settings);
            }
            Message::Copy(text) => return Action::Copy(text),
        }
        Action::None
    }

    /// The node is there: what waited for it goes on.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        self.go_on(context)
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        let save = self.report().map(|_| Purpose::Report);
        if let Some(message) = paths::key(key, modifiers, Some(Purpose::Open), save) {
            return self.files(message, context);
        }
        match key {
            Key::Named(Named::Escape) => {
                self.paths.close();
                self.how = false;
                if !context.has_panel() {
                    self.column = None;
                }
            }
            Key::Named(Named::ArrowLeft) => return self.step(false),
            Key::Named(Named::ArrowRight) => return self.step(true),
            _ => {}
        }
        Action::None
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        match self.paths.dropped(dropped) {
            Some(source) => self.open(source, context),
            None => Action::None,
        }
    }

    fn table_of(&mut self, id: u64) -> Option<&mut Table> {
        self.table.as_mut().filter(|table| table.id == id)
    }

    /// The report that shows.
    fn report(&self) -> Option<&Analysis> {
        let answer = self.table.as_ref().and_then(Asked::answer);
        answer.or(self.before.as_ref().map(|(before, ..)| before))
    }

    /// Whether the mesh works on it, or will.
    fn is_under_way(&self) -> bool {
        let ended = |table: &Table| matches!(table.state, State::Done(_) | State::Failed(_));
        self.table.as_ref().is_some_and(|table| !ended(table))
    }

    fn files(
        &mut self,
        message: paths::Message<Purpose>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let (names, lang) = (self.names(context), context.lang);
        if let paths::Message::Saved(Purpose::Report, _, Ok(path)) = &message {
            self.saved = Some(path.clone());
        }
        let next = self.paths.update(message, |purpose| names.wants(purpose, lang), lang);
        let (purpose, path) = match next {
            Next::Do(action) => return action.map(Message::Paths),
            Next::Sources(sources) => {
                let source = sources.into_iter().next();
                return source.map_or(Action::None, |source| self.open(source, context));
            }
            Next::Paths { purpose, paths, typed } => {
                let Some(path) = paths.into_iter().next() else { return Action::None };
                // In the folder that was chosen one is made; a typed path is that folder.
                let inside = purpose == Purpose::All && !typed;
                (purpose, if inside { path.join(&names.all) } else { path })
            }
        };
        match purpose {
            Purpose::Open => {
                self.paths.close();
                self.open(Source::File(path), context)
            }
            Purpose::Mask => {
                self.paths.close();
                let cloud = Cloud { mask: Mask::Picture(path), ..self.cloud.clone() };
                self.draw_cloud(cloud, context)
            }
            Purpose::Report | Purpose::All | Purpose::Clean | Purpose::Chart => {
                self.save(purpose, path, lang)
            }
        }
    }

    /// Another table takes the place of the one that shows.
    fn open(&mut self, source: Source, context: &Context<'_>) -> Action<Message> {
        let name = source.name(potluck_analysis::SAMPLE_NAME);
        let paths = std::mem::take(&mut self.paths);
        *self = Self {
            table: Some(Asked::new(self.next, name, source)),
            next: self.next,
            paths,
            ..Self::default()
        };
        self.go_on(context)
    }

    /// Starts what may start.
    fn go_on(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(table) = &mut self.table else { return Action::None };
        match (&table.state, context.backend) {
            (State::New, _) => {
                let id = number(table, &mut self.next);
                let look = tables::look(table.source.clone(), self.reading.clone());
                let task = Task::perform(look, move |head| Message::Looked(id, head));
                Action::Run(table.start(State::Reading, task))
            }
            (State::Waiting, Some(backend)) => {
                let id = number(table, &mut self.next);
                let (request, mask) = request(&table.name, &self.reading, &self.cloud, context);
                let steps = backend.clone().analyze(table.source.clone(), request, mask);
                let task = Task::run(steps, move |step| Message::Stepped(id, step));
                self.progress = Some((0, Stage::Sending));
                Action::Run(table.start(State::Running, task))
            }
            _ => Action::None,
        }
    }

    fn stepped(&mut self, id: u64, step: Step, context: &Context<'_>) -> Action<Message> {
        let Some(table) = self.table_of(id) else { return Action::None };
        let trouble = match step {
            Step::Progress(percent, stage) => {
                self.progress = Some((percent, stage));
                return Action::None;
            }
            Step::Done(Ok(report)) => {
                table.answered(Ok(report));
                (self.before, self.progress, self.saved) = (None, None, None);
                return self.fetch();
            }
            Step::Done(Err(NoReport::Mesh(failure))) => Trouble::Mesh(failure),
            Step::Done(Err(NoReport::File(why))) => Trouble::File(why),
            Step::Done(Err(NoReport::Odd(why))) => Trouble::Odd(why),
        };
        self.progress = None;
        // Another word cloud is no reason to lose the report that there is.
        match self.before.take() {
            Some((before, reading, cloud)) if reading == self.reading => {
                let said = trouble.said(context.lang, WORDS);
                let mask = matches!(trouble, Trouble::File(_));
                self.restore((before, reading, cloud));
                let (title, hint) = match mask {
                    true => (words::bad_mask(context.lang), words::bad_mask_hint(context.lang)),
                    false => (said.title, said.hint),
                };
                told(Tone::Danger, title, hint)
            }
            _ => {
                if let Some(table) = &mut self.table {
                    table.answered(Err(trouble));
                }
                Action::None
            }
        }
    }

    fn restore(&mut self, (report, reading, cloud): (Analysis, Reading, Cloud)) {
        if let Some(table) = &mut self.table {
            table.state = State::Done(report);
        }
        self.skip = (reading.skip_lines.map(|lines| lines.to_string()).unwrap_or_default(), false);
        (self.reading, self.cloud) = (reading, cloud);
    }

    fn stop(&mut self) {
        if !self.is_under_way() {
            return;
        }
        if let Some(table) = &mut self.table {
            table.stop();
        }
        self.progress = None;
        if let Some(before) = self.before.take() {
            self.restore(before);
        }
    }

    /// What shows stays until there is something newer.
    fn keep(&mut self) {
        let Some(table) = &mut self.table else { return };
        match std::mem::replace(&mut table.state, State::New) {
            State::Done(report) => {
                self.before = Some((report, self.reading.clone(), self.cloud.clone()));
            }
            other => table.state = other,
        }
    }

    fn read_as(&mut self, reading: Reading, context: &Context<'_>) -> Action<Message> {
        if reading == self.reading {
            return Action::None;
        }
        self.keep();
        self.reading = reading;
        self.column = None;
        if let Some(table) = &mut self.table {
            // What is under way ends with the work that is replaced.
            table.state = State::New;
        }
        self.go_on(context)
    }

    fn skip_lines(&mut self, text: String, context: &Context<'_>) -> Action<Message> {
        let lines = match text.trim() {
            "" => Some(None),
            text => text.parse().ok().filter(|lines| *lines <= MOST_SKIPPED).map(Some),
        };
        self.skip = (text, lines.is_none());
        match lines {
            Some(skip_lines) => {
                self.read_as(Reading { skip_lines, ..self.reading.clone() }, context)
            }
            None => Action::None,
        }
    }

    fn draw_cloud(&mut self, cloud: Cloud, context: &Context<'_>) -> Action<Message> {
        if cloud == self.cloud {
            return Action::None;
        }
        self.keep();
        self.cloud = cloud;
        if let Some(table) = &mut self.table {
            table.state = State::Waiting;
        }
        self.go_on(context)
    }

    fn step(&mut self, on: bool) -> Action<Message> {
        let count = self.charts().len();
        let next = if on { self.chart + 1 } else { self.chart.wrapping_sub(1) };
        if self.tab == Tab::Columns || next >= count {
            return Action::None;
        }
        self.chart = next;
        self.fetch()
    }
}

/// What becomes of the list of tables that were opened lately, once one was looked at; nothing where it
/// stays as it is.
fn remember(source: &Source, head: &Result<Head, Unread>, recent: &[PathBuf]) -> Option<Message> {
    let Source::File(path) = source else { return None };
    match head {
        Ok(_) if recent.first() != Some(path) => Some(Message::Remember(path.clone())),
        Err(Unread::Unreadable(_)) if recent.contains(path) => Some(Message::Forget(path.clone())),
        _ => None,
    }
}

/// A number for new work on the table: what still comes of earlier work has another one.
fn number(table: &mut Table, next: &mut u64) -> u64 {
    table.id = *next;
    *next += 1;
    table.id
}

/// What is asked, in the capability's own words; a picture that the word cloud fills is made small on its way.
fn request(
    name: &str,
    reading: &Reading,
    cloud: &Cloud,
    context: &Context<'_>,
) -> (Request, Option<PathBuf>) {
    let text = |letter: Option<char>| letter.map(String::from);
    let reading = reading.clone();
    let (shape, mask) = match &cloud.mask {
        Mask::All => (None, None),
        Mask::Shape(name) => (Some((*name).to_owned()), None),
        Mask::Picture(path) => (None, Some(path.clone())),
    };
    let request = Request {
        file: Some(name.to_owned()),
        lang: Some(context.lang.code().to_owned()),
        column: cloud.column.clone(),
        shape,
        encoding: reading.encoding,
        delimiter: text(reading.delimiter),
        quote: text(reading.quote),
        escape: text(reading.escape),
        header_lines: reading.header_lines,
        skip_lines: reading.skip_lines,
        table: reading.table,
        sheet: reading.sheet,
        dates: reading.dates.map(str::to_owned),
        theme: Some(match context.theme {
            Theme::Light => "light".to_owned(),
            Theme::Dark => "dark".to_owned(),
        }),
        seed: cloud.seed,
        font: true,
        ..Request::default()
    };
    (request, mask)
}

fn was_opened(page: &std::path::Path, opened: &Result<(), String>, lang: Lang) -> Action<Message> {
    match opened {
        Ok(()) => told(Tone::Success, words::opened(lang), ""),
        Err(_) => {
            let hint = words::not_opened_hint(lang, &page.display().to_string());
            told(Tone::Warning, words::not_opened(lang), &hint)
        }
    }
}

#[cfg(test)]
mod tests;
