//! One picture: read, looked at, and what was found.

use iced::{Task, widget::image::Handle};
use potluck::{
    client::{RouteHop, Served},
    services::{face::Face, facepp, faces as local},
};

use super::{CLOUD, FACE, Message, PATIENCE, Portrait, State, Trouble};
use crate::backend::{
    Ask, Backend, Heard,
    pictures::{self, Shown},
};

/// What was found on a picture.
#[derive(Debug, Clone)]
pub struct Found {
    /// The faces, in pixels of the picture.
    pub faces: Vec<Face>,
    /// Each of them as a small picture.
    pub parts: Vec<Handle>,
    /// Whether the cloud was asked.
    pub cloud: bool,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

/// Asks who can find faces; `cloud` only after the person said yes.
pub(super) fn ask(
    portrait: &mut Portrait,
    backend: &Backend,
    cloud: bool,
) -> Option<Task<Message>> {
    let shown = portrait.read.clone()?;
    let (id, input) = (portrait.id, portrait.source.input());
    let backend = backend.clone();
    let looked = async move {
        let size = shown.size;
        let timeout = PATIENCE;
        if cloud {
            let request = facepp::Request { landmarks: false, ..facepp::Request::default() };
            let ask = Ask { capability: CLOUD, variant: None, request, input, timeout };
            let heard: Heard<facepp::Response> = backend.ask(ask).await.map_err(Trouble::Mesh)?;
            let Heard { response, served_by, route, milliseconds } = heard;
            let told = (response.faces, (response.width, response.height));
            return found(shown, size, told, true, (served_by, route, milliseconds)).await;
        }
        let request = local::Request::default();
        let ask = Ask { capability: "faces/1", variant: None, request, input, timeout };
        let heard: Heard<local::Response> = backend.ask(ask).await.map_err(Trouble::Mesh)?;
        let Heard { response, served_by, route, milliseconds } = heard;
        let told = (response.faces, (response.width, response.height));
        found(shown, size, told, false, (served_by, route, milliseconds)).await
    };
    let task = Task::perform(looked, move |found| Message::Answered(id, found));
    Some(portrait.start(State::Running, task))
}

/// Believes of an answer what can be right, and cuts the faces out of the picture.
async fn found(
    shown: Shown,
    size: (u32, u32),
    (faces, told): (Vec<Face>, (u32, u32)),
    cloud: bool,
    (served_by, route, milliseconds): (Served, Vec<RouteHop>, u64),
) -> Result<Found, Trouble> {
    if told != size {
        let (width, height) = told;
        return Err(Trouble::Odd(format!("it is about {width} x {height} pixels")));
    }
    let faces = Face::checked(faces, size);
    let (width, height) = (size.0 as f32, size.1 as f32);
    let areas = faces.iter().map(|face| {
        let at = &face.frame;
        [at.x / width, at.y / height, at.width / width, at.height / height]
    });
    let parts = pictures::parts(shown.handle, areas.collect(), FACE).await;
    Ok(Found { faces, parts, cloud, served_by, route, milliseconds })
}
