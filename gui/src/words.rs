//! What people read in the window, as functions of the language and of what the sentence needs.
//!
//! One file a screen. The sentences stand in `node/i18n`, in a Fluent file of the same name for
//! each language.

pub mod activity;
pub mod analyze;
pub mod asking;
pub mod chat;
pub mod demo;
pub mod faces;
pub mod figures;
pub mod marked;
pub mod mesh;
pub mod more;
pub mod offer;
pub mod recognize;
pub mod settings;
pub mod shell;

pub use potluck_i18n::Lang;
pub(crate) use potluck_i18n::words;

/// Every table, for the tests: a new file of words stands here too.
pub const TABLES: &[&[potluck_i18n::Sentence]] = &[
    activity::TABLE,
    analyze::TABLE,
    asking::TABLE,
    chat::TABLE,
    demo::TABLE,
    faces::TABLE,
    figures::TABLE,
    marked::TABLE,
    mesh::TABLE,
    more::TABLE,
    offer::TABLE,
    recognize::TABLE,
    settings::TABLE,
    shell::TABLE,
];

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use potluck_i18n::{FILES, Reader, Sentence};

    use super::*;

    #[test]
    fn every_sentence_has_its_function_and_every_function_its_sentence() {
        let functions = TABLES.iter().flat_map(|table| table.iter());
        potluck_i18n::check::assert_said(|file| file.reader == Reader::Window, functions);
    }

    #[test]
    fn every_file_of_words_is_in_the_tables() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/words");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), TABLES.len());
    }

    /// The sources below a folder: path and text.
    fn sources(folder: &Path) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let read = |path: PathBuf| match path.is_dir() {
            true => sources(&path),
            false => {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                vec![(path.display().to_string(), text)]
            }
        };
        entries.flat_map(read).collect()
    }

    /// Whether a text has `name` and no longer name there.
    fn names(text: &str, name: &str) -> bool {
        text.match_indices(name).any(|(at, _)| {
            let after = text[at + name.len()..].chars().next();
            !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    }

    #[test]
    fn every_function_is_used() {
        let sources = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        let uses = |module: &str, name: &str, path: &str, text: &str| {
            if path.ends_with(&format!("words/{module}.rs")) {
                let rest = text.split_once("\n}").map_or("", |(_, rest)| rest);
                return names(rest, name);
            }
            // A screen and its parts call its own words so.
            let own = path.contains(module) || text.contains(&format!("{module} as words"));
            names(text, &format!("{module}::{name}"))
                || (own && names(text, &format!("words::{name}")))
        };
        let unused =
            TABLES.iter().flat_map(|table| table.iter()).filter(|Sentence { key, .. }| {
                let (module, name) = key.split_once('-').unwrap();
                let name = name.replace('-', "_");
                !sources.iter().any(|(path, text)| uses(module, &name, path, text))
            });
        assert_eq!(unused.map(|it| it.key).collect::<Vec<_>>(), [""; 0], "nobody says these");
    }

    #[test]
    fn the_fonts_have_every_character() {
        let fonts = crate::theme::fonts();
        let face = |bytes| ttf_parser::Face::parse(bytes, 0).unwrap();
        for font in &fonts[..2] {
            let face = face(font);
            for (file, lang) in FILES.iter().flat_map(|file| Lang::ALL.map(|lang| (file, lang))) {
                for c in file.source(lang).unwrap_or_default().chars().filter(|c| *c != '\n') {
                    let is_there = face.glyph_index(c).is_some();
                    assert!(is_there, "{} in {lang:?}: {c} is not in the font", file.name);
                }
            }
        }
        for font in &fonts[..2] {
            let face = face(font);
            for name in potluck_models::chinese_names() {
                let is_there = name.chars().all(|c| face.glyph_index(c).is_some());
                assert!(is_there, "the label {name} is not in the font");
            }
        }
        let icons = face(fonts[3]);
        for icon in crate::icon::Icon::ALL {
            assert!(icons.glyph_index(icon.glyph()).is_some(), "{icon:?}: run assets/cut.py");
        }
    }
}
