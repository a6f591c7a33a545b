//! `recognize/1`: what is on a picture.

mod shelf;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use potluck_i18n::Lang;
use potluck_models::{
    Batcher, Catalogue, Classifier, Engine, EngineChoice, EngineConfig, EngineInfo, Label,
    ModelError,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use tokio::sync::Semaphore;

use self::shelf::{Missing, Shelf};
use super::{
    loading::{Loading, alone},
    measured::{Measured, Speed},
};
use crate::{
    config::{Config, Section, between, shown},
    protocol::{Fault, FaultKind, Repeat},
    say::{Say as _, reasons},
    service::{Capability, Context, Example, Kind, MakeError, Offered, Service, Standing},
    services::pixels,
};

/// Models that stay loaded beside the default one.
const MAX_LOADED: usize = 3;
/// When to come back whose model has no place, or a long queue before it.
const FULL: Duration = Duration::from_millis(500);
/// The most pictures that are tried together.
const MAX_BATCH: usize = 8;
/// How long the speed is measured when the model is loaded.
const MEASURE: Duration = Duration::from_millis(250);
/// Most labels of an answer.
const MAX_TOP: u16 = 100;

/// What is asked; the picture is the call's input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// A model by name; the serving node's default otherwise.
    #[serde(default)]
    pub model: Option<String>,
    /// How many labels, 1 to 100; 5 where nothing is said.
    #[serde(default = "usual_top")]
    pub top: u16,
}

fn usual_top() -> u16 {
    5
}

/// What was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    /// Best first.
    #[serde(deserialize_with = "any_labels")]
    pub labels: Vec<Label>,
    /// The model that looked.
    pub model: String,
    /// What ran it, such as `onnxruntime 1.30.0`.
    pub engine: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Whether the picture is a JPEG with all its pixels and without its end marker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_end: bool,
}

/// The `[recognize]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The name of the model. Default: `efficientnet-lite0`.
    pub model: String,
    /// `auto`, `onnxruntime` or `tract`. Default: `auto`.
    #[serde(deserialize_with = "engine")]
    pub engine: String,
    /// The ONNX Runtime library file. Default: searched for.
    pub library: Option<PathBuf>,
    /// Threads for one picture; 0 lets the engine decide. Default: 0.
    #[serde(deserialize_with = "between::<_, _, 0, 1024>")]
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: "efficientnet-lite0".to_owned(),
            engine: "auto".to_owned(),
            library: None,
            threads: 0,
        }
    }
}

impl Section for Options {
    const NAME: &'static str = "recognize";
    const TEMPLATE: &'static str = r#"# The model that names what is on a picture ("potluck models list" shows what there is).
#model = "efficientnet-lite0"

# What runs the model: "onnxruntime", "tract" (slower, needs nothing installed), or "auto",
# which takes onnxruntime where it is found.
#engine = "auto"

# The ONNX Runtime library file. Not set by default: it is searched for.
# For example: library = "/opt/onnxruntime/lib/libonnxruntime.so"

# Threads for one picture. 0 lets the engine decide; at most 1024.
#threads = 0"#;
}

/// How to run the models.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The default model.
    pub model: String,
    /// Which engine, where.
    pub engine: EngineConfig,
    /// The folder of added models.
    pub models: Option<PathBuf>,
    /// Threads that decode pictures.
    pub threads: usize,
}

/// How this node runs models.
pub fn settings(config: &Config, data_dir: Option<&Path>) -> Settings {
    Settings {
        model: config.section::<Options>().model,
        engine: engine_config(config, data_dir),
        models: data_dir.map(|dir| dir.join("models")),
        threads: super::threads(config),
    }
}

/// Which engine this node wants: for every service that runs models.
pub fn engine_config(config: &Config, data_dir: Option<&Path>) -> EngineConfig {
    let options: Options = config.section();
    EngineConfig {
        choice: match options.engine.as_str() {
            "onnxruntime" => EngineChoice::OnnxRuntime,
            "tract" => EngineChoice::Tract,
            _ => EngineChoice::Auto,
        },
        library: options.library,
        data_dir: data_dir.map(Path::to_owned),
        threads: options.threads,
    }
}

/// Picture recognition.
pub struct Recognize {
    settings: Settings,
    ready: Loading<Ready>,
    variants: Mutex<Variants>,
}

/// The names of the models, read again when their folder changes.
#[derive(Default)]
struct Variants {
    as_of: Option<SystemTime>,
    names: Vec<String>,
}

struct Ready {
    engine: Engine,
    default: Arc<Model>,
    /// Milliseconds that one picture takes alone, once it was measured.
    call_ms: OnceLock<f32>,
    /// Where that is kept.
    kept: Measured,
    /// Threads that decode pictures.
    threads: usize,
    /// Other models.
    others: Shelf<Model>,
    /// Calls that may wait for such a model to be loaded, half of the slots: the others stay for those who need not.
    waiting: Arc<Semaphore>,
}

struct Model {
    classifier: Arc<Classifier>,
    batcher: Batcher,
}

impl Recognize {
    /// Starts loading the engine and the default model on a thread of its own.
    pub fn load(settings: Settings) -> Self {
        let with = settings.clone();
        let ready = Loading::start("recognize/1", move || Ready::load(&with));
        Self { settings, ready, variants: Mutex::default() }
    }

    /// The default model at once; another one when it is loaded, for which only some calls wait.
    async fn model(&self, cx: &Context, name: Option<&str>) -> Result<Arc<Model>, Fault> {
        let not_ready = || Fault::new(FaultKind::NotOffered, reasons::model_not_loaded());
        let ready = self.ready.ready().ok_or_else(not_ready)?;
        let Some(name) = name.filter(|n| *n != ready.default.classifier.name()) else {
            return Ok(ready.default.clone());
        };
        if let Some(model) = ready.others.here(name) {
            return Ok(model);
        }
        let Ok(place) = ready.waiting.clone().try_acquire_owned() else {
            return Err(cx.no_room(FULL));
        };
        let (cell, settings, name) = (self.ready.clone(), self.settings.clone(), name.to_owned());
        let cancelled = cx.cancelled().clone();
        // Not on the pool: who decodes and looks meanwhile needs its threads.
        let fetched = cx.waiting(move || {
            let _place = place;
            let ready = cell.ready().ok_or_else(not_ready)?;
            let load = || match cancelled.is_cancelled() {
                true => Err(Fault::new(FaultKind::Cancelled, reasons::caller_left())),
                false => ready.load_other(&settings, &name).map_err(|e| model_fault(&e)),
            };
            match ready.others.fetch(&name, load) {
                Ok(model) => Ok(Some(model)),
                Err(Missing::Full) => Ok(None),
                Err(Missing::Failed(fault)) => Err(fault),
            }
        });
        fetched.await?.ok_or_else(|| cx.no_room(FULL))
    }

    fn variants(&self) -> Vec<String> {
        let folder = self.settings.models.as_deref();
        let changed = folder.and_then(|f| f.metadata().ok()).and_then(|m| m.modified().ok());
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if variants.names.is_empty() || variants.as_of != changed {
            variants.as_of = changed;
            variants.names = Catalogue::open(folder)
                .map(|catalogue| catalogue.list())
                .unwrap_or_default()
                .into_iter()
                .map(|model| model.name)
                .take(crate::protocol::advert::MAX_VARIANTS)
                .collect();
        }
        variants.names.clone()
    }
}

impl Offered for Recognize {
    const NAME: &'static str = "recognize/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::load(settings(config, data_dir)))
    }
}

impl Service for Recognize {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "recognize/1",
            summary: "picture recognition: labels with probabilities, best first",
            input: Kind::Image,
            output: Kind::Table,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let ready = self.ready.ready()?;
        let info = ready.default.classifier.engine();
        Some(Standing {
            device: info.device.clone(),
            engine: info.engine.clone(),
            call_ms: ready.call_ms.get().copied().unwrap_or(0.0),
            slots: ready.slots(),
            variants: self.variants(),
        })
    }

    fn loading(&self) -> bool {
        self.ready.is_loading()
    }

    fn trouble(&self) -> Option<String> {
        self.ready.trouble()
    }

    fn stay(&self) {
        self.ready.then("recognize/1 speed", Ready::measure);
    }

    async fn call(&self, cx: &Context, request: Request) -> Result<Response, Fault> {
        if request.top == 0 || request.top > MAX_TOP {
            return Err(Fault::bad_input(reasons::label_count(MAX_TOP)));
        }
        let Some(input) = cx.input().cloned() else {
            return Err(Fault::bad_input(reasons::call_without_picture()));
        };
        let model = self.model(cx, request.model.as_deref()).await?;
        let with = model.clone();
        let look = move |picture: potluck_models::Picture| {
            let prepared = with.classifier.prepare(&picture).map_err(|e| model_fault(&e))?;
            Ok((prepared, picture.lacks_end()))
        };
        let (prepared, lacks_end) = pixels::with_picture(cx, input, look).await?;
        cx.progress(50, "looking");
        let queue = model.clone();
        let labels = cx
            .waiting(move || {
                let broken = |e: &dyn std::fmt::Display| Fault::internal(e.to_string());
                let answer = queue
                    .batcher
                    .submit(prepared, usize::from(request.top))
                    .map_err(|e| broken(&e))?;
                answer.recv().map_err(|e| broken(&e))?.map_err(|e| model_fault(&e))
            })
            .await?;
        let EngineInfo { engine, device, .. } = model.classifier.engine().clone();
        let model = model.classifier.name().to_owned();
        Ok(Response { labels, model, engine, device, lacks_end })
    }

    fn examples(&self) -> Vec<Example<Request>> {
        // Which sample shows what stands beside the samples, with their origin.
        potluck_models::samples()
            .iter()
            .take(1)
            .map(|sample| Example {
                request: Request { model: None, top: 5 },
                input: Some(sample.bytes.to_vec()),
                check: |answer| match answer["labels"].as_array() {
                    Some(labels) if labels.len() == 5 => Ok(()),
                    _ => Err(format!("not five labels: {answer}")),
                },
            })
            .collect()
    }
}

impl Ready {
    fn load(settings: &Settings) -> Result<Self, String> {
        let engine = Engine::start(&settings.engine).map_err(|e| e.to_string())?;
        let default = Model::load(&engine, settings, &settings.model).map_err(|e| e.to_string())?;
        let looks = &default.classifier;
        let model = format!("{} {}", looks.name(), looks.sha256());
        let folder = settings.engine.data_dir.as_deref();
        let kept = Measured::new(folder, Recognize::NAME, looks.engine(), &model);
        let call_ms = OnceLock::new();
        if let Some(speed) = kept.known() {
            default.batcher.set_max_batch(speed.batch);
            let _ = call_ms.set(speed.call_ms);
        }
        let (default, threads) = (Arc::new(default), settings.threads);
        let waiting = Arc::new(Semaphore::new(threads.max(1)));
        let others = Shelf::new(MAX_LOADED);
        Ok(Self { engine, default, call_ms, kept, threads, others, waiting })
    }

    /// Enough calls to fill one batch while the next is decoded.
    fn slots(&self) -> u16 {
        let slots = 2 * self.threads.max(self.default.batcher.max_batch());
        u16::try_from(slots).unwrap_or(64)
    }

    /// Measures how many pictures are best looked at together, and one picture at a time: what a call takes that is
    /// alone. What is known from an earlier start is believed.
    fn measure(&self) {
        if self.call_ms.get().is_some() {
            return;
        }
        let speed = alone(|| {
            let classifier = &self.default.classifier;
            // tract gains nothing from batches, and would optimise the graph once more for each size.
            let several = classifier.engine().library.is_some();
            let batch = if several { classifier.best_batch(MAX_BATCH) } else { 1 };
            self.default.batcher.set_max_batch(batch);
            let call_ms = 1000.0 / self.default.measure().max(0.01);
            Speed { call_ms, batch }
        });
        let _ = self.call_ms.set(speed.call_ms);
        self.kept.keep(speed);
    }

    /// A model beside the default one. Nothing is measured: others are looking at pictures meanwhile.
    fn load_other(&self, settings: &Settings, name: &str) -> Result<Model, ModelError> {
        let model = Model::load(&self.engine, settings, name)?;
        model.batcher.set_max_batch(self.default.batcher.max_batch());
        Ok(model)
    }
}

impl Model {
    fn load(engine: &Engine, settings: &Settings, name: &str) -> Result<Self, ModelError> {
        let catalogue = Catalogue::open(settings.models.as_deref())?;
        let classifier = Arc::new(Classifier::load(engine, &catalogue, name)?);
        let batcher = Batcher::new(classifier.clone(), 1)
            .map_err(|e| ModelError::Run { name: name.to_owned(), reason: e.to_string() })?;
        Ok(Self { classifier, batcher })
    }

    /// Pictures a second from JPEG bytes to labels, one after the other.
    fn measure(&self) -> f32 {
        let started = Instant::now();
        let seen = |bytes: &[u8]| {
            let picture = potluck_models::decode(bytes).ok()?;
            let prepared = self.classifier.prepare(&picture).ok()?;
            self.batcher.submit(prepared, 1).ok()?.recv().ok()?.ok()
        };
        let samples = potluck_models::samples().iter().cycle();
        let done = samples
            .take_while(|_| started.elapsed() < MEASURE)
            .filter(|sample| seen(sample.bytes).is_some())
            .count();
        (done as f64 / started.elapsed().as_secs_f64()) as f32
    }
}

/// A server in another language may write a probability as any CBOR number.
fn any_labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Label>, D::Error> {
    #[derive(Deserialize)]
    struct Any {
        label: String,
        index: usize,
        #[serde(deserialize_with = "crate::protocol::any_f32")]
        probability: f32,
    }
    let labels = Vec::<Any>::deserialize(deserializer)?.into_iter();
    Ok(labels
        .map(|Any { label, index, probability }| Label { label, index, probability })
        .collect())
}

/// What a label says in a language; English where it is not known otherwise.
pub fn name(label: &Label, lang: Lang) -> &str {
    match lang {
        Lang::En => &label.label,
        Lang::Zh => potluck_models::in_chinese(label.index, &label.label).unwrap_or(&label.label),
    }
}

fn model_fault(error: &ModelError) -> Fault {
    let kind = match error {
        ModelError::Unknown { .. } => FaultKind::NoVariant,
        error if error.is_caller_error() => FaultKind::BadInput,
        _ => FaultKind::Internal,
    };
    Fault::new(kind, error.reason())
}
fn engine<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let engine = String::deserialize(deserializer)?;
    if ["auto", "onnxruntime", "tract"].contains(&engine.as_str()) {
        return Ok(engine);
    }
    Err(D::Error::custom(format!(
        "'{}' is not an engine (write \"auto\", \"onnxruntime\" or \"tract\")",
        shown(&engine)
    )))
}
