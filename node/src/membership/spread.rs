//! How what members know of admins and removals gets to all of them: two nodes compare digests, and
//! where these differ each hands the other all that it knows. They do so in admission, before anything
//! else; with each neighbour when something changed; and with somebody every half minute.

use std::{io, sync::Arc, time::Duration};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol};
use rand::seq::IteratorRandom as _;
use serde::{Serialize, de::DeserializeOwned};

use super::Membership;
use crate::{
    network::{Network, now_ms, streams},
    protocol::{
        Checked, ROLL_PROTOCOL, decode, encode,
        membership::{MAX_ROLL_FRAME, RollDigest, RollRecords},
    },
};

/// Time between two comparisons with somebody.
const COMPARE: Duration = Duration::from_secs(30);
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Comparisons that peers begin and that run at one time.
const AT_ONCE: usize = 16;

/// Compares with whoever is at the other end; both sides do the same.
pub(crate) async fn compare<S>(membership: &Arc<Membership>, stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let own = membership.roll_digest();
    write(stream, &own).await?;
    let other: RollDigest = read(stream, 64).await?;
    if own != other {
        swap(membership, stream).await?;
    }
    Ok(())
}

/// Hands over all and takes all.
pub(crate) async fn swap<S>(membership: &Arc<Membership>, stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bytes = frame(&membership.roll_records())?;
    let (mut reader, mut writer) = stream.split();
    // At once: neither may wait for the other to read.
    let send = async {
        writer.write_all(&bytes).await?;
        writer.flush().await
    };
    let (sent, got) = futures::join!(send, read::<RollRecords>(&mut reader, MAX_ROLL_FRAME));
    sent?;
    membership.merge(&got?.records);
    Ok(())
}

/// Compares with peers that ask, with all neighbours on news, and with somebody now and then.
pub(crate) async fn run(
    membership: Arc<Membership>,
    network: Network,
    incoming: streams::IncomingStreams,
) {
    let answering = answer(membership.clone(), incoming);
    let telling = tell(membership, network);
    futures::join!(answering, telling);
}

async fn answer(membership: Arc<Membership>, incoming: streams::IncomingStreams) {
    let answered = incoming.for_each_concurrent(AT_ONCE, |(peer, mut stream)| {
        let membership = membership.clone();
        async move {
            let compared = tokio::time::timeout(PATIENCE, compare(&membership, &mut stream)).await;
            if !matches!(compared, Ok(Ok(()))) {
                tracing::debug!(%peer, "the rolls could not be compared");
            }
            let _ = stream.close().await;
        }
    });
    answered.await;
}

async fn tell(membership: Arc<Membership>, network: Network) {
    let mut changed = membership.watch();
    loop {
        let woken = tokio::time::timeout(COMPARE, changed.changed()).await;
        let neighbours: Vec<_> = {
            let snapshot = network.snapshot();
            let connected = snapshot.peers.iter().filter(|(_, view)| view.connected);
            connected.map(|(id, _)| *id).collect()
        };
        let whom = match woken {
            Ok(Ok(())) => neighbours,
            Ok(Err(_)) => return,
            Err(_) => neighbours.into_iter().choose(&mut rand::rng()).into_iter().collect(),
        };
        let compared = whom.into_iter().map(|peer| {
            let (membership, network) = (membership.clone(), network.clone());
            async move {
                let asked = ask(&membership, &network, peer);
                let _ = tokio::time::timeout(PATIENCE, asked).await;
            }
        });
        futures::future::join_all(compared).await;
        // Who is out is cut off at once, and who is due is seen without a change.
        network.shut_out(membership.outsiders(now_ms())).await;
    }
}

async fn ask(membership: &Arc<Membership>, network: &Network, peer: PeerId) -> io::Result<()> {
    let protocol = StreamProtocol::new(ROLL_PROTOCOL);
    let opened = network.streams().open_stream(peer, protocol).await;
    let mut stream = opened.map_err(io::Error::other)?;
    compare(membership, &mut stream).await?;
    stream.close().await
}

/// One frame: its length (u32, big endian) and a CBOR value.
pub(crate) fn frame<T: Serialize>(what: &T) -> io::Result<Vec<u8>> {
    let bytes = encode(what).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], &bytes].concat())
}

async fn write<S, T>(stream: &mut S, what: &T) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
    T: Serialize,
{
    stream.write_all(&frame(what)?).await?;
    stream.flush().await
}

/// Reads one frame of at most `max` bytes.
pub(crate) async fn read<T>(stream: &mut (impl AsyncRead + Unpin), max: usize) -> io::Result<T>
where
    T: DeserializeOwned + Checked,
{
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > max {
        return Err(io::Error::other("too long a frame"));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    let said: T = decode(&bytes).map_err(io::Error::other)?;
    said.check().map_err(io::Error::other)?;
    Ok(said)
}
