//! The capabilities that a node can offer: one file or folder each, one line each in [`ALL`].

pub mod about;
pub mod analyze;
pub mod chat;
pub mod face;
pub mod facepp;
pub mod faces;
mod loading;
mod measured;
mod pixels;
pub mod recognize;

use std::{collections::HashMap, path::Path};

use libp2p::PeerId;

use crate::{
    config::{Allow, Config, PeerLimits},
    service::{Access, MakeError, Offered as _, Recipe, Registry, Rule, Rules},
};

/// Everything that this program can offer.
pub static ALL: [Recipe; 5] = [
    Recipe::of::<analyze::Analyze>(),
    Recipe::of::<chat::Chat>(),
    Recipe::of::<recognize::Recognize>(),
    Recipe::of::<faces::Faces>(),
    Recipe::of::<facepp::Facepp>(),
];

/// Why the services of a node could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// One cannot be made as the settings say.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// A capability that this program does not have.
    #[error("there is no capability {0}; this node can offer: {1}")]
    Unknown(String, String),
}

/// Sets up what the configuration offers. `data_dir` is where models, rules and keys lie.
pub fn all(config: &Config, data_dir: Option<&Path>) -> Result<Registry, ServicesError> {
    for name in config.services.offer.iter().flatten().chain(&config.services.withhold) {
        if named(name).is_none() && name != crate::mail::KEEP {
            let mut known: Vec<_> =
                ALL.iter().map(|recipe| recipe.name).chain([crate::mail::KEEP]).collect();
            known.sort_unstable();
            return Err(ServicesError::Unknown(name.clone(), known.join(", ")));
        }
    }
    let mut registry = Registry::new();
    for recipe in ALL.iter().filter(|recipe| wanted(config, recipe.name)) {
        registry = recipe.add(config, data_dir, registry)?;
    }
    Ok(registry)
}

/// The recipe of a capability, where this program has it.
pub fn named(capability: &str) -> Option<&'static Recipe> {
    ALL.iter().find(|recipe| recipe.name == capability)
}

/// Whom this configuration lets call what. `me` is this node, which always may; `data_dir` is where the
/// calls of a day are counted.
pub fn access(config: &Config, me: PeerId, data_dir: Option<&Path>) -> Access {
    Access::new(me, rules(config), data_dir)
}

/// The same, for an [`Access`] that is there already.
pub fn rules(config: &Config) -> Rules {
    let own =
        ALL.iter().filter_map(|recipe| Some((recipe.name.to_owned(), (recipe.rule)(config)?)));
    let mut capabilities: HashMap<_, _> = own.collect();
    for (name, allow) in &config.allow.0 {
        match Rule::of(allow, &config.contacts) {
            Some(rule) => capabilities.insert(name.clone(), rule),
            None => capabilities.remove(name),
        };
    }
    let limits = ALL.iter().map(|recipe| (recipe.name.to_owned(), limits(config, recipe.name)));
    let mut limits: HashMap<_, _> = limits.collect();
    limits.extend(config.limits.0.clone());
    limits.retain(|_, limits| *limits != PeerLimits::default());
    let blocked = config.blocked.0.values().copied().collect();
    Rules { capabilities, limits, blocked }
}

/// How much one peer may have of a capability, in the owner's words.
pub fn limits(config: &Config, capability: &str) -> PeerLimits {
    let said = config.limits.0.get(capability).copied();
    said.unwrap_or_else(|| match capability {
        facepp::Facepp::NAME => facepp::each(config),
        _ => PeerLimits::default(),
    })
}

/// Who may use a capability, in the owner's words.
pub fn allowed(config: &Config, capability: &str) -> Allow {
    let said = config.allow.0.get(capability).cloned();
    said.unwrap_or_else(|| match capability {
        facepp::Facepp::NAME => config.section::<facepp::Options>().allow,
        _ => Allow::Everyone,
    })
}

/// Threads for the work of services.
pub fn threads(config: &Config) -> usize {
    match config.services.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        some => some,
    }
}

/// Whether the owner wants a capability to be offered.
pub(crate) fn wanted(config: &Config, name: &str) -> bool {
    let offered = config.services.offer.as_ref().is_none_or(|all| all.iter().any(|o| o == name));
    offered && !config.services.withhold.iter().any(|w| w == name)
}
