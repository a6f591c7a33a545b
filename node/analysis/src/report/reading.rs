//! How the file was read: notes, and the first bad rows.

use super::words;
use super::{Page, amounts, text};
use crate::table::Note;

/// Notes and bad rows; nothing when the file was clean.
pub(super) fn list(page: &Page) -> String {
    let notes: String = page
        .table
        .notes
        .iter()
        .map(|note| format!("<li>{}</li>\n", sentence(page, note)))
        .collect();
    let notes =
        if notes.is_empty() { notes } else { format!("<ul class=\"notes\">\n{notes}</ul>\n") };
    notes + &bad_rows(page)
}

fn sentence(page: &Page, note: &Note) -> String {
    let (words, value) = match note {
        Note::Undecodable(many) => (words::NOTE_UNDECODABLE, *many),
        Note::Nuls(many) => (words::NOTE_NULS, *many),
        Note::Guessed => {
            return words::NOTE_GUESSED.with(page.lang, &[&text::escape(&page.numbers.encoding)]);
        }
        Note::NoHeader => (words::NOTE_NO_HEADER, 0),
        Note::Renamed(many) => (words::NOTE_RENAMED, *many),
        Note::UnclosedQuote(line) => (words::NOTE_QUOTE, *line),
        Note::CutFields(many) => (words::NOTE_CUT, *many),
    };
    words.with(page.lang, &[&amounts::count(value)])
}

fn bad_rows(page: &Page) -> String {
    let first = &page.table.bad_rows;
    if page.numbers.bad_rows == 0 || first.is_empty() {
        return String::new();
    }
    let expected = first.first().map_or(0, |row| row.expected as u64);
    let intro = words::BAD_ROWS_INTRO
        .with(page.lang, &[&amounts::count(page.numbers.bad_rows), &amounts::count(expected)]);
    let heads = [words::LINE, words::FIELDS, words::EXPECTED]
        .map(|head| format!("<th scope=\"col\" class=\"n\">{}</th>", page.say(head)))
        .concat();
    let mut lines = String::new();
    for row in first {
        let [line, fields, expected] =
            [row.line, row.fields as u64, row.expected as u64].map(amounts::count);
        lines += &format!(
            "<tr><th scope=\"row\" class=\"n\">{line}</th><td class=\"n\">{fields}</td><td class=\"n\">{expected}</td></tr>\n"
        );
    }
    let title = page.say(words::BAD_ROWS);
    format!(
        "<h3>{title}</h3>\n<p>{intro}</p>\n<div class=\"wide\">\n<table class=\"bad\">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n"
    )
}
