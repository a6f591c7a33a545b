//! A record with the signature of the node that it speaks for.

use std::marker::PhantomData;

use libp2p::{PeerId, identity};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Checked, Malformed, at_most, decode, encode};

/// A kind of record that a node signs.
pub trait Signable: Serialize + DeserializeOwned + Checked {
    /// What is signed is this text followed by the encoded record, so that no signature of one kind
    /// passes for another.
    const DOMAIN: &'static str;
    /// Largest encoded record, in bytes.
    const MAX: usize;

    /// The node that has to have signed it.
    fn signer(&self) -> Option<PeerId>;
}

/// A record as it was signed. Only [`Signed::verify`] gives what it says.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    /// The encoded record.
    #[serde(with = "serde_bytes")]
    body: Vec<u8>,
    /// The signer's public key, as libp2p encodes it (protobuf).
    #[serde(with = "serde_bytes")]
    key: Vec<u8>,
    /// Ed25519 (RFC 8032).
    #[serde(with = "serde_bytes")]
    signature: Vec<u8>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

/// Why a signed record is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The record cannot be read.
    #[error("the signed record cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The key cannot be read.
    #[error("the key of the signed record cannot be read")]
    Key,
    /// Signed by another node than it speaks for.
    #[error("the record is signed by another node than it speaks for")]
    Signer,
    /// The signature does not fit.
    #[error("the record's signature does not fit")]
    Signature,
    /// Our own key could not sign.
    #[error("the record could not be signed: {0}")]
    Signing(String),
}

impl<T: Signable> Signed<T> {
    /// Signs a record.
    pub fn sign(record: &T, keypair: &identity::Keypair) -> Result<Self, SignedError> {
        record.check()?;
        let body = encode(record)?;
        at_most(T::DOMAIN, body.len(), T::MAX)?;
        let signature = keypair
            .sign(&signed_bytes::<T>(&body))
            .map_err(|e| SignedError::Signing(e.to_string()))?;
        Ok(Self { body, key: keypair.public().encode_protobuf(), signature, of: PhantomData })
    }

    /// Checks limits, signer and signature, and gives the record.
    pub fn verify(&self) -> Result<T, SignedError> {
        self.check()?;
        let record: T = decode(&self.body)?;
        record.check()?;
        let key =
            identity::PublicKey::try_decode_protobuf(&self.key).map_err(|_| SignedError::Key)?;
        if record.signer() != Some(key.to_peer_id()) {
            return Err(SignedError::Signer);
        }
        if !key.verify(&signed_bytes::<T>(&self.body), &self.signature) {
            return Err(SignedError::Signature);
        }
        Ok(record)
    }
}

impl<T: Signable> Checked for Signed<T> {
    fn check(&self) -> Result<(), Malformed> {
        at_most(T::DOMAIN, self.body.len(), T::MAX)?;
        at_most("key", self.key.len(), 64)?;
        at_most("signature", self.signature.len(), 64)
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        let Self { body, key, signature, of } = self;
        Self { body: body.clone(), key: key.clone(), signature: signature.clone(), of: *of }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.body, &self.key, &self.signature) == (&other.body, &other.key, &other.signature)
    }
}

impl<T> std::fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

fn signed_bytes<T: Signable>(body: &[u8]) -> Vec<u8> {
    [T::DOMAIN.as_bytes(), body].concat()
}
