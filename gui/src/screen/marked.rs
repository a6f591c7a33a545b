//! Pictures on which something is marked: things with names, or lines of text. Two screens that differ in what they ask
//! and say ([`Which`]): the picture with what was found around which it was found, and a list beside it.

mod boxes;
mod found;
mod panel;
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
    widget::{Kind, Window, button, drop_field, empty, icon_button, scroll},
    words::{Lang, asking, faces as common, marked as words, recognize},
};
pub use found::{Found, Items};

/// Pictures at once: each is kept as large as it is shown.
const MOST: usize = 24;
/// Columns and rows of a picture that is shown.
const LARGE: (u32, u32) = (1200, 900);
/// For one picture.
const PATIENCE: Duration = Duration::from_secs(60);

/// What this screen says of files and answers that do not fit it.
const WORDS: asked::Words = asked::Words {
    not_it: [common::not_a_picture, recognize::no_picture_hint],
    failed: common::failed,
    odd: common::another_size,
};

/// One picture.
type Piece = Asked<Shown, Found>;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Things, by `detect/1`.
    Things,
    /// Lines of text, by `ocr/1`.
    Text,
}

/// The state of a screen.
#[derive(Debug)]
pub struct Marked {
    which: Which,
    pieces: Vec<Piece>,
    next: u64,
    chosen: Option<u64>,
    /// What stands out.
    item: Option<usize>,
    boxes: bool,
    paths: Paths<Purpose>,
    window: Window,
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
    /// Something that was found stands out, or nothing.
    Item(Option<usize>),
    /// Boxes show or not.
    Boxes(bool),
    /// The list was scrolled.
    Scrolled(scrollable::Viewport),
    /// A text for the clipboard.
    Copy(String),
}

impl Which {
    /// Its icon.
    pub fn icon(self) -> Icon {
        match self {
            Self::Things => Icon::Eye,
            Self::Text => Icon::ScanText,
        }
    }

    /// What the screen is called.
    pub fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Things => words::things_title(lang),
            Self::Text => words::text_title(lang),
        }
    }

    fn caption(self, lang: Lang) -> &'static str {
        match self {
            Self::Things => words::things_caption(lang),
            Self::Text => words::text_caption(lang),
        }
    }

    fn empty(self, lang: Lang) -> [&'static str; 2] {
        match self {
            Self::Things => [words::things_empty(lang), words::things_empty_hint(lang)],
            Self::Text => [words::text_empty(lang), words::text_empty_hint(lang)],
        }
    }

    fn looking(self, lang: Lang) -> &'static str {
        match self {
            Self::Things => words::things_looking(lang),
            Self::Text => words::text_looking(lang),
        }
    }

    fn nothing(self, lang: Lang) -> [&'static str; 2] {
        match self {
            Self::Things => [words::things_none(lang), words::things_none_hint(lang)],
            Self::Text => [words::text_none(lang), words::text_none_hint(lang)],
        }
    }

    fn counted(self, lang: Lang, count: usize) -> String {
        match (self, count) {
            (_, 0) => self.nothing(lang)[0].to_owned(),
            (Self::Things, 1) => words::things_one(lang).to_owned(),
            (Self::Things, _) => words::things_count(lang, count),
            (Self::Text, 1) => words::text_one(lang).to_owned(),
            (Self::Text, _) => words::text_count(lang, count),
        }
    }

    fn guesses(self, lang: Lang) -> &'static str {
        match self {
            Self::Things => words::things_guesses(lang),
            Self::Text => words::text_guesses(lang),
        }
    }

    fn copy_name(self, lang: Lang, stem: &str) -> String {
        match self {
            Self::Things => words::things_copy_name(lang, stem),
            Self::Text => words::text_copy_name(lang, stem),
        }
    }

    fn sample(self) -> potluck_models::Sample {
        match self {
            Self::Things => potluck_models::things_sample(),
            Self::Text => potluck_models::text_sample(),
        }
    }
}

impl Marked {
    /// An empty screen.
    pub fn new(which: Which) -> Self {
        Self {
            which,
            pieces: Vec::new(),
            next: 0,
            chosen: None,
            item: None,
            boxes: true,
            paths: Paths::default(),
            window: Window::default(),
        }
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Paths(message) => return self.files(message, context),
            Message::Sample => {
                let sample = self.which.sample();
                let name = sample.name.rsplit('/').next().unwrap_or(sample.name);
                let picture = (name.to_owned(), Source::Bytes(sample.bytes.into()));
                return self.add([picture], context);
            }
            Message::Read(id, read) => {
                if let Some(piece) = self.piece(id) {
                    piece.was_read(read);
                }
                return self.go_on(context);
            }
            Message::Answered(id, found) => {
                if let Some(piece) = self.piece(id) {
                    piece.answered(found);
                }
            }
            Message::Again(id) => {
                if let Some(piece) = self.piece(id) {
                    piece.again();
                }
                return self.go_on(context);
            }
            Message::Stop(id) => {
                if let Some(piece) = self.piece(id) {
                    piece.stop();
                }
            }
            Message::Remove(id) => self.remove(id),
            Message::Show(id) => (self.chosen, self.item) = (Some(id), None),
            Message::Step(step) => self.step(step),
            Message::Item(item) => self.item = item,
            Message::Boxes(on) => self.boxes = on,
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
                self.item = None;
            }
            Key::Named(Named::ArrowLeft) => self.step(-1),
            Key::Named(Named::ArrowRight) => self.step(1),
            Key::Named(Named::ArrowDown) => self.step_item(1),
            Key::Named(Named::ArrowUp) => self.step_item(-1),
            _ => {}
        }
        Action::None
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped, context: &Context<'_>) -> Action<Message> {
        let source = self.paths.dropped(dropped);
        self.add_sources(source, context)
    }

    fn piece(&mut self, id: u64) -> Option<&mut Piece> {
        self.pieces.iter_mut().find(|piece| piece.id == id)
    }

    /// The picture that shows.
    fn shown(&self) -> Option<&Piece> {
        self.pieces.iter().find(|piece| Some(piece.id) == self.chosen)
    }

    fn files(
        &mut self,
        message: paths::Message<Purpose>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        let copy = self.shown().map(|piece| self.copy_name(piece, lang)).unwrap_or_default();
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
            if self.pieces.len() == MOST {
                let title = common::too_many(lang, MOST);
                return told(Tone::Warning, &title, common::too_many_hint(lang));
            }
            self.pieces.push(Piece::new(self.next, name, source));
            (self.chosen, self.item) = (Some(self.next), None);
            self.next += 1;
        }
        self.go_on(context)
    }

    fn remove(&mut self, id: u64) {
        let at = self.pieces.iter().position(|piece| piece.id == id).unwrap_or_default();
        self.pieces.retain(|piece| piece.id != id);
        if self.chosen == Some(id) {
            let next = self.pieces.get(at).or(self.pieces.last());
            (self.chosen, self.item) = (next.map(|piece| piece.id), None);
        }
    }

    fn step(&mut self, step: isize) {
        let at = self.pieces.iter().position(|piece| Some(piece.id) == self.chosen);
        let next = at.and_then(|at| at.checked_add_signed(step));
        if let Some(piece) = next.and_then(|next| self.pieces.get(next)) {
            (self.chosen, self.item) = (Some(piece.id), None);
        }
    }

    fn step_item(&mut self, step: isize) {
        let count = self.shown().and_then(Asked::answer).map_or(0, |found| found.items.count());
        let next = match self.item {
            None => Some(if step > 0 { 0 } else { count.saturating_sub(1) }),
            Some(at) => at.checked_add_signed(step),
        };
        self.item = next.filter(|next| *next < count).or(self.item);
    }

    /// Starts what may start.
    fn go_on(&mut self, context: &Context<'_>) -> Action<Message> {
        let mut tasks = Vec::new();
        for piece in self.pieces.iter_mut().filter(|piece| matches!(piece.state, State::New)) {
            let (id, fit) = (piece.id, pictures::Fit::Within(LARGE.0, LARGE.1));
            let read = pictures::read(piece.source.clone(), fit);
            let task = Task::perform(read, move |read| Message::Read(id, read));
            tasks.push(piece.start(State::Reading, task));
        }
        if let Some(backend) = context.backend {
            let waiting = |piece: &&mut Piece| matches!(piece.state, State::Waiting);
            for piece in self.pieces.iter_mut().filter(waiting) {
                tasks.extend(found::ask(piece, self.which, backend));
            }
        }
        if tasks.is_empty() { Action::None } else { Action::Run(Task::batch(tasks)) }
    }

    fn save(&mut self, path: PathBuf, lang: Lang) -> Action<Message> {
        let Some(piece) = self.shown() else { return Action::None };
        let Some(found) = piece.answer() else { return Action::None };
        if piece.source == Source::File(path.clone()) {
            let itself = common::not_itself(lang);
            return self.paths.wrong(Purpose::Save, itself).map(Message::Paths);
        }
        let (source, marks, to) = (piece.source.clone(), found.items.marks(lang), path.clone());
        let drawn = pictures::marked(source, marks, path);
        Action::Run(Task::perform(drawn, move |saved| {
            Message::Paths(paths::Message::Saved(Purpose::Save, to.clone(), saved))
        }))
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let copy = self.shown().map(|piece| self.copy_name(piece, lang)).unwrap_or_default();
        let place = self.paths.view(|purpose| wants(purpose, &copy, lang), lang);
        let place = place.map(|place| place.map(Message::Paths));
        let Some(piece) = self.shown() else {
            let content = Column::new().push(place).push(self.nothing(&context)).spacing(space::L);
            return column![self.head(&context), body(&context, content)].into();
        };
        if !context.has_panel() {
            let height = (context.size.height * 0.5).clamp(140.0, 320.0);
            let all = Column::new()
                .push(place)
                .push(self.stage(piece, &context, Some(height)))
                .push(self.panel_content(piece, &context))
                .spacing(space::M);
            let all = scroll(all).height(Length::Fill);
            return column![self.head(&context), body(&context, all)].into();
        }
        let low = context.size.height < 640.0;
        let strip = (!low && self.pieces.len() > 1).then(|| self.strip(&context));
        let content = Column::new()
            .push(place)
            .push(self.stage(piece, &context, None))
            .push(strip)
            .spacing(space::L);
        let main = column![self.head(&context), body(&context, content)].width(Length::Fill);
        let panel = container(self.panel(piece, &context)).width(context.panel_width());
        row![main, panel].into()
    }

    fn nothing<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let choose = Message::Paths(paths::Message::Choose(Purpose::Open));
        let over = self.paths.is_over();
        let drop = drop_field(common::drop_here(lang), common::choose(lang), over, choose);
        let hint = (context.size.height >= 400.0).then(|| {
            let [title, hint] = self.which.empty(lang);
            container(empty(self.which.icon(), title, hint)).height(260)
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
            true => icon_button(Icon::Image, common::open(lang), Some(choose)),
            false => button(common::open(lang))
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
        let (title, caption) = (self.which.title(lang), self.which.caption(lang));
        header(context, title, caption, vec![by_name, open], None)
    }

    /// How a copy is called.
    fn copy_name(&self, piece: &Piece, lang: Lang) -> String {
        let stem = std::path::Path::new(&piece.name).file_stem().unwrap_or_default();
        let name = self.which.copy_name(lang, &stem.to_string_lossy());
        match &piece.source {
            Source::File(path) => path.with_file_name(name).display().to_string(),
            Source::Bytes(_) => name,
        }
    }
}

fn wants(purpose: Purpose, copy: &str, lang: Lang) -> Wants {
    match purpose {
        Purpose::Open => Wants {
            title: common::open(lang),
            go: asking::add(lang),
            name: String::new(),
            what: What::Files(files::PICTURES),
        },
        Purpose::Save => Wants {
            title: common::save_copy(lang),
            go: asking::save(lang),
            name: copy.to_owned(),
            what: What::Place,
        },
    }
}

#[cfg(test)]
mod tests;
