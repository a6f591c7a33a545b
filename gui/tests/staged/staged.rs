//! Windows in a state that tests and pictures need.
#![allow(dead_code, missing_docs, reason = "every test uses a part of it")]

use std::{sync::Arc, time::SystemTime};

use potluck::{
    client::{CallEnd, CallRecord, Event, Offer, Own, PeerView, Side, Snapshot, View},
    doctor::{Finding, Level},
    protocol::{Advert, Repeat},
};
use potluck_gui::{
    app::{App, Message, screens},
    args::{Args, LangArg},
    backend::Update,
    screen::{Screen, mesh},
    words::Lang,
};

/// Who is there.
pub const NAMES: [&str; 7] =
    ["lab-gpu-01", "王子涵", "Anna Weber", "赵老师", "front-desk", "nas-402", "Marco Rossi"];

pub fn app(lang: Lang) -> App {
    let lang = match lang {
        Lang::En => LangArg::En,
        Lang::Zh => LangArg::Zh,
    };
    App::new(&Args { lang: Some(lang), ..Args::default() }).0
}

pub fn mesh(app: &mut App) {
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view()))])));
}

pub fn mesh_with_card(app: &mut App) {
    mesh(app);
    let gpu = view()
        .mesh
        .peers
        .values()
        .find(|peer| peer.advert.name == NAMES[0])
        .unwrap()
        .id
        .to_string();
    tell(app, mesh::Message::Choose(gpu));
}

pub fn mesh_list(app: &mut App) {
    mesh_with_card(app);
    tell(app, mesh::Message::Shape(mesh::Shape::List));
}

/// The address field is open, and a short message shows.
pub fn adding(app: &mut App) {
    mesh(app);
    tell(app, mesh::Message::Add);
    tell(
        app,
        mesh::Message::Connected(Err("10.0.0.1 is not an address: invalid socket address".into())),
    );
    let _ = app.update(Message::Copy("/ip4/192.168.40.23/tcp/4001".into()));
}

pub fn nobody(app: &mut App) {
    // Alone, but the node is there: only its client can't be had without one.
    let _ = app.update(Message::Backend(Update::News(vec![Event::Own(own())])));
    let finding = |level, code, what: &str, todo: &str| Finding {
        level,
        code,
        what: what.to_owned(),
        todo: todo.to_owned(),
    };
    let zh = app.lang() == Lang::Zh;
    let pick = |en: &'static str, chinese: &'static str| if zh { chinese } else { en };
    let findings = vec![
        finding(
            Level::Ok,
            "listens",
            pick("This node listens on 2 addresses.", "本节点在 2 个地址上监听。"),
            "",
        ),
        finding(
            Level::Ok,
            "network",
            pick("wlp3s0 has the address 192.168.40.23.", "wlp3s0 的地址是 192.168.40.23。"),
            "",
        ),
        finding(
            Level::Problem,
            "firewall",
            pick(
                "A firewall (ufw) is active and may block UDP 5353.",
                "防火墙（ufw）已启用，可能拦截 UDP 5353。",
            ),
            pick(
                "Let it through, once: sudo ufw allow 5353/udp",
                "放行一次即可：sudo ufw allow 5353/udp",
            ),
        ),
        finding(
            Level::Hint,
            "vpn",
            pick(
                "docker0 and a VPN are there too; they are not used.",
                "还有 docker0 和一个 VPN，不会用它们寻找节点。",
            ),
            "",
        ),
    ];
    tell(app, mesh::Message::Examined(Ok(findings)));
}

pub fn stopped(app: &mut App) {
    let why =
        "/home/mei/.local/share/potluck/config.toml:3: 'name' must be a text of 1 to 64 characters"
            .to_owned();
    let _ = app.update(Message::Backend(Update::Failed(why)));
}

pub fn settings(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Settings));
}

fn tell(app: &mut App, message: mesh::Message) {
    let _ = app.update(Message::Screen(screens::Message::Mesh(message)));
}

pub fn view() -> View {
    let mut mesh = Snapshot::default();
    let offers = |list: &[(&str, &str, f32, u16)]| -> Vec<Offer> {
        list.iter()
            .map(|(capability, device, call_ms, queue)| offer(capability, device, *call_ms, *queue))
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
        (3, Some(3.2), offers(&[("faces/1", "cuda", 12.0, 2)])),
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
        };
        mesh.peers.insert(
            ids[index],
            PeerView {
                id: ids[index].to_string().into(),
                advert: Arc::new(advert),
                connected: rtt_ms.is_some(),
                met: true,
                suspect: false,
                rtt_ms,
                heard_at: 0,
            },
        );
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
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

fn own() -> Own {
    Own {
        listen: vec!["/ip4/192.168.40.23/tcp/4001".to_owned()],
        offers: vec![offer("recognize/1", "cpu", 33.0, 1), offer("chat/1", "cpu", 0.02, 0)],
        troubles: Vec::new(),
    }
}

fn offer(capability: &str, device: &str, call_ms: f32, queue: u16) -> Offer {
    Offer {
        capability: capability.to_owned(),
        device: device.to_owned(),
        engine: String::new(),
        call_ms,
        slots: 4,
        queue,
        variants: Vec::new(),
        repeat: Repeat::Safe,
    }
}

/// The same ids in every run.
fn peer(index: usize) -> libp2p::PeerId {
    let mut seed = [7; 32];
    seed[0] = index as u8;
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes(seed).unwrap();
    keypair.public().to_peer_id()
}
