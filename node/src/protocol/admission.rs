//! The first words on a connection: who knocks, and whether there is room.
//!
//! Whoever dialled sends a [`Hello`], the other answers a [`Verdict`]: one frame each, a length
//! (u32, big endian) and one CBOR value, on the first stream.

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Checked, MAX_NAME, Malformed, at_most, encode};

/// The libp2p stream protocol of admission.
pub const ADMISSION_PROTOCOL: &str = "/potluck/admission/1";
/// The version of all protocols that this node speaks.
pub const VERSION: u16 = 2;
/// Largest frame, in bytes.
pub const MAX_FRAME: usize = 4096;
/// Whom a node that is full names, at most.
pub const MAX_OTHERS: usize = 4;
/// Addresses of each of them, at most.
pub const MAX_OTHER_ADDRESSES: usize = 8;

/// What whoever dialled says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version that it speaks.
    pub version: u16,
    /// The mesh that it belongs to; empty for a private one.
    pub mesh: String,
    /// Of a node of a private mesh: what only who knows that mesh can read
    /// ([`super::membership::Pass`]).
    #[serde(default, with = "serde_bytes", skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Vec<u8>>,
}

/// What the other side answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Come in.
    Admitted {
        /// The version that the answerer speaks.
        version: u16,
        /// The mesh that it belongs to.
        mesh: String,
    },
    /// There is no room.
    Full {
        /// When to come back, in milliseconds.
        retry_after_ms: u32,
        /// Whom to try instead.
        others: Vec<Other>,
    },
    /// The answerer belongs to this mesh.
    OtherMesh {
        /// Its name.
        mesh: String,
    },
    /// The answerer speaks this version.
    OtherVersion {
        /// The version.
        version: u16,
    },
    /// Of a node of a private mesh: what only who knows that mesh can read
    /// ([`super::membership::Welcome`]).
    Sealed(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// A node that may have room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Its peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// Its multiaddrs, as bytes.
    pub addresses: Vec<ByteBuf>,
}

impl Hello {
    /// What a node of this version and of that mesh says.
    pub fn new(mesh: impl Into<String>) -> Self {
        Self { version: VERSION, mesh: mesh.into(), sealed: None }
    }
}

impl Verdict {
    /// That there is no room, naming as many others as a frame holds.
    pub fn full(retry_after_ms: u64, others: &[(PeerId, Vec<Multiaddr>)]) -> Self {
        let retry_after_ms = u32::try_from(retry_after_ms).unwrap_or(u32::MAX);
        Self::Full { retry_after_ms, others: some_others(others) }
    }
}

/// As many others as a frame holds.
pub fn some_others(others: &[(PeerId, Vec<Multiaddr>)]) -> Vec<Other> {
    let mut named: Vec<_> = others.iter().take(MAX_OTHERS).map(Other::new).collect();
    loop {
        // A part of the frame is for what is said around them.
        let fits = encode(&named).is_ok_and(|bytes| bytes.len() <= MAX_FRAME - 128);
        if fits || named.pop().is_none() {
            return named;
        }
    }
}

impl Other {
    fn new((id, addresses): &(PeerId, Vec<Multiaddr>)) -> Self {
        let addresses = addresses.iter().take(MAX_OTHER_ADDRESSES);
        let addresses = addresses.map(|address| ByteBuf::from(address.to_vec())).collect();
        Self { id: id.to_bytes(), addresses }
    }

    /// The node and where it may be reached; `None` where the id is not a peer id.
    pub fn peer(&self) -> Option<(PeerId, Vec<Multiaddr>)> {
        let addresses = self.addresses.iter();
        let addresses = addresses.filter_map(|it| Multiaddr::try_from(it.to_vec()).ok()).collect();
        Some((PeerId::from_bytes(&self.id).ok()?, addresses))
    }
}

impl Checked for Hello {
    fn check(&self) -> Result<(), Malformed> {
        at_most("mesh", self.mesh.len(), MAX_NAME)?;
        at_most("sealed", self.sealed.as_ref().map_or(0, Vec::len), MAX_FRAME)
    }
}

impl Checked for Verdict {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Admitted { mesh, .. } | Self::OtherMesh { mesh } => {
                at_most("mesh", mesh.len(), MAX_NAME)
            }
            Self::OtherVersion { .. } => Ok(()),
            Self::Full { others, .. } => check_others(others),
            Self::Sealed(bytes) => at_most("sealed", bytes.len(), MAX_FRAME),
        }
    }
}

/// Checks the limits of a list of others.
pub(super) fn check_others(others: &[Other]) -> Result<(), Malformed> {
    at_most("others", others.len(), MAX_OTHERS)?;
    others
        .iter()
        .try_for_each(|other| at_most("addresses", other.addresses.len(), MAX_OTHER_ADDRESSES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::decode;

    /// `{"version": 2, "mesh": "lab", "pass": h'00'}`, written by hand: what a later version says.
    #[test]
    fn a_hello_with_more_in_it_is_read() {
        let bytes = [
            &[0xa3, 0x67][..],
            b"version",
            &[0x02, 0x64],
            b"mesh",
            &[0x63],
            b"lab",
            &[0x64],
            b"pass",
            &[0x41, 0x00],
        ];
        assert_eq!(decode(&bytes.concat()), Ok(Hello::new("lab")));
    }

    #[test]
    fn others_beyond_a_frame_are_left_out() {
        let long = format!("/dns/{}/tcp/1", "x".repeat(200));
        let address: Multiaddr = long.parse().expect("an address");
        let others: Vec<_> =
            (0..9).map(|_| (PeerId::random(), vec![address.clone(); 20])).collect();
        let full = Verdict::full(5_000, &others);
        assert_eq!(full.check(), Ok(()));
        assert!(encode(&full).expect("encodes").len() <= MAX_FRAME);
        let Verdict::Full { others: named, .. } = &full else { panic!("{full:?}") };
        assert_eq!(named[0].peer(), Some((others[0].0, vec![address; MAX_OTHER_ADDRESSES])));
    }

    #[test]
    fn limits_are_checked() {
        let hello = Hello::new("m".repeat(MAX_NAME + 1));
        assert!(hello.check().is_err());
        let other = Other { id: vec![], addresses: vec![ByteBuf::new(); MAX_OTHER_ADDRESSES + 1] };
        let crowd = Verdict::Full { retry_after_ms: 0, others: vec![other.clone()] };
        assert!(crowd.check().is_err());
        let others = vec![Other { addresses: vec![], ..other }; MAX_OTHERS + 1];
        assert!(Verdict::Full { retry_after_ms: 0, others }.check().is_err());
    }
}
