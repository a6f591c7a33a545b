//! Comparing directories with neighbours, within what each source may ask for.

use libp2p::PeerId;
use rand::{Rng, seq::IteratorRandom as _};
use serde_bytes::ByteBuf;

use super::{Effect, Neighbourhood, nearby::Way, peer::Peer};
use crate::protocol::{
    Advert, Exchange, ExchangeReply, Request, SignedAdvert,
    exchange::{MAX_ADVERT_BYTES, MAX_ADVERTS},
};

/// Time between two comparisons with a random neighbour, in ms.
pub(super) const EXCHANGE_MS: u64 = 9_000;
/// How long an answer to such a question may take before somebody else is asked, in ms.
pub(super) const ANSWER_MS: u64 = 3_000;
/// Exchanges in a row with a peer that has more than fits into one message.
const MAX_ROUNDS: u32 = 12;

impl Neighbourhood {
    /// Whether an advert is news, and whoever brought it may have one more signature checked.
    pub fn worth_checking(&mut self, advert: &Advert, from: &PeerId, now: u64) -> bool {
        self.directory.is_news(advert) && self.limits.adverts.take(from, 1, now)
    }

    /// Whether the signature of word of a loss is worth checking.
    pub fn worth_verifying(&mut self, from: &PeerId, now: u64) -> bool {
        self.limits.adverts.take(from, 1, now)
    }

    /// Answers an exchange, whose adverts were told before. `None` says that the peer asks too often.
    pub fn answer(
        &mut self,
        peer: PeerId,
        exchange: &Exchange,
        now: u64,
    ) -> (Option<ExchangeReply>, Vec<Effect>) {
        let mut effects = Vec::new();
        if let Some(known) = self.peers.get_mut(&peer) {
            known.spoke(now);
        }
        self.hear_near(&peer, &exchange.near);
        if !self.limits.exchanges.take(&peer, 1, now) {
            return (None, effects);
        }
        let peers = &self.peers;
        let linked = |peer: &PeerId| peers.get(peer).is_some_and(Peer::connected);
        let (mut reply, doubts) = self.directory.compare(peer, exchange, now, linked);
        self.fit(&peer, &mut reply.adverts);
        reply.near = self.near_for(&peer);
        self.on_doubts(doubts, now, &mut effects);
        (Some(reply), effects)
    }

    /// Compares with a peer; `own` hands it our own advert too. Whoever is far away may be an entry
    /// node: it is handed our advert when we know that, and it asks for it.
    pub(super) fn ask(&mut self, peer: PeerId, digest: bool, own: bool, out: &mut Vec<Effect>) {
        let me = [ByteBuf::from(self.me.to_bytes())];
        let own = own && self.peers.get(&peer).is_none_or(|known| known.way == Way::Near);
        let mut exchange = self.directory.exchange(digest, if own { &me } else { &[] });
        self.fit(&peer, &mut exchange.adverts);
        exchange.near = self.near_for(&peer);
        out.push(Effect::Ask { peer, exchange });
    }

    /// Asks those again whose first exchange came to nothing, as when a node is asked by many at once.
    pub(super) fn greet_again(&mut self, now: u64, out: &mut Vec<Effect>) {
        let mut again = Vec::new();
        for (id, peer) in &mut self.peers {
            let exchanged = peer.exchanged();
            let Some(link) = peer.link_mut() else { continue };
            if link.dialled && !exchanged && now >= link.greeted_at + ANSWER_MS {
                link.greeted_at = now;
                again.push(*id);
            }
        }
        again.into_iter().for_each(|peer| self.ask(peer, true, true, out));
    }

    /// An exchange for every connected peer, with our own advert: for one that leaves.
    pub fn farewell(&self) -> Vec<(PeerId, Exchange)> {
        let me = [ByteBuf::from(self.me.to_bytes())];
        let connected = self.peers.iter().filter(|(_, peer)| peer.connected());
        connected
            .map(|(id, _)| {
                let mut exchange = self.directory.exchange(false, &me);
                self.fit(id, &mut exchange.adverts);
                (*id, exchange)
            })
            .collect()
    }

    /// Asks one of the neighbours whether it knows the same.
    pub(super) fn exchange_with_someone(
        &mut self,
        now: u64,
        rng: &mut impl Rng,
        out: &mut Vec<Effect>,
    ) {
        // A client that only asks has no directory and may not take requests.
        let known = |id: &PeerId| self.directory.get(id).is_some();
        let someone = self.peers.iter().filter(|(id, peer)| peer.connected() && known(id));
        let Some(peer) = someone.map(|(id, _)| *id).choose(rng) else { return };
        if let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) {
            (link.asked_root, link.rounds) = (true, 0);
        }
        self.asked = Some((peer, now));
        self.ask(peer, false, false, out);
    }

    /// An exchange that we asked for was answered.
    pub(super) fn on_replied(
        &mut self,
        peer: PeerId,
        reply: &ExchangeReply,
        digest_sent: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.spoke(now);
        self.hear_near(&peer, &reply.near);
        let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) else { return };
        if reply.same || digest_sent {
            self.asked.take_if(|(asked, _)| *asked == peer);
        }
        if reply.same {
            return;
        }
        if !digest_sent {
            // The roots differ: now the digest, once.
            if std::mem::take(&mut link.asked_root) {
                self.ask(peer, true, false, out);
            }
            return;
        }
        let more = link.rounds < MAX_ROUNDS && is_full(&reply.adverts);
        link.rounds += u32::from(more);
        let mut exchange = self.directory.exchange(false, &reply.want);
        self.fit(&peer, &mut exchange.adverts);
        if !exchange.adverts.is_empty() {
            out.push(Effect::Tell { peer, request: Request::Exchange(exchange) });
        }
        if more {
            self.ask(peer, true, false, out);
        }
    }
}

/// Whether there was no room for one more advert.
fn is_full(adverts: &[SignedAdvert]) -> bool {
    let bytes: usize = adverts.iter().map(|signed| signed.body.len() + signed.key.len()).sum();
    adverts.len() >= MAX_ADVERTS || bytes > MAX_ADVERT_BYTES / 2
}
