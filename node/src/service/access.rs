//! Who may call what, and how much of it, as the owner's settings say.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use libp2p::PeerId;

use super::{Over, Pass, Policy, ledger::Ledger};
use crate::{
    config::{Allow, Contacts, PeerLimits},
    membership::Membership,
    network::now_ms,
};

/// Who may call one capability.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Their client ids.
    pub who: HashSet<PeerId>,
    /// Whether members of the private mesh may too.
    pub members: bool,
    /// What others are told; the caller's client id is put behind it. It does not say who else may.
    pub hint: &'static str,
}

/// Those who are contacts.
pub(crate) const CONTACTS: &str = "it is for the owner's contacts; ask the owner for \
    `potluck contacts add YOU`, with this client id: you";
/// Those who are members.
const MEMBERS: &str = "it is for members of the owner's private mesh; ask an admin of it for an invite, \
    with this client id: you";
/// Some whom the owner named.
const LISTED: &str = "it is for people whom the owner named; ask the owner for `potluck allow`, with this \
    client id: you";
/// Nobody else.
const NOBODY: &str = "its owner keeps it to themselves; this was asked by: you";

impl Rule {
    /// The rule that the owner's words stand for; none where everyone may.
    pub fn of(allow: &Allow, contacts: &Contacts) -> Option<Self> {
        let members = *allow == Allow::Members;
        let (who, hint) = match allow {
            Allow::Everyone => return None,
            Allow::Members => (HashSet::new(), MEMBERS),
            Allow::Nobody => (HashSet::new(), NOBODY),
            Allow::Contacts => (contacts.0.values().copied().collect(), CONTACTS),
            Allow::Only(ids) => (ids.iter().copied().collect(), LISTED),
        };
        Some(Self { who, members, hint })
    }
}

/// All that the owner's settings say about others.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// By capability.
    pub capabilities: HashMap<String, Rule>,
    /// How much one peer may have, by capability.
    pub limits: HashMap<String, PeerLimits>,
    /// With whom the owner wants nothing to do.
    pub blocked: HashSet<PeerId>,
}

/// Lets everyone call what has no rule, and only some what has one. This node always may. Cheap to clone;
/// all clones are the same.
#[derive(Clone)]
pub struct Access {
    me: PeerId,
    rules: Arc<RwLock<Rules>>,
    ledger: Arc<Ledger>,
    membership: Option<Arc<Membership>>,
}

impl Access {
    /// Rules for the calls to this node. The calls of a day are counted in a folder, or in memory alone.
    pub fn new(me: PeerId, rules: Rules, folder: Option<&Path>) -> Self {
        let ledger = Arc::new(Ledger::open(folder));
        let access = Self { me, rules: Arc::default(), ledger, membership: None };
        access.change(rules);
        access
    }

    /// The same on a node of a private mesh.
    pub fn in_mesh(self, membership: Option<Arc<Membership>>) -> Self {
        Self { membership, ..self }
    }

    fn is_member(&self, caller: &PeerId) -> bool {
        self.membership.as_ref().is_some_and(|it| it.is_member(caller, now_ms()))
    }

    /// Other rules from now on; calls that run go on, and what was counted stays.
    pub fn change(&self, rules: Rules) {
        self.ledger.meter().change(rules.limits.clone());
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }
}

impl Policy for Access {
    fn allow(&self, caller: PeerId, capability: &str) -> Result<(), String> {
        if caller == self.me {
            return Ok(());
        }
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        if rules.blocked.contains(&caller) {
            return Err(format!("{capability} is not for you here"));
        }
        match rules.capabilities.get(capability) {
            Some(rule)
                if !(rule.who.contains(&caller) || rule.members && self.is_member(&caller)) =>
            {
                Err(format!("{capability} is not for everyone here: {} = \"{caller}\"", rule.hint))
            }
            _ => Ok(()),
        }
    }

    fn take(&self, caller: PeerId, capability: &str) -> Result<Pass, Over> {
        match caller == self.me {
            true => Ok(Pass::default()),
            false => self.ledger.take(caller, capability),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, directory::tests::peer, services};

    fn access(toml: &str) -> Access {
        let config = Config::parse(toml, std::path::Path::new("config.toml")).unwrap();
        services::access(&config, peer(1), None)
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

    #[test]
    fn what_costs_has_a_budget_and_the_owner_may_set_others() {
        let took = |access: &Access, n, capability: &str| access.take(peer(n), capability);
        let by_default = access("");
        for _ in 0..100 {
            took(&by_default, 2, "facepp/1").map(std::mem::forget).unwrap();
        }
        assert!(matches!(took(&by_default, 2, "facepp/1"), Err(Over::UsedUp { per_day: 100, .. })));
        assert!(took(&by_default, 1, "facepp/1").is_ok(), "the owner");
        assert!((0..10_000).all(|_| took(&by_default, 2, "chat/1").is_ok()), "no limit");
        let set = access("[limits]\nfacepp = {}\nchat = { per_minute = 2 }\n");
        assert!((0..200).all(|_| took(&set, 2, "facepp/1").map(std::mem::forget).is_ok()));
        assert_eq!((0..9).filter(|_| took(&set, 2, "chat/1").is_ok()).count(), 2);
        assert!(took(&set, 3, "chat/1").is_ok() && took(&set, 1, "chat/1").is_ok());
        // Without a restart.
        set.change(Rules::default());
        assert!(took(&set, 2, "chat/1").is_ok());
    }

    #[test]
    fn every_capability_can_be_for_some_and_a_refusal_names_nobody_else() {
        let toml = format!(
            "[allow]\nrecognize = \"contacts\"\nchat = \"nobody\"\nanalyze = [\"{}\"]\nfacepp = \"everyone\"\n\
             [blocked]\nmallory = \"{}\"\n[contacts]\nbob = \"{}\"\n",
            peer(3),
            peer(4),
            peer(2)
        );
        let access = access(&toml);
        let may = |n, capability: &str| access.allow(peer(n), capability).is_ok();
        assert!(may(2, "recognize/1") && !may(3, "recognize/1"));
        assert!(!may(2, "chat/1") && may(1, "chat/1"), "nobody but this node itself");
        assert!(may(3, "analyze/1") && !may(2, "analyze/1"));
        assert!(may(9, "facepp/1"), "[allow] says it for all capabilities");
        for capability in ["recognize/1", "faces/1", "mail/1", "keep/1"] {
            let said = access.allow(peer(4), capability).unwrap_err();
            assert!([1, 2, 3].iter().all(|n| !said.contains(&peer(*n).to_string())), "{said}");
        }
        let said = access.allow(peer(9), "analyze/1").unwrap_err();
        assert!(
            said.contains(&peer(9).to_string()) && !said.contains(&peer(3).to_string()),
            "{said}"
        );
        // Without a restart.
        access.change(Rules::default());
        assert!(may(4, "recognize/1") && may(2, "chat/1"));
    }
}
