//! A table written clean, as it was understood: UTF-8, commas, one line of names, every cell as it
//! was written.

use std::io::Write;

use super::chunks::{Chunk, Chunks};
use super::layout::Layout;
use super::mend::Mender;
use super::records::{self, Record, Sink};
use super::source::{Input, Source};
use super::{ReadOptions, Understood, io, understand};
use crate::table::Table;
use crate::{AnalysisError, Watch};

/// Writes a table as CSV, and gives what was understood of it. Where the file has no header, no
/// names are written: they are not in the file.
///
/// # Errors
///
/// Those of [`super::read()`], and [`AnalysisError::Io`] where nothing can be written.
pub fn clean(
    source: Source,
    options: &ReadOptions,
    out: &mut dyn Write,
    watch: &dyn Watch,
) -> Result<Table, AnalysisError> {
    let input = Input::open(source, options, watch)?;
    let (table, understood) = understand(&input, options, watch)?;
    let Understood { encoding, sample, dialect, layout } = &understood;
    let mut sheet = Sheet {
        out: csv::WriterBuilder::new().flexible(false).from_writer(out),
        layout,
        mender: Mender::new(&layout.guards, *dialect),
        failed: None,
    };
    if layout.header {
        sheet.write(layout.names.iter().map(String::as_str));
    }
    let chunks = Chunks::new(layout.text(sample, &input, encoding)?, *dialect, options.chunk);
    let mut chunks = chunks.without_footers(layout.open_end());
    chunks.skip(layout.skip)?;
    let mut chunk = Chunk::default();
    while sheet.failed.is_none() && chunks.next(&mut chunk)? {
        let text = String::from_utf8_lossy(&chunk.bytes);
        sheet.mender = Mender::new(&layout.guards, *dialect);
        records::split(&text, *dialect, &mut sheet);
    }
    let flushed = sheet.out.flush();
    match sheet.failed {
        Some(error) => Err(io(WRITING)(error.into())),
        None => flushed.map_err(io(WRITING)).map(|()| table),
    }
}

const WRITING: &str = "writing the table";

/// Writes rows.
struct Sheet<'a> {
    out: csv::Writer<&'a mut dyn Write>,
    layout: &'a Layout,
    mender: Mender<'a>,
    failed: Option<csv::Error>,
}

impl Sheet<'_> {
    fn write<'c>(&mut self, cells: impl Iterator<Item = &'c str>) {
        self.failed = self.out.write_record(cells).err();
    }
}

impl Sink for Sheet<'_> {
    fn record(&mut self, record: &Record) -> bool {
        let width = self.layout.names.len();
        if width > 1 && record.is_empty() {
            return true;
        }
        let good = record.len() == width && !record.wrong;
        if width > 1 && !good && record.is_comment() {
            return true;
        }
        let mended = if good { None } else { self.mender.mend(record) };
        match mended {
            Some(mended) => self.write(mended.cells.iter().map(|cell| cell.text.as_str())),
            None => self.write((0..width).map(|column| record.field(column))),
        }
        self.failed.is_none()
    }
}
