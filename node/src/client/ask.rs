//! Calls as the rest of the program sees them: what is asked, what comes back.

use std::{path::PathBuf, sync::Arc, time::Duration};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{input, local::Local, report, run::Run};
use crate::{
    journal::{CallEnd, Entry, Side},
    network::now_ms,
    protocol::{Fault, FaultKind, Output},
    router::{Plan, PlanEnd, PlanSettings},
    say::{Reason, reasons},
    service::{Data, Progress},
};

/// Peers that may fail one call.
const MAX_ATTEMPTS: u32 = 8;
/// How long a call waits for somebody who offers the capability.
const GRACE_MS: u64 = 3_000;
/// The same for a peer that was named: nobody else can help, and a busy machine is slow to be seen. Within
/// the time of the shortest command, so that it says who is missing.
const NAMED_MS: u64 = 8_000;
/// The same while this node loads its own service.
const LOADING_MS: u64 = 60_000;
/// The shortest and longest silence of a peer before anything is known of its usual time.
const SILENCE_MS: (u64, u64) = (500, 5_000);

/// Progress that may wait to be passed on.
const STEPS: usize = 8;

/// What is asked of the mesh.
#[derive(Debug, Clone)]
pub struct Call {
    /// `name/version`.
    pub capability: String,
    /// A model or other variant that the server must have.
    pub variant: Option<String>,
    /// The capability's own request, in CBOR.
    pub args: Vec<u8>,
    /// The bytes to work on.
    pub input: Option<CallInput>,
    /// All the time there is.
    pub timeout: Duration,
    /// Only this peer may serve.
    pub only: Option<PeerId>,
    /// Where progress goes.
    pub progress: Option<mpsc::Sender<Progress>>,
}

/// Where the input of a call is.
#[derive(Debug, Clone)]
pub enum CallInput {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file.
    File(PathBuf),
}

/// A call that was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reply {
    /// The capability's own response, in CBOR.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Files and the like that belong to the response.
    #[serde(skip)]
    pub data: Option<Data>,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

/// A node that served a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
}

/// One attempt, for `--explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteHop {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// When it was expected to be done, in milliseconds.
    pub expected_ms: f64,
    /// How long the attempt took.
    pub milliseconds: u64,
    /// `answered`, `busy`, `refused`, `failed`, `lost`, `cancelled`.
    pub outcome: String,
    /// What the peer or the network said.
    pub detail: Option<String>,
    /// Whether it was a further copy, sent because those before took unusually long.
    pub hedge: bool,
}

/// A call that was not answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallFailure {
    /// What a program should make of it.
    pub kind: FailureKind,
    /// What a person should make of it.
    pub message: Reason,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
}

/// What a program should make of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The input is wrong.
    BadInput,
    /// Nobody offers the capability or has the model.
    NobodyServes,
    /// Whoever was tried failed.
    PeerFailed,
    /// The owner's policy says no.
    Refused,
    /// The deadline passed.
    TimedOut,
}

impl Local {
    pub(crate) async fn call(self: &Arc<Self>, mut call: Call) -> Result<Reply, CallFailure> {
        let started = now_ms();
        let reading = input::prepare(call.input.clone());
        let read = tokio::time::timeout(call.timeout, reading).await;
        let late = || Err(Fault::bad_input(reasons::input_late()));
        let input = match read.unwrap_or_else(|_| late()) {
            Ok(input) => input,
            Err(fault) => {
                return Err(CallFailure {
                    kind: FailureKind::BadInput,
                    message: fault.reason(),
                    route: vec![],
                });
            }
        };
        let entry = self.journal.begin(Side::Asked, &call.capability, input.len());
        let mut steps = Steps::between(&mut call, self.journal.is_followed());
        let settings = PlanSettings {
            deadline_at: started
                .saturating_add(u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX / 2)),
            max_attempts: MAX_ATTEMPTS,
            hedge_after_ms: self.patience_ms(&call),
            grace_ms: self.grace_ms(&call),
        };
        let deadline_at = settings.deadline_at;
        let plan = Plan::new(settings, started);
        let mut run = Run::new(self, plan, &call, &input, deadline_at);
        let end = steps.forward(&entry, run.drive()).await;
        let Run { plan, output, names, .. } = run;
        let route = report::route(&plan, &names);
        let ended = self.finish(&call, &plan, route, end, output, started);
        entry.end(match &ended {
            Ok(reply) => CallEnd {
                served_by: Some(reply.served_by.clone()),
                route: reply.route.clone(),
                ..CallEnd::default()
            },
            Err(failure) => CallEnd {
                failure: Some(failure.message.clone()),
                route: failure.route.clone(),
                ..CallEnd::default()
            },
        });
        ended
    }

    /// How long a peer may be silent before a second one is asked: the usual p95, and before
    /// anything is usual a share of the time there is. A peer that takes calls and never answers
    /// costs this much, not the whole deadline.
    fn patience_ms(&self, call: &Call) -> Option<u64> {
        let usual = self.health().hedge_after_ms(&call.capability);
        Some(usual.unwrap_or_else(|| {
            let all = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
            (all / 4).clamp(SILENCE_MS.0, SILENCE_MS.1)
        }))
    }

    /// How long it is worth waiting for a first candidate: longer for a peer that was named, and
    /// while this node itself still loads what was asked for.
    fn grace_ms(&self, call: &Call) -> u64 {
        let mine = call.only.is_none_or(|only| only == self.id());
        let service = self.registry.get(&call.capability);
        match mine && service.is_some_and(|service| service.loading()) {
            true => LOADING_MS,
            false if mine => GRACE_MS,
            false => NAMED_MS,
        }
    }

    fn finish(
        &self,
        call: &Call,
        plan: &Plan,
        route: Vec<RouteHop>,
        end: PlanEnd,
        output: Option<(Output, Option<Data>)>,
        started: u64,
    ) -> Result<Reply, CallFailure> {
        let (kind, message) = match (end, output) {
            (PlanEnd::Answered { peer }, Some((output, data))) => {
                return Ok(Reply {
                    body: output.body,
                    data,
                    served_by: report::served_by(&peer, plan, &route),
                    route,
                    milliseconds: now_ms().saturating_sub(started),
                });
            }
            (PlanEnd::Answered { .. }, None) => (FailureKind::PeerFailed, reasons::answer_lost()),
            (PlanEnd::Failed(fault), _) => (failure_kind(fault.kind), fault.reason()),
            (PlanEnd::NobodyOffers, _) => (FailureKind::NobodyServes, report::nobody(call, self)),
            (PlanEnd::AllFailed { last }, _) => {
                let kind = match last.kind {
                    FaultKind::NotOffered | FaultKind::NoVariant => FailureKind::NobodyServes,
                    FaultKind::TooLarge => FailureKind::BadInput,
                    _ => FailureKind::PeerFailed,
                };
                (kind, last.reason())
            }
            (PlanEnd::Refused { reason }, _) => (FailureKind::Refused, reason.into()),
            (PlanEnd::TimedOut | PlanEnd::Cancelled, _) => {
                (FailureKind::TimedOut, reasons::late(call.timeout.as_secs_f32().to_string()))
            }
        };
        Err(CallFailure { kind, message: headed(kind, message), route })
    }
}

/// What came in English alone has at least a headline in other languages.
fn headed(kind: FailureKind, message: Reason) -> Reason {
    if message.words().is_some() {
        return message;
    }
    let what = message.to_string();
    match kind {
        FailureKind::BadInput => reasons::bad_input(what),
        FailureKind::NobodyServes => reasons::nobody_serves(what),
        FailureKind::PeerFailed => reasons::peer_failed(what),
        FailureKind::Refused => reasons::refused(what),
        FailureKind::TimedOut => reasons::timed_out(what),
    }
}

fn failure_kind(kind: FaultKind) -> FailureKind {
    match kind {
        FaultKind::BadInput | FaultKind::TooLarge => FailureKind::BadInput,
        FaultKind::NotOffered | FaultKind::NoVariant => FailureKind::NobodyServes,
        FaultKind::Deadline | FaultKind::Cancelled => FailureKind::TimedOut,
        FaultKind::InputLost | FaultKind::Internal | FaultKind::NotUnderstood => {
            FailureKind::PeerFailed
        }
    }
}

/// Progress on its way to whoever asked for it, noted as it passes. Nothing, where nobody wants any.
struct Steps {
    said: Option<mpsc::Receiver<Progress>>,
    asker: Option<mpsc::Sender<Progress>>,
}

impl Steps {
    fn between(call: &mut Call, followed: bool) -> Self {
        let asker = call.progress.take();
        if asker.is_none() && !followed {
            return Self { said: None, asker };
        }
        let (sender, said) = mpsc::channel(STEPS);
        call.progress = Some(sender);
        Self { said: Some(said), asker }
    }

    async fn forward(&mut self, entry: &Entry, work: impl Future<Output = PlanEnd>) -> PlanEnd {
        let mut work = std::pin::pin!(work);
        let end = loop {
            let said = async {
                match &mut self.said {
                    Some(said) => said.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                end = &mut work => break end,
                Some(step) = said => self.pass(entry, step),
            }
        };
        while let Some(Ok(step)) = self.said.as_mut().map(mpsc::Receiver::try_recv) {
            self.pass(entry, step);
        }
        end
    }

    fn pass(&self, entry: &Entry, step: Progress) {
        entry.progress(&step);
        if let Some(asker) = &self.asker {
            let _ = asker.try_send(step);
        }
    }
}
