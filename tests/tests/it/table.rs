//! `potluck table`, and the options that say how a table is read.

use std::path::Path;

use potluck_tests::process::{self, Ran};

/// A title, a header of two lines, a broken row, a footnote, and another table.
const SHEET: &str = "Sales by region\n\nregion,2023,,day\n,amount,share,\nA,10,1,2024-01-01\n\
    B,20,2,2024-01-02\nC,30,3,2024-01-03\nD,40,4,2024-01-04\nE,50,5,2024-01-05\n\
    F,60,6,2024-01-06\nG,70,7,2024-01-07\nH,80,8,2024-01-08\nI,90,,9,2024-01-09\n\n\
    Source: a survey\n";

fn potluck(folder: &Path, command: &str, args: &[&str]) -> anyhow::Result<Ran> {
    let mut potluck = process::command(None, [command, "--no-mdns"]);
    potluck.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--data-dir"]);
    potluck.arg(folder.join("data")).args(args).current_dir(folder);
    process::run(potluck)
}

#[test]
fn a_table_is_written_clean() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sheet.csv"), SHEET)?;
    let ran = potluck(folder.path(), "table", &["sheet.csv", "-o", "clean.csv", "--lang", "en"])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let document = ran.json();
    assert_eq!((&document["rows"], &document["bad_rows"]), (&9.into(), &0.into()), "{document}");
    let mended = &document["mended_rows"];
    assert_eq!((&mended["count"], &mended["first"][0]["line"]), (&1.into(), &13.into()));
    assert_eq!(mended["first"][0]["done"], "dropped", "{document}");
    let notes = document["notes"].to_string();
    for told in ["above the header that were left out", "Lines of the header", "below the table"] {
        assert!(notes.contains(told), "{told} in {notes}");
    }
    let clean = std::fs::read_to_string(folder.path().join("clean.csv"))?;
    let lines: Vec<&str> = clean.lines().collect();
    assert_eq!(lines[0], "region,2023 amount,2023 share,day");
    assert_eq!((lines.len(), lines[9]), (10, "I,90,9,2024-01-09"));
    Ok(())
}

#[test]
fn what_is_found_out_can_be_said() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("sheet.csv", SHEET)?;
    write("dates.csv", "day,n\n01/02/2024,1\n03/04/2024,2\n05/06/2024,4\n")?;
    write("two.csv", "a,b\n1,2\n3,4\n5,6\n\ncity,people\nX,7\nY,8\n")?;
    let numbers = |args: &[&str]| -> anyhow::Result<serde_json::Value> {
        let ran = potluck(folder.path(), "analyze", args)?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        Ok(ran.json()["numbers"].clone())
    };
    let one = numbers(&["sheet.csv", "--skip-lines", "2", "--header-lines", "1"])?;
    assert_eq!((&one["columns"][0]["name"], &one["rows"]), (&"region".into(), &10.into()));
    let second = numbers(&["two.csv", "--table", "2"])?;
    assert_eq!((&second["columns"][1]["name"], &second["rows"]), (&"people".into(), &2.into()));
    let first = |numbers: &serde_json::Value| numbers["columns"][0]["first"].clone();
    assert_eq!(first(&numbers(&["dates.csv", "--dates", "dmy"])?), "2024-02-01");
    assert_eq!(first(&numbers(&["dates.csv", "--dates", "mdy"])?), "2024-01-02");
    for args in [
        &["two.csv", "--table", "3"][..],
        &["two.csv", "--table", "0"],
        &["two.csv", "--header-lines", "6"],
        &["two.csv", "--dates", "ymd"],
        &["two.csv", "--escape", "ab"],
    ] {
        let ran = potluck(folder.path(), "analyze", args)?;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
    }
    let ran = potluck(folder.path(), "table", &["two.csv", "-o", "two.parquet"])?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    Ok(())
}

#[test]
fn an_empty_file_is_an_empty_table_and_a_page_is_none() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("empty.csv"), "")?;
    std::fs::write(path("page.csv"), "<!DOCTYPE html>\n<html><body>gone</body></html>\n")?;
    std::fs::write(path("kept.csv"), "a,b\n1,2\n")?;
    let ran = potluck(folder.path(), "table", &["empty.csv", "-o", "out.csv"])?;
    assert_eq!((ran.code, std::fs::read(path("out.csv"))?.len()), (Some(0), 0), "{ran:?}");
    // What was there stays where nothing can be written.
    let ran = potluck(folder.path(), "table", &["page.csv", "-o", "kept.csv"])?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.json()["error"]["message"].as_str().is_some_and(|text| text.contains("web page")));
    assert_eq!(std::fs::read_to_string(path("kept.csv"))?, "a,b\n1,2\n");
    Ok(())
}
