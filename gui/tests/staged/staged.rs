//! Windows in a state that tests and pictures need, one file a screen.
#![allow(dead_code, missing_docs, reason = "every test uses a part of it")]

mod activity;
mod analyze;
mod chat;
mod faces;
mod marked;
mod mesh;
mod more;
mod offer;
mod recognize;

use std::{sync::Arc, time::SystemTime};

use potluck::{
    client::{CallEnd, CallRecord, Offer, Own, PeerView, Side, Snapshot, View},
    protocol::{Advert, Repeat},
};
use potluck_gui::{
    app::{App, Message, screens},
    args::Args,
    backend::Update,
    screen::{Screen, settings},
    words::Lang,
};

pub use activity::*;
pub use analyze::*;
pub use chat::*;
pub use faces::*;
pub use marked::*;
pub use mesh::*;
pub use more::*;
pub use offer::*;
pub use recognize::*;

/// Who is there.
pub const NAMES: [&str; 7] =
    ["lab-gpu-01", "王子涵", "Anna Weber", "赵老师", "front-desk", "nas-402", "Marco Rossi"];

pub fn app(lang: Lang) -> App {
    App::new(&Args { lang: Some(lang), ..Args::default() }).0
}

pub fn stopped(app: &mut App) {
    let why =
        "/home/mei/.local/share/potluck/config.toml:3: 'name' must be a text of 1 to 64 characters";
    let _ = app.update(Message::Backend(Update::Failed(why.into())));
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

pub fn settings(app: &mut App) {
    mesh(app);
    let of_node = settings::OfNode::from(&potluck::config::Config::default());
    let read = settings::Message::Read(Ok((peer(9).to_string(), of_node)));
    let _ = app.update(Message::Screen(screens::Message::Settings(read)));
    let _ = app.update(Message::Go(Screen::Settings));
}

pub fn view() -> View {
    let mut mesh = Snapshot::default();
    let offers = |list: &[(&str, &str, f32, u16)]| -> Vec<Offer> {
        list.iter()
            .map(|(capability, device, call_ms, queue)| {
                offer_of(capability, device, *call_ms, *queue)
            })
            .collect()
    };
    let all = [
        (
            0,
            Some(1.2),
            offers(&[
                ("recognize/1", "cuda", 8.5, 5),
                ("faces/1", "cuda", 29.0, 0),
                ("analyze/1", "cpu", 900.0, 0),
                ("chat/1", "cpu", 0.02, 0),
            ]),
        ),
        (1, Some(4.1), offers(&[("recognize/1", "cpu", 34.0, 1), ("chat/1", "cpu", 0.02, 0)])),
        (2, Some(6.0), offers(&[("chat/1", "cpu", 0.02, 0)])),
        (3, Some(3.2), offers(&[("faces/1", "cuda", 12.0, 2), ("facepp/1", "cloud", 700.0, 0)])),
        (4, Some(9.4), offers(&[])),
        (5, Some(1.1), offers(&[("keep/1", "cpu", 0.0, 0)])),
        (6, None, offers(&[("recognize/1", "cpu", 40.0, 0)])),
    ];
    let ids: Vec<_> = (0..all.len()).map(peer).collect();
    for (index, rtt_ms, offers) in all {
        let advert = Advert {
            version: 2,
            id: ids[index].to_bytes(),
            seq: 1,
            incarnation: 1,
            name: NAMES[index].to_owned(),
            mesh: "potluck".to_owned(),
            addresses: Vec::new(),
            offers,
            leaving: false,
            sealing: None,
            entry: false,
            pass: None,
        };
        mesh.peers.insert(
            ids[index],
            PeerView {
                id: ids[index].to_string().into(),
                advert: Arc::new(advert),
                connected: rtt_ms.is_some(),
                relayed: false,
                met: true,
                suspect: false,
                rtt_ms,
                heard_at: 0,
            },
        );
    }
    let now = now();
    let call = |number, side, capability: &str, by: Option<usize>| CallRecord {
        number,
        side,
        capability: capability.to_owned(),
        bytes: 1,
        started_at: now,
        progress: None,
        end: by.map(|by| CallEnd {
            milliseconds: 1_000,
            served_by: Some(potluck::client::Served {
                id: ids[by].to_string(),
                name: NAMES[by].to_owned(),
            }),
            ..CallEnd::default()
        }),
    };
    let calls = vec![
        call(1, Side::Asked, "recognize/1", Some(0)),
        call(2, Side::Asked, "recognize/1", Some(0)),
        call(3, Side::Asked, "recognize/1", Some(0)),
        call(4, Side::Served { caller: ids[2] }, "analyze/1", None),
        call(5, Side::Served { caller: ids[2] }, "analyze/1", None),
        call(6, Side::Asked, "chat/1", Some(5)),
    ];
    View { mesh, own: own(), calls }
}

pub fn own() -> Own {
    Own {
        listen: vec!["/ip4/192.168.40.23/tcp/4001".to_owned()],
        offers: vec![offer_of("recognize/1", "cpu", 33.0, 1), offer_of("chat/1", "cpu", 0.02, 0)],
        troubles: Vec::new(),
    }
}

pub fn offer_of(capability: &str, device: &str, call_ms: f32, queue: u16) -> Offer {
    Offer {
        capability: capability.to_owned(),
        device: device.to_owned(),
        engine: String::new(),
        call_ms,
        slots: 4,
        queue,
        variants: match capability {
            "recognize/1" => vec!["efficientnet-lite0".to_owned(), "googlenet".to_owned()],
            _ => Vec::new(),
        },
        repeat: Repeat::Safe,
    }
}

/// The same ids in every run.
pub fn peer(index: usize) -> libp2p::PeerId {
    let mut seed = [7; 32];
    seed[0] = index as u8;
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes(seed).unwrap();
    keypair.public().to_peer_id()
}
