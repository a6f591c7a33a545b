//! Rows with the types of their columns: NDJSON, Parquet, Arrow. What does not fit its column is
//! missing there, as it is for the numbers.

use std::io::Write;

use polars::io::SerWriter;
use polars::io::ipc::{IpcCompression, IpcWriter};
use polars::io::prelude::ParquetWriter;
use polars::prelude::{
    CompatLevel, DataFrame, DataType, IntoColumn, NamedFrom, PolarsError, Schema, SchemaExt,
    Series, TimeUnit,
};
use polars_arrow::io::ipc::write::default_ipc_fields;
use serde_json::Value;

use super::{Output, Rows, WRITING};
use crate::AnalysisError;
use crate::read::infer::{ColumnPlan, Plan};
use crate::read::io;
use crate::read::number::{self, Number};
use crate::read::{time, word};
use crate::stats::{clock, iso};
use crate::table::{Kind, Table};

/// Cells that are kept until they are written, about, and rows.
const CELLS: usize = 2_000_000;
const ROWS: (usize, usize) = (1_000, 250_000);
const DAY: i64 = 86_400_000_000;

pub(super) fn of<'a>(
    output: Output,
    out: &'a mut dyn Write,
    table: &Table,
    plans: &[ColumnPlan],
) -> Result<Box<dyn Rows + 'a>, AnalysisError> {
    let columns = table.columns.iter().zip(plans);
    let columns: Vec<Typed> = columns
        .map(|(column, plan)| Typed {
            name: column.name.clone(),
            kind: column.kind,
            plan: plan.plan,
        })
        .collect();
    if output == Output::NdJson {
        return Ok(Box::new(Lines { out, columns }));
    }
    let schema: Schema =
        columns.iter().map(|column| (column.name.as_str().into(), column.kind())).collect();
    let writer: Box<dyn Frames + 'a> = match output {
        Output::Parquet => Box::new(ParquetWriter::new(out).batched(&schema).map_err(unwritten)?),
        _ => {
            // What older readers understand, too.
            let writer = IpcWriter::new(out)
                .with_compression(Some(IpcCompression::default()))
                .with_compat_level(CompatLevel::oldest());
            let fields = schema.to_arrow(CompatLevel::oldest());
            let fields = default_ipc_fields(fields.iter_values());
            Box::new(writer.batched(&schema, fields).map_err(unwritten)?)
        }
    };
    let most = (CELLS / columns.len().max(1)).clamp(ROWS.0, ROWS.1);
    let cells = columns.iter().map(|column| Cells::of(column.kind)).collect();
    Ok(Box::new(Batches { writer, columns, cells, rows: 0, most }))
}

/// A column.
struct Typed {
    name: String,
    kind: Kind,
    plan: Plan,
}

/// A cell with its type.
enum Cell<'a> {
    Missing,
    Number(Number),
    Truth(bool),
    /// Microseconds.
    Time(i64),
    Text(&'a str),
}

impl Typed {
    /// As it is counted when the table is read.
    fn cell<'a>(&self, text: &'a str) -> Cell<'a> {
        if word::missing(text) {
            return Cell::Missing;
        }
        match self.plan {
            Plan::Number { decimal, .. } => number::parse(text, decimal)
                .map_or(Cell::Missing, |written| Cell::Number(written.number)),
            Plan::Boolean { pair } => word::truth(text, pair).map_or(Cell::Missing, Cell::Truth),
            Plan::Time { day_first, compact } => {
                let short = if compact { time::compact(text) } else { None };
                let time = short.or_else(|| time::parse(text, day_first));
                time.map_or(Cell::Missing, |time| Cell::Time(time.micros))
            }
            Plan::Clock => time::elapsed(text).map_or(Cell::Missing, Cell::Time),
            Plan::Text if word::none(text) => Cell::Missing,
            Plan::Text => Cell::Text(text),
        }
    }

    fn kind(&self) -> DataType {
        match self.kind {
            Kind::Integer => DataType::Int64,
            Kind::Number => DataType::Float64,
            Kind::Boolean => DataType::Boolean,
            Kind::Date => DataType::Date,
            Kind::DateTime => DataType::Datetime(TimeUnit::Microseconds, None),
            Kind::Time => DataType::Time,
            Kind::Duration => DataType::Duration(TimeUnit::Microseconds),
            Kind::Text | Kind::Empty => DataType::String,
        }
    }
}

/// An object in each line.
struct Lines<'a> {
    out: &'a mut dyn Write,
    columns: Vec<Typed>,
}

impl Rows for Lines<'_> {
    fn is_typed(&self) -> bool {
        true
    }

    fn row(&mut self, cells: &[&str]) -> Result<(), AnalysisError> {
        let pairs = self.columns.iter().zip(cells).map(|(column, text)| {
            let value = match column.cell(text) {
                Cell::Missing => Value::Null,
                Cell::Number(Number::Integer(number)) if column.kind == Kind::Integer => {
                    Value::from(number)
                }
                // JSON has no infinity.
                Cell::Number(Number::Integer(number)) => Value::from(number as f64),
                Cell::Number(Number::Real(number)) => Value::from(number),
                Cell::Truth(truth) => Value::from(truth),
                Cell::Time(time) => Value::from(match column.kind {
                    Kind::Time | Kind::Duration => clock(time),
                    kind => iso(time, kind == Kind::Date),
                }),
                Cell::Text(text) => Value::from(text),
            };
            (column.name.clone(), value)
        });
        let mut line = object(pairs);
        line.push(b'\n');
        self.out.write_all(&line).map_err(io(WRITING))
    }

    fn finish(self: Box<Self>) -> Result<(), AnalysisError> {
        self.out.flush().map_err(io(WRITING))
    }
}

/// An object with its names in this order.
fn object(pairs: impl Iterator<Item = (String, Value)>) -> Vec<u8> {
    let mut line = vec![b'{'];
    for (at, (name, value)) in pairs.enumerate() {
        if at > 0 {
            line.push(b',');
        }
        line.extend(Value::from(name).to_string().into_bytes());
        line.push(b':');
        line.extend(value.to_string().into_bytes());
    }
    line.push(b'}');
    line
}

/// What takes some rows at once.
trait Frames {
    fn write(&mut self, frame: &DataFrame) -> Result<(), PolarsError>;
    fn finish(&mut self) -> Result<(), PolarsError>;
}

impl<W: Write> Frames for polars::io::parquet::write::BatchedWriter<W> {
    fn write(&mut self, frame: &DataFrame) -> Result<(), PolarsError> {
        self.write_batch(frame)
    }

    fn finish(&mut self) -> Result<(), PolarsError> {
        Self::finish(self).map(|_| ())
    }
}

impl<W: Write> Frames for polars::io::ipc::BatchedWriter<W> {
    fn write(&mut self, frame: &DataFrame) -> Result<(), PolarsError> {
        self.write_batch(frame)
    }

    fn finish(&mut self) -> Result<(), PolarsError> {
        Self::finish(self)
    }
}

/// Rows until there are enough for a part of a file.
struct Batches<'a> {
    writer: Box<dyn Frames + 'a>,
    columns: Vec<Typed>,
    cells: Vec<Cells>,
    rows: usize,
    most: usize,
}

/// Some cells of a column.
enum Cells {
    Whole(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    Truth(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
}

impl Cells {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer | Kind::Date | Kind::DateTime | Kind::Time | Kind::Duration => {
                Self::Whole(Vec::new())
            }
            Kind::Number => Self::Real(Vec::new()),
            Kind::Boolean => Self::Truth(Vec::new()),
            Kind::Text | Kind::Empty => Self::Text(Vec::new()),
        }
    }

    fn push(&mut self, cell: Cell) {
        match self {
            Self::Whole(cells) => cells.push(match cell {
                Cell::Number(Number::Integer(number)) => Some(number),
                Cell::Time(time) => Some(time),
                _ => None,
            }),
            Self::Real(cells) => cells.push(match cell {
                Cell::Number(Number::Integer(number)) => Some(number as f64),
                Cell::Number(Number::Real(number)) => Some(number),
                _ => None,
            }),
            Self::Truth(cells) => cells.push(match cell {
                Cell::Truth(truth) => Some(truth),
                _ => None,
            }),
            Self::Text(cells) => cells.push(match cell {
                Cell::Text(text) => Some(text.to_owned()),
                _ => None,
            }),
        }
    }

    /// The cells as polars has them; none are left.
    fn series(&mut self, column: &Typed) -> Result<Series, PolarsError> {
        let name = column.name.as_str().into();
        match self {
            Self::Whole(cells) => {
                let mut cells = std::mem::take(cells);
                if column.kind == Kind::Date {
                    cells.iter_mut().flatten().for_each(|time| *time = time.div_euclid(DAY));
                    return Series::new(name, cells).cast(&DataType::Int32)?.cast(&column.kind());
                }
                if column.kind == Kind::Time {
                    cells.iter_mut().flatten().for_each(|time| *time *= 1000);
                }
                Series::new(name, cells).cast(&column.kind())
            }
            Self::Real(cells) => Ok(Series::new(name, std::mem::take(cells))),
            Self::Truth(cells) => Ok(Series::new(name, std::mem::take(cells))),
            Self::Text(cells) => Ok(Series::new(name, std::mem::take(cells))),
        }
    }
}

impl Batches<'_> {
    fn flush(&mut self) -> Result<(), AnalysisError> {
        let pairs = self.cells.iter_mut().zip(&self.columns);
        let columns = pairs.map(|(cells, column)| Ok(cells.series(column)?.into_column()));
        let columns = columns.collect::<Result<Vec<_>, PolarsError>>().map_err(unwritten)?;
        let rows = std::mem::take(&mut self.rows);
        let frame = DataFrame::new(rows, columns).map_err(unwritten)?;
        self.writer.write(&frame).map_err(unwritten)
    }
}

impl Rows for Batches<'_> {
    fn is_typed(&self) -> bool {
        true
    }

    fn row(&mut self, cells: &[&str]) -> Result<(), AnalysisError> {
        for ((column, kept), text) in self.columns.iter().zip(&mut self.cells).zip(cells) {
            kept.push(column.cell(text));
        }
        self.rows += 1;
        if self.rows < self.most { Ok(()) } else { self.flush() }
    }

    fn finish(mut self: Box<Self>) -> Result<(), AnalysisError> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.finish().map_err(unwritten)
    }
}

fn unwritten(error: PolarsError) -> AnalysisError {
    io(WRITING)(std::io::Error::other(error.to_string()))
}
