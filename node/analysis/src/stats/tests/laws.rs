//! What holds for all numbers.

use proptest::prelude::*;

use super::tables::{computed, integers, numbers, options, table};
use crate::Unwatched;
use crate::facets::Marks;
use crate::stats::{StatsOptions, compute};

/// A cell that is often missing and often equal to another.
fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => Just(f64::NAN),
        3 => (-20i32..20).prop_map(|cell| f64::from(cell) / 4.0),
        3 => -1e6..1e6f64,
    ]
}

fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        (one, other) => one == other,
    }
}

proptest! {
    #[test]
    fn ranks_do_not_mind_a_growing_map(pairs in prop::collection::vec((cell(), cell()), 2..200)) {
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        // Exact for the cells above, so equal stays equal and order stays order.
        let mapped = x.iter().map(|x| x * 65536.0).collect();
        let cubed = x.iter().map(|x| x.cbrt()).collect();
        let columns = vec![numbers("x", x), numbers("m", mapped), numbers("c", cubed), numbers("y", y)];
        let rows = 200;
        let (found, _) = computed(&table(rows, columns));
        let spearman = &found.correlation.spearman;
        prop_assert_eq!(spearman["x"]["y"], spearman["m"]["y"]);
        prop_assert_eq!(spearman["x"]["y"], spearman["y"]["x"]);
        prop_assert!(close(spearman["x"]["y"], spearman["c"]["y"]));
    }

    #[test]
    fn bins_hold_every_cell_and_quantiles_are_in_order(
        cells in prop::collection::vec(cell(), 1..400),
    ) {
        let present = cells.iter().filter(|cell| !cell.is_nan()).count() as u64;
        let (found, facets) = computed(&table(cells.len(), vec![numbers("x", cells)]));
        let column = &found.columns[0];
        prop_assert_eq!(column.count, present);
        let Some(histogram) = &column.histogram else {
            prop_assert_eq!(present, 0);
            return Ok(());
        };
        prop_assert_eq!(histogram.counts.iter().sum::<u64>(), present);
        prop_assert_eq!(histogram.edges.len(), histogram.counts.len() + 1);
        prop_assert!(histogram.edges.is_sorted_by(|a, b| a < b));
        let order = [column.min, column.q25, column.median, column.q75, column.max];
        prop_assert!(order.iter().all(Option::is_some) && order.is_sorted());
        let spread = &facets.spreads[0];
        prop_assert_eq!(spread.outliers.len() as u64, column.outliers.unwrap());
        let (low, high) = spread.whiskers;
        prop_assert!(column.min.unwrap() <= low && high <= column.max.unwrap());
        prop_assert!(spread.outliers.iter().all(|cell| *cell < low || *cell > high));
    }

    #[test]
    fn integers_are_counted_and_sorted_alike(cells in prop::collection::vec(-50i64..50, 1..200)) {
        // Narrow ranges are counted, wider ones sorted in one word, and the widest as pairs.
        let spaced = |by: i64| cells.iter().map(|cell| Some(cell * by)).collect();
        let columns = vec![
            integers("a", spaced(1)),
            integers("b", spaced(1_000_000)),
            integers("c", spaced(1 << 50)),
            integers("y", cells.iter().map(|cell| Some(cell * cell)).collect()),
        ];
        let (found, _) = computed(&table(cells.len(), columns));
        let counts = |at: usize| found.columns[at].top.iter().map(|top| top.1).collect::<Vec<_>>();
        for (at, name) in [(1, "b"), (2, "c")] {
            prop_assert_eq!(found.columns[0].distinct, found.columns[at].distinct);
            prop_assert_eq!(counts(0), counts(at));
            let spearman = &found.correlation.spearman;
            prop_assert_eq!(spearman["a"]["y"], spearman[name]["y"]);
        }
    }

    #[test]
    fn memory_does_not_change_numbers(
        rows in prop::collection::vec(prop::array::uniform5(cell()), 3..80),
        memory in 0u64..10_000,
    ) {
        let column = |at: usize| numbers(&at.to_string(), rows.iter().map(|row| row[at]).collect());
        let table = table(rows.len(), (0..5).map(column).collect());
        let here = computed(&table);
        let away = compute(&table, &StatsOptions { memory, ..options() }, &Unwatched).unwrap();
        prop_assert_eq!(here, away);
    }
}

#[test]
fn many_points_become_bins() {
    let rows = 60_000;
    let x: Vec<f64> = (0..rows).map(|row| f64::from(row % 997)).collect();
    let y: Vec<f64> = x.iter().enumerate().map(|(row, x)| x * 2.0 + (row % 7) as f64).collect();
    let (_, facets) = computed(&table(rows as usize, vec![numbers("x", x), numbers("y", y)]));
    let Marks::Bins { counts, size, .. } = &facets.scatters[0].marks else { panic!("points") };
    assert_eq!(counts.len(), size.0 * size.1);
    assert_eq!(counts.iter().map(|&count| u64::from(count)).sum::<u64>(), 60_000);
}
