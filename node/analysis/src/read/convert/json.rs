//! JSON that is a table: objects in lines (NDJSON), or an array of objects. Names of objects in
//! objects are joined with a point (`address.city`); lists stay JSON.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufReader, ErrorKind, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::rows::Rows;
use super::{Given, damaged};
use crate::read::ReadOptions;
use crate::read::layout::COLUMNS;
use crate::read::records::{FIELD, RECORD};
use crate::read::source::{Input, Kept, broken};
use crate::table::Format;
use crate::{AnalysisError, wrong};

/// Whether a text is such JSON, as far as its beginning shows. A single object is a table only
/// where the name says that there may be more.
pub(super) fn format(sample: &[u8], name: &str) -> Option<Format> {
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample).trim_ascii_start();
    let object = |text: &[u8]| {
        let inner = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        inner.is_some_and(|inner| matches!(inner.first(), Some(b'"' | b'}')))
    };
    if let Some(inner) = sample.strip_prefix(b"[") {
        return object(inner.trim_ascii_start()).then_some(Format::Json);
    }
    if !object(sample) {
        return None;
    }
    let mut first =
        serde_json::Deserializer::from_slice(sample).into_iter::<serde::de::IgnoredAny>();
    let whole = first.next().is_some_and(|value| value.is_ok());
    let rest = sample.get(first.byte_offset()..).unwrap_or_default().trim_ascii_start();
    let name = name.to_lowercase();
    let unpacked = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let lines = unpacked.ends_with(".ndjson") || unpacked.ends_with(".jsonl");
    (whole && (object(rest) || rest.is_empty() && lines)).then_some(Format::NdJson)
}

pub(super) fn convert(
    input: &Input,
    format: Format,
    options: &ReadOptions,
) -> Result<((Kept, u64), Given), AnalysisError> {
    let mut table = Objects {
        rows: Rows::new(options, input.watch),
        names: Vec::new(),
        columns: HashMap::new(),
        at: 0,
        failed: None,
    };
    let inner = input.reader()?;
    let reader = Bounded { inner, length: 0, depth: 0, inside: false, escaped: false };
    let mut reader = BufReader::with_capacity(1 << 18, reader);
    skip_mark(&mut reader)?;
    let mut json = serde_json::Deserializer::from_reader(reader);
    let parsed = match format {
        Format::Json => (&mut json).deserialize_seq(&mut table).and_then(|()| json.end()),
        _ => table.lines(json),
    };
    if let Some(failed) = table.failed {
        return Err(failed);
    }
    parsed.map_err(|error| match error.io_error_kind() {
        None | Some(ErrorKind::Other | ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            damaged(error)
        }
        Some(_) => broken(error.into()),
    })?;
    if table.names.is_empty() {
        return Err(AnalysisError::BadInput(wrong::empty_table()));
    }
    let columns = Some(vec![None; table.names.len()]);
    let csv = table.rows.csv(Some(&table.names))?;
    Ok((csv, Given { format, sheet: None, columns, notes: Vec::new() }))
}

/// Leaves out a byte order mark.
fn skip_mark(reader: &mut impl std::io::BufRead) -> Result<(), AnalysisError> {
    let start = reader.fill_buf().map_err(broken)?;
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(())
}

/// Objects that become rows.
struct Objects<'a> {
    rows: Rows<'a>,
    names: Vec<String>,
    columns: HashMap<String, usize>,
    at: u64,
    /// What is wrong beside the JSON itself.
    failed: Option<AnalysisError>,
}

impl Objects<'_> {
    fn lines<R: Read>(
        &mut self,
        mut json: serde_json::Deserializer<serde_json::de::IoRead<R>>,
    ) -> Result<(), serde_json::Error> {
        loop {
            match json.end() {
                Ok(()) => return Ok(()),
                Err(error) if error.is_io() => return Err(error),
                Err(_) => {
                    let row = Object { table: self, path: String::new() };
                    row.deserialize(&mut json)?;
                    self.next()?;
                }
            }
        }
    }

    fn next<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.at += 1;
        let done = self.rows.next(self.at);
        self.keep(done)
    }

    fn keep<T, E: serde::de::Error>(&mut self, done: Result<T, AnalysisError>) -> Result<T, E> {
        done.map_err(|error| {
            let said = error.to_string();
            self.failed = Some(error);
            E::custom(said)
        })
    }

    fn cell<E: serde::de::Error>(&mut self, name: &str, text: String) -> Result<(), E> {
        let column = match self.columns.get(name) {
            Some(column) => *column,
            None => {
                let column = self.names.len();
                if column >= COLUMNS {
                    let many = AnalysisError::BadInput(wrong::many_fields(column + 1, COLUMNS));
                    return self.keep(Err(many));
                }
                self.names.push(name.to_owned());
                self.columns.insert(name.to_owned(), column);
                column
            }
        };
        let done = self.rows.cell(self.at, column, text);
        self.keep(done).map(|_| ())
    }
}

impl<'de> Visitor<'de> for &mut Objects<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Object { table: self, path: String::new() })?.is_some() {
            self.next()?;
        }
        Ok(())
    }
}

/// An object, and the names of those around it.
struct Object<'t, 'a> {
    table: &'t mut Objects<'a>,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { name } else { format!("{}.{name}", self.path) };
            map.next_value_seed(Cell { table: self.table, path })?;
        }
        Ok(())
    }
}

/// A value of an object: a cell, or more of them.
struct Cell<'t, 'a> {
    table: &'t mut Objects<'a>,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Cell<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Object { table: self.table, path: self.path }.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut text = String::from("[");
        while let Some(value) = seq.next_element::<serde_json::Value>()? {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&value.to_string());
            if text.len() > FIELD {
                return Err(A::Error::custom("a list is longer than 1 MiB"));
            }
        }
        text.push(']');
        self.table.cell(&self.path, text)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.table.cell(&self.path, value.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.table.cell(&self.path, value.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.table.cell(&self.path, value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.table.cell(&self.path, value.to_string())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.table.cell(&self.path, value.to_owned())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.table.cell(&self.path, String::new())
    }
}

/// Ends where one object is longer than a row may be: the parser keeps its values whole.
struct Bounded<R> {
    inner: R,
    /// Bytes since the last object ended.
    length: usize,
    /// Objects and lists that are open.
    depth: usize,
    /// Whether a text is open, and whether what comes is a part of it.
    inside: bool,
    escaped: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for byte in &buffer[..count] {
            self.length += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.inside => self.escaped = true,
                b'"' => self.inside = !self.inside,
                _ if self.inside => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth <= 1 {
                        self.length = 0;
                    }
                }
                _ => {}
            }
        }
        if self.length > RECORD {
            return Err(std::io::Error::other("one object is longer than 16 MiB"));
        }
        Ok(count)
    }
}
