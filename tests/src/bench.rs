//! The numbers of `docs/performance.md`, each measured beside what it is compared with.

pub mod analyze;
pub mod call;
pub mod cold;
pub mod discover;
pub mod faces;
pub mod file;
pub mod flood;
pub mod grow;
pub mod idle;
mod jetstream;
pub mod join;
mod letters;
pub mod mail;
mod mosquitto;
pub mod nats;
mod program;
mod publish;
mod python;
pub mod recognize;
mod scp;
pub mod wake;

use serde::Serialize;
use serde_json::Value;

/// What is wanted of a number.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// One number.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What was measured.
    pub what: String,
    /// The number.
    pub value: f64,
    /// Its unit; `ratio` for ours over the baseline's.
    pub unit: &'static str,
    /// What is wanted.
    #[serde(flatten)]
    pub target: Option<Target>,
    /// Whether it is so.
    pub met: Option<bool>,
    /// What the number was made of.
    pub detail: Value,
}

impl Measured {
    /// A number with a target.
    pub fn new(what: &str, value: f64, unit: &'static str, target: Target, detail: Value) -> Self {
        let met = match target {
            Target::AtMost(most) => value <= most,
            Target::AtLeast(least) => value >= least,
        };
        let value = rounded(value);
        Self { what: what.to_owned(), value, unit, target: Some(target), met: Some(met), detail }
    }

    /// A number for comparison only.
    pub fn plain(what: &str, value: f64, unit: &'static str, detail: Value) -> Self {
        let value = rounded(value);
        Self { what: what.to_owned(), value, unit, target: None, met: None, detail }
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        let target = match self.target {
            Some(Target::AtMost(most)) => format!("  (at most {most})"),
            Some(Target::AtLeast(least)) => format!("  (at least {least})"),
            None => String::new(),
        };
        let met = match self.met {
            Some(true) => "  ok",
            Some(false) => "  SHORT OF THE TARGET",
            None => "",
        };
        format!("{:<58} {:>10} {}{target}{met}", self.what, self.value, self.unit)
    }
}

/// Three significant digits behind the point at most.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The value in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The greatest value.
pub fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}
