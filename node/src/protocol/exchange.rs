//! The exchange by which two directories become equal, and what is gossiped between exchanges.

use serde::{Deserialize, Serialize};

use super::{Checked, Malformed, SignedAdvert, at_most};

/// Most entries of a digest: the size of a full directory.
pub const MAX_DIGEST: usize = 4096;
/// Most adverts in one exchange message; the rest follows in the next.
pub const MAX_ADVERTS: usize = 128;
/// Most bytes of adverts in one exchange message.
pub const MAX_ADVERT_BYTES: usize = 256 * 1024;

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// BLAKE3 over the sorted digest: equal roots end the exchange.
    #[serde(with = "serde_bytes")]
    pub root: [u8; 32],
    /// What the sender knows. `None` asks whether the roots are equal, no more.
    pub digest: Option<Vec<DigestEntry>>,
    /// Adverts that the receiver asked for, or the sender's own on connecting.
    pub adverts: Vec<SignedAdvert>,
}

/// One known node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The node's peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// The highest sequence number known of it.
    pub seq: u64,
}

/// The other side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExchangeReply {
    /// Whether the roots were equal.
    pub same: bool,
    /// Adverts that the asker lacks or has older.
    pub adverts: Vec<SignedAdvert>,
    /// Ids whose adverts the answerer lacks or has older.
    pub want: Vec<serde_bytes::ByteBuf>,
}

/// What is gossiped (gossipsub topic `potluck/1/<mesh>`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rumour {
    /// A new advert.
    Advert(SignedAdvert),
    /// A neighbour stopped answering. Receivers check before they believe it; the node itself
    /// answers with a new advert.
    Lost(LossNotice),
}

/// A neighbour stopped answering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossNotice {
    /// Who.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// The last sequence number that the reporter knows of it.
    pub seq: u64,
}

impl Checked for Exchange {
    fn check(&self) -> Result<(), Malformed> {
        if let Some(digest) = &self.digest {
            at_most("digest", digest.len(), MAX_DIGEST)?;
            for entry in digest {
                at_most("id", entry.id.len(), 64)?;
            }
        }
        check_adverts(&self.adverts)
    }
}

impl Checked for ExchangeReply {
    fn check(&self) -> Result<(), Malformed> {
        at_most("want", self.want.len(), MAX_DIGEST)?;
        for id in &self.want {
            at_most("id", id.len(), 64)?;
        }
        check_adverts(&self.adverts)
    }
}

impl Checked for Rumour {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Advert(signed) => signed.check(),
            Self::Lost(notice) => at_most("id", notice.id.len(), 64),
        }
    }
}

fn check_adverts(adverts: &[SignedAdvert]) -> Result<(), Malformed> {
    at_most("adverts", adverts.len(), MAX_ADVERTS)?;
    adverts.iter().try_for_each(Checked::check)
}
