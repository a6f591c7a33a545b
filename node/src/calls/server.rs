//! The answering end of lines.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, FutureExt as _, StreamExt as _, io::BufReader,
};
use hashbrown::HashMap;
use libp2p::PeerId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Activity,
    frames::{self, Frame, Unreadable},
    outbox::{self, Budget, Full, Outbox},
};
use crate::{
    blobs::{BlobError, Blobs, Share},
    journal::Journal,
    protocol::{
        Answer, Ask, CallOutcome, CallRequest, Fault, FaultKind, MAX_MALFORMED, MAX_REQUEST,
        MAX_RESPONSE, MAX_RUNNING, Malformed, Payload, Tell,
    },
    quota::{Limit, Shared},
    service::{Data, Dispatch, Origin, Progress},
};

/// Lines that are served at once.
const MAX_LINES: u64 = 512;
/// The same of one peer: one a connection.
const LINES_EACH: u64 = 4;
/// How long a caller may take to take what is written to it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Answers of one line whose data is kept until the caller has it.
const MAX_KEPT: usize = 32;
/// What a caller is told that finds no room for its input: others are fetched meanwhile.
const NO_ROOM_MS: u32 = 2_000;

/// What lines need to answer calls.
#[derive(Clone)]
pub(crate) struct Server {
    dispatch: Arc<Dispatch>,
    blobs: Blobs,
    activity: Activity,
    journal: Journal,
    waiting: Budget,
    times: Times,
}

/// How long something is kept that nobody uses.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// A line without a call.
    idle: Duration,
    /// Data that nobody fetches.
    kept: Duration,
}

const TIMES: Times = Times { idle: Duration::from_secs(600), kept: Duration::from_secs(120) };

/// One line, seen from the serving side.
struct Line {
    server: Server,
    peer: PeerId,
    outbox: Outbox,
    calls: Mutex<Calls>,
    /// Whether a call came or ended since this was last looked at.
    used: AtomicBool,
}

#[derive(Default)]
struct Calls {
    running: HashMap<u64, CancellationToken>,
    /// Data of answers that the caller has not taken yet.
    kept: VecDeque<(u64, Share)>,
}

impl Server {
    pub(crate) fn new(
        dispatch: Arc<Dispatch>,
        blobs: Blobs,
        activity: Activity,
        journal: Journal,
    ) -> Self {
        Self { dispatch, blobs, activity, journal, waiting: outbox::budget(), times: TIMES }
    }
}

/// Serves the lines that peers open.
pub(crate) async fn serve(mut incoming: crate::network::streams::IncomingStreams, server: Server) {
    let places = Shared::new(Limit::at_once(MAX_LINES), Limit::at_once(LINES_EACH));
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.hold(&peer, 1) else { continue };
        let server = server.clone();
        tokio::spawn(async move {
            let _place = place;
            serve_line(server, peer, stream).await;
        });
    }
}

/// Serves one line until the caller ends it, does not take its answers, or has long had no call.
/// All its calls end with it.
async fn serve_line<S>(server: Server, peer: PeerId, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (reader, writer) = stream.split();
    let (outbox, waiting) = Outbox::new(peer, server.waiting.clone());
    // One task reads and writes, so that the answers of light calls that came together go out
    // together, and nobody has to be woken in between.
    let mut writing = pin!(frames::write(writer, waiting, PATIENCE));
    let used = AtomicBool::new(true);
    let line = Arc::new(Line { server, peer, outbox, calls: Mutex::default(), used });
    let ends = Ends(line.clone());
    let mut reader = BufReader::new(reader);
    let said_all = tokio::select! {
        biased;
        said_all = line.listen(&mut reader) => said_all,
        // The caller does not take its answers.
        _ = &mut writing => false,
        () = line.grows_idle() => true,
    };
    // The last word goes out before the line ends.
    drop(ends);
    drop(line);
    if said_all {
        let _ = tokio::time::timeout(PATIENCE, writing).await;
    }
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
    /// Does what the caller says. `true` when the line ends with a word of our own.
    async fn listen<R: AsyncRead + Unpin>(self: &Arc<Self>, reader: &mut R) -> bool {
        let mut unreadable = 0;
        loop {
            self.outbox.room(|| self.lock().running.len()).await;
            match frames::read::<Ask, _>(reader, MAX_REQUEST).await {
                Ok(Some(Ok(Ask::Call(request)))) => self.start(request),
                Ok(Some(Ok(Ask::Cancel { call }))) => self.cancel(call),
                Ok(Some(Err(Unreadable { why, call }))) => {
                    tracing::debug!(peer = %self.peer, %why, "unreadable call");
                    // Said of a call that runs, it would end that one.
                    let call = call.filter(|call| !self.lock().running.contains_key(call));
                    self.say(&Tell::Malformed { call, reason: why.to_string() });
                    unreadable += 1;
                    // What is too long cannot be skipped.
                    if unreadable > MAX_MALFORMED || matches!(why, Malformed::TooLarge { .. }) {
                        return true;
                    }
                }
                Ok(None) | Err(_) => return false,
            }
        }
    }

    /// Gives kept data up that nobody fetches; returns when the line was idle for long.
    async fn grows_idle(&self) {
        let Times { idle, kept } = self.server.times;
        let mut used_at = Instant::now();
        loop {
            tokio::time::sleep(idle.min(kept) / 4).await;
            let mut calls = self.lock();
            calls.kept.retain(|(_, share)| share.idle() < kept);
            let used = self.used.swap(false, Ordering::Relaxed);
            if used || !calls.running.is_empty() || !calls.kept.is_empty() {
                used_at = Instant::now();
            } else if used_at.elapsed() >= idle {
                return;
            }
        }
    }

    fn start(self: &Arc<Self>, request: CallRequest) {
        let call = request.call;
        let cancel = CancellationToken::new();
        self.used.store(true, Ordering::Relaxed);
        let refusal = {
            let mut calls = self.lock();
            if calls.running.contains_key(&call) {
                // Not an answer: the caller would take it for that of the call that runs.
                let reason = format!("call {call} runs already");
                Some(Tell::Malformed { call: None, reason })
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
            Some(refusal) => self.say(&refusal),
            None => {
                let mut work = Box::pin(self.clone().run(request, cancel));
                // Light calls end at once: a task for each would cost more than they do, and their
                // answers go out together. Otherwise bounded by the calls of a line, and by
                // dispatch, whose queues are short.
                if work.as_mut().now_or_never().is_none() {
                    tokio::spawn(work);
                }
            }
        }
    }

    async fn run(self: Arc<Self>, request: CallRequest, cancel: CancellationToken) {
        let _active = self.server.activity.begin(self.peer);
        let call = request.call;
        let progress = request.progress.then(|| self.clone().forward_progress(call));
        let origin = Origin::new(self.peer, progress, cancel).noted_in(&self.server.journal);
        let line = self.clone();
        // Boxed: most calls have no blob, and each would carry the room for fetching one.
        let fetch = |hash, size| Box::pin(async move { line.fetch_input(hash, size).await });
        let (mut answer, data) = self.server.dispatch.serve(origin, request, fetch).await;
        if let (CallOutcome::Done(output), Some(data)) = (&mut answer.outcome, data) {
            match Box::pin(self.hand_over(call, data)).await {
                Ok(payload) => output.data = Some(payload),
                Err(fault) => answer.outcome = CallOutcome::Failed(fault),
            }
        }
        // The number is free before the answer goes out: the caller may use it again at once.
        self.lock().running.remove(&call);
        self.used.store(true, Ordering::Relaxed);
        self.answer(call, answer);
    }

    async fn fetch_input(&self, hash: [u8; 32], size: u64) -> Result<Data, CallOutcome> {
        match self.server.blobs.receive(self.peer, hash, size).await {
            Ok(fetched) => Ok(Data::Fetched(Arc::new(fetched))),
            Err(BlobError::NoRoom(_)) => Err(CallOutcome::Busy { retry_after_ms: NO_ROOM_MS }),
            Err(e) => Err(CallOutcome::Failed(Fault::new(FaultKind::InputLost, e.to_string()))),
        }
    }

    /// What comes with an answer, as it travels. Data of the line's older answers makes room.
    async fn hand_over(&self, call: u64, data: Data) -> Result<Payload, Fault> {
        let (payload, share) = loop {
            match data.clone().lend(&self.server.blobs, self.peer).await {
                Ok(lent) => break lent,
                Err(fault) => {
                    let oldest = self.lock().kept.pop_front();
                    if oldest.is_none() {
                        return Err(fault);
                    }
                }
            }
        };
        if let Some(share) = share {
            let mut calls = self.lock();
            if calls.kept.len() >= MAX_KEPT {
                calls.kept.pop_front();
            }
            calls.kept.push_back((call, share));
        }
        Ok(payload)
    }

    /// A channel whose messages travel to the caller.
    fn forward_progress(self: Arc<Self>, call: u64) -> mpsc::Sender<Progress> {
        let (sender, mut receiver) = mpsc::channel::<Progress>(8);
        tokio::spawn(async move {
            while let Some(Progress { percent, note }) = receiver.recv().await {
                if let Some(frame) = framed(&Tell::Progress { call, percent, note }) {
                    self.outbox.add_step(frame);
                }
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

    fn answer(&self, call: u64, answer: Answer) {
        let queue = answer.queue;
        let why = match frames::frame(&Tell::Answer { call, answer }, MAX_RESPONSE) {
            Ok(frame) => match self.outbox.add(frame) {
                Ok(()) => return,
                Err(Full) => "too much waits for you: take your answers".to_owned(),
            },
            Err(e) => format!("the answer cannot be sent: {e}"),
        };
        let outcome = CallOutcome::Failed(Fault::internal(why));
        self.say(&Tell::Answer { call, answer: Answer { outcome, queue } });
    }

    /// Says something short.
    fn say(&self, tell: &Tell) {
        if let Some(frame) = framed(tell) {
            self.outbox.add_word(frame);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn framed(tell: &Tell) -> Option<Frame> {
    frames::frame(tell, MAX_RESPONSE)
        .inspect_err(|e| tracing::error!("a message cannot be sent: {e}"))
        .ok()
}

#[cfg(test)]
mod tests;
