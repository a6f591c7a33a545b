//! The codec of [`super::EXCHANGE_PROTOCOL`]: one CBOR value each way, ended by closing the stream.
//!
//! The stock CBOR codec of `libp2p-request-response` turns malformed and oversized messages into
//! silence. This one hands the reason up, so that the sender gets an answer.

use std::io;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Checked, MAX_FRAME_TIME, MAX_REQUEST, MAX_RESPONSE, Request, Response, decode, encode,
};

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not CBOR, or not of the expected shape.
    #[error("the message cannot be decoded: {0}")]
    Decode(String),
    /// Our own value could not be encoded.
    #[error("the message cannot be encoded: {0}")]
    Encode(String),
    /// More bytes than allowed.
    #[error("the message is larger than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// Bytes after the value.
    #[error("bytes follow the message")]
    Trailing,
    /// A list, string or number is beyond its limit.
    #[error("{what} is {is}, at most {max} is allowed")]
    Limit {
        /// Which field.
        what: &'static str,
        /// Its size.
        is: usize,
        /// The limit.
        max: usize,
    },
    /// A field has a value that means nothing.
    #[error("{0}")]
    Value(&'static str),
    /// A version that this node does not speak.
    #[error("version {0} is not understood; this node speaks version 1")]
    Version(u16),
    /// The sender stopped in the middle.
    #[error("the message did not arrive whole within {} s", MAX_FRAME_TIME.as_secs())]
    Slow,
}

/// The codec. Carries `Err` upwards where a message could not be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Codec;

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Result<Request, Malformed>;
    type Response = Result<Response, Malformed>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Self::Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        match tokio::time::timeout(MAX_FRAME_TIME, read(io, MAX_REQUEST)).await {
            Ok(read) => read,
            Err(_) => Ok(Err(Malformed::Slow)),
        }
    }

    // No time limit here: a response takes as long as the call, which has its own deadline.
    async fn read_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Self::Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, MAX_RESPONSE).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Self::Request,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, request, MAX_REQUEST).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Self::Response,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, response, MAX_RESPONSE).await
    }
}

/// Reads to the end of the stream, at most `max` bytes, growing the buffer as bytes arrive.
async fn read<T, M>(io: &mut T, max: usize) -> io::Result<Result<M, Malformed>>
where
    T: AsyncRead + Unpin + Send,
    M: DeserializeOwned + Checked,
{
    // Most messages fit at once; larger ones grow the buffer as they arrive.
    let mut bytes = Vec::with_capacity(1024);
    io.take(max as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.len() > max {
        return Ok(Err(Malformed::TooLarge { max }));
    }
    Ok(decode::<M>(&bytes).and_then(|message| message.check().map(|()| message)))
}

async fn write<T, M>(io: &mut T, message: Result<M, Malformed>, max: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
    M: Serialize,
{
    let bytes = message.and_then(|m| encode(&m)).map_err(io::Error::other)?;
    if bytes.len() > max {
        return Err(io::Error::other(Malformed::TooLarge { max }));
    }
    io.write_all(&bytes).await
}
