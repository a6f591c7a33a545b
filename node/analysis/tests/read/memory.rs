//! Tables larger than memory, and any number of threads: the same table.

use potluck_analysis::read::ReadOptions;

use super::{content, texts, try_table};

/// Rows of all kinds with many different texts and some equal rows.
fn rows(count: u64) -> String {
    let mut text = "id,n,when,word,flag,dirty\n".to_owned();
    for row in 0..count {
        let same = row - row % 10 / 9;
        let mixed = same.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let (word, flag) = (mixed % 20_000, if mixed % 3 == 0 { "yes" } else { "no" });
        let dirty = if mixed % 50 == 0 { format!("bad {word}") } else { mixed.to_string() };
        text += &format!(
            "{same},{}.{},2024-01-{:02} 10:00:{:02},\"word, {word}\",{flag},{dirty}\n",
            mixed % 1000,
            mixed % 7,
            mixed % 28 + 1,
            mixed % 60
        );
    }
    text
}

#[test]
fn little_memory_gives_the_same_table() {
    let text = rows(60_000);
    let options = ReadOptions { chunk: 64 << 10, ..Default::default() };
    let roomy = try_table(text.as_str(), &options).expect("a table");
    assert_eq!(roomy.duplicate_rows, 6000);
    assert_eq!(roomy.rows, 60_000);
    for (memory, threads) in [(1 << 20, 1), (1 << 20, 4), (0, 2)] {
        let folder = tempfile::tempdir().expect("a folder");
        let temp_dir = Some(folder.path().to_owned());
        let options = ReadOptions { memory, threads, temp_dir, ..options.clone() };
        let tight = try_table(text.as_str(), &options).expect("a table");
        assert!(content(&tight) == content(&roomy), "{memory} bytes, {threads} threads");
        // Loading twice gives the same twice, also from disk.
        assert_eq!(texts(&tight.columns[3]), texts(&tight.columns[3]));
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "temporary files have no names");
    }
}

#[test]
fn the_order_of_texts_does_not_depend_on_threads() {
    let text = rows(30_000);
    let order = |threads, memory| {
        let options = ReadOptions { threads, memory, chunk: 32 << 10, ..Default::default() };
        let table = try_table(text.as_str(), &options).expect("a table");
        let mut order = Vec::new();
        table.columns[3].texts(&mut |text, _| order.push(text.to_owned())).expect("texts");
        order
    };
    let one = order(1, 300 << 20);
    assert_eq!(one[0], "word, 0");
    for _ in 0..3 {
        assert!(order(4, 300 << 20) == one);
    }
}

#[test]
fn a_temporary_folder_that_is_not_there_is_named() {
    let temp_dir = Some("no such folder".into());
    let options = ReadOptions { memory: 0, temp_dir, ..Default::default() };
    let Err(error) = try_table(rows(10), &options) else { panic!("a table") };
    assert!(error.to_string().contains("temporary file"), "{error}");
}

#[test]
fn many_text_columns_go_to_disk_together() {
    let mut text = (0..400).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..300_u64 {
        let cells = (0..400).map(|at| format!("{:x}w", (row * 400 + at).wrapping_mul(0x9e37_79b9)));
        text += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    let roomy = try_table(text.as_str(), &ReadOptions::default()).expect("a table");
    // No column of these has a tenth of the memory alone.
    let options = ReadOptions { memory: 1 << 20, chunk: 64 << 10, ..Default::default() };
    let tight = try_table(text.as_str(), &options).expect("a table");
    assert!(content(&tight) == content(&roomy));
    // In memory, texts come in the order of the file; on disk, by parts.
    let first = |table: &potluck_analysis::Table| {
        let mut first = None;
        table.columns[7]
            .texts(&mut |text, _| {
                first.get_or_insert(text.to_owned());
            })
            .expect("texts");
        first
    };
    assert_ne!(first(&tight), first(&roomy), "nothing went to disk");
}
