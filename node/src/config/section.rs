//! Sections of the settings that belong to services: each stands in the file of its service.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeValue, ValueDeserializer},
};

use super::Config;

/// A section of `config.toml`. Every setting has a default.
pub trait Section: Serialize + DeserializeOwned + Default {
    /// Its name, as in `[name]`.
    const NAME: &'static str;
    /// Its settings with what they mean, for the file that a new owner reads: every one commented
    /// out at its default, as `#setting = value`.
    const TEMPLATE: &'static str;
}

/// What the sections of services say where that is not the default. [`Config::section`] reads it,
/// [`Config::change`] writes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sections(BTreeMap<&'static str, toml::Table>);

impl Sections {
    pub(super) fn set(&mut self, name: &'static str, table: Option<toml::Table>) {
        match table {
            Some(table) => self.0.insert(name, table),
            None => self.0.remove(name),
        };
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = (String, toml::Value)> {
        let tables = self.0.iter();
        tables.map(|(name, table)| ((*name).to_owned(), toml::Value::Table(table.clone())))
    }
}

/// A [`Section`] with its type erased.
#[derive(Clone, Copy)]
pub(crate) struct SectionForm {
    pub(crate) name: &'static str,
    pub(crate) template: &'static str,
    /// Checks what was written; `None` where it is all as by default.
    pub(super) read: fn(Spanned<DeValue<'_>>) -> Result<Option<toml::Table>, toml::de::Error>,
}

impl SectionForm {
    pub(crate) const fn of<S: Section>() -> Self {
        Self { name: S::NAME, template: S::TEMPLATE, read: read::<S> }
    }
}

impl Config {
    /// The settings of a service.
    pub fn section<S: Section>(&self) -> S {
        let written = self.sections.0.get(S::NAME).cloned();
        // What stands there was read or written as this very type.
        written.and_then(|table| table.try_into().ok()).unwrap_or_default()
    }

    /// Changes the settings of a service.
    pub fn change<S: Section>(&mut self, change: impl FnOnce(&mut S)) {
        let mut section = self.section::<S>();
        change(&mut section);
        self.sections.set(S::NAME, unlike_default(&section));
    }
}

fn read<S: Section>(value: Spanned<DeValue<'_>>) -> Result<Option<toml::Table>, toml::de::Error> {
    let section = S::deserialize(ValueDeserializer::from(value))?;
    Ok(unlike_default(&section))
}

/// A section as a table, unless it is the default: then an empty file means the same.
fn unlike_default<S: Section>(section: &S) -> Option<toml::Table> {
    let table = toml::Table::try_from(section).ok()?;
    (Some(&table) != toml::Table::try_from(S::default()).ok().as_ref()).then_some(table)
}
