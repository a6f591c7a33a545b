//! How the table is read: what was found out, and the choices with which a person corrects it.

use iced::{
    Alignment, Length,
    widget::{Column, Row, column, container, row},
};
use potluck::services::analyze::{MOST_HEADER_LINES, MOST_SKIPPED};

use potluck_analysis::table::Format;

use super::{Analyze, Message, Reading};
use crate::{
    backend::tables::Seen,
    icon::Icon,
    screen::Context,
    theme::{self, Element, Role, Tone, space},
    widget::{card, field, icon_button, note, pick},
    words::{Lang, analyze as words, shell},
};

/// The field for lines above the header.
pub const SKIP: &str = "analyze-skip";
/// Width of a choice, of the longest words in it.
const PICK: f32 = 188.0;
/// Width of what stands before it.
const LABEL: f32 = 88.0;

/// Encodings by their label and the name that people know.
const ENCODINGS: [(&str, &str); 13] = [
    ("utf-8", "UTF-8"),
    ("gb18030", "GB 18030 / GBK"),
    ("big5", "Big5"),
    ("shift_jis", "Shift JIS"),
    ("euc-jp", "EUC-JP"),
    ("euc-kr", "EUC-KR"),
    ("utf-16le", "UTF-16 LE"),
    ("utf-16be", "UTF-16 BE"),
    ("windows-1252", "Windows 1252"),
    ("iso-8859-2", "ISO 8859-2"),
    ("windows-1251", "Windows 1251"),
    ("koi8-r", "KOI8-R"),
    ("windows-1254", "Windows 1254"),
];

impl Analyze {
    /// What was understood of the beginning.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.table.as_ref()?.read.as_ref()?.seen.as_ref()
    }

    /// The three that matter most, side by side.
    pub(super) fn picks<'a>(&'a self, lang: Lang) -> Element<'a, Message> {
        let one = |label: &'a str, pick: Element<'a, Message>| {
            row![Role::Body.text(label).style(theme::muted), pick]
                .spacing(space::S)
                .align_y(Alignment::Center)
        };
        let header = || one(words::header(lang), self.header(lang, 120.0.into()));
        let picks = match self.format() {
            Format::Text => vec![
                one(words::encoding(lang), self.encoding(lang, 148.0.into())),
                one(words::separator(lang), self.delimiter(lang, 148.0.into())),
                header(),
            ],
            Format::Xlsx | Format::Xls | Format::Ods => {
                vec![one(words::sheet(lang), self.sheet(lang, 188.0.into())), header()]
            }
            // The file says all of it.
            _ => Vec::new(),
        };
        Row::with_children(picks).spacing(space::M).into()
    }

    /// What kind of file it is, as far as it is known.
    fn format(&self) -> Format {
        let whole = self.report().and_then(|report| Format::of(&report.numbers.format));
        whole.or(self.seen().map(|seen| seen.format)).unwrap_or(Format::Text)
    }

    /// Whether there is anything to correct.
    pub(super) fn is_correctable(&self) -> bool {
        !matches!(self.format(), Format::Parquet | Format::Arrow | Format::Json | Format::NdJson)
    }

    /// All of them, in as many columns as there is room for.
    pub(super) fn how_card<'a>(&'a self, context: &Context<'a>) -> Element<'a, Message> {
        let lang = context.lang;
        let one = |label: &'a str, pick: Element<'a, Message>| -> Element<'a, Message> {
            row![container(Role::Body.text(label).style(theme::muted)).width(LABEL), pick]
                .spacing(space::S)
                .align_y(Alignment::Center)
                .into()
        };
        let width = Length::Fixed(PICK);
        let text = self.format() == Format::Text;
        let mut choices = if text {
            vec![
                one(words::encoding(lang), self.encoding(lang, width)),
                one(words::separator(lang), self.delimiter(lang, width)),
            ]
        } else {
            vec![one(words::sheet(lang), self.sheet(lang, width))]
        };
        choices.extend([
            one(words::header(lang), self.header(lang, width)),
            one(words::skip(lang), container(self.skip_field(lang)).width(PICK).into()),
            one(words::table(lang), self.tables(lang, width)),
            one(words::dates(lang), self.dates(lang, width)),
        ]);
        if text {
            choices.push(one(words::quote(lang), self.quote(lang, width)));
            choices.push(one(words::escape(lang), self.escape(lang, width)));
        }
        let close =
            self.how.then(|| icon_button(Icon::X, shell::close(lang), Some(Message::How(false))));
        let head = row![Role::Heading.text(words::how_read(lang)).width(Length::Fill)]
            .push(close)
            .align_y(Alignment::Center);
        let choices = Row::with_children(choices).spacing(space::XL).wrap();
        let hint = note(Icon::Info, words::restarts(lang), Tone::Neutral);
        card(column![head, choices.vertical_spacing(space::S), hint].spacing(space::M))
    }

    /// `found out`, with what was found where it is known.
    fn auto(&self, lang: Lang, found: Option<String>) -> String {
        found.map_or_else(|| words::auto(lang).to_owned(), |found| words::auto_is(lang, &found))
    }

    fn encoding(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        // What the whole table said counts for more than its beginning.
        let whole = self.report().map(|report| report.numbers.encoding.clone());
        let found = whole.or(self.seen().map(|seen| seen.encoding.clone()));
        let found = found.filter(|_| self.reading.encoding.is_none());
        let mut options = vec![(self.auto(lang, found), None)];
        options.extend(ENCODINGS.map(|(label, name)| (name.to_owned(), Some(label.to_owned()))));
        pick(options, &self.reading.encoding, width, |encoding| {
            Message::Reads(Reading { encoding, ..self.reading.clone() })
        })
    }

    fn delimiter(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let names: [(char, &str); 8] = [
            (',', words::comma(lang)),
            (';', words::semicolon(lang)),
            ('\t', words::tab(lang)),
            ('|', words::bar(lang)),
            (' ', words::blank(lang)),
            (':', words::colon(lang)),
            ('^', words::caret(lang)),
            ('~', words::tilde(lang)),
        ];
        let whole = self.report().map(|report| report.numbers.delimiter);
        let found = whole.or(self.seen().map(|seen| seen.delimiter));
        let found = found.filter(|_| self.reading.delimiter.is_none()).map(|found| {
            let name = names.iter().find(|(letter, _)| *letter == found);
            name.map_or_else(|| found.to_string(), |(_, name)| (*name).to_owned())
        });
        let mut options = vec![(self.auto(lang, found), None)];
        options.extend(names.map(|(letter, name)| (name.to_owned(), Some(letter))));
        pick(options, &self.reading.delimiter, width, |delimiter| {
            Message::Reads(Reading { delimiter, ..self.reading.clone() })
        })
    }

    fn header(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let name = |lines: u64| match lines {
            0 => words::header_none(lang).to_owned(),
            1 => words::header_one(lang).to_owned(),
            lines => words::header_lines(lang, lines),
        };
        let found = self.seen().filter(|_| self.reading.header_lines.is_none());
        let mut options = vec![(self.auto(lang, found.map(|seen| name(seen.header_lines))), None)];
        options.extend((0..=MOST_HEADER_LINES).map(|lines| (name(lines), Some(lines))));
        pick(options, &self.reading.header_lines, width, |header_lines| {
            Message::Reads(Reading { header_lines, ..self.reading.clone() })
        })
    }

    fn skip_field(&self, lang: Lang) -> Element<'_, Message> {
        let wrong = self.skip.1.then(|| words::not_lines(lang, MOST_SKIPPED));
        let input =
            field(words::auto(lang), &self.skip.0, None, Role::Body, SKIP, Message::Skip, None);
        let wrong = wrong.map(|wrong| Role::Caption.text(wrong).style(theme::danger_text));
        Column::new().push(input).push(wrong).spacing(space::XS).into()
    }

    fn tables(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let count = self.seen().map_or(1, |seen| seen.tables);
        let count = count.max(self.reading.table.unwrap_or(1)).min(20);
        let found = self.reading.table.is_none().then(|| words::table_of(lang, 1));
        let mut options = vec![(self.auto(lang, found), None)];
        options.extend((1..=count).map(|number| (words::table_of(lang, number), Some(number))));
        pick(options, &self.reading.table, width, |table| {
            Message::Reads(Reading { table, ..self.reading.clone() })
        })
    }

    fn sheet(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let seen = self.seen();
        let found = self.report().and_then(|report| report.numbers.sheet.clone());
        let found = found.or(seen.and_then(|seen| seen.sheet.clone()));
        let mut names = seen.map_or_else(Vec::new, |seen| seen.sheets.clone());
        names.extend(self.reading.sheet.iter().chain(&found).cloned());
        names.sort();
        names.dedup();
        let found = found.filter(|_| self.reading.sheet.is_none());
        let mut options = vec![(self.auto(lang, found), None)];
        options.extend(names.into_iter().take(200).map(|name| (name.clone(), Some(name))));
        pick(options, &self.reading.sheet, width, |sheet| {
            Message::Reads(Reading { sheet, ..self.reading.clone() })
        })
    }

    fn dates(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let options = vec![
            (words::auto(lang).to_owned(), None),
            (words::dmy(lang).to_owned(), Some("dmy")),
            (words::mdy(lang).to_owned(), Some("mdy")),
        ];
        pick(options, &self.reading.dates, width, |dates| {
            Message::Reads(Reading { dates, ..self.reading.clone() })
        })
    }

    fn quote(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let options = vec![
            (words::auto(lang).to_owned(), None),
            (words::double_quote(lang).to_owned(), Some('"')),
            (words::single_quote(lang).to_owned(), Some('\'')),
        ];
        pick(options, &self.reading.quote, width, |quote| {
            Message::Reads(Reading { quote, ..self.reading.clone() })
        })
    }

    fn escape(&self, lang: Lang, width: Length) -> Element<'_, Message> {
        let options = vec![
            (words::auto(lang).to_owned(), None),
            (words::backslash(lang).to_owned(), Some('\\')),
        ];
        pick(options, &self.reading.escape, width, |escape| {
            Message::Reads(Reading { escape, ..self.reading.clone() })
        })
    }
}
