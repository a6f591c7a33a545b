//! The pulse: one byte there and back every 1.5 s, so that a stopped or cut-off neighbour is
//! noticed in seconds although its TCP connection still stands.
//!
//! Every node watches its two successors in the ring of ids and whoever serves its calls, so the
//! cost does not grow with the mesh, and every node is watched by two others.

use std::time::{Duration, Instant};

use futures::{AsyncReadExt as _, AsyncWriteExt as _, StreamExt as _};
use libp2p::{PeerId, StreamProtocol, swarm::Stream};
use tokio::{sync::mpsc, time::timeout};

use crate::{
    neighbourhood::pulse,
    protocol::PULSE_PROTOCOL,
    quota::{Limit, Shared},
};

/// Time between two beats. With [`PATIENCE`], a stopped peer is noticed after at most 4 s.
const BEAT: Duration = Duration::from_millis(pulse::BEAT_MS);
/// Silence for this long is death until shown otherwise.
pub(super) const PATIENCE: Duration = Duration::from_millis(pulse::PATIENCE_MS);
/// Streams that are answered at once.
const MAX_WATCHERS: u64 = 512;
/// The same of one peer: its watch, and a check now and then.
const WATCHERS_EACH: u64 = 8;
/// A watcher that is silent for this long has gone.
const GONE: Duration = Duration::from_secs(15);

/// What watching showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Beat {
    Alive {
        peer: PeerId,
        rtt_ms: f32,
    },
    Silent {
        peer: PeerId,
    },
    /// The stream broke; the connection's own events say what that means.
    Ended {
        peer: PeerId,
    },
}

/// Echoes the beats of everyone who watches us.
pub(super) async fn serve(mut incoming: crate::network::streams::IncomingStreams) {
    let places = Shared::new(Limit::at_once(MAX_WATCHERS), Limit::at_once(WATCHERS_EACH));
    while let Some((peer, stream)) = incoming.next().await {
        let Some(place) = places.hold(&peer, 1) else { continue };
        tokio::spawn(async move {
            let _place = place;
            let _ = echo(stream).await;
        });
    }
}

/// Watches a peer until it falls silent or the stream breaks.
pub(super) async fn watch(
    control: crate::network::streams::Control,
    peer: PeerId,
    beats: mpsc::Sender<Beat>,
) {
    let last = loop_beats(control, peer, &beats, None).await;
    let _ = beats.send(last).await;
}

/// One beat, now.
pub(super) async fn check(
    control: crate::network::streams::Control,
    peer: PeerId,
    beats: mpsc::Sender<Beat>,
) {
    let last = loop_beats(control, peer, &beats, Some(1)).await;
    let _ = beats.send(last).await;
}

async fn loop_beats(
    mut control: crate::network::streams::Control,
    peer: PeerId,
    beats: &mpsc::Sender<Beat>,
    count: Option<u32>,
) -> Beat {
    let opened =
        timeout(PATIENCE, control.open_stream(peer, StreamProtocol::new(PULSE_PROTOCOL))).await;
    let mut stream = match opened {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) => return Beat::Ended { peer },
        Err(_) => return Beat::Silent { peer },
    };
    let mut beaten = 0;
    loop {
        let started = Instant::now();
        match timeout(PATIENCE, beat(&mut stream)).await {
            Ok(Ok(())) => {
                let rtt_ms = started.elapsed().as_secs_f32() * 1000.0;
                let alive = Beat::Alive { peer, rtt_ms };
                beaten += 1;
                if count == Some(beaten) {
                    return alive;
                }
                if beats.send(alive).await.is_err() {
                    return Beat::Ended { peer };
                }
            }
            Ok(Err(_)) => return Beat::Ended { peer },
            Err(_) => return Beat::Silent { peer },
        }
        tokio::time::sleep(BEAT).await;
    }
}

async fn beat(stream: &mut Stream) -> std::io::Result<()> {
    stream.write_all(&[1]).await?;
    stream.flush().await?;
    let mut byte = [0];
    stream.read_exact(&mut byte).await
}

async fn echo(mut stream: Stream) -> std::io::Result<()> {
    let mut byte = [0];
    loop {
        timeout(GONE, stream.read_exact(&mut byte)).await??;
        stream.write_all(&byte).await?;
        stream.flush().await?;
    }
}
