//! `potluck limit`: how much one peer may have of what this node offers. It changes the settings file, and
//! the node that runs takes it up at once.

use std::process::ExitCode;

use clap::Args;
use potluck_i18n::Lang;
use serde_json::json;

use super::{
    Common, Failure,
    output::{Output, table},
    people::{known, offered, offers, put},
    words, wrong,
};
use crate::{
    config::{MOST_OF_A_LIMIT, PeerLimits},
    services,
};

/// The options of `limit`.
#[derive(Debug, Args)]
#[command(after_help = "For example:\n  \
    potluck limit                                    how much one peer may have of what\n  \
    potluck limit recognize --at-once 8              further calls of one peer are told \"busy\"\n  \
    potluck limit chat --per-minute 60 --at-once 4\n  \
    potluck limit facepp --per-day 20                further ones are refused until the next day\n  \
    potluck limit chat --per-minute none")]
pub struct Limit {
    /// The capability, such as recognize
    capability: Option<String>,
    /// Calls of one peer at once; none for any number
    #[arg(long, value_name = "N", value_parser = most, requires = "capability")]
    at_once: Option<Most>,
    /// Calls of one peer a minute; none for any number
    #[arg(long, value_name = "N", value_parser = most, requires = "capability")]
    per_minute: Option<Most>,
    /// Calls of one peer a day, in UTC; none for any number
    #[arg(long, value_name = "N", value_parser = most, requires = "capability")]
    per_day: Option<Most>,
}

/// A number, or none.
#[derive(Debug, Clone, Copy)]
struct Most(Option<u32>);

impl Limit {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let Some(capability) = &self.capability else { return list(common, output) };
        let capability = offered(capability)?;
        let config = match (self.at_once, self.per_minute, self.per_day) {
            (None, None, None) => known(common)?,
            _ => self.set(capability.clone(), common).await?,
        };
        let limits = services::limits(&config, &capability);
        output.print(&json!({ capability.clone(): limits }), || {
            format!("{capability}: {}", said(&limits, output.lang()))
        });
        Ok(ExitCode::SUCCESS)
    }

    async fn set(
        self,
        capability: String,
        common: &Common,
    ) -> Result<crate::config::Config, Failure> {
        put("limits", common, move |rules, config| {
            let mut limits = services::limits(config, &capability);
            let changes = [
                (&mut limits.at_once, self.at_once),
                (&mut limits.per_minute, self.per_minute),
                (&mut limits.per_day, self.per_day),
            ];
            for (limit, change) in changes {
                *limit = change.map_or(*limit, |Most(most)| most);
            }
            rules.remove(&capability);
            let bare = capability.split('/').next().unwrap_or(&capability);
            rules.insert(bare, toml_edit::value(limits.to_inline()));
        })
        .await
    }
}

fn list(common: &Common, output: &Output) -> Result<ExitCode, Failure> {
    let config = known(common)?;
    let all: Vec<_> = offers().map(|name| (name, services::limits(&config, name))).collect();
    let documents: serde_json::Map<_, _> =
        all.iter().map(|(name, limits)| ((*name).to_owned(), json!(limits))).collect();
    let lang = output.lang();
    output.print(&documents, || {
        let mut table = table(&[words::head_capability(lang), words::head_each(lang)]);
        for (name, limits) in &all {
            table.add_row([(*name).to_owned(), said(limits, lang)]);
        }
        table.to_string()
    });
    Ok(ExitCode::SUCCESS)
}

fn said(limits: &PeerLimits, lang: Lang) -> String {
    let PeerLimits { at_once, per_minute, per_day } = *limits;
    let parts = [
        at_once.map(|most| words::at_once(lang, most)),
        per_minute.map(|most| words::per_minute(lang, most)),
        per_day.map(|most| words::per_day(lang, most)),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => words::no_limit(lang).to_owned(),
        false => parts.join(words::comma(lang)),
    }
}

fn most(text: &str) -> Result<Most, wrong::Value> {
    let number = || text.parse().ok().filter(|most| (1..=MOST_OF_A_LIMIT).contains(most));
    match text {
        "none" => Ok(Most(None)),
        _ => number()
            .map(|most| Most(Some(most)))
            .ok_or_else(|| wrong::Value(wrong::limit(MOST_OF_A_LIMIT))),
    }
}
