//! What peers say: requests, responses, gossip and identify.

use libp2p::{
    PeerId, gossipsub, identify,
    request_response::{self, OutboundFailure, OutboundRequestId, ResponseChannel},
};

use super::{
    actor::{Actor, Outbound},
    behaviour::identify_version,
    now_ms,
    upkeep::PARTING_BELIEVED_MS,
};
use crate::{
    directory::{self, Via},
    doctor::Stranger,
    protocol::{
        CALL_PROTOCOL, Checked as _, Exchange, ExchangeReply, IDENTIFY_PREFIX, LossNotice,
        MAX_MALFORMED, MAX_NAME, MESH_PROTOCOL, Malformed, Request, Response, Rumour, SignedAdvert,
        decode, shorten,
    },
};

/// Events of the protocol that carries exchanges.
pub(super) type ExchangeEvent =
    request_response::Event<Result<Request, Malformed>, Result<Response, Malformed>>;

/// Foreign nodes that are remembered.
const MAX_FOREIGN: usize = 1024;

impl Actor {
    pub(super) fn on_request(
        &mut self,
        peer: PeerId,
        request: Result<Request, Malformed>,
        responder: ResponseChannel<Result<Response, Malformed>>,
    ) {
        let response = match request {
            Err(malformed) => self.on_malformed(peer, &malformed),
            Ok(Request::Parting) => {
                self.parting.insert(peer, now_ms() + PARTING_BELIEVED_MS);
                Response::Done
            }
            Ok(Request::Exchange(exchange)) => Response::Exchange(self.on_exchange(peer, exchange)),
        };
        let _ = self.swarm.behaviour_mut().mesh.send_response(responder, Ok(response));
    }

    fn on_malformed(&mut self, peer: PeerId, malformed: &Malformed) -> Response {
        let count = self.malformed.entry(peer).or_default();
        *count += 1;
        tracing::debug!(%peer, %malformed, "unreadable request");
        if *count > MAX_MALFORMED {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        Response::Malformed { reason: malformed.to_string() }
    }

    fn on_exchange(&mut self, peer: PeerId, exchange: Exchange) -> ExchangeReply {
        self.hear(exchange.adverts.iter(), peer);
        let (reply, effects) = self.directory.compare(peer, &exchange, now_ms());
        self.apply_all(effects);
        reply
    }

    /// Takes adverts that a peer handed over; wrong ones are dropped.
    fn hear<'a>(&mut self, adverts: impl Iterator<Item = &'a SignedAdvert>, from: PeerId) {
        for signed in adverts {
            if let Err(e) = self.hear_one(signed, from, Via::Exchange) {
                tracing::debug!(%from, "advert refused: {e}");
            }
        }
    }

    fn hear_one(
        &mut self,
        signed: &SignedAdvert,
        from: PeerId,
        via: Via,
    ) -> Result<(), crate::protocol::AdvertError> {
        // A signature costs more than anything else a peer can make this node do.
        if via == Via::Exchange && !self.budget.take(from, now_ms()) {
            return Ok(());
        }
        let advert = signed.verify()?;
        self.tell_directory(directory::Event::Heard { advert, signed: signed.clone(), from, via });
        Ok(())
    }

    pub(super) fn on_response(
        &mut self,
        id: OutboundRequestId,
        response: Result<Response, Malformed>,
    ) {
        let Some(outbound) = self.outbound.remove(&id) else { return };
        if let (Outbound::Exchange { peer }, Ok(Response::Exchange(reply))) = (outbound, response) {
            self.on_exchange_reply(peer, &reply);
        }
    }

    fn on_exchange_reply(&mut self, peer: PeerId, reply: &ExchangeReply) {
        self.hear(reply.adverts.iter(), peer);
        if reply.same {
            return;
        }
        if reply.want.is_empty() && reply.adverts.is_empty() {
            // The roots differ and the digest was not sent: send it now.
            if self.upkeep.exchanged_without_digest(peer) {
                self.send_exchange(peer, true, false);
            }
            return;
        }
        let exchange = self.directory.exchange(false, &reply.want);
        if !exchange.adverts.is_empty() {
            self.send(peer, Request::Exchange(exchange), Outbound::Told);
        }
    }

    pub(super) fn on_send_failed(&mut self, id: OutboundRequestId, error: &OutboundFailure) {
        let Some(outbound) = self.outbound.remove(&id) else { return };
        if let Outbound::Exchange { peer } = outbound
            && matches!(error, OutboundFailure::UnsupportedProtocols)
        {
            let heard = self.dialing.heard.get(&peer).and_then(|all| all.first());
            let address = heard.map_or_else(String::new, ToString::to_string);
            self.is_foreign(peer, address, None);
        }
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else {
            return;
        };
        // What is not checked is not handed on.
        let verdict = if !self.budget.take(propagation_source, now_ms()) {
            gossipsub::MessageAcceptance::Ignore
        } else if self.on_rumour(&message.data, propagation_source) {
            gossipsub::MessageAcceptance::Accept
        } else {
            gossipsub::MessageAcceptance::Reject
        };
        self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &message_id,
            &propagation_source,
            verdict,
        );
    }

    fn on_rumour(&mut self, bytes: &[u8], from: PeerId) -> bool {
        let rumour = decode::<Rumour>(bytes).and_then(|r| r.check().map(|()| r));
        match rumour {
            Ok(Rumour::Advert(signed)) => self.hear_one(&signed, from, Via::Gossip).is_ok(),
            Ok(Rumour::Lost(LossNotice { id, seq })) => {
                self.tell_directory(directory::Event::Lost { notice: LossNotice { id, seq } });
                true
            }
            Err(_) => false,
        }
    }

    /// Nodes of other meshes are left alone, and named by the doctor.
    pub(super) fn on_identify(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        if info.protocol_version == identify_version(&self.settings.mesh) {
            // Its owner may have corrected the mesh's name.
            self.foreign.remove(&peer_id);
            return;
        }
        let mesh = info.protocol_version.strip_prefix(IDENTIFY_PREFIX);
        // A client in another language may leave identify's version as it is, and still speak
        // our protocol.
        let ours = [CALL_PROTOCOL, MESH_PROTOCOL];
        let speaks = info.protocols.iter().any(|p| ours.contains(&p.as_ref()));
        if mesh.is_some() || !speaks {
            let mesh = mesh.map(|name| shorten(name, MAX_NAME));
            let address = info.listen_addrs.first().map_or_else(String::new, ToString::to_string);
            self.is_foreign(peer_id, address, mesh);
        }
    }

    fn is_foreign(&mut self, peer: PeerId, address: String, mesh: Option<String>) {
        if self.foreign.len() < MAX_FOREIGN {
            self.foreign.insert(peer, Stranger { address, mesh });
        }
        self.parting.insert(peer, now_ms() + PARTING_BELIEVED_MS);
        let _ = self.swarm.disconnect_peer_id(peer);
    }
}
