//! What services measured of themselves on this machine, kept in the data folder, so that a start need not wait for
//! it again. It counts for the same program, processor, engine and model only, and for a week: whoever measures may
//! have been disturbed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use potluck_models::EngineInfo;
use serde::{Deserialize, Serialize};

use crate::private;

/// The file in the data folder.
const FILE: &str = "measured.json";
/// The largest file that is read.
const MAX_FILE: u64 = 64 << 10;
/// How long a measurement counts, in seconds.
const WEEK: u64 = 7 * 86_400;

/// Slower than any engine is: it failed.
const FAILED_MS: f32 = 60_000.0;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Speed {
    /// Milliseconds that one call takes alone.
    pub(super) call_ms: f32,
    /// Pictures that are best looked at together.
    pub(super) batch: usize,
}

/// Where a service keeps it.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    file: Option<PathBuf>,
    capability: &'static str,
    /// What it is true of.
    of: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    of: String,
    /// Seconds since 1970.
    on: u64,
    #[serde(flatten)]
    speed: Speed,
}

impl Measured {
    /// For a capability that an engine serves with a model; `None` for the folder keeps nothing.
    pub(super) fn new(
        data_dir: Option<&Path>,
        capability: &'static str,
        engine: &EngineInfo,
        model: &str,
    ) -> Self {
        let EngineInfo { engine, device, threads, library, .. } = engine;
        let library = library.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let program = env!("CARGO_PKG_VERSION");
        let debug = if cfg!(debug_assertions) { " debug" } else { "" };
        let of = format!(
            "potluck {program}{debug}; {}; {engine} {library} on {device}, {threads} threads; {model}",
            machine()
        );
        Self { file: data_dir.map(|folder| folder.join(FILE)), capability, of }
    }

    /// What was measured before, where it still counts.
    pub(super) fn known(&self) -> Option<Speed> {
        let entry = self.file.as_deref().map(read)?.remove(self.capability)?;
        let young = now().abs_diff(entry.on) < WEEK;
        (entry.of == self.of && young && entry.speed.is_sane()).then_some(entry.speed)
    }

    /// Keeps it for the next start. Where it cannot be kept, it is measured again then.
    pub(super) fn keep(&self, speed: Speed) {
        // Services of one process measure at the same time, and share the file.
        static TURN: Mutex<()> = Mutex::new(());
        let Some(file) = self.file.as_deref().filter(|_| speed.is_sane()) else { return };
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = read(file);
        let entry = Entry { of: self.of.clone(), on: now(), speed };
        all.insert(self.capability.to_owned(), entry);
        let kept = serde_json::to_vec_pretty(&all)
            .map_err(|error| error.to_string())
            .and_then(|bytes| private::replace(file, &bytes).map_err(|error| error.to_string()));
        if let Err(reason) = kept {
            tracing::debug!(%reason, "what was measured is not kept");
        }
    }
}

impl Speed {
    fn is_sane(&self) -> bool {
        self.call_ms > 0.0 && self.call_ms < FAILED_MS && (1..=64).contains(&self.batch)
    }
}

/// What cannot be read is measured again.
fn read(file: &Path) -> BTreeMap<String, Entry> {
    let small = fs::metadata(file).is_ok_and(|info| info.is_file() && info.len() <= MAX_FILE);
    let bytes = small.then(|| fs::read(file).ok()).flatten().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// The processor, as far as the system names it.
fn machine() -> String {
    let told = || {
        let all = fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = all.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = told().or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok()).unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} {name} x {count}", std::env::consts::ARCH)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(threads: usize) -> EngineInfo {
        let (engine, device) = ("tract 0.23".to_owned(), "cpu".to_owned());
        EngineInfo { engine, library: None, device, threads, searched: Vec::new() }
    }

    #[test]
    fn it_counts_for_the_same_engine_and_model_only() {
        let folder = tempfile::tempdir().unwrap();
        let of = |capability, threads, model| {
            Measured::new(Some(folder.path()), capability, &engine(threads), model)
        };
        let speed = Speed { call_ms: 35.5, batch: 2 };
        assert_eq!(of("recognize/1", 2, "a").known(), None);
        of("recognize/1", 2, "a").keep(speed);
        of("faces/1", 2, "b").keep(Speed { call_ms: 90.0, batch: 1 });
        assert_eq!(of("recognize/1", 2, "a").known(), Some(speed));
        for other in [of("recognize/1", 3, "a"), of("recognize/1", 2, "b"), of("faces/1", 2, "a")] {
            assert_eq!(other.known(), None);
        }
        assert_eq!(Measured::new(None, "recognize/1", &engine(2), "a").known(), None);
        // Whatever stands in the file.
        for text in ["", "{", "[1]", r#"{"recognize/1":{"of":"x","on":1,"call_ms":-1,"batch":0}}"#]
        {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert_eq!(of("recognize/1", 2, "a").known(), None, "{text}");
        }
        of("recognize/1", 2, "a").keep(speed);
        assert_eq!(of("recognize/1", 2, "a").known(), Some(speed));
    }

    #[test]
    fn it_is_measured_again_after_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let it = Measured::new(Some(folder.path()), "recognize/1", &engine(2), "a");
        it.keep(Speed { call_ms: 1.0, batch: 1 });
        let mut all = read(&folder.path().join(FILE));
        all.get_mut("recognize/1").unwrap().on -= WEEK + 1;
        fs::write(folder.path().join(FILE), serde_json::to_vec(&all).unwrap()).unwrap();
        assert_eq!(it.known(), None);
    }
}
