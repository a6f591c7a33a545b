//! Workbooks: which sheet is read, and its cells as a person saw them. `calamine` reads Excel; the
//! cells of OpenDocument say themselves what they show.

mod budget;
mod legacy;
mod open;
mod shown;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::rows::Rows;
use super::{Given, damaged};
use crate::read::ReadOptions;
use crate::read::source::{Input, Kept, Seekable};
use crate::table::{Format, Note};
use crate::{AnalysisError, wrong};
use shown::Look;

/// What a workbook is asked.
trait Book {
    /// Names of the sheets in their order, and whether they are shown.
    fn sheets(&self) -> Vec<(String, bool)>;

    /// Puts the cells of a sheet into rows.
    fn fill(&mut self, at: usize, rows: &mut Rows) -> Result<(), AnalysisError>;
}

pub(super) fn convert(
    input: &Input,
    format: Format,
    options: &ReadOptions,
) -> Result<((Kept, u64), Given), AnalysisError> {
    let mut file = input.seekable(options)?;
    match format {
        Format::Xls => read(&mut legacy::Legacy::open(file, options)?, input, format, options),
        Format::Ods => {
            budget::check(&mut file, input.watch, options)?;
            read(&mut open::Open::open(file)?, input, format, options)
        }
        _ => {
            budget::check(&mut file, input.watch, options)?;
            let book = Xlsx::new(file).map_err(wrong_book)?;
            read(&mut Excel(book), input, format, options)
        }
    }
}

/// The sheet that was asked for, or the first with a table.
fn read(
    book: &mut dyn Book,
    input: &Input,
    format: Format,
    options: &ReadOptions,
) -> Result<((Kept, u64), Given), AnalysisError> {
    let sheets = book.sheets();
    let mut best: Option<(usize, Rows)> = None;
    for at in candidates(&sheets, options)? {
        let mut rows = Rows::new(options, input.watch);
        book.fill(at, &mut rows)?;
        let next = rows.at() + 1;
        rows.next(next)?;
        let (table, filled) = (rows.is_table(), rows.filled_rows > 0);
        if table || (filled && best.is_none()) {
            best = Some((at, rows));
        }
        if table {
            break;
        }
    }
    let Some((at, rows)) = best else {
        return Err(AnalysisError::BadInput(match &options.sheet {
            Some(sheet) => wrong::empty_sheet(sheet.clone()),
            None => wrong::empty_book(),
        }));
    };
    let name = sheets[at].0.clone();
    let others = sheets.iter().enumerate().filter(|(other, _)| *other != at);
    let others: Vec<String> = others.map(|(_, (name, _))| name.clone()).collect();
    let mut notes = Vec::new();
    if !others.is_empty() {
        notes.push(Note::OtherSheets { read: name.clone(), others });
    }
    Ok((rows.csv(None)?, Given { format, sheet: Some(name), columns: None, notes }))
}

/// The sheets that may be read, the likeliest first: hidden ones only when they are asked for.
fn candidates(
    sheets: &[(String, bool)],
    options: &ReadOptions,
) -> Result<Vec<usize>, AnalysisError> {
    let Some(wanted) = &options.sheet else {
        let shown = (0..sheets.len()).filter(|at| sheets[*at].1);
        return Ok(shown.collect());
    };
    let same = |name: &str| sheets.iter().position(|(sheet, _)| sheet == name);
    let alike =
        || sheets.iter().position(|(sheet, _)| sheet.to_lowercase() == wanted.to_lowercase());
    let number = || wanted.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < sheets.len());
    same(wanted).or_else(alike).or_else(number).map(|at| vec![at]).ok_or_else(|| {
        let names: Vec<&str> = sheets.iter().take(20).map(|(name, _)| name.as_str()).collect();
        AnalysisError::BadOption(wrong::no_sheet(wanted.clone(), names.join(", ")))
    })
}

/// An .xlsx, read cell by cell: what it says of its size is not believed.
struct Excel(Xlsx<Seekable>);

impl Book for Excel {
    fn sheets(&self) -> Vec<(String, bool)> {
        let sheets = &self.0.metadata().sheets;
        let table = |sheet: &calamine::Sheet| {
            sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
        };
        sheets.iter().map(|sheet| (sheet.name.clone(), table(sheet))).collect()
    }

    fn fill(&mut self, at: usize, rows: &mut Rows) -> Result<(), AnalysisError> {
        let sheet = &self.0.metadata().sheets[at];
        if sheet.typ != SheetType::WorkSheet {
            return Ok(());
        }
        let name = sheet.name.clone();
        for merged in self.0.merge_cells_by_sheet_name(&name).map_err(wrong_book)? {
            let ((top, left), (bottom, _)) = (merged.start, merged.end);
            rows.span(left as usize, u64::from(top), u64::from(bottom));
        }
        let mut cells = self.0.worksheet_cells_reader(&name).map_err(wrong_book)?;
        let code = |style: &calamine::Style| {
            style
                .number_format
                .as_ref()
                .map_or_else(String::new, |format| format.format_code.clone())
        };
        let looks: Vec<Look> = cells.styles().iter().map(|style| Look::of(&code(style))).collect();
        while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(wrong_book)? {
            let (row, column) = cell.get_position();
            let look = looks.get(style).unwrap_or(&Look::General);
            let text = match cell.get_value() {
                DataRef::Empty => continue,
                DataRef::Int(number) => look.number(*number as f64),
                DataRef::Float(number) => look.number(*number),
                DataRef::String(text) => text.clone(),
                DataRef::SharedString(text) => (*text).to_owned(),
                DataRef::Bool(truth) => truth.to_string().to_uppercase(),
                DataRef::DateTime(time) => look.time(time),
                DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
                DataRef::Error(error) => error.to_string(),
            };
            if !rows.cell(u64::from(row), column as usize, text)? {
                return Err(damaged("its rows are in disorder"));
            }
        }
        Ok(())
    }
}

fn wrong_book(error: XlsxError) -> AnalysisError {
    match error {
        XlsxError::Password => AnalysisError::BadInput(wrong::encrypted()),
        error => damaged(error),
    }
}
