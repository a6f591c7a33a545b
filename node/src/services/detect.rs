//! `detect/1`: what is where on a picture, found on the serving node.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use potluck_i18n::Lang;
use potluck_models::{Engine, EngineConfig, EngineInfo, ThingFinder};
use serde::{Deserialize, Serialize};

use super::{
    face::FaceBox,
    loading::{Loading, alone},
    marks::{self, Mark},
    pixels::{self, model_fault},
};
use crate::{
    config::{Config, Section, between},
    protocol::{Fault, FaultKind, Repeat, any_f32},
    say::reasons,
    service::{Capability, Context, Example, Kind, MakeError, Offered, Service, Standing},
};

/// What is asked; the picture is the call's input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Request {}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The surest first, at most 100; none is an answer too.
    pub things: Vec<Thing>,
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
}

/// One thing. Positions are pixels of the upright picture, from its upper left corner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// Where it is.
    #[serde(rename = "box")]
    pub frame: FaceBox,
    /// The English name of its kind, such as `cat`.
    pub name: String,
    /// How sure it is that this is one, 0 to 1.
    #[serde(deserialize_with = "any_f32")]
    pub confidence: f32,
}

/// Things that are believed of one answer.
const MOST: usize = 1000;
/// Characters that are believed of a name.
const NAME: usize = 60;

impl Thing {
    /// Things as a peer told them, within a picture of this size: nothing lies outside of it, and every number is one.
    pub fn checked(things: Vec<Self>, picture: (u32, u32)) -> Vec<Self> {
        let within = |mut thing: Self| {
            let FaceBox { x, y, width, height } = thing.frame;
            let finite = [x, y, width, height].iter().all(|number| number.is_finite());
            thing.frame = FaceBox::within(x.into(), y.into(), width.into(), height.into(), picture);
            thing.name = thing.name.chars().filter(|c| !c.is_control()).take(NAME).collect();
            let has_area = thing.frame.width > 0.0 && thing.frame.height > 0.0;
            let is_sure = (0.0..=1.0).contains(&thing.confidence);
            (finite && has_area && is_sure && !thing.name.is_empty()).then_some(thing)
        };
        things.into_iter().take(MOST).filter_map(within).collect()
    }

    /// What it is, in a language; English where the kind is not known.
    pub fn name(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.name,
            Lang::Zh => potluck_models::kind_in_chinese(&self.name),
        }
    }

    /// How it is drawn on a copy: things of one kind have one colour.
    pub fn mark(&self, lang: Lang) -> Mark {
        let FaceBox { x, y, width, height } = self.frame;
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        let text = format!("{} {:.0}%", self.name(lang), self.confidence * 100.0);
        Mark { corners, text, colour: marks::colour(&self.name) }
    }
}

/// The `[detect]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How sure the detector must be of a thing, in per cent. Default: 40.
    #[serde(deserialize_with = "between::<_, _, 5, 95>")]
    pub least: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self { least: 40 }
    }
}

impl Section for Options {
    const NAME: &'static str = "detect";
    const TEMPLATE: &'static str = r#"# How sure the detector must be of a thing, in per cent, 5 to 95.
#least = 40"#;
}

/// How to look for things.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How sure the detector must be, 0 to 1.
    pub least: f32,
    /// Which engine, where.
    pub engine: EngineConfig,
    /// Pictures that are looked at at once.
    pub threads: usize,
}

/// How this node looks for things.
pub fn settings(config: &Config, data_dir: Option<&Path>) -> Settings {
    Settings {
        least: f32::from(config.section::<Options>().least) / 100.0,
        engine: super::recognize::engine_config(config, data_dir),
        threads: super::threads(config),
    }
}

/// Things, found on this node.
pub struct Detect {
    settings: Settings,
    ready: Loading<Ready>,
}

struct Ready {
    finder: Arc<ThingFinder>,
    /// Milliseconds that one picture takes alone, once it was measured.
    call_ms: OnceLock<f32>,
}

impl Detect {
    /// Starts loading the engine and the network on a thread of its own.
    pub fn load(settings: Settings) -> Self {
        let engine = settings.engine.clone();
        let ready = Loading::start("detect/1", move || Ready::load(&engine), Ready::measure);
        Self { settings, ready }
    }
}

impl Offered for Detect {
    const NAME: &'static str = "detect/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::load(settings(config, data_dir)))
    }
}

impl Service for Detect {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "detect/1",
            summary: "what is where on a picture: boxes with names",
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
            variants: vec![potluck_models::DEFAULT_DETECTOR.to_owned()],
        })
    }

    fn loading(&self) -> bool {
        self.ready.is_loading()
    }

    fn trouble(&self) -> Option<String> {
        self.ready.trouble()
    }

    async fn call(&self, cx: &Context, _: Request) -> Result<Response, Fault> {
        let Some(input) = cx.input().cloned() else {
            return Err(Fault::bad_input(reasons::call_without_picture()));
        };
        let Some(ready) = self.ready.ready() else {
            return Err(Fault::new(FaultKind::NotOffered, reasons::model_not_loaded()));
        };
        let (finder, least) = (ready.finder.clone(), self.settings.least);
        let look = move |picture: potluck_models::Picture| {
            let found = finder.find(&picture, least).map_err(|e| model_fault(&e))?;
            let EngineInfo { engine, device, .. } = finder.engine().clone();
            Ok(Response {
                things: found.into_iter().map(thing).collect(),
                width: picture.width(),
                height: picture.height(),
                model: potluck_models::DEFAULT_DETECTOR.to_owned(),
                engine,
                device,
            })
        };
        pixels::with_picture(cx, input, look).await
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![Example {
            request: Request {},
            input: Some(potluck_models::things_sample().bytes.to_vec()),
            check: |answer| match answer["things"].as_array() {
                Some(things) if things.iter().any(|thing| thing["name"] == "cat") => Ok(()),
                _ => Err(format!("not the cat: {answer}")),
            },
        }]
    }
}

impl Ready {
    fn load(engine: &EngineConfig) -> Result<Self, String> {
        let engine = Engine::start(engine).map_err(|e| e.to_string())?;
        let finder = ThingFinder::load(&engine).map_err(|e| e.to_string())?;
        Ok(Self { finder: Arc::new(finder), call_ms: OnceLock::new() })
    }

    /// Measures one picture at a time: what a call takes that is alone.
    fn measure(&self) {
        let pictures_a_second = alone(|| self.finder.measure()) as f32;
        let _ = self.call_ms.set(1000.0 / pictures_a_second.max(0.01));
    }
}

fn thing(found: potluck_models::Thing) -> Thing {
    let potluck_models::Thing { x, y, width, height, name, confidence } = found;
    Thing { frame: FaceBox { x, y, width, height }, name, confidence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_is_brought_into_the_picture() {
        let thing = |x: f32, width: f32, name: &str, confidence| Thing {
            frame: FaceBox { x, y: 1.0, width, height: 5.0 },
            name: name.to_owned(),
            confidence,
        };
        let said = vec![
            thing(-5.0, 1e30, "cat\u{1b}[2J", 0.5),
            thing(f32::NAN, 5.0, "cat", 0.5),
            thing(500.0, 5.0, "cat", 0.5),
            thing(5.0, 5.0, "cat", 7.0),
            thing(5.0, 5.0, "\n", 0.5),
        ];
        let believed = Thing::checked(said, (100, 50));
        assert_eq!(believed.len(), 1, "{believed:?}");
        assert_eq!((believed[0].frame.x, believed[0].frame.width), (0.0, 100.0));
        assert_eq!(believed[0].name, "cat[2J");
    }

    #[test]
    fn every_kind_has_a_name_in_chinese() {
        for (english, chinese) in potluck_models::KINDS {
            let frame = FaceBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
            let thing = Thing { frame, name: english.to_owned(), confidence: 1.0 };
            assert_eq!((thing.name(Lang::En), thing.name(Lang::Zh)), (english, chinese));
        }
    }
}
