//! One file on its way: read, waiting, asked about, answered, or why not. What all screens have in common that ask
//! the mesh about files.

use iced::Task;
use potluck::client::{CallFailure, FailureKind};

use crate::{
    backend::files::{Source, Unread},
    words::{Lang, asking, recognize},
};

/// One file. `Read` is what is known of it here, `Answer` what the mesh says.
#[derive(Debug)]
pub struct Asked<Read, Answer> {
    /// Which one it is.
    pub id: u64,
    /// What people call it.
    pub name: String,
    /// Where its bytes come from.
    pub source: Source,
    /// What is known of it here, once it was read.
    pub read: Option<Read>,
    /// How it stands.
    pub state: State<Answer>,
    /// Ends its work when it goes.
    work: Option<iced::task::Handle>,
}

/// How a file stands.
#[derive(Debug)]
pub enum State<Answer> {
    /// Not yet read.
    New,
    /// It is read.
    Reading,
    /// It may be asked about.
    Waiting,
    /// It is asked about.
    Running,
    /// The answer.
    Done(Answer),
    /// Why there is none.
    Failed(Trouble),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The file is not what is wanted, or cannot be read.
    File(Unread),
    /// The mesh gave none.
    Mesh(CallFailure),
    /// One came that cannot be used, for a reason.
    Odd(String),
    /// The person stopped it.
    Stopped,
}

/// What a screen says of files and answers that do not fit it.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The file is something else: in a few words, and what would fit.
    pub not_it: [fn(Lang) -> &'static str; 2],
    /// There is no answer.
    pub failed: fn(Lang) -> &'static str,
    /// The answer does not fit the file.
    pub odd: fn(Lang) -> &'static str,
}

/// A trouble as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What happened, in a few words.
    pub title: &'static str,
    /// Why, and what to do.
    pub hint: &'static str,
    /// For somebody who helps.
    pub details: Option<String>,
}

impl<Read, Answer> Asked<Read, Answer> {
    /// A file that was chosen.
    pub fn new(id: u64, name: String, source: Source) -> Self {
        Self { id, name, source, read: None, state: State::New, work: None }
    }

    /// The answer, where there is one.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.state {
            State::Done(answer) => Some(answer),
            _ => None,
        }
    }

    /// Work on it starts; it ends when the file goes.
    pub fn start<Message: 'static>(
        &mut self,
        state: State<Answer>,
        task: Task<Message>,
    ) -> Task<Message> {
        let (task, handle) = task.abortable();
        self.work = Some(handle.abort_on_drop());
        self.state = state;
        task
    }

    /// It was read, or not.
    pub fn was_read(&mut self, read: Result<Read, Unread>) {
        // What was stopped meanwhile stays stopped.
        if !matches!(self.state, State::New | State::Reading) {
            return;
        }
        self.work = None;
        match read {
            Ok(read) => {
                self.read = Some(read);
                self.state = State::Waiting;
            }
            Err(why) => self.state = State::Failed(Trouble::File(why)),
        }
    }

    /// The mesh answered, or not.
    pub fn answered(&mut self, answer: Result<Answer, Trouble>) {
        if !matches!(self.state, State::Waiting | State::Running) {
            return;
        }
        self.work = None;
        self.state = match answer {
            Ok(answer) => State::Done(answer),
            Err(trouble) => State::Failed(trouble),
        };
    }

    /// Ends what is under way.
    pub fn stop(&mut self) {
        if !matches!(self.state, State::Done(_) | State::Failed(_)) {
            self.work = None;
            self.state = State::Failed(Trouble::Stopped);
        }
    }

    /// Whether another try may help.
    pub fn may_again(&self) -> bool {
        match &self.state {
            State::Failed(Trouble::File(Unread::NotIt(_))) => false,
            State::Failed(Trouble::Mesh(failure)) => failure.kind != FailureKind::BadInput,
            State::Failed(_) => true,
            _ => false,
        }
    }

    /// Tries once more what failed.
    pub fn again(&mut self) {
        if matches!(self.state, State::Failed(_)) {
            self.state = if self.read.is_some() { State::Waiting } else { State::New };
        }
    }
}

impl Trouble {
    /// The same in words.
    pub fn said(&self, lang: Lang, words: Words) -> Said {
        let (title, hint, details) = match self {
            Self::File(Unread::NotIt(why)) => {
                ((words.not_it[0])(lang), (words.not_it[1])(lang), Some(why.clone()))
            }
            Self::File(Unread::Unreadable(why)) => {
                (recognize::unreadable(lang), recognize::unreadable_hint(lang), Some(why.clone()))
            }
            Self::Mesh(failure) => {
                let details = Some(asking::details(failure));
                ((words.failed)(lang), asking::failure(lang, failure), details)
            }
            Self::Odd(why) => ((words.failed)(lang), (words.odd)(lang), Some(why.clone())),
            Self::Stopped => (recognize::is_stopped(lang), recognize::stopped_hint(lang), None),
        };
        Said { title, hint, details }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Number = Asked<u8, u8>;

    fn new() -> Number {
        Asked::new(0, "猫.jpg".to_owned(), Source::File("/p/猫.jpg".into()))
    }

    #[test]
    fn what_comes_late_changes_nothing() {
        let mut file = new();
        file.stop();
        file.was_read(Ok(1));
        file.answered(Ok(2));
        assert!(matches!(file.state, State::Failed(Trouble::Stopped)));
        file.again();
        file.was_read(Ok(1));
        file.answered(Ok(2));
        assert_eq!(file.answer(), Some(&2));
        // An answer stays: there is nothing to stop or to try again.
        file.stop();
        file.again();
        assert_eq!(file.answer(), Some(&2));
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let mut file = new();
        file.was_read(Ok(1));
        file.answered(Err(Trouble::Odd("no answer".to_owned())));
        file.again();
        assert!(matches!(file.state, State::Waiting));
        let mut file = new();
        file.was_read(Err(Unread::NotIt("an archive".to_owned())));
        assert!(!file.may_again());
        file.again();
        assert!(matches!(file.state, State::New));
    }
}
