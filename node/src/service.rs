//! The service seam: what a capability is, and what the node does around it.
//!
//! A capability is one type that implements [`Service`] and [`Offered`], and one line in
//! [`crate::services::ALL`].
//! From that line come its advert, its dispatch (permit, policy, size, deadline, tracing,
//! counters), its row in `potluck capabilities` and its tests: [`Service::examples`] are run
//! locally and across two nodes.

mod access;
mod context;
mod data;
mod dispatch;
mod ledger;
mod meter;
mod recipe;
mod registry;
mod slots;
mod turns;

pub use access::{Access, Rule, Rules};
pub use context::{Context, Progress, Teller};
pub use data::Data;
pub use dispatch::{Counters, Dispatch, DispatchSettings, Everyone, Origin, Policy};
pub use ledger::{LEDGER_FILE, Pass};
pub use meter::Over;
pub(crate) use meter::day;
pub use recipe::{MakeError, Offered, Recipe};
pub use registry::{DynService, Registry, RegistryError};

use std::future::Future;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::protocol::{Fault, Repeat};

/// Something a node can do, described for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// `name/version`, such as `chat/1`.
    pub name: &'static str,
    /// One line for a person.
    pub summary: &'static str,
    /// What the request is made of.
    pub input: Kind,
    /// What comes back.
    pub output: Kind,
    /// Whether a call may be sent again.
    pub repeat: Repeat,
}

/// What kind of data goes in or out; enough to draw a plain form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    Text,
    /// A picture file, as the call's input.
    Image,
    /// A table.
    Table,
    /// Anything else, as JSON.
    Json,
}

impl Kind {
    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Table => "table",
            Self::Json => "json",
        }
    }
}

/// How a capability stands on this node now: what the advert says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// `cpu`, `cuda`, or `remote` where a service elsewhere does the work.
    pub device: String,
    /// What does the work; empty when there is nothing to say.
    pub engine: String,
    /// Milliseconds that one call takes when it is alone; 0 when unknown.
    pub call_ms: f32,
    /// Calls that run at once.
    pub slots: u16,
    /// What can be asked for by name, such as models.
    pub variants: Vec<String>,
}

/// A request with the answer that is expected.
pub struct Example<Req> {
    /// What is asked.
    pub request: Req,
    /// The bytes that go with it.
    pub input: Option<Vec<u8>>,
    /// Says whether the answer, as JSON, is right; otherwise what is wrong with it.
    pub check: fn(&serde_json::Value) -> Result<(), String>,
}

/// A capability. `docs/adding-a-capability.md` shows how to write one.
pub trait Service: Send + Sync + 'static {
    /// The arguments of a call (small; large data is the call's input).
    type Request: Serialize + DeserializeOwned + Send + 'static;
    /// The result of a call.
    type Response: Serialize + DeserializeOwned + Send + 'static;

    /// Name, summary and kinds.
    fn capability(&self) -> Capability;

    /// How it stands on this node, or `None` while it cannot serve.
    fn standing(&self) -> Option<Standing>;

    /// Whether it is still getting ready, so that it is worth waiting for.
    fn loading(&self) -> bool {
        false
    }

    /// Why it cannot serve now, for a person, where there is something to say.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Told once when its node is there to stay, not for one command: others will compare it with other nodes, so it
    /// measures itself, on a thread of its own.
    fn stay(&self) {}

    /// Whether others are told of it. What belongs to every node need not be.
    fn offered(&self) -> bool {
        true
    }

    /// Whether its owner has set it up at all: what was never wanted is no trouble.
    fn configured(&self) -> bool {
        true
    }

    /// The largest input in bytes, where it is not that of the node's settings.
    fn max_input(&self) -> Option<u64> {
        None
    }

    /// Does the work. Anything that computes for more than a millisecond goes through
    /// [`Context::blocking`].
    fn call(
        &self,
        cx: &Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Fault>> + Send;

    /// Requests that must work, with a check of each answer. Run as tests.
    fn examples(&self) -> Vec<Example<Self::Request>>;
}
