//! `potluck analyze`: a table in, a folder with a report out.

mod text;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use potluck_analysis::{
    Lang, Numbers,
    charts::{ChartKind, Theme},
    cloud::Shape,
    report::comparison,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Common, Failure, Kind,
    ask::peer,
    files::input_file,
    host::Host,
    output::{Output, printable},
    reading::Reading,
    words, wrong,
};
use crate::{
    client::{Call, CallInput, Reply},
    protocol,
    service::Progress,
    services::analyze::{
        Request, Response,
        report::{self, NUMBERS, ReportError},
        small_mask,
    },
};

/// Unless --timeout says otherwise.
const PATIENCE: Duration = Duration::from_secs(600);

/// The options of `analyze`.
#[derive(Debug, Args)]
pub struct Analyze {
    /// The table: CSV and the like, .xlsx, .xls, .ods, Parquet, Arrow, JSON; also compressed with gzip or zstd; - reads
    /// from a pipe; a second one is compared with the first
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    files: Vec<PathBuf>,
    /// Where the report goes [default: FILE-report beside you]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// These charts only: heatmap, scatter, distributions, missing, skew, categories, trends, cloud
    #[arg(long, value_name = "CHART", value_delimiter = ',')]
    only: Vec<String>,
    /// The text column that the word cloud is made of [default: the one with the most words]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// A number column by which the words of the cloud are sized [default: how often they come]
    #[arg(long, value_name = "NAME")]
    weight: Option<String>,
    /// A column by whose values the number columns are split
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// What the word cloud fills: a picture, or rectangle, circle, ellipse, heart, star, cloud, diamond
    #[arg(long, value_name = "FILE|SHAPE")]
    mask: Option<String>,
    /// Another seed places the words differently
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    reading: Reading,
    /// Charts as pictures for paper or for dark screens: light or dark; the page has both
    #[arg(long, default_value = "light")]
    theme: String,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

impl Analyze {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let only = peer(self.peer.as_deref())?;
        let lang = output.lang();
        let files: Vec<&Path> = self.files.iter().map(PathBuf::as_path).collect();
        let out = self.out.clone().unwrap_or_else(|| default_folder(&files));
        let requests =
            files.iter().map(|file| self.request(file, lang)).collect::<Result<Vec<_>, _>>()?;
        let tables = files.iter().map(|file| Table::open(file)).collect::<Result<Vec<_>, _>>()?;
        // Before anybody works for nothing.
        let folder = Folder::make(&out).map_err(|e| unwritable(&out, &e))?;
        let outs = match files.as_slice() {
            [_] => vec![out.clone()],
            _ => vec![out.join("first"), out.join("second")],
        };
        let host = Host::find(common, &["analyze/1"]).await?;
        let mut reports = Vec::new();
        for ((request, table), out) in requests.iter().zip(&tables).zip(&outs) {
            match analyzed(request, table, out, only, (&host, common, output)).await {
                Ok(report) => reports.push(report),
                Err(failure) => {
                    host.leave().await;
                    return Err(failure);
                }
            }
        }
        host.leave().await;
        folder.keep();
        match reports.as_slice() {
            [report] if output.is_json() => {
                output.print(&document(files[0], &out, report)?, String::new);
            }
            [Report { files, response, reply }] => {
                output.say(&text::text(&out, files, response, reply, lang));
            }
            reports => compared(&files, &outs, &out, reports, output)?,
        }
        for report in &reports {
            output.explain(&report.reply.route);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is asked. Names that cannot be right are said here, before a node is looked for.
    fn request(&self, file: &Path, lang: Lang) -> Result<Request, Failure> {
        for name in &self.only {
            name.parse::<ChartKind>().map_err(Failure::usage)?;
        }
        self.theme.parse::<Theme>().map_err(Failure::usage)?;
        let said = self.reading.said()?;
        let text = |character: Option<char>| character.map(String::from);
        let (shape, mask) = match &self.mask {
            None => (None, None),
            Some(text) if text.parse::<Shape>().is_ok() => (Some(text.clone()), None),
            Some(text) => {
                let small = small_mask(Path::new(text));
                let bad = |error| Failure::new(Kind::BadInput, format!("{error}"));
                (None, Some(small.map_err(bad)?))
            }
        };
        let name = match file.file_name() {
            Some(name) if !is_pipe(file) => name.to_string_lossy().into_owned(),
            _ => "-".to_owned(),
        };
        Ok(Request {
            file: Some(name),
            lang: Some(lang.code().into()),
            only: (!self.only.is_empty()).then(|| self.only.clone()),
            column: self.column.clone(),
            weight: self.weight.clone(),
            group: self.group.clone(),
            shape,
            mask: mask.map(serde_bytes::ByteBuf::from),
            encoding: self.reading.encoding.clone(),
            delimiter: text(said.delimiter),
            quote: text(said.quote),
            escape: text(said.escape),
            header: said.header,
            header_lines: self.reading.header_lines,
            skip_lines: self.reading.skip_lines,
            table: self.reading.table,
            sheet: self.reading.sheet.clone(),
            dates: said.dates.and(self.reading.dates.clone()),
            no_totals: self.reading.no_totals,
            theme: Some(self.theme.clone()),
            seed: self.seed,
            font: true,
        })
    }
}

/// The input as a file: what comes from a pipe is kept in one.
pub(super) struct Table {
    pub(super) path: PathBuf,
    _temporary: Option<tempfile::TempPath>,
}

impl Table {
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        if !is_pipe(file) {
            return Ok(Self { path: input_file(file)?, _temporary: None });
        }
        let kept = tempfile::NamedTempFile::new().and_then(|mut kept| {
            io::copy(&mut io::stdin().lock(), &mut kept)?;
            kept.flush()?;
            Ok(kept.into_temp_path())
        });
        let failed = |e| Failure::new(Kind::BadInput, wrong::pipe(&e));
        let kept = kept.map_err(failed)?;
        if std::fs::metadata(&kept).is_ok_and(|meta| meta.len() == 0) {
            return Err(Failure::new(Kind::BadInput, wrong::pipe_empty()));
        }
        Ok(Self { path: kept.to_path_buf(), _temporary: Some(kept) })
    }
}

pub(super) fn is_pipe(file: &Path) -> bool {
    file == Path::new("-")
}

fn default_folder(files: &[&Path]) -> PathBuf {
    let stems: Vec<String> = files.iter().map(|file| stem(file)).collect();
    PathBuf::from(match stems.as_slice() {
        [one] => format!("{one}-report"),
        stems => format!("{}-comparison", stems.join("-")),
    })
}

/// The name of a table without its endings.
fn stem(file: &Path) -> String {
    let name = match file.file_name() {
        Some(name) if !is_pipe(file) => name.to_string_lossy().into_owned(),
        _ => "table".to_owned(),
    };
    let unpacked = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    Path::new(unpacked).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A report that came back, and was written.
struct Report {
    files: Vec<String>,
    response: Response,
    reply: Reply,
}

/// Has a table analysed, and writes the report.
async fn analyzed(
    request: &Request,
    table: &Table,
    out: &Path,
    only: Option<libp2p::PeerId>,
    (host, common, output): (&Host, &Common, &Output),
) -> Result<Report, Failure> {
    let (progress, news) = mpsc::channel(32);
    let call = Call {
        capability: "analyze/1".into(),
        variant: None,
        args: protocol::encode(request).map_err(Failure::internal)?,
        input: Some(CallInput::File(table.path.clone())),
        timeout: common.timeout.unwrap_or(PATIENCE),
        only,
        progress: Some(progress),
    };
    let telling = tokio::spawn(tell(news, output.bar(100)));
    let reply = host.call(call).await;
    let _ = telling.await;
    let reply = reply?;
    let response: Response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
    let files = report::unpack(reply.data.as_ref(), out)?.files;
    Ok(Report { files, response, reply })
}

/// What is different in the second table: as a page, and for programs.
fn compared(
    files: &[&Path],
    outs: &[PathBuf],
    out: &Path,
    reports: &[Report],
    output: &Output,
) -> Result<(), Failure> {
    let numbers = outs.iter().map(|out| numbers(out)).collect::<Result<Vec<_>, _>>()?;
    let [one, other] = numbers.as_slice() else { return Ok(()) };
    let (page, lang) = (out.join(COMPARISON), output.lang());
    std::fs::write(&page, comparison([one, other], lang)).map_err(|e| unwritable(&page, &e))?;
    let document = json!({
        "out": out.display().to_string(),
        "files": [COMPARISON],
        "comparison": potluck_analysis::report::compared([one, other]),
        "reports": files.iter().zip(outs).zip(reports)
            .map(|((file, out), report)| document(file, out, report))
            .collect::<Result<Vec<_>, _>>()?,
    });
    output.print(&document, || printable(&text::compared(&page, [one, other], lang)).into_owned());
    Ok(())
}

/// The page that compares two tables.
const COMPARISON: &str = "comparison.html";

/// Where the report goes. A folder that was made for it goes again when there is no report.
struct Folder {
    made: Option<PathBuf>,
}

impl Folder {
    fn make(out: &Path) -> io::Result<Self> {
        let made = !out.exists();
        std::fs::create_dir_all(out)?;
        Ok(Self { made: made.then(|| out.to_owned()) })
    }

    fn keep(mut self) {
        self.made = None;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(made) = &self.made {
            // What is not empty stays.
            let _ = std::fs::remove_dir(made);
        }
    }
}

async fn tell(mut news: mpsc::Receiver<Progress>, bar: indicatif::ProgressBar) {
    while let Some(Progress { percent, note }) = news.recv().await {
        bar.set_position(u64::from(percent));
        bar.set_message(printable(&note).into_owned());
    }
    bar.finish_and_clear();
}

pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Kind::Usage, wrong::unwritable_out(path, error))
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match &error {
            ReportError::Broken(_) => Self::new(Kind::PeerFailed, error.to_string()),
            ReportError::Unwritable { path, source } => unwritable(path, source),
        }
    }
}

/// The numbers of a report that was written.
fn numbers(out: &Path) -> Result<Numbers, Failure> {
    let numbers = std::fs::read(out.join(NUMBERS)).map_err(Failure::internal)?;
    serde_json::from_slice(&numbers).map_err(|e| Failure::unreadable(&e))
}

fn document(file: &Path, out: &Path, report: &Report) -> Result<Value, Failure> {
    let Report { files, response, reply } = report;
    Ok(json!({
        "file": file.display().to_string(),
        "out": out.display().to_string(),
        "files": files,
        "rows": response.rows,
        "columns": response.columns,
        "numbers": numbers(out)?,
        "served_by": reply.served_by,
        "route": reply.route,
        "milliseconds": reply.milliseconds,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_called_after_the_table() {
        let table = [
            ("a/b/sales.csv", "sales-report"),
            ("sales.csv.gz", "sales-report"),
            ("x.tsv.zst", "x-report"),
            ("-", "table-report"),
            ("x", "x-report"),
        ];
        for (file, folder) in table {
            assert_eq!(default_folder(&[Path::new(file)]), Path::new(folder));
        }
        let two = [Path::new("a/x.csv"), Path::new("y.xlsx")];
        assert_eq!(default_folder(&two), Path::new("x-y-comparison"));
    }

    #[test]
    fn a_folder_made_for_nothing_goes_again() {
        let all = tempfile::tempdir().expect("a folder");
        let (kept, gone) = (all.path().join("kept"), all.path().join("gone"));
        Folder::make(&kept).expect("made").keep();
        drop(Folder::make(&gone).expect("made"));
        drop(Folder::make(&kept).expect("there"));
        assert_eq!((kept.exists(), gone.exists()), (true, false));
    }
}
