//! What the screen knows of a node, from what the node knows of the mesh.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use potluck::client::{Offer, PeerView, Side, View};

use super::Context;
use crate::{
    icon::Icon,
    theme::Tone,
    words::{Lang, mesh as words},
};

/// How long an answered call still counts as going on.
const RECENT_MS: u64 = 3_000;

/// A node, as the screen shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The client id; empty before this node is there.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// This very node.
    pub own: bool,
    /// Whether it is there.
    pub state: State,
    /// Round trip.
    pub rtt_ms: Option<f32>,
    /// What it serves, without what every node does.
    pub offers: Vec<Offer>,
    /// Calls that it served for this node, now and a moment ago.
    pub asked: Vec<Arc<str>>,
    /// Calls that this node served for it.
    pub served: Vec<Arc<str>>,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Connected.
    On,
    /// In the directory; connected when needed.
    Known,
    /// It stopped answering.
    Checked,
}

impl State {
    /// Icon, tone, word.
    pub fn shown(self, lang: Lang) -> (Icon, Tone, &'static str) {
        match self {
            Self::On => (Icon::CircleCheck, Tone::Success, words::on(lang)),
            Self::Known => (Icon::Globe, Tone::Neutral, words::known(lang)),
            Self::Checked => (Icon::Hourglass, Tone::Warning, words::checked(lang)),
        }
    }
}

impl Node {
    /// Its icon, from what it has.
    pub fn icon(&self) -> Icon {
        let keeps = self.offers.iter().all(|offer| offer.capability.starts_with("keep/"));
        match () {
            () if self.has_gpu() => Icon::Gpu,
            () if !self.offers.is_empty() && keeps => Icon::HardDrive,
            () if self.own => Icon::Laptop,
            () => Icon::Monitor,
        }
    }

    /// Whether a graphics card works for it.
    pub fn has_gpu(&self) -> bool {
        self.offers.iter().any(|offer| offer.device == "cuda")
    }

    /// How much it has to do: 0 to 1.
    pub fn load(&self) -> f32 {
        let (queue, slots) = self.queue();
        if slots == 0 { 0.0 } else { (queue as f32 / slots as f32).min(1.0) }
    }

    /// Calls that run or wait, and how many run at once, of what is busiest.
    pub fn queue(&self) -> (u32, u32) {
        let share = |offer: &&Offer| f32::from(offer.queue) / f32::from(offer.slots.max(1));
        let busiest = self.offers.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
        busiest.map_or((0, 0), |offer| (offer.queue.into(), offer.slots.into()))
    }

    /// The round trip in words.
    pub fn latency(&self, lang: Lang) -> String {
        match self.rtt_ms {
            _ if self.own => String::new(),
            Some(ms) => words::ms(lang, &milliseconds(ms)),
            None => words::unknown(lang).to_owned(),
        }
    }

    /// What it offers, in one line.
    pub fn offers_in_words(&self, lang: Lang) -> String {
        if self.offers.is_empty() {
            return words::offers_nothing(lang).to_owned();
        }
        let names: Vec<_> = self.offers.iter().map(|o| capability(lang, &o.capability).1).collect();
        names.join(if lang == Lang::Zh { "、" } else { ", " })
    }
}

/// Whether a call ended a moment ago, which the map still shows.
pub fn any_recent(view: &View) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    // A second more, so that the last look sees that it is over.
    let ended = view
        .calls
        .iter()
        .rev()
        .filter_map(|call| Some(call.started_at + call.end.as_ref()?.milliseconds));
    ended.take(8).any(|end| end + RECENT_MS + 1_500 >= now)
}

/// This node, then the others by name.
pub fn all(context: &Context<'_>) -> Vec<Node> {
    let view = context.view;
    let id = context.backend.map(|backend| backend.client().id().to_string());
    let own = Node {
        id: id.unwrap_or_default(),
        name: words::this_node(context.lang).to_owned(),
        own: true,
        state: State::On,
        rtt_ms: Some(0.0),
        offers: served(&view.own.offers),
        asked: Vec::new(),
        served: Vec::new(),
    };
    let mut others: Vec<_> = view.mesh.peers.values().map(|peer| other(peer, context)).collect();
    others.sort_by(|a, b| (a.name.to_lowercase(), &a.id).cmp(&(b.name.to_lowercase(), &b.id)));
    others.insert(0, own);
    others
}

fn other(peer: &PeerView, context: &Context<'_>) -> Node {
    let recent = |end_ms: u64| end_ms + RECENT_MS >= context.now_ms;
    let mut node = Node {
        id: peer.id.to_string(),
        name: peer.advert.name.clone(),
        own: false,
        state: match (peer.suspect, peer.connected) {
            (true, _) => State::Checked,
            (false, true) => State::On,
            (false, false) => State::Known,
        },
        rtt_ms: peer.rtt_ms,
        offers: served(&peer.advert.offers),
        asked: Vec::new(),
        served: Vec::new(),
    };
    for call in context.view.calls.iter().rev() {
        let now = call.end.as_ref().is_none_or(|end| recent(call.started_at + end.milliseconds));
        match &call.side {
            Side::Served { caller } if now && caller.to_string() == node.id => {
                node.served.push(call.capability.as_str().into());
            }
            Side::Asked if now => {
                let by = call.end.as_ref().and_then(|end| end.served_by.as_ref());
                if by.is_some_and(|by| by.id == node.id) {
                    node.asked.push(call.capability.as_str().into());
                }
            }
            _ => {}
        }
    }
    node
}

/// Without what carries letters: every node does that.
fn served(offers: &[Offer]) -> Vec<Offer> {
    offers.iter().filter(|offer| !offer.capability.starts_with("mail/")).cloned().collect()
}

/// Icon and name of a capability; one that nobody named here keeps its own.
pub fn capability(lang: Lang, name: &str) -> (Icon, String) {
    let (icon, words) = match name.split('/').next().unwrap_or_default() {
        "recognize" => (Icon::ScanSearch, words::recognize(lang)),
        "detect" => (Icon::Eye, words::detect(lang)),
        "ocr" => (Icon::ScanText, words::read(lang)),
        "faces" => (Icon::ScanFace, words::faces(lang)),
        "facepp" => (Icon::ScanFace, words::facepp(lang)),
        "analyze" => (Icon::ChartColumn, words::analyze(lang)),
        "chat" => (Icon::Bot, words::chat(lang)),
        "keep" => (Icon::Archive, words::keep(lang)),
        "mail" => (Icon::MessageCircle, words::mail(lang)),
        _ => return (Icon::Puzzle, name.to_owned()),
    };
    (icon, words.to_owned())
}

/// Milliseconds as people read them.
pub fn milliseconds(ms: f32) -> String {
    match ms {
        ms if ms < 1.0 => "< 1".to_owned(),
        ms if ms < 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}
