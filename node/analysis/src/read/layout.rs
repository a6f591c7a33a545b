//! Layout: where in the text the table is, how many lines its header has, and what stands above,
//! between and below: titles, blank rows, footnotes, other tables.

use super::ReadOptions;
use super::dialect::{self, Dialect, Sample};
use super::encoding::{Encoding, Text};
use super::header;
use super::mend::{self, Guards, Mender};
use super::records::{self, Record, Sink};
use super::sniff::common;
use super::source::Input;
use crate::table::Note;
use crate::{AnalysisError, wrong};

/// Columns of the widest table.
pub(super) const COLUMNS: usize = 20_000;
/// Rows from which kinds are inferred.
const ROWS: usize = 1000;
/// Cells that are looked at, about.
const CELLS: usize = 200_000;
/// Records above the header, such as a title.
const ABOVE: usize = 20;
/// Records before a blank line that are more than titles.
const FEW: usize = 4;
/// Rows that show what the columns of a table have, before another one may begin.
const SHOWN: usize = 20;
/// Rows below titles that must be of one width.
const BELOW_TITLES: usize = 12;
/// Records below the last row, such as footnotes.
const BELOW: usize = 30;
/// Rows that are compared with others.
const LOOKED_AT: usize = 200;
/// Bytes of a single line with a single field that can still be a header.
const LONE: usize = 64 << 10;

/// Where the table is in the text, and how its columns are called.
pub(super) struct Layout {
    pub names: Vec<String>,
    /// Whether the names stand in the file.
    pub header: bool,
    /// Records before the first row.
    pub skip: u64,
    /// Bytes of the sample in which the table is, where something else follows it.
    pub cut: Option<usize>,
    /// Every row ends with a delimiter that the header does not have.
    pub trailing: bool,
    /// The first rows.
    pub rows: Vec<Vec<String>>,
    /// Whether these are all.
    pub whole: bool,
    /// What the cells of good rows look like.
    pub guards: Guards,
    /// Whether there is nothing but names and rows: every line below the names is one, also where
    /// it is blank.
    pub plain: bool,
    /// Whether the last row belongs to it.
    pub last: bool,
    /// What was found out, for a person.
    pub notes: Vec<Note>,
}

impl Layout {
    /// How many columns, where lines below the table are still to be looked for.
    pub fn open_end(&self) -> Option<usize> {
        let open = !self.whole && self.cut.is_none() && !self.plain;
        open.then_some(self.names.len())
    }

    /// The text that the table is in.
    pub fn text<'a>(
        &self,
        sample: &'a Sample,
        input: &'a Input<'a>,
        encoding: &Encoding,
    ) -> Result<Text<'a>, AnalysisError> {
        match self.cut {
            // What follows the table is of no interest, and the sample has all before it.
            Some(end) => Ok(Text::of(&sample.text.as_bytes()[..end], input.watch)),
            None => Ok(Text::open(input, encoding)?.unified(sample.mixed)),
        }
    }
}

/// A record of the sample.
pub(super) struct Row {
    pub cells: Vec<String>,
    pub quoted: Vec<bool>,
    /// Its first line, from 0, its last one, and its bytes.
    pub line: u64,
    pub last_line: u64,
    pub at: (usize, usize),
    pub wrong: bool,
    /// Whether it is a comment.
    pub comment: bool,
}

impl Row {
    /// Cells with a value.
    pub fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.trim().is_empty()).count()
    }

    /// Whether it is a comment between rows of this width.
    fn is_comment(&self, width: usize) -> bool {
        self.comment && width > 1 && self.cells.len() != width
    }

    /// Whether nothing but its first cells has a value.
    fn is_prefix(&self) -> bool {
        let filled = self.filled();
        self.cells.iter().take(filled).all(|cell| !cell.trim().is_empty())
    }
}

/// Finds the table.
pub(super) fn find(
    sample: &Sample,
    dialect: &Dialect,
    options: &ReadOptions,
) -> Result<Layout, AnalysisError> {
    let mut sink = Rows::default();
    records::split(&sample.text, *dialect, &mut sink);
    let whole = sample.whole && !sink.full;
    let mut rows = sink.rows;
    refuse(&rows)?;
    respell(&mut rows, &sample.text, *dialect);
    let said = usize::from(dialect::said(&sample.text) == Some(dialect.delimiter));
    let from = said.max(said_above(&rows, options));
    let tables = tables(&rows[from.min(rows.len())..], options);
    let tables: Vec<usize> = tables.into_iter().map(|at| at + from).collect();
    let (start, end) = wanted(&tables, rows.len(), options)?;
    let mut notes = Vec::new();
    let titles = above(&rows[start..end], options);
    let lines = rows.get(start + titles).or(rows.last()).map_or(0, |row| row.line);
    let lines = lines.saturating_sub(if start == from { said as u64 } else { rows[start].line });
    if titles > 0 || from > said {
        notes.push(Note::Titles(lines));
    }
    let skip = start + titles;
    let names = header::names(&rows[skip..end], options, dialect);
    notes.extend(names.notes);
    if tables.len() > 1 {
        let others = tables.iter().filter(|at| **at != start);
        notes.push(Note::MoreTables(others.map(|at| named(&rows[*at..], options)).collect()));
    }
    let skip = skip + names.lines;
    let body = &rows[skip.min(end)..end];
    let below = if end < rows.len() || whole { footers(body, names.names.len()) } else { 0 };
    if below > 0 {
        notes.push(Note::Footers(below as u64));
    }
    let body = &body[..body.len() - below];
    let cut = rows.get(skip + body.len()).map(|row| row.at.0);
    let cut = cut.filter(|_| end < rows.len() || below > 0);
    let guards = guards(body, names.names.len(), dialect);
    let width = names.names.len();
    let mut rest = body.iter().filter(|row| row.filled() > 0 && !row.is_comment(width));
    let mend = |row: &Row| mended(row, &guards, &sample.text, *dialect);
    let first: Vec<Vec<String>> = rest.by_ref().take(ROWS).map(mend).collect();
    Ok(Layout {
        whole: (whole || cut.is_some()) && rest.next().is_none(),
        names: names.names,
        header: names.header,
        skip: skip as u64,
        cut,
        trailing: names.trailing,
        rows: first,
        guards,
        plain: false,
        last: true,
        notes,
    })
}

/// Of a text that has names in its first line, and below it one row in each line.
pub(super) fn plain(sample: &Sample, dialect: &Dialect) -> Layout {
    let mut sink = Rows::default();
    records::split(&sample.text, *dialect, &mut sink);
    let whole = sample.whole && !sink.full;
    let mut rows = sink.rows.into_iter().map(|row| row.cells);
    let (names, _) = header::unique(rows.next().unwrap_or_default());
    let first: Vec<Vec<String>> = rows.by_ref().take(ROWS).collect();
    Layout {
        whole: whole && rows.next().is_none(),
        names,
        header: true,
        skip: 1,
        cut: None,
        trailing: false,
        rows: first,
        guards: Guards::default(),
        plain: true,
        last: true,
        notes: Vec::new(),
    }
}

/// Records in the lines that were said to stand above the table.
fn said_above(rows: &[Row], options: &ReadOptions) -> usize {
    let lines = options.skip_lines.unwrap_or(0);
    rows.iter().take_while(|row| row.line < lines).count()
}

/// Where the table that was asked for begins and ends.
fn wanted(
    tables: &[usize],
    all: usize,
    options: &ReadOptions,
) -> Result<(usize, usize), AnalysisError> {
    let wanted = options.table.unwrap_or(1).max(1);
    let at = usize::try_from(wanted - 1).unwrap_or(usize::MAX);
    let Some(&start) = tables.get(at) else {
        return Err(AnalysisError::BadOption(wrong::no_table(wanted, tables.len())));
    };
    Ok((start, tables.get(at + 1).copied().unwrap_or(all)))
}

/// Cuts a header that has another delimiter than the rows below it, which have none, at that.
fn respell(rows: &mut [Row], text: &str, dialect: Dialect) {
    let widths: Vec<usize> = rows.iter().take(2 * SHOWN).map(|row| row.cells.len()).collect();
    let width = common(&widths);
    let Some(at) = widths.iter().position(|fields| *fields == width) else { return };
    let Some(before) = at.checked_sub(1) else { return };
    let row = &rows[before];
    if width < 3 || row.cells.len() * 2 > width || header::has_header(&rows[at..]) {
        return;
    }
    let raw = &text[row.at.0..row.at.1];
    for delimiter in mend::OTHERS.iter().copied().filter(|other| *other != dialect.delimiter) {
        let mut other = Rows::default();
        let dialect = Dialect { delimiter, padded: false, runs: false, wide: false, ..dialect };
        records::split(raw, dialect, &mut other);
        let cells = other.rows.pop().map(|row| row.cells).unwrap_or_default();
        let names = |cell: &String| !cell.trim().is_empty() && !header::is_value(cell);
        if cells.len() == width && cells.iter().all(names) {
            rows[before].quoted = vec![false; width];
            rows[before].cells = cells;
            return;
        }
    }
}

fn refuse(rows: &[Row]) -> Result<(), AnalysisError> {
    let Some(first) = rows.first() else {
        return Err(AnalysisError::BadInput(wrong::no_row()));
    };
    if first.cells.len() > COLUMNS {
        return Err(AnalysisError::BadInput(wrong::many_fields(first.cells.len(), COLUMNS)));
    }
    if rows.len() == 1 && first.cells.len() == 1 && first.cells[0].len() > LONE {
        return Err(AnalysisError::BadInput(wrong::one_long_line()));
    }
    Ok(())
}

/// Records above the header: comments, titles, remarks.
fn above(rows: &[Row], options: &ReadOptions) -> usize {
    if options.skip_lines.is_some() || options.header_lines.is_some() {
        return 0;
    }
    let comments = comments(rows);
    let rows = &rows[comments..];
    // Further down there may be other tables.
    let gap = (FEW..rows.len()).find(|at| gap(&rows[at - 1], &rows[*at])).unwrap_or(rows.len());
    let first = rows.iter().take(gap.min(2 * SHOWN));
    let widths: Vec<usize> = first.map(|row| row.cells.len()).collect();
    let width = common(&widths);
    let mut titles = rows.iter().take(ABOVE).take_while(|row| is_title(row, width)).count();
    // Several cells are a title only above names.
    if rows[..titles].iter().any(|row| row.filled() > 1) && !header::has_header(&rows[titles..]) {
        titles = rows.iter().take(titles).take_while(|row| row.filled() <= 1).count();
    }
    let below = &widths[titles.min(widths.len())..];
    let below = &below[..below.len().min(BELOW_TITLES)];
    let fits = below.iter().filter(|w| **w == width).count();
    let table = match width {
        0 | 1 => false,
        // Of two columns everything must fit: a text may have a delimiter, too.
        2 => fits == below.len() && below.len() > 2 && widths[..titles].iter().all(|w| *w == 1),
        _ => fits * 10 >= below.len() * 7 && (below.len() > 1 || titles > 0 && below.len() == 1),
    };
    comments + if table { titles } else { 0 }
}

/// Records at the start that a `#` begins; the last of them is the header where it has as many
/// fields as the rows below, which need one.
fn comments(rows: &[Row]) -> usize {
    let comments = rows.iter().take_while(|row| row.comment).count();
    let Some(first) = rows.get(comments) else { return 0 };
    let Some(last) = rows[..comments].last() else { return 0 };
    let same = last.cells.len() == first.cells.len();
    let named =
        same && !header::has_header(&rows[comments..]) && header::has_header(&rows[comments - 1..]);
    comments - usize::from(named)
}

/// Whether a row above a table of this width belongs to no table.
fn is_title(row: &Row, width: usize) -> bool {
    let (fields, filled) = (row.cells.len(), row.filled());
    match fields {
        1 => width > 1,
        fields if fields < width => fields * 2 <= width,
        // A sheet that was saved has delimiters also after titles.
        _ => width > 2 && (filled <= 1 || (filled * 2 < width && filled == 2)) && row.is_prefix(),
    }
}

/// Where each table begins, among these rows: the first at their start, the next ones where rows
/// of another kind follow a header.
fn tables(rows: &[Row], options: &ReadOptions) -> Vec<usize> {
    let mut starts = vec![0];
    let mut start = 0;
    while let Some(next) = next_table(&rows[start..], options) {
        start += next;
        starts.push(start);
    }
    starts
}

/// Where the table after the first one begins.
fn next_table(rows: &[Row], options: &ReadOptions) -> Option<usize> {
    let head =
        above(rows, options) + header::lines(&rows[above(rows, options).min(rows.len())..]).max(1);
    let body = rows.get(head..)?;
    // Only what is of this table says what its columns have.
    let first =
        1 + body.windows(2).take(SHOWN - 1).take_while(|two| !gap(&two[0], &two[1])).count();
    let shown = &body[..first.min(body.len())];
    let width = common(&shown.iter().map(|row| row.cells.len()).collect::<Vec<_>>());
    if width < 2 {
        return None;
    }
    let typed = header::typed_columns(shown.iter(), width);
    let many = typed.iter().filter(|typed| **typed).count();
    for at in 1..body.len() {
        let (row, gap) = (&body[at], gap(&body[at - 1], &body[at]));
        if row.filled() == 0 || !(gap || many > 1) {
            continue;
        }
        // A title above it belongs to it.
        let titles = if gap {
            body[at..].iter().take(3).take_while(|row| row.filled() == 1).count()
        } else {
            0
        };
        let Some(names) = body.get(at + titles) else { continue };
        let like = header::is_like(names, &typed);
        let other = names.cells.len() != width || titles > 0;
        let starts = like.named >= 2 && like.values == 0
            || gap && other && like.named > 0 && like.values == 0;
        let rows = body[at + titles + 1..].iter().take(5).filter(|row| row.filled() > 0);
        let rows: Vec<&Row> = rows.take_while(|row| row.cells.len() == names.cells.len()).collect();
        let values = |row: &&&Row| row.cells.iter().any(|cell| header::is_value(cell));
        if starts && names.filled() > 1 && rows.iter().filter(values).count() * 2 > rows.len() {
            return Some(head + at);
        }
    }
    None
}

/// Whether there is nothing between two rows but blank lines.
fn gap(before: &Row, row: &Row) -> bool {
    before.filled() == 0 || row.line > before.last_line + 1
}

/// The line of a table and its first names, for a person.
fn named(rows: &[Row], options: &ReadOptions) -> (u64, String) {
    let titles = above(rows, options).min(rows.len() - 1);
    let names: Vec<&str> = rows[titles].cells.iter().map(|cell| cell.trim()).take(4).collect();
    (rows[0].line + 1, names.join(", "))
}

/// Records below the last row: footnotes, sources, blank rows.
fn footers(body: &[Row], width: usize) -> usize {
    if width < 2 {
        return 0;
    }
    let mut below = 0;
    for (count, row) in body.iter().rev().enumerate().take(BELOW) {
        match row.filled() {
            0 => {}
            filled if filled > 1 && (row.cells.len() == width || filled == width) => break,
            _ if is_footnote(row, &body[..body.len() - count - 1], width) => below = count + 1,
            _ => break,
        }
    }
    // Where everything is like that, nothing is a table.
    if below * 2 < body.len() { below } else { 0 }
}

/// Where the lines below a table begin in the end of its text, and how many they are.
pub(super) fn below(text: &str, dialect: Dialect, width: usize) -> Option<(usize, u64)> {
    let mut sink = Rows::default();
    records::split(text, dialect, &mut sink);
    let below = if sink.full { 0 } else { footers(&sink.rows, width) };
    let first = sink.rows.len() - below;
    sink.rows.get(first).map(|row| (row.at.0, below as u64))
}

/// Whether a row with a single value is a remark and no row: a text where the first column has
/// none, or below a gap, or one that says what it is.
fn is_footnote(row: &Row, rows: &[Row], width: usize) -> bool {
    let first = row.cells[0].trim();
    if first.is_empty() || header::is_value(first) {
        return false;
    }
    let typed = header::typed_columns(rows.iter().rev().take(LOOKED_AT), width);
    let lower = first.to_lowercase();
    const SAY: &[&str] = &[
        "source", "note", "footnote", "*", "†", "(", "[", "©", "来源", "注", "资料", "数据", "说明",
    ];
    let says = SAY.iter().any(|start| lower.starts_with(start));
    let longest = rows.iter().rev().take(LOOKED_AT).map(|row| row.cells[0].chars().count()).max();
    let long = first.chars().count() > longest.unwrap_or(0) + 10;
    let apart = rows.last().is_some_and(|before| gap(before, row));
    if row.filled() > 1 {
        // A remark with delimiters in it.
        return says || (apart && typed[0]);
    }
    typed[0] || says || long || apart
}

/// What good rows look like. Where nearly all have quotes in their texts, these are good, too.
fn guards(body: &[Row], width: usize, dialect: &Dialect) -> Guards {
    let of = |wrong: bool| {
        let full = |row: &&Row| row.cells.len() == width && row.filled() > 0;
        let good = body.iter().filter(full).filter(|row| wrong || !row.wrong);
        Guards::of(good.map(|row| (&row.cells[..], &row.quoted[..])), width)
    };
    let guards = Some(of(false)).filter(|guards| guards.len() > 0).unwrap_or_else(|| of(true));
    if guards.len() == 0 && dialect.delimiter == b' ' {
        let rows: Vec<Vec<String>> =
            body.iter().take(LOOKED_AT).map(|row| row.cells.clone()).collect();
        return Guards::of_ragged(&rows, width).unwrap_or_default();
    }
    guards
}

/// A row of the sample as the pass will read it.
fn mended(row: &Row, guards: &Guards, text: &str, dialect: Dialect) -> Vec<String> {
    if row.cells.len() == guards.len() && !row.wrong {
        return row.cells.clone();
    }
    struct Take<'a>(Mender<'a>, Option<mend::Mended>);
    impl Sink for Take<'_> {
        fn record(&mut self, record: &Record) -> bool {
            self.1 = self.0.mend(record);
            false
        }
    }
    let mut take = Take(Mender::new(guards, dialect), None);
    records::split(&text[row.at.0..row.at.1], dialect, &mut take);
    match take.1 {
        Some(mended) => {
            mended.cells.into_iter().map(|cell| cell.bare.unwrap_or(cell.text)).collect()
        }
        None => row.cells.clone(),
    }
}

#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    cells: usize,
    full: bool,
}

impl Sink for Rows {
    fn record(&mut self, record: &Record) -> bool {
        // Enough to say that there are too many.
        let cells = || record.fields().take(50 * COLUMNS);
        let row = Row {
            cells: cells().map(str::to_owned).collect(),
            quoted: (0..record.len().min(50 * COLUMNS)).map(|at| record.is_quoted(at)).collect(),
            line: record.line,
            last_line: record.line + record.raw().matches(['\n']).count() as u64,
            at: record.at,
            wrong: record.wrong,
            comment: record.is_comment(),
        };
        self.cells += row.cells.len();
        self.rows.push(row);
        self.full = self.cells > CELLS && self.rows.len() > 20;
        !self.full
    }
}
