//! `potluck models`: the models of this node, for recognition and for faces.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use potluck_models::{Catalogue, Engine, ModelInfo};

use super::{
    Common, Failure, Kind,
    output::{Output, table},
};
use crate::{config::Config, data_dir::DataDir, services::recognize::engine_config};

/// The options of `models`.
#[derive(Debug, Args)]
pub struct Models {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Which models there are
    List,
    /// Add an ONNX classifier or face detector. `googlenet` and `yunet` are known; others need a manifest
    #[command(after_help = "Examples:\n  potluck models add googlenet bvlc-googlenet.onnx\n  \
        potluck models add yunet yunet_n_dynamic.onnx\n  \
        potluck models add flowers flowers.onnx --manifest flowers.toml --labels flowers.txt\n\
        models/README.md in the sources describes the manifest.")]
    Add {
        /// The name for --model
        name: String,
        /// The ONNX file
        file: PathBuf,
        /// Input size, layout, mean, scale and labels, as TOML
        #[arg(long, value_name = "FILE")]
        manifest: Option<PathBuf>,
        /// A text file with one label a line
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
    },
    /// Remove a model that was added
    Remove {
        /// Its name
        name: String,
    },
}

impl Models {
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let data_dir = DataDir::open(common.data_dir())?;
        let catalogue = Catalogue::open(Some(&data_dir.models())).map_err(Failure::usage)?;
        match self.action {
            Action::List => {
                let models: Vec<_> =
                    catalogue.list().into_iter().chain(catalogue.list_faces()).collect();
                output.print(&models, || {
                    let mut table = table(&["name", "for", "size", "licence", "source"]);
                    let detectors = catalogue.list_faces();
                    for model in &models {
                        let faces = detectors.iter().any(|m| m.name == model.name);
                        let task = if faces { "faces" } else { "recognize" };
                        let name = match model.default {
                            true => format!("{} (default)", model.name),
                            false => model.name.clone(),
                        };
                        table.add_row([&name, task, &size(model), &model.licence, &model.source]);
                    }
                    table.to_string()
                });
            }
            Action::Remove { name } => {
                let removed = catalogue.remove(&name);
                removed.map_err(|e| Failure::new(Kind::BadInput, e.to_string()))?;
                output.print(&serde_json::json!({ "removed": name }), || {
                    format!(
                        "{name} was removed; a node that runs uses it until it is started again"
                    )
                });
            }
            Action::Add { name, file, manifest, labels } => {
                let config = Config::load(&data_dir.config_file())?;
                let engine = Engine::start(&engine_config(&config, Some(data_dir.path())))
                    .map_err(Failure::usage)?;
                let waiting = output.spinner("trying the model");
                let added =
                    catalogue.add(&engine, &name, &file, manifest.as_deref(), labels.as_deref());
                waiting.finish_and_clear();
                let added = added.map_err(|e| Failure::new(Kind::BadInput, e.to_string()))?;
                output.print(&added, || {
                    let detector = catalogue.list_faces().iter().any(|m| m.name == added.name);
                    let how = match detector {
                        true => {
                            format!("Use it with [faces] model = \"{}\" in config.toml", added.name)
                        }
                        false => {
                            format!("Use it with: potluck recognize --model {} IMAGE", added.name)
                        }
                    };
                    format!("{} was added ({}). {how}", added.name, size(&added))
                });
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn size(model: &ModelInfo) -> String {
    format!("{:.1} MB", model.bytes as f64 / 1e6)
}
