//! What this node does for others: a switch for each capability, room for mail, the Face++ key, what runs
//! the models and which there are, and how much of all that.

mod cards;
mod key;
mod limits;
mod models;

pub use key::KEY;
pub use models::{NAME, OfModel};

use std::collections::BTreeSet;

use iced::{
    Alignment, Length, Task,
    keyboard::{Key, key::Named},
    widget::{Column, column, container, row},
};
use potluck::{client::Offer as Offered, config::Allow, say::Reason};

use super::{
    Action, Context, body, header,
    mesh::{capability, speed},
    paths::{self, Paths},
};
use crate::{
    backend::{
        models::Model,
        offering::{Installing, Offering},
    },
    icon::Icon,
    settings::{NodeSetting, Who},
    theme::{self, Element, Role, Tone, space},
    widget::{Dialog, button, cut, head_row, hr, note, pick, scroll, segment, switch, tile},
    words::{Lang, offer as words},
};

/// What keeps mail, by name.
const KEEP: &str = "keep/1";
/// What asks Face++.
const FACEPP: &str = "facepp/1";

/// How wide the columns beside a capability are.
const WHOM: f32 = 336.0;
/// The same where members are a choice too.
const WHOM_MEMBERS: f32 = 440.0;
/// The same as a list that opens, and up to which width of the window.
const WHOM_LIST: (f32, f32) = (148.0, 1000.0);
const RATE: f32 = 72.0;

/// The state of the screen.
#[derive(Debug)]
pub struct Offer {
    /// What the settings say, once they were read.
    known: Option<Offering>,
    /// Capabilities whose switch was pressed just now.
    changing: BTreeSet<String>,
    /// Something holds from the next start only.
    pending: bool,
    editing: Option<key::Edit>,
    /// The faster engine is being brought: what happens now.
    installing: Option<String>,
    models: Vec<Model>,
    adding: Option<models::Adding>,
    paths: Paths<OfModel>,
    /// The capability whose limits show.
    limits_of: String,
    trouble: Option<String>,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            known: None,
            changing: BTreeSet::new(),
            pending: false,
            editing: None,
            installing: None,
            models: Vec::new(),
            adding: None,
            paths: Paths::default(),
            limits_of: "recognize/1".to_owned(),
            trouble: None,
        }
    }
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// The settings were read, or written.
    Read(Result<Offering, Reason>),
    /// A capability is to be offered, or no more.
    Switch(String, bool),
    /// It is, or not.
    Switched(String, Result<Offering, Reason>),
    /// A setting that holds from the next start.
    Set(NodeSetting),
    /// It was written, or not; and whether it holds at once.
    Written(Result<Offering, Reason>, bool),
    /// The key is to be typed in.
    Edit,
    /// It is not.
    Unedit,
    /// A letter of the key.
    Key(String),
    /// A letter of the secret.
    Secret(String),
    /// Both are kept.
    Keep,
    /// Whether the key is to go.
    Remove,
    /// It goes.
    Removed,
    /// The faster engine is to be brought.
    Install,
    /// How far that is.
    Installing(Installing),
    /// The models were read, or one was removed, or not.
    Models(Result<Vec<Model>, Reason>),
    /// The files of a model are chosen.
    ModelFiles(paths::Message<OfModel>),
    /// What the model is to be called.
    ModelName(String),
    /// It is to be added.
    AddModel,
    /// It was, or not.
    Added(Result<Vec<Model>, Reason>),
    /// It is not.
    Unadd,
    /// Whether a model is to go.
    RemoveModel(String),
    /// It goes.
    ModelRemoved(String),
    /// The limits of another capability.
    LimitsOf(String),
    /// The node starts again.
    Restart,
    /// A text for the clipboard.
    Copy(String),
    /// A dialog was answered with no.
    Nothing,
}

impl Offer {
    /// The node is there: what its settings say.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else { return Action::None };
        self.pending = false;
        Action::Run(Task::batch([
            Task::perform(backend.clone().offering(), Message::Read),
            Task::perform(backend.clone().models(), Message::Models),
        ]))
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Read(Ok(known)) => (self.known, self.trouble) = (Some(known), None),
            Message::Read(Err(why)) => self.trouble = Some(why.say(context.lang)),
            Message::Switch(name, on) => {
                let Some(backend) = context.backend else { return Action::None };
                if !self.changing.insert(name.clone()) {
                    return Action::None;
                }
                let switched = backend.clone().switch(name.clone(), on);
                return Action::Run(Task::perform(switched, move |result| {
                    Message::Switched(name.clone(), result)
                }));
            }
            Message::Switched(name, result) => {
                self.changing.remove(&name);
                return self.written(result, context);
            }
            Message::Set(setting) => {
                let Some(backend) = context.backend else { return Action::None };
                let at_once = setting.holds_at_once();
                let set = backend.clone().set(setting);
                return Action::Run(Task::perform(set, move |set| Message::Written(set, at_once)));
            }
            Message::Written(result, at_once) => {
                self.pending |= result.is_ok() && !at_once;
                return self.written(result, context);
            }
            Message::Install => {
                let Some(backend) = context.backend.filter(|_| self.installing.is_none()) else {
                    return Action::None;
                };
                self.installing = Some(String::new());
                return Action::Run(Task::run(backend.install(), Message::Installing));
            }
            Message::Installing(Installing::Says(said)) => self.installing = Some(said),
            Message::Installing(Installing::Done(done)) => {
                self.installing = None;
                self.pending |= done.is_ok();
                if let Err(why) = done {
                    return self.failed(&why.into(), context);
                }
            }
            Message::LimitsOf(name) => self.limits_of = name,
            Message::Models(_)
            | Message::ModelFiles(_)
            | Message::ModelName(_)
            | Message::AddModel
            | Message::Added(_)
            | Message::Unadd
            | Message::RemoveModel(_)
            | Message::ModelRemoved(_) => return self.model_update(message, context),
            Message::Restart => return Action::Restart,
            Message::Copy(text) => return Action::Copy(text),
            Message::Nothing => {}
            other => return self.key_update(other, context),
        }
        Action::None
    }

    fn written(
        &mut self,
        result: Result<Offering, Reason>,
        context: &Context<'_>,
    ) -> Action<Message> {
        match result {
            Ok(known) => {
                self.known = Some(known);
                Action::None
            }
            Err(why) => self.failed(&why, context),
        }
    }

    fn failed(&self, why: &Reason, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        Action::Ask(Dialog {
            tone: Tone::Warning,
            icon: Icon::TriangleAlert,
            title: words::not_changed(lang).to_owned(),
            text: why.say(lang),
            details: Some(why.to_string()),
            actions: vec![(words::close(lang).to_owned(), Message::Nothing)],
        })
    }

    /// A key that nothing else took: Escape closes what is being filled in.
    pub fn key(&mut self, key: &Key) -> Action<Message> {
        if matches!(key, Key::Named(Named::Escape)) {
            self.editing = None;
            self.adding = None;
            self.paths.close();
        }
        Action::None
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let head = header(&context, words::title(lang), words::caption(lang), Vec::new(), None);
        let trouble =
            self.trouble.as_ref().map(|why| note(Icon::CircleX, why.as_str(), Tone::Danger));
        let pending = self.pending.then(|| self.pending_note(&context));
        let left = column![self.keep(&context), self.models_card(&context)].spacing(space::L);
        let right = column![self.key_card(&context)].push(self.limits(&context)).spacing(space::L);
        let below: Element<'a, Message> = match context.size.width >= 860.0 {
            true => {
                row![left.width(Length::Fill), right.width(Length::Fill)].spacing(space::L).into()
            }
            false => column![left, right].spacing(space::L).into(),
        };
        let all = Column::new()
            .push(trouble)
            .push(pending)
            .push(self.capabilities(&context))
            .push(below)
            .spacing(space::L);
        column![head, body(&context, scroll(all).height(Length::Fill))].into()
    }

    fn pending_note<'a>(&self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let own = context.backend.is_some_and(crate::backend::Backend::is_own);
        let restart = own.then(|| {
            button(words::restart(lang)).small().icon(Icon::RefreshCw).on_press(Message::Restart)
        });
        let line = row![
            Icon::Info.view(16.0).style(theme::primary_text),
            Role::Body.text(words::pending(lang)).width(Length::Fill),
        ]
        .push(restart)
        .spacing(space::M)
        .align_y(Alignment::Center);
        container(line).padding([space::S, space::M]).style(theme::note(Tone::Primary)).into()
    }

    fn capabilities<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let mut rows = column![head_row(words::capability(lang), "")];
        for (index, name) in potluck::services::ALL.iter().map(|recipe| recipe.name).enumerate() {
            if index > 0 {
                rows = rows.push(hr());
            }
            rows = rows.push(self.capability(name, context));
        }
        container(rows).padding(1).style(theme::card).into()
    }

    fn capability<'a>(&'a self, name: &'a str, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let (icon, title) = capability(lang, name);
        let wanted = self.wants(name, context);
        let offer = offered(name, context);
        let tone = if wanted && offer.is_some() { Tone::Primary } else { Tone::Neutral };
        let trouble = context.view.own.troubles.iter().find(|(named, _)| named == name);
        let said: Element<'a, Message> = match trouble.filter(|_| wanted) {
            Some((_, why)) => Role::Caption.text(why).style(theme::warning_text).into(),
            None => cut(stands(name, wanted, offer, lang), Role::Caption)
                .style(theme::muted)
                .fill()
                .into(),
        };
        let words_of = column![cut(title, Role::Strong).fill(), said].width(Length::Fill);
        let beside = (!context.is_narrow()).then(|| {
            let rate =
                offer.filter(|_| wanted).map_or_else(String::new, |offer| speed(offer, context));
            let rate = Role::Body.text(rate).style(theme::muted);
            row![self.whom(name, context), container(rate).align_right(RATE)]
                .align_y(Alignment::Center)
        });
        let line = row![tile(icon, 36.0, tone), words_of]
            .push(beside)
            .push(self.switch(name, wanted))
            .spacing(space::M)
            .align_y(Alignment::Center);
        container(line).padding([space::M, space::L]).into()
    }

    /// Who may use a capability.
    fn whom<'a>(&'a self, name: &'a str, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let Some(known) = &self.known else {
            let said = Role::Body.text(words::everyone(lang)).style(theme::muted);
            return container(said).width(WHOM).into();
        };
        // In the open mesh nobody is one, and who was meant before shows all the same.
        let members = known.private || known.allow.values().any(|who| *who == Allow::Members);
        let list = members && context.size.width < WHOM_LIST.1;
        let width = match (members, list) {
            (_, true) => WHOM_LIST.0,
            (true, false) => WHOM_MEMBERS,
            (false, false) => WHOM,
        };
        let now = match known.who(name) {
            Allow::Everyone => Who::Everyone,
            Allow::Members => Who::Members,
            Allow::Contacts => Who::Contacts,
            Allow::Nobody => Who::Nobody,
            Allow::Only(list) => {
                let said = Role::Body.text(words::listed(lang, list.len())).style(theme::muted);
                return container(said).width(width).into();
            }
        };
        let mut choices = vec![
            (Some(Icon::Globe), words::everyone(lang), Who::Everyone),
            (Some(Icon::Shield), words::members(lang), Who::Members),
            (Some(Icon::Users), words::contacts(lang), Who::Contacts),
            (Some(Icon::Lock), words::nobody(lang), Who::Nobody),
        ];
        choices.retain(|(.., who)| members || *who != Who::Members);
        let set = |who| Message::Set(NodeSetting::Allow(name.to_owned(), who));
        let choice = match list {
            true => {
                let named = |(_, words, who): (_, &str, _)| (words.to_owned(), who);
                pick(choices.into_iter().map(named).collect(), &now, width - space::L, set)
            }
            false => segment(&choices, now, false, set),
        };
        container(choice).width(width).into()
    }

    fn switch<'a>(&self, name: &str, wanted: bool) -> Element<'a, Message> {
        let known = self.known.is_some() && !self.changing.contains(name);
        switch(wanted, known.then(|| Message::Switch(name.to_owned(), !wanted)))
    }

    /// Whether a capability is meant to be offered; before the settings were read, what is.
    fn wants(&self, name: &str, context: &Context<'_>) -> bool {
        match &self.known {
            Some(known) => known.wants(name),
            None => offered(name, context).is_some(),
        }
    }
}

/// What the running node offers under a name.
fn offered<'a>(name: &str, context: &Context<'a>) -> Option<&'a Offered> {
    context.view.own.offers.iter().find(|offer| offer.capability == name)
}

/// What a capability is and how it stands, in one line.
fn stands(name: &str, wanted: bool, offer: Option<&Offered>, lang: Lang) -> String {
    let mut parts = vec![about(lang, name).to_owned()];
    match (wanted, offer) {
        (false, _) => parts.push(words::off(lang).to_owned()),
        (true, None) if name == FACEPP => parts.push(words::key_none(lang).to_owned()),
        (true, None) => return words::getting_ready(lang).to_owned(),
        (true, Some(offer)) => {
            parts.push(words::at_once(lang, offer.slots));
            parts.extend(offer.variants.first().cloned());
            if !offer.engine.is_empty() && name != FACEPP {
                parts.push(words::on_device(lang, &offer.engine, device(&offer.device)));
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("·")
}

/// Devices by the names that people know.
fn device(name: &str) -> &str {
    match name {
        "cpu" => "CPU",
        "cuda" => "GPU",
        other => other,
    }
}

/// What a capability is, in one line.
fn about(lang: Lang, name: &str) -> &'static str {
    match name.split('/').next().unwrap_or_default() {
        "recognize" => words::about_recognize(lang),
        "detect" => words::about_detect(lang),
        "ocr" => words::about_ocr(lang),
        "faces" => words::about_faces(lang),
        "analyze" => words::about_analyze(lang),
        "chat" => words::about_chat(lang),
        "facepp" => words::about_facepp(lang),
        _ => "",
    }
}

#[cfg(test)]
mod tests;
