//! How much of a capability one peer may have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::Deserializer};

use super::{allow::Name, between};

/// The most that a limit can be.
pub const MOST: u32 = 1_000_000;

/// How much one peer may have of a capability. What is not said is not limited; this node itself never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerLimits {
    /// Calls at once, 1 to 1000000.
    #[serde(deserialize_with = "count", skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u32>,
    /// Calls a minute, 1 to 1000000: so many at a stroke, and as many again over each minute.
    #[serde(deserialize_with = "count", skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// Calls a day (UTC), 1 to 1000000, counted over restarts.
    #[serde(deserialize_with = "count", skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
}

/// The `[limits]` section: how much one peer may have, by the canonical names of capabilities. What has
/// no line there is not limited, but for what costs money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Limits(pub BTreeMap<String, PeerLimits>);

impl PeerLimits {
    /// As they stand in the settings file.
    pub fn to_inline(self) -> toml_edit::InlineTable {
        let Self { at_once, per_minute, per_day } = self;
        let all = [("at_once", at_once), ("per_minute", per_minute), ("per_day", per_day)];
        let set = all.into_iter().filter_map(|(name, most)| Some((name, i64::from(most?))));
        toml_edit::InlineTable::from_iter(set)
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = BTreeMap::<Name, PeerLimits>::deserialize(deserializer)?;
        Ok(Self(written.into_iter().map(|(Name(name), limits)| (name, limits)).collect()))
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    between::<_, u32, 1, { MOST as i64 }>(deserializer).map(Some)
}
