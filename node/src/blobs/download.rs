//! Fetching a blob: group by group, from one peer or several, over as many streams as it takes.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom, Write as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{PeerId, StreamProtocol, swarm::Stream};
use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};

use super::{
    BlobError,
    outline::{GROUP, Outline, group_count},
    serve::{HERE, LEAST, SILENCE, WINDOW},
    spans::Spans,
};
use crate::{network::streams::Control, pace::Pace, protocol::BLOB_PROTOCOL};

/// How often a broken transfer is taken up again without getting any further.
const RESUMES: u32 = 5;

/// A blob that is being fetched.
pub(super) struct Download {
    hash: [u8; 32],
    size: u64,
    file: Mutex<File>,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    /// What is done with an outline when it first arrives, and with bytes when they are written.
    on_outline: Box<dyn Fn(&Outline) + Send + Sync>,
    on_written: Box<dyn Fn(u64) + Send + Sync>,
    workers: AtomicU64,
}

/// How far a download is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// Groups that are missing.
    missing: usize,
    /// Groups that are there without a gap from the first on.
    front: usize,
}

impl Progress {
    fn of(spans: &Spans) -> Self {
        Self { missing: spans.missing(), front: spans.front() }
    }
}

struct State {
    outline: Option<Arc<Outline>>,
    spans: Spans,
}

impl Download {
    /// Fetches into this file, which has none of it.
    pub(super) fn new(hash: [u8; 32], size: u64, file: File) -> Self {
        let groups = usize::try_from(group_count(size)).unwrap_or(usize::MAX);
        Self::going_on(hash, size, file, None, vec![false; groups])
    }

    /// Fetches what is missing in this file.
    pub(super) fn going_on(
        hash: [u8; 32],
        size: u64,
        file: File,
        outline: Option<Arc<Outline>>,
        have: Vec<bool>,
    ) -> Self {
        let spans = Spans::new(have);
        Self {
            hash,
            size,
            file: Mutex::new(file),
            progress: watch::Sender::new(Progress::of(&spans)),
            state: Mutex::new(State { outline, spans }),
            on_outline: Box::new(|_| {}),
            on_written: Box::new(|_| {}),
            workers: AtomicU64::new(0),
        }
    }

    /// Says what is done with the outline when it first arrives, and with bytes that were written.
    /// Both are called on threads that may block.
    pub(super) fn telling(
        self,
        on_outline: impl Fn(&Outline) + Send + Sync + 'static,
        on_written: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        Self { on_outline: Box::new(on_outline), on_written: Box::new(on_written), ..self }
    }

    /// The outline, once it arrived.
    pub(super) fn outline(&self) -> Option<Arc<Outline>> {
        self.lock().outline.clone()
    }

    /// Bytes that are checked and written, as far as groups tell.
    pub(super) fn got(&self) -> u64 {
        let missing = self.progress.borrow().missing as u64 * GROUP as u64;
        self.size.saturating_sub(missing)
    }

    /// Reads what arrives, from the first byte on, through a handle of its own.
    pub(super) fn follow(&self, file: File) -> Following {
        Following { file, size: self.size, position: 0, progress: self.progress.subscribe() }
    }

    /// Makes what was written durable. Blocks on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file().sync_all()
    }

    /// Fetches from a peer until all is there, whoever brings it. Breaks off when the peer is silent or
    /// below the least rate for long, whatever time the call has.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        mut streams: Control,
        peer: PeerId,
    ) -> Result<(), BlobError> {
        let mut worker = Worker::new(self.clone(), WINDOW);
        let mut progress = self.progress.subscribe();
        let all_there = progress.wait_for(|progress| progress.missing == 0);
        tokio::select! {
            // Others may have brought the last of it.
            _ = all_there => Ok(()),
            done = worker.go_on_from(&mut streams, peer) => done,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a group and writes it. Blocks on the disk.
    fn keep(&self, outline: &Outline, index: usize, group: &[u8]) -> Result<(), BlobError> {
        if !outline.fits(index, group) {
            return Err(BlobError::Wrong);
        }
        {
            let mut file = self.file();
            let at = SeekFrom::Start(index as u64 * GROUP as u64);
            file.seek(at).and_then(|_| file.write_all(group)).map_err(BlobError::Disk)?;
        }
        (self.on_written)(group.len() as u64);
        let mut state = self.lock();
        state.spans.got(index..index + 1);
        let progress = Progress::of(&state.spans);
        drop(state);
        self.progress.send_replace(progress);
        Ok(())
    }
}

/// Reads a blob while it arrives: what was checked, in order. It ends with an error where the download
/// is given up. Blocks: for threads on which the runtime lets that happen.
pub(crate) struct Following {
    file: File,
    size: u64,
    position: u64,
    progress: watch::Receiver<Progress>,
}

impl Read for Following {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.position == self.size {
            return Ok(0);
        }
        let there = loop {
            let front = self.progress.borrow_and_update().front as u64;
            let there = (front * GROUP as u64).min(self.size);
            if there > self.position {
                break there;
            }
            let changed = Handle::current().block_on(self.progress.changed());
            changed.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        };
        let most = usize::try_from(there - self.position).unwrap_or(usize::MAX).min(bytes.len());
        let count = self.file.read(&mut bytes[..most])?;
        self.position += count as u64;
        Ok(count)
    }
}

/// A group that is being checked and written.
type Keeping = JoinHandle<Result<(), BlobError>>;

/// Fetches from one peer.
struct Worker {
    download: Arc<Download>,
    number: u64,
    /// Groups that it brought.
    brought: usize,
    pace: Pace,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.download.lock().spans.release(self.number);
    }
}

impl Worker {
    fn new(download: Arc<Download>, window: Duration) -> Self {
        let number = download.workers.fetch_add(1, Ordering::Relaxed);
        let pace = Pace::new(LEAST, window, Instant::now());
        Self { download, number, brought: 0, pace }
    }

    async fn go_on_from(&mut self, streams: &mut Control, peer: PeerId) -> Result<(), BlobError> {
        let mut failures = 0;
        loop {
            let before = self.brought;
            let open = streams.open_stream(peer, StreamProtocol::new(BLOB_PROTOCOL));
            let opened = timeout(SILENCE, open).await.map_err(io::Error::from);
            let stream: io::Result<Stream> =
                opened.and_then(|stream| stream.map_err(|e| io::Error::other(e.to_string())));
            let ended = match stream {
                Ok(stream) => self.go_on(stream).await,
                Err(error) => Err(BlobError::Broken(error)),
            };
            match ended {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(BlobError::Broken(_)) if Instant::now() >= self.pace.deadline() => {
                    return Err(BlobError::Slow);
                }
                Err(BlobError::Broken(error)) => {
                    failures = if self.brought > before { 0 } else { failures + 1 };
                    let groups = self.brought;
                    tracing::debug!(%peer, %error, groups, "a blob is taken up again");
                    if failures >= RESUMES {
                        return Err(BlobError::Broken(error));
                    }
                    tokio::time::sleep(Duration::from_millis(100 << failures)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches one row of groups over a stream. Says whether all is there now.
    async fn go_on<S>(&mut self, mut stream: S) -> Result<bool, BlobError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let claimed = self.download.lock().spans.claim(self.number);
        let Some(row) = claimed else { return Ok(true) };
        let outline = self.ask(&mut stream, row.start).await?;
        let mut keeping = None;
        let mut next = row.start;
        let arrived = loop {
            if next >= self.download.lock().spans.reached(self.number, next) {
                break Ok(());
            }
            let mut group = vec![0; outline.group_len(next)];
            if let Err(error) = self.read(&mut stream, &mut group).await {
                break Err(BlobError::Broken(error));
            }
            // One group is checked and written while the next one arrives.
            self.kept(keeping.take()).await?;
            let (download, outline, index) = (self.download.clone(), outline.clone(), next);
            keeping = Some(spawn_blocking(move || download.keep(&outline, index, &group)));
            next += 1;
        };
        self.kept(keeping).await?;
        arrived?;
        Ok(self.download.lock().spans.missing() == 0)
    }

    /// Waits until a group was checked and written. That it takes time is not the peer's doing.
    async fn kept(&mut self, keeping: Option<Keeping>) -> Result<(), BlobError> {
        let Some(keeping) = keeping else { return Ok(()) };
        let since = Instant::now();
        keeping.await.map_err(|e| BlobError::Disk(e.into()))??;
        self.brought += 1;
        self.pace.excuse(since.elapsed());
        Ok(())
    }

    /// Asks for all from group `first` on, and reads up to the bytes.
    async fn ask<S>(&mut self, stream: &mut S, first: usize) -> Result<Arc<Outline>, BlobError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let broken = BlobError::Broken;
        let mut ask = [0; 36];
        ask[..32].copy_from_slice(&self.download.hash);
        let first = u32::try_from(first).map_err(|_| BlobError::Wrong)?;
        ask[32..].copy_from_slice(&first.to_be_bytes());
        let asked = async {
            stream.write_all(&ask).await?;
            stream.flush().await
        };
        timeout(SILENCE, asked).await.map_err(|e| broken(e.into()))?.map_err(broken)?;
        self.read_outline(stream).await
    }

    /// Reads so many bytes: no silence between two pieces, and not below the least rate.
    async fn read<S>(&mut self, stream: &mut S, mut bytes: &mut [u8]) -> io::Result<()>
    where
        S: AsyncRead + Unpin,
    {
        while !bytes.is_empty() {
            let until = self.pace.deadline().min(Instant::now() + SILENCE);
            let count = timeout_at(until, stream.read(bytes)).await??;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.pace.moved(count, Instant::now());
            bytes = &mut bytes[count..];
        }
        Ok(())
    }

    async fn read_outline<S>(&mut self, stream: &mut S) -> Result<Arc<Outline>, BlobError>
    where
        S: AsyncRead + Unpin,
    {
        let mut head = [0; 9];
        let until = self.pace.deadline().min(Instant::now() + SILENCE);
        let status = timeout_at(until, stream.read_exact(&mut head[..1]));
        status.await.map_err(|e| BlobError::Broken(e.into()))?.map_err(BlobError::Broken)?;
        if head[0] != HERE {
            return Err(BlobError::NotShared);
        }
        // Every stream brings the outline; it is progress the first time only.
        let known = self.download.outline();
        self.fill(stream, &mut head[1..], known.is_none()).await?;
        let [_, told @ ..] = head;
        if u64::from_be_bytes(told) != self.download.size {
            return Err(BlobError::Wrong);
        }
        // Grows as values arrive, so an announced size alone allocates nothing.
        let mut groups = Vec::new();
        let mut values = vec![0; 32 * 256];
        let mut missing = group_count(self.download.size);
        while missing > 0 {
            let count = missing.min(256);
            let some = &mut values[..32 * count as usize];
            self.fill(stream, some, known.is_none()).await?;
            groups.extend(some.as_chunks::<32>().0);
            missing -= count;
        }
        match known {
            Some(known) if known.groups() == groups => Ok(known),
            Some(_) => Err(BlobError::Wrong),
            None => self.believe(groups).await,
        }
    }

    async fn believe(&self, groups: Vec<[u8; 32]>) -> Result<Arc<Outline>, BlobError> {
        let download = self.download.clone();
        super::blocking(move || {
            let outline = Outline::verified(&download.hash, download.size, groups);
            let outline = Arc::new(outline.map_err(|_| BlobError::Wrong)?);
            (download.on_outline)(&outline);
            download.lock().outline = Some(outline.clone());
            Ok(outline)
        })
        .await
    }

    /// Reads a part of the outline; only where it is new it counts as something that moved.
    async fn fill<S>(
        &mut self,
        stream: &mut S,
        bytes: &mut [u8],
        new: bool,
    ) -> Result<(), BlobError>
    where
        S: AsyncRead + Unpin,
    {
        if new {
            return self.read(stream, bytes).await.map_err(BlobError::Broken);
        }
        let until = self.pace.deadline().min(Instant::now() + SILENCE);
        let read = timeout_at(until, stream.read_exact(bytes)).await;
        read.map_err(|e| BlobError::Broken(e.into()))?.map_err(BlobError::Broken)
    }
}

#[cfg(test)]
mod tests;
