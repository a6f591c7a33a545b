//! What was found out about the ONNX Runtime of this machine, kept in the data folder: where an installed Python has
//! it, which costs some 50 ms to ask, and which libraries were checked against their hash. It is found out again when
//! anything that it came from changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The file in the data folder.
const FILE: &str = "found.toml";
/// The largest such file that is read, and the largest list of hashes of a Python package.
const MAX_FILE: u64 = 4 << 20;
/// Libraries that are remembered.
const MAX_CHECKED: usize = 16;
/// How long it is believed that there is nothing: not every way to install a package shows.
const NOTHING: Duration = Duration::from_secs(24 * 60 * 60);
/// Variables that decide which Python answers, and what it sees.
const VARIABLES: [&str; 6] =
    ["PATH", "PYTHONPATH", "PYTHONHOME", "PYENV_VERSION", "VIRTUAL_ENV", "CONDA_PREFIX"];
/// Behind the name of a library: the file with its hash.
pub(crate) const HASH_ENDING: &str = ".sha256";

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Found {
    python: Option<Asked>,
    checked: Vec<Checked>,
}

/// What Python said, and what that depended on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    /// Seconds since 1970.
    on: u64,
    /// The folder of the package, where there is one.
    package: Option<PathBuf>,
    /// Values of [`VARIABLES`].
    variables: Vec<String>,
    /// Folders in which programs and packages are looked for.
    folders: Vec<Seen>,
}

/// A folder, and when something in it was added or taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    path: PathBuf,
    /// Nanoseconds since 1970; 0 where it is not there.
    modified: i64,
}

/// A library whose hash was right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Checked {
    path: PathBuf,
    length: u64,
    modified: i64,
    sha256: String,
}

/// What Python says: where the package is, and where it looked.
pub(crate) struct Answer {
    pub package: Option<PathBuf>,
    pub folders: Vec<PathBuf>,
}

/// The folder of Python's `onnxruntime`, as it was told the last time or as `ask` says now.
pub(crate) fn python_package(
    data_dir: Option<&Path>,
    ask: impl FnOnce() -> Answer,
) -> Option<PathBuf> {
    let mut found = data_dir.map(Found::read).unwrap_or_default();
    if let Some(asked) = found.python.as_ref().filter(|asked| asked.holds()) {
        return asked.package.clone();
    }
    let asked = Asked::of(ask());
    let package = asked.package.clone();
    if let Some(folder) = data_dir {
        found.python = Some(asked);
        found.write(folder);
    }
    package
}

/// Forgets what Python said, so that it is asked again.
pub(crate) fn forget_python(data_dir: &Path) {
    let mut found = Found::read(data_dir);
    if found.python.take().is_some() {
        found.write(data_dir);
    }
}

/// Compares a library with the hash that came with it: that of `engine install`, or that of the Python package. What
/// came without any is taken as it is. A file that did not change since is not read again.
pub(crate) fn check_hash(path: &Path, data_dir: Option<&Path>) -> Result<(), String> {
    let Some(expected) = expected(path) else {
        return Ok(());
    };
    let info = fs::metadata(path).map_err(|error| error.to_string())?;
    let (length, modified) = (info.len(), stamp(path));
    let right = Checked { path: path.to_owned(), length, modified, sha256: expected };
    let mut found = data_dir.map(Found::read).unwrap_or_default();
    if found.checked.contains(&right) {
        return Ok(());
    }
    let bytes = fs::read(&right.path).map_err(|error| error.to_string())?;
    let is = HEXLOWER.encode(&Sha256::digest(&bytes));
    if is != right.sha256 {
        return Err(format!(
            "it is not the file that was installed: its SHA-256 is {is}, not {}; install it again",
            right.sha256
        ));
    }
    if let Some(folder) = data_dir {
        found.checked.retain(|each| each.path != right.path);
        found.checked.truncate(MAX_CHECKED - 1);
        found.checked.insert(0, right);
        found.write(folder);
    }
    Ok(())
}

/// The hash in hexadecimal that a library should have, where something says so.
fn expected(path: &Path) -> Option<String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(HASH_ENDING);
    if let Some(text) = read(Path::new(&beside)) {
        return Some(text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase());
    }
    // A package of Python: `onnxruntime/capi/NAME`, listed in `onnxruntime*.dist-info/RECORD` as
    // `onnxruntime/capi/NAME,sha256=HASH,LENGTH`.
    let capi = path.parent()?;
    let package = capi.parent()?;
    let site = package.parent()?;
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let listed = format!("{}/{}/{},sha256=", name(package)?, name(capi)?, name(path)?);
    let infos = fs::read_dir(site).ok()?.flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        name.starts_with("onnxruntime") && name.ends_with(".dist-info")
    });
    let mut records = infos.filter_map(|entry| read(&entry.path().join("RECORD")));
    records.find_map(|record| {
        let line = record.lines().find_map(|line| line.strip_prefix(&listed))?;
        let hash = BASE64URL_NOPAD.decode(line.split(',').next()?.as_bytes()).ok()?;
        Some(HEXLOWER.encode(&hash))
    })
}

impl Asked {
    fn of(answer: Answer) -> Asked {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        let mut folders: Vec<PathBuf> = programs.chain(answer.folders).collect();
        folders.sort();
        folders.dedup();
        let seen = |path: PathBuf| Seen { modified: stamp(&path), path };
        Asked {
            on: now(),
            package: answer.package,
            variables: variables(),
            folders: folders.into_iter().map(seen).collect(),
        }
    }

    /// Whether Python would say the same.
    fn holds(&self) -> bool {
        let young = now().abs_diff(self.on) < NOTHING.as_secs();
        (self.package.is_some() || young)
            && self.package.as_ref().is_none_or(|folder| folder.is_dir())
            && self.variables == variables()
            && self.folders.iter().all(|seen| stamp(&seen.path) == seen.modified)
    }
}

impl Found {
    /// What cannot be read is found out again.
    fn read(folder: &Path) -> Found {
        read(&folder.join(FILE)).and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// Where it cannot be written, it is found out again the next time.
    fn write(&self, folder: &Path) {
        let partial = folder.join(format!(".{FILE}-{}", std::process::id()));
        let written = toml::to_string(self)
            .map_err(|error| error.to_string())
            .and_then(|text| fs::write(&partial, text).map_err(|error| error.to_string()))
            .and_then(|()| {
                fs::rename(&partial, folder.join(FILE)).map_err(|error| error.to_string())
            });
        if let Err(reason) = written {
            let _ = fs::remove_file(&partial);
            tracing::debug!(%reason, "what was found is not kept");
        }
    }
}

fn variables() -> Vec<String> {
    let value = |name| std::env::var_os(name).unwrap_or_default().to_string_lossy().into_owned();
    VARIABLES.into_iter().map(value).collect()
}

fn stamp(path: &Path) -> i64 {
    let modified = fs::metadata(path).and_then(|info| info.modified()).ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A small text file.
fn read(path: &Path) -> Option<String> {
    let info = fs::metadata(path).ok()?;
    if !info.is_file() || info.len() > MAX_FILE {
        return None;
    }
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn python_is_asked_again_when_its_packages_change() {
        let data = tempfile::tempdir().unwrap();
        let (site, other) = (data.path().join("site"), data.path().join("other"));
        fs::create_dir(&site).unwrap();
        let asked = Cell::new(0);
        let ask = |package: Option<&PathBuf>| {
            let folders = vec![site.clone(), other.clone()];
            let answer = Answer { package: package.cloned(), folders };
            python_package(Some(data.path()), || {
                asked.set(asked.get() + 1);
                answer
            })
        };
        assert_eq!((ask(None), ask(None), asked.get()), (None, None, 1));
        // A package is installed.
        let package = site.join("onnxruntime");
        fs::create_dir(&package).unwrap();
        let there = Some(package.clone());
        assert_eq!(
            (ask(Some(&package)), ask(None), asked.get()),
            (there.clone(), there.clone(), 2)
        );
        // A folder appears in which Python would look.
        fs::create_dir(&other).unwrap();
        assert_eq!((ask(Some(&package)), asked.get()), (there.clone(), 3));
        // Somebody wants to know.
        forget_python(data.path());
        assert_eq!((ask(Some(&package)), asked.get()), (there, 4));
        // The file is damaged.
        fs::write(data.path().join(FILE), "[[checked]]\npath = 1").unwrap();
        assert_eq!((ask(None), asked.get()), (None, 5));
    }

    #[test]
    fn libraries_are_compared_with_what_came_with_them() {
        let data = tempfile::tempdir().unwrap();
        // FIPS 180-2, appendix B.1: "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let library = data.path().join("libonnxruntime.so.1.30.0");
        fs::write(&library, "abd").unwrap();
        let check = |path: &Path| check_hash(path, Some(data.path()));
        assert_eq!(check(&library), Ok(()), "nothing says what it should be");
        fs::write(data.path().join("libonnxruntime.so.1.30.0.sha256"), abc).unwrap();
        let wrong = check(&library).unwrap_err();
        assert!(
            wrong.contains("not the file that was installed") && wrong.contains(abc),
            "{wrong}"
        );
        fs::write(&library, "abc").unwrap();
        assert_eq!((check(&library), check(&library)), (Ok(()), Ok(())));
        assert_eq!(Found::read(data.path()).checked.len(), 1);
        fs::write(&library, "abcd").unwrap();
        assert!(check(&library).is_err(), "another length");

        // As pip writes it; the hash is that of "abc" again (PEP 376).
        let (capi, info) = ("site/onnxruntime/capi", "site/onnxruntime-1.30.0.dist-info");
        for folder in [capi, info] {
            fs::create_dir_all(data.path().join(folder)).unwrap();
        }
        let record = "onnxruntime/__init__.py,sha256=AAAA,7\n\
            onnxruntime/capi/libonnxruntime.so.1,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\n";
        fs::write(data.path().join(info).join("RECORD"), record).unwrap();
        let packaged = data.path().join(capi).join("libonnxruntime.so.1");
        fs::write(&packaged, "abc").unwrap();
        assert_eq!(check(&packaged), Ok(()));
        fs::write(&packaged, "other").unwrap();
        assert!(check(&packaged).is_err());
    }
}
