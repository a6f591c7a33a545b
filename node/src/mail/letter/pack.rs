//! Packing and sealing.

use std::{
    fs::{self, File, Metadata},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use age::{Encryptor, x25519::Recipient};
use libp2p::{PeerId, identity::Keypair};
use serde::{Deserialize, Serialize};
use tar::{EntryType, Header};

use super::{FILES, MAX_DEPTH, MAX_ENTRIES, MAX_PATH, MAX_TEXT, Seal, SignedSeal, TEXT};
use crate::{
    mail::{
        envelope::EnvelopeId,
        names::{self, Taken},
    },
    protocol::{encode, signed::SignedError},
};

/// Bytes of a file that are read at once.
const BUFFER: usize = 1 << 18;

/// What a person wants to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The text.
    pub text: Option<String>,
    /// Files and folders; what they are called is their last name.
    pub paths: Vec<PathBuf>,
}

/// To whom, and what else the seal says.
#[derive(Debug, Clone)]
pub struct To {
    /// The name of its envelope.
    pub envelope: EnvelopeId,
    /// The recipient.
    pub to: PeerId,
    /// The recipient's sealing key.
    pub sealing: String,
    /// Its place among the letters to this recipient.
    pub number: u64,
    /// When it was written, in Unix milliseconds.
    pub written_at: u64,
}

/// What went into a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// Files.
    pub files: u64,
    /// Bytes of all files and the text.
    pub bytes: u64,
    /// What was left out because it is neither a file nor a folder: links, devices.
    pub skipped: Vec<PathBuf>,
}

/// Why a letter was not sealed. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is nothing to send.
    #[error("there is nothing to send: give a text or files")]
    Empty,
    /// The text is too long.
    #[error("the text has {0} bytes; at most {MAX_TEXT} fit: send it as a file")]
    LongText(usize),
    /// A path cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path is no file and no folder.
    #[error("{} is neither a file nor a folder", .0.display())]
    Odd(PathBuf),
    /// A file became shorter or longer meanwhile.
    #[error("{} changed while it was read; send it again when nothing writes to it", .0.display())]
    Changed(PathBuf),
    /// Too many files, too deep folders, too long paths.
    #[error("{} has too many or too deeply nested files (at most {MAX_ENTRIES}, {MAX_DEPTH} deep); pack it into an archive first", .0.display())]
    TooMuch(PathBuf),
    /// The recipient's sealing key is none.
    #[error("the recipient's sealing key cannot be used; it may run another version")]
    Key,
    /// The letter could not be written.
    #[error("the letter could not be written ({0}); check the disk")]
    Disk(#[source] io::Error),
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignedError),
}

/// Packs, signs and seals a letter into `out`. `done` hears how many bytes were read so far.
pub fn seal(
    draft: &Draft,
    to: &To,
    sender: &Keypair,
    out: impl Write,
    done: impl FnMut(u64),
) -> Result<Packed, SealError> {
    let text = draft.text.as_deref().unwrap_or_default();
    if text.is_empty() && draft.paths.is_empty() {
        return Err(SealError::Empty);
    }
    if text.len() > MAX_TEXT {
        return Err(SealError::LongText(text.len()));
    }
    let recipient = Recipient::from_str(&to.sealing).map_err(|_| SealError::Key)?;
    let recipients = [&recipient as &dyn age::Recipient];
    let encryptor =
        Encryptor::with_recipients(recipients.into_iter()).map_err(|_| SealError::Key)?;
    let sealed = encryptor.wrap_output(out).map_err(SealError::Disk)?;
    let hashing = Hashing { to: sealed, hasher: blake3::Hasher::new() };
    let mut packing = Packing {
        archive: tar::Builder::new(hashing),
        packed: Packed::default(),
        entries: 0,
        done,
    };
    if !text.is_empty() {
        packing.text(text)?;
    }
    let mut taken = Taken::default();
    for path in &draft.paths {
        let name = taken.take(&name_of(path));
        packing.add(path, &format!("{FILES}{name}"), 1)?;
    }
    let Packing { archive, packed, .. } = packing;
    let Hashing { to: mut sealed, hasher } = archive.into_inner().map_err(SealError::Disk)?;
    let seal = Seal {
        version: 1,
        envelope: to.envelope,
        from: sender.public().to_peer_id().to_bytes(),
        to: to.to.to_bytes(),
        sealing: to.sealing.clone(),
        payload: *hasher.finalize().as_bytes(),
        number: to.number,
        written_at: to.written_at,
    };
    let seal = encode(&SignedSeal::sign(&seal, sender)?).map_err(SignedError::from)?;
    sealed.write_all(&seal).and_then(|()| sealed.finish()).map_err(SealError::Disk)?;
    Ok(packed)
}

/// What is written is hashed.
struct Hashing<W> {
    to: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

struct Packing<W: Write, F> {
    archive: tar::Builder<W>,
    packed: Packed,
    entries: usize,
    done: F,
}

impl<W: Write, F: FnMut(u64)> Packing<W, F> {
    fn text(&mut self, text: &str) -> Result<(), SealError> {
        let mut header = header(EntryType::Regular, text.len() as u64, 0);
        self.archive.append_data(&mut header, TEXT, text.as_bytes()).map_err(SealError::Disk)?;
        self.count(text.len() as u64);
        Ok(())
    }

    /// Adds a file, or a folder with all that is in it. Links are followed only where the person
    /// named one.
    fn add(&mut self, path: &Path, name: &str, depth: usize) -> Result<(), SealError> {
        let unreadable = |source| SealError::Unreadable { path: path.to_owned(), source };
        let metadata = match depth {
            1 => fs::metadata(path),
            _ => fs::symlink_metadata(path),
        };
        let metadata = metadata.map_err(unreadable)?;
        self.entries += 1;
        if self.entries > MAX_ENTRIES || depth > MAX_DEPTH || name.len() > MAX_PATH {
            return Err(SealError::TooMuch(path.to_owned()));
        }
        if metadata.is_file() {
            return self.file(path, name, &metadata);
        }
        if !metadata.is_dir() {
            if depth == 1 {
                return Err(SealError::Odd(path.to_owned()));
            }
            self.packed.skipped.push(path.to_owned());
            return Ok(());
        }
        let mut header = header(EntryType::Directory, 0, modified(&metadata));
        let folder = format!("{name}/");
        self.archive.append_data(&mut header, folder, io::empty()).map_err(SealError::Disk)?;
        let inside: io::Result<Vec<_>> = fs::read_dir(path).and_then(Iterator::collect);
        let mut inside = inside.map_err(unreadable)?;
        inside.sort_by_key(fs::DirEntry::file_name);
        let mut taken = Taken::default();
        for entry in inside {
            let clean = taken.take(&names::clean(&entry.file_name().to_string_lossy()));
            self.add(&entry.path(), &format!("{name}/{clean}"), depth + 1)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str, metadata: &Metadata) -> Result<(), SealError> {
        let unreadable = |source| SealError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let size = metadata.len();
        let mut header = header(EntryType::Regular, size, modified(metadata));
        // A buffer for each of many small files would be most of the work.
        let buffer = usize::try_from(size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
        let file = BufReader::with_capacity(buffer, file);
        let mut read = Exactly { file, left: size, failed: None };
        let added = self.archive.append_data(&mut header, name, &mut read);
        match read.failed {
            Some(Ended::Changed) => return Err(SealError::Changed(path.to_owned())),
            Some(Ended::Failed(source)) => return Err(unreadable(source)),
            None => added.map_err(SealError::Disk)?,
        }
        self.packed.files += 1;
        self.count(size);
        Ok(())
    }

    fn count(&mut self, bytes: u64) {
        self.packed.bytes += bytes;
        (self.done)(self.packed.bytes);
    }
}

/// Gives exactly so many bytes of a file, and remembers why it could not.
struct Exactly<R> {
    file: R,
    left: u64,
    failed: Option<Ended>,
}

enum Ended {
    Changed,
    Failed(io::Error),
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            // Whether there is more than there was.
            if let Ok(1..) = self.file.read(&mut [0]) {
                self.failed = Some(Ended::Changed);
                return Err(io::ErrorKind::InvalidData.into());
            }
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let read = match self.file.read(&mut bytes[..most]) {
            Ok(0) => Err((Ended::Changed, io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => Ok(read),
            Err(e) => {
                let kind = e.kind();
                Err((Ended::Failed(e), io::Error::from(kind)))
            }
        };
        let read = read.map_err(|(why, error)| {
            self.failed = Some(why);
            error
        })?;
        self.left -= read as u64;
        Ok(read)
    }
}

fn header(kind: EntryType, size: u64, modified: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
    header.set_mtime(modified);
    header
}

/// In Unix seconds; 0 where the system does not say.
fn modified(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().ok();
    modified
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |at| at.as_secs())
}

/// The last name of a path, also of one like `.` or `folder/..`.
fn name_of(path: &Path) -> String {
    let whole = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let whole = whole.or_else(|| {
        let full = fs::canonicalize(path).ok()?;
        Some(full.file_name()?.to_string_lossy().into_owned())
    });
    names::clean(&whole.unwrap_or_default())
}
