//! The private mesh: which one this is and who belongs to it; founding, joining, inviting, putting out,
//! leaving, and the founder's key.

mod view;

use std::{path::PathBuf, time::Duration};

use iced::{
    Task,
    keyboard::{Key, key::Named},
};
use potluck::{
    membership::{Entered, Invited, Member, Standing},
    say::Reason,
};

use crate::{
    backend::Backend,
    icon::Icon,
    screen::{
        Action, Context,
        paths::{self, Next, Paths, Wants, What},
    },
    theme::Tone,
    widget::{Dialog, Toast},
    words::{Lang, asking, mesh as words, shell},
};

/// The name of the field for the name of a mesh.
pub const NAME: &str = "private-name";
/// The name of the field for an invite.
pub const INVITE: &str = "private-invite";

/// How often it is looked who was met, while the page shows.
const LOOK: Duration = Duration::from_secs(3);
const HOUR_MS: u64 = 60 * 60 * 1000;
/// For how long an invite may be open.
const TIMES: [u64; 3] = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];
/// How many nodes may use one.
const USES: [(u32, &str); 3] = [(1, "1"), (5, "5"), (20, "20")];

/// The state of the page.
#[derive(Debug)]
pub struct Private {
    /// It shows.
    open: bool,
    /// In which mesh the node is, once that was read.
    standing: Option<Standing>,
    trouble: Option<String>,
    /// It is looked again in a moment.
    waits: bool,
    busy: Option<Busy>,
    name: String,
    name_wrong: Option<String>,
    invite: String,
    invite_wrong: Option<String>,
    uses: u32,
    time: u64,
    invited: Option<Invited>,
    /// For whom alone that is: somebody who was put out.
    only_for: Option<String>,
    /// The founder's key was written to a file while the window was open.
    kept: bool,
    paths: Paths<OfKey>,
}

impl Default for Private {
    fn default() -> Self {
        Self {
            open: false,
            standing: None,
            trouble: None,
            waits: false,
            busy: None,
            name: String::new(),
            name_wrong: None,
            invite: String::new(),
            invite_wrong: None,
            uses: USES[0].0,
            time: TIMES[1],
            invited: None,
            only_for: None,
            kept: false,
            paths: Paths::default(),
        }
    }
}

/// What takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// A mesh is being founded.
    Founding,
    /// The admin is asked, and the node starts again.
    Joining,
    /// The founder's key comes back.
    Restoring,
    /// The mesh is being left.
    Leaving,
    /// Something short.
    Else,
}

/// What a path is for: the founder's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfKey {
    /// A copy of it is written there.
    Export,
    /// It is kept there alone.
    Move,
    /// It comes from there.
    Restore,
}

/// What happens here.
#[derive(Debug, Clone)]
pub enum Message {
    /// The page shows.
    Open,
    /// It does not.
    Close,
    /// It is to be looked who was met.
    Look,
    /// How the node stands was read, or not.
    Read(Result<Standing, Reason>),
    /// A letter of the name.
    Name(String),
    /// A mesh of that name is to be founded.
    Found,
    /// A letter of the invite.
    Invite(String),
    /// The mesh is to be entered.
    Join,
    /// It was, or not.
    Entered(Busy, Result<Entered, Reason>),
    /// How many nodes may use an invite.
    Uses(u32),
    /// For how long, in ms.
    Time(u64),
    /// An invite is to be made.
    Make,
    /// One is to be made for somebody who was put out: id and name.
    MakeAgain(String, String),
    /// It was, or not.
    Made(Result<Invited, Reason>),
    /// It shows no more.
    Hide,
    /// All open invites are to be taken back.
    TakeBack,
    /// They were.
    TakenBack(Result<usize, Reason>),
    /// Whether somebody is to be put out: id and name.
    AskOut(String, String),
    /// They are.
    Out(String),
    /// Whether somebody is to become an admin.
    AskAdmin(String, String),
    /// They are.
    Admin(String),
    /// That was done, or not.
    Changed(Result<(), Reason>),
    /// Whether the mesh is to be left.
    AskLeave,
    /// It is; whether the founder's key may be lost.
    Leave(bool),
    /// It was, or not.
    Left(Result<String, Reason>),
    /// Whether the founder's key is to be kept in a file alone.
    AskMove,
    /// The founder's key goes to a file, or comes from one.
    Key(paths::Message<OfKey>),
    /// A short message.
    Say(String),
    /// A text for the clipboard.
    Copy(String),
    /// A dialog was answered with no.
    Nothing,
}

impl Private {
    /// Whether the page shows.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// What the private mesh is called, where the node is in one.
    pub fn name(&self) -> Option<&str> {
        let standing = self.standing.as_ref()?;
        standing.private.as_ref().map(|_| standing.name.as_str())
    }

    /// The node is there: in which mesh it is.
    pub fn ready(&self, context: &Context<'_>) -> Task<Message> {
        match context.backend {
            Some(backend) => Task::perform(backend.clone().standing(), Message::Read),
            None => Task::none(),
        }
    }

    /// A key that nothing else took; whether it was for the page.
    pub fn key(&mut self, key: &Key) -> bool {
        let taken = self.open && matches!(key, Key::Named(Named::Escape));
        match (taken, self.paths.is_open()) {
            (true, true) => self.paths.close(),
            (true, false) => self.open = false,
            (false, _) => {}
        }
        taken || self.open
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        match message {
            Message::Open => {
                self.open = true;
                return Action::Run(self.ready(context));
            }
            Message::Close => (self.open, self.invited) = (false, None),
            Message::Look => {
                self.waits = false;
                if self.open {
                    return Action::Run(self.ready(context));
                }
            }
            Message::Read(read) => return self.read(read, lang),
            Message::Name(name) => (self.name, self.name_wrong) = (name, None),
            Message::Invite(invite) => (self.invite, self.invite_wrong) = (invite, None),
            Message::Found => {
                let name = self.name.clone();
                return self.work(Busy::Founding, context, |backend| {
                    let entered = |entered| Message::Entered(Busy::Founding, entered);
                    Task::perform(backend.found(name), entered)
                });
            }
            Message::Join => {
                let invite = self.invite.clone();
                return self.work(Busy::Joining, context, |backend| {
                    let entered = |entered| Message::Entered(Busy::Joining, entered);
                    Task::perform(backend.enter(invite), entered)
                });
            }
            Message::Entered(how, entered) => return self.entered(how, entered, context),
            Message::AskOut(id, name) => return ask_out(id, &name, lang),
            Message::Out(id) => {
                return self.work(Busy::Else, context, |backend| {
                    Task::perform(backend.put_out(id), Message::Changed)
                });
            }
            Message::AskAdmin(id, name) => return ask_admin(id, &name, lang),
            Message::Admin(id) => {
                return self.work(Busy::Else, context, |backend| {
                    Task::perform(backend.make_admin(id), Message::Changed)
                });
            }
            Message::Changed(Ok(())) => {
                self.busy = None;
                return Action::Run(self.ready(context));
            }
            Message::Changed(Err(why)) => return self.failed(&why, lang),
            Message::AskLeave => return self.ask_leave(lang),
            Message::AskMove => return ask_move(lang),
            Message::Leave(forget_key) => {
                return self.work(Busy::Leaving, context, |backend| {
                    Task::perform(backend.quit(forget_key), Message::Left)
                });
            }
            Message::Left(Ok(name)) => {
                return self.moved(words::private_left(lang, &name), context);
            }
            Message::Left(Err(why)) => return self.failed(&why, lang),
            Message::Key(message) => return self.key_file(message, context),
            Message::Say(title) => return Action::Tell(toast(title)),
            Message::Copy(text) => return Action::Copy(text),
            Message::Nothing => {}
            other => return self.invite_update(other, context),
        }
        Action::None
    }

    fn invite_update(&mut self, message: Message, context: &Context<'_>) -> Action<Message> {
        let lang = context.lang;
        match message {
            Message::Uses(uses) => self.uses = uses,
            Message::Time(time) => self.time = time,
            Message::Make => {
                (self.invited, self.only_for) = (None, None);
                let (uses, time) = (self.uses, self.time);
                return self.work(Busy::Else, context, |backend| {
                    Task::perform(backend.invite(uses, time, None), Message::Made)
                });
            }
            Message::MakeAgain(id, name) => {
                (self.invited, self.only_for) = (None, Some(name));
                let time = self.time;
                return self.work(Busy::Else, context, |backend| {
                    Task::perform(backend.invite(1, time, Some(id)), Message::Made)
                });
            }
            Message::Made(Ok(invited)) => (self.busy, self.invited) = (None, Some(invited)),
            Message::Made(Err(why)) => return self.failed(&why, lang),
            Message::Hide => self.invited = None,
            Message::TakeBack => {
                return self.work(Busy::Else, context, |backend| {
                    Task::perform(backend.take_invites_back(), Message::TakenBack)
                });
            }
            Message::TakenBack(Ok(count)) => {
                (self.busy, self.invited) = (None, None);
                return Action::Tell(toast(words::private_taken_back(lang, count)));
            }
            Message::TakenBack(Err(why)) => return self.failed(&why, lang),
            _ => {}
        }
        Action::None
    }

    /// Starts what the node has to do, one thing at a time.
    fn work(
        &mut self,
        busy: Busy,
        context: &Context<'_>,
        work: impl FnOnce(Backend) -> Task<Message>,
    ) -> Action<Message> {
        let Some(backend) = context.backend.filter(|_| self.busy.is_none()) else {
            return Action::None;
        };
        self.busy = Some(busy);
        Action::Run(work(backend.clone()))
    }

    fn read(&mut self, read: Result<Standing, Reason>, lang: Lang) -> Action<Message> {
        match read {
            Ok(standing) => (self.standing, self.trouble) = (Some(standing), None),
            Err(why) => self.trouble = Some(why.say(lang)),
        }
        if !self.open || self.waits {
            return Action::None;
        }
        self.waits = true;
        let wait = async { tokio::time::sleep(LOOK).await };
        Action::Run(Task::perform(wait, |()| Message::Look))
    }

    fn entered(
        &mut self,
        how: Busy,
        entered: Result<Entered, Reason>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        match (entered, how) {
            (Ok(entered), _) => self.moved(words::private_entered(lang, &entered.name), context),
            (Err(why), Busy::Founding) => {
                (self.busy, self.name_wrong) = (None, Some(why.say(lang)));
                Action::None
            }
            (Err(why), Busy::Joining) => {
                (self.busy, self.invite_wrong) = (None, Some(why.say(lang)));
                Action::None
            }
            (Err(why), _) => self.failed(&why, lang),
        }
    }

    /// The node is in another mesh: what was said of the one before goes, and it is looked how it stands.
    fn moved(&mut self, title: String, context: &Context<'_>) -> Action<Message> {
        let (open, waits, standing) = (self.open, self.waits, self.standing.take());
        *self = Self { open, waits, standing, ..Self::default() };
        // Where the node is not back yet, it is looked when it is.
        Action::Run(Task::batch([self.ready(context), Task::done(Message::Say(title))]))
    }

    fn failed(&mut self, why: &Reason, lang: Lang) -> Action<Message> {
        self.busy = None;
        Action::Ask(Dialog {
            tone: Tone::Warning,
            icon: Icon::TriangleAlert,
            title: words::private_not_done(lang).to_owned(),
            text: why.say(lang),
            details: Some(why.to_string()),
            actions: vec![(shell::close(lang).to_owned(), Message::Nothing)],
        })
    }

    /// The founder's key would go with the mesh: that is said, with a way to keep it.
    fn ask_leave(&self, lang: Lang) -> Action<Message> {
        let Some(standing) = &self.standing else { return Action::None };
        let founder = standing.private.as_ref().is_some_and(|private| private.founder);
        let text = match (founder, self.kept) {
            (false, _) => words::private_leave_text(lang),
            (true, true) => words::private_leave_kept(lang),
            (true, false) => words::private_leave_key(lang),
        };
        let mut actions = vec![(words::private_stay(lang).to_owned(), Message::Nothing)];
        if founder && !self.kept {
            let export = Message::Key(paths::Message::Choose(OfKey::Export));
            actions.push((words::private_export(lang).to_owned(), export));
        }
        actions.push((words::private_leave(lang).to_owned(), Message::Leave(founder)));
        Action::Ask(Dialog {
            tone: Tone::Danger,
            icon: Icon::LogOut,
            title: words::private_leave_title(lang, &standing.name),
            text: text.to_owned(),
            details: None,
            actions,
        })
    }

    fn key_file(
        &mut self,
        message: paths::Message<OfKey>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let lang = context.lang;
        self.kept |= matches!(message, paths::Message::Saved(_, _, Ok(_)));
        let name = self.name().unwrap_or_default().to_owned();
        match self.paths.update(message, |of| wants(of, &name, lang), lang) {
            Next::Do(action) => action.map(Message::Key),
            Next::Sources(_) => Action::None,
            Next::Paths { purpose, paths, .. } => {
                let Some(path) = paths.into_iter().next() else { return Action::None };
                let remove = match purpose {
                    OfKey::Restore => return self.restore(path, context),
                    OfKey::Move => true,
                    OfKey::Export => false,
                };
                let Some(backend) = context.backend else { return Action::None };
                let export = backend.clone().export_key(path.clone(), remove);
                Action::Run(Task::perform(export, move |done| {
                    Message::Key(paths::Message::Saved(purpose, path.clone(), done))
                }))
            }
        }
    }

    fn restore(&mut self, path: PathBuf, context: &Context<'_>) -> Action<Message> {
        self.paths.close();
        self.work(Busy::Restoring, context, |backend| {
            let entered = |entered| Message::Entered(Busy::Restoring, entered);
            Task::perform(backend.restore_key(path), entered)
        })
    }
}

fn wants(of: OfKey, mesh: &str, lang: Lang) -> Wants {
    match of {
        OfKey::Export | OfKey::Move => Wants {
            title: words::private_export_title(lang),
            go: asking::save(lang),
            name: format!("{mesh}-founder-key.txt").replace(['/', '\\'], "-"),
            what: What::Place,
        },
        OfKey::Restore => Wants {
            title: words::private_restore_title(lang),
            go: words::private_restore(lang),
            name: String::new(),
            what: What::Files(&[]),
        },
    }
}

fn ask_out(id: String, name: &str, lang: Lang) -> Action<Message> {
    Action::Ask(Dialog {
        tone: Tone::Danger,
        icon: Icon::Ban,
        title: words::private_out_title(lang, name),
        text: words::private_out_text(lang).to_owned(),
        details: None,
        actions: vec![
            (words::private_keep_in(lang).to_owned(), Message::Nothing),
            (words::private_put_out(lang).to_owned(), Message::Out(id)),
        ],
    })
}

fn ask_admin(id: String, name: &str, lang: Lang) -> Action<Message> {
    Action::Ask(Dialog {
        tone: Tone::Primary,
        icon: Icon::Shield,
        title: words::private_admin_title(lang, name),
        text: words::private_admin_text(lang).to_owned(),
        details: None,
        actions: vec![
            (words::private_not_now(lang).to_owned(), Message::Nothing),
            (words::private_make_admin(lang).to_owned(), Message::Admin(id)),
        ],
    })
}

fn ask_move(lang: Lang) -> Action<Message> {
    let choose = Message::Key(paths::Message::Choose(OfKey::Move));
    Action::Ask(Dialog {
        tone: Tone::Warning,
        icon: Icon::Key,
        title: words::private_move_title(lang).to_owned(),
        text: words::private_move_text(lang).to_owned(),
        details: None,
        actions: vec![
            (words::private_not_now(lang).to_owned(), Message::Nothing),
            (words::private_move(lang).to_owned(), choose),
        ],
    })
}

fn toast(title: String) -> Toast<Message> {
    Toast { tone: Tone::Success, icon: Icon::CircleCheck, title, text: String::new(), action: None }
}
