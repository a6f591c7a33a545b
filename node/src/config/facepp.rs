//! The settings of `facepp/1`, and who may use what costs its owner money.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use libp2p::PeerId;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error as _, SeqAccess, Visitor},
};

use super::{Checked, ValueError, between, node_name, shown};

/// The `[facepp]` section: asking Face++ with the owner's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facepp {
    /// The address of the API; a key belongs to one region. Default: mainland China.
    #[serde(deserialize_with = "base")]
    pub base: String,
    /// Who may use it. Default: `contacts`.
    pub allow: Allow,
    /// How many calls a day may cost, 0 to 1000000; the day is UTC. Default: 500.
    #[serde(deserialize_with = "between::<_, _, 0, 1_000_000>")]
    pub daily_calls: u32,
    /// How many calls the key allows at once, 1 to 100. Default: 1.
    #[serde(deserialize_with = "between::<_, _, 1, 100>")]
    pub at_once: u16,
}

/// Who may use a capability. This node itself always may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// Those in `[contacts]`.
    Contacts,
    /// Every node of the mesh.
    Everyone,
    /// These client ids.
    Only(Vec<PeerId>),
}

/// The `[contacts]` section: client ids by the nicknames that the owner gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Contacts(#[serde(serialize_with = "as_texts")] pub BTreeMap<String, PeerId>);

impl Default for Facepp {
    fn default() -> Self {
        Facepp {
            base: "https://api-cn.faceplusplus.com".to_owned(),
            allow: Allow::Contacts,
            daily_calls: 500,
            at_once: 1,
        }
    }
}

/// Checks the address of an API that is given a secret: `https`, or this machine itself.
pub fn base_address(text: &str) -> Result<String, ValueError> {
    let wrong = |reason: &str| ValueError::Base { text: shown(text), reason: reason.to_owned() };
    let url = reqwest::Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        // What may be a secret is not repeated.
        let text = format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default());
        return Err(ValueError::Base { text, reason: "it has a user name in it".to_owned() });
    }
    let here = match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Err(wrong("the key would travel unprotected"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it goes on after the path"));
    }
    // As it was understood, not as it was written.
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Checks a client id.
fn client_id(text: &str) -> Result<PeerId, ValueError> {
    text.parse().map_err(|_| ValueError::ClientId(shown(text)))
}

fn base<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(Checked(base_address))
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
                f.write_str("\"contacts\", \"everyone\" or a list of client ids")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Allow, E> {
                match text {
                    "contacts" => Ok(Allow::Contacts),
                    "everyone" => Ok(Allow::Everyone),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_only_where_nobody_listens() {
        for good in [
            "https://api-cn.faceplusplus.com",
            "https://api-us.faceplusplus.com/",
            "https://proxy.example/facepp",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert_eq!(base_address(good).as_deref(), Ok(good.trim_end_matches('/')));
        }
        for odd in ["HTTP://localhost", " http://localhost", "http:/localhost"] {
            assert_eq!(base_address(odd).as_deref(), Ok("http://localhost"), "{odd}");
        }
        let error = base_address("https://me:secret@api-cn.faceplusplus.com").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        for bad in [
            "",
            "api-cn.faceplusplus.com",
            "http://api-cn.faceplusplus.com",
            "http://127.0.0.1.example.com",
            "http://192.168.1.2",
            "ftp://localhost",
            "https://me:secret@api-cn.faceplusplus.com",
            "https://api-cn.faceplusplus.com?x=1",
        ] {
            assert!(base_address(bad).is_err(), "{bad}");
        }
    }
}
