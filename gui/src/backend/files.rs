//! Files that a person chooses, drops, pastes or names. Where the system has no dialogs (no portal, no zenity) nothing
//! is chosen, and the path field beside every button is the way.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use potluck::{
    client::CallInput,
    say::{Reason, Say as _},
};
use rfd::AsyncFileDialog;

/// Nobody closes a dialog as quickly as this: there is none on this system.
const NOBODY: Duration = Duration::from_millis(400);
/// Endings of tables that are understood; others can be typed.
pub const TABLES: &[&str] = &[
    "csv", "tsv", "tab", "txt", "dat", "xlsx", "xlsm", "xls", "ods", "parquet", "arrow", "feather",
    "ipc", "json", "ndjson", "jsonl", "gz", "zst",
];
/// Endings of pictures that are understood.
pub const PICTURES: &[&str] = &["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The clipboard.
    Bytes(Arc<[u8]>),
}

impl Source {
    /// The same for a call.
    pub fn input(&self) -> CallInput {
        match self {
            Self::File(path) => CallInput::File(path.clone()),
            Self::Bytes(bytes) => CallInput::Bytes(bytes.clone()),
        }
    }

    /// What people call it.
    pub fn name(&self, otherwise: &str) -> String {
        match self {
            Self::File(path) => name_of(path),
            Self::Bytes(_) => otherwise.to_owned(),
        }
    }
}

/// Why a file cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// There is no such file, or it may not be read.
    #[error("{0}")]
    Unreadable(String),
    /// It is not what is wanted, such as a picture, or a broken one.
    #[error("{0}")]
    NotIt(String),
}

/// What a dialog gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// These.
    Paths(Vec<PathBuf>),
    /// Nothing: it was closed.
    Nothing,
    /// Nothing: this system has no dialogs.
    NoDialog,
}

/// Lets a person choose files with these endings, or any where there are none.
pub async fn choose(title: &'static str, endings: &'static [&'static str]) -> Chosen {
    let asked = Instant::now();
    let dialog = AsyncFileDialog::new().set_title(title);
    let dialog = if endings.is_empty() { dialog } else { dialog.add_filter(title, endings) };
    let files = dialog.pick_files().await;
    told(files.map(|files| files.iter().map(|file| file.path().to_owned()).collect()), asked)
}

/// Lets a person choose files of any kind; empty when none was chosen.
pub async fn any(title: &str) -> Vec<PathBuf> {
    let chosen = AsyncFileDialog::new().set_title(title).pick_files().await;
    chosen.into_iter().flatten().map(|file| file.path().to_owned()).collect()
}

/// Lets a person choose a folder.
pub async fn folder(title: &str) -> Option<PathBuf> {
    let chosen = AsyncFileDialog::new().set_title(title).pick_folder().await;
    chosen.map(|folder| folder.path().to_owned())
}

/// Lets a person choose the folder in which something is made.
pub async fn choose_folder(title: &'static str) -> Chosen {
    let asked = Instant::now();
    let folder = AsyncFileDialog::new().set_title(title).pick_folder().await;
    told(folder.map(|folder| vec![folder.path().to_owned()]), asked)
}

/// Lets a person say where a file goes.
pub async fn place(title: &'static str, name: String) -> Chosen {
    let asked = Instant::now();
    let file = AsyncFileDialog::new().set_title(title).set_file_name(name).save_file().await;
    told(file.map(|file| vec![file.path().to_owned()]), asked)
}

fn told(paths: Option<Vec<PathBuf>>, asked: Instant) -> Chosen {
    match paths {
        Some(paths) => Chosen::Paths(paths),
        None if asked.elapsed() < NOBODY => Chosen::NoDialog,
        None => Chosen::Nothing,
    }
}

/// What the clipboard holds, as far as it is files or a picture. Some clipboards cannot be read.
pub async fn pasted() -> Vec<Source> {
    let read = tokio::task::spawn_blocking(|| {
        let Ok(mut clipboard) = arboard::Clipboard::new() else { return Vec::new() };
        if let Ok(files) = clipboard.get().file_list() {
            return files.into_iter().map(Source::File).collect();
        }
        if let Ok(picture) = clipboard.get_image() {
            return as_png(&picture).map(Source::Bytes).into_iter().collect();
        }
        let text = clipboard.get_text().unwrap_or_default();
        paths_in(&text).into_iter().map(Source::File).collect()
    });
    read.await.unwrap_or_default()
}

fn as_png(picture: &arboard::ImageData<'_>) -> Option<Arc<[u8]>> {
    let (width, height) = (u32::try_from(picture.width).ok()?, u32::try_from(picture.height).ok()?);
    let pixels = image::RgbaImage::from_raw(width, height, picture.bytes.to_vec())?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Png).ok()?;
    Some(bytes.into_inner().into())
}

/// Absolute paths, one a line, as file managers and people copy them.
fn paths_in(text: &str) -> Vec<PathBuf> {
    let lines = text.lines().map(|line| line.trim().trim_matches(['"', '\'']));
    lines.map(PathBuf::from).filter(|path| path.is_absolute()).collect()
}

/// A path as a person types it.
pub fn typed(text: &str) -> Option<PathBuf> {
    let text = text.trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("file://").unwrap_or(text);
    (!text.is_empty()).then(|| PathBuf::from(text))
}

/// Whether a name is that of a picture that can be shown.
pub fn is_picture(name: &str) -> bool {
    let ending = Path::new(name).extension().map(|ending| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| PICTURES.iter().any(|known| ending == *known))
}

/// The last part of a path.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Writes a file whole or not at all: what was there before stays until all is written.
pub async fn write(path: PathBuf, bytes: Vec<u8>) -> Result<PathBuf, Reason> {
    let written = tokio::task::spawn_blocking(move || {
        let path = std::path::absolute(path)?;
        let folder = path.parent().unwrap_or(&path);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, &bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok::<_, std::io::Error>(path)
    });
    let written = written.await.map_err(|error| error.to_string())?;
    written.map_err(|error| error.reason())
}

/// Copies a file, whole or not at all.
pub async fn copy(from: PathBuf, to: PathBuf) -> Result<PathBuf, Reason> {
    let read = tokio::task::spawn_blocking(move || std::fs::read(from));
    let bytes = read.await.map_err(|error| error.to_string())?;
    write(to, bytes.map_err(|error| error.reason())?).await
}

/// How long a program may take to say that it cannot open something.
const OPENING: Duration = Duration::from_secs(5);

/// Opens a file with the program that the system has for it.
pub async fn open(path: PathBuf) -> Result<(), String> {
    let opened = tokio::task::spawn_blocking(move || {
        let mut opener = opener(&path);
        opener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = opener.spawn().map_err(|error| error.to_string())?;
        let end = Instant::now() + OPENING;
        // Some stay as long as what they opened.
        while Instant::now() < end {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(status.to_string()),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        // Whoever stays is waited for, so that nothing is left of it.
        std::thread::spawn(move || child.wait());
        Ok(())
    });
    opened.await.map_err(|error| error.to_string())?
}

/// What opens a file on this system.
fn opener(path: &Path) -> Command {
    let (program, before): (&str, &[&str]) = match std::env::consts::OS {
        "windows" => ("rundll32", &["url.dll,FileProtocolHandler"]),
        "macos" => ("open", &[]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(before).arg(path);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_people_give_them() {
        assert_eq!(typed(" \"/tmp/a b.jpg\" "), Some(PathBuf::from("/tmp/a b.jpg")));
        assert_eq!(typed("file:///tmp/a.jpg"), Some(PathBuf::from("/tmp/a.jpg")));
        assert_eq!(typed("  "), None);
    }

    #[cfg(unix)]
    #[test]
    fn text_that_is_no_path_is_not_pasted() {
        let text = "/tmp/a.jpg\n'/tmp/b c.png'\nhello world\n";
        assert_eq!(paths_in(text), ["/tmp/a.jpg", "/tmp/b c.png"].map(PathBuf::from));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        write(path.clone(), b"one".to_vec()).await.unwrap();
        write(path.clone(), b"two".to_vec()).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert!(write(folder.path().join("missing/labels.csv"), Vec::new()).await.is_err());
        // A folder is no file.
        assert!(write(folder.path().to_owned(), Vec::new()).await.is_err());
    }
}
