//! Reads the command line and opens the window.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use potluck_gui::{app, args::Args};

fn main() -> ExitCode {
    let args = Args::parse();
    potluck_gui::logging();
    let done = match &args.man {
        Some(folder) => clap_mangen::generate_to(Args::command(), folder).map_err(Into::into),
        None => app::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
