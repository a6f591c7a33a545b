//! `faces/1`: faces on a picture, with gender and age, found on the serving node.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use potluck_models::{Catalogue, Engine, EngineConfig, EngineInfo, FaceFinder, ModelError};
use serde::{Deserialize, Serialize};

use super::{
    loading::{Loading, alone},
    measured::{Measured, Speed},
};
use crate::{
    config::{Config, Section},
    protocol::{Fault, FaultKind, Repeat},
    say::{Say as _, reasons},
    service::{Capability, Context, Example, Kind, MakeError, Offered, Service, Standing},
    services::{
        face::{Age, Face, FaceBox, Gender, Point},
        pixels,
    },
};

/// What is asked; the picture is the call's input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The surest first, at most 200; none is an answer too.
    pub faces: Vec<Face>,
    /// Columns of the upright picture.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// The detector that looked.
    pub model: String,
    /// What ran it.
    pub engine: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Whether the picture is a JPEG with all its pixels and without its end marker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_end: bool,
}

/// The `[faces]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The name of the detector. Default: `mtcnn-blazeface`.
    pub model: String,
    /// Whether `potluck faces` without `--via` may send this person's pictures to the Face++ cloud.
    /// Default: false.
    pub cloud: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { model: potluck_models::DEFAULT_FACES.to_owned(), cloud: false }
    }
}

impl Section for Options {
    const NAME: &'static str = "faces";
    const TEMPLATE: &'static str = r#"# The detector ("potluck models list" shows what there is).
#model = "mtcnn-blazeface"

# Whether "potluck faces" without --via may send your pictures to the Face++ cloud, through a node
# that has a key. Without it, a picture never leaves the local network unless you say --via facepp.
#cloud = false"#;
}

/// How to look for faces.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The detector.
    pub model: String,
    /// Which engine, where.
    pub engine: EngineConfig,
    /// The folder of added models.
    pub models: Option<PathBuf>,
    /// Pictures that are looked at at once.
    pub threads: usize,
}

/// How this node looks for faces.
pub fn settings(config: &Config, data_dir: Option<&Path>) -> Settings {
    Settings {
        model: config.section::<Options>().model,
        engine: super::recognize::engine_config(config, data_dir),
        models: data_dir.map(|dir| dir.join("models")),
        threads: super::threads(config),
    }
}

/// Faces, found on this node.
pub struct Faces {
    settings: Settings,
    ready: Loading<Ready>,
}

struct Ready {
    finder: Arc<FaceFinder>,
    /// Milliseconds that one picture takes alone, once it was measured.
    call_ms: OnceLock<f32>,
    /// Where that is kept.
    kept: Measured,
}

impl Faces {
    /// Starts loading the engine and the networks on a thread of its own.
    pub fn load(settings: Settings) -> Self {
        let with = settings.clone();
        let ready = Loading::start("faces/1", move || Ready::load(&with));
        Self { settings, ready }
    }
}

impl Offered for Faces {
    const NAME: &'static str = "faces/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::load(settings(config, data_dir)))
    }
}

impl Service for Faces {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "faces/1",
            summary: "faces on a picture, with gender and age",
            input: Kind::Image,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let ready = self.ready.ready()?;
        let info = ready.finder.engine();
        Some(Standing {
            device: info.device.clone(),
            engine: info.engine.clone(),
            call_ms: ready.call_ms.get().copied().unwrap_or(0.0),
            slots: u16::try_from(self.settings.threads.max(1)).unwrap_or(64),
            variants: vec![ready.finder.name().to_owned()],
        })
    }

    fn loading(&self) -> bool {
        self.ready.is_loading()
    }

    fn trouble(&self) -> Option<String> {
        self.ready.trouble()
    }

    fn stay(&self) {
        self.ready.then("faces/1 speed", Ready::measure);
    }

    async fn call(&self, cx: &Context, _: Request) -> Result<Response, Fault> {
        let Some(input) = cx.input().cloned() else {
            return Err(Fault::bad_input(reasons::call_without_picture()));
        };
        let Some(ready) = self.ready.ready() else {
            return Err(Fault::new(FaultKind::NotOffered, reasons::faces_not_loaded()));
        };
        let finder = ready.finder.clone();
        let look = move |picture: potluck_models::Picture| {
            let found = finder.find(&picture).map_err(|e| fault(&e))?;
            let EngineInfo { engine, device, .. } = finder.engine().clone();
            Ok(Response {
                faces: found.iter().map(face).collect(),
                width: picture.width(),
                height: picture.height(),
                model: finder.name().to_owned(),
                engine,
                device,
                lacks_end: picture.lacks_end(),
            })
        };
        pixels::with_picture(cx, input, look).await
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![Example {
            request: Request {},
            input: Some(potluck_models::face_sample().bytes.to_vec()),
            check: |answer| match answer["faces"].as_array() {
                Some(faces) if faces.len() == 1 && faces[0]["gender"]["value"] == "female" => {
                    Ok(())
                }
                _ => Err(format!("not the one woman's face: {answer}")),
            },
        }]
    }
}

impl Ready {
    fn load(settings: &Settings) -> Result<Self, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let engine = Engine::start(&settings.engine).map_err(|e| text(&e))?;
        let catalogue = Catalogue::open(settings.models.as_deref()).map_err(|e| text(&e))?;
        let finder =
            FaceFinder::load(&engine, &catalogue, &settings.model).map_err(|e| text(&e))?;
        let model = format!("{} {}", finder.name(), finder.sha256());
        let folder = settings.engine.data_dir.as_deref();
        let kept = Measured::new(folder, Faces::NAME, finder.engine(), &model);
        let call_ms = OnceLock::new();
        if let Some(speed) = kept.known() {
            let _ = call_ms.set(speed.call_ms);
        }
        Ok(Self { finder: Arc::new(finder), call_ms, kept })
    }

    /// Measures one picture at a time: what a call takes that is alone. What is known from an earlier start is
    /// believed.
    fn measure(&self) {
        if self.call_ms.get().is_some() {
            return;
        }
        let pictures_a_second = alone(|| self.finder.measure()) as f32;
        let speed = Speed { call_ms: 1000.0 / pictures_a_second.max(0.01), batch: 1 };
        let _ = self.call_ms.set(speed.call_ms);
        self.kept.keep(speed);
    }
}

fn face(found: &potluck_models::Face) -> Face {
    let marks = &found.landmarks;
    let landmarks = [
        ("left_eye", marks.left_eye),
        ("right_eye", marks.right_eye),
        ("nose", marks.nose),
        ("mouth_left", marks.mouth_left),
        ("mouth_right", marks.mouth_right),
    ];
    let potluck_models::Area { x, y, width, height } = found.area;
    let potluck_models::Gender { value, confidence } = found.gender;
    Face {
        frame: FaceBox { x, y, width, height },
        landmarks: landmarks
            .into_iter()
            .map(|(name, at)| (name.to_owned(), Point { x: at.x, y: at.y }))
            .collect(),
        confidence: Some(found.confidence),
        gender: Some(Gender { value, confidence: Some(confidence) }),
        age: Some(Age { years: found.age, spread: Some(found.age_spread) }),
        beauty: None,
        attributes: Default::default(),
    }
}

fn fault(error: &ModelError) -> Fault {
    let kind = if error.is_caller_error() { FaultKind::BadInput } else { FaultKind::Internal };
    Fault::new(kind, error.reason())
}
