//! What a node remembers of letters and people.

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::{
    envelope::{Envelope, Receipt, SignedEnvelope, SignedReceipt},
    letter::{Contents, Draft},
};

/// A letter of this node's person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Its envelope, as it was signed; the parts of it that are shown stand in `outside`.
    pub signed: SignedEnvelope,
    /// What the envelope says.
    pub outside: Envelope,
    /// What was written, to be sent again by one command.
    pub draft: Draft,
    /// Bytes of all files and the text.
    pub bytes: u64,
    /// How far it is.
    pub stage: Stage,
    /// Keepers that signed for it.
    #[serde(with = "peers")]
    pub holders: Vec<PeerId>,
    /// Keepers that signed for it and could not prove later that they have it.
    #[serde(with = "peers", default)]
    pub lost: Vec<PeerId>,
    /// When the stage was reached, in Unix milliseconds.
    pub changed_at: u64,
    /// Why it will never arrive, for a person.
    pub why: Option<String>,
    /// Whether it rests until its person says otherwise.
    #[serde(default)]
    pub paused: bool,
}

/// How far a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// On this node's disk.
    Queued,
    /// Keepers have it: this node may go off.
    Held,
    /// The recipient has it.
    Delivered,
    /// The recipient's person has seen it.
    Read,
    /// The recipient could not take it.
    Refused,
    /// Nobody took it in time.
    Expired,
    /// Its sender took it back before it was delivered.
    Cancelled,
}

/// A letter to this node's person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// What the envelope says.
    pub outside: Envelope,
    /// When it came, in Unix milliseconds.
    pub came_at: u64,
    /// What is in it; `None` while it is being opened, and where it cannot be.
    pub contents: Option<Contents>,
    /// Why it cannot be believed, for a person.
    pub trouble: Option<String>,
    /// Whether its sender was unknown when it came.
    pub stranger: bool,
    /// When the person saw it.
    pub seen_at: Option<u64>,
    /// What its sender has not been told yet.
    pub owed: Option<SignedReceipt>,
}

/// A letter that is kept for somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its envelope, as it was signed.
    pub signed: SignedEnvelope,
    /// What the envelope says.
    pub outside: Envelope,
    /// When it came, in Unix milliseconds.
    pub came_at: u64,
}

/// An envelope that is done with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Until when that is remembered.
    pub until: u64,
    /// What became of it, to be told to its sender and to whoever brings it again.
    pub receipt: SignedReceipt,
    /// Whether its sender has still to be told.
    pub owed: bool,
    /// The sender's client id.
    pub sender: String,
}

/// Somebody whom this node has met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The nickname.
    pub name: String,
    /// What letters are sealed to.
    pub sealing: Option<String>,
    /// When that key was first seen, in Unix milliseconds.
    pub sealing_since: u64,
    /// Whether letters were sealed to another key before, and the person was not told yet.
    pub renewed: bool,
    /// When the node was last seen, likewise.
    pub seen_at: u64,
    /// Whether this node's person wrote to it.
    pub written_to: bool,
    /// The number of the last letter to it.
    pub last_number: u64,
}

impl Stage {
    /// Whether nothing more will happen but perhaps that it is read.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Held)
    }

    /// Whether it will never arrive.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Refused | Self::Expired)
    }
}

impl Sent {
    /// Takes in what somebody says became of it. Says whether that is news. Only the recipient can
    /// say that it arrived.
    pub fn hear(&mut self, receipt: &Receipt, now: u64) -> bool {
        use super::envelope::Fate;
        let Some(by) = receipt.author() else { return false };
        if receipt.envelope != self.outside.id || receipt.hash != self.outside.hash {
            return false;
        }
        let recipient = Some(by) == self.outside.recipient();
        let stage = match receipt.fate {
            Fate::Held if !recipient && !self.stage.is_over() => {
                if self.holders.contains(&by) || self.lost.contains(&by) {
                    return false;
                }
                self.holders.push(by);
                Stage::Held
            }
            Fate::Delivered if recipient && self.stage != Stage::Read => Stage::Delivered,
            Fate::Read if recipient => Stage::Read,
            Fate::Refused if recipient && self.stage != Stage::Read => {
                self.why =
                    receipt.why.clone().or_else(|| Some("the recipient refused it".to_owned()));
                Stage::Refused
            }
            _ => return false,
        };
        let news = self.stage != stage || stage == Stage::Held;
        if news {
            (self.stage, self.changed_at) = (stage, now);
        }
        news
    }
}

impl Sent {
    /// A keeper does not have it, whatever it signed. Says whether that is news.
    pub fn lost_by(&mut self, keeper: &PeerId, now: u64) -> bool {
        let before = self.holders.len();
        self.holders.retain(|holder| holder != keeper);
        if self.holders.len() == before {
            return false;
        }
        self.lost.push(*keeper);
        if self.holders.is_empty() && self.stage == Stage::Held {
            (self.stage, self.changed_at) = (Stage::Queued, now);
        }
        true
    }
}

/// Client ids as texts.
mod peers {
    use libp2p::PeerId;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(ids: &[PeerId], to: S) -> Result<S::Ok, S::Error> {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PeerId>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}
