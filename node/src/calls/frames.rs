//! Frames on a stream: a length (u32, big endian) and one CBOR value.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    pace::Pace,
    protocol::{Checked, MAX_FRAME_TIME, Malformed, decode},
};

/// Frames that wait to be written; who adds more waits.
pub(super) const QUEUE: usize = 64;
/// Frames that are written together.
const TOGETHER: usize = 32;

/// Bytes that are written at a time.
const PIECE: usize = 64 * 1024;
/// Bytes a second that have to be taken while something waits.
const LEAST: u32 = 8 * 1024;

/// An encoded frame, its length included.
pub(super) type Frame = Vec<u8>;

/// Encodes a frame of at most `max` bytes.
pub(super) fn frame<T: Serialize>(value: &T, max: usize) -> Result<Frame, Malformed> {
    let mut bytes =
        cbor4ii::serde::to_vec(vec![0; 4], value).map_err(|e| Malformed::Encode(e.to_string()))?;
    let length = bytes.len() - 4;
    if length > max {
        return Err(Malformed::TooLarge { max });
    }
    let length = u32::try_from(length).map_err(|_| Malformed::TooLarge { max })?;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    Ok(bytes)
}

/// Reads one frame; `None` at the end of the stream. A frame that cannot be read as a `T` is an
/// error inside, and the next one can be read; one above `max` bytes is not skipped.
///
/// Between frames any time may pass. A frame that was begun has to arrive within
/// [`MAX_FRAME_TIME`].
pub(super) async fn read<T, R>(
    reader: &mut R,
    max: usize,
) -> io::Result<Option<Result<T, Malformed>>>
where
    T: DeserializeOwned + Checked,
    R: AsyncRead + Unpin,
{
    let mut length = [0; 4];
    if reader.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    let rest = async {
        reader.read_exact(&mut length[1..]).await?;
        let length = u32::from_be_bytes(length) as usize;
        if length > max {
            return Ok(Err(Malformed::TooLarge { max }));
        }
        // Grows as bytes arrive: an announced length alone allocates next to nothing.
        let mut bytes = Vec::with_capacity(length.min(4096));
        (&mut *reader).take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(decode::<T>(&bytes).and_then(|value| value.check().map(|()| value)))
    };
    timeout(MAX_FRAME_TIME, rest)
        .await
        .map_err(|e| io::Error::new(io::ErrorKind::TimedOut, e))?
        .map(Some)
}

/// Writes frames until the channel closes. Those that wait go out together, and are dropped when
/// they were written. The other side has to take them: `patience` is how long it may take nothing,
/// or less than [`LEAST`], while something waits for it.
pub(super) async fn write<W, F>(
    mut writer: W,
    mut frames: mpsc::Receiver<F>,
    patience: Duration,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
    F: AsRef<[u8]>,
{
    let mut pace = Pace::new(LEAST, patience, Instant::now());
    let mut waiting = Vec::with_capacity(TOGETHER);
    loop {
        let rests = frames.is_empty();
        if frames.recv_many(&mut waiting, TOGETHER).await == 0 {
            return writer.close().await;
        }
        if rests {
            pace.rest(Instant::now());
        }
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            let (some, later) = rest.split_at(fitting(rest));
            match some {
                [one] => put(&mut writer, one.as_ref(), &mut pace).await?,
                many => {
                    let together: Vec<u8> = many.iter().map(F::as_ref).collect::<Vec<_>>().concat();
                    put(&mut writer, &together, &mut pace).await?;
                }
            }
            rest = later;
        }
        timeout_at(pace.deadline(), writer.flush()).await??;
        waiting.clear();
    }
}

/// How many of the first frames fit into one piece; at least one.
fn fitting<F: AsRef<[u8]>>(frames: &[F]) -> usize {
    let mut bytes = 0;
    let fits = frames.iter().take_while(|frame| {
        bytes += frame.as_ref().len();
        bytes <= PIECE
    });
    fits.count().max(1)
}

async fn put<W>(writer: &mut W, bytes: &[u8], pace: &mut Pace) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    for piece in bytes.chunks(PIECE) {
        timeout_at(pace.deadline(), writer.write_all(piece)).await??;
        pace.moved(piece.len(), Instant::now());
    }
    Ok(())
}
