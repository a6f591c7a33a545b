//! The chat: people and the robot in one list, a conversation with each, requests from strangers.
//!
//! What people write goes through the node's mail; the robot is the capability `chat/1`. `letters` is
//! what is known and is pure, `work` is what is asked of the node, the rest shows it.

mod bubble;
mod compare;
mod composer;
mod letters;
mod people;
mod requests;
mod robot;
mod talk;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use iced::{
    Length,
    keyboard::{Key, Modifiers, key::Named},
    task,
    widget::{column, container, operation, row, scrollable, text_editor},
};
use potluck::{
    client::{Event, Side},
    mail::{
        Failed,
        ask::{Coming, Outgoing},
    },
    say::Reason,
};

use super::{Action, Context, Dropped};
use crate::{
    backend::{
        pictures::Picture,
        post::{Letters, Said, typed_path},
        robot::Exchange,
    },
    icon::Icon,
    theme::{self, Element, Tone},
    widget::{Dialog, Window, empty},
    words::chat as words,
};
use letters::Book;

/// The name of the field in which one writes.
pub const WRITE: &str = "chat-write";
/// The name of the search field.
pub const SEARCH: &str = "chat-search";
/// The name of the path field.
pub const PATH: &str = "chat-path";
/// The name of the conversation.
const TALK: &str = "chat-talk";
/// Letters that show at first, and how many more at each wish.
const PAGE: usize = 60;
/// Letters that are laid out at one time.
const MOST: usize = 3 * PAGE;

/// Which letters of a conversation show, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    later: usize,
    shown: usize,
}

impl Default for Span {
    fn default() -> Self {
        Self { later: 0, shown: PAGE }
    }
}

impl Span {
    /// More from before; the last ones give way where it is too many.
    fn earlier(self) -> Self {
        let shown = self.shown + PAGE;
        Self { later: self.later + shown.saturating_sub(MOST), shown: shown.min(MOST) }
    }

    /// More from after; the first ones give way.
    fn later(self) -> Self {
        Self { later: self.later.saturating_sub(PAGE), ..self }
    }

    /// The places of those that show, among so many.
    fn of(self, all: usize) -> std::ops::Range<usize> {
        let end = all.saturating_sub(self.later).max(PAGE.min(all));
        end.saturating_sub(self.shown)..end
    }
}

/// With whom one talks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The robot.
    Robot,
    /// A person, by client id.
    Person(String),
    /// Strangers who wait for a yes.
    Requests,
}

/// What is being written.
#[derive(Debug, Default)]
struct Draft {
    writing: text_editor::Content,
    files: Vec<PathBuf>,
}

impl Draft {
    fn text(&self) -> String {
        self.writing.text()
    }

    /// Another text takes the place of what stands there.
    fn write(&mut self, text: &str) {
        self.writing = text_editor::Content::with_text(text);
        self.writing.perform(text_editor::Action::Move(text_editor::Motion::DocumentEnd));
    }
}

/// A letter that is being sealed.
#[derive(Debug)]
struct Pending {
    number: u64,
    to: String,
    text: String,
    files: Vec<PathBuf>,
    stop: task::Handle,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Chat {
    book: Book,
    trouble: Option<String>,
    chosen: Option<Who>,
    search: String,
    window: Window,
    drafts: BTreeMap<Who, Draft>,
    /// What stands in the field before anything was written.
    blank: text_editor::Content,
    pending: Vec<Pending>,
    robot: robot::Robot,
    numbers: u64,
    /// The path field is open.
    attaching: bool,
    path: String,
    wrong: Option<String>,
    /// Files are held over the window.
    hovered: bool,
    /// Files that were dropped before somebody was chosen.
    dropped: Vec<PathBuf>,
    /// The words of the client ids show in the place of the letters.
    comparing: bool,
    /// The letter whose actions show.
    opened: Option<String>,
    shown: Span,
    /// Letters whose files are being saved, and where those of others were.
    saving: BTreeSet<String>,
    saved: BTreeMap<String, Vec<PathBuf>>,
    /// Small copies; `None` while one is made, and where the file is no picture.
    pictures: BTreeMap<PathBuf, Option<Picture>>,
    /// People whose letters are moving, so that somebody looks how far they are.
    watched: BTreeSet<String>,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// All letters were read.
    Loaded(Result<Letters, Reason>),
    /// Something was typed into the search field.
    Search(String),
    /// The list was scrolled.
    Scrolled(scrollable::Viewport),
    /// Somebody was chosen.
    Choose(Who),
    /// The same, from elsewhere in the window.
    Open(Who),
    /// Back to the list.
    Back,
    /// Earlier letters of the conversation.
    Earlier,
    /// Later ones.
    Later,
    /// Something was typed.
    Edit(text_editor::Action),
    /// This stands in the field from now on.
    Write(String),
    /// What was written goes.
    Send,
    /// It is on the disk, or is not.
    Sent(u64, Result<Box<Outgoing>, Failed>),
    /// A letter that is being sealed is given up.
    Stop(u64),
    /// The robot answered, or nobody did.
    Said(u64, Result<Said, Reason>),
    /// A question to the robot is asked again.
    Again(u64),
    /// What was said to the robot before the window opened.
    Remembered(Vec<Exchange>),
    /// Nothing of what was said to the robot is kept.
    ForgetRobot,
    /// The path field opens or closes.
    Attach,
    /// Something was typed into it.
    Path(String),
    /// What it says is added.
    Add,
    /// It was looked for.
    Found(PathBuf, bool),
    /// The system's dialog for files.
    Pick,
    /// Files were chosen.
    Picked(Vec<PathBuf>),
    /// A file that was added goes again.
    Remove(usize),
    /// Dropped files that nobody gets.
    Undrop,
    /// The actions of a letter.
    Letter(String),
    /// Save its files where such things go.
    Save(String),
    /// Ask where.
    SaveIn(String),
    /// Save them there.
    SaveTo(String, Option<PathBuf>),
    /// They were saved, or not.
    Saved(String, Result<Vec<PathBuf>, Reason>),
    /// A letter is taken back.
    TakeBack(String),
    /// A letter of or from somebody that is on its way rests, or goes on.
    Rest(String, String, bool),
    /// It does, or not.
    Rested(String, Result<(), Reason>),
    /// It is sent once more.
    Resend(String),
    /// It was, under another id.
    Resent(Result<Box<Outgoing>, Reason>),
    /// Whether it is to be deleted.
    Delete(String),
    /// It is.
    Deleted(Vec<String>),
    /// Something was done, or not.
    Done(Result<(), Reason>),
    /// A stranger may write.
    Accept(String),
    /// A stranger may not.
    Decline(String),
    /// A look at letters that move.
    Look(String),
    /// How far they are.
    Looked(String, Result<(Vec<Outgoing>, Vec<Coming>), Reason>),
    /// A picture was made small, or is none.
    Small(PathBuf, Option<Picture>),
    /// The words of the client ids show, or no more.
    Compare,
    /// A text for the clipboard.
    Copy(String),
    /// A dialog was answered with no.
    Nothing,
}

impl Chat {
    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Loaded(loaded) => return self.load(loaded, context),
            Message::Search(text) => self.search = text,
            Message::Scrolled(viewport) => self.window.scrolled(viewport),
            Message::Choose(who) => return self.choose(who, context),
            Message::Open(who) => {
                // What is unseen is seen when the screen shows.
                self.chosen = Some(who);
                self.shown = Span::default();
                return Action::Go(super::Screen::Chat);
            }
            Message::Back => (self.chosen, self.opened) = (None, None),
            Message::Earlier => self.shown = self.shown.earlier(),
            Message::Later => self.shown = self.shown.later(),
            Message::Edit(action) => {
                if action.is_edit() {
                    self.wrong = None;
                }
                if let Some(draft) = self.draft() {
                    draft.writing.perform(action);
                }
            }
            Message::Write(text) => {
                self.wrong = None;
                if let Some(draft) = self.draft() {
                    draft.write(&text);
                }
            }
            Message::Send => return self.send(context),
            Message::Sent(number, sent) => return self.sent(number, sent, context),
            Message::Stop(number) => {
                if let Some(at) = self.pending.iter().position(|one| one.number == number) {
                    let given_up = self.pending.remove(at);
                    given_up.stop.abort();
                    self.put_back(given_up);
                }
            }
            Message::Remembered(all) => self.robot.remember(all),
            Message::ForgetRobot => {
                self.robot.forget();
                return self.keep_robot(context);
            }
            Message::Said(number, said) => {
                let answered = said.is_ok();
                self.robot.answer(number, said);
                if answered {
                    return self.keep_robot(context);
                }
            }
            Message::Again(number) => return self.ask_again(number, context),
            Message::Attach => {
                self.attaching = !self.attaching;
                (self.path, self.wrong) = (String::new(), None);
                let field = if self.attaching { PATH } else { WRITE };
                return Action::Run(operation::focus(field));
            }
            Message::Path(text) => (self.path, self.wrong) = (text, None),
            Message::Add => return typed_path(&self.path).map_or(Action::None, work::look_for),
            Message::Found(path, true) => {
                self.path.clear();
                self.attach(vec![path]);
            }
            Message::Found(path, false) => {
                self.wrong = Some(words::no_file(context.lang, &path.display().to_string()));
            }
            Message::Pick => return work::pick(context.lang),
            Message::Picked(files) => self.attach(files),
            Message::Remove(at) => {
                if let Some(draft) = self.draft().filter(|draft| at < draft.files.len()) {
                    draft.files.remove(at);
                }
            }
            Message::Undrop => self.dropped.clear(),
            Message::Letter(id) => {
                let same = self.opened.as_ref() == Some(&id);
                self.opened = (!same).then_some(id);
            }
            Message::Compare => self.comparing = !self.comparing,
            Message::Copy(text) => return Action::Copy(text),
            Message::Small(path, picture) => {
                self.pictures.insert(path, picture);
            }
            Message::Look(with) => return self.look(with, context),
            Message::Looked(with, found) => return self.looked(with, found),
            Message::Nothing => {}
            other => return self.handle(other, context),
        }
        Action::None
    }

    /// What is done to single letters and to strangers.
    fn handle(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        match message {
            Message::Save(id) => {
                let folder = work::downloads(context);
                return self.save(id, folder, context);
            }
            Message::SaveIn(id) => return work::pick_folder(id, context.lang),
            Message::SaveTo(id, folder) => return self.save(id, folder, context),
            Message::Saved(id, saved) => return self.were_saved(id, saved, context),
            Message::TakeBack(id) => return work::take_back(id, context),
            Message::Rest(with, id, rests) => return work::rest(with, id, rests, context),
            Message::Rested(with, Ok(())) => return self.look(with, context),
            Message::Resend(id) => return work::resend(id, context),
            Message::Resent(Ok(sent)) => {
                self.book.put(letters::Entry::Went(*sent));
            }
            Message::Done(Err(why)) | Message::Resent(Err(why)) | Message::Rested(_, Err(why)) => {
                return Action::Ask(failed(words::not_done(context.lang), why, context));
            }
            Message::Delete(id) => {
                let sent = matches!(self.book.letter(&id), Some(letters::Entry::Went(_)));
                return ask_delete(id, sent, context);
            }
            Message::Deleted(ids) => return work::delete(ids, context),
            Message::Accept(id) => return self.accept(id, context),
            Message::Decline(id) => return self.ask_decline(&id, context),
            _ => {}
        }
        Action::None
    }

    /// Something happened in the mesh.
    pub fn hear(&mut self, event: &Event, context: &Context<'_>) -> Action<Message> {
        match event {
            // First of all, and again when news were missed.
            Event::View(_) => {
                together([work::load(context), self.recall(context)], iced::Task::none())
            }
            Event::Mail(news) => self.letter(news.clone(), context),
            // Somebody brings a letter, or is brought one: a large one takes a while.
            Event::Call(call) if call.end.is_none() && call.capability == "mail/1" => {
                match &call.side {
                    Side::Served { caller } => self.watch(caller.to_string()),
                    Side::Asked => self.watch_queued(),
                }
            }
            _ => Action::None,
        }
    }

    /// The screen shows now.
    pub fn shows(&mut self, context: &Context<'_>) -> Action<Message> {
        let actions = [self.see(context), self.draw_pictures()];
        let focus = match self.chosen {
            Some(Who::Robot | Who::Person(_)) => operation::focus(WRITE),
            _ => iced::Task::none(),
        };
        together(actions, focus)
    }

    /// Letters and requests that wait to be looked at.
    pub fn unread(&self, context: &Context<'_>) -> usize {
        self.book.unread(&context.settings.accepted)
    }

    /// A key that nothing else took.
    pub fn key(
        &mut self,
        key: &Key,
        modifiers: Modifiers,
        context: &Context<'_>,
    ) -> Action<Message> {
        match key {
            Key::Character(c) if modifiers.command() && c.as_str() == "f" => {
                // Where there is one pane, the list has the field.
                if context.is_narrow() {
                    self.chosen = None;
                }
                Action::Run(operation::focus(SEARCH))
            }
            Key::Character(c) if modifiers.command() && c.as_str() == "o" => match self.chosen {
                Some(Who::Person(_)) => self.update(Message::Attach, context),
                _ => Action::None,
            },
            Key::Named(Named::Escape) => {
                match () {
                    () if self.comparing => self.comparing = false,
                    () if self.attaching => self.attaching = false,
                    () if self.opened.is_some() => self.opened = None,
                    () if !self.search.is_empty() => self.search.clear(),
                    () => self.chosen = None,
                }
                Action::None
            }
            // Plain arrows belong to the field in which one writes.
            Key::Named(Named::ArrowDown) if modifiers.alt() => self.step(1, context),
            Key::Named(Named::ArrowUp) if modifiers.alt() => self.step(-1, context),
            _ => Action::None,
        }
    }

    /// Files over the window.
    pub fn dropped(&mut self, dropped: &Dropped) -> Action<Message> {
        self.hovered = *dropped == Dropped::Over;
        if let Dropped::File(path) = dropped {
            match self.chosen {
                Some(Who::Person(_)) => self.attach(vec![path.clone()]),
                _ => self.dropped.push(path.clone()),
            }
        }
        Action::None
    }

    fn draft(&mut self) -> Option<&mut Draft> {
        let who = self.chosen.clone()?;
        Some(self.drafts.entry(who).or_default())
    }

    fn attach(&mut self, files: Vec<PathBuf>) {
        if let Some(draft) = self.draft() {
            for file in files {
                if !draft.files.contains(&file) {
                    draft.files.push(file);
                }
            }
        }
    }

    fn choose(&mut self, who: Who, context: &Context<'_>) -> Action<Message> {
        self.chosen = Some(who.clone());
        self.opened = None;
        (self.attaching, self.comparing, self.wrong) = (false, false, None);
        self.shown = Span::default();
        if let Who::Person(_) = who {
            let dropped = std::mem::take(&mut self.dropped);
            self.attach(dropped);
        }
        let down = operation::snap_to(TALK, scrollable::RelativeOffset::START);
        together([self.shows(context)], down)
    }

    /// The next or the previous in the list.
    fn step(&mut self, by: isize, context: &Context<'_>) -> Action<Message> {
        let rows = self.rows(context);
        let all: Vec<_> = std::iter::once(Who::Robot)
            .chain(rows.into_iter().map(|row| Who::Person(row.id)))
            .collect();
        let at = self.chosen.as_ref().and_then(|who| all.iter().position(|one| one == who));
        let next = match at {
            Some(at) => at.saturating_add_signed(by).min(all.len() - 1),
            None => 0,
        };
        match all.into_iter().nth(next) {
            Some(who) => self.choose(who, context),
            None => Action::None,
        }
    }

    fn accept(&mut self, id: String, context: &Context<'_>) -> Action<Message> {
        let mut settings = context.settings.clone();
        settings.accepted.insert(id.clone());
        self.chosen = Some(Who::Person(id));
        self.shown = Span::default();
        Action::Set(settings)
    }

    fn ask_decline(&self, id: &str, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        let ids = self.book.with(id).map_or_else(Vec::new, |talk| {
            talk.entries.iter().map(|entry| entry.id().to_owned()).collect()
        });
        Action::Ask(Dialog {
            tone: Tone::Danger,
            icon: Icon::Trash,
            title: words::decline_title(lang, &self.book.name(id, context.view)),
            text: words::decline_text(lang).to_owned(),
            details: None,
            actions: vec![
                (words::cancel(lang).to_owned(), Message::Nothing),
                (words::decline(lang).to_owned(), Message::Deleted(ids)),
            ],
        })
    }

    fn rows(&self, context: &Context<'_>) -> Vec<letters::Row> {
        let accepted = &context.settings.accepted;
        self.book.rows(context.lang, context.view, accepted, &self.search)
    }

    /// The screen.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        if context.is_narrow() {
            return match &self.chosen {
                Some(who) => self.pane(who, &context),
                None => self.people(&context),
            };
        }
        let width = if context.size.width >= 940.0 { 300.0 } else { 260.0 };
        let list = container(self.people(&context)).width(width).style(theme::panel);
        let line = container(iced::widget::Space::new()).width(1).height(Length::Fill);
        let pane = match &self.chosen {
            Some(who) => self.pane(who, &context),
            None => empty(
                Icon::MessageCircle,
                words::choose(context.lang),
                words::choose_hint(context.lang),
            ),
        };
        row![list, line.style(theme::line), container(pane).width(Length::Fill)].into()
    }

    fn pane<'a>(&'a self, who: &'a Who, context: &Context<'a>) -> Element<'a, Message> {
        match who {
            Who::Robot => self.robot_pane(context),
            Who::Requests => self.requests_pane(context),
            Who::Person(id) if self.book.asks(id, &context.settings.accepted) => {
                self.requests_pane(context)
            }
            Who::Person(id) => {
                column![self.talk(id, context), self.composer(context, true),].into()
            }
        }
    }
}

fn ask_delete(id: String, sent: bool, context: &Context<'_>) -> Action<Message> {
    let lang = context.lang;
    let text = if sent { words::delete_sent_text(lang) } else { words::delete_text(lang) };
    Action::Ask(Dialog {
        tone: Tone::Danger,
        icon: Icon::Trash,
        title: words::delete_title(lang).to_owned(),
        text: text.to_owned(),
        details: None,
        actions: vec![
            (words::keep(lang).to_owned(), Message::Nothing),
            (words::delete(lang).to_owned(), Message::Deleted(vec![id])),
        ],
    })
}

/// A message box for what did not work.
fn failed(title: impl Into<String>, why: Reason, context: &Context<'_>) -> Dialog<Message> {
    Dialog {
        tone: Tone::Warning,
        icon: Icon::TriangleAlert,
        title: title.into(),
        text: why.say(context.lang),
        details: Some(why.to_string()),
        actions: vec![(words::close(context.lang).to_owned(), Message::Nothing)],
    }
}

/// Several pieces of work at once.
fn together(
    actions: impl IntoIterator<Item = Action<Message>>,
    task: iced::Task<Message>,
) -> Action<Message> {
    let mut all = vec![task];
    for action in actions {
        if let Action::Run(task) = action {
            all.push(task);
        }
    }
    Action::Run(iced::Task::batch(all))
}

#[cfg(test)]
mod tests;
