//! What runs the models, and which there are: added and removed here.

use std::{collections::BTreeSet, path::PathBuf};

use iced::{
    Alignment, Length, Task,
    widget::{Column, column, container, operation, row},
};
use potluck::say::Reason;

use super::{Message, Offer, device};
use crate::{
    backend::{
        files,
        models::{Files, Model},
    },
    figures,
    icon::Icon,
    screen::{
        Action, Context,
        mesh::capability,
        paths::{self, Next, Wants, What},
    },
    theme::{self, Element, Role, Tone, space},
    widget::{Dialog, Kind, badge, button, cut, field, hr, icon_button, note, tile},
    words::{Lang, asking, offer as words},
};

/// The name of the field for the name of a model.
pub const NAME: &str = "offer-model-name";
/// Endings of the files that a model is made of.
const ENDINGS: &[&str] = &["onnx", "toml", "txt"];

/// A model that is to be added.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adding {
    files: Files,
    name: String,
    /// It is being tried.
    busy: bool,
    wrong: Option<String>,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfModel;

impl Offer {
    pub(super) fn model_update(
        &mut self,
        message: Message,
        context: &Context<'_>,
    ) -> Action<Message> {
        match message {
            Message::Models(Ok(models)) => self.models = models,
            // The screen says at its top what cannot be read.
            Message::Models(Err(why)) => self.trouble = Some(why.say(context.lang)),
            Message::ModelFiles(message) => return self.model_files(message, context.lang),
            Message::ModelName(name) => {
                if let Some(adding) = &mut self.adding {
                    (adding.name, adding.wrong) = (name, None);
                }
            }
            Message::AddModel => return self.add_model(context),
            Message::Added(result) => self.added(result, context.lang),
            Message::Unadd => self.adding = None,
            Message::RemoveModel(name) => return ask_remove(name, context.lang),
            Message::ModelRemoved(name) => {
                let Some(backend) = context.backend else { return Action::None };
                self.pending = true;
                let removed = backend.clone().remove_model(name);
                return Action::Run(Task::perform(removed, Message::Models));
            }
            _ => {}
        }
        Action::None
    }

    fn model_files(&mut self, message: paths::Message<OfModel>, lang: Lang) -> Action<Message> {
        let next = self.paths.update(message, |OfModel| wants(lang), lang);
        let chosen: Vec<PathBuf> = match next {
            Next::Do(action) => return action.map(Message::ModelFiles),
            Next::Sources(_) => return Action::None,
            Next::Paths { paths, .. } => paths,
        };
        let Some(files) = Files::of(&chosen) else {
            let why = words::no_model_file(lang);
            return self.paths.wrong(OfModel, why).map(Message::ModelFiles);
        };
        self.paths.close();
        let name = files.name();
        self.adding = Some(Adding { files, name, ..Adding::default() });
        Action::Run(operation::focus(NAME))
    }

    fn add_model(&mut self, context: &Context<'_>) -> Action<Message> {
        let (Some(adding), Some(backend)) = (&mut self.adding, context.backend) else {
            return Action::None;
        };
        if adding.busy || adding.name.trim().is_empty() {
            return Action::None;
        }
        (adding.busy, adding.wrong) = (true, None);
        let added = backend.clone().add_model(adding.name.clone(), adding.files.clone());
        Action::Run(Task::perform(added, Message::Added))
    }

    fn added(&mut self, result: Result<Vec<Model>, Reason>, lang: Lang) {
        match (result, &mut self.adding) {
            (Ok(models), _) => {
                (self.models, self.adding) = (models, None);
                self.pending = true;
            }
            (Err(why), Some(adding)) => {
                (adding.busy, adding.wrong) = (false, Some(why.say(lang)));
            }
            (Err(_), None) => {}
        }
    }

    /// Engine and models of what this node offers.
    pub(super) fn models_card<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let offers = &context.view.own.offers;
        let engines: BTreeSet<_> = offers
            .iter()
            .filter(|offer| !offer.engine.is_empty() && offer.device != "remote")
            .map(|offer| words::on_device(lang, &offer.engine, device(&offer.device)))
            .collect();
        let slow = engines.iter().any(|engine| engine.starts_with("tract"));
        let said = match engines.is_empty() {
            true => words::engine_none(lang).to_owned(),
            false => engines.into_iter().collect::<Vec<_>>().join(", "),
        };
        let choose = Message::ModelFiles(paths::Message::Choose(OfModel));
        let by_name = Message::ModelFiles(paths::Message::Type(OfModel));
        let add = context.backend.is_some() || !self.models.is_empty();
        let head = row![
            tile(Icon::Cpu, 36.0, Tone::Neutral),
            column![
                Role::Heading.text(words::engine(lang)),
                cut(said, Role::Caption).style(theme::muted).fill(),
            ]
            .width(Length::Fill),
            icon_button(Icon::Type, asking::name_a_file(lang), add.then_some(by_name)),
            button(words::add_model(lang))
                .small()
                .icon(Icon::Plus)
                .on_press_maybe(add.then_some(choose)),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        let faster = (slow || self.installing.is_some()).then(|| self.faster(context));
        let place = self.paths.view(|OfModel| wants(lang), lang);
        let place = place.map(|place| place.map(Message::ModelFiles));
        let adding = self.adding.as_ref().map(|adding| adding_view(adding, lang));
        let top = Column::new().push(head).push(faster).push(place).push(adding).spacing(space::M);
        let mut rows = column![container(top).padding(space::L)];
        for model in &self.models {
            let line = model_row(model, context);
            rows = rows.push(hr()).push(container(line).padding([space::S, space::L]));
        }
        container(rows).padding(1).width(Length::Fill).style(theme::card).into()
    }
}

fn wants(lang: Lang) -> Wants {
    Wants {
        title: words::model_files(lang),
        go: words::take_file(lang),
        name: String::new(),
        what: What::Files(ENDINGS),
    }
}

/// One model: what it does, how large it is, whether it is in use.
fn model_row<'a>(model: &'a Model, context: &Context<'a>) -> Element<'a, Message> {
    let lang = context.lang;
    let of = if model.faces { "faces/1" } else { "recognize/1" };
    let (icon, task) = capability(lang, of);
    let offer = context.view.own.offers.iter().find(|offer| offer.capability == of);
    let at = offer.and_then(|offer| offer.variants.iter().position(|name| *name == model.name));
    let state = match at {
        Some(0) => Some(badge(Some(Icon::Check), words::in_use(lang), Tone::Success)),
        Some(_) => Some(badge(None, words::ready(lang), Tone::Neutral)),
        None => None,
    };
    let facts = format!("{task}·{}·{}", figures::size(model.bytes), model.licence);
    let remove = (!model.bundled).then(|| {
        let message = Message::RemoveModel(model.name.clone());
        icon_button(Icon::Trash, words::remove_model(lang), Some(message))
    });
    row![
        icon.view(16.0).style(theme::muted),
        column![
            cut(model.name.as_str(), Role::Body).fill(),
            cut(facts, Role::Caption).style(theme::muted).fill(),
        ]
        .width(Length::Fill),
    ]
    .push(state)
    .push(remove)
    .spacing(space::M)
    .align_y(Alignment::Center)
    .into()
}

/// What was chosen, the name, and what is wrong with it.
fn adding_view<'a>(adding: &'a Adding, lang: Lang) -> Element<'a, Message> {
    let Files { onnx, manifest, labels } = &adding.files;
    let all = [Some(onnx), manifest.as_ref(), labels.as_ref()].into_iter().flatten();
    let names: Vec<_> = all.map(|path| files::name_of(path)).collect();
    let ready = (!adding.busy && !adding.name.trim().is_empty()).then_some(Message::AddModel);
    let input = field(
        words::model_name(lang),
        &adding.name,
        None,
        Role::Body,
        NAME,
        Message::ModelName,
        ready.clone(),
    );
    let wrong = adding.wrong.as_deref().map(|why| note(Icon::TriangleAlert, why, Tone::Warning));
    let trying =
        adding.busy.then(|| Role::Caption.text(words::trying_model(lang)).style(theme::muted));
    let buttons = row![
        button(words::add_it(lang)).kind(Kind::Primary).on_press_maybe(ready),
        button(words::cancel(lang)).kind(Kind::Quiet).on_press(Message::Unadd),
    ]
    .spacing(space::S);
    Column::new()
        .push(cut(names.join(", "), Role::Caption).style(theme::muted).fill())
        .push(
            column![Role::Caption.text(words::model_name(lang)).style(theme::muted), input]
                .spacing(space::XS),
        )
        .push(wrong)
        .push(trying)
        .push(buttons)
        .spacing(space::S)
        .into()
}

fn ask_remove(name: String, lang: Lang) -> Action<Message> {
    Action::Ask(Dialog {
        tone: Tone::Danger,
        icon: Icon::Trash,
        title: words::remove_model_title(lang, &name),
        text: words::remove_model_text(lang).to_owned(),
        details: None,
        actions: vec![
            (words::keep_it(lang).to_owned(), Message::Nothing),
            (words::remove(lang).to_owned(), Message::ModelRemoved(name)),
        ],
    })
}
