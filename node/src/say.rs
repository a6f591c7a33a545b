//! What errors say to people, in their language.
//!
//! The English of an error is its `Display`, beside its variant. What it is in other languages
//! stands in `errors.ftl`: [`Say`] gives the key and the values of each variant. Its matches name
//! every variant, so that a new one without words does not compile.

mod mail;
mod membership;
mod models;
pub(crate) mod reasons;
mod services;
mod starting;

pub use potluck_i18n::Reason;
use potluck_i18n::{Lang, Value};

/// What can be said to a person.
pub trait Say {
    /// As a sentence for whoever reads it.
    fn reason(&self) -> Reason;

    /// In a language.
    fn say(&self, lang: Lang) -> String {
        self.reason().say(lang)
    }
}

/// Inside of another sentence.
fn inside(error: &impl Say) -> Value {
    error.reason().into()
}

impl Say for Reason {
    fn reason(&self) -> Reason {
        self.clone()
    }
}

impl Say for String {
    fn reason(&self) -> Reason {
        self.as_str().into()
    }
}

impl Say for &str {
    fn reason(&self) -> Reason {
        (*self).into()
    }
}

impl Say for std::io::Error {
    fn reason(&self) -> Reason {
        self.into()
    }
}

impl<T: Say> Say for &T {
    fn reason(&self) -> Reason {
        (*self).reason()
    }
}

/// [`Say`] for error types. After each pattern stands the key of its sentence with its values, or
/// `as` and what says it all.
macro_rules! say {
    (@arm $self:ident as $inner:expr) => { $inner.reason() };
    (@arm $self:ident $key:literal $(($($arg:ident $(= $value:expr)?),+))?) => {
        Reason::in_code($self, concat!("errors-", $key), [
            $($((stringify!($arg), $crate::say::say!(@value $arg $($value)?))),+)?
        ])
    };
    (@value $arg:ident) => { potluck_i18n::Value::from($arg) };
    (@value $arg:ident $value:expr) => { potluck_i18n::Value::from($value) };
    ($($error:ty { $($pattern:pat => $([$($inner:tt)+])? $($key:literal $(($($args:tt)+))?)?;)* })*) => {
        $(impl $crate::say::Say for $error {
            fn reason(&self) -> potluck_i18n::Reason {
                #[allow(unused_imports)] // Where all is said by what is inside.
                use potluck_i18n::Reason;
                match self {
                    $($pattern => $crate::say::say!(
                        @arm self $(as $($inner)+)? $($key $(($($args)+))?)?
                    )),*
                }
            }
        })*

        /// The sentences of these.
        #[cfg(test)]
        pub(super) const TABLE: &[potluck_i18n::Sentence] = &[$($($(potluck_i18n::Sentence {
            key: concat!("errors-", $key),
            args: $crate::say::say!(@names $(($($args)+))?),
        },)?)*)*];
    };
    (@names) => { &[] };
    (@names ($($arg:ident $(= $value:expr)?),+)) => { &[$(stringify!($arg)),+] };
}

use say;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use potluck_i18n::{FILES, Reader, Sentence, check::assert_said};

    use super::*;
    use crate::cli;

    /// What `Reason` itself says, and the failures of commands.
    const OWN: [&str; 13] = [
        "errors-internal",
        "errors-io-not-found",
        "errors-io-denied",
        "errors-io-full",
        "errors-io-read-only",
        "errors-io-exists",
        "errors-io-address-in-use",
        "errors-io-refused",
        "errors-io-reset",
        "errors-io-ends",
        "errors-io-timed-out",
        "errors-io-no-folder",
        "errors-io-folder",
    ];

    #[test]
    fn every_error_has_its_words_and_all_words_have_their_error() {
        let tables =
            [mail::TABLE, membership::TABLE, models::TABLE, services::TABLE, starting::TABLE];
        let why: &[&str] = &["why"];
        let own =
            OWN.map(|key| Sentence { key, args: if key == "errors-internal" { why } else { &[] } });
        assert_said(|file| file.name == "errors", tables.into_iter().flatten().chain(&own));
    }

    #[test]
    fn every_sentence_has_its_function_and_every_function_its_sentence() {
        let tables = [("reasons", reasons::TABLE), ("cli", cli::WORDS), ("usage", cli::WRONG)];
        for (name, table) in tables {
            assert_said(|file| file.name == name, table);
        }
        // The doctor, the help of commands, tables and entry nodes have tests of their own.
        let tested = [
            "cli",
            "doctor",
            "entry",
            "entry-help",
            "errors",
            "help",
            "reasons",
            "tables",
            "usage",
        ];
        let mine = FILES.iter().filter(|file| file.reader != Reader::Window);
        assert_eq!(mine.map(|file| file.name).collect::<BTreeSet<_>>(), tested.into());
    }

    #[test]
    fn every_function_is_used() {
        let sources = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        let words: std::collections::HashSet<_> = sources
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .filter_map(|path| path.rsplit_once("::"))
            .map(|(module, name)| (module.rsplit("::").next().unwrap_or(module), name))
            .collect();
        for (module, table) in
            [("reasons", reasons::TABLE), ("words", cli::WORDS), ("wrong", cli::WRONG)]
        {
            for Sentence { key, .. } in table {
                let name = key.split_once('-').unwrap().1.replace('-', "_");
                assert!(words.contains(&(module, &*name)), "nobody says {key}");
            }
        }
    }

    fn sources(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: std::path::PathBuf| match path.is_dir() {
            true => sources(&path),
            false => std::fs::read_to_string(&path).unwrap_or_default(),
        };
        entries.map(read).collect()
    }
}
