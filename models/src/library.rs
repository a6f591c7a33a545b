//! Where the ONNX Runtime library may be, and whether a file can be loaded without harm.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::child::command;
use crate::engine::EngineConfig;
use crate::found::{self, Answer, HASH_ENDING};

/// A file to try.
pub(crate) struct Candidate {
    /// The kind of place, in plain words.
    pub place: String,
    /// The file.
    pub path: PathBuf,
}

/// A place where nothing was found.
pub(crate) struct Nothing {
    /// The kind of place, in plain words.
    pub place: String,
    /// What was missing.
    pub reason: String,
}

/// What an installed Python may take to say where its packages are.
const PYTHON_PATIENCE: Duration = Duration::from_secs(3);

/// Finds the libraries of one kind of place.
type Find = fn(&EngineConfig) -> Vec<PathBuf>;

/// The places in the order of the search.
const PLACES: [(&str, Find); 5] = [
    ("ORT_DYLIB_PATH or settings", given),
    ("beside the program", |_| beside_program()),
    ("data folder", data_folder),
    ("Python package", python_package),
    ("system", |_| system()),
];

/// The candidates in the order of the search, each found only when the iterator reaches it: asking Python
/// costs some 50 ms and is left out when an earlier file fits.
pub(crate) fn candidates(
    config: &EngineConfig,
) -> impl Iterator<Item = Result<Candidate, Nothing>> {
    PLACES.iter().flat_map(|(place, find)| {
        let found = find(config);
        if found.is_empty() {
            return vec![Err(Nothing { place: (*place).into(), reason: "nothing there".into() })];
        }
        let candidate = |path| Candidate { place: (*place).into(), path };
        found.into_iter().map(candidate).map(Ok).collect()
    })
}

/// Refuses what must not reach the system's loader: it maps a file that was cut short without complaint and
/// the process then dies on the first missing page, and a pipe would keep it waiting.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let info = fs::metadata(path).map_err(|error| error.to_string())?;
    if !info.is_file() {
        return Err("it is not a file".into());
    }
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut head = [0u8; 64];
    file.read_exact(&mut head).map_err(|_| "it is too short for a library".to_string())?;
    if cfg!(target_os = "linux") {
        check_elf(&mut file, &head, info.len())
    } else if cfg!(windows) {
        signature(&head, &[b"MZ"])
    } else {
        signature(&head, &[b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"])
    }
}

/// The version out of ONNX Runtime's build information, or out of the file's name.
pub(crate) fn version(build: &str, path: &Path) -> String {
    if let Some((_, rest)) = build.split_once("git-branch=rel-") {
        let version: String =
            rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        if !version.is_empty() {
            return version;
        }
    }
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    let digits: String = name
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let digits = digits.trim_end_matches('.');
    if digits.is_empty() { format!("at least 1.{}", ort::MINOR_VERSION) } else { digits.to_owned() }
}

/// Whether a file name is that of the runtime itself, on this system.
pub(crate) fn is_library(name: &str) -> bool {
    if cfg!(windows) {
        name.eq_ignore_ascii_case("onnxruntime.dll")
    } else if cfg!(target_os = "macos") {
        name == "libonnxruntime.dylib"
            || (name.starts_with("libonnxruntime.1") && name.ends_with(".dylib"))
    } else {
        name == "libonnxruntime.so"
            || (name.starts_with("libonnxruntime.so.") && !name.ends_with(HASH_ENDING))
    }
}

/// The runtime libraries directly in `folder`, the newest name first.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| is_library(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    // Several names are often links to one file; trying it once is enough.
    let mut seen = Vec::new();
    found.retain(|path| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    found
}

fn given(config: &EngineConfig) -> Vec<PathBuf> {
    let from_environment =
        || std::env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty()).map(PathBuf::from);
    config.library.clone().or_else(from_environment).into_iter().collect()
}

fn data_folder(config: &EngineConfig) -> Vec<PathBuf> {
    let folder = config.data_dir.as_ref().map(|dir| dir.join("engine"));
    folder.map(|folder| libraries_in(&folder)).unwrap_or_default()
}

fn beside_program() -> Vec<PathBuf> {
    let Ok(program) = std::env::current_exe() else {
        return Vec::new();
    };
    program.parent().map(libraries_in).unwrap_or_default()
}

/// The library inside an installed Python `onnxruntime`.
fn python_package(config: &EngineConfig) -> Vec<PathBuf> {
    let package = found::python_package(config.data_dir.as_deref(), ask_python);
    package.map(|package| libraries_in(&package.join("capi"))).unwrap_or_default()
}

/// Python is asked where the package is, and where it looks for packages, without importing it; the current folder is
/// left out of the search, since anyone may have put files there.
fn ask_python() -> Answer {
    const ASK: &str = "
import sys, importlib.util
sys.path = [folder for folder in sys.path if folder]
found = importlib.util.find_spec('onnxruntime')
print(found.submodule_search_locations[0] if found else '')
print('\\n'.join(sys.path))";
    let mut folders = Vec::new();
    for python in ["python3", "python"] {
        let Some(answer) = ask(python, ASK) else {
            continue;
        };
        let mut lines = answer.lines().map(str::trim);
        let package = lines.next().filter(|folder| !folder.is_empty()).map(PathBuf::from);
        folders.extend(lines.filter(|folder| !folder.is_empty()).map(PathBuf::from));
        if package.is_some() {
            return Answer { package, folders };
        }
    }
    Answer { package: None, folders }
}

/// Runs `python -c code` for at most [`PYTHON_PATIENCE`]: what it printed, if it ended well.
fn ask(python: &str, code: &str) -> Option<String> {
    let mut child = command(python)
        .args(["-c", code])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let end = Instant::now() + PYTHON_PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    let mut answer = String::new();
    child.stdout.take()?.take(64 << 10).read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn system() -> Vec<PathBuf> {
    // Not on Windows: its system folder carries an old onnxruntime.dll of its own.
    let folders: &[&str] = if cfg!(target_os = "macos") {
        &["/opt/homebrew/lib", "/usr/local/lib"]
    } else if cfg!(unix) {
        &[
            "/usr/local/lib",
            "/usr/lib",
            "/usr/lib64",
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
        ]
    } else {
        &[]
    };
    folders.iter().flat_map(|folder| libraries_in(Path::new(folder))).collect()
}

fn signature(head: &[u8], known: &[&[u8]]) -> Result<(), String> {
    if known.iter().any(|magic| head.starts_with(magic)) {
        Ok(())
    } else {
        Err("it is not a library".into())
    }
}

/// A whole 64-bit little-endian ELF file: every loaded segment and the section table lie inside the file.
fn check_elf(file: &mut File, head: &[u8; 64], length: u64) -> Result<(), String> {
    signature(head, &[b"\x7fELF\x02\x01"])?;
    let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]) as u64;
    let long = |from: &[u8], at: usize| {
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&from[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    let short = || "it is cut short".to_string();
    let inside = |offset: u64, size: u64| offset.checked_add(size).is_some_and(|end| end <= length);
    let (segments, sections) = (long(head, 32), long(head, 40));
    let (segment_size, segment_count, section_size, section_count) =
        (word(54), word(56), word(58), word(60));
    if segment_size != 56
        || !inside(segments, segment_size * segment_count)
        || !inside(sections, section_size * section_count)
    {
        return Err(short());
    }
    file.seek(SeekFrom::Start(segments)).map_err(|e| e.to_string())?;
    let mut table = vec![0u8; (segment_size * segment_count) as usize];
    file.read_exact(&mut table).map_err(|_| short())?;
    for segment in table.chunks_exact(56) {
        if !inside(long(segment, 8), long(segment, 32)) {
            return Err(short());
        }
    }
    Ok(())
}
