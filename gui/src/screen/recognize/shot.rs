//! One picture on its way: read, waiting, asked, answered, or why not.

use iced::Task;
use potluck::{
    client::{CallFailure, FailureKind},
    services::recognize::{Response, name},
};

use super::Message;
use crate::{
    backend::{
        Heard,
        files::Source,
        pictures::{Shown, Unshown},
    },
    words::{Lang, asking},
};

/// One picture.
#[derive(Debug)]
pub struct Shot {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) shown: Option<Shown>,
    /// How it stands.
    pub state: State,
    /// Ends its work when it goes.
    work: Option<iced::task::Handle>,
}

/// How a picture stands.
#[derive(Debug)]
pub enum State {
    /// Not yet read.
    New,
    /// It is read.
    Reading,
    /// It may be asked about.
    Waiting,
    /// It is asked about.
    Running,
    /// The answer.
    Done(Heard<Response>),
    /// Why there is none.
    Failed(Trouble),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The file is no picture, or cannot be read.
    File(Unshown),
    /// The mesh gave none.
    Mesh(CallFailure),
    /// The person stopped it.
    Stopped,
}

impl Shot {
    pub(super) fn new(id: u64, name: String, source: Source) -> Self {
        Self { id, name, source, shown: None, state: State::New, work: None }
    }

    /// Work on it starts; it ends when the picture goes.
    pub(super) fn start(&mut self, state: State, task: Task<Message>) -> Task<Message> {
        let (task, handle) = task.abortable();
        self.work = Some(handle.abort_on_drop());
        self.state = state;
        task
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
            Err(why) => self.state = State::Failed(Trouble::File(why)),
        }
    }

    pub(super) fn answered(&mut self, heard: Result<Heard<Response>, CallFailure>) {
        if !matches!(self.state, State::Waiting | State::Running) {
            return;
        }
        self.work = None;
        self.state = match heard {
            Ok(heard) => State::Done(heard),
            Err(failure) => State::Failed(Trouble::Mesh(failure)),
        };
    }

    pub(super) fn stop(&mut self) {
        if !matches!(self.state, State::Done(_) | State::Failed(_)) {
            self.work = None;
            self.state = State::Failed(Trouble::Stopped);
        }
    }

    /// Whether another try may help.
    pub(super) fn may_again(&self) -> bool {
        match &self.state {
            State::Failed(Trouble::File(Unshown::NoPicture(_))) => false,
            State::Failed(Trouble::Mesh(failure)) => failure.kind != FailureKind::BadInput,
            State::Failed(_) => true,
            _ => false,
        }
    }

    pub(super) fn again(&mut self) {
        if matches!(self.state, State::Failed(_)) {
            self.state = if self.shown.is_some() { State::Waiting } else { State::New };
        }
    }

    /// What is known of it, for the clipboard.
    pub(super) fn in_words(&self, lang: Lang) -> String {
        match &self.state {
            State::Done(heard) => {
                let labels = heard.response.labels.iter();
                let lines: Vec<String> = labels
                    .map(|label| {
                        format!("{}\t{:.1}%", name(label, lang), label.probability * 100.0)
                    })
                    .collect();
                format!("{}\n{}", self.name, lines.join("\n"))
            }
            State::Failed(Trouble::Mesh(failure)) => {
                format!("{}\n{}", self.name, asking::details(failure))
            }
            State::Failed(Trouble::File(why)) => format!("{}\n{why}", self.name),
            _ => self.name.clone(),
        }
    }
}
