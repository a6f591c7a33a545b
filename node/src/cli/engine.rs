//! `potluck engine`: what runs the models here.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use potluck_models::{Engine, install};

use super::{Common, Failure, output::Output};
use crate::{config::Config, data_dir::DataDir, services::recognize::engine_config};

/// The options of `engine`.
#[derive(Debug, Args)]
pub struct EngineCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Which engine is used, and where ONNX Runtime was looked for
    Status,
    /// Bring ONNX Runtime through pip or npm (some 25 MB), checked by hash
    Install,
}

impl EngineCommand {
    pub(super) fn run(self, common: &Common, output: &Output) -> Result<ExitCode, Failure> {
        let data_dir = DataDir::open(common.data_dir())?;
        let config = Config::load(&data_dir.config_file())?;
        match self.action {
            Action::Status => {
                let engine = Engine::start(&engine_config(&config, Some(data_dir.path())))
                    .map_err(Failure::usage)?;
                let info = engine.info();
                output.print(info, || {
                    let mut text = format!(
                        "{} on {}, {} threads\n",
                        info.engine, info.device, info.threads
                    );
                    if let Some(library) = &info.library {
                        text += &format!("  from {}\n", library.display());
                    }
                    for (place, result) in &info.searched {
                        text += &format!("  looked in {place}: {result}\n");
                    }
                    if info.library.is_none() {
                        text += "`potluck engine install` brings ONNX Runtime, which is four to five times faster";
                    }
                    text
                });
            }
            Action::Install => {
                let bar = output.spinner("");
                let mut progress = |text: &str| bar.set_message(text.to_owned());
                let installed = install(data_dir.path(), &mut progress);
                bar.finish_and_clear();
                let installed = installed.map_err(Failure::usage)?;
                output.print(&installed, || {
                    format!(
                        "ONNX Runtime {} is at {}. Nodes use it from their next start",
                        installed.version,
                        installed.library.display()
                    )
                });
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
