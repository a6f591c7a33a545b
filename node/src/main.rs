//! The `potluck` command: reads the command line and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    potluck::cli::main()
}
