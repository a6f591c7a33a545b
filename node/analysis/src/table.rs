//! A table: what was read, typed by column. Made by [`crate::read`], used by [`crate::stats`].
//!
//! Numbers and times keep their row order, because correlation and trends pair them by row.
//! Texts and truth values are kept as a multiset (each distinct text with how often it comes),
//! which is all that anybody asks of them, and far smaller. Columns may lie on disk: each is
//! loaded when it is needed and dropped after, so that a table larger than memory works.

use crate::AnalysisError;

/// What was read.
pub struct Table {
    /// Name of the file, without its folder; `-` for a pipe.
    pub file: String,
    /// Such as `UTF-8`, `UTF-8 with BOM`, `GB18030`, `UTF-16LE`.
    pub encoding: String,
    /// Between the fields.
    pub delimiter: char,
    /// What kind of file it was.
    pub format: Format,
    /// Of a workbook, the sheet.
    pub sheet: Option<String>,
    /// Rows without the header, broken ones included where something of them was kept.
    pub rows: u64,
    /// Rows that did not have the header's number of fields, or were broken otherwise.
    pub bad_rows: BadRows,
    /// Rows that were broken and put right, since the columns said how.
    pub mended: MendedRows,
    /// Rows that equal an earlier one in every cell.
    pub duplicate_rows: u64,
    /// In the order of the file, with names made unique.
    pub columns: Vec<Column>,
    /// What a person should know about the reading, such as bytes that the encoding forbids.
    pub notes: Vec<Note>,
}

/// Kinds of files that are tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// CSV and the like.
    Text,
    /// Excel, since 2007.
    Xlsx,
    /// Excel, before.
    Xls,
    /// OpenDocument.
    Ods,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow: IPC files (Feather, version 2) and streams.
    Arrow,
    /// An array of objects.
    Json,
    /// An object in each line.
    NdJson,
}

impl Format {
    /// All of them.
    const ALL: [Self; 8] = [
        Self::Text,
        Self::Xlsx,
        Self::Xls,
        Self::Ods,
        Self::Parquet,
        Self::Arrow,
        Self::Json,
        Self::NdJson,
    ];

    /// The one of this name, as [`Format::name`] says it.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// As in `numbers.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Xlsx => "xlsx",
            Self::Xls => "xls",
            Self::Ods => "ods",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::Json => "json",
            Self::NdJson => "ndjson",
        }
    }
}

/// Rows that are not as wide as the header, or broken otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadRows {
    /// How many.
    pub count: u64,
    /// The first of them, at most 20.
    pub first: Vec<BadRow>,
}

/// One bad row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// Fields found.
    pub fields: usize,
    /// Fields expected.
    pub expected: usize,
}

/// Rows that were not as wide as the header, or broken otherwise, and were put right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MendedRows {
    /// How many.
    pub count: u64,
    /// The first of them, at most 20.
    pub first: Vec<MendedRow>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendedRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// What was done.
    pub how: Mend,
}

/// What was done to a row; of several things the last one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mend {
    /// Nothing.
    Kept,
    /// A column was left empty.
    Padded,
    /// A quote that belongs to nothing was taken for a character.
    Quote,
    /// A delimiter was taken for a part of a text.
    Joined,
    /// An empty field too many was left out.
    Dropped,
    /// A field was cut where a delimiter was lost.
    Cut,
    /// The row was cut at another delimiter than its table.
    Delimiter,
}

impl Mend {
    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Padded => "padded",
            Self::Quote => "quote",
            Self::Joined => "joined",
            Self::Dropped => "dropped",
            Self::Cut => "cut",
            Self::Delimiter => "delimiter",
        }
    }
}

/// What a person should know about the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// So many bytes did not fit the encoding and became replacement characters.
    Undecodable(u64),
    /// So many NUL bytes were dropped.
    Nuls(u64),
    /// The encoding is a guess: the bytes fit others about as well.
    Guessed,
    /// There was no header: columns are called `column 1` and so on.
    NoHeader,
    /// So many names came twice or were empty and were changed.
    Renamed(u64),
    /// A quote was never closed; the line where it opened.
    UnclosedQuote(u64),
    /// A field was longer than the limit and was cut; how many.
    CutFields(u64),
    /// So many lines above the header are titles, remarks and the like, and were left out.
    Titles(u64),
    /// The header has so many lines, more than one.
    HeaderLines(u64),
    /// So many rows without any value were left out.
    EmptyRows(u64),
    /// So many lines between rows are comments, which a `#` begins, and were left out.
    Comments(u64),
    /// So many lines below the table are footnotes and the like, and were left out.
    Footers(u64),
    /// The file has so many more tables after this one: the line where each begins, and its
    /// first names.
    MoreTables(Vec<(u64, String)>),
    /// So many columns without a name or a value, made by a delimiter at the end of every line,
    /// were left out.
    EmptyColumns(u64),
    /// The workbook has other sheets than the one that was read; their names.
    OtherSheets {
        /// The sheet that was read.
        read: String,
        /// The others, hidden ones too.
        others: Vec<String>,
    },
    /// The last row summed the others and was left out, as was wanted.
    Totals,
    /// Nothing stands between fields, so that there is one column.
    NoDelimiter,
}

/// One column.
pub struct Column {
    /// As in the header, made unique.
    pub name: String,
    /// What its cells are.
    pub kind: Kind,
    /// Empty cells and NA words.
    pub missing: u64,
    /// Cells that are there but not of the column's kind, such as `abc` among numbers, or a
    /// date that does not exist. Not missing; left out of the numbers.
    pub invalid: Invalid,
    /// How the cells were written.
    pub written: Written,
    /// The cells.
    pub(crate) cells: Box<dyn Cells>,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Integer,
    /// Other numbers; infinities are numbers.
    Number,
    /// Two words that mean yes and no.
    Boolean,
    /// Days.
    Date,
    /// Days with a time.
    DateTime,
    /// Times of day.
    Time,
    /// How long something takes: hours, minutes and seconds, beyond a day or below nothing.
    Duration,
    /// Anything else.
    Text,
    /// No cell has a value.
    Empty,
}

impl Kind {
    /// As in `numbers.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Text => "text",
            Self::Empty => "empty",
        }
    }

    /// Whether mean, correlation and the like make sense.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// Cells that are not of their column's kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid {
    /// How many.
    pub count: u64,
    /// Different texts among them.
    pub distinct: u64,
    /// The first different ones, at most 5.
    pub examples: Vec<String>,
}

/// How the cells of a column were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// `$`, `¥`, `€` and the like, when every number that has a sign has this one.
    pub currency: Option<char>,
    /// Numbers were written with `%`; `12%` is kept as 0.12.
    pub percent: bool,
    /// Dates were written in more than one way.
    pub mixed_dates: bool,
    /// A date, where nothing in the table says whether the day or the month comes first.
    pub open_date: Option<OpenDate>,
}

/// A date that may be two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDate {
    /// As it was written.
    pub cell: String,
    /// Its microseconds since 1970 with the day first, and with the month first.
    pub dates: (i64, i64),
    /// How it was read.
    pub day_first: bool,
}

/// What a column holds, once it is in memory.
pub enum Values {
    /// By row; `None` where missing or invalid.
    Integers(Wholes),
    /// By row; NaN where missing or invalid.
    Numbers(Vec<f64>),
    /// By row, microseconds since 1970-01-01T00:00 in the time that was written, or since midnight
    /// where there is no day; `None` where missing or invalid.
    Times(Wholes),
    /// Nothing is kept by row; ask [`Column::texts`].
    Texts,
}

/// Whole numbers by row, 8 bytes each: the smallest stands for none. (No cell is
/// -9,223,372,036,854,775,808: the reader takes a column with it for [`Kind::Number`].)
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wholes(Vec<i64>);

impl Wholes {
    /// What stands for none.
    pub(crate) const NONE: i64 = i64::MIN;

    pub(crate) fn new(cells: Vec<i64>) -> Self {
        Self(cells)
    }

    /// The cells, the smallest number where there is none.
    pub(crate) fn into_inner(self) -> Vec<i64> {
        self.0
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number in a row, if there is one.
    pub fn get(&self, row: usize) -> Option<i64> {
        self.0.get(row).copied().filter(|cell| *cell != Self::NONE)
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        self.0.iter().map(|cell| Some(*cell).filter(|cell| *cell != Self::NONE))
    }
}

impl FromIterator<Option<i64>> for Wholes {
    fn from_iter<I: IntoIterator<Item = Option<i64>>>(cells: I) -> Self {
        Self(cells.into_iter().map(|cell| cell.unwrap_or(Self::NONE)).collect())
    }
}

/// Where cells are kept: in memory, or on disk.
pub(crate) trait Cells: Send + Sync {
    /// The cells by row.
    fn values(&self) -> Result<Values, AnalysisError>;

    /// Every distinct text of a text or truth column, once, with how often it comes. The order
    /// is the same for the same input.
    fn texts(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError>;

    /// How many distinct texts there are.
    fn distinct_texts(&self) -> u64;
}

impl Column {
    /// The cells by row, loaded now: 8 bytes a row.
    pub fn values(&self) -> Result<Values, AnalysisError> {
        self.cells.values()
    }

    /// Every distinct text with how often it comes; nothing for numbers and times.
    pub fn texts(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        self.cells.texts(each)
    }

    /// How many distinct texts there are; 0 for numbers and times.
    pub fn distinct_texts(&self) -> u64 {
        self.cells.distinct_texts()
    }
}
