//! The inference engine of this process: ONNX Runtime loaded from a library that is found at start, or
//! tract, which is compiled in and always works.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::ep::{self, ExecutionProvider};
use serde::Serialize;

use crate::found;
use crate::library::{self, Candidate};

/// Which engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// ONNX Runtime where it is found, tract otherwise.
    #[default]
    Auto,
    /// ONNX Runtime, or an error that says where it was looked for.
    OnnxRuntime,
    /// The compiled-in pure-Rust engine.
    Tract,
}

/// How to start an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Which engine.
    pub choice: EngineChoice,
    /// The ONNX Runtime library to try first. Where it is `None`, `ORT_DYLIB_PATH` is read.
    pub library: Option<PathBuf>,
    /// The node's data folder: `engine/` in it is searched, and what was found is kept in it.
    pub data_dir: Option<PathBuf>,
    /// Threads for one inference; 0 takes the number of processors.
    pub threads: usize,
}

/// What runs here, for `engine status`, the advert and every answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EngineInfo {
    /// Name and version, like `onnxruntime 1.30.0` or `tract 0.23`.
    pub engine: String,
    /// The loaded library; `None` for tract.
    pub library: Option<PathBuf>,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Threads used for one inference.
    pub threads: usize,
    /// Where ONNX Runtime was looked for, in order, and what came of each place.
    pub searched: Vec<(String, String)>,
}

/// Why no engine could be started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// ONNX Runtime was demanded and not found.
    #[error(
        "ONNX Runtime 1.{minimum} or newer was not found. Run `potluck engine install`, or choose the engine `auto`. Looked in: {}",
        list(.searched)
    )]
    NotFound {
        /// The oldest minor version that fits.
        minimum: u32,
        /// Place and reason, in the order of the search.
        searched: Vec<(String, String)>,
    },
}

/// A running engine. Cloning is cheap, and all clones share one environment.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) backend: Backend,
    info: Arc<EngineInfo>,
}

/// What an [`Engine`] computes with.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// ONNX Runtime and whether its CUDA provider works here.
    OnnxRuntime(ort::environment::Environment, bool),
    /// The compiled-in engine.
    Tract,
}

/// ONNX Runtime allows one environment in a process and cannot be unloaded, so the first one found is kept.
static RUNNING: Mutex<Option<Engine>> = Mutex::new(None);

/// Keep in step with the version of `tract-onnx` in Cargo.toml.
const TRACT: &str = "tract 0.23";

impl Engine {
    /// Starts the engine that `config` asks for. A library that is broken or too old is skipped, with the
    /// reason in [`EngineInfo::searched`]. ONNX Runtime starts once in a process: later starts share it,
    /// whatever library they name.
    ///
    /// Blocks for some 20 ms to load a library, up to 3 s where an installed Python is asked and slow to answer.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] where ONNX Runtime is demanded and not there; nothing else fails.
    pub fn start(config: &EngineConfig) -> Result<Engine, EngineError> {
        let threads = match config.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            some => some,
        };
        if config.choice == EngineChoice::Tract {
            return Ok(Engine::tract(threads, Vec::new()));
        }
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = running.as_ref() {
            return Ok(engine.with_threads(threads));
        }
        let mut searched = Vec::new();
        for candidate in library::candidates(config) {
            let Candidate { place, path } = match candidate {
                Ok(candidate) => candidate,
                Err(nothing) => {
                    searched.push((nothing.place, nothing.reason));
                    continue;
                }
            };
            let place = format!("{place}: {}", path.display());
            match load(&path, config.data_dir.as_deref()) {
                Ok((environment, version)) => {
                    searched.push((place, "used".into()));
                    let cuda = cuda_works(&environment);
                    let engine = Engine {
                        backend: Backend::OnnxRuntime(environment, cuda),
                        info: Arc::new(EngineInfo {
                            engine: format!("onnxruntime {version}"),
                            library: Some(path),
                            device: if cuda { "cuda" } else { "cpu" }.into(),
                            threads,
                            searched,
                        }),
                    };
                    *running = Some(engine.clone());
                    return Ok(engine);
                }
                Err(reason) => {
                    tracing::warn!(%place, %reason, "this ONNX Runtime library is skipped");
                    searched.push((place, reason));
                }
            }
        }
        match config.choice {
            EngineChoice::OnnxRuntime => {
                Err(EngineError::NotFound { minimum: ort::MINOR_VERSION, searched })
            }
            _ => Ok(Engine::tract(threads, searched)),
        }
    }

    /// Lets the next start ask Python again where its ONNX Runtime is, whatever was found before.
    pub fn search_again(data_dir: &Path) {
        found::forget_python(data_dir);
    }

    /// What runs, on which device, and what was looked for.
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn tract(threads: usize, searched: Vec<(String, String)>) -> Engine {
        Engine {
            backend: Backend::Tract,
            info: Arc::new(EngineInfo {
                engine: TRACT.into(),
                library: None,
                device: "cpu".into(),
                threads,
                searched,
            }),
        }
    }

    fn with_threads(&self, threads: usize) -> Engine {
        let info = EngineInfo { threads, ..(*self.info).clone() };
        Engine { backend: self.backend.clone(), info: Arc::new(info) }
    }
}

/// Loads a library and makes the environment: `(environment, version)` or the reason why not.
fn load(
    path: &Path,
    data_dir: Option<&Path>,
) -> Result<(ort::environment::Environment, String), String> {
    library::check(path)?;
    found::check_hash(path, data_dir)?;
    // `ort` asserts that the library answers as ONNX Runtime does; one that only pretends must not end the process.
    catch_unwind(|| {
        let builder = ort::init_from(path).map_err(|error| error.to_string())?;
        let environment = builder
            .with_name("potluck")
            .with_telemetry(false)
            .build()
            .map_err(|error| error.to_string())?;
        environment.set_log_level(ort::logging::LogLevel::Error);
        Ok((environment, library::version(ort::info(), path)))
    })
    .unwrap_or_else(|_| Err("it does not answer as ONNX Runtime does".into()))
}

/// Whether the library has the CUDA provider and the provider starts on this machine.
fn cuda_works(environment: &ort::environment::Environment) -> bool {
    if !ep::CUDA::is_available().unwrap_or(false) {
        return false;
    }
    let registered = ort::session::Session::builder(environment)
        .map_err(|error| error.to_string())
        .and_then(|builder| {
            builder
                .with_execution_providers([ep::CUDA::default().build().error_on_failure()])
                .map_err(|error| error.to_string())
        });
    match registered {
        Ok(_) => true,
        Err(reason) => {
            tracing::warn!(%reason, "CUDA is offered but does not start; using the processor");
            false
        }
    }
}

fn list(searched: &[(String, String)]) -> String {
    let lines: Vec<String> =
        searched.iter().map(|(place, reason)| format!("{place} ({reason})")).collect();
    lines.join("; ")
}
