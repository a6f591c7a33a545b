//! Tables with nothing, or too much, in them.

use serde_json::json;

use super::tables::{computed, integers, numbers, options, table, texts, times};
use crate::facets::Step;
use crate::numbers::AlertKind;
use crate::stats::{StatsOptions, compute};
use crate::table::Kind;
use crate::watch::{Stage, Watch};
use crate::{AnalysisError, Lang, Numbers, Unwatched};

const DAY: i64 = 86_400_000_000;

fn alerts_of(numbers: &Numbers, kind: AlertKind) -> Vec<Option<&str>> {
    let same = numbers.alerts.iter().filter(|alert| alert.kind == kind);
    same.map(|alert| alert.column.as_deref()).collect()
}

#[test]
fn nothing_one_row_and_only_missing_cells() {
    for rows in [0, 1, 5] {
        let (found, facets) = computed(&table(
            rows,
            vec![
                numbers("n", vec![f64::NAN; rows]),
                integers("i", vec![None; rows]),
                times("t", Kind::Date, vec![None; rows]),
                texts("e", vec![None; rows]),
            ],
        ));
        assert!(found.columns.iter().all(|column| column.count == 0 && column.mean.is_none()));
        assert_eq!(alerts_of(&found, AlertKind::Empty).len(), 4);
        assert_eq!(found.correlation.pearson["n"]["n"], None);
        assert!(facets.spreads.is_empty() && facets.trends.is_empty() && facets.words.is_none());
    }
    let (found, facets) = computed(&table(0, Vec::new()));
    assert!(found.columns.is_empty() && facets.words.is_none());
    let one = vec![
        numbers("n", vec![2.5]),
        texts("s", [Some("one word")]),
        times("t", Kind::Date, vec![Some(0)]),
    ];
    let (found, facets) = computed(&table(1, one));
    assert_eq!((found.columns[0].mean, found.columns[0].std), (Some(2.5), None));
    assert_eq!(facets.spreads[0].histogram.edges, [2.0, 3.0]);
    assert_eq!(facets.trends[0].counts, [1]);
}

#[test]
fn a_constant_has_no_shape() {
    let columns = vec![numbers("c", vec![0.1; 7]), numbers("x", (0..7).map(f64::from).collect())];
    let (found, _) = computed(&table(7, columns));
    let constant = &found.columns[0];
    assert_eq!((constant.mean, constant.std), (Some(0.1), Some(0.0)));
    assert_eq!((constant.skew, constant.kurtosis), (None, None));
    assert_eq!(found.correlation.pearson["c"]["x"], None);
    assert_eq!(found.correlation.spearman["c"]["c"], None);
    assert_eq!(found.correlation.spearman["x"]["x"], Some(1.0));
    assert_eq!(alerts_of(&found, AlertKind::Constant), [Some("c")]);
}

/// Expected: pandas 3.1.1, which leaves infinities out of correlation.
#[test]
fn infinities_are_values_without_a_mean() {
    let inf = f64::INFINITY;
    let (found, facets) = computed(&table(
        6,
        vec![
            numbers("a", vec![1.0, 2.0, inf, 4.0, 5.0, 7.0]),
            numbers("b", vec![2.0, 1.0, 3.0, f64::NAN, 9.0, -inf]),
            integers("c", [1, 3, 2, 5, 4, 6].map(Some).to_vec()),
        ],
    ));
    let (a, b) = (&found.columns[0], &found.columns[1]);
    assert_eq!((a.count, a.distinct, a.mean, a.std, a.skew), (6, 6, None, None, None));
    assert_eq!(
        (a.min, a.q25, a.median, a.q75, a.max),
        (Some(1.0), Some(2.5), Some(4.5), Some(6.5), None)
    );
    assert_eq!(
        (b.min, b.q25, b.median, b.q75, b.max),
        (None, Some(1.0), Some(2.0), Some(3.0), Some(9.0))
    );
    assert_eq!(b.negatives, Some(1));
    assert!(a.top.contains(&(json!("inf"), 1)) && b.top.contains(&(json!("-inf"), 1)));
    let matrices = &found.correlation;
    assert!((matrices.pearson["a"]["b"].unwrap() - 0.936_765_906_922_572_3).abs() < 1e-12);
    assert!((matrices.pearson["b"]["c"].unwrap() - 0.682_500_147_701_744_6).abs() < 1e-12);
    assert!((matrices.spearman["a"]["c"].unwrap() - 0.9).abs() < 1e-12);
    assert!((matrices.spearman["b"]["c"].unwrap() - 0.4).abs() < 1e-12);
    assert_eq!(alerts_of(&found, AlertKind::Infinite).len(), 2);
    assert_eq!(facets.spreads[0].histogram.counts.iter().sum::<u64>(), 5);
}

#[test]
fn large_integers_are_exact() {
    let base = 1i64 << 53;
    let cells = [base, base + 1, base + 1, base + 2, i64::MAX, i64::MAX - 1, -i64::MAX].map(Some);
    let (found, _) = computed(&table(7, vec![integers("id", cells.to_vec())]));
    assert_eq!(found.columns[0].distinct, 6);
    assert_eq!(found.columns[0].top[0], (json!(base + 1), 2));
    assert_eq!(found.columns[0].top[1], (json!(-i64::MAX), 1));
}

#[test]
fn thousands_of_columns_are_bounded() {
    let column = |at: i64| {
        integers(&format!("c{at}"), (0..30).map(|row| Some((row * (at + 3)) % 17)).collect())
    };
    let (found, facets) = computed(&table(30, (0..5000).map(column).collect()));
    assert_eq!(found.columns.len(), 5000);
    assert_eq!(found.correlation.pearson.len(), 100);
    assert!(found.alerts.len() < 300);
    assert!(facets.scatters.len() <= 6);
    assert!(found.alerts.iter().any(|alert| alert.detail.contains("first 100 of 5,000")));
}

#[test]
fn identifiers_are_not_drawn_but_years_are() {
    let rows = 0..40i64;
    let columns = vec![
        integers("row", rows.clone().map(Some).collect()),
        integers("year", rows.clone().map(|row| Some(1980 + row)).collect()),
        integers("sold", rows.map(|row| Some(row * row)).collect()),
    ];
    let (found, facets) = computed(&table(40, columns));
    assert_eq!(facets.scatters.len(), 1);
    assert_eq!((&*facets.scatters[0].x, &*facets.scatters[0].y), ("year", "sold"));
    assert_eq!(alerts_of(&found, AlertKind::HighCorrelation), [Some("year")]);
    assert_eq!(alerts_of(&found, AlertKind::Unique).len(), 3);
}

#[test]
fn trends_step_by_the_calendar() {
    let days: Vec<_> = (0..1096).map(|day| Some((19_358 + day) * DAY)).collect();
    let values = (0..1096).map(|day| if day < 31 { 2.0 } else { 5.0 }).collect();
    let columns = vec![times("day", Kind::Date, days), numbers("v", values)];
    let (found, facets) = computed(&table(1096, columns));
    let trend = &facets.trends[0];
    // 2023-01-01 to 2025-12-31, with one leap day.
    assert_eq!((trend.step, trend.starts.len()), (Step::Month, 36));
    assert_eq!(trend.counts[..3], [31, 28, 31]);
    assert_eq!(trend.counts[13], 29);
    assert_eq!(trend.means[0].1[..2], [Some(2.0), Some(5.0)]);
    assert_eq!(found.columns[0].first.as_deref(), Some("2023-01-01"));
    assert_eq!(found.columns[0].last.as_deref(), Some("2025-12-31"));
    assert_eq!(found.columns[0].distinct, 1096);
}

#[test]
fn a_date_for_never_does_not_stretch_time() {
    let mut cells: Vec<_> = (0..500).map(|day| Some((19_358 + day) * DAY)).collect();
    cells.extend([Some(-i64::MAX), Some(i64::MAX), Some(-300_000 * DAY)]);
    let (_, facets) = computed(&table(503, vec![times("t", Kind::DateTime, cells)]));
    let trend = &facets.trends[0];
    assert_eq!((trend.step, trend.starts.len()), (Step::Year, 400));
    assert_eq!(trend.counts.iter().sum::<u64>(), 500);
}

#[test]
fn words_come_from_prose_or_the_chosen_column() {
    let said = ["fine weather today", "fine food tonight", "bad weather yesterday", "fine music"];
    let all = || {
        table(
            4,
            vec![
                texts("city", ["Oslo", "Rome", "Oslo", "Rome"].map(Some)),
                texts("said", said.map(Some)),
                numbers("n", vec![1.0; 4]),
            ],
        )
    };
    let words = computed(&all()).1.words.unwrap();
    assert_eq!((&*words.column, &words.counts[0]), ("said", &("fine".to_owned(), 3)));
    let with = |column: &str| StatsOptions { text_column: Some(column.into()), ..options() };
    let chosen = compute(&all(), &with("city"), &Unwatched).unwrap().1.words.unwrap();
    assert_eq!(chosen.counts.len(), 2);
    for column in ["n", "town"] {
        let error = compute(&all(), &with(column), &Unwatched).unwrap_err();
        assert!(matches!(error, AnalysisError::BadOption(_)));
        assert!(error.to_string().contains("\"city\", \"said\""), "{error}");
    }
    let none = StatsOptions { words: false, ..options() };
    assert_eq!(compute(&all(), &none, &Unwatched).unwrap().1.words, None);
}

#[test]
fn alerts_speak_both_languages() {
    let mut cells = vec![0.0; 95];
    cells.extend([
        1.0,
        2.0,
        300.0,
        f64::NAN,
        f64::NAN,
        f64::NAN,
        f64::NAN,
        f64::NAN,
        f64::NAN,
        4.0,
    ]);
    let table = table(105, vec![numbers("v", cells)]);
    let say = |lang| {
        let (found, _) = compute(&table, &StatsOptions { lang, ..options() }, &Unwatched).unwrap();
        found.alerts.iter().map(|alert| alert.detail.clone()).collect::<Vec<_>>()
    };
    let (english, chinese) = (say(Lang::En), say(Lang::Zh));
    assert_eq!(english.len(), 3, "{english:?}");
    assert_eq!(english[0], "v has no value in 6 rows (5.7%); all else is about the other rows.");
    assert_eq!(chinese[0], "v 有 6 行（5.7%）缺失；统计只针对其余各行。");
    assert!(chinese.iter().all(|text| text.starts_with("v ")), "{chinese:?}");
}

struct Stopped;

impl Watch for Stopped {
    fn stage(&self, _: Stage, _: f32) {}

    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn a_cancelled_run_ends() {
    let table = table(1, vec![numbers("n", vec![2.5])]);
    assert!(matches!(compute(&table, &options(), &Stopped), Err(AnalysisError::Cancelled)));
}
