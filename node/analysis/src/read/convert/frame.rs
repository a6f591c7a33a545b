//! Parquet and Arrow, read by polars, a part after the other. The types are those of the file.

use std::fmt::Write as _;
use std::io::{Read, Seek, SeekFrom};

use planus::ReadAsRoot;
use polars::io::SerReader;
use polars::io::mmap::MmapBytesReader;
use polars::io::prelude::{ParallelStrategy, ParquetReader};
use polars::prelude::{AnyValue, DataType, PolarsError, Schema, SchemaExt, Series, TimeUnit};
use polars_arrow::io::ipc::format::ipc::{MessageHeaderRef, MessageRef, RecordBatchRef};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};

use super::rows::Csv;
use super::{Given, damaged};
use crate::read::infer::Plan;
use crate::read::layout::COLUMNS;
use crate::read::source::{Input, Kept, Seekable};
use crate::read::{ReadOptions, io, size, word};
use crate::stats::{clock, iso};
use crate::table::Format;
use crate::{AnalysisError, wrong};

/// Cells that are decoded at once, about, and rows.
const CELLS: usize = 2_000_000;
const ROWS: (usize, usize) = (1_000, 100_000);
/// Bytes that describe a part of an Arrow file, at most.
const MESSAGE: usize = 64 << 20;

pub(super) fn convert(
    input: &Input,
    format: Format,
    options: &ReadOptions,
) -> Result<((Kept, u64), Given), AnalysisError> {
    let mut table = Typed { csv: Csv::new(options, input.watch), columns: None, cells: Vec::new() };
    match (format, input.seekable(options)?) {
        (Format::Parquet, Seekable::File(file)) => table.parquet(file)?,
        (Format::Parquet, Seekable::Memory(bytes)) => table.parquet(bytes)?,
        (_, file) => table.arrow(file, options)?,
    }
    let Some(columns) = table.columns.filter(|columns| !columns.is_empty()) else {
        return Err(AnalysisError::BadInput(wrong::empty_table()));
    };
    let given = Given { format, sheet: None, columns: Some(columns), notes: Vec::new() };
    Ok((table.csv.kept(), given))
}

/// A table on its way to CSV.
struct Typed<'a> {
    csv: Csv<'a>,
    columns: Option<Vec<Option<Plan>>>,
    cells: Vec<String>,
}

impl Typed<'_> {
    fn parquet<R: MmapBytesReader>(&mut self, mut file: R) -> Result<(), AnalysisError> {
        let mut reader = ParquetReader::new(&mut file);
        let metadata = reader.get_metadata().map_err(wrong_file)?.clone();
        let schema = reader.schema().map_err(wrong_file)?;
        let schema = Schema::from_arrow_schema(&schema);
        let width = schema.len();
        if width > COLUMNS {
            return Err(AnalysisError::BadInput(wrong::many_fields(width, COLUMNS)));
        }
        let step = (CELLS / width.max(1)).clamp(ROWS.0, ROWS.1);
        self.take(
            schema.iter().map(|(name, kind)| Series::new_empty(name.clone(), kind)).collect(),
        )?;
        let mut at = 0;
        while at < metadata.num_rows {
            let mut reader = ParquetReader::new(&mut file)
                .with_slice(Some((at, step)))
                .read_parallel(ParallelStrategy::None);
            reader.set_metadata(metadata.clone());
            let part = reader.finish().map_err(wrong_file)?;
            if part.height() == 0 {
                return Err(damaged("it has fewer rows than it says"));
            }
            at += part.height();
            self.take(part.columns().iter().map(|c| c.as_materialized_series().clone()).collect())?;
        }
        Ok(())
    }

    /// A file is a stream between marks, and is read as one.
    fn arrow(&mut self, mut file: Seekable, options: &ReadOptions) -> Result<(), AnalysisError> {
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(damaged)?;
        let start = if start.starts_with(b"ARROW1") { 8 } else { 0 };
        check(&mut file, start, options)?;
        file.seek(SeekFrom::Start(start)).map_err(io("reading the input"))?;
        let metadata = read_stream_metadata(&mut file).map_err(wrong_file)?;
        let fields: Vec<_> = metadata.schema.iter_values().cloned().collect();
        if fields.len() > COLUMNS {
            return Err(AnalysisError::BadInput(wrong::many_fields(fields.len(), COLUMNS)));
        }
        let schema = Schema::from_arrow_schema(&metadata.schema);
        self.take(
            schema.iter().map(|(name, kind)| Series::new_empty(name.clone(), kind)).collect(),
        )?;
        for part in StreamReader::new(file, metadata, None) {
            let StreamState::Some(part) = part.map_err(wrong_file)? else { break };
            let arrays = part.into_arrays().into_iter().zip(&fields);
            let series = arrays.map(|(array, field)| Series::try_from((field, array)));
            self.take(series.collect::<Result<_, _>>().map_err(wrong_file)?)?;
        }
        Ok(())
    }

    /// Writes some rows; the names before the first of them.
    fn take(&mut self, series: Vec<Series>) -> Result<(), AnalysisError> {
        let mut flat = Vec::with_capacity(series.len());
        series.into_iter().try_for_each(|series| flatten(series, &mut flat))?;
        if self.columns.is_none() {
            self.columns = Some(flat.iter().map(|series| Some(plan(series.dtype()))).collect());
            self.cells = vec![String::new(); flat.len()];
            self.csv.row(flat.iter().map(|series| series.name().as_str()))?;
        }
        let rows = flat.first().map_or(0, Series::len);
        let flat: Vec<Series> = flat.into_iter().map(|series| series.rechunk()).collect();
        let mut columns: Vec<_> = flat.iter().map(Series::iter).collect();
        for _ in 0..rows {
            for (values, cell) in columns.iter_mut().zip(&mut self.cells) {
                cell.clear();
                values.next().iter().for_each(|value| show(value, cell));
            }
            self.csv.row(self.cells.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

/// The columns of a column of objects, and of those in it: `address.city`.
fn flatten(series: Series, flat: &mut Vec<Series>) -> Result<(), AnalysisError> {
    let DataType::Struct(_) = series.dtype() else {
        flat.push(series);
        return Ok(());
    };
    let inner = series.struct_().map_err(wrong_file)?.fields_as_series();
    for inner in inner {
        let name = format!("{}.{}", series.name(), inner.name());
        flatten(inner.with_name(name.into()), flat)?;
    }
    Ok(())
}

/// How the cells of a column are read that were written by [`show`].
fn plan(kind: &DataType) -> Plan {
    match kind {
        kind if kind.is_numeric() => Plan::Number { decimal: b'.', dashes: false },
        DataType::Boolean => match word::pair(["true", "false"].into_iter(), 0.0) {
            Some(pair) => Plan::Boolean { pair },
            None => Plan::Text,
        },
        DataType::Date | DataType::Datetime(..) => Plan::Time { day_first: false, compact: false },
        DataType::Time | DataType::Duration(_) => Plan::Clock,
        _ => Plan::Text,
    }
}

/// Writes a value as text has it.
fn show(value: &AnyValue, cell: &mut String) {
    // Writing to a text cannot fail.
    let _ = match value {
        AnyValue::Null => Ok(()),
        AnyValue::Float64(number) if number.is_nan() => Ok(()),
        AnyValue::Float32(number) if number.is_nan() => Ok(()),
        AnyValue::Float64(number) => write!(cell, "{number:?}"),
        AnyValue::Float32(number) => write!(cell, "{number:?}"),
        AnyValue::Date(days) => write!(cell, "{}", iso(i64::from(*days) * DAY, true)),
        AnyValue::Datetime(time, unit, _) => write!(cell, "{}", iso(micros(*time, *unit), false)),
        AnyValue::DatetimeOwned(time, unit, _) => {
            write!(cell, "{}", iso(micros(*time, *unit), false))
        }
        AnyValue::Time(nanos) => write!(cell, "{}", clock(nanos / 1000)),
        AnyValue::Duration(time, unit) => write!(cell, "{}", clock(micros(*time, *unit))),
        AnyValue::Binary(bytes) => write!(cell, "{}", String::from_utf8_lossy(bytes)),
        AnyValue::List(values) | AnyValue::Array(values, _) => list(values, cell),
        value => match value.get_str() {
            Some(text) => write!(cell, "{text}"),
            None => write!(cell, "{value}"),
        },
    };
}

const DAY: i64 = 86_400_000_000;

fn micros(time: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => time.div_euclid(1000),
        TimeUnit::Microseconds => time,
        TimeUnit::Milliseconds => time.saturating_mul(1000),
    }
}

fn list(values: &Series, cell: &mut String) -> std::fmt::Result {
    cell.push('[');
    for (at, value) in values.rechunk().iter().enumerate() {
        if at > 0 {
            cell.push_str(", ");
        }
        match value {
            AnyValue::Null => cell.push_str("null"),
            value => show(&value, cell),
        }
    }
    cell.push(']');
    Ok(())
}

/// Looks at what the parts of an Arrow file say of themselves before room is made for them: no part may
/// end beyond the file, or be larger than the memory once it is unpacked.
fn check(file: &mut Seekable, start: u64, options: &ReadOptions) -> Result<(), AnalysisError> {
    let failed = || io("reading the input");
    let end = file.seek(SeekFrom::End(0)).map_err(failed())?;
    let mut at = start;
    let mut message = Vec::new();
    while at + 8 <= end {
        file.seek(SeekFrom::Start(at)).map_err(failed())?;
        let mut head = [0; 8];
        file.read_exact(&mut head).map_err(failed())?;
        let marked = head[..4] == [0xff; 4];
        let long = if marked { &head[4..] } else { &head[..4] };
        let long = long.try_into().map_or(0, u32::from_le_bytes) as usize;
        if long == 0 {
            return Ok(());
        }
        at += if marked { 8 } else { 4 };
        if long > MESSAGE || at + long as u64 > end {
            return Err(damaged("a part of it ends beyond its end"));
        }
        file.seek(SeekFrom::Start(at)).map_err(failed())?;
        message.resize(long, 0);
        file.read_exact(&mut message).map_err(failed())?;
        at += long as u64;
        let parsed = MessageRef::read_as_root(&message).map_err(damaged)?;
        let body = parsed.body_length().map_err(damaged)?;
        let body = u64::try_from(body).map_err(damaged)?;
        if body > end - at {
            return Err(damaged("a part of it ends beyond its end"));
        }
        let batch = match parsed.header().map_err(damaged)? {
            Some(MessageHeaderRef::RecordBatch(batch)) => Some(batch),
            Some(MessageHeaderRef::DictionaryBatch(batch)) => batch.data().map_err(damaged)?,
            _ => None,
        };
        if let Some(batch) = batch {
            check_batch(file, batch, (at, body), options)?;
        }
        at += body;
    }
    Ok(())
}

fn check_batch(
    file: &mut Seekable,
    batch: RecordBatchRef,
    (at, body): (u64, u64),
    options: &ReadOptions,
) -> Result<(), AnalysisError> {
    let packed = batch.compression().map_err(damaged)?.is_some();
    let mut all = 0_u64;
    for buffer in batch.buffers().map_err(damaged)?.into_iter().flatten() {
        let offset = u64::try_from(buffer.offset()).map_err(damaged)?;
        let length = u64::try_from(buffer.length()).map_err(damaged)?;
        if offset.checked_add(length).is_none_or(|end| end > body) {
            return Err(damaged("a part of it ends beyond its end"));
        }
        let mut unpacked = length;
        if packed && length > 0 {
            let mut long = [0; 8];
            file.seek(SeekFrom::Start(at + offset)).map_err(io("reading the input"))?;
            file.read_exact(&mut long).map_err(damaged)?;
            // -1 says that it is not packed.
            unpacked = u64::try_from(i64::from_le_bytes(long)).unwrap_or(length);
        }
        all = all.saturating_add(unpacked);
    }
    let most = options.memory.saturating_mul(2);
    if all > most {
        return Err(AnalysisError::BadInput(wrong::large_part(size(all), size(most))));
    }
    Ok(())
}

fn wrong_file(error: PolarsError) -> AnalysisError {
    damaged(error)
}
