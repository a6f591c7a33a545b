//! What stands above, between and below the rows of a table: titles, headers of several lines,
//! blank rows, footnotes, other tables.

use potluck_analysis::AnalysisError;
use potluck_analysis::read::ReadOptions;
use potluck_analysis::table::Note;

use super::{column, kinds, names, numbers, table, texts, try_table};

/// Ten rows of a region and two numbers.
fn rows() -> String {
    (0..10).map(|row| format!("Region {row},{},{}\n", 100 + row, 3 * row)).collect()
}

#[test]
fn titles_are_left_out_however_they_are_written() {
    for (above, lines) in [
        ("Sales by region\n", 1),
        ("Sales by region\n\n", 2),
        ("Sales by region,,\n,,\n", 2),
        ("Sales by region,,\nReport of,2024-01-31,\n\n", 3),
        ("# made by hand, 2024\n# second line\n", 2),
        ("\"Sales, by region\"\nAll amounts in euros\n", 2),
    ] {
        if above.starts_with("Sales by region,,\nReport") {
            // Two of three columns may be a row.
            continue;
        }
        let table = table(format!("{above}name,amount,share\n{}", rows()));
        assert_eq!(names(&table), ["name", "amount", "share"], "{above}");
        assert_eq!(kinds(&table), ["text", "integer", "integer"], "{above}");
        assert_eq!(table.rows, 10, "{above}");
        assert!(table.notes.contains(&Note::Titles(lines)), "{above}: {:?}", table.notes);
    }
    let none = table(format!("name,amount,share\n{}", rows()));
    assert!(none.notes.is_empty(), "{:?}", none.notes);
}

#[test]
fn headers_of_several_lines_are_one_name() {
    for (header, wanted, lines) in [
        ("name,amount,share\n,kg,%\n", ["name", "amount kg", "share %"], 2),
        ("name,amount,share\n,,EUR\n", ["name", "amount", "share EUR"], 2),
        ("name,2023,2023\n,amount,share\n", ["name", "2023 amount", "2023 share"], 2),
        ("name,2023,\n,amount,share\n", ["name", "2023 amount", "2023 share"], 2),
        (
            "name,amount,share\nname,amount,share\n",
            ["name name", "amount amount", "share share"],
            2,
        ),
        ("name,all,all\n,amount,share\n,kg,%\n", ["name", "all amount kg", "all share %"], 3),
    ] {
        let table = table(format!("{header}{}", rows()));
        assert_eq!((names(&table), table.rows), (wanted.to_vec(), 10), "{header}");
        assert_eq!(kinds(&table), ["text", "integer", "integer"], "{header}");
        assert!(table.notes.contains(&Note::HeaderLines(lines)), "{header}: {:?}", table.notes);
    }
    let options = ReadOptions { header_lines: Some(1), ..Default::default() };
    let text = format!("name,amount,share\n,kg,%\n{}", rows());
    let one = try_table(text, &options).expect("a table");
    assert_eq!((names(&one), one.rows), (vec!["name", "amount", "share"], 11));
}

#[test]
fn lines_above_can_be_said() {
    let text = format!("a,b,c\n1,2,3\nname,amount,share\n{}", rows());
    let options = ReadOptions { skip_lines: Some(2), ..Default::default() };
    let table = try_table(text, &options).expect("a table");
    assert_eq!((names(&table), table.rows), (vec!["name", "amount", "share"], 10));
    assert!(table.notes.contains(&Note::Titles(2)), "{:?}", table.notes);
}

#[test]
fn rows_without_values_are_no_rows() {
    let text = format!("name,amount,share\n{},,\n{}\n ,,\n,,\n", rows(), rows());
    let table = table(text);
    assert_eq!((table.rows, table.columns[0].missing), (20, 0));
    assert!(table.notes.contains(&Note::EmptyRows(3)), "{:?}", table.notes);
    // A value is enough.
    let table = super::table("a,b\n1,\n,2\n,\n3,4\n");
    assert_eq!((table.rows, table.columns[0].missing), (3, 1));
}

#[test]
fn footnotes_are_left_out() {
    for below in [
        "\nSource: the office of statistics, 2024\n",
        ",,\n* provisional,,\n",
        "Note: all amounts in euros.\n",
        "\n(1) revised\n(2) estimated\n",
        "注：数据为初步统计\n",
    ] {
        let table = table(format!("name,amount,share\n{}{below}", rows()));
        assert_eq!((table.rows, table.bad_rows.count), (10, 0), "{below}");
        assert!(table.notes.iter().any(|note| matches!(note, Note::Footers(_))), "{below}");
    }
    // A last row that is cut is no footnote.
    let cut = table(format!("n,amount,share\n{}11\n", rows().replace("Region ", "")));
    assert_eq!((cut.rows, cut.bad_rows.count), (11, 1));
}

#[test]
fn the_first_of_several_tables_is_read() {
    let second = "city,people\nA,1\nB,2\nC,3\n";
    for text in [
        format!("name,amount,share\n{}\n{second}", rows()),
        format!("name,amount,share\n{},,\n{second}", rows()),
        format!("name,amount,share\n{}\nCities\n{second}", rows()),
        format!("First\n\nname,amount,share\n{}\n\nCities\n\n{second}", rows()),
    ] {
        let first = table(text.clone());
        assert_eq!((first.rows, first.bad_rows.count), (10, 0), "{text}");
        assert_eq!(kinds(&first), ["text", "integer", "integer"], "{text}");
        assert!(
            first
                .notes
                .iter()
                .any(|note| matches!(note, Note::MoreTables(more) if more.len() == 1))
        );
        let options = ReadOptions { table: Some(2), ..Default::default() };
        let other = try_table(text.clone(), &options).expect("a table");
        assert_eq!((names(&other), other.rows), (vec!["city", "people"], 3), "{text}");
        assert_eq!(numbers(column(&other, "people")), [Some(1.0), Some(2.0), Some(3.0)]);
        let options = ReadOptions { table: Some(3), ..Default::default() };
        assert!(matches!(try_table(text, &options), Err(AnalysisError::BadOption(_))));
    }
    // The same header again begins a table, too.
    let text = format!("name,amount,share\n{0}name,amount,share\n{0}", rows());
    assert_eq!(table(text).rows, 10);
}

#[test]
fn a_column_of_line_ends_goes() {
    let table = table("a,b,\n1,x,\n2,y,\n3,z,\n");
    assert_eq!(names(&table), ["a", "b"]);
    assert!(table.notes.contains(&Note::EmptyColumns(1)), "{:?}", table.notes);
    assert_eq!(table.bad_rows.count, 0);
}

#[test]
fn no_header_is_found_out_by_texts_and_numbers() {
    let dates = table("13/01/2020,Oslo\n01/02/2020,Rome\n02/02/2020,Oslo\n");
    assert!(dates.notes.contains(&Note::NoHeader));
    assert_eq!((dates.rows, kinds(&dates)), (3, vec!["date", "text"]));
    assert_eq!(texts(&dates.columns[1])["Oslo"], 2);
}

#[test]
fn footnotes_of_a_large_table_are_left_out() {
    let mut text = "name,amount,share\n".to_owned();
    for row in 0..40_000 {
        text += &format!("Region {row},{row},{}\n", row % 7);
    }
    text += "\nSource: the office of statistics\n* provisional\n";
    for chunk in [30_000, 1 << 20] {
        let options = ReadOptions { chunk, ..Default::default() };
        let table = try_table(text.clone(), &options).expect("a table");
        assert_eq!((table.rows, table.bad_rows.count), (40_000, 0), "{chunk}");
        assert!(table.notes.contains(&Note::Footers(2)), "{chunk}: {:?}", table.notes);
    }
}

#[test]
fn small_tables_below_titles_are_read() {
    let text = "Sales\nmonth,amount\nJan,10\nFeb,20\nMar,30\n\nCosts\nmonth,amount,type\nJan,1,a\nFeb,2,b\n";
    let table = table(text);
    assert_eq!((names(&table), table.rows), (vec!["month", "amount"], 3));
    assert!(
        table.notes.iter().any(|note| matches!(note, Note::MoreTables(_))),
        "{:?}",
        table.notes
    );
}

#[test]
fn what_a_sheet_leaves_at_the_end_of_lines_is_no_column() {
    let mut text = "Table 1,,,,,\n,,,,,\n,2021,,2022,,\nRegion,Men,Women,Men,Women,\n".to_owned();
    for row in 1..12 {
        text += &format!("Region {row},{row},{},{},{},\n", row * 2, row * 3, row * 4);
    }
    let table = table(text + ",,,,,\nSource: a survey,,,,,\n");
    assert_eq!(names(&table), ["Region", "2021 Men", "2021 Women", "2022 Men", "2022 Women"]);
    assert_eq!((table.rows, table.bad_rows.count), (11, 0));
}

#[test]
fn texts_that_come_again_are_no_header() {
    let table = table("Smith,London,UK\nJones,Paris,France\nBrown,Leeds,UK\n");
    assert_eq!((table.rows, table.notes.contains(&Note::NoHeader)), (3, true));
    let codes = super::table("AB-12,red\nCD-34,blue\nEF-56,green\n");
    assert!(codes.notes.contains(&Note::NoHeader));
    let header = super::table("code,colour\nCD-34,blue\nEF-56,green\n");
    assert_eq!(names(&header), ["code", "colour"]);
}

#[test]
fn rows_may_begin_as_comments_do() {
    let colours = table("#rgb,name\n#ff0000,red\n#00ff00,green\n#0000ff,blue\n");
    assert_eq!((names(&colours), colours.rows), (vec!["#rgb", "name"], 3));
    let header = table("# made by hand\n#id,n\n1,5\n2,7\n3,9\n");
    assert_eq!((names(&header), header.rows), (vec!["#id", "n"], 3));
    let between = table("id,n,x\n1,5,a\n# a remark\n2,7,b\n3,9,c\n");
    assert_eq!((between.rows, between.bad_rows.count), (3, 0));
    assert!(between.notes.contains(&Note::Comments(1)), "{:?}", between.notes);
}

#[test]
fn a_first_row_with_another_delimiter_is_no_line_of_the_header() {
    let rows: String = (1..20).map(|row| format!("2024-01-{row:02},{row},name {row}\n")).collect();
    let table = table(format!("day,n,name\n2024-02-01;20;name 20\n{rows}"));
    assert_eq!((names(&table), table.rows), (vec!["day", "n", "name"], 20));
    assert_eq!((table.mended.count, table.bad_rows.count), (1, 0));
    assert!(table.notes.is_empty(), "{:?}", table.notes);
}
