//! Encodings that are found out, named and broken. Bytes are those of Python's codecs.

use std::io::{Read, Write};

use potluck_analysis::read::{ReadOptions, Source, read};
use potluck_analysis::table::Note;
use potluck_analysis::{Table, Unwatched};

use super::{column, kinds, names, table, texts, try_table};

const CHINESE: &str = "姓名,城市,年龄\n张三,北京,21\n李四,上海,19\n王五,广州,23\n";
const TAIWAN: &str = "姓名,城市,說明\n張三,臺北,今天天氣很好\n李四,高雄,我們一起去學校\n";
const JAPAN: &str =
    "名前,都市,説明\nたろう,東京,これはテストです\nはなこ,大阪,カタカナもあります\n";

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label");
    let (bytes, _, broken) = encoding.encode(text);
    assert!(!broken);
    bytes.into_owned()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn named(bytes: &[u8], encoding: &str) -> Table {
    let options = ReadOptions { encoding: Some(encoding.to_owned()), ..Default::default() };
    try_table(bytes, &options).expect("a table")
}

#[test]
fn short_files_are_recognised() {
    for (text, label, name) in [
        (CHINESE, "gb18030", "GB18030"),
        (TAIWAN, "big5", "Big5"),
        (JAPAN, "shift_jis", "Shift_JIS"),
        (JAPAN, "euc-jp", "EUC-JP"),
        (CHINESE, "utf-8", "UTF-8"),
    ] {
        let table = table(encoded(text, label));
        assert_eq!(table.encoding, name);
        assert_eq!(
            names(&table),
            text.lines().next().expect("a line").split(',').collect::<Vec<_>>()
        );
        assert_eq!(table.rows as usize, text.lines().count() - 1);
    }
}

#[test]
fn utf16_is_recognised_without_a_mark() {
    for (big, name) in [(false, "UTF-16LE"), (true, "UTF-16BE")] {
        for text in [CHINESE, "a,b\n1,x\n2,y\n"] {
            let plain = table(utf16(text, big));
            assert_eq!((plain.encoding.as_str(), plain.notes.len()), (name, 0));
            let marked = table(utf16(&format!("\u{feff}{text}"), big));
            assert_eq!(marked.encoding, name);
            assert_eq!(names(&marked), names(&plain));
        }
    }
}

#[test]
fn names_of_encodings_are_understood() {
    for label in ["gbk", "GB2312", "gb18030", "cp936"] {
        let table = named(&encoded(CHINESE, "gbk"), label);
        assert_eq!(table.encoding, "GB18030");
        assert_eq!(texts(column(&table, "城市"))["北京"], 1);
    }
    // Whoever names an encoding gets it, right or wrong.
    assert_eq!(named(CHINESE.as_bytes(), "latin1").encoding, "windows-1252");
    assert_eq!(named(b"\xef\xbb\xbfa,b\n1,2\n", "utf-8-sig").encoding, "UTF-8 with BOM");
}

#[test]
fn broken_utf8_is_replaced_and_counted() {
    let mut bytes = "名字,n\n北京,1\n上海,2\n".repeat(50).into_bytes();
    bytes.extend_from_slice(b"caf\xe9,3\n");
    let table = table(bytes);
    assert_eq!(table.encoding, "UTF-8");
    assert_eq!(table.notes, [Note::Undecodable(1)]);
    assert_eq!(texts(column(&table, "名字"))["caf\u{fffd}"], 1);
}

#[test]
fn an_encoding_that_shows_late_is_found() {
    let mut bytes = b"name,n\n".to_vec();
    for row in 0..60_000 {
        bytes.extend_from_slice(format!("plain,{row}\n").as_bytes());
    }
    bytes.extend_from_slice(&encoded("张三在北京上学,1\n李四在上海工作,2\n", "gb18030"));
    assert!(bytes.len() > 512 << 10);
    let late = table(bytes.as_slice());
    assert_eq!((late.encoding.as_str(), late.notes.len()), ("GB18030", 0));
    assert_eq!(texts(column(&late, "name"))["李四在上海工作"], 1);
    // One broken byte among much UTF-8 does not make another encoding.
    bytes.truncate(600 << 10);
    bytes.extend_from_slice("\n张三,1\n李四,2\n王五,3\ncaf".as_bytes());
    bytes.extend_from_slice(b"\xe9,3\n");
    let broken = table(bytes);
    assert_eq!((broken.encoding.as_str(), broken.notes), ("UTF-8", vec![Note::Undecodable(1)]));
}

#[test]
fn nuls_are_dropped_and_counted() {
    let table = table("a,b\n1,x\0y\n2\0,z\n3,zz\n4,a b c d e f g h i j k\n");
    assert_eq!(table.notes, [Note::Nuls(2)]);
    assert_eq!(kinds(&table), ["integer", "text"]);
    assert_eq!(texts(column(&table, "b"))["xy"], 1);
}

#[test]
fn compressed_files_read_the_same() {
    let text = CHINESE.repeat(1000);
    let plain = super::content(&table(text.as_bytes()));
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("zstd");
    assert_eq!(super::content(&table(zstd)), plain);
    // Members one after the other are one file.
    let mut gzip = Vec::new();
    for part in [&text.as_bytes()[..1000], &text.as_bytes()[1000..]] {
        let mut encoder = flate2::write::GzEncoder::new(&mut gzip, flate2::Compression::fast());
        encoder.write_all(part).expect("gzip");
        encoder.finish().expect("gzip");
    }
    assert_eq!(super::content(&table(gzip)), plain);
}

#[test]
fn a_long_pipe_is_read_like_a_file() {
    let row = CHINESE.lines().nth(1).expect("a row").to_owned() + "\n";
    let text = CHINESE.to_owned() + &row.repeat(1 << 20);
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    let options = ReadOptions { name: Some("x.csv".into()), ..Default::default() };
    let from_file = read(Source::File(file.path().into()), &options, &Unwatched).expect("a table");
    // A reader that gives little at a time.
    let trickle = std::io::Cursor::new(text).chain(std::io::empty());
    let from_pipe = read(Source::Stream(Box::new(trickle)), &options, &Unwatched).expect("a table");
    assert_eq!(from_pipe.rows, (1 << 20) + 3);
    assert_eq!(from_pipe.duplicate_rows, 1 << 20);
    assert_eq!(texts(&from_file.columns[0]), texts(&from_pipe.columns[0]));
}

#[test]
fn utf8_with_nuls_stays_utf8() {
    let table = table("姓名,值\r\n张三,\0\r\n李四,\0\r\n王五,\0\r\n");
    assert_eq!((table.encoding.as_str(), table.rows), ("UTF-8", 3));
    assert_eq!((names(&table), &table.notes[..]), (vec!["姓名", "值"], &[Note::Nuls(3)][..]));
}

#[test]
fn a_guess_is_noted_and_a_certain_encoding_is_not() {
    let cafe = table(b"name,n\ncaf\xe9,1\nth\xe9,2\n".as_slice());
    assert_eq!(cafe.notes, [Note::Guessed]);
    // Two characters could be of several encodings.
    assert_eq!(table(encoded("名,n\na,1\nb,2\n", "gbk")).notes, [Note::Guessed]);
    for (text, label) in
        [(CHINESE, "gb18030"), (TAIWAN, "big5"), (JAPAN, "shift_jis"), (CHINESE, "utf-8")]
    {
        assert_eq!(table(encoded(text, label)).notes, [], "{label}");
    }
    // Who names an encoding knows.
    assert_eq!(named(b"name,n\ncaf\xe9,1\n", "latin1").notes, []);
}

#[test]
fn labels_with_either_dash_are_understood() {
    for (label, name) in [
        ("ks_c_5601-1987", "EUC-KR"),
        ("ms_kanji", "Shift_JIS"),
        ("Shift-JIS", "Shift_JIS"),
        ("gb_2312-80", "GB18030"),
        ("utf_8", "UTF-8"),
        ("iso_8859_1", "windows-1252"),
    ] {
        assert_eq!(named(b"a,b\n1,2\n", label).encoding, name, "{label}");
    }
}

#[test]
fn utf16_without_an_order_takes_that_of_the_file() {
    for (big, name) in [(true, "UTF-16BE"), (false, "UTF-16LE")] {
        for text in [format!("\u{feff}{CHINESE}"), CHINESE.to_owned()] {
            let table = named(&utf16(&text, big), "utf-16");
            assert_eq!((table.encoding.as_str(), names(&table)[0]), (name, "姓名"));
        }
    }
}

#[test]
fn zeros_after_gzip_are_no_content() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(CHINESE.as_bytes()).expect("gzip");
    let mut gzip = gzip.finish().expect("gzip");
    gzip.resize(gzip.len().next_multiple_of(512), 0);
    assert_eq!(super::content(&table(gzip.clone())), super::content(&table(CHINESE)));
    gzip.extend_from_slice(b"no gzip");
    assert!(super::refusal(gzip).contains("damaged"));
}
