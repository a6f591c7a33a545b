//! What is wrong with pictures, models and engines.

use potluck_models::{BatchError, EngineError, InstallError, ModelError, PictureError};

use super::say;

/// In millions.
const MEGA: u64 = 1_000_000;

say! {
    PictureError {
        Self::Empty => "picture-empty";
        Self::NotAPicture => "picture-none";
        Self::Unsupported { what } => "picture-unsupported" (what);
        Self::Truncated => "picture-truncated";
        Self::TooLarge { width, height } => "picture-too-large"
            (width, height, most = potluck_models::MAX_PIXELS / MEGA);
        Self::TooManyBytes { bytes } => "picture-too-many-bytes"
            (bytes, most = potluck_models::MAX_BYTES >> 20);
        Self::TooMuchMemory { needed, most } => "picture-too-much-memory"
            (needed = needed.div_ceil(1 << 20), most = most >> 20);
        Self::GivenUp => "picture-given-up";
        Self::Damaged { reason } => "picture-damaged" (why = reason);
    }
    ModelError {
        Self::Unknown { name, known } => "model-unknown" (name, known);
        Self::BadName { reason } => "model-bad-name" (why = reason);
        Self::Taken { name, place } => "model-taken" (name, place);
        Self::NeedsManifest { name, presets } => "model-needs-manifest" (name, presets);
        Self::Manifest { file, reason } => "model-manifest" (file, why = reason);
        Self::NotOnnx { name, reason } => "model-not-onnx" (name, why = reason);
        Self::WrongShape { name, reason } => "model-wrong-shape" (name, why = reason);
        Self::Untrue { name, reason } => "model-untrue" (name, why = reason);
        Self::OtherFile { name, file, found, named } => "model-other-file" (name, file, found, named);
        Self::Bundled(name) => "model-bundled" (name);
        Self::WrongLabels { name, labels, outputs } => "model-wrong-labels" (name, labels, outputs);
        Self::WrongTask { name } => "model-wrong-task" (name);
        Self::Changed { file, found } => "model-changed" (file, found);
        Self::NoFolder => "model-no-folder";
        Self::Io { path, reason } => "model-io" (path, why = reason);
        Self::Run { name, reason } => "model-run" (name, why = reason);
    }
    EngineError {
        Self::NotFound { minimum, searched } => "engine-not-found"
            (minimum, searched = places(searched));
    }
    InstallError {
        Self::NoPackage { system } => "install-no-package" (system);
        Self::NoClient { tried } => "install-no-client"
            (tried = tried.join("; "));
        Self::Io { path, reason } => "install-io" (path, why = reason);
    }
    BatchError {
        Self::Stopped => "batch-stopped";
        Self::NoThread(why) => "batch-no-thread" (why);
    }
}

fn places(searched: &[(String, String)]) -> String {
    let one = |(place, why): &(String, String)| format!("{place} ({why})");
    searched.iter().map(one).collect::<Vec<_>>().join("; ")
}
