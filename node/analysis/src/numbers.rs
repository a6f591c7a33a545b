//! What is known about a table in numbers: the shape of `numbers.json`.
//!
//! Definitions are those of pandas: sample standard deviation, linear quantiles, G1 skewness,
//! G2 kurtosis, pairwise-complete correlation. `null` where a number is not defined.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is known about a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// Name of the file, without its folder.
    pub file: String,
    /// Such as `GB18030`.
    pub encoding: String,
    /// Between the fields.
    pub delimiter: char,
    /// What kind of file it was: `text`, `xlsx`, `xls`, `ods`, `parquet`, `arrow`, `json` or
    /// `ndjson`. What is no text has `UTF-8` and `,` above.
    #[serde(default)]
    pub format: String,
    /// Of a workbook, the sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Rows without the header.
    pub rows: u64,
    /// Rows of another width than the header's, or broken otherwise.
    pub bad_rows: u64,
    /// Rows that equal an earlier one.
    pub duplicate_rows: u64,
    /// In the order of the file.
    pub columns: Vec<ColumnNumbers>,
    /// Between the number columns.
    pub correlation: Correlation,
    /// What a person should look at first.
    pub alerts: Vec<Alert>,
    /// The number columns by the values of another column, where that was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
}

/// Number columns by the values of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Name of that column.
    pub column: String,
    /// Its most frequent values, at most 12, most frequent first, then by value.
    pub groups: Vec<Group>,
    /// How many other values there are; all of them together are the last group.
    pub others: u64,
}

/// The rows with one value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The value, as it is written; none for rows without one, and for those with any other value.
    pub value: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// Of each number column.
    pub columns: Vec<GroupNumbers>,
}

/// A number column in the rows of a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupNumbers {
    /// Name of the column.
    pub name: String,
    /// Cells with a finite number.
    pub count: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Sample standard deviation.
    pub std: Option<f64>,
    /// Smallest.
    pub min: Option<f64>,
    /// Lower quartile.
    pub q25: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Upper quartile.
    pub q75: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// What is known about one column. Numbers from `mean` on are of number columns only; of dates,
/// `min` and `max` stand in `first` and `last`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnNumbers {
    /// Name, unique.
    pub name: String,
    /// `integer`, `number`, `boolean`, `date`, `datetime`, `time`, `duration`, `text` or `empty`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Cells with a value.
    pub count: u64,
    /// Cells without one.
    pub missing: u64,
    /// `missing` by rows, 0 to 1.
    pub missing_ratio: f64,
    /// Cells with a value that is not of the column's kind.
    pub invalid: u64,
    /// Different values, exactly.
    pub distinct: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Sample standard deviation.
    pub std: Option<f64>,
    /// Smallest.
    pub min: Option<f64>,
    /// Lower quartile.
    pub q25: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// Upper quartile.
    pub q75: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Cells that are 0.
    pub zeros: Option<u64>,
    /// Cells below 0.
    pub negatives: Option<u64>,
    /// G1.
    pub skew: Option<f64>,
    /// G2.
    pub kurtosis: Option<f64>,
    /// Cells further than 1.5 interquartile ranges from the quartiles.
    pub outliers: Option<u64>,
    /// Earliest, ISO 8601, of dates; of times of day and durations, hours, minutes and seconds.
    pub first: Option<String>,
    /// Latest.
    pub last: Option<String>,
    /// Mean of times of day and durations, rounded to seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_time: Option<String>,
    /// The most frequent values, at most 10, most frequent first, then by value.
    pub top: Vec<(serde_json::Value, u64)>,
    /// Of number columns; bins as numpy's `auto`.
    pub histogram: Option<Histogram>,
}

impl ColumnNumbers {
    /// Whether these are years as far as one can tell, whose thousands stand in no need of a comma.
    pub(crate) fn are_years(&self) -> bool {
        let within = |value: Option<f64>| value.is_some_and(|v| (1000.0..3000.0).contains(&v));
        self.kind == "integer" && within(self.min) && within(self.max)
    }

    /// A number of this column as it is written: years without commas.
    pub(crate) fn plain(&self, number: String) -> String {
        if self.are_years() { number.replace(',', "") } else { number }
    }
}

/// How values spread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// One more than there are counts.
    pub edges: Vec<f64>,
    /// Values from an edge up to the next; the last bin includes its upper edge.
    pub counts: Vec<u64>,
}

/// Coefficients by name of one column, then the other.
pub type Matrix = BTreeMap<String, BTreeMap<String, Option<f64>>>;

/// How number columns go together, over the rows where both have a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Linear.
    pub pearson: Matrix,
    /// Of ranks.
    pub spearman: Matrix,
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is.
    pub kind: AlertKind,
    /// Which column, when it is about one.
    pub column: Option<String>,
    /// One sentence, in the language of the report.
    pub detail: String,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Bytes that the encoding forbids, NULs, a guess that is not sure.
    Encoding,
    /// No header, names that were changed, fields that were cut.
    Reading,
    /// Rows of another width, or broken otherwise.
    BadRows,
    /// Rows that equal an earlier one.
    Duplicates,
    /// No value at all.
    Empty,
    /// One value only.
    Constant,
    /// Many cells without a value.
    Missing,
    /// Cells that are not of the column's kind.
    MixedTypes,
    /// Dates that do not exist or are written in several ways.
    BadDates,
    /// Infinities.
    Infinite,
    /// Two columns say nearly the same.
    HighCorrelation,
    /// One value has nearly all cells.
    Imbalance,
    /// A long tail on one side.
    Skewed,
    /// Every cell is different.
    Unique,
    /// Many different texts.
    HighCardinality,
    /// Many zeros.
    Zeros,
}
