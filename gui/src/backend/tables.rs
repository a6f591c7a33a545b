//! Tables: a look at the beginning here, the analysis anywhere in the mesh, the report in a folder of this computer.

mod head;

pub use head::{Head, Reading, Seen, clean, look};

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::{SinkExt as _, Stream, channel::mpsc};
use potluck::{
    client::{Call, CallFailure, FailureKind, RouteHop, Served, decode, encode},
    say::{Reason, Say as _},
    services::analyze::{Request, Response, report},
};
use potluck_analysis::Numbers;
use tempfile::TempDir;

use super::{
    Backend,
    files::{Source, Unread},
};

/// Letters of a cell, a name, a sentence that are kept: names come from other computers.
const CELL: usize = 200;
const SENTENCE: usize = 600;
/// For one table.
const PATIENCE: Duration = Duration::from_secs(600);
/// Steps that wait to be shown.
const STEPS: usize = 8;

/// What the word cloud is made of, and what it fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cloud {
    /// The text column.
    pub column: Option<String>,
    /// What it fills.
    pub mask: Mask,
    /// Another seed places the words differently.
    pub seed: u64,
}

/// What the word cloud fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mask {
    /// The whole picture.
    #[default]
    All,
    /// A shape, by its name.
    Shape(&'static str),
    /// The dark parts of a picture.
    Picture(PathBuf),
}

/// How an analysis goes.
#[derive(Debug, Clone)]
pub enum Step {
    /// So far, 0 to 100, and what is being done.
    Progress(u8, Stage),
    /// It ended.
    Done(Result<Analysis, NoReport>),
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The table is on its way, or waits for a turn.
    Sending,
    /// It is read.
    Reading,
    /// It is counted.
    Counting,
    /// Charts are drawn.
    Drawing,
    /// The report is written.
    Writing,
}

/// Why there is no report.
#[derive(Debug, Clone)]
pub enum NoReport {
    /// The mesh gave none.
    Mesh(CallFailure),
    /// The file or the mask is not one.
    File(Unread),
    /// One came that cannot be used.
    Odd(String),
}

/// A report in its folder, which goes when nobody has it any more.
#[derive(Debug, Clone)]
pub struct Analysis {
    folder: Arc<TempDir>,
    /// The numbers.
    pub numbers: Arc<Numbers>,
    /// The charts, in the order of the report.
    pub charts: Vec<Chart>,
    files: Vec<String>,
    /// Who did the work.
    pub served_by: Served,
    /// Who was tried, in order.
    pub route: Vec<RouteHop>,
    /// From question to answer.
    pub milliseconds: u64,
}

/// A chart of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The name of its files without the ending.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// The place of the column that it is about, where it is about one.
    pub column: Option<usize>,
}

impl Chart {
    /// The name of its picture.
    pub fn picture(&self) -> String {
        format!("{}.png", self.name)
    }
}

impl Analysis {
    /// The report that was put into this folder.
    pub fn of(
        folder: TempDir,
        report: report::Report,
        (served_by, route, milliseconds): (Served, Vec<RouteHop>, u64),
    ) -> Result<Self, String> {
        let numbers = std::fs::read(folder.path().join(report::NUMBERS));
        let numbers = numbers.map_err(|error| error.to_string())?;
        let numbers = serde_json::from_slice(&numbers).map_err(|error| error.to_string())?;
        let numbers = believed(numbers);
        Ok(Self {
            folder: Arc::new(folder),
            charts: charts(&report, &numbers),
            numbers: Arc::new(numbers),
            files: report.files,
            served_by,
            route,
            milliseconds,
        })
    }

    /// A file of the report.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The page.
    pub fn page(&self) -> PathBuf {
        self.file(report::PAGE)
    }

    /// Copies all files into a folder, which is made if need be.
    pub async fn save(self, to: PathBuf) -> Result<PathBuf, Reason> {
        let copied = tokio::task::spawn_blocking(move || {
            let to = std::path::absolute(to)?;
            std::fs::create_dir_all(&to)?;
            for name in &self.files {
                std::fs::copy(self.file(name), to.join(name))?;
            }
            Ok::<_, std::io::Error>(to)
        });
        let copied = copied.await.map_err(|error| error.to_string())?;
        copied.map_err(|error| error.reason())
    }
}

/// The first line of a text, of at most so many letters.
fn short(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

impl Backend {
    /// Has a table analysed by the mesh. Dropping the stream stops the work everywhere.
    pub fn analyze(
        self,
        source: Source,
        request: Request,
        mask: Option<PathBuf>,
    ) -> impl Stream<Item = Step> {
        iced::stream::channel(STEPS, async move |mut out: mpsc::Sender<Step>| {
            let done = self.report(source, request, mask, out.clone()).await;
            let _ = out.send(Step::Done(done)).await;
        })
    }

    async fn report(
        self,
        source: Source,
        mut request: Request,
        mask: Option<PathBuf>,
        mut out: mpsc::Sender<Step>,
    ) -> Result<Analysis, NoReport> {
        if let Some(picture) = mask {
            request.mask = Some(small(picture).await?.into());
        }
        let broken = |message: String| CallFailure {
            kind: FailureKind::PeerFailed,
            message: message.into(),
            route: Vec::new(),
        };
        let args = encode(&request).map_err(|error| NoReport::Mesh(broken(error.to_string())))?;
        let (progress, mut steps) = tokio::sync::mpsc::channel(STEPS);
        let call = Call {
            capability: "analyze/1".to_owned(),
            variant: None,
            args,
            input: Some(source.input()),
            timeout: PATIENCE,
            only: None,
            progress: Some(progress),
        };
        let asked = self.client.call(call);
        tokio::pin!(asked);
        let reply = loop {
            tokio::select! {
                reply = &mut asked => break reply.map_err(NoReport::Mesh)?,
                Some(step) = steps.recv() => {
                    // One that is not taken is followed by the next.
                    let _ = out.try_send(Step::Progress(step.percent, stage(&step.note)));
                }
            }
        };
        decode::<Response>(&reply.body).map_err(|error| NoReport::Odd(error.to_string()))?;
        let data = reply.data;
        let told = (reply.served_by, reply.route, reply.milliseconds);
        let unpacked = tokio::task::spawn_blocking(move || {
            let folder = TempDir::with_prefix("potluck-report-");
            let folder = folder.map_err(|error| error.to_string())?;
            let report = report::unpack(data.as_ref(), folder.path());
            Analysis::of(folder, report.map_err(|error| error.to_string())?, told)
        });
        let unpacked = unpacked.await.map_err(|error| NoReport::Odd(error.to_string()))?;
        unpacked.map_err(NoReport::Odd)
    }
}

/// What a peer says that it does.
fn stage(note: &str) -> Stage {
    match note {
        "reading" => Stage::Reading,
        "counting" => Stage::Counting,
        "drawing" => Stage::Drawing,
        "writing" => Stage::Writing,
        _ => Stage::Sending,
    }
}

async fn small(picture: PathBuf) -> Result<Vec<u8>, NoReport> {
    let small = tokio::task::spawn_blocking(move || {
        potluck::services::analyze::small_mask(&picture).map_err(|error| error.to_string())
    });
    let small = small.await.map_err(|error| NoReport::Odd(error.to_string()))?;
    small.map_err(|why| NoReport::File(Unread::NotIt(why)))
}

/// The numbers with texts that can be shown.
fn believed(mut numbers: Numbers) -> Numbers {
    for column in &mut numbers.columns {
        column.name = short(&column.name, CELL);
        column.top.truncate(10);
    }
    for alert in &mut numbers.alerts {
        alert.detail = short(&alert.detail, SENTENCE);
        alert.column = alert.column.take().map(|name| short(&name, CELL));
    }
    numbers.file = short(&numbers.file, CELL);
    numbers
}

/// The charts that came as pictures.
fn charts(report: &report::Report, numbers: &Numbers) -> Vec<Chart> {
    let names = report.files.iter().filter_map(|name| name.strip_suffix(".png"));
    let chart = |name: &str| {
        let title = report.titles.get(name).filter(|title| !title.trim().is_empty());
        let title = title.map_or_else(|| name.to_owned(), |title| short(title.trim(), CELL));
        let one = ["distribution-", "category-"].iter().any(|kind| name.starts_with(kind));
        // The title holds the name; of names that hold each other, the longest is meant.
        let columns = numbers.columns.iter().enumerate();
        let named = columns.filter(|(_, column)| one && title.contains(&column.name));
        let column = named.max_by_key(|(_, column)| column.name.len()).map(|(at, _)| at);
        Chart { name: name.to_owned(), title, column }
    };
    names.map(chart).collect()
}

/// The name of a table without its endings.
pub fn stem(name: &str) -> String {
    let unpacked = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let stem = Path::new(unpacked).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_belong_to_the_column_with_the_longest_name() {
        let column = |name: &str| potluck_analysis::numbers::ColumnNumbers {
            name: name.to_owned(),
            ..Default::default()
        };
        let mut report = report::Report::default();
        for (name, title) in [
            ("distribution-1-score", "Distribution of score"),
            ("distribution-2-math-score", "Distribution of math_score"),
            ("scatter-1", "score × math_score"),
        ] {
            report.files.push(format!("{name}.png"));
            report.titles.insert(name.to_owned(), title.to_owned());
        }
        let numbers = Numbers {
            file: String::new(),
            encoding: String::new(),
            delimiter: ',',
            rows: 0,
            bad_rows: 0,
            duplicate_rows: 0,
            columns: vec![column("math_score"), column("score")],
            correlation: Default::default(),
            alerts: Vec::new(),
        };
        let of: Vec<_> = charts(&report, &numbers).iter().map(|chart| chart.column).collect();
        assert_eq!(of, [Some(1), Some(0), None]);
    }

    #[test]
    fn tables_are_called_without_their_endings() {
        let stems = ["sales.csv.gz", "成绩单.csv", "x.tsv.zst", "x"].map(stem);
        assert_eq!(stems, ["sales", "成绩单", "x", "x"]);
    }
}
