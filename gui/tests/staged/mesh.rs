//! The mesh: full, empty, and what is typed there.

use potluck::{
    client::Event,
    doctor::{Finding, Level},
    membership::{Invited, Member, Private, Role, Standing},
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::Update,
    screen::{
        mesh::{self, private},
        paths,
    },
    words::Lang,
};

use super::{NAMES, now, own, peer, view};

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

/// The node is in the open mesh, and what was pasted is no invite.
pub fn private_open(app: &mut App) {
    mesh(app);
    tell_private(app, private::Message::Open);
    let standing = Standing { name: "potluck".to_owned(), private: None };
    tell_private(app, private::Message::Read(Ok(standing)));
    tell_private(app, private::Message::Name("lab 402".to_owned()));
    tell_private(app, private::Message::Invite("https://example.org/invite".to_owned()));
    let why = match app.lang() {
        Lang::En => {
            "this is no invite: one begins with potluck-invite:. `potluck mesh invite` makes one"
        }
        Lang::Zh => "这不是邀请：邀请以 potluck-invite: 开头，由 `potluck mesh invite` 生成",
    };
    let refused = private::Message::Entered(private::Busy::Joining, Err(why.into()));
    tell_private(app, refused);
}

/// How the node stands in a private mesh.
pub fn in_private(app: &mut App, role: Role, founder: bool) {
    mesh(app);
    tell_private(app, private::Message::Open);
    let member = |at: usize, name: &str, role, hours: u64, removed| Member {
        id: peer(at),
        name: name.to_owned(),
        role,
        not_after: u64::MAX,
        seen_at: now() - hours * 3_600_000,
        removed,
    };
    let members = vec![
        member(9, "林晓", role, 0, false),
        member(0, NAMES[0], Role::Admin, 0, false),
        member(1, NAMES[1], Role::Member, 0, false),
        member(12, "a-member-with-a-rather-long-name-2026", Role::Member, 24, false),
        Member { seen_at: 0, ..member(13, "", Role::Member, 0, false) },
        // A day that stays the same on the picture: 4 March 2020.
        Member { seen_at: 1_583_323_200_000, ..member(14, "Marco Rossi", Role::Member, 0, true) },
    ];
    let private = Private { mesh: peer(8), me: peer(9), role, founder, members };
    let standing = Standing { name: "lab 402".to_owned(), private: Some(private) };
    tell_private(app, private::Message::Read(Ok(standing)));
}

pub fn private_founder(app: &mut App) {
    in_private(app, Role::Admin, true);
}

pub fn private_member(app: &mut App) {
    in_private(app, Role::Member, false);
}

/// An invite was made.
pub fn private_invite(app: &mut App) {
    in_private(app, Role::Admin, false);
    tell_private(app, private::Message::Uses(5));
    let _ = private_made(app, 5);
}

/// An invite was made; says until when it is open.
pub fn private_made(app: &mut App, uses: u32) -> u64 {
    let line = format!("potluck-invite:{}", "hQFYJgAkCAESIDx9".repeat(16));
    let until = now() + 24 * 3_600_000;
    tell_private(app, private::Message::Made(Ok(Invited { line, uses, until })));
    until
}

/// An invite was made for somebody who was put out.
pub fn private_again(app: &mut App) -> u64 {
    private_founder(app);
    let again = private::Message::MakeAgain(peer(14).to_string(), "Marco Rossi".to_owned());
    tell_private(app, again);
    private_made(app, 1)
}

/// The founder's key is to be kept in a file alone.
pub fn private_move(app: &mut App) {
    private_founder(app);
    tell_private(app, private::Message::AskMove);
}

/// It is to be left, with the founder's key.
pub fn private_leave(app: &mut App) {
    private_founder(app);
    tell_private(app, private::Message::AskLeave);
}

/// Somebody is to be put out.
pub fn private_out(app: &mut App) {
    private_founder(app);
    tell_private(app, private::Message::AskOut(peer(1).to_string(), NAMES[1].to_owned()));
}

/// A path for the founder's key is typed.
pub fn private_path(app: &mut App) {
    private_founder(app);
    let typing = paths::Message::Type(private::OfKey::Export);
    tell_private(app, private::Message::Key(typing));
}

/// The map says which mesh it is.
pub fn private_map(app: &mut App) {
    private_member(app);
    tell_private(app, private::Message::Close);
}

pub fn tell_private(app: &mut App, message: private::Message) {
    tell(app, mesh::Message::Private(message));
}

fn tell(app: &mut App, message: mesh::Message) {
    let _ = app.update(Message::Screen(screens::Message::Mesh(message)));
}
