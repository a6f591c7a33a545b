//! The blob protocol on the wire (`docs/protocol.md`).
//!
//! Ask: hash (32 bytes), first group wanted (u32, big endian). Answer: one status byte (0 = here
//! it is), size (u64), the outline (32 bytes a group), then the bytes from that group to the end.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol, swarm::Stream};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

use super::{
    BlobError, Offered, Source,
    outline::{GROUP, Outline, group_count},
};
use crate::{places::Places, protocol::BLOB_PROTOCOL};

/// Files that are being fetched begin so.
pub(super) const PART_PREFIX: &str = "part-";
/// Blobs that are sent at once.
const MAX_SENDING: usize = 64;
/// The same to one peer.
const SENDING_EACH: usize = 24;
/// Bytes that go between disk and network at a time: whole groups.
const STEP: usize = 4 * GROUP;
/// Longest silence in the middle of a transfer.
const SILENCE: Duration = Duration::from_secs(10);
/// How often a broken transfer is taken up again without getting any further.
const RESUMES: u32 = 5;
const HERE: u8 = 0;
const NOT_OFFERED: u8 = 1;

pub(super) async fn serve(
    mut incoming: crate::network::streams::IncomingStreams,
    offers: Arc<Mutex<HashMap<[u8; 32], Offered>>>,
) {
    let mut places = Places::new(MAX_SENDING, SENDING_EACH);
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.take(peer) else { continue };
        let offers = offers.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = send(peer, stream, &offers).await {
                tracing::debug!(%peer, %error, "a blob was not sent to the end");
            }
        });
    }
}

async fn send(
    peer: PeerId,
    mut stream: Stream,
    offers: &Mutex<HashMap<[u8; 32], Offered>>,
) -> io::Result<()> {
    let mut ask = [0; 36];
    timeout(SILENCE, stream.read_exact(&mut ask)).await??;
    let (mut hash, mut first) = ([0; 32], [0; 4]);
    hash.copy_from_slice(&ask[..32]);
    first.copy_from_slice(&ask[32..]);
    let found = {
        let offers = offers.lock().unwrap_or_else(PoisonError::into_inner);
        offers
            .get(&hash)
            .filter(|offered| offered.peers.contains(&peer))
            .map(|offered| (offered.source.clone(), offered.outline.clone()))
    };
    let Some((source, outline)) = found else {
        stream.write_all(&[NOT_OFFERED]).await?;
        return stream.close().await;
    };
    stream.write_all(&[HERE]).await?;
    stream.write_all(&outline.size().to_be_bytes()).await?;
    stream.write_all(outline.groups().as_flattened()).await?;
    let start = u64::from(u32::from_be_bytes(first)) * GROUP as u64;
    send_from(&mut stream, &source, start.min(outline.size())).await?;
    stream.close().await
}

async fn send_from(stream: &mut Stream, source: &Source, start: u64) -> io::Result<()> {
    match source {
        Source::Bytes(bytes) => {
            let rest = usize::try_from(start).ok().and_then(|at| bytes.get(at..));
            for chunk in rest.unwrap_or_default().chunks(GROUP) {
                timeout(SILENCE, stream.write_all(chunk)).await??;
            }
        }
        Source::File(_) | Source::Temporary(_) => {
            let path = source.path().unwrap_or(Path::new("")).to_owned();
            let mut reading = spawn_blocking(move || {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(start))?;
                read_step(file)
            });
            loop {
                let (file, step) = reading.await??;
                if step.is_empty() {
                    break;
                }
                // The disk is read while the network takes what was read before.
                reading = spawn_blocking(move || read_step(file));
                timeout(SILENCE, stream.write_all(&step)).await??;
            }
        }
    }
    stream.flush().await
}

/// The next bytes of a file; none at its end.
fn read_step(file: File) -> io::Result<(File, Vec<u8>)> {
    let mut step = Vec::with_capacity(STEP);
    (&file).take(STEP as u64).read_to_end(&mut step)?;
    Ok((file, step))
}

pub(super) async fn fetch(
    mut streams: crate::network::streams::Control,
    folder: &Path,
    peer: PeerId,
    hash: [u8; 32],
    size: u64,
) -> Result<tempfile::TempPath, BlobError> {
    let named = tempfile::Builder::new()
        .prefix(PART_PREFIX)
        .tempfile_in(folder)
        .map_err(BlobError::Disk)?;
    let (file, path) = named.into_parts();
    let file = Arc::new(file);
    let mut got = 0;
    let mut failures = 0;
    loop {
        let before = got;
        match fetch_from(&mut streams, peer, &hash, size, &mut got, &file).await {
            Ok(()) => break,
            Err(BlobError::Broken(error)) => {
                failures = if got > before { 0 } else { failures + 1 };
                tracing::debug!(%peer, %error, groups = got, "a blob is taken up again");
                if failures >= RESUMES {
                    return Err(BlobError::Broken(error));
                }
                tokio::time::sleep(Duration::from_millis(100 << failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// Fetches from group `got` on and counts it up with each group that is checked and written.
async fn fetch_from(
    streams: &mut crate::network::streams::Control,
    peer: PeerId,
    hash: &[u8; 32],
    size: u64,
    got: &mut u32,
    file: &Arc<File>,
) -> Result<(), BlobError> {
    let broken = BlobError::Broken;
    let open = streams.open_stream(peer, StreamProtocol::new(BLOB_PROTOCOL));
    let mut stream = timeout(SILENCE, open)
        .await
        .map_err(|e| broken(e.into()))?
        .map_err(|e| broken(io::Error::other(e.to_string())))?;
    let mut ask = [0; 36];
    ask[..32].copy_from_slice(hash);
    ask[32..].copy_from_slice(&got.to_be_bytes());
    stream.write_all(&ask).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let outline = Arc::new(read_outline(&mut stream, hash, size).await?);
    let mut keeping: Option<JoinHandle<Result<u32, BlobError>>> = None;
    let mut next = *got;
    let mut arrived = Ok(());
    while arrived.is_ok() && (next as usize) < outline.groups().len() {
        let end = outline.groups().len().min(next as usize + STEP / GROUP);
        let mut groups = Vec::with_capacity(STEP);
        for index in next as usize..end {
            let start = groups.len();
            groups.resize(start + outline.group_len(index), 0);
            let read = timeout(SILENCE, stream.read_exact(&mut groups[start..]));
            arrived = read.await.map_err(io::Error::from).flatten();
            if arrived.is_err() {
                groups.truncate(start);
                break;
            }
        }
        // One step is checked and written while the next one arrives.
        if let Some(kept) = keeping.take() {
            *got = done(kept).await?;
        }
        let (file, outline, first) = (file.clone(), outline.clone(), next);
        next += (groups.len().div_ceil(GROUP)) as u32;
        keeping = Some(spawn_blocking(move || keep(&file, &outline, first, &groups)));
    }
    if let Some(kept) = keeping {
        *got = done(kept).await?;
    }
    arrived.map_err(broken)
}

async fn done(keeping: JoinHandle<Result<u32, BlobError>>) -> Result<u32, BlobError> {
    keeping.await.map_err(|e| BlobError::Disk(e.into()))?
}

/// Checks groups and writes them; gives the group after them.
fn keep(file: &File, outline: &Outline, first: u32, groups: &[u8]) -> Result<u32, BlobError> {
    let mut index = first;
    for group in groups.chunks(GROUP) {
        if !outline.fits(index as usize, group) {
            return Err(BlobError::Wrong);
        }
        index += 1;
    }
    let mut file = file;
    let at = SeekFrom::Start(u64::from(first) * GROUP as u64);
    file.seek(at).and_then(|_| file.write_all(groups)).map_err(BlobError::Disk)?;
    Ok(index)
}

async fn read_outline(
    stream: &mut Stream,
    hash: &[u8; 32],
    size: u64,
) -> Result<Outline, BlobError> {
    let head = async {
        let mut status = [0; 1];
        stream.read_exact(&mut status).await.map_err(BlobError::Broken)?;
        if status[0] != HERE {
            return Err(BlobError::NotOffered);
        }
        let mut told = [0; 8];
        stream.read_exact(&mut told).await.map_err(BlobError::Broken)?;
        if u64::from_be_bytes(told) != size {
            return Err(BlobError::Wrong);
        }
        // Grows as values arrive, so an announced size alone allocates nothing.
        let mut groups = Vec::new();
        for _ in 0..group_count(size) {
            let mut value = [0; 32];
            stream.read_exact(&mut value).await.map_err(BlobError::Broken)?;
            groups.push(value);
        }
        Outline::verified(hash, size, groups).map_err(|_| BlobError::Wrong)
    };
    timeout(SILENCE, head).await.map_err(|e| BlobError::Broken(e.into()))?
}
