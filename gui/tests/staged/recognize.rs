//! Pictures on their way.

use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        Heard,
        files::{Chosen, Source, Unread},
        pictures::{self, Fit, Shown},
    },
    screen::{Screen, paths, recognize},
};

use super::{NAMES, mesh};

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
    tell(app, chosen(Chosen::Paths(paths)));
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
    let broken = Unread::NotIt("this is not a picture".to_owned());
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
    let typing = chosen(Chosen::NoDialog);
    let _ = app.update(Message::Screen(screens::Message::Recognize(typing)));
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

fn chosen(chosen: Chosen) -> recognize::Message {
    recognize::Message::Paths(paths::Message::Chosen(recognize::Purpose::Open, chosen))
}
