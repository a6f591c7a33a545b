//! The models of this node: the bundled ones, and those that its person added.

use std::path::{Path, PathBuf};

use potluck::{
    config::Config,
    say::{Reason, Say as _},
    services::recognize::engine_config,
};
use potluck_models::{Catalogue, Engine, ModelInfo};

use super::Backend;

/// A model, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Whether it finds faces; the others name what is on a picture.
    pub faces: bool,
    /// Size in bytes.
    pub bytes: u64,
    /// Who may use it how.
    pub licence: String,
    /// It comes with the program, and cannot be removed.
    pub bundled: bool,
}

/// The files of a model that is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The model itself.
    pub onnx: PathBuf,
    /// What goes in and comes out, where that is not known.
    pub manifest: Option<PathBuf>,
    /// One label a line.
    pub labels: Option<PathBuf>,
}

impl Files {
    /// Out of what was chosen: one file is the model, and those of the same name beside it go with it.
    /// `None` where there is no model among them, or more than one.
    pub fn of(chosen: &[PathBuf]) -> Option<Self> {
        let ends = |path: &&PathBuf, ending: &str| {
            path.extension().is_some_and(|it| it.eq_ignore_ascii_case(ending))
        };
        let with = |ending| chosen.iter().find(|path| ends(path, ending)).cloned();
        let mut models = chosen.iter().filter(|path| ends(path, "onnx"));
        let (onnx, None) = (models.next()?.clone(), models.next()) else { return None };
        let beside = |ending| Some(onnx.with_extension(ending)).filter(|path| path.is_file());
        let manifest = with("toml").or_else(|| beside("toml"));
        let labels = with("txt").or_else(|| beside("txt"));
        Some(Self { manifest, labels, onnx })
    }

    /// A name that the model may have.
    pub fn name(&self) -> String {
        let stem = self.onnx.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
        // The two that need nothing else, by the names of the files in which they come.
        for known in ["googlenet", "yunet"] {
            if self.manifest.is_none() && stem.contains(known) {
                return known.to_owned();
            }
        }
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        let name: String = stem.chars().map(|c| if fits(c) { c } else { '-' }).collect();
        let name = name.trim_start_matches(['-', '_', '.']).trim_end_matches(['.', '-']);
        name.chars().take(64).collect()
    }
}

impl Backend {
    /// The models of this node.
    pub async fn models(self) -> Result<Vec<Model>, Reason> {
        self.with_models(|_, catalogue| Ok(list(catalogue))).await
    }

    /// Adds a model, once it was tried.
    pub async fn add_model(self, name: String, files: Files) -> Result<Vec<Model>, Reason> {
        self.with_models(move |folder, catalogue| {
            let config = Config::load(&folder.join("config.toml")).map_err(|e| e.reason())?;
            let engine = Engine::start(&engine_config(&config, Some(folder)));
            let engine = engine.map_err(|error| error.reason())?;
            let (manifest, labels) = (files.manifest.as_deref(), files.labels.as_deref());
            let added = catalogue.add(&engine, name.trim(), &files.onnx, manifest, labels);
            added.map_err(|error| error.reason())?;
            Ok(list(catalogue))
        })
        .await
    }

    /// Removes a model that was added.
    pub async fn remove_model(self, name: String) -> Result<Vec<Model>, Reason> {
        self.with_models(move |_, catalogue| {
            catalogue.remove(&name).map_err(|error| error.reason())?;
            Ok(list(catalogue))
        })
        .await
    }

    /// Work on the folder of models, off the window's thread.
    async fn with_models(
        self,
        work: impl FnOnce(&Path, &Catalogue) -> Result<Vec<Model>, Reason> + Send + 'static,
    ) -> Result<Vec<Model>, Reason> {
        let worked = tokio::task::spawn_blocking(move || {
            let catalogue = Catalogue::open(Some(&self.data_dir.join("models")));
            work(&self.data_dir, &catalogue.map_err(|error| error.reason())?)
        });
        worked.await.map_err(|error| error.to_string())?
    }
}

fn list(catalogue: &Catalogue) -> Vec<Model> {
    let model = |faces| {
        move |info: ModelInfo| Model {
            name: info.name,
            faces,
            bytes: info.bytes,
            licence: info.licence,
            bundled: info.default,
        }
    };
    let labels = catalogue.list().into_iter().map(model(false));
    labels.chain(catalogue.list_faces().into_iter().map(model(true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_endings_and_found_beside_the_model() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["Flowers 2.onnx", "Flowers 2.toml", "other.txt"] {
            std::fs::write(at(name), "x").unwrap();
        }
        let alone = Files::of(&[at("Flowers 2.onnx")]).unwrap();
        assert_eq!(alone.manifest, Some(at("Flowers 2.toml")));
        assert_eq!((alone.labels.clone(), alone.name().as_str()), (None, "flowers-2"));
        let both = Files::of(&[at("other.txt"), at("Flowers 2.onnx")]).unwrap();
        assert_eq!(both.labels, Some(at("other.txt")));
        assert_eq!(Files::of(&[at("other.txt")]), None);
        assert_eq!(Files::of(&[at("a.onnx"), at("b.onnx")]), None);
        let known = Files::of(&[at("bvlc-GoogLeNet-12.onnx")]).unwrap();
        assert_eq!(known.name(), "googlenet");
    }

    #[tokio::test]
    async fn what_is_no_model_is_not_added_and_the_bundled_ones_stay() {
        use futures::StreamExt as _;
        use potluck::home::HomeOptions;

        use crate::backend::{Start, Update, follow};

        let folder = tempfile::tempdir().unwrap();
        let options = HomeOptions {
            data_dir: Some(folder.path().join("home")),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            no_mdns: true,
            offer: Some(vec!["chat/1".into()]),
            ..HomeOptions::default()
        };
        let mut updates = Box::pin(follow(&Start { options, demo: None, attempt: 0 }));
        let Some(Update::Ready(backend)) = updates.next().await else { panic!("not ready") };
        let all = backend.clone().models().await.unwrap();
        assert!(all.len() == 2 && all.iter().all(|model| model.bundled), "{all:?}");
        assert!(all.iter().any(|model| model.faces) && all.iter().any(|model| !model.faces));
        let onnx = folder.path().join("googlenet.onnx");
        std::fs::write(&onnx, "no model").unwrap();
        let files = Files::of(&[onnx]).unwrap();
        assert!(backend.clone().add_model(files.name(), files).await.is_err());
        assert!(backend.clone().remove_model(all[0].name.clone()).await.is_err());
        assert_eq!(backend.clone().models().await.unwrap(), all);
        // One that works, with what goes with it beside it.
        let weights = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/weights"));
        for ending in ["onnx", "toml"] {
            let from = weights.join("efficientnet-lite0").with_extension(ending);
            std::fs::copy(from, folder.path().join("Mine").with_extension(ending)).unwrap();
        }
        let files = Files::of(&[folder.path().join("Mine.onnx")]).unwrap();
        let added = backend.clone().add_model(files.name(), files).await.unwrap();
        let mine = added.iter().find(|model| model.name == "mine").unwrap();
        assert!(!mine.bundled && !mine.faces && mine.bytes > 1_000_000, "{mine:?}");
        assert_eq!(backend.clone().remove_model("mine".to_owned()).await.unwrap(), all);
        backend.leave().await;
    }
}
