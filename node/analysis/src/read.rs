//! Reading: from bytes in any encoding to a typed [`Table`].
//!
//! A sample decides encoding, delimiter, header and the kind of each column; a pass over the
//! whole input fills the columns in parallel, and says where the sample was wrong. Then the pass
//! is made again with what is known now, at most five times.

mod chunks;
mod clean;
mod column;
mod convert;
mod dialect;
mod encoding;
mod fill;
mod foreign;
mod header;
mod infer;
mod layout;
mod mend;
mod multiset;
mod number;
mod pass;
mod records;
mod rows;
mod sniff;
mod source;
mod spill;
mod time;
mod word;

use std::path::PathBuf;

pub use clean::{Again, Output, clean, read_then};
pub use source::Source;

use crate::stats::READING_BYTES;
use crate::table::{Note, Table};
use crate::{AnalysisError, Watch, wrong};

/// A sample that was wrong about the encoding, then about dates, then about a kind: more
/// passes than these teach nothing.
const PASSES: usize = 5;

/// Rows that are read with however little memory.
const LEAST_ROWS: u64 = 1_000_000;

/// The order of day and month in dates such as `01/02/2024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 1 February.
    DayFirst,
    /// 2 January.
    MonthFirst,
}

impl std::str::FromStr for DateOrder {
    type Err = AnalysisError;

    fn from_str(text: &str) -> Result<Self, AnalysisError> {
        match text {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err(AnalysisError::BadOption(wrong::no_date_order(format!("{text:?}")))),
        }
    }
}

/// How to read. Everything that is `None` is found out.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Name of the file for the report; that of the path, or `-`.
    pub name: Option<String>,
    /// A label as of the WHATWG Encoding Standard, such as `utf-8` or `gb18030`.
    pub encoding: Option<String>,
    /// Between fields; an ASCII character.
    pub delimiter: Option<char>,
    /// Around fields that have a delimiter or line end in them; an ASCII character.
    pub quote: Option<char>,
    /// Before a quote that belongs to its field; an ASCII character such as `\\`.
    pub escape: Option<char>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// Lines of the header, whose words make one name; 0 where there is none.
    pub header_lines: Option<u64>,
    /// Lines above the header.
    pub skip_lines: Option<u64>,
    /// Which of several tables in the file, from 1.
    pub table: Option<u64>,
    /// Of a workbook, which sheet: its name, or its number from 1. The first one with a table.
    pub sheet: Option<String>,
    /// The order of day and month where a date does not say it.
    pub dates: Option<DateOrder>,
    /// Leave out a last row that sums the others.
    pub no_totals: bool,
    /// Bytes that the table may keep in memory; what is more goes to temporary files. Bounds the
    /// rows, too: see [`most_rows`].
    pub memory: u64,
    /// Bytes of the longest content, unpacked where it was compressed.
    pub max_content: u64,
    /// Threads that parse.
    pub threads: usize,
    /// Where temporary files are made; the system's folder for them.
    pub temp_dir: Option<PathBuf>,
    /// Bytes that are parsed at once.
    pub chunk: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            name: None,
            encoding: None,
            delimiter: None,
            quote: None,
            escape: None,
            header: None,
            header_lines: None,
            skip_lines: None,
            table: None,
            sheet: None,
            dates: None,
            no_totals: false,
            memory: 300 << 20,
            max_content: 64 << 30,
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            temp_dir: None,
            chunk: 1 << 20,
        }
    }
}

/// Rows that a table with numbers or dates may have: describing such a column takes about 40 bytes
/// a row, and up to twice the memory is taken for it, since that is the worst
/// case and lasts only as long as one column does.
pub fn most_rows(memory: u64) -> u64 {
    (memory.saturating_mul(2) / READING_BYTES).max(LEAST_ROWS)
}

/// Reads a table: text, a workbook, Parquet, Arrow or JSON. The input may be compressed with gzip
/// or zstd.
///
/// # Errors
///
/// [`AnalysisError::BadInput`] for what is not a table, [`AnalysisError::BadOption`] for an
/// encoding or delimiter that cannot be, [`AnalysisError::Io`] for the disk, and
/// [`AnalysisError::Cancelled`].
pub fn read(
    source: Source,
    options: &ReadOptions,
    watch: &dyn Watch,
) -> Result<Table, AnalysisError> {
    let input = source::Input::open(source, options, watch)?;
    Ok(understand(&input, options, watch)?.0)
}

/// How an input is to be read.
struct Understood {
    encoding: encoding::Encoding,
    sample: dialect::Sample,
    dialect: dialect::Dialect,
    layout: layout::Layout,
    plans: Vec<infer::ColumnPlan>,
}

/// Reads a table as often as it takes to know how.
fn understand(
    input: &source::Input,
    options: &ReadOptions,
    watch: &dyn Watch,
) -> Result<(Table, Understood), AnalysisError> {
    let read = understand_rows(input, options, watch, true)?;
    if !options.no_totals || !crate::stats::has_totals(&read.0)? {
        return Ok(read);
    }
    drop(read);
    let mut read = understand_rows(input, options, watch, false)?;
    read.0.notes.push(Note::Totals);
    Ok(read)
}

/// The same with its last row, or without.
fn understand_rows(
    input: &source::Input,
    options: &ReadOptions,
    watch: &dyn Watch,
    last: bool,
) -> Result<(Table, Understood), AnalysisError> {
    watch.stage(crate::Stage::Reading, 0.0);
    let spill = spill::Spill::new(options.temp_dir.clone());
    let known = input.given.as_ref();
    let wanted = if known.is_some() { Some("utf-8") } else { options.encoding.as_deref() };
    let mut encoding = encoding::choose(&input.sample()?, wanted)?;
    for _ in 0..PASSES {
        let mut sample = dialect::sample(input, &encoding)?;
        let dialect = match known {
            Some(_) => {
                sample.mixed = false;
                dialect::Dialect::of(b',', b'"', b'\n')
            }
            None => {
                foreign::refuse_documents(&sample.text)?;
                sniff::sniff(&sample, options)?
            }
        };
        let columns = known.and_then(|given| given.columns.as_deref());
        let mut layout = match columns {
            Some(_) => layout::plain(&sample, &dialect),
            None => layout::find(&sample, &dialect, options)?,
        };
        layout.last = last;
        let mut plans = infer::plans(&layout, &dialect, options.dates, columns);
        for pass_number in 0..PASSES {
            let setting = pass::Setting {
                input,
                encoding: &encoding,
                dialect: &dialect,
                sample: &sample,
                layout: &layout,
                plans: &plans,
                options,
                spill: &spill,
                watch,
            };
            let read = match setting.run()? {
                pass::Outcome::Read(read) => *read,
                pass::Outcome::Encoding(better) => {
                    encoding = better;
                    break;
                }
            };
            if pass_number + 1 < PASSES
                && let Some(better) = read.better_plans(&setting)?
            {
                plans = better;
                spill.clear();
                continue;
            }
            let mut table = read.finish(&setting)?;
            if encoding.unsure {
                table.notes.push(Note::Guessed);
            }
            table.notes.extend(layout.notes.iter().cloned());
            if let Some(given) = known {
                table.format = given.format;
                table.sheet.clone_from(&given.sheet);
                table.notes.extend(given.notes.iter().cloned());
            }
            watch.stage(crate::Stage::Reading, 1.0);
            return Ok((table, Understood { encoding, sample, dialect, layout, plans }));
        }
        spill.clear();
    }
    Err(AnalysisError::BadInput(wrong::no_encoding_fits()))
}

/// So many bytes, for a person.
fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 30 && bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes => format!("{bytes} bytes"),
    }
}

/// So many rows in millions, for a person.
fn millions(rows: u64) -> String {
    format!("{:.1}", rows as f64 / 1e6)
}

/// An error of the disk, with what was being done.
fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> AnalysisError {
    let what = what.into();
    |source| AnalysisError::Io { what, source }
}
