//! Every kind of alert, from bytes.

use std::collections::BTreeSet;

use potluck_analysis::numbers::AlertKind::{self, *};
use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::stats::{StatsOptions, compute};
use potluck_analysis::{Lang, Numbers, Unwatched};

fn numbers(csv: &[u8], lang: Lang) -> Numbers {
    let source = Source::Stream(Box::new(std::io::Cursor::new(csv.to_vec())));
    let table = read(source, &ReadOptions::default(), &Unwatched).expect("a table");
    let options = StatsOptions { lang, threads: 2, memory: 100 << 20, ..StatsOptions::default() };
    compute(&table, &options, &Unwatched).expect("numbers").0
}

/// One column `x` with these cells, beside one without any alert of its own.
fn column(cells: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut csv = "n,x\n".to_owned();
    for (row, cell) in cells.into_iter().enumerate() {
        csv += &format!("{},{cell}\n", [1.5, 2.25, 2.0, 3.5, 1.0][row % 5] + (row / 5 * 5) as f64);
    }
    csv.into_bytes()
}

fn words(cells: &str) -> Vec<u8> {
    column(cells.split(' ').map(|cell| cell.replace('_', "")))
}

#[test]
fn every_kind_of_alert_is_raised() {
    let table: [(AlertKind, Vec<u8>, &str, Option<&str>); 17] = [
        (Encoding, b"name,n\ncaf\xe9,1\nth\xe9,2\n".to_vec(), "--encoding", None),
        (Encoding, b"a,b\n1,x\0y\n2,z\n".to_vec(), "NUL", None),
        (Reading, b"1,2\n3,4\n5,7\n".to_vec(), "no names", None),
        (BadRows, b"a,b\n1,2\n3\n".to_vec(), "line 3", None),
        (Duplicates, b"a,b\n1,x\n1,x\n2,y\n".to_vec(), "1 row", None),
        (Empty, words("_ _ NA"), "no value", Some("x")),
        (Constant, words("7 7 7"), "all 3", Some("x")),
        (Missing, words("a b _ a"), "25", Some("x")),
        (MixedTypes, words("1 2 3 4 x"), "\"x\"", Some("x")),
        (BadDates, words("2023-01-01 2023-02-28 2023-02-30 2023-03-01"), "30", Some("x")),
        (Infinite, words("1 2 inf 4"), "infinite", Some("x")),
        (HighCorrelation, column((0..20).map(|n| (n * n).to_string())), "n", Some("n")),
        (
            Imbalance,
            column((0..40).map(|n| if n == 3 { "no" } else { "yes" }.into())),
            "yes",
            Some("x"),
        ),
        (Skewed, column((0..30).map(|n| (1 << (n % 15)).to_string())), "tail", Some("x")),
        (Unique, words("a b c d e f"), "different", Some("x")),
        (HighCardinality, column((0..200).map(|n| format!("w{}", n / 2))), "100", Some("x")),
        (Zeros, words("0 0 5 6 7 8 9"), "28.6", Some("x")),
    ];
    let mut raised = BTreeSet::new();
    for (kind, csv, part, column) in table {
        let shown = String::from_utf8_lossy(&csv).into_owned();
        let found = numbers(&csv, Lang::En).alerts;
        let alert = found.iter().find(|alert| alert.kind == kind && alert.detail.contains(part));
        let alert = alert.unwrap_or_else(|| panic!("no {kind:?} in {found:?} of\n{shown}"));
        assert_eq!(alert.column.as_deref(), column, "{shown}");
        let chinese = numbers(&csv, Lang::Zh).alerts;
        assert_eq!(found.len(), chinese.len());
        let wide = |text: &str| text.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c));
        assert!(chinese.iter().any(|alert| alert.kind == kind && wide(&alert.detail)), "{kind:?}");
        raised.insert(kind);
    }
    assert_eq!(raised.len(), 16, "{raised:?}");
}

#[test]
fn two_numbers_are_a_choice_and_no_amount() {
    let flags = |often: usize| column((0..60).map(|n| u8::from(n % often == 0).to_string()));
    let kinds = |csv: &[u8]| -> Vec<AlertKind> {
        let found = numbers(csv, Lang::En).alerts;
        found.iter().filter(|a| a.column.as_deref() == Some("x")).map(|a| a.kind).collect()
    };
    assert_eq!(kinds(&flags(3)), Vec::new());
    assert_eq!(kinds(&flags(30)), [Imbalance]);
}

#[test]
fn few_shared_rows_say_nothing_of_two_columns() {
    // Two rows lie on a line; twelve that do so mean something.
    let rows = |shared: usize| {
        let mut csv = "a,b\n".to_owned();
        for row in 0..40 {
            let noise = row * 7919 % 101;
            csv += &match row {
                row if row < shared => format!("{noise},{}\n", noise * 2),
                row if row % 2 == 0 => format!("{noise},\n"),
                _ => format!(",{noise}\n"),
            };
        }
        csv
    };
    for (shared, told) in [(2, 0), (12, 1)] {
        let found = numbers(rows(shared).as_bytes(), Lang::En);
        let alerts = found.alerts.iter().filter(|alert| alert.kind == HighCorrelation).count();
        assert_eq!(alerts, told, "{shared} rows");
        // The matrix is that of pandas all the same.
        let pearson = found.correlation.pearson["a"]["b"].expect("a number");
        assert!((pearson - 1.0).abs() < 1e-9, "{pearson}");
    }
}

#[test]
fn encodings_that_are_certain_raise_no_alert() {
    let gbk = b"\xd0\xd5\xc3\xfb,\xb3\xc7\xca\xd0\n\xd5\xc5\xc8\xfd,\xb1\xb1\xbe\xa9\n\
        \xc0\xee\xcb\xc4,\xc9\xcf\xba\xa3\n";
    for csv in [&gbk[..], "名,n\n张,1\n".as_bytes(), b"\xef\xbb\xbfa,b\n1,2\n", b"a,b\n1,2\n"] {
        let alerts = numbers(csv, Lang::En).alerts;
        assert!(alerts.iter().all(|alert| alert.kind != Encoding), "{alerts:?}");
    }
}

#[test]
fn what_nothing_proves_is_told() {
    let told = |csv: &str, part: &str| {
        let found = numbers(csv.as_bytes(), Lang::En).alerts;
        found.iter().any(|alert| alert.detail.contains(part))
    };
    // Both readings of a date are named.
    let open = "d,n\n01/02/2023,1\n03/04/2023,2\n05/06/2023,4\n";
    assert!(told(open, "01/02/2023 was read as 2023-01-02"));
    assert!(told(open, "nothing rules out 2023-02-01"));
    // One column that proves an order decides for the others; dots are day first.
    for csv in [
        "d1,d2\n01/02/2023,25/02/2023\n03/04/2023,30/04/2023\n",
        "d,n\n01.02.2023,1\n03.04.2023,2\n",
        "d,n\n2023-01-02,1\n2023-03-04,2\n",
    ] {
        assert!(!told(csv, "--dates"), "{csv}");
    }
    // A tail of three values is none.
    let skewed = |rows: usize| {
        let rows: String = (0..rows).map(|row| format!("{row},{}\n", 1 << row)).collect();
        format!("n,x\n{rows}")
    };
    assert!(!told(&skewed(9), "tail"));
    assert!(told(&skewed(12), "tail"));
}

#[test]
fn sums_and_unix_times_are_told() {
    let mut csv = "name,a,b,created_at\n".to_owned();
    let (mut a, mut b) = (0, 0.0);
    for row in 0..8 {
        let (one, other) = (10 + row * row, 1.5 * f64::from(row) + 0.1);
        csv += &format!("n{row},{one},{other},{}\n", 1_700_000_000 + row * 7919 % 1000);
        (a, b) = (a + one, b + other);
    }
    let details = |csv: &str| -> Vec<String> {
        numbers(csv.as_bytes(), Lang::En).alerts.into_iter().map(|alert| alert.detail).collect()
    };
    let found = details(&csv);
    assert!(!found.iter().any(|detail| detail.contains("sum of the others")), "{found:?}");
    assert!(found.iter().any(|detail| detail.contains("1700000000 is 2023-11-14")), "{found:?}");
    let found = details(&(csv + &format!("Total,{a},{b},\n")));
    assert!(
        found.iter().any(|detail| detail.contains("sum of the others in 2 columns")),
        "{found:?}"
    );
}

#[test]
fn mended_rows_and_more_tables_are_told() {
    let good: String =
        (0..20).map(|row| format!("{row},2024-01-{:02},name {row}\n", row + 1)).collect();
    let csv = format!("n,day,name\n{good}20,,2024-01-21,name 20\n\ncity,people\nA,1\nB,2\n");
    let found = numbers(csv.as_bytes(), Lang::En).alerts;
    let told = |part: &str| found.iter().any(|alert| alert.detail.contains(part));
    assert!(told("1 broken row was put right") && told("line 22"), "{found:?}");
    assert!(told("1 table beside this one"), "{found:?}");
}
