//! Text in a picture: its lines, Chinese and English, with where they stand. On this machine; no picture leaves.
//!
//! PP-OCRv4 mobile (PaddlePaddle; Apache-2.0) in three networks: one finds lines (`ocr/find.rs`), one says whether a
//! line stands upside down, one reads it (`ocr/line.rs`). `ocr/order.rs` puts lines into the order in which people
//! read them.

mod find;
mod line;
mod order;
mod quad;
mod sizes;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::find::Finder;
use self::line::{Cut, Reader};
use self::quad::Quad;
use crate::catalogue::ModelError;
use crate::engine::{Engine, EngineInfo};
use crate::faces::Point;
use crate::picture::{Picture, decode};
use crate::samples::text_sample;
use crate::session::Fault;

/// The name of the reader that is compiled in.
pub const DEFAULT_READER: &str = "pp-ocrv4";
/// How surely a line should be read; less is a pattern that looked like text, as a rule. RapidOCR's value.
pub const READABLE: f32 = 0.5;
/// The most lines that are read on one picture.
pub const MAX_LINES: usize = 400;

/// How long [`TextReader::measure`] goes on, unless one picture takes longer.
const MEASURE: Duration = Duration::from_millis(300);

/// A line of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextLine {
    /// What it says; never empty.
    pub text: String,
    /// How surely its letters were read, 0 to 1: the mean over them.
    pub confidence: f32,
    /// Its corners in pixels of the upright picture, inside of it: where the text begins above, ends above, ends
    /// below, begins below.
    pub corners: [Point; 4],
}

/// The loaded networks. Shared between threads in an `Arc`.
pub struct TextReader {
    finder: Finder,
    reader: Reader,
    engine: EngineInfo,
}

impl TextReader {
    /// Loads the bundled networks and runs each once.
    ///
    /// # Errors
    /// [`ModelError`], when the engine cannot load them.
    pub fn load(engine: &Engine) -> Result<TextReader, ModelError> {
        let load = || Ok((Finder::load(engine)?, Reader::load(engine)?));
        let (finder, reader) =
            load().map_err(|fault| ModelError::from_fault(DEFAULT_READER, fault))?;
        let engine = EngineInfo { device: finder.device().into(), ..engine.info().clone() };
        Ok(TextReader { finder, reader, engine })
    }

    /// The engine, and the device that the networks run on.
    pub fn engine(&self) -> &EngineInfo {
        &self.engine
    }

    /// The lines of a picture that are read as surely as `least` (0 to 1, [`READABLE`]), in reading order, at most
    /// [`MAX_LINES`]; none is an answer too. `give_up` is asked between lines; what was read until then is the answer.
    ///
    /// # Errors
    /// [`ModelError::Run`] when an engine fails.
    pub fn read(
        &self,
        picture: &Picture,
        least: f32,
        give_up: &dyn Fn() -> bool,
    ) -> Result<Vec<TextLine>, ModelError> {
        let run = |fault: Fault| ModelError::from_fault(DEFAULT_READER, fault);
        let mut lines = Vec::new();
        for quad in self.finder.find(picture).map_err(run)? {
            if give_up() {
                break;
            }
            let read = self.reader.read(&Cut::new(picture, quad)).map_err(run)?;
            if let Some((text, confidence, quad)) = read.filter(|read| read.1 >= least) {
                lines.push((quad, text, confidence));
            }
        }
        let size = (picture.width() as f32, picture.height() as f32);
        let order = order::order(&lines.iter().map(|line| line.0).collect::<Vec<Quad>>());
        let mut lines: Vec<Option<_>> = lines.into_iter().map(Some).collect();
        let line = |(quad, text, confidence): (Quad, String, f32)| {
            let corners = quad
                .corners()
                .map(|(x, y)| Point { x: x.clamp(0.0, size.0), y: y.clamp(0.0, size.1) });
            TextLine { text, confidence, corners }
        };
        Ok(order.into_iter().filter_map(|index| lines.get_mut(index)?.take()).map(line).collect())
    }

    /// Pictures a second that this machine reaches with the bundled sample, a few lines of text, one after the
    /// other. 0.0 should the engine fail.
    pub fn measure(&self) -> f64 {
        let (start, mut done) = (Instant::now(), 0u32);
        while done == 0 || start.elapsed() < MEASURE {
            let read = decode(text_sample().bytes)
                .ok()
                .and_then(|p| self.read(&p, READABLE, &|| false).ok());
            if read.is_none() {
                return 0.0;
            }
            done += 1;
        }
        f64::from(done) / start.elapsed().as_secs_f64()
    }
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextReader").field("engine", &self.engine.engine).finish_non_exhaustive()
    }
}
