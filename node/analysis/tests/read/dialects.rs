//! Delimiters, headers, decimal commas.

use potluck_analysis::AnalysisError;
use potluck_analysis::read::ReadOptions;
use potluck_analysis::table::Note;

use super::{column, kinds, names, numbers, table, texts, try_table};

#[test]
fn delimiters_are_found() {
    for (delimiter, text) in [
        (',', "a,b,c\n1,x;y,3\n2,z,4\n"),
        (';', "a;b;c\n1,5;2,5;x, y, z\n2,5;3,5;w\n"),
        ('\t', "a\tb\tc\n1,1\t2,1\thello, world\n2\t3\tw\n"),
        ('|', "a|b|c\n1|2|x,y\n2|3|z\n"),
    ] {
        let table = table(text);
        assert_eq!((table.delimiter, table.rows, table.columns.len()), (delimiter, 2, 3), "{text}");
        assert_eq!(table.bad_rows.count, 0);
    }
}

#[test]
fn all_decimal_commas_are_no_delimiters() {
    let mut text = "a;b;c;d;e\n".to_owned();
    for row in 0..100 {
        text += &format!("1,{row};2,{row};3,5;4,5;5,25\n");
    }
    let table = table(text);
    assert_eq!((table.delimiter, table.columns.len()), (';', 5));
    assert_eq!(numbers(column(&table, "e"))[0], Some(5.25));
}

#[test]
fn one_column_of_sentences_is_one_column() {
    let table = table("remark\nhello, world\nyes, we can; we do\nfine\n");
    assert_eq!((table.columns.len(), table.bad_rows.count), (1, 0));
    assert_eq!(texts(column(&table, "remark"))["hello, world"], 1);
}

#[test]
fn the_delimiter_can_be_said() {
    let options = ReadOptions { delimiter: Some(':'), ..Default::default() };
    assert_eq!(names(&try_table("a:b\n1:2\n", &options).expect("a table")), ["a", "b"]);
    let excel = table("sep=;\r\na;b\r\n1;2\r\n");
    assert_eq!((excel.delimiter, names(&excel), excel.rows), (';', vec!["a", "b"], 1));
}

#[test]
fn headers_are_found() {
    let without = table("1,2.5,2024-01-01\n2,3.5,2024-01-02\n3,4.5,2024-01-03\n");
    assert_eq!((without.rows, without.notes.as_slice()), (3, &[Note::NoHeader][..]));
    assert_eq!(names(&without), ["column 1", "column 2", "column 3"]);
    assert_eq!(numbers(&without.columns[0]), [Some(1.0), Some(2.0), Some(3.0)]);
    for text in [
        "country,2019,2020,2021\nA,1,2,3\nB,4,5,6\n",
        "x,y\na,b\nc,d\n",
        "3,4,a,b\n1,2,3,4\n5,6,7,8\n",
    ] {
        let table = table(text);
        assert_eq!((table.rows, table.notes.len()), (2, 0), "{text}");
    }
    let said = ReadOptions { header: Some(false), ..Default::default() };
    let table = try_table("x,y\na,b\n", &said).expect("a table");
    assert_eq!((table.rows, kinds(&table)), (2, vec!["text", "text"]));
    let said = ReadOptions { header: Some(true), ..Default::default() };
    assert_eq!(names(&try_table("1,2\n3,4\n", &said).expect("a table")), ["1", "2"]);
}

#[test]
fn rows_may_be_wider_than_the_header() {
    let r = table("x,y\n1,2,3\n2,3,4\n3,4,5\n");
    assert_eq!((names(&r), r.bad_rows.count), (vec!["column 1", "x", "y"], 0));
    let trailing = table("x,y\n1,2,\n2,3,\n3,4,\n");
    assert_eq!((names(&trailing), trailing.bad_rows.count), (vec!["x", "y"], 0));
}

#[test]
fn a_title_above_the_table_is_left_out() {
    let table = table("Report of 2024\n\na,b,c\n1,2,3\n4,5,6\n7,8\n");
    assert_eq!((names(&table), table.rows), (vec!["a", "b", "c"], 3));
    assert_eq!(table.bad_rows.first[0].line, 6);
}

#[test]
fn every_line_end_is_one() {
    for end in ["\n", "\r\n", "\r"] {
        let table = table(["a,b", "1,x", "2,\"y\"", "3,z"].join(end));
        assert_eq!((table.rows, kinds(&table)), (3, vec!["integer", "text"]), "{end:?}");
        assert_eq!(texts(column(&table, "b")).into_keys().collect::<Vec<_>>(), ["x", "y", "z"]);
    }
}

#[test]
fn years_and_months_above_numbers_are_names() {
    for text in [
        "product,2023,2024\nTea,5,7\nMilk,3,2\n",
        "2024,2023,2022\n5,7,1\n3,2,4\n",
        "1990,2000,2010\n1.5,7,1\n3,2,4\n",
        "country,2020-01,2020-02\nA,5,7\nB,3,2\n",
        "country,2019,2020,2021\nA,1900,2000,1950\nB,1850,2010,2001\n",
    ] {
        let table = table(text);
        assert_eq!((table.rows, table.notes.as_slice()), (2, &[][..]), "{text}");
        assert_eq!(
            names(&table),
            text.lines().next().expect("a line").split(',').collect::<Vec<_>>()
        );
    }
    for text in [
        "2023,2024\n2021,2022\n1999,2001\n",
        "1,2023,5\n2,2024,6\n3,2022,7\n",
        "1,1990,2000,5\n2,3,4,6\n3,5,5,7\n",
        "2024-01-01,5\n2024-01-02,6\n",
    ] {
        assert!(table(text).notes.contains(&Note::NoHeader), "{text}");
    }
}

#[test]
fn quotes_are_found() {
    let single = table("id,name\n1,'Smith, John'\n2,'Doe, Jane'\n3,'O''Brien, Pat'\n");
    assert_eq!((single.columns.len(), single.bad_rows.count), (2, 0));
    let found: Vec<_> = texts(column(&single, "name")).into_keys().collect();
    assert_eq!(found, ["Doe, Jane", "O'Brien, Pat", "Smith, John"]);
    // An apostrophe is none.
    let words = table("id,text\n1,'twas the night, before\n2,rock 'n' roll\n3,\"'a', 'b'\"\n");
    assert_eq!(words.bad_rows.count, 1);
    assert_eq!(texts(column(&words, "text"))["rock 'n' roll"], 1);
    let double = table("id,text\n1,\"'a', 'b'\"\n2,\"'c', d\"\n");
    assert_eq!(
        texts(column(&double, "text")).into_keys().collect::<Vec<_>>(),
        ["'a', 'b'", "'c', d"]
    );
}

#[test]
fn the_quote_can_be_said() {
    let said = |quote| ReadOptions { quote: Some(quote), ..Default::default() };
    let table = try_table("a,b\n1,|x,|\n2,|y||z|\n", &said('|')).expect("a table");
    assert_eq!(texts(column(&table, "b")).into_keys().collect::<Vec<_>>(), ["x,", "y|z"]);
    let plain = try_table("a,b\n1,'x'\n2,'y'\n", &said('\'')).expect("a table");
    assert_eq!(texts(column(&plain, "b")).into_keys().collect::<Vec<_>>(), ["x", "y"]);
    let same = ReadOptions { delimiter: Some('\''), ..said('\'') };
    for options in [said('é'), said('\n'), same] {
        assert!(matches!(try_table("a\n1\n", &options), Err(AnalysisError::BadOption(_))));
    }
}

#[test]
fn spaces_after_delimiters_belong_to_no_field() {
    let table =
        table("id, name, note\n1, \"Lee, Ann\", \"a, b\"\n2, \"Ray, Bob\", c\n3, Oz, \"d, e\"\n");
    assert_eq!((names(&table), table.bad_rows.count), (vec!["id", "name", "note"], 0));
    let found: Vec<_> = texts(column(&table, "name")).into_keys().collect();
    assert_eq!(found, ["Lee, Ann", "Oz", "Ray, Bob"]);
}

#[test]
fn backslashes_escape_quotes_where_the_file_does_that() {
    let mut text = "id,text,n\n".to_owned();
    for row in 0..20 {
        text += &format!(
            "{row},\"he said \\\"no\\\", twice\",{row}\n{row},\"C:\\\\temp, \\x\",{row}\n"
        );
    }
    let table = table(text);
    assert_eq!((table.rows, table.bad_rows.count), (40, 0));
    let found: Vec<_> = texts(column(&table, "text")).into_keys().collect();
    assert_eq!(found, ["C:\\temp, \\x", "he said \"no\", twice"]);
    // Elsewhere a backslash is a character.
    let plain = super::table("id,text\n1,\"C:\\dir\\\"\n2,\"a, b\"\n3,\"c\"\n");
    assert_eq!((plain.rows, plain.bad_rows.count), (3, 0));
    assert_eq!(texts(column(&plain, "text"))["C:\\dir\\"], 1);
}

#[test]
fn lines_may_end_in_several_ways() {
    let mut text = String::from("a,b\r");
    for row in 0..20 {
        text += &format!("{row},x{row}{}", ["\r", "\n", "\r\n"][row % 3]);
    }
    for chunk in [1, 7, 1 << 20] {
        let options = ReadOptions { chunk, ..Default::default() };
        let table = try_table(text.clone(), &options).expect("a table");
        let (kinds, bad) = (kinds(&table), table.bad_rows.count);
        assert_eq!((table.rows, kinds, bad), (20, vec!["integer", "text"], 0), "{chunk}");
    }
}

#[test]
fn spaces_and_colons_may_be_delimiters() {
    let mut aligned = "name    size  day\n".to_owned();
    let mut passwords = String::new();
    let mut tilde = "a~b~c\n".to_owned();
    for row in 1..20 {
        aligned += &format!("file{row:<4} {:>5}  2024-01-{row:02}\n", row * 100);
        passwords += &format!("user{row}:x:{}:{}:A Name:/home/{row}:/bin/sh\n", 1000 + row, row);
        tilde += &format!("{row}~x, y~{row}.5\n");
    }
    let spaces = table(aligned);
    assert_eq!((names(&spaces), spaces.rows), (vec!["name", "size", "day"], 19));
    assert_eq!(kinds(&spaces), ["text", "integer", "date"]);
    let colons = table(passwords);
    assert_eq!((colons.delimiter, colons.columns.len(), colons.rows), (':', 7, 19));
    assert_eq!(table(tilde).delimiter, '~');
    // Times, sentences and names are one column.
    for text in [
        "10:00:00\n11:00:00\n12:00:00\n13:00:00\n14:00:00\n15:00:00\n",
        "when\n2024-01-01 10:00:00\n2024-01-02 11:00:00\n",
        "full name\nAnn Lee\nBob Ray\nCy Oz\nDi Fox\nEd Poe\n",
        "remark\nall is well here\nnothing is new now\nwe are all fine\nthis is a text\nthat is one too\n",
    ] {
        let table = table(text);
        assert_eq!(table.columns.len(), 1, "{text}");
        assert!(table.notes.contains(&Note::NoDelimiter), "{text}");
    }
}

#[test]
fn one_wrong_quote_damages_one_row() {
    let good: String = (0..30).map(|row| format!("{row},\"text, {row}\",{row}.5\n")).collect();
    for wrong in [
        "30,\"text,30.5\n",
        "30,te\"xt,30.5\n",
        "30,\"te\"xt\",30.5\n",
        "\"30,text,30.5\n",
        "30,text,30.5\"\n",
    ] {
        let table = table(format!("a,b,c\n{good}{wrong}{good}"));
        assert!((60..=61).contains(&table.rows), "{wrong}: {} rows", table.rows);
        let found = texts(column(&table, "b"));
        assert!((0..30).all(|row| found[&format!("text, {row}")] == 2), "{wrong}: {found:?}");
    }
}

#[test]
fn columns_may_be_aligned_with_spaces() {
    let table = table(
        "NAME            AGE  CITY\nJohn Smith       34  London\nMary Jones       28  New York\n\
         Bob Brown        45  Rome\nAnn White        31  Oslo\nTim Green        22  Bonn\n",
    );
    assert_eq!((names(&table), table.rows), (vec!["NAME", "AGE", "CITY"], 5));
    assert_eq!(texts(column(&table, "CITY"))["New York"], 1);
}

#[test]
fn an_apostrophe_in_single_quotes_is_one() {
    let table = table("id,name\n1,'O'Brien, Pat'\n2,'Doe, Jane'\n3,'it's, well'\n4,'Poe, E'\n");
    assert_eq!((table.rows, table.bad_rows.count), (4, 0));
    let found: Vec<_> = texts(column(&table, "name")).into_keys().collect();
    assert_eq!(found, ["Doe, Jane", "O'Brien, Pat", "Poe, E", "it's, well"]);
}

#[test]
fn texts_with_delimiters_are_joined_where_the_columns_say_so() {
    let mut text = "id,text,price\n".to_owned();
    for row in 1..30 {
        let more = if row == 7 { ", long" } else { "" };
        text += &format!("{row},{row}\" pipe{more},{row}.50\n");
    }
    let table = table(text);
    assert_eq!((table.rows, table.bad_rows.count, table.mended.count), (29, 0, 1));
    assert_eq!(table.mended.first[0].line, 8);
    assert_eq!(texts(column(&table, "text"))["7\" pipe, long"], 1);
    assert_eq!(column(&table, "price").invalid.count, 0);
}
