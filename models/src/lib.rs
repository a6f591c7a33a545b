//! Picture recognition for Potluck: finds an inference engine, keeps the models, decodes pictures and
//! gives labels with probabilities. No network, no async: every call here blocks and belongs on a thread
//! that may be busy.
//!
//! [`Engine`] is what computes (ONNX Runtime where it is found, the pure-Rust tract otherwise),
//! [`Catalogue`] knows the models, [`Classifier`] is one loaded model, [`Batcher`] runs what waits together,
//! [`FaceFinder`] finds faces, [`ThingFinder`] things, [`TextReader`] reads, [`PixelBudget`] bounds what the pictures under way need.

mod batch;
mod budget;
mod bundled;
mod catalogue;
mod child;
mod classify;
mod detect;
mod engine;
mod faces;
mod install;
mod library;
mod manifest;
mod names;
mod ocr;
mod picture;
mod pixels;
mod region;
mod samples;
mod session;

pub use batch::{Answer, BatchError, Batcher};
pub use budget::{PixelBudget, Room};
pub use catalogue::{Catalogue, DEFAULT_MODEL, ModelError, ModelInfo};
pub use classify::{Classifier, Label, Prepared};
pub use detect::{
    CONFIDENT, DEFAULT_DETECTOR, KINDS, MAX_THINGS, Thing, ThingFinder, kind_in_chinese,
};
pub use engine::{Engine, EngineChoice, EngineConfig, EngineError, EngineInfo};
pub use faces::{
    Area, DEFAULT_FACES, Face, FaceFinder, Gender, GenderValue, LabelLayout, LabelledBox,
    Landmarks, MAX_FACES, Plate, Point, lay_out,
};
pub use install::{InstallError, Installed, install};
pub use manifest::{
    Colours, Detector, Input, Interpolation, Layout, Manifest, Output, Softmax, Task,
};
pub use names::{chinese_names, in_chinese};
pub use ocr::{DEFAULT_READER, MAX_LINES, READABLE, TextLine, TextReader};
pub use picture::{
    MAX_BYTES, MAX_PIXELS, Picture, PictureError, decode, decode_in, decode_within, dimensions,
    needed,
};
pub use samples::{Sample, face_sample, samples, text_sample, things_sample};
