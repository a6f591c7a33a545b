//! Faces: a picture with a box around every face, and a card for each. A picture goes to nodes of the
//! mesh alone, unless the person says that it may go to Face++.

mod boxes;
mod panel;
mod portrait;
mod stage;

use std::{path::PathBuf, time::Duration};

use super::{Action, Context, Dropped, body, header};
use crate::{
    backend::{
        files::{self, Chosen, Source},
        pictures::{self, Shown, Unshown},
    },
    icon::Icon,
    theme::{Element, Tone, space},
    widget::{
        Dialog, Kind, PLACE, Place, Toast, Window, button, drop_field, empty, icon_button, scroll,
    },
    words::{Lang, asking, faces as words},
};
use iced::{
    Length, Task,
    keyboard::{Key, Modifiers, key::Named},
    widget::{Column, column, container, row, scrollable},
};
pub use portrait::{Found, NotFound};
use portrait::{Portrait, State};
use potluck::say::Reason;

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
    over: bool,
    place: Option<(Purpose, Place)>,
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
            over: false,
            place: None,
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
    /// Pictures are to be chosen.
    Choose,
    /// They were.
    Chosen(Chosen),
    /// What the clipboard held.
    Pasted(Vec<Source>),
    /// The card for a path opens or closes.
    Place(Option<Purpose>),
    /// Something was typed into it.
    Typed(String),
    /// What was typed is to be used.
    Use,
    /// A picture was read.
    Read(u64, Result<Shown, Unshown>),
    /// A picture was looked at.
    Answered(u64, Result<Found, NotFound>),
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
    /// The annotated copy is to be saved.
    Save,
    /// A place for it was chosen.
    SaveTo(Chosen),
    /// It was saved.
    Saved(PathBuf, Result<PathBuf, Reason>),
    /// The cards were scrolled.
    Scrolled(scrollable::Viewport),
    /// A text for the clipboard.
    Copy(String),
}

impl Faces {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        match message {
            Message::Choose => return choose(lang),
            Message::Chosen(Chosen::Paths(paths)) => {
                self.place = None;
                return self.add(paths.into_iter().map(Source::File), context);
            }
            Message::Chosen(Chosen::NoDialog) => return self.no_dialog(Purpose::Open, lang),
            Message::Chosen(Chosen::Nothing) | Message::SaveTo(Chosen::Nothing) => {}
            Message::Pasted(sources) if sources.is_empty() => {
                let hint = asking::nothing_pasted_hint(lang);
                return told(Tone::Warning, asking::nothing_pasted(lang), hint);
            }
            Message::Pasted(sources) => return self.add(sources, context),
            Message::Place(Some(purpose)) => return self.open_place(purpose, lang),
            Message::Place(None) => self.place = None,
            Message::Typed(text) => {
                if let Some((_, place)) = &mut self.place {
                    *place = Place { text, wrong: None };
                }
            }
            Message::Use => return self.use_place(context),
            Message::Read(id, read) => {
                if let Some(portrait) = self.portrait(id) {
                    portrait.read(read);
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
            Message::Save => {
                let Some(name) = self.shown().map(|portrait| copy_name(portrait, lang)) else {
                    return Action::None;
                };
                let place = files::place(words::save_copy(lang), name);
                return Action::Run(Task::perform(place, Message::SaveTo));
            }
            Message::SaveTo(Chosen::NoDialog) => return self.no_dialog(Purpose::Save, lang),
            Message::SaveTo(Chosen::Paths(paths)) => {
                return paths.into_iter().next().map_or(Action::None, |path| self.save(path, lang));
            }
            Message::Saved(_, Ok(path)) => {
                self.place = None;
                let path = path.display().to_string();
                return told(Tone::Success, &asking::saved_as(lang, &path), "");
            }
            Message::Saved(path, Err(why)) => {
                let title = asking::unsaved(lang, &path.display().to_string());
                match &mut self.place {
                    Some((Purpose::Save, place)) => {
                        place.wrong = Some(format!("{title}: {}", why.say(lang)))
                    }
                    _ => return told(Tone::Danger, &title, &why.say(lang)),
                }
            }
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
        match key {
            Key::Named(Named::Escape) => (self.place, self.face) = (None, None),
            Key::Named(Named::ArrowLeft) => self.step(-1),
            Key::Named(Named::ArrowRight) => self.step(1),
            Key::Named(Named::ArrowDown) => self.step_face(1),
            Key::Named(Named::ArrowUp) => self.step_face(-1),
            Key::Character(letter) if modifiers.command() => match letter.as_str() {
                "o" | "O" => return choose(context.lang),
                "v" | "V" => return Action::Run(Task::perform(files::pasted(), Message::Pasted)),
                "s" | "S" => return self.update(Message::Save, context),
                _ => {}
            },
            _ => {}
        }
        Action::None
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        self.over = matches!(dropped, Dropped::Over);
        match dropped {
            Dropped::File(path) => self.add([Source::File(path.clone())], context),
            Dropped::Over | Dropped::Left => Action::None,
        }
    }

    fn portrait(&mut self, id: u64) -> Option<&mut Portrait> {
        self.portraits.iter_mut().find(|portrait| portrait.id == id)
    }

    /// The picture that shows.
    fn shown(&self) -> Option<&Portrait> {
        self.portraits.iter().find(|portrait| Some(portrait.id) == self.chosen)
    }

    fn add(
        &mut self,
        sources: impl IntoIterator<Item = Source>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        for source in sources {
            if self.portraits.len() == MOST {
                let title = words::too_many(lang, MOST);
                return told(Tone::Warning, &title, words::too_many_hint(lang));
            }
            let name = source.name(asking::pasted_picture(lang));
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
        let count = self.shown().and_then(Portrait::found).map_or(0, |found| found.faces.len());
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
                tasks.extend(portrait.ask(backend, false));
            }
        }
        if tasks.is_empty() { Action::None } else { Action::Run(Task::batch(tasks)) }
    }

    fn look(&mut self, id: u64, cloud: bool, context: &Context<'_>) -> Action<Message> {
        let (Some(portrait), Some(backend)) = (self.portrait(id), context.backend) else {
            return Action::None;
        };
        portrait.ask(backend, cloud).map_or(Action::None, Action::Run)
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

    fn open_place(&mut self, purpose: Purpose, lang: Lang) -> Action<Message> {
        let text = match (purpose, self.shown()) {
            (Purpose::Save, Some(portrait)) => copy_name(portrait, lang),
            _ => String::new(),
        };
        self.place = Some((purpose, Place { text, wrong: None }));
        Action::Run(iced::widget::operation::focus(PLACE))
    }

    fn no_dialog(&mut self, purpose: Purpose, lang: Lang) -> Action<Message> {
        let focus = self.open_place(purpose, lang);
        if let Some((_, place)) = &mut self.place {
            place.wrong = Some(asking::no_dialogs(lang).to_owned());
        }
        focus
    }

    fn use_place(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some((purpose, place)) = &mut self.place else { return Action::None };
        let Some(path) = files::typed(&place.text) else { return Action::None };
        match purpose {
            Purpose::Save => self.save(path, context.lang),
            Purpose::Open => {
                self.place = None;
                self.add([Source::File(path)], context)
            }
        }
    }

    fn save(&mut self, path: PathBuf, lang: Lang) -> Action<Message> {
        let Some(portrait) = self.shown() else { return Action::None };
        let Some(found) = portrait.found() else { return Action::None };
        if portrait.source == Source::File(path.clone()) {
            let said = words::not_itself(lang);
            match &mut self.place {
                Some((Purpose::Save, place)) => place.wrong = Some(said.to_owned()),
                _ => return told(Tone::Warning, said, ""),
            }
            return Action::None;
        }
        let (source, faces, to) = (portrait.source.clone(), found.faces.clone(), path.clone());
        let drawn = pictures::annotated(source, faces, lang, path);
        Action::Run(Task::perform(drawn, move |saved| Message::Saved(to.clone(), saved)))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let place = self.place.as_ref().map(|(purpose, place)| {
            let (title, go, browse) = match purpose {
                Purpose::Open => (words::open(lang), asking::add(lang), Message::Choose),
                Purpose::Save => (words::save_copy(lang), asking::save(lang), Message::Save),
            };
            place.view(
                lang,
                title,
                go,
                Message::Typed,
                [browse, Message::Use, Message::Place(None)],
            )
        });
        let Some(portrait) = self.shown() else {
            let drop =
                drop_field(words::drop_here(lang), words::choose(lang), self.over, Message::Choose);
            let hint = empty(Icon::ScanFace, words::empty(lang), words::empty_hint(lang));
            let hint = (context.size.height >= 400.0).then_some(hint);
            let content = Column::new().push(place).push(drop).push(hint).spacing(space::L);
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

    fn head<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let by_name = Some(Message::Place(Some(Purpose::Open)));
        let by_name = icon_button(Icon::Type, asking::name_a_file(lang), by_name);
        let open: Element<'a, Message> = match context.is_narrow() {
            true => icon_button(Icon::Image, words::open(lang), Some(Message::Choose)),
            false => button(words::open(lang))
                .icon(Icon::Image)
                .kind(Kind::Primary)
                .on_press(Message::Choose)
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

fn choose(lang: Lang) -> Action<Message> {
    let chosen = files::choose(words::open(lang), files::PICTURES);
    Action::Run(Task::perform(chosen, Message::Chosen))
}

fn told(tone: Tone, title: &str, text: &str) -> Action<Message> {
    let icon = match tone {
        Tone::Success => Icon::CircleCheck,
        _ => Icon::TriangleAlert,
    };
    let (title, text) = (title.to_owned(), text.to_owned());
    Action::Tell(Toast { tone, icon, title, text, action: None })
}

#[cfg(test)]
mod tests;
