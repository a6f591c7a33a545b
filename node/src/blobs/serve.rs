//! Serving blobs: who may have what is asked of those who know, then the bytes go out.
//!
//! On the wire (`docs/protocol.md`): ask with hash (32 bytes) and first group wanted (u32, big
//! endian). Answer: one status byte (0 = here it is), size (u64), the outline (32 bytes a group),
//! then the bytes from that group to the end. A blob of no bytes has one group of no bytes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    sync::Arc,
    time::Duration,
};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::PeerId;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Source,
    grants::{Grant as _, Grants},
    outline::{GROUP, Outline},
};
use crate::{
    pace::Pace,
    quota::{Limit, Shared},
};

/// Blobs that are sent at once.
const MAX_SENDING: u64 = 64;
/// The same to one peer.
const SENDING_EACH: u64 = 24;
/// Bytes that go between disk and network at a time: whole groups.
pub(super) const STEP: usize = 4 * GROUP;
/// Longest silence in the middle of a transfer.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// Bytes a second that have to move, either way, averaged over [`WINDOW`]: dripping is silence.
pub(crate) const LEAST: u32 = 16 * 1024;
/// How long a transfer may stay below that rate.
pub(super) const WINDOW: Duration = Duration::from_secs(30);
/// Bytes that are written at a time, so that a slow receiver is seen to take some.
const PIECE: usize = 64 * 1024;
/// The status bytes.
pub(super) const HERE: u8 = 0;
pub(super) const NOT_SHARED: u8 = 1;

/// Serves until it is dropped.
pub(super) async fn serve(
    mut incoming: crate::network::streams::IncomingStreams,
    grants: Arc<Grants>,
) {
    let places = Shared::new(Limit::at_once(MAX_SENDING), Limit::at_once(SENDING_EACH));
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.hold(&peer, 1) else { continue };
        let grants = grants.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = send(peer, stream, grants).await {
                tracing::debug!(%peer, %error, "a blob was not sent to the end");
            }
        });
    }
}

pub(super) async fn send<S>(peer: PeerId, mut stream: S, grants: Arc<Grants>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ask = [0; 36];
    timeout(SILENCE, stream.read_exact(&mut ask)).await??;
    let (mut hash, mut first) = ([0; 32], [0; 4]);
    hash.copy_from_slice(&ask[..32]);
    first.copy_from_slice(&ask[32..]);
    let asking = grants.clone();
    let found = spawn_blocking(move || asking.source(&peer, &hash)).await?;
    let mut sending = Sending { stream, pace: Pace::new(LEAST, WINDOW, Instant::now()) };
    let Some((source, outline)) = found else {
        sending.all(&[NOT_SHARED]).await?;
        return sending.end().await;
    };
    let mut head = vec![HERE];
    head.extend(outline.size().to_be_bytes());
    sending.all(&head).await?;
    sending.all(outline.groups().as_flattened()).await?;
    let first = u32::from_be_bytes(first) as usize;
    let note = |bytes| grants.note(&hash, Some(bytes));
    let sent = send_from(&mut sending, &source, &outline, first, note).await;
    grants.note(&hash, None);
    match &sent {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => grants.damaged(&hash),
        _ => grants.used(&hash),
    }
    sent?;
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

async fn send_from<S>(
    sending: &mut Sending<S>,
    source: &Source,
    outline: &Arc<Outline>,
    first: usize,
    note: impl Fn(u64),
) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    let start = (first as u64).saturating_mul(GROUP as u64).min(outline.size());
    let Some(path) = source.path().map(ToOwned::to_owned) else {
        let Source::Bytes(bytes) = source else { return Ok(()) };
        let rest = usize::try_from(start).ok().and_then(|at| bytes.get(at..));
        return sending.all(rest.unwrap_or_default()).await;
    };
    // What lies here for long may have changed by itself.
    let checked = matches!(source, Source::Stored(_)).then(|| outline.clone());
    let mut position = start;
    let mut reading = spawn_blocking(move || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        Reading { file, next: first, checked }.step()
    });
    loop {
        let (file, step) = reading.await??;
        if step.is_empty() {
            return Ok(());
        }
        // The disk is read while the network takes what was read before.
        reading = spawn_blocking(move || file.step());
        sending.all(&step).await?;
        position += step.len() as u64;
        note(position);
    }
}

/// A file that is read group by group.
struct Reading {
    file: File,
    next: usize,
    /// What each group has to be.
    checked: Option<Arc<Outline>>,
}

impl Reading {
    /// The next bytes of the file; none at its end.
    fn step(mut self) -> io::Result<(Self, Vec<u8>)> {
        let mut step = Vec::with_capacity(STEP);
        (&self.file).take(STEP as u64).read_to_end(&mut step)?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the data is damaged here");
        if let Some(outline) = &self.checked {
            for group in step.chunks(GROUP) {
                if !outline.fits(self.next, group) {
                    return Err(damaged());
                }
                self.next += 1;
            }
            let ended = self.next >= outline.groups().len() || outline.size() == 0;
            if step.is_empty() && !ended {
                return Err(damaged());
            }
        }
        Ok((self, step))
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::compat::TokioAsyncReadCompatExt as _;

    use super::*;

    #[tokio::test]
    async fn who_does_not_take_a_blob_is_given_up_on() {
        let (here, _there) = tokio::io::duplex(1000);
        let pace = Pace::new(LEAST, Duration::from_millis(50), Instant::now());
        let mut sending = Sending { stream: here.compat(), pace };
        let ended = sending.all(&vec![0; 1 << 20]).await;
        assert_eq!(ended.map_err(|e| e.kind()), Err(io::ErrorKind::TimedOut));
    }

    #[tokio::test]
    async fn what_changed_by_itself_is_not_served() {
        let bytes: Vec<u8> = (0..3 * GROUP).map(|n| (n / 7) as u8).collect();
        let outline = Arc::new(Outline::of(&bytes));
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut damaged = bytes.clone();
        damaged[GROUP + 5] ^= 4;
        std::fs::write(file.path(), damaged).expect("written");
        let source = Source::Stored(file.path().to_owned());
        for (first, fine) in [(0, false), (1, false), (2, true)] {
            let pace = Pace::new(LEAST, WINDOW, Instant::now());
            let mut sending = Sending { stream: futures::io::Cursor::new(Vec::new()), pace };
            let sent = send_from(&mut sending, &source, &outline, first, |_| {}).await;
            assert_eq!(sent.is_ok(), fine, "from group {first}: {sent:?}");
        }
    }
}
