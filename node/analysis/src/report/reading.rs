//! How the file was read: notes, and the first bad rows.

use super::words;
use super::{Page, amounts, text};
use crate::Lang;
use crate::table::{Mend, MendedRow, Note, Table};

/// Other tables of the file that are named, and characters of their names.
const TABLES: usize = 20;
const NAMES: usize = 80;
/// Mended rows that a sentence lists.
const LISTED: usize = 5;

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
    notes + &bad_rows(page) + &mended_rows(page)
}

/// A note as a person reads it, for a page.
fn sentence(page: &Page, note: &Note) -> String {
    match note {
        Note::MoreTables(tables) => more_tables(page, tables),
        Note::OtherSheets { read, others } => {
            let name = |name: &str| text::quoted(name, NAMES);
            let others: Vec<String> = others.iter().take(TABLES).map(|other| name(other)).collect();
            words::NOTE_SHEETS.with(page.lang, &[&name(read), &listed(page.lang, &others)])
        }
        note => {
            let (words, value) = said(note, &page.numbers.encoding);
            words.with(page.lang, &[&text::escape(&value)])
        }
    }
}

/// What is to be known about the reading of a table, a sentence each.
pub fn sentences(table: &Table, lang: Lang) -> Vec<String> {
    let sentence = |note: &Note| match note {
        Note::MoreTables(tables) => {
            let line = |(line, names): &(u64, String)| {
                words::NOTE_TABLE.with(lang, &[&amounts::count(*line), names])
            };
            let lines: Vec<String> = tables.iter().take(TABLES).map(line).collect();
            format!("{} {}", words::NOTE_TABLES.of(lang), lines.join("; "))
        }
        Note::OtherSheets { read, others } => {
            let others = listed(lang, &others[..others.len().min(TABLES)]);
            words::NOTE_SHEETS.with(lang, &[read, &others])
        }
        note => {
            let (words, value) = said(note, &table.encoding);
            words.with(lang, &[&value])
        }
    };
    let mut sentences: Vec<String> = table.notes.iter().map(sentence).collect();
    let mended = table.mended.count;
    if mended > 0 {
        let lines = table.mended.first.iter().take(LISTED);
        let line = |row: &MendedRow| {
            let how = done(row.how).of(lang);
            words::NOTE_TABLE.with(lang, &[&amounts::count(row.line), how])
        };
        let lines: Vec<String> = lines.map(line).collect();
        let intro = words::MENDED_INTRO.with(lang, &[&amounts::count(mended)]);
        sentences.push(format!("{intro} {}", lines.join("; ")));
    }
    sentences
}

/// Names, one after the other.
fn listed(lang: Lang, names: &[String]) -> String {
    names.join(if lang == Lang::Zh { "、" } else { ", " })
}

/// The words of a note, and what stands in them.
fn said(note: &Note, encoding: &str) -> (words::Words, String) {
    let (words, many) = match note {
        Note::Guessed => return (words::NOTE_GUESSED, encoding.to_owned()),
        Note::Undecodable(many) => (words::NOTE_UNDECODABLE, *many),
        Note::Nuls(many) => (words::NOTE_NULS, *many),
        Note::NoHeader => (words::NOTE_NO_HEADER, 0),
        Note::Renamed(many) => (words::NOTE_RENAMED, *many),
        Note::UnclosedQuote(line) => (words::NOTE_QUOTE, *line),
        Note::CutFields(many) => (words::NOTE_CUT, *many),
        Note::Titles(many) => (words::NOTE_TITLES, *many),
        Note::HeaderLines(many) => (words::NOTE_HEADER_LINES, *many),
        Note::EmptyRows(many) => (words::NOTE_EMPTY_ROWS, *many),
        Note::Comments(many) => (words::NOTE_COMMENTS, *many),
        Note::Footers(many) => (words::NOTE_FOOTERS, *many),
        Note::MoreTables(tables) => (words::NOTE_TABLES, tables.len() as u64),
        // These have words of their own.
        Note::OtherSheets { others, .. } => (words::NOTE_SHEETS, others.len() as u64),
        Note::EmptyColumns(many) => (words::NOTE_EMPTY_COLUMNS, *many),
        Note::NoDelimiter => (words::NOTE_NO_DELIMITER, 0),
        Note::Totals => (words::NOTE_TOTALS, 0),
    };
    (words, amounts::count(many))
}

/// The other tables of the file, a line each.
fn more_tables(page: &Page, tables: &[(u64, String)]) -> String {
    let line = |(line, names): &(u64, String)| {
        let names = text::quoted(names, NAMES);
        format!("<li>{}</li>", words::NOTE_TABLE.with(page.lang, &[&amounts::count(*line), &names]))
    };
    let lines: String = tables.iter().take(TABLES).map(line).collect();
    format!("{}<ul>{lines}</ul>", page.say(words::NOTE_TABLES))
}

fn mended_rows(page: &Page) -> String {
    let mended = &page.table.mended;
    if mended.count == 0 {
        return String::new();
    }
    let intro = words::MENDED_INTRO.with(page.lang, &[&amounts::count(mended.count)]);
    let line = |row: &MendedRow| {
        let (line, how) = (amounts::count(row.line), page.say(done(row.how)));
        format!("<tr><th scope=\"row\" class=\"n\">{line}</th><td>{how}</td></tr>\n")
    };
    let lines: String = mended.first.iter().map(line).collect();
    let (title, head, done) =
        (page.say(words::MENDED), page.say(words::LINE), page.say(words::DONE));
    format!(
        "<h3>{title}</h3>\n<p>{intro}</p>\n<div class=\"wide\">\n<table class=\"bad\">\n<thead><tr><th scope=\"col\" class=\"n\">{head}</th><th scope=\"col\">{done}</th></tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n</div>\n"
    )
}

fn done(how: Mend) -> words::Words {
    match how {
        Mend::Kept => words::MEND_KEPT,
        Mend::Padded => words::MEND_PADDED,
        Mend::Quote => words::MEND_QUOTE,
        Mend::Joined => words::MEND_JOINED,
        Mend::Dropped => words::MEND_DROPPED,
        Mend::Cut => words::MEND_CUT,
        Mend::Delimiter => words::MEND_DELIMITER,
    }
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
