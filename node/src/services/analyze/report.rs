//! The report that came back: its files go into the folder that the person chose.
//!
//! A peer made them, so nothing is trusted: only names of a report are taken, no page or drawing
//! may hold what a report does not need (scripts, foreign addresses), and what was in the folder
//! stays until everything has arrived well.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
};

use roxmltree::{Document, Node, ParsingOptions};

use crate::{
    say::{Reason, Say, reasons},
    service::Data,
};

/// The page.
pub const PAGE: &str = "report.html";
/// The numbers of a report, for programs.
pub const NUMBERS: &str = "numbers.json";
/// How the names of charts begin.
const CHARTS: [&str; 8] =
    ["heatmap", "scatter-", "distribution-", "missing", "skew", "category-", "trend-", "cloud"];
/// Files of a report, and bytes of one of them.
const MAX_FILES: usize = 4096;
const MAX_FILE: u64 = 256 << 20;

/// Bytes of a page or a drawing, and elements in it.
const MAX_PAGE: usize = 64 << 20;
const MAX_ELEMENTS: u32 = 4_000_000;
/// What pages and drawings are made of.
const ELEMENTS: &str = " a article aside b bdi body br caption circle clipPath code dd defs desc \
    details div dl dt ellipse em figcaption figure footer g h1 h2 h3 h4 head header hr html i li \
    line main meta nav ol p path polygon polyline rect section small span strong style sub \
    summary sup svg table tbody td text tfoot th thead title tr tspan u ul ";

/// Letters of a title that are kept.
const MAX_TITLE: usize = 300;

/// Why there is no report although an answer came.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is not what a report may be.
    #[error("{}", reasons::report_broken(.0.clone()))]
    Broken(Reason),
    /// It cannot be kept here.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// Where it should go.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Say for ReportError {
    fn reason(&self) -> Reason {
        match self {
            Self::Broken(what) => reasons::report_broken(what.clone()),
            Self::Unwritable { path, source } => reasons::report_unwritable(path, source),
        }
    }
}

/// A report in its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The names of its files, in the order of the report.
    pub files: Vec<String>,
    /// What the drawings are called, by their names without the ending.
    pub titles: BTreeMap<String, String>,
}

/// Writes the files of a report, and takes away those of an earlier one.
pub fn unpack(data: Option<&Data>, out: &Path) -> Result<Report, ReportError> {
    let failed = ReportError::Broken;
    let unwritable = |source| ReportError::Unwritable { path: out.to_owned(), source };
    let archive: Box<dyn io::Read> = match data {
        None => return Err(failed(reasons::report_missing())),
        Some(Data::Bytes(bytes)) => Box::new(&bytes[..]),
        Some(data) => {
            let file = File::open(data.path().unwrap_or(out)).map_err(|e| failed((&e).into()))?;
            Box::new(io::BufReader::new(file))
        }
    };
    let new = tempfile::tempdir_in(out).map_err(unwritable)?;
    let mut report = Report::default();
    let mut archive = tar::Archive::new(archive);
    // Raw: what would make names longer is never read into memory.
    for entry in archive.entries().map_err(|e| failed((&e).into()))?.raw(true) {
        let mut entry = entry.map_err(|e| failed((&e).into()))?;
        let Some(name) = name(&entry).filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        if report.files.len() == MAX_FILES || entry.size() > MAX_FILE {
            return Err(failed(reasons::report_too_large()));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| failed((&e).into()))?;
        if name.ends_with(".svg") || name == PAGE {
            let title = harmless(&bytes).ok_or_else(|| failed(reasons::report_harmful(&name)))?;
            if let Some(stem) = name.strip_suffix(".svg") {
                report.titles.insert(stem.to_owned(), title);
            }
        }
        std::fs::write(new.path().join(&name), bytes).map_err(unwritable)?;
        report.files.push(name);
    }
    for needed in [PAGE, NUMBERS] {
        if !report.files.iter().any(|name| name == needed) {
            return Err(failed(reasons::report_lacks(needed)));
        }
    }
    replace(new.path(), &report.files, out).map_err(unwritable)?;
    Ok(report)
}

/// Takes away the files of an earlier report and puts the new ones in their place.
fn replace(new: &Path, files: &[String], out: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(out)?.flatten() {
        if entry.file_name().to_str().is_some_and(is_of_report) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    files.iter().try_for_each(|name| std::fs::rename(new.join(name), out.join(name)))
}

/// The name of an entry, if a file of a report is called so.
fn name(entry: &tar::Entry<'_, impl io::Read>) -> Option<String> {
    let path = entry.path().ok()?;
    let mut parts = path.components();
    let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) else { return None };
    name.to_str().filter(|name| is_of_report(name)).map(str::to_owned)
}

/// Whether a file of a report is called so. Anything else in the folder is somebody else's.
fn is_of_report(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let chart = |stem: &str| {
        stem.len() <= 90 && stem.chars().all(fine) && CHARTS.iter().any(|c| stem.starts_with(c))
    };
    let stem = name.strip_suffix(".svg").or_else(|| name.strip_suffix(".png"));
    name == PAGE || name == NUMBERS || stem.is_some_and(chart)
}

/// The title of a page or drawing that has nothing but text and shapes: no script, nothing from
/// elsewhere.
fn harmless(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    // `<!DOCTYPE html>` is all that a page declares: no entities.
    if text.len() > MAX_PAGE || text.contains("<!ENTITY") || text.contains("<?xml-stylesheet") {
        return None;
    }
    let options =
        ParsingOptions { allow_dtd: true, nodes_limit: MAX_ELEMENTS, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let mut elements = document.descendants().filter(Node::is_element);
    if !elements.all(|element| is_harmless_element(&element)) {
        return None;
    }
    // The drawing's own stands first; those of its parts come after.
    let title = document.descendants().find(|node| node.tag_name().name() == "title");
    let title = title.and_then(|title| title.text()).unwrap_or_default();
    Some(title.chars().take(MAX_TITLE).collect())
}

fn is_harmless_element(element: &Node<'_, '_>) -> bool {
    let name = element.tag_name().name();
    let known = ELEMENTS.split(' ').any(|known| known == name);
    let style = name != "style" || element.children().all(|text| is_harmless_style(text.text()));
    known
        && style
        && element.attributes().all(|attribute| match attribute.name() {
            "href" => attribute.value().starts_with('#'),
            "http-equiv" => attribute.value() == "Content-Security-Policy",
            "style" => is_harmless_style(Some(attribute.value())),
            "src" | "srcset" | "action" | "formaction" | "data" | "poster" | "background"
            | "ping" | "base" => false,
            "fill" | "stroke" | "filter" | "mask" | "clip-path" | "cursor" | "marker-start"
            | "marker-mid" | "marker-end" => is_harmless_style(Some(attribute.value())),
            name => !name.starts_with("on"),
        })
}

/// Styles may not load anything; a backslash could hide that they do. A font that they carry is fine:
/// browsers check it as one from anywhere.
fn is_harmless_style(style: Option<&str>) -> bool {
    let style = without_fonts(style.unwrap_or_default()).to_ascii_lowercase();
    !["url(", "@import", "image(", "expression", "\\"].iter().any(|bad| style.contains(bad))
}

/// A style without the fonts in it.
fn without_fonts(style: &str) -> String {
    let (mut left, mut rest) = (String::new(), style);
    while let Some((before, font)) = rest.split_once("url(data:font/otf;base64,") {
        let end = font.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b));
        let end = end.count();
        if font.as_bytes().get(end) != Some(&b')') {
            break;
        }
        left.push_str(before);
        rest = &font[end + 1..];
    }
    left + rest
}

#[cfg(test)]
mod tests;
