//! Recognize: pictures in, labels out. A grid that fills as answers stream in, several in flight.

mod card;
mod table;

use std::{collections::BTreeSet, path::PathBuf};

use iced::{
    Alignment, Length, Task,
    keyboard::{Key, Modifiers, key::Named},
    widget::{Column, Row, Space, column, container, row, scrollable},
};
use potluck::{
    client::CallFailure,
    services::recognize::{Request, Response, name},
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
        Ask, Heard,
        files::{self, Source, Unread},
        pictures::{self, Fit, Shown},
    },
    icon::Icon,
    theme::{self, Element, Role, Tone, space},
    widget::{Kind, Window, bar, button, cut, drop_field, empty, icon_button, key, list, pick},
    words::{Lang, asking, recognize as words},
};

/// Calls in flight: enough to keep several nodes busy.
const FLIGHT: usize = 12;
/// Pictures that are read at once.
const READING: usize = 2;
/// Pictures at once: each keeps its small copy.
const MOST: usize = 1000;
/// Labels of a picture.
const TOP: u16 = 5;
/// For one picture.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// Columns and rows of a small copy.
const SMALL: (u32, u32) = (446, 208);
/// A card and the gap beside it are at least as wide.
const CARD: f32 = 250.0;

/// What this screen says of files and answers that do not fit it.
const WORDS: asked::Words = asked::Words {
    not_it: [words::no_picture, words::no_picture_hint],
    failed: words::is_failed,
    odd: asking::peer_failed,
};

/// One picture.
type Shot = Asked<Shown, Heard<Response>>;

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Recognize {
    shots: Vec<Shot>,
    next: u64,
    model: Option<String>,
    window: Window,
    paths: Paths<Purpose>,
}

/// What a path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A picture to look at.
    Open,
    /// Where the labels go.
    Save,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// Files come or go.
    Paths(paths::Message<Purpose>),
    /// The bundled pictures are to be tried.
    Sample,
    /// A picture was read.
    Read(u64, Result<Shown, Unread>),
    /// A picture was looked at.
    Answered(u64, Result<Heard<Response>, CallFailure>),
    /// One is to be tried again.
    Again(u64),
    /// All that failed are.
    AllAgain,
    /// One goes.
    Remove(u64),
    /// All go.
    Clear,
    /// What runs ends.
    Stop,
    /// Which model; `None` leaves it to the node.
    Model(Option<String>),
    /// The grid was scrolled.
    Scrolled(scrollable::Viewport),
    /// What is known of one goes to the clipboard.
    Copy(u64),
}

impl Recognize {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Paths(message) => return self.files(message, context),
            Message::Sample => {
                let all = potluck_models::samples().iter();
                let shots = all.map(|sample| (sample.name, Source::Bytes(sample.bytes.into())));
                return self.add(shots, context);
            }
            Message::Read(id, read) => {
                if let Some(shot) = self.shot(id) {
                    shot.was_read(read);
                }
                return self.go_on(context);
            }
            Message::Answered(id, heard) => {
                if let Some(shot) = self.shot(id) {
                    shot.answered(heard.map_err(Trouble::Mesh));
                }
                return self.go_on(context);
            }
            Message::Again(id) => {
                if let Some(shot) = self.shot(id) {
                    shot.again();
                }
                return self.go_on(context);
            }
            Message::AllAgain => {
                self.shots.iter_mut().filter(|shot| shot.may_again()).for_each(Shot::again);
                return self.go_on(context);
            }
            Message::Remove(id) => {
                self.shots.retain(|shot| shot.id != id);
                return self.go_on(context);
            }
            Message::Clear => self.shots.clear(),
            Message::Stop => self.shots.iter_mut().for_each(Shot::stop),
            Message::Model(model) => {
                self.model = model;
            }
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Copy(id) => {
                if let Some(shot) = self.shot(id) {
                    return Action::Copy(in_words(shot, context.lang));
                }
            }
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
        if *key == Key::Named(Named::Escape) {
            self.paths.close();
        }
        let save = self.has_answers().then_some(Purpose::Save);
        match paths::key(key, modifiers, Some(Purpose::Open), save) {
            Some(message) => self.files(message, context),
            None => Action::None,
        }
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        let source = self.paths.dropped(dropped);
        self.add_sources(source, context)
    }

    fn shot(&mut self, id: u64) -> Option<&mut Shot> {
        self.shots.iter_mut().find(|shot| shot.id == id)
    }

    fn has_answers(&self) -> bool {
        self.shots.iter().any(|shot| matches!(shot.state, State::Done(_)))
    }

    fn files(
        &mut self,
        message: paths::Message<Purpose>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        match self.paths.update(message, |purpose| wants(purpose, lang), lang) {
            Next::Do(action) => action.map(Message::Paths),
            Next::Sources(sources) => self.add_sources(sources, context),
            Next::Paths { purpose: Purpose::Open, paths, .. } => {
                self.add_sources(paths.into_iter().map(Source::File), context)
            }
            Next::Paths { purpose: Purpose::Save, paths, .. } => {
                paths.into_iter().next().map_or(Action::None, |path| self.save(path))
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
        pictures: impl IntoIterator<Item = (impl Into<String>, Source)>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        for (name, source) in pictures {
            if self.shots.len() == MOST {
                let title = words::too_many(lang, MOST);
                return told(Tone::Warning, &title, words::too_many_hint(lang));
            }
            self.shots.push(Shot::new(self.next, name.into(), source));
            self.next += 1;
        }
        self.go_on(context)
    }

    /// Starts what may start.
    fn go_on(&mut self, context: &Context<'_>) -> Action<Message> {
        let mut tasks = Vec::new();
        let under_way = |shots: &[Shot], state: fn(&State<_>) -> bool| {
            shots.iter().filter(|s| state(&s.state)).count()
        };
        let reading = under_way(&self.shots, |state| matches!(state, State::Reading));
        let new = self.shots.iter_mut().filter(|shot| matches!(shot.state, State::New));
        for shot in new.take(READING.saturating_sub(reading)) {
            let (id, fit) = (shot.id, Fit::Cover(SMALL.0, SMALL.1));
            let read = pictures::read(shot.source.clone(), fit);
            let task = Task::perform(read, move |read| Message::Read(id, read));
            tasks.push(shot.start(State::Reading, task));
        }
        let running = under_way(&self.shots, |state| matches!(state, State::Running));
        let waiting = self.shots.iter_mut().filter(|shot| matches!(shot.state, State::Waiting));
        for shot in waiting.take(FLIGHT.saturating_sub(running)) {
            let Some(backend) = context.backend else { break };
            let ask = Ask {
                capability: "recognize/1",
                variant: self.model.clone(),
                request: Request { model: self.model.clone(), top: TOP },
                input: shot.source.input(),
                timeout: PATIENCE,
            };
            let id = shot.id;
            let task =
                Task::perform(backend.clone().ask(ask), move |heard| Message::Answered(id, heard));
            tasks.push(shot.start(State::Running, task));
        }
        if tasks.is_empty() { Action::None } else { Action::Run(Task::batch(tasks)) }
    }

    fn save(&self, path: PathBuf) -> Action<Message> {
        let bytes = table::of(&self.shots);
        let to = path.clone();
        Action::Run(Task::perform(files::write(path, bytes), move |saved| {
            Message::Paths(paths::Message::Saved(Purpose::Save, to.clone(), saved))
        }))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let place = self.paths.view(|purpose| wants(purpose, lang), lang);
        let place = place.map(|place| place.map(Message::Paths));
        // A low window shows one thing at a time.
        let alone = place.is_some() && context.size.height < 400.0;
        let content: Element<'a, Message> = match self.shots.is_empty() {
            _ if alone => Space::new().into(),
            true => self.nothing(&context),
            false => self.grid(&context),
        };
        let status = (!self.shots.is_empty() && place.is_none()).then(|| self.status(&context));
        let content = Column::new().push(place).push(status).push(content).spacing(space::L);
        column![self.head(&context), body(&context, content)].into()
    }

    fn head<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let mut controls: Vec<Element<'a, Message>> = Vec::new();
        let choose = |purpose| Message::Paths(paths::Message::Choose(purpose));
        let save = self.has_answers().then(|| choose(Purpose::Save));
        if context.is_narrow() {
            let by_name = Some(Message::Paths(paths::Message::Type(Purpose::Open)));
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), by_name));
            controls.push(icon_button(Icon::Download, words::save_csv(lang), save));
            let add = words::add_pictures(lang);
            controls.push(icon_button(Icon::Plus, add, Some(choose(Purpose::Open))));
        } else {
            controls.extend(self.models(context));
            let by_name = Some(Message::Paths(paths::Message::Type(Purpose::Open)));
            controls.push(icon_button(Icon::Type, asking::name_a_file(lang), by_name));
            let save = button(words::save_csv(lang)).icon(Icon::Download).on_press_maybe(save);
            controls.push(save.into());
            let add = button(words::add_pictures(lang)).icon(Icon::Plus).kind(Kind::Primary);
            controls.push(add.on_press(choose(Purpose::Open)).into());
        }
        header(context, words::title(lang), words::caption(lang), controls, None)
    }

    /// Which model, where somebody offers more than one.
    fn models<'a>(&'a self, context: &Context<'a>) -> Option<Element<'a, Message>> {
        let peers = context.view.mesh.peers.values().flat_map(|peer| &peer.advert.offers);
        let offers = peers.chain(&context.view.own.offers);
        let names: BTreeSet<&str> = offers
            .filter(|offer| offer.capability == "recognize/1")
            .flat_map(|offer| offer.variants.iter().map(String::as_str))
            .collect();
        if names.len() < 2 || context.size.width < 720.0 {
            return None;
        }
        let any = (words::any_model(context.lang).to_owned(), None);
        let models = names.into_iter().map(|name| (name.to_owned(), Some(name.to_owned())));
        let options = std::iter::once(any).chain(models).collect();
        Some(pick(options, &self.model, 188.0, Message::Model))
    }

    fn nothing<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let over = self.paths.is_over();
        let drop = drop_field(words::drop_here(lang), words::choose(lang), over, choose);
        let roomy = context.size.height >= 400.0;
        let hint = roomy.then(|| {
            let hint = empty(Icon::ScanSearch, words::empty(lang), words::empty_hint(lang));
            container(hint).height(260)
        });
        let sample = sample_button(lang, Message::Sample);
        Column::new().push(drop).push(hint).push(sample).spacing(space::L).into()
    }

    /// How far it is, and what can be done about all of them.
    fn status<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let count = |of: fn(&State<_>) -> bool| self.shots.iter().filter(|s| of(&s.state)).count();
        let running = count(|state| matches!(state, State::Running));
        let waiting = count(|state| matches!(state, State::New | State::Reading | State::Waiting));
        let failed = count(|state| matches!(state, State::Failed(_)));
        let ended = self.shots.len() - running - waiting;
        let mut said = Vec::new();
        for (count, words) in [
            (running, words::running(lang, running)),
            (waiting, words::waiting(lang, waiting)),
            (failed, words::failed(lang, failed)),
        ] {
            if count > 0 {
                said.push(words);
            }
        }
        let said = if said.is_empty() { words::all_fine(lang).to_owned() } else { said.join("·") };
        let share = ended as f32 / self.shots.len() as f32;
        let narrow = context.is_narrow();
        let progress = (!narrow && running + waiting > 0)
            .then(|| container(bar(share, Tone::Primary, 6.0)).width(160));
        let hint = (context.size.width >= 940.0).then(|| {
            row![Role::Caption.text(words::or_drop_here(lang)).style(theme::muted), key("Ctrl V")]
                .spacing(space::XS)
                .align_y(Alignment::Center)
        });
        let again = self.shots.iter().any(Shot::may_again) && running + waiting == 0;
        let again = again.then(|| {
            let words = words::try_all_again(lang);
            button(words)
                .icon(Icon::RefreshCw)
                .kind(Kind::Quiet)
                .small()
                .on_press(Message::AllAgain)
        });
        let end = match running + waiting {
            0 => button(asking::clear(lang)).icon(Icon::Trash).on_press(Message::Clear),
            _ => button(asking::stop(lang)).icon(Icon::X).on_press(Message::Stop),
        };
        let done = words::done_of(lang, ended, self.shots.len());
        let line = Row::new()
            .push(Role::Strong.text(done).wrapping(iced::widget::text::Wrapping::None))
            .push(progress)
            .push(cut(said, Role::Body).style(theme::muted).fill())
            .push(hint)
            .push(again)
            .push(end.kind(Kind::Quiet).small())
            .spacing(space::L)
            .align_y(Alignment::Center);
        let over = self.paths.is_over();
        container(line)
            .center_y(if narrow { 40 } else { 48 })
            .padding([0.0, space::L])
            .style(move |theme: &theme::Theme| match over {
                true => theme::drop(true)(theme),
                false => theme::card(theme),
            })
            .into()
    }

    fn grid<'a>(&'a self, context: &Context<'_>) -> Element<'a, Message> {
        let lang = context.lang;
        let side = if context.is_narrow() { space::M } else { space::XL };
        // Room is left for the scrollbar, so that nothing moves when it shows.
        let width = context.size.width - 2.0 * side - 12.0;
        let columns = (((width + space::L) / CARD) as usize).max(1);
        let card = (width + space::L) / columns as f32 - space::L;
        let picture = ((card - 16.0) * SMALL.1 as f32 / SMALL.0 as f32).floor();
        // In a low window the labels show without scrolling.
        let picture = picture.min((context.size.height * 0.25).max(56.0));
        let height = picture + card::BELOW;
        let rows = self.shots.len().div_ceil(columns);
        let waits = context.backend.is_none();
        let build = move |index: usize| -> Element<'a, Message> {
            let cards = (0..columns).map(|column| -> Element<'a, Message> {
                let Some(shot) = self.shots.get(index * columns + column) else {
                    return Space::new().width(Length::FillPortion(1)).into();
                };
                let shown = card::view(shot, picture, waits, lang);
                container(shown).width(Length::FillPortion(1)).height(height).into()
            });
            Row::with_children(cards).spacing(space::L).width(width).into()
        };
        list("recognize-grid", rows, height + space::L, self.window, build, Message::Scrolled)
    }
}

fn wants(purpose: Purpose, lang: Lang) -> Wants {
    match purpose {
        Purpose::Open => Wants {
            title: words::add_pictures(lang),
            go: asking::add(lang),
            name: String::new(),
            what: What::Files(files::PICTURES),
        },
        Purpose::Save => Wants {
            title: words::save_csv(lang),
            go: asking::save(lang),
            name: words::file_name(lang).to_owned(),
            what: What::Place,
        },
    }
}

/// What is known of a picture, for the clipboard.
fn in_words(shot: &Shot, lang: Lang) -> String {
    match &shot.state {
        State::Done(heard) => {
            let labels = heard.response.labels.iter();
            let lines: Vec<String> = labels
                .map(|label| format!("{}\t{:.1}%", name(label, lang), label.probability * 100.0))
                .collect();
            format!("{}\n{}", shot.name, lines.join("\n"))
        }
        State::Failed(Trouble::Mesh(failure)) => {
            format!("{}\n{}", shot.name, asking::details(failure))
        }
        State::Failed(Trouble::File(why)) => format!("{}\n{why}", shot.name),
        _ => shot.name.clone(),
    }
}

#[cfg(test)]
mod tests;
