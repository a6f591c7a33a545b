//! Whom the owner knows, and who may use what costs its owner money.

use std::{collections::BTreeMap, fmt};

use libp2p::PeerId;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error as _, SeqAccess, Visitor},
};

use super::{Checked, ValueError, capability_name, node_name, shown};

/// Who may use a capability. This node itself always may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// Those in `[contacts]`.
    Contacts,
    /// Every node of the mesh.
    Everyone,
    /// Members of the private mesh; in the open one nobody.
    Members,
    /// Nobody else.
    Nobody,
    /// These client ids.
    Only(Vec<PeerId>),
}

/// The `[contacts]` section: client ids by the nicknames that the owner gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Contacts(#[serde(serialize_with = "as_texts")] pub BTreeMap<String, PeerId>);

/// The `[allow]` section: who may use which capability, by its canonical name. What has no line there is
/// for everyone, but for what costs money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Permissions(pub BTreeMap<String, Allow>);

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<Name, Allow>::deserialize(deserializer)?;
        Ok(Self(written.into_iter().map(|(Name(name), allow)| (name, allow)).collect()))
    }
}

/// A capability's name that is checked while it is read, so that an error points at its own line.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub(super) String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked(capability_name)).map(Name)
    }
}

impl Contacts {
    /// Whether somebody is one.
    pub fn has(&self, who: &PeerId) -> bool {
        self.0.values().any(|id| id == who)
    }

    /// The nickname that the owner gave somebody.
    pub fn name_of(&self, who: &PeerId) -> Option<&str> {
        self.0.iter().find(|(_, id)| *id == who).map(|(name, _)| name.as_str())
    }
}

/// Checks a client id.
fn client_id(text: &str) -> Result<PeerId, ValueError> {
    text.parse().map_err(|_| ValueError::ClientId(shown(text)))
}

/// A client id that is checked while it is read, so that an error points at its own line.
struct ClientId(PeerId);

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Checked(client_id)).map(ClientId)
    }
}

impl<'de> Deserialize<'de> for Allow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Allow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"contacts\", \"everyone\", \"members\", \"nobody\" or a list of client ids",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Allow, E> {
                match text {
                    "contacts" => Ok(Allow::Contacts),
                    "everyone" => Ok(Allow::Everyone),
                    "members" => Ok(Allow::Members),
                    "nobody" => Ok(Allow::Nobody),
                    other => Err(E::custom(ValueError::Allow(shown(other)))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Allow, A::Error> {
                let mut ids = Vec::new();
                while let Some(ClientId(id)) = list.next_element()? {
                    ids.push(id);
                }
                Ok(Allow::Only(ids))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl Serialize for Allow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Allow::Contacts => serializer.serialize_str("contacts"),
            Allow::Everyone => serializer.serialize_str("everyone"),
            Allow::Members => serializer.serialize_str("members"),
            Allow::Nobody => serializer.serialize_str("nobody"),
            Allow::Only(ids) => serializer.collect_seq(ids.iter().map(ToString::to_string)),
        }
    }
}

impl<'de> Deserialize<'de> for Contacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<String, ClientId>::deserialize(deserializer)?;
        let mut contacts = BTreeMap::new();
        for (name, ClientId(id)) in written {
            contacts.insert(node_name(&name).map_err(D::Error::custom)?, id);
        }
        Ok(Contacts(contacts))
    }
}

fn as_texts<S: Serializer>(
    contacts: &BTreeMap<String, PeerId>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(contacts.iter().map(|(name, id)| (name, id.to_string())))
}
