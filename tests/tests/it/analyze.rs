//! `potluck analyze` as people use it: alone, through a pipe, and on another node.

use std::{fmt::Write as _, path::Path, process::Stdio};

use potluck_tests::process::{self, Ran, Up};

/// `potluck analyze` with a node of its own.
fn analyze(folder: &Path, args: &[&str]) -> anyhow::Result<Ran> {
    process::run(command(folder, args))
}

fn command(folder: &Path, args: &[&str]) -> std::process::Command {
    let mut command = process::command(None, ["analyze", "--no-mdns"]);
    command.args(["--listen", "/ip4/127.0.0.1/tcp/0", "--json", "--data-dir"]);
    command.arg(folder.join("data")).args(args).current_dir(folder);
    command
}

/// Sales in Chinese with a gap, a doubled row and a short one.
const SALES: &str = "城市,销量,日期\n北京,10,2024-01-01\n上海,,2024-01-02\n广州,30,2024-01-03\n\
    广州,30,2024-01-03\n深圳,5\n";

#[test]
fn a_report_is_written_where_it_was_asked_for() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("sales.csv"), SALES)?;
    let ran = analyze(folder.path(), &["sales.csv", "--lang", "zh"])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let document = ran.json();
    assert_eq!((&document["rows"], &document["columns"]), (&5.into(), &3.into()), "{document}");
    assert_eq!(document["out"], "sales-report");
    let numbers = &document["numbers"];
    assert_eq!((&numbers["bad_rows"], &numbers["duplicate_rows"]), (&1.into(), &1.into()));
    let sales = &numbers["columns"][1];
    assert_eq!((&sales["name"], &sales["missing"]), (&"销量".into(), &1.into()), "{sales}");
    assert_eq!(sales["mean"], 18.75, "{sales}");
    let out = folder.path().join("sales-report");
    let page = std::fs::read_to_string(out.join("report.html"))?;
    assert!(page.contains("lang=\"zh") && page.contains("销量"), "not the Chinese page");
    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("numbers.json"))?)?;
    assert_eq!(&kept, numbers);
    for name in document["files"].as_array().expect("a list") {
        assert!(out.join(name.as_str().expect("a name")).metadata()?.len() > 0, "{name}");
    }
    Ok(())
}

#[test]
fn a_pipe_is_read_and_charts_can_be_chosen() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = command(folder.path(), &["-", "-o", "out", "--only", "skew,missing"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut pipe = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut pipe, SALES.as_bytes())?;
    drop(pipe);
    let ended = child.wait_with_output()?;
    assert!(ended.status.success());
    let document: serde_json::Value = serde_json::from_slice(&ended.stdout)?;
    let files = document["files"].as_array().expect("a list").iter();
    let mut charts: Vec<_> = files.filter_map(|f| f.as_str()?.strip_suffix(".svg")).collect();
    charts.sort_unstable();
    assert_eq!(charts, ["missing", "skew"]);
    assert_eq!(document["numbers"]["file"], "-");
    Ok(())
}

#[test]
fn quotes_and_headers_are_found_out_or_said() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("quoted.csv", "id,name\n1,'Smith, John'\n2,'Doe, Jane'\n3,'Roe, Ann'\n")?;
    write("years.csv", "product,2023,2024\nTea,5,7\nMilk,3,2\n")?;
    let seen = |args: &[&str]| -> anyhow::Result<(u64, Vec<String>)> {
        let ran = analyze(folder.path(), args)?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let numbers = &ran.json()["numbers"];
        let columns = numbers["columns"].as_array().expect("a list").iter();
        let names = columns.map(|column| column["name"].as_str().unwrap_or_default().to_owned());
        Ok((numbers["rows"].as_u64().expect("a number"), names.collect()))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(seen(&["quoted.csv"])?, (3, names(&["id", "name"])));
    assert_eq!(seen(&["years.csv"])?, (2, names(&["product", "2023", "2024"])));
    let (rows, columns) = seen(&["years.csv", "--header", "no"])?;
    assert_eq!((rows, columns.len()), (3, 3));
    // With another quote the commas between apostrophes cut.
    let (rows, columns) = seen(&["quoted.csv", "--quote", "\"", "--header", "yes"])?;
    assert_eq!((rows, columns.len()), (3, 3));
    let ran = analyze(folder.path(), &["years.csv", "--quote", "ab"])?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    Ok(())
}

#[test]
fn what_cannot_be_a_table_or_an_option_is_said() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes);
    write("good.csv", SALES.as_bytes())?;
    write("empty.csv", b"")?;
    write("picture.csv", potluck_models::samples()[0].bytes)?;
    write("mask.png", b"not a picture")?;
    let table: [(&[&str], &str); 9] = [
        (&["nothing.csv"], "no file"),
        (&["."], "folder"),
        (&["empty.csv"], "empty"),
        (&["picture.csv"], "picture"),
        (&["good.csv", "--only", "pies"], "heatmap"),
        (&["good.csv", "--column", "nobody"], "nobody"),
        (&["good.csv", "--mask", "mask.png"], "mask.png"),
        (&["good.csv", "--encoding", "klingon"], "klingon"),
        (&["good.csv", "--delimiter", "ab"], "one character"),
    ];
    for (args, says) in table {
        let ran = analyze(folder.path(), args)?;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        let message = ran.json()["error"]["message"].as_str().expect("a sentence").to_owned();
        assert!(message.contains(says), "{args:?}: {message}");
    }
    Ok(())
}

#[test]
fn a_neighbour_does_the_work_and_only_the_report_comes_back() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Up::on_loopback("server").args(["--offer", "analyze"]).start()?;
    let join = ["--offer", "chat", "--join", server.address()];
    let asker = Up::on_loopback("asker").args(join).start()?;
    asker.wait_for_peers(&["server"])?;
    // Large enough to travel as a blob.
    let mut table = String::from("n,half,word\n");
    for row in 0..40_000 {
        writeln!(table, "{row},{}.5,{}", row / 2, ["red", "green", "blue"][row % 3])?;
    }
    let file = folder.path().join("numbers.csv");
    std::fs::write(&file, table)?;
    let out = folder.path().join("out");
    let mut command = asker.command(["analyze", "--json"]);
    command.arg("-o").arg(&out).arg(&file);
    let ran = process::run(command)?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let document = ran.json();
    assert_eq!(document["served_by"]["id"], server.id(), "{}", document["route"]);
    assert_eq!(document["numbers"]["rows"], 40_000);
    assert_eq!(document["numbers"]["columns"][0]["mean"], 19_999.5);
    assert!(out.join("report.html").metadata()?.len() > 10_000);
    // Nothing of it stays on either node.
    for node in [&server, &asker] {
        process::wait_until(|| Ok(std::fs::read_dir(node.data_dir().join("blobs"))?.count() == 0))?;
    }
    Ok(())
}
