//! Writing large files: what was written is sent to the disk while more comes, so that little is left
//! to wait for when all of it has to be there.

use std::{
    fs::File,
    io::{self, Write},
    sync::mpsc::{SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

/// Bytes after which the disk is asked for again: 32 MiB.
const STEP: u64 = 32 << 20;

/// A file that is written so. Nothing says that it is on the disk but [`File::sync_all`] afterwards.
pub(crate) struct WriteBehind {
    file: File,
    written: u64,
    syncing: Option<Syncing>,
}

struct Syncing {
    /// Has one place: a disk that is behind is asked for no more than once again.
    asked: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl WriteBehind {
    pub(crate) fn new(file: File) -> Self {
        Self { file, written: 0, syncing: None }
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// What the disk said meanwhile: it says so once.
    pub(crate) fn finish(self) -> io::Result<()> {
        let Some(Syncing { asked, thread }) = self.syncing else { return Ok(()) };
        drop(asked);
        thread.join().map_err(|_| io::Error::other("the thread that syncs ended"))?
    }

    fn ask(&mut self) -> io::Result<()> {
        let syncing = match &self.syncing {
            Some(syncing) => syncing,
            None => self.syncing.insert(Syncing::start(self.file.try_clone()?)?),
        };
        // Whether it was asked already or has ended with an error: that comes out in the end.
        let _ = syncing.asked.try_send(());
        Ok(())
    }
}

impl Write for WriteBehind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        let before = self.written / STEP;
        self.written += count as u64;
        if self.written / STEP > before {
            self.ask()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Syncing {
    fn start(file: File) -> io::Result<Self> {
        let (asked, asking) = sync_channel(1);
        let sync = move || asking.into_iter().try_for_each(|()| file.sync_data());
        let thread = thread::Builder::new().name("sync".to_owned()).spawn(sync)?;
        Ok(Self { asked, thread })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_written_is_in_the_file() {
        for size in [0, 10, 3 * STEP as usize / 2, 3 * STEP as usize] {
            let bytes: Vec<u8> = (0..size).map(|n| (n / 9) as u8).collect();
            let file = tempfile::NamedTempFile::new().expect("a file");
            let mut writing = WriteBehind::new(file.reopen().expect("opens"));
            for piece in bytes.chunks(1 << 20) {
                writing.write_all(piece).expect("written");
            }
            writing.finish().expect("synced");
            assert!(std::fs::read(file.path()).expect("read") == bytes, "{size}");
        }
    }
}
