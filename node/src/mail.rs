//! Mail: sealed letters to a client id, carried by whoever is there until they arrive.
//!
//! A *letter* ([`letter`]) is text, files and folders, packed as one tar archive, signed inside and
//! sealed with age to the recipient's sealing key ([`keys`]). It travels in an *envelope*
//! ([`envelope`]) that says from whom, to whom and until when, and nothing else.
//!
//! The [`post`] office of a node holds what was sent, what came and what is kept for others
//! ([`records`]), in a [`store`] where nothing counts before it is on the disk. What to do next is
//! decided by a policy without IO ([`plan`]) and done by the carriers. `docs/mail.md` is for people.

pub mod ask;
pub(crate) mod carry;
pub mod envelope;
pub mod keys;
pub mod letter;
pub mod names;
pub mod plan;
pub mod post;
pub mod records;
pub mod serve;
pub mod store;

pub use ask::{Ask, Failed, News, Told};
pub use post::Post;
pub use serve::KEEP;

use serde::{Deserialize, Serialize};

use crate::config::{Section, between};

/// The `[mail]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Disk for letters that are kept for others, in MiB, 1 to 1048576. One sender has at most a
    /// quarter of it. Default: 1024.
    #[serde(deserialize_with = "between::<_, _, 1, 1_048_576>")]
    pub keep_mib: u64,
    /// Whether senders are told when their letters were read. Default: true.
    pub read_receipts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep_mib: 1024, read_receipts: true }
    }
}

impl Section for Options {
    const NAME: &'static str = "mail";
    const TEMPLATE: &'static str = r#"# Disk for sealed letters that this node keeps for nodes that are off, in MiB. One sender has at
# most a quarter of it. 1 to 1048576; to keep none, withhold = ["keep"] below [services].
#keep_mib = 1024

# Whether senders are told when you read their letters.
#read_receipts = true"#;
}
