//! The node's side of the control socket.

use std::{io, os::unix::fs::PermissionsExt as _, path::Path, path::PathBuf, time::Duration};

use tokio::{
    io::AsyncReadExt as _,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    ControlError, ControlReply, ControlRequest, MeshView, PROGRESS_QUEUE, PeerInfo, read_frame,
    write_frame,
};
use crate::{
    Client,
    client::{Call, CallFailure, CallInput, FailureKind, Reply},
    network::now_ms,
};

/// Commands that are served at once; more wait to be accepted.
const MAX_SESSIONS: usize = 256;

/// Serves the control socket until it is dropped; then the socket is removed.
pub struct ControlServer {
    socket: PathBuf,
    _accepting: AbortOnDropHandle<()>,
}

impl ControlServer {
    /// Binds the socket. The caller holds the data folder's lock, so a socket that is there
    /// already is a dead one.
    pub fn bind(socket: &Path, client: Client) -> io::Result<Self> {
        match std::fs::remove_file(socket) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(socket)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
        let accepting = tokio::spawn(accept(listener, client));
        Ok(Self { socket: socket.to_owned(), _accepting: AbortOnDropHandle::new(accepting) })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

async fn accept(listener: UnixListener, client: Client) {
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(MAX_SESSIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let client = client.clone();
                tokio::spawn(async move {
                    let _place = place;
                    if let Err(error) = serve(stream, client).await {
                        tracing::debug!(%error, "a command went away");
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

async fn serve(mut stream: UnixStream, client: Client) -> Result<(), ControlError> {
    let request = match read_frame(&mut stream).await {
        Ok(request) => request,
        Err(ControlError::Unexpected(reason)) => {
            return write_frame(&mut stream, &ControlReply::Unreadable(reason)).await;
        }
        Err(error) => return Err(error),
    };
    let reply = match request {
        ControlRequest::Mesh => ControlReply::Mesh(mesh_view(&client)),
        ControlRequest::Facts => ControlReply::Facts(Box::new(client.facts().await)),
        ControlRequest::Join { addresses } => {
            client.join(addresses.iter().filter_map(|a| a.parse().ok()).collect()).await;
            ControlReply::Joined
        }
        ControlRequest::Call { capability, variant, args, input, timeout_ms, only } => {
            let only = match only.map(|text| text.parse()).transpose() {
                Ok(only) => only,
                Err(_) => {
                    let failed = CallFailure {
                        kind: FailureKind::BadInput,
                        message: "that is not a client id".into(),
                        route: vec![],
                    };
                    return write_frame(&mut stream, &ControlReply::Failed(failed)).await;
                }
            };
            let call = Call {
                capability,
                variant,
                args,
                input: input.map(CallInput::File),
                timeout: Duration::from_millis(timeout_ms),
                only,
                progress: None,
            };
            return serve_call(stream, client, call).await;
        }
    };
    write_frame(&mut stream, &reply).await
}

/// Runs a call as long as the command is there.
async fn serve_call(
    stream: UnixStream,
    client: Client,
    mut call: Call,
) -> Result<(), ControlError> {
    let (mut reader, mut writer) = stream.into_split();
    let (progress, mut news) = mpsc::channel(PROGRESS_QUEUE);
    call.progress = Some(progress);
    let mut work = std::pin::pin!(client.call(call));
    let mut byte = [0];
    loop {
        tokio::select! {
            ended = &mut work => {
                let reply = match ended {
                    Ok(reply) => reply,
                    Err(failure) => return write_frame(&mut writer, &ControlReply::Failed(failure)).await,
                };
                return hand_over(reader, writer, &client, reply).await;
            }
            Some(step) = news.recv() => {
                let reply = ControlReply::Progress { percent: step.percent, note: step.note };
                write_frame(&mut writer, &reply).await?;
            }
            // Commands send nothing more: whatever comes is the end.
            _ = reader.read(&mut byte) => return Ok(()),
        }
    }
}

/// Hands a reply to the command, and waits until it has taken the file that belongs to it.
async fn hand_over(
    mut reader: OwnedReadHalf,
    mut writer: OwnedWriteHalf,
    client: &Client,
    mut reply: Reply,
) -> Result<(), ControlError> {
    let folder = client.inner.blobs.folder().to_owned();
    let data = match reply.data.take() {
        Some(data) => Some(
            tokio::task::spawn_blocking(move || data.into_file(&folder))
                .await
                .map_err(|e| ControlError::Gone(io::Error::other(e)))??,
        ),
        None => None,
    };
    let path = data.as_ref().and_then(|data| data.path()).map(Path::to_owned);
    let waits = path.is_some();
    write_frame(&mut writer, &ControlReply::Done { reply, data: path }).await?;
    if waits {
        let _ = reader.read(&mut [0]).await;
    }
    Ok(())
}

/// The mesh as this node sees it.
pub(crate) fn mesh_view(client: &Client) -> MeshView {
    let snapshot = client.snapshot();
    let now = now_ms();
    let mut peers: Vec<_> = snapshot
        .peers
        .iter()
        .map(|(id, view)| PeerInfo {
            id: id.to_string(),
            name: view.advert.name.clone(),
            connected: view.connected,
            suspect: view.suspect,
            rtt_ms: view.rtt_ms,
            heard_ms_ago: now.saturating_sub(view.heard_at),
            addresses: view.advert.multiaddrs().iter().map(ToString::to_string).collect(),
            offers: view.advert.offers.clone(),
        })
        .collect();
    peers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    MeshView {
        id: client.id().to_string(),
        name: client.name().to_owned(),
        listen: snapshot.listen.iter().map(ToString::to_string).collect(),
        offers: client.offers(),
        served: client.counters().into_iter().map(|(n, c)| (n.to_owned(), c)).collect(),
        peers,
    }
}
