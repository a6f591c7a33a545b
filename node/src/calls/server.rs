//! The answering end of lines.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{AsyncReadExt as _, StreamExt as _, io::BufReader};
use libp2p::{PeerId, swarm::Stream};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Activity,
    frames::{self, Frame},
};
use crate::{
    blobs::{BlobOffer, Blobs},
    places::Places,
    protocol::{
        Answer, Ask, CallOutcome, CallRequest, Fault, FaultKind, MAX_MALFORMED, MAX_REQUEST,
        MAX_RESPONSE, MAX_RUNNING, Malformed, Tell,
    },
    service::{Data, Dispatch, Origin, Progress},
};

/// Lines that are served at once.
const MAX_LINES: usize = 512;
/// The same of one peer: one a connection.
const LINES_EACH: usize = 4;
/// How long a caller may take to take what is written to it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Answers of one line whose data is kept until the caller has it.
const MAX_KEPT: usize = 32;

/// What lines need to answer calls.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) blobs: Blobs,
    pub(crate) activity: Activity,
}

/// One line, seen from the serving side.
struct Line {
    server: Server,
    peer: PeerId,
    frames: mpsc::Sender<Frame>,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    running: HashMap<u64, CancellationToken>,
    /// Data of answers that the caller has not taken yet.
    kept: VecDeque<(u64, BlobOffer)>,
}

/// Serves the lines that peers open.
pub(crate) async fn serve(mut incoming: crate::network::streams::IncomingStreams, server: Server) {
    let mut places = Places::new(MAX_LINES, LINES_EACH);
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.take(peer) else { continue };
        let server = server.clone();
        tokio::spawn(async move {
            let _place = place;
            serve_line(server, peer, stream).await;
        });
    }
}

/// Serves one line until the caller ends it. All its calls end with it.
async fn serve_line(server: Server, peer: PeerId, stream: Stream) {
    let (reader, writer) = stream.split();
    let (frames, outgoing) = mpsc::channel(frames::QUEUE);
    let mut writing =
        AbortOnDropHandle::new(tokio::spawn(frames::write(writer, outgoing, PATIENCE)));
    let line = Arc::new(Line { server, peer, frames, calls: Mutex::default() });
    let _ends = Ends(line.clone());
    let mut reader = BufReader::new(reader);
    let mut unreadable = 0;
    loop {
        let asked = tokio::select! {
            asked = frames::read::<Ask, _>(&mut reader, MAX_REQUEST) => asked,
            // The caller does not take its answers.
            _ = &mut writing => return,
        };
        match asked {
            Ok(Some(Ok(Ask::Call(request)))) => line.start(request).await,
            Ok(Some(Ok(Ask::Cancel { call }))) => line.cancel(call),
            Ok(Some(Err(malformed))) => {
                tracing::debug!(%peer, %malformed, "unreadable call");
                line.tell(&Tell::Malformed { reason: malformed.to_string() }).await;
                unreadable += 1;
                // What is too long cannot be skipped.
                if unreadable > MAX_MALFORMED || matches!(malformed, Malformed::TooLarge { .. }) {
                    break;
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
    // The last word goes out before the line ends.
    drop(_ends);
    drop(line);
    let _ = tokio::time::timeout(PATIENCE, writing).await;
}

/// Stops the calls of a line that ends.
struct Ends(Arc<Line>);

impl Drop for Ends {
    fn drop(&mut self) {
        for token in self.0.lock().running.values() {
            token.cancel();
        }
    }
}

impl Line {
    async fn start(self: &Arc<Self>, request: CallRequest) {
        let call = request.call;
        let cancel = CancellationToken::new();
        let refusal = {
            let mut calls = self.lock();
            if calls.running.contains_key(&call) {
                // Not an answer: the caller would take it for that of the call that runs.
                Some(Tell::Malformed { reason: format!("call {call} runs already") })
            } else if calls.running.len() >= MAX_RUNNING {
                let outcome = CallOutcome::Busy { retry_after_ms: 100 };
                let queue = u16::try_from(MAX_RUNNING).unwrap_or(u16::MAX);
                Some(Tell::Answer { call, answer: Answer { outcome, queue } })
            } else {
                calls.running.insert(call, cancel.clone());
                None
            }
        };
        match refusal {
            Some(refusal) => self.tell(&refusal).await,
            // Bounded by the calls of a line, and by dispatch, whose queues are short.
            None => drop(tokio::spawn(self.clone().run(request, cancel))),
        }
    }

    async fn run(self: Arc<Self>, request: CallRequest, cancel: CancellationToken) {
        let _active = self.server.activity.begin(self.peer);
        let call = request.call;
        let progress = request.progress.then(|| self.clone().forward_progress(call));
        let origin = Origin { caller: self.peer, progress, cancel };
        let (blobs, peer) = (self.server.blobs.clone(), self.peer);
        let fetch = |hash, size| async move {
            let path = blobs
                .fetch(peer, hash, size)
                .await
                .map_err(|e| Fault::new(FaultKind::InputLost, e.to_string()))?;
            Ok(Data::Blob { path: Arc::new(path), size })
        };
        let (mut answer, data) = self.server.dispatch.serve(origin, request, fetch).await;
        if let (CallOutcome::Done(output), Some(data)) = (&mut answer.outcome, data) {
            match data.lend(&self.server.blobs).await {
                Ok((payload, offer)) => {
                    output.data = Some(payload);
                    if let Some(offer) = offer {
                        offer.allow(self.peer);
                        self.keep(call, offer);
                    }
                }
                Err(fault) => answer.outcome = CallOutcome::Failed(fault),
            }
        }
        self.lock().running.remove(&call);
        self.tell(&Tell::Answer { call, answer }).await;
    }

    /// A channel whose messages travel to the caller.
    fn forward_progress(self: Arc<Self>, call: u64) -> mpsc::Sender<Progress> {
        let (sender, mut receiver) = mpsc::channel::<Progress>(8);
        tokio::spawn(async move {
            while let Some(Progress { percent, note }) = receiver.recv().await {
                self.tell(&Tell::Progress { call, percent, note }).await;
            }
        });
        sender
    }

    fn cancel(&self, call: u64) {
        let mut calls = self.lock();
        if let Some(token) = calls.running.get(&call) {
            token.cancel();
        }
        calls.kept.retain(|(kept, _)| *kept != call);
    }

    fn keep(&self, call: u64, offer: BlobOffer) {
        let mut calls = self.lock();
        if calls.kept.len() >= MAX_KEPT {
            calls.kept.pop_front();
        }
        calls.kept.push_back((call, offer));
    }

    async fn tell(&self, tell: &Tell) {
        // The line may have ended; the caller knows.
        let frame = frames::frame(tell, MAX_RESPONSE).or_else(|e| match tell {
            Tell::Answer { call, answer } => {
                let fault = Fault::internal(format!("the answer cannot be sent: {e}"));
                let outcome = CallOutcome::Failed(fault);
                let answer = Answer { outcome, queue: answer.queue };
                frames::frame(&Tell::Answer { call: *call, answer }, MAX_RESPONSE)
            }
            _ => Err(e),
        });
        match frame {
            Ok(frame) => drop(self.frames.send(frame).await),
            Err(e) => tracing::error!("a message cannot be sent: {e}"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
