//! Random input: bytes never panic, tables that the `csv` crate wrote come back, and where
//! chunks are cut changes nothing. proptest prints the seed of what fails.

use potluck_analysis::read::ReadOptions;
use potluck_analysis::table::{Kind, Note};
use proptest::prelude::*;

use super::{content, numbers, texts, try_table};

/// Texts that mean nothing else, and cannot be sniffed away.
fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z,;\"\n 北京上海数据]{0,10}".prop_map(|text| format!("w{text}"))
}

/// One row: a word, a whole number, a float, perhaps nothing.
type Row = (String, i32, f64, Option<String>);

fn table_rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((word(), any::<i32>(), -1e9..1e9, prop::option::of(word())), 1..40)
}

fn written(rows: &[Row], delimiter: u8, style: csv::QuoteStyle, crlf: bool) -> Vec<u8> {
    let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .quote_style(style)
        .terminator(end)
        .from_writer(Vec::new());
    writer.write_record(["word", "whole", "float", "perhaps"]).expect("written");
    for (word, whole, float, perhaps) in rows {
        let perhaps = perhaps.as_deref().unwrap_or_default();
        writer
            .write_record([word, &whole.to_string(), &format!("{float:?}"), perhaps])
            .expect("written");
    }
    writer.into_inner().expect("written")
}

fn counted(texts: impl Iterator<Item = String>) -> std::collections::BTreeMap<String, u64> {
    let mut counts = std::collections::BTreeMap::new();
    texts.for_each(|text| *counts.entry(text).or_default() += 1);
    counts
}

/// Cells of which one may be made of a neighbour's bytes.
fn alike() -> impl Strategy<Value = String> {
    ("[AB]?", prop::sample::select(vec!["1234567", "7654321", "x", ""]), "[ab]?")
        .prop_map(|(start, middle, end)| format!("t{start}{middle}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn equal_rows_are_counted_as_a_set_would(
        rows in prop::collection::vec((alike(), 0..3_i32, alike(), alike()), 2..200),
    ) {
        let different: std::collections::HashSet<_> = rows.iter().collect();
        let mut csv = "a,n,b,c\n".to_owned();
        for (a, n, b, c) in &rows {
            csv += &format!("{a},{n},{b},{c}\n");
        }
        let table = try_table(csv, &ReadOptions::default()).expect("a table");
        prop_assert_eq!(table.duplicate_rows, (rows.len() - different.len()) as u64);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), chunk in 1_usize..80) {
        let options = ReadOptions { chunk, threads: 2, ..Default::default() };
        let _ = try_table(bytes, &options);
    }

    #[test]
    fn broken_tables_never_panic(
        text in "[a1,;\t|\"\n\r .\u{feff}é$%(/:-]{0,300}",
        chunk in 1_usize..80,
        header in prop::option::of(any::<bool>()),
    ) {
        let small = ReadOptions { chunk, threads: 2, header, ..Default::default() };
        let whole = ReadOptions { threads: 1, header, ..Default::default() };
        match (try_table(text.as_str(), &small), try_table(text.as_str(), &whole)) {
            (Ok(small), Ok(whole)) => prop_assert_eq!(content(&small), content(&whole)),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "only one of them is a table"),
        }
    }

    #[test]
    fn written_tables_come_back(
        rows in table_rows(),
        delimiter in prop::sample::select(b",;\t|".as_slice()),
        quoting in 0..2,
        crlf in any::<bool>(),
        wide in any::<bool>(),
    ) {
        let style = [csv::QuoteStyle::Necessary, csv::QuoteStyle::Always][quoting as usize];
        let bytes = written(&rows, delimiter, style, crlf);
        let text = String::from_utf8(bytes).expect("UTF-8");
        let bytes = if wide {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            text.into_bytes()
        };
        let options = ReadOptions { delimiter: Some(char::from(delimiter)), ..Default::default() };
        let table = try_table(bytes, &options).expect("a table");
        prop_assert_eq!(table.rows as usize, rows.len());
        prop_assert_eq!(table.bad_rows.count, 0);
        prop_assert_eq!(&table.notes, &Vec::<Note>::new());
        prop_assert_eq!(&table.encoding, if wide { "UTF-16LE" } else { "UTF-8" });
        prop_assert_eq!(texts(&table.columns[0]), counted(rows.iter().map(|r| r.0.clone())));
        let whole: Vec<_> = rows.iter().map(|r| Some(f64::from(r.1))).collect();
        prop_assert_eq!(table.columns[1].kind, Kind::Integer);
        prop_assert_eq!(numbers(&table.columns[1]), whole);
        let floats: Vec<_> = rows.iter().map(|r| Some(r.2)).collect();
        prop_assert_eq!(numbers(&table.columns[2]), floats);
        let missing = rows.iter().filter(|r| r.3.is_none()).count();
        prop_assert_eq!(table.columns[3].missing as usize, missing);
        prop_assert_eq!(texts(&table.columns[3]), counted(rows.iter().filter_map(|r| r.3.clone())));
    }

    #[test]
    fn floats_are_exactly_rounded(float in any::<f64>(), digits in "-?[0-9]{1,20}\\.[0-9]{1,25}(e-?[0-9]{1,3})?") {
        prop_assume!(float.is_finite());
        let forms = [format!("{float:?}"), format!("{float:e}"), "0.5".to_owned(), digits];
        let text = format!("x\n{}\n", forms.join("\n"));
        let table = try_table(text, &ReadOptions::default()).expect("a table");
        let wanted: Vec<_> = forms.iter().map(|form| form.parse::<f64>().ok()).collect();
        prop_assert_eq!(numbers(&table.columns[0]), wanted);
    }
}

#[test]
fn where_chunks_are_cut_changes_nothing() {
    let text = "id,text,n,day\r\n1,\"a,b\",1.5,2024-01-01\r\n2,\"line1\nline2\",,2024-01-02\r\n\r\n\
                3,\"say \"\"hi\"\"\",x,\r\n4,北京,2\r\n5,\"\",3,2024-01-03,6\r\n5,\"\",3,2024-01-03,6\r\n\
                6,caf\"e,4,2024-01-04\r\n7,\"never,5,2024-01-05\r\n8,y,6,2024-01-06";
    assert!(however_cut(text).contains("UnclosedQuote(11)"));
    assert!(
        however_cut("a,b\n1,x\n\"").contains("UnclosedQuote(3)"),
        "it is all that the last one has"
    );
}

/// What is read, which is the same for chunks of any size.
fn however_cut(text: &str) -> String {
    let whole = content(&try_table(text, &ReadOptions::default()).expect("a table"));
    for chunk in 1..text.len() + 1 {
        for threads in [1, 3] {
            let options = ReadOptions { chunk, threads, ..Default::default() };
            let cut = content(&try_table(text, &options).expect("a table"));
            assert_eq!(cut, whole, "chunks of {chunk} bytes");
        }
    }
    whole
}
