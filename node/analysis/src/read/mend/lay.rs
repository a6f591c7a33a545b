//! The cheapest way to lay the pieces of a row over the columns.

use super::super::dialect::Dialect;
use super::super::records;
use super::Cell;
use super::guard::{self, Guards};
use crate::table::Mend;

/// Two ways whose costs are less apart are equally good.
pub(super) const MARGIN: f32 = 0.05;
/// A piece that an unquoted text goes on in; where delimiters are spaces, that is what words are.
const JOIN: f32 = 1.2;
const WORD: f32 = 0.2;
/// A quote that belongs to nothing.
const STRAY: f32 = 0.5;
/// An empty piece too many.
const DROP: f32 = 1.0;
/// A column without a piece: a lost delimiter is likelier than a field that is lost with it.
const EMPTY: f32 = 1.8;
/// A lost delimiter, and one where letters or digits go on over it.
const CUT: f32 = 1.5;
const INSIDE: f32 = 0.25;
/// Pieces that are joined without quotes, at most, and those between quotes.
const JOINED: usize = 24;
const BETWEEN: usize = 400;
/// Pieces of a row that is mended, and pieces by columns.
const PIECES: usize = 2000;
const PLACES_OF_ALL: usize = 100_000;
/// Places in a piece where a delimiter may have been lost.
const PLACES: usize = 200;

/// A piece of a row, between delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    at: usize,
    end: usize,
}

impl Piece {
    pub fn of((at, end): (usize, usize)) -> Self {
        Self { at, end }
    }
}

/// A row over its columns.
pub(super) struct Laid {
    pub cells: Vec<Cell>,
    pub cost: f32,
    /// Whether no other way costs as little.
    pub only: bool,
    /// What was done that matters most.
    pub how: Mend,
}

/// Cuts at every delimiter, whatever quotes say.
pub(super) fn bare(raw: &str, dialect: Dialect) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let ends = memchr::memchr_iter(dialect.delimiter, raw.as_bytes()).chain([raw.len()]);
    for end in ends {
        pieces.push(Piece { at, end });
        at = end + 1;
    }
    pieces
}

/// A way to some place: pieces that were used, columns that were filled.
#[derive(Clone)]
struct Way {
    cost: f32,
    ways: u32,
    /// From here.
    back: (usize, usize),
    /// With these cells.
    cells: Vec<Cell>,
    how: Mend,
}

/// Lays pieces over columns.
pub(super) fn lay(
    guards: &Guards,
    raw: &str,
    pieces: &[Piece],
    dialect: Dialect,
    steps: &mut usize,
) -> Option<Laid> {
    let (count, width) = (pieces.len(), guards.len());
    if count > PIECES || width == 0 || (count + 1) * (width + 1) > PLACES_OF_ALL {
        return None;
    }
    let ways = vec![None; (count + 1) * (width + 1)];
    let mut table = Table { guards, raw, pieces, dialect, ways, steps };
    table.ways[0] = Some(Way { cost: 0.0, ways: 1, back: (0, 0), cells: vec![], how: Mend::Kept });
    for piece in 0..=count {
        for column in 0..=width {
            if *table.steps > 0 && table.at(piece, column).is_some() {
                table.go_on(piece, column);
            }
        }
    }
    if *table.steps == 0 { None } else { table.read(count, width) }
}

struct Table<'a> {
    guards: &'a Guards,
    raw: &'a str,
    pieces: &'a [Piece],
    dialect: Dialect,
    ways: Vec<Option<Way>>,
    steps: &'a mut usize,
}

impl<'a> Table<'a> {
    /// What it costs to believe a cell; counts as a step.
    fn cost(&mut self, column: usize, cell: &str, quoted: bool) -> f32 {
        *self.steps = self.steps.saturating_sub(1);
        self.guards.cost(column, cell, quoted)
    }

    fn index(&self, piece: usize, column: usize) -> usize {
        piece * (self.guards.len() + 1) + column
    }

    fn at(&self, piece: usize, column: usize) -> Option<&Way> {
        self.ways[self.index(piece, column)].as_ref()
    }

    /// All steps from a place.
    fn go_on(&mut self, piece: usize, column: usize) {
        let width = self.guards.len();
        if column < width {
            let cost = self.cost(column, "", false);
            self.step(
                (piece, column),
                (piece, column + 1),
                EMPTY + cost,
                Mend::Padded,
                vec![plain("")],
            );
        }
        if piece == self.pieces.len() {
            return;
        }
        if self.text(piece, piece).trim().is_empty()
            && (piece == 0 || !self.text(piece - 1, piece - 1).trim().is_empty())
        {
            self.step((piece, column), (piece + 1, column), DROP, Mend::Dropped, vec![]);
        }
        if column == width {
            return;
        }
        self.take(piece, column);
        self.join(piece, column);
        if column + 1 < width {
            self.cut(piece, column);
        }
    }

    /// A piece is a cell.
    fn take(&mut self, piece: usize, column: usize) {
        let text = self.text(piece, piece);
        let (from, to) = ((piece, column), (piece + 1, column + 1));
        if let Some((cell, even)) = self.unquoted(text) {
            let (cost, how, cell) = self.between(column, cell, even);
            return self.step(from, to, cost, how, vec![cell]);
        }
        let cost = self.cost(column, text, false);
        let bare = text.trim_matches(' ').trim_matches(char::from(self.dialect.quote));
        if guard::never(cost) && bare.len() < text.len() {
            let cost = STRAY + self.cost(column, bare, false);
            let cell = Cell { text: text.to_owned(), bare: Some(bare.to_owned()) };
            return self.step(from, to, cost, Mend::Quote, vec![cell]);
        }
        let (stray, how) = match bare.len() < text.trim_matches(' ').len() {
            true => (STRAY, Mend::Quote),
            false => (0.0, Mend::Kept),
        };
        self.step(from, to, stray + cost, how, vec![plain(text)]);
    }

    /// What it costs that a text stood in quotes, which may be wrong ones.
    fn between(&mut self, column: usize, text: String, even: bool) -> (f32, Mend, Cell) {
        let cost = self.cost(column, &text, true);
        if even {
            return (cost, Mend::Kept, plain(&text));
        }
        let bare = text.trim_matches(char::from(self.dialect.quote));
        if bare.len() == text.len() || !guard::never(cost) {
            return (STRAY + cost, Mend::Quote, plain(&text));
        }
        let cost = self.cost(column, bare, true);
        let bare = Some(bare.to_owned());
        (STRAY + cost, Mend::Quote, Cell { text, bare })
    }

    /// A piece and those after it are one cell: a text with delimiters, in wrong quotes or none.
    fn join(&mut self, piece: usize, column: usize) {
        let quote = char::from(self.dialect.quote);
        let opens = self.text(piece, piece).trim_start_matches(' ').starts_with(quote);
        let last = self.pieces.len().min(piece + if opens { BETWEEN } else { JOINED });
        let each = if self.dialect.delimiter == b' ' { WORD } else { JOIN };
        for end in piece + 1..last {
            let text = self.text(piece, end);
            let (from, to) = ((piece, column), (end + 1, column + 1));
            if opens {
                if let Some((cell, even)) = self.unquoted(text) {
                    let (cost, how, cell) = self.between(column, cell, even);
                    self.step(from, to, cost, how, vec![cell]);
                }
                continue;
            }
            if self.text(end, end).contains(quote) {
                break;
            }
            let cost = self.cost(column, text, false) + each * (end - piece) as f32;
            self.step(from, to, cost, Mend::Joined, vec![plain(text)]);
        }
    }

    /// A piece is two cells: there was a delimiter between them. Where the second one stands in
    /// quotes, it may have delimiters.
    fn cut(&mut self, piece: usize, column: usize) {
        // A delimiter that is lost leaves a piece too few.
        if self.pieces.len() < self.guards.len() {
            self.cut_one(piece, column);
        }
        let quote = char::from(self.dialect.quote);
        let Some(at) = self.text(piece, piece).find(quote).filter(|at| *at > 0) else { return };
        for end in piece + 1..self.pieces.len().min(piece + BETWEEN) {
            let (one, other) = self.text(piece, end).split_at(at);
            let Some((other, true)) = self.unquoted(other) else { continue };
            let cost = self.cost(column, one, false) + self.cost(column + 1, &other, true);
            let cells = vec![plain(one), plain(&other)];
            self.step((piece, column), (end + 1, column + 2), CUT + cost, Mend::Cut, cells);
        }
    }

    fn cut_one(&mut self, piece: usize, column: usize) {
        let text = self.text(piece, piece);
        let quote = char::from(self.dialect.quote);
        let places: Vec<usize> =
            text.char_indices().map(|(at, _)| at).skip(1).take(PLACES).collect();
        let quotes = text.match_indices(quote).map(|(at, _)| at).filter(|at| *at > 0);
        let places: std::collections::BTreeSet<usize> = places.into_iter().chain(quotes).collect();
        for at in places {
            let (one, other) = text.split_at(at);
            let inside = inside(one, other);
            let (one, other) = (self.whole(one), self.whole(other));
            let (Some((one, first)), Some((other, second))) = (one, other) else { continue };
            let typed = self.guards.typed(column) || self.guards.typed(column + 1);
            if one.trim().is_empty() || other.trim().is_empty() || !(typed || first || second) {
                continue;
            }
            let cost = self.cost(column, &one, first) + self.cost(column + 1, &other, second);
            let cost = CUT + cost + if inside && !(first || second) { INSIDE } else { 0.0 };
            let cells = vec![plain(&one), plain(&other)];
            self.step((piece, column), (piece + 1, column + 2), cost, Mend::Cut, cells);
        }
    }

    /// A cell that has all of its quotes or none, and whether it has some.
    fn whole(&self, text: &str) -> Option<(String, bool)> {
        let quote = char::from(self.dialect.quote);
        match self.unquoted(text) {
            Some((cell, true)) => Some((cell, true)),
            Some(_) => None,
            None if text.contains(quote) => None,
            None => Some((text.to_owned(), false)),
        }
    }

    /// What stands between the first and the last quote of a text that begins and ends with
    /// one, and whether the quotes between are as they should be.
    fn unquoted(&self, text: &str) -> Option<(String, bool)> {
        let quote = char::from(self.dialect.quote);
        let inner = text.trim_matches(' ').strip_prefix(quote)?.strip_suffix(quote)?;
        let mut cell = String::with_capacity(inner.len());
        records::plain(inner, self.dialect, &mut cell);
        let close =
            records::closing(text.trim_start_matches(' ').as_bytes(), 0, self.dialect, true);
        let even = close.is_some_and(|close| close.at == inner.len() + 1);
        Some((cell, even))
    }

    /// Pieces as they were written, with what stands between them.
    fn text(&self, first: usize, last: usize) -> &'a str {
        &self.raw[self.pieces[first].at..self.pieces[last].end]
    }

    /// Takes a step, if no cheaper one leads there.
    fn step(
        &mut self,
        from: (usize, usize),
        to: (usize, usize),
        cost: f32,
        how: Mend,
        cells: Vec<Cell>,
    ) {
        if guard::never(cost) {
            return;
        }
        let Some(before) = self.at(from.0, from.1) else { return };
        let (cost, ways) = (before.cost + cost, before.ways);
        let index = self.index(to.0, to.1);
        let way = Way { cost, ways, back: from, cells, how };
        match &mut self.ways[index] {
            Some(kept) if cost > kept.cost + MARGIN => {}
            Some(kept) if cost > kept.cost - MARGIN => kept.ways = kept.ways.saturating_add(ways),
            place => *place = Some(way),
        }
    }

    /// The cheapest way from its end back to its start.
    fn read(&self, count: usize, width: usize) -> Option<Laid> {
        let end = self.at(count, width)?;
        let mut cells = Vec::new();
        let (mut place, mut how) = ((count, width), Mend::Kept);
        while place != (0, 0) {
            let way = self.at(place.0, place.1)?;
            cells.extend(way.cells.iter().rev().cloned());
            how = how.max(way.how);
            place = way.back;
        }
        cells.reverse();
        let typed =
            (0..width).any(|column| self.guards.typed(column) && !cells[column].text.is_empty());
        typed.then_some(Laid { cells, cost: end.cost, only: end.ways == 1, how })
    }
}

fn plain(text: &str) -> Cell {
    Cell { text: text.to_owned(), bare: None }
}

/// Whether letters or digits go on from one text into the other.
fn inside(one: &str, other: &str) -> bool {
    let (Some(last), Some(first)) = (one.chars().next_back(), other.chars().next()) else {
        return false;
    };
    let lower = |c: char| c.is_lowercase();
    (last.is_ascii_digit() || matches!(last, '.' | ',')) && first.is_ascii_digit()
        || last.is_ascii_digit() && matches!(first, '.' | ',')
        || (last.is_alphabetic() && lower(first))
}
