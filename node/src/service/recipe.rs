//! How a capability comes into the product: its settings, who may call it, and how it is made.

use std::path::Path;

use super::{DynService, Registry, RegistryError, Rule, Service};
use crate::{
    config::{Config, Section, SectionForm},
    protocol,
    say::{Reason, Say as _},
};

/// A service that the program sets up from the settings of its node.
pub trait Offered: Service + Sized {
    /// `name/version`, as its [`super::Capability`] says.
    const NAME: &'static str;
    /// Its section of `config.toml`.
    type Options: Section;

    /// Makes it as the settings say. `data_dir` is where models, rules and keys lie.
    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError>;

    /// Who may call it; everyone, where there is no rule.
    fn rule(config: &Config) -> Option<Rule> {
        let _ = config;
        None
    }
}

/// Why a service could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MakeError(pub Reason);

/// An [`Offered`] service with its types erased.
pub struct Recipe {
    /// `name/version`.
    pub name: &'static str,
    /// Its section of the settings.
    pub(crate) section: SectionForm,
    make: fn(&Config, Option<&Path>, Registry) -> Result<Registry, MakeError>,
    /// Who may call it, as the settings say.
    pub(crate) rule: fn(&Config) -> Option<Rule>,
    args: fn(serde_json::Value) -> Result<Vec<u8>, String>,
    json: fn(&[u8]) -> Result<serde_json::Value, String>,
}

impl Recipe {
    /// The recipe of a service.
    pub const fn of<S: Offered>() -> Self {
        Self {
            name: S::NAME,
            section: SectionForm::of::<S::Options>(),
            make: add::<S>,
            rule: S::rule,
            args: args::<S>,
            json: json::<S>,
        }
    }

    /// Makes the service and adds it.
    pub(crate) fn add(
        &self,
        config: &Config,
        data_dir: Option<&Path>,
        registry: Registry,
    ) -> Result<Registry, MakeError> {
        (self.make)(config, data_dir, registry)
    }

    /// The arguments of a call, from JSON.
    pub fn args(&self, json: serde_json::Value) -> Result<Vec<u8>, String> {
        (self.args)(json)
    }

    /// An answer, as JSON.
    pub fn json(&self, body: &[u8]) -> Result<serde_json::Value, String> {
        (self.json)(body)
    }
}

fn add<S: Offered>(
    config: &Config,
    data_dir: Option<&Path>,
    registry: Registry,
) -> Result<Registry, MakeError> {
    let service = S::make(config, data_dir)?;
    debug_assert_eq!(DynService::capability(&service).name, S::NAME);
    registry.with(service).map_err(|e: RegistryError| MakeError(e.reason()))
}

fn args<S: Service>(json: serde_json::Value) -> Result<Vec<u8>, String> {
    let request: S::Request = serde_json::from_value(json).map_err(|e| e.to_string())?;
    protocol::encode(&request).map_err(|e| e.to_string())
}

fn json<S: Service>(body: &[u8]) -> Result<serde_json::Value, String> {
    let response: S::Response = protocol::decode(body).map_err(|e| e.to_string())?;
    serde_json::to_value(response).map_err(|e| e.to_string())
}
