//! Things and text on pictures.

use potluck_gui::{
    app::{App, Message, screens},
    backend::{files::Chosen, pictures::Fit},
    screen::{
        Screen,
        asked::Trouble,
        marked::{Found, Items, Message as Marked, Purpose},
        paths,
    },
};
use serde_json::{Value, json};

use super::{NAMES, mesh, sample};

/// A message of one of the two screens.
type To = fn(Marked) -> screens::Message;

pub fn no_things(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Things));
}

pub fn no_text(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Text));
}

/// Two pictures: a cat and what else was taken for something, and one that is looked at. The first shows.
pub fn things(app: &mut App) {
    no_things(app);
    open(app, screens::Message::Things, &["cat.jpg", "rocket.jpg"]);
    let thing = |x: f32, y: f32, width: f32, height: f32, name: &str, sure: f32| {
        json!({
            "box": {"x": x, "y": y, "width": width, "height": height}, "name": name, "confidence": sure,
        })
    };
    let found = json!([
        thing(3.0, 4.0, 428.0, 290.0, "cat", 0.57),
        thing(20.0, 180.0, 120.0, 100.0, "teddy bear", 0.44),
        thing(300.0, 8.0, 140.0, 80.0, "potted plant", 0.41),
    ]);
    let items = Items::Things(serde_json::from_value(found).unwrap());
    tell(app, screens::Message::Things, Marked::Answered(0, Ok(answer(items))));
    tell(app, screens::Message::Things, Marked::Show(0));
    tell(app, screens::Message::Things, Marked::Item(Some(0)));
}

/// Nobody finds things.
pub fn things_failed(app: &mut App) {
    things(app);
    let failure = potluck::client::CallFailure {
        kind: potluck::client::FailureKind::NobodyServes,
        message: "nobody offers detect/1".into(),
        route: Vec::new(),
    };
    tell(app, screens::Message::Things, Marked::Answered(1, Err(Trouble::Mesh(failure))));
    tell(app, screens::Message::Things, Marked::Show(1));
}

/// The bundled notice with its lines, one of which stands out.
pub fn text(app: &mut App) {
    no_text(app);
    open(app, screens::Message::Text, &["text/notice.jpg", "flower.jpg"]);
    // As the reader tells them.
    let lines: [(&str, [f32; 8]); 6] = [
        ("Potluck supper", [126.0, 83.0, 541.0, 116.0, 537.0, 169.0, 122.0, 136.0]),
        ("每人带一道菜", [119.0, 158.0, 409.0, 173.0, 406.0, 217.0, 117.0, 201.0]),
        ("Friday 19:30, in the library", [113.0, 224.0, 483.0, 245.0, 481.0, 278.0, 111.0, 257.0]),
        ("星期五晚上七点半，图书馆", [110.0, 273.0, 480.0, 290.0, 478.0, 318.0, 109.0, 301.0]),
        ("Please bring your own plate.", [103.0, 331.0, 451.0, 348.0, 449.0, 377.0, 102.0, 360.0]),
        ("请自带餐具，谢谢！", [100.0, 372.0, 327.0, 381.0, 326.0, 409.0, 99.0, 399.0]),
    ];
    let line = |(text, corners): (&str, [f32; 8])| {
        let corner = |at: &[f32]| json!({"x": at[0], "y": at[1]});
        let corners: Vec<Value> = corners.chunks(2).map(corner).collect();
        json!({"text": text, "confidence": 0.97, "corners": corners})
    };
    let found: Value = lines.into_iter().map(line).collect();
    let items = Items::Lines(serde_json::from_value(found).unwrap());
    tell(app, screens::Message::Text, Marked::Answered(0, Ok(answer(items))));
    let none = answer(Items::Lines(Vec::new()));
    tell(app, screens::Message::Text, Marked::Answered(1, Ok(none)));
    tell(app, screens::Message::Text, Marked::Show(0));
    tell(app, screens::Message::Text, Marked::Item(Some(2)));
}

/// A picture without text.
pub fn text_none(app: &mut App) {
    text(app);
    tell(app, screens::Message::Text, Marked::Show(1));
}

fn open(app: &mut App, to: To, files: &[&str]) {
    let name = |file: &&str| file.rsplit('/').next().unwrap_or(file).to_owned();
    let paths = files.iter().map(|file| format!("/home/mei/{}", name(file)).into()).collect();
    let chosen = paths::Message::Chosen(Purpose::Open, Chosen::Paths(paths));
    tell(app, to, Marked::Paths(chosen));
    for (id, file) in (0..).zip(files) {
        tell(app, to, Marked::Read(id, Ok(sample(file, Fit::Within(1200, 900)))));
    }
}

fn tell(app: &mut App, to: To, message: Marked) {
    let _ = app.update(Message::Screen(to(message)));
}

fn answer(items: Items) -> Found {
    let served_by = potluck::client::Served { id: NAMES[0].to_owned(), name: NAMES[0].to_owned() };
    Found { items, served_by, route: Vec::new(), milliseconds: 64 }
}
