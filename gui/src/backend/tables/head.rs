//! A look at the beginning of a table, with the reader of the analysis; and the whole of it, written clean.

use std::{
    fs::File,
    io::{Cursor, Read as _},
    path::PathBuf,
};

use potluck::say::{Reason, Say as _};
use potluck_analysis::{
    AnalysisError, Unwatched,
    read::{self, Output, ReadOptions},
    table::{Format, Kind, Note, Table},
};

use super::{CELL, short};
use crate::backend::files::{Source, Unread};

/// Bytes of the beginning that are looked at: the reader decides by as many.
const HEAD: u64 = 256 << 10;
/// Rows of it that show.
const ROWS: usize = 12;
/// Columns of it that show.
const COLUMNS: usize = 40;
/// What begins like this is packed, and half of it cannot be read: gzip, zstd, zip (workbooks), old Office, Parquet,
/// Arrow.
const PACKED: [&[u8]; 6] = [
    &[0x1f, 0x8b],
    &[0x28, 0xb5, 0x2f, 0xfd],
    b"PK\x03\x04",
    &[0xd0, 0xcf, 0x11, 0xe0],
    b"PAR1",
    b"ARROW1",
];
/// Of these so many bytes are looked at as a whole.
const SMALL: u64 = 8 << 20;

/// How a table is read, where the person knows better than what is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// A label as of the WHATWG Encoding Standard.
    pub encoding: Option<String>,
    /// Between fields.
    pub delimiter: Option<char>,
    /// Around fields.
    pub quote: Option<char>,
    /// Before quotes that belong to a field.
    pub escape: Option<char>,
    /// Lines of the header; 0 for none.
    pub header_lines: Option<u64>,
    /// Lines above the header.
    pub skip_lines: Option<u64>,
    /// Which of several tables.
    pub table: Option<u64>,
    /// Of a workbook, which sheet.
    pub sheet: Option<String>,
    /// The order of day and month: `dmy` or `mdy`.
    pub dates: Option<&'static str>,
}

/// The beginning of a table, as it is understood here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// Bytes of the file.
    pub bytes: u64,
    /// What was understood; `None` where only the whole file says it.
    pub seen: Option<Seen>,
}

/// What was understood of the beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What kind of file it is.
    pub format: Format,
    /// Of a workbook, the sheet that was read, and all of them as far as they are known.
    pub sheets: Vec<String>,
    pub sheet: Option<String>,
    /// Such as `UTF-8`.
    pub encoding: String,
    /// Between fields.
    pub delimiter: char,
    /// Lines of the header.
    pub header_lines: u64,
    /// Lines above it that were left out.
    pub titles: u64,
    /// How many tables the file has, as far as was looked.
    pub tables: u64,
    /// Names and kinds of the first columns.
    pub columns: Vec<(String, Kind)>,
    /// How many columns there are.
    pub width: usize,
    /// The first rows.
    pub rows: Vec<Vec<String>>,
}

/// Looks at the beginning of a table.
pub async fn look(source: Source, reading: Reading) -> Result<Head, Unread> {
    let looked = tokio::task::spawn_blocking(move || head(&source, &reading));
    looked.await.map_err(|error| Unread::Unreadable(error.to_string()))?
}

fn head(source: &Source, reading: &Reading) -> Result<Head, Unread> {
    let (start, bytes) = beginning(source)?;
    let whole = bytes <= start.len() as u64;
    if !whole && PACKED.iter().any(|packed| start.starts_with(packed)) {
        return Ok(Head { bytes, seen: None });
    }
    let mut clean = Vec::new();
    let stream = read::Source::Stream(Box::new(Cursor::new(start)));
    let table =
        match read::clean(stream, &options(reading, source), Output::Csv, &mut clean, &Unwatched) {
            Ok(table) => table,
            // Of half a file, only the whole says whether it is none.
            Err(_) if !whole => return Ok(Head { bytes, seen: None }),
            Err(error @ (AnalysisError::BadInput(_) | AnalysisError::BadOption(_))) => {
                return Err(Unread::NotIt(error.to_string()));
            }
            Err(error) => return Err(Unread::Unreadable(error.to_string())),
        };
    Ok(Head { bytes, seen: Some(seen(&table, &clean, whole, reading)) })
}

/// The first bytes, and how many there are in all.
fn beginning(source: &Source) -> Result<(Vec<u8>, u64), Unread> {
    let failed = |error: std::io::Error| Unread::Unreadable(error.to_string());
    let path = match source {
        Source::Bytes(bytes) => return Ok((bytes.to_vec(), bytes.len() as u64)),
        Source::File(path) => path,
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    // A pipe or a device would never end.
    if !about.is_file() {
        return Err(Unread::NotIt(format!("{} is not a file", path.display())));
    }
    if about.len() == 0 {
        return Err(Unread::NotIt(format!("{} is empty", path.display())));
    }
    let mut start = Vec::new();
    let mut file = File::open(path).map_err(failed)?;
    file.by_ref().take(HEAD).read_to_end(&mut start).map_err(failed)?;
    if about.len() <= SMALL && PACKED.iter().any(|packed| start.starts_with(packed)) {
        file.take(SMALL).read_to_end(&mut start).map_err(failed)?;
    }
    Ok((start, about.len()))
}

fn options(reading: &Reading, source: &Source) -> ReadOptions {
    let reading = reading.clone();
    ReadOptions {
        name: Some(source.name("-")),
        encoding: reading.encoding,
        delimiter: reading.delimiter,
        quote: reading.quote,
        escape: reading.escape,
        header_lines: reading.header_lines,
        skip_lines: reading.skip_lines,
        table: reading.table,
        sheet: reading.sheet,
        dates: reading.dates.and_then(|order| order.parse().ok()),
        ..ReadOptions::default()
    }
}

fn seen(table: &Table, clean: &[u8], whole: bool, reading: &Reading) -> Seen {
    let mut header_lines = 1;
    let (mut titles, mut more) = (0, 0);
    let mut sheets: Vec<String> = table.sheet.iter().cloned().collect();
    for note in &table.notes {
        match note {
            Note::NoHeader => header_lines = 0,
            Note::HeaderLines(lines) => header_lines = *lines,
            Note::Titles(lines) => titles = *lines,
            Note::MoreTables(tables) => more = tables.len() as u64,
            Note::OtherSheets { others, .. } => sheets.extend(others.iter().cloned()),
            _ => {}
        }
    }
    let columns = table.columns.iter().take(COLUMNS);
    let mut rows = rows(clean, header_lines > 0);
    // The last row of half a file is half a row.
    if !whole && rows.len() <= ROWS {
        rows.pop();
    }
    rows.truncate(ROWS);
    Seen {
        format: table.format,
        sheets,
        sheet: table.sheet.clone(),
        encoding: table.encoding.clone(),
        delimiter: table.delimiter,
        header_lines,
        titles,
        tables: reading.table.unwrap_or(1) + more,
        columns: columns.map(|column| (short(&column.name, CELL), column.kind)).collect(),
        width: table.columns.len(),
        rows,
    }
}

/// The first rows of a clean table, one more than show.
fn rows(clean: &[u8], header: bool) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(clean);
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    let most = ROWS + 1 + usize::from(header);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => {
                let full = std::mem::take(&mut cell);
                if row.len() < COLUMNS {
                    row.push(short(&full, CELL));
                }
                if letter == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
                if rows.len() == most {
                    break;
                }
            }
            letter => cell.push(letter),
        }
    }
    if header && !rows.is_empty() {
        rows.remove(0);
    }
    rows
}

/// Writes the table as it is understood: CSV with one line of names, or by the ending of the file. Read on this computer: what is written is as
/// large as what is read.
pub async fn clean(source: Source, reading: Reading, to: PathBuf) -> Result<PathBuf, Reason> {
    let written = tokio::task::spawn_blocking(move || {
        let to = std::path::absolute(to).map_err(|error| error.reason())?;
        if source == Source::File(to.clone()) {
            return Err("this is the table itself".into());
        }
        let output = Output::of(&to).unwrap_or(Output::Csv);
        let folder = to.parent().unwrap_or(&to);
        let mut kept = tempfile::NamedTempFile::new_in(folder).map_err(|error| error.reason())?;
        let from = match &source {
            Source::File(path) => read::Source::File(path.clone()),
            Source::Bytes(bytes) => read::Source::Stream(Box::new(Cursor::new(bytes.clone()))),
        };
        let mut writer = std::io::BufWriter::new(&mut kept);
        read::clean(from, &options(&reading, &source), output, &mut writer, &Unwatched)
            .map_err(|error| error.reason())?;
        std::io::Write::flush(&mut writer).map_err(|error| error.reason())?;
        drop(writer);
        kept.as_file().sync_all().map_err(|error| error.reason())?;
        kept.persist(&to).map_err(|error| error.to_string())?;
        Ok(to)
    });
    written.await.map_err(|error| error.to_string())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Source {
        Source::Bytes(text.as_bytes().into())
    }

    #[tokio::test]
    async fn the_beginning_is_read_as_the_whole_would_be() {
        let text = "成绩单\n姓名;分数;日期\n\"李, 文博\";98,5;2026-01-03\n王浩然;77,0;2026-01-04\n";
        let head = look(bytes(text), Reading::default()).await.unwrap();
        let seen = head.seen.unwrap();
        assert_eq!((seen.delimiter, seen.titles, seen.header_lines), (';', 1, 1));
        let names: Vec<_> = seen.columns.iter().map(|(name, kind)| (&name[..], *kind)).collect();
        assert_eq!(names, [("姓名", Kind::Text), ("分数", Kind::Number), ("日期", Kind::Date)]);
        assert_eq!(seen.rows[0], ["李, 文博", "98,5", "2026-01-03"]);
        // The person knows better.
        let none = Reading { header_lines: Some(0), skip_lines: Some(1), ..Reading::default() };
        let seen = look(bytes(text), none).await.unwrap().seen.unwrap();
        assert_eq!((seen.header_lines, seen.rows.len()), (0, 3));
    }

    #[tokio::test]
    async fn of_a_large_table_the_first_rows_show_whole() {
        let mut text = "a,b\n".to_owned();
        while (text.len() as u64) < HEAD * 2 {
            text += "12345,some words that fill the line\n";
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.csv");
        std::fs::write(&path, &text).unwrap();
        let head = look(Source::File(path), Reading::default()).await.unwrap();
        assert_eq!(head.bytes, text.len() as u64);
        let rows = head.seen.unwrap().rows;
        assert_eq!(rows.len(), ROWS);
        assert!(rows.iter().all(|row| row == &["12345", "some words that fill the line"]));
    }

    #[tokio::test]
    async fn what_is_no_table_is_told() {
        let page = bytes("<!DOCTYPE html><html><body>hello</body></html>");
        assert!(matches!(look(page, Reading::default()).await, Err(Unread::NotIt(_))));
        let missing = Source::File("/nowhere/at/all.csv".into());
        assert!(matches!(look(missing, Reading::default()).await, Err(Unread::Unreadable(_))));
        let folder = Source::File(std::env::temp_dir());
        assert!(matches!(look(folder, Reading::default()).await, Err(Unread::NotIt(_))));
        let unknown = Reading { encoding: Some("klingon".to_owned()), ..Reading::default() };
        assert!(look(bytes("a,b\n1,2\n"), unknown).await.is_err());
    }

    #[tokio::test]
    async fn a_clean_table_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("t.csv"), folder.path().join("clean.csv"));
        std::fs::write(&from, "title\n\na;b\n1;x\n\n2;y, z\n").unwrap();
        let source = Source::File(from.clone());
        clean(source.clone(), Reading::default(), to.clone()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "a,b\n1,x\n2,\"y, z\"\n");
        assert!(clean(source.clone(), Reading::default(), from.clone()).await.is_err());
        let nowhere = folder.path().join("missing/clean.csv");
        assert!(clean(source, Reading::default(), nowhere).await.is_err());
    }
}
