//! Files that are tables but no text (`formats/make.py`), against what pandas and pyarrow say of
//! them.

use std::io::Write as _;

use potluck_analysis::read::{Output, ReadOptions, Source, clean};
use potluck_analysis::stats::{StatsOptions, compute};
use potluck_analysis::table::{Format, Note};
use potluck_analysis::{AnalysisError, Numbers, Table, Unwatched};
use serde_json::Value;

use super::{column, kinds, names, refusal, texts, try_table};

fn bytes(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/");
    std::fs::read(format!("{folder}{name}")).expect("a file")
}

fn expected(name: &str) -> Value {
    serde_json::from_slice::<Value>(&bytes("expected.json")).expect("JSON")[name].clone()
}

fn with_sheet(name: &str, sheet: &str) -> Result<Table, AnalysisError> {
    try_table(bytes(name), &ReadOptions { sheet: Some(sheet.to_owned()), ..Default::default() })
}

fn of(name: &str) -> Table {
    try_table(bytes(name), &ReadOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The rows that are written of a file, the names first.
fn rows(name: &str) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let source = Source::Stream(Box::new(std::io::Cursor::new(bytes(name))));
    clean(source, &ReadOptions::default(), Output::Csv, &mut out, &Unwatched).expect("a table");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&out[..]);
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

fn numbers_of(table: &Table) -> Numbers {
    let options = StatsOptions { threads: 1, memory: 64 << 20, ..Default::default() };
    compute(table, &options, &Unwatched).expect("numbers").0
}

/// Compares everything that pandas says with what is found.
fn compare(file: &str, expected: &Value) {
    let numbers = numbers_of(&of(file));
    assert_eq!(numbers.rows, expected["rows"].as_u64().expect("rows"), "{file}");
    for wanted in expected["columns"].as_array().expect("columns") {
        let name = wanted["name"].as_str().expect("a name");
        let found = numbers.columns.iter().find(|column| column.name == name);
        let found = found.unwrap_or_else(|| panic!("{file} has no column {name}"));
        let at = |what: &str| format!("{what} of {name} in {file}: {found:?}");
        assert_eq!(Some(found.missing), wanted["missing"].as_u64(), "{}", at("missing"));
        assert_eq!(Some(found.distinct), wanted["distinct"].as_u64(), "{}", at("distinct"));
        for (what, number) in [
            ("mean", found.mean),
            ("std", found.std),
            ("min", found.min),
            ("max", found.max),
            ("median", found.median),
        ] {
            let Some(wanted) = wanted[what].as_f64() else { continue };
            let number = number.unwrap_or_else(|| panic!("no {}", at(what)));
            assert!((number - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{}", at(what));
        }
        for (what, time) in [("first", &found.first), ("last", &found.last)] {
            let Some(wanted) = wanted[what].as_str() else { continue };
            let time = time.as_deref().unwrap_or_else(|| panic!("no {}", at(what)));
            let whole = |time: &str| {
                let time = time.replace(' ', "T").replace("+00:00", "");
                let time = if time.contains('T') { time } else { format!("{time}T00:00:00") };
                if time.contains('.') { time.trim_end_matches('0').to_owned() } else { time }
            };
            assert_eq!(whole(time), whole(wanted), "{}", at(what));
        }
    }
}

#[test]
fn a_sheet_comes_out_as_a_person_saw_it() {
    let expected = expected("styled.xlsx");
    let found = rows("styled.xlsx");
    let strings = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(found[0], strings(&expected["names"]));
    let cells: Vec<Vec<String>> =
        expected["cells"].as_array().expect("rows").iter().map(strings).collect();
    assert_eq!(found[1..], cells[..]);
    let table = of("styled.xlsx");
    assert_eq!((table.format, table.sheet.as_deref()), (Format::Xlsx, Some("Sales 2024")));
    assert!(table.notes.contains(&Note::HeaderLines(2)), "{:?}", table.notes);
    assert!(table.notes.contains(&Note::Footers(1)), "{:?}", table.notes);
    let others = ["About", "Secret", "数据"].map(str::to_owned).to_vec();
    assert!(table.notes.contains(&Note::OtherSheets { read: "Sales 2024".into(), others }));
    let share = column(&table, "2024 share");
    assert!(share.written.percent && share.kind.name() == "number");
    assert_eq!(column(&table, "2024 amount").written.currency, Some('$'));
    assert_eq!(column(&table, "customer zip").kind.name(), "text");
}

#[test]
fn a_sheet_is_chosen_by_name_or_number() {
    for wanted in ["数据", "4"] {
        let table = with_sheet("styled.xlsx", wanted).expect("a table");
        assert_eq!((names(&table), table.rows), (vec!["城市", "人口"], 3));
    }
    // A hidden one is read when it is asked for, however it is spelt.
    assert_eq!(names(&with_sheet("styled.xlsx", "SECRET").expect("a table")), ["a", "b"]);
    let missing = with_sheet("styled.xlsx", "nowhere").err().expect("no sheet").to_string();
    assert!(missing.contains("Sales 2024") && missing.contains("数据"), "{missing}");
    let text = ReadOptions { sheet: Some("1".into()), ..Default::default() };
    assert!(matches!(try_table("a,b\n1,2\n", &text), Err(AnalysisError::BadOption(_))));
}

#[test]
fn workbooks_say_what_pandas_says() {
    for file in ["plain.xlsx", "old.xls", "open.ods"] {
        compare(file, &expected("plain"));
        let table = of(file);
        assert!(column(&table, "code").kind.name() == "text", "{file}");
    }
    for (file, sign) in [("old.xls", '$'), ("open.ods", '€')] {
        let table = of(file);
        let share = &column(&table, "share").written;
        assert!(share.percent, "{file}");
        assert_eq!(column(&table, "amount").written.currency, Some(sign), "{file}");
        assert_eq!(column(&table, "day").kind.name(), "date", "{file}");
    }
}

#[test]
fn types_of_files_that_say_them_are_kept() {
    for file in ["typed.parquet", "typed.arrow", "typed.arrows"] {
        compare(file, &expected("typed"));
        let table = of(file);
        let kind = |name| column(&table, name).kind.name();
        let found = ["tiny", "big", "whole", "money", "true", "digits", "day", "second", "nothing"];
        let right = [
            "integer", "integer", "number", "number", "boolean", "text", "date", "datetime",
            "empty",
        ];
        assert_eq!(found.map(kind), right, "{file}");
        assert!(texts(column(&table, "list")).contains_key("[3, 4]"), "{file}");
        assert!(names(&table).contains(&"place.at.x"), "{file}: {:?}", names(&table));
    }
    assert_eq!(of("zstd.parquet").rows, 40);
}

#[test]
fn json_is_a_table_where_it_has_objects() {
    for file in ["lines.ndjson", "list.json"] {
        compare(file, &expected("json"));
        let table = of(file);
        assert_eq!(
            names(&table)[..6],
            ["id", "name", "amount", "units", "day", "ok"],
            "in the order in which they come"
        );
        assert!(texts(column(&table, "tags")).contains_key("[\"a\",3]"), "{file}");
    }
    let packed = zstd::encode_all(&bytes("lines.ndjson")[..], 3).expect("packed");
    assert_eq!(try_table(packed, &ReadOptions::default()).expect("a table").rows, 40);
    let blank = "{\"a\":null,\"b\":null}\n\n{\"a\":1,\"b\":\"x\"}\r\n{}\n";
    let table = try_table(blank, &ReadOptions::default()).expect("a table");
    assert_eq!((table.rows, kinds(&table)), (3, vec!["integer", "text"]));
    for (text, what) in [
        ("{\"type\": \"FeatureCollection\", \"features\": [{\"a\": 1}]}", "JSON"),
        ("[[1, 2], [3, 4]]", "JSON"),
        ("{\n \"a\": 1,\n \"b\": [1, 2]\n}\n", "JSON"),
        ("[{\"a\": 1}, {\"a\": ", "damaged"),
        ("{\"a\": 1}\n{\"a\": tru}\n{\"a\": 2}\n", "damaged"),
        ("[{}, {}]", "without columns"),
    ] {
        let said = refusal(text);
        assert!(said.contains(what), "{text}: {said}");
    }
}

#[test]
fn files_without_a_table_are_refused_with_what_they_are() {
    assert!(refusal(bytes("locked.xlsx")).contains("password"));
    assert!(refusal(bytes("empty.xlsx")).contains("no sheet"));
    assert!(refusal(bytes("sparse.xlsx")).contains("nearly empty"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("a.csv", options).expect("a file");
    zip.write_all(b"a,b\n1,2\n").expect("written");
    assert!(refusal(zip.finish().expect("a zip").into_inner()).contains("zip file"));
}

#[test]
fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut old = zip::ZipArchive::new(std::io::Cursor::new(bytes("empty.xlsx"))).expect("a zip");
    for at in 0..old.len() {
        zip.raw_copy_file(old.by_index(at).expect("a file")).expect("copied");
    }
    zip.start_file("xl/media/more.xml", options.large_file(true)).expect("a file");
    let piece = "<si><t>aaaaaaaaa</t></si>".repeat(40_000);
    for _ in 0..120 {
        zip.write_all(piece.as_bytes()).expect("written");
    }
    let said = refusal(zip.finish().expect("a zip").into_inner());
    assert!(said.contains("unpacks to"), "{said}");
}

/// Every piece of every file, and every file with some bytes changed, is a table or refused.
#[test]
fn damaged_files_are_refused() {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut state = seed | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let options = ReadOptions { memory: 64 << 20, max_content: 64 << 20, ..Default::default() };
    let files = [
        "plain.xlsx",
        "styled.xlsx",
        "old.xls",
        "open.ods",
        "typed.parquet",
        "typed.arrow",
        "typed.arrows",
        "list.json",
        "lines.ndjson",
        "locked.xlsx",
    ];
    for file in files {
        let whole = bytes(file);
        for round in 0..40 {
            let mut broken = whole.clone();
            if round % 2 == 0 {
                broken.truncate(1 + next(whole.len() - 1));
            } else {
                for _ in 0..1 + next(8) {
                    let at = next(broken.len());
                    broken[at] = next(256) as u8;
                }
            }
            match try_table(broken, &options) {
                Ok(_) | Err(AnalysisError::BadInput(_)) => {}
                Err(other) => panic!("{file}, seed {seed}, round {round}: {other:?}"),
            }
        }
    }
}

/// What is written with types is read back as what it was.
#[test]
fn a_typed_table_is_read_back_as_it_was() {
    let csv = "\
        city;visits;share;open;since;seen;start;took;notes\n\
        Oslo;1;12,5 %;yes;31.12.2023;2024-01-02 03:04:05;9:05 pm;26:30:00;\"a; \"\"b\"\"\"\n\
        北京;-7;50 %;no;1.2.2024;2024-01-02 03:04:06.25;08:00;-0:15:00;\n\
        Rome;;NA;yes;;;;;plain\n\
        Bern;x;3 %;no;2.2.2024;2024-01-03 00:00:00;7:45;1:00:00;last\n";
    let wrong = |e: AnalysisError| panic!("{e}");
    let source = |bytes: &[u8]| Source::Stream(Box::new(std::io::Cursor::new(bytes.to_vec())));
    let options = ReadOptions::default();
    let first = try_table(csv, &options).unwrap_or_else(wrong);
    let right =
        ["text", "integer", "number", "boolean", "date", "datetime", "time", "duration", "text"];
    assert_eq!(kinds(&first), right);
    let first = numbers_of(&first);
    for output in [Output::Parquet, Output::Arrow, Output::NdJson] {
        let mut out = Vec::new();
        clean(source(csv.as_bytes()), &options, output, &mut out, &Unwatched).unwrap_or_else(wrong);
        let again = try_table(out, &options).unwrap_or_else(wrong);
        assert_eq!(names(&again), first.columns.iter().map(|c| &c.name[..]).collect::<Vec<_>>());
        let again = numbers_of(&again);
        assert_eq!(again.rows, 4, "{output:?}");
        for (old, new) in first.columns.iter().zip(&again.columns) {
            let known = |c: &potluck_analysis::numbers::ColumnNumbers| {
                let ends = (c.first.clone(), c.last.clone(), c.mean_time.clone());
                (c.kind.clone(), c.count - c.invalid, c.mean, c.min, c.max, ends)
            };
            assert_eq!(known(old), known(new), "{output:?}");
        }
    }
}

#[test]
fn times_of_day_and_durations_are_kinds_of_their_own() {
    let csv = "start,length,score\n09:05,0:30,1:0\n9:35 pm,26:00,2:1\n12:00:30,-1:30,0:0\n,0:15:00.5,3:2\n";
    let table = try_table(csv, &ReadOptions::default()).expect("a table");
    // Results of games are no times.
    assert_eq!(kinds(&table), ["time", "duration", "text"]);
    let numbers = numbers_of(&table);
    let of = |at: usize| {
        let column = &numbers.columns[at];
        [&column.first, &column.mean_time, &column.last].map(|t| t.clone().unwrap_or_default())
    };
    // By Python's statistics.mean of the seconds, rounded.
    assert_eq!(of(0), ["09:05:00", "14:13:30", "21:35:00"]);
    assert_eq!(of(1), ["-01:30:00", "06:18:45", "26:00:00"]);
}

#[test]
fn a_last_row_that_sums_the_others_can_be_left_out() {
    let csv = "city,units,amount\na,1,10\nb,2,20.5\nc,3,30\nd,4,40\nTotal,10,100.5\n\nSource: us\n";
    let with = try_table(csv, &ReadOptions::default()).expect("a table");
    let options = ReadOptions { no_totals: true, ..Default::default() };
    let without = try_table(csv, &options).expect("a table");
    assert_eq!((with.rows, without.rows), (5, 4));
    assert!(without.notes.contains(&Note::Totals) && !with.notes.contains(&Note::Totals));
    let mut out = Vec::new();
    let source = Source::Stream(Box::new(std::io::Cursor::new(csv.as_bytes().to_vec())));
    clean(source, &options, Output::Csv, &mut out, &Unwatched).expect("a table");
    assert!(String::from_utf8(out).expect("text").ends_with("d,4,40\n"));
    // Where nothing is summed, nothing is left out.
    let plain = csv.replace("100.5", "99");
    assert_eq!(try_table(plain, &options).expect("a table").rows, 5);
}
