use libp2p::PeerId;
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use super::*;
use crate::service::{DispatchSettings, Everyone, Registry};

const SOON: Duration = Duration::from_millis(40);
const NEVER: Duration = Duration::from_secs(86_400);

/// A server without services, which forgets so soon.
fn server(times: Times) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let streams = crate::network::streams::Behaviour::new().new_control();
    let blobs = Blobs::start(streams, folder.path(), folder.path(), 64 << 20).expect("starts");
    let settings = DispatchSettings { threads: 1, queue: 8, max_input: 1 << 20 };
    let dispatch = Dispatch::new(&Registry::new(), settings, Box::new(Everyone));
    let server = Server::new(Arc::new(dispatch), blobs, Activity::default(), Journal::default());
    (Server { times, ..server }, folder)
}

fn line_of(server: Server) -> (Arc<Line>, mpsc::Receiver<outbox::Waiting>) {
    let peer = PeerId::random();
    let (outbox, waiting) = Outbox::new(peer, server.waiting.clone());
    let used = AtomicBool::new(true);
    (Arc::new(Line { server, peer, outbox, calls: Mutex::default(), used }), waiting)
}

/// A line that is served, and its other end.
fn served(server: Server) -> (tokio::task::JoinHandle<()>, Compat<DuplexStream>) {
    let (here, there) = tokio::io::duplex(1 << 16);
    (tokio::spawn(serve_line(server, PeerId::random(), here.compat())), there.compat())
}

async fn call(there: &mut Compat<DuplexStream>, call: u64) -> Tell {
    use futures::AsyncWriteExt as _;
    let request = CallRequest {
        call,
        capability: "nothing/1".to_owned(),
        deadline_ms: 1000,
        args: vec![],
        input: None,
        progress: false,
    };
    let frame = frames::frame(&Ask::Call(request), MAX_REQUEST).expect("encodes");
    there.write_all(&frame).await.expect("written");
    there.flush().await.expect("flushed");
    let told = frames::read::<Tell, _>(there, MAX_RESPONSE).await.expect("read");
    told.expect("the line goes on").expect("readable")
}

#[tokio::test]
async fn a_line_without_calls_ends_and_one_with_calls_goes_on() {
    let (server, _folder) = server(Times { idle: SOON, kept: NEVER });
    let (ended, mut there) = served(server);
    for number in 0..3 {
        let told = call(&mut there, number).await;
        assert!(matches!(told, Tell::Answer { call, .. } if call == number), "{told:?}");
    }
    let end = frames::read::<Tell, _>(&mut there, MAX_RESPONSE).await.expect("no error");
    assert!(end.is_none(), "the line is closed, not broken");
    ended.await.expect("no panic");
}

#[tokio::test]
async fn a_line_whose_call_runs_is_not_idle() {
    let (server, _folder) = server(Times { idle: SOON, kept: NEVER });
    let (line, _waiting) = line_of(server);
    line.lock().running.insert(1, CancellationToken::new());
    let mut idle = Box::pin(line.grows_idle());
    assert!(tokio::time::timeout(10 * SOON, idle.as_mut()).await.is_err());
    line.lock().running.clear();
    idle.await;
}

#[tokio::test]
async fn data_that_nobody_fetches_is_given_up() {
    let (server, _folder) = server(Times { idle: NEVER, kept: SOON });
    let (line, _waiting) = line_of(server);
    let data = Data::Bytes(vec![7; 1 << 20].into());
    let payload = line.hand_over(1, data).await.expect("there is room");
    assert_eq!(payload.len(), 1 << 20);
    assert_eq!(line.lock().kept.len(), 1);
    let forgets = async {
        while !line.lock().kept.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = line.grows_idle() => panic!("only the data is old"),
        () = forgets => {}
    }
}

#[tokio::test]
async fn older_data_makes_room_for_newer_and_no_peer_has_it_all() {
    let (server, _folder) = server(Times { idle: NEVER, kept: NEVER });
    let (line, _waiting) = line_of(server.clone());
    // 16 MiB in memory, 32 on the disk are what one peer may have.
    for call in 0..60 {
        let data = Data::Bytes(vec![7; 4 << 20].into());
        line.hand_over(call, data).await.expect("older data makes room");
    }
    let kept: Vec<u64> = line.lock().kept.iter().map(|(call, _)| *call).collect();
    assert!(kept.len() <= 12 && kept.last() == Some(&59), "{kept:?}");
    let (other, _waiting) = line_of(server);
    let data = || Data::Bytes(vec![7; 20 << 20].into());
    other.hand_over(1, data()).await.expect("another peer has its own share");
    let fault = other.hand_over(2, Data::Bytes(vec![7; 60 << 20].into())).await;
    assert!(fault.is_err_and(|fault| fault.message.contains("disk_mib")));
}

/// What a call holds while it waits, apart from what was sent: there may be many.
#[tokio::test]
async fn a_call_that_runs_is_small() {
    let (server, _folder) = server(TIMES);
    let (line, _waiting) = line_of(server);
    let request = CallRequest {
        call: 1,
        capability: "nothing/1".to_owned(),
        deadline_ms: 1000,
        args: vec![],
        input: None,
        progress: false,
    };
    let size = size_of_val(&line.run(request, CancellationToken::new()));
    assert!(size <= 4096, "{size} bytes");
}
