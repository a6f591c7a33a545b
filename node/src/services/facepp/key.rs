//! The owner's Face++ key: where it comes from, and that it is shown nowhere.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::private::{self, Stamp};

/// The environment variable with the API key.
pub const KEY_VARIABLE: &str = "POTLUCK_FACEPP_KEY";
/// The environment variable with the API secret.
pub const SECRET_VARIABLE: &str = "POTLUCK_FACEPP_SECRET";
/// The file in the data folder: the key on its first line, the secret on the second.
pub const KEY_FILE: &str = "facepp.key";

/// Face++ keys have 32 characters; nothing much longer is one.
const MAX_LENGTH: usize = 256;
/// The largest file that is read.
const MAX_FILE: u64 = 4096;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What Face++ knows its customer by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `api_key`.
    pub key: Secret,
    /// `api_secret`.
    pub secret: Secret,
}

/// Why the key cannot be used, and what to do. The texts never hold a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// One of the two variables is missing.
    #[error("{0} is set and {1} is not; set both, or neither and write {KEY_FILE}")]
    Half(&'static str, &'static str),
    /// A variable holds something else.
    #[error("{0} does not hold a Face++ key (one word without spaces)")]
    Variable(&'static str),
    /// Others can read the file.
    #[error("{} can be read by other users of this computer (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("{} cannot be read ({source}); check that it is yours", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not a Face++ key; write the API key on its first line and the API secret on its second", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl Secret {
    /// The text itself, for the body of a request.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let good =
            (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Credentials {
    /// Reads the key from the environment, else from the data folder; `None` where there is none.
    pub fn load(data_dir: Option<&Path>) -> Result<Option<Self>, KeyError> {
        let variable = |name| match std::env::var(name) {
            Ok(value) if value.trim().is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(KeyError::Variable(name)),
        };
        Self::choose(variable(KEY_VARIABLE)?, variable(SECRET_VARIABLE)?, data_dir)
    }

    /// From these two variables, else from the data folder.
    pub(super) fn choose(
        key: Option<String>,
        secret: Option<String>,
        data_dir: Option<&Path>,
    ) -> Result<Option<Self>, KeyError> {
        match (key, secret) {
            (Some(key), Some(secret)) => Ok(Some(Self {
                key: Secret::new(&key).ok_or(KeyError::Variable(KEY_VARIABLE))?,
                secret: Secret::new(&secret).ok_or(KeyError::Variable(SECRET_VARIABLE))?,
            })),
            (Some(_), None) => Err(KeyError::Half(KEY_VARIABLE, SECRET_VARIABLE)),
            (None, Some(_)) => Err(KeyError::Half(SECRET_VARIABLE, KEY_VARIABLE)),
            (None, None) => data_dir.map_or(Ok(None), |dir| from_file(&dir.join(KEY_FILE))),
        }
    }

    /// A text without the key and the secret: what Face++ says might repeat what it was told.
    pub fn redact(&self, text: String) -> String {
        [&self.secret, &self.key].into_iter().fold(text, |text, secret| {
            match text.contains(secret.reveal()) {
                true => text.replace(secret.reveal(), "***"),
                false => text,
            }
        })
    }
}

/// How the key file looks now; `None` when there is none.
pub(crate) fn stamp(data_dir: Option<&Path>) -> Option<Stamp> {
    fs::metadata(data_dir?.join(KEY_FILE)).ok().map(|file| Stamp::of(&file))
}

fn from_file(path: &Path) -> Result<Option<Credentials>, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        // Opening a pipe would wait for somebody who writes.
        Ok(file) if !file.is_file() => return Err(malformed()),
        Ok(_) => {}
    }
    let file = File::open(path).map_err(unreadable)?;
    if let Some(mode) = private::open_to_others(&file.metadata().map_err(unreadable)?) {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => malformed(),
        _ => unreadable(error),
    })?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).map(Secret::new);
    match (lines.next().flatten(), lines.next().flatten(), lines.next()) {
        (Some(key), Some(secret), None) => Ok(Some(Credentials { key, secret })),
        _ => Err(malformed()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn write(dir: &Path, text: &str, mode: u32) {
        let path = dir.join(KEY_FILE);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn read(dir: &Path) -> Result<Option<Credentials>, KeyError> {
        Credentials::choose(None, None, Some(dir))
    }

    #[test]
    fn the_file_is_read_when_it_is_private() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        for text in ["key\nsecret\n", "  key \r\n\r\n secret", "key\nsecret"] {
            write(dir.path(), text, 0o600);
            let found = read(dir.path()).unwrap().unwrap();
            assert_eq!((found.key.reveal(), found.secret.reveal()), ("key", "secret"), "{text:?}");
        }
        for mode in [0o640, 0o604, 0o666, 0o610] {
            write(dir.path(), "key\nsecret", mode);
            let error = read(dir.path()).unwrap_err().to_string();
            assert!(error.contains("chmod 600 "), "{error}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let long = "geheim".repeat(100);
        for text in ["", "geheim", "geheim\nhas a space", "geheim\nb\nc", &long, "geheim\n\u{0}"] {
            write(dir.path(), text, 0o600);
            let error = read(dir.path()).unwrap_err();
            assert!(matches!(error, KeyError::Malformed { .. }), "{error}");
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
        fs::write(dir.path().join(KEY_FILE), [0xff, 0xfe]).unwrap();
        assert!(matches!(read(dir.path()), Err(KeyError::Malformed { .. })));
        fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        fs::create_dir(dir.path().join(KEY_FILE)).unwrap();
        assert!(matches!(read(dir.path()), Err(KeyError::Malformed { .. })));
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "file\nfile", 0o600);
        let word = |text: &str| Some(text.to_owned());
        let choose = |key, secret| Credentials::choose(key, secret, Some(dir.path()));
        assert_eq!(choose(word("env"), word("x")).unwrap().unwrap().key.reveal(), "env");
        assert_eq!(choose(None, None).unwrap().unwrap().key.reveal(), "file");
        for (key, secret, missing) in
            [(word("env"), None, SECRET_VARIABLE), (None, word("env"), KEY_VARIABLE)]
        {
            let error = choose(key, secret).unwrap_err().to_string();
            assert!(error.contains(&format!("{missing} is not")), "{error}");
        }
        assert!(matches!(choose(word("a b"), word("c")), Err(KeyError::Variable(KEY_VARIABLE))));
    }

    #[test]
    fn nothing_shows_a_secret() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "geheim1\ngeheim2", 0o600);
        let found = read(dir.path()).unwrap().unwrap();
        assert!(!format!("{found:?} {found:#?}").contains("geheim"));
        let text = found.redact("you said geheim1 and geheim2".to_owned());
        assert_eq!(text, "you said *** and ***");
    }
}
