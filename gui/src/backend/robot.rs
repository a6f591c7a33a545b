//! What was said to the robot, kept in the data folder.

use std::{
    io::{self, Read as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use potluck::config::replace;
use serde::{Deserialize, Serialize};

use super::{Backend, post::Said};

/// The file in the data folder, which only its owner reads.
const FILE: &str = "robot.json";
/// Answers that are kept at most; the first go first.
pub const KEPT: usize = 200;
/// The largest file, in bytes.
const MAX_FILE: usize = 1 << 20;

/// Something that was said to the robot, and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was said.
    pub asked: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The answer.
    pub said: Said,
}

/// The number of what was kept last: work off the window's thread may overtake other work.
static LAST: Mutex<u64> = Mutex::new(0);

impl Backend {
    /// What was kept; nothing where it cannot be read.
    pub async fn remembered(self) -> Vec<Exchange> {
        let folder = self.data_dir;
        let read = tokio::task::spawn_blocking(move || read(&folder)).await;
        read.map_err(io::Error::other).and_then(|read| read).unwrap_or_else(|why| {
            tracing::warn!(%why, "{FILE} cannot be read");
            Vec::new()
        })
    }

    /// Keeps all of this in the place of what was kept. A larger `number` is newer.
    pub async fn remember(self, number: u64, all: Vec<Exchange>) {
        let folder = self.data_dir;
        let write = move || {
            let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
            if number < *last {
                return Ok(());
            }
            *last = number;
            write(&folder, &all)
        };
        let written = tokio::task::spawn_blocking(write).await;
        if let Err(why) = written.map_err(io::Error::other).and_then(|written| written) {
            tracing::warn!(%why, "{FILE} cannot be written");
        }
    }
}

fn read(folder: &Path) -> io::Result<Vec<Exchange>> {
    let mut bytes = Vec::new();
    match std::fs::File::open(folder.join(FILE)) {
        Ok(file) => file.take(MAX_FILE as u64).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(serde_json::from_slice(&bytes)?)
}

/// Writes the last of them, as many as may be kept.
fn write(folder: &Path, all: &[Exchange]) -> io::Result<()> {
    let mut all = &all[all.len().saturating_sub(KEPT)..];
    loop {
        let text = serde_json::to_string(all)?;
        if text.len() <= MAX_FILE || all.is_empty() {
            return replace(&folder.join(FILE), &text);
        }
        all = &all[all.len().div_ceil(2)..];
    }
}

#[cfg(test)]
mod tests {
    use potluck::client::Served;

    use super::*;

    fn exchange(asked: &str) -> Exchange {
        let by = Served { id: "12D3".to_owned(), name: "kitchen".to_owned() };
        let said = Said { text: format!("{asked}!"), by, milliseconds: 3 };
        Exchange { asked: asked.to_owned(), at: 5, said }
    }

    #[test]
    fn the_last_answers_are_kept_and_no_file_grows_without_end() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        let all: Vec<_> = (0..KEPT + 9).map(|at| exchange(&at.to_string())).collect();
        write(folder.path(), &all).unwrap();
        assert_eq!(read(folder.path()).unwrap(), all[9..]);
        let large: Vec<_> = (0..50).map(|_| exchange(&"长".repeat(20_000))).collect();
        write(folder.path(), &large).unwrap();
        let kept = read(folder.path()).unwrap();
        assert!(!kept.is_empty() && kept.len() < 50, "{}", kept.len());
        let size = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(size <= MAX_FILE as u64, "{size}");
        write(folder.path(), &[]).unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
