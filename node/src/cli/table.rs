//! `potluck table`: a table as it was understood, written clean. It is read here: what is written
//! is as large as what is read, so that a peer would only add the way there and back.

use std::{
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use potluck_analysis::{
    AnalysisError, Lang, Table, Unwatched,
    read::{self, Output, ReadOptions, Source},
    report,
    table::Note,
};
use serde_json::{Value, json};

use super::{
    Failure, Kind,
    analyze::{self, unwritable},
    output::{Output, printable},
    reading::Reading,
    words, wrong,
};

/// The options of `table`.
#[derive(Debug, Args)]
pub struct Clean {
    /// The table: CSV and the like, .xlsx, .xls, .ods, Parquet, Arrow, JSON; also compressed with gzip or zstd; - reads
    /// from a pipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file that is written: .csv, or with types .parquet, .arrow or .ndjson
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    reading: Reading,
}

impl Clean {
    pub(super) async fn run(self, output: &Output) -> Result<ExitCode, Failure> {
        let lang = output.lang();
        let said = self.reading.said()?;
        let options = ReadOptions {
            name: self.file.file_name().map(|name| name.to_string_lossy().into_owned()),
            encoding: self.reading.encoding.clone(),
            delimiter: said.delimiter,
            quote: said.quote,
            escape: said.escape,
            header: said.header,
            header_lines: self.reading.header_lines,
            skip_lines: self.reading.skip_lines,
            table: self.reading.table,
            sheet: self.reading.sheet.clone(),
            dates: said.dates,
            no_totals: self.reading.no_totals,
            ..ReadOptions::default()
        };
        let Some(output) = Output::of(&self.out) else {
            return Err(Failure::usage(wrong::no_output(&self.out)));
        };
        let waiting = output.spinner(words::reading(lang));
        let (file, out) = (self.file, self.out);
        let done = tokio::task::spawn_blocking(move || {
            let table = clean(&file, &out, output, &options)?;
            Ok::<_, Failure>((file, out, table))
        });
        let done = done.await.map_err(Failure::internal)?;
        waiting.finish_and_clear();
        let (file, out, table) = done?;
        let document = document(&file, &out, table.as_ref(), lang);
        output.print(&document, || printable(&text(&out, table.as_ref(), lang)).into_owned());
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the table beside its place, then there: a file that was there stays until all is
/// written. An empty file is a table of nothing.
fn clean(
    file: &Path,
    out: &Path,
    output: Output,
    options: &ReadOptions,
) -> Result<Option<Table>, Failure> {
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut kept = tempfile::NamedTempFile::new_in(folder).map_err(|e| unwritable(out, &e))?;
    let empty = std::fs::metadata(file).is_ok_and(|about| about.is_file() && about.len() == 0);
    let empty = empty && matches!(output, Output::Csv | Output::NdJson);
    let mut table = None;
    if !empty {
        let input = analyze::Table::open(file)?;
        let mut writer = BufWriter::new(&mut kept);
        let source = Source::File(input.path.clone());
        table =
            Some(read::clean(source, options, output, &mut writer, &Unwatched).map_err(failure)?);
        writer.flush().map_err(|e| unwritable(out, &e))?;
    }
    kept.persist(out).map_err(|e| unwritable(out, &e.error))?;
    Ok(table)
}

fn failure(error: AnalysisError) -> Failure {
    let kind = match error {
        AnalysisError::BadInput(_) => Kind::BadInput,
        AnalysisError::BadOption(_) => Kind::Usage,
        _ => Kind::Internal,
    };
    Failure::of(kind, &error)
}

fn document(file: &Path, out: &Path, table: Option<&Table>, lang: Lang) -> Value {
    let (file, out) = (file.display().to_string(), out.display().to_string());
    let Some(table) = table else {
        return json!({ "file": file, "out": out, "rows": 0, "columns": [], "notes": [] });
    };
    let column = |column: &potluck_analysis::table::Column| json!({ "name": column.name, "type": column.kind.name() });
    let mended = |row: &potluck_analysis::table::MendedRow| json!({ "line": row.line, "done": row.how.name() });
    json!({
        "file": file,
        "out": out,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "format": table.format.name(),
        "sheet": table.sheet,
        "header": !table.notes.contains(&Note::NoHeader),
        "rows": table.rows,
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
        "bad_rows": table.bad_rows.count,
        "mended_rows": { "count": table.mended.count,
            "first": table.mended.first.iter().map(mended).collect::<Vec<_>>() },
        "notes": report::sentences(table, lang),
    })
}

fn text(out: &Path, table: Option<&Table>, lang: Lang) -> String {
    let out = out.display().to_string();
    let (rows, columns) = table.map_or((0, 0), |table| (table.rows, table.columns.len()));
    let mut lines = vec![words::table(lang, out, rows, columns)];
    let sentences = table.map(|table| report::sentences(table, lang)).unwrap_or_default();
    lines.extend(sentences.into_iter().map(|sentence| format!("  ! {sentence}")));
    lines.join("\n")
}
