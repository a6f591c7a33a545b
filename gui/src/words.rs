//! What people read, in English and Chinese: the one home of the window's words.
//!
//! One file a screen. A line of `words!` is a function of the language (and of what the sentence
//! needs), so a word that lacks a language does not compile.

pub mod activity;
pub mod analyze;
pub mod asking;
pub mod chat;
pub mod demo;
pub mod faces;
pub mod figures;
pub mod mesh;
pub mod more;
pub mod offer;
pub mod recognize;
pub mod settings;
pub mod shell;

use serde::{Deserialize, Serialize};

/// A language of the window.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// What the system speaks.
    pub fn of_system() -> Self {
        potluck::doctor::Lang::from_env().into()
    }

    /// The same for reports and charts.
    pub fn of_analysis(self) -> potluck_analysis::Lang {
        match self {
            Self::En => potluck_analysis::Lang::En,
            Self::Zh => potluck_analysis::Lang::Zh,
        }
    }

    /// The same for what the node says in words.
    pub fn of_node(self) -> potluck::doctor::Lang {
        match self {
            Self::En => potluck::doctor::Lang::English,
            Self::Zh => potluck::doctor::Lang::Chinese,
        }
    }
}

impl From<potluck::doctor::Lang> for Lang {
    fn from(lang: potluck::doctor::Lang) -> Self {
        match lang {
            potluck::doctor::Lang::English => Self::En,
            potluck::doctor::Lang::Chinese => Self::Zh,
        }
    }
}

/// Functions of the language, and the table of their templates for the tests.
macro_rules! words {
    ($($name:ident $(($($arg:ident: $kind:ty),+))? = $en:literal, $zh:literal;)*) => {
        $($crate::words::word!($name $(($($arg: $kind),+))? = $en, $zh);)*

        /// Name, English, Chinese.
        pub const TABLE: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $zh)),*];
    };
}

macro_rules! word {
    ($name:ident = $en:literal, $zh:literal) => {
        #[doc = $en]
        pub fn $name(lang: $crate::words::Lang) -> &'static str {
            match lang {
                $crate::words::Lang::En => $en,
                $crate::words::Lang::Zh => $zh,
            }
        }
    };
    ($name:ident ($($arg:ident: $kind:ty),+) = $en:literal, $zh:literal) => {
        #[doc = $en]
        pub fn $name(lang: $crate::words::Lang, $($arg: $kind),+) -> String {
            match lang {
                $crate::words::Lang::En => format!($en),
                $crate::words::Lang::Zh => format!($zh),
            }
        }
    };
}

pub(crate) use {word, words};

/// Every table, for the tests: a new file of words stands here too.
pub const TABLES: &[&[(&str, &str, &str)]] = &[
    activity::TABLE,
    analyze::TABLE,
    asking::TABLE,
    chat::TABLE,
    demo::TABLE,
    faces::TABLE,
    figures::TABLE,
    mesh::TABLE,
    more::TABLE,
    offer::TABLE,
    recognize::TABLE,
    settings::TABLE,
    shell::TABLE,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
        TABLES.iter().flat_map(|table| table.iter())
    }

    /// `{name}` in a template.
    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next()).collect()
    }

    #[test]
    fn both_languages_are_there_and_say_the_same_things() {
        for (name, en, zh) in all() {
            assert!(!en.trim().is_empty() && !zh.trim().is_empty(), "{name} is empty");
            assert_eq!(holes(en), holes(zh), "{name}");
            // These are a full em wide in this font, and look wrong between Latin letters.
            assert!(!en.contains(['…', '“', '”', '’', '→', '≈']), "{name}: {en}");
            assert!(!zh.contains('您') && !zh.contains(". "), "{name}: {zh}");
            let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            assert!(!en.chars().any(is_han) || en.contains("中文"), "{name}: {en}");
        }
    }

    #[test]
    fn every_file_of_words_is_in_the_tables() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/words");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), TABLES.len());
    }

    #[test]
    fn the_fonts_have_every_character() {
        let fonts = crate::theme::fonts();
        let face = |bytes| ttf_parser::Face::parse(bytes, 0).unwrap();
        for font in &fonts[..2] {
            let face = face(font);
            for (name, en, zh) in all() {
                for c in en.chars().chain(zh.chars()).filter(|c| *c != '\n') {
                    assert!(face.glyph_index(c).is_some(), "{name}: {c} is not in the font");
                }
            }
        }
        let icons = face(fonts[3]);
        for icon in crate::icon::Icon::ALL {
            assert!(icons.glyph_index(icon.glyph()).is_some(), "{icon:?}: run assets/cut.py");
        }
    }
}
