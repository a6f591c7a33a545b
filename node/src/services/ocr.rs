//! `ocr/1`: the text on a picture, read on the serving node.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use potluck_models::{Engine, EngineConfig, EngineInfo, TextReader};
use serde::{Deserialize, Serialize};

use super::{
    face::Point,
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

/// What was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// In reading order, at most 400; none is an answer too.
    pub lines: Vec<Line>,
    /// Columns of the upright picture.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// The networks that read.
    pub model: String,
    /// What ran them.
    pub engine: String,
    /// `cpu` or `cuda`.
    pub device: String,
}

/// One line of text. Positions are pixels of the upright picture, from its upper left corner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// How surely it was read, 0 to 1.
    #[serde(deserialize_with = "any_f32")]
    pub confidence: f32,
    /// Its corners: where the text begins above, ends above, ends below, begins below.
    pub corners: [Point; 4],
}

/// Lines that are believed of one answer.
const MOST: usize = 2000;
/// Characters that are believed of a line.
const LONGEST: usize = 2000;

impl Line {
    /// Lines as a peer told them, within a picture of this size: nothing lies outside of it, and every number is one.
    pub fn checked(lines: Vec<Self>, picture: (u32, u32)) -> Vec<Self> {
        let within = |mut line: Self| {
            let sound = line.corners.iter().all(|at| at.x.is_finite() && at.y.is_finite());
            for at in &mut line.corners {
                at.x = at.x.clamp(0.0, picture.0 as f32);
                at.y = at.y.clamp(0.0, picture.1 as f32);
            }
            line.text = line.text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            let is_sure = (0.0..=1.0).contains(&line.confidence);
            (sound && is_sure && !line.text.is_empty()).then_some(line)
        };
        lines.into_iter().take(MOST).filter_map(within).collect()
    }

    /// How it is drawn on a copy: with its number, so that nothing is hidden by it.
    pub fn mark(&self, number: usize) -> Mark {
        let corners = self.corners.map(|at| (at.x, at.y));
        Mark { corners, text: number.to_string(), colour: marks::PLAIN }
    }
}

/// The `[ocr]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How surely a line must be read, in per cent. Default: 50.
    #[serde(deserialize_with = "between::<_, _, 5, 95>")]
    pub least: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self { least: 50 }
    }
}

impl Section for Options {
    const NAME: &'static str = "ocr";
    const TEMPLATE: &'static str = r#"# How surely a line of text must be read, in per cent, 5 to 95.
#least = 50"#;
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How surely a line must be read, 0 to 1.
    pub least: f32,
    /// Which engine, where.
    pub engine: EngineConfig,
    /// Pictures that are read at once.
    pub threads: usize,
}

/// How this node reads.
pub fn settings(config: &Config, data_dir: Option<&Path>) -> Settings {
    Settings {
        least: f32::from(config.section::<Options>().least) / 100.0,
        engine: super::recognize::engine_config(config, data_dir),
        threads: super::threads(config),
    }
}

/// Text, read on this node.
pub struct Ocr {
    settings: Settings,
    ready: Loading<Ready>,
}

struct Ready {
    reader: Arc<TextReader>,
    /// Milliseconds that one picture takes alone, once it was measured.
    call_ms: OnceLock<f32>,
}

impl Ocr {
    /// Starts loading the engine and the networks on a thread of its own.
    pub fn load(settings: Settings) -> Self {
        let engine = settings.engine.clone();
        let ready = Loading::start("ocr/1", move || Ready::load(&engine), Ready::measure);
        Self { settings, ready }
    }
}

impl Offered for Ocr {
    const NAME: &'static str = "ocr/1";
    type Options = Options;

    fn make(config: &Config, data_dir: Option<&Path>) -> Result<Self, MakeError> {
        Ok(Self::load(settings(config, data_dir)))
    }
}

impl Service for Ocr {
    type Request = Request;
    type Response = Response;

    fn capability(&self) -> Capability {
        Capability {
            name: "ocr/1",
            summary: "the text on a picture, Chinese and English",
            input: Kind::Image,
            output: Kind::Json,
            repeat: Repeat::Safe,
        }
    }

    fn standing(&self) -> Option<Standing> {
        let ready = self.ready.ready()?;
        let info = ready.reader.engine();
        Some(Standing {
            device: info.device.clone(),
            engine: info.engine.clone(),
            call_ms: ready.call_ms.get().copied().unwrap_or(0.0),
            slots: u16::try_from(self.settings.threads.max(1)).unwrap_or(64),
            variants: vec![potluck_models::DEFAULT_READER.to_owned()],
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
        let (reader, least) = (ready.reader.clone(), self.settings.least);
        let cancelled = cx.cancelled().clone();
        let look = move |picture: potluck_models::Picture| {
            let give_up = || cancelled.is_cancelled();
            let read = reader.read(&picture, least, &give_up).map_err(|e| model_fault(&e))?;
            let EngineInfo { engine, device, .. } = reader.engine().clone();
            Ok(Response {
                lines: read.into_iter().map(line).collect(),
                width: picture.width(),
                height: picture.height(),
                model: potluck_models::DEFAULT_READER.to_owned(),
                engine,
                device,
            })
        };
        pixels::with_picture(cx, input, look).await
    }

    fn examples(&self) -> Vec<Example<Request>> {
        vec![Example {
            request: Request {},
            input: Some(potluck_models::text_sample().bytes.to_vec()),
            check: |answer| match answer["lines"][0]["text"].as_str() {
                Some(first) if first.starts_with("Potluck") => Ok(()),
                _ => Err(format!("not the notice: {answer}")),
            },
        }]
    }
}

impl Ready {
    fn load(engine: &EngineConfig) -> Result<Self, String> {
        let engine = Engine::start(engine).map_err(|e| e.to_string())?;
        let reader = TextReader::load(&engine).map_err(|e| e.to_string())?;
        Ok(Self { reader: Arc::new(reader), call_ms: OnceLock::new() })
    }

    /// Measures one picture at a time: what a call takes that is alone.
    fn measure(&self) {
        let pictures_a_second = alone(|| self.reader.measure()) as f32;
        let _ = self.call_ms.set(1000.0 / pictures_a_second.max(0.01));
    }
}

fn line(read: potluck_models::TextLine) -> Line {
    let potluck_models::TextLine { text, confidence, corners } = read;
    Line { text, confidence, corners: corners.map(|at| Point { x: at.x, y: at.y }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_is_brought_into_the_picture() {
        let line = |x: f32, text: &str, confidence| Line {
            text: text.to_owned(),
            confidence,
            corners: [Point { x, y: 2.0 }; 4],
        };
        let said = vec![
            line(1e30, "bad\u{1b}]0;news\u{7}", 0.9),
            line(f32::INFINITY, "a", 0.9),
            line(1.0, "", 0.9),
            line(1.0, "a", -0.1),
        ];
        let believed = Line::checked(said, (100, 50));
        assert_eq!(believed.len(), 1, "{believed:?}");
        assert_eq!(believed[0].text, "bad]0;news");
        assert_eq!(believed[0].corners[0], Point { x: 100.0, y: 2.0 });
    }
}
