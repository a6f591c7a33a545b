//! What a neighbourhood is told, and what it wants done.

use std::collections::BTreeSet;

use libp2p::{Multiaddr, PeerId};

use super::nearby::Way;
use crate::{
    directory::{GoneReason, Via},
    doctor::Stranger,
    protocol::{Advert, Exchange, ExchangeReply, Loss, Request, Rumour, SignedAdvert, SignedLoss},
};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// We signed a new advert for ourselves.
    Own {
        /// The advert.
        advert: Advert,
        /// The same, signed.
        signed: SignedAdvert,
    },
    /// An advert arrived and its signature was found good.
    Heard {
        /// The advert.
        advert: Advert,
        /// The same, signed.
        signed: SignedAdvert,
        /// The peer whose connection brought it. When that is the author, it is proof of life.
        from: PeerId,
        /// How it arrived.
        via: Via,
    },
    /// Word of a loss arrived and its signature was found good. Answered with [`Effect::Judge`].
    Loss {
        /// The word.
        loss: Loss,
        /// The same, signed.
        signed: SignedLoss,
        /// The peer whose connection brought it.
        from: PeerId,
        /// Names the rumour in [`Effect::Judge`].
        token: u64,
    },
    /// We signed the word that [`Effect::Testify`] asked for.
    Testified {
        /// Who was lost.
        peer: PeerId,
        /// The word.
        signed: SignedLoss,
    },
    /// mDNS named a peer.
    Named {
        /// Who.
        peer: PeerId,
        /// Where.
        addresses: Vec<Multiaddr>,
    },
    /// mDNS takes an address back.
    Unnamed {
        /// Whose.
        peer: PeerId,
        /// Which.
        address: Multiaddr,
    },
    /// A connection to this address is to be kept.
    Join {
        /// Where.
        address: Multiaddr,
    },
    /// A call needs a connection. Answered with [`Effect::Reached`] or [`Effect::Unreached`].
    Wanted {
        /// To whom.
        peer: PeerId,
    },
    /// A connection is there.
    Connected {
        /// To whom.
        peer: PeerId,
        /// The dial that made it, where it was ours.
        dial: Option<u64>,
    },
    /// The best way to a peer that is connected, or is about to be: [`Way::Near`] is taken for
    /// granted.
    Way {
        /// To whom.
        peer: PeerId,
        /// Which.
        way: Way,
    },
    /// An entry node gave a place: [`Effect::Reserve`].
    Reserved {
        /// Which.
        entry: PeerId,
    },
    /// The place at an entry node is gone, or was not given.
    Unreserved {
        /// Which.
        entry: PeerId,
    },
    /// Where this node listens in its own network, where its advert does not say so.
    Here {
        /// Where.
        addresses: Vec<Multiaddr>,
    },
    /// The last connection is gone.
    Disconnected {
        /// To whom.
        peer: PeerId,
    },
    /// A dial failed at all its addresses.
    DialFailed {
        /// The number in [`Effect::Dial`].
        dial: u64,
        /// Why.
        why: DialFailure,
    },
    /// A peer was found not to be of this mesh, whoever dialled.
    Stranger {
        /// Who.
        peer: PeerId,
        /// What it said.
        stranger: Stranger,
    },
    /// A pulse was answered.
    Beat {
        /// By whom.
        peer: PeerId,
        /// The round trip.
        rtt_ms: f32,
    },
    /// A pulse over a connection was not.
    Silent {
        /// By whom.
        peer: PeerId,
    },
    /// The stream of a pulse broke, or could not be opened.
    PulseEnded {
        /// Whose.
        peer: PeerId,
    },
    /// A peer says that it closes the connection only to save resources.
    Parting {
        /// Who.
        peer: PeerId,
    },
    /// A peer says that others have buried us with this sequence number.
    Overdue {
        /// The number.
        seq: u64,
    },
    /// A request of a peer could not be read.
    Unreadable {
        /// Whose.
        peer: PeerId,
    },
    /// A request of ours got no answer in time.
    Unanswered {
        /// By whom.
        peer: PeerId,
    },
    /// An exchange that we asked for was answered; its adverts were told before.
    Replied {
        /// By whom.
        peer: PeerId,
        /// How.
        reply: ExchangeReply,
        /// Whether we had sent our digest.
        digest_sent: bool,
    },
    /// Whom the owner wants nothing to do with, all of them.
    Block {
        /// Who.
        peers: BTreeSet<PeerId>,
    },
    /// Time passed: wanted every [`TICK_MS`](super::TICK_MS).
    Tick {
        /// Peers with which calls run or ran: how many run now, and when the last began or ended.
        used: Vec<(PeerId, u32, u64)>,
    },
}

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq)]
pub enum DialFailure {
    /// The machine is there and the process is not: every TCP address refused.
    Refused,
    /// Nothing answered, or not everywhere.
    Silent,
    /// It is full, and named others.
    Full {
        /// When to come back.
        retry_after_ms: u64,
        /// Whom to try instead.
        others: Vec<(PeerId, Vec<Multiaddr>)>,
    },
    /// It is no node of this mesh.
    Stranger(Stranger),
    /// Our own limits or queues: says nothing about the peer.
    Own,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Dial, and say [`Event::Connected`] or [`Event::DialFailed`] with this number.
    Dial {
        /// The number.
        dial: u64,
        /// Whom; `None` where only an address is known.
        peer: Option<PeerId>,
        /// Where.
        addresses: Vec<Multiaddr>,
    },
    /// Whoever waits for a connection to this peer can go on.
    Reached(PeerId),
    /// Whoever waits for a connection to this peer waits in vain.
    Unreached {
        /// Who.
        peer: PeerId,
        /// Why, for a person.
        why: &'static str,
        /// Whether it was trouble of our own.
        own: bool,
    },
    /// Ask a connected entry node for a place, and say [`Event::Reserved`] or [`Event::Unreserved`].
    Reserve {
        /// Whom.
        entry: PeerId,
        /// Where it is.
        address: Multiaddr,
    },
    /// Give up a place, or asking for one.
    Unreserve(PeerId),
    /// Close all connections to a peer.
    Close(PeerId),
    /// Send an exchange, and say [`Event::Replied`].
    Ask {
        /// Whom.
        peer: PeerId,
        /// What.
        exchange: Exchange,
    },
    /// Send a request whose answer says nothing.
    Tell {
        /// Whom.
        peer: PeerId,
        /// What.
        request: Request,
    },
    /// Keep a pulse on a peer: [`Event::Beat`], [`Event::Silent`], [`Event::PulseEnded`].
    Watch(PeerId),
    /// Stop keeping it.
    Unwatch(PeerId),
    /// One beat, now.
    Check(PeerId),
    /// Publish this.
    Gossip(Rumour),
    /// Sign word of this loss, publish it, and say [`Event::Testified`].
    Testify {
        /// Who was lost.
        peer: PeerId,
        /// The last sequence number known of it.
        seq: u64,
    },
    /// Whether a rumour is handed on.
    Judge {
        /// The token of [`Event::Loss`].
        token: u64,
        /// Whether it was found true.
        forward: bool,
    },
    /// A node is new in the directory.
    Appeared(PeerId),
    /// A node has a newer advert.
    Changed(PeerId),
    /// A node left the directory.
    Gone {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: GoneReason,
    },
    /// Sign a new advert for ourselves with a sequence number above this one.
    Readvertise {
        /// The number to exceed.
        above: u64,
    },
    /// A second process runs with our identity. At most once a minute.
    Clone {
        /// Where it says it listens.
        addresses: Vec<Multiaddr>,
        /// Its nickname.
        name: String,
    },
}
