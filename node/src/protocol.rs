//! Every type that crosses the wire, in CBOR, with its limits. `docs/protocol.md` is the prose.
//!
//! Decoding never trusts a length: message sizes are capped before they are read ([`codec`]) and
//! every list and string is checked afterwards ([`Checked`]).

pub mod admission;
pub mod advert;
pub mod call;
pub mod codec;
pub mod exchange;
pub mod membership;
pub mod signed;

pub use admission::{ADMISSION_PROTOCOL, Hello, Verdict};
pub use advert::{Advert, AdvertError, Offer, Repeat, SignedAdvert};
pub use call::{Answer, Ask, CallOutcome, CallRequest, Fault, FaultKind, Output, Payload, Tell};
pub use codec::{Codec, Malformed};
pub use exchange::{DigestEntry, Exchange, ExchangeReply, Loss, Near, Rumour, SignedLoss};
pub use membership::{Certificate, Credential, ROLL_PROTOCOL, Role};

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

/// The libp2p protocol that carries every [`Request`] and its [`Response`].
pub const EXCHANGE_PROTOCOL: &str = "/potluck/exchange/2";
/// The libp2p stream protocol that carries calls: [`Ask`] one way, [`Tell`] the other.
pub const CALL_PROTOCOL: &str = "/potluck/call/2";
/// The libp2p stream protocol that moves blobs.
pub const BLOB_PROTOCOL: &str = "/potluck/blob/1";
/// The libp2p stream protocol that watches whether a neighbour still runs.
pub const PULSE_PROTOCOL: &str = "/potluck/pulse/1";
/// Prefix of identify's `protocolVersion`; the mesh name follows it.
pub const IDENTIFY_PREFIX: &str = "potluck/2/";

/// Largest encoded request, in bytes.
pub const MAX_REQUEST: usize = 384 * 1024;
/// Largest encoded response, in bytes.
pub const MAX_RESPONSE: usize = 1024 * 1024;
/// Largest input that travels inside a call; anything larger is a blob.
pub const MAX_INLINE: usize = 256 * 1024;
/// Largest encoded arguments of a call, in bytes.
pub const MAX_ARGS: usize = 64 * 1024;
/// Longest name (node, mesh, capability, model, device), in bytes.
pub const MAX_NAME: usize = 128;
/// Longest text that is shown to a person (fault, progress note), in bytes.
pub const MAX_TEXT: usize = 2048;
/// Longest words of a fault: its key, and its values with their names.
pub const MAX_WORDS: usize = 4096;
/// Longest time that a call may take.
pub const MAX_DEADLINE_MS: u32 = 60 * 60 * 1000;
/// Largest data that comes with an answer.
pub const MAX_DATA: u64 = 1 << 30;
/// Calls of one line that run at once.
pub const MAX_RUNNING: usize = 256;
/// Messages of one peer that cannot be read before it is hung up on.
pub const MAX_MALFORMED: u32 = 32;
/// How long a message may take to arrive once it was begun.
pub const MAX_FRAME_TIME: Duration = Duration::from_secs(20);

/// What one node asks of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Compare directories and hand over what the other lacks.
    Exchange(Exchange),
    /// The sender closes this connection to save resources and is still there for calls.
    /// Answered with [`Response::Done`].
    Parting,
    /// Nodes have buried the receiver with this sequence number: it publishes a newer advert. Answered
    /// with [`Response::Done`].
    Overdue {
        /// The number to exceed.
        seq: u64,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Response {
    /// Taken; nothing to say.
    Done,
    /// The answer to a [`Request::Exchange`].
    Exchange(ExchangeReply),
    /// This peer asked too often; the next exchange is soon enough.
    Busy,
    /// The request could not be read. The connection stays open.
    Malformed {
        /// What was wrong, for the author of the other client.
        reason: String,
    },
}

/// Limits that a type's shape alone cannot express.
pub trait Checked {
    /// Says which limit is broken, if one is.
    fn check(&self) -> Result<(), Malformed>;
}

impl Checked for Request {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Parting | Self::Overdue { .. } => Ok(()),
            Self::Exchange(exchange) => exchange.check(),
        }
    }
}

impl Checked for Response {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Done | Self::Busy => Ok(()),
            Self::Exchange(reply) => reply.check(),
            Self::Malformed { reason } => at_most("reason", reason.len(), MAX_TEXT),
        }
    }
}

/// Encodes a value as CBOR (RFC 8949); structs are maps with text keys.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Malformed> {
    cbor4ii::serde::to_vec(Vec::new(), value).map_err(|e| Malformed::Encode(e.to_string()))
}

/// Decodes one CBOR value that fills `bytes` exactly.
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Malformed> {
    use cbor4ii::core::utils::SliceReader;
    let mut reader = SliceReader::new(bytes);
    let value = {
        let mut de = cbor4ii::serde::Deserializer::new(&mut reader);
        T::deserialize(&mut de).map_err(|e| Malformed::Decode(shorten(&e.to_string(), 200)))?
    };
    match cbor4ii::core::dec::Read::fill(&mut reader, 1) {
        Ok(rest) if !rest.as_ref().is_empty() => Err(Malformed::Trailing),
        _ => Ok(value),
    }
}

/// Takes any CBOR number for an `f32` field: encoders of other languages choose the shortest form
/// (RFC 8949, section 4.2.2). For `#[serde(deserialize_with)]`.
pub fn any_f32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = f32;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }
        fn visit_f64<E>(self, value: f64) -> Result<f32, E> {
            Ok(value as f32)
        }
        fn visit_u64<E>(self, value: u64) -> Result<f32, E> {
            Ok(value as f32)
        }
        fn visit_i64<E>(self, value: i64) -> Result<f32, E> {
            Ok(value as f32)
        }
    }
    deserializer.deserialize_any(Number)
}

/// Cuts a text to at most `max` bytes at a character boundary.
pub fn shorten(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// For `#[serde(with)]`: a value as its text, such as a peer id.
pub(crate) mod as_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

pub(crate) fn at_most(what: &'static str, is: usize, max: usize) -> Result<(), Malformed> {
    if is > max {
        return Err(Malformed::Limit { what, is, max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Speed {
        #[serde(deserialize_with = "any_f32")]
        s: f32,
    }

    /// Byte strings of RFC 8949, appendix A.
    #[test]
    fn every_encoding_of_a_number_is_taken() {
        let table: [(&[u8], f32); 7] = [
            (&[0xf9, 0x3e, 0x00], 1.5),
            (&[0xfa, 0x47, 0xc3, 0x50, 0x00], 100_000.0),
            (&[0xfb, 0xc0, 0x10, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66], -4.1),
            (&[0x00], 0.0),
            (&[0x18, 0x64], 100.0),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], 1_000_000.0),
            (&[0x38, 0x63], -100.0),
        ];
        for (number, value) in table {
            let bytes = [&[0xa1, 0x61, b's'], number].concat();
            assert_eq!(decode::<Speed>(&bytes), Ok(Speed { s: value }), "{number:?}");
        }
        assert!(decode::<Speed>(&[0xa1, 0x61, b's', 0x61, b'x']).is_err());
    }
}
