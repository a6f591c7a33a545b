//! The exchange by which two directories become equal, and what is gossiped between exchanges.

use libp2p::{
    PeerId,
    identity::{Keypair, PublicKey},
};
use serde::{Deserialize, Serialize};

use super::{Checked, Malformed, SignedAdvert, at_most, decode, encode};

/// Most entries of a digest: the size of a full directory.
pub const MAX_DIGEST: usize = 4096;
/// Most adverts in one exchange message; the rest follows in the next.
pub const MAX_ADVERTS: usize = 128;
/// Most bytes of adverts in one exchange message.
pub const MAX_ADVERT_BYTES: usize = 256 * 1024;
/// Most losses in an answer.
pub const MAX_LOSSES: usize = 32;
/// Most nodes of which an exchange says where they listen in the LAN.
pub const MAX_NEAR: usize = 32;
/// Most addresses of one of them.
pub const MAX_NEAR_ADDRESSES: usize = 8;
/// Largest [`SignedLoss`], in bytes.
pub const MAX_LOSS: usize = 1024;

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
    /// Where the sender and others listen in the LAN; only where an entry node is known, and only to
    /// peers in the same network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
}

/// Where a node listens in its own network, which its advert does not say any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// The node's peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// Binary multiaddrs of private ranges.
    pub addresses: Vec<serde_bytes::ByteBuf>,
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
    /// Word of losses of nodes that the asker still has.
    #[serde(default)]
    pub losses: Vec<SignedLoss>,
    /// As in [`Exchange`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
}

/// What is gossiped (gossipsub topic `potluck/2/<mesh>`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rumour {
    /// A new advert.
    Advert(SignedAdvert),
    /// A peer stopped answering whoever was connected to it. Receivers check before they believe it
    /// and before they hand it on; the peer itself answers with a new advert.
    Lost(SignedLoss),
}

/// Word that a peer stopped answering over a connection that stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// 1.
    pub version: u16,
    /// Who was lost.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// The last sequence number that the witness knows of it.
    pub seq: u64,
    /// The witness: who was connected to it.
    #[serde(with = "serde_bytes")]
    pub by: Vec<u8>,
}

/// A [`Loss`] with the proof that its witness wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedLoss {
    /// The encoded [`Loss`].
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// The witness's public key in libp2p's protobuf encoding.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Ed25519 over `"potluck-loss-1:"` and the body.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// Why word of a loss is not looked into.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LossError {
    /// The bytes are not word of a loss.
    #[error("word of a loss cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The key or the signature is not that of the witness it names.
    #[error("word of a loss is not signed by the witness that it names")]
    Witness,
    /// Our own key could not sign.
    #[error("word of a loss could not be signed: {0}")]
    Signing(String),
}

impl Loss {
    /// What is signed is this text followed by the body.
    const DOMAIN: &[u8] = b"potluck-loss-1:";

    /// Who was lost, or `None` if the id is not a peer id.
    pub fn peer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.id).ok()
    }

    /// Who says so, or `None` if the id is not a peer id.
    pub fn witness(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.by).ok()
    }

    /// Word of the loss of `peer`, whose last number was `seq`, signed by the witness.
    pub fn sign(peer: &PeerId, seq: u64, by: &Keypair) -> Result<SignedLoss, LossError> {
        let witness = by.public().to_peer_id();
        let loss = Self { version: 1, id: peer.to_bytes(), seq, by: witness.to_bytes() };
        let body = encode(&loss)?;
        let signature = by
            .sign(&[Self::DOMAIN, &body].concat())
            .map_err(|e| LossError::Signing(e.to_string()))?;
        Ok(SignedLoss { body, key: by.public().encode_protobuf(), signature })
    }
}

impl SignedLoss {
    /// Checks limits, key and signature, and gives the word.
    pub fn verify(&self) -> Result<Loss, LossError> {
        self.check()?;
        let loss: Loss = decode(&self.body)?;
        if loss.version != 1 {
            return Err(Malformed::Version(loss.version).into());
        }
        let key = PublicKey::try_decode_protobuf(&self.key).map_err(|_| LossError::Witness)?;
        let signed = [Loss::DOMAIN, &self.body].concat();
        if loss.witness() != Some(key.to_peer_id()) || !key.verify(&signed, &self.signature) {
            return Err(LossError::Witness);
        }
        Ok(loss)
    }
}

impl Checked for Exchange {
    fn check(&self) -> Result<(), Malformed> {
        if let Some(digest) = &self.digest {
            at_most("digest", digest.len(), MAX_DIGEST)?;
            for entry in digest {
                at_most("id", entry.id.len(), 64)?;
            }
        }
        check_near(&self.near)?;
        check_adverts(&self.adverts)
    }
}

impl Checked for ExchangeReply {
    fn check(&self) -> Result<(), Malformed> {
        at_most("want", self.want.len(), MAX_DIGEST)?;
        for id in &self.want {
            at_most("id", id.len(), 64)?;
        }
        at_most("losses", self.losses.len(), MAX_LOSSES)?;
        self.losses.iter().try_for_each(Checked::check)?;
        check_near(&self.near)?;
        check_adverts(&self.adverts)
    }
}

impl Checked for Rumour {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Advert(signed) => signed.check(),
            Self::Lost(signed) => signed.check(),
        }
    }
}

impl Checked for SignedLoss {
    fn check(&self) -> Result<(), Malformed> {
        at_most("loss", self.body.len() + self.key.len() + self.signature.len(), MAX_LOSS)
    }
}

fn check_near(near: &[Near]) -> Result<(), Malformed> {
    at_most("near", near.len(), MAX_NEAR)?;
    for told in near {
        at_most("id", told.id.len(), 64)?;
        at_most("addresses", told.addresses.len(), MAX_NEAR_ADDRESSES)?;
        for address in &told.addresses {
            at_most("address", address.len(), 256)?;
        }
    }
    Ok(())
}

fn check_adverts(adverts: &[SignedAdvert]) -> Result<(), Malformed> {
    at_most("adverts", adverts.len(), MAX_ADVERTS)?;
    adverts.iter().try_for_each(Checked::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_of_a_loss_is_its_witnesses_own() {
        let (witness, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let lost = other.public().to_peer_id();
        let signed = Loss::sign(&lost, 7, &witness).expect("signs");
        let loss = signed.verify().expect("verifies");
        assert_eq!((loss.peer(), loss.seq), (Some(lost), 7));
        assert_eq!(loss.witness(), Some(witness.public().to_peer_id()));

        let mut forged = signed.clone();
        forged.key = other.public().encode_protobuf();
        assert_eq!(forged.verify(), Err(LossError::Witness));
        let mut changed = signed.clone();
        changed.body = encode(&Loss { seq: 8, ..loss }).expect("encodes");
        assert_eq!(changed.verify(), Err(LossError::Witness));
        let mut long = signed;
        long.key = vec![0; MAX_LOSS];
        assert!(matches!(long.verify(), Err(LossError::Malformed(_))));
    }
}
