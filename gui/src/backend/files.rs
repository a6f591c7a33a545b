//! Files that a person chooses, drops, pastes or names. Where the system has no dialogs (no portal, no zenity) nothing
//! is chosen, and the path field beside every button is the way.

use std::{
    path::{Path, PathBuf},
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

/// Lets a person choose files with these endings.
pub async fn choose(title: &'static str, endings: &'static [&'static str]) -> Chosen {
    let asked = Instant::now();
    let dialog = AsyncFileDialog::new().set_title(title).add_filter(title, endings);
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
