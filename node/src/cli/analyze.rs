//! `potluck analyze`: a CSV file in, a folder with a report out.

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
    /// The table: CSV, TSV and the like, also compressed with gzip or zstd; - reads from a pipe
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the report goes [default: FILE-report beside you]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// These charts only: heatmap, scatter, distributions, missing, skew, categories, trends, cloud
    #[arg(long, value_name = "CHART", value_delimiter = ',')]
    only: Vec<String>,
    /// The text column that the word cloud is made of [default: the one with the most words]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
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
        let request = self.request(lang)?;
        let table = Table::open(&self.file)?;
        let out = self.out.clone().unwrap_or_else(|| default_folder(&self.file));
        // Before anybody works for nothing.
        let folder = Folder::make(&out).map_err(|e| unwritable(&out, &e))?;
        let (progress, news) = mpsc::channel(32);
        let call = Call {
            capability: "analyze/1".into(),
            variant: None,
            args: protocol::encode(&request).map_err(Failure::internal)?,
            input: Some(CallInput::File(table.path.clone())),
            timeout: common.timeout.unwrap_or(PATIENCE),
            only,
            progress: Some(progress),
        };
        let host = Host::find(common, &["analyze/1"]).await?;
        let telling = tokio::spawn(tell(news, output.bar(100)));
        let reply = host.call(call).await;
        let _ = telling.await;
        host.leave().await;
        let reply = reply?;
        let response: Response = protocol::decode(&reply.body).map_err(Failure::unreadable)?;
        let files = report::unpack(reply.data.as_ref(), &out)?.files;
        folder.keep();
        if output.is_json() {
            let document = document(&self.file, &out, &files, &response, &reply)?;
            output.print(&document, String::new);
        } else {
            output.say(&text::text(&out, &files, &response, &reply, lang));
        }
        output.explain(&reply.route);
        Ok(ExitCode::SUCCESS)
    }

    /// What is asked. Names that cannot be right are said here, before a node is looked for.
    fn request(&self, lang: Lang) -> Result<Request, Failure> {
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
        let name = match self.file.file_name() {
            Some(name) if !is_pipe(&self.file) => name.to_string_lossy().into_owned(),
            _ => "-".to_owned(),
        };
        Ok(Request {
            file: Some(name),
            lang: Some(lang.code().into()),
            only: (!self.only.is_empty()).then(|| self.only.clone()),
            column: self.column.clone(),
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
            dates: said.dates.and(self.reading.dates.clone()),
            theme: Some(self.theme.clone()),
            seed: self.seed,
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

fn default_folder(file: &Path) -> PathBuf {
    let name = match file.file_name() {
        Some(name) if !is_pipe(file) => name.to_string_lossy().into_owned(),
        _ => "table".to_owned(),
    };
    let unpacked = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let stem = Path::new(unpacked).file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!("{stem}-report"))
}

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

fn document(
    file: &Path,
    out: &Path,
    files: &[String],
    response: &Response,
    reply: &Reply,
) -> Result<Value, Failure> {
    let numbers = std::fs::read(out.join(NUMBERS)).map_err(Failure::internal)?;
    let numbers: Numbers = serde_json::from_slice(&numbers).map_err(|e| Failure::unreadable(&e))?;
    Ok(json!({
        "file": file.display().to_string(),
        "out": out.display().to_string(),
        "files": files,
        "rows": response.rows,
        "columns": response.columns,
        "numbers": numbers,
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
            assert_eq!(default_folder(Path::new(file)), Path::new(folder));
        }
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
