//! Mending: rows of another width than their table, put right where the columns say how.
//!
//! What a column's cells look like is learnt from good rows ([`Guards`]). A bad row is then cut
//! at every delimiter, and its pieces are laid over the columns in the cheapest way: pieces may
//! be joined (a delimiter in a text), dropped (a delimiter too many), cut (a lost one), and
//! columns left empty. Where two ways are as good, nothing says how, and the row stays as it is.

mod guard;
mod lay;

use super::dialect::Dialect;
use super::records::{self, Record, Sink};
pub(super) use guard::Guards;
use lay::{Laid, Piece};

use crate::table::Mend;

/// Bytes of the longest row that is mended.
const LONGEST: usize = 64 << 10;
/// Columns of the widest table whose rows are mended.
const WIDEST: usize = 500;
/// Rows of a chunk that cannot be put right, after which no more are tried: where there are so
/// many, nothing says how.
const TRIES: usize = 100;
/// Cells that are compared with their column, of one chunk: about a second.
const STEPS: usize = 3_000_000;
/// Delimiters that a single row may have instead of its table's.
pub(super) const OTHERS: &[u8] = b",;\t| :~^";

/// A row that was put right.
#[derive(Debug, PartialEq)]
pub(super) struct Mended {
    pub cells: Vec<Cell>,
    pub how: Mend,
}

/// A cell of such a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// As it was written.
    pub text: String,
    /// Without a quote at its start or end that belongs to nothing.
    pub bare: Option<String>,
}

/// Mends the rows of one chunk, with bounded work.
pub(super) struct Mender<'a> {
    guards: &'a Guards,
    dialect: Dialect,
    /// Rows that could not be put right.
    failed: usize,
    /// Steps that may still be taken.
    steps: usize,
}

impl<'a> Mender<'a> {
    pub fn new(guards: &'a Guards, dialect: Dialect) -> Self {
        Self { guards, dialect, failed: 0, steps: STEPS }
    }

    /// The row that this record should have been, if the columns say so.
    pub fn mend(&mut self, record: &Record) -> Option<Mended> {
        let width = self.guards.len();
        let tired = self.failed >= TRIES || self.steps == 0;
        if tired || record.raw().len() > LONGEST || !(2..=WIDEST).contains(&width) {
            return None;
        }
        let mended = best(self.ways(record), record, width);
        self.failed += usize::from(mended.is_none());
        mended
    }

    /// What the record may be, as its quotes say, as if they said nothing, and with other
    /// delimiters.
    fn ways(&mut self, record: &Record) -> Vec<(Laid, Mend)> {
        let (guards, dialect, width) = (self.guards, self.dialect, self.guards.len());
        let (raw, steps) = (record.raw(), &mut self.steps);
        let pieces = pieces(raw, dialect);
        let mut found = Vec::new();
        let laid = lay::lay(guards, raw, &pieces, dialect, steps);
        found.extend(laid.map(|laid| (laid, Mend::Kept)));
        if record.wrong || pieces.len() < width {
            let bare = lay::bare(raw, dialect);
            if bare != pieces {
                let laid = lay::lay(guards, raw, &bare, dialect, steps);
                found.extend(laid.map(|laid| (laid, Mend::Kept)));
            }
        }
        if pieces.len() * 2 > width + 1 {
            return found;
        }
        for delimiter in OTHERS.iter().copied().filter(|other| *other != dialect.delimiter) {
            let other = Dialect { delimiter, padded: false, runs: false, wide: false, ..dialect };
            let pieces = self::pieces(raw, other);
            if pieces.len() + 1 >= width {
                let laid = lay::lay(guards, raw, &pieces, other, steps);
                found.extend(laid.map(|laid| (laid, Mend::Delimiter)));
            }
        }
        found
    }
}

/// The cheapest, where there is no other one as cheap that says something else.
fn best(mut found: Vec<(Laid, Mend)>, record: &Record, width: usize) -> Option<Mended> {
    found.sort_by(|one, other| one.0.cost.total_cmp(&other.0.cost));
    let (first, rest) = found.split_first()?;
    let rival = rest
        .iter()
        .any(|(laid, _)| laid.cost < first.0.cost + lay::MARGIN && laid.cells != first.0.cells);
    if rival || !first.0.only {
        return None;
    }
    let (laid, how) = first;
    let how = if *how == Mend::Kept { laid.how } else { *how };
    // What only has less at its end is read as it stands, and stays a row that is too short.
    let same = |at: usize| laid.cells[at].text == record.field(at) && laid.cells[at].bare.is_none();
    if record.len() <= width && (0..width).all(same) {
        return None;
    }
    Some(Mended { cells: laid.cells.clone(), how })
}

/// Cuts a row where its quotes let it be cut.
fn pieces(raw: &str, dialect: Dialect) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    records::split(raw, dialect, &mut pieces);
    pieces.0
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Sink for Pieces {
    fn record(&mut self, record: &Record) -> bool {
        self.0 = (0..record.len()).map(|at| Piece::of(record.place(at))).collect();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of each column as the cells of most tables are.
    fn guards() -> Guards {
        let rows: Vec<Vec<String>> = (0..40)
            .map(|row| {
                let (day, minute, price) =
                    (10 + row % 19, 10 + row % 50, 1.25 * f64::from(row + 9));
                let text = ["Blue Boots", "Sofa, Leather", "Hat 3-in-1", "A very long coat"]
                    [row as usize % 4];
                [
                    format!("{day}/01/2018"),
                    format!("07:{minute}"),
                    format!("{}", row % 30),
                    format!("AB-{}", 1000 + row),
                    format!("${price:.2}"),
                    format!("{text} {row}"),
                    format!("https://example.com/{row}.html"),
                ]
                .to_vec()
            })
            .collect();
        Guards::of(rows.iter().map(|row| (row.as_slice(), &[false; 7][..])), 7)
    }

    fn mended(row: &str) -> Option<(Vec<String>, Mend)> {
        struct Take(Option<Mended>, Guards);
        impl Sink for Take {
            fn record(&mut self, record: &Record) -> bool {
                self.0 = Mender::new(&self.1, Dialect::of(b',', b'"', b'\n')).mend(record);
                false
            }
        }
        let mut take = Take(None, guards());
        records::split(row, Dialect::of(b',', b'"', b'\n'), &mut take);
        take.0.map(|m| (m.cells.into_iter().map(|cell| cell.text).collect(), m.how))
    }

    const GOOD: [&str; 7] = [
        "11/01/2018",
        "07:22",
        "4",
        "AB-1007",
        "$12.50",
        "Blue Boots",
        "https://example.com/7.html",
    ];

    #[test]
    fn what_the_types_say_is_done() {
        for (row, how) in [
            (
                "11/01/2018,,07:22,4,AB-1007,$12.50,Blue Boots,https://example.com/7.html",
                Mend::Dropped,
            ),
            (
                ",11/01/2018,07:22,4,AB-1007,$12.50,Blue Boots,https://example.com/7.html",
                Mend::Dropped,
            ),
            ("11/01/201807:22,4,AB-1007,$12.50,Blue Boots,https://example.com/7.html", Mend::Cut),
            ("11/01/2018,07:224,AB-1007,$12.50,Blue Boots,https://example.com/7.html", Mend::Cut),
            ("11/01/2018,07:22,4AB-1007,$12.50,Blue Boots,https://example.com/7.html", Mend::Cut),
            ("11/01/2018,07:22,4,AB-1007$12.50,Blue Boots,https://example.com/7.html", Mend::Cut),
            ("11/01/2018,07:22,4,AB-1007,$12.50Blue Boots,https://example.com/7.html", Mend::Cut),
            (
                "11/01/2018,07:22,4,AB-1007,$12.50\"Blue Boots\",https://example.com/7.html",
                Mend::Cut,
            ),
            (
                "11/01/2018;07:22;4;AB-1007;$12.50;Blue Boots;https://example.com/7.html",
                Mend::Delimiter,
            ),
            (
                "11/01/2018 07:22 4 AB-1007 $12.50 Blue Boots https://example.com/7.html",
                Mend::Delimiter,
            ),
        ] {
            let wanted = GOOD.map(str::to_owned).to_vec();
            assert_eq!(mended(row), Some((wanted, how)), "{row}");
        }
        let joined =
            mended("11/01/2018,07:22,4,AB-1007,$12.50,Boots, blue,https://example.com/7.html");
        let (cells, how) = joined.expect("mended");
        assert_eq!((cells[5].as_str(), how), ("Boots, blue", Mend::Joined));
    }

    #[test]
    fn a_wrong_quote_is_a_character() {
        for (row, at, cell) in [
            (
                "\"11/01/2018,07:22,4,AB-1007,$12.50,\"Blue Boots\",https://example.com/7.html",
                0,
                "\"11/01/2018",
            ),
            (
                "11/01/2018,07:22,\"4,AB-1007,$12.50,\"Boots, blue\",https://example.com/7.html",
                2,
                "\"4",
            ),
            (
                "11/01/2018,07:22,4,AB-1007,$12.50,\"\"Boots, blue\",https://example.com/7.html",
                5,
                "\"Boots, blue",
            ),
            (
                "11/01/2018,07:22,4,AB-1007,$12.50,\"Boots, 10\" blue\",https://example.com/7.html",
                5,
                "Boots, 10\" blue",
            ),
        ] {
            let (cells, _) = mended(row).unwrap_or_else(|| panic!("not mended: {row}"));
            assert_eq!((cells.len(), cells[at].as_str()), (7, cell), "{row}");
            assert_eq!(cells[6], GOOD[6], "{row}");
        }
    }

    #[test]
    fn what_nothing_says_stays() {
        for row in [
            "11/01/2018,07:22,4,AB-1007,$12.50,Blue Boots",
            "11/01/2018,07:22,4",
            "something,else,altogether",
            "11/01/2018,07:22,4,AB-1007,$12.50,Blue Boots,https://example.com/7.html,more",
        ] {
            assert_eq!(mended(row), None, "{row}");
        }
    }
}
