//! Invites: one string that a person pastes, with all that a node needs to become a member.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use libp2p::{Multiaddr, PeerId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::protocol::{MAX_NAME, decode, encode, membership::TOKEN};

/// What stands before it, so that people and programs know it when they see it.
pub const PREFIX: &str = "potluck-invite:";
/// Longest invite, in characters.
const MAX: usize = 2048;
/// Addresses in an invite, at most: it is to be read by a camera too.
pub const MAX_ADDRESSES: usize = 4;
/// Bytes of BLAKE3 that show whether an invite was copied whole.
const CHECK: usize = 4;

/// What an invite says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The mesh: the peer id of its founder's key.
    pub mesh: PeerId,
    /// What it is called.
    pub name: String,
    /// The admin who signs the certificate.
    pub admin: PeerId,
    /// Buys one.
    pub token: [u8; TOKEN],
    /// Where the admin's node is.
    pub addresses: Vec<Multiaddr>,
}

/// Why a text is no invite, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It does not begin like one.
    #[error("this is no invite: one begins with {PREFIX}. `potluck mesh invite` makes one")]
    Prefix,
    /// It is cut short or changed.
    #[error("the invite was not copied whole: copy all of it, from {PREFIX} to its end")]
    Broken,
    /// It is of a later program.
    #[error("the invite is of a newer version of Potluck (invite version {0}); update this one")]
    Version(u16),
}

/// Version, mesh, name, admin, token, addresses: a CBOR array, to be short.
#[derive(Serialize, Deserialize)]
struct Wire(u16, ByteBuf, String, ByteBuf, ByteBuf, Vec<ByteBuf>);

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.addresses.iter().take(MAX_ADDRESSES);
        let wire = Wire(
            1,
            ByteBuf::from(self.mesh.to_bytes()),
            self.name.clone(),
            ByteBuf::from(self.admin.to_bytes()),
            ByteBuf::from(self.token),
            addresses.map(|it| ByteBuf::from(it.to_vec())).collect(),
        );
        let mut bytes = encode(&wire).map_err(|_| fmt::Error)?;
        let check = blake3::hash(&bytes);
        bytes.extend(&check.as_bytes()[..CHECK]);
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        // Mail programs and terminals break long lines.
        let text: String = text.split_whitespace().collect();
        let text = text.strip_prefix(PREFIX).ok_or(InviteError::Prefix)?;
        if text.len() > MAX {
            return Err(InviteError::Broken);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InviteError::Broken)?;
        let (said, check) = bytes.split_last_chunk::<CHECK>().ok_or(InviteError::Broken)?;
        if blake3::hash(said).as_bytes()[..CHECK] != check[..] {
            return Err(InviteError::Broken);
        }
        let Wire(version, mesh, name, admin, token, addresses) =
            decode(said).map_err(|_| InviteError::Broken)?;
        if version != 1 {
            return Err(InviteError::Version(version));
        }
        let peer = |bytes: &ByteBuf| PeerId::from_bytes(bytes).map_err(|_| InviteError::Broken);
        if name.len() > MAX_NAME {
            return Err(InviteError::Broken);
        }
        Ok(Self {
            mesh: peer(&mesh)?,
            name,
            admin: peer(&admin)?,
            token: token.into_vec().try_into().map_err(|_| InviteError::Broken)?,
            addresses: addresses
                .into_iter()
                .take(MAX_ADDRESSES)
                .filter_map(|bytes| Multiaddr::try_from(bytes.into_vec()).ok())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::peer;

    fn invite() -> Invite {
        Invite {
            mesh: peer(1),
            name: "实验室".into(),
            admin: peer(2),
            token: [9; TOKEN],
            addresses: vec!["/ip4/192.168.1.20/tcp/4001".parse().unwrap()],
        }
    }

    #[test]
    fn an_invite_comes_back_also_with_line_breaks() {
        let text = invite().to_string();
        assert!(text.starts_with(PREFIX) && text.len() < 300, "{text}");
        assert_eq!(text.parse(), Ok(invite()));
        let broken: String = text.as_bytes().chunks(40).fold(String::from("  "), |all, part| {
            all + std::str::from_utf8(part).unwrap() + "\r\n   "
        });
        assert_eq!(broken.parse(), Ok(invite()));
    }

    #[test]
    fn what_is_cut_or_changed_is_said() {
        let text = invite().to_string();
        for end in PREFIX.len()..text.len() {
            assert_eq!(text[..end].parse::<Invite>(), Err(InviteError::Broken), "{end}");
        }
        for at in PREFIX.len()..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(other.parse::<Invite>(), Err(InviteError::Broken), "{at}");
        }
        assert_eq!("12D3KooW".parse::<Invite>(), Err(InviteError::Prefix));
        assert_eq!("".parse::<Invite>(), Err(InviteError::Prefix));
    }
}
