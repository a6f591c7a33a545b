//! The node's side of the control channel.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::BufReader,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    Ask, CONTROL_VERSION, CallFrame, ControlError, Hello, InputFrame, PROGRESS_QUEUE, Request,
    Response, Tell, Welcome, frames,
    socket::{self, AcceptsStreams as _},
};
use crate::{
    Client, Node,
    client::{Call, CallFailure, CallInput, FailureKind, Local},
};

/// Programs that are attached at once; more wait to be accepted.
const MAX_SESSIONS: usize = 256;
/// What one program asks at once.
const MAX_ASKED: usize = 1024;
/// Frames that wait to be written to one program.
const FRAMES: usize = 64;
/// How long a program may take to greet.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves the control socket until it is dropped; then the socket is removed.
pub struct ControlServer {
    socket: PathBuf,
    _accepting: AbortOnDropHandle<()>,
}

impl ControlServer {
    /// Binds the socket. The caller holds the data folder's lock, so a socket that is there
    /// already is a dead one.
    pub fn bind(socket: &Path, node: &Node) -> io::Result<Self> {
        let listener = socket::listen(socket)?;
        let accepting = tokio::spawn(accept(listener, node.local().clone()));
        Ok(Self { socket: socket.to_owned(), _accepting: AbortOnDropHandle::new(accepting) })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        socket::remove(&self.socket);
    }
}

async fn accept(listener: socket::Listener, local: Arc<Local>) {
    let places = Arc::new(Semaphore::new(MAX_SESSIONS));
    // Dropped with the server: attached programs learn that the node has stopped.
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        while sessions.try_join_next().is_some() {}
        match listener.accept().await {
            Ok(stream) => {
                let local = local.clone();
                sessions.spawn(async move {
                    let _place = place;
                    if let Err(error) = serve(stream, local).await {
                        tracing::debug!(%error, "an attached program went away");
                    }
                });
            }
            // Out of file descriptors, say: it passes.
            Err(error) => {
                tracing::warn!(%error, "the control socket");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// One attached program.
#[derive(Clone)]
struct Session {
    local: Arc<Local>,
    tells: mpsc::Sender<Tell>,
    /// What it asked for and has not ended.
    asked: Arc<Mutex<HashMap<u64, CancellationToken>>>,
}

async fn serve(stream: socket::Stream, local: Arc<Local>) -> Result<(), ControlError> {
    let (mut reader, mut writer) = (BufReader::new(&stream), &stream);
    let hello = timeout(PATIENCE, frames::read::<Hello, _>(&mut reader, frames::MAX_ASK));
    let hello = hello.await.map_err(|_| ControlError::Silent)?;
    let welcome = Welcome {
        control: CONTROL_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        id: local.id().to_string(),
        name: local.name.clone(),
    };
    // Also to a program that greets otherwise: it learns which version it met.
    frames::write(&mut writer, &welcome, frames::MAX_TELL).await?;
    if hello?.control != CONTROL_VERSION {
        return Ok(());
    }
    let (tells, mut waiting) = mpsc::channel(FRAMES);
    let session = Session { local, tells, asked: Arc::default() };
    let all = session.asked.clone();
    let _ends = Ends(all);
    let listening = async {
        loop {
            let Ask { number, what } = frames::read(&mut reader, frames::MAX_ASK).await?;
            session.start(number, what).await?;
        }
    };
    let writing = async {
        while let Some(tell) = waiting.recv().await {
            frames::write(&mut writer, &tell, frames::MAX_TELL).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = listening => ended,
        ended = writing => ended,
    }
}

/// Stops everything that a program asked for when it goes.
struct Ends(Arc<Mutex<HashMap<u64, CancellationToken>>>);

impl Drop for Ends {
    fn drop(&mut self) {
        for token in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            token.cancel();
        }
    }
}

impl Session {
    async fn start(&self, number: u64, what: Request) -> Result<(), ControlError> {
        if matches!(what, Request::End) {
            if let Some(token) = self.lock().remove(&number) {
                token.cancel();
            }
            return Ok(());
        }
        let ended = CancellationToken::new();
        let full = {
            let mut asked = self.lock();
            let full = asked.len() >= MAX_ASKED || asked.contains_key(&number);
            if !full {
                asked.insert(number, ended.clone());
            }
            full
        };
        if full {
            let why = format!("more than {MAX_ASKED} requests at once, or one number twice");
            return self.tell(number, Response::No(why)).await;
        }
        // Bounded by what is asked at once.
        let session = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                // Its program went away, or wants it no more.
                () = ended.cancelled() => {}
                _ = session.answer(number, what, &ended) => {}
            }
            session.lock().remove(&number);
        });
        Ok(())
    }

    async fn answer(
        &self,
        number: u64,
        what: Request,
        ended: &CancellationToken,
    ) -> Result<(), ControlError> {
        let client = Client::from(self.local.clone());
        let response = match what {
            Request::Call(call) => return self.call(number, *call, ended).await,
            Request::Subscribe => return self.follow(number, &client).await,
            Request::End => return Ok(()),
            Request::Offer { capability, on } => {
                client.offer(&capability, on).await?;
                Response::Agreed
            }
            Request::Reload => match client.reload().await {
                Ok(()) => Response::Agreed,
                Err(error) => Response::No(error.to_string()),
            },
            Request::Join { addresses } => {
                let addresses = addresses.iter().filter_map(|text| text.parse().ok()).collect();
                client.join(addresses).await?;
                Response::Agreed
            }
            Request::Facts => Response::Facts(Box::new(client.facts().await?)),
            Request::Counters => Response::Counters(client.counters().await?),
            Request::Mail(ask) => Response::Mail(Box::new(client.mail(ask).await)),
        };
        self.tell(number, response).await
    }

    async fn follow(&self, number: u64, client: &Client) -> Result<(), ControlError> {
        let mut events = client.subscribe().await?;
        // A program that does not keep up holds this back, and is told everything once more.
        while let Some(event) = events.next().await {
            self.tell(number, Response::Event(Box::new(event))).await?;
        }
        Ok(())
    }

    async fn call(
        &self,
        number: u64,
        frame: CallFrame,
        ended: &CancellationToken,
    ) -> Result<(), ControlError> {
        let Ok(only) = frame.only.map(|text| text.parse()).transpose() else {
            let failed = CallFailure {
                kind: FailureKind::BadInput,
                message: "that is not a client id".into(),
                route: vec![],
            };
            return self.tell(number, Response::Failed(failed)).await;
        };
        let (progress, mut steps) = mpsc::channel(PROGRESS_QUEUE);
        let call = Call {
            capability: frame.capability,
            variant: frame.variant,
            args: frame.args,
            input: frame.input.map(|input| match input {
                InputFrame::Bytes(bytes) => CallInput::Bytes(bytes.into()),
                InputFrame::File(path) => CallInput::File(path),
            }),
            timeout: Duration::from_millis(frame.timeout_ms),
            only,
            progress: frame.progress.then_some(progress),
        };
        let mut work = std::pin::pin!(self.local.call(call));
        let reply = loop {
            tokio::select! {
                biased;
                Some(step) = steps.recv() => self.tell(number, Response::Progress(step)).await?,
                reply = &mut work => break reply,
            }
        };
        let mut reply = match reply {
            Ok(reply) => reply,
            Err(failed) => return self.tell(number, Response::Failed(failed)).await,
        };
        let folder = self.local.blobs.folder().to_owned();
        let data = match reply.data.take() {
            Some(data) => Some(
                tokio::task::spawn_blocking(move || data.into_file(&folder))
                    .await
                    .map_err(io::Error::from)??,
            ),
            None => None,
        };
        let path = data.as_ref().and_then(|data| data.path()).map(Path::to_owned);
        let waits = path.is_some();
        self.tell(number, Response::Done { reply: Box::new(reply), data: path }).await?;
        if waits {
            // The file is there until it was taken.
            ended.cancelled().await;
        }
        Ok(())
    }

    async fn tell(&self, number: u64, what: Response) -> Result<(), ControlError> {
        let sent = self.tells.send(Tell { number, what }).await;
        sent.map_err(|_| ControlError::Gone("it hung up".to_owned()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, CancellationToken>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
