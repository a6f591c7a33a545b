//! What is written on the outside: envelopes, and the receipts for them.

use std::{fmt, str::FromStr};

use libp2p::PeerId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::{
    Checked, Malformed, at_most,
    signed::{Signable, Signed},
};

/// Largest sealed letter: that of a blob.
pub const MAX_SEALED: u64 = 1 << 40;
/// Longest time that a letter may wait: 21 days, by the wall clock.
pub const LONGEST_MS: u64 = 21 * 24 * 60 * 60 * 1000;
/// Longest text form of a sealing key, in bytes: `age1…` has 62.
pub const MAX_SEALING: usize = 80;

/// Names one envelope. It follows from sender, recipient, number and time, so that nobody can give
/// another sender's letter's name to their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvelopeId(pub [u8; 16]);

/// A sealed letter, as those who carry it see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// 1.
    pub version: u16,
    /// Its name.
    pub id: EnvelopeId,
    /// The sender's client id, as bytes.
    #[serde(with = "serde_bytes")]
    pub from: Vec<u8>,
    /// The recipient's, likewise.
    #[serde(with = "serde_bytes")]
    pub to: Vec<u8>,
    /// The key that it is sealed to, as age writes it (`age1…`).
    pub sealing: String,
    /// BLAKE3 of the sealed letter.
    #[serde(with = "serde_bytes")]
    pub hash: [u8; 32],
    /// How many bytes that has.
    pub size: u64,
    /// Its place among the letters of this sender to this recipient, from 1 on.
    pub number: u64,
    /// When it was written: Unix time in milliseconds, by the sender's clock.
    pub written_at: u64,
    /// When nobody need keep it any longer, likewise.
    pub expires_at: u64,
}

/// An envelope as its sender signed it.
pub type SignedEnvelope = Signed<Envelope>;

/// What became of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A keeper has it on its disk.
    Held,
    /// The recipient has it on its disk.
    Delivered,
    /// The recipient will not take it: it cannot be opened, or is not what it says.
    Refused,
    /// The recipient's person has seen it.
    Read,
}

/// Says what became of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// 1.
    pub version: u16,
    /// Of which envelope.
    pub envelope: EnvelopeId,
    /// BLAKE3 of the sealed letter that came with it.
    #[serde(with = "serde_bytes")]
    pub hash: [u8; 32],
    /// What became of it.
    pub fate: Fate,
    /// Who says so, as bytes.
    #[serde(with = "serde_bytes")]
    pub by: Vec<u8>,
    /// When: Unix time in milliseconds.
    pub at: u64,
    /// Why it was refused, for a person.
    pub why: Option<String>,
}

/// A receipt as it was signed.
pub type SignedReceipt = Signed<Receipt>;

impl EnvelopeId {
    /// The name of a letter: the first 16 bytes of the BLAKE3 hash of `potluck-envelope-id-1:`, sender
    /// and recipient, each after its length in one byte, number and time, both as eight bytes, the
    /// highest first.
    pub fn of(from: &[u8], to: &[u8], number: u64, written_at: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"potluck-envelope-id-1:");
        for id in [from, to] {
            let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
            hasher.update(&[length]).update(id);
        }
        hasher.update(&number.to_be_bytes()).update(&written_at.to_be_bytes());
        let mut name = [0; 16];
        hasher.finalize_xof().fill(&mut name);
        Self(name)
    }
}

impl Envelope {
    /// The sender.
    pub fn sender(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.from).ok()
    }

    /// The recipient.
    pub fn recipient(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.to).ok()
    }

    /// Whether nobody need keep it any longer. A clock that is wrong keeps it for as long as an
    /// envelope may wait at most, counted from `since`, when it came.
    pub fn expired(&self, since: u64, now: u64) -> bool {
        now >= self.expires_at.min(since.saturating_add(LONGEST_MS))
    }
}

impl Receipt {
    /// Who says so.
    pub fn author(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.by).ok()
    }
}

impl Signable for Envelope {
    const DOMAIN: &'static str = "potluck-envelope-1:";
    const MAX: usize = 1024;

    fn signer(&self) -> Option<PeerId> {
        self.sender()
    }
}

impl Signable for Receipt {
    const DOMAIN: &'static str = "potluck-receipt-1:";
    const MAX: usize = 1024;

    fn signer(&self) -> Option<PeerId> {
        self.author()
    }
}

impl Checked for Envelope {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 1 {
            return Err(Malformed::Version(self.version));
        }
        if self.sender().is_none() || self.recipient().is_none() {
            return Err(Malformed::Value("the sender or the recipient is no client id"));
        }
        if self.id != EnvelopeId::of(&self.from, &self.to, self.number, self.written_at) {
            return Err(Malformed::Value("the name of the letter is not that of its sender"));
        }
        if self.size > MAX_SEALED {
            return Err(Malformed::Value("the letter has over 1 TiB"));
        }
        if self.expires_at > self.written_at.saturating_add(LONGEST_MS) {
            return Err(Malformed::Value("the letter wants to wait for over 21 days"));
        }
        at_most("sealing key", self.sealing.len(), MAX_SEALING)
    }
}

impl Checked for Receipt {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 1 {
            return Err(Malformed::Version(self.version));
        }
        at_most("id", self.by.len(), 64)?;
        at_most("reason", self.why.as_ref().map_or(0, String::len), 256)
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is no id of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not the id of a letter: it has 32 digits, 0 to 9 and a to f")]
pub struct NoEnvelopeId;

impl FromStr for EnvelopeId {
    type Err = NoEnvelopeId;

    fn from_str(text: &str) -> Result<Self, NoEnvelopeId> {
        if text.len() != 32 || !text.is_ascii() {
            return Err(NoEnvelopeId);
        }
        u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| NoEnvelopeId)
    }
}

/// As bytes on the wire, as text for people.
impl Serialize for EnvelopeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_bytes(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for EnvelopeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let bytes: &serde_bytes::Bytes = Deserialize::deserialize(deserializer)?;
        <[u8; 16]>::try_from(&bytes[..])
            .map(Self)
            .map_err(|_| D::Error::custom("the id of an envelope has 16 bytes"))
    }
}
