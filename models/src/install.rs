//! `engine install`: brings ONNX Runtime into the data folder through a package client that is installed
//! already (pip or npm). Version and SHA-256 are pinned, so what arrives is what was tested.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::catalogue::sha256;
use crate::child;
use crate::found::HASH_ENDING;

/// The version that is installed.
const VERSION: &str = "1.30.0";
/// SHA-256 of the npm package `onnxruntime-node`, the same file for every platform.
const NPM_SHA256: &str = "6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75";
/// What a package client may take in all.
const PATIENCE: Duration = Duration::from_secs(900);
/// Larger than any of these libraries.
const MAX_LIBRARY: u64 = 256 << 20;
/// Larger than either package.
const MAX_PACKAGE: u64 = 256 << 20;

/// What was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// The library, in `<data_dir>/engine/`.
    pub library: PathBuf,
    /// Its version.
    pub version: String,
    /// `pip` or `npm`.
    pub through: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why ONNX Runtime could not be installed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no package of it for this machine.
    #[error(
        "there is no ONNX Runtime package for this system ({system}). Install ONNX Runtime yourself and set ORT_DYLIB_PATH to its library; recognition works without it, more slowly"
    )]
    NoPackage {
        /// Operating system and processor.
        system: String,
    },
    /// Neither pip nor npm did it.
    #[error(
        "ONNX Runtime {VERSION} could not be installed: {}. Install Python with pip (https://www.python.org) or Node.js with npm (https://nodejs.org), check the network, and try again; or set ORT_DYLIB_PATH to a library that you have. Recognition works without it, more slowly",
        .tried.join("; ")
    )]
    NoClient {
        /// Each client and why it failed.
        tried: Vec<String>,
    },
    /// Writing failed.
    #[error("{path}: {reason}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// What the registries carry for one kind of machine.
struct Platform {
    /// pip's name for it.
    tag: &'static str,
    wheel_sha256: &'static str,
    in_wheel: &'static str,
    in_npm: &'static str,
    /// The file's name in the data folder.
    library: &'static str,
}

/// Installs ONNX Runtime into `<data_dir>/engine/`, where [`crate::Engine::start`] finds it, and tells
/// `progress` in plain words what happens. Takes 15 to 120 MB of download and blocks for as long as that takes,
/// at most 15 minutes a client. An earlier copy stays in place until the new one is complete.
///
/// # Errors
/// [`InstallError`] says what to do. Nothing is left behind.
pub fn install(data_dir: &Path, progress: &mut dyn FnMut(&str)) -> Result<Installed, InstallError> {
    let platform = platform().ok_or_else(|| InstallError::NoPackage {
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    })?;
    let folder = data_dir.join("engine");
    let work = folder.join(format!(".installing-{}", std::process::id()));
    fs::create_dir_all(&work).map_err(|error| failed(&work, error))?;
    let result = install_in(&platform, &folder, &work, progress);
    let _ = fs::remove_dir_all(&work);
    result
}

fn install_in(
    platform: &Platform,
    folder: &Path,
    work: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Installed, InstallError> {
    let fresh = work.join(platform.library);
    let mut tried = Vec::new();
    for (client, bring) in [("pip", through_pip as Bring), ("npm", through_npm as Bring)] {
        progress(&format!("bringing ONNX Runtime {VERSION} through {client}"));
        let outcome =
            bring(platform, work, &fresh, progress).and_then(|()| crate::library::check(&fresh));
        if let Err(reason) = outcome {
            progress(&format!("{client}: {reason}"));
            tried.push(format!("{client}: {reason}"));
            continue;
        }
        let place = folder.join(platform.library);
        let hash = folder.join(format!("{}{HASH_ENDING}", platform.library));
        let library = fs::read(&fresh).map_err(|error| failed(&fresh, error))?;
        // The old file may be loaded right now; a rename leaves the running copy alone. Without a hash for a moment,
        // no library is measured by the one of another.
        let _ = fs::remove_file(&hash);
        fs::rename(&fresh, &place).map_err(|error| failed(&place, error))?;
        fs::write(&hash, sha256(&library)).map_err(|error| failed(&hash, error))?;
        progress(&format!("installed {}", place.display()));
        let bytes = library.len() as u64;
        return Ok(Installed {
            library: place,
            version: VERSION.into(),
            through: client.into(),
            bytes,
        });
    }
    Err(InstallError::NoClient { tried })
}

/// Brings the library to a file: platform, folder to work in, the file, progress.
type Bring = fn(&Platform, &Path, &Path, &mut dyn FnMut(&str)) -> Result<(), String>;

fn through_pip(
    platform: &Platform,
    work: &Path,
    to: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let what = format!("onnxruntime=={VERSION}");
    // Any wheel carries the same library; naming platform and Python lets every pip fetch this one.
    let arguments = [
        "download",
        &what,
        "--no-deps",
        "--only-binary=:all:",
        "--platform",
        platform.tag,
        "--python-version",
        "3.12",
        "--implementation",
        "cp",
        "--abi",
        "cp312",
        "--dest",
        ".",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--timeout",
        "20",
        "--retries",
        "2",
    ];
    let clients: [&[&str]; 4] =
        [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"]];
    first_that_works(&clients, &arguments, work)?;
    let package = file_ending(work, ".whl")?;
    progress("checking the package");
    let bytes = checked(&package, platform.wheel_sha256)?;
    let mut archive =
        zip::ZipArchive::new(io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut library = archive.by_name(platform.in_wheel).map_err(|error| error.to_string())?;
    write_out(&mut library, to)
}

fn through_npm(
    platform: &Platform,
    work: &Path,
    to: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let what = format!("onnxruntime-node@{VERSION}");
    let clients: [&[&str]; 1] = [&[if cfg!(windows) { "npm.cmd" } else { "npm" }]];
    first_that_works(&clients, &["pack", &what, "--loglevel=error", "--ignore-scripts"], work)?;
    let package = file_ending(work, ".tgz")?;
    progress("checking the package");
    let bytes = checked(&package, NPM_SHA256)?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        if entry.path().is_ok_and(|path| path == Path::new(platform.in_npm)) {
            return write_out(&mut entry, to);
        }
    }
    Err(format!("the package has no {}", platform.in_npm))
}

/// Runs the first client that is installed and succeeds; the last reason otherwise.
fn first_that_works(clients: &[&[&str]], arguments: &[&str], work: &Path) -> Result<(), String> {
    let mut reason = "it is not installed".to_owned();
    for client in clients {
        let Some((program, before)) = client.split_first() else {
            continue;
        };
        let mut command = child::command(program);
        command.args(before).args(arguments).current_dir(work);
        match run(&mut command, work) {
            Ok(()) => return Ok(()),
            Err(None) => {}
            Err(Some(said)) => reason = said,
        }
    }
    Err(reason)
}

/// Runs a package client: `Err(None)` when it is not installed, `Err(Some(reason))` when it fails.
fn run(command: &mut Command, work: &Path) -> Result<(), Option<String>> {
    let some = |error: io::Error| Some(error.to_string());
    // A file instead of a pipe: a client that says much cannot block on it.
    let said = work.join("said.txt");
    let log = File::create(&said).map_err(some)?;
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(some(error)),
    };
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(some)? {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Some("it took too long".into()));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let text = fs::read(&said).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.to_ascii_lowercase().contains("error");
    let told = lines().find(is_error).or_else(|| lines().next_back());
    Err(Some(told.map_or_else(|| status.to_string(), |line| line.chars().take(300).collect())))
}

fn file_ending(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(ending))
        .ok_or_else(|| format!("it brought no {ending} file"))
}

/// The bytes of a package whose hash is the pinned one.
fn checked(package: &Path, expected: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(package)
        .and_then(|file| file.take(MAX_PACKAGE).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    let found = sha256(&bytes);
    if found == expected {
        Ok(bytes)
    } else {
        Err(format!("the package is not the expected one (SHA-256 {found})"))
    }
}

/// Writes and syncs the library.
fn write_out(from: &mut dyn Read, to: &Path) -> Result<(), String> {
    let mut write = || -> io::Result<()> {
        let mut file = File::create(to)?;
        io::copy(&mut from.take(MAX_LIBRARY), &mut file)?;
        file.flush()?;
        file.sync_all()
    };
    write().map_err(|error| error.to_string())
}

fn failed(path: &Path, error: io::Error) -> InstallError {
    InstallError::Io { path: path.display().to_string(), reason: error.to_string() }
}

fn platform() -> Option<Platform> {
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        Some(Platform {
            tag: "manylinux_2_28_x86_64",
            wheel_sha256: "fa688e7891a6aa206636fe7372e27ee75fd17713289f6b4fc7b190e0a7de9328",
            in_wheel: "onnxruntime/capi/libonnxruntime.so.1.30.0",
            in_npm: "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
            library: "libonnxruntime.so.1.30.0",
        })
    } else if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64")) {
        Some(Platform {
            tag: "manylinux_2_28_aarch64",
            wheel_sha256: "6c32a000d5139a38ba9349030b0032e3331acb559d596b22738d9d2b343a2b83",
            in_wheel: "onnxruntime/capi/libonnxruntime.so.1.30.0",
            in_npm: "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
            library: "libonnxruntime.so.1.30.0",
        })
    } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
        Some(Platform {
            tag: "macosx_14_0_arm64",
            wheel_sha256: "001ed726c9bd5e2bc92faade7d37d889e9606a350b7d5529f0227df2e3bb57fd",
            in_wheel: "onnxruntime/capi/libonnxruntime.1.30.0.dylib",
            in_npm: "package/bin/napi-v6/darwin/arm64/libonnxruntime.1.30.0.dylib",
            library: "libonnxruntime.1.30.0.dylib",
        })
    } else if cfg!(all(windows, target_arch = "x86_64")) {
        Some(Platform {
            tag: "win_amd64",
            wheel_sha256: "f3501472571f1b1eee50e017851e7929f5ea37312d2d8c2494a19e8fc58b4a38",
            in_wheel: "onnxruntime/capi/onnxruntime.dll",
            in_npm: "package/bin/napi-v6/win32/x64/onnxruntime.dll",
            library: "onnxruntime.dll",
        })
    } else {
        None
    }
}
