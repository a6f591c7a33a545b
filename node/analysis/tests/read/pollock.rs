//! Polluted files of a public benchmark, each with the table that it stands for
//! (`shared/golden/pollock`). What is written clean must be that table.

use std::io::Cursor;

use potluck_analysis::Unwatched;
use potluck_analysis::read::{Output, ReadOptions, Source, clean};

use super::shared;

fn cleaned(csv: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let source = Source::Stream(Box::new(Cursor::new(csv.to_vec())));
    clean(source, &ReadOptions::default(), Output::Csv, &mut out, &Unwatched).expect("a table");
    out
}

fn rows(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv);
    let row = |row: csv::StringRecord| row.iter().map(|cell| cell.trim().to_owned()).collect();
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

#[test]
fn polluted_files_are_written_clean() {
    let Some(folder) = shared("golden/pollock") else { return };
    let mut wrong = Vec::new();
    let files = std::fs::read_dir(folder.join("csv")).expect("a folder");
    for file in files.map(|file| file.expect("a file").path()) {
        let csv = std::fs::read(&file).expect("a file");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        // An empty file is no table; the command writes an empty one for it.
        if csv.is_empty() {
            continue;
        }
        let right = rows(&std::fs::read(folder.join("clean").join(&name)).expect("a file"));
        let found = rows(&cleaned(&csv));
        if found != right {
            let at = right.iter().zip(&found).position(|(right, found)| right != found);
            let pair = at.map(|at| (&right[at], &found[at]));
            wrong.push(format!("{name}: {} for {} rows, {pair:?}", found.len(), right.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
