//! What a person should look at first.
//!
//! Where ydata-profiling has a threshold that serves, it is taken: more than 50 different texts,
//! an imbalance score of 0.5. Its others come too late (skewness 20) or too often (any missing
//! cell, a correlation of 0.5).

use serde_json::Value;

use super::column::Learnt;
use super::correlation::Pair;
use super::facts::{self, Fact};
use crate::Lang;
use crate::numbers::Alert;
use crate::table::{Column, Kind, Note, Table};

/// Part of the rows from which missing cells are worth a word.
const MISSING: f64 = 0.05;

/// Coefficient of either kind; above 0.9, one column explains over 80 % of the other.
const CORRELATION: f64 = 0.9;

/// Imbalance score, as ydata-profiling's `threshold.imbalance`.
const IMBALANCE: f64 = 0.5;

/// |G1|; 1 is "highly skewed" by Bulmer's rule, but small samples reach it by chance.
const SKEWNESS: f64 = 1.5;

/// In fewer cells a single one makes a tail.
const FEWEST_SKEWED: u64 = 10;

/// Different texts, as ydata-profiling's `vars.cat.cardinality_threshold`, when they are also
/// more than this part of the cells, or more than anybody can look through.
const CARDINALITY: u64 = 50;
const CARDINALITY_RATIO: f64 = 0.1;
const CARDINALITY_MOST: u64 = 1000;

/// Rows where both columns have a value: few lie near a line by chance, and two always do.
const FEWEST_SHARED: u64 = 10;

/// Part of the cells.
const ZEROS: f64 = 0.1;

/// In fewer cells, being all different or all equal says nothing.
const FEWEST_UNIQUE: u64 = 5;
const FEWEST_CONSTANT: u64 = 2;

/// Alerts of one kind that are told one by one.
const MOST_OF_A_KIND: usize = 20;

/// A fact, its column, and how bad it is among its kind.
type Found<'a> = (Fact<'a>, Option<&'a str>, f64);

/// All alerts, by kind in the order of [`crate::numbers::AlertKind`], the worst of a kind first.
/// `compared` of `all` number columns were compared.
pub(super) fn alerts(
    table: &Table,
    learnt: &[Learnt],
    pairs: &[Pair],
    (compared, all): (usize, usize),
    lang: Lang,
) -> Vec<Alert> {
    let mut found = of_table(table);
    if compared < all {
        found.push((Fact::Uncompared { compared, all }, None, f64::INFINITY));
    }
    for (column, learnt) in table.columns.iter().zip(learnt) {
        of_values(column, learnt, &mut found);
        of_shape(column, learnt, &mut found);
    }
    of_last_row(learnt, &mut found);
    of_pairs(table, learnt, pairs, &mut found);
    found.sort_by(|one, other| one.0.kind().cmp(&other.0.kind()).then(other.2.total_cmp(&one.2)));
    found
        .chunk_by(|one, other| one.0.kind() == other.0.kind())
        .flat_map(|same| told(same, lang))
        .collect()
}

/// The worst of a kind, one by one, and how many more there are.
fn told(same: &[Found<'_>], lang: Lang) -> Vec<Alert> {
    let shown = if same.len() > MOST_OF_A_KIND { MOST_OF_A_KIND - 1 } else { same.len() };
    let alert = |(fact, column, _): &Found<'_>| Alert {
        kind: fact.kind(),
        column: column.map(str::to_owned),
        detail: fact.say(lang),
    };
    let mut alerts: Vec<Alert> = same.iter().take(shown).map(alert).collect();
    if let Some((fact, ..)) = same.get(shown) {
        let detail = facts::more(same.len() - shown, lang);
        alerts.push(Alert { kind: fact.kind(), column: None, detail });
    }
    alerts
}

fn of_table(table: &Table) -> Vec<Found<'_>> {
    let mut found: Vec<Fact<'_>> = table
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::Undecodable(bytes) => {
                Some(Fact::Undecodable { bytes: *bytes, encoding: &table.encoding })
            }
            Note::Nuls(bytes) => Some(Fact::Nuls(*bytes)),
            Note::Guessed => Some(Fact::Guessed(&table.encoding)),
            Note::NoHeader => Some(Fact::NoHeader),
            Note::Renamed(names) => Some(Fact::Renamed(*names)),
            Note::UnclosedQuote(line) => Some(Fact::UnclosedQuote(*line)),
            Note::CutFields(fields) => Some(Fact::CutFields(*fields)),
            Note::MoreTables(tables) => Some(Fact::MoreTables(tables.len() as u64)),
            // Nothing is wrong with these; the page tells them where it says how it was read.
            Note::Titles(_)
            | Note::HeaderLines(_)
            | Note::EmptyRows(_)
            | Note::Comments(_)
            | Note::Footers(_)
            | Note::EmptyColumns(_)
            | Note::OtherSheets { .. }
            | Note::Totals
            | Note::NoDelimiter => None,
        })
        .collect();
    if table.bad_rows.count > 0 {
        let first = table.bad_rows.first.first();
        let first = first.map(|row| (row.line, row.fields, row.expected));
        found.push(Fact::BadRows { rows: table.bad_rows.count, first });
    }
    if let Some(first) = table.mended.first.first() {
        found.push(Fact::Mended { rows: table.mended.count, line: first.line });
    }
    if table.duplicate_rows > 0 {
        found.push(Fact::Duplicates { rows: table.duplicate_rows, all: table.rows });
    }
    found.into_iter().map(|fact| (fact, None, 0.0)).collect()
}

/// About a last row that sums the others: in all columns of amounts, or nearly.
fn of_last_row<'a>(learnt: &'a [Learnt], found: &mut Vec<Found<'a>>) {
    let amounts = || learnt.iter().filter(|one| !one.identifier).filter_map(|one| one.totalled);
    let sums = amounts().filter(|totalled| *totalled).count();
    if are_totals(sums, amounts().count()) {
        found.push((Fact::Totals { columns: sums as u64 }, None, 0.0));
    }
}

/// Whether whole numbers are Unix times, by their name and size; and whether in milliseconds.
fn unix_times(column: &Column, learnt: &Learnt) -> Option<(i64, bool)> {
    let name = column.name.to_lowercase();
    let named = UNIX_WORDS.iter().any(|word| name.contains(word)) || name == "ts";
    let (least, most) = (learnt.numbers.min?, learnt.numbers.max?);
    let within =
        |unit: f64| (UNIX.0 * unit..UNIX.1 * unit).contains(&least) && most < UNIX.1 * unit;
    if column.kind != Kind::Integer || !named {
        return None;
    }
    [(1.0, false), (1000.0, true)]
        .into_iter()
        .find(|(unit, _)| within(*unit))
        .map(|(_, millis)| (least as i64, millis))
}

/// Seconds of 1990 and of 2100.
const UNIX: (f64, f64) = (631_152_000.0, 4_102_444_800.0);
const UNIX_WORDS: &[&str] =
    &["time", "date", "epoch", "unix", "created", "updated", "时间", "日期"];

/// About which cells have values, and of which kind.
fn of_values<'a>(column: &'a Column, learnt: &'a Learnt, found: &mut Vec<Found<'a>>) {
    let (name, numbers) = (column.name.as_str(), &learnt.numbers);
    let mut tell = |fact, weight: f64| found.push((fact, Some(name), weight));
    if numbers.count == 0 {
        return tell(Fact::Empty(name), 0.0);
    }
    if numbers.missing_ratio >= MISSING {
        let (cells, ratio) = (numbers.missing, numbers.missing_ratio);
        tell(Fact::Missing { column: name, cells, ratio }, ratio);
    }
    let (cells, dates) = (numbers.invalid, matches!(column.kind, Kind::Date | Kind::DateTime));
    let example = column.invalid.examples.first().map_or("", String::as_str);
    if cells > 0 && dates {
        tell(Fact::WrongDates { column: name, cells, example }, cells as f64);
    } else if cells > 0 {
        let kind = column.kind.name();
        tell(Fact::MixedTypes { column: name, kind, cells, example }, cells as f64);
    }
    if let Some((first, millis)) = unix_times(column, learnt) {
        tell(Fact::UnixTimes { column: name, first, millis }, 0.0);
    }
    if column.written.mixed_dates {
        tell(Fact::MixedDates(name), 0.0);
    }
    if let Some(date) = &column.written.open_date {
        tell(Fact::OpenDates { column: name, date }, 1.0);
    }
    if learnt.infinite > 0 {
        let cells = learnt.infinite;
        tell(Fact::Infinite { column: name, cells }, cells as f64);
    }
}

/// About how the values spread.
fn of_shape<'a>(column: &'a Column, learnt: &'a Learnt, found: &mut Vec<Found<'a>>) {
    let (name, numbers) = (column.name.as_str(), &learnt.numbers);
    let (count, distinct) = (numbers.count, numbers.distinct);
    let mut tell = |fact, weight: f64| found.push((fact, Some(name), weight));
    if distinct == 1 && count >= FEWEST_CONSTANT {
        let value = numbers.top.first().map(|(value, _)| plain(value));
        let value = value.or_else(|| numbers.first.clone()).unwrap_or_default();
        return tell(Fact::Constant { column: name, value, cells: count }, count as f64);
    }
    // Measurements and times are different by nature.
    let telling = matches!(column.kind, Kind::Integer | Kind::Text);
    let unique = distinct == count && count >= FEWEST_UNIQUE;
    if unique && telling {
        tell(Fact::Unique { column: name, cells: count }, count as f64);
    }
    // Two numbers, such as 0 and 1, are a choice: no amount has a tail, and 0 is a value.
    let amount = learnt.finite_distinct > 2;
    let enough = amount && count >= FEWEST_SKEWED;
    if let Some(skew) = numbers.skew.filter(|skew| enough && skew.abs() >= SKEWNESS) {
        tell(Fact::Skewed { column: name, skew }, skew.abs());
    }
    if let Some(cells) = numbers.zeros.filter(|_| amount) {
        let ratio = cells as f64 / count.max(1) as f64;
        if ratio >= ZEROS {
            tell(Fact::Zeros { column: name, cells, ratio }, ratio);
        }
    }
    let many = distinct as f64 >= CARDINALITY_RATIO * count as f64 || distinct > CARDINALITY_MOST;
    if column.kind == Kind::Text && !unique && distinct > CARDINALITY && many {
        let fact = Fact::HighCardinality { column: name, distinct, cells: count };
        tell(fact, distinct as f64);
    }
    let score = learnt.imbalance.filter(|score| *score > IMBALANCE && distinct <= CARDINALITY);
    if let (Some(score), Some((value, cells))) = (score, numbers.top.first()) {
        let ratio = *cells as f64 / count.max(1) as f64;
        tell(Fact::Imbalance { column: name, value: plain(value), ratio }, score);
    }
}

fn of_pairs<'a>(table: &'a Table, learnt: &[Learnt], pairs: &[Pair], found: &mut Vec<Found<'a>>) {
    for pair in pairs {
        let (one, other) = pair.columns;
        let high = [pair.pearson, pair.spearman].into_iter().flatten().map(f64::abs);
        let strength = high.fold(0.0, f64::max);
        let names_rows = learnt[one].identifier || learnt[other].identifier;
        if strength < CORRELATION || pair.rows < FEWEST_SHARED || names_rows {
            continue;
        }
        let (column, other) = (&table.columns[one].name, &table.columns[other].name);
        let (pearson, spearman) = (pair.pearson, pair.spearman);
        let fact = Fact::HighCorrelation { column, other, pearson, spearman };
        found.push((fact, Some(column), strength));
    }
}

/// A value as a person writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => facts::short(text),
        other => other.to_string(),
    }
}
