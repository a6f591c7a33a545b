//! What is not a table, or a broken one: a clear sentence or a sensible table, never a panic.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::table::Note;
use potluck_analysis::{AnalysisError, Stage, Unwatched, Watch};

use super::{column, kinds, names, numbers, refusal, table, texts, try_table};

#[test]
fn what_is_no_table_is_refused_with_advice() {
    assert!(refusal("").contains("empty"));
    assert!(refusal("\n\n  \n").contains("blank"));
    assert!(refusal([0; 5000]).contains("not text"));
    assert!(refusal(b"PK\x03\x04\x14\0\x06\0").contains("save the sheet as CSV"));
    assert!(refusal(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n").contains("PDF"));
    assert!(refusal(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").contains("picture"));
    assert!(refusal(b"\xff\xd8\xff\xe0\0\x10JFIF").contains("picture"));
    let noise: Vec<u8> =
        (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(refusal(noise).contains("not text"));
    let packed = zstd::encode_all(&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], 1).expect("zstd");
    assert!(refusal(packed).contains("picture"));
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let open =
        |path: &str| match read(Source::File(path.into()), &ReadOptions::default(), &Unwatched) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("a table"),
        };
    assert!(open("no such.csv").contains("no such.csv"));
    assert!(open(env!("CARGO_MANIFEST_DIR")).contains("folder"));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let wrong = |options: ReadOptions| match try_table("a,b\n1,2\n", &options) {
        Err(AnalysisError::BadOption(text)) => text.to_string(),
        _ => panic!("not refused"),
    };
    let encoding = wrong(ReadOptions { encoding: Some("klingon".into()), ..Default::default() });
    assert!(encoding.contains("klingon") && encoding.contains("gb18030"));
    let delimiter = wrong(ReadOptions { delimiter: Some('"'), ..Default::default() });
    assert!(delimiter.contains("between fields"));
}

#[test]
fn header_only_has_no_rows() {
    for text in ["a,b,c\n", "a,b,c", "a,b,c\r\n\r\n"] {
        let table = table(text);
        assert_eq!((table.rows, names(&table)), (0, vec!["a", "b", "c"]));
        assert_eq!(kinds(&table), ["empty"; 3]);
    }
}

#[test]
fn wide_tables_have_a_limit() {
    let header = |width: usize| (0..width).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let row = |width: usize| vec!["1.5"; width].join(",");
    let wide = table(format!("{}\n{}\n{}\n", header(5000), row(5000), row(5000)));
    assert_eq!((wide.columns.len(), wide.rows, wide.duplicate_rows), (5000, 2, 1));
    assert_eq!(numbers(&wide.columns[4999]), [Some(1.5); 2]);
    assert!(refusal(format!("{}\n", header(20_001))).contains("20001"));
}

#[test]
fn an_endless_line_is_refused() {
    assert!(refusal("x".repeat(1 << 20)).contains("one long line"));
    let endless = std::io::repeat(b'x').take(200 << 20);
    let read = read(Source::Stream(Box::new(endless)), &ReadOptions::default(), &Unwatched);
    assert!(read.is_err_and(|error| error.to_string().contains("longer than")));
}

#[test]
fn an_endless_field_is_cut() {
    let table = table(format!("a,b\n1,{}\n2,z\n", "x".repeat(40 << 20)));
    assert_eq!(table.rows, 2);
    assert!(table.notes.contains(&Note::CutFields(2)), "{:?}", table.notes);
    assert_eq!(numbers(column(&table, "a")), [Some(1.0), Some(2.0)]);
    let longest = texts(column(&table, "b")).into_keys().map(|text| text.len()).max();
    assert_eq!(longest, Some(1 << 20));
}

#[test]
fn a_bomb_streams() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(b"a,b\n").expect("gzip");
    let line = b"1,2\n".repeat(1 << 18);
    for _ in 0..48 {
        bomb.write_all(&line).expect("gzip");
    }
    let table = table(bomb.finish().expect("gzip"));
    assert_eq!(table.rows, 48 << 18);
    assert_eq!(table.duplicate_rows, (48 << 18) - 1);
}

/// Text that goes on and on, made as it is read.
fn without_end(line: &'static [u8]) -> Source {
    struct Lines(&'static [u8], usize);
    impl Read for Lines {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            for byte in buffer.iter_mut() {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(buffer.len())
        }
    }
    Source::Stream(Box::new(Lines(line, 0).take(24 << 20)))
}

fn refused(source: Source, options: &ReadOptions) -> String {
    match read(source, options, &Unwatched) {
        Err(AnalysisError::BadInput(text)) => text.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(table) => panic!("a table of {} rows", table.rows),
    }
}

#[test]
fn more_rows_than_memory_can_describe_are_refused() {
    let options = ReadOptions { memory: 1 << 20, ..Default::default() };
    let text = refused(without_end(b"7\n"), &options);
    for part in ["1.0 million rows", "1 MiB", "memory_mib"] {
        assert!(text.contains(part), "{text}");
    }
    // Texts are no rows in memory.
    let table = read(without_end(b"word\n"), &options, &Unwatched).expect("a table");
    assert!(table.rows > 2_000_000);
}

#[test]
fn more_content_than_allowed_is_refused() {
    let options = ReadOptions { max_content: 20 << 20, ..Default::default() };
    for line in [&b"7,x\n"[..], b"x\n\n\n\n\n\n\n\n"] {
        let text = refused(without_end(line), &options);
        assert!(text.contains("20 MiB") && text.contains("max_input_mib"), "{text}");
    }
}

#[test]
fn a_zstd_window_that_is_too_large_is_named() {
    // A frame of one raw block, with a window of 256 MiB.
    let frame = b"\x28\xb5\x2f\xfd\x00\x90\x21\0\0a\n1\n";
    assert!(refusal(frame.as_slice()).contains("--long"));
}

#[test]
fn compressed_input_that_breaks_off_is_refused() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let rows: String = (0..20_000).map(|i| format!("{i},{}\n", i * 7919 % 10_007)).collect();
    gzip.write_all(rows.as_bytes()).expect("gzip");
    let gzip = gzip.finish().expect("gzip");
    assert!(refusal(&gzip[..gzip.len() / 2]).contains("breaks off"));
    let zstd = zstd::encode_all(rows.as_bytes(), 1).expect("zstd");
    assert!(refusal(&zstd[..zstd.len() / 2]).contains("breaks off"));
}

#[test]
fn quotes_that_never_close_are_noted() {
    let mut text = "a,b\n1,x\n2,\"never\n".to_owned();
    for row in 3..200_000 {
        text += &format!("{row},y{}\n", row % 7);
    }
    let table = table(text);
    assert_eq!(table.rows, 199_999);
    assert_eq!(table.notes, [Note::UnclosedQuote(3)]);
    assert_eq!(texts(column(&table, "b"))["never"], 1);
    let small = super::table("a,b\n1,\"x\n2,y\n");
    assert_eq!((small.rows, small.notes), (2, vec![Note::UnclosedQuote(2)]));
}

#[test]
fn a_quote_within_a_field_is_a_character() {
    let table = table("size,n\n5\" pipe,1\n3\" pipe,2\n\"a\"b,3\n");
    assert_eq!(table.rows, 3);
    let sizes: Vec<_> = texts(column(&table, "size")).into_keys().collect();
    assert_eq!(sizes, ["3\" pipe", "5\" pipe", "ab"]);
}

#[test]
fn blank_lines_are_skipped() {
    let table = table("a\n1\n\n2\n   \n\"\"\n3\n");
    assert_eq!((table.rows, column(&table, "a").missing), (4, 1));
}

#[test]
fn names_become_unique() {
    let table = table("a,,a,A, a ,\n1,2,3,4,5,6\n");
    assert_eq!(names(&table), ["a", "column 2", "a (2)", "A", "a (3)", "column 6"]);
    assert_eq!(table.notes, [Note::Renamed(4)]);
}

/// Cancels when it is asked for the third time.
struct Impatient(AtomicU32);

impl Watch for Impatient {
    fn stage(&self, _: Stage, _: f32) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) >= 3
    }
}

#[test]
fn cancelling_ends_the_reading() {
    let endless = std::io::repeat(b'\n');
    let read =
        read(Source::Stream(Box::new(endless)), &ReadOptions::default(), &Impatient(0.into()));
    assert!(matches!(read, Err(AnalysisError::Cancelled)));
}

#[test]
fn cancelling_ends_lines_and_nuls_without_end() {
    for line in [&b"\0"[..], b"x"] {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"a,b\n").expect("gzip");
        packed.write_all(&b"1,2\n".repeat(1 << 18)).expect("gzip");
        let more = line.repeat(1 << 20);
        for _ in 0..100 {
            packed.write_all(&more).expect("gzip");
        }
        let packed = packed.finish().expect("gzip");
        let asked = AtomicU32::new(0);
        let all = try_table(packed.clone(), &ReadOptions::default()).expect("a table");
        assert_eq!(all.rows, (1 << 18) + u64::from(line == b"x"));
        // Asked at least once for each part of what makes no rows.
        struct Counts<'a>(&'a AtomicU32, u32);
        impl Watch for Counts<'_> {
            fn stage(&self, _: Stage, _: f32) {}

            fn cancelled(&self) -> bool {
                self.0.fetch_add(1, Ordering::Relaxed) >= self.1
            }
        }
        let source = || Source::Stream(Box::new(std::io::Cursor::new(packed.clone())));
        let done = read(source(), &ReadOptions::default(), &Counts(&asked, u32::MAX));
        assert!(done.is_ok());
        let often = asked.swap(0, Ordering::Relaxed);
        assert!(often > 50, "asked {often} times");
        let stopped = read(source(), &ReadOptions::default(), &Counts(&asked, often / 2));
        assert!(matches!(stopped, Err(AnalysisError::Cancelled)));
    }
}

#[test]
fn documents_are_refused_with_what_they_are() {
    for (what, text) in [
        (
            "a web page",
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>404</title>\n</head>\n</html>\n",
        ),
        ("a web page", "\n<html><body><table><tr><td>1,2</td></tr></table></body></html>"),
        ("XML", "<?xml version=\"1.0\"?>\n<rows>\n<row a=\"1\"/>\n</rows>\n"),
        ("XML", "<rows>\n<row>1,2</row>\n</rows>\n"),
        ("JSON", "{\"a\": 1, \"b\": [1, 2]}\n"),
        ("JSON", "[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n"),
        (
            "an e-mail",
            "From: a@example.org\nTo: b@example.org\nSubject: the table\n\nSee, below\n1,2\n",
        ),
    ] {
        let said = refusal(text);
        assert!(said.starts_with(&format!("this is {what}")), "{text}: {said}");
    }
    // Tables of such texts are tables.
    for text in [
        "html,n\n<p>,1\n<b>,2\n",
        "[a],[b]\n1,2\n",
        "{x},y\n1,2\n",
        "to: whom,n\na,1\n",
        "<5,n\n<6,2\n",
    ] {
        assert_eq!(table(text).columns.len(), 2, "{text}");
    }
}
