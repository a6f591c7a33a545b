//! `potluck engine`: what runs the models here.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use potluck_models::{Engine, install};

use super::{Common, Failure, output::Output, words};
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
        let lang = output.lang();
        let data_dir = DataDir::open(common.data_dir())?;
        let config = Config::load(&data_dir.config_file())?;
        match self.action {
            Action::Status => {
                Engine::search_again(data_dir.path());
                let engine = Engine::start(&engine_config(&config, Some(data_dir.path())))
                    .map_err(Failure::usage)?;
                let info = engine.info();
                output.print(info, || {
                    let mut text = words::engine(lang, &info.engine, &info.device, info.threads);
                    text += "\n";
                    if let Some(library) = &info.library {
                        let path = library.display().to_string();
                        text += &format!("  {}\n", words::engine_from(lang, path));
                    }
                    for (place, result) in &info.searched {
                        text += &format!("  {}\n", words::engine_looked(lang, place, result));
                    }
                    if info.library.is_none() {
                        text += words::engine_install(lang);
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
                    let path = installed.library.display().to_string();
                    words::engine_at(lang, &installed.version, path)
                });
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
