//! The chat: people, letters in all their states, the robot.

use potluck::{
    client::Event,
    mail::{
        ask::{Coming, Contact, Incoming, Outgoing},
        letter::{Contents, Listed},
        records::Stage,
    },
};
use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        Update,
        post::{Letters, Said},
    },
    screen::{Screen, chat},
};

use super::{NAMES, mesh, now, own, peer};

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

/// A letter of several lines is being written.
pub fn chat_lines(app: &mut App) {
    chat(app);
    let lines = "Tomorrow:\n1. 早上九点在 402\n2. bring the survey table, and the pictures of Monday, which were too large for the mail last week and had to be cut\n3. lunch";
    talk(app, chat::Message::Write(lines.to_owned()));
}

/// Words that two people compare.
pub fn chat_compare(app: &mut App) {
    chat(app);
    talk(app, chat::Message::Compare);
}

/// Nobody was met, nothing was written.
pub fn chat_empty(app: &mut App) {
    let _ = app.update(Message::Backend(Update::News(vec![Event::Own(own())])));
    talk(app, chat::Message::Loaded(Ok(Letters::default())));
    let _ = app.update(Message::Go(Screen::Chat));
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

fn talk(app: &mut App, message: chat::Message) {
    let _ = app.update(Message::Screen(screens::Message::Chat(message)));
}

/// What was written from and to people, an hour and a day ago.
pub fn letters() -> Letters {
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
        paused: false,
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
        me: peer(9).to_string(),
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
            paused: false,
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
