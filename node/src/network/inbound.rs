//! What peers say: requests, responses, gossip, and what mDNS names.

use std::collections::HashMap;

use libp2p::{
    Multiaddr, PeerId, gossipsub, mdns,
    request_response::{self, OutboundRequestId, ResponseChannel},
};

use super::{
    actor::{Actor, Outbound},
    now_ms,
};
use crate::{
    directory::Via,
    neighbourhood::Event,
    protocol::{
        Advert, Checked as _, Exchange, Malformed, Request, Response, Rumour, SignedAdvert,
        SignedLoss, decode,
    },
};

/// Events of the protocol that carries exchanges.
pub(super) type ExchangeEvent =
    request_response::Event<Result<Request, Malformed>, Result<Response, Malformed>>;

impl Actor {
    pub(super) fn on_request(
        &mut self,
        peer: PeerId,
        request: Result<Request, Malformed>,
        responder: ResponseChannel<Result<Response, Malformed>>,
    ) {
        let response = match request {
            Err(malformed) => {
                tracing::debug!(%peer, %malformed, "unreadable request");
                self.tell(Event::Unreadable { peer });
                Response::Malformed { reason: malformed.to_string() }
            }
            Ok(Request::Parting) => {
                self.tell(Event::Parting { peer });
                Response::Done
            }
            Ok(Request::Overdue { seq }) => {
                self.tell(Event::Overdue { seq });
                Response::Done
            }
            Ok(Request::Exchange(exchange)) => self.on_exchange(peer, &exchange),
        };
        let _ = self.swarm.behaviour_mut().mesh.send_response(responder, Ok(response));
    }

    fn on_exchange(&mut self, peer: PeerId, exchange: &Exchange) -> Response {
        self.hear_all(&exchange.adverts, peer);
        let met = self.near.nearness(&peer).met;
        let (reply, effects) = self.near.answer(peer, exchange, now_ms());
        self.snapshot_stale |= !met;
        self.apply_all(effects);
        reply.map_or(Response::Busy, Response::Exchange)
    }

    /// Takes adverts that a peer handed over; wrong ones are dropped.
    fn hear_all(&mut self, adverts: &[SignedAdvert], from: PeerId) {
        for signed in adverts {
            self.hear(signed, from, Via::Exchange);
        }
    }

    /// Takes one advert, if it is news and its author wrote it; says whether it can be handed on.
    fn hear(&mut self, signed: &SignedAdvert, from: PeerId, via: Via) -> Verdict {
        let Ok(claimed) = decode::<Advert>(&signed.body) else { return Verdict::Reject };
        let known = claimed.peer().and_then(|peer| self.near.directory().get(&peer));
        if known.is_some_and(|entry| entry.signed == *signed) {
            return Verdict::Accept;
        }
        // A signature costs more than anything else that a peer can make this node do.
        if !self.near.worth_checking(&claimed, &from, now_ms()) {
            return Verdict::Ignore;
        }
        match signed.verify() {
            // Of a private mesh, who is no member does not exist.
            Ok(advert) if !self.is_of_a_member(&advert) => {
                tracing::debug!(%from, "advert of somebody who is no member");
                Verdict::Ignore
            }
            Ok(advert) => {
                self.tell(Event::Heard { advert, signed: signed.clone(), from, via });
                Verdict::Accept
            }
            Err(e) => {
                tracing::debug!(%from, "advert refused: {e}");
                Verdict::Reject
            }
        }
    }

    fn is_of_a_member(&self, advert: &Advert) -> bool {
        let Some(membership) = &self.settings.membership else { return true };
        let (Some(peer), Some(pass)) = (advert.peer(), &advert.pass) else { return false };
        membership.admit(&peer, pass, &advert.name, now_ms()).is_ok()
    }

    pub(super) fn on_response(
        &mut self,
        id: OutboundRequestId,
        response: Result<Response, Malformed>,
    ) {
        let Some(Outbound::Asked { peer, digest_sent }) = self.outbound.remove(&id) else { return };
        if let Ok(Response::Exchange(reply)) = response {
            self.hear_all(&reply.adverts, peer);
            for signed in reply.losses.clone() {
                let _ = self.hear_loss(signed, peer, None);
            }
            self.tell(Event::Replied { peer, reply, digest_sent });
        }
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source: from, message_id, message } = event
        else {
            return;
        };
        let rumour = decode::<Rumour>(&message.data).and_then(|r| r.check().map(|()| r));
        // What is not checked is not handed on.
        let verdict = match rumour {
            Ok(Rumour::Advert(signed)) => match self.hear(&signed, from, Via::Gossip) {
                // It is for the own LAN, and gossip goes beyond.
                Verdict::Accept if !self.may_spread(&signed) => Verdict::Ignore,
                verdict => verdict,
            },
            Ok(Rumour::Lost(signed)) => match self.hear_loss(signed, from, Some(&message_id)) {
                Some(verdict) => verdict,
                // Judged when it was looked into.
                None => return,
            },
            Err(_) => Verdict::Reject,
        };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(&message_id, &from, verdict);
    }

    fn hear_loss(
        &mut self,
        signed: SignedLoss,
        from: PeerId,
        message: Option<&gossipsub::MessageId>,
    ) -> Option<Verdict> {
        if !self.near.worth_verifying(&from, now_ms()) {
            return Some(Verdict::Ignore);
        }
        match signed.verify() {
            Ok(loss) => {
                // What came in an exchange is handed on in exchanges.
                let token = message.map_or(0, |message| self.keep_rumour(message.clone(), from));
                self.tell(Event::Loss { loss, signed, from, token });
                None
            }
            Err(e) => {
                tracing::debug!(%from, "{e}");
                Some(Verdict::Reject)
            }
        }
    }

    /// Neighbours that mDNS named.
    pub(super) fn on_mdns(&mut self, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(found) => {
                // All addresses of a peer together, so that TCP is seen beside QUIC.
                let mut peers: HashMap<PeerId, Vec<Multiaddr>> = HashMap::new();
                for (peer, address) in found {
                    peers.entry(peer).or_default().push(address);
                }
                for (peer, addresses) in peers {
                    self.tell(Event::Named { peer, addresses });
                }
            }
            mdns::Event::Expired(gone) => {
                for (peer, address) in gone {
                    self.tell(Event::Unnamed { peer, address });
                }
            }
        }
    }
}

type Verdict = gossipsub::MessageAcceptance;
