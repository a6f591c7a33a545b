//! Frames on a stream: a length (u32, big endian) and one CBOR value.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::mpsc, time::timeout};

use crate::protocol::{Checked, MAX_FRAME_TIME, Malformed, decode};

/// Frames that wait to be written; who adds more waits.
pub(super) const QUEUE: usize = 64;
/// Frames that are written together.
const TOGETHER: usize = 32;

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

/// Writes frames until the channel closes. Those that wait go out together.
pub(super) async fn write<W>(
    mut writer: W,
    mut frames: mpsc::Receiver<Frame>,
    patience: Duration,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut waiting = Vec::with_capacity(TOGETHER);
    while frames.recv_many(&mut waiting, TOGETHER).await > 0 {
        let out = async {
            match waiting.as_slice() {
                [one] => writer.write_all(one).await?,
                many => writer.write_all(&many.concat()).await?,
            }
            writer.flush().await
        };
        timeout(patience, out).await.map_err(|e| io::Error::new(io::ErrorKind::TimedOut, e))??;
        waiting.clear();
    }
    writer.close().await
}
