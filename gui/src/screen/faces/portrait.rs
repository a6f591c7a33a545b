//! One picture: read, looked at, and what was found.

use iced::{Task, widget::image::Handle};
use potluck::{
    client::{CallFailure, FailureKind, RouteHop, Served},
    services::{face::Face, facepp, faces as local},
};

use super::{CLOUD, FACE, Message, PATIENCE};
use crate::backend::{
    Ask, Backend, Heard,
    files::Source,
    pictures::{self, Shown, Unshown},
};

/// One picture.
#[derive(Debug)]
pub(super) struct Portrait {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) shown: Option<Shown>,
    pub(super) state: State,
    /// Ends its work when it goes.
    work: Option<iced::task::Handle>,
}

/// How a picture stands.
#[derive(Debug)]
pub(super) enum State {
    /// Not yet read.
    New,
    /// It is read.
    Reading,
    /// It may be asked about.
    Waiting,
    /// It is asked about.
    Running,
    /// What was found.
    Done(Found),
    /// Why nothing was.
    Failed(NotFound),
}

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

/// Why nothing is known of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum NotFound {
    /// The file is no picture, or cannot be read.
    File(Unshown),
    /// The mesh gave no answer.
    Mesh(CallFailure),
    /// The answer is about a picture of another size.
    Size,
    /// The person stopped it.
    Stopped,
}

impl Portrait {
    pub(super) fn new(id: u64, name: String, source: Source) -> Self {
        Self { id, name, source, shown: None, state: State::New, work: None }
    }

    pub(super) fn found(&self) -> Option<&Found> {
        match &self.state {
            State::Done(found) => Some(found),
            _ => None,
        }
    }

    /// Work on it starts; it ends when the picture goes.
    pub(super) fn start(&mut self, state: State, task: Task<Message>) -> Task<Message> {
        let (task, handle) = task.abortable();
        self.work = Some(handle.abort_on_drop());
        self.state = state;
        task
    }

    /// Asks who can find faces; `cloud` only after the person said yes.
    pub(super) fn ask(&mut self, backend: &Backend, cloud: bool) -> Option<Task<Message>> {
        let shown = self.shown.clone()?;
        let (id, input) = (self.id, self.source.input());
        let backend = backend.clone();
        let looked = async move {
            let size = shown.size;
            let timeout = PATIENCE;
            if cloud {
                let request = facepp::Request { landmarks: false, ..facepp::Request::default() };
                let ask = Ask { capability: CLOUD, variant: None, request, input, timeout };
                let heard: Heard<facepp::Response> =
                    backend.ask(ask).await.map_err(NotFound::Mesh)?;
                let Heard { response, served_by, route, milliseconds } = heard;
                let told = (response.faces, (response.width, response.height));
                return found(shown, size, told, true, (served_by, route, milliseconds)).await;
            }
            let request = local::Request::default();
            let ask = Ask { capability: "faces/1", variant: None, request, input, timeout };
            let heard: Heard<local::Response> = backend.ask(ask).await.map_err(NotFound::Mesh)?;
            let Heard { response, served_by, route, milliseconds } = heard;
            let told = (response.faces, (response.width, response.height));
            found(shown, size, told, false, (served_by, route, milliseconds)).await
        };
        let task = Task::perform(looked, move |found| Message::Answered(id, found));
        Some(self.start(State::Running, task))
    }

    pub(super) fn read(&mut self, read: Result<Shown, Unshown>) {
        // What was stopped meanwhile stays stopped.
        if !matches!(self.state, State::New | State::Reading) {
            return;
        }
        self.work = None;
        match read {
            Ok(shown) => {
                self.shown = Some(shown);
                self.state = State::Waiting;
            }
            Err(why) => self.state = State::Failed(NotFound::File(why)),
        }
    }

    pub(super) fn answered(&mut self, found: Result<Found, NotFound>) {
        if !matches!(self.state, State::Waiting | State::Running) {
            return;
        }
        self.work = None;
        self.state = match found {
            Ok(found) => State::Done(found),
            Err(why) => State::Failed(why),
        };
    }

    pub(super) fn stop(&mut self) {
        if !matches!(self.state, State::Done(_) | State::Failed(_)) {
            self.work = None;
            self.state = State::Failed(NotFound::Stopped);
        }
    }

    /// Whether another try may help.
    pub(super) fn may_again(&self) -> bool {
        match &self.state {
            State::Failed(NotFound::File(Unshown::NoPicture(_))) => false,
            State::Failed(NotFound::Mesh(failure)) => failure.kind != FailureKind::BadInput,
            State::Failed(_) => true,
            _ => false,
        }
    }

    pub(super) fn again(&mut self) {
        if matches!(self.state, State::Failed(_)) {
            self.state = if self.shown.is_some() { State::Waiting } else { State::New };
        }
    }
}

/// Believes of an answer what can be right, and cuts the faces out of the picture.
async fn found(
    shown: Shown,
    size: (u32, u32),
    (faces, told): (Vec<Face>, (u32, u32)),
    cloud: bool,
    (served_by, route, milliseconds): (Served, Vec<RouteHop>, u64),
) -> Result<Found, NotFound> {
    if told != size {
        return Err(NotFound::Size);
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
