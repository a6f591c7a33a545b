//! Files that people name, and the language that they read.

use std::{
    io,
    path::{Path, PathBuf},
};

use potluck_i18n::Lang;

use super::{Failure, Kind};

/// Says what can be said of a file before anybody is asked. Gives its absolute path: the running
/// node works in another folder.
pub(super) fn input_file(file: &Path) -> Result<PathBuf, Failure> {
    let bad = |message: String| Failure::new(Kind::BadInput, message);
    let name = file.display();
    let meta = std::fs::metadata(file).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => bad(format!("there is no file {name}")),
        io::ErrorKind::PermissionDenied => bad(format!("{name} may not be read")),
        _ => bad(format!("{name} cannot be read: {e}")),
    })?;
    if meta.is_dir() {
        return Err(bad(format!("{name} is a folder; name the files in it, as {name}/*")));
    }
    if !meta.is_file() {
        return Err(bad(format!("{name} is not a file")));
    }
    if meta.len() == 0 {
        return Err(bad(format!("{name} is empty")));
    }
    std::fs::File::open(file).map_err(|e| bad(format!("{name} may not be read: {e}")))?;
    std::path::absolute(file).map_err(|e| bad(format!("{name} cannot be read: {e}")))
}

/// The language that was said on the command line, otherwise that of the system.
pub(super) fn language(said: Option<&str>) -> Result<Lang, Failure> {
    said.map_or_else(|| Ok(Lang::of_system()), |text| text.parse().map_err(Failure::usage))
}
