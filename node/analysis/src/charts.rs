//! Charts of a table, as SVG and PNG, in one palette, light or dark.
//!
//! The SVG is written here and not by a plotting library: every text is measured in the bundled
//! font before it is placed, so nothing overlaps or leaves the sheet, whatever columns are called.

mod axis;
mod bars;
mod calendar;
pub(crate) mod canvas;
mod heatmap;
mod missing;
pub(crate) mod palette;
mod plot;
mod raster;
mod scatter;
mod select;
mod spread;
mod trend;

use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::{AnalysisError, Facets, Lang, Numbers, Stage, Watch, wrong};

pub use palette::variables;
pub use raster::rasterise;
use select::Subject;

/// What a chart shows; also the name of its file and of `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChartKind {
    /// Correlation of the number columns.
    Heatmap,
    /// The strongest pairs.
    Scatter,
    /// Histogram with box, one a number column.
    Distributions,
    /// Missing cells: a bar a column, and a pie.
    Missing,
    /// Skewness in order.
    Skew,
    /// The most frequent values of text columns.
    Categories,
    /// Counts and means over time.
    Trends,
    /// The words of a text column.
    Cloud,
}

impl ChartKind {
    /// All, in the order of the report.
    pub const ALL: [Self; 8] = [
        Self::Heatmap,
        Self::Scatter,
        Self::Distributions,
        Self::Missing,
        Self::Skew,
        Self::Categories,
        Self::Trends,
        Self::Cloud,
    ];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Heatmap => "heatmap",
            Self::Scatter => "scatter",
            Self::Distributions => "distributions",
            Self::Missing => "missing",
            Self::Skew => "skew",
            Self::Categories => "categories",
            Self::Trends => "trends",
            Self::Cloud => "cloud",
        }
    }
}

impl FromStr for ChartKind {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text.trim()).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            AnalysisError::BadOption(wrong::no_chart(format!("{text:?}"), names))
        })
    }
}

/// Background and ink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// For paper.
    #[default]
    Light,
    /// For dark screens.
    Dark,
}

impl FromStr for Theme {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, AnalysisError> {
        match text {
            "light" => Ok(Self::Light),
            "dark" => Ok(Self::Dark),
            _ => Err(AnalysisError::BadOption(wrong::no_theme(format!("{text:?}")))),
        }
    }
}

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// What it shows.
    pub kind: ChartKind,
    /// The column, for charts of one column.
    pub column: Option<String>,
    /// Name of its file, without the ending; safe in any folder.
    pub name: String,
    /// A title for a person, in the language of the report.
    pub title: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// The drawing with texts as texts, for the report: colours of the theme are CSS variables
    /// ([`variables`]) with themselves to fall back on.
    pub svg: String,
    /// The same with the bundled font, for slides and chats; empty when it was not wanted.
    pub png: Vec<u8>,
}

impl Chart {
    /// The SVG as a file of its own, for viewers that know no CSS variables.
    pub fn standalone_svg(&self) -> String {
        palette::concrete(&self.svg)
    }
}

/// Which charts, and how they look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartOptions {
    /// Of titles, axes and notes.
    pub lang: Lang,
    /// Of the pictures, and of the SVG where a page sets no variables.
    pub theme: Theme,
    /// These kinds only.
    pub only: Option<Vec<ChartKind>>,
    /// Whether pictures are made too.
    pub png: bool,
    /// Threads that draw; 0 leaves it to the pool that this runs in.
    pub threads: usize,
}

impl Default for ChartOptions {
    fn default() -> Self {
        Self { lang: Lang::En, theme: Theme::Light, only: None, png: true, threads: 0 }
    }
}

/// Draws all kinds but the word cloud, in the order of the report, at most 57 charts: of a wider
/// table those columns that have most to see, which the charts say.
///
/// Fails with [`AnalysisError::Cancelled`], and with [`AnalysisError::Io`] when the system gives
/// no threads.
pub fn draw(
    numbers: &Numbers,
    facets: &Facets,
    options: &ChartOptions,
    watch: &dyn Watch,
) -> Result<Vec<Chart>, AnalysisError> {
    let style = Style { lang: options.lang, theme: options.theme };
    let wanted = |kind: ChartKind| options.only.as_ref().is_none_or(|only| only.contains(&kind));
    let mut subjects = select::subjects(numbers, facets, style);
    subjects.retain(|subject| wanted(subject.kind()));
    let done = AtomicUsize::new(0);
    let one = |subject: &Subject| -> Result<Option<Chart>, AnalysisError> {
        watch.check()?;
        let Some((title, size, svg)) = subject.draw(numbers, style) else { return Ok(None) };
        let png = if options.png { rasterise(&svg, size)? } else { Vec::new() };
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        watch.stage(Stage::Drawing, done as f32 / subjects.len() as f32);
        let (name, column) = (subject.name(), subject.column().map(str::to_owned));
        Ok(Some(Chart { kind: subject.kind(), column, name, title, size, svg, png }))
    };
    let all = || subjects.par_iter().map(one).filter_map(Result::transpose).collect();
    match options.threads {
        0 => all(),
        threads => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| AnalysisError::Io {
                what: "starting threads that draw".to_owned(),
                source: std::io::Error::other(error),
            })?
            .install(all),
    }
}

/// Title, size and SVG.
type Drawn = (String, (u32, u32), String);

/// What all charts of a report share.
#[derive(Debug, Clone, Copy)]
struct Style {
    lang: Lang,
    theme: Theme,
}

impl Style {
    fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// Words before and after a name.
    fn pair(
        self,
        en: (&'static str, &'static str),
        zh: (&'static str, &'static str),
    ) -> (&'static str, &'static str) {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    fn either(self, en: String, zh: String) -> String {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}
