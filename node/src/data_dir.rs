//! The data folder of a node: where it is, that only its owner reads it, and who uses it now.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::private;

/// The environment variable that names the data folder where no flag does.
pub const DATA_DIR_VARIABLE: &str = "POTLUCK_DATA_DIR";

/// Files by which a folder with wide permissions is known to be ours and not, say, `/tmp`.
const OUR_FILES: [&str; 4] = [IDENTITY, CONFIG, CHAT_RULES, LOCK];
const IDENTITY: &str = "identity.key";
const CONFIG: &str = "config.toml";
const CHAT_RULES: &str = "chat.toml";
const LOCK: &str = "lock";
const CONTROL: &str = "control.sock";

/// An existing, private, writable data folder.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    control_socket: PathBuf,
}

/// Says that this process is the one node of a data folder. Dropping it frees the folder.
#[derive(Debug)]
pub struct DataDirLock {
    file: File,
}

/// Why a data folder cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The system has no usual place for data and none was named.
    #[error(
        "there is no home folder to keep data in; name a folder with --data-dir or {DATA_DIR_VARIABLE}"
    )]
    NoHome,
    /// Something else stands where the folder should be.
    #[error("the data folder {} is a file, not a folder; remove it or name another folder with --data-dir", path.display())]
    NotAFolder {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The folder is open to other users and holds things that Potluck did not put there.
    #[error("the folder {} is open to other users of this computer and already holds other files; name a new or empty folder with --data-dir", path.display())]
    NotOurs {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The folder cannot be written by this user.
    #[error("the data folder {} cannot be written ({source}); change its permissions or name another folder with --data-dir", path.display())]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No space is left.
    #[error("the disk of the data folder {} is full ({source}); free some space or name a folder on another disk with --data-dir", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder cannot be closed to other users.
    #[error("the folder {} cannot be made private ({source}); make it yours alone (chmod 700) or name another folder with --data-dir", path.display())]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process runs a node in it.
    #[error("the data folder {} is in use by {holder}; stop that program or name another folder with --data-dir", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who holds it, for example `potluck (process 1234, since 2026-11-23 02:19:45 UTC)`.
        holder: String,
    },
    /// Anything else that the system reports.
    #[error("the data folder {} cannot be used ({source}); check the disk or name another folder with --data-dir", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataDir {
    /// Opens `path`, else `$POTLUCK_DATA_DIR`, else the user's usual place for data, creating it
    /// with mode 0700. Proves that it can be written by writing and syncing a small file.
    pub fn open(path: Option<PathBuf>) -> Result<DataDir, DataDirError> {
        let data_dir = Self::locate(path)?;
        data_dir.check_room()?;
        Ok(data_dir)
    }

    /// The same for whoever may find a node there that has it open: also where the disk is full.
    pub fn locate(path: Option<PathBuf>) -> Result<DataDir, DataDirError> {
        let path = match path {
            Some(path) => path,
            None => default_path().ok_or(DataDirError::NoHome)?,
        };
        create_private(&path)?;
        let path = path
            .canonicalize()
            .map_err(|source| DataDirError::Io { path: path.clone(), source })?;
        make_private(&path)?;
        let probe = probe(&path, &[]).map_err(|source| because(&path, source))?;
        let control_socket = control_socket(&path, &probe)?;
        Ok(DataDir { path, control_socket })
    }

    /// Writes and syncs a block, so that a full disk shows now.
    pub fn check_room(&self) -> Result<(), DataDirError> {
        let probed = probe(&self.path, &[0; 4096]);
        probed.map(drop).map_err(|source| because(&self.path, source))
    }

    /// The folder, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the key of this node is.
    pub fn identity_file(&self) -> PathBuf {
        self.path.join(IDENTITY)
    }

    /// Where the settings are.
    pub fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Where the owner's chat rules are, if any.
    pub fn chat_rules_file(&self) -> PathBuf {
        self.path.join(CHAT_RULES)
    }

    /// The socket on which a running node takes commands. In the folder, or, where that path is
    /// too long for a socket, in a private folder of this user below `/tmp`.
    pub fn control_socket(&self) -> PathBuf {
        self.control_socket.clone()
    }

    /// The folder of stored blobs; not created here.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The folder of added models; not created here.
    pub fn models(&self) -> PathBuf {
        self.path.join("models")
    }

    /// Takes the folder for this process, or says who has it.
    pub fn lock(&self) -> Result<DataDirLock, DataDirError> {
        let fail = |source| because(&self.path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = private::file(&mut options).open(self.path.join(LOCK)).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataDirError::InUse {
                    path: self.path.clone(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
        file.set_len(0).map_err(fail)?;
        file.write_all(this_process().as_bytes()).map_err(fail)?;
        Ok(DataDirLock { file })
    }
}

impl Drop for DataDirLock {
    fn drop(&mut self) {
        // The lock goes with the file handle; an empty file names nobody.
        let _ = self.file.set_len(0);
    }
}

/// The settings of a folder that may not be there yet.
pub(crate) fn config_file(path: Option<PathBuf>) -> Option<PathBuf> {
    path.or_else(default_path).map(|folder| folder.join(CONFIG))
}

fn default_path() -> Option<PathBuf> {
    let named = std::env::var_os(DATA_DIR_VARIABLE).filter(|value| !value.is_empty());
    named.map(PathBuf::from).or_else(|| dirs::data_dir().map(|data| data.join("potluck")))
}

fn create_private(path: &Path) -> Result<(), DataDirError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => {
            return Err(DataDirError::NotAFolder { path: path.to_owned() });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(because(path, error)),
    }
    private::folder(fs::DirBuilder::new().recursive(true))
        .create(path)
        .map_err(|error| because(path, error))
}

/// Closes a folder to other users, unless it looks like somebody else's.
fn make_private(path: &Path) -> Result<(), DataDirError> {
    let fail = |source| DataDirError::Io { path: path.to_owned(), source };
    let Some(mode) = private::open_to_others(&fs::metadata(path).map_err(fail)?) else {
        return Ok(());
    };
    let empty = fs::read_dir(path).map_err(|source| because(path, source))?.next().is_none();
    if !empty && !OUR_FILES.iter().any(|name| path.join(name).exists()) {
        return Err(DataDirError::NotOurs { path: path.to_owned() });
    }
    private::close(path)
        .map_err(|source| DataDirError::NotPrivate { path: path.to_owned(), source })?;
    tracing::warn!(folder = %path.display(), "the data folder was open to other users (mode {:o}); it is private now", mode);
    Ok(())
}

/// Writes and syncs a file of these bytes, so that a read-only disk shows now, and a full one where
/// there are some. Gives what the system says of that file: whose it is.
fn probe(path: &Path, bytes: &[u8]) -> io::Result<fs::Metadata> {
    let file_path =
        path.join(format!(".probe-{}-{:016x}", std::process::id(), rand::random::<u64>()));
    let mut file =
        private::file(OpenOptions::new().write(true).create_new(true)).open(&file_path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let seen = file.metadata();
    let removed = fs::remove_file(&file_path);
    written.and(removed).and(seen)
}

fn because(path: &Path, source: io::Error) -> DataDirError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            DataDirError::ReadOnly { path, source }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            DataDirError::Full { path, source }
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            DataDirError::NotAFolder { path }
        }
        _ => DataDirError::Io { path, source },
    }
}

/// A named pipe has no folder and no such limit: the path is only what it is named after.
#[cfg(not(unix))]
fn control_socket(path: &Path, _: &fs::Metadata) -> Result<PathBuf, DataDirError> {
    Ok(path.join(CONTROL))
}

#[cfg(unix)]
fn control_socket(path: &Path, probe: &fs::Metadata) -> Result<PathBuf, DataDirError> {
    use std::os::unix::fs::MetadataExt as _;

    /// The longest path that a Unix socket takes everywhere, in bytes (`sun_path` is 108 on Linux
    /// and 104 on macOS, each with a closing zero).
    const MAX_SOCKET_PATH: usize = 103;

    let owner = probe.uid();
    let usual = path.join(CONTROL);
    if usual.as_os_str().len() <= MAX_SOCKET_PATH {
        return Ok(usual);
    }
    // Not $TMPDIR or $XDG_RUNTIME_DIR: node and command may have been started with different ones.
    let folder = PathBuf::from(format!("/tmp/potluck-{owner}"));
    match private::folder(&mut fs::DirBuilder::new()).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(because(&folder, error));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(&folder).map_err(|error| because(&folder, error))?;
    if !metadata.is_dir() || metadata.uid() != owner || metadata.mode() & 0o077 != 0 {
        let source = io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user or is open to others",
        );
        return Err(DataDirError::NotPrivate { path: folder, source });
    }
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    Ok(folder.join(format!("{}.sock", &hash[..32])))
}

/// `potluck (process 1234, since 2026-11-23 02:19:45 UTC)`, for the lock file.
fn this_process() -> String {
    let program = std::env::current_exe().ok();
    let program = program
        .as_deref()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned());
    let program = program.unwrap_or_else(|| "a program".to_owned());
    let now = jiff::Timestamp::now().strftime("%F %T UTC");
    format!("{program} (process {}, since {now})\n", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(512).read_to_string(&mut text));
    let line = text.lines().next().unwrap_or_default().trim();
    match read {
        Ok(_) if !line.is_empty() => line.chars().filter(|c| !c.is_control()).collect(),
        _ => "another program".to_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_folder_is_private_and_holds_everything() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(Some(dir.path().join("a/b"))).unwrap();
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0, "the probe is gone");
        for path in [
            data.identity_file(),
            data.config_file(),
            data.blobs(),
            data.models(),
            data.chat_rules_file(),
        ] {
            assert!(path.starts_with(data.path()));
        }
    }

    #[test]
    fn wide_permissions_are_narrowed_only_on_a_folder_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let wide = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let empty = wide("empty");
        DataDir::open(Some(empty.clone())).unwrap();
        assert_eq!(mode(&empty), 0o700);

        let ours = wide("ours");
        fs::write(ours.join(CONFIG), "").unwrap();
        DataDir::open(Some(ours.clone())).unwrap();
        assert_eq!(mode(&ours), 0o700);

        let theirs = wide("theirs");
        fs::write(theirs.join("thesis.doc"), "").unwrap();
        let error = DataDir::open(Some(theirs.clone())).unwrap_err();
        assert!(matches!(error, DataDirError::NotOurs { .. }), "{error}");
        assert_eq!(mode(&theirs), 0o755);
    }

    #[test]
    fn a_file_in_its_place_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = DataDir::open(Some(path)).unwrap_err();
            assert!(matches!(error, DataDirError::NotAFolder { .. }), "{error}");
        }
        assert_eq!(fs::read(&file).unwrap(), b"x");
    }

    #[test]
    fn what_the_system_says_becomes_a_sentence() {
        let text = |kind| because(Path::new("/d"), io::Error::from(kind)).to_string();
        assert!(text(io::ErrorKind::StorageFull).contains("/d is full"));
        assert!(text(io::ErrorKind::ReadOnlyFilesystem).contains("cannot be written"));
        assert!(text(io::ErrorKind::PermissionDenied).contains("cannot be written"));
    }

    #[test]
    fn a_read_only_folder_is_refused() {
        // /proc takes no new files even from root; its mode is wide and it holds other files.
        let error = DataDir::open(Some("/proc/potluck-test".into())).unwrap_err();
        assert!(error.to_string().contains("--data-dir"), "{error}");
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
        if File::create(dir.path().join("x")).is_ok() {
            println!("skipped in part: permissions do not bind this user");
            return;
        }
        let error = DataDir::open(Some(dir.path().into())).unwrap_err();
        assert!(matches!(error, DataDirError::ReadOnly { .. }), "{error}");
    }

    #[test]
    fn the_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(Some(dir.path().into())).unwrap();
        let lock = data.lock().unwrap();
        let text = data.lock().unwrap_err().to_string();
        assert!(text.contains(&format!("(process {}, since 20", std::process::id())), "{text}");
        drop(lock);
        drop(data.lock().unwrap());
        assert_eq!(fs::read(dir.path().join(LOCK)).unwrap(), b"");
        assert_eq!(mode(&dir.path().join(LOCK)), 0o600);
    }

    #[test]
    fn a_long_path_gets_a_short_private_socket() {
        let dir = tempfile::tempdir().unwrap();
        let short = DataDir::open(Some(dir.path().into())).unwrap();
        assert!(short.control_socket().starts_with(short.path()));
        let long =
            |name: &str| DataDir::open(Some(dir.path().join("x".repeat(100)).join(name))).unwrap();
        let (a, b) = (long("a"), long("b"));
        assert_ne!(a.control_socket(), b.control_socket());
        assert_eq!(a.control_socket(), long("a").control_socket());
        assert!(a.control_socket().as_os_str().len() <= 103);
        assert_eq!(mode(a.control_socket().parent().unwrap()), 0o700);
    }
}
