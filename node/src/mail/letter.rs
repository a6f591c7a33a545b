//! What is inside of an envelope: text and files, packed, signed and sealed.
//!
//! The sealed bytes are an age file (`age-encryption.org/v1`) whose plaintext is a tar archive
//! followed by the *seal*: the sender's signature over sender, recipient, sealing key, envelope,
//! time and the BLAKE3 hash of the archive. So `age -d -i sealing.keys FILE | tar x` opens a
//! letter, and somebody who passes a letter on, sealed anew, is found out (D. Davis, "Defective Sign
//! & Encrypt in S/MIME, PKCS#7, MOSS, PEM, PGP, and XML", 2001).
//!
//! In the archive, `message.txt` is the text, and what is below `files/` are files and folders.
//! Everything here blocks on the disk: not for async threads.

mod open;
mod pack;
mod unpack;

pub use open::{Contents, Listed, OpenError, open};
pub use pack::{Draft, Packed, SealError, To, seal};
pub use unpack::{UnpackError, unpack};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, EnvelopeId, MAX_SEALING};
use crate::protocol::{
    Checked, Malformed, at_most,
    signed::{Signable, Signed},
};

/// Longest text, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Most files and folders of one letter.
pub const MAX_ENTRIES: usize = 1_000_000;
/// Deepest folder, and the longest path, in bytes.
pub const MAX_DEPTH: usize = 64;
const MAX_PATH: usize = 4096;
/// Where the text and the files are in the archive.
const TEXT: &str = "message.txt";
const FILES: &str = "files/";
/// Bytes of zeros that end an archive.
const END: usize = 1024;
/// Most bytes of a seal, signature and all.
const MAX_SEAL: u64 = 4096;

/// What the sender signs inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    /// 1.
    version: u16,
    envelope: EnvelopeId,
    #[serde(with = "serde_bytes")]
    from: Vec<u8>,
    #[serde(with = "serde_bytes")]
    to: Vec<u8>,
    sealing: String,
    /// BLAKE3 of the archive.
    #[serde(with = "serde_bytes")]
    payload: [u8; 32],
    number: u64,
    written_at: u64,
}

impl Seal {
    /// Whether this was written for that envelope.
    fn fits(&self, envelope: &Envelope, payload: &[u8; 32]) -> bool {
        self.envelope == envelope.id
            && self.from == envelope.from
            && self.to == envelope.to
            && self.sealing == envelope.sealing
            && self.payload == *payload
            && self.number == envelope.number
            && self.written_at == envelope.written_at
    }
}

impl Signable for Seal {
    const DOMAIN: &'static str = "potluck-letter-1:";
    const MAX: usize = 1024;

    fn signer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.from).ok()
    }
}

impl Checked for Seal {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 1 {
            return Err(Malformed::Version(self.version));
        }
        at_most("id", self.from.len().max(self.to.len()), 64)?;
        at_most("sealing key", self.sealing.len(), MAX_SEALING)
    }
}

type SignedSeal = Signed<Seal>;

#[cfg(test)]
mod tests;
