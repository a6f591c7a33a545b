//! Opening: decrypted once, checked in full, and only then believed.

use std::io::{self, BufReader, BufWriter, Read, Write};

use age::{DecryptError, Decryptor, x25519::Identity};
use serde::{Deserialize, Serialize};
use tar::EntryType;

use super::{END, FILES, MAX_DEPTH, MAX_ENTRIES, MAX_PATH, MAX_SEAL, MAX_TEXT, SignedSeal, TEXT};
use crate::{
    mail::{envelope::Envelope, names},
    protocol::decode,
};

/// Files and folders that a summary lists; the rest is counted.
const LISTED: usize = 100;

/// What is in a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The text.
    pub text: Option<String>,
    /// The first files and folders, with cleaned paths.
    pub listed: Vec<Listed>,
    /// How many files there are, and how many folders.
    pub files: u64,
    /// Likewise.
    pub folders: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Contents {
    /// Whether there is nothing but text.
    pub fn is_text(&self) -> bool {
        self.files == 0 && self.folders == 0
    }
}

/// A file or a folder of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its path, with `/`.
    pub path: String,
    /// Its bytes; `None` for a folder.
    pub bytes: Option<u64>,
}

/// Why a letter is not believed. Every text says what happened, for a person.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is sealed to another key, or one that was erased.
    #[error("it is sealed to a key that this node does not have (any more)")]
    Key,
    /// It is no age file, or was changed.
    #[error("it is damaged")]
    Damaged,
    /// What is inside is no archive of the kind that is allowed.
    #[error("what is inside cannot be read: {0}")]
    Odd(&'static str),
    /// The signature inside is missing or says something else than the envelope.
    #[error("it was not written by the sender for this recipient: somebody else sealed it anew")]
    Forged,
    /// The disk failed or is full. To be tried again.
    #[error("it could not be opened here: {0}")]
    Disk(#[source] io::Error),
}

/// Opens a sealed letter: writes the archive to `plain` and says what is in it. Nothing of that may
/// be used unless this returns without an error.
pub fn open(
    sealed: impl Read,
    identity: &Identity,
    envelope: &Envelope,
    plain: impl Write,
) -> Result<Contents, OpenError> {
    let decryptor = Decryptor::new_buffered(BufReader::new(sealed)).map_err(refused)?;
    let decrypted =
        decryptor.decrypt([identity as &dyn age::Identity].into_iter()).map_err(refused)?;
    let copying = Copying {
        from: BufReader::with_capacity(1 << 17, decrypted),
        to: BufWriter::with_capacity(1 << 17, plain),
        hasher: blake3::Hasher::new(),
        disk: None,
    };
    let mut archive = tar::Archive::new(copying);
    let contents = contents(&mut archive);
    let mut copying = archive.into_inner();
    let contents = contents.and_then(|contents| {
        // The archive ends with two blocks of zeros, and one was read.
        let mut rest = [0; END / 2];
        copying.read_exact(&mut rest).map_err(|_| OpenError::Damaged)?;
        match rest.iter().all(|byte| *byte == 0) {
            true => Ok(contents),
            false => Err(OpenError::Odd("the archive does not end")),
        }
    });
    let Copying { mut from, mut to, hasher, disk } = copying;
    if let Some(error) = disk {
        return Err(OpenError::Disk(error));
    }
    let contents = contents?;
    let mut seal = Vec::new();
    (&mut from).take(MAX_SEAL).read_to_end(&mut seal).map_err(|_| OpenError::Damaged)?;
    let ended = from.read(&mut [0]).map_err(|_| OpenError::Damaged)? == 0;
    let seal = decode::<SignedSeal>(&seal).ok().and_then(|seal| seal.verify().ok());
    let payload = *hasher.finalize().as_bytes();
    if !ended || !seal.is_some_and(|seal| seal.fits(envelope, &payload)) {
        return Err(OpenError::Forged);
    }
    to.flush().map_err(OpenError::Disk)?;
    Ok(contents)
}

/// What a reader of the archive does with one entry of it.
pub(super) enum Found {
    Text,
    File(Vec<String>),
    Folder(Vec<String>),
}

/// Goes through an archive, bounded whatever it says. Only plain files and folders are in one, below
/// `files/`, and the text.
pub(super) fn walk<R: Read>(
    archive: &mut tar::Archive<R>,
    mut each: impl FnMut(Found, u64, &mut dyn Read) -> Result<(), OpenError>,
) -> Result<(), OpenError> {
    let damaged = |_| OpenError::Damaged;
    let mut long_name = None;
    // Raw, because the archive's own reader takes names of any length into memory.
    for (count, entry) in archive.entries().map_err(damaged)?.raw(true).enumerate() {
        let mut entry = entry.map_err(damaged)?;
        if count > 2 * MAX_ENTRIES {
            return Err(OpenError::Odd("there are too many files in it"));
        }
        let (kind, size) = (entry.header().entry_type(), entry.size());
        if kind == EntryType::GNULongName {
            if size > MAX_PATH as u64 + 64 {
                return Err(OpenError::Odd("a name in it is too long"));
            }
            let mut name = Vec::new();
            entry.read_to_end(&mut name).map_err(damaged)?;
            name.retain(|byte| *byte != 0);
            long_name = Some(name);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name);
        let path = || {
            let below = name.strip_prefix(FILES).ok_or(OpenError::Odd("a file is out of place"))?;
            names::clean_path(below, MAX_DEPTH).ok_or(OpenError::Odd("a file has no name"))
        };
        let found = match kind {
            EntryType::Regular if name == TEXT => Found::Text,
            EntryType::Regular => Found::File(path()?),
            EntryType::Directory if size == 0 => Found::Folder(path()?),
            _ => return Err(OpenError::Odd("there is something in it that is no file")),
        };
        each(found, size, &mut entry)?;
    }
    Ok(())
}

fn contents<R: Read>(archive: &mut tar::Archive<R>) -> Result<Contents, OpenError> {
    let mut contents = Contents::default();
    walk(archive, |found, size, data| {
        let (path, bytes) = match found {
            Found::Text => {
                if size > MAX_TEXT as u64 {
                    return Err(OpenError::Odd("the text is too long"));
                }
                if contents.text.is_some() {
                    return Err(OpenError::Odd("there are two texts in it"));
                }
                let mut text = Vec::new();
                data.read_to_end(&mut text).map_err(|_| OpenError::Damaged)?;
                contents.text = Some(String::from_utf8_lossy(&text).into_owned());
                return Ok(());
            }
            Found::File(path) => (path, Some(size)),
            Found::Folder(path) => (path, None),
        };
        match bytes {
            Some(bytes) => {
                (contents.files, contents.bytes) =
                    (contents.files + 1, contents.bytes.saturating_add(bytes))
            }
            None => contents.folders += 1,
        }
        if contents.listed.len() < LISTED {
            contents.listed.push(Listed { path: path.join("/"), bytes });
        }
        Ok(())
    })?;
    Ok(contents)
}

/// What is read is hashed and written.
struct Copying<R, W> {
    from: R,
    to: W,
    hasher: blake3::Hasher,
    /// Why it could not be written.
    disk: Option<io::Error>,
}

impl<R: Read, W: Write> Read for Copying<R, W> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(bytes)?;
        self.hasher.update(&bytes[..read]);
        if let Err(error) = self.to.write_all(&bytes[..read]) {
            let kind = error.kind();
            self.disk.get_or_insert(error);
            return Err(kind.into());
        }
        Ok(read)
    }
}

fn refused(error: DecryptError) -> OpenError {
    match error {
        DecryptError::NoMatchingKeys => OpenError::Key,
        _ => OpenError::Damaged,
    }
}
