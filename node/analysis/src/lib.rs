//! CSV in, numbers, charts and a report out. No network, no async: everything here computes
//! and belongs on a thread that may be busy.
//!
//! [`read`] makes a [`Table`] of a file, [`stats`] makes [`Numbers`] and [`Facets`] of a table,
//! [`charts`] and [`cloud`] draw them, [`report`] writes the page. [`job::analyze`] does all of it.

pub mod charts;
pub mod cloud;
pub mod facets;
pub mod font;
pub mod job;
mod names;
pub mod numbers;
pub mod read;
pub mod report;
pub mod stats;
pub mod table;
pub mod watch;

/// A small table to try with: what students of an invented class answered (`samples/make.py`).
pub const SAMPLE: &str = include_str!("../samples/class.csv");
/// Its name.
pub const SAMPLE_NAME: &str = "class.csv";

pub use facets::Facets;
pub use numbers::Numbers;
pub use potluck_i18n::Lang;
pub use table::Table;
pub use watch::{Stage, Unwatched, Watch};

/// Why there is no report. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The file is not one that can be analysed: empty, a picture, a single endless line.
    #[error("{0}")]
    BadInput(String),
    /// An option makes no sense for this file: no such column, an unknown encoding, a bad mask.
    #[error("{0}")]
    BadOption(String),
    /// The disk failed while reading the input or keeping columns aside.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, for a person.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// [`Watch::cancelled`] said so.
    #[error("the analysis was cancelled")]
    Cancelled,
}
