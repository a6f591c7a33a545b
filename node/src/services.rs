//! The capabilities that a node can offer: one file or folder each, one line each in [`all`].

pub mod analyze;
pub mod chat;
pub mod face;
pub mod facepp;
pub mod faces;
mod loading;
mod pixels;
pub mod recognize;

use std::path::Path;

use libp2p::PeerId;

use crate::{
    config::{self, Allow, Config},
    service::{Access, Registry, RegistryError, Rule},
};
use chat::rules::{RulesError, RulesFile};
use potluck_models::{EngineChoice, EngineConfig};

/// Why the services of a node could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// Two services share a name, or a name has no version.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The chat rules are wrong.
    #[error("{0}")]
    Rules(#[from] RulesError),
    /// A capability that this program does not have.
    #[error("there is no capability {0}; this node can offer: {1}")]
    Unknown(String, String),
}

/// Names of everything that this program can offer.
pub const NAMES: [&str; 5] = ["analyze/1", "chat/1", "facepp/1", "faces/1", "recognize/1"];

/// What a stranger is told to ask for.
const CONTACTS_HINT: &str = "it may cost its owner money and is for contacts; ask the owner to add \
    you below [contacts] in config.toml, as: you";
const LIST_HINT: &str = "it may cost its owner money and is for some people; ask the owner to add \
    you to `allow` below [facepp] in config.toml: you";

/// Sets up what the configuration offers. `data_dir` is where models and rules lie.
pub fn all(config: &Config, data_dir: Option<&Path>) -> Result<Registry, ServicesError> {
    let wanted = |name: &str| wanted(config, name);
    for name in config.services.offer.iter().flatten().chain(&config.services.withhold) {
        if !NAMES.contains(&name.as_str()) {
            return Err(ServicesError::Unknown(name.clone(), NAMES.join(", ")));
        }
    }
    let mut registry = Registry::new();
    if wanted("analyze/1") {
        registry = registry.with(analyze::Analyze::new(analyze_settings(config)))?;
    }
    if wanted("chat/1") {
        registry = registry.with(chat::Chat::new(rules(config, data_dir)?))?;
    }
    if wanted("facepp/1") {
        registry = registry.with(facepp::Facepp::new(facepp_settings(config, data_dir)))?;
    }
    if wanted("faces/1") {
        registry = registry.with(faces::Faces::load(faces_settings(config, data_dir)))?;
    }
    if wanted("recognize/1") {
        registry =
            registry.with(recognize::Recognize::load(recognize_settings(config, data_dir)))?;
    }
    Ok(registry)
}

/// How this configuration analyses tables.
pub fn analyze_settings(config: &Config) -> analyze::Settings {
    analyze::Settings {
        node: config.name.clone(),
        memory: config.analyze.memory_mib << 20,
        threads: threads(config),
        max_input: config.analyze.max_input_mib << 20,
    }
}

/// Whom this configuration lets call what. `me` is this node, which always may.
pub fn access(config: &Config, me: PeerId) -> Access {
    let contacts = || config.contacts.0.values().copied().collect();
    let rule = match &config.facepp.allow {
        Allow::Everyone => None,
        Allow::Contacts => Some(Rule { who: contacts(), hint: CONTACTS_HINT }),
        Allow::Only(ids) => Some(Rule { who: ids.iter().copied().collect(), hint: LIST_HINT }),
    };
    Access::new(me, rule.map(|rule| ("facepp/1", rule)))
}

/// How this configuration asks Face++.
pub fn facepp_settings(config: &Config, data_dir: Option<&Path>) -> facepp::Settings {
    let config::Facepp { base, allow: _, daily_calls, at_once } = config.facepp.clone();
    facepp::Settings { base, daily_calls, at_once, data_dir: data_dir.map(Path::to_owned) }
}

/// How this configuration looks for faces.
pub fn faces_settings(config: &Config, data_dir: Option<&Path>) -> faces::Settings {
    faces::Settings {
        model: config.faces.model.clone(),
        engine: engine_config(config, data_dir),
        models: data_dir.map(|dir| dir.join("models")),
        threads: threads(config),
    }
}

/// How this configuration runs models.
pub fn recognize_settings(config: &Config, data_dir: Option<&Path>) -> recognize::Settings {
    recognize::Settings {
        model: config.recognize.model.clone(),
        engine: engine_config(config, data_dir),
        models: data_dir.map(|dir| dir.join("models")),
        threads: threads(config),
    }
}

/// Which engine this configuration asks for.
pub fn engine_config(config: &Config, data_dir: Option<&Path>) -> EngineConfig {
    EngineConfig {
        choice: match config.recognize.engine.as_str() {
            "onnxruntime" => EngineChoice::OnnxRuntime,
            "tract" => EngineChoice::Tract,
            _ => EngineChoice::Auto,
        },
        library: config.recognize.library.clone(),
        data_dir: data_dir.map(Path::to_owned),
        threads: config.recognize.threads,
    }
}

/// Threads for the work of services.
pub fn threads(config: &Config) -> usize {
    match config.services.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        some => some,
    }
}

fn wanted(config: &Config, name: &str) -> bool {
    let offered = config.services.offer.as_ref().is_none_or(|all| all.iter().any(|o| o == name));
    offered && !config.services.withhold.iter().any(|w| w == name)
}

fn rules(config: &Config, data_dir: Option<&Path>) -> Result<RulesFile, RulesError> {
    match (&config.chat.rules, data_dir) {
        (Some(path), _) => RulesFile::open(Some(path.clone())),
        (None, Some(dir)) => RulesFile::open_if_there(dir.join("chat.toml")),
        (None, None) => RulesFile::open(None),
    }
}
