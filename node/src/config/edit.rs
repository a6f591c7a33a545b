//! Changes of `config.toml` by programs: one setting changes, the rest of the file and its comments stay.

use std::{
    io::{self, Write as _},
    path::Path,
};

use toml_edit::{DocumentMut, TomlError};

use super::{Config, ConfigError};

/// Why settings cannot be changed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The disk says no.
    #[error("the settings cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// The file is no such file.
    #[error("config.toml: {0}")]
    Unreadable(String),
    /// No node would start with it.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Changes the settings in `file`, which is made where there is none. What no node would start with is
/// not written. Reads and writes the disk: not for async threads.
pub fn edit(
    file: &Path,
    change: impl FnOnce(&mut DocumentMut, &Config),
) -> Result<Config, EditError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Config::template(),
        Err(error) => return Err(error.into()),
    };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: TomlError| EditError::Unreadable(error.message().to_owned()))?;
    let before = Config::parse(&text, file)?;
    change(&mut document, &before);
    let text = document.to_string();
    let config = Config::parse(&text, file)?;
    replace(file, &text)?;
    Ok(config)
}

/// Puts a file that only its owner reads in the place of another. The old one is there until the new
/// one is whole.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_changes_and_what_is_wrong_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "# mine\nname = \"old\" # of the lab\n\n[network]\nmdns = false\n")
            .unwrap();
        let config =
            edit(&file, |document, _| document["name"] = toml_edit::value("林晓")).unwrap();
        assert_eq!((config.name.as_str(), config.network.mdns), ("林晓", false));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("# mine") && text.contains("mdns = false"), "{text}");
        assert!(edit(&file, |document, _| document["name"] = toml_edit::value("")).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        std::fs::write(&file, "name = [").unwrap();
        assert!(edit(&file, |_, _| ()).is_err());
        std::fs::remove_file(&file).unwrap();
        // A new file explains itself.
        edit(&file, |document, _| document["name"] = toml_edit::value("new")).unwrap();
        assert!(std::fs::read_to_string(&file).unwrap().contains("[allow]"));
    }
}
