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
        .map(|note| match note {
            Note::Undecodable(bytes) => {
                Fact::Undecodable { bytes: *bytes, encoding: &table.encoding }
            }
            Note::Nuls(bytes) => Fact::Nuls(*bytes),
            Note::Guessed => Fact::Guessed(&table.encoding),
            Note::NoHeader => Fact::NoHeader,
            Note::Renamed(names) => Fact::Renamed(*names),
            Note::UnclosedQuote(line) => Fact::UnclosedQuote(*line),
            Note::CutFields(fields) => Fact::CutFields(*fields),
        })
        .collect();
    if table.bad_rows.count > 0 {
        let first = table.bad_rows.first.first();
        let first = first.map(|row| (row.line, row.fields, row.expected));
        found.push(Fact::BadRows { rows: table.bad_rows.count, first });
    }
    if table.duplicate_rows > 0 {
        found.push(Fact::Duplicates { rows: table.duplicate_rows, all: table.rows });
    }
    found.into_iter().map(|fact| (fact, None, 0.0)).collect()
}

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
    if column.written.mixed_dates {
        tell(Fact::MixedDates(name), 0.0);
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
    if let Some(skew) = numbers.skew.filter(|skew| amount && skew.abs() >= SKEWNESS) {
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
