//! Counts the bytes of each peer's connections.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::{
    PeerId,
    core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox},
};

/// Peers that are remembered; who moved least is forgotten first.
const MAX_PEERS: usize = 8192;
const HOUR_MS: u64 = 3_600_000;

/// Bytes by peer, in this hour and in all.
#[derive(Debug, Default)]
pub(in crate::network) struct Meter {
    peers: Mutex<HashMap<PeerId, Hour>>,
    total: Arc<AtomicU64>,
}

/// The bytes of one peer since its hour began.
#[derive(Debug, Default)]
struct Hour {
    began: u64,
    /// Counted by its connections, over all hours.
    bytes: Arc<AtomicU64>,
    /// How many there were when the hour began.
    before: u64,
}

impl Meter {
    /// Bytes of all peers so far.
    pub(in crate::network) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Bytes of a peer in its present hour.
    pub(in crate::network) fn this_hour(&self, peer: &PeerId, now: u64) -> u64 {
        let mut peers = self.lock();
        let Some(hour) = peers.get_mut(peer) else { return 0 };
        let bytes = hour.bytes.load(Relaxed);
        if now >= hour.began + HOUR_MS {
            (hour.began, hour.before) = (now, bytes);
        }
        bytes - hour.before
    }

    /// Counts what goes over a connection of that peer.
    pub(in crate::network) fn on(
        &self,
        peer: PeerId,
        muxer: StreamMuxerBox,
        now: u64,
    ) -> StreamMuxerBox {
        let mut peers = self.lock();
        if peers.len() >= MAX_PEERS && !peers.contains_key(&peer) {
            let idle = |hour: &&Hour| Arc::strong_count(&hour.bytes) == 1;
            let moved = |hour: &Hour| hour.bytes.load(Relaxed) - hour.before;
            let least =
                peers.iter().filter(|(_, hour)| idle(hour)).min_by_key(|(_, hour)| moved(hour));
            if let Some(least) = least.map(|(peer, _)| *peer) {
                peers.remove(&least);
            }
        }
        let hour = peers.entry(peer).or_insert_with(|| Hour { began: now, ..Hour::default() });
        let count = Count { own: hour.bytes.clone(), total: self.total.clone() };
        StreamMuxerBox::new(Counted { muxer, count })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Hour>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Count {
    own: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Count {
    fn add(&self, moved: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = moved {
            self.own.fetch_add(*bytes as u64, Relaxed);
            self.total.fetch_add(*bytes as u64, Relaxed);
        }
    }
}

/// A connection whose bytes are counted, or a stream of one.
struct Counted<T> {
    muxer: T,
    count: Count,
}

impl Counted<StreamMuxerBox> {
    fn counted(
        &self,
        opened: Poll<io::Result<SubstreamBox>>,
    ) -> Poll<io::Result<Counted<SubstreamBox>>> {
        opened.map_ok(|muxer| Counted { muxer, count: self.count.clone() })
    }
}

impl StreamMuxer for Counted<StreamMuxerBox> {
    type Substream = Counted<SubstreamBox>;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let opened = Pin::new(&mut self.muxer).poll_inbound(cx);
        self.counted(opened)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Self::Substream>> {
        let opened = Pin::new(&mut self.muxer).poll_outbound(cx);
        self.counted(opened)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.muxer).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.muxer).poll(cx)
    }
}

impl AsyncRead for Counted<SubstreamBox> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.muxer).poll_read(cx, into);
        self.count.add(&read);
        read
    }
}

impl AsyncWrite for Counted<SubstreamBox> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.muxer).poll_write(cx, bytes);
        self.count.add(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.muxer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.muxer).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_counted_by_peer_and_then_begins_anew() {
        let meter = Meter::default();
        let (peer, other) = (PeerId::random(), PeerId::random());
        let _muxers = [peer, other].map(|peer| meter.on(peer, silent(), 1_000));
        let count = |peer: &PeerId, bytes| {
            meter.lock().get(peer).expect("it is counted").bytes.fetch_add(bytes, Relaxed);
        };
        count(&peer, 700);
        assert_eq!((meter.this_hour(&peer, 2_000), meter.this_hour(&other, 2_000)), (700, 0));
        assert_eq!(meter.this_hour(&peer, 1_000 + HOUR_MS), 0);
        count(&peer, 5);
        assert_eq!(meter.this_hour(&peer, 2_000 + HOUR_MS), 5);
        assert_eq!(meter.this_hour(&PeerId::random(), 0), 0);
    }

    /// A connection on which nothing ever happens.
    fn silent() -> StreamMuxerBox {
        struct Silent;
        impl StreamMuxer for Silent {
            type Substream = futures::io::Cursor<Vec<u8>>;
            type Error = io::Error;
            fn poll_inbound(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<io::Result<Self::Substream>> {
                Poll::Pending
            }
            fn poll_outbound(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<io::Result<Self::Substream>> {
                Poll::Pending
            }
            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
            fn poll(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<io::Result<StreamMuxerEvent>> {
                Poll::Pending
            }
        }
        StreamMuxerBox::new(Silent)
    }
}
