//! Files that people name.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{Failure, Kind, wrong};
use crate::say::Reason;

/// Says what can be said of a file before anybody is asked. Gives its absolute path: the running
/// node works in another folder.
pub(super) fn input_file(file: &Path) -> Result<PathBuf, Failure> {
    let bad = |reason: Reason| Failure::new(Kind::BadInput, reason);
    let meta = std::fs::metadata(file).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => bad(wrong::no_file(file)),
        io::ErrorKind::PermissionDenied => bad(wrong::denied(file)),
        _ => bad(wrong::unreadable(file, &e)),
    })?;
    if meta.is_dir() {
        return Err(bad(wrong::folder_of_files(file)));
    }
    if !meta.is_file() {
        return Err(bad(wrong::not_a_file(file)));
    }
    if meta.len() == 0 {
        return Err(bad(wrong::empty_file(file)));
    }
    std::fs::File::open(file).map_err(|e| bad(wrong::denied_why(file, &e)))?;
    std::path::absolute(file).map_err(|e| bad(wrong::unreadable(file, &e)))
}
