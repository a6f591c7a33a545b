//! Charts of a table, as SVG and PNG, in one palette, light or dark.

use std::str::FromStr;

use crate::AnalysisError;

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
            AnalysisError::BadOption(format!("there is no chart {text:?}; there are: {names}"))
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
    /// The drawing with texts as texts, for the report.
    pub svg: String,
    /// The same with the bundled font, for slides and chats.
    pub png: Vec<u8>,
}
