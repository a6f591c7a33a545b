//! How calls are told: the route, who served, and why nobody did.

use std::sync::Arc;

use hashbrown::HashMap;

use libp2p::PeerId;

use super::{Call, Local, RouteHop, Served};
use crate::{
    network::{Snapshot, now_ms},
    protocol::Offer,
    router::{HopOutcome, Plan},
    say::{Reason, reasons},
};

/// Why nobody can serve a call, with what there is instead.
pub(super) fn nobody(call: &Call, local: &Local) -> Reason {
    let snapshot = &*local.snapshot();
    let mine = local.offers();
    let offers = |o: &Offer| o.capability == call.capability;
    let mut variants: Vec<&String> = snapshot
        .peers
        .values()
        .flat_map(|p| p.advert.offers.iter())
        .chain(&mine)
        .filter(|o| offers(o))
        .flat_map(|o| &o.variants)
        .collect();
    variants.sort();
    variants.dedup();
    let names = |all: &[&String]| all.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", ");
    match (&call.variant, call.only) {
        (_, Some(only)) => reasons::not_there(name_of(&only, snapshot, local), &call.capability),
        (Some(variant), None) if !variants.is_empty() => {
            reasons::no_model(variant, names(&variants))
        }
        _ => {
            let mut known: Vec<&String> = snapshot
                .peers
                .values()
                .flat_map(|p| p.advert.offers.iter())
                .chain(&mine)
                .map(|o| &o.capability)
                .collect();
            known.sort();
            known.dedup();
            let known = match known.as_slice() {
                [] => "nothing".to_owned(),
                some => names(some),
            };
            // This node might, if its owner did something.
            let own = local.registry.get(&call.capability).and_then(|own| own.trouble());
            match own {
                Some(why) => reasons::nobody_nor_this(&call.capability, known, why),
                None => reasons::nobody(&call.capability, known),
            }
        }
    }
}

fn name_of(peer: &PeerId, snapshot: &Snapshot, local: &Local) -> String {
    if *peer == local.id() {
        return local.name.clone();
    }
    snapshot.peers.get(peer).map_or_else(|| peer.to_string(), |view| view.advert.name.clone())
}

/// Who served, by its place in the route.
pub(super) fn served_by(peer: &PeerId, plan: &Plan, route: &[RouteHop]) -> Served {
    let at = plan.route().iter().rposition(|hop| hop.peer == *peer);
    match at.and_then(|at| route.get(at)) {
        Some(hop) => Served { id: hop.id.clone(), name: hop.name.clone() },
        None => Served { id: peer.to_string(), name: String::new() },
    }
}

/// The attempts of a plan, for people.
pub(super) fn route(plan: &Plan, names: &HashMap<PeerId, (Arc<str>, String)>) -> Vec<RouteHop> {
    let now = now_ms();
    plan.route()
        .iter()
        .map(|hop| {
            let (outcome, detail) = match &hop.outcome {
                HopOutcome::Running => ("running", None),
                HopOutcome::Answered => ("answered", None),
                HopOutcome::Busy { retry_after_ms } => {
                    ("busy", Some(format!("free again in about {retry_after_ms} ms")))
                }
                HopOutcome::Refused(reason) => ("refused", Some(reason.clone())),
                HopOutcome::Failed(message) => ("failed", Some(message.clone())),
                HopOutcome::Lost(why) => ("lost", Some(why.clone())),
                HopOutcome::Cancelled => ("cancelled", None),
            };
            let (id, name) = match names.get(&hop.peer) {
                Some((id, name)) => (id.to_string(), name.clone()),
                None => (hop.peer.to_string(), String::new()),
            };
            RouteHop {
                id,
                name,
                expected_ms: (hop.expected_ms * 10.0).round() / 10.0,
                milliseconds: hop.ended_at.unwrap_or(now).saturating_sub(hop.started_at),
                outcome: outcome.to_owned(),
                detail,
                hedge: hop.hedge,
            }
        })
        .collect()
}
