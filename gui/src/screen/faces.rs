//! Faces: a picture with a box around every face, and a card for each. A picture goes to nodes of the
//! mesh alone, unless the person says that it may go to Face++.

mod boxes;
mod panel;
mod portrait;
mod stage;

use std::{path::PathBuf, time::Duration};

use iced::{
    Length, Task,
    keyboard::{Key, Modifiers, key::Named},
    widget::{Column, column, container, row, scrollable},
};

use super::{
    Action, Context, Dropped,
    asked::{self, Asked, State, Trouble},
    body, header,
    paths::{self, Next, Paths, Wants, What, told},
    sample_button,
};
use crate::{
    backend::{
        files::{self, Source, Unread},
        pictures::{self, Shown},
    },
    icon::Icon,
    theme::{Element, Tone, space},
    widget::{Dialog, Kind, Window, button, drop_field, empty, icon_button, scroll},
    words::{Lang, asking, faces as words, recognize},
};
pub use portrait::Found;

/// Pictures at once: each is kept as large as it is shown.
const MOST: usize = 24;
/// Columns and rows of a picture that is shown.
const LARGE: (u32, u32) = (1200, 900);
/// The side of a face on its card.
const FACE: u32 = 160;
/// For one picture.
const PATIENCE: Duration = Duration::from_secs(60);
/// The way through the cloud.
const CLOUD: &str = "facepp/1";

/// What this screen says of files and answers that do not fit it.
const WORDS: asked::Words = asked::Words {
    not_it: [words::not_a_picture, recognize::no_picture_hint],
    failed: words::failed,
    odd: words::another_size,
};

/// One picture.
type Portrait = Asked<Shown, Found>;

/// The state of the screen.
#[derive(Debug)]
pub struct Faces {
    portraits: Vec<Portrait>,
    next: u64,
    chosen: Option<u64>,
    /// The face that stands out.
    face: Option<usize>,
    boxes: bool,
    labels: bool,
    paths: Paths<Purpose>,
    window: Window,
}

impl Default for Faces {
    fn default() -> Self {
        Self {
            portraits: Vec::new(),
            next: 0,
            chosen: None,
            face: None,
            boxes: true,
            labels: true,
            paths: Paths::default(),
            window: Window::default(),
        }
    }
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A picture to look at.
    Open,
    /// Where the annotated copy goes.
    Save,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Files come or go.
    Paths(paths::Message<Purpose>),
    /// The bundled picture is to be tried.
    Sample,
    /// A picture was read.
    Read(u64, Result<Shown, Unread>),
    /// A picture was looked at.
    Answered(u64, Result<Found, Trouble>),
    /// One is to be tried again.
    Again(u64),
    /// Work on one ends.
    Stop(u64),
    /// One goes.
    Remove(u64),
    /// Another picture shows.
    Show(u64),
    /// The one before or after.
    Step(isize),
    /// A face stands out, or none.
    Face(Option<usize>),
    /// Boxes show or not.
    Boxes(bool),
    /// Labels show or not.
    Labels(bool),
    /// The person is asked whether the picture may go to Face++.
    AskCloud(u64),
    /// It may.
    Cloud(u64),
    /// It may not.
    Keep,
    /// The cards were scrolled.
    Scrolled(scrollable::Viewport),
    /// A text for the clipboard.
    Copy(String),
}

impl Faces {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Paths(message) => return self.files(message, context),
            Message::Sample => {
                let sample = potluck_models::face_sample();
                let name = sample.name.rsplit('/').next().unwrap_or(sample.name);
                let picture = (name.to_owned(), Source::Bytes(sample.bytes.into()));
                return self.add([picture], context);
            }
            Message::Read(id, read) => {
                if let Some(portrait) = self.portrait(id) {
                    portrait.was_read(read);
                }
                return self.go_on(context);
            }
            Message::Answered(id, found) => {
                if let Some(portrait) = self.portrait(id) {
                    portrait.answered(found);
                }
            }
            Message::Again(id) => {
                if let Some(portrait) = self.portrait(id) {
                    portrait.again();
                }
                return self.go_on(context);
            }
            Message::Stop(id) => {
                if let Some(portrait) = self.portrait(id) {
                    portrait.stop();
                }
            }
            Message::Remove(id) => self.remove(id),
            Message::Show(id) => (self.chosen, self.face) = (Some(id), None),
            Message::Step(step) => self.step(step),
            Message::Face(face) => self.face = face,
            Message::Boxes(on) => self.boxes = on,
            Message::Labels(on) => self.labels = on,
            Message::AskCloud(id) => return self.ask_cloud(id, context),
            Message::Cloud(id) => return self.look(id, true, context),
            Message::Keep => {}
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Copy(text) => return Action::Copy(text),
        }
        Action::None
    }

    /// The node is there: what waited for it goes on.
    pub fn ready(&mut self, context: &Context<'_>) -> Action<Message> {
        self.go_on(context)
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        let save = self.shown().and_then(Asked::answer).map(|_| Purpose::Save);
        if let Some(message) = paths::key(key, modifiers, Some(Purpose::Open), save) {
            return self.files(message, context);
        }
        match key {
            Key::Named(Named::Escape) => {
                self.paths.close();
                self.face = None;
            }
            Key::Named(Named::ArrowLeft) => self.step(-1),
            Key::Named(Named::ArrowRight) => self.step(1),
            Key::Named(Named::ArrowDown) => self.step_face(1),
            Key::Named(Named::ArrowUp) => self.step_face(-1),
            _ => {}
        }
        Action::None
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        let source = self.paths.dropped(dropped);
        self.add_sources(source, context)
    }

    fn portrait(&mut self, id: u64) -> Option<&mut Portrait> {
        self.portraits.iter_mut().find(|portrait| portrait.id == id)
    }

    /// The picture that shows.
    fn shown(&self) -> Option<&Portrait> {
        self.portraits.iter().find(|portrait| Some(portrait.id) == self.chosen)
    }

    fn files(
        &mut self,
        message: paths::Message<Purpose>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        let copy = self.shown().map(|portrait| copy_name(portrait, lang)).unwrap_or_default();
        match self.paths.update(message, |purpose| wants(purpose, &copy, lang), lang) {
            Next::Do(action) => action.map(Message::Paths),
            Next::Sources(sources) => self.add_sources(sources, context),
            Next::Paths { purpose: Purpose::Open, paths, .. } => {
                self.paths.close();
                self.add_sources(paths.into_iter().map(Source::File), context)
            }
            Next::Paths { purpose: Purpose::Save, paths, .. } => {
                paths.into_iter().next().map_or(Action::None, |path| self.save(path, lang))
            }
        }
    }

    fn add_sources(
        &mut self,
        sources: impl IntoIterator<Item = Source>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let pasted = asking::pasted_picture(context.lang);
        let named = sources.into_iter().map(|source| (source.name(pasted), source));
        self.add(named, context)
    }

    fn add(
        &mut self,
        pictures: impl IntoIterator<Item = (String, Source)>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        for (name, source) in pictures {
            if self.portraits.len() == MOST {
                let title = words::too_many(lang, MOST);
                return told(Tone::Warning, &title, words::too_many_hint(lang));
            }
            self.portraits.push(Portrait::new(self.next, name, source));
            (self.chosen, self.face) = (Some(self.next), None);
            self.next += 1;
        }
        self.go_on(context)
    }

    fn remove(&mut self, id: u64) {
        let at = self.portraits.iter().position(|portrait| portrait.id == id).unwrap_or_default();
        self.portraits.retain(|portrait| portrait.id != id);
        if self.chosen == Some(id) {
            let next = self.portraits.get(at).or(self.portraits.last());
            (self.chosen, self.face) = (next.map(|portrait| portrait.id), None);
        }
    }

    fn step(&mut self, step: isize) {
        let at = self.portraits.iter().position(|portrait| Some(portrait.id) == self.chosen);
        let next = at.and_then(|at| at.checked_add_signed(step));
        if let Some(portrait) = next.and_then(|next| self.portraits.get(next)) {
            (self.chosen, self.face) = (Some(portrait.id), None);
        }
    }

    fn step_face(&mut self, step: isize) {
        let count = self.shown().and_then(Asked::answer).map_or(0, |found| found.faces.len());
        let next = match self.face {
            None => Some(if step > 0 { 0 } else { count.saturating_sub(1) }),
            Some(at) => at.checked_add_signed(step),
        };
        self.face = next.filter(|next| *next < count).or(self.face);
    }

    /// Starts what may start.
    fn go_on(&mut self, context: &Context<'_>) -> Action<Message> {
        let mut tasks = Vec::new();
        for portrait in self.portraits.iter_mut().filter(|p| matches!(p.state, State::New)) {
            let (id, fit) = (portrait.id, pictures::Fit::Within(LARGE.0, LARGE.1));
            let read = pictures::read(portrait.source.clone(), fit);
            let task = Task::perform(read, move |read| Message::Read(id, read));
            tasks.push(portrait.start(State::Reading, task));
        }
        if let Some(backend) = context.backend {
            for portrait in self.portraits.iter_mut().filter(|p| matches!(p.state, State::Waiting))
            {
                tasks.extend(portrait::ask(portrait, backend, false));
            }
        }
        if tasks.is_empty() { Action::None } else { Action::Run(Task::batch(tasks)) }
    }

    fn look(&mut self, id: u64, cloud: bool, context: &Context<'_>) -> Action<Message> {
        let (Some(portrait), Some(backend)) = (self.portrait(id), context.backend) else {
            return Action::None;
        };
        portrait::ask(portrait, backend, cloud).map_or(Action::None, Action::Run)
    }

    /// Says plainly what would happen, before anything does.
    fn ask_cloud(&mut self, id: u64, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        let (Some(portrait), Some(who)) = (self.portrait(id), cloud_by(context)) else {
            return Action::None;
        };
        Action::Ask(Dialog {
            tone: Tone::Warning,
            icon: Icon::Globe,
            title: words::ask_title(lang).to_owned(),
            text: words::ask_text(lang, &portrait.name, &who),
            details: None,
            actions: vec![
                (words::keep_here(lang).to_owned(), Message::Keep),
                (words::send_it(lang).to_owned(), Message::Cloud(id)),
            ],
        })
    }

    fn save(&mut self, path: PathBuf, lang: Lang) -> Action<Message> {
        let Some(portrait) = self.shown() else { return Action::None };
        let Some(found) = portrait.answer() else { return Action::None };
        if portrait.source == Source::File(path.clone()) {
            return self.paths.wrong(Purpose::Save, words::not_itself(lang)).map(Message::Paths);
        }
        let (source, faces, to) = (portrait.source.clone(), found.faces.clone(), path.clone());
        let drawn = pictures::annotated(source, faces, lang, path);
        Action::Run(Task::perform(drawn, move |saved| {
            Message::Paths(paths::Message::Saved(Purpose::Save, to.clone(), saved))
        }))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let copy = self.shown().map(|portrait| copy_name(portrait, lang)).unwrap_or_default();
        let place = self.paths.view(|purpose| wants(purpose, &copy, lang), lang);
        let place = place.map(|place| place.map(Message::Paths));
        let Some(portrait) = self.shown() else {
            let content = Column::new().push(place).push(self.nothing(&context)).spacing(space::L);
            return column![self.head(&context), body(&context, content)].into();
        };
        if !context.has_panel() {
            let all = Column::new()
                .push(place)
                .push(self.stage(
                    portrait,
                    &context,
                    Some((context.size.height * 0.5).clamp(140.0, 320.0)),
                ))
                .push(self.panel_content(portrait, &context))
                .spacing(space::M);
            let all = scroll(all).height(Length::Fill);
            return column![self.head(&context), body(&context, all)].into();
        }
        let low = context.size.height < 640.0;
        let strip = (!low && self.portraits.len() > 1).then(|| self.strip(&context));
        let content = Column::new()
            .push(place)
            .push(self.stage(portrait, &context, None))
            .push(strip)
            .spacing(space::L);
        let main = column![self.head(&context), body(&context, content)].width(Length::Fill);
        let panel = container(self.panel(portrait, &context)).width(context.panel_width());
        row![main, panel].into()
    }

    fn nothing<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let over = self.paths.is_over();
        let drop = drop_field(words::drop_here(lang), words::choose(lang), over, choose);
        let hint = (context.size.height >= 400.0).then(|| {
            let hint = empty(Icon::ScanFace, words::empty(lang), words::empty_hint(lang));
            container(hint).height(260)
        });
        let sample = sample_button(lang, Message::Sample);
        Column::new().push(drop).push(hint).push(sample).spacing(space::L).into()
    }

    fn head<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let by_name = Some(Message::Paths(paths::Message::Type(Purpose::Open)));
        let by_name = icon_button(Icon::Type, asking::name_a_file(lang), by_name);
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let open: Element<'a, Message> = match context.is_narrow() {
            true => icon_button(Icon::Image, words::open(lang), Some(choose)),
            false => button(words::open(lang))
                .icon(Icon::Image)
                .kind(Kind::Primary)
                .on_press(choose)
                .into(),
        };
        // The panel takes its part of the width.
        let taken = self.shown().filter(|_| context.has_panel()).map(|_| context.panel_width());
        let width = context.size.width - taken.unwrap_or_default();
        let narrow = Context { size: iced::Size::new(width.max(672.0), 0.0), ..*context };
        let context = if context.is_narrow() { context } else { &narrow };
        header(context, words::title(lang), words::caption(lang), vec![by_name, open], None)
    }
}

/// Who would send a picture to Face++.
fn cloud_by(context: &Context<'_>) -> Option<String> {
    let offers =
        |offers: &[potluck::client::Offer]| offers.iter().any(|offer| offer.capability == CLOUD);
    if offers(&context.view.own.offers) {
        return Some(crate::words::mesh::this_node(context.lang).to_owned());
    }
    let peer = context.view.mesh.peers.values().find(|peer| offers(&peer.advert.offers));
    peer.map(|peer| peer.advert.name.clone())
}

/// How a copy is called.
fn copy_name(portrait: &Portrait, lang: Lang) -> String {
    let stem = std::path::Path::new(&portrait.name).file_stem().unwrap_or_default();
    let name = words::copy_name(lang, &stem.to_string_lossy());
    match &portrait.source {
        Source::File(path) => path.with_file_name(name).display().to_string(),
        Source::Bytes(_) => name,
    }
}

fn wants(purpose: Purpose, copy: &str, lang: Lang) -> Wants {
    match purpose {
        Purpose::Open => Wants {
            title: words::open(lang),
            go: asking::add(lang),
            name: String::new(),
            what: What::Files(files::PICTURES),
        },
        Purpose::Save => Wants {
            title: words::save_copy(lang),
            go: asking::save(lang),
            name: copy.to_owned(),
            what: What::Place,
        },
    }
}

#[cfg(test)]
mod tests;
