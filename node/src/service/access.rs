//! Who may call what, as the owner's settings say.

use std::collections::{HashMap, HashSet};

use libp2p::PeerId;

use super::Policy;

/// Who may call one capability.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Their client ids.
    pub who: HashSet<PeerId>,
    /// What others are told; the caller's client id is put behind it.
    pub hint: &'static str,
}

/// Lets everyone call what has no rule, and only some what has one. This node always may.
pub struct Access {
    me: PeerId,
    rules: HashMap<&'static str, Rule>,
}

impl Access {
    /// The rules by capability.
    pub fn new(me: PeerId, rules: impl IntoIterator<Item = (&'static str, Rule)>) -> Self {
        Self { me, rules: rules.into_iter().collect() }
    }
}

impl Policy for Access {
    fn allow(&self, caller: PeerId, capability: &str) -> Result<(), String> {
        match self.rules.get(capability) {
            Some(rule) if caller != self.me && !rule.who.contains(&caller) => {
                Err(format!("{capability} is not for everyone here: {} = \"{caller}\"", rule.hint))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, directory::tests::peer, services};

    fn access(toml: &str) -> Access {
        let config = Config::parse(toml, std::path::Path::new("config.toml")).unwrap();
        services::access(&config, peer(1))
    }

    #[test]
    fn what_costs_is_for_contacts_and_the_rest_for_everyone() {
        let contacts = format!("[contacts]\nbob = \"{}\"\n", peer(2));
        let access = access(&contacts);
        for (caller, allowed) in [(peer(1), true), (peer(2), true), (peer(3), false)] {
            assert_eq!(access.allow(caller, "facepp/1").is_ok(), allowed);
            assert!(access.allow(caller, "chat/1").is_ok());
        }
        let said = access.allow(peer(3), "facepp/1").unwrap_err();
        assert!(said.contains("[contacts]") && said.contains(&peer(3).to_string()), "{said}");
    }

    #[test]
    fn the_owner_may_name_others_or_everyone() {
        let list =
            format!("[facepp]\nallow = [\"{}\"]\n[contacts]\nbob = \"{}\"", peer(3), peer(2));
        let some = access(&list);
        assert!(some.allow(peer(3), "facepp/1").is_ok() && some.allow(peer(1), "facepp/1").is_ok());
        assert!(some.allow(peer(2), "facepp/1").unwrap_err().contains("[facepp]"));
        assert!(access("[facepp]\nallow = \"everyone\"").allow(peer(9), "facepp/1").is_ok());
        assert!(access("").allow(peer(9), "facepp/1").is_err(), "nobody is a contact yet");
    }
}
