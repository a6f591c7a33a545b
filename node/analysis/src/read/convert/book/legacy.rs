//! Old workbooks (.xls). `calamine` reads the cells; what their formats are, and how large the sheets
//! would become, their records say ([MS-XLS] 2.4: `Format`, `XF`, `BoundSheet8`, and the cells).

use std::collections::HashMap;
use std::io::Read;

use calamine::{Data, Reader, SheetType, SheetVisible, Xls, XlsError};

use super::shown::Look;
use super::{Book, damaged};
use crate::read::convert::rows::Rows;
use crate::read::source::Seekable;
use crate::read::{ReadOptions, size};
use crate::{AnalysisError, wrong};

/// Bytes of a cell in memory.
const CELL: u64 = 32;
/// Records.
const BOF: u16 = 0x0809;
const EOF: u16 = 0x000a;
const FORMAT: u16 = 0x041e;
const XF: u16 = 0x00e0;
const BOUND_SHEET: u16 = 0x0085;
/// Cells, one each: of formulas, numbers, texts, truths and errors, and blank ones.
const CELLS: &[u16] = &[0x0006, 0x0203, 0x027e, 0x00fd, 0x0204, 0x00d6, 0x0205, 0x0201];
const MANY_NUMBERS: u16 = 0x00bd;
const MANY_BLANKS: u16 = 0x00be;

pub(super) struct Legacy {
    book: Xls<Seekable>,
    looks: Vec<Look>,
    /// By sheet, row and column: the formats of cells that have one.
    styles: Vec<HashMap<(u32, u32), u16>>,
}

impl Legacy {
    pub fn open(mut file: Seekable, options: &ReadOptions) -> Result<Self, AnalysisError> {
        let mut bytes = Vec::new();
        {
            let mut whole = cfb::CompoundFile::open(&mut file).map_err(damaged)?;
            let path = ["/Workbook", "/Book"].into_iter().find(|path| whole.exists(path));
            let mut stream = whole.open_stream(path.unwrap_or("/Workbook")).map_err(damaged)?;
            stream.by_ref().take(options.memory + 1).read_to_end(&mut bytes).map_err(damaged)?;
        }
        if bytes.len() as u64 > options.memory {
            return Err(AnalysisError::BadInput(wrong::many_texts(size(options.memory))));
        }
        let records = Records::of(&bytes);
        let room = records.cells.saturating_mul(CELL);
        if room > options.memory.saturating_mul(2) {
            let most = size(options.memory.saturating_mul(2));
            return Err(AnalysisError::BadInput(wrong::large_part(size(room), most)));
        }
        drop(bytes);
        let book = Xls::new(file).map_err(|error| match error {
            XlsError::Password => AnalysisError::BadInput(wrong::encrypted()),
            error => damaged(error),
        })?;
        Ok(Self { book, looks: records.looks(), styles: records.styles })
    }
}

impl Book for Legacy {
    fn sheets(&self) -> Vec<(String, bool)> {
        let sheets = &self.book.metadata().sheets;
        let shown = |sheet: &calamine::Sheet| {
            sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet
        };
        sheets.iter().map(|sheet| (sheet.name.clone(), shown(sheet))).collect()
    }

    fn fill(&mut self, at: usize, rows: &mut Rows) -> Result<(), AnalysisError> {
        let name = self.book.metadata().sheets[at].name.clone();
        for merged in self.book.merge_cells_by_sheet_name(&name).map_err(damaged)? {
            let ((top, left), (bottom, _)) = (merged.start, merged.end);
            rows.span(left as usize, u64::from(top), u64::from(bottom));
        }
        let range = self.book.worksheet_range(&name).map_err(damaged)?;
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let (row, column) = (row as u32 + top, column as u32 + left);
            let style = self.styles.get(at).and_then(|styles| styles.get(&(row, column)));
            let look = style.and_then(|style| self.looks.get(usize::from(*style)));
            let text = shown(value, look.unwrap_or(&Look::General));
            rows.cell(u64::from(row), column as usize, text)?;
        }
        Ok(())
    }
}

fn shown(value: &Data, look: &Look) -> String {
    match value {
        Data::Empty => String::new(),
        Data::Int(number) => look.number(*number as f64),
        Data::Float(number) => look.number(*number),
        Data::String(text) => text.clone(),
        Data::Bool(truth) => truth.to_string().to_uppercase(),
        Data::DateTime(time) => look.time(time),
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
    }
}

/// What the records of a workbook say.
#[derive(Default)]
struct Records {
    formats: HashMap<u16, String>,
    /// Of each style, its format.
    xfs: Vec<u16>,
    styles: Vec<HashMap<(u32, u32), u16>>,
    /// Cells of all sheets, with the empty ones between them.
    cells: u64,
}

impl Records {
    fn of(bytes: &[u8]) -> Self {
        let mut records = Self::default();
        let mut sheets = Vec::new();
        let unicode = each(bytes, 0, |_, _| false).is_none_or(|version| version >= 0x0600);
        each(bytes, 0, |kind, data| {
            match kind {
                FORMAT => {
                    if let Some((id, code)) = format(data, unicode) {
                        records.formats.insert(id, code);
                    }
                }
                XF => records.xfs.push(word(data, 2)),
                BOUND_SHEET if data.len() >= 4 => {
                    sheets.push(u32::from(word(data, 0)) | u32::from(word(data, 2)) << 16);
                }
                EOF => return false,
                _ => {}
            }
            true
        });
        for start in sheets {
            records.sheet(bytes, start as usize);
        }
        records
    }

    fn sheet(&mut self, bytes: &[u8], start: usize) {
        let mut styles = HashMap::new();
        let (mut low, mut high) = ((u32::MAX, u32::MAX), (0, 0));
        // A sheet may have charts inside.
        let mut depth = 0;
        each(bytes, start, |kind, data| {
            match kind {
                BOF => depth += 1,
                EOF if depth <= 1 => return false,
                EOF => depth -= 1,
                _ => {}
            }
            let one = CELLS.contains(&kind);
            if depth > 1 || data.len() < 6 || !(one || matches!(kind, MANY_NUMBERS | MANY_BLANKS)) {
                return true;
            }
            let (row, first) = (u32::from(word(data, 0)), u32::from(word(data, 2)));
            let wide = if kind == MANY_NUMBERS { 6 } else { 2 };
            let count = if one { 1 } else { (data.len() - 6) / wide };
            for at in 0..count {
                let column = first + at as u32;
                low = (low.0.min(row), low.1.min(column));
                high = (high.0.max(row), high.1.max(column));
                let style = word(data, 4 + if one { 0 } else { at * wide });
                if kind != MANY_BLANKS && self.xfs.get(usize::from(style)).is_some_and(|f| *f != 0)
                {
                    styles.insert((row, column), style);
                }
            }
            true
        });
        if low.0 <= high.0 {
            self.cells += u64::from(high.0 - low.0 + 1) * u64::from(high.1 - low.1 + 1);
        }
        self.styles.push(styles);
    }

    /// Of each style, what it shows.
    fn looks(&self) -> Vec<Look> {
        let look = |id: &u16| {
            let code = self.formats.get(id).map(String::as_str).or_else(|| known(*id));
            code.map_or(Look::General, Look::of)
        };
        self.xfs.iter().map(look).collect()
    }
}

/// The formats that every workbook has (ECMA-376 part 1, 18.8.30), as far as they matter.
fn known(id: u16) -> Option<&'static str> {
    Some(match id {
        2 | 4 | 39 | 40 | 43 => "0.00",
        5 | 6 | 41 | 42 => "$0",
        7 | 8 | 44 => "$0.00",
        9 => "0%",
        10 => "0.00%",
        14..=17 => "yyyy-mm-dd",
        18..=21 | 45 | 47 => "h:mm:ss",
        22 => "yyyy-mm-dd h:mm",
        46 => "[h]:mm:ss",
        _ => return None,
    })
}

/// Every record from a place on, until `take` has enough; gives the version that the first one says.
fn each(bytes: &[u8], start: usize, mut take: impl FnMut(u16, &[u8]) -> bool) -> Option<u16> {
    let mut at = start;
    let mut version = None;
    while let Some(head) = bytes.get(at..at + 4) {
        let (kind, long) = (word(head, 0), usize::from(word(head, 2)));
        let data = bytes.get(at + 4..at + 4 + long)?;
        if version.is_none() && kind == BOF {
            version = Some(word(data, 0));
        }
        if !take(kind, data) {
            break;
        }
        at += 4 + long;
    }
    version
}

/// The number of a format and the format.
fn format(data: &[u8], unicode: bool) -> Option<(u16, String)> {
    let id = word(data, 0);
    if !unicode {
        return Some((id, data.get(3..)?.iter().map(|byte| char::from(*byte)).collect()));
    }
    let count = usize::from(word(data, 2));
    let wide = data.get(4)? & 1 == 1;
    let text = data.get(5..)?;
    let code = match wide {
        false => text.iter().take(count).map(|byte| char::from(*byte)).collect(),
        true => {
            let units = text.as_chunks::<2>().0.iter().take(count);
            char::decode_utf16(units.map(|two| u16::from_le_bytes(*two))).flatten().collect()
        }
    };
    Some((id, code))
}

fn word(data: &[u8], at: usize) -> u16 {
    data.get(at..at + 2).map_or(0, |two| u16::from(two[0]) | u16::from(two[1]) << 8)
}
