//! Picture recognition for Potluck: finds an inference engine, keeps the models, decodes pictures and
//! gives labels with probabilities. No network, no async: every call here blocks and belongs on a thread
//! that may be busy.
//!
//! [`Engine`] is what computes (ONNX Runtime where it is found, the pure-Rust tract otherwise),
//! [`Catalogue`] knows the models, [`Classifier`] is one loaded model, [`Batcher`] runs what waits together,
//! [`FaceFinder`] finds faces, [`PixelBudget`] bounds what the pictures under way need.

mod area;
mod batch;
mod budget;
mod catalogue;
mod child;
mod classify;
mod engine;
mod faces;
mod found;
mod install;
mod library;
mod manifest;
mod names;
mod picture;
mod samples;
mod session;

pub use area::Area;
pub use batch::{Answer, BatchError, Batcher};
pub use budget::{PixelBudget, Room};
pub use catalogue::{Catalogue, DEFAULT_MODEL, ModelError, ModelInfo};
pub use classify::{Classifier, Label, Prepared};
pub use engine::{Engine, EngineChoice, EngineConfig, EngineError, EngineInfo};
pub use faces::{DEFAULT_FACES, Face, FaceFinder, Gender, Landmarks, MAX_FACES, Point, Sex};
pub use install::{InstallError, Installed, install};
pub use manifest::{
    Colours, Detector, Input, Interpolation, Layout, Manifest, Output, Softmax, Task,
};
pub use names::{chinese_names, in_chinese};
pub use picture::{
    MAX_BYTES, MAX_PIXELS, Picture, PictureError, decode, decode_in, decode_within, dimensions,
    needed,
};
pub use samples::{Sample, face_sample, samples};
