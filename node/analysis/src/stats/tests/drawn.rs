//! What charts are given: bins, pairs and words that show something.

use super::tables::{computed, integers, numbers, options, table, texts};
use crate::facets::{Marks, Scatter};
use crate::stats::{StatsOptions, compute};
use crate::{Lang, Unwatched};

/// The same numbers everywhere, without a generator: 0 to 1, evenly.
fn weyl(row: usize, by: f64) -> f64 {
    (row as f64 * by).fract()
}

#[test]
fn drawn_bins_of_integers_hold_equally_many() {
    let stars = (0..100).map(|row| Some(row % 5 + 1)).collect();
    let truth = (0..100).map(|row| Some(row % 2)).collect();
    let wide: Vec<Option<i64>> = (0..700).map(|row| (row % 9 > 0).then_some(row - 50)).collect();
    let mut short = vec![integers("stars", stars), integers("truth", truth)];
    short.push(integers("large", (0..100).map(|row| Some(i64::MAX - row)).collect()));
    let (_, facets) = computed(&table(100, short));
    let bins = &facets.spreads[0].histogram;
    assert_eq!(bins.edges, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
    assert_eq!(bins.counts, [20; 5]);
    assert_eq!(facets.spreads[1].histogram.edges, [-0.5, 0.5, 1.5]);
    assert_eq!(facets.spreads[2].histogram.counts.iter().sum::<u64>(), 100);

    let (found, facets) = computed(&table(700, vec![integers("wide", wide)]));
    let bins = &facets.spreads[0].histogram;
    let widths: Vec<f64> = bins.edges.windows(2).map(|edges| edges[1] - edges[0]).collect();
    assert!(widths[0].fract() == 0.0 && widths.iter().all(|width| *width == widths[0]));
    assert!(bins.counts.len() <= 60);
    assert_eq!(bins.counts.iter().sum::<u64>(), found.columns[0].count);
}

#[test]
fn a_wrong_value_does_not_hide_the_others() {
    let mut cells: Vec<f64> = (0..500).map(|row| 100.0 + 30.0 * weyl(row, 0.618)).collect();
    let other = cells.iter().map(|cell| cell * 2.0).collect();
    cells[7] = 1e9;
    let (found, facets) = computed(&table(500, vec![numbers("x", cells), numbers("y", other)]));
    let spread = &facets.spreads[0];
    assert!(spread.shown.0 >= 100.0 && spread.shown.1 <= 130.0, "{:?}", spread.shown);
    assert_eq!((spread.outside, facets.spreads[1].outside), (1, 0));
    assert_eq!(spread.histogram.counts.iter().sum::<u64>(), 499);
    assert_eq!(found.columns[0].max, Some(1e9));
    assert_eq!(facets.scatters[0].shown.map(|shown| shown.0), Some(spread.shown));
}

fn names(scatters: &[Scatter]) -> Vec<(&str, &str)> {
    scatters.iter().map(|scatter| (&*scatter.x, &*scatter.y)).collect()
}

#[test]
fn noise_and_pairs_of_two_rows_are_not_drawn() {
    let line: Vec<f64> = (0..1000).map(|row| row as f64 / 7.0).collect();
    let near = line.iter().enumerate().map(|(row, x)| x + 9.0 * weyl(row, 0.618)).collect();
    let rare = |from: usize| -> Vec<f64> {
        let cell = |row: usize| if (from..from + 3).contains(&row) { line[row] } else { f64::NAN };
        (0..1000).map(cell).collect()
    };
    let noise: Vec<f64> = (0..1000).map(|row| weyl(row, 0.754_877_666)).collect();
    let columns = || {
        vec![
            numbers("noise", noise.clone()),
            numbers("line", line.clone()),
            numbers("rare", rare(5)),
            numbers("near", near),
            numbers("seldom", rare(6)),
        ]
    };
    let (_, facets) = computed(&table(1000, columns()));
    assert_eq!(names(&facets.scatters), [("line", "near")]);

    // Rather noise than nothing, and rather two rows than nothing.
    let two = vec![numbers("noise", noise.clone()), numbers("line", line.clone())];
    assert_eq!(names(&computed(&table(1000, two)).1.scatters), [("noise", "line")]);
    let two = vec![numbers("rare", rare(5)), numbers("line", line.clone())];
    let (_, facets) = computed(&table(1000, two));
    assert!(matches!(&facets.scatters[0].marks, Marks::Points(points) if points.len() == 3));
}

#[test]
fn categories_and_few_words_make_no_cloud() {
    let words = |cells: &[&str], column: Option<&str>| {
        let cells = cells.iter().cycle().take(40).map(|cell| Some(*cell));
        let table = table(40, vec![texts("said", cells)]);
        let column = column.map(str::to_owned);
        let options = StatsOptions { text_column: column, lang: Lang::En, ..options() };
        compute(&table, &options, &Unwatched).unwrap().1.words.map(|words| words.counts.len())
    };
    let cities =
        ["Oslo", "Rome", "Lima", "Bern", "Riga", "Kyiv", "Doha", "Baku", "Male", "Nuuk", "Suva"];
    assert_eq!(words(&cities, None), None);
    assert_eq!(words(&cities, Some("said")), Some(11));
    assert_eq!(words(&["fine weather", "bad weather"], None), None);
    let said = ["fine weather today in Oslo", "bad food yesterday evening in Rome near Termini"];
    assert!(words(&said, None).is_some_and(|words| words >= 8));
}
