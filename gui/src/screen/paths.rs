//! Files that come and go: chosen in a dialog, dropped, pasted, or typed where there are no dialogs. The common part of
//! all screens that work on files; each says with a purpose of its own what a path is for.

use std::path::{Path, PathBuf};

use iced::{
    Task,
    keyboard::{Key, Modifiers},
};

use super::{Action, Dropped};
use potluck::say::Reason;

use crate::{
    backend::files::{self, Chosen, Source},
    icon::Icon,
    theme::{Element, Tone},
    widget::{PLACE, Place, Toast},
    words::{Lang, asking},
};

/// How a path is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wants {
    /// Over the dialog and the card.
    pub title: &'static str,
    /// On the button of the card.
    pub go: &'static str,
    /// What stands in the card at first: where something would go.
    pub name: String,
    /// What is chosen.
    pub what: What,
}

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Files that are there, with these endings.
    Files(&'static [&'static str]),
    /// Where a file goes.
    Place,
    /// A folder in which something is made.
    Folder,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Message<P> {
    /// Something is to be chosen in a dialog.
    Choose(P),
    /// It was.
    Chosen(P, Chosen),
    /// The clipboard is to be looked at.
    Paste,
    /// What it held.
    Pasted(Vec<Source>),
    /// The card for a path opens.
    Type(P),
    /// It closes.
    Close,
    /// Something was typed into it.
    Typed(String),
    /// What was typed is to be used.
    Use,
    /// Something was saved, or not.
    Saved(P, PathBuf, Result<PathBuf, Reason>),
}

/// What follows for the screen.
pub enum Next<P> {
    /// This, and nothing more.
    Do(Action<Message<P>>),
    /// Files to work on.
    Sources(Vec<Source>),
    /// Paths for this; `typed` where a person wrote them.
    Paths {
        /// What for.
        purpose: P,
        /// The paths.
        paths: Vec<PathBuf>,
        /// Whether they were typed.
        typed: bool,
    },
}

/// The state of it.
#[derive(Debug)]
pub struct Paths<P> {
    place: Option<(P, Place)>,
    over: bool,
}

impl<P> Default for Paths<P> {
    fn default() -> Self {
        Self { place: None, over: false }
    }
}

impl<P: Copy + PartialEq + Send + 'static> Paths<P> {
    /// Something happened. `wants` says how a path is asked for.
    pub fn update(
        &mut self,
        message: Message<P>,
        wants: impl Fn(P) -> Wants,
        lang: Lang,
    ) -> Next<P> {
        match message {
            Message::Choose(purpose) => return Next::Do(choose(purpose, wants(purpose))),
            Message::Chosen(purpose, Chosen::Paths(paths)) => {
                self.place = None;
                return match wants(purpose).what {
                    What::Files(_) if paths.is_empty() => Next::Do(Action::None),
                    _ => Next::Paths { purpose, paths, typed: false },
                };
            }
            Message::Chosen(purpose, Chosen::NoDialog) => {
                let focus = self.type_in(purpose, wants(purpose));
                if let Some((_, place)) = &mut self.place {
                    place.wrong = Some(asking::no_dialogs(lang).to_owned());
                }
                return Next::Do(focus);
            }
            Message::Chosen(_, Chosen::Nothing) => {}
            Message::Paste => {
                return Next::Do(Action::Run(Task::perform(files::pasted(), Message::Pasted)));
            }
            Message::Pasted(sources) if sources.is_empty() => {
                let hint = asking::nothing_pasted_hint(lang);
                return Next::Do(told(Tone::Warning, asking::nothing_pasted(lang), hint));
            }
            Message::Pasted(sources) => return Next::Sources(sources),
            Message::Type(purpose) => return Next::Do(self.type_in(purpose, wants(purpose))),
            Message::Close => self.place = None,
            Message::Typed(text) => {
                if let Some((_, place)) = &mut self.place {
                    *place = Place { text, wrong: None };
                }
            }
            Message::Use => return self.take(wants),
            Message::Saved(_, _, Ok(path)) => {
                self.place = None;
                let path = path.display().to_string();
                return Next::Do(told(Tone::Success, &asking::saved_as(lang, &path), ""));
            }
            Message::Saved(purpose, path, Err(why)) => {
                return Next::Do(self.unsaved(purpose, &path, &why.say(lang), lang));
            }
        }
        Next::Do(Action::None)
    }

    fn take(&mut self, wants: impl Fn(P) -> Wants) -> Next<P> {
        let typed = self.place.as_mut().and_then(|(purpose, place)| {
            let path = files::typed(&place.text)?;
            // What is saved may fail, and is then written anew; of what is opened more may follow.
            if matches!(wants(*purpose).what, What::Files(_)) {
                place.text.clear();
            }
            Some((*purpose, path))
        });
        match typed {
            Some((purpose, path)) => Next::Paths { purpose, paths: vec![path], typed: true },
            None => Next::Do(Action::None),
        }
    }

    fn type_in(&mut self, purpose: P, wants: Wants) -> Action<Message<P>> {
        self.place = Some((purpose, Place { text: wants.name, wrong: None }));
        Action::Run(iced::widget::operation::focus(PLACE))
    }

    /// Says why something cannot go where it should: in the card where it was typed there.
    pub fn wrong(&mut self, purpose: P, why: &str) -> Action<Message<P>> {
        match &mut self.place {
            Some((open, place)) if *open == purpose => {
                place.wrong = Some(why.to_owned());
                Action::None
            }
            _ => told(Tone::Warning, why, ""),
        }
    }

    fn unsaved(&mut self, purpose: P, path: &Path, why: &str, lang: Lang) -> Action<Message<P>> {
        let title = asking::unsaved(lang, &path.display().to_string());
        match &self.place {
            Some((open, _)) if *open == purpose => self.wrong(purpose, &format!("{title}: {why}")),
            _ => told(Tone::Danger, &title, why),
        }
    }

    /// The card goes.
    pub fn close(&mut self) {
        self.place = None;
    }

    /// Whether the card shows.
    pub fn is_open(&self) -> bool {
        self.place.is_some()
    }

    /// Whether files are held over the window.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Files over the window; one that was let go is given.
    pub fn dropped(&mut self, dropped: &Dropped) -> Option<Source> {
        self.over = matches!(dropped, Dropped::Over);
        match dropped {
            Dropped::File(path) => Some(Source::File(path.clone())),
            Dropped::Over | Dropped::Left => None,
        }
    }

    /// The card, where it is open.
    pub fn view<'a>(
        &'a self,
        wants: impl Fn(P) -> Wants,
        lang: Lang,
    ) -> Option<Element<'a, Message<P>>> {
        let (purpose, place) = self.place.as_ref()?;
        let Wants { title, go, .. } = wants(*purpose);
        let buttons = [Message::Choose(*purpose), Message::Use, Message::Close];
        Some(place.view(lang, title, go, Message::Typed, buttons))
    }
}

/// The keys that all these screens have: `open` for Ctrl O, `save` for Ctrl S.
pub fn key<P>(
    key: &Key,
    modifiers: Modifiers,
    open: Option<P>,
    save: Option<P>,
) -> Option<Message<P>> {
    let Key::Character(letter) = key else { return None };
    if !modifiers.command() {
        return None;
    }
    match letter.as_str() {
        "o" | "O" => open.map(Message::Choose),
        "v" | "V" => Some(Message::Paste),
        "s" | "S" => save.map(Message::Choose),
        _ => None,
    }
}

fn choose<P: Copy + Send + 'static>(purpose: P, wants: Wants) -> Action<Message<P>> {
    let Wants { title, name, what, .. } = wants;
    let done = move |chosen| Message::Chosen(purpose, chosen);
    Action::Run(match what {
        What::Files(endings) => Task::perform(files::choose(title, endings), done),
        What::Place => Task::perform(files::place(title, name), done),
        What::Folder => Task::perform(files::choose_folder(title), done),
    })
}

/// A short message.
pub fn told<Message>(tone: Tone, title: &str, text: &str) -> Action<Message> {
    let icon = match tone {
        Tone::Success => Icon::CircleCheck,
        _ => Icon::TriangleAlert,
    };
    let (title, text) = (title.to_owned(), text.to_owned());
    Action::Tell(Toast { tone, icon, title, text, action: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum For {
        Open,
        Save,
    }

    fn wants(purpose: For) -> Wants {
        let what = match purpose {
            For::Open => What::Files(&["csv"]),
            For::Save => What::Place,
        };
        Wants { title: "t", go: "g", name: "out.csv".to_owned(), what }
    }

    #[test]
    fn without_dialogs_a_path_is_typed_and_a_failure_stands_where_it_was_typed() {
        let mut paths = Paths::default();
        let mut tell = |message| paths.update(message, wants, Lang::En);
        let _ = tell(Message::Chosen(For::Open, Chosen::NoDialog));
        let _ = tell(Message::Typed("/p/猫.csv".to_owned()));
        let Next::Paths { purpose, paths: given, typed } = tell(Message::Use) else { panic!() };
        assert_eq!((purpose, given, typed), (For::Open, vec!["/p/猫.csv".into()], true));
        let _ = tell(Message::Type(For::Save));
        let failed = Message::Saved(For::Save, "/p/out.csv".into(), Err("read-only".into()));
        let _ = tell(failed);
        let wrong = paths.place.as_ref().and_then(|(_, place)| place.wrong.clone());
        assert!(wrong.is_some_and(|wrong| wrong.contains("read-only")));
    }
}
