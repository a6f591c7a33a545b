//! Files that were read wrongly once, each with what a person reads in it
//! (`shared/golden/hunted`); the same kinds as small texts of our own are in the other modules.

use potluck_analysis::table::Note;

use super::{kinds, names, shared, table};

/// One of the files, where they are.
fn hunted(name: &str) -> Option<Vec<u8>> {
    let file = shared(&format!("golden/hunted/{name}"))?;
    Some(std::fs::read(file).expect("the file"))
}

#[test]
fn rows_of_shifted_texts_are_not_equal() {
    assert_eq!(table("grade,code\nA,B1234567\nB,A1234567\n").duplicate_rows, 0);
    assert_eq!(table("temp,time\n132,10:00:00\n100,11:00:00\n").duplicate_rows, 0);
    for name in ["duplicates-swap.csv", "duplicates-number-time.csv"] {
        if let Some(csv) = hunted(name) {
            assert_eq!(table(csv).duplicate_rows, 0, "{name}");
        }
    }
}

/// Each file that is a table, and what a person reads in it.
#[test]
fn hunted_files_are_read_as_a_person_reads_them() {
    for (name, rows, columns) in [
        (
            "title-padded.csv",
            5,
            &[
                ("Region", "text"),
                ("Jan", "integer"),
                ("Feb", "integer"),
                ("Mar", "integer"),
                ("Total", "integer"),
            ][..],
        ),
        ("title-two-columns.csv", 0, &[("Week", "date"), ("rust: (Worldwide)", "integer")]),
        (
            "comment-lines-with-comma.csv",
            5,
            &[
                ("Region", "text"),
                ("Jan", "integer"),
                ("Feb", "integer"),
                ("Mar", "integer"),
                ("Total", "integer"),
            ],
        ),
        ("space-before-quote.csv", 3, &[("id", "integer"), ("name", "text"), ("note", "text")]),
        ("backslash-escape.csv", 60, &[("id", "integer"), ("text", "text"), ("n", "integer")]),
        ("cr-lines-final-lf.csv", 30, &[("a", "integer"), ("b", "integer"), ("c", "integer")]),
        (
            "columns-dropped.csv",
            0,
            &[
                ("a", "integer"),
                ("b", "integer"),
                ("c", "integer"),
                ("column 4", "integer"),
                ("column 5", "integer"),
            ],
        ),
        ("no-header-day-first.csv", 6, &[("column 1", "date"), ("column 2", "text")]),
        ("empty-rows.csv", 0, &[("a", "integer"), ("b", "integer"), ("c", "integer")]),
    ] {
        let Some(csv) = hunted(name) else { return };
        let table = table(csv);
        let found: Vec<_> = names(&table).into_iter().zip(kinds(&table)).collect();
        assert_eq!(found, columns, "{name}");
        assert!(rows == 0 || table.rows == rows, "{name}: {} rows", table.rows);
        assert!(table.bad_rows.count == 0 || name == "columns-dropped.csv", "{name}");
        assert!(table.columns.iter().all(|column| column.invalid.count == 0), "{name}");
    }
}

#[test]
fn what_was_left_out_is_told() {
    for (name, note) in [
        ("title-padded.csv", Note::Titles(2)),
        ("title-two-columns.csv", Note::Titles(2)),
        ("comment-lines-with-comma.csv", Note::Titles(2)),
        ("no-header-day-first.csv", Note::NoHeader),
        ("columns-dropped.csv", Note::Renamed(2)),
    ] {
        let Some(csv) = hunted(name) else { return };
        let table = table(csv);
        assert!(table.notes.contains(&note), "{name}: {:?}", table.notes);
    }
    let Some(csv) = hunted("empty-rows.csv") else { return };
    let table = table(csv);
    assert!(table.notes.iter().any(|note| matches!(note, Note::EmptyRows(_))), "{:?}", table.notes);
    assert_eq!((table.duplicate_rows, table.columns[0].missing), (0, 0));
}
