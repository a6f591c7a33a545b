//! `potluck completions` and `potluck man`: what shells and manual pages know of the commands, made from
//! the command line itself.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use super::{Failure, Kind, output::Output, words, wrong};

#[derive(Debug, Args)]
#[command(after_help = "For this user:\n  \
    bash:  potluck completions bash > ~/.local/share/bash-completion/completions/potluck\n  \
    fish:  potluck completions fish > ~/.config/fish/completions/potluck.fish\n  \
    zsh:   potluck completions zsh > _potluck      in a folder of $fpath")]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Into which folder, such as ~/.local/share/man/man1
    folder: PathBuf,
}

impl Completions {
    pub(super) fn run(&self, mut command: clap::Command) -> Result<ExitCode, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "potluck", &mut text);
        match std::io::stdout().write_all(&text) {
            // Whoever reads has enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::internal(error)),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Man {
    pub(super) fn run(&self, command: clap::Command, output: &Output) -> Result<ExitCode, Failure> {
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(command, &self.folder));
        let folder = self.folder.display();
        written.map_err(|e| Failure::new(Kind::Usage, wrong::unwritable(&self.folder, &e)))?;
        output.print(&json!({ "folder": self.folder }), || {
            words::man_pages(output.lang(), folder.to_string())
        });
        Ok(ExitCode::SUCCESS)
    }
}
