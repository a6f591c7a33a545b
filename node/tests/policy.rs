//! Policy without a network: neighbourhood, directory and router in virtual time, the codec under fire.
//!
//! Every run draws a seed and prints it; `POTLUCK_SEED=n cargo test -p potluck --test policy`
//! repeats a run.

#[path = "policy/calls.rs"]
mod calls;
#[path = "policy/codec.rs"]
mod codec;
#[path = "policy/limits.rs"]
mod limits;
#[path = "policy/mesh.rs"]
mod mesh;
#[path = "policy/scenarios.rs"]
mod scenarios;

use libp2p::PeerId;
use rand::{SeedableRng as _, rngs::SmallRng};

/// A generator whose seed is printed (the harness shows it when the test fails), from
/// `POTLUCK_SEED` if set.
fn seeded(test: &str) -> SmallRng {
    let seed = std::env::var("POTLUCK_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random::<u64>);
    println!("{test}: POTLUCK_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

/// A peer id made of a number: the identity multihash of an Ed25519 key.
fn peer(key: [u8; 32]) -> PeerId {
    let mut bytes = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    bytes.extend(key);
    PeerId::from_bytes(&bytes).expect("an identity multihash of 36 bytes is a peer id")
}
