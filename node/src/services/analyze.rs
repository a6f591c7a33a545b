//! `analyze/1`: a table in, a report out.

mod mask;
pub mod report;

pub use mask::{MaskError, small as small_mask};

use std::{
    io::{Cursor, Write},
    path::Path,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use jiff::Zoned;
use potluck_analysis::{
    AnalysisError, Lang, Stage, Watch,
    charts::{ChartKind, Theme},
    cloud::{Mask, Shape},
    job,
    read::{ReadOptions, Source},
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Section, between},
    protocol::{Fault, FaultKind, Repeat},
    say::{Say as _, reasons},
    service::{Capability, Context, Data, Example, Kind, MakeError, Offered, Service, Standing},
};

/// Tables that are analysed at once; each may take the memory of the settings.
const SLOTS: u16 = 1;
/// Longest text in a request, in bytes.
const MAX_TEXT: usize = 4096;
/// So many times the largest table may a packed one have, once it is unpacked.
const UNPACKED: u64 = 8;
/// Bytes of a report that is not worth a file.
const ARCHIVE_IN_MEMORY: usize = 32 << 20;
/// Lines of a header that can be asked for.
pub const MOST_HEADER_LINES: u64 = 5;
/// Lines above a header that can be asked for.
pub const MOST_SKIPPED: u64 = 10_000;
/// Tables of a file that can be asked for.
pub const MOST_TABLES: u64 = 1000;
/// Largest mask, in bytes: a small picture does, since words are coarse.
pub const MAX_MASK: usize = 48 * 1024;

/// What is asked; the table is the call's input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {
    /// Name of the file, for the report.
    #[serde(default)]
    pub file: Option<String>,
    /// `en` or `zh`.
    #[serde(default)]
    pub lang: Option<String>,
    /// These charts only: `heatmap`, `scatter`, `distributions`, `missing`, `skew`, `categories`,
    /// `trends`, `cloud`.
    #[serde(default)]
    pub only: Option<Vec<String>>,
    /// The text column of the word cloud.
    #[serde(default)]
    pub column: Option<String>,
    /// A number column by which the words of the cloud are sized.
    #[serde(default)]
    pub weight: Option<String>,
    /// A column by whose values the number columns are split.
    #[serde(default)]
    pub group: Option<String>,
    /// The name of a shape that the word cloud fills.
    #[serde(default)]
    pub shape: Option<String>,
    /// A picture whose dark or opaque parts the word cloud fills, at most 48 KiB.
    #[serde(default)]
    pub mask: Option<ByteBuf>,
    /// A label as of the WHATWG Encoding Standard; found out otherwise.
    #[serde(default)]
    pub encoding: Option<String>,
    /// One character; found out otherwise.
    #[serde(default)]
    pub delimiter: Option<String>,
    /// Around fields, one character; found out otherwise.
    #[serde(default)]
    pub quote: Option<String>,
    /// Before quotes that belong to a field, one character; found out otherwise.
    #[serde(default)]
    pub escape: Option<String>,
    /// Whether the first row names the columns; found out otherwise.
    #[serde(default)]
    pub header: Option<bool>,
    /// Lines of the header, at most 5, or 0 for none; found out otherwise.
    #[serde(default)]
    pub header_lines: Option<u64>,
    /// Lines above the header, at most 10,000; found out otherwise.
    #[serde(default)]
    pub skip_lines: Option<u64>,
    /// Which of several tables in the file, from 1 to 1000; the first otherwise.
    #[serde(default)]
    pub table: Option<u64>,
    /// Of a workbook, which sheet: its name, or its number from 1; the first with a table otherwise.
    #[serde(default)]
    pub sheet: Option<String>,
    /// Leave out a last row that sums the others.
    #[serde(default)]
    pub no_totals: bool,
    /// The order of day and month where the dates do not say it: `dmy` or `mdy`.
    #[serde(default)]
    pub dates: Option<String>,
    /// Of charts as pictures: `light` or `dark`; the page has both.
    #[serde(default)]
    pub theme: Option<String>,
    /// Whether the page may carry a font, which askers before this option refuse.
    #[serde(default)]
    pub font: bool,
    /// The same seed gives the same word cloud.
    #[serde(default)]
    pub seed: u64,
}

/// What came of it. The files come as the answer's data, a tar archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// Rows without the header.
    pub rows: u64,
    /// Columns.
    pub columns: u64,
    /// What a person should look at first, a sentence each.
    pub alerts: Vec<String>,
    /// Names of the files in the archive: `report.html`, `numbers.json` and the charts.
    pub files: Vec<String>,
}

/// The `[analyze]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Memory for one table in MiB, 64 to 1048576; what is more goes to temporary files. Bounds
    /// the rows, too: about 52,000 for each MiB. Default: 400.
    #[serde(deserialize_with = "between::<_, _, 64, 1_048_576>")]
    pub memory_mib: u64,
    /// The largest table in MiB, 1 to 1048576. Default: 4096.
    #[serde(deserialize_with = "between::<_, _, 1, 1_048_576>")]
    pub max_input_mib: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_mib: 400, max_input_mib: 4096 }
    }
}

impl Section for Options {
    const NAME: &'static str = "analyze";
    const TEMPLATE: &'static str = r#"# Memory for one table, in MiB; what is more goes to temporary files. 64 to 1048576.
#memory_mib = 400

# The largest table, in MiB. 1 to 1048576.
#max_input_mib = 4096"#;
}

/// How tables are analysed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This node's name, for the report.
    pub node: String,
    /// Bytes of memory for one table, as far as the analysis can know.
    pub memory: u64,
    /// Threads of one analysis.
    pub threads: usize,
    /// The largest table, in bytes.
    pub max_input: u64,
}

/// How this node analyses tables.
pub fn settings(config: &Config) -> Settings {
    let options: Options = config.section();
    Settings {
        node: config.name.clone(),
        memory: options.memory_mib << 20,
        threads: super::threads(config),
        max_input: options.max_input_mib << 20,
    }
}

/// Tables.
pub struct Analyze {
    settings: Settings,
    /// Calls a second, set when it is measured.
    speed: Arc<OnceLock<f32>>,
}

impl Analyze {
    /// Starts measuring the speed on a thread of its own.
    pub fn new(settings: Settings) -> Self {
        let speed = Arc::new(OnceLock::new());
        let (cell, threads) = (speed.clone(), settings.threads);
        std::thread::spawn(move || {
            let _ = cell.set(super::loading::alone(|| measure(threads)));
        });
        Self { settings, speed }
    }
}

impl Offered for Analyze {
    const NAME: &'static str = "analyze/1";
    type Options = Options;

    fn make(config: &Config, _: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::new(settings(config)))
    }
}

impl Service for Analyze {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "analyze/1",
            summary: "a table in (CSV, Excel, Parquet, JSON and more), a report with charts and numbers out",
            input: Kind::Table,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        Some(Standing {
            device: "cpu".into(),
            engine: String::new(),
            call_ms: 1000.0 * f32::from(SLOTS) / self.speed.get()?,
            slots: SLOTS,
            variants: vec![],
        })
    }

    fn loading(&self) -> bool {
        self.speed.get().is_none()
    }

    fn max_input(&self) -> Option<u64> {
        Some(self.settings.max_input)
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        let Some(input) = cx.input().cloned() else {
            return Err(Fault::bad_input(reasons::call_without_table()));
        };
        let options = options(request, &self.settings)?;
        let watching = Watching { cancel: cx.cancelled().clone(), teller: cx.teller() };
        let (response, archive) = cx
            .blocking(move || {
                let source = match &input {
                    Data::Bytes(bytes) => Source::Stream(Box::new(Cursor::new(bytes.clone()))),
                    _ => Source::File(input.path().unwrap_or_else(|| "".as_ref()).to_owned()),
                };
                let done = job::analyze(source, &options, &watching).map_err(|e| fault(&e))?;
                let files = done.files();
                let response = Response {
                    rows: done.numbers.rows,
                    columns: done.numbers.columns.len() as u64,
                    alerts: done
                        .numbers
                        .alerts
                        .iter()
                        .take(100)
                        .map(|a| a.detail.clone())
                        .collect(),
                    files: files.iter().map(|(name, _)| name.clone()).collect(),
                };
                let archive = archive(&files)
                    .map_err(|e| Fault::internal(format!("the report cannot be kept: {e}")))?;
                Ok((response, archive))
            })
            .await?;
        cx.attach(archive);
        Ok(response)
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![Example {
            request: Request { file: Some("example.csv".into()), ..Request::default() },
            input: Some(b"city,people\nBeijing,21.9\nShanghai,24.9\nGuangzhou,18.8\n".to_vec()),
            check: |answer| match (&answer["rows"], &answer["columns"]) {
                (rows, columns) if rows == 3 && columns == 2 => Ok(()),
                _ => Err(format!("not three rows of two columns: {answer}")),
            },
        }]
    }
}

/// Checks a request. What is wrong is said before anything is read.
fn options(request: Request, settings: &Settings) -> Result<job::Options, Fault> {
    let texts =
        [&request.file, &request.column, &request.encoding, &request.delimiter, &request.quote];
    let texts =
        texts.into_iter().chain([&request.escape, &request.sheet, &request.weight, &request.group]);
    if texts.flatten().any(|text| text.len() > MAX_TEXT) {
        return Err(Fault::bad_input(format!("a name is longer than {MAX_TEXT} bytes")));
    }
    for (what, number, least, most) in [
        ("header_lines", request.header_lines, 0, MOST_HEADER_LINES),
        ("skip_lines", request.skip_lines, 0, MOST_SKIPPED),
        ("table", request.table, 1, MOST_TABLES),
    ] {
        if number.is_some_and(|number| !(least..=most).contains(&number)) {
            return Err(Fault::bad_input(format!("{what} is a number from {least} to {most}")));
        }
    }
    let bad = |e: AnalysisError| Fault::bad_input(e.reason());
    let lang = request.lang.as_deref().map(str::parse::<Lang>).transpose();
    let lang = lang.map_err(|e| Fault::bad_input(e.to_string()))?;
    let only = request
        .only
        .map(|names| names.iter().map(|name| name.parse()).collect::<Result<Vec<ChartKind>, _>>())
        .transpose()
        .map_err(bad)?;
    let theme = request.theme.as_deref().map(str::parse::<Theme>).transpose().map_err(bad)?;
    let mask = match (request.mask, request.shape) {
        (Some(picture), _) if picture.len() > MAX_MASK => {
            return Err(Fault::bad_input(reasons::mask_bytes(picture.len(), MAX_MASK)));
        }
        (Some(picture), _) => Mask::Picture(picture.into_vec()),
        (None, Some(shape)) => Mask::Shape(shape.parse::<Shape>().map_err(bad)?),
        (None, None) => Mask::default(),
    };
    let dates = request.dates.as_deref().map(str::parse).transpose().map_err(bad)?;
    let said = "the delimiter is one character, such as ; or |";
    let delimiter = one_character(request.delimiter.as_deref(), said)?;
    let quote = "the quote is one character, such as \" or '";
    let quote = one_character(request.quote.as_deref(), quote)?;
    let escape = "the escape is one character, such as \\";
    let escape = one_character(request.escape.as_deref(), escape)?;
    Ok(job::Options {
        read: ReadOptions {
            name: request.file,
            encoding: request.encoding,
            delimiter,
            quote,
            escape,
            header: request.header,
            header_lines: request.header_lines,
            skip_lines: request.skip_lines,
            table: request.table,
            sheet: request.sheet,
            dates,
            no_totals: request.no_totals,
            memory: settings.memory,
            // What is packed may be larger than what travels, but not without bound.
            max_content: settings.max_input.saturating_mul(UNPACKED),
            threads: settings.threads.max(1),
            ..ReadOptions::default()
        },
        lang: lang.unwrap_or_default(),
        only,
        column: request.column,
        weight: request.weight,
        group: request.group,
        mask,
        theme: theme.unwrap_or_default(),
        seed: request.seed,
        font: request.font,
        made_at: Some(Zoned::now().strftime("%Y-%m-%d %H:%M %:z").to_string()),
        served_by: Some(settings.node.clone()),
        ..job::Options::default()
    })
}

/// The only character of a text.
fn one_character(text: Option<&str>, otherwise: &str) -> Result<Option<char>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(Some(one)),
        _ => Err(Fault::bad_input(otherwise)),
    }
}

/// Tells the caller how far the analysis is, and stops it when the caller went away.
struct Watching {
    cancel: CancellationToken,
    teller: crate::service::Teller,
}

impl Watch for Watching {
    fn stage(&self, stage: Stage, done: f32) {
        let (from, to, note) = match stage {
            Stage::Reading => (0.0, 45.0, "reading"),
            Stage::Counting => (45.0, 75.0, "counting"),
            Stage::Drawing => (75.0, 95.0, "drawing"),
            Stage::Writing => (95.0, 100.0, "writing"),
        };
        let percent = from + (to - from) * done.clamp(0.0, 1.0);
        self.teller.progress(percent as u8, note);
    }

    fn cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// The files as a tar archive: in memory, or on disk when it is large.
fn archive(files: &[(String, std::borrow::Cow<'_, [u8]>)]) -> std::io::Result<Data> {
    let size: usize = files.iter().map(|(_, bytes)| bytes.len() + 1024).sum();
    if size <= ARCHIVE_IN_MEMORY {
        return Ok(Data::Bytes(tar(files, Vec::with_capacity(size + 1024))?.into()));
    }
    let file = tar(files, std::io::BufWriter::new(tempfile::NamedTempFile::new()?))?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    let size = file.as_file().metadata()?.len();
    Ok(Data::Blob { path: Arc::new(file.into_temp_path()), size })
}

fn tar<W: Write>(files: &[(String, std::borrow::Cow<'_, [u8]>)], to: W) -> std::io::Result<W> {
    let mut tar = tar::Builder::new(to);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..])?;
    }
    tar.into_inner()
}

fn fault(error: &AnalysisError) -> Fault {
    let kind = match error {
        AnalysisError::BadInput(_) | AnalysisError::BadOption(_) => FaultKind::BadInput,
        AnalysisError::Cancelled => FaultKind::Cancelled,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.reason())
}

/// Analyses a second, of a small table and without pictures: what nodes are compared by.
fn measure(threads: usize) -> f32 {
    let mut table = String::from("a,b,c\n");
    for row in 0..2000u32 {
        let noise = row.wrapping_mul(2_654_435_761) >> 16;
        table.push_str(&format!("{row},{}.{},{}\n", noise % 997, row % 10, noise % 7));
    }
    let table: Arc<[u8]> = table.into_bytes().into();
    let options = job::Options {
        read: ReadOptions { threads: threads.max(1), ..ReadOptions::default() },
        only: Some(vec![ChartKind::Skew]),
        png: false,
        ..job::Options::default()
    };
    let started = Instant::now();
    let mut done = 0u16;
    while done == 0 || (started.elapsed() < Duration::from_millis(5) && done < 1000) {
        let source = Source::Stream(Box::new(Cursor::new(table.clone())));
        if job::analyze(source, &options, &potluck_analysis::Unwatched).is_err() {
            break;
        }
        done += 1;
    }
    f32::from(done.max(1)) / started.elapsed().as_secs_f32().max(1e-3)
}
