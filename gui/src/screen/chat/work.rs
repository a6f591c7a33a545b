//! What the chat asks of the node and the system, and what it makes of the answers.

use std::{path::PathBuf, time::Duration};

use iced::{Task, widget::operation};
use potluck::{
    mail::{
        Failed, News,
        ask::{Coming, Outgoing},
    },
    say::Reason,
    services::chat::rules::MAX_TEXT,
};

use super::{Chat, Message, Pending, WRITE, Who, failed, letters::Entry};
use crate::{
    backend::{
        Backend,
        files::{self, is_picture},
        pictures,
        post::Letters,
    },
    icon::Icon,
    screen::{Action, Context, Screen},
    theme::Tone,
    widget::{Dialog, Toast},
    words::{Lang, chat as words},
};

/// Between two looks at letters that move.
const LOOK: Duration = Duration::from_millis(700);
/// The largest small copy: what fits into a bubble.
const SMALL: (u32, u32) = (216, 136);

/// Reads everything.
pub(super) fn load(context: &Context<'_>) -> Action<Message> {
    match context.backend {
        Some(backend) => Action::Run(Task::perform(backend.clone().letters(), Message::Loaded)),
        None => Action::None,
    }
}

/// Whether there is such a file.
pub(super) fn look_for(path: PathBuf) -> Action<Message> {
    let looked = path.clone();
    let there = async move { tokio::fs::try_exists(looked).await.unwrap_or_default() };
    Action::Run(Task::perform(there, move |there| Message::Found(path.clone(), there)))
}

/// The system's dialog for files.
pub(super) fn pick(lang: Lang) -> Action<Message> {
    Action::Run(Task::perform(files::any(words::pick_title(lang)), Message::Picked))
}

/// The system's dialog for a folder.
pub(super) fn pick_folder(id: String, lang: Lang) -> Action<Message> {
    let chosen = files::folder(words::save_title(lang));
    Action::Run(Task::perform(chosen, move |folder| Message::SaveTo(id.clone(), folder)))
}

/// Where files go unless somebody says otherwise.
pub(super) fn downloads(context: &Context<'_>) -> Option<PathBuf> {
    let chosen = context.settings.downloads.clone();
    chosen.or_else(|| context.backend.map(Backend::downloads))
}

pub(super) fn take_back(id: String, context: &Context<'_>) -> Action<Message> {
    let Some(backend) = context.backend else { return Action::None };
    Action::Run(Task::perform(backend.clone().take_back(id), Message::Done))
}

pub(super) fn rest(
    with: String,
    id: String,
    rests: bool,
    context: &Context<'_>,
) -> Action<Message> {
    let Some(backend) = context.backend else { return Action::None };
    let done = backend.clone().rest(id, rests);
    Action::Run(Task::perform(done, move |done| Message::Rested(with.clone(), done)))
}

pub(super) fn resend(id: String, context: &Context<'_>) -> Action<Message> {
    let Some(backend) = context.backend else { return Action::None };
    Action::Run(Task::perform(backend.clone().resend(id), Message::Resent))
}

pub(super) fn delete(ids: Vec<String>, context: &Context<'_>) -> Action<Message> {
    let Some(backend) = context.backend else { return Action::None };
    Action::Run(Task::perform(backend.clone().delete(ids), Message::Done))
}

impl Chat {
    pub(super) fn load(
        &mut self,
        loaded: Result<Letters, Reason>,
        context: &Context<'_>,
    ) -> Action<Message> {
        match loaded {
            Ok(letters) => {
                self.trouble = None;
                self.book.fill(letters);
                if context.screen == Screen::Chat {
                    return self.shows(context);
                }
            }
            Err(why) => self.trouble = Some(why.say(context.lang)),
        }
        Action::None
    }

    /// What was written goes to the person, or to the robot.
    pub(super) fn send(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(who) = self.chosen.clone() else { return Action::None };
        let draft = self.drafts.entry(who.clone()).or_default();
        let (text, files) = (draft.text().trim().to_owned(), draft.files.clone());
        if text.is_empty() && files.is_empty() {
            return Action::None;
        }
        self.numbers += 1;
        let number = self.numbers;
        match who {
            Who::Robot if text.len() > MAX_TEXT => {
                self.wrong = Some(words::too_long(context.lang, MAX_TEXT));
                Action::None
            }
            Who::Robot => {
                self.drafts.remove(&who);
                self.robot.ask(number, text.clone(), context.now_ms);
                let Some(backend) = context.backend else {
                    self.robot.answer(number, Err(words::no_node(context.lang).into()));
                    return Action::None;
                };
                let said = backend.clone().say(text);
                Action::Run(Task::perform(said, move |said| Message::Said(number, said)))
            }
            Who::Person(to) => {
                let Some(backend) = context.backend else {
                    let who = self.book.name(&to, context.view);
                    let title = words::not_sent(context.lang, &who);
                    let why = words::no_node(context.lang).to_owned();
                    return Action::Ask(failed(title, why.into(), context));
                };
                self.drafts.remove(&Who::Person(to.clone()));
                self.attaching = false;
                let said = (!text.is_empty()).then(|| text.clone());
                let sent = backend.clone().send(to.clone(), said, files.clone());
                let sending = Task::perform(sent, move |sent| Message::Sent(number, sent));
                let (sending, stop) = sending.abortable();
                self.pending.push(Pending { number, to, text, files, stop });
                Action::Run(Task::batch([sending, operation::focus(WRITE)]))
            }
            Who::Requests => Action::None,
        }
    }

    /// What was said to the robot before this window opened, once.
    pub(super) fn recall(&mut self, context: &Context<'_>) -> Action<Message> {
        match context.backend.filter(|_| self.robot.begins()) {
            Some(backend) => {
                Action::Run(Task::perform(backend.clone().remembered(), Message::Remembered))
            }
            None => Action::None,
        }
    }

    /// What was said to the robot is kept for the next window.
    pub(super) fn keep_robot(&mut self, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else { return Action::None };
        self.numbers += 1;
        let kept = backend.clone().remember(self.numbers, self.robot.exchanges());
        Action::Run(Task::perform(kept, |()| Message::Nothing))
    }

    pub(super) fn ask_again(&mut self, number: u64, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else { return Action::None };
        let Some(text) = self.robot.again(number) else { return Action::None };
        let said = backend.clone().say(text);
        Action::Run(Task::perform(said, move |said| Message::Said(number, said)))
    }

    pub(super) fn sent(
        &mut self,
        number: u64,
        sent: Result<Box<Outgoing>, Failed>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let at = self.pending.iter().position(|one| one.number == number);
        let Some(pending) = at.map(|at| self.pending.remove(at)) else { return Action::None };
        match sent {
            Ok(sent) => {
                let to = sent.to.clone();
                self.book.put(Entry::Went(*sent));
                super::together([self.watch(to), self.draw_pictures()], Task::none())
            }
            Err(why) => {
                let (lang, who) = (context.lang, self.book.name(&pending.to, context.view));
                self.put_back(pending);
                let title = words::not_sent(lang, &who);
                let text =
                    words::not_sent_text(lang, why.message.say(lang).trim_end_matches(['.', '。']));
                Action::Ask(Dialog { text, ..failed(title, why.message, context) })
            }
        }
    }

    /// What was not sent stands in the field again, before what was written since.
    pub(super) fn put_back(&mut self, pending: Pending) {
        let draft = self.drafts.entry(Who::Person(pending.to)).or_default();
        let since = draft.text();
        draft.write(&match since.is_empty() {
            true => pending.text,
            false => format!("{} {since}", pending.text),
        });
        let since = std::mem::replace(&mut draft.files, pending.files);
        for file in since {
            if !draft.files.contains(&file) {
                draft.files.push(file);
            }
        }
    }

    /// A letter came, or something about one changed.
    pub(super) fn letter(&mut self, news: News, context: &Context<'_>) -> Action<Message> {
        let from = match &news {
            News::Came(letter) => Some(letter.from.clone()),
            News::Went(_) | News::Gone(_) => None,
        };
        let is_new = self.book.hear(news);
        let Some(from) = from.filter(|_| is_new) else { return self.draw_pictures() };
        let showing = context.screen == Screen::Chat;
        if showing && self.chosen == Some(Who::Person(from.clone())) {
            return super::together([self.see(context), self.draw_pictures()], Task::none());
        }
        let (kept, lang) = (context.settings, context.lang);
        let name = self.book.name(&from, context.view);
        let asks = self.book.asks(&from, &kept.accepted);
        let title = match asks {
            true if kept.notice_strangers => words::asks(lang, &name),
            false if kept.notice_mail => words::wrote(lang, &name),
            _ => return Action::None,
        };
        // What a stranger wrote is not shown before somebody wants to look.
        let said = self.book.with(&from).and_then(|talk| talk.entries.last()?.text());
        let text = said.filter(|_| !asks).map(|text| text.chars().take(120).collect());
        let who = if asks { Who::Requests } else { Who::Person(from) };
        Action::Notice(Toast {
            tone: Tone::Primary,
            icon: Icon::MessageCircle,
            title,
            text: text.unwrap_or_default(),
            action: Some((words::open(lang).to_owned(), Message::Open(who))),
        })
    }

    /// The chosen person's letters are before the eyes now.
    pub(super) fn see(&mut self, context: &Context<'_>) -> Action<Message> {
        let (Some(Who::Person(id)), Some(backend)) = (&self.chosen, context.backend) else {
            return Action::None;
        };
        if self.book.asks(id, &context.settings.accepted) {
            return Action::None;
        }
        let Some(talk) = self.book.with(id) else { return Action::None };
        let ids: Vec<_> = talk.unseen().map(|entry| entry.id().to_owned()).collect();
        match ids.is_empty() {
            true => Action::None,
            false => Action::Run(Task::perform(backend.clone().seen(ids), Message::Done)),
        }
    }

    /// Makes small copies of the pictures that show.
    pub(super) fn draw_pictures(&mut self) -> Action<Message> {
        let Some(Who::Person(id)) = &self.chosen else { return Action::None };
        let Some(talk) = self.book.with(id) else { return Action::None };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in &talk.entries[self.shown.of(talk.entries.len())] {
            match entry {
                Entry::Went(one) => paths.extend(one.files.iter().cloned()),
                Entry::Came(one) => {
                    paths.extend(self.saved.get(&one.id).into_iter().flatten().cloned())
                }
            }
        }
        paths.retain(|path| {
            is_picture(&path.to_string_lossy()) && !self.pictures.contains_key(path)
        });
        let mut tasks = Vec::new();
        for path in paths {
            self.pictures.insert(path.clone(), None);
            let made = pictures::small(path.clone(), SMALL.0, SMALL.1);
            tasks.push(Task::perform(made, move |made| Message::Small(path.clone(), made)));
        }
        Action::Run(Task::batch(tasks))
    }

    pub(super) fn save(
        &mut self,
        id: String,
        folder: Option<PathBuf>,
        context: &Context<'_>,
    ) -> Action<Message> {
        let (Some(folder), Some(backend)) = (folder, context.backend) else { return Action::None };
        if !self.saving.insert(id.clone()) {
            return Action::None;
        }
        let saved = backend.clone().save(id.clone(), folder);
        Action::Run(Task::perform(saved, move |saved| Message::Saved(id.clone(), saved)))
    }

    pub(super) fn were_saved(
        &mut self,
        id: String,
        saved: Result<Vec<PathBuf>, Reason>,
        context: &Context<'_>,
    ) -> Action<Message> {
        self.saving.remove(&id);
        match saved {
            Ok(paths) => {
                self.saved.insert(id, paths);
                self.draw_pictures()
            }
            Err(why) => {
                let lang = context.lang;
                let text = words::not_saved_why(lang, why.say(lang).trim_end_matches(['.', '。']));
                Action::Ask(Dialog { text, ..failed(words::not_saved(lang), why, context) })
            }
        }
    }

    /// Letters from or to somebody may be moving.
    pub(super) fn watch(&mut self, with: String) -> Action<Message> {
        if !self.watched.insert(with.clone()) {
            return Action::None;
        }
        Action::Run(Task::perform(tokio::time::sleep(LOOK), move |()| Message::Look(with.clone())))
    }

    /// The same for everybody for whom something waits here.
    pub(super) fn watch_queued(&mut self) -> Action<Message> {
        let waiting: Vec<_> = self.book.queued().map(str::to_owned).collect();
        let looks: Vec<_> = waiting.into_iter().map(|with| self.watch(with)).collect();
        super::together(looks, Task::none())
    }

    pub(super) fn look(&mut self, with: String, context: &Context<'_>) -> Action<Message> {
        let Some(backend) = context.backend else {
            self.watched.remove(&with);
            return Action::None;
        };
        let found = backend.clone().moving(with.clone());
        Action::Run(Task::perform(found, move |found| Message::Looked(with.clone(), found)))
    }

    pub(super) fn looked(
        &mut self,
        with: String,
        found: Result<(Vec<Outgoing>, Vec<Coming>), Reason>,
    ) -> Action<Message> {
        self.watched.remove(&with);
        // Somebody whom the post does not know (yet) has nothing on the way.
        let Ok((went, coming)) = found else { return Action::None };
        self.book.moved(&with, went, coming);
        match self.book.with(&with).is_some_and(super::letters::Conversation::is_moving) {
            true => self.watch(with),
            false => Action::None,
        }
    }
}
