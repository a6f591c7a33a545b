//! The system's own dialogs for files and folders. Where there are none (no portal, no zenity)
//! nothing is chosen, and the path field beside every button is the way.

use std::path::PathBuf;

use rfd::AsyncFileDialog;

/// Files of any kind; empty when none was chosen.
pub async fn files(title: &str) -> Vec<PathBuf> {
    let chosen = AsyncFileDialog::new().set_title(title).pick_files().await;
    chosen.into_iter().flatten().map(|file| file.path().to_owned()).collect()
}

/// A folder.
pub async fn folder(title: &str) -> Option<PathBuf> {
    let chosen = AsyncFileDialog::new().set_title(title).pick_folder().await;
    chosen.map(|folder| folder.path().to_owned())
}
