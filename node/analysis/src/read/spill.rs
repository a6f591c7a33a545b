//! What does not fit in memory: one unnamed temporary file for a table, in which everybody
//! appends and keeps extents of what is theirs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::io;
use crate::AnalysisError;

/// Where something lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub at: u64,
    pub len: u64,
}

/// The file; made when the first byte is written, gone when the last owner is.
#[derive(Clone)]
pub(super) struct Spill(Arc<Inner>);

struct Inner {
    folder: Option<PathBuf>,
    file: Mutex<Option<(File, u64)>>,
}

impl Spill {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { folder, file: Mutex::new(None) }))
    }

    /// Appends.
    pub fn write(&self, bytes: &[u8]) -> Result<Extent, AnalysisError> {
        let mut slot = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let file = unnamed(self.0.folder.as_deref()).map_err(io("making a temporary file"))?;
            *slot = Some((file, 0));
        }
        let (file, end) = slot.as_mut().ok_or_else(missing)?;
        file.seek(SeekFrom::Start(*end)).map_err(io("writing a temporary file"))?;
        file.write_all(bytes).map_err(io(
            "writing a temporary file (name a folder with more space, or allow more memory)",
        ))?;
        let extent = Extent { at: *end, len: bytes.len() as u64 };
        *end += extent.len;
        Ok(extent)
    }

    /// Appends what lies there to `out`.
    pub fn read(&self, extent: Extent, out: &mut Vec<u8>) -> Result<(), AnalysisError> {
        let mut slot = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, _) = slot.as_mut().ok_or_else(missing)?;
        file.seek(SeekFrom::Start(extent.at)).map_err(io("reading a temporary file"))?;
        let count =
            file.take(extent.len).read_to_end(out).map_err(io("reading a temporary file"))?;
        if count as u64 == extent.len { Ok(()) } else { Err(missing()) }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.0.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A temporary file without a name, so that nothing stays when the process dies.
pub(super) fn unnamed(folder: Option<&Path>) -> std::io::Result<File> {
    match folder {
        Some(folder) => tempfile::tempfile_in(folder),
        None => tempfile::tempfile(),
    }
}

fn missing() -> AnalysisError {
    let source = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    io("reading a temporary file")(source)
}
