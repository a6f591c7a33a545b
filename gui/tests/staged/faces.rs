//! Faces on pictures.

use potluck_gui::{
    app::{App, Message, screens},
    backend::{
        files::Chosen,
        pictures::{self, Fit, Shown},
    },
    screen::{Screen, asked::Trouble, faces, paths},
};

use super::{NAMES, mesh, sample};

pub fn no_faces(app: &mut App) {
    mesh(app);
    let _ = app.update(Message::Go(Screen::Faces));
}

/// Three pictures: a face and what was taken for one, none, and one that is looked at. The first shows.
pub fn faces(app: &mut App) {
    no_faces(app);
    let names = ["astronaut.jpg", "咖啡.jpg", "rocket.jpg"];
    let paths = names.map(|name| format!("/home/mei/{name}").into()).into();
    tell_faces(
        app,
        faces::Message::Paths(paths::Message::Chosen(faces::Purpose::Open, Chosen::Paths(paths))),
    );
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
    tell_faces(app, faces::Message::Answered(2, Err(Trouble::Mesh(failure))));
    tell_faces(app, faces::Message::Show(2));
}

/// The person is asked before a picture leaves the network.
pub fn faces_cloud(app: &mut App) {
    faces(app);
    tell_faces(app, faces::Message::AskCloud(0));
}

fn tell_faces(app: &mut App, message: faces::Message) {
    let _ = app.update(Message::Screen(screens::Message::Faces(message)));
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
