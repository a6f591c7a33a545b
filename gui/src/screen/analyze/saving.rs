//! What is saved: the page, all files of the report, the clean table, a chart.

use std::path::PathBuf;

use iced::Task;

use super::{
    Action, Analyze, Context, Message, Purpose,
    paths::{self, Wants, What},
};
use crate::{
    backend::{
        files::{self, Source},
        tables,
    },
    words::{Lang, analyze as words, asking},
};

impl Analyze {
    pub(super) fn save(&mut self, purpose: Purpose, path: PathBuf, lang: Lang) -> Action<Message> {
        let to = path.clone();
        let done = move |saved| Message::Paths(paths::Message::Saved(purpose, to.clone(), saved));
        let (Some(table), Some(report)) = (&self.table, self.report().cloned()) else {
            return Action::None;
        };
        if table.source == Source::File(path.clone()) {
            return self.paths.wrong(purpose, words::not_itself(lang)).map(Message::Paths);
        }
        Action::Run(match purpose {
            Purpose::Report => Task::perform(files::copy(report.page(), path), done),
            Purpose::All => Task::perform(report.save(path), done),
            Purpose::Clean => {
                let (source, reading) = (table.source.clone(), self.reading.clone());
                Task::perform(tables::clean(source, reading, path), done)
            }
            Purpose::Chart => {
                let Some(chart) = self.shown_chart() else { return Action::None };
                Task::perform(files::copy(report.file(&chart.picture()), path), done)
            }
            Purpose::Open | Purpose::Mask => return Action::None,
        })
    }

    /// How files are called that are saved.
    pub(super) fn names(&self, context: &Context<'_>) -> Names {
        let Some(table) = &self.table else { return Names::default() };
        let folder = match &table.source {
            Source::File(path) => path.parent().map(PathBuf::from),
            Source::Bytes(_) => context.backend.map(|backend| backend.downloads()),
        };
        let stem = tables::stem(&table.name);
        let chart = self.shown_chart().map(|chart| format!("{stem}-{}", chart.picture()));
        Names {
            folder: folder.unwrap_or_default(),
            all: words::report_name(context.lang, &stem),
            clean: words::clean_name(context.lang, &stem),
            chart: chart.unwrap_or_default(),
        }
    }
}

/// How files are called that are saved.
#[derive(Debug, Default)]
pub(super) struct Names {
    folder: PathBuf,
    pub all: String,
    clean: String,
    chart: String,
}

impl Names {
    pub fn wants(&self, purpose: Purpose, lang: Lang) -> Wants {
        let inside = |name: &str| self.folder.join(name).display().to_string();
        let save = asking::save(lang);
        let (title, go, name, what) = match purpose {
            Purpose::Open => {
                let what = What::Files(files::TABLES);
                (words::open(lang), words::choose(lang), String::new(), what)
            }
            Purpose::Report => {
                let name = inside(&format!("{}.html", self.all));
                (words::save_report(lang), save, name, What::Place)
            }
            Purpose::All => (words::save_all(lang), save, inside(&self.all), What::Folder),
            Purpose::Clean => (words::save_clean(lang), save, inside(&self.clean), What::Place),
            Purpose::Chart => (words::save_chart(lang), save, inside(&self.chart), What::Place),
            Purpose::Mask => {
                let what = What::Files(files::PICTURES);
                (words::choose_mask(lang), words::choose(lang), String::new(), what)
            }
        };
        Wants { title, go, name, what }
    }
}
