//! More: what the mesh offers beyond the other screens. Each capability gets a plain form from what its node says of it,
//! and its answer shows as it is.

mod form;
mod view;

use std::collections::BTreeMap;

use iced::{
    Task,
    keyboard::{Key, Modifiers, key::Named},
};
use potluck::{
    client::{CallFailure, Offer, View},
    services::about::About,
};

use super::{
    Action, Context, Dropped,
    paths::{self, Next, Paths, Wants, What},
};
use crate::{
    backend::{
        files::{self, Source},
        plain::{Question, Told},
    },
    words::{Lang, asking, more as words},
};
use form::Form;
pub use form::{FIELDS, NAMES};

/// Capabilities that have screens of their own, or belong to every node.
const KNOWN: &[&str] = &[
    "about/1",
    "analyze/1",
    "chat/1",
    "detect/1",
    "faces/1",
    "facepp/1",
    "keep/1",
    "mail/1",
    "ocr/1",
    "recognize/1",
];

/// The state of the screen.
#[derive(Debug, Default)]
pub struct More {
    chosen: Option<String>,
    forms: BTreeMap<String, Form>,
    next: u64,
    paths: Paths<Purpose>,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A file to work on.
    Open,
    /// Where the answer goes.
    Answer,
    /// Where what came with it goes.
    Data,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Files come or go.
    Paths(paths::Message<Purpose>),
    /// Another capability, or none.
    Choose(Option<String>),
    /// What its node says of it.
    About(String, Option<Box<About>>),
    /// A value was typed.
    Type(usize, String),
    /// A name was typed.
    Name(usize, String),
    /// A switch was pressed.
    Switch(usize, bool),
    /// One more value.
    Add,
    /// A value goes.
    Remove(usize),
    /// The file goes.
    NoFile,
    /// Which model; `None` leaves it to the node.
    Model(Option<String>),
    /// The mesh is to be asked.
    Ask,
    /// It ends.
    Stop,
    /// The mesh answered, or not.
    Answered(u64, Result<Told, CallFailure>),
    /// A text for the clipboard.
    Copy(String),
}

impl More {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Paths(message) => return self.files(message, context),
            Message::Choose(chosen) => {
                self.chosen = chosen;
                self.paths.close();
                return self.ready(context);
            }
            Message::About(name, about) => {
                if let Some(form) = self.forms.get_mut(&name) {
                    form.told(about.map(|about| *about));
                }
            }
            Message::Ask => return self.ask(context),
            Message::Answered(number, told) => {
                let form = self.forms.values_mut().find(|form| form.number == Some(number));
                if let Some(form) = form {
                    form.answered(told);
                }
            }
            Message::Copy(text) => return Action::Copy(text),
            other => {
                if let Some(form) = self.form_mut() {
                    form.update(other);
                }
            }
        }
        Action::None
    }

    /// The node is there: what is not known of the capability that shows is asked.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(name) = &self.chosen else { return Action::None };
        let form = self.forms.entry(name.clone()).or_default();
        if form.is_known() {
            return if form.waits() { self.ask(context) } else { Action::None };
        }
        let Some(backend) = context.backend else { return Action::None };
        let (about, name) = (backend.clone().about(name.clone()), name.clone());
        Action::Run(Task::perform(about, move |about| {
            Message::About(name.clone(), about.map(Box::new))
        }))
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        let form = self.form();
        let open = form.map(|_| Purpose::Open);
        let save = form.and_then(Form::answer).map(|_| Purpose::Answer);
        if let Some(message) = paths::key(key, modifiers, open, save) {
            return self.files(message, context);
        }
        match key {
            Key::Named(Named::Escape) if self.paths.is_open() => self.paths.close(),
            Key::Named(Named::Escape) if !context.has_panel() => self.chosen = None,
            Key::Named(Named::Enter) if modifiers.command() => return self.ask(context),
            _ => {}
        }
        Action::None
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped) -> Action<Message> {
        if let Some(source) = self.paths.dropped(dropped) {
            self.take(source);
        }
        Action::None
    }

    fn form(&self) -> Option<&Form> {
        self.forms.get(self.chosen.as_ref()?)
    }

    fn form_mut(&mut self) -> Option<&mut Form> {
        self.forms.get_mut(self.chosen.as_ref()?)
    }

    fn take(&mut self, source: Source) {
        if let Some(form) = self.form_mut() {
            form.file = Some(source);
        }
    }

    fn files(
        &mut self,
        message: paths::Message<Purpose>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        let folder = context.backend.map(|backend| backend.downloads()).unwrap_or_default();
        let next = self.paths.update(message, |purpose| wants(purpose, &folder, lang), lang);
        let (purpose, path) = match next {
            Next::Do(action) => return action.map(Message::Paths),
            Next::Sources(sources) => {
                sources.into_iter().take(1).for_each(|source| self.take(source));
                return Action::None;
            }
            Next::Paths { purpose, paths, .. } => match paths.into_iter().next() {
                Some(path) => (purpose, path),
                None => return Action::None,
            },
        };
        let Some(answer) = self.form().and_then(Form::answer) else {
            if purpose == Purpose::Open {
                self.paths.close();
                self.take(Source::File(path));
            }
            return Action::None;
        };
        let to = path.clone();
        let done = move |saved| Message::Paths(paths::Message::Saved(purpose, to.clone(), saved));
        match purpose {
            Purpose::Open => {
                self.paths.close();
                self.take(Source::File(path));
                Action::None
            }
            Purpose::Answer => {
                let text = form::text(&answer.answer).into_bytes();
                Action::Run(Task::perform(files::write(path, text), done))
            }
            Purpose::Data => match answer.file() {
                Some(file) => {
                    // The file lives as long as the answer does.
                    let kept = answer.clone();
                    let copied = async move {
                        let copied = files::copy(file, path).await;
                        drop(kept);
                        copied
                    };
                    Action::Run(Task::perform(copied, done))
                }
                None => Action::None,
            },
        }
    }

    fn ask(&mut self, context: &Context<'_>) -> Action<Message> {
        let (number, name) = (self.next, self.chosen.clone().unwrap_or_default());
        let Some(form) = self.form_mut() else { return Action::None };
        let Some((args, input)) = form.request() else { return Action::None };
        let question = Question { capability: name, variant: form.model.clone(), args, input };
        // Without a node it waits for one.
        let asked = context.backend.map(|backend| backend.clone().ask_plainly(question));
        let task =
            asked.map(|asked| Task::perform(asked, move |told| Message::Answered(number, told)));
        let task = form.start(number, task);
        self.next += 1;
        task.map_or(Action::None, Action::Run)
    }
}

fn wants(purpose: Purpose, folder: &std::path::Path, lang: Lang) -> Wants {
    let inside = |name: &str| folder.join(name).display().to_string();
    let (title, go, name, what) = match purpose {
        Purpose::Open => {
            (words::choose_file(lang), asking::add(lang), String::new(), What::Files(&[]))
        }
        Purpose::Answer => {
            let name = inside(words::answer_name(lang));
            (words::answer(lang), asking::save(lang), name, What::Place)
        }
        Purpose::Data => {
            let name = inside(words::data_name(lang));
            (words::answer(lang), asking::save(lang), name, What::Place)
        }
    };
    Wants { title, go, name, what }
}

/// What the mesh offers that has no screen: by name, who does, and with which models.
pub fn offered(view: &View) -> BTreeMap<&str, Vec<(Option<&str>, &Offer)>> {
    let peers = view.mesh.peers.values().flat_map(|peer| {
        peer.advert.offers.iter().map(move |offer| (Some(peer.advert.name.as_str()), offer))
    });
    let mine = view.own.offers.iter().map(|offer| (None, offer));
    let mut all: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (who, offer) in mine.chain(peers) {
        if !KNOWN.contains(&offer.capability.as_str()) {
            all.entry(&offer.capability).or_default().push((who, offer));
        }
    }
    all
}

#[cfg(test)]
mod tests;
