//! The asking end of lines.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::network::streams::OpenStreamError;
use futures::{AsyncReadExt as _, io::BufReader};
use hashbrown::HashMap;
use libp2p::{PeerId, StreamProtocol, swarm::Stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Undelivered,
    frames::{self, Frame},
};
use crate::{
    network::Network,
    protocol::{
        Answer, Ask, CALL_PROTOCOL, CallRequest, MAX_REQUEST, MAX_RESPONSE, MAX_RUNNING, Tell,
    },
    service::Progress,
};

/// How long a peer may take to accept a line, or to take what is written to it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a peer may leave a cancelled call unanswered.
const ABANDONED: Duration = Duration::from_secs(120);
/// Peers that are remembered before those without a line are dropped.
const PEERS: usize = 1024;

/// Our lines to others. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Caller {
    network: Network,
    peers: Arc<Mutex<HashMap<PeerId, Slot>>>,
}

/// The line to one peer. Locked while it is opened, so that it is opened once.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Line>>>>;

struct Line {
    frames: mpsc::Sender<Frame>,
    waiting: Arc<Waiting>,
    /// It leads through an entry node.
    relayed: bool,
    _task: AbortOnDropHandle<()>,
}

/// The calls that have no answer yet; `None` once the line has ended.
struct Waiting {
    calls: Mutex<Option<HashMap<u64, Waiter>>>,
    /// Whether the peer ever said something on this line.
    heard: AtomicBool,
}

/// What goes with one call of [`Caller::call`].
pub(crate) struct Attempt {
    /// Where progress goes.
    pub(crate) progress: Option<mpsc::Sender<Progress>>,
    /// Set when the call is on its way.
    pub(crate) reached: Option<Arc<AtomicBool>>,
    /// Whether it may be sent a second time.
    pub(crate) again: bool,
}

struct Waiter {
    reply: oneshot::Sender<Result<Answer, Undelivered>>,
    progress: Option<mpsc::Sender<Progress>>,
    since: Instant,
}

impl Caller {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, peers: Arc::default() }
    }

    /// Sends a call to a peer, dialling it if need be, and waits for its answer. Dropping the
    /// future does not stop the work: see [`Caller::cancel`].
    ///
    /// A line that breaks before its peer said anything on it was perhaps never taken: libraries
    /// drop streams that arrive too fast. What may run twice is then sent once more on a new one.
    pub(crate) async fn call(
        &self,
        peer: PeerId,
        request: CallRequest,
        attempt: Attempt,
    ) -> Result<Answer, Undelivered> {
        let _active = self.network.activity().begin(peer);
        let (call, ask) = (request.call, Ask::Call(request));
        match self.once(peer, call, &ask, &attempt).await {
            Err((_, true)) if attempt.again => {
                self.once(peer, call, &ask, &attempt).await.map_err(|(why, _)| why)
            }
            ended => ended.map_err(|(why, _)| why),
        }
    }

    /// One try; a failure says whether the line broke without a word from the peer.
    async fn once(
        &self,
        peer: PeerId,
        call: u64,
        ask: &Ask,
        attempt: &Attempt,
    ) -> Result<Answer, (Undelivered, bool)> {
        let line = self.line(peer).await.map_err(|e| (e, false))?;
        let silent = |e| (e, !line.waiting.open() && !line.waiting.heard.load(Ordering::Relaxed));
        let frame = frames::frame(ask, MAX_REQUEST)
            .map_err(|e| (Undelivered::own(format!("the call cannot be sent: {e}")), false))?;
        let (reply, answer) = oneshot::channel();
        let ended = || Undelivered::unreached("the connection broke");
        // Nothing waits between adding and sending: who is added was sent.
        let room = line.frames.reserve().await.map_err(|_| silent(ended()))?;
        let progress = attempt.progress.clone();
        line.waiting
            .add(call, Waiter { reply, progress, since: Instant::now() })
            .map_err(silent)?;
        room.send(frame);
        if let Some(reached) = &attempt.reached {
            reached.store(true, Ordering::Relaxed);
        }
        let answer = answer.await.map_err(|_| Undelivered::lost("the connection broke"));
        answer.and_then(|answer| answer).map_err(silent)
    }

    /// Tells a peer that a call of ours is not needed any more: its work stops, and data that it
    /// keeps for us is given up. Nothing happens when there is no line.
    pub(crate) fn cancel(&self, peer: PeerId, call: u64) {
        let Some(slot) = self.lock().get(&peer).cloned() else { return };
        let Ok(frame) = frames::frame(&Ask::Cancel { call }, MAX_REQUEST) else { return };
        let open = slot.try_lock().ok().and_then(|line| line.clone());
        if open.is_some_and(|line| line.frames.try_send(frame.clone()).is_ok()) {
            return;
        }
        // Somebody looks at the line at this moment, opens it, or its queue is full. Bounded: there
        // are no more of these than calls.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let line = slot.lock().await.clone();
            if let Some(line) = line {
                let _ = line.frames.send(frame).await;
            }
        });
    }

    async fn line(&self, peer: PeerId) -> Result<Arc<Line>, Undelivered> {
        let slot = {
            let mut peers = self.lock();
            if peers.len() >= PEERS {
                peers.retain(|_, slot| slot.try_lock().map_or(true, |line| line.is_some()));
            }
            peers.entry(peer).or_default().clone()
        };
        let mut slot = slot.lock().await;
        // Once there is a direct connection, new calls take that; those under way end where they are.
        let best = |line: &Line| !line.relayed || self.network.streams().relayed(&peer);
        if let Some(line) = slot.as_ref().filter(|line| line.waiting.open() && best(line)) {
            return Ok(line.clone());
        }
        *slot = None;
        self.network.connect(peer).await?;
        let protocol = StreamProtocol::new(CALL_PROTOCOL);
        let relayed = self.network.streams().relayed(&peer);
        let opening =
            timeout(PATIENCE, async { self.network.streams().open_stream(peer, protocol).await });
        let stream = match opening.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(OpenStreamError::UnsupportedProtocol(_))) => {
                return Err(Undelivered::unreached("it does not take calls"));
            }
            Ok(Err(e)) => return Err(Undelivered::unreached(format!("the connection broke: {e}"))),
            Err(_) => return Err(Undelivered::unreached("it did not answer")),
        };
        let line = Arc::new(Line::on(stream, relayed));
        *slot = Some(line.clone());
        Ok(line)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Slot>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn on(stream: Stream, relayed: bool) -> Self {
        let (reader, writer) = stream.split();
        let (frames, outgoing) = mpsc::channel(frames::QUEUE);
        let waiting = Arc::new(Waiting::new());
        // One task for both: calls that follow answers need nobody else to be woken.
        let task = tokio::spawn({
            let waiting = waiting.clone();
            async move {
                let why = tokio::select! {
                    biased;
                    why = listen(BufReader::new(reader), &waiting) => why,
                    Err(e) = frames::write(writer, outgoing, PATIENCE) => {
                        Undelivered::lost(format!("the connection broke: {e}"))
                    }
                };
                waiting.end(&why);
            }
        });
        Self { frames, waiting, relayed, _task: AbortOnDropHandle::new(task) }
    }
}

/// Hands out what the peer says, until it says nothing more.
async fn listen<R: futures::AsyncRead + Unpin>(mut reader: R, waiting: &Waiting) -> Undelivered {
    loop {
        let said = frames::read::<Tell, _>(&mut reader, MAX_RESPONSE).await;
        if matches!(said, Ok(Some(_))) {
            waiting.heard.store(true, Ordering::Relaxed);
        }
        match said {
            Ok(Some(Ok(Tell::Answer { call, answer }))) => waiting.answer(call, answer),
            Ok(Some(Ok(Tell::Progress { call, percent, note }))) => {
                waiting.progress(call, Progress { percent, note });
            }
            Ok(Some(Ok(Tell::Malformed { reason, .. }))) => {
                return Undelivered::lost(format!("it could not read a call: {reason}"));
            }
            Ok(Some(Err(malformed))) => {
                return Undelivered::lost(format!("its answer is unreadable: {malformed}"));
            }
            Ok(None) => return Undelivered::lost("the connection broke"),
            Err(e) => return Undelivered::lost(format!("the connection broke: {e}")),
        }
    }
}

impl Waiting {
    fn new() -> Self {
        Self { calls: Mutex::new(Some(HashMap::new())), heard: AtomicBool::new(false) }
    }

    fn add(&self, call: u64, waiter: Waiter) -> Result<(), Undelivered> {
        let mut waiting = self.lock();
        let Some(calls) = waiting.as_mut() else {
            return Err(Undelivered::unreached("the connection broke"));
        };
        if calls.len() >= MAX_RUNNING {
            // A peer that does not answer cancelled calls does not keep to the protocol.
            if calls.values().any(|w| w.reply.is_closed() && w.since.elapsed() > ABANDONED) {
                *waiting = None;
                return Err(Undelivered::unreached("it left calls unanswered"));
            }
            return Err(Undelivered::own("too many calls wait for it"));
        }
        calls.insert(call, waiter);
        Ok(())
    }

    fn answer(&self, call: u64, answer: Answer) {
        let waiter = self.lock().as_mut().and_then(|calls| calls.remove(&call));
        if let Some(waiter) = waiter {
            let _ = waiter.reply.send(Ok(answer));
        }
    }

    fn progress(&self, call: u64, step: Progress) {
        let waiting = self.lock();
        let waiter = waiting.as_ref().and_then(|calls| calls.get(&call));
        if let Some(sender) = waiter.and_then(|waiter| waiter.progress.as_ref()) {
            let _ = sender.try_send(step);
        }
    }

    fn open(&self) -> bool {
        self.lock().is_some()
    }

    fn end(&self, why: &Undelivered) {
        let calls = self.lock().take();
        for waiter in calls.into_iter().flat_map(HashMap::into_values) {
            let _ = waiter.reply.send(Err(why.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, Waiter>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
