//! The blob protocol on the wire (`docs/protocol.md`).
//!
//! Ask: hash (32 bytes), first group wanted (u32, big endian). Answer: one status byte (0 = here
//! it is), size (u64), the outline (32 bytes a group), then the bytes from that group to the end.
//! A blob of no bytes has one group of no bytes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol, swarm::Stream};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};

use super::{
    BlobError, Shares, Source, lock,
    outline::{GROUP, Outline, group_count},
};
use crate::{
    pace::Pace,
    protocol::BLOB_PROTOCOL,
    quota::{Limit, Shared},
};

/// Files that are being fetched begin so.
pub(super) const PART_PREFIX: &str = "part-";
/// Blobs that are sent at once.
const MAX_SENDING: u64 = 64;
/// The same to one peer.
const SENDING_EACH: u64 = 24;
/// Bytes that go between disk and network at a time: whole groups.
const STEP: usize = 4 * GROUP;
/// Longest silence in the middle of a transfer.
const SILENCE: Duration = Duration::from_secs(10);
/// Bytes a second that have to move, either way, averaged over [`WINDOW`]: dripping is silence.
pub(super) const LEAST: u32 = 16 * 1024;
/// How long a transfer may stay below that rate.
const WINDOW: Duration = Duration::from_secs(30);
/// Bytes that are written at a time, so that a slow receiver is seen to take some.
const PIECE: usize = 64 * 1024;
/// How often a broken transfer is taken up again without getting any further.
const RESUMES: u32 = 5;
const HERE: u8 = 0;
const NOT_SHARED: u8 = 1;

pub(super) async fn serve(mut incoming: crate::network::streams::IncomingStreams, shares: Shares) {
    let places = Shared::new(Limit::at_once(MAX_SENDING), Limit::at_once(SENDING_EACH));
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.hold(&peer, 1) else { continue };
        let shares = shares.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = send(peer, stream, &shares).await {
                tracing::debug!(%peer, %error, "a blob was not sent to the end");
            }
        });
    }
}

async fn send<S>(peer: PeerId, mut stream: S, shares: &Shares) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ask = [0; 36];
    timeout(SILENCE, stream.read_exact(&mut ask)).await??;
    let (mut hash, mut first) = ([0; 32], [0; 4]);
    hash.copy_from_slice(&ask[..32]);
    first.copy_from_slice(&ask[32..]);
    let found = {
        let mut shares = lock(shares);
        shares.get_mut(&hash).filter(|shared| shared.peers.contains(&peer)).map(|shared| {
            shared.used = std::time::Instant::now();
            (shared.source.clone(), shared.outline.clone())
        })
    };
    let mut sending = Sending { stream, pace: Pace::new(LEAST, WINDOW, Instant::now()) };
    let Some((source, outline)) = found else {
        sending.all(&[NOT_SHARED]).await?;
        return sending.end().await;
    };
    let mut head = vec![HERE];
    head.extend(outline.size().to_be_bytes());
    sending.all(&head).await?;
    sending.all(outline.groups().as_flattened()).await?;
    let start = u64::from(u32::from_be_bytes(first)) * GROUP as u64;
    send_from(&mut sending, &source, start.min(outline.size())).await?;
    if let Some(shared) = lock(shares).get_mut(&hash) {
        shared.used = std::time::Instant::now();
    }
    sending.end().await
}

/// A stream whose other side has to take what is written.
struct Sending<S> {
    stream: S,
    pace: Pace,
}

impl<S: AsyncWrite + Unpin> Sending<S> {
    async fn all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            let until = self.pace.deadline().min(Instant::now() + SILENCE);
            timeout_at(until, self.stream.write_all(piece)).await??;
            self.pace.moved(piece.len(), Instant::now());
        }
        Ok(())
    }

    async fn end(mut self) -> io::Result<()> {
        timeout(SILENCE, self.stream.close()).await?
    }
}

async fn send_from<S>(sending: &mut Sending<S>, source: &Source, start: u64) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let path = match source {
        Source::Bytes(bytes) => {
            let rest = usize::try_from(start).ok().and_then(|at| bytes.get(at..));
            return sending.all(rest.unwrap_or_default()).await;
        }
        _ => source.path().unwrap_or(Path::new("")).to_owned(),
    };
    let mut reading = spawn_blocking(move || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        read_step(file)
    });
    loop {
        let (file, step) = reading.await??;
        if step.is_empty() {
            return Ok(());
        }
        // The disk is read while the network takes what was read before.
        reading = spawn_blocking(move || read_step(file));
        sending.all(&step).await?;
    }
}

/// The next bytes of a file; none at its end.
fn read_step(file: File) -> io::Result<(File, Vec<u8>)> {
    let mut step = Vec::with_capacity(STEP);
    (&file).take(STEP as u64).read_to_end(&mut step)?;
    Ok((file, step))
}

/// Fetches a blob into a new file. Breaks off when it is silent or below the least rate for long,
/// whatever time the call has.
pub(super) async fn fetch(
    mut streams: crate::network::streams::Control,
    folder: &Path,
    peer: PeerId,
    hash: [u8; 32],
    size: u64,
) -> Result<tempfile::TempPath, BlobError> {
    let folder = folder.to_owned();
    let named = super::blocking(move || {
        let file = tempfile::Builder::new().prefix(PART_PREFIX).tempfile_in(folder);
        file.map_err(BlobError::Disk)
    });
    let (file, path) = named.await?.into_parts();
    let mut fetching = Fetching {
        hash,
        size,
        got: 0,
        file: Arc::new(file),
        outline: None,
        pace: Pace::new(LEAST, WINDOW, Instant::now()),
    };
    let mut failures = 0;
    loop {
        let before = fetching.got;
        let open = streams.open_stream(peer, StreamProtocol::new(BLOB_PROTOCOL));
        let opened = timeout(SILENCE, open).await.map_err(io::Error::from);
        let stream: io::Result<Stream> =
            opened.and_then(|stream| stream.map_err(|e| io::Error::other(e.to_string())));
        let ended = match stream {
            Ok(stream) => fetching.go_on(stream).await,
            Err(error) => Err(BlobError::Broken(error)),
        };
        match ended {
            Ok(()) => return Ok(path),
            Err(BlobError::Broken(_)) if Instant::now() >= fetching.pace.deadline() => {
                return Err(BlobError::Slow);
            }
            Err(BlobError::Broken(error)) => {
                failures = if fetching.got > before { 0 } else { failures + 1 };
                tracing::debug!(%peer, %error, groups = fetching.got, "a blob is taken up again");
                if failures >= RESUMES {
                    return Err(BlobError::Broken(error));
                }
                tokio::time::sleep(Duration::from_millis(100 << failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A blob that is being fetched, over as many streams as it takes.
struct Fetching {
    hash: [u8; 32],
    size: u64,
    /// Groups that are checked and written.
    got: u32,
    file: Arc<File>,
    /// Once it arrived. Every stream brings it again, which is no progress.
    outline: Option<Arc<Outline>>,
    pace: Pace,
}

impl Fetching {
    /// Fetches from group `got` on.
    async fn go_on<S>(&mut self, mut stream: S) -> Result<(), BlobError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let broken = BlobError::Broken;
        let mut ask = [0; 36];
        ask[..32].copy_from_slice(&self.hash);
        ask[32..].copy_from_slice(&self.got.to_be_bytes());
        let asked = async {
            stream.write_all(&ask).await?;
            stream.flush().await
        };
        timeout(SILENCE, asked).await.map_err(|e| broken(e.into()))?.map_err(broken)?;
        let outline = self.read_outline(&mut stream).await?;
        let mut keeping: Option<JoinHandle<Result<u32, BlobError>>> = None;
        let mut next = self.got as usize;
        let mut arrived = Ok(());
        while arrived.is_ok() && next < outline.groups().len() {
            let first = next;
            let end = outline.groups().len().min(first + STEP / GROUP);
            let mut groups = Vec::new();
            while next < end && arrived.is_ok() {
                let start = groups.len();
                groups.resize(start + outline.group_len(next), 0);
                arrived = self.read(&mut stream, &mut groups[start..]).await;
                match arrived {
                    Ok(()) => next += 1,
                    Err(_) => groups.truncate(start),
                }
            }
            // One step is checked and written while the next one arrives.
            if let Some(kept) = keeping.take() {
                let arrived_at = Instant::now();
                self.got = done(kept).await?;
                self.pace.excuse(arrived_at.elapsed());
            }
            let (file, outline) = (self.file.clone(), outline.clone());
            keeping = Some(spawn_blocking(move || keep(&file, &outline, first..next, &groups)));
        }
        if let Some(kept) = keeping {
            self.got = done(kept).await?;
        }
        arrived.map_err(broken)
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
        self.fill(stream, &mut head[1..]).await?;
        let [_, told @ ..] = head;
        if u64::from_be_bytes(told) != self.size {
            return Err(BlobError::Wrong);
        }
        // Grows as values arrive, so an announced size alone allocates nothing.
        let mut groups = Vec::new();
        let mut values = vec![0; 32 * 256];
        let mut missing = group_count(self.size);
        while missing > 0 {
            let count = missing.min(256);
            let some = &mut values[..32 * count as usize];
            self.fill(stream, some).await?;
            groups.extend(some.as_chunks::<32>().0);
            missing -= count;
        }
        let outline = Outline::verified(&self.hash, self.size, groups);
        let outline = Arc::new(outline.map_err(|_| BlobError::Wrong)?);
        self.outline = Some(outline.clone());
        Ok(outline)
    }

    /// Reads a part of the outline; only the first time it counts as something new.
    async fn fill<S>(&mut self, stream: &mut S, bytes: &mut [u8]) -> Result<(), BlobError>
    where
        S: AsyncRead + Unpin,
    {
        if self.outline.is_none() {
            return self.read(stream, bytes).await.map_err(BlobError::Broken);
        }
        let until = self.pace.deadline().min(Instant::now() + SILENCE);
        let read = timeout_at(until, stream.read_exact(bytes)).await;
        read.map_err(|e| BlobError::Broken(e.into()))?.map_err(BlobError::Broken)
    }
}

async fn done(keeping: JoinHandle<Result<u32, BlobError>>) -> Result<u32, BlobError> {
    keeping.await.map_err(|e| BlobError::Disk(e.into()))?
}

/// Checks groups and writes them; gives the group after them.
fn keep(
    file: &File,
    outline: &Outline,
    indices: std::ops::Range<usize>,
    groups: &[u8],
) -> Result<u32, BlobError> {
    let mut rest = groups;
    for index in indices.clone() {
        let group;
        (group, rest) = rest.split_at(outline.group_len(index).min(rest.len()));
        if !outline.fits(index, group) {
            return Err(BlobError::Wrong);
        }
    }
    let mut file = file;
    let at = SeekFrom::Start(indices.start as u64 * GROUP as u64);
    file.seek(at).and_then(|_| file.write_all(groups)).map_err(BlobError::Disk)?;
    u32::try_from(indices.end).map_err(|_| BlobError::Wrong)
}

#[cfg(test)]
mod tests;
