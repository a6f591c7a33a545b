//! How long a large table takes. Asserts nothing about time:
//! `cargo test --release -p potluck-analysis stats_of_a_million_rows -- --ignored --nocapture`.

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::tables::{computed, integers, numbers, table, times};
use crate::table::Kind;

#[test]
#[ignore = "takes long without optimisation"]
fn stats_of_a_million_rows() {
    let rows: usize =
        std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let mut random = StdRng::seed_from_u64(7);
    let mut bell = |mean: f64, deviation: f64, digits: f64, missing: f64| -> Vec<f64> {
        let mut one = || {
            if random.random::<f64>() < missing {
                return f64::NAN;
            }
            let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
            ((mean + deviation * (sum - 6.0)) * digits).round() / digits
        };
        (0..rows).map(|_| one()).collect()
    };
    let whole = |cells: Vec<f64>| {
        cells.into_iter().map(|cell| (!cell.is_nan()).then_some(cell as i64)).collect()
    };
    let columns = vec![
        integers("id", (1..=rows as i64).map(Some).collect()),
        integers("age", whole(bell(50.0, 15.0, 1.0, 0.0))),
        numbers("height", bell(168.0, 9.0, 10.0, 0.0)),
        numbers("weight", bell(70.0, 12.0, 100.0, 0.01)),
        numbers("income", bell(9e3, 3e3, 100.0, 0.05)),
        numbers("score", bell(0.0, 1.0, 10_000.0, 0.02)),
        numbers("latency", bell(120.0, 40.0, 1e15, 0.03)),
        integers("rating", whole(bell(3.0, 1.0, 1.0, 0.1))),
        times(
            "when",
            Kind::DateTime,
            whole(bell(1.7e9, 1e7, 1.0, 0.0))
                .into_iter()
                .map(|cell: Option<i64>| cell.map(|cell| cell * 1_000_000))
                .collect(),
        ),
    ];
    let table = table(rows, columns);
    for _ in 0..3 {
        let start = Instant::now();
        let (found, _) = computed(&table);
        eprintln!("{rows} rows: {:?}", start.elapsed());
        assert_eq!(found.columns.len(), 9);
    }
}
