//! The attached end: a node in another process, used over its control socket.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use libp2p::{Multiaddr, PeerId};
use tokio::{
    io::BufReader,
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Ask, CONTROL_VERSION, CallFrame, ControlError, Hello, InputFrame, Request, Response, Tell,
    Welcome, frames, socket,
};
use crate::{
    client::{Call, CallFailure, CallInput, Event, FailureKind, Own, Reply, View},
    doctor::Facts,
    mail,
    network::Snapshot,
    say::Say,
    service::{Counters, Data, Progress},
};

/// How long the node may take to answer what needs no work.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests that wait to be written.
const REQUESTS: usize = 64;
/// Events that wait for a slow subscriber before it has to look at everything again.
const EVENTS: usize = 256;
/// Input above this goes by way of a file.
const MAX_BYTES: usize = 1 << 20;

/// A node in another process.
pub(crate) struct Attached {
    id: PeerId,
    name: String,
    line: Arc<Line>,
    seen: watch::Receiver<Arc<Snapshot>>,
    own: watch::Receiver<Own>,
    _tasks: [AbortOnDropHandle<()>; 3],
}

/// What all requests of one connection share.
struct Line {
    asks: mpsc::Sender<Ask>,
    /// Who waits for what; `None` once the node has gone.
    waiting: Mutex<Option<HashMap<u64, Waiter>>>,
    next: AtomicU64,
}

enum Waiter {
    Once(oneshot::Sender<Response>),
    Call { progress: Option<mpsc::Sender<Progress>>, ended: oneshot::Sender<Response> },
    Events { events: mpsc::Sender<Event>, missed: Arc<AtomicBool> },
}

/// Events of a node in another process.
pub(crate) struct Stream {
    asked: Ends,
    events: mpsc::Receiver<Event>,
    /// Some were left out: everything has to be looked at again.
    missed: Arc<AtomicBool>,
}

/// Ends what was asked for when nobody waits for it any more.
struct Ends {
    line: Arc<Line>,
    number: u64,
}

impl Attached {
    /// Attaches to the node behind a socket; `None` where none listens.
    pub(crate) async fn connect(socket: &Path) -> Result<Option<Self>, ControlError> {
        let connecting = timeout(PATIENCE, socket::connect(socket));
        let Some(stream) = connecting.await.map_err(|_| ControlError::Silent)?? else {
            return Ok(None);
        };
        let stream = Arc::new(stream);
        let greeting = greet(&stream);
        let Welcome { id, name, .. } =
            timeout(PATIENCE, greeting).await.map_err(|_| ControlError::Silent)??;
        let id = id.parse().map_err(|_| ControlError::Unexpected(format!("the id {id}")))?;
        let (asks, waiting_asks) = mpsc::channel(REQUESTS);
        let line = Arc::new(Line {
            asks,
            waiting: Mutex::new(Some(HashMap::new())),
            next: AtomicU64::new(1),
        });
        let writing = AbortOnDropHandle::new(tokio::spawn(write(stream.clone(), waiting_asks)));
        let reading = AbortOnDropHandle::new(tokio::spawn(read(stream, line.clone())));
        let mut events = Stream::open(&line).await?;
        let first = timeout(PATIENCE, events.next()).await.map_err(|_| ControlError::Silent)?;
        let mut view = View::default();
        view.apply(first.ok_or_else(gone)?);
        let (seen_tx, seen) = watch::channel(Arc::new(view.mesh.clone()));
        let (own_tx, own) = watch::channel(view.own.clone());
        let mirroring = AbortOnDropHandle::new(tokio::spawn(async move {
            while let Some(event) = events.next().await {
                mirror(event, &seen_tx, &own_tx);
            }
        }));
        Ok(Some(Self { id, name, line, seen, own, _tasks: [writing, reading, mirroring] }))
    }

    pub(crate) fn id(&self) -> PeerId {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.seen.clone()
    }

    pub(crate) fn own(&self) -> watch::Receiver<Own> {
        self.own.clone()
    }

    pub(crate) async fn subscribe(&self) -> Result<Stream, ControlError> {
        Stream::open(&self.line).await
    }

    /// Runs a call on the node. Dropping the future cancels it.
    pub(crate) async fn call(&self, call: Call) -> Result<Reply, CallFailure> {
        // The node keeps the deadline; this is for a node that is stopped or stuck.
        let limit = call.timeout + Duration::from_secs(2);
        match timeout(limit, self.talk(call)).await {
            Ok(ended) => ended,
            Err(_) => Err(failure(FailureKind::TimedOut, &ControlError::Silent)),
        }
    }

    async fn talk(&self, call: Call) -> Result<Reply, CallFailure> {
        let (input, _temporary) = carry(call.input).await?;
        let frame = CallFrame {
            capability: call.capability,
            variant: call.variant,
            args: call.args,
            input,
            timeout_ms: u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX),
            only: call.only.map(|peer| peer.to_string()),
            progress: call.progress.is_some(),
        };
        let (ended, answer) = oneshot::channel();
        let waiter = Waiter::Call { progress: call.progress, ended };
        let broken = |e: ControlError| failure(FailureKind::PeerFailed, &e);
        let ends = self.line.ask(Request::Call(Box::new(frame)), waiter).await.map_err(broken)?;
        let answer = answer.await.map_err(|_| broken(gone()))?;
        let taken = match answer {
            Response::Done { mut reply, data } => {
                let moved = data.map(|path| take_file(&path)).transpose();
                moved
                    .map_err(|e| {
                        failure(FailureKind::PeerFailed, &format!("the answer is lost: {e}"))
                    })
                    .map(|data| {
                        reply.data = data;
                        *reply
                    })
            }
            Response::Failed(failed) => Err(failed),
            Response::No(why) => Err(failure(FailureKind::PeerFailed, &why)),
            other => Err(broken(unexpected(&other))),
        };
        drop(ends);
        taken
    }

    pub(crate) async fn offer(&self, capability: &str, on: bool) -> Result<(), ControlError> {
        self.agree(Request::Offer { capability: capability.to_owned(), on }).await
    }

    pub(crate) async fn reload(&self) -> Result<(), ControlError> {
        self.agree(Request::Reload).await
    }

    pub(crate) async fn join(&self, addresses: Vec<Multiaddr>) -> Result<(), ControlError> {
        let addresses = addresses.iter().map(ToString::to_string).collect();
        self.agree(Request::Join { addresses }).await
    }

    pub(crate) async fn facts(&self) -> Result<Facts, ControlError> {
        match self.once(Request::Facts).await? {
            Response::Facts(facts) => Ok(*facts),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn counters(&self) -> Result<Vec<(String, Counters)>, ControlError> {
        match self.once(Request::Counters).await? {
            Response::Counters(counters) => Ok(counters),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks the post office. Sealing a large letter takes its time, so this waits as long as the node
    /// is there.
    pub(crate) async fn mail(&self, ask: mail::Ask) -> Result<mail::Told, mail::Failed> {
        let failed =
            |e: ControlError| mail::Failed { kind: FailureKind::PeerFailed, message: e.reason() };
        let (reply, answer) = oneshot::channel();
        let waiter = Waiter::Once(reply);
        let _ends = self.line.ask(Request::Mail(ask), waiter).await.map_err(failed)?;
        match answer.await.map_err(|_| failed(gone()))? {
            Response::Mail(told) => *told,
            other => Err(failed(unexpected(&other))),
        }
    }

    async fn agree(&self, request: Request) -> Result<(), ControlError> {
        match self.once(request).await? {
            Response::Agreed => Ok(()),
            Response::No(why) => Err(ControlError::Refused(why)),
            other => Err(unexpected(&other)),
        }
    }

    async fn once(&self, request: Request) -> Result<Response, ControlError> {
        let (reply, answer) = oneshot::channel();
        let answered = async {
            let _ends = self.line.ask(request, Waiter::Once(reply)).await?;
            answer.await.map_err(|_| gone())
        };
        timeout(PATIENCE, answered).await.map_err(|_| ControlError::Silent)?
    }
}

impl Line {
    /// Sends a request. What comes back goes to the waiter until the guard is dropped.
    async fn ask(self: &Arc<Self>, what: Request, waiter: Waiter) -> Result<Ends, ControlError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().as_mut().ok_or_else(gone)?.insert(number, waiter);
        let ends = Ends { line: self.clone(), number };
        self.asks.send(Ask { number, what }).await.map_err(|_| gone())?;
        Ok(ends)
    }

    fn end(&self, number: u64) {
        if let Some(waiting) = self.lock().as_mut() {
            waiting.remove(&number);
        }
        let ask = Ask { number, what: Request::End };
        if let Err(mpsc::error::TrySendError::Full(ask)) = self.asks.try_send(ask)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let asks = self.asks.clone();
            runtime.spawn(async move { asks.send(ask).await });
        }
    }

    fn deliver(&self, Tell { number, what }: Tell) {
        let mut waiting = self.lock();
        let Some(waiting) = waiting.as_mut() else { return };
        match (waiting.get(&number), what) {
            (Some(Waiter::Call { progress, .. }), Response::Progress(step)) => {
                if let Some(progress) = progress {
                    let _ = progress.try_send(step);
                }
            }
            (Some(Waiter::Events { events, missed }), Response::Event(event)) => {
                if let Err(mpsc::error::TrySendError::Full(_)) = events.try_send(*event) {
                    // The queue ends here; whoever reads it to its end subscribes anew.
                    missed.store(true, Ordering::Release);
                    waiting.remove(&number);
                }
            }
            (Some(_), what) => match waiting.remove(&number) {
                Some(Waiter::Once(reply) | Waiter::Call { ended: reply, .. }) => {
                    let _ = reply.send(what);
                }
                Some(Waiter::Events { .. }) | None => {}
            },
            // Given up meanwhile.
            (None, _) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<u64, Waiter>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.line.end(self.number);
    }
}

impl Stream {
    async fn open(line: &Arc<Line>) -> Result<Self, ControlError> {
        let (sender, events) = mpsc::channel(EVENTS);
        let missed = Arc::new(AtomicBool::new(false));
        let waiter = Waiter::Events { events: sender, missed: missed.clone() };
        let asked = line.ask(Request::Subscribe, waiter).await?;
        Ok(Self { asked, events, missed })
    }

    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.recv().await {
                return Some(event);
            }
            if !self.missed.load(Ordering::Acquire) {
                return None;
            }
            // Replaced only when it is open, so that a dropped future loses nothing.
            *self = Self::open(&self.asked.line).await.ok()?;
        }
    }
}

async fn greet(mut stream: &socket::Stream) -> Result<Welcome, ControlError> {
    let here = env!("CARGO_PKG_VERSION");
    let hello = Hello { control: CONTROL_VERSION, program: here.to_owned() };
    frames::write(&mut stream, &hello, frames::MAX_ASK).await?;
    match frames::read::<Welcome, _>(&mut stream, frames::MAX_ASK).await {
        Ok(welcome) if welcome.control == CONTROL_VERSION => Ok(welcome),
        Ok(welcome) => Err(ControlError::OtherVersion { node: welcome.program, here }),
        // The first version knew no greeting.
        Err(ControlError::Unexpected(_)) => {
            Err(ControlError::OtherVersion { node: "an older one".to_owned(), here })
        }
        Err(error) => Err(error),
    }
}

async fn write(stream: Arc<socket::Stream>, mut asks: mpsc::Receiver<Ask>) {
    let mut writer = &*stream;
    while let Some(ask) = asks.recv().await {
        if frames::write(&mut writer, &ask, frames::MAX_ASK).await.is_err() {
            return;
        }
    }
}

async fn read(stream: Arc<socket::Stream>, line: Arc<Line>) {
    let mut reader = BufReader::new(&*stream);
    let error = loop {
        match frames::read(&mut reader, frames::MAX_TELL).await {
            Ok(tell) => line.deliver(tell),
            Err(error) => break error,
        }
    };
    tracing::debug!(%error, "the node's control socket");
    // Everybody who waits learns it.
    *line.lock() = None;
}

/// Keeps the copies of what is asked for most.
fn mirror(event: Event, seen: &watch::Sender<Arc<Snapshot>>, own: &watch::Sender<Own>) {
    if matches!(event, Event::Call(_) | Event::Mail(_)) {
        return;
    }
    let mut view = View { mesh: Snapshot::default(), own: own.borrow().clone(), calls: vec![] };
    seen.send_modify(|seen| {
        let mesh = Arc::make_mut(seen);
        std::mem::swap(mesh, &mut view.mesh);
        view.apply(event);
        std::mem::swap(mesh, &mut view.mesh);
    });
    own.send_if_modified(|told| {
        let news = *told != view.own;
        *told = view.own;
        news
    });
}

/// The input as it travels, with the file that it is in meanwhile.
async fn carry(
    input: Option<CallInput>,
) -> Result<(Option<InputFrame>, Option<tempfile::TempPath>), CallFailure> {
    let unreadable = |e: &dyn std::fmt::Display| {
        failure(FailureKind::BadInput, &format!("the input cannot be handed over: {e}"))
    };
    match input {
        None => Ok((None, None)),
        // The node works in another folder.
        Some(CallInput::File(path)) => {
            let path = std::path::absolute(path).map_err(|e| unreadable(&e))?;
            Ok((Some(InputFrame::File(path)), None))
        }
        Some(CallInput::Bytes(bytes)) if bytes.len() <= MAX_BYTES => {
            Ok((Some(InputFrame::Bytes(bytes.to_vec())), None))
        }
        Some(CallInput::Bytes(bytes)) => {
            let stored = tokio::task::spawn_blocking(move || {
                let mut file = tempfile::Builder::new().prefix("potluck-").tempfile()?;
                file.write_all(&bytes)?;
                Ok::<_, std::io::Error>(file.into_temp_path())
            });
            let stored = stored.await.map_err(|e| unreadable(&e))?.map_err(|e| unreadable(&e))?;
            Ok((Some(InputFrame::File(stored.to_path_buf())), Some(stored)))
        }
    }
}

/// Makes a file of the node's this process's own, to be removed when it is done.
fn take_file(path: &Path) -> std::io::Result<Data> {
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let own = tempfile::Builder::new()
        .prefix("part-")
        .make_in(folder, |own| std::fs::rename(path, own))?;
    let path = own.into_temp_path();
    let size = std::fs::metadata(&path)?.len();
    Ok(Data::Blob { path: path.into(), size })
}

fn failure(kind: FailureKind, message: &impl Say) -> CallFailure {
    CallFailure { kind, message: message.reason(), route: vec![] }
}

fn gone() -> ControlError {
    ControlError::Gone("it has stopped".to_owned())
}

fn unexpected(response: &Response) -> ControlError {
    match response {
        Response::No(why) => ControlError::Unexpected(why.clone()),
        other => {
            let text = format!("{other:?}");
            ControlError::Unexpected(crate::protocol::shorten(&text, 100))
        }
    }
}
