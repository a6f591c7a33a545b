//! The handshake of a new connection, before anything else is said on it: whether both ends are of
//! one mesh and speak one version, and whether there is room (`docs/protocol.md`, Admission).

use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Checked, MAX_NAME, Malformed, at_most};

/// The stream protocol of the handshake.
pub const ADMISSION_PROTOCOL: &str = "/potluck/admission/1";
/// The version of all other protocols together.
pub const VERSION: u16 = 2;
/// Largest frame of the handshake, in bytes.
pub const MAX_FRAME: usize = 4096;
/// Most peers that a full node names.
pub const MAX_OTHERS: usize = 4;
/// Most addresses of each.
pub const MAX_OTHER_ADDRESSES: usize = 4;

/// What the dialling side says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u16,
    /// The mesh that it belongs to.
    pub mesh: String,
}

/// What the listening side answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Come in; the listening side is of this version and mesh.
    Admitted(Hello),
    /// There is no room now.
    Full {
        /// When to come back, in ms.
        retry_after_ms: u32,
        /// Whom to try instead.
        others: Vec<Other>,
    },
    /// The listening side belongs to another mesh.
    OtherMesh {
        /// Which.
        mesh: String,
    },
    /// The listening side speaks another version.
    OtherVersion {
        /// Which.
        version: u16,
    },
}

/// Somebody to try instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The peer id, as bytes.
    #[serde(with = "serde_bytes")]
    pub id: Vec<u8>,
    /// Binary multiaddrs.
    pub addresses: Vec<ByteBuf>,
}

impl Other {
    /// A peer with its addresses, as many as are allowed.
    pub fn new(peer: &PeerId, addresses: &[Multiaddr]) -> Self {
        let addresses = addresses.iter().take(MAX_OTHER_ADDRESSES);
        let addresses = addresses.map(|address| ByteBuf::from(address.to_vec())).collect();
        Self { id: peer.to_bytes(), addresses }
    }

    /// The same, as far as it can be read.
    pub fn read(&self) -> Option<(PeerId, Vec<Multiaddr>)> {
        let peer = PeerId::from_bytes(&self.id).ok()?;
        let read = |bytes: &ByteBuf| Multiaddr::try_from(bytes.to_vec()).ok();
        Some((peer, self.addresses.iter().filter_map(read).collect()))
    }
}

impl Checked for Hello {
    fn check(&self) -> Result<(), Malformed> {
        at_most("mesh", self.mesh.len(), MAX_NAME)
    }
}

impl Checked for Verdict {
    fn check(&self) -> Result<(), Malformed> {
        match self {
            Self::Admitted(hello) => hello.check(),
            Self::OtherMesh { mesh } => at_most("mesh", mesh.len(), MAX_NAME),
            Self::OtherVersion { .. } => Ok(()),
            Self::Full { others, .. } => {
                at_most("others", others.len(), MAX_OTHERS)?;
                others.iter().try_for_each(|other| {
                    at_most("id", other.id.len(), 64)?;
                    at_most("addresses", other.addresses.len(), MAX_OTHER_ADDRESSES)?;
                    let long = other.addresses.iter().map(|address| address.len()).max();
                    at_most("address", long.unwrap_or(0), 256)
                })
            }
        }
    }
}
