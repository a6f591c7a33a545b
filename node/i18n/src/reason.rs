//! A sentence that somebody reads later, perhaps in another process and another language.

use std::{fmt, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Arg, Lang, book};

/// Why something is as it is. It keeps its English, and the key and values by which it is said in
/// other languages; a text that came from elsewhere has its English, or whatever it is in, alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reason {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<Box<Words>>,
}

/// The key of a sentence and its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Words {
    key: String,
    args: Vec<(String, Value)>,
}

/// A value in a sentence that is said later.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A text that is the same in all languages.
    Text(String),
    /// A sentence of its own.
    Reason(Box<Reason>),
}

/// How deeply sentences may stand in each other: what came from elsewhere is not trusted.
const DEPTH: usize = 4;
/// Values of one sentence.
const VALUES: usize = 12;

impl Reason {
    /// A sentence of a file that has English too.
    pub fn new<const N: usize>(key: &str, args: [(&str, Value); N]) -> Self {
        let words = Words::new(key, args);
        let text = words.say(Lang::En, DEPTH).unwrap_or_else(|| key.to_owned());
        Self { text, words: Some(Box::new(words)) }
    }

    /// A sentence whose English stands in the code.
    pub fn in_code<const N: usize>(
        text: impl fmt::Display,
        key: &str,
        args: [(&str, Value); N],
    ) -> Self {
        Self { text: text.to_string(), words: Some(Box::new(Words::new(key, args))) }
    }

    /// English that came with or without its words.
    pub fn from_parts(text: impl Into<String>, words: Option<Words>) -> Self {
        Self { text: text.into(), words: words.map(Box::new) }
    }

    /// In a language. What has no words there is English.
    pub fn say(&self, lang: Lang) -> String {
        self.say_within(lang, DEPTH)
    }

    /// The English.
    pub fn english(&self) -> &str {
        &self.text
    }

    /// What it is said by in other languages.
    pub fn words(&self) -> Option<&Words> {
        self.words.as_deref()
    }

    fn say_within(&self, lang: Lang, depth: usize) -> String {
        let said = || self.words.as_ref()?.say(lang, depth);
        match lang {
            Lang::En => self.text.clone(),
            Lang::Zh => said().unwrap_or_else(|| self.text.clone()),
        }
    }
}

impl Words {
    fn new<const N: usize>(key: &str, args: [(&str, Value); N]) -> Self {
        let args = args.map(|(name, value)| (name.to_owned(), value));
        Self { key: key.to_owned(), args: args.into() }
    }

    /// Bytes of all texts in it, and whether it is no deeper and no longer than a sentence may be.
    pub fn measure(&self) -> Option<usize> {
        self.measure_within(DEPTH)
    }

    fn measure_within(&self, depth: usize) -> Option<usize> {
        let depth = depth.checked_sub(1)?;
        let mut bytes = self.key.len();
        for (name, value) in &self.args {
            bytes += name.len();
            bytes += match value {
                Value::Number(_) => 8,
                Value::Text(text) => text.len(),
                Value::Reason(inner) => {
                    let words = inner.words.as_ref();
                    inner.text.len() + words.map_or(Some(0), |words| words.measure_within(depth))?
                }
            };
        }
        (self.args.len() <= VALUES).then_some(bytes)
    }

    fn say(&self, lang: Lang, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let args = self.args.iter().map(|(name, value)| {
            let value = match value {
                Value::Number(number) => Arg::from(*number),
                Value::Text(text) => Arg::from(text.as_str()),
                Value::Reason(inner) => Arg::from(inner.say_within(lang, depth)),
            };
            (name.as_str(), value)
        });
        book::whole(lang, &self.key, args)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Its English.
impl std::ops::Deref for Reason {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// Compared by its English.
impl PartialEq<&str> for Reason {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self { text, words: None }
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// What the system says, which speaks one language only; what is usual is said in words.
impl From<&io::Error> for Reason {
    fn from(error: &io::Error) -> Self {
        let key = match error.kind() {
            io::ErrorKind::NotFound => "errors-io-not-found",
            io::ErrorKind::PermissionDenied => "errors-io-denied",
            io::ErrorKind::StorageFull => "errors-io-full",
            io::ErrorKind::ReadOnlyFilesystem => "errors-io-read-only",
            io::ErrorKind::AlreadyExists => "errors-io-exists",
            io::ErrorKind::AddrInUse => "errors-io-address-in-use",
            io::ErrorKind::ConnectionRefused => "errors-io-refused",
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "errors-io-reset",
            io::ErrorKind::UnexpectedEof => "errors-io-ends",
            io::ErrorKind::TimedOut => "errors-io-timed-out",
            io::ErrorKind::NotADirectory => "errors-io-no-folder",
            io::ErrorKind::IsADirectory => "errors-io-folder",
            _ => return error.to_string().into(),
        };
        Self::in_code(error, key, [])
    }
}

impl From<Reason> for Value {
    fn from(reason: Reason) -> Self {
        match reason.words {
            Some(_) => Self::Reason(Box::new(reason)),
            None => Self::Text(reason.text),
        }
    }
}

impl From<&Reason> for Value {
    fn from(reason: &Reason) -> Self {
        reason.clone().into()
    }
}

impl From<&io::Error> for Value {
    fn from(error: &io::Error) -> Self {
        Reason::from(error).into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&&str> for Value {
    fn from(text: &&str) -> Self {
        Self::Text((*text).to_owned())
    }
}

impl From<&Path> for Value {
    fn from(path: &Path) -> Self {
        Self::Text(path.display().to_string())
    }
}

impl From<&std::path::PathBuf> for Value {
    fn from(path: &std::path::PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<&Vec<String>> for Value {
    fn from(all: &Vec<String>) -> Self {
        Self::Text(all.join(", "))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(u64::try_from(number).unwrap_or(u64::MAX))
            }
        }

        impl From<&$number> for Value {
            fn from(number: &$number) -> Self {
                (*number).into()
            }
        })*
    };
}

numbers!(u8 u16 u32 u64 usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Reason {
        let inner = match depth {
            0 => return Reason::from("the end"),
            depth => nested(depth - 1),
        };
        Reason::in_code("why", "errors-internal", [("why", inner.into())])
    }

    #[test]
    fn it_is_said_in_the_language_of_whoever_reads_it() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let path = Path::new("/x/y");
        let args = [("path", path.into()), ("why", (&error).into())];
        let reason = Reason::in_code("/x/y cannot be read", "errors-config-unreadable", args);
        let json = serde_json::to_string(&reason).unwrap();
        let back: Reason = serde_json::from_str(&json).unwrap();
        assert_eq!(back, reason);
        assert_eq!(back.say(Lang::En), "/x/y cannot be read");
        let said = back.say(Lang::Zh);
        assert!(said.contains("/x/y") && said.contains("权限"), "{said}");
    }

    #[test]
    fn what_is_not_known_is_said_as_it_came() {
        let newer = Reason::in_code("from tomorrow", "errors-of-tomorrow", []);
        assert_eq!(newer.say(Lang::Zh), "from tomorrow");
        // A value is missing.
        let odd = Reason::in_code("odd", "errors-config-unreadable", []);
        assert_eq!(odd.say(Lang::Zh), "odd");
        assert_eq!(Reason::from("plain").say(Lang::Zh), "plain");
    }

    #[test]
    fn sentences_stand_in_each_other_so_deep_and_no_deeper() {
        assert!(nested(DEPTH).words().unwrap().measure().is_some());
        let deep = nested(DEPTH + 1);
        assert!(deep.words().unwrap().measure().is_none());
        assert!(deep.say(Lang::Zh).ends_with("why"), "{}", deep.say(Lang::Zh));
    }
}
