//! The Fluent files.

use crate::Lang;

/// Who reads the sentences of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Who uses the window.
    Window,
    /// Who uses the command line, and often the window too.
    Node,
    /// The same. The English of these stands in the code, where tools take it from: errors (by
    /// their `Display`) and the help of commands (by their doc comments).
    InCode,
}

/// One file in each language.
#[derive(Debug)]
pub struct File {
    /// Its name without `.ftl`, and the beginning of its keys.
    pub name: &'static str,
    /// Who reads it.
    pub reader: Reader,
    en: Option<&'static str>,
    zh: &'static str,
}

impl File {
    /// Its text in a language; none where the code has it.
    pub fn source(&self, lang: Lang) -> Option<&'static str> {
        match lang {
            Lang::En => self.en,
            Lang::Zh => Some(self.zh),
        }
    }

    /// The keys of its messages. One begins where a line begins with a letter.
    pub fn keys(&self, lang: Lang) -> impl Iterator<Item = &'static str> + use<> {
        self.source(lang)
            .unwrap_or_default()
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
            .filter_map(|line| line.split_once('=').map(|(key, _)| key.trim_end()))
    }
}

macro_rules! file {
    ($reader:ident $name:literal $en:expr) => {
        File {
            name: $name,
            reader: Reader::$reader,
            en: $en,
            zh: include_str!(concat!("../zh-Hans/", $name, ".ftl")),
        }
    };
    (InCode $name:literal) => {
        file!(InCode $name None)
    };
    ($reader:ident $name:literal) => {
        file!($reader $name Some(include_str!(concat!("../en/", $name, ".ftl"))))
    };
}

/// All of them. One that is missing in a language does not compile.
pub const FILES: &[File] = &[
    file!(Window "activity"),
    file!(Window "analyze"),
    file!(Window "asking"),
    file!(Window "chat"),
    file!(Window "demo"),
    file!(Window "faces"),
    file!(Window "figures"),
    file!(Window "mesh"),
    file!(Window "more"),
    file!(Window "offer"),
    file!(Window "recognize"),
    file!(Window "settings"),
    file!(Window "shell"),
    file!(Node "reasons"),
    file!(Node "tables"),
    file!(Node "usage"),
    file!(Node "cli"),
    file!(Node "doctor"),
    file!(InCode "errors"),
    file!(InCode "help"),
    file!(Node "entry"),
    file!(InCode "entry-help"),
];
