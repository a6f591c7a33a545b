//! Blobs that arrive in parts, over days if need be: what was checked survives a restart.
//!
//! In the folder, `HASH.part` holds the bytes and `HASH.outline` the outline. Nothing else is kept
//! of what arrived: on taking a part up again each of its groups is checked against the outline, so
//! that neither a crash nor a failing disk can make a wrong group count.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::OnceCell;

use super::{
    BlobError,
    download::{Download, Following},
    outline::{GROUP, Outline, group_count},
    room::{Arriving, Room},
};
use crate::private;

/// Parts that nobody has gone on with for so long are of no use.
const FORGOTTEN: Duration = Duration::from_secs(21 * 24 * 60 * 60);

/// The parts of one folder. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(super) struct Partials {
    folder: PathBuf,
    /// Most bytes of parts that nobody is fetching now.
    idle: u64,
    open: Arc<Mutex<Open>>,
}

/// What is being fetched, by hash; opened by whoever waited first.
type Open = HashMap<[u8; 32], Arc<OnceCell<Arc<Partial>>>>;

/// A blob that is arriving.
pub(super) struct Partial {
    pub(super) download: Arc<Download>,
    part: PathBuf,
    outline: PathBuf,
    /// The place that it was given.
    placed: Mutex<Option<PathBuf>>,
    /// Whether nobody needs it any more.
    spent: AtomicBool,
    _arriving: Arc<Arriving>,
}

/// Somebody who waits for a blob.
pub(super) struct Waiting {
    partials: Partials,
    hash: [u8; 32],
    cell: Arc<OnceCell<Arc<Partial>>>,
}

impl Partials {
    /// Looks after the parts in a folder; of those that nobody fetches, the youngest stay, at most so
    /// many bytes.
    pub(super) fn new(folder: &Path, idle: u64) -> Self {
        let partials = Self { folder: folder.to_owned(), idle, open: Arc::default() };
        partials.tidy();
        partials
    }

    /// A place for somebody who waits for a blob; all who wait for the same one share it.
    pub(super) fn wait(&self, hash: [u8; 32]) -> Waiting {
        let cell = self.lock().entry(hash).or_default().clone();
        Waiting { partials: self.clone(), hash, cell }
    }

    /// How many bytes are there of what is arriving now.
    pub(super) fn arriving(&self, hash: &[u8; 32]) -> Option<u64> {
        let partial = self.lock().get(hash)?.get()?.clone();
        Some(partial.download.got())
    }

    /// Makes a stored blob a part again: what is right in it need not be fetched once more. Blocks on
    /// the disk.
    pub(super) fn take_back(&self, hash: &[u8; 32], stored: &Path) -> io::Result<()> {
        let [part, outline] = self.paths(hash);
        if outline_of(stored).exists() {
            fs::rename(outline_of(stored), outline)?;
        }
        fs::rename(stored, part)
    }

    /// Where the bytes and the outline of a part lie.
    fn paths(&self, hash: &[u8; 32]) -> [PathBuf; 2] {
        let name = name(hash);
        ["part", "outline"].map(|kind| self.folder.join(format!("{name}.{kind}")))
    }

    /// Opens a part, and checks what is there of it. Blocks on the disk.
    fn open(&self, hash: [u8; 32], size: u64, room: &Room) -> Result<Partial, BlobError> {
        let [part, outline] = self.paths(&hash);
        let known = read_outline(&outline, &hash, size).map(Arc::new);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(known.is_none());
        let mut file = private::file(&mut options).open(&part).map_err(BlobError::Disk)?;
        let have = match &known {
            Some(outline) => checked(&mut file, outline).map_err(BlobError::Disk)?,
            None => Vec::new(),
        };
        let there: u64 = (have.iter().enumerate().filter(|(_, have)| **have))
            .map(|(group, _)| (size - group as u64 * GROUP as u64).min(GROUP as u64))
            .sum();
        let arriving = Arc::new(room.expect(size - there)?);
        let download = match known {
            Some(known) => Download::going_on(hash, size, file, Some(known), have),
            None => Download::new(hash, size, file),
        };
        let (keep, written) = (outline.clone(), arriving.clone());
        let download = download.telling(
            move |outline| {
                // Without it the part is of no use to the next process, and to this one it is.
                if let Err(error) = write_outline(&keep, outline) {
                    tracing::warn!(file = %keep.display(), "what arrives will not survive a restart: {error}");
                }
            },
            move |bytes| written.written(bytes),
        );
        let download = Arc::new(download);
        Ok(Partial {
            download,
            part,
            outline,
            placed: Mutex::default(),
            spent: AtomicBool::new(false),
            _arriving: arriving,
        })
    }

    /// Removes parts that are too old or too many. Blocks on the disk.
    fn tidy(&self) {
        let open: Vec<_> = self.lock().keys().map(name).collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut idle: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let path = entry.path();
                let part = path.extension()? == "part" || path.extension()? == "outline";
                let stem = path.file_stem()?.to_str()?.to_owned();
                let metadata = entry.metadata().ok()?;
                let modified = metadata.modified().ok()?;
                (part && !open.contains(&stem)).then(|| (modified, taken(&metadata), path))
            })
            .collect();
        idle.sort_by_key(|(modified, ..)| std::cmp::Reverse(*modified));
        let mut bytes = 0_u64;
        for (modified, size, path) in idle {
            bytes = bytes.saturating_add(size);
            let age = SystemTime::now().duration_since(modified).unwrap_or_default();
            if bytes > self.idle || age > FORGOTTEN {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// The blob that is arriving, opened by whoever waited first.
    pub(super) async fn opened(&self, size: u64, room: &Room) -> Result<Arc<Partial>, BlobError> {
        let opening = self.cell.get_or_try_init(async || {
            let (partials, hash, room) = (self.partials.clone(), self.hash, room.clone());
            super::blocking(move || partials.open(hash, size, &room).map(Arc::new)).await
        });
        opening.await.cloned()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut open = self.partials.lock();
        // The map has one, and this is the other.
        if Arc::strong_count(&self.cell) > 2 {
            return;
        }
        open.remove(&self.hash);
        drop(open);
        let partial = self.cell.get();
        if partial.is_some_and(|partial| partial.placed().is_some()) {
            return;
        }
        let spent = partial.is_some_and(|partial| partial.spent.load(Ordering::Relaxed));
        let paths = spent.then(|| self.partials.paths(&self.hash));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let partials = self.partials.clone();
            runtime.spawn_blocking(move || {
                for path in paths.into_iter().flatten() {
                    // Somebody may wait for it anew, and has to fetch it then.
                    let _ = fs::remove_file(path);
                }
                partials.tidy();
            });
        }
    }
}

impl Partial {
    /// Gives a blob that is all there its place, in the same file system: `to`, and its outline beside
    /// it. Both are on the disk, with their names, when this returns. Blocks on the disk.
    pub(super) fn place(&self, to: &Path) -> io::Result<()> {
        let mut placed = self.placed();
        if let Some(place) = &*placed {
            return if place == to { Ok(()) } else { copied(place, to) };
        }
        self.download.sync()?;
        if self.outline.exists() {
            fs::rename(&self.outline, outline_of(to))?;
        }
        fs::rename(&self.part, to)?;
        private::sync_folder(to.parent().unwrap_or(Path::new(".")))?;
        *placed = Some(to.to_owned());
        Ok(())
    }

    /// Reads it while it arrives. Blocks on the disk.
    pub(super) fn follow(&self) -> io::Result<Following> {
        Ok(self.download.follow(File::open(&self.part)?))
    }

    /// Nobody needs it any more: it goes with the last who waits for it.
    pub(super) fn spend(&self) {
        self.spent.store(true, Ordering::Relaxed);
    }

    fn placed(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the same bytes into another place.
fn copied(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()?;
    private::sync_folder(to.parent().unwrap_or(Path::new(".")))
}

/// Where the outline of a stored blob lies.
pub(crate) fn outline_of(blob: &Path) -> PathBuf {
    blob.with_extension("outline")
}

/// Keeps an outline beside its blob. Whoever reads it checks it against the hash.
pub(crate) fn write_outline(path: &Path, outline: &Outline) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix("part-").tempfile_in(folder)?;
    file.write_all(outline.groups().as_flattened())?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// The outline that was kept, if it is the one of that hash.
pub(crate) fn read_outline(path: &Path, hash: &[u8; 32], size: u64) -> Option<Outline> {
    let groups = group_count(size);
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.len() != groups * 32 {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(groups * 32).read_to_end(&mut bytes).ok()?;
    Outline::verified(hash, size, bytes.as_chunks::<32>().0.to_vec()).ok()
}

/// Which groups of a file are what they have to be.
fn checked(file: &mut File, outline: &Outline) -> io::Result<Vec<bool>> {
    let mut group = vec![0; GROUP];
    let mut have = Vec::with_capacity(outline.groups().len());
    let length = file.metadata()?.len();
    for index in 0..outline.groups().len() {
        let bytes = &mut group[..outline.group_len(index)];
        let start = index as u64 * GROUP as u64;
        let there = start + bytes.len() as u64 <= length;
        file.seek(SeekFrom::Start(start))?;
        // A sector that cannot be read is as good as missing.
        have.push(there && file.read_exact(bytes).is_ok() && outline.fits(index, bytes));
    }
    Ok(have)
}

fn name(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// What a file takes of the disk: less than its length where it has holes.
fn taken(metadata: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::blocks(metadata).saturating_mul(512);
    #[cfg(not(unix))]
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 10 * GROUP + 5;

    fn bytes() -> Vec<u8> {
        (0..SIZE).map(|n| (n / 3) as u8).collect()
    }

    /// Puts a part into a folder, as a process that was killed leaves it.
    fn left(folder: &Path, bytes: &[u8]) -> [u8; 32] {
        let outline = Outline::of(&self::bytes());
        let partials = Partials::new(folder, u64::MAX);
        let [part, beside] = partials.paths(&outline.root());
        write_outline(&beside, &outline).unwrap();
        fs::write(part, bytes).unwrap();
        outline.root()
    }

    fn missing(folder: &Path, hash: [u8; 32]) -> u64 {
        let partials = Partials::new(folder, u64::MAX);
        let partial = partials.open(hash, SIZE as u64, &Room::new(folder, u64::MAX / 2)).unwrap();
        (SIZE as u64 - partial.download.got()).div_ceil(GROUP as u64)
    }

    #[test]
    fn what_was_checked_is_there_after_a_restart_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut some = bytes();
        let hash = left(folder.path(), &some[..4 * GROUP + 100]);
        assert_eq!(missing(folder.path(), hash), 7, "half a group is none");
        // Written out of order, with a hole, and a bit that flipped.
        some[2 * GROUP..5 * GROUP].fill(0);
        some[7 * GROUP] ^= 1;
        left(folder.path(), &some);
        assert_eq!(missing(folder.path(), hash), 4);
        // An outline that was damaged is none.
        let [_, beside] = Partials::new(folder.path(), u64::MAX).paths(&hash);
        let mut outline = fs::read(&beside).unwrap();
        outline[40] ^= 1;
        fs::write(&beside, outline).unwrap();
        assert_eq!(missing(folder.path(), hash), 11);
    }

    #[test]
    fn of_parts_that_nobody_fetches_the_youngest_stay() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, age: u64| {
            let path = folder.path().join(name);
            fs::write(&path, vec![1; 64 << 10]).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        let young = [write("a.part", 10), write("b.part", 20)];
        let old = [write("c.part", 30), write("d.part", 3 * FORGOTTEN.as_secs())];
        let other = write("something.else", 99);
        Partials::new(folder.path(), 130 << 10);
        assert!(young.iter().all(|path| path.exists()) && other.exists());
        assert!(!old.iter().any(|path| path.exists()));
    }

    #[tokio::test]
    async fn a_stored_blob_is_mended_where_it_is_damaged_only() {
        let folder = tempfile::tempdir().unwrap();
        let outline = Outline::of(&bytes());
        let stored = folder.path().join("letter.age");
        let mut damaged = bytes();
        damaged[3 * GROUP] ^= 1;
        fs::write(&stored, damaged).unwrap();
        write_outline(&outline_of(&stored), &outline).unwrap();
        let partials = Partials::new(folder.path(), u64::MAX);
        partials.take_back(&outline.root(), &stored).unwrap();
        assert!(!stored.exists(), "it is not served meanwhile");
        let waiting = partials.wait(outline.root());
        let room = Room::new(folder.path(), u64::MAX / 2);
        let partial = waiting.opened(SIZE as u64, &room).await.unwrap();
        let lacks = (SIZE as u64 - partial.download.got()).div_ceil(GROUP as u64);
        assert_eq!(lacks, 1);
    }
}
