//! What must not be lost: records and small bodies in a redb file, large bodies in files beside it.
//!
//! Nothing counts before it is on the disk. One thread commits what all others want, together, so
//! that many letters share one wait for the disk. Commits have two phases, because a keeper stores
//! what strangers wrote (redb, `WriteTransaction::set_two_phase_commit`), and every value carries
//! the BLAKE3 hash of its key and itself, because redb does not look for bits that flipped.

mod salvage;

use std::{
    collections::BTreeMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread,
};

use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{mpsc, oneshot};

use super::envelope::EnvelopeId;
use crate::{
    blobs::outline_of,
    private,
    protocol::{decode, encode},
};

/// The format of the file; raised when older programs could not read it.
const FORMAT: u64 = 1;
const FILE: &str = "mail.redb";
/// Changes that wait for the disk.
const QUEUE: usize = 1024;
/// Changes that are committed together.
const TOGETHER: usize = 512;
/// Sealed letters up to this size stand among the records, so that they share the wait for the disk.
pub const SMALL: u64 = 16 * 1024;
/// Memory for pages of the file.
const CACHE: usize = 8 << 20;
const HASH: usize = 32;

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Letters of this node's person, by envelope.
    Sent,
    /// Letters to this node's person, by envelope.
    Received,
    /// Letters that are kept for others, by envelope.
    Kept,
    /// Envelopes that are done with, so that they do not come again.
    Done,
    /// People whom this node has met, by client id.
    People,
    /// Sealed letters of at most [`SMALL`] bytes, by envelope.
    Bodies,
    /// Anything else, by name.
    Notes,
}

const TABLES: [Table; 7] = [
    Table::Sent,
    Table::Received,
    Table::Kept,
    Table::Done,
    Table::People,
    Table::Bodies,
    Table::Notes,
];

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    table: Table,
    key: Vec<u8>,
    /// `None` removes it.
    value: Option<Vec<u8>>,
}

/// Where the mail of a node lies. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Store {
    folder: PathBuf,
    jobs: mpsc::Sender<Job>,
    db: Arc<Db>,
    /// The thread that commits; waited for when the last handle goes.
    _committer: Arc<Committer>,
}

/// A place in line for the disk.
pub struct Place(mpsc::OwnedPermit<Job>);

/// Changes on their way to the disk.
pub struct Committing(oneshot::Receiver<Result<(), StoreError>>);

struct Job {
    what: What,
    done: oneshot::Sender<Result<(), StoreError>>,
}

enum What {
    Change(Vec<Change>),
    Reopen,
}

/// The file. It is closed where it could not be opened again.
struct Db {
    path: PathBuf,
    open: RwLock<Option<Database>>,
}

struct Committer(Mutex<Option<thread::JoinHandle<()>>>);

/// Why the mail cannot be stored. Every text says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read as what it is.
    #[error("the mail records {} are damaged ({why}); move that file away: letters that others still hold come again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Written by a newer program.
    #[error("the mail records {} were written by a newer version; use that one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The disk failed or is full.
    #[error("the mail cannot be stored ({0}); check the disk")]
    Disk(String),
    /// Another process has the file open.
    #[error("another program uses the mail in this data folder")]
    InUse,
}

impl Table {
    fn definition(self) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
        TableDefinition::new(match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Kept => "kept",
            Self::Done => "done",
            Self::People => "people",
            Self::Bodies => "bodies",
            Self::Notes => "notes",
        })
    }
}

impl Place {
    /// Hands changes in: all of them are made, or none.
    pub fn hand_in(self, changes: Vec<Change>) -> Committing {
        self.ask(What::Change(changes))
    }

    /// Opens the file again: redb takes nothing more after the disk failed.
    pub fn reopen(self) -> Committing {
        self.ask(What::Reopen)
    }

    fn ask(self, what: What) -> Committing {
        let (done, committed) = oneshot::channel();
        self.0.send(Job { what, done });
        Committing(committed)
    }
}

impl Committing {
    /// Waits until they are on the disk.
    pub async fn wait(self) -> Result<(), StoreError> {
        self.0.await.map_err(|_| stopping())?
    }
}

impl Change {
    /// Writes a record.
    pub fn put<T: Serialize>(table: Table, key: &[u8], record: &T) -> Result<Self, StoreError> {
        let body = encode(record).map_err(|e| StoreError::Disk(e.to_string()))?;
        let value = [&seal(key, &body)[..], &body[..]].concat();
        Ok(Self { table, key: key.to_owned(), value: Some(value) })
    }

    /// Writes a small sealed letter.
    pub fn put_body(id: &EnvelopeId, body: &[u8]) -> Self {
        let value = [&seal(&id.0, body)[..], body].concat();
        Self { table: Table::Bodies, key: id.0.to_vec(), value: Some(value) }
    }

    /// Removes a record.
    pub fn remove(table: Table, key: &[u8]) -> Self {
        Self { table, key: key.to_owned(), value: None }
    }
}

impl Store {
    /// Opens the mail of a folder, which is made where it is missing. Reads the whole file: not for
    /// async threads.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let mut builder = fs::DirBuilder::new();
        private::folder(builder.recursive(true)).create(folder).map_err(disk)?;
        fs::create_dir_all(folder.join("bodies")).map_err(disk)?;
        private::close(folder).map_err(disk)?;
        let db = Arc::new(Db::open(folder.join(FILE))?);
        private::close(&db.path).map_err(disk)?;
        private::sync_folder(folder).map_err(disk)?;
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let committing = db.clone();
        let thread = thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || commit_all(&committing, waiting))
            .map_err(disk)?;
        let _committer = Arc::new(Committer(Mutex::new(Some(thread))));
        Ok(Self { folder: folder.to_owned(), jobs, db, _committer })
    }

    /// A place among those who wait for the disk. Changes are committed in the order in which they
    /// are handed to places.
    pub async fn place_in_line(&self) -> Result<Place, StoreError> {
        self.jobs.clone().reserve_owned().await.map(Place).map_err(|_| stopping())
    }

    /// Makes changes, all or none. They are on the disk when this returns.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.place_in_line().await?.hand_in(changes).wait().await
    }

    /// All records of a table that can be read, by their keys, and how many cannot: they are left
    /// where they are.
    pub fn all<T: DeserializeOwned>(
        &self,
        table: Table,
    ) -> Result<(BTreeMap<Vec<u8>, T>, usize), StoreError> {
        self.db.with(|db| {
            let reading = db.begin_read().map_err(disk)?;
            let records = reading.open_table(table.definition()).map_err(disk)?;
            let (mut all, mut bad) = (BTreeMap::new(), 0);
            for record in records.iter().map_err(disk)? {
                let (key, value) = record.map_err(disk)?;
                match read(key.value(), value.value()) {
                    Some(record) => drop(all.insert(key.value().to_owned(), record)),
                    None => bad += 1,
                }
            }
            Ok((all, bad))
        })
    }

    /// A small sealed letter, if it is there and what was written. Reads the disk: not for async threads.
    pub fn small(&self, id: &EnvelopeId) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.with(|db| {
            let reading = db.begin_read().map_err(disk)?;
            let bodies = reading.open_table(Table::Bodies.definition()).map_err(disk)?;
            let value = bodies.get(&id.0[..]).map_err(disk)?;
            Ok(value.and_then(|value| intact(&id.0, value.value()).map(<[u8]>::to_vec)))
        })
    }

    /// Small sealed letters of which `known` does not say that they belong to somebody.
    pub fn stray(&self, known: impl Fn(&EnvelopeId) -> bool) -> Result<Vec<Change>, StoreError> {
        self.db.with(|db| {
            let reading = db.begin_read().map_err(disk)?;
            let bodies = reading.open_table(Table::Bodies.definition()).map_err(disk)?;
            let mut stray = Vec::new();
            for body in bodies.iter().map_err(disk)? {
                let (key, _) = body.map_err(disk)?;
                let id = key.value().try_into().map(EnvelopeId);
                if !id.is_ok_and(|id| known(&id)) {
                    stray.push(Change::remove(Table::Bodies, key.value()));
                }
            }
            Ok(stray)
        })
    }

    /// Where bodies lie while they arrive.
    pub fn arriving(&self) -> PathBuf {
        self.folder.join("arriving")
    }

    /// Where the sealed letter of an envelope lies.
    pub fn sealed(&self, id: &EnvelopeId) -> PathBuf {
        self.folder.join("bodies").join(format!("{id}.age"))
    }

    /// Where what was in it lies once it was opened.
    pub fn opened(&self, id: &EnvelopeId) -> PathBuf {
        self.folder.join("bodies").join(format!("{id}.tar"))
    }

    /// A file in the same file system, to be given one of these names by [`Store::keep_as`].
    pub fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix("part-").tempfile_in(self.folder.join("bodies"))
    }

    /// Gives a written file its name. It is on the disk, with its name, when this returns.
    pub fn keep_as(&self, file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        private::sync_folder(&self.folder.join("bodies"))
    }

    /// Removes the files of an envelope.
    pub fn discard(&self, id: &EnvelopeId) {
        for path in [self.sealed(id), outline_of(&self.sealed(id)), self.opened(id)] {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = %path.display(), "a letter that is done with cannot be removed: {e}");
                }
                _ => {}
            }
        }
    }

    /// Removes files that belong to no envelope of which `known` says so: what was being written when
    /// the process was killed.
    pub fn sweep(&self, known: impl Fn(&EnvelopeId) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("bodies"))? {
            let path = entry?.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if !id.is_some_and(|id| known(&id)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // What is being committed is finished: `Store::jobs` is closed by now.
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Db {
    /// Opens it; what can be read of a damaged one is saved.
    fn open(path: PathBuf) -> Result<Self, StoreError> {
        let open = RwLock::new(Some(opened(&path)?));
        Ok(Self { path, open })
    }

    /// Closes it and opens it again.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // Its lock on the file goes first.
        *open = None;
        *open = Some(opened(&self.path)?);
        Ok(())
    }

    fn with<T>(
        &self,
        used: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        used(open.as_ref().ok_or_else(failed)?)
    }
}

fn opened(path: &Path) -> Result<Database, StoreError> {
    match open(path) {
        Err(StoreError::Damaged { .. }) => salvage::saved(path),
        opened => opened,
    }
}

/// Opens the file, and reads all of it. A damaged one may make redb panic (its documentation, "check integrity").
fn open(path: &Path) -> Result<Database, StoreError> {
    let damaged = |why: String| StoreError::Damaged { path: path.to_owned(), why };
    let db = match open_with(|builder| builder.create(path)) {
        Ok(Ok(db)) => db,
        Ok(Err(redb::Error::DatabaseAlreadyOpen)) => return Err(StoreError::InUse),
        Ok(Err(redb::Error::Io(e))) if e.kind() != io::ErrorKind::InvalidData => {
            return Err(disk(e));
        }
        Ok(Err(e)) => return Err(damaged(e.to_string())),
        Err(_) => return Err(damaged("it cannot be read at all".to_owned())),
    };
    check_format(&db, path)?;
    Ok(db)
}

/// Opens a file that may be damaged: redb may panic then.
fn open_with(
    create: impl FnOnce(&mut redb::Builder) -> Result<Database, redb::DatabaseError>,
) -> thread::Result<Result<Database, redb::Error>> {
    catch_unwind(AssertUnwindSafe(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        let db = create(&mut builder)?;
        let mut writing = db.begin_write()?;
        writing.set_two_phase_commit(true);
        for table in TABLES {
            writing.open_table(table.definition())?;
        }
        writing.commit()?;
        Ok(db)
    }))
}

fn check_format(db: &Database, path: &Path) -> Result<(), StoreError> {
    let key = b"format".as_slice();
    let reading = db.begin_read().map_err(disk)?;
    let notes = reading.open_table(Table::Notes.definition()).map_err(disk)?;
    match notes.get(key).map_err(disk)?.map(|value| read::<u64>(key, value.value())) {
        Some(Some(format)) if format > FORMAT => Err(StoreError::Newer { path: path.to_owned() }),
        Some(Some(_)) => Ok(()),
        Some(None) => Err(StoreError::Damaged {
            path: path.to_owned(),
            why: "its version cannot be read".to_owned(),
        }),
        None => write(db, &[Change::put(Table::Notes, key, &FORMAT)?]),
    }
}

fn commit_all(db: &Db, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while waiting.blocking_recv_many(&mut jobs, TOGETHER) > 0 {
        let mut results = Vec::new();
        let changes = |job: &Job| matches!(job.what, What::Change(_));
        for some in jobs.chunk_by(|one, next| changes(one) && changes(next)) {
            let done = match &some[0].what {
                What::Reopen => db.reopen(),
                What::Change(_) => {
                    let changes = some.iter().flat_map(|job| match &job.what {
                        What::Change(changes) => &changes[..],
                        What::Reopen => &[],
                    });
                    db.with(|db| write(db, changes))
                }
            };
            results.extend(some.iter().map(|_| done.clone()));
        }
        for (job, result) in jobs.drain(..).zip(results) {
            let _ = job.done.send(result);
        }
    }
}

fn write<'a>(
    db: &Database,
    changes: impl IntoIterator<Item = &'a Change>,
) -> Result<(), StoreError> {
    let mut writing = db.begin_write().map_err(disk)?;
    writing.set_durability(Durability::Immediate).map_err(disk)?;
    writing.set_two_phase_commit(true);
    for Change { table, key, value } in changes {
        let mut records = writing.open_table(table.definition()).map_err(disk)?;
        match value {
            Some(value) => drop(records.insert(&key[..], &value[..]).map_err(disk)?),
            None => drop(records.remove(&key[..]).map_err(disk)?),
        }
    }
    writing.commit().map_err(disk)
}

/// The record of a value, if it is what was written.
fn read<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Option<T> {
    decode(intact(key, value)?).ok()
}

/// The bytes of a value, if they are what was written.
fn intact<'a>(key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (hash, body) = value.split_at_checked(HASH)?;
    (seal(key, body) == hash).then_some(body)
}

/// What stands before a value: the hash of its key and of itself, so that a key that changed by itself
/// is noticed too.
fn seal(key: &[u8], body: &[u8]) -> [u8; HASH] {
    *blake3::Hasher::new().update(key).update(body).finalize().as_bytes()
}

/// The disk failed before, and nothing can be stored until that is over.
pub(super) fn failed() -> StoreError {
    StoreError::Disk("it failed, and is tried again every few seconds".to_owned())
}

fn stopping() -> StoreError {
    StoreError::Disk("the program is stopping".to_owned())
}

fn disk(error: impl std::fmt::Display) -> StoreError {
    StoreError::Disk(error.to_string())
}

#[cfg(test)]
mod tests;
