//! Frames of the control channel: a length (u32, big endian) and CBOR.

use std::io;

use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::ControlError;
use crate::protocol;

/// Largest frame to the node: a call with its input.
pub(super) const MAX_ASK: usize = 4 << 20;
/// Largest frame from the node: a view with the largest directory.
pub(super) const MAX_TELL: usize = 128 << 20;

/// Reads a frame of at most `most` bytes. What was announced is taken up as it comes, not before.
pub(super) async fn read<T, R>(reader: &mut R, most: usize) -> Result<T, ControlError>
where
    T: DeserializeOwned,
    R: AsyncRead + Unpin,
{
    let length = reader.read_u32().await?;
    if length as usize > most {
        return Err(ControlError::Unexpected(format!("a message of {length} bytes")));
    }
    let mut bytes = Vec::new();
    reader.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() < length as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    protocol::decode(&bytes).map_err(|e| ControlError::Unexpected(e.to_string()))
}

/// Writes a frame of at most `most` bytes.
pub(super) async fn write<T, W>(writer: &mut W, frame: &T, most: usize) -> Result<(), ControlError>
where
    T: Serialize,
    W: AsyncWrite + Unpin,
{
    let body =
        protocol::encode(frame).map_err(|e| ControlError::Unexpected(format!("own frame: {e}")))?;
    let length = u32::try_from(body.len()).ok().filter(|n| *n as usize <= most);
    let length = length
        .ok_or_else(|| ControlError::Unexpected(format!("a message of {} bytes", body.len())))?;
    writer.write_all(&length.to_be_bytes()).await?;
    writer.write_all(&body).await?;
    Ok(writer.flush().await?)
}
