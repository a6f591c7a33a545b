//! A UDP path that drops, delays and reorders datagrams, between a node and whoever reaches it by
//! QUIC: the kernel of the test machines has no `netem`.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::net::UdpSocket;
use tokio_util::task::AbortOnDropHandle;

/// What happens to a datagram.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// How many of a hundred are lost.
    pub percent: u32,
    /// The longest delay; each datagram has its own, so that they overtake each other.
    pub delay: Duration,
}

/// A path. Gone when dropped.
pub struct Lossy {
    at: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

impl Lossy {
    /// A path that leads to `to`, on a port of loopback that is free now. The seed is printed, so that
    /// a failure can be had again.
    pub async fn to(to: SocketAddr, loss: Loss, seed: u64) -> std::io::Result<Self> {
        println!("the lossy path has the seed {seed}");
        let front = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let at = front.local_addr()?;
        let carried = carry(front, to, loss, StdRng::seed_from_u64(seed));
        Ok(Self { at, _task: AbortOnDropHandle::new(tokio::spawn(carried)) })
    }

    /// Where it begins.
    pub fn at(&self) -> SocketAddr {
        self.at
    }
}

/// The way on, and back, of one sender.
struct Back {
    socket: Arc<UdpSocket>,
    _task: AbortOnDropHandle<()>,
}

/// Hands datagrams on, from each sender by a socket of its own, and the answers back.
async fn carry(front: Arc<UdpSocket>, to: SocketAddr, loss: Loss, mut rng: StdRng) {
    let mut backs: HashMap<SocketAddr, Back> = HashMap::new();
    let mut bytes = vec![0; 65_536];
    loop {
        let Ok((length, from)) = front.recv_from(&mut bytes).await else { continue };
        let back = match backs.entry(from) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let Ok(socket) = UdpSocket::bind("127.0.0.1:0").await else { continue };
                let socket = Arc::new(socket);
                let rng = StdRng::seed_from_u64(rng.random());
                let answers = answer(socket.clone(), front.clone(), from, loss, rng);
                let _task = AbortOnDropHandle::new(tokio::spawn(answers));
                new.insert(Back { socket, _task })
            }
        };
        pass(back.socket.clone(), to, bytes[..length].to_vec(), loss, &mut rng);
    }
}

async fn answer(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    to: SocketAddr,
    loss: Loss,
    mut rng: StdRng,
) {
    let mut bytes = vec![0; 65_536];
    while let Ok((length, _)) = back.recv_from(&mut bytes).await {
        pass(front.clone(), to, bytes[..length].to_vec(), loss, &mut rng);
    }
}

/// Sends a datagram later, or never.
fn pass(by: Arc<UdpSocket>, to: SocketAddr, bytes: Vec<u8>, loss: Loss, rng: &mut StdRng) {
    if rng.random_range(0..100) < loss.percent {
        return;
    }
    let delay = loss.delay.mul_f64(rng.random_range(0.0..1.0));
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        let _ = by.send_to(&bytes, to).await;
    });
}
