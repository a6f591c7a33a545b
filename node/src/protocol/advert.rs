//! Adverts: signed, sequence-numbered records of what a node offers now.

use libp2p::{Multiaddr, PeerId, identity};
use serde::{Deserialize, Serialize};

use super::{Checked, Credential, MAX_NAME, Malformed, at_most, decode, encode};
use crate::mail::envelope::MAX_SEALING;

/// Most addresses in an advert.
pub const MAX_ADDRESSES: usize = 16;
/// Most capabilities in an advert.
pub const MAX_OFFERS: usize = 64;
/// Most variants (models) of a capability.
pub const MAX_VARIANTS: usize = 32;
/// Largest encoded [`SignedAdvert`], in bytes.
pub const MAX_SIGNED: usize = 16 * 1024;
/// What is signed is this text followed by the body.
const DOMAIN: &[u8] = b"potluck-advert-1:";

/// What a node offers now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advert {
    /// 2.
    pub version: u16,
    /// The node's libp2p peer id, as bytes (multihash).
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// Rises with every advert of this node, over restarts too: it starts at the Unix time in
    /// milliseconds.
    pub seq: u64,
    /// Drawn at random when the process starts. Two values at once mean two processes with one
    /// identity.
    pub incarnation: u64,
    /// The nickname.
    pub name: String,
    /// The mesh that the node belongs to.
    pub mesh: String,
    /// Where it listens: binary multiaddrs without the peer id.
    pub addresses: Vec<serde_bytes::ByteBuf>,
    /// What it serves.
    pub offers: Vec<Offer>,
    /// The node is stopping: forget it.
    pub leaving: bool,
    /// What letters to it are sealed to: an age X25519 recipient (`age1…`). Only nodes that take
    /// letters have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<String>,
    /// It is an entry node: it relays for nodes that hold a place there, and keeps mail first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entry: bool,
    /// What makes it a member, in a private mesh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Credential>,
}

/// One capability as offered by one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// `name/version`, such as `recognize/1`.
    pub capability: String,
    /// `cpu`, `cuda`, or `remote` where a service elsewhere does the work.
    pub device: String,
    /// What does the work, such as `onnxruntime 1.30.0`; empty when there is nothing to say.
    pub engine: String,
    /// Milliseconds that one call takes when it is alone; 0 when unknown.
    #[serde(deserialize_with = "super::any_f32")]
    pub call_ms: f32,
    /// Calls that run at once.
    pub slots: u16,
    /// Calls that run or wait now.
    pub queue: u16,
    /// What can be asked for by name, such as models.
    pub variants: Vec<String>,
    /// Whether a call may be sent again.
    #[serde(default)]
    pub repeat: Repeat,
}

/// Whether a call may be sent to a second peer while or after a first one had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Running it twice does no harm.
    #[default]
    Safe,
    /// It costs somebody something: no second copy while the first may still be answered, and none
    /// after it was taken and lost.
    Costly,
    /// It changes something: no second copy once it may have begun, whatever came of it.
    Never,
}

/// An advert with the proof that its node wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedAdvert {
    /// The encoded [`Advert`].
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// The public key in libp2p's protobuf encoding.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Ed25519 over `"potluck-advert-1:"` and the body.
    #[serde(with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// Why an advert is not believed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AdvertError {
    /// The bytes are not an advert.
    #[error("the advert cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The key is not a libp2p public key.
    #[error("the advert's key is not a public key")]
    Key,
    /// The key does not belong to the id.
    #[error("the advert speaks for another node than its key")]
    WrongId,
    /// The signature does not fit.
    #[error("the advert's signature does not fit")]
    Signature,
    /// Our own key could not sign.
    #[error("the advert could not be signed: {0}")]
    Signing(String),
}

impl Advert {
    /// The node that wrote it, or `None` if the id is not a peer id.
    pub fn peer(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.id).ok()
    }

    /// The addresses that can be read.
    pub fn multiaddrs(&self) -> Vec<Multiaddr> {
        self.addresses.iter().filter_map(|bytes| Multiaddr::try_from(bytes.to_vec()).ok()).collect()
    }

    /// The offer of a capability, by its full name.
    pub fn offer(&self, capability: &str) -> Option<&Offer> {
        self.offers.iter().find(|o| o.capability == capability)
    }

    /// Signs the advert.
    pub fn sign(&self, keypair: &identity::Keypair) -> Result<SignedAdvert, AdvertError> {
        self.check()?;
        let body = encode(self)?;
        let signature =
            keypair.sign(&signed_bytes(&body)).map_err(|e| AdvertError::Signing(e.to_string()))?;
        Ok(SignedAdvert { body, key: keypair.public().encode_protobuf(), signature })
    }
}

impl Offer {
    /// Calls per second over all slots, for people; 0 when unknown.
    pub fn speed(&self) -> f32 {
        if self.call_ms > 0.0 { 1000.0 * f32::from(self.slots.max(1)) / self.call_ms } else { 0.0 }
    }
}

impl SignedAdvert {
    /// Checks key, id, signature and limits, and gives the advert.
    pub fn verify(&self) -> Result<Advert, AdvertError> {
        let advert: Advert = decode(&self.body)?;
        advert.check()?;
        let key =
            identity::PublicKey::try_decode_protobuf(&self.key).map_err(|_| AdvertError::Key)?;
        if advert.peer() != Some(key.to_peer_id()) {
            return Err(AdvertError::WrongId);
        }
        if !key.verify(&signed_bytes(&self.body), &self.signature) {
            return Err(AdvertError::Signature);
        }
        Ok(advert)
    }
}

impl Checked for SignedAdvert {
    fn check(&self) -> Result<(), Malformed> {
        at_most("advert", self.body.len() + self.key.len() + self.signature.len(), MAX_SIGNED)
    }
}

impl Checked for Advert {
    fn check(&self) -> Result<(), Malformed> {
        if self.version != 2 {
            return Err(Malformed::Version(self.version));
        }
        at_most("id", self.id.len(), 64)?;
        at_most("name", self.name.len(), MAX_NAME)?;
        at_most("mesh", self.mesh.len(), MAX_NAME)?;
        at_most("sealing key", self.sealing.as_ref().map_or(0, String::len), MAX_SEALING)?;
        self.pass.iter().try_for_each(Checked::check)?;
        at_most("addresses", self.addresses.len(), MAX_ADDRESSES)?;
        for address in &self.addresses {
            at_most("address", address.len(), 256)?;
        }
        at_most("offers", self.offers.len(), MAX_OFFERS)?;
        for offer in &self.offers {
            at_most("capability", offer.capability.len(), MAX_NAME)?;
            at_most("device", offer.device.len(), MAX_NAME)?;
            at_most("engine", offer.engine.len(), MAX_NAME)?;
            at_most("variants", offer.variants.len(), MAX_VARIANTS)?;
            for variant in &offer.variants {
                at_most("variant", variant.len(), MAX_NAME)?;
            }
            if !offer.call_ms.is_finite() || offer.call_ms < 0.0 {
                return Err(Malformed::Value("call_ms is not a number"));
            }
        }
        Ok(())
    }
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [DOMAIN, body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advert(key: &identity::Keypair) -> Advert {
        Advert {
            version: 2,
            id: key.public().to_peer_id().to_bytes(),
            seq: 7,
            incarnation: 9,
            name: "厨房".into(),
            mesh: "potluck".into(),
            addresses: vec![],
            offers: vec![],
            leaving: false,
            sealing: None,
            entry: false,
            pass: None,
        }
    }

    #[test]
    fn signed_advert_round_trips() {
        let key = identity::Keypair::generate_ed25519();
        let signed = advert(&key).sign(&key).expect("signs");
        assert_eq!(signed.verify().expect("verifies"), advert(&key));
    }

    #[test]
    fn forged_adverts_are_refused() {
        let key = identity::Keypair::generate_ed25519();
        let other = identity::Keypair::generate_ed25519();
        let mut signed = advert(&key).sign(&key).expect("signs");
        signed.signature[3] ^= 1;
        assert_eq!(signed.verify(), Err(AdvertError::Signature));

        let foreign = advert(&key).sign(&other).expect("signs");
        assert_eq!(foreign.verify(), Err(AdvertError::WrongId));

        let mut changed = advert(&key).sign(&key).expect("signs");
        changed.body = encode(&Advert { seq: 8, ..advert(&key) }).expect("encodes");
        assert_eq!(changed.verify(), Err(AdvertError::Signature));
    }
}
