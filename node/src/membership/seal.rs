//! What two nodes of a private mesh say first, unreadable for who does not know the mesh.
//!
//! Nodes of all meshes meet on a LAN and knock at each other's doors. Whoever is no member shall not
//! learn from a knock which mesh it is. Membership itself is proved by certificates: this hides them.
//!
//! ChaCha20-Poly1305 (RFC 8439) with a key of its own for each message: BLAKE3's `derive_key` of the
//! context, over the mesh, the two peers and a salt that goes first. So the nonce may be zero.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, aead::Aead as _};
use libp2p::PeerId;
use serde::{Serialize, de::DeserializeOwned};

use crate::protocol::{Checked, Malformed, decode, encode};

/// Bytes of the salt before the sealed bytes.
const SALT: usize = 32;

/// What is said, and so by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// By whoever dialled.
    Pass,
    /// The answer.
    Welcome,
}

impl Saying {
    fn context(self) -> &'static str {
        match self {
            Self::Pass => "potluck private mesh 1: pass",
            Self::Welcome => "potluck private mesh 1: welcome",
        }
    }
}

/// Seals what `from` says to `to`.
pub fn seal<T: Serialize>(
    what: &T,
    saying: Saying,
    mesh: &PeerId,
    from: &PeerId,
    to: &PeerId,
) -> Result<Vec<u8>, Malformed> {
    let salt: [u8; SALT] = rand::random();
    let sealed = cipher(saying, mesh, from, to, &salt)
        .encrypt(&Default::default(), encode(what)?.as_slice())
        .map_err(|_| Malformed::Value("cannot be sealed"))?;
    Ok([&salt[..], &sealed].concat())
}

/// Opens what `from` said to `to`; `None` where it is not for this mesh, or not sound.
pub fn open<T: DeserializeOwned + Checked>(
    bytes: &[u8],
    saying: Saying,
    mesh: &PeerId,
    from: &PeerId,
    to: &PeerId,
) -> Option<T> {
    let (salt, sealed) = bytes.split_first_chunk::<SALT>()?;
    let opened = cipher(saying, mesh, from, to, salt).decrypt(&Default::default(), sealed).ok()?;
    let said: T = decode(&opened).ok()?;
    said.check().ok().map(|()| said)
}

fn cipher(
    saying: Saying,
    mesh: &PeerId,
    from: &PeerId,
    to: &PeerId,
    salt: &[u8; SALT],
) -> ChaCha20Poly1305 {
    let mut hasher = blake3::Hasher::new_derive_key(saying.context());
    // The ids say themselves how long they are: they are multihashes.
    for id in [mesh, from, to] {
        hasher.update(&id.to_bytes());
    }
    hasher.update(salt);
    ChaCha20Poly1305::new(hasher.finalize().as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        directory::tests::peer,
        protocol::membership::{Pass, RollDigest},
    };

    #[test]
    fn only_who_knows_the_mesh_and_is_meant_reads_it() {
        let pass = Pass::Token { token: vec![7; 16], name: "mei".into() };
        let (mesh, from, to) = (peer(1), peer(2), peer(3));
        let sealed = seal(&pass, Saying::Pass, &mesh, &from, &to).unwrap();
        let read = |mesh, from, to| open::<Pass>(&sealed, Saying::Pass, mesh, from, to);
        assert_eq!(read(&mesh, &from, &to), Some(pass.clone()));
        for (mesh, from, to) in [(&to, &from, &to), (&mesh, &to, &to), (&mesh, &from, &mesh)] {
            assert_eq!(read(mesh, from, to), None);
        }
        assert_eq!(open::<Pass>(&sealed, Saying::Welcome, &mesh, &from, &to), None);
        assert_eq!(open::<RollDigest>(&sealed, Saying::Pass, &mesh, &from, &to), None);
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert_eq!(open::<Pass>(&other, Saying::Pass, &mesh, &from, &to), None);
            assert_eq!(open::<Pass>(&sealed[..at], Saying::Pass, &mesh, &from, &to), None);
        }
        let again = seal(&pass, Saying::Pass, &mesh, &from, &to).unwrap();
        assert_ne!(again, sealed, "two knocks look different");
    }
}
