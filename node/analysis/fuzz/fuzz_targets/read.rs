//! Any bytes are read as a table, or refused with a sentence; every thread count and every limit
//! of memory gives the same table.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use potluck_analysis::{
    Unwatched,
    read::{self, ReadOptions, Source},
    table::{Table, Values},
};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (chunk, way, bytes) = input;
    let options = ReadOptions {
        chunk: 1 + usize::from(chunk) * 16,
        threads: 1,
        header: [None, None, Some(true), Some(false)][usize::from(way & 3)],
        delimiter: [None, None, None, Some(';')][usize::from(way >> 2 & 3)],
        quote: [None, None, None, Some('\'')][usize::from(way >> 6)],
        encoding: [None, None, None, Some("gb18030".to_owned())][usize::from(way >> 4 & 3)].clone(),
        ..ReadOptions::default()
    };
    let read = |options: &ReadOptions| {
        let source = Source::Stream(Box::new(Cursor::new(bytes.to_vec())));
        read::read(source, options, &Unwatched)
    };
    match (read(&options), read(&ReadOptions { threads: 2, memory: 0, ..options.clone() })) {
        (Ok(roomy), Ok(tight)) => assert_eq!(content(&roomy), content(&tight)),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("{:?} but {:?}", one.err(), other.err()),
    }
});

/// What a table says.
fn content(table: &Table) -> Vec<String> {
    let mut said =
        vec![format!("{} {} {}", table.rows, table.bad_rows.count, table.duplicate_rows)];
    for column in &table.columns {
        let values = cells(column.values().expect("values"));
        let mut texts = Vec::new();
        column.texts(&mut |text, count| texts.push((text.to_owned(), count))).expect("texts");
        texts.sort();
        let counts = (column.missing, column.invalid.count, column.invalid.distinct);
        said.push(format!("{} {:?} {counts:?} {values:?} {texts:?}", column.name, column.kind));
    }
    said
}

fn cells(values: Values) -> Vec<String> {
    match values {
        Values::Integers(cells) | Values::Times(cells) => {
            cells.iter().map(|cell| format!("{cell:?}")).collect()
        }
        Values::Numbers(cells) => cells.iter().map(|cell| format!("{cell:?}")).collect(),
        Values::Texts => Vec::new(),
    }
}
