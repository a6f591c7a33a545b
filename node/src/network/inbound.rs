//! What peers say: requests, responses, gossip and identify.

use std::time::{Duration, Instant};

use libp2p::{
    PeerId, gossipsub, identify,
    request_response::{self, OutboundFailure, OutboundRequestId},
};

use super::{
    Inbound, Lost, Responder,
    actor::{Actor, Outbound},
    behaviour::identify_version,
    now_ms,
    upkeep::PARTING_BELIEVED_MS,
};
use crate::{
    directory::{self, Via},
    doctor::Stranger,
    protocol::{
        Answer, CallOutcome, Checked as _, Exchange, ExchangeReply, IDENTIFY_PREFIX, LossNotice,
        MAX_NAME, Malformed, Request, Response, Rumour, SignedAdvert, decode, shorten,
    },
};

/// Events of the call protocol.
pub(super) type CallsEvent =
    request_response::Event<Result<Request, Malformed>, Result<Response, Malformed>>;

/// Unreadable requests of one connection before it is closed.
const MAX_MALFORMED: u32 = 32;
/// How long a peer may leave a cancelled call unanswered.
const ABANDONED: Duration = Duration::from_secs(120);
/// Foreign nodes that are remembered.
const MAX_FOREIGN: usize = 1024;

impl Actor {
    pub(super) fn on_request(
        &mut self,
        peer: PeerId,
        request: Result<Request, Malformed>,
        responder: Responder,
    ) {
        let response = match request {
            Err(malformed) => self.on_malformed(peer, &malformed),
            Ok(Request::Call(request)) => return self.on_call(peer, request, responder),
            Ok(Request::Cancel { call }) => {
                let _ = self.inbound.try_send(Inbound::Cancel { peer, call });
                Response::Done
            }
            Ok(Request::Progress { call, percent, note }) => {
                let _ = self.inbound.try_send(Inbound::Progress { peer, call, percent, note });
                Response::Done
            }
            Ok(Request::Parting) => {
                self.parting.insert(peer, now_ms() + PARTING_BELIEVED_MS);
                Response::Done
            }
            Ok(Request::Exchange(exchange)) => Response::Exchange(self.on_exchange(peer, exchange)),
        };
        let _ = self.swarm.behaviour_mut().calls.send_response(responder, Ok(response));
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

    fn on_call(
        &mut self,
        peer: PeerId,
        request: crate::protocol::CallRequest,
        responder: Responder,
    ) {
        self.used.insert(peer, now_ms());
        let full = match self.inbound.try_send(Inbound::Call { peer, request, responder }) {
            Ok(()) => {
                *self.serving.entry(peer).or_default() += 1;
                return self.stay(peer);
            }
            Err(full) => full.into_inner(),
        };
        if let Inbound::Call { responder, .. } = full {
            let outcome = CallOutcome::Busy { retry_after_ms: 100 };
            let busy = Response::Answer(Answer { outcome, queue: u16::MAX });
            let _ = self.swarm.behaviour_mut().calls.send_response(responder, Ok(busy));
        }
    }

    /// A call of that peer was answered.
    pub(super) fn served(&mut self, peer: PeerId) {
        if let Some(count) = self.serving.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.serving.remove(&peer);
            }
        }
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
        match (outbound, response) {
            (Outbound::Call { reply, .. }, response) => {
                let answer = match response {
                    Ok(Response::Answer(answer)) => Ok(answer),
                    Ok(Response::Malformed { reason }) => {
                        Err(Lost(format!("it could not read the call: {reason}")))
                    }
                    Ok(_) => Err(Lost("it answered something else".into())),
                    Err(malformed) => Err(Lost(format!("its answer is unreadable: {malformed}"))),
                };
                let _ = reply.send(answer);
            }
            (Outbound::Exchange { peer }, Ok(Response::Exchange(reply))) => {
                self.on_exchange_reply(peer, &reply);
            }
            _ => {}
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
        match outbound {
            Outbound::Call { reply, peer, since, .. } => {
                tracing::debug!(%peer, %error, after = ?since.elapsed(), "call lost");
                let reason = match error {
                    OutboundFailure::UnsupportedProtocols => "it does not speak potluck/1".into(),
                    OutboundFailure::ConnectionClosed => "the connection broke".into(),
                    OutboundFailure::DialFailure => "it cannot be reached".into(),
                    OutboundFailure::Timeout => "it did not answer".into(),
                    OutboundFailure::Io(e) => format!("the connection broke: {e}"),
                };
                let _ = reply.send(Err(Lost(reason)));
            }
            Outbound::Exchange { peer } => {
                if matches!(error, OutboundFailure::UnsupportedProtocols) {
                    let heard = self.dialing.heard.get(&peer).and_then(|all| all.first());
                    let address = heard.map_or_else(String::new, ToString::to_string);
                    self.is_foreign(peer, address, None);
                }
            }
            Outbound::Told => {}
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
        let speaks = info.protocols.iter().any(|p| p.as_ref() == crate::protocol::CALL_PROTOCOL);
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

    /// Calls whose caller left long ago while the peer still has not answered the cancel: the
    /// peer does not keep to the protocol, and the connection is closed to free its streams.
    pub(super) fn drop_abandoned(&mut self) {
        let mut stuck = Vec::new();
        for outbound in self.outbound.values_mut() {
            let Outbound::Call { peer, reply, left, .. } = outbound else { continue };
            if reply.is_closed() && left.get_or_insert_with(Instant::now).elapsed() > ABANDONED {
                stuck.push(*peer);
            }
        }
        for peer in stuck {
            tracing::debug!(%peer, "closes calls that were cancelled and never answered");
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }
}
