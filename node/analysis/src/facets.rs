//! What charts need beyond [`crate::Numbers`]: points, bins, trends and words, small whatever
//! the size of the table.

use crate::numbers::Histogram;

/// Everything that is drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facets {
    /// The strongest pairs of number columns, strongest first.
    pub scatters: Vec<Scatter>,
    /// One for each number column with a value, in the order of the file.
    pub spreads: Vec<Spread>,
    /// One for each date column with a value, in the order of the file.
    pub trends: Vec<Trend>,
    /// One for each text or truth column whose values repeat, in the order of the file.
    pub categories: Vec<Category>,
    /// What the word cloud is made of: the text column with the most words, or the chosen one.
    pub words: Option<Words>,
}

/// Two number columns against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Name of the column across.
    pub x: String,
    /// Name of the column upwards.
    pub y: String,
    /// Pearson's coefficient.
    pub pearson: f64,
    /// From and to, across and upwards, where a few values far out would squeeze all others into
    /// a corner: points outside are not drawn.
    pub shown: Option<((f64, f64), (f64, f64))>,
    /// What is drawn.
    pub marks: Marks,
}

/// What a scatter chart draws.
#[derive(Debug, Clone, PartialEq)]
pub enum Marks {
    /// Every pair, at most 50,000.
    Points(Vec<(f64, f64)>),
    /// Counts in a grid, when there are more pairs.
    Bins {
        /// From and to, across.
        x: (f64, f64),
        /// From and to, upwards.
        y: (f64, f64),
        /// Bins across and upwards.
        size: (usize, usize),
        /// By row from below, each from the left.
        counts: Vec<u32>,
        /// All pairs, also those outside of the grid.
        pairs: u64,
        /// Base and slope of the line of least squares through all pairs; none when x does not
        /// vary.
        line: Option<(f64, f64)>,
    },
}

/// How one number column spreads.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Name of the column.
    pub column: String,
    /// At most 60 bins over the finite values that are shown, for drawing. Those of integers hold
    /// equally many integers each.
    pub histogram: Histogram,
    /// From and to: all values, or those that are left without a few that lie very far out.
    pub shown: (f64, f64),
    /// Values that are not shown.
    pub outside: u64,
    /// Furthest values within 1.5 interquartile ranges from the quartiles.
    pub whiskers: (f64, f64),
    /// Lower quartile, median, upper quartile.
    pub quartiles: (f64, f64, f64),
    /// Values beyond the whiskers: all, or an even choice of 400 with the ends kept.
    pub outliers: Vec<f64>,
}

/// Values over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Name of the date column.
    pub column: String,
    /// What one bucket spans.
    pub step: Step,
    /// Start of each bucket, microseconds since 1970-01-01T00:00; evenly stepped, none left out,
    /// at most 400.
    pub starts: Vec<i64>,
    /// Rows in each bucket.
    pub counts: Vec<u64>,
    /// Means of number columns in each bucket (at most 6 columns, identifiers left out), `None`
    /// where a bucket has no value.
    pub means: Vec<(String, Vec<Option<f64>>)>,
}

/// What one bucket of a trend spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// A calendar year.
    Year,
}

/// How often the values of a text column come.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Name of the column.
    pub column: String,
    /// The most frequent values, at most 12.
    pub top: Vec<(String, u64)>,
    /// Cells with any other value.
    pub others: u64,
    /// Cells with a value.
    pub count: u64,
}

/// Words with how often they come.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// Name of the column.
    pub column: String,
    /// Most frequent first, then by word; at most 400.
    pub counts: Vec<(String, u64)>,
}
