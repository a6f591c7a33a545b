//! A table written clean, as it was understood: one line of names, and below it the rows. CSV has
//! every cell as it was written; the other forms have the types of the columns.

mod typed;

use std::io::Write;
use std::path::Path;

use super::chunks::{Chunk, Chunks};
use super::layout::Layout;
use super::mend::Mender;
use super::records::{self, Record, Sink};
use super::source::{Input, Source};
use super::{ReadOptions, Understood, io, understand, word};
use crate::table::Table;
use crate::{AnalysisError, Watch};

/// What a clean table is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// UTF-8 and commas.
    Csv,
    /// An object in each line.
    NdJson,
    /// Apache Parquet, packed with zstd.
    Parquet,
    /// An Arrow IPC file, packed with zstd.
    Arrow,
}

impl Output {
    /// By the ending of a file: `.csv`, `.ndjson` or `.jsonl`, `.parquet`, `.arrow` or `.feather`.
    pub fn of(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" => Self::Csv,
            "ndjson" | "jsonl" => Self::NdJson,
            "parquet" => Self::Parquet,
            "arrow" | "feather" => Self::Arrow,
            _ => return None,
        })
    }
}

/// Writes a table, and gives what was understood of it. Where the file has no header, CSV has no
/// names: they are not in the file.
///
/// # Errors
///
/// Those of [`super::read()`], and [`AnalysisError::Io`] where nothing can be written.
pub fn clean(
    source: Source,
    options: &ReadOptions,
    output: Output,
    out: &mut dyn Write,
    watch: &dyn Watch,
) -> Result<Table, AnalysisError> {
    let input = Input::open(source, options, watch)?;
    let (table, understood) = understand(&input, options, watch)?;
    let out: Box<dyn Rows> = match output {
        Output::Csv => Box::new(Csv::new(out, &understood.layout)?),
        output => typed::of(output, out, &table, &understood.plans)?,
    };
    rows(&input, &understood, options, out, watch)?;
    Ok(table)
}

/// A table that was read, of which the rows can be asked again.
pub struct Again<'a> {
    input: &'a Input<'a>,
    understood: &'a Understood,
    options: &'a ReadOptions,
}

impl Again<'_> {
    /// Takes the cells of a column by row, as they were written; those without a value are empty.
    ///
    /// # Errors
    ///
    /// Those of [`super::read()`].
    pub fn each(&self, column: usize, take: &mut dyn FnMut(&str)) -> Result<(), AnalysisError> {
        struct One<'t>(usize, &'t mut dyn FnMut(&str));
        impl Rows for One<'_> {
            fn is_typed(&self) -> bool {
                true
            }

            fn row(&mut self, cells: &[&str]) -> Result<(), AnalysisError> {
                let cell = cells.get(self.0).copied().unwrap_or_default();
                let there = !word::missing(cell) && !word::none(cell);
                (self.1)(if there { cell.trim() } else { "" });
                Ok(())
            }

            fn finish(self: Box<Self>) -> Result<(), AnalysisError> {
                Ok(())
            }
        }
        let out = Box::new(One(column, take));
        rows(self.input, self.understood, self.options, out, self.input.watch)
    }
}

/// Reads a table, and hands it on together with its rows.
///
/// # Errors
///
/// Those of [`super::read()`], and those of `then`.
pub fn read_then<T>(
    source: Source,
    options: &ReadOptions,
    watch: &dyn Watch,
    then: impl FnOnce(Table, &Again) -> Result<T, AnalysisError>,
) -> Result<T, AnalysisError> {
    let input = Input::open(source, options, watch)?;
    let (table, understood) = understand(&input, options, watch)?;
    then(table, &Again { input: &input, understood: &understood, options })
}

/// Hands out all rows once more.
fn rows<'a>(
    input: &Input,
    understood: &'a Understood,
    options: &ReadOptions,
    out: Box<dyn Rows + 'a>,
    watch: &dyn Watch,
) -> Result<(), AnalysisError> {
    let Understood { encoding, sample, dialect, layout, .. } = understood;
    let mut sheet =
        Sheet { out, layout, mender: Mender::new(&layout.guards, *dialect), failed: None };
    let chunks = Chunks::new(layout.text(sample, input, encoding)?, *dialect, options.chunk);
    let mut chunks = chunks.without_footers(layout.open_end(), layout.last);
    chunks.skip(layout.skip)?;
    let mut chunk = Chunk::default();
    while sheet.failed.is_none() && chunks.next(&mut chunk)? {
        watch.check()?;
        let text = String::from_utf8_lossy(&chunk.bytes);
        sheet.mender = Mender::new(&layout.guards, *dialect);
        records::split(&text, *dialect, &mut sheet);
    }
    match sheet.failed {
        Some(error) => Err(error),
        None => sheet.out.finish(),
    }
}

const WRITING: &str = "writing the table";

/// What takes rows.
trait Rows {
    /// Whether cells are to be typed: then some are without their signs.
    fn is_typed(&self) -> bool;

    /// Takes a row of as many cells as there are columns.
    fn row(&mut self, cells: &[&str]) -> Result<(), AnalysisError>;

    /// Writes what is left.
    fn finish(self: Box<Self>) -> Result<(), AnalysisError>;
}

struct Csv<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> Csv<'a> {
    fn new(out: &'a mut dyn Write, layout: &Layout) -> Result<Self, AnalysisError> {
        let mut csv = Self(csv::WriterBuilder::new().flexible(false).from_writer(out));
        if layout.header {
            let names: Vec<&str> = layout.names.iter().map(String::as_str).collect();
            csv.row(&names)?;
        }
        Ok(csv)
    }
}

impl Rows for Csv<'_> {
    fn is_typed(&self) -> bool {
        false
    }

    fn row(&mut self, cells: &[&str]) -> Result<(), AnalysisError> {
        self.0.write_record(cells).map_err(|error| io(WRITING)(error.into()))
    }

    fn finish(mut self: Box<Self>) -> Result<(), AnalysisError> {
        self.0.flush().map_err(io(WRITING))
    }
}

/// The rows of a text.
struct Sheet<'a> {
    out: Box<dyn Rows + 'a>,
    layout: &'a Layout,
    mender: Mender<'a>,
    failed: Option<AnalysisError>,
}

impl Sink for Sheet<'_> {
    fn record(&mut self, record: &Record) -> bool {
        let width = self.layout.names.len();
        if width > 1 && !self.layout.plain && record.is_empty() {
            return true;
        }
        let good = record.len() == width && !record.wrong;
        if width > 1 && !good && record.is_comment() {
            return true;
        }
        let typed = self.out.is_typed();
        let mended = if good { None } else { self.mender.mend(record) };
        let cells: Vec<&str> = match &mended {
            Some(mended) => {
                let cells = mended.cells.iter().map(|cell| match &cell.bare {
                    Some(bare) if typed => bare.as_str(),
                    _ => cell.text.as_str(),
                });
                cells.collect()
            }
            None => (0..width).map(|column| record.field(column)).collect(),
        };
        self.failed = self.out.row(&cells).err();
        self.failed.is_none()
    }
}
