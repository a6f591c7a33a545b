//! Reads the command line and opens the window.

use std::process::ExitCode;

use clap::Parser as _;
use potluck_gui::{app, args::Args};

fn main() -> ExitCode {
    let args = Args::parse();
    potluck_gui::logging();
    match app::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
