//! Unpacking: into a folder where nothing is ever overwritten, and nothing stands half.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use super::open::{Found, OpenError, walk};
use crate::mail::names;

/// Files are made durable one by one up to here; beyond, all of a file system at once would be
/// cheaper and is not portable.
const STEP: usize = 1 << 18;
/// Names that are tried where others are taken.
const TRIES: usize = 10_000;

/// Why files were not saved. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The archive is damaged on this disk.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The folder cannot be written to.
    #[error("{} cannot be written ({source}); check the disk and the folder", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Saves the files of an archive that [`super::open`] wrote into `folder`, which is made where it is
/// missing. Gives the paths of what is directly in it. Names that are taken get a number.
pub fn unpack(plain: &File, folder: &Path) -> Result<Vec<PathBuf>, UnpackError> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| UnpackError::Disk { path, source }
    };
    fs::create_dir_all(folder).map_err(disk(folder))?;
    // In the same folder, so that everything can be renamed; it goes if anything fails.
    let parts = tempfile::Builder::new().prefix(".potluck-part-").tempdir_in(folder);
    let parts = parts.map_err(disk(folder))?;
    let mut failed = None;
    let walked =
        walk(&mut tar::Archive::new(BufReader::with_capacity(STEP, plain)), |found, size, data| {
            let (path, is_file) = match &found {
                Found::Text => return Ok(()),
                Found::File(path) => (path, true),
                Found::Folder(path) => (path, false),
            };
            let target = path.iter().fold(parts.path().to_owned(), |at, part| at.join(part));
            let made = match is_file {
                true => put(&target, data, size),
                false => fs::create_dir_all(&target),
            };
            made.map_err(|source| {
                let kind = source.kind();
                failed = Some(UnpackError::Disk { path: folder.to_owned(), source });
                OpenError::Disk(kind.into())
            })
        });
    if let Some(failed) = failed {
        return Err(failed);
    }
    walked?;
    let mut saved = Vec::new();
    let inside: io::Result<Vec<_>> = fs::read_dir(parts.path()).and_then(Iterator::collect);
    let mut inside = inside.map_err(disk(folder))?;
    inside.sort_by_key(fs::DirEntry::file_name);
    for entry in inside {
        saved.push(appear(&entry.path(), folder).map_err(disk(folder))?);
    }
    crate::private::sync_folder(folder).map_err(disk(folder))?;
    Ok(saved)
}

/// Writes one file, whole and on the disk.
fn put(target: &Path, data: &mut dyn Read, size: u64) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    // Two files of one name are both kept.
    let mut file =
        fresh(target, |path| OpenOptions::new().write(true).create_new(true).open(path))?;
    if io::copy(data, &mut file)? != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.sync_all()
}

/// Gives a file or folder its name in `folder`, or a numbered one; never one that is taken.
fn appear(part: &Path, folder: &Path) -> io::Result<PathBuf> {
    let name = part.file_name().unwrap_or_default();
    let is_folder = part.is_dir();
    let mut chosen = PathBuf::new();
    fresh(&folder.join(name), |path| {
        chosen = path.to_owned();
        match is_folder {
            // The name is reserved first: a rename would take the place of an empty folder.
            true => fs::create_dir(path),
            // A link, unlike a rename, fails where the name is taken.
            false => match fs::hard_link(part, path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                    // Some file systems have no links.
                    OpenOptions::new().write(true).create_new(true).open(path).map(drop)?;
                    fs::rename(part, path)
                }
                linked => linked,
            },
        }
    })?;
    if is_folder {
        #[cfg(not(unix))]
        fs::remove_dir(&chosen)?;
        fs::rename(part, &chosen)?;
    }
    Ok(chosen)
}

/// The first free name of a numbered row.
fn fresh<T>(wanted: &Path, mut make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<T> {
    let name = wanted.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for n in 1..TRIES {
        match make(&wanted.with_file_name(names::numbered(&name, n))) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of that name"))
}
