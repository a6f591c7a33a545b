//! Questions to the mesh, in the words of a capability.

use std::time::Duration;

use potluck::{
    client::{Call, CallFailure, CallInput, FailureKind, RouteHop, Served, decode, encode},
    say::{Reason, Say as _},
};
use serde::{Serialize, de::DeserializeOwned};

use super::Backend;

/// What is asked of whom.
#[derive(Debug, Clone)]
pub struct Ask<Request> {
    /// `name/version`.
    pub capability: &'static str,
    /// A model that the server must have.
    pub variant: Option<String>,
    /// In the capability's own words.
    pub request: Request,
    /// What to work on.
    pub input: CallInput,
    /// All the time there is.
    pub timeout: Duration,
}

/// An answer, and who gave it.
#[derive(Debug, Clone)]
pub struct Heard<Response> {
    /// In the capability's own words.
    pub response: Response,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

impl Backend {
    /// Asks the mesh. Dropping the future stops the work everywhere.
    pub async fn ask<Q: Serialize, A: DeserializeOwned>(
        self,
        ask: Ask<Q>,
    ) -> Result<Heard<A>, CallFailure> {
        let broken = |message: Reason, route: Vec<RouteHop>| CallFailure {
            kind: FailureKind::PeerFailed,
            message,
            route,
        };
        let args = encode(&ask.request).map_err(|error| broken(error.reason(), Vec::new()))?;
        let call = Call {
            capability: ask.capability.to_owned(),
            variant: ask.variant,
            args,
            input: Some(ask.input),
            timeout: ask.timeout,
            only: None,
            progress: None,
        };
        let reply = self.client.call(call).await?;
        let response =
            decode(&reply.body).map_err(|error| broken(error.reason(), reply.route.clone()))?;
        let (served_by, route, milliseconds) = (reply.served_by, reply.route, reply.milliseconds);
        Ok(Heard { response, served_by, route, milliseconds })
    }
}
