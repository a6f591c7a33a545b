//! What an entry node lends: places, and circuits through it, within limits.
//!
//! libp2p's relay bounds a circuit by bytes and time, and says nothing of how many bytes went through.
//! So the bytes of each peer's connections are counted below it ([`meter`]), and who had its share of
//! the hour gets no new circuit. A peer thus moves at most its share and what its open circuits may
//! still carry.

pub(super) mod meter;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use libp2p::{Multiaddr, PeerId, relay};

use crate::{entry::Options, network::now_ms};
pub(super) use meter::Meter;

/// How long a place is given for; who is still there asks again before.
const PLACE: Duration = Duration::from_secs(3600);
/// Places that one peer may hold: one for each of its connections, and one that is being replaced.
const PLACES_EACH: usize = 2;
/// Requests of one peer: so many at once, and one more after each pause.
const BURST: NonZeroU32 = NonZeroU32::new(120).unwrap();
const PAUSE: Duration = Duration::from_secs(5);

/// What an entry node did, for its metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryFacts {
    /// Nodes that hold a place now.
    pub places: usize,
    /// Circuits that are open now.
    pub circuits: usize,
    /// Circuits that were ever opened.
    pub opened: u64,
    /// Requests for places and circuits that were denied.
    pub denied: u64,
    /// Bytes that went over connections of peers, both ways.
    pub bytes: u64,
}

/// The relay of an entry node.
pub(super) fn behaviour(me: PeerId, options: &Options, meter: Arc<Meter>) -> relay::Behaviour {
    let share = options.peer_mib_per_hour << 20;
    let within = move |peer: PeerId, _: &Multiaddr, _| meter.this_hour(&peer, now_ms()) < share;
    let config = relay::Config {
        max_reservations: options.places,
        max_reservations_per_peer: PLACES_EACH,
        reservation_duration: PLACE,
        reservation_rate_limiters: Vec::new(),
        max_circuits: options.circuits,
        max_circuits_per_peer: options.circuits_per_peer,
        max_circuit_duration: Duration::from_secs(options.circuit_minutes * 60),
        max_circuit_bytes: options.circuit_mib << 20,
        circuit_src_rate_limiters: vec![Box::new(within)],
    };
    // Not by address: a school is one address.
    relay::Behaviour::new(
        me,
        config.reservation_rate_per_peer(BURST, PAUSE).circuit_src_per_peer(BURST, PAUSE),
    )
}
