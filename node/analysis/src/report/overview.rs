//! The frame of the page, its table of contents, and the tiles at its top.

use super::words::{self, Words};
use super::{MOST_CARDS, Page, Section, amounts, text};
use crate::charts::{self, Theme};
use crate::font::web;
use crate::{Lang, names};

/// How wide a link in the contents may be, in Latin letters.
const LINK: usize = 18;

/// Characters of a title or file name that are shown.
const TITLE: usize = 80;

/// Head, contents and all sections.
pub(super) fn frame(page: &Page, sections: &[Section]) -> String {
    let title = words::REPORT_OF.with(page.lang, &[&text::short(page.title(), TITLE)]);
    let (skip, header, contents, footer) =
        (page.say(words::SKIP), header(page), contents(page, sections), footer(page));
    let body: String = sections.iter().map(|section| part(page, section)).collect();
    let body = format!(
        "<a class=\"skip\" href=\"#main\">{skip}</a>\n{header}{contents}<main id=\"main\">\n{body}{footer}</main>\n"
    );
    let font = page.options.font.then(|| web::face(&body)).flatten();
    document(page.lang, &title, &body, font)
}

/// A whole page, perhaps with a font in it.
pub(super) fn document(lang: Lang, title: &str, body: &str, font: Option<String>) -> String {
    let lang = match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let fonts = if font.is_some() { "; font-src data:" } else { "" };
    let (font, style) = (font.unwrap_or_default(), style());
    format!(
        r##"<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="{lang}" xml:lang="{lang}">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:{fonts}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="generator" content="Potluck"/>
<title>{title}</title>
<style>
{font}{style}</style>
</head>
<body>
{body}</body>
</html>
"##
    )
}

/// The colours are those of the charts, whose drawings ask for them.
fn style() -> String {
    let (light, dark) = (charts::variables(Theme::Light), charts::variables(Theme::Dark));
    format!(
        ":root {{{light}}}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n{}",
        include_str!("page.css")
    )
}

fn part(page: &Page, section: &Section) -> String {
    let Section { id, title, body } = section;
    format!("<section id=\"{id}\">\n<h2>{}</h2>\n{body}</section>\n", page.say(*title))
}

fn header(page: &Page) -> String {
    let numbers = page.numbers;
    let some = |many: u64, one: Words, some: Words| match many {
        1 => page.say(one).to_owned(),
        _ => some.with(page.lang, &[&amounts::count(many)]),
    };
    let rows = some(numbers.rows, words::ONE_ROW, words::SOME_ROWS);
    let columns = some(numbers.columns.len() as u64, words::ONE_COLUMN, words::SOME_COLUMNS);
    let mut facts = vec![format!("<b>{rows} × {columns}</b>")];
    match numbers.format.as_str() {
        "" | "text" => facts.extend([
            words::ENCODED.with(page.lang, &[&text::quoted(&numbers.encoding, 30)]),
            words::DELIMITER.with(page.lang, &[&delimiter(page)]),
        ]),
        format => facts.push(format_name(page, format)),
    }
    if let Some(sheet) = &numbers.sheet {
        facts.push(words::SHEET.with(page.lang, &[&text::quoted(sheet, TITLE)]));
    }
    if page.options.title.is_some() {
        facts.insert(0, text::titled(&numbers.file, TITLE, 1000));
    }
    let facts: String = facts.iter().map(|fact| format!("<li>{fact}</li>")).collect();
    format!(
        "<header>\n<p class=\"kicker\">{}</p>\n<h1>{}</h1>\n<ul class=\"meta\">{facts}</ul>\n</header>\n",
        page.say(words::REPORT),
        text::titled(page.title(), TITLE, 10_000),
    )
}

fn format_name(page: &Page, format: &str) -> String {
    match format {
        "xlsx" | "xls" => page.say(words::WORKBOOK).to_owned(),
        "ods" => page.say(words::OPEN_SHEET).to_owned(),
        "parquet" => "Parquet".to_owned(),
        "arrow" => "Arrow".to_owned(),
        "json" => "JSON".to_owned(),
        "ndjson" => "NDJSON".to_owned(),
        other => text::escape(other),
    }
}

fn delimiter(page: &Page) -> String {
    let known: Words = match page.numbers.delimiter {
        ',' => words::COMMA,
        ';' => words::SEMICOLON,
        '\t' => words::TAB,
        '|' => words::PIPE,
        ' ' => words::SPACE,
        other => return format!(" <code>{}</code> ", text::escape(&other.to_string())),
    };
    page.say(known).to_owned()
}

fn contents(page: &Page, sections: &[Section]) -> String {
    let mut items = String::new();
    for section in sections {
        let columns = if section.id == "columns" { column_links(page) } else { String::new() };
        let (id, title) = (section.id, page.say(section.title));
        items += &format!("<li><a href=\"#{id}\">{title}</a>{columns}</li>\n");
    }
    format!(
        "<nav class=\"contents\" aria-label=\"{}\">\n<ul>\n{items}</ul>\n</nav>\n",
        page.say(words::CONTENTS)
    )
}

fn column_links(page: &Page) -> String {
    let mut items = String::new();
    let columns = &page.numbers.columns[..page.numbers.columns.len().min(MOST_CARDS)];
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let labels = names::distinct(&names, &|name| text::middle(name, LINK, text::wide));
    for (at, (column, label)) in columns.iter().zip(&labels).enumerate() {
        let name = text::labelled(label, &column.name);
        let (at, badge) = (at + 1, badge(&column.kind));
        items += &format!("<li><a href=\"#c{at}\">{badge}{name}</a></li>\n");
    }
    if items.is_empty() { items } else { format!("\n<ul>\n{items}</ul>\n") }
}

/// A small sign for a type of column.
pub(super) fn badge(kind: &str) -> String {
    let (class, sign) = match kind {
        "integer" => ("number", "12"),
        "number" => ("number", "1.2"),
        "boolean" => ("truth", "0/1"),
        "date" => ("date", "31"),
        "datetime" => ("date", "31:"),
        "time" | "duration" => ("date", "0:0"),
        "text" => ("text", "Aa"),
        _ => ("empty", "–"),
    };
    format!("<span class=\"badge {class}\" aria-hidden=\"true\">{sign}</span>")
}

/// The name of a type of column.
pub(super) fn kind(kind: &str) -> Words {
    match kind {
        "integer" => words::INTEGER,
        "number" => words::NUMBER,
        "boolean" => words::BOOLEAN,
        "date" => words::DATE,
        "datetime" => words::DATETIME,
        "time" => words::TIME,
        "duration" => words::DURATION,
        "text" => words::TEXT,
        _ => words::EMPTY,
    }
}

/// Rows, columns, missing cells, duplicate and bad rows.
pub(super) fn tiles(page: &Page) -> String {
    let numbers = page.numbers;
    let cells = numbers.rows.saturating_mul(numbers.columns.len() as u64);
    let missing =
        numbers.columns.iter().fold(0u64, |sum, column| sum.saturating_add(column.missing));
    let share = amounts::ratio(missing, cells);
    let of_cells =
        words::OF_CELLS.with(page.lang, &[&amounts::count(missing), &amounts::count(cells)]);
    let tiles = [
        tile(page, words::ROWS, &amounts::count(numbers.rows), "", false),
        tile(
            page,
            words::COLUMN_COUNT,
            &amounts::count(numbers.columns.len() as u64),
            &kinds(page),
            false,
        ),
        tile(
            page,
            words::MISSING_CELLS,
            &amounts::percent(share),
            &format!(
                "{}<p>{of_cells}</p>",
                if missing > 0 { page.bar(share) } else { String::new() }
            ),
            missing > 0,
        ),
        part_of_rows(page, words::DUPLICATE_ROWS, numbers.duplicate_rows),
        part_of_rows(page, words::BAD_ROWS, numbers.bad_rows),
    ];
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.concat())
}

fn part_of_rows(page: &Page, title: Words, rows: u64) -> String {
    let note = match rows {
        0 => page.say(words::NONE).to_owned(),
        _ => {
            let share = amounts::percent(amounts::ratio(rows, page.numbers.rows));
            words::OF_ROWS.with(page.lang, &[&share])
        }
    };
    tile(page, title, &amounts::count(rows), &format!("<p>{note}</p>"), rows > 0)
}

fn tile(page: &Page, title: Words, value: &str, note: &str, warn: bool) -> String {
    let class = if warn { "tile warn" } else { "tile" };
    let note =
        if note.is_empty() { String::new() } else { format!("<dd class=\"note\">{note}</dd>") };
    let title = page.say(title);
    format!("<div class=\"{class}\"><dt>{title}</dt><dd class=\"value\">{value}</dd>{note}</div>\n")
}

/// How many columns there are of each type: a bar in parts, and words.
fn kinds(page: &Page) -> String {
    let order =
        ["integer", "number", "boolean", "date", "datetime", "time", "duration", "text", "empty"];
    let mut list = String::new();
    for name in order {
        let many = page.numbers.columns.iter().filter(|column| column.kind == name).count();
        if many > 0 {
            let (badge, word) = (badge(name), page.say(kind(name)));
            list += &format!("<li>{badge}{many} × {word}</li>");
        }
    }
    if list.is_empty() { list } else { format!("<ul class=\"kinds\">{list}</ul>") }
}

fn footer(page: &Page) -> String {
    let options = page.options;
    let made = [(words::MADE_AT, &options.made_at), (words::SERVED_BY, &options.served_by)];
    let mut line = String::new();
    for (sentence, value) in made {
        if let Some(value) = value {
            let sentence = sentence.with(page.lang, &[&text::quoted(value, TITLE)]);
            line += &format!("<span>{sentence}</span> ");
        }
    }
    format!("<footer><p>{line}<span>{}</span></p></footer>\n", page.say(words::MADE_WITH))
}
