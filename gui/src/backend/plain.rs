//! Capabilities that have no screen of their own: what they are, and calls in plain JSON.

use std::{path::PathBuf, sync::Arc, time::Duration};

use potluck::{
    client::{Call, CallFailure, FailureKind, RouteHop, Served, decode, encode, plain},
    say::Reason,
    services::about::{self, About},
};
use serde_json::Value;
use tempfile::TempPath;

use super::{Backend, files::Source};

/// For one call: what it is, nobody here knows.
const PATIENCE: Duration = Duration::from_secs(300);
/// For a word about a capability.
const SHORTLY: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// `name/version`.
    pub capability: String,
    /// A model that the server must have.
    pub variant: Option<String>,
    /// The arguments.
    pub args: Value,
    /// What to work on.
    pub input: Option<Source>,
}

/// An answer that anybody can read.
#[derive(Debug, Clone)]
pub struct Told {
    /// The answer.
    pub answer: Value,
    /// What came with it, in a file that goes when nobody has it any more.
    pub data: Option<(Arc<TempPath>, u64)>,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

impl Backend {
    /// What somebody who offers a capability says of it; `None` where nobody tells.
    pub async fn about(self, capability: String) -> Option<About> {
        let snapshot = self.client.snapshot();
        let offers = |offers: &[potluck::client::Offer]| {
            offers.iter().any(|offer| offer.capability == capability)
        };
        let mine = offers(&self.client.offers()).then(|| self.client.id());
        let peers = snapshot.peers.iter().filter(|(_, view)| offers(&view.advert.offers));
        let who: Vec<_> = mine.into_iter().chain(peers.map(|(peer, _)| *peer)).collect();
        // A node of an earlier version knows nothing of this question; the next one may.
        for peer in who.into_iter().take(3) {
            let request = about::Request { capability: capability.clone() };
            let call = Call {
                capability: about::NAME.to_owned(),
                variant: None,
                args: encode(&request).ok()?,
                input: None,
                timeout: SHORTLY,
                only: Some(peer),
                progress: None,
            };
            let told = self.client.call(call).await.ok();
            let told = told.and_then(|told| decode::<about::Response>(&told.body).ok());
            if let Some(about) = told.and_then(|told| told.about) {
                return Some(about);
            }
        }
        None
    }

    /// Asks the mesh in plain JSON. Dropping the future stops the work everywhere.
    pub async fn ask_plainly(self, question: Question) -> Result<Told, CallFailure> {
        let failed = |kind, message: Reason| CallFailure { kind, message, route: Vec::new() };
        let Question { capability, variant, args, input } = question;
        let args = plain::args(&capability, args)
            .map_err(|error| failed(FailureKind::BadInput, error.into()))?;
        let call = Call {
            capability: capability.clone(),
            variant,
            args,
            input: input.map(|input| input.input()),
            timeout: PATIENCE,
            only: None,
            progress: None,
        };
        let reply = self.client.call(call).await?;
        let answer = plain::answer(&capability, &reply.body)
            .map_err(|error| failed(FailureKind::PeerFailed, error.into()))?;
        let data = reply.data;
        let kept = tokio::task::spawn_blocking(move || {
            let Some(data) = data else { return Ok(None) };
            let kept = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
            match data.path() {
                Some(path) => {
                    std::fs::copy(path, kept.path()).map_err(|error| error.to_string())?;
                }
                None => {
                    let bytes = data.read().map_err(|fault| fault.message)?;
                    std::fs::write(kept.path(), bytes).map_err(|error| error.to_string())?;
                }
            }
            Ok(Some((Arc::new(kept.into_temp_path()), data.len())))
        });
        let kept = kept.await.map_err(|error| error.to_string()).and_then(|kept| kept);
        let data = kept.map_err(|error: String| failed(FailureKind::PeerFailed, error.into()))?;
        let (served_by, route, milliseconds) = (reply.served_by, reply.route, reply.milliseconds);
        Ok(Told { answer, data, served_by, route, milliseconds })
    }
}

impl Told {
    /// The file that came with the answer.
    pub fn file(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|(path, _)| path.to_path_buf())
    }
}
