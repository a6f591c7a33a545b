//! Files that are tables but no text: workbooks, Parquet, Arrow, JSON. Each is written as CSV first,
//! kept aside like a pipe, and the rest of the reader takes that. So they have the same titles, types
//! and alerts as text has, and no more memory.
//!
//! What a file is, its content says, not its name.

mod book;
mod frame;
mod json;
mod rows;

use std::io::{Read, Seek, SeekFrom};

use super::infer::Plan;
use super::source::{Input, Seekable};
use super::{ReadOptions, foreign, io};
use crate::table::{Format, Note};
use crate::{AnalysisError, Reason, wrong};

/// What is known of a content that was no text.
pub(super) struct Given {
    pub format: Format,
    /// Of a workbook, the sheet that was read.
    pub sheet: Option<String>,
    /// The kinds of the columns where the file says them. Then the first line has the names, and
    /// every other one is a row, also where it is blank.
    pub columns: Option<Vec<Option<Plan>>>,
    pub notes: Vec<Note>,
}

/// Bytes that show what a zip file or an old Office file is.
const DIRECTORY: u64 = 1 << 20;

/// Makes CSV of a content that is a table but no text; leaves all others as they are.
pub(super) fn convert(input: &mut Input, options: &ReadOptions) -> Result<(), AnalysisError> {
    let sample = input.sample()?;
    let Some(format) = format(&sample, input, options)? else {
        return match options.sheet {
            Some(_) => Err(AnalysisError::BadOption(wrong::no_workbook())),
            None => Ok(()),
        };
    };
    refuse_options(format, options)?;
    let converted = guarded(|| match format {
        Format::Text => Ok(None),
        Format::Xlsx | Format::Xls | Format::Ods => book::convert(input, format, options).map(Some),
        Format::Parquet | Format::Arrow => frame::convert(input, format, options).map(Some),
        Format::Json | Format::NdJson => json::convert(input, format, options).map(Some),
    })?;
    if let Some((kept, given)) = converted {
        input.become_csv(kept, given);
    }
    Ok(())
}

/// What the content is, where it is a table but no text.
fn format(
    sample: &[u8],
    input: &Input,
    options: &ReadOptions,
) -> Result<Option<Format>, AnalysisError> {
    const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    let refused = |what: fn() -> Reason| Err(AnalysisError::BadInput(what()));
    match sample {
        [b'P', b'K', 3, 4, ..] => zipped(&names(&mut input.seekable(options)?)?),
        sample if sample.starts_with(OLE) => ole(&around(&mut input.seekable(options)?)?),
        [b'P', b'A', b'R', b'1', ..] => Ok(Some(Format::Parquet)),
        [b'P', b'A', b'R', b'E', ..] => refused(wrong::encrypted),
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, ..] => Ok(Some(Format::Arrow)),
        // A stream begins with the length of its schema.
        [0xff, 0xff, 0xff, 0xff, _, _, 0, 0, ..] => Ok(Some(Format::Arrow)),
        [b'F', b'E', b'A', b'1', ..] => refused(wrong::old_feather),
        sample => Ok(json::format(sample, &input.name)),
    }
}

/// The names of the files in a zip file.
fn names(file: &mut Seekable) -> Result<Vec<String>, AnalysisError> {
    let damaged = |_| AnalysisError::BadInput(wrong::damaged_zip());
    let zip = zip::ZipArchive::new(file).map_err(damaged)?;
    Ok(zip.file_names().map(str::to_owned).collect())
}

fn zipped(names: &[String]) -> Result<Option<Format>, AnalysisError> {
    let has = |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    let what = if has("xl/workbook.xml") {
        return Ok(Some(Format::Xlsx));
    } else if has("content.xml") && has("mimetype") {
        return Ok(Some(Format::Ods));
    } else if has("xl/workbook.bin") {
        wrong::binary_workbook()
    } else if has("word/document.xml") || has("ppt/presentation.xml") {
        wrong::document()
    } else {
        wrong::zip()
    };
    Err(AnalysisError::BadInput(what))
}

/// The beginning and the end of a file, where its directory is.
fn around(file: &mut Seekable) -> Result<Vec<u8>, AnalysisError> {
    let mut bytes = Vec::new();
    let failed = || io("reading the input");
    file.by_ref().take(DIRECTORY).read_to_end(&mut bytes).map_err(failed())?;
    let end = file.seek(SeekFrom::End(0)).map_err(failed())?;
    let last = end.saturating_sub(DIRECTORY).max(bytes.len() as u64);
    file.seek(SeekFrom::Start(last)).map_err(failed())?;
    file.read_to_end(&mut bytes).map_err(failed())?;
    Ok(bytes)
}

fn ole(bytes: &[u8]) -> Result<Option<Format>, AnalysisError> {
    let has = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memchr::memmem::find(bytes, &wide).is_some()
    };
    let what = if has("EncryptedPackage") {
        wrong::encrypted()
    } else if ["Workbook", "WORKBOOK", "Book\0", "BOOK\0"].iter().any(|name| has(name)) {
        return Ok(Some(Format::Xls));
    } else {
        wrong::old_office()
    };
    Err(AnalysisError::BadInput(what))
}

/// Options that only text has.
fn refuse_options(format: Format, options: &ReadOptions) -> Result<(), AnalysisError> {
    let text = options.encoding.is_some()
        || options.delimiter.is_some()
        || options.quote.is_some()
        || options.escape.is_some();
    if text {
        return Err(AnalysisError::BadOption(wrong::option_of_text(format.name())));
    }
    let sheets = matches!(format, Format::Xlsx | Format::Xls | Format::Ods);
    if options.sheet.is_some() && !sheets {
        return Err(AnalysisError::BadOption(wrong::no_workbook()));
    }
    let lines = options.header.is_some()
        || options.header_lines.is_some()
        || options.skip_lines.is_some()
        || options.table.is_some();
    if lines && !sheets {
        return Err(AnalysisError::BadOption(wrong::option_of_lines(format.name())));
    }
    Ok(())
}

/// Decoders of others may panic on a damaged file: that is an error of the file.
fn guarded<T>(convert: impl FnOnce() -> Result<T, AnalysisError>) -> Result<T, AnalysisError> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(convert));
    done.unwrap_or_else(|_| Err(AnalysisError::BadInput(wrong::damaged("it breaks off inside"))))
}

/// A file that is not what it begins as.
fn damaged(error: impl std::fmt::Display) -> AnalysisError {
    let mut said = error.to_string();
    said.truncate(said.floor_char_boundary(foreign::SAID));
    AnalysisError::BadInput(wrong::damaged(&said))
}
