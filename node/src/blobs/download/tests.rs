use std::io::Read as _;

use tokio_util::compat::TokioAsyncReadCompatExt as _;

use super::*;
use crate::blobs::{
    Source,
    grants::{Entry, Grants},
    serve::{NOT_SHARED, STEP, send},
};

/// What is shared with a peer.
fn shared(bytes: &[u8]) -> (Arc<Grants>, PeerId, [u8; 32]) {
    let (peer, outline) = (PeerId::random(), Arc::new(Outline::of(bytes)));
    let hash = outline.root();
    let entry = Entry {
        source: Source::Bytes(bytes.into()),
        outline,
        peers: [peer].into(),
        users: 1,
        used: std::time::Instant::now(),
    };
    let grants = Grants::default();
    grants.shares.lock().insert(hash, entry);
    (Arc::new(grants), peer, hash)
}

/// Somebody who fetches from one peer.
fn fetching(hash: [u8; 32], size: u64, window: Duration) -> Worker {
    let file = tempfile::tempfile().expect("a file");
    Worker::new(Arc::new(Download::new(hash, size, file)), window)
}

fn content(download: &Download) -> Vec<u8> {
    let (mut file, mut bytes) = (download.file(), Vec::new());
    file.seek(SeekFrom::Start(0)).expect("seeks");
    file.read_to_end(&mut bytes).expect("reads");
    bytes
}

#[tokio::test]
async fn blobs_of_every_size_arrive_one_of_no_bytes_too() {
    for size in [0, 1, GROUP - 1, GROUP, GROUP + 1, STEP, STEP + 77] {
        let bytes: Vec<u8> = (0..size).map(|n| (n / 5) as u8).collect();
        let (shares, peer, hash) = shared(&bytes);
        let (here, there) = tokio::io::duplex(1 << 16);
        let sending = tokio::spawn(async move { send(peer, here.compat(), shares).await });
        let mut fetching = fetching(hash, size as u64, WINDOW);
        fetching.go_on(there.compat()).await.unwrap_or_else(|e| panic!("{size}: {e}"));
        assert!(content(&fetching.download) == bytes, "{size}");
        sending.await.expect("no panic").expect("sent");
    }
}

/// What comes back on a stream that asks so. The asking side ends its half first, or not.
async fn asked(
    shares: Arc<Grants>,
    peer: PeerId,
    hash: [u8; 32],
    first: u32,
    close: bool,
) -> Vec<u8> {
    let (here, there) = tokio::io::duplex(1 << 16);
    let sending = tokio::spawn(async move { send(peer, here.compat(), shares).await });
    let mut there = there.compat();
    there.write_all(&[&hash[..], &first.to_be_bytes()].concat()).await.expect("written");
    if close {
        there.close().await.expect("closed");
    }
    let mut answer = Vec::new();
    there.read_to_end(&mut answer).await.expect("the other side ends it");
    sending.await.expect("no panic").expect("sent");
    answer
}

#[tokio::test]
async fn a_first_group_past_the_end_brings_the_outline_and_no_bytes() {
    let bytes = vec![3; GROUP + 5];
    let outline = Outline::of(&bytes);
    let size = outline.size().to_be_bytes();
    let head = [&[HERE][..], &size, outline.groups().as_flattened()].concat();
    for close in [false, true] {
        for (first, rest) in [(1, 5), (2, 0), (3, 0), (u32::MAX, 0)] {
            let (shares, peer, hash) = shared(&bytes);
            let answer = asked(shares, peer, hash, first, close).await;
            assert!(answer.starts_with(&head), "{first}");
            assert_eq!(answer.len(), head.len() + rest, "{first}");
        }
    }
}

#[tokio::test]
async fn what_is_not_shared_with_a_peer_is_one_byte_and_the_end() {
    let (shares, peer, hash) = shared(b"secret");
    assert_eq!(asked(shares.clone(), PeerId::random(), hash, 0, false).await, [NOT_SHARED]);
    assert_eq!(asked(shares, peer, [9; 32], 0, true).await, [NOT_SHARED]);
    let (here, there) = tokio::io::duplex(100);
    let mut here = here.compat();
    let answer = async move {
        here.read_exact(&mut [0; 36]).await?;
        here.write_all(&[NOT_SHARED]).await
    };
    tokio::spawn(answer);
    let ended = fetching([9; 32], 1, WINDOW).go_on(there.compat()).await;
    assert!(matches!(ended, Err(BlobError::NotShared)), "{ended:?}");
}

/// The bytes are right, but they come one by one.
#[tokio::test]
async fn a_trickle_is_broken_off_although_it_is_never_silent() {
    let bytes = vec![3; GROUP];
    let outline = Outline::of(&bytes);
    let (here, there) = tokio::io::duplex(1 << 16);
    let head = [&[HERE][..], &outline.size().to_be_bytes(), outline.groups().as_flattened()];
    let head = head.concat();
    let dripping = tokio::spawn(async move {
        let mut here = here.compat();
        here.read_exact(&mut [0; 36]).await.expect("asked");
        here.write_all(&head).await.expect("written");
        let mut dripped = 0;
        while here.write_all(&[3]).await.is_ok() && here.flush().await.is_ok() {
            dripped += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dripped
    });
    let mut fetching = fetching(outline.root(), outline.size(), Duration::from_millis(200));
    let ended = fetching.go_on(there.compat()).await;
    assert!(matches!(ended, Err(BlobError::Broken(_))), "{ended:?}");
    assert!(Instant::now() >= fetching.pace.deadline(), "which is told as too slow");
    let dripped = dripping.await.expect("no panic");
    assert!(dripped > 1 && dripped < GROUP, "{dripped}");
}

/// Streams that break anywhere, liars and dawdlers among several that have it: it arrives whole, and
/// what arrived once is not asked for again.
#[tokio::test]
async fn several_bring_one_blob_whatever_some_of_them_do() {
    let bytes: Vec<u8> = (0..60 * GROUP + 7).map(|n| (n / 11) as u8).collect();
    let (shares, peer, hash) = shared(&bytes);
    let outline = Outline::of(&bytes);
    let file = tempfile::tempfile().expect("a file");
    let download = Arc::new(Download::new(hash, bytes.len() as u64, file));
    // One says what is not so: found out, and the others go on.
    let (here, there) = tokio::io::duplex(1 << 16);
    let head = [&[HERE][..], &outline.size().to_be_bytes(), outline.groups().as_flattened()];
    let lies = [head.concat(), vec![9; 4 * GROUP]].concat();
    tokio::spawn(async move {
        let mut here = here.compat();
        here.read_exact(&mut [0; 36]).await.expect("asked");
        let _ = here.write_all(&lies).await;
    });
    let lied = Worker::new(download.clone(), WINDOW).go_on(there.compat()).await;
    assert!(matches!(lied, Err(BlobError::Wrong)), "{lied:?}");
    // One dawdles: it says it has it, and brings no byte.
    let (dawdling, there) = tokio::io::duplex(1 << 16);
    let head = head.concat();
    let mut slow = Worker::new(download.clone(), WINDOW);
    let waiting = tokio::spawn(async move { slow.go_on(there.compat()).await });
    let mut dawdling = dawdling.compat();
    dawdling.read_exact(&mut [0; 36]).await.expect("asked");
    dawdling.write_all(&head).await.expect("written");
    // Three bring it, over streams that break after some bytes each.
    let workers = (0..3).map(|n| {
        let (download, shares) = (download.clone(), shares.clone());
        async move {
            let mut worker = Worker::new(download, WINDOW);
            let mut streams = 0;
            loop {
                let (here, there) = tokio::io::duplex(1 << 16);
                let after = (n + 1) * (5 * GROUP + 1000);
                let sending = tokio::spawn(cut(here, after, peer, shares.clone()));
                let done = worker.go_on(there.compat()).await;
                sending.abort();
                streams += 1;
                match done {
                    Ok(true) => return (worker.brought, streams),
                    Ok(false) | Err(BlobError::Broken(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    let brought = futures::future::join_all(workers).await;
    assert!(content(&download) == bytes);
    let all: usize = brought.iter().map(|(groups, _)| groups).sum();
    assert!(brought.iter().all(|(groups, _)| *groups > 0), "all of them bring some: {brought:?}");
    assert!((61..90).contains(&all), "hardly any group comes twice: {brought:?}");
    waiting.abort();
}

/// Sends a blob over a stream that breaks after so many bytes.
async fn cut(stream: tokio::io::DuplexStream, after: usize, peer: PeerId, shares: Arc<Grants>) {
    let (here, there) = tokio::io::duplex(1 << 16);
    let sending = tokio::spawn(async move { send(peer, here.compat(), shares).await });
    let (mut from, mut ask) = tokio::io::split(there);
    let (mut asked, mut to) = tokio::io::split(stream);
    use tokio::io::AsyncReadExt as _;
    let copying = async {
        tokio::select! {
            _ = tokio::io::copy(&mut asked, &mut ask) => {}
            _ = async {
                let mut some = (&mut from).take(after as u64);
                tokio::io::copy(&mut some, &mut to).await
            } => {}
        }
    };
    copying.await;
    sending.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_read_while_it_arrives_and_not_before_it_was_checked() {
    let bytes: Vec<u8> = (0..9 * GROUP + 5).map(|n| (n / 11) as u8).collect();
    let outline = Outline::of(&bytes);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let open = || file.reopen().expect("opens");
    let groups: Vec<_> = bytes.chunks(GROUP).collect();
    let download = Download::new(outline.root(), bytes.len() as u64, open());
    let follow = |download: &Download| {
        let mut following = download.follow(open());
        spawn_blocking(move || {
            let mut read = Vec::new();
            following.read_to_end(&mut read).map(|_| read)
        })
    };
    let whole = follow(&download);
    // Out of order: what stands before the first gap is read only.
    for index in [1, 0, 3, 2, 5, 4, 9, 8, 7, 6] {
        assert!(!whole.is_finished());
        download.keep(&outline, index, groups[index]).expect("it fits");
    }
    assert!(whole.await.expect("no panic").expect("all of it") == bytes);
    // A download that is given up ends the reading.
    let given_up = Download::new(outline.root(), bytes.len() as u64, open());
    given_up.keep(&outline, 0, groups[0]).expect("it fits");
    let following = follow(&given_up);
    drop(given_up);
    let ended = following.await.expect("no panic").map_err(|e| e.kind());
    assert_eq!(ended.map(|_| ()), Err(io::ErrorKind::BrokenPipe));
}
