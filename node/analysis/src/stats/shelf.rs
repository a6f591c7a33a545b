//! Where number columns wait between being described and being compared: in memory when all of
//! them fit, else on disk, to be loaded a few at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::sync::Mutex;

use crate::AnalysisError;
use crate::table::{Column, Values, Wholes};

/// Bytes moved at once between memory and disk.
const PIECE: usize = 256 * 1024;

/// One number column, by row.
pub(super) enum Kept {
    /// In memory.
    Here {
        /// NaN where there is no finite value.
        values: Vec<f64>,
        /// Index among the distinct values, [`super::runs::MISSING`] where there is none.
        codes: Vec<u32>,
    },
    /// Values are read again from the table; codes are in a temporary file.
    Away {
        /// Codes, 4 bytes each, little end first.
        codes: Mutex<File>,
        /// How many.
        rows: usize,
    },
}

impl Kept {
    /// Keeps a column, in memory or not.
    pub(super) fn new(
        values: Vec<f64>,
        codes: Vec<u32>,
        here: bool,
    ) -> Result<Self, AnalysisError> {
        if here {
            return Ok(Self::Here { values, codes });
        }
        let mut file = tempfile::tempfile().map_err(io)?;
        let mut bytes = Vec::with_capacity(PIECE);
        for piece in codes.chunks(PIECE / 4) {
            bytes.clear();
            bytes.extend(piece.iter().flat_map(|code| code.to_le_bytes()));
            file.write_all(&bytes).map_err(io)?;
        }
        Ok(Self::Away { codes: Mutex::new(file), rows: codes.len() })
    }

    /// The values; `column` is the one that was kept.
    pub(super) fn values(&self, column: &Column) -> Result<Cow<'_, [f64]>, AnalysisError> {
        match self {
            Self::Here { values, .. } => Ok(Cow::Borrowed(values)),
            Self::Away { .. } => Ok(Cow::Owned(finite(column.values()?))),
        }
    }

    /// The codes.
    pub(super) fn codes(&self) -> Result<Cow<'_, [u32]>, AnalysisError> {
        let (file, rows) = match self {
            Self::Here { codes, .. } => return Ok(Cow::Borrowed(codes)),
            Self::Away { codes, rows } => (codes, *rows),
        };
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.rewind().map_err(io)?;
        let mut codes = Vec::with_capacity(rows);
        let mut bytes = vec![0; PIECE];
        while codes.len() < rows {
            let piece = &mut bytes[..PIECE.min((rows - codes.len()) * 4)];
            file.read_exact(piece).map_err(io)?;
            let words = piece.as_chunks::<4>().0;
            codes.extend(words.iter().map(|&word| u32::from_le_bytes(word)));
        }
        Ok(Cow::Owned(codes))
    }
}

/// Numbers by row, NaN where there is no finite one.
pub(super) fn finite(values: Values) -> Vec<f64> {
    match values {
        Values::Integers(cells) => {
            // In the same memory: both are of 8 bytes.
            let real = |cell| if cell == Wholes::NONE { f64::NAN } else { cell as f64 };
            cells.into_inner().into_iter().map(real).collect()
        }
        Values::Numbers(mut cells) => {
            for cell in cells.iter_mut().filter(|cell| cell.is_infinite()) {
                *cell = f64::NAN;
            }
            cells
        }
        Values::Times(_) | Values::Texts => Vec::new(),
    }
}

fn io(source: std::io::Error) -> AnalysisError {
    AnalysisError::Io { what: "cannot keep columns aside in the temporary folder".into(), source }
}
