//! `potluck analyze`: a CSV file in, a folder with a report out.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Component, Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use potluck_analysis::{Lang, Numbers, charts::ChartKind, cloud::Shape};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Common, Failure, Kind,
    ask::peer,
    files::{input_file, system_language},
    host::Host,
    output::Output,
};
use crate::{
    client::{Call, CallInput, Reply},
    protocol,
    service::{Data, Progress},
    services::analyze::{MAX_MASK, Request, Response},
};

/// Unless --timeout says otherwise.
const PATIENCE: Duration = Duration::from_secs(600);
/// Files of a report, and bytes of one of them, that are taken from a peer.
const MAX_FILES: usize = 4096;
const MAX_FILE: u64 = 256 << 20;
/// The longer side of a mask that travels, in pixels: words are coarse.
const MASK_SIDE: u32 = 480;
/// The largest mask file that is read, in bytes.
const MAX_MASK_FILE: u64 = 64 << 20;

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
    /// The encoding, such as utf-8, gb18030 or big5 [default: found out]
    #[arg(long)]
    encoding: Option<String>,
    /// Between the fields, such as ";" or tab [default: found out]
    #[arg(long)]
    delimiter: Option<String>,
    /// The language of the report: en or zh [default: that of the system]
    #[arg(long)]
    lang: Option<String>,
    /// Only this node may serve (its client id)
    #[arg(long, value_name = "CLIENT")]
    peer: Option<String>,
}

impl Analyze {
    pub(super) async fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let only = peer(self.peer.as_deref())?;
        let request = self.request()?;
        let table = Table::open(&self.file)?;
        let out = self.out.clone().unwrap_or_else(|| default_folder(&self.file));
        // Before anybody works for nothing.
        std::fs::create_dir_all(&out).map_err(|e| unwritable(&out, &e))?;
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
        let files = unpack(reply.data.as_ref(), &out)?;
        let document = document(&self.file, &out, &files, &response, &reply)?;
        output.print(&document, || text(&out, &files, &response, &reply));
        output.explain(&reply.route);
        Ok(ExitCode::SUCCESS)
    }

    /// What is asked. Names that cannot be right are said here, before a node is looked for.
    fn request(&self) -> Result<Request, Failure> {
        for name in &self.only {
            name.parse::<ChartKind>().map_err(Failure::usage)?;
        }
        let lang = match &self.lang {
            Some(text) => text.parse::<Lang>().map_err(Failure::usage)?,
            None => system_language(),
        };
        let delimiter = self.delimiter.as_deref().map(|text| match text {
            "tab" | "\\t" => "\t",
            other => other,
        });
        if delimiter.is_some_and(|text| text.chars().count() != 1) {
            return Err(Failure::usage("the delimiter is one character, such as ; or tab"));
        }
        let (shape, mask) = match &self.mask {
            None => (None, None),
            Some(text) if text.parse::<Shape>().is_ok() => (Some(text.clone()), None),
            Some(text) => (None, Some(small_mask(Path::new(text))?)),
        };
        let name = match self.file.file_name() {
            Some(name) if !is_pipe(&self.file) => name.to_string_lossy().into_owned(),
            _ => "-".to_owned(),
        };
        Ok(Request {
            file: Some(name),
            lang: Some(match lang {
                Lang::En => "en".into(),
                Lang::Zh => "zh".into(),
            }),
            only: (!self.only.is_empty()).then(|| self.only.clone()),
            column: self.column.clone(),
            shape,
            mask: mask.map(serde_bytes::ByteBuf::from),
            encoding: self.encoding.clone(),
            delimiter: delimiter.map(str::to_owned),
            seed: self.seed,
        })
    }
}

/// The input as a file: what comes from a pipe is kept in one.
struct Table {
    path: PathBuf,
    _temporary: Option<tempfile::TempPath>,
}

impl Table {
    fn open(file: &Path) -> Result<Self, Failure> {
        if !is_pipe(file) {
            return Ok(Self { path: input_file(file)?, _temporary: None });
        }
        let kept = tempfile::NamedTempFile::new().and_then(|mut kept| {
            io::copy(&mut io::stdin().lock(), &mut kept)?;
            kept.flush()?;
            Ok(kept.into_temp_path())
        });
        let failed = |e| Failure::new(Kind::BadInput, format!("the pipe cannot be read: {e}"));
        let kept = kept.map_err(failed)?;
        if std::fs::metadata(&kept).is_ok_and(|meta| meta.len() == 0) {
            return Err(Failure::new(Kind::BadInput, "nothing came through the pipe"));
        }
        Ok(Self { path: kept.to_path_buf(), _temporary: Some(kept) })
    }
}

fn is_pipe(file: &Path) -> bool {
    file == Path::new("-")
}

fn default_folder(file: &Path) -> PathBuf {
    let stem = match file.file_stem() {
        Some(stem) if !is_pipe(file) => stem.to_string_lossy().into_owned(),
        _ => "table".to_owned(),
    };
    PathBuf::from(format!("{stem}-report"))
}

/// A picture as a small PNG: words are coarse, and it travels inside the request.
fn small_mask(file: &Path) -> Result<Vec<u8>, Failure> {
    let name = file.display();
    let bad = |what: &dyn std::fmt::Display| {
        let shapes = Shape::ALL.map(|shape| shape.names().0).join(", ");
        let message = format!("the mask {name} {what}; take a picture, or one of {shapes}");
        Failure::new(Kind::BadInput, message)
    };
    let path = input_file(file).map_err(|e| bad(&format!("cannot be used: {e}")))?;
    let size = std::fs::metadata(&path).map_err(|e| bad(&e))?.len();
    if size > MAX_MASK_FILE {
        return Err(bad(&format!("has {} MiB", size >> 20)));
    }
    let mut reader = image::ImageReader::open(&path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|e| bad(&format!("cannot be read: {e}")))?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(20_000), Some(20_000));
    reader.limits(limits);
    let picture = reader.decode().map_err(|e| bad(&format!("is no picture: {e}")))?;
    let mut side = MASK_SIDE;
    loop {
        // Grey with opacity says all that a mask says.
        let small = picture.thumbnail(side, side).to_luma_alpha8();
        let mut png = io::Cursor::new(Vec::new());
        small.write_to(&mut png, image::ImageFormat::Png).map_err(|e| bad(&e))?;
        if png.get_ref().len() <= MAX_MASK {
            return Ok(png.into_inner());
        }
        side = side * 3 / 4;
    }
}

async fn tell(mut news: mpsc::Receiver<Progress>, bar: indicatif::ProgressBar) {
    while let Some(Progress { percent, note }) = news.recv().await {
        bar.set_position(u64::from(percent));
        bar.set_message(note);
    }
    bar.finish_and_clear();
}

/// Writes the files of a report. Their names come from a peer and choose no path: anything but a
/// plain name is left out.
fn unpack(data: Option<&Data>, out: &Path) -> Result<Vec<String>, Failure> {
    let broken =
        |e: io::Error| Failure::new(Kind::PeerFailed, format!("the report is broken: {e}"));
    let reader: Box<dyn io::Read> = match data {
        None => return Err(Failure::new(Kind::PeerFailed, "the answer came without a report")),
        Some(Data::Bytes(bytes)) => Box::new(&bytes[..]),
        Some(data) => Box::new(File::open(data.path().unwrap_or(out)).map_err(broken)?),
    };
    let mut files = Vec::new();
    let mut archive = tar::Archive::new(io::BufReader::new(reader));
    for entry in archive.entries().map_err(broken)?.take(MAX_FILES) {
        let entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let mut parts = path.components();
        let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else { continue };
        let Some(name) = name.to_str().filter(|name| is_plain(name)) else { continue };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let target = out.join(name);
        let mut file = File::create(&target).map_err(|e| unwritable(&target, &e))?;
        let copied = io::copy(&mut entry.take(MAX_FILE), &mut file);
        copied.map_err(|e| unwritable(&target, &e))?;
        files.push(name.to_owned());
    }
    Ok(files)
}

/// Letters, digits, `-` and `.` only, and no hidden file.
fn is_plain(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    !name.starts_with('.') && name.len() <= 100 && name.chars().all(fine)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message =
        format!("{} cannot be written: {error}; choose another place with -o", path.display());
    Failure::new(Kind::Usage, message)
}

fn document(
    file: &Path,
    out: &Path,
    files: &[String],
    response: &Response,
    reply: &Reply,
) -> Result<Value, Failure> {
    let numbers = File::open(out.join("numbers.json")).and_then(|file| {
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text)?;
        Ok(text)
    });
    let numbers: Numbers = serde_json::from_str(&numbers.map_err(Failure::internal)?)
        .map_err(|e| Failure::unreadable(&e))?;
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

fn text(out: &Path, files: &[String], response: &Response, reply: &Reply) -> String {
    let mut lines = vec![format!(
        "{} rows, {} columns; by {} in {} ms",
        response.rows, response.columns, reply.served_by.name, reply.milliseconds
    )];
    const SHOWN: usize = 8;
    lines.extend(response.alerts.iter().take(SHOWN).map(|alert| format!("  ! {alert}")));
    if response.alerts.len() > SHOWN {
        lines.push(format!("  … {} more in the report", response.alerts.len() - SHOWN));
    }
    let charts = files.iter().filter(|name| name.ends_with(".svg")).count();
    let report = out.join("report.html");
    lines.push(format!("{charts} charts and the numbers in {}", out.display()));
    lines.push(format!("open {}", report.display()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_peer_choose_no_path() {
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["report.html", "a/b.svg", "UPPER.svg", ".hidden", "x y.svg"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(2);
            tar.append_data(&mut header, name, &b"ok"[..]).expect("added");
        }
        // `append_data` refuses such names, so they are written into the header itself.
        for name in [&b"../evil.svg"[..], b"/tmp/evil.svg", b"..", b"a\\b.svg"] {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name);
            header.set_size(2);
            header.set_cksum();
            tar.append(&header, &b"no"[..]).expect("added");
        }
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        tar.append_link(&mut link, "link.svg", "/etc/passwd").expect("added");
        let bytes = tar.into_inner().expect("finished");
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        std::fs::create_dir(&out).expect("made");
        let files = unpack(Some(&Data::Bytes(bytes.into())), &out).expect("unpacked");
        assert_eq!(files, ["report.html"]);
        let left = |path: &Path| std::fs::read_dir(path).expect("listed").count();
        assert_eq!((left(&out), left(folder.path())), (1, 1));
    }

    #[test]
    fn folders_are_called_after_the_table() {
        let table = [("a/b/sales.csv", "sales-report"), ("-", "table-report"), ("x", "x-report")];
        for (file, folder) in table {
            assert_eq!(default_folder(Path::new(file)), Path::new(folder));
        }
    }
}
