//! `potluck models`: the models of this node, for recognition and for faces.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use potluck_models::{Catalogue, Engine, ModelInfo};

use super::{
    Common, Failure, Kind,
    output::{Output, table},
    words,
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
        let lang = output.lang();
        let data_dir = DataDir::open(common.data_dir())?;
        let catalogue = Catalogue::open(Some(&data_dir.models())).map_err(Failure::usage)?;
        match self.action {
            Action::List => {
                let models: Vec<_> =
                    catalogue.list().into_iter().chain(catalogue.list_faces()).collect();
                output.print(&models, || {
                    let mut table = table(&[
                        words::head_name(lang),
                        words::head_for(lang),
                        words::head_size(lang),
                        words::head_licence(lang),
                        words::head_source(lang),
                    ]);
                    let detectors = catalogue.list_faces();
                    for model in &models {
                        let faces = detectors.iter().any(|m| m.name == model.name);
                        let task =
                            if faces { words::for_faces(lang) } else { words::for_recognize(lang) };
                        let name = match model.default {
                            true => words::default(lang, &model.name),
                            false => model.name.clone(),
                        };
                        table.add_row([&name, task, &size(model), &model.licence, &model.source]);
                    }
                    table.to_string()
                });
            }
            Action::Remove { name } => {
                let removed = catalogue.remove(&name);
                removed.map_err(|e| Failure::of(Kind::BadInput, &e))?;
                output
                    .print(&serde_json::json!({ "removed": name }), || words::removed(lang, &name));
            }
            Action::Add { name, file, manifest, labels } => {
                let config = Config::load(&data_dir.config_file())?;
                let engine = Engine::start(&engine_config(&config, Some(data_dir.path())))
                    .map_err(Failure::usage)?;
                let waiting = output.spinner(words::trying(lang));
                let added =
                    catalogue.add(&engine, &name, &file, manifest.as_deref(), labels.as_deref());
                waiting.finish_and_clear();
                let added = added.map_err(|e| Failure::of(Kind::BadInput, &e))?;
                output.print(&added, || {
                    let detector = catalogue.list_faces().iter().any(|m| m.name == added.name);
                    let how = match detector {
                        true => words::use_faces(lang, &added.name),
                        false => words::use_recognize(lang, &added.name),
                    };
                    words::added(lang, &added.name, size(&added), how)
                });
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn size(model: &ModelInfo) -> String {
    format!("{:.1} MB", model.bytes as f64 / 1e6)
}
