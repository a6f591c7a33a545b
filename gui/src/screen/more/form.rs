//! The form of one capability: made from a request that works, as its node tells it, or of names and values that the
//! person gives.

use iced::Task;
use potluck::{client::CallFailure, services::about::About};
use serde_json::{Map, Number, Value};

use super::Message;
use crate::backend::{files::Source, plain::Told};

/// The fields of a form, in which values are typed.
pub const FIELDS: [&str; 12] = [
    "more-0", "more-1", "more-2", "more-3", "more-4", "more-5", "more-6", "more-7", "more-8",
    "more-9", "more-10", "more-11",
];
/// The same for the names of values.
pub const NAMES: [&str; 12] = [
    "more-name-0",
    "more-name-1",
    "more-name-2",
    "more-name-3",
    "more-name-4",
    "more-name-5",
    "more-name-6",
    "more-name-7",
    "more-name-8",
    "more-name-9",
    "more-name-10",
    "more-name-11",
];

/// The form of one capability.
#[derive(Debug, Default)]
pub struct Form {
    /// What its node says; `None` before it was asked, then whether it said something.
    pub(super) about: Option<Option<About>>,
    /// Its values.
    pub(super) fields: Vec<Field>,
    /// The request is the one value, and no set of them.
    bare: bool,
    pub(super) file: Option<Source>,
    pub(super) model: Option<String>,
    /// The call that was made last.
    pub(super) number: Option<u64>,
    pub(super) state: State,
    work: Option<iced::task::Handle>,
}

/// How the last call stands.
#[derive(Debug, Default)]
pub(super) enum State {
    /// There was none.
    #[default]
    New,
    /// It is under way.
    Running,
    /// The answer.
    Done(Told),
    /// Why there is none.
    Failed(CallFailure),
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
    /// What was typed.
    pub text: String,
    /// What is wrong with it.
    pub wrong: Option<Wrong>,
}

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Yes or no.
    Switch(bool),
    /// A number; left out where nothing is typed.
    Number,
    /// A text, also an empty one.
    Text,
    /// Whatever JSON says, or a text; left out where nothing is typed.
    Any,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is no number.
    Number,
    /// Another value has the same name.
    Twice,
}

impl Form {
    /// Whether its node was asked.
    pub(super) fn is_known(&self) -> bool {
        self.about.is_some()
    }

    /// Its node said what it takes, or nothing.
    pub(super) fn told(&mut self, about: Option<About>) {
        let example = about.as_ref().map(|about| &about.example);
        self.bare = example.is_some_and(|example| !example.is_object() && !example.is_null());
        self.fields = match example {
            Some(Value::Object(fields)) => {
                let fields = fields.iter().take(FIELDS.len());
                fields.map(|(name, value)| Field::of(name, value)).collect()
            }
            Some(Value::Null) | None => Vec::new(),
            Some(value) => vec![Field::of("", value)],
        };
        self.about = Some(about);
    }

    /// Whether a file has to be chosen.
    pub(super) fn needs_file(&self) -> bool {
        self.about.as_ref().is_some_and(|about| about.as_ref().is_some_and(|about| about.file))
    }

    /// Whether the person names the values.
    pub(super) fn is_free(&self) -> bool {
        self.about == Some(None)
    }

    /// Whether it can be sent.
    pub(super) fn is_ready(&self) -> bool {
        self.is_known() && !(self.needs_file() && self.file.is_none())
    }

    /// The answer, where there is one.
    pub(super) fn answer(&self) -> Option<&Told> {
        match &self.state {
            State::Done(told) => Some(told),
            _ => None,
        }
    }

    /// Something happened in it.
    pub(super) fn update(&mut self, message: Message) {
        match message {
            Message::Type(at, text) => {
                if let Some(field) = self.fields.get_mut(at) {
                    (field.text, field.wrong) = (text, None);
                }
            }
            Message::Name(at, name) => {
                if let Some(field) = self.fields.get_mut(at) {
                    (field.name, field.wrong) = (name, None);
                }
            }
            Message::Switch(at, on) => {
                if let Some(field) = self.fields.get_mut(at) {
                    field.kind = Kind::Switch(on);
                }
            }
            Message::Add if self.fields.len() < FIELDS.len() => self.fields.push(Field::free()),
            Message::Remove(at) if at < self.fields.len() => drop(self.fields.remove(at)),
            Message::NoFile => self.file = None,
            Message::Model(model) => self.model = model,
            Message::Stop => {
                self.work = None;
                if matches!(self.state, State::Running) {
                    self.state = State::New;
                }
            }
            _ => {}
        }
    }

    /// What is asked, if all of it can be; otherwise it is noted what is wrong.
    pub(super) fn request(&mut self) -> Option<(Value, Option<Source>)> {
        let mut map = Map::new();
        let mut alone = Value::Null;
        let mut fine = self.is_ready();
        for field in &mut self.fields {
            match field.value() {
                Ok(Some(value)) if self.bare => alone = value,
                Ok(Some(value)) => {
                    if map.insert(field.name.trim().to_owned(), value).is_some() {
                        (field.wrong, fine) = (Some(Wrong::Twice), false);
                    }
                }
                Ok(None) => {}
                Err(wrong) => (field.wrong, fine) = (Some(wrong), false),
            }
        }
        let args = if self.bare { alone } else { Value::Object(map) };
        fine.then(|| (args, self.file.clone()))
    }

    /// A call was made, or will be when there is a node.
    pub(super) fn start(
        &mut self,
        number: u64,
        task: Option<Task<Message>>,
    ) -> Option<Task<Message>> {
        let started = task.map(Task::abortable);
        let (task, handle) = started.unzip();
        self.work = handle.map(iced::task::Handle::abort_on_drop);
        (self.number, self.state) = (Some(number), State::Running);
        task
    }

    /// Whether a call is to be made when there is a node.
    pub(super) fn waits(&self) -> bool {
        matches!(self.state, State::Running) && self.work.is_none()
    }

    /// It was answered, or not.
    pub(super) fn answered(&mut self, told: Result<Told, CallFailure>) {
        // What was stopped meanwhile stays stopped.
        if !matches!(self.state, State::Running) {
            return;
        }
        self.work = None;
        self.state = match told {
            Ok(told) => State::Done(told),
            Err(failure) => State::Failed(failure),
        };
    }
}

impl Field {
    fn of(name: &str, value: &Value) -> Self {
        let (kind, text) = match value {
            Value::Bool(on) => (Kind::Switch(*on), String::new()),
            Value::Number(number) => (Kind::Number, number.to_string()),
            Value::String(text) => (Kind::Text, text.clone()),
            Value::Null => (Kind::Any, String::new()),
            other => (Kind::Any, other.to_string()),
        };
        Self { name: name.to_owned(), kind, text, wrong: None }
    }

    fn free() -> Self {
        Self { name: String::new(), kind: Kind::Any, text: String::new(), wrong: None }
    }

    /// The value; `None` where it is left out.
    fn value(&self) -> Result<Option<Value>, Wrong> {
        let text = self.text.trim();
        match self.kind {
            Kind::Switch(on) => Ok(Some(on.into())),
            Kind::Text => Ok(Some(self.text.clone().into())),
            Kind::Number | Kind::Any if text.is_empty() => Ok(None),
            Kind::Number => {
                text.parse().map(|number: Number| Some(number.into())).map_err(|_| Wrong::Number)
            }
            // As on the command line: JSON where it is some, otherwise a text.
            Kind::Any => Ok(Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))),
        }
    }
}

/// An answer as a person reads it: a text as it is, anything else as JSON.
pub(super) fn text(answer: &Value) -> String {
    match answer {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}
