//! OpenDocument spreadsheets (.ods), read element by element: `calamine` holds every cell of every
//! sheet at once, repeated ones too, and does not tell percent and currencies. (OASIS OpenDocument
//! 1.3, part 3, sections 9.1 and 19.385.)

use std::collections::HashSet;
use std::io::{BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::shown::Look;
use super::{Book, damaged};
use crate::AnalysisError;
use crate::read::convert::rows::Rows;
use crate::read::source::Seekable;

/// Rows of the longest sheet.
const ROWS: u64 = 1 << 20;
/// Spaces of one element.
const SPACES: usize = 1000;

pub(super) struct Open {
    zip: zip::ZipArchive<Seekable>,
    sheets: Vec<(String, bool)>,
}

impl Open {
    pub fn open(file: Seekable) -> Result<Self, AnalysisError> {
        let mut zip = zip::ZipArchive::new(file).map_err(damaged)?;
        let mut manifest = String::new();
        if let Ok(entry) = zip.by_name("META-INF/manifest.xml") {
            entry.take(ENTRIES).read_to_string(&mut manifest).map_err(damaged)?;
        }
        if manifest.contains("encryption-data") {
            return Err(AnalysisError::BadInput(crate::wrong::encrypted()));
        }
        let mut open = Self { zip, sheets: Vec::new() };
        open.sheets = open.named()?;
        Ok(open)
    }

    fn xml(&mut self) -> Result<Reader<BufReader<impl Read + '_>>, AnalysisError> {
        let content = self.zip.by_name("content.xml").map_err(damaged)?;
        let mut reader = Reader::from_reader(BufReader::with_capacity(1 << 17, content));
        reader.config_mut().expand_empty_elements = true;
        Ok(reader)
    }

    /// The names of the sheets, and whether they are shown.
    fn named(&mut self) -> Result<Vec<(String, bool)>, AnalysisError> {
        let mut xml = self.xml()?;
        let (mut bytes, mut sheets) = (Vec::new(), Vec::new());
        let (mut style, mut hidden) = (String::new(), HashSet::new());
        loop {
            bytes.clear();
            match xml.read_event_into(&mut bytes).map_err(damaged)? {
                Event::Start(e) => match e.name().as_ref() {
                    "style:style" => style = attribute(&e, "style:name")?.unwrap_or_default(),
                    "style:table-properties" => {
                        if attribute(&e, "table:display")?.as_deref() == Some("false") {
                            hidden.insert(style.clone());
                        }
                    }
                    "table:table" => {
                        let name = attribute(&e, "table:name")?.unwrap_or_default();
                        let style = attribute(&e, "table:style-name")?.unwrap_or_default();
                        sheets.push((name, !hidden.contains(&style)));
                    }
                    _ => {}
                },
                Event::Eof => return Ok(sheets),
                _ => {}
            }
        }
    }
}

/// Bytes of the list of files.
const ENTRIES: u64 = 16 << 20;

impl Book for Open {
    fn sheets(&self) -> Vec<(String, bool)> {
        self.sheets.clone()
    }

    fn fill(&mut self, at: usize, rows: &mut Rows) -> Result<(), AnalysisError> {
        let mut xml = self.xml()?;
        let (mut bytes, mut sheet, mut inside) = (Vec::new(), 0, false);
        let mut row = 0;
        loop {
            bytes.clear();
            match xml.read_event_into(&mut bytes).map_err(damaged)? {
                Event::Start(e) if e.name().as_ref() == "table:table" => {
                    inside = sheet == at;
                    sheet += 1;
                }
                Event::End(e) if e.name().as_ref() == "table:table" && inside => return Ok(()),
                Event::Start(e) if inside && e.name().as_ref() == "table:table-row" => {
                    let times = number(&e, "table:number-rows-repeated")?.unwrap_or(1);
                    let cells = line(&mut xml)?;
                    let times = times.min(ROWS.saturating_sub(row));
                    // Empty rows down to the last of a sheet say nothing.
                    if cells.iter().any(|cell| !cell.text.is_empty()) {
                        for again in 0..times {
                            put(rows, row + again, &cells)?;
                        }
                    }
                    row += times;
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }
}

/// A cell that is there.
struct Cell {
    column: usize,
    text: String,
    /// How many columns show it, and how many rows.
    times: usize,
    down: u64,
}

fn put(rows: &mut Rows, row: u64, cells: &[Cell]) -> Result<(), AnalysisError> {
    for cell in cells {
        rows.span(cell.column, row, row + cell.down - 1);
        for again in 0..cell.times {
            rows.cell(row, cell.column + again, cell.text.clone())?;
        }
    }
    Ok(())
}

/// The cells of a row that have a value.
fn line<R: Read>(xml: &mut Reader<BufReader<R>>) -> Result<Vec<Cell>, AnalysisError> {
    let (mut bytes, mut cells, mut column) = (Vec::new(), Vec::new(), 0_usize);
    loop {
        bytes.clear();
        match xml.read_event_into(&mut bytes).map_err(damaged)? {
            Event::Start(e) => {
                let name = e.name().as_ref().to_owned();
                if name != "table:table-cell" && name != "table:covered-table-cell" {
                    continue;
                }
                let times = number(&e, "table:number-columns-repeated")?.unwrap_or(1) as usize;
                let down = number(&e, "table:number-rows-spanned")?.unwrap_or(1).clamp(1, ROWS);
                let value = Value::of(&e)?;
                let shown = text(xml, &name)?;
                let text = value.shown(shown);
                // What is covered by another cell is not seen.
                if !text.is_empty() && name == "table:table-cell" {
                    cells.push(Cell { column, text, times, down });
                }
                column = column.saturating_add(times);
            }
            Event::End(e) if e.name().as_ref() == "table:table-row" => return Ok(cells),
            Event::Eof => return Ok(cells),
            _ => {}
        }
    }
}

/// What a cell is, beside what it shows.
enum Value {
    Number(f64),
    Percent(f64),
    Money(f64, String),
    /// A day or a time, as ISO 8601 says it.
    Time(String),
    Truth(String),
    Text,
}

impl Value {
    fn of(e: &BytesStart) -> Result<Self, AnalysisError> {
        let value = |name| attribute(e, name);
        let number = || Ok::<_, AnalysisError>(value("office:value")?.and_then(|v| v.parse().ok()));
        Ok(match value("office:value-type")?.as_deref() {
            Some("float") => number()?.map_or(Self::Text, Self::Number),
            Some("percentage") => number()?.map_or(Self::Text, Self::Percent),
            Some("currency") => {
                let sign = value("office:currency")?.unwrap_or_default();
                number()?.map_or(Self::Text, |number| Self::Money(number, sign))
            }
            Some("date") => value("office:date-value")?.map_or(Self::Text, Self::Time),
            Some("time") => value("office:time-value")?
                .and_then(|time| clock(&time))
                .map_or(Self::Text, Self::Time),
            Some("boolean") => value("office:boolean-value")?.map_or(Self::Text, Self::Truth),
            _ => Self::Text,
        })
    }

    /// The cell as it is shown: numbers with all their digits, and without the marks between
    /// thousands and the decimal signs of a country.
    fn shown(self, text: String) -> String {
        match self {
            Self::Number(number) => {
                let code = text.len() > 1 && text.starts_with('0');
                let code = code && text.bytes().all(|byte| byte.is_ascii_digit());
                if code { text } else { Look::General.number(number) }
            }
            Self::Percent(number) => Look::Percent(places(&text)).number(number),
            Self::Money(number, code) => {
                let gap = if code.is_empty() { "" } else { " " };
                format!("{code}{gap}{}", Look::Number(places(&text)).number(number))
            }
            Self::Time(time) => time.replace('T', " "),
            Self::Truth(truth) => truth.to_uppercase(),
            Self::Text => text,
        }
    }
}

/// How many places a number shows; three are rather thousands.
fn places(text: &str) -> usize {
    let Some((_, rest)) = text.rsplit_once(['.', ',']) else { return 0 };
    let places = rest.bytes().take_while(u8::is_ascii_digit).count();
    if places == 3 { 0 } else { places }
}

/// `PT09H05M30.5S` as hours, minutes and seconds.
fn clock(time: &str) -> Option<String> {
    let (sign, time) = time.strip_prefix('-').map_or(("", time), |time| ("-", time));
    let mut rest = time.strip_prefix("PT")?;
    let mut part = |unit: char| {
        let (number, after) = rest.split_once(unit).unwrap_or(("0", rest));
        rest = after;
        number.to_owned()
    };
    let (hours, minutes, seconds) = (part('H'), part('M'), part('S'));
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((&seconds, ""));
    let whole: u64 = whole.parse().ok()?;
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{hours:02}:{minutes:02}:{whole:02}{point}{fraction}"))
}

/// The text of a cell up to its end; not that of remarks on it.
fn text<R: Read>(xml: &mut Reader<BufReader<R>>, end: &str) -> Result<String, AnalysisError> {
    let (mut bytes, mut text) = (Vec::new(), String::new());
    let (mut aside, mut paragraphs) = (0_usize, 0_usize);
    loop {
        bytes.clear();
        let event = xml.read_event_into(&mut bytes).map_err(damaged)?;
        match event {
            Event::Start(e) => match e.name().as_ref() {
                "office:annotation" | "draw:frame" | "draw:custom-shape" => aside += 1,
                _ if aside > 0 => {}
                "text:p" => {
                    if paragraphs > 0 {
                        text.push('\n');
                    }
                    paragraphs += 1;
                }
                "text:s" => {
                    let count = number(&e, "text:c")?.unwrap_or(1) as usize;
                    text.extend(std::iter::repeat_n(' ', count.min(SPACES)));
                }
                "text:tab" => text.push('\t'),
                "text:line-break" => text.push('\n'),
                _ => {}
            },
            Event::End(e) => match e.name().as_ref() {
                "office:annotation" | "draw:frame" | "draw:custom-shape" => {
                    aside = aside.saturating_sub(1);
                }
                name if name == end => return Ok(text),
                _ => {}
            },
            // Line ends and indents between elements are no text.
            Event::Text(piece) if aside == 0 && paragraphs > 0 => {
                text.push_str(&piece.xml10_content());
            }
            Event::GeneralRef(entity) if aside == 0 => match entity.resolve_char_ref() {
                Ok(Some(c)) => text.push(c),
                _ => text.push_str(resolve_xml_entity(&entity).unwrap_or_default()),
            },
            Event::Eof => return Err(damaged("it breaks off")),
            _ => {}
        }
    }
}

fn attribute(e: &BytesStart, name: &str) -> Result<Option<String>, AnalysisError> {
    for attribute in e.attributes().with_checks(false) {
        let attribute = attribute.map_err(damaged)?;
        if attribute.key.as_ref() == name {
            return Ok(Some(
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(damaged)?.into_owned(),
            ));
        }
    }
    Ok(None)
}

fn number(e: &BytesStart, name: &str) -> Result<Option<u64>, AnalysisError> {
    attribute(e, name)?.map(|text| text.parse().map_err(damaged)).transpose()
}
