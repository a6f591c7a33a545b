//! Frames on a stream: a length (u32, big endian) and one CBOR value.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
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
/// Frames that are written together. Where 32 calls are under way, this keeps both sides at work: with
/// all 32 in one packet, each would wait for the other.
const TOGETHER: usize = 8;
/// How often the writer stands back for more of them.
const GATHER: usize = 4;

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

/// A frame that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Unreadable {
    /// What is wrong.
    pub(super) why: Malformed,
    /// The call that it is about, where that much could be read.
    pub(super) call: Option<u64>,
}

/// Reads one frame; `None` at the end of the stream. A frame that cannot be read as a `T` is an
/// error inside, and the next one can be read; one above `max` bytes is not skipped.
///
/// Between frames any time may pass. A frame that was begun has to arrive within
/// [`MAX_FRAME_TIME`].
pub(super) async fn read<T, R>(
    reader: &mut R,
    max: usize,
) -> io::Result<Option<Result<T, Unreadable>>>
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
            return Ok(Err(Unreadable { why: Malformed::TooLarge { max }, call: None }));
        }
        // Grows as bytes arrive: an announced length alone allocates next to nothing.
        let mut bytes = Vec::with_capacity(length.min(4096));
        (&mut *reader).take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let read = decode::<T>(&bytes).and_then(|value| value.check().map(|()| value));
        Ok(read.map_err(|why| Unreadable { why, call: number(&bytes) }))
    };
    timeout(MAX_FRAME_TIME, rest)
        .await
        .map_err(|e| io::Error::new(io::ErrorKind::TimedOut, e))?
        .map(Some)
}

/// The number of the call that a frame is about, although the rest of it is wrong.
fn number(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    enum About {
        Call { call: u64 },
        Cancel { call: u64 },
        Answer { call: u64 },
        Progress { call: u64 },
    }
    let (About::Call { call }
    | About::Cancel { call }
    | About::Answer { call }
    | About::Progress { call }) = decode(bytes).ok()?;
    Some(call)
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
    // Where frames came together last, more are likely on their way.
    let mut company = false;
    loop {
        let rests = frames.is_empty();
        if frames.recv_many(&mut waiting, TOGETHER).await == 0 {
            return writer.close().await;
        }
        if company {
            gather(&mut frames, &mut waiting).await;
        }
        company = waiting.len() > 1;
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

/// Stands back for the tasks that add frames, as long as they do: written together, they take a
/// fraction of the packets.
async fn gather<F>(frames: &mut mpsc::Receiver<F>, waiting: &mut Vec<F>) {
    for _ in 0..GATHER {
        let before = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < TOGETHER
            && let Ok(frame) = frames.try_recv()
        {
            waiting.push(frame);
        }
        if waiting.len() == before || waiting.len() >= TOGETHER {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Ask, CallRequest, MAX_DEADLINE_MS, MAX_REQUEST};

    async fn unreadable(bytes: &[u8]) -> Unreadable {
        let length = u32::try_from(bytes.len()).expect("it fits").to_be_bytes();
        let mut stream = futures::io::Cursor::new([&length[..], bytes].concat());
        let read = read::<Ask, _>(&mut stream, MAX_REQUEST).await.expect("whole");
        read.expect("a frame").expect_err("it is wrong")
    }

    #[tokio::test]
    async fn the_number_of_a_call_is_read_although_the_rest_is_wrong() {
        let request = CallRequest {
            call: 77,
            capability: "chat/1".to_owned(),
            deadline_ms: MAX_DEADLINE_MS + 1,
            args: vec![],
            input: None,
            progress: false,
        };
        let late = crate::protocol::encode(&Ask::Call(request)).expect("encodes");
        assert_eq!(unreadable(&late).await.call, Some(77));
        // {"Call": {"call": 7, "capability": 5}}, and the same with its end cut off.
        let odd = [&[0xa1, 0x64][..], b"Call", &[0xa2, 0x64], b"call", &[7, 0x6a], b"capability"];
        let odd = odd.concat();
        assert_eq!(unreadable(&[&odd[..], &[5]].concat()).await.call, Some(7));
        assert_eq!(unreadable(&odd).await.call, None);
        assert_eq!(unreadable(&[0xff]).await.call, None);
        assert_eq!(unreadable(&[]).await.call, None);
    }

    #[tokio::test]
    async fn frames_come_out_whole_and_in_order_however_large() {
        use tokio_util::compat::TokioAsyncReadCompatExt as _;
        let (here, there) = tokio::io::duplex(1000);
        let (sender, waiting) = mpsc::channel(100);
        let sizes = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7, 5, 5, 5];
        let mut wanted = Vec::new();
        for (n, size) in sizes.into_iter().enumerate() {
            let frame = vec![n as u8; size];
            wanted.extend_from_slice(&frame);
            sender.send(frame).await.expect("there is room");
        }
        drop(sender);
        let writing = tokio::spawn(write(here.compat(), waiting, Duration::from_secs(20)));
        let mut got = Vec::new();
        there.compat().read_to_end(&mut got).await.expect("read");
        writing.await.expect("no panic").expect("written");
        assert!(got == wanted);
    }

    #[tokio::test]
    async fn who_takes_too_little_is_given_up_on() {
        use tokio_util::compat::TokioAsyncReadCompatExt as _;
        let (here, there) = tokio::io::duplex(1000);
        let (sender, waiting) = mpsc::channel(100);
        sender.send(vec![0; 10 * PIECE]).await.expect("there is room");
        let writing = write(here.compat(), waiting, Duration::from_millis(200));
        let mut there = there.compat();
        let drips = async {
            while there.read_exact(&mut [0; 100]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            ended = writing => {
                assert_eq!(ended.map_err(|e| e.kind()), Err(io::ErrorKind::TimedOut));
            }
            () = drips => panic!("the writer went on"),
        }
        drop(sender);
    }
}
