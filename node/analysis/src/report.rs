//! The report: one page that needs no script and no network. It reads well on a phone, on a
//! desk, in the dark and on paper, in English and in Chinese.
//!
//! The page is HTML that is well-formed XML too, and a pure function of what it is given.

mod alerts;
mod amounts;
mod cards;
mod compare;
mod drawings;
mod facts;
mod glance;
mod glossary;
mod groups;
mod overview;
mod pairs;
mod reading;
mod text;
mod words;

use std::collections::HashMap;

use crate::charts::{Chart, ChartKind};
use crate::numbers::Numbers;
use crate::{Lang, names};
pub use compare::{compared, comparison};
pub use facts::{ColumnFacts, TableFacts};
pub use reading::sentences;
use words::Words;

/// Columns with a card of their own.
pub const MOST_CARDS: usize = 200;

/// Characters of a column name that are shown; the whole name shows on hovering.
const NAME: usize = 48;

/// How the page is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportOptions {
    /// The language of everything that does not come from the file.
    pub lang: Lang,
    /// Instead of the name of the file.
    pub title: Option<String>,
    /// When the report was made, as it shall be shown.
    pub made_at: Option<String>,
    /// The name of the node that did the work.
    pub served_by: Option<String>,
    /// Whether the page carries a font with the characters in it that not every machine has.
    pub font: bool,
}

/// The page. Alerts and titles of charts are taken as they are, so they have to be in the
/// language of the options. Charts of kinds that have no place (a distribution of a column
/// without a card) and charts beyond 6 MB are left out, which the page says.
pub fn page(
    numbers: &Numbers,
    table: &TableFacts,
    charts: &[Chart],
    options: &ReportOptions,
) -> String {
    let page = Page::new(numbers, table, options);
    let drawings = drawings::Drawings::place(&page, charts);
    let kind = |kind, title| Section { id: ChartKind::name(kind), title, body: drawings.of(kind) };
    let mut heatmap = kind(ChartKind::Heatmap, words::CORRELATION);
    heatmap.body += &pairs::table(&page);
    let sections = [
        Section { id: "overview", title: words::OVERVIEW, body: overview::tiles(&page) },
        Section { id: "alerts", title: words::ALERTS, body: alerts::list(&page) },
        Section { id: "glance", title: words::GLANCE, body: glance::table(&page) },
        heatmap,
        kind(ChartKind::Scatter, words::SCATTERS),
        kind(ChartKind::Distributions, words::DISTRIBUTIONS),
        kind(ChartKind::Missing, words::MISSING_CELLS),
        kind(ChartKind::Skew, words::SKEWNESS),
        kind(ChartKind::Trends, words::TRENDS),
        kind(ChartKind::Categories, words::CATEGORIES),
        kind(ChartKind::Cloud, words::CLOUD),
        Section { id: "groups", title: words::GROUPS, body: groups::tables(&page) },
        Section { id: "columns", title: words::COLUMNS, body: cards::all(&page, &drawings) },
        Section { id: "reading", title: words::READING, body: reading::list(&page) },
        Section { id: "glossary", title: words::GLOSSARY, body: glossary::list(&page) },
    ];
    let sections: Vec<Section> = sections.into_iter().filter(|s| !s.body.is_empty()).collect();
    overview::frame(&page, &sections)
}

/// A part of the page with a heading.
struct Section {
    /// Where a link leads.
    id: &'static str,
    title: Words,
    /// Empty when there is nothing to say; then there is no section either.
    body: String,
}

/// What all parts of the page look at.
struct Page<'a> {
    numbers: &'a Numbers,
    table: &'a TableFacts,
    options: &'a ReportOptions,
    lang: Lang,
    /// Where a column stands, by name.
    places: HashMap<&'a str, usize>,
    /// What columns are called where there is little room; different for each.
    labels: Vec<String>,
}

impl<'a> Page<'a> {
    fn new(numbers: &'a Numbers, table: &'a TableFacts, options: &'a ReportOptions) -> Self {
        let names = numbers.columns.iter().enumerate();
        let places = names.map(|(at, column)| (column.name.as_str(), at)).collect();
        let names: Vec<&str> = numbers.columns.iter().map(|column| column.name.as_str()).collect();
        let labels = names::distinct(&names, &|name| text::middle(name, NAME, |_| 1));
        Self { numbers, table, options, lang: options.lang, places, labels }
    }

    fn say(&self, words: Words) -> &'static str {
        words.of(self.lang)
    }

    fn title(&self) -> &str {
        self.options.title.as_deref().unwrap_or(&self.numbers.file)
    }

    /// Where the card of a column is, if it has one.
    fn card(&self, column: &str) -> Option<usize> {
        self.places.get(column).copied().filter(|at| *at < MOST_CARDS)
    }

    /// The name of the column at a place, shortened.
    fn name(&self, at: usize) -> String {
        match (self.labels.get(at), self.numbers.columns.get(at)) {
            (Some(label), Some(column)) => text::labelled(label, &column.name),
            _ => String::new(),
        }
    }

    /// The name of a column, as a link when it has a card.
    fn link(&self, column: &str) -> String {
        let name = match self.places.get(column) {
            Some(at) => self.name(*at),
            None => text::quoted(column, NAME),
        };
        match self.card(column) {
            Some(at) => format!("<a href=\"#c{}\">{name}</a>", at + 1),
            None => name,
        }
    }

    /// A bar for a part of a whole, for the eyes only: the number stands beside it.
    fn bar(&self, ratio: f64) -> String {
        let percent = if ratio.is_finite() { (ratio * 100.0).clamp(0.0, 100.0) } else { 0.0 };
        format!("<span class=\"bar\"><span style=\"width:{percent:.1}%\"></span></span>")
    }
}
