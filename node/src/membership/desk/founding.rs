//! What only the founder's key does: founding a mesh, keeping the key off line, bringing it back,
//! signing for admins; and leaving a mesh.

use std::path::Path;

use data_encoding::BASE64;
use libp2p::identity::{KeyType, Keypair};

use super::{Desk, FOUNDER_MS, File, Held, MeshError, files::read_file};
use crate::{
    membership::roll::Roll,
    private,
    protocol::{
        membership::{Certificate, Credential, Record, Role},
        signed::Signed,
    },
};

/// What stands before the key in a file that was exported.
const KEY: &str = "potluck-founder-key: ";
/// What stands before the mesh's name there.
const NAME: &str = "# mesh: ";
/// From this long before its end on, what the founder signed is renewed, in ms.
const EARLY_MS: u64 = FOUNDER_MS / 5 * 2;

impl Desk {
    /// Founds a mesh; this node is its first admin.
    pub fn create(&self, name: &str, me: &Keypair, now: u64) -> Result<Held, MeshError> {
        let _lock = self.lock()?;
        self.none_yet()?;
        self.found(name, me, &Keypair::generate_ed25519(), now)
    }

    /// Writes the founder's key to a file that only its owner reads; removes it here if it is to be
    /// kept there alone.
    pub fn export(&self, to: &Path, remove: bool) -> Result<(), MeshError> {
        let _lock = self.lock()?;
        let held = self.need()?;
        let key = self.founder_key()?.ok_or(MeshError::FounderOnly)?;
        if to.exists() {
            return Err(MeshError::Exists(to.display().to_string()));
        }
        let bytes = key.to_protobuf_encoding().map_err(std::io::Error::other)?;
        let text = format!(
            "{NAME}{}\n# id: {}\n# Whoever has this file rules the mesh. Keep it off line. To use it again:\n\
             # potluck mesh restore FILE\n{KEY}{}\n",
            held.name,
            held.mesh,
            BASE64.encode(&bytes),
        );
        private::replace(to, text.as_bytes())?;
        if remove {
            self.remove_founder_key()?;
        }
        Ok(())
    }

    /// Brings a founder's key back from a file. A node of no private mesh becomes the first admin of
    /// that mesh again; one of that mesh becomes an admin.
    pub fn restore(&self, from: &Path, me: &Keypair, now: u64) -> Result<Held, MeshError> {
        let no_key = || MeshError::NoKey(from.display().to_string());
        let bytes = read_file(from)?.ok_or_else(no_key)?;
        let text = String::from_utf8(bytes).map_err(|_| no_key())?;
        let of = |what: &str| text.lines().find_map(|line| line.trim().strip_prefix(what));
        let key = of(KEY).and_then(|key| BASE64.decode(key.trim().as_bytes()).ok());
        let key = key.and_then(|bytes| Keypair::from_protobuf_encoding(&bytes).ok());
        let key = key.filter(|key| key.key_type() == KeyType::Ed25519).ok_or_else(no_key)?;
        let _lock = self.lock()?;
        match self.held()? {
            None => self.found(of(NAME).unwrap_or("mesh").trim(), me, &key, now),
            Some(held) if held.mesh != key.public().to_peer_id() => Err(MeshError::OtherMesh),
            Some(mut held) => {
                self.write_founder_key(&key)?;
                let my_id = me.public().to_peer_id();
                let said = Certificate {
                    epoch: held.roll.out_up_to(&my_id).map_or(0, |out| out.saturating_add(1)),
                    ..held.certificate(&my_id, Role::Admin, 0, now)
                };
                held.credential = Credential::by_founder(&said, &key)?;
                held.roll.insert(&Record::Admin(held.credential.certificate.clone()));
                self.write_roll(&held.roll)?;
                self.write_membership(&File::of(&held))?;
                Ok(Held { founder: true, ..held })
            }
        }
    }

    /// Signs again for admins whose certificates end within two years, where the founder's key is
    /// here; says for how many.
    pub fn renew_admins(&self, now: u64) -> Result<usize, MeshError> {
        let _lock = self.lock()?;
        let mut held = self.need()?;
        let Some(key) = self.founder_key()? else { return Ok(0) };
        let soon = |not_after: u64| not_after < now.saturating_add(EARLY_MS);
        let due: Vec<_> = held.roll.admins().filter(|(_, until)| soon(*until)).collect();
        for (admin, _) in &due {
            let epoch = held.admin_epoch(admin).unwrap_or_default();
            let said = held.certificate(admin, Role::Admin, epoch, now);
            held.roll.insert(&Record::Admin(Signed::sign(&said, &key)?));
        }
        if !due.is_empty() {
            self.write_roll(&held.roll)?;
        }
        Ok(due.len())
    }

    /// Takes this node out of its mesh.
    pub fn leave(&self, forget_key: bool) -> Result<String, MeshError> {
        let _lock = self.lock()?;
        let held = self.need()?;
        if held.founder && !forget_key {
            return Err(MeshError::KeyHere);
        }
        self.clear()?;
        Ok(held.name)
    }

    fn found(&self, name: &str, me: &Keypair, key: &Keypair, now: u64) -> Result<Held, MeshError> {
        let mesh = key.public().to_peer_id();
        let my_id = me.public().to_peer_id();
        let said = Certificate {
            version: 1,
            mesh: mesh.to_bytes(),
            subject: my_id.to_bytes(),
            role: Role::Admin,
            // Nothing is known of what happened before: nobody has had this one.
            epoch: 0,
            by: mesh.to_bytes(),
            not_after: now.saturating_add(FOUNDER_MS),
        };
        let credential = Credential::by_founder(&said, key)?;
        let mut roll = Roll::new(mesh);
        roll.insert(&Record::Admin(credential.certificate.clone()));
        let addresses = Vec::new();
        let held = Held { name: name.to_owned(), mesh, credential, roll, addresses, founder: true };
        self.write_founder_key(key)?;
        self.write_roll(&held.roll)?;
        self.write_membership(&File::of(&held))?;
        Ok(held)
    }
}
