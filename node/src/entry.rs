//! The settings of an entry node: a node with an address that others reach from everywhere, which
//! relays for those who have none. `potluck-bootstrap` turns them on; `docs/entry-node.md` is for
//! people.

use serde::{Deserialize, Serialize};

use crate::config::{Section, between};

/// The `[entry]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether this node is an entry node. It needs `external` addresses. Default: false.
    pub enabled: bool,
    /// Nodes that can be reached through this one at a time, 1 to 100000. Default: 1024.
    #[serde(deserialize_with = "between::<_, _, 1, 100_000>")]
    pub places: usize,
    /// Relayed connections at a time, 1 to 100000. Default: 1024.
    #[serde(deserialize_with = "between::<_, _, 1, 100_000>")]
    pub circuits: usize,
    /// Relayed connections of one peer at a time, 1 to 10000. Default: 64.
    #[serde(deserialize_with = "between::<_, _, 1, 10_000>")]
    pub circuits_per_peer: usize,
    /// What one relayed connection carries before it is closed, in MiB, 1 to 1048576. Default: 2048.
    #[serde(deserialize_with = "between::<_, _, 1, 1_048_576>")]
    pub circuit_mib: u64,
    /// How long one relayed connection lives, in minutes, 1 to 10080. Default: 120.
    #[serde(deserialize_with = "between::<_, _, 1, 10_080>")]
    pub circuit_minutes: u64,
    /// What is carried for one peer in an hour before it gets no further relayed connection, in MiB,
    /// 1 to 1048576. Default: 8192.
    #[serde(deserialize_with = "between::<_, _, 1, 1_048_576>")]
    pub peer_mib_per_hour: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            enabled: false,
            places: 1024,
            circuits: 1024,
            circuits_per_peer: 64,
            circuit_mib: 2048,
            circuit_minutes: 120,
            peer_mib_per_hour: 8192,
        }
    }
}

impl Section for Options {
    const NAME: &'static str = "entry";
    const TEMPLATE: &'static str = r#"# Whether this node relays for nodes that cannot be reached directly. It needs an address that all
# of them reach: see "external" below [network]. `potluck-bootstrap` is a node with this turned on.
#enabled = false

# Nodes that can be reached through this one at a time. 1 to 100000.
#places = 1024

# Relayed connections at a time, in all and of one peer. 1 to 100000, and 1 to 10000.
#circuits = 1024
#circuits_per_peer = 64

# What one relayed connection carries before it is closed, in MiB, and how long it lives, in minutes.
# A file that is cut goes on where it was, over the next one. 1 to 1048576, and 1 to 10080.
#circuit_mib = 2048
#circuit_minutes = 120

# What is carried for one peer in an hour before it gets no further relayed connection, in MiB.
# 1 to 1048576.
#peer_mib_per_hour = 8192"#;
}
