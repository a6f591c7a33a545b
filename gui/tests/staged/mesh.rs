//! The mesh: full, empty, and what is typed there.

use potluck::{
    client::Event,
    doctor::{Finding, Level},
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::Update,
    screen::mesh,
    words::Lang,
};

use super::{NAMES, own, view};

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

fn tell(app: &mut App, message: mesh::Message) {
    let _ = app.update(Message::Screen(screens::Message::Mesh(message)));
}
