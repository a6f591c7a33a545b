//! Letters and the robot: what the chat asks of the node.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use potluck::{
    client::{Call, FailureKind, Served, decode, encode},
    mail::{
        Ask, Failed, Told,
        ask::{Coming, Contact, Incoming, Outgoing},
    },
    say::{Reason, Say as _},
    services::chat,
};
use serde::{Deserialize, Serialize};

use super::Backend;

/// How long the robot may think.
const PATIENCE: Duration = Duration::from_secs(10);

/// All letters, and who can be written to.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// This node's own client id.
    pub me: String,
    /// Those that came.
    pub came: Vec<Incoming>,
    /// Those that went.
    pub went: Vec<Outgoing>,
    /// Those that are arriving.
    pub coming: Vec<Coming>,
    /// Who was met.
    pub people: Vec<Contact>,
}

/// What the robot said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The answer.
    pub text: String,
    /// Who answered.
    pub by: Served,
    /// From question to answer.
    pub milliseconds: u64,
}

impl Backend {
    /// All letters and people.
    pub async fn letters(self) -> Result<Letters, Reason> {
        let Told::Inbox { came, coming, .. } = self.post(Ask::Inbox { with: None }).await? else {
            return Err(unexpected());
        };
        let Told::Outbox(went) = self.post(Ask::Outbox).await? else { return Err(unexpected()) };
        let Told::People(people) = self.post(Ask::People).await? else { return Err(unexpected()) };
        let me = self.client.id().to_string();
        Ok(Letters { me, came, went, coming, people })
    }

    /// How far letters from and to one person are.
    pub async fn moving(self, with: String) -> Result<(Vec<Outgoing>, Vec<Coming>), Reason> {
        match self.post(Ask::Inbox { with: Some(with) }).await? {
            Told::Inbox { went, coming, .. } => Ok((went, coming)),
            _ => Err(unexpected()),
        }
    }

    /// Writes to somebody. The letter is on the disk when this returns.
    pub async fn send(
        self,
        to: String,
        text: Option<String>,
        paths: Vec<PathBuf>,
    ) -> Result<Box<Outgoing>, Failed> {
        match self.client.mail(Ask::Send { to, text, paths, wait_ms: None }).await? {
            Told::Sent(sent) => Ok(sent),
            _ => Err(Failed { kind: FailureKind::PeerFailed, message: unexpected() }),
        }
    }

    /// Sends once more what will not arrive.
    pub async fn resend(self, id: String) -> Result<Box<Outgoing>, Reason> {
        match self.post(Ask::Resend { id }).await? {
            Told::Sent(sent) => Ok(sent),
            _ => Err(unexpected()),
        }
    }

    /// The person has these letters before their eyes.
    pub async fn seen(self, ids: Vec<String>) -> Result<(), Reason> {
        for id in ids {
            self.post(Ask::Read { id }).await?;
        }
        Ok(())
    }

    /// A letter that is on its way rests, or goes on.
    pub async fn rest(self, id: String, rests: bool) -> Result<(), Reason> {
        let ask = if rests { Ask::Pause { id } } else { Ask::Resume { id } };
        self.post(ask).await.map(drop)
    }

    /// Deletes letters that came, or were sent and are over.
    pub async fn delete(self, ids: Vec<String>) -> Result<(), Reason> {
        for id in ids {
            self.post(Ask::Delete { id }).await?;
        }
        Ok(())
    }

    /// Takes a letter back.
    pub async fn take_back(self, id: String) -> Result<(), Reason> {
        self.post(Ask::Cancel { id }).await.map(drop)
    }

    /// Saves the files of a letter; nothing is overwritten.
    pub async fn save(self, id: String, folder: PathBuf) -> Result<Vec<PathBuf>, Reason> {
        match self.post(Ask::Save { id, folder }).await? {
            Told::Saved(paths) => Ok(paths),
            _ => Err(unexpected()),
        }
    }

    /// Where files are saved unless somebody says otherwise.
    pub fn downloads(&self) -> PathBuf {
        dirs::download_dir().or_else(dirs::home_dir).unwrap_or_else(|| self.data_dir.join("saved"))
    }

    /// Says something to the robot.
    pub async fn say(self, text: String) -> Result<Said, Reason> {
        let args = encode(&chat::Request { text }).map_err(|error| error.reason())?;
        let call = Call {
            capability: "chat/1".to_owned(),
            variant: None,
            args,
            input: None,
            timeout: PATIENCE,
            only: None,
            progress: None,
        };
        let reply = self.client.call(call).await.map_err(|failure| failure.message)?;
        let answer: chat::Response = decode(&reply.body).map_err(|error| error.reason())?;
        let milliseconds = reply.milliseconds;
        Ok(Said { text: answer.text, by: reply.served_by, milliseconds })
    }

    async fn post(&self, ask: Ask) -> Result<Told, Reason> {
        self.client.mail(ask).await.map_err(|failed| failed.message)
    }
}

/// What somebody typed or pasted as a path: `~` is their home, quotes around it go.
pub fn typed_path(text: &str) -> Option<PathBuf> {
    let text = text.trim().trim_matches(['"', '\'']);
    let path = match text.strip_prefix("~/") {
        Some(rest) => dirs::home_dir()?.join(rest),
        None => Path::new(text.strip_prefix("file://").unwrap_or(text)).to_owned(),
    };
    // The node may work in another folder.
    (!text.is_empty()).then(|| std::path::absolute(path).ok()).flatten()
}

fn unexpected() -> Reason {
    "the node answered something else; it may be of another version".into()
}
