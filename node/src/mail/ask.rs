//! What a person asks of the post office, and what it tells: the same here and over the control
//! socket.

use std::path::PathBuf;

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::{
    envelope::{Envelope, EnvelopeId},
    letter::{Contents, Draft, SealError},
    post::{MailError, Post, Who},
    records::{Received, Sent, Stage},
};
use crate::{
    client::FailureKind,
    identity::fingerprint,
    say::{Reason, Say as _, reasons},
};

/// What a person asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Ask {
    /// Write to somebody. Answered with [`Told::Sent`].
    Send {
        /// A client id, a fingerprint or a nickname.
        to: String,
        /// The text.
        text: Option<String>,
        /// Files and folders, with absolute paths.
        paths: Vec<PathBuf>,
        /// For how long it may wait, in milliseconds; 21 days at most, and where nothing is said.
        #[serde(default)]
        wait_ms: Option<u64>,
    },
    /// What was sent. Answered with [`Told::Outbox`].
    Outbox,
    /// What came. Answered with [`Told::Inbox`].
    Inbox {
        /// Only letters from this person, and those to them.
        with: Option<String>,
    },
    /// One letter that came; its person sees it now. Answered with [`Told::Letter`].
    Read {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Save the files of a letter. Answered with [`Told::Saved`].
    Save {
        /// Its id, or the beginning of it.
        id: String,
        /// Into which folder.
        folder: PathBuf,
    },
    /// Delete a letter that came, or one that was sent and is over. Answered with [`Told::Done`].
    Delete {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Let a letter that is on its way rest, out or in. Answered with [`Told::Done`].
    Pause {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Let it go on. Answered with [`Told::Done`].
    Resume {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Take a letter back. Answered with [`Told::Done`].
    Cancel {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Send a letter that will not arrive once more. Answered with [`Told::Sent`].
    Resend {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Who can be written to. Answered with [`Told::People`].
    People,
}

/// What the post office tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// A letter that is on its way.
    Sent(Box<Outgoing>),
    /// Letters that were sent, oldest first.
    Outbox(Vec<Outgoing>),
    /// Letters that came, oldest first; with somebody's name given, also those to them.
    Inbox {
        /// Those that came.
        came: Vec<Incoming>,
        /// Those that went.
        went: Vec<Outgoing>,
        /// Those that are coming.
        coming: Vec<Coming>,
    },
    /// A letter that came.
    Letter(Box<Incoming>),
    /// Where files were saved.
    Saved(Vec<PathBuf>),
    /// Who was met.
    People(Vec<Contact>),
    /// It is done.
    Done,
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    /// What a program should make of it.
    pub kind: FailureKind,
    /// What a person should make of it.
    pub message: Reason,
}

/// A letter that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Its id.
    pub id: String,
    /// The recipient's client id.
    pub to: String,
    /// Their nickname.
    pub to_name: String,
    /// The text.
    pub text: Option<String>,
    /// Files and folders that went with it.
    pub files: Vec<PathBuf>,
    /// Bytes of all that.
    pub bytes: u64,
    /// How far it is.
    pub stage: Stage,
    /// Nicknames or client ids of the keepers that signed for it.
    pub held_by: Vec<String>,
    /// When it was written, in Unix milliseconds.
    pub written_at: u64,
    /// When the stage was reached, likewise.
    pub changed_at: u64,
    /// Until when it may wait, likewise.
    pub expires_at: u64,
    /// Why it will never arrive.
    pub why: Option<String>,
    /// Why it is still here although somebody was there to take it.
    pub waits: Option<String>,
    /// Whether it rests until its person says otherwise.
    #[serde(default)]
    pub paused: bool,
    /// Bytes of the sealed letter, and how many of them went out to whoever takes it now.
    pub sealed: u64,
    /// Likewise.
    pub moved: Option<u64>,
}

/// A letter that is arriving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// Its id.
    pub id: String,
    /// The sender's client id.
    pub from: String,
    /// Their nickname.
    pub from_name: String,
    /// Bytes of the sealed letter.
    pub sealed: u64,
    /// How many of them are here.
    pub here: u64,
    /// Whether it rests until this node's person says otherwise.
    #[serde(default)]
    pub paused: bool,
}

/// Something about a letter changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// One that came, as it is now.
    Came(Box<Incoming>),
    /// One that was sent, as it is now.
    Went(Box<Outgoing>),
    /// One that was deleted, or replaced by another; its id.
    Gone(String),
}

/// A letter that came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    /// Its id.
    pub id: String,
    /// The sender's client id.
    pub from: String,
    /// Their nickname.
    pub from_name: String,
    /// Whether nobody here ever wrote to them.
    pub stranger: bool,
    /// What is in it; `None` while it is being opened, and where it cannot be.
    pub contents: Option<Contents>,
    /// Why it cannot be believed.
    pub trouble: Option<String>,
    /// When it was written, by the sender's clock, in Unix milliseconds.
    pub written_at: u64,
    /// When it came, likewise.
    pub came_at: u64,
    /// Whether it was seen.
    pub seen: bool,
}

/// Somebody who was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The client id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// Whether letters can be sealed to them.
    pub takes_letters: bool,
    /// Whether their sealing key changed since they were written to, and nobody was told.
    pub new_key: bool,
    /// When they were last seen, in Unix milliseconds.
    pub seen_at: u64,
}

impl Post {
    /// Does what a person asks.
    pub async fn answer(&self, ask: Ask) -> Result<Told, Failed> {
        Ok(match ask {
            Ask::Send { to, text, paths, wait_ms } => {
                let who = self.find(&to)?;
                let sent = self.send(&who, Draft { text, paths }, wait_ms).await?;
                Told::Sent(Box::new(self.outgoing(sent)))
            }
            Ask::Outbox => {
                Told::Outbox(self.sent().into_iter().map(|s| self.outgoing(s)).collect())
            }
            Ask::Inbox { with } => {
                let who =
                    with.map(|name| self.find(&name)).transpose()?.map(|who| who.id.to_bytes());
                let fits = |id: &Vec<u8>| who.as_ref().is_none_or(|who| who == id);
                let came = self.received().into_iter().filter(|one| fits(&one.outside.from));
                let came = came.map(|one| self.incoming(one)).collect();
                let went =
                    self.sent().into_iter().filter(|one| who.as_ref() == Some(&one.outside.to));
                let went = went.map(|one| self.outgoing(one)).collect();
                let resting = self.0.pauses.arriving();
                let mut coming = self.0.arrivals.to_person();
                coming.retain(|one| resting.iter().all(|other| other.id != one.id));
                let coming = resting.into_iter().chain(coming);
                let coming = coming.filter(|one| fits(&one.from)).map(|one| self.coming(&one));
                Told::Inbox { came, went, coming: coming.collect() }
            }
            Ask::Read { id } => {
                let one = self.read(self.letter_called(&id)?).await?;
                Told::Letter(Box::new(self.incoming(one)))
            }
            Ask::Save { id, folder } => {
                Told::Saved(self.save(self.letter_called(&id)?, &folder).await?)
            }
            Ask::Delete { id } => {
                self.delete(self.letter_called(&id)?).await?;
                Told::Done
            }
            Ask::Pause { id } => {
                self.pause(self.letter_called(&id)?).await?;
                Told::Done
            }
            Ask::Resume { id } => {
                self.resume(self.letter_called(&id)?).await?;
                Told::Done
            }
            Ask::Cancel { id } => {
                self.cancel(self.letter_called(&id)?).await?;
                Told::Done
            }
            Ask::Resend { id } => {
                let sent = self.resend(self.letter_called(&id)?).await?;
                Told::Sent(Box::new(self.outgoing(sent)))
            }
            Ask::People => Told::People(self.people().into_iter().map(contact).collect()),
        })
    }

    fn name_of(&self, id: Option<PeerId>) -> String {
        let Some(id) = id else { return String::new() };
        let named = self.0.whom().contacts.name_of(&id).map(str::to_owned);
        named.unwrap_or_else(|| {
            self.0.lock().people.get(&id).map_or_else(String::new, |p| p.name.clone())
        })
    }

    fn outgoing(&self, sent: Sent) -> Outgoing {
        let to = sent.outside.recipient();
        let holder = |id: &PeerId| match self.name_of(Some(*id)) {
            name if name.is_empty() => id.to_string(),
            name => name,
        };
        Outgoing {
            id: sent.outside.id.to_string(),
            to: to.map_or_else(String::new, |id| id.to_string()),
            to_name: self.name_of(to),
            held_by: sent.holders.iter().map(holder).collect(),
            text: sent.draft.text,
            files: sent.draft.paths,
            bytes: sent.bytes,
            stage: sent.stage,
            written_at: sent.outside.written_at,
            changed_at: sent.changed_at,
            expires_at: sent.outside.expires_at,
            waits: self.waits(&sent.outside.id, sent.stage),
            moved: self.0.moved(&sent.outside.hash).filter(|_| !sent.stage.is_over()),
            sealed: sent.outside.size,
            paused: sent.paused && !sent.stage.is_over(),
            why: sent.why,
        }
    }

    /// Why somebody who was there did not take a letter.
    fn waits(&self, id: &EnvelopeId, stage: Stage) -> Option<String> {
        if stage != Stage::Queued {
            return None;
        }
        let declined = self.0.all_declined().get(id).cloned()?;
        let (who, said) = declined.iter().max_by_key(|(_, said)| said.until)?;
        let name = self.name_of(Some(*who));
        let name = if name.is_empty() { fingerprint(who) } else { name };
        Some(format!("{name}: {}", said.why))
    }

    /// What is to be told about a letter that changed.
    pub(crate) fn news(&self, id: EnvelopeId) -> News {
        let state = self.0.lock();
        let (sent, received) = (state.sent.get(&id).cloned(), state.received.get(&id).cloned());
        drop(state);
        match (received, sent) {
            (Some(one), _) => News::Came(Box::new(self.incoming(one))),
            (None, Some(one)) => News::Went(Box::new(self.outgoing(one))),
            (None, None) => News::Gone(id.to_string()),
        }
    }

    fn coming(&self, outside: &Envelope) -> Coming {
        let from = outside.sender();
        let resting = self.0.pauses.here(&outside.id);
        Coming {
            id: outside.id.to_string(),
            from: from.map_or_else(String::new, |id| id.to_string()),
            from_name: self.name_of(from),
            sealed: outside.size,
            here: resting.or_else(|| self.0.arrived(&outside.hash)).unwrap_or_default(),
            paused: resting.is_some(),
        }
    }

    fn incoming(&self, one: Received) -> Incoming {
        let from = one.outside.sender();
        Incoming {
            id: one.outside.id.to_string(),
            from: from.map_or_else(String::new, |id| id.to_string()),
            from_name: self.name_of(from),
            stranger: one.stranger,
            contents: one.contents,
            trouble: one.trouble,
            written_at: one.outside.written_at,
            came_at: one.came_at,
            seen: one.seen_at.is_some(),
        }
    }
}

fn contact(who: Who) -> Contact {
    Contact {
        id: who.id.to_string(),
        name: who.person.name,
        takes_letters: who.person.sealing.is_some(),
        new_key: who.person.renewed,
        seen_at: who.person.seen_at,
    }
}

impl Failed {
    /// This node has no mail.
    pub(crate) fn no_mail() -> Self {
        Self { kind: FailureKind::NobodyServes, message: reasons::no_mail() }
    }
}

impl From<MailError> for Failed {
    fn from(error: MailError) -> Self {
        let kind = match &error {
            MailError::NoKey(_) => FailureKind::NobodyServes,
            MailError::NewKey(_) => FailureKind::Refused,
            MailError::Store(_) | MailError::Disk(_) | MailError::Sign(_) => {
                FailureKind::PeerFailed
            }
            MailError::Seal(SealError::Disk(_)) | MailError::Unpack(_) => FailureKind::PeerFailed,
            _ => FailureKind::BadInput,
        };
        Self { kind, message: error.reason() }
    }
}
