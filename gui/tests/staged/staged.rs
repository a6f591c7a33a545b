//! Windows in a state that tests and pictures need.
#![allow(dead_code, missing_docs, reason = "every test uses a part of it")]

use std::{sync::Arc, time::SystemTime};

use potluck::{
    client::{
        CallEnd, CallRecord, Event, Offer, Own, PeerView, RouteHop, Served, Side, Snapshot, View,
    },
    doctor::{Finding, Level},
    mail::{
        ask::{Coming, Contact, Incoming, Outgoing},
        letter::{Contents, Listed},
        records::Stage,
    },
    protocol::{Advert, Repeat},
    service::Progress,
};
use potluck_gui::{
    app::{App, Message, screens},
    args::Args,
    backend::{
        Heard, Update,
        files::{Chosen, Source},
        offering::{Key, Offering},
        pictures::{self, Fit, Shown, Unshown},
        post::{Letters, Said},
    },
    screen::{Screen, activity, chat, faces, mesh, offer, recognize},
    words::Lang,
};

/// Who is there.
pub const NAMES: [&str; 7] =
    ["lab-gpu-01", "王子涵", "Anna Weber", "赵老师", "front-desk", "nas-402", "Marco Rossi"];

pub fn app(lang: Lang) -> App {
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
        "/home/mei/.local/share/potluck/config.toml:3: 'name' must be a text of 1 to 64 characters";
    let _ = app.update(Message::Backend(Update::Failed(why.into())));
}

/// A conversation with all that can be in one.
pub fn chat(app: &mut App) {
    chat_list(app);
    talk(app, chat::Message::Choose(chat::Who::Person(peer(1).to_string())));
}

/// People, a request, nobody chosen.
pub fn chat_list(app: &mut App) {
    mesh(app);
    talk(app, chat::Message::Loaded(Ok(letters())));
    let _ = app.update(Message::Go(Screen::Chat));
}

/// Strangers who wait.
pub fn chat_requests(app: &mut App) {
    chat_list(app);
    talk(app, chat::Message::Choose(chat::Who::Requests));
}

/// Files are chosen, and one was not found.
pub fn chat_files(app: &mut App) {
    chat(app);
    talk(
        app,
        chat::Message::Write("Here is the report, with the table that you asked for.".into()),
    );
    talk(
        app,
        chat::Message::Picked(vec![
            "/home/mei/实验报告-最终版.pdf".into(),
            "/home/mei/a.csv".into(),
        ]),
    );
    talk(app, chat::Message::Attach);
    talk(app, chat::Message::Found("/home/mei/missing.zip".into(), false));
}

/// Nobody was met, nothing was written.
pub fn chat_empty(app: &mut App) {
    let _ = app.update(Message::Backend(Update::News(vec![Event::Own(own())])));
    talk(app, chat::Message::Loaded(Ok(Letters::default())));
    let _ = app.update(Message::Go(Screen::Chat));
}

/// What was asked and served.
pub fn activity(app: &mut App) {
    let mut view = view();
    view.calls = calls();
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view))])));
    let _ = app.update(Message::Go(Screen::Activity));
}

/// The card of a call that went from node to node.
pub fn activity_card(app: &mut App) {
    activity(app);
    let choose = activity::Message::Choose(9);
    let _ = app.update(Message::Screen(screens::Message::Activity(choose)));
}

/// Nothing was asked yet.
pub fn activity_empty(app: &mut App) {
    let _ = app.update(Message::Backend(Update::News(vec![Event::Own(own())])));
    let _ = app.update(Message::Go(Screen::Activity));
}

/// What this node offers, and what it cannot.
pub fn offer(app: &mut App) {
    let mut view = view();
    view.own.offers = vec![
        Offer {
            engine: "tract 0.23".to_owned(),
            variants: vec!["efficientnet-lite4".to_owned(), "googlenet".to_owned()],
            ..offer_of("recognize/1", "cpu", 33.0, 1)
        },
        offer_of("chat/1", "cpu", 0.02, 0),
        offer_of("analyze/1", "cpu", 90.0, 0),
        offer_of("keep/1", "cpu", 0.0, 0),
    ];
    view.own.troubles = vec![(
        "faces/1".to_owned(),
        "the model yunet is missing; `potluck models add yunet FILE` adds it".to_owned(),
    )];
    let _ = app.update(Message::Backend(Update::News(vec![Event::View(Box::new(view))])));
    let known = Offering {
        only: None,
        withheld: vec!["chat/1".to_owned()],
        keep_mib: 2048,
        facepp: potluck::config::Allow::Contacts,
        daily_calls: 500,
        key: Key::File("****************************k3Tq".to_owned()),
    };
    offers(app, offer::Message::Read(Ok(known.clone())));
    offers(app, offer::Message::Written(Ok(known)));
    let _ = app.update(Message::Go(Screen::Offer));
}

/// A key is typed in, and is none.
pub fn offer_key(app: &mut App) {
    offer(app);
    offers(app, offer::Message::Edit);
    offers(app, offer::Message::Key("two words".to_owned()));
    offers(app, offer::Message::Keep);
}

fn offers(app: &mut App, message: offer::Message) {
    let _ = app.update(Message::Screen(screens::Message::Offer(message)));
}

/// Calls of the last minutes, the newest last.
fn calls() -> Vec<CallRecord> {
    let hop = |by: usize, outcome: &str, milliseconds, detail: Option<&str>| RouteHop {
        id: peer(by).to_string(),
        name: NAMES[by].to_owned(),
        expected_ms: 34.0,
        milliseconds,
        outcome: outcome.to_owned(),
        detail: detail.map(str::to_owned),
        hedge: false,
    };
    let served_by =
        |by: usize| Some(Served { id: peer(by).to_string(), name: NAMES[by].to_owned() });
    let answered = |by, milliseconds| {
        let route = vec![hop(by, "answered", milliseconds, None)];
        Some(CallEnd { milliseconds, served_by: served_by(by), failure: None, route })
    };
    let failed = |why: &str, route| {
        Some(CallEnd { milliseconds: 12, served_by: None, failure: Some(why.into()), route })
    };
    let done = |milliseconds| Some(CallEnd { milliseconds, ..CallEnd::default() });
    let from = |by: usize| Side::Served { caller: peer(by) };
    let route = vec![
        hop(0, "busy", 2, Some("it has 64 calls waiting, and asked to come back in 0.8 s")),
        hop(6, "lost", 20, Some("the connection broke before the answer came")),
        hop(1, "answered", 380, None),
    ];
    let tried = Some(CallEnd { milliseconds: 410, served_by: served_by(1), failure: None, route });
    let refused = vec![hop(0, "failed", 9, Some("the file is not a picture"))];
    let all = [
        (1, 3900, Side::Asked, "chat/1", 24, answered(0, 11)),
        (2, 3500, Side::Asked, "recognize/1", 1_840_000, answered(0, 112)),
        (3, 3200, Side::Asked, "analyze/1", 320_000, answered(5, 1_900)),
        (4, 300, from(3), "keep/1", 2_400_000, done(120)),
        (
            5,
            240,
            Side::Asked,
            "recognize/1",
            81_000,
            failed(
                "notes.docx.jpg is not a picture: it begins like a document. Choose a JPEG or PNG",
                refused,
            ),
        ),
        (6, 120, Side::Asked, "faces/1", 640_000, answered(3, 44)),
        (7, 55, Side::Asked, "chat/1", 31, answered(0, 30)),
        (8, 40, from(2), "analyze/1", 9_120_000, None),
        (9, 21, Side::Asked, "recognize/1", 240_000, tried),
        (10, 16, from(2), "recognize/1", 140_000, done(35)),
        (11, 12, from(6), "recognize/1", 140_000, done(34)),
        (12, 4, Side::Asked, "facepp/1", 500_000, failed("nobody offers facepp/1 now", Vec::new())),
        (13, 2, Side::Asked, "analyze/1", 88_000_000, None),
    ];
    let now = now();
    all.into_iter()
        .map(|(number, ago, side, capability, bytes, end)| CallRecord {
            number,
            side,
            capability: capability.to_owned(),
            bytes,
            started_at: now - ago * 1000,
            progress: (number == 13)
                .then(|| Progress { percent: 42, note: "reading columns".to_owned() }),
            end,
        })
        .collect()
}

fn talk(app: &mut App, message: chat::Message) {
    let _ = app.update(Message::Screen(screens::Message::Chat(message)));
}

/// What was written from and to people, an hour and a day ago.
fn letters() -> Letters {
    let now = now();
    let minutes = |ago: u64| now - ago * 60_000;
    let incoming = |id: &str, from: usize, ago: u64, text: &str, seen: bool| Incoming {
        id: id.to_owned(),
        from: peer(from).to_string(),
        from_name: NAMES[from].to_owned(),
        stranger: from == 6,
        contents: Some(Contents {
            text: (!text.is_empty()).then(|| text.to_owned()),
            ..Contents::default()
        }),
        trouble: None,
        written_at: minutes(ago),
        came_at: minutes(ago),
        seen,
    };
    let outgoing = |id: &str, to: usize, ago: u64, text: &str, stage| Outgoing {
        id: id.to_owned(),
        to: peer(to).to_string(),
        to_name: NAMES[to].to_owned(),
        text: (!text.is_empty()).then(|| text.to_owned()),
        files: Vec::new(),
        bytes: 0,
        stage,
        held_by: Vec::new(),
        written_at: minutes(ago),
        changed_at: minutes(ago),
        expires_at: minutes(ago) + 21 * 86_400_000,
        why: None,
        waits: None,
        sealed: 500,
        moved: None,
    };
    let mut archive = incoming("c3", 1, 7, "", false);
    archive.contents = Some(Contents {
        text: None,
        listed: vec![Listed { path: "第九讲.zip".to_owned(), bytes: Some(120_400_000) }],
        files: 1,
        folders: 0,
        bytes: 120_400_000,
    });
    let mut forged = incoming("c9", 5, 2000, "", true);
    forged.contents = None;
    forged.trouble = Some("it is damaged".to_owned());
    let held = Outgoing {
        held_by: vec!["nas-402".to_owned(), "lab-gpu-01".to_owned()],
        ..outgoing("w3", 1, 5, "谢谢！你不在线，压缩包也能收到。", Stage::Held)
    };
    let report = Outgoing {
        files: vec!["/home/mei/lab-report-林晓.pdf".into()],
        bytes: 2_400_000,
        sealed: 2_400_900,
        moved: Some(1_500_000),
        ..outgoing("w4", 1, 1, "", Stage::Queued)
    };
    let refused = Outgoing {
        why: Some("the disk is full".to_owned()),
        ..outgoing("w5", 1, 3, "And the slides of Monday?", Stage::Refused)
    };
    Letters {
        came: vec![
            incoming(
                "c1",
                1,
                1500,
                "Did you run the pictures from Monday through the GPU box?",
                true,
            ),
            archive,
            incoming("c4", 2, 40, "The survey table is done, thanks!", false),
            incoming("c5", 2, 41, "Anna here", false),
            incoming("c6", 3, 300, "作业周五前交。", true),
            incoming("c7", 6, 20, "Hi, I sit in room 305. May I send you the slides?", false),
            forged,
        ],
        went: vec![
            outgoing("w1", 1, 1498, "Yes, 12 of 12. One was not a picture at all.", Stage::Read),
            outgoing("w2", 1, 30, "See you in 402", Stage::Delivered),
            held,
            report,
            refused,
        ],
        coming: vec![Coming {
            id: "k1".to_owned(),
            from: peer(1).to_string(),
            from_name: NAMES[1].to_owned(),
            sealed: 120_000_000,
            here: 78_000_000,
        }],
        people: [
            (1, "王子涵"),
            (9, "周敏 (a name that is longer than any row of the list has room for)"),
        ]
        .map(|(index, name)| Contact {
            id: peer(index).to_string(),
            name: name.to_owned(),
            takes_letters: true,
            new_key: false,
            seen_at: minutes(3000),
        })
        .into(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

pub fn settings(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Settings));
}

/// A picture of the samples, as the window reads it.
pub fn sample(name: &str, fit: Fit) -> Shown {
    let path = format!("{}/../models/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(pictures::read(Source::File(path.into()), fit)).unwrap()
}

fn heard<T: serde::de::DeserializeOwned>(
    response: serde_json::Value,
    by: &str,
    milliseconds: u64,
) -> Heard<T> {
    Heard {
        response: serde_json::from_value(response).unwrap(),
        served_by: potluck::client::Served { id: by.to_owned(), name: by.to_owned() },
        route: Vec::new(),
        milliseconds,
    }
}

pub fn no_pictures(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Recognize));
}

/// Answers, a picture that runs, one that waits, one that is none, and one that nobody took.
pub fn recognize(app: &mut App) {
    no_pictures(app);
    let tell = |app: &mut App, message| {
        let _ = app.update(Message::Screen(screens::Message::Recognize(message)));
    };
    type Labels = [(&'static str, f32); 3];
    let answers: [(&str, &str, &str, u64, Labels); 5] = [
        (
            "coffee.jpg",
            "coffee.jpg",
            NAMES[0],
            9,
            [("espresso", 0.94), ("cup", 0.04), ("eggnog", 0.01)],
        ),
        (
            "cat.jpg",
            "cat.jpg",
            NAMES[0],
            8,
            [("Egyptian cat", 0.58), ("tabby, tabby cat", 0.21), ("tiger cat", 0.17)],
        ),
        (
            "rocket.jpg",
            "rocket.jpg",
            NAMES[1],
            1360,
            [("missile", 0.66), ("projectile, missile", 0.29), ("crane", 0.01)],
        ),
        (
            "cameraman.jpg",
            "摄影师与三脚架 2026-11-03 校园开放日.jpg",
            NAMES[0],
            10,
            [("tripod", 0.73), ("suit, suit of clothes", 0.06), ("loupe, jeweler's loupe", 0.04)],
        ),
        (
            "flower.jpg",
            "flower.jpg",
            "a-very-long-computer-name-in-the-lab",
            35,
            [("daisy", 0.9), ("bee", 0.04), ("vase", 0.01)],
        ),
    ];
    let more = ["temple.jpg", "会议记录.docx.jpg", "temple-at-night.jpg"];
    let names = answers.iter().map(|answer| answer.1).chain(more);
    let paths = names.map(|name| format!("/home/mei/{name}").into()).collect();
    tell(app, recognize::Message::Chosen(Chosen::Paths(paths)));
    let fit = Fit::Cover(446, 208);
    for (id, (file, _, by, took, labels)) in (0..).zip(answers) {
        tell(app, recognize::Message::Read(id, Ok(sample(file, fit))));
        let labels = labels.map(|(label, probability)| {
            serde_json::json!({"label": label, "index": 0, "probability": probability})
        });
        let response = serde_json::json!({
            "labels": labels, "model": "efficientnet-lite0", "engine": "tract", "device": "cpu",
        });
        tell(app, recognize::Message::Answered(id, Ok(heard(response, by, took))));
    }
    tell(app, recognize::Message::Read(5, Ok(sample("temple.jpg", fit))));
    let broken = Unshown::NoPicture("this is not a picture".to_owned());
    tell(app, recognize::Message::Read(6, Err(broken)));
    tell(app, recognize::Message::Read(7, Ok(sample("temple.jpg", fit))));
    let nobody = potluck::client::CallFailure {
        kind: potluck::client::FailureKind::NobodyServes,
        message: "nobody offers recognize/1".into(),
        route: Vec::new(),
    };
    tell(app, recognize::Message::Answered(7, Err(nobody)));
}

/// There is no dialog: a path is typed.
pub fn recognize_path(app: &mut App) {
    recognize(app);
    let typing = recognize::Message::Chosen(Chosen::NoDialog);
    let _ = app.update(Message::Screen(screens::Message::Recognize(typing)));
}

pub fn no_faces(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Faces));
}

fn tell_faces(app: &mut App, message: faces::Message) {
    let _ = app.update(Message::Screen(screens::Message::Faces(message)));
}

/// Three pictures: a face and what was taken for one, none, and one that is looked at. The first shows.
pub fn faces(app: &mut App) {
    no_faces(app);
    let names = ["astronaut.jpg", "咖啡.jpg", "rocket.jpg"];
    let paths = names.map(|name| format!("/home/mei/{name}").into()).into();
    tell_faces(app, faces::Message::Chosen(Chosen::Paths(paths)));
    let fit = Fit::Within(1200, 900);
    for (id, file) in (0..).zip(["faces/astronaut.jpg", "coffee.jpg", "rocket.jpg"]) {
        tell_faces(app, faces::Message::Read(id, Ok(sample(file, fit))));
    }
    let face = |x: f32, y: f32, side: f32, sex: &str, years: f32, sure: f32| {
        serde_json::json!({
            "box": {"x": x, "y": y, "width": side, "height": side}, "confidence": sure,
            "gender": {"value": sex}, "age": {"years": years},
        })
    };
    let astronaut = sample("faces/astronaut.jpg", fit);
    let (width, height) = (astronaut.size.0 as f32, astronaut.size.1 as f32);
    let (x, y, side) = (0.34 * width, 0.13 * height, 0.2 * width);
    let found = serde_json::json!([
        face(x, y, side, "female", 35.0, 0.99),
        face(0.7 * width, 0.55 * height, 0.12 * width, "male", 48.0, 0.61),
    ]);
    tell_faces(app, faces::Message::Answered(0, Ok(found_faces(found, &astronaut))));
    let coffee = sample("coffee.jpg", fit);
    let nobody = found_faces(serde_json::json!([]), &coffee);
    tell_faces(app, faces::Message::Answered(1, Ok(nobody)));
    tell_faces(app, faces::Message::Show(0));
    tell_faces(app, faces::Message::Face(Some(0)));
}

fn found_faces(faces: serde_json::Value, shown: &Shown) -> faces::Found {
    let faces: Vec<potluck::services::face::Face> = serde_json::from_value(faces).unwrap();
    let (width, height) = (shown.size.0 as f32, shown.size.1 as f32);
    let areas = faces.iter().map(|face| {
        let at = &face.frame;
        [at.x / width, at.y / height, at.width / width, at.height / height]
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let parts = runtime.block_on(pictures::parts(shown.handle.clone(), areas.collect(), 160));
    let by = |name: &str| potluck::client::Served { id: name.to_owned(), name: name.to_owned() };
    faces::Found {
        faces,
        parts,
        cloud: false,
        served_by: by(NAMES[3]),
        route: Vec::new(),
        milliseconds: 38,
    }
}

/// A picture without a face.
pub fn faces_none(app: &mut App) {
    faces(app);
    tell_faces(app, faces::Message::Show(1));
}

/// Nobody can find faces.
pub fn faces_failed(app: &mut App) {
    faces(app);
    let failure = potluck::client::CallFailure {
        kind: potluck::client::FailureKind::NobodyServes,
        message: "nobody offers faces/1".into(),
        route: Vec::new(),
    };
    tell_faces(app, faces::Message::Answered(2, Err(faces::NotFound::Mesh(failure))));
    tell_faces(app, faces::Message::Show(2));
}

/// The person is asked before a picture leaves the network.
pub fn faces_cloud(app: &mut App) {
    faces(app);
    tell_faces(app, faces::Message::AskCloud(0));
}

fn tell(app: &mut App, message: mesh::Message) {
    let _ = app.update(Message::Screen(screens::Message::Mesh(message)));
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

fn own() -> Own {
    Own {
        listen: vec!["/ip4/192.168.40.23/tcp/4001".to_owned()],
        offers: vec![offer_of("recognize/1", "cpu", 33.0, 1), offer_of("chat/1", "cpu", 0.02, 0)],
        troubles: Vec::new(),
    }
}

fn offer_of(capability: &str, device: &str, call_ms: f32, queue: u16) -> Offer {
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

/// The robot answered, and once it did not.
pub fn robot(app: &mut App) {
    chat_list(app);
    talk(app, chat::Message::Choose(chat::Who::Robot));
    let said = |text: &str, by: usize| {
        let by = potluck::client::Served { id: peer(by).to_string(), name: NAMES[by].to_owned() };
        Ok(Said { text: text.to_owned(), by, milliseconds: 31 })
    };
    for (number, question, answer) in [
        (
            1,
            "What is photosynthesis?",
            said(
                "Photosynthesis turns light into sugar: plants take in carbon dioxide and water, and give off oxygen.",
                0,
            ),
        ),
        (2, "你好", said("你好！有什么可以帮你？", 1)),
        (
            3,
            "translate: held",
            Err("nobody serves chat/1: lab-gpu-01 went off, and this node does not offer it".into()),
        ),
    ] {
        talk(app, chat::Message::Write(question.to_owned()));
        talk(app, chat::Message::Send);
        talk(app, chat::Message::Said(number, answer));
    }
}

/// The same ids in every run.
fn peer(index: usize) -> libp2p::PeerId {
    let mut seed = [7; 32];
    seed[0] = index as u8;
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes(seed).unwrap();
    keypair.public().to_peer_id()
}
